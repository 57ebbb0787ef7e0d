// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Places in sk_buff, net_device, net, dst_entry and sock.
 *
 * In:  windows on skbs at CAL_TX and on what their words lead to.
 * Out: findings. Each is concluded anew from all packets there are.
 *
 * Which word is a pointer to what shows only by what is behind it: so a word and the members
 * behind it are found together or not at all.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/calibrate_priv.h"

#define ETH_HEADER 14
#define HEADROOM_MAX 32768
#define DST_SPAN 128
#define SAMPLES_MIN 3

/* A copy of the length is in skb->cb; where a packet comes in only the real one is without Ethernet's header. */
static void match_received_len(const struct cal *c, size_t packet, struct cal_set *set)
{
	const struct cal_packet *p = &c->packets[packet];
	u32 len = p->len - ETH_HEADER;
	struct cal_object skb;

	if (p->known & CAL_KNOW_LEN && p->comes_back && cal_last_call(c, CAL_RX, packet, &skb))
		cal_set_match(set, skb.bytes, skb.len, &len);
}

static void solve_scalars(struct cal *c)
{
	struct cal_set mark, len, data_len, protocol;
	const struct cal_packet *p;
	struct cal_object skb;
	size_t i;

	cal_set_init(&mark, 4, 4);
	cal_set_init(&len, 4, 4);
	cal_set_init(&data_len, 4, 4);
	cal_set_init(&protocol, 2, 2);
	for (i = 0; i < c->nr_packets; i++) {
		p = &c->packets[i];
		if (!cal_tx(c, i, &skb, NULL))
			continue;
		cal_set_match(&mark, skb.bytes, skb.len, &p->mark);
		if (p->known & CAL_KNOW_LEN) {
			cal_set_match(&len, skb.bytes, skb.len, &p->len);
			cal_set_match(&data_len, skb.bytes, skb.len, &p->data_len);
		}
		if (p->known & CAL_KNOW_PROTOCOL)
			cal_set_match(&protocol, skb.bytes, skb.len, &p->protocol_net);
	}
	cal_conclude(c, SKB_MARK, &mark, 4);
	for (i = 0; i < c->nr_packets; i++)
		match_received_len(c, i, &len);
	cal_conclude(c, SKB_LEN, &len, 4);
	cal_conclude(c, SKB_DATA_LEN, &data_len, 4);
	cal_conclude(c, SKB_PROTOCOL, &protocol, 2);
}

/* Whether a word differs when and only when the packet's device does. */
static bool word_is_like_device(const struct cal *c, u32 at)
{
	u64 seen[CAL_ITEMS_MAX] = { 0 };
	struct cal_object skb;
	size_t i, j, devices = 0;
	u64 word;
	u8 device;

	for (i = 0; i < c->nr_packets; i++) {
		if (!(c->packets[i].known & CAL_KNOW_DEVICE) || !cal_tx(c, i, &skb, NULL))
			continue;
		device = c->packets[i].device;
		word = cal_word(skb.bytes, at);
		if (!word || (seen[device] && seen[device] != word))
			return false;
		seen[device] = word;
	}
	for (i = 0; i < c->nr_devices; i++) {
		devices += seen[i] != 0;
		for (j = 0; j < i; j++)
			if (seen[i] && seen[i] == seen[j])
				return false;
	}
	return devices > 1;
}

/* Words that are pointers, or sometimes 0. */
static void find_pointers(struct cal *c)
{
	struct cal_object skb;
	u32 at, yes;
	bool no;
	size_t i;

	c->nr_pointers = 0;
	for (at = 0; at + 8 <= CAL_SKB_SPAN; at += 8) {
		yes = 0;
		no = false;
		for (i = 0; i < c->nr_packets && !no; i++) {
			if (!cal_tx(c, i, &skb, NULL))
				continue;
			yes += cal_is_pointer(cal_word(skb.bytes, at));
			no = cal_word(skb.bytes, at) && !cal_is_pointer(cal_word(skb.bytes, at));
		}
		if (no || yes < 2)
			continue;
		c->like_device[c->nr_pointers] = word_is_like_device(c, at);
		c->pointers[c->nr_pointers++] = (u16)at;
	}
}

