/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether somebody else is using what a capture with function_graph would have to change.
 *
 * In:  the files of the tracing directory, open files of other processes.
 * Out: nothing, or words: which file says so, who has it open, what to do.
 */
#ifndef SKBTRAIL_CAPTURE_FOREIGN_H
#define SKBTRAIL_CAPTURE_FOREIGN_H

#include "base/error.h"
#include "base/types.h"

/**
 * foreign_top_level - whether anything at the top level is in use
 *
 * A tracer, an event, a filter by function or process, records that nobody has read, a reader.
 *
 * Return: 0 when nothing is, -EBUSY with @err telling what, another -errno.
 */
int foreign_top_level(const char *tracing_dir, struct error *err);

/**
 * foreign_graph - whether anybody uses function_graph, or narrows it down, anywhere
 *
 * set_graph_function is one for all instances. Return: as above.
 */
int foreign_graph(const char *tracing_dir, struct error *err);

#endif
