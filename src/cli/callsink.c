// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records -> call graph -> merged trees -> text, one stage after the other, no stage knows where records come from.
 */
#include "cli/callsink.h"

#include <errno.h>
#include <stdlib.h>

#include "decode/sockrec.h"

/* Text is for reading: what takes less than a five-hundredth of a tree's time is a number at the end. */
#define LEAST_PART 500

struct callsink {
	struct callsink_setup setup;
	const struct calls_options *options;
	struct graph_formats formats;
	struct sock_formats socks;
	struct callfuncs *funcs;
	struct callgraph *graph;
	struct calltree *tree;
	struct strbuf out; /* of calls that were shown one by one */
	u64 named;	   /* functions that have a name */
	int error;
};

static const char *name_of(void *ctx, u64 func, size_t *len)
{
	struct callsink *s = ctx;
	const char *name = s->setup.name(s->setup.ctx, func, len);

	s->named += name != NULL;
	return name;
}

/* The entry of a system call: where a tree begins, unless the user named other functions. */
static const char *root_name(void *ctx, u64 func)
{
	const struct callsink *s = ctx;

	return callfuncs_root(s->funcs, func);
}

static void render(struct callsink *s, struct strbuf *out, const u64 *args)
{
	struct calls_view view = {
		.tree = s->tree,
		.funcs = s->funcs,
		.names = s->setup.names,
		.style = s->setup.style,
		.max_depth = s->options->depth,
		.min_ns = s->options->min_ns,
		.min_part = s->options->format == CALLS_TEXT && !s->options->has_min &&
					    !s->options->full ?
				    LEAST_PART :
				    0,
		.per_call = s->options->per_call,
		.args = args,
	};

	switch (s->options->format) {
	case CALLS_TEXT:
		render_calls_text(out, &view);
		break;
	case CALLS_JSON:
		render_calls_json(out, &view);
		break;
	case CALLS_DOT:
		render_calls_dot(out, &view);
		break;
	case CALLS_FOLDED:
		render_calls_folded(out, &view);
		break;
	}
}

static void take_call(void *ctx, const struct graph_call *call)
{
	struct callsink *s = ctx;

	if (s->options->pid && call->pid != s->options->pid)
		return;
	if (calltree_add(s->tree, call))
		s->error = -ENOMEM;
	if (!s->options->per_call)
		return;
	render(s, &s->out, call->args);
	calltree_clear(s->tree);
}

static int make_stages(struct callsink *s, struct error *err)
{
	const struct calls_options *o = s->options;
	struct callfuncs_options funcs = { .name = name_of, .ctx = s, .wanted = o->root };
	struct callgraph_options graph = { .call_done = take_call,
					   .root_name = root_name,
					   .ctx = s,
					   .every_root = o->all || o->root };
	struct calltree_options tree = { .full = o->full,
					 .all = o->all,
					 .by_root = o->root,
					 .in_order = o->per_call,
					 .keep_args = o->per_call };
	int ret;

	ret = callfuncs_new(&s->funcs, &funcs, err);
	if (!ret)
		ret = callgraph_new(&s->graph, &graph, err);
	tree.funcs = s->funcs;
	return ret ? ret : calltree_new(&s->tree, &tree, err);
}

int callsink_new(struct callsink **out, const struct callsink_setup *setup, struct error *err)
{
	struct callsink *s = calloc(1, sizeof(*s));
	int ret;

	*out = s;
	if (!s)
		return error_errno(err, ENOMEM, "cannot prepare the calls");
	s->setup = *setup;
	s->options = setup->options;
	graph_formats_init(&s->formats, setup->big_endian, setup->long_size);
	s->socks.swap = s->formats.swap;
	ret = make_stages(s, err);
	if (ret) {
		callsink_free(s);
		*out = NULL;
	}
	return ret;
}

void callsink_free(struct callsink *s)
{
	if (!s)
		return;
	callgraph_free(s->graph);
	calltree_free(s->tree);
	callfuncs_free(s->funcs);
	strbuf_free(&s->out);
	free(s);
}

void callsink_add_format(struct callsink *s, const char *system, const char *text, size_t len)
{
	graph_formats_add(&s->formats, system, text, len);
	sock_formats_add(&s->socks, system, text, len);
}

