// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The measuring around budget.c's choice: sessions that come and go before the one that stays.
 *
 * None of them is more than the budget can tell of: tracepoints alone come first, the probes that are timed
 * are few and on for as long as their timing, and the last one is measured before it is kept.
 */
#include "cli/capture_budget.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/budget.h"

#define RATE_MS 1000
#define CHECK_MS 250

/* Of each kind one that a packet passes once, whose cost stands for that of all of them. */
static const char *const samples[] = {
	"__alloc_skb_ret", "skb_release_head_state",
	"net_dev_queue",   "__dev_queue_xmit",
	"ip_output",	   "ip_rcv",
};

/* Let a started session run. Return: nanoseconds that it did, 0 when a signal came. */
static u64 run_for(struct capture *c, int ms)
{
	struct pollfd signals = { c->signal_fd, POLLIN, 0 };
	u64 start = now_ns(), end = start + (u64)ms * NSEC_PER_MSEC, now;

	for (now = start; now < end && !c->signal; now = now_ns())
		if (poll(&signals, 1, (int)((end - now) / NSEC_PER_MSEC) + 1) > 0)
			capture_take_signal(c);
	return c->signal ? 0 : now - start;
}

/* Records a second on the CPU that has most of them. */
static int busiest_rate(struct capture *c, struct session *session, int ms, u64 *rate,
			struct error *err)
{
	struct session_stats stats;
	u64 took, written, most = 0;
	size_t i;
	int ret;

	ret = session_start(session, err);
	if (ret)
		return ret;
	took = run_for(c, ms);
	ret = session_stop(session, err);
	if (!ret && !took)
		ret = error_set(err, EINTR, "ended while the rate of packets was measured");
	if (!ret)
		ret = session_stats(session, &stats, err);
	if (ret)
		return ret;
	for (i = 0; i < stats.count; i++) {
		written = session_cpu_stats_written(&stats.cpus[i]);
		if (written > most)
			most = written;
	}
	session_stats_free(&stats);
	*rate = (u64)((double)most * (double)NSEC_PER_SEC / (double)took);
	ret = session_clear(session);
	return ret ? error_errno(err, -ret, "cannot empty the buffers") : 0;
}

/*
 * Time packets with the default events and @probes (NULL: none), and then count the records of @ms.
 * Nothing of -e: what the user adds is in the check of the session that stays.
 */
static int try_session(struct capture *c, const struct probes *probes, int ms,
		       struct budget_records *count, struct cost *cost, u64 *rate,
		       struct error *err)
{
	struct capture bare = { .options = c->options, .features = c->features };
	struct capture_options options = *c->options;
	struct session *session = NULL;
	struct plan plan = { 0 };
	int ret;

	options.request.event_count = 0;
	bare.options = &options;
	*cost = c->cost;
	ret = capture_build_plan(&bare, probes, &plan, err);
	if (!ret)
		ret = session_open(&plan, &session, err);
	if (!ret)
		ret = cost_time_on(c->link, session, cost, err);
	if (!ret && ms)
		ret = busiest_rate(c, session, ms, rate, err);
	if (!ret)
		budget_count(&plan, count);
	if (session_close(&session, ret ? NULL : err) && !ret)
		ret = -EBUSY;
	plan_free(&plan);
	return ret;
}

static int measure_rate(struct capture *c, struct budget *b, struct error *err)
{
	struct budget_records count;
	struct cost cost;
	u64 rate = 0;
	int ret = try_session(c, NULL, RATE_MS, &count, &cost, &rate, err);

	if (ret)
		return ret;
	if (!cost.records)
		return error_set(err, ENODATA,
				 "--budget: packets of our own leave no record, so the cost of one "
				 "is not known");
	b->tracepoint_ns = cost_record_ns(&cost);
	b->packets_per_s = rate * cost.packets / cost.records;
	return 0;
}

static bool is_sample(const struct probe *probe)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(samples); i++)
		if (!probe->instead_of && !strcmp(probe->name, samples[i]))
			return true;
	return false;
}

