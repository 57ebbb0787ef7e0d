// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks of a call graph: found by pid, forgotten when there are too many, and what they called handed out.
 */
#include "analysis/callgraph_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* System calls are looked for so deep: do_syscall_64() and its like may be traced, too. */
#define ROOT_DEPTH 8

int callgraph_new(struct callgraph **out, const struct callgraph_options *options,
		  struct error *err)
{
	struct callgraph *g = calloc(1, sizeof(*g));

	*out = g;
	if (!g)
		return error_errno(err, ENOMEM, "cannot prepare the call graph");
	g->options = *options;
	if (!g->options.max_tasks)
		g->options.max_tasks = CALLGRAPH_MAX_TASKS;
	if (!g->options.max_nodes)
		g->options.max_nodes = CALLGRAPH_MAX_NODES;
	if (!g->options.max_total)
		g->options.max_total = CALLGRAPH_MAX_TOTAL;
	g->nodes = (struct graph_pool){ .size = sizeof(struct call_node),
					.max_total = g->options.max_total };
	g->args = (struct graph_pool){ .size = sizeof(u64),
				       .max_total = 4ULL * g->options.max_total };
	g->notes = (struct graph_pool){ .size = sizeof(struct call_note),
					.max_total = g->options.max_total / 4 };
	return 0;
}

static void task_free(struct callgraph *g, struct task *t)
{
	graph_pool_give(&g->nodes, &t->nodes);
	graph_pool_give(&g->args, &t->args);
	graph_pool_give(&g->notes, &t->notes);
	free(t);
}

void callgraph_free(struct callgraph *g)
{
	struct task *t, *newer;

	if (!g)
		return;
	for (t = g->oldest; t; t = newer) {
		newer = t->newer;
		task_free(g, t);
	}
	graph_pool_free(&g->nodes);
	graph_pool_free(&g->args);
	graph_pool_free(&g->notes);
	free(g->on_cpu);
	free(g->losses);
	free(g->func);
	free(g);
}

const struct callgraph_stats *callgraph_stats(const struct callgraph *g)
{
	return &g->stats;
}

static u64 hash_u64(u64 v)
{
	return (v * 0x9e3779b97f4a7c15ULL) >> 32;
}

/* --- functions */

static bool grow_funcs(struct callgraph *g)
{
	u32 mask = g->func_mask ? g->func_mask * 2 + 1 : 1023, i, k;
	struct func *all = calloc(mask + 1, sizeof(*all));

	if (!all)
		return false;
	for (i = 0; g->func && i <= g->func_mask; i++) {
		if (!g->func[i].addr)
			continue;
		for (k = (u32)hash_u64(g->func[i].addr) & mask; all[k].addr; k = (k + 1) & mask)
			;
		all[k] = g->func[i];
	}
	free(g->func);
	g->func = all;
	g->func_mask = mask;
	return true;
}

/* The system call that a function is the entry of, or NULL. */
const char *callgraph_root_name(struct callgraph *g, u64 addr)
{
	u32 i;

	if (!addr || (g->nr_funcs * 2 >= g->func_mask && !grow_funcs(g)))
		return NULL;
	for (i = (u32)hash_u64(addr) & g->func_mask; g->func[i].addr; i = (i + 1) & g->func_mask)
		if (g->func[i].addr == addr)
			return g->func[i].root;
	g->func[i].addr = addr;
	g->func[i].root = g->options.root_name(g->options.ctx, addr);
	g->nr_funcs++;
	return g->func[i].root;
}

/* --- handing out */

/* --- handing out */

/* nr_below was the records' depth, which nobody needs any more. */
static void count_below(struct task *t)
{
	struct call_node *n;
	u32 i;

	for (i = 0; i < t->nodes.nr; i++)
		node_at(t, i)->nr_below = 0;
	for (i = t->nodes.nr; i-- > 0;) {
		n = node_at(t, i);
		if (n->parent != NO_NODE)
			node_at(t, n->parent)->nr_below += n->nr_below + 1;
	}
}

