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

#include <netinet/in.h>
#include <string.h>

/* Headers that a tunnel or a tag may add between receive and send. More is another packet. */
#define MAX_ENCAP_BYTES 256
/* The least that a link header adds, where there is one: Ethernet's. */
#define MIN_LINK_BYTES 14

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

	/* What is noted of it may come from a task that took it out of a socket's backlog. */
	while (last > path->hops && last->kind == EVENT_NOTE)
		last--;
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

/* Whether another packet may be in it that is not read, or was encrypted. */
static bool may_carry(const struct packet_net *net)
{
	return net->proto != IPPROTO_TCP && net->proto != IPPROTO_ICMP &&
	       net->proto != IPPROTO_ICMPV6 && net->proto != IPPROTO_IGMP;
}

static bool other_addresses(const struct packet_net *a, const struct packet_net *b)
{
	return a->version != b->version ||
	       (memcmp(a->src, b->src, sizeof(a->src)) && memcmp(a->dst, b->dst, sizeof(a->dst)));
}

bool identity_other_packet(const struct path *path, const struct event *ev)
{
	const struct packet_net *a, *b;
	bool a_arp, b_arp;

	if (!(ev->has & EVENT_HAS_FACTS) || !ev->facts->has_packet || !path->views)
		return false;
	a = packet_inner(&path->views->packet);
	b = packet_inner(&ev->facts->packet);
	/* ARP, alone or in a tunnel, is never anything else, but in a tunnel. */
	a_arp = path->views->packet.arp == PART_OK;
	b_arp = ev->facts->packet.arp == PART_OK;
	if (a_arp != b_arp) {
		a = a_arp ? b : a;
		return a && a->l4 == PART_OK && !may_carry(a);
	}
	if (!a || !b)
		return false;
	/* From here to there it may have been put into a tunnel, or taken out of one. */
	if ((path->views->packet.nr_nets != ev->facts->packet.nr_nets || other_addresses(a, b)) &&
	    (may_carry(a) || may_carry(b)))
		return false;
	if (a->version != b->version ||
	    (a->has_id && b->has_id && a->id && b->id && a->id != b->id))
		return true;
	if (a->l4 != PART_OK || b->l4 != PART_OK)
		return false;
	if (a->proto != b->proto)
		return true;
	if (a->proto == IPPROTO_TCP)
		return a->tcp_seq != b->tcp_seq || a->tcp_ack != b->tcp_ack;
	return a->icmp_has_id && b->icmp_has_id && a->icmp_seq != b->icmp_seq;
}
