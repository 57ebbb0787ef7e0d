// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The libtraceevent plugin: our events decoded, everybody else's left alone, nothing read outside of
 * the record whatever a format says.
 *
 * The plugin's source is part of this program, so that the sanitizers see it. Packets: packets.h.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "../../plugins/plugin_skbtrail.c"
#include "made_packet.h"

#define HEAD_ADDRESS 0xffff888004560000ULL
#define SKB_ADDRESS 0xffff888001234500ULL

/* A record as the kernel would lay it out, with its format. */
struct made_event {
	struct strbuf format;
	u8 data[1024];
	u32 size, strings; /* of fields; strings follow them */
};

static void field_add(struct made_event *e, const char *type, const char *name, u32 size, u32 align)
{
	const char *bracket = strchr(type, '[');

	e->size = (e->size + align - 1) / align * align;
	strbuf_printf(&e->format, "\tfield:%.*s %s%s;\toffset:%u;\tsize:%u;\tsigned:0;\n",
		      bracket ? (int)(bracket - type) : (int)strlen(type), type, name,
		      bracket ? bracket : "", e->size, size);
}

static void number_add(struct made_event *e, const char *name, u32 size, u64 value)
{
	char type[8];

	snprintf(type, sizeof(type), "u%u", size * 8);
	field_add(e, type, name, size, size);
	memcpy(e->data + e->size, &value, size); /* of a little-endian machine, as this test is */
	e->size += size;
}

static void text_add(struct made_event *e, const char *name, const char *text)
{
	u32 len = (u32)strlen(text) + 1, loc = (512 + e->strings) | len << 16;

	field_add(e, "__data_loc char[]", name, 4, 4);
	memcpy(e->data + e->size, &loc, 4);
	e->size += 4;
	memcpy(e->data + 512 + e->strings, text, len);
	e->strings += len;
}

static void event_begin(struct made_event *e, const char *name)
{
	memset(e, 0, sizeof(*e));
	strbuf_printf(&e->format,
		      "name: %s\nID: 1500\nformat:\n"
		      "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		      "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		      "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
		      "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n",
		      name);
	e->data[0] = 1500 & 0xff;
	e->data[1] = 1500 >> 8;
	e->size = 8;
}

static void event_end(struct made_event *e)
{
	strbuf_puts(&e->format, "\nprint fmt: \"skbaddr=0x%Lx\", REC->skbaddr\n");
	if (e->strings)
		e->size = 512 + e->strings;
}

/* The fields of a hop; the window is as on 6.1 and later, or with its length as on 5.10. */
static void hop_add(struct made_event *e, const char *packet, u32 data_at, bool old)
{
	const struct made_packet *m = made_packet(packet);
	u8 *frame = made_bytes(m->hex, made_len(m));
	u32 len = made_len(m), i;

	number_add(e, "skbaddr", 8, SKB_ADDRESS);
	number_add(e, "h", 8, HEAD_ADDRESS);
	number_add(e, "d", 8, HEAD_ADDRESS + 128 + data_at);
	number_add(e, "nh", 2, 128 + 14);
	number_add(e, "mh", 2, 128);
	number_add(e, "th", 2, 0xffff);
	number_add(e, "len", 4, len - data_at);
	number_add(e, "p", 2, (u64)(frame[12] | frame[13] << 8));
	field_add(e, old ? "u64[22]" : "u64[]", "w64", 176, 8);
	for (i = 0; i < len; i++) {
		if (64 + i >= data_at && 64 + i - data_at < 176)
			e->data[e->size + 64 + i - data_at] = frame[i];
	}
	e->size += 176;
	free(frame);
}

static void device_add(struct made_event *e, const char *name, u64 dev, u32 netns)
{
	number_add(e, "dv", 8, dev);
	text_add(e, "name", name);
	number_add(e, "ns", 4, netns);
}

static struct tep_event *parse(struct tep_handle *tep, const struct made_event *e,
			       const char *system)
{
	struct strbuf text = e->format;

	assert_int_equal(tep_parse_event(tep, text.data, text.len, system), 0);
	return tep_find_event(tep, 1500);
}

/* What libtraceevent prints of it with the plugin loaded; the record is of exact size. */
static char *printed(const struct made_event *e, const char *system)
{
	struct tep_handle *tep = tep_alloc();
	struct tep_record record = { 0 };
	struct trace_seq seq;
	char *text;

	assert_int_equal(TEP_PLUGIN_LOADER(tep), 0);
	parse(tep, e, system);
	record.data = malloc(e->size);
	memcpy(record.data, e->data, e->size);
	record.size = (int)e->size;
	trace_seq_init(&seq);
	tep_print_event(tep, &seq, &record, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&seq);
	text = strdup(seq.buffer);
	trace_seq_destroy(&seq);
	free(record.data);
	TEP_PLUGIN_UNLOADER(tep);
	tep_free(tep);
	return text;
}

