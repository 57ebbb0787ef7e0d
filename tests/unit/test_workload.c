// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The watched command: runs when released, as the right user, and its end is told truly.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/workload.h"
#include "tree.h"

struct fixture {
	char *root;
	char command[512];
	struct workload *w;
	struct error err;
	char text[64];
};

static int setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));

	fix->root = tree_new();
	chmod(fix->root, 0777);
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	workload_free(fix->w);
	tree_free(fix->root);
	free(fix);
	/* every child was reaped */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return 0;
}

static void start(struct fixture *fix, const char *script)
{
	char *argv[] = { "sh", "-c", fix->command, NULL };

	snprintf(fix->command, sizeof(fix->command), "cd %s; %s", fix->root, script);
	assert_int_equal(workload_start(argv, 0, &fix->w, &fix->err), 0);
}

static const char *run(struct fixture *fix, const char *script)
{
	start(fix, script);
	assert_int_equal(workload_release(fix->w, &fix->err), 0);
	assert_int_equal(workload_wait(fix->w, &fix->err), 0);
	return workload_status_text(fix->w, fix->text, sizeof(fix->text));
}

static void command_begins_only_when_released(void **state)
{
	struct fixture *fix = *state;

	start(fix, "touch began");
	usleep(100000);
	assert_false(workload_ended(fix->w));
	assert_false(tree_has(fix->root, "began"));
	assert_string_equal(workload_status_text(fix->w, fix->text, sizeof(fix->text)),
			    "not started");
	assert_int_equal(workload_release(fix->w, &fix->err), 0);
	assert_int_equal(workload_wait(fix->w, &fix->err), 0);
	assert_true(tree_has(fix->root, "began"));
	assert_true(workload_ok(fix->w));
}

static void command_never_released_never_runs(void **state)
{
	struct fixture *fix = *state;

	start(fix, "touch began");
	workload_free(fix->w);
	fix->w = NULL;
	assert_false(tree_has(fix->root, "began"));
}

static void exit_status_is_told(void **state)
{
	struct fixture *fix = *state;

	assert_string_equal(run(fix, "exit 3"), "exited with 3");
	assert_false(workload_ok(fix->w));
}

static void killing_signal_is_told(void **state)
{
	struct fixture *fix = *state;

	assert_string_equal(run(fix, "ulimit -c 0; kill -SEGV $$"), "killed by SIGSEGV");
	assert_false(workload_ok(fix->w));
}

static void command_that_does_not_exist_is_a_clear_error(void **state)
{
	char *argv[] = { "no-such-command-anywhere", NULL };
	struct fixture *fix = *state;

	assert_int_equal(workload_start(argv, 0, &fix->w, &fix->err), 0);
	assert_int_equal(workload_release(fix->w, &fix->err), -ENOENT);
	assert_string_equal(fix->err.text, "command not found: no-such-command-anywhere");
}

static void file_that_is_no_program_is_a_clear_error(void **state)
{
	struct fixture *fix = *state;
	char *argv[] = { fix->root, NULL };

	assert_int_equal(workload_start(argv, 0, &fix->w, &fix->err), 0);
	assert_int_equal(workload_release(fix->w, &fix->err), -EACCES);
	assert_non_null(strstr(fix->err.text, fix->root));
	assert_non_null(strstr(fix->err.text, "EACCES"));
}

static void empty_command_is_refused(void **state)
{
	char *nothing[] = { NULL };
	char *empty[] = { "", NULL };
	struct fixture *fix = *state;

	assert_int_equal(workload_start(nothing, 0, &fix->w, &fix->err), -EINVAL);
	assert_int_equal(workload_start(empty, 0, &fix->w, &fix->err), -EINVAL);
	assert_null(fix->w);
}

static void end_can_be_polled_for(void **state)
{
	struct fixture *fix = *state;
	struct pollfd fd = { .events = POLLIN };

	start(fix, "sleep 0.1");
	fd.fd = workload_fd(fix->w);
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_int_equal(workload_release(fix->w, &fix->err), 0);
	assert_int_equal(poll(&fd, 1, 5000), 1);
	assert_true(workload_ended(fix->w));
	assert_true(workload_ok(fix->w));
}

static void signal_is_passed_on(void **state)
{
	struct fixture *fix = *state;

	start(fix, "exec sleep 30");
	assert_int_equal(workload_release(fix->w, &fix->err), 0);
	workload_kill(fix->w, SIGTERM);
	assert_int_equal(workload_wait(fix->w, &fix->err), 0);
	assert_string_equal(workload_status_text(fix->w, fix->text, sizeof(fix->text)),
			    "killed by SIGTERM");
	workload_kill(fix->w, SIGTERM);
}

static void command_that_will_not_end_is_ended(void **state)
{
	struct fixture *fix = *state;
	int i;

	start(fix, "trap '' TERM; touch ready; while :; do sleep 0.05; done");
	assert_int_equal(workload_release(fix->w, &fix->err), 0);
	for (i = 0; i < 200 && !tree_has(fix->root, "ready"); i++)
		usleep(10000);
	workload_free(fix->w);
	fix->w = NULL;
}

