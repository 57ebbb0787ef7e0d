// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records -> batches of events, a few of them ahead of the consumer.
 *
 * ->filled counts the batches made ready, ->taken those handed out; the one handed out last is in use
 * until the consumer asks for the next. Both are changed under the lock.
 */
#include "decode/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define BATCHES 4

struct ahead {
	struct stream *stream;
	struct schema *schema;
	struct ahead_watch watch;  /* all NULL: nobody watches */
	bool watching;		   /* events, too */
	struct event_batch *batch; /* BATCHES of them */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	u64 filled, taken;
	bool end;  /* the last batch was filled */
	bool stop; /* the consumer wants no more */
};

/* What does not fit is told at the beginning of the next batch. */
static void take_losses(struct stream *s, struct event_batch *b)
{
	u32 taken = 0;

	while (taken < s->nr_losses && b->nr_losses < AHEAD_LOSSES)
		b->loss[b->nr_losses++] = (struct ahead_loss){ s->loss[taken++], b->nr };
	s->nr_losses -= taken;
	memmove(s->loss, s->loss + taken, s->nr_losses * sizeof(*s->loss));
}

/* Return: whether an event was made of it. */
static bool watch_record(struct ahead *a, const struct record *rec, struct event *ev)
{
	enum ahead_found found = a->watch.record(a->watch.ctx, rec, ev);

	a->watching = a->watching || found != AHEAD_NOTHING;
	return found == AHEAD_EVENT;
}

/* False when the stream has ended. */
static bool fill(struct ahead *a, struct event_batch *b)
{
	const struct record *rec;
	struct event *ev;

	b->nr = b->nr_losses = 0;
	while (b->nr < AHEAD_EVENTS && b->nr_losses < AHEAD_LOSSES) {
		rec = stream_next(a->stream, STREAM_NO_LIMIT);
		if (unlikely(a->stream->nr_losses)) {
			if (a->watching)
				a->watch.lost(a->watch.ctx);
			take_losses(a->stream, b);
		}
		if (!rec)
			return false;
		ev = &b->event[b->nr];
		if (!schema_decode(a->schema, rec->id, rec->data, rec->len_bytes, ev,
				   b->facts ? &b->facts[b->nr] : NULL)) {
			b->nr += a->watch.record && watch_record(a, rec, ev);
			continue;
		}
		ev->ts_ns = rec->ts_ns;
		ev->cpu = rec->cpu;
		if (unlikely(a->watching))
			a->watch.event(a->watch.ctx, ev);
		b->nr++;
	}
	return true;
}

static void *decode(void *arg)
{
	struct ahead *a = arg;
	bool more = true;

	pthread_mutex_lock(&a->lock);
	while (more) {
		while (a->filled - a->taken + 1 >= BATCHES && !a->stop)
			pthread_cond_wait(&a->changed, &a->lock);
		if (a->stop)
			break;
		pthread_mutex_unlock(&a->lock);
		more = fill(a, &a->batch[a->filled % BATCHES]);
		pthread_mutex_lock(&a->lock);
		a->filled++;
		a->end = !more;
		pthread_cond_signal(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

const struct event_batch *ahead_next(struct ahead *a)
{
	const struct event_batch *batch = NULL;

	pthread_mutex_lock(&a->lock);
	while (a->filled == a->taken && !a->end)
		pthread_cond_wait(&a->changed, &a->lock);
	if (a->filled != a->taken) {
		batch = &a->batch[a->taken++ % BATCHES];
		pthread_cond_signal(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	return batch;
}

static void free_all(struct ahead *a)
{
	int i;

	for (i = 0; a && a->batch && i < BATCHES; i++)
		free(a->batch[i].facts);
	if (a)
		free(a->batch);
	free(a);
}

static bool make_batches(struct ahead *a, bool with_facts)
{
	int i;

	a->batch = malloc(BATCHES * sizeof(*a->batch));
	for (i = 0; a->batch && i < BATCHES; i++)
		a->batch[i].facts = NULL;
	for (i = 0; a->batch && with_facts && i < BATCHES; i++) {
		a->batch[i].facts = malloc(AHEAD_EVENTS * sizeof(*a->batch[i].facts));
		if (!a->batch[i].facts)
			return false;
	}
	return a->batch;
}

int ahead_start(struct ahead **out, struct stream *s, struct schema *schema,
		const struct ahead_watch *watch, struct error *err)
{
	struct ahead *a = calloc(1, sizeof(*a));
	int ret = ENOMEM;

	if (a && make_batches(a, schema->has_probes || schema->has_taps || schema->has_told)) {
		a->stream = s;
		a->schema = schema;
		if (watch)
			a->watch = *watch;
		a->watching = a->watch.events;
		pthread_mutex_init(&a->lock, NULL);
		pthread_cond_init(&a->changed, NULL);
		ret = pthread_create(&a->thread, NULL, decode, a);
	}
	if (ret) {
		free_all(a);
		return error_errno(err, ret, "cannot start to decode");
	}
	*out = a;
	return 0;
}

void ahead_stop(struct ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	free_all(a);
}
