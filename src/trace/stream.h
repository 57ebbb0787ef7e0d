/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All CPUs' records as one stream in time order; records of equal time come in the order of their
 * CPUs, and those of one CPU always in the order they were written.
 *
 * The same code serves a file and live buffers. A live stream is read in rounds: a record may be
 * handed out only when no CPU can still come up with an earlier one, so the caller passes as limit
 * the newest time it had seen before the round began.
 */
#ifndef SKBTRAIL_TRACE_STREAM_H
#define SKBTRAIL_TRACE_STREAM_H

#include "trace/feeder.h"

#define STREAM_NO_LIMIT UINT64_MAX

struct stream_input {
	struct subbuffer_cursor cur;
	struct record rec;	     /* the next one to be handed out, when key is not NONE */
	const u8 *piece, *piece_end; /* sub-buffers not opened yet */
	u64 last_ns;		     /* time of the record before */
};

struct stream_stats {
	u64 records;
	u64 subbuffers;
	u64 bytes;	    /* of records in the sub-buffers, their headers included */
	u64 lost;	    /* records lost, as far as the kernel counted them */
	u64 lost_uncounted; /* places where records were lost and the kernel did not say how many */
	u64 damaged;	    /* sub-buffers with impossible contents; the rest of each was skipped */
	u64 backwards;	    /* records older than the one before them (clock not in step) */
};

/*
 * Records of a CPU that are missing. Known, and told, as soon as that CPU's next record is looked at,
 * which is before other CPUs' records of the time in between are handed out.
 */
struct stream_loss {
	u64 from_ns; /* time of the CPU's record before the gap, 0 when there was none */
	u64 to_ns;   /* and of the one after it */
	u64 count;   /* 0 when uncounted */
	u16 cpu;
	bool uncounted;
};

struct stream {
	struct feeder *feeder; /* owned */
	struct subbuffer_layout layout;
	struct stream_input *in;
	u64 *key;     /* time of in[i].rec; STREAM_NONE when there is none */
	u64 *lost_on; /* per CPU: records lost, counted ones */
	u32 nr;
	u32 best;    /* the input with the smallest key */
	u32 second;  /* and the one after it */
	bool used;   /* in[best].rec was handed out */
	bool simple; /* our own byte order, and times are taken as they are */
	bool tsc;    /* convert ticks with mult and shift */
	u32 tsc_mult, tsc_shift;
	s64 ts_offset;
	u64 newest;		  /* largest time handed out or seen at the head of a CPU */
	u64 oldest;		  /* time of the first record; STREAM_NONE before it is seen */
	struct stream_loss *loss; /* news for whoever takes the records; to be ... */
	u32 nr_losses;		  /* ... looked at and set to 0 after each stream_next() */
	int error;		  /* -errno of the first piece that could not be read */
	struct stream_stats stats;
};

#define STREAM_NONE UINT64_MAX

/**
 * stream_open - start reading
 * @feeder: becomes owned by the stream, also on failure
 */
int stream_open(struct stream **out, struct feeder *feeder, const struct subbuffer_layout *layout,
		struct error *err);
void stream_close(struct stream *s);

/** stream_file - stream_open() for one buffer of a trace.dat, with its clock corrections */
int stream_file(struct stream **out, struct datfile *df, const struct datfile_buffer *buffer,
		struct error *err);

/** stream_resume - ask CPUs that had nothing once more (a live round begins) */
void stream_resume(struct stream *s);

enum { STREAM_NOT_TRIED = 2 };

/*
 * Take the next record of input @i into its look-ahead. @ret: what subbuffer_next() has just said
 * there, or STREAM_NOT_TRIED.
 */
void stream_advance(struct stream *s, u32 i, int ret);
void stream_select(struct stream *s);

/* stream_advance() for the record after which nearly always another one follows. */
static inline void stream_step(struct stream *s, u32 i)
{
	struct stream_input *in = &s->in[i];
	int ret = STREAM_NOT_TRIED;
	u64 ts;

	if (likely(s->simple)) {
		ret = subbuffer_next(&in->cur, &in->rec, false, HOST_BIG_ENDIAN);
		ts = in->rec.ts_ns;
		if (likely(ret > 0 && !in->rec.lost && ts >= in->last_ns && ts != STREAM_NONE)) {
			in->last_ns = ts;
			s->key[i] = ts;
			if (ts > s->newest)
				s->newest = ts;
			return;
		}
	}
	stream_advance(s, i, ret);
}

/**
 * stream_next - the next record in time order, not after @limit
 *
 * Return: the record, valid until the next call, or NULL when there is none (any more, or in this
 * round).
 */
static inline const struct record *stream_next(struct stream *s, u64 limit)
{
	u64 key;

	if (s->used) {
		s->used = false;
		stream_step(s, s->best);
		key = s->key[s->best];
		if (key > s->key[s->second] || (key == s->key[s->second] && s->best > s->second))
			stream_select(s);
	}
	if (s->key[s->best] > limit || s->key[s->best] == STREAM_NONE)
		return NULL;
	s->used = true;
	s->stats.records++;
	return &s->in[s->best].rec;
}

#endif
