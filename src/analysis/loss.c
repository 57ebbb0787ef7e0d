// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ring of loss windows and the question whether a span of time touches one.
 */
#include "analysis/loss.h"

void loss_add(struct loss_log *log, u64 from_ns, u64 to_ns, u64 count, bool uncounted)
{
	struct loss_window new = { from_ns < to_ns ? from_ns : to_ns, to_ns, count, uncounted };
	u64 oldest = log->nr < LOSS_WINDOWS ? 0 : log->nr + 1 - LOSS_WINDOWS, at = log->nr++;

	/* Windows of several CPUs come nearly in the order of their ends. */
	for (; at > oldest && log->window[(at - 1) % LOSS_WINDOWS].to_ns > to_ns; at--)
		log->window[at % LOSS_WINDOWS] = log->window[(at - 1) % LOSS_WINDOWS];
	log->window[at % LOSS_WINDOWS] = new;
}

bool loss_between(const struct loss_log *log, u64 from_ns, u64 to_ns, u64 *count, bool *uncounted)
{
	const struct loss_window *w;
	u64 i, oldest;
	bool any = false;

	*count = 0;
	*uncounted = false;
	oldest = log->nr > LOSS_WINDOWS ? log->nr - LOSS_WINDOWS : 0;
	for (i = log->nr; i-- > oldest;) {
		w = &log->window[i % LOSS_WINDOWS];
		if (w->to_ns < from_ns)
			return any;
		if (w->from_ns > to_ns)
			continue;
		any = true;
		*count += w->count;
		*uncounted |= w->uncounted;
	}
	/* Windows that were forgotten may have touched it too. */
	if (oldest) {
		any = true;
		*uncounted = true;
	}
	return any;
}
