// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paths as text and as JSON: the words, the columns, and names that would like to be more than that.
 */
#include "unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "made_packet.h"
#include "path_script.h"
#include "render/render.h"
#include "render/text_width.h"

#define FORMAT(name, id, fields)                \
	"name: " name "\nID: " id "\nformat:\n" \
	"\tfield:void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;\n" fields "\nprint fmt: "

static const struct {
	const char *system, *text;
} formats[] = {
	{ "net", FORMAT("net_dev_queue", "1", "") },
	{ "net", FORMAT("net_dev_start_xmit", "2", "") },
	{ "net", FORMAT("net_dev_xmit", "3", "") },
	{ "net", FORMAT("netif_rx_entry", "4", "") },
	{ "net", FORMAT("netif_rx", "5", "") },
	{ "net", FORMAT("netif_receive_skb", "6", "") },
	{ "skb", FORMAT("skb_copy_datagram_iovec", "7", "") },
	{ "skb", FORMAT("consume_skb", "8", "") },
	{ "skb",
	  FORMAT("kfree_skb", "9",
		 "\tfield:int reason;\toffset:16;\tsize:4;\tsigned:0;\n") "\"%s\", __print_symbolic(REC->reason, { 7, \"NETFILTER_DROP\" },"
									  " { 8, \"E\033[2JSC\" })" },
	{ "qdisc", FORMAT("qdisc_enqueue", "10", "") },
	{ "skbtrail_12", FORMAT("ip_rcv", "11", "") },
	{ "skbtrail_12", FORMAT("nf_hook_slow", "12", "") },
	{ "skbtrail_12", FORMAT("ipt_do_table", "13", "") },
	{ "skbtrail_12", FORMAT("ip_forward", "14", "") },
	{ "skbtrail_12", FORMAT("ip_output", "15", "") },
	{ "skbtrail_12", FORMAT("ip_finish_output2", "16", "") },
};

/* A netns called "web", and one that calls itself something worse. */
static struct netns netns[] = {
	{ .inum = 4026531833, .cookie = 3, .name = (char *)"host", .read = true },
	{ .inum = 4026532246, .cookie = 7, .name = (char *)"web", .read = true },
	{ .inum = 4026532247, .name = (char *)"\033[31m\xc3\xa4\\\n", .read = true },
	{ .inum = 4026532248,
	  .name = (char *)"a-container-with-a-name-that-is-longer-than-any-column",
	  .read = true },
};
static struct netns_snapshot snap = { .ns = netns, .nr_ns = ARRAY_SIZE(netns) };

static struct schema schema;
static struct symbols symbols;
static struct comms comms;
static struct topology topology;
static struct render_names names;
static struct strbuf out;
static struct path path;
static struct hop hops[64];

