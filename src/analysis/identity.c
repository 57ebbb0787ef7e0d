// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packet identity: which records speak of the same packet.
 *
 * In:  events in time order, each with an skb address.
 * Out: for each the packet the address stands for, or the verdict that it must be another one.
 *
 * Kernel facts behind the rules: net/core/dev.c (__dev_queue_xmit, dev_hard_start_xmit, netif_rx,
 * __netif_receive_skb_core), drivers/net/veth.c, net/bridge/br_input.c.
 */
#include "analysis/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Headers that a tunnel or a tag may add between receive and send. More is another packet. */
#define MAX_ENCAP_BYTES 256
/* The least that a link header adds, where there is one: Ethernet's. */
#define MIN_LINK_BYTES 14

static u32 hash_skb(u64 skb)
{
	/* skbs lie 64 bytes apart at least; the middle of the product mixes best. */
	return (u32)((skb >> 6) * 0x9e3779b97f4a7c15ULL >> 32);
}

int identity_init(struct identity_table *t)
{
	t->nr = 0;
	t->mask = 4095;
	t->slot = calloc(t->mask + 1, sizeof(*t->slot));
	return t->slot ? 0 : -ENOMEM;
}

void identity_free(struct identity_table *t)
{
	free(t->slot);
	t->slot = NULL;
}

struct path *identity_find(const struct identity_table *t, u64 skb)
{
	u32 at = hash_skb(skb) & t->mask;

	for (; t->slot[at].skb; at = (at + 1) & t->mask)
		if (t->slot[at].skb == skb)
			return t->slot[at].path;
	return NULL;
}

static void put(struct identity_slot *slot, u32 mask, u64 skb, struct path *path)
{
	u32 at = hash_skb(skb) & mask;

	while (slot[at].skb && slot[at].skb != skb)
		at = (at + 1) & mask;
	slot[at] = (struct identity_slot){ skb, path };
}

