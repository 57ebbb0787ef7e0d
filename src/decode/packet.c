// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reader of packet headers: a window of memory -> struct packet.
 *
 * In:  bytes that nobody vouches for, and the skb's own (perhaps stale) words on where headers are.
 * Out: struct packet, every byte of it set, so that equal packets compare equal with memcmp().
 *
 * Each read is preceded by a test against view->end. What lies behind the end is "cut", what lies
 * behind the end that a header itself announces is "malformed". Nothing recurses: network headers
 * are a loop of PACKET_NETS turns, extension headers each advance by 8 bytes or more.
 */
#include "decode/packet.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"

enum {
	ETHER_BYTES = 14,
	TAG_BYTES = 4,
	ARP_BYTES = 28,
	IPV4_BYTES = 20,
	IPV6_BYTES = 40,
	TCP_BYTES = 20,
	UDP_BYTES = 8,
	SCTP_BYTES = 12,
	DCCP_BYTES = 12,
	ICMP_BYTES = 8,
	ND_BYTES = 24, /* neighbour solicitation and advertisement without options */
	ESP_BYTES = 8,
	GRE_BYTES = 4,
	VXLAN_BYTES = 8,
	GENEVE_BYTES = 8,
	FRAGMENT_BYTES = 8,
};

enum {
	TYPE_802_2 = 0x0004, /* the kernel's number for frames that have a length in this place */
	TYPE_802_3_MAX = 0x05ff,
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_TEB = 0x6558, /* transparent Ethernet bridging: an Ethernet frame */
	TYPE_8021Q = 0x8100,
	TYPE_IPV6 = 0x86dd,
	TYPE_8021AD = 0x88a8,
};

/* Not IPPROTO_*: older libc headers lack some, and these are the protocols' numbers anyway. */
enum {
	PROTO_IPV4 = 4,
	PROTO_IPV6 = 41,
	PROTO_UDPLITE = 136,
};

enum {
	PORT_VXLAN = 4789,
	PORT_VXLAN_OLD = 8472, /* what Linux took before IANA had spoken */
	PORT_GENEVE = 6081,
};

enum {
	OFFSET_UNSET = 0xffff,
	HEADROOM_MAX = 0xffff,
};

static const u8 no_bytes[1];

#define NOWHERE INT64_MIN
#define NO_END UINT64_MAX

/* What may be read. */
struct view {
	const u8 *bytes;
	u32 end;     /* bytes[end] and what follows is not in the window, or not the packet's */
	u64 skb_end; /* where the skb ends, which may be behind @end; 0: not known */
};

/* An Ethernet header with its tags, or the tags alone. */
struct link {
	u8 part;
	u8 nr_vlans;
	u16 vlan[PACKET_VLANS];
	u16 ethertype;
	u32 end;
};

/* What is inside of a header. */
struct inside {
	u16 ethertype; /* 0: nothing that we could read */
	u32 at;
	bool cut; /* something, but what or where is not in the window */
};

/* Where a packet's headers are in a window. */
struct place {
	s64 net; /* NOWHERE: there is none */
	s64 link_at;
	struct link link; /* PART_NONE: neither a link header nor tags */
	u16 ethertype;	  /* of what is at ->net; 0 not known */
	u8 cut_version;	  /* the network header is of this IP version, but not in the window */
};

static u16 be16(const u8 *p)
{
	return load_u16(p, !HOST_BIG_ENDIAN);
}

static u32 be32(const u8 *p)
{
	return load_u32(p, !HOST_BIG_ENDIAN);
}

static bool view_has(const struct view *v, u64 at, u64 bytes)
{
	return at <= v->end && bytes <= v->end - at;
}

static bool is_tag(u16 ethertype)
{
	return ethertype == TYPE_8021Q || ethertype == TYPE_8021AD;
}

static u16 version_ethertype(u8 version)
{
	return version == 4 ? TYPE_IPV4 : version == 6 ? TYPE_IPV6 : 0;
}

static u8 ethertype_version(u16 ethertype)
{
	return ethertype == TYPE_IPV4 ? 4 : ethertype == TYPE_IPV6 ? 6 : 0;
}

