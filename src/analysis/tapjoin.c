// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events held back until the frames of their time have come; see tapjoin.h. What belongs together is
 * found in tapjoin_match.c.
 */
#include "analysis/tapjoin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/tapjoin_internal.h"

#define FIRST_ROOM 4096
/* Events of the same skb that are looked back at for where it was handed to the device. */
#define LOOK_BACK 6

/* ---- events */

/* Rings are powers of two; numbers stay, places change. */
static bool grow_held(struct tapjoin *tj)
{
	struct held *all;
	u64 number;

	if (tj->end - tj->first < tj->room)
		return true;
	if (tj->room >= tj->options.max_events)
		return false;
	all = malloc((size_t)tj->room * 2 * sizeof(*all));
	if (!all)
		return false;
	for (number = tj->first; number < tj->end; number++)
		all[number & (tj->room * 2 - 1)] = *held_at(tj, number);
	free(tj->held);
	tj->held = all;
	tj->room *= 2;
	return true;
}

static bool track_push(struct track *t, u64 number)
{
	u32 room = t->room ? t->room * 2 : 256, i;
	u64 *all;

	if (t->nr == t->room) {
		all = malloc(room * sizeof(*all));
		if (!all)
			return false;
		for (i = 0; i < t->nr; i++)
			all[i] = t->event[(t->head + i) & (t->room - 1)];
		free(t->event);
		t->event = all;
		t->room = room;
		t->head = 0;
	}
	t->event[(t->head + t->nr++) & (t->room - 1)] = number;
	return true;
}

/* Follow the skb: its event before, and whether it was just sent through a pair or lo. */
static void follow(struct tapjoin *tj, struct held *h, u64 number)
{
	struct skb_trail *s = &tj->skb[h->ev.skb * 0x9e3779b97f4a7c15ULL >> 48];
	bool forget = h->ev.kind == EVENT_CONSUME || h->ev.kind == EVENT_DROP;

	if (s->skb != h->ev.skb)
		*s = (struct skb_trail){ .skb = h->ev.skb };
	h->before = s->last;
	h->cross_ns = 0;
	s->last = number + 1;
	switch (h->ev.kind) {
	case EVENT_START_XMIT:
		s->sent_ns = s->received ? 0 : h->ev.ts_ns;
		break;
	case EVENT_RX_ENTRY:
	case EVENT_RX:
		/* From within the driver's function: it takes an skb's time stamp off. */
		if (s->sent_ns)
			s->cross_ns = s->sent_ns;
		s->sent_ns = 0;
		break;
	case EVENT_XMIT:
	case EVENT_QUEUE:
		s->sent_ns = 0;
		break;
	case EVENT_GRO:
	case EVENT_RECEIVE_ENTRY:
	case EVENT_RECEIVE:
		h->cross_ns = s->cross_ns;
		s->received = true;
		break;
	default:
		break;
	}
	if (forget)
		*s = (struct skb_trail){ .skb = h->ev.skb };
}

/* Times that run backwards on a CPU make its order unknown, as if something was lost there. */
static void note_loss(struct tapjoin *tj, u16 cpu, u64 from_ns, u64 to_ns)
{
	struct told_loss *loss;

	if (tj->nr_losses == TAPJOIN_LOSSES) {
		loss = &tj->loss[tj->loss_first];
		if (loss->to_ns > tj->unsure_until_ns)
			tj->unsure_until_ns = loss->to_ns;
		if (!tj->losses_told && (loss->count || loss->uncounted))
			tj->options.lost(tj->options.ctx, loss->cpu, loss->from_ns, loss->to_ns,
					 loss->count, loss->uncounted);
		tj->losses_told -= tj->losses_told > 0;
		tj->loss_first = (tj->loss_first + 1) % TAPJOIN_LOSSES;
		tj->nr_losses--;
	}
	loss = &tj->loss[(tj->loss_first + tj->nr_losses++) % TAPJOIN_LOSSES];
	*loss = (struct told_loss){
		.before = tj->end, .from_ns = from_ns, .to_ns = to_ns, .cpu = cpu
	};
}

