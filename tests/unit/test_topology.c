// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * In which netns each hop was, told from names of devices and who is joined to whom.
 */
#include "unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/topology.h"
#include "base/strbuf.h"

static struct devnames devs;
static struct netns_snapshot *snap;
static struct topology topology;
static struct path path;
static struct hop hops[512];
static char answer[4096];

static int setup(void **state)
{
	(void)state;
	path.hops = hops;
	return devnames_init(&devs);
}

static int teardown(void **state)
{
	(void)state;
	topology_free(&topology);
	netns_snapshot_free(snap);
	snap = NULL;
	devnames_free(&devs);
	return 0;
}

static void load(const char *text)
{
	struct json_object *json = json_tokener_parse(text);
	struct error err = { 0 };

	assert_non_null(json);
	if (netns_snapshot_from_json(json, &snap, &err))
		fail_msg("%s", err.text);
	json_object_put(json);
	assert_int_equal(topology_init(&topology, snap, &devs), 0);
}

static void hop(u8 kind, const char *dev, u64 cookie)
{
	struct hop *h = &hops[path.nr_hops++];

	memset(h, 0, sizeof(*h));
	h->kind = kind;
	h->dev = devnames_intern(&devs, dev, strlen(dev));
	h->netns_cookie = cookie;
	h->has = cookie ? EVENT_HAS_COOKIE : 0;
}

/*
 * A path as text: ">br0 >veth1 <eth0" is sent on br0 and veth1 and received on eth0; "!eth0" is the
 * return of its driver; "=" is start_xmit; "@7" behind a name is the cookie. The answer names the
 * netns of each hop, "-" where it is not known: "host host web".
 */
static const char *places(const char *text)
{
	char word[64];
	const struct netns *ns;
	u64 cookie;
	int used;
	size_t len = 0;
	u32 i;

	path.nr_hops = 0;
	for (; sscanf(text, " %63s%n", word, &used) == 1; text += used) {
		cookie = strchr(word, '@') ? strtoull(strchr(word, '@') + 1, NULL, 10) : 0;
		word[strcspn(word, "@")] = '\0';
		hop(word[0] == '<' ? EVENT_RECEIVE :
		    word[0] == '!' ? EVENT_XMIT :
		    word[0] == '=' ? EVENT_START_XMIT :
				     EVENT_QUEUE,
		    word + 1, cookie);
	}
	topology_resolve(&topology, &path);
	for (i = 0; i < path.nr_hops; i++) {
		ns = topology_netns(&topology, &hops[i]);
		len += (size_t)snprintf(answer + len, sizeof(answer) - len, "%s%s", len ? " " : "",
					ns ? ns->name : "-");
	}
	return answer;
}

#define DEV(index, name, kind, more) \
	"{\"ifindex\":" #index ",\"name\":\"" name "\",\"kind\":\"" kind "\",\"seen\":1" more "}"
#define PEER(index, inum) ",\"link\":" #index ",\"link_netns\":" #inum
#define NETNS(inum, name, cookie, devices) \
	"{\"inum\":" #inum ",\"name\":\"" name "\"" cookie ",\"devices\":[" devices "]}"
#define SNAPSHOT(netns) "{\"version\":1,\"netns\":[" netns "]}"

/* A host with br0, and two containers whose devices are both called eth0. */
#define DOCKER(host_cookie, web_cookie)                                                                                        \
	SNAPSHOT(NETNS(                                                                                                        \
		1, "host", host_cookie,                                                                                        \
		DEV(1, "lo", "lo", "") "," DEV(2, "eth0", "dummy", "") "," DEV(5, "br0", "bridge", "") "," DEV(                \
			7, "veth1", "veth",                                                                                    \
			",\"master\":5" PEER(                                                                                  \
				2,                                                                                             \
				2)) "," DEV(8, "veth2", "veth",                                                                \
					    ",\"master\":5" PEER(                                                              \
						    2,                                                                         \
						    3))) "," NETNS(2, "web", web_cookie,                                       \
								   DEV(1, "lo", "lo", "") "," DEV(                             \
									   2, "eth0", "veth",                                  \
									   PEER(7,                                             \
										1))) "," NETNS(3,                              \
											       "db",                           \
											       "",                             \
											       DEV(1, "lo", "lo", "") "," DEV( \
												       2,                      \
												       "eth0",                 \
												       "veth",                 \
												       PEER(8,                 \
													    1))))

static void a_bridged_ping_ends_in_the_netns_of_the_veths_other_end(void **state)
{
	(void)state;
	load(DOCKER("", ""));
	assert_string_equal(places(">br0 =br0 >veth1 =veth1 <eth0 !veth1 !br0 <eth0"),
			    "host host host host web host host web");
	assert_string_equal(places(">br0 >veth2 <eth0"), "host host db");
	assert_int_equal(topology.unresolved, 0);
}

