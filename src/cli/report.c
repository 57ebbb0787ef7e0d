// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail report: the paths in recorded trace.dat files.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/metadata.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/report_flow.h"
#include "trace/datfile.h"

static void print_help(void)
{
	puts("Usage: skbtrail report [options] FILE...\n"
	     "Show the paths of the packets in trace.dat files, recorded by skbtrail or\n"
	     "trace-cmd on this or any other machine. FILE may be - for standard input.\n\n" SELECT_FILTER_HELP
		     SELECT_OPTIONS_HELP SELECT_ENDS_HELP OUTPUT_OPTIONS_HELP
	     "      --flow N        only packets of socket N of 'skbtrail flows FILE --json'\n"
	     "  -h, --help          this text\n\n"
	     "Examples:\n"
	     "  skbtrail report trace.dat\n"
	     "  skbtrail report -f 'icmp and host 10.0.2.2' trace.dat\n"
	     "  skbtrail report -i eth0 --brief --dropped trace.dat\n"
	     "  skbtrail report --json trace.dat | jq '.end.state // empty' | sort | uniq -c\n"
	     "  skbtrail report --flow 12 trace.dat\n"
	     "  ssh box skbtrail record -d 5 -o - | skbtrail report -\n");
}

static int add_format(void *ctx, const char *system, const char *text, size_t len,
		      struct error *err)
{
	return pipeline_add_format(ctx, system, text, len, err);
}

/* Kernel symbols are megabytes of text: read while the first records are worked on already. */
struct symbol_loader {
	struct datfile *df;
	struct strbuf text;
	pthread_t thread;
	bool running;
};

static void *read_symbols(void *arg)
{
	struct symbol_loader *loader = arg;

	datfile_read_kallsyms(loader->df, &loader->text, NULL);
	return NULL;
}

static void wait_for_symbols(struct symbol_loader *loader)
{
	if (loader->running)
		pthread_join(loader->thread, NULL);
	loader->running = false;
}

static int load_symbols(struct pipeline *p, void *ctx)
{
	struct symbol_loader *loader = ctx;

	wait_for_symbols(loader);
	p->symbols.text = loader->text;
	loader->text = (struct strbuf)STRBUF_INIT;
	return 0;
}

static void start_symbols(struct symbol_loader *loader, struct datfile *df)
{
	loader->df = df;
	loader->running = !pthread_create(&loader->thread, NULL, read_symbols, loader);
	if (!loader->running)
		read_symbols(loader);
}

/* It may come from a stranger, so nothing is done with it: a name in it would be looked up. */
static void tell_filter(const struct metadata *meta)
{
	struct strbuf sb = STRBUF_INIT;

	if (!meta->filter[0])
		return;
	strbuf_put_escaped(&sb, meta->filter, strlen(meta->filter));
	fprintf(stderr,
		"skbtrail: recorded with the filter '%s': packets that do not match it are missing, "
		"or not shown whole (-f to leave them out)\n",
		strbuf_cstr(&sb));
	strbuf_free(&sb);
}

/* Without them, or when they are damaged, the names of functions have to do. */
static int add_tables(struct callsink *calls, const char *meta)
{
	struct optables *tables;
	struct error err = { 0 };
	int ret = metadata_tables(meta, &tables, &err);

	if (!ret && tables)
		ret = callsink_add_tables(calls, tables);
	optables_free(tables);
	return ret == -ENOMEM ? ret : 0;
}

/* What skbtrail stored beside the records. */
static int read_metadata(struct pipeline *p, struct datfile *df, struct error *err)
{
	struct metadata meta;
	int ret;

	if (!df->meta.len)
		return 0;
	ret = metadata_read(&meta, strbuf_cstr(&df->meta), err);
	if (ret) {
		error_prepend(err, "%s: ", df->path);
		return ret;
	}
	p->snapshot = meta.netns;
	p->cost = meta.cost;
	if (!p->options.quiet)
		tell_filter(&meta);
	p->schema.tapped = meta.tap;
	p->stacks = meta.stacks;
	if (p->calls && add_tables(p->calls, strbuf_cstr(&df->meta)))
		return error_errno(err, ENOMEM, "%s", df->path);
	if (!p->options.select.dev && meta.device[0]) {
		snprintf(p->recorded_dev, sizeof(p->recorded_dev), "%s", meta.device);
		p->options.select.dev = p->recorded_dev;
	}
	return 0;
}

static int read_names(struct pipeline *p, struct datfile *df, struct error *err)
{
	struct strbuf cmdlines = STRBUF_INIT;
	int ret;

	ret = read_metadata(p, df, err);
	if (!ret)
		ret = datfile_each_format(df, add_format, p, err);
	if (!ret)
		ret = datfile_each_ftrace_format(df, add_format, p, err);
	if (!ret)
		ret = datfile_read_cmdlines(df, &cmdlines, err);
	if (!ret && comms_add_text(&p->comms, cmdlines.data, cmdlines.len))
		ret = error_errno(err, ENOMEM, "%s", df->path);
	strbuf_free(&cmdlines);
	return ret;
}

static void tell_hint(const struct datfile *df, const struct pipeline *p)
{
	const char *hint = callsink_hint(p->calls);

	if (hint && !p->options.quiet)
		fprintf(stderr, "skbtrail: %s: %s\n", df->path, hint);
}

static int show_totals(struct pipeline *p, const struct stream *s)
{
	pipeline_summary(p, &s->stats, 0);
	return pipeline_totals(p, s, 0, 0, 0);
}

