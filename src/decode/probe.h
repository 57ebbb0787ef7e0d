/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of skbtrail's own probe events -> struct event and struct skb_facts.
 *
 * The events are told by their system, skbtrail_<pid>, and by their names; which fields there may be
 * and when a field is stale is written down in capture/probes.h. Each field may be absent.
 */
#ifndef SKBTRAIL_DECODE_PROBE_H
#define SKBTRAIL_DECODE_PROBE_H

#include "decode/format.h"
#include "decode/schema.h"

/* Where the fields of a probe event are; of the dynamic strings, their __data_loc words. */
struct probe_places {
	struct field_place head, data, network, mac, transport, protocol, mark;
	struct field_place tag, tag_type, tag_present;
	struct field_place dev, dev_netns, sock, sock_netns;
	struct field_place dst, dst_dev[2], dst_netns[2]; /* [1]: the route is not referenced */
	struct field_place hook, pf, hook_net, hook_netns, hook_function;
	struct field_place in_dev, in, out_dev, out;
	struct field_place table, table_name, chain, chain_name;
	struct field_place other; /* into, new */
	struct field_place window;
	u32 window_before; /* bytes of it before skb->data */
	bool facts;	   /* there is anything for struct skb_facts */
	u8 at;		   /* enum window_at */
};

/**
 * probe_fill_type - what an event of ours means, and where its fields are
 * @type: its title and names are set already; ->probe is allocated, to be freed by the owner
 *
 * Return: 0 or -ENOMEM. An event of an unknown name that has an skb becomes LAYER_OTHER.
 */
int probe_fill_type(struct event_type *type, const struct format *f);

/* probe_decode(), which reads a record of such an event, is declared in schema.h: its hot path calls it. */

#endif
