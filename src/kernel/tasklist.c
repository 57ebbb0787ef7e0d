// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads, as /proc shows them: see tasklist.h.
 */
#include "kernel/tasklist.h"

#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/tasks.h"

#define UNSORTED_MAX 256

void tasklist_free(struct tasklist *list)
{
	free(list->entry);
	memset(list, 0, sizeof(*list));
}

static int compare(const void *va, const void *vb)
{
	const struct tasklist_entry *a = va, *b = vb;

	return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static void sort(struct tasklist *list)
{
	if (list->unsorted)
		qsort(list->entry, list->nr, sizeof(*list->entry), compare);
	list->unsorted = 0;
}

static struct tasklist_entry *find(const struct tasklist *list, s32 tid)
{
	struct tasklist_entry key = { .tid = tid }, *found = NULL;
	size_t sorted = list->nr - list->unsorted, i;

	if (sorted)
		found = bsearch(&key, list->entry, sorted, sizeof(key), compare);
	for (i = sorted; i < list->nr && !found; i++)
		if (list->entry[i].tid == tid)
			found = &list->entry[i];
	return found;
}

int tasklist_put(struct tasklist *list, const struct tasklist_entry *entry)
{
	struct tasklist_entry *found = find(list, entry->tid), *grown;
	size_t cap = list->cap ? list->cap * 2 : 256;

	if (found) {
		*found = *entry;
		return 0;
	}
	if (list->nr == TASKLIST_MAX)
		return 0;
	if (list->nr == list->cap) {
		grown = reallocarray(list->entry, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->entry = grown;
		list->cap = cap;
	}
	list->entry[list->nr++] = *entry;
	/* numbers mostly grow */
	if (list->unsorted || (list->nr > 1 && list->entry[list->nr - 2].tid > entry->tid))
		list->unsorted++;
	if (list->unsorted > UNSORTED_MAX)
		sort(list);
	return 0;
}

const struct tasklist_entry *tasklist_find(struct tasklist *list, s32 tid)
{
	return find(list, tid);
}

/* The number that the name of a directory is; 0: it is none. */
static s32 number_of(const char *name)
{
	char *end;
	long value = strtol(name, &end, 10);

	return *end || end == name || value <= 0 || value > INT32_MAX ? 0 : (s32)value;
}

static int look_at(struct tasklist *list, const char *root, s32 tid)
{
	struct tasklist_entry entry = { 0 };
	struct task_name name = { .tid = tid, .pid = tid };

	if (!task_look_up(root, &name))
		return 0;
	entry.tid = tid;
	entry.pid = name.pid;
	entry.parent = name.parent;
	memcpy(entry.comm, name.comm, sizeof(entry.comm));
	return tasklist_put(list, &entry);
}

static int scan_process(struct tasklist *list, const char *root, s32 pid, bool again)
{
	struct dirent *d;
	char path[256];
	int ret = 0;
	DIR *dir;
	s32 tid;

	snprintf(path, sizeof(path), "%s/proc/%d/task", root, (int)pid);
	dir = opendir(path);
	while (dir && !ret && (d = readdir(dir))) {
		tid = number_of(d->d_name);
		if (tid && (again || !find(list, tid)))
			ret = look_at(list, root, tid);
	}
	if (dir)
		closedir(dir);
	return ret;
}

int tasklist_scan(struct tasklist *list, const char *root, bool again)
{
	struct dirent *d;
	char path[256];
	int ret = 0;
	DIR *dir;
	s32 pid;

	snprintf(path, sizeof(path), "%s/proc", root);
	dir = opendir(path);
	while (dir && !ret && (d = readdir(dir))) {
		pid = number_of(d->d_name);
		if (pid)
			ret = scan_process(list, root, pid, again);
	}
	if (dir)
		closedir(dir);
	return ret;
}

static struct json_object *entry_to_json(const struct tasklist_entry *e)
{
	struct json_object *item = json_object_new_array();

	if (!item)
		return NULL;
	json_object_array_add(item, json_object_new_int(e->tid));
	json_object_array_add(item, json_object_new_int(e->pid));
	json_object_array_add(item, json_object_new_int(e->parent));
	json_object_array_add(
		item, json_object_new_string_len(e->comm, (int)strnlen(e->comm, sizeof(e->comm))));
	return item;
}

struct json_object *tasklist_to_json(const struct tasklist *list)
{
	struct json_object *array = json_object_new_array(), *item;
	size_t i;

	for (i = 0; array && i < list->nr; i++) {
		item = entry_to_json(&list->entry[i]);
		if (!item || json_object_array_add(array, item)) {
			json_object_put(item);
			json_object_put(array);
			return NULL;
		}
	}
	return array;
}

/* A number of the list; -1: there is none, or none that a thread may have. */
static s32 item_number(struct json_object *item, size_t at)
{
	struct json_object *value = json_object_array_get_idx(item, at);
	s64 number;

	if (!json_object_is_type(value, json_type_int))
		return -1;
	number = json_object_get_int64(value);
	return number < 0 || number > INT32_MAX ? -1 : (s32)number;
}

int tasklist_from_json(struct tasklist *list, struct json_object *array)
{
	struct tasklist_entry e;
	struct json_object *item, *comm;
	size_t i, len;
	int ret = 0;

	if (!json_object_is_type(array, json_type_array))
		return 0;
	for (i = 0; i < json_object_array_length(array) && !ret; i++) {
		item = json_object_array_get_idx(array, i);
		if (!json_object_is_type(item, json_type_array))
			continue;
		memset(&e, 0, sizeof(e));
		e.tid = item_number(item, 0);
		e.pid = item_number(item, 1);
		e.parent = item_number(item, 2);
		comm = json_object_array_get_idx(item, 3);
		if (e.tid <= 0 || e.pid <= 0 || e.parent < 0 ||
		    !json_object_is_type(comm, json_type_string))
			continue;
		len = (size_t)json_object_get_string_len(comm);
		memcpy(e.comm, json_object_get_string(comm),
		       len < sizeof(e.comm) ? len : sizeof(e.comm) - 1);
		ret = tasklist_put(list, &e);
	}
	sort(list);
	return ret;
}