static void our_descriptors_and_signal_settings_stay_ours(void **state)
{
	struct fixture *fix = *state;
	sigset_t block, before;
	char path[128];
	char *text;
	int fd;
	int i;

	tree_dir(fix->root, "ours");
	snprintf(path, sizeof(path), "%s/ours", fix->root);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &before);
	signal(SIGPIPE, SIG_IGN);
	start(fix, "ls -l /proc/$$/fd > fds; grep -E 'SigBlk|SigIgn' /proc/self/status > signals");
	/* nor does the waiting child keep it */
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)workload_pid(fix->w), fd);
	for (i = 0; i < 500 && !access(path, F_OK); i++)
		usleep(10000);
	assert_true(i < 500);
	assert_int_equal(workload_release(fix->w, &fix->err), 0);
	assert_int_equal(workload_wait(fix->w, &fix->err), 0);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fd);
	text = tree_read(fix->root, "fds");
	assert_null(strstr(text, "/ours"));
	assert_null(strstr(text, "pidfd"));
	free(text);
	text = tree_read(fix->root, "signals");
	assert_non_null(strstr(text, "SigBlk:\t0000000000000000"));
	assert_int_equal(strtoull(strstr(text, "SigIgn:") + 7, NULL, 16) & (1ULL << (SIGPIPE - 1)),
			 0);
	free(text);
}

static void output_of_the_command_can_be_kept_out_of_ours(void **state)
{
	struct fixture *fix = *state;
	char *argv[] = { "sh", "-c", fix->command, NULL };
	struct stat out;
	char *text;
	char wanted[64];

	snprintf(fix->command, sizeof(fix->command),
		 "exec 3>&1; stat -L -c %%d:%%i /proc/self/fd/3 > %s/inode", fix->root);
	assert_int_equal(workload_start(argv, WORKLOAD_STDOUT_TO_STDERR, &fix->w, &fix->err), 0);
	assert_int_equal(workload_release(fix->w, &fix->err), 0);
	assert_int_equal(workload_wait(fix->w, &fix->err), 0);
	assert_int_equal(fstat(STDERR_FILENO, &out), 0);
	snprintf(wanted, sizeof(wanted), "%llu:%llu\n", (unsigned long long)out.st_dev,
		 (unsigned long long)out.st_ino);
	text = tree_read(fix->root, "inode");
	assert_string_equal(text, wanted);
	free(text);
}

static void waiting_child_goes_when_its_parent_is_killed(void **state)
{
	struct fixture *fix = *state;
	struct workload *w;
	int channel[2];
	pid_t parent;
	pid_t child;
	int i;

	assert_int_equal(pipe(channel), 0);
	parent = fork();
	if (parent == 0) {
		char *argv[] = { "sleep", "30", NULL };

		if (workload_start(argv, 0, &w, NULL))
			_exit(1);
		child = workload_pid(w);
		if (write(channel[1], &child, sizeof(child)) == sizeof(child))
			pause();
		_exit(1);
	}
	assert_int_equal(read(channel[0], &child, sizeof(child)), sizeof(child));
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	for (i = 0; i < 500; i++) {
		char path[64];
		char *status;
		bool gone;

		snprintf(path, sizeof(path), "proc/%d/status", (int)child);
		status = tree_read("/", path);
		gone = !status || strstr(status, "State:\tZ");
		free(status);
		if (gone)
			break;
		usleep(10000);
	}
	assert_true(i < 500);
	close(channel[0]);
	close(channel[1]);
	(void)fix;
}

static void command_runs_as_the_user_who_called_sudo(void **state)
{
	struct fixture *fix = *state;
	char *text;

	if (geteuid())
		skip();
	setenv("SUDO_UID", "65534", 1);
	setenv("SUDO_GID", "65534", 1);
	assert_string_equal(run(fix, "{ id -u; id -g; id -G; echo $USER; } > who"),
			    "exited with 0");
	text = tree_read(fix->root, "who");
	assert_string_equal(text, "65534\n65534\n65534\nnobody\n");
	free(text);
}

static void command_stays_root_when_asked_to(void **state)
{
	char *argv[] = { "sh", "-c", "test $(id -u) = 0", NULL };
	struct fixture *fix = *state;

	if (geteuid())
		skip();
	setenv("SUDO_UID", "65534", 1);
	setenv("SUDO_GID", "65534", 1);
	assert_int_equal(workload_start(argv, WORKLOAD_KEEP_USER, &fix->w, &fix->err), 0);
	assert_int_equal(workload_release(fix->w, &fix->err), 0);
	assert_int_equal(workload_wait(fix->w, &fix->err), 0);
	assert_true(workload_ok(fix->w));
}

static void unreadable_sudo_user_is_an_error_and_not_root(void **state)
{
	static const char *const bad[] = { "", "x", "-1", "4294967295", "1x", "99999999999999" };
	char *argv[] = { "true", NULL };
	struct fixture *fix = *state;
	size_t i;

	if (geteuid())
		skip();
	setenv("SUDO_GID", "65534", 1);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		setenv("SUDO_UID", bad[i], 1);
		assert_int_equal(workload_start(argv, 0, &fix->w, &fix->err), -EINVAL);
	}
}

int main(void)
{
#define WORKLOAD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORKLOAD_TEST(command_begins_only_when_released),
		WORKLOAD_TEST(command_never_released_never_runs),
		WORKLOAD_TEST(exit_status_is_told),
		WORKLOAD_TEST(killing_signal_is_told),
		WORKLOAD_TEST(command_that_does_not_exist_is_a_clear_error),
		WORKLOAD_TEST(file_that_is_no_program_is_a_clear_error),
		WORKLOAD_TEST(empty_command_is_refused),
		WORKLOAD_TEST(end_can_be_polled_for),
		WORKLOAD_TEST(signal_is_passed_on),
		WORKLOAD_TEST(command_that_will_not_end_is_ended),
		WORKLOAD_TEST(our_descriptors_and_signal_settings_stay_ours),
		WORKLOAD_TEST(output_of_the_command_can_be_kept_out_of_ours),
		WORKLOAD_TEST(waiting_child_goes_when_its_parent_is_killed),
		WORKLOAD_TEST(command_runs_as_the_user_who_called_sudo),
		WORKLOAD_TEST(command_stays_root_when_asked_to),
		WORKLOAD_TEST(unreadable_sudo_user_is_an_error_and_not_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