static void a_reply_begins_in_the_netns_that_it_comes_from(void **state)
{
	(void)state;
	load(DOCKER("", ""));
	assert_string_equal(places(">eth0 =eth0 <veth1 !eth0 <veth1 <br0"),
			    "web web host web host host");
	assert_string_equal(places(">eth0 <veth2 >veth1 <eth0"), "db host host web");
	/* Out of the container, and out of the host by a device of the same name. */
	assert_string_equal(places(">eth0 <veth2 <br0 >eth0"), "db host host host");
}

static void a_name_that_may_be_in_several_netns_is_not_guessed(void **state)
{
	(void)state;
	load(DOCKER("", ""));
	assert_string_equal(places("<eth0"), "-");
	assert_string_equal(places(">lo <lo"), "- -");
	assert_int_equal(topology.unresolved, 3);
	assert_true(topology_name_shared(&topology, devnames_intern(&devs, "eth0", 4)));
	assert_false(topology_name_shared(&topology, devnames_intern(&devs, "br0", 3)));
	assert_false(topology_name_shared(&topology, devnames_intern(&devs, "none", 4)));
	assert_false(topology_name_shared(&topology, 0));
}

static void two_identical_networks_are_not_told_apart(void **state)
{
	(void)state;
	load(SNAPSHOT(
		NETNS(1, "n1", "", DEV(3, "br0", "bridge", "") "," DEV(4, "v", "veth", PEER(2, 2))) "," NETNS(
			2, "c1", "",
			DEV(2, "eth0", "veth",
			    PEER(4, 1))) "," NETNS(3, "n2", "",
						   DEV(3, "br0", "bridge", "") "," DEV(
							   4, "v", "veth",
							   PEER(2, 4))) "," NETNS(4, "c2", "",
										  DEV(2, "eth0",
										      "veth",
										      PEER(4,
											   3)))));
	assert_string_equal(places(">br0 >v <eth0 !v"), "- - - -");
	assert_int_equal(topology.unresolved, 3);
}

static void a_device_that_is_not_known_does_not_spoil_the_others(void **state)
{
	(void)state;
	load(DOCKER("", ""));
	assert_string_equal(places(">br0 >veth9 <eth0"), "host - -");
	assert_string_equal(places(">br0 >veth1 <eth0 >tun0"), "host host web -");
	assert_string_equal(places(">nothing"), "-");
}

static void a_path_that_fits_nowhere_has_only_names_that_are_unique(void **state)
{
	(void)state;
	load(DOCKER("", ""));
	/* veth1 was plugged into something else in the meantime. */
	assert_string_equal(places(">br0 >veth1 <veth2 >lo <eth0"), "host host host - -");
}

static void a_cookie_settles_it_at_once(void **state)
{
	(void)state;
	load(DOCKER(",\"cookie\":1", ",\"cookie\":7"));
	assert_string_equal(places("<eth0@7"), "web");
	assert_string_equal(places(">lo@1 <lo@1"), "host host");
	/* A device made after the snapshot. */
	assert_string_equal(places(">tun0@7 =tun0@7 !tun0@7"), "web web web");
	/* A cookie of a netns made after it: not one of those whose cookie is known. */
	assert_string_equal(places("<br0@99"), "-");
	assert_string_equal(places("<veth1@99"), "-");
	/* db's cookie is not known, so it may be db. */
	assert_string_equal(places("<eth0@99"), "db");
}

static void two_netns_on_devices_of_one_name_are_told_apart_by_cookies(void **state)
{
	(void)state;
	load(DOCKER(",\"cookie\":1", ",\"cookie\":7"));
	assert_string_equal(places(">eth0@7 =eth0@7 >eth0@1 =eth0@1"), "web web host host");
}

static void a_veth_whose_other_end_is_not_known_leads_to_an_end_that_is_free(void **state)
{
	(void)state;
	load(SNAPSHOT(
		NETNS(1, "host", "", DEV(7, "veth1", "veth", ",\"link\":2,\"link_unknown\":true") "," DEV(8, "veth2", "veth", PEER(2, 3))) "," NETNS(
			2, "web", "",
			DEV(2, "eth0", "veth",
			    ",\"link\":7,\"link_unknown\":true")) "," NETNS(3, "db", "",
									    DEV(2, "eth0", "veth",
										PEER(8,
										     1))) "," NETNS(4,
												    "vm",
												    "",
												    DEV(2,
													"eth0",
													"dummy",
													""))));
	assert_string_equal(places(">veth1 <eth0"), "host web");
	assert_string_equal(places(">veth2 <eth0"), "host db");
	assert_string_equal(places(">eth0 <veth1"), "web host");
}

