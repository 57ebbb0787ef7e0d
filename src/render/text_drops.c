// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Groups of dropped packets as text: what, where, whose, when; three lines each.
 */
#include <stdio.h>

#include "decode/packet_text.h"
#include "render/drops.h"
#include "render/fmt.h"
#include "render/text_internal.h"

#define COUNT_COLUMNS 8
#define INDENT (COUNT_COLUMNS + 2)
#define PLAIN_WIDTH 80

static void put_color(struct strbuf *sb, const struct text_style *style, const char *code)
{
	if (style->color)
		strbuf_puts(sb, code);
}

/* A foreign name with a word before it, if there is one. */
static void put_named(struct strbuf *sb, const char *word, const char *name, bool utf8)
{
	if (!name)
		return;
	strbuf_puts(sb, word);
	text_put(sb, name, utf8, 0);
}

/* End a line that began at @from. */
static void end_line(struct strbuf *sb, size_t from, const struct text_style *style)
{
	text_wrap(sb, from, style->width ? style->width : PLAIN_WIDTH, INDENT);
	strbuf_putc(sb, '\n');
}

static void put_count(struct strbuf *sb, u64 count, const struct text_style *style)
{
	char text[24];
	size_t i = sizeof(text);

	do {
		text[--i] = (char)('0' + count % 10);
		count /= 10;
	} while (count);
	strbuf_pad(sb, COUNT_COLUMNS - (int)(sizeof(text) - i));
	put_color(sb, style, COLOR_BOLD);
	strbuf_put(sb, text + i, sizeof(text) - i);
	put_color(sb, style, COLOR_RESET);
	strbuf_puts(sb, "  ");
}

static void put_why(struct strbuf *sb, const struct drop_group *g, const struct text_style *style)
{
	const struct drop_words *w = &g->words;
	const char *hook = g->key.has_hook ? render_hook(g->key.pf, g->key.hook) : NULL;
	size_t from = sb->len;

	put_count(sb, g->count, style);
	put_color(sb, style, COLOR_RED);
	if (w->reason)
		text_put(sb, w->reason, style->utf8, 0);
	else
		strbuf_puts(sb, "dropped");
	put_color(sb, style, COLOR_RESET);
	put_named(sb, " in ", w->location, style->utf8);
	if (hook) {
		put_named(sb, ", netfilter ", render_hook_family(g->key.pf), style->utf8);
		put_named(sb, " ", hook, style->utf8);
	}
	put_named(sb, ", table ", w->table, style->utf8);
	put_named(sb, ", chain ", w->chain, style->utf8);
	put_named(sb, ", first ", w->function, style->utf8);
	end_line(sb, from, style);
}

static void put_end(struct strbuf *sb, const struct drop_group *g, bool dst)
{
	const struct drop_flow *f = &g->key.flow;
	bool counts = f->port_of == (dst ? DROP_PORT_DST : DROP_PORT_SRC);
	bool brackets = f->version == 6 && f->port_of;

	if (brackets)
		strbuf_putc(sb, '[');
	packet_put_addr(sb, dst ? f->dst : f->src, f->version);
	if (brackets)
		strbuf_putc(sb, ']');
	if (!f->port_of)
		return;
	strbuf_putc(sb, ':');
	if (!counts && g->other_ports)
		strbuf_putc(sb, '*');
	else
		strbuf_put_u64(sb, counts ? f->port : g->other_port);
}

static void put_protocol(struct strbuf *sb, const struct drop_flow *f)
{
	const char *name;

	if (f->version && f->ethertype != 0x0806) {
		name = packet_proto_name(f->proto);
		if (name)
			strbuf_puts(sb, name);
		else
			strbuf_printf(sb, "protocol %u", f->proto);
		return;
	}
	name = render_proto(f->ethertype);
	if (name)
		strbuf_puts(sb, name);
	else if (f->ethertype)
		strbuf_printf(sb, "EtherType 0x%04x", f->ethertype);
	else
		strbuf_puts(sb, "packets");
}

