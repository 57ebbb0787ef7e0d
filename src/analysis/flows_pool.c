// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory of the flows: see flows_internal.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/flows_internal.h"

int flow_pool_init(struct flow_pool *p, size_t size, u32 max)
{
	memset(p, 0, sizeof(*p));
	p->size = (u32)size;
	p->max = max;
	p->chunk = calloc(max / POOL_CHUNK + 1, sizeof(*p->chunk));
	return p->chunk ? 0 : -ENOMEM;
}

void flow_pool_free(struct flow_pool *p)
{
	u32 i;

	for (i = 0; i < p->nr_chunks; i++)
		free(p->chunk[i]);
	free(p->chunk);
	memset(p, 0, sizeof(*p));
}

u32 flow_pool_get(struct flow_pool *p, bool *memory)
{
	u32 place = p->free;

	if (place) {
		memcpy(&p->free, flow_pool_at(p, place), sizeof(p->free));
	} else if (p->used < p->max) {
		if (p->used == p->nr_chunks * POOL_CHUNK) {
			p->chunk[p->nr_chunks] = malloc((size_t)POOL_CHUNK * p->size);
			if (!p->chunk[p->nr_chunks]) {
				*memory = false;
				return 0;
			}
			p->nr_chunks++;
		}
		place = ++p->used;
	} else {
		return 0;
	}
	memset(flow_pool_at(p, place), 0, p->size);
	p->live++;
	return place;
}

void flow_pool_put(struct flow_pool *p, u32 place)
{
	memcpy(flow_pool_at(p, place), &p->free, sizeof(p->free));
	p->free = place;
	p->live--;
}

int flow_chains_init(struct flow_chains *c, u32 max)
{
	u32 nr = 1;

	while (nr < max && nr < 1U << 31)
		nr *= 2;
	c->mask = nr - 1;
	c->bucket = calloc(nr, sizeof(*c->bucket));
	return c->bucket ? 0 : -ENOMEM;
}
