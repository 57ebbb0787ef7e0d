/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Format files -> one table of field places per event id, built once.
 *
 * The kernel's own format files say where each field is; nothing about a layout is compiled in.
 * What an event means for a path is the table in schema.c, by the event's name: adding a hop is
 * adding a row there. An event without a row that has a field for an skb becomes EVENT_NOTE.
 */
#ifndef SKBTRAIL_DECODE_SCHEMA_H
#define SKBTRAIL_DECODE_SCHEMA_H

#include "base/bytes.h"
#include "base/error.h"
#include "decode/devnames.h"
#include "decode/event.h"

struct pktfilter;
struct probe_places;

/* Where a field is in the record; size 0: the event has no such field. */
struct field_place {
	u16 offset;
	u16 size;
};

enum name_place {
	NAME_NONE,
	NAME_DATA_LOC, /* u32: length << 16 | offset from the record's start */
	NAME_REL_LOC,  /* the same, offset from the end of this field */
	NAME_ARRAY,    /* the bytes themselves */
};

struct drop_reason {
	u32 value;
	char *name;
};

struct event_type {
	char *title;	  /* "net:net_dev_queue", printable ASCII */
	const char *name; /* its part behind the colon */
	size_t title_len, name_len;
	struct drop_reason *reasons;
	u32 nr_reasons;
	u16 id;
	u16 min_len;   /* a shorter record is damaged */
	u8 kind;       /* enum event_kind */
	u8 has;	       /* EVENT_HAS_* that every record of it has */
	u8 name_place; /* enum name_place */
	u8 layer;      /* enum layer */
	bool headers;  /* its records have a window of the packet's bytes */
	bool frames;   /* records of the tap: tapframe.h */
	u8 told;       /* enum told: its records tell addresses */
	struct field_place skb, dev, len, proto, reason, location, ret, cookie, ifindex, pid, flags;
	struct field_place told_src, told_dst, told_sport, told_dport, told_len;
	struct probe_places *probe; /* one of skbtrail's own probe events (probe.h); else NULL */
};

/* A device name that fits in 8 bytes with its NUL, as it was in a record, and its number. */
struct recent_name {
	u64 word;
	u16 dev; /* 0: empty */
};

struct schema {
	struct event_type *types; /* [0] stands for "none" */
	u32 nr_types;
	bool swap;
	u8 long_size;
	u16 *type_of; /* 65,536 entries: event id -> index into types, 0 for none */
	struct devnames devs;
	struct recent_name recent[16]; /* by hash of the word: few devices make most records */
	u64 short_records;	       /* records too short for their format: skipped */
	bool has_probes;  /* some type is a probe event of ours, with headers perhaps */
	bool has_births;  /* births of skbs are recorded */
	bool has_deaths;  /* deaths are; without births, of those that the kernel let through */
	bool has_headers; /* some event tells what the packet is */
	bool has_device_headers; /* those of devices do: no EVENT_HEADERS is needed */
	bool tapped;   /* set by the user before formats come: there may be records of a tap */
	bool has_taps; /* there may be: their format is known */
	bool has_told; /* some event tells addresses: told.h */
	const struct pktfilter *filter; /* not owned; sets skb_facts.matched */
};

/* A hostile file may declare offsets beyond a record. */
#define SCHEMA_MAX_OFFSET 32768

/**
 * schema_init - start a table
 * @big_endian: byte order of the records
 * @long_size: bytes of a kernel long there
 */
int schema_init(struct schema *s, bool big_endian, u8 long_size, struct error *err);
void schema_free(struct schema *s);

/**
 * schema_add_format - take in one format file
 * @system: "net", "skb", ...
 * @text: content of events/<system>/<event>/format, @len bytes, may come from a stranger
 *
 * An event that does not speak of an skb is passed over quickly.
 *
 * Return: 0 or -ENOMEM. A format that cannot be parsed is passed over.
 */
int schema_add_format(struct schema *s, const char *system, const char *text, size_t len,
		      struct error *err);

