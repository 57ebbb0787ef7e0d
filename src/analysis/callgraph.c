// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stacks of all tasks, and what was called on them, until it is handed out; see callgraph.h.
 *
 * A task's nodes are always in preorder: an entry goes to the end, and the one thing that is put in between,
 * a call made from its exit alone, moves those that it called. While a tree is built, nr_below of a node
 * holds the depth that its record said.
 *
 * A frame that another entry of its depth displaced has ended, or an interrupt came between its end and its
 * exit record (before 6.11 or so depth is counted down first: kernel/trace/fgraph.c,
 * ftrace_return_to_handler()). So it waits in limbo until what called it ends.
 */
#include "analysis/callgraph_internal.h"

#include <errno.h>
#include <string.h>

/* Interrupts at the root of a task that may come before a late exit of the call that they interrupted. */
#define LATE_ROOTS 32
/* A tree is no deeper: adopted nodes move down. */
#define MAX_DEPTH 250

/* Return: NULL without memory */
static struct task *task_of(struct callgraph *g, s32 pid, u16 cpu)
{
	s64 key = pid ? pid : -1 - (s64)cpu;
	struct task *t;

	if (unlikely(cpu >= g->nr_cpus) && !callgraph_grow_cpus(g, cpu))
		return NULL;
	t = g->on_cpu[cpu];
	if (unlikely(!t || t->key != key)) {
		t = callgraph_switch(g, key, cpu);
		if (!t)
			return NULL;
	}
	if (unlikely(t->loss_seq != g->losses[t->cpu]))
		callgraph_mark_lost(t);
	t->cpu = cpu;
	t->loss_seq = g->losses[cpu];
	return t;
}

void callgraph_lost(struct callgraph *g, u16 cpu)
{
	g->stats.losses++;
	if (cpu < g->nr_cpus || callgraph_grow_cpus(g, cpu))
		g->losses[cpu]++;
}

/* --- entries */

static void to_limbo(struct callgraph *g, struct task *t, const struct frame *f)
{
	if (t->nr_limbo == CALLGRAPH_LIMBO) {
		callgraph_no_exit(g, t, &t->limbo[0]);
		memmove(t->limbo, t->limbo + 1, (CALLGRAPH_LIMBO - 1) * sizeof(*t->limbo));
		t->nr_limbo--;
	}
	t->limbo[t->nr_limbo++] = *f;
}

/* What called them has ended: their exits will not come any more. */
static void expire_limbo(struct callgraph *g, struct task *t, u32 depth)
{
	u32 i, kept = 0;

	for (i = 0; i < t->nr_limbo; i++) {
		if (t->limbo[i].depth > depth)
			callgraph_no_exit(g, t, &t->limbo[i]);
		else
			t->limbo[kept++] = t->limbo[i];
	}
	t->nr_limbo = kept;
}

/*
 * Something begins at the root of a task: whether what came before is as it will stay. A call whose entry
 * was lost may still adopt what is deeper than itself, and one that an interrupt displaced still end, until
 * another system call begins.
 */
static bool is_settled(struct callgraph *g, struct task *t, const struct graph_record *rec)
{
	if (!t->nodes.nr && !t->nr_limbo)
		return false;
	if (!rec->depth && (!t->nr_limbo || t->roots >= LATE_ROOTS))
		return true;
	return t->nodes.nr > g->options.max_nodes / 4 || callgraph_root_name(g, rec->func);
}

/* The innermost frame that has a node. */
static u32 parent_node(const struct task *t)
{
	u32 i = t->nr_frames;

	while (i-- > 0)
		if (likely(t->frame[i].node != NO_NODE))
			return t->frame[i].node;
	return NO_NODE;
}

static u32 add_args(struct callgraph *g, struct task *t, const struct graph_record *rec)
{
	u32 first = t->args.nr, i;

	for (i = 0; i < rec->nr_args; i++) {
		if (!graph_pool_grow(&g->args, &t->args, 8 * g->options.max_nodes)) {
			t->args.nr = first;
			return NO_NODE;
		}
		((u64 *)t->args.at)[t->args.nr++] = rec->args[i];
	}
	return first;
}

