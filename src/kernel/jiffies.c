// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See jiffies.h.
 */
#include "kernel/jiffies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"

/* The count is told behind what the first CPU has, which may be a lot. */
#define MAX_TEXT (4U << 20)

int jiffies_parse(struct jiffies_clock *clock, const char *text, u64 tick_ns)
{
	const char *now = strstr(text, "now at "), *jiffies = strstr(text, "\njiffies: ");

	clock->tick_ns = tick_ns;
	clock->at_ns = clock->jiffies = 0;
	if (!tick_ns || !now || !jiffies)
		return -ENOENT;
	clock->at_ns = strtoull(now + 7, NULL, 10);
	clock->jiffies = strtoull(jiffies + 10, NULL, 10);
	return clock->at_ns && clock->jiffies ? 0 : -ENOENT;
}

int jiffies_read(struct jiffies_clock *clock)
{
	struct strbuf text = STRBUF_INIT;
	struct timespec tick = { 0 };
	int ret;

	/* include/linux/hrtimer_defs.h, KTIME_LOW_RES: that clock goes by ticks */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick))
		tick.tv_nsec = 0;
	ret = strbuf_read_file(&text, "/proc/timer_list", MAX_TEXT);
	if (jiffies_parse(clock, ret ? "" : strbuf_cstr(&text), (u64)tick.tv_nsec) && !ret)
		ret = -ENOENT;
	strbuf_free(&text);
	return ret;
}

u64 jiffies_at(const struct jiffies_clock *clock, u64 now_ns)
{
	/* unsigned: before that time, too */
	if (now_ns < clock->at_ns)
		return clock->jiffies - (clock->at_ns - now_ns) / clock->tick_ns;
	return clock->jiffies + (now_ns - clock->at_ns) / clock->tick_ns;
}
