// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Format files -> struct event_type. Afterwards no name is looked up any more.
 */
#include "decode/schema.h"

#include <errno.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "decode/format.h"
#include "decode/probe.h"
#include "decode/probe_names.h"
#include "decode/tapframe.h"
#include "decode/told.h"

/* What an event means for a path. Adding a hop is adding a row. */
static const struct {
	const char *system, *event;
	enum event_kind kind;
} meanings[] = {
	{ "net", "net_dev_queue", EVENT_QUEUE },
	{ "net", "net_dev_start_xmit", EVENT_START_XMIT },
	{ "net", "net_dev_xmit", EVENT_XMIT },
	{ "net", "netif_rx_entry", EVENT_RX_ENTRY },
	{ "net", "netif_rx_ni_entry", EVENT_RX_ENTRY },
	{ "net", "netif_rx", EVENT_RX },
	{ "net", "napi_gro_receive_entry", EVENT_GRO },
	{ "net", "napi_gro_frags_entry", EVENT_GRO },
	{ "net", "netif_receive_skb_entry", EVENT_RECEIVE_ENTRY },
	{ "net", "netif_receive_skb_list_entry", EVENT_RECEIVE_ENTRY },
	{ "net", "netif_receive_skb", EVENT_RECEIVE },
	{ "skb", "skb_copy_datagram_iovec", EVENT_COPY },
	{ "skb", "consume_skb", EVENT_CONSUME },
	{ "skb", "kfree_skb", EVENT_DROP },
};

/* A hostile file may declare any number of event types and of reasons. */
#define MAX_TYPES 4096
#define MAX_REASONS 65536

int schema_init(struct schema *s, bool big_endian, u8 long_size, struct error *err)
{
	memset(s, 0, sizeof(*s));
	s->swap = big_endian != HOST_BIG_ENDIAN;
	s->long_size = long_size;
	s->types = calloc(1, sizeof(*s->types));
	s->type_of = calloc(65536, sizeof(*s->type_of));
	s->nr_types = 1;
	if (!s->types || !s->type_of || devnames_init(&s->devs)) {
		schema_free(s);
		return error_errno(err, ENOMEM, "cannot prepare the event table");
	}
	return 0;
}

void schema_free(struct schema *s)
{
	u32 i, k;

	for (i = 0; s->types && i < s->nr_types; i++) {
		for (k = 0; k < s->types[i].nr_reasons; k++)
			free(s->types[i].reasons[k].name);
		free(s->types[i].reasons);
		free(s->types[i].title);
		free(s->types[i].probe);
	}
	free(s->types);
	free(s->type_of);
	devnames_free(&s->devs);
	memset(s, 0, sizeof(*s));
}

static enum event_kind kind_of(const char *system, const char *event)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(meanings); i++)
		if (!strcmp(meanings[i].event, event) && !strcmp(meanings[i].system, system))
			return meanings[i].kind;
	return EVENT_NOTE;
}

struct field_place schema_reach(struct event_type *type, u32 offset, u32 size)
{
	struct field_place place = { (u16)offset, (u16)size };

	if (place.offset + place.size > type->min_len)
		type->min_len = (u16)(place.offset + place.size);
	return place;
}

struct field_place schema_place(struct event_type *type, const struct format *f, const char *name)
{
	const struct format_field *field = format_find(f, name);

	if (!field || field->array || field->offset > SCHEMA_MAX_OFFSET ||
	    (field->size != 1 && field->size != 2 && field->size != 4 && field->size != 8))
		return (struct field_place){ 0, 0 };
	return schema_reach(type, field->offset, field->size);
}

static void find_device(struct event_type *type, const struct format *f)
{
	const struct format_field *field = format_find(f, "name");

	if (!field || field->offset > SCHEMA_MAX_OFFSET)
		return;
	if ((field->data_loc || field->rel_loc) && field->size == 4)
		type->name_place = field->rel_loc ? NAME_REL_LOC : NAME_DATA_LOC;
	else if (field->array && field->size > 0 && field->size <= 256)
		type->name_place = NAME_ARRAY;
	else
		return;
	type->dev = schema_reach(type, field->offset, field->size);
}

