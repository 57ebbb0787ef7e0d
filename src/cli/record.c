// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail record: the same capture as trace, into a trace.dat.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/capture.h"
#include "cli/capture_flows.h"
#include "cli/capture_graph.h"
#include "cli/cli.h"
#include "cli/metadata.h"
#include "cli/options.h"
#include "config.h"
#include "trace/recorder.h"

#define ROUND_MS 1000

enum {
	OPT_FLOWS = 1024,
};

/* What is stored of sockets and tasks, with --flows; the rest of the metadata beside it. */
struct record_command {
	struct capture_options capture; /* first: a session is handed a pointer to it */
	struct metadata_flows flows;
	struct strbuf meta;
};
#define DEFAULT_FILE "trace.dat"

static void print_help(void)
{
	puts("Usage: skbtrail record [options] [-- COMMAND [ARG...]]\n"
	     "Record packets' events into a file for 'skbtrail report', here or on another\n"
	     "machine, until Ctrl-C, until the time is up, or until COMMAND ends. trace-cmd\n"
	     "report and KernelShark read the file too. It is readable by its owner only: it\n"
	     "holds kernel addresses, and packets' headers with a little of what follows them.\n\n"
	     "  -o, --output FILE   the file (default trace.dat); - for a stream to standard\n"
	     "                      output, which 'skbtrail report -' reads\n" CAPTURE_OPTIONS_HELP
	     "      --flows         also sockets and their bytes, for 'skbtrail flows'; with -p\n"
	     "                      flows shows what this process does\n"
	     "      --calls         also what COMMAND's system calls on sockets call in the\n"
	     "                      kernel, for 'skbtrail calls'; by function_graph\n"
	     "  -p, --pid PID       with --calls, without COMMAND: of this process, all threads\n"
	     "      --depth N       with --calls: so many levels of them, 12 if not given\n"
	     "  -f, --filter FILTER leave out what the kernel can tell does not match it, see\n"
	     "                      pcap-filter(7); what is left may be more\n"
	     "  -i, --device DEV    report shows only packets that touched such a device\n"
	     "  -v, --verbose       say more about what is recorded\n"
	     "  -q, --quiet         no summary on stderr\n"
	     "  -h, --help          this text\n\n"
	     "Examples (as root):\n"
	     "  skbtrail record -- curl -s http://10.0.2.2/\n"
	     "  skbtrail record --calls -- curl -s http://10.0.2.2/\n"
	     "  skbtrail record -o night.dat -d 3600 -b 16M\n"
	     "  skbtrail record -f 'tcp port 80' -d 600\n"
	     "  ssh box skbtrail record -d 5 -o - | skbtrail report -\n");
}

static struct record_command *command_of(const struct capture *c)
{
	return (struct record_command *)(uintptr_t)c->options;
}

/* Before tracing starts, so that each of these sockets has a cookie in all records. */
static int take_inventory(struct dathead *head, struct capture *c, struct error *err)
{
	struct record_command *cmd = command_of(c);
	struct metadata_flows *flows = &cmd->flows;
	struct error why = { 0 };
	int ret = sockdiag_take(&flows->inventory, NULL, &why);

	flows->has_inventory = !ret;
	flows->taken_ns = now_ns();
	flows->no_bytes = c->flows.source == FLOW_SOURCE_STATES;
	if ((ret || flows->inventory.incomplete[0]) && !c->options->output.quiet)
		fprintf(stderr, "skbtrail: the inventory of sockets lacks something: %s\n",
			ret ? why.text : flows->inventory.incomplete);
	if (tasklist_scan(&flows->tasks, "", false))
		return error_errno(err, ENOMEM, "cannot keep the names of tasks");
	cmd->meta = head->meta;
	head->meta = (struct strbuf)STRBUF_INIT;
	if (metadata_put_flows(&head->meta, &cmd->meta, flows))
		return error_errno(err, ENOMEM, "cannot describe the recording");
	return 0;
}

