// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Comparing packets; see changes.h.
 */
#include "analysis/changes.h"

#include <netinet/in.h>
#include <string.h>

static bool has_ports(u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

/* Where both tell of the transport header. */
static bool both_l4(const struct packet_net *a, const struct packet_net *b)
{
	return a->l4 == PART_OK && b->l4 == PART_OK;
}

/* What the sender numbers, and no NAT changes. */
static bool same_l4_numbers(const struct packet_net *a, const struct packet_net *b)
{
	switch (a->proto) {
	case IPPROTO_TCP:
		/* GRO takes over the flags of what it joins. */
		return a->tcp_seq == b->tcp_seq;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return a->icmp_type == b->icmp_type && a->icmp_code == b->icmp_code &&
		       a->icmp_seq == b->icmp_seq;
	default:
		return true;
	}
}

static bool is_icmp(u8 proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

/* Where both tell of ports, if the protocol has any. */
static bool both_ports(const struct packet_net *a, const struct packet_net *b)
{
	return has_ports(a->proto) && (a->l4 == PART_OK || a->only_tuple) &&
	       (b->l4 == PART_OK || b->only_tuple);
}

static bool same_l4(const struct packet_net *a, const struct packet_net *b)
{
	if (both_ports(a, b) && (a->sport != b->sport || a->dport != b->dport))
		return false;
	if (!both_l4(a, b))
		return true;
	if (is_icmp(a->proto) && a->icmp_id != b->icmp_id)
		return false;
	return same_l4_numbers(a, b);
}

bool packet_same_header(const struct packet_net *a, const struct packet_net *b)
{
	return a->version == b->version && a->proto == b->proto &&
	       !memcmp(a->src, b->src, sizeof(a->src)) && !memcmp(a->dst, b->dst, sizeof(a->dst)) &&
	       (!a->has_id || !b->has_id || a->id == b->id) && a->frag_offset == b->frag_offset &&
	       same_l4(a, b);
}

/* Whether @inner is the packet that @p carries inside of its outermost header. */
static bool carries(const struct packet *p, const struct packet_net *inner)
{
	u8 i;

	for (i = 1; i < p->nr_nets; i++)
		if (p->net[i].part == PART_OK && p->net[i].version == inner->version &&
		    !memcmp(p->net[i].src, inner->src, sizeof(inner->src)) &&
		    !memcmp(p->net[i].dst, inner->dst, sizeof(inner->dst)))
			return true;
	return false;
}

static u32 net_changes(const struct packet_net *a, const struct packet_net *b)
{
	bool ports = both_ports(a, b);
	u32 bits = 0;

	if (a->version != b->version || a->proto != b->proto)
		return CHANGE_OTHER;
	if (memcmp(a->src, b->src, sizeof(a->src)) || (ports && a->sport != b->sport))
		bits |= CHANGE_SOURCE;
	if (memcmp(a->dst, b->dst, sizeof(a->dst)) || (ports && a->dport != b->dport))
		bits |= CHANGE_DESTINATION;
	if (a->frag_offset != b->frag_offset || a->more_fragments != b->more_fragments)
		bits |= CHANGE_FRAGMENT;
	/* NAT may change the id of an echo, and the sequence number of a helper's TCP. */
	if (!bits && both_l4(a, b) && !same_l4(a, b))
		bits |= CHANGE_OTHER;
	return bits;
}

static u32 arp_changes(const struct packet *a, const struct packet *b)
{
	if (a->arp != PART_OK || b->arp != PART_OK)
		return 0;
	return a->arp_op != b->arp_op || memcmp(a->arp_sip, b->arp_sip, sizeof(a->arp_sip)) ||
			       memcmp(a->arp_tip, b->arp_tip, sizeof(a->arp_tip)) ?
		       CHANGE_OTHER :
		       0;
}

u32 packet_changes(const struct packet *before, const struct packet *after)
{
	const struct packet_net *a = &before->net[0], *b = &after->net[0];
	u32 bits = 0;

	if (before->vlans_known && after->vlans_known &&
	    (before->nr_vlans != after->nr_vlans ||
	     (before->nr_vlans && (before->vlan[0] ^ after->vlan[0]) & 0xfff)))
		bits |= CHANGE_VLAN;
	if (before->arp == PART_OK && after->arp == PART_OK && !before->nr_nets != !after->nr_nets)
		return bits | (after->nr_nets ? CHANGE_ENCAP : CHANGE_DECAP);
	if (!before->nr_nets || !after->nr_nets || a->part != PART_OK || b->part != PART_OK)
		return bits | arp_changes(before, after);
	if (carries(after, a) && !carries(before, a) && !packet_same_header(a, b))
		return bits | CHANGE_ENCAP;
	if (carries(before, b) && !packet_same_header(a, b))
		return bits | CHANGE_DECAP;
	/* What is inside may lie behind the window. */
	if (net_changes(a, b) && a->tunnel != b->tunnel && memcmp(a->src, b->src, sizeof(a->src)) &&
	    memcmp(a->dst, b->dst, sizeof(a->dst)))
		return bits | (b->tunnel ? CHANGE_ENCAP : CHANGE_DECAP);
	return bits | net_changes(a, b);
}

/* What the sender numbers, or else its length, with addresses and ports left aside. */
static bool same_numbers(const struct packet_net *a, const struct packet_net *b)
{
	if (a->has_id && b->has_id && a->id != b->id)
		return false;
	if (!both_l4(a, b) || a->proto != b->proto)
		return true;
	/* Acknowledgments that carry no data have all the same sequence number. */
	if (a->proto == IPPROTO_TCP && a->tcp_flags & b->tcp_flags & TCP_ACK &&
	    a->tcp_ack != b->tcp_ack)
		return false;
	/* GRO and segmentation change the length of TCP's, which has numbers. */
	if (a->proto == IPPROTO_UDP && a->udp_bytes != b->udp_bytes)
		return false;
	return same_l4_numbers(a, b);
}

/* An answer to it: addresses and ports the other way round, which no NAT does. */
static bool is_reverse(const struct packet_net *a, const struct packet_net *b)
{
	return memcmp(a->src, a->dst, sizeof(a->src)) != 0 &&
	       !memcmp(a->src, b->dst, sizeof(a->src)) && !memcmp(a->dst, b->src, sizeof(a->dst));
}

/* Around or out of a tunnel: what is inside must be the same, where it can be seen. */
static bool same_inside(const struct packet *before, const struct packet *after)
{
	const struct packet *outer = before->nr_nets > after->nr_nets ? before : after;
	const struct packet_net *a = packet_inner(before), *b = packet_inner(after);

	if (outer->nr_nets < 2 || outer->deeper || outer->net[outer->nr_nets - 1].part != PART_OK ||
	    !a || !b)
		return true;
	return a->version == b->version && a->proto == b->proto && same_numbers(a, b) &&
	       !is_reverse(a, b);
}

bool packet_may_be_same(const struct packet *before, const struct packet *after)
{
	const struct packet_net *a = &before->net[0], *b = &after->net[0];
	u32 bits = packet_changes(before, after);

	if (bits & CHANGE_OTHER)
		return false;
	if (bits & (CHANGE_ENCAP | CHANGE_DECAP))
		return same_inside(before, after);
	if (bits & CHANGE_FRAGMENT || !before->nr_nets || !after->nr_nets || a->part != PART_OK ||
	    b->part != PART_OK)
		return true;
	return same_numbers(a, b) && !is_reverse(a, b);
}

const char *change_name(u32 bit)
{
	switch (bit) {
	case CHANGE_SOURCE:
		return "snat";
	case CHANGE_DESTINATION:
		return "dnat";
	case CHANGE_ENCAP:
		return "encap";
	case CHANGE_DECAP:
		return "decap";
	case CHANGE_VLAN:
		return "vlan";
	case CHANGE_FRAGMENT:
		return "fragment";
	default:
		return "other";
	}
}
