/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events in, finished paths out: single pass, memory bounded by the packets that are on their way.
 */
#ifndef SKBTRAIL_ANALYSIS_PATHS_H
#define SKBTRAIL_ANALYSIS_PATHS_H

#include "analysis/path.h"
#include "base/error.h"

/* A packet that nothing is heard of for so long (trace time) is closed with an unknown end. */
#define PATHS_IDLE_NS (1000 * NSEC_PER_MSEC)
/* One that a process has read may be read further, or be freed with a record, for so long. */
#define PATHS_COPIED_NS (100 * NSEC_PER_MSEC)
/* With births and deaths recorded nothing is guessed from silence: it may sleep in a queue for so long. */
#define PATHS_EXACT_IDLE_NS (5000 * NSEC_PER_MSEC)
/* A driver's return, and the reader of a raw socket's copy, are awaited for so long. */
#define PATHS_LATE_NS (20 * NSEC_PER_MSEC)
/* Of what a packet became part of it is waited to hear for so long. */
#define PATHS_PARTS_NS (200 * NSEC_PER_MSEC)
/* And of what it was cut into: WireGuard encrypts segments in a worker, for which a busy CPU may have no time. */
#define PATHS_SPLIT_NS (1000 * NSEC_PER_MSEC)
#define PATHS_MAX_LIVE (1u << 20)
#define PATHS_MAX_HOPS 4096

struct paths_options {
	/* A finished path; valid during the call. */
	void (*path_done)(void *ctx, struct path *path);
	/* What kind of drop this is, asked for each drop of a received packet; NULL: all are plain. */
	enum free_site (*free_site)(void *ctx, const struct event *ev);
	void *ctx;
	u32 max_live; /* 0: PATHS_MAX_LIVE */
	bool exact;   /* births of skbs are recorded, or their deaths at least */
	/*
	 * The kernel let through only what may match a filter: there are deaths, but no births, no returns
	 * of drivers (net_dev_xmit), and of calls only the entries.
	 */
	bool filtered;
	bool headers;  /* there are events with EVENT_HAS_FACTS */
	bool carriers; /* EVENT_HEADERS belong to the event that follows */
	/* Whether several netns have a device of this name, asked once for each; NULL: none do. */
	bool (*name_shared)(void *ctx, u16 dev);
};

struct paths_stats {
	u64 packets;		   /* that were followed */
	u64 by_state[PATH_STATES]; /* index: enum path_state */
	u64 by_complete[4];	   /* index: enum path_completeness */
	u64 events;		   /* that belonged to a packet */
	u64 unseen_frees;	   /* frees and copies of skbs that no device event was seen of */
	u64 strays;		   /* other events of such skbs, and late returns of drivers */
	u64 refused;		   /* hops of packets not followed: max_live were on their way */
	u64 reused;		   /* addresses taken by a new packet with no death event before */
	u64 told_apart;		   /* ... of which only the packets' headers told */
	u64 contradicted;	   /* packets whose joined headers contradict each other */
};

struct paths;

/** paths_new - Return: 0 or -ENOMEM */
int paths_new(struct paths **out, const struct paths_options *options, struct error *err);
void paths_free(struct paths *p);

/**
 * paths_event - take in the next event
 * @ev: its time is not before that of the one before
 *
 * Amortised O(1); no allocation for a packet whose hops fit in memory that another one gave back.
 */
void paths_event(struct paths *p, const struct event *ev);

/**
 * paths_lost - records of a CPU are missing
 * @from_ns: time of the last record of that CPU before the gap, 0 when there was none
 * @to_ns: time of the first record after it; may be told before other CPUs' events of the meantime
 */
void paths_lost(struct paths *p, u16 cpu, u64 from_ns, u64 to_ns, u64 count, bool uncounted);

/** paths_tick - close what has been idle, as of @now_ns (trace time); paths_event() does it too */
void paths_tick(struct paths *p, u64 now_ns);

/** paths_finish - the trace ends here: close everything */
void paths_finish(struct paths *p);

/** paths_number - the number of the packet that an address stands for now; 0: of none */
u64 paths_number(const struct paths *p, u64 skb);

const struct paths_stats *paths_stats(const struct paths *p);

#endif