static int setup(void **state)
{
	static const char kallsyms[] = "ffffffff81000000 T icmp_rcv\nffffffff81001000 T x\033[2J\n";
	size_t i;

	(void)state;
	assert_int_equal(schema_init(&schema, false, 8, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(formats); i++)
		schema_add_format(&schema, formats[i].system, formats[i].text,
				  strlen(formats[i].text), NULL);
	strbuf_puts(&symbols.text, kallsyms);
	comms_add(&comms, 134, "ping", 4);
	comms_add(&comms, 135, "a\033]0;b\a", 7);
	topology.snap = &snap;
	names = (struct render_names){ &schema, &symbols, &comms, &topology, NULL };
	memset(&path, 0, sizeof(path));
	path = (struct path){ .number = 1,
			      .skb = 0xffff888100000100,
			      .hops = hops,
			      .proto = 0x800,
			      .first_ns = 462928225000,
			      .last_ns = 462928225000,
			      .end_hop = -1 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	schema_free(&schema);
	symbols_free(&symbols);
	comms_free(&comms);
	strbuf_free(&out);
	return 0;
}

/* Append a hop so many ns after the one before. */
static struct hop *hop(u8 kind, u64 after_ns, const char *dev, u16 ns, u32 len)
{
	static const u16 type_of[] = {
		[EVENT_QUEUE] = 1, [EVENT_START_XMIT] = 2, [EVENT_XMIT] = 3, [EVENT_RX_ENTRY] = 4,
		[EVENT_RX] = 5,	   [EVENT_RECEIVE] = 6,	   [EVENT_COPY] = 7, [EVENT_CONSUME] = 8,
		[EVENT_DROP] = 9,  [EVENT_NOTE] = 10,
	};
	struct hop *h = &hops[path.nr_hops++];

	path.last_ns += after_ns;
	*h = (struct hop){ .ts_ns = path.last_ns,
			   .kind = kind,
			   .type = type_of[kind],
			   .netns = ns,
			   .len_bytes = len,
			   .pid = 134,
			   .context = EVENT_CONTEXT_KNOWN,
			   .has = len ? EVENT_HAS_LEN : 0 };
	if (dev)
		h->dev = devnames_intern(&schema.devs, dev, strlen(dev));
	return h;
}

static struct hop *end(u8 kind, u64 after_ns, u8 state, u64 location)
{
	struct hop *h = hop(kind, after_ns, NULL, 0, 0);

	h->location = location;
	h->has = location ? EVENT_HAS_LOCATION : 0;
	path.end_hop = (s32)path.nr_hops - 1;
	path.state = state;
	path.complete = PATH_COMPLETE;
	return h;
}

static void docker_ping(void)
{
	hop(EVENT_QUEUE, 0, "br0", 1, 98);
	hop(EVENT_START_XMIT, 1420, "br0", 1, 98);
	hop(EVENT_QUEUE, 6600, "veth1", 1, 98);
	hop(EVENT_START_XMIT, 980, "veth1", 1, 98);
	hop(EVENT_RX_ENTRY, 1000, "eth0", 2, 84);
	hop(EVENT_RX, 1060, "eth0", 2, 84);
	hop(EVENT_XMIT, 100, "veth1", 1, 98);
	hop(EVENT_XMIT, 100, "br0", 1, 98);
	hop(EVENT_RECEIVE, 6910, "eth0", 2, 84)->cpu = 11;
	end(EVENT_CONSUME, 18000, PATH_DELIVERED, 0xffffffff81000259);
}

static const char *text(struct text_style style)
{
	out.len = 0;
	render_text(&out, &path, &names, &style);
	return strbuf_cstr(&out);
}

static const struct text_style utf8 = { .utf8 = true }, ascii = { 0 };

static void a_docker_ping_reads_like_in_the_manual(void **state)
{
	(void)state;
	docker_ping();
	assert_string_equal(text(utf8),
			    "#1  IPv4  98 bytes  from ping[134]  462.928225 s\n"
			    "      0 ns   host  br0    →  net_dev_queue, xmit after 1.42 µs\n"
			    "   8.02 µs   host  veth1  →  net_dev_queue, xmit after 980 ns\n"
			    "   3.04 µs ⇒ web   eth0   ←  netif_rx\n"
			    "   7.11 µs   web   eth0   ←  netif_receive_skb\n"
			    "   18.0 µs   delivered: used up by the kernel in icmp_rcv+0x259\n"
			    "             total 36.1 µs, 4 hops, complete\n\n");
	assert_string_equal(text(ascii),
			    "#1  IPv4  98 bytes  from ping[134]  462.928225 s\n"
			    "      0 ns   host  br0    -> net_dev_queue, xmit after 1.42 us\n"
			    "   8.02 us   host  veth1  -> net_dev_queue, xmit after 980 ns\n"
			    "   3.04 us > web   eth0   <- netif_rx\n"
			    "   7.11 us   web   eth0   <- netif_receive_skb\n"
			    "   18.0 us   delivered: used up by the kernel in icmp_rcv+0x259\n"
			    "             total 36.1 us, 4 hops, complete\n\n");
}

static void a_wide_terminal_shows_cpu_and_length_too(void **state)
{
	(void)state;
	docker_ping();
	assert_string_equal(
		text((struct text_style){ .utf8 = true, .width = 160 }),
		"#1  IPv4  98 bytes  from ping[134]  462.928225 s\n"
		"      0 ns  cpu 0   98 B   host  br0    →  net_dev_queue, xmit after 1.42 µs\n"
		"   8.02 µs  cpu 0   98 B   host  veth1  →  net_dev_queue, xmit after 980 ns\n"
		"   3.04 µs  cpu 0   84 B ⇒ web   eth0   ←  netif_rx\n"
		"   7.11 µs  cpu 11  84 B   web   eth0   ←  netif_receive_skb\n"
		"   18.0 µs   delivered: used up by the kernel in icmp_rcv+0x259\n"
		"             total 36.1 µs, 4 hops, complete\n\n");
}

static void a_terminal_of_80_columns_and_no_terminal_are_the_same(void **state)
{
	char *none;

	(void)state;
	docker_ping();
	none = strdup(text(utf8));
	assert_string_equal(text((struct text_style){ .utf8 = true, .width = 80 }), none);
	assert_string_equal(text((struct text_style){ .utf8 = true, .width = 109 }), none);
	free(none);
}

static void brief_is_one_line(void **state)
{
	(void)state;
	docker_ping();
	assert_string_equal(
		text((struct text_style){ .utf8 = true, .brief = true }),
		"#1 IPv4  98 B  host:br0 → host:veth1 ⇒ web:eth0  delivered: used up by "
		"the kernel in icmp_rcv+0x259  36.1 µs\n");
	assert_string_equal(text((struct text_style){ .brief = true }),
			    "#1 IPv4  98 B  host:br0 -> host:veth1 => web:eth0  delivered: used up "
			    "by the kernel in icmp_rcv+0x259  36.1 us\n");
}

static void verbose_is_a_line_for_every_record(void **state)
{
	const char *at;
	u32 lines = 0;

	(void)state;
	docker_ping();
	for (at = text((struct text_style){ .utf8 = true, .verbose = true }); *at; at++)
		lines += *at == '\n';
	/* Nine records and the free, with head line, end line, totals and an empty line. */
	assert_int_equal(lines, 10 + 4);
	assert_non_null(strstr(strbuf_cstr(&out), "netif_rx_entry  len 84  cpu 0\n"));
	assert_non_null(strstr(strbuf_cstr(&out), "  skb 0xffff888100000100\n"));
}

/* Take the colour codes out of what was rendered; fails on any other control byte. */
static const char *without_colors(void)
{
	size_t i, kept = 0;

	for (i = 0; i < out.len; i++) {
		if (out.data[i] == '\033') {
			assert_int_equal(out.data[i + 1], '[');
			while (out.data[i] != 'm')
				i++;
			continue;
		}
		assert_true((u8)out.data[i] >= 0x20 || out.data[i] == '\n');
		assert_true(out.data[i] != 0x7f);
		out.data[kept++] = out.data[i];
	}
	out.len = kept;
	return strbuf_cstr(&out);
}

static void colours_change_nothing_but_the_colour(void **state)
{
	static const int widths[] = { 0, 40, 60, 80, 120 };
	struct text_style style = { .utf8 = true };
	char *plain;
	u32 i, k;

	(void)state;
	docker_ping();
	path.complete = PATH_GAP;
	path.lost = 3;
	for (i = 0; i < ARRAY_SIZE(widths); i++)
		for (k = 0; k < 4; k++) {
			style.width = widths[i];
			style.verbose = k & 1;
			style.brief = k & 2;
			style.color = false;
			plain = strdup(text(style));
			assert_null(strchr(plain, '\033'));
			style.color = true;
			text(style);
			assert_non_null(strchr(strbuf_cstr(&out), '\033'));
			assert_string_equal(without_colors(), plain);
			free(plain);
		}
}

static void how_it_ended_is_said_in_words(void **state)
{
	struct hop *h;

	(void)state;
	hop(EVENT_RX, 0, "eth0", 0, 84);
	hop(EVENT_RECEIVE, 10, "eth0", 0, 84);
	h = end(EVENT_DROP, 10, PATH_DROPPED, 0xffffffff81000010);
	assert_non_null(strstr(text(utf8), "DROPPED in icmp_rcv+0x10\n"));
	h->has |= EVENT_HAS_REASON;
	h->reason = 7;
	assert_non_null(strstr(text(utf8), "DROPPED: NETFILTER_DROP in icmp_rcv+0x10\n"));
	h->reason = 99;
	h->location = 0x1234;
	assert_non_null(strstr(text(utf8), "DROPPED: 0x63 in 0x1234\n"));
	assert_non_null(strstr(strbuf_cstr(&out), "  first seen received  "));
	path.state = PATH_DELIVERED;
	path.raw_copy = true;
	path.raw_pid = 999;
	assert_non_null(strstr(text(utf8), "delivered: a raw socket's copy read by pid[999], "
					   "matched by length and time\n"));
	path.raw_copy = false;
	path.nr_hops--;
	end(EVENT_COPY, 10, PATH_DELIVERED, 0);
	assert_non_null(strstr(text(utf8), "delivered: read by ping[134]\n"));
	path.state = PATH_OPEN;
	path.complete = PATH_STILL_OPEN;
	path.end_hop = -1;
	path.nr_hops--;
	path.last_ns = hops[1].ts_ns;
	assert_non_null(strstr(text(utf8), "\n             open: the trace ended first\n"
					   "             total 10 ns, 2 hops\n\n"));
	path.state = PATH_UNKNOWN;
	path.stage = STAGE_STACK;
	assert_non_null(strstr(text(utf8), "end unknown: received; its end has no event"));
	end(EVENT_CONSUME, 10, PATH_UNKNOWN, 0xffffffff81000010);
	assert_non_null(strstr(text(utf8), "end unknown: freed in icmp_rcv+0x10\n"));
}

static void what_was_sent_and_what_failed_is_said(void **state)
{
	struct hop *h;

	(void)state;
	hop(EVENT_QUEUE, 0, "eth0", 0, 98)->context |= EVENT_IN_SOFTIRQ;
	hop(EVENT_NOTE, 5, NULL, 0, 0);
	hop(EVENT_START_XMIT, 10, "eth0", 0, 98);
	h = hop(EVENT_XMIT, 10, "eth0", 0, 98);
	h->has |= EVENT_HAS_RET;
	h->ret = 16;
	end(EVENT_CONSUME, 10, PATH_TRANSMITTED, 0);
	assert_non_null(strstr(text(utf8), "net_dev_xmit, returned 16 (device busy)\n"));
	assert_non_null(strstr(strbuf_cstr(&out), "  sent in softirq  "));
	assert_non_null(strstr(strbuf_cstr(&out), "  qdisc:qdisc_enqueue\n"));
	assert_non_null(strstr(strbuf_cstr(&out), "transmitted on eth0\n"));
	h->ret = -105;
	assert_non_null(strstr(text(utf8), "net_dev_xmit, returned -105\n"));
}

static void lost_records_are_told_at_the_end(void **state)
{
	(void)state;
	docker_ping();
	path.complete = PATH_GAP;
	path.lost = 7;
	assert_non_null(strstr(text(utf8), "  GAP: 7 records lost meanwhile\n"));
	assert_null(strstr(strbuf_cstr(&out), "complete"));
	path.lost_uncounted = true;
	assert_non_null(strstr(text(utf8), "  GAP: 7 and uncounted records lost meanwhile\n"));
	path.lost = 0;
	assert_non_null(strstr(text(utf8), "  GAP: uncounted records lost meanwhile\n"));
	path.cut_hops = 12;
	assert_non_null(strstr(text(utf8), "4 hops and 12 more events not kept\n"));
}

static void a_clock_that_went_backwards_makes_no_huge_times(void **state)
{
	(void)state;
	hop(EVENT_QUEUE, 1000, "eth0", 0, 98);
	hop(EVENT_START_XMIT, (u64)-900, "eth0", 0, 98);
	end(EVENT_CONSUME, (u64)-500, PATH_TRANSMITTED, 0);
	assert_non_null(strstr(text(utf8), "xmit after 0 ns\n"));
	assert_non_null(strstr(strbuf_cstr(&out), "total 0 ns"));
	assert_null(strstr(strbuf_cstr(&out), " d\n"));
}

static void hostile(void)
{
	hop(EVENT_QUEUE, 0, "e\033[2J\xff\xc3\x9b", 3, 98)->pid = 135;
	hop(EVENT_RX, 10, "\x9b\x7f\r\n\xe2\x80\xae", 1, 98);
	end(EVENT_DROP, 10, PATH_DROPPED, 0xffffffff81001001)->reason = 8;
	hops[2].has |= EVENT_HAS_REASON;
}

static void names_cannot_move_the_cursor(void **state)
{
	struct text_style style = { 0 };
	const char *shown;
	u32 i;

	(void)state;
	hostile();
	for (i = 0; i < 16; i++) {
		style.utf8 = i & 1;
		style.brief = i & 2;
		style.verbose = i & 4;
		style.color = i & 8;
		style.width = i & 4 ? 60 : 120;
		text(style);
		shown = without_colors();
		for (; !style.utf8 && *shown; shown++)
			assert_in_range(*shown, '\n', 0x7e);
	}
	shown = text(utf8);
	assert_non_null(strstr(shown, "e\\x1b[2J\\xff\xc3\x9b"));
	assert_non_null(strstr(shown, "\\x9b\\x7f\\x0d\\x0a\\xe2\\x80\\xae"));
	assert_non_null(strstr(shown, "from a\\x1b]0;b\\x07[135]"));
	assert_non_null(strstr(shown, "\\x1b[31m\xc3\xa4\\x5c\\x0a"));
	assert_non_null(strstr(shown, "E\\x1b[2JSC in x\\x1b[2J+0x1"));
	assert_non_null(strstr(text(ascii), "e\\x1b[2J\\xff\\xc3\\x9b"));
}

static void long_names_are_cut_where_a_line_would_not_fit(void **state)
{
	static const int widths[] = { 64, 70, 80, 100, 110, 120, 160, 500 };
	struct text_style style = { .utf8 = true };
	const char *shown, *first;
	u32 i;

	(void)state;
	hop(EVENT_QUEUE, 0, "a23456789012345", 4, 98);
	hop(EVENT_START_XMIT, 1234, "a23456789012345", 4, 98);
	hop(EVENT_RX, 10, "eth0", 2, 84);
	hop(EVENT_RECEIVE, 10, "eth0", 2, 84);
	end(EVENT_CONSUME, 10, PATH_DELIVERED, 0xffffffff81000259);
	for (i = 0; i < ARRAY_SIZE(widths) * 4; i++) {
		style.width = widths[i / 4];
		style.utf8 = i & 1;
		style.color = i & 2;
		shown = text(style);
		if (text_widest(&out, 0) > style.width)
			fail_msg("wider than %d:\n%s", style.width, shown);
		first = strchr(shown, '\n');
		assert_int_equal(strstr(first, style.utf8 ? "…" : "~") != NULL, style.width < 160);
		assert_int_equal(strstr(first, netns[3].name) != NULL, style.width >= 160);
	}
	/* Where nobody looks, nothing is lost. */
	shown = text(utf8);
	assert_non_null(strstr(shown, netns[3].name));
	assert_non_null(strstr(shown, "a23456789012345"));
}

static void a_terminal_too_narrow_for_anything_is_survived(void **state)
{
	int width;

	(void)state;
	docker_ping();
	hostile();
	for (width = 1; width < 60; width++)
		text((struct text_style){ .utf8 = width & 1,
					  .color = width & 2,
					  .width = width,
					  .verbose = width & 4 });
}

static void an_end_that_is_too_long_goes_on_in_the_next_line(void **state)
{
	(void)state;
	docker_ping();
	path.raw_copy = true;
	path.raw_pid = 134;
	assert_non_null(strstr(text((struct text_style){ .utf8 = true, .width = 80 }),
			       "\n   18.0 µs   delivered: a raw socket's copy read by ping[134], "
			       "matched by length\n             and time\n             total "));
	assert_true(text_widest(&out, 0) <= 80);
}

static struct json_object *json(void)
{
	struct json_object *obj;

	out.len = 0;
	assert_int_equal(render_json(&out, &path, &names), 0);
	assert_ptr_equal(memchr(out.data, '\n', out.len), out.data + out.len - 1);
	obj = json_tokener_parse(strbuf_cstr(&out));
	assert_non_null(obj);
	return obj;
}

/* "end.state" or "hops.2.dev" as text, "absent" when it is not there. */
static const char *value(struct json_object *obj, const char *where)
{
	char key[32];
	int used;

	for (; sscanf(where, "%31[^.]%n", key, &used) == 1; where += used + (where[used] == '.')) {
		if (json_object_is_type(obj, json_type_array))
			obj = json_object_array_get_idx(obj, (size_t)atoi(key));
		else if (!json_object_object_get_ex(obj, key, &obj))
			return "absent";
	}
	return json_object_get_string(obj);
}

static void json_has_the_fields_of_the_manual(void **state)
{
	static const char *const rows[][2] = {
		{ "packet", "1" },
		{ "first_ns", "462928225000" },
		{ "proto", "IPv4" },
		{ "len", "98" },
		{ "hops.0.ts_ns", "462928225000" },
		{ "hops.0.cpu", "0" },
		{ "hops.0.event", "net:net_dev_queue" },
		{ "hops.0.dev", "br0" },
		{ "hops.0.netns", "host" },
		{ "hops.0.netns_inum", "4026531833" },
		{ "hops.0.skb", "0xffff888100000100" },
		{ "hops.0.len", "98" },
		{ "hops.0.pid", "134" },
		{ "hops.0.comm", "ping" },
		{ "hops.5.netns", "web" },
		{ "hops.8.cpu", "11" },
		{ "hops.9.location", "icmp_rcv+0x259" },
		{ "end.state", "delivered" },
		{ "end.location", "icmp_rcv+0x259" },
		{ "end.ts_ns", "462928261170" },
		{ "complete", "complete" },
		{ "end.reason", "absent" },
		{ "hops.0.ret", "absent" },
		{ "hops.0.reason", "absent" },
		{ "hops.0.location", "absent" },
		{ "hops.0.netns_cookie", "absent" },
		{ "hops.0.proto", "absent" },
		{ "hops.9.dev", "absent" },
		{ "hops.9.netns", "absent" },
		{ "hops.9.len", "absent" },
		{ "lost", "absent" },
		{ "lost_uncounted", "absent" },
		{ "cut_hops", "absent" },
		{ "end.raw_socket_copy", "absent" },
	};
	struct json_object *obj;
	size_t i;

	(void)state;
	docker_ping();
	obj = json();
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(value(obj, rows[i][0]), rows[i][1]))
			fail_msg("%s is %s, not %s", rows[i][0], value(obj, rows[i][0]),
				 rows[i][1]);
	json_object_put(obj);
}

/* A packet that gets a tag on the way and loses it, and then one look that cannot tell. */
static void tagged_on_the_way(struct packet_view view[4])
{
	const struct made_packet *m = made_packet("ping");
	u8 *bytes = made_bytes(m->hex, made_len(m));
	size_t i;

	memset(view, 0, 4 * sizeof(*view));
	for (i = 0; i < 4; i++) {
		packet_parse_bytes(&view[i].packet, bytes, made_len(m), 0);
		view[i].next = i ? &view[i - 1] : NULL;
	}
	free(bytes);
	view[1].packet.nr_vlans = 1;
	view[1].packet.vlan[0] = 0x600a;
	view[3].packet.vlans_known = false;
	view[3].packet.net[0].dst[3] = 9;
	hop(EVENT_QUEUE, 0, "br0.10", 1, 98)->view = &view[0];
	hop(EVENT_QUEUE, 1000, "br0", 1, 98)->view = &view[1];
	hop(EVENT_RX, 1000, "eth0", 2, 84)->view = &view[1];
	hop(EVENT_RECEIVE, 1000, "eth0.10", 2, 84)->view = &view[2];
	hop(EVENT_RECEIVE, 1000, "eth1", 2, 84)->view = &view[3];
	path.views = &view[3];
}

static void a_tag_that_comes_and_goes_is_told(void **state)
{
	struct packet_view view[4];
	struct json_object *obj;
	const char *at;

	(void)state;
	tagged_on_the_way(view);
	at = strstr(text(utf8), " VLAN 10\n");
	assert_non_null(at);
	at = strstr(at, " no VLAN tag\n");
	assert_non_null(at);
	assert_null(strstr(at + strlen(" no VLAN tag"), "VLAN"));
	obj = json();
	assert_string_equal(value(obj, "vlan"), "absent");
	assert_string_equal(value(obj, "hops.0.vlan"), "absent");
	assert_string_equal(value(obj, "hops.1.vlan"), "[ 10 ]");
	assert_string_equal(value(obj, "hops.2.vlan"), "absent");
	assert_string_equal(value(obj, "hops.3.vlan"), "[ ]");
	assert_string_equal(value(obj, "hops.4.vlan"), "absent");
	assert_string_equal(value(obj, "changes.0.kind"), "vlan");
	assert_string_equal(value(obj, "changes.0.hop"), "1");
	assert_string_equal(value(obj, "changes.1.kind"), "vlan");
	assert_string_equal(value(obj, "changes.1.hop"), "3");
	assert_string_equal(value(obj, "changes.2.kind"), "dnat");
	json_object_put(obj);
	/* a look that cannot tell does not say that they are gone */
	view[2].packet.vlans_known = false;
	view[2].packet.net[0].dst[3] = 7;
	obj = json();
	assert_string_equal(value(obj, "hops.3.vlan"), "absent");
	json_object_put(obj);
}

static void json_says_what_is_special(void **state)
{
	struct json_object *obj;
	struct hop *h;

	(void)state;
	h = hop(EVENT_QUEUE, 0, "br0", 0, 98);
	h->has |= EVENT_HAS_COOKIE | EVENT_HAS_PROTO;
	h->netns_cookie = UINT64_MAX;
	h->proto = 0x9999;
	h->context |= EVENT_IN_SOFTIRQ;
	h = hop(EVENT_XMIT, 1, "br0", 0, 98);
	h->has |= EVENT_HAS_RET;
	h->ret = -105;
	h = end(EVENT_DROP, 1, PATH_DROPPED, 0x1234);
	h->has |= EVENT_HAS_REASON;
	h->reason = 7;
	path.proto = 0x9999;
	path.complete = PATH_GAP;
	path.lost = 9;
	path.lost_uncounted = true;
	path.cut_hops = 3;
	path.raw_copy = true;
	path.raw_skb = 0xabc;
	path.raw_pid = 134;
	obj = json();
	assert_string_equal(value(obj, "proto"), "0x9999");
	assert_string_equal(value(obj, "hops.0.proto"), "0x9999");
	assert_string_equal(value(obj, "hops.0.netns_cookie"), "18446744073709551615");
	assert_string_equal(value(obj, "hops.0.pid"), "absent");
	assert_string_equal(value(obj, "hops.1.ret"), "-105");
	assert_string_equal(value(obj, "end.reason"), "NETFILTER_DROP");
	assert_string_equal(value(obj, "end.location"), "0x1234");
	assert_string_equal(value(obj, "end.raw_socket_copy.skb"), "0xabc");
	assert_string_equal(value(obj, "complete"), "gap");
	assert_string_equal(value(obj, "lost"), "9");
	assert_string_equal(value(obj, "lost_uncounted"), "true");
	assert_string_equal(value(obj, "cut_hops"), "3");
	json_object_put(obj);
}

static void json_knows_nothing_that_no_record_said(void **state)
{
	struct json_object *obj;

	(void)state;
	hop(EVENT_RX, 0, NULL, 0, 0)->context = 0;
	path.proto = 0;
	path.state = PATH_UNKNOWN;
	path.complete = PATH_UNKNOWN_END;
	names = (struct render_names){ .schema = &schema };
	obj = json();
	assert_string_equal(
		json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN),
		"{\"packet\":1,\"first_ns\":462928225000,\"hops\":[{\"ts_ns\":462928225000,"
		"\"cpu\":0,\"event\":\"net:netif_rx\",\"skb\":\"0xffff888100000100\"}],"
		"\"end\":{\"state\":\"unknown\"},\"complete\":\"unknown_end\"}");
	json_object_put(obj);
}

