/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by text_path.c and text_end.c only: the path that is being written, and where to.
 */
#ifndef SKBTRAIL_RENDER_TEXT_INTERNAL_H
#define SKBTRAIL_RENDER_TEXT_INTERNAL_H

#include "render/render.h"
#include "render/text_width.h"

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
	u64 last_ns;		  /* time of the line above */
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

/** text_gap - with PATH_GAP, how much was lost meanwhile */
void text_gap(struct text *t);

#endif
