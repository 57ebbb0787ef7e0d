// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The steps of a capture, each undone by capture_close().
 */
#include "cli/capture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/leftovers.h"
#include "cli/capture_budget.h"
#include "cli/capture_flows.h"
#include "cli/capture_graph.h"
#include "cli/capture_probes.h"
#include "cli/capture_told.h"
#include "cli/cli.h"

/* Packets that the command sent last may still be on their way when it ends. */
#define GRACE_NS (100 * NSEC_PER_MSEC)

/* What the user asked for, and what it takes of tracepoints besides. @told: those that tell addresses. Return: to be freed. */
static const char **add_events(const struct capture *c, struct capture_request *rq, bool told)
{
	size_t size = rq->event_count + c->flows.nr_events + CAPTURE_TOLD_MAX, i;
	const char **events = calloc(size, sizeof(*events));

	if (!events)
		return NULL;
	for (i = 0; i < rq->event_count; i++)
		events[i] = rq->events[i];
	for (i = 0; i < c->flows.nr_events; i++)
		events[rq->event_count++] = c->flows.events[i];
	if (told)
		rq->event_count += capture_told(&c->features, events + rq->event_count);
	rq->events = events;
	return events;
}

int capture_build_plan(const struct capture *c, const struct probes *probes, struct plan *plan,
		       struct error *err)
{
	struct capture_request request = c->options->request;
	bool told = !c->options->tap && !request.only_events && !(probes && probes->nr);
	const char **events;
	int ret;

	request.pid = (unsigned int)getpid();
	request.buffer_percent = 50;
	request.probes = probes;
	request.graph = &c->graph;
	request.stacks = capture_wants_stacks(c->options);
	events = add_events(c, &request, told);
	if (!events)
		return error_errno(err, ENOMEM, "cannot plan the capture");
	ret = plan_build(&request, &c->features, plan, err);
	free(events);
	return ret;
}

int capture_choose(struct capture *c, struct error *err)
{
	int ret = 0;

	if (!c->options->request.only_events)
		ret = capture_probes(&c->want, &c->features, &c->layout, &c->down, &c->probes, err);
	if (!ret && c->options->flows)
		ret = capture_flows(c, c->want.max_tier, err);
	return ret ? ret : capture_build_plan(c, &c->probes, &c->plan, err);
}

int capture_plan(struct capture *c, const struct capture_options *options, struct error *err)
{
	int ret;

	memset(c, 0, sizeof(*c));
	c->options = options;
	c->signal_fd = -1;
	c->pid_fd = -1;
	c->job.fd = -1;
	ret = features_read(&c->features, err);
	if (ret)
		return ret;
	if (c->features.mounted_now && !options->output.quiet)
		fprintf(stderr, "skbtrail: tracefs was not mounted; mounted it at %s\n",
			c->features.tracing_dir);
	ret = features_require_t0(&c->features, err);
	c->want = options->probes;
	if (options->budget_ppm && !options->hops_given)
		c->want.hops = HOPS_FULL;
	c->down.wanted = options->push_down;
	c->down.select = &options->output.select;
	if (!ret)
		ret = capture_layout(&c->want, &c->features, options->structs, !options->dry_run,
				     &c->layout, err);
	if (c->layout.why[0] && !options->output.quiet)
		fprintf(stderr,
			"skbtrail: where members are in this kernel's structures cannot be found "
			"out: %s\n",
			c->layout.why);
	if (!ret)
		ret = capture_graph_prepare(c, err);
	c->want.graph = c->graph.on;
	return ret ? ret : capture_choose(c, err);
}

static void tell_leftover(const struct leftover *item)
{
	if (item->removed && item->kind == LEFTOVER_SAVED)
		fputs("skbtrail: restored settings of the top level that a skbtrail had changed and "
		      "was killed\n",
		      stderr);
	else if (item->removed)
		fprintf(stderr, "skbtrail: removed %s, left by a skbtrail that was killed\n",
			item->name);
	else if (!item->alive)
		fprintf(stderr,
			"skbtrail: %s is left of a killed skbtrail and cannot be removed: %s\n",
			item->name, item->err.text);
}

