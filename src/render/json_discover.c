// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers of "discover" as JSON: one object, the same facts as the text has. See discover.h.
 */
#include <errno.h>
#include <string.h>

#include "render/discover.h"
#include "render/json_util.h"

static void add_text(struct json_object *obj, const char *key, const char *text)
{
	if (text && *text)
		json_add_text(obj, key, text, strlen(text));
}

static void add_bool(struct json_object *obj, const char *key, bool value)
{
	json_object_object_add(obj, key, json_object_new_boolean(value));
}

static struct json_object *add_array(struct json_object *obj, const char *key)
{
	struct json_object *array = json_object_new_array();

	json_object_object_add(obj, key, array);
	return array;
}

static struct json_object *add_item(struct json_object *array)
{
	struct json_object *item = json_object_new_object();

	json_object_array_add(array, item);
	return item;
}

static void add_coverage(struct json_object *obj, const struct candidate_group *g,
			 const struct candidate *c)
{
	struct json_object *missed = json_object_new_object();
	u32 i;

	json_add_u64(obj, "calls", c->calls);
	json_add_u64(obj, "of", g->calls);
	json_add_u64(obj, "once", c->once);
	json_add_u64(obj, "most", c->most);
	for (i = 0; i < g->nr_syscalls; i++)
		if (c->missed_by[i])
			json_add_u64(missed, g->syscalls[i].name, c->missed_by[i]);
	json_object_object_add(obj, "missed_by", missed);
}

static void add_facts(struct json_object *obj, const struct candidate *c)
{
	struct json_object *slots = add_array(obj, "slots");
	u32 i;

	for (i = 0; i < CANDIDATES_SLOTS && i < c->nr_slots && c->slots[i]; i++)
		json_object_array_add(slots, json_object_new_string(c->slots[i]));
	add_bool(obj, "slots_of_other_kernels", c->slots_elsewhere);
	add_bool(obj, "slot_of_operation", c->slot_match);
	add_bool(obj, "dominates", c->dominates);
	if (c->others)
		add_bool(obj, "specific", c->specific);
	json_add_word(obj, "evidence", evidence_name(c->evidence));
	json_add_word(obj, "object", object_name(c->object));
	if (c->place == PLACE_ARGUMENT)
		json_add_u64(obj, "argument", c->arg);
	if (c->bytes_arg)
		json_add_u64(obj, "size_argument", c->bytes_arg);
	json_add_u64(obj, "kernels_with_it", (u64)c->known);
	json_add_u64(obj, "kernels_same", (u64)c->stable);
	add_bool(obj, "exported", c->symbol.exported);
	add_bool(obj, "global", c->symbol.global);
	json_add_u64(obj, "siblings", c->symbol.siblings);
	json_add_u64(obj, "below_permille", c->share_permille);
}

static void add_definition(struct json_object *obj, const struct discover_view *v,
			   const struct probedef *d)
{
	struct strbuf line = STRBUF_INIT;

	probedef_kprobe(&line, d, v->layout, DISCOVER_GROUP);
	add_text(obj, "kprobe_events", strbuf_cstr(&line));
	line.len = 0;
	probedef_trace_cmd(&line, d, DISCOVER_GROUP);
	add_text(obj, "trace_cmd", strbuf_cstr(&line));
	line.len = 0;
	if (probedef_perf(&line, d, v->layout, DISCOVER_GROUP, v->machine))
		add_text(obj, "perf", strbuf_cstr(&line));
	line.len = 0;
	if (probedef_bpftrace(&line, d))
		add_text(obj, "bpftrace", strbuf_cstr(&line));
	strbuf_free(&line);
}

static void add_outcome(struct json_object *obj, const struct trial_def *d)
{
	if (d->refused) {
		json_add_word(obj, "refused", error_name(d->refused));
		return;
	}
	json_add_u64(obj, "right", d->right);
	json_add_u64(obj, "wrong", d->wrong);
	json_add_u64(obj, "not_judged", d->unjudged);
	json_add_u64(obj, "elsewhere", d->elsewhere);
	add_text(obj, "read", d->got);
	add_text(obj, "true", d->truth);
}

static void add_definitions(struct json_object *obj, const struct discover_view *v, size_t group,
			    size_t candidate)
{
	struct json_object *array = add_array(obj, "definitions"), *item;
	size_t i;

	for (i = 0; i < v->nr_defs; i++) {
		if (v->of[i].group != group || v->of[i].candidate != candidate)
			continue;
		item = add_item(array);
		json_add_word(item, "at", probe_at_name(v->defs[i].def.at));
		add_definition(item, v, &v->defs[i].def);
		if (v->trial)
			add_outcome(item, &v->defs[i]);
		add_bool(item, "offered_first", i == discover_best(v, group));
	}
}

static void add_group(struct json_object *obj, const struct discover_view *v, size_t group)
{
	const struct candidate_group *g = &v->groups[group];
	struct json_object *calls = json_object_new_object(), *array, *item;
	size_t i;

	json_add_word(obj, "operation", operation_name(g->operation));
	add_text(obj, "protocol", g->protocol);
	add_text(obj, "family", family_name(g->family));
	add_bool(obj, "by_names", g->by_names);
	json_add_u64(obj, "calls", g->calls);
	json_add_u64(obj, "left_out", g->left_out);
	for (i = 0; i < g->nr_syscalls; i++)
		json_add_u64(calls, g->syscalls[i].name, g->syscalls[i].calls);
	json_object_object_add(obj, "syscalls", calls);
	array = add_array(obj, "functions");
	for (i = 0; i < g->nr; i++) {
		item = add_item(array);
		json_add_u64(item, "rank", g->candidate[i].rank);
		add_text(item, "function", g->candidate[i].name);
		add_coverage(item, g, &g->candidate[i]);
		add_facts(item, &g->candidate[i]);
		add_definitions(item, v, group, i);
	}
}

int render_discover_json(struct strbuf *out, const struct discover_view *v)
{
	struct json_object *obj = json_object_new_object(), *groups, *trial;
	size_t i;

	json_add_word(obj, "question", question_name(v->question));
	add_text(obj, "type", v->type);
	add_text(obj, "kernel", v->release);
	json_add_word(obj, "types_from", v->has_btf ? "BTF" : "other kernels");
	json_add_word(obj, "tables_from", v->tables_from ? v->tables_from : "other kernels");
	json_add_u64(obj, "lost", v->lost);
	groups = add_array(obj, "operations");
	for (i = 0; i < v->nr_groups; i++)
		add_group(add_item(groups), v, i);
	trial = json_object_new_object();
	json_object_object_add(obj, "trial", trial);
	add_bool(trial, "done", v->trial);
	if (v->trial) {
		json_add_u64(trial, "records", v->trial->records);
		json_add_u64(trial, "calls", v->trial->calls);
		json_add_u64(trial, "lost", v->trial->lost);
		add_text(trial, "command", v->trial->status);
	} else {
		add_text(trial, "why_not", v->why_not_tried);
	}
	return json_put_line(out, obj);
}
