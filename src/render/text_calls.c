// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Call trees as text: numbers to the left, the tree to the right, cut to the terminal.
 *
 * A node's lines: the function; the packets' events in it; what it called; one for all its helpers.
 */
#include <string.h>

#include "render/calls.h"
#include "render/fmt.h"
#include "render/text_internal.h"

#define COUNT_WIDTH 7
#define WIDE 110      /* columns from which the times of single calls are shown, too */
#define NAME_WIDTH 24 /* so much of a line is left to a name, however deep */
#define MAX_DEPTH 256 /* one more than a node's depth can be */
#define LEVELS_AT_ONCE 8

struct page {
	struct strbuf *sb;
	const struct calls_view *view;
	u64 min_ns;		/* helpers that took less have no line */
	bool times;		/* columns for minimum, median and maximum */
	bool random;		/* some median is of a choice */
	u8 more[MAX_DEPTH + 1]; /* whether there are more nodes at a depth */
};

static void put_color(struct page *p, const char *code)
{
	if (p->view->style.color)
		strbuf_puts(p->sb, code);
}

static void put_count(struct strbuf *sb, u64 count, int width)
{
	u64 rest;

	for (rest = count; rest >= 10; rest /= 10)
		width--;
	strbuf_pad(sb, width - 1);
	strbuf_put_u64(sb, count);
}

static void put_duration(struct page *p, u64 ns, bool known)
{
	strbuf_puts(p->sb, "  ");
	if (known)
		fmt_duration(p->sb, ns, p->view->style.utf8, true);
	else
		strbuf_pad(p->sb, FMT_DURATION_WIDTH);
}

static int numbers_width(const struct page *p)
{
	return COUNT_WIDTH + (p->times ? 5 : 2) * (FMT_DURATION_WIDTH + 2) + 2;
}

static void put_numbers(struct page *p, struct tree_node *n)
{
	bool timed = n->nr_timed, exact = true;
	u64 median;

	put_count(p->sb, n->count, COUNT_WIDTH);
	put_duration(p, n->total_ns, timed);
	put_duration(p, n->self_ns, timed);
	if (p->times) {
		median = timed ? calltree_median(n, &exact) : 0;
		put_duration(p, n->min_ns, timed);
		put_duration(p, median, timed);
		put_duration(p, n->max_ns, timed);
		p->random |= !exact;
	}
	strbuf_puts(p->sb, "  ");
}

/*
 * How many levels at the left are not drawn, so that a name has room at any depth. Eight at a time: what is
 * about as deep still stands in one column.
 */
static u32 levels_left_out(const struct page *p, u32 depth)
{
	int room = p->view->style.width - numbers_width(p) - NAME_WIDTH;
	u32 levels = room > 2 * LEVELS_AT_ONCE ? (u32)room / 2 : LEVELS_AT_ONCE;

	if (!p->view->style.width || depth <= levels)
		return 0;
	return (depth - levels + LEVELS_AT_ONCE - 1) / LEVELS_AT_ONCE * LEVELS_AT_ONCE;
}

/* The lines of the tree up to a node at @depth; returns the columns they took. */
static int put_branches(struct page *p, u32 depth, bool node)
{
	bool utf8 = p->view->style.utf8;
	u32 out = levels_left_out(p, depth), i;

	put_color(p, COLOR_DIM);
	for (i = out + 1; i <= depth; i++) {
		if (out && i == out + 1)
			strbuf_puts(p->sb, utf8 ? "‹ " : "< ");
		else if (i == depth && node)
			strbuf_puts(p->sb,
				    p->more[i] ? (utf8 ? "├ " : "|-") : (utf8 ? "└ " : "`-"));
		else
			strbuf_puts(p->sb, p->more[i] ? (utf8 ? "│ " : "| ") : "  ");
	}
	put_color(p, COLOR_RESET);
	return 2 * (int)(depth - out);
}

