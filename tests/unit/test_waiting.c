// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that wait, by /proc; and the kernel's ticks.
 */
#include "unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/jiffies.h"
#include "kernel/waiting.h"
#include "tree.h"

static const char *const functions[] = { "tcp_recvmsg", "udp_recvmsg" };

static int setup(void **state)
{
	char *dir = tree_new();

	*state = dir;
	return dir ? 0 : -1;
}

static int teardown(void **state)
{
	tree_free(*state);
	return 0;
}

static void put_thread(const char *dir, const char *thread, const char *stack, const char *call)
{
	char path[128];

	snprintf(path, sizeof(path), "proc/%s/stack", thread);
	if (stack)
		tree_file(dir, path, stack);
	snprintf(path, sizeof(path), "proc/%s/syscall", thread);
	tree_file(dir, path, call);
}

static void put_fd(const char *dir, const char *pid, const char *fd, const char *what)
{
	char path[256], sub[128];

	snprintf(sub, sizeof(sub), "proc/%s/fd/.keep", pid);
	tree_file(dir, sub, "");
	snprintf(path, sizeof(path), "%s/proc/%s/fd/%s", dir, pid, fd);
	assert_int_equal(symlink(what, path), 0);
}

/* As Linux 6.1 shows a thread in recv(). */
#define IN_RECV                                                                \
	"[<0>] wait_woken+0x4f/0x60\n[<0>] sk_wait_data+0x13f/0x160\n"         \
	"[<0>] tcp_recvmsg_locked+0x2c6/0x970\n[<0>] tcp_recvmsg+0x80/0x1d0\n" \
	"[<0>] inet_recvmsg+0x5c/0x150\n[<0>] __sys_recvfrom+0xb4/0x130\n"
#define RECVFROM_5 "45 0x5 0x7f267a7a0e50 0x3e8 0x0 0x0 0x0 0x7f267a7a0da0 0x43e\n"

static void waiting_calls_are_told_with_their_sockets(void **state)
{
	const char *dir = *state;
	struct waiting w;

	put_fd(dir, "10", "5", "socket:[4711]");
	put_fd(dir, "10", "6", "pipe:[3]");
	put_thread(dir, "10/task/10", IN_RECV, RECVFROM_5);
	/* splice(): from a pipe to a socket */
	put_thread(dir, "10/task/11", IN_RECV, "275 0x6 0x0 0x5 0x0 0x0 0x0 0x1 0x2\n");
	/* select(): the number is no descriptor, and the stack says so */
	put_thread(dir, "10/task/12", "[<0>] do_select+0x5e5/0x780\n",
		   "23 0x5 0x1 0x0 0x0 0x0 0x0 0x1 0x2\n");
	put_thread(dir, "10/task/13", IN_RECV, "running\n");
	/* the kernel's own */
	put_thread(dir, "20/task/20", IN_RECV, "-1 0x0 0x0\n");
	/* another's name within a longer one */
	put_thread(dir, "30/task/30", "[<0>] my_tcp_recvmsg+0x1/0x2\n", RECVFROM_5);
	assert_int_equal(waiting_scan(&w, dir, functions, 2), 0);
	assert_int_equal(w.nr, 3);
	for (size_t i = 0; i < w.nr; i++) {
		assert_true(w.call[i].tid == 10 || w.call[i].tid == 11 || w.call[i].tid == 20);
		assert_int_equal(w.call[i].inode, w.call[i].tid == 20 ? 0 : 4711);
		assert_true(i == 0 || w.call[i].at_ns >= w.call[i - 1].at_ns);
	}
	waiting_free(&w);
	assert_int_equal(waiting_scan(&w, dir, functions, 0), 0);
	assert_int_equal(w.nr, 0);
	waiting_free(&w);
}

/* Rather one too many. */
static void without_stacks_descriptors_tell(void **state)
{
	const char *dir = *state;
	struct waiting w;

	put_fd(dir, "10", "5", "socket:[4711]");
	put_thread(dir, "10/task/10", NULL, RECVFROM_5);
	put_thread(dir, "10/task/11", NULL, "202 0x7ffd 0x0 0x9 0x0 0x0 0x0 0x1 0x2\n");
	put_thread(dir, "10/task/12", NULL, "running\n");
	put_thread(dir, "10/task/13", NULL, "garbage 0x5");
	assert_int_equal(waiting_scan(&w, dir, functions, 2), 0);
	assert_int_equal(w.nr, 1);
	assert_int_equal(w.call[0].inode, 4711);
	waiting_free(&w);
}

static void recordings_keep_them(void **state)
{
	struct waiting_call call[] = { { 7, 1, 2 }, { 9, 3, UINT32_MAX } };
	struct waiting w = { call, 2, 2 }, back;
	struct json_object *array = waiting_to_json(&w);

	(void)state;
	assert_int_equal(waiting_from_json(&back, array), 0);
	assert_int_equal(back.nr, 2);
	assert_memory_equal(&back.call[1], &call[1], sizeof(call[1]));
	waiting_free(&back);
	json_object_put(array);
	/* a stranger's: out of order, and what makes no sense */
	array = json_tokener_parse(
		"[[9,3,4],[7,1,2],[0,1,2],[1,-1,2],[1,1,4294967296],[1,1],\"x\",[\"7\",1,2]]");
	assert_int_equal(waiting_from_json(&back, array), 0);
	assert_int_equal(back.nr, 2);
	assert_int_equal(back.call[0].at_ns, 7);
	waiting_free(&back);
	json_object_put(array);
	assert_int_equal(waiting_from_json(&back, NULL), 0);
	assert_int_equal(back.nr, 0);
}

/* From Linux 7.2 (HZ 250), 4.75 s after its start. */
static void ticks_go_by_the_clock(void **state)
{
	static const char text[] =
		"Timer List Version: v0.11\nHRTIMER_MAX_CLOCK_BASES: 8\nnow at 4749751020 nsecs\n\ncpu: 0\n"
		"  .last_jiffies   : 4294893483\n  .idle_expires   : 0 nsecs\njiffies: 4294893484\n\ncpu: 1\n"
		"jiffies: 4294893484\n";
	struct jiffies_clock clock = { .tick_ns = 4000000, .at_ns = 4749751020 };

	(void)state;
	assert_int_equal(jiffies_parse(&clock.jiffies, text), 0);
	assert_true(jiffies_at(&clock, 4749751020) == 4294893484);
	assert_true(jiffies_at(&clock, 5749751020) == 4294893484 + 250);
	assert_true(jiffies_at(&clock, 3749751020) == 4294893484 - 250);
	assert_true(jiffies_parse(&clock.jiffies, "now at 5 nsecs\n") < 0);
	assert_true(jiffies_parse(&clock.jiffies, "") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(waiting_calls_are_told_with_their_sockets, setup,
						teardown),
		cmocka_unit_test_setup_teardown(without_stacks_descriptors_tell, setup, teardown),
		cmocka_unit_test(recordings_keep_them),
		cmocka_unit_test(ticks_go_by_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
