// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is joined with what: each case is a few events with known times, and one that must not be joined.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "analysis/flowlat.h"
#include "capture/flowprobes_table.h"

#define SK 0xffff888100001000ULL
#define SKB 0xffff888100002000ULL
#define MS 1000000ULL

static struct flowlat *lat;
static struct skb_facts facts;
static struct flow flow; /* 10.0.0.1:1000 to 10.0.0.2:80, TCP */
static u64 now;

static int setup(void **state)
{
	struct flowlat_options o = { .seed = 1 };

	(void)state;
	now = 1000;
	memset(&flow, 0, sizeof(flow));
	flow.number = 7;
	flow.sk = SK;
	flow.addrs = (struct sock_addrs){
		.lport = 1000, .rport = 80, .proto = IPPROTO_TCP, .family = 4
	};
	sock_addr_map(flow.addrs.local, &(u32){ htonl(0x0a000001) });
	sock_addr_map(flow.addrs.remote, &(u32){ htonl(0x0a000002) });
	return flowlat_new(&lat, &o, NULL);
}

static int teardown(void **state)
{
	(void)state;
	flowlat_free(lat);
	return 0;
}

/* A packet of the flow. @in: to it, else from it; @payload: bytes of data */
static void headers(bool in, u32 payload, u64 sock)
{
	struct packet_net *net = &facts.packet.net[0];
	u32 own = htonl(0x0a000001), other = htonl(0x0a000002);
	bool udp = flow.addrs.proto == IPPROTO_UDP;

	memset(&facts, 0, sizeof(facts));
	facts.has_packet = true;
	facts.sock = sock;
	facts.packet.nr_nets = 1;
	memcpy(net->src, in ? &other : &own, 4);
	memcpy(net->dst, in ? &own : &other, 4);
	net->version = 4;
	net->part = net->l4 = PART_OK;
	net->proto = (u8)flow.addrs.proto;
	net->header_bytes = 20;
	net->l4_bytes = udp ? 8 : 20;
	net->total_bytes = payload + net->header_bytes + net->l4_bytes;
	net->udp_bytes = (u16)(udp ? payload + 8 : 0);
	net->sport = in ? 80 : 1000;
	net->dport = in ? 1000 : 80;
}

/* @pid: of the thread; 0: in a softirq */
static void packet(u8 kind, u64 skb, s32 pid, bool with_headers, u32 len)
{
	struct event ev = { .ts_ns = now,
			    .skb = skb,
			    .kind = kind,
			    .layer = kind == EVENT_LAYER ? LAYER_L4_IN : LAYER_NONE,
			    .pid = pid ? pid : 99,
			    .context = pid ? 0 : EVENT_IN_SOFTIRQ,
			    .cpu = 3,
			    .len_bytes = len,
			    .has = EVENT_HAS_LEN };

	if (with_headers) {
		ev.has |= EVENT_HAS_FACTS;
		ev.facts = &facts;
	}
	flowlat_packet(lat, &ev);
}

static void begin(u8 call, s32 tid)
{
	struct sock_event ev = {
		.ts_ns = now, .sk = SK, .kind = SOCK_EVENT_BEGIN, .call = call, .tid = tid
	};

	flowlat_begin(lat, &ev);
}

static void bytes(bool receives, s32 tid, s64 ret, u32 flags)
{
	struct sock_event ev = { .ts_ns = now,
				 .sk = SK,
				 .kind = SOCK_EVENT_BYTES,
				 .receives = receives,
				 .tid = tid,
				 .ret = ret,
				 .flags = flags };

	flowlat_bytes(lat, &flow, &ev);
}

static bool readable(s32 tid, bool in_interrupt)
{
	struct sock_event ev = { .ts_ns = now,
				 .sk = SK,
				 .kind = SOCK_EVENT_READABLE,
				 .tid = tid,
				 .cpu = 3,
				 .in_interrupt = in_interrupt };

	return flowlat_readable(lat, &flow, &ev);
}

/* One time of that kind, or none but @unjoined. */
static void expect(enum flowlat_kind kind, u64 ns, u32 unjoined)
{
	const struct flow_latency *l;
	struct flowlat_stats stats;

	assert_int_equal(flowlat_measured(lat, 7), ns != 0);
	l = flowlat_once(lat, 7);
	assert_non_null(l);
	assert_int_equal(l->hist[kind].count, ns != 0);
	assert_int_equal(l->hist[kind].sum_ns, ns);
	assert_int_equal(l->unjoined[kind], unjoined);
	flowlat_stats(lat, &stats);
	assert_int_equal(stats.joined[kind], ns != 0);
	assert_int_equal(stats.unjoined[kind], unjoined);
}