static u16 context_flags(const struct graph_record *rec, const struct call_node *parent)
{
	return (u16)((rec->context & GRAPH_IN_HARDIRQ ? CALL_NODE_HARDIRQ : 0) |
		     (rec->context & GRAPH_IN_SOFTIRQ ? CALL_NODE_SOFTIRQ : 0) |
		     (parent ? parent->flags & (CALL_NODE_HARDIRQ | CALL_NODE_SOFTIRQ) : 0));
}

/* Whether what is on top of the stack must have called what is entered at @depth. */
static bool is_sure(const struct task *t, u32 depth)
{
	const struct frame *top;

	if (!t->nr_frames)
		return !depth;
	top = &t->frame[t->nr_frames - 1];
	return !top->lost && depth == top->depth + 1;
}

/* Return: the new node's index; NO_NODE when there is no room */
static u32 add_node(struct callgraph *g, struct task *t, const struct graph_record *rec)
{
	u32 parent = parent_node(t), args;
	struct call_node *n;

	if (unlikely(t->nodes.nr == t->nodes.room) &&
	    !graph_pool_grow(&g->nodes, &t->nodes, g->options.max_nodes)) {
		g->stats.truncated++;
		t->short_of_room = true;
		return NO_NODE;
	}
	n = node_at(t, t->nodes.nr);
	n->func = rec->func;
	n->start_ns = rec->ts_ns;
	n->dur_ns = n->retval = 0;
	n->retaddr = 0;
	n->parent = parent;
	n->nr_below = rec->depth;
	n->args = 0;
	n->nr_args = 0;
	n->depth = 0;
	n->flags = context_flags(rec, parent == NO_NODE ? NULL : node_at(t, parent));
	if (unlikely(!is_sure(t, rec->depth)))
		n->flags |= CALL_NODE_UNSURE;
	if (parent != NO_NODE)
		n->depth = (u8)(node_at(t, parent)->depth + 1);
	if (unlikely(rec->has & GRAPH_HAS_RETADDR)) {
		n->retaddr = rec->retaddr;
		n->flags |= CALL_NODE_RETADDR;
	}
	if (unlikely(rec->nr_args)) {
		args = add_args(g, t, rec);
		n->args = args == NO_NODE ? 0 : args;
		n->nr_args = args == NO_NODE ? 0 : rec->nr_args;
	}
	return t->nodes.nr++;
}

static void take_entry(struct callgraph *g, struct task *t, const struct graph_record *rec)
{
	struct frame *top = t->frame + t->nr_frames;

	g->stats.entries++;
	while (t->nr_frames && top[-1].depth >= rec->depth) {
		to_limbo(g, t, --top);
		t->nr_frames--;
	}
	if (!t->nr_frames) {
		if (is_settled(g, t, rec))
			callgraph_flush(g, t);
		t->roots++;
	} else if (rec->depth != top[-1].depth + 1) {
		g->stats.depth_gaps++;
	}
	if (unlikely(t->nr_frames == CALLGRAPH_STACK ||
		     (t->nr_frames && top[-1].node != NO_NODE &&
		      node_at(t, top[-1].node)->depth >= MAX_DEPTH))) {
		g->stats.too_deep++;
		return;
	}
	top->func = rec->func;
	top->start_ns = rec->ts_ns;
	top->depth = rec->depth;
	top->cpu = rec->cpu;
	top->lost = false;
	top->node = add_node(g, t, rec);
	t->nr_frames++;
}

/* --- exits */

/* After a loss the same function at the same depth may be another call; its duration tells. */
static bool is_other_call(const struct frame *f, const struct graph_record *rec)
{
	u64 span = rec->rettime - rec->calltime, seen = rec->ts_ns - f->start_ns;
	u64 off = span > seen ? span - seen : seen - span;

	return f->lost && (rec->has & GRAPH_HAS_SPAN) && off > CALLGRAPH_SLACK_NS;
}