void capture_remove_leftovers(const char *tracing_dir)
{
	struct leftovers found;
	struct error err = { 0 };
	const char *group = NULL;
	size_t probes = 0;
	size_t i;

	if (!leftovers_find(tracing_dir, &found, &err) && found.count) {
		leftovers_remove(tracing_dir, &found, &err);
		for (i = 0; i < found.count; i++) {
			/* a capture has a hundred of these */
			if (found.items[i].kind == LEFTOVER_PROBE && found.items[i].removed) {
				group = found.items[i].name;
				probes++;
			} else {
				tell_leftover(&found.items[i]);
			}
		}
		if (probes)
			fprintf(stderr,
				"skbtrail: removed %zu probe events (%s ...), left by a skbtrail "
				"that was killed\n",
				probes, group);
	}
	leftovers_free(&found);
}

static int take_signals(struct capture *c, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return error_errno(err, errno, "cannot block signals");
	c->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return c->signal_fd < 0 ? error_errno(err, errno, "cannot wait for signals") : 0;
}

static int workload_job_start(void *ctx, struct error *err)
{
	return workload_release(ctx, err);
}

static bool workload_job_ended(void *ctx)
{
	return workload_ended(ctx);
}

/* What the kernel will not sum up has records. */
static int without_sums(struct capture *c, struct error *err)
{
	snprintf(c->no_sums, sizeof(c->no_sums), "%.500s", err->text);
	memset(err, 0, sizeof(*err));
	plan_free(&c->plan);
	probes_free(&c->probes);
	return capture_choose(c, err);
}

/* Apply the plan; where probe events are refused, one without them. */
int capture_open_session(struct capture *c, struct error *err)
{
	int ret = capture_graph_ready(c, err);

	if (!ret)
		ret = session_open(&c->plan, &c->session, err);
	if (ret && ret != -ENOTSUP && c->flows.aggregated) {
		ret = without_sums(c, err);
		if (!ret)
			ret = session_open(&c->plan, &c->session, err);
	}
	if (ret != -ENOTSUP)
		return ret;
	snprintf(c->no_probes, sizeof(c->no_probes), "%.500s", err->text);
	if (c->options->probes.nr_asked)
		return ret;
	memset(err, 0, sizeof(*err));
	plan_free(&c->plan);
	ret = c->options->flows ? capture_flows(c, TIER_T0, err) : 0;
	if (!ret)
		ret = capture_build_plan(c, NULL, &c->plan, err);
	if (!ret)
		ret = capture_graph_ready(c, err);
	return ret ? ret : session_open(&c->plan, &c->session, err);
}

/* A function that the user named may not be missing silently. */
static int check_asked(const struct capture *c, struct error *err)
{
	const struct probe_request *rq = &c->options->probes;
	const struct session_refusal *refused;
	size_t count, i, j;

	refused = session_refused(c->session, &count);
	for (i = 0; i < count; i++)
		for (j = 0; j < rq->nr_asked; j++)
			if (!strcmp(refused[i].probe->name, rq->asked[j].function))
				return error_errno(err, refused[i].code,
						   "the kernel refuses a probe on %s",
						   refused[i].probe->function);
	return 0;
}

/* Whether anybody will see what a record costs. */
static bool wants_cost(const struct capture_options *o)
{
	if (o->measure_cost || o->budget_ppm)
		return true;
	if (o->request.only_events || o->flows)
		return false;
	return !o->output.on_path && (o->output.json || (o->output.verbose && !o->output.quiet));
}

static void cost_failed(struct capture *c, const struct error *why)
{
	c->cost.packets = 0;
	snprintf(c->cost.why, sizeof(c->cost.why), "%.150s", why->text);
	cost_link_close(c->link);
	c->link = NULL;
}

/* Before anything is armed. Whatever fails is told beside the numbers, and ends no capture. */
static void measure_without(struct capture *c)
{
	struct error err = { 0 };

	if (wants_cost(c->options) &&
	    (cost_link_open(&c->link, &err) || cost_time_off(c->link, &c->cost, &err)))
		cost_failed(c, &err);
}

static void measure_with(struct capture *c)
{
	struct session_stats stats;
	struct error err = { 0 };

	if (c->link && !cost_known(&c->cost) && cost_time_on(c->link, c->session, &c->cost, &err))
		cost_failed(c, &err);
	if (c->link && !session_stats(c->session, &stats, NULL))
		c->missed_before = stats.missed;
	if (c->link)
		session_stats_free(&stats);
	cost_link_close(c->link);
	c->link = NULL;
}

