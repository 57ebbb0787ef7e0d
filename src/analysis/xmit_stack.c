// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stacks behind xmit_stack.h. An entry whose path's memory serves another packet by now is
 * recognised by its generation.
 */
#include "analysis/xmit_stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void xmit_stacks_free(struct xmit_stacks *s)
{
	u32 i;

	for (i = 0; i < s->nr; i++)
		free(s->cpu[i]);
	free(s->cpu);
	memset(s, 0, sizeof(*s));
}

static struct xmit_stack *stack_of(struct xmit_stacks *s, u16 cpu)
{
	struct xmit_stack **all;
	u32 nr = cpu + 1u;

	if (cpu >= s->nr) {
		all = realloc(s->cpu, nr * sizeof(*all));
		if (!all)
			return NULL;
		memset(all + s->nr, 0, (nr - s->nr) * sizeof(*all));
		s->cpu = all;
		s->nr = nr;
	}
	if (!s->cpu[cpu])
		s->cpu[cpu] = calloc(1, sizeof(*s->cpu[cpu]));
	return s->cpu[cpu];
}

static void let_go(struct open_xmit *call)
{
	if (call->path->generation == call->generation && call->path->open_xmits)
		call->path->open_xmits--;
}

int xmit_push(struct xmit_stacks *s, u16 cpu, struct path *path, u16 dev)
{
	struct xmit_stack *stack = stack_of(s, cpu);

	if (!stack)
		return -ENOMEM;
	if (stack->depth == XMIT_DEPTH) {
		/* Returns were not recorded: the oldest calls are over. */
		let_go(&stack->call[0]);
		memmove(stack->call, stack->call + 1, sizeof(stack->call) - sizeof(stack->call[0]));
		stack->depth--;
	}
	stack->call[stack->depth++] = (struct open_xmit){ path, path->skb, path->generation, dev };
	path->open_xmits++;
	return 0;
}

bool xmit_pop(struct xmit_stacks *s, u16 cpu, u64 skb, u16 dev, struct path **path)
{
	struct xmit_stack *stack = cpu < s->nr ? s->cpu[cpu] : NULL;
	struct open_xmit *call;
	u32 at;

	*path = NULL;
	if (!stack)
		return false;
	for (at = stack->depth; at > 0; at--)
		if (stack->call[at - 1].skb == skb && stack->call[at - 1].dev == dev)
			break;
	if (!at)
		return false;
	/* Calls above it must have returned without a record. */
	while (stack->depth >= at)
		let_go(&stack->call[--stack->depth]);
	call = &stack->call[at - 1];
	if (call->path->generation == call->generation)
		*path = call->path;
	return true;
}

void xmit_forget(struct xmit_stacks *s, u16 cpu)
{
	struct xmit_stack *stack = cpu < s->nr ? s->cpu[cpu] : NULL;

	while (stack && stack->depth)
		let_go(&stack->call[--stack->depth]);
}
