// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stacks of tasks, and the chains that were asked for.
 *
 * A frame ends with its exit, with one of a frame below it, or when an entry comes that is no deeper: its
 * own exit was lost then, or is of another call.
 */
#include "analysis/chains.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 64
#define BUCKETS (2 * CHAINS_MAX)

_Static_assert(STACK_FUNCS <= CHAIN_FUNCS, "a stack trace fits");

struct frame {
	u64 func;
	u32 depth;
};

struct task {
	s32 pid;
	u32 nr;
	struct frame frame[FRAMES]; /* depth rises strictly */
};

struct chains {
	struct task task[CHAINS_TASKS];	    /* by pid */
	struct chain chain[CHAINS_MAX + 1]; /* [0] is none */
	u32 nr;
	u16 bucket[BUCKETS]; /* numbers of chains; 0: free */
};

int chains_new(struct chains **out, struct error *err)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : error_errno(err, ENOMEM, "cannot prepare for chains of calls");
}

void chains_free(struct chains *c)
{
	free(c);
}

void chains_record(struct chains *c, const struct graph_record *rec)
{
	struct task *t = &c->task[(u32)rec->pid % CHAINS_TASKS];
	u32 at;

	if (rec->context || rec->pid <= 0)
		return;
	if (t->pid != rec->pid) {
		t->pid = rec->pid;
		t->nr = 0;
	}
	if (rec->kind == GRAPH_EXIT) {
		for (at = t->nr; at > 0 && t->frame[at - 1].depth > rec->depth; at--)
			;
		if (at && t->frame[at - 1].depth == rec->depth &&
		    t->frame[at - 1].func == rec->func)
			t->nr = at - 1;
		return;
	}
	while (t->nr && t->frame[t->nr - 1].depth >= rec->depth)
		t->nr--;
	if (t->nr < FRAMES)
		t->frame[t->nr++] = (struct frame){ rec->func, rec->depth };
}

void chains_lost(struct chains *c)
{
	u32 i;

	for (i = 0; i < CHAINS_TASKS; i++)
		c->task[i].nr = 0;
}

static bool is_chain(const struct chain *chain, const struct chain *other)
{
	return chain->nr == other->nr && chain->stack == other->stack &&
	       !memcmp(chain->func, other->func, other->nr * sizeof(*other->func));
}

/* The number of an equal chain; @chain becomes a new one if there is none. */
static u32 number_of(struct chains *c, const struct chain *chain)
{
	u64 hash = chain->nr;
	u32 i;

	for (i = 0; i < chain->nr; i++)
		hash = (hash ^ chain->func[i]) * 0x9e3779b97f4a7c15ULL;
	for (i = (u32)(hash >> 32) % BUCKETS; c->bucket[i]; i = (i + 1) % BUCKETS)
		if (is_chain(&c->chain[c->bucket[i]], chain))
			return c->bucket[i];
	if (c->nr == CHAINS_MAX)
		return 0;
	c->bucket[i] = (u16)++c->nr;
	c->chain[c->nr] = *chain;
	return c->nr;
}

u32 chains_at(struct chains *c, s32 pid)
{
	const struct task *t = &c->task[(u32)pid % CHAINS_TASKS];
	struct chain chain = { .nr = t->nr < CHAIN_FUNCS ? t->nr : CHAIN_FUNCS };
	u32 i;

	if (pid <= 0 || t->pid != pid || !t->nr)
		return 0;
	for (i = 0; i < chain.nr; i++)
		chain.func[i] = t->frame[i].func;
	return number_of(c, &chain);
}

u32 chains_stack(struct chains *c, const struct stack_record *rec)
{
	struct chain chain = { .nr = rec->nr, .stack = true };

	if (!rec->nr)
		return 0;
	memcpy(chain.func, rec->func, rec->nr * sizeof(*rec->func));
	return number_of(c, &chain);
}

const struct chain *chains_get(const struct chains *c, u32 number)
{
	return c && number && number <= CHAINS_MAX && c->chain[number].nr ? &c->chain[number] :
									    NULL;
}
