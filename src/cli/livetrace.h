/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live records through the pipeline: what trace, drops and demo share.
 */
#ifndef SKBTRAIL_CLI_LIVETRACE_H
#define SKBTRAIL_CLI_LIVETRACE_H

#include "cli/capture.h"

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
