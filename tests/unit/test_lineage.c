// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where packets come from and what becomes of them when births, deaths and the calls in between are
 * recorded. The stories follow the kernel's sources that lineage.h names.
 */
#include "unit.h"

#include <string.h>

#include "analysis/paths_internal.h"
#include "path_script.h"

/* What a probe sees of packets of packets.h. */
static struct skb_facts ping, ping_reply, syn, data, ack, udp, arp_request, unreachable, echo6,
	advert, reset, fragment[3], hook, table;

static struct skb_facts with_id(struct skb_facts facts, u32 id)
{
	facts.packet.net[0].id = id;
	return facts;
}

static void make_facts(void)
{
	ping = facts_of("ping", 0);
	ping_reply = facts_of("ping_reply", 0);
	syn = facts_of("tcp_syn", 0);
	data = facts_of("tcp_data", 0);
	/* The same without its six bytes. */
	ack = data;
	ack.packet.net[0].total_bytes = 40;
	ack.packet.net[0].tcp_flags = TCP_ACK;
	reset = ack;
	reset.packet.net[0].tcp_flags = TCP_RST | TCP_ACK;
	udp = facts_of("udp", 0);
	arp_request = facts_of("arp_request", 0);
	unreachable = facts_of("port_unreachable", 0);
	echo6 = facts_of("ping6", 0);
	advert = facts_of("na", 0);
	fragment[0] = facts_of("fragment_first", 0);
	fragment[1] = facts_of("fragment_later", 0);
	fragment[2] = facts_of("fragment_last", 0);
	hook = (struct skb_facts){ .hook = 1, .pf = 2, .hook_function = 0x1234 };
	table = (struct skb_facts){ .pf = 2 };
}

static int setup(void **state)
{
	(void)state;
	make_facts();
	scene.options = (struct paths_options){ .exact = true, .headers = true };
	scene_begin(&scene);
	return 0;
}

/* The same without births: tiers where nothing of this is known. */
static void begin_again(struct paths_options options)
{
	scene_end(&scene);
	scene.options = options;
	scene_begin(&scene);
}

/* The finished path that began then; there must be one. */
static const struct path *path_of(u64 us)
{
	const struct path *path = scene_path(&scene, us);

	if (!path)
		fail_msg("no path began at %u us", (unsigned int)us);
	return path;
}

/* ---- births */

static void a_packet_knows_when_and_by_whom_it_was_made(void **state)
{
	static const struct step steps[] = {
		BIRTH(0, A, .pid = 3302),
		QUEUE(5, A, "eth0", 98, SOFTIRQ, .pid = 7),
		CONSUME(6, A),
		DEATH(6, A),
		BIRTH(10, A, SOFTIRQ),
		QUEUE(15, A, "eth0", 98, .pid = 7),
		CONSUME(16, A),
		DEATH(16, A),
		BIRTH(20, A, HARDIRQ),
		QUEUE(25, A, "eth0", 98, .pid = 7),
		CONSUME(26, A),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 3);
	assert_int_equal(path_of(5)->birth_ns, 0);
	assert_int_equal(path_of(5)->birth_pid, 3302);
	assert_int_equal(path_of(15)->birth_ns, 10000);
	assert_int_equal(path_of(15)->birth_pid, 0);
	assert_int_equal(path_of(25)->birth_pid, 0);
}

static void an_address_reused_with_no_death_is_a_new_packet_from_its_birth_on(void **state)
{
	static const struct step steps[] = {
		BIRTH(0, A),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		BIRTH(5, A, SOFTIRQ),
		/* Nothing but the birth tells that this is another one. */
		RECEIVE(6, A, "eth0", 84, SOFTIRQ),
		CONSUME(7, A, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(path_of(1)->state, PATH_UNKNOWN);
	assert_int_equal(path_of(1)->complete, PATH_UNKNOWN_END);
	assert_int_equal(path_of(1)->nr_hops, 1);
	assert_int_equal(path_of(6)->nr_hops, 2);
	assert_int_equal(path_of(6)->birth_ns, 5000);
	assert_int_equal(path_of(6)->nr_links, 0);
	assert_int_equal(paths_stats(scene.paths)->reused, 1);
}

static void with_births_a_packet_stays_one_whatever_it_looks_like(void **state)
{
	/* Sent on, shorter than it was received, and on a device where it was before. */
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 1500, SOFTIRQ),
		QUEUE(2, A, "eth1", 60),
		QUEUE(3, A, "eth1", 60),
		RECEIVE(4, A, "eth0", 84, SOFTIRQ),
		CONSUME(5, A),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].nr_hops, 5);
	assert_int_equal(paths_stats(scene.paths)->reused, 0);
}

static void a_birth_told_twice_is_one(void **state)
{
	/* build_skb() calls __build_skb(): both return the same skb. */
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),		BIRTH(1, A, SOFTIRQ),
		GRO(2, A, "eth0", 84, SOFTIRQ), RECEIVE(3, A, "eth0", 84, SOFTIRQ),
		CONSUME(4, A, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].birth_ns, 0);
	assert_int_equal(scene.done[0].nr_hops, 3);
	assert_int_equal(paths_stats(scene.paths)->reused, 0);
}

static void more_skbs_than_can_be_remembered_are_forgotten_and_counted(void **state)
{
	struct step step = BIRTH(0, 0);
	static const struct step after[] = { QUEUE(10, A + 64, "eth0", 98), CONSUME(11, A + 64) };
	u64 i;

	(void)state;
	for (i = 1; i <= LINEAGE_MAX; i++) {
		step.skb = A + i * 64;
		scene_event(&scene, &step);
	}
	assert_int_equal(scene.paths->lineage.forgotten, 0);
	assert_int_equal(scene.paths->lineage.map.nr, LINEAGE_MAX);
	step.skb = A + i * 64;
	step.us = 5;
	scene_event(&scene, &step);
	assert_int_equal(scene.paths->lineage.forgotten, LINEAGE_MAX);
	assert_int_equal(scene.paths->lineage.map.nr, 1);
	PLAY(after);
	/* Not known any more, and not made up. */
	assert_int_equal(scene.done[0].birth_pid, 0);
	assert_int_equal(scene.done[0].state, PATH_UNKNOWN);
}

/* ---- clones */