/* Whether the tap that was asked for adds anything; says so when it does not. */
static int want_tap(const struct capture *c, bool *wanted, struct error *err)
{
	*wanted = c->options->tap && c->plan.tier == TIER_T0;
	if (*wanted && strcmp(c->plan.clock, "mono"))
		return error_set(err, EINVAL, "--tap works with the clock 'mono' only, not '%s'",
				 c->plan.clock);
	if (!c->options->tap || *wanted || c->options->output.quiet)
		return 0;
	if (layout_has(&c->layout, SKB_DATA))
		fputs("skbtrail: no tap: the probes of this kernel read the packets' headers "
		      "themselves\n",
		      stderr);
	else
		fputs("skbtrail: no tap: it goes with tracepoints only; for headers use --tier T0 "
		      "--tap\n",
		      stderr);
	return 0;
}

/* Packet sockets, before anything is written to tracefs: without them the user would not want a trace. */
static int open_tap(struct capture *c, struct error *err)
{
	struct strbuf problems = STRBUF_INIT;
	bool wanted;
	int ret = want_tap(c, &wanted, err);

	if (ret || !wanted)
		return ret;
	ret = tap_open(&c->tap, c->held, &problems, err);
	if (ret)
		error_prepend(err, "--tap: ");
	else if (problems.len)
		fprintf(stderr, "skbtrail: %s", strbuf_cstr(&problems));
	strbuf_free(&problems);
	return ret;
}

int capture_open(struct capture *c, struct error *err)
{
	/* What the command prints must not get in between our lines, or into a recording. */
	unsigned int flags = WORKLOAD_STDOUT_TO_STDERR |
			     (c->options->keep_user ? WORKLOAD_KEEP_USER : 0u);
	int ret;

	capture_remove_leftovers(c->plan.tracing_dir);
	ret = take_signals(c, err);
	if (!ret && c->options->command) {
		ret = workload_start(c->options->command, flags, &c->workload, err);
		if (!ret)
			c->job = (struct capture_job){ workload_fd(c->workload), workload_job_start,
						       workload_job_ended, c->workload };
	}
	/* The tap raises our limit of open files, which the command does not inherit. */
	if (!ret)
		ret = open_tap(c, err);
	if (!ret)
		ret = capture_graph_watch(c, err);
	if (!ret)
		measure_without(c);
	if (!ret && c->options->budget_ppm)
		ret = capture_budget(c, err);
	else if (!ret)
		ret = capture_open_session(c, err);
	if (!ret)
		ret = check_asked(c, err);
	if (!ret)
		measure_with(c);
	if (!ret)
		ret = live_open(&c->live, session_dir(c->session), err);
	return ret;
}

int capture_device(const struct capture *c, const struct netns_snapshot *snap, struct error *err)
{
	const char *dev = c->options->output.select.dev;
	const struct netdev_ref *refs;
	const struct netns *self;
	struct strbuf names = STRBUF_INIT;
	size_t i;

	if (!dev || strpbrk(dev, "*?[") || netns_find_devices(snap, dev, &refs))
		return 0;
	self = netns_find(snap, snap->self_inum);
	for (i = 0; self && i < self->nr_devs && i < 16; i++) {
		strbuf_putc(&names, ' ');
		strbuf_put_escaped(&names, self->devs[i].name, strlen(self->devs[i].name));
	}
	error_set(err, ENODEV,
		  "there is no device '%s' in any network namespace; here are:%s "
		  "('%s*' would wait for one)",
		  dev, strbuf_cstr(&names), dev);
	strbuf_free(&names);
	return -ENODEV;
}

int capture_start(struct capture *c, struct error *err)
{
	int ret = session_start(c->session, err);

	c->own_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	c->start_ns = now_ns();
	if (!ret && c->tap)
		ret = tap_start(c->tap, session_dir(c->session), err);
	if (c->options->duration_s > 0)
		c->end_ns = now_ns() + (u64)(c->options->duration_s * (double)NSEC_PER_SEC);
	if (!ret && c->job.start)
		ret = c->job.start(c->job.ctx, err);
	return ret;
}

