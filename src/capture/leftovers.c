// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding and removing what a killed skbtrail left in tracefs.
 *
 * In:  <tracing_dir>/instances and the lists of dynamic events.
 * Out: struct leftovers; tracefs without them.
 *
 * Names are matched exactly, so skbtrail-notours, skbtrail-1-copy or other stay. Every judgement
 * is made while the instances directory is locked exclusively (see tracedir.h for why).
 */
#include "capture/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "capture/saved.h"
#include "kernel/tracedir.h"

#define INSTANCE_PREFIX "skbtrail-"
#define GROUP_PREFIX "skbtrail_"
#define BUSY_TRIES 50
#define BUSY_PAUSE_NS 20000000

/* Files that list probe events, the ones before the first that exists being newer kernels'. */
static const char *const event_files[] = { "dynamic_events", "kprobe_events", "uprobe_events" };

/* The digits behind @prefix when @name is exactly prefix<digits>, up to @len characters. */
static const char *digits_of(const char *name, size_t len, const char *prefix)
{
	size_t skip = strlen(prefix);

	if (len <= skip || strncmp(name, prefix, skip) ||
	    strspn(name + skip, "0123456789") < len - skip)
		return NULL;
	return name + skip;
}

static int add_item(struct leftovers *list, enum leftover_kind kind, const char *name, size_t len)
{
	struct leftover *grown = reallocarray(list->items, list->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	list->items = grown;
	grown += list->count;
	memset(grown, 0, sizeof(*grown));
	grown->kind = kind;
	grown->name = strndup(name, len);
	if (!grown->name)
		return -ENOMEM;
	list->count++;
	return 0;
}

/* Whether the instance skbtrail-<digits> has an owner; 1, 0 or -errno. */
static int owner_alive(const char *tracing_dir, const char *digits, size_t len)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/instances/" INSTANCE_PREFIX "%.*s", tracing_dir,
		     (int)len, digits) >= PATH_MAX)
		return -ENAMETOOLONG;
	return instance_owner_alive(path);
}

static int find_instances(const char *tracing_dir, struct leftovers *out, struct error *err)
{
	char path[PATH_MAX];
	struct dirent *entry;
	const char *digits;
	int alive;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/instances", tracing_dir);
	dir = opendir(path);
	if (!dir)
		return error_errno(err, errno, "cannot open %s", path);
	while (!ret && (entry = readdir(dir))) {
		digits = digits_of(entry->d_name, strlen(entry->d_name), INSTANCE_PREFIX);
		if (!digits)
			continue;
		alive = owner_alive(tracing_dir, digits, strlen(digits));
		if (alive < 0)
			ret = error_errno(err, -alive, "cannot look at %s/%s", path, entry->d_name);
		else if (!alive)
			ret = add_item(out, LEFTOVER_INSTANCE, entry->d_name,
				       strlen(entry->d_name));
	}
	closedir(dir);
	return ret;
}

/* One line of a list of dynamic events: "p:group/name place args", "e:group/name ...", ... */
static int judge_event(const char *tracing_dir, const char *line, struct leftovers *out)
{
	const char *group = memchr(line, ':', strcspn(line, " \t\n"));
	const char *digits;
	const char *slash;
	size_t len;

	if (!group)
		return 0;
	group++;
	len = strcspn(group, " \t\n");
	slash = memchr(group, '/', len);
	if (!slash || slash + 1 == group + len)
		return 0;
	digits = digits_of(group, (size_t)(slash - group), GROUP_PREFIX);
	if (!digits || owner_alive(tracing_dir, digits, (size_t)(slash - digits)))
		return 0;
	return add_item(out, LEFTOVER_PROBE, group, len);
}

static int find_probes(const char *tracing_dir, struct leftovers *out, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	char path[PATH_MAX];
	const char *line;
	int ret = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(event_files) && !ret; i++) {
		text.len = 0;
		snprintf(path, sizeof(path), "%s/%s", tracing_dir, event_files[i]);
		ret = strbuf_read_file(&text, path, TRACEDIR_FILE_MAX);
		if (ret == -ENOENT) {
			ret = 0;
			continue;
		}
		if (ret)
			error_errno(err, -ret, "cannot read %s", path);
		for (line = strbuf_cstr(&text); *line && !ret; line += *line == '\n') {
			ret = judge_event(tracing_dir, line, out);
			line += strcspn(line, "\n");
		}
		if (i == 0)
			break; /* dynamic_events has them all */
	}
	strbuf_free(&text);
	return ret;
}

/* Another user may not read the file, and need not know. */
static int find_saved(struct leftovers *out)
{
	pid_t pid;

	return saved_owner(SAVED_FILE, &pid) ?
		       0 :
		       add_item(out, LEFTOVER_SAVED, SAVED_FILE, strlen(SAVED_FILE));
}

