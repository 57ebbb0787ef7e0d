// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames and the events they may belong to -> who belongs to whom, where only one answer is possible.
 *
 * For each frame all events are collected that it can belong to by the kernel's code, so the true one
 * is among them unless it was not recorded. What follows from that alone is decided; the rest is ambiguous.
 */
#include <stdlib.h>

#include "analysis/tapjoin_internal.h"

/* More possible events are not looked at: the frame is ambiguous. */
#define MOST 64
/* An inline VLAN tag is taken off between the event and the sockets. */
#define VLAN_BYTES 4

/* The events that a frame may belong to, and the time in which a lost record could be one, too. */
struct found {
	u64 event[MOST];
	u32 nr;
	bool crowded;
	u64 from_ns, to_ns;
};

static void found_add(struct found *found, u64 number)
{
	if (found->nr < MOST)
		found->event[found->nr++] = number;
	else
		found->crowded = true;
}

/* The first place in a CPU's track that is not before a time. */
static u32 track_from(const struct tapjoin *tj, const struct track *t, u64 ts_ns)
{
	u32 low = 0, high = t->nr, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (track_at(tj, t, mid)->ev.ts_ns < ts_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_free(const struct event *ev)
{
	return ev->kind == EVENT_CONSUME || ev->kind == EVENT_DROP;
}

/* Device, direction and length agree, and nobody has it yet. */
static bool fits(const struct frame *f, const struct held *h)
{
	const struct frame_facts *frame = &f->facts.frame;
	bool sent = frame->flags & FRAME_OUTGOING;
	u32 len = f->len_bytes - frame->link_bytes;

	if (h->joined || h->ev.dev != f->dev || !(h->ev.has & EVENT_HAS_LEN) ||
	    h->ev.kind != (sent ? EVENT_START_XMIT : EVENT_RECEIVE))
		return false;
	if (sent)
		return h->ev.len_bytes == f->len_bytes;
	return h->ev.len_bytes == len ||
	       (frame->flags & FRAME_TAGGED && h->ev.len_bytes == len + VLAN_BYTES);
}

/* Sent: the first such event of the CPU after the frame. Frees of clones may come in between. */
static void find_sent(const struct tapjoin *tj, const struct track *t, const struct frame *f,
		      struct found *found)
{
	const struct held *h;
	u32 at;

	for (at = track_from(tj, t, f->low_ns); at < t->nr; at++) {
		h = track_at(tj, t, at);
		if (h->ev.ts_ns > found->to_ns)
			found->to_ns = h->ev.ts_ns;
		if (fits(f, h))
			found_add(found, track_number(t, at));
		/* What is surely after the frame is the last that can be. */
		if (h->ev.ts_ns > f->high_ns && !is_free(&h->ev))
			return;
	}
}

/* Received: the last such event of the CPU before the frame. */
static void find_received(const struct tapjoin *tj, const struct track *t, const struct frame *f,
			  struct found *found)
{
	const struct held *h;
	u32 at;

	for (at = track_from(tj, t, f->high_ns + 1); at-- > 0;) {
		h = track_at(tj, t, at);
		if (h->ev.ts_ns < found->from_ns)
			found->from_ns = h->ev.ts_ns;
		if (fits(f, h))
			found_add(found, track_number(t, at));
		if (h->ev.ts_ns < f->low_ns && !is_free(&h->ev))
			return;
	}
}

/* Received, and stamped at some time before: any such event of the CPU in between. */
static void find_stamped(const struct tapjoin *tj, const struct track *t, const struct frame *f,
			 struct found *found)
{
	u64 stamp = f->facts.frame.ts_ns + f->facts.frame.slack_ns;
	const struct held *h;
	u32 at;

	for (at = track_from(tj, t, f->low_ns); at < t->nr; at++) {
		h = track_at(tj, t, at);
		if (h->ev.ts_ns > f->high_ns || found->crowded)
			return;
		/* A pair takes the stamp off, so it is from behind that. */
		if (fits(f, h) && h->cross_ns <= stamp)
			found_add(found, track_number(t, at));
	}
}

static bool was_lost(const struct tapjoin *tj, u32 cpu, u32 nr_cpus, const struct found *found)
{
	const struct told_loss *loss;
	u32 i, of = cpu;

	if (found->from_ns <= tj->unsure_until_ns)
		return true;
	for (; tj->options.cut_off && of <= tj->max_cpu; of += nr_cpus)
		if (!tj->track[of].nr ||
		    track_at(tj, &tj->track[of], tj->track[of].nr - 1)->ev.ts_ns < found->to_ns)
			return true;
	for (i = 0; i < tj->nr_losses; i++) {
		loss = &tj->loss[(tj->loss_first + i) % TAPJOIN_LOSSES];
		if (loss->cpu % nr_cpus == cpu && loss->from_ns <= found->to_ns &&
		    loss->to_ns >= found->from_ns)
			return true;
	}
	return false;
}

static void find_events(const struct tapjoin *tj, const struct frame *f, struct found *found)
{
	u32 cpus = f->facts.frame.nr_cpus, cpu;

	found->nr = 0;
	found->crowded = false;
	found->from_ns = f->low_ns;
	found->to_ns = f->high_ns;
	for (cpu = f->facts.frame.cpu; cpu <= tj->max_cpu; cpu += cpus) {
		if (f->facts.frame.flags & FRAME_OUTGOING)
			find_sent(tj, &tj->track[cpu], f, found);
		else if (f->facts.frame.flags & FRAME_STAMPED_EARLIER)
			find_stamped(tj, &tj->track[cpu], f, found);
		else
			find_received(tj, &tj->track[cpu], f, found);
	}
}

/* ---- frames that share events */

static u32 root_of(struct tapjoin *tj, u32 place)
{
	while (tj->frame[place].parent != place) {
		tj->frame[place].parent = tj->frame[tj->frame[place].parent].parent;
		place = tj->frame[place].parent;
	}
	return place;
}

static bool add_node(struct tapjoin *tj, u32 place, u64 number)
{
	struct held *h = held_at(tj, number);
	struct node *node;
	u32 room;

	if (tj->nr_nodes == tj->nodes_room) {
		room = tj->nodes_room ? tj->nodes_room * 2 : 1024;
		node = reallocarray(tj->node, room, sizeof(*node));
		if (!node)
			return false;
		tj->node = node;
		tj->nodes_room = room;
	}
	node = &tj->node[tj->nr_nodes];
	*node = (struct node){ number, place, TAPJOIN_NONE, true };
	if (h->round == tj->round) {
		node->next = h->users;
		tj->frame[root_of(tj, place)].parent = root_of(tj, tj->node[h->users].frame);
	}
	h->round = tj->round;
	h->users = tj->nr_nodes++;
	return true;
}

static void look_at(struct tapjoin *tj, u32 place)
{
	struct frame *f = &tj->frame[place];
	struct found found;
	u32 i;

	f->node = tj->nr_nodes;
	f->nr_nodes = f->alive = 0;
	f->parent = place;
	f->state = FRAME_PENDING;
	find_events(tj, f, &found);
	f->unsure = found.crowded ||
		    was_lost(tj, f->facts.frame.cpu, f->facts.frame.nr_cpus, &found);
	if (f->unsure)
		return;
	for (i = 0; i < found.nr; i++) {
		if (!add_node(tj, place, found.event[i])) {
			/* Without memory its events are not all known to the others either. */
			f->unsure = true;
			return;
		}
		f->nr_nodes++;
		f->alive++;
	}
}

/* ---- what follows */

/* This event is that of this frame: all others have one possibility less. False: a contradiction. */
static bool settle(struct tapjoin *tj, u32 place)
{
	struct frame *f = &tj->frame[place], *other;
	u32 i, at = TAPJOIN_NONE;

	for (i = 0; i < f->nr_nodes; i++)
		if (tj->node[f->node + i].alive)
			at = f->node + i;
	if (at == TAPJOIN_NONE)
		return false;
	f->event = tj->node[at].event;
	f->state = FRAME_JOINED;
	for (i = held_at(tj, f->event)->users; i != TAPJOIN_NONE; i = tj->node[i].next) {
		if (!tj->node[i].alive || tj->node[i].frame == place)
			continue;
		tj->node[i].alive = false;
		other = &tj->frame[tj->node[i].frame];
		if (!--other->alive)
			return false;
	}
	return true;
}

static bool settle_all(struct tapjoin *tj, const u32 *group, u32 nr)
{
	bool again = true;
	u32 i;

	while (again) {
		again = false;
		for (i = 0; i < nr; i++) {
			if (tj->frame[group[i]].state != FRAME_PENDING ||
			    tj->frame[group[i]].alive != 1)
				continue;
			if (!settle(tj, group[i]))
				return false;
			again = true;
		}
	}
	return true;
}

static int compare_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static bool is_possible(const struct tapjoin *tj, const struct frame *f, u64 event)
{
	u32 i;

	for (i = 0; i < f->nr_nodes; i++)
		if (tj->node[f->node + i].alive && tj->node[f->node + i].event == event)
			return true;
	return false;
}

/* The events that are left for these frames, each once; NULL: not as many as frames. */
static u64 *events_left(const struct tapjoin *tj, const u32 *group, u32 nr)
{
	const struct frame *f;
	u32 i, k, n = 0, kept = 0, all = 0;
	u64 *event;

	for (i = 0; i < nr; i++)
		all += tj->frame[group[i]].alive;
	event = malloc(all * sizeof(*event));
	if (!event)
		return NULL;
	for (i = 0; i < nr; i++) {
		f = &tj->frame[group[i]];
		for (k = 0; k < f->nr_nodes; k++)
			if (tj->node[f->node + k].alive)
				event[n++] = tj->node[f->node + k].event;
	}
	qsort(event, n, sizeof(*event), compare_u64);
	for (i = 0; i < n; i++)
		if (!kept || event[kept - 1] != event[i])
			event[kept++] = event[i];
	if (kept == nr)
		return event;
	free(event);
	return NULL;
}

/*
 * Frames that came through one ring from one CPU have the order of their events. When as many
 * events as frames are left, each frame having one of them, there is only one way.
 */
static bool settle_in_order(struct tapjoin *tj, const u32 *group, u32 nr)
{
	u64 *event = NULL;
	bool ok = true;
	u32 i;

	for (i = 0; i < nr; i++)
		if (tj->frame[group[i]].ring != tj->frame[group[0]].ring ||
		    tj->frame[group[i]].facts.frame.nr_cpus <= tj->max_cpu)
			return false;
	event = events_left(tj, group, nr);
	for (i = 0; event && ok && i < nr; i++)
		ok = is_possible(tj, &tj->frame[group[i]], event[i]);
	for (i = 0; event && ok && i < nr; i++) {
		tj->frame[group[i]].event = event[i];
		tj->frame[group[i]].state = FRAME_JOINED;
	}
	ok = ok && event;
	free(event);
	return ok;
}

/* Frames that share events with each other and nobody else; in the order in which they came. */
static void solve(struct tapjoin *tj, u32 *group, u32 nr)
{
	u32 i, left = 0;

	if (!settle_all(tj, group, nr)) {
		for (i = 0; i < nr; i++)
			tj->frame[group[i]].state = FRAME_AMBIGUOUS;
		return;
	}
	for (i = 0; i < nr; i++)
		if (tj->frame[group[i]].state == FRAME_PENDING)
			group[left++] = group[i];
	if (!left || settle_in_order(tj, group, left))
		return;
	for (i = 0; i < left; i++)
		tj->frame[group[i]].state = FRAME_AMBIGUOUS;
}

/* When a received frame with an early stamp was delivered at the latest: before the next of its ring. */
static void bound_above(struct tapjoin *tj)
{
	struct ring_trail *trail;
	struct frame *f;
	u32 i;

	for (i = tj->nr_pending; i-- > 0;) {
		f = &tj->frame[tj->pending[i]];
		if (f->facts.frame.nr_cpus <= tj->max_cpu)
			continue;
		trail = tapjoin_ring(tj, f->ring);
		if (trail->ring != f->ring)
			continue;
		if (trail->round == tj->round && trail->high_ns < f->high_ns)
			f->high_ns = trail->high_ns;
		trail->round = tj->round;
		trail->high_ns = f->high_ns;
	}
}

struct member {
	u32 root, turn, place;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->root != y->root)
		return x->root < y->root ? -1 : 1;
	return x->turn < y->turn ? -1 : x->turn > y->turn;
}

static void solve_all(struct tapjoin *tj, struct member *member, u32 *group, u32 nr)
{
	u32 i, from, n;

	for (i = 0; i < nr; i++)
		member[i].root = root_of(tj, member[i].place);
	qsort(member, nr, sizeof(*member), compare_members);
	for (from = 0; from < nr; from += n) {
		for (n = 0; from + n < nr && member[from + n].root == member[from].root; n++)
			group[n] = member[from + n].place;
		solve(tj, group, n);
	}
}

void tapjoin_match(struct tapjoin *tj, u64 final_ns)
{
	struct member *member = calloc(tj->nr_pending ? tj->nr_pending : 1, sizeof(*member));
	u32 *group = calloc(tj->nr_pending ? tj->nr_pending : 1, sizeof(*group));
	struct frame *f;
	u32 i, nr = 0;

	tj->round++;
	tj->nr_nodes = 0;
	bound_above(tj);
	for (i = 0; member && group && i < tj->nr_pending; i++) {
		f = &tj->frame[tj->pending[i]];
		if (f->facts.frame.ts_ns > final_ns &&
		    f->facts.frame.ts_ns + TAPJOIN_SETTLE_NS > tj->now_ns)
			continue;
		look_at(tj, tj->pending[i]);
		if (f->unsure)
			f->state = FRAME_AMBIGUOUS;
		else if (!f->nr_nodes)
			f->state = FRAME_ALONE;
		else
			member[nr++] = (struct member){ 0, i, tj->pending[i] };
	}
	if (nr)
		solve_all(tj, member, group, nr);
	free(member);
	free(group);
}
