// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Definitions of probe events of one group: see dynevents.h.
 */
#include "kernel/dynevents.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"
#include "kernel/tracedir.h"

#define BUSY_TRIES 50
#define BUSY_PAUSE_NS 20000000

/* The name of the event in a line "p:GROUP/NAME PLACE ..." when it is of @group; else NULL. */
static const char *name_in_line(const char *line, const char *group, size_t *len)
{
	const char *at = memchr(line, ':', strcspn(line, " \t\n"));
	size_t group_len = strlen(group);

	if (!at || strncmp(at + 1, group, group_len) || at[1 + group_len] != '/')
		return NULL;
	at += 1 + group_len + 1;
	*len = strcspn(at, " \t\n");
	return at;
}

/* "-:GROUP/NAME" for each definition of @group, without the last newline; @count of them. */
static int list_removals(const char *path, const char *group, struct strbuf *out, size_t *count)
{
	struct strbuf text = STRBUF_INIT;
	const char *line, *name;
	size_t len;
	int ret;

	*count = 0;
	ret = strbuf_read_file(&text, path, TRACEDIR_FILE_MAX);
	for (line = strbuf_cstr(&text); !ret && *line; line += *line == '\n') {
		name = name_in_line(line, group, &len);
		if (name) {
			strbuf_printf(out, "%s-:%s/%.*s", *count ? "\n" : "", group, (int)len,
				      name);
			++*count;
		}
		line += strcspn(line, "\n");
	}
	if (!ret && (text.failed || out->failed))
		ret = -ENOMEM;
	strbuf_free(&text);
	return ret;
}

int dynevents_count(const char *path, const char *group, size_t *count)
{
	struct strbuf lines = STRBUF_INIT;
	int ret = list_removals(path, group, &lines, count);

	strbuf_free(&lines);
	return ret;
}

int dynevents_remove(const char *path, const char *group, struct error *err)
{
	const struct timespec pause = { 0, BUSY_PAUSE_NS };
	struct strbuf lines = STRBUF_INIT;
	size_t count, last = SIZE_MAX;
	int tries = 0;
	int ret;

	for (;;) {
		lines.len = 0;
		ret = list_removals(path, group, &lines, &count);
		if (ret || !count)
			break;
		/* one that is busy keeps those behind it, so what counts is whether it gets on */
		if (count >= last) {
			if (++tries > BUSY_TRIES) {
				ret = -EBUSY;
				break;
			}
			nanosleep(&pause, NULL);
		}
		last = count;
		ret = tracedir_append(path, strbuf_cstr(&lines));
		if (ret && ret != -EBUSY && ret != -ENOENT)
			break;
	}
	strbuf_free(&lines);
	return ret ? error_errno(err, -ret, "cannot remove the probe events %s from %s", group,
				 path) :
		     0;
}
