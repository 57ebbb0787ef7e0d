// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A command followed through its system calls (ptrace): at the end of each that is on a socket, while
 * the command stands still, the socket is asked what is true.
 *
 * The command was started and waits. It is seized, released, and stops by itself when it has become the
 * command (PTRACE_EVENT_EXEC); from there on each system call stops it twice. Children and threads are
 * seized by the kernel as they are made. All of them die with us (PTRACE_O_EXITKILL) and are let go
 * when time is up.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/trial_calls.h"
#include "capture/workload.h"

#define TASKS_MAX 4096
#define OPTIONS                                                                                  \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	 PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)
#define SYSCALL_STOP (SIGTRAP | 0x80)
#define PAUSE_NS 200000
#define IDLE_TURNS 50 /* of looking without a pause, as stops come in rows */

/* struct ptrace_syscall_info of linux/ptrace.h, which does not go together with sys/ptrace.h */
struct syscall_info {
	u8 op;
	u8 pad[3];
	u32 arch;
	u64 instruction_pointer, stack_pointer;
	union {
		struct {
			u64 nr;
			u64 args[6];
		} entry;
		struct {
			s64 rval;
			u8 is_error;
		} exit;
		u64 room[16];
	};
};

/* What the kernel calls this machine with our word size (linux/audit.h); 0: not known here. */
#if defined(__x86_64__)
#define OWN_ARCH 0xc000003eU
#elif defined(__aarch64__)
#define OWN_ARCH 0xc00000b7U
#elif defined(__riscv)
#define OWN_ARCH 0xc00000f3U
#elif defined(__s390x__)
#define OWN_ARCH 0x80000016U
#else
#define OWN_ARCH 0U
#endif

#define COMMAND_ENDED 2
#define INFO_ENTRY 1
#define INFO_EXIT 2
#define GET_SYSCALL_INFO 0x420e

struct task {
	s32 tid, tgid;
	bool in_call;
	struct trial_call call;
	u64 args[6];
};

struct follower {
	struct trial_calls *calls;
	struct task *task;
	size_t nr;
	s32 pidfd_of; /* whose ->pidfd is */
	int pidfd;
};

static struct task *find_task(struct follower *f, s32 tid)
{
	size_t i;

	for (i = 0; i < f->nr; i++)
		if (f->task[i].tid == tid)
			return &f->task[i];
	if (f->nr == TASKS_MAX)
		return NULL;
	f->task[f->nr] = (struct task){ .tid = tid };
	return &f->task[f->nr++];
}

static void forget_task(struct follower *f, s32 tid)
{
	size_t i;

	for (i = 0; i < f->nr; i++)
		if (f->task[i].tid == tid)
			f->task[i] = f->task[--f->nr];
}

static s32 process_of(s32 tid)
{
	char path[64], line[128];
	int tgid = tid;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	file = fopen(path, "re");
	if (!file)
		return tid;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			break;
	fclose(file);
	return tgid;
}

static int pidfd_of(struct follower *f, struct task *t)
{
	if (!t->tgid)
		t->tgid = process_of(t->tid);
	if (f->pidfd_of == t->tgid)
		return f->pidfd;
	if (f->pidfd >= 0)
		close(f->pidfd);
	f->pidfd = (int)syscall(SYS_pidfd_open, t->tgid, 0);
	f->pidfd_of = f->pidfd < 0 ? 0 : t->tgid;
	return f->pidfd;
}

/* A connection that is being made has no peer yet for getpeername(): it is what was asked for. */
static void take_asked_peer(const struct task *t, struct trial_truth *truth)
{
	struct sockaddr_storage addr = { 0 };
	struct iovec to = { &addr, sizeof(addr) }, from;
	ssize_t got;

	if (truth->remote.family || t->args[2] > sizeof(addr))
		return;
	from.iov_base = (void *)(uintptr_t)t->args[1];
	from.iov_len = to.iov_len = t->args[2];
	got = process_vm_readv(t->tid, &to, 1, &from, 1, 0);
	if (got > 0)
		trial_take_end(&addr, (socklen_t)got, &truth->remote);
}

static void enter(struct task *t, const struct syscall_info *info)
{
	/* of a 32-bit program the numbers are others */
	bool foreign = OWN_ARCH && info->arch != OWN_ARCH;

	t->in_call = true;
	memset(&t->call, 0, sizeof(t->call));
	t->call.kind = foreign ? 0 : trial_call_kind(info->entry.nr, &t->call.one_message);
	if (!t->call.kind)
		return;
	t->call.tid = t->tid;
	t->call.nr = (u32)info->entry.nr;
	memcpy(t->args, info->entry.args, sizeof(t->args));
	t->call.begin_ns = now_ns();
}

