// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail calls: what system calls on sockets call in the kernel, of recordings.
 *
 * Wires options only: a file is read as report reads it, with output_options.calls set; live buffers go through
 * the same door (cli/callsink.h), with the capture of record --calls.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/capture_graph.h"
#include "cli/cli.h"
#include "cli/livetrace.h"
#include "cli/options.h"
#include "cli/report.h"

enum {
	OPT_PER_CALL = 1024,
	OPT_ROOT,
	OPT_MIN_TIME,
	OPT_FULL,
	OPT_ALL,
	OPT_DOT,
	OPT_FOLDED,
};

#define MAX_DEPTH_OPTION 255

static void print_help(void)
{
	puts("Usage: skbtrail calls [options] -- COMMAND [ARG...]\n"
	     "       skbtrail calls [options] -p PID [-d SEC]\n"
	     "       skbtrail calls [options] FILE...\n"
	     "Show what system calls on sockets call in the kernel: for each system call,\n"
	     "protocol and address family a tree of functions, with how often and how long.\n"
	     "They are those of COMMAND and its children, of a process with all its threads,\n"
	     "or of FILE: a trace.dat with records of function_graph; '-' is standard input.\n"
	     "Packets are in the tree where an event told of them, with report's numbers.\n\n"
	     "      --per-call      a tree for each call, in the order they ended\n"
	     "      --depth N       only the first N levels of each tree\n"
	     "      --min-time T    only functions that took so long together: 200us, 5ms; else\n"
	     "                      text shows those with 0.2 % of their tree's time, or packets\n"
	     "      --root FUNC     trees begin at the functions that match FUNC, * and ? allowed\n"
	     "      --full          all functions, helpers (locking, memory, ...) one by one\n"
	     "      --all           calls that are not about sockets, too\n"
	     "  -p, --pid PID       of this process, until it ends; with FILE: of this thread\n"
	     "  -d, --duration SEC  stop after so many seconds\n"
	     "  -b, --buffer SIZE   ring buffer per CPU: 512K, 4M, ... (default 4M)\n"
	     "      --tier TIER     use no more than T0, T1, T2 or T3 for events of packets\n"
	     "      --keep-user     run COMMAND as root even under sudo\n"
	     "      --dry-run       print the writes to tracefs as shell lines, and do nothing\n"
	     "      --json          one JSON object a tree and line, see skbtrail-json(5)\n"
	     "      --folded        stacks and nanoseconds, for flame graphs\n"
	     "      --dot           a graph for dot(1)\n"
	     "      --color WHEN    auto (default), always or never\n"
	     "  -v, --verbose       with minimum, median and maximum also on narrow terminals\n"
	     "  -q, --quiet         no summary on stderr\n"
	     "  -h, --help          this text\n\n"
	     "Examples:\n"
	     "  skbtrail calls -- curl -s http://10.0.2.2/    (as root)\n"
	     "  skbtrail calls -p $(pidof nginx) -d 5         (as root)\n"
	     "  skbtrail calls trace.dat\n"
	     "  skbtrail calls --depth 8 --min-time 10us trace.dat | less -S\n"
	     "  skbtrail calls --root '*_xmit_skb' --full trace.dat\n"
	     "  skbtrail calls --folded trace.dat | flamegraph.pl > calls.svg\n"
	     "  skbtrail calls --json trace.dat | jq -r '[.syscall, .protocol, .count] | @tsv'\n");
}

static int take_format(struct calls_options *calls, enum calls_format format)
{
	if (calls->format != CALLS_TEXT && calls->format != format)
		return -EINVAL;
	calls->format = format;
	return 0;
}

static int take_option(struct calls_options *calls, struct output_options *output, int c,
		       const char *arg)
{
	long value = 0;
	int ret = 0;

	switch (c) {
	case OPT_PER_CALL:
		calls->per_call = true;
		return 0;
	case OPT_DEPTH:
		ret = options_number(arg, MAX_DEPTH_OPTION, &value);
		calls->depth = (u32)value;
		return ret;
	case 'p':
		ret = options_number(arg, INT32_MAX, &value);
		calls->pid = (s32)value;
		return ret;
	case OPT_ROOT:
		calls->root = arg;
		return *arg ? 0 : -EINVAL;
	case OPT_MIN_TIME:
		calls->has_min = true;
		return select_time(arg, &calls->min_ns);
	case OPT_FULL:
		calls->full = true;
		return 0;
	case OPT_ALL:
		calls->all = true;
		return 0;
	case OPT_JSON:
		return take_format(calls, CALLS_JSON);
	case OPT_DOT:
		return take_format(calls, CALLS_DOT);
	case OPT_FOLDED:
		return take_format(calls, CALLS_FOLDED);
	default:
		return output_option(output, c, arg);
	}
}

