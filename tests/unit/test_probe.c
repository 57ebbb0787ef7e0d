// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of skbtrail's own probes, built field by field by the contract in capture/probes.h: what each
 * event means, which fields count and which are stale, and what strangers may have put there.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/pktfilter.h"
#include "decode/probe.h"
#include "decode/probe_names.h"
#include "decode/schema.h"
#include "made_packet.h"

#define SKB 0xffff888100000100ULL
#define OTHER 0xffff888100000200ULL
#define HEAD 0xffff888100010000ULL
#define DEV 0xffff888100020000ULL
#define NETNS 4026532246u

/* A record that is being built, with its format. */
struct record {
	char format[8192];
	u8 data[2048];
	u32 format_len, fixed, len;
	u16 id;
	bool big_endian;
	/* Strings: where their words are, and what they say. */
	u32 loc[8];
	const char *string[8];
	u32 nr_strings;
};

static struct schema schema;
static struct record rec;
static struct skb_facts facts;
static struct event ev;

static void put(u8 *at, u64 value, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		at[rec.big_endian ? size - 1 - i : i] = (u8)(value >> (8 * i));
}

static void describe(const char *declaration, u32 offset, u32 size)
{
	rec.format_len += (u32)snprintf(rec.format + rec.format_len,
					sizeof(rec.format) - rec.format_len,
					"\tfield:%s;\toffset:%u;\tsize:%u;\tsigned:0;\n",
					declaration, offset, size);
	assert_true(rec.format_len < sizeof(rec.format));
}

/* A field: "u32 len". */
static void field(const char *declaration, u32 size, u64 value)
{
	describe(declaration, rec.fixed, size);
	put(rec.data + rec.fixed, value, size);
	rec.fixed += size;
}

/* A string in the dynamic part: "__data_loc char[] name". */
static void string(const char *name, const char *value)
{
	char declaration[64];

	snprintf(declaration, sizeof(declaration), "__data_loc char[] %s", name);
	describe(declaration, rec.fixed, 4);
	rec.loc[rec.nr_strings] = rec.fixed;
	rec.string[rec.nr_strings++] = value;
	rec.fixed += 4;
}

static void begin(const char *event)
{
	bool big_endian = rec.big_endian;
	u16 id = (u16)(rec.id + 1);

	memset(&rec, 0, sizeof(rec));
	rec.id = id;
	rec.big_endian = big_endian;
	rec.format_len = (u32)sprintf(rec.format, "name: %s\nID: %u\nformat:\n", event, id);
	field("unsigned short common_type", 2, id);
	field("unsigned char common_flags", 1, EVENT_IN_SOFTIRQ);
	field("unsigned char common_preempt_count", 1, 0);
	field("int common_pid", 4, 3302);
	field("unsigned long __probe_ip", 8, 0xffffffff81000000ULL);
}

/* Decode the record, in memory of exactly @len bytes. */
static bool decode(u32 len)
{
	u8 *exact = malloc(len ? len : 1);
	bool told;

	memcpy(exact, rec.data, len);
	/* What is not set must not be seen. */
	memset(&ev, 0xaa, sizeof(ev));
	memset(&facts, 0xaa, sizeof(facts));
	told = schema_decode(&schema, rec.id, exact, len, &ev, &facts);
	free(exact);
	return told;
}

/* Take the format in, and decode the record. */
static bool finish(const char *system)
{
	u32 i, size;

	rec.len = rec.fixed;
	for (i = 0; i < rec.nr_strings; i++) {
		size = (u32)strlen(rec.string[i]) + 1;
		put(rec.data + rec.loc[i], (u64)size << 16 | rec.len, 4);
		memcpy(rec.data + rec.len, rec.string[i], size);
		rec.len += size;
	}
	rec.format_len += (u32)snprintf(rec.format + rec.format_len,
					sizeof(rec.format) - rec.format_len, "\nprint fmt: \"\"\n");
	assert_int_equal(schema_add_format(&schema, system, rec.format, rec.format_len, NULL), 0);
	return decode(rec.len);
}

