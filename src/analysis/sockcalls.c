// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls under way, a stack for each task: see sockcalls.h.
 *
 * The idle tasks all have the same number, so there a task is a CPU.
 */
#include "analysis/sockcalls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPEN 262144U
#define MAX_DEPTH 8

/* Stacks are chains through ->below; the topmost of each is in the chain of its bucket. */
struct open_call {
	struct sock_event ev; /* of the entry */
	u64 task;
	u32 below;     /* entered before, by the same task */
	u32 in_bucket; /* or, of a free one, the next free one */
	u32 epoch;
};

struct sockcalls {
	struct open_call *call; /* by place, from 1 */
	u32 max, used, free;
	u32 *bucket, mask;
	u32 epoch; /* changes with each loss */
	struct sockcalls_stats stats;
};

int sockcalls_new(struct sockcalls **out, u32 max, struct error *err)
{
	struct sockcalls *c = calloc(1, sizeof(*c));
	u32 buckets = 1;

	*out = c;
	if (!c)
		return error_errno(err, ENOMEM, "cannot pair calls");
	c->max = max ? max : MAX_OPEN;
	while (buckets < c->max)
		buckets *= 2;
	c->mask = buckets - 1;
	/* pages of what is never used are never touched */
	c->call = calloc((size_t)c->max + 1, sizeof(*c->call));
	c->bucket = calloc(buckets, sizeof(*c->bucket));
	if (c->call && c->bucket)
		return 0;
	sockcalls_free(c);
	*out = NULL;
	return error_errno(err, ENOMEM, "cannot pair calls");
}

void sockcalls_free(struct sockcalls *c)
{
	if (!c)
		return;
	free(c->call);
	free(c->bucket);
	free(c);
}

static u64 task_of(const struct sock_event *ev)
{
	return ev->tid ? (u32)ev->tid : 1ULL << 32 | ev->cpu;
}

static u32 *bucket_of(struct sockcalls *c, u64 task)
{
	return &c->bucket[(task * 0x9e3779b97f4a7c15ULL >> 32) & c->mask];
}

/* What names the topmost call of a task; names 0 when there is none. */
static u32 *find_top(struct sockcalls *c, u64 task)
{
	u32 *link = bucket_of(c, task);

	while (*link && c->call[*link].task != task)
		link = &c->call[*link].in_bucket;
	return link;
}

static u32 get_call(struct sockcalls *c)
{
	u32 at = c->free;

	if (at)
		c->free = c->call[at].in_bucket;
	else if (c->used < c->max)
		at = ++c->used;
	if (at)
		c->stats.open++;
	return at;
}

static void put_call(struct sockcalls *c, u32 at)
{
	c->call[at].in_bucket = c->free;
	c->free = at;
	c->stats.open--;
}

/* Take the topmost call off a stack. */
static void pop(struct sockcalls *c, u32 *top)
{
	struct open_call *call = &c->call[*top];
	u32 gone = *top;

	if (call->below) {
		c->call[call->below].in_bucket = call->in_bucket;
		*top = call->below;
	} else {
		*top = call->in_bucket;
	}
	put_call(c, gone);
}

/* Whether @outer may have called @inner for the same socket. */
static bool may_hold(const struct sock_event *outer, const struct sock_event *inner)
{
	return outer->receives == inner->receives &&
	       sock_calls[outer->call].layer < sock_calls[inner->call].layer;
}

/* Take a call out of a stack, wherever it is. @above: the one entered next; 0: it is the topmost */
static void take_out(struct sockcalls *c, u32 *top, u32 above, u32 at)
{
	if (!above) {
		pop(c, top);
	} else {
		c->call[above].below = c->call[at].below;
		put_call(c, at);
	}
	c->stats.no_return++;
}

/*
 * Calls of the same socket that this one cannot have been entered within have returned without being seen. So has
 * the oldest, likely, where more are within each other than any kernel has.
 */
