/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few rtnetlink orders the demo's network is made of.
 *
 * Each speaks to the netns its socket was opened in, and on failure says in words what could not
 * be done and which part of the kernel may be missing.
 */
#ifndef SKBTRAIL_CAPTURE_DEMONET_LINK_H
#define SKBTRAIL_CAPTURE_DEMONET_LINK_H

#include "base/error.h"
#include "base/types.h"

struct nl_sock;

#define DEMONET_MAC_SIZE 6

struct demonet_address {
	int family;
	const char *text;
	u8 prefix_bits;
};

/** demonet_add_bridge - make a bridge that forwards at once and sends nothing of its own */
int demonet_add_bridge(struct nl_sock *sock, const char *name, const u8 *mac, struct error *err);

/** demonet_add_veth - make a pair, one end here and the other in the netns @peer_fd */
int demonet_add_veth(struct nl_sock *sock, const char *name, const u8 *mac, const char *peer,
		     const u8 *peer_mac, int peer_fd, struct error *err);

/** demonet_set_up - set a device up, before that a port of the device @master unless NULL */
int demonet_set_up(struct nl_sock *sock, const char *name, const char *master, struct error *err);

/** demonet_add_address - give a device an address, usable at once (no duplicate detection) */
int demonet_add_address(struct nl_sock *sock, const char *name,
			const struct demonet_address *address, struct error *err);

/**
 * demonet_is_ready - whether packets can pass a device
 *
 * Return: 1 when it is operationally up and, as a bridge's port, forwarding; 0 not yet; -errno.
 */
int demonet_is_ready(struct nl_sock *sock, const char *name, struct error *err);

#endif
