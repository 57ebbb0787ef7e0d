// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entries and returns: each call is counted once, for its own socket, or not at all.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/sockcalls.h"

#define A 0xffff888100001000ULL
#define B 0xffff888100002000ULL

static struct sockcalls *calls;
static struct sockcalls_stats stats;
static struct sock_event ev;
static u64 now;

static int setup(void **state)
{
	(void)state;
	now = 0;
	return sockcalls_new(&calls, 64, NULL);
}

static int teardown(void **state)
{
	(void)state;
	sockcalls_free(calls);
	return 0;
}

static enum sockcalls_verdict enter(s32 tid, u8 call, u64 sk)
{
	ev = (struct sock_event){ .kind = SOCK_EVENT_ENTER,
				  .ts_ns = ++now,
				  .tid = tid,
				  .call = call,
				  .sk = sk,
				  .receives = sock_calls[call].receives,
				  .flags = 7,
				  .comm = "app" };
	return sockcalls_take(calls, &ev);
}

static enum sockcalls_verdict leave(s32 tid, u8 call, s64 ret)
{
	ev = (struct sock_event){ .kind = SOCK_EVENT_RETURN,
				  .ts_ns = ++now,
				  .tid = tid,
				  .call = call,
				  .ret = ret,
				  .receives = sock_calls[call].receives };
	return sockcalls_take(calls, &ev);
}

static void call_is_entry_and_return(void **unused)
{
	(void)unused;
	assert_int_equal(enter(1, SOCK_CALL_TCP_RECEIVE, A), SOCKCALLS_HELD);
	assert_int_equal(leave(1, SOCK_CALL_TCP_RECEIVE, 100), SOCKCALLS_PASS);
	assert_int_equal(ev.kind, SOCK_EVENT_BYTES);
	assert_true(ev.sk == A);
	assert_int_equal(ev.ret, 100);
	assert_int_equal(ev.flags, 7);
	assert_int_equal(ev.ts_ns, 2);
	assert_true(ev.receives);
	assert_string_equal(ev.comm, "app");
}

static void tasks_do_not_mix(void **unused)
{
	(void)unused;
	enter(1, SOCK_CALL_TCP_RECEIVE, A);
	enter(2, SOCK_CALL_TCP_RECEIVE, B);
	enter(3, SOCK_CALL_TCP_RECEIVE, A);
	assert_int_equal(leave(2, SOCK_CALL_TCP_RECEIVE, 20), SOCKCALLS_PASS);
	assert_true(ev.sk == B);
	assert_int_equal(leave(1, SOCK_CALL_TCP_RECEIVE, 10), SOCKCALLS_PASS);
	assert_true(ev.sk == A);
	assert_int_equal(leave(3, SOCK_CALL_TCP_RECEIVE, 30), SOCKCALLS_PASS);
	assert_true(ev.sk == A);
	sockcalls_stats(calls, &stats);
	assert_int_equal(stats.open, 0);
}

static void idle_tasks_are_told_apart_by_cpu(void **unused)
{
	struct sock_event other;

	(void)unused;
	enter(0, SOCK_CALL_TCP_SEND, A);
	other = (struct sock_event){
		.kind = SOCK_EVENT_RETURN, .cpu = 1, .call = SOCK_CALL_TCP_SEND, .ret = 5
	};
	assert_int_equal(sockcalls_take(calls, &other), SOCKCALLS_HELD);
	assert_int_equal(leave(0, SOCK_CALL_TCP_SEND, 5), SOCKCALLS_PASS);
}

/* udpv6_sendmsg() to a peer of IPv4 */
static void call_within_another_is_not_counted_again(void **unused)
{
	(void)unused;
	enter(1, SOCK_CALL_UDP6_SEND, A);
	enter(1, SOCK_CALL_UDP_SEND, A);
	assert_int_equal(leave(1, SOCK_CALL_UDP_SEND, 50), SOCKCALLS_HELD);
	assert_int_equal(leave(1, SOCK_CALL_UDP6_SEND, 50), SOCKCALLS_PASS);
	assert_int_equal(ev.call, SOCK_CALL_UDP6_SEND);
	sockcalls_stats(calls, &stats);
	assert_int_equal(stats.nested, 1);
	assert_int_equal(stats.no_return, 0);
}

