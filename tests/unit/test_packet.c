// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Headers are read as they are on the wire, at every length of the window, and never past its end.
 *
 * Packets: packets.h, made by make-packets from the RFCs; numbers expected here are those that it
 * puts in and that tcpdump prints beside each.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "decode/packet.h"
#include "made_packet.h"

#define HEAD 0xffff888004560000ULL
#define HEADROOM 128
#define BEFORE 64

/* -- plain bytes ---------------------------------------------------------------------------------- */

static bool parse_made(struct packet *p, const char *name)
{
	const struct made_packet *m = made_packet(name);
	u8 *bytes = made_bytes(m->hex, made_len(m));
	bool any = packet_parse_bytes(p, bytes, made_len(m), 0);

	free(bytes);
	return any;
}

static void assert_addr(const struct packet_net *n, const char *src, const char *dst)
{
	u8 want[16] = { 0 };

	assert_int_equal(n->part, PART_OK);
	assert_int_equal(inet_pton(n->version == 4 ? AF_INET : AF_INET6, src, want), 1);
	assert_memory_equal(n->src, want, 16);
	memset(want, 0, sizeof(want));
	assert_int_equal(inet_pton(n->version == 4 ? AF_INET : AF_INET6, dst, want), 1);
	assert_memory_equal(n->dst, want, 16);
}

