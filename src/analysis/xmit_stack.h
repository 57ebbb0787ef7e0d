/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers that have been called and have not returned, per CPU.
 *
 * net_dev_xmit comes after the driver's function, when the skb may be freed, or be another packet
 * already, so its address says nothing. But calls nest: what returns on a CPU is the call made last
 * on that CPU for that skb and device.
 */
#ifndef SKBTRAIL_ANALYSIS_XMIT_STACK_H
#define SKBTRAIL_ANALYSIS_XMIT_STACK_H

#include "analysis/path.h"

#define XMIT_DEPTH 16 /* the kernel's own recursion limit is 8 */

struct open_xmit {
	struct path *path;
	u64 skb;
	u32 generation; /* of the path's memory when it was put here */
	u16 dev;
};

struct xmit_stack {
	struct open_xmit call[XMIT_DEPTH];
	u32 depth;
};

struct xmit_stacks {
	struct xmit_stack **cpu;
	u32 nr;
};

void xmit_stacks_free(struct xmit_stacks *s);
/** xmit_push - a driver was called for a packet; Return: 0 or -ENOMEM */
int xmit_push(struct xmit_stacks *s, u16 cpu, struct path *path, u16 dev);
/**
 * xmit_pop - a driver returned
 * @path: set to the packet it was called for, or NULL when that has been handed out already
 *
 * Return: whether the call is known.
 */
bool xmit_pop(struct xmit_stacks *s, u16 cpu, u64 skb, u16 dev, struct path **path);
/** xmit_forget - returns on that CPU may have been missed */
void xmit_forget(struct xmit_stacks *s, u16 cpu);

#endif
