// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses that tracepoints tell of their skb: read from the kernels that name it, believed where they can be
 * of the packet, and shown without anything that nobody told.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "decode/packet_text.h"
#include "decode/schema.h"
#include "path_script.h"
#include "render/json_packet.h"

#define COMMON                                                                          \
	"format:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"          \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"  \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define SKB_AT(at) "\tfield:const void * skbaddr;\toffset:" at ";\tsize:8;\tsigned:0;\n"
#define ENDPOINTS(saddr, daddr)                                                   \
	"\tfield:__u8 saddr[" saddr "];\toffset:8;\tsize:" saddr ";\tsigned:0;\n" \
	"\tfield:__u8 daddr[" daddr "];\toffset:36;\tsize:" daddr ";\tsigned:0;\n"

/* The fields of Linux 6.18 that matter, where it has them. */
static const char tcp_probe[] = "name: tcp_probe\nID: 70\n" COMMON ENDPOINTS("28", "28")
	SKB_AT("120") "\nprint fmt: \"\"\n";
/* Linux 6.1: no skb. */
static const char tcp_probe_old[] = "name: tcp_probe\nID: 70\n" COMMON ENDPOINTS(
	"28",
	"28") "\tfield:__u64 sock_cookie;\toffset:112;\tsize:8;\tsigned:0;\n\nprint fmt: \"\"\n";
static const char tcp_probe_short[] = "name: tcp_probe\nID: 70\n" COMMON ENDPOINTS("28", "16")
	SKB_AT("120") "\nprint fmt: \"\"\n";
#define ICMP_FIELDS                                                                   \
	COMMON SKB_AT("8") "\tfield:int type;\toffset:16;\tsize:4;\tsigned:1;\n"      \
			   "\tfield:int code;\toffset:20;\tsize:4;\tsigned:1;\n"      \
			   "\tfield:__u8 saddr[4];\toffset:24;\tsize:4;\tsigned:0;\n" \
			   "\tfield:__u8 daddr[4];\toffset:28;\tsize:4;\tsigned:0;\n" \
			   "\tfield:__u16 sport;\toffset:32;\tsize:2;\tsigned:0;\n"   \
			   "\tfield:__u16 dport;\toffset:34;\tsize:2;\tsigned:0;\n"
static const char icmp_send[] =
	"name: icmp_send\nID: 71\n" ICMP_FIELDS
	"\tfield:unsigned short ulen;\toffset:36;\tsize:2;\tsigned:0;\n\nprint fmt: \"\"\n";
static const char icmp_send_no_length[] = "name: icmp_send\nID: 71\n" ICMP_FIELDS
					  "\nprint fmt: \"\"\n";

static struct schema schema;
static u8 record[136];
static struct event ev;
static struct skb_facts facts;

static void start(const char *system, const char *format)
{
	schema_free(&schema);
	assert_int_equal(schema_init(&schema, HOST_BIG_ENDIAN, 8, NULL), 0);
	assert_int_equal(schema_add_format(&schema, system, format, strlen(format), NULL), 0);
	memset(record, 0, sizeof(record));
}

static void put_u16(u32 at, u16 value)
{
	memcpy(record + at, &value, sizeof(value));
}

/* A record of tcp_probe; the socket's own side is first. @family: of both */
static void put_probe(u16 family, const char *own, u16 own_port, const char *peer, u16 peer_port)
{
	const char *text[] = { own, peer };
	u16 port[] = { own_port, peer_port };
	u64 skb = A;
	u32 i;

	put_u16(0, 70);
	for (i = 0; i < 2; i++) {
		u8 *at = record + 8 + 28 * i;

		put_u16(8 + 28 * i, family);
		at[2] = (u8)(port[i] >> 8);
		at[3] = (u8)port[i];
		assert_int_equal(inet_pton(family, text[i], at + (family == AF_INET6 ? 8 : 4)), 1);
	}
	memcpy(record + 120, &skb, sizeof(skb));
}

