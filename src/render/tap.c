// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counters of the join; see tap.h.
 */
#include "render/tap.h"

#include "render/json_util.h"

void render_tap_text(struct strbuf *sb, const struct tapjoin_stats *ts,
		     const struct paths_stats *ps, bool verbose)
{
	const struct {
		u64 count;
		const char *what;
		bool always; /* else with -v only */
	} counts[] = {
		{ ts->joined, "joined with a hop by time", true },
		{ ts->ambiguous, "ambiguous", true },
		{ ts->alone, "without a hop", true },
		{ ts->late, "too late", true },
		{ ts->refused, "too many at once", true },
		{ ts->lost, "times that frames were lost", true },
		{ ps->contradicted, "packets whose frames contradict each other", true },
		{ ts->hops_joined, "hops with a frame", false },
		{ ts->hops_alone, "hops without one", false },
		{ ps->told_apart, "reused addresses told apart by headers", false },
		{ ts->own_frees, "frees of the tap's own clones left out", false },
		{ ts->hurried, "events let go early", false },
		{ ts->max_delay_ns / NSEC_PER_MSEC, "ms from a frame to its record at most",
		  false },
	};
	size_t i;

	strbuf_printf(sb, "skbtrail: tap (~): %llu frames of packet sockets",
		      (unsigned long long)ts->frames);
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		if (counts[i].count && (counts[i].always || verbose))
			strbuf_printf(sb, ", %llu %s", (unsigned long long)counts[i].count,
				      counts[i].what);
	strbuf_putc(sb, '\n');
}

struct json_object *tap_json(const struct tapjoin_stats *ts, const struct paths_stats *ps)
{
	struct json_object *obj = json_object_new_object();

	if (!obj)
		return NULL;
	json_add_u64(obj, "frames", ts->frames);
	json_add_u64(obj, "joined", ts->joined);
	json_add_u64(obj, "ambiguous", ts->ambiguous);
	json_add_u64(obj, "without_hop", ts->alone);
	json_add_u64(obj, "late", ts->late);
	json_add_u64(obj, "refused", ts->refused);
	json_add_u64(obj, "lost_times", ts->lost);
	json_add_u64(obj, "hops_joined", ts->hops_joined);
	json_add_u64(obj, "hops_without_frame", ts->hops_alone);
	json_add_u64(obj, "packets_contradicted", ps->contradicted);
	json_add_u64(obj, "addresses_told_apart", ps->told_apart);
	json_add_u64(obj, "own_frees", ts->own_frees);
	json_add_u64(obj, "events_let_go_early", ts->hurried);
	json_add_u64(obj, "max_delay_ns", ts->max_delay_ns);
	return obj;
}
