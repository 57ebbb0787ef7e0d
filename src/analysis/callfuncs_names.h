/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by callfuncs.c and callfuncs_names.c only: what names say.
 */
#ifndef SKBTRAIL_ANALYSIS_CALLFUNCS_NAMES_H
#define SKBTRAIL_ANALYSIS_CALLFUNCS_NAMES_H

#include "analysis/callfuncs.h"

/** callfuncs_fits - whether a name is of a pattern, in which * stands for any text and ? for a character */
bool callfuncs_fits(const char *pattern, const char *name);

/** callfuncs_judge_name - fill in class, protocols, families and of_sockets; @name without ".isra.0" */
void callfuncs_judge_name(struct call_func *f, const char *name);

/** callfuncs_judge_table - whose functions are in an operations table; false: not known */
bool callfuncs_judge_table(const char *table, u16 *protocols, u8 *families);

#endif
