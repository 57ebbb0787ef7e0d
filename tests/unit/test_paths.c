// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paths: ends, drivers' returns, copies, loss, caps; and that no event is ever counted twice or
 * forgotten.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/loss.h"
#include "analysis/paths_pool.h"
#include "analysis/xmit_stack.h"
#include "path_script.h"

static const struct paths_stats *stats(void)
{
	return paths_stats(scene.paths);
}

static void drivers_return_after_free_and_reuse_belongs_to_the_old_packet(void **state)
{
	/* The driver frees the skb, and another CPU sends another at its address. */
	static const struct step steps[] = {
		QUEUE(0, A, "eth0", 98),	   START(1, A, "eth0", 98),
		CONSUME(2, A, .cpu = 1),	   QUEUE(3, A, "eth0", 66, .cpu = 1),
		START(4, A, "eth0", 66, .cpu = 1), XMIT(5, A, "eth0", 98),
		XMIT(6, A, "eth0", 66, .cpu = 1),  CONSUME(7, A, .cpu = 1),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(scene.done[0].nr_hops, 4);
	assert_int_equal(scene.done[0].hops[3].ts_ns, 5000);
	assert_int_equal(scene.done[0].state, PATH_TRANSMITTED);
	assert_int_equal(scene.done[0].end_hop, 2);
	assert_int_equal(scene.done[1].nr_hops, 4);
	assert_int_equal(scene.done[1].hops[2].ts_ns, 6000);
	assert_int_equal(stats()->strays, 0);
}

static void late_return_of_a_call_that_is_over_touches_no_other_packet(void **state)
{
	/* It comes after the old packet was handed out: 20 ms are up. */
	static const struct step steps[] = {
		QUEUE(0, A, "eth0", 98),
		START(1, A, "eth0", 98),
		CONSUME(2, A),
		QUEUE(50000, A, "eth0", 66, .cpu = 1),
		START(50001, A, "eth0", 66, .cpu = 1),
		XMIT(50002, A, "eth0", 98, .ret = 16),
		XMIT(50003, A, "eth0", 66, .cpu = 1),
		CONSUME(50004, A, .cpu = 1),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(scene.done[1].nr_hops, 4);
	assert_int_equal(scene.done[1].state, PATH_TRANSMITTED);
	assert_int_equal(stats()->strays, 1);
}

static void drivers_return_in_the_order_of_their_nesting(void **state)
{
	/* While sending A over a tunnel the CPU sends B on the device below it. */
	static const struct step steps[] = {
		START(0, A, "tun0", 98),
		START(1, B, "eth0", 120),
		START(2, A, "eth0", 130),
		XMIT(3, A, "eth0", 130),
		XMIT(4, B, "eth0", 120, .ret = 1),
		XMIT(5, A, "tun0", 98, .ret = 2),
		CONSUME(6, A),
		CONSUME(7, B),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(scene.done[0].nr_hops, 5);
	assert_int_equal(scene.done[0].state, PATH_TRANSMITTED);
	assert_int_equal(scene.done[0].hops[3].ret, 2);
	assert_int_equal(scene.done[1].hops[1].ret, 1);
}

static void a_busy_driver_gets_the_packet_again(void **state)
{
	static const struct step steps[] = {
		QUEUE(0, A, "eth0", 98),
		START(1, A, "eth0", 98),
		XMIT(2, A, "eth0", 98, .ret = 16),
		START(500, A, "eth0", 98, SOFTIRQ, .cpu = 1),
		XMIT(501, A, "eth0", 98, SOFTIRQ, .cpu = 1),
		CONSUME(502, A, SOFTIRQ, .cpu = 1),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].nr_hops, 6);
	assert_int_equal(scene.done[0].state, PATH_TRANSMITTED);
	assert_int_equal(stats()->strays, 0);
}

static void what_a_driver_refused_was_not_transmitted(void **state)
{
	static const struct step steps[] = {
		QUEUE(0, A, "eth0", 98),	   START(1, A, "eth0", 98),
		XMIT(2, A, "eth0", 98, .ret = 16), CONSUME(3, A),
		QUEUE(10, B, "eth0", 98),	   CONSUME(11, B),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(scene.done[0].state, PATH_UNKNOWN);
	assert_int_equal(scene.done[1].state, PATH_UNKNOWN);
}

static void a_return_whose_call_was_not_recorded_is_the_waiting_packets(void **state)
{
	static const struct step steps[] = {
		QUEUE(0, A, "eth0", 98), XMIT(1, A, "eth0", 98), XMIT(2, A, "eth0", 98),
		XMIT(3, A, "eth1", 98),	 XMIT(4, B, "eth0", 98), CONSUME(5, A),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].nr_hops, 3);
	assert_int_equal(scene.done[0].state, PATH_TRANSMITTED);
	assert_int_equal(stats()->strays, 3);
}

static void a_packet_waits_for_all_its_drivers(void **state)
{
	/* Freed within two nested calls, while a return on another CPU is not one of theirs. */
	static const struct step steps[] = {
		START(0, A, "br0", 98), START(1, A, "veth1", 98), XMIT(2, A, "veth1", 98, .cpu = 1),
		DROP(3, A, DROP_SITE),	XMIT(4, A, "veth1", 98),  XMIT(5, A, "br0", 98),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].nr_hops, 5);
	assert_int_equal(scene.done[0].end_hop, 2);
	assert_int_equal(scene.done[0].state, PATH_DROPPED);
	assert_int_equal(stats()->strays, 1);
}

static void a_drop_tells_its_reason_and_place(void **state)
{
	static const struct step steps[] = {
		RX(0, A, "eth0", 84),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		DROP(2, A, DROP_SITE, SOFTIRQ, .reason = 7, .proto = 0x800),
		QUEUE(10, B, "eth0", 98),
		DROP(11, B, DROP_SITE),
	};
	const struct hop *hop;

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(scene.done[0].state, PATH_DROPPED);
	assert_int_equal(scene.done[0].complete, PATH_COMPLETE);
	hop = &scene.done[0].hops[scene.done[0].end_hop];
	assert_true(hop->location == DROP_SITE && hop->reason == 7);
	assert_int_equal(hop->has & EVENT_HAS_REASON, EVENT_HAS_REASON);
	assert_int_equal(scene.done[0].proto, 0x800);
	assert_int_equal(scene.done[1].state, PATH_DROPPED);
	hop = &scene.done[1].hops[scene.done[1].end_hop];
	assert_int_equal(hop->has & EVENT_HAS_REASON, 0);
}

/* As tcpdump and the kernel's counters showed it (6.1): GRO hangs segments into the first, which is delivered. */
static void what_gro_hung_into_another_packet_is_not_dropped_when_freed_with_it(void **state)
{
	static const struct step steps[] = {
		GRO(0, A, "eth0", 1500, SOFTIRQ),     GRO(1, B, "eth0", 1500, SOFTIRQ),
		RECEIVE(2, A, "eth0", 2948, SOFTIRQ), DROP(3, B, PART_SITE, SOFTIRQ),
		GRO(10, C, "eth0", 1500, SOFTIRQ),    DROP(11, C, DROP_SITE, SOFTIRQ),
	};
	u32 i;

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(scene.done[i].state, scene.done[i].skb == A ? PATH_OPEN :
						      scene.done[i].skb == B ? PATH_MERGED :
									       PATH_DROPPED);
}

/* netem's losses, seen in its counters (5.10): the list is of what the queue did not want. */
static void what_a_queue_frees_as_a_list_is_dropped(void **state)
{
	static const struct step steps[] = {
		QUEUE(0, A, "eth0", 98),
		DROP(1, A, PART_SITE),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].state, PATH_DROPPED);
}

