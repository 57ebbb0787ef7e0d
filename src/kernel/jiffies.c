// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See jiffies.h.
 */
#include "kernel/jiffies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/strbuf.h"

/* The count is told behind what the first CPU has, which may be a lot. */
#define MAX_TEXT (4U << 20)

/* Being read takes a moment, in which ticks come; in a guest that is stopped many of them. */
#define TRIES 8

int jiffies_parse(u64 *jiffies, const char *text)
{
	const char *at = strstr(text, "\njiffies: ");

	*jiffies = at ? strtoull(at + 10, NULL, 10) : 0;
	return *jiffies ? 0 : -ENOENT;
}

int jiffies_read(struct jiffies_clock *clock)
{
	struct strbuf text = STRBUF_INIT;
	struct timespec tick = { 0 };
	u64 from, took, least = UINT64_MAX, jiffies;
	int i, ret = 0;

	memset(clock, 0, sizeof(*clock));
	/* include/linux/hrtimer_defs.h, KTIME_LOW_RES: that clock goes by ticks */
	if (!clock_getres(CLOCK_MONOTONIC_COARSE, &tick))
		clock->tick_ns = (u64)tick.tv_nsec;
	for (i = 0; i < TRIES && least && !ret; i++) {
		text.len = 0;
		from = clock_ns(CLOCK_MONOTONIC_COARSE);
		ret = strbuf_read_file(&text, "/proc/timer_list", MAX_TEXT);
		if (!ret)
			ret = jiffies_parse(&jiffies, strbuf_cstr(&text));
		took = clock_ns(CLOCK_MONOTONIC_COARSE) - from;
		if (ret || took >= least)
			continue;
		least = took;
		clock->at_ns = from;
		clock->jiffies = jiffies;
	}
	strbuf_free(&text);
	return ret ? ret : clock->tick_ns ? 0 : -ENOENT;
}

u64 jiffies_now(const struct jiffies_clock *clock)
{
	return jiffies_at(clock, clock_ns(CLOCK_MONOTONIC_COARSE));
}

u64 jiffies_at(const struct jiffies_clock *clock, u64 now_ns)
{
	/* unsigned: before that time, too */
	if (now_ns < clock->at_ns)
		return clock->jiffies - (clock->at_ns - now_ns) / clock->tick_ns;
	return clock->jiffies + (now_ns - clock->at_ns) / clock->tick_ns;
}
