/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What flowsink*.c share.
 */
#ifndef SKBTRAIL_CLI_FLOWSINK_INTERNAL_H
#define SKBTRAIL_CLI_FLOWSINK_INTERNAL_H

#include "cli/flowsink.h"

/* ---- flowsink_rows.c */

/** flowsink_end_interval - the rows of the interval that ends here. Return: 0 or -errno of the output */
int flowsink_end_interval(struct flowsink *sink, u64 end_ns);

/** flowsink_end_intervals - all that end up to @now_ns. Return: as flowsink_run() */
int flowsink_end_intervals(struct flowsink *sink, u64 now_ns);

/** flowsink_parent - a process' entry in the list of tasks, looked up if need be; @ctx: the sink */
const struct tasklist_entry *flowsink_parent(void *ctx, s32 pid);

/* ---- flowsink_waiting.c */

/** flowsink_take_waiting - all records from before @now_ns are taken in */
void flowsink_take_waiting(struct flowsink *sink, u64 now_ns);

/* ---- flowsink_tell.c */

/** flowsink_tell_unmeasured - without headers calls cannot be joined with what they sent */
void flowsink_tell_unmeasured(const struct flowsink *sink);

#endif
