// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames of a tap -> bytes of sockets: each byte once, in its time, for the one socket that it is of.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/flowpkts.h"
#include "analysis/flows.h"
#include "kernel/sockdiag.h"

#define MS 1000000ULL
#define SK 0xffff888100001000ULL

static struct flowpkts *fp;
static struct flows *flows;
static struct skb_facts facts;
static struct sock_event ev;
static u64 now;

static int setup(void **state)
{
	struct flowpkts_options o = { .seed = 1 };
	struct flows_options fo = { .seed = 1 };

	(void)state;
	now = 1000 * MS;
	assert_int_equal(flows_new(&flows, &fo, NULL), 0);
	return flowpkts_new(&fp, &o, NULL);
}

static int teardown(void **state)
{
	(void)state;
	flowpkts_free(fp);
	flows_free(flows);
	return 0;
}

/* From 10.0.0.1:1000 to 10.0.0.2:80. @out: as the sender's machine sees it */
static void frame(u8 proto, bool out, u32 ifindex, u32 seq, u32 payload, u8 flags)
{
	struct packet_net *net = &facts.packet.net[0];
	struct event frame = { .kind = EVENT_FRAME, .facts = &facts, .ifindex = ifindex };
	u32 from = htonl(0x0a000001), to = htonl(0x0a000002);

	memset(&facts, 0, sizeof(facts));
	facts.has_packet = true;
	facts.netns_inum = 77;
	facts.frame.ts_ns = now;
	facts.frame.flags = out ? FRAME_OUTGOING : 0;
	facts.packet.nr_nets = 1;
	memcpy(net->src, &from, 4);
	memcpy(net->dst, &to, 4);
	net->version = 4;
	net->part = net->l4 = PART_OK;
	net->proto = proto;
	net->header_bytes = 20;
	net->l4_bytes = proto == IPPROTO_TCP ? 20 : 8;
	net->total_bytes = payload + net->header_bytes + net->l4_bytes;
	net->udp_bytes = (u16)(payload + 8);
	net->sport = 1000;
	net->dport = 80;
	net->tcp_seq = seq;
	net->tcp_flags = flags;
	assert_int_equal(flowpkts_frame(fp, &frame), 0);
}

static void mark(u64 ts_ns)
{
	struct event frame = { .kind = EVENT_FRAME, .facts = &facts };

	memset(&facts, 0, sizeof(facts));
	facts.frame = (struct frame_facts){ .ts_ns = ts_ns, .flags = FRAME_MARK };
	assert_int_equal(flowpkts_frame(fp, &frame), 0);
}

/* All that is there: sums of what was sent and received. */
static void sum(u64 *tx, u64 *rx)
{
	*tx = *rx = 0;
	while (flowpkts_next(fp, UINT64_MAX, &ev)) {
		assert_true(ev.from_packets);
		*(ev.receives ? rx : tx) += (u64)ev.ret;
	}
}

static void expect(u64 tx, u64 rx)
{
	u64 got_tx, got_rx;

	sum(&got_tx, &got_rx);
	assert_int_equal(got_tx, tx);
	assert_int_equal(got_rx, rx);
}

static void payload_of_tcp_counts_once(void **unused)
{
	struct flowpkts_stats st;

	(void)unused;
	frame(IPPROTO_TCP, true, 1, 0xfffffff0, 0, TCP_SYN);
	frame(IPPROTO_TCP, true, 1, 0xfffffff1, 100, TCP_ACK); /* numbers wrap */
	frame(IPPROTO_TCP, true, 2, 0xfffffff1, 100, TCP_ACK); /* another device */
	now++;
	frame(IPPROTO_TCP, true, 1, 85, 50, TCP_ACK);
	frame(IPPROTO_TCP, true, 1, 65, 50, TCP_ACK);  /* sent again, with 20 bytes from before */
	frame(IPPROTO_TCP, true, 1, 135, 0, TCP_ACK);  /* an acknowledgment */
	frame(IPPROTO_TCP, true, 1, 134, 1, TCP_ACK);  /* keep-alive */
	frame(IPPROTO_TCP, true, 1, 5000, 0, TCP_RST); /* means nothing */
	frame(IPPROTO_TCP, true, 1, 135, 0, TCP_ACK | TCP_FIN); /* no byte */
	frame(IPPROTO_TCP, true, 1, 136, 0, TCP_ACK);		/* of the other's FIN */
	expect(150, 0);
	flowpkts_stats(fp, &st);
	assert_int_equal(st.repeated_bytes, 151);
}

