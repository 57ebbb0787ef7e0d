/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a snapshot is put together: by the kernel's answers, by a recording, by a merge.
 *
 * Build with the _add functions in any order, then call netns_snapshot_index() once; only then do
 * the look-ups of netns.h work. The _add functions keep the limits of netns.h and count what they
 * refuse. Adding may move the arrays: pointers into them end with the next _add.
 */
#ifndef SKBTRAIL_KERNEL_NETNS_BUILD_H
#define SKBTRAIL_KERNEL_NETNS_BUILD_H

#include "kernel/netns.h"

/** netns_snapshot_new - an empty snapshot; NULL when memory ran out */
struct netns_snapshot *netns_snapshot_new(void);

/**
 * netns_snapshot_add - append a netns
 * @ns: inum, cookie, name and read are taken (the name is copied); its devices are not
 *
 * Return: its place in snap->ns, -ENOSPC at NETNS_MAX (counted in ->cut_ns), or -ENOMEM.
 */
int netns_snapshot_add(struct netns_snapshot *snap, const struct netns *ns);

/**
 * netns_snapshot_add_dev - append a copy of a device to the netns at place @ns
 *
 * Return: 0, -ENOSPC at NETNS_DEVS_MAX (counted in ->cut_devs), or -ENOMEM.
 */
int netns_snapshot_add_dev(struct netns_snapshot *snap, u32 ns, const struct netdev *dev);

/** netns_snapshot_index - sort everything and build the indexes; Return: 0 or -ENOMEM */
int netns_snapshot_index(struct netns_snapshot *snap);

/** netdev_name_valid - a name the kernel would accept, by the rules of dev_valid_name() */
bool netdev_name_valid(const char *name);

#endif