static void a_clone_that_goes_its_own_way_is_a_linked_packet_of_its_own(void **state)
{
	/* A bridge floods. */
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		LAYER(2, A, LAYER_BRIDGE, SOFTIRQ),
		CLONE(3, A, B, SOFTIRQ),
		QUEUE(4, B, "veth1", 98, SOFTIRQ),
		QUEUE(5, A, "veth2", 98, SOFTIRQ),
		CONSUME(6, B, SOFTIRQ),
		DROP(7, A, DROP_SITE, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_string_equal(scene_devices(&scene, 0), "veth1");
	assert_string_equal(scene_devices(&scene, 1), "eth0>veth2");
	assert_int_equal(scene_linked(path_of(4), LINK_CLONE, true, path_of(1)->number), 1);
	assert_int_equal(scene_linked(path_of(1), LINK_CLONE, false, path_of(4)->number), 1);
	assert_int_equal(path_of(4)->link[0].skb, A);
	assert_int_equal(path_of(1)->link[0].skb, B);
	assert_int_equal(path_of(4)->nr_links, 1);
	assert_int_equal(path_of(4)->birth_ns, 3000);
	assert_int_equal(path_of(1)->state, PATH_DROPPED);
}

static void a_clone_told_by_call_and_return_is_linked_too(void **state)
{
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		CALL(2, A, LAYER_CLONE, SOFTIRQ),
		RETURN(3, LAYER_CLONE, SOFTIRQ, .other = B),
		QUEUE(4, B, "veth1", 98, SOFTIRQ),
		CONSUME(5, B, SOFTIRQ),
		DEATH(5, B, SOFTIRQ),
		/* Memory ran out: there is none. */
		CALL(6, A, LAYER_CLONE, SOFTIRQ),
		RETURN(7, LAYER_CLONE, SOFTIRQ),
		CONSUME(8, A, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(scene_linked(path_of(4), LINK_CLONE, true, path_of(1)->number), 1);
	assert_int_equal(scene_linked(path_of(1), LINK_CLONE, false, path_of(4)->number), 1);
	assert_int_equal(path_of(1)->nr_links, 1);
}

static void a_clone_of_a_clone_belongs_to_the_packet(void **state)
{
	/* B never goes anywhere itself. */
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		CLONE(2, A, B, SOFTIRQ),
		CLONE(3, B, C, SOFTIRQ),
		QUEUE(4, C, "veth1", 98),
		CONSUME(5, C),
		DEATH(5, C),
		DEATH(6, B),
		CONSUME(7, A, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(scene_linked(path_of(4), LINK_CLONE, true, path_of(1)->number), 1);
	assert_int_equal(scene_linked(path_of(1), LINK_CLONE, false, path_of(4)->number), 1);
}

static void a_copy_with_more_headroom_is_the_same_packet(void **state)
{
	/* skb_realloc_headroom(): a tunnel needs room for its header. */
	static const struct step steps[] = {
		BIRTH(0, A, .pid = 3302),
		QUEUE(1, A, "gre0", 98),
		START(2, A, "gre0", 98),
		CLONE(3, A, B),
		CONSUME(4, A),
		DEATH(4, A),
		LAYER(5, B, LAYER_IP_OUT),
		QUEUE(6, B, "eth0", 122),
		START(7, B, "eth0", 122),
		XMIT(8, B, "eth0", 122),
		XMIT(9, A, "gre0", 98),
		/* Another one at the old address is none of its business. */
		BIRTH(10, A),
		QUEUE(11, A, "lo", 50),
		CONSUME(12, A),
		CONSUME(13, B),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 2);
	assert_string_equal(scene_devices(&scene, 1), "gre0>eth0");
	assert_int_equal(path_of(1)->state, PATH_TRANSMITTED);
	assert_int_equal(path_of(1)->birth_pid, 3302);
	assert_int_equal(path_of(1)->nr_links, 0);
	assert_int_equal(path_of(1)->nr_hops, 8);
	assert_int_equal(path_of(11)->nr_hops, 2);
}

static void with_few_hops_tcpdumps_clone_does_not_stand_in_for_the_packet(void **state)
{
	/* An ACK: TCP lets it go silently while tcpdump's clone waits to be read. */
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ), RECEIVE(1, A, "eth0", 52, SOFTIRQ), CLONE(2, A, B, SOFTIRQ),
		DEATH(3, A, SOFTIRQ), COPY(100, B, 66, .pid = 77),	  CONSUME(101, B),
		DEATH(101, B),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].nr_hops, 1);
	assert_int_equal(scene.done[0].state, PATH_UNKNOWN);
}

static void links_beyond_those_kept_are_counted(void **state)
{
	struct step step[] = {
		CLONE(2, A, 0, SOFTIRQ),
		QUEUE(2, 0, "veth1", 98, SOFTIRQ),
	};
	static const struct step before[] = { BIRTH(0, A), RECEIVE(1, A, "eth0", 84, SOFTIRQ) };
	static const struct step after[] = { CONSUME(5, A, SOFTIRQ) };
	u32 i;

	(void)state;
	PLAY(before);
	for (i = 0; i < PATH_LINKS + 3; i++) {
		step[0].other = step[1].skb = B + i * 256;
		PLAY(step);
	}
	PLAY(after);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].nr_links, PATH_LINKS + 3);
	for (i = 0; i < PATH_LINKS; i++)
		assert_int_equal(scene.done[0].link[i].packet, i + 2);
}

/* ---- clones for sockets */

static const struct step raw_begin[] = {
	BIRTH(0, A, SOFTIRQ),
	RECEIVE(1, A, "eth0", 84, SOFTIRQ),
	LAYER(2, A, LAYER_LOCAL_IN, SOFTIRQ),
	CLONE(3, A, B, SOFTIRQ),
	LAYER(4, A, LAYER_L4_IN, SOFTIRQ),
};

static void a_raw_sockets_clone_that_is_read_delivers_the_packet(void **state)
{
	static const struct step steps[] = {
		COPY(5, B, 84, .pid = 3302),
		CONSUME(6, B),
		DEATH(6, B),
		DROP(7, A, ICMP_SITE, SOFTIRQ, .reason = 3),
	};

	(void)state;
	PLAY(raw_begin);
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
	assert_int_equal(scene.done[0].complete, PATH_COMPLETE);
	assert_true(scene.done[0].raw_copy && scene.done[0].raw_exact);
	assert_int_equal(scene.done[0].raw_pid, 3302);
	assert_int_equal(scene.done[0].raw_skb, B);
	assert_int_equal(scene.done[0].raw_ts_ns, 5000);
}

static void a_raw_sockets_clone_that_is_read_after_the_free_delivers_the_packet(void **state)
{
	/* Four seconds later: a ping that sleeps. */
	static const struct step steps[] = {
		DROP(7, A, ICMP_SITE, SOFTIRQ, .reason = 3), DEATH(7, A, SOFTIRQ), NOTE(3999999, C),
		COPY(4000000, B, 84, .pid = 3302),	     CONSUME(4000001, B),
	};

	(void)state;
	PLAY(raw_begin);
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
	assert_int_equal(scene.done[0].complete, PATH_COMPLETE);
	assert_true(scene.done[0].raw_copy && scene.done[0].raw_exact);
	assert_int_equal(scene.done[0].raw_pid, 3302);
	/* The record that said it was freed stays the last. */
	assert_int_equal(scene.done[0].end_hop, 3);
}

static void a_raw_sockets_clone_behind_a_firewalls_rules_is_one_too(void **state)
{
	/* INPUT is between ip_local_deliver() and the raw sockets. */
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		LAYER(2, A, LAYER_LOCAL_IN, SOFTIRQ),
		HOOK(3, A, &hook, SOFTIRQ),
		TABLE(4, A, &table, SOFTIRQ),
		RETURN(5, LAYER_TABLE, SOFTIRQ, RET(1)),
		RETURN(6, LAYER_HOOK, SOFTIRQ, RET(1)),
		CLONE(7, A, B, SOFTIRQ),
		LAYER(8, A, LAYER_L4_IN, SOFTIRQ),
		DROP(9, A, ICMP_SITE, SOFTIRQ, .reason = 3),
		COPY(100, B, 84, .pid = 3302),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
	assert_true(scene.done[0].raw_exact);
}

static void clones_that_nobody_read_deliver_nothing(void **state)
{
	static const struct step after[] = {
		CLONE(4, A, C, SOFTIRQ),
		DROP(7, A, ICMP_SITE, SOFTIRQ, .reason = 3),
		DROP(8, B, DROP_SITE, SOFTIRQ),
		DEATH(8, B, SOFTIRQ),
	};
	static const struct step last[] = { DEATH(9, C, SOFTIRQ) };

	(void)state;
	PLAY(raw_begin);
	PLAY(after);
	assert_int_equal(scene.nr, 0);
	PLAY(last);
	assert_int_equal(scene.nr, 1);
	assert_int_not_equal(scene.done[0].state, PATH_DELIVERED);
	assert_false(scene.done[0].raw_copy);
	assert_int_equal(scene.done[0].end_hop, 3);
}

