/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Definitions of probe events in tracefs, of one group: how many there are, and their removal.
 *
 * In:  dynamic_events, or kprobe_events where that is all there is.
 */
#ifndef SKBTRAIL_KERNEL_DYNEVENTS_H
#define SKBTRAIL_KERNEL_DYNEVENTS_H

#include "base/error.h"
#include "base/types.h"

/** dynevents_count - definitions of @group in the file @path; Return: 0 or -errno */
int dynevents_count(const char *path, const char *group, size_t *count);

/**
 * dynevents_remove - take back all definitions of @group with one write
 *
 * Again for about a second while some are busy.
 *
 * Return: 0, also when there are none; -errno.
 */
int dynevents_remove(const char *path, const char *group, struct error *err);

#endif
