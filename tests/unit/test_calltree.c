// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that are merged: what is counted where, whose time is whose, of which protocol a call is.
 *
 * Functions are given by name; an address is made for each. A call is a list of its nodes in preorder.
 */
#include "unit.h"

#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "analysis/callproto.h"
#include "base/strbuf.h"
#include "render/calls.h"

#define MAX_NODES 64

struct step {
	u8 depth;
	const char *name;
	u64 dur_ns;
	u16 flags;
};

struct test {
	const char *name[256]; /* function n is at address n + 1 */
	u32 nr_names;
	struct callfuncs *funcs;
	struct calltree *tree;
	struct call_note notes[8];
	u32 nr_notes;
	s32 pid;
};

static const char *name_of(void *ctx, u64 func, size_t *len)
{
	const struct test *t = ctx;

	if (!func || func > t->nr_names)
		return NULL;
	*len = strlen(t->name[func - 1]);
	return t->name[func - 1];
}

static u64 address(struct test *t, const char *name)
{
	u32 i;

	for (i = 0; i < t->nr_names; i++)
		if (!strcmp(t->name[i], name))
			return i + 1;
	t->name[t->nr_names++] = name;
	return t->nr_names;
}

static void start(struct test *t, struct calltree_options options, const char *wanted)
{
	struct callfuncs_options funcs = { .name = name_of, .ctx = t, .wanted = wanted };

	memset(t, 0, sizeof(*t));
	t->pid = 1;
	assert_int_equal(callfuncs_new(&t->funcs, &funcs, NULL), 0);
	options.funcs = t->funcs;
	assert_int_equal(calltree_new(&t->tree, &options, NULL), 0);
}

static void stop(struct test *t)
{
	calltree_free(t->tree);
	callfuncs_free(t->funcs);
}

static void add(struct test *t, const struct step *steps, u32 nr)
{
	struct call_node node[MAX_NODES] = { 0 };
	struct graph_call call = { .pid = t->pid,
				   .nr_nodes = nr,
				   .nodes = node,
				   .notes = t->notes,
				   .nr_notes = t->nr_notes };
	u32 i, k;

	for (i = 0; i < nr; i++) {
		node[i].func = address(t, steps[i].name);
		node[i].depth = steps[i].depth;
		node[i].dur_ns = steps[i].dur_ns;
		node[i].flags = (u16)(steps[i].flags | CALL_NODE_DUR);
		node[i].parent = CALL_NO_NODE;
		for (k = i; k-- > 0 && node[i].parent == CALL_NO_NODE;)
			if (node[k].depth < node[i].depth)
				node[i].parent = k;
		for (k = node[i].parent; k != CALL_NO_NODE; k = node[k].parent)
			node[k].nr_below++;
	}
	call.syscall = callfuncs_at(t->funcs, callfuncs_find(t->funcs, node[0].func))->syscall;
	assert_int_equal(calltree_add(t->tree, &call), 0);
}

#define ADD(t, ...)                                          \
	do {                                                 \
		const struct step steps[] = { __VA_ARGS__ }; \
		add(t, steps, ARRAY_SIZE(steps));            \
	} while (0)

static void put_node(struct test *t, struct strbuf *sb, u32 at)
{
	const struct tree_node *n = calltree_node(t->tree, at);
	u32 i;

	if (n->class != FUNC_PLAIN)
		strbuf_printf(sb, "[%s]", callfuncs_class_name(n->class));
	else if (n->func)
		strbuf_puts(sb, callfuncs_at(t->funcs, n->func)->name);
	strbuf_printf(sb, " %llux %llu/%llu", (unsigned long long)n->count,
		      (unsigned long long)n->total_ns, (unsigned long long)n->self_ns);
	if (n->nr_irq)
		strbuf_printf(sb, " irq %llu", (unsigned long long)n->irq_ns);
	for (i = n->notes; i != TREE_NO_NODE; i = calltree_note(t->tree, i)->next)
		strbuf_printf(sb, " !%llux#%llu",
			      (unsigned long long)calltree_note(t->tree, i)->count,
			      (unsigned long long)calltree_note(t->tree, i)->packet[0]);
	for (i = n->first; i != TREE_NO_NODE; i = calltree_node(t->tree, i)->next) {
		strbuf_puts(sb, " (");
		put_node(t, sb, i);
		strbuf_putc(sb, ')');
	}
}

