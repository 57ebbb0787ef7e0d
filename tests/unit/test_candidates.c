// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which function a probe should be put on: by made-up calls of made-up functions, so that nothing but the facts
 * can lead to an answer.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/candidates.h"

#define CALL_NODES 32
#define BASE 0xffffffff81000000ULL

/* A kernel of our own: a function's address is BASE + its index << 8. */
static const char *const functions[] = {
	"__x64_sys_connect", "made_ops_connect", "made4_connect",
	"helper_a",	     "helper_b",	 "tcp_v4_connect",
	"tcp_sendmsg",	     "tcp_connect",	 "inet_stream_connect",
	"tcp_v6_connect",    "made_typeless",	 "inet_sendmsg",
	"inet6_sendmsg",     "sk_setup_caps",	 "udp_sendmsg",
	"tcp_ack",
};

static u64 addr_of(const char *name)
{
	u64 i;

	for (i = 0; i < ARRAY_SIZE(functions); i++)
		if (!strcmp(functions[i], name))
			return BASE + (i << 8);
	fail_msg("no function %s", name);
	return 0;
}

static const char *name_of(void *ctx, u64 func, size_t *len)
{
	u64 i = (func - BASE) >> 8;

	(void)ctx;
	if (i >= ARRAY_SIZE(functions))
		return NULL;
	*len = strlen(functions[i]);
	return functions[i];
}

struct made_call {
	struct graph_call call;
	struct call_node node[CALL_NODES];
	u64 args[CALL_NODES];
};

/* @depth: of the node; nodes come in preorder. */
static struct call_node *add(struct made_call *m, const char *name, u8 depth)
{
	u32 i = m->call.nr_nodes++, p;
	struct call_node *node = &m->node[i];

	assert_true(i < CALL_NODES);
	memset(node, 0, sizeof(*node));
	node->func = addr_of(name);
	node->depth = depth;
	node->parent = CALL_NO_NODE;
	for (p = i; depth && p-- > 0;)
		if (m->node[p].depth == depth - 1) {
			node->parent = p;
			break;
		}
	for (p = node->parent; p != CALL_NO_NODE; p = m->node[p].parent)
		m->node[p].nr_below++;
	m->call.nodes = m->node;
	return node;
}

static void begin(struct made_call *m, const char *syscall)
{
	memset(m, 0, sizeof(*m));
	m->call.syscall = syscall;
	add(m, "__x64_sys_connect", 0);
}

/* An argument of the node that was added last. */
static void give(struct made_call *m, u64 value)
{
	struct call_node *node = &m->node[m->call.nr_nodes - 1];

	if (!node->nr_args)
		node->args = m->call.nr_args;
	m->args[m->call.nr_args++] = value;
	node->nr_args++;
	m->call.args = m->args;
}

static struct optable_slot made_slots[] = { { (char *)"connect", (char *)"tcp_v4_connect", 0 },
					    { (char *)"sendmsg", (char *)"tcp_sendmsg", 8 } };
static struct optable_slot made_slots6[] = { { (char *)"connect", (char *)"tcp_v6_connect", 0 },
					     { (char *)"sendmsg", (char *)"tcp_sendmsg", 8 } };
static struct optable_slot stream_slots[] = { { (char *)"connect", (char *)"inet_stream_connect",
						0 },
					      { (char *)"sendmsg", (char *)"inet_sendmsg", 8 } };
static struct optable_slot stream_slots6[] = { { (char *)"connect", (char *)"inet_stream_connect",
						 0 },
					       { (char *)"sendmsg", (char *)"inet6_sendmsg", 8 } };
static struct optable made_table[] = {
	{ (char *)"tcp_prot", "proto", made_slots, 2 },
	{ (char *)"tcpv6_prot", "proto", made_slots6, 2 },
	{ (char *)"inet_stream_ops", "proto_ops", stream_slots, 2 },
	{ (char *)"inet6_stream_ops", "proto_ops", stream_slots6, 2 },
};
static struct optables made_tables = { made_table, 4, "a test", true };

struct run {
	struct candidates *c;
	const struct candidate_group *groups;
	size_t nr;
};