static void a_copy_in_several_pieces_is_one_delivery(void **state)
{
	static const struct step steps[] = {
		RECEIVE(0, A, "eth0", 1500, SOFTIRQ), COPY(10, A, 500), COPY(2000, A, 500),
		COPY(4000, A, 448, .pid = 200),	      CONSUME(4001, A),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].nr_hops, 5);
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
	assert_int_equal(scene.done[0].hops[3].pid, 200);
	assert_int_equal(scene.done[0].end_hop, 4);
}

static void a_copy_with_no_free_after_it_is_a_delivery(void **state)
{
	static const struct step steps[] = {
		RECEIVE(0, A, "eth0", 1500, SOFTIRQ), COPY(10, A, 1448),
		NOTE(200000, B), /* 100 ms are up */
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
	assert_int_equal(scene.done[0].complete, PATH_COMPLETE);
	assert_int_equal(scene.done[0].end_hop, 1);
	assert_int_equal(stats()->strays, 1);
}

static void loss_while_on_its_way_marks_the_path(void **state)
{
	static const struct step before[] = {
		QUEUE(0, C, "eth0", 98),
		START(1, C, "eth0", 98),
		XMIT(2, C, "eth0", 98),
		CONSUME(10, C),
	};
	static const struct step steps[] = {
		QUEUE(20, A, "eth0", 98),
		QUEUE(25, B, "eth0", 98),
	};
	static const struct step after[] = {
		CONSUME(130, A, .cpu = 1),
		DROP(140, B, DROP_SITE),
		QUEUE(200, C, "eth0", 98),
		DROP(210, C, DROP_SITE),
	};

	(void)state;
	PLAY(before);
	PLAY(steps);
	paths_lost(scene.paths, 1, 30000, 100000, 7, false);
	paths_lost(scene.paths, 0, 40000, 120000, 0, true);
	PLAY(after);
	assert_int_equal(scene.nr, 4);
	assert_int_equal(scene_path(&scene, 0)->complete, PATH_COMPLETE);
	assert_int_equal(scene_path(&scene, 0)->lost, 0);
	assert_int_equal(scene_path(&scene, 20)->complete, PATH_GAP);
	assert_int_equal(scene_path(&scene, 20)->lost, 7);
	assert_true(scene_path(&scene, 20)->lost_uncounted);
	assert_int_equal(scene_path(&scene, 25)->complete, PATH_GAP);
	assert_int_equal(scene_path(&scene, 25)->state, PATH_DROPPED);
	assert_int_equal(scene_path(&scene, 200)->complete, PATH_COMPLETE);
	assert_int_equal(stats()->by_complete[PATH_GAP], 2);
}

static void loss_where_its_end_should_be_marks_the_path(void **state)
{
	static const struct step steps[] = { QUEUE(20, A, "eth0", 98) };

	(void)state;
	PLAY(steps);
	paths_lost(scene.paths, 0, 30000, 100000, 7, false);
	scene_finish(&scene);
	assert_int_equal(scene.done[0].complete, PATH_GAP);
	assert_int_equal(scene.done[0].state, PATH_OPEN);
}

static void a_call_whose_return_may_be_lost_is_not_waited_for(void **state)
{
	static const struct step steps[] = { QUEUE(0, A, "eth0", 98), START(1, A, "eth0", 98) };
	static const struct step after[] = { CONSUME(50, A, .cpu = 1) };

	(void)state;
	PLAY(steps);
	paths_lost(scene.paths, 0, 1000, 40000, 1, false);
	PLAY(after);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].state, PATH_TRANSMITTED);
}