static void expect_tree(struct test *t, u32 group, u8 context, const char *text)
{
	const struct tree_group *g;
	struct strbuf sb = STRBUF_INIT;
	u32 nr;

	g = calltree_groups(t->tree, &nr);
	assert_true(group < nr);
	if (g[group].root[context] != TREE_NO_NODE)
		put_node(t, &sb, g[group].root[context]);
	assert_string_equal(strbuf_cstr(&sb), text);
	strbuf_free(&sb);
}

static void expect_group(struct test *t, u32 group, const char *protocol, const char *family,
			 u8 from)
{
	const struct tree_group *g;
	u32 nr;

	g = calltree_groups(t->tree, &nr);
	assert_true(group < nr);
	assert_string_equal(callfuncs_protocol_name(g[group].protocols), protocol);
	assert_string_equal(callfuncs_family_name(g[group].families), family);
	assert_int_equal(g[group].protocol_from, from);
}

static void same_calls_are_one_node_with_their_times(void **state)
{
	struct tree_node *n;
	struct test t;
	bool exact;

	(void)state;
	start(&t, (struct calltree_options){ 0 }, NULL);
	ADD(&t, { 0, "__x64_sys_bind", 100, 0 }, { 1, "f", 30, 0 }, { 2, "g", 10, 0 },
	    { 1, "f", 20, 0 });
	ADD(&t, { 0, "__x64_sys_bind", 300, 0 }, { 1, "f", 60, 0 }, { 1, "h", 5, 0 });
	expect_tree(&t, 0, TREE_OWN,
		    "__x64_sys_bind 2x 400/285 (f 3x 110/100 (g 1x 10/10)) (h 1x 5/5)");
	n = calltree_node(t.tree, calltree_node(t.tree, 0)->first);
	assert_int_equal(n->min_ns, 20);
	assert_int_equal(n->max_ns, 60);
	assert_int_equal(calltree_median(n, &exact), 30);
	assert_true(exact);
	stop(&t);
}

static void median_of_many_is_near_and_says_so(void **state)
{
	struct tree_node *n;
	struct test t;
	bool exact;
	u64 median;
	u32 i;

	(void)state;
	start(&t, (struct calltree_options){ 0 }, NULL);
	for (i = 0; i < TREE_NODE_SAMPLES; i++)
		ADD(&t, { 0, "__x64_sys_bind", i, 0 });
	n = calltree_node(t.tree, 0);
	assert_int_equal(calltree_median(n, &exact), TREE_NODE_SAMPLES / 2 - 1);
	assert_true(exact);
	for (; i < 100000; i++)
		ADD(&t, { 0, "__x64_sys_bind", i, 0 });
	median = calltree_median(n, &exact);
	assert_false(exact);
	/* 1024 of 100,000: its deviation is 1.6 % of the whole range */
	assert_true(median > 42000 && median < 58000);
	assert_int_equal(n->count, 100000);
	stop(&t);
}

static void helpers_are_one_line_unless_asked_for(void **state)
{
	struct test t;

	(void)state;
	start(&t, (struct calltree_options){ 0 }, NULL);
	ADD(&t, { 0, "__x64_sys_bind", 100, 0 }, { 1, "_raw_spin_lock", 10, 0 }, { 2, "f", 4, 0 },
	    { 1, "kfree", 7, 0 }, { 1, "_raw_spin_unlock.isra.0", 3, 0 }, { 1, "g", 20, 0 });
	expect_tree(&t, 0, TREE_OWN,
		    "__x64_sys_bind 1x 100/60 ([locking] 2x 13/13) ([memory] 1x 7/7) (g 1x 20/20)");
	stop(&t);
	start(&t, (struct calltree_options){ .full = true }, NULL);
	ADD(&t, { 0, "__x64_sys_bind", 100, 0 }, { 1, "_raw_spin_lock", 10, 0 }, { 2, "f", 4, 0 });
	expect_tree(&t, 0, TREE_OWN,
		    "__x64_sys_bind 1x 100/90 (_raw_spin_lock 1x 10/6 (f 1x 4/4))");
	stop(&t);
}

