/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options that several subcommands share.
 */
#ifndef SKBTRAIL_CLI_OPTIONS_H
#define SKBTRAIL_CLI_OPTIONS_H

#include "cli/pipeline.h"

enum {
	OPT_BRIEF = 256,
	OPT_JSON,
	OPT_COLOR,
	OPT_CLOCK,
	OPT_DRY_RUN,
	OPT_KEEP_USER,
	OPT_NETNS,
	OPT_PID,
	OPT_COMM,
	OPT_DROPPED,
	OPT_MIN_LATENCY,
	OPT_NO_PUSH_DOWN,
};

#define OUTPUT_SHORT_OPTIONS SELECT_SHORT_OPTIONS "vq"
#define OUTPUT_LONG_OPTIONS                                                                     \
	SELECT_LONG_OPTIONS, { "verbose", no_argument, NULL, 'v' },                             \
		{ "quiet", no_argument, NULL, 'q' }, { "brief", no_argument, NULL, OPT_BRIEF }, \
		{ "json", no_argument, NULL, OPT_JSON },                                        \
	{                                                                                       \
		"color", required_argument, NULL, OPT_COLOR                                     \
	}
#define OUTPUT_OPTIONS_HELP                                                               \
	"      --brief         one line a packet\n"                                       \
	"      --json          one JSON object a packet and line, see skbtrail-json(5)\n" \
	"      --color WHEN    auto (default), always or never\n"                         \
	"  -v, --verbose       a line for every record; counters at the end\n"            \
	"  -q, --quiet         no summary on stderr\n"

/** output_option - take one option of OUTPUT_* or SELECT_*; Return: 0, or -EINVAL when none or bad */
int output_option(struct output_options *options, int c, const char *arg);

/** options_number - a whole number from 1 to @max; Return: 0 or -EINVAL */
int options_number(const char *arg, long max, long *value);

/** options_word - the option that getopt_long() met last, as a message should name it */
const char *options_word(char **argv, int c);

/** options_bad - CLI_USAGE with what is wrong about the option that getopt_long() met last */
int options_bad(struct error *err, const char *command, char **argv, int c);

#endif
