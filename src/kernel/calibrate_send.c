// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calibration's packets: datagrams, segments, and frames with VLAN tags, of which all is known.
 *
 * In:  the sockets of calibrate_net.c.
 * Out: one packet at a time, told to the solver before it is sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/calibrate_net_priv.h"

#define ARRIVAL_MS 300
#define ETH_BYTES 14
#define UDP_BYTES 8
#define PAYLOAD_MIN 40
#define PAYLOAD_MAX 900
#define FRAMES 12
#define STATE_ESTABLISHED 1 /* include/net/tcp_states.h */
#define STATE_SYN_SENT 2
#define STATE_FIN_WAIT1 4
#define STATE_CLOSE 7

static int set_mark(int fd, u32 mark)
{
	return setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) ? -errno : 0;
}

static void await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	u8 bytes[2048];

	if (poll(&p, 1, ARRIVAL_MS) > 0 && recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) < 0)
		return;
}

/* Netfilter's hooks and chains that a packet of IPv4 or IPv6 meets. */
static void know_netfilter(const struct calnet *net, struct cal_packet *p, u8 netns, bool v6,
			   bool comes_back)
{
	bool nft = v6 ? net->nft6[netns] : net->nft4[netns];

	p->pf = v6 ? PF_IPV6 : PF_IPV4;
	p->comes_back = comes_back;
	if (nft || (net->xt[netns] && !v6)) {
		p->nr_hooks = comes_back ? 4 : 2;
		memcpy(p->hooks, calnet_hooks, sizeof(p->hooks));
	}
	if (!v6 && net->xt[netns])
		p->known |= CAL_KNOW_TABLES;
	if (!v6 && !netns && p->nr_hooks)
		p->known |= CAL_KNOW_ENTRIES;
	if (!nft || comes_back)
		return;
	p->known |= CAL_KNOW_CHAINS;
	p->nr_chains = 2;
	memcpy(p->chains, v6 ? net->chains6[netns] : net->chains4[netns], 2);
}

static u8 netns_of(const struct calnet *net, const struct sender *s)
{
	return net->lo[1] && s->device >= net->lo[1];
}

static void know_datagram(const struct calnet *net, const struct sender *s, struct cal_packet *p,
			  u32 first, u32 second)
{
	bool v6 = s->to.ss_family == AF_INET6;

	p->known = CAL_KNOW_LEN | CAL_KNOW_TAG | CAL_KNOW_L4 | CAL_KNOW_SOCKET | CAL_KNOW_PROTOCOL |
		   CAL_KNOW_DEVICE;
	if (s->flags & SENDER_LOOPBACK)
		p->known |= CAL_KNOW_ROUTE;
	p->protocol_net = htons(v6 ? ETH_P_IPV6 : ETH_P_IP);
	p->l3_len = v6 ? 40 : s->flags & SENDER_OPTIONS ? 20 + OPTION_BYTES : 20;
	p->len = ETH_BYTES + p->l3_len + UDP_BYTES + first + second;
	p->data_len = second;
	p->tag_at = (u16)(ETH_BYTES + p->l3_len + UDP_BYTES);
	p->device = s->device;
	p->socket = s->socket;
	p->state = s->flags & SENDER_UNCONNECTED ? STATE_CLOSE : STATE_ESTABLISHED;
	know_netfilter(net, p, netns_of(net, s), v6, s->flags & SENDER_LOOPBACK);
}

static ssize_t send_part(const struct sender *s, const void *bytes, size_t len, int flags)
{
	if (s->flags & SENDER_UNCONNECTED)
		return sendto(s->fd, bytes, len, flags, (const struct sockaddr *)&s->to, s->to_len);
	return send(s->fd, bytes, len, flags);
}

static int send_datagram(struct calnet *net, const struct sender *s)
{
	struct cal_packet p = { .mark = net->mark };
	u32 first = calnet_draw(PAYLOAD_MIN, PAYLOAD_MAX / 2);
	u32 second = s->flags & SENDER_CORKED ? calnet_draw(PAYLOAD_MIN, PAYLOAD_MAX / 2) : 0;
	u8 bytes[PAYLOAD_MAX];
	ssize_t sent;
	int ret;

	calnet_draw_bytes(bytes, sizeof(bytes));
	know_datagram(net, s, &p, first, second);
	memcpy(p.tag, bytes, CAL_TAG_SIZE);
	ret = set_mark(s->fd, net->mark);
	if (!ret)
		ret = cal_add_packet(net->cal, &p);
	if (ret < 0)
		return ret;
	sent = send_part(s, bytes, first, second ? MSG_MORE : 0);
	if (sent >= 0 && second)
		sent = send_part(s, bytes + first, second, 0);
	if (sent < 0)
		return -errno;
	if (s->receiver >= 0)
		await(s->receiver);
	return 0;
}

static int add_segment(struct calnet *net, int fd, u8 device, u8 state)
{
	struct cal_packet p = { .mark = net->mark, .device = device, .state = state, .l3_len = 20 };
	int ret = calnet_add_socket(net, fd, 0, NULL);

	if (ret < 0)
		return ret;
	p.socket = (u8)ret;
	p.known = CAL_KNOW_L4 | CAL_KNOW_SOCKET | CAL_KNOW_PROTOCOL | CAL_KNOW_DEVICE;
	p.protocol_net = htons(ETH_P_IP);
	ret = cal_add_packet(net->cal, &p);
	return ret < 0 ? ret : 0;
}

