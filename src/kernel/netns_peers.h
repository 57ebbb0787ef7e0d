/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which netns a device's link leads into.
 *
 * In:  for each device with a link into another netns, the id its own netns has for that one.
 * Out: link and link_netns_inum of these devices.
 *
 * Such ids mean something only in the netns they were read in, and the kernel tells the id of a
 * netns but not the netns of an id. So each netns that could be the one is asked for: those that
 * have a fitting device, and only as long as none was right.
 */
#ifndef SKBTRAIL_KERNEL_NETNS_PEERS_H
#define SKBTRAIL_KERNEL_NETNS_PEERS_H

#include "kernel/netns.h"

/* A device whose link is in another netns. */
struct netns_link {
	u64 inum; /* the netns it is in */
	u32 ifindex;
	s32 nsid; /* what that netns calls the other one; negative: it has no name for it */
};

struct netns_peers {
	struct netns_snapshot *snap; /* indexed; its devices are filled in */
	struct netns_link *links;    /* gets sorted */
	size_t nr_links;
	/* open a netns of the snapshot; returns a descriptor or -errno */
	int (*open_netns)(void *arg, u64 inum);
	void *arg;
	u32 unresolved; /* out: links that stay NETDEV_LINK_UNKNOWN */
};

/**
 * netns_peers_resolve - find out where the links lead; enters other netns with setns()
 *
 * To be called on a thread made for it. What cannot be found out is counted, not an error.
 */
void netns_peers_resolve(struct netns_peers *peers);

#endif