static void start(struct run *r, enum question question, const struct optables *tables)
{
	struct candidates_options options = { .question = question,
					      .function_name = name_of,
					      .tables = tables };

	assert_int_equal(candidates_new(&r->c, &options), 0);
}

static void feed(struct run *r, struct made_call *m)
{
	assert_int_equal(candidates_call(r->c, &m->call), 0);
}

static void rank(struct run *r, const char *kallsyms)
{
	assert_int_equal(candidates_rank(r->c, kallsyms, &r->groups, &r->nr), 0);
}

static const struct candidate *find(const struct candidate_group *g, const char *name)
{
	u32 i;

	for (i = 0; i < g->nr; i++)
		if (!strcmp(g->candidate[i].name, name))
			return &g->candidate[i];
	return NULL;
}

static void make_connect(struct made_call *m, const char *own)
{
	begin(m, "connect");
	add(m, "inet_stream_connect", 1);
	add(m, own, 2);
	add(m, "tcp_connect", 3);
	add(m, "sk_setup_caps", 3);
}

static void the_lowest_slot_that_all_calls_pass_comes_first(void **state)
{
	struct made_call m;
	struct run r = { 0 };

	(void)state;
	start(&r, QUESTION_LOCAL_ADDRESS, &made_tables);
	make_connect(&m, "tcp_v4_connect");
	feed(&r, &m);
	feed(&r, &m);
	rank(&r, NULL);
	assert_int_equal(r.nr, 1);
	assert_string_equal(r.groups[0].candidate[0].name, "tcp_v4_connect");
	assert_true(r.groups[0].candidate[0].slot_match && r.groups[0].candidate[0].dominates);
	assert_string_equal(r.groups[0].candidate[0].slots[0], "tcp_prot.connect");
	assert_string_equal(r.groups[0].candidate[1].name, "inet_stream_connect");
	assert_int_equal(r.groups[0].candidate[0].once, 2);
	candidates_free(r.c);
}

static void protocol_and_family_are_what_all_tables_agree_on(void **state)
{
	struct made_call m;
	struct run r = { 0 };
	size_t i;

	(void)state;
	start(&r, QUESTION_LOCAL_ADDRESS, &made_tables);
	make_connect(&m, "tcp_v4_connect");
	feed(&r, &m);
	make_connect(&m, "tcp_v6_connect");
	feed(&r, &m);
	begin(&m, "sendto");
	add(&m, "inet6_sendmsg", 1);
	add(&m, "tcp_sendmsg", 2);
	feed(&r, &m);
	rank(&r, NULL);
	assert_int_equal(r.nr, 3);
	for (i = 0; i < r.nr; i++) {
		assert_string_equal(r.groups[i].protocol, "TCP");
		assert_false(r.groups[i].by_names);
	}
	assert_int_equal(r.groups[0].family + r.groups[1].family, FAMILY_IPV4 + FAMILY_IPV6);
	assert_int_equal(r.groups[2].family, FAMILY_IPV6);
	assert_int_equal(r.groups[2].operation, OPERATION_SEND);
	/* in two operations, and told in both */
	for (i = 0; i < 2; i++)
		assert_string_equal(find(&r.groups[i], "inet_stream_connect")->slots[0],
				    "inet_stream_ops.connect");
	candidates_free(r.c);
}

static void without_tables_names_are_used_and_it_is_said(void **state)
{
	struct made_call m;
	struct run r = { 0 };

	(void)state;
	start(&r, QUESTION_LOCAL_ADDRESS, NULL);
	make_connect(&m, "tcp_v6_connect");
	feed(&r, &m);
	rank(&r, NULL);
	assert_int_equal(r.nr, 1);
	assert_true(r.groups[0].by_names);
	assert_string_equal(r.groups[0].protocol, "TCP");
	assert_int_equal(r.groups[0].family, FAMILY_IPV6);
	assert_string_equal(r.groups[0].candidate[0].name, "tcp_v6_connect");
	assert_true(r.groups[0].candidate[0].slots_elsewhere);
	assert_int_equal(r.groups[0].candidate[0].evidence, EVIDENCE_TABLE);
	candidates_free(r.c);
}

