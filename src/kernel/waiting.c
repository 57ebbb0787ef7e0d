// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See waiting.h. /proc/PID/task/TID/stack (fs/proc/base.c) has a line for each function, "[<0>] tcp_recvmsg+0x5c/0x1c0";
 * .../syscall a line: the number of the system call and its arguments, "running", or "-1 ..." outside of one.
 */
#include "kernel/waiting.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "kernel/sockdiag.h"

#define MAX_TEXT 16384U
#define MAX_CALLS 262144U

struct scan {
	struct waiting *out;
	const char *root;
	const char *const *functions;
	size_t nr_functions;
	struct strbuf text;
};

static int read_proc(struct scan *scan, const char *pid, const char *tid, const char *name)
{
	char path[PATH_MAX];

	scan->text.len = 0;
	snprintf(path, sizeof(path), "%.4000s/proc/%.20s/task/%.20s/%s", scan->root, pid, tid,
		 name);
	return strbuf_read_file(&scan->text, path, MAX_TEXT);
}

/* Whether one of the functions is on the stack, be it in parts ("tcp_recvmsg_locked", ".isra.0"). */
static bool is_within(struct scan *scan)
{
	const char *text = strbuf_cstr(&scan->text), *at;
	size_t i;

	for (i = 0; i < scan->nr_functions; i++) {
		at = strstr(text, scan->functions[i]);
		while (at && at > text && at[-1] != ' ')
			at = strstr(at + 1, scan->functions[i]);
		if (at)
			return true;
	}
	return false;
}

/* Inode number of the socket that a descriptor is; 0: it is none. */
static u32 socket_of(const struct scan *scan, const char *pid, unsigned long long fd)
{
	char path[PATH_MAX];

	if (fd > INT_MAX)
		return 0;
	snprintf(path, sizeof(path), "%.4000s/proc/%.20s/fd/%llu", scan->root, pid, fd);
	return sockdiag_socket_of(AT_FDCWD, path);
}

/* Of splice() to a socket it is the third argument. */
static u32 find_socket(const struct scan *scan, const char *pid, const char *line)
{
	unsigned long long arg[3];
	long number;
	u32 inode;

	if (sscanf(line, "%ld %llx %llx %llx", &number, &arg[0], &arg[1], &arg[2]) != 4)
		return 0;
	inode = socket_of(scan, pid, arg[0]);
	return inode ? inode : socket_of(scan, pid, arg[2]);
}

static int add(struct waiting *w, const struct waiting_call *call)
{
	size_t cap = w->cap ? 2 * w->cap : 64;
	struct waiting_call *grown;

	if (w->nr == w->cap) {
		grown = reallocarray(w->call, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		w->call = grown;
		w->cap = cap;
	}
	w->call[w->nr++] = *call;
	return 0;
}

static int look_at_thread(struct scan *scan, const char *pid, const char *tid)
{
	struct waiting_call call = { .at_ns = now_ns(), .tid = (s32)strtol(tid, NULL, 10) };
	bool stack = !read_proc(scan, pid, tid, "stack") && scan->text.len;

	if (stack && !is_within(scan))
		return 0;
	if (read_proc(scan, pid, tid, "syscall"))
		return 0;
	if (isdigit((u8)strbuf_cstr(&scan->text)[0]))
		call.inode = find_socket(scan, pid, strbuf_cstr(&scan->text));
	else if (!strncmp(strbuf_cstr(&scan->text), "running", 7))
		return 0;
	/* of one outside of system calls, which the kernel itself has, only the stack tells */
	if ((!stack && !call.inode) || scan->out->nr >= MAX_CALLS)
		return 0;
	return add(scan->out, &call);
}

static int look_at_process(struct scan *scan, const char *pid)
{
	char path[PATH_MAX];
	struct dirent *d;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%.4000s/proc/%.20s/task", scan->root, pid);
	dir = opendir(path);
	while (dir && !ret && (d = readdir(dir)))
		if (isdigit((u8)d->d_name[0]))
			ret = look_at_thread(scan, pid, d->d_name);
	if (dir)
		closedir(dir);
	return ret;
}

int waiting_scan(struct waiting *out, const char *root, const char *const *functions,
		 size_t nr_functions)
{
	struct scan scan = { out, root, functions, nr_functions, STRBUF_INIT };
	char path[PATH_MAX];
	struct dirent *d;
	int ret = 0;
	DIR *dir;

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), "%.4000s/proc", root);
	dir = nr_functions ? opendir(path) : NULL;
	while (dir && !ret && (d = readdir(dir)))
		if (isdigit((u8)d->d_name[0]))
			ret = look_at_process(&scan, d->d_name);
	if (dir)
		closedir(dir);
	strbuf_free(&scan.text);
	return ret;
}

void waiting_free(struct waiting *w)
{
	free(w->call);
	memset(w, 0, sizeof(*w));
}

/* ---- in recordings: [[time, thread, inode], ...] */

struct json_object *waiting_to_json(const struct waiting *w)
{
	struct json_object *array = json_object_new_array(), *item;
	size_t i;

	for (i = 0; array && i < w->nr; i++) {
		item = json_object_new_array();
		if (item) {
			json_object_array_add(item, json_object_new_uint64(w->call[i].at_ns));
			json_object_array_add(item, json_object_new_int(w->call[i].tid));
			json_object_array_add(item, json_object_new_int64(w->call[i].inode));
		}
		if (!item || json_object_array_add(array, item)) {
			json_object_put(item);
			json_object_put(array);
			return NULL;
		}
	}
	return array;
}

static int compare(const void *va, const void *vb)
{
	const struct waiting_call *a = va, *b = vb;

	return a->at_ns < b->at_ns ? -1 : a->at_ns > b->at_ns;
}

static s64 number_at(struct json_object *item, size_t at, s64 max)
{
	struct json_object *value = json_object_array_get_idx(item, at);
	s64 n = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;

	return n > max ? -1 : n;
}

int waiting_from_json(struct waiting *w, struct json_object *array)
{
	struct json_object *item;
	s64 at, tid, inode;
	size_t i;
	int ret = 0;

	memset(w, 0, sizeof(*w));
	if (!json_object_is_type(array, json_type_array))
		return 0;
	for (i = 0; i < json_object_array_length(array) && i < MAX_CALLS && !ret; i++) {
		item = json_object_array_get_idx(array, i);
		if (!json_object_is_type(item, json_type_array))
			continue;
		at = number_at(item, 0, INT64_MAX);
		tid = number_at(item, 1, INT32_MAX);
		inode = number_at(item, 2, UINT32_MAX);
		if (at > 0 && tid > 0 && inode >= 0)
			ret = add(w, &(struct waiting_call){ (u64)at, (s32)tid, (u32)inode });
	}
	if (w->nr)
		qsort(w->call, w->nr, sizeof(*w->call), compare);
	return ret;
}
