// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail discover: which kernel function to probe for what, with reasons, tried out.
 *
 * In:  a question; a command, a process, or a recording.
 * Out: the functions on the way, in the order of a rule; what their probes read when the command ran
 *      again; definitions.
 *
 * What is recorded goes through a file and back: the same way that a recording from elsewhere takes.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capture/trial.h"
#include "capture/workload.h"
#include "cli/cli.h"
#include "cli/discover_file.h"
#include "cli/options.h"
#include "kernel/features.h"
#include "kernel/signatures.h"
#include "kernel/structs.h"
#include "render/discover.h"

#define SHOWN_DEFAULT 4
#define TRIED_DEFAULT 12
#define SECONDS_DEFAULT "5"
#define ARGS_MAX 4096

enum { OPT_TRY = 1024, OPT_NO_TRIAL, OPT_STRUCTS_FILE, OPT_SIGNATURES };

struct discover_call {
	enum question question;
	const char *type;
	const char *file;
	char *const *command;
	int nr_command;
	const char *pid, *seconds, *structs;
	unsigned int shown, tried;
	bool json, verbose, quiet, no_trial, keep_user, signatures;
	char tracing_dir[256];
	struct layout layout;
	struct discover_file found;
	struct trial_def *defs;
	struct discover_def *of;
	size_t nr_defs;
	struct trial_result trial;
	bool was_tried;
	char why[1100];
};

static void print_help(void)
{
	puts("Usage: skbtrail discover QUESTION [options] [-- COMMAND [ARG...] | -p PID | FILE]\n"
	     "Find the kernel functions to probe for an answer to QUESTION: record what\n"
	     "COMMAND's system calls on sockets call, order the functions that all of them pass\n"
	     "by a rule that is told, run COMMAND again with probes on the first ones, compare\n"
	     "what they read with what the sockets say, and print definitions.\n\n"
	     "Questions:\n"
	     "  local-address    address and port of the socket itself\n"
	     "  remote-address   those of the other side\n"
	     "  bytes-sent       how much a call sends\n"
	     "  bytes-received   how much a call receives\n"
	     "  new-connections  connections being made, by whom and where to\n"
	     "  accepted         connections being accepted\n"
	     "  retransmits      what leads to a TCP retransmission\n"
	     "  drops            what leads to a dropped packet\n"
	     "  arg:TYPE         functions that are given a struct TYPE *\n\n"
	     "  -p, --pid N         a process that is there, and its threads; it is not disturbed\n"
	     "  -d, --duration SEC  with -p: record so long, and try so long (default " SECONDS_DEFAULT
	     ")\n"
	     "  -n, --show N        functions shown of each operation (default 4)\n"
	     "      --try N         functions tried of each operation (default 12)\n"
	     "      --no-trial      do not try, so COMMAND runs once\n"
	     "      --structs FILE  where members are in this kernel's structures\n"
	     "      --keep-user     run COMMAND as root even under sudo\n"
	     "      --json          one JSON object, see skbtrail-json(5)\n"
	     "  -q, --quiet         less on standard error\n"
	     "  -h, --help          this text\n\n"
	     "With FILE (of 'skbtrail record --calls', or any recording of function_graph) and a\n"
	     "command or -p, FILE tells the functions and the command tries them.\n\n"
	     "Examples (as root):\n"
	     "  skbtrail discover local-address -- curl -s http://10.0.2.2/\n"
	     "  skbtrail discover bytes-sent -p 1234 -d 10\n"
	     "  skbtrail discover new-connections trace.dat\n"
	     "  skbtrail discover arg:sk_buff -- ping -c1 10.0.2.2\n");
}

/* ---- what is to be tried */

static u8 trial_calls_of(u8 operation)
{
	static const u8 kinds[OPERATION_COUNT] = {
		[OPERATION_CONNECT] = TRIAL_CONNECT,
		[OPERATION_ACCEPT] = TRIAL_ACCEPT,
		[OPERATION_SEND] = TRIAL_SEND,
		[OPERATION_RECEIVE] = TRIAL_RECEIVE,
	};

	return operation < OPERATION_COUNT ? kinds[operation] : 0;
}

