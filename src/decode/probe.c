// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probe events: their meanings by name, their fields by the contract in capture/probes.h.
 *
 * A fetch argument that faulted keeps what the ring buffer held before, so a field counts only
 * when the pointer it was read through is not 0.
 */
#include "decode/probe.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/pktfilter.h"
#include "decode/probe_names.h"

/* What an event of this name means. */
static void find_meaning(struct event_type *type, struct probe_places *places)
{
	bool at_return;
	const struct probe_name *row = probe_name_find(type->name, &at_return);

	type->kind = at_return && !type->skb.size ? EVENT_RETURN : EVENT_LAYER;
	type->layer = LAYER_OTHER;
	if (!row)
		return;
	places->at = row->at;
	type->layer = row->layer;
	if (!at_return)
		type->kind = row->kind == EVENT_BIRTH ? EVENT_NONE : row->kind;
	else
		type->kind = row->kind == EVENT_BIRTH ? EVENT_BIRTH : EVENT_RETURN;
}

/* An event at a return that has the entry's arguments too is the whole call. */
static void find_whole_call(struct event_type *type, const struct probe_places *places)
{
	if (type->kind != EVENT_RETURN || !type->skb.size)
		return;
	if ((type->layer == LAYER_CLONE || type->layer == LAYER_COPY) && places->other.size)
		type->kind = EVENT_CLONE;
	else if (type->layer == LAYER_TABLE && type->ret.size)
		type->kind = EVENT_TABLE;
	else
		type->kind = EVENT_NONE;
}

/* A string in the dynamic part of a record. */
static struct field_place string_of(struct event_type *type, const struct format *f,
				    const char *name)
{
	const struct format_field *field = format_find(f, name);

	if (!field || !field->data_loc || field->size != 4 || field->offset > SCHEMA_MAX_OFFSET)
		return (struct field_place){ 0, 0 };
	return schema_reach(type, field->offset, field->size);
}

/* The window: an array named w and a number, which is how many bytes of it are before the data. */
static void find_window(struct event_type *type, const struct format *f,
			struct probe_places *places)
{
	const struct format_field *field;
	u32 before, i, k;

	for (i = 0; i < f->nr_fields; i++) {
		field = &f->field[i];
		if (!field->array || field->data_loc || field->rel_loc || field->name.len < 2 ||
		    field->name.len > 4 || field->name.at[0] != 'w')
			continue;
		for (before = 0, k = 1; k < field->name.len && isdigit((u8)field->name.at[k]); k++)
			before = before * 10 + (u32)(field->name.at[k] - '0');
		if (k < field->name.len || before >= field->size || field->size > 4096 ||
		    field->offset > SCHEMA_MAX_OFFSET)
			continue;
		places->window = schema_reach(type, field->offset, field->size);
		places->window_before = before;
		return;
	}
}

static void find_fields(struct event_type *type, const struct format *f,
			struct probe_places *places)
{
	const struct {
		const char *name;
		struct field_place *place;
	} plain[] = {
		{ "h", &places->head },
		{ "d", &places->data },
		{ "nh", &places->network },
		{ "mh", &places->mac },
		{ "th", &places->transport },
		{ "p", &places->protocol },
		{ "m", &places->mark },
		{ "vt", &places->tag },
		{ "vp", &places->tag_type },
		{ "vb", &places->tag_present },
		{ "dv", &places->dev },
		{ "ns", &places->dev_netns },
		{ "sk", &places->sock },
		{ "sns", &places->sock_netns },
		{ "rd", &places->dst },
		{ "dd0", &places->dst_dev[0] },
		{ "dd1", &places->dst_dev[1] },
		{ "dn0", &places->dst_netns[0] },
		{ "dn1", &places->dst_netns[1] },
		{ "hook", &places->hook },
		{ "pf", &places->pf },
		{ "nn", &places->hook_net },
		{ "nns", &places->hook_netns },
		{ "hf", &places->hook_function },
		{ "ind", &places->in_dev },
		{ "outd", &places->out_dev },
		{ "tb", &places->table },
		{ "cb", &places->chain },
		{ "skbaddr", &type->skb },
		{ "len", &type->len },
		{ "ret", &type->ret },
		{ "common_pid", &type->pid },
		{ "common_flags", &type->flags },
		{ "new", &places->other },
		{ "location", &type->location },
		{ "reason", &type->reason },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plain); i++)
		*plain[i].place = schema_place(type, f, plain[i].name);
	if (!places->other.size)
		places->other = schema_place(type, f, "into");
	type->dev = string_of(type, f, "name");
	places->in = string_of(type, f, "in");
	places->out = string_of(type, f, "out");
	places->table_name = string_of(type, f, "table");
	places->chain_name = string_of(type, f, "chain");
	find_window(type, f, places);
}