static int leave(struct follower *f, struct task *t, const struct syscall_info *info)
{
	struct trial_call *call = &t->call;
	int pidfd;

	t->in_call = false;
	if (!call->kind)
		return 0;
	call->end_ns = now_ns();
	call->ret = info->exit.rval;
	call->fd = (s32)(call->kind == TRIAL_ACCEPT ? call->ret : (s64)t->args[0]);
	pidfd = call->fd >= 0 ? pidfd_of(f, t) : -1;
	if (pidfd >= 0)
		trial_ask(pidfd, call->fd, &call->truth);
	if (call->kind == TRIAL_CONNECT && (!call->ret || call->ret == -EINPROGRESS))
		take_asked_peer(t, &call->truth);
	/* write() to a file */
	return call->truth.family ? trial_calls_add(f->calls, call) : 0;
}

static int take_syscall(struct follower *f, s32 tid)
{
	struct syscall_info info = { 0 };
	struct task *t = find_task(f, tid);

	if (!t ||
	    ptrace((enum __ptrace_request)GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info) <= 0)
		return 0;
	if (info.op == INFO_ENTRY)
		enter(t, &info);
	else if (info.op == INFO_EXIT)
		return leave(f, t, &info);
	return 0;
}

/* A stop that waitpid() told of: look, and let the task go on. */
static int take_stop(struct follower *f, s32 tid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16, ret = 0;
	enum __ptrace_request go_on = PTRACE_SYSCALL;

	if (sig == SYSCALL_STOP) {
		ret = take_syscall(f, tid);
		sig = 0;
	} else if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
		go_on = PTRACE_LISTEN; /* stopped by a signal, as without us */
		sig = 0;
	} else if (event) {
		sig = 0;
	}
	ptrace(go_on, tid, NULL, (void *)(long)sig);
	return ret;
}

/*
 * What has happened to whom, without reaping the command itself: its end is the workload's business. And the
 * workload must not look before, for a wait for the end of a task that we trace tells of its stops, too.
 *
 * Return: 1 when something was done, 0 when not, COMMAND_ENDED, -errno.
 */
static int take_turn(struct follower *f, s32 command)
{
	siginfo_t info = { 0 };
	int status, ret;

	if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL) ||
	    !info.si_pid)
		return 0;
	if (info.si_pid == command && (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
				       info.si_code == CLD_DUMPED))
		return COMMAND_ENDED;
	if (waitpid(info.si_pid, &status, WNOHANG | __WALL) != info.si_pid)
		return 0;
	if (!WIFSTOPPED(status)) {
		forget_task(f, info.si_pid);
		return 1;
	}
	ret = take_stop(f, info.si_pid, status);
	return ret ? ret : 1;
}

static bool is_over(const struct trial_request *rq, u64 end_ns)
{
	struct pollfd stop = { .fd = rq->stop_fd, .events = POLLIN };

	if (rq->stop_fd >= 0 && poll(&stop, 1, 0) > 0)
		return true;
	return end_ns && now_ns() >= end_ns;
}

/* Nobody stays stopped: those that are get going when they are let go. */
static void let_go(struct follower *f)
{
	int status, tries;
	size_t i;

	for (i = 0; i < f->nr; i++) {
		if (!ptrace(PTRACE_DETACH, f->task[i].tid, NULL, NULL) ||
		    ptrace(PTRACE_INTERRUPT, f->task[i].tid, NULL, NULL))
			continue;
		for (tries = 0; tries < 1000; tries++) {
			if (waitpid(f->task[i].tid, &status, WNOHANG | __WALL))
				break;
			nanosleep(&(struct timespec){ 0, PAUSE_NS }, NULL);
		}
		ptrace(PTRACE_DETACH, f->task[i].tid, NULL, NULL);
	}
}

static int follow(struct follower *f, struct workload *w, const struct trial_request *rq)
{
	u64 end_ns = rq->seconds > 0 ? now_ns() + (u64)(rq->seconds * 1e9) : 0;
	int idle = 0, ret = 0;

	while (ret >= 0 && ret != COMMAND_ENDED) {
		ret = take_turn(f, workload_pid(w));
		if (ret) {
			idle = 0;
			continue;
		}
		if (is_over(rq, end_ns))
			break;
		if (++idle > IDLE_TURNS)
			nanosleep(&(struct timespec){ 0, PAUSE_NS }, NULL);
	}
	if (ret == COMMAND_ENDED)
		workload_ended(w);
	return ret < 0 ? ret : 0;
}

int trial_follow(struct workload *w, const struct trial_request *rq, struct trial_calls *calls,
		 struct error *err)
{
	struct follower f = { .calls = calls, .pidfd = -1 };
	s32 pid = workload_pid(w);
	int ret = 0;

	f.task = calloc(TASKS_MAX, sizeof(*f.task));
	if (!f.task)
		return error_errno(err, ENOMEM, "cannot follow the command");
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS))
		ret = error_errno(err, errno, "cannot follow the command with ptrace");
	if (!ret)
		find_task(&f, pid);
	if (!ret)
		ret = workload_release(w, err);
	if (!ret) {
		ret = follow(&f, w, rq);
		if (ret)
			error_errno(err, -ret, "cannot follow the command");
	}
	let_go(&f);
	if (f.pidfd >= 0)
		close(f.pidfd);
	free(f.task);
	return ret;
}