static int protocol_number(const char *protocol)
{
	static const struct {
		const char *name;
		int number;
	} known[] = { { "TCP", IPPROTO_TCP },
		      { "UDP", IPPROTO_UDP },
		      { "UDPLITE", IPPROTO_UDPLITE },
		      { "SCTP", IPPROTO_SCTP } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(protocol, known[i].name))
			return known[i].number;
	return 0;
}

/* For who accepts or connects both ends say that it is the right socket: a listener has the local one, too. */
static u8 judged_by(enum question question, u8 operation)
{
	if (discover_fetch(question) & FETCH_BYTES)
		return FETCH_BYTES;
	if (operation == OPERATION_ACCEPT)
		return FETCH_LOCAL | FETCH_REMOTE;
	return discover_fetch(question);
}

static void add_def(struct discover_call *d, size_t group, size_t candidate, u8 at, u8 object,
		    u8 arg)
{
	const struct candidate_group *g = &d->found.groups[group];
	struct trial_def *def = &d->defs[d->nr_defs];

	if (d->nr_defs == TRIAL_DEFS_MAX)
		return;
	def->def = (struct probedef){ .function = g->candidate[candidate].name,
				      .at = at,
				      .object = object,
				      .arg = arg,
				      .fetch = discover_fetch(d->question) };
	if (!probedef_possible(&def->def, &d->layout))
		return;
	def->calls = trial_calls_of(g->operation);
	def->family = g->family == FAMILY_IPV4 ? AF_INET : g->family == FAMILY_IPV6 ? AF_INET6 : 0;
	def->protocol = protocol_number(g->protocol);
	def->judge = judged_by(d->question, g->operation);
	d->of[d->nr_defs++] = (struct discover_def){ group, candidate };
}

static void add_defs(struct discover_call *d, size_t group, size_t candidate)
{
	const struct candidate *c = &d->found.groups[group].candidate[candidate];

	if (discover_fetch(d->question) & FETCH_BYTES) {
		if (c->bytes_arg)
			add_def(d, group, candidate, AT_ENTRY, OBJECT_BYTES, c->bytes_arg);
		if (c->place == PLACE_RETURN)
			add_def(d, group, candidate, AT_RETVAL, c->object, 0);
		return;
	}
	if (c->place == PLACE_ARGUMENT) {
		add_def(d, group, candidate, AT_ENTRY, c->object, c->arg);
		add_def(d, group, candidate, AT_RETURN, c->object, c->arg);
	} else {
		add_def(d, group, candidate, AT_RETVAL, c->object, 0);
	}
	if (c->returns_sock && c->place == PLACE_ARGUMENT)
		add_def(d, group, candidate, AT_RETVAL, OBJECT_SOCK, 0);
}

static int make_defs(struct discover_call *d, struct error *err)
{
	size_t g, c;

	d->defs = calloc(TRIAL_DEFS_MAX, sizeof(*d->defs));
	d->of = calloc(TRIAL_DEFS_MAX, sizeof(*d->of));
	if (!d->defs || !d->of)
		return error_errno(err, ENOMEM, "discover");
	/* the first ones of each operation first, should there be too many */
	for (c = 0; c < d->tried; c++)
		for (g = 0; g < d->found.nr_groups; g++)
			if (c < d->found.groups[g].nr)
				add_defs(d, g, c);
	return 0;
}

/* ---- the trial */

/* Asked to stop, it still takes its probes back. Return: a descriptor, or -1. */
static int hold_signals(sigset_t *before)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGHUP);
	sigaddset(&stop, SIGQUIT);
	sigprocmask(SIG_BLOCK, &stop, before);
	return signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* One that asked the trial to stop has been heard, and what was found is shown all the same. */
