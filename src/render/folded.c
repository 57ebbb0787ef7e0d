// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Call trees as folded stacks, the input of flame graph programs: "caller;callee 1234".
 *
 * A stack's number is its own time in nanoseconds, so that all of them add up. What interrupts did stands below a
 * frame of its own. Spaces and semicolons of names are escaped: they are the format's.
 */
#include "render/calls.h"

static void put_frame(struct strbuf *sb, const struct calls_view *view, const struct tree_node *n)
{
	struct strbuf name = STRBUF_INIT;
	size_t i;

	calls_put_func(&name, view, n);
	for (i = 0; i < name.len; i++) {
		if (name.data[i] == ';' || name.data[i] == ' ')
			strbuf_printf(sb, "\\x%02x", (u8)name.data[i]);
		else
			strbuf_putc(sb, name.data[i]);
	}
	sb->failed |= name.failed;
	strbuf_free(&name);
}

/* The own time of a node, and of all below it that is not shown. */
static u64 shown_ns(const struct calls_view *view, const struct tree_node *n, bool all)
{
	const struct tree_node *child;
	u64 ns = n->self_ns;
	u32 i;

	for (i = n->first; i != TREE_NO_NODE; i = child->next) {
		child = calltree_node(view->tree, i);
		if (all || child->pruned)
			ns += shown_ns(view, child, true);
	}
	return ns;
}

/* @stack: the frames above, which each of its lines begins with. */
static void put_stacks(struct strbuf *sb, const struct calls_view *view, struct strbuf *stack,
		       u32 at)
{
	const struct tree_node *n = calltree_node(view->tree, at);
	size_t len = stack->len;
	u64 ns;
	u32 i;

	if (n->func || n->class != FUNC_PLAIN) {
		strbuf_putc(stack, ';');
		put_frame(stack, view, n);
	}
	ns = shown_ns(view, n, false);
	if (ns) {
		strbuf_put(sb, stack->data, stack->len);
		strbuf_putc(sb, ' ');
		strbuf_put_u64(sb, ns);
		strbuf_putc(sb, '\n');
	}
	for (i = n->first; i != TREE_NO_NODE; i = calltree_node(view->tree, i)->next)
		if (!calltree_node(view->tree, i)->pruned)
			put_stacks(sb, view, stack, i);
	stack->len = len;
}

static void put_base(struct strbuf *stack, const struct calls_view *view,
		     const struct tree_group *g, u8 context)
{
	struct strbuf title = STRBUF_INIT;
	size_t i;

	calls_put_title(&title, view, g);
	for (i = 0; i < title.len; i++)
		strbuf_putc(stack,
			    title.data[i] == ' ' || title.data[i] == ';' ? '/' : title.data[i]);
	strbuf_free(&title);
	if (context != TREE_OWN)
		strbuf_printf(stack, ";[%s]", calls_context_name(context));
}

void render_calls_folded(struct strbuf *sb, const struct calls_view *view)
{
	struct strbuf stack = STRBUF_INIT;
	const struct tree_group *g;
	u32 nr, i;
	u8 context;

	g = calltree_groups(view->tree, &nr);
	for (i = 0; i < nr; i++, g++) {
		for (context = TREE_OWN; context < TREE_CONTEXTS; context++) {
			if (g->root[context] == TREE_NO_NODE)
				continue;
			calls_prune(view, g, context);
			stack.len = 0;
			put_base(&stack, view, g, context);
			put_stacks(sb, view, &stack, g->root[context]);
		}
	}
	sb->failed |= stack.failed;
	strbuf_free(&stack);
}
