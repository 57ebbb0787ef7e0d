// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Places of a VLAN tag that is kept beside a packet's bytes.
 *
 * In:  windows on skbs at CAL_TAP, where frames that had a tag in their bytes have it beside them, and at
 *      CAL_RX, where it was taken off.
 * Out: findings.
 */
#include <string.h>

#include "base/bytes.h"
#include "kernel/calibrate_priv.h"

#define SAMPLES_MIN 3

struct of_tag {
	u8 bits[CAL_SKB_SPAN];	 /* set with a tag, not set without */
	bool word[CAL_SKB_SPAN]; /* not 0 with a tag, 0 without: of four bytes */
	u32 with, without, taken_off;
};

static void match_presence(struct of_tag *tag, const struct cal_object *skb, bool present)
{
	u32 at;

	for (at = 0; at < skb->len; at++) {
		tag->bits[at] &= (u8)(present ? skb->bytes[at] : ~skb->bytes[at]);
		if (at % 4 == 0 && (load_u32(skb->bytes + at, false) != 0) != present)
			tag->word[at] = false;
	}
	*(present ? &tag->with : &tag->without) += 1;
}

/* Since 6.2 that there is a tag is that the word of its two halves is not 0; before it is a bit. */
static void solve_presence(struct cal *c, struct of_tag *tag)
{
	u32 tci = cal_at(c, SKB_VLAN_TCI), proto = cal_at(c, SKB_VLAN_PROTO);
	const struct member_place *place;
	u32 at, bit, count = 0;
	int m;

	for (m = SKB_DEV; m < SKB_VLAN_PRESENT; m++) {
		place = &c->findings[m].place;
		if (cal_has(c, (enum member)m))
			memset(tag->bits + place->offset, 0, place->size);
	}
	cal_not_found(c, SKB_VLAN_PRESENT, "no bit and no word tells packets with a tag");
	for (at = 0; at < CAL_SKB_SPAN; at++)
		for (bit = 0; bit < 8; bit++) {
			if (!(tag->bits[at] >> bit & 1))
				continue;
			if (!count++)
				cal_found(c, SKB_VLAN_PRESENT, at, 1);
			else
				cal_add_candidate(c, SKB_VLAN_PRESENT, at);
			c->findings[SKB_VLAN_PRESENT].place.is_bit = true;
			c->findings[SKB_VLAN_PRESENT].place.bit = (u8)bit;
		}
	at = tci < proto ? tci : proto;
	if (at % 4 || tci / 4 != proto / 4 || !tag->word[at])
		return;
	if (count)
		cal_add_candidate(c, SKB_VLAN_PRESENT, at);
	else
		cal_found(c, SKB_VLAN_PRESENT, at, 4);
}

void cal_solve_vlan(struct cal *c)
{
	static const char why[] = "frames with a VLAN tag were not seen";
	struct cal_set tci, proto;
	const struct cal_packet *p;
	struct cal_object skb;
	struct of_tag tag;
	size_t i;

	memset(&tag, 0, sizeof(tag));
	memset(tag.bits, 0xff, sizeof(tag.bits));
	memset(tag.word, true, sizeof(tag.word));
	cal_set_init(&tci, 2, 2);
	cal_set_init(&proto, 2, 2);
	for (i = 0; i < c->nr_packets; i++) {
		p = &c->packets[i];
		if (!(p->known & CAL_KNOW_VLAN) || !cal_last_call(c, CAL_TAP, i, &skb))
			continue;
		match_presence(&tag, &skb, p->tagged);
		if (p->tagged) {
			cal_set_match(&tci, skb.bytes, skb.len, &p->vlan_tci);
			cal_set_match(&proto, skb.bytes, skb.len, &p->vlan_proto_net);
		}
		if (!cal_last_call(c, CAL_RX, i, &skb))
			continue;
		match_presence(&tag, &skb, false);
		tag.taken_off += p->tagged;
	}
	cal_not_found(c, SKB_VLAN_TCI, why);
	cal_not_found(c, SKB_VLAN_PROTO, why);
	cal_not_found(c, SKB_VLAN_PRESENT, why);
	if (tag.with < SAMPLES_MIN || tag.without < SAMPLES_MIN || tag.taken_off < SAMPLES_MIN)
		return;
	cal_conclude(c, SKB_VLAN_TCI, &tci, 2);
	cal_conclude(c, SKB_VLAN_PROTO, &proto, 2);
	if (cal_has(c, SKB_VLAN_TCI) && cal_has(c, SKB_VLAN_PROTO))
		solve_presence(c, &tag);
}