/* A packet of packets.h around skb->data, as a window of @before bytes before it. */
static void window(const char *declaration, const char *packet, u32 before, u32 at, u32 size)
{
	const struct made_packet *m = made_packet(packet);
	u32 len = made_len(m), i;
	u8 *bytes = made_bytes(m->hex, len);

	describe(declaration, rec.fixed, size);
	/* Headroom that was used for something else before. */
	memset(rec.data + rec.fixed, 0x45, size);
	for (i = 0; i < len && i + before - at < size; i++)
		rec.data[rec.fixed + before - at + i] = bytes[i];
	free(bytes);
	rec.fixed += size;
}

/* What every event with headers has: an skb whose data is behind @pulled bytes of the frame. */
static void headers(const char *packet, u32 pulled)
{
	field("u64 skbaddr", 8, SKB);
	field("u64 h", 8, HEAD);
	field("u64 d", 8, HEAD + 64 + pulled);
	field("u16 nh", 2, 64 + 14);
	field("u16 mh", 2, 64);
	field("u16 th", 2, 0xffff);
	field("u32 len", 4, made_len(made_packet(packet)) - pulled);
	/* Big-endian, as in memory. */
	rec.data[rec.fixed] = 0x08;
	rec.data[rec.fixed + 1] = 0x00;
	describe("u16 p", rec.fixed, 2);
	rec.fixed += 2;
	field("u32 m", 4, 0x10);
	window("u64 w64[22]", packet, 64, pulled, 176);
}

