// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dropped packets, counted: which belong together, and how a group reads.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/drops.h"
#include "render/drops.h"

#define HERE 0xffffffff81000100ULL
#define THERE 0xffffffff81000200ULL

static struct drops *drops;
static struct path path;
static struct hop hops[2];
static struct packet_view view;
static struct hop_filter filter;
static struct strbuf out;

static int setup(void **state)
{
	(void)state;
	return drops_new(&drops, NULL);
}

static int teardown(void **state)
{
	(void)state;
	drops_free(drops);
	strbuf_free(&out);
	return 0;
}

/* A dropped packet of the time @us, 100 bytes, for reason 7 at HERE, of which only IPv4 is known. */
static void packet(u64 us)
{
	memset(&view, 0, sizeof(view));
	memset(&filter, 0, sizeof(filter));
	hops[0] = (struct hop){ .kind = EVENT_RECEIVE,
				.dev = 3,
				.netns = 2,
				.len_bytes = 100,
				.has = EVENT_HAS_LEN,
				.ts_ns = us * 1000 - 500 };
	hops[1] = (struct hop){ .kind = EVENT_DROP,
				.location = HERE,
				.reason = 7,
				.type = 1,
				.has = EVENT_HAS_LOCATION | EVENT_HAS_REASON,
				.ts_ns = us * 1000 };
	path = (struct path){ .number = us,
			      .hops = hops,
			      .nr_hops = 2,
			      .proto = 0x800,
			      .state = PATH_DROPPED,
			      .end_hop = 1,
			      .end_filter = -1,
			      .first_ns = us * 1000 - 500,
			      .last_ns = us * 1000 };
}

static void packet_of(u64 us, const char *src, const char *dst, u8 proto, u16 sport, u16 dport)
{
	struct packet_net *net = &view.packet.net[0];
	int family = strchr(src, ':') ? AF_INET6 : AF_INET;

	packet(us);
	view.packet.nr_nets = 1;
	view.packet.ethertype = family == AF_INET ? 0x800 : 0x86dd;
	net->part = net->l4 = PART_OK;
	net->version = family == AF_INET ? 4 : 6;
	net->proto = proto;
	net->sport = sport;
	net->dport = dport;
	assert_int_equal(inet_pton(family, src, net->src), 1);
	assert_int_equal(inet_pton(family, dst, net->dst), 1);
	path.views = &view;
}

static struct drop_group *add(bool fresh)
{
	bool new;
	struct drop_group *group = drops_add(drops, &path, &new);

	assert_int_equal(new, fresh);
	return group;
}

static void what_was_not_dropped_is_not_counted(void **state)
{
	size_t nr;

	(void)state;
	packet(5);
	path.state = PATH_DELIVERED;
	assert_null(add(false));
	drops_sort(drops, &nr);
	assert_int_equal(nr, 0);
	assert_int_equal(drops_total(drops), 0);
}

