// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See sockrec.h. Places and sizes are those of the formats (include/trace/events/sock.h, tcp.h).
 */
#include "decode/sockrec.h"

#include <netinet/in.h>

#include "decode/format.h"

void sock_formats_add(struct sock_formats *s, const char *system, const char *text, size_t len)
{
	bool tcp = !strcmp(system, "tcp");
	struct sock_format found = { 0 };
	struct format f;

	if (s->nr == SOCK_FORMATS || (!tcp && strcmp(system, "sock")) ||
	    !memmem(text, len, "family", 6) || !format_parse(&f, text, len))
		return;
	found.id = (u16)f.id;
	found.family = format_place(&f, "family", &found.min_len);
	found.protocol = format_place(&f, "protocol", &found.min_len);
	found.pid = format_place(&f, "common_pid", &found.min_len);
	found.flags = format_place(&f, "common_flags", &found.min_len);
	found.protocol_of_all = tcp ? IPPROTO_TCP : 0;
	if (found.family.size && found.pid.size && (tcp || found.protocol.size))
		s->format[s->nr++] = found;
}

bool sock_decode(const struct sock_formats *s, u16 id, const u8 *data, u32 len,
		 struct sock_record *rec)
{
	const struct sock_format *f = s->format, *end = f + s->nr;

	while (f < end && f->id != id)
		f++;
	if (f == end || len < f->min_len)
		return false;
	rec->pid = (s32)format_load(data, f->pid, s->swap);
	rec->family = (u16)format_load(data, f->family, s->swap);
	rec->protocol = f->protocol_of_all ? f->protocol_of_all :
					     (u16)format_load(data, f->protocol, s->swap);
	rec->context =
		(u8)(format_load(data, f->flags, s->swap) & (GRAPH_IN_HARDIRQ | GRAPH_IN_SOFTIRQ));
	return true;
}
