// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sums that the kernel made: each byte is given out once, and to the socket that had it.
 */
#include "unit.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/flowhist.h"
#include "tree.h"

#define A 18446619683540008960ULL
/* remote port 80, local port 4660, as they are in memory on this byte order */
#define PP_80 (HOST_BIG_ENDIAN ? 0x00501234U : 0x12345000U)
#define PP_81 (HOST_BIG_ENDIAN ? 0x00511234U : 0x12345100U)
enum { TCP_SENT, TCP_RECEIVED, UDP_SENT, UDP_RECEIVED };

static struct flowhist *h;
static struct flows *flows;
static struct sock_event got[16];
static size_t nr;

static int setup(void **state)
{
	struct flows_options o = { .by = FLOWS_BY_SOCKET };

	(void)state;
	nr = 0;
	return flowhist_new(&h, 4, NULL) || flows_new(&flows, &o, NULL);
}

static int teardown(void **state)
{
	(void)state;
	flowhist_free(h);
	flows_free(flows);
	return 0;
}

static int keep(void *ctx, struct sock_event *ev)
{
	(void)ctx;
	assert_true(nr < ARRAY_SIZE(got));
	got[nr++] = *ev;
	return 0;
}

static void read_text(size_t which, const char *text, u64 now_ns)
{
	assert_int_equal(flowhist_read(h, which, text, strlen(text), now_ns), 0);
}

/* A key of the kernel's: hash and ports side by side in memory. */
static u64 pack(u32 hash, u32 ports)
{
	u32 half[2] = { hash, ports };
	u64 pp;

	memcpy(&pp, half, sizeof(pp));
	return pp;
}

static void read_hashed(size_t which, s32 tid, u64 sk, u32 hash, u32 ports, u64 hits, u64 bytes,
			u64 cookies, u64 now_ns)
{
	char text[512];

	/* as hist_trigger_print_key() and hist_trigger_entry_print() of Linux write it */
	snprintf(
		text, sizeof(text),
		"# event histogram\n#\n# trigger info: hist:keys=common_pid,sk,pp:vals=hitcount,ret,ck:"
		"sort=hitcount:size=16384 [active]\n#\n\n"
		"{ common_pid: %10d, sk: %llu, pp: %10llu } hitcount: %10llu  ret: %10llu  ck: %10llu\n"
		"\nTotals:\n    Hits: 3\n    Entries: 1\n    Dropped: 0\n",
		tid, (unsigned long long)sk, (unsigned long long)pack(hash, ports),
		(unsigned long long)hits, (unsigned long long)bytes, (unsigned long long)cookies);
	read_text(which, text, now_ns);
}

static void read_entry(size_t which, s32 tid, u64 sk, u32 ports, u64 hits, u64 bytes, u64 cookies,
		       u64 now_ns)
{
	read_hashed(which, tid, sk, 1, ports, hits, bytes, cookies, now_ns);
}

static void flush(u64 limit_ns)
{
	nr = 0;
	assert_int_equal(flowhist_flush(h, flows, limit_ns, 5, keep, NULL), 0);
}

static void settle(u16 proto, u16 lport, u16 rport)
{
	struct sock_event end = { .kind = SOCK_EVENT_DESTROY,
				  .sk = A,
				  .addrs = { .proto = proto, .lport = lport, .rport = rport } };

	nr = 0;
	assert_int_equal(flowhist_settle(h, &end, keep, NULL), 0);
}

static void only_what_was_added_is_given_out(void **unused)
{
	(void)unused;
	read_entry(TCP_SENT, 7, A, PP_80, 3, 300, 0, 10);
	flush(11);
	assert_int_equal(nr, 1);
	assert_true(got[0].sk == A && got[0].ret == 300 && got[0].calls == 3);
	assert_int_equal(got[0].tid, 7);
	assert_int_equal(got[0].addrs.lport, 4660);
	assert_int_equal(got[0].addrs.rport, 80);
	assert_int_equal(got[0].addrs.proto, IPPROTO_TCP);
	assert_false(got[0].receives);
	flush(12);
	assert_int_equal(nr, 0);
	read_entry(TCP_SENT, 7, A, PP_80, 3, 300, 0, 20);
	flush(21);
	assert_int_equal(nr, 0);
	read_entry(TCP_SENT, 7, A, PP_80, 5, 1000, 0, 30);
	flush(31);
	assert_int_equal(nr, 1);
	assert_true(got[0].ret == 700 && got[0].calls == 2);
	/* the other direction and protocol are others */
	read_entry(UDP_RECEIVED, 7, A, PP_80, 1, 9, 0, 40);
	flush(41);
	assert_int_equal(nr, 1);
	assert_true(got[0].receives && got[0].addrs.proto == IPPROTO_UDP && got[0].ret == 9);
}

