/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stages behind a stream of records, wired together: decode, paths, netns, rendering, output.
 *
 * trace, report and demo all use this one; they differ only in where the records come from.
 */
#ifndef SKBTRAIL_CLI_PIPELINE_H
#define SKBTRAIL_CLI_PIPELINE_H

#include "analysis/chainmark.h"
#include "analysis/paths.h"
#include "analysis/tapjoin.h"
#include "base/error.h"
#include "cli/callsink.h"
#include "cli/select.h"
#include "kernel/netns.h"
#include "render/render.h"
#include "render/summary.h"
#include "trace/stream.h"

struct pipeline;

struct output_options {
	bool json;
	bool brief;
	bool verbose;
	bool quiet;		      /* no summary */
	const char *color;	      /* "auto", "always", "never" */
	struct select_options select; /* which packets are shown */
	/* takes the paths that would be shown, which then are not; NULL: they are */
	void (*on_path)(void *ctx, struct pipeline *p, const struct path *path);
	void *on_path_ctx;
	const struct calls_options *calls; /* calls are shown, not packets; NULL: no */
};

struct pipeline {
	struct output_options options;
	char recorded_dev[64]; /* memory for options.select when the recording asks for it */
	struct select select;
	bool selective; /* not all packets are shown */
	struct schema schema;
	struct symbols symbols;
	struct comms comms;
	struct topology topology;
	struct netns_snapshot *snapshot; /* owned */
	struct paths *paths;
	struct tapjoin *tapjoin; /* with a tap only: between decoding and ->paths */
	struct chainmark *marks; /* NULL with options.calls */
	struct callsink *calls;	 /* with options.calls only */
	struct render_names names;
	struct text_style style;
	struct strbuf out;
	bool stacks;  /* set by the caller: there are stack traces */
	bool cut_off; /* the last records of a CPU may be missing, with nothing to tell of it */
	bool live;    /* names of unknown tasks may be looked up in /proc and tracefs */
	char cmdlines_path[4096]; /* saved_cmdlines, when live */
	u64 cmdlines_ns;	  /* when it was read last */
	const u64 *only_netns;	  /* show only paths that touch one of these inodes; NULL: all */
	u32 nr_only_netns;
	struct cost cost; /* of the capture; ->packets is 0 when it is not known */
	bool ticks;	  /* times are in no known unit */
	bool flush_each;  /* a person is watching: write after each packet */
	u64 shown;
	bool progress;	 /* say on stderr how far it is, once that takes long */
	u64 progress_ns; /* when it was said last (CLOCK_MONOTONIC) */
	bool progress_shown;
	int write_error; /* errno of the first write that failed */
	/* Called once when the first kernel address has to be named; fills in symbols.text. */
	int (*load_symbols)(struct pipeline *p, void *ctx);
	void *load_ctx;
	bool symbols_loaded;
};

/** pipeline_init - prepare the stages; the caller then fills schema, comms and snapshot */
int pipeline_init(struct pipeline *p, const struct output_options *options, bool big_endian,
		  u8 long_size, struct error *err);

/**
 * pipeline_add_format - one format file: of an event, or of system "ftrace"
 * @text: @len bytes, may come from a stranger
 *
 * Return: 0 or -ENOMEM
 */
int pipeline_add_format(struct pipeline *p, const char *system, const char *text, size_t len,
			struct error *err);

/** pipeline_start - names are known (schema, comms, snapshot): set up the rest */
int pipeline_start(struct pipeline *p, struct error *err);
void pipeline_free(struct pipeline *p);

/**
 * pipeline_clock - warn when times are in no known unit
 * @clock: name of the trace clock
 * @converted: its ticks are converted to nanoseconds
 */
void pipeline_clock(struct pipeline *p, const char *clock, bool converted);

/**
 * pipeline_run - take in records up to a time
 *
 * Return: 0, or -errno when the output cannot be written any more (-EPIPE: the reader has gone).
 */
int pipeline_run(struct pipeline *p, struct stream *s, u64 limit);

/**
 * pipeline_run_all - pipeline_run() to the end of a file, with decoding on a thread of its own
 *
 * Return: 0, or -errno: with @err filled in when it could not be started, else of the output.
 */
int pipeline_run_all(struct pipeline *p, struct stream *s, struct error *err);

/** pipeline_tick - nothing before @now_ns (trace time) will come any more */
void pipeline_tick(struct pipeline *p, u64 now_ns);

/** pipeline_finish - the trace ends: show what is still open, write everything out */
int pipeline_finish(struct pipeline *p);

/** pipeline_flush - write out what was rendered */
int pipeline_flush(struct pipeline *p);

/**
 * pipeline_summary - one line for stderr: packets by end, records, what was lost
 * @lost_elsewhere: records that the kernel's counters know to be lost and no record told of
 */
void pipeline_summary(const struct pipeline *p, const struct stream_stats *stats,
		      u64 lost_elsewhere);

/**
 * pipeline_totals - rates, losses and cost: lines for stderr with -v, the last line of --json
 * @time_ns: that the records are of; 0: from the first of them to the last
 * @own_cpu_ns: what this process used meanwhile; 0: of no interest
 *
 * Return: 0, or -errno when the output cannot be written any more.
 */
int pipeline_totals(struct pipeline *p, const struct stream *s, u64 lost_elsewhere, u64 time_ns,
		    u64 own_cpu_ns);

/** output_style - decide colours, character set and width for standard output */
struct text_style output_style(const struct output_options *options);

#endif