static void start(bool big_endian)
{
	memset(&rec, 0, sizeof(rec));
	rec.big_endian = big_endian;
	assert_int_equal(schema_init(&schema, big_endian, 8, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	start(false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	schema_free(&schema);
	return 0;
}

static const char *name(u16 number)
{
	return devnames_text(&schema.devs, number);
}

/* ---- meanings */

static void only_skbtrails_groups_are_its_own(void **state)
{
	(void)state;
	assert_true(probe_group_is_ours("skbtrail_12"));
	assert_true(probe_group_is_ours("skbtrail_4194304"));
	assert_false(probe_group_is_ours("skbtrail_"));
	assert_false(probe_group_is_ours("skbtrail_x"));
	assert_false(probe_group_is_ours("skbtrail_12x"));
	assert_false(probe_group_is_ours("skbtrailing"));
	assert_false(probe_group_is_ours("skbtrailing_12"));
	assert_false(probe_group_is_ours("skb"));
	assert_false(probe_group_is_ours(""));
	/* Another program's event of the same name is none of ours. */
	begin("ip_rcv");
	headers("ping", 14);
	assert_true(finish("kprobes"));
	assert_int_equal(ev.kind, EVENT_NOTE);
	assert_false(schema.has_probes);
	begin("ip_rcv");
	headers("ping", 14);
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.kind, EVENT_LAYER);
	assert_string_equal(schema.types[ev.type].title, "skbtrail:ip_rcv");
	assert_true(schema.has_probes && schema.has_headers);
}

static void an_event_means_what_its_name_says(void **state)
{
	static const struct {
		const char *name;
		u8 kind, layer;
	} rows[] = {
		{ "net_dev_queue", EVENT_QUEUE, 0 },
		{ "net_dev_start_xmit", EVENT_START_XMIT, 0 },
		{ "netif_rx", EVENT_RX, 0 },
		{ "netif_receive_skb", EVENT_RECEIVE, 0 },
		{ "napi_gro_receive_entry", EVENT_GRO, 0 },
		{ "__dev_queue_xmit", EVENT_HEADERS, LAYER_OTHER },
		{ "ip_rcv", EVENT_LAYER, LAYER_IP_IN },
		{ "ip_local_deliver", EVENT_LAYER, LAYER_LOCAL_IN },
		{ "tcp_v4_rcv", EVENT_LAYER, LAYER_L4_IN },
		{ "ip_defrag", EVENT_LAYER, LAYER_DEFRAG },
		{ "vxlan_xmit", EVENT_LAYER, LAYER_TUNNEL_OUT },
		{ "nf_hook_slow", EVENT_HOOK, LAYER_HOOK },
		{ "nft_do_chain", EVENT_TABLE, LAYER_TABLE },
		{ "skb_clone", EVENT_CALL, LAYER_CLONE },
		{ "skb_segment", EVENT_CALL, LAYER_SEGMENT },
		{ "__icmp_send", EVENT_CALL, LAYER_ERROR },
		{ "arp_process", EVENT_CALL, LAYER_ANSWER },
		{ "skb_release_head_state", EVENT_DEATH, 0 },
		{ "skb_gro_receive", EVENT_MERGE, 0 },
		{ "skb_morph", EVENT_MORPH, 0 },
		/* What the user named. */
		{ "my_own_function", EVENT_LAYER, LAYER_OTHER },
		/* The beginning of a name, and a name and something. */
		{ "skb_clon", EVENT_LAYER, LAYER_OTHER },
		{ "skb_clone_sk", EVENT_LAYER, LAYER_OTHER },
		{ "_ret", EVENT_LAYER, LAYER_OTHER },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		begin(rows[i].name);
		field("u64 skbaddr", 8, SKB);
		if (!finish("skbtrail_12"))
			fail_msg("%s tells nothing", rows[i].name);
		if (ev.kind != rows[i].kind || ev.layer != rows[i].layer)
			fail_msg("%s: kind %u, layer %u", rows[i].name, ev.kind, ev.layer);
		assert_true(ev.skb == SKB);
		assert_int_equal(ev.pid, 3302);
		assert_int_equal(ev.context, EVENT_CONTEXT_KNOWN | EVENT_IN_SOFTIRQ);
		assert_int_equal(ev.has & EVENT_HAS_LEN, 0);
		assert_int_equal(ev.dev, 0);
	}
}

static void a_birth_is_told_at_the_return(void **state)
{
	(void)state;
	begin("__alloc_skb_ret");
	field("u64 new", 8, SKB);
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.kind, EVENT_BIRTH);
	assert_true(ev.skb == SKB);
	assert_true(schema.has_births);
	assert_int_equal(ev.has & EVENT_HAS_FACTS, 0);
	/* No memory, no birth. */
	begin("build_skb_ret");
	field("u64 new", 8, 0);
	assert_false(finish("skbtrail_12"));
	/* Its entry is no birth. */
	begin("__alloc_skb");
	field("u64 skbaddr", 8, SKB);
	if (finish("skbtrail_12"))
		assert_int_not_equal(ev.kind, EVENT_BIRTH);
	begin("build_skb_ret");
	field("u64 other", 8, SKB);
	assert_false(finish("skbtrail_12"));
}

static void a_return_belongs_to_its_calls_layer(void **state)
{
	(void)state;
	begin("skb_clone_ret");
	field("u64 new", 8, OTHER);
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.kind, EVENT_RETURN);
	assert_int_equal(ev.layer, LAYER_CLONE);
	assert_true(ev.skb == 0 && ev.other == OTHER);
	assert_int_equal(ev.has & EVENT_HAS_RET, 0);
	begin("nf_hook_slow_ret");
	field("s32 ret", 4, (u32)-1);
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.kind, EVENT_RETURN);
	assert_int_equal(ev.layer, LAYER_HOOK);
	assert_int_equal(ev.ret, -1);
	assert_int_equal(ev.has & EVENT_HAS_RET, EVENT_HAS_RET);
	assert_true(ev.other == 0);
	/* Of a function that returns nothing. */
	begin("arp_process_ret");
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.kind, EVENT_RETURN);
	assert_int_equal(ev.layer, LAYER_ANSWER);
	assert_int_equal(ev.has & EVENT_HAS_RET, 0);
	begin("my_function_ret");
	field("s32 ret", 4, 0);
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.kind, EVENT_RETURN);
	assert_int_equal(ev.layer, LAYER_OTHER);
}

static void a_return_with_the_entrys_arguments_is_the_whole_call(void **state)
{
	(void)state;
	begin("skb_clone_ret");
	field("u64 skbaddr", 8, SKB);
	field("u64 new", 8, OTHER);
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.kind, EVENT_CLONE);
	assert_true(ev.skb == SKB && ev.other == OTHER);
	begin("ipt_do_table_ret");
	field("u64 skbaddr", 8, SKB);
	field("u64 tb", 8, 0xffff888100030000ULL);
	string("table", "filter");
	field("s32 ret", 4, 0);
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.kind, EVENT_TABLE);
	assert_int_equal(ev.ret, 0);
	assert_int_equal(ev.has & EVENT_HAS_RET, EVENT_HAS_RET);
	assert_int_equal(ev.has & EVENT_HAS_FACTS, EVENT_HAS_FACTS);
	assert_string_equal(name(facts.table), "filter");
	/* Of others the entry tells all there is. */
	begin("skb_segment_ret");
	field("u64 skbaddr", 8, SKB);
	field("u64 new", 8, OTHER);
	assert_false(finish("skbtrail_12"));
}