static int calls_session(struct capture *c, struct error *err)
{
	capture_graph_tables(c);
	return live_session(c, "recording", err);
}

/* A command, or a process: what record --calls would record, shown at once. */
static int show_live(struct capture_options *capture, struct calls_options *calls,
		     struct error *err)
{
	capture->all_calls = true;
	capture->calls_pid = calls->pid;
	/* of a process all threads are recorded, and nothing else */
	calls->pid = 0;
	if (calls->depth && calls->depth <= GRAPH_DEPTH_MAX)
		capture->depth = calls->depth;
	if (capture_calls_check(capture, "calls", err))
		return CLI_USAGE;
	return capture_run(capture, calls_session, err);
}

static int read_files(int nr, char **files, const struct output_options *output, struct error *err)
{
	int i, ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = report_file(files[i], output, err);
	if (ret == -EPIPE)
		err->text[0] = 0;
	return ret && ret != -EPIPE ? CLI_FAILURE : CLI_OK;
}

/* What of capture_option() makes sense here. */
static bool is_of_capture(int c)
{
	return c == 'd' || c == 'b' || c == OPT_TIER || c == OPT_KEEP_USER || c == OPT_DRY_RUN;
}

static int check_calls(const struct calls_options *calls, const struct capture_options *capture,
		       bool live, struct error *err)
{
	if (calls->per_call && calls->format == CALLS_DOT)
		return cli_usage(err, "calls", "--dot does not go with --per-call");
	if (!live && (capture->duration_s > 0 || capture->dry_run || capture->request.buffer_kb))
		return cli_usage(err, "calls", "nothing is recorded when there is a file");
	return 0;
}

int cmd_calls(int argc, char **argv, struct error *err)
{
	static const struct option longs[] = {
		{ "per-call", no_argument, NULL, OPT_PER_CALL },
		{ "depth", required_argument, NULL, OPT_DEPTH },
		{ "root", required_argument, NULL, OPT_ROOT },
		{ "min-time", required_argument, NULL, OPT_MIN_TIME },
		{ "full", no_argument, NULL, OPT_FULL },
		{ "all", no_argument, NULL, OPT_ALL },
		{ "pid", required_argument, NULL, 'p' },
		{ "duration", required_argument, NULL, 'd' },
		{ "buffer", required_argument, NULL, 'b' },
		{ "tier", required_argument, NULL, OPT_TIER },
		{ "keep-user", no_argument, NULL, OPT_KEEP_USER },
		{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "dot", no_argument, NULL, OPT_DOT },
		{ "folded", no_argument, NULL, OPT_FOLDED },
		{ "color", required_argument, NULL, OPT_COLOR },
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct calls_options calls = { 0 };
	struct capture_options capture = { .output.calls = &calls };
	bool dashes;
	int c, ret;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:p:d:b:vqh", longs, NULL)) >= 0) {
		if (c == 'h') {
			print_help();
			return CLI_OK;
		}
		if (is_of_capture(c) ? capture_option(&capture, c, optarg) :
				       take_option(&calls, &capture.output, c, optarg))
			return options_bad(err, "calls", argv, c);
	}
	dashes = optind > 0 && !strcmp(argv[optind - 1], "--");
	if (optind == argc && (dashes || !calls.pid))
		return cli_usage(err, "calls",
				 dashes ? "no command after --" :
					  "no file, command or process given");
	ret = check_calls(&calls, &capture, dashes || optind == argc, err);
	if (ret)
		return ret;
	capture.command = dashes ? argv + optind : NULL;
	if (dashes || optind == argc)
		return show_live(&capture, &calls, err);
	return read_files(argc - optind, argv + optind, &capture.output, err);
}
