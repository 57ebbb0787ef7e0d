// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parsing of shared options.
 */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>

#include "cli/cli.h"

int output_option(struct output_options *options, int c, const char *arg)
{
	switch (c) {
	case 'i':
		options->dev = arg;
		return *arg ? 0 : -EINVAL;
	case 'v':
		options->verbose = true;
		return 0;
	case 'q':
		options->quiet = true;
		return 0;
	case OPT_BRIEF:
		options->brief = true;
		return 0;
	case OPT_JSON:
		options->json = true;
		return 0;
	case OPT_COLOR:
		options->color = arg;
		return strcmp(arg, "auto") && strcmp(arg, "always") && strcmp(arg, "never") ?
			       -EINVAL :
			       0;
	default:
		return -EINVAL;
	}
}

int options_bad(struct error *err, const char *command, char **argv, int c)
{
	const char *word = argv[optind - 1];

	if (c == ':')
		return cli_usage(err, command, "option '%s' needs a value", word);
	if (c == '?')
		return cli_usage(err, command, "unknown option '%s'", word);
	return cli_usage(err, command, "bad value '%s'", optarg ? optarg : word);
}
