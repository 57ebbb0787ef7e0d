/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that have been entered with an skb and have not returned, per context.
 *
 * A context is a task, or a CPU in a softirq or hard interrupt: within it calls nest, whatever else
 * runs in between. So a return belongs to the innermost open call of its kind there, and an skb that is
 * born there is made by the innermost call that makes skbs.
 */
#ifndef SKBTRAIL_ANALYSIS_CALLS_H
#define SKBTRAIL_ANALYSIS_CALLS_H

#include "analysis/path.h"

#define CALLS_DEPTH 24	 /* more open calls in one context: the outermost is forgotten */
#define CALLS_TASKS 1024 /* contexts of tasks that are remembered at a time */
#define CALLS_CPUS 4096	 /* CPUs beyond share no contexts: their calls are not followed */

struct call {
	u64 skb;
	u64 number;	   /* of its packet, 0 when it had none yet */
	struct path *path; /* may stand for another packet by now: see ->generation */
	u32 generation;
	u32 hop; /* of the path, that is this call */
	u16 layer;
	u16 type; /* event type of the entry */
};

struct call_stack {
	u64 key;
	u32 depth;
	struct call call[CALLS_DEPTH];
};

struct calls {
	struct call_stack **irq;  /* by CPU and level; allocated when first used */
	struct call_stack **task; /* by a hash of the pid */
};

int calls_init(struct calls *c);
void calls_free(struct calls *c);

/** calls_push - a call was entered in an event's context; nothing happens without memory */
void calls_push(struct calls *c, const struct event *ev, const struct call *call);

/**
 * calls_pop - the innermost open call of ev->layer in the event's context returned
 *
 * Calls inside of it that did not tell of their return are forgotten.
 *
 * Return: false when there is none.
 */
bool calls_pop(struct calls *c, const struct event *ev, struct call *call);

/** calls_inside - the innermost open call of the context for which @wanted(layer) holds, or NULL */
const struct call *calls_inside(const struct calls *c, const struct event *ev,
				bool (*wanted)(u16 layer));

/**
 * calls_drop_ended - forget the innermost calls of the context whose packet is gone
 *
 * For captures without returns: a packet ends in the same context, after whatever was called for it.
 */
void calls_drop_ended(struct calls *c, const struct event *ev);

/** calls_forget - records were lost: returns may be among them */
void calls_forget(struct calls *c);

#endif
