/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream of records decoded to events by a thread of its own, in batches.
 *
 * For files only: it reads on to the end without waiting for anything. While it runs, the schema
 * and the stream belong to that thread; of the schema a caller may use the event types and the names
 * of devices that it has been given in an event (they stay where they are).
 */
#ifndef SKBTRAIL_DECODE_AHEAD_H
#define SKBTRAIL_DECODE_AHEAD_H

#include "base/error.h"
#include "decode/schema.h"
#include "trace/stream.h"

#define AHEAD_EVENTS 2048
#define AHEAD_LOSSES 64

/* A loss that became known before the event at index @before of the batch. */
struct ahead_loss {
	struct stream_loss loss;
	u32 before;
};

struct event_batch {
	u32 nr, nr_losses;
	struct event event[AHEAD_EVENTS];
	struct ahead_loss loss[AHEAD_LOSSES];
	struct skb_facts
		*facts; /* AHEAD_EVENTS of them where schema_decode() needs them; else NULL */
};

struct ahead;

/* What a record is to who watches. */
enum ahead_found {
	AHEAD_NOTHING,
	AHEAD_OF_INTEREST, /* and so are events from now on */
	AHEAD_EVENT,	   /* an event was made of it */
};

/* Who wants to see more than events, on the thread that decodes. */
struct ahead_watch {
	/* It is no event of the schema. @ev is filled in when AHEAD_EVENT is returned. */
	enum ahead_found (*record)(void *ctx, const struct record *rec, struct event *ev);
	void (*event)(void *ctx, struct event *ev);
	void (*lost)(void *ctx);
	void *ctx;
	bool events; /* are of interest from the start */
};

/**
 * ahead_start - begin to decode
 * @watch: copied; NULL: nobody
 *
 * Return: 0 or -errno.
 */
int ahead_start(struct ahead **out, struct stream *s, struct schema *schema,
		const struct ahead_watch *watch, struct error *err);

/** ahead_next - the next batch, valid until the next call; NULL at the end */
const struct event_batch *ahead_next(struct ahead *a);

/** ahead_stop - end the thread, if need be before the stream's end; stream and schema are free again */
void ahead_stop(struct ahead *a);

#endif
