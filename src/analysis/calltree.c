// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls are walked in preorder, with the node of the merged tree that stands for each: a child of a node is
 * found by (node, function), so a call costs O(its nodes).
 */
#include "analysis/calltree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/callproto.h"

#define BUCKETS 65536 /* a power of two */
/* So many events on, a packet that was born has got its number, or is forgotten. */
#define NOTES_AHEAD 256

struct calltree {
	struct calltree_options options;
	struct calltree_stats stats;
	struct tree_node *node;
	u32 nr_nodes, room_nodes;
	struct tree_note *note;
	u32 nr_notes, room_notes;
	struct tree_group *group;
	u32 nr_groups, room_groups;
	u32 *bucket;
	u64 nr_samples; /* room for, in all nodes */
	u64 random;
	/* Of the call that is being added: which node each of its nodes is, and what it is. */
	struct placed {
		u32 node;
		u8 context;
		bool folded;  /* inside of a helper: its node is the one that stands for it */
		u64 below_ns; /* what it called took */
		u64 irq_ns;   /* ... of that, what was somebody else's work */
	} * placed;
	u32 *func; /* numbers of their functions */
	u32 room_placed;
};

int calltree_new(struct calltree **out, const struct calltree_options *options, struct error *err)
{
	struct calltree *t = calloc(1, sizeof(*t));

	*out = t;
	if (t) {
		t->options = *options;
		t->bucket = malloc(BUCKETS * sizeof(*t->bucket));
	}
	if (!t || !t->bucket) {
		calltree_free(t);
		*out = NULL;
		return error_errno(err, ENOMEM, "cannot prepare the trees of calls");
	}
	calltree_clear(t);
	return 0;
}

void calltree_clear(struct calltree *t)
{
	u32 i;

	for (i = 0; i < t->nr_nodes; i++)
		free(t->node[i].samples.ns);
	t->nr_nodes = t->nr_notes = t->nr_groups = 0;
	t->nr_samples = 0;
	t->random = 88172645463325252ULL;
	memset(t->bucket, 0xff, BUCKETS * sizeof(*t->bucket));
}

void calltree_free(struct calltree *t)
{
	if (!t)
		return;
	if (t->bucket)
		calltree_clear(t);
	free(t->node);
	free(t->note);
	free(t->group);
	free(t->bucket);
	free(t->placed);
	free(t->func);
	free(t);
}

struct tree_node *calltree_node(const struct calltree *t, u32 i)
{
	return &t->node[i];
}

const struct tree_note *calltree_note(const struct calltree *t, u32 i)
{
	return &t->note[i];
}

const struct calltree_stats *calltree_stats(const struct calltree *t)
{
	return &t->stats;
}

/* Room for one element more, doubling. */
static bool grow(void **all, u32 nr, u32 *room, size_t size)
{
	u32 more = *room ? *room * 2 : 64;
	void *at;

	if (nr < *room)
		return true;
	at = reallocarray(*all, more, size);
	if (!at)
		return false;
	*all = at;
	*room = more;
	return true;
}

/* --- nodes */

static u32 bucket_of(u32 parent, u32 func, u8 class)
{
	u64 h = ((u64)parent << 32 | func) * 0x9e3779b97f4a7c15ULL + class * 0xff51afd7ed558ccdULL;

	return (u32)(h >> 40) & (BUCKETS - 1);
}

/* Return: its index, TREE_NO_NODE when there is no room */
static u32 new_node(struct calltree *t, u32 parent, u32 func, u8 class, u8 context)
{
	struct tree_node *n, *above;
	u32 i = t->nr_nodes;

	if (i >= TREE_MAX_NODES || !grow((void **)&t->node, i, &t->room_nodes, sizeof(*t->node))) {
		t->stats.refused++;
		return TREE_NO_NODE;
	}
	n = &t->node[i];
	*n = (struct tree_node){ .func = func,
				 .class = class,
				 .context = context,
				 .parent = parent,
				 .first = TREE_NO_NODE,
				 .last = TREE_NO_NODE,
				 .next = TREE_NO_NODE,
				 .next_in_bucket = TREE_NO_NODE,
				 .notes = TREE_NO_NODE,
				 .min_ns = UINT64_MAX };
	t->nr_nodes++;
	if (parent == TREE_NO_NODE)
		return i;
	above = &t->node[parent];
	n->depth = (u8)(above->depth < UINT8_MAX ? above->depth + 1 : UINT8_MAX);
	*(above->last == TREE_NO_NODE ? &above->first : &t->node[above->last].next) = i;
	above->last = i;
	return i;
}

