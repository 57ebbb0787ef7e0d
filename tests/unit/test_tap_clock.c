// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Times of packet sockets in the trace's clock: never further off than said.
 */
#include "unit.h"

#include <stdlib.h>

#include "capture/tap_clock.h"

#define OFFSET 1795327579434458165LL

static void brackets_that_agree_get_narrower(void **state)
{
	struct tap_clock c = { 0 };
	u32 slack;
	u64 ns;

	(void)state;
	tap_clock_bracket(&c, OFFSET - 900, OFFSET + 100);
	ns = tap_clock_convert(&c, OFFSET + 5000000, &slack);
	assert_true(ns + slack >= 5000000 && ns - slack <= 5000000);
	assert_true(slack <= 501);
	tap_clock_bracket(&c, OFFSET - 10, OFFSET + 900);
	ns = tap_clock_convert(&c, OFFSET + 5000000, &slack);
	assert_true(ns + slack >= 5000000 && ns - slack <= 5000000);
	assert_true(slack <= 56);
}

static void random_brackets_always_hold_the_truth(void **state)
{
	struct tap_clock c = { 0 };
	u32 i, slack;
	u64 ns;

	(void)state;
	srand(1);
	for (i = 0; i < 10000; i++) {
		tap_clock_bracket(&c, OFFSET - rand() % 1000, OFFSET + rand() % 1000);
		ns = tap_clock_convert(&c, (u64)OFFSET + 1000000 + i, &slack);
		assert_true(ns + slack >= 1000000 + i && ns - slack <= 1000000 + i);
	}
}

static void a_clock_that_was_set_in_between_makes_times_unsure(void **state)
{
	struct tap_clock c = { 0 };
	u32 slack;

	(void)state;
	tap_clock_bracket(&c, OFFSET - 10, OFFSET + 10);
	tap_clock_bracket(&c, OFFSET + (s64)NSEC_PER_SEC - 10, OFFSET + (s64)NSEC_PER_SEC + 10);
	tap_clock_convert(&c, OFFSET + 5000000, &slack);
	assert_int_equal(slack, UINT32_MAX);
	/* From the next look on all is well again. */
	tap_clock_bracket(&c, OFFSET + (s64)NSEC_PER_SEC - 10, OFFSET + (s64)NSEC_PER_SEC + 10);
	assert_int_equal(tap_clock_convert(&c, OFFSET + NSEC_PER_SEC + 5000000, &slack), 5000000);
	assert_true(slack <= 11);
}

static void a_small_correction_widens_what_is_said(void **state)
{
	struct tap_clock c = { 0 };
	u32 slack;
	u64 ns;

	(void)state;
	tap_clock_bracket(&c, OFFSET - 10, OFFSET + 10);
	tap_clock_bracket(&c, OFFSET + 990, OFFSET + 1010);
	/* Either of the two may be what it was stamped with. */
	ns = tap_clock_convert(&c, OFFSET + 5000000, &slack);
	assert_true(ns + slack >= 5000000 && ns - slack <= 5000000 - 1000);
	assert_true(slack < 1000);
}

static void this_machines_clocks_can_be_measured(void **state)
{
	struct tap_clock c = { 0 };
	u32 slack, i;

	(void)state;
	for (i = 0; i < 100; i++)
		tap_clock_look(&c);
	tap_clock_convert(&c, 1800000000ULL * NSEC_PER_SEC, &slack);
	print_message("within %u ns\n", slack);
	assert_true(slack < 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brackets_that_agree_get_narrower),
		cmocka_unit_test(random_brackets_always_hold_the_truth),
		cmocka_unit_test(a_clock_that_was_set_in_between_makes_times_unsure),
		cmocka_unit_test(a_small_correction_widens_what_is_said),
		cmocka_unit_test(this_machines_clocks_can_be_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
