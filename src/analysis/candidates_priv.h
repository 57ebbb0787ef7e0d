/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the halves of candidates share: counting (candidates.c), protocols of calls (candidates_group.c), and
 * ordering (candidates_rank.c).
 */
#ifndef SKBTRAIL_ANALYSIS_CANDIDATES_PRIV_H
#define SKBTRAIL_ANALYSIS_CANDIDATES_PRIV_H

#include "analysis/candidates.h"

#define POINTER_ARGS 6 /* of a node that are held against known sockets */

/* One table that a function is in. */
struct fn_slot {
	const struct optable *table; /* NULL: ->text says it */
	const char *slot;	     /* "sendmsg" */
	u8 operation;		     /* that it is called as; OPERATION_NONE */
};

struct fn {
	u64 addr;
	char *name; /* NULL: has none, no candidate */
	struct prototype proto;
	struct fn_slot slots[CANDIDATES_SLOTS];
	char *foreign; /* "proto.sendmsg" of other kernels; NULL: none, or tables are known */
	char *texts[CANDIDATES_SLOTS]; /* "tcp_prot.sendmsg", made when it is ranked */
	u32 nr_slots;		       /* all of them, may be more than CANDIDATES_SLOTS */
	u8 slot_operation;	       /* OPERATION_*; NONE: it is in no such slot */
	bool socket_slot;	       /* in a slot of a table of sockets */
	/* pointer identity: calls in which argument i was a known socket, and calls at all */
	u32 pointer_hits[POINTER_ARGS], pointer_calls;
	u64 pointer_first[POINTER_ARGS]; /* the first such socket */
	bool pointer_two[POINTER_ARGS];	 /* there was another one */
};

/* A function in a group. */
struct fn_stat {
	u32 calls, once, most;
	u32 in_call; /* times in the call that ->last names */
	u64 last;    /* call number */
	u64 below, depth, hits;
	u32 by_syscall[CANDIDATES_SYSCALLS];
};

struct group {
	struct candidate_group out;
	struct fn_stat *stat; /* by index of function */
	u32 nr_stat;
	u64 nodes;	/* of all its calls */
	u32 slot_depth; /* tenths, of the lowest slot that every call passes */
};

struct candidates {
	struct candidates_options options;
	struct fn *fn;
	u32 nr_fn, cap_fn;
	u32 *hash; /* address to index + 1 */
	struct group group[CANDIDATES_GROUPS];
	struct candidate_group *out;
	u32 nr_groups;
	u64 call_number;
	struct candidates_stats stats;
};

/* What the functions of a call tell of its socket. */
struct call_kind {
	u8 operation; /* OPERATION_NONE: no socket's business */
	u8 family;
	bool by_names;
	char protocol[24];
};

/** candidates_fn - the function at an address; NULL when there is no room, -ENOMEM in @ret */
struct fn *candidates_fn(struct candidates *c, u64 addr, int *ret);

/** candidates_kind - what a call is about, by the functions that it passed */
int candidates_kind(struct candidates *c, const struct graph_call *call, struct call_kind *kind);

/** candidates_is_own - whether a node is the task's own work: no interrupt's */
static inline bool candidates_is_own(const struct call_node *node)
{
	return !(node->flags & (CALL_NODE_HARDIRQ | CALL_NODE_SOFTIRQ));
}

/** candidates_slot_operation - OPERATION_SEND for "sendmsg" */
u8 candidates_slot_operation(const char *slot);

#endif
