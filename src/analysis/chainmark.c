// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chains put to events.
 *
 * A stack trace comes right behind the event that it is of, on the same CPU. Between the two only an interrupt can
 * come, whose records say that they are of one.
 */
#include "analysis/chainmark.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#define CPUS 1024 /* that can wait for a stack trace at a time; two that fall together lose one */

/* An event whose stack trace may come next. */
struct awaited {
	u64 skb; /* 0: none */
	s32 pid;
	u16 cpu;
	u8 layer;
};

struct chainmark {
	struct graph_formats graph;
	struct stack_format stack;
	struct chains *chains;
	struct awaited awaited[CPUS]; /* by CPU */
};

int chainmark_new(struct chainmark **out, bool big_endian, u8 long_size, struct error *err)
{
	struct chainmark *m = calloc(1, sizeof(*m));
	int ret;

	*out = m;
	if (!m)
		return error_errno(err, ENOMEM, "cannot prepare for chains of calls");
	graph_formats_init(&m->graph, big_endian, long_size);
	stack_format_init(&m->stack, big_endian, long_size);
	ret = chains_new(&m->chains, err);
	return ret;
}

void chainmark_free(struct chainmark *m)
{
	if (m)
		chains_free(m->chains);
	free(m);
}

void chainmark_format(struct chainmark *m, const char *text, size_t len)
{
	graph_formats_add(&m->graph, GRAPH_SYSTEM, text, len);
	stack_format_add(&m->stack, GRAPH_SYSTEM, text, len);
}

/* Whether it is on its way out, before it has a device or then. */
static bool sends(const struct event *ev)
{
	return ev->kind == EVENT_QUEUE || ev->kind == EVENT_START_XMIT ||
	       (ev->kind == EVENT_LAYER && ev->layer == LAYER_IP_OUT) ||
	       (ev->kind == EVENT_HOOK && ev->has & EVENT_HAS_FACTS &&
		ev->facts->hook == NF_INET_LOCAL_OUT);
}

static bool has_device(u8 kind)
{
	return kind == EVENT_QUEUE || kind == EVENT_START_XMIT;
}

void chainmark_event(struct chainmark *m, struct event *ev)
{
	if (!sends(ev) || (ev->context & (EVENT_CONTEXT_KNOWN | EVENT_IN_HARDIRQ |
					  EVENT_IN_SOFTIRQ)) != EVENT_CONTEXT_KNOWN)
		return;
	m->awaited[ev->cpu % CPUS] =
		(struct awaited){ ev->skb, ev->pid, ev->cpu,
				  has_device(ev->kind) ? LAYER_NONE : LAYER_IP_OUT };
	ev->chain = chains_at(m->chains, ev->pid);
	if (ev->chain)
		ev->context |= EVENT_HAS_CHAIN;
}

static enum ahead_found take_stack(struct chainmark *m, const struct record *rec,
				   const struct stack_record *stack, struct event *ev)
{
	struct awaited *of = &m->awaited[rec->cpu % CPUS];

	if (stack->context || !of->skb || of->cpu != rec->cpu || of->pid != stack->pid)
		return AHEAD_OF_INTEREST;
	memset(ev, 0, sizeof(*ev));
	ev->kind = EVENT_STACK;
	ev->ts_ns = rec->ts_ns;
	ev->cpu = rec->cpu;
	ev->skb = of->skb;
	ev->pid = of->pid;
	ev->layer = of->layer;
	ev->chain = chains_stack(m->chains, stack);
	of->skb = 0;
	return ev->chain ? AHEAD_EVENT : AHEAD_OF_INTEREST;
}

enum ahead_found chainmark_record(struct chainmark *m, const struct record *rec, struct event *ev)
{
	struct graph_record graph;
	struct stack_record stack;

	if (graph_decode(&m->graph, rec->id, rec->data, rec->len_bytes, &graph)) {
		chains_record(m->chains, &graph);
		return AHEAD_OF_INTEREST;
	}
	if (stack_decode(&m->stack, rec->id, rec->data, rec->len_bytes, &stack))
		return take_stack(m, rec, &stack, ev);
	return AHEAD_NOTHING;
}

void chainmark_lost(struct chainmark *m)
{
	chains_lost(m->chains);
	memset(m->awaited, 0, sizeof(m->awaited));
}

const struct chains *chainmark_chains(const struct chainmark *m)
{
	return m->chains;
}
