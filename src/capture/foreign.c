// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who else uses function_graph, or the top-level instance.
 *
 * In:  control files of tracefs, /proc/PID/fd.
 * Out: -EBUSY and words.
 *
 * Reads only. Lists of functions and processes that are empty say so in a line that begins with # or "no
 * pid"; older kernels print nothing.
 */
#include "capture/foreign.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "kernel/tracedir.h"

/* Lists that narrow down what function_graph shows, for the whole machine. */
static const char *const scope_lists[] = { "set_graph_function", "set_graph_notrace" };
/* Those of the top-level instance, which also say that somebody is about to trace there. */
static const char *const top_lists[] = {
	"set_graph_function", "set_graph_notrace",     "set_ftrace_filter",
	"set_ftrace_notrace", "set_ftrace_pid",	       "set_ftrace_notrace_pid",
	"set_event_pid",      "set_event_notrace_pid", "set_event",
};

/* The first line of a file without its end; "" when it is empty or not there. */
static void first_line(const char *dir, const char *file, char *out, size_t size)
{
	struct strbuf text = STRBUF_INIT;
	char path[PATH_MAX];
	const char *line;

	out[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (!strbuf_read_file(&text, path, TRACEDIR_FILE_MAX)) {
		line = strbuf_cstr(&text);
		snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
	}
	strbuf_free(&text);
}

/* Whether a process has a file of the directory itself (no instance) open; its name is put into @file. */
static bool process_has_open(const char *pid, const char *tracing_dir, char *file, size_t size)
{
	char dir_path[300], link[PATH_MAX], path[600];
	size_t skip = strlen(tracing_dir);
	struct dirent *entry;
	bool found = false;
	ssize_t len;
	DIR *dir;

	snprintf(dir_path, sizeof(dir_path), "/proc/%.200s/fd", pid);
	dir = opendir(dir_path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%.255s", dir_path, entry->d_name);
		len = readlink(path, link, sizeof(link) - 1);
		if (len <= (ssize_t)skip + 1)
			continue;
		link[len] = '\0';
		found = !strncmp(link, tracing_dir, skip) && link[skip] == '/' &&
			strncmp(link + skip + 1, "instances", strlen("instances"));
		if (found)
			snprintf(file, size, "%.90s", link + skip + 1);
	}
	closedir(dir);
	return found;
}

/* The first process but ours that has a file of the top level open: "trace-cmd (812) has trace_pipe open". */
static bool who_has_open(const char *tracing_dir, char *words, size_t size)
{
	char file[100], comm[64], path[300];
	struct dirent *entry;
	bool found = false;
	DIR *proc;

	words[0] = '\0';
	proc = opendir("/proc");
	if (!proc)
		return false;
	while (!found && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]) || atoi(entry->d_name) == getpid() ||
		    !process_has_open(entry->d_name, tracing_dir, file, sizeof(file)))
			continue;
		found = true;
		snprintf(path, sizeof(path), "/proc/%.200s", entry->d_name);
		first_line(path, "comm", comm, sizeof(comm));
		snprintf(words, size, "process %.20s (%s) has %s open", entry->d_name, comm, file);
	}
	closedir(proc);
	return found;
}

static int busy(const char *tracing_dir, const char *what, const char *cure, struct error *err)
{
	char who[256];
	bool known = who_has_open(tracing_dir, who, sizeof(who));

	return error_set(err, EBUSY,
			 "function_graph has one set of settings here, and somebody else uses "
			 "it: %s%s%s. Stop that first; if nobody does any more: %s",
			 what, known ? "; " : "", who, cure);
}

static int check_list(const char *tracing_dir, const char *list, struct error *err)
{
	char line[128], what[300], cure[300];

	first_line(tracing_dir, list, line, sizeof(line));
	if (!line[0] || line[0] == '#' || !strcmp(line, "no pid"))
		return 0;
	snprintf(what, sizeof(what), "%.100s has '%.100s'", list, line);
	snprintf(cure, sizeof(cure), "echo > %.200s/%s", tracing_dir, list);
	return busy(tracing_dir, what, cure, err);
}

static int check_lists(const char *tracing_dir, const char *const *lists, size_t count,
		       struct error *err)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < count && !ret; i++)
		ret = check_list(tracing_dir, lists[i], err);
	return ret;
}

/* Nothing but "nop" (or, with @only, anything but that one) may run in an instance. */
static int check_tracer(const char *tracing_dir, const char *dir, const char *only,
			struct error *err)
{
	char tracer[64], what[300], cure[300];

