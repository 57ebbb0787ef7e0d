// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which call a return belongs to, and in which call something happens: per context, whatever else
 * runs in between.
 */
#include "unit.h"

#include <string.h>

#include "analysis/calls.h"

static struct calls calls;

static int setup(void **state)
{
	(void)state;
	return calls_init(&calls);
}

static int teardown(void **state)
{
	(void)state;
	calls_free(&calls);
	return 0;
}

static struct event in_task(s32 pid, u16 cpu)
{
	return (struct event){ .pid = pid, .cpu = cpu, .context = EVENT_CONTEXT_KNOWN };
}

static struct event in_softirq(s32 pid, u16 cpu)
{
	return (struct event){ .pid = pid,
			       .cpu = cpu,
			       .context = EVENT_CONTEXT_KNOWN | EVENT_IN_SOFTIRQ };
}

static struct event in_hardirq(s32 pid, u16 cpu)
{
	return (struct event){ .pid = pid,
			       .cpu = cpu,
			       /* It may have interrupted a softirq. */
			       .context = EVENT_CONTEXT_KNOWN | EVENT_IN_SOFTIRQ |
					  EVENT_IN_HARDIRQ };
}

static void enter(struct event ev, u16 layer, u64 skb)
{
	struct call call = { .skb = skb, .layer = layer };

	calls_push(&calls, &ev, &call);
}

/* The skb of the call that returned; 0 when there is none. */
static u64 leave(struct event ev, u16 layer)
{
	struct call call = { 0 };

	ev.layer = (u8)layer;
	return calls_pop(&calls, &ev, &call) ? call.skb : 0;
}

static bool is_segment(u16 layer)
{
	return layer == LAYER_SEGMENT;
}

static u64 inside(struct event ev)
{
	const struct call *call = calls_inside(&calls, &ev, is_segment);

	return call ? call->skb : 0;
}

static void calls_return_in_the_order_of_their_nesting(void **state)
{
	struct event ev = in_task(7, 0);

	(void)state;
	assert_int_equal(leave(ev, LAYER_CLONE), 0);
	enter(ev, LAYER_HOOK, 1);
	enter(ev, LAYER_TABLE, 2);
	enter(ev, LAYER_TABLE, 3);
	assert_int_equal(leave(ev, LAYER_TABLE), 3);
	assert_int_equal(leave(ev, LAYER_TABLE), 2);
	assert_int_equal(leave(ev, LAYER_TABLE), 0);
	assert_int_equal(leave(ev, LAYER_HOOK), 1);
	assert_int_equal(leave(ev, LAYER_HOOK), 0);
}

static void a_missing_return_is_passed_over(void **state)
{
	struct event ev = in_task(7, 0);

	(void)state;
	enter(ev, LAYER_HOOK, 1);
	enter(ev, LAYER_SEGMENT, 2);
	enter(ev, LAYER_CLONE, 3);
	assert_int_equal(inside(ev), 2);
	/* The hook is over, so what it called is. */
	assert_int_equal(leave(ev, LAYER_HOOK), 1);
	assert_int_equal(inside(ev), 0);
	assert_int_equal(leave(ev, LAYER_CLONE), 0);
	/* A return with no call leaves the others alone. */
	enter(ev, LAYER_SEGMENT, 4);
	assert_int_equal(leave(ev, LAYER_TABLE), 0);
	assert_int_equal(inside(ev), 4);
}

static void interrupts_in_between_have_calls_of_their_own(void **state)
{
	(void)state;
	enter(in_task(7, 0), LAYER_SEGMENT, 1);
	assert_int_equal(inside(in_softirq(7, 0)), 0);
	enter(in_softirq(7, 0), LAYER_SEGMENT, 2);
	assert_int_equal(inside(in_hardirq(7, 0)), 0);
	enter(in_hardirq(7, 0), LAYER_SEGMENT, 3);
	assert_int_equal(inside(in_task(7, 0)), 1);
	assert_int_equal(inside(in_softirq(7, 0)), 2);
	assert_int_equal(inside(in_hardirq(7, 0)), 3);
	/* The softirq is the CPU's, whichever task it interrupted. */
	assert_int_equal(inside(in_softirq(8, 0)), 2);
	assert_int_equal(inside(in_softirq(7, 1)), 0);
	assert_int_equal(leave(in_softirq(8, 0), LAYER_SEGMENT), 2);
	assert_int_equal(leave(in_task(7, 0), LAYER_SEGMENT), 1);
	assert_int_equal(leave(in_hardirq(9, 0), LAYER_SEGMENT), 3);
}