/* A page fault while bytes are copied may send over another socket. */
static void call_within_another_of_another_socket_counts(void **unused)
{
	(void)unused;
	enter(1, SOCK_CALL_TCP_SEND, A);
	enter(1, SOCK_CALL_TCP_SEND, B);
	assert_int_equal(leave(1, SOCK_CALL_TCP_SEND, 7), SOCKCALLS_PASS);
	assert_true(ev.sk == B);
	assert_int_equal(leave(1, SOCK_CALL_TCP_SEND, 8), SOCKCALLS_PASS);
	assert_true(ev.sk == A);
}

static void tracepoint_within_sendpage_is_not_counted_again(void **unused)
{
	struct sock_event bytes = { .kind = SOCK_EVENT_BYTES, .tid = 1, .sk = A, .ret = 9 };

	(void)unused;
	assert_int_equal(sockcalls_take(calls, &bytes), SOCKCALLS_PASS);
	enter(1, SOCK_CALL_UDP_SENDPAGE, A);
	assert_int_equal(sockcalls_take(calls, &bytes), SOCKCALLS_HELD);
	bytes.tid = 2;
	assert_int_equal(sockcalls_take(calls, &bytes), SOCKCALLS_PASS);
	bytes.tid = 1;
	bytes.receives = true;
	assert_int_equal(sockcalls_take(calls, &bytes), SOCKCALLS_PASS);
	assert_int_equal(leave(1, SOCK_CALL_UDP_SENDPAGE, 9), SOCKCALLS_PASS);
}

static void return_without_entry_is_nobody_s(void **unused)
{
	(void)unused;
	assert_int_equal(leave(1, SOCK_CALL_TCP_RECEIVE, 100), SOCKCALLS_HELD);
	enter(1, SOCK_CALL_TCP_SEND, A);
	assert_int_equal(leave(1, SOCK_CALL_TCP_RECEIVE, 10), SOCKCALLS_HELD);
	assert_int_equal(leave(1, SOCK_CALL_TCP_SEND, 1), SOCKCALLS_PASS);
	sockcalls_stats(calls, &stats);
	assert_int_equal(stats.no_entry, 2);
	assert_int_equal(stats.no_entry_bytes, 110);
}

/* The kernel did not see the return: the next call of that task is not taken for a part of that one. */
static void entry_without_return_is_in_nobody_s_way(void **unused)
{
	(void)unused;
	enter(1, SOCK_CALL_TCP_RECEIVE, A);
	enter(1, SOCK_CALL_TCP_RECEIVE, A);
	assert_int_equal(leave(1, SOCK_CALL_TCP_RECEIVE, 10), SOCKCALLS_PASS);
	sockcalls_stats(calls, &stats);
	assert_int_equal(stats.no_return, 1);
	assert_int_equal(stats.open, 0);

	enter(1, SOCK_CALL_TCP_SEND, A);
	enter(1, SOCK_CALL_TCP_RECEIVE, B);
	enter(1, SOCK_CALL_TCP_SEND, A); /* takes the first one out from below */
	assert_int_equal(leave(1, SOCK_CALL_TCP_SEND, 10), SOCKCALLS_PASS);
	assert_int_equal(leave(1, SOCK_CALL_TCP_RECEIVE, 11), SOCKCALLS_PASS);
	assert_true(ev.sk == B);
	sockcalls_stats(calls, &stats);
	assert_int_equal(stats.no_return, 2);
	assert_int_equal(stats.open, 0);
}

static void stacks_are_not_deeper_than_any_kernel_s(void **unused)
{
	u64 i;

	(void)unused;
	for (i = 0; i < 1000; i++)
		enter(1, SOCK_CALL_TCP_RECEIVE, A + i * 64);
	sockcalls_stats(calls, &stats);
	assert_in_range(stats.open, 1, 8);
	assert_int_equal(leave(1, SOCK_CALL_TCP_RECEIVE, 10), SOCKCALLS_PASS);
	assert_true(ev.sk == A + 999 * 64);
}

