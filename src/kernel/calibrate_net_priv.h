/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What making calibration's network and sending in it share.
 */
#ifndef SKBTRAIL_KERNEL_CALIBRATE_NET_PRIV_H
#define SKBTRAIL_KERNEL_CALIBRATE_NET_PRIV_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "kernel/calibrate_net.h"

#define NETNS_COUNT 2
#define SENDERS_MAX 20
#define OPTION_BYTES 8
#define PF_IPV4 2 /* NFPROTO_ */
#define PF_IPV6 10

enum {
	SENDER_CORKED = 1 << 0,	  /* the second half is not in the linear part */
	SENDER_NO_CHECK = 1 << 1, /* no checksum: no offset of one either */
	SENDER_OPTIONS = 1 << 2,  /* IP options */
	SENDER_LOOPBACK = 1 << 3,
	SENDER_MULTICAST = 1 << 4, /* bound to a group: the source address is another one then */
	SENDER_UNCONNECTED = 1 << 5,
};

/* A UDP socket that sends a packet each round. */
struct sender {
	int fd, receiver; /* receiver: -1, or a socket that it arrives at */
	unsigned int flags;
	struct sockaddr_storage to;
	socklen_t to_len;
	u8 device, socket;
};

struct calnet {
	struct cal *cal;
	struct calnet_has has;
	struct sender senders[SENDERS_MAX];
	size_t nr_senders;
	u8 lo[NETNS_COUNT];
	bool nft4[NETNS_COUNT], nft6[NETNS_COUNT], xt[NETNS_COUNT];
	u8 chains4[NETNS_COUNT][2], chains6[NETNS_COUNT][2];
	bool v6;
	int listener, tap, frames; /* of the first netns */
	struct sockaddr_in listens;
	int client, server; /* of a TCP connection that is up; -1 */
	u32 mark;
	bool with_frames;
	unsigned int step; /* what is sent next */
};

/* NF_INET_*, in the order in which a packet meets them that is sent over loopback */
extern const u8 calnet_hooks[4];

u32 calnet_draw(u32 from, u32 to);
void calnet_draw_bytes(void *bytes, size_t len);
int calnet_cookie(int fd, u64 *cookie);
void calnet_take_address(u8 *out, const struct sockaddr_storage *from);
u16 calnet_port(const struct sockaddr_storage *from);
struct sockaddr_storage calnet_address4(u32 host, u16 port);
struct sockaddr_storage calnet_address6(const struct in6_addr *address, u16 port);
socklen_t calnet_address_len(const struct sockaddr_storage *a);
/** calnet_host - an address of one of the dummy devices' networks */
u32 calnet_host(u32 net, u32 host);
u32 calnet_draw_loopback(void);
/** calnet_bind - to any port, which @to gets; by chance one may be taken */
int calnet_bind(int fd, struct sockaddr_storage *to);
/**
 * calnet_add_socket - tell the solver of a socket what it says itself
 * @bound: what it was bound to, when that is no source address; NULL
 *
 * Return: the solver's index, -errno.
 */
int calnet_add_socket(struct calnet *net, int fd, u8 netns, const struct sockaddr_storage *bound);
void calnet_close_one(int *fd);

#endif
