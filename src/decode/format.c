// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Format files: a line each for name, id and every field, then the print format.
 *
 *	name: netif_rx
 *	ID: 1365
 *	format:
 *		field:unsigned short common_type;	offset:0;	size:2;	signed:0;
 *		...
 *		field:__data_loc char[] name;	offset:20;	size:4;	signed:1;
 *
 *	print fmt: "dev=%s skbaddr=%p len=%u", __get_str(name), REC->skbaddr, REC->len
 */
#include "decode/format.h"

#include <string.h>

#define MAX_OFFSET 4096 /* no record is larger than a page */

static bool begins_with(struct format_text t, const char *with)
{
	size_t len = strlen(with);

	return t.len >= len && !memcmp(t.at, with, len);
}

static void skip(struct format_text *t, size_t count)
{
	t->at += count;
	t->len -= count;
}

static void skip_blanks(struct format_text *t)
{
	while (t->len && (*t->at == ' ' || *t->at == '\t'))
		skip(t, 1);
}

/* Go to what follows @what; false when it does not occur. */
static bool skip_past(struct format_text *t, const char *what)
{
	const char *found = memmem(t->at, t->len, what, strlen(what));

	if (!found)
		return false;
	skip(t, (size_t)(found - t->at) + strlen(what));
	return true;
}

/* Take a number, decimal or 0x hex, off the text; false when there is none or it is too large. */
static bool take_number(struct format_text *t, u64 *value)
{
	u32 base = 10, digit, count = 0;
	char c;

	if (begins_with(*t, "0x")) {
		base = 16;
		skip(t, 2);
	}
	for (*value = 0; t->len; skip(t, 1), count++) {
		c = *t->at;
		if (c >= '0' && c <= '9')
			digit = (u32)(c - '0');
		else if (base == 16 && (c | 32) >= 'a' && (c | 32) <= 'f')
			digit = (u32)((c | 32) - 'a') + 10;
		else
			break;
		if (*value > UINT32_MAX)
			return false;
		*value = *value * base + digit;
	}
	return count > 0;
}

