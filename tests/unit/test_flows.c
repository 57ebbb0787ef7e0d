// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets and their bytes: whose they are, and that each is counted once.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/flows.h"
#include "kernel/sockdiag.h"

#define SK 0xffff888100001000ULL
#define SK2 0xffff888100002000ULL
#define NETNS 4026531840U

static struct flows *flows;
static const struct flow *which;
static u64 now;

static void start(const struct flows_options *o)
{
	flows_free(flows);
	now = 1000;
	assert_int_equal(flows_new(&flows, o, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	start(NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	flows_free(flows);
	flows = NULL;
	return 0;
}

static struct sock_addrs addrs(u16 proto, const char *local, u16 lport, const char *remote,
			       u16 rport)
{
	struct sock_addrs a = { .lport = lport, .rport = rport, .proto = proto, .family = 4 };
	u8 ipv4[4];

	if (strchr(local, ':')) {
		a.family = 6;
		assert_int_equal(inet_pton(AF_INET6, local, a.local), 1);
		assert_int_equal(inet_pton(AF_INET6, remote, a.remote), 1);
		return a;
	}
	assert_int_equal(inet_pton(AF_INET, local, ipv4), 1);
	sock_addr_map(a.local, ipv4);
	assert_int_equal(inet_pton(AF_INET, remote, ipv4), 1);
	sock_addr_map(a.remote, ipv4);
	return a;
}

static struct sock_event event(u8 kind, u64 sk)
{
	return (struct sock_event){ .kind = kind,
				    .sk = sk,
				    .ts_ns = now += 10,
				    .tid = 100,
				    .pid = 100,
				    .comm = "app",
				    .addrs = addrs(IPPROTO_TCP, "10.0.0.1", 4000, "10.0.0.2", 80) };
}

static int take(struct sock_event ev)
{
	return flows_take(flows, &ev, &which);
}

static int bytes(u64 sk, bool receives, s64 ret)
{
	struct sock_event ev = event(SOCK_EVENT_BYTES, sk);

	ev.receives = receives;
	ev.ret = ret;
	return take(ev);
}

static int state(u64 sk, u8 from, u8 to)
{
	struct sock_event ev = event(SOCK_EVENT_STATE, sk);

	ev.old_state = from;
	ev.new_state = to;
	ev.pid = 0;
	ev.in_interrupt = true;
	return take(ev);
}

static void assert_sums(const struct flow_sums *sums, u64 rx, u64 tx)
{
	assert_int_equal(sums->rx_bytes, rx);
	assert_int_equal(sums->tx_bytes, tx);
}

static ssize_t rows(bool all, struct flow_row **row)
{
	return flows_rows(flows, all, row);
}

static void what_calls_returned_is_counted(void **unused)
{
	struct sock_event ev;

	(void)unused;
	bytes(SK, false, 100);
	bytes(SK, true, 7);
	bytes(SK, false, -11); /* EAGAIN */
	bytes(SK, true, 0);
	ev = event(SOCK_EVENT_BYTES, SK);
	ev.receives = true;
	ev.ret = 50;
	ev.flags = SOCK_MSG_PEEK | 0x40;
	take(ev);
	ev.flags = SOCK_MSG_ERRQUEUE;
	take(ev);
	assert_sums(&flows_find(flows, SK)->sum, 7, 100);
	assert_int_equal(flows_find(flows, SK)->sum.tx_calls, 1);
}

static void failing_calls_make_no_socket(void **unused)
{
	(void)unused;
	bytes(SK, false, -32);
	assert_null(flows_find(flows, SK));
}

static void connection_is_told_from_birth_to_end(void **unused)
{
	struct sock_event ev;
	u64 begin;

	(void)unused;
	ev = event(SOCK_EVENT_STATE, SK);
	ev.old_state = SOCK_CLOSE;
	ev.new_state = SOCK_SYN_SENT;
	ev.addrs.lport = 0; /* as the kernel tells it */
	begin = ev.ts_ns;
	assert_int_equal(take(ev), FLOW_NEWS_CONNECTS);
	assert_int_equal(state(SK, SOCK_SYN_SENT, SOCK_ESTABLISHED), FLOW_NEWS_CONNECTED);
	assert_int_equal(which->addrs.lport, 4000);
	bytes(SK, false, 10);
	assert_int_equal(state(SK, SOCK_ESTABLISHED, SOCK_FIN_WAIT1), FLOW_NO_NEWS);
	assert_int_equal(state(SK, SOCK_FIN_WAIT2, SOCK_CLOSE), FLOW_NO_NEWS);
	/* what was in the queue may still be read */
	bytes(SK, true, 3);
	assert_int_equal(take(event(SOCK_EVENT_DESTROY, SK)), FLOW_NEWS_ENDED);
	assert_int_equal(which->first_ns, begin);
	assert_true(which->flags & FLOW_BIRTH_SEEN);
	assert_true(which->flags & FLOW_OVER);
	assert_false(which->flags & FLOW_END_NOT_SEEN);
	assert_sums(&which->sum, 3, 10);
	assert_null(flows_find(flows, SK));
}

static void child_of_a_listener_is_another_socket(void **unused)
{
	struct sock_event ev = event(SOCK_EVENT_STATE, SK);

	(void)unused;
	ev.addrs = addrs(IPPROTO_TCP, "0.0.0.0", 80, "0.0.0.0", 0);
	ev.old_state = SOCK_CLOSE;
	ev.new_state = SOCK_LISTEN;
	assert_int_equal(take(ev), FLOW_NEWS_LISTENS);
	/* the copy still has its listener's addresses */
	ev.sk = SK2;
	ev.old_state = SOCK_LISTEN;
	ev.new_state = SOCK_SYN_RECV;
	assert_int_equal(take(ev), FLOW_NO_NEWS);
	assert_int_equal(state(SK2, SOCK_SYN_RECV, SOCK_ESTABLISHED), FLOW_NEWS_ACCEPTED);
	assert_int_equal(which->addrs.rport, 80);
	assert_true(which->flags & FLOW_ACCEPTED);
	assert_int_equal(flows_find(flows, SK)->state, SOCK_LISTEN);
}

static void failed_connection_is_told(void **unused)
{
	(void)unused;
	state(SK, SOCK_CLOSE, SOCK_SYN_SENT);
	assert_int_equal(state(SK, SOCK_SYN_SENT, SOCK_CLOSE), FLOW_NEWS_FAILED);
	/* the next try on the same socket is another connection */
	assert_int_equal(state(SK, SOCK_CLOSE, SOCK_SYN_SENT), FLOW_NEWS_CONNECTS);
	assert_int_equal(which->number, 2);
}

static void used_address_is_another_socket(void **unused)
{
	struct flows_stats stats;

	(void)unused;
	bytes(SK, true, 5);
	take(event(SOCK_EVENT_DESTROY, SK));
	bytes(SK, true, 6);
	assert_int_equal(which->number, 2);
	assert_sums(&which->sum, 6, 0);
	flows_stats(flows, &stats);
	assert_int_equal(stats.superseded, 0);
	assert_sums(&stats.sum, 11, 0);
}

/* The end of the first was lost: each of these says that it cannot be the same. */
static void contradiction_is_another_socket(void **unused)
{
	struct sock_event first, ev;
	struct flows_stats stats;
	int i;

	(void)unused;
	for (i = 0; i < 7; i++) {
		start(NULL);
		first = event(SOCK_EVENT_BYTES, SK);
		first.ret = 5;
		first.cookie = i == 0 ? 1 : 0;
		first.netns = NETNS;
		take(first);
		ev = first;
		ev.cookie = i == 0 ? 2 : 0;
		ev.netns = i == 1 ? NETNS + 1 : NETNS;
		ev.addrs.lport = i == 2 ? 4001 : 4000;
		ev.addrs.rport = i == 3 ? 81 : 80;
		ev.addrs.remote[15] = i == 4 ? 9 : 2;
		ev.addrs.proto = i == 5 ? IPPROTO_UDP : IPPROTO_TCP;
		ev.addrs.family = i == 6 ? 6 : 4;
		take(ev);
		assert_int_equal(which->number, 2);
		assert_sums(&which->sum, 0, 5);
		flows_stats(flows, &stats);
		assert_int_equal(stats.superseded, 1);
	}
}

static void unknown_address_contradicts_nothing(void **unused)
{
	struct sock_event ev = event(SOCK_EVENT_BYTES, SK);

	(void)unused;
	ev.ret = 5;
	take(ev);
	ev.addrs = (struct sock_addrs){ .proto = IPPROTO_TCP };
	take(ev);
	assert_int_equal(which->number, 1);
	assert_int_equal(which->addrs.lport, 4000);
	assert_sums(&which->sum, 0, 10);
}

static void udp_socket_may_change_its_peer(void **unused)
{
	struct sock_event ev = event(SOCK_EVENT_BYTES, SK);

	(void)unused;
	ev.ret = 5;
	ev.addrs = addrs(IPPROTO_UDP, "10.0.0.1", 53, "10.0.0.2", 1000);
	take(ev);
	ev.addrs = addrs(IPPROTO_UDP, "10.0.0.1", 53, "10.0.0.3", 2000);
	take(ev);
	assert_int_equal(which->number, 1);
	assert_int_equal(which->addrs.rport, 2000);
	ev.addrs.lport = 54;
	take(ev);
	assert_int_equal(which->number, 2);
}

static struct sockdiag_entry entry(u64 cookie)
{
	return (struct sockdiag_entry){ .addrs = addrs(IPPROTO_TCP, "10.0.0.1", 4000, "10.0.0.2",
						       80),
					.cookie = cookie,
					.netns = NETNS,
					.inode = 77,
					.uid = 1000,
					.pid = 55,
					.comm = "old",
					.rtt_us = 120,
					.state = SOCK_ESTABLISHED };
}

static void inventory(const struct sockdiag_entry *list, size_t nr)
{
	size_t i;

	flows_inventory_begin(flows);
	for (i = 0; i < nr; i++)
		assert_int_equal(flows_inventory_entry(flows, &list[i], now += 10), 0);
	flows_inventory_end(flows, true, now);
}

static void socket_of_the_inventory_is_found_by_cookie(void **unused)
{
	struct sockdiag_entry e[2] = { entry(7), entry(8) };
	struct sock_event ev = event(SOCK_EVENT_BYTES, SK);

	(void)unused;
	/* same addresses, which only the cookies tell apart */
	inventory(e, 2);
	ev.cookie = 8;
	ev.ret = 5;
	ev.receives = true;
	take(ev);
	assert_int_equal(which->number, 2);
	assert_int_equal(which->inode, 77);
	assert_int_equal(which->rtt_us, 120);
	assert_true(which->flags & FLOW_EXISTED);
	assert_false(which->flags & FLOW_BIRTH_SEEN);
	assert_sums(&which->sum, 5, 0);
}

/* Of one that is not known by its address yet the packets that it gets tell. */
static void listed_socket_is_found_by_its_packets(void **unused)
{
	struct sock_addrs packet = addrs(IPPROTO_TCP, "10.0.0.1", 4000, "10.0.0.2", 80);
	struct sockdiag_entry e = entry(7);
	struct sock_event ev = event(SOCK_EVENT_BYTES, SK);

	(void)unused;
	inventory(&e, 1);
	assert_non_null(flows_find_listed(flows, &packet));
	packet.rport = 81;
	assert_null(flows_find_listed(flows, &packet));
	packet.rport = 80;
	ev.cookie = 7;
	ev.ret = 100;
	take(ev);
	assert_null(flows_find_listed(flows, &packet));
	assert_non_null(flows_find(flows, SK));
}

static void inodes_of_the_inventory_can_be_marked(void **unused)
{
	static const u32 inodes[] = { 5, 77, 99 };
	struct sockdiag_entry e[2] = { entry(7), entry(8) };

	(void)unused;
	e[1].inode = 78;
	e[1].addrs.rport = 81;
	inventory(e, 2);
	assert_int_equal(flows_inexact_inodes(flows, inodes, 3), 1);
	assert_int_equal(flows_inexact_inodes(flows, inodes, 0), 0);
	assert_true(flows_find_listed(flows, &e[0].addrs)->flags & FLOW_INEXACT);
	assert_false(flows_find_listed(flows, &e[1].addrs)->flags & FLOW_INEXACT);
}

static void unsure_call_is_its_socket_s_first(void **unused)
{
	struct sockdiag_entry e = entry(7);
	struct sock_event ev = event(SOCK_EVENT_BYTES, SK);

	(void)unused;
	inventory(&e, 1);
	ev.ret = 100;
	assert_int_equal(flows_unsure(flows, &ev), 0);
	assert_int_equal(flows_find(flows, SK)->inode, 77);
	assert_true(flows_find(flows, SK)->flags & FLOW_INEXACT);
	assert_sums(&flows_find(flows, SK)->sum, 0, 0);
	/* of one that nobody knew */
	ev.sk = SK2;
	ev.addrs.lport = 9;
	assert_int_equal(flows_unsure(flows, &ev), 0);
	ev.ret = 5;
	take(ev);
	assert_true(which->flags & FLOW_INEXACT);
	assert_sums(&which->sum, 0, 5);
}

/* What was told of it before its address was known is not lost when that turns out to be its own. */
static void recognised_socket_keeps_what_it_had(void **unused)
{
	static const u32 inode[] = { 77 };
	struct sockdiag_entry e = entry(7);
	struct sock_event ev;
	struct flow_row *row;

	(void)unused;
	inventory(&e, 1);
	ev = event(SOCK_EVENT_BYTES, 0);
	ev.from_packets = true;
	ev.receives = true;
	ev.in_interrupt = true;
	ev.ret = 100;
	take(ev);
	flows_next_interval(flows);
	ev.ret = 10;
	take(ev);
	assert_int_equal(flows_inexact_inodes(flows, inode, 1), 1);
	ev = event(SOCK_EVENT_RETRANSMIT, SK);
	ev.addrs.family = 0;
	take(ev);
	assert_int_equal(which->number, 2);
	ev = event(SOCK_EVENT_SEEN, SK);
	ev.cookie = 7;
	take(ev);
	assert_int_equal(which->number, 1);
	assert_true(which->flags & FLOW_INEXACT);
	assert_true(which->flags & FLOW_FROM_PACKETS);
	assert_sums(&which->sum, 110, 0);
	assert_int_equal(rows(false, &row), 1);
	assert_int_equal(row->pid, 55);
	assert_sums(&row->sum, 110, 0);
	assert_sums(&row->recent, 10, 0);
	assert_int_equal(row->recent.retransmits, 1);
	free(row);
	/* the same process moves more */
	ev = event(SOCK_EVENT_BYTES, SK);
	ev.receives = true;
	ev.pid = 55;
	ev.ret = 3;
	take(ev);
	assert_int_equal(rows(false, &row), 1);
	assert_sums(&row->recent, 13, 0);
	free(row);
}

static void socket_that_is_seen_has_a_row(void **unused)
{
	struct sockdiag_entry e[2] = { entry(7), entry(8) };
	const struct flow *listed;
	struct flow_row *row;

	(void)unused;
	e[1].addrs.lport = 4001;
	inventory(e, 2);
	flows_next_interval(flows);
	assert_int_equal(rows(false, &row), 0);
	free(row);
	listed = flows_find_listed(flows, &e[1].addrs);
	flows_seen(flows, listed, now += 10);
	assert_int_equal(rows(false, &row), 1);
	assert_ptr_equal(row->flow, listed);
	assert_int_equal(row->pid, 55);
	assert_sums(&row->recent, 0, 0);
	free(row);
}

static void without_cookies_addresses_must_be_unique(void **unused)
{
	struct sockdiag_entry e[2] = { entry(7), entry(8) };
	struct flows_stats stats;

	(void)unused;
	inventory(e, 1);
	bytes(SK, true, 5);
	assert_int_equal(which->number, 1);
	assert_int_equal(which->cookie, 7);

	start(NULL);
	inventory(e, 2);
	bytes(SK, true, 5);
	assert_int_equal(which->number, 3);
	flows_stats(flows, &stats);
	assert_int_equal(stats.ambiguous, 1);
}

static void netns_tells_equal_addresses_apart(void **unused)
{
	struct sockdiag_entry e[2] = { entry(7), entry(8) };
	struct sock_event ev = event(SOCK_EVENT_BYTES, SK);

	(void)unused;
	e[1].netns = NETNS + 1;
	inventory(e, 2);
	ev.netns = NETNS + 1;
	ev.ret = 1;
	take(ev);
	assert_int_equal(which->cookie, 8);
}

static void new_connection_is_not_one_of_the_inventory(void **unused)
{
	struct sockdiag_entry e = entry(7);

	(void)unused;
	inventory(&e, 1);
	state(SK, SOCK_CLOSE, SOCK_SYN_SENT);
	assert_int_equal(which->number, 2);
}

static void later_inventory_tells_of_known_sockets(void **unused)
{
	struct sockdiag_entry e = entry(7);
	struct sock_event ev;

	(void)unused;
	bytes(SK, true, 5);
	inventory(&e, 1);
	assert_int_equal(flows_find(flows, SK)->cookie, 7);
	assert_int_equal(flows_find(flows, SK)->inode, 77);
	ev = event(SOCK_EVENT_BYTES, SK);
	ev.cookie = 7;
	ev.ret = 1;
	take(ev);
	assert_int_equal(which->number, 1);
}

/* Without probes a call tells no addresses; another event of the socket does, later. */
static void socket_is_recognised_later(void **unused)
{
	struct sockdiag_entry e[2] = { entry(7), entry(8) };
	struct flows_stats stats;
	struct sock_event ev;
	int by_cookie;

	(void)unused;
	for (by_cookie = 0; by_cookie < 2; by_cookie++) {
		start(NULL);
		inventory(e, by_cookie ? 2 : 1);
		ev = event(SOCK_EVENT_BYTES, SK);
		ev.addrs = (struct sock_addrs){ .proto = IPPROTO_TCP, .family = 4 };
		ev.ret = 5;
		ev.pid = 0;
		ev.receives = true;
		take(ev);
		assert_int_equal(which->number, by_cookie ? 3 : 2);
		ev = event(SOCK_EVENT_SEEN, SK);
		ev.cookie = by_cookie ? 8 : 0;
		assert_int_equal(take(ev), FLOW_NO_NEWS);
		assert_int_equal(which->number, by_cookie ? 3 : 2);
		assert_int_equal(which->cookie, by_cookie ? 8 : 7);
		assert_int_equal(which->inode, 77);
		assert_int_equal(which->addrs.lport, 4000);
		assert_true(which->flags & FLOW_EXISTED);
		assert_sums(&which->sum, 5, 0);
		flows_stats(flows, &stats);
		assert_int_equal(stats.live, by_cookie ? 2 : 1);
		/* of a socket that nobody knows it makes none */
		ev.sk = SK2;
		ev.cookie = 99;
		ev.addrs.lport = 9;
		take(ev);
		assert_null(which);
	}
}

/* Taken while records wait to be read, it tells of sockets whose birth is in these. */
static void inventory_may_be_ahead_of_the_records(void **unused)
{
	struct sockdiag_entry e = entry(7);
	struct flows_stats stats;
	struct sock_event ev;
	u64 ahead;

	(void)unused;
	ahead = now + 1000;
	flows_inventory_begin(flows);
	flows_inventory_entry(flows, &e, ahead);
	flows_inventory_end(flows, true, ahead);
	ev = event(SOCK_EVENT_STATE, SK);
	ev.old_state = SOCK_CLOSE;
	ev.new_state = SOCK_SYN_SENT;
	ev.addrs.lport = 0;
	take(ev);
	state(SK, SOCK_SYN_SENT, SOCK_ESTABLISHED);
	assert_int_equal(which->inode, 77);
	assert_int_equal(which->cookie, 7);
	assert_int_equal(which->rtt_us, 120);
	assert_true(which->flags & FLOW_BIRTH_SEEN);
	assert_false(which->flags & FLOW_EXISTED);
	flows_stats(flows, &stats);
	assert_int_equal(stats.live, 1);

	/* but one that was there before the birth is another */
	start(NULL);
	inventory(&e, 1);
	ev.ts_ns = now += 10;
	take(ev);
	state(SK, SOCK_SYN_SENT, SOCK_ESTABLISHED);
	assert_int_equal(which->inode, 0);
	flows_stats(flows, &stats);
	assert_int_equal(stats.live, 2);
}

static void socket_that_left_the_inventory_is_over(void **unused)
{
	struct sockdiag_entry e[2] = { entry(7), entry(8) };
	struct flow_row *row;

	(void)unused;
	e[1].addrs.lport = 5000;
	inventory(e, 2);
	flows_next_interval(flows);
	inventory(e, 1);
	assert_int_equal(rows(false, &row), 1);
	assert_int_equal(row->flow->cookie, 8);
	assert_true(row->flow->flags & FLOW_END_NOT_SEEN);
	assert_int_equal(row->pid, 55);
	assert_string_equal(row->comm, "old");
	free(row);
	flows_next_interval(flows);
	assert_int_equal(rows(true, &row), 1);
	free(row);
}

static void bytes_are_those_of_who_moved_them(void **unused)
{
	struct sock_event ev = event(SOCK_EVENT_BYTES, SK);
	struct flow_row *row;
	ssize_t nr, i;

	(void)unused;
	ev.ret = 100;
	take(ev);
	/* the socket was passed on */
	ev.pid = 200;
	strcpy(ev.comm, "child");
	ev.ret = 10;
	take(ev);
	ev.in_interrupt = true;
	ev.ret = 1;
	take(ev);
	nr = rows(false, &row);
	assert_int_equal(nr, 3);
	for (i = 0; i < nr; i++) {
		assert_sums(&row[i].sum, 0, row[i].pid == 100 ? 100 : row[i].pid == 200 ? 10 : 1);
		assert_string_equal(row[i].comm, row[i].pid == 100 ? "app" :
						 row[i].pid	   ? "child" :
								     "");
	}
	assert_sums(&row[0].flow->sum, 0, 111);
	free(row);
}

static void interval_has_its_own_sums(void **unused)
{
	struct flow_row *row;

	(void)unused;
	bytes(SK, true, 5);
	flows_next_interval(flows);
	assert_int_equal(rows(false, &row), 0);
	free(row);
	assert_int_equal(rows(true, &row), 1);
	assert_sums(&row->recent, 0, 0);
	assert_sums(&row->sum, 5, 0);
	free(row);
	bytes(SK, true, 6);
	assert_int_equal(rows(false, &row), 1);
	assert_sums(&row->recent, 6, 0);
	assert_sums(&row->sum, 11, 0);
	free(row);
}

static void retransmits_are_counted(void **unused)
{
	struct sock_event ev = event(SOCK_EVENT_RETRANSMIT, SK);
	struct flow_row *row;

	(void)unused;
	bytes(SK, false, 5);
	ev.in_interrupt = true;
	take(ev);
	take(ev);
	assert_int_equal(rows(false, &row), 1);
	assert_int_equal(row->pid, 100);
	assert_int_equal(row->recent.retransmits, 2);
	free(row);
}

/* 300 sockets in room for 10: what is told in groups does not depend on it. */
static void groups_keep_sums_of_evicted_sockets(void **unused)
{
	static const enum flows_by by[] = { FLOWS_BY_PID, FLOWS_BY_COMM, FLOWS_BY_HOST,
					    FLOWS_BY_PORT, FLOWS_BY_NETNS };
	struct flows_stats stats;
	struct sock_event ev;
	struct flow_row *row;
	ssize_t nr, r;
	size_t b;
	u32 i;

	(void)unused;
	for (b = 0; b < ARRAY_SIZE(by); b++) {
		start(&(struct flows_options){ .by = by[b], .max_sockets = 10 });
		for (i = 0; i < 300; i++) {
			ev = event(SOCK_EVENT_BYTES, SK + i * 64);
			ev.ret = 1 + (i % 3);
			ev.pid = 10 + (s32)(i % 3);
			ev.comm[0] = (char)('a' + i % 3);
			ev.addrs.remote[15] = (u8)(1 + i % 3);
			ev.addrs.rport = (u16)(80 + i % 3);
			ev.netns = NETNS + i % 3;
			take(ev);
		}
		flows_stats(flows, &stats);
		assert_int_equal(stats.evicted_live, 290);
		assert_sums(&stats.sum, 0, 600);
		assert_int_equal(stats.gone.tx_bytes, 600 - (1 + 2 + 3) * 3 - 3);
		nr = rows(false, &row);
		assert_int_equal(nr, 3);
		for (r = 0; r < nr; r++) {
			u32 is = by[b] == FLOWS_BY_PID	? (u32)row[r].pid - 10 :
				 by[b] == FLOWS_BY_COMM ? (u32)(row[r].comm[0] - 'a') :
				 by[b] == FLOWS_BY_HOST ? row[r].host[15] - 1U :
				 by[b] == FLOWS_BY_PORT ? row[r].port - 80U :
							  row[r].netns - NETNS;
			assert_true(is < 3);
			assert_sums(&row[r].recent, 0, 100 * (is + 1));
		}
		free(row);
	}
}

static bool port_is_80(void *ctx, const struct sock_addrs *a)
{
	++*(int *)ctx;
	return a->rport == 80;
}

/* Sums of groups and rows are of those that are wanted; it is asked once a socket, not once an event. */
static void unwanted_sockets_are_not_told_of(void **unused)
{
	static const enum flows_by by[] = { FLOWS_BY_SOCKET, FLOWS_BY_PORT, FLOWS_BY_PID };
	struct sock_event ev;
	struct flow_row *row;
	size_t b;
	int asked;
	u32 i;

	(void)unused;
	for (b = 0; b < ARRAY_SIZE(by); b++) {
		asked = 0;
		start(&(struct flows_options){
			.by = by[b], .wanted = port_is_80, .wanted_ctx = &asked });
		for (i = 0; i < 100; i++) {
			ev = event(SOCK_EVENT_BYTES, SK + (i % 2) * 64);
			ev.ret = 10;
			ev.pid = 5;
			ev.addrs.lport = (u16)(4000 + i % 2);
			ev.addrs.rport = (u16)(80 + i % 2);
			take(ev);
			assert_int_equal(!which, i % 2);
		}
		assert_int_equal(rows(true, &row), 1);
		assert_sums(&row->recent, 0, 500);
		free(row);
		assert_true(asked <= 4);
	}
}

static void groups_may_be_of_one_process(void **unused)
{
	struct sock_event ev = event(SOCK_EVENT_BYTES, SK);
	struct flow_row *row;

	(void)unused;
	start(&(struct flows_options){ .by = FLOWS_BY_HOST, .pid = 5 });
	ev.ret = 10;
	ev.pid = 5;
	take(ev);
	ev.pid = 6;
	take(ev);
	ev.pid = 5;
	ev.in_interrupt = true;
	take(ev);
	assert_int_equal(rows(true, &row), 1);
	assert_sums(&row->sum, 0, 10);
	free(row);
}

static void too_many_groups_are_summed_in_one(void **unused)
{
	struct flows_stats stats;
	struct sock_event ev;
	struct flow_row *row;
	ssize_t nr, r;
	u64 sum = 0, others = 0;
	int i;

	(void)unused;
	start(&(struct flows_options){ .by = FLOWS_BY_PID, .max_groups = 3 });
	for (i = 0; i < 10; i++) {
		ev = event(SOCK_EVENT_BYTES, SK);
		ev.pid = 10 + i;
		ev.ret = 1;
		take(ev);
	}
	nr = rows(false, &row);
	assert_int_equal(nr, 4);
	for (r = 0; r < nr; r++) {
		sum += row[r].sum.tx_bytes;
		others += row[r].others ? row[r].sum.tx_bytes : 0;
	}
	free(row);
	assert_int_equal(sum, 10);
	assert_int_equal(others, 7);
	flows_stats(flows, &stats);
	assert_int_equal(stats.groups_refused, 7);
}

/* In two intervals of each socket and process; what is summed by something else later is the same. */
static void groups_can_be_chosen_later(void **unused)
{
	static const enum flows_by by[] = { FLOWS_BY_PID,  FLOWS_BY_COMM,  FLOWS_BY_HOST,
					    FLOWS_BY_PORT, FLOWS_BY_NETNS, FLOWS_BY_PID };
	struct sock_event ev;
	struct flow_row *row;
	u64 others, sum;
	ssize_t nr, r;
	size_t b;
	u32 i;

	(void)unused;
	start(&(struct flows_options){ .max_sockets = 10 });
	for (i = 0; i < 18; i++) {
		if (i == 12)
			flows_next_interval(flows);
		/* i / 2: each socket has two calls in the first interval, some one in the second */
		ev = event(SOCK_EVENT_BYTES, SK + i % 12 / 2 * 64);
		ev.ret = 1 + i % 3;
		ev.pid = 10 + (s32)(i % 12 / 2 % 2);
		ev.comm[0] = (char)('a' + i % 12 / 2 % 2);
		ev.addrs.remote[15] = (u8)(1 + i % 12 / 2 % 2);
		ev.addrs.rport = (u16)(80 + i % 12 / 2 % 2);
		ev.netns = NETNS + i % 12 / 2 % 2;
		take(ev);
	}
	/* of 0 to 11: sockets 0, 2, 4 have i = 0 1, 4 5, 8 9; then 12 13, 16 17 are of sockets 0, 2 */
	for (b = 0; b < ARRAY_SIZE(by); b++) {
		flows_regroup(flows, by[b]);
		nr = rows(true, &row);
		assert_int_equal(nr, 2);
		for (r = 0; r < nr; r++) {
			bool even = by[b] == FLOWS_BY_PID  ? row[r].pid == 10 :
				    by[b] == FLOWS_BY_COMM ? row[r].comm[0] == 'a' :
				    by[b] == FLOWS_BY_HOST ? row[r].host[15] == 1 :
				    by[b] == FLOWS_BY_PORT ? row[r].port == 80 :
							     row[r].netns == NETNS;

			assert_sums(&row[r].sum, 0, even ? 20 : 16);
			assert_sums(&row[r].recent, 0, even ? 8 : 4);
		}
		free(row);
	}
	/* what comes later is added, here with sockets that are forgotten for others */
	flows_next_interval(flows);
	for (i = 0; i < 100; i++) {
		ev = event(SOCK_EVENT_BYTES, SK2 + i * 64);
		ev.ret = 1;
		ev.pid = 10;
		take(ev);
	}
	nr = rows(false, &row);
	assert_int_equal(nr, 1);
	assert_sums(&row->sum, 0, 120);
	assert_sums(&row->recent, 0, 100);
	free(row);
	/* nothing gets lost */
	flows_regroup(flows, FLOWS_BY_HOST);
	nr = rows(true, &row);
	for (r = 0, sum = others = 0; r < nr; r++) {
		sum += row[r].sum.tx_bytes;
		others += row[r].others ? row[r].sum.tx_bytes : 0;
	}
	free(row);
	assert_int_equal(sum, 136);
	assert_int_equal(others, 126);
	flows_regroup(flows, FLOWS_BY_SOCKET);
	assert_int_equal(rows(true, &row), 10);
	free(row);
}

static void over_sockets_make_room_first(void **unused)
{
	struct flows_stats stats;

	(void)unused;
	start(&(struct flows_options){ .max_sockets = 3 });
	bytes(SK, true, 1);
	bytes(SK + 64, true, 1);
	bytes(SK + 128, true, 1);
	take(event(SOCK_EVENT_DESTROY, SK + 128));
	bytes(SK + 192, true, 1);
	flows_stats(flows, &stats);
	assert_int_equal(stats.evicted_over, 1);
	assert_int_equal(stats.evicted_live, 0);
	/* the one used least lately goes */
	flows_next_interval(flows);
	bytes(SK, true, 1);
	bytes(SK + 192, true, 1);
	bytes(SK + 256, true, 1);
	assert_non_null(flows_find(flows, SK));
	assert_null(flows_find(flows, SK + 64));
	flows_stats(flows, &stats);
	assert_int_equal(stats.evicted_live, 1);
}

/* A socket used by more processes than there is room for: the bytes are counted, as nobody's. */
static void bytes_of_too_many_processes_are_counted(void **unused)
{
	struct flows_stats stats;
	struct sock_event ev;
	struct flow_row *row;
	ssize_t nr, r;
	u64 sum = 0;
	int i;

	(void)unused;
	start(&(struct flows_options){ .max_sockets = 1 });
	for (i = 0; i < 40; i++) {
		ev = event(SOCK_EVENT_BYTES, SK);
		ev.pid = 10 + i;
		ev.ret = 1;
		take(ev);
	}
	nr = rows(false, &row);
	for (r = 0; r < nr; r++)
		sum += row[r].recent.tx_bytes;
	free(row);
	assert_int_equal(sum, 40);
	flows_stats(flows, &stats);
	assert_int_equal(stats.owners_refused, 40 - 17);
}

/*
 * Random lives of sockets on few addresses, against a model that looks through a list. All sums must agree,
 * those of single sockets and those of processes.
 */
#define MODEL 4000
static void random_lives_give_the_model_s_sums(void **unused)
{
	static struct {
		u64 rx, tx;
		bool open;
	} model[MODEL];
	u32 on[16] = { 0 }, nr = 0, i, a;
	u64 pid_tx[4] = { 0 }, seen_tx[4] = { 0 };
	struct sock_event ev;
	struct flow_row *row;
	ssize_t n, r;

	(void)unused;
	srand(1);
	for (i = 0; i < 60000; i++) {
		a = (u32)rand() % 16;
		if (!on[a] && nr + 1 < MODEL) {
			on[a] = ++nr;
			model[nr - 1].open = true;
		}
		if (!on[a])
			continue;
		if (rand() % 40 == 0) {
			take(event(SOCK_EVENT_DESTROY, SK + a * 64));
			if (which) {
				assert_sums(&which->sum, model[on[a] - 1].rx, model[on[a] - 1].tx);
			} else {
				assert_int_equal(model[on[a] - 1].rx + model[on[a] - 1].tx, 0);
			}
			on[a] = 0;
			continue;
		}
		ev = event(SOCK_EVENT_BYTES, SK + a * 64);
		ev.receives = rand() % 2;
		ev.ret = rand() % 5 ? rand() % 3000 : -11;
		ev.pid = 1 + rand() % 4;
		take(ev);
		if (ev.ret <= 0)
			continue;
		assert_non_null(which);
		if (ev.receives)
			model[on[a] - 1].rx += (u64)ev.ret;
		else
			model[on[a] - 1].tx += (u64)ev.ret, pid_tx[ev.pid - 1] += (u64)ev.ret;
		assert_sums(&which->sum, model[on[a] - 1].rx, model[on[a] - 1].tx);
		if (rand() % 500)
			continue;
		n = rows(false, &row);
		for (r = 0; r < n; r++)
			seen_tx[row[r].pid - 1] += row[r].recent.tx_bytes;
		free(row);
		flows_next_interval(flows);
	}
	n = rows(false, &row);
	for (r = 0; r < n; r++)
		seen_tx[row[r].pid - 1] += row[r].recent.tx_bytes;
	free(row);
	for (i = 0; i < 4; i++)
		assert_int_equal(seen_tx[i], pid_tx[i]);
}

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static u64 resident_bytes(void)
{
	unsigned long long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * (u64)sysconf(_SC_PAGESIZE);
}

static void million_sockets_take_less_than_512_mib(void **unused)
{
	u64 before = resident_bytes(), used;
	struct sock_event ev;
	struct flows_stats stats;
	u32 i;

	(void)unused;
#ifdef SANITIZED
	skip();
#endif
	for (i = 0; i < 1000000; i++) {
		ev = event(SOCK_EVENT_BYTES, SK + i * 64ULL);
		ev.ret = 1;
		ev.cookie = i + 1;
		ev.pid = (s32)i + 1;
		ev.addrs.lport = (u16)(i % 60000 + 1);
		ev.addrs.remote[14] = (u8)(i / 60000);
		assert_int_equal(take(ev), FLOW_NO_NEWS);
	}
	flows_stats(flows, &stats);
	assert_int_equal(stats.live, 1000000);
	assert_int_equal(stats.evicted_live, 0);
	used = resident_bytes() - before;
	print_message("1,000,000 sockets: %llu MiB\n", (unsigned long long)(used >> 20));
	assert_true(used < 512ULL << 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(what_calls_returned_is_counted),
		T(failing_calls_make_no_socket),
		T(connection_is_told_from_birth_to_end),
		T(child_of_a_listener_is_another_socket),
		T(failed_connection_is_told),
		T(used_address_is_another_socket),
		T(contradiction_is_another_socket),
		T(unknown_address_contradicts_nothing),
		T(udp_socket_may_change_its_peer),
		T(socket_of_the_inventory_is_found_by_cookie),
		T(listed_socket_is_found_by_its_packets),
		T(inodes_of_the_inventory_can_be_marked),
		T(unsure_call_is_its_socket_s_first),
		T(recognised_socket_keeps_what_it_had),
		T(socket_that_is_seen_has_a_row),
		T(without_cookies_addresses_must_be_unique),
		T(netns_tells_equal_addresses_apart),
		T(new_connection_is_not_one_of_the_inventory),
		T(later_inventory_tells_of_known_sockets),
		T(socket_is_recognised_later),
		T(inventory_may_be_ahead_of_the_records),
		T(socket_that_left_the_inventory_is_over),
		T(bytes_are_those_of_who_moved_them),
		T(interval_has_its_own_sums),
		T(retransmits_are_counted),
		T(groups_keep_sums_of_evicted_sockets),
		T(unwanted_sockets_are_not_told_of),
		T(groups_may_be_of_one_process),
		T(too_many_groups_are_summed_in_one),
		T(groups_can_be_chosen_later),
		T(over_sockets_make_room_first),
		T(bytes_of_too_many_processes_are_counted),
		T(random_lives_give_the_model_s_sums),
		T(million_sockets_take_less_than_512_mib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
