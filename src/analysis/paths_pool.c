// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Free lists for paths and for hop arrays of a few sizes, carved from slabs.
 */
#include "analysis/paths_pool.h"

#include <stdlib.h>
#include <string.h>

#define SLAB_BYTES (128u << 10)

/* A new slab of @size bytes behind its link; NULL when memory ran out. */
static void *new_slab(struct paths_pool *pool, size_t size)
{
	void **slab = malloc(sizeof(void *) * 2 + size);

	if (!slab)
		return NULL;
	*slab = pool->slabs;
	pool->slabs = slab;
	return slab + 2;
}

static void *get_hops(struct paths_pool *pool, u32 class)
{
	size_t size = pool_class_hops(class) * sizeof(struct hop);
	size_t count = SLAB_BYTES / size ? SLAB_BYTES / size : 1, i;
	void *hops = pool->free_hops[class];
	char *slab;

	if (!hops) {
		slab = new_slab(pool, count * size);
		if (!slab)
			return NULL;
		for (i = 0; i < count; i++) {
			*(void **)(slab + i * size) = pool->free_hops[class];
			pool->free_hops[class] = slab + i * size;
		}
		hops = pool->free_hops[class];
	}
	pool->free_hops[class] = *(void **)hops;
	return hops;
}

static void put_hops(struct paths_pool *pool, u32 class, void *hops)
{
	*(void **)hops = pool->free_hops[class];
	pool->free_hops[class] = hops;
}

struct path *pool_get(struct paths_pool *pool)
{
	size_t count = SLAB_BYTES / sizeof(struct path), i;
	struct path *path = pool->free_paths;
	u32 generation;

	if (!path) {
		path = new_slab(pool, count * sizeof(*path));
		if (!path)
			return NULL;
		memset(path, 0, count * sizeof(*path));
		for (i = 0; i < count; i++) {
			path[i].next = pool->free_paths;
			pool->free_paths = &path[i];
		}
		path = pool->free_paths;
	}
	pool->free_paths = path->next;
	generation = path->generation + 1;
	memset(path, 0, sizeof(*path));
	path->generation = generation;
	path->end_hop = -1;
	path->hops = get_hops(pool, 0);
	if (!path->hops) {
		path->next = pool->free_paths;
		pool->free_paths = path;
		return NULL;
	}
	return path;
}

void pool_put(struct paths_pool *pool, struct path *path)
{
	put_hops(pool, path->hop_class, path->hops);
	path->hops = NULL;
	path->generation++;
	path->next = pool->free_paths;
	pool->free_paths = path;
}

bool pool_grow(struct paths_pool *pool, struct path *path)
{
	struct hop *hops;

	if (path->hop_class + 1 == HOP_CLASSES)
		return false;
	hops = get_hops(pool, path->hop_class + 1u);
	if (!hops)
		return false;
	memcpy(hops, path->hops, path->nr_hops * sizeof(*hops));
	put_hops(pool, path->hop_class, path->hops);
	path->hops = hops;
	path->hop_class++;
	return true;
}

void pool_free(struct paths_pool *pool)
{
	void **slab = pool->slabs, **next;

	for (; slab; slab = next) {
		next = *slab;
		free(slab);
	}
	memset(pool, 0, sizeof(*pool));
}