/* Cut what was appended since @from, in which there are no colours, to the columns that are left. */
static void cut_text(struct page *p, size_t from, int used)
{
	int width = p->view->style.width, room = width - used;
	size_t i = from;

	if (!width)
		return;
	if (room < NAME_WIDTH - 4)
		room = NAME_WIDTH - 4; /* a terminal narrower than any */
	while (i < p->sb->len && room > 0) {
		for (i++; i < p->sb->len && ((u8)p->sb->data[i] & 0xc0) == 0x80; i++)
			;
		room--;
	}
	if (i >= p->sb->len)
		return;
	/* the last column is for the mark */
	do
		i--;
	while (i > from && ((u8)p->sb->data[i] & 0xc0) == 0x80);
	p->sb->len = i;
	strbuf_puts(p->sb, p->view->style.utf8 ? "…" : "~");
}

static void put_remark(struct page *p, const char *text)
{
	strbuf_putc(p->sb, ' ');
	strbuf_puts(p->sb, text);
}

/* How many functions it called that have no line. */
static u32 count_hidden(const struct page *p, const struct tree_node *n)
{
	const struct tree_node *child;
	u32 i, hidden = 0;

	for (i = n->first; i != TREE_NO_NODE; i = child->next) {
		child = calltree_node(p->view->tree, i);
		hidden += child->class == FUNC_PLAIN && child->pruned;
	}
	return hidden;
}

/* What is special about a node, behind its name. */
static void put_remarks(struct page *p, const struct tree_node *n)
{
	u32 hidden = count_hidden(p, n);

	if (n->has_retval && n->same_retval) {
		strbuf_puts(p->sb, " = ");
		if (n->retval < 4096 || -n->retval < 4096)
			strbuf_printf(p->sb, "%lld", (long long)n->retval);
		else
			strbuf_put_hex(p->sb, n->retval);
	}
	if (n->nr_irq) {
		strbuf_puts(p->sb, " +irq ");
		fmt_duration(p->sb, n->irq_ns, p->view->style.utf8, false);
	}
	if (n->no_exit) {
		put_remark(p, n->no_exit == n->count ? "(no return)" : "(some no return)");
	}
	if (n->unsure || n->synthesized) {
		put_remark(p, "(?)");
	}
	if (hidden)
		strbuf_printf(p->sb, "  (%u more)", hidden);
}

/* With funcgraph-args, of a call that is one call. */
static void put_args(struct page *p, const struct tree_node *n)
{
	const u64 *args = p->view->args;
	u32 i;

	if (!args || !n->nr_args || n->count != 1)
		return;
	for (i = 0; i < n->nr_args; i++) {
		strbuf_puts(p->sb, i ? ", " : "(");
		strbuf_put_hex(p->sb, args[n->args + i]);
	}
	strbuf_putc(p->sb, ')');
}

static void put_node_line(struct page *p, struct tree_node *n)
{
	int used = numbers_width(p);
	size_t from;

	put_numbers(p, n);
	used += put_branches(p, n->depth, true);
	from = p->sb->len;
	calls_put_func(p->sb, p->view, n);
	put_args(p, n);
	put_remarks(p, n);
	cut_text(p, from, used);
	strbuf_putc(p->sb, '\n');
}

static void put_note(struct page *p, const struct tree_node *n, const struct tree_note *note)
{
	const struct render_names *names = p->view->names;
	const struct schema *schema = names->schema;
	int used = numbers_width(p);
	size_t from;
	u32 i;

	strbuf_pad(p->sb, used);
	used += put_branches(p, n->depth + 1u, false);
	put_color(p, COLOR_CYAN);
	from = p->sb->len;
	strbuf_puts(p->sb, p->view->style.utf8 ? "◆ " : "* ");
	strbuf_puts(p->sb, schema->types[note->type].name ? schema->types[note->type].name : "?");
	if (note->dev) {
		strbuf_putc(p->sb, ' ');
		text_put(p->sb, devnames_text(&schema->devs, note->dev), p->view->style.utf8, 0);
	}
	for (i = 0; i < note->nr_packets; i++) {
		strbuf_puts(p->sb, i ? ", #" : "  #");
		strbuf_put_u64(p->sb, note->packet[i]);
	}
	if (!note->nr_packets && note->skb) {
		strbuf_puts(p->sb, "  skb ");
		strbuf_put_hex(p->sb, note->skb);
	}
	if (note->count > 1) {
		strbuf_puts(p->sb,
			    note->nr_packets < note->count && note->nr_packets ? ", ... " : "  ");
		strbuf_putc(p->sb, '(');
		strbuf_put_u64(p->sb, note->count);
		strbuf_puts(p->sb, " times)");
	}
	cut_text(p, from, used);
	put_color(p, COLOR_RESET);
	strbuf_putc(p->sb, '\n');
}

