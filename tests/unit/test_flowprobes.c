// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which events tell of sockets' bytes, by what a kernel has. What these definitions count is in tests/vm.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/flowprobes.h"
#include "capture/flowprobes_table.h"
#include "tree.h"

struct fixture {
	struct flowprobes_request rq;
	struct features f;
	struct layout l;
	struct flowprobes out;
	struct strbuf symbols; /* the text of /proc/kallsyms */
};

static void add_symbol(struct fixture *fix, const char *name)
{
	strbuf_printf(&fix->symbols, "ffffffff81%06zx t %s\n", fix->symbols.len, name);
}

static void add_events(struct fixture *fix, const char *sock)
{
	char text[512];

	snprintf(
		text, sizeof(text),
		"{ \"kernel\": { \"cpus\": 2 }, \"tracing_dir\": \"/t\", \"capabilities\": {}, \"clocks\": [],"
		" \"events\": { \"sock\": [\"inet_sock_set_state\"%s],"
		" \"tcp\": [\"tcp_destroy_sock\", \"tcp_retransmit_skb\"] } }",
		sock);
	features_free(&fix->f);
	assert_int_equal(features_from_json(&fix->f, text, strlen(text), NULL), 0);
	fix->f.cap[FEATURE_KPROBE_EVENTS].ok = true;
	fix->f.cap[FEATURE_EVENT_PROBES].ok = true;
}

#define RESULTS ", \"sock_recv_length\", \"sock_send_length\""

static int setup(void **state)
{
	static const char *const symbols[] = {
		"tcp_sendmsg",	   "tcp_recvmsg",     "udp_sendmsg",	   "udp_recvmsg",
		"udpv6_sendmsg",   "udpv6_recvmsg",   "tcp_sendpage",	   "udp_sendpage",
		"tcp_splice_read", "skb_splice_bits", "sk_common_release", "sock_def_readable",
		"skb_consume_udp",
	};
	/* of Linux 6.1, x86-64 */
	static const struct {
		enum member member;
		u32 offset;
	} places[] = { { SOCK_FAMILY, 16 },   { SOCK_DADDR, 0 },	 { SOCK_RCV_SADDR, 4 },
		       { SOCK_DPORT, 12 },    { SOCK_NUM, 14 },		 { SOCK_NET, 48 },
		       { SOCK_V6_DADDR, 56 }, { SOCK_V6_RCV_SADDR, 72 }, { SOCK_COOKIE, 88 },
		       { NET_INUM, 144 },     { SOCKET_SK, 24 } };
	struct fixture *fix = calloc(1, sizeof(*fix));
	size_t i;

	add_events(fix, "");
	for (i = 0; i < ARRAY_SIZE(symbols); i++)
		add_symbol(fix, symbols[i]);
	for (i = 0; i < ARRAY_SIZE(places); i++)
		fix->l.at[places[i].member] =
			(struct member_place){ .offset = places[i].offset, .size = 8 };
	fix->rq.pid = 77;
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	flowprobes_free(&fix->out);
	features_free(&fix->f);
	strbuf_free(&fix->symbols);
	free(fix);
	return 0;
}

static void choose(struct fixture *fix)
{
	struct kallsyms *symbols = NULL;
	char *root = tree_new();
	const char **names;
	size_t nr;

	tree_file(root, "proc/kallsyms", strbuf_cstr(&fix->symbols));
	nr = flowprobes_symbols(&names);
	assert_int_equal(kallsyms_read(&symbols, root, names, nr, NULL), 0);
	flowprobes_free(&fix->out);
	assert_int_equal(flowprobes_choose(&fix->rq, &fix->f, symbols, &fix->l, &fix->out, NULL),
			 0);
	kallsyms_free(symbols);
	free(names);
	tree_free(root);
}

static const struct probe *find(const struct fixture *fix, const char *name)
{
	size_t i;

	for (i = 0; i < fix->out.probes.nr; i++)
		if (!strcmp(fix->out.probes.probe[i].name, name))
			return &fix->out.probes.probe[i];
	return NULL;
}

static const char *definition(const struct fixture *fix, const char *name)
{
	const struct probe *p = find(fix, name);

	return p ? p->definition : "";
}

static const char *missing(const struct fixture *fix, const char *name)
{
	size_t i;

	for (i = 0; i < fix->out.probes.nr_missing; i++)
		if (!strcmp(fix->out.probes.missing[i].name, name))
			return fix->out.probes.missing[i].why;
	return "";
}

static bool is_on(const struct fixture *fix, const char *event)
{
	size_t i;

	for (i = 0; i < fix->out.nr_events; i++)
		if (!strcmp(fix->out.events[i], event))
			return true;
	return false;
}