static void put_icmp(u16 ulen)
{
	static const u8 src[] = { 10, 0, 2, 1 }, dst[] = { 10, 0, 2, 9 };
	u64 skb = A;

	put_u16(0, 71);
	memcpy(record + 8, &skb, sizeof(skb));
	memcpy(record + 24, src, 4);
	memcpy(record + 28, dst, 4);
	put_u16(32, 4000);
	put_u16(34, 53);
	put_u16(36, ulen);
}

/* In memory of its own size, so that a sanitizer sees a read behind it. Return: whether it is of an skb. */
static bool decode(u16 id, u32 len)
{
	u8 *copy = malloc(len);
	bool ret;

	memcpy(copy, record, len);
	memset(&facts, 0xee, sizeof(facts));
	ret = schema_decode(&schema, id, copy, len, &ev, &facts);
	free(copy);
	return ret;
}

static bool tells(u16 id, u32 len)
{
	assert_true(decode(id, len));
	assert_int_equal(ev.kind, EVENT_NOTE);
	assert_int_equal(ev.skb, A);
	return ev.has & EVENT_HAS_FACTS;
}

static void assert_text(const char *wanted)
{
	struct strbuf sb = STRBUF_INIT;

	packet_describe(&sb, &facts.packet);
	assert_string_equal(strbuf_cstr(&sb), wanted);
	strbuf_free(&sb);
}

static void a_received_segment_comes_from_the_peer(void **state)
{
	(void)state;
	start("tcp", tcp_probe);
	assert_true(schema.has_told);
	assert_false(schema.has_headers);
	put_probe(AF_INET, "10.0.2.2", 443, "10.0.2.1", 50000);
	assert_true(tells(70, 136));
	assert_ptr_equal(ev.facts, &facts);
	assert_int_equal(facts.told, TOLD_RECEIVED);
	assert_false(facts.matched);
	assert_false(facts.tapped);
	assert_text("10.0.2.1:50000 > 10.0.2.2:443 TCP");
	put_probe(AF_INET6, "fd00::2", 443, "fd00::1", 50000);
	assert_true(tells(70, 136));
	assert_text("[fd00::1]:50000 > [fd00::2]:443 TCP");
	/* An IPv6 socket's IPv4. */
	put_probe(AF_INET6, "::ffff:10.0.2.2", 443, "::ffff:10.0.2.1", 50000);
	assert_true(tells(70, 136));
	assert_int_equal(facts.packet.net[0].version, 4);
	assert_text("10.0.2.1:50000 > 10.0.2.2:443 TCP");
}

static void what_makes_no_sense_is_a_note_without_addresses(void **state)
{
	(void)state;
	start("tcp", tcp_probe);
	put_probe(AF_INET, "10.0.2.2", 443, "10.0.2.1", 50000);
	put_u16(8, AF_UNIX);
	assert_false(tells(70, 136));
	put_u16(8, AF_INET6); /* one is IPv4, the other is not */
	assert_false(tells(70, 136));
	put_probe(AF_INET6, "fd00::2", 443, "::ffff:10.0.2.1", 50000);
	assert_false(tells(70, 136));
	put_probe(AF_INET, "10.0.2.2", 0, "10.0.2.1", 50000);
	assert_false(tells(70, 136));
	/* Too short for its fields: damaged. */
	put_probe(AF_INET, "10.0.2.2", 443, "10.0.2.1", 50000);
	assert_false(decode(70, 127));
	assert_int_equal(schema.short_records, 1);
}

static void kernels_that_name_no_skb_or_have_other_fields_tell_nothing(void **state)
{
	(void)state;
	start("tcp", tcp_probe_old);
	assert_int_equal(schema.nr_types, 1);
	assert_false(schema.has_told);
	start("tcp", tcp_probe_short);
	assert_int_equal(schema.nr_types, 2);
	assert_false(schema.has_told);
	start("mine", tcp_probe);
	assert_false(schema.has_told);
	start("icmp", icmp_send_no_length);
	assert_false(schema.has_told);
}

