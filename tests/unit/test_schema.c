// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event formats of real kernels, of other machines and of strangers -> fields of records.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/schema.h"
#include "tree.h"

static struct schema schema;

static void start(bool big_endian, u8 long_size)
{
	assert_int_equal(schema_init(&schema, big_endian, long_size, NULL), 0);
}

static int stop(void **state)
{
	(void)state;
	schema_free(&schema);
	return 0;
}

/* The type that a format's text became; NULL when it was passed over. */
static const struct event_type *add_text(const char *system, const char *text, size_t len)
{
	u32 before = schema.nr_types;
	char *exact = calloc(1, len ? len : 1);

	/* A copy of its own size, so that reading beyond it is seen by the sanitizer. */
	memcpy(exact, text, len);
	assert_int_equal(schema_add_format(&schema, system, exact, len, NULL), 0);
	free(exact);
	return schema.nr_types > before ? &schema.types[before] : NULL;
}

static const struct event_type *add(const char *system, const char *text)
{
	return add_text(system, text, strlen(text));
}

/* A real kernel's format: "net.netif_rx" of "6.1". */
static const struct event_type *add_real(const char *kernel, const char *event)
{
	const struct event_type *type;
	char path[128], system[16];
	char *text;
	size_t len;

	snprintf(path, sizeof(path), "fixtures/formats/%s/%s", kernel, event);
	snprintf(system, sizeof(system), "%.*s", (int)strcspn(event, "."), event);
	text = tree_tests_file(path, &len);
	if (!text)
		skip();
	type = add_text(system, text, len);
	free(text);
	return type;
}

static void put(u8 *at, u64 value, size_t size, bool big_endian)
{
	size_t i;

	for (i = 0; i < size; i++)
		at[big_endian ? size - 1 - i : i] = (u8)(value >> (8 * i));
}

#define COMMON                                                                         \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"         \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"         \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define FORMAT(name, id, fields) \
	"name: " name "\nID: " id "\nformat:\n" COMMON fields "\nprint fmt: \"x\"\n"
#define SKB "\tfield:void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;\n"

static const char *const kernels[] = { "5.10", "6.1", "6.12", "7.2", "6.18" };

/* The place of a field of the same name in the text itself, found another way than the code does. */
static void assert_place(const char *text, const char *field, struct field_place place)
{
	char want[64];
	const char *at = strstr(text, field);
	unsigned int offset, size;

	assert_non_null(at);
	at = strstr(at, "offset:");
	assert_int_equal(sscanf(at, "offset:%u;\tsize:%u;", &offset, &size), 2);
	snprintf(want, sizeof(want), "%s %u+%u", field, offset, size);
	if (place.offset != offset || place.size != size)
		fail_msg("want %s, got %u+%u", want, place.offset, place.size);
}

static void every_kernels_hops_have_their_meaning(void **state)
{
	static const struct {
		const char *event;
		u8 kind;
	} rows[] = {
		{ "net.net_dev_queue", EVENT_QUEUE },
		{ "net.net_dev_start_xmit", EVENT_START_XMIT },
		{ "net.net_dev_xmit", EVENT_XMIT },
		{ "net.netif_rx", EVENT_RX },
		{ "net.netif_receive_skb", EVENT_RECEIVE },
		{ "net.netif_receive_skb_entry", EVENT_RECEIVE_ENTRY },
		{ "net.napi_gro_receive_entry", EVENT_GRO },
		{ "skb.kfree_skb", EVENT_DROP },
		{ "skb.consume_skb", EVENT_CONSUME },
		{ "skb.skb_copy_datagram_iovec", EVENT_COPY },
	};
	const struct event_type *type;
	char title[64];
	size_t k, i;

	(void)state;
	for (k = 0; k < ARRAY_SIZE(kernels); k++) {
		start(false, 8);
		for (i = 0; i < ARRAY_SIZE(rows); i++) {
			type = add_real(kernels[k], rows[i].event);
			assert_non_null(type);
			assert_int_equal(type->kind, rows[i].kind);
			snprintf(title, sizeof(title), "%s", rows[i].event);
			*strchr(title, '.') = ':';
			assert_string_equal(type->title, title);
			assert_string_equal(type->name, strchr(title, ':') + 1);
			assert_int_equal(type->skb.size, 8);
			assert_int_equal(type->pid.offset, 4);
			assert_int_equal(type->flags.offset, 2);
			assert_int_equal(schema.type_of[type->id], type - schema.types);
		}
		schema_free(&schema);
	}
}

