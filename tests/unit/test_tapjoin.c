// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Joining frames with hops: never a wrong one, whatever order things come in.
 *
 * The second half is a small kernel: CPUs that send, receive, bridge, reply and lose, at the same time,
 * with packets of the same length on devices of the same name. Each event and each frame knows
 * which packet it is of, which the join does not see; what it says is held against that.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/tapjoin.h"

#define MAX_OUT 4096
#define START_NS (1000 * NSEC_PER_SEC)

struct out {
	struct event ev[MAX_OUT];
	u32 id[MAX_OUT]; /* of the frame that came before the event; 0: none */
	u32 nr, pending_id;
	u64 pending_skb;
	u32 losses;
};

static struct out out;

static void take(void *ctx, const struct event *ev)
{
	(void)ctx;
	if (ev->kind == EVENT_HEADERS) {
		assert_true(ev->has & EVENT_HAS_FACTS);
		assert_true(ev->facts->tapped || ev->facts->told);
		out.pending_id = ev->facts->mark;
		out.pending_skb = ev->skb;
		return;
	}
	assert_true(out.nr < MAX_OUT);
	if (out.nr)
		assert_true(ev->ts_ns >= out.ev[out.nr - 1].ts_ns);
	if (out.pending_id)
		assert_int_equal(out.pending_skb, ev->skb);
	out.id[out.nr] = out.pending_id;
	out.ev[out.nr++] = *ev;
	out.pending_id = 0;
}

static void take_loss(void *ctx, u16 cpu, u64 from_ns, u64 to_ns, u64 count, bool uncounted)
{
	(void)ctx;
	(void)cpu;
	(void)from_ns;
	(void)to_ns;
	(void)count;
	(void)uncounted;
	out.losses++;
}

static bool cut_off;

static struct tapjoin *start(u32 max_events, u32 max_frames)
{
	struct tapjoin_options options = { .event = take,
					   .lost = take_loss,
					   .max_events = max_events,
					   .max_frames = max_frames,
					   .cut_off = cut_off };
	/* Both CPUs are known from the beginning. */
	struct event first = { .kind = EVENT_NOTE, .ts_ns = START_NS, .skb = 1, .cpu = 1 };
	struct tapjoin *tj;

	memset(&out, 0, sizeof(out));
	assert_int_equal(tapjoin_new(&tj, &options, NULL), 0);
	tapjoin_event(tj, &first);
	return tj;
}

/* ---- by hand: what the header file says */

enum { BR0 = 1, ETH0 = 2, VETH = 3 };

#define A 0xffff888100000100ULL
#define B 0xffff888100000200ULL

struct line {
	u64 ns; /* since START_NS; of a frame, its own time */
	u64 skb;
	u64 record_ns; /* of a frame; 0: an event */
	u32 len;
	u32 id; /* packet */
	u32 slack_ns;
	u16 cpu, nr_cpus, dev, flags;
	u8 kind;
	bool hardirq;
};

#define EV(k, t, s, d, l, ...)                                                                  \
	{                                                                                       \
		.kind = EVENT_##k, .ns = (t), .skb = (s), .dev = (d), .len = (l), ##__VA_ARGS__ \
	}
#define TX_OF(cpus, t, d, l, who, ...)                                                            \
	{                                                                                         \
		.ns = (t), .dev = (d), .len = (l), .id = (who), .flags = FRAME_OUTGOING,          \
		.record_ns = 10 * NSEC_PER_MSEC, .nr_cpus = (cpus), .slack_ns = 20, ##__VA_ARGS__ \
	}
#define TX(...) TX_OF(2, __VA_ARGS__)
#define RX(t, d, l, who, ...)                                                                \
	{                                                                                    \
		.ns = (t), .dev = (d), .len = (l) + 14, .id = (who),                         \
		.record_ns = 10 * NSEC_PER_MSEC, .nr_cpus = 2, .slack_ns = 20, ##__VA_ARGS__ \
	}

static void play_event(struct tapjoin *tj, const struct line *l)
{
	struct event ev = { .kind = l->kind,
			    .ts_ns = START_NS + l->ns,
			    .skb = l->skb,
			    .dev = l->dev,
			    .len_bytes = l->len,
			    .cpu = l->cpu,
			    .pid = (s32)l->id,
			    .has = l->len ? EVENT_HAS_LEN : 0 };

	ev.context = EVENT_CONTEXT_KNOWN | (l->hardirq ? EVENT_IN_HARDIRQ : 0);
	tapjoin_event(tj, &ev);
}