static void hostile_names_are_valid_json_on_one_line(void **state)
{
	struct json_object *obj;
	size_t i;

	(void)state;
	hostile();
	obj = json();
	for (i = 0; i + 1 < out.len; i++)
		assert_true((u8)out.data[i] >= 0x20 && out.data[i] != 0x7f);
	assert_string_equal(value(obj, "hops.0.dev"), "e\\x1b[2J\\xff\xc3\x9b");
	assert_string_equal(value(obj, "hops.0.comm"), "a\\x1b]0;b\\x07");
	assert_string_equal(value(obj, "hops.0.netns"), "\\x1b[31m\xc3\xa4\\x5c\\x0a");
	assert_string_equal(value(obj, "end.reason"), "E\\x1b[2JSC");
	json_object_put(obj);
}

/* ---- with probes */

enum { IP_RCV = 11, NF_HOOK_SLOW, IPT_DO_TABLE, IP_FORWARD, IP_OUTPUT, IP_FINISH_OUTPUT2 };

static struct packet_view views[8];
static struct hop_filter filters[8];
static struct path_link links[PATH_LINKS];

/* A hop of a probe, as the names above. */
static struct hop *probe_hop(u8 kind, u16 type, u64 after_ns, const char *dev, u16 ns)
{
	struct hop *h = hop(EVENT_NOTE, after_ns, dev, ns, 0);

