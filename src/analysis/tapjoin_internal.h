/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by tapjoin.c, which keeps events and frames, and tapjoin_match.c, which brings them together.
 */
#ifndef SKBTRAIL_ANALYSIS_TAPJOIN_INTERNAL_H
#define SKBTRAIL_ANALYSIS_TAPJOIN_INTERNAL_H

#include "analysis/tapjoin.h"

#define TAPJOIN_CPUS 65536
#define TAPJOIN_SKBS 65536
#define TAPJOIN_RINGS 4096
#define TAPJOIN_LOSSES 256
#define TAPJOIN_NONE UINT32_MAX

/* Frames that are past their hop are looked for this much later, so that the events around are there. */
#define TAPJOIN_SETTLE_NS (20 * NSEC_PER_MSEC)

/* An event that is held back. Its number counts all events; the ring has room for some. */
struct held {
	struct event ev;
	u64 before;   /* number + 1 of the event before of the same skb; 0: none known */
	u64 cross_ns; /* a receive: the skb was sent through a pair or lo then; 0: not known */
	u32 frame;    /* its place in ->frame, or TAPJOIN_NONE */
	u32 users;    /* in a match: the first node of the frames that it is possible for */
	u32 round;    /* ... of this match */
	bool joined;  /* not only told by another event of the same skb */
	bool own;     /* the free of a clone that the tap had made */
};

enum frame_state {
	FRAME_PENDING,
	FRAME_JOINED,
	FRAME_AMBIGUOUS,
	FRAME_ALONE,
};

struct frame {
	struct skb_facts facts;
	u64 low_ns, high_ns; /* its event is in between; high: 0 not known yet */
	u64 ring;	     /* which ring it came from */
	u64 event;	     /* number of its event, when joined */
	u32 len_bytes;
	u32 refs; /* events that have it */
	u32 next; /* in the free list */
	u16 dev;
	u8 state;
	bool unsure; /* records near it were lost, or too many events are possible */
	/* in a match */
	u32 node, nr_nodes; /* the events that are possible */
	u32 alive;	    /* ... and not known to be others' */
	u32 parent;	    /* of the union-find forest of frames that share events */
};

/* That an event is possible for a frame. */
struct node {
	u64 event;
	u32 frame;
	u32 next; /* of the same event */
	bool alive;
};

struct track {
	u64 *event; /* numbers of the events of a CPU outside of hard interrupts, in a ring */
	u32 head, nr, room;
};

struct skb_trail {
	u64 skb;
	u64 last;    /* number + 1 */
	u64 sent_ns; /* given to a driver that has not returned; 0 none */
	u64 cross_ns;
	bool received; /* before it was sent: its time stamp may be older than that */
};

struct ring_trail {
	u64 ring;
	u64 low_ns;  /* the newest frame was not delivered before */
	u64 high_ns; /* in a match: the next one was delivered before that */
	u32 round;
};

struct told_loss {
	u64 before; /* number of the event it is told before */
	u64 from_ns, to_ns, count;
	u16 cpu;
	bool uncounted;
};

struct tapjoin {
	struct tapjoin_options options;
	struct tapjoin_stats stats;
	struct held *held; /* a ring */
	u64 first, end; /* numbers of the oldest event that is held, and of the next that comes */
	u32 room;
	struct frame *frame; /* all of them, in use or free */
	u32 nr_frames, frames_room, free_frame;
	u32 *pending; /* places of those that wait for their event, in the order in which they came */
	u32 nr_pending, pending_room;
	struct track *track; /* by CPU */
	u32 max_cpu;
	struct skb_trail *skb;		       /* by a hash */
	struct ring_trail *trail;	       /* by a hash */
	struct told_loss loss[TAPJOIN_LOSSES]; /* a ring; those told are still of use */
	u32 loss_first, nr_losses, losses_told;
	u64 unsure_until_ns; /* losses up to then are not kept any more */
	u64 now_ns;	     /* of the stream */
	u64 mark_ns;	     /* frames up to then have come */
	u64 gone_ns;	     /* events up to then were let go */
	u64 matched_ns;	     /* when a match was made last */
	struct node *node;
	u32 nr_nodes, nodes_room;
	u32 round;
};

static inline struct held *held_at(const struct tapjoin *tj, u64 number)
{
	return &tj->held[number & (tj->room - 1)];
}

/* The event at a place of a CPU's track, counted from its oldest. */
static inline struct held *track_at(const struct tapjoin *tj, const struct track *t, u32 place)
{
	return held_at(tj, t->event[(t->head + place) & (t->room - 1)]);
}

static inline u64 track_number(const struct track *t, u32 place)
{
	return t->event[(t->head + place) & (t->room - 1)];
}

/** tapjoin_ring - the place of a ring's trail; of another ring's, perhaps */
static inline struct ring_trail *tapjoin_ring(const struct tapjoin *tj, u64 ring)
{
	return &tj->trail[ring * 0x9e3779b97f4a7c15ULL >> 52];
}

/**
 * tapjoin_match - find the events of pending frames
 * @final_ns: frames up to then get no other try
 */
void tapjoin_match(struct tapjoin *tj, u64 final_ns);

#endif
