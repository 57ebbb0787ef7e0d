// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Words for packets.
 *
 * What was not read is never printed as if it were: a header that is cut or malformed is named so.
 * Names of types and codes: the registries of IANA, in the words that tcpdump and ping use.
 */
#include "decode/packet_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum {
	ANY_CODE = 0xff,
};

struct icmp_name {
	u8 type, code;
	const char *name;
};

/* A type's row with ANY_CODE comes after those with its codes. */
static const struct icmp_name icmp4_names[] = {
	{ 0, ANY_CODE, "echo reply" },
	{ 3, 0, "net unreachable" },
	{ 3, 1, "host unreachable" },
	{ 3, 2, "protocol unreachable" },
	{ 3, 3, "port unreachable" },
	{ 3, 4, "fragmentation needed" },
	{ 3, 5, "source route failed" },
	{ 3, 6, "net unknown" },
	{ 3, 7, "host unknown" },
	{ 3, 9, "net prohibited" },
	{ 3, 10, "host prohibited" },
	{ 3, 13, "admin prohibited" },
	{ 3, ANY_CODE, "unreachable" },
	{ 4, ANY_CODE, "source quench" },
	{ 5, ANY_CODE, "redirect" },
	{ 8, ANY_CODE, "echo request" },
	{ 9, ANY_CODE, "router advertisement" },
	{ 10, ANY_CODE, "router solicitation" },
	{ 11, 0, "time exceeded in transit" },
	{ 11, 1, "reassembly time exceeded" },
	{ 11, ANY_CODE, "time exceeded" },
	{ 12, ANY_CODE, "parameter problem" },
	{ 13, ANY_CODE, "timestamp request" },
	{ 14, ANY_CODE, "timestamp reply" },
	{ 17, ANY_CODE, "address mask request" },
	{ 18, ANY_CODE, "address mask reply" },
};

static const struct icmp_name icmp6_names[] = {
	{ 1, 0, "no route" },
	{ 1, 1, "admin prohibited" },
	{ 1, 2, "beyond scope" },
	{ 1, 3, "address unreachable" },
	{ 1, 4, "port unreachable" },
	{ 1, 5, "source address failed policy" },
	{ 1, 6, "reject route" },
	{ 1, ANY_CODE, "unreachable" },
	{ 2, ANY_CODE, "packet too big" },
	{ 3, 0, "time exceeded in transit" },
	{ 3, 1, "reassembly time exceeded" },
	{ 3, ANY_CODE, "time exceeded" },
	{ 4, ANY_CODE, "parameter problem" },
	{ 128, ANY_CODE, "echo request" },
	{ 129, ANY_CODE, "echo reply" },
	{ 130, ANY_CODE, "multicast listener query" },
	{ 131, ANY_CODE, "multicast listener report" },
	{ 132, ANY_CODE, "multicast listener done" },
	{ 133, ANY_CODE, "router solicitation" },
	{ 134, ANY_CODE, "router advertisement" },
	{ 135, ANY_CODE, "neighbour solicitation" },
	{ 136, ANY_CODE, "neighbour advertisement" },
	{ 137, ANY_CODE, "redirect" },
	{ 143, ANY_CODE, "multicast listener report v2" },
};

void packet_put_addr(struct strbuf *sb, const u8 *addr, u8 version)
{
	char text[INET6_ADDRSTRLEN];

	if ((version != 4 && version != 6) ||
	    !inet_ntop(version == 4 ? AF_INET : AF_INET6, addr, text, sizeof(text)))
		strbuf_puts(sb, "?");
	else
		strbuf_puts(sb, text);
}

void packet_put_mac(struct strbuf *sb, const u8 *mac)
{
	for (int i = 0; i < 6; i++) {
		if (i)
			strbuf_putc(sb, ':');
		strbuf_putc(sb, "0123456789abcdef"[mac[i] >> 4]);
		strbuf_putc(sb, "0123456789abcdef"[mac[i] & 15]);
	}
}

static bool proto_has_ports(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return true;
	default:
		return false;
	}
}

bool packet_has_ports(const struct packet_net *n)
{
	return n->part == PART_OK && proto_has_ports(n->proto) &&
	       (n->l4 == PART_OK || n->sport || n->dport);
}

void packet_put_endpoint(struct strbuf *sb, const struct packet_net *n, bool dst)
{
	bool ports = packet_has_ports(n), brackets = ports && n->version == 6;

	if (brackets)
		strbuf_putc(sb, '[');
	packet_put_addr(sb, dst ? n->dst : n->src, n->version);
	if (brackets)
		strbuf_putc(sb, ']');
	if (!ports)
		return;
	strbuf_putc(sb, ':');
	strbuf_put_u64(sb, dst ? n->dport : n->sport);
}

