// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that began before their entries were told: their returns are not, and what they return is missing in the sums of their
 * sockets, which say so.
 *
 * A thread that was seen waiting may have begun to after tracing did. Then its entry is among the records from before that
 * time, and its call is under way by these.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/flowsink.h"
#include "cli/flowsink_internal.h"

void flowsink_waiting(struct flowsink *sink, struct waiting *waiting)
{
	waiting_free(&sink->waiting);
	sink->waiting = *waiting;
	sink->waiting_next = 0;
	memset(waiting, 0, sizeof(*waiting));
}

static int compare(const void *va, const void *vb)
{
	u32 a = *(const u32 *)va, b = *(const u32 *)vb;

	return a < b ? -1 : a > b;
}

/* All are decided on: mark their sockets. */
static void mark(struct flowsink *sink)
{
	const struct waiting *w = &sink->waiting;
	u32 *inode = calloc(w->nr, sizeof(*inode));
	size_t i, nr = 0;

	for (i = 0; inode && i < w->nr; i++)
		if (w->call[i].inode)
			inode[nr++] = w->call[i].inode;
	if (nr) {
		qsort(inode, nr, sizeof(*inode), compare);
		sink->unseen_sockets = flows_inexact_inodes(sink->flows, inode, nr);
	}
	free(inode);
}

void flowsink_take_waiting(struct flowsink *sink, u64 now)
{
	struct waiting *w = &sink->waiting;
	struct waiting_call *call;

	if (sink->waiting_next == w->nr)
		return;
	for (; sink->waiting_next < w->nr; sink->waiting_next++) {
		call = &w->call[sink->waiting_next];
		if (call->at_ns >= now)
			return;
		if (sockcalls_is_within(sink->calls, call->tid))
			call->inode = 0;
		else
			sink->unseen++;
	}
	mark(sink);
}
