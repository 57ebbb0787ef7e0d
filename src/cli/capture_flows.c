// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See capture_flows.h.
 */
#include "cli/capture_flows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture/flowprobes_table.h"

#define HALF_NS (4 * NSEC_PER_SEC)

int capture_flows_choose(const struct features *f, const struct layout *layout,
			 struct flowprobes_request *rq, struct flowprobes *out, struct error *err)
{
	struct kallsyms *symbols = NULL;
	const char **names;
	size_t nr = flowprobes_symbols(&names);
	int ret;

	if (nr && kallsyms_read(&symbols, "", names, nr, NULL)) {
		kallsyms_free(symbols);
		symbols = NULL;
	}
	free(names);
	rq->pid = (unsigned int)getpid();
	ret = flowprobes_choose(rq, f, symbols, layout, out, err);
	kallsyms_free(symbols);
	return ret;
}

/* How large tables are, and how long each half counts; tests want small ones: "ENTRIES NANOSECONDS". */
static void size_tables(struct capture *c)
{
	const char *asked = getenv("SKBTRAIL_FLOWS_TABLE");
	struct timespec tick = { 0 };
	unsigned long long half_ns = 0;
	unsigned int entries = 0;

	if (asked && sscanf(asked, "%u %llu", &entries, &half_ns) < 1)
		entries = 0;
	c->sums_table = entries ? entries : FLOWPROBES_TABLE;
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_nsec <= 0)
		return;
	half_ns = half_ns ? half_ns : HALF_NS;
	for (c->sums_half_ticks = 1; c->sums_half_ticks * (u64)tick.tv_nsec < half_ns;)
		c->sums_half_ticks *= 2;
}

int capture_flows(struct capture *c, u8 max_tier, struct error *err)
{
	struct flowprobes_request rq = { .max_tier = max_tier,
					 .latency = c->options->latency,
					 .aggregate = c->options->aggregate && !c->no_sums[0] };
	int ret;

	flowprobes_free(&c->flows);
	size_tables(c);
	rq.table_size = c->sums_table;
	rq.half_ticks = c->sums_half_ticks;
	ret = capture_flows_choose(&c->features, &c->layout, &rq, &c->flows, err);
	if (!ret && c->options->must_aggregate && !c->flows.aggregated)
		ret = error_set(err, ENOTSUP, "the kernel cannot sum up flows here: %s",
				c->no_sums[0] ? c->no_sums : c->flows.not_aggregated);
	if (!ret && probes_append(&c->probes, &c->flows.probes))
		ret = error_errno(err, ENOMEM, "cannot choose the events of sockets");
	return ret;
}

int capture_flows_waiting(const struct capture *c, struct waiting *out, struct error *err)
{
	const char *functions[SOCK_CALL_COUNT];
	const struct probes *p = &c->probes;
	size_t i, call, nr = 0;

	for (call = 1; call < SOCK_CALL_COUNT; call++)
		for (i = 0; i < p->nr; i++)
			if (!strcmp(p->probe[i].name, sock_calls[call].function))
				functions[nr++] = sock_calls[call].function;
	return waiting_scan(out, "", functions, nr) ?
		       error_errno(err, ENOMEM, "cannot look for calls that wait") :
		       0;
}

void capture_flows_announce(const struct capture *c)
{
	if (c->options->output.quiet)
		return;
	if (c->no_probes[0])
		fprintf(stderr, "skbtrail: the kernel takes no probe events: %s\n", c->no_probes);
	if (c->flows.source == FLOW_SOURCE_STATES && c->tap)
		fputs("skbtrail: this kernel does not tell of the bytes of calls: those marked ~ are what packets "
		      "carried, as packet sockets saw them\n",
		      stderr);
	else if (c->flows.source == FLOW_SOURCE_STATES)
		fputs("skbtrail: this kernel tells of sockets that open and close, and not of their bytes (with --tap "
		      "those of packets)\n",
		      stderr);
	if (c->flows.source == FLOW_SOURCE_RESULTS)
		fputs("skbtrail: without event probes addresses of UDP sockets are not told; nor, without probes at "
		      "all, what splice() takes from TCP sockets\n",
		      stderr);
	if (c->options->output.verbose)
		fprintf(stderr, "skbtrail: bytes from %s; %zu events\n",
			flow_source_words(c->flows.source), c->plan.event_count);
	if (c->options->output.verbose && c->options->aggregate)
		fprintf(stderr, "skbtrail: %s%s\n",
			c->flows.aggregated ? "the kernel sums up calls (hist triggers)" :
					      "each call has a record: ",
			c->flows.aggregated	? "" :
			c->no_sums[0]		? c->no_sums :
			c->flows.not_aggregated ? c->flows.not_aggregated :
						  "");
}
