// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of sockets: formats are those of real kernels, records are made by their offsets.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "decode/sockevent.h"

#define COMMON                                                                         \
	"format:\n"                                                                    \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"         \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"         \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

/* Linux 5.10 */
static const char set_state[] = "name: inet_sock_set_state\nID: 1308\n" COMMON
				"\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n"
				"\tfield:int oldstate;\toffset:16;\tsize:4;\tsigned:1;\n"
				"\tfield:int newstate;\toffset:20;\tsize:4;\tsigned:1;\n"
				"\tfield:__u16 sport;\toffset:24;\tsize:2;\tsigned:0;\n"
				"\tfield:__u16 dport;\toffset:26;\tsize:2;\tsigned:0;\n"
				"\tfield:__u16 family;\toffset:28;\tsize:2;\tsigned:0;\n"
				"\tfield:__u16 protocol;\toffset:30;\tsize:2;\tsigned:0;\n"
				"\tfield:__u8 saddr[4];\toffset:32;\tsize:4;\tsigned:0;\n"
				"\tfield:__u8 daddr[4];\toffset:36;\tsize:4;\tsigned:0;\n"
				"\tfield:__u8 saddr_v6[16];\toffset:40;\tsize:16;\tsigned:0;\n"
				"\tfield:__u8 daddr_v6[16];\toffset:56;\tsize:16;\tsigned:0;\n";

/* Linux 6.12 */
static const char recv_length[] = "name: sock_recv_length\nID: 1492\n" COMMON
				  "\tfield:void * sk;\toffset:8;\tsize:8;\tsigned:0;\n"
				  "\tfield:__u16 family;\toffset:16;\tsize:2;\tsigned:0;\n"
				  "\tfield:__u16 protocol;\toffset:18;\tsize:2;\tsigned:0;\n"
				  "\tfield:int ret;\toffset:20;\tsize:4;\tsigned:1;\n"
				  "\tfield:int flags;\toffset:24;\tsize:4;\tsigned:1;\n";

/* of a probe, Linux 6.1 */
static const char tcp_recvmsg[] =
	"name: tcp_recvmsg\nID: 1392\n" COMMON
	"\tfield:unsigned long __probe_ip;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:u64 sk;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:u64 ck;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:u16 dp;\toffset:32;\tsize:2;\tsigned:0;\n"
	"\tfield:u16 np;\toffset:34;\tsize:2;\tsigned:0;\n"
	"\tfield:u32 ns;\toffset:36;\tsize:4;\tsigned:0;\n"
	"\tfield:u16 family;\toffset:40;\tsize:2;\tsigned:0;\n"
	"\tfield:u32 da;\toffset:42;\tsize:4;\tsigned:0;\n"
	"\tfield:u32 sa;\toffset:46;\tsize:4;\tsigned:0;\n"
	"\tfield:u64 d0;\toffset:50;\tsize:8;\tsigned:0;\n"
	"\tfield:u64 d1;\toffset:58;\tsize:8;\tsigned:0;\n"
	"\tfield:u64 s0;\toffset:66;\tsize:8;\tsigned:0;\n"
	"\tfield:u64 s1;\toffset:74;\tsize:8;\tsigned:0;\n"
	"\tfield:u64 a4;\toffset:82;\tsize:8;\tsigned:0;\n"
	"\tfield:u64 a5;\toffset:90;\tsize:8;\tsigned:0;\n";

static const char tcp_recvmsg_ret[] =
	"name: tcp_recvmsg_ret\nID: 1393\n" COMMON
	"\tfield:unsigned long __probe_func;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long __probe_ret_ip;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:s32 ret;\toffset:24;\tsize:4;\tsigned:1;\n";

static struct sock_schema schema;
static struct sock_event ev;
static u8 rec[256];

static int setup(void **state)
{
	(void)state;
	memset(rec, 0, sizeof(rec));
	assert_int_equal(sock_schema_init(&schema, HOST_BIG_ENDIAN, NULL), 0);
	assert_true(sock_schema_add_format(&schema, "sock", set_state, strlen(set_state)));
	assert_true(sock_schema_add_format(&schema, "sock", recv_length, strlen(recv_length)));
	assert_true(
		sock_schema_add_format(&schema, "skbtrail_77", tcp_recvmsg, strlen(tcp_recvmsg)));
	assert_true(sock_schema_add_format(&schema, "skbtrail_77", tcp_recvmsg_ret,
					   strlen(tcp_recvmsg_ret)));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sock_schema_free(&schema);
	return 0;
}

