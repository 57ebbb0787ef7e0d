/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files that together make features.h; nobody else includes this.
 */
#ifndef SKBTRAIL_KERNEL_FEATURES_PRIV_H
#define SKBTRAIL_KERNEL_FEATURES_PRIV_H

#include "kernel/features.h"

/* Room for tracing_dir, an instance and the longest file below it. */
#define FEATURES_PATH_MAX 512

/** features_yes - record that @id works, with what was found */
void features_yes(struct features *f, enum feature id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** features_no - record that @id does not work, in words of our own */
void features_no(struct features *f, enum feature id, int code, const char *path, const char *fmt,
		 ...) __attribute__((format(printf, 5, 6)));

/** features_refused - record that @id does not work; words follow from @id and @code (errno) */
void features_refused(struct features *f, enum feature id, int code, const char *path);

/** features_probe - everything that needs a private instance or a probe event to find out */
void features_probe(struct features *f);

/** features_probe_graph - that part of features_probe() which is about function_graph */
void features_probe_graph(struct features *f);

/** features_assume - fill in what features_probe() would, from reading alone */
void features_assume(struct features *f);

/** features_list_events - fill @f->events and the tracepoint groups */
int features_list_events(struct features *f);

/** features_parse_clocks - fill @f->clocks and @f->clock from the text of trace_clock */
int features_parse_clocks(struct features *f, char *text);

#endif
