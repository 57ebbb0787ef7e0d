// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Durations and time stamps as text.
 */
#include "render/fmt.h"

/* Four columns: @value, below 1,000, to the right. Returns how many spaces come first. */
static u32 put_units(char *to, u32 value)
{
	u32 hundreds = value / 100, rest = value % 100;

	to[0] = ' ';
	to[1] = (char)('0' + hundreds);
	to[2] = (char)('0' + rest / 10);
	to[3] = (char)('0' + rest % 10);
	if (hundreds)
		return 1;
	to[1] = ' ';
	if (rest >= 10)
		return 2;
	to[2] = ' ';
	return 3;
}

/* Four columns: @value / 1000 with three significant digits: "1.42", "14.2", " 142". */
static u32 put_thousandths(char *to, u32 value)
{
	u32 three;

	if (value >= 100000)
		return put_units(to, value / 1000);
	three = value >= 10000 ? value / 100 : value / 10;
	to[0] = (char)('0' + three / 100);
	to[3] = (char)('0' + three % 10);
	if (value >= 10000) {
		to[1] = (char)('0' + three / 10 % 10);
		to[2] = '.';
	} else {
		to[1] = '.';
		to[2] = (char)('0' + three / 10 % 10);
	}
	return 0;
}

/* From 1,000 s on: whole seconds, and days when these get too long. */
static void put_long(struct strbuf *sb, u64 seconds, bool align)
{
	bool days = seconds > 999999;
	u64 value = days ? seconds / 86400 : seconds, rest;
	int columns = 3;

	for (rest = value; rest >= 10; rest /= 10)
		columns++;
	if (align)
		strbuf_pad(sb, FMT_DURATION_WIDTH - columns);
	strbuf_put_u64(sb, value);
	strbuf_puts(sb, days ? " d" : " s");
}

void fmt_duration(struct strbuf *sb, u64 ns, bool utf8, bool align)
{
	/* A space, the number, a space, the unit: eight columns, one byte more for "µ". */
	char text[12] = "       s";
	u32 skip, len = FMT_DURATION_WIDTH;

	if (ns < 1000) {
		skip = put_units(text + 1, (u32)ns);
		text[6] = 'n';
	} else if (ns < NSEC_PER_MSEC) {
		skip = put_thousandths(text + 1, (u32)ns);
		memcpy(text + 6, utf8 ? "µs" : "us", utf8 ? 3 : 2);
		len += utf8;
	} else if (ns < NSEC_PER_SEC) {
		skip = put_thousandths(text + 1, (u32)(ns / 1000));
		text[6] = 'm';
	} else if (ns < 1000 * NSEC_PER_SEC) {
		skip = put_thousandths(text + 1, (u32)(ns / 1000000));
		memcpy(text + 6, "s ", 2);
		len -= !align;
	} else {
		put_long(sb, ns / NSEC_PER_SEC, align);
		return;
	}
	skip = align ? 0 : skip + 1;
	strbuf_put(sb, text + skip, len - skip);
}

void fmt_seconds(struct strbuf *sb, u64 ns)
{
	u64 us = ns / 1000 % 1000000;
	char text[10] = { '.' };
	int i;

	for (i = 6; i > 0; i--, us /= 10)
		text[i] = (char)('0' + us % 10);
	memcpy(text + 7, " s", 2);
	strbuf_put_u64(sb, ns / NSEC_PER_SEC);
	strbuf_put(sb, text, 9);
}