static void release_signals(int stop_fd)
{
	struct signalfd_siginfo signals[4];

	if (stop_fd < 0)
		return;
	while (read(stop_fd, signals, sizeof(signals)) > 0)
		;
	close(stop_fd);
}

static bool has_kprobe_events(const struct discover_call *d)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/kprobe_events", d->tracing_dir);
	return !access(path, F_OK) || errno != ENOENT;
}

static bool can_be_tried(struct discover_call *d)
{
	if (!d->command && !d->pid)
		snprintf(d->why, sizeof(d->why), "a recording; give it a command or -p PID, too");
	else if (d->no_trial)
		snprintf(d->why, sizeof(d->why), "as asked for");
	else if (d->question == QUESTION_DROPS || d->question == QUESTION_RETRANSMITS ||
		 d->question == QUESTION_ARG)
		snprintf(d->why, sizeof(d->why), "no socket can be asked whether this is right");
	else if (!d->found.is_running)
		snprintf(d->why, sizeof(d->why), "the recording is of another kernel");
	else if (!has_kprobe_events(d))
		snprintf(d->why, sizeof(d->why), "this kernel has no kprobe events");
	else if (!d->nr_defs)
		snprintf(d->why, sizeof(d->why), "there is no definition to try");
	else
		return true;
	return false;
}

/* That it cannot be tried is no error: what was found stands without it. */
static void try_out(struct discover_call *d, int stop_fd)
{
	struct trial_request rq = { .tracing_dir = d->tracing_dir,
				    .layout = &d->layout,
				    .command = d->command,
				    .pid = d->pid ? atoi(d->pid) : 0,
				    .seconds = d->pid || strcmp(d->seconds, SECONDS_DEFAULT) ?
						       atof(d->seconds) :
						       0,
				    .stop_fd = stop_fd };
	struct error err = { 0 };

	if (!can_be_tried(d))
		return;
	fflush(stdout);
	if (!d->quiet)
		fprintf(stderr, "skbtrail: trying %zu definitions%s\n", d->nr_defs,
			d->command ? " (the command runs again)" : "");
	rq.workload_flags = (d->keep_user ? WORKLOAD_KEEP_USER : 0) |
			    (d->json ? WORKLOAD_STDOUT_TO_STDERR : 0);
	d->was_tried = !trial_run(&rq, d->defs, d->nr_defs, &d->trial, &err);
	if (!d->was_tried)
		snprintf(d->why, sizeof(d->why), "%s", err.text);
}

/* ---- the recording */

/* "record --calls" with the command or the process: the words of its command line. */
static int record(struct discover_call *d, const char *path, struct error *err)
{
	char *argv[ARGS_MAX + 16];
	int argc = 0, i, ret;

	argv[argc++] = (char *)"record";
	argv[argc++] = (char *)"--calls";
	/* calls are what is wanted: probes for packets' paths take seconds to define */
	argv[argc++] = (char *)"--tier";
	argv[argc++] = (char *)"T0";
	argv[argc++] = (char *)"-q";
	argv[argc++] = (char *)"-o";
	argv[argc++] = (char *)path;
	if (d->keep_user)
		argv[argc++] = (char *)"--keep-user";
	if (d->pid) {
		argv[argc++] = (char *)"-p";
		argv[argc++] = (char *)d->pid;
		argv[argc++] = (char *)"-d";
		argv[argc++] = (char *)d->seconds;
	} else {
		argv[argc++] = (char *)"--";
		for (i = 0; i < d->nr_command && i < ARGS_MAX; i++)
			argv[argc++] = d->command[i];
	}
	argv[argc] = NULL;
	optind = 0; /* getopt begins anew */
	ret = cmd_record(argc, argv, err);
	return ret == CLI_OK ? 0 : -EIO;
}

static int record_and_read(struct discover_call *d, struct error *err)
{
	char path[] = "/tmp/skbtrail-discover-XXXXXX";
	int fd = mkstemp(path), ret;

	if (fd < 0)
		return error_errno(err, errno, "cannot make a file in /tmp");
	close(fd);
	ret = record(d, path, err);
	if (!ret)
		ret = discover_read(&d->found, path, d->question, d->type, d->tracing_dir, err);
	unlink(path);
	return ret;
}