static void every_function_has_entry_and_return(void **state)
{
	struct fixture *fix = *state;

	choose(fix);
	assert_int_equal(fix->out.source, FLOW_SOURCE_CALLS);
	assert_string_equal(
		definition(fix, "tcp_recvmsg"),
		"p:skbtrail_77/tcp_recvmsg tcp_recvmsg sk=$arg1:x64 ck=+88($arg1):x64 dp=+12($arg1):x16 "
		"np=+14($arg1):u16 ns=+144(+48($arg1)):u32 family=+16($arg1):u16 da=+0($arg1):x32 "
		"sa=+4($arg1):x32 d0=+56($arg1):x64 d1=+64($arg1):x64 s0=+72($arg1):x64 s1=+80($arg1):x64 "
		"a4=$arg4:x64 a5=$arg5:x64");
	assert_string_equal(definition(fix, "tcp_recvmsg_ret"),
			    "r4096:skbtrail_77/tcp_recvmsg_ret tcp_recvmsg ret=$retval:s32");
	assert_non_null(find(fix, "udpv6_sendmsg"));
	assert_non_null(find(fix, "udpv6_sendmsg_ret"));
	assert_non_null(find(fix, "tcp_sendpage_ret"));
	/* MSG_* of who sends mean nothing here */
	assert_null(strstr(definition(fix, "tcp_sendmsg"), "$arg4"));
	/* a struct socket, whose ->sk is the sock */
	assert_non_null(strstr(definition(fix, "tcp_splice_read"), " sk=+24($arg1):x64 "));
	assert_string_equal(
		definition(fix, "tcp_splice_read_ret"),
		"r4096:skbtrail_77/tcp_splice_read_ret tcp_splice_read ret=$retval:s64");
	assert_null(find(fix, "skb_splice_bits"));
	assert_true(fix->out.splices);
	assert_true(fix->out.udp_ends);
	assert_true(fix->out.tcp_ends);
	assert_true(is_on(fix, "sock:inet_sock_set_state"));
	assert_int_equal(fix->out.nr_events, 3);
	/* most functions are missing in most kernels */
	assert_int_equal(fix->out.probes.nr_missing, 0);
}

static void results_with_addresses_are_best(void **state)
{
	struct fixture *fix = *state;
	const struct probe *p;

	add_events(fix, RESULTS);
	choose(fix);
	assert_int_equal(fix->out.source, FLOW_SOURCE_WHOLE);
	p = find(fix, "sock_recv_length");
	assert_non_null(p);
	assert_int_equal(p->tier, TIER_T2);
	assert_string_equal(p->replaces, "sock:sock_recv_length");
	assert_string_equal(p->filter,
			    "(family == 2 || family == 10) && (protocol == 6 || protocol == "
			    "17 || protocol == 136 || protocol == 262)");
	assert_true(
		!strncmp(p->definition,
			 "e:skbtrail_77/sock_recv_length sock.sock_recv_length family=$family:u16 "
			 "protocol=$protocol:u16 ret=$ret:s32 flags=$flags:u32 sk=$sk:x64 ",
			 100));
	assert_null(strstr(p->definition + 100, "family="));
	assert_false(is_on(fix, "sock:sock_recv_length"));
	/* what these tracepoints do not tell, and nothing that they do */
	assert_non_null(find(fix, "tcp_splice_read"));
	assert_non_null(find(fix, "udp_sendpage"));
	assert_null(find(fix, "tcp_recvmsg"));
	assert_null(find(fix, "udp_sendmsg"));
}