int leftovers_find(const char *tracing_dir, struct leftovers *out, struct error *err)
{
	int lock;
	int ret;

	memset(out, 0, sizeof(*out));
	lock = instances_lock(tracing_dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	ret = find_instances(tracing_dir, out, err);
	if (!ret)
		ret = find_saved(out);
	if (!ret)
		ret = find_probes(tracing_dir, out, err);
	close(lock);
	if (ret == -ENOMEM)
		error_errno(err, ENOMEM, "cannot list what is left in %s", tracing_dir);
	return ret;
}

/* Switch one event off in the instance (or top level) @dir if it is on there. */
static void disable_event(const char *dir, const char *name)
{
	struct strbuf state = STRBUF_INIT;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/events/%s/enable", dir, name) >= PATH_MAX)
		return;
	if (!strbuf_read_file(&state, path, 64) && strbuf_cstr(&state)[0] != '0')
		tracedir_write(path, "0");
	strbuf_free(&state);
}

static void disable_event_everywhere(const char *tracing_dir, const char *name)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	disable_event(tracing_dir, name);
	snprintf(path, sizeof(path), "%s/instances", tracing_dir);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' && strspn(entry->d_name, ".") == strlen(entry->d_name))
			continue;
		if (snprintf(path, sizeof(path), "%s/instances/%s", tracing_dir, entry->d_name) <
		    PATH_MAX)
			disable_event(path, name);
	}
	closedir(dir);
}

static int append_patiently(const char *path, const char *command)
{
	const struct timespec pause = { 0, BUSY_PAUSE_NS };
	int tries = 0;
	int ret;

	while ((ret = tracedir_append(path, command)) == -EBUSY && tries++ < BUSY_TRIES)
		nanosleep(&pause, NULL);
	return ret;
}

/* Take a definition back, in the file this kernel knows it by. Return: 0 or -errno */
static int undefine_event(const char *tracing_dir, const char *name, struct error *err)
{
	char path[PATH_MAX];
	int ret = -ENOENT;
	char *command;
	size_t i;

	if (asprintf(&command, "-:%s", name) < 0)
		return error_errno(err, ENOMEM, "cannot remove the probe event %s", name);
	for (i = 0; i < ARRAY_SIZE(event_files) && ret; i++) {
		snprintf(path, sizeof(path), "%s/%s", tracing_dir, event_files[i]);
		if (access(path, F_OK))
			continue;
		ret = append_patiently(path, command);
		if (i == 0)
			break; /* dynamic_events has them all */
	}
	free(command);
	if (ret)
		return error_errno(err, -ret, "cannot remove the probe event %s%s", name,
				   ret == -EBUSY ? " (somebody still uses it)" : "");
	return 0;
}

static int reap_probe(const char *tracing_dir, const char *name, struct error *err)
{
	const char *digits = name + strlen(GROUP_PREFIX);
	int lock = instances_lock(tracing_dir, LOCK_EX, err);
	int ret;

	if (lock < 0)
		return lock;
	ret = owner_alive(tracing_dir, digits, strcspn(digits, "/"));
	if (ret > 0) {
		ret = -EWOULDBLOCK;
	} else if (!ret) {
		disable_event_everywhere(tracing_dir, name);
		ret = undefine_event(tracing_dir, name, err);
	} else {
		error_errno(err, -ret, "cannot look for the owner of the probe event %s", name);
	}
	close(lock);
	return ret;
}

int leftovers_remove(const char *tracing_dir, struct leftovers *list, struct error *err)
{
	struct leftover *item;
	char path[PATH_MAX];
	int first = 0;
	size_t i;
	int ret;

	for (i = 0; i < list->count; i++) {
		item = &list->items[i];
		snprintf(path, sizeof(path), "%s/instances/%s", tracing_dir, item->name);
		if (item->kind == LEFTOVER_INSTANCE)
			ret = instance_reap(tracing_dir, path, &item->err);
		else if (item->kind == LEFTOVER_SAVED)
			ret = saved_restore(SAVED_FILE, tracing_dir, &item->err);
		else
			ret = reap_probe(tracing_dir, item->name, &item->err);
		item->removed = !ret;
		item->alive = ret == -EWOULDBLOCK;
		if (!ret || item->alive) {
			memset(&item->err, 0, sizeof(item->err));
		} else if (!first) {
			first = ret;
			if (err)
				*err = item->err;
		}
	}
	return first;
}

void leftovers_free(struct leftovers *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->items[i].name);
	free(list->items);
	memset(list, 0, sizeof(*list));
}
