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
};

#define OUTPUT_SHORT_OPTIONS "i:vq"
#define OUTPUT_LONG_OPTIONS                                                                     \
	{ "device", required_argument, NULL, 'i' }, { "verbose", no_argument, NULL, 'v' },      \
		{ "quiet", no_argument, NULL, 'q' }, { "brief", no_argument, NULL, OPT_BRIEF }, \
		{ "json", no_argument, NULL, OPT_JSON },                                        \
	{                                                                                       \
		"color", required_argument, NULL, OPT_COLOR                                     \
	}
#define OUTPUT_OPTIONS_HELP                                                                      \
	"  -i, --device DEV    only packets that touched a device of this name (may hold * ?)\n" \
	"      --brief         one line a packet\n"                                              \
	"      --json          one JSON object a packet and line, see skbtrail-json(5)\n"        \
	"      --color WHEN    auto (default), always or never\n"                                \
	"  -v, --verbose       a line for every record; counters at the end\n"                   \
	"  -q, --quiet         no summary on stderr\n"

/** output_option - take one option of OUTPUT_*; Return: 0, or -EINVAL when it is none or bad */
int output_option(struct output_options *options, int c, const char *arg);

/** options_bad - CLI_USAGE with what is wrong about the option that getopt_long() met last */
int options_bad(struct error *err, const char *command, char **argv, int c);

#endif
