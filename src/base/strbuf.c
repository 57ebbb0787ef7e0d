// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Growing byte string, decimal and hex writers, and escaping of foreign text.
 */
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool strbuf_grow(struct strbuf *sb, size_t more)
{
	size_t cap = sb->cap ? sb->cap : 256;
	char *data;

	if (sb->failed || more > SIZE_MAX / 4 || sb->len > SIZE_MAX / 4) {
		sb->failed = true;
		return false;
	}
	while (cap - sb->len < more)
		cap *= 2;
	data = realloc(sb->data, cap);
	if (!data) {
		sb->failed = true;
		return false;
	}
	sb->data = data;
	sb->cap = cap;
	return true;
}

void strbuf_free(struct strbuf *sb)
{
	free(sb->data);
	memset(sb, 0, sizeof(*sb));
}

void strbuf_printf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;
	int need;

	va_start(ap, fmt);
	need = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (need < 0 || !strbuf_reserve(sb, (size_t)need + 1))
		return;
	va_start(ap, fmt);
	vsnprintf(sb->data + sb->len, (size_t)need + 1, fmt, ap);
	va_end(ap);
	sb->len += (size_t)need;
}

const char *strbuf_cstr(struct strbuf *sb)
{
	if (!strbuf_reserve(sb, 1))
		return "";
	sb->data[sb->len] = '\0';
	return sb->data;
}

void strbuf_put_u64(struct strbuf *sb, u64 value)
{
	char digits[20];
	size_t at = sizeof(digits);

	/* Divisions of 32 bits are several times cheaper, and nearly all numbers are small. */
	for (; value > UINT32_MAX; value /= 10)
		digits[--at] = (char)('0' + value % 10);
	for (u32 small = (u32)value; at == sizeof(digits) || small; small /= 10)
		digits[--at] = (char)('0' + small % 10);
	strbuf_put(sb, digits + at, sizeof(digits) - at);
}

void strbuf_put_hex(struct strbuf *sb, u64 value)
{
	char digits[16];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	strbuf_put(sb, "0x", 2);
	strbuf_put(sb, digits + at, sizeof(digits) - at);
}

/* Length of the valid, printable UTF-8 sequence at @s, 0 when there is none (RFC 3629, table 3-7). */
static size_t utf8_length(const u8 *s, size_t len)
{
	u32 code;

	if (s[0] >= 0xc2 && s[0] <= 0xdf && len >= 2 && (s[1] & 0xc0) == 0x80)
		return s[0] == 0xc2 && s[1] < 0xa0 ? 0 : 2;
	if (s[0] >= 0xe0 && s[0] <= 0xef && len >= 3 && (s[1] & 0xc0) == 0x80 &&
	    (s[2] & 0xc0) == 0x80) {
		code = (u32)((s[0] & 15) << 12 | (s[1] & 63) << 6 | (s[2] & 63));
		if (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))
			return 0;
		/* Marks that change the direction or hide the text around them. */
		if ((code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
		    (code >= 0x2060 && code <= 0x206f) || code == 0xfeff)
			return 0;
		return 3;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4 && len >= 4 && (s[1] & 0xc0) == 0x80 &&
	    (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80) {
		code = (u32)((s[0] & 7) << 18 | (s[1] & 63) << 12 | (s[2] & 63) << 6 | (s[3] & 63));
		return code >= 0x10000 && code <= 0x10ffff ? 4 : 0;
	}
	return 0;
}

void strbuf_put_escaped(struct strbuf *sb, const char *text, size_t len)
{
	const u8 *s = (const u8 *)text;
	size_t i = 0, n;

	while (i < len) {
		if (s[i] >= 0x20 && s[i] < 0x7f && s[i] != '\\') {
			strbuf_putc(sb, text[i++]);
			continue;
		}
		n = s[i] >= 0x80 ? utf8_length(s + i, len - i) : 0;
		if (n) {
			strbuf_put(sb, text + i, n);
			i += n;
			continue;
		}
		strbuf_putc(sb, '\\');
		strbuf_putc(sb, 'x');
		strbuf_putc(sb, "0123456789abcdef"[s[i] >> 4]);
		strbuf_putc(sb, "0123456789abcdef"[s[i] & 15]);
		i++;
	}
}

int strbuf_read_file(struct strbuf *sb, const char *path, size_t max)
{
	size_t start = sb->len;
	ssize_t got;
	int fd, ret = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (;;) {
		if (!strbuf_reserve(sb, 65536)) {
			ret = -ENOMEM;
			break;
		}
		got = read(fd, sb->data + sb->len, 65536);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			ret = -errno;
		if (got <= 0)
			break;
		sb->len += (size_t)got;
		if (sb->len - start > max) {
			ret = -EFBIG;
			break;
		}
	}
	close(fd);
	return ret;
}

int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}
