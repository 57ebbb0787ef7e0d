// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail trace: the paths of packets, live.
 */
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/livetrace.h"
#include "cli/options.h"

static void print_help(void)
{
	puts("Usage: skbtrail trace [options] [-- COMMAND [ARG...]]\n"
	     "Show where packets go inside the kernel, live: until Ctrl-C, until the time is up, or\n"
	     "until COMMAND ends. COMMAND runs as the user who called sudo.\n\n" CAPTURE_OPTIONS_HELP
		     OUTPUT_OPTIONS_HELP "  -h, --help          this text\n\n"
	     "Examples (as root):\n"
	     "  skbtrail trace -- ping -c1 10.0.2.2    packets while ping runs\n"
	     "  skbtrail trace -i 'veth*' --brief      one line a packet, until Ctrl-C\n"
	     "  skbtrail trace -d 5 --json > p.json    five seconds, for programs\n"
	     "  skbtrail trace -e tcp -e qdisc         show these events in the paths, too\n"
	     "  skbtrail trace --dry-run               what would be written to tracefs\n");
}

static int trace_session(struct capture *c, struct error *err)
{
	struct netns_snapshot *snapshot = NULL;
	struct pipeline p = { 0 };
	int ret;

	ret = capture_open(c, err);
	if (ret)
		return ret;
	ret = netns_snapshot_take(&snapshot, err);
	if (ret)
		return ret;
	ret = capture_device(c, snapshot, err);
	if (ret) {
		netns_snapshot_free(snapshot);
		return ret;
	}
	ret = live_pipeline(&p, c, snapshot, err);
	if (!ret) {
		capture_announce(c, "tracing");
		ret = live_trace(&p, c, err);
	}
	pipeline_free(&p);
	return ret;
}

int cmd_trace(int argc, char **argv, struct error *err)
{
	static const struct option longs[] = {
		CAPTURE_LONG_OPTIONS, OUTPUT_LONG_OPTIONS, { "help", 0, NULL, 'h' }, { 0 }
	};
	struct capture_options options = { 0 };
	int c, ret = 0;

	opterr = 0;
	while (!ret &&
	       (c = getopt_long(argc, argv, "+:" CAPTURE_SHORT_OPTIONS OUTPUT_SHORT_OPTIONS "h",
				longs, NULL)) >= 0) {
		if (c == 'h') {
			print_help();
			capture_options_free(&options);
			return CLI_OK;
		}
		if (capture_option(&options, c, optarg))
			ret = options_bad(err, "trace", argv, c);
	}
	if (!ret)
		ret = capture_command(&options, "trace", argc, argv, err);
	if (!ret)
		ret = capture_run(&options, trace_session, err);
	capture_options_free(&options);
	return ret;
}
