/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Headers of packets, as sockets see them. For flowlat.c and flowpkts.c.
 */
#ifndef SKBTRAIL_ANALYSIS_FLOWS_PACKET_H
#define SKBTRAIL_ANALYSIS_FLOWS_PACKET_H

#include <netinet/in.h>

#include "base/sockaddrs.h"
#include "decode/packet.h"

static inline bool is_udp(u16 proto)
{
	return proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE;
}

/** flows_packet_addr - an address of @net as a socket's */
static inline void flows_packet_addr(u8 *to, const struct packet_net *net, const u8 *from)
{
	if (net->version == 4)
		sock_addr_map(to, from);
	else
		memcpy(to, from, 16);
}

/** flows_packet_payload - bytes behind a TCP or UDP header that was read; of a first fragment those of the whole datagram */
static inline u32 flows_packet_payload(const struct packet_net *net)
{
	u32 headers = (u32)net->header_bytes + net->l4_bytes;

	/* UDP-Lite has its checksum's coverage there */
	if (net->proto == IPPROTO_UDP && net->udp_bytes)
		return net->udp_bytes > 8 ? net->udp_bytes - 8U : 0;
	return net->total_bytes > headers ? net->total_bytes - headers : 0;
}

#endif
