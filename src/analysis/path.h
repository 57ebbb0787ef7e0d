/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A path: everything that was seen of one packet, in time order, and how it ended.
 */
#ifndef SKBTRAIL_ANALYSIS_PATH_H
#define SKBTRAIL_ANALYSIS_PATH_H

#include "decode/event.h"

/* What a packet was, from one hop on until it changed. */
struct packet_view {
	struct packet packet;
	u32 mark;
	bool has_mark;
	struct packet_view *next; /* the one before it */
};

/* What netfilter did at a hop: EVENT_HOOK, EVENT_TABLE. */
struct hop_filter {
	u64 function;	  /* EVENT_HOOK: the first hook, 0 not known */
	s32 verdict;	  /* NF_DROP 0, NF_ACCEPT 1, NF_STOLEN 2, NF_QUEUE 3 */
	bool has_verdict; /* else it is not known */
	u8 hook, pf;	  /* EVENT_HOOK: NF_INET_*, NFPROTO_* */
	u16 in, out;	  /* EVENT_HOOK: numbers in schema.devs, 0 for none */
	u16 table, chain; /* EVENT_TABLE: the same */
	struct hop_filter *next;
};

/* One event of a packet. What ->has does not name is not known. */
struct hop {
	u64 ts_ns;
	union {
		u64 location;			 /* EVENT_HAS_LOCATION */
		u64 netns_cookie;		 /* EVENT_HAS_COOKIE */
		const struct hop_filter *filter; /* EVENT_HOOK, EVENT_TABLE; may be NULL */
	};
	const struct packet_view
		*view;	/* what the packet was here; NULL: this event does not say */
	u32 netns_inum; /* as a probe read it; 0 not known */
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
	u8 layer;      /* enum layer */
	u8 netns_from; /* enum netns_from: of ->netns_inum */
	u8 ttl;	       /* of the outermost network header; 0 not known */
	bool tapped;   /* ->view is of a packet socket's frame, joined by time */
	bool told;     /* the event itself tells addresses (decode/told.h) */
};

enum path_state {
	PATH_OPEN,	  /* still on its way when the trace ended */
	PATH_DELIVERED,	  /* copied to a process or used up by the kernel itself */
	PATH_TRANSMITTED, /* left through a device */
	PATH_DROPPED,
	PATH_UNKNOWN, /* no record tells how it ended */
	PATH_SPLIT,   /* became other packets: segments, fragments */
	PATH_MERGED,  /* became part of another packet */
	PATH_STATES,
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
	STAGE_OUT,     /* with the protocol stack, on its way to a device */
};

/* What it means that the kernel drops a received packet at some place for some reason. */
enum free_site {
	FREE_SITE_PLAIN,
	FREE_SITE_TCP,	  /* TCP was done with a segment, which may have been good for something */
	FREE_SITE_PART,	  /* it was a part of another packet, which was freed */
	FREE_SITE_ICMP,	  /* ICMP was done with it, or had no use for it: the event is the same */
	FREE_SITE_FILTER, /* netfilter */
};

/* How two packets have to do with each other. The names are those of enum layer's calls. */
enum link_kind {
	LINK_NONE,
	LINK_CLONE,	 /* the same bytes, going another way */
	LINK_COPY,	 /* a copy of them */
	LINK_SEGMENT,	 /* GSO: a part of it */
	LINK_FRAGMENT,	 /* IP: a part of it */
	LINK_MERGE,	 /* parent: the one that the child became part of */
	LINK_ERROR,	 /* an ICMP error about it */
	LINK_RESET,	 /* a TCP reset because of it */
	LINK_ANSWER,	 /* an echo or ARP reply to it */
	LINK_RETRANSMIT, /* TCP sent the same segment again */
	LINK_SIGNATURE,	 /* the same headers, seen again in another skb a little later */
	LINK_KINDS,
};

#define PATH_LINKS 64 /* kept; more are counted */

struct path_link {
	u64 packet; /* number of the other packet, 0 when it has none */
	u64 skb;    /* its address */
	u8 kind;    /* enum link_kind */
	bool child; /* this packet is the child of the other */
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
	u8 layer;	     /* enum layer, what had it last */
	u8 free_site;	     /* enum free_site, of what freed it */

	/* Working state of paths.c and identity.c; of no meaning to a renderer. */
	u8 hop_class;
	u8 link_class;	/* of the array, plus 1; 0: there is none yet */
	u32 generation; /* changes when the memory is used for another packet */
	u8 last_kind;
	u8 list;
	bool tx_done; /* the driver has returned for the device it was sent on last */
	bool tx_ok;   /* ... with success */
	bool mapped;  /* the address stands for this packet */
	u16 tx_dev, rx_dev;
	u16 open_xmits; /* drivers that have not returned yet */
	u32 stack_len;	/* length at the last receive */
	u32 losses;	/* paths.losses when it was heard of last */
	bool split;	/* parts of it were made */
	bool merging;	/* given to GRO, or to reassembly, to become part of another */
	bool morphing;	/* its skb is about to be overwritten, which looks like a death */
	bool answered;	/* the kernel sent an answer to it */
	bool handled;	/* a function took it that uses whatever it is given */
	bool at_l4;	/* a transport protocol had it */
	bool local;	/* it is being delivered on this machine */
	struct path *prev, *next;

	/* With probes. */
	u64 birth_ns;	/* when the skb was allocated; 0 not seen */
	s32 birth_pid;	/* in this task; 0 when that was in an interrupt or is not known */
	bool raw_exact; /* ->raw_copy was a clone that was seen to be made */
	s32 end_filter; /* the hop with the netfilter hook that dropped it; -1 none or not known */
	u32 nr_links;	/* may be more than PATH_LINKS */
	struct path_link *link;	   /* the first PATH_LINKS of them */
	struct packet_view *views; /* the latest; they end with NULL */
	struct hop_filter *filters;
	u32 chain;	   /* of the calls that sent it, see chains.h; 0: not known */
	bool chain_queued; /* ... as of when a device got it */
	bool matched;	   /* the user's filter matched some record of it */
	bool tapped;	   /* its headers are of packet sockets' frames, joined by time */
	u16 told_by; /* the event that told of it first, when that told addresses only; else 0 */
	bool contradicted; /* ... and some of these cannot be of one packet: none is shown */
	/* working state, too */
	u64 heir;	 /* a clone made after its last hop: may stand in for it; 0 none */
	u32 heir_hops;	 /* how many hops it had then */
	u32 copies_open; /* clones for sockets that have not been read or freed */
};

/** hop_filter_of - what netfilter did at a hop; NULL for other hops */
static inline const struct hop_filter *hop_filter_of(const struct hop *hop)
{
	return hop->kind == EVENT_HOOK || hop->kind == EVENT_TABLE ? hop->filter : NULL;
}

/** path_dropping_table - the hop at which the rules of a table said no; NULL when that was not seen */
static inline const struct hop *path_dropping_table(const struct path *path)
{
	const struct hop_filter *filter;
	u32 i;

	for (i = path->nr_hops; path->end_filter >= 0 && i-- > (u32)path->end_filter;) {
		filter = path->hops[i].kind == EVENT_TABLE ? hop_filter_of(&path->hops[i]) : NULL;
		if (filter && filter->has_verdict && !filter->verdict)
			return &path->hops[i];
	}
	return NULL;
}

/** path_packet - what the packet was when it was first told; NULL when no record tells */
static inline const struct packet *path_packet(const struct path *path)
{
	const struct packet_view *view = path->views;

	while (view && view->next)
		view = view->next;
	return view ? &view->packet : NULL;
}

#endif
