/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers of "discover" -> text for a person, JSON for a program.
 */
#ifndef SKBTRAIL_RENDER_DISCOVER_H
#define SKBTRAIL_RENDER_DISCOVER_H

#include "analysis/candidates.h"
#include "base/strbuf.h"
#include "capture/trial.h"

#define DISCOVER_GROUP "trail" /* of the definitions that are offered */
#define DISCOVER_NONE SIZE_MAX

/* A definition, and whose it is. */
struct discover_def {
	size_t group;	  /* index of its group ... */
	size_t candidate; /* ... and of its candidate there */
};

struct discover_view {
	enum question question;
	const char *type; /* QUESTION_ARG: of which structure; else NULL */
	const struct candidate_group *groups;
	size_t nr_groups;
	const struct candidates_stats *stats;
	u64 lost;		       /* records */
	const char *release, *machine; /* of the kernel; "" not known */
	bool has_btf;
	const char *tables_from; /* NULL: tables are not known */
	const struct layout *layout;
	const struct trial_def *defs;  /* as they were, or would be, tried */
	const struct discover_def *of; /* for each */
	size_t nr_defs;
	const struct trial_result *trial; /* NULL: nothing was tried ... */
	const char *why_not_tried;	  /* ... and why */
	const char *tracing_dir;	  /* for the definitions */
	unsigned int most;		  /* functions that are shown of a group */
	bool verbose;
};

/**
 * discover_best - the definition to be offered first for a group
 *
 * That of the first function that was right each time it could be judged, at entry, return or of the return value;
 * without a trial the first that can be written down, of connect and accept not at entry.
 *
 * Return: index of the definition, DISCOVER_NONE when there is none.
 */
size_t discover_best(const struct discover_view *v, size_t group);

/** render_discover_text - Return: 0 or -ENOMEM */
int render_discover_text(struct strbuf *out, const struct discover_view *v);

/** render_discover_json - one object, one line; Return: 0 or -ENOMEM */
int render_discover_json(struct strbuf *out, const struct discover_view *v);

/** discover_fetch - what is fetched to answer a question: FETCH_* */
u8 discover_fetch(enum question question);

#endif