static void what_a_socket_had_is_given_to_it_before_its_end(void **unused)
{
	(void)unused;
	read_entry(TCP_SENT, 7, A, PP_80, 1, 100, 0, 10);
	read_entry(TCP_SENT, 8, A, PP_81, 1, 50, 0, 10);
	settle(IPPROTO_TCP, 4660, 80);
	assert_int_equal(nr, 1);
	assert_int_equal(got[0].ret, 100);
	/* nothing twice */
	settle(IPPROTO_TCP, 4660, 80);
	assert_int_equal(nr, 0);
	flush(UINT64_MAX);
	assert_int_equal(nr, 1);
	assert_int_equal(got[0].ret, 50);
}

static void closed_socket_without_local_port_keeps_its_sums(void **unused)
{
	(void)unused;
	read_entry(TCP_RECEIVED, 7, A, HOST_BIG_ENDIAN ? 0x00500000U : 0x00005000U, 1, 10, 0, 10);
	settle(IPPROTO_UDP, 4660, 0);
	assert_int_equal(nr, 0);
	/* a listener that had the address before */
	settle(IPPROTO_TCP, 4661, 0);
	assert_int_equal(nr, 0);
	settle(IPPROTO_TCP, 4660, 80);
	assert_int_equal(nr, 1);
}

static void address_of_two_sockets_in_one_reading_is_doubted(void **unused)
{
	struct sock_event birth = { .kind = SOCK_EVENT_STATE, .sk = A, .ts_ns = 9 };

	(void)unused;
	read_entry(TCP_RECEIVED, 7, A, HOST_BIG_ENDIAN ? 0x00500000U : 0x00005000U, 2, 20, 0, 10);
	settle(IPPROTO_TCP, 4660, 80);
	assert_true(flowhist_is_unsure(h, &birth));
	assert_false(flowhist_is_unsure(h, &birth));
	/* what begins after the reading is in the next one */
	read_entry(TCP_RECEIVED, 7, A, HOST_BIG_ENDIAN ? 0x00500000U : 0x00005000U, 3, 30, 0, 20);
	settle(IPPROTO_TCP, 4660, 80);
	birth.ts_ns = 20;
	assert_false(flowhist_is_unsure(h, &birth));
}

#define PP_80_CLOSED (HOST_BIG_ENDIAN ? 0x00500000U : 0x00005000U)

/* As it was on Linux 7.2: two connections to port 80, one after the other at one address, both in one reading. */
static void hash_tells_which_closed_socket_it_was(void **unused)
{
	struct sock_event birth = { .kind = SOCK_EVENT_STATE, .sk = A, .ts_ns = 9 };

	(void)unused;
	read_hashed(TCP_SENT, 7, A, 111, PP_80, 1, 124, 0, 10);
	read_hashed(TCP_RECEIVED, 7, A, 111, PP_80_CLOSED, 1, 248, 0, 10);
	read_hashed(TCP_SENT, 7, A, 222, PP_80_CLOSED, 1, 127, 0, 10);
	settle(IPPROTO_TCP, 4660, 80);
	assert_int_equal(nr, 2);
	assert_int_equal(got[0].ret + got[1].ret, 124 + 248);
	assert_false(flowhist_is_unsure(h, &birth));
	/* the next one, whose own hash is not known */
	settle(IPPROTO_TCP, 4661, 80);
	assert_int_equal(nr, 1);
	assert_int_equal(got[0].ret, 127);
	/* a sum of the first one's that is read late is not of another with that port of its peer's */
	read_hashed(TCP_RECEIVED, 8, A, 111, PP_80_CLOSED, 1, 3, 0, 20);
	settle(IPPROTO_TCP, 4662, 80);
	assert_int_equal(nr, 0);
}

#define HALF(condition, tid, bytes, entries, dropped)                                                 \
	"# event histogram\n#\n# trigger info: hist:keys=common_pid,sk,pp:vals=hitcount,ret,ck:sort=" \
	"hitcount:size=512 if " condition " [active]\n#\n\n{ common_pid: " #tid                       \
	", sk: 4096, pp: 0 }"                                                                         \
	" hitcount: 1  ret: " #bytes "  ck: 0\n\nTotals:\n    Hits: 1\n    Entries: " #entries        \
	"\n    Dropped: " #dropped "\n\n\n"

static void halves_of_a_table_are_two(void **unused)
{
	(void)unused;
	read_text(UDP_SENT, HALF("g & 256", 7, 100, 300, 0) HALF("!(g & 256)", 7, 20, 400, 2), 10);
	assert_int_equal(flowhist_table(h, UDP_SENT, 0)->entries, 300);
	assert_int_equal(flowhist_table(h, UDP_SENT, 1)->entries, 400);
	assert_int_equal(flowhist_table(h, UDP_SENT, 1)->dropped, 2);
	assert_int_equal(flowhist_table(h, UDP_RECEIVED, 0)->entries, 0);
	flush(11);
	assert_int_equal(nr, 2);
	assert_int_equal(got[0].ret + got[1].ret, 120);
	/* the same again: nothing new */
	read_text(UDP_SENT, HALF("g & 256", 7, 100, 300, 0) HALF("!(g & 256)", 7, 20, 400, 2), 20);
	flush(21);
	assert_int_equal(nr, 0);
}