static void settle(struct cal *c, enum member m, const u16 *candidates, size_t nr, const char *why)
{
	size_t i;

	cal_not_found(c, m, why);
	if (nr == 1)
		cal_found(c, m, candidates[0], 8);
	for (i = 0; nr > 1 && i < nr; i++)
		cal_add_candidate(c, m, candidates[i]);
}

/* ---- data, head, and what counts from there */

static bool leads_to_bytes(const struct cal *c, u32 at)
{
	struct cal_object skb, bytes;
	const struct cal_packet *p;
	u32 samples = 0;
	size_t i, nth;

	for (i = 0; i < c->nr_packets; i++) {
		p = &c->packets[i];
		if (!(p->known & CAL_KNOW_TAG) || !cal_tx(c, i, &skb, &nth) ||
		    !cal_object_get(c, cal_path1(CAL_TX, 1, at), i, nth, &bytes))
			continue;
		if ((u32)p->tag_at + CAL_TAG_SIZE > bytes.len ||
		    memcmp(bytes.bytes + p->tag_at, p->tag, CAL_TAG_SIZE))
			return false;
		samples++;
	}
	return samples >= SAMPLES_MIN;
}

static void solve_data(struct cal *c)
{
	u16 candidates[CAL_POINTERS_MAX] = { 0 };
	size_t nr = 0;
	u8 i;

	for (i = 0; i < c->nr_pointers; i++)
		if (leads_to_bytes(c, c->pointers[i]))
			candidates[nr++] = c->pointers[i];
	settle(c, SKB_DATA, candidates, nr, "no pointer leads to the packet's bytes");
}

struct from_head {
	struct cal_set network, transport, mac, tail;
};

/* What would be where if the word at @at were skb->head. */
static bool match_head(const struct cal *c, u32 at, struct from_head *sets)
{
	const struct cal_packet *p;
	struct cal_object skb;
	u16 network, transport, mac;
	u32 tail;
	size_t i;
	u64 room;

	cal_set_init(&sets->network, 2, 2);
	cal_set_init(&sets->transport, 2, 2);
	cal_set_init(&sets->mac, 2, 2);
	cal_set_init(&sets->tail, 4, 4);
	for (i = 0; i < c->nr_packets; i++) {
		p = &c->packets[i];
		if (!(p->known & CAL_KNOW_L4) || !cal_tx(c, i, &skb, NULL))
			continue;
		room = cal_word(skb.bytes, cal_at(c, SKB_DATA)) - cal_word(skb.bytes, at);
		if (room > HEADROOM_MAX)
			return false;
		mac = (u16)room;
		network = (u16)(room + ETH_HEADER);
		transport = (u16)(network + p->l3_len);
		cal_set_match(&sets->mac, skb.bytes, skb.len, &mac);
		cal_set_match(&sets->network, skb.bytes, skb.len, &network);
		cal_set_match(&sets->transport, skb.bytes, skb.len, &transport);
		tail = (u32)room + p->len - p->data_len;
		if (p->known & CAL_KNOW_LEN)
			cal_set_match(&sets->tail, skb.bytes, skb.len, &tail);
	}
	return cal_set_count(&sets->network, NULL) && cal_set_count(&sets->tail, NULL);
}

static void solve_head(struct cal *c)
{
	static const char why[] = "sk_buff.head is not known";
	u16 candidates[CAL_POINTERS_MAX] = { 0 };
	struct from_head sets;
	size_t nr = 0;
	u8 i;

	for (i = 0; i < c->nr_pointers && cal_has(c, SKB_DATA); i++)
		if (c->pointers[i] != cal_at(c, SKB_DATA) && match_head(c, c->pointers[i], &sets))
			candidates[nr++] = c->pointers[i];
	settle(c, SKB_HEAD, candidates, nr, "no pointer fits to the offsets of headers");
	cal_not_found(c, SKB_NETWORK, why);
	cal_not_found(c, SKB_TRANSPORT, why);
	cal_not_found(c, SKB_MAC, why);
	cal_not_found(c, SKB_TAIL, why);
	if (nr != 1 || !match_head(c, candidates[0], &sets))
		return;
	cal_conclude(c, SKB_NETWORK, &sets.network, 2);
	cal_conclude(c, SKB_TRANSPORT, &sets.transport, 2);
	cal_conclude(c, SKB_MAC, &sets.mac, 2);
	cal_conclude(c, SKB_TAIL, &sets.tail, 4);
}

