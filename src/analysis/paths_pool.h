/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of paths: recycled, so that the hot path allocates only while the number of packets on
 * their way still grows. Hops of a path lie in one array that moves to a larger class when full.
 */
#ifndef SKBTRAIL_ANALYSIS_PATHS_POOL_H
#define SKBTRAIL_ANALYSIS_PATHS_POOL_H

#include "analysis/path.h"

#define HOP_CLASSES 5 /* 16, 64, 256, 1024, 4096 hops */

#define LINK_CLASSES 3 /* 4, 16, 64 links */

struct paths_pool {
	struct path *free_paths;	/* linked by ->next */
	void *free_links[LINK_CLASSES]; /* linked through their first word */
	void *free_hops[HOP_CLASSES];	/* linked through their first word */
	void *free_views, *free_filters;
	void *slabs; /* everything allocated, linked through its first word */
};

/** pool_get - an empty path with room for hops, or NULL; its generation differs from the last use */
struct path *pool_get(struct paths_pool *pool);
void pool_put(struct paths_pool *pool, struct path *path);
/** pool_grow - move a path's hops to an array of the next class; false when there is none */
bool pool_grow(struct paths_pool *pool, struct path *path);

static inline u32 pool_class_hops(u32 class)
{
	return 16u << (2 * class);
}

/** pool_hop - room for one more hop, or NULL when the cap is reached or memory ran out */
static inline struct hop *pool_hop(struct paths_pool *pool, struct path *path)
{
	if (unlikely(path->nr_hops == pool_class_hops(path->hop_class)) && !pool_grow(pool, path))
		return NULL;
	return &path->hops[path->nr_hops++];
}

/**
 * pool_link - room for one more link of a path, which is counted in any case
 *
 * Return: NULL when PATH_LINKS are kept already, or without memory.
 */
struct path_link *pool_link(struct paths_pool *pool, struct path *path);

/** pool_view - a view to be filled in, the path's latest from now on; NULL without memory */
struct packet_view *pool_view(struct paths_pool *pool, struct path *path);
/** pool_put_views - take all views of a path back */
void pool_put_views(struct paths_pool *pool, struct path *path);
/** pool_filter - the same for what netfilter did */
struct hop_filter *pool_filter(struct paths_pool *pool, struct path *path);

void pool_free(struct paths_pool *pool);

#endif
