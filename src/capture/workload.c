// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running the watched command: fork, wait for the release, exec, notice the end.
 *
 * In:  an argument vector.
 * Out: a child and its exit status.
 *
 * Parent and child talk over two close-on-exec channels: through a socket pair (not a pipe, so that
 * a dead child is an errno and no SIGPIPE) the parent releases the child, whose end of file means
 * that the parent is gone and the child goes too; through a pipe the child tells the errno of a
 * failed exec, end of file meaning that exec worked.
 */
#include "capture/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/workload_user.h"

#define FIRST_OWN_FD 3
#define LAST_LIKELY_FD 4096
#define KILL_AFTER_MS 1000

enum state { WAITING, RUNNING, ENDED };

struct workload {
	enum state state;
	pid_t pid;
	char *name;	      /* argv[0], for messages */
	int release_fd;	      /* write end; -1 when closed */
	int exec_fd;	      /* read end; -1 when closed */
	int end_fd;	      /* pidfd or signalfd */
	bool end_is_signal;   /* end_fd is a signalfd */
	bool sigchld_blocked; /* by us: undo in workload_free() */
	siginfo_t end;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/*
 * The child keeps no descriptor that exec would close anyway, but the two it needs: a waiting
 * child must not keep the instance's owner lock or a ring buffer open when the parent is killed.
 */
static void close_inherited(int keep_a, int keep_b)
{
	int flags;
	int fd;

	for (fd = FIRST_OWN_FD; fd < LAST_LIKELY_FD; fd++) {
		flags = fcntl(fd, F_GETFD);
		if (flags >= 0 && (flags & FD_CLOEXEC) && fd != keep_a && fd != keep_b)
			close(fd);
	}
}

static void reset_signals(void)
{
	struct sigaction act = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigaction(SIGPIPE, &act, NULL);
	sigaction(SIGCHLD, &act, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child(char *const argv[], int go_fd, int exec_fd, unsigned int flags,
			    const struct user *user)
{
	ssize_t got;
	char byte;
	int code;

	close_inherited(go_fd, exec_fd);
	do {
		got = read(go_fd, &byte, 1);
	} while (got < 0 && errno == EINTR);
	if (got != 1)
		_exit(127);
	reset_signals();
	if (flags & WORKLOAD_STDOUT_TO_STDERR)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	code = user ? user_become(user) : 0;
	if (!code) {
		execvp(argv[0], argv);
		code = errno;
	}
	if (write(exec_fd, &code, sizeof(code)) != sizeof(code))
		_exit(126);
	_exit(127);
}

/* Something to poll for the child's end. */
static int open_end_fd(struct workload *w)
{
	sigset_t sigchld, before;

	w->end_fd = (int)syscall(SYS_pidfd_open, w->pid, 0);
	if (w->end_fd >= 0)
		return 0;
	sigemptyset(&sigchld);
	sigaddset(&sigchld, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &sigchld, &before))
		return -errno;
	w->end_is_signal = true;
	w->sigchld_blocked = !sigismember(&before, SIGCHLD);
	w->end_fd = signalfd(-1, &sigchld, SFD_CLOEXEC | SFD_NONBLOCK);
	return w->end_fd < 0 ? -errno : 0;
}

static int start_child(struct workload *w, char *const argv[], unsigned int flags,
		       const struct user *user, struct error *err)
{
	int exec_pipe[2];
	int go[2];
	int ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go))
		return error_errno(err, errno, "cannot make a socket pair");
	if (pipe2(exec_pipe, O_CLOEXEC)) {
		ret = errno;
		close(go[0]);
		close(go[1]);
		return error_errno(err, ret, "cannot make a pipe");
	}
	w->release_fd = go[1];
	w->exec_fd = exec_pipe[0];
	fflush(NULL);
	w->pid = fork();
	if (w->pid == 0) {
		/* else the child would wait for itself */
		close(go[1]);
		child(argv, go[0], exec_pipe[1], flags, user);
	}
	ret = w->pid < 0 ? errno : 0;
	close(go[0]);
	close(exec_pipe[1]);
	if (ret) {
		w->state = ENDED;
		return error_errno(err, ret, "cannot start a process for %s", argv[0]);
	}
	ret = open_end_fd(w);
	return ret ? error_errno(err, -ret, "cannot watch the process of %s", argv[0]) : 0;
}

int workload_start(char *const argv[], unsigned int flags, struct workload **out, struct error *err)
{
	struct user user = { 0 };
	struct workload *w;
	int ret = 0;

	*out = NULL;
	if (!argv[0] || !argv[0][0])
		return error_set(err, EINVAL, "there is no command to run");
	w = calloc(1, sizeof(*w));
	if (!w)
		return error_errno(err, ENOMEM, "cannot run %s", argv[0]);
	w->release_fd = w->exec_fd = w->end_fd = -1;
	w->state = ENDED;
	w->name = strdup(argv[0]);
	if (!w->name)
		ret = error_errno(err, ENOMEM, "cannot run %s", argv[0]);
	if (!ret && !(flags & WORKLOAD_KEEP_USER))
		ret = user_from_sudo(&user, err);
	if (!ret) {
		w->state = WAITING;
		ret = start_child(w, argv, flags, user.name ? &user : NULL, err);
	}
	user_free(&user);
	if (ret)
		workload_free(w);
	else
		*out = w;
	return ret;
}