static void end_node(struct callgraph *g, struct task *t, const struct frame *f,
		     const struct graph_record *rec, u16 flags)
{
	struct call_node *n;

	g->stats.matched++;
	g->stats.migrated += f->cpu != rec->cpu;
	if (f->node == NO_NODE)
		return;
	n = node_at(t, f->node);
	n->flags |= flags;
	if (rec->has & GRAPH_HAS_SPAN && rec->rettime >= rec->calltime) {
		n->dur_ns = rec->rettime - rec->calltime;
		n->flags |= CALL_NODE_DUR;
	}
	if (rec->has & GRAPH_HAS_RETVAL) {
		n->retval = rec->retval;
		n->flags |= CALL_NODE_RETVAL;
	}
}

static void pop_without_exit(struct callgraph *g, struct task *t, u32 depth)
{
	while (t->nr_frames && t->frame[t->nr_frames - 1].depth >= depth)
		callgraph_no_exit(g, t, &t->frame[--t->nr_frames]);
}

static bool end_late(struct callgraph *g, struct task *t, const struct graph_record *rec)
{
	struct frame f;
	u32 i = t->nr_limbo;

	while (i-- > 0) {
		f = t->limbo[i];
		if (f.depth != rec->depth || f.func != rec->func || is_other_call(&f, rec))
			continue;
		t->nr_limbo--;
		memmove(t->limbo + i, t->limbo + i + 1, (t->nr_limbo - i) * sizeof(f));
		end_node(g, t, &f, rec, CALL_NODE_LATE);
		g->stats.late++;
		pop_without_exit(g, t, rec->depth);
		return true;
	}
	return false;
}

/* It was running when records were lost, and its exit did not come: it may have ended in the gap. */
static bool is_stale(const struct call_node *n)
{
	return n->flags & CALL_NODE_NOEXIT && n->flags & CALL_NODE_AFTER_LOSS;
}

/* The outermost of the calls around node @i that an orphan below @parent may have made. */
static u32 outermost(const struct task *t, u32 i, u32 parent)
{
	u32 above = node_at(t, i)->parent;

	while (above != parent && above != NO_NODE && !is_stale(node_at(t, above))) {
		i = above;
		above = node_at(t, i)->parent;
	}
	return i;
}

/* Where the nodes at the end begin that a call at @depth, begun at @since_ns, may have made. */
static u32 first_adopted(const struct task *t, u32 parent, u32 depth, u64 since_ns)
{
	u32 from = t->nodes.nr, first = parent == NO_NODE ? 0 : parent + 1, i;
	const struct call_node *n;

	while (from > first) {
		i = outermost(t, from - 1, parent);
		n = node_at(t, i);
		if (!(n->flags & CALL_NODE_UNSURE) || n->nr_below <= depth ||
		    n->start_ns + CALLGRAPH_SLACK_NS < since_ns)
			break;
		from = i;
	}
	return from;
}

/* Node @at was put in: everything from there on has moved up by one, and is what it called. */
static void adopt_behind(struct task *t, u32 at)
{
	struct call_node *n;
	u32 i;

	for (i = at + 1; i < t->nodes.nr; i++) {
		n = node_at(t, i);
		n->parent = n->parent == NO_NODE || n->parent < at ? at : n->parent + 1;
		n->depth = (u8)(node_at(t, n->parent)->depth + 1);
		if (n->parent == at && n->nr_below == node_at(t, at)->nr_below + 1)
			n->flags &= (u16)~CALL_NODE_UNSURE;
	}
	for (i = 0; i < t->nr_limbo; i++)
		if (t->limbo[i].node != NO_NODE && t->limbo[i].node >= at)
			t->limbo[i].node++;
	for (i = 0; i < t->notes.nr; i++)
		if (note_at(t, i)->node >= at)
			note_at(t, i)->node++;
}

static bool too_deep_from(const struct task *t, u32 from)
{
	for (; from < t->nodes.nr; from++)
		if (node_at(t, from)->depth >= MAX_DEPTH)
			return true;
	return false;
}

