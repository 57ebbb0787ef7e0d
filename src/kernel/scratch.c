// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A private instance with probe events: see scratch.h.
 */
#include "kernel/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/dynevents.h"
#include "kernel/tracedir.h"

#define TEXT_MAX (64U << 20)

int scratch_open(struct scratch *s, const char *tracing_dir, struct error *err)
{
	s->owner = -1;
	snprintf(s->tracing_dir, sizeof(s->tracing_dir), "%s", tracing_dir);
	snprintf(s->instance, sizeof(s->instance), "%s/instances/skbtrail-%d", tracing_dir,
		 (int)getpid());
	snprintf(s->group, sizeof(s->group), "skbtrail_%d", (int)getpid());
	snprintf(s->define, sizeof(s->define), "%s/kprobe_events", tracing_dir);
	if (access(s->define, F_OK))
		return error_errno(err, errno, "this kernel has no kprobe events: %s", s->define);
	s->owner = instance_create_over(tracing_dir, s->instance, err);
	return s->owner < 0 ? s->owner : 0;
}

/* The instance goes last: while it is owned, the probe events are nobody's leftovers. */
int scratch_close(struct scratch *s, struct error *err)
{
	int ret, removed;

	if (s->owner < 0)
		return 0;
	ret = scratch_undefine(s, err);
	removed = instance_remove(s->instance);
	if (removed && !ret)
		ret = error_errno(err, -removed, "cannot remove %s", s->instance);
	close(s->owner);
	s->owner = -1;
	return ret;
}

int scratch_define(const struct scratch *s, const char *lines)
{
	return tracedir_append(s->define, lines);
}

int scratch_undefine(const struct scratch *s, struct error *err)
{
	scratch_switch(s, false);
	return dynevents_remove(s->define, s->group, err);
}

int scratch_write(const struct scratch *s, const char *file, const char *value)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", s->instance, file);
	return tracedir_write(path, value);
}

int scratch_switch(const struct scratch *s, bool on)
{
	char file[96];

	snprintf(file, sizeof(file), "events/%s/enable", s->group);
	return scratch_write(s, file, on ? "1" : "0");
}

int scratch_read(const struct scratch *s, struct strbuf *out)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/trace", s->instance);
	return strbuf_read_file(out, path, TEXT_MAX);
}
