/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads that there are, or were: process, parent and name of each, for the reader of a recording.
 *
 * From /proc at its start; records tell of those that come later. Stored as JSON: [[tid, pid, parent, "name"], ...].
 */
#ifndef SKBTRAIL_KERNEL_TASKLIST_H
#define SKBTRAIL_KERNEL_TASKLIST_H

#include <stddef.h>

#include "base/types.h"

#define TASKLIST_MAX 1000000U

struct tasklist_entry {
	s32 tid;
	s32 pid;       /* of its process */
	s32 parent;    /* of the process; 0 not known, or none */
	char comm[16]; /* of the process' first thread, padded with 0 */
	bool told;     /* records tell of it: nothing knows its name better */
};

/* All 0: empty. */
struct tasklist {
	struct tasklist_entry *entry; /* sorted by tid but for the last ->unsorted */
	size_t nr, cap, unsorted;
};

struct json_object;

void tasklist_free(struct tasklist *list);

/** tasklist_put - remember a thread; what was known of that number is replaced. Return: 0 or -ENOMEM */
int tasklist_put(struct tasklist *list, const struct tasklist_entry *entry);

/** tasklist_find - NULL when it is not known; valid until the list is changed */
const struct tasklist_entry *tasklist_find(struct tasklist *list, s32 tid);

/**
 * tasklist_scan - look at all of /proc
 * @root: "" or, for tests, a directory that stands for /
 * @again: also at those that are known, whose names may have changed
 *
 * Return: 0 or -ENOMEM. What is gone stays in the list.
 */
int tasklist_scan(struct tasklist *list, const char *root, bool again);

/** tasklist_to_json - NULL when memory ran out */
struct json_object *tasklist_to_json(const struct tasklist *list);

/** tasklist_from_json - may be a stranger's: what makes no sense is passed over. Return: 0 or -ENOMEM */
int tasklist_from_json(struct tasklist *list, struct json_object *array);

#endif
