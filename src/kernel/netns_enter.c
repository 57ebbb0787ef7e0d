// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads that live in another network namespace: see netns_enter.h.
 */
#include "kernel/netns_enter.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

struct call {
	int netns_fd;
	int (*fn)(void *arg, struct error *err);
	void *arg;
	struct error *err;
	int ret;
};

int netns_enter(int netns_fd, struct error *err)
{
	if (setns(netns_fd, CLONE_NEWNET))
		return error_errno(err, errno, "cannot enter a network namespace%s",
				   errno == EPERM ? " (needs CAP_SYS_ADMIN)" : "");
	return 0;
}

int netns_thread(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -ret;
}

static void *call_run(void *arg)
{
	struct call *call = arg;

	call->ret = call->netns_fd < 0 ? 0 : netns_enter(call->netns_fd, call->err);
	if (!call->ret)
		call->ret = call->fn(call->arg, call->err);
	return NULL;
}

int netns_call(int netns_fd, int (*fn)(void *arg, struct error *err), void *arg, struct error *err)
{
	struct call call = { .netns_fd = netns_fd, .fn = fn, .arg = arg, .err = err };
	pthread_t thread;
	int ret = netns_thread(&thread, call_run, &call);

	if (ret)
		return error_errno(err, -ret, "cannot start a thread");
	pthread_join(thread, NULL);
	return call.ret;
}