	h->kind = kind;
	h->type = type;
	h->context |= EVENT_IN_SOFTIRQ;
	h->filter = NULL;
	return h;
}

/* From the last hop on the packet is this one; the caller may change it. */
static struct packet *becomes(u32 at, const char *name)
{
	struct packet_view *view = &views[at];

	memset(view, 0, sizeof(*view));
	view->packet = facts_of(name, 0).packet;
	view->next = path.views;
	path.views = view;
	hops[path.nr_hops - 1].view = view;
	return &view->packet;
}

static void link_to(u8 kind, bool child, u64 packet)
{
	path.link = links;
	links[path.nr_links++] =
		(struct path_link){ packet, 0xffff888100000000ULL + packet * 256, kind, child };
}

static struct hop_filter *filter_at(u32 at)
{
	memset(&filters[at], 0, sizeof(filters[at]));
	filters[at].next = path.filters;
	path.filters = &filters[at];
	hops[path.nr_hops - 1].filter = &filters[at];
	return &filters[at];
}

static void assert_shown(const char *shown, const char *want)
{
	if (!strstr(shown, want))
		fail_msg("there is no\n%s\nin\n%s", want, shown);
}

static void translated(void)
{
	struct packet *p;

	hop(EVENT_RECEIVE, 0, "br0", 1, 60);
	becomes(0, "tcp_syn");
	probe_hop(EVENT_LAYER, IP_RCV, 10, "br0", 1)->view = &views[0];
	probe_hop(EVENT_LAYER, IP_FORWARD, 10, NULL, 0)->view = &views[0];
	probe_hop(EVENT_LAYER, IP_FINISH_OUTPUT2, 10, "eth0", 1);
	p = becomes(1, "tcp_syn");
	memcpy(p->net[0].src, "\xc0\x00\x02\x09", 4);
	p->net[0].sport = 40000;
	hop(EVENT_QUEUE, 10, "eth0", 1, 74);
	end(EVENT_CONSUME, 10, PATH_TRANSMITTED, 0);
}