const char *packet_proto_name(u8 proto)
{
	static const char *const names[256] = {
		[IPPROTO_HOPOPTS] = "hop-by-hop options",
		[IPPROTO_ICMP] = "ICMP",
		[IPPROTO_IGMP] = "IGMP",
		[IPPROTO_IPIP] = "IPIP",
		[IPPROTO_TCP] = "TCP",
		[IPPROTO_UDP] = "UDP",
		[IPPROTO_DCCP] = "DCCP",
		[IPPROTO_IPV6] = "IPv6",
		[IPPROTO_ROUTING] = "routing header",
		[IPPROTO_FRAGMENT] = "fragment header",
		[IPPROTO_GRE] = "GRE",
		[IPPROTO_ESP] = "ESP",
		[IPPROTO_AH] = "AH",
		[IPPROTO_ICMPV6] = "ICMPv6",
		[IPPROTO_NONE] = "no next header",
		[IPPROTO_DSTOPTS] = "destination options",
		[89] = "OSPF",
		[IPPROTO_PIM] = "PIM",
		[112] = "VRRP",
		[115] = "L2TP",
		[IPPROTO_SCTP] = "SCTP",
		[IPPROTO_UDPLITE] = "UDP-Lite",
	};

	return names[proto];
}

const char *packet_icmp_name(u8 version, u8 type, u8 code)
{
	const struct icmp_name *row = version == 6 ? icmp6_names : icmp4_names;
	size_t nr = version == 6 ? ARRAY_SIZE(icmp6_names) : ARRAY_SIZE(icmp4_names);

	for (; nr; nr--, row++) {
		if (row->type == type && (row->code == code || row->code == ANY_CODE))
			return row->name;
	}
	return NULL;
}

void packet_put_tcp_flags(struct strbuf *sb, u8 flags)
{
	static const char letters[8] = { 'F', 'S', 'R', 'P', '.', 'U', 'E', 'W' };

	if (!flags)
		strbuf_puts(sb, "none");
	for (int bit = 0; bit < 8; bit++) {
		if (flags & 1 << bit)
			strbuf_putc(sb, letters[bit]);
	}
}

const char *packet_tunnel_name(u8 tunnel)
{
	static const char *const names[] = {
		[TUNNEL_NONE] = "",   [TUNNEL_VXLAN] = "VXLAN", [TUNNEL_GENEVE] = "Geneve",
		[TUNNEL_GRE] = "GRE", [TUNNEL_IPIP] = "IPIP",	[TUNNEL_ESP] = "ESP",
	};

	return tunnel < ARRAY_SIZE(names) ? names[tunnel] : "";
}

/* " WORD number" */
static void put_number(struct strbuf *sb, const char *word, u64 value)
{
	strbuf_putc(sb, ' ');
	strbuf_puts(sb, word);
	strbuf_putc(sb, ' ');
	strbuf_put_u64(sb, value);
}

static void put_proto(struct strbuf *sb, u8 proto)
{
	const char *name = packet_proto_name(proto);

	if (name) {
		strbuf_putc(sb, ' ');
		strbuf_puts(sb, name);
	} else {
		put_number(sb, "protocol", proto);
	}
}

static void put_unread(struct strbuf *sb, u8 part)
{
	strbuf_puts(sb, part == PART_BAD ? "malformed header" : "header not in window");
}

static void put_icmp(struct strbuf *sb, const struct packet_net *n)
{
	u8 version = n->proto == IPPROTO_ICMPV6 ? 6 : 4;
	const char *name = packet_icmp_name(version, n->icmp_type, n->icmp_code);

	if (name) {
		strbuf_putc(sb, ' ');
		strbuf_puts(sb, name);
	} else {
		put_number(sb, "type", n->icmp_type);
		put_number(sb, "code", n->icmp_code);
	}
	if (n->icmp_has_id) {
		put_number(sb, "id", n->icmp_id);
		put_number(sb, "seq", n->icmp_seq);
	}
	if (n->icmp_mtu)
		put_number(sb, "mtu", n->icmp_mtu);
}

static void put_tcp(struct strbuf *sb, const struct packet_net *n)
{
	strbuf_putc(sb, ' ');
	packet_put_tcp_flags(sb, n->tcp_flags);
	put_number(sb, "seq", n->tcp_seq);
	if (n->tcp_flags & TCP_ACK)
		put_number(sb, "ack", n->tcp_ack);
	put_number(sb, "win", n->tcp_window);
}

static void put_transport(struct strbuf *sb, const struct packet_net *n)
{
	put_proto(sb, n->proto);
	if (n->l4 == PART_CUT || n->l4 == PART_BAD) {
		strbuf_putc(sb, ' ');
		put_unread(sb, n->l4);
	}
	if (n->l4 != PART_OK)
		return;
	switch (n->proto) {
	case IPPROTO_TCP:
		put_tcp(sb, n);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put_icmp(sb, n);
		break;
	case IPPROTO_SCTP:
		put_number(sb, "chunk", n->sctp_chunk);
		break;
	default:
		break;
	}
}

