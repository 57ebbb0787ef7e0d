// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calibration's network namespaces, devices, sockets and chains: see calibrate_net.h.
 *
 * Two namespaces: in one netfilter has nothing but our nft chains (or one iptables table), in the other both. In
 * each a loopback device and dummy devices, whose numbers and names are drawn by lot, as are addresses,
 * ports, lengths, marks and contents: no two packets agree in what is looked for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/calibrate_link.h"
#include "kernel/calibrate_net_priv.h"
#include "kernel/netns_enter.h"
#include "kernel/rtnl.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static void set_options(const struct sender *s)
{
	static const u8 options[OPTION_BYTES] = {
		1, 1, 1, 1, 1, 1, 1, 0
	}; /* nothing, and the end */
	int on = 1;

	if (s->flags & SENDER_NO_CHECK)
		setsockopt(s->fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on));
	if (s->flags & SENDER_OPTIONS)
		setsockopt(s->fd, IPPROTO_IP, IP_OPTIONS, options, sizeof(options));
}

static int add_sender(struct calnet *net, u8 netns, u8 device, unsigned int flags,
		      struct sockaddr_storage from, struct sockaddr_storage to)
{
	struct sender *s = &net->senders[net->nr_senders];
	int ret;

	if (net->nr_senders == SENDERS_MAX)
		return -ENOMEM;
	*s = (struct sender){ .receiver = -1, .flags = flags, .device = device };
	s->fd = socket(from.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	net->nr_senders++;
	if (flags & SENDER_LOOPBACK) {
		s->receiver = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		ret = s->receiver < 0 ? -errno : calnet_bind(s->receiver, &to);
		if (ret)
			return ret;
	}
	set_options(s);
	ret = calnet_bind(s->fd, &from);
	if (!ret && !(flags & SENDER_UNCONNECTED) &&
	    connect(s->fd, (struct sockaddr *)&to, calnet_address_len(&to)))
		ret = -errno;
	s->to = to;
	s->to_len = calnet_address_len(&to);
	if (!ret)
		ret = calnet_add_socket(net, s->fd, netns, flags & SENDER_MULTICAST ? &from : NULL);
	if (ret < 0)
		return ret;
	s->socket = (u8)ret;
	return 0;
}

static struct in6_addr in_net6(u32 net, u32 host)
{
	struct in6_addr a = { .s6_addr = { 0xfd, 0x5b, 0x74, 0, 0, 0, 0, (u8)net } };

	if (host == 1) {
		a.s6_addr[15] = 1;
		return a;
	}
	calnet_draw_bytes(a.s6_addr + 8, 8);
	return a;
}

/* ---- namespaces and devices */

static int add_netns(struct calnet *net, struct error *err)
{
	struct stat st;
	int ret;

	if (unshare(CLONE_NEWNET))
		return error_errno(err, errno, "cannot make a network namespace%s",
				   errno == EPERM  ? " (needs CAP_SYS_ADMIN)" :
				   errno == ENOSPC ? " (see /proc/sys/user/max_net_namespaces)" :
				   errno == EINVAL ? " (does this kernel have CONFIG_NET_NS?)" :
						     "");
	if (stat("/proc/thread-self/ns/net", &st))
		return error_errno(err, errno, "cannot read /proc/thread-self/ns/net");
	ret = cal_add_netns(net->cal, (u32)st.st_ino);
	return ret < 0 ? error_errno(err, -ret, "calibration") : ret;
}

static int add_device(struct calnet *net, struct nl_sock *nl, u8 netns, u32 number,
		      struct error *err)
{
	struct cal_device d = { .netns = netns };
	struct in6_addr a6;
	u32 a4;
	int ret;

