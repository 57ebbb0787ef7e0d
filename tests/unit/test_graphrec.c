// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of function_graph are read by their formats, of all kernels; what is damaged is passed over.
 */
#include "unit.h"

#include <stdlib.h>

#include "decode/graphrec.h"
#include "decode/sockrec.h"

#define COMMON                                                                         \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"         \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"         \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define FUNC "\tfield:unsigned long func;\toffset:8;\tsize:8;\tsigned:0;\n"

/* As trace-cmd dump --ftrace-events shows them of recordings made on these kernels. */
static const char entry_6_1[] = "name: funcgraph_entry\nID: 11\nformat:\n" COMMON FUNC
				"\tfield:int depth;\toffset:16;\tsize:4;\tsigned:1;\n\n"
				"print fmt: \"--> %ps (%d)\", (void *)REC->func, REC->depth\n";
static const char entry_7_2[] = "name: funcgraph_entry\nID: 11\nformat:\n" COMMON FUNC
				"\tfield:unsigned long depth;\toffset:16;\tsize:8;\tsigned:0;\n"
				"\tfield:unsigned long args[];\toffset:24;\tsize:0;\tsigned:0;\n\n"
				"print fmt: \"--> %ps (%lu)\", (void *)REC->func, REC->depth\n";
static const char exit_5_10[] =
	"name: funcgraph_exit\nID: 10\nformat:\n" COMMON FUNC
	"\tfield:unsigned long overrun;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long long calltime;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long long rettime;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:int depth;\toffset:40;\tsize:4;\tsigned:1;\n\nprint fmt: \"\"\n";
static const char exit_6_1[] =
	"name: funcgraph_exit\nID: 10\nformat:\n" COMMON FUNC
	"\tfield:int depth;\toffset:16;\tsize:4;\tsigned:1;\n"
	"\tfield:unsigned int overrun;\toffset:20;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long long calltime;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long long rettime;\toffset:32;\tsize:8;\tsigned:0;\n\nprint fmt: \"\"\n";
/* As kernel/trace/trace_entries.h has them with CONFIG_FUNCTION_GRAPH_RETVAL and _RETADDR. */
static const char exit_retval[] =
	"name: funcgraph_exit\nID: 10\nformat:\n" COMMON FUNC
	"\tfield:unsigned long retval;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned int depth;\toffset:24;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned int overrun;\toffset:28;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long long calltime;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long long rettime;\toffset:40;\tsize:8;\tsigned:0;\n\nprint fmt: \"\"\n";
static const char entry_retaddr[] =
	"name: funcgraph_retaddr_entry\nID: 18\nformat:\n" COMMON FUNC
	"\tfield:unsigned int depth;\toffset:16;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long retaddr;\toffset:24;\tsize:8;\tsigned:0;\n\nprint fmt: \"\"\n";

struct raw {
	u8 bytes[128];
	bool big;
};

/* A number of so many bytes in the byte order of the recording. */
static void put(struct raw *raw, u32 at, u32 size, u64 value)
{
	u32 i;

	for (i = 0; i < size; i++)
		raw->bytes[at + (raw->big ? size - 1 - i : i)] = (u8)(value >> 8 * i);
}

static struct raw record(bool big, u16 id, u8 flags, s32 pid, u64 func)
{
	struct raw raw = { .big = big };

	put(&raw, 0, 2, id);
	raw.bytes[2] = flags;
	put(&raw, 4, 4, (u32)pid);
	put(&raw, 8, 8, func);
	return raw;
}

static void start(struct graph_formats *g, bool big, const char *format)
{
	graph_formats_init(g, big, 8);
	graph_formats_add(g, "ftrace", format, strlen(format));
	assert_int_equal(g->nr, 1);
}

/* In memory of its own size, so that a sanitizer sees a read behind it. */
static bool decode(struct graph_formats *g, const struct raw *raw, u32 len,
		   struct graph_record *rec)
{
	u8 *copy = malloc(len);
	u16 id = raw->big ? (u16)(raw->bytes[0] << 8 | raw->bytes[1]) :
			    (u16)(raw->bytes[1] << 8 | raw->bytes[0]);
	bool ret;

	memcpy(copy, raw->bytes, len);
	memset(rec, 0xee, sizeof(*rec));
	ret = graph_decode(g, id, copy, len, rec);
	free(copy);
	return ret;
}