static void losses_beyond_memory_are_not_forgotten(void **state)
{
	struct loss_log *log = calloc(1, sizeof(*log));
	bool uncounted;
	u64 count, i;

	(void)state;
	assert_false(loss_between(log, 0, UINT64_MAX, &count, &uncounted));
	for (i = 1; i <= 5000; i++)
		loss_add(log, i * 100, i * 100 + 10, 1, false);
	assert_true(loss_between(log, 500000, 500005, &count, &uncounted));
	assert_int_equal(count, 1);
	assert_false(uncounted);
	assert_false(loss_between(log, 500011, UINT64_MAX, &count, &uncounted));
	assert_false(loss_between(log, 499911, 499999, &count, &uncounted));
	assert_true(loss_between(log, 0, 499999, &count, &uncounted));
	assert_int_equal(count, LOSS_WINDOWS - 1);
	assert_true(uncounted);
	/* A clock that went backwards. */
	loss_add(log, 900000, 800000, 1, false);
	assert_true(loss_between(log, 800000, 800000, &count, &uncounted));
	free(log);
}

static void packets_beyond_the_cap_are_counted(void **state)
{
	struct step step = QUEUE(0, 0, "eth0", 98);
	u32 i;

	(void)state;
	scene_end(&scene);
	scene.options.max_live = 10;
	scene_begin(&scene);
	for (i = 1; i <= 15; i++) {
		step.skb = A + i * 256;
		scene_event(&scene, &step);
	}
	assert_int_equal(stats()->packets, 10);
	assert_int_equal(stats()->refused, 5);
	step = (struct step)CONSUME(1, A + 256);
	scene_event(&scene, &step);
	step = (struct step)CONSUME(1, A + 256 * 15);
	scene_event(&scene, &step);
	assert_int_equal(stats()->unseen_frees, 1);
	step = (struct step)QUEUE(2, A + 256 * 15, "eth0", 98);
	scene_event(&scene, &step);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 11);
	assert_int_equal(scene_path(&scene, 2)->number, 11);
}

static void of_a_path_beyond_the_cap_the_end_is_still_told(void **state)
{
	struct step step = QUEUE(0, A, "eth0", 98);
	const struct path *path;
	u32 i;

	(void)state;
	scene_event(&scene, &step);
	for (i = 1; i < 5000; i++) {
		step = (struct step)NOTE(i, A);
		scene_event(&scene, &step);
	}
	step = (struct step)DROP(i, A, DROP_SITE, .reason = 3);
	scene_event(&scene, &step);
	assert_int_equal(scene.nr, 1);
	path = &scene.done[0];
	assert_int_equal(path->nr_hops, PATHS_MAX_HOPS);
	assert_int_equal(path->nr_hops + path->cut_hops, 5001);
	assert_int_equal(path->state, PATH_DROPPED);
	assert_int_equal(path->hops[path->end_hop].kind, EVENT_DROP);
	assert_int_equal(path->hops[path->end_hop].reason, 3);
	assert_int_equal(path->last_ns, 5000 * NSEC_PER_USEC);
	assert_int_equal(stats()->events, 5001);
}

static void the_end_of_the_trace_marks_what_is_on_its_way_open(void **state)
{
	static const struct step steps[] = {
		QUEUE(0, A, "eth0", 98), RECEIVE(1, B, "eth0", 84), COPY(2, B, 84),
		QUEUE(3, C, "eth0", 98), START(4, C, "eth0", 98),   CONSUME(5, C),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 0);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 3);
	assert_int_equal(scene_path(&scene, 0)->state, PATH_OPEN);
	assert_int_equal(scene_path(&scene, 0)->complete, PATH_STILL_OPEN);
	assert_int_equal(scene_path(&scene, 1)->state, PATH_DELIVERED);
	assert_int_equal(scene_path(&scene, 3)->state, PATH_TRANSMITTED);
	assert_int_equal(scene_path(&scene, 3)->complete, PATH_COMPLETE);
}