/* waitid() until it says something; @flags 0 or WNOHANG. Return: whether the child was reaped */
static bool reap(struct workload *w, int flags)
{
	siginfo_t info;
	int ret;

	if (w->state == ENDED)
		return true;
	do {
		memset(&info, 0, sizeof(info));
		ret = waitid(P_PID, (id_t)w->pid, &info, WEXITED | flags);
	} while (ret && errno == EINTR);
	if (!ret && info.si_pid != w->pid)
		return false;
	/* ECHILD: somebody else reaped it; nothing is known, but it has ended */
	w->end = info;
	w->state = ENDED;
	return true;
}

/*
 * Whether PATH leads to such a file at all: execvp() says EACCES, not ENOENT, when the user may not
 * look into one of PATH's folders.
 */
static bool is_in_path(const char *name)
{
	const char *dir = getenv("PATH");
	bool found = false;
	char *file;
	int len;

	for (; dir && !found; dir += len, dir = *dir ? dir + 1 : NULL) {
		len = (int)strcspn(dir, ":");
		if (asprintf(&file, "%.*s%s/%s", len, dir, len ? "" : ".", name) < 0)
			return true;
		found = !access(file, F_OK);
		free(file);
	}
	return found;
}

int workload_release(struct workload *w, struct error *err)
{
	int code = 0;
	ssize_t got;

	if (w->state != WAITING)
		return error_set(err, EINVAL, "the command %s was started already", w->name);
	got = send(w->release_fd, "", 1, MSG_NOSIGNAL);
	close_fd(&w->release_fd);
	if (got == 1) {
		w->state = RUNNING;
		do {
			got = read(w->exec_fd, &code, sizeof(code));
		} while (got < 0 && errno == EINTR);
	} else {
		code = errno;
	}
	close_fd(&w->exec_fd);
	if (!code)
		return 0;
	reap(w, 0);
	if ((code == ENOENT || code == EACCES) && !strchr(w->name, '/') && !is_in_path(w->name))
		return error_set(err, ENOENT, "command not found: %s", w->name);
	return error_errno(err, code, "cannot execute %s", w->name);
}

pid_t workload_pid(const struct workload *w)
{
	return w->pid;
}

int workload_fd(const struct workload *w)
{
	return w->end_fd;
}

bool workload_ended(struct workload *w)
{
	struct signalfd_siginfo signals[4];

	/* drained, so that poll() waits again, before the question, so that no end is missed */
	while (w->end_is_signal && read(w->end_fd, signals, sizeof(signals)) > 0)
		;
	return reap(w, WNOHANG);
}

int workload_wait(struct workload *w, struct error *err)
{
	if (w->state == WAITING)
		return error_set(err, EINVAL, "the command %s was not started yet", w->name);
	reap(w, 0);
	return 0;
}

bool workload_ok(const struct workload *w)
{
	return w->state == ENDED && w->end.si_code == CLD_EXITED && w->end.si_status == 0;
}

const char *workload_status_text(const struct workload *w, char *buf, size_t size)
{
	const char *name = NULL;

	if (w->state == WAITING) {
		snprintf(buf, size, "not started");
	} else if (w->state == RUNNING) {
		snprintf(buf, size, "still running");
	} else if (w->end.si_code == CLD_EXITED) {
		snprintf(buf, size, "exited with %d", w->end.si_status);
	} else if (w->end.si_code == CLD_KILLED || w->end.si_code == CLD_DUMPED) {
#if __GLIBC_PREREQ(2, 32)
		name = sigabbrev_np(w->end.si_status);
#endif
		if (name)
			snprintf(buf, size, "killed by SIG%s", name);
		else
			snprintf(buf, size, "killed by signal %d", w->end.si_status);
	} else {
		snprintf(buf, size, "ended, nobody knows how");
	}
	return buf;
}

void workload_kill(struct workload *w, int sig)
{
	/* as long as it is not reaped its pid is not reused */
	if (w->state != ENDED)
		kill(w->pid, sig);
}

static void end_running(struct workload *w)
{
	const struct timespec pause = { 0, 10000000 };
	int waited_ms = 0;

	if (w->state == RUNNING) {
		workload_kill(w, SIGTERM);
		workload_kill(w, SIGCONT);
	}
	while (!reap(w, WNOHANG)) {
		if (waited_ms >= KILL_AFTER_MS) {
			workload_kill(w, SIGKILL);
			reap(w, 0);
		}
		nanosleep(&pause, NULL);
		waited_ms += 10;
	}
}

void workload_free(struct workload *w)
{
	sigset_t sigchld;

	if (!w)
		return;
	close_fd(&w->release_fd);
	end_running(w);
	close_fd(&w->exec_fd);
	close_fd(&w->end_fd);
	if (w->sigchld_blocked) {
		sigemptyset(&sigchld);
		sigaddset(&sigchld, SIGCHLD);
		sigprocmask(SIG_UNBLOCK, &sigchld, NULL);
	}
	free(w->name);
	free(w);
}
