/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which hop set is affordable: --budget.
 *
 * In:  the rate of packets, the cost of a record, how many records a packet leaves in each hop set; all
 *      measured or counted on this machine (cli/capture_budget.c).
 * Out: the largest hop set whose share of the busiest CPU's time stays under the budget.
 *
 * Pure: no kernel is asked. Shares are in millionths of one CPU's time (ppm), so 1 % is 10,000, and what one
 * CPU cannot do is more than 1,000,000.
 */
#ifndef SKBTRAIL_CAPTURE_BUDGET_H
#define SKBTRAIL_CAPTURE_BUDGET_H

#include "base/strbuf.h"
#include "base/types.h"
#include "capture/plan.h"

#define BUDGET_PPM_PER_PERCENT 10000

/* From small to large. */
enum budget_level {
	BUDGET_T0, /* tracepoints only */
	BUDGET_MINIMAL,
	BUDGET_DEFAULT,
	BUDGET_FULL,
	BUDGET_LEVELS,
	BUDGET_NONE = BUDGET_LEVELS,
};

/* What one packet leaves: see budget_count(). */
struct budget_records {
	u32 tracepoint;
	u32 probe;
	bool possible; /* false: this kernel or the request rules the level out */
};

struct budget {
	u64 allowed_ppm;
	u64 packets_per_s; /* on the busiest CPU */
	u64 tracepoint_ns; /* a record */
	u64 probe_ns;
	u8 most; /* enum budget_level: what was asked for at most */
	struct budget_records level[BUDGET_LEVELS];
};

/**
 * budget_count - records that a plan takes of a packet that one process sends to another on this machine
 *
 * Counted are the plan's events that such a packet (IPv4, UDP, over one device) passes once each. Packets that
 * are forwarded or bridged, or meet netfilter's rules, leave more.
 */
void budget_count(const struct plan *plan, struct budget_records *records);

/** budget_share_ppm - what a level would take of the busiest CPU's time */
u64 budget_share_ppm(const struct budget *b, u8 level);

/**
 * budget_choose - the largest possible level, ->most at most, that is not over the budget
 *
 * Return: enum budget_level; BUDGET_NONE when even the smallest possible one is over.
 */
u8 budget_choose(const struct budget *b);

/** budget_level_name - "minimal", and "tracepoints only" for BUDGET_T0 */
const char *budget_level_name(u8 level);

/** budget_put_percent - "0.012 %", "4.56 %", "123 %" */
void budget_put_percent(struct strbuf *sb, u64 ppm);

/**
 * budget_explain - the numbers, as a sentence without a line end
 *
 * "12300 packets/s on the busiest CPU; shares of its time: full 12.3 %, default 4.1 %, ...": all that was in
 * question, from large to small.
 */
void budget_explain(struct strbuf *sb, const struct budget *b);

#endif
