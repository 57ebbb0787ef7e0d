/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a skbtrail that was killed left in tracefs, and its removal.
 *
 * In:  the instances directory and the lists of dynamic events.
 * Out: instances named exactly skbtrail-<digits> and probe events of group skbtrail_<digits> whose
 *      owner is dead.
 *
 * The owner of both lives if and only if the instance skbtrail-<digits> is flocked. Owners create
 * and lock theirs under a shared flock of the instances directory; whoever judges or removes holds
 * that one exclusively, so that an instance that is not yet locked is never seen. Pids are not
 * asked: they are reused, and differ between pid namespaces.
 *
 * What a dead owner set at the top level is restored from the file it kept, see saved.h.
 */
#ifndef SKBTRAIL_CAPTURE_LEFTOVERS_H
#define SKBTRAIL_CAPTURE_LEFTOVERS_H

#include "base/error.h"
#include "base/types.h"

enum leftover_kind {
	LEFTOVER_INSTANCE,
	LEFTOVER_SAVED, /* settings of the top level that are to be restored */
	LEFTOVER_PROBE, /* kprobe, uprobe, event or fprobe event */
};

struct leftover {
	enum leftover_kind kind;
	char *name;	  /* "skbtrail-123", "skbtrail_123/probe", SAVED_FILE */
	bool removed;	  /* after leftovers_remove() */
	bool alive;	  /* its owner turned up in between: left alone, no failure */
	struct error err; /* why it could not be removed; code 0 otherwise */
};

struct leftovers {
	struct leftover *items; /* probe events last: they can go only after the instances */
	size_t count;
};

/**
 * leftovers_find - list what dead owners left; changes nothing
 * @tracing_dir: mount point of tracefs
 * @out: filled in; to be released with leftovers_free() whatever is returned
 *
 * Return: 0 (also when there is nothing), -errno when tracefs could not be looked at.
 */
int leftovers_find(const char *tracing_dir, struct leftovers *out, struct error *err);

/**
 * leftovers_remove - remove what leftovers_find() listed
 * @list: ->removed, ->alive or ->err of each item is filled in
 * @err: the first reason, when something could not be removed
 *
 * Each item is judged again under the locks before it is touched. Only files of the item itself
 * are written: its own events, its own tracing_on, its own probe definition.
 *
 * Return: 0 when all is gone, else -errno of the first failure (the rest was still tried).
 */
int leftovers_remove(const char *tracing_dir, struct leftovers *list, struct error *err);

void leftovers_free(struct leftovers *list);

#endif
