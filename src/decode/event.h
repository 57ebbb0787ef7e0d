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
#include "decode/packet.h"

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
	/* From probes; T0 has none of these. */
	EVENT_LAYER,   /* a function of the network stack has it: ->layer says where */
	EVENT_HEADERS, /* what the packet is at the next event of it; no place of its own */
	EVENT_BIRTH,   /* the skb was allocated */
	EVENT_DEATH,   /* the skb's last user let it go */
	EVENT_CLONE,   /* ->other is a new skb for the same bytes; 0: told when the call returns */
	EVENT_MERGE,   /* its bytes became part of ->other */
	EVENT_MORPH,   /* it becomes the packet of another skb; the death that follows is none */
	EVENT_CALL, /* a function that makes skbs out of this one was entered: ->layer says which */
	EVENT_RETURN, /* the function entered last in this context returned: ->ret, or ->other */
	EVENT_HOOK,   /* netfilter hooks were entered */
	EVENT_TABLE, /* a table's rules were gone through: ->ret is the verdict, or comes with RETURN */
	EVENT_STACK, /* no place of its own: ->chain are the calls that led to the event before it of the same skb;
			* ->layer is LAYER_NONE when that
			* one is at a device */
	EVENT_FRAME, /* a packet socket saw a frame (--tap): of which skb it does not say; ->facts->frame */
};

/* Where in the stack an EVENT_LAYER, EVENT_CALL, EVENT_HOOK or EVENT_TABLE is. */
enum layer {
	LAYER_NONE,
	LAYER_OTHER,	/* a function the user named */
	LAYER_BRIDGE,	/* br_* */
	LAYER_IP_IN,	/* ip_rcv, ipv6_rcv, arp_rcv */
	LAYER_LOCAL_IN, /* ip_local_deliver, ip6_input */
	LAYER_FORWARD,	/* ip_forward, ip6_forward */
	LAYER_IP_OUT,	/* ip_output, ip6_output, ip_mc_output */
	LAYER_L4_IN,	/* tcp_v4_rcv, udp_rcv, icmp_rcv, ... */
	LAYER_DEFRAG,	/* ip_defrag, ipv6_frag_rcv, ...: waits for other fragments */
	LAYER_TUNNEL_OUT,
	LAYER_TUNNEL_IN,
	LAYER_HOOK,
	LAYER_TABLE, /* ipt_do_table, nft_do_chain */
	/* calls that make skbs */
	LAYER_CLONE,
	LAYER_COPY,
	LAYER_SEGMENT,
	LAYER_FRAGMENT,
	LAYER_ERROR,  /* an ICMP error about this packet */
	LAYER_RESET,  /* a TCP reset because of it */
	LAYER_ANSWER, /* an echo or ARP reply to it */
	LAYER_NDISC,  /* the same for IPv6's neighbour discovery, which takes it in any case */
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
	EVENT_HAS_FACTS = 1 << 7, /* ->facts is there, in the place of ->netns_cookie */
};

/* Bits of struct event.context: where the CPU was (common_flags). */
enum {
	EVENT_IN_HARDIRQ = 1 << 3,
	EVENT_IN_SOFTIRQ = 1 << 4,
	EVENT_HAS_CHAIN = 1 << 6, /* ->chain is there, in the place of ->reason */
	EVENT_CONTEXT_KNOWN = 1 << 7,
};

/* How the netns of an event was found out. */
enum netns_from {
	NETNS_FROM_NONE,
	NETNS_FROM_HOOK, /* nf_hook_state->net */
	NETNS_FROM_DEV,	 /* skb->dev */
	NETNS_FROM_SOCK, /* skb->sk: the sender's, until the skb leaves the sender's netns */
	NETNS_FROM_DST,	 /* the route's device */
	NETNS_FROM_TAP,	 /* the packet socket that saw it on this device */
};

/* Bits of frame_facts.flags. */
enum {
	FRAME_OUTGOING = 1 << 0,
	FRAME_STAMPED_EARLIER =
		1 << 1,	       /* received; stamped at some time before the socket got it */
	FRAME_TAGGED = 1 << 2, /* its outermost VLAN tag is not in its bytes */
	FRAME_LOST = 1 << 3,   /* frames before it were lost */
	FRAME_NO_HOP = 1 << 4, /* no event tells of packets received on such a device */
	FRAME_MARK = 1 << 5,   /* no frame: all up to ->ts_ns have come, but for stragglers */
};

/* Of an EVENT_FRAME, besides device, length, CPU and what skb_facts has. */
struct frame_facts {
	u64 ts_ns;	/* when it was tapped; the event's own time is when that was written down */
	u32 slack_ns;	/* ->ts_ns is so much off at most, either way */
	u32 seq;	/* of its ring: netns and CPU */
	u16 link_bytes; /* of ->len_bytes, its link header */
	u16 nr_cpus, cpu; /* it was delivered on a CPU whose number modulo ->nr_cpus is ->cpu */
	u16 flags;
};

/* What a tracepoint's own fields tell of the packet (decode/told.h): ->packet has its tuple only. */
enum told {
	TOLD_NOT,
	TOLD_RECEIVED, /* by a socket, of what it received */
	TOLD_IN_HAND,  /* of the skb in hand, wherever that is */
};

/* What a probe saw of a packet besides the event itself. */
struct skb_facts {
	u64 head;	   /* skb->head: clones share it; 0 not known */
	u64 sock;	   /* skb->sk; 0 none or not known */
	u64 hook_function; /* EVENT_HOOK: the first hook's address; 0 not known */
	u32 netns_inum;	   /* 0 not known */
	u32 mark;
	u8 netns_from;	 /* enum netns_from */
	bool has_packet; /* ->packet was read */
	bool has_mark;
	bool matched;	  /* the user's filter matches these headers */
	u8 hook, pf;	  /* EVENT_HOOK: NF_INET_*, NFPROTO_* */
	u16 in, out;	  /* EVENT_HOOK: device names, as event.dev */
	u16 table, chain; /* EVENT_TABLE: names, as event.dev; 0 not known */
	u8 told;	  /* enum told */
	bool tapped;	  /* not read by a probe: a frame that was joined with the event, by time */
	struct frame_facts frame; /* EVENT_FRAME */
	struct packet packet;
};

struct event {
	u64 ts_ns;
	u64 skb; /* address, never 0 but with EVENT_RETURN and EVENT_FRAME */
	union {
		u64 location; /* address of the code that freed it */
		u64 other; /* EVENT_CLONE, EVENT_MERGE, EVENT_RETURN: another skb's address; 0 none */
	};
	union {
		u64 netns_cookie;
		const struct skb_facts *facts; /* EVENT_HAS_FACTS; valid as long as the event */
	};
	u32 len_bytes; /* as the event says: with the link header when sending */
	union {
		u32 reason; /* of a drop, the kernel's number */
		u32 chain; /* EVENT_HAS_CHAIN: the calls that the task was in, see analysis/chains.h */
	};
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
	u8 layer; /* enum layer */
};

#endif
