// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail flows: who talks to whom, and how much; live or of a recording. Options only.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/flows_cmd.h"
#include "cli/options.h"

#define MAX_WORDS 256

enum {
	OPT_BY = 1024,
	OPT_CSV,
	OPT_LOG,
	OPT_ALL,
	OPT_TREE,
	OPT_BATCH,
	OPT_AGGREGATE,
};

/* What is no option: [FILE] [FILTER] [INTERVAL [COUNT]]. */
struct words {
	const char *word[MAX_WORDS];
	size_t nr;
	struct strbuf filter;
};

static void print_help(void)
{
	puts("Usage: skbtrail flows [options] [FILTER] [INTERVAL [COUNT]] [-- COMMAND [ARG...]]\n"
	     "       skbtrail flows [options] FILE [FILTER] [INTERVAL [COUNT]]\n"
	     "Show which processes send and receive how much through which sockets, every\n"
	     "INTERVAL seconds (default 1), COUNT times; the most traffic first. Bytes are what\n"
	     "the calls of the processes returned, of TCP and UDP. FILE was made by 'skbtrail\n"
	     "record --flows'; without INTERVAL all of it is one. Live, on a terminal, it is a\n"
	     "screen: h shows its keys, q ends it.\n\n"
	     "FILTER chooses sockets by what is known of them, in words of pcap-filter(7): ip,\n"
	     "ip6, tcp, udp, host, net, port, portrange, src, dst; in either direction.\n\n"
	     "  -f, --filter FILTER the same as an option\n"
	     "  -r, --read FILE     a recording, whatever its name; - for standard input\n"
	     "  -p, --pid PID       only what this process does\n"
	     "      --by WHAT       sum by pid, comm, host (remote), port or netns\n"
	     "      --tree          processes below their parents, with sums of all below\n"
	     "      --all           sockets that were silent, too\n"
	     "      --batch         lines on a terminal, too, instead of a screen\n"
	     "      --log           lines of sockets that open and close instead of a table\n"
	     "      --json          one JSON object a row and line\n"
	     "      --csv           comma-separated values\n"
	     "      --aggregate WHEN have the kernel sum up calls instead of recording each:\n"
	     "                      auto (default: where it can, and not with --log), yes, no\n"
	     "  -b, --buffer SIZE   ring buffer per CPU: 512K, 4M, ... (default 4M)\n"
	     "      --structs FILE  where members are in this kernel's structures\n"
	     "      --tap           where calls are not told: bytes of packets, by packet sockets\n"
	     "      --tier TIER     use no more than T0, T1, T2 or T3, see 'skbtrail check'\n"
	     "      --keep-user     run COMMAND as root even under sudo\n"
	     "      --dry-run       print the writes to tracefs as shell lines, and do nothing\n"
	     "  -v, --verbose       where the bytes come from, how long sockets' packets take\n"
	     "                      to devices and readers, and counters at the end\n"
	     "  -q, --quiet         no remarks on stderr\n"
	     "  -h, --help          this text\n\n"
	     "Examples (as root, but for the last):\n"
	     "  skbtrail flows                     who talks to whom, every second\n"
	     "  skbtrail flows tcp port 443 5      of HTTPS, every five seconds\n"
	     "  skbtrail flows --by host 10 6      by peer, six times ten seconds\n"
	     "  skbtrail flows --log -- curl -s localhost\n"
	     "  skbtrail flows trace.dat net 10.0.0.0/8");
}

static int parse_by(struct flows_command *cmd, const char *arg)
{
	static const char *const names[] = { "socket", "pid", "comm", "host", "port", "netns" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(arg, names[i])) {
			cmd->sink.by = (enum flows_by)i;
			return 0;
		}
	return -EINVAL;
}

static int parse_aggregate(struct flows_command *cmd, const char *arg)
{
	cmd->capture.must_aggregate = !strcmp(arg, "yes");
	cmd->no_aggregate = !strcmp(arg, "no");
	return cmd->capture.must_aggregate || cmd->no_aggregate || !strcmp(arg, "auto") ? 0 :
											  -EINVAL;
}

static int take_text(const char **to, const char *arg)
{
	if (!*arg || *to)
		return -EINVAL;
	*to = arg;
	return 0;
}