/* -- link --------------------------------------------------------------------------------------- */

/* Tags whose first tag control information is at @at; @ethertype is the type before that. */
static void read_tags(const struct view *v, u32 at, u16 ethertype, struct link *l)
{
	l->nr_vlans = 0;
	l->part = PART_OK;
	for (; is_tag(ethertype); at += TAG_BYTES) {
		if (l->nr_vlans == PACKET_VLANS) {
			l->part = PART_BAD;
			return;
		}
		if (!view_has(v, at, TAG_BYTES)) {
			l->part = PART_CUT;
			return;
		}
		l->vlan[l->nr_vlans++] = be16(v->bytes + at);
		ethertype = be16(v->bytes + at + 2);
	}
	l->ethertype = ethertype > TYPE_802_3_MAX ? ethertype : TYPE_802_2;
	l->end = at;
}

static void read_ether(const struct view *v, u32 at, struct link *l)
{
	memset(l, 0, sizeof(*l));
	if (!view_has(v, at, ETHER_BYTES)) {
		l->part = PART_CUT;
		return;
	}
	read_tags(v, at + ETHER_BYTES, be16(v->bytes + at + 12), l);
}

static void read_arp(const struct view *v, struct packet *p, u32 at)
{
	const u8 *b = v->bytes + at;

	p->arp = PART_CUT;
	if (!view_has(v, at, ARP_BYTES))
		return;
	p->arp = PART_BAD;
	if (be16(b + 2) != TYPE_IPV4 || b[4] != 6 || b[5] != 4)
		return;
	p->arp = PART_OK;
	p->arp_op = be16(b + 6);
	memcpy(p->arp_smac, b + 8, 6);
	memcpy(p->arp_sip, b + 14, 4);
	memcpy(p->arp_tmac, b + 18, 6);
	memcpy(p->arp_tip, b + 24, 4);
}

/* -- network ------------------------------------------------------------------------------------ */

/* Length of a packet whose header leaves it out because 16 bits do not hold it. 0: not known. */
static u32 length_of_skb(const struct view *v, u32 at)
{
	u64 bytes = v->skb_end > at ? v->skb_end - at : 0;

	return bytes > UINT32_MAX ? 0 : (u32)bytes;
}

static void read_ipv4(const struct view *v, struct packet_net *n, u32 at, bool length_unset)
{
	const u8 *b = v->bytes + at;
	u16 fragment;

	if (!view_has(v, at, IPV4_BYTES)) {
		n->part = PART_CUT;
		return;
	}
	n->header_bytes = (u16)((b[0] & 15) * 4);
	n->total_bytes = length_unset ? 0 : be16(b + 2);
	if (!n->total_bytes)
		n->total_bytes = length_of_skb(v, at);
	if (b[0] >> 4 != 4 || n->header_bytes < IPV4_BYTES ||
	    (n->total_bytes && n->total_bytes < n->header_bytes)) {
		n->part = PART_BAD;
		return;
	}
	n->part = PART_OK;
	n->tos = b[1];
	n->has_id = true;
	n->id = be16(b + 4);
	fragment = be16(b + 6);
	n->more_fragments = fragment & 0x2000;
	n->frag_offset = (u16)((fragment & 0x1fff) * 8);
	n->ttl = b[8];
	n->proto = b[9];
	memcpy(n->src, b + 12, 4);
	memcpy(n->dst, b + 16, 4);
}

/* The length of a jumbogram is in an option, which Linux writes as the first (RFC 2675). */
static u32 jumbo_length(const struct view *v, u32 at)
{
	const u8 *b = v->bytes + at;
	u32 bytes;

	if (b[6] != IPPROTO_HOPOPTS || !view_has(v, at + IPV6_BYTES, 8) || b[42] != 0xc2 ||
	    b[43] != 4)
		return 0;
	bytes = be32(b + 44);
	return bytes > UINT32_MAX - IPV6_BYTES ? 0 : bytes + IPV6_BYTES;
}

