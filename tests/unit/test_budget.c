// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --budget: the choice of a hop set, by rates and costs.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/budget.h"

/* 100 ns a tracepoint's record, 300 ns a probe's: a packet costs 600, 2,000, 3,200 and 6,800 ns. */
static struct budget make(u64 packets_per_s, u64 percent)
{
	return (struct budget){
		.allowed_ppm = percent * BUDGET_PPM_PER_PERCENT,
		.packets_per_s = packets_per_s,
		.tracepoint_ns = 100,
		.probe_ns = 300,
		.most = BUDGET_FULL,
		.level = { [BUDGET_T0] = { 6, 0, true },
			   [BUDGET_MINIMAL] = { 2, 6, true },
			   [BUDGET_DEFAULT] = { 2, 10, true },
			   [BUDGET_FULL] = { 2, 22, true } },
	};
}

static void quiet_machine_gets_all_hops(void **state)
{
	struct budget b = make(0, 1);

	(void)state;
	assert_int_equal(budget_choose(&b), BUDGET_FULL);
	b = make(1000, 1); /* 6.8 ms of a second */
	assert_int_equal(budget_share_ppm(&b, BUDGET_FULL), 6800);
	assert_int_equal(budget_choose(&b), BUDGET_FULL);
}

static void more_packets_lower_the_set_step_by_step(void **state)
{
	static const struct {
		u64 rate;
		u8 level;
	} steps[] = {
		{ 7352, BUDGET_FULL },	   { 7353, BUDGET_DEFAULT },  { 15625, BUDGET_DEFAULT },
		{ 15626, BUDGET_MINIMAL }, { 25000, BUDGET_MINIMAL }, { 25001, BUDGET_T0 },
		{ 83333, BUDGET_T0 },	   { 83334, BUDGET_NONE },
	};
	struct budget b;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		b = make(steps[i].rate, 5);
		assert_int_equal(budget_choose(&b), steps[i].level);
	}
}

static void share_is_rounded_up(void **state)
{
	struct budget b = make(7353, 5); /* 50.0004 ms */

	(void)state;
	assert_int_equal(budget_share_ppm(&b, BUDGET_FULL), 50001);
	assert_int_equal(budget_choose(&b), BUDGET_DEFAULT);
	b.packets_per_s = 1;
	b.tracepoint_ns = 1;
	assert_int_equal(budget_share_ppm(&b, BUDGET_T0), 1);
}

static void more_than_a_cpu_can_do_is_over_any_budget(void **state)
{
	struct budget b = make(2000000, 100);

	(void)state;
	assert_int_equal(budget_share_ppm(&b, BUDGET_FULL), 13600000);
	assert_int_equal(budget_choose(&b), BUDGET_NONE);
}

static void no_more_is_chosen_than_was_asked_for(void **state)
{
	struct budget b = make(10, 50);

	(void)state;
	b.most = BUDGET_MINIMAL;
	assert_int_equal(budget_choose(&b), BUDGET_MINIMAL);
	b.most = BUDGET_T0;
	assert_int_equal(budget_choose(&b), BUDGET_T0);
}

static void impossible_sets_are_passed_over(void **state)
{
	struct budget b = make(20000, 5);

	(void)state;
	assert_int_equal(budget_choose(&b), BUDGET_MINIMAL);
	b.level[BUDGET_MINIMAL].possible = false;
	assert_int_equal(budget_choose(&b), BUDGET_T0);
	b.level[BUDGET_T0].possible = false; /* a filter needs headers */
	assert_int_equal(budget_choose(&b), BUDGET_NONE);
}

static void numbers_are_told_with_units(void **state)
{
	struct budget b = make(20000, 5);
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	b.level[BUDGET_T0].possible = false;
	budget_explain(&sb, &b);
	assert_string_equal(
		strbuf_cstr(&sb),
		"20000 packets/s on the busiest CPU; estimated shares of its time: "
		"full 13.6 % (24 records a packet), default 6.4 % (12 records a packet), "
		"minimal 4 % (8 records a packet); measured here: 100 ns a tracepoint's "
		"record, 300 ns a probe's");
	strbuf_free(&sb);
}

static void percent_of(u64 ppm, const char *text)
{
	struct strbuf sb = STRBUF_INIT;

	budget_put_percent(&sb, ppm);
	assert_string_equal(strbuf_cstr(&sb), text);
	strbuf_free(&sb);
}

static void percents_are_readable(void **state)
{
	(void)state;
	percent_of(0, "0 %");
	percent_of(1, "0.0001 %");
	percent_of(123, "0.012 %");
	percent_of(50000, "5 %");
	percent_of(123456, "12.3 %");
	percent_of(999999, "100 %");
	percent_of(13600000, "1360 %");
	percent_of(13600001, "1361 %");
}

static void records_of_a_packet_are_counted_by_kind(void **state)
{
	static char *events[] = { "net:net_dev_queue",	 "net:netif_receive_skb_entry",
				  "skbtrail_7:ip_rcv",	 "skbtrail_7:ipv6_rcv",
				  "skbtrail_7:netif_rx", "skbtrail_77:ip_output",
				  "skb:consume_skb",	 "net:net_dev_xmit" };
	struct plan plan = { .events = events, .event_count = 8, .group = "skbtrail_7" };
	struct budget_records records = { .possible = true };

	(void)state;
	budget_count(&plan, &records);
	/* net_dev_queue, net_dev_xmit, and another one's ip_output, which is no probe of ours */
	assert_int_equal(records.tracepoint, 3);
	assert_int_equal(records.probe, 2);
	assert_true(records.possible);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_machine_gets_all_hops),
		cmocka_unit_test(more_packets_lower_the_set_step_by_step),
		cmocka_unit_test(share_is_rounded_up),
		cmocka_unit_test(more_than_a_cpu_can_do_is_over_any_budget),
		cmocka_unit_test(no_more_is_chosen_than_was_asked_for),
		cmocka_unit_test(impossible_sets_are_passed_over),
		cmocka_unit_test(numbers_are_told_with_units),
		cmocka_unit_test(percents_are_readable),
		cmocka_unit_test(records_of_a_packet_are_counted_by_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
