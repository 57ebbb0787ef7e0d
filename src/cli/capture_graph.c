// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * When a capture has function_graph, and where.
 *
 * In:  options, features. Out: c->graph, the descriptor of a process to wait for, lines on stderr.
 */
#include "cli/capture_graph.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The process to follow: 0 for the command, or none. */
static s32 graph_pid(const struct capture_options *o)
{
	if (o->command)
		return 0;
	return o->calls_pid ? o->calls_pid : o->output.select.pid;
}

int capture_graph_prepare(struct capture *c, struct error *err)
{
	const struct capture_options *o = c->options;
	struct graph_request rq = { .max_depth = o->depth, .pid = graph_pid(o) };

	if (!o->all_calls || (!o->command && !rq.pid))
		return 0;
	/* what a dead capture left would look like somebody else's */
	if (!o->dry_run)
		capture_remove_leftovers(c->features.tracing_dir);
	features_try_graph(&c->features);
	return graph_prepare(&c->graph, &rq, &c->features, err);
}

bool capture_wants_stacks(const struct capture_options *o)
{
	if (o->no_calls || o->all_calls || !o->chains)
		return false;
	return o->calls || (!o->budget_ppm && (o->command || o->output.select.pid));
}

int capture_graph_ready(struct capture *c, struct error *err)
{
	if (!c->plan.graph || !c->workload || !plan_set_pid(&c->plan, workload_pid(c->workload)))
		return 0;
	return error_errno(err, ENOMEM, "cannot follow the command");
}

static bool process_ended(void *ctx)
{
	struct pollfd fd = { *(int *)ctx, POLLIN, 0 };

	return poll(&fd, 1, 0) == 1;
}

int capture_graph_watch(struct capture *c, struct error *err)
{
	s32 pid = c->graph.on && !c->workload ? graph_pid(c->options) : 0;

	if (!pid)
		return 0;
	c->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (c->pid_fd < 0 && (errno == ESRCH || errno == EINVAL))
		return error_set(err, ESRCH, "there is no process %d", pid);
	/* without such descriptors (before 5.3) the capture ends by time or Ctrl-C */
	if (c->pid_fd >= 0)
		c->job = (struct capture_job){ c->pid_fd, NULL, process_ended, &c->pid_fd };
	return 0;
}

void capture_graph_tables(struct capture *c)
{
	struct prototypes *prototypes = NULL;
	struct error why = { 0 };

	if (!c->graph.on)
		return;
	if (prototypes_load(&prototypes, ""))
		prototypes = NULL;
	if (optables_read(&c->tables, "", c->features.tracing_dir, prototypes, &why)) {
		c->tables = NULL;
		if (c->options->output.verbose)
			fprintf(stderr, "skbtrail: no operations tables: %s\n", why.text);
	}
	prototypes_free(prototypes);
}

void capture_graph_announce(const struct capture *c)
{
	int code = c->session ? session_left_out(c->session) : 0;

	if (code && c->options->output.verbose)
		fprintf(stderr,
			"skbtrail: no chains of calls: the kernel refuses stack traces: %s\n",
			strerror(-code));
	if (c->graph.on)
		fprintf(stderr, "skbtrail: function_graph %s\n",
			c->graph.top ?
				"at the top level, whose settings are restored at the end" :
				"in a private instance; set_graph_function of the whole machine is "
				"restored at the end");
}
