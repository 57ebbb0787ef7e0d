// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a capture came to: rates, losses and cost, as text and JSON. Expected numbers are worked out by hand.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/summary.h"

/* 1,000 packets with 12,000 records in 2 s; 64 timed ones took 256 µs, with 640 records 448 µs: 300 ns each. */
static struct summary make(void)
{
	return (struct summary){
		.packets = 1000,
		.records = 12000,
		.bytes = 4200000,
		.time_ns = 2 * NSEC_PER_SEC,
		.cost = { .packets = 64, .records = 640, .off_ns = 256000, .on_ns = 448000 },
	};
}

static void text_is(const struct summary *s, const char *expected)
{
	struct strbuf sb = STRBUF_INIT;

	render_summary_text(&sb, s, true);
	assert_string_equal(strbuf_cstr(&sb), expected);
	strbuf_free(&sb);
}

static void json_is(const struct summary *s, const char *expected)
{
	struct strbuf sb = STRBUF_INIT;

	assert_int_equal(render_summary_json(&sb, s), 0);
	assert_string_equal(strbuf_cstr(&sb), expected);
	strbuf_free(&sb);
}

static void rates_and_cost_have_units_and_their_basis(void **state)
{
	struct summary s = make();

	(void)state;
	s.own_cpu_ns = 30 * NSEC_PER_MSEC;
	text_is(&s,
		"skbtrail: 12000 records, 4.2 MB in 2.00 s: 6000 records/s, 2.1 MB/s; 0 records "
		"lost\n"
		"skbtrail: estimated cost: 3.60 µs of CPU time per packet (12 records, 300 ns "
		"each), 0.18 % of one CPU\n"
		"skbtrail: measured before it began, on UDP packets over a loopback device: "
		"4.00 µs a packet without tracing, 7.00 µs with it and its 10 records\n"
		"skbtrail: own CPU time, besides: 30.0 ms, 1.5 % of one CPU\n");
	json_is(&s,
		"{\"summary\":{\"packets\":1000,\"records\":12000,\"bytes\":4200000,\"lost\":0,"
		"\"time_ns\":2000000000,\"records_per_s\":6000,\"bytes_per_s\":2100000,"
		"\"cost\":{\"record_ns\":300,\"packet_ns\":3600,\"cpu_percent\":0.18,"
		"\"measured\":{\"packets\":64,\"records\":640,\"off_ns\":256000,\"on_ns\":448000}},"
		"\"own_cpu_ns\":30000000}}\n");
}

static void cost_that_nobody_measured_is_no_zero(void **state)
{
	struct summary s = make();

	(void)state;
	s.cost = (struct cost){ .why = "no network namespace" };
	text_is(&s,
		"skbtrail: 12000 records, 4.2 MB in 2.00 s: 6000 records/s, 2.1 MB/s; 0 records "
		"lost\n"
		"skbtrail: cost per packet: not measured: no network namespace\n");
	json_is(&s, "{\"summary\":{\"packets\":1000,\"records\":12000,\"bytes\":4200000,\"lost\":0,"
		    "\"time_ns\":2000000000,\"records_per_s\":6000,\"bytes_per_s\":2100000,"
		    "\"cost\":{\"not_measured\":\"no network namespace\"}}}\n");
	/* half a measurement is none */
	s.cost = (struct cost){ .packets = 64, .off_ns = 256000 };
	assert_int_equal(summary_cost_ns(&s), 0);
	json_is(&s, "{\"summary\":{\"packets\":1000,\"records\":12000,\"bytes\":4200000,\"lost\":0,"
		    "\"time_ns\":2000000000,\"records_per_s\":6000,\"bytes_per_s\":2100000,"
		    "\"cost\":{\"not_measured\":\"not recorded\"}}}\n");
}

static void time_that_is_not_known_makes_no_rates(void **state)
{
	struct summary s = { .records = 1, .bytes = 36, .packets = 1 };

	(void)state;
	text_is(&s, "skbtrail: 1 record, 36 B; 0 records lost\n"
		    "skbtrail: cost per packet: not measured\n");
	json_is(&s, "{\"summary\":{\"packets\":1,\"records\":1,\"bytes\":36,\"lost\":0,"
		    "\"cost\":{\"not_measured\":\"not recorded\"}}}\n");
}