static void play_frame(struct tapjoin *tj, const struct line *l, u32 seq)
{
	struct skb_facts facts = { .tapped = true, .has_packet = true, .mark = l->id };
	struct event ev = { .kind = EVENT_FRAME,
			    .ts_ns = START_NS + l->record_ns,
			    .facts = &facts,
			    .has = EVENT_HAS_FACTS | EVENT_HAS_LEN,
			    .len_bytes = l->len,
			    .dev = l->dev };

	facts.netns_inum = 7;
	facts.frame.ts_ns = START_NS + l->ns;
	facts.frame.slack_ns = l->slack_ns;
	facts.frame.seq = seq;
	facts.frame.link_bytes = 14;
	facts.frame.cpu = l->cpu;
	facts.frame.nr_cpus = l->nr_cpus;
	facts.frame.flags = l->flags;
	tapjoin_event(tj, &ev);
}

static void play(struct tapjoin *tj, const struct line *line, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (line[i].record_ns)
			play_frame(tj, &line[i], (u32)i);
		else
			play_event(tj, &line[i]);
	}
	tapjoin_finish(tj);
}

/* The frame of the event at a time; 0: none. */
static u32 frame_at(u64 ns)
{
	u32 i;

	for (i = 0; i < out.nr; i++)
		if (out.ev[i].ts_ns == START_NS + ns)
			return out.id[i];
	fail_msg("no event at %llu", (unsigned long long)ns);
	return 0;
}

static void a_sent_frame_is_of_the_next_start_on_its_cpu(void **state)
{
	static const struct line story[] = {
		EV(QUEUE, 1000, A, BR0, 98, .id = 1),
		EV(CONSUME, 1600, B, 0, 0), /* the clone for the socket */
		EV(START_XMIT, 1700, A, BR0, 98, .id = 1),
		/* The other CPU does the same at the same time. */
		EV(START_XMIT, 1750, B, BR0, 98, .id = 2, .cpu = 1),
		TX(1500, BR0, 98, 1),
		TX(1510, BR0, 98, 2, .cpu = 1),
	};
	struct tapjoin *tj = start(0, 0);

	(void)state;
	play(tj, story, ARRAY_SIZE(story));
	assert_int_equal(frame_at(1700), 1);
	assert_int_equal(frame_at(1750), 2);
	/* The same skb was queued on that device: it is the same packet there. */
	assert_int_equal(frame_at(1000), 1);
	assert_int_equal(tapjoin_stats(tj)->joined, 2);
	assert_int_equal(tapjoin_stats(tj)->own_frees, 1);
	tapjoin_free(tj);
}

/* It is held back with the event, whose own memory is another's by then. */
static void what_an_event_itself_tells_is_held_with_it(void **state)
{
	struct skb_facts facts = { .told = TOLD_RECEIVED, .has_packet = true, .mark = 7 };
	struct event ev = { .kind = EVENT_NOTE,
			    .ts_ns = START_NS + 100,
			    .skb = A,
			    .has = EVENT_HAS_FACTS,
			    .facts = &facts };
	struct tapjoin *tj = start(0, 0), *full;

	(void)state;
	tapjoin_event(tj, &ev);
	memset(&facts, 0, sizeof(facts));
	tapjoin_finish(tj);
	assert_int_equal(frame_at(100), 7);
	assert_false(out.ev[out.nr - 1].has & EVENT_HAS_FACTS);
	tapjoin_free(tj);
	/* Without room it goes on without. */
	full = start(0, 1);
	facts.mark = 7;
	facts.told = TOLD_RECEIVED;
	tapjoin_event(full, &ev);
	ev.ts_ns += 100;
	tapjoin_event(full, &ev);
	tapjoin_finish(full);
	assert_int_equal(frame_at(100), 7);
	assert_int_equal(frame_at(200), 0);
	tapjoin_free(full);
}

static void two_frames_for_one_event_are_both_ambiguous(void **state)
{
	static const struct line story[] = {
		EV(START_XMIT, 1700, A, BR0, 98, .id = 1),
		EV(RECEIVE, 2000, A, ETH0, 84, .id = 2),
		TX(1500, BR0, 98, 1),
		TX(1550, BR0, 98, 9),
		RX(2100, ETH0, 84, 2),
		RX(2150, ETH0, 84, 9),
	};
	struct tapjoin *tj = start(0, 0);

	(void)state;
	play(tj, story, ARRAY_SIZE(story));
	assert_int_equal(frame_at(1700), 0);
	assert_int_equal(frame_at(2000), 0);
	assert_int_equal(tapjoin_stats(tj)->ambiguous, 4);
	tapjoin_free(tj);
}

