// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interning of device names: 16 bytes are two words, compared and hashed as such.
 */
#include "decode/devnames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static u32 hash_name(const char *name)
{
	u64 a, b;

	memcpy(&a, name, 8);
	memcpy(&b, name + 8, 8);
	a = (a ^ (b * 0x9e3779b97f4a7c15ULL)) * 0xff51afd7ed558ccdULL;
	return (u32)(a >> 32);
}

static int resize(struct devnames *d, u32 cap)
{
	u16 *slot = calloc((size_t)cap * 2, sizeof(*slot));
	u32 i, at;

	if (!slot)
		return -ENOMEM;
	free(d->slot);
	d->slot = slot;
	d->cap = cap;
	d->mask = cap * 2 - 1;
	for (i = 1; i < d->nr; i++) {
		for (at = hash_name(d->name[i]) & d->mask; slot[at]; at = (at + 1) & d->mask)
			;
		slot[at] = (u16)i;
	}
	return 0;
}

int devnames_init(struct devnames *d)
{
	memset(d, 0, sizeof(*d));
	/* Names never move: another thread may be reading them. Only pages in use take memory. */
	d->name = calloc(DEVNAMES_MAX + 1, sizeof(*d->name));
	if (!d->name || resize(d, 256)) {
		devnames_free(d);
		return -ENOMEM;
	}
	d->nr = 1;
	return 0;
}

void devnames_free(struct devnames *d)
{
	free(d->name);
	free(d->slot);
	memset(d, 0, sizeof(*d));
}

/*
 * Copy a name up to its NUL into a key that is zero behind it. Most names end within a word, which
 * is then masked in one go: (w - 0x01..) & ~w & 0x80.. has its lowest bit in the first zero byte.
 */
static void make_key(char *key, const char *name, size_t len)
{
	u64 word, zeros;
	size_t i;

	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && len >= 8) {
		memcpy(&word, name, 8);
		zeros = (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;
		if (zeros) {
			word &= ((zeros & -zeros) >> 7) - 1;
			memcpy(key, &word, 8);
			return;
		}
	}
	for (i = 0; i < len && i < DEVNAME_SIZE - 1 && name[i]; i++)
		key[i] = name[i];
}

u16 devnames_intern(struct devnames *d, const char *name, size_t len)
{
	char key[DEVNAME_SIZE] = { 0 };
	u32 at;

	make_key(key, name, len);
	if (!key[0])
		return 0;
	for (at = hash_name(key) & d->mask; d->slot[at]; at = (at + 1) & d->mask)
		if (!memcmp(d->name[d->slot[at]], key, DEVNAME_SIZE))
			return d->slot[at];
	if (d->nr > DEVNAMES_MAX || (d->nr == d->cap && resize(d, d->cap * 2))) {
		d->refused++;
		return 0;
	}
	for (at = hash_name(key) & d->mask; d->slot[at]; at = (at + 1) & d->mask)
		;
	memcpy(d->name[d->nr], key, DEVNAME_SIZE);
	d->slot[at] = (u16)d->nr;
	return (u16)d->nr++;
}
