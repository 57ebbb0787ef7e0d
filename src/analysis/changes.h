/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is different between two looks at the same packet.
 */
#ifndef SKBTRAIL_ANALYSIS_CHANGES_H
#define SKBTRAIL_ANALYSIS_CHANGES_H

#include "decode/packet.h"

/* Bits of packet_changes(). */
enum {
	CHANGE_SOURCE = 1 << 0,	     /* source address or port: SNAT */
	CHANGE_DESTINATION = 1 << 1, /* destination address or port: DNAT */
	CHANGE_ENCAP = 1 << 2,	     /* a header was put around it */
	CHANGE_DECAP = 1 << 3,	     /* a header was taken off */
	CHANGE_VLAN = 1 << 4,	     /* its tags: their number, or the outermost's VLAN */
	CHANGE_FRAGMENT = 1 << 5,    /* it became a fragment, or is none any more */
	CHANGE_OTHER = 1 << 6,	     /* anything else: it is not recognisably the same */
	CHANGE_KINDS = 7,
};

/**
 * packet_changes - compare
 *
 * Hop limits, lengths and checksums do not count; what one of the two does not tell does not either.
 *
 * Return: CHANGE_* bits, 0 for the same packet.
 */
u32 packet_changes(const struct packet *before, const struct packet *after);

/**
 * packet_may_be_same - whether two looks can be at one packet, whatever NAT and tunnels did to it
 *
 * For where the two were not made at the same skb for sure. NAT leaves alone what the sender numbers: the
 * IPv4 id, TCP's sequence number, that of an echo.
 */
bool packet_may_be_same(const struct packet *before, const struct packet *after);

/** packet_same_header - whether network and transport header are those of the same packet */
bool packet_same_header(const struct packet_net *a, const struct packet_net *b);

/** change_name - "snat" of one CHANGE_* bit */
const char *change_name(u32 bit);

#endif