/* One line for all kinds of helpers that a function called. */
static void put_helpers(struct page *p, const struct tree_node *n)
{
	struct calltree *tree = p->view->tree;
	u64 count = 0, total_ns = 0;
	const struct tree_node *h;
	int used = numbers_width(p);
	u32 i, said = 0;
	size_t from;

	for (i = n->first; i != TREE_NO_NODE; i = h->next) {
		h = calltree_node(tree, i);
		count += h->class != FUNC_PLAIN ? h->count : 0;
		total_ns += h->class != FUNC_PLAIN ? h->total_ns : 0;
	}
	if (!count || (p->view->max_depth && n->depth + 1u >= p->view->max_depth) ||
	    total_ns < p->min_ns)
		return;
	put_color(p, COLOR_DIM);
	put_count(p->sb, count, COUNT_WIDTH);
	put_duration(p, total_ns, true);
	strbuf_pad(p->sb, used - COUNT_WIDTH - FMT_DURATION_WIDTH - 2);
	used += put_branches(p, n->depth + 1u, false);
	put_color(p, COLOR_DIM);
	from = p->sb->len;
	strbuf_puts(p->sb, p->view->style.utf8 ? "· " : "- ");
	for (i = n->first; i != TREE_NO_NODE; i = h->next) {
		h = calltree_node(tree, i);
		/* with the order kept there may be several of a kind */
		if (h->class == FUNC_PLAIN || said & 1u << h->class)
			continue;
		strbuf_puts(p->sb, said ? ", " : "");
		strbuf_puts(p->sb, callfuncs_class_name(h->class));
		said |= 1u << h->class;
	}
	cut_text(p, from, used);
	put_color(p, COLOR_RESET);
	strbuf_putc(p->sb, '\n');
}

/* The next child that has a line of its own. */
static u32 next_shown(const struct page *p, u32 i)
{
	const struct tree_node *n;

	for (; i != TREE_NO_NODE; i = n->next) {
		n = calltree_node(p->view->tree, i);
		if (n->class == FUNC_PLAIN && !n->pruned)
			break;
	}
	return i;
}

static void put_tree(struct page *p, u32 at)
{
	struct tree_node *n = calltree_node(p->view->tree, at);
	u32 i, next;

	if (n->func || n->parent != TREE_NO_NODE)
		put_node_line(p, n);
	i = next_shown(p, n->first);
	p->more[n->depth + 1] = i != TREE_NO_NODE;
	for (next = n->notes; next != TREE_NO_NODE; next = calltree_note(p->view->tree, next)->next)
		put_note(p, n, calltree_note(p->view->tree, next));
	for (; i != TREE_NO_NODE; i = next) {
		next = next_shown(p, calltree_node(p->view->tree, i)->next);
		p->more[n->depth + 1] = next != TREE_NO_NODE;
		put_tree(p, i);
	}
	put_helpers(p, n);
}

