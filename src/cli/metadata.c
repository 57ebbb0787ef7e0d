// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plan and netns snapshot <-> the JSON block of a recording.
 */
#include "cli/metadata.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "cli/capture_graph.h"
#include "config.h"

static void write_cost(struct json_object *obj, const struct cost *cost)
{
	struct json_object *item = json_object_new_object();

	json_object_object_add(obj, "cost", item);
	if (!cost_known(cost)) {
		json_object_object_add(item, "not_measured", json_object_new_string(cost->why));
		return;
	}
	json_object_object_add(item, "packets", json_object_new_uint64(cost->packets));
	json_object_object_add(item, "records", json_object_new_uint64(cost->records));
	json_object_object_add(item, "off_ns", json_object_new_uint64(cost->off_ns));
	json_object_object_add(item, "on_ns", json_object_new_uint64(cost->on_ns));
}

/* What the kernel filtered by; NULL: nothing. */
static const char *pushed_filter(const struct capture *c)
{
	return c->plan.probes && c->down.filter ? c->options->output.select.filter : NULL;
}

static void write_string(struct json_object *obj, const char *key, const char *text)
{
	if (text)
		json_object_object_add(obj, key, json_object_new_string(text));
}

/* What the records of function_graph are of. */
static void write_graph(struct json_object *obj, const struct graph *g)
{
	struct json_object *item = json_object_new_object();

	json_object_object_add(obj, "graph", item);
	write_string(item, "place", g->top ? "top" : "instance");
	if (g->depth)
		json_object_object_add(item, "depth", json_object_new_int64(g->max_depth));
	write_string(item, "roots", g->roots);
	write_string(item, "without", g->noise);
}

int metadata_write(struct strbuf *out, const struct capture *c, const struct netns_snapshot *netns)
{
	const struct plan *plan = &c->plan;
	struct json_object *obj = json_object_new_object(), *missing = json_object_new_array(), *ns,
			   *tables;
	const char *text;
	size_t i;

	if (!obj || !missing)
		goto fail;
	write_string(obj, "skbtrail", PACKAGE_VERSION);
	write_string(obj, "tier", tier_describe(plan->tier)->name);
	write_string(obj, "clock", plan->clock);
	write_string(obj, "device", c->options->output.select.dev);
	write_string(obj, "filter", pushed_filter(c));
	if (c->graph.on)
		write_graph(obj, &c->graph);
	if (capture_wants_stacks(c->options))
		json_object_object_add(obj, "stacks", json_object_new_boolean(1));
	tables = c->tables ? optables_to_json(c->tables) : NULL;
	if (tables)
		json_object_object_add(obj, "optables", tables);
	if (c->tap)
		json_object_object_add(obj, "tap", json_object_new_boolean(1));
	for (i = 0; i < plan->missing_count; i++)
		json_object_array_add(missing, json_object_new_string(plan->missing[i]));
	json_object_object_add(obj, "missing", missing);
	missing = NULL;
	ns = netns ? netns_snapshot_to_json(netns) : NULL;
	if (netns && !ns)
		goto fail;
	if (ns)
		json_object_object_add(obj, "netns", ns);
	write_cost(obj, &c->cost);
	text = json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN);
	if (!text)
		goto fail;
	strbuf_puts(out, text);
	json_object_put(obj);
	return out->failed ? -ENOMEM : 0;
fail:
	json_object_put(obj);
	json_object_put(missing);
	return -ENOMEM;
}

/* A number from 0 to @max; others are as good as absent. */
static u64 read_number(struct json_object *obj, const char *key, u64 max)
{
	struct json_object *value;

	if (!json_object_object_get_ex(obj, key, &value) ||
	    !json_object_is_type(value, json_type_int) || json_object_get_uint64(value) > max ||
	    json_object_get_int64(value) < 0)
		return 0;
	return json_object_get_uint64(value);
}

/* The numbers may be a stranger's: they are small enough to be multiplied. */
static void read_cost(struct json_object *obj, struct cost *cost)
{
	struct json_object *why;

	if (json_object_object_get_ex(obj, "not_measured", &why) &&
	    json_object_is_type(why, json_type_string)) {
		snprintf(cost->why, sizeof(cost->why), "%s", json_object_get_string(why));
		return;
	}
	cost->packets = (u32)read_number(obj, "packets", 1000000);
	cost->records = (u32)read_number(obj, "records", 1000000000);
	cost->off_ns = read_number(obj, "off_ns", 1000 * NSEC_PER_SEC);
	cost->on_ns = read_number(obj, "on_ns", 1000 * NSEC_PER_SEC);
}

