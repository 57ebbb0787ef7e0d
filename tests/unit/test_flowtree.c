// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees of processes, and the lists of tasks that they are made of.
 */
#include "unit.h"

#include <json-c/json.h>
#include <string.h>

#include "analysis/flowtree.h"
#include "tree.h"

static struct tasklist tasks;
static struct flowtree tree;

static int teardown(void **state)
{
	(void)state;
	tasklist_free(&tasks);
	flowtree_free(&tree);
	return 0;
}

static void task(s32 tid, s32 pid, s32 parent, const char *comm)
{
	struct tasklist_entry e = { .tid = tid, .pid = pid, .parent = parent };

	strncpy(e.comm, comm, sizeof(e.comm) - 1);
	assert_int_equal(tasklist_put(&tasks, &e), 0);
}

static struct flow_row row(s32 pid, u64 rx)
{
	struct flow_row r = { .pid = pid };

	r.recent.rx_bytes = rx;
	r.sum.rx_bytes = 10 * rx;
	return r;
}

static const struct tasklist_entry *parent(void *ctx, s32 pid)
{
	return tasklist_find(ctx, pid);
}

static void build(const struct flow_row *rows, size_t nr)
{
	assert_int_equal(flowtree_build(&tree, rows, nr, parent, &tasks), 0);
}

static void assert_node(size_t at, s32 pid, u32 depth, u64 own, u64 all)
{
	assert_true(at < tree.nr);
	assert_int_equal(tree.node[at].pid, pid);
	assert_int_equal(tree.node[at].depth, depth);
	assert_int_equal(tree.node[at].recent.rx_bytes, own);
	assert_int_equal(tree.node[at].recent_all.rx_bytes, all);
	assert_int_equal(tree.node[at].sum_all.rx_bytes, 10 * all);
}

static void sums_go_up(void **unused)
{
	struct flow_row rows[] = { row(30, 5), row(21, 100), row(20, 7), row(0, 3) };

	(void)unused;
	task(1, 1, 0, "init");
	task(10, 10, 1, "shell");
	task(20, 20, 10, "server");
	task(21, 21, 20, "worker");
	task(30, 30, 10, "client");
	build(rows, 4);
	assert_int_equal(tree.nr, 6);
	assert_node(0, 1, 0, 0, 112);
	assert_node(1, 10, 1, 0, 112);
	/* the one with more below it comes first */
	assert_node(2, 20, 2, 7, 107);
	assert_node(3, 21, 3, 100, 100);
	assert_node(4, 30, 2, 5, 5);
	assert_string_equal(tree.node[1].comm, "shell");
	/* nobody's bytes are below nobody */
	assert_node(5, 0, 0, 3, 3);
}

static void unknown_parents_make_roots(void **unused)
{
	struct flow_row rows[] = { row(5, 1), row(6, 2) };

	(void)unused;
	task(6, 6, 4, "child");
	build(rows, 2);
	assert_int_equal(tree.nr, 3);
	assert_node(0, 4, 0, 0, 2);
	assert_node(1, 6, 1, 2, 2);
	assert_node(2, 5, 0, 1, 1);
}

/* A recording may be a stranger's, and numbers are used again. */
static void circles_are_cut(void **unused)
{
	struct flow_row rows[] = { row(5, 1), row(9, 4) };
	u64 total = 0;
	size_t i;

	(void)unused;
	task(5, 5, 6, "a");
	task(6, 6, 7, "b");
	task(7, 7, 5, "c");
	task(9, 9, 9, "itself");
	build(rows, 2);
	assert_int_equal(tree.nr, 4);
	for (i = 0; i < tree.nr; i++)
		if (!tree.node[i].depth)
			total += tree.node[i].recent_all.rx_bytes;
	assert_int_equal(total, 5);
}

