/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen of "skbtrail flows", without a terminal.
 *
 * In:  the rows of each interval, the size of the screen, keys.
 * Out: what each line of the screen says, and how it looks.
 *
 * Rows are copied, so that a screen which stands still (a pause) can be scrolled, sorted and searched. All foreign
 * text is escaped, and each character takes one column.
 */
#ifndef SKBTRAIL_RENDER_FLOWS_SCREEN_H
#define SKBTRAIL_RENDER_FLOWS_SCREEN_H

#include "render/flows.h"
#include "render/flows_columns.h"

/* Rows kept of an interval: those that come first in the order chosen; the title tells of the others. */
#define FLOWS_SCREEN_ROWS 65536

/* What rows are sorted by: a column, or */
enum {
	FLOWS_SORT_TOTAL = FLOWS_COLUMNS, /* received and sent in this interval */
	FLOWS_SORT_SUMS,		  /* ... and in all */
	FLOWS_SORTS
};

/* Keys besides characters, which are themselves. */
enum {
	SCREEN_KEY_UP = 0x100,
	SCREEN_KEY_DOWN,
	SCREEN_KEY_PAGE_UP,
	SCREEN_KEY_PAGE_DOWN,
	SCREEN_KEY_HOME,
	SCREEN_KEY_END,
	SCREEN_KEY_LEFT,
	SCREEN_KEY_RIGHT,
	SCREEN_KEY_ENTER,
	SCREEN_KEY_ESCAPE,
	SCREEN_KEY_BACKSPACE,
};

enum screen_action {
	SCREEN_NOTHING,
	SCREEN_REDRAW,
	SCREEN_REGROUP, /* ->by has changed: bring other rows */
	SCREEN_QUIT,
};

enum screen_look {
	SCREEN_PLAIN,
	SCREEN_TITLE,
	SCREEN_HEAD,
	SCREEN_SORTED,	 /* the head of what is sorted by */
	SCREEN_OVER,	 /* a socket that is closed */
	SCREEN_SELECTED, /* a row */
	SCREEN_WARNING,
	SCREEN_LOOKS
};

struct screen_line {
	struct strbuf text; /* at most as many columns as the screen has */
	u8 look;
	u8 mark;		/* look of a part of it */
	u16 mark_from, mark_to; /* columns; equal: no part looks different */
};

struct flows_screen_row {
	struct flow_row row; /* ->flow: NULL, or the one beside it */
	struct flow flow;
};

struct flows_screen {
	/* set by the caller, at any time */
	int lines, columns;
	bool utf8;
	u64 refresh_ns; /* how long intervals are meant to be */
	u64 lost;	/* records */
	char message[256];

	/* changed by keys */
	enum flows_by by;
	u8 sort;
	bool reverse, paused, help, editing;
	char filter[64], filter_before[64];
	size_t top; /* first row on the screen */
	bool has_selected;
	struct flows_screen_row selected; /* as it was when last seen */

	/* the last interval; see flows_screen_rows() */
	bool any;
	struct flows_screen_row *row;
	size_t nr, room, given;
	struct flow_sums recent; /* of all that were given */
	u64 now_ns, interval_ns;
	u32 *shown; /* rows that the filter lets through, in order */
	size_t nr_shown;
	int need[FLOWS_COLUMNS]; /* widest cells so far, while ->columns and ->by stay the same */
	int need_columns;
	enum flows_by need_by;
};

void flows_screen_free(struct flows_screen *s);

/**
 * flows_screen_rows - a new interval's rows; those of a pause are dropped
 * @row: in any order
 *
 * Return: 0 or -ENOMEM.
 */
int flows_screen_rows(struct flows_screen *s, const struct flow_row *row, size_t nr, u64 now_ns,
		      u64 interval_ns);

/** flows_screen_key - take a key. Return: enum screen_action */
enum screen_action flows_screen_key(struct flows_screen *s, int key);

/** flows_screen_sort_name - what rows are sorted by, in words */
const char *flows_screen_sort_name(const struct flows_screen *s);

/** flows_screen_body - lines for rows; 0 where the screen is too small for any */
size_t flows_screen_body(const struct flows_screen *s);

/** flows_screen_at - where among those shown the selected row is; -1: none is selected, or it is not there now */
ssize_t flows_screen_at(const struct flows_screen *s);

/** flows_screen_scroll - put ->top where it may be, and the selected row on the screen */
void flows_screen_scroll(struct flows_screen *s);

/**
 * flows_screen_draw - what the screen says now
 * @line: ->lines of them, written over; to be freed by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int flows_screen_draw(struct flows_screen *s, struct screen_line *line);

/** flows_screen_cursor - the column of the last line where text is being typed; -1: it is not */
int flows_screen_cursor(const struct flows_screen *s);

#endif
