/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses and ports that a tracepoint of the kernel tells of the skb it names: all that is known of a
 * packet where no probe and no tap reads its headers.
 *
 *	tcp:tcp_probe    a received segment, in tcp_rcv_established(): the connection's own addresses, so the
 *	                 packet's the other way round (include/trace/events/tcp.h; names its skb in newer kernels)
 *	icmp:icmp_send   an IPv4 packet that an ICMP error is sent about: UDP only (include/trace/events/icmp.h)
 *
 * tcp_retransmit_skb is not among them: it names the skb that is kept, and what is sent is a clone of it.
 */
#ifndef SKBTRAIL_DECODE_TOLD_H
#define SKBTRAIL_DECODE_TOLD_H

#include "decode/schema.h"

struct format;

/** told_find - fill in type->told when all fields that are needed are there; else it stays TOLD_NOT */
void told_find(struct event_type *type, const struct format *f, const char *system);

/* told_decode(), which reads them, is declared in schema.h: its hot path calls it. */

#endif
