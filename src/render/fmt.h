/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers with units, written without printf: a report has a million of them.
 */
#ifndef SKBTRAIL_RENDER_FMT_H
#define SKBTRAIL_RENDER_FMT_H

#include "base/strbuf.h"

#define FMT_DURATION_WIDTH 8

/**
 * fmt_duration - a time span, three digits and its unit, at most 8 columns: "999 ns", "1.42 µs"
 * @align: to the right, in exactly FMT_DURATION_WIDTH columns
 *
 * Digits are cut, not rounded: no span is shown longer than it was. 1,000 s and more is shown in
 * whole seconds, 1,000,000 s and more in days.
 */
void fmt_duration(struct strbuf *sb, u64 ns, bool utf8, bool align);

/** fmt_seconds - a time stamp in seconds with six decimals: "462.726726 s" */
void fmt_seconds(struct strbuf *sb, u64 ns);

#endif