int callsink_add_tables(struct callsink *s, const struct optables *tables)
{
	const struct optable *t, *end = tables->table + tables->nr;
	size_t i;

	for (t = tables->table; t < end; t++)
		for (i = 0; i < t->nr_slots; i++)
			if (callfuncs_add_table(s->funcs, t->name, t->slots[i].function))
				return -ENOMEM;
	return 0;
}

static void take_socket(struct callsink *s, const struct record *rec)
{
	struct sock_record sock;
	struct call_note note = { .ts_ns = rec->ts_ns };

	if (!sock_decode(&s->socks, rec->id, rec->data, rec->len_bytes, &sock))
		return;
	note.family = sock.family;
	note.protocol = sock.protocol;
	note.context = sock.context;
	callgraph_note(s->graph, sock.pid, rec->cpu, &note);
}

bool callsink_record(struct callsink *s, const struct record *rec)
{
	struct graph_record graph;

	if (likely(graph_decode(&s->formats, rec->id, rec->data, rec->len_bytes, &graph))) {
		graph.ts_ns = rec->ts_ns;
		graph.cpu = rec->cpu;
		if (unlikely(callgraph_record(s->graph, &graph)))
			s->error = -ENOMEM;
		return true;
	}
	/* What tells of an skb, too, goes on. */
	if (s->socks.nr)
		take_socket(s, rec);
	return false;
}

void callsink_event(struct callsink *s, const struct event *ev, u64 packet)
{
	struct call_note note = { .ts_ns = ev->ts_ns,
				  .skb = ev->skb,
				  .packet = packet,
				  .type = ev->type,
				  .dev = ev->dev,
				  .kind = ev->kind,
				  .context = ev->context & (EVENT_IN_HARDIRQ | EVENT_IN_SOFTIRQ) };

	/* These are part of other events, or of none. */
	if (!ev->skb || ev->kind == EVENT_HEADERS || ev->kind == EVENT_RETURN ||
	    ev->kind == EVENT_FRAME)
		return;
	if (callgraph_note(s->graph, ev->pid, ev->cpu, &note))
		s->error = -ENOMEM;
}

void callsink_lost(struct callsink *s, u16 cpu)
{
	callgraph_lost(s->graph, cpu);
}

int callsink_take(struct callsink *s, struct strbuf *out, bool end)
{
	if (end) {
		callgraph_finish(s->graph);
		if (!s->options->per_call)
			render(s, &s->out, NULL);
	}
	if (s->out.len)
		strbuf_put(out, s->out.data, s->out.len);
	s->out.len = 0;
	return s->out.failed ? -ENOMEM : s->error;
}

static void append_count(struct strbuf *sb, u64 count, const char *what)
{
	if (count)
		strbuf_printf(sb, ", %llu %s", (unsigned long long)count, what);
}

void callsink_summary(const struct callsink *s, struct strbuf *sb)
{
	const struct callgraph_stats *gs = callgraph_stats(s->graph);
	const struct calltree_stats *ts = calltree_stats(s->tree);

	strbuf_printf(sb, "%llu call%s shown", (unsigned long long)ts->shown,
		      ts->shown == 1 ? "" : "s");
	append_count(sb, ts->other_calls, "not about sockets");
	append_count(sb, gs->orphans, "returns without their entry");
	append_count(sb, gs->open, "functions still running");
	append_count(sb, gs->no_exit, "whose return is missing");
	append_count(sb, gs->truncated + gs->too_deep + gs->evicted + ts->refused,
		     "beyond what is kept");
	append_count(sb, s->formats.short_records, "too short");
}

const char *callsink_hint(const struct callsink *s)
{
	const struct callgraph_stats *gs = callgraph_stats(s->graph);
	const struct calltree_stats *ts = calltree_stats(s->tree);

	if (ts->shown)
		return NULL;
	if (!gs->entries && !gs->exits)
		return "no record in it is one of function_graph; such are recorded by "
		       "'trace-cmd record -p function_graph'";
	if (gs->calls && !s->named)
		return "it has no names of functions (kernel.kptr_restrict hides them), and without "
		       "them no system call is known";
	if (s->options->pid)
		return "the task made no call that was asked for";
	if (s->options->root)
		return "no function that matches --root was called";
	if (ts->calls)
		return "no system call in it is about a socket; --all shows the others";
	return "no system call in it was recorded from its beginning; --root FUNCTION begins trees "
	       "elsewhere, --all shows everything";
}