static int grow(struct identity_table *t)
{
	u32 mask = t->mask * 2 + 1, i;
	struct identity_slot *slot = calloc((size_t)mask + 1, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (i = 0; i <= t->mask; i++)
		if (t->slot[i].skb)
			put(slot, mask, t->slot[i].skb, t->slot[i].path);
	free(t->slot);
	t->slot = slot;
	t->mask = mask;
	return 0;
}

int identity_set(struct identity_table *t, u64 skb, struct path *path)
{
	if (t->nr * 2 >= t->mask && grow(t))
		return -ENOMEM;
	if (!identity_find(t, skb))
		t->nr++;
	put(t->slot, t->mask, skb, path);
	return 0;
}

void identity_remove(struct identity_table *t, u64 skb)
{
	u32 at = hash_skb(skb) & t->mask, next, home;

	while (t->slot[at].skb != skb) {
		if (!t->slot[at].skb)
			return;
		at = (at + 1) & t->mask;
	}
	t->nr--;
	/* Close the gap: move back whatever may not stay behind a free slot. */
	for (next = (at + 1) & t->mask; t->slot[next].skb; next = (next + 1) & t->mask) {
		home = hash_skb(t->slot[next].skb) & t->mask;
		if (((next - home) & t->mask) >= ((next - at) & t->mask)) {
			t->slot[at] = t->slot[next];
			at = next;
		}
	}
	t->slot[at].skb = 0;
}

/* Whether the device of an event was passed before. Other cookie, other device, same name or not. */
static bool was_on(const struct path *path, const struct event *ev, u8 kind_a, u8 kind_b)
{
	const struct hop *hop;
	u32 i;

	for (i = 0; i < path->nr_hops; i++) {
		hop = &path->hops[i];
		if (hop->dev == ev->dev && (hop->kind == kind_a || hop->kind == kind_b) &&
		    (!(hop->has & ev->has & EVENT_HAS_COOKIE) ||
		     hop->netns_cookie == ev->netns_cookie))
			return true;
	}
	return false;
}

/* A packet received in a softirq goes on in one; what a task sends is new. */
static bool left_softirq(const struct path *path, const struct event *ev)
{
	const struct hop *last = &path->hops[path->nr_hops - 1];

	return (last->context & EVENT_IN_SOFTIRQ) && (ev->context & EVENT_CONTEXT_KNOWN) &&
	       !(ev->context & (EVENT_IN_SOFTIRQ | EVENT_IN_HARDIRQ));
}

static bool other_netns(const struct path *path, const struct event *ev)
{
	u32 i;

	if (!(ev->has & EVENT_HAS_COOKIE))
		return false;
	for (i = path->nr_hops; i-- > 0;)
		if (path->hops[i].has & EVENT_HAS_COOKIE)
			return path->hops[i].netns_cookie != ev->netns_cookie;
	return false;
}

/*
 * Whether a packet received with so many bytes can be sent with so many. The first number is
 * without the link header, the second with it: nothing for a tunnel's device, 14 bytes or more for
 * Ethernet. What lies between is another packet that is a little longer.
 */
static bool can_grow(u32 received, u32 sent)
{
	return sent == received ||
	       (sent >= received + MIN_LINK_BYTES && sent <= received + MAX_ENCAP_BYTES);
}

/* Handed to a device. */
static bool can_queue(const struct path *path, const struct event *ev, bool shared)
{
	switch (path->stage) {
	case STAGE_TX:
		/* From a bridge, vlan, bond or tunnel to the device below, while that one waits. */
		if (path->tx_done || ev->dev != path->tx_dev)
			return !path->tx_done;
		/* A container's macvlan may have the name of the device below it. */
		return ev->kind == EVENT_QUEUE && path->last_kind == EVENT_START_XMIT &&
		       (ev->has & EVENT_HAS_COOKIE ? other_netns(path, ev) : shared);
	case STAGE_STACK:
		/*
		 * Forwarded or bridged: in the same softirq, netns and about the same size. Out of
		 * the device that it came in by is TCP's answer in the same memory, far more often
		 * than a router with one device.
		 */
		if (left_softirq(path, ev) || other_netns(path, ev) || ev->dev == path->rx_dev)
			return false;
		if ((ev->has & EVENT_HAS_LEN) && path->stack_len &&
		    !can_grow(path->stack_len, ev->len_bytes))
			return false;
		/*
		 * Back on a device it was sent on before is reuse, far more often than a loop. But
		 * a container's eth0 leads to the host's eth0.
		 */
		return !was_on(path, ev, EVENT_QUEUE, EVENT_START_XMIT) ||
		       (shared && ev->dev != path->rx_dev && !(ev->has & EVENT_HAS_COOKIE));
	default:
		return false;
	}
}

/* Put into a backlog by netif_rx(). */
static bool can_enter_backlog(const struct path *path, const struct event *ev)
{
	switch (path->stage) {
	case STAGE_TX:
		/* veth and lo call netif_rx() before their xmit function returns. */
		return !path->tx_done;
	case STAGE_BACKLOG:
		return path->last_kind == EVENT_RX_ENTRY && ev->kind == EVENT_RX &&
		       ev->dev == path->rx_dev;
	case STAGE_STACK:
		/* Decapsulated by a tunnel, or handed up by a stacked device. */
		return !left_softirq(path, ev) && !was_on(path, ev, EVENT_RX, EVENT_RX_ENTRY) &&
		       !was_on(path, ev, EVENT_RECEIVE, EVENT_RECEIVE);
	default:
		return false;
	}
}

/* Given to GRO by a driver's poll function, also by that of a veth in NAPI mode. */
static bool can_enter_gro(const struct path *path, const struct event *ev)
{
	if (path->stage == STAGE_TX)
		return ev->dev != path->tx_dev || other_netns(path, ev);
	if (path->stage == STAGE_STACK)
		return !left_softirq(path, ev) && !was_on(path, ev, EVENT_GRO, EVENT_RECEIVE);
	return false;
}

/* Into the protocol stack, perhaps once for each of several stacked devices. */
static bool can_receive(const struct path *path, const struct event *ev)
{
	switch (path->stage) {
	case STAGE_BACKLOG:
		return ev->dev == path->rx_dev;
	case STAGE_DRIVER:
		return true;
	case STAGE_TX:
		return ev->dev != path->tx_dev || other_netns(path, ev);
	case STAGE_STACK:
		if (path->last_kind == EVENT_RECEIVE_ENTRY && ev->kind == EVENT_RECEIVE)
			return ev->dev == path->rx_dev;
		return !left_softirq(path, ev) &&
		       !was_on(path, ev, EVENT_RECEIVE, EVENT_RECEIVE_ENTRY);
	default:
		return false;
	}
}

bool identity_continues(const struct path *path, const struct event *ev, bool shared)
{
	switch (ev->kind) {
	case EVENT_START_XMIT:
		/* From the device's queue to its driver, again when that was busy. */
		if (path->stage == STAGE_TX && ev->dev == path->tx_dev)
			return !path->tx_ok;
		return can_queue(path, ev, shared);
	case EVENT_QUEUE:
		return can_queue(path, ev, shared);
	case EVENT_RX_ENTRY:
	case EVENT_RX:
		return can_enter_backlog(path, ev);
	case EVENT_GRO:
		return can_enter_gro(path, ev);
	case EVENT_RECEIVE_ENTRY:
	case EVENT_RECEIVE:
		return can_receive(path, ev);
	default:
		return true;
	}
}
