// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Options of the commands that capture.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "capture/budget.h"
#include "cli/capture.h"
#include "cli/cli.h"
#include "cli/options.h"

/* "512K", "4M", "1G", or a bare number of KiB -> KiB; 0 when it makes no sense. */
static u64 parse_size_kb(const char *text)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || value > (1ULL << 40))
		return 0;
	if (!strcmp(end, "M") || !strcmp(end, "m"))
		return value << 10;
	if (!strcmp(end, "G") || !strcmp(end, "g"))
		return value << 20;
	return !*end || !strcmp(end, "K") || !strcmp(end, "k") ? value : 0;
}

static int add_event(struct capture_options *options, const char *event)
{
	size_t n = options->request.event_count;
	const char **all = realloc(options->events, (n + 1) * sizeof(*all));

	if (!all || !*event)
		return -EINVAL;
	all[n] = event;
	options->events = all;
	options->request.events = all;
	options->request.event_count = n + 1;
	return 0;
}

static int add_probe(struct capture_options *options, const char *text)
{
	size_t n = options->probes.nr_asked;
	struct probe_asked *all = reallocarray(options->asked, n + 1, sizeof(*all));

	if (!all)
		return -EINVAL;
	options->asked = all;
	options->probes.asked = all;
	if (probe_parse_asked(&all[n], text))
		return -EINVAL;
	options->probes.nr_asked = n + 1;
	return 0;
}

static int choose_hops(struct capture_options *options, const char *arg)
{
	options->hops_given = true;
	if (!strcmp(arg, "minimal"))
		options->probes.hops = HOPS_MINIMAL;
	else if (!strcmp(arg, "default"))
		options->probes.hops = HOPS_DEFAULT;
	else if (!strcmp(arg, "full"))
		options->probes.hops = HOPS_FULL;
	else
		return -EINVAL;
	return 0;
}

static int choose_budget(struct capture_options *options, const char *arg)
{
	char *end;
	double percent = strtod(arg, &end);

	/* less than a millionth is no budget */
	if (*end || end == arg || !(percent >= 1.0 / BUDGET_PPM_PER_PERCENT) || percent > 100)
		return -EINVAL;
	options->budget_ppm = (u64)(percent * BUDGET_PPM_PER_PERCENT + 0.5);
	return 0;
}

static int choose_tier(struct capture_options *options, const char *arg)
{
	enum tier tier;

	for (tier = TIER_T0; tier <= TIER_T3; tier++) {
		if (!strcmp(arg, tier_describe(tier)->name)) {
			options->probes.max_tier = (u8)tier;
			return 0;
		}
	}
	return -EINVAL;
}

int capture_option(struct capture_options *options, int c, const char *arg)
{
	char *end;

	switch (c) {
	case 'e':
		return add_event(options, arg);
	case 'b':
		options->request.buffer_kb = parse_size_kb(arg);
		return options->request.buffer_kb ? 0 : -EINVAL;
	case 'd':
		options->duration_s = strtod(arg, &end);
		return *end || end == arg || !(options->duration_s > 0) ||
				       options->duration_s > 1e9 ?
			       -EINVAL :
			       0;
	case OPT_CLOCK:
		options->request.clock = arg;
		return *arg ? 0 : -EINVAL;
	case OPT_HOPS:
		return choose_hops(options, arg);
	case OPT_BUDGET:
		return choose_budget(options, arg);
	case OPT_PROBE:
		return add_probe(options, arg);
	case OPT_STRUCTS:
		options->structs = arg;
		return *arg ? 0 : -EINVAL;
	case OPT_TAP:
		options->tap = true;
		return 0;
	case OPT_TIER:
		return choose_tier(options, arg);
	case OPT_DRY_RUN:
		options->dry_run = true;
		return 0;
	case OPT_KEEP_USER:
		options->keep_user = true;
		return 0;
	default:
		return output_option(&options->output, c, arg);
	}
}

int capture_calls_option(struct capture_options *options, int c, const char *arg)
{
	long value;

	if (options_number(arg, c == OPT_DEPTH ? GRAPH_DEPTH_MAX : INT32_MAX, &value))
		return -EINVAL;
	if (c == OPT_DEPTH)
		options->depth = (u32)value;
	else
		options->calls_pid = (s32)value;
	return 0;
}

int capture_calls_check(const struct capture_options *options, const char *name, struct error *err)
{
	if (options->all_calls && options->command && options->calls_pid)
		return cli_usage(err, name,
				 "calls of a command, or of a process (-p), not of both");
	if (options->all_calls && !options->command && !options->calls_pid)
		return cli_usage(err, name, "whose calls? A command, or a process (-p N)");
	if (!options->all_calls && (options->calls_pid || options->depth))
		return cli_usage(err, name, "--pid and --depth go with --calls");
	if (options->all_calls && options->budget_ppm)
		return cli_usage(err, name, "--budget does not know what calls cost");
	return 0;
}

int capture_bad_option(const struct capture_options *options, const char *name, char **argv, int c,
		       struct error *err)
{
	if (c == '?' && options->output.select.words.len)
		return cli_usage(err, name,
				 "unknown option '%s' after '%s' (a command to run comes after --)",
				 options_word(argv, c), options->output.select.words.data);
	return options_bad(err, name, argv, c);
}

int capture_command(struct capture_options *options, const char *name, int argc, char **argv,
		    struct error *err)
{
	bool dashes = optind > 0 && !strcmp(argv[optind - 1], "--");

	if (select_check(&options->output.select, err))
		return CLI_USAGE;
	if (options->budget_ppm && options->dry_run)
		return cli_usage(err, name, "--budget measures, which --dry-run does not");
	if (optind == argc)
		return dashes ? cli_usage(err, name, "no command after --") : 0;
	if (!dashes)
		return cli_usage(err, name, "unexpected '%s' (a command to run comes after --)",
				 argv[optind]);
	options->command = argv + optind;
	return 0;
}

void capture_options_free(struct capture_options *options)
{
	select_options_free(&options->output.select);
	free(options->events);
	options->events = NULL;
	free(options->asked);
	options->asked = NULL;
}
