/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes ring-buffer sub-buffers as a kernel would write them, of any byte order and size: what the
 * walker in trace/subbuffer.h takes apart is put together here, from the same diagram and without
 * its code. A failure here (no memory, sub-buffer overfull) ends the test program.
 */
#ifndef SKBTRAIL_TESTS_SUBBUF_BUILDER_H
#define SKBTRAIL_TESTS_SUBBUF_BUILDER_H

#include "base/strbuf.h"
#include "trace/subbuffer.h"

struct subbuf_format {
	u32 size;     /* bytes of a whole sub-buffer */
	u8 long_size; /* 4 or 8 */
	bool big_endian;
};

/* A sub-buffer in the making. */
struct subbuf {
	struct subbuf_format format;
	u8 *page; /* malloc'd, exactly format.size bytes */
	u32 at;	  /* bytes of records so far */
	u64 ts;	  /* time of the last thing written */
};

/** subbuf_header_page - what events/header_page says of such a kernel */
void subbuf_header_page(const struct subbuf_format *format, struct strbuf *text);
/** subbuf_layout - the same as the walker wants it */
struct subbuffer_layout subbuf_layout(const struct subbuf_format *format);

/** subbuf_begin - start one; @ts is its own time stamp, from which deltas count */
void subbuf_begin(struct subbuf *b, const struct subbuf_format *format, u64 ts);
/** subbuf_room - bytes that still fit */
u32 subbuf_room(const struct subbuf *b);

/**
 * subbuf_record - a data record
 * @delta: time since what came before, below 1 << 27
 * @len: bytes of data, the event id included; rounded up to four. More than 112 get a length word.
 *
 * The data is the id, then bytes that depend on the position only.
 */
void subbuf_record(struct subbuf *b, u32 delta, u16 id, u32 len);
/** subbuf_record_at - a record at a time not before the last one, with a time extend if needed */
void subbuf_record_at(struct subbuf *b, u64 ts, u16 id, u32 len);
/** subbuf_long_record - as subbuf_record(), with a length word whatever the length */
void subbuf_long_record(struct subbuf *b, u32 delta, u16 id, u32 len);
/** subbuf_data_record - a record with these bytes, which begin with the event id as they should */
void subbuf_data_record(struct subbuf *b, u32 delta, const void *data, u32 len);

void subbuf_time_extend(struct subbuf *b, u64 delta);
/** subbuf_time_stamp - an absolute time; only its lower 59 bits are written */
void subbuf_time_stamp(struct subbuf *b, u64 ts);
/** subbuf_discarded - a record that its writer took back; @delta must not be 0 */
void subbuf_discarded(struct subbuf *b, u32 delta, u32 len);
/** subbuf_padding - "nothing more follows", then @len bytes that are not records */
void subbuf_padding(struct subbuf *b, u32 len);
/** subbuf_word - any word at all */
void subbuf_word(struct subbuf *b, u32 word);

/**
 * subbuf_end - write the header
 * @flags: 0, SUBBUFFER_MISSED, or with SUBBUFFER_MISSED_STORED
 * @lost: the count to store
 *
 * Return: the sub-buffer, of exactly format.size bytes, to be freed.
 */
u8 *subbuf_end(struct subbuf *b, u32 flags, u64 lost);
/** subbuf_append - subbuf_end() without loss, appended to @to */
void subbuf_append(struct subbuf *b, struct strbuf *to);

/** subbuf_put - @value as an integer of @size bytes in that byte order */
void subbuf_put(void *to, u64 value, u32 size, bool big_endian);

#endif