static void calls_around_a_loss_are_not_counted(void **unused)
{
	(void)unused;
	enter(1, SOCK_CALL_TCP_RECEIVE, A);
	sockcalls_lost(calls);
	/* this may be the return of a later call, for another socket */
	assert_int_equal(leave(1, SOCK_CALL_TCP_RECEIVE, 10), SOCKCALLS_UNSURE);
	assert_true(ev.sk == A);
	enter(1, SOCK_CALL_TCP_RECEIVE, A);
	assert_int_equal(leave(1, SOCK_CALL_TCP_RECEIVE, 11), SOCKCALLS_PASS);
	sockcalls_stats(calls, &stats);
	assert_int_equal(stats.unsure, 1);
	assert_int_equal(stats.unsure_bytes, 10);
}

static void foreign_sockets_are_passed_over(void **unused)
{
	struct sock_event unix_socket = { .kind = SOCK_EVENT_ENTER,
					  .tid = 1,
					  .sk = B,
					  .call = SOCK_CALL_SKB_SPLICE,
					  .receives = true,
					  .foreign = true };

	(void)unused;
	sockcalls_take(calls, &unix_socket);
	assert_int_equal(leave(1, SOCK_CALL_SKB_SPLICE, 10), SOCKCALLS_HELD);
	sockcalls_stats(calls, &stats);
	assert_int_equal(stats.no_entry, 0);
	assert_int_equal(stats.calls, 0);
}

static void full_table_makes_no_wrong_pairs(void **unused)
{
	s32 tid;

	(void)unused;
	for (tid = 1; tid <= 64; tid++)
		enter(tid, SOCK_CALL_TCP_RECEIVE, A);
	enter(65, SOCK_CALL_TCP_RECEIVE, B);
	assert_int_equal(leave(65, SOCK_CALL_TCP_RECEIVE, 10), SOCKCALLS_HELD);
	/* within another: its return cannot be told from the outer one's */
	enter(1, SOCK_CALL_TCP_RECEIVE, B);
	assert_int_equal(leave(1, SOCK_CALL_TCP_RECEIVE, 10), SOCKCALLS_UNSURE);
	assert_int_equal(leave(2, SOCK_CALL_TCP_RECEIVE, 10), SOCKCALLS_PASS);
	sockcalls_stats(calls, &stats);
	assert_int_equal(stats.refused, 2);
}

/* ---- random tasks, of which some records are lost */

#define TASKS 12

struct frame {
	u64 sk;
	u8 call;
	bool nested;
	u32 id;
};

struct task {
	struct frame frame[4];
	int depth;
};

static struct {
	u64 sk;
	bool counts;
} truth[200000];
static u32 nr_truth;

