/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arrays that grow by doubling and are used again: what a task needs for a call goes to the next task that
 * makes one. So memory is that of the calls under way, and a record allocates nothing.
 */
#ifndef SKBTRAIL_ANALYSIS_CALLGRAPH_POOL_H
#define SKBTRAIL_ANALYSIS_CALLGRAPH_POOL_H

#include "base/types.h"

#define GRAPH_POOL_FIRST 32 /* elements of the smallest array */
#define GRAPH_POOL_CLASSES 16

struct graph_pool {
	void *free[GRAPH_POOL_CLASSES]; /* lists, linked by the first bytes of each */
	size_t size;			/* of an element; at least that of a pointer */
	u64 total;			/* elements of all arrays there are */
	u64 max_total;
};

/* An array of a pool. */
struct graph_array {
	void *at;
	u32 nr, room;
};

/**
 * graph_pool_grow - make room for one element more
 * @max: elements that this array may have
 *
 * Return: false when there is no memory, or none is left of what the pool may have.
 */
bool graph_pool_grow(struct graph_pool *pool, struct graph_array *a, u32 max);

/** graph_pool_give - give an array's memory back */
void graph_pool_give(struct graph_pool *pool, struct graph_array *a);
void graph_pool_free(struct graph_pool *pool);

#endif
