// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of network namespaces: look-ups, peers, merging, and JSON from strangers.
 */
#include "unit.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/netns.h"
#include "kernel/netns_build.h"

#define HOST 4026531833ULL
#define WEB 4026532246ULL
#define DB 4026532300ULL

/* A host with a bridge and two containers, one of which could not be matched to its port. */
static const char docker_json[] =
	"{\"version\":1,\"self\":4026531833,\"incomplete\":\"a reason\",\"netns\":["
	"{\"inum\":4026532246,\"cookie\":4101,\"name\":\"web\",\"devices\":["
	"{\"ifindex\":2,\"name\":\"eth0\",\"kind\":\"veth\",\"link\":7,\"link_netns\":4026531833,"
	"\"seen\":1,\"up\":true},"
	"{\"ifindex\":1,\"name\":\"lo\",\"kind\":\"lo\",\"seen\":1}]},"
	"{\"inum\":4026531833,\"cookie\":3,\"name\":\"host\",\"devices\":["
	"{\"ifindex\":1,\"name\":\"lo\",\"kind\":\"lo\",\"seen\":1,\"up\":true,\"running\":true},"
	"{\"ifindex\":2,\"name\":\"eth0\",\"mac\":\"02:fc:00:00:00:01\",\"seen\":1,\"up\":true},"
	"{\"ifindex\":3,\"name\":\"eth0.5\",\"kind\":\"vlan\",\"link\":2,\"seen\":1},"
	"{\"ifindex\":5,\"name\":\"br0\",\"kind\":\"bridge\",\"seen\":1},"
	"{\"ifindex\":7,\"name\":\"veth1\",\"kind\":\"veth\",\"link\":2,\"link_netns\":4026532246,"
	"\"master\":5,\"seen\":1},"
	"{\"ifindex\":8,\"name\":\"veth2\",\"kind\":\"veth\",\"link\":2,\"link_unknown\":true,"
	"\"seen\":1},"
	"{\"ifindex\":10,\"name\":\"p0\",\"kind\":\"veth\",\"link\":11,\"seen\":1},"
	"{\"ifindex\":11,\"name\":\"p1\",\"kind\":\"veth\",\"link\":10,\"seen\":1}]},"
	"{\"inum\":4026532300,\"name\":\"pid:77(db)\",\"unread\":true,\"devices\":[]}]}";

static struct netns_snapshot *parse(const char *text)
{
	struct json_object *json = json_tokener_parse(text);
	struct netns_snapshot *snap = NULL;
	struct error err = { 0 };

	if (netns_snapshot_from_json(json, &snap, &err))
		print_error("%s\n", err.text);
	json_object_put(json);
	assert_non_null(snap);
	return snap;
}

static const struct netns *get_ns(const struct netns_snapshot *snap, u64 inum)
{
	const struct netns *ns = netns_find(snap, inum);

	assert_non_null(ns);
	return ns;
}

static const struct netdev *get_dev(const struct netns *ns, u32 ifindex)
{
	const struct netdev *dev = netdev_find(ns, ifindex);

	assert_non_null(dev);
	return dev;
}

static void a_snapshot_survives_its_json(void **state)
{
	struct netns_snapshot *snap = parse(docker_json);
	struct json_object *first = netns_snapshot_to_json(snap);
	struct netns_snapshot *again = parse(json_object_to_json_string(first));
	struct json_object *second = netns_snapshot_to_json(again);
	const struct netdev *dev = get_dev(get_ns(again, HOST), 2);

	(void)state;
	assert_true(json_object_equal(first, second));
	assert_int_equal(again->nr_ns, 3);
	assert_int_equal(again->nr_devs, 10);
	assert_int_equal(again->self_inum, HOST);
	assert_string_equal(again->incomplete, "a reason");
	assert_memory_equal(dev->mac, "\x02\xfc\x00\x00\x00\x01", 6);
	assert_string_equal(dev->kind, "");
	assert_int_equal(dev->link, NETDEV_LINK_NONE);
	assert_true(dev->up);
	assert_false(dev->running);
	assert_false(get_ns(again, DB)->read);
	json_object_put(first);
	json_object_put(second);
	netns_snapshot_free(snap);
	netns_snapshot_free(again);
}

