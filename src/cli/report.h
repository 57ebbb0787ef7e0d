/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Showing a recording: what report and demo share.
 */
#ifndef SKBTRAIL_CLI_REPORT_H
#define SKBTRAIL_CLI_REPORT_H

#include "cli/pipeline.h"
#include "trace/datfile.h"

/**
 * report_file - show the paths in one recording
 * @path: its name, "-" for standard input
 *
 * Return: 0, or -errno; -EPIPE with an empty @err when the reader of standard output has gone.
 */
int report_file(const char *path, const struct output_options *options, struct error *err);

typedef int (*report_buffer_fn)(void *ctx, struct datfile *df, const struct datfile_buffer *buffer,
				struct error *err);

/**
 * report_each_buffer - open a recording and hand out its buffers
 * @quiet: nothing is said about a recording that was not finished
 *
 * Return: 0, what @fn returned when that was not 0, or -errno; also for a file that is cut off.
 */
int report_each_buffer(const char *path, bool quiet, report_buffer_fn fn, void *ctx,
		       struct error *err);

/** report_damaged - -errno for a stream that ended because of its data */
int report_damaged(const struct datfile *df, const struct stream *s, struct error *err);

#endif