static void what_nothing_is_heard_of_ends_unknown(void **state)
{
	static const struct step steps[] = { QUEUE(0, A, "eth0", 98),
					     START(500000, A, "eth0", 98) };

	(void)state;
	PLAY(steps);
	paths_tick(scene.paths, 1400000 * NSEC_PER_USEC);
	assert_int_equal(scene.nr, 0);
	paths_tick(scene.paths, 1600000 * NSEC_PER_USEC);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].state, PATH_UNKNOWN);
	assert_int_equal(scene.done[0].complete, PATH_UNKNOWN_END);
	assert_int_equal(scene.done[0].end_hop, -1);
}

static void any_event_of_an_skb_is_a_hop_but_begins_no_path(void **state)
{
	static const struct step steps[] = {
		NOTE(0, A), QUEUE(1, A, "eth0", 98), NOTE(2, A),     CONSUME(3, A),
		NOTE(4, A), CONSUME(5, A),	     COPY(6, A, 10),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].nr_hops, 3);
	assert_int_equal(stats()->strays, 2);
	assert_int_equal(stats()->unseen_frees, 2);
}

static void a_clock_that_goes_backwards_is_survived(void **state)
{
	struct step steps[] = {
		QUEUE(1000000, A, "eth0", 98),
		START(5, A, "eth0", 98),
		XMIT(3, A, "eth0", 98),
		QUEUE(UINT64_MAX / 1000, B, "eth0", 98),
		START(0, B, "eth0", 98),
		RECEIVE(UINT64_MAX / 1000, C, "eth0", 98),
		COPY(1, C, 84),
		CONSUME(0, A),
		DROP(0, C, ICMP_SITE),
		CONSUME(0, B),
	};

	(void)state;
	PLAY(steps);
	paths_lost(scene.paths, 0, 5, 3, 1, false);
	paths_tick(scene.paths, UINT64_MAX);
	paths_tick(scene.paths, 0);
	scene_finish(&scene);
	assert_int_equal(scene.nr, stats()->packets);
}

static void drivers_that_never_return_cost_no_memory(void **state)
{
	struct xmit_stacks stacks = { 0 };
	struct path path = { .skb = A, .generation = 1 }, *popped;
	u32 i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_int_equal(xmit_push(&stacks, 3, &path, (u16)(i + 1)), 0);
	assert_int_equal(path.open_xmits, XMIT_DEPTH);
	assert_false(xmit_pop(&stacks, 3, A, 1, &popped));
	assert_false(xmit_pop(&stacks, 2, A, 1000, &popped));
	assert_false(xmit_pop(&stacks, 9, A, 1000, &popped));
	assert_false(xmit_pop(&stacks, 3, B, 1000, &popped));
	/* Whatever was called after it has returned too. */
	assert_true(xmit_pop(&stacks, 3, A, 990, &popped));
	assert_ptr_equal(popped, &path);
	assert_int_equal(path.open_xmits, XMIT_DEPTH - 11);
	path.generation++;
	assert_true(xmit_pop(&stacks, 3, A, 989, &popped));
	assert_null(popped);
	xmit_forget(&stacks, 3);
	xmit_forget(&stacks, 60000);
	assert_false(xmit_pop(&stacks, 3, A, 988, &popped));
	xmit_stacks_free(&stacks);
}

static u32 count_slabs(const struct paths_pool *pool)
{
	u32 nr = 0;
	void **slab;

	for (slab = pool->slabs; slab; slab = *slab)
		nr++;
	return nr;
}

static void memory_of_finished_paths_is_used_again(void **state)
{
	struct paths_pool pool = { 0 };
	struct path *path;
	struct hop *hop;
	u32 round, slabs = 0, i;

	(void)state;
	for (round = 0; round < 100; round++) {
		path = pool_get(&pool);
		assert_int_equal(path->nr_hops, 0);
		for (i = 0; (hop = pool_hop(&pool, path)); i++)
			hop->ts_ns = i;
		assert_int_equal(i, PATHS_MAX_HOPS);
		for (i = 0; i < path->nr_hops; i++)
			assert_int_equal(path->hops[i].ts_ns, i);
		pool_put(&pool, path);
		if (round == 0)
			slabs = count_slabs(&pool);
	}
	assert_int_equal(count_slabs(&pool), slabs);
	pool_free(&pool);
}

#define SEED 7u
#define RANDOM_EVENTS 300000u

static u32 seed;

static u32 random_below(u32 limit)
{
	seed = seed * 1664525u + 1013904223u;
	return (u32)((u64)(seed >> 8) * limit >> 24);
}