/* A signal asks us to stop; one that only we got is passed on to the command. */
void capture_take_signal(struct capture *c)
{
	struct signalfd_siginfo info;

	while (read(c->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		c->signal = (int)info.ssi_signo;
		if (c->workload && c->signal != SIGINT)
			workload_kill(c->workload, c->signal);
	}
}

static int time_left_ms(const struct capture *c, int timeout_ms)
{
	u64 end = c->end_ns, now = now_ns();

	if (c->grace_ns && (!end || c->grace_ns < end))
		end = c->grace_ns;
	if (!end)
		return timeout_ms;
	if (now >= end)
		return 0;
	if (end - now < (u64)timeout_ms * NSEC_PER_MSEC)
		return (int)((end - now) / NSEC_PER_MSEC) + 1;
	return timeout_ms;
}

int capture_wait(struct capture *c, int timeout_ms, struct error *err)
{
	struct pollfd extra[4] = {
		{ c->signal_fd, POLLIN, 0 },
		{ STDOUT_FILENO, 0, 0 }, /* only to learn that the reader has gone */
		{ c->grace_ns ? -1 : c->job.fd, POLLIN, 0 },
		{ c->keys ? STDIN_FILENO : -1, POLLIN, 0 },
	};
	int ret;

	ret = live_wait(c->live, extra, ARRAY_SIZE(extra), time_left_ms(c, timeout_ms));
	if (ret)
		return error_errno(err, -ret, "cannot wait for records");
	if (extra[0].revents)
		capture_take_signal(c);
	if (c->signal || extra[1].revents & POLLERR || extra[3].revents & (POLLERR | POLLHUP))
		return 0;
	if (!c->grace_ns && extra[2].revents && c->job.ended(c->job.ctx))
		c->grace_ns = now_ns() + GRACE_NS;
	if (c->end_ns && now_ns() >= c->end_ns)
		return 0;
	return !(c->grace_ns && now_ns() >= c->grace_ns);
}

int capture_stop(struct capture *c, struct error *err)
{
	c->stop_ns = now_ns();
	tap_stop(c->tap);
	return session_stop(c->session, err);
}

u64 capture_time_ns(const struct capture *c)
{
	return (c->stop_ns ? c->stop_ns : now_ns()) - c->start_ns;
}

u64 capture_own_cpu_ns(const struct capture *c)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID) - c->own_cpu_ns;
}

u64 capture_lost(struct capture *c)
{
	struct session_stats stats;
	u64 lost = 0;

	if (!session_stats(c->session, &stats, NULL)) {
		lost = stats.lost;
		c->missed = stats.missed - c->missed_before;
	}
	session_stats_free(&stats);
	return lost;
}

void capture_tell_missed(const struct capture *c)
{
	if (c->missed && !c->options->output.quiet)
		fprintf(stderr,
			"skbtrail: %llu calls of probed functions were not recorded: the kernel was "
			"handling another probe when an interrupt brought them. Paths may lack "
			"functions and links, and packets in the same memory may be taken for one\n",
			(unsigned long long)c->missed);
}

void capture_tell_tap(const struct capture *c)
{
	struct tap_stats stats;

	if (!c->tap || c->options->output.quiet)
		return;
	tap_stats(c->tap, &stats);
	if (stats.lost)
		fprintf(stderr,
			"skbtrail: tap: the packet sockets' rings were full %llu times: packets lack "
			"headers\n",
			(unsigned long long)stats.lost);
	if (stats.refused)
		fprintf(stderr, "skbtrail: tap: %llu frames could not be written: %s (%s)\n",
			(unsigned long long)stats.refused, strerror(stats.refused_by),
			error_name(stats.refused_by));
}

static void tell_workload(struct capture *c)
{
	char text[128];

	if (!c->workload || c->options->output.quiet)
		return;
	fprintf(stderr, "skbtrail: %s %s\n", c->options->command[0],
		workload_status_text(c->workload, text, sizeof(text)));
}