static void fields_are_where_the_kernel_says(void **state)
{
	static const char *const events[] = { "net.net_dev_queue", "net.net_dev_start_xmit",
					      "net.netif_receive_skb_entry" };
	const struct event_type *type;
	char path[128], *text;
	size_t k, i, len;

	(void)state;
	for (k = 0; k < ARRAY_SIZE(kernels); k++) {
		start(false, 8);
		for (i = 0; i < ARRAY_SIZE(events); i++) {
			snprintf(path, sizeof(path), "fixtures/formats/%s/%s", kernels[k],
				 events[i]);
			text = tree_tests_file(path, &len);
			if (!text)
				skip();
			type = add_real(kernels[k], events[i]);
			assert_place(text, " skbaddr;", type->skb);
			assert_place(text, " len;", type->len);
			assert_place(text, "char[] name;", type->dev);
			assert_int_equal(type->name_place, NAME_DATA_LOC);
			assert_int_equal(!!(type->has & EVENT_HAS_PROTO),
					 strstr(text, " protocol;") != NULL);
			assert_int_equal(!!(type->has & EVENT_HAS_COOKIE),
					 strstr(text, " net_cookie;") != NULL);
			if (strstr(text, " net_cookie;"))
				assert_place(text, " net_cookie;", type->cookie);
			free(text);
		}
		schema_free(&schema);
	}
}

static void drop_reasons_are_called_as_that_kernel_does(void **state)
{
	static const struct {
		const char *kernel;
		u32 netfilter, count;
	} rows[] = {
		{ "5.10", 0, 0 },   { "6.1", 7, 59 },	 { "6.12", 11, 87 },
		{ "7.2", 12, 109 }, { "6.18", 12, 111 },
	};
	const struct event_type *type;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		start(false, 8);
		type = add_real(rows[i].kernel, "skb.kfree_skb");
		assert_true(type->has & EVENT_HAS_LOCATION);
		assert_int_equal(!!(type->has & EVENT_HAS_REASON), rows[i].count > 0);
		assert_true(type->nr_reasons >= rows[i].count);
		if (rows[i].count)
			assert_string_equal(schema_reason(type, rows[i].netfilter),
					    "NETFILTER_DROP");
		assert_null(schema_reason(type, 99999));
		assert_null(schema_reason(type, UINT32_MAX));
		schema_free(&schema);
	}
}

static void an_event_of_an_skb_without_a_meaning_is_a_note(void **state)
{
	const struct event_type *type;

	(void)state;
	start(false, 8);
	type = add_real("6.18", "qdisc.qdisc_enqueue");
	assert_int_equal(type->kind, EVENT_NOTE);
	assert_int_equal(type->has, EVENT_HAS_IFINDEX);
	type = add_real("6.18", "tcp.tcp_probe");
	assert_int_equal(type->kind, EVENT_NOTE);
	assert_int_equal(type->skb.offset, 120);
	/* Another system's event of the same name is not that hop. */
	assert_int_equal(add("mine", FORMAT("netif_rx", "77", SKB))->kind, EVENT_NOTE);
}

static void an_event_without_an_skb_is_passed_over(void **state)
{
	(void)state;
	start(false, 8);
	assert_null(add_real("6.18", "tcp.tcp_destroy_sock"));
	assert_null(add_real("6.18", "net.netif_rx_exit"));
	assert_null(add("x",
			FORMAT("y", "5", "\tfield:int skbaddr;\toffset:8;\tsize:4;\tsigned:1;\n")));
	assert_null(add("x",
			FORMAT("y", "6", "\tfield:char skb[8];\toffset:8;\tsize:8;\tsigned:1;\n")));
	assert_null(add("x", FORMAT("skb_none", "7", "")));
	assert_int_equal(schema.nr_types, 1);
}

