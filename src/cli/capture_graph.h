/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * function_graph and stack traces in a capture: what the options ask for, what comes of it, what is said of that.
 */
#ifndef SKBTRAIL_CLI_CAPTURE_GRAPH_H
#define SKBTRAIL_CLI_CAPTURE_GRAPH_H

#include "cli/capture.h"

/**
 * capture_graph_prepare - fill in c->graph; before the plan
 *
 * May make and remove a private instance, to find out what the kernel takes. What a killed capture left at
 * the top level is restored first, unless nothing is to be changed (--dry-run).
 */
int capture_graph_prepare(struct capture *c, struct error *err);

/** capture_wants_stacks - whether paths shall begin with the calls that sent the packet, by stack traces */
bool capture_wants_stacks(const struct capture_options *o);

/** capture_graph_ready - the command is there: whose calls they are. Before session_open() */
int capture_graph_ready(struct capture *c, struct error *err);

/**
 * capture_graph_watch - without a command: the end of the process ends the capture
 *
 * Return: 0, or -ESRCH when it has ended already.
 */
int capture_graph_watch(struct capture *c, struct error *err);

/**
 * capture_graph_tables - which functions are in the operations tables, for a recording; before capture_open()
 *
 * Where nobody may read them the recording has none, which is no error: names have to do then.
 */
void capture_graph_tables(struct capture *c);

/** capture_graph_announce - where function_graph runs; with -v why there are no stack traces */
void capture_graph_announce(const struct capture *c);

/** capture_remove_leftovers - what killed captures left behind, with a line for each; never fatal */
void capture_remove_leftovers(const char *tracing_dir);

#endif