static void a_merge_and_a_morph_name_the_other_skb(void **state)
{
	static const char *const names[] = { "skb_gro_receive", "skb_morph" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		begin(names[i]);
		field("u64 skbaddr", 8, SKB);
		field("u64 into", 8, OTHER);
		assert_true(finish("skbtrail_12"));
		assert_true(ev.skb == SKB && ev.other == OTHER);
	}
}

static void an_event_without_an_skb_tells_nothing(void **state)
{
	(void)state;
	begin("ip_rcv");
	field("u32 len", 4, 84);
	assert_false(finish("skbtrail_12"));
	begin("ip_rcv");
	field("u64 skbaddr", 8, 0);
	assert_false(finish("skbtrail_12"));
}

/* ---- headers */

static void check_ping(void)
{
	assert_int_equal(ev.has & EVENT_HAS_FACTS, EVENT_HAS_FACTS);
	assert_ptr_equal(ev.facts, &facts);
	assert_true(facts.has_packet);
	assert_true(facts.head == HEAD);
	assert_int_equal(facts.packet.nr_nets, 1);
	assert_int_equal(facts.packet.net[0].part, PART_OK);
	assert_int_equal(facts.packet.net[0].version, 4);
	assert_memory_equal(facts.packet.net[0].src, "\x0a\x00\x02\x01", 4);
	assert_memory_equal(facts.packet.net[0].dst, "\x0a\x00\x02\x02", 4);
	assert_int_equal(facts.packet.net[0].id, 15845);
	assert_int_equal(facts.packet.net[0].icmp_id, 205);
	assert_int_equal(facts.packet.net[0].icmp_seq, 1);
	assert_true(facts.has_mark);
	assert_int_equal(facts.mark, 0x10);
	assert_int_equal(ev.proto, 0x800);
	assert_int_equal(ev.has & (EVENT_HAS_LEN | EVENT_HAS_PROTO),
			 EVENT_HAS_LEN | EVENT_HAS_PROTO);
}

static void what_the_packet_is_is_read_at_every_place(void **state)
{
	(void)state;
	begin("net_dev_queue");
	headers("ping", 0);
	assert_true(finish("skbtrail_12"));
	check_ping();
	assert_int_equal(facts.packet.link, PART_OK);
	assert_int_equal(ev.len_bytes, 98);
	assert_true(schema.has_device_headers);
	begin("ip_rcv");
	headers("ping", 14);
	assert_true(finish("skbtrail_12"));
	check_ping();
	assert_int_equal(ev.len_bytes, 84);
	begin("icmp_rcv");
	headers("ping", 34);
	assert_true(finish("skbtrail_12"));
	check_ping();
}

/* vb: u32 on newer kernels, one bit on older ones. */
static void tag_fields(u16 tag, u32 present_size, u32 present)
{
	field("u16 vt", 2, tag);
	describe("u16 vp", rec.fixed, 2);
	rec.data[rec.fixed] = 0x81;
	rec.data[rec.fixed + 1] = 0x00;
	rec.fixed += 2;
	field(present_size == 1 ? "u8 vb" : "u32 vb", present_size, present);
}

static void a_tag_counts_when_the_skb_says_that_it_has_one(void **state)
{
	static const u32 sizes[] = { 1, 4, 1, 4 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		schema_free(&schema);
		start(i >= 2);
		begin("net_dev_start_xmit");
		headers("ping", 0);
		tag_fields(0x600a, sizes[i], sizes[i] == 1 ? 1 : 0x600a0081);
		assert_true(finish("skbtrail_12"));
		check_ping();
		assert_true(facts.packet.vlans_known);
		assert_int_equal(facts.packet.nr_vlans, 1);
		assert_int_equal(facts.packet.vlan[0], 0x600a);
		begin("net_dev_queue");
		headers("ping", 0);
		tag_fields(0x600a, sizes[i], 0);
		assert_true(finish("skbtrail_12"));
		check_ping();
		assert_true(facts.packet.vlans_known);
		assert_int_equal(facts.packet.nr_vlans, 0);
	}
	/* Without the word that there is one. */
	begin("netif_rx");
	headers("ping", 14);
	field("u16 vt", 2, 10);
	assert_true(finish("skbtrail_12"));
	assert_int_equal(facts.packet.nr_vlans, 0);
}