static void random_step(struct step *step, u64 us)
{
	static const char *const devs[] = { "br0", "veth1", "eth0", "lo", "eth0.5" };
	static const u32 lens[] = { 52, 66, 84, 98, 104, 64 };

	*step = (struct step){
		.us = us,
		.skb = A + random_below(48) * 256,
		.kind = (u8)(EVENT_QUEUE + random_below(EVENT_NOTE)),
		.dev = devs[random_below(ARRAY_SIZE(devs))],
		.len = lens[random_below(ARRAY_SIZE(lens))],
		.cpu = (u16)random_below(3),
		.softirq = random_below(2),
		.ret = random_below(8) ? 0 : 16,
		.proto = random_below(4) ? 0x800 : 0x86dd,
	};
	if (step->kind == EVENT_DROP)
		step->location = random_below(2) ? ICMP_SITE : DROP_SITE;
	else
		step->cookie = random_below(4) ? 0 : 1 + random_below(2);
}

static void assert_all_accounted_for(u64 played)
{
	u64 hops = 0, state[5] = { 0 }, complete[4] = { 0 };
	bool *seen = calloc(scene.nr + 1, sizeof(*seen));
	const struct path *path;
	size_t i;
	u32 k;

	for (i = 0; i < scene.nr; i++) {
		path = &scene.done[i];
		hops += path->nr_hops + path->cut_hops;
		state[path->state]++;
		complete[path->complete]++;
		assert_in_range(path->number, 1, scene.nr);
		assert_false(seen[path->number]);
		seen[path->number] = true;
		assert_true(path->end_hop < (s32)path->nr_hops);
		for (k = 1; k < path->nr_hops; k++)
			assert_true(path->hops[k].ts_ns >= path->hops[k - 1].ts_ns);
	}
	free(seen);
	assert_int_equal(scene.nr, stats()->packets);
	assert_int_equal(hops, stats()->events);
	assert_int_equal(played, stats()->events + stats()->unseen_frees + stats()->strays +
					 stats()->refused);
	assert_memory_equal(state, stats()->by_state, sizeof(state));
	assert_memory_equal(complete, stats()->by_complete, sizeof(complete));
}

static void whatever_comes_every_event_is_accounted_for_once(void **state)
{
	struct step step;
	u64 us = 1000, last[3] = { 0 };
	u32 i;

	(void)state;
	scene_end(&scene);
	scene.options.max_live = 40;
	scene.shared = "eth0";
	scene_begin(&scene);
	seed = SEED;
	print_message("seed %u\n", seed);
	for (i = 0; i < RANDOM_EVENTS; i++) {
		us += random_below(1000) ? random_below(30) : random_below(1500000);
		random_step(&step, us);
		if (!random_below(500))
			paths_lost(scene.paths, step.cpu, last[step.cpu] * NSEC_PER_USEC,
				   us * NSEC_PER_USEC, random_below(3), random_below(2));
		last[step.cpu] = us;
		scene_event(&scene, &step);
	}
	scene_finish(&scene);
	assert_all_accounted_for(RANDOM_EVENTS);
	assert_true(stats()->refused > 0 && stats()->strays > 0 && stats()->reused > 0);
	for (i = 0; i < 5; i++)
		assert_true(stats()->by_state[i] > 0);
	for (i = 0; i < 4; i++)
		assert_true(stats()->by_complete[i] > 0);
}

/* ---- with probes */

/* What a probe sees of the packet of that name in packets.h, from now on. */
static const struct skb_facts *seen(const char *packet)
{
	static struct skb_facts facts[16];
	static u32 next;
	struct skb_facts *f = &facts[next++ % ARRAY_SIZE(facts)];

	*f = facts_of(packet, 0);
	return f;
}

static void with_probes(bool exact, bool carriers)
{
	scene_end(&scene);
	scene.options =
		(struct paths_options){ .exact = exact, .headers = true, .carriers = carriers };
	scene_begin(&scene);
}

/* The end of a packet that TCP's state machine freed: a struct path's state. */
static u8 freed_by_tcp(const struct skb_facts *facts)
{
	const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ, FACTS(facts)),
		LAYER(2, A, LAYER_L4_IN, SOFTIRQ),
		DROP(3, A, TCP_SITE, SOFTIRQ),
	};

	with_probes(true, false);
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].complete == PATH_UNKNOWN_END,
			 scene.done[0].state == PATH_UNKNOWN);
	assert_int_equal(scene.done[0].free_site, FREE_SITE_TCP);
	return scene.done[0].state;
}

static void what_tcp_frees_is_judged_by_what_it_carried(void **state)
{
	struct skb_facts ack, data = *seen("tcp_data"), cut = data;

	(void)state;
	ack = data;
	ack.packet.net[0].total_bytes = 40;
	ack.packet.net[0].tcp_flags = TCP_ACK;
	assert_int_equal(freed_by_tcp(&ack), PATH_DELIVERED);
	assert_int_equal(freed_by_tcp(&data), PATH_DROPPED);
	assert_int_equal(freed_by_tcp(NULL), PATH_UNKNOWN);
	/* Its network header only was in the window; or not even that. */
	cut.packet.net[0].l4 = PART_CUT;
	cut.packet.net[0].tcp_flags = cut.packet.net[0].l4_bytes = 0;
	assert_int_equal(freed_by_tcp(&cut), PATH_UNKNOWN);
	cut.packet.net[0].part = PART_CUT;
	assert_int_equal(freed_by_tcp(&cut), PATH_UNKNOWN);
	cut.packet.nr_nets = 0;
	assert_int_equal(freed_by_tcp(&cut), PATH_UNKNOWN);
}

