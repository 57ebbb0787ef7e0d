// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The screen of flows as lines: a title, the head of the table, rows (or help), what is known of the selected row,
 * and a last line for what is typed, messages and hints.
 */
#include "render/flows_screen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const help[] = {
	"  t  s          sort by RX+TX of this interval, or of all intervals",
	"  r  x          sort by RX/s, TX/s",
	"  p  c  l  m    sort by PID, COMM, LOCAL, REMOTE",
	"  e  w  a       sort by RETR (retransmits), RTT, AGE",
	"  k             sort by what is summed by",
	"  left right    sort by another column (also < >)",
	"  R             the other way round",
	"",
	"  b             by socket, pid, comm, host, port, netns",
	"  /             show only rows with this text in a name, PID, address, port",
	"                or state (Enter: keep, Esc: as before, Ctrl-U: empty)",
	"  space         stand still; sums go on",
	"  up down       select a row, which is then followed, with its addresses",
	"                in full (Esc: none)",
	"  PgUp PgDn     scroll (also Home, End)",
	"  q  Ctrl-C     quit",
};

/* Fill the rest, where the background of a line is not the terminal's own. */
static void pad_line(struct strbuf *sb, int columns)
{
	strbuf_pad(sb, columns - screen_columns(sb->data, sb->len));
}

/* @text as a line of the screen, cut where it does not fit. */
static void put_line(const struct flows_screen *s, struct screen_line *line, const char *text,
		     u8 look)
{
	screen_put_fit(&line->text, text, s->columns, SCREEN_CUT_END, s->utf8);
	line->look = look;
	if (look == SCREEN_TITLE || look == SCREEN_HEAD || look == SCREEN_SELECTED)
		pad_line(&line->text, s->columns);
}

/* ---- title */

static void put_rows(const struct flows_screen *s, struct strbuf *sb)
{
	strbuf_puts(sb, "  ");
	if (s->filter[0])
		strbuf_printf(sb, "%zu/", s->nr_shown);
	strbuf_printf(sb, "%zu row%s", s->nr, s->nr == 1 ? "" : "s");
	if (s->given > s->nr)
		strbuf_printf(sb, " (of %zu)", s->given);
}

static void put_title_text(const struct flows_screen *s, struct strbuf *sb)
{
	strbuf_printf(sb, "flows by %s  every %g s  sort %s%s", flows_by_name(s->by),
		      (double)s->refresh_ns / (double)NSEC_PER_SEC, flows_screen_sort_name(s),
		      s->reverse ? " reversed" : "");
	if (!s->any)
		return;
	strbuf_puts(sb, "  RX ");
	render_flows_bytes(sb, flows_per_second(s->recent.rx_bytes, s->interval_ns));
	strbuf_puts(sb, "/s TX ");
	render_flows_bytes(sb, flows_per_second(s->recent.tx_bytes, s->interval_ns));
	strbuf_puts(sb, "/s");
	put_rows(s, sb);
}

/* What must be seen stands at the right, whatever else is cut. */
static void draw_title(const struct flows_screen *s, struct screen_line *line)
{
	struct strbuf text = STRBUF_INIT;
	char flags[64] = "";
	int width, at = 0;

	if (s->lost)
		at = snprintf(flags, sizeof(flags), " %llu LOST", (unsigned long long)s->lost);
	if (s->paused)
		snprintf(flags + at, sizeof(flags) - (size_t)at, " PAUSED");
	width = s->columns - (int)strlen(flags);
	put_title_text(s, &text);
	line->look = SCREEN_TITLE;
	screen_put_fit(&line->text, strbuf_cstr(&text), width, SCREEN_CUT_END, s->utf8);
	pad_line(&line->text, width > 0 ? width : 0);
	if (flags[0] && width > 0) {
		strbuf_puts(&line->text, flags);
		line->mark = SCREEN_WARNING;
		line->mark_from = (u16)(width + 1);
		line->mark_to = (u16)s->columns;
	}
	line->text.failed |= text.failed;
	strbuf_free(&text);
}

/* ---- table */

static void put_cell(const struct flows_screen *s, struct strbuf *sb,
		     const struct flows_columns *fit, size_t column, const char *text)
{
	bool is_addr = column == FLOWS_COL_LOCAL || column == FLOWS_COL_REMOTE;
	int width = fit->width[column], free_columns;

	strbuf_pad(sb, fit->at[column] - screen_columns(sb->data, sb->len));
	free_columns = width - screen_columns(text, strlen(text));
	if (!flows_column_info[column].left)
		strbuf_pad(sb, free_columns);
	screen_put_fit(sb, text, width, is_addr ? SCREEN_CUT_MIDDLE : SCREEN_CUT_END, s->utf8);
}

static void mark_columns(struct screen_line *line, const struct flows_columns *fit, size_t from,
			 size_t to, u8 look)
{
	if (!fit->width[from] || !fit->width[to])
		return;
	line->mark = look;
	line->mark_from = fit->at[from];
	line->mark_to = (u16)(fit->at[to] + fit->width[to]);
}

