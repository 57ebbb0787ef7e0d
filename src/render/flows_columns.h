/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many columns of a screen -> which columns of the table are on it, and how wide.
 *
 * Who talks to whom and how fast has the first claim on the room there is; the sums come next, addresses in
 * full, then the rest. What does not fit into its place shows that something was cut.
 */
#ifndef SKBTRAIL_RENDER_FLOWS_COLUMNS_H
#define SKBTRAIL_RENDER_FLOWS_COLUMNS_H

#include "render/flows.h"

struct flows_columns {
	u16 width[FLOWS_COLUMNS]; /* 0: is not shown */
	u16 at[FLOWS_COLUMNS];	  /* where it begins */
};

/**
 * flows_columns_fit - choose
 * @columns: of the screen
 * @need: the widest text there is, of each column
 */
void flows_columns_fit(struct flows_columns *fit, enum flows_by by, int columns, const int *need);

/**
 * flows_cell - like render_flows_cell(), but every character takes one column of the screen
 * @utf8: else what is not ASCII is escaped. Wide characters and those of no width are, always
 *
 * Return: the columns it takes.
 */
int flows_cell(struct strbuf *sb, const struct flow_row *row, enum flows_column column,
	       enum flows_by by, u64 now_ns, u64 interval_ns, bool utf8);

/** screen_put_foreign - append a stranger's text, escaped as above. Return: the columns it takes */
int screen_put_foreign(struct strbuf *sb, const char *text, size_t len, bool utf8);

/** screen_columns - of @len bytes of text of which each character takes one */
int screen_columns(const char *text, size_t len);

enum screen_cut {
	SCREEN_CUT_END,
	SCREEN_CUT_MIDDLE, /* of an address both its network and its port tell most */
};

/** screen_put_fit - append such text, or as much as fits in @width columns, and a sign that it was cut */
void screen_put_fit(struct strbuf *sb, const char *text, int width, enum screen_cut how, bool utf8);

#endif