static void entries_of_all_kernels_are_read(void **state)
{
	struct graph_formats g;
	struct graph_record rec;
	struct raw raw;
	int big;

	(void)state;
	for (big = 0; big < 2; big++) {
		start(&g, big, entry_6_1);
		raw = record(big, 11, GRAPH_IN_SOFTIRQ | 1, 4711, 0xffffffff81234560);
		put(&raw, 16, 4, 7);
		assert_true(decode(&g, &raw, 20, &rec));
		assert_int_equal(rec.kind, GRAPH_ENTRY);
		assert_int_equal(rec.func, 0xffffffff81234560);
		assert_int_equal(rec.depth, 7);
		assert_int_equal(rec.pid, 4711);
		assert_int_equal(rec.context, GRAPH_IN_SOFTIRQ);
		assert_int_equal(rec.has, 0);
		assert_int_equal(rec.nr_args, 0);

		start(&g, big, entry_retaddr);
		raw = record(big, 18, 0, 1, 0x1000);
		put(&raw, 16, 4, 3);
		put(&raw, 24, 8, 0xffffffffdeadbee0);
		assert_true(decode(&g, &raw, 32, &rec));
		assert_int_equal(rec.has, GRAPH_HAS_RETADDR);
		assert_int_equal(rec.retaddr, 0xffffffffdeadbee0);
	}
}

static void arguments_are_as_many_as_the_record_has_room_for(void **state)
{
	struct graph_formats g;
	struct graph_record rec;
	struct raw raw;
	u32 i;

	(void)state;
	start(&g, false, entry_7_2);
	raw = record(false, 11, 0, 1, 0x1000);
	put(&raw, 16, 8, 5);
	for (i = 0; i < 6; i++)
		put(&raw, 24 + 8 * i, 8, 0xff00 + i);
	assert_true(decode(&g, &raw, 24, &rec));
	assert_int_equal(rec.depth, 5);
	assert_int_equal(rec.nr_args, 0);
	assert_true(decode(&g, &raw, 72, &rec));
	assert_int_equal(rec.nr_args, 6);
	assert_int_equal(rec.args[0], 0xff00);
	assert_int_equal(rec.args[5], 0xff05);
	/* half an argument is none */
	assert_true(decode(&g, &raw, 44, &rec));
	assert_int_equal(rec.nr_args, 2);
}

static void exits_of_all_kernels_are_read(void **state)
{
	static const struct {
		const char *format;
		u32 depth_at, times_at, retval_at, len;
	} kinds[] = { { exit_5_10, 40, 24, 0, 44 },
		      { exit_6_1, 16, 24, 0, 40 },
		      { exit_retval, 24, 32, 16, 48 } };
	struct graph_formats g;
	struct graph_record rec;
	struct raw raw;
	u32 i;

	(void)state;
	for (i = 0; i < 2 * ARRAY_SIZE(kinds); i++) {
		start(&g, i & 1, kinds[i / 2].format);
		raw = record(i & 1, 10, GRAPH_IN_HARDIRQ, -1, 0x2000);
		put(&raw, kinds[i / 2].depth_at, 4, 9);
		put(&raw, kinds[i / 2].times_at, 8, 1ULL << 40);
		put(&raw, kinds[i / 2].times_at + 8, 8, (1ULL << 40) + 1234);
		if (kinds[i / 2].retval_at)
			put(&raw, kinds[i / 2].retval_at, 8, (u64)-11);
		assert_true(decode(&g, &raw, kinds[i / 2].len, &rec));
		assert_int_equal(rec.kind, GRAPH_EXIT);
		assert_int_equal(rec.depth, 9);
		assert_int_equal(rec.rettime - rec.calltime, 1234);
		assert_int_equal(rec.context, GRAPH_IN_HARDIRQ);
		assert_int_equal(rec.pid, -1);
		assert_true(rec.has & GRAPH_HAS_SPAN);
		assert_int_equal(!!(rec.has & GRAPH_HAS_RETVAL), i / 2 == 2);
		if (i / 2 == 2)
			assert_int_equal((s64)rec.retval, -11);
	}
}