/* The child of a node that stands for a function, or for a kind of helpers; made if need be. */
static u32 child_of(struct calltree *t, u32 parent, u32 func, u8 class, u8 context)
{
	u32 last = t->node[parent].last, *slot, i;

	if (t->options.in_order) {
		if (last != TREE_NO_NODE && t->node[last].func == func &&
		    t->node[last].class == class)
			return last;
		return new_node(t, parent, func, class, context);
	}
	slot = &t->bucket[bucket_of(parent, func, class)];
	for (i = *slot; i != TREE_NO_NODE; i = t->node[i].next_in_bucket)
		if (t->node[i].parent == parent && t->node[i].func == func &&
		    t->node[i].class == class)
			return i;
	i = new_node(t, parent, func, class, context);
	if (i != TREE_NO_NODE) {
		t->node[i].next_in_bucket = *slot;
		*slot = i;
	}
	return i;
}

/* xorshift: which samples are kept should not follow the order of calls. */
static u64 next_random(struct calltree *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random;
}

static bool grow_samples(struct calltree *t, struct tree_samples *s)
{
	u32 room = s->room ? s->room * 2 : 4;
	u64 *ns;

	if (s->nr < s->room)
		return true;
	if (room > TREE_NODE_SAMPLES || t->nr_samples + room - s->room > TREE_MAX_SAMPLES)
		return false;
	ns = reallocarray(s->ns, room, sizeof(*ns));
	if (!ns)
		return false;
	t->nr_samples += room - s->room;
	s->ns = ns;
	s->room = room;
	return true;
}

/* Each of the calls so far has the same chance to be among the samples. */
static void add_sample(struct calltree *t, struct tree_node *n, u64 ns)
{
	struct tree_samples *s = &n->samples;
	u64 at;

	if (s->nr == n->nr_timed - 1 && grow_samples(t, s)) {
		s->ns[s->nr++] = ns;
		return;
	}
	at = next_random(t) % n->nr_timed;
	if (at < s->nr)
		s->ns[at] = ns;
}

static int compare_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

u64 calltree_median(struct tree_node *n, bool *exact)
{
	struct tree_samples *s = &n->samples;

	*exact = s->nr == n->nr_timed;
	if (!s->nr)
		return 0;
	qsort(s->ns, s->nr, sizeof(*s->ns), compare_u64);
	return s->ns[(s->nr - 1) / 2];
}

/* --- a call */

/*
 * Whose work a call is that a function of context @above made. @base: flags of the root, for the tree of a
 * function that runs in softirqs is its own.
 */
static u8 context_of(const struct calltree *t, const struct call_node *n, u32 func, u8 above,
		     u16 base)
{
	u8 class = callfuncs_at(t->options.funcs, func)->class;
	u16 flags = (u16)(n->flags & ~base);

	if (flags & CALL_NODE_HARDIRQ || class == FUNC_HARDIRQ)
		return TREE_HARDIRQ;
	if (flags & CALL_NODE_SOFTIRQ)
		return TREE_SOFTIRQ;
	return class == FUNC_SOFTIRQ && above == TREE_OWN ? TREE_SOFTIRQ : above;
}

static bool is_helper(u8 class)
{
	return class != FUNC_PLAIN && class != FUNC_SOFTIRQ && class != FUNC_HARDIRQ;
}

/* Under which node of the merged tree the call's node @i stands. */
static u32 parent_of(struct calltree *t, struct tree_group *g, const struct placed *above,
		     struct placed *p)
{
	u32 *root = &g->root[p->context];

