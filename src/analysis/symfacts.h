/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's symbols tell of functions: exported, global or static, and siblings that the
 * compiler cut off them.
 *
 * In:  the text of kallsyms, names of functions.
 * Out: struct symfact for each, from one pass.
 */
#ifndef SKBTRAIL_ANALYSIS_SYMFACTS_H
#define SKBTRAIL_ANALYSIS_SYMFACTS_H

#include "base/types.h"

struct symfact {
	bool known;	  /* it is in kallsyms */
	bool global;	  /* not static */
	bool exported;	  /* to modules */
	u32 copies;	  /* functions of exactly this name */
	u32 siblings;	  /* .isra.0, .part.0, .constprop.0, .cold */
	char sibling[48]; /* the ending of one of them: ".part.0" */
};

/**
 * symfacts_read - look functions up
 * @names: @nr of them, sorted by strcmp(), none twice
 * @facts: @nr of them, filled in
 */
void symfacts_read(const char *kallsyms, const char *const *names, size_t nr,
		   struct symfact *facts);

#endif
