/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's count of ticks, which probes can read (@jiffies), by our own clock.
 */
#ifndef SKBTRAIL_KERNEL_JIFFIES_H
#define SKBTRAIL_KERNEL_JIFFIES_H

#include <stddef.h>

#include "base/types.h"

struct jiffies_clock {
	u64 tick_ns;	    /* 0: not known */
	u64 at_ns, jiffies; /* a time of CLOCK_MONOTONIC_COARSE, and the ticks then */
};

/** jiffies_parse - from the text of /proc/timer_list (kernel/time/timer_list.c), as root sees it; 0, or -ENOENT when it tells nothing */
int jiffies_parse(u64 *jiffies, const char *text);

/**
 * jiffies_read - of this machine
 *
 * The clock is the one that goes on when the kernel counts ticks (tick_do_update_jiffies64() in kernel/time/tick-sched.c):
 * where ticks come late, as on a CPU of a guest that is not run, both are late.
 *
 * Return: 0 or -errno.
 */
int jiffies_read(struct jiffies_clock *clock);

/** jiffies_now - what the kernel's count is, give or take a few ticks */
u64 jiffies_now(const struct jiffies_clock *clock);

/** jiffies_at - what it is at a time of that clock */
u64 jiffies_at(const struct jiffies_clock *clock, u64 now_ns);

#endif
