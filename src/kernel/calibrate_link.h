/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink orders that calibration's private network is made of: devices, addresses, netfilter's chains.
 *
 * Each speaks to the netns of the calling thread.
 */
#ifndef SKBTRAIL_KERNEL_CALIBRATE_LINK_H
#define SKBTRAIL_KERNEL_CALIBRATE_LINK_H

#include "base/error.h"
#include "base/types.h"

struct nl_sock;

struct calnet_chain {
	char name[32];
	u8 hook; /* NF_INET_* */
};

/** calnet_add_dummy - a dummy device of that number, up */
int calnet_add_dummy(struct nl_sock *nl, const char *name, u32 ifindex, struct error *err);
/** calnet_add_address - @address in network order, usable at once */
int calnet_add_address(struct nl_sock *nl, u32 ifindex, int family, const void *address,
		       u8 prefix_bits, struct error *err);

/**
 * calnet_add_chains - an nft table with base chains that accept everything, before all others
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Return: 0 or -errno; then there is none of them.
 */
int calnet_add_chains(u8 family, const char *table, const struct calnet_chain *chains, size_t nr);

/** calnet_use_xt_table - have iptables' table in this netns; Return: 0 or -errno */
int calnet_use_xt_table(const char *name);

#endif
