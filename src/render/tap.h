/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What became of the frames that packet sockets saw (--tap): for the summary.
 */
#ifndef SKBTRAIL_RENDER_TAP_H
#define SKBTRAIL_RENDER_TAP_H

#include "analysis/paths.h"
#include "analysis/tapjoin.h"
#include "base/strbuf.h"

struct json_object;

/** render_tap_text - a line that begins with "skbtrail: "; @verbose: more counters */
void render_tap_text(struct strbuf *sb, const struct tapjoin_stats *ts,
		     const struct paths_stats *ps, bool verbose);

/** tap_json - the same as an object, as skbtrail-json(5) has it; NULL when memory ran out */
struct json_object *tap_json(const struct tapjoin_stats *ts, const struct paths_stats *ps);

#endif
