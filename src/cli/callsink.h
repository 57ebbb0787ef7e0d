/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the pipeline puts records of function_graph: calls, merged into trees, rendered at the end or one by one.
 *
 * The same for a file and for live buffers: whoever runs a pipeline sets output_options.calls, gives it the
 * formats of the events and of system "ftrace" with pipeline_add_format(), and runs it as ever.
 */
#ifndef SKBTRAIL_CLI_CALLSINK_H
#define SKBTRAIL_CLI_CALLSINK_H

#include "kernel/optables.h"
#include "render/calls.h"
#include "trace/stream.h"

enum calls_format {
	CALLS_TEXT,
	CALLS_JSON,
	CALLS_DOT,
	CALLS_FOLDED,
};

/* What the user asked for; valid as long as the pipeline. */
struct calls_options {
	enum calls_format format;
	bool per_call; /* a tree for each call, as it ends */
	bool full;     /* helpers one by one */
	bool all;      /* calls that are not about sockets, too */
	u32 depth;     /* 0: no limit */
	u64 min_ns;    /* functions that took less in total are not shown */
	bool has_min;  /* ... else, as text, those of less than 0.2 % of their tree's time */
	const char
		*root; /* trees begin at functions that match this pattern; NULL: at system calls */
	s32 pid;       /* calls of this task only; 0: of all */
};

struct callsink;

struct callsink_setup {
	const struct calls_options *options;
	const struct render_names *names; /* not owned; complete when the first record comes */
	struct text_style style;
	/* As in struct callfuncs_options. */
	const char *(*name)(void *ctx, u64 func, size_t *len);
	void *ctx;
	bool big_endian;
	u8 long_size;
};

int callsink_new(struct callsink **out, const struct callsink_setup *setup, struct error *err);
void callsink_free(struct callsink *s);

/** callsink_add_format - any format file; those of function_graph and of sockets are taken */
void callsink_add_format(struct callsink *s, const char *system, const char *text, size_t len);

/** callsink_add_tables - the operations tables of the recorded kernel; Return: 0 or -ENOMEM */
int callsink_add_tables(struct callsink *s, const struct optables *tables);

/** callsink_record - take in a record, if it is one of function_graph or of a socket */
bool callsink_record(struct callsink *s, const struct record *rec);

/** callsink_event - an event of an skb; @packet: its number, 0 not known */
void callsink_event(struct callsink *s, const struct event *ev, u64 packet);
void callsink_lost(struct callsink *s, u16 cpu);

/** callsink_take - what is ready to be shown, appended to @out; @end: the trace has ended. Return: 0 or -ENOMEM */
int callsink_take(struct callsink *s, struct strbuf *out, bool end);

/** callsink_summary - a line for stderr, without its end: calls by kind, and what is missing */
void callsink_summary(const struct callsink *s, struct strbuf *sb);

/** callsink_hint - why nothing was shown, and what to do; NULL when something was */
const char *callsink_hint(const struct callsink *s);

#endif
