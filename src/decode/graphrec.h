/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of the function_graph tracer -> struct graph_record.
 *
 * They are no events: their formats stand among those of system "ftrace" (datfile_each_ftrace_format(),
 * events/ftrace of a tracing directory). From 5.10 to 7.2 their fields moved and changed size, so places
 * and sizes come from the format only (kernel/trace/trace_entries.h):
 *
 *	funcgraph_entry		func, depth; newer kernels (7.2): args[], a tail of no size, one long each
 *	funcgraph_retaddr_entry	the same with retaddr (option funcgraph-retaddr)
 *	funcgraph_exit		func, depth, calltime, rettime; retval with option funcgraph-retval
 */
#ifndef SKBTRAIL_DECODE_GRAPHREC_H
#define SKBTRAIL_DECODE_GRAPHREC_H

#include "decode/format.h"

#define GRAPH_MAX_ARGS 16 /* the kernel records 6 on x86, 8 at most; more are not read */
#define GRAPH_SYSTEM "ftrace"

enum graph_kind {
	GRAPH_NONE,
	GRAPH_ENTRY,
	GRAPH_EXIT,
};

/* Bits of struct graph_record.has */
enum {
	GRAPH_HAS_RETVAL = 1 << 0,
	GRAPH_HAS_RETADDR = 1 << 1,
	GRAPH_HAS_SPAN = 1 << 2, /* calltime and rettime */
};

/* Bits of struct graph_record.context, as in common_flags */
enum {
	GRAPH_IN_HARDIRQ = 1 << 3,
	GRAPH_IN_SOFTIRQ = 1 << 4,
};

struct graph_record {
	u64 ts_ns;	       /* the caller's, as ->cpu: order only */
	u64 func;	       /* address of the function's entry */
	u64 calltime, rettime; /* exit: their difference is how long the call took, ns */
	u64 retval;
	u64 retaddr;
	u64 args[GRAPH_MAX_ARGS]; /* raw registers; ->nr_args are filled in */
	s32 pid;
	u32 depth;
	u16 cpu;
	u8 kind; /* enum graph_kind */
	u8 has;
	u8 context;
	u8 nr_args;
};

/* One of the formats. */
struct graph_format {
	u16 id;	     /* of its records */
	u16 min_len; /* a shorter record is damaged */
	u16 args;    /* where the tail begins; 0: there is none */
	u8 kind;     /* enum graph_kind */
	u8 has;	     /* GRAPH_HAS_* of all its records */
	bool usual;  /* sizes are those of 64-bit kernels, and nothing but what all of them have */
	struct format_place func, depth, pid, flags, calltime, rettime, retval, retaddr;
};

#define GRAPH_FORMATS 8

struct graph_formats {
	struct graph_format format[GRAPH_FORMATS];
	u32 nr;
	bool swap;
	u8 long_size;
	u64 short_records; /* too short for their format: skipped */
};

/**
 * graph_formats_init - start without any format
 * @big_endian: byte order of the records
 * @long_size: bytes of a kernel long there
 */
void graph_formats_init(struct graph_formats *g, bool big_endian, u8 long_size);

/**
 * graph_formats_add - take in one format file; one that is none of function_graph is passed over
 * @system: as datfile_each_ftrace_format() says, "ftrace" for those of interest
 * @text: may come from a stranger, @len bytes
 *
 * A format without function or depth, or with fields of impossible sizes, is passed over, too.
 */
void graph_formats_add(struct graph_formats *g, const char *system, const char *text, size_t len);

/* Sizes are known: most of a recording goes through here. */
static inline void graph_decode_usual(const struct graph_format *f, const u8 *data, bool swap,
				      struct graph_record *rec)
{
	rec->func = load_u64(data + f->func.offset, swap);
	rec->depth = load_u32(data + f->depth.offset, swap);
	rec->pid = (s32)load_u32(data + f->pid.offset, swap);
	rec->context = data[f->flags.offset] & (GRAPH_IN_HARDIRQ | GRAPH_IN_SOFTIRQ);
	if (f->kind == GRAPH_EXIT) {
		rec->calltime = load_u64(data + f->calltime.offset, swap);
		rec->rettime = load_u64(data + f->rettime.offset, swap);
	}
}

/**
 * graph_decode - record bytes -> struct graph_record
 * @data: the record, @len bytes, starting with its id @id
 * @rec: all but ->ts_ns and ->cpu is filled in; of ->args only what ->nr_args says
 *
 * Return: false when it is no record of function_graph, or damaged.
 */
static inline bool graph_decode(struct graph_formats *g, u16 id, const u8 *data, u32 len,
				struct graph_record *rec)
{
	const struct graph_format *f = g->format, *end = f + g->nr;
	bool swap = g->swap;

	for (; f < end; f++)
		if (f->id == id)
			break;
	if (f == end)
		return false;
	if (unlikely(len < f->min_len)) {
		g->short_records++;
		return false;
	}
	rec->kind = f->kind;
	rec->has = f->has;
	rec->nr_args = 0;
	if (likely(f->usual)) {
		graph_decode_usual(f, data, swap, rec);
		return true;
	}
	rec->func = format_load(data, f->func, swap);
	rec->depth = (u32)format_load(data, f->depth, swap);
	rec->pid = (s32)format_load(data, f->pid, swap);
	rec->context =
		(u8)(format_load(data, f->flags, swap) & (GRAPH_IN_HARDIRQ | GRAPH_IN_SOFTIRQ));
	if (f->kind == GRAPH_EXIT) {
		rec->calltime = format_load(data, f->calltime, swap);
		rec->rettime = format_load(data, f->rettime, swap);
	}
	if (unlikely(f->has & (GRAPH_HAS_RETVAL | GRAPH_HAS_RETADDR))) {
		rec->retval = format_load(data, f->retval, swap);
		rec->retaddr = format_load(data, f->retaddr, swap);
	}
	if (f->args && len > f->args) {
		const u8 *at = data + f->args;
		u32 nr = (len - f->args) / g->long_size, i;

		rec->nr_args = (u8)(nr < GRAPH_MAX_ARGS ? nr : GRAPH_MAX_ARGS);
		for (i = 0; i < rec->nr_args; i++, at += g->long_size)
			rec->args[i] = load_uint(at, g->long_size, swap);
	}
	return true;
}

#endif
