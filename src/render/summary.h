/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a capture, or the reading of one, came to: rates, losses, cost. For -v, and the last line of --json.
 */
#ifndef SKBTRAIL_RENDER_SUMMARY_H
#define SKBTRAIL_RENDER_SUMMARY_H

#include "analysis/paths.h"
#include "analysis/tapjoin.h"
#include "base/strbuf.h"
#include "capture/cost.h"

struct summary {
	u64 packets; /* 0 also where records were not looked at */
	u64 records;
	u64 bytes; /* that they take in the ring buffer */
	u64 lost;  /* records */
	u64 lost_uncounted;
	u64 time_ns;			 /* that the records are of; 0: not known */
	u64 own_cpu_ns;			 /* that this process used for it; 0: not known */
	struct cost cost;		 /* of the capture */
	const struct tapjoin_stats *tap; /* NULL: no tap; for JSON */
	const struct paths_stats *paths; /* with ->tap */
};

/** summary_cost_ns - all that the records cost the kernel, lost ones too, estimated; 0: not known */
u64 summary_cost_ns(const struct summary *s);

/** render_summary_text - lines that each begin with "skbtrail: "; every number has its unit */
void render_summary_text(struct strbuf *sb, const struct summary *s, bool utf8);

/** render_summary_json - one line, {"summary":{...}}, as skbtrail-json(5) has it; Return: 0 or -ENOMEM */
int render_summary_json(struct strbuf *sb, const struct summary *s);

#endif
