// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replies that only a raw socket wants, and the copy of them that it reads.
 */
#include "unit.h"

#include "path_script.h"

/* Two echo replies that only raw sockets want, received and freed by ICMP. */
#define REPLY(t, skb, length, ...)                             \
	RX(t, skb, "br0", length, SOFTIRQ, ##__VA_ARGS__),     \
		RECEIVE((t) + 1, skb, "br0", length, SOFTIRQ), \
		DROP((t) + 3, skb, ICMP_SITE, SOFTIRQ)

static void what_icmp_answered_before_it_freed_it_was_delivered(void **state)
{
	static const struct step steps[] = {
		RX(0, A, "eth0", 104, SOFTIRQ),
		RECEIVE(1, A, "eth0", 104, SOFTIRQ),
		QUEUE(2, B, "eth0", 118, SOFTIRQ),
		DROP(3, A, ICMP_SITE, SOFTIRQ),
		/* What another CPU sends meanwhile is no answer, nor what was sent before. */
		QUEUE(10, C, "eth0", 118, SOFTIRQ),
		RECEIVE(11, A, "eth0", 104, SOFTIRQ),
		QUEUE(12, B, "eth1", 118, SOFTIRQ, .cpu = 1),
		DROP(13, A, ICMP_SITE, SOFTIRQ),
		NOTE(50000, A),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene_path(&scene, 0)->state, PATH_DELIVERED);
	assert_true(scene_path(&scene, 0)->acted_on);
	assert_int_equal(scene_path(&scene, 11)->state, PATH_UNKNOWN);
	assert_false(scene_path(&scene, 11)->acted_on);
}

static void a_raw_sockets_copy_read_after_the_free_is_the_delivery(void **state)
{
	static const struct step steps[] = {
		REPLY(0, A, 84),
		COPY(400, C, 84, .pid = 134),
		CONSUME(401, C),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
	assert_int_equal(scene.done[0].complete, PATH_COMPLETE);
	assert_true(scene.done[0].raw_copy);
	assert_int_equal(scene.done[0].raw_pid, 134);
	assert_true(scene.done[0].raw_skb == C);
	assert_int_equal(scene.done[0].raw_ts_ns, 400000);
	assert_int_equal(paths_stats(scene.paths)->unseen_frees, 2);
}

static void a_raw_sockets_copy_read_before_the_free_is_the_delivery(void **state)
{
	/* On another CPU the reader is faster than ICMP. */
	static const struct step steps[] = {
		RX(0, A, "br0", 84, SOFTIRQ),
		RECEIVE(1, A, "br0", 84, SOFTIRQ),
		COPY(2, C, 84, .cpu = 1, .pid = 134),
		DROP(3, A, ICMP_SITE, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
	assert_int_equal(scene.done[0].raw_pid, 134);
}

static void a_raw_ipv6_socket_reads_no_ip_header(void **state)
{
	static const struct step steps[] = { REPLY(0, A, 104, .proto = 0x86dd), COPY(400, C, 64) };

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_true(scene.done[0].raw_copy);
}

static void what_fits_two_packets_is_claimed_by_none(void **state)
{
	static const struct step steps[] = {
		REPLY(0, A, 84),
		REPLY(10, B, 84),
		COPY(400, C, 84),
		NOTE(90000, C),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_false(scene.done[0].raw_copy || scene.done[1].raw_copy);
	/* It may have been read, so it is not called a loss either. */
	assert_int_equal(scene.done[0].state, PATH_UNKNOWN);
	assert_int_equal(scene.done[0].complete, PATH_UNKNOWN_END);
}

static void a_copy_of_another_length_or_too_late_is_not_its(void **state)
{
	static const struct step steps[] = {
		REPLY(0, A, 84),
		COPY(400, C, 83),
		COPY(401, C, 64),
		COPY(50000, C, 84),
		/* Nor is one that was read before it came. */
		COPY(60000, C, 100),
		REPLY(60001, B, 100),
		NOTE(150000, C),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_false(scene.done[0].raw_copy || scene.done[1].raw_copy);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_icmp_answered_before_it_freed_it_was_delivered),
		TEST(a_raw_sockets_copy_read_after_the_free_is_the_delivery),
		TEST(a_raw_sockets_copy_read_before_the_free_is_the_delivery),
		TEST(a_raw_ipv6_socket_reads_no_ip_header),
		TEST(what_fits_two_packets_is_claimed_by_none),
		TEST(a_copy_of_another_length_or_too_late_is_not_its),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
