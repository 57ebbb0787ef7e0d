// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail clean: remove what a killed skbtrail left in tracefs.
 *
 * In:  leftovers of dead owners.
 * Out: one line each, removed or (--dry-run) only listed.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "capture/leftovers.h"
#include "cli/cli.h"
#include "kernel/features.h"

static void print_help(void)
{
	puts("Usage: skbtrail clean [options]\n"
	     "Remove what a killed skbtrail left in tracefs: private instances skbtrail-<pid>\n"
	     "and probe events of group skbtrail_<pid>. What it set at the top level to use\n"
	     "function_graph is restored. Those of a skbtrail that runs are left alone, and so\n"
	     "is everybody else's.\n"
	     "\n"
	     "  -n, --dry-run       only list what would be removed\n"
	     "  -h, --help          this text\n"
	     "\n"
	     "Exit status: 0 when nothing is left, 1 when something could not be removed.\n"
	     "\n"
	     "Examples (as root):\n"
	     "  skbtrail clean --dry-run\n"
	     "  skbtrail clean");
}

static void print_item(const struct leftover *item, const char *verb)
{
	if (item->kind == LEFTOVER_SAVED) {
		printf("%s settings of the top level (%s)\n",
		       !strcmp(verb, "removed")	     ? "restored" :
		       !strcmp(verb, "would remove") ? "would restore" :
						       verb,
		       item->name);
		return;
	}
	printf("%s %s %s\n", verb, item->kind == LEFTOVER_INSTANCE ? "instance" : "probe event",
	       item->name);
}

static int clean(bool dry_run, const char *tracing_dir, struct error *err)
{
	struct leftovers list;
	int status = CLI_OK;
	size_t i;

	if (leftovers_find(tracing_dir, &list, err)) {
		leftovers_free(&list);
		return CLI_FAILURE;
	}
	if (!list.count)
		puts("nothing is left over");
	if (!dry_run && leftovers_remove(tracing_dir, &list, err))
		status = CLI_FAILURE;
	for (i = 0; i < list.count; i++) {
		if (dry_run)
			print_item(&list.items[i], "would remove");
		else if (list.items[i].removed)
			print_item(&list.items[i], "removed");
		else if (list.items[i].alive)
			print_item(&list.items[i], "in use now, left alone:");
		else
			print_item(&list.items[i], "could not remove");
	}
	leftovers_free(&list);
	return status;
}

int cmd_clean(int argc, char **argv, struct error *err)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char dir[256];
	bool dry_run = false;
	int ret;
	int opt;

	opterr = 0;
	optind = 0;
	while ((opt = getopt_long(argc, argv, "+:nh", options, NULL)) != -1) {
		switch (opt) {
		case 'n':
			dry_run = true;
			break;
		case 'h':
			print_help();
			return CLI_OK;
		default:
			return cli_usage(err, "clean", "there is no option '%s'", argv[optind - 1]);
		}
	}
	if (optind < argc)
		return cli_usage(err, "clean", "clean takes no arguments, not '%s'", argv[optind]);
	ret = features_find_tracefs(dir, sizeof(dir), err);
	if (ret == -ENOENT) {
		err->text[0] = '\0';
		puts("nothing is left over: tracefs is not mounted");
		return CLI_OK;
	}
	return ret ? CLI_FAILURE : clean(dry_run, dir, err);
}
