/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One packet socket with its ring (AF_PACKET, TPACKET_V3): the beginnings of frames, shared with the
 * kernel. Socket, ring and all vanish with the process.
 */
#ifndef SKBTRAIL_CAPTURE_TAP_RING_H
#define SKBTRAIL_CAPTURE_TAP_RING_H

#include "base/error.h"
#include "base/types.h"

struct tap_ring {
	int fd;
	u8 *map;
	u32 block_bytes, nr_blocks;
	/* where the reader is */
	u32 block;  /* that comes next, or is open */
	u32 left;   /* frames of the open block that are still to come; 0: none is open */
	u32 offset; /* of the next of them */
	bool lost;  /* the ring had no room for frames before those of the open block */
};

/* What the kernel says of a frame. Valid until the next tap_ring_next(). */
struct tap_frame {
	u64 realtime_ns;
	const u8 *bytes;
	u32 snap_bytes, len_bytes;
	u32 ifindex;
	u16 link_bytes, hatype, protocol, vlan_tci, vlan_type;
	u16 flags; /* TAP_OUTGOING, TAP_STAMPED_EARLIER, TAP_TAGGED, TAP_LOST */
};

/**
 * tap_ring_open - a socket that sees every frame of the calling thread's netns from now on
 * @ring_bytes: memory for the ring; less is taken when the kernel has not as much
 * @retire_ms: after so long frames are handed over even when there are few
 * @group: -1 makes a group of sockets that share the frames by CPU, and is set to its number; another
 *	   number joins it: the socket of place N in order sees what CPU N delivers. NULL: no group
 *
 * Return: 0 or -errno; -EPERM: needs CAP_NET_RAW in the netns.
 */
int tap_ring_open(struct tap_ring *ring, u32 ring_bytes, u32 retire_ms, int *group,
		  struct error *err);
void tap_ring_close(struct tap_ring *ring);

/** tap_ring_next - the next frame; false when there is none by now. Gives blocks back to the kernel. */
bool tap_ring_next(struct tap_ring *ring, struct tap_frame *frame);

#endif