static void table_begins_again_when_it_is_cleared(void **unused)
{
	struct flowhist_stats stats;
	u32 i;

	(void)unused;
	read_text(UDP_SENT, HALF("g & 256", 7, 100, 300, 5) HALF("!(g & 256)", 7, 20, 400, 2), 10);
	/* nothing of it was given out yet: nothing is lost */
	flowhist_cleared(h, UDP_SENT, 0);
	assert_int_equal(flowhist_table(h, UDP_SENT, 0)->entries, 0);
	assert_int_equal(flowhist_table(h, UDP_SENT, 1)->entries, 400);
	read_text(UDP_SENT, HALF("g & 256", 7, 30, 1, 0) HALF("!(g & 256)", 7, 20, 400, 2), 20);
	flush(21);
	assert_int_equal(nr, 3);
	assert_int_equal(got[0].ret + got[1].ret + got[2].ret, 150);
	/* the room for four is used again */
	for (i = 0; i < 10; i++) {
		flowhist_cleared(h, UDP_SENT, 0);
		read_text(UDP_SENT, HALF("g & 256", 7, 1, 1, 0), 30);
		flush(31);
		assert_int_equal(nr, 1);
	}
	flowhist_stats(h, &stats);
	assert_int_equal(stats.refused + stats.bad, 0);
	assert_int_equal(stats.dropped, 7);
	assert_int_equal(stats.cleared, 11);
}

static void sum_is_not_given_to_an_older_socket_at_that_address(void **unused)
{
	struct sock_event listens = { .kind = SOCK_EVENT_STATE,
				      .sk = A,
				      .ts_ns = 1,
				      .old_state = SOCK_CLOSE,
				      .new_state = SOCK_LISTEN,
				      .addrs = { .proto = IPPROTO_TCP, .lport = 4660 } };

	(void)unused;
	assert_true(flows_take(flows, &listens, NULL) >= 0);
	read_entry(TCP_RECEIVED, 7, A, HOST_BIG_ENDIAN ? 0x00500000U : 0x00005000U, 1, 9, 0, 10);
	read_entry(TCP_RECEIVED, 7, A, PP_80, 1, 8, 0, 10);
	flush(10);
	assert_int_equal(nr, 0);
	flush(11);
	assert_int_equal(nr, 2);
}

static void sums_of_nobody_wait_for_records(void **unused)
{
	(void)unused;
	read_entry(TCP_SENT, 7, A, PP_80, 1, 100, 0, 10);
	flush(10);
	assert_int_equal(nr, 0);
	read_entry(TCP_SENT, 7, A, PP_80, 2, 150, 0, 20);
	flush(10);
	assert_int_equal(nr, 0);
	flush(11);
	assert_int_equal(nr, 1);
	assert_int_equal(got[0].ret, 150);
}

/* What the program that had these sockets counted itself: local port, remote port, bytes. */
static const struct {
	u16 lport, rport;
	s64 bytes;
} counted[] = { { 33556, 38015, 234 },
		{ 34264, 38015, 296 },
		{ 50344, 38015, 262 },
		{ 51308, 38015, 264 },
		{ 51290, 38015, 258 },
		{ 51684, 38015, 242 },
		/* two reads after a reset, and all that is read after a shutdown */
		{ 0, 45639, 1234 },
		{ 0, 35122, 87096 } };

static void text_of_a_real_kernel_is_read(void **unused)
{
	struct flowhist_stats stats;
	size_t len, i, k;
	char *text = tree_tests_file("fixtures/hist-6.12.txt", &len);

	(void)unused;
	/* numbers as little-endian kernels print them */
	if (!text || HOST_BIG_ENDIAN)
		skip();
	flowhist_free(h);
	assert_int_equal(flowhist_new(&h, 0, NULL), 0);
	assert_int_equal(flowhist_read(h, TCP_RECEIVED, text, len, 10), 0);
	free(text);
	flush(11);
	assert_int_equal(nr, ARRAY_SIZE(counted));
	for (i = 0; i < ARRAY_SIZE(counted); i++) {
		for (k = 0; k < nr; k++)
			if (got[k].addrs.lport == counted[i].lport &&
			    got[k].addrs.rport == counted[i].rport)
				break;
		assert_true(k < nr);
		assert_true(got[k].ret == counted[i].bytes && got[k].receives);
	}
	assert_int_equal(flowhist_table(h, TCP_RECEIVED, 0)->hits, 688);
	assert_int_equal(flowhist_table(h, TCP_RECEIVED, 0)->entries, 348);
	assert_int_equal(flowhist_table(h, TCP_RECEIVED, 1)->hits, 820);
	assert_int_equal(flowhist_table(h, TCP_RECEIVED, 1)->entries, 282);
	flowhist_stats(h, &stats);
	assert_int_equal(stats.bad + stats.refused + stats.dropped, 0);
}

