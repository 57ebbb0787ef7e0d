// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads, their processes and names.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/tasks.h"
#include "tree.h"

static char *root;
static struct tasks *tasks;

static int setup(void **state)
{
	(void)state;
	root = tree_new();
	tree_file(root, "proc/12/status", "Name:\tworker\nUmask:\t0022\nTgid:\t10\nPid:\t12\n");
	tree_file(root, "proc/12/comm", "worker\n");
	tree_file(root, "proc/10/comm", "a-name-of-15-ch\n");
	tree_file(root, "proc/10/status", "Name:\tserver\nTgid:\t10\n");
	tasks = tasks_new(root);
	return tasks ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	tasks_free(tasks);
	tree_free(root);
	return 0;
}

static void thread_is_told_by_its_process(void **unused)
{
	const struct task_name *name = tasks_find(tasks, 12, 1000);

	(void)unused;
	assert_int_equal(name->tid, 12);
	assert_int_equal(name->pid, 10);
	assert_string_equal(name->comm, "a-name-of-15-ch");
}

static void thread_that_is_gone_is_a_number(void **unused)
{
	const struct task_name *name = tasks_find(tasks, 99, 1000);

	(void)unused;
	assert_int_equal(name->pid, 99);
	assert_string_equal(name->comm, "");
}

static void names_are_looked_up_again(void **unused)
{
	(void)unused;
	tasks_find(tasks, 10, 1000);
	tree_file(root, "proc/10/comm", "other\n");
	assert_string_equal(tasks_find(tasks, 10, NSEC_PER_SEC / 2)->comm, "a-name-of-15-ch");
	assert_string_equal(tasks_find(tasks, 10, 2 * NSEC_PER_SEC)->comm, "other");
	/* the shorter one leaves nothing of the longer behind: names are compared as a whole */
	assert_int_equal(tasks_find(tasks, 10, 2 * NSEC_PER_SEC)->comm[7], 0);
}

static void name_outlives_its_thread(void **unused)
{
	char path[512];

	(void)unused;
	tasks_find(tasks, 10, 1000);
	snprintf(path, sizeof(path), "%s/proc/10/status", root);
	assert_int_equal(unlink(path), 0);
	assert_string_equal(tasks_find(tasks, 10, 5 * NSEC_PER_SEC)->comm, "a-name-of-15-ch");
}

/* 16384 apart: one slot */
static void numbers_that_share_a_slot_do_not_mix(void **unused)
{
	(void)unused;
	tasks_find(tasks, 10, 1000);
	assert_string_equal(tasks_find(tasks, 10 + 16384, 1001)->comm, "");
	assert_int_equal(tasks_find(tasks, 10 + 16384, 1001)->pid, 10 + 16384);
	assert_string_equal(tasks_find(tasks, 10, 1002)->comm, "a-name-of-15-ch");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(thread_is_told_by_its_process),
		T(thread_that_is_gone_is_a_number),
		T(names_are_looked_up_again),
		T(name_outlives_its_thread),
		T(numbers_that_share_a_slot_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