static void only_the_free_of_the_clone_is_left_out(void **state)
{
	static const struct line story[] = {
		EV(CONSUME, 1400, B, 0, 0), /* some packet's, before the clone was made */
		EV(START_XMIT, 1700, A, BR0, 98, .id = 1),
		EV(CONSUME, 1800, B, 0, 0),
		TX(1500, BR0, 98, 1),
	};
	struct tapjoin *tj = start(0, 0);

	(void)state;
	play(tj, story, ARRAY_SIZE(story));
	assert_int_equal(frame_at(1700), 1);
	assert_int_equal(frame_at(1400), 0);
	assert_int_equal(frame_at(1800), 0);
	assert_int_equal(tapjoin_stats(tj)->own_frees, 0);
	tapjoin_free(tj);
}

static void without_the_cpu_overlapping_frames_stay_ambiguous(void **state)
{
	static const struct line story[] = {
		EV(START_XMIT, 1700, A, BR0, 98, .id = 1),
		EV(START_XMIT, 1750, B, BR0, 98, .id = 2, .cpu = 1),
		TX_OF(1, 1500, BR0, 98, 1),
		TX_OF(1, 1510, BR0, 98, 2),
	};
	struct tapjoin *tj = start(0, 0);

	(void)state;
	play(tj, story, ARRAY_SIZE(story));
	assert_int_equal(frame_at(1700), 0);
	assert_int_equal(frame_at(1750), 0);
	assert_int_equal(tapjoin_stats(tj)->ambiguous, 2);
	tapjoin_free(tj);
}

static void a_frame_with_other_length_device_or_direction_is_nobodys(void **state)
{
	static const struct line story[] = {
		EV(START_XMIT, 1700, A, BR0, 98, .id = 1),
		EV(RECEIVE, 2700, B, BR0, 84, .id = 2),
		TX(1500, BR0, 99, 3),
		TX(1501, ETH0, 98, 4),
		RX(2800, BR0, 85, 5),
		RX(2801, ETH0, 84, 6),
		/* received, but the last receive before it was that of another length */
		TX(2802, BR0, 84, 7),
	};
	struct tapjoin *tj = start(0, 0);

	(void)state;
	play(tj, story, ARRAY_SIZE(story));
	assert_int_equal(frame_at(1700), 0);
	assert_int_equal(frame_at(2700), 0);
	assert_int_equal(tapjoin_stats(tj)->alone, 5);
	assert_int_equal(tapjoin_stats(tj)->hops_alone, 2);
	tapjoin_free(tj);
}

static void a_received_frame_is_of_the_last_receive_on_its_cpu(void **state)
{
	static const struct line story[] = {
		EV(RX, 900, A, ETH0, 84, .id = 1),
		EV(RECEIVE, 1000, A, ETH0, 84, .id = 1),
		EV(NOTE, 1100, B, 0, 0, .hardirq = true), /* interrupts come whenever they like */
		EV(QUEUE, 1900, B, ETH0, 98, .id = 2),
		EV(RECEIVE, 2000, A, ETH0, 84, .id = 3),
		RX(1200, ETH0, 84, 1),
		RX(2100, ETH0, 84, 3),
	};
	struct tapjoin *tj = start(0, 0);

	(void)state;
	play(tj, story, ARRAY_SIZE(story));
	assert_int_equal(frame_at(1000), 1);
	assert_int_equal(frame_at(900), 1);
	assert_int_equal(frame_at(1900), 0);
	assert_int_equal(frame_at(2000), 3);
	tapjoin_free(tj);
}

static void frames_stamped_early_are_joined_in_the_order_of_their_cpu(void **state)
{
	static const struct line story[] = {
		EV(RECEIVE, 3000, A, ETH0, 84, .id = 1),
		EV(RECEIVE, 4000, B, ETH0, 84, .id = 2),
		RX(1000, ETH0, 84, 1, .flags = FRAME_STAMPED_EARLIER),
		RX(1100, ETH0, 84, 2, .flags = FRAME_STAMPED_EARLIER),
	};
	/* Three events for two frames: nobody knows which was not tapped. */
	static const struct line more[] = {
		EV(RECEIVE, 3000, A, ETH0, 84, .id = 1),
		EV(RECEIVE, 3500, B, ETH0, 84, .id = 9),
		EV(RECEIVE, 4000, B, ETH0, 84, .id = 2),
		RX(1000, ETH0, 84, 1, .flags = FRAME_STAMPED_EARLIER),
		RX(1100, ETH0, 84, 2, .flags = FRAME_STAMPED_EARLIER),
	};
	struct tapjoin *tj = start(0, 0);

	(void)state;
	play(tj, story, ARRAY_SIZE(story));
	assert_int_equal(frame_at(3000), 1);
	assert_int_equal(frame_at(4000), 2);
	tapjoin_free(tj);
	tj = start(0, 0);
	play(tj, more, ARRAY_SIZE(more));
	assert_int_equal(frame_at(3000), 0);
	assert_int_equal(frame_at(3500), 0);
	assert_int_equal(frame_at(4000), 0);
	assert_int_equal(tapjoin_stats(tj)->ambiguous, 2);
	tapjoin_free(tj);
}