static void vlan_and_macvlan_over_the_border_are_followed(void **state)
{
	(void)state;
	load(SNAPSHOT(NETNS(1, "host", "", DEV(2, "eth0", "dummy", "") "," DEV(3, "eth0.5", "vlan", ",\"link\":2")) "," NETNS(
		2, "web", "",
		DEV(4, "eth0", "macvlan",
		    PEER(2,
			 1))) "," NETNS(3, "db", "",
					DEV(5, "mac0", "macvlan",
					    PEER(2,
						 1))) "," NETNS(4, "tagged", "",
								DEV(6, "v7", "vlan",
								    PEER(2,
									 1))) "," NETNS(5, "other",
											"",
											DEV(2,
											    "eth0",
											    "dummy",
											    "") "," DEV(9,
													"eth1",
													"dummy",
													""))));
	assert_string_equal(places(">v7 =v7 >eth0 =eth0 !eth0 !v7"),
			    "tagged tagged host host host tagged");
	assert_string_equal(places(">mac0 >eth0"), "db host");
	assert_string_equal(places("<eth0 <mac0"), "host db");
	assert_string_equal(places("<eth0 >eth1"), "other other");
	/* From one macvlan to another on the same device. */
	assert_string_equal(places(">mac0 <eth0"), "db web");
}

static void load_containers(u32 count)
{
	struct strbuf sb = STRBUF_INIT;
	u32 i;

	strbuf_puts(&sb, "{\"version\":1,\"netns\":[");
	for (i = 0; i < count; i++)
		strbuf_printf(&sb,
			      "{\"inum\":%u,\"name\":\"c%u\",\"devices\":[{\"ifindex\":2,\"name\":"
			      "\"eth0\",\"kind\":\"veth\",\"link\":%u,\"link_netns\":1,\"seen\":1},"
			      "{\"ifindex\":1,\"name\":\"lo\",\"kind\":\"lo\",\"seen\":1}]},",
			      i + 100, i, i + 10);
	strbuf_puts(&sb,
		    "{\"inum\":1,\"name\":\"host\",\"devices\":[{\"ifindex\":1,\"name\":\"br0\","
		    "\"kind\":\"bridge\",\"seen\":1}");
	for (i = 0; i < count; i++)
		strbuf_printf(&sb,
			      ",{\"ifindex\":%u,\"name\":\"veth%u\",\"kind\":\"veth\",\"link\":2,"
			      "\"link_netns\":%u,\"seen\":1}",
			      i + 10, i, i + 100);
	strbuf_puts(&sb, "]}]}");
	load(strbuf_cstr(&sb));
	strbuf_free(&sb);
}

static void two_hundred_containers_are_told_apart(void **state)
{
	char text[64], want[64];
	u32 i;

	(void)state;
	load_containers(200);
	for (i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), ">br0 >veth%u <eth0", i);
		snprintf(want, sizeof(want), "host host c%u", i);
		assert_string_equal(places(text), want);
		snprintf(text, sizeof(text), ">eth0 <veth%u >veth%u <eth0", i, 199 - i);
		snprintf(want, sizeof(want), "c%u host host c%u", i, 199 - i);
		assert_string_equal(places(text), want);
	}
}

static void a_name_in_too_many_netns_is_not_placed_and_spoils_nothing(void **state)
{
	(void)state;
	load_containers(300);
	assert_string_equal(places(">br0 >veth17 <eth0"), "host host -");
	assert_string_equal(places(">eth0 <veth17 <br0"), "- host host");
}

static void a_very_long_path_is_placed_as_far_as_memory_goes(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	u32 i;

	(void)state;
	load(DOCKER("", ""));
	/* Sent to web and back, over and over. */
	for (i = 0; i < 100; i++)
		strbuf_puts(&sb, " >veth1 <eth0 >eth0 <veth1");
	places(strbuf_cstr(&sb));
	for (i = 0; i < 400; i++)
		assert_int_equal(hops[i].netns, i >= TOPOLOGY_STATIONS	 ? 0 :
						i % 4 == 1 || i % 4 == 2 ? 2 :
									   1);
	strbuf_free(&sb);
}

static void without_a_snapshot_nothing_is_placed(void **state)
{
	(void)state;
	assert_int_equal(topology_init(&topology, NULL, &devs), 0);
	assert_string_equal(places(">br0 >veth1 <eth0"), "- - -");
	assert_false(topology_name_shared(&topology, 1));
	topology_free(&topology);
	load(SNAPSHOT(""));
	assert_string_equal(places(">br0 >veth1 <eth0@7"), "- - -");
	path.nr_hops = 0;
	topology_resolve(&topology, &path);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bridged_ping_ends_in_the_netns_of_the_veths_other_end),
		TEST(a_reply_begins_in_the_netns_that_it_comes_from),
		TEST(a_name_that_may_be_in_several_netns_is_not_guessed),
		TEST(two_identical_networks_are_not_told_apart),
		TEST(a_device_that_is_not_known_does_not_spoil_the_others),
		TEST(a_path_that_fits_nowhere_has_only_names_that_are_unique),
		TEST(a_cookie_settles_it_at_once),
		TEST(two_netns_on_devices_of_one_name_are_told_apart_by_cookies),
		TEST(a_veth_whose_other_end_is_not_known_leads_to_an_end_that_is_free),
		TEST(vlan_and_macvlan_over_the_border_are_followed),
		TEST(two_hundred_containers_are_told_apart),
		TEST(a_name_in_too_many_netns_is_not_placed_and_spoils_nothing),
		TEST(a_very_long_path_is_placed_as_far_as_memory_goes),
		TEST(without_a_snapshot_nothing_is_placed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