static void short_records_are_counted_and_passed_over(void **state)
{
	struct graph_formats g;
	struct graph_record rec;
	struct raw raw;

	(void)state;
	start(&g, false, exit_6_1);
	raw = record(false, 10, 0, 1, 0x1000);
	assert_false(decode(&g, &raw, 39, &rec));
	assert_int_equal(g.short_records, 1);
	raw = record(false, 12, 0, 1, 0x1000);
	assert_false(decode(&g, &raw, 40, &rec));
	assert_int_equal(g.short_records, 1);
}

static void refused(const char *system, const char *format)
{
	struct graph_formats g;

	graph_formats_init(&g, false, 8);
	graph_formats_add(&g, system, format, strlen(format));
	assert_int_equal(g.nr, 0);
}

static void formats_that_make_no_sense_are_refused(void **state)
{
	struct graph_formats g;
	u32 i;

	(void)state;
	refused("sched", entry_6_1);
	refused("ftrace", "name: funcgraph_entry\nID: 11\nformat:\n" COMMON FUNC);
	refused("ftrace", "name: funcgraph_entry\nID: 11\nformat:\n" COMMON FUNC
			  "\tfield:int depth;\toffset:16;\tsize:3;\tsigned:1;\n");
	refused("ftrace", "name: funcgraph_entry\nID: 11\nformat:\n" COMMON FUNC
			  "\tfield:int depth;\toffset:4294967290;\tsize:4;\tsigned:1;\n");
	refused("ftrace", "name: funcgraph_entries\nID: 11\nformat:\n" COMMON FUNC
			  "\tfield:int depth;\toffset:16;\tsize:4;\tsigned:1;\n");
	/* cut off anywhere, it is read or not, but nothing behind it */
	for (i = 0; i < strlen(entry_7_2); i++) {
		char *copy = malloc(i + 1);

		memcpy(copy, entry_7_2, i);
		graph_formats_init(&g, false, 8);
		graph_formats_add(&g, "ftrace", copy, i);
		free(copy);
	}
	/* twice the same id */
	graph_formats_init(&g, false, 8);
	for (i = 0; i < 20; i++)
		graph_formats_add(&g, "ftrace", entry_6_1, strlen(entry_6_1));
	assert_int_equal(g.nr, 1);
}

/* From events/sock/inet_sock_set_state/format and events/tcp/tcp_probe/format of 6.1, without what is not read. */
static const char set_state[] = "name: inet_sock_set_state\nID: 1500\nformat:\n" COMMON
				"\tfield:__u16 family;\toffset:32;\tsize:2;\tsigned:0;\n"
				"\tfield:__u16 protocol;\toffset:34;\tsize:2;\tsigned:0;\n";
static const char tcp_event[] = "name: tcp_probe\nID: 1501\nformat:\n" COMMON
				"\tfield:__u16 family;\toffset:68;\tsize:2;\tsigned:0;\n";

static void events_of_sockets_tell_family_and_protocol(void **state)
{
	struct sock_formats s = { 0 };
	struct sock_record rec;
	struct raw raw;

	(void)state;
	sock_formats_add(&s, "sock", set_state, strlen(set_state));
	sock_formats_add(&s, "tcp", tcp_event, strlen(tcp_event));
	sock_formats_add(&s, "net", set_state, strlen(set_state));
	assert_int_equal(s.nr, 2);
	s.swap = HOST_BIG_ENDIAN;
	raw = record(false, 1500, GRAPH_IN_SOFTIRQ, 77, 0);
	put(&raw, 32, 2, 10);
	put(&raw, 34, 2, 17);
	assert_false(sock_decode(&s, 1500, raw.bytes, 35, &rec));
	assert_true(sock_decode(&s, 1500, raw.bytes, 36, &rec));
	assert_int_equal(rec.family, 10);
	assert_int_equal(rec.protocol, 17);
	assert_int_equal(rec.pid, 77);
	assert_int_equal(rec.context, GRAPH_IN_SOFTIRQ);
	put(&raw, 68, 2, 2);
	assert_true(sock_decode(&s, 1501, raw.bytes, 70, &rec));
	assert_int_equal(rec.family, 2);
	assert_int_equal(rec.protocol, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_of_all_kernels_are_read),
		cmocka_unit_test(arguments_are_as_many_as_the_record_has_room_for),
		cmocka_unit_test(exits_of_all_kernels_are_read),
		cmocka_unit_test(short_records_are_counted_and_passed_over),
		cmocka_unit_test(formats_that_make_no_sense_are_refused),
		cmocka_unit_test(events_of_sockets_tell_family_and_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
