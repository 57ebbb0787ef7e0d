/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Echo replies that a raw socket reads, without births (tier T0).
 *
 * A raw socket (ping, traceroute) gets a clone of each ICMP packet before ICMP itself looks at it.
 * ICMP then finds no ping socket and frees the original with kfree_skb(), reason NO_SOCKET: a drop
 * that is none. The clone's birth is not recorded, but its reading is (skb_copy_datagram_iovec of
 * an skb that no device event was seen of). The two are joined when length and time agree and only
 * one freed packet qualifies; the join is marked in the path. See net/ipv4/raw.c, net/ipv6/raw.c.
 */
#ifndef SKBTRAIL_ANALYSIS_RAWCOPY_H
#define SKBTRAIL_ANALYSIS_RAWCOPY_H

#include "analysis/path.h"

#define RAW_COPIES 64 /* readings remembered that came before the free */

struct raw_copy {
	u64 ts_ns, skb;
	u32 len_bytes;
	s32 pid;
};

struct raw_copies {
	struct raw_copy recent[RAW_COPIES];
	u32 at;
};

/**
 * raw_copy_read - a process read an skb that is not known
 * @waiting: ring of paths that ICMP freed and that wait for this
 *
 * Return: the path it is a copy of, marked so; or NULL when more than one qualifies, or when none
 * does, and then the reading is remembered.
 */
struct path *raw_copy_read(struct raw_copies *copies, struct path *waiting, const struct event *ev);

/** raw_copy_was_read - a packet was freed by ICMP; was a copy of it read already? Marks the path */
bool raw_copy_was_read(struct raw_copies *copies, struct path *path);

#endif
