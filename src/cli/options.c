// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parsing of shared options.
 */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "cli/cli.h"

int output_option(struct output_options *options, int c, const char *arg)
{
	int ret = select_option(&options->select, c, arg);

	if (ret != -ENOENT)
		return ret;
	switch (c) {
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
		return select_option(&options->select, c, arg) ? -EINVAL : 0;
	}
}

int options_number(const char *arg, long max, long *value)
{
	char *end;

	errno = 0;
	*value = strtol(arg, &end, 10);
	return errno || end == arg || *end || *value < 1 || *value > max ? -EINVAL : 0;
}

const char *options_word(char **argv, int c)
{
	static char letter[] = "-?";

	/* Of letters in one word, optind is behind it only when the last one was met. */
	if (c != '?' || optopt <= 0 || optopt > 0x7f)
		return argv[optind - 1];
	letter[1] = (char)optopt;
	return letter;
}

int options_bad(struct error *err, const char *command, char **argv, int c)
{
	const char *word = options_word(argv, c);

	if (c == ':')
		return cli_usage(err, command, "option '%s' needs a value", word);
	if (c == '?')
		return cli_usage(err, command, "unknown option '%s'", word);
	return cli_usage(err, command, "bad value '%s'", optarg ? optarg : word);
}