static void assert_printed(struct made_event *e, const char *system, const char *want)
{
	char *text;

	event_end(e);
	text = printed(e, system);
	assert_string_equal(text, want);
	free(text);
	strbuf_free(&e->format);
}

static void hop_is_printed_decoded(void **state)
{
	struct made_event e;

	(void)state;
	for (int old = 0; old < 2; old++) {
		event_begin(&e, "net_dev_queue");
		hop_add(&e, "ping", 0, old);
		device_add(&e, "veth1", 0xffff888011110000ULL, 4026532215U);
		assert_printed(&e, "skbtrail_4711",
			       "10.0.2.1 > 10.0.2.2 ICMP echo request id 205 seq 1 len 84, netns "
			       "4026532215, veth1, skb 0xffff888001234500");
	}
	event_begin(&e, "tcp_v4_rcv");
	hop_add(&e, "tcp_syn", 34, false);
	assert_printed(&e, "skbtrail_1",
		       "10.0.2.1:5000 > 10.0.2.2:80 TCP S seq 123 win 64240 len 60, skb "
		       "0xffff888001234500");
}

static void tag_beside_the_bytes_is_printed(void **state)
{
	struct made_event e;

	(void)state;
	for (u32 size = 1; size <= 4; size += 3) {
		event_begin(&e, "net_dev_queue");
		hop_add(&e, "ping", 0, false);
		number_add(&e, "vt", 2, 0x600a);
		number_add(&e, "vp", 2, 0x0081);
		number_add(&e, "vb", size, 1);
		assert_printed(&e, "skbtrail_1",
			       "vlan 10 10.0.2.1 > 10.0.2.2 ICMP echo request id 205 seq 1 len 84, "
			       "skb 0xffff888001234500");
		event_begin(&e, "net_dev_queue");
		hop_add(&e, "ping", 0, false);
		number_add(&e, "vt", 2, 0x600a);
		number_add(&e, "vp", 2, 0x0081);
		number_add(&e, "vb", size, 0);
		assert_printed(&e, "skbtrail_1",
			       "10.0.2.1 > 10.0.2.2 ICMP echo request id 205 seq 1 len 84, "
			       "skb 0xffff888001234500");
	}
}

static void stale_fields_are_not_printed(void **state)
{
	struct made_event e;

	(void)state;
	event_begin(&e, "ip_output");
	hop_add(&e, "ping", 14, false);
	device_add(&e, "stale", 0, 1);
	number_add(&e, "sk", 8, 0);
	number_add(&e, "sns", 4, 2);
	number_add(&e, "rd", 8, 0xffff888000000001ULL);
	number_add(&e, "dd0", 8, 0xffff888022220000ULL);
	number_add(&e, "dd1", 8, 0xffff888033330000ULL);
	number_add(&e, "dn0", 4, 3);
	number_add(&e, "dn1", 4, 4);
	assert_printed(&e, "skbtrail_1",
		       "10.0.2.1 > 10.0.2.2 ICMP echo request id 205 seq 1 len 84, netns 4, skb "
		       "0xffff888001234500");
}