static void with_no_clone_for_a_socket_nobody_wanted_it(void **state)
{
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ, FACTS(&ping_reply)),
		LAYER(2, A, LAYER_L4_IN, SOFTIRQ),
		DROP(3, A, ICMP_SITE, SOFTIRQ, .reason = 3),
		/* Of what kind it was nobody saw: the kernel may have used it. */
		BIRTH(10, A, SOFTIRQ),
		RECEIVE(11, A, "eth0", 84, SOFTIRQ),
		LAYER(12, A, LAYER_L4_IN, SOFTIRQ),
		DROP(13, A, ICMP_SITE, SOFTIRQ),
		/* The kernel itself is for these. */
		BIRTH(20, A, SOFTIRQ),
		RECEIVE(21, A, "eth0", 84, SOFTIRQ, FACTS(&advert)),
		LAYER(22, A, LAYER_L4_IN, SOFTIRQ),
		DROP(23, A, ICMP_SITE, SOFTIRQ),
		/* But not for these. */
		BIRTH(30, A, SOFTIRQ),
		RECEIVE(31, A, "eth0", 84, SOFTIRQ, FACTS(&echo6)),
		LAYER(32, A, LAYER_L4_IN, SOFTIRQ),
		DROP(33, A, ICMP_SITE, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(path_of(1)->state, PATH_DROPPED);
	assert_int_equal(path_of(1)->complete, PATH_COMPLETE);
	assert_int_equal(path_of(11)->state, PATH_UNKNOWN);
	assert_int_equal(path_of(21)->state, PATH_DELIVERED);
	assert_int_equal(path_of(31)->state, PATH_DROPPED);
}

static void what_tcpdump_reads_is_no_delivery_and_no_packet(void **state)
{
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ, FACTS(&ping_reply)),
		CLONE(2, A, B, SOFTIRQ),
		LAYER(3, A, LAYER_IP_IN, SOFTIRQ),
		LAYER(4, A, LAYER_L4_IN, SOFTIRQ),
		COPY(5, B, 98, .pid = 77),
		CONSUME(6, B),
		DEATH(6, B),
		DROP(7, A, ICMP_SITE, SOFTIRQ, .reason = 3),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(scene.done[0].state, PATH_DROPPED);
	assert_false(scene.done[0].raw_copy);
	assert_int_equal(scene.done[0].nr_links, 0);
	assert_int_equal(paths_stats(scene.paths)->packets, 1);
}

static void a_sockets_clone_on_its_way_into_the_queue_is_no_packet(void **state)
{
	/* raw_rcv() and udp_queue_rcv_skb() get the clone. */
	static const struct step steps[] = {
		LAYER(5, B, LAYER_L4_IN, SOFTIRQ),
		COPY(6, B, 84, .pid = 3302),
		DROP(7, A, ICMP_SITE, SOFTIRQ, .reason = 3),
	};

	(void)state;
	PLAY(raw_begin);
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(paths_stats(scene.paths)->packets, 1);
	assert_int_equal(scene.done[0].state, PATH_DELIVERED);
	assert_true(scene.done[0].raw_exact);
}

/* ---- split and merged */

static void what_gso_split_ends_split_and_linked_to_its_segments(void **state)
{
	/* validate_xmit_skb(): the whole is freed before the segments are sent. */
	static const struct step steps[] = {
		BIRTH(0, A),
		QUEUE(1, A, "eth0", 3000),
		CALL(2, A, LAYER_SEGMENT),
		BIRTH(3, B),
		BIRTH(4, C),
		RETURN(5, LAYER_SEGMENT, .other = B),
		CONSUME(6, A),
		DEATH(6, A),
		START(7, B, "eth0", 1500),
		XMIT(8, B, "eth0", 1500),
		START(9, C, "eth0", 1500),
		XMIT(10, C, "eth0", 1500),
		CONSUME(11, B),
		CONSUME(12, C),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 3);
	assert_int_equal(scene_linked(path_of(7), LINK_SEGMENT, true, path_of(1)->number), 1);
	assert_int_equal(scene_linked(path_of(9), LINK_SEGMENT, true, path_of(1)->number), 1);
	assert_int_equal(path_of(1)->state, PATH_SPLIT);
	assert_int_equal(path_of(1)->complete, PATH_COMPLETE);
	assert_int_equal(scene_linked(path_of(1), LINK_SEGMENT, false, path_of(7)->number), 1);
	assert_int_equal(scene_linked(path_of(1), LINK_SEGMENT, false, path_of(9)->number), 1);
	assert_int_equal(path_of(7)->state, PATH_TRANSMITTED);
}

static void segments_that_a_busy_cpu_encrypts_late_are_linked(void **state)
{
	/* As wg_xmit() does it: a worker has the segments, here for 0.9 s. */
	static const struct step steps[] = {
		BIRTH(0, A),
		START(1, A, "wg0", 2768),
		CALL(2, A, LAYER_SEGMENT),
		BIRTH(3, B),
		BIRTH(4, C),
		RETURN(5, LAYER_SEGMENT, .other = B),
		CONSUME(6, A),
		DEATH(6, A),
		QUEUE(900000, B, "eth0", 1494),
		NOTE(900001, D),
		QUEUE(900002, C, "eth0", 1494),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(path_of(1)->state, PATH_SPLIT);
	assert_int_equal(scene_linked(path_of(1), LINK_SEGMENT, false, path_of(900000)->number), 1);
	assert_int_equal(scene_linked(path_of(1), LINK_SEGMENT, false, path_of(900002)->number), 1);
}

static void an_answer_whose_birth_was_missed_is_another_packet(void **state)
{
	/* An interrupt in the middle of a probe's handler: no death, no birth, no function of the stack. */
	struct skb_facts asked = udp, answer = udp, translated = udp;
	const struct step steps[] = {
		BIRTH(0, A),
		RECEIVE(1, A, "eth0", 50, SOFTIRQ, FACTS(&asked)),
		QUEUE(2, A, "eth0", 64, FACTS(&answer)),
		BIRTH(3, B),
		/* one that is sent back where it came from, by a router with one leg */
		RECEIVE(4, B, "eth0", 50, SOFTIRQ, FACTS(&asked)),
		QUEUE(5, B, "eth0", 64, FACTS(&translated)),
	};

	(void)state;
	memcpy(answer.packet.net[0].src, udp.packet.net[0].dst, sizeof(answer.packet.net[0].src));
	memcpy(answer.packet.net[0].dst, udp.packet.net[0].src, sizeof(answer.packet.net[0].dst));
	answer.packet.net[0].id++;
	translated.packet.net[0].src[0]++;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 3);
	assert_int_equal(path_of(1)->nr_hops, 1);
	assert_int_equal(path_of(1)->state, PATH_UNKNOWN);
	assert_int_equal(path_of(2)->nr_hops, 1);
	assert_int_equal(path_of(4)->nr_hops, 2);
}

static void what_ip_fragmented_ends_split_and_linked_to_its_fragments(void **state)
{
	/* ip_do_fragment() sends each before it makes the next, and asks for a neighbour meanwhile. */
	static const struct step steps[] = {
		BIRTH(0, A),
		LAYER(1, A, LAYER_IP_OUT),
		CALL(2, A, LAYER_FRAGMENT),
		BIRTH(3, B),
		QUEUE(4, B, "eth0", 1500, FACTS(&fragment[0])),
		BIRTH(5, C),
		QUEUE(6, C, "eth0", 800, FACTS(&fragment[2])),
		CONSUME(7, A),
		RETURN(8, LAYER_FRAGMENT, RET(0)),
		CONSUME(9, B),
		CONSUME(10, C),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 3);
	assert_int_equal(path_of(1)->state, PATH_SPLIT);
	assert_int_equal(scene_linked(path_of(4), LINK_FRAGMENT, true, path_of(1)->number), 1);
	assert_int_equal(scene_linked(path_of(1), LINK_FRAGMENT, false, path_of(4)->number), 1);
	assert_int_equal(scene_linked(path_of(1), LINK_FRAGMENT, false, path_of(6)->number), 1);
}

