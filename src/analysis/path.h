/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A path: everything that was seen of one packet, in time order, and how it ended.
 */
#ifndef SKBTRAIL_ANALYSIS_PATH_H
#define SKBTRAIL_ANALYSIS_PATH_H

#include "decode/event.h"

/* One event of a packet. What ->has does not name is not known. */
struct hop {
	u64 ts_ns;
	union {
		u64 location;	  /* EVENT_HAS_LOCATION */
		u64 netns_cookie; /* EVENT_HAS_COOKIE */
	};
	u32 len_bytes;
	union {
		u32 reason;  /* EVENT_HAS_REASON */
		s32 ret;     /* EVENT_HAS_RET */
		u32 ifindex; /* EVENT_HAS_IFINDEX */
	};
	s32 pid;
	u16 type; /* index into schema.types */
	u16 dev;  /* number in schema.devs, 0 for none */
	u16 proto;
	u16 cpu;
	u16 netns; /* 1 + index into the snapshot, 0 when not known */
	u8 kind;
	u8 context;
	u8 has;
};

enum path_state {
	PATH_OPEN,	  /* still on its way when the trace ended */
	PATH_DELIVERED,	  /* copied to a process or used up by the kernel itself */
	PATH_TRANSMITTED, /* left through a device */
	PATH_DROPPED,
	PATH_UNKNOWN, /* no record tells how it ended */
};

enum path_completeness {
	PATH_COMPLETE,
	PATH_STILL_OPEN,  /* the trace ended first */
	PATH_GAP,	  /* records were lost while it was on its way */
	PATH_UNKNOWN_END, /* no event of this capture tells of its end */
};

/* Where in the kernel a packet was seen last. */
enum path_stage {
	STAGE_NONE,
	STAGE_TX,      /* with a device, to be sent */
	STAGE_BACKLOG, /* in a CPU's receive backlog */
	STAGE_DRIVER,  /* given to GRO */
	STAGE_STACK,   /* received by the protocol stack */
	STAGE_COPIED,  /* read by a process */
};

struct path {
	u64 number; /* 1 for the first packet seen, rising */
	u64 skb;
	u64 first_ns, last_ns;
	struct hop *hops;
	u32 nr_hops;
	u32 cut_hops; /* hops beyond the cap, not kept */
	u16 proto;    /* EtherType, 0 when no event said */
	u8 state;     /* enum path_state */
	u8 complete;  /* enum path_completeness */
	/* How it ended: the hop, or -1; the hop's kind says what it was. */
	s32 end_hop;
	bool acted_on; /* the kernel sent a packet while it had this one in hand */
	bool raw_copy; /* a raw socket's copy of it was read: matched by length and time */
	s32 raw_pid;   /* by this task */
	u64 raw_ts_ns;
	u64 raw_skb;	     /* address of that copy */
	u64 lost;	     /* with PATH_GAP: records lost meanwhile, as far as counted */
	bool lost_uncounted; /* and some that nobody counted */
	u8 stage;	     /* enum path_stage, where it was seen last */

	/* Working state of paths.c and identity.c; of no meaning to a renderer. */
	u8 hop_class;
	u32 generation; /* changes when the memory is used for another packet */
	u8 last_kind;
	u8 list;
	bool tx_done; /* the driver has returned for the device it was sent on last */
	bool tx_ok;   /* ... with success */
	bool mapped;  /* the address stands for this packet */
	u16 tx_dev, rx_dev;
	u16 open_xmits; /* drivers that have not returned yet */
	u32 stack_len;	/* length at the last receive */
	struct path *prev, *next;
};

#endif
