/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries and returns of calls -> whole calls.
 *
 * In:  events of sockets in time order.
 * Out: SOCK_EVENT_BYTES for each call that is over and that counts; all other events as they are.
 *
 * Only the entry tells the socket and only the return the bytes, so they are paired by task: what was entered last
 * returns first. Of calls within each other for the same socket the outermost counts. A return is never given to an
 * entry that may not be its own: what is doubtful is counted apart, and its socket is named. But when the kernel misses
 * the return of a call (all its memory for returns being in use) within one of the same function for another socket,
 * nothing tells, and the outer return is taken for it; no kernel was seen to call so.
 */
#ifndef SKBTRAIL_ANALYSIS_SOCKCALLS_H
#define SKBTRAIL_ANALYSIS_SOCKCALLS_H

#include "base/error.h"
#include "decode/sockevent.h"

struct sockcalls;

struct sockcalls_stats {
	u64 calls;    /* paired */
	u64 nested;   /* of these, within another for the same socket: not counted again */
	u64 no_entry; /* returns whose entry was not seen: begun before the capture, or lost */
	u64 no_entry_bytes; /* what these returned, which is nobody's */
	u64 no_return;	    /* entries whose return was not seen */
	u64 unsure;	    /* pairs with a loss of records in between: not counted */
	u64 unsure_bytes;
	u64 refused; /* entries that there was no room for */
	u32 open;    /* calls under way now */
};

/** sockcalls_new - @max: calls under way at a time, 0: 262,144 */
int sockcalls_new(struct sockcalls **out, u32 max, struct error *err);
void sockcalls_free(struct sockcalls *calls);

enum sockcalls_verdict {
	SOCKCALLS_PASS, /* @ev is to be taken in: as it was, or now SOCK_EVENT_BYTES of a whole call */
	SOCKCALLS_HELD,	  /* nothing to take in */
	SOCKCALLS_UNSURE, /* nothing to take in; a call of @ev's socket was not counted */
};

/**
 * sockcalls_take - take in an event
 * @ev: changed when it is the return of a call
 *
 * O(1): as deep as calls are within each other, 8 at most.
 */
enum sockcalls_verdict sockcalls_take(struct sockcalls *calls, struct sock_event *ev);

/** sockcalls_is_within - whether the entry of a call that this thread is in was seen */
bool sockcalls_is_within(struct sockcalls *calls, s32 tid);

/** sockcalls_lost - records are missing here: calls that are under way may be others when they return */
void sockcalls_lost(struct sockcalls *calls);

void sockcalls_stats(const struct sockcalls *calls, struct sockcalls_stats *stats);

#endif
