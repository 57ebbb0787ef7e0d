// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Definitions of probes, tried out: see trial.h.
 *
 * Each definition is written on its own, so that the kernel's refusal of one says nothing of another. Records are
 * of the workload's threads only (set_event_pid), and read as text once it is over.
 */
#include "capture/trial.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/trial_priv.h"
#include "capture/workload.h"
#include "kernel/scratch.h"

#define BUFFER_KB "4096"
#define SAMPLE_MS 20
#define SECONDS_DEFAULT 5.0

struct trial {
	const struct trial_request *rq;
	struct trial_def *defs;
	size_t *event; /* of each definition */
	size_t nr;
	struct scratch scratch;
	struct trial_calls calls;
	struct trial_samples samples;
	struct trial_result *result;
};

static bool same_event(const struct probedef *a, const struct probedef *b)
{
	return a->at == b->at && a->object == b->object && a->arg == b->arg &&
	       !((a->fetch ^ b->fetch) & FETCH_BYTES) && !strcmp(a->function, b->function);
}

/* All that a definition may be judged by is fetched, whatever will be offered. */
static int define_one(struct trial *t, size_t i)
{
	struct probedef d = t->defs[i].def;
	struct strbuf line = STRBUF_INIT;
	char name[24];
	int ret;

	snprintf(name, sizeof(name), "e%zu", i);
	d.event = name;
	if (!(d.fetch & FETCH_BYTES))
		d.fetch = FETCH_LOCAL | FETCH_REMOTE;
	if (!probedef_possible(&d, t->rq->layout))
		return -ENODATA;
	probedef_kprobe(&line, &d, t->rq->layout, t->scratch.group);
	ret = line.failed ? -ENOMEM : scratch_define(&t->scratch, strbuf_cstr(&line));
	strbuf_free(&line);
	return ret;
}

static int define(struct trial *t, struct error *err)
{
	size_t i, j, placed = 0;
	int first = 0;

	for (i = 0; i < t->nr; i++) {
		for (j = 0; j < i && !same_event(&t->defs[i].def, &t->defs[j].def); j++)
			;
		t->event[i] = j;
		t->defs[i].refused = j < i ? t->defs[j].refused : -define_one(t, i);
		placed += !t->defs[i].refused;
		if (!first)
			first = t->defs[i].refused;
	}
	if (placed)
		return 0;
	return error_errno(err, first == ENODATA || first == EPERM ? first : ENOTSUP,
			   "none of %zu definitions of probes can be placed", t->nr);
}

/* Whose records are wanted: all threads of a process, and what they start. */
static int set_pids(struct trial *t, s32 pid)
{
	struct strbuf list = STRBUF_INIT;
	struct dirent *entry;
	char path[64];
	DIR *dir;
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return -ESRCH;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			/* a blank at the end would not be taken by 5.10 */
			strbuf_printf(&list, "%s%s", list.len ? " " : "", entry->d_name);
	closedir(dir);
	ret = list.failed ? -ENOMEM :
			    scratch_write(&t->scratch, "set_event_pid", strbuf_cstr(&list));
	strbuf_free(&list);
	return ret;
}

static int set_up(struct trial *t, s32 pid, struct error *err)
{
	int ret = scratch_write(&t->scratch, "trace_clock", "mono");

	if (!ret)
		ret = scratch_write(&t->scratch, "buffer_size_kb", BUFFER_KB);
	if (!ret)
		ret = scratch_write(&t->scratch, "options/event-fork", "1");
	if (!ret)
		ret = set_pids(t, pid);
	if (!ret)
		ret = scratch_switch(&t->scratch, true);
	return ret ? error_errno(err, -ret, "cannot set up %s for process %d", t->scratch.instance,
				 pid) :
		     0;
}

