/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct packet -> words like tcpdump's.
 *
 * In:  what packet.h read.
 * Out: one line of ASCII without control characters, whatever the packet holds. Depends on base/
 *      headers and packet.h only: plugins/ compiles it too.
 */
#ifndef SKBTRAIL_DECODE_PACKET_TEXT_H
#define SKBTRAIL_DECODE_PACKET_TEXT_H

#include "base/strbuf.h"
#include "decode/packet.h"

/** packet_put_addr - "10.0.2.1" or "fd00::1"; @version: 4 or 6, "?" for any other */
void packet_put_addr(struct strbuf *sb, const u8 *addr, u8 version);

/** packet_put_mac - "02:00:00:00:00:01" */
void packet_put_mac(struct strbuf *sb, const u8 *mac);

/**
 * packet_put_endpoint - "10.0.2.1:5000", "[fd00::1]:5000", or only the address when @n has no ports
 * @dst: the destination's, else the source's
 */
void packet_put_endpoint(struct strbuf *sb, const struct packet_net *n, bool dst);

/** packet_has_ports - whether ->sport and ->dport of @n were read */
bool packet_has_ports(const struct packet_net *n);

/** packet_proto_name - "TCP", "ICMPv6", ...; NULL when @proto (IPPROTO_*) has no name here */
const char *packet_proto_name(u8 proto);

/**
 * packet_icmp_name - "echo request", "port unreachable", ...
 * @version: 4 for ICMP, 6 for ICMPv6
 *
 * Return: NULL when the type has no name here; a code without one has its type's.
 */
const char *packet_icmp_name(u8 version, u8 type, u8 code);

/** packet_put_tcp_flags - tcpdump's letters: "S", "S.", "P.", "." for ACK alone, "none" */
void packet_put_tcp_flags(struct strbuf *sb, u8 flags);

/** packet_tunnel_name - "VXLAN", ...; "" for none. @tunnel: enum packet_tunnel */
const char *packet_tunnel_name(u8 tunnel);

/** packet_describe - the whole packet in one line, without a newline */
void packet_describe(struct strbuf *sb, const struct packet *p);

#endif
