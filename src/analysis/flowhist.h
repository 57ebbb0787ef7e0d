/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sums that the kernel made of calls -> events of sockets.
 *
 * In:  the text of hist files (capture/flowprobes.h: flowprobes_hists[]), read again and again; ends of sockets.
 * Out: SOCK_EVENT_BYTES with ->calls: what was added since, for the socket that it belongs to.
 *
 * A sum names a socket by its address and ports. The address may be another's before the sum is read, so
 * what a socket had is given to it before its end is taken in (flowhist_settle()), and what no socket that
 * is known can have had waits until all records from before the reading are taken in. Nothing is given out twice, nothing
 * is dropped; what the kernel dropped is counted. The text may come from a stranger.
 */
#ifndef SKBTRAIL_ANALYSIS_FLOWHIST_H
#define SKBTRAIL_ANALYSIS_FLOWHIST_H

#include "analysis/flows.h"
#include "base/error.h"
#include "decode/sockevent.h"

struct flowhist;

struct flowhist_stats {
	u64 entries; /* in memory */
	u64 refused; /* lines for which there was no room */
	u64 bad;     /* lines that make no sense, or sums that became smaller */
	u64 unsure; /* times that a sum may be of the socket that had the address before, or of the next one */
	u64 dropped; /* calls that the kernel had no room for */
	u64 cleared; /* times that a table was emptied */
};

/* A table of the kernel's, as it was read last; its numbers begin again when it is cleared. */
struct flowhist_table {
	u64 hits, entries, dropped;
};

/* Takes an event. Return: 0 or -errno, which ends the walk */
typedef int (*flowhist_take)(void *ctx, struct sock_event *ev);

/** flowhist_new - @max: entries; 0: 262,144 */
int flowhist_new(struct flowhist **out, u32 max, struct error *err);
void flowhist_free(struct flowhist *h);

/**
 * flowhist_read - take in a hist file, of one table or of both halves
 * @which: place in flowprobes_hists[]
 * @now_ns: when reading it began
 *
 * Return: 0 or -ENOMEM.
 */
int flowhist_read(struct flowhist *h, size_t which, const char *text, size_t len, u64 now_ns);

/** flowhist_table - what is in a table; @half: 0, or 1 for the one that has "if !(" in its condition */
const struct flowhist_table *flowhist_table(const struct flowhist *h, size_t which, u8 half);

/** flowhist_cleared - the kernel's table was emptied after it was read last, and nothing was counted in between */
void flowhist_cleared(struct flowhist *h, size_t which, u8 half);

/** flowhist_settle - @end: the socket of this event is about to end: give out all that is its */
int flowhist_settle(struct flowhist *h, const struct sock_event *end, flowhist_take take,
		    void *ctx);

/**
 * flowhist_is_unsure - @birth: a socket begins: whether the one before may have been given what this one had
 *
 * A closed socket of TCP has no local port any more. What is read from it then is told apart from what is read from another one
 * that has its address, its peer's port and its state before the next reading, and by the same thread, by nothing.
 */
bool flowhist_is_unsure(struct flowhist *h, const struct sock_event *birth);

/**
 * flowhist_flush - give out what can be given out
 * @limit_ns: all records from before are taken in. What was read by then and is no known socket's is one's that was
 *            not seen; UINT64_MAX: all
 * @ts_ns: time of the events
 */
int flowhist_flush(struct flowhist *h, const struct flows *flows, u64 limit_ns, u64 ts_ns,
		   flowhist_take take, void *ctx);

void flowhist_stats(const struct flowhist *h, struct flowhist_stats *stats);

#endif