static int run_command(struct trial *t, struct error *err)
{
	struct workload *w;
	int ret = workload_start(t->rq->command, t->rq->workload_flags, &w, err);

	if (ret)
		return ret;
	ret = set_up(t, workload_pid(w), err);
	if (!ret)
		ret = trial_follow(w, t->rq, &t->calls, err);
	workload_status_text(w, t->result->status, sizeof(t->result->status));
	workload_free(w);
	return ret;
}

/* ---- a process that is there */

static void switch_syscalls(struct trial *t)
{
	static const char *const names[] = { "connect", "accept",   "accept4",	 "sendto",
					     "sendmsg", "sendmmsg", "sendfile",	 "write",
					     "writev",	"recvfrom", "recvmsg",	 "recvmmsg",
					     "read",	"readv",    "sendfile64" };
	char file[80];
	size_t i;

	/* one that is missing is not judged by */
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(file, sizeof(file), "events/syscalls/sys_enter_%s/enable", names[i]);
		scratch_write(&t->scratch, file, "1");
		snprintf(file, sizeof(file), "events/syscalls/sys_exit_%s/enable", names[i]);
		scratch_write(&t->scratch, file, "1");
	}
}

static int wait_for_process(struct trial *t, int pidfd)
{
	u64 end_ns =
		now_ns() + (u64)((t->rq->seconds > 0 ? t->rq->seconds : SECONDS_DEFAULT) * 1e9);
	struct pollfd fds[2] = { { .fd = pidfd, .events = POLLIN },
				 { .fd = t->rq->stop_fd, .events = POLLIN } };
	int ret = 0;

	while (!ret && now_ns() < end_ns) {
		ret = trial_sample(&t->samples, pidfd, t->rq->pid);
		if (poll(fds, 2, SAMPLE_MS) > 0)
			break;
	}
	return ret == -ESRCH ? 0 : ret;
}

static int watch_process(struct trial *t, struct error *err)
{
	int pidfd = (int)syscall(SYS_pidfd_open, t->rq->pid, 0);
	int ret;

	if (pidfd < 0)
		return error_errno(err, errno, "cannot look at process %d", t->rq->pid);
	switch_syscalls(t);
	ret = set_up(t, t->rq->pid, err);
	if (!ret && (ret = wait_for_process(t, pidfd)))
		error_errno(err, -ret, "cannot look at process %d", t->rq->pid);
	close(pidfd);
	return ret;
}

/* ---- the whole */

static int judge(struct trial *t, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret;

	scratch_switch(&t->scratch, false);
	ret = scratch_read(&t->scratch, &text);
	if (!ret && !t->rq->command)
		ret = trial_calls_from_text(strbuf_cstr(&text), &t->samples, &t->calls);
	if (!ret) {
		trial_calls_sort(&t->calls);
		trial_judge(strbuf_cstr(&text), &t->calls, t->defs, t->event, t->nr, t->result);
		t->result->calls = t->result->truths = (u32)t->calls.nr;
		t->result->cut = t->calls.cut;
	}
	strbuf_free(&text);
	return ret ? error_errno(err, -ret, "cannot read what the trial recorded") : 0;
}

int trial_run(const struct trial_request *rq, struct trial_def *defs, size_t nr,
	      struct trial_result *result, struct error *err)
{
	struct trial t = { .rq = rq, .defs = defs, .nr = nr, .result = result };
	int ret, closed;

	memset(result, 0, sizeof(*result));
	t.event = calloc(nr ? nr : 1, sizeof(*t.event));
	if (!t.event)
		return error_errno(err, ENOMEM, "cannot try probes");
	ret = scratch_open(&t.scratch, rq->tracing_dir, err);
	if (!ret) {
		ret = define(&t, err);
		if (!ret)
			ret = rq->command ? run_command(&t, err) : watch_process(&t, err);
		if (!ret)
			ret = judge(&t, err);
		closed = scratch_close(&t.scratch, ret ? NULL : err);
		ret = ret ? ret : closed;
	}
	trial_calls_free(&t.calls);
	trial_samples_free(&t.samples);
	free(t.event);
	return ret;
}
