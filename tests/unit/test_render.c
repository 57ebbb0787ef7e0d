// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paths as text and as JSON: the words, the columns, and names that would like to be more than that.
 */
#include "unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	names = (struct render_names){ &schema, &symbols, &comms, &topology };
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
		TEST(json_says_what_is_special),
		TEST(json_knows_nothing_that_no_record_said),
		TEST(hostile_names_are_valid_json_on_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
