/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device names as small numbers, so that the hot path compares and stores a u16.
 *
 * Names come out of ring buffers and may be anything; they are kept as bytes, cut at IFNAMSIZ - 1
 * as the kernel does, and escaped where they are printed.
 */
#ifndef SKBTRAIL_DECODE_DEVNAMES_H
#define SKBTRAIL_DECODE_DEVNAMES_H

#include "base/types.h"

#define DEVNAME_SIZE 16	   /* IFNAMSIZ of the kernel, NUL included */
#define DEVNAMES_MAX 32767 /* more names than that share number 0, "no device" */

struct devnames {
	char (*name)[DEVNAME_SIZE]; /* DEVNAMES_MAX + 1 of them, "" where not in use, as is [0] */
	u16 *slot;		    /* hash table of numbers, 0 for free */
	u32 nr, cap, mask;
	u64 refused; /* look-ups that found the table full */
};

int devnames_init(struct devnames *d);
void devnames_free(struct devnames *d);

/**
 * devnames_intern - the number of a name, new when it is new
 * @name: @len bytes, a NUL ends it earlier
 *
 * Return: 0 for an empty name, when memory ran out or the table is full (counted in ->refused).
 */
u16 devnames_intern(struct devnames *d, const char *name, size_t len);

/** devnames_text - the name of a number, NUL-terminated, "" for 0 */
static inline const char *devnames_text(const struct devnames *d, u16 dev)
{
	return d->name[dev <= DEVNAMES_MAX ? dev : 0];
}

#endif