static void a_death_without_an_event_ends_the_packet_where_it_was(void **state)
{
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		LAYER(2, A, LAYER_L4_IN, SOFTIRQ),
		DEATH(3, A),
		BIRTH(10, A),
		QUEUE(11, A, "eth0", 98),
		START(12, A, "eth0", 98),
		XMIT(13, A, "eth0", 98),
		DEATH(14, A),
		BIRTH(20, A),
		QUEUE(21, A, "eth0", 98),
		DEATH(22, A),
		BIRTH(30, A, SOFTIRQ),
		RECEIVE(31, A, "eth0", 84, SOFTIRQ),
		LAYER(32, A, LAYER_IP_IN, SOFTIRQ),
		DEATH(33, A),
		BIRTH(40, A),
		QUEUE(41, A, "eth0", 98),
		START(42, A, "eth0", 98),
		XMIT(43, A, "eth0", 98, .ret = 16),
		DEATH(44, A),
		BIRTH(50, A, SOFTIRQ),
		RECEIVE(51, A, "eth0", 84, SOFTIRQ),
		COPY(52, A, 84),
		DEATH(53, A),
	};

	(void)state;
	with_probes(true, false);
	PLAY(steps);
	assert_int_equal(scene.nr, 6);
	assert_int_equal(scene_path(&scene, 1)->state, PATH_DELIVERED);
	assert_int_equal(scene_path(&scene, 1)->complete, PATH_COMPLETE);
	assert_int_equal(scene_path(&scene, 1)->end_hop, -1);
	assert_int_equal(scene_path(&scene, 1)->last_ns, 3000);
	assert_int_equal(scene_path(&scene, 11)->state, PATH_TRANSMITTED);
	assert_int_equal(scene_path(&scene, 11)->complete, PATH_COMPLETE);
	assert_int_equal(scene_path(&scene, 21)->state, PATH_UNKNOWN);
	assert_int_equal(scene_path(&scene, 21)->complete, PATH_UNKNOWN_END);
	assert_int_equal(scene_path(&scene, 31)->state, PATH_UNKNOWN);
	assert_int_equal(scene_path(&scene, 41)->state, PATH_UNKNOWN);
	assert_int_equal(scene_path(&scene, 51)->state, PATH_DELIVERED);
	assert_int_equal(paths_stats(scene.paths)->reused, 0);
}

static void a_packet_may_sleep_where_deaths_are_recorded(void **state)
{
	/* Four seconds in a socket's queue. */
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		NOTE(4000000, B),
		COPY(4000001, A, 84),
		CONSUME(4000002, A),
		BIRTH(4000010, A, SOFTIRQ),
		RECEIVE(4000011, A, "eth0", 84, SOFTIRQ),
		NOTE(9100000, B),
	};

	(void)state;
	with_probes(true, false);
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
	assert_int_equal(scene.done[1].state, PATH_UNKNOWN);
	assert_int_equal(scene.done[1].complete, PATH_UNKNOWN_END);
}

static void after_lost_records_addresses_are_guessed_about_again(void **state)
{
	/* Queued twice on one device: another packet, unless births say otherwise. */
	static const struct step steps[] = { BIRTH(0, A), QUEUE(1, A, "eth0", 98),
					     QUEUE(2, A, "eth0", 98) };
	static const struct step after[] = { QUEUE(60, A, "eth0", 98), QUEUE(61, A, "eth0", 98),
					     CONSUME(62, A) };

	(void)state;
	with_probes(true, false);
	PLAY(steps);
	paths_lost(scene.paths, 0, 10000, 50000, 3, false);
	PLAY(after);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(scene_path(&scene, 1)->nr_hops, 2);
	assert_int_equal(scene_path(&scene, 1)->complete, PATH_GAP);
	/* It was first seen after the loss, so births are trusted again. */
	assert_int_equal(scene_path(&scene, 60)->nr_hops, 3);
	assert_int_equal(paths_stats(scene.paths)->reused, 1);
}

static void a_functions_place_in_the_stack_is_where_the_packet_is(void **state)
{
	static const struct step steps[] = {
		/* Made and dropped before any device saw it. */
		LAYER(0, A, LAYER_IP_OUT, .proto = 0x800),
		DROP(1, A, DROP_SITE),
		LAYER(10, A, LAYER_IP_IN, SOFTIRQ),
		CONSUME(11, A, SOFTIRQ),
	};

	(void)state;
	with_probes(true, false);
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(scene.done[0].stage, STAGE_OUT);
	assert_int_equal(scene.done[0].state, PATH_DROPPED);
	assert_int_equal(scene.done[0].proto, 0x800);
	assert_int_equal(scene.done[0].hops[0].layer, LAYER_IP_OUT);
	assert_int_equal(scene.done[1].stage, STAGE_STACK);
	assert_int_equal(scene.done[1].state, PATH_DELIVERED);
}