/* What a probe's record costs, beside those of the tracepoints that stay on with the samples. */
static int measure_probes(struct capture *c, struct budget *b, struct error *err)
{
	struct probe *some = calloc(c->probes.nr + 1, sizeof(*some));
	struct probes sample = c->probes;
	struct budget_records count;
	struct cost cost;
	u64 all, rest;
	size_t i;
	int ret;

	if (!some)
		return error_errno(err, ENOMEM, "--budget");
	sample.probe = some;
	sample.nr = sample.nr_replaced = 0;
	for (i = 0; i < c->probes.nr; i++) {
		if (!is_sample(&c->probes.probe[i]))
			continue;
		some[sample.nr++] = c->probes.probe[i];
		if (c->probes.probe[i].replaces)
			sample.replaced[sample.nr_replaced++] = c->probes.probe[i].replaces;
	}
	ret = sample.nr ? try_session(c, &sample, 0, &count, &cost, NULL, err) : 0;
	if (!ret && sample.nr && cost.records > count.tracepoint * cost.packets) {
		all = cost_batch_ns(&cost);
		rest = (u64)count.tracepoint * cost.packets * b->tracepoint_ns;
		b->probe_ns = all > rest ? (all - rest) / (cost.records -
							   count.tracepoint * cost.packets) :
					   0;
	}
	/* one that cannot be told from the clock's noise is no cheaper than a tracepoint's */
	if (b->probe_ns < b->tracepoint_ns)
		b->probe_ns = b->tracepoint_ns;
	free(some);
	return ret;
}

static void want_level(struct capture *c, u8 level)
{
	static const u8 hops[] = { [BUDGET_MINIMAL] = HOPS_MINIMAL,
				   [BUDGET_DEFAULT] = HOPS_DEFAULT,
				   [BUDGET_FULL] = HOPS_FULL };

	c->want = c->options->probes;
	if (level == BUDGET_T0)
		c->want.max_tier = TIER_T0;
	else
		c->want.hops = hops[level];
	probes_free(&c->probes);
	plan_free(&c->plan);
}

/* The same to be had again: a plan and probes for a level. */
static int choose_level(struct capture *c, u8 level, struct error *err)
{
	want_level(c, level);
	return capture_choose(c, err);
}

static u8 level_of(const struct capture *c)
{
	if (c->want.max_tier == TIER_T0 || !c->probes.nr)
		return BUDGET_T0;
	if (c->want.hops == HOPS_MINIMAL)
		return BUDGET_MINIMAL;
	return c->want.hops == HOPS_FULL ? BUDGET_FULL : BUDGET_DEFAULT;
}

/* What cannot do without headers. */
static bool needs_probes(const struct capture_options *o)
{
	return o->probes.nr_asked || o->output.select.filter || o->output.select.words.len;
}

static int count_levels(struct capture *c, struct budget *b, struct error *err)
{
	int ret = 0;
	u8 level;

	for (level = BUDGET_T0; level <= b->most && !ret; level++) {
		if (level == BUDGET_T0 && needs_probes(c->options))
			continue;
		ret = choose_level(c, level, err);
		budget_count(&c->plan, &b->level[level]);
		b->level[level].possible = level == BUDGET_T0 || c->probes.nr;
	}
	return ret;
}

/* TIER_T0 by word of the user or of the kernel is the only level there is. */
static int measure(struct capture *c, struct budget *b, struct error *err)
{
	int ret;

	b->allowed_ppm = c->options->budget_ppm;
	b->most = level_of(c);
	ret = measure_rate(c, b, err);
	if (!ret && b->most > BUDGET_T0)
		ret = measure_probes(c, b, err);
	return ret ? ret : count_levels(c, b, err);
}

static int over_budget(const struct budget *b, const char *after, struct error *err)
{
	struct strbuf sb = STRBUF_INIT;

	budget_put_percent(&sb, b->allowed_ppm);
	strbuf_puts(&sb, ": ");
	budget_explain(&sb, b);
	error_set(err, EDQUOT, "nothing fits the budget of %s%s", strbuf_cstr(&sb), after);
	strbuf_free(&sb);
	return -EDQUOT;
}

