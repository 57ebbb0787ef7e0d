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

/* An array of @size bytes off a free list; the list is filled by a slab at a time. */
static void *get_array(struct paths_pool *pool, void **list, size_t size)
{
	size_t count = SLAB_BYTES / size ? SLAB_BYTES / size : 1, i;
	void *array = *list;
	char *slab;

	if (!array) {
		slab = new_slab(pool, count * size);
		if (!slab)
			return NULL;
		for (i = 0; i < count; i++) {
			*(void **)(slab + i * size) = *list;
			*list = slab + i * size;
		}
		array = *list;
	}
	*list = *(void **)array;
	return array;
}

static void put_array(void **list, void *array)
{
	*(void **)array = *list;
	*list = array;
}

static void *get_hops(struct paths_pool *pool, u32 class)
{
	return get_array(pool, &pool->free_hops[class],
			 pool_class_hops(class) * sizeof(struct hop));
}

static void put_hops(struct paths_pool *pool, u32 class, void *hops)
{
	put_array(&pool->free_hops[class], hops);
}

static u32 class_links(u32 class)
{
	return 4u << (2 * class);
}

static bool grow_links(struct paths_pool *pool, struct path *path)
{
	struct path_link *links;

	if (path->link_class == LINK_CLASSES)
		return false;
	links = get_array(pool, &pool->free_links[path->link_class],
			  class_links(path->link_class) * sizeof(*links));
	if (!links)
		return false;
	if (path->link) {
		memcpy(links, path->link, path->nr_links * sizeof(*links));
		put_array(&pool->free_links[path->link_class - 1], path->link);
	}
	path->link = links;
	path->link_class++;
	return true;
}

struct path_link *pool_link(struct paths_pool *pool, struct path *path)
{
	u32 room = path->link_class ? class_links(path->link_class - 1u) : 0, at = path->nr_links;

	if (at >= PATH_LINKS) {
		path->nr_links++;
		return NULL;
	}
	/* One that there is no memory for is not counted: readers go by the number. */
	if (at == room && !grow_links(pool, path))
		return NULL;
	path->nr_links++;
	return &path->link[at];
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
	path->end_hop = path->end_filter = -1;
	path->hops = get_hops(pool, 0);
	if (!path->hops) {
		path->next = pool->free_paths;
		pool->free_paths = path;
		return NULL;
	}
	return path;
}

struct packet_view *pool_view(struct paths_pool *pool, struct path *path)
{
	struct packet_view *view = get_array(pool, &pool->free_views, sizeof(*view));

	if (!view)
		return NULL;
	view->next = path->views;
	path->views = view;
	return view;
}

struct hop_filter *pool_filter(struct paths_pool *pool, struct path *path)
{
	struct hop_filter *filter = get_array(pool, &pool->free_filters, sizeof(*filter));

	if (!filter)
		return NULL;
	memset(filter, 0, sizeof(*filter));
	filter->next = path->filters;
	path->filters = filter;
	return filter;
}

void pool_put_views(struct paths_pool *pool, struct path *path)
{
	struct packet_view *view;
	struct hop_filter *filter;

	while ((view = path->views)) {
		path->views = view->next;
		put_array(&pool->free_views, view);
	}
	while ((filter = path->filters)) {
		path->filters = filter->next;
		put_array(&pool->free_filters, filter);
	}
	if (path->link)
		put_array(&pool->free_links[path->link_class - 1], path->link);
	path->link = NULL;
}

void pool_put(struct paths_pool *pool, struct path *path)
{
	pool_put_views(pool, path);
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