static void sums_have_a_trigger_and_no_addresses(void **state)
{
	struct fixture *fix = *state;
	const struct probe *p;

	add_events(fix, RESULTS);
	fix->rq.aggregate = true;
	choose(fix);
	assert_true(fix->out.aggregated);
	p = find(fix, "flow_tcp_received");
	assert_non_null(p);
	assert_string_equal(p->trigger[0], "hist:keys=common_pid,sk,pp:vals=ret,ck:size=16384");
	assert_string_equal(p->trigger[1], "");
	assert_null(p->filter);
	/* four bytes of hash come before the ports: struct sock_common of Linux */
	assert_int_equal(fix->l.at[SOCK_DPORT].offset, 12);
	assert_string_equal(
		p->definition,
		sizeof(long) == 8 ?
			"e:skbtrail_77/flow_tcp_received sock.sock_recv_length sk=$sk:x64 pp=+8($sk):x64 "
			"ck=+88($sk):x64 ret=$ret:s32 g=@jiffies:u64 if protocol == 6 && (family == 2 || "
			"family == 10) && ret > 0 && !(flags & 8194)" :
			"e:skbtrail_77/flow_tcp_received sock.sock_recv_length sk=$sk:x64 pp=+8($sk):x64 "
			"ck=+88($sk):x64 ret=$ret:s32 g=@jiffies:u32 if protocol == 6 && (family == 2 || family == 10) && "
			"ret > 0 && !(flags & 8194)");
	/* MSG_* of who sends say nothing of what was taken */
	assert_null(strstr(definition(fix, "flow_udp_sent"), "flags"));
	assert_non_null(strstr(definition(fix, "flow_udp_sent"), "protocol == 17"));
	/* the rest has records, and nothing is in both */
	p = find(fix, "sock_send_length");
	assert_non_null(p);
	assert_null(p->filter);
	assert_string_equal(p->trigger[0], "");
	assert_non_null(strstr(p->definition, " if (family == 2 || family == 10) && "
					      "(protocol == 136 || protocol == 262)"));
	/* the last addresses of a UDP socket */
	assert_non_null(strstr(definition(fix, "sk_common_release"), " da=+0($arg1):x32 "));
}

static void each_call_is_in_one_of_two_tables(void **state)
{
	struct fixture *fix = *state;
	const struct probe *p;

	add_events(fix, RESULTS);
	fix->rq.aggregate = true;
	fix->rq.table_size = 512;
	fix->rq.half_ticks = 1024;
	choose(fix);
	p = find(fix, "flow_udp_sent");
	assert_non_null(p);
	assert_string_equal(p->trigger[0],
			    "hist:keys=common_pid,sk,pp:vals=ret,ck:size=512 if g & 1024");
	assert_string_equal(p->trigger[1],
			    "hist:keys=common_pid,sk,pp:vals=ret,ck:size=512 if !(g & 1024)");
}

static void sums_are_only_of_results(void **state)
{
	struct fixture *fix = *state;

	fix->rq.aggregate = true;
	choose(fix);
	assert_false(fix->out.aggregated);
	assert_string_equal(
		fix->out.not_aggregated,
		"this kernel tells the socket at a call's entry and the bytes at its return");
	add_events(fix, RESULTS);
	fix->l.at[SOCK_NUM].offset = 20;
	choose(fix);
	assert_false(fix->out.aggregated);
	assert_null(find(fix, "flow_tcp_sent"));
	assert_non_null(find(fix, "sock_send_length"));
	fix->rq.max_tier = TIER_T0;
	choose(fix);
	assert_false(fix->out.aggregated);
}

static void without_probes_results_are_taken_as_they_are(void **state)
{
	struct fixture *fix = *state;

	add_events(fix, RESULTS);
	fix->rq.max_tier = TIER_T0;
	choose(fix);
	assert_int_equal(fix->out.source, FLOW_SOURCE_RESULTS);
	assert_true(is_on(fix, "sock:sock_recv_length"));
	assert_true(is_on(fix, "sock:sock_send_length"));
	assert_int_equal(fix->out.probes.nr, 0);
	assert_false(fix->out.udp_ends);
	assert_false(fix->out.splices);
}

static void without_anything_bytes_are_not_told(void **state)
{
	struct fixture *fix = *state;

	fix->f.cap[FEATURE_KPROBE_EVENTS].ok = false;
	choose(fix);
	assert_int_equal(fix->out.source, FLOW_SOURCE_STATES);
	assert_int_equal(fix->out.probes.nr, 0);
	assert_true(is_on(fix, "sock:inet_sock_set_state"));
}

static void latency_takes_when_calls_begin(void **state)
{
	struct fixture *fix = *state;

	choose(fix);
	assert_null(find(fix, "sock_def_readable"));
	fix->rq.latency = true;
	choose(fix);
	/* the entries are probed in any case */
	assert_null(find(fix, "tcp_sendmsg_begin"));
	assert_string_equal(
		definition(fix, "sock_def_readable"),
		"p:skbtrail_77/sock_def_readable sock_def_readable sk=$arg1:x64 family=+16($arg1):u16");
	assert_string_equal(find(fix, "sock_def_readable")->filter, "family == 2 || family == 10");
	assert_string_equal(
		definition(fix, "skb_consume_udp_begin"),
		"p:skbtrail_77/skb_consume_udp_begin skb_consume_udp sk=$arg1:x64 dg=$arg2:x64");
	assert_true(fix->out.begins && fix->out.readable);
	add_events(fix, RESULTS);
	choose(fix);
	assert_string_equal(definition(fix, "tcp_sendmsg_begin"),
			    "p:skbtrail_77/tcp_sendmsg_begin tcp_sendmsg sk=$arg1:x64");
	assert_non_null(find(fix, "udp_sendmsg_begin"));
	assert_non_null(find(fix, "udpv6_sendmsg_begin"));
	assert_null(find(fix, "tcp_recvmsg_begin"));
	assert_null(find(fix, "tcp_sendpage_begin"));
	fix->rq.max_tier = TIER_T0;
	choose(fix);
	assert_false(fix->out.begins || fix->out.readable);
}