static void send_is_from_the_entry_to_the_first_packet_with_data(void **unused)
{
	(void)unused;
	begin(SOCK_CALL_TLS_SEND, 5);
	now += 10;
	begin(SOCK_CALL_TCP_SEND, 5); /* within it */
	now += 10;
	headers(false, 0, SK); /* an acknowledgment */
	packet(EVENT_QUEUE, SKB, 5, true, 66);
	now += 10;
	headers(false, 100, SK + 8); /* of another socket */
	packet(EVENT_QUEUE, SKB + 8, 5, true, 166);
	now += 10;
	headers(false, 100, SK);
	packet(EVENT_QUEUE, SKB + 16, 0, true, 166); /* in a softirq: perhaps of another call */
	packet(EVENT_QUEUE, SKB + 24, 6, true, 166); /* of another thread */
	now += 10;
	packet(EVENT_QUEUE, SKB + 32, 5, true, 166);
	now += 10;
	packet(EVENT_QUEUE, SKB + 32, 5, true, 166); /* another device */
	bytes(false, 5, 100, 0);
	expect(FLOWLAT_SEND, 50, 0);
}

static void headers_may_come_with_an_event_before(void **unused)
{
	(void)unused;
	begin(SOCK_CALL_TCP_SEND, 5);
	headers(false, 100, SK);
	packet(EVENT_HEADERS, SKB, 5, true, 0);
	now += 7;
	packet(EVENT_QUEUE, SKB + 8, 5, false, 0);
	now += 7;
	packet(EVENT_QUEUE, SKB, 5, false, 0);
	bytes(false, 5, 100, 0);
	expect(FLOWLAT_SEND, 14, 0);
}

static void data_that_leaves_later_is_not_measured(void **unused)
{
	(void)unused;
	begin(SOCK_CALL_TCP_SEND, 5);
	now += MS;
	bytes(false, 5, 100, 0);
	headers(false, 100, SK);
	packet(EVENT_QUEUE, SKB, 0, true, 166);
	packet(EVENT_QUEUE, SKB, 5, true, 166);
	expect(FLOWLAT_SEND, 0, 1);
}

static void failed_calls_are_no_case(void **unused)
{
	(void)unused;
	begin(SOCK_CALL_TCP_SEND, 5);
	bytes(false, 5, -11, 0);
	bytes(true, 5, 0, 0);
	assert_null(flowlat_once(lat, 7));
}

/* Two skbs of 100 and 50 bytes, 2 ms apart. */
static void receive_two(void)
{
	headers(true, 100, 0);
	packet(EVENT_GRO, SKB, 0, true, 140);
	now += MS / 2;
	packet(EVENT_RECEIVE, SKB, 0, true, 140);
	now += 2 * MS;
	headers(true, 50, 0);
	packet(EVENT_RX, SKB + 8, 0, true, 90);
	packet(EVENT_RECEIVE, SKB + 8, 0, true, 90);
}

static void read_is_of_the_oldest_byte(void **unused)
{
	u64 from = now;

	(void)unused;
	receive_two();
	now += 100 * MS;
	packet(EVENT_COPY, 0xbad0, 5, false, 11); /* what the thread read elsewhere */
	packet(EVENT_COPY, SKB, 5, false, 100);
	packet(EVENT_DEATH, SKB, 5, false, 0);
	packet(EVENT_COPY, SKB + 8, 5, false, 50);
	now += 1;
	bytes(true, 5, 150, 0);
	expect(FLOWLAT_READ, now - from, 0);
}

static void rest_of_an_skb_is_not_measured(void **unused)
{
	(void)unused;
	receive_two();
	packet(EVENT_COPY, SKB, 5, false, 60);
	bytes(true, 5, 60, 0);
	packet(EVENT_COPY, SKB, 5, false, 40);
	packet(EVENT_COPY, SKB + 8, 5, false, 50);
	bytes(true, 5, 90, 0);
	assert_int_equal(flowlat_once(lat, 7)->unjoined[FLOWLAT_READ], 1);
}

static void looking_is_not_reading(void **unused)
{
	u64 from = now;

	(void)unused;
	receive_two();
	packet(EVENT_COPY, SKB, 5, false, 100);
	bytes(true, 5, 100, SOCK_MSG_PEEK);
	now += MS;
	packet(EVENT_COPY, SKB, 5, false, 100);
	bytes(true, 5, 100, 0);
	expect(FLOWLAT_READ, now - from, 0);
}