static void ping_is_read_to_its_id(void **state)
{
	static const u8 mac[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	const struct packet_net *n;
	struct packet p;

	(void)state;
	assert_true(parse_made(&p, "ping"));
	assert_int_equal(p.link, PART_OK);
	assert_memory_equal(p.smac, mac, 6);
	assert_memory_equal(p.dmac, mac + 6, 6);
	assert_int_equal(p.ethertype, 0x0800);
	assert_int_equal(p.nr_nets, 1);
	assert_false(p.deeper);
	assert_false(p.has_quoted);
	n = packet_inner(&p);
	assert_ptr_equal(n, &p.net[0]);
	assert_addr(n, "10.0.2.1", "10.0.2.2");
	assert_int_equal(n->ttl, 64);
	assert_int_equal(n->id, 15845);
	assert_true(n->has_id);
	assert_int_equal(n->header_bytes, 20);
	assert_int_equal(n->total_bytes, 84);
	assert_int_equal(n->l4, PART_OK);
	assert_int_equal(n->icmp_type, 8);
	assert_true(n->icmp_has_id);
	assert_int_equal(n->icmp_id, 205);
	assert_int_equal(n->icmp_seq, 1);
}

static void tcp_and_udp_have_ports_and_lengths(void **state)
{
	struct packet p;

	(void)state;
	assert_true(parse_made(&p, "tcp_syn"));
	assert_int_equal(p.net[0].sport, 5000);
	assert_int_equal(p.net[0].dport, 80);
	assert_int_equal(p.net[0].tcp_flags, TCP_SYN);
	assert_int_equal(p.net[0].tcp_seq, 123);
	assert_int_equal(p.net[0].tcp_ack, 0);
	assert_int_equal(p.net[0].tcp_window, 64240);
	assert_int_equal(p.net[0].l4_bytes, 40);
	assert_true(parse_made(&p, "tcp_synack"));
	assert_int_equal(p.net[0].tcp_flags, TCP_SYN | TCP_ACK);
	assert_int_equal(p.net[0].tcp_ack, 124);
	assert_true(parse_made(&p, "udp_options"));
	assert_int_equal(p.net[0].header_bytes, 24);
	assert_int_equal(p.net[0].dport, 9);
	assert_int_equal(p.net[0].udp_bytes, 16);
	assert_true(parse_made(&p, "sctp"));
	assert_int_equal(p.net[0].dport, 7);
	assert_int_equal(p.net[0].sctp_vtag, 0xabcd0123);
	assert_int_equal(p.net[0].sctp_chunk, 1);
	assert_true(parse_made(&p, "dccp"));
	assert_int_equal(p.net[0].l4, PART_OK);
	assert_int_equal(p.net[0].sport, 5000);
	assert_int_equal(p.net[0].l4_bytes, 20);
	assert_true(parse_made(&p, "udplite"));
	assert_int_equal(p.net[0].l4, PART_OK);
	assert_int_equal(p.net[0].dport, 7);
}

static void fragments_after_the_first_have_no_ports(void **state)
{
	struct packet p;

	(void)state;
	assert_true(parse_made(&p, "fragment_first"));
	assert_true(p.net[0].more_fragments);
	assert_int_equal(p.net[0].frag_offset, 0);
	assert_int_equal(p.net[0].l4, PART_OK);
	assert_int_equal(p.net[0].udp_bytes, 208);
	assert_true(parse_made(&p, "fragment_later"));
	assert_true(p.net[0].more_fragments);
	assert_int_equal(p.net[0].frag_offset, 80);
	assert_int_equal(p.net[0].l4, PART_FRAGMENT);
	assert_int_equal(p.net[0].proto, IPPROTO_UDP);
	assert_int_equal(p.net[0].dport, 0);
	assert_true(parse_made(&p, "fragment_last"));
	assert_false(p.net[0].more_fragments);
	assert_int_equal(p.net[0].frag_offset, 160);
	assert_true(parse_made(&p, "fragment6_first"));
	assert_true(p.net[0].has_id);
	assert_int_equal(p.net[0].id, 0x12345678);
	assert_int_equal(p.net[0].l4, PART_OK);
	assert_int_equal(p.net[0].dport, 9);
	assert_true(parse_made(&p, "fragment6_later"));
	assert_int_equal(p.net[0].frag_offset, 1232);
	assert_int_equal(p.net[0].l4, PART_FRAGMENT);
	assert_int_equal(p.net[0].proto, IPPROTO_UDP);
}

static void extension_headers_are_passed_over(void **state)
{
	struct packet p;

	(void)state;
	assert_true(parse_made(&p, "extensions6"));
	assert_int_equal(p.net[0].proto, IPPROTO_UDP);
	assert_int_equal(p.net[0].header_bytes, 40 + 8 + 8 + 24 + 24);
	assert_int_equal(p.net[0].l4, PART_OK);
	assert_int_equal(p.net[0].dport, 9);
	assert_true(parse_made(&p, "ah4"));
	assert_int_equal(p.net[0].proto, IPPROTO_UDP);
	assert_int_equal(p.net[0].header_bytes, 44);
	assert_int_equal(p.net[0].dport, 9);
	assert_true(parse_made(&p, "ping6"));
	assert_false(p.net[0].has_id);
	assert_int_equal(p.net[0].tos, 0x20);
	assert_int_equal(p.net[0].icmp_id, 205);
}

static void tags_arp_and_neighbours_are_read(void **state)
{
	static const u8 target[] = { 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 };
	static const u8 mac1[] = { 2, 0, 0, 0, 0, 1 }, ip1[] = { 10, 0, 2, 1 },
			ip2[] = { 10, 0, 2, 2 };
	struct packet p;
	u8 *bytes;

	(void)state;
	assert_true(parse_made(&p, "vlan"));
	assert_int_equal(p.nr_vlans, 1);
	assert_int_equal(p.vlan[0], 0x6007);
	assert_int_equal(p.ethertype, 0x0800);
	assert_int_equal(p.net[0].icmp_id, 205);
	assert_true(parse_made(&p, "qinq"));
	assert_int_equal(p.nr_vlans, 2);
	assert_int_equal(p.vlan[0], 100);
	assert_int_equal(p.vlan[1], 200);
	assert_int_equal(p.net[0].icmp_id, 205);
	bytes = made_bytes(made_packet("qinq")->hex, 50);
	assert_true(packet_parse_bytes(&p, bytes + 14, 36, 0x88a8)); /* begins with its tags */
	free(bytes);
	assert_int_equal(p.link, PART_NONE);
	assert_int_equal(p.nr_vlans, 2);
	assert_int_equal(p.net[0].icmp_id, 205);
	assert_true(parse_made(&p, "arp_request"));
	assert_int_equal(p.arp, PART_OK);
	assert_int_equal(p.arp_op, 1);
	assert_memory_equal(p.arp_smac, mac1, 6);
	assert_memory_equal(p.arp_sip, ip1, 4);
	assert_memory_equal(p.arp_tip, ip2, 4);
	assert_int_equal(p.nr_nets, 0);
	assert_null(packet_inner(&p));
	assert_true(parse_made(&p, "ns"));
	assert_int_equal(p.net[0].icmp_type, 135);
	assert_memory_equal(p.net[0].nd_target, target, 16);
	assert_true(parse_made(&p, "lldp"));
	assert_int_equal(p.ethertype, 0x88cc);
	assert_int_equal(p.nr_nets, 0);
	assert_true(parse_made(&p, "stp"));
	assert_int_equal(p.ethertype, 4);
}

static void error_quotes_its_cause(void **state)
{
	struct packet p;

	(void)state;
	assert_true(parse_made(&p, "port_unreachable"));
	assert_int_equal(p.net[0].icmp_type, 3);
	assert_int_equal(p.net[0].icmp_code, 3);
	assert_true(p.has_quoted);
	assert_addr(&p.quoted, "10.0.2.1", "10.0.2.2");
	assert_int_equal(p.quoted.l4, PART_OK);
	assert_int_equal(p.quoted.dport, 9);
	/* A router that quotes 8 bytes of TCP still tells the ports. */
	assert_true(parse_made(&p, "cut_frag_needed"));
	assert_int_equal(p.net[0].icmp_mtu, 1400);
	assert_addr(&p.quoted, "10.0.2.1", "10.0.2.2");
	assert_int_equal(p.quoted.total_bytes, 60);
	assert_int_equal(p.quoted.l4, PART_CUT);
	assert_int_equal(p.quoted.sport, 5000);
	assert_int_equal(p.quoted.dport, 80);
	assert_true(parse_made(&p, "port_unreachable6"));
	assert_addr(&p.quoted, "fd00::1", "fd00::2");
	assert_int_equal(p.quoted.dport, 9);
	assert_true(parse_made(&p, "too_big6"));
	assert_int_equal(p.net[0].icmp_mtu, 1280);
	assert_int_equal(p.quoted.tcp_flags, TCP_SYN);
}

static void tunnels_are_entered(void **state)
{
	static const struct {
		const char *name;
		u8 tunnel;
		bool has_id;
		u32 id;
		u8 version; /* of what is inside */
	} rows[] = {
		{ "gre", TUNNEL_GRE, false, 0, 4 },	    { "gre_full", TUNNEL_GRE, true, 99, 6 },
		{ "gretap", TUNNEL_GRE, true, 5, 4 },	    { "vxlan", TUNNEL_VXLAN, true, 7, 4 },
		{ "vxlan_8472", TUNNEL_VXLAN, true, 7, 6 }, { "geneve", TUNNEL_GENEVE, true, 8, 4 },
		{ "ipip", TUNNEL_IPIP, false, 0, 4 },	    { "sit", TUNNEL_IPIP, false, 0, 6 },
		{ "ip4in6", TUNNEL_IPIP, false, 0, 4 },	    { "ip6in6", TUNNEL_IPIP, false, 0, 6 },
	};
	const struct packet_net *n;
	struct packet p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(parse_made(&p, rows[i].name));
		assert_int_equal(p.nr_nets, 2);
		assert_int_equal(p.net[0].tunnel, rows[i].tunnel);
		assert_int_equal(p.net[0].has_tunnel_id, rows[i].has_id);
		assert_int_equal(p.net[0].tunnel_id, rows[i].id);
		n = packet_inner(&p);
		assert_ptr_equal(n, &p.net[1]);
		assert_int_equal(n->version, rows[i].version);
		if (rows[i].version == 4)
			assert_addr(n, "10.9.0.1", "10.9.0.2");
		else
			assert_addr(n, "fd09::1", "fd09::2");
		assert_int_equal(n->icmp_id, rows[i].version == 4 ? 205 : 5);
		assert_int_equal(n->tunnel, TUNNEL_NONE);
	}
	assert_true(parse_made(&p, "vxlan_arp"));
	assert_int_equal(p.nr_nets, 1);
	assert_int_equal(p.arp, PART_OK);
	assert_true(parse_made(&p, "esp"));
	assert_int_equal(p.net[0].tunnel, TUNNEL_ESP);
	assert_int_equal(p.net[0].tunnel_id, 0xc0ffee01);
	assert_int_equal(p.nr_nets, 1);
	assert_true(parse_made(&p, "four_deep"));
	assert_int_equal(p.nr_nets, 3);
	assert_true(p.deeper);
}