static int take_option(struct flows_command *cmd, int c)
{
	char *end;

	switch (c) {
	case OPT_BY:
		return parse_by(cmd, optarg);
	case OPT_AGGREGATE:
		return parse_aggregate(cmd, optarg);
	case OPT_CSV:
		cmd->sink.format = FLOWS_CSV;
		return 0;
	case OPT_JSON:
		cmd->sink.format = FLOWS_JSON;
		return 0;
	case OPT_LOG:
		cmd->sink.log = true;
		return 0;
	case OPT_ALL:
		cmd->sink.all = true;
		return 0;
	case OPT_BATCH:
		cmd->batch = true;
		return 0;
	case OPT_TREE:
		cmd->sink.tree = true;
		return 0;
	case 'f':
		return take_text(&cmd->sink.filter, optarg);
	case 'r':
		return take_text(&cmd->file, optarg);
	case 'p':
		cmd->sink.pid = (s32)strtol(optarg, &end, 10);
		return *end || cmd->sink.pid <= 0 ? -EINVAL : 0;
	case 'b':
	case 'v':
	case 'q':
	case OPT_STRUCTS:
	case OPT_TIER:
	case OPT_TAP:
	case OPT_DRY_RUN:
	case OPT_KEEP_USER:
		return capture_option(&cmd->capture, c, optarg);
	default:
		return -EINVAL;
	}
}

static bool is_number(const char *text, double least, double most, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return !*end && end != text && *value >= least && *value <= most;
}

/* The last @nr words as an interval and a count. */
static bool take_times(struct flowsink_options *o, const char *const *word, size_t nr)
{
	double seconds = 0, count = 0;

	if (nr > 2 || (nr > 0 && !is_number(word[0], 0.1, 86400, &seconds)) ||
	    (nr > 1 && (!is_number(word[1], 1, 1e9, &count) || count != (double)(u64)count)))
		return false;
	o->interval_ns = (u64)(seconds * (double)NSEC_PER_SEC);
	o->count = (u64)count;
	return true;
}

/* Whether the word is a recording's name, and not the beginning of a filter. */
static bool is_file(const char *word)
{
	size_t len = strlen(word);
	struct stat st;

	return !strcmp(word, "-") || strchr(word, '/') ||
	       (len > 4 && !strcmp(word + len - 4, ".dat")) ||
	       (!stat(word, &st) && S_ISREG(st.st_mode));
}

static void join(struct strbuf *to, const char *const *word, size_t nr)
{
	size_t i;

	to->len = 0;
	for (i = 0; i < nr; i++)
		strbuf_printf(to, "%s%s", i ? " " : "", word[i]);
}

/*
 * Numbers may be the end of a filter ("port 80") or times: what makes a filter, with as many of them as possible, is
 * one.
 */
static int split_filter(struct flows_command *cmd, struct words *words, const char *const *word,
			size_t nr, struct error *err)
{
	struct error why = { 0 }, first = { 0 };
	struct sockfilter *f;
	size_t times;
	int ret;

	for (times = 0; times <= 2 && times <= nr; times++) {
		if (!take_times(&cmd->sink, word + nr - times, times))
			break;
		if (times == nr)
			return 0;
		join(&words->filter, word, nr - times);
		ret = sockfilter_compile(&f, strbuf_cstr(&words->filter), &why);
		sockfilter_free(f);
		if (!ret) {
			cmd->sink.filter = strbuf_cstr(&words->filter);
			return 0;
		}
		/* that of the whole says most, unless it is only about the numbers */
		if (!times ||
		    (strstr(first.text, "syntax error") && !strstr(why.text, "syntax error")))
			first = why;
	}
	*err = first;
	return cli_usage(err, "flows", "%s%s", first.text,
			 strstr(first.text, "syntax error") ? "; a command to run comes after --" :
							      "");
}

