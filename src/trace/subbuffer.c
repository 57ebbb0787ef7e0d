// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * events/header_page -> struct subbuffer_layout.
 *
 * The file names three fields we need (timestamp, commit, data) in the "field:" lines that format
 * files use too; "overwrite" shares commit's offset and is of no interest.
 */
#include "trace/subbuffer.h"

#include <errno.h>
#include <stdlib.h>

/* Offset and size in the line that declares @name; false when there is none. */
static bool find_field(const char *text, const char *name, u32 *offset, u32 *size)
{
	const char *line = text, *end, *at, *semi;
	size_t name_len = strlen(name);

	for (; line && *line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		semi = strchr(line, ';');
		if (!semi || (end && semi > end) || (size_t)(semi - line) < name_len + 1)
			continue;
		if (strncmp(semi - name_len, name, name_len) ||
		    semi[-(ptrdiff_t)name_len - 1] != ' ')
			continue;
		at = strstr(semi, "offset:");
		if (!at || (end && at > end))
			return false;
		*offset = (u32)strtoul(at + 7, NULL, 10);
		at = strstr(semi, "size:");
		if (!at || (end && at > end))
			return false;
		*size = (u32)strtoul(at + 5, NULL, 10);
		return true;
	}
	return false;
}

int subbuffer_layout_parse(struct subbuffer_layout *layout, const char *text, size_t len)
{
	u32 ts_offset, ts_size, commit_size, data_size;
	int ret = -EINVAL;
	char *copy;

	copy = strndup(text, len);
	if (!copy)
		return -ENOMEM;
	if (!find_field(copy, "timestamp", &ts_offset, &ts_size) ||
	    !find_field(copy, "commit", &layout->commit_offset, &commit_size) ||
	    !find_field(copy, "data", &layout->data_offset, &data_size))
		goto out;
	if (ts_offset != 0 || ts_size != 8 || (commit_size != 4 && commit_size != 8) ||
	    layout->commit_offset < 8 || layout->commit_offset > 64 || layout->data_offset > 64 ||
	    layout->commit_offset + commit_size > layout->data_offset || data_size < 64 ||
	    data_size > (64u << 20))
		goto out;
	layout->commit_size = (u8)commit_size;
	layout->size = layout->data_offset + data_size;
	ret = 0;
out:
	free(copy);
	return ret;
}
