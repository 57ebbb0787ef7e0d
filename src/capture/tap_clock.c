// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Brackets of REALTIME - MONOTONIC; see tap_clock.h. Kernel: tk->offs_real in kernel/time/timekeeping.c.
 */
#include "capture/tap_clock.h"

#include <time.h>

#define LOOKS 4

static s64 read_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (s64)ts.tv_sec * (s64)NSEC_PER_SEC + ts.tv_nsec;
}

void tap_clock_bracket(struct tap_clock *c, s64 low, s64 high)
{
	bool fits = c->known && low <= c->high && high >= c->low;

	c->stepped = c->known && !fits;
	c->prev_low = c->low;
	c->prev_high = c->high;
	c->low = fits && c->low > low ? c->low : low;
	c->high = fits && c->high < high ? c->high : high;
	c->known = true;
}

void tap_clock_look(struct tap_clock *c)
{
	s64 before, real, after, low = INT64_MIN, high = INT64_MAX;
	int i;

	for (i = 0; i < LOOKS; i++) {
		before = read_ns(CLOCK_MONOTONIC);
		real = read_ns(CLOCK_REALTIME);
		after = read_ns(CLOCK_MONOTONIC);
		/* Set between two looks: the narrower brackets of both contradict each other. */
		if (low > real - before || high < real - after)
			low = INT64_MIN, high = INT64_MAX;
		low = real - after > low ? real - after : low;
		high = real - before < high ? real - before : high;
	}
	tap_clock_bracket(c, low, high);
}

u64 tap_clock_convert(const struct tap_clock *c, u64 realtime_ns, u32 *slack_ns)
{
	s64 low = c->low, high = c->high;

	if (c->stepped) {
		low = c->prev_low < low ? c->prev_low : low;
		high = c->prev_high > high ? c->prev_high : high;
	}
	/* Half of the bracket, and what rounding takes. */
	*slack_ns = high - low < (s64)NSEC_PER_MSEC ? (u32)((high - low) / 2 + 1) : UINT32_MAX;
	return (u64)((s64)realtime_ns - (low + (high - low) / 2));
}