/* ---- the whole */

static int learn_layout(struct discover_call *d, struct error *err)
{
	struct structs_options options = { .file = d->structs,
					   .any_kernel = !d->found.is_running,
					   .calibrate = d->found.is_running && !geteuid() ?
								STRUCTS_CALIBRATE_NEEDED :
								STRUCTS_CALIBRATE_NEVER };

	if (!d->found.is_running && !d->structs)
		return 0;
	return structs_load(&d->layout, &options, err);
}

static int show(struct discover_call *d, struct error *err)
{
	struct discover_view v = {
		.question = d->question,
		.type = d->type,
		.groups = d->found.groups,
		.nr_groups = d->found.nr_groups,
		.stats = candidates_stats(d->found.candidates),
		.lost = d->found.lost,
		.release = d->found.release,
		.machine = d->found.machine,
		.has_btf = d->found.prototypes,
		.tables_from = d->found.tables ? d->found.tables->from : NULL,
		.layout = &d->layout,
		.defs = d->defs,
		.of = d->of,
		.nr_defs = d->nr_defs,
		.trial = d->was_tried ? &d->trial : NULL,
		.why_not_tried = d->why,
		.tracing_dir = d->tracing_dir,
		.most = d->shown,
		.verbose = d->verbose,
	};
	struct strbuf out = STRBUF_INIT;
	int ret = d->json ? render_discover_json(&out, &v) : render_discover_text(&out, &v);

	if (ret)
		error_errno(err, -ret, "discover");
	else if (fwrite(out.data, 1, out.len, stdout) != out.len && errno != EPIPE)
		ret = error_errno(err, errno, "cannot write to standard output");
	strbuf_free(&out);
	return ret;
}

