// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chains of calls: from records of function_graph to what a task is in.
 */
#include "unit.h"

#include <string.h>

#include "analysis/chains.h"

static int setup(void **state)
{
	struct error err;

	return chains_new((struct chains **)state, &err);
}

static int teardown(void **state)
{
	chains_free(*state);
	return 0;
}

static void feed(struct chains *c, u8 kind, s32 pid, u64 func, u32 depth, u8 context)
{
	struct graph_record rec = {
		.kind = kind, .pid = pid, .func = func, .depth = depth, .context = context
	};

	chains_record(c, &rec);
}

#define CALL(pid, func, depth) feed(c, GRAPH_ENTRY, pid, func, depth, 0)
#define RETURN(pid, func, depth) feed(c, GRAPH_EXIT, pid, func, depth, 0)

static void assert_chain(struct chains *c, s32 pid, const u64 *func, u32 nr)
{
	const struct chain *chain = chains_get(c, chains_at(c, pid));

	if (!nr) {
		assert_null(chain);
		return;
	}
	assert_non_null(chain);
	assert_int_equal(chain->nr, nr);
	assert_memory_equal(chain->func, func, nr * sizeof(*func));
}

#define ASSERT_CHAIN(pid, ...)                                            \
	do {                                                              \
		const u64 wanted[] = { 0, ##__VA_ARGS__ };                \
		assert_chain(c, pid, wanted + 1, ARRAY_SIZE(wanted) - 1); \
	} while (0)

static void a_chain_is_what_has_not_returned(void **state)
{
	struct chains *c = *state;

	ASSERT_CHAIN(7);
	CALL(7, 100, 0);
	CALL(7, 200, 1);
	CALL(7, 300, 2);
	ASSERT_CHAIN(7, 100, 200, 300);
	RETURN(7, 300, 2);
	ASSERT_CHAIN(7, 100, 200);
	RETURN(7, 200, 1);
	RETURN(7, 100, 0);
	ASSERT_CHAIN(7);
}

static void tasks_have_chains_of_their_own(void **state)
{
	struct chains *c = *state;

	CALL(7, 100, 0);
	CALL(8, 500, 3);
	CALL(7, 200, 1);
	ASSERT_CHAIN(7, 100, 200);
	ASSERT_CHAIN(8, 500);
	ASSERT_CHAIN(9);
	/* another task in the same place: what was there is forgotten, and nobody gets it */
	CALL(7 + CHAINS_TASKS, 600, 0);
	ASSERT_CHAIN(7);
	ASSERT_CHAIN(7 + CHAINS_TASKS, 600);
}

static void interrupts_are_in_no_chain(void **state)
{
	struct chains *c = *state;

	CALL(7, 100, 0);
	feed(c, GRAPH_ENTRY, 7, 900, 1, GRAPH_IN_SOFTIRQ);
	feed(c, GRAPH_ENTRY, 7, 901, 2, GRAPH_IN_HARDIRQ);
	ASSERT_CHAIN(7, 100);
	feed(c, GRAPH_EXIT, 7, 900, 1, GRAPH_IN_SOFTIRQ);
	ASSERT_CHAIN(7, 100);
	/* idle tasks share a pid */
	CALL(0, 100, 0);
	ASSERT_CHAIN(0);
}

static void a_missing_exit_ends_with_the_next_call_of_that_depth(void **state)
{
	struct chains *c = *state;

	CALL(7, 100, 0);
	CALL(7, 200, 1);
	CALL(7, 300, 2);
	CALL(7, 400, 1);
	ASSERT_CHAIN(7, 100, 400);
	/* holes between depths are no reason to leave something out */
	CALL(7, 500, 5);
	ASSERT_CHAIN(7, 100, 400, 500);
	/* the exit of the root, with all below it missing */
	RETURN(7, 100, 0);
	ASSERT_CHAIN(7);
}

static void an_exit_of_something_else_ends_nothing(void **state)
{
	struct chains *c = *state;

	CALL(7, 100, 0);
	CALL(7, 200, 1);
	RETURN(7, 999, 1);
	RETURN(7, 200, 3);
	ASSERT_CHAIN(7, 100, 200);
}

static void a_loss_forgets_all(void **state)
{
	struct chains *c = *state;

	CALL(7, 100, 0);
	chains_lost(c);
	ASSERT_CHAIN(7);
	CALL(7, 300, 2);
	ASSERT_CHAIN(7, 300);
}

static void equal_chains_have_one_number(void **state)
{
	struct chains *c = *state;
	u32 first, i;

	CALL(7, 100, 0);
	CALL(7, 200, 1);
	first = chains_at(c, 7);
	CALL(8, 100, 0);
	assert_int_not_equal(chains_at(c, 8), first);
	CALL(8, 200, 1);
	assert_int_equal(chains_at(c, 8), first);
	/* there is room for so many, and the next has none; those before keep theirs */
	for (i = 0; i < CHAINS_MAX + 10; i++) {
		CALL(8, 1000 + i, 1);
		chains_at(c, 8);
	}
	assert_int_equal(chains_at(c, 8), 0);
	assert_int_equal(chains_at(c, 7), first);
	ASSERT_CHAIN(7, 100, 200);
}

static void the_outermost_of_many_calls_are_kept(void **state)
{
	struct chains *c = *state;
	const struct chain *chain;
	u32 i;

	for (i = 0; i < 200; i++)
		CALL(7, 1000 + i, i);
	chain = chains_get(c, chains_at(c, 7));
	assert_int_equal(chain->nr, CHAIN_FUNCS);
	for (i = 0; i < CHAIN_FUNCS; i++)
		assert_int_equal(chain->func[i], 1000 + i);
	for (i = 200; i-- > 1;)
		RETURN(7, 1000 + i, i);
	ASSERT_CHAIN(7, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_chain_is_what_has_not_returned, setup, teardown),
		cmocka_unit_test_setup_teardown(tasks_have_chains_of_their_own, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupts_are_in_no_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_missing_exit_ends_with_the_next_call_of_that_depth, setup, teardown),
		cmocka_unit_test_setup_teardown(an_exit_of_something_else_ends_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_loss_forgets_all, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_chains_have_one_number, setup, teardown),
		cmocka_unit_test_setup_teardown(the_outermost_of_many_calls_are_kept, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
