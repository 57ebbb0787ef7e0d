/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of optables share: tables as words, before their functions have names.
 */
#ifndef SKBTRAIL_KERNEL_OPTABLES_PRIV_H
#define SKBTRAIL_KERNEL_OPTABLES_PRIV_H

#include "kernel/optables.h"

struct optables_symbol {
	u64 addr;
	const char *name; /* in the text of kallsyms, @len bytes */
	size_t len;
	char type;
};

struct raw_table {
	u64 addr, end; /* end: of the next symbol */
	const char *type;
	char *name;
	u32 nr_words;
	u64 words[OPTABLES_SLOTS_MAX];
};

struct optables_raw {
	struct raw_table table[OPTABLES_MAX];
	size_t nr;
};

/** optables_read_kcore - fill in the words from /proc/kcore; Return: 0 or -errno */
int optables_read_kcore(struct optables_raw *raw, const char *root);

/**
 * optables_read_probe - fill in the words from records of a probe event
 * @kallsyms: its text, to find a system call to put it on
 */
int optables_read_probe(struct optables_raw *raw, const char *tracing_dir, const char *kallsyms,
			struct error *err);

/** optables_parse_words - "{0x1,0x2}", exactly @nr of them; Return: whether it was that */
bool optables_parse_words(const char *text, u64 *words, u32 nr);

#endif