/* ---- the device and its netns */

struct of_device {
	struct cal_set name, ifindex;
};

static bool match_device(const struct cal *c, u32 at, struct of_device *sets)
{
	const struct cal_device *device;
	struct cal_object skb, bytes;
	size_t i, nth;

	cal_set_init(&sets->name, 16, 1);
	cal_set_init(&sets->ifindex, 4, 4);
	for (i = 0; i < c->nr_packets; i++) {
		if (!(c->packets[i].known & CAL_KNOW_DEVICE) || !cal_tx(c, i, &skb, &nth) ||
		    !cal_object_get(c, cal_path1(CAL_TX, 1, at), i, nth, &bytes))
			continue;
		device = &c->devices[c->packets[i].device];
		cal_set_match(&sets->name, bytes.bytes, bytes.len, device->name);
		cal_set_match(&sets->ifindex, bytes.bytes, bytes.len, &device->ifindex);
	}
	return sets->name.varied && cal_set_count(&sets->name, NULL) &&
	       cal_set_count(&sets->ifindex, NULL);
}

static void learn_devices(struct cal *c)
{
	struct cal_object skb;
	size_t i;

	memset(c->device_at, 0, sizeof(c->device_at));
	for (i = 0; i < c->nr_packets && cal_has(c, SKB_DEV); i++)
		if (c->packets[i].known & CAL_KNOW_DEVICE && cal_tx(c, i, &skb, NULL))
			c->device_at[c->packets[i].device] =
				cal_word(skb.bytes, cal_at(c, SKB_DEV));
}

static void solve_device(struct cal *c)
{
	u16 candidates[CAL_POINTERS_MAX] = { 0 };
	struct of_device sets;
	size_t nr = 0;
	u8 i;

	for (i = 0; i < c->nr_pointers; i++)
		if (c->like_device[i] && match_device(c, c->pointers[i], &sets))
			candidates[nr++] = c->pointers[i];
	settle(c, SKB_DEV, candidates, nr, "no pointer leads to the device's name and number");
	learn_devices(c);
	if (nr != 1 || !match_device(c, candidates[0], &sets)) {
		cal_not_found(c, DEV_NAME, "sk_buff.dev is not known");
		cal_not_found(c, DEV_IFINDEX, "sk_buff.dev is not known");
		return;
	}
	cal_conclude(c, DEV_NAME, &sets.name, 16);
	cal_conclude(c, DEV_IFINDEX, &sets.ifindex, 4);
}

/* Whether a word of net_device is the same in devices of the same netns, and only there. */
static bool word_is_like_netns(const u64 words[], const struct cal *c)
{
	size_t i, j, same = 0, other = 0;

	for (i = 0; i < c->nr_devices; i++)
		for (j = 0; j < i; j++) {
			if (!words[i] || !words[j])
				continue;
			if ((words[i] == words[j]) != (c->devices[i].netns == c->devices[j].netns))
				return false;
			same += words[i] == words[j];
			other += words[i] != words[j];
		}
	return same && other;
}

static void find_nets(struct cal *c)
{
	struct cal_object *of = calloc(CAL_ITEMS_MAX, sizeof(*of));
	u64 words[CAL_ITEMS_MAX];
	struct cal_object skb, dev;
	size_t i, nth;
	bool pointers;
	u32 at, span = 0;

	c->nr_nets = 0;
	if (!of)
		return;
	for (i = 0; i < c->nr_packets && cal_has(c, SKB_DEV); i++)
		if (c->packets[i].known & CAL_KNOW_DEVICE && cal_tx(c, i, &skb, &nth) &&
		    cal_object_get(c, cal_path1(CAL_TX, 1, cal_at(c, SKB_DEV)), i, nth, &dev) &&
		    dev.len > of[c->packets[i].device].len)
			of[c->packets[i].device] = dev;
	for (i = 0; i < c->nr_devices; i++)
		if (of[i].len && (!span || of[i].len < span))
			span = of[i].len;
	for (at = 0; at + 8 <= span && c->nr_nets < CAL_POINTERS_MAX / 4; at += 8) {
		pointers = true;
		for (i = 0; i < c->nr_devices; i++) {
			words[i] = of[i].len ? cal_word(of[i].bytes, at) : 0;
			pointers &= !of[i].len || cal_is_pointer(words[i]);
		}
		if (pointers && word_is_like_netns(words, c))
			c->nets[c->nr_nets++] = (u16)at;
	}
	free(of);
}