/* A socket's peer and ports are known only after connect() sent its SYN, so it is told of it before. */
static int send_syn(struct calnet *net)
{
	struct sockaddr_storage from = calnet_address4(calnet_host(1, 1), 0);
	struct sockaddr_storage to =
		calnet_address4(calnet_host(1, calnet_draw(2, 250)), (u16)calnet_draw(2000, 65000));
	struct cal_packet p = { .mark = net->mark,
				.device = net->senders[0].device,
				.state = STATE_SYN_SENT,
				.l3_len = 20 };
	struct cal_socket s = { .family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int ret;

	if (fd < 0)
		return -errno;
	ret = calnet_bind(fd, &from);
	if (!ret)
		ret = set_mark(fd, net->mark);
	if (!ret)
		ret = calnet_cookie(fd, &s.cookie);
	s.num = ntohs(calnet_port(&from));
	s.dport_net = calnet_port(&to);
	calnet_take_address(s.rcv_saddr, &from);
	calnet_take_address(s.daddr, &to);
	if (!ret)
		ret = cal_add_socket(net->cal, &s);
	p.socket = (u8)ret;
	p.known = CAL_KNOW_L4 | CAL_KNOW_SOCKET | CAL_KNOW_PROTOCOL | CAL_KNOW_DEVICE;
	p.protocol_net = htons(ETH_P_IP);
	if (ret >= 0)
		ret = cal_add_packet(net->cal, &p);
	if (ret >= 0 && connect(fd, (struct sockaddr *)&to, calnet_address_len(&to)) &&
	    errno != EINPROGRESS)
		ret = -errno;
	close(fd);
	return ret < 0 ? ret : 0;
}

/* A segment with data on a connection without a mark before. */
static int send_data(struct calnet *net)
{
	struct sockaddr_storage from = calnet_address4(calnet_draw_loopback(), 0);
	u8 bytes[PAYLOAD_MAX];
	int on = 1;
	int ret;

	net->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (net->client < 0)
		return -errno;
	setsockopt(net->client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ret = calnet_bind(net->client, &from);
	if (!ret && connect(net->client, (struct sockaddr *)&net->listens, sizeof(net->listens)))
		ret = -errno;
	if (!ret)
		net->server = accept4(net->listener, NULL, NULL, SOCK_CLOEXEC);
	if (!ret)
		ret = set_mark(net->client, net->mark);
	if (!ret)
		ret = add_segment(net, net->client, net->lo[0], STATE_ESTABLISHED);
	calnet_draw_bytes(bytes, sizeof(bytes));
	if (!ret && send(net->client, bytes, calnet_draw(PAYLOAD_MIN, PAYLOAD_MAX), 0) < 0)
		ret = -errno;
	if (!ret)
		await(net->server);
	return ret;
}

static int send_end(struct calnet *net)
{
	int ret = set_mark(net->client, net->mark);

	if (!ret)
		ret = add_segment(net, net->client, net->lo[0], STATE_FIN_WAIT1);
	if (!ret && shutdown(net->client, SHUT_WR))
		ret = -errno;
	calnet_close_one(&net->client);
	calnet_close_one(&net->server);
	return ret;
}

/* A frame with or without a tag in its bytes, which the kernel takes out on reception. */
static int send_frame(struct calnet *net, unsigned int nth)
{
	struct sockaddr_ll lo = { .sll_family = AF_PACKET, .sll_ifindex = 1 };
	struct cal_packet p = { .mark = net->mark, .known = CAL_KNOW_VLAN, .tagged = nth % 3 != 0 };
	u8 frame[ETH_BYTES + 4 + PAYLOAD_MAX] = { 0 };
	u16 protocol = htons(ETH_P_IP), tci;
	u32 at = 12;
	int ret;

	calnet_draw_bytes(frame + at, sizeof(frame) - at);
	if (p.tagged) {
		p.vlan_proto_net = htons(nth % 3 == 1 ? ETH_P_8021Q : ETH_P_8021AD);
		p.vlan_tci = (u16)calnet_draw(1, 0xffff);
		tci = htons(p.vlan_tci);
		memcpy(frame + at, &p.vlan_proto_net, 2);
		memcpy(frame + at + 2, &tci, 2);
		at += 4;
	}
	memcpy(frame + at, &protocol, 2);
	lo.sll_protocol = p.tagged ? p.vlan_proto_net : protocol;
	ret = set_mark(net->frames, net->mark);
	if (!ret)
		ret = cal_add_packet(net->cal, &p);
	if (ret < 0)
		return ret;
	if (sendto(net->frames, frame, calnet_draw(80, 500), 0, (struct sockaddr *)&lo,
		   sizeof(lo)) < 0)
		return -errno;
	await(net->tap);
	return 0;
}

void calnet_begin(struct calnet *net, u32 mark, bool frames)
{
	net->mark = mark & ~0xffU;
	net->with_frames = frames && net->has.frames;
	net->step = 0;
	calnet_close_one(&net->client);
	calnet_close_one(&net->server);
}

int calnet_send(struct calnet *net, bool *wait_rx, struct error *err)
{
	unsigned int step = net->step++;
	int ret;

	net->mark++;
	*wait_rx = false;
	if (step < net->nr_senders) {
		ret = send_datagram(net, &net->senders[step]);
	} else if (step == net->nr_senders) {
		ret = send_syn(net);
	} else if (step == net->nr_senders + 1) {
		ret = send_data(net);
	} else if (step == net->nr_senders + 2) {
		ret = send_end(net);
	} else if (net->with_frames && step < net->nr_senders + 3 + FRAMES) {
		ret = send_frame(net, step);
		*wait_rx = true;
	} else {
		return 0;
	}
	return ret < 0 ? error_errno(err, -ret, "cannot send a packet in calibration's network") :
			 1;
}