static void put_tasks(struct page *p, const struct tree_group *g)
{
	const struct comms *comms = p->view->names->comms;
	const char *comm;
	u32 i;

	strbuf_puts(p->sb, " by ");
	for (i = 0; i < g->nr_pids && i < TREE_PIDS; i++) {
		strbuf_puts(p->sb, i ? ", " : "");
		comm = g->pid[i] ? comms ? comms_find(comms, g->pid[i]) : NULL : "idle";
		if (comm)
			text_put(p->sb, comm, p->view->style.utf8, 0);
		else
			strbuf_puts(p->sb, "pid");
		strbuf_printf(p->sb, "[%d]", g->pid[i]);
	}
	if (g->nr_pids > TREE_PIDS)
		strbuf_puts(p->sb, ", ...");
}

static void put_how(struct page *p, const struct tree_group *g)
{
	if (g->protocol_from == TREE_FROM_NAMES || g->family_from == TREE_FROM_NAMES)
		strbuf_puts(p->sb, ", protocol by names");
	if (g->open)
		strbuf_printf(p->sb, ", %llu still running", (unsigned long long)g->open);
	if (g->after_loss)
		strbuf_printf(p->sb, ", %llu with records missing",
			      (unsigned long long)g->after_loss);
	if (g->truncated)
		strbuf_printf(p->sb, ", %llu too large to keep whole",
			      (unsigned long long)g->truncated);
}

static void put_head(struct page *p, const struct tree_group *g)
{
	size_t from = p->sb->len;

	put_color(p, COLOR_BOLD);
	calls_put_title(p->sb, p->view, g);
	put_color(p, COLOR_RESET);
	strbuf_puts(p->sb, ": ");
	if (p->view->per_call) {
		strbuf_puts(p->sb, "at ");
		fmt_seconds(p->sb, g->first_ns);
	} else {
		strbuf_printf(p->sb, "%llu call%s", (unsigned long long)g->calls,
			      g->calls == 1 ? "" : "s");
	}
	put_tasks(p, g);
	strbuf_puts(p->sb, ", ");
	fmt_duration(p->sb, g->total_ns, p->view->style.utf8, false);
	put_how(p, g);
	text_wrap(p->sb, from, p->view->style.width ? p->view->style.width : 80, 4);
	strbuf_putc(p->sb, '\n');
}

static void put_columns(struct page *p)
{
	put_color(p, COLOR_DIM);
	strbuf_puts(p->sb, "  calls     total      self");
	if (p->times)
		strbuf_puts(p->sb, "       min    median       max");
	put_color(p, COLOR_RESET);
	strbuf_putc(p->sb, '\n');
}

static void put_context(struct page *p, const struct tree_group *g, u8 context)
{
	u32 root = g->root[context];

	if (root == TREE_NO_NODE)
		return;
	calls_prune(p->view, g, context);
	memset(p->more, 0, sizeof(p->more));
	if (context != TREE_OWN) {
		if (next_shown(p, calltree_node(p->view->tree, root)->first) == TREE_NO_NODE)
			return;
		strbuf_pad(p->sb, numbers_width(p));
		put_color(p, COLOR_YELLOW);
		strbuf_puts(p->sb, context == TREE_SOFTIRQ ? "meanwhile, in softirqs:" :
							     "meanwhile, in interrupts:");
		put_color(p, COLOR_RESET);
		strbuf_putc(p->sb, '\n');
	}
	put_tree(p, root);
}

void render_calls_text(struct strbuf *sb, const struct calls_view *view)
{
	struct page p = { .sb = sb, .view = view };
	const struct tree_group *g;
	u32 nr, i;
	u8 context;

	g = calltree_groups(view->tree, &nr);
	for (i = 0; i < nr; i++, g++) {
		p.min_ns = view->min_part ? g->total_ns / view->min_part : 0;
		if (p.min_ns < view->min_ns)
			p.min_ns = view->min_ns;
		p.times = !view->per_call && g->calls > 1 &&
			  (view->style.verbose || view->style.width >= WIDE);
		put_head(&p, g);
		put_columns(&p);
		for (context = TREE_OWN; context < TREE_CONTEXTS; context++)
			put_context(&p, g, context);
		strbuf_putc(sb, '\n');
	}
}