static void put_type(struct strbuf *sb, const struct drop_flow *f)
{
	const char *name;

	if (!f->has_type)
		return;
	if (f->ethertype == 0x0806) {
		strbuf_puts(sb, f->type == 1 ? " request" : f->type == 2 ? " reply" : " message");
		return;
	}
	name = packet_icmp_name(f->version, f->type, f->code);
	if (name)
		strbuf_printf(sb, " %s", name);
	else
		strbuf_printf(sb, " type %u code %u", f->type, f->code);
}

static void put_whose(struct strbuf *sb, const struct drop_group *g, const struct text_style *style)
{
	const struct drop_words *w = &g->words;
	size_t from = sb->len;

	strbuf_pad(sb, INDENT);
	put_protocol(sb, &g->key.flow);
	put_type(sb, &g->key.flow);
	if (g->key.flow.version) {
		strbuf_putc(sb, ' ');
		put_end(sb, g, false);
		strbuf_puts(sb, style->utf8 ? " → " : " -> ");
		put_end(sb, g, true);
	}
	if (w->dev) {
		strbuf_puts(sb, ", last on ");
		if (w->netns) {
			text_put(sb, w->netns, style->utf8, 0);
			strbuf_putc(sb, ':');
		}
		text_put(sb, w->dev, style->utf8, 0);
	}
	end_line(sb, from, style);
}

static void put_when(struct strbuf *sb, const struct drop_group *g, const struct text_style *style)
{
	size_t from = sb->len;

	strbuf_pad(sb, INDENT);
	put_color(sb, style, COLOR_DIM);
	if (g->bytes) {
		strbuf_put_u64(sb, g->bytes);
		strbuf_puts(sb, " bytes, ");
	}
	fmt_seconds(sb, g->first_ns);
	if (g->last_ns > g->first_ns) {
		strbuf_puts(sb, " to ");
		fmt_seconds(sb, g->last_ns);
	}
	strbuf_puts(sb, ", first #");
	strbuf_put_u64(sb, g->example);
	put_color(sb, style, COLOR_RESET);
	end_line(sb, from, style);
}

void render_drop_text(struct strbuf *sb, const struct drop_group *group,
		      const struct text_style *style)
{
	put_why(sb, group, style);
	put_whose(sb, group, style);
	put_when(sb, group, style);
	if (style->verbose && group->words.example) {
		strbuf_putc(sb, '\n');
		strbuf_puts(sb, group->words.example);
	} else {
		strbuf_putc(sb, '\n');
	}
}

static char *copy_of(const char *text)
{
	return text ? strdup(text) : NULL;
}

static char *location_words(u64 location, const struct render_names *names)
{
	struct strbuf sb = STRBUF_INIT;
	char *copy;

	if (!location)
		return NULL;
	render_location(&sb, location, names);
	copy = copy_of(strbuf_cstr(&sb));
	strbuf_free(&sb);
	return copy;
}

static char *reason_words(const struct drop_key *key, const struct render_names *names)
{
	const char *reason;
	char number[24];

	if (!key->has_reason)
		return NULL;
	reason = schema_reason(&names->schema->types[key->type], key->reason);
	snprintf(number, sizeof(number), "reason 0x%x", key->reason);
	return copy_of(reason ? reason : number);
}

static char *name_words(u16 number, const struct render_names *names)
{
	return number ? copy_of(devnames_text(&names->schema->devs, number)) : NULL;
}

void render_drop_words(struct drop_words *w, const struct drop_key *key, const struct path *path,
		       const struct render_names *names)
{
	const struct hop *place = drop_place(path);
	const struct netns *ns = place && names->topology ? topology_netns(names->topology, place) :
							    NULL;

	w->reason = reason_words(key, names);
	w->location = location_words(key->location, names);
	w->function = location_words(key->function, names);
	w->table = name_words(key->table, names);
	w->chain = name_words(key->chain, names);
	w->dev = name_words(place ? place->dev : 0, names);
	w->netns = copy_of(ns ? ns->name : NULL);
}