static void draw_head(const struct flows_screen *s, const struct flows_columns *fit,
		      struct screen_line *line)
{
	size_t i;

	for (i = 0; i < FLOWS_COLUMNS; i++)
		if (fit->width[i])
			put_cell(s, &line->text, fit, i, flows_column_name(i, s->by));
	line->look = SCREEN_HEAD;
	pad_line(&line->text, s->columns);
	if (s->sort == FLOWS_SORT_TOTAL)
		mark_columns(line, fit, FLOWS_COL_RX_RATE, FLOWS_COL_TX_RATE, SCREEN_SORTED);
	else if (s->sort == FLOWS_SORT_SUMS)
		mark_columns(line, fit, FLOWS_COL_RX_SUM, FLOWS_COL_TX_SUM, SCREEN_SORTED);
	else
		mark_columns(line, fit, s->sort, s->sort, SCREEN_SORTED);
}

static void draw_row(const struct flows_screen *s, const struct flows_columns *fit,
		     const struct flow_row *row, bool selected, struct screen_line *line)
{
	struct strbuf cell = STRBUF_INIT;
	size_t i;

	for (i = 0; i < FLOWS_COLUMNS; i++) {
		if (!fit->width[i])
			continue;
		cell.len = 0;
		flows_cell(&cell, row, i, s->by, s->now_ns, s->interval_ns, s->utf8);
		put_cell(s, &line->text, fit, i, strbuf_cstr(&cell));
	}
	line->text.failed |= cell.failed;
	strbuf_free(&cell);
	if (selected) {
		line->look = SCREEN_SELECTED;
		pad_line(&line->text, s->columns);
	} else if (row->flow && row->flow->flags & FLOW_OVER) {
		line->look = SCREEN_OVER;
	}
	if (row->recent.retransmits)
		mark_columns(line, fit, FLOWS_COL_RETRANSMITS, FLOWS_COL_RETRANSMITS,
			     SCREEN_WARNING);
}

/* What is on the screen has as much room as it needs; it is not taken away again, or columns would jump. */
static void measure(struct flows_screen *s, size_t end)
{
	static const u8 vary[] = { FLOWS_COL_KEY, FLOWS_COL_COMM, FLOWS_COL_LOCAL,
				   FLOWS_COL_REMOTE };
	struct strbuf cell = STRBUF_INIT;
	size_t i, k;
	int wide;

	if (s->need_columns != s->columns || s->need_by != s->by)
		memset(s->need, 0, sizeof(s->need));
	s->need_columns = s->columns;
	s->need_by = s->by;
	for (i = s->top; i < end; i++)
		for (k = 0; k < ARRAY_SIZE(vary); k++) {
			if (!flows_column_of(vary[k], s->by))
				continue;
			cell.len = 0;
			wide = flows_cell(&cell, &s->row[s->shown[i]].row, vary[k], s->by,
					  s->now_ns, s->interval_ns, s->utf8);
			if (wide > s->need[vary[k]])
				s->need[vary[k]] = wide;
		}
	strbuf_free(&cell);
}

static const char *nothing_words(const struct flows_screen *s)
{
	if (!s->any)
		return "waiting for the end of the first interval";
	if (s->nr)
		return "no row has this text (/ changes it)";
	return "nothing was received or sent in this interval";
}

static void draw_table(struct flows_screen *s, struct screen_line *line, size_t body)
{
	struct flows_columns fit;
	size_t end, i;
	ssize_t at;

	flows_screen_scroll(s);
	at = flows_screen_at(s);
	end = s->top + body < s->nr_shown ? s->top + body : s->nr_shown;
	measure(s, end);
	flows_columns_fit(&fit, s->by, s->columns, s->need);
	draw_head(s, &fit, &line[1]);
	for (i = s->top; i < end; i++)
		draw_row(s, &fit, &s->row[s->shown[i]].row, at == (ssize_t)i,
			 &line[2 + i - s->top]);
	if (!s->nr_shown)
		put_line(s, &line[2], nothing_words(s), SCREEN_PLAIN);
}

static void draw_help(const struct flows_screen *s, struct screen_line *line, size_t body)
{
	size_t i;

	put_line(s, &line[1], "KEYS", SCREEN_HEAD);
	for (i = 0; i < ARRAY_SIZE(help) && i < body; i++)
		put_line(s, &line[2 + i], help[i], SCREEN_PLAIN);
}

/* ---- the selected row */

static void put_fact(const struct flows_screen *s, struct strbuf *sb, const char *name, u8 column)
{
	strbuf_puts(sb, name);
	flows_cell(sb, &s->selected.row, column, s->by, s->now_ns, s->interval_ns, s->utf8);
}