static void what_became_of_a_packet_has_a_line_of_its_own(void **state)
{
	(void)state;
	translated();
	assert_string_equal(
		text(utf8),
		"#1  10.0.2.1:5000 > 10.0.2.2:80 TCP S seq 123 win 64240 len 60  first seen "
		"received  462.928225 s\n"
		"      0 ns   host  br0   ←  netif_receive_skb, ip_rcv, ip_forward\n"
		"             10.0.2.1:5000 → 192.0.2.9:40000  SNAT\n"
		"     30 ns   host  eth0     ip_finish_output2\n"
		"     10 ns   host  eth0  →  net_dev_queue\n"
		"     10 ns   transmitted on eth0\n"
		"             total 50 ns, 2 hops, complete\n\n");
	assert_shown(text(ascii), "             10.0.2.1:5000 -> 192.0.2.9:40000  SNAT\n");
}

static void a_tunnels_header_is_told_where_it_is_put_on(void **state)
{
	struct packet *p;

	(void)state;
	hop(EVENT_QUEUE, 0, "vxlan0", 1, 98);
	p = becomes(0, "vxlan");
	memmove(&p->net[0], &p->net[1], 2 * sizeof(p->net[0]));
	p->nr_nets--;
	hop(EVENT_QUEUE, 1000, "eth0", 1, 148);
	becomes(1, "vxlan");
	views[1].has_mark = views[0].has_mark = true;
	views[1].mark = 0x2a;
	end(EVENT_CONSUME, 10, PATH_TRANSMITTED, 0);
	assert_shown(text(utf8), "\n             encapsulated: ");
	assert_shown(strbuf_cstr(&out), "VXLAN");
	assert_shown(strbuf_cstr(&out), "\n             mark 0x2a\n");
	/* However long that is, it takes nothing from the names of devices. */
	text((struct text_style){ .utf8 = true, .width = 80 });
	assert_shown(strbuf_cstr(&out), "  vxlan0  ");
	if (text_widest(&out, 0) > 80)
		fail_msg("wider than 80:\n%s", strbuf_cstr(&out));
}