static void match_net(const struct cal *c, u32 at, struct cal_set *inum)
{
	struct cal_object skb, net;
	size_t i, nth;

	cal_set_init(inum, 4, 4);
	for (i = 0; i < c->nr_packets; i++)
		if (c->packets[i].known & CAL_KNOW_DEVICE && cal_tx(c, i, &skb, &nth) &&
		    cal_object_get(c, cal_path2(CAL_TX, 1, cal_at(c, SKB_DEV), at), i, nth, &net))
			cal_set_match(inum, net.bytes, net.len,
				      &c->inums[c->devices[c->packets[i].device].netns]);
}

static void learn_nets(struct cal *c)
{
	struct cal_object skb, net;
	size_t i, nth;

	memset(c->net_at, 0, sizeof(c->net_at));
	for (i = 0; i < c->nr_packets && cal_has(c, DEV_NET); i++)
		if (c->packets[i].known & CAL_KNOW_DEVICE && cal_tx(c, i, &skb, &nth) &&
		    cal_object_get(c, cal_path2(CAL_TX, 1, cal_at(c, SKB_DEV), cal_at(c, DEV_NET)),
				   i, nth, &net))
			c->net_at[c->devices[c->packets[i].device].netns] = net.pointer;
}

static void solve_net(struct cal *c)
{
	u16 candidates[CAL_POINTERS_MAX] = { 0 };
	struct cal_set inum;
	size_t nr = 0;
	u8 i;

	for (i = 0; i < c->nr_nets; i++) {
		match_net(c, c->nets[i], &inum);
		if (inum.varied && cal_set_count(&inum, NULL))
			candidates[nr++] = c->nets[i];
	}
	settle(c, DEV_NET, candidates, nr, "no pointer leads to the number of the netns");
	cal_not_found(c, NET_INUM, "net_device.nd_net is not known");
	if (nr == 1) {
		match_net(c, candidates[0], &inum);
		cal_conclude(c, NET_INUM, &inum, 4);
	}
	learn_nets(c);
	find_nets(c);
}

/* ---- the route */

static bool match_route(const struct cal *c, u32 at, struct cal_set *dev)
{
	struct cal_object skb, dst;
	const struct cal_packet *p;
	size_t i, nth;

	cal_set_init(dev, 8, 8);
	for (i = 0; i < c->nr_packets; i++) {
		p = &c->packets[i];
		if (!(p->known & CAL_KNOW_ROUTE) || !cal_tx(c, i, &skb, &nth))
			continue;
		/* not counted: the lowest bit says so, and windows are one byte off */
		if (cal_word(skb.bytes, at) & 7)
			continue;
		if (!cal_word(skb.bytes, at))
			return false;
		if (cal_object_get(c, cal_path1(CAL_TX, 1, at), i, nth, &dst))
			cal_set_match(dev, dst.bytes, dst.len < DST_SPAN ? dst.len : DST_SPAN,
				      &c->device_at[p->device]);
	}
	return dev->varied && cal_set_count(dev, NULL);
}

static void solve_route(struct cal *c)
{
	u16 candidates[CAL_POINTERS_MAX] = { 0 };
	struct cal_set dev;
	size_t nr = 0;
	u8 i;

	for (i = 0; i < c->nr_pointers && cal_has(c, SKB_DEV); i++) {
		if (c->pointers[i] == cal_at(c, SKB_DEV))
			continue;
		if (match_route(c, c->pointers[i], &dev))
			candidates[nr++] = c->pointers[i];
	}
	settle(c, SKB_REFDST, candidates, nr, "no pointer leads to one to the route's device");
	cal_not_found(c, DST_DEV, "sk_buff._skb_refdst is not known");
	if (nr == 1 && match_route(c, candidates[0], &dev))
		cal_conclude(c, DST_DEV, &dev, 8);
}

/* ---- the socket */

struct of_socket {
	struct cal_set family, state, num, dport, cookie, daddr, rcv_saddr, daddr6, rcv_saddr6, net;
};

