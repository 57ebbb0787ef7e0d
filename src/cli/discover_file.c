// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading a recording for "discover": see discover_file.h.
 *
 * Types and tables are of the kernel that was recorded: those in the recording, or the running kernel's if
 * that is the same release; else only what is known of other kernels.
 */
#include "cli/discover_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "analysis/callgraph.h"
#include "capture/graph.h"
#include "cli/metadata.h"
#include "decode/graphrec.h"
#include "trace/datfile.h"
#include "trace/stream.h"

#define NAME_MAX_BYTES 128
#define KALLSYMS_MAX (256U << 20)
/* Which of system tcp's events tell of a segment that is sent again. */
#define RETRANSMIT_SYSTEM "tcp:"
#define RETRANSMIT_WORD "retransmit_skb"

struct reading {
	struct discover_file *out;
	struct datfile *df;
	struct callgraph *graph;
	struct graph_formats formats;
	const char *tracing_dir;
	int ret;
};

/* ---- names */

static const char *function_name(void *ctx, u64 func, size_t *len)
{
	struct discover_file *d = ctx;
	const char *name;
	u64 offset;

	name = symbols_find(&d->symbols, func, &offset, len);
	/* in the middle of another one: a function whose symbol is not there */
	return offset > 64 ? NULL : name;
}

/* A system call's name that lives as long as @d. */
static const char *keep_name(struct discover_file *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->nr_names; i++)
		if (!strcmp(d->names[i], name))
			return d->names[i];
	if (d->nr_names == DISCOVER_NAMES)
		return NULL;
	d->names[d->nr_names] = strdup(name);
	return d->names[d->nr_names] ? d->names[d->nr_names++] : NULL;
}

static const char *root_name(void *ctx, u64 func)
{
	struct reading *r = ctx;
	char name[NAME_MAX_BYTES];
	const char *found, *syscall;
	size_t len;

	found = function_name(r->out, func, &len);
	if (!found || len >= sizeof(name))
		return NULL;
	memcpy(name, found, len);
	name[len] = '\0';
	syscall = graph_syscall(name);
	if (!syscall)
		return NULL;
	/* those that are of no socket are roots all the same; one name does for them */
	return keep_name(r->out,
			 operation_of_syscall(syscall) == OPERATION_NONE ? "(other)" : syscall);
}

static bool is_wanted(void *ctx, const struct call_note *note)
{
	struct discover_file *d = ctx;
	const char *title;

	if (d->question == QUESTION_DROPS)
		return note->kind == EVENT_DROP;
	title = note->type < d->schema.nr_types ? d->schema.types[note->type].title : NULL;
	return title && !strncmp(title, RETRANSMIT_SYSTEM, strlen(RETRANSMIT_SYSTEM)) &&
	       strstr(title, RETRANSMIT_WORD);
}

static void call_done(void *ctx, const struct graph_call *call)
{
	struct reading *r = ctx;

	if (!r->ret)
		r->ret = candidates_call(r->out->candidates, call);
}

/* ---- records */

static int add_graph_format(void *ctx, const char *system, const char *text, size_t len,
			    struct error *err)
{
	(void)err;
	graph_formats_add(ctx, system, text, len);
	return 0;
}

static int add_format(void *ctx, const char *system, const char *text, size_t len,
		      struct error *err)
{
	return schema_add_format(ctx, system, text, len, err);
}

static int take_event(struct reading *r, const struct record *rec)
{
	struct call_note note = { 0 };
	struct skb_facts facts;
	struct event ev;

	if (!schema_decode(&r->out->schema, rec->id, rec->data, rec->len_bytes, &ev, &facts))
		return 0;
	note.ts_ns = rec->ts_ns;
	note.skb = ev.skb;
	note.type = ev.type;
	note.kind = ev.kind;
	note.context = ev.context;
	return callgraph_note(r->graph, ev.pid, rec->cpu, &note);
}

static int take_record(struct reading *r, const struct record *rec)
{
	struct graph_record gr;

	if (!graph_decode(&r->formats, rec->id, rec->data, rec->len_bytes, &gr))
		return take_event(r, rec);
	gr.ts_ns = rec->ts_ns;
	gr.cpu = rec->cpu;
	r->out->records++;
	return callgraph_record(r->graph, &gr);
}

static int run(struct reading *r, struct stream *s)
{
	const struct record *rec;
	int ret = 0;
	u32 i;

	while (!ret && !r->ret && (rec = stream_next(s, STREAM_NO_LIMIT))) {
		for (i = 0; i < s->nr_losses; i++)
			callgraph_lost(r->graph, s->loss[i].cpu);
		s->nr_losses = 0;
		ret = take_record(r, rec);
	}
	if (!ret)
		ret = callgraph_finish(r->graph);
	r->out->lost += s->stats.lost + s->stats.lost_uncounted;
	return ret ? ret : r->ret;
}

