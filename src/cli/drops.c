// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail drops: dropped packets by reason, place and flow, live or of recordings.
 *
 * The same capture and the same pipeline as trace and report, but finished paths are counted instead of
 * shown. So a packet that is freed after use is no drop here either.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/livetrace.h"
#include "cli/options.h"
#include "cli/report.h"
#include "render/drops.h"

struct drops_command {
	struct capture_options capture; /* first: capture_run() hands out a pointer to it */
	struct drops *drops;
	const char **files;
	size_t nr_files;
	u32 buffers; /* of this file so far */
};

static void print_help(void)
{
	puts("Usage: skbtrail drops [options] [FILTER] [-- COMMAND [ARG...]]\n"
	     "       skbtrail drops [options] -r FILE [FILTER]\n"
	     "Count the packets that the kernel drops, by reason, place in the kernel and\n"
	     "flow; the most frequent first. Live until Ctrl-C, until the time is up or until\n"
	     "COMMAND ends, or of recordings. FILTER, in the words of pcap-filter(7), chooses\n"
	     "packets that match it anywhere on their way.\n\n"
	     "  -r, --read FILE     of a recording (trace.dat); may be given several times\n"
	     "      --json          one JSON object a group and line, see skbtrail-json(5)\n"
	     "  -v, --verbose       with the path of the first packet of each group\n"
	     "      --color WHEN    auto (default), always or never\n"
	     "  -q, --quiet         no summary on stderr\n" SELECT_FILTER_HELP SELECT_OPTIONS_HELP
	     "      --min-latency T only packets that were under way so long: 200us, 5ms, 1.5s\n" CAPTURE_OPTIONS_HELP
	     "  -h, --help          this text\n\n"
	     "Examples (as root):\n"
	     "  skbtrail drops                          all of them, until Ctrl-C\n"
	     "  skbtrail drops tcp port 443 -d 60       for a minute, of one service\n"
	     "  skbtrail drops -- curl -s 10.0.2.2      while a command runs\n"
	     "  skbtrail drops -r trace.dat -v          of a recording, with examples\n");
}

static char *example_of(const struct pipeline *p, const struct path *path)
{
	struct text_style style = p->style;
	struct strbuf sb = STRBUF_INIT;
	char *copy;

	style.verbose = false;
	render_text(&sb, path, &p->names, &style);
	copy = strdup(strbuf_cstr(&sb));
	strbuf_free(&sb);
	return copy;
}

static void count_path(void *ctx, struct pipeline *p, const struct path *path)
{
	struct drops_command *cmd = ctx;
	struct drop_group *group;
	bool fresh;

	/* each buffer of a recording has a pipeline of its own */
	if (p->shown == 1)
		drops_next_source(cmd->drops, cmd->buffers++);
	group = drops_add(cmd->drops, path, &fresh);
	if (!fresh)
		return;
	render_drop_words(&group->words, &group->key, path, &p->names);
	if (p->options.verbose && !p->options.json)
		group->words.example = example_of(p, path);
}

static int put_drops(struct drops_command *cmd, struct error *err)
{
	const struct output_options *options = &cmd->capture.output;
	struct text_style style = output_style(options);
	struct strbuf sb = STRBUF_INIT;
	const struct drop_group *group;
	size_t i, nr;
	int ret = 0;

	group = drops_sort(cmd->drops, &nr);
	for (i = 0; i < nr && !ret; i++) {
		if (options->json)
			ret = render_drop_json(&sb, &group[i]);
		else
			render_drop_text(&sb, &group[i], &style);
	}
	render_drops_rest(&sb, drops_ungrouped(cmd->drops), options->json);
	if (sb.len)
		fwrite(sb.data, 1, sb.len, stdout);
	if (ret || sb.failed)
		ret = error_errno(err, ENOMEM, "cannot show the drops");
	strbuf_free(&sb);
	return ret;
}

static int drops_session(struct capture *c, struct error *err)
{
	return live_session(c, "counting drops with", err);
}

static int drops_run(struct drops_command *cmd, struct error *err)
{
	struct error late = { 0 };
	int status = CLI_OK;
	size_t i;

	for (i = 0; i < cmd->nr_files && status == CLI_OK; i++, cmd->buffers = 0)
		if (report_file(cmd->files[i], &cmd->capture.output, err))
			status = CLI_FAILURE;
	if (!cmd->nr_files)
		status = capture_run(&cmd->capture, drops_session, err);
	/* what was counted before an error is shown all the same */
	if (put_drops(cmd, &late) && status == CLI_OK) {
		*err = late;
		status = CLI_FAILURE;
	}
	return status;
}

static int take_option(struct drops_command *cmd, int c, const char *arg)
{
	const char **files;

	if (c != 'r')
		return capture_option(&cmd->capture, c, arg);
	files = *arg ? reallocarray(cmd->files, cmd->nr_files + 1, sizeof(*files)) : NULL;
	if (!files)
		return -EINVAL;
	files[cmd->nr_files++] = arg;
	cmd->files = files;
	return 0;
}

/* What only a capture can heed must not be passed over with a file. */
static int check_options(const struct drops_command *cmd, struct error *err)
{
	const struct capture_options *o = &cmd->capture;

	if (cmd->nr_files && o->command)
		return cli_usage(err, "drops", "a command cannot be run with -r");
	if (cmd->nr_files && (o->request.event_count || o->request.buffer_kb || o->request.clock ||
			      o->duration_s > 0 || o->dry_run || o->keep_user || o->budget_ppm))
		return cli_usage(
			err, "drops",
			"-e, -b, -d, --budget, --clock, --dry-run and --keep-user do not go with -r");
	return select_check(&o->output.select, err) ? CLI_USAGE : CLI_OK;
}

int cmd_drops(int argc, char **argv, struct error *err)
{
	static const struct option longs[] = {
		SELECT_LONG_OPTIONS,
		CAPTURE_LONG_OPTIONS,
		{ "read", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "color", required_argument, NULL, OPT_COLOR },
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct drops_command cmd = { 0 };
	int c, ret = 0;

	cmd.capture.output.on_path = count_path;
	cmd.capture.output.on_path_ctx = &cmd;
	cmd.capture.output.select.dropped = true;
	opterr = 0;
	while (!ret &&
	       (c = getopt_long(argc, argv, "-:r:vqh" SELECT_SHORT_OPTIONS CAPTURE_SHORT_OPTIONS,
				longs, NULL)) >= 0) {
		if (c == 'h') {
			print_help();
			goto out;
		}
		if (take_option(&cmd, c, optarg))
			ret = capture_bad_option(&cmd.capture, "drops", argv, c, err);
	}
	if (!ret)
		ret = capture_command(&cmd.capture, "drops", argc, argv, err);
	if (!ret)
		ret = check_options(&cmd, err);
	if (!ret && drops_new(&cmd.drops, err))
		ret = CLI_FAILURE;
	if (!ret)
		ret = drops_run(&cmd, err);
out:
	drops_free(cmd.drops);
	free(cmd.files);
	select_options_free(&cmd.capture.output.select);
	capture_options_free(&cmd.capture);
	return ret;
}