	if (p->context == above->context)
		return above->node;
	if (*root == TREE_NO_NODE)
		*root = new_node(t, TREE_NO_NODE, 0, FUNC_PLAIN, p->context);
	return *root;
}

static void place(struct calltree *t, struct tree_group *g, const struct graph_call *call, u32 i,
		  u16 base)
{
	const struct call_node *n = &call->nodes[i];
	const struct placed *above = &t->placed[n->parent];
	struct placed *p = &t->placed[i];
	u32 parent;
	u8 class;

	p->context = context_of(t, n, t->func[i], above->context, base);
	p->below_ns = p->irq_ns = 0;
	p->folded = above->folded && p->context == above->context;
	p->node = above->node;
	if (p->folded)
		return;
	parent = parent_of(t, g, above, p);
	if (parent == TREE_NO_NODE) {
		p->node = TREE_NO_NODE;
		return;
	}
	class = callfuncs_at(t->options.funcs, t->func[i])->class;
	p->folded = !t->options.full && is_helper(class);
	p->node = child_of(t, parent, p->folded ? 0 : t->func[i], p->folded ? class : FUNC_PLAIN,
			   p->context);
}

/* An interrupt began in a function, or in one of its helpers, of which the line says nothing of it. */
static void count_irq(struct calltree *t, const struct graph_call *call, u32 root, u32 i, u64 ns)
{
	struct tree_node *m;

	while (i > root && t->placed[i].folded)
		i = call->nodes[i].parent;
	if (t->placed[i].node == TREE_NO_NODE)
		return;
	m = &t->node[t->placed[i].node];
	m->nr_irq++;
	m->irq_ns += ns;
}

/* Its time, from the innermost on: what a node called has been counted before. */
static void count_time(struct calltree *t, const struct graph_call *call, u32 root, u32 i)
{
	const struct call_node *n = &call->nodes[i];
	struct placed *p = &t->placed[i], *above = i > root ? &t->placed[n->parent] : NULL;
	bool switched = above && p->context != above->context;
	bool inner = above && above->folded && p->folded && !switched;
	struct tree_node *m;
	u64 took_ns = n->dur_ns;

	if (switched)
		count_irq(t, call, root, n->parent, n->dur_ns);
	if (above) {
		above->below_ns += n->dur_ns;
		above->irq_ns += switched ? n->dur_ns : p->irq_ns;
	}
	if (p->node == TREE_NO_NODE || inner || !(n->flags & CALL_NODE_DUR))
		return;
	if (p->folded)
		took_ns -= p->irq_ns < took_ns ? p->irq_ns : took_ns;
	m = &t->node[p->node];
	m->nr_timed++;
	m->total_ns += took_ns;
	/* A helper's line stands for all that it called. */
	m->self_ns += p->folded ? took_ns : took_ns > p->below_ns ? took_ns - p->below_ns : 0;
	if (took_ns < m->min_ns)
		m->min_ns = took_ns;
	if (took_ns > m->max_ns)
		m->max_ns = took_ns;
	add_sample(t, m, took_ns);
}

static void count_call(struct calltree *t, const struct graph_call *call, u32 root, u32 i)
{
	const struct call_node *n = &call->nodes[i];
	struct placed *p = &t->placed[i], *above = i > root ? &t->placed[n->parent] : NULL;
	struct tree_node *m;

	if (p->node == TREE_NO_NODE)
		return;
	if (above && above->node == p->node && above->folded && p->folded)
		return;
	m = &t->node[p->node];
	m->count++;
	m->no_exit += !!(n->flags & (CALL_NODE_NOEXIT | CALL_NODE_OPEN));
	m->unsure += !!(n->flags & CALL_NODE_UNSURE);
	m->synthesized += !!(n->flags & CALL_NODE_SYNTH);
	if (n->flags & CALL_NODE_RETVAL) {
		m->same_retval = m->count == 1 ||
				 (m->same_retval && m->has_retval && m->retval == n->retval);
		m->has_retval = true;
		m->retval = n->retval;
	}
	if (t->options.keep_args && m->count == 1) {
		m->args = n->args;
		m->nr_args = n->nr_args;
	} else {
		m->nr_args = 0;
	}
}

