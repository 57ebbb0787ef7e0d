/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When records were lost, so that a path that was on its way meanwhile is not called complete.
 *
 * The kernel says of a CPU's buffer "n records are missing before this one"; the window is from the
 * last record of that CPU to this one. Windows come in the order of their ends.
 */
#ifndef SKBTRAIL_ANALYSIS_LOSS_H
#define SKBTRAIL_ANALYSIS_LOSS_H

#include "base/types.h"

/* Older windows are forgotten; a path that reaches back that far is marked without a count. */
#define LOSS_WINDOWS 4096

struct loss_window {
	u64 from_ns, to_ns;
	u64 count; /* 0 with ->uncounted */
	bool uncounted;
};

struct loss_log {
	struct loss_window window[LOSS_WINDOWS]; /* ring, ends in rising order */
	u64 nr;					 /* windows ever */
};

/** loss_add - records of one CPU between two times are missing; LOST_UNKNOWN when not counted */
void loss_add(struct loss_log *log, u64 from_ns, u64 to_ns, u64 count, bool uncounted);

/**
 * loss_between - what was lost while a packet was on its way
 * @count: set to the records lost in windows that overlap [@from_ns, @to_ns]
 * @uncounted: set when there were some whose number the kernel did not say
 *
 * Return: whether anything was lost.
 */
bool loss_between(const struct loss_log *log, u64 from_ns, u64 to_ns, u64 *count, bool *uncounted);

#endif
