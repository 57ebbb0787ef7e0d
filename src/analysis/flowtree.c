// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees of processes: see flowtree.h.
 *
 * Numbers of processes are used again, so what is known of parents may contradict itself: whoever would become its
 * own ancestor has no parent here.
 */
#include "analysis/flowtree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/flows_internal.h"

/* More levels are cut: no machine has as many, and a recording may claim any. */
#define DEPTH_MAX 64

static int add(struct flowtree *tree, const struct flowtree_node *node)
{
	size_t cap = tree->cap ? tree->cap * 2 : 64;
	struct flowtree_node *grown;

	if (tree->nr == tree->cap) {
		grown = reallocarray(tree->node, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		tree->node = grown;
		tree->cap = cap;
	}
	tree->node[tree->nr++] = *node;
	return 0;
}

static int compare_pids(const void *va, const void *vb)
{
	const struct flowtree_node *a = va, *b = vb;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static struct flowtree_node *find(const struct flowtree *tree, s32 pid)
{
	struct flowtree_node key = { .pid = pid };

	return pid ? bsearch(&key, tree->node, tree->nr, sizeof(key), compare_pids) : NULL;
}

static int add_rows(struct flowtree *tree, const struct flow_row *row, size_t nr)
{
	struct flowtree_node node;
	size_t i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		memset(&node, 0, sizeof(node));
		node.pid = row[i].pid;
		memcpy(node.comm, row[i].comm, sizeof(node.comm));
		node.sum = row[i].sum;
		node.recent = row[i].recent;
		ret = add(tree, &node);
	}
	return ret;
}

static void sort_pids(struct flowtree *tree)
{
	if (tree->nr)
		qsort(tree->node, tree->nr, sizeof(*tree->node), compare_pids);
}

/* Those above the rows, level by level. */
static int add_parents(struct flowtree *tree, flowtree_parent parent, void *ctx)
{
	const struct tasklist_entry *known;
	struct flowtree_node node;
	size_t first = 0, end, i;
	u32 level;
	int ret = 0;

	for (level = 0; level < DEPTH_MAX && first < tree->nr && !ret; level++) {
		end = tree->nr;
		for (i = first; i < end && !ret; i++) {
			known = tree->node[i].pid ? parent(ctx, tree->node[i].pid) : NULL;
			if (!known)
				continue;
			tree->node[i].parent = known->parent;
			if (!tree->node[i].comm[0])
				memcpy(tree->node[i].comm, known->comm, sizeof(known->comm));
			memset(&node, 0, sizeof(node));
			node.pid = known->parent;
			if (node.pid)
				ret = add(tree, &node);
		}
		first = end;
	}
	return ret;
}

/* One node a process: those with sums come first among equals, as qsort() need not keep any order. */
static void merge_same(struct flowtree *tree)
{
	struct flowtree_node *to = tree->node, *from;
	size_t i, kept = 0;

	sort_pids(tree);
	for (i = 0; i < tree->nr; i++) {
		from = &tree->node[i];
		if (!kept || to[kept - 1].pid != from->pid) {
			to[kept++] = *from;
			continue;
		}
		sums_add(&to[kept - 1].sum, &from->sum);
		sums_add(&to[kept - 1].recent, &from->recent);
		if (!to[kept - 1].parent)
			to[kept - 1].parent = from->parent;
		if (!to[kept - 1].comm[0])
			memcpy(to[kept - 1].comm, from->comm, sizeof(from->comm));
	}
	tree->nr = kept;
}

/* Sums go up to all ancestors; a way up that does not end begins here. */
static void sum_up(struct flowtree *tree)
{
	struct flowtree_node *up;
	size_t i;
	u32 level;

	for (i = 0; i < tree->nr; i++) {
		level = 0;
		for (up = find(tree, tree->node[i].parent); up && level <= DEPTH_MAX; level++)
			up = find(tree, up->parent);
		if (level > DEPTH_MAX)
			tree->node[i].parent = 0;
	}
	for (i = 0; i < tree->nr; i++) {
		tree->node[i].depth = 0;
		sums_add(&tree->node[i].sum_all, &tree->node[i].sum);
		sums_add(&tree->node[i].recent_all, &tree->node[i].recent);
		for (up = find(tree, tree->node[i].parent); up; up = find(tree, up->parent)) {
			sums_add(&up->sum_all, &tree->node[i].sum);
			sums_add(&up->recent_all, &tree->node[i].recent);
			tree->node[i].depth++;
		}
	}
}

static u64 traffic(const struct flowtree_node *n)
{
	return n->recent_all.rx_bytes + n->recent_all.tx_bytes;
}

/* Brothers: the most traffic first. */
static int compare_brothers(const void *va, const void *vb)
{
	const struct flowtree_node *a = va, *b = vb;

	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (traffic(a) != traffic(b))
		return traffic(a) > traffic(b) ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* The first node of a depth whose parent is @parent; @nr when there is none. Sorted as compare_brothers() says. */
static size_t first_child(const struct flowtree_node *node, size_t nr, u32 depth, s32 parent)
{
	size_t low = 0, high = nr, at;

	while (low < high) {
		at = low + (high - low) / 2;
		if (node[at].depth < depth || (node[at].depth == depth && node[at].parent < parent))
			low = at + 1;
		else
			high = at;
	}
	return low;
}

static void place_children(struct flowtree_node *to, size_t *placed,
			   const struct flowtree_node *sorted, size_t nr, size_t at)
{
	size_t child;
	const struct flowtree_node *n = &sorted[at];

	to[(*placed)++] = *n;
	for (child = n->pid ? first_child(sorted, nr, n->depth + 1, n->pid) : nr;
	     child < nr && sorted[child].depth == n->depth + 1 && sorted[child].parent == n->pid;
	     child++)
		place_children(to, placed, sorted, nr, child);
}

/* Depth first. */
static int order(struct flowtree *tree)
{
	struct flowtree_node *sorted = calloc(tree->nr + 1, sizeof(*sorted)), *roots;
	size_t i, nr_roots = 0, placed = 0;

	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < tree->nr; i++)
		if (!tree->node[i].depth)
			tree->node[i].parent = 0;
	qsort(tree->node, tree->nr, sizeof(*tree->node), compare_brothers);
	while (nr_roots < tree->nr && !tree->node[nr_roots].depth)
		nr_roots++;
	roots = tree->node;
	for (i = 0; i < nr_roots; i++)
		place_children(sorted, &placed, roots, tree->nr, i);
	free(tree->node);
	tree->node = sorted;
	tree->nr = placed;
	tree->cap = placed;
	return 0;
}

int flowtree_build(struct flowtree *out, const struct flow_row *row, size_t nr,
		   flowtree_parent parent, void *ctx)
{
	int ret;

	memset(out, 0, sizeof(*out));
	ret = add_rows(out, row, nr);
	if (!ret)
		ret = add_parents(out, parent, ctx);
	if (ret || !out->nr)
		return ret;
	merge_same(out);
	sum_up(out);
	return order(out);
}

void flowtree_free(struct flowtree *tree)
{
	free(tree->node);
	memset(tree, 0, sizeof(*tree));
}