void tapjoin_lost(struct tapjoin *tj, u16 cpu, u64 from_ns, u64 to_ns, u64 count, bool uncounted)
{
	struct told_loss *loss;

	note_loss(tj, cpu, from_ns, to_ns);
	loss = &tj->loss[(tj->loss_first + tj->nr_losses - 1) % TAPJOIN_LOSSES];
	loss->count = count;
	loss->uncounted = uncounted;
}

/* ---- letting events go */

static void frame_put(struct tapjoin *tj, u32 place)
{
	struct frame *f = &tj->frame[place];

	if (f->refs && --f->refs)
		return;
	f->next = tj->free_frame;
	tj->free_frame = place;
}

static void tell_losses(struct tapjoin *tj, u64 number)
{
	const struct told_loss *loss;

	while (tj->losses_told < tj->nr_losses) {
		loss = &tj->loss[(tj->loss_first + tj->losses_told) % TAPJOIN_LOSSES];
		if (loss->before > number)
			return;
		tj->losses_told++;
		if (loss->count || loss->uncounted)
			tj->options.lost(tj->options.ctx, loss->cpu, loss->from_ns, loss->to_ns,
					 loss->count, loss->uncounted);
	}
}

static void let_go(struct tapjoin *tj, struct held *h)
{
	struct event headers;

	if (h->ev.kind == EVENT_START_XMIT || h->ev.kind == EVENT_RECEIVE) {
		tj->stats.hops_joined += h->joined;
		tj->stats.hops_alone += !h->joined;
	}
	if (h->own) {
		tj->stats.own_frees++;
		return;
	}
	if (h->frame != TAPJOIN_NONE) {
		headers = h->ev;
		headers.kind = EVENT_HEADERS;
		headers.has = EVENT_HAS_FACTS;
		headers.facts = &tj->frame[h->frame].facts;
		tj->options.event(tj->options.ctx, &headers);
	}
	tj->options.event(tj->options.ctx, &h->ev);
	if (h->frame != TAPJOIN_NONE)
		frame_put(tj, h->frame);
}

static void let_go_until(struct tapjoin *tj, u64 until_ns)
{
	struct held *h;
	struct track *t;

	while (tj->first < tj->end) {
		h = held_at(tj, tj->first);
		if (h->ev.ts_ns > until_ns)
			break;
		tell_losses(tj, tj->first);
		let_go(tj, h);
		t = &tj->track[h->ev.cpu];
		if (t->nr && track_number(t, 0) == tj->first) {
			t->head = (t->head + 1) & (t->room - 1);
			t->nr--;
		}
		tj->first++;
	}
	if (until_ns > tj->gone_ns)
		tj->gone_ns = until_ns;
	while (tj->losses_told &&
	       tj->loss[tj->loss_first].to_ns + TAPJOIN_HOLD_MAX_NS < tj->gone_ns) {
		tj->loss_first = (tj->loss_first + 1) % TAPJOIN_LOSSES;
		tj->losses_told--;
		tj->nr_losses--;
	}
}

/* ---- frames */

static u32 frame_new(struct tapjoin *tj)
{
	struct frame *all;
	u32 place = tj->free_frame, room;

	if (place != TAPJOIN_NONE) {
		tj->free_frame = tj->frame[place].next;
		return place;
	}
	if (tj->nr_frames == tj->frames_room) {
		room = tj->frames_room ? tj->frames_room * 2 : 256;
		if (room > tj->options.max_frames)
			room = tj->options.max_frames;
		if (room == tj->frames_room)
			return TAPJOIN_NONE;
		all = reallocarray(tj->frame, room, sizeof(*all));
		if (!all)
			return TAPJOIN_NONE;
		tj->frame = all;
		tj->frames_room = room;
	}
	return tj->nr_frames++;
}

static bool make_pending(struct tapjoin *tj, u32 place)
{
	u32 room = tj->pending_room ? tj->pending_room * 2 : 256, *all;

	if (tj->nr_pending == tj->pending_room) {
		all = reallocarray(tj->pending, room, sizeof(*all));
		if (!all)
			return false;
		tj->pending = all;
		tj->pending_room = room;
	}
	tj->pending[tj->nr_pending++] = place;
	return true;
}

