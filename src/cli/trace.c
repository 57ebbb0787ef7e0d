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
	puts("Usage: skbtrail trace [options] [FILTER] [-- COMMAND [ARG...]]\n"
	     "Show where packets go inside the kernel, live: until Ctrl-C, until the time is\n"
	     "up, or until COMMAND ends. COMMAND runs as the user who called sudo. FILTER, in\n"
	     "the words of pcap-filter(7), chooses packets that match it anywhere on their\n"
	     "way, before or after NAT, and shows all of their way.\n\n" SELECT_FILTER_HELP
		     SELECT_OPTIONS_HELP SELECT_ENDS_HELP CAPTURE_OPTIONS_HELP
	     "      --calls         which calls sent a packet, also without COMMAND or --pid\n"
	     "      --no-calls      never: no stack traces, which cost some microseconds each\n"
	     "      --no-push-down  filter in user space only: let the kernel record all packets\n" OUTPUT_OPTIONS_HELP
	     "  -h, --help          this text\n\n"
	     "Examples (as root):\n"
	     "  skbtrail trace icmp -- ping -c1 10.0.2.2   ping's packets while it runs\n"
	     "  skbtrail trace --dropped tcp port 80       what becomes of lost connections\n"
	     "  skbtrail trace -i 'veth*' --brief          one line a packet, until Ctrl-C\n"
	     "  skbtrail trace -d 5 --json > p.json        five seconds, for programs\n"
	     "  skbtrail trace -e tcp -e qdisc             show these events in the paths, too\n"
	     "  skbtrail trace --dry-run                   what would be written to tracefs\n");
}

static int trace_session(struct capture *c, struct error *err)
{
	return live_session(c, "tracing", err);
}

int cmd_trace(int argc, char **argv, struct error *err)
{
	static const struct option longs[] = { CAPTURE_LONG_OPTIONS,
					       OUTPUT_LONG_OPTIONS,
					       { "no-push-down", no_argument, NULL,
						 OPT_NO_PUSH_DOWN },
					       { "calls", no_argument, NULL, OPT_CALLS },
					       { "no-calls", no_argument, NULL, OPT_NO_CALLS },
					       { "help", no_argument, NULL, 'h' },
					       { 0 } };
	struct capture_options options = { .push_down = true, .chains = true };
	int c, ret = 0;

	opterr = 0;
	while (!ret &&
	       (c = getopt_long(argc, argv, "-:" CAPTURE_SHORT_OPTIONS OUTPUT_SHORT_OPTIONS "h",
				longs, NULL)) >= 0) {
		if (c == 'h') {
			print_help();
			capture_options_free(&options);
			return CLI_OK;
		}
		if (c == OPT_NO_PUSH_DOWN)
			options.push_down = false;
		else if (c == OPT_CALLS)
			options.calls = true;
		else if (c == OPT_NO_CALLS)
			options.no_calls = true;
		else if (capture_option(&options, c, optarg))
			ret = capture_bad_option(&options, "trace", argv, c, err);
	}
	if (!ret)
		ret = capture_command(&options, "trace", argc, argv, err);
	if (!ret)
		ret = capture_run(&options, trace_session, err);
	capture_options_free(&options);
	return ret;
}