static void a_filter_for_vlans_sees_a_tag_beside_the_bytes(void **state)
{
	struct pktfilter *filter;

	(void)state;
	assert_int_equal(pktfilter_compile(&filter, "vlan 10 and icmp", NULL), 0);
	schema.filter = filter;
	begin("net_dev_start_xmit");
	headers("ping", 0);
	tag_fields(0x600a, 1, 1);
	assert_true(finish("skbtrail_12"));
	assert_true(facts.matched);
	begin("net_dev_queue");
	headers("ping", 0);
	tag_fields(0x600a, 1, 0);
	assert_true(finish("skbtrail_12"));
	assert_false(facts.matched);
	schema.filter = NULL;
	pktfilter_free(filter);
}

static void another_machines_byte_order_is_read_too(void **state)
{
	(void)state;
	schema_free(&schema);
	start(true);
	begin("ip_rcv");
	headers("ping", 14);
	field("u64 dv", 8, DEV);
	string("name", "eth0");
	field("u32 ns", 4, NETNS);
	assert_true(finish("skbtrail_12"));
	check_ping();
	assert_true(ev.skb == SKB);
	assert_int_equal(ev.len_bytes, 84);
	assert_int_equal(ev.pid, 3302);
	assert_string_equal(name(ev.dev), "eth0");
	assert_int_equal(facts.netns_inum, NETNS);
}

static void the_window_may_be_declared_without_a_size(void **state)
{
	(void)state;
	begin("ip_rcv");
	field("u64 skbaddr", 8, SKB);
	field("u64 h", 8, HEAD);
	field("u64 d", 8, HEAD + 78);
	field("u16 nh", 2, 78);
	field("u32 m", 4, 0x10);
	rec.data[rec.fixed] = 0x08;
	describe("u16 p", rec.fixed, 2);
	rec.fixed += 2;
	field("u32 len", 4, 84);
	window("u64 w64[]", "ping", 64, 14, 176);
	assert_true(finish("skbtrail_12"));
	check_ping();
}

static void the_number_of_bytes_before_the_data_is_in_the_windows_name(void **state)
{
	(void)state;
	begin("ip_rcv");
	field("u64 skbaddr", 8, SKB);
	field("u64 h", 8, HEAD);
	field("u64 d", 8, HEAD + 78);
	field("u64 len", 8, 84);
	window("u64 w16[10]", "ping", 16, 14, 80);
	assert_true(finish("skbtrail_12"));
	assert_true(facts.has_packet);
	assert_int_equal(facts.packet.net[0].icmp_id, 205);
	assert_false(facts.has_mark);
}

static void without_head_the_place_of_the_probe_says_where_headers_are(void **state)
{
	/* Of struct sk_buff only data's place is known. */
	(void)state;
	begin("ip_rcv");
	field("u64 skbaddr", 8, SKB);
	field("u64 d", 8, HEAD + 78);
	window("u64 w64[22]", "ping", 64, 14, 176);
	assert_true(finish("skbtrail_12"));
	assert_true(schema.has_headers);
	assert_int_equal(ev.has & EVENT_HAS_FACTS, EVENT_HAS_FACTS);
	assert_true(facts.has_packet);
	assert_int_equal(facts.packet.net[0].icmp_id, 205);
}

static void headers_that_were_not_read_are_not_there(void **state)
{
	(void)state;
	begin("ip_rcv");
	field("u64 skbaddr", 8, SKB);
	field("u64 h", 8, HEAD);
	window("u64 w64[22]", "ping", 64, 14, 176);
	assert_true(finish("skbtrail_12"));
	assert_false(facts.has_packet);
	begin("ip_rcv");
	field("u64 skbaddr", 8, SKB);
	field("u64 h", 8, HEAD);
	field("u64 d", 8, 0);
	window("u64 w64[22]", "ping", 64, 14, 176);
	assert_true(finish("skbtrail_12"));
	assert_false(facts.has_packet);
	assert_false(facts.matched);
}

