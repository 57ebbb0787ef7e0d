// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel's description as JSON, written and read.
 *
 * In:  struct features, or the text of such a document.
 * Out: the other one. What is written and read again is equal, except for f->root, which belongs
 *      to the machine and not to the description; later versions only add keys.
 */
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/features_priv.h"

static struct json_object *capability_json(enum feature id, const struct capability *cap)
{
	struct json_object *object = json_object_new_object();
	const char *need;

	json_object_object_add(object, "ok", json_object_new_boolean(cap->ok));
	json_object_object_add(object, "detail", json_object_new_string(cap->detail));
	if (cap->ok)
		return object;
	if (cap->path[0])
		json_object_object_add(object, "path", json_object_new_string(cap->path));
	if (cap->code) {
		json_object_object_add(object, "errno", json_object_new_int(cap->code));
		json_object_object_add(object, "errno_name",
				       json_object_new_string(error_name(cap->code)));
	}
	need = feature_need(id, cap->code);
	if (need)
		json_object_object_add(object, "need", json_object_new_string(need));
	return object;
}

static struct json_object *events_json(const struct features *f)
{
	struct json_object *systems = json_object_new_object();
	struct json_object *names = NULL;
	const char *previous = "";
	char system[128];
	const char *name;
	size_t len;
	size_t i;

	for (i = 0; i < f->event_count; i++) {
		name = f->events[i];
		len = strcspn(name, ":");
		if (name[len] != ':' || len >= sizeof(system))
			continue;
		if (!names || strncmp(previous, name, len + 1)) {
			snprintf(system, sizeof(system), "%.*s", (int)len, name);
			names = json_object_new_array();
			json_object_object_add(systems, system, names);
			previous = name;
		}
		json_object_array_add(names, json_object_new_string(name + len + 1));
	}
	return systems;
}

static struct json_object *kernel_json(const struct features *f)
{
	struct json_object *kernel = json_object_new_object();

	json_object_object_add(kernel, "release", json_object_new_string(f->release));
	json_object_object_add(kernel, "machine", json_object_new_string(f->machine));
	json_object_object_add(kernel, "cpus", json_object_new_int64(f->cpus));
	json_object_object_add(kernel, "mem_available_kb",
			       json_object_new_int64((int64_t)f->mem_available_kb));
	return kernel;
}

static struct json_object *tiers_json(const struct features *f)
{
	struct json_object *tiers = json_object_new_object();
	struct json_object *allowed = json_object_new_array();
	int tier;

	for (tier = TIER_T0; tier < TIER_COUNT; tier++)
		if (features_allow(f, (enum tier)tier))
			json_object_array_add(
				allowed,
				json_object_new_string(tier_describe((enum tier)tier)->name));
	if (features_allow(f, TIER_T0))
		json_object_object_add(
			tiers, "used",
			json_object_new_string(tier_describe(features_tier(f))->name));
	json_object_object_add(tiers, "allowed", allowed);
	return tiers;
}

int features_to_json(const struct features *f, struct strbuf *out)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *caps = json_object_new_object();
	struct json_object *clocks = json_object_new_array();
	const char *text;
	size_t i;

	json_object_object_add(doc, "kernel", kernel_json(f));
	json_object_object_add(doc, "tracing_dir", json_object_new_string(f->tracing_dir));
	json_object_object_add(doc, "mounted_now", json_object_new_boolean(f->mounted_now));
	for (i = 0; i < FEATURE_COUNT; i++)
		json_object_object_add(caps, feature_key((enum feature)i),
				       capability_json((enum feature)i, &f->cap[i]));
	json_object_object_add(doc, "capabilities", caps);
	json_object_object_add(doc, "tiers", tiers_json(f));
	json_object_object_add(doc, "clock", json_object_new_string(f->clock));
	for (i = 0; i < f->clock_count; i++)
		json_object_array_add(clocks, json_object_new_string(f->clocks[i]));
	json_object_object_add(doc, "clocks", clocks);
	json_object_object_add(doc, "events", events_json(f));
	text = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
							   JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		strbuf_puts(out, text);
	strbuf_putc(out, '\n');
	json_object_put(doc);
	return text && !out->failed ? 0 : -ENOMEM;
}