static int discover(struct discover_call *d, struct error *err)
{
	sigset_t before;
	int stop_fd, ret;

	if (features_find_tracefs(d->tracing_dir, sizeof(d->tracing_dir), NULL))
		d->tracing_dir[0] = '\0';
	if (d->file)
		ret = discover_read(&d->found, d->file, d->question, d->type, d->tracing_dir, err);
	else
		ret = record_and_read(d, err);
	if (!ret)
		ret = learn_layout(d, err);
	if (!ret)
		ret = make_defs(d, err);
	if (ret)
		return ret;
	stop_fd = hold_signals(&before);
	try_out(d, stop_fd);
	ret = show(d, err);
	release_signals(stop_fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

/* What this kernel says of itself, for build-aux/make-signatures. */
static int write_signatures(struct discover_call *d, struct error *err)
{
	struct prototypes *prototypes;
	struct optables *tables = NULL;
	struct strbuf out = STRBUF_INIT;
	int ret = prototypes_load(&prototypes, "");

	if (ret)
		return error_errno(err, -ret, "this kernel has no BTF");
	if (features_find_tracefs(d->tracing_dir, sizeof(d->tracing_dir), NULL))
		d->tracing_dir[0] = '\0';
	ret = optables_read(&tables, "", d->tracing_dir[0] ? d->tracing_dir : NULL, prototypes,
			    err);
	if (!ret && signatures_write(&out, prototypes, tables))
		ret = error_errno(err, ENOMEM, "discover");
	if (!ret)
		fwrite(out.data, 1, out.len, stdout);
	strbuf_free(&out);
	optables_free(tables);
	prototypes_free(prototypes);
	return ret;
}

static bool parse_count(const char *text, unsigned int *value)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*value = (unsigned int)n;
	return *text >= '0' && *text <= '9' && !*end && n >= 1 && n <= 1000;
}

static bool is_number(const char *text, bool fraction)
{
	char *end;
	double n = strtod(text, &end);

	if (end == text || *end || n <= 0 || n > 1e6)
		return false;
	return fraction || !text[strspn(text, "0123456789")];
}

static int take_option(struct discover_call *d, int c)
{
	switch (c) {
	case 'p':
		d->pid = optarg;
		return is_number(optarg, false) ? 0 : -EINVAL;
	case 'd':
		d->seconds = optarg;
		return is_number(optarg, true) ? 0 : -EINVAL;
	case 'n':
		return parse_count(optarg, &d->shown) ? 0 : -EINVAL;
	case OPT_TRY:
		return parse_count(optarg, &d->tried) ? 0 : -EINVAL;
	case OPT_NO_TRIAL:
		d->no_trial = true;
		return 0;
	case OPT_STRUCTS_FILE:
		d->structs = optarg;
		return 0;
	case OPT_KEEP_USER:
		d->keep_user = true;
		return 0;
	case OPT_SIGNATURES:
		d->signatures = true;
		return 0;
	case OPT_JSON:
		d->json = true;
		return 0;
	case 'v':
		d->verbose = true;
		return 0;
	case 'q':
		d->quiet = true;
		return 0;
	default:
		return -EINVAL;
	}
}

/* QUESTION [FILE], then perhaps a command behind --. @words: those before it, @nr of them. */
static int take_words(struct discover_call *d, char **words, int nr, struct error *err)
{
	if (!nr)
		return cli_usage(err, "discover", "no question given");
	if (question_parse(words[0], &d->question, &d->type))
		return cli_usage(err, "discover", "'%s' is no question", words[0]);
	if (nr > 2)
		return cli_usage(err, "discover", "too many words: '%s'", words[2]);
	d->file = nr == 2 ? words[1] : NULL;
	if (d->command && d->pid)
		return cli_usage(err, "discover", "a command and -p do not go together");
	if (!d->file && !d->command && !d->pid)
		return cli_usage(err, "discover", "no command, process or file given");
	return 0;
}

/* Everything behind "--" is the command, and no option is looked for there. */
static int find_command(struct discover_call *d, int argc, char **argv, struct error *err)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		if (i + 1 == argc)
			return cli_usage(err, "discover", "no command behind --");
		d->command = &argv[i + 1];
		d->nr_command = argc - i - 1;
		if (d->nr_command > ARGS_MAX)
			return cli_usage(err, "discover", "too many words in the command");
		argv[i] = NULL;
		break;
	}
	return 0;
}

int cmd_discover(int argc, char **argv, struct error *err)
{
	static const struct option longs[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "duration", required_argument, NULL, 'd' },
		{ "show", required_argument, NULL, 'n' },
		{ "try", required_argument, NULL, OPT_TRY },
		{ "no-trial", no_argument, NULL, OPT_NO_TRIAL },
		{ "structs", required_argument, NULL, OPT_STRUCTS_FILE },
		{ "keep-user", no_argument, NULL, OPT_KEEP_USER },
		{ "signatures", no_argument, NULL, OPT_SIGNATURES },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct discover_call d = { .shown = SHOWN_DEFAULT,
				   .tried = TRIED_DEFAULT,
				   .seconds = SECONDS_DEFAULT };
	int words, c, ret = find_command(&d, argc, argv, err);

	words = d.command ? argc - d.nr_command - 1 : argc;
	opterr = 0;
	while (!ret && (c = getopt_long(words, argv, ":p:d:n:vqh", longs, NULL)) >= 0) {
		if (c == 'h') {
			print_help();
			return CLI_OK;
		}
		if (take_option(&d, c))
			ret = options_bad(err, "discover", argv, c);
	}
	if (!ret && d.signatures)
		return write_signatures(&d, err) ? CLI_FAILURE : CLI_OK;
	if (!ret)
		ret = take_words(&d, argv + optind, words - optind, err);
	if (!ret)
		ret = discover(&d, err) ? CLI_FAILURE : CLI_OK;
	free(d.defs);
	free(d.of);
	discover_file_free(&d.found);
	return ret;
}
