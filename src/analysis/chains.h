/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which functions a task is in at some moment: the chain of calls that led there.
 *
 * In:  stack traces; or records of function_graph, in time order.
 * Out: numbers of chains. The same chain has the same number, so a packet needs one word for it.
 *
 * Only what a task itself calls: interrupts on top of it are passed over. It is no tree and keeps nothing of
 * what has returned; for that see callgraph.h. O(1) per record; all memory is taken at the start, so that a
 * chain may be looked at by another thread than the one that feeds records, once it knows the number.
 */
#ifndef SKBTRAIL_ANALYSIS_CHAINS_H
#define SKBTRAIL_ANALYSIS_CHAINS_H

#include "base/error.h"
#include "decode/graphrec.h"
#include "decode/stackrec.h"

#define CHAIN_FUNCS 32	/* the outermost; the rest is not kept */
#define CHAINS_MAX 4096 /* different ones; later ones are not told */
#define CHAINS_TASKS \
	1024 /* seen at a time; a task that comes too late takes the place of another */

struct chain {
	u32 nr;
	bool stack; /* of a stack trace: addresses are of what is executed next, not of functions' entries */
	u64 func[CHAIN_FUNCS]; /* addresses, outermost first */
};

struct chains;

/** chains_new - Return: 0 or -ENOMEM */
int chains_new(struct chains **out, struct error *err);
void chains_free(struct chains *c);

/** chains_record - an entry or an exit */
void chains_record(struct chains *c, const struct graph_record *rec);

/** chains_lost - records are missing: all stacks are forgotten */
void chains_lost(struct chains *c);

/** chains_at - the chain that a task is in now; Return: its number, 0 when it is in none */
u32 chains_at(struct chains *c, s32 pid);

/** chains_stack - the chain of a stack trace; Return: its number, 0 when it is empty */
u32 chains_stack(struct chains *c, const struct stack_record *rec);

/** chains_get - a chain by its number, as long as @c lives; NULL for 0 */
const struct chain *chains_get(const struct chains *c, u32 number);

#endif