static void coverage_counts_calls_and_names_who_misses(void **state)
{
	const struct candidate *c;
	struct made_call m;
	struct run r = { 0 };

	(void)state;
	start(&r, QUESTION_LOCAL_ADDRESS, &made_tables);
	begin(&m, "sendto");
	add(&m, "inet_sendmsg", 1);
	add(&m, "tcp_sendmsg", 2);
	add(&m, "tcp_connect", 3);
	feed(&r, &m);
	feed(&r, &m);
	begin(&m, "sendmmsg");
	add(&m, "inet_sendmsg", 1);
	add(&m, "tcp_sendmsg", 2);
	add(&m, "inet_sendmsg", 1);
	add(&m, "tcp_sendmsg", 2);
	feed(&r, &m);
	rank(&r, NULL);
	assert_int_equal(r.nr, 1);
	c = find(&r.groups[0], "tcp_sendmsg");
	assert_non_null(c);
	assert_int_equal(c->calls, 3);
	assert_int_equal(c->once, 2);
	assert_int_equal(c->most, 2);
	assert_true(c->dominates);
	c = find(&r.groups[0], "tcp_connect");
	assert_non_null(c);
	assert_int_equal(c->calls, 2);
	assert_false(c->dominates);
	assert_string_equal(r.groups[0].syscalls[1].name, "sendmmsg");
	assert_int_equal(c->missed_by[0], 0);
	assert_int_equal(c->missed_by[1], 1);
	candidates_free(r.c);
}

static void interrupts_and_lost_or_open_calls_count_for_nothing(void **state)
{
	struct made_call m;
	struct run r = { 0 };

	(void)state;
	start(&r, QUESTION_LOCAL_ADDRESS, &made_tables);
	make_connect(&m, "tcp_v4_connect");
	add(&m, "tcp_ack", 3)->flags = CALL_NODE_SOFTIRQ;
	feed(&r, &m);
	m.call.after_loss = true;
	feed(&r, &m);
	m.call.after_loss = false;
	m.call.open = true;
	feed(&r, &m);
	rank(&r, NULL);
	assert_int_equal(r.groups[0].calls, 1);
	assert_int_equal(r.groups[0].left_out, 2);
	assert_null(find(&r.groups[0], "tcp_ack"));
	assert_non_null(find(&r.groups[0], "tcp_connect"));
	candidates_free(r.c);
}

static void what_other_operations_pass_is_not_specific(void **state)
{
	struct made_call m;
	struct run r = { 0 };

	(void)state;
	start(&r, QUESTION_NEW_CONNECTIONS, &made_tables);
	make_connect(&m, "tcp_v4_connect");
	feed(&r, &m);
	begin(&m, "write");
	add(&m, "inet_sendmsg", 1);
	add(&m, "tcp_sendmsg", 2);
	add(&m, "sk_setup_caps", 3);
	feed(&r, &m);
	rank(&r, NULL);
	assert_int_equal(r.nr, 1);
	assert_true(find(&r.groups[0], "tcp_connect")->specific);
	assert_true(find(&r.groups[0], "tcp_connect")->others);
	assert_false(find(&r.groups[0], "sk_setup_caps")->specific);
	candidates_free(r.c);
}

static void a_read_of_a_file_is_no_sockets_business(void **state)
{
	struct made_call m;
	struct run r = { 0 };

	(void)state;
	start(&r, QUESTION_LOCAL_ADDRESS, &made_tables);
	begin(&m, "write");
	add(&m, "tcp_connect", 1);
	feed(&r, &m);
	begin(&m, "openat");
	add(&m, "tcp_sendmsg", 1);
	feed(&r, &m);
	rank(&r, NULL);
	assert_int_equal(r.nr, 0);
	assert_int_equal(candidates_stats(r.c)->no_socket, 2);
	candidates_free(r.c);
}

/* A call in which a known function and one of unknown type have the same first argument. */
static void feed_pointer(struct run *r, u64 sock, u64 second)
{
	struct made_call m;

	begin(&m, "connect");
	add(&m, "inet_stream_connect", 1);
	add(&m, "tcp_v4_connect", 2);
	give(&m, sock);
	add(&m, "made_typeless", 3);
	give(&m, second);
	give(&m, sock);
	feed(r, &m);
}