static void copies_must_be_what_the_call_returned(void **unused)
{
	(void)unused;
	receive_two();
	packet(EVENT_COPY, SKB, 5, false, 100);
	packet(EVENT_COPY, SKB + 8, 5, false, 50);
	bytes(true, 5, 120, 0);
	expect(FLOWLAT_READ, 0, 1);
}

static void skbs_of_others_are_not_its(void **unused)
{
	(void)unused;
	receive_two();
	flow.addrs.rport = 81;
	packet(EVENT_COPY, SKB, 5, false, 100);
	bytes(true, 5, 100, 0);
	expect(FLOWLAT_READ, 0, 1);
}

static void address_that_is_used_again_is_another_packet(void **unused)
{
	u64 from;

	(void)unused;
	receive_two();
	now += MS;
	from = now;
	headers(true, 100, 0);
	packet(EVENT_GRO, SKB, 0, true, 140); /* how the first one ended nobody told */
	packet(EVENT_RECEIVE, SKB, 0, true, 140);
	now += 5;
	packet(EVENT_COPY, SKB, 5, false, 100);
	bytes(true, 5, 100, 0);
	expect(FLOWLAT_READ, now - from, 0);
}

static void nothing_is_joined_across_a_loss(void **unused)
{
	(void)unused;
	receive_two();
	flowlat_lost(lat);
	packet(EVENT_COPY, SKB, 5, false, 100);
	bytes(true, 5, 100, 0);
	expect(FLOWLAT_READ, 0, 1);
}

static void datagram_is_what_the_thread_frees(void **unused)
{
	u64 from = now;

	(void)unused;
	flow.addrs.proto = IPPROTO_UDP;
	flow.addrs.rport = 0; /* from anybody */
	memset(flow.addrs.remote, 0, 16);
	receive_two();
	now += MS;
	packet(EVENT_CONSUME, SKB, 5, false, 0);
	bytes(true, 5, 100, 0);
	expect(FLOWLAT_READ, now - from, 0);
}

static void datagram_without_headers_is_told_by_its_length(void **unused)
{
	u64 from = now;

	(void)unused;
	flow.addrs.proto = IPPROTO_UDP;
	packet(EVENT_RECEIVE, SKB, 0, false, 128);
	packet(EVENT_RECEIVE, SKB + 8, 0, false, 129);
	now += MS;
	packet(EVENT_CONSUME, SKB, 5, false, 0);
	bytes(true, 5, 100, 0);
	packet(EVENT_CONSUME, SKB + 8, 5, false, 0);
	bytes(true, 5, 100, 0);
	expect(FLOWLAT_READ, 0 + now - from, 1);
}

static void datagram_may_be_freed_by_another_cpu(void **unused)
{
	struct sock_event taken = { .kind = SOCK_EVENT_TAKEN, .sk = SK, .skb = SKB, .tid = 5 };
	u64 from = now;

	(void)unused;
	flow.addrs.proto = IPPROTO_UDP;
	receive_two();
	flowlat_taken(lat, &taken);
	packet(EVENT_CONSUME, SKB + 8, 5, false, 0); /* what others had left to this CPU */
	now += MS;
	bytes(true, 5, 100, 0);
	taken.sk = SK + 8; /* of another socket */
	flowlat_taken(lat, &taken);
	bytes(true, 5, 100, 0);
	expect(FLOWLAT_READ, now - from, 1);
}

static void queue_is_until_the_socket_is_told(void **unused)
{
	u64 from = now;

	(void)unused;
	headers(true, 100, 0);
	packet(EVENT_RECEIVE, SKB, 0, true, 140);
	now += 40;
	packet(EVENT_LAYER, SKB, 0, true, 140);
	now += 2;
	assert_true(readable(99, true));
	expect(FLOWLAT_QUEUE, now - from, 0);
}

static void packet_of_a_reading_tells_whom_it_is_for(void **unused)
{
	struct sock_event ev = {
		.kind = SOCK_EVENT_READABLE, .sk = SK + 8, .tid = 99, .cpu = 3, .in_interrupt = true
	};
	struct sock_addrs addrs;

	(void)unused;
	assert_false(flowlat_readable_addrs(lat, &ev, &addrs));
	headers(true, 100, 0);
	packet(EVENT_RECEIVE, SKB, 0, true, 140);
	packet(EVENT_LAYER, SKB, 0, true, 140);
	assert_true(flowlat_readable_addrs(lat, &ev, &addrs));
	assert_int_equal(addrs.lport, 1000);
	assert_int_equal(addrs.rport, 80);
	assert_int_equal(addrs.proto, IPPROTO_TCP);
	assert_int_equal(addrs.family, 4);
	assert_memory_equal(addrs.local, flow.addrs.local, 16);
	ev.cpu = 4;
	assert_false(flowlat_readable_addrs(lat, &ev, &addrs));
}

