// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a dead skbtrail left behind is found and removed; what lives or is not ours stays. Sessions,
 * too: what is not completely set up is completely undone.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/leftovers.h"
#include "capture/plan.h"
#include "capture/session.h"
#include "kernel/tracedir.h"
#include "tree.h"

struct fixture {
	char *root; /* stands for the mount point of tracefs */
	struct leftovers list;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));

	fix->root = tree_new();
	tree_dir(fix->root, "instances");
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	leftovers_free(&fix->list);
	tree_free(fix->root);
	free(fix);
	return 0;
}

static void find(struct fixture *fix, size_t count)
{
	leftovers_free(&fix->list);
	assert_int_equal(leftovers_find(fix->root, &fix->list, &fix->err), 0);
	assert_int_equal(fix->list.count, count);
}

static int create(const char *root, const char *name)
{
	struct error err = { 0 };
	char *dir;
	int fd;

	assert_true(asprintf(&dir, "%s/instances/%s", root, name) > 0);
	fd = instance_create(root, dir, &err);
	free(dir);
	return fd;
}

static void instance_of_a_killed_process_is_removed(void **state)
{
	struct fixture *fix = *state;
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		create(fix->root, "skbtrail-4711");
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	find(fix, 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	find(fix, 1);
	assert_string_equal(fix->list.items[0].name, "skbtrail-4711");
	assert_int_equal(fix->list.items[0].kind, LEFTOVER_INSTANCE);
	assert_int_equal(leftovers_remove(fix->root, &fix->list, &fix->err), 0);
	assert_true(fix->list.items[0].removed);
	assert_false(tree_has(fix->root, "instances/skbtrail-4711"));
	close(ready[0]);
	close(ready[1]);
}

static void live_instance_and_those_of_others_stay(void **state)
{
	static const char *const others[] = { "other",	     "skbtrail-notours", "skbtrail-",
					      "skbtrail-1x", "skbtrail-1-2",	 "xskbtrail-1",
					      "skbtrail_1",  "skbtrail" };
	struct fixture *fix = *state;
	char path[64];
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		snprintf(path, sizeof(path), "instances/%s", others[i]);
		tree_dir(fix->root, path);
	}
	fd = create(fix->root, "skbtrail-1");
	assert_true(fd >= 0);
	find(fix, 0);
	close(fd);
	find(fix, 1);
	assert_int_equal(leftovers_remove(fix->root, &fix->list, &fix->err), 0);
	assert_false(tree_has(fix->root, "instances/skbtrail-1"));
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		snprintf(path, sizeof(path), "instances/%s", others[i]);
		assert_true(tree_has(fix->root, path));
	}
}

static void instance_made_a_moment_ago_and_not_yet_locked_is_safe(void **state)
{
	struct fixture *fix = *state;
	struct error err = { 0 };
	int creating;
	int finder_fd[2];
	pid_t finder;
	char found;
	int owner;

	creating = instances_lock(fix->root, LOCK_SH, &err);
	assert_true(creating >= 0);
	tree_dir(fix->root, "instances/skbtrail-5");
	assert_int_equal(pipe(finder_fd), 0);
	finder = fork();
	if (finder == 0) {
		close(creating);
		found = leftovers_find(fix->root, &fix->list, &err) ? 'e' :
								      (char)('0' + fix->list.count);
		_exit(write(finder_fd[1], &found, 1) != 1);
	}
	usleep(200000);
	{
		char *dir;

		assert_true(asprintf(&dir, "%s/instances/skbtrail-5", fix->root) > 0);
		owner = tracedir_lock(dir, LOCK_EX, 0);
		free(dir);
	}
	assert_true(owner >= 0);
	close(creating);
	assert_int_equal(read(finder_fd[0], &found, 1), 1);
	assert_int_equal(found, '0');
	waitpid(finder, NULL, 0);
	close(owner);
	close(finder_fd[0]);
	close(finder_fd[1]);
}

static void instance_that_came_alive_in_between_is_left_alone(void **state)
{
	struct fixture *fix = *state;
	char *dir;
	int fd;

	tree_dir(fix->root, "instances/skbtrail-8");
	find(fix, 1);
	assert_true(asprintf(&dir, "%s/instances/skbtrail-8", fix->root) > 0);
	fd = tracedir_lock(dir, LOCK_EX, 0);
	free(dir);
	assert_int_equal(leftovers_remove(fix->root, &fix->list, &fix->err), 0);
	assert_true(fix->list.items[0].alive);
	assert_false(fix->list.items[0].removed);
	assert_true(tree_has(fix->root, "instances/skbtrail-8"));
	close(fd);
}

static void what_cannot_be_removed_is_told_with_its_reason(void **state)
{
	struct fixture *fix = *state;

	tree_file(fix->root, "instances/skbtrail-9/stuck", "");
	tree_dir(fix->root, "instances/skbtrail-10");
	find(fix, 2);
	assert_int_equal(leftovers_remove(fix->root, &fix->list, &fix->err), -ENOTEMPTY);
	assert_non_null(strstr(fix->err.text, "skbtrail-9"));
	assert_non_null(strstr(fix->err.text, "ENOTEMPTY"));
	assert_false(tree_has(fix->root, "instances/skbtrail-10"));
}