static void work_of_interrupts_is_nobodys_own(void **state)
{
	struct test t;

	(void)state;
	start(&t, (struct calltree_options){ 0 }, NULL);
	/* a softirq below a helper, and an interrupt in that */
	ADD(&t, { 0, "__x64_sys_bind", 1000, 0 }, { 1, "f", 900, 0 },
	    { 2, "__local_bh_enable_ip", 800, 0 }, { 3, "net_rx_action", 700, CALL_NODE_SOFTIRQ },
	    { 4, "timer", 100, CALL_NODE_SOFTIRQ | CALL_NODE_HARDIRQ },
	    { 4, "g", 50, CALL_NODE_SOFTIRQ }, { 2, "h", 20, 0 });
	expect_tree(&t, 0, TREE_OWN,
		    "__x64_sys_bind 1x 1000/100 (f 1x 900/80 irq 700 ([locking] 1x 100/100) "
		    "(h 1x 20/20))");
	expect_tree(&t, 0, TREE_SOFTIRQ, " 0x 0/0 (net_rx_action 1x 700/550 irq 100 (g 1x 50/50))");
	expect_tree(&t, 0, TREE_HARDIRQ, " 0x 0/0 (timer 1x 100/100)");
	stop(&t);
}

static void order_is_kept_when_asked_for(void **state)
{
	struct test t;

	(void)state;
	start(&t, (struct calltree_options){ .in_order = true }, NULL);
	ADD(&t, { 0, "__x64_sys_bind", 100, 0 }, { 1, "f", 1, 0 }, { 1, "f", 1, 0 },
	    { 1, "g", 1, 0 }, { 1, "f", 1, 0 });
	expect_tree(&t, 0, TREE_OWN, "__x64_sys_bind 1x 100/96 (f 2x 2/2) (g 1x 1/1) (f 1x 1/1)");
	stop(&t);
}

static void trees_begin_where_the_user_says(void **state)
{
	struct test t;

	(void)state;
	start(&t, (struct calltree_options){ .by_root = true }, "g?_*");
	ADD(&t, { 0, "do_page_fault", 100, 0 }, { 1, "ga_x", 10, 0 }, { 2, "gb_y", 3, 0 },
	    { 1, "g_z", 5, 0 });
	ADD(&t, { 0, "net_rx_action", 50, CALL_NODE_SOFTIRQ }, { 1, "ga_x", 7, CALL_NODE_SOFTIRQ });
	expect_tree(&t, 0, TREE_OWN, "ga_x 2x 17/14 (gb_y 1x 3/3)");
	stop(&t);
}

static void packets_are_in_the_tree_with_their_numbers(void **state)
{
	struct test t;

	(void)state;
	start(&t, (struct calltree_options){ 0 }, NULL);
	/* born before it has a number; one in a helper; one of a socket */
	t.notes[0] = (struct call_note){ .skb = 0x100, .node = 1, .type = 1, .kind = EVENT_BIRTH };
	t.notes[1] = (struct call_note){ .skb = 0x100, .packet = 7, .node = 2, .type = 2 };
	t.notes[2] = (struct call_note){ .family = AF_INET, .protocol = IPPROTO_TCP, .node = 1 };
	t.nr_notes = 3;
	ADD(&t, { 0, "__x64_sys_bind", 100, 0 }, { 1, "f", 30, 0 },
	    { 2, "kmem_cache_alloc", 10, 0 });
	expect_tree(&t, 0, TREE_OWN,
		    "__x64_sys_bind 1x 100/70 (f 1x 30/20 !1x#7 !1x#7 ([memory] 1x 10/10))");
	stop(&t);
}