static void an_arp_request_sent_while_fragmenting_is_no_fragment(void **state)
{
	static const struct step steps[] = {
		BIRTH(0, A),
		LAYER(1, A, LAYER_IP_OUT, FACTS(&udp)),
		CALL(2, A, LAYER_FRAGMENT),
		BIRTH(3, B),
		BIRTH(4, C),
		QUEUE(5, C, "eth0", 42, FACTS(&arp_request)),
		CONSUME(7, C),
		DROP(8, A, DROP_SITE),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(path_of(5)->nr_links, 0);
	assert_int_equal(path_of(1)->nr_links, 0);
}

static void what_gro_merged_ends_merged_and_linked(void **state)
{
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		GRO(1, A, "eth0", 1448, SOFTIRQ),
		BIRTH(2, B, SOFTIRQ),
		GRO(3, B, "eth0", 1448, SOFTIRQ),
		MERGE(4, B, A, SOFTIRQ),
		DEATH(5, B, SOFTIRQ),
		RECEIVE(6, A, "eth0", 2896, SOFTIRQ),
		LAYER(7, A, LAYER_L4_IN, SOFTIRQ),
		DEATH(8, A, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(path_of(3)->state, PATH_MERGED);
	assert_int_equal(path_of(3)->complete, PATH_COMPLETE);
	assert_int_equal(scene_linked(path_of(3), LINK_MERGE, true, path_of(1)->number), 1);
	assert_int_equal(scene_linked(path_of(1), LINK_MERGE, false, path_of(3)->number), 1);
	assert_int_equal(path_of(1)->state, PATH_DELIVERED);
}

static void what_gro_kept_as_a_page_ends_merged_with_no_death(void **state)
{
	/* The skb itself is kept by the driver and used again (napi_reuse_skb). */
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),	 GRO(1, A, "eth0", 1448, SOFTIRQ),
		BIRTH(2, B, SOFTIRQ),	 GRO(3, B, "eth0", 1448, SOFTIRQ),
		MERGE(4, B, A, SOFTIRQ), NOTE(300000, C),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	assert_int_equal(path_of(3)->state, PATH_MERGED);
	assert_int_equal(path_of(3)->complete, PATH_COMPLETE);
}

static void what_gro_refused_to_merge_goes_on(void **state)
{
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		GRO(1, A, "eth0", 1448, SOFTIRQ),
		BIRTH(2, B, SOFTIRQ),
		GRO(3, B, "eth0", 1448, SOFTIRQ),
		MERGE(4, B, A, SOFTIRQ),
		RECEIVE(6, B, "eth0", 1448, SOFTIRQ),
		LAYER(7, B, LAYER_L4_IN, SOFTIRQ),
		DEATH(8, B, SOFTIRQ),
		RECEIVE(9, A, "eth0", 1448, SOFTIRQ),
		CONSUME(10, A, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(path_of(3)->nr_hops, 3);
	assert_int_equal(path_of(3)->state, PATH_DELIVERED);
	/* Neither claims to be part of the other. */
	assert_int_equal(path_of(3)->nr_links, 0);
	assert_int_equal(path_of(1)->nr_links, 0);
}

/* ---- reassembly */

static const struct step two_fragments[] = {
	BIRTH(0, A, SOFTIRQ),
	RECEIVE(1, A, "eth0", 100, SOFTIRQ, FACTS(&fragment[0])),
	LAYER(2, A, LAYER_DEFRAG, SOFTIRQ),
	BIRTH(3, B, SOFTIRQ),
	RECEIVE(4, B, "eth0", 68, SOFTIRQ, FACTS(&fragment[2])),
	LAYER(5, B, LAYER_DEFRAG, SOFTIRQ),
};

static void check_reassembled(const struct path *whole, const struct path *part)
{
	assert_int_equal(scene.nr, 2);
	assert_int_equal(part->state, PATH_MERGED);
	assert_int_equal(part->complete, PATH_COMPLETE);
	assert_int_equal(scene_linked(part, LINK_MERGE, true, whole->number), 1);
	assert_int_equal(scene_linked(whole, LINK_MERGE, false, part->number), 1);
	assert_int_equal(part->nr_links, 1);
	assert_int_equal(whole->nr_links, 1);
	assert_int_equal(whole->state, PATH_DELIVERED);
}

static void fragments_that_die_before_the_whole_goes_on_are_part_of_it(void **state)
{
	static const struct step steps[] = {
		DEATH(6, A, SOFTIRQ),
		LAYER(7, B, LAYER_LOCAL_IN, SOFTIRQ),
		LAYER(8, B, LAYER_L4_IN, SOFTIRQ),
		DEATH(9, B, SOFTIRQ),
	};

	(void)state;
	PLAY(two_fragments);
	PLAY(steps);
	scene_finish(&scene);
	check_reassembled(path_of(4), path_of(1));
}

static void fragments_that_die_after_the_whole_went_on_are_part_of_it(void **state)
{
	static const struct step steps[] = {
		LAYER(7, B, LAYER_LOCAL_IN, SOFTIRQ),
		LAYER(8, B, LAYER_L4_IN, SOFTIRQ),
		DEATH(9, B, SOFTIRQ),
		DEATH(9, A, SOFTIRQ),
	};

	(void)state;
	PLAY(two_fragments);
	PLAY(steps);
	scene_finish(&scene);
	check_reassembled(path_of(4), path_of(1));
}

static void the_last_fragment_that_becomes_the_first_does_not_die_of_it(void **state)
{
	/*
	 * inet_frag_reasm_prepare(): the last to come is cloned, becomes the first (skb_morph, which
	 * lets go what it was), and the first is freed as used.
	 */
	static const struct step steps[] = {
		CLONE(6, B, C, SOFTIRQ),
		MORPH(7, B, A, SOFTIRQ),
		DEATH(7, B, SOFTIRQ),
		CONSUME(8, A, SOFTIRQ),
		DEATH(8, A, SOFTIRQ),
		DEATH(9, C, SOFTIRQ),
		LAYER(10, B, LAYER_L4_IN, SOFTIRQ),
		COPY(20, B, 200),
		CONSUME(21, B),
		DEATH(21, B),
	};

	(void)state;
	PLAY(two_fragments);
	PLAY(steps);
	scene_finish(&scene);
	check_reassembled(path_of(4), path_of(1));
	assert_int_equal(path_of(4)->nr_hops, 5);
}

static void fragments_of_other_datagrams_are_left_alone(void **state)
{
	static struct skb_facts other;
	const struct step steps[] = {
		BIRTH(6, C, SOFTIRQ),
		RECEIVE(7, C, "eth0", 100, SOFTIRQ, FACTS(&other)),
		LAYER(8, C, LAYER_DEFRAG, SOFTIRQ),
		DEATH(9, A, SOFTIRQ),
		LAYER(10, B, LAYER_L4_IN, SOFTIRQ),
		DEATH(11, B, SOFTIRQ),
		/* Its time is up. */
		DROP(12, C, DROP_SITE, SOFTIRQ, .reason = 5),
	};

	(void)state;
	other = with_id(fragment[0], 4711);
	PLAY(two_fragments);
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(path_of(4)->nr_links, 1);
	assert_int_equal(path_of(7)->nr_links, 0);
	assert_int_equal(path_of(7)->state, PATH_DROPPED);
}

static void what_is_no_fragment_does_not_wait_with_fragments(void **state)
{
	/* Conntrack of IPv6 shows every packet to nf_ct_frag6_gather(). */
	struct step others[] = {
		BIRTH(6, 0, SOFTIRQ),
		RECEIVE(6, 0, "eth0", 104, SOFTIRQ, FACTS(&echo6)),
		LAYER(6, 0, LAYER_DEFRAG, SOFTIRQ),
		HOOK(6, 0, &hook, SOFTIRQ),
	};
	static const struct step steps[] = {
		/* One of them dies: it was not merged with anything. */
		DEATH(7, D + 256, SOFTIRQ),
		DEATH(8, A, SOFTIRQ),
		LAYER(9, B, LAYER_LOCAL_IN, SOFTIRQ),
		LAYER(10, B, LAYER_L4_IN, SOFTIRQ),
		DEATH(11, B, SOFTIRQ),
	};
	const struct path *part, *whole;
	u32 i, k;

	(void)state;
	PLAY(two_fragments);
	for (i = 1; i <= 2 * LINEAGE_FRAGMENTS; i++) {
		for (k = 0; k < ARRAY_SIZE(others); k++)
			others[k].skb = D + i * 256;
		PLAY(others);
	}
	PLAY(steps);
	scene_finish(&scene);
	part = path_of(1), whole = path_of(4);
	assert_int_equal(scene_linked(part, LINK_MERGE, true, whole->number), 1);
	assert_int_equal(scene_linked(whole, LINK_MERGE, false, part->number), 1);
	assert_int_equal(scene.done[0].first_ns, 6000);
	assert_int_equal(scene.done[0].state, PATH_UNKNOWN);
}

/* ---- causes */

static void a_tcp_segment_sent_again_is_linked_to_the_first(void **state)
{
	/* TCP keeps A and sends clones of it. */
	static const struct step steps[] = {
		BIRTH(0, A, .pid = 3302),
		CLONE(1, A, B, SOFTIRQ),
		QUEUE(2, B, "eth0", 1500, SOFTIRQ),
		START(2, B, "eth0", 1500, SOFTIRQ),
		XMIT(3, B, "eth0", 1500, SOFTIRQ),
		CONSUME(4, B, SOFTIRQ),
		DEATH(4, B, SOFTIRQ),
		CLONE(200000, A, C, SOFTIRQ),
		QUEUE(200001, C, "eth0", 1500, SOFTIRQ),
		CONSUME(200002, C, SOFTIRQ),
		DEATH(200002, C, SOFTIRQ),
		CLONE(600000, A, B, SOFTIRQ),
		QUEUE(600001, B, "eth0", 1500, SOFTIRQ),
		CONSUME(600002, B, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 3);
	assert_int_equal(scene.done[0].nr_links, 0);
	assert_int_equal(scene.done[0].birth_pid, 3302);
	assert_int_equal(scene_linked(&scene.done[1], LINK_RETRANSMIT, true, 1), 1);
	assert_int_equal(scene_linked(&scene.done[2], LINK_RETRANSMIT, true, 2), 1);
	assert_int_equal(scene.done[1].link[0].skb, B);
	assert_int_equal(scene.done[2].link[0].skb, C);
}

/* What was sent within a call for A: its number as the cause, or 0. */
static u64 cause_of(u8 layer, u8 link, const struct skb_facts *facts)
{
	const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ, FACTS(&udp)),
		CALL(2, A, layer, SOFTIRQ),
		BIRTH(3, B, SOFTIRQ),
		QUEUE(4, B, "eth0", 98, SOFTIRQ, FACTS(facts)),
		RETURN(5, layer, SOFTIRQ),
		DROP(6, A, DROP_SITE, SOFTIRQ),
		CONSUME(7, B, SOFTIRQ),
	};
	const struct path *path, *cause;

	begin_again((struct paths_options){ .exact = true, .headers = true });
	PLAY(steps);
	scene_finish(&scene);
	path = path_of(4), cause = path_of(1);
	/* Both say it or none does. */
	assert_int_equal(cause->nr_links, path->nr_links);
	if (!path->nr_links)
		return 0;
	assert_int_equal(scene_linked(cause, link, false, path->number), 1);
	assert_int_equal(path->link[0].kind, link);
	return path->link[0].packet;
}

static void errors_resets_and_answers_are_linked_to_their_cause(void **state)
{
	struct skb_facts reply = ping_reply, arp_reply = facts_of("arp_reply", 0),
			 error6 = facts_of("port_unreachable6", 0);

	(void)state;
	assert_int_equal(cause_of(LAYER_ERROR, LINK_ERROR, &unreachable), 1);
	assert_int_equal(cause_of(LAYER_ERROR, LINK_ERROR, &error6), 1);
	assert_int_equal(cause_of(LAYER_RESET, LINK_RESET, &reset), 1);
	assert_int_equal(cause_of(LAYER_ANSWER, LINK_ANSWER, &reply), 1);
	assert_int_equal(cause_of(LAYER_ANSWER, LINK_ANSWER, &arp_reply), 1);
	assert_int_equal(cause_of(LAYER_NDISC, LINK_ANSWER, &advert), 1);
}

static void what_a_call_sends_besides_is_not_its_answer(void **state)
{
	struct skb_facts solicit = facts_of("ns", 0);

	(void)state;
	assert_int_equal(cause_of(LAYER_ERROR, LINK_ERROR, &arp_request), 0);
	assert_int_equal(cause_of(LAYER_RESET, LINK_RESET, &arp_request), 0);
	assert_int_equal(cause_of(LAYER_ANSWER, LINK_ANSWER, &arp_request), 0);
	assert_int_equal(cause_of(LAYER_ERROR, LINK_ERROR, &solicit), 0);
	assert_int_equal(cause_of(LAYER_ANSWER, LINK_ANSWER, &solicit), 0);
	assert_int_equal(cause_of(LAYER_NDISC, LINK_ANSWER, &solicit), 0);
	assert_int_equal(cause_of(LAYER_ANSWER, LINK_ANSWER, &ping), 0);
	assert_int_equal(cause_of(LAYER_ERROR, LINK_ERROR, &ping_reply), 0);
	assert_int_equal(cause_of(LAYER_ERROR, LINK_ERROR, &echo6), 0);
	assert_int_equal(cause_of(LAYER_RESET, LINK_RESET, &syn), 0);
}

static void without_headers_nothing_is_called_an_answer(void **state)
{
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		CALL(2, A, LAYER_ANSWER, SOFTIRQ),
		BIRTH(3, B, SOFTIRQ),
		QUEUE(4, B, "eth0", 42, SOFTIRQ),
		CONSUME(5, B),
		CONSUME(6, A),
	};

	(void)state;
	begin_again((struct paths_options){ .exact = true });
	PLAY(steps);
	assert_int_equal(path_of(4)->nr_links, 0);
}

