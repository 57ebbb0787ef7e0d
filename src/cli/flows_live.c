// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail flows on this machine: the capture of the other commands, with events of sockets instead of packets.
 *
 * The inventory of sockets is taken before tracing starts: from then on each of these sockets has a cookie, which all
 * records of it have, too.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/capture_flows.h"
#include "cli/cli.h"
#include "cli/flows_cmd.h"
#include "cli/flows_sums.h"
#include "cli/flows_terminal.h"
#include "cli/livetrace.h"
#include "decode/comms.h"

#define ROUND_MS 100
/* A record of that age is in the buffers for sure: its time is taken before it gets there. */
#define SETTLE_NS (50 * NSEC_PER_MSEC)
#define MAX_CMDLINES_BYTES (16U << 20)

struct live_flows {
	struct flows_command *cmd;
	struct capture *c;
	struct flowsink sink;
	struct tasks *tasks;
	struct task_name found;
	struct comms comms; /* of saved_cmdlines, for those that /proc does not show any more */
	u64 comms_ns;	    /* when it was read */
	u64 inventory_ns;   /* how long the last inventory took */
	struct flows_terminal *terminal; /* NULL: lines are printed */
	u64 lost;			 /* records, so far */
	struct flows_sums sums;		 /* the kernel's, where it makes them */
};

static int add_format(void *ctx, const char *system, const struct strbuf *text, struct error *err)
{
	return flowsink_add_format(ctx, system, text->data, text->len, err);
}

static void tell_inventory(const struct live_flows *live, int ret, const struct sockdiag *diag,
			   const struct error *why)
{
	if (live->cmd->capture.output.quiet)
		return;
	if (ret)
		fprintf(stderr, "skbtrail: no inventory of sockets: %s\n", why->text);
	else if (diag->incomplete[0])
		fprintf(stderr, "skbtrail: the inventory of sockets lacks something: %s\n",
			diag->incomplete);
}

/* The first one tells who has which socket; later ones only bring round-trip times up to date. */
static int take_inventory(struct live_flows *live, bool first)
{
	struct sockdiag_options o = { .owners = first };
	struct sockdiag diag;
	struct error why = { 0 };
	u64 begin_ns = now_ns();
	int ret = sockdiag_take(&diag, &o, &why);

	if (first)
		tell_inventory(live, ret, &diag, &why);
	if (!ret)
		ret = flowsink_inventory(&live->sink, &diag, now_ns());
	sockdiag_free(&diag);
	live->inventory_ns = now_ns() - begin_ns;
	return ret == -ENOMEM ? ret : 0;
}

/* Never more than a small part of the time. */
static int before_rows(void *ctx, struct flowsink *sink)
{
	struct live_flows *live = ctx;

	if (sink->o.by != FLOWS_BY_SOCKET || live->inventory_ns >= sink->o.interval_ns / 50)
		return 0;
	return take_inventory(live, false);
}

static void read_comms(struct live_flows *live)
{
	struct strbuf text = STRBUF_INIT;
	char path[4096];

	if (live->comms_ns && now_ns() - live->comms_ns < ROUND_MS * NSEC_PER_MSEC)
		return;
	live->comms_ns = now_ns();
	snprintf(path, sizeof(path), "%s/saved_cmdlines", live->c->plan.tracing_dir);
	comms_free(&live->comms);
	if (!strbuf_read_file(&text, path, MAX_CMDLINES_BYTES))
		comms_add_text(&live->comms, text.data, text.len);
	strbuf_free(&text);
}

static const struct task_name *find_task(void *ctx, s32 tid, u64 ts_ns)
{
	struct live_flows *live = ctx;
	const struct task_name *task = tasks_find(live->tasks, tid, ts_ns);
	const char *comm;

	if (task->comm[0])
		return task;
	read_comms(live);
	comm = comms_find(&live->comms, tid);
	live->found = *task;
	if (comm)
		memcpy(live->found.comm, comm, strnlen(comm, sizeof(live->found.comm) - 1));
	return &live->found;
}

