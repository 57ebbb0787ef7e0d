/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The demo's network: two private network namespaces joined the way a container is.
 *
 *	demo-host                                demo-web
 *	  br0  10.0.2.1/24  fd00:2::1/64           eth0  10.0.2.2/24  fd00:2::2/64
 *	   └─ veth1 ═══════════════════════════════════┘
 *
 * In:  nothing. Out: the two netns as file descriptors, their devices up and forwarding.
 *
 * Both netns have no name, no file and no process: only this process's descriptors hold them, so
 * the kernel removes them and all that is in them when the process ends, however it ends. The
 * machine's own network is never touched; the kernel may load its bridge and veth modules.
 */
#ifndef SKBTRAIL_CAPTURE_DEMONET_H
#define SKBTRAIL_CAPTURE_DEMONET_H

#include "base/error.h"
#include "base/types.h"
#include "kernel/netns.h"

#define DEMONET_HOST_NAME "demo-host"
#define DEMONET_WEB_NAME "demo-web"
#define DEMONET_HOST_IPV4 "10.0.2.1"
#define DEMONET_WEB_IPV4 "10.0.2.2"
#define DEMONET_HOST_IPV6 "fd00:2::1"
#define DEMONET_WEB_IPV6 "fd00:2::2"

enum { DEMONET_HOST, DEMONET_WEB, DEMONET_NR };

struct demonet {
	struct netns_held netns[DEMONET_NR]; /* for netns_snapshot_take_with() */
	u64 inum[DEMONET_NR];
	char port[IFNAMSIZ]; /* "veth1", or the next number that no device has */
	bool ipv6;	     /* IPv6 addresses are there */
	char no_ipv6[256];   /* why not, one line; "" when ipv6 */
};

/**
 * demonet_create - build the network and wait until packets can pass
 * @out: the network, to be given to demonet_destroy()
 *
 * Needs CAP_SYS_ADMIN and CAP_NET_ADMIN. A kernel without IPv6 is no error, see ->ipv6. Takes
 * some 5 to 30 ms; about 1 s on older kernels (6.1) and while other netns are being removed. Gives
 * up with -ETIMEDOUT when a device is not up after 3 s.
 *
 * Return: 0 or -errno; on failure nothing is left, and @err names the device kind, address or
 * file that the kernel refused.
 */
int demonet_create(struct demonet **out, struct error *err);

/**
 * demonet_warm_up - one ping per family, so that neighbours are known before tracing starts
 *
 * Afterwards the network is silent: neighbours stay known for some 15 s at least, and what IPv6
 * says when a device comes up has been said.
 *
 * Return: 0, -ETIMEDOUT when no reply came within 3 s, or -errno.
 */
int demonet_warm_up(const struct demonet *net, struct error *err);

/** demonet_destroy - let go of both netns; the kernel removes them; NULL is allowed */
void demonet_destroy(struct demonet *net);

#endif
