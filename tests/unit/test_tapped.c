// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the headers that a tap joined with hops do to paths at tier T0: they show what changed, tell packets
 * at one address apart, and are not believed where they contradict each other.
 */
#include "unit.h"

#include <string.h>

#include "path_script.h"

static struct skb_facts ping, snat, syn, data;

static struct skb_facts tapped(const char *packet)
{
	struct skb_facts facts = facts_of(packet, 0);

	facts.tapped = true;
	facts.netns_inum = 4711;
	facts.netns_from = NETNS_FROM_TAP;
	return facts;
}

static int setup(void **state)
{
	(void)state;
	ping = snat = tapped("ping");
	snat.packet.net[0].src[0] = 192;
	syn = tapped("tcp_syn");
	data = tapped("tcp_data");
	scene.options = (struct paths_options){ .headers = true, .carriers = true };
	scene_begin(&scene);
	return 0;
}

static void a_path_has_the_headers_of_its_frames_and_says_where_from(void **state)
{
	const struct step steps[] = {
		QUEUE(0, A, "eth0", 98),
		HEADERS(1, A, &ping),
		START(1, A, "eth0", 98),
		RX(2, A, "veth", 84),
		XMIT(3, A, "eth0", 98, RET(0)),
		HEADERS(4, A, &ping, SOFTIRQ),
		RECEIVE(4, A, "veth", 84, SOFTIRQ),
		/* A router's NAT. */
		HEADERS(5, A, &snat, SOFTIRQ),
		QUEUE(5, A, "up0", 98, SOFTIRQ),
	};
	const struct path *path;

	(void)state;
	scene_play(&scene, steps, ARRAY_SIZE(steps));
	scene_finish(&scene);
	path = scene_path(&scene, 0);
	assert_non_null(path);
	assert_int_equal(path->nr_hops, 6);
	assert_true(path->tapped);
	assert_false(path->contradicted);
	assert_int_equal(path_views(path), 2);
	assert_false(path->hops[0].tapped);
	assert_true(path->hops[1].tapped);
	assert_int_equal(path->hops[1].netns_inum, 4711);
	assert_int_equal(path->hops[1].netns_from, NETNS_FROM_TAP);
	assert_false(path->hops[2].tapped);
	assert_null(path->hops[2].view);
	assert_true(path->hops[4].tapped);
	assert_ptr_equal(path->hops[4].view, path->hops[1].view);
	assert_int_equal(path->hops[5].view->packet.net[0].src[0], 192);
}

/* TCP frees most of its skbs with no event, and takes the memory for the next. */
static void headers_tell_a_reused_address(void **state)
{
	const struct step steps[] = {
		HEADERS(0, A, &syn, SOFTIRQ),  RECEIVE(0, A, "eth0", 60, SOFTIRQ),
		HEADERS(5, A, &data, SOFTIRQ), QUEUE(5, A, "eth1", 74, SOFTIRQ),
		HEADERS(6, A, &data, SOFTIRQ), START(6, A, "eth1", 74, SOFTIRQ),
	};

	(void)state;
	scene_play(&scene, steps, ARRAY_SIZE(steps));
	assert_int_equal(paths_stats(scene.paths)->told_apart, 1);
	scene_finish(&scene);
	assert_int_equal(scene_path(&scene, 0)->nr_hops, 1);
	assert_int_equal(scene_path(&scene, 0)->state, PATH_UNKNOWN);
	assert_int_equal(scene_path(&scene, 5)->nr_hops, 2);
	assert_int_equal(path_views(scene_path(&scene, 5)), 1);
}

static void the_same_without_a_tap_is_one_path(void **state)
{
	const struct step steps[] = {
		RECEIVE(0, A, "eth0", 60, SOFTIRQ),
		QUEUE(5, A, "eth1", 74, SOFTIRQ),
		START(6, A, "eth1", 74, SOFTIRQ),
	};

	(void)state;
	scene_play(&scene, steps, ARRAY_SIZE(steps));
	scene_finish(&scene);
	assert_int_equal(scene_path(&scene, 0)->nr_hops, 3);
	assert_false(scene_path(&scene, 0)->tapped);
}

/* Between these two no skb can be freed: one of the frames is not its. */
static void frames_that_contradict_each_other_are_not_shown(void **state)
{
	const struct step steps[] = {
		HEADERS(0, A, &syn),	 QUEUE(0, A, "eth0", 74), HEADERS(1, A, &data),
		START(1, A, "eth0", 74), HEADERS(2, A, &syn),	  RX(2, A, "veth", 60),
	};
	const struct path *path;
	u32 i;

	(void)state;
	syn.matched = true;
	scene_play(&scene, steps, ARRAY_SIZE(steps));
	assert_int_equal(paths_stats(scene.paths)->contradicted, 1);
	assert_int_equal(paths_stats(scene.paths)->told_apart, 0);
	scene_finish(&scene);
	path = scene_path(&scene, 0);
	assert_int_equal(path->nr_hops, 3);
	assert_true(path->contradicted);
	assert_false(path->tapped);
	assert_false(path->matched);
	assert_null(path->views);
	for (i = 0; i < path->nr_hops; i++)
		assert_null(path->hops[i].view);
}

static void a_frame_without_headers_tells_the_netns_only(void **state)
{
	static struct skb_facts bare;
	const struct step steps[] = {
		HEADERS(0, A, &bare),
		QUEUE(0, A, "eth0", 74),
	};

	(void)state;
	bare = (struct skb_facts){ .tapped = true, .netns_inum = 5, .netns_from = NETNS_FROM_TAP };
	scene_play(&scene, steps, ARRAY_SIZE(steps));
	scene_finish(&scene);
	assert_int_equal(scene_path(&scene, 0)->hops[0].netns_inum, 5);
	assert_false(scene_path(&scene, 0)->tapped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)
		STORY(a_path_has_the_headers_of_its_frames_and_says_where_from),
		STORY(headers_tell_a_reused_address),
		STORY(the_same_without_a_tap_is_one_path),
		STORY(frames_that_contradict_each_other_are_not_shown),
		STORY(a_frame_without_headers_tells_the_netns_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
