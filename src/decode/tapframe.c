// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A frame of the tap, checked and taken apart; see tapframe.h.
 */
#include "decode/tapframe.h"

#include <net/if_arp.h>

#include "capture/tap_record.h"
#include "decode/format.h"
#include "decode/pktfilter.h"

#define ETHERNET_BYTES 14

bool tapframe_is_format(const char *system, const struct format *f)
{
	return !strcmp(system, "ftrace") && f->name.len == strlen(TAPFRAME_EVENT) &&
	       !memcmp(f->name.at, TAPFRAME_EVENT, f->name.len);
}

/* The id is followed by what was written: the field "buf", of no size. */
int tapframe_fill_type(struct event_type *type, const struct format *f)
{
	/* ->location stands for the place of the whole record, which begins with the id. */
	type->location = schema_place(type, f, "id");
	type->frames = type->location.size == 4;
	type->kind = type->frames ? EVENT_FRAME : EVENT_NONE;
	return 0;
}

static void read_record(struct tap_record *r, const u8 *at, bool swap)
{
	memcpy(r, at, sizeof(*r));
	if (!swap)
		return;
	r->id = load_u32(&r->id, true);
	r->version = load_u16(&r->version, true);
	r->snap_bytes = load_u16(&r->snap_bytes, true);
	r->ts_ns = load_u64(&r->ts_ns, true);
	r->slack_ns = load_u32(&r->slack_ns, true);
	r->seq = load_u32(&r->seq, true);
	r->netns_inum = load_u32(&r->netns_inum, true);
	r->ifindex = load_u32(&r->ifindex, true);
	r->len_bytes = load_u32(&r->len_bytes, true);
	r->link_bytes = load_u16(&r->link_bytes, true);
	r->hatype = load_u16(&r->hatype, true);
	r->protocol = load_u16(&r->protocol, true);
	r->vlan_tci = load_u16(&r->vlan_tci, true);
	r->vlan_type = load_u16(&r->vlan_type, true);
	r->flags = load_u16(&r->flags, true);
	r->cpu = load_u16(&r->cpu, true);
	r->nr_cpus = load_u16(&r->nr_cpus, true);
}

/* @room: bytes of the record in the trace. */
static bool is_sound(const struct tap_record *r, size_t room)
{
	return r->id == TAP_RECORD_ID && r->version == TAP_RECORD_VERSION &&
	       r->snap_bytes <= room - sizeof(*r) && r->snap_bytes <= r->len_bytes &&
	       r->link_bytes <= r->len_bytes && r->nr_cpus && r->cpu < r->nr_cpus && r->ts_ns;
}

static void read_packet(const struct schema *s, const struct tap_record *r, const u8 *bytes,
			struct skb_facts *facts)
{
	struct skb_window w = {
		.bytes = bytes,
		.len_bytes = r->snap_bytes,
		.network = 0xffff,
		.mac = 0xffff,
		.transport = 0xffff,
		.protocol = r->protocol,
		.skb_len = r->len_bytes,
		.tag_known = true,
		.tagged = r->flags & TAP_TAGGED,
		.tag = r->vlan_tci,
		.tag_type = r->vlan_type,
	};

	if (r->link_bytes == ETHERNET_BYTES &&
	    (r->hatype == ARPHRD_ETHER || r->hatype == ARPHRD_LOOPBACK)) {
		w.at = AT_LINK;
	} else if (r->link_bytes <= r->snap_bytes) {
		/* Some other link header, or none, as on a tunnel. */
		w.at = AT_NETWORK;
		w.before = r->link_bytes;
		w.skb_len -= r->link_bytes;
	} else {
		return;
	}
	facts->has_packet = packet_parse(&facts->packet, &w);
	facts->matched = facts->has_packet && s->filter && pktfilter_match(s->filter, &w);
}

static u16 flags_of(const struct tap_record *r)
{
	return (u16)((r->flags & TAP_OUTGOING ? FRAME_OUTGOING : 0) |
		     (r->flags & TAP_STAMPED_EARLIER ? FRAME_STAMPED_EARLIER : 0) |
		     (r->flags & TAP_TAGGED ? FRAME_TAGGED : 0) |
		     (r->flags & TAP_LOST ? FRAME_LOST : 0) |
		     (r->flags & TAP_NO_HOP ? FRAME_NO_HOP : 0) |
		     (r->flags & TAP_MARK ? FRAME_MARK : 0));
}

bool tapframe_decode(struct schema *s, const struct event_type *type, const u8 *data, u32 len,
		     struct event *ev, struct skb_facts *facts)
{
	u32 at = type->location.offset;
	struct tap_record r;

	if (len - at < sizeof(r) || !facts)
		return false;
	read_record(&r, data + at, s->swap);
	if (!is_sound(&r, len - at))
		return false;
	memset(ev, 0, sizeof(*ev));
	ev->type = (u16)(type - s->types);
	ev->kind = EVENT_FRAME;
	ev->has = EVENT_HAS_FACTS | EVENT_HAS_LEN | EVENT_HAS_IFINDEX;
	ev->facts = facts;
	ev->len_bytes = r.len_bytes;
	ev->ifindex = r.ifindex;
	ev->dev = devnames_intern(&s->devs, r.dev, (u32)strnlen(r.dev, sizeof(r.dev)));
	memset(facts, 0, offsetof(struct skb_facts, packet));
	facts->netns_inum = r.netns_inum;
	facts->netns_from = NETNS_FROM_TAP;
	facts->tapped = true;
	facts->frame = (struct frame_facts){ r.ts_ns,	r.slack_ns, r.seq,	 r.link_bytes,
					     r.nr_cpus, r.cpu,	    flags_of(&r) };
	read_packet(s, &r, data + at + sizeof(r), facts);
	return true;
}
