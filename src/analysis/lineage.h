/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where skbs come from: births, and the calls in which one skb makes others.
 *
 * In:  EVENT_BIRTH, EVENT_DEATH, EVENT_CLONE, EVENT_CALL, EVENT_RETURN, EVENT_MERGE, EVENT_HOOK, ...
 * Out: for each live skb when, by whom and out of which packet it was made.
 *
 * Kernel facts: net/core/skbuff.c (__alloc_skb, skb_clone, skb_segment, skb_release_head_state,
 * skb_morph), net/core/gro.c (skb_gro_receive), net/ipv4/ip_output.c (ip_do_fragment),
 * net/ipv4/icmp.c (__icmp_send), net/ipv4/tcp_output.c (TCP sends clones of what it keeps).
 */
#ifndef SKBTRAIL_ANALYSIS_LINEAGE_H
#define SKBTRAIL_ANALYSIS_LINEAGE_H

#include "analysis/addrmap.h"
#include "analysis/path.h"

/* skbs alive at a time of which the origin is kept; beyond, all are forgotten and counted. */
#define LINEAGE_MAX (1u << 20)

/* What is known of an skb that may never become a packet of its own. */
struct origin {
	u64 birth_ns;
	u64 parent_skb;
	u64 parent_number;   /* of the packet that it was made of; 0 none */
	struct path *parent; /* may be another packet by now: see ->parent_generation */
	u64 last_child;	     /* number of the packet that a clone of this became last */
	u64 last_child_skb;
	u32 parent_generation;
	s32 pid; /* of the task it was born in; 0 in an interrupt */
	u8 link; /* enum link_kind to the parent */
	u8 parent_layer;
	bool waited_for;     /* the parent counts it in ->copies_open */
	struct origin *next; /* in the free list */
};

/* Packets whose headers were seen lately. */
#define LINEAGE_SIGNATURES 65536
/* Fragments that wait for the rest of their datagram. */
#define LINEAGE_FRAGMENTS 256

struct signature {
	u64 hash; /* 0: empty */
	u64 ts_ns;
	u64 number;
	u64 skb;
};

struct waiting_fragment {
	struct path *path;
	u32 generation;
};

/* Packets that GSO cut up lately, where births of the segments are not recorded. */
#define LINEAGE_SEGMENTED 16
#define LINEAGE_SEGMENTED_NS (20 * NSEC_PER_MSEC)

struct segmented {
	struct path *path;
	u64 ts_ns;
	u32 generation;
	u16 cpu;
};

struct lineage {
	struct addrmap map; /* -> struct origin */
	struct origin *free;
	void *slabs; /* linked through their first word */
	u64 forgotten;
	struct signature *signature; /* LINEAGE_SIGNATURES of them, by hash */
	struct waiting_fragment fragment[LINEAGE_FRAGMENTS]; /* a ring */
	u32 nr_fragments;
	struct segmented segmented[LINEAGE_SEGMENTED]; /* a ring */
	u32 nr_segmented;
};

int lineage_init(struct lineage *l);
void lineage_free(struct lineage *l);

#endif
