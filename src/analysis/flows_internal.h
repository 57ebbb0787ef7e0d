/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of the flows: sockets, who used them, groups. For flows*.c only.
 *
 * Everything is in pools of fixed chunks and named by its place, from 1; 0 is none. Hash tables have a bucket for
 * each thing that there may be, so nothing ever has to be rehashed.
 */
#ifndef SKBTRAIL_ANALYSIS_FLOWS_INTERNAL_H
#define SKBTRAIL_ANALYSIS_FLOWS_INTERNAL_H

#include "analysis/flows.h"

#define POOL_CHUNK 4096U

struct flow_pool {
	u8 **chunk;
	u32 nr_chunks, max; /* of things */
	u32 used;	    /* highest place ever given */
	u32 free;	    /* chain of those given back, through their first word */
	u32 live;
	u32 size;
};

int flow_pool_init(struct flow_pool *p, size_t size, u32 max);
void flow_pool_free(struct flow_pool *p);
/** flow_pool_get - a zeroed thing; 0: the most that there may be are there; *@memory is cleared when it ran out */
u32 flow_pool_get(struct flow_pool *p, bool *memory);
void flow_pool_put(struct flow_pool *p, u32 place);

static inline void *flow_pool_at(const struct flow_pool *p, u32 place)
{
	return p->chunk[(place - 1) / POOL_CHUNK] + (size_t)((place - 1) % POOL_CHUNK) * p->size;
}

/* Chains by hash; the links are in the things. */
struct flow_chains {
	u32 *bucket;
	u32 mask;
};

int flow_chains_init(struct flow_chains *c, u32 max);

/* Doubly linked; the links are in the things. */
struct list_ends {
	u32 first, last;
};

struct list_link {
	u32 before, after;
};

struct flow_node {
	struct flow f;
	u32 by_sk, by_cookie, by_addrs; /* next in the chain of each */
	u32 first_use;
	u32 group;     /* 0: not looked up yet */
	u32 inventory; /* number of the last one that it was in */
	struct list_link
		age; /* of the open, least lately used first; of those that are over, likewise */
	struct list_link active; /* of those with something in this interval */
	bool in_addrs, in_active;
	bool unwanted;
};

/* A process' part of a socket's bytes. */
struct flow_use {
	u32 flow;
	s32 pid;
	u32 next; /* of this socket */
	u32 by_key;
	u32 group;
	u32 interval;
	char comm[16];
	struct flow_sums sum, recent;
};

struct flow_group {
	struct flow_row row; /* the key, and sums */
	u32 by_key;
	u32 interval;
};

struct flows {
	struct flows_options o;
	struct flow_pool nodes, uses, groups;
	struct flow_chains by_sk, by_cookie, by_addrs, by_use, by_group;
	struct list_ends open, over, active;
	u32 interval; /* from 1 */
	u32 inventory;
	u32 no_group;	 /* the group of what has no room */
	u64 interval_ns; /* time of the last event before this interval began */
	u64 now_ns;
	u64 last_number;
	bool memory;
	struct flows_stats stats;
};

static inline u64 flows_mix(u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

static inline struct flow_node *flows_node(const struct flows *fl, u32 place)
{
	return flow_pool_at(&fl->nodes, place);
}

static inline bool same_addrs(const struct sock_addrs *a, const struct sock_addrs *b)
{
	return a->lport == b->lport && a->rport == b->rport && a->proto == b->proto &&
	       a->family == b->family && !memcmp(a->local, b->local, sizeof(a->local)) &&
	       !memcmp(a->remote, b->remote, sizeof(a->remote));
}

static inline void sums_add(struct flow_sums *to, const struct flow_sums *from)
{
	to->rx_bytes += from->rx_bytes;
	to->tx_bytes += from->tx_bytes;
	to->rx_calls += from->rx_calls;
	to->tx_calls += from->tx_calls;
	to->retransmits += from->retransmits;
}

/* flows_rows.c: add to what belongs to the socket @place besides itself. @ev: who did it */
void flows_account(struct flows *fl, u32 place, const struct sock_event *ev,
		   const struct flow_sums *delta);
/* flows_rows.c: find or make the use of a process; 0 when there is no room */
u32 flows_use(struct flows *fl, u32 place, s32 pid, const char *comm);
/* flows_rows.c: the process that an inventory told of; false when there is none */
bool flows_first_owner(const struct flows *fl, u32 place, s32 *pid, char *comm);
/* flows_rows.c: forget all uses of a socket */
void flows_forget_uses(struct flows *fl, u32 place);
/* flows_rows.c: add what @other has had, and who had it, to what @place has, which was touched in this interval */
void flows_take_over(struct flows *fl, u32 place, u32 other);

/* ---- flows_store.c */

/** flows_new_node - a socket of which nothing is known; makes room when there is none; 0: out of memory */
u32 flows_new_node(struct flows *fl, u64 now_ns);
/** flows_touch - something is told of it in this interval */
void flows_touch(struct flows *fl, u32 place, u64 now_ns);
/** flows_end_flow - no event of that address is of this socket any more. @flags: FLOW_* besides FLOW_OVER */
void flows_end_flow(struct flows *fl, u32 place, u64 now_ns, u16 flags);
void flows_link_sk(struct flows *fl, u32 place, u64 sk);
void flows_link_cookie(struct flows *fl, u32 place, u64 cookie);
void flows_set_addrs(struct flows *fl, u32 place, const struct sock_addrs *addrs);
u32 flows_find_sk(const struct flows *fl, u64 sk);
/** flows_find_cookie - the socket with this cookie that is not over */
u32 flows_find_cookie(const struct flows *fl, u64 cookie);
enum flows_which {
	FLOWS_LISTED,	/* sockets whose address is not known yet */
	FLOWS_UNLISTED, /* those that have an address but no cookie */
	FLOWS_ALL,
};

/** flows_find_addrs - the one socket with these addresses that can be meant; 0: none, or several */
u32 flows_find_addrs(struct flows *fl, const struct sock_addrs *addrs, u32 netns,
		     enum flows_which which);
/** flows_find_packets - the one socket that packets between these addresses are of; 0: none, or several */
u32 flows_find_packets(struct flows *fl, const struct sock_addrs *addrs, u32 netns);
/* forget a socket, which makes room */
void flows_forget(struct flows *fl, u32 place);
/* forget one that is not @spare; false when there is none */
bool flows_evict(struct flows *fl, u32 spare);

#endif
