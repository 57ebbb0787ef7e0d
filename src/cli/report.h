/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Showing a recording: what report and demo share.
 */
#ifndef SKBTRAIL_CLI_REPORT_H
#define SKBTRAIL_CLI_REPORT_H

#include "cli/pipeline.h"

/**
 * report_file - show the paths in one recording
 * @path: its name, "-" for standard input
 *
 * Return: 0, or -errno; -EPIPE with an empty @err when the reader of standard output has gone.
 */
int report_file(const char *path, const struct output_options *options, struct error *err);

#endif
