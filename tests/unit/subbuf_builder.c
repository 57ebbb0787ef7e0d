// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sub-buffers made to order: see subbuf_builder.h.
 */
#include "subbuf_builder.h"

#include <stdio.h>
#include <stdlib.h>

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "subbuf_builder: %s\n", what);
	abort();
}

void subbuf_put(void *to, u64 value, u32 size, bool big_endian)
{
	u32 i;

	for (i = 0; i < size; i++)
		((u8 *)to)[big_endian ? size - 1 - i : i] = (u8)(value >> (8 * i));
}

static u32 data_offset(const struct subbuf_format *format)
{
	return 8u + format->long_size;
}

void subbuf_header_page(const struct subbuf_format *format, struct strbuf *text)
{
	strbuf_printf(text, "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n");
	strbuf_printf(text, "\tfield: local_t commit;\toffset:8;\tsize:%u;\tsigned:1;\n",
		      format->long_size);
	strbuf_printf(text, "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n");
	strbuf_printf(text, "\tfield: char data;\toffset:%u;\tsize:%u;\tsigned:1;\n",
		      data_offset(format), format->size - data_offset(format));
}

struct subbuffer_layout subbuf_layout(const struct subbuf_format *format)
{
	struct subbuffer_layout layout = {
		.size = format->size,
		.data_offset = data_offset(format),
		.commit_offset = 8,
		.commit_size = format->long_size,
		.swap = format->big_endian != HOST_BIG_ENDIAN,
		.big_endian = format->big_endian,
	};

	return layout;
}

void subbuf_begin(struct subbuf *b, const struct subbuf_format *format, u64 ts)
{
	b->format = *format;
	b->page = calloc(1, format->size);
	must(b->page != NULL, "no memory");
	b->at = 0;
	b->ts = ts;
	subbuf_put(b->page, ts, 8, format->big_endian);
}

u32 subbuf_room(const struct subbuf *b)
{
	return b->format.size - data_offset(&b->format) - b->at;
}

static u8 *take(struct subbuf *b, u32 len)
{
	u8 *at = b->page + data_offset(&b->format) + b->at;

	must(len <= subbuf_room(b), "overfull");
	b->at += len;
	return at;
}

void subbuf_word(struct subbuf *b, u32 word)
{
	subbuf_put(take(b, 4), word, 4, b->format.big_endian);
}

static void put_header(struct subbuf *b, u32 type_len, u32 delta)
{
	must(type_len < 32 && delta < 1u << 27, "number too large for a header");
	subbuf_word(b, b->format.big_endian ? type_len << 27 | delta : delta << 5 | type_len);
}

static void put_data(struct subbuf *b, u16 id, u32 len)
{
	u8 *data = take(b, (len + 3) & ~3u);
	u32 i;

	must(len >= 2, "no room for the event id");
	for (i = 0; i < ((len + 3) & ~3u); i++)
		data[i] = (u8)(b->at + i * 7);
	subbuf_put(data, id, 2, b->format.big_endian);
}

void subbuf_long_record(struct subbuf *b, u32 delta, u16 id, u32 len)
{
	put_header(b, 0, delta);
	subbuf_word(b, ((len + 3) & ~3u) + 4);
	put_data(b, id, len);
	b->ts += delta;
}

void subbuf_record(struct subbuf *b, u32 delta, u16 id, u32 len)
{
	if (len > 28 * 4) {
		subbuf_long_record(b, delta, id, len);
		return;
	}
	put_header(b, (len + 3) / 4, delta);
	put_data(b, id, len);
	b->ts += delta;
}

void subbuf_record_at(struct subbuf *b, u64 ts, u16 id, u32 len)
{
	must(ts >= b->ts, "time runs backwards");
	if ((ts - b->ts) >> 27) {
		subbuf_time_extend(b, ts - b->ts);
		subbuf_record(b, 0, id, len);
	} else {
		subbuf_record(b, (u32)(ts - b->ts), id, len);
	}
}

void subbuf_data_record(struct subbuf *b, u32 delta, const void *data, u32 len)
{
	u32 padded = (len + 3) & ~3u;

	if (padded > 28 * 4) {
		put_header(b, 0, delta);
		subbuf_word(b, padded + 4);
	} else {
		put_header(b, padded / 4, delta);
	}
	memcpy(take(b, padded), data, len);
	b->ts += delta;
}

void subbuf_time_extend(struct subbuf *b, u64 delta)
{
	must(!(delta >> 59), "time extend too large");
	put_header(b, RECORD_TIME_EXTEND, (u32)(delta & ((1u << 27) - 1)));
	subbuf_word(b, (u32)(delta >> 27));
	b->ts += delta;
}

void subbuf_time_stamp(struct subbuf *b, u64 ts)
{
	put_header(b, RECORD_TIME_STAMP, (u32)(ts & ((1u << 27) - 1)));
	subbuf_word(b, (u32)(ts >> 27));
	b->ts = (b->ts & ~((1ULL << 59) - 1)) | (ts & ((1ULL << 59) - 1));
}

void subbuf_discarded(struct subbuf *b, u32 delta, u32 len)
{
	must(delta != 0 && len % 4 == 0, "not a discarded record");
	put_header(b, RECORD_PADDING, delta);
	subbuf_word(b, len + 4);
	memset(take(b, len), 0xee, len);
	b->ts += delta;
}

void subbuf_padding(struct subbuf *b, u32 len)
{
	put_header(b, RECORD_PADDING, 0);
	memset(take(b, len), 0xdd, len);
}

u8 *subbuf_end(struct subbuf *b, u32 flags, u64 lost)
{
	u8 *page = b->page;

	subbuf_put(page + 8, b->at | flags, b->format.long_size, b->format.big_endian);
	if (flags & SUBBUFFER_MISSED_STORED)
		subbuf_put(take(b, b->format.long_size), lost, b->format.long_size,
			   b->format.big_endian);
	b->page = NULL;
	return page;
}

void subbuf_append(struct subbuf *b, struct strbuf *to)
{
	u8 *page = subbuf_end(b, 0, 0);

	strbuf_put(to, (const char *)page, b->format.size);
	free(page);
}
