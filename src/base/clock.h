/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The time, as one number.
 */
#ifndef SKBTRAIL_BASE_CLOCK_H
#define SKBTRAIL_BASE_CLOCK_H

#include <time.h>

#include "base/types.h"

/** clock_ns - a clock of clock_gettime(2), in nanoseconds */
static inline u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

/** now_ns - CLOCK_MONOTONIC, which is also the trace's clock "mono" */
static inline u64 now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

#endif
