// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stacks of open calls; see calls.h.
 */
#include "analysis/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/path.h"

/* Softirq, hard interrupt. */
#define LEVELS 2

int calls_init(struct calls *c)
{
	c->irq = calloc((size_t)CALLS_CPUS * LEVELS, sizeof(*c->irq));
	c->task = calloc(CALLS_TASKS, sizeof(*c->task));
	if (c->irq && c->task)
		return 0;
	calls_free(c);
	return -ENOMEM;
}

void calls_free(struct calls *c)
{
	u32 i;

	for (i = 0; c->irq && i < CALLS_CPUS * LEVELS; i++)
		free(c->irq[i]);
	for (i = 0; c->task && i < CALLS_TASKS; i++)
		free(c->task[i]);
	free(c->irq);
	free(c->task);
	memset(c, 0, sizeof(*c));
}

/* The place of an event's context's stack, which may be empty or another task's. */
static struct call_stack **place(const struct calls *c, const struct event *ev, u64 *key)
{
	u32 level = ev->context & EVENT_IN_HARDIRQ ? 1 : 0;

	if (ev->context & (EVENT_IN_HARDIRQ | EVENT_IN_SOFTIRQ)) {
		*key = (u64)ev->cpu * LEVELS + level;
		return ev->cpu < CALLS_CPUS ? &c->irq[*key] : NULL;
	}
	/* The idle tasks of all CPUs have pid 0. */
	*key = ev->pid ? (u64)(u32)ev->pid << 16 : (u64)1 << 48 | ev->cpu;
	return &c->task[(*key >> 16 ^ *key) % CALLS_TASKS];
}

static struct call_stack *find(const struct calls *c, const struct event *ev)
{
	struct call_stack **at;
	u64 key;

	at = place(c, ev, &key);
	return at && *at && (*at)->key == key ? *at : NULL;
}

void calls_push(struct calls *c, const struct event *ev, const struct call *call)
{
	struct call_stack **at, *stack;
	u64 key;

	at = place(c, ev, &key);
	if (!at)
		return;
	if (!*at)
		*at = calloc(1, sizeof(**at));
	stack = *at;
	if (!stack)
		return;
	if (stack->key != key) {
		stack->key = key;
		stack->depth = 0;
	}
	if (stack->depth == CALLS_DEPTH) {
		memmove(stack->call, stack->call + 1, sizeof(stack->call) - sizeof(stack->call[0]));
		stack->depth--;
	}
	stack->call[stack->depth++] = *call;
}

bool calls_pop(struct calls *c, const struct event *ev, struct call *call)
{
	struct call_stack *stack = find(c, ev);
	u32 at;

	if (!stack)
		return false;
	for (at = stack->depth; at > 0; at--)
		if (stack->call[at - 1].layer == ev->layer)
			break;
	if (!at)
		return false;
	*call = stack->call[at - 1];
	stack->depth = at - 1;
	return true;
}

const struct call *calls_inside(const struct calls *c, const struct event *ev,
				bool (*wanted)(u16 layer))
{
	const struct call_stack *stack = find(c, ev);
	u32 at;

	for (at = stack ? stack->depth : 0; at > 0; at--)
		if (wanted(stack->call[at - 1].layer))
			return &stack->call[at - 1];
	return NULL;
}

/* Of calls that copy an skb the return is told. */
static bool has_ended(const struct call *call)
{
	if (call->layer == LAYER_CLONE || call->layer == LAYER_COPY || call->layer == LAYER_SEGMENT)
		return false;
	return !call->path || call->path->generation != call->generation || !call->path->mapped;
}

void calls_drop_ended(struct calls *c, const struct event *ev)
{
	struct call_stack *stack = find(c, ev);

	while (stack && stack->depth && has_ended(&stack->call[stack->depth - 1]))
		stack->depth--;
}

void calls_forget(struct calls *c)
{
	u32 i;

	for (i = 0; i < CALLS_CPUS * LEVELS; i++)
		if (c->irq[i])
			c->irq[i]->depth = 0;
	for (i = 0; i < CALLS_TASKS; i++)
		if (c->task[i])
			c->task[i]->depth = 0;
}
