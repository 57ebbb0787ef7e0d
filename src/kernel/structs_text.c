// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * struct layout as text, written and read: the files of "structs --save" and of the cache.
 *
 * What is read may come from a stranger and ends up in memory accesses of the kernel's: every number
 * has its range, nothing may be said twice, and the last line must be whole.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/structs_priv.h"

#define FIRST_LINE "# skbtrail structs 1"
#define LINE_MAX_BYTES 300

struct reader {
	struct layout *l;
	struct error *err;
	unsigned int line;
	u32 seen; /* a bit for each of keys[] */
};

struct key {
	const char *word;
	int (*take)(struct reader *r, const char *value);
};

static int bad(struct reader *r, const char *what, const char *value)
{
	return error_set(r->err, EINVAL, "line %u: %s '%.60s'", r->line, what, value);
}

/* A whole decimal number of at most 9 digits; Return: where it ends, NULL when there is none. */
static const char *parse_number(const char *at, u32 *value)
{
	const char *start = at;

	for (*value = 0; *at >= '0' && *at <= '9' && at - start < 10; at++)
		*value = *value * 10 + (u32)(*at - '0');
	return at > start && at - start < 10 ? at : NULL;
}

static int take_number(struct reader *r, const char *value, u32 min, u32 max, u32 *out)
{
	const char *end = parse_number(value, out);

	if (!end || *end || *out < min || *out > max)
		return error_set(r->err, EINVAL,
				 "line %u: a number from %u to %u is needed, not '%.60s'", r->line,
				 min, max, value);
	return 0;
}

static int take_word(struct reader *r, const char *value, char *out, size_t size)
{
	if (!value[0] || strchr(value, ' ') || strlen(value) >= size)
		return bad(r, "a word is needed, and no longer one than", value);
	strcpy(out, value);
	return 0;
}

static int take_kernel(struct reader *r, const char *value)
{
	return take_word(r, value, r->l->kernel, sizeof(r->l->kernel));
}

static int take_build_id(struct reader *r, const char *value)
{
	if (value[strspn(value, "0123456789abcdef")] || strlen(value) % 2)
		return bad(r, "no build id:", value);
	return take_word(r, value, r->l->build_id, sizeof(r->l->build_id));
}

static int take_source(struct reader *r, const char *value)
{
	if (strlen(value) >= sizeof(r->l->from))
		return bad(r, "too long:", value);
	strcpy(r->l->from, value);
	return 0;
}

static int take_skb_size(struct reader *r, const char *value)
{
	return take_number(r, value, 1, STRUCTS_SKB_SIZE_MAX, &r->l->skb_size);
}

static int take_long_size(struct reader *r, const char *value)
{
	if (strcmp(value, "4") && strcmp(value, "8"))
		return bad(r, "a long has 4 or 8 bytes, not", value);
	r->l->long_size = (u8)(value[0] - '0');
	return 0;
}

static int take_byte_order(struct reader *r, const char *value)
{
	if (strcmp(value, "little") && strcmp(value, "big"))
		return bad(r, "byte order is little or big, not", value);
	r->l->little_endian = value[0] == 'l';
	return 0;
}

/* "calibrated", and which of netfilter's parts were there then */
static int take_calibrated(struct reader *r, const char *value)
{
	r->l->tried = LAYOUT_TRIED;
	if (strstr(value, "nf_tables"))
		r->l->tried |= LAYOUT_TRIED_NFT;
	if (strstr(value, "x_tables"))
		r->l->tried |= LAYOUT_TRIED_XT;
	return 0;
}

static const struct key keys[] = {
	{ "kernel", take_kernel },	   { "build-id", take_build_id },
	{ "source", take_source },	   { "skb-size", take_skb_size },
	{ "long-size", take_long_size },   { "byte-order", take_byte_order },
	{ "calibrated", take_calibrated },
};

static int take_key(struct reader *r, const char *word, const char *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(word, keys[i].word))
			continue;
		if (r->seen & 1U << i)
			return bad(r, "said twice:", word);
		r->seen |= 1U << i;
		return keys[i].take(r, value);
	}
	return 0;
}

/* "16 8", or "126 1 7" of a bit */
static bool parse_place(const char *value, struct found *found)
{
	u32 offset, size, bit;
	const char *at;

	memset(found, 0, sizeof(*found));
	at = parse_number(value, &offset);
	if (!at || *at != ' ')
		return false;
	at = parse_number(at + 1, &size);
	if (at && *at == ' ') {
		at = parse_number(at + 1, &bit);
		found->is_bit = true;
		found->bit = (u8)(bit < 8 ? bit : 8);
	}
	found->offset = offset;
	found->size = size;
	return at && !*at;
}

