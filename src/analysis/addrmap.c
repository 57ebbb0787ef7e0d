// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hash table with open addressing, at most half full; what is removed leaves no trace.
 */
#include "analysis/addrmap.h"

#include <errno.h>
#include <stdlib.h>

static u32 hash_skb(u64 skb)
{
	/* skbs lie 64 bytes apart at least; the middle of the product mixes best. */
	return (u32)((skb >> 6) * 0x9e3779b97f4a7c15ULL >> 32);
}

int addrmap_init(struct addrmap *t)
{
	t->nr = 0;
	t->mask = 4095;
	t->slot = calloc((size_t)t->mask + 1, sizeof(*t->slot));
	return t->slot ? 0 : -ENOMEM;
}

void addrmap_free(struct addrmap *t)
{
	free(t->slot);
	t->slot = NULL;
}

void *addrmap_find(const struct addrmap *t, u64 skb)
{
	u32 at = hash_skb(skb) & t->mask;

	for (; t->slot[at].skb; at = (at + 1) & t->mask)
		if (t->slot[at].skb == skb)
			return t->slot[at].value;
	return NULL;
}

static void put(struct addrmap_slot *slot, u32 mask, u64 skb, void *value)
{
	u32 at = hash_skb(skb) & mask;

	while (slot[at].skb && slot[at].skb != skb)
		at = (at + 1) & mask;
	slot[at] = (struct addrmap_slot){ skb, value };
}

static int grow(struct addrmap *t)
{
	u32 mask = t->mask * 2 + 1, i;
	struct addrmap_slot *slot = calloc((size_t)mask + 1, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (i = 0; i <= t->mask; i++)
		if (t->slot[i].skb)
			put(slot, mask, t->slot[i].skb, t->slot[i].value);
	free(t->slot);
	t->slot = slot;
	t->mask = mask;
	return 0;
}

int addrmap_set(struct addrmap *t, u64 skb, void *value)
{
	if (t->nr * 2 >= t->mask && grow(t))
		return -ENOMEM;
	if (!addrmap_find(t, skb))
		t->nr++;
	put(t->slot, t->mask, skb, value);
	return 0;
}

void addrmap_remove(struct addrmap *t, u64 skb)
{
	u32 at = hash_skb(skb) & t->mask, next, home;

	while (t->slot[at].skb != skb) {
		if (!t->slot[at].skb)
			return;
		at = (at + 1) & t->mask;
	}
	t->nr--;
	/* Close the gap: move back whatever may not stay behind a free slot. */
	for (next = (at + 1) & t->mask; t->slot[next].skb; next = (next + 1) & t->mask) {
		home = hash_skb(t->slot[next].skb) & t->mask;
		if (((next - home) & t->mask) >= ((next - at) & t->mask)) {
			t->slot[at] = t->slot[next];
			at = next;
		}
	}
	t->slot[at].skb = 0;
}