static void headers_that_contradict_themselves_are_bad(void **state)
{
	struct packet p;

	(void)state;
	assert_true(parse_made(&p, "bad_ihl"));
	assert_int_equal(p.net[0].part, PART_BAD);
	assert_null(packet_inner(&p));
	parse_made(&p, "bad_length");
	assert_int_equal(p.net[0].part, PART_BAD);
	parse_made(&p, "bad_tcp_offset");
	assert_int_equal(p.net[0].part, PART_OK);
	assert_int_equal(p.net[0].l4, PART_BAD);
	parse_made(&p, "bad_tcp_short");
	assert_int_equal(p.net[0].l4, PART_BAD);
	parse_made(&p, "bad_udp_length");
	assert_int_equal(p.net[0].l4, PART_BAD);
	assert_int_equal(p.net[0].dport, 9);
	assert_false(parse_made(&p, "bad_three_tags"));
	assert_int_equal(p.link, PART_BAD);
	parse_made(&p, "bad_arp_hardware");
	assert_int_equal(p.arp, PART_BAD);
	parse_made(&p, "bad_gre_routing");
	assert_int_equal(p.net[0].l4, PART_BAD);
	assert_int_equal(p.nr_nets, 1);
}

/* A packet with some bytes of the frame changed: pairs of offset and value. */
static void parse_changed(struct packet *p, const char *name, size_t nr, const u32 (*changes)[2])
{
	const struct made_packet *m = made_packet(name);
	u8 *bytes = made_bytes(m->hex, made_len(m));

	for (size_t i = 0; i < nr; i++)
		bytes[changes[i][0]] = (u8)changes[i][1];
	packet_parse_bytes(p, bytes, made_len(m), 0);
	free(bytes);
}

#define PARSE_CHANGED(p, name, ...)                                           \
	parse_changed(p, name, ARRAY_SIZE(((const u32[][2]){ __VA_ARGS__ })), \
		      (const u32[][2]){ __VA_ARGS__ })

static void only_errors_quote_and_only_queries_have_ids(void **state)
{
	struct packet p;

	(void)state;
	for (u32 type = 0; type < 256; type++) {
		PARSE_CHANGED(&p, "ping", { 34, type });
		assert_int_equal(p.has_quoted,
				 (type >= 3 && type <= 5) || type == 11 || type == 12);
		assert_int_equal(p.net[0].icmp_has_id,
				 type == 0 || type == 8 || (type >= 13 && type <= 18));
		assert_int_equal(p.net[0].icmp_mtu, 0);
		PARSE_CHANGED(&p, "ping", { 34, type }, { 35, 4 }, { 40, 5 }, { 41, 0xdc });
		assert_int_equal(p.net[0].icmp_mtu, type == 3 ? 1500 : 0);
		PARSE_CHANGED(&p, "ping6", { 54, type });
		assert_int_equal(p.has_quoted, type >= 1 && type <= 4);
		assert_int_equal(p.net[0].icmp_has_id, type == 128 || type == 129);
	}
}

