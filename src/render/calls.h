/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Merged trees of calls -> text, dot, folded stacks or JSON, appended to a string buffer. No I/O here.
 */
#ifndef SKBTRAIL_RENDER_CALLS_H
#define SKBTRAIL_RENDER_CALLS_H

#include "analysis/calltree.h"
#include "render/render.h"

struct calls_view {
	struct calltree *tree;
	const struct callfuncs *funcs;
	const struct render_names *names; /* of events, devices and tasks */
	struct text_style style;
	u32 max_depth; /* deeper functions are not shown; 0: no limit */
	u64 min_ns;    /* nor those that took less in total, but for packets in them */
	u32 min_part; /* ... nor less than this part of the tree's time: 500 is 0.2 %; 0: no limit */
	bool per_call;	 /* each group is one call */
	const u64 *args; /* of the only call, with per_call; NULL: none */
};

/** render_calls_text - all trees for a person */
void render_calls_text(struct strbuf *sb, const struct calls_view *view);

/** render_calls_json - one object a tree and line, see skbtrail-json(5). Return: 0 or -ENOMEM */
int render_calls_json(struct strbuf *sb, const struct calls_view *view);

/** render_calls_dot - a graph in the language of dot(1), all trees in it */
void render_calls_dot(struct strbuf *sb, const struct calls_view *view);

/** render_calls_folded - "caller;callee 1234": stacks and their own nanoseconds, for flame graphs */
void render_calls_folded(struct strbuf *sb, const struct calls_view *view);

/* --- for these renderers only */

/** calls_prune - mark the nodes of a tree that are not shown */
void calls_prune(const struct calls_view *view, const struct tree_group *g, u8 context);

/** calls_put_title - "connect TCP IPv4"; what is not known is a "?" */
void calls_put_title(struct strbuf *sb, const struct calls_view *view, const struct tree_group *g);

/** calls_put_func - the name of a node: of its function, escaped, or its address; of helpers their kind */
void calls_put_func(struct strbuf *sb, const struct calls_view *view, const struct tree_node *n);

/** calls_context_name - "softirq"; "" for TREE_OWN */
const char *calls_context_name(u8 context);

/** calls_from_name - word for enum tree_from; NULL for none */
const char *calls_from_name(u8 from);

#endif