static void the_next_frame_of_a_cpu_bounds_one_that_was_stamped_early(void **state)
{
	static const struct line story[] = {
		EV(RECEIVE, 3000, A, ETH0, 84, .id = 1),
		EV(START_XMIT, 3600, B, ETH0, 98, .id = 2),
		EV(RECEIVE, 4000, B, ETH0, 84, .id = 9), /* of a netns that nobody tapped */
		RX(1000, ETH0, 84, 1, .flags = FRAME_STAMPED_EARLIER),
		TX(3500, ETH0, 98, 2),
	};
	struct tapjoin *tj = start(0, 0);

	(void)state;
	play(tj, story, ARRAY_SIZE(story));
	assert_int_equal(frame_at(3000), 1);
	assert_int_equal(frame_at(4000), 0);
	tapjoin_free(tj);
}

static void nothing_is_joined_where_records_were_lost(void **state)
{
	static const struct line before[] = { EV(RECEIVE, 3000, A, ETH0, 84, .id = 9) };
	static const struct line after[] = { RX(3400, ETH0, 84, 1) };
	struct tapjoin *tj = start(0, 0);

	(void)state;
	play_event(tj, before);
	/* The frame's own event may be among these. */
	tapjoin_lost(tj, 0, START_NS + 3000, START_NS + 3500, 2, false);
	play(tj, after, 1);
	assert_int_equal(frame_at(3000), 0);
	assert_int_equal(tapjoin_stats(tj)->ambiguous, 1);
	assert_int_equal(out.losses, 1);
	tapjoin_free(tj);
}

static void frames_that_come_too_late_or_of_unknown_time_are_counted_and_left(void **state)
{
	struct line late = RX(1000, ETH0, 84, 1), unsure = RX(2000000000, ETH0, 84, 2);
	struct line event = EV(RECEIVE, 900, A, ETH0, 84, .id = 1);
	struct line much_later = EV(NOTE, 2100000000, A, 0, 0);
	struct tapjoin *tj = start(0, 0);

	(void)state;
	late.record_ns = 2100000001;
	unsure.record_ns = 2100000002;
	unsure.slack_ns = UINT32_MAX;
	play_event(tj, &event);
	play_event(tj, &much_later);
	play_frame(tj, &late, 1);
	play_frame(tj, &unsure, 2);
	tapjoin_finish(tj);
	assert_int_equal(tapjoin_stats(tj)->late, 1);
	assert_int_equal(tapjoin_stats(tj)->ambiguous, 1);
	assert_int_equal(tapjoin_stats(tj)->joined, 0);
	assert_int_equal(tapjoin_stats(tj)->max_delay_ns, 2099999001);
	tapjoin_free(tj);
}

static void events_go_when_the_tap_marks_that_their_frames_have_come(void **state)
{
	struct line event = EV(RECEIVE, 900, A, ETH0, 84, .id = 1), frame = RX(1000, ETH0, 84, 1);
	struct line mark = RX(0, 0, 0, 0, .flags = FRAME_MARK);
	struct tapjoin *tj = start(0, 0);

	(void)state;
	play_event(tj, &event);
	tapjoin_tick(tj, START_NS + 400 * NSEC_PER_MSEC);
	assert_int_equal(out.nr, 0);
	frame.record_ns = 450 * NSEC_PER_MSEC;
	play_frame(tj, &frame, 1);
	mark.ns = 300 * NSEC_PER_MSEC;
	mark.record_ns = 460 * NSEC_PER_MSEC;
	play_frame(tj, &mark, 0);
	tapjoin_tick(tj, START_NS + 461 * NSEC_PER_MSEC);
	assert_int_equal(out.nr, 2);
	assert_int_equal(frame_at(900), 1);
	assert_int_equal(tapjoin_gone(tj), START_NS + 300 * NSEC_PER_MSEC);
	assert_int_equal(tapjoin_stats(tj)->frames, 1);
	tapjoin_free(tj);
}

static void caps_let_events_go_and_lose_none(void **state)
{
	struct line event = EV(RECEIVE, 0, A, ETH0, 84);
	struct line frame = RX(0, ETH0, 84, 1);
	struct tapjoin *tj = start(64, 4);
	u32 i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		event.ns = i * 1000;
		play_event(tj, &event);
		frame.ns = event.ns + 100;
		frame.record_ns = event.ns + 200;
		play_frame(tj, &frame, i);
	}
	tapjoin_finish(tj);
	assert_int_equal(out.nr, 1001);
	assert_true(tapjoin_stats(tj)->hurried > 0);
	assert_true(tapjoin_stats(tj)->refused > 0);
	assert_int_equal(tapjoin_stats(tj)->frames, 1000);
	tapjoin_free(tj);
}

