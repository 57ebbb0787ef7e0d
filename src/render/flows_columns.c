// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Columns of the screen: see flows_columns.h.
 */
#include "render/flows_columns.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* With these a table of sockets is 80 columns wide. 0: only when there is room for it. */
static const u16 least[FLOWS_COLUMNS] = {
	[FLOWS_COL_KEY] = 24,	 [FLOWS_COL_PID] = 7,	  [FLOWS_COL_COMM] = 10,
	[FLOWS_COL_PROTO] = 5,	 [FLOWS_COL_LOCAL] = 20,  [FLOWS_COL_REMOTE] = 20,
	[FLOWS_COL_RX_RATE] = 6, [FLOWS_COL_TX_RATE] = 6,
};

/* What room is used for, first things first: a column of that width, or one there is as wide as it needs to be (0). */
static const struct wish {
	u16 column, width;
} wishes[] = {
	{ FLOWS_COL_RX_SUM, 6 },      { FLOWS_COL_TX_SUM, 6 }, { FLOWS_COL_LOCAL, 0 },
	{ FLOWS_COL_REMOTE, 0 },      { FLOWS_COL_KEY, 0 },    { FLOWS_COL_STATE, 11 },
	{ FLOWS_COL_RETRANSMITS, 5 }, { FLOWS_COL_RTT, 8 },    { FLOWS_COL_AGE, 7 },
	{ FLOWS_COL_RX, 6 },	      { FLOWS_COL_TX, 6 },     { FLOWS_COL_COMM, 0 },
};

/* What is given up on a narrow screen, in this order. 0: the column. */
static const struct wish losses[] = {
	{ FLOWS_COL_REMOTE, 14 }, { FLOWS_COL_LOCAL, 14 }, { FLOWS_COL_COMM, 6 },
	{ FLOWS_COL_PROTO, 0 },	  { FLOWS_COL_LOCAL, 0 },  { FLOWS_COL_PID, 0 },
	{ FLOWS_COL_COMM, 0 },	  { FLOWS_COL_KEY, 10 },
};

static int total(const struct flows_columns *fit)
{
	int sum = 0;
	size_t i;

	for (i = 0; i < FLOWS_COLUMNS; i++)
		if (fit->width[i])
			sum += fit->width[i] + (sum > 0);
	return sum;
}

static void give_up(struct flows_columns *fit, int columns)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(losses) && total(fit) > columns; i++)
		if (fit->width[losses[i].column] > losses[i].width)
			fit->width[losses[i].column] = losses[i].width;
}

static void grant(struct flows_columns *fit, enum flows_by by, int columns, const int *need)
{
	const struct wish *wish;
	int room, more;
	u16 *width;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wishes); i++) {
		wish = &wishes[i];
		width = &fit->width[wish->column];
		room = columns - total(fit);
		if (!flows_column_of(wish->column, by) || room <= 0)
			continue;
		if (!wish->width) {
			more = need[wish->column] - *width;
			if (*width && more > 0)
				*width += (u16)(more < room ? more : room);
		} else if (room > wish->width) {
			*width = wish->width;
		}
	}
}

void flows_columns_fit(struct flows_columns *fit, enum flows_by by, int columns, const int *need)
{
	u16 at = 0;
	size_t i;

	memset(fit, 0, sizeof(*fit));
	for (i = 0; i < FLOWS_COLUMNS; i++)
		if (flows_column_of(i, by))
			fit->width[i] = least[i];
	give_up(fit, columns);
	grant(fit, by, columns, need);
	for (i = 0; i < FLOWS_COLUMNS; i++) {
		fit->at[i] = at;
		if (fit->width[i])
			at = (u16)(at + fit->width[i] + 1);
	}
}

/* ---- text that takes one column a character */

static bool is_continued(char c)
{
	return ((u8)c & 0xc0) == 0x80;
}

/* Length of the character at @text, and its code; the text is valid UTF-8. */
static size_t character(const char *text, size_t len, wchar_t *code)
{
	u32 c = (u8)text[0];
	size_t i;

	if (c >= 0xc0)
		c &= c >= 0xf0 ? 0x07 : c >= 0xe0 ? 0x0f : 0x1f;
	for (i = 1; i < len && is_continued(text[i]); i++)
		c = c << 6 | ((u8)text[i] & 0x3f);
	*code = (wchar_t)c;
	return i;
}

/* From what strbuf_put_escaped() lets through to what stays in its column. */
static int flatten(struct strbuf *sb, const char *text, size_t len, bool utf8)
{
	size_t i, n, k;
	int columns = 0;
	wchar_t code;

	for (i = 0; i < len; i += n) {
		n = character(text + i, len - i, &code);
		if (n == 1 || (utf8 && wcwidth(code) == 1)) {
			strbuf_put(sb, text + i, n);
			columns++;
			continue;
		}
		for (k = 0; k < n; k++)
			strbuf_printf(sb, "\\x%02x", (u8)text[i + k]);
		columns += 4 * (int)n;
	}
	return columns;
}

int screen_put_foreign(struct strbuf *sb, const char *text, size_t len, bool utf8)
{
	struct strbuf escaped = STRBUF_INIT;
	int columns;

	strbuf_put_escaped(&escaped, text, len);
	columns = flatten(sb, strbuf_cstr(&escaped), escaped.len, utf8);
	sb->failed |= escaped.failed;
	strbuf_free(&escaped);
	return columns;
}

int flows_cell(struct strbuf *sb, const struct flow_row *row, enum flows_column column,
	       enum flows_by by, u64 now_ns, u64 interval_ns, bool utf8)
{
	struct strbuf cell = STRBUF_INIT;
	int columns;

	render_flows_cell(&cell, row, column, by, now_ns, interval_ns);
	columns = flatten(sb, strbuf_cstr(&cell), cell.len, utf8);
	sb->failed |= cell.failed;
	strbuf_free(&cell);
	return columns;
}

int screen_columns(const char *text, size_t len)
{
	int columns = 0;
	size_t i;

	for (i = 0; i < len; i++)
		columns += !is_continued(text[i]);
	return columns;
}

/* Bytes of the first @columns characters. */
static size_t first(const char *text, int columns)
{
	size_t i = 0;

	while (text[i] && columns-- > 0)
		for (i++; is_continued(text[i]); i++)
			;
	return i;
}

void screen_put_fit(struct strbuf *sb, const char *text, int width, enum screen_cut how, bool utf8)
{
	size_t len = strlen(text);
	int columns = screen_columns(text, len);
	int head = how == SCREEN_CUT_MIDDLE ? width / 2 : width - 1;

	if (!len || width <= 0)
		return;
	if (columns <= width) {
		strbuf_put(sb, text, len);
		return;
	}
	if (head)
		strbuf_put(sb, text, first(text, head));
	strbuf_puts(sb, utf8 ? "…" : "~");
	strbuf_puts(sb, text + first(text, columns - (width - 1 - head)));
}
