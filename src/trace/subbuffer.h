/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hot walk: one ring-buffer sub-buffer, record by record.
 *
 * A sub-buffer (kernel/trace/ring_buffer.c, struct buffer_data_page; the sizes and offsets come
 * from events/header_page and differ between kernels):
 *
 *	0        u64 time stamp of the first record
 *	8        long commit:  bits 0..26 bytes of records that follow
 *	                       bit 31     records were lost just before this sub-buffer
 *	                       bit 30     ... and their count stands, as a long, after the records
 *	16       records (at 12 where a kernel long has 4 bytes)
 *
 * A record starts with a u32, on little-endian machines  delta << 5 | type_len, on big-endian ones
 * type_len << 27 | delta:
 *
 *	type_len 1..28   type_len * 4 bytes of data follow
 *	0                u32 length (counting itself), then the data
 *	29 padding       delta 0: nothing more in this sub-buffer; else a discarded record: u32 length
 *	30 time extend   u32 upper bits of the delta; no data
 *	31 time stamp    u32 upper bits of an absolute time of 59 bits; the 5 bits above those are the
 *	                 ones of the running time (the first is the sub-buffer's own stamp)
 *
 * The loss flag is read here, from the header, and handed out with the first data record whatever
 * stands before it: kbuffer_missed_events() of libtraceevent hides it behind a time extend.
 *
 * Measured: about 9 ns a record including the 2-CPU merge (tests/bench).
 */
#ifndef SKBTRAIL_TRACE_SUBBUFFER_H
#define SKBTRAIL_TRACE_SUBBUFFER_H

#include "base/bytes.h"

#define SUBBUFFER_COMMIT_MASK ((1u << 27) - 1)
#define SUBBUFFER_MISSED (1u << 31)
#define SUBBUFFER_MISSED_STORED (1u << 30)

/* Lost records whose number the kernel did not say. */
#define LOST_UNKNOWN UINT64_MAX

enum {
	RECORD_PADDING = 29,
	RECORD_TIME_EXTEND = 30,
	RECORD_TIME_STAMP = 31,
};

/* How the recording kernel lays out a sub-buffer. Filled in by subbuffer_layout_parse(). */
struct subbuffer_layout {
	u32 size;	 /* bytes of a whole sub-buffer */
	u32 data_offset; /* where records begin */
	u32 commit_offset;
	u8 commit_size; /* 4 or 8: a kernel long */
	bool swap;	/* byte order is not ours */
	bool big_endian;
};

/* A position inside one sub-buffer. */
struct subbuffer_cursor {
	const u8 *pos; /* header of the next record */
	const u8 *end; /* end of the committed records */
	u64 ts;	       /* time of the record handed out last, in the clock's own unit */
	u64 lost;      /* records lost before the next data record: a count or LOST_UNKNOWN */
};

struct record {
	u64 ts_ns;	/* in the trace clock */
	const u8 *data; /* starts with the event id (common_type) */
	u64 lost;	/* records of this CPU lost just before this one: a count or LOST_UNKNOWN */
	u64 lost_since_ns; /* with lost: time of the CPU's record before, 0 when there was none */
	u32 len_bytes;
	u16 id;
	u16 cpu;
};

/**
 * subbuffer_layout_parse - read the kernel's own description of a sub-buffer
 * @layout: filled in; ->big_endian and ->swap must be set by the caller before
 * @text: the content of events/header_page, @len bytes, not necessarily NUL-terminated
 *
 * Return: 0, or -EINVAL when a field is missing or its numbers make no sense.
 */
int subbuffer_layout_parse(struct subbuffer_layout *layout, const char *text, size_t len);

/**
 * subbuffer_open - start walking a sub-buffer
 * @page: its first byte; @avail bytes may be read
 * @avail: at most layout->size; less for a file that was cut off
 *
 * Return: 0, or -1 when the header claims more than there is (the cursor then covers what is there,
 * so that a caller can go on and count the error).
 */
static inline int subbuffer_open(struct subbuffer_cursor *cur,
				 const struct subbuffer_layout *layout, const u8 *page,
				 size_t avail, bool swap)
{
	u32 commit, used;
	int ret = 0;

	cur->pos = cur->end = page;
	if (unlikely(avail < layout->data_offset))
		return -1;
	cur->ts = load_u64(page, swap);
	commit = (u32)load_uint(page + layout->commit_offset, layout->commit_size, swap);
	used = commit & SUBBUFFER_COMMIT_MASK;
	cur->pos = page + layout->data_offset;
	if (unlikely(used > avail - layout->data_offset)) {
		used = (u32)(avail - layout->data_offset);
		ret = -1;
	}
	cur->end = cur->pos + used;
	if (unlikely(commit & SUBBUFFER_MISSED)) {
		u64 count = 0;

		if ((commit & SUBBUFFER_MISSED_STORED) &&
		    avail - layout->data_offset - used >= layout->commit_size)
			count = load_uint(cur->end, layout->commit_size, swap);
		if (!count)
			count = LOST_UNKNOWN;
		cur->lost = cur->lost == LOST_UNKNOWN || count == LOST_UNKNOWN ? LOST_UNKNOWN :
										 cur->lost + count;
	}
	return ret;
}

/**
 * subbuffer_next - the next data record
 * @rec: ts_ns, data, len_bytes, id and lost are set
 *
 * Return: 1 with a record, 0 at the end, -1 when a length points outside of the committed bytes
 * (the rest of the sub-buffer is then not to be trusted).
 */
static inline int subbuffer_next(struct subbuffer_cursor *cur, struct record *rec, bool swap,
				 bool big_endian)
{
	const u8 *pos = cur->pos, *end = cur->end;
	u32 word, type_len, delta, len;

	for (;;) {
		if (end - pos < 4) {
			cur->pos = end;
			return pos == end ? 0 : -1;
		}
		word = load_u32(pos, swap);
		type_len = big_endian ? word >> 27 : word & 31;
		delta = big_endian ? word & ((1u << 27) - 1) : word >> 5;
		pos += 4;
		if (likely(type_len - 1 < RECORD_PADDING - 1)) {
			len = type_len * 4;
			break;
		}
		if (type_len == RECORD_PADDING && !delta) {
			cur->pos = end;
			return 0;
		}
		if (unlikely(end - pos < 4))
			goto corrupt;
		len = load_u32(pos, swap);
		pos += 4;
		if (type_len == RECORD_TIME_EXTEND) {
			cur->ts += ((u64)len << 27) + delta;
		} else if (type_len == RECORD_TIME_STAMP) {
			cur->ts = (cur->ts & (31ULL << 59)) |
				  ((((u64)len << 27) + delta) & ~(31ULL << 59));
		} else if (len < 4) {
			goto corrupt;
		} else if (type_len == 0) {
			len = (len - 4 + 3) & ~3u;
			break;
		} else {
			/* A discarded record: its time still counts. */
			cur->ts += delta;
			if ((size_t)(end - pos) < len - 4)
				goto corrupt;
			pos += len - 4;
		}
	}
	if (unlikely((size_t)(end - pos) < len || len < 2))
		goto corrupt;
	cur->ts += delta;
	cur->pos = pos + len;
	rec->ts_ns = cur->ts;
	rec->data = pos;
	rec->len_bytes = len;
	rec->id = load_u16(pos, swap);
	rec->lost = cur->lost;
	cur->lost = 0;
	return 1;
corrupt:
	cur->pos = end;
	return -1;
}

#endif
