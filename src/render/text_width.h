/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many columns text takes, and making it fit into as many as there are.
 *
 * Foreign text goes to the screen through text_put() only, so all of it is escaped. Colour codes
 * take no column. A character counts as one: names of devices are hardly ever wider.
 */
#ifndef SKBTRAIL_RENDER_TEXT_WIDTH_H
#define SKBTRAIL_RENDER_TEXT_WIDTH_H

#include "base/strbuf.h"

/**
 * text_put - append foreign text, escaped
 * @utf8: else what is not ASCII is escaped as well
 * @max: cut it, with an ellipsis, to so many columns; 0: do not
 *
 * Return: the columns it took.
 */
int text_put(struct strbuf *sb, const char *text, bool utf8, int max);

/** text_columns - the columns that text_put() would take */
int text_columns(const char *text, bool utf8);

/** text_widest - columns of the widest line of what was appended since @from */
int text_widest(const struct strbuf *sb, size_t from);

/**
 * text_wrap - break a line that is too long, between words
 * @from: where the line begins; it is the last one, its newline not yet appended
 * @indent: columns left free on the lines after the first
 */
void text_wrap(struct strbuf *sb, size_t from, int width, int indent);

#endif