/* The share that the armed session really has, by the records of the busiest CPU. */
static int check_share(struct capture *c, const struct budget *b, u64 *ppm, struct error *err)
{
	u64 rate = 0;
	int ret = cost_time_on(c->link, c->session, &c->cost, err);

	if (!ret)
		ret = busiest_rate(c, c->session, CHECK_MS, &rate, err);
	if (ret)
		return ret;
	/* where packets leave no record (a filter in the kernel), what they cost all the same */
	*ppm = c->cost.records ?
		       rate * cost_record_ns(&c->cost) / 1000 :
		       b->packets_per_s * cost_batch_ns(&c->cost) / c->cost.packets / 1000;
	return 0;
}

static void tell_numbers(const struct capture *c, const struct budget *b)
{
	struct strbuf sb = STRBUF_INIT;

	if (c->options->output.quiet)
		return;
	budget_put_percent(&sb, b->allowed_ppm);
	strbuf_puts(&sb, ": ");
	budget_explain(&sb, b);
	fprintf(stderr, "skbtrail: budget of %s\n", strbuf_cstr(&sb));
	strbuf_free(&sb);
}

static void tell_choice(const struct capture *c, const struct budget *b, u8 choice, u64 ppm)
{
	struct strbuf sb = STRBUF_INIT;
	const char *before = "; left out: ";
	u8 level;

	if (c->options->output.quiet)
		return;
	strbuf_printf(&sb, "skbtrail: hop set chosen: %s, takes ", budget_level_name(choice));
	budget_put_percent(&sb, ppm);
	strbuf_puts(&sb, " of the busiest CPU now");
	for (level = b->most; level > choice; level--) {
		if (!b->level[level].possible)
			continue;
		strbuf_printf(&sb, "%s%s", before, budget_level_name(level));
		before = ", ";
	}
	if (choice == b->most && c->options->hops_given)
		strbuf_puts(&sb, "; --hops, which allows no more, decided");
	else if (choice < b->most && c->options->hops_given)
		strbuf_puts(&sb, "; --budget wins over --hops");
	fprintf(stderr, "%s\n", strbuf_cstr(&sb));
	strbuf_free(&sb);
}

static void tell_given_up(const struct capture *c, u8 level, u64 ppm)
{
	struct strbuf sb = STRBUF_INIT;

	if (c->options->output.quiet)
		return;
	budget_put_percent(&sb, ppm);
	fprintf(stderr, "skbtrail: hop set %s took %s of the busiest CPU when it was tried\n",
		budget_level_name(level), strbuf_cstr(&sb));
	strbuf_free(&sb);
}

/* Arm levels from the estimated one down until one keeps the budget. */
static int arm(struct capture *c, struct budget *b, struct error *err)
{
	const struct cost off = c->cost;
	u8 asked = b->most, choice = budget_choose(b);
	u64 ppm;
	int ret;

	while (choice != BUDGET_NONE) {
		ret = choose_level(c, choice, err);
		if (!ret)
			ret = capture_open_session(c, err);
		c->cost = off;
		if (!ret)
			ret = check_share(c, b, &ppm, err);
		if (ret)
			return ret;
		if (ppm <= b->allowed_ppm) {
			b->most = asked;
			tell_choice(c, b, choice, ppm);
			return 0;
		}
		tell_given_up(c, choice, ppm);
		ret = session_close(&c->session, err);
		if (ret)
			return ret;
		if (choice == BUDGET_T0)
			break;
		b->most = (u8)(choice - 1);
		choice = budget_choose(b);
	}
	b->most = asked;
	return over_budget(b,
			   needs_probes(c->options) ?
				   "; tracepoints alone would not do for what was asked" :
				   "",
			   err);
}

int capture_budget(struct capture *c, struct error *err)
{
	struct budget b = { 0 };
	int ret;

	if (!c->link)
		return error_set(err, ENODATA,
				 "--budget: the cost of a record cannot be measured: %s",
				 c->cost.why);
	ret = measure(c, &b, err);
	if (ret)
		return ret;
	tell_numbers(c, &b);
	return arm(c, &b, err);
}