static void an_answer_sent_by_another_context_is_not_linked(void **state)
{
	/* While the softirq is in icmp_echo(), a task on another CPU sends something. */
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ, FACTS(&ping)),
		CALL(2, A, LAYER_ANSWER, SOFTIRQ),
		BIRTH(3, B, .cpu = 1),
		BIRTH(3, C),
		QUEUE(4, B, "eth0", 98, .cpu = 1, FACTS(&ping_reply)),
		QUEUE(4, C, "eth0", 98, FACTS(&ping_reply)),
		CONSUME(5, B),
		CONSUME(5, C),
		CONSUME(6, A, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 3);
	assert_int_equal(scene_linked(&scene.done[0], LINK_ANSWER, true, 1), 0);
	assert_int_equal(scene_linked(&scene.done[1], LINK_ANSWER, true, 1), 0);
	assert_int_equal(scene.done[2].nr_links, 0);
}

static void a_call_whose_return_was_missed_has_no_answers_later(void **state)
{
	/* A kernel that has too few kretprobes at hand misses returns. */
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ, FACTS(&ping)),
		CALL(2, A, LAYER_ANSWER, SOFTIRQ),
		CONSUME(3, A, SOFTIRQ),
		DEATH(3, A, SOFTIRQ),
		BIRTH(10, B, SOFTIRQ),
		QUEUE(11, B, "eth1", 98, SOFTIRQ, FACTS(&ping_reply)),
		CONSUME(12, B, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(path_of(1)->nr_links, 0);
	assert_int_equal(path_of(11)->nr_links, 0);
}

