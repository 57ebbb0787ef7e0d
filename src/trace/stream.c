// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The merge: per-CPU sub-buffers in, one time-ordered stream of records out.
 *
 * Each CPU's next record is decoded ahead; the CPU with the oldest one goes on until it is no
 * longer the oldest, and only then are all CPUs compared again. Bursts on one CPU therefore cost
 * one comparison a record however many CPUs there are.
 */
#include "trace/stream.h"

#include <errno.h>
#include <stdlib.h>

/* A spare input at index nr that is always empty serves as "second" where there is no other. */

void stream_select(struct stream *s)
{
	u32 best = s->nr, second = s->nr, i;

	for (i = 0; i < s->nr; i++) {
		if (s->key[i] < s->key[best]) {
			second = best;
			best = i;
		} else if (s->key[i] < s->key[second]) {
			second = i;
		}
	}
	s->best = best;
	s->second = second;
}

static u64 convert_time(const struct stream *s, u64 ts)
{
	if (unlikely(s->tsc))
		ts = (u64)(((unsigned __int128)ts * s->tsc_mult) >> s->tsc_shift);
	ts += (u64)s->ts_offset;
	return ts == STREAM_NONE ? ts - 1 : ts;
}

/* Open the next sub-buffer of an input: 1, or 0 when there is none. */
static int next_subbuffer(struct stream *s, struct stream_input *in, u32 i)
{
	size_t avail, len;
	int ret;

	if (in->piece == in->piece_end) {
		ret = s->feeder->next(s->feeder, i, &in->piece, &len);
		if (ret <= 0) {
			in->piece = in->piece_end = NULL;
			if (ret < 0 && !s->error)
				s->error = ret;
			return 0;
		}
		in->piece_end = in->piece + len;
	}
	avail = (size_t)(in->piece_end - in->piece);
	if (avail > s->layout.size)
		avail = s->layout.size;
	if (subbuffer_open(&in->cur, &s->layout, in->piece, avail, s->layout.swap))
		s->stats.damaged++;
	s->stats.subbuffers++;
	s->stats.bytes += (u64)(in->cur.end - in->cur.pos);
	in->piece += avail;
	return 1;
}

/* The record now at the head of input @i tells of a loss before it. */
static void note_loss(struct stream *s, u32 i, u64 to_ns)
{
	struct stream_input *in = &s->in[i];
	bool uncounted = in->rec.lost == LOST_UNKNOWN;

	in->rec.lost_since_ns = in->last_ns;
	s->stats.lost_uncounted += uncounted;
	if (!uncounted) {
		s->stats.lost += in->rec.lost;
		s->lost_on[i] += in->rec.lost;
	}
	/* A caller that does not look gets the newest. */
	if (s->nr_losses > s->nr)
		s->nr_losses = s->nr;
	s->loss[s->nr_losses++] = (struct stream_loss){
		.from_ns = in->last_ns,
		.to_ns = to_ns,
		.count = uncounted ? 0 : in->rec.lost,
		.cpu = in->rec.cpu,
		.uncounted = uncounted,
	};
}

void stream_advance(struct stream *s, u32 i, int ret)
{
	struct stream_input *in = &s->in[i];
	u64 ts;

	for (;; ret = STREAM_NOT_TRIED) {
		if (ret == STREAM_NOT_TRIED)
			ret = s->layout.swap ?
				      subbuffer_next(&in->cur, &in->rec, true, !HOST_BIG_ENDIAN) :
				      subbuffer_next(&in->cur, &in->rec, false, HOST_BIG_ENDIAN);
		if (likely(ret > 0))
			break;
		if (unlikely(ret < 0)) {
			/* What was skipped may have been records: they count as lost. */
			s->stats.damaged++;
			in->cur.lost = LOST_UNKNOWN;
		}
		if (!next_subbuffer(s, in, i)) {
			s->key[i] = STREAM_NONE;
			return;
		}
	}
	ts = convert_time(s, in->rec.ts_ns);
	if (unlikely(in->rec.lost))
		note_loss(s, i, ts);
	if (unlikely(ts < in->last_ns))
		s->stats.backwards++;
	in->last_ns = ts;
	in->rec.ts_ns = ts;
	s->key[i] = ts;
	if (ts > s->newest)
		s->newest = ts;
	/* a CPU's first record comes this way: stream_step() needs one before it */
	if (ts < s->oldest)
		s->oldest = ts;
}

void stream_resume(struct stream *s)
{
	u32 i;

	if (s->used) {
		s->used = false;
		stream_advance(s, s->best, STREAM_NOT_TRIED);
	}
	for (i = 0; i < s->nr; i++)
		if (s->key[i] == STREAM_NONE)
			stream_advance(s, i, STREAM_NOT_TRIED);
	stream_select(s);
}

/* A stream that has read nothing yet. */
static int stream_new(struct stream **out, struct feeder *feeder,
		      const struct subbuffer_layout *layout, struct error *err)
{
	struct stream *s = calloc(1, sizeof(*s));
	u32 i;

	if (!s)
		goto fail;
	s->feeder = feeder;
	s->layout = *layout;
	s->nr = feeder->nr_cpus;
	s->simple = !layout->swap;
	s->oldest = STREAM_NONE;
	s->in = calloc(s->nr + 1, sizeof(*s->in));
	s->key = calloc(s->nr + 1, sizeof(*s->key));
	s->lost_on = calloc(s->nr + 1, sizeof(*s->lost_on));
	s->loss = calloc(s->nr + 1, sizeof(*s->loss));
	if (!s->in || !s->key || !s->lost_on || !s->loss)
		goto fail;
	for (i = 0; i <= s->nr; i++)
		s->key[i] = STREAM_NONE;
	for (i = 0; i < s->nr; i++)
		s->in[i].rec.cpu = (u16)feeder->cpus[i];
	stream_select(s);
	*out = s;
	return 0;
fail:
	if (s)
		stream_close(s);
	else
		feeder->free(feeder);
	return error_errno(err, ENOMEM, "cannot read the trace");
}

int stream_open(struct stream **out, struct feeder *feeder, const struct subbuffer_layout *layout,
		struct error *err)
{
	int ret = stream_new(out, feeder, layout, err);

	if (!ret)
		stream_resume(*out);
	return ret;
}

int stream_file(struct stream **out, struct datfile *df, const struct datfile_buffer *buffer,
		struct error *err)
{
	struct feeder *feeder;
	struct stream *s;
	int ret;

	ret = feeder_file(&feeder, df, buffer, err);
	if (!ret)
		ret = stream_new(&s, feeder, &buffer->layout, err);
	if (ret)
		return ret;
	/* A version 6 file does not say the clock of a named buffer. */
	s->tsc = df->has_tsc2nsec && (!*buffer->clock || !strcmp(buffer->clock, "x86-tsc"));
	s->tsc_mult = df->tsc_mult;
	s->tsc_shift = df->tsc_shift;
	s->ts_offset = df->ts_offset;
	s->simple = s->simple && !s->tsc && !s->ts_offset;
	stream_resume(s);
	*out = s;
	return 0;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	s->feeder->free(s->feeder);
	free(s->in);
	free(s->key);
	free(s->lost_on);
	free(s->loss);
	free(s);
}