static void a_record_is_read_field_by_field(void **state)
{
	u8 rec[64] = { 0 };
	struct event ev;
	u16 id;

	(void)state;
	start(false, 8);
	id = add_real("7.2", "net.net_dev_xmit")->id;
	put(rec + 2, 0x11, 1, false);
	put(rec + 4, 4711, 4, false);
	put(rec + 8, 0xff11223344556600ULL, 8, false);
	put(rec + 16, 98, 4, false);
	put(rec + 20, (u64)-105, 4, false);
	put(rec + 24, 40 | 5 << 16, 4, false);
	put(rec + 32, 4099, 8, false);
	memcpy(rec + 40, "veth\0junk", 9);
	assert_true(schema_decode(&schema, id, rec, sizeof(rec), &ev, NULL));
	assert_int_equal(ev.kind, EVENT_XMIT);
	assert_true(ev.skb == 0xff11223344556600ULL);
	assert_int_equal(ev.len_bytes, 98);
	assert_int_equal(ev.ret, -105);
	assert_int_equal(ev.pid, 4711);
	assert_int_equal(ev.netns_cookie, 4099);
	assert_int_equal(ev.context, EVENT_CONTEXT_KNOWN | EVENT_IN_SOFTIRQ);
	assert_int_equal(ev.has, EVENT_HAS_LEN | EVENT_HAS_RET | EVENT_HAS_COOKIE);
	assert_string_equal(devnames_text(&schema.devs, ev.dev), "veth");
	put(rec + 8, 0, 8, false);
	assert_false(schema_decode(&schema, id, rec, sizeof(rec), &ev, NULL));
	assert_false(schema_decode(&schema, (u16)(id + 1), rec, sizeof(rec), &ev, NULL));
	assert_int_equal(schema.short_records, 0);
}

static void a_short_record_is_counted_and_not_read(void **state)
{
	struct event ev;
	u32 len;
	u16 id;
	u8 *rec;

	(void)state;
	start(false, 8);
	id = add_real("6.12", "skb.kfree_skb")->id;
	assert_int_equal(schema.types[1].min_len, 40);
	for (len = 0; len < 40; len++) {
		rec = calloc(1, len ? len : 1);
		assert_false(schema_decode(&schema, id, rec, len, &ev, NULL));
		free(rec);
	}
	assert_int_equal(schema.short_records, 40);
}

static const char name_format[] = FORMAT(
	"netif_rx", "9", SKB "\tfield:__data_loc char[] name;\toffset:16;\tsize:4;\tsigned:0;\n");

/* The device of a record of @len bytes whose name field holds @loc and whose name is at 20. */
static const char *device_of(const struct event_type *type, u32 loc, const char *name, u32 len)
{
	u8 *rec = calloc(1, len);
	struct event ev = { 0 };

	put(rec + 8, 1, 8, false);
	put(rec + 16, loc, 4, false);
	memcpy(rec + 20, name, strlen(name) < len - 20 ? strlen(name) : len - 20);
	assert_true(schema_decode(&schema, type->id, rec, len, &ev, NULL));
	free(rec);
	return devnames_text(&schema.devs, ev.dev);
}

static void a_name_is_never_read_outside_of_its_record(void **state)
{
	const struct event_type *type;
	u32 offset;

	(void)state;
	start(false, 8);
	type = add("net", name_format);
	assert_string_equal(device_of(type, 5 << 16 | 20, "eth0", 28), "eth0");
	assert_string_equal(device_of(type, 4 << 16 | 20, "eth0", 24), "eth0");
	assert_string_equal(device_of(type, 2 << 16 | 20, "eth0", 28), "et");
	assert_string_equal(device_of(type, 0xffffU << 16 | 20, "eth0", 24), "eth0");
	assert_string_equal(device_of(type, 5 << 16 | 24, "eth0", 24), "");
	assert_string_equal(device_of(type, 0 << 16 | 20, "eth0", 28), "");
	assert_string_equal(device_of(type, 0xffffffff, "eth0", 28), "");
	assert_string_equal(device_of(type, 40 << 16 | 20, "a234567890123456789", 40),
			    "a23456789012345");
	for (offset = 0; offset < 64; offset++)
		device_of(type, 16 << 16 | offset, "\xff\xff\xff\xff", 24);
}