static int prepare_head(struct dathead *head, struct capture *c, struct error *err)
{
	struct netns_snapshot *netns = NULL;
	u32 cpus = live_cpus(c->live);
	int ret;

	ret = dathead_collect(head, c->plan.tracing_dir, session_dir(c->session), c->plan.events,
			      c->plan.event_count, err);
	if (ret)
		return ret;
	head->page_size = live_layout(c->live)->size;
	head->nr_cpus = live_cpu(c->live, cpus - 1) + 1;
	snprintf(head->clock, sizeof(head->clock), "%s", c->plan.clock);
	snprintf(head->version, sizeof(head->version), "%s", PACKAGE_STRING);
	ret = netns_snapshot_take(&netns, err);
	if (ret)
		return ret;
	ret = capture_device(c, netns, err);
	if (!ret && metadata_write(&head->meta, c, netns))
		ret = error_errno(err, ENOMEM, "cannot describe the recording");
	if (!ret && c->options->flows)
		ret = take_inventory(head, c, err);
	netns_snapshot_free(netns);
	return ret;
}

/* What only the end of the recording knows: names of tasks, counters, devices that came later. */
static void complete_head(struct dathead *head, struct capture *c)
{
	struct record_command *cmd = command_of(c);
	u32 i, cpus = live_cpus(c->live);
	char path[4096];

	/* names as they are now; without memory what is there stays */
	if (c->options->flows && !tasklist_scan(&cmd->flows.tasks, "", true))
		metadata_put_flows(&head->meta, &cmd->meta, &cmd->flows);
	dathead_name_tasks(head, c->plan.tracing_dir, NULL);
	head->cpustat = calloc(cpus, sizeof(*head->cpustat));
	for (i = 0; head->cpustat && i < cpus; i++) {
		snprintf(path, sizeof(path), "%s/per_cpu/cpu%u/stats", session_dir(c->session),
			 live_cpu(c->live, i));
		strbuf_printf(&head->cpustat[i], "CPU: %u\n", live_cpu(c->live, i));
		strbuf_read_file(&head->cpustat[i], path, 65536);
		head->nr_cpustat = i + 1;
	}
}

static void show_progress(const struct recorder *r, bool terminal)
{
	if (terminal)
		fprintf(stderr, "\rskbtrail: %.1f MB ", (double)recorder_bytes(r) / 1e6);
}

static int record_loop(struct capture *c, struct recorder *r, struct error *err)
{
	bool terminal = isatty(STDERR_FILENO) && !c->options->output.quiet;
	s64 moved;
	int go;

	do {
		go = capture_wait(c, ROUND_MS, err);
		if (go < 0)
			return go;
		moved = recorder_drain(r, err);
		if (moved < 0)
			return (int)moved;
		show_progress(r, terminal);
	} while (go);
	if (terminal)
		fputc('\r', stderr);
	return 0;
}

/* What was recorded has not been looked at: its packets are not known, which report -v tells. */
static void tell_totals(struct capture *c, const struct recorder *r)
{
	const struct output_options *options = &c->options->output;
	struct summary sum = { .bytes = recorder_bytes(r), .cost = c->cost };
	struct strbuf sb = STRBUF_INIT;
	struct session_stats stats;
	size_t i;

	if (!options->verbose || options->quiet)
		return;
	if (!session_stats(c->session, &stats, NULL)) {
		for (i = 0; i < stats.count; i++)
			sum.records += stats.cpus[i].read;
		sum.lost = stats.lost;
	}
	session_stats_free(&stats);
	sum.time_ns = capture_time_ns(c);
	sum.own_cpu_ns = capture_own_cpu_ns(c);
	render_summary_text(&sb, &sum, output_style(options).utf8);
	fputs(strbuf_cstr(&sb), stderr);
	strbuf_free(&sb);
}

