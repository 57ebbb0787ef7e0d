// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Formats of function_graph's records -> where their fields are; see graphrec.h.
 *
 * A format may come from a stranger: what graph_decode() loads lies below min_len, by construction here.
 */
#include "decode/graphrec.h"

#define MAX_OFFSET 4096

/* By their names; those with another ending are the same with more fields. */
static const struct {
	const char *name;
	enum graph_kind kind;
} formats[] = {
	{ "funcgraph_entry", GRAPH_ENTRY },
	{ "funcgraph_retaddr_entry", GRAPH_ENTRY },
	{ "funcgraph_exit", GRAPH_EXIT },
};

void graph_formats_init(struct graph_formats *g, bool big_endian, u8 long_size)
{
	memset(g, 0, sizeof(*g));
	g->swap = big_endian != HOST_BIG_ENDIAN;
	g->long_size = long_size == 4 ? 4 : 8;
}

static enum graph_kind kind_of(const struct format *f)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (f->name.len == strlen(formats[i].name) &&
		    !memcmp(f->name.at, formats[i].name, f->name.len))
			return formats[i].kind;
	return GRAPH_NONE;
}

/* The tail has no size of its own: a record has so many as its length says. */
static u16 tail_of(const struct graph_format *g, const struct format *f)
{
	const struct format_field *field = format_find(f, "args");

	if (!field || field->size || field->offset < g->min_len || field->offset > MAX_OFFSET)
		return 0;
	return (u16)field->offset;
}

static void find_places(struct graph_format *g, const struct format *f)
{
	g->func = format_place(f, "func", &g->min_len);
	g->depth = format_place(f, "depth", &g->min_len);
	g->pid = format_place(f, "common_pid", &g->min_len);
	g->flags = format_place(f, "common_flags", &g->min_len);
	if (g->kind == GRAPH_EXIT) {
		g->calltime = format_place(f, "calltime", &g->min_len);
		g->rettime = format_place(f, "rettime", &g->min_len);
		g->retval = format_place(f, "retval", &g->min_len);
	} else {
		g->retaddr = format_place(f, "retaddr", &g->min_len);
		g->args = tail_of(g, f);
	}
	g->has = (u8)((g->retval.size ? GRAPH_HAS_RETVAL : 0) |
		      (g->retaddr.size ? GRAPH_HAS_RETADDR : 0) |
		      (g->calltime.size && g->rettime.size ? GRAPH_HAS_SPAN : 0));
}

static bool is_usual(const struct graph_format *g)
{
	bool times = g->calltime.size == 8 && g->rettime.size == 8;

	return g->func.size == 8 && g->depth.size == 4 && g->pid.size == 4 && g->flags.size == 1 &&
	       !g->args && (g->kind == GRAPH_EXIT ? times : true) &&
	       !(g->has & (GRAPH_HAS_RETVAL | GRAPH_HAS_RETADDR));
}

void graph_formats_add(struct graph_formats *g, const char *system, const char *text, size_t len)
{
	struct graph_format found = { 0 };
	struct format f;
	u32 i;

	if (g->nr == GRAPH_FORMATS || strcmp(system, GRAPH_SYSTEM) ||
	    !memmem(text, len, "funcgraph", 9) || !format_parse(&f, text, len))
		return;
	found.kind = (u8)kind_of(&f);
	found.id = (u16)f.id;
	for (i = 0; i < g->nr; i++)
		if (g->format[i].id == found.id)
			return;
	if (found.kind == GRAPH_NONE)
		return;
	find_places(&found, &f);
	found.usual = is_usual(&found);
	/* Without these nothing can be told; all of them are in every kernel. */
	if (found.func.size && found.depth.size && found.pid.size)
		g->format[g->nr++] = found;
}