static void packets_that_have_to_do_with_it_are_named(void **state)
{
	(void)state;
	hop(EVENT_QUEUE, 0, "eth0", 1, 98);
	becomes(0, "port_unreachable");
	end(EVENT_CONSUME, 10, PATH_TRANSMITTED, 0);
	path.number = 9;
	link_to(LINK_ERROR, true, 4);
	link_to(LINK_CLONE, false, 10);
	link_to(LINK_CLONE, false, 11);
	link_to(LINK_MERGE, false, 12);
	link_to(LINK_RETRANSMIT, true, 3);
	link_to(LINK_SIGNATURE, true, 2);
	link_to(LINK_ANSWER, false, 13);
	assert_shown(text(utf8), " s\n             error about #4\n"
				 "             retransmission of #3\n"
				 "             same headers as #2\n      0 ns");
	assert_shown(strbuf_cstr(&out), "complete\n             cloned as #10 #11\n"
					"             took in #12\n"
					"             answered by #13\n\n");
}

static void a_long_list_of_packets_fits_the_terminal(void **state)
{
	u32 i;

	(void)state;
	hop(EVENT_RECEIVE, 0, "eth0", 1, 98);
	end(EVENT_CONSUME, 10, PATH_DELIVERED, 0);
	for (i = 0; i < PATH_LINKS; i++)
		link_to(LINK_MERGE, false, 123456789 + i);
	text((struct text_style){ .utf8 = true, .width = 80 });
	if (text_widest(&out, 0) > 80)
		fail_msg("wider than 80:\n%s", strbuf_cstr(&out));
}

static void what_was_split_and_merged_says_into_what(void **state)
{
	(void)state;
	hop(EVENT_QUEUE, 0, "eth0", 1, 3000);
	end(EVENT_CONSUME, 10, PATH_SPLIT, 0);
	link_to(LINK_SEGMENT, false, 2);
	link_to(LINK_SEGMENT, false, 3);
	assert_shown(text(utf8), "split into 2 segments #2 #3\n");
	path.nr_links = 0;
	link_to(LINK_FRAGMENT, false, 2);
	assert_shown(text(utf8), "split into 1 fragment #2\n");
	/* Of those that were not kept it is known how many there are. */
	path.nr_links = 0;
	while (path.nr_links < PATH_LINKS)
		link_to(LINK_SEGMENT, false, path.nr_links + 2);
	path.nr_links = PATH_LINKS + 5;
	assert_shown(text(utf8), "split into 69 segments #2 #3");
	assert_shown(strbuf_cstr(&out), " ...\n");
	path.state = PATH_MERGED;
	path.nr_links = 0;
	link_to(LINK_MERGE, true, 7);
	assert_shown(text(utf8), "merged into #7\n");
	links[0].packet = 0;
	assert_shown(text(utf8), "merged into another packet\n");
}

static void dropped_by_a_rule(void)
{
	struct hop_filter *f;
	struct hop *h;

	hop(EVENT_RECEIVE, 0, "eth0", 2, 84);
	becomes(0, "ping");
	probe_hop(EVENT_HOOK, NF_HOOK_SLOW, 10, NULL, 2);
	f = filter_at(0);
	f->hook = 1;
	f->pf = 2;
	f->in = devnames_intern(&schema.devs, "eth0", 4);
	f->function = 0xffffffff81000010;
	probe_hop(EVENT_TABLE, IPT_DO_TABLE, 10, NULL, 2);
	f = filter_at(1);
	f->table = devnames_intern(&schema.devs, "filter", 6);
	f->has_verdict = true;
	h = end(EVENT_DROP, 10, PATH_DROPPED, 0xffffffff81000020);
	h->has |= EVENT_HAS_REASON;
	h->reason = 7;
	path.end_filter = 1;
}

static void a_drop_by_a_rule_names_its_hook_and_table(void **state)
{
	(void)state;
	dropped_by_a_rule();
	assert_shown(text(utf8), "DROPPED: NETFILTER_DROP in icmp_rcv+0x20, netfilter ipv4 INPUT, "
				 "table filter chain INPUT: DROP\n");
	/* Its hops are folded into that line, unless every record is asked for. */
	assert_null(strstr(strbuf_cstr(&out), "nf_hook_slow"));
	assert_shown(text((struct text_style){ .utf8 = true, .verbose = true }), "nf_hook_slow");
	assert_shown(strbuf_cstr(&out), "ipv4 INPUT, in eth0, first hook icmp_rcv+0x10\n");
	path.end_filter = -1;
	assert_null(strstr(text(utf8), "netfilter ipv4"));
	/* A hook of a family that has no name. */
	path.end_filter = 1;
	filters[0].pf = 99;
	filters[0].hook = 77;
	assert_shown(text(utf8), ", netfilter hook 77, table filter: DROP\n");
}