#define PUT(offset, type, value)                             \
	do {                                                 \
		type put_ = (type)(value);                   \
		memcpy(rec + (offset), &put_, sizeof(put_)); \
	} while (0)

static bool decode(u16 id, u32 len)
{
	return sock_schema_decode(&schema, id, rec, len, &ev);
}

static void state_change_is_read(void **unused)
{
	static const u8 local[16] = { [10] = 0xff, 0xff, 10, 0, 0, 1 };
	static const u8 remote[16] = { 0xfd, [15] = 9 };

	(void)unused;
	rec[2] = 1 << 4; /* softirq */
	PUT(4, s32, 42);
	PUT(8, u64, 0xffff888100001000ULL);
	PUT(16, s32, SOCK_SYN_SENT);
	PUT(20, s32, SOCK_ESTABLISHED);
	PUT(24, u16, 4000);
	PUT(26, u16, 80);
	PUT(28, u16, 10);
	PUT(30, u16, IPPROTO_TCP);
	memcpy(rec + 40, local, 16);
	memcpy(rec + 56, remote, 16);
	assert_true(decode(1308, 72));
	assert_int_equal(ev.kind, SOCK_EVENT_STATE);
	assert_true(ev.sk == 0xffff888100001000ULL);
	assert_int_equal(ev.old_state, SOCK_SYN_SENT);
	assert_int_equal(ev.new_state, SOCK_ESTABLISHED);
	assert_int_equal(ev.tid, 42);
	assert_true(ev.in_interrupt);
	assert_int_equal(ev.addrs.lport, 4000);
	assert_int_equal(ev.addrs.rport, 80);
	assert_int_equal(ev.addrs.family, 6);
	assert_int_equal(ev.addrs.proto, IPPROTO_TCP);
	assert_memory_equal(ev.addrs.local, local, 16);
	assert_memory_equal(ev.addrs.remote, remote, 16);
	/* SCTP has such states, too */
	PUT(30, u16, IPPROTO_SCTP);
	assert_false(decode(1308, 72));
}

static void result_of_a_call_is_read(void **unused)
{
	(void)unused;
	PUT(8, u64, 0xffff888100001000ULL);
	PUT(16, u16, 2);
	PUT(18, u16, IPPROTO_UDP);
	PUT(20, s32, -11);
	PUT(24, u32, SOCK_MSG_PEEK);
	assert_true(decode(1492, 28));
	assert_int_equal(ev.kind, SOCK_EVENT_BYTES);
	assert_true(ev.receives);
	assert_int_equal(ev.ret, -11);
	assert_int_equal(ev.flags, SOCK_MSG_PEEK);
	assert_int_equal(ev.addrs.family, 4);
	assert_int_equal(ev.addrs.proto, IPPROTO_UDP);
	assert_int_equal(ev.addrs.lport, 0);
	PUT(16, u16, AF_UNIX);
	assert_false(decode(1492, 28));
}

/* Bytes as the kernel wrote them: a connection 127.0.0.1:53629 - 127.0.0.1:50900. */
static void entry_of_a_call_is_read(void **unused)
{
	static const u8 lo[16] = { [10] = 0xff, 0xff, 127, 0, 0, 1 };

	(void)unused;
	PUT(4, s32, 120);
	PUT(16, u64, 0xff2e6718ffc39b00ULL);
	PUT(24, u64, 5);
	rec[32] = 0xc6; /* 50900, big-endian */
	rec[33] = 0xd4;
	PUT(34, u16, 53629);
	PUT(36, u32, 4026531840U);
	PUT(40, u16, 2);
	memcpy(rec + 42, lo + 12, 4);
	memcpy(rec + 46, lo + 12, 4);
	PUT(50, u64, UINT64_MAX); /* of no meaning */
	PUT(90, u64, 0xff579ecbc041bd04ULL);
	assert_true(decode(1392, 98));
	assert_int_equal(ev.kind, SOCK_EVENT_ENTER);
	assert_int_equal(ev.call, SOCK_CALL_TCP_RECEIVE);
	assert_int_equal(ev.addrs.lport, 53629);
	assert_int_equal(ev.addrs.rport, 50900);
	assert_int_equal(ev.addrs.proto, IPPROTO_TCP);
	assert_memory_equal(ev.addrs.local, lo, 16);
	assert_memory_equal(ev.addrs.remote, lo, 16);
	assert_true(ev.cookie == 5);
	assert_true(ev.netns == 4026531840U);
	assert_int_equal(ev.flags, 0);
	assert_false(ev.foreign);

	PUT(40, u16, 10);
	memset(rec + 50, 0xd, 16);
	memset(rec + 66, 0x5, 16);
	assert_true(decode(1392, 98));
	assert_int_equal(ev.addrs.remote[15], 0xd);
	assert_int_equal(ev.addrs.local[0], 0x5);
	PUT(40, u16, AF_UNIX);
	assert_true(decode(1392, 98));
	assert_true(ev.foreign);
}