static void lengths_at_the_edge_are_right(void **state)
{
	struct packet p;

	(void)state;
	/* DCCP: its header is 3 words or more, and 5 are all there are. */
	for (u32 words = 0; words < 8; words++) {
		PARSE_CHANGED(&p, "dccp", { 38, words });
		assert_int_equal(p.net[0].l4, words >= 3 && words <= 5 ? PART_OK : PART_BAD);
	}
	/* IPv4 that ends with its header. */
	PARSE_CHANGED(&p, "ping", { 17, 20 });
	assert_int_equal(p.net[0].part, PART_OK);
	assert_int_equal(p.net[0].l4, PART_BAD);
	/* VXLAN and Geneve with nothing in them, and with less than their header. */
	PARSE_CHANGED(&p, "vxlan", { 17, 36 }, { 39, 16 }, { 38, 0 });
	assert_int_equal(p.net[0].tunnel_id, 7);
	assert_int_equal(p.net[1].part, PART_CUT);
	PARSE_CHANGED(&p, "vxlan", { 17, 35 }, { 39, 15 }, { 38, 0 });
	assert_int_equal(p.net[0].l4, PART_OK);
	assert_int_equal(p.net[0].tunnel, TUNNEL_NONE);
	assert_int_equal(p.nr_nets, 1);
	PARSE_CHANGED(&p, "geneve", { 17, 36 }, { 39, 16 }, { 38, 0 });
	assert_int_equal(p.net[0].tunnel_id, 8);
	PARSE_CHANGED(&p, "geneve", { 17, 35 }, { 39, 15 }, { 38, 0 });
	assert_int_equal(p.net[0].tunnel, TUNNEL_NONE);
	/* What uses the port without being VXLAN, and a Geneve of another version. */
	PARSE_CHANGED(&p, "vxlan", { 42, 0 });
	assert_int_equal(p.net[0].tunnel, TUNNEL_NONE);
	PARSE_CHANGED(&p, "geneve", { 42, 0x40 });
	assert_int_equal(p.net[0].tunnel, TUNNEL_NONE);
	/* PPTP's GRE: its header is read, what is inside is not IP. */
	PARSE_CHANGED(&p, "gre_full", { 34, 0x30 }, { 35, 0x81 });
	assert_int_equal(p.net[0].l4, PART_OK);
	assert_int_equal(p.net[0].l4_bytes, 16);
	assert_int_equal(p.nr_nets, 1);
	/* An extension header that is longer than the packet. */
	PARSE_CHANGED(&p, "extensions6", { 55, 9 });
	assert_int_equal(p.net[0].l4, PART_BAD);
}

/* -- every length --------------------------------------------------------------------------------- */

static bool is_final(u8 part)
{
	return part != PART_NONE && part != PART_CUT;
}

/* What was read of a shorter window stays as it is in a longer one. */
static void assert_net_grows(const struct packet_net *before, const struct packet_net *after)
{
	struct packet_net a = *before, b = *after;

	if (!is_final(a.part))
		return;
	assert_int_equal(a.part, b.part);
	assert_int_equal(a.version, b.version);
	assert_int_equal(a.total_bytes, b.total_bytes);
	assert_memory_equal(a.src, b.src, 16);
	assert_memory_equal(a.dst, b.dst, 16);
	if (!is_final(a.l4))
		return;
	/* What a tunnel is comes after its transport header. */
	if (!a.has_tunnel_id) {
		a.tunnel = b.tunnel = 0;
		b.has_tunnel_id = false;
		a.tunnel_id = b.tunnel_id = 0;
	}
	/* A length can be wrong before there is a port. */
	if (a.l4 == PART_BAD && !a.sport && !a.dport)
		b.sport = b.dport = 0;
	assert_memory_equal(&a, &b, sizeof(a));
}

static void assert_grows(const struct packet *before, const struct packet *after)
{
	if (is_final(before->link)) {
		assert_int_equal(before->link, after->link);
		assert_int_equal(before->ethertype, after->ethertype);
		assert_memory_equal(before->vlan, after->vlan, sizeof(before->vlan));
	}
	if (is_final(before->arp)) {
		assert_int_equal(before->arp, after->arp);
		assert_memory_equal(before->arp_sip, after->arp_sip, 4);
	}
	for (u8 i = 0; i < PACKET_NETS; i++)
		assert_net_grows(&before->net[i], &after->net[i]);
	assert_net_grows(&before->quoted, &after->quoted);
	assert_true(before->has_quoted <= after->has_quoted);
}

static void every_prefix_of_every_packet_is_read_in_bounds(void **state)
{
	struct packet before, p;
	u8 *bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(made_packets); i++) {
		memset(&before, 0, sizeof(before));
		for (u32 len = 0; len <= made_len(&made_packets[i]); len++) {
			bytes = made_bytes(made_packets[i].hex, len);
			/* Whatever was there before: every byte is written. */
			memset(&p, (int)len, sizeof(p));
			packet_parse_bytes(&p, bytes, len, 0);
			free(bytes);
			assert_grows(&before, &p);
			before = p;
		}
	}
}

