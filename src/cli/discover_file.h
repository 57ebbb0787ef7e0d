/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording with function_graph -> candidates.
 */
#ifndef SKBTRAIL_CLI_DISCOVER_FILE_H
#define SKBTRAIL_CLI_DISCOVER_FILE_H

#include "analysis/candidates.h"
#include "base/strbuf.h"
#include "decode/schema.h"
#include "decode/symbols.h"
#include "kernel/optables.h"
#include "kernel/prototypes.h"

#define DISCOVER_NAMES 64 /* kinds of system calls */

struct discover_file {
	struct candidates *candidates;
	const struct candidate_group *groups;
	size_t nr_groups;
	struct prototypes *prototypes; /* NULL: not those of this kernel */
	struct optables *tables;       /* NULL: not known */
	char release[128];	       /* of the recorded kernel; "" not known */
	char machine[32];
	bool is_running; /* it is the kernel that runs here */
	u64 records;	 /* of function_graph */
	u64 lost;
	/* private */
	struct symbols symbols;
	struct schema schema;
	enum question question;
	char *names[DISCOVER_NAMES];
	size_t nr_names;
};

/**
 * discover_read - read a recording and rank what it has for a question
 * @tracing_dir: to read tables of the running kernel if it is the recorded one, and the recording has none;
 *		 "" or NULL: from /proc/kcore only
 * @out: to be released with discover_file_free() whatever is returned
 */
int discover_read(struct discover_file *out, const char *path, enum question question,
		  const char *type, const char *tracing_dir, struct error *err);
void discover_file_free(struct discover_file *d);

#endif