static void odd_bytes_in_names_survive(void **state)
{
	struct netns_snapshot *snap = netns_snapshot_new();
	struct netdev dev = { .ifindex = 1, .seen = 1, .name = "\x1b[2J\"\\\xff\xc3" };
	struct netns ns = { .inum = 5, .name = (char *)"a\"b\\\x7f\xfe", .read = true };
	struct netns_snapshot *again;
	struct json_object *json;

	(void)state;
	assert_int_equal(netns_snapshot_add(snap, &ns), 0);
	assert_int_equal(netns_snapshot_add_dev(snap, 0, &dev), 0);
	assert_int_equal(netns_snapshot_index(snap), 0);
	json = netns_snapshot_to_json(snap);
	again = parse(json_object_to_json_string(json));
	assert_string_equal(again->ns[0].name, ns.name);
	assert_string_equal(again->ns[0].devs[0].name, dev.name);
	json_object_put(json);
	netns_snapshot_free(snap);
	netns_snapshot_free(again);
}

#define NETNS(body) "{\"version\":1,\"netns\":[" body "]}"
#define DEVICE(body) NETNS("{\"inum\":1,\"name\":\"n\",\"devices\":[" body "]}")
#define FIELD(body) DEVICE("{\"ifindex\":1,\"name\":\"lo\",\"seen\":1," body "}")

