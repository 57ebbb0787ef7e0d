// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The format of kernel_stack -> where its fields are, and records read by it; see stackrec.h.
 */
#include "decode/stackrec.h"

#include <string.h>

#include "decode/format.h"

#define NAME "kernel_stack"
#define MAX_OFFSET 4096

void stack_format_init(struct stack_format *s, bool big_endian, u8 long_size)
{
	memset(s, 0, sizeof(*s));
	s->swap = big_endian != HOST_BIG_ENDIAN;
	s->long_size = long_size == 4 ? 4 : 8;
}

void stack_format_add(struct stack_format *s, const char *system, const char *text, size_t len)
{
	const struct format_field *callers;
	struct format_place size, pid, flags;
	struct format f;
	u16 min_len = 0;

	if (s->callers || strcmp(system, GRAPH_SYSTEM) || !memmem(text, len, NAME, strlen(NAME)) ||
	    !format_parse(&f, text, len) || f.name.len != strlen(NAME) ||
	    memcmp(f.name.at, NAME, f.name.len) != 0)
		return;
	size = format_place(&f, "size", &min_len);
	pid = format_place(&f, "common_pid", &min_len);
	flags = format_place(&f, "common_flags", &min_len);
	callers = format_find(&f, "caller");
	if (!size.size || !pid.size || !flags.size || !callers || callers->offset < min_len ||
	    callers->offset > MAX_OFFSET)
		return;
	s->size = size;
	s->pid = pid;
	s->flags = flags;
	s->id = (u16)f.id;
	s->callers = (u16)callers->offset;
}

bool stack_decode(const struct stack_format *s, u16 id, const u8 *data, u32 len,
		  struct stack_record *rec)
{
	u64 size;
	u32 nr, i;

	/* all other fields lie before the addresses */
	if (!s->callers || id != s->id || len < s->callers)
		return false;
	nr = (len - s->callers) / s->long_size;
	size = format_load(data, s->size, s->swap);
	if (size < nr)
		nr = (u32)size;
	rec->pid = (s32)format_load(data, s->pid, s->swap);
	rec->context =
		(u8)(format_load(data, s->flags, s->swap) & (GRAPH_IN_HARDIRQ | GRAPH_IN_SOFTIRQ));
	rec->nr = (u8)(nr < STACK_FUNCS ? nr : STACK_FUNCS);
	for (i = 0; i < rec->nr; i++)
		rec->func[i] = load_uint(data + s->callers + (nr - 1 - i) * s->long_size,
					 s->long_size, s->swap);
	return true;
}