static void icmp_send_tells_udp_only(void **state)
{
	(void)state;
	start("icmp", icmp_send);
	assert_true(schema.has_told);
	put_icmp(30);
	assert_true(tells(71, 40));
	assert_int_equal(facts.told, TOLD_IN_HAND);
	assert_text("10.0.2.1:4000 > 10.0.2.9:53 UDP");
	put_icmp(0);
	assert_false(tells(71, 40));
	put_icmp(7);
	assert_false(tells(71, 40));
}

static void with_probes_they_are_notes_as_before(void **state)
{
	(void)state;
	start("tcp", tcp_probe);
	schema.has_probes = true;
	put_probe(AF_INET, "10.0.2.2", 443, "10.0.2.1", 50000);
	assert_false(tells(70, 136));
	/* Nor without memory for them. */
	schema.has_probes = false;
	assert_true(schema_decode(&schema, 70, record, sizeof(record), &ev, NULL));
	assert_false(ev.has & EVENT_HAS_FACTS);
}

static void nothing_is_shown_that_nobody_told(void **state)
{
	struct json_object *obj = json_object_new_object();

	(void)state;
	start("tcp", tcp_probe);
	put_probe(AF_INET, "10.0.2.2", 443, "10.0.2.1", 50000);
	assert_true(tells(70, 136));
	json_add_packet(obj, &facts.packet, NULL);
	assert_string_equal(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_NOSLASHESCAPE |
									JSON_C_TO_STRING_PLAIN),
			    "{\"tuple\":{\"version\":4,\"src\":\"10.0.2.1\",\"dst\":\"10.0.2.2\","
			    "\"proto\":\"TCP\",\"sport\":50000,\"dport\":443}}");
	json_object_put(obj);
}

/* ---- what a path makes of it */

static struct skb_facts told, other, syn;

/* The addresses and ports of a whole packet as a tracepoint tells them. */
static struct skb_facts tuple_of(const struct skb_facts *whole)
{
	const struct packet_net *from = &whole->packet.net[0];
	struct skb_facts f = { .told = TOLD_RECEIVED, .has_packet = true };
	struct packet_net *net = &f.packet.net[0];

	f.packet.nr_nets = 1;
	net->part = PART_OK;
	net->only_tuple = true;
	net->version = from->version;
	net->proto = from->proto;
	memcpy(net->src, from->src, sizeof(net->src));
	memcpy(net->dst, from->dst, sizeof(net->dst));
	net->sport = from->sport;
	net->dport = from->dport;
	return f;
}

static int setup(void **state)
{
	(void)state;
	syn = facts_of("tcp_syn", 0);
	syn.tapped = true;
	told = other = tuple_of(&syn);
	other.packet.net[0].sport ^= 1;
	scene.options = (struct paths_options){ .headers = true, .carriers = true };
	scene_begin(&scene);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scene_end(&scene);
	schema_free(&schema);
	return 0;
}

static void a_path_has_what_was_told_at_one_hop_and_says_which(void **state)
{
	const struct step steps[] = {
		RECEIVE(0, A, "eth0", 60, SOFTIRQ),
		NOTE(1, A, FACTS(&told)),
		COPY(9, A, 8),
	};
	const struct path *path;

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	path = scene_path(&scene, 0);
	assert_non_null(path);
	assert_int_equal(path->nr_hops, 3);
	assert_int_equal(path_views(path), 1);
	assert_true(path->views->packet.net[0].only_tuple);
	assert_int_equal(path->views->packet.net[0].dport, syn.packet.net[0].dport);
	assert_int_equal(path->told_by, path->hops[1].type);
	assert_true(path->hops[1].told);
	assert_false(path->hops[0].told);
	assert_null(path->hops[0].view);
	assert_null(path->hops[2].view);
	assert_int_equal(path->hops[1].ttl, 0);
	assert_false(path->matched);
	assert_int_equal(path->state, PATH_DELIVERED);
}

