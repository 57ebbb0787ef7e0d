/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing byte string: what the renderers write into and what small files are read into.
 *
 * The hot path reserves once per packet and then appends without checks for space being made per
 * byte. A failed allocation is remembered (->failed) and later appends do nothing, so a caller
 * checks once at the end.
 */
#ifndef SKBTRAIL_BASE_STRBUF_H
#define SKBTRAIL_BASE_STRBUF_H

#include <string.h>

#include "base/types.h"

struct strbuf {
	char *data;  /* not NUL-terminated unless strbuf_cstr() was called */
	size_t len;  /* bytes used */
	size_t cap;  /* bytes allocated */
	bool failed; /* an allocation failed: the content is incomplete */
};

#define STRBUF_INIT               \
	{                         \
		NULL, 0, 0, false \
	}

/** strbuf_grow - make room for @more bytes; false when memory ran out */
bool strbuf_grow(struct strbuf *sb, size_t more);
void strbuf_free(struct strbuf *sb);
/** strbuf_printf - append formatted text (not for hot paths) */
void strbuf_printf(struct strbuf *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** strbuf_cstr - NUL-terminate; Return: the string, "" when empty or failed, owned by @sb */
const char *strbuf_cstr(struct strbuf *sb);
/** strbuf_put_u64 - append @value in decimal */
void strbuf_put_u64(struct strbuf *sb, u64 value);
/** strbuf_put_hex - append 0x and @value in lower-case hex */
void strbuf_put_hex(struct strbuf *sb, u64 value);
/**
 * strbuf_put_escaped - append text that may come from a stranger
 * @text: bytes, @len of them; control bytes, DEL, backslash, the C1 range and invalid UTF-8
 *        become \xNN, so that no device name or command can move a terminal's cursor
 */
void strbuf_put_escaped(struct strbuf *sb, const char *text, size_t len);
/**
 * strbuf_read_file - append a whole file (tracefs and procfs files report size 0: read to EOF)
 * @max: give up with -EFBIG beyond that many bytes
 *
 * Return: 0 or -errno of open() or read().
 */
int strbuf_read_file(struct strbuf *sb, const char *path, size_t max);

static inline bool strbuf_reserve(struct strbuf *sb, size_t more)
{
	return likely(sb->cap - sb->len >= more) || strbuf_grow(sb, more);
}

static inline void strbuf_put(struct strbuf *sb, const char *text, size_t len)
{
	if (!strbuf_reserve(sb, len))
		return;
	memcpy(sb->data + sb->len, text, len);
	sb->len += len;
}

static inline void strbuf_puts(struct strbuf *sb, const char *text)
{
	strbuf_put(sb, text, strlen(text));
}

static inline void strbuf_putc(struct strbuf *sb, char c)
{
	if (strbuf_reserve(sb, 1))
		sb->data[sb->len++] = c;
}

/** strbuf_pad - append @count spaces (nothing when @count is negative) */
static inline void strbuf_pad(struct strbuf *sb, int count)
{
	if (count <= 0 || !strbuf_reserve(sb, (size_t)count))
		return;
	memset(sb->data + sb->len, ' ', (size_t)count);
	sb->len += (size_t)count;
}

/** compare_strings - for qsort(): two elements of an array of char * */
int compare_strings(const void *a, const void *b);

#endif