/* Not every event has every field: what is not known of one structure may be of another. */
static bool tells_facts(const struct probe_places *p)
{
	return p->head.size || p->data.size || p->mark.size || p->dev.size || p->sock.size ||
	       p->dst.size || p->hook.size || p->hook_net.size || p->hook_function.size ||
	       p->in_dev.size || p->out_dev.size;
}

int probe_fill_type(struct event_type *type, const struct format *f)
{
	struct probe_places *places = calloc(1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	type->probe = places;
	find_fields(type, f, places);
	find_meaning(type, places);
	find_whole_call(type, places);
	if (type->kind == EVENT_BIRTH) {
		type->skb = places->other;
		places->other = (struct field_place){ 0, 0 };
	}
	if (!type->skb.size && type->kind != EVENT_RETURN)
		type->kind = EVENT_NONE;
	type->headers = places->window.size && places->data.size;
	places->facts = type->kind == EVENT_TABLE || tells_facts(places);
	type->has = (u8)((type->len.size ? EVENT_HAS_LEN : 0) |
			 (places->protocol.size ? EVENT_HAS_PROTO : 0) |
			 (type->ret.size ? EVENT_HAS_RET : 0) |
			 (type->reason.size ? EVENT_HAS_REASON : 0) |
			 (type->location.size ? EVENT_HAS_LOCATION : 0));
	return 0;
}

/* A name that was read through a pointer: it counts only when that is not 0. */
static u16 name_of(struct schema *s, const u8 *data, u32 len, struct field_place pointer,
		   struct field_place place)
{
	u32 loc, offset, size;

	if (!place.size || (pointer.size && !schema_load(data, pointer, s->swap)))
		return 0;
	loc = load_u32(data + place.offset, s->swap);
	offset = loc & 0xffff;
	size = loc >> 16;
	if (offset >= len)
		return 0;
	if (size > len - offset)
		size = len - offset;
	/* "(fault)": the kernel could not read it. */
	if (size >= 7 && !memcmp(data + offset, "(fault)", 7))
		return 0;
	return devnames_intern(&s->devs, (const char *)data + offset, size);
}

static u32 netns_at(const u8 *data, struct field_place pointer, struct field_place inum, bool swap)
{
	if (!inum.size || !pointer.size || !schema_load(data, pointer, swap))
		return 0;
	return (u32)schema_load(data, inum, swap);
}

/* Of several ways to tell the netns, the one that is nearest to where the packet is. */
static void find_netns(const struct probe_places *p, const u8 *data, bool swap,
		       struct skb_facts *facts)
{
	bool unreferenced = schema_load(data, p->dst, swap) & 1;

	facts->netns_from = NETNS_FROM_HOOK;
	facts->netns_inum = netns_at(data, p->hook_net, p->hook_netns, swap);
	if (facts->netns_inum)
		return;
	facts->netns_from = NETNS_FROM_DEV;
	facts->netns_inum = netns_at(data, p->dev, p->dev_netns, swap);
	if (facts->netns_inum)
		return;
	facts->netns_from = NETNS_FROM_SOCK;
	facts->netns_inum = netns_at(data, p->sock, p->sock_netns, swap);
	if (facts->netns_inum)
		return;
	facts->netns_from = NETNS_FROM_DST;
	if (p->dst.size && schema_load(data, p->dst, swap) & ~1ULL)
		facts->netns_inum =
			netns_at(data, p->dst_dev[unreferenced], p->dst_netns[unreferenced], swap);
	if (!facts->netns_inum)
		facts->netns_from = NETNS_FROM_NONE;
}

/* An EtherType lies in memory as on the wire, whatever the machine's byte order. */
static u16 ethertype_at(const u8 *data, struct field_place place)
{
	const u8 *at = data + place.offset;

	return (u16)(place.size == 2 ? at[0] << 8 | at[1] : 0);
}

static void read_tag(struct skb_window *w, const struct probe_places *p, const u8 *data, bool swap)
{
	if (!p->tag.size || !p->tag_present.size)
		return;
	w->tag_known = true;
	w->tagged = schema_load(data, p->tag_present, swap);
	w->tag = (u16)schema_load(data, p->tag, swap);
	w->tag_type = ethertype_at(data, p->tag_type);
}

static void read_packet(const struct schema *s, const struct event_type *type, const u8 *data,
			struct skb_facts *facts)
{
	const struct probe_places *p = type->probe;
	struct skb_window w = {
		.bytes = data + p->window.offset,
		.len_bytes = p->window.size,
		.before = p->window_before,
		.head = facts->head,
		.data = schema_load(data, p->data, s->swap),
		.network = 0xffff,
		.mac = 0xffff,
		.transport = 0xffff,
		.protocol = ethertype_at(data, p->protocol),
		.skb_len = (u32)schema_load(data, type->len, s->swap),
		.at = p->at,
	};

	if (!p->window.size || !w.data)
		return;
	if (p->head.size && p->network.size)
		w.network = (u16)schema_load(data, p->network, s->swap);
	if (p->head.size && p->mac.size)
		w.mac = (u16)schema_load(data, p->mac, s->swap);
	if (p->head.size && p->transport.size)
		w.transport = (u16)schema_load(data, p->transport, s->swap);
	read_tag(&w, p, data, s->swap);
	facts->has_packet = packet_parse(&facts->packet, &w);
	facts->matched = facts->has_packet && s->filter && pktfilter_match(s->filter, &w);
}

static void read_facts(struct schema *s, const struct event_type *type, const u8 *data, u32 len,
		       struct skb_facts *facts)
{
	const struct probe_places *p = type->probe;

	memset(facts, 0, offsetof(struct skb_facts, packet));
	facts->head = schema_load(data, p->head, s->swap);
	facts->sock = schema_load(data, p->sock, s->swap);
	facts->mark = (u32)schema_load(data, p->mark, s->swap);
	facts->has_mark = p->mark.size;
	facts->hook_function = schema_load(data, p->hook_function, s->swap);
	facts->hook = (u8)schema_load(data, p->hook, s->swap);
	facts->pf = (u8)schema_load(data, p->pf, s->swap);
	if (type->kind == EVENT_HOOK) {
		facts->in = name_of(s, data, len, p->in_dev, p->in);
		facts->out = name_of(s, data, len, p->out_dev, p->out);
	} else if (type->kind == EVENT_TABLE) {
		facts->table = name_of(s, data, len, p->table, p->table_name);
		facts->chain = name_of(s, data, len, p->chain, p->chain_name);
	}
	find_netns(p, data, s->swap, facts);
	read_packet(s, type, data, facts);
}

bool probe_decode(struct schema *s, const struct event_type *type, const u8 *data, u32 len,
		  struct event *ev, struct skb_facts *facts)
{
	const struct probe_places *p = type->probe;

	ev->skb = schema_load(data, type->skb, s->swap);
	if (!ev->skb && type->kind != EVENT_RETURN)
		return false;
	ev->type = (u16)(type - s->types);
	ev->kind = type->kind;
	ev->layer = type->layer;
	ev->has = type->has;
	ev->pid = (s32)schema_load(data, type->pid, s->swap);
	ev->context = (u8)((schema_load(data, type->flags, s->swap) &
			    (EVENT_IN_HARDIRQ | EVENT_IN_SOFTIRQ)) |
			   (type->flags.size ? EVENT_CONTEXT_KNOWN : 0));
	ev->len_bytes = (u32)schema_load(data, type->len, s->swap);
	ev->ret = (s32)schema_load(data, type->ret, s->swap);
	ev->other = schema_load(data, type->location.size ? type->location : p->other, s->swap);
	ev->proto = ethertype_at(data, p->protocol);
	ev->reason = (u32)schema_load(data, type->reason, s->swap);
	ev->ifindex = 0;
	ev->dev = 0;
	ev->facts = NULL;
	if (!p->facts)
		return true;
	ev->dev = name_of(s, data, len, p->dev, type->dev);
	read_facts(s, type, data, len, facts);
	ev->facts = facts;
	ev->has |= EVENT_HAS_FACTS;
	return true;
}