/* Record and finish. What was recorded before an error is kept. */
static int record_into(struct capture *c, struct recorder *r, struct dathead *head,
		       struct error *err)
{
	struct error late = { 0 };
	int ret;

	ret = capture_start(c, err);
	if (!ret && c->options->flows)
		ret = capture_flows_waiting(c, &command_of(c)->flows.waiting, err);
	if (!ret)
		ret = record_loop(c, r, err);
	if (capture_stop(c, &late) && !ret) {
		*err = late;
		ret = -late.code;
	}
	if (!ret && recorder_drain(r, err) < 0)
		ret = -err->code;
	complete_head(head, c);
	if (recorder_finish(r, &late)) {
		if (ret)
			fprintf(stderr, "skbtrail: %s\n", late.text);
		else
			*err = late;
		ret = -late.code;
	}
	if (!c->options->output.quiet && ret != -EPIPE)
		fprintf(stderr, "skbtrail: %llu bytes of records, %llu records lost\n",
			(unsigned long long)recorder_bytes(r), (unsigned long long)capture_lost(c));
	capture_tell_missed(c);
	capture_tell_tap(c);
	if (ret != -EPIPE)
		tell_totals(c, r);
	return ret;
}

static int record_session(struct capture *c, struct error *err)
{
	const char *file = c->options->file ? c->options->file : DEFAULT_FILE;
	struct recorder *r = NULL;
	struct dathead head = { 0 };
	int ret;

	capture_graph_tables(c);
	ret = capture_open(c, err);
	if (!ret)
		ret = prepare_head(&head, c, err);
	if (!ret)
		ret = recorder_open(&r, file, &head, c->live, err);
	if (!ret) {
		capture_announce(c, "recording");
		if (c->options->flows)
			capture_flows_announce(c);
		ret = record_into(c, r, &head, err);
	}
	recorder_free(r);
	dathead_free(&head);
	return ret;
}

int cmd_record(int argc, char **argv, struct error *err)
{
	static const struct option longs[] = {
		CAPTURE_LONG_OPTIONS,
		{ "output", required_argument, NULL, 'o' },
		{ "flows", no_argument, NULL, OPT_FLOWS },
		{ "calls", no_argument, NULL, OPT_CALLS },
		{ "pid", required_argument, NULL, 'p' },
		{ "depth", required_argument, NULL, OPT_DEPTH },
		{ "filter", required_argument, NULL, 'f' },
		{ "device", required_argument, NULL, 'i' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct record_command cmd = {
		.capture = { .push_down = true, .measure_cost = true, .chains = true }
	};
	struct capture_options *options = &cmd.capture;
	int c, ret = 0;

	opterr = 0;
	while (!ret && (c = getopt_long(argc, argv, "+:o:f:i:p:vqh" CAPTURE_SHORT_OPTIONS, longs,
					NULL)) >= 0) {
		if (c == 'h') {
			print_help();
			capture_options_free(options);
			return CLI_OK;
		}
		if (c == 'o' && *optarg)
			options->file = optarg;
		else if (c == OPT_FLOWS)
			options->flows = options->latency = true;
		else if (c == OPT_CALLS)
			options->all_calls = true, options->measure_cost = false;
		else if (c == 'p' || c == OPT_DEPTH)
			ret = capture_calls_option(options, c, optarg) ?
				      options_bad(err, "record", argv, c) :
				      0;
		else if (capture_option(options, c, optarg))
			ret = options_bad(err, "record", argv, c);
	}
	if (!ret)
		ret = capture_command(options, "record", argc, argv, err);
	if (!ret && options->flows && !options->all_calls) {
		cmd.flows.pid = options->calls_pid;
		options->calls_pid = 0;
	}
	if (!ret)
		ret = capture_calls_check(options, "record", err);
	if (!ret)
		ret = capture_run(options, record_session, err);
	capture_options_free(options);
	metadata_flows_free(&cmd.flows);
	strbuf_free(&cmd.meta);
	return ret;
}