static void calls_on_other_files_are_left_out(void **state)
{
	u32 nr;
	struct test t;

	(void)state;
	start(&t, (struct calltree_options){ 0 }, NULL);
	ADD(&t, { 0, "__x64_sys_read", 100, 0 }, { 1, "vfs_read", 30, 0 },
	    { 2, "ext4_file_read_iter", 3, 0 });
	ADD(&t, { 0, "__x64_sys_openat", 100, 0 }, { 1, "sock_no_open", 30, 0 });
	/* a softirq's sockets are not the caller's */
	ADD(&t, { 0, "__x64_sys_write", 100, 0 }, { 1, "tcp_rcv", 30, CALL_NODE_SOFTIRQ });
	calltree_groups(t.tree, &nr);
	assert_int_equal(nr, 0);
	assert_int_equal(calltree_stats(t.tree)->other_calls, 3);
	ADD(&t, { 0, "__x64_sys_read", 100, 0 }, { 1, "vfs_read", 30, 0 },
	    { 2, "sock_read_iter", 3, 0 });
	calltree_groups(t.tree, &nr);
	assert_int_equal(nr, 1);
	stop(&t);
}

static void protocol_is_that_of_the_outermost_function(void **state)
{
	struct test t;

	(void)state;
	start(&t, (struct calltree_options){ 0 }, NULL);
	/* TCP over IPv4 in a UDP tunnel over IPv6; packet sockets see it leave */
	ADD(&t, { 0, "__x64_sys_sendto", 100, 0 }, { 1, "inet_xmsg", 90, 0 }, { 2, "tcp_x", 80, 0 },
	    { 3, "ip_x", 70, 0 }, { 4, "udp_y", 60, 0 }, { 5, "ip6_x", 50, 0 });
	expect_group(&t, 0, "TCP", "IPv4", TREE_FROM_NAMES);
	stop(&t);
	start(&t, (struct calltree_options){ 0 }, NULL);
	/* two that contradict each other */
	ADD(&t, { 0, "__x64_sys_sendto", 100, 0 }, { 1, "tcp_x", 80, 0 }, { 1, "udp_y", 60, 0 });
	expect_group(&t, 0, "?", "?", TREE_FROM_NONE);
	stop(&t);
	start(&t, (struct calltree_options){ 0 }, NULL);
	ADD(&t, { 0, "__ia32_sys_sendto", 100, 0 }, { 1, "unix_x", 80, 0 });
	expect_group(&t, 0, "UNIX", "", TREE_FROM_NAMES);
	stop(&t);
}

static void tables_and_events_tell_more_than_names(void **state)
{
	struct test t;

	(void)state;
	start(&t, (struct calltree_options){ 0 }, NULL);
	/* in both tables: the protocol is told, the family not yet */
	callfuncs_add_table(t.funcs, "tcp_prot", "send_it");
	callfuncs_add_table(t.funcs, "tcpv6_prot", "send_it");
	callfuncs_add_table(t.funcs, "file_operations_of_mine", "send_it");
	ADD(&t, { 0, "__x64_sys_sendto", 100, 0 }, { 1, "send_it", 80, 0 }, { 2, "udp_y", 60, 0 });
	expect_group(&t, 0, "TCP", "?", TREE_FROM_TABLES);
	stop(&t);
	start(&t, (struct calltree_options){ 0 }, NULL);
	t.notes[0] = (struct call_note){ .family = AF_INET6, .protocol = IPPROTO_UDP };
	/* of another socket: in a softirq */
	t.notes[1] = (struct call_note){ .family = AF_INET,
					 .protocol = IPPROTO_TCP,
					 .context = GRAPH_IN_SOFTIRQ };
	t.nr_notes = 2;
	ADD(&t, { 0, "__x64_sys_sendto", 100, 0 }, { 1, "send_it", 80, 0 });
	expect_group(&t, 0, "UDP", "IPv6", TREE_FROM_EVENTS);
	stop(&t);
}

static void expect_syscall(const char *symbol, const char *name, const char *abi)
{
	const char *found, *found_abi;
	char text[64];
	size_t len;

	found = callfuncs_syscall(symbol, strlen(symbol), &len, &found_abi);
	snprintf(text, sizeof(text), "%.*s", (int)len, found);
	assert_string_equal(text, name);
	if (abi)
		assert_string_equal(found_abi, abi);
	else
		assert_null(found_abi);
}