	if (!number) {
		d.ifindex = 1;
		memcpy(d.name, "lo", 2);
		ret = rtnl_lo_up(nl, err);
	} else {
		d.ifindex = calnet_draw(100, 30000);
		snprintf(d.name, sizeof(d.name), "cal%x", calnet_draw(0x10000, 0x7fffffff));
		a4 = htonl(calnet_host(number, 1));
		a6 = in_net6(number, 1);
		ret = calnet_add_dummy(nl, d.name, d.ifindex, err);
		if (!ret)
			ret = calnet_add_address(nl, d.ifindex, AF_INET, &a4, 24, err);
		if (!ret && net->v6 && calnet_add_address(nl, d.ifindex, AF_INET6, &a6, 64, NULL))
			net->v6 = false;
	}
	if (ret)
		return ret;
	ret = cal_add_device(net->cal, &d);
	return ret < 0 ? error_errno(err, -ret, "calibration") : ret;
}

/* Senders over a dummy device. */
static int add_dummy_senders(struct calnet *net, u8 netns, u8 device, u32 number)
{
	struct sockaddr_storage from = calnet_address4(calnet_host(number, 1), 0);
	struct sockaddr_storage group = calnet_address4(0xef000000U + calnet_draw(1, 0xfffffe), 0);
	static const unsigned int kinds[] = { 0, SENDER_CORKED | SENDER_NO_CHECK,
					      SENDER_OPTIONS | SENDER_UNCONNECTED,
					      SENDER_MULTICAST };
	struct in6_addr a6 = in_net6(number, 1), b6;
	size_t i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(kinds) && !ret; i++)
		ret = add_sender(net, netns, device, kinds[i],
				 kinds[i] & SENDER_MULTICAST ? group : from,
				 calnet_address4(calnet_host(number, calnet_draw(2, 250)),
						 (u16)calnet_draw(2000, 65000)));
	for (i = 0; i < 2 && !ret && net->v6; i++) {
		b6 = in_net6(number, 0);
		ret = add_sender(net, netns, device, i ? SENDER_CORKED : 0, calnet_address6(&a6, 0),
				 calnet_address6(&b6, (u16)calnet_draw(2000, 65000)));
	}
	return ret;
}

static int add_lo_senders(struct calnet *net, u8 netns, u8 device)
{
	unsigned int flags = SENDER_LOOPBACK;
	int i, ret = 0;

	for (i = 0; i < 2 && !ret; i++, flags |= SENDER_CORKED)
		ret = add_sender(net, netns, device, flags,
				 calnet_address4(calnet_draw_loopback(), 0),
				 calnet_address4(calnet_draw_loopback(), 0));
	return ret;
}

/* Our chains, as the solver has to know them: @family's hooks in the order of a packet. */
static int add_chains(struct calnet *net, u8 family, const u8 *hooks, size_t nr, u8 *first_two,
		      bool *there)
{
	struct calnet_chain chains[4];
	struct cal_chain known = { 0 };
	char table[CAL_NAME_SIZE];
	size_t i;
	int ret;

	snprintf(table, sizeof(table), "skbtrail_t%08x", calnet_draw(0, UINT32_MAX - 1));
	for (i = 0; i < nr; i++) {
		chains[i].hook = hooks[i];
		snprintf(chains[i].name, sizeof(chains[i].name), "skbtrail_c%08x",
			 calnet_draw(0, UINT32_MAX - 1));
	}
	*there = !calnet_add_chains(family, table, chains, nr);
	if (!*there)
		return 0;
	ret = cal_add_table(net->cal, table);
	for (i = 0; i < nr && ret >= 0; i++) {
		if (!i)
			known.table = (u8)ret;
		memcpy(known.name, chains[i].name, sizeof(known.name));
		ret = cal_add_chain(net->cal, &known);
		if (i < 2)
			first_two[i] = (u8)ret;
	}
	return ret < 0 ? ret : 0;
}