static void who_is_told_later_is_not_measured(void **unused)
{
	(void)unused;
	headers(true, 100, 0);
	packet(EVENT_RECEIVE, SKB, 0, true, 140);
	packet(EVENT_LAYER, SKB, 0, true, 140);
	assert_false(readable(99, false)); /* the process was in a call, and takes it in itself */
	expect(FLOWLAT_QUEUE, 0, 1);
}

static void listener_is_told_of_no_data(void **unused)
{
	(void)unused;
	headers(true, 100, 0);
	packet(EVENT_RECEIVE, SKB, 0, true, 140);
	packet(EVENT_LAYER, SKB, 0, true, 140);
	flow.addrs.lport = 80;
	assert_false(readable(99, true));
	expect(FLOWLAT_QUEUE, 0, 1);
}

static void histogram_is_of_powers_of_two(void **unused)
{
	struct flow_hist h = { 0 };

	(void)unused;
	flowlat_add(&h, 0);
	flowlat_add(&h, 1);
	flowlat_add(&h, 2);
	flowlat_add(&h, 3);
	flowlat_add(&h, 4);
	flowlat_add(&h, 1023);
	flowlat_add(&h, 1024);
	flowlat_add(&h, ~0ULL >> 1);
	assert_int_equal(h.bucket[0], 2);
	assert_int_equal(h.bucket[1], 2);
	assert_int_equal(h.bucket[2], 1);
	assert_int_equal(h.bucket[9], 1);
	assert_int_equal(h.bucket[10], 1);
	assert_int_equal(h.bucket[FLOWLAT_BUCKETS - 1], 1);
	assert_int_equal(h.count, 8);
	assert_int_equal(h.min_ns, 0);
	assert_true(h.max_ns == ~0ULL >> 1);
}

static void intervals_begin_anew_and_tables_are_bounded(void **unused)
{
	struct flowlat_options o = { .seed = 1, .max_skbs = 8, .max_tasks = 4, .max_sockets = 4 };
	struct flowlat_stats stats;
	u64 i;

	(void)unused;
	flowlat_free(lat);
	assert_int_equal(flowlat_new(&lat, &o, NULL), 0);
	for (i = 1; i <= 100; i++) {
		flow.number = i;
		packet(EVENT_RECEIVE, SKB + 8 * i, 0, false, 140);
		packet(EVENT_COPY, SKB + 8 * i, (s32)i, false, 100);
		now++;
		bytes(true, (s32)i, 100, 0);
	}
	flowlat_stats(lat, &stats);
	assert_int_equal(stats.joined[FLOWLAT_READ], 100);
	assert_int_equal(stats.no_room, 96);
	assert_non_null(flowlat_once(lat, 1));
	assert_null(flowlat_once(lat, 1)); /* once */
	assert_null(flowlat_once(lat, 100));
	flowlat_next_interval(lat);
	assert_null(flowlat_once(lat, 2));
	bytes(true, 100, 1, 0);
	assert_int_equal(flowlat_once(lat, 100)->unjoined[FLOWLAT_READ], 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(send_is_from_the_entry_to_the_first_packet_with_data),
		CASE(headers_may_come_with_an_event_before),
		CASE(data_that_leaves_later_is_not_measured),
		CASE(failed_calls_are_no_case),
		CASE(read_is_of_the_oldest_byte),
		CASE(rest_of_an_skb_is_not_measured),
		CASE(looking_is_not_reading),
		CASE(copies_must_be_what_the_call_returned),
		CASE(skbs_of_others_are_not_its),
		CASE(address_that_is_used_again_is_another_packet),
		CASE(nothing_is_joined_across_a_loss),
		CASE(datagram_is_what_the_thread_frees),
		CASE(datagram_without_headers_is_told_by_its_length),
		CASE(datagram_may_be_freed_by_another_cpu),
		CASE(queue_is_until_the_socket_is_told),
		CASE(packet_of_a_reading_tells_whom_it_is_for),
		CASE(who_is_told_later_is_not_measured),
		CASE(listener_is_told_of_no_data),
		CASE(histogram_is_of_powers_of_two),
		CASE(intervals_begin_anew_and_tables_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
