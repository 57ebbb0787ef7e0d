/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads of integers from unaligned foreign bytes, swapped when the recording machine's byte order
 * is not ours. @swap is a constant at every call in a hot loop, so the test folds away.
 */
#ifndef SKBTRAIL_BASE_BYTES_H
#define SKBTRAIL_BASE_BYTES_H

#include <string.h>

#include "base/types.h"

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define HOST_BIG_ENDIAN true
#else
#define HOST_BIG_ENDIAN false
#endif

static inline u16 load_u16(const void *p, bool swap)
{
	u16 v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap16(v) : v;
}

static inline u32 load_u32(const void *p, bool swap)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap32(v) : v;
}

static inline u64 load_u64(const void *p, bool swap)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap64(v) : v;
}

/** load_uint - an unsigned integer of 1, 2, 4 or 8 bytes (0 for any other size) */
static inline u64 load_uint(const void *p, unsigned int size, bool swap)
{
	switch (size) {
	case 8:
		return load_u64(p, swap);
	case 4:
		return load_u32(p, swap);
	case 2:
		return load_u16(p, swap);
	case 1:
		return *(const u8 *)p;
	default:
		return 0;
	}
}

#endif
