// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * struct packet -> JSON. The outermost network header is the tuple; what it carries is in "tunnel".
 */
#include "render/json_packet.h"

#include <netinet/in.h>

#include "base/strbuf.h"
#include "decode/packet_text.h"
#include "render/json_util.h"
#include "render/render.h"

static void add_address(struct json_object *obj, const char *key, const u8 *address, u8 version)
{
	struct strbuf sb = STRBUF_INIT;

	packet_put_addr(&sb, address, version);
	json_add_built(obj, key, &sb);
}

static void add_proto(struct json_object *obj, u8 proto)
{
	const char *name = packet_proto_name(proto);
	struct strbuf sb = STRBUF_INIT;

	if (name)
		strbuf_puts(&sb, name);
	else
		strbuf_put_u64(&sb, proto);
	json_add_built(obj, "proto", &sb);
}

static void add_fragment(struct json_object *tuple, const struct packet_net *net)
{
	struct json_object *fragment;

	if (!net->frag_offset && !net->more_fragments)
		return;
	fragment = json_object_new_object();
	json_add_u64(fragment, "offset", net->frag_offset);
	json_object_object_add(fragment, "more", json_object_new_boolean(net->more_fragments));
	json_object_object_add(tuple, "fragment", fragment);
}

static void add_tuple(struct json_object *obj, const struct packet_net *net)
{
	struct json_object *tuple = json_object_new_object();

	json_add_u64(tuple, "version", net->version);
	add_address(tuple, "src", net->src, net->version);
	add_address(tuple, "dst", net->dst, net->version);
	add_proto(tuple, net->proto);
	if (packet_has_ports(net)) {
		json_add_u64(tuple, "sport", net->sport);
		json_add_u64(tuple, "dport", net->dport);
	}
	if (!net->only_tuple)
		json_add_u64(tuple, "ttl", net->ttl);
	if (net->has_id)
		json_add_u64(tuple, "id", net->id);
	if (net->total_bytes)
		json_add_u64(tuple, "len", net->total_bytes);
	add_fragment(tuple, net);
	if (net->l4 == PART_CUT)
		json_object_object_add(tuple, "transport", json_object_new_string("not_in_window"));
	else if (net->l4 == PART_BAD)
		json_object_object_add(tuple, "transport", json_object_new_string("malformed"));
	json_object_object_add(obj, "tuple", tuple);
}

static void add_icmp(struct json_object *obj, const struct packet_net *net)
{
	struct json_object *icmp = json_object_new_object();

	json_add_u64(icmp, "type", net->icmp_type);
	json_add_u64(icmp, "code", net->icmp_code);
	if (net->icmp_has_id) {
		json_add_u64(icmp, "id", net->icmp_id);
		json_add_u64(icmp, "seq", net->icmp_seq);
	}
	if (net->icmp_mtu)
		json_add_u64(icmp, "mtu", net->icmp_mtu);
	json_object_object_add(obj, "icmp", icmp);
}

static void add_tcp(struct json_object *obj, const struct packet_net *net)
{
	struct json_object *tcp = json_object_new_object();
	struct strbuf flags = STRBUF_INIT;

	packet_put_tcp_flags(&flags, net->tcp_flags);
	json_add_built(tcp, "flags", &flags);
	json_add_u64(tcp, "seq", net->tcp_seq);
	json_add_u64(tcp, "ack", net->tcp_ack);
	json_add_u64(tcp, "window", net->tcp_window);
	json_object_object_add(obj, "tcp", tcp);
}

static void add_arp(struct json_object *obj, const struct packet *packet)
{
	struct json_object *arp = json_object_new_object();

	if (packet->arp_op == 1 || packet->arp_op == 2)
		json_object_object_add(arp, "op",
				       json_object_new_string(packet->arp_op == 1 ? "request" :
										    "reply"));
	else
		json_add_u64(arp, "op", packet->arp_op);
	add_address(arp, "sender_ip", packet->arp_sip, 4);
	add_address(arp, "target_ip", packet->arp_tip, 4);
	json_object_object_add(obj, "arp", arp);
}

/* A network header, its transport header, and what is inside; @at is below @packet->nr_nets. */
static void add_net(struct json_object *obj, const struct packet *packet, u8 at)
{
	const struct packet_net *net = &packet->net[at];
	struct json_object *tunnel, *inner;

	if (net->part != PART_OK) {
		json_object_object_add(obj, "header",
				       json_object_new_string(net->part == PART_CUT ?
								      "not_in_window" :
								      "malformed"));
		return;
	}
	add_tuple(obj, net);
	if (net->l4 == PART_OK && (net->proto == IPPROTO_ICMP || net->proto == IPPROTO_ICMPV6))
		add_icmp(obj, net);
	if (net->l4 == PART_OK && net->proto == IPPROTO_TCP)
		add_tcp(obj, net);
	if (!net->tunnel)
		return;
	tunnel = json_object_new_object();
	json_object_object_add(tunnel, "kind", json_object_new_string(render_tunnel(net->tunnel)));
	if (net->has_tunnel_id)
		json_add_u64(tunnel, "id", net->tunnel_id);
	inner = json_object_new_object();
	if (at + 1 < packet->nr_nets)
		add_net(inner, packet, (u8)(at + 1));
	else if (packet->arp == PART_OK)
		add_arp(inner, packet);
	if (json_object_object_length(inner))
		json_object_object_add(tunnel, "inner", inner);
	else
		json_object_put(inner);
	json_object_object_add(obj, "tunnel", tunnel);
}

/* An empty array says that the tags which were there are gone. */
static void add_vlans(struct json_object *obj, const struct packet *packet,
		      const struct packet *before)
{
	bool gone = packet->vlans_known && before && before->nr_vlans;
	struct json_object *tags;
	u8 i;

	if (!packet->nr_vlans && !gone)
		return;
	tags = json_object_new_array();
	for (i = 0; i < packet->nr_vlans && i < PACKET_VLANS; i++)
		json_object_array_add(tags, json_object_new_int(packet->vlan[i] & 0xfff));
	json_object_object_add(obj, "vlan", tags);
}

void json_add_packet(struct json_object *obj, const struct packet *packet,
		     const struct packet *before)
{
	if (packet->nr_nets)
		add_net(obj, packet, 0);
	else if (packet->arp == PART_OK)
		add_arp(obj, packet);
	add_vlans(obj, packet, before);
}