static void network_headers_alone_are_read_as_those_in_frames(void **state)
{
	struct packet framed, bare;
	const struct made_packet *m;
	u8 *bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(made_packets); i++) {
		m = &made_packets[i];
		for (u32 len = 14; len <= made_len(m); len++) {
			bytes = made_bytes(m->hex, len);
			packet_parse_bytes(&framed, bytes, len, 0);
			free(bytes);
			if (framed.nr_vlans || framed.link != PART_OK || framed.ethertype < 0x600)
				continue;
			bytes = made_bytes(m->hex + 28, len - 14);
			packet_parse_bytes(&bare, bytes, len - 14, framed.ethertype);
			free(bytes);
			memset(&framed.link, 0, offsetof(struct packet, nr_vlans));
			assert_true(framed.vlans_known && !bare.vlans_known);
			framed.vlans_known = false;
			assert_memory_equal(&bare, &framed, sizeof(bare));
		}
	}
}

/* Lengths of the frame from which on each header is there: sums of the RFCs' header lengths. */
static const struct {
	const char *name;
	u8 net; /* index */
	u32 net_from, l4_from;
} from[] = {
	{ "ping", 0, 34, 42 },
	{ "tcp_syn", 0, 34, 54 },
	{ "udp", 0, 34, 42 },
	{ "udp_options", 0, 34, 46 },
	{ "udplite", 0, 34, 42 },
	{ "dccp", 0, 34, 46 },
	{ "sctp", 0, 34, 47 }, /* and the type of its first chunk */
	{ "vlan", 0, 38, 46 },
	{ "qinq", 0, 42, 50 },
	{ "ping6", 0, 54, 62 },
	{ "tcp6_syn", 0, 54, 74 },
	{ "udp6", 0, 54, 62 },
	{ "ns", 0, 54, 78 },
	{ "na", 0, 54, 78 },
	{ "extensions6", 0, 54, 54 + 64 + 8 },
	{ "fragment6_first", 0, 54, 54 + 8 + 8 },
	{ "ah4", 0, 34, 34 + 24 + 8 },
	{ "esp", 0, 34, 42 },
	{ "gre", 0, 34, 38 },
	{ "gre_full", 0, 34, 34 + 16 },
	{ "gre", 1, 38 + 20, 38 + 28 },
	{ "gre_full", 1, 50 + 40, 50 + 48 },
	{ "gretap", 1, 42 + 14 + 20, 42 + 14 + 28 },
	{ "vxlan", 1, 50 + 14 + 20, 50 + 14 + 28 },
	{ "vxlan_8472", 1, 50 + 18 + 40, 50 + 18 + 48 },
	{ "geneve", 1, 58 + 14 + 20, 58 + 14 + 28 },
	{ "ipip", 1, 34 + 20, 34 + 28 },
	{ "sit", 1, 34 + 40, 34 + 48 },
	{ "ip4in6", 1, 54 + 20, 54 + 28 },
	{ "ip6in6", 1, 54 + 40, 54 + 48 },
};

static void header_is_cut_until_its_last_byte_is_there(void **state)
{
	const struct packet_net *n;
	const struct made_packet *m;
	struct packet p;
	u8 *bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		m = made_packet(from[i].name);
		for (u32 len = 14; len <= made_len(m); len++) {
			bytes = made_bytes(m->hex, len);
			packet_parse_bytes(&p, bytes, len, 0);
			free(bytes);
			n = &p.net[from[i].net];
			if (len >= from[i].l4_from)
				assert_int_equal(n->l4, PART_OK);
			else if (len >= from[i].net_from)
				assert_int_equal(n->l4, PART_CUT);
			if (len >= from[i].net_from)
				assert_int_equal(n->part, PART_OK);
			else if (n->part)
				assert_int_equal(n->part, PART_CUT);
		}
	}
}

static void arp_and_link_are_cut_until_they_are_whole(void **state)
{
	const struct made_packet *m = made_packet("arp_request");
	struct packet p;
	u8 *bytes;

	(void)state;
	for (u32 len = 0; len <= made_len(m); len++) {
		bytes = made_bytes(m->hex, len);
		assert_int_equal(packet_parse_bytes(&p, bytes, len, 0), len >= 14);
		free(bytes);
		assert_int_equal(p.link, len >= 14 ? PART_OK : PART_CUT);
		assert_int_equal(p.arp, len >= 42 ? PART_OK : len >= 14 ? PART_CUT : PART_NONE);
	}
}

/* -- windows -------------------------------------------------------------------------------------- */

/* A frame at head + HEADROOM, and a window from BEFORE bytes before data on; 0xee around it. */
static u8 *window_of(struct skb_window *w, const char *name, u32 data_at, u8 at)
{
	const struct made_packet *m = made_packet(name);
	u32 len = made_len(m);
	u8 *frame = made_bytes(m->hex, len), *bytes;

	memset(w, 0, sizeof(*w));
	w->len_bytes = BEFORE + 192;
	bytes = malloc(w->len_bytes);
	memset(bytes, 0xee, w->len_bytes);
	for (u32 i = 0; i < len; i++) {
		if (BEFORE + i >= data_at && BEFORE + i - data_at < w->len_bytes)
			bytes[BEFORE + i - data_at] = frame[i];
	}
	w->bytes = bytes;
	w->before = BEFORE;
	w->head = HEAD;
	w->data = HEAD + HEADROOM + data_at;
	w->mac = HEADROOM;
	w->network = HEADROOM + 14;
	w->transport = HEADROOM + 34;
	w->protocol = (u16)(frame[12] << 8 | frame[13]);
	w->skb_len = len - data_at;
	w->at = at;
	free(frame);
	return bytes;
}