/* Cut off anywhere, and with any byte changed: nothing is read that is not there, and what is given out is no more. */
static void damaged_text_is_no_danger(void **unused)
{
	size_t len, i;
	char *text = tree_tests_file("fixtures/hist-6.12.txt", &len), *copy, old;
	u32 seed = 1;

	(void)unused;
	if (!text)
		skip();
	for (i = 0; i < len; i += 7) {
		/* of its own size, so that a sanitizer sees what is read behind it */
		copy = malloc(i ? i : 1);
		assert_non_null(copy);
		memcpy(copy, text, i);
		assert_int_equal(flowhist_read(h, TCP_SENT, copy, i, 10), 0);
		free(copy);
	}
	for (i = 0; i < 20000; i++) {
		seed = seed * 1664525 + 1013904223;
		old = text[seed % len];
		text[seed % len] = (char)(seed >> 24);
		assert_int_equal(flowhist_read(h, TCP_SENT, text, len, 10), 0);
		text[seed % len] = old;
		if (i % 1000 == 0)
			flowhist_cleared(h, TCP_SENT, i % 2000 ? 1 : 0);
	}
	flush(UINT64_MAX);
	free(text);
}

static void text_of_strangers_is_no_danger(void **unused)
{
	static const char *const bad[] = {
		"{\n",
		"{ common_pid: }\n",
		"{ common_pid: 1, sk: 2 } hitcount: 3  ret: 4\n",
		"{ common_pid: 99999999999, sk: 2, pp: 3 } hitcount: 3  ret: 4  ck: 5\n",
		"{ common_pid: 1, sk: 0, pp: 3 } hitcount: 3  ret: 4  ck: 5\n",
		"{ common_pid: 1, sk: 2, pp: 3 } hitcount: 3  ret: 99999999999999999999  ck: 5\n",
		"{ common_pid: 1, sk: 2, pp: -3 } hitcount: 3  ret: 4  ck: 5",
	};
	struct flowhist_stats stats;
	char line[1024];
	size_t i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		read_text(TCP_SENT, bad[i], 1);
	memset(line, '{', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	read_text(TCP_SENT, line, 1);
	flush(UINT64_MAX);
	assert_int_equal(nr, 0);
	flowhist_stats(h, &stats);
	assert_int_equal(stats.bad, ARRAY_SIZE(bad) + 1);
	/* a sum never becomes smaller */
	read_entry(TCP_SENT, 7, A, PP_80, 3, 300, 0, 10);
	read_entry(TCP_SENT, 7, A, PP_80, 3, 200, 0, 10);
	flush(UINT64_MAX);
	assert_int_equal(got[0].ret, 300);
	read_text(TCP_SENT, "    Dropped: 12\n", 1);
	read_text(UDP_SENT, "    Dropped: 1\n", 1);
	flowhist_stats(h, &stats);
	assert_int_equal(stats.dropped, 13);
	assert_int_equal(stats.bad, ARRAY_SIZE(bad) + 2);
	/* more than there is room for: room is for four */
	for (i = 0; i < 5; i++)
		read_entry(TCP_SENT, 7, A + 64 + i * 64, PP_80, 1, 1, 0, 10);
	flowhist_stats(h, &stats);
	assert_int_equal(stats.refused, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_was_added_is_given_out, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_socket_had_is_given_to_it_before_its_end,
						setup, teardown),
		cmocka_unit_test_setup_teardown(closed_socket_without_local_port_keeps_its_sums,
						setup, teardown),
		cmocka_unit_test_setup_teardown(address_of_two_sockets_in_one_reading_is_doubted,
						setup, teardown),
		cmocka_unit_test_setup_teardown(hash_tells_which_closed_socket_it_was, setup,
						teardown),
		cmocka_unit_test_setup_teardown(halves_of_a_table_are_two, setup, teardown),
		cmocka_unit_test_setup_teardown(table_begins_again_when_it_is_cleared, setup,
						teardown),
		cmocka_unit_test_setup_teardown(sum_is_not_given_to_an_older_socket_at_that_address,
						setup, teardown),
		cmocka_unit_test_setup_teardown(sums_of_nobody_wait_for_records, setup, teardown),
		cmocka_unit_test_setup_teardown(text_of_a_real_kernel_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_text_is_no_danger, setup, teardown),
		cmocka_unit_test_setup_teardown(text_of_strangers_is_no_danger, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
