/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ends of a socket, as the kernel's inventory and its records both tell them.
 */
#ifndef SKBTRAIL_BASE_SOCKADDRS_H
#define SKBTRAIL_BASE_SOCKADDRS_H

#include <string.h>

#include "base/types.h"

/*
 * IPv4 addresses are ::ffff:a.b.c.d, whatever the socket's family: an IPv6 socket may have such ones of its
 * own. Any, or not known: all 0, or ::ffff:0.0.0.0. Ports in host order, 0: any, or not known.
 */
struct sock_addrs {
	u8 local[16], remote[16];
	u16 lport, rport;
	u16 proto; /* IPPROTO_*, which may be above 255 (MPTCP) */
	u8 family; /* of the socket: 4 or 6; 0 not known */
	u8 unused;
};

static inline bool sock_addr_is_mapped(const u8 *addr)
{
	static const u8 prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr, prefix, sizeof(prefix));
}

/** sock_addr_is_any - no address, or none that is known */
static inline bool sock_addr_is_any(const u8 *addr)
{
	static const u8 zero[16];

	return !memcmp(addr, zero, 16) ||
	       (sock_addr_is_mapped(addr) && !memcmp(addr + 12, zero, 4));
}

static inline void sock_addr_map(u8 *addr, const void *ipv4)
{
	memset(addr, 0, 10);
	addr[10] = addr[11] = 0xff;
	memcpy(addr + 12, ipv4, 4);
}

#endif
