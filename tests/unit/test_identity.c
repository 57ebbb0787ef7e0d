// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which packet an address stands for: real sequences of devices, and reuse with no death event.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/identity.h"
#include "path_script.h"

static void assert_packets(size_t nr)
{
	scene_finish(&scene);
	assert_int_equal(scene.nr, nr);
	assert_int_equal(paths_stats(scene.paths)->packets, nr);
}

static void ping_over_a_bridge_is_one_path_over_three_devices(void **state)
{
	/* 5.10 to 6.12; the reply takes an address that was just given back. */
	static const struct step steps[] = {
		QUEUE(0, A, "br0", 98),
		START(1, A, "br0", 98, .proto = 0x800),
		QUEUE(2, A, "veth1", 98),
		START(3, A, "veth1", 98, .proto = 0x800),
		RX_ENTRY(4, A, "eth0", 84, .proto = 0x800),
		RX(5, A, "eth0", 84),
		XMIT(6, A, "veth1", 98),
		XMIT(7, A, "br0", 98),
		RECEIVE(8, A, "eth0", 84, SOFTIRQ),
		QUEUE(9, B, "eth0", 98, SOFTIRQ),
		START(10, B, "eth0", 98, SOFTIRQ),
		RX_ENTRY(11, B, "veth1", 84, SOFTIRQ),
		RX(12, B, "veth1", 84, SOFTIRQ),
		XMIT(13, B, "eth0", 98, SOFTIRQ),
		CONSUME(14, A, SOFTIRQ),
		RECEIVE(15, B, "veth1", 84, SOFTIRQ),
		RECEIVE_ENTRY(16, B, "br0", 84, SOFTIRQ),
		RECEIVE(17, B, "br0", 84, SOFTIRQ),
		CONSUME(18, B, SOFTIRQ),
		QUEUE(19, A, "br0", 98),
	};

	(void)state;
	PLAY(steps);
	assert_packets(3);
	assert_string_equal(scene_devices(&scene, 0), "br0>veth1>eth0");
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
	assert_int_equal(scene.done[0].complete, PATH_COMPLETE);
	assert_int_equal(scene.done[0].nr_hops, 10);
	assert_int_equal(scene.done[0].proto, 0x800);
	assert_string_equal(scene_devices(&scene, 1), "eth0>veth1>br0");
	assert_int_equal(scene.done[1].state, PATH_DELIVERED);
	assert_int_equal(scene.done[2].number, 3);
	assert_int_equal(paths_stats(scene.paths)->reused, 0);
}

static void address_reused_without_a_death_event_starts_a_new_packet(void **state)
{
	/* TCP on lo: acknowledgements of equal length, one after another at one address. */
	static const struct step once[] = {
		QUEUE(0, A, "lo", 66, SOFTIRQ),	  START(1, A, "lo", 66, SOFTIRQ),
		RX(2, A, "lo", 52, SOFTIRQ),	  XMIT(3, A, "lo", 66, SOFTIRQ),
		RECEIVE(4, A, "lo", 52, SOFTIRQ),
	};
	struct step step;
	size_t round, i;

	(void)state;
	for (round = 0; round < 100; round++)
		for (i = 0; i < ARRAY_SIZE(once); i++) {
			step = once[i];
			step.us += round * 10;
			scene_event(&scene, &step);
		}
	assert_packets(100);
	assert_int_equal(paths_stats(scene.paths)->reused, 99);
	for (i = 0; i < 99; i++) {
		assert_int_equal(scene.done[i].nr_hops, 5);
		assert_int_equal(scene.done[i].state, PATH_UNKNOWN);
		assert_int_equal(scene.done[i].complete, PATH_UNKNOWN_END);
	}
}

static void what_a_task_sends_is_not_what_a_softirq_received(void **state)
{
	static const struct step steps[] = {
		RX(0, A, "eth0", 52, SOFTIRQ),
		RECEIVE(1, A, "eth0", 52, SOFTIRQ),
		QUEUE(2, A, "tun0", 66),
	};

	(void)state;
	PLAY(steps);
	assert_packets(2);
}