static int add_netfilter(struct calnet *net, u8 netns)
{
	size_t i, tables;
	int ret = 0;

	if (net->has.nft) {
		ret = add_chains(net, PF_IPV4, calnet_hooks, 4, net->chains4[netns],
				 &net->nft4[netns]);
		if (!ret && net->v6)
			ret = add_chains(net, PF_IPV6, calnet_hooks, 2, net->chains6[netns],
					 &net->nft6[netns]);
	}
	/* in the first netns one only, and none beside nft */
	tables = netns ? net->has.nr_xt : !net->nft4[netns];
	for (i = 0; i < tables && i < net->has.nr_xt && !ret; i++) {
		if (calnet_use_xt_table(net->has.xt[i]))
			continue;
		net->xt[netns] = true;
		ret = cal_add_xt_table(net->cal, net->has.xt[i]);
		ret = ret < 0 ? ret : 0;
	}
	return ret;
}

/* What sends and receives whole frames, in the first netns. */
static int open_frames(struct calnet *net)
{
	struct sockaddr_ll lo = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = 1 };
	int on = 1;

	net->frames = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	net->tap = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (net->frames < 0 || net->tap < 0)
		return -errno;
	setsockopt(net->tap, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	return bind(net->tap, (struct sockaddr *)&lo, sizeof(lo)) ? -errno : 0;
}

static int open_listener(struct calnet *net)
{
	struct sockaddr_storage a = calnet_address4(calnet_draw_loopback(), 0);
	int ret;

	net->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (net->listener < 0)
		return -errno;
	ret = calnet_bind(net->listener, &a);
	memcpy(&net->listens, &a, sizeof(net->listens));
	if (!ret && listen(net->listener, 1))
		ret = -errno;
	return ret;
}

static int fill_netns(struct calnet *net, u8 netns, struct nl_sock *nl, struct error *err)
{
	u32 number = netns ? 3 : 1;
	int ret;

	ret = add_device(net, nl, netns, 0, err);
	if (ret < 0)
		return ret;
	net->lo[netns] = (u8)ret;
	ret = add_device(net, nl, netns, number, err);
	if (ret < 0)
		return ret;
	ret = add_dummy_senders(net, netns, (u8)ret, number);
	if (!ret)
		ret = add_lo_senders(net, netns, net->lo[netns]);
	if (!ret)
		ret = add_netfilter(net, netns);
	if (!ret && !netns)
		ret = open_listener(net);
	if (!ret && !netns && net->has.frames && open_frames(net))
		net->has.frames = false;
	return ret ? error_errno(err, -ret, "cannot make calibration's sockets") : 0;
}

int calnet_open(struct calnet **out, struct cal *cal, const struct calnet_has *has,
		struct error *err)
{
	struct calnet *net = calloc(1, sizeof(*net));
	struct nl_sock *nl;
	int netns = 0, first = -1;
	int ret = 0;

	*out = net;
	if (!net)
		return error_errno(err, ENOMEM, "calibration");
	net->cal = cal;
	net->has = *has;
	net->listener = net->tap = net->frames = net->client = net->server = -1;
	net->v6 = true;
	while (netns < NETNS_COUNT && !ret) {
		ret = add_netns(net, err);
		if (ret < 0)
			break;
		ret = rtnl_open(&nl, err);
		if (ret)
			break;
		ret = fill_netns(net, (u8)netns++, nl, err);
		nl_socket_free(nl);
		if (first < 0)
			first = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	}
	/* sockets that are made later are of the first one */
	if (ret >= 0)
		ret = netns_enter(first, err);
	if (first >= 0)
		close(first);
	if (ret >= 0)
		return 0;
	calnet_close(net);
	*out = NULL;
	return ret;
}

void calnet_close(struct calnet *net)
{
	size_t i;

	if (!net)
		return;
	for (i = 0; i < net->nr_senders; i++) {
		calnet_close_one(&net->senders[i].fd);
		calnet_close_one(&net->senders[i].receiver);
	}
	calnet_close_one(&net->client);
	calnet_close_one(&net->server);
	calnet_close_one(&net->listener);
	calnet_close_one(&net->tap);
	calnet_close_one(&net->frames);
	free(net);
}
