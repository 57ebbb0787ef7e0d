/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live records through the pipeline: what trace, drops and demo share.
 */
#ifndef SKBTRAIL_CLI_LIVETRACE_H
#define SKBTRAIL_CLI_LIVETRACE_H

#include "cli/capture.h"

/** live_format - takes the format file of an event; Return: 0 or -errno */
typedef int (*live_format)(void *ctx, const char *system, const struct strbuf *text,
			   struct error *err);

/** live_formats - hand over the formats of all events of a plan */
int live_formats(const struct plan *plan, live_format take, void *ctx, struct error *err);

/** live_tap_format - hand over the format of a tap's frames */
int live_tap_format(const struct plan *plan, live_format take, void *ctx, struct error *err);

/** live_stream - the records of an open capture, in order of time. Return: 0 or -errno */
int live_stream(struct stream **out, const struct capture *c, struct error *err);

/**
 * live_pipeline - prepare a pipeline for an open capture
 * @snapshot: becomes owned by the pipeline; NULL: none
 */
int live_pipeline(struct pipeline *p, struct capture *c, struct netns_snapshot *snapshot,
		  struct error *err);

/**
 * live_trace - start the capture, show paths until it is over, drain it
 *
 * Return: 0, or -errno; a reader that closed our standard output is no error.
 */
int live_trace(struct pipeline *p, struct capture *c, struct error *err);

/**
 * live_session - a whole live session: open, show (or hand to output.on_path), drain; for capture_run()
 * @doing: for the line that tells that it begins: "tracing"
 */
int live_session(struct capture *c, const char *doing, struct error *err);

#endif