static void init_socket(struct of_socket *sets)
{
	cal_set_init(&sets->family, 2, 2);
	cal_set_init(&sets->state, 1, 1);
	cal_set_init(&sets->num, 2, 2);
	cal_set_init(&sets->dport, 2, 2);
	cal_set_init(&sets->cookie, 8, 8);
	cal_set_init(&sets->daddr, 4, 4);
	cal_set_init(&sets->rcv_saddr, 4, 4);
	cal_set_init(&sets->daddr6, 16, 4);
	cal_set_init(&sets->rcv_saddr6, 16, 4);
	cal_set_init(&sets->net, 8, 8);
}

static void match_one_socket(const struct cal *c, const struct cal_packet *p,
			     const struct cal_object *o, struct of_socket *sets)
{
	const struct cal_socket *s = &c->sockets[p->socket];
	bool v6 = s->family == 10;

	cal_set_match(&sets->family, o->bytes, o->len, &s->family);
	cal_set_match(&sets->state, o->bytes, o->len, &p->state);
	cal_set_match(&sets->num, o->bytes, o->len, &s->num);
	cal_set_match(&sets->dport, o->bytes, o->len, &s->dport_net);
	cal_set_match(&sets->cookie, o->bytes, o->len, &s->cookie);
	cal_set_match(v6 ? &sets->daddr6 : &sets->daddr, o->bytes, o->len, s->daddr);
	cal_set_match(v6 ? &sets->rcv_saddr6 : &sets->rcv_saddr, o->bytes, o->len, s->rcv_saddr);
	if (c->net_at[s->netns])
		cal_set_match(&sets->net, o->bytes, o->len, &c->net_at[s->netns]);
}

static bool match_socket(const struct cal *c, u32 at, struct of_socket *sets)
{
	struct cal_object skb, bytes;
	size_t i, nth;

	init_socket(sets);
	for (i = 0; i < c->nr_packets; i++) {
		if (!(c->packets[i].known & CAL_KNOW_SOCKET) || !cal_tx(c, i, &skb, &nth))
			continue;
		if (!cal_word(skb.bytes, at))
			return false;
		if (cal_object_get(c, cal_path1(CAL_TX, 1, at), i, nth, &bytes))
			match_one_socket(c, &c->packets[i], &bytes, sets);
	}
	return sets->num.varied && cal_set_count(&sets->family, NULL) &&
	       cal_set_count(&sets->num, NULL) && cal_set_count(&sets->cookie, NULL);
}

static void solve_socket(struct cal *c)
{
	static const char why[] = "sk_buff.sk is not known";
	u16 candidates[CAL_POINTERS_MAX] = { 0 };
	struct of_socket sets;
	size_t nr = 0;
	int m;
	u8 i;

	for (i = 0; i < c->nr_pointers; i++)
		if (match_socket(c, c->pointers[i], &sets))
			candidates[nr++] = c->pointers[i];
	settle(c, SKB_SK, candidates, nr, "no pointer leads to the socket's port and cookie");
	for (m = SOCK_FAMILY; m <= SOCK_COOKIE; m++)
		cal_not_found(c, (enum member)m, why);
	if (nr != 1 || !match_socket(c, candidates[0], &sets))
		return;
	cal_conclude(c, SOCK_FAMILY, &sets.family, 2);
	cal_conclude(c, SOCK_STATE, &sets.state, 1);
	cal_conclude(c, SOCK_NUM, &sets.num, 2);
	cal_conclude(c, SOCK_DPORT, &sets.dport, 2);
	cal_conclude(c, SOCK_COOKIE, &sets.cookie, 8);
	cal_conclude(c, SOCK_DADDR, &sets.daddr, 4);
	cal_conclude(c, SOCK_RCV_SADDR, &sets.rcv_saddr, 4);
	cal_conclude(c, SOCK_V6_DADDR, &sets.daddr6, 16);
	cal_conclude(c, SOCK_V6_RCV_SADDR, &sets.rcv_saddr6, 16);
	cal_conclude(c, SOCK_NET, &sets.net, 8);
}

void cal_solve_skb(struct cal *c)
{
	solve_scalars(c);
	find_pointers(c);
	if (!c->round)
		return;
	solve_data(c);
	solve_head(c);
	solve_device(c);
	solve_net(c);
	solve_route(c);
	solve_socket(c);
}