static void very_long_chains_are_cut(void **unused)
{
	struct flow_row rows[] = { row(1000, 8) };
	u64 total = 0;
	size_t i;
	s32 pid;

	(void)unused;
	for (pid = 2; pid <= 1000; pid++)
		task(pid, pid, pid - 1, "link");
	build(rows, 1);
	for (i = 0; i < tree.nr; i++)
		if (!tree.node[i].depth)
			total += tree.node[i].recent_all.rx_bytes;
	assert_int_equal(total, 8);
	assert_true(tree.nr < 100);
}

static void tasks_survive_json(void **unused)
{
	struct tasklist again = { 0 };
	struct json_object *json;
	const struct tasklist_entry *e;

	(void)unused;
	task(12, 10, 1, "name \"with\" \xc3\xa4");
	task(3, 3, 0, "");
	json = tasklist_to_json(&tasks);
	assert_non_null(json);
	assert_int_equal(tasklist_from_json(&again, json), 0);
	json_object_put(json);
	assert_int_equal(again.nr, 2);
	e = tasklist_find(&again, 12);
	assert_non_null(e);
	assert_int_equal(e->pid, 10);
	assert_int_equal(e->parent, 1);
	assert_string_equal(e->comm, "name \"with\" \xc3\xa4");
	assert_non_null(tasklist_find(&again, 3));
	tasklist_free(&again);
}

static void strange_tasks_are_passed_over(void **unused)
{
	static const char text[] =
		"[1, [], [1], [-1,1,1,\"a\"], [1,0,1,\"a\"], [1,1,1,5], [\"1\",1,1,\"a\"],"
		"[4294967297,1,1,\"a\"], [7,7,1,\"more than fifteen characters\"], null]";
	struct json_object *json = json_tokener_parse(text);

	(void)unused;
	assert_non_null(json);
	assert_int_equal(tasklist_from_json(&tasks, json), 0);
	json_object_put(json);
	assert_int_equal(tasks.nr, 1);
	assert_string_equal(tasklist_find(&tasks, 7)->comm, "more than fifte");
}

static void proc_is_looked_at(void **unused)
{
	char *root = tree_new();
	const struct tasklist_entry *e;

	(void)unused;
	tree_file(root, "proc/10/task/10/x", "");
	tree_file(root, "proc/10/task/12/x", "");
	tree_file(root, "proc/10/status", "Name:\tserver\nTgid:\t10\nPid:\t10\nPPid:\t4\n");
	tree_file(root, "proc/12/status", "Name:\tworker\nTgid:\t10\nPid:\t12\nPPid:\t4\n");
	tree_file(root, "proc/10/comm", "server\n");
	tree_file(root, "proc/self/comm", "not a number\n");
	assert_int_equal(tasklist_scan(&tasks, root, false), 0);
	assert_int_equal(tasks.nr, 2);
	e = tasklist_find(&tasks, 12);
	assert_non_null(e);
	assert_int_equal(e->pid, 10);
	assert_int_equal(e->parent, 4);
	assert_string_equal(e->comm, "server");
	/* names change; what is known is looked at only when asked to */
	tree_file(root, "proc/10/comm", "other\n");
	assert_int_equal(tasklist_scan(&tasks, root, false), 0);
	assert_string_equal(tasklist_find(&tasks, 10)->comm, "server");
	assert_int_equal(tasklist_scan(&tasks, root, true), 0);
	assert_string_equal(tasklist_find(&tasks, 10)->comm, "other");
	tree_free(root);
}

/* Found again in any order of coming. */
static void many_tasks_are_found(void **unused)
{
	s32 i;

	(void)unused;
	for (i = 0; i < 5000; i++)
		task((i * 7919) % 5000 + 1, i + 1, 0, "t");
	assert_int_equal(tasks.nr, 5000);
	for (i = 0; i < 5000; i++)
		assert_int_equal(tasklist_find(&tasks, (i * 7919) % 5000 + 1)->pid, i + 1);
	assert_null(tasklist_find(&tasks, 5001));
}

#define T(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(sums_go_up),	       T(unknown_parents_make_roots),
		T(circles_are_cut),    T(very_long_chains_are_cut),
		T(tasks_survive_json), T(strange_tasks_are_passed_over),
		T(proc_is_looked_at),  T(many_tasks_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