/* ---- devices, netns, netfilter */

static void a_field_behind_a_null_pointer_is_stale(void **state)
{
	(void)state;
	begin("nf_hook_slow");
	headers("ping", 14);
	field("u64 dv", 8, 0);
	string("name", "stale0");
	field("u32 ns", 4, NETNS);
	field("u64 sk", 8, 0);
	field("u32 sns", 4, NETNS);
	field("u64 rd", 8, 0);
	field("u64 dd0", 8, DEV);
	field("u32 dn0", 4, NETNS);
	field("u64 nn", 8, 0);
	field("u32 nns", 4, NETNS);
	field("u64 ind", 8, 0);
	string("in", "stale1");
	field("u64 outd", 8, DEV);
	string("out", "eth1");
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.dev, 0);
	assert_int_equal(facts.netns_inum, 0);
	assert_int_equal(facts.netns_from, NETNS_FROM_NONE);
	assert_true(facts.sock == 0);
	assert_int_equal(facts.in, 0);
	assert_string_equal(name(facts.out), "eth1");
	begin("nft_do_chain");
	field("u64 skbaddr", 8, SKB);
	field("u64 tb", 8, 0);
	string("table", "stale2");
	field("u64 cb", 8, 0);
	string("chain", "stale3");
	assert_true(finish("skbtrail_12"));
	assert_int_equal(facts.table, 0);
	assert_int_equal(facts.chain, 0);
}

static void what_netfilter_was_told_is_read(void **state)
{
	(void)state;
	begin("nf_hook_slow");
	headers("ping", 14);
	field("u32 hook", 4, 2);
	field("u8 pf", 1, 2);
	field("u64 nn", 8, OTHER);
	field("u32 nns", 4, NETNS);
	field("u64 hf", 8, 0xffffffffc0001000ULL);
	field("u64 ind", 8, DEV);
	string("in", "eth0");
	field("u64 outd", 8, DEV);
	string("out", "veth1");
	assert_true(finish("skbtrail_12"));
	assert_int_equal(facts.hook, 2);
	assert_int_equal(facts.pf, 2);
	assert_true(facts.hook_function == 0xffffffffc0001000ULL);
	assert_string_equal(name(facts.in), "eth0");
	assert_string_equal(name(facts.out), "veth1");
	assert_int_equal(facts.netns_inum, NETNS);
	assert_int_equal(facts.netns_from, NETNS_FROM_HOOK);
	begin("nft_do_chain");
	field("u64 skbaddr", 8, SKB);
	field("u64 tb", 8, DEV);
	string("table", "inet-filter");
	field("u64 cb", 8, DEV);
	string("chain", "input");
	assert_true(finish("skbtrail_12"));
	assert_string_equal(name(facts.table), "inet-filter");
	assert_string_equal(name(facts.chain), "input");
}

static void netfilters_state_is_told_where_the_skb_is_not_known(void **state)
{
	/* Of struct sk_buff nothing is known, of struct nf_hook_state all. */
	(void)state;
	begin("nf_hook_slow");
	field("u64 skbaddr", 8, SKB);
	field("u8 hook", 1, 3);
	field("u8 pf", 1, 10);
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.has & EVENT_HAS_FACTS, EVENT_HAS_FACTS);
	assert_int_equal(facts.hook, 3);
	assert_int_equal(facts.pf, 10);
	assert_false(facts.has_packet);
}

static void names_that_the_kernel_could_not_read_are_none(void **state)
{
	(void)state;
	begin("ip_rcv");
	headers("ping", 14);
	field("u64 dv", 8, DEV);
	string("name", "(fault)");
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.dev, 0);
	/* A record that ends before the string, within it, and a word out of all bounds. */
	begin("ip_rcv");
	headers("ping", 14);
	field("u64 dv", 8, DEV);
	string("name", "eth0");
	assert_true(finish("skbtrail_12"));
	assert_string_equal(name(ev.dev), "eth0");
	assert_true(decode(rec.len - 3));
	assert_string_equal(name(ev.dev), "et");
	assert_true(decode(rec.fixed));
	assert_int_equal(ev.dev, 0);
	put(rec.data + rec.loc[0], 0xffffffff, 4);
	assert_true(decode(rec.len));
	assert_int_equal(ev.dev, 0);
}