static void a_packet_has_one_view_for_each_change(void **state)
{
	struct skb_facts first = *seen("udp"), same = first, nat = first, marked;
	const struct step steps[] = {
		QUEUE(0, A, "eth0", 50, FACTS(&first)),
		LAYER(1, A, LAYER_IP_OUT, FACTS(&same)),
		LAYER(2, A, LAYER_IP_OUT),
		LAYER(3, A, LAYER_IP_OUT, FACTS(&nat)),
		LAYER(4, A, LAYER_IP_OUT, FACTS(&nat)),
		LAYER(5, A, LAYER_IP_OUT, FACTS(&marked)),
		CONSUME(6, A),
	};
	const struct hop *hops;

	(void)state;
	same.packet.net[0].ttl--;
	nat.packet.net[0].sport = 40000;
	nat.matched = true;
	nat.netns_inum = 4026532246u;
	nat.netns_from = NETNS_FROM_DEV;
	marked = nat;
	marked.has_mark = true;
	marked.mark = 7;
	with_probes(true, false);
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(path_views(&scene.done[0]), 3);
	hops = scene.done[0].hops;
	assert_ptr_equal(hops[1].view, hops[0].view);
	assert_int_equal(hops[0].ttl, 64);
	assert_int_equal(hops[1].ttl, 63);
	/* An event that does not say. */
	assert_null(hops[2].view);
	assert_int_equal(hops[2].netns_inum, 0);
	assert_int_equal(hops[3].view->packet.net[0].sport, 40000);
	assert_ptr_equal(hops[4].view, hops[3].view);
	assert_false(hops[4].view->has_mark);
	assert_int_equal(hops[5].view->mark, 7);
	assert_int_equal(hops[3].netns_inum, 4026532246u);
	assert_int_equal(hops[3].netns_from, NETNS_FROM_DEV);
	assert_true(scene.done[0].matched);
	/* What it was at first is what it is called. */
	assert_int_equal(path_packet(&scene.done[0])->net[0].sport, 5000);
}

static void a_better_look_is_a_view_of_its_own(void **state)
{
	struct skb_facts whole = *seen("tcp_syn"), cut = whole, none = whole, link = whole;
	const struct step steps[] = {
		QUEUE(0, A, "eth0", 74, FACTS(&link)),
		LAYER(1, A, LAYER_IP_OUT, FACTS(&none)),
		LAYER(2, A, LAYER_IP_OUT, FACTS(&cut)),
		LAYER(3, A, LAYER_IP_OUT, FACTS(&whole)),
		LAYER(4, A, LAYER_IP_OUT, FACTS(&cut)),
		LAYER(5, A, LAYER_IP_OUT, FACTS(&none)),
		CONSUME(6, A),
	};
	const struct hop *hops;

	(void)state;
	cut.packet.net[0].l4 = PART_CUT;
	memset(&none.packet.net[0], 0, sizeof(none.packet.net[0]));
	none.packet.net[0].part = PART_CUT;
	link.packet.nr_nets = 0;
	with_probes(true, false);
	PLAY(steps);
	hops = scene.done[0].hops;
	assert_int_equal(hops[0].view->packet.nr_nets, 0);
	assert_int_equal(hops[1].view->packet.net[0].part, PART_CUT);
	assert_int_equal(hops[2].view->packet.net[0].part, PART_OK);
	assert_int_equal(hops[3].view->packet.net[0].l4, PART_OK);
	/* A worse one is none. */
	assert_ptr_equal(hops[4].view, hops[3].view);
	assert_ptr_equal(hops[5].view, hops[3].view);
	assert_int_equal(hops[5].ttl, 0);
	assert_int_equal(path_views(&scene.done[0]), 4);
}

static void headers_are_carried_to_the_next_event_of_the_same_skb_there(void **state)
{
	const struct skb_facts *udp = seen("udp"), *syn = seen("tcp_syn");
	const struct step steps[] = {
		HEADERS(0, A, udp),
		HEADERS(0, B, syn, .cpu = 1),
		QUEUE(1, A, "eth0", 98),
		QUEUE(1, B, "eth0", 98, .cpu = 1),
		/* Used up. */
		NOTE(2, A),
		/* Another skb's; then another CPU's; then no news. */
		HEADERS(3, C, udp),
		START(4, A, "eth0", 98),
		HEADERS(5, A, syn, .cpu = 2),
		NOTE(6, A),
		/* The driver's return may come after the packet was freed. */
		HEADERS(7, A, udp),
		XMIT(8, A, "eth0", 98),
		CONSUME(9, A),
		CONSUME(10, B),
	};
	const struct hop *hops;

	(void)state;
	with_probes(true, true);
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 2);
	hops = scene_path(&scene, 1)->hops;
	assert_int_equal(scene.done[0].nr_hops, 5 + 1);
	assert_int_equal(hops[0].view->packet.net[0].dport, 9);
	assert_null(hops[1].view);
	assert_null(hops[2].view);
	assert_null(hops[3].view);
	assert_null(hops[4].view);
	assert_int_equal(scene.done[1].hops[0].view->packet.net[0].dport, 80);
	/* They make no hop of their own. */
	assert_int_equal(scene.done[1].nr_hops, 2);
}