static void put_sums(const struct flows_screen *s, struct strbuf *sb)
{
	strbuf_printf(sb, "  rx %llu tx %llu bytes",
		      (unsigned long long)s->selected.row.sum.rx_bytes,
		      (unsigned long long)s->selected.row.sum.tx_bytes);
}

static void put_netns(const struct flows_screen *s, struct strbuf *sb)
{
	const char *name = s->selected.row.netns_name;

	if (name) {
		strbuf_puts(sb, "  netns ");
		screen_put_foreign(sb, name, strlen(name), s->utf8);
	} else if (s->selected.flow.netns) {
		strbuf_printf(sb, "  netns %u", s->selected.flow.netns);
	}
}

/* Addresses first: they fit in 80 columns, whatever they are. */
static void draw_selected(const struct flows_screen *s, struct screen_line *line)
{
	struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
	bool there = flows_screen_at(s) >= 0;

	if (s->by == FLOWS_BY_SOCKET) {
		put_fact(s, &first, "local  ", FLOWS_COL_LOCAL);
		put_fact(s, &first, "  ", FLOWS_COL_PROTO);
		put_fact(s, &first, "  pid ", FLOWS_COL_PID);
		put_fact(s, &first, " ", FLOWS_COL_COMM);
		put_netns(s, &first);
		put_fact(s, &second, "remote ", FLOWS_COL_REMOTE);
		put_fact(s, &second, "  ", FLOWS_COL_STATE);
		put_fact(s, &second, "  RTT ", FLOWS_COL_RTT);
		put_fact(s, &second, " ms  age ", FLOWS_COL_AGE);
		strbuf_puts(&second, " s");
	} else {
		strbuf_printf(&first, "%s ", flows_column_name(FLOWS_COL_KEY, s->by));
		put_fact(s, &first, " ", FLOWS_COL_KEY);
	}
	put_sums(s, &second);
	if (!there)
		strbuf_puts(&first, "  (not in this interval)");
	put_line(s, &line[0], strbuf_cstr(&first), SCREEN_HEAD);
	put_line(s, &line[1], strbuf_cstr(&second), SCREEN_HEAD);
	line[0].text.failed |= first.failed | second.failed;
	strbuf_free(&first);
	strbuf_free(&second);
}

/* ---- the last line */

static void draw_status(const struct flows_screen *s, struct screen_line *line)
{
	struct strbuf text = STRBUF_INIT;

	if (s->editing || (s->filter[0] && !s->message[0])) {
		strbuf_putc(&text, '/');
		screen_put_foreign(&text, s->filter, strlen(s->filter), s->utf8);
		if (!s->editing)
			strbuf_puts(&text, "   h help  q quit");
	} else if (s->message[0]) {
		screen_put_foreign(&text, s->message, strlen(s->message), s->utf8);
	} else {
		strbuf_puts(&text,
			    "h help  q quit  space pause  / filter  b by  < > sort  R reverse");
	}
	put_line(s, line, strbuf_cstr(&text), s->message[0] ? SCREEN_WARNING : SCREEN_PLAIN);
	line->text.failed |= text.failed;
	strbuf_free(&text);
}

int flows_screen_cursor(const struct flows_screen *s)
{
	struct strbuf text = STRBUF_INIT;
	int columns;

	if (!s->editing)
		return -1;
	columns = 1 + screen_put_foreign(&text, s->filter, strlen(s->filter), s->utf8);
	strbuf_free(&text);
	return columns < s->columns ? columns : s->columns - 1;
}

/* Below the width that a table has at least. */
static void clip_line(const struct flows_screen *s, struct screen_line *line)
{
	struct strbuf text = line->text;

	if (line->mark_to > s->columns)
		line->mark_to = (u16)s->columns;
	if (screen_columns(text.data, text.len) <= s->columns)
		return;
	memset(&line->text, 0, sizeof(line->text));
	line->text.failed = text.failed;
	screen_put_fit(&line->text, strbuf_cstr(&text), s->columns, SCREEN_CUT_END, s->utf8);
	strbuf_free(&text);
}

int flows_screen_draw(struct flows_screen *s, struct screen_line *line)
{
	size_t body = flows_screen_body(s);
	bool failed = false;
	int i;

	for (i = 0; i < s->lines; i++) {
		line[i].text.len = 0;
		line[i].look = SCREEN_PLAIN;
		line[i].mark_from = line[i].mark_to = 0;
	}
	if (body) {
		draw_title(s, &line[0]);
		if (s->help)
			draw_help(s, line, body);
		else
			draw_table(s, line, body);
		if (s->has_selected && (int)body + 3 < s->lines)
			draw_selected(s, &line[2 + body]);
		draw_status(s, &line[s->lines - 1]);
	} else if (s->lines > 0) {
		put_line(s, &line[0], "the screen is too small", SCREEN_PLAIN);
	}
	for (i = 0; i < s->lines; i++) {
		clip_line(s, &line[i]);
		failed |= line[i].text.failed;
	}
	return failed ? -ENOMEM : 0;
}