static void a_task_that_migrates_takes_its_calls_along(void **state)
{
	(void)state;
	enter(in_task(7, 0), LAYER_SEGMENT, 1);
	enter(in_task(8, 0), LAYER_SEGMENT, 2);
	assert_int_equal(inside(in_task(7, 3)), 1);
	assert_int_equal(leave(in_task(7, 3), LAYER_SEGMENT), 1);
	assert_int_equal(leave(in_task(8, 0), LAYER_SEGMENT), 2);
}

static void the_idle_tasks_of_two_cpus_are_two(void **state)
{
	(void)state;
	enter(in_task(0, 0), LAYER_SEGMENT, 1);
	enter(in_task(0, 1), LAYER_SEGMENT, 2);
	assert_int_equal(leave(in_task(0, 0), LAYER_SEGMENT), 1);
	assert_int_equal(leave(in_task(0, 1), LAYER_SEGMENT), 2);
}

static void tasks_that_share_a_place_are_never_taken_for_each_other(void **state)
{
	s32 pid;

	(void)state;
	for (pid = 1; pid <= 4 * CALLS_TASKS; pid++)
		enter(in_task(pid, 0), LAYER_SEGMENT, (u64)pid);
	for (pid = 1; pid <= 3 * CALLS_TASKS; pid++)
		assert_int_equal(inside(in_task(pid, 0)), 0);
	for (; pid <= 4 * CALLS_TASKS; pid++)
		assert_int_equal(inside(in_task(pid, 0)), pid);
	/* Nor is a pid that no task has. */
	enter(in_task(-1, 0), LAYER_SEGMENT, 99);
	assert_int_equal(inside(in_task(-1, 0)), 99);
	assert_int_equal(inside(in_task(0, 0)), 0);
}

static void of_calls_too_deep_the_outermost_are_forgotten(void **state)
{
	struct event ev = in_task(7, 0);
	u64 i;

	(void)state;
	for (i = 1; i <= CALLS_DEPTH + 5; i++)
		enter(ev, LAYER_SEGMENT, i);
	for (i = CALLS_DEPTH + 5; i > 5; i--)
		assert_int_equal(leave(ev, LAYER_SEGMENT), i);
	assert_int_equal(leave(ev, LAYER_SEGMENT), 0);
}

static void cpus_beyond_all_bounds_do_no_harm(void **state)
{
	u32 cpu;

	(void)state;
	for (cpu = 0; cpu <= 65535; cpu += 4095) {
		enter(in_hardirq(0, (u16)cpu), LAYER_SEGMENT, cpu + 1);
		assert_int_equal(inside(in_hardirq(0, (u16)cpu)), cpu < CALLS_CPUS ? cpu + 1 : 0);
	}
	enter(in_task(0, 65535), LAYER_SEGMENT, 5);
	assert_int_equal(inside(in_task(0, 65535)), 5);
}

static void after_lost_records_no_call_is_open(void **state)
{
	(void)state;
	enter(in_task(7, 0), LAYER_SEGMENT, 1);
	enter(in_softirq(7, 0), LAYER_SEGMENT, 2);
	calls_forget(&calls);
	assert_int_equal(inside(in_task(7, 0)), 0);
	assert_int_equal(leave(in_softirq(7, 0), LAYER_SEGMENT), 0);
	enter(in_task(7, 0), LAYER_SEGMENT, 3);
	assert_int_equal(inside(in_task(7, 0)), 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(calls_return_in_the_order_of_their_nesting),
		TEST(a_missing_return_is_passed_over),
		TEST(interrupts_in_between_have_calls_of_their_own),
		TEST(a_task_that_migrates_takes_its_calls_along),
		TEST(the_idle_tasks_of_two_cpus_are_two),
		TEST(tasks_that_share_a_place_are_never_taken_for_each_other),
		TEST(of_calls_too_deep_the_outermost_are_forgotten),
		TEST(cpus_beyond_all_bounds_do_no_harm),
		TEST(after_lost_records_no_call_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