/* The number behind "offset:" or "size:" in a field's line. */
static bool field_number(struct format_text line, const char *key, u32 *value)
{
	u64 number;

	if (!skip_past(&line, key) || !take_number(&line, &number) || number > INT32_MAX)
		return false;
	*value = (u32)number;
	return true;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* The last word of a declaration is the name; false when there is none. */
static bool parse_declaration(struct format_field *field, struct format_text decl)
{
	const char *bracket;

	field->data_loc = begins_with(decl, "__data_loc ");
	field->rel_loc = begins_with(decl, "__rel_loc ");
	field->array = false;
	while (decl.len && decl.at[decl.len - 1] == ' ')
		decl.len--;
	if (decl.len && decl.at[decl.len - 1] == ']') {
		bracket = memrchr(decl.at, '[', decl.len);
		if (!bracket)
			return false;
		decl.len = (size_t)(bracket - decl.at);
		field->array = true;
	}
	field->name = (struct format_text){ decl.at + decl.len, 0 };
	while (field->name.at > decl.at && is_word(field->name.at[-1])) {
		field->name.at--;
		field->name.len++;
	}
	return field->name.len > 0;
}

static void parse_field(struct format *f, struct format_text line)
{
	struct format_field *field = &f->field[f->nr_fields];
	struct format_text decl = line;
	const char *semicolon = memchr(line.at, ';', line.len);

	if (f->nr_fields == FORMAT_FIELDS || !semicolon)
		return;
	decl.len = (size_t)(semicolon - line.at);
	skip(&line, decl.len);
	if (parse_declaration(field, decl) && field_number(line, "\toffset:", &field->offset) &&
	    field_number(line, "\tsize:", &field->size))
		f->nr_fields++;
}

static bool parse_name(struct format *f, struct format_text line)
{
	size_t i;

	for (i = 0; i < line.len; i++)
		if (!is_word(line.at[i]))
			return false;
	f->name = line;
	return line.len > 0 && line.len < 256;
}

bool format_parse(struct format *f, const char *text, size_t len)
{
	struct format_text rest = { text, len }, line;
	bool has_id = false, has_name = false;
	const char *nl;
	u64 id;

	f->nr_fields = 0;
	f->print = (struct format_text){ text, 0 };
	while (rest.len) {
		nl = memchr(rest.at, '\n', rest.len);
		line = rest;
		if (nl)
			line.len = (size_t)(nl - rest.at);
		skip_blanks(&line);
		if (begins_with(line, "field:")) {
			skip(&line, 6);
			parse_field(f, line);
		} else if (begins_with(line, "name: ")) {
			skip(&line, 6);
			has_name = parse_name(f, line);
		} else if (begins_with(line, "ID: ")) {
			skip(&line, 4);
			has_id = take_number(&line, &id) && id <= UINT16_MAX;
			f->id = has_id ? (u32)id : 0;
		} else if (begins_with(line, "print fmt:")) {
			/* It is the rest: some formats are printed over several lines. */
			f->print = rest;
			break;
		}
		skip(&rest, nl ? (size_t)(nl - rest.at) + 1 : rest.len);
	}
	return has_id && has_name;
}

const struct format_field *format_find(const struct format *f, const char *name)
{
	size_t len = strlen(name);
	u32 i;

	for (i = 0; i < f->nr_fields; i++)
		if (f->field[i].name.len == len && !memcmp(f->field[i].name.at, name, len))
			return &f->field[i];
	return NULL;
}

static struct format_place place_at(const struct format_field *field, u16 *min_len)
{
	struct format_place place = { (u16)field->offset, (u16)field->size };

	if (place.offset + place.size > *min_len)
		*min_len = (u16)(place.offset + place.size);
	return place;
}

struct format_place format_place(const struct format *f, const char *name, u16 *min_len)
{
	const struct format_field *field = format_find(f, name);

	if (!field || field->array || field->data_loc || field->rel_loc ||
	    field->offset > MAX_OFFSET ||
	    (field->size != 1 && field->size != 2 && field->size != 4 && field->size != 8))
		return (struct format_place){ 0, 0 };
	return place_at(field, min_len);
}

struct format_place format_place_sized(const struct format *f, const char *name, u32 size,
				       u16 *min_len)
{
	const struct format_field *field = format_find(f, name);

	if (!field || field->data_loc || field->rel_loc || field->offset > MAX_OFFSET ||
	    field->size != size)
		return (struct format_place){ 0, 0 };
	return place_at(field, min_len);
}

struct format_text format_symbols(const struct format *f, const char *field)
{
	struct format_text rest = f->print;

	while (skip_past(&rest, "__print_symbolic(")) {
		skip_blanks(&rest);
		if (!begins_with(rest, "REC->"))
			continue;
		skip(&rest, 5);
		if (!begins_with(rest, field))
			continue;
		skip(&rest, strlen(field));
		if (!rest.len || !is_word(*rest.at))
			return rest;
	}
	return (struct format_text){ rest.at, 0 };
}

bool format_next_symbol(struct format_text *list, s64 *value, struct format_text *name)
{
	const char *quote;
	bool negative;
	u64 number;

	for (;;) {
		while (list->len && (*list->at == ' ' || *list->at == ',' || *list->at == '}'))
			skip(list, 1);
		if (!list->len || *list->at != '{')
			return false;
		skip(list, 1);
		skip_blanks(list);
		negative = begins_with(*list, "-");
		if (negative)
			skip(list, 1);
		*value = -1;
		if (take_number(list, &number))
			*value = negative ? -(s64)number : (s64)number;
		else
			number = UINT64_MAX; /* a name that the kernel forgot to resolve */
		if (!skip_past(list, "\""))
			return false;
		quote = memchr(list->at, '"', list->len);
		if (!quote)
			return false;
		*name = (struct format_text){ list->at, (size_t)(quote - list->at) };
		skip(list, name->len + 1);
		if (number != UINT64_MAX)
			return true;
	}
}
