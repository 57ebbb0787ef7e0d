/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel addresses -> function names, from the text of /proc/kallsyms.
 *
 * The text is kept and indexed lightly, when the first address is asked for: a recording carries
 * 5 MB of it, 150,000 names, and most reports need a handful of them.
 */
#ifndef SKBTRAIL_DECODE_SYMBOLS_H
#define SKBTRAIL_DECODE_SYMBOLS_H

#include "base/error.h"
#include "base/strbuf.h"

struct symbol {
	u64 addr;
	u32 name; /* where in the text */
	u8 name_len;
	char type; /* 'T', 't', ... */
};

/* Where in the text a line starts, and its address. */
struct symbol_sample {
	u64 addr;
	size_t at;
};

struct symbols {
	struct strbuf text; /* kallsyms; filled in by the caller */
	/* The kernel's own part lies in the order of addresses: samples lead near the right line. */
	struct symbol_sample *sample;
	size_t nr_samples;
	size_t sampled_end; /* of that part, in the text; 0: there is none */
	/* The rest (modules), taken apart: functions, by rising address, one for each address. */
	struct symbol *all;
	size_t nr;
	bool indexed;
	struct {
		u64 addr;
		u64 offset;
		const char *name;
		size_t len;
	} cache[256]; /* answers given before; few places free most packets */
};

void symbols_free(struct symbols *s);

/**
 * symbols_find - the function that an address lies in
 * @offset: set to the distance from its start, bytes
 * @len: set to the length of the name
 *
 * Of several names for one address the global one wins, then the one without a dot, then the
 * shortest, then the first in the alphabet.
 *
 * Return: the name, not NUL-terminated, or NULL when no symbol is below the address (an unreadable
 * kallsyms has only zeroes).
 */
const char *symbols_find(struct symbols *s, u64 addr, u64 *offset, size_t *len);

#endif
