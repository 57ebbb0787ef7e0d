/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private network of calibration, and the packets that are sent there.
 *
 * In:  a thread of its own, which is moved to new network namespaces.
 * Out: packets of which all is known, one at a time.
 *
 * Nothing of the machine's network is touched. Devices, sockets and netfilter's chains go with the
 * namespaces, and these with the thread and the sockets, also when the process is killed. A kernel module is
 * loaded for the dummy device at most; netfilter is used only where it is there already.
 */
#ifndef SKBTRAIL_KERNEL_CALIBRATE_NET_H
#define SKBTRAIL_KERNEL_CALIBRATE_NET_H

#include "kernel/calibrate_solve.h"

struct calnet;

struct calnet_has {
	bool nft;	   /* nf_tables */
	bool frames;	   /* frames with VLAN tags are wanted */
	const char *xt[4]; /* iptables' tables that are there: "filter" */
	size_t nr_xt;
};

/**
 * calnet_open - make the namespaces, devices, sockets and chains, and tell @cal of them
 *
 * To be called on a thread that ends afterwards (netns_call()).
 */
int calnet_open(struct calnet **out, struct cal *cal, const struct calnet_has *has,
		struct error *err);
void calnet_close(struct calnet *net);

/**
 * calnet_begin - a new round
 * @mark: the lowest 8 bits are counted up: the packets' marks are from there to @mark + 255
 * @frames: also those that show VLAN tags
 */
void calnet_begin(struct calnet *net, u32 mark, bool frames);

/**
 * calnet_send - send the next packet of the round
 * @wait_rx: set when CAL_RX has to be waited for
 *
 * It was added to the solver before. What comes back over a loopback device has arrived when this
 * returns, if it does at all.
 *
 * Return: 1; 0 when the round is over; -errno.
 */
int calnet_send(struct calnet *net, bool *wait_rx, struct error *err);

#endif