static void read_ipv6(const struct view *v, struct packet_net *n, u32 at, bool length_unset)
{
	const u8 *b = v->bytes + at;
	u16 payload;

	if (!view_has(v, at, IPV6_BYTES)) {
		n->part = PART_CUT;
		return;
	}
	if (b[0] >> 4 != 6) {
		n->part = PART_BAD;
		return;
	}
	n->part = PART_OK;
	n->header_bytes = IPV6_BYTES;
	payload = length_unset ? 0 : be16(b + 4);
	if (payload || (!length_unset && b[6] == IPPROTO_NONE))
		n->total_bytes = (u32)payload + IPV6_BYTES;
	else
		n->total_bytes = jumbo_length(v, at);
	if (!n->total_bytes)
		n->total_bytes = length_of_skb(v, at);
	n->tos = (u8)(be16(b) >> 4);
	n->proto = b[6];
	n->ttl = b[7];
	memcpy(n->src, b + 8, 16);
	memcpy(n->dst, b + 24, 16);
}

static bool is_extension(const struct packet_net *n)
{
	switch (n->proto) {
	case IPPROTO_AH:
		return true;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_DSTOPTS:
		return n->version == 6;
	default:
		return false;
	}
}

static void read_fragment_header(struct packet_net *n, const u8 *b)
{
	n->has_id = true;
	n->frag_offset = be16(b + 2) & 0xfff8;
	n->more_fragments = b[3] & 1;
	n->id = be32(b + 4);
}

/* What has been read of a network header, and where what it carries begins and ends. */
struct payload {
	u32 at;
	u64 end; /* as the header says; NO_END: it does not */
};

static u8 part_at(const struct view *v, const struct packet_net *n, const struct payload *pl,
		  u32 bytes)
{
	if ((u64)pl->at + bytes > pl->end)
		return n->more_fragments ? PART_CUT : PART_BAD;
	return view_has(v, pl->at, bytes) ? PART_OK : PART_CUT;
}

/* Whether a header of @bytes would end behind its packet; of a fragment, the rest may be in another. */
static bool goes_beyond(const struct packet_net *n, const struct payload *pl, u32 bytes)
{
	return !n->more_fragments && (u64)pl->at + bytes > pl->end;
}

/*
 * Passes over extension headers. Return: PART_OK when a transport header may follow; else ->proto is
 * that of the header where it ended.
 */
static u8 pass_extensions(const struct view *v, struct packet_net *n, struct payload *pl)
{
	const u8 *b;
	u32 bytes;
	u8 part;

	if (n->frag_offset)
		return PART_FRAGMENT;
	while (is_extension(n)) {
		part = part_at(v, n, pl, 8);
		if (part != PART_OK)
			return part;
		b = v->bytes + pl->at;
		if (n->proto == IPPROTO_FRAGMENT) {
			bytes = FRAGMENT_BYTES;
			read_fragment_header(n, b);
		} else if (n->proto == IPPROTO_AH) {
			bytes = (b[1] + 2U) * 4;
		} else {
			bytes = (b[1] + 1U) * 8;
		}
		if (bytes < 8 || (u64)pl->at + bytes > pl->end || n->header_bytes + bytes > 0xffff)
			return n->more_fragments && bytes >= 8 ? PART_CUT : PART_BAD;
		n->proto = b[0];
		n->header_bytes = (u16)(n->header_bytes + bytes);
		pl->at += bytes;
		if (n->frag_offset)
			return PART_FRAGMENT;
	}
	return PART_OK;
}

/* -- transport ---------------------------------------------------------------------------------- */

static void read_ports(const struct view *v, struct packet_net *n, const struct payload *pl)
{
	if (!view_has(v, pl->at, 4) || (u64)pl->at + 4 > pl->end)
		return;
	n->sport = be16(v->bytes + pl->at);
	n->dport = be16(v->bytes + pl->at + 2);
}

static u8 read_tcp(const struct view *v, struct packet_net *n, const struct payload *pl)
{
	const u8 *b = v->bytes + pl->at;
	u8 part = part_at(v, n, pl, TCP_BYTES);
	u32 bytes;

	read_ports(v, n, pl);
	if (part != PART_OK)
		return part;
	bytes = (b[12] >> 4) * 4U;
	if (bytes < TCP_BYTES || goes_beyond(n, pl, bytes))
		return PART_BAD;
	n->l4_bytes = (u8)bytes;
	n->tcp_seq = be32(b + 4);
	n->tcp_ack = be32(b + 8);
	n->tcp_flags = b[13];
	n->tcp_window = be16(b + 14);
	return PART_OK;
}