/* One buffer: records of another instance tell of the same packets again, so each has its own run. */
static int report_buffer(void *ctx, struct datfile *df, const struct datfile_buffer *buffer,
			 struct error *err)
{
	const struct output_options *options = ctx;
	struct symbol_loader symbols = { 0 };
	struct stream *s = NULL;
	struct pipeline p;
	int totals = 0;
	int ret;

	ret = pipeline_init(&p, options, df->big_endian, df->layout.commit_size, err);
	if (ret)
		return ret;
	p.cut_off = df->unfinished || df->cut_off;
	start_symbols(&symbols, df);
	p.load_symbols = load_symbols;
	p.load_ctx = &symbols;
	p.progress = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO) && !options->quiet;
	ret = read_names(&p, df, err);
	if (!ret)
		ret = pipeline_start(&p, err);
	if (!ret)
		ret = stream_file(&s, df, buffer, err);
	if (ret)
		goto out;
	if (df->nr_buffers > 1 && s->key[s->best] != STREAM_NONE && !options->quiet)
		fprintf(stderr, "skbtrail: %s: buffer %s%s%s\n", df->path, *buffer->name ? "'" : "",
			*buffer->name ? buffer->name : "top level", *buffer->name ? "'" : "");
	pipeline_clock(&p, buffer->clock, s->tsc);
	ret = pipeline_run_all(&p, s, err);
	if (!ret)
		ret = pipeline_finish(&p);
	if (ret == -EPIPE)
		error_set(err, EPIPE, "%s", "");
	else if (ret && !err->text[0])
		error_errno(err, -ret, "cannot write to standard output");
	else if (!ret && s->error)
		ret = report_damaged(df, s, err);
	if (ret != -EPIPE && s->stats.records)
		totals = show_totals(&p, s);
	if (!ret && totals)
		ret = error_errno(err, -totals, "cannot write to standard output");
	if (!ret && p.calls)
		tell_hint(df, &p);
	else if (!ret && s->stats.records && !paths_stats(p.paths)->packets && !options->quiet)
		fprintf(stderr,
			"skbtrail: %s: no event in it tells of a packet on a device; such are "
			"recorded by 'skbtrail record' or 'trace-cmd record -e net -e skb'\n",
			df->path);
	stream_close(s);
out:
	wait_for_symbols(&symbols);
	strbuf_free(&symbols.text);
	pipeline_free(&p);
	return ret;
}

int report_each_buffer(const char *path, bool quiet, report_buffer_fn fn, void *ctx,
		       struct error *err)
{
	struct datfile *df;
	int ret;
	u32 i;

	ret = datfile_open(&df, path, err);
	if (ret)
		return ret;
	if (df->unfinished && !quiet)
		fprintf(stderr,
			"skbtrail: %s: the recording was not finished; showing what is "
			"there\n",
			df->path);
	for (i = 0; i < df->nr_buffers && !ret; i++)
		ret = fn(ctx, df, &df->buffers[i], err);
	if (!ret && df->cut_off && !df->unfinished)
		ret = error_set(err, EBADMSG,
				"%s: cut off: holds %llu bytes and should hold more; "
				"what is there is shown",
				df->path, (unsigned long long)df->size_bytes);
	datfile_close(df);
	return ret;
}

int report_damaged(const struct datfile *df, const struct stream *s, struct error *err)
{
	return error_set(err, -s->error,
			 "%s: damaged or cut off: ring-buffer data; what came before is shown",
			 df->path);
}

int report_file(const char *path, const struct output_options *options, struct error *err)
{
	return report_each_buffer(path, options->quiet, report_buffer, (void *)(uintptr_t)options,
				  err);
}

enum {
	OPT_FLOW = 1024,
};

static int take_flow(const char *arg, u64 *flow)
{
	char *end;

	errno = 0;
	*flow = strtoull(arg, &end, 10);
	return errno || *end || *arg < '0' || *arg > '9' || !*flow ? -EINVAL : 0;
}

/* The one file with the packets of a socket. */
static int report_one_flow(const char *path, u64 flow, struct output_options *options,
			   struct error *err)
{
	struct strbuf filter = STRBUF_INIT;
	int ret = report_flow(path, flow, &options->select, &filter, err);

	if (!ret)
		ret = report_file(path, options, err);
	strbuf_free(&filter);
	return ret;
}

int cmd_report(int argc, char **argv, struct error *err)
{
	static const struct option longs[] = { OUTPUT_LONG_OPTIONS,
					       { "flow", required_argument, NULL, OPT_FLOW },
					       { "help", 0, NULL, 'h' },
					       { 0 } };
	struct output_options options = { 0 };
	u64 flow = 0;
	int c, i, ret = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":" OUTPUT_SHORT_OPTIONS "h", longs, NULL)) >= 0) {
		if (c == 'h') {
			print_help();
			return CLI_OK;
		}
		if (c == OPT_FLOW ? take_flow(optarg, &flow) : output_option(&options, c, optarg))
			return options_bad(err, "report", argv, c);
	}
	if (optind == argc)
		return cli_usage(err, "report", "no file given");
	if (flow && (argc - optind > 1 || !strcmp(argv[optind], "-")))
		return cli_usage(err, "report", "--flow is of one file, which is read twice");
	for (i = optind; i < argc && !ret; i++)
		ret = flow ? report_one_flow(argv[i], flow, &options, err) :
			     report_file(argv[i], &options, err);
	return ret == -EPIPE ? (err->text[0] = 0, CLI_OK) : ret ? CLI_FAILURE : CLI_OK;
}