static void what_the_tap_lost_counts_with_the_next(void **unused)
{
	(void)unused;
	frame(IPPROTO_TCP, true, 1, 1, 100, TCP_ACK);
	now++;
	frame(IPPROTO_TCP, true, 1, 201, 100, TCP_ACK);
	now++;
	frame(IPPROTO_TCP, true, 1, 101, 100, TCP_ACK); /* comes late */
	expect(300, 0);
}

static void directions_are_told_by_the_device(void **unused)
{
	(void)unused;
	frame(IPPROTO_TCP, true, 1, 1, 100, TCP_ACK);
	frame(IPPROTO_TCP, false, 1, 1, 100, TCP_ACK); /* over loopback */
	expect(100, 100);
	frame(IPPROTO_TCP, false, 1, 101, 7, TCP_ACK);
	assert_true(flowpkts_next(fp, UINT64_MAX, &ev));
	assert_int_equal(ev.addrs.lport, 80);
	assert_int_equal(ev.addrs.rport, 1000);
	assert_int_equal(ev.addrs.local[15], 2);
	assert_int_equal(ev.netns, 77);
}

static void addresses_may_be_used_again(void **unused)
{
	(void)unused;
	frame(IPPROTO_TCP, true, 1, 5000, 0, TCP_SYN);
	frame(IPPROTO_TCP, true, 1, 5001, 100, TCP_ACK);
	now++;
	frame(IPPROTO_TCP, true, 1, 100, 0, TCP_SYN);
	frame(IPPROTO_TCP, true, 1, 101, 100, TCP_ACK);
	expect(200, 0);
}

static void datagrams_count_on_one_device(void **unused)
{
	struct flowpkts_stats st;

	(void)unused;
	frame(IPPROTO_UDP, true, 3, 0, 100, 0);
	frame(IPPROTO_UDP, true, 2, 0, 100, 0);
	frame(IPPROTO_UDP, true, 3, 0, 100, 0); /* the same length, another datagram */
	expect(200, 0);
	flowpkts_stats(fp, &st);
	assert_int_equal(st.elsewhere, 1);
	now += NSEC_PER_SEC;
	frame(IPPROTO_UDP, true, 2, 0, 30, 0); /* the route has changed */
	expect(30, 0);
}

static void hold_state(u64 ts_ns, u8 old_state, u8 new_state)
{
	struct sock_event s = {
		.ts_ns = ts_ns,
		.sk = SK,
		.kind = SOCK_EVENT_STATE,
		.old_state = old_state,
		.new_state = new_state,
		.addrs = { .lport = 1000, .rport = 80, .proto = IPPROTO_TCP, .family = 4 }
	};

	sock_addr_map(s.addrs.local, &(u32){ htonl(0x0a000001) });
	sock_addr_map(s.addrs.remote, &(u32){ htonl(0x0a000002) });
	assert_int_equal(flowpkts_socket(fp, &s), 0);
}

static void events_come_in_the_order_of_their_times(void **unused)
{
	u64 start = now;

	(void)unused;
	hold_state(start, SOCK_SYN_SENT, SOCK_ESTABLISHED);
	hold_state(start + 2 * MS, SOCK_FIN_WAIT2, SOCK_CLOSE);
	/* written down when the socket is over */
	now = start + MS;
	frame(IPPROTO_TCP, true, 1, 1, 100, TCP_ACK);
	assert_false(flowpkts_next(fp, start + 10 * MS, &ev));
	mark(start + MS);
	assert_true(flowpkts_next(fp, start + 10 * MS, &ev));
	assert_int_equal(ev.kind, SOCK_EVENT_STATE);
	assert_true(flowpkts_next(fp, start + 10 * MS, &ev));
	assert_int_equal(ev.ret, 100);
	assert_false(flowpkts_next(fp, start + 10 * MS, &ev));
	assert_int_equal(flowpkts_gone(fp, start + 10 * MS), start + MS);
	/* a tap that is silent does not stop time */
	assert_true(flowpkts_next(fp, start + 2 * MS + FLOWPKTS_HOLD_MAX_NS, &ev));
	assert_int_equal(ev.new_state, SOCK_CLOSE);
}

/* Through to the socket, as the command does it. */
static void run_flows(void)
{
	const struct flow *flow;

	while (flowpkts_next(fp, UINT64_MAX, &ev)) {
		assert_true(flows_take(flows, &ev, &flow) >= 0);
		if (ev.from_packets && !flow)
			flowpkts_unclaimed(fp);
	}
}