static void a_socket_is_not_told_of_what_was_not_received(void **state)
{
	const struct step steps[] = {
		QUEUE(0, A, "eth0", 74),
		NOTE(1, A, FACTS(&told)),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_null(scene_path(&scene, 0)->views);
	assert_int_equal(scene_path(&scene, 0)->told_by, 0);
}

/* It may have come to the socket by way of its backlog, in a task. */
static void a_note_from_a_task_makes_no_forwarded_packet_of_the_next_one(void **state)
{
	const struct step steps[] = {
		RECEIVE(0, A, "eth0", 60, SOFTIRQ),
		NOTE(1, A, FACTS(&told)),
		QUEUE(5, A, "eth1", 74),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(scene_path(&scene, 0)->nr_hops, 2);
	assert_non_null(scene_path(&scene, 5));
	assert_null(scene_path(&scene, 5)->views);
}

static void a_frame_that_agrees_stays(void **state)
{
	const struct step steps[] = {
		HEADERS(0, A, &syn, SOFTIRQ),
		RECEIVE(0, A, "eth0", 60, SOFTIRQ),
		NOTE(1, A, FACTS(&told), SOFTIRQ),
	};
	const struct path *path;

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	path = scene_path(&scene, 0);
	assert_int_equal(path_views(path), 1);
	assert_false(path->views->packet.net[0].only_tuple);
	assert_true(path->tapped);
	assert_int_equal(path->told_by, 0);
	assert_true(path->hops[1].told);
	assert_false(path->contradicted);
}

static void a_frame_that_does_not_agree_is_not_shown(void **state)
{
	const struct step steps[] = {
		HEADERS(0, A, &syn, SOFTIRQ),
		RECEIVE(0, A, "eth0", 60, SOFTIRQ),
		NOTE(1, A, FACTS(&other), SOFTIRQ),
	};
	const struct path *path;

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	path = scene_path(&scene, 0);
	assert_true(path->contradicted);
	assert_null(path->views);
	assert_false(path->tapped);
	assert_false(path->hops[1].told);
	assert_int_equal(path->told_by, 0);
	assert_int_equal(paths_stats(scene.paths)->contradicted, 1);
}

static void what_is_told_twice_must_be_the_same(void **state)
{
	const struct step steps[] = {
		RECEIVE(0, A, "eth0", 60, SOFTIRQ), NOTE(1, A, FACTS(&told), SOFTIRQ),
		NOTE(2, A, FACTS(&told), SOFTIRQ),  RECEIVE(5, B, "eth0", 60, SOFTIRQ),
		NOTE(6, B, FACTS(&told), SOFTIRQ),  NOTE(7, B, FACTS(&syn), SOFTIRQ),
	};

	(void)state;
	PLAY(steps);
	scene_finish(&scene);
	assert_int_equal(path_views(scene_path(&scene, 0)), 1);
	/* Headers say more. */
	assert_int_equal(path_views(scene_path(&scene, 5)), 2);
	assert_int_equal(scene_path(&scene, 5)->told_by, scene_path(&scene, 5)->hops[1].type);
	assert_int_equal(scene_path(&scene, 0)->nr_links, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_received_segment_comes_from_the_peer),
		cmocka_unit_test(what_makes_no_sense_is_a_note_without_addresses),
		cmocka_unit_test(kernels_that_name_no_skb_or_have_other_fields_tell_nothing),
		cmocka_unit_test(icmp_send_tells_udp_only),
		cmocka_unit_test(with_probes_they_are_notes_as_before),
		cmocka_unit_test(nothing_is_shown_that_nobody_told),
		cmocka_unit_test_setup_teardown(a_path_has_what_was_told_at_one_hop_and_says_which,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_socket_is_not_told_of_what_was_not_received,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_note_from_a_task_makes_no_forwarded_packet_of_the_next_one, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_frame_that_agrees_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(a_frame_that_does_not_agree_is_not_shown, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_told_twice_must_be_the_same, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
