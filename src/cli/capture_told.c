// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which tracepoints tell addresses here; see capture_told.h. The decoder itself is asked.
 */
#include "cli/capture_told.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "decode/schema.h"

#define MAX_FORMAT_BYTES (1u << 20)

/* By what the kernel's format file says. A file that cannot be read is no reason not to trace. */
static bool tells(const struct features *f, const char *system, const char *event)
{
	struct strbuf text = STRBUF_INIT;
	struct error err = { 0 };
	struct schema schema;
	char path[512];
	bool told = false;

	snprintf(path, sizeof(path), "%s/events/%s/%s/format", f->tracing_dir, system, event);
	if (!schema_init(&schema, HOST_BIG_ENDIAN, sizeof(long), &err)) {
		told = !strbuf_read_file(&text, path, MAX_FORMAT_BYTES) &&
		       !schema_add_format(&schema, system, text.data, text.len, &err) &&
		       schema.has_told;
		schema_free(&schema);
	}
	strbuf_free(&text);
	return told;
}

static bool is_there(const struct features *f, const char *event)
{
	size_t i;

	for (i = 0; i < f->event_count; i++)
		if (!strcmp(f->events[i], event))
			return true;
	return false;
}

size_t capture_told(const struct features *f, const char *events[CAPTURE_TOLD_MAX])
{
	static const struct {
		const char *system, *event, *name;
	} known[CAPTURE_TOLD_MAX] = {
		{ "tcp", "tcp_probe", "tcp:tcp_probe" },
		{ "icmp", "icmp_send", "icmp:icmp_send" },
	};
	size_t i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (is_there(f, known[i].name) && tells(f, known[i].system, known[i].event))
			events[nr++] = known[i].name;
	return nr;
}
