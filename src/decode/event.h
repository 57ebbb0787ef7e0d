/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the analysis sees of a record: one thing that happened to one skb.
 *
 * Numbers are in host order; a value that the kernel's event does not carry is marked absent in
 * ->has, never 0 by default.
 */
#ifndef SKBTRAIL_DECODE_EVENT_H
#define SKBTRAIL_DECODE_EVENT_H

#include "base/types.h"

/* What an event means for a packet's path. Those of receiving stand together, RX_ENTRY to RECEIVE. */
enum event_kind {
	EVENT_NONE,	     /* not about one skb */
	EVENT_QUEUE,	     /* handed to a device for sending (net_dev_queue) */
	EVENT_START_XMIT,    /* given to the device's driver (net_dev_start_xmit) */
	EVENT_XMIT,	     /* the driver returned (net_dev_xmit); the skb may be gone by now */
	EVENT_RX_ENTRY,	     /* netif_rx() called; netif_rx follows */
	EVENT_RX,	     /* put into a CPU's backlog (netif_rx) */
	EVENT_GRO,	     /* given to GRO by a driver (napi_gro_*_entry) */
	EVENT_RECEIVE_ENTRY, /* netif_receive_skb() called; netif_receive_skb follows */
	EVENT_RECEIVE,	     /* into the protocol stack (netif_receive_skb) */
	EVENT_COPY,	     /* copied to a user's buffer (skb_copy_datagram_iovec) */
	EVENT_CONSUME,	     /* freed after use (consume_skb) */
	EVENT_DROP,	     /* freed with a reason to drop (kfree_skb) */
	EVENT_NOTE,	     /* anything else that names an skb */
};

/* Bits of struct event.has */
enum {
	EVENT_HAS_LEN = 1 << 0,
	EVENT_HAS_PROTO = 1 << 1,
	EVENT_HAS_REASON = 1 << 2,
	EVENT_HAS_LOCATION = 1 << 3,
	EVENT_HAS_RET = 1 << 4,
	EVENT_HAS_COOKIE = 1 << 5,
	EVENT_HAS_IFINDEX = 1 << 6,
};

/* Bits of struct event.context: where the CPU was (common_flags). */
enum {
	EVENT_IN_HARDIRQ = 1 << 3,
	EVENT_IN_SOFTIRQ = 1 << 4,
	EVENT_CONTEXT_KNOWN = 1 << 7,
};

struct event {
	u64 ts_ns;
	u64 skb;      /* address, never 0 */
	u64 location; /* address of the code that freed it */
	u64 netns_cookie;
	u32 len_bytes; /* as the event says: with the link header when sending */
	u32 reason;    /* of a drop, the kernel's number */
	u32 ifindex;
	s32 ret;   /* what the driver returned */
	s32 pid;   /* the task that was running: meaningful outside of interrupts only */
	u16 type;  /* which event: index into schema.types */
	u16 dev;   /* device name: index for devnames, 0 for none */
	u16 proto; /* EtherType */
	u16 cpu;
	u8 kind; /* enum event_kind */
	u8 context;
	u8 has;
};

#endif
