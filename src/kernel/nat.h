/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether any network namespace of this machine translates addresses.
 *
 * In:  chains of nftables and tables of the old iptables, in each netns.
 * Out: yes or no. What cannot be looked at counts as yes.
 */
#ifndef SKBTRAIL_KERNEL_NAT_H
#define SKBTRAIL_KERNEL_NAT_H

#include "base/error.h"
#include "base/types.h"

/**
 * nat_in_use - look for chains of type "nat" and for tables of that name, empty or not
 * @nftables: the kernel has nftables; without it asking would load it
 *
 * Not found: NAT without netfilter's tables, as of IPVS, Open vSwitch and tc.
 *
 * Return: 0, or -errno when the network namespaces cannot be listed.
 */
int nat_in_use(bool nftables, bool *used, struct error *err);

#endif
