/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which network namespaces there are, and what people call them.
 *
 * In:  /run/netns, /var/run/netns, /run/docker/netns, /proc, what container runtimes wrote about their
 *      containers, and descriptors the caller holds.
 * Out: one entry per netns with a path it can be opened by and, if it has one, a name.
 *
 * Only paths are kept, not descriptors: a machine may have more netns than a process may open
 * files. netns_targets_open() makes sure that a path still leads to the same netns.
 */
#ifndef SKBTRAIL_KERNEL_NETNS_TARGETS_H
#define SKBTRAIL_KERNEL_NETNS_TARGETS_H

#include <sys/types.h>

#include "kernel/netns.h"

struct netns_target {
	u64 inum;
	char *path;
	char *name; /* NULL: none */
	bool first; /* to be kept when there are too many: the caller's, pid 1's, held ones */
};

struct netns_targets {
	struct netns_target *list; /* sorted by inum */
	size_t nr;
	size_t cap;
	dev_t device; /* the nsfs file system */
	u64 self_inum;
	char root[192]; /* "" or, for tests, a directory that stands for / */
	u32 hidden;	/* processes that may not be looked at */
	bool no_memory;
};

/**
 * netns_targets_find - list the netns
 * @caller: thread id of the thread on whose behalf this runs; it stays in its netns meanwhile
 * @options: NULL: none held
 *
 * Return: 0, or -errno when not even the caller's own netns can be looked at or memory ran out.
 */
int netns_targets_find(struct netns_targets *targets, pid_t caller,
		       const struct netns_take_options *options, struct error *err);
void netns_targets_free(struct netns_targets *targets);

/** netns_targets_get - the target with this inode number; NULL when there is none */
const struct netns_target *netns_targets_get(const struct netns_targets *targets, u64 inum);

/** netns_targets_open - open a netns; Return: a descriptor or -errno, -ENOENT when it is gone */
int netns_targets_open(const struct netns_targets *targets, u64 inum);

#endif
