// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Call trees as lines of JSON. What is not known is absent; documented in skbtrail-json(5), later versions only
 * add fields.
 *
 * A tree may have 100,000 nodes: each is written out before the next one is made.
 */
#include <errno.h>

#include "render/calls.h"
#include "render/json_util.h"

/* Append an object without its closing brace, and give it up. */
static void put_open(struct strbuf *sb, struct json_object *obj)
{
	size_t len;
	const char *text = json_object_to_json_string_length(
		obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	if (text && len)
		strbuf_put(sb, text, len - 1);
	else
		sb->failed = true;
	json_object_put(obj);
}

static struct json_object *note_json(const struct calls_view *view, const struct tree_note *note)
{
	const struct schema *schema = view->names->schema;
	struct json_object *obj = json_object_new_object(), *packets;
	const char *name = schema->types[note->type].title, *dev;
	u32 i;

	json_add_word(obj, "event", name);
	dev = note->dev ? devnames_text(&schema->devs, note->dev) : NULL;
	if (dev)
		json_add_text(obj, "dev", dev, strlen(dev));
	json_add_u64(obj, "count", note->count);
	json_add_hex(obj, "skb", note->skb);
	if (note->nr_packets) {
		packets = json_object_new_array();
		for (i = 0; i < note->nr_packets; i++)
			json_object_array_add(packets, json_object_new_uint64(note->packet[i]));
		json_object_object_add(obj, "packets", packets);
	}
	return obj;
}

static void add_times(struct json_object *obj, struct tree_node *n)
{
	bool exact;

	if (!n->nr_timed)
		return;
	json_add_u64(obj, "total_ns", n->total_ns);
	json_add_u64(obj, "self_ns", n->self_ns);
	json_add_u64(obj, "min_ns", n->min_ns);
	json_add_u64(obj, "median_ns", calltree_median(n, &exact));
	json_add_u64(obj, "max_ns", n->max_ns);
	if (!exact)
		json_object_object_add(obj, "median_exact", json_object_new_boolean(0));
}

static void add_count(struct json_object *obj, const char *key, u64 count)
{
	if (count)
		json_add_u64(obj, key, count);
}

static void add_args(struct json_object *obj, const struct calls_view *view,
		     const struct tree_node *n)
{
	struct json_object *args;
	u32 i;

	if (!view->args || !n->nr_args || n->count != 1)
		return;
	args = json_object_new_array();
	for (i = 0; i < n->nr_args; i++) {
		struct strbuf sb = STRBUF_INIT;

		strbuf_put_hex(&sb, view->args[n->args + i]);
		json_object_array_add(args, json_object_new_string(strbuf_cstr(&sb)));
		strbuf_free(&sb);
	}
	json_object_object_add(obj, "args", args);
}

static struct json_object *node_json(const struct calls_view *view, struct tree_node *n)
{
	struct json_object *obj = json_object_new_object(), *notes;
	struct strbuf name = STRBUF_INIT;
	u32 i;

	calls_put_func(&name, view, n);
	json_add_built(obj, n->class == FUNC_PLAIN ? "function" : "helpers", &name);
	json_add_u64(obj, "count", n->count);
	add_times(obj, n);
	add_count(obj, "irqs", n->nr_irq);
	add_count(obj, "irq_ns", n->irq_ns);
	add_count(obj, "no_return", n->no_exit);
	add_count(obj, "unsure", n->unsure);
	add_count(obj, "entry_lost", n->synthesized);
	if (n->has_retval && n->same_retval)
		json_object_object_add(obj, "retval", json_object_new_int64((s64)n->retval));
	add_args(obj, view, n);
	if (n->notes == TREE_NO_NODE)
		return obj;
	notes = json_object_new_array();
	for (i = n->notes; i != TREE_NO_NODE; i = calltree_note(view->tree, i)->next)
		json_object_array_add(notes, note_json(view, calltree_note(view->tree, i)));
	json_object_object_add(obj, "events", notes);
	return obj;
}

static void put_children(struct strbuf *sb, const struct calls_view *view, u32 first);

static void put_node(struct strbuf *sb, const struct calls_view *view, u32 at)
{
	put_open(sb, node_json(view, calltree_node(view->tree, at)));
	strbuf_puts(sb, ",\"calls\":");
	put_children(sb, view, calltree_node(view->tree, at)->first);
	strbuf_putc(sb, '}');
}

static void put_children(struct strbuf *sb, const struct calls_view *view, u32 first)
{
	bool comma = false;
	u32 i;

	strbuf_putc(sb, '[');
	for (i = first; i != TREE_NO_NODE; i = calltree_node(view->tree, i)->next) {
		if (calltree_node(view->tree, i)->pruned)
			continue;
		if (comma)
			strbuf_putc(sb, ',');
		comma = true;
		put_node(sb, view, i);
	}
	strbuf_putc(sb, ']');
}

static struct json_object *tasks_json(const struct calls_view *view, const struct tree_group *g)
{
	struct json_object *tasks = json_object_new_array(), *task;
	const char *comm;
	u32 i;

	for (i = 0; i < g->nr_pids && i < TREE_PIDS; i++) {
		task = json_object_new_object();
		json_object_object_add(task, "pid", json_object_new_int(g->pid[i]));
		comm = view->names->comms && g->pid[i] ? comms_find(view->names->comms, g->pid[i]) :
							 NULL;
		if (comm)
			json_add_text(task, "comm", comm, strlen(comm));
		json_object_array_add(tasks, task);
	}
	return tasks;
}

static struct json_object *group_json(const struct calls_view *view, const struct tree_group *g)
{
	struct json_object *obj = json_object_new_object();
	const char *family = callfuncs_family_name(g->families);

	json_add_word(obj, "syscall", g->syscall);
	if (g->protocols) {
		json_add_word(obj, "protocol", callfuncs_protocol_name(g->protocols));
		json_add_word(obj, "protocol_from", calls_from_name(g->protocol_from));
	}
	if (g->families && *family) {
		json_add_word(obj, "family", family);
		json_add_word(obj, "family_from", calls_from_name(g->family_from));
	}
	json_add_u64(obj, "count", g->calls);
	json_add_u64(obj, "first_ns", g->first_ns);
	json_add_u64(obj, "total_ns", g->total_ns);
	add_count(obj, "open", g->open);
	add_count(obj, "after_loss", g->after_loss);
	add_count(obj, "truncated", g->truncated);
	json_object_object_add(obj, "tasks", tasks_json(view, g));
	return obj;
}

int render_calls_json(struct strbuf *sb, const struct calls_view *view)
{
	static const char *const keys[TREE_CONTEXTS] = { "tree", "softirq", "interrupts" };
	const struct tree_group *g;
	u32 nr, i;
	u8 context;

	g = calltree_groups(view->tree, &nr);
	for (i = 0; i < nr; i++, g++) {
		put_open(sb, group_json(view, g));
		for (context = TREE_OWN; context < TREE_CONTEXTS; context++) {
			if (g->root[context] == TREE_NO_NODE)
				continue;
			calls_prune(view, g, context);
			strbuf_printf(sb, ",\"%s\":", keys[context]);
			if (calltree_node(view->tree, g->root[context])->func)
				put_node(sb, view, g->root[context]);
			else
				put_children(sb, view,
					     calltree_node(view->tree, g->root[context])->first);
		}
		strbuf_puts(sb, "}\n");
	}
	return sb->failed ? -ENOMEM : 0;
}