static void hooks_tables_and_verdicts_are_in_words(void **state)
{
	static const struct {
		const char *event;
		u32 ret;
		const char *text;
	} rows[] = {
		{ "nf_hook_slow_ret", 1, "verdict ACCEPT" },
		{ "nf_hook_slow_ret", (u32)-1, "verdict DROP" },
		{ "nf_hook_slow_ret", (u32)-113, "verdict DROP (-113)" },
		{ "nf_hook_slow_ret", 0, "verdict STOLEN or QUEUE" },
		{ "nft_do_chain_ret", 0, "verdict DROP" },
		{ "ipt_do_table_ret", 1, "verdict ACCEPT" },
		{ "ipt_do_table_ret", 2, "verdict STOLEN" },
		{ "ip6t_do_table_ret", 3 | 7 << 16, "verdict QUEUE" },
		{ "nft_do_chain_ret", 2 | 1 << 16, "verdict DROP" },
		{ "arpt_do_table_ret", 77, "verdict number 77" },
		{ "ip_rcv_ret", 5, "returned 5" },
	};
	struct made_event e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		event_begin(&e, rows[i].event);
		number_add(&e, "ret", 4, rows[i].ret);
		assert_printed(&e, "skbtrail_1", rows[i].text);
	}
	event_begin(&e, "nf_hook_slow");
	hop_add(&e, "ping", 14, false);
	number_add(&e, "hook", 1, 0);
	number_add(&e, "pf", 1, 2);
	number_add(&e, "nn", 8, 1);
	number_add(&e, "nns", 4, 99);
	number_add(&e, "ind", 8, 1);
	text_add(&e, "in", "eth0");
	number_add(&e, "outd", 8, 0);
	text_add(&e, "out", "stale");
	number_add(&e, "hf", 8, 0xffffffff81000000ULL);
	assert_printed(&e, "skbtrail_1",
		       "PREROUTING ipv4 in eth0 first hook 0xffffffff81000000, 10.0.2.1 > 10.0.2.2 "
		       "ICMP echo request id 205 seq 1 len 84, netns 99, skb 0xffff888001234500");
	event_begin(&e, "ipt_do_table");
	number_add(&e, "skbaddr", 8, SKB_ADDRESS);
	number_add(&e, "tb", 8, 1);
	text_add(&e, "table", "filter");
	number_add(&e, "cb", 8, 0);
	text_add(&e, "chain", "stale");
	assert_printed(&e, "skbtrail_1", "table filter, skb 0xffff888001234500");
	event_begin(&e, "skb_clone_ret");
	number_add(&e, "new", 8, SKB_ADDRESS);
	assert_printed(&e, "skbtrail_1", "new skb 0xffff888001234500");
	event_begin(&e, "__alloc_skb_ret");
	number_add(&e, "new", 8, 0);
	assert_printed(&e, "skbtrail_1", "no skb");
}

static void names_cannot_move_a_cursor(void **state)
{
	struct made_event e;

	(void)state;
	event_begin(&e, "net_dev_queue");
	number_add(&e, "skbaddr", 8, SKB_ADDRESS);
	device_add(&e, "\033[2J", 1, 0);
	assert_printed(&e, "skbtrail_1", "\\x1b[2J, skb 0xffff888001234500");
}

static void events_of_others_keep_their_own_text(void **state)
{
	static const char *const systems[] = { "net",	     "kprobes",	   "skbtrail",
					       "skbtrail_",  "skbtrail_x", "skbtrail_1x",
					       "xskbtrail_1" };
	struct made_event e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
		event_begin(&e, "net_dev_queue");
		hop_add(&e, "ping", 0, false);
		assert_printed(&e, systems[i], "skbaddr=0xffff888001234500");
	}
	event_begin(&e, "some_function");
	hop_add(&e, "ping", 0, false);
	assert_printed(&e, "skbtrail_1", "skbaddr=0xffff888001234500");
}

static void formats_we_do_not_know_keep_their_own_text(void **state)
{
	struct made_event e;

	(void)state;
	event_begin(&e, "ip_rcv");
	number_add(&e, "skbaddr", 8, SKB_ADDRESS);
	number_add(&e, "len", 8, 84);
	assert_printed(&e, "skbtrail_1", "skbaddr=0xffff888001234500");
	event_begin(&e, "ip_rcv");
	number_add(&e, "skbaddr", 8, SKB_ADDRESS);
	number_add(&e, "w64", 8, 0);
	assert_printed(&e, "skbtrail_1", "skbaddr=0xffff888001234500");
	event_begin(&e, "ip_rcv");
	number_add(&e, "skbaddr", 8, SKB_ADDRESS);
	number_add(&e, "name", 4, 84);
	assert_printed(&e, "skbtrail_1", "skbaddr=0xffff888001234500");
}

static void handlers_are_there_for_our_group_behind_others(void **state)
{
	static const char *const systems[] = { "net", "skbtrail_1", "skbtrail_2" };
	struct tep_handle *tep = tep_alloc();
	struct made_event e;
	char *id;

	(void)state;
	TEP_PLUGIN_LOADER(tep);
	event_begin(&e, "net_dev_queue");
	number_add(&e, "skbaddr", 8, SKB_ADDRESS);
	event_end(&e);
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
		strbuf_cstr(&e.format);
		id = strstr(e.format.data, "ID: 15");
		id[7] = (char)('0' + i);
		assert_int_equal(tep_parse_event(tep, e.format.data, e.format.len, systems[i]), 0);
		assert_ptr_equal(tep_find_event(tep, 1500 + (int)i)->handler, print_event);
	}
	TEP_PLUGIN_UNLOADER(tep);
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
		assert_null(tep_find_event(tep, 1500 + (int)i)->handler);
	tep_free(tep);
	strbuf_free(&e.format);
}

