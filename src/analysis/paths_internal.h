/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by paths.c and lineage.c only: the state of following packets.
 */
#ifndef SKBTRAIL_ANALYSIS_PATHS_INTERNAL_H
#define SKBTRAIL_ANALYSIS_PATHS_INTERNAL_H

#include "analysis/addrmap.h"
#include "analysis/calls.h"
#include "analysis/lineage.h"
#include "analysis/loss.h"
#include "analysis/paths.h"
#include "analysis/paths_pool.h"
#include "analysis/rawcopy.h"
#include "analysis/xmit_stack.h"
#include "decode/devnames.h"

enum list {
	LIST_MOVING, /* on its way */
	LIST_COPIED, /* a process has read it; a free may follow */
	LIST_LATE,   /* ended, but a driver has still to return */
	LIST_PARTS,  /* became part of another, which may tell of itself only later */
	LIST_SPLIT,  /* became others, which may tell of themselves only later */
	LIST_RAW,    /* ended at ICMP; a raw socket's reader may follow */
	LIST_SOCKET, /* ended at ICMP; clones that were made for sockets are not read yet */
	LISTS,
};

/* CPUs that share a place only make an answer go unnoticed. */
#define BIRTHS 256

struct birth {
	u64 ts_ns;
	u16 cpu;
};

/* Headers that a probe saw just before an event of the same skb on the same CPU. */
struct pending_headers {
	u64 skb;
	u64 ts_ns;
	struct skb_facts facts;
};

#define PENDING_CPUS 64

struct paths {
	struct paths_options options;
	struct addrmap ids; /* -> struct path */
	struct paths_pool pool;
	struct xmit_stacks xmits;
	struct raw_copies copies;
	struct calls calls;
	struct lineage lineage;
	struct loss_log *loss;
	struct birth birth[BIRTHS];	 /* by CPU: when a packet was first seen on it last */
	struct path list[LISTS];	 /* heads of rings */
	struct pending_headers *pending; /* PENDING_CPUS of them, with probes only */
	u64 wait_ns[LISTS];
	u32 live;
	bool exact; /* births are recorded */
	u32 losses; /* how often records were lost */
	u64 next_check_ns;
	struct paths_stats stats;
	u8 name_shared[DEVNAMES_MAX + 1]; /* by device: 1 no, 2 yes, 0 not asked yet */
};

/* paths.c */
void path_finish(struct paths *p, struct path *path);
void path_move(struct paths *p, struct path *path, enum list list);
void path_unmap(struct paths *p, struct path *path);
void path_reborn(struct paths *p, u64 skb);

/* lineage.c */

/** lineage_event - births, clones, calls and what else tells where skbs come from */
void lineage_event(struct paths *p, const struct event *ev);

/** lineage_adopt - a packet is seen for the first time: what its skb's birth says of it */
void lineage_adopt(struct paths *p, struct path *path, const struct event *ev);

/** lineage_check - the packet's headers are known now: link it to its parent if they fit */
void lineage_check(struct paths *p, struct path *path);

/** lineage_sign - note its headers; and whether another skb had the same a moment ago */
void lineage_sign(struct paths *p, struct path *path, u64 ts_ns);

/** lineage_not_merged - GRO refused it: what was said of a merge a moment ago is not so */
void lineage_not_merged(struct paths *p, struct path *path);

/** lineage_await_fragments - the packet is with reassembly, which keeps it until the rest is there */
void lineage_await_fragments(struct paths *p, struct path *path);

/** lineage_reassembled - the packet left reassembly: the others are part of it */
void lineage_reassembled(struct paths *p, struct path *path);

/** lineage_read - a process read an skb that is no packet of its own: a clone for a socket perhaps */
void lineage_read(struct paths *p, const struct event *ev);

/** lineage_is_for_socket - whether an event is about a clone on its way into a socket's queue */
bool lineage_is_for_socket(const struct paths *p, const struct event *ev);

/**
 * lineage_inherit - a packet's skb is let go: is a clone of it to go on in its place
 *
 * Where there is no room for more headers the kernel copies an skb and frees the old one
 * (skb_realloc_headroom(), skb_expand_head()). Return: whether the packet goes on, at another address.
 */
bool lineage_inherit(struct paths *p, struct path *path);

/** lineage_gone - an skb died; Return: whether its origin was known */
void lineage_gone(struct paths *p, u64 skb);

/** table_verdict - NF_* of what ipt_do_table() or nft_do_chain() returned */
s32 table_verdict(s32 ret);

/** lineage_filter - the hop of the netfilter hook that is open for this packet; -1: none */
s32 lineage_filter(const struct paths *p, const struct path *path, const struct event *ev);

#endif