static void what_is_sent_shorter_than_it_was_received_is_another_packet(void **state)
{
	static const struct step steps[] = {
		RECEIVE(0, A, "veth1", 1500, SOFTIRQ),	QUEUE(2, A, "up0", 66, SOFTIRQ),
		RECEIVE(10, B, "veth1", 52, SOFTIRQ),	QUEUE(12, B, "up0", 1514, SOFTIRQ),
		RECEIVE(20, C, "veth1", 1450, SOFTIRQ), QUEUE(22, C, "up0", 1514, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_packets(5);
	assert_int_equal(scene_path(&scene, 20)->nr_hops, 2);
}

static void forwarded_packet_stays_one_path(void **state)
{
	/* A container's ping through masquerade to another machine's netns, 6.1. */
	static const struct step steps[] = {
		QUEUE(0, A, "eth0", 98),
		START(1, A, "eth0", 98),
		RX_ENTRY(2, A, "vethc1", 84),
		RX(3, A, "vethc1", 84),
		XMIT(4, A, "eth0", 98),
		RECEIVE(5, A, "vethc1", 84, SOFTIRQ),
		RECEIVE_ENTRY(6, A, "br0", 84, SOFTIRQ),
		RECEIVE(7, A, "br0", 84, SOFTIRQ),
		QUEUE(8, A, "up0", 98, SOFTIRQ),
		START(9, A, "up0", 98, SOFTIRQ),
		RX_ENTRY(10, A, "ext0", 84, SOFTIRQ),
		RX(11, A, "ext0", 84, SOFTIRQ),
		XMIT(12, A, "up0", 98, SOFTIRQ),
		RECEIVE(13, A, "ext0", 84, SOFTIRQ),
		CONSUME(14, A, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_packets(1);
	assert_string_equal(scene_devices(&scene, 0), "eth0>vethc1>br0>up0>ext0");
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
}

static void bridged_between_two_containers_is_one_path(void **state)
{
	static const struct step steps[] = {
		QUEUE(0, A, "c1eth0", 98),
		START(1, A, "c1eth0", 98),
		RX(2, A, "veth1", 84),
		XMIT(3, A, "c1eth0", 98),
		RECEIVE(4, A, "veth1", 84, SOFTIRQ),
		QUEUE(5, A, "veth2", 98, SOFTIRQ),
		START(6, A, "veth2", 98, SOFTIRQ),
		RX(7, A, "c2eth0", 84, SOFTIRQ),
		XMIT(8, A, "veth2", 98, SOFTIRQ),
		RECEIVE(9, A, "c2eth0", 84, SOFTIRQ),
		COPY(10, A, 56),
	};

	(void)state;
	PLAY(steps);
	assert_packets(1);
	assert_string_equal(scene_devices(&scene, 0), "c1eth0>veth1>veth2>c2eth0");
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
}

static const struct step out_of_a_container[] = {
	QUEUE(0, A, "eth0", 98),
	START(1, A, "eth0", 98),
	RX(2, A, "veth1", 84),
	XMIT(3, A, "eth0", 98),
	RECEIVE(4, A, "veth1", 84, SOFTIRQ),
	RECEIVE(5, A, "docker0", 84, SOFTIRQ),
	QUEUE(6, A, "eth0", 98, SOFTIRQ),
	START(7, A, "eth0", 98, SOFTIRQ),
	XMIT(8, A, "eth0", 98, SOFTIRQ),
	CONSUME(9, A, SOFTIRQ),
};

static void a_containers_packet_leaves_by_the_hosts_device_of_the_same_name(void **state)
{
	(void)state;
	scene.shared = "eth0";
	PLAY(out_of_a_container);
	assert_packets(1);
	assert_string_equal(scene_devices(&scene, 0), "eth0>veth1>docker0>eth0");
	assert_int_equal(scene.done[0].state, PATH_TRANSMITTED);
}

static void back_on_a_device_that_is_only_one_is_another_packet(void **state)
{
	(void)state;
	PLAY(out_of_a_container);
	assert_packets(2);
	assert_int_equal(scene.asked_shared, 1);
}

static void a_reply_from_a_shared_name_at_a_reused_address_is_a_new_packet(void **state)
{
	static const struct step steps[] = {
		QUEUE(0, A, "eth0", 66),
		START(1, A, "eth0", 66),
		RX(2, A, "veth1", 52),
		XMIT(3, A, "eth0", 66),
		RECEIVE(4, A, "veth1", 52, SOFTIRQ),
		QUEUE(5, A, "veth2", 66, SOFTIRQ),
		START(6, A, "veth2", 66, SOFTIRQ),
		RX(7, A, "eth0", 52, SOFTIRQ),
		RECEIVE(8, A, "eth0", 52, SOFTIRQ),
		/* The other container's answer. */
		QUEUE(9, A, "eth0", 66, SOFTIRQ),
	};

	(void)state;
	scene.shared = "eth0";
	PLAY(steps);
	assert_packets(2);
}

static void cookies_tell_devices_of_one_name_apart(void **state)
{
	struct step step;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(out_of_a_container); i++) {
		step = out_of_a_container[i];
		if (step.kind != EVENT_CONSUME)
			step.cookie = step.us < 2 || step.us == 3 ? 7 : 1;
		scene_event(&scene, &step);
	}
	assert_packets(1);
	assert_int_equal(scene.asked_shared, 0);
}

static void a_packet_does_not_go_on_in_another_netns_by_itself(void **state)
{
	static const struct step steps[] = {
		RX(0, A, "eth0", 52, SOFTIRQ, .cookie = 7),
		RECEIVE(1, A, "eth0", 52, SOFTIRQ, .cookie = 7),
		QUEUE(2, A, "br0", 66, SOFTIRQ, .cookie = 1),
	};

	(void)state;
	PLAY(steps);
	assert_packets(2);
}

static void veth_in_napi_mode_is_one_path(void **state)
{
	/* The sender's driver has returned long since when the peer is polled. */
	static const struct step steps[] = {
		QUEUE(0, A, "veth1", 1514),
		START(1, A, "veth1", 1514),
		XMIT(2, A, "veth1", 1514),
		GRO(10, A, "eth0", 1500, SOFTIRQ, .cpu = 1),
		RECEIVE(11, A, "eth0", 1500, SOFTIRQ, .cpu = 1),
		COPY(20, A, 1448),
		CONSUME(21, A),
	};

	(void)state;
	PLAY(steps);
	assert_packets(1);
	assert_string_equal(scene_devices(&scene, 0), "veth1>eth0");
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
}

static void what_gro_merged_away_ends_when_its_address_comes_again(void **state)
{
	static const struct step steps[] = {
		GRO(0, A, "eth0", 1500, SOFTIRQ), GRO(1, B, "eth0", 1500, SOFTIRQ),
		GRO(2, B, "eth0", 1500, SOFTIRQ), RECEIVE(3, A, "eth0", 4396, SOFTIRQ),
		CONSUME(4, A, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_packets(3);
	assert_int_equal(paths_stats(scene.paths)->reused, 1);
	assert_int_equal(scene_path(&scene, 0)->state, PATH_DELIVERED);
}

static void vlan_over_a_device_is_one_path(void **state)
{
	static const struct step steps[] = {
		QUEUE(0, A, "eth0.5", 98), START(1, A, "eth0.5", 98), QUEUE(2, A, "eth0", 102),
		START(3, A, "eth0", 102),  XMIT(4, A, "eth0", 102),   XMIT(5, A, "eth0.5", 98),
		CONSUME(9, A, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_packets(1);
	assert_string_equal(scene_devices(&scene, 0), "eth0.5>eth0");
	assert_int_equal(scene.done[0].state, PATH_TRANSMITTED);
	assert_int_equal(paths_stats(scene.paths)->strays, 0);
}

static const struct step macvlan[] = {
	QUEUE(0, A, "eth0", 98), START(1, A, "eth0", 98), QUEUE(2, A, "eth0", 98),
	START(3, A, "eth0", 98), XMIT(4, A, "eth0", 98),  XMIT(5, A, "eth0", 98),
	CONSUME(9, A),
};

static void a_macvlan_may_have_the_name_of_the_device_below(void **state)
{
	(void)state;
	scene.shared = "eth0";
	PLAY(macvlan);
	assert_packets(1);
	assert_int_equal(scene.done[0].nr_hops, 7);
}

static void queued_twice_on_one_device_is_two_packets(void **state)
{
	(void)state;
	PLAY(macvlan);
	assert_packets(2);
}

static void given_to_a_driver_again_after_success_is_another_packet(void **state)
{
	/* Only net_dev_start_xmit and net_dev_xmit were recorded. */
	static const struct step steps[] = {
		START(0, A, "eth0", 98),	   XMIT(1, A, "eth0", 98),  START(2, A, "eth0", 98),
		XMIT(3, A, "eth0", 98, .ret = 16), START(4, A, "eth0", 98), XMIT(5, A, "eth0", 98),
	};

	(void)state;
	PLAY(steps);
	assert_packets(2);
	assert_int_equal(scene_path(&scene, 0)->nr_hops, 2);
	assert_int_equal(scene_path(&scene, 2)->nr_hops, 4);
}

static void a_packet_that_a_process_read_does_not_travel_on(void **state)
{
	static const struct step steps[] = {
		RECEIVE(0, A, "eth0", 84, SOFTIRQ),
		COPY(1, A, 56),
		QUEUE(2, A, "eth0", 98),
	};

	(void)state;
	PLAY(steps);
	assert_packets(2);
	assert_int_equal(scene_path(&scene, 0)->state, PATH_DELIVERED);
	assert_int_equal(scene_path(&scene, 0)->complete, PATH_COMPLETE);
}

/* Fixed, so that a failure can be repeated; print_message() shows it. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ping_over_a_bridge_is_one_path_over_three_devices),
		TEST(address_reused_without_a_death_event_starts_a_new_packet),
		TEST(what_a_task_sends_is_not_what_a_softirq_received),
		TEST(what_is_sent_shorter_than_it_was_received_is_another_packet),
		TEST(forwarded_packet_stays_one_path),
		TEST(bridged_between_two_containers_is_one_path),
		TEST(a_containers_packet_leaves_by_the_hosts_device_of_the_same_name),
		TEST(back_on_a_device_that_is_only_one_is_another_packet),
		TEST(a_reply_from_a_shared_name_at_a_reused_address_is_a_new_packet),
		TEST(cookies_tell_devices_of_one_name_apart),
		TEST(a_packet_does_not_go_on_in_another_netns_by_itself),
		TEST(veth_in_napi_mode_is_one_path),
		TEST(what_gro_merged_away_ends_when_its_address_comes_again),
		TEST(vlan_over_a_device_is_one_path),
		TEST(a_macvlan_may_have_the_name_of_the_device_below),
		TEST(queued_twice_on_one_device_is_two_packets),
		TEST(given_to_a_driver_again_after_success_is_another_packet),
		TEST(a_packet_that_a_process_read_does_not_travel_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