static void the_same_headers_in_another_skb_are_linked(void **state)
{
	/* A program reads it from one tun device and writes it to another. */
	static const struct step steps[] = {
		BIRTH(0, A),
		QUEUE(1, A, "tun0", 84, FACTS(&ping)),
		CONSUME(2, A),
		BIRTH(50, B),
		RX(51, B, "tun1", 84, FACTS(&ping)),
		CONSUME(52, B),
		/* Again, but more than a second later. */
		BIRTH(1100000, C),
		RX(1100051, C, "tun1", 84, FACTS(&ping)),
		CONSUME(1100052, C),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 3);
	assert_int_equal(scene_linked(path_of(51), LINK_SIGNATURE, true, path_of(1)->number), 1);
	assert_int_equal(path_of(51)->link[0].skb, A);
	assert_int_equal(path_of(1)->nr_links, 0);
	assert_int_equal(path_of(1100051)->nr_links, 0);
}

static u32 signature_links(struct skb_facts first, struct skb_facts second)
{
	const struct step steps[] = {
		BIRTH(0, A),  QUEUE(1, A, "tun0", 84, FACTS(&first)), CONSUME(2, A),
		BIRTH(50, B), RX(51, B, "tun1", 84, FACTS(&second)),  CONSUME(52, B),
	};

	begin_again((struct paths_options){ .exact = true, .headers = true });
	PLAY(steps);
	return path_of(51)->nr_links;
}

static void only_headers_that_no_other_packet_has_are_a_signature(void **state)
{
	struct skb_facts udp6 = facts_of("udp6", 0), cut = facts_of("tcp_syn", 14 + 20 + 8),
			 other = syn;

	(void)state;
	assert_int_equal(signature_links(syn, syn), 1);
	assert_int_equal(signature_links(udp, udp), 1);
	assert_int_equal(signature_links(with_id(udp, 0), with_id(udp, 0)), 0);
	assert_int_equal(signature_links(with_id(udp, 1), with_id(udp, 2)), 0);
	assert_int_equal(signature_links(udp6, udp6), 0);
	assert_int_equal(signature_links(arp_request, arp_request), 0);
	assert_int_equal(signature_links(cut, cut), 0);
	other.packet.net[0].tcp_seq++;
	assert_int_equal(signature_links(syn, other), 0);
	assert_int_equal(signature_links(ping, ping_reply), 0);
}

/* ---- netfilter */

static void a_netfilter_drop_names_the_hook_and_the_table(void **state)
{
	static const struct step steps[] = {
		BIRTH(0, A, SOFTIRQ),
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		HOOK(2, A, &hook, SOFTIRQ),
		TABLE(3, A, &table, SOFTIRQ),
		RETURN(4, LAYER_TABLE, SOFTIRQ, RET(1)),
		RETURN(5, LAYER_HOOK, SOFTIRQ, RET(1)),
		HOOK(6, A, &hook, SOFTIRQ),
		TABLE(7, A, &table, SOFTIRQ),
		RETURN(8, LAYER_TABLE, SOFTIRQ, RET(0)),
		DROP(9, A, DROP_SITE, SOFTIRQ),
		RETURN(10, LAYER_HOOK, SOFTIRQ, RET(-1)),
	};
	const struct path *path;

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 1);
	path = &scene.done[0];
	assert_int_equal(path->state, PATH_DROPPED);
	assert_int_equal(path->end_filter, 3);
	assert_int_equal(path->hops[3].filter->hook, 1);
	assert_int_equal(path->hops[3].filter->pf, 2);
	assert_int_equal(path->hops[3].filter->function, 0x1234);
	assert_true(path->hops[4].filter->has_verdict);
	assert_int_equal(path->hops[4].filter->verdict, 0);
	assert_true(path->hops[1].filter->has_verdict && path->hops[2].filter->has_verdict);
	assert_int_equal(path->hops[1].filter->verdict, 1);
	assert_int_equal(path->hops[2].filter->verdict, 1);
}

static void a_table_told_as_a_whole_call_has_its_verdict(void **state)
{
	static const struct step steps[] = {
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		HOOK(2, A, &hook, SOFTIRQ),
		TABLE(3, A, &table, SOFTIRQ, RET(0)),
		DROP(4, A, DROP_SITE, SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.done[0].end_filter, 1);
	assert_true(scene.done[0].hops[2].filter->has_verdict);
	assert_int_equal(scene.done[0].hops[2].filter->verdict, 0);
}

static void a_drop_behind_a_hook_is_not_the_hooks(void **state)
{
	static const struct step steps[] = {
		RECEIVE(1, A, "eth0", 84, SOFTIRQ),
		HOOK(2, A, &hook, SOFTIRQ),
		RETURN(3, LAYER_HOOK, SOFTIRQ, RET(1)),
		DROP(4, A, DROP_SITE, SOFTIRQ),
		/* br_netfilter's hook hands the packet to IP's, and IP on. */
		RECEIVE(11, B, "eth0", 84, SOFTIRQ),
		HOOK(12, B, &hook, SOFTIRQ),
		LAYER(13, B, LAYER_BRIDGE, SOFTIRQ),
		DROP(14, B, DROP_SITE, SOFTIRQ),
		/* Another packet's hook on the same CPU; another CPU's. */
		HOOK(21, A, &hook, SOFTIRQ),
		RECEIVE(22, B, "eth0", 84, SOFTIRQ),
		DROP(23, B, DROP_SITE, SOFTIRQ),
		DROP(24, A, DROP_SITE, SOFTIRQ, .cpu = 1),
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(scene.nr, 4);
	assert_int_equal(path_of(1)->end_filter, -1);
	assert_int_equal(path_of(1)->hops[1].filter->verdict, 1);
	assert_int_equal(path_of(11)->end_filter, -1);
	assert_false(path_of(11)->hops[1].filter->has_verdict);
	assert_int_equal(path_of(22)->end_filter, -1);
	assert_int_equal(path_of(21)->end_filter, -1);
}

static void rules_look_at_packets_only_that_are_known(void **state)
{
	static const struct step steps[] = { TABLE(1, A, &table), RETURN(2, LAYER_TABLE, RET(0)) };

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 0);
}

/* ---- hostile records */

static void records_that_make_no_sense_make_no_packet_and_no_crash(void **state)
{
	static const struct step steps[] = {
		RETURN(0, LAYER_CLONE, .other = B),
		RETURN(0, LAYER_TABLE, RET(0)),
		RETURN(0, LAYER_HOOK, RET(0), SOFTIRQ, .cpu = 65535),
		CALL(0, A, LAYER_SEGMENT, SOFTIRQ, .cpu = 65535),
		DEATH(1, A),
		MORPH(1, A, A),
		MERGE(1, A, B),
		MERGE(1, A, A),
		CLONE(1, A, A),
		CLONE(1, A, 0),
		BIRTH(2, A),
		MERGE(3, A, A),
		CLONE(3, A, A),
		DEATH(4, A),
		DEATH(4, A),
	};
	static const struct step known[] = {
		BIRTH(10, A),	 QUEUE(11, A, "eth0", 98), MERGE(12, A, A),
		CLONE(13, A, A), MERGE(14, A, D),	   CALL(15, A, LAYER_SEGMENT),
		BIRTH(16, A),	 QUEUE(17, A, "eth0", 98), CONSUME(18, A),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 0);
	PLAY(known);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(scene_linked(path_of(11), LINK_MERGE, true, path_of(11)->number), 0);
	/* It is not a segment of itself. */
	assert_int_equal(path_of(17)->nr_links, 0);
}

static void without_births_these_records_do_no_harm(void **state)
{
	static const struct step steps[] = {
		QUEUE(0, A, "eth0", 98),
		CLONE(1, A, B),
		CALL(2, A, LAYER_SEGMENT),
		BIRTH(3, C),
		MERGE(4, A, B),
		MORPH(5, A, B),
		DEATH(6, A),
		RETURN(7, LAYER_SEGMENT),
		DEATH(8, A),
		COPY(9, B, 98),
	};

	(void)state;
	begin_again((struct paths_options){ 0 });
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 1);
}