static void an_argument_that_is_always_the_known_socket_is_one(void **state)
{
	const struct candidate *c;
	struct run r = { 0 };

	(void)state;
	start(&r, QUESTION_LOCAL_ADDRESS, &made_tables);
	feed_pointer(&r, 0xffff888000001000ULL, 7);
	feed_pointer(&r, 0xffff888000002000ULL, 7);
	rank(&r, NULL);
	c = find(&r.groups[0], "made_typeless");
	assert_non_null(c);
	assert_int_equal(c->evidence, EVIDENCE_POINTER);
	assert_int_equal(c->arg, 2);
	candidates_free(r.c);
}

static void with_one_socket_only_a_stale_register_is_not_believed(void **state)
{
	struct run r = { 0 };

	(void)state;
	start(&r, QUESTION_LOCAL_ADDRESS, &made_tables);
	feed_pointer(&r, 0xffff888000001000ULL, 7);
	feed_pointer(&r, 0xffff888000001000ULL, 7);
	rank(&r, NULL);
	assert_null(find(&r.groups[0], "made_typeless"));
	assert_int_equal(r.groups[0].nr_untyped > 0, 1);
	candidates_free(r.c);
}

static void exported_static_and_siblings_are_told_by_symbols(void **state)
{
	static const char text[] = "0000000000000001 T tcp_connect\n"
				   "0000000000000002 r __ksymtab_tcp_connect\n"
				   "0000000000000003 t tcp_v4_connect\n"
				   "0000000000000004 t tcp_v4_connect.cold\n"
				   "0000000000000005 d tcp_v4_connect_data\n"
				   "garbage\n0000 T";
	struct made_call m;
	struct run r = { 0 };

	(void)state;
	start(&r, QUESTION_LOCAL_ADDRESS, &made_tables);
	make_connect(&m, "tcp_v4_connect");
	feed(&r, &m);
	rank(&r, text);
	assert_true(find(&r.groups[0], "tcp_connect")->symbol.exported);
	assert_true(find(&r.groups[0], "tcp_connect")->symbol.global);
	assert_false(find(&r.groups[0], "tcp_v4_connect")->symbol.global);
	assert_int_equal(find(&r.groups[0], "tcp_v4_connect")->symbol.siblings, 1);
	assert_string_equal(find(&r.groups[0], "tcp_v4_connect")->symbol.sibling, ".cold");
	assert_false(find(&r.groups[0], "inet_stream_connect")->symbol.known);
	candidates_free(r.c);
}

static void questions_are_read_and_others_refused(void **state)
{
	enum question q;
	const char *type;

	(void)state;
	assert_int_equal(question_parse("bytes-sent", &q, &type), 0);
	assert_int_equal(q, QUESTION_BYTES_SENT);
	assert_int_equal(question_parse("arg:sk_buff", &q, &type), 0);
	assert_int_equal(q, QUESTION_ARG);
	assert_string_equal(type, "sk_buff");
	assert_true(question_parse("arg:", &q, &type) < 0);
	assert_true(question_parse("arg", &q, &type) < 0);
	assert_true(question_parse("", &q, &type) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_slot_that_all_calls_pass_comes_first),
		cmocka_unit_test(protocol_and_family_are_what_all_tables_agree_on),
		cmocka_unit_test(without_tables_names_are_used_and_it_is_said),
		cmocka_unit_test(coverage_counts_calls_and_names_who_misses),
		cmocka_unit_test(interrupts_and_lost_or_open_calls_count_for_nothing),
		cmocka_unit_test(what_other_operations_pass_is_not_specific),
		cmocka_unit_test(a_read_of_a_file_is_no_sockets_business),
		cmocka_unit_test(an_argument_that_is_always_the_known_socket_is_one),
		cmocka_unit_test(with_one_socket_only_a_stale_register_is_not_believed),
		cmocka_unit_test(exported_static_and_siblings_are_told_by_symbols),
		cmocka_unit_test(questions_are_read_and_others_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