/* ---- a small kernel */

#define STREAMS 10000
#define SIM_CPUS 4
#define SIM_EVENTS 2048
#define SIM_FRAMES 512
#define SIM_NETNS 3
#define BACKLOG 16

/* The same names in each netns; the last netns is tapped or not. */
enum { SIM_LO = 1, SIM_ETH, SIM_BR, SIM_DEVS };

struct sim_packet {
	u64 skb;
	u32 id, len;
	u64 stamp; /* 0: none */
	u8 netns;
	u16 dev;
};

struct sim_frame {
	struct line line;
	u64 record_ns;
	u8 netns;
	u32 seq;
};

struct sim_cpu {
	u64 now;
	u64 free_skb[8]; /* the last freed is taken first */
	u32 nr_free;
	struct sim_packet backlog[BACKLOG];
	u32 nr_backlog;
	bool losing;
	u64 lost_from;
};

struct sim {
	struct sim_cpu cpu[SIM_CPUS];
	struct line ev[SIM_EVENTS];
	bool clone[SIM_EVENTS]; /* the free of a clone that the tap made */
	u32 nr_ev;
	struct sim_frame frame[SIM_FRAMES];
	u32 nr_frame;
	u32 cpus, nr_cpus; /* CPUs; what a frame tells of them */
	u32 slack, ids, lens;
	u64 next_skb;
	bool stamps; /* some process wants time stamps */
	bool last_tapped, lossy, frame_loss;
	struct {
		u16 cpu;
		u64 from, to;
	} loss[64];
	u32 nr_loss;
	u64 block_end[SIM_NETNS][SIM_CPUS];
};

static u64 rng;

static u32 rnd(u32 below)
{
	rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)((rng >> 33) * (u64)below >> 31);
}

static void sim_event(struct sim *s, u32 c, u8 kind, const struct sim_packet *p, u32 len)
{
	struct sim_cpu *cpu = &s->cpu[c];

	cpu->now += 20 + rnd(rnd(4) ? 200 : 3000);
	if (s->lossy && !cpu->losing && !rnd(60)) {
		cpu->losing = true;
	} else if (cpu->losing && !rnd(4) && s->nr_loss < ARRAY_SIZE(s->loss)) {
		cpu->losing = false;
		s->loss[s->nr_loss].cpu = (u16)c;
		s->loss[s->nr_loss].from = cpu->lost_from;
		s->loss[s->nr_loss++].to = cpu->now;
	}
	if (cpu->losing && s->nr_loss < ARRAY_SIZE(s->loss))
		return;
	if (s->nr_ev == SIM_EVENTS)
		return;
	cpu->lost_from = cpu->now;
	s->ev[s->nr_ev++] = (struct line){ .kind = kind,
					   .ns = cpu->now,
					   .skb = p->skb,
					   .len = len,
					   .id = p->id,
					   .cpu = (u16)c,
					   .dev = p->dev };
}

/* What the tap sees. */
static void sim_frame(struct sim *s, u32 c, const struct sim_packet *p, u32 len, u16 flags,
		      u64 stamp)
{
	struct sim_cpu *cpu = &s->cpu[c];
	struct sim_frame *f;
	u64 *end = &s->block_end[p->netns][c % s->nr_cpus];
	u64 real;

	cpu->now += 50 + rnd(300);
	if (p->netns == SIM_NETNS - 1 && !s->last_tapped)
		return;
	if (s->nr_frame == SIM_FRAMES || (s->frame_loss && !rnd(10)))
		return;
	real = stamp ? stamp : cpu->now;
	if (cpu->now > *end)
		*end = cpu->now + 1000000 + rnd(8000000);
	f = &s->frame[s->nr_frame];
	*f = (struct sim_frame){ .netns = p->netns, .seq = s->nr_frame++ };
	f->record_ns = *end + f->seq; /* one after the other */
	f->line = (struct line){ .ns = real + rnd(2 * s->slack + 1) - s->slack,
				 .slack_ns = s->slack,
				 .len = len,
				 .id = p->id,
				 .cpu = (u16)(c % s->nr_cpus),
				 .nr_cpus = (u16)s->nr_cpus,
				 .dev = p->dev,
				 .flags = flags };
	cpu->now += 30 + rnd(200);
}