/* A record must reach to the end of each field that is read from it. */
struct field_place schema_reach(struct event_type *type, u32 offset, u32 size);

/* The place of a plain integer or pointer; of size 0 when there is no such field. */
struct format;
struct field_place schema_place(struct event_type *type, const struct format *f, const char *name);

/** schema_reason - the kernel's name of a drop reason of that event; NULL when it has none */
const char *schema_reason(const struct event_type *type, u32 reason);

/* Intern the device name of a record; 0 when it has none or it lies outside of the record. */
u16 schema_device(struct schema *s, const struct event_type *type, const u8 *data, u32 len);

/* One of skbtrail's own probe events; probe.h. */
bool probe_decode(struct schema *s, const struct event_type *type, const u8 *data, u32 len,
		  struct event *ev, struct skb_facts *facts);

/**
 * told_decode - told.h: a record's addresses -> a packet of which nothing else is known (packet_net.only_tuple)
 * @data: a record of at least type->min_len bytes
 * @facts: filled in wholly when true is returned
 *
 * Return: false when the record tells none, or what contradicts itself.
 */
bool told_decode(const struct event_type *type, const u8 *data, bool swap, struct skb_facts *facts);

/* A frame of the tap; tapframe.h. */
bool tapframe_decode(struct schema *s, const struct event_type *type, const u8 *data, u32 len,
		     struct event *ev, struct skb_facts *facts);

static inline u64 schema_load(const u8 *data, struct field_place place, bool swap)
{
	return load_uint(data + place.offset, place.size, swap);
}

/**
 * schema_decode - record bytes -> struct event
 * @data: the record, @len bytes, starting with its event id @id
 * @facts: memory for what a probe or the tap saw, or a tracepoint told; may be NULL when none of s->has_probes,
 *         has_taps and has_told
 *
 * Return: false when the record does not speak of an skb. ts_ns and cpu are the caller's.
 */
static inline bool schema_decode(struct schema *s, u16 id, const u8 *data, u32 len,
				 struct event *ev, struct skb_facts *facts)
{
	const struct event_type *type = &s->types[s->type_of[id]];
	bool swap = s->swap;

	if (!type->kind)
		return false;
	if (unlikely(len < type->min_len)) {
		s->short_records++;
		return false;
	}
	if (unlikely(type->probe != NULL))
		return probe_decode(s, type, data, len, ev, facts);
	if (unlikely(type->frames))
		return tapframe_decode(s, type, data, len, ev, facts);
	ev->skb = schema_load(data, type->skb, swap);
	if (!ev->skb)
		return false;
	ev->type = (u16)(type - s->types);
	ev->kind = type->kind;
	ev->has = type->has;
	ev->layer = LAYER_NONE;
	ev->pid = (s32)schema_load(data, type->pid, swap);
	ev->context = (u8)((schema_load(data, type->flags, swap) &
			    (EVENT_IN_HARDIRQ | EVENT_IN_SOFTIRQ)) |
			   (type->flags.size ? EVENT_CONTEXT_KNOWN : 0));
	ev->len_bytes = (u32)schema_load(data, type->len, swap);
	ev->dev = type->name_place ? schema_device(s, type, data, len) : 0;
	/* Most events have none of these. */
	ev->proto = 0;
	ev->location = ev->netns_cookie = 0;
	ev->reason = ev->ifindex = 0;
	ev->ret = 0;
	if (type->has & ~EVENT_HAS_LEN) {
		ev->proto = (u16)schema_load(data, type->proto, swap);
		ev->location = schema_load(data, type->location, swap);
		ev->reason = (u32)schema_load(data, type->reason, swap);
		ev->ret = (s32)schema_load(data, type->ret, swap);
		ev->ifindex = (u32)schema_load(data, type->ifindex, swap);
		ev->netns_cookie = schema_load(data, type->cookie, swap);
	}
	/* Probes know more. */
	if (unlikely(type->told) && facts && !s->has_probes &&
	    told_decode(type, data, swap, facts)) {
		ev->has |= EVENT_HAS_FACTS;
		ev->facts = facts;
	}
	return true;
}

#endif