static u32 seed;

static u32 random_below(u32 limit)
{
	seed = seed * 1664525u + 1013904223u;
	return (u32)((u64)(seed >> 8) * limit >> 24);
}

static void any_records_in_any_order_end_each_packet_once(void **state)
{
	static const char *const devs[] = { "eth0", "br0", NULL };
	const struct skb_facts *facts[] = { NULL, &ping, &fragment[0], &fragment[2], &syn, &hook };
	struct step step;
	u32 i;

	(void)state;
	seed = 20260711;
	print_message("seed %u\n", seed);
	for (i = 0; i < 300000; i++) {
		memset(&step, 0, sizeof(step));
		step.us = i;
		step.kind = (u8)(EVENT_QUEUE + random_below(EVENT_TABLE));
		step.layer = (u8)random_below(LAYER_NDISC + 1);
		step.skb = A + random_below(12) * 256;
		step.other = A + random_below(12) * 256;
		step.dev = devs[random_below(ARRAY_SIZE(devs))];
		step.facts = facts[random_below(ARRAY_SIZE(facts))];
		step.len = random_below(2) * 84;
		step.location = step.kind == EVENT_DROP ? random_below(2) ? ICMP_SITE : TCP_SITE :
							  0;
		step.has_ret = random_below(2);
		step.ret = (s32)random_below(5) - 1;
		step.pid = (s32)random_below(4);
		step.cpu = (u16)random_below(2);
		step.softirq = random_below(2);
		step.reason = random_below(3);
		if (step.kind == EVENT_HOOK || step.kind == EVENT_TABLE)
			step.layer = step.kind == EVENT_HOOK ? LAYER_HOOK : LAYER_TABLE;
		if (!random_below(500))
			paths_lost(scene.paths, step.cpu, i * 1000ULL - 100, i * 1000ULL, 1, false);
		scene_event(&scene, &step);
	}
	scene_finish(&scene);
	assert_int_equal(scene.nr, paths_stats(scene.paths)->packets);
	assert_int_equal(scene.paths->live, 0);
	for (i = 0; i < scene.nr; i++) {
		assert_true(scene.done[i].end_hop < (s32)scene.done[i].nr_hops);
		assert_true(scene.done[i].end_filter < (s32)scene.done[i].nr_hops);
		assert_true(scene.done[i].number && scene.done[i].state < PATH_STATES);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, scene_teardown)

/* ---- what the kernel let through of a filter: no births, no returns */

#define FILTERED ((struct paths_options){ .exact = true, .headers = true, .filtered = true })

static void an_answer_is_linked_without_births_until_its_cause_is_gone(void **state)
{
	static const struct step steps[] = {
		RECEIVE(1, A, "eth0", 84, SOFTIRQ, FACTS(&ping)),
		LAYER(2, A, LAYER_L4_IN, SOFTIRQ, FACTS(&ping)),
		CALL(3, A, LAYER_ANSWER, SOFTIRQ),
		QUEUE(4, B, "eth0", 98, SOFTIRQ, FACTS(&ping_reply)),
		DEATH(5, A, SOFTIRQ),
		QUEUE(6, C, "eth0", 98, SOFTIRQ, FACTS(&ping_reply)),
		DEATH(7, B),
		DEATH(8, C),
	};

	(void)state;
	ping_reply.packet.net[0].icmp_seq++; /* no signature of another one */
	begin_again(FILTERED);
	PLAY(steps);
	assert_int_equal(scene.nr, 3);
	assert_int_equal(scene_linked(path_of(4), LINK_ANSWER, true, path_of(1)->number), 1);
	assert_int_equal(scene_linked(path_of(1), LINK_ANSWER, false, path_of(4)->number), 1);
	assert_int_equal(scene_linked(path_of(6), LINK_ANSWER, true, path_of(1)->number), 0);
	assert_int_equal(path_of(1)->state, PATH_DELIVERED);
}

static void an_answers_headers_have_to_fit_without_births_too(void **state)
{
	static const struct step steps[] = {
		RECEIVE(1, A, "eth0", 84, SOFTIRQ, FACTS(&ping)),
		CALL(3, A, LAYER_ANSWER, SOFTIRQ),
		QUEUE(4, B, "eth0", 42, SOFTIRQ, FACTS(&arp_request)),
		DEATH(5, B, SOFTIRQ),
		DEATH(6, A, SOFTIRQ),
	};

	(void)state;
	begin_again(FILTERED);
	PLAY(steps);
	assert_int_equal(path_of(4)->nr_links, 0);
	assert_int_equal(path_of(1)->nr_links, 0);
}

static void what_was_arp_in_a_tunnel_is_a_new_packet_when_it_is_not(void **state)
{
	static struct skb_facts tunnelled;
	const struct step steps[] = {
		RECEIVE(1, A, "eth0", 92, SOFTIRQ, FACTS(&tunnelled)),
		RECEIVE(2, A, "vx0", 28, SOFTIRQ, FACTS(&arp_request)),
		/* the end of the ARP was not let through */
		QUEUE(3, A, "vx0", 98, FACTS(&ping)),
	};

	(void)state;
	tunnelled = udp;
	tunnelled.packet.arp = PART_OK;
	begin_again(FILTERED);
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(path_of(1)->nr_hops, 2);
	assert_int_equal(path_of(3)->nr_hops, 1);
}

static void other_headers_at_the_same_address_are_a_new_packet(void **state)
{
	static struct skb_facts other, forwarded;
	const struct step steps[] = {
		RECEIVE(1, A, "eth0", 84, SOFTIRQ, FACTS(&ping)),
		/* through a router with NAT it stays itself */
		LAYER(2, A, LAYER_FORWARD, SOFTIRQ, FACTS(&forwarded)),
		QUEUE(3, A, "eth1", 98, SOFTIRQ, FACTS(&forwarded)),
		/* its death was not let through */
		LAYER(9, A, LAYER_IP_IN, SOFTIRQ, FACTS(&other)),
		RECEIVE(19, A, "eth0", 84, SOFTIRQ, FACTS(&ping)),
	};

	(void)state;
	forwarded = ping;
	forwarded.packet.net[0].src[3] ^= 1;
	forwarded.packet.net[0].ttl--;
	other = with_id(ping, ping.packet.net[0].id + 1);
	begin_again(FILTERED);
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 3);
	assert_int_equal(path_of(1)->nr_hops, 3);
	assert_int_equal(path_of(1)->complete, PATH_UNKNOWN_END);
	assert_int_equal(path_of(9)->nr_hops, 1);
	assert_int_equal(path_of(19)->nr_hops, 1);
}