static void get_text(struct json_object *object, const char *key, char *out, size_t size)
{
	struct json_object *value;

	if (json_object_object_get_ex(object, key, &value) &&
	    json_object_is_type(value, json_type_string))
		snprintf(out, size, "%s", json_object_get_string(value));
}

static s64 get_number(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_int))
		return 0;
	return json_object_get_int64(value);
}

static bool get_bool(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) && json_object_get_boolean(value);
}

static void read_capabilities(struct features *f, struct json_object *caps)
{
	struct capability *cap;
	struct json_object *row;
	size_t i;

	for (i = 0; i < FEATURE_COUNT; i++) {
		cap = &f->cap[i];
		if (!json_object_object_get_ex(caps, feature_key((enum feature)i), &row)) {
			snprintf(cap->detail, sizeof(cap->detail), "not in the description");
			continue;
		}
		cap->ok = get_bool(row, "ok");
		cap->code = (int)get_number(row, "errno");
		get_text(row, "path", cap->path, sizeof(cap->path));
		get_text(row, "detail", cap->detail, sizeof(cap->detail));
	}
}

/* Append the strings of a JSON array, each behind @prefix. */
static int read_strings(struct json_object *array, const char *prefix, char ***list, size_t *count)
{
	size_t more =
		json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
	const char *text;
	char **grown;
	size_t i;

	if (!more)
		return 0;
	grown = reallocarray(*list, *count + more, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*list = grown;
	for (i = 0; i < more; i++) {
		text = json_object_get_string(json_object_array_get_idx(array, i));
		if (asprintf(&grown[*count], "%s%s", prefix, text ? text : "") < 0)
			return -ENOMEM;
		(*count)++;
	}
	return 0;
}

static int read_events(struct features *f, struct json_object *systems)
{
	struct json_object_iter it;
	char prefix[128];
	int ret;

	json_object_object_foreachC(systems, it)
	{
		snprintf(prefix, sizeof(prefix), "%.120s:", it.key);
		ret = read_strings(it.val, prefix, &f->events, &f->event_count);
		if (ret)
			return ret;
	}
	if (f->event_count)
		qsort(f->events, f->event_count, sizeof(*f->events), compare_strings);
	return 0;
}

static int read_document(struct features *f, struct json_object *doc)
{
	struct json_object *part;
	s64 cpus;
	int ret = 0;

	if (json_object_object_get_ex(doc, "kernel", &part)) {
		get_text(part, "release", f->release, sizeof(f->release));
		get_text(part, "machine", f->machine, sizeof(f->machine));
		cpus = get_number(part, "cpus");
		f->cpus = cpus > 0 && cpus < INT_MAX ? (u32)cpus : 1;
		f->mem_available_kb = (u64)get_number(part, "mem_available_kb");
	}
	get_text(doc, "tracing_dir", f->tracing_dir, sizeof(f->tracing_dir));
	get_text(doc, "clock", f->clock, sizeof(f->clock));
	f->mounted_now = get_bool(doc, "mounted_now");
	if (json_object_object_get_ex(doc, "clocks", &part))
		ret = read_strings(part, "", &f->clocks, &f->clock_count);
	if (!ret && json_object_object_get_ex(doc, "events", &part) &&
	    json_object_is_type(part, json_type_object))
		ret = read_events(f, part);
	return ret;
}

int features_from_json(struct features *f, const char *text, size_t len, struct error *err)
{
	struct json_object *doc = NULL;
	struct json_object *caps;
	struct json_tokener *tok;
	int ret;

	memset(f, 0, sizeof(*f));
	tok = json_tokener_new();
	if (!tok)
		return error_errno(err, ENOMEM, "cannot read a kernel's description");
	if (len <= INT_MAX)
		doc = json_tokener_parse_ex(tok, text, (int)len);
	json_tokener_free(tok);
	if (!json_object_is_type(doc, json_type_object) ||
	    !json_object_object_get_ex(doc, "capabilities", &caps) ||
	    !json_object_is_type(caps, json_type_object)) {
		json_object_put(doc);
		return error_set(err, EINVAL, "this is not what 'skbtrail check --json' prints");
	}
	read_capabilities(f, caps);
	ret = read_document(f, doc);
	json_object_put(doc);
	return ret ? error_errno(err, -ret, "cannot read a kernel's description") : 0;
}