static void run_random(u32 lost_ppm, bool missed_returns, u64 *right, u64 *all)
{
	static const u8 kinds[] = { SOCK_CALL_TCP_SEND, SOCK_CALL_TCP_RECEIVE, SOCK_CALL_UDP_SEND,
				    SOCK_CALL_UDP_RECEIVE, SOCK_CALL_UDP6_SEND };
	struct task task[TASKS] = { 0 };
	bool losing = false, was_losing = false;
	enum sockcalls_verdict v;
	struct frame *f;
	struct task *t;
	u32 i, id;
	bool seen;
	int max;

	nr_truth = 0;
	*right = *all = 0;
	for (i = 0; i < 150000; i++) {
		t = &task[rand() % TASKS];
		/* bursts of lost records; the reader is told where they were */
		losing = losing ? rand() % 20 != 0 : (u32)(rand() % 1000000) < lost_ppm;
		if (was_losing && !losing)
			sockcalls_lost(calls);
		was_losing = losing;
		/* of a missed return within a call for another socket nothing tells */
		max = missed_returns && t->depth &&
				      t->frame[t->depth - 1].call != SOCK_CALL_UDP6_SEND ?
			      1 :
			      4;
		if (t->depth < max && (t->depth == 0 || rand() % 3 == 0)) {
			f = &t->frame[t->depth];
			f->call = kinds[(u32)rand() % ARRAY_SIZE(kinds)];
			/* different sockets on one stack, but for what the kernel calls itself */
			f->sk = A + (u64)(t - task) * 4096 + (u64)t->depth * 64 +
				(u64)(rand() % 40) * 65536;
			f->nested = false;
			if (t->depth && t->frame[t->depth - 1].call == SOCK_CALL_UDP6_SEND) {
				f->call = SOCK_CALL_UDP_SEND;
				f->sk = t->frame[t->depth - 1].sk;
				f->nested = true;
			}
			f->id = nr_truth++;
			truth[f->id].sk = f->sk;
			truth[f->id].counts = !f->nested;
			*all += !f->nested;
			t->depth++;
			if (!losing)
				enter((s32)(t - task) + 1, f->call, f->sk);
			continue;
		}
		if (!t->depth)
			continue;
		f = &t->frame[--t->depth];
		seen = !losing && !(missed_returns && rand() % 50 == 0);
		if (!seen)
			continue;
		/* the number of the call stands for its bytes */
		v = leave((s32)(t - task) + 1, f->call, (s64)f->id + 1);
		if (v != SOCKCALLS_PASS)
			continue;
		id = (u32)ev.ret - 1;
		assert_true(ev.sk == truth[id].sk);
		if (truth[id].counts)
			++*right;
		else if (!lost_ppm && !missed_returns)
			fail_msg("a call within another was counted");
	}
	/* what is still under way */
	for (i = 0; i < TASKS; i++)
		*all -= (u64)task[i].depth;
}

static void all_calls_of_random_tasks_are_counted(void **unused)
{
	u64 right, all;

	(void)unused;
	sockcalls_free(calls);
	sockcalls_new(&calls, 1000, NULL);
	srand(3);
	run_random(0, false, &right, &all);
	sockcalls_stats(calls, &stats);
	assert_true(right > 30000);
	assert_int_equal(stats.no_entry, 0);
	assert_int_equal(stats.no_return, 0);
	assert_int_equal(stats.unsure, 0);
	assert_int_equal(stats.calls - stats.nested, right);
}

static void no_bytes_go_to_a_wrong_socket_when_records_are_lost(void **unused)
{
	u64 right, all;
	u32 seed;

	(void)unused;
	for (seed = 1; seed <= 10; seed++) {
		sockcalls_free(calls);
		sockcalls_new(&calls, 1000, NULL);
		srand(seed);
		run_random(3000, false, &right, &all);
		assert_true(right > all / 3);
		assert_true(right < all);
	}
}

static void no_bytes_go_to_a_wrong_socket_when_returns_are_missed(void **unused)
{
	u64 right, all;
	u32 seed;

	(void)unused;
	for (seed = 1; seed <= 10; seed++) {
		sockcalls_free(calls);
		sockcalls_new(&calls, 1000, NULL);
		srand(seed);
		run_random(0, true, &right, &all);
		assert_true(right > all * 9 / 10);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(call_is_entry_and_return),
		T(tasks_do_not_mix),
		T(idle_tasks_are_told_apart_by_cpu),
		T(call_within_another_is_not_counted_again),
		T(call_within_another_of_another_socket_counts),
		T(tracepoint_within_sendpage_is_not_counted_again),
		T(return_without_entry_is_nobody_s),
		T(entry_without_return_is_in_nobody_s_way),
		T(stacks_are_not_deeper_than_any_kernel_s),
		T(calls_around_a_loss_are_not_counted),
		T(foreign_sockets_are_passed_over),
		T(full_table_makes_no_wrong_pairs),
		T(all_calls_of_random_tasks_are_counted),
		T(no_bytes_go_to_a_wrong_socket_when_records_are_lost),
		T(no_bytes_go_to_a_wrong_socket_when_returns_are_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