static void hostile_json_is_refused_with_a_reason(void **state)
{
	static const char *const texts[] = {
		"[]",
		"7",
		"\"netns\"",
		"null",
		"{}",
		"{\"version\":1}",
		"{\"version\":2,\"netns\":[]}",
		"{\"version\":0,\"netns\":[]}",
		"{\"version\":\"1\",\"netns\":[]}",
		"{\"version\":1.0,\"netns\":[]}",
		"{\"version\":1,\"netns\":{}}",
		"{\"version\":1,\"netns\":null}",
		"{\"version\":1,\"self\":-1,\"netns\":[]}",
		"{\"version\":1,\"self\":99999999999999999999,\"netns\":[]}",
		"{\"version\":1,\"cut_netns\":2147483648,\"netns\":[]}",
		"{\"version\":1,\"incomplete\":7,\"netns\":[]}",
		"{\"version\":1,\"incomplete\":\"\",\"netns\":[]}",
		NETNS("1"),
		NETNS("null"),
		NETNS("{}"),
		NETNS("{\"inum\":1,\"name\":\"n\"}"),
		NETNS("{\"inum\":0,\"name\":\"n\",\"devices\":[]}"),
		NETNS("{\"inum\":-5,\"name\":\"n\",\"devices\":[]}"),
		NETNS("{\"inum\":9223372036854775807,\"name\":\"n\",\"devices\":[]}"),
		NETNS("{\"inum\":18446744073709551615,\"name\":\"n\",\"devices\":[]}"),
		NETNS("{\"inum\":1,\"name\":\"\",\"devices\":[]}"),
		NETNS("{\"inum\":1,\"name\":\"a\\u0000b\",\"devices\":[]}"),
		NETNS("{\"inum\":1,\"name\":[],\"devices\":[]}"),
		NETNS("{\"inum\":1,\"name\":\"n\",\"cookie\":true,\"devices\":[]}"),
		NETNS("{\"inum\":1,\"name\":\"n\",\"unread\":1,\"devices\":[]}"),
		NETNS("{\"inum\":1,\"name\":\"n\",\"devices\":\"eth0\"}"),
		NETNS("{\"inum\":1,\"name\":\"n\",\"devices\":[]},"
		      "{\"inum\":1,\"name\":\"m\",\"devices\":[]}"),
		DEVICE("[]"),
		DEVICE("null"),
		DEVICE("{}"),
		DEVICE("{\"ifindex\":1,\"seen\":1}"),
		DEVICE("{\"ifindex\":1,\"name\":\"lo\"}"),
		DEVICE("{\"ifindex\":0,\"name\":\"lo\",\"seen\":1}"),
		DEVICE("{\"ifindex\":-1,\"name\":\"lo\",\"seen\":1}"),
		DEVICE("{\"ifindex\":4294967297,\"name\":\"lo\",\"seen\":1}"),
		DEVICE("{\"ifindex\":1,\"name\":\"\",\"seen\":1}"),
		DEVICE("{\"ifindex\":1,\"name\":\"sixteen-bytes-xx\",\"seen\":1}"),
		DEVICE("{\"ifindex\":1,\"name\":\"a/b\",\"seen\":1}"),
		DEVICE("{\"ifindex\":1,\"name\":\"a b\",\"seen\":1}"),
		DEVICE("{\"ifindex\":1,\"name\":\"a\\nb\",\"seen\":1}"),
		DEVICE("{\"ifindex\":1,\"name\":\"..\",\"seen\":1}"),
		DEVICE("{\"ifindex\":1,\"name\":\"e\\u0000\",\"seen\":1}"),
		DEVICE("{\"ifindex\":1,\"name\":7,\"seen\":1}"),
		DEVICE("{\"ifindex\":1,\"name\":\"lo\",\"seen\":4}"),
		DEVICE("{\"ifindex\":1,\"name\":\"lo\",\"seen\":true}"),
		FIELD("\"kind\":\"a-kind-of-device-with-too-long-a-name\""),
		FIELD("\"kind\":null"),
		FIELD("\"link\":-3"),
		FIELD("\"link\":2147483648"),
		FIELD("\"link_netns\":\"4\""),
		FIELD("\"link_unknown\":\"true\""),
		FIELD("\"link\":2,\"link_unknown\":true,\"link_netns\":5"),
		FIELD("\"master\":1e3"),
		FIELD("\"mac\":\"02:fc:00:00:00\""),
		FIELD("\"mac\":\"02:fc:00:00:00:0g\""),
		FIELD("\"mac\":\"02:fc:00:00:00:010\""),
		FIELD("\"mac\":\":::::::::::::::::\""),
		FIELD("\"mac\":\"02:fc:00: 0:00:01\""),
		FIELD("\"up\":1"),
		FIELD("\"running\":{}"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		struct json_object *json = json_tokener_parse(texts[i]);
		struct netns_snapshot *snap = NULL;
		struct error err = { 0 };
		int ret = netns_snapshot_from_json(json, &snap, &err);

		if (ret != -EINVAL)
			print_error("accepted: %s\n", texts[i]);
		assert_int_equal(ret, -EINVAL);
		assert_null(snap);
		assert_true(strlen(err.text) > 20);
		json_object_put(json);
	}
}

static void keys_of_later_versions_are_ignored(void **state)
{
	struct netns_snapshot *snap = parse(FIELD("\"altnames\":[\"x\"]"));

	(void)state;
	assert_int_equal(snap->nr_devs, 1);
	netns_snapshot_free(snap);
}

static void damaged_json_never_crashes(void **state)
{
	char text[sizeof(docker_json)];
	u32 random = 12345;
	int accepted = 0;
	int i, j;

	(void)state;
	for (i = 0; i < 20000; i++) {
		struct netns_snapshot *snap = NULL;
		struct json_object *json;

		memcpy(text, docker_json, sizeof(text));
		for (j = 0; j <= i % 4; j++) {
			random = random * 1664525 + 1013904223;
			text[(random >> 8) % (sizeof(text) - 1)] =
				(char)("0:\"{}],x-9"[random % 10]);
		}
		json = json_tokener_parse(text);
		if (!netns_snapshot_from_json(json, &snap, NULL)) {
			accepted++;
			netns_snapshot_free(snap);
		}
		json_object_put(json);
	}
	assert_in_range(accepted, 1000, 19000);
}

static void devices_are_found_by_name_in_every_netns(void **state)
{
	struct netns_snapshot *snap = parse(docker_json);
	const struct netdev_ref *refs;

	(void)state;
	assert_int_equal(netns_find_devices(snap, "eth0", &refs), 2);
	assert_int_equal(netdev_ref_ns(snap, refs[0])->inum, HOST);
	assert_int_equal(netdev_ref_dev(snap, refs[0])->ifindex, 2);
	assert_int_equal(netdev_ref_ns(snap, refs[1])->inum, WEB);
	assert_string_equal(netdev_ref_dev(snap, refs[1])->name, "eth0");
	assert_int_equal(netns_find_devices(snap, "lo", &refs), 2);
	assert_int_equal(netns_find_devices(snap, "veth2", &refs), 1);
	assert_int_equal(netns_find_devices(snap, "veth", &refs), 0);
	assert_int_equal(netns_find_devices(snap, "zzz", &refs), 0);
	assert_int_equal(netns_find_devices(snap, "", &refs), 0);
	netns_snapshot_free(snap);
}

static void an_empty_snapshot_finds_nothing(void **state)
{
	struct netns_snapshot *snap = parse("{\"version\":1,\"netns\":[]}");
	const struct netdev_ref *refs;

	(void)state;
	assert_int_equal(netns_find_devices(snap, "lo", &refs), 0);
	assert_null(netns_find(snap, HOST));
	assert_null(netns_find_cookie(snap, 3));
	netns_snapshot_free(snap);
}

static void netns_are_found_by_inode_and_cookie(void **state)
{
	struct netns_snapshot *snap = parse(docker_json);

	(void)state;
	assert_string_equal(get_ns(snap, WEB)->name, "web");
	assert_null(netns_find(snap, WEB + 1));
	assert_ptr_equal(netns_find_cookie(snap, 4101), netns_find(snap, WEB));
	assert_ptr_equal(netns_find_cookie(snap, 3), netns_find(snap, HOST));
	assert_null(netns_find_cookie(snap, 4));
	assert_null(netns_find_cookie(snap, 0));
	assert_null(netdev_find(get_ns(snap, HOST), 6));
	assert_null(netdev_find(get_ns(snap, DB), 1));
	netns_snapshot_free(snap);
}

static void a_veth_leads_to_its_peer_and_back(void **state)
{
	struct netns_snapshot *snap = parse(docker_json);
	const struct netns *host = get_ns(snap, HOST);
	const struct netns *web = get_ns(snap, WEB);
	const struct netns *found = NULL;

	(void)state;
	assert_ptr_equal(netdev_peer(snap, host, get_dev(host, 7), &found), get_dev(web, 2));
	assert_ptr_equal(found, web);
	assert_ptr_equal(netdev_peer(snap, web, get_dev(web, 2), &found), get_dev(host, 7));
	assert_ptr_equal(found, host);
	assert_ptr_equal(netdev_peer(snap, host, get_dev(host, 10), NULL), get_dev(host, 11));
	assert_ptr_equal(netdev_peer(snap, host, get_dev(host, 11), &found), get_dev(host, 10));
	assert_ptr_equal(found, host);
	netns_snapshot_free(snap);
}

static void a_peer_that_is_not_known_is_not_guessed(void **state)
{
	struct netns_snapshot *snap = parse(docker_json);
	const struct netns *host = get_ns(snap, HOST);

	(void)state;
	/* veth2 says ifindex 2 somewhere; web has such a veth, but it is veth1's */
	assert_int_equal(get_dev(host, 8)->link, NETDEV_LINK_UNKNOWN);
	assert_null(netdev_peer(snap, host, get_dev(host, 8), NULL));
	assert_null(netdev_peer(snap, host, get_dev(host, 5), NULL));
	assert_null(netdev_peer(snap, host, get_dev(host, 3), NULL));
	netns_snapshot_free(snap);
}

static void a_peer_that_does_not_point_back_is_none(void **state)
{
	static const char text[] =
		NETNS("{\"inum\":1,\"name\":\"a\",\"devices\":["
		      "{\"ifindex\":2,\"name\":\"v\",\"kind\":\"veth\",\"link\":3,\"link_netns\":2,"
		      "\"seen\":1},"
		      "{\"ifindex\":4,\"name\":\"s\",\"kind\":\"veth\",\"link\":4,\"seen\":1},"
		      "{\"ifindex\":5,\"name\":\"x\",\"kind\":\"veth\",\"link\":2,\"link_netns\":7,"
		      "\"seen\":1}]},"
		      "{\"inum\":2,\"name\":\"b\",\"devices\":["
		      "{\"ifindex\":3,\"name\":\"w\",\"kind\":\"veth\",\"link\":9,\"link_netns\":1,"
		      "\"seen\":1}]}");
	struct netns_snapshot *snap = parse(text);
	const struct netns *ns = get_ns(snap, 1);

	(void)state;
	assert_null(netdev_peer(snap, ns, get_dev(ns, 2), NULL));
	assert_null(netdev_peer(snap, ns, get_dev(ns, 4), NULL));
	assert_null(netdev_peer(snap, ns, get_dev(ns, 5), NULL));
	netns_snapshot_free(snap);
}

static void lower_and_master_devices_are_found(void **state)
{
	struct netns_snapshot *snap = parse(docker_json);
	const struct netns *host = get_ns(snap, HOST);
	const struct netns *found = NULL;

	(void)state;
	assert_ptr_equal(netdev_lower(snap, host, get_dev(host, 3), &found), get_dev(host, 2));
	assert_ptr_equal(found, host);
	assert_null(netdev_lower(snap, host, get_dev(host, 7), NULL));
	assert_null(netdev_lower(snap, host, get_dev(host, 1), NULL));
	assert_ptr_equal(netdev_master(host, get_dev(host, 7)), get_dev(host, 5));
	assert_null(netdev_master(host, get_dev(host, 5)));
	netns_snapshot_free(snap);
}

static void a_netns_can_be_given_a_name(void **state)
{
	struct netns_snapshot *snap = parse(docker_json);
	char longer[NETNS_NAME_MAX + 2];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(netns_snapshot_name(snap, DB, "database"), 0);
	assert_string_equal(get_ns(snap, DB)->name, "database");
	assert_int_equal(netns_snapshot_name(snap, 1, "x"), -ENOENT);
	assert_int_equal(netns_snapshot_name(snap, DB, ""), -EINVAL);
	assert_int_equal(netns_snapshot_name(snap, DB, longer), -EINVAL);
	assert_string_equal(get_ns(snap, DB)->name, "database");
	netns_snapshot_free(snap);
}

/* Some time after docker_json: see the tests below for what has happened. */
static const char later_json[] =
	"{\"version\":1,\"self\":4026531833,\"netns\":["
	"{\"inum\":4026531833,\"cookie\":3,\"name\":\"renamed\",\"devices\":["
	"{\"ifindex\":1,\"name\":\"lo\",\"kind\":\"lo\",\"seen\":1},"
	"{\"ifindex\":2,\"name\":\"wan0\",\"seen\":1},"
	"{\"ifindex\":7,\"name\":\"veth1\",\"kind\":\"veth\",\"link\":2,\"link_unknown\":true,"
	"\"seen\":1,\"up\":true},"
	"{\"ifindex\":8,\"name\":\"veth2\",\"kind\":\"veth\",\"link\":2,\"link_netns\":4026532300,"
	"\"seen\":1},"
	"{\"ifindex\":10,\"name\":\"p0\",\"kind\":\"dummy\",\"seen\":1},"
	"{\"ifindex\":20,\"name\":\"new0\",\"kind\":\"veth\",\"link\":2,\"link_netns\":4026532400,"
	"\"seen\":1}]},"
	"{\"inum\":4026532300,\"cookie\":9000,\"name\":\"db\",\"devices\":["
	"{\"ifindex\":2,\"name\":\"eth0\",\"kind\":\"veth\",\"link\":8,\"link_netns\":4026531833,"
	"\"seen\":1}]},"
	"{\"inum\":4026532246,\"cookie\":9999,\"name\":\"web again\",\"devices\":[]},"
	"{\"inum\":4026532400,\"cookie\":9500,\"name\":\"new\",\"devices\":["
	"{\"ifindex\":2,\"name\":\"eth0\",\"kind\":\"veth\",\"link\":20,\"link_netns\":4026531833,"
	"\"seen\":1}]}]}";

static struct netns_snapshot *merged(void)
{
	struct netns_snapshot *snap = parse(docker_json);
	struct netns_snapshot *later = parse(later_json);
	struct error err = { 0 };

	assert_int_equal(netns_snapshot_merge(snap, later, &err), 0);
	netns_snapshot_free(later);
	return snap;
}

static void merging_keeps_what_was_and_adds_what_came(void **state)
{
	struct netns_snapshot *snap = merged();
	const struct netns *host = get_ns(snap, HOST);
	const struct netns *new = get_ns(snap, 4026532400ULL);
	const struct netdev_ref *refs;

	(void)state;
	assert_int_equal(snap->nr_ns, 5);
	assert_int_equal(snap->nr_devs, 15);
	assert_string_equal(host->name, "host");
	assert_int_equal(get_dev(host, 1)->seen, NETDEV_SEEN_FIRST | NETDEV_SEEN_LATER);
	assert_int_equal(get_dev(host, 5)->seen, NETDEV_SEEN_FIRST);
	assert_int_equal(get_dev(host, 20)->seen, NETDEV_SEEN_LATER);
	assert_int_equal(get_dev(new, 2)->seen, NETDEV_SEEN_LATER);
	assert_ptr_equal(netdev_peer(snap, new, get_dev(new, 2), NULL), get_dev(host, 20));
	assert_int_equal(netns_find_devices(snap, "eth0", &refs), 4);
	assert_string_equal(snap->incomplete, "a reason");
	netns_snapshot_free(snap);
}

static void renamed_devices_and_reused_numbers_stay_twice(void **state)
{
	struct netns_snapshot *snap = merged();
	const struct netns *host = get_ns(snap, HOST);
	const struct netdev_ref *refs;

	(void)state;
	assert_string_equal(get_dev(host, 2)->name, "wan0");
	assert_string_equal(get_dev(host, 2)[-1].name, "eth0");
	assert_int_equal(get_dev(host, 2)->seen, NETDEV_SEEN_LATER);
	assert_int_equal(netns_find_devices(snap, "wan0", &refs), 1);
	assert_int_equal(netns_find_devices(snap, "p0", &refs), 2);
	assert_string_equal(netdev_ref_dev(snap, refs[0])->kind, "veth");
	assert_string_equal(netdev_ref_dev(snap, refs[1])->kind, "dummy");
	/* p1 still finds the p0 that was its peer, though a dummy has the number now */
	assert_ptr_equal(netdev_peer(snap, host, get_dev(host, 11), NULL),
			 netdev_ref_dev(snap, refs[0]));
	netns_snapshot_free(snap);
}

static void a_known_link_outlives_an_unknown_one(void **state)
{
	struct netns_snapshot *snap = merged();
	const struct netns *host = get_ns(snap, HOST);
	const struct netns *db = get_ns(snap, DB);

	(void)state;
	assert_int_equal(get_dev(host, 7)->link, NETDEV_LINK_OTHER);
	assert_int_equal(get_dev(host, 7)->link_netns_inum, WEB);
	assert_true(get_dev(host, 7)->up);
	assert_int_equal(get_dev(host, 7)->master_ifindex, 0);
	assert_int_equal(db->cookie, 9000);
	assert_true(db->read);
	assert_ptr_equal(netdev_peer(snap, host, get_dev(host, 8), NULL), get_dev(db, 2));
	netns_snapshot_free(snap);
}

static void a_reused_inode_is_another_netns(void **state)
{
	struct netns_snapshot *snap = merged();

	(void)state;
	assert_string_equal(netns_find(snap, WEB)->name, "web");
	assert_string_equal(netns_find_cookie(snap, 4101)->name, "web");
	assert_string_equal(netns_find_cookie(snap, 9999)->name, "web again");
	netns_snapshot_free(snap);
}

static void merging_the_same_changes_only_when_it_was_seen(void **state)
{
	struct netns_snapshot *snap = parse(docker_json);
	struct netns_snapshot *same = parse(docker_json);
	size_t i, j;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(netns_snapshot_merge(snap, same, NULL), 0);
	assert_int_equal(snap->nr_ns, same->nr_ns);
	assert_int_equal(snap->nr_devs, same->nr_devs);
	assert_string_equal(snap->incomplete, "a reason");
	for (i = 0; i < snap->nr_ns; i++) {
		for (j = 0; j < snap->ns[i].nr_devs; j++) {
			assert_int_equal(snap->ns[i].devs[j].seen, 3);
			snap->ns[i].devs[j].seen = 1;
			assert_memory_equal(&snap->ns[i].devs[j], &same->ns[i].devs[j],
					    sizeof(struct netdev));
		}
	}
	netns_snapshot_free(snap);
	netns_snapshot_free(same);
}

static void what_is_too_much_is_counted_not_kept(void **state)
{
	struct netns_snapshot *snap = netns_snapshot_new();
	struct netdev dev = { .name = "d", .seen = 1 };
	struct netns_snapshot *later, *again;
	struct json_object *json;
	u32 i;

	(void)state;
	for (i = 1; i <= NETNS_MAX + 2; i++) {
		struct netns ns = { .inum = i, .name = (char *)"n" };

		assert_int_equal(netns_snapshot_add(snap, &ns),
				 i <= NETNS_MAX ? (int)i - 1 : -ENOSPC);
	}
	for (dev.ifindex = 1; dev.ifindex <= NETNS_DEVS_MAX + 3; dev.ifindex++)
		assert_int_equal(netns_snapshot_add_dev(snap, dev.ifindex % NETNS_MAX, &dev),
				 dev.ifindex <= NETNS_DEVS_MAX ? 0 : -ENOSPC);
	assert_int_equal(netns_snapshot_index(snap), 0);
	assert_int_equal(snap->cut_ns, 2);
	assert_int_equal(snap->cut_devs, 3);
	json = netns_snapshot_to_json(snap);
	assert_int_equal(netns_snapshot_from_json(json, &again, NULL), 0);
	json_object_put(json);
	later = parse(docker_json);
	assert_int_equal(netns_snapshot_merge(again, later, NULL), 0);
	assert_int_equal(again->nr_ns, NETNS_MAX);
	assert_int_equal(again->nr_devs, NETNS_DEVS_MAX);
	assert_int_equal(again->cut_ns, 2 + 3);
	netns_snapshot_free(later);
	netns_snapshot_free(again);
	netns_snapshot_free(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_snapshot_survives_its_json),
		cmocka_unit_test(odd_bytes_in_names_survive),
		cmocka_unit_test(hostile_json_is_refused_with_a_reason),
		cmocka_unit_test(keys_of_later_versions_are_ignored),
		cmocka_unit_test(damaged_json_never_crashes),
		cmocka_unit_test(devices_are_found_by_name_in_every_netns),
		cmocka_unit_test(an_empty_snapshot_finds_nothing),
		cmocka_unit_test(netns_are_found_by_inode_and_cookie),
		cmocka_unit_test(a_veth_leads_to_its_peer_and_back),
		cmocka_unit_test(a_peer_that_is_not_known_is_not_guessed),
		cmocka_unit_test(a_peer_that_does_not_point_back_is_none),
		cmocka_unit_test(lower_and_master_devices_are_found),
		cmocka_unit_test(a_netns_can_be_given_a_name),
		cmocka_unit_test(merging_keeps_what_was_and_adds_what_came),
		cmocka_unit_test(renamed_devices_and_reused_numbers_stay_twice),
		cmocka_unit_test(a_known_link_outlives_an_unknown_one),
		cmocka_unit_test(a_reused_inode_is_another_netns),
		cmocka_unit_test(merging_the_same_changes_only_when_it_was_seen),
		cmocka_unit_test(what_is_too_much_is_counted_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