static void a_relative_name_counts_from_the_end_of_its_field(void **state)
{
	const struct event_type *type;

	(void)state;
	start(false, 8);
	type = add("net",
		   FORMAT("netif_rx", "9",
			  SKB "\tfield:__rel_loc char[] name;\toffset:16;\tsize:4;\tsigned:0;\n"));
	assert_int_equal(type->name_place, NAME_REL_LOC);
	assert_string_equal(device_of(type, 5 << 16 | 0, "eth0", 28), "eth0");
	assert_string_equal(device_of(type, 4 << 16 | 1, "eth0", 28), "th0");
	assert_string_equal(device_of(type, 5 << 16 | 8, "eth0", 28), "");
	assert_string_equal(device_of(type, 0xffffffff, "eth0", 28), "");
}

static void a_name_may_be_an_array_in_the_record(void **state)
{
	const struct event_type *type;

	(void)state;
	start(false, 8);
	type = add("net", FORMAT("netif_rx", "9",
				 SKB "\tfield:char name[16];\toffset:20;\tsize:16;\tsigned:0;\n"));
	assert_int_equal(type->name_place, NAME_ARRAY);
	assert_int_equal(type->min_len, 36);
	assert_string_equal(device_of(type, 0, "docker0", 36), "docker0");
	assert_string_equal(device_of(type, 0, "0123456789abcdefXYZ", 40), "0123456789abcde");
}

static void a_big_endian_recording_is_read(void **state)
{
	u8 rec[32] = { 0 };
	struct event ev;

	(void)state;
	start(true, 8);
	add("net", name_format);
	put(rec + 4, 77, 4, true);
	put(rec + 8, 0x0000000081234500ULL, 8, true);
	put(rec + 16, 5 << 16 | 20, 4, true);
	memcpy(rec + 20, "enc0", 4);
	assert_true(schema_decode(&schema, 9, rec, sizeof(rec), &ev, NULL));
	assert_true(ev.skb == 0x81234500);
	assert_int_equal(ev.pid, 77);
	assert_string_equal(devnames_text(&schema.devs, ev.dev), "enc0");
}

static void pointers_of_four_bytes_are_pointers_there(void **state)
{
	static const char text[] =
		FORMAT("kfree_skb", "9",
		       "\tfield:void * skbaddr;\toffset:8;\tsize:4;\tsigned:0;\n"
		       "\tfield:void * location;\toffset:12;\tsize:4;\tsigned:0;\n");
	u8 rec[16] = { 0 };
	struct event ev;

	(void)state;
	start(false, 4);
	assert_non_null(add("skb", text));
	put(rec + 8, 0xc1234500, 4, false);
	put(rec + 12, 0xc0008000, 4, false);
	assert_true(schema_decode(&schema, 9, rec, sizeof(rec), &ev, NULL));
	assert_true(ev.skb == 0xc1234500 && ev.location == 0xc0008000);
	schema_free(&schema);
	start(false, 8);
	assert_null(add("skb", text));
}

static void a_hop_is_not_promised_two_values_in_one_place(void **state)
{
	const struct event_type *type;

	(void)state;
	start(false, 8);
	type = add("skb", FORMAT("kfree_skb", "9",
				 SKB "\tfield:void * location;\toffset:16;\tsize:8;\tsigned:0;\n"
				     "\tfield:u64 net_cookie;\toffset:24;\tsize:8;\tsigned:0;\n"
				     "\tfield:int reason;\toffset:32;\tsize:4;\tsigned:0;\n"
				     "\tfield:int ifindex;\toffset:36;\tsize:4;\tsigned:0;\n"));
	assert_int_equal(type->has, EVENT_HAS_LOCATION | EVENT_HAS_REASON);
}

static void a_format_cut_anywhere_is_survived(void **state)
{
	static const char *const events[] = { "skb.kfree_skb", "net.net_dev_start_xmit" };
	char path[64], *text;
	size_t i, cut, len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(path, sizeof(path), "fixtures/formats/6.1/%s", events[i]);
		text = tree_tests_file(path, &len);
		if (!text)
			skip();
		for (cut = 0; cut < len; cut += cut < 900 ? 1 : 13) {
			start(false, 8);
			add_text("skb", text, cut);
			schema_free(&schema);
		}
		free(text);
	}
}