static int read_buffer(struct reading *r, const struct datfile_buffer *buffer, struct error *err)
{
	struct callgraph_options options = {
		.call_done = call_done,
		.root_name = root_name,
		.ctx = r,
		.every_root = r->out->question == QUESTION_DROPS ||
			      r->out->question == QUESTION_RETRANSMITS,
	};
	struct stream *s;
	int ret;

	ret = callgraph_new(&r->graph, &options, err);
	if (ret)
		return ret;
	ret = stream_file(&s, r->df, buffer, err);
	if (!ret) {
		ret = run(r, s);
		if (ret)
			error_errno(err, -ret, "%s", r->df->path);
		stream_close(s);
	}
	callgraph_free(r->graph);
	return ret;
}

/* ---- whose kernel */

static void read_kernel(struct discover_file *d, const struct datfile *df)
{
	struct utsname here;

	if (!df->uname || sscanf(df->uname, "%*s %*s %127s %31s", d->release, d->machine) < 1)
		return;
	d->is_running = !uname(&here) && !strcmp(here.release, d->release);
}

/* Not knowing them is no error: slots are then as on other kernels, which is said. */
static void read_running_tables(struct discover_file *d, const char *tracing_dir)
{
	struct error ignored = { 0 };

	if (!d->tables && d->is_running)
		optables_read(&d->tables, "", tracing_dir && *tracing_dir ? tracing_dir : NULL,
			      d->prototypes, &ignored);
}

static int prepare(struct reading *r, struct error *err)
{
	struct discover_file *d = r->out;
	int ret;

	read_kernel(d, r->df);
	ret = r->df->meta.len ? metadata_tables(strbuf_cstr(&r->df->meta), &d->tables, err) : 0;
	if (!ret && d->is_running && prototypes_load(&d->prototypes, "") == -ENOMEM)
		ret = error_errno(err, ENOMEM, "types of the kernel");
	if (!ret)
		read_running_tables(d, r->tracing_dir);
	if (!ret)
		ret = datfile_read_kallsyms(r->df, &d->symbols.text, err);
	if (!ret)
		ret = datfile_each_ftrace_format(r->df, add_graph_format, &r->formats, err);
	if (!ret)
		ret = datfile_each_format(r->df, add_format, &d->schema, err);
	return ret;
}

static int rank(struct discover_file *d, const char *path, struct error *err)
{
	struct strbuf kallsyms = STRBUF_INIT;
	int ret;

	if (!d->records)
		return error_set(err, ENODATA,
				 "%s: no record of function_graph in it; such are recorded by "
				 "'skbtrail record --calls'",
				 path);
	/* a recording has functions only; that one is exported is told by another symbol */
	if (d->is_running)
		strbuf_read_file(&kallsyms, "/proc/kallsyms", KALLSYMS_MAX);
	ret = candidates_rank(d->candidates,
			      strbuf_cstr(kallsyms.len ? &kallsyms : &d->symbols.text), &d->groups,
			      &d->nr_groups);
	strbuf_free(&kallsyms);
	return ret ? error_errno(err, -ret, "%s", path) : 0;
}

int discover_read(struct discover_file *out, const char *path, enum question question,
		  const char *type, const char *tracing_dir, struct error *err)
{
	struct candidates_options options = { .question = question,
					      .type = type,
					      .function_name = function_name,
					      .is_wanted = is_wanted,
					      .ctx = out };
	struct reading r = { .out = out, .tracing_dir = tracing_dir };
	int ret;
	u32 i;

	memset(out, 0, sizeof(*out));
	out->question = question;
	ret = datfile_open(&r.df, path, err);
	if (ret)
		return ret;
	graph_formats_init(&r.formats, r.df->big_endian, r.df->long_size);
	ret = schema_init(&out->schema, r.df->big_endian, r.df->long_size, err);
	if (!ret)
		ret = prepare(&r, err);
	options.prototypes = out->prototypes;
	options.tables = out->tables;
	if (!ret && candidates_new(&out->candidates, &options))
		ret = error_errno(err, ENOMEM, "%s", path);
	for (i = 0; i < r.df->nr_buffers && !ret; i++)
		ret = read_buffer(&r, &r.df->buffers[i], err);
	if (!ret)
		ret = rank(out, path, err);
	datfile_close(r.df);
	return ret;
}

void discover_file_free(struct discover_file *d)
{
	size_t i;

	candidates_free(d->candidates);
	prototypes_free(d->prototypes);
	optables_free(d->tables);
	symbols_free(&d->symbols);
	schema_free(&d->schema);
	for (i = 0; i < d->nr_names; i++)
		free(d->names[i]);
	memset(d, 0, sizeof(*d));
}