static u64 sim_alloc(struct sim *s, u32 c)
{
	struct sim_cpu *cpu = &s->cpu[c];

	return cpu->nr_free ? cpu->free_skb[--cpu->nr_free] : (s->next_skb += 256);
}

static void sim_gone(struct sim *s, u32 c, u64 skb)
{
	struct sim_cpu *cpu = &s->cpu[c];

	if (cpu->nr_free < ARRAY_SIZE(cpu->free_skb))
		cpu->free_skb[cpu->nr_free++] = skb;
}

/* Freed, with an event or without. */
static void sim_free(struct sim *s, u32 c, const struct sim_packet *p)
{
	struct sim_packet plain = { .skb = p->skb, .id = p->id };

	if (rnd(3))
		sim_event(s, c, rnd(2) ? EVENT_CONSUME : EVENT_DROP, &plain, 0);
	sim_gone(s, c, p->skb);
}

static void sim_xmit(struct sim *s, u32 c, struct sim_packet *p)
{
	struct sim_packet clone = { .id = 0 };
	bool tapped = p->netns < SIM_NETNS - 1 || s->last_tapped;
	u32 before;

	if (rnd(5))
		sim_event(s, c, EVENT_QUEUE, p, p->len + 14);
	/* dev_queue_xmit_nit() */
	clone.skb = sim_alloc(s, c);
	sim_frame(s, c, p, p->len + 14, FRAME_OUTGOING, 0);
	if (tapped) {
		before = s->nr_ev;
		sim_event(s, c, EVENT_CONSUME, &clone, 0);
		if (s->nr_ev > before)
			s->clone[before] = true;
	}
	sim_gone(s, c, clone.skb);
	sim_event(s, c, EVENT_START_XMIT, p, p->len + 14);
}

static void sim_receive(struct sim *s, u32 c, struct sim_packet *p);

/* Through a device: a bridge hands on to its port, a pair or lo into the backlog of the other end. */
static void sim_send(struct sim *s, u32 c, struct sim_packet *p)
{
	struct sim_cpu *cpu = &s->cpu[c];
	u64 skb = p->skb;

	sim_xmit(s, c, p);
	if (p->dev == SIM_BR) {
		p->dev = SIM_ETH;
		sim_xmit(s, c, p);
	}
	if (rnd(6) == 0 || cpu->nr_backlog == BACKLOG) {
		/* a real device: gone, nobody says when */
		sim_event(s, c, EVENT_XMIT, p, p->len + 14);
		sim_gone(s, c, skb);
		return;
	}
	if (p->dev != SIM_LO)
		p->netns = (u8)rnd(SIM_NETNS);
	p->stamp = s->stamps ? cpu->now + 10 : 0;
	if (p->stamp)
		cpu->now += 20;
	sim_event(s, c, EVENT_RX, p, p->len);
	cpu->backlog[cpu->nr_backlog++] = *p;
	sim_event(s, c, EVENT_XMIT, p, p->len + 14);
}

static void sim_new(struct sim *s, u32 c, struct sim_packet *p)
{
	*p = (struct sim_packet){ .skb = sim_alloc(s, c),
				  .id = ++s->ids,
				  .len = 84 + rnd(s->lens),
				  .netns = (u8)rnd(SIM_NETNS),
				  .dev = (u16)(1 + rnd(SIM_DEVS - 1)) };
}

/* __netif_receive_skb_core() */
static void sim_receive(struct sim *s, u32 c, struct sim_packet *p)
{
	struct sim_packet reply;

	sim_event(s, c, EVENT_RECEIVE, p, p->len);
	sim_frame(s, c, p, p->len + 14, p->stamp ? FRAME_STAMPED_EARLIER : 0, p->stamp);
	if (p->dev == SIM_ETH && !rnd(3)) {
		p->dev = SIM_BR; /* the bridge's own device gets it, with the same stamp */
		sim_receive(s, c, p);
		return;
	}
	if (!rnd(3)) {
		sim_new(s, c, &reply);
		reply.netns = p->netns;
		sim_send(s, c, &reply);
	} else if (!rnd(4)) {
		p->dev = SIM_ETH;
		sim_send(s, c, p); /* forwarded */
		return;
	}
	sim_free(s, c, p);
}

/* A driver gives the stack a few packets at once. */
static void sim_nic(struct sim *s, u32 c)
{
	struct sim_packet p[5];
	u32 i, nr = 1 + rnd(ARRAY_SIZE(p));

	for (i = 0; i < nr; i++) {
		sim_new(s, c, &p[i]);
		p[i].dev = SIM_ETH;
		p[i].stamp = s->stamps ? (s->cpu[c].now += 15) : 0;
	}
	for (i = 0; i < nr; i++)
		sim_receive(s, c, &p[i]);
}