int capture_close(struct capture *c, struct error *err)
{
	struct error undo = { 0 };
	int ret;

	cost_link_close(c->link);
	c->link = NULL;
	live_close(c->live);
	c->live = NULL;
	tap_close(c->tap);
	c->tap = NULL;
	ret = session_close(&c->session, &undo);
	if (ret && !err->text[0])
		*err = undo;
	else if (ret)
		fprintf(stderr, "skbtrail: %s\n", undo.text);
	if (c->grace_ns || c->signal)
		tell_workload(c);
	workload_free(c->workload);
	c->workload = NULL;
	if (c->signal_fd >= 0)
		close(c->signal_fd);
	c->signal_fd = -1;
	if (c->pid_fd >= 0)
		close(c->pid_fd);
	c->pid_fd = -1;
	plan_free(&c->plan);
	graph_free(&c->graph);
	optables_free(c->tables);
	c->tables = NULL;
	probes_free(&c->probes);
	flowprobes_free(&c->flows);
	pushdown_free(&c->down);
	features_free(&c->features);
	return ret;
}

void capture_announce_probes(const struct capture *c)
{
	const struct session_refusal *refused;
	const struct probe_missing *m;
	size_t count, i;

	for (i = 0; i < c->probes.nr_missing; i++) {
		m = &c->probes.missing[i];
		fprintf(stderr, "skbtrail: no probe on %s: %s%s%s\n", m->name, m->why,
			m->substitute[0] ? "; instead: " : "", m->substitute);
	}
	refused = session_refused(c->session, &count);
	for (i = 0; i < count; i++)
		fprintf(stderr, "skbtrail: no probe on %s: the kernel refuses it: %s\n",
			refused[i].probe->function, strerror(refused[i].code));
}

static void announce_missing(const struct capture *c)
{
	size_t i;

	for (i = 0; i < c->plan.missing_count; i++)
		fprintf(stderr, "skbtrail: this kernel has no %s\n", c->plan.missing[i]);
	capture_announce_probes(c);
}

static void announce_tier(const struct capture *c)
{
	const char *why = c->no_probes[0] ? c->no_probes : c->probes.why_not_higher;

	if (c->plan.tier < TIER_T3 && why[0])
		fprintf(stderr, "skbtrail: not more than tier %s: %s\n",
			tier_describe(c->plan.tier)->name, why);
	if (c->plan.tier > TIER_T0 && !layout_has(&c->layout, SKB_DATA))
		fputs("skbtrail: no packet headers: where they are in this kernel's structures is "
		      "not known (no BTF; see --structs)\n",
		      stderr);
}

/* What is done to the machine's packets is said, once. */
static void announce_tap(const struct capture *c)
{
	u32 netns, each;

	tap_size(c->tap, &netns, &each);
	fprintf(stderr,
		"skbtrail: tap: packet sockets in %u network namespace%s, %u in each; the kernel "
		"clones every packet that is sent for them. Headers marked ~ were joined by time\n",
		netns, netns == 1 ? "" : "s", each);
}

void capture_announce(const struct capture *c, const char *doing)
{
	if (c->options->output.quiet)
		return;
	fprintf(stderr, "skbtrail: %s %zu events, tier %s (%s), %llu KiB per CPU, clock %s%s\n",
		doing, c->plan.event_count, tier_describe(c->plan.tier)->name,
		tier_describe(c->plan.tier)->needs, (unsigned long long)c->plan.buffer_kb,
		c->plan.clock,
		c->options->command || c->options->duration_s > 0 || c->pid_fd >= 0 ?
			"" :
			"; Ctrl-C ends");
	if (c->tap)
		announce_tap(c);
	capture_graph_announce(c);
	if (c->no_probes[0] || c->options->output.verbose)
		announce_tier(c);
	if (c->options->output.verbose)
		pushdown_tell(&c->down, &c->probes, c->session);
	if (c->options->output.verbose && c->session)
		announce_missing(c);
}

int capture_run(const struct capture_options *options,
		int (*session)(struct capture *c, struct error *err), struct error *err)
{
	struct strbuf shell = STRBUF_INIT;
	struct capture c;
	int ret;

	ret = capture_plan(&c, options, err);
	if (!ret && options->dry_run) {
		plan_print_shell(&c.plan, &shell);
		fputs(strbuf_cstr(&shell), stdout);
		strbuf_free(&shell);
	} else if (!ret) {
		ret = session(&c, err);
	}
	if (capture_close(&c, err))
		ret = -1;
	return ret ? CLI_FAILURE : CLI_OK;
}
