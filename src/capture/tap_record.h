/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a frame that a packet socket saw lies in the trace.
 *
 * Written into our own instance through trace_marker_raw, so the kernel makes a raw_data record of
 * it, whose id field is ->id. Everything is in the byte order of the machine that recorded. A reader
 * takes these places from here and not from a format file, because the kernel knows only the id; so a
 * change of layout is a new version.
 */
#ifndef SKBTRAIL_CAPTURE_TAP_RECORD_H
#define SKBTRAIL_CAPTURE_TAP_RECORD_H

#include "base/types.h"

#define TAP_RECORD_ID 0x50415453u /* "STAP" in the memory of a little-endian machine */
#define TAP_RECORD_VERSION 1
#define TAP_SNAP_BYTES 192 /* of each frame: IPv6 and TCP, with options, in VXLAN over IPv6 */

/* Bits of tap_record.flags. */
enum {
	TAP_OUTGOING = 1 << 0,
	TAP_STAMPED_EARLIER = 1 << 1, /* the time is of when the stack got it, not of the socket */
	TAP_TAGGED = 1 << 2,	      /* ->vlan_tci is there */
	TAP_LOST = 1 << 3,	      /* the ring had no room for some frames before this one */
	TAP_NO_HOP = 1 << 4, /* a device that shows frames which no event of its own tells of */
	TAP_MARK = 1 << 5, /* no frame: those up to ->ts_ns have been written, but for stragglers */
};

struct tap_record {
	u32 id;
	u16 version;
	u16 snap_bytes; /* of the frame, that follow */
	u64 ts_ns;	/* when the frame was tapped, CLOCK_MONOTONIC */
	u32 slack_ns;	/* ->ts_ns is so much off at most, either way */
	u32 seq;	/* of the frames of this ring, in the order of their delivery */
	u32 netns_inum;
	u32 ifindex;
	u32 len_bytes;	/* of the frame with its link header */
	u16 link_bytes; /* of that header */
	u16 hatype;	/* ARPHRD_* */
	u16 protocol;	/* EtherType, host order */
	u16 vlan_tci, vlan_type;
	u16 flags;
	/* The CPU that delivered it, modulo ->nr_cpus: with 1 it is not known. */
	u16 cpu, nr_cpus;
	char dev[16];
	u32 reserved; /* 0; nowhere is there any room between members */
};

_Static_assert(sizeof(struct tap_record) == 72, "the same on all machines");

#endif
