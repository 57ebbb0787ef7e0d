/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thin access to tracefs: whole writes to control files, and private instances with an owner.
 *
 * In:  paths and values.
 * Out: 0 or the errno of exactly the call that failed, so that a person can be told.
 *
 * The rule behind instance ownership is here once: an instance is created and flocked under a
 * shared lock of the instances directory, and judged or removed by strangers under an exclusive
 * one. Hence an instance that can be flocked by a holder of the exclusive lock has a dead owner.
 */
#ifndef SKBTRAIL_KERNEL_TRACEDIR_H
#define SKBTRAIL_KERNEL_TRACEDIR_H

#include "base/error.h"
#include "base/types.h"

/* No tracefs control file that we read is larger, the list of 100,000 probe events included. */
#define TRACEDIR_FILE_MAX (16U << 20)

/**
 * tracedir_write - write @value and a newline to a control file in one write(2)
 *
 * The file is neither created nor truncated (truncating dynamic_events removes everybody's
 * events).
 *
 * Return: 0 or -errno of open() or write(); -EIO for a short write.
 */
int tracedir_write(const char *path, const char *value);

/** tracedir_append - tracedir_write() with O_APPEND, as the dynamic event files want it */
int tracedir_append(const char *path, const char *value);

/** tracedir_clear - truncate a control file that is a list (set_ftrace_filter, trace), which empties it */
int tracedir_clear(const char *path);

/**
 * tracedir_write_words - append words to a list of functions
 * @words: separated by blanks
 *
 * Of such files a write(2) takes one word, so there are several, but one open(): the kernel puts a list in
 * force when it is closed.
 *
 * Return: 0 or -errno; then the words before the refused one are in force.
 */
int tracedir_write_words(const char *path, const char *words);

/** tracedir_can_write - open for writing and close again, writing nothing; Return: 0 or -errno */
int tracedir_can_write(const char *path);

/**
 * tracedir_has_word - whether a file's white space separated words include @word
 *
 * Return: 1, 0, or -errno when the file cannot be read. "[word]" counts as @word.
 */
int tracedir_has_word(const char *path, const char *word);

/**
 * tracedir_lock - flock a directory, waiting for at most @timeout_ms
 * @operation: LOCK_SH or LOCK_EX
 *
 * Return: a close-on-exec descriptor, to be closed to unlock; -EWOULDBLOCK when somebody else
 * kept it; another -errno.
 */
int tracedir_lock(const char *dir, int operation, int timeout_ms);

/**
 * instance_create - make instances/<name> and own it
 * @tracing_dir: mount point of tracefs
 * @dir: the instance's absolute path
 * @err: filled in on failure
 *
 * Return: the descriptor that holds the owner's lock (keep it open), or -errno with nothing left.
 */
int instance_create(const char *tracing_dir, const char *dir, struct error *err);

/**
 * instance_create_over - instance_create(), after removing one of that name that has no owner any more
 *
 * An instance with our pid in its name, but not ours, can only be what an earlier process of the
 * same pid left, unless its owner lives in another pid namespace: instance_reap() knows.
 */
int instance_create_over(const char *tracing_dir, const char *dir, struct error *err);

/**
 * instance_remove - rmdir, tried again for about a second while the kernel answers EBUSY
 *
 * Return: 0 also when it is not there any more; -errno.
 */
int instance_remove(const char *dir);

/**
 * instance_owner_alive - whether somebody holds the owner's lock of an instance
 *
 * The answer is certain only while the caller holds the instances directory with LOCK_EX.
 *
 * Return: 1, 0 (also when it does not exist), -errno.
 */
int instance_owner_alive(const char *dir);

/**
 * instance_reap - remove an instance whose owner is dead: events off, tracing off, rmdir
 * @tracing_dir: mount point of tracefs
 * @dir: the instance's absolute path
 * @err: filled in on failure
 *
 * Return: 0 when it is gone, -EWOULDBLOCK when its owner lives (nothing was touched), -errno.
 */
int instance_reap(const char *tracing_dir, const char *dir, struct error *err);

/**
 * instances_lock - take the instances directory for judging owners (LOCK_EX) or creating (LOCK_SH)
 *
 * Return: a descriptor to be closed, or -errno.
 */
int instances_lock(const char *tracing_dir, int operation, struct error *err);

#endif