static void flags_are_found_among_arguments(void **unused)
{
	(void)unused;
	/* up to 5.18: noblock, flags */
	assert_int_equal(sock_call_flags(0x40, SOCK_MSG_PEEK), SOCK_MSG_PEEK);
	assert_int_equal(sock_call_flags(0, 0x80000000), 0x80000000);
	assert_int_equal(sock_call_flags(0, 0xffffffff80000002ULL), 0x80000002);
	/* since 5.19: flags, int *: stacks of x86-64 with 4 and 5 levels of page tables, arm64 with 52 bits */
	assert_int_equal(sock_call_flags(SOCK_MSG_PEEK, 0xffffc90000123d04ULL), SOCK_MSG_PEEK);
	assert_int_equal(sock_call_flags(SOCK_MSG_PEEK, 0xff579ecbc041bd04ULL), SOCK_MSG_PEEK);
	assert_int_equal(sock_call_flags(SOCK_MSG_PEEK, 0xffff800008000d04ULL), SOCK_MSG_PEEK);
	assert_int_equal(sock_call_flags(SOCK_MSG_PEEK, 0x38000000d04ULL), SOCK_MSG_PEEK);
}

static void return_of_a_call_is_read(void **unused)
{
	(void)unused;
	PUT(4, s32, 120);
	PUT(24, s32, -104);
	assert_true(decode(1393, 28));
	assert_int_equal(ev.kind, SOCK_EVENT_RETURN);
	assert_int_equal(ev.call, SOCK_CALL_TCP_RECEIVE);
	assert_int_equal(ev.ret, -104);
	assert_int_equal(ev.tid, 120);
}

static void begin_and_readable_are_told_by_name(void **unused)
{
	static const char begin[] = "name: tcp_sendmsg_begin\nID: 1400\n" COMMON
				    "\tfield:u64 sk;\toffset:16;\tsize:8;\tsigned:0;\n";
	static const char readable[] = "name: sock_def_readable\nID: 1401\n" COMMON
				       "\tfield:u64 sk;\toffset:16;\tsize:8;\tsigned:0;\n"
				       "\tfield:u16 family;\toffset:24;\tsize:2;\tsigned:0;\n";

	(void)unused;
	assert_false(sock_schema_add_format(&schema, "sock", begin, strlen(begin)));
	assert_true(sock_schema_add_format(&schema, "skbtrail_77", begin, strlen(begin)));
	assert_true(sock_schema_add_format(&schema, "skbtrail_77", readable, strlen(readable)));
	rec[2] = 1 << 4; /* softirq */
	PUT(4, s32, 42);
	PUT(16, u64, 0xffff888100001000ULL);
	PUT(24, u16, AF_INET6);
	assert_true(decode(1400, 24));
	assert_int_equal(ev.kind, SOCK_EVENT_BEGIN);
	assert_int_equal(ev.call, SOCK_CALL_TCP_SEND);
	assert_true(ev.sk == 0xffff888100001000ULL);
	assert_int_equal(ev.tid, 42);
	assert_true(decode(1401, 26));
	assert_int_equal(ev.kind, SOCK_EVENT_READABLE);
	assert_true(ev.sk == 0xffff888100001000ULL && ev.in_interrupt);
	PUT(24, u16, AF_UNIX);
	assert_false(decode(1401, 26));
}