static void everything_add(struct made_event *e)
{
	event_begin(e, "nf_hook_slow");
	hop_add(e, "vxlan", 14, false);
	device_add(e, "eth0", 1, 1);
	number_add(e, "m", 4, 1);
	number_add(e, "hook", 1, 0);
	number_add(e, "pf", 1, 2);
	number_add(e, "ind", 8, 1);
	text_add(e, "in", "eth0");
	number_add(e, "tb", 8, 1);
	text_add(e, "table", "filter");
	number_add(e, "into", 8, 1);
	number_add(e, "ret", 4, 1);
	event_end(e);
}

/* Handles one record of exact size; Return: whether the plugin took it. */
static bool handle(struct tep_event *event, const u8 *data, u32 size)
{
	struct tep_record record = { .size = (int)size, .data = malloc(size ? size : 1) };
	struct trace_seq seq;
	int ret;

	memcpy(record.data, data, size);
	trace_seq_init(&seq);
	ret = print_event(&seq, &record, event, NULL);
	trace_seq_destroy(&seq);
	free(record.data);
	return !ret;
}

static void record_that_is_cut_is_not_read_further(void **state)
{
	struct tep_handle *tep = tep_alloc();
	struct made_event e;
	struct tep_event *event;

	(void)state;
	everything_add(&e);
	event = parse(tep, &e, "skbtrail_1");
	assert_true(handle(event, e.data, e.size));
	for (u32 size = 0; size < e.size; size++)
		assert_false(handle(event, e.data, size));
	tep_free(tep);
	strbuf_free(&e.format);
}

static void hostile_sizes_in_a_format_are_survived(void **state)
{
	static const int hostile[] = { -1,     0,      1,	2,	   3,	     4,	  7,
				       8,      9,      64,	500,	   511,	     512, 520,
				       0x7fff, 0xffff, 1 << 20, INT32_MAX, INT32_MIN };
	struct tep_handle *tep = tep_alloc();
	struct tep_format_field *f, saved;
	unsigned int taken = 0, left = 0;
	struct made_event e;
	struct tep_event *event;

	(void)state;
	everything_add(&e);
	event = parse(tep, &e, "skbtrail_1");
	for (f = event->format.fields; f; f = f->next) {
		saved = *f;
		for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
			for (size_t j = 0; j < ARRAY_SIZE(hostile); j++) {
				f->offset = hostile[i];
				f->size = hostile[j];
				f->flags = saved.flags ^ (i % 3 ? 0 : TEP_FIELD_IS_DYNAMIC) ^
					   (j % 3 ? 0 : TEP_FIELD_IS_RELATIVE) ^
					   (j % 5 ? 0 : TEP_FIELD_IS_ARRAY);
				if (handle(event, e.data, e.size))
					taken++;
				else
					left++;
			}
		}
		*f = saved;
	}
	/* Both happen, so this was about something. */
	assert_true(taken > 0 && left > 0);
	tep_free(tep);
	strbuf_free(&e.format);
}

static void every_name_is_found_again(void **state)
{
	char name[64];
	bool at_return;

	(void)state;
	for (size_t i = 0; i < nr_probe_names; i++) {
		assert_ptr_equal(probe_name_find(probe_names[i].name, &at_return), &probe_names[i]);
		assert_false(at_return);
		event_of(name, sizeof(name), &probe_names[i], true);
		assert_ptr_equal(probe_name_find(name, &at_return), &probe_names[i]);
		assert_true(at_return);
	}
	assert_null(probe_name_find("ip_rcv_finishe", NULL));
	assert_null(probe_name_find("ip_rc", NULL));
	assert_null(probe_name_find("_ret", NULL));
	assert_null(probe_name_find("", NULL));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hop_is_printed_decoded),
		cmocka_unit_test(tag_beside_the_bytes_is_printed),
		cmocka_unit_test(stale_fields_are_not_printed),
		cmocka_unit_test(hooks_tables_and_verdicts_are_in_words),
		cmocka_unit_test(names_cannot_move_a_cursor),
		cmocka_unit_test(events_of_others_keep_their_own_text),
		cmocka_unit_test(formats_we_do_not_know_keep_their_own_text),
		cmocka_unit_test(handlers_are_there_for_our_group_behind_others),
		cmocka_unit_test(record_that_is_cut_is_not_read_further),
		cmocka_unit_test(hostile_sizes_in_a_format_are_survived),
		cmocka_unit_test(every_name_is_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