static void lost_records_cost_too(void **state)
{
	struct summary s = make();

	(void)state;
	s.lost = 12000;
	s.lost_uncounted = 2;
	assert_int_equal(summary_cost_ns(&s), 24000 * 300);
	/* of the packets that were seen each had as many as before */
	text_is(&s, "skbtrail: 12000 records, 4.2 MB in 2.00 s: 6000 records/s, 2.1 MB/s; 12000 "
		    "records lost, and 2 times uncounted ones\n"
		    "skbtrail: estimated cost: 3.60 µs of CPU time per packet (12 records, 300 ns "
		    "each), 0.36 % of one CPU\n"
		    "skbtrail: measured before it began, on UDP packets over a loopback device: "
		    "4.00 µs a packet without tracing, 7.00 µs with it and its 10 records\n");
}

static void recording_knows_no_packets(void **state)
{
	struct summary s = make();
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	s.packets = 0;
	render_summary_text(&sb, &s, false);
	assert_non_null(strstr(strbuf_cstr(&sb),
			       "skbtrail: estimated cost: 300 ns of CPU time per record, 0.18 % of "
			       "one CPU\n"));
	assert_null(strstr(strbuf_cstr(&sb), "µ"));
	strbuf_free(&sb);
}

static void packets_that_leave_no_record_have_a_cost_of_their_own(void **state)
{
	struct summary s = make();
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	s.cost.records = 0;
	render_summary_text(&sb, &s, true);
	assert_non_null(strstr(strbuf_cstr(&sb),
			       "estimated cost of a packet that leaves no record: 3.00 µs; of "
			       "others: not measured\n"));
	strbuf_free(&sb);
	json_is(&s,
		"{\"summary\":{\"packets\":1000,\"records\":12000,\"bytes\":4200000,\"lost\":0,"
		"\"time_ns\":2000000000,\"records_per_s\":6000,\"bytes_per_s\":2100000,"
		"\"cost\":{\"unrecorded_packet_ns\":3000,"
		"\"measured\":{\"packets\":64,\"records\":0,\"off_ns\":256000,\"on_ns\":448000}}}}\n");
}

static void faster_with_tracing_is_noise(void **state)
{
	struct summary s = make();

	(void)state;
	s.cost.on_ns = 255000;
	assert_int_equal(cost_batch_ns(&s.cost), 0);
	assert_int_equal(summary_cost_ns(&s), 0);
}

static void words_of_a_recording_cannot_move_the_cursor(void **state)
{
	struct summary s = make();
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	s.cost = (struct cost){ .why = "\033[2J\xff" };
	render_summary_text(&sb, &s, true);
	assert_null(strchr(strbuf_cstr(&sb), '\033'));
	assert_non_null(strstr(strbuf_cstr(&sb), "not measured: \\x1b[2J\\xff"));
	strbuf_free(&sb);
	assert_int_equal(render_summary_json(&sb, &s), 0);
	assert_null(strchr(strbuf_cstr(&sb), '\033'));
	assert_null(strchr(strbuf_cstr(&sb), '\xff'));
	strbuf_free(&sb);
}

static void impossible_rate_stays_a_number(void **state)
{
	struct summary s = { .records = UINT64_MAX, .bytes = UINT64_MAX, .time_ns = 1 };
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	assert_int_equal(render_summary_json(&sb, &s), 0);
	assert_non_null(strstr(strbuf_cstr(&sb), "\"records_per_s\":10000000000000000000,"));
	strbuf_free(&sb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_and_cost_have_units_and_their_basis),
		cmocka_unit_test(cost_that_nobody_measured_is_no_zero),
		cmocka_unit_test(time_that_is_not_known_makes_no_rates),
		cmocka_unit_test(lost_records_cost_too),
		cmocka_unit_test(recording_knows_no_packets),
		cmocka_unit_test(packets_that_leave_no_record_have_a_cost_of_their_own),
		cmocka_unit_test(faster_with_tracing_is_noise),
		cmocka_unit_test(words_of_a_recording_cannot_move_the_cursor),
		cmocka_unit_test(impossible_rate_stays_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