static void short_records_are_passed_over(void **unused)
{
	u32 len;

	(void)unused;
	for (len = 0; len < 98; len++)
		assert_false(decode(1392, len));
	for (len = 0; len < 72; len++)
		assert_false(decode(1308, len));
	assert_int_equal(schema.short_records, 98 + 72);
	assert_false(decode(7, 100)); /* of no format */
}

static void foreign_formats_are_passed_over(void **unused)
{
	char text[sizeof(tcp_recvmsg)];

	(void)unused;
	/* another's probe of that name */
	assert_false(sock_schema_add_format(&schema, "kprobes", tcp_recvmsg, strlen(tcp_recvmsg)));
	assert_false(
		sock_schema_add_format(&schema, "skbtrail_x", tcp_recvmsg, strlen(tcp_recvmsg)));
	/* without the socket it says nothing */
	memcpy(text, tcp_recvmsg, sizeof(text));
	memcpy(strstr(text, "u64 sk;"), "u64 sx;", 7);
	assert_false(sock_schema_add_format(&schema, "skbtrail_77", text, strlen(text)));
	memcpy(text, tcp_recvmsg, sizeof(text));
	memcpy(strstr(text, "recvmsg"), "recvmsx", 7);
	assert_false(sock_schema_add_format(&schema, "skbtrail_77", text, strlen(text)));
}

/* A format that is cut off anywhere, or lies about offsets, leads to no read behind the record. */
static void hostile_formats_read_nothing_foreign(void **unused)
{
	static const char *const lies[] = { "offset:4294967290;", "offset:32768;", "offset:32760;",
					    "offset:-1;" };
	size_t len, i, k;
	char text[4096];
	char *at;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(lies) + 1; i++) {
		strcpy(text, tcp_recvmsg);
		for (k = 0; i && (at = strstr(text, "offset:90;")); k++) {
			memmove(at + strlen(lies[i - 1]), at + 10, strlen(at + 10) + 1);
			memcpy(at, lies[i - 1], strlen(lies[i - 1]));
		}
		for (len = 0; len <= strlen(text); len += i ? 997 : 1) {
			teardown(NULL);
			assert_int_equal(sock_schema_init(&schema, false, NULL), 0);
			sock_schema_add_format(&schema, "skbtrail_1", text, len);
			for (k = 0; k <= 98; k += 7) {
				/* the sanitizer sees a read behind it */
				u8 *copy = malloc(k + 1);

				memset(copy, 0xff, k + 1);
				sock_schema_decode(&schema, 1392, copy, (u32)k, &ev);
				free(copy);
			}
		}
	}
}

static void table_of_types_is_bounded(void **unused)
{
	int i, taken = 0;

	(void)unused;
	for (i = 0; i < 200; i++)
		taken += sock_schema_add_format(&schema, "sock", recv_length, strlen(recv_length));
	assert_in_range(taken, 1, SOCK_EVENT_TYPES);
}

static void other_byte_order_is_swapped(void **unused)
{
	(void)unused;
	teardown(NULL);
	assert_int_equal(sock_schema_init(&schema, !HOST_BIG_ENDIAN, NULL), 0);
	sock_schema_add_format(&schema, "skbtrail_77", tcp_recvmsg, strlen(tcp_recvmsg));
	PUT(16, u64, __builtin_bswap64(0xffff888100001000ULL));
	PUT(34, u16, __builtin_bswap16(53629));
	PUT(40, u16, __builtin_bswap16(2));
	rec[32] = 0xc6;
	rec[33] = 0xd4;
	rec[42] = 10;
	assert_true(decode(1392, 98));
	assert_true(ev.sk == 0xffff888100001000ULL);
	assert_int_equal(ev.addrs.lport, 53629);
	/* what is in network order stays */
	assert_int_equal(ev.addrs.rport, 50900);
	assert_int_equal(ev.addrs.remote[12], 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(state_change_is_read),
		T(result_of_a_call_is_read),
		T(entry_of_a_call_is_read),
		T(flags_are_found_among_arguments),
		T(return_of_a_call_is_read),
		T(begin_and_readable_are_told_by_name),
		T(short_records_are_passed_over),
		T(foreign_formats_are_passed_over),
		T(hostile_formats_read_nothing_foreign),
		T(table_of_types_is_bounded),
		T(other_byte_order_is_swapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
