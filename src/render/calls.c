// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the renderers of call trees share: names, and which nodes are shown.
 */
#include "render/calls.h"

#include "render/text_width.h"

const char *calls_context_name(u8 context)
{
	return context == TREE_SOFTIRQ ? "softirq" : context == TREE_HARDIRQ ? "interrupt" : "";
}

const char *calls_from_name(u8 from)
{
	static const char *const names[] = { NULL, "tables", "events", "names" };

	return from < ARRAY_SIZE(names) ? names[from] : NULL;
}

static void put_name(struct strbuf *sb, const struct calls_view *view, const struct call_func *f)
{
	u32 i;

	if (!f->name) {
		strbuf_put_hex(sb, f->addr);
		return;
	}
	if (view->style.utf8) {
		strbuf_put_escaped(sb, f->name, f->name_len);
		return;
	}
	for (i = 0; i < f->name_len; i++)
		strbuf_put_escaped(sb, f->name + i, 1);
}

void calls_put_func(struct strbuf *sb, const struct calls_view *view, const struct tree_node *n)
{
	if (n->class != FUNC_PLAIN)
		strbuf_puts(sb, callfuncs_class_name(n->class));
	else if (n->func)
		put_name(sb, view, callfuncs_at(view->funcs, n->func));
	else
		strbuf_puts(sb, n->parent == TREE_NO_NODE ? calls_context_name(n->context) : "?");
}

void calls_put_title(struct strbuf *sb, const struct calls_view *view, const struct tree_group *g)
{
	const char *family = callfuncs_family_name(g->families);

	if (g->syscall)
		strbuf_puts(sb, g->syscall);
	else
		put_name(sb, view, callfuncs_at(view->funcs, g->root_func));
	if (!g->protocols && !g->families) {
		strbuf_puts(sb, " ?");
		return;
	}
	strbuf_putc(sb, ' ');
	strbuf_puts(sb, callfuncs_protocol_name(g->protocols));
	if (*family) {
		strbuf_putc(sb, ' ');
		strbuf_puts(sb, family);
	}
}

/* Return: whether it is shown */
static bool prune(const struct calls_view *view, u32 at, u64 min_ns)
{
	struct tree_node *n = calltree_node(view->tree, at);
	bool shown = n->total_ns >= min_ns || n->notes != TREE_NO_NODE || !n->depth ||
		     n->nr_timed < n->count;
	u32 i;

	for (i = n->first; i != TREE_NO_NODE; i = calltree_node(view->tree, i)->next)
		shown |= prune(view, i, min_ns);
	n->pruned = !shown || (view->max_depth && n->depth >= view->max_depth);
	return shown;
}

void calls_prune(const struct calls_view *view, const struct tree_group *g, u8 context)
{
	u64 part_ns = view->min_part ? g->total_ns / view->min_part : 0;

	prune(view, g->root[context], part_ns > view->min_ns ? part_ns : view->min_ns);
}