static void assert_window_is(const struct skb_window *w, const char *name)
{
	struct packet want, p;

	assert_true(parse_made(&want, name));
	memset(&p, 0xa5, sizeof(p));
	assert_true(packet_parse(&p, w));
	assert_memory_equal(&p, &want, sizeof(p));
}

/* The skb's own tag, which is outside of those in the bytes. */
static void a_tag_beside_the_bytes_is_the_outermost(void **state)
{
	struct skb_window w;
	struct packet p;
	u8 *bytes;

	(void)state;
	bytes = window_of(&w, "ping", 0, AT_LINK);
	w.tag = 0x600a;
	w.tagged = true;
	assert_true(packet_parse(&p, &w));
	assert_int_equal(p.nr_vlans, 0); /* stale: nobody said that it is known */
	w.tag_known = true;
	assert_true(packet_parse(&p, &w));
	assert_true(p.vlans_known);
	assert_int_equal(p.nr_vlans, 1);
	assert_int_equal(p.vlan[0], 0x600a);
	assert_int_equal(p.ethertype, 0x0800);
	w.tagged = false;
	assert_true(packet_parse(&p, &w));
	assert_true(p.vlans_known);
	assert_int_equal(p.nr_vlans, 0);
	free(bytes);
	bytes = window_of(&w, "vlan", 0, AT_LINK);
	w.network += 4;
	w.tag = 100;
	w.tagged = w.tag_known = true;
	assert_true(packet_parse(&p, &w));
	assert_int_equal(p.nr_vlans, 2);
	assert_int_equal(p.vlan[0], 100);
	assert_int_equal(p.vlan[1], 0x6007);
	free(bytes);
	/* of three the innermost is left out */
	bytes = window_of(&w, "qinq", 0, AT_LINK);
	w.network += 8;
	w.tag = 7;
	w.tagged = w.tag_known = true;
	assert_true(packet_parse(&p, &w));
	assert_int_equal(p.nr_vlans, PACKET_VLANS);
	assert_int_equal(p.vlan[0], 7);
	assert_int_equal(p.vlan[1], 100);
	free(bytes);
}

/* Where there is no link header there are no tags but the skb's own; one that is out of sight may have some. */
static void tags_are_known_without_a_link_header_when_the_skb_tells(void **state)
{
	struct skb_window w;
	struct packet p;
	u8 *bytes;

	(void)state;
	bytes = window_of(&w, "ping", 14, AT_NETWORK);
	w.mac = 0xffff;
	assert_true(packet_parse(&p, &w));
	assert_int_equal(p.link, PART_NONE);
	assert_false(p.vlans_known);
	w.tag_known = true;
	assert_true(packet_parse(&p, &w));
	assert_true(p.vlans_known);
	assert_int_equal(p.nr_vlans, 0);
	w.tagged = true;
	w.tag = 10;
	assert_true(packet_parse(&p, &w));
	assert_true(p.vlans_known);
	assert_int_equal(p.vlan[0], 10);
	free(bytes);
	/* the window ends within the link header */
	bytes = window_of(&w, "ping", 0, AT_LINK);
	w.network = 0xffff;
	w.len_bytes = w.before + 10;
	w.tag_known = true;
	packet_parse(&p, &w);
	assert_int_equal(p.link, PART_CUT);
	assert_false(p.vlans_known);
	free(bytes);
}

static void docker_ping_is_the_same_at_every_place(void **state)
{
	static const struct {
		u32 data_at;
		u8 at;
		s32 net;
	} rows[] = {
		{ 0, AT_LINK, 64 + 14 },    { 14, AT_NETWORK, 64 }, { 34, AT_TRANSPORT, 64 - 20 },
		{ 0, AT_UNKNOWN, 64 + 14 }, { 14, AT_UNKNOWN, 64 }, { 34, AT_UNKNOWN, 64 - 20 },
	};
	struct skb_window w;
	u8 *bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bytes = window_of(&w, "ping", rows[i].data_at, rows[i].at);
		assert_window_is(&w, "ping");
		assert_int_equal(packet_net_offset(&w), rows[i].net);
		assert_int_equal(packet_link_offset(&w), rows[i].net - 14);
		free(bytes);
		bytes = window_of(&w, "vxlan", rows[i].data_at, rows[i].at);
		assert_window_is(&w, "vxlan");
		free(bytes);
		bytes = window_of(&w, "ping6", rows[i].data_at, rows[i].at);
		assert_window_is(&w, "ping6");
		free(bytes);
	}
}

static void packet_before_the_link_layer_has_no_link_header(void **state)
{
	struct skb_window w;
	struct packet p;
	u8 *bytes = window_of(&w, "tcp_syn", 14, AT_NETWORK);

	(void)state;
	w.mac = 0xffff;
	assert_true(packet_parse(&p, &w));
	assert_int_equal(p.link, PART_NONE);
	assert_int_equal(p.ethertype, 0x0800);
	assert_int_equal(p.net[0].dport, 80);
	assert_int_equal(packet_link_offset(&w), -1);
	/* Neither is what a stale mac offset points at. */
	for (w.mac = 0; w.mac < 400; w.mac++) {
		packet_parse(&p, &w);
		assert_int_equal(p.link, w.mac == HEADROOM ? PART_OK : PART_NONE);
		assert_int_equal(p.net[0].dport, 80);
	}
	free(bytes);
}