/* Notes of a subtree to the front of the others, counted from its root; they are in time order as they were. */
static u32 take_notes(struct task *t, u32 root, u32 nr_nodes, u32 done)
{
	struct call_note *n;
	u32 i, nr = 0;

	for (i = done; i < t->notes.nr; i++) {
		n = note_at(t, i);
		if (n->node - root >= nr_nodes)
			continue;
		n->node -= root;
		if (i != done + nr) {
			struct call_note moved = *n;

			*n = *note_at(t, done + nr);
			*note_at(t, done + nr) = moved;
		}
		nr++;
	}
	return nr;
}

static u32 hand_out(struct callgraph *g, struct task *t, u32 root, const char *name, u32 notes_done)
{
	struct call_node *n = node_at(t, root), *all = n;
	u32 nr = n->nr_below + 1, i;
	struct graph_call call = {
		.syscall = name,
		.pid = t->key < 0 ? 0 : (s32)t->key,
		.open = n->flags & CALL_NODE_OPEN,
		.truncated = t->short_of_room,
		.start_ns = n->start_ns,
		.nr_nodes = nr,
		.nr_args = t->args.nr,
		.nodes = all,
		.args = t->args.at,
	};
	u8 depth = n->depth;

	for (i = 0; i < nr; i++, n++) {
		n->depth = (u8)(n->depth - depth);
		n->parent = i ? n->parent - root : NO_NODE;
		call.after_loss |= n->flags & (CALL_NODE_AFTER_LOSS | CALL_NODE_SYNTH);
	}
	call.nr_notes = take_notes(t, root, nr, notes_done);
	call.notes = call.nr_notes ? note_at(t, notes_done) : NULL;
	g->stats.calls++;
	g->options.call_done(g->options.ctx, &call);
	return call.nr_notes;
}

void callgraph_no_exit(struct callgraph *g, struct task *t, const struct frame *f)
{
	g->stats.no_exit++;
	if (f->node != NO_NODE)
		node_at(t, f->node)->flags |= CALL_NODE_NOEXIT;
}

/* Whether a root that is no system call called one: as those of do_syscall_64() do. */
static bool calls_named(struct callgraph *g, const struct task *t, u32 root)
{
	u32 end = root + node_at(t, root)->nr_below + 1, i;

	for (i = root + 1; i < end; i++)
		if (node_at(t, i)->depth < ROOT_DEPTH &&
		    callgraph_root_name(g, node_at(t, i)->func))
			return true;
	return false;
}

/* What was called is as it will stay: nothing is on the stack. */
void callgraph_flush(struct callgraph *g, struct task *t)
{
	u32 i = 0, notes = 0, step;
	const char *name;

	while (t->nr_limbo)
		callgraph_no_exit(g, t, &t->limbo[--t->nr_limbo]);
	t->roots = 0;
	if (!t->nodes.nr)
		goto out;
	count_below(t);
	for (; i < t->nodes.nr; i += step) {
		const struct call_node *n = node_at(t, i);

		step = 1;
		name = n->depth < ROOT_DEPTH ? callgraph_root_name(g, n->func) : NULL;
		if (name || (g->options.every_root && !n->depth && !calls_named(g, t, i))) {
			step = n->nr_below + 1;
			notes += hand_out(g, t, i, name, notes);
		} else if (n->depth >= ROOT_DEPTH) {
			step = n->nr_below + 1;
		}
	}
out:
	graph_pool_give(&g->nodes, &t->nodes);
	graph_pool_give(&g->args, &t->args);
	graph_pool_give(&g->notes, &t->notes);
	t->short_of_room = false;
}

/* --- tasks */

static void unlink_task(struct callgraph *g, struct task *t)
{
	*(t->older ? &t->older->newer : &g->oldest) = t->newer;
	*(t->newer ? &t->newer->older : &g->newest) = t->older;
}