static void what_was_in_a_tunnel_and_what_comes_after_it_are_told_apart(void **state)
{
	static struct skb_facts tunnelled, encrypted;
	const struct step steps[] = {
		/* let through as it was in a tunnel; its end was not */
		RECEIVE(1, A, "eth0", 84, SOFTIRQ, FACTS(&tunnelled)),
		LAYER(5, A, LAYER_IP_OUT, FACTS(&ping)),
		/* nobody can tell what is in there: the same */
		QUEUE(6, A, "eth1", 98, FACTS(&encrypted)),
	};

	(void)state;
	tunnelled = ping;
	tunnelled.packet.net[1] = echo6.packet.net[0];
	tunnelled.packet.nr_nets = 2;
	encrypted = udp;
	encrypted.packet.net[0].src[0] = encrypted.packet.net[0].dst[0] = 99;
	begin_again(FILTERED);
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 2);
	assert_int_equal(path_of(1)->nr_hops, 1);
	assert_int_equal(path_of(5)->nr_hops, 2);
}

static void acknowledgments_at_the_same_address_are_told_apart(void **state)
{
	static struct skb_facts next;
	const struct step steps[] = {
		RECEIVE(1, A, "eth0", 52, SOFTIRQ, FACTS(&ack)),
		QUEUE(5, A, "eth1", 66, FACTS(&next)),
	};

	(void)state;
	next = ack;
	next.packet.net[0].has_id = false;
	next.packet.net[0].tcp_ack++;
	begin_again(FILTERED);
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene.nr, 2);
}

static void what_dies_after_its_driver_got_it_was_transmitted(void **state)
{
	static const struct step steps[] = {
		QUEUE(1, A, "eth0", 98, FACTS(&ping)),
		START(2, A, "eth0", 98, FACTS(&ping)),
		DEATH(9, A, HARDIRQ),
		QUEUE(11, B, "eth0", 98, FACTS(&udp)),
		DEATH(19, B),
	};

	(void)state;
	begin_again(FILTERED);
	PLAY(steps);
	assert_int_equal(path_of(1)->state, PATH_TRANSMITTED);
	assert_int_equal(path_of(1)->complete, PATH_COMPLETE);
	assert_int_equal(path_of(11)->state, PATH_UNKNOWN);
}

static void what_gso_split_without_births_ends_split_and_linked(void **state)
{
	static struct skb_facts second, later;
	const struct step steps[] = {
		QUEUE(1, A, "eth0", 2962, FACTS(&data)),
		CALL(2, A, LAYER_SEGMENT),
		RETURN(3, LAYER_SEGMENT, .other = B),
		DEATH(4, A),
		START(5, B, "eth0", 1514, FACTS(&data)),
		START(6, C, "eth0", 1514, FACTS(&second)),
		/* what is behind its bytes, and what another CPU sends, is none of it */
		START(7, D, "eth0", 1514, FACTS(&later)),
		START(8, A, "eth0", 1514, FACTS(&second), .cpu = 1),
	};

	(void)state;
	second = later = data;
	second.packet.net[0].tcp_seq++;
	second.packet.net[0].id++;
	/* the first byte behind those of the whole */
	later.packet.net[0].tcp_seq += data.packet.net[0].total_bytes -
				       data.packet.net[0].header_bytes -
				       data.packet.net[0].l4_bytes;
	begin_again(FILTERED);
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(path_of(1)->state, PATH_SPLIT);
	assert_int_equal(scene_linked(path_of(5), LINK_SEGMENT, true, path_of(1)->number), 1);
	assert_int_equal(scene_linked(path_of(6), LINK_SEGMENT, true, path_of(1)->number), 1);
	assert_int_equal(scene_linked(path_of(1), LINK_SEGMENT, false, path_of(6)->number), 1);
	assert_int_equal(scene_linked(path_of(7), LINK_SEGMENT, true, path_of(1)->number), 0);
	assert_int_equal(scene_linked(path_of(8), LINK_SEGMENT, true, path_of(1)->number), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packet_knows_when_and_by_whom_it_was_made),
		TEST(an_address_reused_with_no_death_is_a_new_packet_from_its_birth_on),
		TEST(with_births_a_packet_stays_one_whatever_it_looks_like),
		TEST(a_birth_told_twice_is_one),
		TEST(more_skbs_than_can_be_remembered_are_forgotten_and_counted),
		TEST(a_clone_that_goes_its_own_way_is_a_linked_packet_of_its_own),
		TEST(a_clone_told_by_call_and_return_is_linked_too),
		TEST(a_clone_of_a_clone_belongs_to_the_packet),
		TEST(a_copy_with_more_headroom_is_the_same_packet),
		TEST(with_few_hops_tcpdumps_clone_does_not_stand_in_for_the_packet),
		TEST(links_beyond_those_kept_are_counted),
		TEST(a_raw_sockets_clone_that_is_read_delivers_the_packet),
		TEST(a_raw_sockets_clone_that_is_read_after_the_free_delivers_the_packet),
		TEST(a_raw_sockets_clone_behind_a_firewalls_rules_is_one_too),
		TEST(clones_that_nobody_read_deliver_nothing),
		TEST(with_no_clone_for_a_socket_nobody_wanted_it),
		TEST(what_tcpdump_reads_is_no_delivery_and_no_packet),
		TEST(a_sockets_clone_on_its_way_into_the_queue_is_no_packet),
		TEST(what_gso_split_ends_split_and_linked_to_its_segments),
		TEST(segments_that_a_busy_cpu_encrypts_late_are_linked),
		TEST(an_answer_whose_birth_was_missed_is_another_packet),
		TEST(what_ip_fragmented_ends_split_and_linked_to_its_fragments),
		TEST(an_arp_request_sent_while_fragmenting_is_no_fragment),
		TEST(what_gro_merged_ends_merged_and_linked),
		TEST(what_gro_kept_as_a_page_ends_merged_with_no_death),
		TEST(what_gro_refused_to_merge_goes_on),
		TEST(fragments_that_die_before_the_whole_goes_on_are_part_of_it),
		TEST(fragments_that_die_after_the_whole_went_on_are_part_of_it),
		TEST(the_last_fragment_that_becomes_the_first_does_not_die_of_it),
		TEST(fragments_of_other_datagrams_are_left_alone),
		TEST(what_is_no_fragment_does_not_wait_with_fragments),
		TEST(a_tcp_segment_sent_again_is_linked_to_the_first),
		TEST(errors_resets_and_answers_are_linked_to_their_cause),
		TEST(what_a_call_sends_besides_is_not_its_answer),
		TEST(without_headers_nothing_is_called_an_answer),
		TEST(an_answer_sent_by_another_context_is_not_linked),
		TEST(a_call_whose_return_was_missed_has_no_answers_later),
		TEST(the_same_headers_in_another_skb_are_linked),
		TEST(an_answer_is_linked_without_births_until_its_cause_is_gone),
		TEST(an_answers_headers_have_to_fit_without_births_too),
		TEST(what_was_arp_in_a_tunnel_is_a_new_packet_when_it_is_not),
		TEST(other_headers_at_the_same_address_are_a_new_packet),
		TEST(what_was_in_a_tunnel_and_what_comes_after_it_are_told_apart),
		TEST(acknowledgments_at_the_same_address_are_told_apart),
		TEST(what_dies_after_its_driver_got_it_was_transmitted),
		TEST(what_gso_split_without_births_ends_split_and_linked),
		TEST(only_headers_that_no_other_packet_has_are_a_signature),
		TEST(a_netfilter_drop_names_the_hook_and_the_table),
		TEST(a_table_told_as_a_whole_call_has_its_verdict),
		TEST(a_drop_behind_a_hook_is_not_the_hooks),
		TEST(rules_look_at_packets_only_that_are_known),
		TEST(records_that_make_no_sense_make_no_packet_and_no_crash),
		TEST(without_births_these_records_do_no_harm),
		TEST(any_records_in_any_order_end_each_packet_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