static void add_note(struct calltree *t, u32 node, const struct call_note *note)
{
	u32 *at = &t->node[node].notes, i;
	struct tree_note *n;

	for (; *at != TREE_NO_NODE; at = &t->note[*at].next)
		if (t->note[*at].type == note->type && t->note[*at].dev == note->dev)
			break;
	if (*at == TREE_NO_NODE) {
		i = t->nr_notes;
		if (i >= TREE_MAX_NODES ||
		    !grow((void **)&t->note, i, &t->room_notes, sizeof(*t->note))) {
			t->stats.refused++;
			return;
		}
		/* the memory may have moved */
		for (at = &t->node[node].notes; *at != TREE_NO_NODE; at = &t->note[*at].next)
			;
		t->note[i] = (struct tree_note){
			.type = note->type, .dev = note->dev, .skb = note->skb, .next = TREE_NO_NODE
		};
		t->nr_notes++;
		*at = i;
	}
	n = &t->note[*at];
	n->count++;
	for (i = 0; i < n->nr_packets; i++)
		if (n->packet[i] == note->packet)
			return;
	if (note->packet && n->nr_packets < TREE_NOTE_PACKETS)
		n->packet[n->nr_packets++] = note->packet;
}

/* A packet that had no number yet has the one that it got later in the same call. */
static struct call_note with_number(const struct graph_call *call, u32 i)
{
	struct call_note note = call->notes[i];
	u32 k;

	for (k = i + 1; !note.packet && k < call->nr_notes && k < i + NOTES_AHEAD; k++) {
		if (call->notes[k].skb != note.skb)
			continue;
		if (call->notes[k].kind == EVENT_BIRTH)
			break;
		note.packet = call->notes[k].packet;
	}
	return note;
}

static void add_notes(struct calltree *t, const struct graph_call *call, u32 root, u32 end)
{
	struct call_note note;
	u32 i, at;

	for (i = 0; i < call->nr_notes; i++) {
		at = call->notes[i].node;
		if (at < root || at >= end || !call->notes[i].skb)
			continue;
		/* A helper's line stands for many. */
		while (at > root && t->placed[at].folded)
			at = call->nodes[at].parent;
		note = with_number(call, i);
		if (t->placed[at].node != TREE_NO_NODE)
			add_note(t, t->placed[at].node, &note);
	}
}

/* --- groups */

static void add_pid(struct tree_group *g, s32 pid)
{
	u32 i;

	for (i = 0; i < g->nr_pids && i < TREE_PIDS; i++)
		if (g->pid[i] == pid)
			return;
	if (g->nr_pids < TREE_PIDS)
		g->pid[g->nr_pids] = pid;
	if (g->nr_pids <= TREE_PIDS)
		g->nr_pids++;
}

static struct tree_group *group_of(struct calltree *t, const struct graph_call *call, u32 root,
				   const struct call_proto *proto)
{
	u32 func = t->options.by_root || !call->syscall ? t->func[root] : 0, i;
	const char *syscall = func ? NULL : call->syscall;
	struct tree_group *g;

	for (i = 0; i < t->nr_groups; i++) {
		g = &t->group[i];
		/* a name of a system call is one string for each function that is its entry */
		if (g->root_func == func && g->protocols == proto->protocols &&
		    g->families == proto->families &&
		    (g->syscall == syscall ||
		     (syscall && g->syscall && !strcmp(g->syscall, syscall))))
			return g;
	}
	if (i >= TREE_MAX_GROUPS ||
	    !grow((void **)&t->group, i, &t->room_groups, sizeof(*t->group)))
		return NULL;
	g = &t->group[i];
	*g = (struct tree_group){ .syscall = syscall,
				  .root_func = func,
				  .protocols = proto->protocols,
				  .families = proto->families,
				  .protocol_from = proto->protocol_from,
				  .family_from = proto->family_from,
				  .first_ns = call->nodes[root].start_ns,
				  .root = { TREE_NO_NODE, TREE_NO_NODE, TREE_NO_NODE } };
	t->nr_groups++;
	return g;
}

