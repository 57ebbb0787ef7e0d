// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Durations and time stamps as text.
 */
#include "unit.h"

#include "render/fmt.h"
#include "render/text_width.h"

static struct strbuf out;

static int teardown(void **state)
{
	(void)state;
	strbuf_free(&out);
	return 0;
}

static const char *duration(u64 ns, bool align)
{
	out.len = 0;
	fmt_duration(&out, ns, true, align);
	return strbuf_cstr(&out);
}

static void durations_have_three_digits_and_are_never_rounded_up(void **state)
{
	static const struct {
		u64 ns;
		const char *text, *aligned;
	} rows[] = {
		{ 0, "0 ns", "    0 ns" },
		{ 9, "9 ns", "    9 ns" },
		{ 10, "10 ns", "   10 ns" },
		{ 999, "999 ns", "  999 ns" },
		{ 1000, "1.00 µs", " 1.00 µs" },
		{ 9999, "9.99 µs", " 9.99 µs" },
		{ 10000, "10.0 µs", " 10.0 µs" },
		{ 99999, "99.9 µs", " 99.9 µs" },
		{ 100000, "100 µs", "  100 µs" },
		{ 999999, "999 µs", "  999 µs" },
		{ 1000000, "1.00 ms", " 1.00 ms" },
		{ 999999999, "999 ms", "  999 ms" },
		{ 1000000000, "1.00 s", " 1.00 s " },
		{ 61500000000, "61.5 s", " 61.5 s " },
		{ 999999999999, "999 s", "  999 s " },
		{ 1000000000000, "1000 s", "  1000 s" },
		{ 999999999999999, "999999 s", "999999 s" },
		{ 1000000000000000, "11 d", "    11 d" },
		{ UINT64_MAX, "213503 d", "213503 d" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(duration(rows[i].ns, false), rows[i].text);
		assert_string_equal(duration(rows[i].ns, true), rows[i].aligned);
	}
}

static void durations_take_eight_columns_whatever_they_are(void **state)
{
	u64 ns = 1;

	(void)state;
	for (; ns < UINT64_MAX / 5; ns += ns / 7 + 1) {
		duration(ns, true);
		assert_int_equal(text_widest(&out, 0), FMT_DURATION_WIDTH);
	}
	out.len = 0;
	fmt_duration(&out, 1420, false, true);
	assert_string_equal(strbuf_cstr(&out), " 1.42 us");
}

static void time_stamps_have_six_decimals(void **state)
{
	(void)state;
	fmt_seconds(&out, 0);
	fmt_seconds(&out, 462726726999);
	fmt_seconds(&out, UINT64_MAX);
	assert_string_equal(strbuf_cstr(&out), "0.000000 s462.726726 s18446744073.709551 s");
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(durations_have_three_digits_and_are_never_rounded_up),
		TEST(durations_take_eight_columns_whatever_they_are),
		TEST(time_stamps_have_six_decimals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