static void sim_noise(struct sim *s, u32 c)
{
	struct sim_packet p = { .skb = s->next_skb + 64 };
	u32 before = s->nr_ev;

	sim_event(s, c, rnd(2) ? EVENT_NOTE : EVENT_COPY, &p, 0);
	if (s->nr_ev > before)
		s->ev[before].hardirq = !rnd(2);
}

static void sim_run(struct sim *s)
{
	struct sim_packet p;
	u32 ops = 10 + rnd(40), c;

	while (ops--) {
		c = rnd(s->cpus);
		/* CPUs are about as far as each other, so that their doings overlap. */
		s->cpu[c].now += rnd(rnd(8) ? 500 : 20000);
		if (s->cpu[c].nr_backlog && rnd(2)) {
			p = s->cpu[c].backlog[0];
			memmove(&s->cpu[c].backlog[0], &s->cpu[c].backlog[1],
				--s->cpu[c].nr_backlog * sizeof(p));
			sim_receive(s, c, &p);
		} else if (rnd(8) == 0) {
			sim_noise(s, c);
		} else if (rnd(4) == 0) {
			sim_nic(s, c);
		} else {
			sim_new(s, c, &p);
			sim_send(s, c, &p);
		}
	}
}

static const struct sim *sorting;

static int compare_events(const void *a, const void *b)
{
	const struct line *x = &sorting->ev[*(const u32 *)a], *y = &sorting->ev[*(const u32 *)b];

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return *(const u32 *)a < *(const u32 *)b ? -1 : 1;
}

static int compare_frames(const void *a, const void *b)
{
	const struct sim_frame *x = a, *y = b;

	return x->record_ns < y->record_ns ? -1 : x->record_ns > y->record_ns;
}

static void sim_play_frame(struct tapjoin *tj, const struct sim_frame *f)
{
	struct skb_facts facts = { .tapped = true, .has_packet = true, .mark = f->line.id };
	struct event ev = { .kind = EVENT_FRAME,
			    .ts_ns = START_NS + f->record_ns,
			    .facts = &facts,
			    .has = EVENT_HAS_FACTS | EVENT_HAS_LEN,
			    .len_bytes = f->line.len,
			    .dev = f->line.dev };

	facts.netns_inum = 100u + f->netns;
	facts.frame = (struct frame_facts){ .ts_ns = START_NS + f->line.ns,
					    .slack_ns = f->line.slack_ns,
					    .seq = f->seq,
					    .link_bytes = 14,
					    .nr_cpus = f->line.nr_cpus,
					    .cpu = f->line.cpu,
					    .flags = f->line.flags };
	tapjoin_event(tj, &ev);
}

static void sim_play(struct sim *s, struct tapjoin *tj, u32 *order)
{
	u32 i, at = 0, loss = 0, k;

	for (i = 0; i < s->nr_ev; i++)
		order[i] = i;
	sorting = s;
	qsort(order, s->nr_ev, sizeof(*order), compare_events);
	qsort(s->frame, s->nr_frame, sizeof(*s->frame), compare_frames);
	for (i = 0; i < s->nr_ev; i++) {
		while (at < s->nr_frame && s->frame[at].record_ns <= s->ev[order[i]].ns)
			sim_play_frame(tj, &s->frame[at++]);
		/* A loss is told before the first record behind it. */
		for (k = loss = 0; k < s->nr_loss; k++) {
			if (s->loss[k].to == UINT64_MAX || s->loss[k].to > s->ev[order[i]].ns)
				continue;
			tapjoin_lost(tj, s->loss[k].cpu, START_NS + s->loss[k].from,
				     START_NS + s->loss[k].to, 1, false);
			s->loss[k].to = UINT64_MAX;
		}
		play_event(tj, &s->ev[order[i]]);
	}
	for (k = 0; k < s->nr_loss; k++)
		if (s->loss[k].to != UINT64_MAX)
			tapjoin_lost(tj, s->loss[k].cpu, START_NS + s->loss[k].from,
				     START_NS + s->loss[k].to, 1, false);
	while (at < s->nr_frame)
		sim_play_frame(tj, &s->frame[at++]);
	tapjoin_finish(tj);
}

/* Every event came out, but for frees of clones; with none but its own packet's headers. */
static void sim_check(const struct sim *s, const u32 *order, u32 stream)
{
	u32 i, at = 1; /* behind that of start() */

	for (i = 0; i < s->nr_ev; i++) {
		const struct line *l = &s->ev[order[i]];

		if (at < out.nr && out.ev[at].ts_ns == START_NS + l->ns &&
		    out.ev[at].kind == l->kind && out.ev[at].skb == l->skb) {
			if (out.id[at] && out.id[at] != l->id)
				fail_msg("stream %u: packet %u taken for packet %u", stream, l->id,
					 out.id[at]);
			at++;
		} else if (!s->clone[order[i]]) {
			fail_msg("stream %u: event %u is missing", stream, i);
		}
	}
	assert_int_equal(at, out.nr);
}