/* The skb of an event goes by one of these names, and is a pointer. */
static bool find_skb(struct event_type *type, const struct format *f, u8 long_size)
{
	static const char *const names[] = { "skbaddr", "skb_addr", "skb" };
	const struct format_field *field;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names) && !type->skb.size; i++) {
		field = format_find(f, names[i]);
		if (field && field->size == long_size)
			type->skb = schema_place(type, f, names[i]);
	}
	return type->skb.size;
}

static int add_reason(struct event_type *type, s64 value, struct format_text name)
{
	struct drop_reason *all;

	/* Grow in powers of two. */
	if (!(type->nr_reasons & (type->nr_reasons - 1))) {
		u32 room = type->nr_reasons ? type->nr_reasons * 2 : 1;

		all = realloc(type->reasons, room * sizeof(*all));
		if (!all)
			return -ENOMEM;
		type->reasons = all;
	}
	all = &type->reasons[type->nr_reasons];
	all->value = (u32)value;
	all->name = strndup(name.at, name.len);
	if (!all->name)
		return -ENOMEM;
	type->nr_reasons++;
	return 0;
}

/* The names are in the event's own print format: __print_symbolic(REC->reason, { 2, "..." }, ...) */
static int read_reasons(struct event_type *type, const struct format *f)
{
	struct format_text list = format_symbols(f, "reason"), name;
	s64 value;

	while (type->nr_reasons < MAX_REASONS && format_next_symbol(&list, &value, &name))
		if (add_reason(type, value, name))
			return -ENOMEM;
	return 0;
}

/* Of location and cookie, and of reason, return value and ifindex, a hop has room for one each. */
static void keep_one_each(struct event_type *type)
{
	const struct field_place none = { 0, 0 };

	/* What is told of the packet takes the cookie's place, too. */
	if (type->location.size || type->told)
		type->cookie = none;
	if (type->ret.size || type->reason.size)
		type->ifindex = none;
}

static u8 has_bits(const struct event_type *type)
{
	return (u8)((type->len.size ? EVENT_HAS_LEN : 0) |
		    (type->proto.size ? EVENT_HAS_PROTO : 0) |
		    (type->reason.size ? EVENT_HAS_REASON : 0) |
		    (type->location.size ? EVENT_HAS_LOCATION : 0) |
		    (type->ret.size ? EVENT_HAS_RET : 0) |
		    (type->cookie.size ? EVENT_HAS_COOKIE : 0) |
		    (type->ifindex.size ? EVENT_HAS_IFINDEX : 0));
}

/* The system's name may come from a stranger, and is printed as it is from here on. */
static int make_title(struct event_type *type, const char *system, struct format_text name)
{
	struct strbuf sb = STRBUF_INIT;
	size_t name_at;

	/* By bytes: what is not ASCII is escaped too. */
	for (; *system; system++)
		strbuf_put_escaped(&sb, system, 1);
	strbuf_putc(&sb, ':');
	name_at = sb.len;
	strbuf_put(&sb, name.at, name.len);
	strbuf_cstr(&sb);
	if (sb.failed) {
		strbuf_free(&sb);
		return -ENOMEM;
	}
	type->title = sb.data;
	type->name = sb.data + name_at;
	type->title_len = strlen(type->title);
	type->name_len = strlen(type->name);
	return 0;
}

static int fill_type(struct event_type *type, const struct format *f, const char *system)
{
	/* Whose probes they were is of no interest any more. */
	if (make_title(type, probe_group_is_ours(system) ? "skbtrail" : system, f->name))
		return -ENOMEM;
	type->id = (u16)f->id;
	if (tapframe_is_format(system, f))
		return tapframe_fill_type(type, f);
	if (probe_group_is_ours(system))
		return probe_fill_type(type, f);
	type->kind = (u8)kind_of(system, type->name);
	type->len = schema_place(type, f, "len");
	type->proto = schema_place(type, f, "protocol");
	type->location = schema_place(type, f, "location");
	type->cookie = schema_place(type, f, "net_cookie");
	type->ifindex = schema_place(type, f, "ifindex");
	type->pid = schema_place(type, f, "common_pid");
	type->flags = schema_place(type, f, "common_flags");
	if (type->kind == EVENT_XMIT)
		type->ret = schema_place(type, f, "rc");
	if (type->kind == EVENT_DROP)
		type->reason = schema_place(type, f, "reason");
	find_device(type, f);
	told_find(type, f, system);
	keep_one_each(type);
	type->has = has_bits(type);
	return type->reason.size ? read_reasons(type, f) : 0;
}