static void a_hostile_format_is_survived(void **state)
{
	static const char *const formats[] = {
		"",
		"skb",
		"name: skb\n",
		"ID: skb\n",
		"skb ID: ",
		"skb ID: 99999999999999999999\n",
		"name: skb\nID: 5\nformat:\n",
		"name: skb\nID: 5\nformat:\n\tfield:",
		FORMAT("skb_a", "70000", SKB),
		FORMAT("skb_a", "-1", SKB),
		FORMAT("skb_a", "x", SKB),
		FORMAT("skb_b", "5",
		       "\tfield:void * skbaddr;\toffset:40000;\tsize:8;\tsigned:0;\n"),
		FORMAT("skb_c", "6", "\tfield:void * skbaddr;\toffset:-8;\tsize:8;\tsigned:0;\n"),
		FORMAT("skb_d", "7", "\tfield:void * skbaddr;\toffset:8;\tsize:-8;\tsigned:0;\n"),
		FORMAT("skb_e", "8",
		       "\tfield:void * skbaddr;\toffset:4294967304;\tsize:3;\tsigned:0;\n"),
		FORMAT("skb_f", "9", "\tfield:void * skbaddr[9;\toffset:8;\tsize:8;\tsigned:0;\n"),
		FORMAT("skb_g", "10", "\tfield:skbaddr;\toffset:8;\tsize:8;\tsigned:0;\n"),
		"name: skb_h\nID: 11\nformat:\n\nprint fmt: \"%s\", __print_symbolic(REC->skb, {",
		"name: skb_i\nID: 12\nformat:\n" SKB "\nprint fmt: \"%s%n\", ((((((((REC->skb",
	};
	const struct event_type *type;
	size_t i;

	(void)state;
	start(false, 8);
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		type = add("net", formats[i]);
		assert_true(!type || type->min_len <= 32768);
	}
	type = add("net", FORMAT("skb_z", "13",
				 SKB "\tfield:char name[16];\toffset:99999;\tsize:16;\tsigned:0;\n"
				     "\tfield:int len;\toffset:32768;\tsize:4;\tsigned:0;\n"));
	assert_int_equal(type->name_place, NAME_NONE);
	assert_int_equal(type->min_len, 32772);
}

static void names_of_events_cannot_move_the_cursor(void **state)
{
	const struct event_type *type;

	(void)state;
	start(false, 8);
	type = add("a\033[2J\xc3\xa4", FORMAT("skb_note", "9", SKB));
	assert_string_equal(type->title, "a\\x1b[2J\\xc3\\xa4:skb_note");
	assert_string_equal(type->name, "skb_note");
}

static void thousands_of_formats_are_taken_in_up_to_a_limit(void **state)
{
	char text[512];
	u32 i;

	(void)state;
	start(false, 8);
	for (i = 0; i < 6000; i++) {
		snprintf(text, sizeof(text),
			 "name: e%u\nID: %u\nformat:\n" COMMON SKB "\nprint fmt: \"x\"\n", i,
			 i + 1);
		add("net", text);
	}
	assert_int_equal(schema.nr_types, 4096);
}

static void the_first_of_two_formats_with_one_id_stays(void **state)
{
	(void)state;
	start(false, 8);
	assert_non_null(add("net", name_format));
	assert_null(add("net", name_format));
	assert_null(add("skb", FORMAT("kfree_skb", "9", SKB)));
	assert_string_equal(schema.types[schema.type_of[9]].title, "net:netif_rx");
}

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_kernels_hops_have_their_meaning),
		TEST(fields_are_where_the_kernel_says),
		TEST(drop_reasons_are_called_as_that_kernel_does),
		TEST(an_event_of_an_skb_without_a_meaning_is_a_note),
		TEST(an_event_without_an_skb_is_passed_over),
		TEST(a_record_is_read_field_by_field),
		TEST(a_short_record_is_counted_and_not_read),
		TEST(a_name_is_never_read_outside_of_its_record),
		TEST(a_relative_name_counts_from_the_end_of_its_field),
		TEST(a_name_may_be_an_array_in_the_record),
		TEST(a_big_endian_recording_is_read),
		TEST(pointers_of_four_bytes_are_pointers_there),
		TEST(a_hop_is_not_promised_two_values_in_one_place),
		TEST(a_format_cut_anywhere_is_survived),
		TEST(a_hostile_format_is_survived),
		TEST(names_of_events_cannot_move_the_cursor),
		TEST(thousands_of_formats_are_taken_in_up_to_a_limit),
		TEST(the_first_of_two_formats_with_one_id_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