/* When its event was: around the frame's own time, or from there to its record. */
static void bound(struct tapjoin *tj, struct frame *f, u64 record_ns)
{
	const struct frame_facts *frame = &f->facts.frame;
	struct ring_trail *trail = tapjoin_ring(tj, f->ring);
	bool early = !(frame->flags & FRAME_OUTGOING) && frame->flags & FRAME_STAMPED_EARLIER;

	f->low_ns = frame->ts_ns > frame->slack_ns ? frame->ts_ns - frame->slack_ns : 0;
	f->high_ns = early ? record_ns : frame->ts_ns + frame->slack_ns;
	if (trail->ring != f->ring)
		*trail = (struct ring_trail){ .ring = f->ring };
	/* One CPU delivers one frame after the other. */
	if (early && frame->nr_cpus > tj->max_cpu && trail->low_ns > f->low_ns)
		f->low_ns = trail->low_ns;
	if (f->low_ns > trail->low_ns)
		trail->low_ns = f->low_ns;
}

/* Whether it is of any use to look for its event. */
static bool can_join(struct tapjoin *tj, const struct frame *f)
{
	const struct frame_facts *frame = &f->facts.frame;

	if (!f->dev || (frame->flags & (FRAME_NO_HOP | FRAME_OUTGOING)) == FRAME_NO_HOP)
		tj->stats.alone++;
	else if (frame->slack_ns == UINT32_MAX)
		tj->stats.ambiguous++;
	else if (f->low_ns <= tj->gone_ns)
		tj->stats.late++;
	else
		return true;
	return false;
}

static void take_frame(struct tapjoin *tj, const struct event *ev)
{
	const struct frame_facts *frame = &ev->facts->frame;
	u32 place = frame_new(tj);
	struct frame *f;

	tj->stats.frames++;
	tj->stats.lost += !!(frame->flags & FRAME_LOST);
	if (ev->ts_ns > frame->ts_ns && ev->ts_ns - frame->ts_ns > tj->stats.max_delay_ns)
		tj->stats.max_delay_ns = ev->ts_ns - frame->ts_ns;
	if (place == TAPJOIN_NONE) {
		tj->stats.refused++;
		return;
	}
	f = &tj->frame[place];
	f->facts = *ev->facts;
	f->len_bytes = ev->len_bytes;
	f->dev = ev->dev;
	f->refs = 0;
	f->state = FRAME_PENDING;
	f->ring = (u64)f->facts.netns_inum << 32 | (u64)frame->cpu << 16 | frame->nr_cpus;
	bound(tj, f, ev->ts_ns);
	if (!can_join(tj, f)) {
		frame_put(tj, place);
	} else if (!make_pending(tj, place)) {
		tj->stats.refused++;
		frame_put(tj, place);
	}
}

/* ---- what the frames told */

static void give(struct tapjoin *tj, struct held *h, u32 place)
{
	h->frame = place;
	tj->frame[place].refs++;
}

/* Whether an event of the skb may be missing between two, by which it became another packet. */
static bool may_miss(const struct tapjoin *tj, const struct held *from, const struct held *to)
{
	const struct told_loss *loss;
	u32 i;

	if (from->ev.ts_ns <= tj->unsure_until_ns ||
	    (tj->options.cut_off && from->ev.cpu != to->ev.cpu))
		return true;
	for (i = 0; i < tj->nr_losses; i++) {
		loss = &tj->loss[(tj->loss_first + i) % TAPJOIN_LOSSES];
		if (loss->from_ns <= to->ev.ts_ns && loss->to_ns >= from->ev.ts_ns)
			return true;
	}
	return false;
}