/* The netns of a record that has all of these. */
static u32 netns_of(u64 net, u64 dev, u64 sk, u64 dst, u64 dst_dev0, u64 dst_dev1)
{
	begin("nf_hook_slow");
	headers("ping", 14);
	field("u64 nn", 8, net);
	field("u32 nns", 4, 1);
	field("u64 dv", 8, dev);
	field("u32 ns", 4, 2);
	field("u64 sk", 8, sk);
	field("u32 sns", 4, 3);
	field("u64 rd", 8, dst);
	field("u64 dd0", 8, dst_dev0);
	field("u64 dd1", 8, dst_dev1);
	field("u32 dn0", 4, 4);
	field("u32 dn1", 4, 5);
	assert_true(finish("skbtrail_12"));
	return facts.netns_inum;
}

static void the_netns_nearest_to_the_packet_counts(void **state)
{
	(void)state;
	assert_int_equal(netns_of(DEV, DEV, DEV, DEV, DEV, DEV), 1);
	assert_int_equal(facts.netns_from, NETNS_FROM_HOOK);
	assert_int_equal(netns_of(0, DEV, DEV, DEV, DEV, DEV), 2);
	assert_int_equal(facts.netns_from, NETNS_FROM_DEV);
	assert_int_equal(netns_of(0, 0, DEV, DEV, DEV, DEV), 3);
	assert_int_equal(facts.netns_from, NETNS_FROM_SOCK);
	assert_true(facts.sock == DEV);
	assert_int_equal(netns_of(0, 0, 0, DEV, DEV, DEV), 4);
	assert_int_equal(facts.netns_from, NETNS_FROM_DST);
	/* The lowest bit: a route that is not referenced. */
	assert_int_equal(netns_of(0, 0, 0, DEV | 1, DEV, DEV), 5);
	assert_int_equal(netns_of(0, 0, 0, DEV | 1, DEV, 0), 0);
	assert_int_equal(facts.netns_from, NETNS_FROM_NONE);
	assert_int_equal(netns_of(0, 0, 0, DEV, 0, DEV), 0);
	assert_int_equal(netns_of(0, 0, 0, 1, DEV, DEV), 0);
	assert_int_equal(netns_of(0, 0, 0, 0, DEV, DEV), 0);
	assert_int_equal(facts.netns_from, NETNS_FROM_NONE);
}

/* ---- hostile formats and records */

static void a_record_cut_anywhere_is_short_or_whole(void **state)
{
	u32 len, min;

	(void)state;
	begin("nf_hook_slow");
	headers("ping", 14);
	field("u64 dv", 8, DEV);
	string("name", "eth0");
	string("in", "eth1");
	assert_true(finish("skbtrail_12"));
	min = rec.fixed;
	assert_int_equal(schema.types[ev.type].min_len, min);
	for (len = 0; len <= rec.len; len++)
		assert_int_equal(decode(len), len >= min);
	assert_int_equal(schema.short_records, min);
}

