// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Columns of text on a screen; see text_width.h.
 */
#include "render/text_width.h"

/* Length of a name that needs no escaping, which is the usual one; 0 for any other. */
static size_t plain_length(const char *text)
{
	size_t i;

	for (i = 0; text[i] > 0x20 && text[i] < 0x7f && text[i] != '\\'; i++)
		;
	return text[i] ? 0 : i;
}

static bool begins_character(char c)
{
	return ((u8)c & 0xc0) != 0x80;
}

/* Where in @sb the character after @i begins; *columns grows by what it takes. */
static size_t next_character(const struct strbuf *sb, size_t i, int *columns)
{
	if (sb->data[i] == '\033') {
		while (i < sb->len && sb->data[i] != 'm')
			i++;
		return i + 1;
	}
	(*columns)++;
	for (i++; i < sb->len && !begins_character(sb->data[i]); i++)
		;
	return i;
}

static void cut(struct strbuf *sb, size_t from, bool utf8, int max)
{
	int columns = 0;

	while (from < sb->len && columns < max - 1)
		from = next_character(sb, from, &columns);
	sb->len = from;
	strbuf_puts(sb, utf8 ? "…" : "~");
}

int text_put(struct strbuf *sb, const char *text, bool utf8, int max)
{
	size_t plain = plain_length(text), from = sb->len, i;
	int columns = 0;

	if (plain) {
		strbuf_put(sb, text, plain);
		if (!max || plain <= (size_t)max)
			return (int)plain;
	} else if (utf8) {
		strbuf_put_escaped(sb, text, strlen(text));
	} else {
		/* A lone byte of a longer character is not valid, and so escaped. */
		for (i = 0; text[i]; i++)
			strbuf_put_escaped(sb, text + i, 1);
	}
	for (i = from; i < sb->len;)
		i = next_character(sb, i, &columns);
	if (!max || columns <= max)
		return columns;
	cut(sb, from, utf8, max);
	return max;
}

int text_columns(const char *text, bool utf8)
{
	struct strbuf sb = STRBUF_INIT;
	int columns = (int)plain_length(text);

	if (columns)
		return columns;
	columns = text_put(&sb, text, utf8, 0);
	strbuf_free(&sb);
	return columns;
}

int text_widest(const struct strbuf *sb, size_t from)
{
	int columns = 0, widest = 0;

	while (from < sb->len) {
		if (sb->data[from] == '\n') {
			columns = 0;
			from++;
			continue;
		}
		from = next_character(sb, from, &columns);
		if (columns > widest)
			widest = columns;
	}
	return widest;
}

/* Replace the spaces from @at on by the beginning of a new line; returns where that goes on. */
static size_t break_at(struct strbuf *sb, size_t at, int indent)
{
	size_t more = (size_t)indent + 1, end = at;

	while (end < sb->len && sb->data[end] == ' ')
		end++;
	if (!strbuf_reserve(sb, more))
		return sb->len;
	memmove(sb->data + at + more, sb->data + end, sb->len - end);
	sb->len = at + more + sb->len - end;
	sb->data[at] = '\n';
	memset(sb->data + at + 1, ' ', (size_t)indent);
	return at + more;
}

void text_wrap(struct strbuf *sb, size_t from, int width, int indent)
{
	size_t i = from, space = 0;
	int columns = 0;

	while (i < sb->len) {
		if (sb->data[i] == ' ' && columns > indent && (i == from || sb->data[i - 1] != ' '))
			space = i;
		i = next_character(sb, i, &columns);
		if (columns <= width || !space)
			continue;
		i = break_at(sb, space, indent);
		columns = indent;
		space = 0;
	}
}
