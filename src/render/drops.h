/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups of dropped packets -> text or JSON, appended to a string buffer. No I/O here.
 */
#ifndef SKBTRAIL_RENDER_DROPS_H
#define SKBTRAIL_RENDER_DROPS_H

#include "analysis/drops.h"
#include "render/render.h"

/**
 * render_drop_words - words for the numbers of a new group, while their source is at hand
 * @w: what is NULL is filled in where it is known, but for ->example
 * @path: the group's first
 */
void render_drop_words(struct drop_words *w, const struct drop_key *key, const struct path *path,
		       const struct render_names *names);

/** render_drop_text - a group for a person; with ->verbose its example, too */
void render_drop_text(struct strbuf *sb, const struct drop_group *group,
		      const struct text_style *style);

/**
 * render_drop_json - a group as one line of JSON, as skbtrail-json(5) describes it
 *
 * Return: 0 or -ENOMEM.
 */
int render_drop_json(struct strbuf *sb, const struct drop_group *group);

/** render_drops_rest - a line, or an object, about packets that are in no group; nothing for 0 */
void render_drops_rest(struct strbuf *sb, u64 ungrouped, bool json);

#endif