static void functions_that_had_it_are_a_chain_that_is_wrapped(void **state)
{
	const char *shown;
	u32 i;

	(void)state;
	hop(EVENT_RECEIVE, 0, "eth0", 2, 84);
	for (i = 0; i < 12; i++)
		probe_hop(EVENT_LAYER, i % 2 ? IP_FINISH_OUTPUT2 : IP_OUTPUT, 10, NULL, 0);
	end(EVENT_CONSUME, 10, PATH_DELIVERED, 0);
	shown = text((struct text_style){ .utf8 = true, .width = 80 });
	assert_shown(shown,
		     "web  eth0  ←  netif_receive_skb, ip_output, ip_finish_output2,\n"
		     "                           ip_output, ip_finish_output2, ip_output,\n");
	assert_true(text_widest(&out, 0) <= 80);
	assert_shown(shown, "1 hop, complete");
	assert_shown(text(utf8), "ip_finish_output2, ip_output, ip_finish_output2\n");
}

static void a_netns_younger_than_the_snapshot_goes_by_its_number(void **state)
{
	struct json_object *obj;

	(void)state;
	hop(EVENT_QUEUE, 0, "eth0", 0, 98)->netns_inum = 4026533000u;
	hops[0].netns_from = NETNS_FROM_DEV;
	hop(EVENT_RX, 10, "veth1", 2, 84);
	hops[1].netns_inum = 4026532246u;
	hops[1].netns_from = NETNS_FROM_HOOK;
	hop(EVENT_RECEIVE, 10, "veth1", 2, 84);
	end(EVENT_CONSUME, 10, PATH_DELIVERED, 0);
	assert_shown(text(utf8), "   netns:4026533000  eth0   →  net_dev_queue\n");
	obj = json();
	assert_string_equal(value(obj, "hops.0.netns"), "absent");
	assert_string_equal(value(obj, "hops.0.netns_inum"), "4026533000");
	assert_string_equal(value(obj, "hops.0.netns_from"), "dev");
	assert_string_equal(value(obj, "hops.1.netns"), "web");
	assert_string_equal(value(obj, "hops.1.netns_from"), "hook");
	assert_string_equal(value(obj, "hops.2.netns_from"), "topology");
	assert_string_equal(value(obj, "hops.3.netns_from"), "absent");
	json_object_put(obj);
}

/* Whatever is not known is absent. */
static void assert_no_null(struct json_object *obj)
{
	size_t i;

	assert_false(json_object_is_type(obj, json_type_null));
	if (json_object_is_type(obj, json_type_array)) {
		for (i = 0; i < json_object_array_length(obj); i++)
			assert_no_null(json_object_array_get_idx(obj, i));
	} else if (json_object_is_type(obj, json_type_object)) {
		json_object_object_foreach(obj, key, member)
		{
			assert_true(*key);
			assert_no_null(member);
		}
	}
}

static void assert_values(const char *const rows[][2], size_t nr)
{
	struct json_object *obj = json();
	size_t i;

	assert_no_null(obj);
	for (i = 0; i < nr; i++)
		if (strcmp(value(obj, rows[i][0]), rows[i][1]))
			fail_msg("%s is %s, not %s in\n%s", rows[i][0], value(obj, rows[i][0]),
				 rows[i][1], strbuf_cstr(&out));
	json_object_put(obj);
}

static void json_tells_what_the_packet_is_and_what_became_of_it(void **state)
{
	static const char *const rows[][2] = {
		{ "tuple.version", "4" },
		{ "tuple.src", "10.0.2.1" },
		{ "tuple.dst", "10.0.2.2" },
		{ "tuple.proto", "TCP" },
		{ "tuple.sport", "5000" },
		{ "tuple.dport", "80" },
		{ "tuple.ttl", "64" },
		{ "tuple.id", "15845" },
		{ "tuple.len", "60" },
		{ "tuple.fragment", "absent" },
		{ "tuple.transport", "absent" },
		{ "tcp.flags", "S" },
		{ "tcp.seq", "123" },
		{ "tcp.ack", "0" },
		{ "tcp.window", "64240" },
		{ "icmp", "absent" },
		{ "arp", "absent" },
		{ "tunnel", "absent" },
		{ "vlan", "absent" },
		{ "mark", "absent" },
		{ "hops.0.tuple.sport", "5000" },
		{ "hops.1.tuple", "absent" },
		{ "hops.2.tuple", "absent" },
		{ "hops.3.tuple.src", "192.0.2.9" },
		{ "hops.3.tuple.sport", "40000" },
		{ "hops.3.event", "skbtrail:ip_finish_output2" },
		{ "hops.4.tuple", "absent" },
		{ "changes.0.hop", "3" },
		{ "changes.0.kind", "snat" },
		{ "changes.0.from", "10.0.2.1:5000" },
		{ "changes.0.to", "192.0.2.9:40000" },
		{ "changes.1", "absent" },
		{ "links", "absent" },
		{ "verdicts", "absent" },
		{ "process", "absent" },
	};

	(void)state;
	translated();
	/* There is no second change. */
	assert_values(rows, 31);
	assert_values(rows + 32, ARRAY_SIZE(rows) - 32);
}

static void json_tells_tunnels_tags_arp_and_icmp(void **state)
{
	static const char *const vxlan[][2] = {
		{ "tunnel.kind", "vxlan" },
		{ "tuple.proto", "UDP" },
		{ "tunnel.inner.tuple.version", "4" },
		{ "tunnel.inner.tunnel", "absent" },
	};
	static const char *const arp[][2] = {
		{ "tuple", "absent" },
		{ "arp.op", "request" },
		{ "arp.sender_ip", "10.0.2.1" },
		{ "arp.target_ip", "10.0.2.2" },
	};
	static const char *const inside[][2] = {
		{ "arp", "absent" },
		{ "tunnel.kind", "vxlan" },
		{ "tunnel.inner.arp.op", "request" },
	};
	static const char *const qinq[][2] = { { "vlan.0", "100" }, { "vlan.1", "200" } };
	static const char *const ping[][2] = {
		{ "icmp.type", "8" }, { "icmp.code", "0" },	   { "icmp.id", "205" },
		{ "icmp.seq", "1" },  { "tuple.sport", "absent" }, { "icmp.mtu", "absent" },
	};
	static const char *const needed[][2] = { { "icmp.type", "3" },
						 { "icmp.code", "4" },
						 { "icmp.mtu", "1400" },
						 { "icmp.id", "absent" } };
	static const char *const fragment[][2] = { { "tuple.fragment.offset", "80" },
						   { "tuple.fragment.more", "true" },
						   { "tuple.sport", "absent" } };
	static const char *const ping6[][2] = { { "tuple.version", "6" },
						{ "tuple.src", "fd00::1" },
						{ "tuple.proto", "ICMPv6" },
						{ "tuple.id", "absent" },
						{ "icmp.type", "128" } };
	static const struct {
		const char *name;
		const char *const (*rows)[2];
		size_t nr;
	} cases[] = {
		{ "vxlan", vxlan, ARRAY_SIZE(vxlan) },
		{ "arp_request", arp, ARRAY_SIZE(arp) },
		{ "vxlan_arp", inside, ARRAY_SIZE(inside) },
		{ "qinq", qinq, ARRAY_SIZE(qinq) },
		{ "ping", ping, ARRAY_SIZE(ping) },
		{ "cut_frag_needed", needed, ARRAY_SIZE(needed) },
		{ "fragment_later", fragment, ARRAY_SIZE(fragment) },
		{ "ping6", ping6, ARRAY_SIZE(ping6) },
	};
	size_t i;

	(void)state;
	hop(EVENT_QUEUE, 0, "eth0", 1, 98);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		path.views = NULL;
		becomes(0, cases[i].name);
		assert_values(cases[i].rows, cases[i].nr);
	}
}

