// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Call trees as a graph for dot(1): a cluster for each tree, an edge for each call with how often.
 *
 * What is escaped already is escaped once more for the quotes that it stands in.
 */
#include "render/calls.h"
#include "render/fmt.h"

static void put_quoted(struct strbuf *sb, const struct strbuf *text)
{
	size_t i;

	for (i = 0; i < text->len; i++) {
		if (text->data[i] == '"' || text->data[i] == '\\')
			strbuf_putc(sb, '\\');
		strbuf_putc(sb, text->data[i]);
	}
}

static void put_label(struct strbuf *sb, const struct calls_view *view, const struct tree_node *n)
{
	struct strbuf text = STRBUF_INIT;

	calls_put_func(&text, view, n);
	put_quoted(sb, &text);
	text.len = 0;
	strbuf_puts(sb, "\\n");
	strbuf_put_u64(sb, n->count);
	strbuf_puts(sb, n->count == 1 ? " call" : " calls");
	if (n->nr_timed) {
		strbuf_puts(sb, ", ");
		fmt_duration(sb, n->total_ns, true, false);
	}
	sb->failed |= text.failed;
	strbuf_free(&text);
}

static void put_nodes(struct strbuf *sb, const struct calls_view *view, u32 at)
{
	const struct tree_node *n = calltree_node(view->tree, at);
	u32 i;

	strbuf_printf(sb, "\t\tn%u [label=\"", at);
	put_label(sb, view, n);
	strbuf_puts(sb, n->class != FUNC_PLAIN ? "\" style=dashed];\n" : "\"];\n");
	for (i = n->first; i != TREE_NO_NODE; i = calltree_node(view->tree, i)->next) {
		if (calltree_node(view->tree, i)->pruned)
			continue;
		put_nodes(sb, view, i);
		strbuf_printf(sb, "\t\tn%u -> n%u;\n", at, i);
	}
}

static void put_cluster(struct strbuf *sb, const struct calls_view *view,
			const struct tree_group *g, u8 context)
{
	struct strbuf title = STRBUF_INIT;
	u32 root = g->root[context];

	calls_prune(view, g, context);
	calls_put_title(&title, view, g);
	strbuf_printf(sb, "\tsubgraph cluster_%u {\n\t\tlabel=\"", root);
	put_quoted(sb, &title);
	if (context != TREE_OWN)
		strbuf_printf(sb, ": %s", calls_context_name(context));
	strbuf_puts(sb, "\";\n");
	put_nodes(sb, view, root);
	strbuf_puts(sb, "\t}\n");
	sb->failed |= title.failed;
	strbuf_free(&title);
}

void render_calls_dot(struct strbuf *sb, const struct calls_view *view)
{
	const struct tree_group *g;
	u32 nr, i;
	u8 context;

	strbuf_puts(sb, "digraph calls {\n\trankdir=LR;\n\tnode [shape=box fontname=monospace];\n");
	g = calltree_groups(view->tree, &nr);
	for (i = 0; i < nr; i++, g++)
		for (context = TREE_OWN; context < TREE_CONTEXTS; context++)
			if (g->root[context] != TREE_NO_NODE)
				put_cluster(sb, view, g, context);
	strbuf_puts(sb, "}\n");
}
