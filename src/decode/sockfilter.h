/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcap-filter(7) expressions on sockets.
 *
 * In:  an expression, compiled once by libpcap; then the two ends of sockets.
 * Out: whether it holds for a packet that the socket would send, or for one that it would receive.
 *
 * Of such packets only protocol, addresses and ports are known. An expression that asks for anything else is
 * refused, so that what is shown is never a guess.
 */
#ifndef SKBTRAIL_DECODE_SOCKFILTER_H
#define SKBTRAIL_DECODE_SOCKFILTER_H

#include "base/error.h"
#include "base/sockaddrs.h"

struct sockfilter;

/**
 * sockfilter_compile - prepare an expression
 * @expr: as for tcpdump; "" holds for every socket. Not a stranger's: see pktfilter_compile()
 *
 * Return: 0, -EINVAL, -ENOMEM. To be freed with sockfilter_free().
 */
int sockfilter_compile(struct sockfilter **out, const char *expr, struct error *err);
void sockfilter_free(struct sockfilter *f);

/**
 * sockfilter_match - whether the expression holds for a socket, in either direction
 *
 * An IPv6 socket with mapped addresses sends IPv4. An address that is any, or not known, is 0.0.0.0 or ::.
 */
bool sockfilter_match(const struct sockfilter *f, const struct sock_addrs *addrs);

#endif