static void only_probe_events_of_dead_owners_are_removed(void **state)
{
	static const char events[] = "p:skbtrail_70/k ip_rcv\n"
				     "e:skbtrail_70/e net.net_dev_queue s=$skbaddr\n"
				     "p:skbtrail_71/k ip_rcv\n"
				     "p:skbtrail_x/k ip_rcv\n"
				     "r4:other/skbtrail_70 ip_rcv\n"
				     "s:synthetic u64 x\n"
				     "p:skbtrail_/k ip_rcv\n"
				     "p:skbtrail_72/ ip_rcv\n"
				     "\n:::\nno colon\np:skbtrail_73/u /bin/true:0x10";
	static const char *const names[] = { "skbtrail_70/k", "skbtrail_70/e", "skbtrail_73/u" };
	struct fixture *fix = *state;
	char *text;
	size_t i;
	int fd;

	tree_file(fix->root, "./dynamic_events", events);
	tree_file(fix->root, "events/skbtrail_70/k/enable", "1\n");
	tree_file(fix->root, "instances/other/events/skbtrail_70/k/enable", "1\n");
	tree_file(fix->root, "instances/other/events/net/enable", "1\n");
	fd = create(fix->root, "skbtrail-71");
	assert_true(fd >= 0);
	find(fix, ARRAY_SIZE(names));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		assert_string_equal(fix->list.items[i].name, names[i]);
		assert_int_equal(fix->list.items[i].kind, LEFTOVER_PROBE);
	}
	assert_int_equal(leftovers_remove(fix->root, &fix->list, &fix->err), 0);
	text = tree_read(fix->root, "dynamic_events");
	assert_string_equal(text + strlen(events),
			    "-:skbtrail_70/k\n-:skbtrail_70/e\n-:skbtrail_73/u\n");
	free(text);
	text = tree_read(fix->root, "instances/other/events/skbtrail_70/k/enable");
	assert_int_equal(text[0], '0');
	free(text);
	text = tree_read(fix->root, "instances/other/events/net/enable");
	assert_int_equal(text[0], '1');
	free(text);
	close(fd);
}

static void nothing_left_is_no_error_and_no_tracefs_is(void **state)
{
	struct fixture *fix = *state;
	struct leftovers list;

	find(fix, 0);
	assert_int_equal(leftovers_remove(fix->root, &fix->list, &fix->err), 0);
	assert_int_equal(leftovers_find("/nonexistent", &list, &fix->err), -ENOENT);
	assert_non_null(strstr(fix->err.text, "/nonexistent/instances"));
	leftovers_free(&list);
}

static void make_plan(struct plan *plan, const char *root)
{
	static const char json[] = "{\"capabilities\":{},\"events\":{\"net\":[\"netif_rx\"]}}";
	const struct capture_request rq = { .buffer_percent = -1, .pid = 12 };
	struct features f;
	struct error err;

	assert_int_equal(features_from_json(&f, json, strlen(json), &err), 0);
	snprintf(f.tracing_dir, sizeof(f.tracing_dir), "%s", root);
	assert_int_equal(plan_build(&rq, &f, plan, &err), 0);
	features_free(&f);
}

static void failed_set_up_names_the_file_and_leaves_nothing(void **state)
{
	struct session *session = (struct session *)state;
	struct fixture *fix = *state;
	struct plan plan;

	make_plan(&plan, fix->root);
	assert_int_equal(session_open(&plan, &session, &fix->err), -ENOENT);
	assert_null(session);
	assert_non_null(strstr(fix->err.text, "instances/skbtrail-12/tracing_on"));
	assert_non_null(strstr(fix->err.text, "ENOENT"));
	assert_false(tree_has(fix->root, "instances/skbtrail-12"));
	assert_int_equal(session_close(&session, &fix->err), 0);
	plan_free(&plan);
}

static void instance_that_exists_is_not_touched_by_a_failed_set_up(void **state)
{
	struct fixture *fix = *state;
	struct session *session;
	struct plan plan;
	char *text;

	make_plan(&plan, fix->root);
	tree_file(fix->root, "instances/skbtrail-12/tracing_on", "1\n");
	assert_int_equal(session_open(&plan, &session, &fix->err), -EEXIST);
	text = tree_read(fix->root, "instances/skbtrail-12/tracing_on");
	assert_string_equal(text, "1\n");
	free(text);
	plan_free(&plan);
}

int main(void)
{
#define LEFTOVERS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		LEFTOVERS_TEST(instance_of_a_killed_process_is_removed),
		LEFTOVERS_TEST(live_instance_and_those_of_others_stay),
		LEFTOVERS_TEST(instance_made_a_moment_ago_and_not_yet_locked_is_safe),
		LEFTOVERS_TEST(instance_that_came_alive_in_between_is_left_alone),
		LEFTOVERS_TEST(what_cannot_be_removed_is_told_with_its_reason),
		LEFTOVERS_TEST(only_probe_events_of_dead_owners_are_removed),
		LEFTOVERS_TEST(nothing_left_is_no_error_and_no_tracefs_is),
		LEFTOVERS_TEST(failed_set_up_names_the_file_and_leaves_nothing),
		LEFTOVERS_TEST(instance_that_exists_is_not_touched_by_a_failed_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
