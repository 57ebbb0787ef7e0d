/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of processes -> a tree of processes, each with what it and all below it moved.
 *
 * Pure. A process' parents come from whoever knows them; where nobody does, the tree begins.
 */
#ifndef SKBTRAIL_ANALYSIS_FLOWTREE_H
#define SKBTRAIL_ANALYSIS_FLOWTREE_H

#include "analysis/flows.h"
#include "kernel/tasklist.h"

struct flowtree_node {
	s32 pid;			      /* 0: what is nobody's, or whose is not known */
	s32 parent;			      /* 0: not known */
	u32 depth;			      /* 0: nothing above it */
	char comm[16];			      /* "" not known */
	bool from_packets;		      /* as in flow_row */
	struct flow_sums sum, recent;	      /* its own */
	struct flow_sums sum_all, recent_all; /* with all that is below it */
};

struct flowtree {
	struct flowtree_node *node; /* parents before their children; the most traffic first */
	size_t nr, cap;
};

/** flowtree_parent - what is known of a process; NULL: nothing. Valid until the next call */
typedef const struct tasklist_entry *(*flowtree_parent)(void *ctx, s32 pid);

/**
 * flowtree_build - make the tree
 * @row: FLOWS_BY_PID
 * @out: filled in; to be released with flowtree_free() whatever is returned
 *
 * Return: 0 or -ENOMEM.
 */
int flowtree_build(struct flowtree *out, const struct flow_row *row, size_t nr,
		   flowtree_parent parent, void *ctx);
void flowtree_free(struct flowtree *tree);

#endif
