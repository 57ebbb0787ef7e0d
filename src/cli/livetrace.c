// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The live loop. It runs in rounds of a tenth of a second: a record is shown once it is older than
 * everything seen in the round before, because by then no CPU can come up with an earlier one.
 */
#include "cli/livetrace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROUND_MS 100
#define MAX_FORMAT_BYTES (1u << 20)

static int load_symbols(struct pipeline *p, void *ctx)
{
	(void)ctx;
	return strbuf_read_file(&p->symbols.text, "/proc/kallsyms", 256u << 20);
}

/* The format file of "system:name". */
static int format_text(const struct plan *plan, const char *event, struct strbuf *text)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/events/%.*s/%s/format", plan->tracing_dir,
		 (int)strcspn(event, ":"), event, strchr(event, ':') + 1);
	text->len = 0;
	return strbuf_read_file(text, path, MAX_FORMAT_BYTES);
}

int live_formats(const struct plan *plan, live_format take, void *ctx, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	char system[128];
	size_t i;
	int ret = 0;

	for (i = 0; i < plan->event_count && !ret; i++) {
		const char *event = plan->events[i];

		snprintf(system, sizeof(system), "%.*s", (int)strcspn(event, ":"), event);
		ret = format_text(plan, event, &text);
		ret = ret ? error_errno(err, -ret, "cannot read the format of %s", event) :
			    take(ctx, system, &text, err);
	}
	strbuf_free(&text);
	return ret;
}

static int add_format(void *ctx, const char *system, const struct strbuf *text, struct error *err)
{
	return pipeline_add_format(ctx, system, text->data, text->len, err);
}

static int add_graph_formats(struct pipeline *p, const struct plan *plan, struct strbuf *text,
			     struct error *err)
{
	static const char *const events[] = { GRAPH_SYSTEM ":funcgraph_entry",
					      GRAPH_SYSTEM ":funcgraph_retaddr_entry",
					      GRAPH_SYSTEM ":funcgraph_exit",
					      GRAPH_SYSTEM ":kernel_stack" };
	size_t i;
	int ret = 0;

	/* not every kernel has all of them */
	for (i = 0; !ret && i < ARRAY_SIZE(events); i++)
		if (!format_text(plan, events[i], text))
			ret = add_format(p, GRAPH_SYSTEM, text, err);
	return ret;
}

int live_tap_format(const struct plan *plan, live_format take, void *ctx, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret = format_text(plan, "ftrace:raw_data", &text);

	ret = ret ? error_errno(err, -ret, "--tap: cannot read the format of ftrace:raw_data") :
		    take(ctx, "ftrace", &text, err);
	strbuf_free(&text);
	return ret;
}

static int add_frames(void *ctx, const char *system, const struct strbuf *text, struct error *err)
{
	struct pipeline *p = ctx;

	return schema_add_format(&p->schema, system, text->data, text->len, err);
}

static int add_formats(struct pipeline *p, const struct capture *c, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret = live_formats(&c->plan, add_format, p, err);

	if (!ret)
		ret = add_graph_formats(p, &c->plan, &text, err);
	if (!ret && p->schema.tapped)
		ret = live_tap_format(&c->plan, add_frames, p, err);
	strbuf_free(&text);
	return ret;
}

int live_pipeline(struct pipeline *p, struct capture *c, struct netns_snapshot *snapshot,
		  struct error *err)
{
	int ret;

	ret = pipeline_init(p, &c->options->output, HOST_BIG_ENDIAN, sizeof(long), err);
	if (ret) {
		netns_snapshot_free(snapshot);
		return ret;
	}
	p->snapshot = snapshot;
	p->live = true;
	snprintf(p->cmdlines_path, sizeof(p->cmdlines_path), "%s/saved_cmdlines",
		 c->plan.tracing_dir);
	p->load_symbols = load_symbols;
	p->schema.tapped = c->tap != NULL;
	ret = add_formats(p, c, err);
	if (!ret && p->calls && c->tables && callsink_add_tables(p->calls, c->tables))
		ret = error_errno(err, ENOMEM, "cannot take in the operations tables");
	return ret ? ret : pipeline_start(p, err);
}

/* One round: take in what is surely complete. */
static int run_round(struct pipeline *p, struct stream *s, u64 limit)
{
	int ret;

	stream_resume(s);
	ret = pipeline_run(p, s, limit);
	if (!ret && limit && limit != STREAM_NO_LIMIT)
		pipeline_tick(p, limit);
	return ret ? ret : pipeline_flush(p);
}

/* Tracing is off: read until the buffers are empty. */
static int run_rest(struct pipeline *p, struct stream *s)
{
	u64 before;
	int ret;

	do {
		before = s->stats.records;
		ret = run_round(p, s, STREAM_NO_LIMIT);
	} while (!ret && s->stats.records != before);
	return ret ? ret : pipeline_finish(p);
}

static int run_rounds(struct pipeline *p, struct capture *c, struct stream *s, struct error *err)
{
	int go, ret;

	do {
		u64 limit = s->newest;

		go = capture_wait(c, ROUND_MS, err);
		if (go < 0)
			return go;
		ret = run_round(p, s, limit);
		if (ret)
			return ret;
		if (s->error)
			return error_errno(err, -s->error, "cannot read the buffers");
	} while (go);
	return 0;
}

static int show_end(struct pipeline *p, struct stream *s, struct capture *c)
{
	u64 lost = capture_lost(c);

	pipeline_summary(p, &s->stats, lost);
	capture_tell_missed(c);
	capture_tell_tap(c);
	p->cost = c->cost;
	return pipeline_totals(p, s, lost, capture_time_ns(c), capture_own_cpu_ns(c));
}

int live_stream(struct stream **out, const struct capture *c, struct error *err)
{
	struct feeder *feeder;
	int ret = live_feeder(&feeder, c->live, err);

	return ret ? ret : stream_open(out, feeder, live_layout(c->live), err);
}

int live_trace(struct pipeline *p, struct capture *c, struct error *err)
{
	struct stream *s;
	int ret = live_stream(&s, c, err);

	if (ret)
		return ret;
	pipeline_clock(p, c->plan.clock, false);
	ret = capture_start(c, err);
	if (!ret)
		ret = run_rounds(p, c, s, err);
	if (!ret)
		ret = capture_stop(c, err);
	if (!ret)
		ret = run_rest(p, s);
	if (!ret)
		ret = show_end(p, s, c);
	if (ret == -EPIPE)
		ret = 0;
	else if (ret && !err->text[0])
		error_errno(err, -ret, "cannot write to standard output");
	stream_close(s);
	return ret;
}

int live_session(struct capture *c, const char *doing, struct error *err)
{
	struct netns_snapshot *snapshot = NULL;
	struct pipeline p = { 0 };
	int ret;

	ret = capture_open(c, err);
	if (!ret)
		ret = netns_snapshot_take(&snapshot, err);
	if (ret)
		return ret;
	ret = capture_device(c, snapshot, err);
	if (ret) {
		netns_snapshot_free(snapshot);
		return ret;
	}
	ret = live_pipeline(&p, c, snapshot, err);
	if (!ret) {
		capture_announce(c, doing);
		ret = live_trace(&p, c, err);
	}
	pipeline_free(&p);
	return ret;
}