/* Where a screen is of use: a command would write over it, and a log or a tree is no table. */
static bool may_be_screen(const struct flows_command *cmd)
{
	const struct flowsink_options *o = &cmd->sink;

	return !cmd->batch && !o->log && !o->tree && o->format == FLOWS_TEXT &&
	       !cmd->capture.command;
}

static int open_terminal(struct live_flows *live, struct error *err)
{
	const struct flowsink_options *o = &live->cmd->sink;

	if (!may_be_screen(live->cmd))
		return 0;
	if (flows_terminal_open(&live->terminal, o->by, o->interval_ns, o->quiet, err))
		return -ENOMEM;
	live->c->keys = live->terminal;
	return 0;
}

static int show(void *ctx, struct flowsink *sink, const struct flow_row *row, size_t nr, u64 end_ns,
		u64 interval_ns)
{
	struct live_flows *live = ctx;

	(void)sink;
	return flows_terminal_rows(live->terminal, row, nr, end_ns, interval_ns, live->lost);
}

/* Return: 1 to go on, 0 when the user has had enough, -errno. */
static int take_keys(struct live_flows *live)
{
	enum flows_by by;
	int action, ret;

	if (!live->terminal)
		return 1;
	action = flows_terminal_keys(live->terminal, &by);
	if (action < 0 || action == SCREEN_QUIT)
		return action < 0 ? action : 0;
	if (action != SCREEN_REGROUP)
		return 1;
	ret = flowsink_regroup(&live->sink, by, now_ns());
	return ret ? ret : 1;
}

/*
 * How far records may be taken in. The sums are read before the end of a socket is: what it had is in them then, and its
 * address is not yet another's.
 */
static u64 limit_now(const struct live_flows *live)
{
	u64 limit = now_ns() - SETTLE_NS;

	return live->sink.hist && live->sums.read_ns < limit ? live->sums.read_ns : limit;
}

/* One run may leave records behind; sums are given to the sockets that there are when all are taken in. */
static int run_to(struct live_flows *live, struct stream *s, u64 limit)
{
	u64 before;
	int ret;

	do {
		before = s->stats.records;
		ret = flowsink_run(&live->sink, s, limit);
	} while (!ret && live->sink.hist && s->stats.records != before);
	return ret;
}

static int run_rounds(struct live_flows *live, struct stream *s, struct error *err)
{
	u64 limit;
	int go, ret;

	do {
		go = capture_wait(live->c, ROUND_MS, err);
		if (go > 0)
			go = take_keys(live);
		if (go < 0)
			return go;
		live->lost = s->stats.lost + s->stats.lost_uncounted;
		ret = flows_sums_read(&live->sums, false);
		live->sink.late_sums = live->sums.late;
		live->sink.sums_doubts = live->sums.doubts;
		limit = limit_now(live);
		if (!ret)
			ret = run_to(live, s, limit);
		if (!ret && live->sink.hist)
			ret = flowsink_sums(&live->sink, limit);
		/* without records time goes on, too */
		if (!ret)
			ret = flowsink_tick(&live->sink, limit);
		if (!ret && live->sink.o.log)
			ret = flowsink_flush(&live->sink);
		if (ret)
			return ret;
		if (s->error)
			return error_errno(err, -s->error, "cannot read the buffers");
	} while (go);
	return 0;
}

/* Tracing is off: read until the buffers are empty. */
static int run_rest(struct live_flows *live, struct stream *s)
{
	u64 before;
	int ret = flows_sums_read(&live->sums, true);

	if (ret)
		return ret;
	do {
		before = s->stats.records;
		ret = flowsink_run(&live->sink, s, STREAM_NO_LIMIT);
	} while (!ret && s->stats.records != before);
	if (!ret && live->sink.hist)
		ret = flowsink_sums(&live->sink, UINT64_MAX);
	if (ret)
		return ret;
	return flowsink_end(&live->sink,
			    live->c->stop_ns > live->sink.begin_ns ? live->c->stop_ns : s->newest);
}