/* An exit without an entry: the call is made from it, with what it must have called. */
static void take_orphan(struct callgraph *g, struct task *t, const struct graph_record *rec)
{
	bool span = (rec->has & GRAPH_HAS_SPAN) && rec->rettime >= rec->calltime;
	u64 dur_ns = span ? rec->rettime - rec->calltime : 0, since_ns;
	struct graph_record begin = *rec;
	struct call_node *n, made;
	u32 parent, at, node;

	g->stats.orphans++;
	since_ns = dur_ns < rec->ts_ns ? rec->ts_ns - dur_ns : 0;
	pop_without_exit(g, t, rec->depth);
	expire_limbo(g, t, rec->depth);
	parent = parent_node(t);
	at = first_adopted(t, parent, rec->depth, span ? since_ns : 0);
	begin.ts_ns = since_ns;
	begin.nr_args = 0;
	begin.has &= (u8)~GRAPH_HAS_RETADDR;
	if (too_deep_from(t, at))
		return;
	node = add_node(g, t, &begin);
	if (node == NO_NODE)
		return;
	n = node_at(t, node);
	n->flags |= CALL_NODE_SYNTH;
	n->dur_ns = dur_ns;
	n->flags |= span ? CALL_NODE_DUR : 0;
	if (rec->has & GRAPH_HAS_RETVAL) {
		n->retval = rec->retval;
		n->flags |= CALL_NODE_RETVAL;
	}
	if (at == node)
		return;
	made = *n;
	g->stats.adopted += node - at;
	memmove(node_at(t, at + 1), node_at(t, at), (node - at) * sizeof(made));
	*node_at(t, at) = made;
	adopt_behind(t, at);
}

static void take_exit(struct callgraph *g, struct task *t, const struct graph_record *rec)
{
	u32 i = t->nr_frames;
	const struct frame *f;

	g->stats.exits++;
	while (i && t->frame[i - 1].depth > rec->depth)
		i--;
	f = i ? &t->frame[i - 1] : NULL;
	if (f && (f->depth != rec->depth || f->func != rec->func))
		f = NULL;
	if (unlikely(f && is_other_call(f, rec))) {
		g->stats.mismatched++;
		f = NULL;
	}
	if (likely(f != NULL)) {
		while (unlikely(t->nr_frames > i))
			callgraph_no_exit(g, t, &t->frame[--t->nr_frames]);
		t->nr_frames--;
		end_node(g, t, f, rec, 0);
	} else if (t->nr_frames == CALLGRAPH_STACK &&
		   rec->depth > t->frame[CALLGRAPH_STACK - 1].depth) {
		return; /* its entry had no room */
	} else if (!end_late(g, t, rec)) {
		take_orphan(g, t, rec);
	}
	if (unlikely(t->nr_limbo))
		expire_limbo(g, t, rec->depth);
	/* Nothing can adopt a call at depth 0: it need not wait. */
	if (!t->nr_frames && !rec->depth && !t->nr_limbo)
		callgraph_flush(g, t);
}

int callgraph_record(struct callgraph *g, const struct graph_record *rec)
{
	struct task *t = task_of(g, rec->pid, rec->cpu);

	if (!t)
		return -ENOMEM;
	if (rec->kind == GRAPH_ENTRY)
		take_entry(g, t, rec);
	else
		take_exit(g, t, rec);
	return 0;
}

int callgraph_note(struct callgraph *g, s32 pid, u16 cpu, struct call_note *note)
{
	struct task *t = task_of(g, pid, cpu);
	u32 node;

	if (!t)
		return -ENOMEM;
	node = parent_node(t);
	if (node == NO_NODE)
		return 0;
	if (!graph_pool_grow(&g->notes, &t->notes, CALLGRAPH_MAX_NOTES)) {
		g->stats.truncated++;
		t->short_of_room = true;
		return 0;
	}
	note->node = node;
	*note_at(t, t->notes.nr++) = *note;
	return 0;
}

int callgraph_finish(struct callgraph *g)
{
	struct task *t;

	for (t = g->oldest; t; t = t->newer) {
		callgraph_close_open(g, t, CALL_NODE_OPEN);
		callgraph_flush(g, t);
	}
	return 0;
}