static int take_words(struct flows_command *cmd, struct words *words, struct error *err)
{
	const char *const *word = words->word;
	size_t nr = words->nr;
	struct sockfilter *f = NULL;
	int ret = 0;

	if (nr && !cmd->file && is_file(word[0])) {
		cmd->file = word[0];
		word++;
		nr--;
	}
	if (cmd->sink.filter) {
		if (!take_times(&cmd->sink, word, nr))
			return cli_usage(err, "flows", "'%s' is no interval or count", word[0]);
		ret = sockfilter_compile(&f, cmd->sink.filter, err);
		sockfilter_free(f);
		return ret ? CLI_USAGE : 0;
	}
	return split_filter(cmd, words, word, nr, err);
}

static int check(struct flows_command *cmd, int argc, char **argv, struct error *err)
{
	const struct capture_options *capture = &cmd->capture;
	bool dashes = optind > 0 && !strcmp(argv[optind - 1], "--");

	cmd->sink.quiet = capture->output.quiet;
	cmd->sink.verbose = capture->output.verbose;
	cmd->sink.latency = cmd->sink.verbose && cmd->sink.by == FLOWS_BY_SOCKET &&
			    !cmd->sink.tree && !cmd->sink.log && cmd->sink.format != FLOWS_CSV &&
			    !capture->must_aggregate;
	if (optind < argc)
		cmd->capture.command = argv + optind;
	else if (dashes)
		return cli_usage(err, "flows", "no command after --");
	if (cmd->file && (capture->command || capture->request.buffer_kb || capture->dry_run ||
			  capture->structs || capture->probes.max_tier || capture->tap ||
			  capture->must_aggregate))
		return cli_usage(err, "flows", "nothing is recorded when there is a file");
	if (cmd->sink.tree &&
	    (cmd->sink.by != FLOWS_BY_SOCKET || cmd->sink.log || cmd->sink.format == FLOWS_CSV))
		return cli_usage(err, "flows", "--tree goes with neither --by, --log nor --csv");
	if (cmd->sink.log && capture->must_aggregate)
		return cli_usage(err, "flows", "--log does not go with --aggregate yes");
	cmd->capture.aggregate = !cmd->no_aggregate && !cmd->sink.log && !cmd->sink.latency;
	if (cmd->sink.log && cmd->sink.format == FLOWS_CSV)
		return cli_usage(err, "flows", "--log does not go with --csv");
	if (!cmd->file && !cmd->sink.interval_ns)
		cmd->sink.interval_ns = NSEC_PER_SEC;
	return 0;
}

static const struct option longs[] = {
	{ "filter", required_argument, NULL, 'f' },
	{ "read", required_argument, NULL, 'r' },
	{ "pid", required_argument, NULL, 'p' },
	{ "by", required_argument, NULL, OPT_BY },
	{ "tree", no_argument, NULL, OPT_TREE },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "batch", no_argument, NULL, OPT_BATCH },
	{ "aggregate", required_argument, NULL, OPT_AGGREGATE },
	{ "log", no_argument, NULL, OPT_LOG },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "csv", no_argument, NULL, OPT_CSV },
	{ "buffer", required_argument, NULL, 'b' },
	{ "structs", required_argument, NULL, OPT_STRUCTS },
	{ "tap", no_argument, NULL, OPT_TAP },
	{ "tier", required_argument, NULL, OPT_TIER },
	{ "keep-user", no_argument, NULL, OPT_KEEP_USER },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

int cmd_flows(int argc, char **argv, struct error *err)
{
	struct flows_command cmd = { .sink.by = FLOWS_BY_SOCKET };
	struct words words = { .filter = STRBUF_INIT };
	int c, ret = 0;

	opterr = 0;
	while (!ret && (c = getopt_long(argc, argv, "-:f:r:p:b:vqh", longs, NULL)) >= 0) {
		if (c == 'h') {
			print_help();
			return CLI_OK;
		}
		if (c == 1 && words.nr < MAX_WORDS)
			words.word[words.nr++] = optarg;
		else if (c == 1)
			ret = cli_usage(err, "flows", "too many words");
		else if (take_option(&cmd, c))
			ret = options_bad(err, "flows", argv, c);
	}
	if (!ret)
		ret = take_words(&cmd, &words, err);
	if (!ret)
		ret = check(&cmd, argc, argv, err);
	if (!ret)
		ret = cmd.file ? flows_file(&cmd, err) : flows_live(&cmd, err);
	strbuf_free(&words.filter);
	return ret;
}