static void bytes_are_the_socket_s(void **unused)
{
	const struct flow *flow;

	(void)unused;
	hold_state(now, SOCK_SYN_SENT, SOCK_ESTABLISHED);
	now++;
	frame(IPPROTO_TCP, true, 1, 1, 100, TCP_ACK);
	frame(IPPROTO_TCP, false, 1, 1, 100, TCP_ACK); /* is of the other end, which is not known */
	run_flows();
	flow = flows_find(flows, SK);
	assert_non_null(flow);
	assert_int_equal(flow->sum.tx_bytes, 100);
	assert_int_equal(flow->sum.tx_calls, 0);
	assert_int_equal(flow->sum.rx_bytes, 0);
	assert_true(flow->flags & FLOW_FROM_PACKETS);
}

static void bytes_with_the_handshake_are_not_lost(void **unused)
{
	struct flowpkts_stats st;
	const struct flow *flow;

	(void)unused;
	frame(IPPROTO_TCP, true, 1, 0, 0, TCP_SYN);
	frame(IPPROTO_TCP, true, 1, 1, 100, TCP_ACK);
	hold_state(now + 1, SOCK_SYN_RECV, SOCK_ESTABLISHED);
	now += 2;
	frame(IPPROTO_TCP, true, 1, 101, 0, TCP_ACK);
	run_flows();
	flow = flows_find(flows, SK);
	assert_int_equal(flow->sum.tx_bytes, 100);
	flowpkts_stats(fp, &st);
	assert_int_equal(st.nobodys_bytes, 0);
}

static void datagram_is_for_who_listens_on_any_address(void **unused)
{
	struct sockdiag_entry entry = { .addrs = { .lport = 80, .proto = IPPROTO_UDP, .family = 6 },
					.cookie = 5,
					.netns = 77,
					.pid = 42,
					.comm = "dns" };
	struct flow_row *row;
	ssize_t nr;

	(void)unused;
	flows_inventory_begin(flows);
	assert_int_equal(flows_inventory_entry(flows, &entry, now), 0);
	flows_inventory_end(flows, true, now);
	frame(IPPROTO_UDP, false, 1, 0, 100, 0);
	run_flows();
	nr = flows_rows(flows, false, &row);
	assert_int_equal(nr, 1);
	assert_int_equal(row->recent.rx_bytes, 100);
	assert_int_equal(row->pid, 42);
	free(row);
}

static void other_netns_is_another_s(void **unused)
{
	struct sockdiag_entry entry = { .addrs = { .lport = 80, .proto = IPPROTO_UDP, .family = 6 },
					.cookie = 5,
					.netns = 78 };
	struct flowpkts_stats st;

	(void)unused;
	flows_inventory_begin(flows);
	assert_int_equal(flows_inventory_entry(flows, &entry, now), 0);
	frame(IPPROTO_UDP, false, 1, 0, 100, 0);
	run_flows();
	flowpkts_stats(fp, &st);
	assert_int_equal(st.nobodys_bytes, 100);
}

static void too_many_at_once_are_let_go(void **unused)
{
	struct flowpkts_options o = { .seed = 1, .max_held = 10, .max_pairs = 4 };
	struct flowpkts_stats st;
	u32 i;

	(void)unused;
	flowpkts_free(fp);
	assert_int_equal(flowpkts_new(&fp, &o, NULL), 0);
	for (i = 0; i < 30; i++)
		hold_state(now + (i * 7) % 30, SOCK_CLOSE, SOCK_SYN_SENT);
	for (i = 0; flowpkts_next(fp, now, &ev); i++)
		assert_int_equal(ev.ts_ns, now + i);
	assert_int_equal(i, 20);
	flowpkts_stats(fp, &st);
	assert_int_equal(st.hurried, 20);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(payload_of_tcp_counts_once),
		CASE(what_the_tap_lost_counts_with_the_next),
		CASE(directions_are_told_by_the_device),
		CASE(addresses_may_be_used_again),
		CASE(datagrams_count_on_one_device),
		CASE(events_come_in_the_order_of_their_times),
		CASE(bytes_are_the_socket_s),
		CASE(bytes_with_the_handshake_are_not_lost),
		CASE(datagram_is_for_who_listens_on_any_address),
		CASE(other_netns_is_another_s),
		CASE(too_many_at_once_are_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
