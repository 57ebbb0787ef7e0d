/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by text_path.c and text_end.c only: the path that is being written, and where to.
 */
#ifndef SKBTRAIL_RENDER_TEXT_INTERNAL_H
#define SKBTRAIL_RENDER_TEXT_INTERNAL_H

#include "render/render.h"
#include "render/text_width.h"

/* Where the text of an end line begins. */
#define TEXT_END_INDENT (FMT_DURATION_WIDTH + 5)

#define COLOR_RESET "\033[0m"
#define COLOR_BOLD "\033[1m"
#define COLOR_DIM "\033[2m"
#define COLOR_RED "\033[1;31m"
#define COLOR_GREEN "\033[32m"
#define COLOR_YELLOW "\033[33m"
#define COLOR_CYAN "\033[36m"

struct text {
	struct strbuf *sb;
	const struct path *path;
	const struct render_names *names;
	const struct text_style *style;
	int netns_width;  /* 0: no netns is known, no column */
	int netns_widest; /* of a name; wider than the column lets it run over */
	int dev_width;
	int cpu_width, len_width; /* 0: no such columns */
	bool cut;		  /* names are cut to their columns */
	bool line_open, chained;  /* the line of a hop is not ended; it has functions behind it */
	size_t line_from;	  /* where it begins */
	size_t name_from;	  /* ... and what it says */
	const struct hop *line_hop;
	char netns_text[24];
	u64 last_ns; /* time of the line above */
	u16 last_netns;
	u32 lines;
};

static inline void color(struct text *t, const char *code)
{
	if (t->style->color)
		strbuf_puts(t->sb, code);
}

/* Append foreign text; returns the columns it took. */
static inline int put_name(struct text *t, const char *name)
{
	return text_put(t->sb, name, t->style->utf8, 0);
}

/** text_task - "ping[3302]", or "pid[3302]" when its name is not known */
void text_task(struct text *t, s32 pid);

/**
 * text_state - how the path ended, in words
 * @end: the hop that ended it, or NULL
 */
void text_state(struct text *t, const struct hop *end);

/** text_filter - "ipv4 FORWARD: DROP", "table filter, chain FORWARD: DROP" */
void text_filter(struct text *t, const struct hop *hop);

/** text_change - what one CHANGE_* bit means for the packet */
void text_change(struct text *t, u32 bit, const struct packet *before, const struct packet *after);

/** text_end_below - end a line that stands below a hop or an end and began at @from, wrapped if need be */
void text_end_below(struct text *t, size_t from);

/** text_parents - lines for the packets that this one was made of or because of */
void text_parents(struct text *t);

/** text_children - lines for what was made of it */
void text_children(struct text *t);

/** text_gap - with PATH_GAP, how much was lost meanwhile */
void text_gap(struct text *t);

#endif