/* The same skb, on its way to the same device, or out of it: it is the same packet there. */
static void give_before(struct tapjoin *tj, const struct held *of, u32 place)
{
	bool sent = of->ev.kind == EVENT_START_XMIT;
	u64 number = of->before;
	struct held *h;
	u32 i;

	for (i = 0; i < LOOK_BACK && number > tj->first; i++, number = h->before) {
		h = held_at(tj, number - 1);
		if (h->frame != TAPJOIN_NONE || h->ev.skb != of->ev.skb)
			return;
		if (h->ev.kind == EVENT_NOTE || h->ev.kind == EVENT_XMIT ||
		    h->ev.kind == EVENT_STACK)
			continue;
		if (h->ev.dev != of->ev.dev ||
		    (sent ? h->ev.kind != EVENT_QUEUE :
			    h->ev.kind < EVENT_RX_ENTRY || h->ev.kind >= EVENT_RECEIVE))
			return;
		/* GRO may have made it longer since. */
		if ((!sent && h->ev.len_bytes != of->ev.len_bytes) || may_miss(tj, h, of))
			return;
		give(tj, h, place);
		if (sent)
			return;
	}
}

/* The clone that was made for the tap is freed right before the packet goes to the driver. */
static void find_own_free(struct tapjoin *tj, const struct held *sent, const struct frame *f)
{
	const struct track *t = &tj->track[sent->ev.cpu];
	u32 low = 0, high = t->nr, mid;
	struct held *h;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (track_number(t, mid) < f->event)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return;
	h = track_at(tj, t, low - 1);
	h->own = (h->ev.kind == EVENT_CONSUME || h->ev.kind == EVENT_DROP) &&
		 h->ev.ts_ns >= f->facts.frame.ts_ns && h->ev.skb != sent->ev.skb;
}

static void take_match(struct tapjoin *tj, u32 place)
{
	struct frame *f = &tj->frame[place];
	struct held *h = held_at(tj, f->event);

	tj->stats.joined++;
	h->joined = true;
	if (h->frame != TAPJOIN_NONE)
		frame_put(tj, h->frame); /* told by a later event of the same skb */
	give(tj, h, place);
	give_before(tj, h, place);
	if (h->ev.kind == EVENT_START_XMIT)
		find_own_free(tj, h, f);
}

static void match(struct tapjoin *tj, u64 final_ns)
{
	struct frame *f;
	u32 i, kept = 0;

	tapjoin_match(tj, final_ns);
	for (i = 0; i < tj->nr_pending; i++) {
		f = &tj->frame[tj->pending[i]];
		if (f->state == FRAME_JOINED) {
			take_match(tj, tj->pending[i]);
		} else if (f->facts.frame.ts_ns <= final_ns) {
			tj->stats.ambiguous += f->state != FRAME_ALONE;
			tj->stats.alone += f->state == FRAME_ALONE;
			frame_put(tj, tj->pending[i]);
		} else {
			tj->pending[kept++] = tj->pending[i];
		}
	}
	tj->nr_pending = kept;
	tj->matched_ns = tj->now_ns;
}

/* ---- the stream */

static u64 ago(const struct tapjoin *tj, u64 ns)
{
	return tj->now_ns > ns ? tj->now_ns - ns : 0;
}

static void advance(struct tapjoin *tj)
{
	u64 until = ago(tj, TAPJOIN_HOLD_MIN_NS);

	if (tj->mark_ns < until)
		until = tj->mark_ns;
	if (until < ago(tj, TAPJOIN_HOLD_MAX_NS))
		until = ago(tj, TAPJOIN_HOLD_MAX_NS);
	match(tj, until);
	let_go_until(tj, until);
}

/* No room: half of the events are let go, with what is known by now. */
static void hurry(struct tapjoin *tj)
{
	u64 middle = tj->first + (tj->end - tj->first) / 2, before = tj->first;
	u64 until = held_at(tj, middle)->ev.ts_ns;

	match(tj, until);
	let_go_until(tj, until);
	tj->stats.hurried += tj->first - before;
}

/* What the event itself tells is valid as long as the event: it is held as a frame of its own is. */
static void keep_facts(struct tapjoin *tj, struct held *h)
{
	u32 place = frame_new(tj);

	if (place != TAPJOIN_NONE) {
		tj->frame[place].facts = *h->ev.facts;
		tj->frame[place].refs = 0;
		give(tj, h, place);
	}
	h->ev.has &= (u8)~EVENT_HAS_FACTS;
	h->ev.facts = NULL;
}