static void put_tunnel(struct strbuf *sb, const struct packet_net *n)
{
	strbuf_putc(sb, ' ');
	strbuf_puts(sb, packet_tunnel_name(n->tunnel));
	if (!n->has_tunnel_id)
		return;
	if (n->tunnel == TUNNEL_ESP) {
		strbuf_puts(sb, " spi ");
		strbuf_put_hex(sb, n->tunnel_id);
	} else {
		put_number(sb, n->tunnel == TUNNEL_GRE ? "key" : "id", n->tunnel_id);
	}
}

static void put_fragment(struct strbuf *sb, const struct packet_net *n)
{
	if (!n->more_fragments && !n->frag_offset)
		return;
	put_number(sb, "fragment id", n->id);
	put_number(sb, "offset", n->frag_offset);
	if (n->more_fragments)
		strbuf_puts(sb, " more");
}

/* A network header and its transport header. @carries: something in it is shown, so no length. */
static void put_net(struct strbuf *sb, const struct packet_net *n, bool carries)
{
	if (n->part != PART_OK) {
		if (n->version)
			strbuf_puts(sb, n->version == 6 ? "IPv6 " : "IPv4 ");
		put_unread(sb, n->part);
		return;
	}
	if (n->l4 == PART_OK && n->proto == IPPROTO_ICMPV6 &&
	    (n->icmp_type == 135 || n->icmp_type == 136)) {
		strbuf_puts(sb, n->icmp_type == 135 ? "IPv6 NS for " : "IPv6 NA for ");
		packet_put_addr(sb, n->nd_target, 6);
		return;
	}
	if (n->tunnel && carries) {
		packet_put_addr(sb, n->src, n->version);
		strbuf_puts(sb, " > ");
		packet_put_addr(sb, n->dst, n->version);
		put_tunnel(sb, n);
		return;
	}
	packet_put_endpoint(sb, n, false);
	strbuf_puts(sb, " > ");
	packet_put_endpoint(sb, n, true);
	if (n->tunnel && n->l4 != PART_CUT && n->l4 != PART_BAD)
		put_tunnel(sb, n);
	else
		put_transport(sb, n);
	put_fragment(sb, n);
	if (n->total_bytes)
		put_number(sb, "len", n->total_bytes);
}

static void put_arp(struct strbuf *sb, const struct packet *p)
{
	strbuf_puts(sb, "ARP ");
	if (p->arp != PART_OK) {
		put_unread(sb, p->arp);
	} else if (p->arp_op == 1) {
		strbuf_puts(sb, "who-has ");
		packet_put_addr(sb, p->arp_tip, 4);
		strbuf_puts(sb, " tell ");
		packet_put_addr(sb, p->arp_sip, 4);
	} else if (p->arp_op == 2) {
		packet_put_addr(sb, p->arp_sip, 4);
		strbuf_puts(sb, " is-at ");
		packet_put_mac(sb, p->arp_smac);
	} else {
		strbuf_puts(sb, "operation ");
		strbuf_put_u64(sb, p->arp_op);
	}
}

/* Nothing but the link header, or less. */
static void put_frame(struct strbuf *sb, const struct packet *p)
{
	if (p->link != PART_OK) {
		put_unread(sb, p->link);
		return;
	}
	packet_put_mac(sb, p->smac);
	strbuf_puts(sb, " > ");
	packet_put_mac(sb, p->dmac);
	strbuf_puts(sb, " ethertype ");
	strbuf_put_hex(sb, p->ethertype);
}

void packet_describe(struct strbuf *sb, const struct packet *p)
{
	bool inner_arp = p->nr_nets && p->arp;
	u8 last = p->nr_nets, i;

	for (i = 0; i < p->nr_vlans; i++) {
		strbuf_puts(sb, "vlan ");
		strbuf_put_u64(sb, p->vlan[i] & 0xfff);
		strbuf_putc(sb, ' ');
	}
	for (i = 0; i < last; i++) {
		if (i)
			strbuf_puts(sb, " { ");
		put_net(sb, &p->net[i], i + 1 < last || inner_arp || p->deeper);
	}
	if (inner_arp)
		strbuf_puts(sb, " { ");
	if (p->arp)
		put_arp(sb, p);
	else if (!last)
		put_frame(sb, p);
	if (inner_arp)
		strbuf_puts(sb, " }");
	if (p->deeper)
		strbuf_puts(sb, " { ... }");
	if (p->has_quoted) {
		strbuf_puts(sb, " of { ");
		put_net(sb, &p->quoted, false);
		strbuf_puts(sb, " }");
	}
	for (i = 1; i < last; i++)
		strbuf_puts(sb, " }");
}