static void unset_network_offset_is_replaced_by_the_place(void **state)
{
	static const u16 unset[] = { 0, 0xffff };
	struct skb_window w;
	struct packet p;
	u8 *bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unset); i++) {
		bytes = window_of(&w, "ping", 14, AT_NETWORK); /* as at napi_gro_receive */
		w.network = unset[i];
		assert_window_is(&w, "ping");
		w.at = AT_UNKNOWN;
		assert_false(packet_parse(&p, &w));
		assert_int_equal(p.nr_nets, 0);
		assert_int_equal(packet_net_offset(&w), -1);
		free(bytes);
		bytes = window_of(&w, "ping", 0, AT_LINK);
		w.network = unset[i];
		assert_window_is(&w, "ping");
		free(bytes);
	}
}

static void place_and_offset_agree_before_there_is_a_link_header(void **state)
{
	struct skb_window w;
	struct packet p;
	u8 *bytes = window_of(&w, "ping", 14, AT_NETWORK);

	(void)state;
	w.mac = 0xffff;
	w.network = 0;
	assert_true(packet_parse(&p, &w));
	assert_int_equal(packet_net_offset(&w), BEFORE);
	assert_int_equal(p.net[0].icmp_id, 205);
	free(bytes);
	/* On a device's egress hook data is the link header, whatever byte that begins with. */
	bytes = window_of(&w, "ping", 0, AT_NETWORK);
	bytes[BEFORE] = 0x46;
	assert_int_equal(packet_net_offset(&w), BEFORE + 14);
	assert_int_equal(packet_link_offset(&w), BEFORE);
	free(bytes);
}

static void stale_network_offset_loses_against_a_fresh_mac_offset(void **state)
{
	struct skb_window w;
	u8 *bytes = window_of(&w, "ping", 14, AT_NETWORK);

	(void)state;
	bytes[8] = 0x45; /* what another life left behind looks like a header */
	w.network = (u16)(HEADROOM + 14 - BEFORE + 8);
	assert_window_is(&w, "ping");
	free(bytes);
	/* An offset to something that is no header does not count anywhere. */
	bytes = window_of(&w, "ping", 0, AT_LINK);
	w.network = HEADROOM + 100;
	assert_window_is(&w, "ping");
	free(bytes);
}

static void device_without_link_header_has_none(void **state)
{
	struct skb_window w;
	struct packet p;
	u8 *bytes = window_of(&w, "ping", 14, AT_LINK); /* as at net_dev_queue of a tun device */

	(void)state;
	assert_true(packet_parse(&p, &w));
	assert_int_equal(p.link, PART_NONE);
	assert_int_equal(p.net[0].icmp_id, 205);
	free(bytes);
}

static void tag_in_the_bytes_is_read_when_received(void **state)
{
	struct skb_window w;
	struct packet p;
	u8 *bytes = window_of(&w, "vlan", 14, AT_NETWORK); /* data is at the tag */

	(void)state;
	for (u32 network = 0; network < 300; network++) {
		w.network = (u16)network;
		assert_window_is(&w, "vlan");
	}
	w.mac = 0xffff;
	assert_true(packet_parse(&p, &w));
	assert_int_equal(p.link, PART_NONE);
	assert_int_equal(p.nr_vlans, 1);
	assert_int_equal(p.net[0].icmp_id, 205);
	free(bytes);
}

static void header_out_of_the_window_is_cut(void **state)
{
	struct skb_window w;
	struct packet p;
	u8 *bytes = window_of(&w, "ping", 98, AT_UNKNOWN);

	(void)state;
	w.skb_len = 0;
	/* 98 bytes on, the header at 14 is 20 bytes before the window. */
	assert_false(packet_parse(&p, &w));
	assert_int_equal(p.nr_nets, 1);
	assert_int_equal(p.net[0].version, 4);
	assert_int_equal(p.net[0].part, PART_CUT);
	assert_int_equal(packet_net_offset(&w), -1);
	free(bytes);
}

static void what_lies_behind_the_skb_is_not_read(void **state)
{
	struct packet cut, behind;
	struct skb_window w;
	u8 *bytes, *exact;
	u32 full;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(made_packets); i++) {
		for (u32 data_at = 0; data_at <= 34; data_at += data_at ? 20 : 14) {
			bytes = window_of(&w, made_packets[i].name, data_at,
					  data_at == 0	? AT_LINK :
					  data_at == 14 ? AT_NETWORK :
							  AT_TRANSPORT);
			full = w.len_bytes;
			for (u32 len = 1; BEFORE + len < full; len++) {
				w.bytes = bytes;
				w.len_bytes = full;
				w.skb_len = len;
				packet_parse(&behind, &w);
				exact = malloc(BEFORE + len);
				memcpy(exact, bytes, BEFORE + len);
				w.bytes = exact;
				w.len_bytes = BEFORE + len;
				packet_parse(&cut, &w);
				assert_memory_equal(&cut, &behind, sizeof(cut));
				free(exact);
			}
			free(bytes);
		}
	}
}