static void formats_of_strangers_are_survived(void **state)
{
	static const char *const windows[] = { "u64 w9999[22]", "u64 w999[22]",
					       "u64 w176[22]",	"u64 w[22]",
					       "u64 wxy[22]",	"u64 w6x[22]",
					       "u64 w64",	"__data_loc u64[] w64" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		begin("ip_rcv");
		field("u64 skbaddr", 8, SKB);
		field("u64 h", 8, HEAD);
		field("u64 d", 8, HEAD + 78);
		window(windows[i], "ping", 64, 14, 176);
		assert_true(finish("skbtrail_12"));
		if (facts.has_packet)
			fail_msg("%s is a window", windows[i]);
	}
	/* Places beyond a record, sizes that no integer has, arrays where there should be none. */
	begin("ip_rcv");
	field("u64 skbaddr", 8, SKB);
	describe("u64 h", 4000000000u, 8);
	describe("u64 d", 40000, 8);
	describe("u32 len", 65535, 4);
	describe("u64 w64[22]", 65000, 176);
	describe("u64 dv", 24, 3);
	describe("u32 ns", 24, 0);
	describe("u64 sk[1]", 24, 8);
	describe("char name", 24, 1);
	assert_true(finish("skbtrail_12"));
	assert_int_equal(ev.has & (EVENT_HAS_FACTS | EVENT_HAS_LEN), 0);
	assert_int_equal(ev.dev, 0);
	/* The last place that is taken. */
	begin("ip_rcv");
	field("u64 skbaddr", 8, SKB);
	describe("u64 h", SCHEMA_MAX_OFFSET, 8);
	assert_false(finish("skbtrail_12"));
	assert_int_equal(schema.short_records, 1);
	/* A window as large as the largest, at the last place. */
	begin("ip_rcv");
	field("u64 skbaddr", 8, SKB);
	field("u64 d", 8, HEAD);
	describe("u64 w64[512]", SCHEMA_MAX_OFFSET, 4096);
	assert_false(finish("skbtrail_12"));
	assert_int_equal(schema.short_records, 2);
	begin("ip_rcv");
	field("u64 skbaddr", 8, SKB);
	field("u64 d", 8, HEAD);
	describe("u64 w64[8192]", 0, 65536);
	assert_true(finish("skbtrail_12"));
	/* Where every field is the same one. */
	begin("nf_hook_slow");
	describe("u64 skbaddr", 8, 8);
	describe("u64 h", 8, 8);
	describe("u64 d", 8, 8);
	describe("u16 nh", 8, 2);
	describe("u64 w64[9]", 0, 72);
	describe("u64 dv", 8, 8);
	describe("__data_loc char[] name", 8, 4);
	memset(rec.data + 8, 0xff, 64);
	rec.fixed = 72;
	assert_true(finish("skbtrail_12"));
}

static u32 seed;

static u32 random_below(u32 limit)
{
	seed = seed * 1664525u + 1013904223u;
	return (u32)((u64)(seed >> 8) * limit >> 24);
}

static void any_bytes_in_a_record_are_survived(void **state)
{
	u32 round, i;

	(void)state;
	seed = 20260712;
	print_message("seed %u\n", seed);
	begin("nf_hook_slow");
	headers("vxlan", 14);
	field("u64 dv", 8, DEV);
	string("name", "eth0");
	field("u64 ind", 8, DEV);
	string("in", "eth1");
	string("out", "eth2");
	assert_true(finish("skbtrail_12"));
	for (round = 0; round < 20000; round++) {
		for (i = 0; i < 6; i++)
			rec.data[random_below(rec.len)] = (u8)random_below(256);
		if (decode(rec.len))
			assert_true(facts.packet.nr_nets <= PACKET_NETS || !facts.has_packet);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_skbtrails_groups_are_its_own),
		TEST(an_event_means_what_its_name_says),
		TEST(a_birth_is_told_at_the_return),
		TEST(a_return_belongs_to_its_calls_layer),
		TEST(a_return_with_the_entrys_arguments_is_the_whole_call),
		TEST(a_merge_and_a_morph_name_the_other_skb),
		TEST(an_event_without_an_skb_tells_nothing),
		TEST(what_the_packet_is_is_read_at_every_place),
		TEST(a_tag_counts_when_the_skb_says_that_it_has_one),
		TEST(a_filter_for_vlans_sees_a_tag_beside_the_bytes),
		TEST(another_machines_byte_order_is_read_too),
		TEST(the_window_may_be_declared_without_a_size),
		TEST(the_number_of_bytes_before_the_data_is_in_the_windows_name),
		TEST(without_head_the_place_of_the_probe_says_where_headers_are),
		TEST(headers_that_were_not_read_are_not_there),
		TEST(a_field_behind_a_null_pointer_is_stale),
		TEST(what_netfilter_was_told_is_read),
		TEST(netfilters_state_is_told_where_the_skb_is_not_known),
		TEST(names_that_the_kernel_could_not_read_are_none),
		TEST(the_netns_nearest_to_the_packet_counts),
		TEST(a_record_cut_anywhere_is_short_or_whole),
		TEST(formats_of_strangers_are_survived),
		TEST(any_bytes_in_a_record_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