static int take_member(struct reader *r, const char *name, const char *value)
{
	struct found found;
	int m;

	for (m = 0; m < MEMBER_COUNT && strcmp(name, member_defs[m].name); m++)
		;
	if (m == MEMBER_COUNT)
		return 0;
	if (layout_has(r->l, (enum member)m))
		return bad(r, "said twice:", name);
	if (!parse_place(value, &found))
		return bad(r, "an offset and a size are needed, not", value);
	if (!layout_put(r->l, (enum member)m, &found, STRUCTS_FILE))
		return error_set(r->err, EINVAL,
				 "line %u: %s: offsets go to %u, sizes from 1 to %u, bits (of "
				 "flags, in one byte) to 7, not '%.60s'",
				 r->line, name, STRUCTS_OFFSET_MAX, STRUCTS_SIZE_MAX, value);
	return 0;
}

static int take_line(struct reader *r, const char *text, size_t len)
{
	char line[LINE_MAX_BYTES];
	char *value;
	size_t i;

	if (len >= sizeof(line))
		return error_set(r->err, EINVAL, "line %u: longer than %zu characters", r->line,
				 sizeof(line) - 1);
	for (i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return error_set(r->err, EINVAL, "line %u: not plain text", r->line);
	memcpy(line, text, len);
	line[len] = '\0';
	if (r->line == 1)
		return strcmp(line, FIRST_LINE) ?
			       bad(r,
				   "a file of 'skbtrail structs --save' begins with '" FIRST_LINE
				   "', not",
				   line) :
			       0;
	if (!len || line[0] == '#')
		return 0;
	value = strchr(line, ' ');
	if (!value || value == line || !value[1])
		return bad(r, "a name and a value are needed, not", line);
	*value++ = '\0';
	return strchr(line, '.') ? take_member(r, line, value) : take_key(r, line, value);
}

/* A place in an skb that is not in it would be somebody else's memory. */
static int check_skb(const struct layout *l, struct error *err)
{
	int m;

	for (m = SKB_DEV; l->skb_size && m <= SKB_VLAN_PRESENT; m++)
		if (l->at[m].offset + l->at[m].size > l->skb_size)
			return error_set(err, EINVAL, "%s lies outside of an sk_buff of %u bytes",
					 member_defs[m].name, l->skb_size);
	return 0;
}

int structs_read_text(struct layout *out, const char *text, size_t len, struct error *err)
{
	struct reader r = { .l = out, .err = err };
	const char *end = text + len;
	const char *nl;
	int ret = 0;

	memset(out, 0, sizeof(*out));
	out->source = STRUCTS_FILE;
	if (!len)
		return error_set(err, EINVAL, "empty");
	for (; text < end && !ret; text = nl + 1) {
		r.line++;
		nl = memchr(text, '\n', (size_t)(end - text));
		if (!nl)
			return error_set(err, EINVAL, "line %u: cut short", r.line);
		ret = take_line(&r, text, (size_t)(nl - text));
	}
	return ret ? ret : check_skb(out, err);
}

int structs_write_text(const struct layout *l, struct strbuf *out)
{
	int m;

	strbuf_puts(out, FIRST_LINE "\n");
	if (l->kernel[0])
		strbuf_printf(out, "kernel %s\n", l->kernel);
	if (l->build_id[0])
		strbuf_printf(out, "build-id %s\n", l->build_id);
	strbuf_printf(out, "source %s", structs_source_name(l->source));
	if (l->from[0]) {
		strbuf_puts(out, ", ");
		/* a path may have bytes that a reader of this refuses */
		for (m = 0; l->from[m] && m < 200; m++)
			strbuf_putc(out, l->from[m] < ' ' || l->from[m] > '~' ? '?' : l->from[m]);
	}
	strbuf_putc(out, '\n');
	if (l->skb_size)
		strbuf_printf(out, "skb-size %u\n", l->skb_size);
	if (l->long_size)
		strbuf_printf(out, "long-size %u\nbyte-order %s\n", l->long_size,
			      l->little_endian ? "little" : "big");
	if (l->tried & LAYOUT_TRIED)
		strbuf_printf(out, "calibrated %s%s\n",
			      l->tried & LAYOUT_TRIED_NFT ? "nf_tables" : "-",
			      l->tried & LAYOUT_TRIED_XT ? " x_tables" : "");
	for (m = 0; m < MEMBER_COUNT; m++) {
		if (!layout_has(l, (enum member)m))
			continue;
		strbuf_printf(out, "%s %u %u", member_defs[m].name, l->at[m].offset, l->at[m].size);
		if (l->at[m].is_bit)
			strbuf_printf(out, " %u", l->at[m].bit);
		strbuf_putc(out, '\n');
	}
	return out->failed ? -ENOMEM : 0;
}