static void drop_stale(struct sockcalls *c, u64 task, const struct sock_event *ev)
{
	u32 *top = find_top(c, task), at, below, above = 0, depth = 0;

	for (at = *top; at; at = below) {
		below = c->call[at].below;
		depth++;
		if ((c->call[at].ev.sk == ev->sk && !may_hold(&c->call[at].ev, ev)) ||
		    (depth >= MAX_DEPTH && !below))
			take_out(c, top, above, at);
		else
			above = at;
	}
}

static enum sockcalls_verdict enter(struct sockcalls *c, const struct sock_event *ev)
{
	u64 task = task_of(ev);
	struct open_call *call;
	u32 *top, at, below;

	drop_stale(c, task, ev);
	top = find_top(c, task);
	at = get_call(c);
	if (!at) {
		c->stats.refused++;
		/* its return must not be taken for that of the call below */
		if (*top)
			c->call[*top].epoch = c->epoch - 1;
		return SOCKCALLS_HELD;
	}
	call = &c->call[at];
	below = *top;
	call->ev = *ev;
	call->task = task;
	call->below = below;
	call->epoch = c->epoch;
	call->in_bucket = below ? c->call[below].in_bucket : 0;
	*top = at;
	return SOCKCALLS_HELD;
}

/* Whether a call for the same socket, the same way, is still under way below. */
static bool is_within(struct sockcalls *c, u32 top, const struct sock_event *ev)
{
	u32 at;

	for (at = top; at; at = c->call[at].below)
		if (c->call[at].ev.sk == ev->sk && c->call[at].ev.receives == ev->receives)
			return true;
	return false;
}

/* Take off what was entered later and did not return. Return: false when the call is not on the stack */
static bool pop_to(struct sockcalls *c, u32 *top, u8 which)
{
	u32 at;

	for (at = *top; at && c->call[at].ev.call != which; at = c->call[at].below)
		;
	if (!at)
		return false;
	while (*top != at) {
		pop(c, top);
		c->stats.no_return++;
	}
	return true;
}

static enum sockcalls_verdict leave(struct sockcalls *c, struct sock_event *ev)
{
	u32 *top = find_top(c, task_of(ev));
	const struct sock_event back = *ev;
	bool sure;
	u64 bytes = back.ret > 0 ? (u64)back.ret : 0;

	if (!pop_to(c, top, back.call)) {
		c->stats.no_entry++;
		c->stats.no_entry_bytes += bytes;
		return SOCKCALLS_HELD;
	}
	sure = c->call[*top].epoch == c->epoch;
	*ev = c->call[*top].ev;
	ev->kind = SOCK_EVENT_BYTES;
	ev->ts_ns = back.ts_ns;
	ev->cpu = back.cpu;
	ev->ret = back.ret;
	pop(c, top);
	if (ev->foreign)
		return SOCKCALLS_HELD;
	if (!sure) {
		c->stats.unsure++;
		c->stats.unsure_bytes += bytes;
		return SOCKCALLS_UNSURE;
	}
	c->stats.calls++;
	if (is_within(c, *top, ev)) {
		c->stats.nested++;
		return SOCKCALLS_HELD;
	}
	return SOCKCALLS_PASS;
}

enum sockcalls_verdict sockcalls_take(struct sockcalls *c, struct sock_event *ev)
{
	switch (ev->kind) {
	case SOCK_EVENT_ENTER:
		return enter(c, ev);
	case SOCK_EVENT_RETURN:
		return leave(c, ev);
	case SOCK_EVENT_BYTES:
		/*
		 * A tracepoint within a call that will tell the same: udp_sendpage() of 6.3 and 6.4. None is within
		 * splice_read().
		 */
		if (ev->receives || !is_within(c, *find_top(c, task_of(ev)), ev))
			return SOCKCALLS_PASS;
		c->stats.nested++;
		return SOCKCALLS_HELD;
	default:
		return SOCKCALLS_PASS;
	}
}

bool sockcalls_is_within(struct sockcalls *c, s32 tid)
{
	return tid > 0 && *find_top(c, (u32)tid) != 0;
}

void sockcalls_lost(struct sockcalls *c)
{
	c->epoch++;
}

void sockcalls_stats(const struct sockcalls *c, struct sockcalls_stats *stats)
{
	*stats = c->stats;
}
