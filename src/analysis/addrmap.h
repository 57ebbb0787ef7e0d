/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the address of an skb to whatever is known of it.
 */
#ifndef SKBTRAIL_ANALYSIS_ADDRMAP_H
#define SKBTRAIL_ANALYSIS_ADDRMAP_H

#include "base/types.h"

struct addrmap_slot {
	u64 skb; /* 0: free */
	void *value;
};

struct addrmap {
	struct addrmap_slot *slot;
	u32 nr, mask;
};

/** addrmap_init - Return: 0 or -ENOMEM */
int addrmap_init(struct addrmap *t);
void addrmap_free(struct addrmap *t);

/** addrmap_find - what an address stands for now, or NULL. O(1) */
void *addrmap_find(const struct addrmap *t, u64 skb);

/** addrmap_set - let an address stand for something. Return: 0 or -ENOMEM */
int addrmap_set(struct addrmap *t, u64 skb, void *value);

/** addrmap_remove - forget an address */
void addrmap_remove(struct addrmap *t, u64 skb);

#endif