/* An event probe has the number only: the names are with the tracepoint that it sits on. */
static int borrow_reasons(const struct schema *s, struct event_type *type)
{
	const struct event_type *from;
	u32 i, k;

	if (!type->probe || !type->reason.size)
		return 0;
	for (i = 0; i < s->nr_types; i++) {
		from = &s->types[i];
		if (from->probe || from->kind != EVENT_DROP)
			continue;
		for (k = 0; k < from->nr_reasons; k++) {
			const struct drop_reason *r = &from->reasons[k];
			struct format_text name = { r->name, strlen(r->name) };

			if (add_reason(type, r->value, name))
				return -ENOMEM;
		}
	}
	return 0;
}

/* Cheap test before the parser: most of a kernel's 2,300 formats have nothing to do with skbs. */
static bool mentions(const char *text, size_t len, const char *word)
{
	return memmem(text, len, word, strlen(word)) != NULL;
}

static bool is_worth_parsing(const struct schema *s, const char *system, const char *text,
			     size_t len)
{
	return probe_group_is_ours(system) || mentions(text, len, "skb") ||
	       (s->tapped && mentions(text, len, TAPFRAME_EVENT));
}

int schema_add_format(struct schema *s, const char *system, const char *text, size_t len,
		      struct error *err)
{
	struct event_type type = { 0 }, *all;
	bool ours = probe_group_is_ours(system);
	struct format format;
	int ret;

	if (s->nr_types >= MAX_TYPES || !is_worth_parsing(s, system, text, len) ||
	    !format_parse(&format, text, len) || s->type_of[format.id])
		return 0;
	if (tapframe_is_format(system, &format) ? !s->tapped :
						  !ours && !find_skb(&type, &format, s->long_size))
		return 0;
	ret = fill_type(&type, &format, system);
	if (!ret)
		ret = borrow_reasons(s, &type);
	if (!ret) {
		all = realloc(s->types, (s->nr_types + 1) * sizeof(*all));
		if (all) {
			s->types = all;
			all[s->nr_types] = type;
			s->type_of[type.id] = (u16)s->nr_types++;
			s->has_probes |= type.probe != NULL;
			s->has_births |= type.kind == EVENT_BIRTH;
			s->has_deaths |= type.kind == EVENT_DEATH;
			s->has_headers |= type.headers || type.frames;
			s->has_taps |= type.frames;
			s->has_told |= type.told != TOLD_NOT;
			s->has_device_headers |= type.headers && type.kind == EVENT_QUEUE;
			return 0;
		}
	}
	while (type.nr_reasons)
		free(type.reasons[--type.nr_reasons].name);
	free(type.reasons);
	free(type.title);
	free(type.probe);
	return error_errno(err, ENOMEM, "cannot take in event formats");
}

const char *schema_reason(const struct event_type *type, u32 reason)
{
	u32 i;

	for (i = 0; i < type->nr_reasons; i++)
		if (type->reasons[i].value == reason)
			return type->reasons[i].name;
	return NULL;
}

u16 schema_device(struct schema *s, const struct event_type *type, const u8 *data, u32 len)
{
	struct recent_name *recent = NULL;
	u32 loc, offset, size;
	u64 word = 0;
	bool whole;
	u16 dev;

	if (type->name_place == NAME_ARRAY)
		return devnames_intern(&s->devs, (const char *)data + type->dev.offset,
				       type->dev.size);
	loc = load_u32(data + type->dev.offset, s->swap);
	offset = loc & 0xffff;
	size = loc >> 16;
	if (type->name_place == NAME_REL_LOC)
		offset += type->dev.offset + type->dev.size;
	if (offset >= len)
		return 0;
	if (size > len - offset)
		size = len - offset;
	/* The name ends with its NUL; a size without one is cut there, the record's end cuts too. */
	whole = size && !data[offset + size - 1];
	if (likely(whole && len - offset >= 8)) {
		memcpy(&word, data + offset, 8);
		recent = &s->recent[word * 0x9e3779b97f4a7c15ULL >> 60];
		if (likely(recent->word == word && recent->dev))
			return recent->dev;
	}
	if (likely(whole))
		size = len - offset;
	dev = devnames_intern(&s->devs, (const char *)data + offset, size);
	if (recent && memchr(data + offset, 0, 8))
		*recent = (struct recent_name){ word, dev };
	return dev;
}
