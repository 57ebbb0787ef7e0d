/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine's own tracing looked like before a capture changed it, in a file, so that it
 * can be restored after the capture was killed.
 *
 * In:  writes to tracefs that restore it.
 * Out: /run/skbtrail/function_graph (0600, its folder 0700), complete before the first change and gone after
 *      the last; flocked while its owner lives.
 *
 * There is one, since there is one top level. What is read back is done only if the file is the caller's own,
 * whole, and names nothing outside of tracefs.
 */
#ifndef SKBTRAIL_CAPTURE_SAVED_H
#define SKBTRAIL_CAPTURE_SAVED_H

#include <sys/types.h>

#include "base/error.h"
#include "base/strbuf.h"

#define SAVED_DIR "/run/skbtrail"
#define SAVED_FILE SAVED_DIR "/function_graph"

/**
 * saved_put - add a write to the text of such a file
 * @value: what is written; NULL: the file is emptied
 */
void saved_put(struct strbuf *text, const char *path, const char *value);

/**
 * saved_create - make the file and own it
 * @file: SAVED_FILE, but for tests
 * @text: made by saved_put()
 *
 * Return: a descriptor that holds the lock; -EBUSY: another skbtrail owns it; -EEXIST: a dead one left
 * it; another -errno.
 */
int saved_create(const char *file, const struct strbuf *text, struct error *err);

/** saved_remove - all is restored: the file goes, then the lock; @fd below 0 is fine */
void saved_remove(const char *file, int fd);

/**
 * saved_owner - whose the file is
 * @pid: 0 when it cannot be read
 *
 * Return: 1 when its owner lives, 0 when it is left over, -ENOENT when there is none, another -errno.
 */
int saved_owner(const char *file, pid_t *pid);

/**
 * saved_restore - do the writes of a file whose owner is dead, and remove it
 * @tracing_dir: all that is written is below it
 *
 * A file that was not completed is only removed: nothing had been changed yet.
 *
 * Return: 0; -EWOULDBLOCK: its owner lives; -errno of the first write that failed, the others were
 * done; then the file stays.
 */
int saved_restore(const char *file, const char *tracing_dir, struct error *err);

#endif