static void json_tells_links_verdicts_and_who_sent_it(void **state)
{
	static const char *const rows[][2] = {
		{ "links.0.kind", "clone" },
		{ "links.0.role", "child" },
		{ "links.0.packet", "3" },
		{ "links.0.skb", "0xffff888100000300" },
		{ "links.0.evidence", "birth" },
		{ "links.1.kind", "answer" },
		{ "links.1.role", "parent" },
		{ "links.1.evidence", "birth+headers" },
		{ "links.2.kind", "merge" },
		{ "links.2.packet", "absent" },
		{ "links.2.evidence", "call" },
		{ "links.3.kind", "signature" },
		{ "links.3.evidence", "headers" },
		{ "cut_links", "absent" },
		{ "verdicts.0.hop", "1" },
		{ "verdicts.0.hook", "INPUT" },
		{ "verdicts.0.pf", "ipv4" },
		{ "verdicts.0.in", "eth0" },
		{ "verdicts.0.out", "absent" },
		{ "verdicts.0.first_hook", "icmp_rcv+0x10" },
		{ "verdicts.0.verdict", "absent" },
		{ "verdicts.1.hop", "2" },
		{ "verdicts.1.table", "filter" },
		{ "verdicts.1.chain", "INPUT" },
		{ "verdicts.1.verdict", "DROP" },
		{ "hops.2.table", "filter" },
		{ "end.state", "dropped" },
		{ "end.reason", "NETFILTER_DROP" },
		{ "end.hop", "1" },
		{ "end.hook", "INPUT" },
		{ "end.pf", "ipv4" },
		{ "process.pid", "134" },
		{ "process.comm", "ping" },
	};
	static const char *const cut[][2] = { { "cut_links", "3" }, { "links.63.kind", "clone" } };

	(void)state;
	dropped_by_a_rule();
	path.birth_pid = 134;
	link_to(LINK_CLONE, true, 3);
	link_to(LINK_ANSWER, false, 4);
	link_to(LINK_MERGE, false, 0);
	link_to(LINK_SIGNATURE, true, 5);
	assert_values(rows, ARRAY_SIZE(rows));
	path.nr_links = 0;
	while (path.nr_links < PATH_LINKS)
		link_to(LINK_CLONE, false, path.nr_links + 2);
	path.nr_links += 3;
	assert_values(cut, ARRAY_SIZE(cut));
}

static void every_packet_is_valid_json_and_fits_the_terminal(void **state)
{
	static const int widths[] = { 60, 80, 120 };
	struct json_object *obj;
	size_t i, k;

	(void)state;
	hop(EVENT_QUEUE, 0, "eth0", 1, 98);
	hop(EVENT_QUEUE, 10, "eth1", 1, 98);
	end(EVENT_CONSUME, 10, PATH_TRANSMITTED, 0);
	for (i = 0; i < ARRAY_SIZE(made_packets); i++) {
		/* Each after the one before, whatever change that is. */
		path.views = NULL;
		becomes(0, made_packets[i ? i - 1 : 0].name);
		hops[0].view = &views[0];
		hops[2].view = NULL;
		becomes(1, made_packets[i].name);
		obj = json();
		assert_no_null(obj);
		json_object_put(obj);
		for (k = 0; k < ARRAY_SIZE(widths); k++) {
			text((struct text_style){ .utf8 = true, .width = widths[k] });
			if (text_widest(&out, 0) > widths[k])
				fail_msg("wider than %d:\n%s", widths[k], strbuf_cstr(&out));
		}
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_docker_ping_reads_like_in_the_manual),
		TEST(a_wide_terminal_shows_cpu_and_length_too),
		TEST(a_terminal_of_80_columns_and_no_terminal_are_the_same),
		TEST(brief_is_one_line),
		TEST(verbose_is_a_line_for_every_record),
		TEST(colours_change_nothing_but_the_colour),
		TEST(how_it_ended_is_said_in_words),
		TEST(what_was_sent_and_what_failed_is_said),
		TEST(lost_records_are_told_at_the_end),
		TEST(a_clock_that_went_backwards_makes_no_huge_times),
		TEST(names_cannot_move_the_cursor),
		TEST(long_names_are_cut_where_a_line_would_not_fit),
		TEST(a_terminal_too_narrow_for_anything_is_survived),
		TEST(an_end_that_is_too_long_goes_on_in_the_next_line),
		TEST(json_has_the_fields_of_the_manual),
		TEST(a_tag_that_comes_and_goes_is_told),
		TEST(json_says_what_is_special),
		TEST(json_knows_nothing_that_no_record_said),
		TEST(hostile_names_are_valid_json_on_one_line),
		TEST(what_became_of_a_packet_has_a_line_of_its_own),
		TEST(a_tunnels_header_is_told_where_it_is_put_on),
		TEST(packets_that_have_to_do_with_it_are_named),
		TEST(a_long_list_of_packets_fits_the_terminal),
		TEST(what_was_split_and_merged_says_into_what),
		TEST(a_drop_by_a_rule_names_its_hook_and_table),
		TEST(functions_that_had_it_are_a_chain_that_is_wrapped),
		TEST(a_netns_younger_than_the_snapshot_goes_by_its_number),
		TEST(json_tells_what_the_packet_is_and_what_became_of_it),
		TEST(json_tells_tunnels_tags_arp_and_icmp),
		TEST(json_tells_links_verdicts_and_who_sent_it),
		TEST(every_packet_is_valid_json_and_fits_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
