// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lots, addresses and sockets of calibration's network: what making it and sending in it share.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/calibrate_net_priv.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

const u8 calnet_hooks[4] = { 3, 4, 0, 1 }; /* LOCAL_OUT POST_ROUTING PRE_ROUTING LOCAL_IN */

u32 calnet_draw(u32 from, u32 to)
{
	u32 number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (u32)rand();
	return from + number % (to - from + 1);
}

void calnet_draw_bytes(void *bytes, size_t len)
{
	u8 *at = bytes;

	if (getrandom(bytes, len, 0) != (ssize_t)len)
		while (len--)
			*at++ = (u8)calnet_draw(0, 255);
}

int calnet_cookie(int fd, u64 *cookie)
{
	socklen_t len = sizeof(*cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, &len) ? -errno : 0;
}

void calnet_take_address(u8 *out, const struct sockaddr_storage *from)
{
	if (from->ss_family == AF_INET6)
		memcpy(out, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
	else
		memcpy(out, &((const struct sockaddr_in *)from)->sin_addr, 4);
}

u16 calnet_port(const struct sockaddr_storage *from)
{
	return ((const struct sockaddr_in *)from)->sin_port; /* at the same place in both */
}

/* What a socket is, by its own word; @group: it was bound to that. */
int calnet_add_socket(struct calnet *net, int fd, u8 netns, const struct sockaddr_storage *bound)
{
	struct sockaddr_storage local = { 0 }, peer = { 0 };
	socklen_t len = sizeof(local);
	struct cal_socket s = { .netns = netns };

	if (getsockname(fd, (struct sockaddr *)&local, &len) || calnet_cookie(fd, &s.cookie))
		return -errno;
	s.family = local.ss_family;
	s.num = ntohs(calnet_port(&local));
	calnet_take_address(s.rcv_saddr, bound ? bound : &local);
	len = sizeof(peer);
	if (!getpeername(fd, (struct sockaddr *)&peer, &len)) {
		s.dport_net = calnet_port(&peer);
		calnet_take_address(s.daddr, &peer);
	}
	return cal_add_socket(net->cal, &s);
}

struct sockaddr_storage calnet_address4(u32 host, u16 port)
{
	struct sockaddr_storage out = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&out;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(host);
	in->sin_port = htons(port);
	return out;
}

struct sockaddr_storage calnet_address6(const struct in6_addr *prefix, u16 port)
{
	struct sockaddr_storage out = { 0 };
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)&out;

	in->sin6_family = AF_INET6;
	in->sin6_addr = *prefix;
	in->sin6_port = htons(port);
	return out;
}

socklen_t calnet_address_len(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* Bind; by chance the port may be taken. */
int calnet_bind(int fd, struct sockaddr_storage *to)
{
	int tries;

	for (tries = 0; tries < 20; tries++) {
		((struct sockaddr_in *)to)->sin_port = htons((u16)calnet_draw(2000, 65000));
		if (!bind(fd, (struct sockaddr *)to, calnet_address_len(to)))
			return 0;
		if (errno != EADDRINUSE)
			break;
	}
	return -errno;
}

u32 calnet_host(u32 net, u32 host)
{
	return 0xc6120000U + (net << 8) + host; /* 198.18.0.0/15: for measurements */
}

u32 calnet_draw_loopback(void)
{
	return 0x7f000000U + calnet_draw(1, 0xfffffd);
}

void calnet_close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
