// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations tables <-> JSON in a recording's metadata: the format is in optables.h.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/optables.h"

#define NAME_MAX_BYTES 128

static int put(struct json_object *obj, const char *key, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	return json_object_object_add(obj, key, value) ? -ENOMEM : 0;
}

static struct json_object *slot_to_json(const struct optable_slot *slot)
{
	struct json_object *obj = json_object_new_object();
	int ret;

	if (!obj)
		return NULL;
	if (slot->slot)
		ret = put(obj, "slot", json_object_new_string(slot->slot));
	else
		ret = put(obj, "slot", json_object_new_int64(slot->offset));
	if (!ret)
		ret = put(obj, "function", json_object_new_string(slot->function));
	if (ret) {
		json_object_put(obj);
		return NULL;
	}
	return obj;
}

static struct json_object *table_to_json(const struct optable *table)
{
	struct json_object *obj = json_object_new_object(), *slots = json_object_new_array(), *slot;
	size_t i;

	if (!obj || !slots)
		goto fail;
	for (i = 0; i < table->nr_slots; i++) {
		slot = slot_to_json(&table->slots[i]);
		if (!slot || json_object_array_add(slots, slot))
			goto fail;
	}
	if (put(obj, "table", json_object_new_string(table->name)) ||
	    put(obj, "type", json_object_new_string(table->type)))
		goto fail;
	json_object_object_add(obj, "slots", slots);
	return obj;
fail:
	json_object_put(obj);
	json_object_put(slots);
	return NULL;
}

struct json_object *optables_to_json(const struct optables *t)
{
	struct json_object *array = json_object_new_array(), *table;
	size_t i;

	for (i = 0; array && i < t->nr; i++) {
		if (!t->table[i].nr_slots)
			continue;
		table = table_to_json(&t->table[i]);
		if (!table || json_object_array_add(array, table)) {
			json_object_put(array);
			return NULL;
		}
	}
	return array;
}

/* A name that may be a kernel's; NULL else. */
static const char *name_in(struct json_object *obj, const char *key)
{
	struct json_object *value;
	const char *text;

	if (!json_object_object_get_ex(obj, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	if (!*text || strlen(text) >= NAME_MAX_BYTES ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$")])
		return NULL;
	return text;
}

static int slot_from_json(struct json_object *obj, struct optable *table)
{
	struct optable_slot *slot = &table->slots[table->nr_slots];
	const char *function = name_in(obj, "function"), *name = name_in(obj, "slot");
	struct json_object *number;
	s64 offset = 0;

	if (!function || !json_object_object_get_ex(obj, "slot", &number))
		return -EBADMSG;
	if (!name) {
		if (!json_object_is_type(number, json_type_int))
			return -EBADMSG;
		offset = json_object_get_int64(number);
		if (offset < 0 || offset > UINT16_MAX)
			return -EBADMSG;
	}
	slot->offset = (u32)offset;
	slot->slot = name ? strdup(name) : NULL;
	slot->function = strdup(function);
	table->nr_slots++;
	return (name && !slot->slot) || !slot->function ? -ENOMEM : 0;
}

static int table_from_json(struct json_object *obj, struct optables *t)
{
	const char *name = name_in(obj, "table"), *type = name_in(obj, "type");
	struct optable *table = &t->table[t->nr];
	struct json_object *slots;
	size_t i, nr;
	int ret = 0;

	if (!name || !json_object_object_get_ex(obj, "slots", &slots) ||
	    !json_object_is_type(slots, json_type_array))
		return -EBADMSG;
	nr = json_object_array_length(slots);
	if (nr > OPTABLES_SLOTS_MAX)
		return -EBADMSG;
	t->nr++;
	if (!type)
		type = optable_type(name);
	snprintf(table->type, sizeof(table->type), "%s", type ? type : "");
	table->name = strdup(name);
	table->slots = calloc(nr ? nr : 1, sizeof(*table->slots));
	if (!table->name || !table->slots)
		return -ENOMEM;
	for (i = 0; i < nr && !ret; i++) {
		ret = slot_from_json(json_object_array_get_idx(slots, i), table);
		if (!ret && table->slots[i].slot)
			t->has_names = true;
	}
	return ret;
}

int optables_from_json(struct json_object *array, struct optables **out, struct error *err)
{
	struct optables *t;
	size_t i, nr;
	int ret = 0;

	*out = NULL;
	if (!json_object_is_type(array, json_type_array))
		return error_set(err, EBADMSG, "damaged metadata of skbtrail: optables");
	nr = json_object_array_length(array);
	if (nr > OPTABLES_MAX)
		return error_set(err, EBADMSG, "damaged metadata of skbtrail: too many optables");
	t = calloc(1, sizeof(*t));
	if (t)
		t->table = calloc(nr ? nr : 1, sizeof(*t->table));
	if (!t || !t->table) {
		optables_free(t);
		return error_errno(err, ENOMEM, "tables of operations");
	}
	snprintf(t->from, sizeof(t->from), "the recording");
	for (i = 0; i < nr && !ret; i++)
		ret = table_from_json(json_object_array_get_idx(array, i), t);
	if (!ret) {
		*out = t;
		return 0;
	}
	optables_free(t);
	return ret == -ENOMEM ? error_errno(err, ENOMEM, "tables of operations") :
				error_set(err, EBADMSG, "damaged metadata of skbtrail: optables");
}
