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
	u64 at_ns, jiffies; /* a time of CLOCK_MONOTONIC, and the ticks then */
};

/**
 * jiffies_parse - from the text of /proc/timer_list, as root sees it
 * @tick_ns: what a tick takes; 0: not known
 *
 * kernel/time/timer_list.c; both kernel's count and ours follow the monotonic clock.
 *
 * Return: 0, or -ENOENT when it tells nothing.
 */
int jiffies_parse(struct jiffies_clock *clock, const char *text, u64 tick_ns);

/** jiffies_read - of this machine. Return: 0 or -errno; then ->tick_ns is still set if it is known */
int jiffies_read(struct jiffies_clock *clock);

/** jiffies_at - what the kernel's count is, give or take a few ticks */
u64 jiffies_at(const struct jiffies_clock *clock, u64 now_ns);

#endif
