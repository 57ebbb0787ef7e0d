// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail flows FILE: the same stages, with what record --flows stored beside the records.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/flows_cmd.h"
#include "cli/metadata.h"
#include "cli/report.h"

static int add_format(void *ctx, const char *system, const char *text, size_t len,
		      struct error *err)
{
	return flowsink_add_format(ctx, system, text, len, err);
}

static int add_comms(struct flowsink *sink, struct datfile *df, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret = datfile_read_cmdlines(df, &text, err);

	if (!ret && comms_add_text(&sink->comms, text.data, text.len))
		ret = error_errno(err, ENOMEM, "%s", df->path);
	strbuf_free(&text);
	return ret;
}

/* Of which clock their times are only counts where it is the records', too; else all are taken for older than these. */
static void add_waiting(struct flowsink *sink, struct metadata_flows *meta,
			const struct datfile *df, const char *clock)
{
	bool same = clock && !strcmp(clock, "mono") && !df->ts_offset;
	size_t i;

	for (i = 0; i < meta->waiting.nr && !same; i++)
		meta->waiting.call[i].at_ns = 0;
	flowsink_waiting(sink, &meta->waiting);
}

/* Before tracing started, on a clock that need not be the records'. */
static int add_inventory(struct flowsink *sink, const struct metadata_flows *meta)
{
	return meta->has_inventory ? flowsink_inventory(sink, &meta->inventory, meta->taken_ns) : 0;
}

static int read_meta(struct flowsink *sink, struct datfile *df, struct metadata_flows *flows,
		     struct error *err)
{
	struct metadata meta;
	int ret;

	if (!df->meta.len)
		return 0;
	ret = metadata_read(&meta, strbuf_cstr(&df->meta), err);
	if (ret)
		return ret;
	flowsink_netns(sink, meta.netns);
	ret = metadata_read_flows(flows, strbuf_cstr(&df->meta), err);
	if (ret)
		return ret;
	sink->tasks = flows->tasks;
	memset(&flows->tasks, 0, sizeof(flows->tasks));
	if (!sink->o.pid)
		sink->o.pid = flows->pid;
	sink->o.no_bytes = flows->no_bytes;
	sink->o.from_packets = flows->no_bytes && meta.tap;
	return 0;
}

/* No kind of event but of packets, or of bytes that nobody says whose they are. */
static int check_formats(const struct flowsink *sink, const struct datfile *df, struct error *err)
{
	if (sink->schema.nr > 1)
		return 0;
	return error_set(
		err, ENODATA,
		"%s: no event in it tells of sockets; such are recorded by 'skbtrail record "
		"--flows'",
		df->path);
}

static int prepare(struct flowsink *sink, struct datfile *df, const char *clock, struct error *err)
{
	struct metadata_flows flows = { 0 };
	int ret = read_meta(sink, df, &flows, err);

	if (!ret)
		ret = datfile_each_format(df, add_format, sink, err);
	if (!ret && sink->o.from_packets)
		ret = datfile_each_ftrace_format(df, add_format, sink, err);
	if (!ret)
		ret = check_formats(sink, df, err);
	if (!ret)
		ret = add_comms(sink, df, err);
	if (!ret)
		ret = flowsink_start(sink, err);
	if (!ret)
		ret = add_inventory(sink, &flows);
	if (!ret)
		add_waiting(sink, &flows, df, clock);
	if (!ret && !flows.has_inventory && !sink->o.quiet)
		fprintf(stderr,
			"skbtrail: %s: no inventory of sockets in it: what was open before is known "
			"only as far as its events tell\n",
			df->path);
	metadata_flows_free(&flows);
	return ret;
}

static int run_buffer(void *ctx, struct datfile *df, const struct datfile_buffer *buffer,
		      struct error *err)
{
	const struct flowsink_options *options = ctx;
	struct flowsink sink;
	struct stream *s = NULL;
	int ret;

	ret = flowsink_init(&sink, options, df->big_endian, df->long_size, err);
	if (!ret)
		ret = prepare(&sink, df, buffer->clock, err);
	if (!ret)
		ret = stream_file(&s, df, buffer, err);
	if (!ret && s->key[s->best] != STREAM_NONE) {
		ret = flowsink_run(&sink, s, STREAM_NO_LIMIT);
		/* of time that was not asked for nothing is shown */
		if (!ret)
			ret = flowsink_end(&sink, s->newest);
		if (ret >= 0) {
			flowsink_tell(&sink, s, 0, 0);
			ret = 0;
		}
		if (!ret && s->error)
			ret = error_set(
				err, -s->error,
				"%s: damaged or cut off: ring-buffer data; what came before "
				"is shown",
				df->path);
	}
	if (ret && ret != -EPIPE && !err->text[0])
		error_errno(err, -ret, "cannot show the flows");
	if (s)
		stream_close(s);
	flowsink_free(&sink);
	return ret;
}

int flows_file_run(const char *path, const struct flowsink_options *options, struct error *err)
{
	return report_each_buffer(path, options->quiet, run_buffer, (void *)(uintptr_t)options,
				  err);
}

int flows_file(struct flows_command *cmd, struct error *err)
{
	int ret = flows_file_run(cmd->file, &cmd->sink, err);

	if (ret == -EPIPE) {
		err->text[0] = 0;
		ret = 0;
	}
	return ret ? CLI_FAILURE : CLI_OK;
}