static bool read_flag(struct json_object *obj, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(obj, key, &value) &&
	       json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

int metadata_read(struct metadata *meta, const char *text, struct error *err)
{
	struct json_object *obj = json_tokener_parse(text), *value;
	int ret = 0;

	memset(meta, 0, sizeof(*meta));
	if (!obj || !json_object_is_type(obj, json_type_object)) {
		json_object_put(obj);
		return error_set(err, EBADMSG, "damaged metadata of skbtrail");
	}
	if (json_object_object_get_ex(obj, "device", &value) &&
	    json_object_is_type(value, json_type_string))
		snprintf(meta->device, sizeof(meta->device), "%s", json_object_get_string(value));
	if (json_object_object_get_ex(obj, "cost", &value))
		read_cost(value, &meta->cost);
	if (json_object_object_get_ex(obj, "filter", &value) &&
	    json_object_is_type(value, json_type_string))
		snprintf(meta->filter, sizeof(meta->filter), "%s", json_object_get_string(value));
	meta->tap = read_flag(obj, "tap");
	meta->stacks = read_flag(obj, "stacks");
	if (json_object_object_get_ex(obj, "netns", &value))
		ret = netns_snapshot_from_json(value, &meta->netns, err);
	json_object_put(obj);
	return ret;
}

int metadata_tables(const char *text, struct optables **out, struct error *err)
{
	struct json_object *obj = json_tokener_parse(text), *array;
	int ret = 0;

	*out = NULL;
	if (json_object_is_type(obj, json_type_object) &&
	    json_object_object_get_ex(obj, "optables", &array))
		ret = optables_from_json(array, out, err);
	json_object_put(obj);
	return ret;
}

/* ---- sockets */

static struct json_object *flows_to_json(const struct metadata_flows *flows)
{
	struct json_object *obj = json_object_new_object(), *inventory = NULL, *waiting;

	if (!obj)
		return NULL;
	json_object_object_add(obj, "taken_ns", json_object_new_uint64(flows->taken_ns));
	json_object_object_add(obj, "pid", json_object_new_int(flows->pid));
	json_object_object_add(obj, "no_bytes", json_object_new_boolean(flows->no_bytes));
	waiting = flows->waiting.nr ? waiting_to_json(&flows->waiting) : NULL;
	if (waiting)
		json_object_object_add(obj, "waiting", waiting);
	if (flows->has_inventory) {
		inventory = sockdiag_to_json(&flows->inventory);
		if (!inventory) {
			json_object_put(obj);
			return NULL;
		}
		json_object_object_add(obj, "inventory", inventory);
	}
	return obj;
}

int metadata_put_flows(struct strbuf *out, const struct strbuf *base,
		       const struct metadata_flows *flows)
{
	struct json_object *obj = flows_to_json(flows), *tasks = tasklist_to_json(&flows->tasks);
	int ret = -ENOMEM;

	/* put before the brace that ends the object */
	if (obj && tasks && base->len && base->data[base->len - 1] == '}') {
		out->len = 0;
		strbuf_put(out, base->data, base->len - 1);
		strbuf_printf(out, ",\"flows\":%s",
			      json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN));
		strbuf_printf(out, ",\"tasks\":%s}",
			      json_object_to_json_string_ext(tasks, JSON_C_TO_STRING_PLAIN));
		ret = out->failed ? -ENOMEM : 0;
	}
	json_object_put(obj);
	json_object_put(tasks);
	return ret;
}

static int read_flows(struct metadata_flows *flows, struct json_object *obj, struct error *err)
{
	struct json_object *value;
	int ret;

	flows->taken_ns = read_number(obj, "taken_ns", INT64_MAX);
	flows->pid = (s32)read_number(obj, "pid", INT32_MAX);
	if (json_object_object_get_ex(obj, "no_bytes", &value))
		flows->no_bytes = json_object_get_boolean(value);
	if (json_object_object_get_ex(obj, "waiting", &value) &&
	    waiting_from_json(&flows->waiting, value))
		return error_errno(err, ENOMEM, "cannot keep the calls that waited");
	if (!json_object_object_get_ex(obj, "inventory", &value))
		return 0;
	ret = json_object_is_type(value, json_type_object) ?
		      sockdiag_from_json(&flows->inventory, value) :
		      -EBADMSG;
	flows->has_inventory = !ret;
	return ret ? error_errno(err, -ret, "damaged inventory of sockets") : 0;
}

int metadata_read_flows(struct metadata_flows *flows, const char *text, struct error *err)
{
	struct json_object *obj = json_tokener_parse(text), *value;
	int ret = 0;

	memset(flows, 0, sizeof(*flows));
	if (!json_object_is_type(obj, json_type_object)) {
		json_object_put(obj);
		return error_set(err, EBADMSG, "damaged metadata of skbtrail");
	}
	if (json_object_object_get_ex(obj, "flows", &value) &&
	    json_object_is_type(value, json_type_object))
		ret = read_flows(flows, value, err);
	if (!ret && json_object_object_get_ex(obj, "tasks", &value) &&
	    tasklist_from_json(&flows->tasks, value))
		ret = error_errno(err, ENOMEM, "cannot keep the names of tasks");
	json_object_put(obj);
	return ret;
}

void metadata_flows_free(struct metadata_flows *flows)
{
	sockdiag_free(&flows->inventory);
	tasklist_free(&flows->tasks);
	waiting_free(&flows->waiting);
}