/* Names from kallsyms of x86_64 5.10 to 7.2, arm64 and s390x 6.12. */
static void system_calls_are_known_on_all_architectures(void **state)
{
	(void)state;
	expect_syscall("__x64_sys_connect", "connect", NULL);
	expect_syscall("__arm64_sys_sendto", "sendto", NULL);
	expect_syscall("__s390x_sys_recvfrom", "recvfrom", NULL);
	expect_syscall("__ia32_sys_connect", "connect", "ia32");
	expect_syscall("__ia32_compat_sys_recvmsg", "recvmsg", "ia32");
	expect_syscall("__do_sys_getppid", "getppid", NULL);
	expect_syscall("__se_sys_accept4", "accept4", NULL);
	expect_syscall("__x64_sys_connect.isra.0", "connect", NULL);
	expect_syscall("sys_connect", "connect", NULL);
	expect_syscall("io_issue_sqe", "io_uring", NULL);
	/* what they call */
	expect_syscall("__sys_connect", "", NULL);
	expect_syscall("x64_sys_call", "", NULL);
	expect_syscall("sys_heap_sort", "", NULL);
	expect_syscall("__x64_sys_", "", NULL);
	expect_syscall("", "", NULL);
}

/* Names of functions are a stranger's: none may end a line, a string or a frame, or move the cursor. */
static void hostile_names_are_escaped_in_every_format(void **state)
{
	struct schema schema = { 0 };
	struct render_names names = { .schema = &schema };
	struct calls_view view = { .names = &names };
	struct strbuf sb = STRBUF_INIT;
	struct json_object *obj;
	struct test t;
	u32 i;

	(void)state;
	start(&t, (struct calltree_options){ .all = true }, NULL);
	ADD(&t, { 0, "__x64_sys_\033]0;x\007", 100, 0 },
	    { 1, "evil\033[2J\n\";x \\ \xff\xc2\x9b\r", 90, 0 });
	view.tree = t.tree;
	view.funcs = t.funcs;
	for (i = 0; i < 2; i++) {
		view.style.utf8 = i;
		render_calls_text(&sb, &view);
		render_calls_folded(&sb, &view);
		render_calls_dot(&sb, &view);
	}
	for (i = 0; i < sb.len; i++)
		assert_true(sb.data[i] == '\n' || sb.data[i] == '\t' || (u8)sb.data[i] >= 0x20);
	assert_null(memmem(sb.data, sb.len, "\xc2\x9b", 2));
	/* The frames are two, the number is behind the only space. */
	sb.len = 0;
	render_calls_folded(&sb, &view);
	assert_non_null(strstr(strbuf_cstr(&sb), "\\x0a\"\\x3bx\\x20\\x5c"));
	sb.len = 0;
	render_calls_dot(&sb, &view);
	assert_non_null(strstr(strbuf_cstr(&sb), "\\\\x0a\\\";x \\\\x5c"));
	sb.len = 0;
	assert_int_equal(render_calls_json(&sb, &view), 0);
	obj = json_tokener_parse(strbuf_cstr(&sb));
	assert_non_null(obj);
	json_object_put(obj);
	strbuf_free(&sb);
	stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_calls_are_one_node_with_their_times),
		cmocka_unit_test(median_of_many_is_near_and_says_so),
		cmocka_unit_test(helpers_are_one_line_unless_asked_for),
		cmocka_unit_test(work_of_interrupts_is_nobodys_own),
		cmocka_unit_test(order_is_kept_when_asked_for),
		cmocka_unit_test(trees_begin_where_the_user_says),
		cmocka_unit_test(packets_are_in_the_tree_with_their_numbers),
		cmocka_unit_test(calls_on_other_files_are_left_out),
		cmocka_unit_test(protocol_is_that_of_the_outermost_function),
		cmocka_unit_test(tables_and_events_tell_more_than_names),
		cmocka_unit_test(system_calls_are_known_on_all_architectures),
		cmocka_unit_test(hostile_names_are_escaped_in_every_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