static int run_stream(struct live_flows *live, struct error *err)
{
	struct capture *c = live->c;
	struct waiting waiting = { 0 };
	struct stream *s;
	u64 lost;
	int ret = live_stream(&s, c, err);

	if (ret)
		return ret;
	ret = capture_start(c, err);
	live->sink.begin_ns = now_ns();
	if (!ret)
		ret = capture_flows_waiting(c, &waiting, err);
	flowsink_waiting(&live->sink, &waiting);
	if (!ret)
		ret = run_rounds(live, s, err);
	if (ret >= 0 && capture_stop(c, err))
		ret = -EIO;
	if (!ret)
		ret = run_rest(live, s);
	if (ret >= 0) {
		lost = capture_lost(c);
		flowsink_tell(&live->sink, s, lost, c->missed);
		capture_tell_tap(c);
		ret = 0;
	}
	if (ret == -EPIPE)
		ret = 0;
	else if (ret && !err->text[0])
		error_errno(err, -ret, "cannot show the flows");
	stream_close(s);
	return ret;
}

static int open_stages(struct live_flows *live, struct error *err)
{
	struct flowsink_options *o = &live->cmd->sink;
	struct netns_snapshot *netns = NULL;
	struct error why = { 0 };
	int ret;

	o->before_rows = before_rows;
	o->find_task = find_task;
	o->show = live->terminal ? show : NULL;
	o->ctx = live;
	o->no_bytes = live->c->flows.source == FLOW_SOURCE_STATES;
	o->from_packets = o->no_bytes && live->c->tap;
	live->tasks = tasks_new("");
	if (!live->tasks)
		return error_errno(err, ENOMEM, "cannot look up processes");
	ret = flowsink_init(&live->sink, o, HOST_BIG_ENDIAN, sizeof(long), err);
	if (!ret && live->c->flows.aggregated)
		ret = flowhist_new(&live->sink.hist, 0, err);
	flows_sums_init(&live->sums, live->c, live->sink.hist);
	if (!ret)
		ret = live_formats(&live->c->plan, add_format, &live->sink, err);
	if (!ret && o->from_packets)
		ret = live_tap_format(&live->c->plan, add_format, &live->sink, err);
	if (!ret)
		ret = flowsink_start(&live->sink, err);
	/* those that begin from now on are told */
	if (!ret && tasklist_scan(&live->sink.tasks, "", false))
		ret = error_errno(err, ENOMEM, "cannot look up processes");
	/* without names there are still numbers */
	if (!ret && !netns_snapshot_take(&netns, &why))
		flowsink_netns(&live->sink, netns);
	return ret;
}

static int flows_session(struct capture *c, struct error *err)
{
	/* options are the first member of the command */
	struct live_flows live = { .cmd = (struct flows_command *)(uintptr_t)c->options, .c = c };
	int ret = capture_open(c, err);

	if (!ret)
		ret = open_terminal(&live, err);
	if (!ret)
		ret = open_stages(&live, err);
	if (!ret && take_inventory(&live, true))
		ret = error_errno(err, ENOMEM, "cannot keep the inventory of sockets");
	if (!ret) {
		capture_flows_announce(c);
		if (c->options->output.verbose && !c->options->output.quiet)
			capture_announce_probes(c);
		ret = run_stream(&live, err);
	}
	flows_terminal_close(live.terminal);
	flowsink_free(&live.sink);
	tasks_free(live.tasks);
	comms_free(&live.comms);
	flows_sums_free(&live.sums);
	return ret;
}

int flows_live(struct flows_command *cmd, struct error *err)
{
	cmd->capture.flows = true;
	/* a screen has no room for histograms */
	if (cmd->sink.latency && may_be_screen(cmd) && isatty(STDOUT_FILENO))
		cmd->sink.latency = false;
	cmd->capture.latency = cmd->sink.latency;
	cmd->capture.request.only_events = !cmd->sink.latency;
	cmd->capture.duration_s =
		(double)cmd->sink.count * (double)cmd->sink.interval_ns / (double)NSEC_PER_SEC;
	/* an interval's last records come after its end: the time counts them */
	cmd->sink.count = 0;
	return capture_run(&cmd->capture, flows_session, err);
}