static void equal_drops_are_one_group(void **state)
{
	const struct drop_group *group;
	size_t nr;

	(void)state;
	packet(5);
	assert_non_null(add(true));
	packet(9);
	hops[0].len_bytes = 44;
	assert_int_equal(add(false)->count, 2);
	packet(7);
	add(false);
	group = drops_sort(drops, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(group->count, 3);
	assert_int_equal(group->bytes, 244);
	assert_int_equal(group->first_ns, 5000);
	assert_int_equal(group->last_ns, 9000);
	assert_int_equal(group->example, 5);
	assert_int_equal(drops_total(drops), 3);
}

static void reason_place_rule_and_flow_tell_groups_apart(void **state)
{
	size_t nr;

	(void)state;
	packet(1);
	add(true);
	packet(2);
	hops[1].reason = 8;
	add(true);
	packet(3);
	hops[1].location = THERE;
	add(true);
	packet(4);
	hops[1].has = EVENT_HAS_LOCATION; /* no reason is not reason 0 */
	hops[1].reason = 0;
	add(true);
	packet(5);
	hops[0].dev = 4; /* without addresses the device tells flows apart */
	add(true);
	packet(6);
	path.proto = 0x86dd;
	add(true);
	packet(7);
	hops[0].filter = &filter;
	hops[0].kind = EVENT_TABLE;
	filter.table = 9;
	filter.has_verdict = true;
	path.end_filter = 0;
	add(true);
	filter.table = 10;
	add(true);
	packet_of(8, "10.0.2.1", "10.0.2.2", IPPROTO_UDP, 40000, 53);
	add(true);
	packet_of(9, "10.0.2.1", "10.0.2.3", IPPROTO_UDP, 40000, 53);
	add(true);
	packet_of(10, "10.0.2.1", "10.0.2.2", IPPROTO_TCP, 40000, 53);
	add(true);
	hops[0].dev = 5; /* with addresses it does not matter by which device they came */
	add(false);
	drops_sort(drops, &nr);
	assert_int_equal(nr, 11);
}

static void a_client_that_tries_again_is_the_same_flow(void **state)
{
	struct drop_group *group;

	(void)state;
	packet_of(1, "10.0.2.1", "10.0.2.2", IPPROTO_TCP, 40000, 443);
	group = add(true);
	assert_int_equal(group->key.flow.port_of, DROP_PORT_DST);
	assert_int_equal(group->key.flow.port, 443);
	assert_int_equal(group->other_port, 40000);
	assert_false(add(false)->other_ports);
	packet_of(2, "10.0.2.1", "10.0.2.2", IPPROTO_TCP, 40002, 443);
	assert_true(add(false)->other_ports);
	/* what the service answers is another flow */
	packet_of(3, "10.0.2.2", "10.0.2.1", IPPROTO_TCP, 443, 40000);
	group = add(true);
	assert_int_equal(group->key.flow.port_of, DROP_PORT_SRC);
	packet_of(4, "10.0.2.1", "10.0.2.2", IPPROTO_TCP, 40000, 444);
	add(true);
}

static void icmp_is_told_apart_by_its_type(void **state)
{
	(void)state;
	packet_of(1, "10.0.2.1", "10.0.2.2", IPPROTO_ICMP, 0, 0);
	view.packet.net[0].icmp_type = 8;
	add(true);
	add(false);
	view.packet.net[0].icmp_type = 3;
	view.packet.net[0].icmp_code = 3;
	add(true);
	view.packet.net[0].l4 = PART_CUT;
	add(true);
}

static void groups_beyond_the_cap_are_counted(void **state)
{
	size_t nr;
	u64 i;

	(void)state;
	for (i = 1; i <= DROPS_MAX_GROUPS; i++) {
		packet(i);
		hops[1].location = i;
		add(true);
	}
	packet(i);
	assert_null(add(false));
	packet(i + 1);
	hops[1].location = 77;
	assert_int_equal(add(false)->count, 2);
	assert_int_equal(drops_total(drops), DROPS_MAX_GROUPS + 2);
	assert_int_equal(drops_ungrouped(drops), 1);
	assert_int_equal(drops_sort(drops, &nr)->count, 2);
	assert_int_equal(nr, DROPS_MAX_GROUPS);
}

/* Two recordings number their reasons and functions differently. */
static void groups_of_two_sources_are_joined_by_their_words(void **state)
{
	const struct drop_group *group;
	size_t nr;

	(void)state;
	drops_next_source(drops, false);
	packet(1);
	add(true)->words.reason = strdup("NO_SOCKET");
	packet(2);
	hops[1].reason = 9;
	add(true)->words.reason = strdup("OTHER");
	drops_next_source(drops, false);
	packet(3);
	hops[1].reason = 8;
	add(true)->words.reason = strdup("NO_SOCKET");
	packet(4);
	add(true)->words.reason = strdup("NEITHER"); /* had NO_SOCKET's number */
	group = drops_sort(drops, &nr);
	assert_int_equal(nr, 3);
	assert_string_equal(group[0].words.reason, "NO_SOCKET");
	assert_int_equal(group[0].count, 2);
	assert_int_equal(group[0].bytes, 200);
	assert_int_equal(group[0].example, 1);
	assert_string_equal(group[1].words.reason, "OTHER");
	assert_string_equal(group[2].words.reason, "NEITHER");
}

/* Buffers of one recording may have recorded the same packet twice. */
static void a_source_that_tells_of_the_same_packets_is_kept_apart(void **state)
{
	const struct drop_group *group;
	size_t nr;

	(void)state;
	drops_next_source(drops, false);
	packet(1);
	add(true)->words.reason = strdup("NO_SOCKET");
	drops_next_source(drops, true);
	add(true)->words.reason = strdup("NO_SOCKET");
	group = drops_sort(drops, &nr);
	assert_int_equal(nr, 2);
	assert_int_equal(group[0].count, 1);
	assert_int_equal(group[1].count, 1);
}

static const char *text(const struct drop_group *group, int width)
{
	const struct text_style style = { .utf8 = true, .width = width };

	out.len = 0;
	render_drop_text(&out, group, &style);
	return strbuf_cstr(&out);
}

static void a_group_reads_in_three_lines(void **state)
{
	struct drop_group *group;

	(void)state;
	packet_of(1000, "10.0.2.1", "10.0.2.2", IPPROTO_TCP, 40000, 22);
	hops[0].filter = &filter;
	hops[0].kind = EVENT_HOOK;
	filter.hook = 2;
	filter.pf = 2;
	path.end_filter = 0;
	group = add(true);
	group->words.reason = strdup("NETFILTER_DROP");
	group->words.location = strdup("nf_hook_slow+0xb2");
	group->words.dev = strdup("eth0");
	group->words.netns = strdup("we\033b");
	assert_string_equal(
		text(group, 0),
		"       1  NETFILTER_DROP in nf_hook_slow+0xb2, netfilter ipv4 FORWARD\n"
		"          TCP 10.0.2.1:40000 → 10.0.2.2:22, last on we\\x1bb:eth0\n"
		"          100 bytes, 0.001000 s, first #1000\n\n");
	path.number = hops[1].ts_ns = 2000000;
	view.packet.net[0].sport = 40001;
	group = add(false);
	group->words.table = strdup("filter");
	group->words.chain = strdup("FORWARD");
	group->words.function = strdup("iptable_filter_hook+0x0");
	assert_string_equal(
		text(group, 80),
		"       2  NETFILTER_DROP in nf_hook_slow+0xb2, netfilter ipv4 FORWARD, table\n"
		"          filter, chain FORWARD, first iptable_filter_hook+0x0\n"
		"          TCP 10.0.2.1:* → 10.0.2.2:22, last on we\\x1bb:eth0\n"
		"          200 bytes, 0.001000 s to 0.002000 s, first #1000\n\n");
}

static void long_addresses_stay_within_the_screen(void **state)
{
	struct drop_group *group;
	const char *line, *end;

	(void)state;
	packet_of(5, "2001:db8:1234:5678:9abc:def0:1234:5678",
		  "2001:db8:ffff:eeee:dddd:cccc:bbbb:aaaa", IPPROTO_UDP, 53, 60000);
	group = add(true);
	group->words.dev = strdup("enp0s31f6.4094");
	line = text(group, 80);
	assert_non_null(strstr(line, "[2001:db8:1234:5678:9abc:def0:1234:5678]:53 →\n"));
	assert_non_null(strstr(line, " [2001:db8:ffff:eeee:dddd:cccc:bbbb:aaaa]:60000,"));
	for (; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_in_range(end - line, 0, 82); /* an arrow is 3 bytes */
	}
}

static void json_says_what_is_known_only(void **state)
{
	struct json_object *json, *flow, *value;
	struct drop_group *group;

	(void)state;
	packet_of(5, "10.0.2.1", "10.0.2.2", IPPROTO_TCP, 40000, 22);
	add(true);
	packet_of(6, "10.0.2.1", "10.0.2.2", IPPROTO_TCP, 40001, 22);
	group = add(false);
	group->words.reason = strdup("A\xff\"B");
	assert_int_equal(render_drop_json(&out, group), 0);
	json = json_tokener_parse(strbuf_cstr(&out));
	assert_non_null(json);
	assert_true(json_object_object_get_ex(json, "count", &value));
	assert_int_equal(json_object_get_int(value), 2);
	assert_true(json_object_object_get_ex(json, "reason", &value));
	assert_string_equal(json_object_get_string(value), "A\\xff\"B");
	assert_true(json_object_object_get_ex(json, "flow", &flow));
	assert_true(json_object_object_get_ex(flow, "dport", &value));
	assert_int_equal(json_object_get_int(value), 22);
	assert_false(json_object_object_get_ex(flow, "sport", &value));
	assert_true(json_object_object_get_ex(flow, "l4", &value));
	assert_string_equal(json_object_get_string(value), "TCP");
	assert_false(json_object_object_get_ex(json, "dev", &value));
	assert_false(json_object_object_get_ex(json, "hook", &value));
	json_object_put(json);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_not_dropped_is_not_counted),
		TEST(equal_drops_are_one_group),
		TEST(reason_place_rule_and_flow_tell_groups_apart),
		TEST(a_client_that_tries_again_is_the_same_flow),
		TEST(icmp_is_told_apart_by_its_type),
		TEST(groups_beyond_the_cap_are_counted),
		TEST(groups_of_two_sources_are_joined_by_their_words),
		TEST(a_source_that_tells_of_the_same_packets_is_kept_apart),
		TEST(a_group_reads_in_three_lines),
		TEST(long_addresses_stay_within_the_screen),
		TEST(json_says_what_is_known_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