static u8 read_udp(const struct view *v, struct packet_net *n, const struct payload *pl)
{
	u8 part = part_at(v, n, pl, UDP_BYTES);
	u16 bytes;

	read_ports(v, n, pl);
	if (part != PART_OK)
		return part;
	bytes = be16(v->bytes + pl->at + 4);
	/* 0: longer than 16 bits can say. UDP-Lite has a checksum coverage there. */
	if (n->proto == IPPROTO_UDP && bytes && (bytes < UDP_BYTES || goes_beyond(n, pl, bytes)))
		return PART_BAD;
	n->l4_bytes = UDP_BYTES;
	n->udp_bytes = n->proto == IPPROTO_UDP ? bytes : 0;
	return PART_OK;
}

static u8 read_sctp(const struct view *v, struct packet_net *n, const struct payload *pl)
{
	/* The first byte of the first chunk too: there is no packet without one. */
	u8 part = part_at(v, n, pl, SCTP_BYTES + 1);

	read_ports(v, n, pl);
	if (part != PART_OK)
		return part;
	n->l4_bytes = SCTP_BYTES;
	n->sctp_vtag = be32(v->bytes + pl->at + 4);
	n->sctp_chunk = v->bytes[pl->at + SCTP_BYTES];
	return PART_OK;
}

static u8 read_dccp(const struct view *v, struct packet_net *n, const struct payload *pl)
{
	u8 part = part_at(v, n, pl, DCCP_BYTES);
	u32 bytes;

	read_ports(v, n, pl);
	if (part != PART_OK)
		return part;
	bytes = v->bytes[pl->at + 4] * 4U;
	if (bytes < DCCP_BYTES || goes_beyond(n, pl, bytes))
		return PART_BAD;
	n->l4_bytes = (u8)(bytes > UINT8_MAX ? UINT8_MAX : bytes);
	return PART_OK;
}

