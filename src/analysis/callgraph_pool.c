// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arrays of 32, 64, 128 ... elements; one that is given back waits in a list of its size.
 */
#include "analysis/callgraph_pool.h"

#include <stdlib.h>
#include <string.h>

static u32 class_of(u32 room)
{
	return (u32)__builtin_ctz(room / GRAPH_POOL_FIRST);
}

static void *take(struct graph_pool *pool, u32 room)
{
	void **list = &pool->free[class_of(room)], *at = *list;

	if (at) {
		memcpy(list, at, sizeof(*list));
		return at;
	}
	if (pool->total + room > pool->max_total)
		return NULL;
	at = malloc(room * pool->size);
	if (at)
		pool->total += room;
	return at;
}

/* Arrays that nobody uses make way for one of another size. */
static void drop_unused(struct graph_pool *pool)
{
	void *at;
	u32 i;

	for (i = 0; i < GRAPH_POOL_CLASSES; i++) {
		while ((at = pool->free[i])) {
			memcpy(&pool->free[i], at, sizeof(at));
			free(at);
			pool->total -= GRAPH_POOL_FIRST << i;
		}
	}
}

bool graph_pool_grow(struct graph_pool *pool, struct graph_array *a, u32 max)
{
	u32 room = a->room ? a->room * 2 : GRAPH_POOL_FIRST;
	u32 nr = a->nr;
	void *at;

	if (nr < a->room)
		return true;
	if (room > max || class_of(room) >= GRAPH_POOL_CLASSES)
		return false;
	at = take(pool, room);
	if (!at) {
		drop_unused(pool);
		at = take(pool, room);
	}
	if (!at)
		return false;
	if (nr)
		memcpy(at, a->at, nr * pool->size);
	graph_pool_give(pool, a);
	*a = (struct graph_array){ at, nr, room };
	return true;
}

void graph_pool_give(struct graph_pool *pool, struct graph_array *a)
{
	void **list;

	if (a->room) {
		list = &pool->free[class_of(a->room)];
		memcpy(a->at, list, sizeof(*list));
		*list = a->at;
	}
	*a = (struct graph_array){ NULL, 0, 0 };
}

void graph_pool_free(struct graph_pool *pool)
{
	drop_unused(pool);
}