static void length_that_16_bits_do_not_hold_is_the_skbs(void **state)
{
	struct skb_window w;
	struct packet p;
	u8 *bytes = window_of(&w, "tcp_data", 14, AT_NETWORK);

	(void)state;
	w.skb_len = 180000;
	bytes[BEFORE + 2] = bytes[BEFORE + 3] = 0;
	assert_true(packet_parse(&p, &w));
	assert_int_equal(p.net[0].total_bytes, 180000);
	assert_int_equal(p.net[0].l4, PART_OK);
	free(bytes);
	bytes = window_of(&w, "tcp6_syn", 14, AT_NETWORK);
	w.skb_len = 180000;
	bytes[BEFORE + 4] = bytes[BEFORE + 5] = 0;
	assert_true(packet_parse(&p, &w));
	assert_int_equal(p.net[0].total_bytes, 180000);
	assert_int_equal(p.net[0].l4, PART_OK);
	free(bytes);
	bytes = window_of(&w, "extensions6", 14, AT_NETWORK);
	bytes[BEFORE + 4] = bytes[BEFORE + 5] = 0;
	memcpy(bytes + BEFORE + 42, "\xc2\x04\0\x01\x11\x70", 6); /* 70000 */
	assert_true(packet_parse(&p, &w));
	assert_int_equal(p.net[0].total_bytes, 70040);
	assert_int_equal(p.net[0].dport, 9);
	free(bytes);
}

static void header_that_has_no_length_yet_takes_the_skbs(void **state)
{
	struct skb_window w;
	struct packet p;
	u8 *bytes = window_of(&w, "tcp_data", 14, AT_NETWORK_NEW);

	(void)state;
	w.protocol = 0; /* nor that */
	w.mac = 0xffff;
	bytes[BEFORE + 2] = 0;
	bytes[BEFORE + 3] = 3;
	assert_true(packet_parse(&p, &w));
	assert_int_equal(p.net[0].part, PART_OK);
	assert_int_equal(p.net[0].total_bytes, 46);
	assert_int_equal(p.net[0].tcp_seq, 124);
	free(bytes);
}

static void nonsense_about_a_window_is_survived(void **state)
{
	static const u64 heads[] = { 0, HEAD, HEAD + 500, UINT64_MAX };
	static const u16 offsets[] = { 0, 1, 128, 142, 0x7fff, 0xfffe, 0xffff };
	struct skb_window w;
	struct packet p;
	u8 *bytes = window_of(&w, "ping", 14, AT_NETWORK);
	u32 befores[] = { 0, BEFORE, w.len_bytes, w.len_bytes + 1, UINT32_MAX };

	(void)state;
	for (unsigned int i = 0; i < 4 * 4 * 7 * 7 * 5 * 5; i++) {
		w.head = heads[i % 4];
		w.data = heads[i / 4 % 4];
		w.network = offsets[i / 16 % 7];
		w.mac = offsets[i / 112 % 7];
		w.before = befores[i / 784 % 5];
		w.at = (u8)(i / 3920);
		packet_parse(&p, &w);
		assert_in_range(packet_net_offset(&w) + 1, 0, w.len_bytes);
		assert_in_range(packet_link_offset(&w) + 1, 0, w.len_bytes);
	}
	free(bytes);
	memset(&w, 0, sizeof(w));
	assert_false(packet_parse(&p, &w));
	w.at = AT_NETWORK;
	w.protocol = 0x0800;
	w.before = 64;
	assert_false(packet_parse(&p, &w));
	assert_int_equal(p.net[0].part, PART_CUT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ping_is_read_to_its_id),
		cmocka_unit_test(tcp_and_udp_have_ports_and_lengths),
		cmocka_unit_test(fragments_after_the_first_have_no_ports),
		cmocka_unit_test(extension_headers_are_passed_over),
		cmocka_unit_test(tags_arp_and_neighbours_are_read),
		cmocka_unit_test(error_quotes_its_cause),
		cmocka_unit_test(tunnels_are_entered),
		cmocka_unit_test(headers_that_contradict_themselves_are_bad),
		cmocka_unit_test(only_errors_quote_and_only_queries_have_ids),
		cmocka_unit_test(lengths_at_the_edge_are_right),
		cmocka_unit_test(every_prefix_of_every_packet_is_read_in_bounds),
		cmocka_unit_test(network_headers_alone_are_read_as_those_in_frames),
		cmocka_unit_test(a_tag_beside_the_bytes_is_the_outermost),
		cmocka_unit_test(tags_are_known_without_a_link_header_when_the_skb_tells),
		cmocka_unit_test(header_is_cut_until_its_last_byte_is_there),
		cmocka_unit_test(arp_and_link_are_cut_until_they_are_whole),
		cmocka_unit_test(docker_ping_is_the_same_at_every_place),
		cmocka_unit_test(packet_before_the_link_layer_has_no_link_header),
		cmocka_unit_test(unset_network_offset_is_replaced_by_the_place),
		cmocka_unit_test(place_and_offset_agree_before_there_is_a_link_header),
		cmocka_unit_test(stale_network_offset_loses_against_a_fresh_mac_offset),
		cmocka_unit_test(device_without_link_header_has_none),
		cmocka_unit_test(tag_in_the_bytes_is_read_when_received),
		cmocka_unit_test(header_out_of_the_window_is_cut),
		cmocka_unit_test(what_lies_behind_the_skb_is_not_read),
		cmocka_unit_test(length_that_16_bits_do_not_hold_is_the_skbs),
		cmocka_unit_test(header_that_has_no_length_yet_takes_the_skbs),
		cmocka_unit_test(nonsense_about_a_window_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