	first_line(dir, "current_tracer", tracer, sizeof(tracer));
	if (!tracer[0] || !strcmp(tracer, "nop") || (only && strcmp(tracer, only)))
		return 0;
	snprintf(what, sizeof(what), "%.200s/current_tracer is '%s'", dir, tracer);
	snprintf(cure, sizeof(cure), "echo nop > %.200s/current_tracer", dir);
	return busy(tracing_dir, what, cure, err);
}

static int check_switch(struct error *err)
{
	char text[32];

	first_line("/proc/sys/kernel", "ftrace_enabled", text, sizeof(text));
	if (strcmp(text, "0"))
		return 0;
	return error_set(err, EBUSY,
			 "function tracing is switched off on this machine; to have it: sysctl "
			 "kernel.ftrace_enabled=1");
}

/* Records that nobody has read would be lost. */
static int check_records(const char *tracing_dir, struct error *err)
{
	char path[PATH_MAX], line[128], what[200], cure[300];
	unsigned long long count;
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/per_cpu", tracing_dir);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "cpu", 3))
			continue;
		snprintf(path, sizeof(path), "%s/per_cpu/%.60s", tracing_dir, entry->d_name);
		first_line(path, "stats", line, sizeof(line));
		if (sscanf(line, "entries: %llu", &count) != 1 || !count)
			continue;
		snprintf(what, sizeof(what), "its buffer holds %llu records on %.40s", count,
			 entry->d_name);
		snprintf(cure, sizeof(cure), "echo > %.200s/trace", tracing_dir);
		ret = busy(tracing_dir, what, cure, err);
	}
	closedir(dir);
	return ret;
}

/* A filter that was left would silently keep records from us. */
static int check_filters_of(const char *tracing_dir, const char *system, struct error *err)
{
	char path[PATH_MAX], line[128], what[400], cure[400];
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/events/%s", tracing_dir, system);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/events/%s/%.100s", tracing_dir, system,
			 entry->d_name);
		first_line(path, "filter", line, sizeof(line));
		if (entry->d_name[0] == '.' || !line[0] || !strcmp(line, "none"))
			continue;
		snprintf(what, sizeof(what), "%s:%.100s has the filter '%.100s'", system,
			 entry->d_name, line);
		snprintf(cure, sizeof(cure), "echo 0 > %.250s/filter", path);
		ret = busy(tracing_dir, what, cure, err);
	}
	closedir(dir);
	return ret;
}

static int check_filters(const char *tracing_dir, struct error *err)
{
	static const char *const systems[] = { "net", "skb", "sock", "tcp", "qdisc" };
	size_t i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(systems) && !ret; i++)
		ret = check_filters_of(tracing_dir, systems[i], err);
	return ret;
}

/* A reader of the pipe would get our records, or keep the tracer from being set. */
static int check_readers(const char *tracing_dir, struct error *err)
{
	char who[256];

	if (!who_has_open(tracing_dir, who, sizeof(who)) || !strstr(who, "trace_pipe"))
		return 0;
	return error_set(err, EBUSY,
			 "function_graph works only at the top level on this kernel, and %s: it "
			 "would get our records. Stop it first",
			 who);
}

int foreign_top_level(const char *tracing_dir, struct error *err)
{
	int ret = check_switch(err);

	if (!ret)
		ret = check_tracer(tracing_dir, tracing_dir, NULL, err);
	if (!ret)
		ret = check_lists(tracing_dir, top_lists, ARRAY_SIZE(top_lists), err);
	if (!ret)
		ret = check_filters(tracing_dir, err);
	if (!ret)
		ret = check_readers(tracing_dir, err);
	return ret ? ret : check_records(tracing_dir, err);
}

int foreign_graph(const char *tracing_dir, struct error *err)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int ret;
	DIR *dir;

	ret = check_switch(err);
	if (!ret)
		ret = check_lists(tracing_dir, scope_lists, ARRAY_SIZE(scope_lists), err);
	if (!ret)
		ret = check_tracer(tracing_dir, tracing_dir, "function_graph", err);
	snprintf(path, sizeof(path), "%s/instances", tracing_dir);
	dir = ret ? NULL : opendir(path);
	while (dir && !ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' && strspn(entry->d_name, ".") == strlen(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/instances/%.255s", tracing_dir, entry->d_name);
		ret = check_tracer(tracing_dir, path, "function_graph", err);
	}
	if (dir)
		closedir(dir);
	return ret;
}
