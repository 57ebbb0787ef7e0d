/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the clock of packet sockets (CLOCK_REALTIME) to that of the trace (CLOCK_MONOTONIC).
 *
 * The kernel keeps both by adding a number to one clock, which changes only when somebody sets the
 * time (or a leap second comes). That number is bracketed by reading one clock between two reads of the
 * other, ever more narrowly; when a bracket contradicts the ones before, the time was set in between.
 */
#ifndef SKBTRAIL_CAPTURE_TAP_CLOCK_H
#define SKBTRAIL_CAPTURE_TAP_CLOCK_H

#include "base/types.h"

struct tap_clock {
	s64 low, high;		 /* REALTIME - MONOTONIC is between these */
	s64 prev_low, prev_high; /* ... and was between these at the look before, if ->stepped */
	bool known, stepped;
};

/** tap_clock_look - measure again; to be called before and after each batch of frames */
void tap_clock_look(struct tap_clock *c);

/** tap_clock_bracket - take in one measured bracket */
void tap_clock_bracket(struct tap_clock *c, s64 low, s64 high);

/**
 * tap_clock_convert - a time stamp taken between the last two looks
 * @slack_ns: set to how much it may be off, either way; UINT32_MAX: the clock was set meanwhile
 */
u64 tap_clock_convert(const struct tap_clock *c, u64 realtime_ns, u32 *slack_ns);

#endif