static bool icmp_type_has_id(u8 version, u8 type)
{
	if (version == 6)
		return type == 128 || type == 129;
	return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

static bool icmp_type_is_error(u8 version, u8 type)
{
	if (version == 6)
		return type >= 1 && type <= 4;
	return (type >= 3 && type <= 5) || type == 11 || type == 12;
}

static u8 read_icmp(const struct view *v, struct packet_net *n, const struct payload *pl)
{
	u8 version = n->proto == IPPROTO_ICMPV6 ? 6 : 4;
	const u8 *b = v->bytes + pl->at;
	u8 part = part_at(v, n, pl, ICMP_BYTES);
	bool nd;

	if (part != PART_OK)
		return part;
	nd = version == 6 && (b[0] == 135 || b[0] == 136);
	if (nd) {
		part = part_at(v, n, pl, ND_BYTES);
		if (part != PART_OK)
			return part;
		memcpy(n->nd_target, b + 8, 16);
	}
	n->l4_bytes = nd ? ND_BYTES : ICMP_BYTES;
	n->icmp_type = b[0];
	n->icmp_code = b[1];
	n->icmp_has_id = icmp_type_has_id(version, b[0]);
	if (n->icmp_has_id) {
		n->icmp_id = be16(b + 4);
		n->icmp_seq = be16(b + 6);
	}
	if (version == 4 && b[0] == 3 && b[1] == 4)
		n->icmp_mtu = be16(b + 6);
	else if (version == 6 && b[0] == 2)
		n->icmp_mtu = be32(b + 4);
	return PART_OK;
}

static u8 read_esp(const struct view *v, struct packet_net *n, const struct payload *pl)
{
	u8 part = part_at(v, n, pl, ESP_BYTES);

	n->tunnel = TUNNEL_ESP;
	if (part != PART_OK)
		return part;
	n->l4_bytes = ESP_BYTES;
	n->has_tunnel_id = true;
	n->tunnel_id = be32(v->bytes + pl->at);
	return PART_OK;
}

/* -- tunnels ------------------------------------------------------------------------------------ */

static u8 read_gre(const struct view *v, struct packet_net *n, const struct payload *pl,
		   struct inside *in)
{
	const u8 *b = v->bytes + pl->at;
	u8 part = part_at(v, n, pl, GRE_BYTES);
	u32 bytes = GRE_BYTES, key_at;
	u16 flags;

	n->tunnel = TUNNEL_GRE;
	in->cut = part == PART_CUT;
	if (part != PART_OK)
		return part;
	flags = be16(b);
	/* Source routes have no length of their own (RFC 1701); version 1 is PPTP. */
	if (flags & 0x4000 || (flags & 7) > 1)
		return PART_BAD;
	bytes += flags & 0x8000 ? 4 : 0;
	key_at = bytes;
	bytes += flags & 0x2000 ? 4 : 0;
	bytes += flags & 0x1000 ? 4 : 0;
	bytes += (flags & 7) == 1 && flags & 0x0080 ? 4 : 0;
	part = part_at(v, n, pl, bytes);
	in->cut = part == PART_CUT;
	if (part != PART_OK)
		return part;
	n->l4_bytes = (u8)bytes;
	if ((flags & 7) == 1)
		return PART_OK;
	if (flags & 0x2000) {
		n->has_tunnel_id = true;
		n->tunnel_id = be32(b + key_at);
	}
	in->ethertype = be16(b + 2);
	in->at = pl->at + bytes;
	return PART_OK;
}

static void read_vxlan(const struct view *v, struct packet_net *n, const struct payload *pl,
		       struct inside *in)
{
	u32 at = pl->at + UDP_BYTES;

	if ((u64)at + VXLAN_BYTES > pl->end)
		return;
	/* Without a VNI it is something else that uses the port. */
	if (view_has(v, at, 1) && !(v->bytes[at] & 0x08))
		return;
	n->tunnel = TUNNEL_VXLAN;
	in->cut = !view_has(v, at, VXLAN_BYTES);
	if (in->cut)
		return;
	n->has_tunnel_id = true;
	n->tunnel_id = be32(v->bytes + at + 4) >> 8;
	in->ethertype = TYPE_TEB;
	in->at = at + VXLAN_BYTES;
}

static void read_geneve(const struct view *v, struct packet_net *n, const struct payload *pl,
			struct inside *in)
{
	u32 at = pl->at + UDP_BYTES;

	if ((u64)at + GENEVE_BYTES > pl->end)
		return;
	if (view_has(v, at, 1) && v->bytes[at] >> 6)
		return; /* of another version */
	n->tunnel = TUNNEL_GENEVE;
	in->cut = !view_has(v, at, GENEVE_BYTES);
	if (in->cut)
		return;
	n->has_tunnel_id = true;
	n->tunnel_id = be32(v->bytes + at + 4) >> 8;
	in->ethertype = be16(v->bytes + at + 2);
	in->at = at + GENEVE_BYTES + (v->bytes[at] & 0x3f) * 4U;
}

static u8 read_transport(const struct view *v, struct packet_net *n, const struct payload *pl,
			 struct inside *in)
{
	u8 part;

	switch (n->proto) {
	case IPPROTO_TCP:
		return read_tcp(v, n, pl);
	case IPPROTO_UDP:
		part = read_udp(v, n, pl);
		if (part != PART_OK)
			return part;
		if (n->dport == PORT_VXLAN || n->dport == PORT_VXLAN_OLD)
			read_vxlan(v, n, pl, in);
		else if (n->dport == PORT_GENEVE)
			read_geneve(v, n, pl, in);
		return PART_OK;
	case PROTO_UDPLITE:
		return read_udp(v, n, pl);
	case IPPROTO_SCTP:
		return read_sctp(v, n, pl);
	case IPPROTO_DCCP:
		return read_dccp(v, n, pl);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return read_icmp(v, n, pl);
	case IPPROTO_ESP:
		return read_esp(v, n, pl);
	case IPPROTO_GRE:
		return read_gre(v, n, pl, in);
	case PROTO_IPV4:
	case PROTO_IPV6:
		n->tunnel = TUNNEL_IPIP;
		in->ethertype = n->proto == PROTO_IPV4 ? TYPE_IPV4 : TYPE_IPV6;
		in->at = pl->at;
		return PART_NONE;
	default:
		return PART_NONE;
	}
}

/*
 * One network header and what follows it. @v->end moves to where the header says that the packet
 * ends: what is inside cannot go further.
 */
static void read_net(struct view *v, struct packet_net *n, u32 at, u8 version, bool length_unset,
		     struct inside *in)
{
	struct payload pl;

	n->version = version;
	if (version == 4)
		read_ipv4(v, n, at, length_unset);
	else
		read_ipv6(v, n, at, length_unset);
	if (n->part != PART_OK)
		return;
	pl.at = at + n->header_bytes;
	pl.end = n->total_bytes ? (u64)at + n->total_bytes : NO_END;
	n->l4 = pass_extensions(v, n, &pl);
	if (n->l4 == PART_OK)
		n->l4 = read_transport(v, n, &pl, in);
	if (pl.end < v->end)
		v->end = (u32)pl.end;
}

/* Ethernet frames inside of a tunnel: on to what they carry. */
static void enter_frame(const struct view *v, struct inside *in)
{
	struct link link;

	if (in->ethertype != TYPE_TEB)
		return;
	read_ether(v, in->at, &link);
	in->cut = link.part == PART_CUT;
	in->ethertype = link.part == PART_OK ? link.ethertype : 0;
	in->at = link.end;
}

static void read_quoted(struct view *v, struct packet *p, const struct packet_net *n, u32 net_at)
{
	u8 version = n->proto == IPPROTO_ICMPV6 ? 6 : 4;
	struct inside in = { 0 };

	if (n->l4 != PART_OK || (n->proto != IPPROTO_ICMP && n->proto != IPPROTO_ICMPV6) ||
	    !icmp_type_is_error(version, n->icmp_type))
		return;
	p->has_quoted = true;
	read_net(v, &p->quoted, net_at + n->header_bytes + n->l4_bytes, version, false, &in);
}

static void read_nets(struct view *v, struct packet *p, u32 at, u16 ethertype, bool length_unset)
{
	u8 version = ethertype_version(ethertype);
	struct packet_net *n;
	struct inside in;

	for (;;) {
		memset(&in, 0, sizeof(in));
		n = &p->net[p->nr_nets++];
		read_net(v, n, at, version, length_unset, &in);
		if (n->part != PART_OK)
			return;
		enter_frame(v, &in);
		version = ethertype_version(in.ethertype);
		if (in.ethertype == TYPE_ARP)
			read_arp(v, p, in.at);
		if (!version && !in.cut)
			break;
		if (p->nr_nets == PACKET_NETS) {
			p->deeper = version;
			return;
		}
		if (!version) {
			p->net[p->nr_nets++].part = PART_CUT;
			return;
		}
		at = in.at;
		length_unset = false;
	}
	read_quoted(v, p, n, at);
}

/* -- where headers are -------------------------------------------------------------------------- */

static void view_of_window(struct view *v, const struct skb_window *w)
{
	u64 skb_end = (u64)w->before + w->skb_len;

	v->bytes = w->bytes ? w->bytes : no_bytes;
	v->skb_end = w->skb_len ? skb_end : 0;
	v->end = w->skb_len && skb_end < w->len_bytes ? (u32)skb_end : w->len_bytes;
}

/* An offset from skb->head as a place in the window, perhaps outside of it. */
static s64 window_position(const struct skb_window *w, u16 offset)
{
	if (offset == OFFSET_UNSET || !w->data || w->data < w->head ||
	    w->data - w->head > HEADROOM_MAX)
		return NOWHERE;
	return (s64)w->before - (s64)(w->data - w->head) + offset;
}

/* A fresh skb's network offset is 0, which is true only of one without headroom. */
static s64 network_position(const struct skb_window *w)
{
	if (!w->network && w->data != w->head)
		return NOWHERE;
	return window_position(w, w->network);
}

static bool view_has_position(const struct view *v, s64 at)
{
	return at >= 0 && at < v->end;
}

/* Whether what is at @at looks like a header of @protocol. 0 and tags: like one of IP. */
static bool agrees(const struct view *v, s64 at, u16 protocol)
{
	u8 version;

	if (!view_has_position(v, at))
		return false;
	version = v->bytes[at] >> 4;
	if (!protocol || is_tag(protocol))
		return version == 4 || version == 6;
	if (protocol == TYPE_ARP)
		return view_has(v, (u64)at, 4) && be16(v->bytes + at + 2) == TYPE_IPV4;
	return version && version == ethertype_version(protocol);
}

static s64 choose_network(const struct view *v, const struct skb_window *w, u16 protocol)
{
	s64 data = w->before, nh = network_position(w), mac = window_position(w, w->mac);

	switch (w->at) {
	case AT_NETWORK:
	case AT_NETWORK_NEW:
		/* A driver has just moved data behind the link header, nh may be of another life. */
		if ((nh == data || nh == NOWHERE || mac + ETHER_BYTES == data) &&
		    agrees(v, data, protocol))
			return data;
		if (agrees(v, nh, protocol))
			return nh;
		return agrees(v, data, protocol) || ethertype_version(protocol) ||
				       protocol == TYPE_ARP ?
			       data :
			       NOWHERE;
	case AT_LINK:
		return nh >= data && agrees(v, nh, protocol) ? nh : NOWHERE;
	default:
		return agrees(v, nh, protocol) ? nh : NOWHERE;
	}
}

/*
 * The link header before the network header, or the one that leads to it; when there is none, but
 * tags, those.
 */
static void find_link(const struct view *v, const struct skb_window *w, u16 protocol,
		      struct place *pl)
{
	s64 data = w->before, mac = w->at == AT_LINK ? data : window_position(w, w->mac);
	bool fresh = w->at == AT_NETWORK && mac + ETHER_BYTES == data;
	struct link link;

	if (w->at == AT_LINK && !view_has_position(v, mac)) {
		pl->link.part = PART_CUT;
		return;
	}
	if (view_has_position(v, mac) && pl->net != mac) {
		read_ether(v, (u32)mac, &link);
		/* It leads to a network header that nobody knew of, or that was taken for one. */
		if (link.part == PART_OK && fresh && link.nr_vlans)
			pl->net = link.end;
		if (link.part == PART_OK ?
			    (link.end == pl->net &&
			     (link.ethertype == TYPE_ARP || agrees(v, pl->net, link.ethertype))) ||
				    ((w->at == AT_LINK || fresh) && pl->net == NOWHERE) :
			    w->at == AT_LINK && pl->net == NOWHERE) {
			pl->link = link;
			pl->link_at = mac;
			return;
		}
	}
	if (w->at == AT_NETWORK && is_tag(protocol) && data < v->end) {
		read_tags(v, (u32)data, protocol, &link);
		if (link.part == PART_OK &&
		    (link.ethertype == TYPE_ARP || agrees(v, link.end, link.ethertype))) {
			pl->link = link;
			pl->net = link.end;
		}
	}
}

static void find_headers(const struct view *v, const struct skb_window *w, struct place *pl)
{
	/* Not yet the packet's own: of what is inside, or unset. */
	u16 protocol = w->at == AT_NETWORK_NEW ? 0 : w->protocol;

	memset(pl, 0, sizeof(*pl));
	pl->link_at = NOWHERE;
	pl->net = choose_network(v, w, protocol);
	find_link(v, w, protocol, pl);
	if (pl->link.part == PART_OK) {
		pl->ethertype = pl->link.ethertype;
		if (pl->net == NOWHERE)
			pl->net = pl->link.end;
	} else if (pl->net == NOWHERE) {
		pl->ethertype = protocol;
		if (network_position(w) != NOWHERE && w->at != AT_LINK &&
		    !view_has_position(v, network_position(w)))
			pl->cut_version = ethertype_version(protocol);
	} else if (agrees(v, pl->net, 0) && protocol != TYPE_ARP && !ethertype_version(protocol)) {
		pl->ethertype = version_ethertype(v->bytes[pl->net] >> 4);
	} else {
		pl->ethertype = protocol;
	}
}

/* -- what others call --------------------------------------------------------------------------- */

static void put_link(const struct view *v, struct packet *p, s64 at, const struct link *l)
{
	p->link = at == NOWHERE && l->part == PART_OK ? PART_NONE : l->part;
	if (l->part != PART_OK)
		return;
	p->vlans_known = at != NOWHERE || l->nr_vlans;
	p->nr_vlans = l->nr_vlans;
	memcpy(p->vlan, l->vlan, l->nr_vlans * sizeof(p->vlan[0]));
	if (at == NOWHERE)
		return;
	memcpy(p->dmac, v->bytes + at, 6);
	memcpy(p->smac, v->bytes + at + 6, 6);
}

static bool read_headers(struct view *v, struct packet *p, const struct place *pl,
			 bool length_unset)
{
	put_link(v, p, pl->link_at, &pl->link);
	p->ethertype = pl->ethertype;
	if (pl->cut_version) {
		p->nr_nets = 1;
		p->net[0].version = pl->cut_version;
		p->net[0].part = PART_CUT;
	} else if (pl->net != NOWHERE && pl->ethertype == TYPE_ARP) {
		read_arp(v, p, (u32)pl->net);
	} else if (pl->net != NOWHERE && ethertype_version(pl->ethertype)) {
		read_nets(v, p, (u32)pl->net, pl->ethertype, length_unset);
	}
	return p->link == PART_OK || p->arp == PART_OK || p->net[0].part == PART_OK;
}

/* The skb's word about a tag of its own. A link header that could not be read may hide others. */
static void put_tag(struct packet *p, const struct skb_window *w)
{
	if (!w->tag_known)
		return;
	if (p->link == PART_NONE)
		p->vlans_known = true;
	if (!w->tagged)
		return;
	memmove(p->vlan + 1, p->vlan, sizeof(p->vlan) - sizeof(p->vlan[0]));
	p->vlan[0] = w->tag;
	if (p->nr_vlans < PACKET_VLANS)
		p->nr_vlans++;
}

bool packet_parse(struct packet *p, const struct skb_window *w)
{
	struct place pl;
	struct view v;
	bool any;

	memset(p, 0, sizeof(*p));
	view_of_window(&v, w);
	find_headers(&v, w, &pl);
	any = read_headers(&v, p, &pl, w->at == AT_NETWORK_NEW);
	put_tag(p, w);
	return any;
}

bool packet_parse_bytes(struct packet *p, const u8 *bytes, u32 len, u16 ethertype)
{
	struct view v = { .bytes = bytes ? bytes : no_bytes, .end = len };
	struct place pl = { .net = 0, .link_at = NOWHERE, .ethertype = ethertype };

	memset(p, 0, sizeof(*p));
	if (!ethertype) {
		read_ether(&v, 0, &pl.link);
		pl.link_at = 0;
		pl.net = pl.link.part == PART_OK ? (s64)pl.link.end : NOWHERE;
		pl.ethertype = pl.link.ethertype;
	} else if (is_tag(ethertype)) {
		read_tags(&v, 0, ethertype, &pl.link);
		pl.net = pl.link.part == PART_OK ? (s64)pl.link.end : NOWHERE;
		pl.ethertype = pl.link.ethertype;
	}
	return read_headers(&v, p, &pl, false);
}

s32 packet_net_offset(const struct skb_window *w)
{
	struct place pl;
	struct view v;

	view_of_window(&v, w);
	find_headers(&v, w, &pl);
	return view_has_position(&v, pl.net) && pl.net <= INT32_MAX ? (s32)pl.net : -1;
}

s32 packet_link_offset(const struct skb_window *w)
{
	struct place pl;
	struct view v;

	view_of_window(&v, w);
	find_headers(&v, w, &pl);
	return pl.link.part == PART_OK && pl.link_at != NOWHERE && pl.link_at <= INT32_MAX ?
		       (s32)pl.link_at :
		       -1;
}