static void take_event(struct tapjoin *tj, const struct event *ev)
{
	struct track *t = &tj->track[ev->cpu];
	struct held *h;

	if (!grow_held(tj))
		hurry(tj);
	/* Without memory, or with all events of one time: as if there were no tap. */
	if (!grow_held(tj)) {
		let_go_until(tj, ev->ts_ns);
		tj->unsure_until_ns = ev->ts_ns;
	}
	if (t->nr && track_at(tj, t, t->nr - 1)->ev.ts_ns > ev->ts_ns)
		note_loss(tj, ev->cpu, ev->ts_ns, track_at(tj, t, t->nr - 1)->ev.ts_ns);
	h = held_at(tj, tj->end);
	h->ev = *ev;
	h->frame = TAPJOIN_NONE;
	h->round = 0;
	h->joined = h->own = false;
	if (ev->has & EVENT_HAS_FACTS)
		keep_facts(tj, h);
	follow(tj, h, tj->end);
	if (ev->cpu > tj->max_cpu)
		tj->max_cpu = ev->cpu;
	if (!(ev->context & EVENT_IN_HARDIRQ) && !track_push(t, tj->end))
		note_loss(tj, ev->cpu, ev->ts_ns, ev->ts_ns);
	tj->end++;
}

void tapjoin_event(struct tapjoin *tj, const struct event *ev)
{
	if (ev->ts_ns > tj->now_ns)
		tj->now_ns = ev->ts_ns;
	if (ev->kind == EVENT_FRAME && ev->facts->frame.flags & FRAME_MARK)
		tj->mark_ns = ev->facts->frame.ts_ns;
	else if (ev->kind == EVENT_FRAME)
		take_frame(tj, ev);
	else
		take_event(tj, ev);
	if (tj->now_ns >= tj->matched_ns + TAPJOIN_BATCH_NS)
		advance(tj);
}

void tapjoin_tick(struct tapjoin *tj, u64 now_ns)
{
	if (now_ns > tj->now_ns)
		tj->now_ns = now_ns;
	advance(tj);
}

u64 tapjoin_gone(const struct tapjoin *tj)
{
	return tj->gone_ns;
}

void tapjoin_finish(struct tapjoin *tj)
{
	match(tj, UINT64_MAX);
	let_go_until(tj, UINT64_MAX);
	tell_losses(tj, UINT64_MAX);
}

const struct tapjoin_stats *tapjoin_stats(const struct tapjoin *tj)
{
	return &tj->stats;
}

int tapjoin_new(struct tapjoin **out, const struct tapjoin_options *options, struct error *err)
{
	struct tapjoin *tj = calloc(1, sizeof(*tj));

	if (!tj)
		return error_errno(err, ENOMEM, "cannot join frames");
	tj->options = *options;
	if (!tj->options.max_events)
		tj->options.max_events = TAPJOIN_MAX_EVENTS;
	if (!tj->options.max_frames)
		tj->options.max_frames = TAPJOIN_MAX_FRAMES;
	tj->room = tj->options.max_events < FIRST_ROOM ? tj->options.max_events : FIRST_ROOM;
	tj->free_frame = TAPJOIN_NONE;
	tj->held = malloc(tj->room * sizeof(*tj->held));
	tj->track = calloc(TAPJOIN_CPUS, sizeof(*tj->track));
	tj->skb = calloc(TAPJOIN_SKBS, sizeof(*tj->skb));
	tj->trail = calloc(TAPJOIN_RINGS, sizeof(*tj->trail));
	if (!tj->held || !tj->track || !tj->skb || !tj->trail) {
		tapjoin_free(tj);
		return error_errno(err, ENOMEM, "cannot join frames");
	}
	*out = tj;
	return 0;
}

void tapjoin_free(struct tapjoin *tj)
{
	u32 i;

	if (!tj)
		return;
	for (i = 0; tj->track && i < TAPJOIN_CPUS; i++)
		free(tj->track[i].event);
	free(tj->held);
	free(tj->frame);
	free(tj->pending);
	free(tj->track);
	free(tj->skb);
	free(tj->trail);
	free(tj->node);
	free(tj);
}
