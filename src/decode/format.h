/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of an event's format file, taken apart.
 *
 * Our own reader because the text may come from a stranger: libtraceevent 1.7 crashes on formats
 * that are cut off or nested deeply. Everything points into the text; nothing is allocated.
 */
#ifndef SKBTRAIL_DECODE_FORMAT_H
#define SKBTRAIL_DECODE_FORMAT_H

#include "base/bytes.h"

#define FORMAT_FIELDS 128 /* fields beyond are passed over; no kernel event has half as many */

struct format_text {
	const char *at;
	size_t len;
};

struct format_field {
	struct format_text name;
	u32 offset, size;
	bool array;    /* type name[16] */
	bool data_loc; /* __data_loc type[] name: a u32 that says where it is */
	bool rel_loc;  /* __rel_loc, the same, counted from the end of the u32 */
};

struct format {
	struct format_text name;
	struct format_text print; /* what follows "print fmt:", empty when there is none */
	u32 id;
	u32 nr_fields;
	struct format_field field[FORMAT_FIELDS];
};

/**
 * format_parse - take a format's text apart
 *
 * A line that makes no sense is passed over.
 *
 * Return: false when it has no name, or no id from 0 to 65535.
 */
bool format_parse(struct format *f, const char *text, size_t len);

/** format_find - the field of a name, or NULL */
const struct format_field *format_find(const struct format *f, const char *name);

/* Where a field is in a record; size 0: there is none. */
struct format_place {
	u16 offset, size;
};

/**
 * format_place - the place of a plain integer in a record; of size 0 when there is no such field
 * @min_len: raised to the field's end: a record must reach to it
 */
struct format_place format_place(const struct format *f, const char *name, u16 *min_len);

/** format_place_sized - the same for a field of any kind that has this size */
struct format_place format_place_sized(const struct format *f, const char *name, u32 size,
				       u16 *min_len);

static inline u64 format_load(const u8 *data, struct format_place place, bool swap)
{
	return load_uint(data + place.offset, place.size, swap);
}

/**
 * format_symbols - where the list of names of a field's values begins in the print format
 *
 * That is behind "__print_symbolic(REC->FIELD". Return: what is left of the text there, to be given
 * to format_next_symbol(); empty when the field has no such list.
 */
struct format_text format_symbols(const struct format *f, const char *field);

/** format_next_symbol - take the next { VALUE, "NAME" } off a list; false at its end */
bool format_next_symbol(struct format_text *list, s64 *value, struct format_text *name);

#endif