struct sim_sum {
	u64 frames, joined, ambiguous, alone;
};

static void sim_stream(u32 stream, bool easy, struct sim_sum *sum)
{
	static struct sim s;
	static u32 order[SIM_EVENTS];
	const struct tapjoin_stats *stats;
	struct tapjoin *tj;
	u32 c;

	memset(&s, 0, sizeof(s));
	rng = 0x5eed0000u + stream;
	s.next_skb = A;
	s.cpus = 1 + rnd(SIM_CPUS);
	s.nr_cpus = easy ? s.cpus : 1 + rnd(s.cpus);
	s.slack = easy ? 15 : rnd(2) ? rnd(40) : rnd(2000);
	s.lens = easy || rnd(2) ? 1 : 3;
	s.stamps = easy ? stream % 2 : rnd(2);
	s.last_tapped = easy || rnd(2);
	s.lossy = !easy && !rnd(4);
	s.frame_loss = !easy && !rnd(4);
	for (c = 0; c < s.cpus; c++)
		s.cpu[c].now = s.cpu[c].lost_from = 1000000 + rnd(20000);
	sim_run(&s);
	/* What is missing at the end nobody tells of, so that is how the join has to take it. */
	for (c = 0; c < s.cpus; c++)
		cut_off |= s.cpu[c].losing;
	tj = start(0, 0);
	cut_off = false;
	sim_play(&s, tj, order);
	sim_check(&s, order, stream);
	stats = tapjoin_stats(tj);
	assert_int_equal(stats->frames, stats->joined + stats->ambiguous + stats->alone +
						stats->late + stats->refused);
	sum->frames += stats->frames;
	sum->joined += stats->joined;
	sum->ambiguous += stats->ambiguous;
	sum->alone += stats->alone;
	tapjoin_free(tj);
}

static void no_frame_is_ever_joined_with_a_wrong_hop(void **state)
{
	struct sim_sum sum = { 0 };
	u32 stream;

	(void)state;
	for (stream = 0; stream < STREAMS; stream++)
		sim_stream(stream, false, &sum);
	print_message("%llu frames: %llu joined, %llu ambiguous, %llu alone\n",
		      (unsigned long long)sum.frames, (unsigned long long)sum.joined,
		      (unsigned long long)sum.ambiguous, (unsigned long long)sum.alone);
	assert_true(sum.joined > sum.frames / 4);
}

/* With a socket for each CPU and nothing lost: of packets that all have one length and shared names. */
static void nearly_all_frames_are_joined_when_the_cpu_is_known(void **state)
{
	struct sim_sum sum = { 0 };
	u32 stream;

	(void)state;
	for (stream = 0; stream < 2000; stream++)
		sim_stream(STREAMS + stream, true, &sum);
	print_message("%llu frames: %llu joined, %llu ambiguous, %llu alone\n",
		      (unsigned long long)sum.frames, (unsigned long long)sum.joined,
		      (unsigned long long)sum.ambiguous, (unsigned long long)sum.alone);
	assert_true(sum.joined * 100 > sum.frames * 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sent_frame_is_of_the_next_start_on_its_cpu),
		cmocka_unit_test(what_an_event_itself_tells_is_held_with_it),
		cmocka_unit_test(two_frames_for_one_event_are_both_ambiguous),
		cmocka_unit_test(only_the_free_of_the_clone_is_left_out),
		cmocka_unit_test(without_the_cpu_overlapping_frames_stay_ambiguous),
		cmocka_unit_test(a_frame_with_other_length_device_or_direction_is_nobodys),
		cmocka_unit_test(a_received_frame_is_of_the_last_receive_on_its_cpu),
		cmocka_unit_test(frames_stamped_early_are_joined_in_the_order_of_their_cpu),
		cmocka_unit_test(the_next_frame_of_a_cpu_bounds_one_that_was_stamped_early),
		cmocka_unit_test(nothing_is_joined_where_records_were_lost),
		cmocka_unit_test(frames_that_come_too_late_or_of_unknown_time_are_counted_and_left),
		cmocka_unit_test(events_go_when_the_tap_marks_that_their_frames_have_come),
		cmocka_unit_test(caps_let_events_go_and_lose_none),
		cmocka_unit_test(no_frame_is_ever_joined_with_a_wrong_hop),
		cmocka_unit_test(nearly_all_frames_are_joined_when_the_cpu_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