static int add_tree(struct calltree *t, const struct graph_call *call, u32 root)
{
	const struct call_node *n = &call->nodes[root];
	u32 end = root + n->nr_below + 1, i;
	struct call_proto proto;
	struct tree_group *g;
	struct placed *p = &t->placed[root];
	u16 base = n->flags & (CALL_NODE_HARDIRQ | CALL_NODE_SOFTIRQ);

	p->context = TREE_OWN;
	/* What called the function that was asked for knows more than that itself. */
	callproto_judge(&proto, t->options.funcs, t->func, call, call->syscall && !base ? 0 : root);
	if (!t->options.all && !t->options.by_root && !proto.of_sockets) {
		t->stats.other_calls++;
		return 0;
	}
	g = group_of(t, call, root, &proto);
	if (!g) {
		t->stats.refused++;
		return 0;
	}
	if (g->root[TREE_OWN] == TREE_NO_NODE)
		g->root[TREE_OWN] = new_node(t, TREE_NO_NODE, t->func[root], FUNC_PLAIN, TREE_OWN);
	p->node = g->root[TREE_OWN];
	p->folded = false;
	p->below_ns = p->irq_ns = 0;
	for (i = root + 1; i < end; i++)
		place(t, g, call, i, base);
	for (i = root; i < end; i++)
		count_call(t, call, root, i);
	for (i = end; i-- > root;)
		count_time(t, call, root, i);
	add_notes(t, call, root, end);
	g->calls++;
	g->total_ns += n->dur_ns;
	g->after_loss += call->after_loss;
	g->truncated += call->truncated;
	g->open += !!(n->flags & CALL_NODE_OPEN);
	add_pid(g, call->pid);
	t->stats.shown++;
	return 0;
}

static bool make_room(struct calltree *t, u32 nr)
{
	struct placed *placed;
	u32 *func;

	if (nr <= t->room_placed)
		return true;
	placed = reallocarray(t->placed, nr, sizeof(*placed));
	if (placed)
		t->placed = placed;
	func = reallocarray(t->func, nr, sizeof(*func));
	if (func)
		t->func = func;
	if (!placed || !func)
		return false;
	t->room_placed = nr;
	return true;
}

int calltree_add(struct calltree *t, const struct graph_call *call)
{
	struct callfuncs *funcs = t->options.funcs;
	u32 i, step;

	t->stats.calls++;
	if (!make_room(t, call->nr_nodes))
		return -ENOMEM;
	/* Most calls are about anything but sockets. */
	t->func[0] = callfuncs_find(funcs, call->nodes[0].func);
	if (!t->options.all && !t->options.by_root &&
	    callfuncs_at(funcs, t->func[0])->kind == CALL_OTHER) {
		t->stats.other_calls++;
		return 0;
	}
	for (i = 1; i < call->nr_nodes; i++)
		t->func[i] = callfuncs_find(funcs, call->nodes[i].func);
	if (!t->options.by_root)
		return add_tree(t, call, 0);
	for (i = 0; i < call->nr_nodes; i += step) {
		step = 1;
		if (!callfuncs_at(funcs, t->func[i])->wanted)
			continue;
		add_tree(t, call, i);
		step = call->nodes[i].nr_below + 1;
	}
	return 0;
}

static int compare_groups(const void *a, const void *b)
{
	const struct tree_group *x = a, *y = b;

	if (x->total_ns != y->total_ns)
		return x->total_ns < y->total_ns ? 1 : -1;
	return x->first_ns < y->first_ns ? -1 : x->first_ns > y->first_ns;
}

const struct tree_group *calltree_groups(struct calltree *t, u32 *nr)
{
	if (t->nr_groups)
		qsort(t->group, t->nr_groups, sizeof(*t->group), compare_groups);
	*nr = t->nr_groups;
	return t->group;
}