static void without_families_nobody_knows_whose_queue_it_is(void **state)
{
	struct fixture *fix = *state;

	fix->rq.latency = true;
	fix->l.at[SOCK_FAMILY].size = 0;
	choose(fix);
	assert_null(find(fix, "sock_def_readable"));
	assert_false(fix->out.readable);
}

static void sock_of_a_splice_is_found_elsewhere(void **state)
{
	struct fixture *fix = *state;

	fix->l.at[SOCKET_SK].size = 0;
	choose(fix);
	assert_null(find(fix, "tcp_splice_read"));
	assert_non_null(strstr(definition(fix, "skb_splice_bits"), " sk=$arg2:x64 "));
	assert_true(fix->out.splices);
	/* UNIX sockets splice there, too, which only the family tells */
	fix->l.at[SOCK_FAMILY].size = 0;
	choose(fix);
	assert_null(find(fix, "skb_splice_bits"));
	assert_string_equal(missing(fix, "tcp_splice_read"),
			    "where socket.sk is in this kernel is not known");
	assert_false(fix->out.splices);
}

static void unknown_places_are_left_out(void **state)
{
	struct fixture *fix = *state;

	memset(&fix->l, 0, sizeof(fix->l));
	choose(fix);
	assert_string_equal(definition(fix, "tcp_sendmsg"),
			    "p:skbtrail_77/tcp_sendmsg tcp_sendmsg sk=$arg1:x64");
	/* addresses of which family? */
	fix->l.at[SOCK_DADDR] = (struct member_place){ .offset = 4, .size = 4 };
	choose(fix);
	assert_string_equal(definition(fix, "tcp_sendmsg"),
			    "p:skbtrail_77/tcp_sendmsg tcp_sendmsg sk=$arg1:x64");
}

static void function_that_the_compiler_changed_is_told(void **state)
{
	struct fixture *fix = *state;

	strbuf_free(&fix->symbols);
	add_symbol(fix, "tcp_sendmsg.isra.0");
	add_symbol(fix, "tcp_recvmsg");
	add_symbol(fix, "tcp_recvmsg");
	choose(fix);
	assert_null(find(fix, "tcp_sendmsg"));
	assert_string_equal(missing(fix, "tcp_sendmsg"),
			    "the compiler changed its arguments in this kernel");
	assert_string_equal(missing(fix, "tcp_recvmsg"), "several functions have that name");
	assert_int_equal(fix->out.source, FLOW_SOURCE_STATES);
}

/* 63 characters an argument, 32 its name, 4 KB a line */
static void definitions_obey_the_kernel_s_limits(void **state)
{
	struct fixture *fix = *state;
	const char *at;
	size_t i, len, equals;

	for (i = 0; i < MEMBER_COUNT; i++)
		fix->l.at[i] = (struct member_place){ .offset = 65535, .size = 8 };
	fix->rq.pid = 4194304;
	choose(fix);
	for (i = 0; i < fix->out.probes.nr; i++) {
		assert_true(strlen(fix->out.probes.probe[i].definition) < 4096);
		at = fix->out.probes.probe[i].definition;
		for (; *at; at += len + (at[len] == ' ')) {
			len = strcspn(at, " ");
			equals = strcspn(at, "=");
			if (equals >= len)
				continue;
			assert_true(equals <= 31);
			assert_true(len - equals - 1 <= 63);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(every_function_has_entry_and_return),
		T(results_with_addresses_are_best),
		T(sums_have_a_trigger_and_no_addresses),
		T(sums_are_only_of_results),
		T(each_call_is_in_one_of_two_tables),
		T(without_probes_results_are_taken_as_they_are),
		T(without_anything_bytes_are_not_told),
		T(latency_takes_when_calls_begin),
		T(without_families_nobody_knows_whose_queue_it_is),
		T(sock_of_a_splice_is_found_elsewhere),
		T(unknown_places_are_left_out),
		T(function_that_the_compiler_changed_is_told),
		T(definitions_obey_the_kernel_s_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
