// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See taskevent.h.
 */
#include "decode/taskevent.h"

#include <string.h>

/* include/uapi/linux/sched.h */
#define CLONE_PARENT_FLAG 0x8000U
#define CLONE_THREAD_FLAG 0x10000U

static bool is_named(const struct format *f, const char *name)
{
	return f->name.len == strlen(name) && !memcmp(f->name.at, name, f->name.len);
}

void task_schema_add_format(struct task_schema *s, const char *system, const char *text, size_t len)
{
	struct task_event_type type = { 0 };
	struct format f;

	if (s->nr == ARRAY_SIZE(s->type) || strcmp(system, "task") || !format_parse(&f, text, len))
		return;
	type.begins = is_named(&f, "task_newtask");
	if (!type.begins && !is_named(&f, "task_rename"))
		return;
	type.id = (u16)f.id;
	type.current = format_place(&f, "common_pid", &type.min_len);
	/* task_rename is always of the running task; newer kernels do not say it twice */
	type.pid = format_place(&f, "pid", &type.min_len);
	type.flags = format_place(&f, "clone_flags", &type.min_len);
	type.comm = format_place_sized(&f, type.begins ? "comm" : "newcomm", 16, &type.min_len);
	if (type.current.size == 4 && type.comm.size &&
	    (!type.begins || (type.pid.size == 4 && type.flags.size >= 4)))
		s->type[s->nr++] = type;
}

bool task_schema_decode(const struct task_schema *s, u16 id, const u8 *data, u32 len,
			struct task_event *ev)
{
	const struct task_event_type *type = s->type, *end = type + s->nr;
	s32 current;
	u64 flags;

	while (type < end && type->id != id)
		type++;
	if (type == end || len < type->min_len)
		return false;
	memset(ev, 0, sizeof(*ev));
	current = (s32)format_load(data, type->current, s->swap);
	ev->tid = type->pid.size ? (s32)format_load(data, type->pid, s->swap) : current;
	ev->begins = type->begins;
	memcpy(ev->comm, data + type->comm.offset,
	       strnlen((const char *)data + type->comm.offset, sizeof(ev->comm) - 1));
	if (ev->begins) {
		flags = format_load(data, type->flags, s->swap);
		ev->by = current;
		ev->thread = flags & CLONE_THREAD_FLAG;
		ev->brother = flags & CLONE_PARENT_FLAG;
	}
	return ev->tid > 0;
}