static void where_they_are_not_carried_headers_are_a_hop(void **state)
{
	const struct step steps[] = { HEADERS(0, A, seen("udp")), CONSUME(1, A) };

	(void)state;
	with_probes(true, false);
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].nr_hops, 2);
	assert_non_null(scene.done[0].hops[0].view);
}

static void headers_of_a_dead_packet_are_not_those_of_the_next_there(void **state)
{
	const struct step steps[] = {
		BIRTH(0, A),
		HEADERS(1, A, seen("udp")),
		DEATH(2, A),
		BIRTH(3, A),
		QUEUE(4, A, "eth0", 98),
		CONSUME(5, A),
		BIRTH(10, B),
		HEADERS(11, B, seen("udp")),
		BIRTH(2000, B, .cpu = 1),
		QUEUE(2001, B, "eth0", 98),
		CONSUME(2002, B),
	};

	(void)state;
	with_probes(true, true);
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 2);
	assert_null(scene.done[0].views);
	assert_null(scene.done[1].views);
}

static void hops_beyond_the_cap_keep_the_last_hooks_words(void **state)
{
	static const struct skb_facts hook = { .hook = 1, .pf = 2 };
	struct step step = LAYER(0, A, LAYER_IP_IN, SOFTIRQ);
	const struct step last[] = {
		HOOK(1, A, &hook, SOFTIRQ),
		RETURN(2, LAYER_HOOK, SOFTIRQ, RET(1)),
	};
	const struct step beyond[] = {
		HOOK(3, A, &hook, SOFTIRQ),
		DROP(4, A, DROP_SITE, SOFTIRQ),
		RETURN(5, LAYER_HOOK, SOFTIRQ, RET(-1)),
	};
	const struct path *path;
	u32 i;

	(void)state;
	with_probes(true, false);
	for (i = 1; i < PATHS_MAX_HOPS; i++)
		scene_event(&scene, &step);
	PLAY(last);
	PLAY(beyond);
	assert_int_equal(scene.nr, 1);
	path = &scene.done[0];
	assert_int_equal(path->nr_hops, PATHS_MAX_HOPS);
	assert_int_equal(path->state, PATH_DROPPED);
	assert_int_equal(path->hops[path->end_hop].kind, EVENT_DROP);
	assert_int_equal(path->cut_hops, 2);
	assert_true(path->end_filter < 0 || hop_filter_of(&path->hops[path->end_filter]));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(drivers_return_after_free_and_reuse_belongs_to_the_old_packet),
		TEST(late_return_of_a_call_that_is_over_touches_no_other_packet),
		TEST(drivers_return_in_the_order_of_their_nesting),
		TEST(a_busy_driver_gets_the_packet_again),
		TEST(what_a_driver_refused_was_not_transmitted),
		TEST(a_return_whose_call_was_not_recorded_is_the_waiting_packets),
		TEST(a_packet_waits_for_all_its_drivers),
		TEST(a_drop_tells_its_reason_and_place),
		TEST(what_gro_hung_into_another_packet_is_not_dropped_when_freed_with_it),
		TEST(what_a_queue_frees_as_a_list_is_dropped),
		TEST(a_copy_in_several_pieces_is_one_delivery),
		TEST(a_copy_with_no_free_after_it_is_a_delivery),
		TEST(loss_while_on_its_way_marks_the_path),
		TEST(loss_where_its_end_should_be_marks_the_path),
		TEST(a_call_whose_return_may_be_lost_is_not_waited_for),
		TEST(losses_beyond_memory_are_not_forgotten),
		TEST(packets_beyond_the_cap_are_counted),
		TEST(of_a_path_beyond_the_cap_the_end_is_still_told),
		TEST(the_end_of_the_trace_marks_what_is_on_its_way_open),
		TEST(what_nothing_is_heard_of_ends_unknown),
		TEST(any_event_of_an_skb_is_a_hop_but_begins_no_path),
		TEST(a_clock_that_goes_backwards_is_survived),
		TEST(drivers_that_never_return_cost_no_memory),
		TEST(memory_of_finished_paths_is_used_again),
		TEST(whatever_comes_every_event_is_accounted_for_once),
		TEST(what_tcp_frees_is_judged_by_what_it_carried),
		TEST(a_death_without_an_event_ends_the_packet_where_it_was),
		TEST(a_packet_may_sleep_where_deaths_are_recorded),
		TEST(after_lost_records_addresses_are_guessed_about_again),
		TEST(a_functions_place_in_the_stack_is_where_the_packet_is),
		TEST(a_packet_has_one_view_for_each_change),
		TEST(a_better_look_is_a_view_of_its_own),
		TEST(headers_are_carried_to_the_next_event_of_the_same_skb_there),
		TEST(where_they_are_not_carried_headers_are_a_hop),
		TEST(headers_of_a_dead_packet_are_not_those_of_the_next_there),
		TEST(hops_beyond_the_cap_keep_the_last_hooks_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
