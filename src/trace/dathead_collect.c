// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The running kernel's format files, symbols and names -> struct dathead.
 *
 * Only formats of events that are recorded are taken, and only functions of kallsyms: nothing else
 * can be asked of our recordings, and a file is megabytes smaller.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>

#include "trace/dathead.h"

#define MAX_FORMAT_BYTES (1u << 20)
#define MAX_KALLSYMS_BYTES (256u << 20)

static int read_into(struct strbuf *sb, const char *dir, const char *name, struct error *err)
{
	char path[4096];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ret = strbuf_read_file(sb, path, MAX_KALLSYMS_BYTES);
	return ret ? error_errno(err, -ret, "cannot read %s", path) : 0;
}

/* Append u64 size and text of one format file. */
static int add_format(struct strbuf *sb, const char *path, struct error *err)
{
	size_t at = sb->len;
	u64 size = 0;
	int ret;

	strbuf_put(sb, (const char *)&size, sizeof(size));
	ret = strbuf_read_file(sb, path, MAX_FORMAT_BYTES);
	if (ret || sb->failed) {
		sb->len = at;
		return error_errno(err, ret ? -ret : ENOMEM, "cannot read %s", path);
	}
	size = sb->len - at - sizeof(size);
	memcpy(sb->data + at, &size, sizeof(size));
	return 0;
}

static void collect_ftrace(struct dathead *head, const char *tracing_dir)
{
	char path[4096];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/events/ftrace", tracing_dir);
	dir = opendir(path);
	if (!dir)
		return; /* no event of ours is there */
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/events/ftrace/%s/format", tracing_dir,
			 entry->d_name);
		/* Files that are no directory of an event (enable, filter) are passed over. */
		if (!add_format(&head->ftrace_formats, path, NULL))
			head->nr_ftrace_formats++;
	}
	closedir(dir);
}

/* The events are sorted, so those of a system are neighbours. */
static int collect_formats(struct dathead *head, const char *tracing_dir, char *const *events,
			   size_t count, struct error *err)
{
	size_t i, system_len, last_len = 0, count_at = 0;
	u32 in_system = 0;
	char path[4096];
	const char *colon;
	int ret;

	for (i = 0; i < count; i++) {
		colon = strchr(events[i], ':');
		if (!colon)
			continue;
		system_len = (size_t)(colon - events[i]);
		if (!i || system_len != last_len || strncmp(events[i], events[i - 1], last_len)) {
			strbuf_put(&head->formats, events[i], system_len);
			strbuf_putc(&head->formats, '\0');
			count_at = head->formats.len;
			in_system = 0;
			strbuf_put(&head->formats, (const char *)&in_system, sizeof(in_system));
			head->nr_systems++;
		}
		last_len = system_len;
		snprintf(path, sizeof(path), "%s/events/%.*s/%s/format", tracing_dir,
			 (int)system_len, events[i], colon + 1);
		ret = add_format(&head->formats, path, err);
		if (ret)
			return ret;
		in_system++;
		memcpy(head->formats.data + count_at, &in_system, sizeof(in_system));
	}
	return head->formats.failed ? error_errno(err, ENOMEM, "cannot collect formats") : 0;
}

/* Keep the lines of kallsyms that name functions. */
static void keep_functions(struct strbuf *text)
{
	size_t at = 0, to = 0, end;
	const char *nl, *space;

	while (at < text->len) {
		nl = memchr(text->data + at, '\n', text->len - at);
		end = nl ? (size_t)(nl - text->data) + 1 : text->len;
		space = memchr(text->data + at, ' ', end - at);
		if (space && space + 1 < text->data + end && strchr("tTwW", space[1])) {
			memmove(text->data + to, text->data + at, end - at);
			to += end - at;
		}
		at = end;
	}
	text->len = to;
}

static void collect_system(struct dathead *head)
{
	struct utsname u;
	struct timespec now;

	if (!uname(&u))
		snprintf(head->uname, sizeof(head->uname), "%s %s %s %s", u.sysname, u.nodename,
			 u.release, u.machine);
	clock_gettime(CLOCK_REALTIME, &now);
	head->trace_id = (u64)now.tv_sec * NSEC_PER_SEC + (u64)now.tv_nsec;
}

int dathead_name_tasks(struct dathead *head, const char *tracing_dir, const struct strbuf *extra)
{
	struct strbuf text = STRBUF_INIT;
	int ret;

	ret = read_into(&text, tracing_dir, "saved_cmdlines", NULL);
	if (!ret) {
		if (extra && extra->len)
			strbuf_put(&text, extra->data, extra->len);
		strbuf_free(&head->cmdlines);
		head->cmdlines = text;
	} else {
		strbuf_free(&text);
	}
	return ret;
}

int dathead_collect(struct dathead *head, const char *tracing_dir, const char *instance_dir,
		    char *const *events, size_t event_count, struct error *err)
{
	int ret;

	memset(head, 0, sizeof(*head));
	ret = read_into(&head->header_page, instance_dir, "events/header_page", NULL);
	if (ret) {
		head->header_page.len = 0;
		ret = read_into(&head->header_page, tracing_dir, "events/header_page", err);
	}
	if (!ret)
		ret = read_into(&head->header_event, tracing_dir, "events/header_event", err);
	if (!ret)
		collect_ftrace(head, tracing_dir);
	if (!ret)
		ret = collect_formats(head, tracing_dir, events, event_count, err);
	if (ret)
		return ret;
	if (!read_into(&head->kallsyms, "/proc", "kallsyms", NULL))
		keep_functions(&head->kallsyms);
	read_into(&head->printk, tracing_dir, "printk_formats", NULL);
	dathead_name_tasks(head, tracing_dir, NULL);
	collect_system(head);
	return 0;
}
