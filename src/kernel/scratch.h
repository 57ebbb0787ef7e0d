/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A private instance with probe events of our own, for a short while: opened, used, and gone again.
 *
 * All is in an instance skbtrail-<pid> and a group skbtrail_<pid>, owned as tracedir.h says, so what a
 * killed process leaves is removed by the next capture, or by "skbtrail clean".
 */
#ifndef SKBTRAIL_KERNEL_SCRATCH_H
#define SKBTRAIL_KERNEL_SCRATCH_H

#include "base/error.h"
#include "base/strbuf.h"

struct scratch {
	char tracing_dir[256];
	char instance[320];
	char group[32];	  /* of the probe events */
	char define[288]; /* file for definitions */
	int owner;	  /* holds the instance's lock; -1: not open */
};

/**
 * scratch_open - make the instance
 *
 * Return: 0; -ENOENT when the kernel has no probe events; -errno.
 */
int scratch_open(struct scratch *s, const char *tracing_dir, struct error *err);

/** scratch_close - events off, definitions and instance removed; Return: 0, -errno of the first that stays */
int scratch_close(struct scratch *s, struct error *err);

/** scratch_define - one line "p:GROUP/NAME ..." with GROUP as in @s, or several; Return: 0 or -errno */
int scratch_define(const struct scratch *s, const char *lines);

/** scratch_undefine - events off and all definitions removed */
int scratch_undefine(const struct scratch *s, struct error *err);

/** scratch_write - write a file of the instance; Return: 0 or -errno */
int scratch_write(const struct scratch *s, const char *file, const char *value);

/** scratch_switch - all events of the group on or off */
int scratch_switch(const struct scratch *s, bool on);

/** scratch_read - append the records so far, as text */
int scratch_read(const struct scratch *s, struct strbuf *out);

#endif