static void link_newest(struct callgraph *g, struct task *t)
{
	t->older = g->newest;
	t->newer = NULL;
	*(g->newest ? &g->newest->newer : &g->oldest) = t;
	g->newest = t;
}

void callgraph_close_open(struct callgraph *g, struct task *t, u16 flag)
{
	while (t->nr_frames) {
		const struct frame *f = &t->frame[--t->nr_frames];

		g->stats.open++;
		if (f->node != NO_NODE)
			node_at(t, f->node)->flags |= flag;
	}
}

/* The task that has been silent for longest makes way. */
static void evict(struct callgraph *g)
{
	struct task *t = g->oldest, **at;
	u32 i;

	callgraph_close_open(g, t, CALL_NODE_NOEXIT);
	callgraph_flush(g, t);
	at = &g->bucket[hash_u64((u64)t->key) % CALLGRAPH_BUCKETS];
	while (*at != t)
		at = &(*at)->next_in_bucket;
	*at = t->next_in_bucket;
	unlink_task(g, t);
	for (i = 0; i < g->nr_cpus; i++)
		if (g->on_cpu[i] == t)
			g->on_cpu[i] = NULL;
	task_free(g, t);
	g->nr_tasks--;
	g->stats.evicted++;
}

bool callgraph_grow_cpus(struct callgraph *g, u16 cpu)
{
	u32 nr = (cpu + 16u) & ~15u;
	struct task **tasks = reallocarray(g->on_cpu, nr, sizeof(*tasks));
	u64 *losses;

	if (!tasks)
		return false;
	g->on_cpu = tasks;
	losses = reallocarray(g->losses, nr, sizeof(*losses));
	if (!losses)
		return false;
	g->losses = losses;
	memset(tasks + g->nr_cpus, 0, (nr - g->nr_cpus) * sizeof(*tasks));
	memset(losses + g->nr_cpus, 0, (nr - g->nr_cpus) * sizeof(*losses));
	g->nr_cpus = nr;
	return true;
}

static struct task *find_task(struct callgraph *g, s64 key)
{
	struct task *t = g->bucket[hash_u64((u64)key) % CALLGRAPH_BUCKETS];

	while (t && t->key != key)
		t = t->next_in_bucket;
	return t;
}

static struct task *new_task(struct callgraph *g, s64 key, u16 cpu)
{
	struct task *t, **at = &g->bucket[hash_u64((u64)key) % CALLGRAPH_BUCKETS];

	if (g->nr_tasks >= g->options.max_tasks)
		evict(g);
	t = malloc(sizeof(*t));
	if (!t)
		return NULL;
	/* Frames are written before they are read. */
	memset(t, 0, offsetof(struct task, limbo));
	t->key = key;
	t->cpu = cpu;
	t->loss_seq = g->losses[cpu];
	t->next_in_bucket = *at;
	*at = t;
	link_newest(g, t);
	g->nr_tasks++;
	return t;
}

/* Records of it may have been lost: what is on its stack is to be believed less. */
void callgraph_mark_lost(struct task *t)
{
	u32 i;

	for (i = 0; i < t->nr_limbo; i++)
		t->limbo[i].lost = true;
	for (i = 0; i < t->nr_frames; i++) {
		t->frame[i].lost = true;
		if (t->frame[i].node != NO_NODE)
			node_at(t, t->frame[i].node)->flags |= CALL_NODE_AFTER_LOSS;
	}
}

struct task *callgraph_switch(struct callgraph *g, s64 key, u16 cpu)
{
	struct task *t = find_task(g, key);

	if (!t) {
		t = new_task(g, key, cpu);
	} else if (t != g->newest) {
		unlink_task(g, t);
		link_newest(g, t);
	}
	g->on_cpu[cpu] = t;
	return t;
}
