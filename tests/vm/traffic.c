// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traffic whose every packet can be told from every other, for the guests of the truth harness.
 *
 * In:  a role and its arguments (usage below).
 * Out: on stdout a line for each datagram or connection, what this side knows of it:
 *      "sent FLOW NUMBER DIR SRC SPORT DST DPORT BYTES", "received" with the same, "refused" (an ICMP
 *      error came back), "silent" (no answer in time), "tcp FLOW DIR BYTES ok|short|refused|timeout".
 *
 * A datagram begins with MAGIC, flow, direction (0 there, 1 back) and number; number n has a source
 * port of its own, so that headers alone tell datagrams apart, too.
 * A TCP stream's bytes tell their place: 8-byte words of flow, direction and offset.
 * Compiled by the test, linked statically; needs nothing in the guest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAGIC "SKBTRUTH"
#define FIRST_SPORT 20000
#define PER_FLOW 100 /* source ports of a flow's datagrams */
#define FIRST_TCP_SPORT 50000
#define MAX_MESSAGE 16384

struct message {
	char magic[8];
	uint16_t flow, dir;
	uint32_t number;
};

static void die(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ADDRESS and port; ADDRESS may be ADDRESS%DEV. Returns the length. */
static socklen_t make_address(struct sockaddr_storage *ss, const char *text, int port)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ss;
	char copy[128];
	char *dev;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	snprintf(copy, sizeof(copy), "%s", text);
	dev = strchr(copy, '%');
	if (dev)
		*dev++ = '\0';
	if (inet_pton(AF_INET6, copy, &v6->sin6_addr) != 1) {
		errno = EINVAL;
		die(text);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	v6->sin6_scope_id = dev ? if_nametoindex(dev) : 0;
	return sizeof(*v6);
}

/* An address as the comparator writes it: IPv4 in IPv6 form is IPv4. */
static const char *show(const struct sockaddr_storage *ss, int *port)
{
	static char text[2][INET6_ADDRSTRLEN];
	static int turn;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ss;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)ss;

	turn = !turn;
	if (ss->ss_family == AF_INET) {
		*port = ntohs(v4->sin_port);
		return inet_ntop(AF_INET, &v4->sin_addr, text[turn], sizeof(text[turn]));
	}
	*port = ntohs(v6->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text[turn],
				 sizeof(text[turn]));
	return inet_ntop(AF_INET6, &v6->sin6_addr, text[turn], sizeof(text[turn]));
}

static void tell(const char *what, const struct message *m, const struct sockaddr_storage *src,
		 const struct sockaddr_storage *dst, size_t bytes)
{
	int sport = 0, dport = 0;
	const char *from = show(src, &sport), *to = show(dst, &dport);

	printf("%s %u %u %u %s %d %s %d %zu\n", what, ntohs(m->flow), (unsigned)ntohl(m->number),
	       ntohs(m->dir), from, sport, to, dport, bytes);
}

/* ---- UDP client */

struct udp_plan {
	int flow, port, count, bytes, wait_ms;
	const char *src, *dst;
};

/* May be fragmented on the way: what a test with a low MTU wants. */
static void allow_fragments(int fd, int family)
{
	int off = family == AF_INET ? IP_PMTUDISC_DONT : IPV6_PMTUDISC_WANT;

	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &off, sizeof(off));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &off, sizeof(off));
}

/* Receives on @fd whatever is there within the time. */
static void udp_await(int fd, const struct udp_plan *plan, const struct message *sent,
		      const struct sockaddr_storage *src, const struct sockaddr_storage *dst)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char buffer[MAX_MESSAGE];
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	ssize_t n;

	if (plan->wait_ms <= 0)
		return;
	if (poll(&pfd, 1, plan->wait_ms) <= 0) {
		tell("silent", sent, src, dst, (size_t)plan->bytes);
		return;
	}
	n = recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &len);
	if (n < (ssize_t)sizeof(struct message))
		tell("refused", sent, src, dst, (size_t)plan->bytes);
	else
		tell("received", (struct message *)buffer, &from, src, (size_t)n);
}

static void udp_one(const struct udp_plan *plan, int number)
{
	struct sockaddr_storage src, dst;
	char buffer[MAX_MESSAGE] = { 0 };
	struct message *m = (struct message *)buffer;
	socklen_t src_len =
		make_address(&src, plan->src, FIRST_SPORT + plan->flow * PER_FLOW + number);
	socklen_t dst_len = make_address(&dst, plan->dst, plan->port);
	int fd = socket(dst.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, hops = 8;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof(hops));
	setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
	/* connected, or an ICMP error would not be told */
	if (plan->wait_ms >= 0)
		allow_fragments(fd, dst.ss_family);
	if (bind(fd, (struct sockaddr *)&src, src_len))
		die("bind");
	if (plan->wait_ms > 0 && connect(fd, (struct sockaddr *)&dst, dst_len))
		die("connect");
	memcpy(m->magic, MAGIC, sizeof(m->magic));
	m->flow = htons((uint16_t)plan->flow);
	m->number = htonl((uint32_t)number);
	if (sendto(fd, buffer, (size_t)plan->bytes, 0,
		   plan->wait_ms > 0 ? NULL : (struct sockaddr *)&dst,
		   plan->wait_ms > 0 ? 0 : dst_len) < 0)
		/* a qdisc that drops may say so */
		tell(errno == ENOBUFS ? "sent" : "unsent", m, &src, &dst, (size_t)plan->bytes);
	else
		tell("sent", m, &src, &dst, (size_t)plan->bytes);
	udp_await(fd, plan, m, &src, &dst);
	close(fd);
}

static int run_udp(char **arg)
{
	struct udp_plan plan = { .flow = atoi(arg[0]),
				 .src = arg[1],
				 .dst = arg[2],
				 .port = atoi(arg[3]),
				 .count = atoi(arg[4]),
				 .bytes = atoi(arg[5]),
				 .wait_ms = atoi(arg[6]) };

	if (plan.bytes < (int)sizeof(struct message) || plan.bytes > MAX_MESSAGE)
		plan.bytes = 64;
	for (int i = 0; i < plan.count; i++)
		udp_one(&plan, i);
	return 0;
}

/* ---- TCP */

static void fill_stream(unsigned char *buffer, size_t bytes, int flow, int dir, uint64_t offset)
{
	for (size_t i = 0; i < bytes; i++) {
		uint64_t at = offset + i,
			 word = (at / 8) | (uint64_t)flow << 40 | (uint64_t)dir << 56;

		buffer[i] = (unsigned char)(word >> (56 - 8 * (at % 8)));
	}
}

/* Sends @bytes of the stream; returns how many went. */
static uint64_t send_stream(int fd, int flow, int dir, uint64_t bytes)
{
	unsigned char buffer[65536];
	uint64_t sent = 0;

	while (sent < bytes) {
		size_t want = bytes - sent < sizeof(buffer) ? (size_t)(bytes - sent) :
							      sizeof(buffer);
		ssize_t n;

		fill_stream(buffer, want, flow, dir, sent);
		n = send(fd, buffer, want, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		sent += (uint64_t)n;
	}
	return sent;
}

/* Reads to the end; returns how many bytes came that are right. *@flow is taken from them if < 0. */
static uint64_t read_stream(int fd, int *flow, int dir)
{
	unsigned char buffer[65536], want[65536];
	uint64_t got = 0;
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		if (*flow < 0 && n >= 3)
			*flow = buffer[1] << 8 | buffer[2];
		fill_stream(want, (size_t)n, *flow, dir, got);
		if (memcmp(want, buffer, (size_t)n))
			break;
		got += (uint64_t)n;
	}
	return got;
}

static void limit_waiting(int fd, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

/* tcp FLOW SRC DST PORT BYTES: BYTES there, as many back. */
static int run_tcp(char **arg)
{
	int flow = atoi(arg[0]), port = atoi(arg[3]), one = 1, fd, its = flow;
	uint64_t bytes = strtoull(arg[4], NULL, 10), sent, got;
	struct sockaddr_storage src, dst;
	socklen_t src_len = make_address(&src, arg[1], FIRST_TCP_SPORT + flow);
	socklen_t dst_len = make_address(&dst, arg[2], port);

	fd = socket(dst.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	limit_waiting(fd, 5);
	if (bind(fd, (struct sockaddr *)&src, src_len))
		die("bind");
	if (connect(fd, (struct sockaddr *)&dst, dst_len)) {
		printf("tcp %d 0 0 %s\n", flow, errno == ECONNREFUSED ? "refused" : "timeout");
		return 0;
	}
	limit_waiting(fd, 30);
	sent = send_stream(fd, flow, 0, bytes);
	printf("tcp %d 0 %llu %s\n", flow, (unsigned long long)sent,
	       sent == bytes ? "ok" : "short");
	shutdown(fd, SHUT_WR);
	got = read_stream(fd, &its, 1);
	printf("tcp %d 1 %llu %s\n", flow, (unsigned long long)got, got == bytes ? "ok" : "short");
	close(fd);
	return 0;
}

static void serve_connection(int fd)
{
	int flow = -1;
	uint64_t got;

	limit_waiting(fd, 30);
	got = read_stream(fd, &flow, 0);
	send_stream(fd, flow, 1, got);
	close(fd);
}

/* ---- server: UDP and TCP on each port */

static int open_port(int type, int port)
{
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0), one = 1, off = 0;
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	allow_fragments(fd, AF_INET);
	/* where datagrams were sent to is what they are answered from */
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)))
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 16))
		die("listen");
	return fd;
}

static void join_group(int fd, const char *text)
{
	struct sockaddr_storage ss;
	struct ipv6_mreq m6 = { 0 };
	struct ip_mreqn m4 = { 0 };
	char group[128];
	char *dev;

	snprintf(group, sizeof(group), "%s", text);
	dev = strchr(group, '%');
	if (!dev)
		return;
	*dev++ = '\0';
	make_address(&ss, group, 0);
	if (ss.ss_family == AF_INET) {
		m4.imr_multiaddr = ((struct sockaddr_in *)&ss)->sin_addr;
		m4.imr_ifindex = (int)if_nametoindex(dev);
		if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m4, sizeof(m4)))
			die(text);
		return;
	}
	m6.ipv6mr_multiaddr = ((struct sockaddr_in6 *)&ss)->sin6_addr;
	m6.ipv6mr_interface = if_nametoindex(dev);
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6)))
		die(text);
}

/* Receives one datagram, logs it, answers it from the address that it was sent to. */
static void serve_datagram(int fd, int port)
{
	char buffer[MAX_MESSAGE], control[256];
	struct iovec iov = { .iov_base = buffer, .iov_len = sizeof(buffer) };
	struct sockaddr_storage from = { 0 }, to = { 0 };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct message *m = (struct message *)buffer;
	struct sockaddr_in6 *me = (struct sockaddr_in6 *)&to;
	ssize_t n = recvmsg(fd, &msg, 0);

	if (n < (ssize_t)sizeof(*m) || memcmp(m->magic, MAGIC, sizeof(m->magic)))
		return;
	me->sin6_family = AF_INET6;
	me->sin6_port = htons((uint16_t)port);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(c);

			me->sin6_addr = info->ipi6_addr;
			info->ipi6_ifindex = 0;
		}
	tell("received", m, &from, &to, (size_t)n);
	if (IN6_IS_ADDR_MULTICAST(&me->sin6_addr) ||
	    (IN6_IS_ADDR_V4MAPPED(&me->sin6_addr) && (me->sin6_addr.s6_addr[12] & 0xf0) == 0xe0))
		return;
	m->dir = htons(1);
	iov.iov_len = (size_t)n;
	msg.msg_flags = 0;
	tell(sendmsg(fd, &msg, 0) == n ? "sent" : "unsent", m, &to, &from, (size_t)n);
}

/* serve PORT [GROUP%DEV...] */
static int run_serve(char **arg)
{
	int port = atoi(arg[0]);
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };

	signal(SIGCHLD, SIG_IGN);
	fds[0].fd = open_port(SOCK_DGRAM, port);
	fds[1].fd = open_port(SOCK_STREAM, port);
	for (arg++; *arg; arg++)
		join_group(fds[0].fd, *arg);
	printf("serving %d\n", port);
	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[0].revents)
			serve_datagram(fds[0].fd, port);
		if (fds[1].revents) {
			int fd = accept4(fds[1].fd, NULL, NULL, SOCK_CLOEXEC);

			if (fd >= 0 && fork() == 0) {
				serve_connection(fd);
				_exit(0);
			}
			close(fd);
		}
	}
	return 1;
}

/* ---- a program between two tun devices */

static int open_tun(const char *netns, const char *dev)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char path[256];
	int ns, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		die(path);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/net/tun");
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (ioctl(fd, TUNSETIFF, &ifr))
		die(dev);
	return fd;
}

/* tun NETNS1 DEV1 NETNS2 DEV2 */
static int run_tun(char **arg)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };
	char buffer[65536];

	fds[0].fd = open_tun(arg[0], arg[1]);
	fds[1].fd = open_tun(arg[2], arg[3]);
	printf("serving tun\n");
	while (poll(fds, 2, -1) >= 0 || errno == EINTR)
		for (int i = 0; i < 2; i++) {
			ssize_t n = fds[i].revents ? read(fds[i].fd, buffer, sizeof(buffer)) : 0;

			if (n > 0 && write(fds[!i].fd, buffer, (size_t)n) != n)
				fprintf(stderr, "traffic: tun: a packet was refused\n");
		}
	return 1;
}

static const struct role {
	const char *name, *arguments;
	int least;
	int (*run)(char **arg);
} roles[] = {
	{ "udp", "FLOW SRC DST PORT COUNT BYTES WAIT_MS", 7, run_udp },
	{ "tcp", "FLOW SRC DST PORT BYTES", 5, run_tcp },
	{ "serve", "PORT [GROUP%DEV...]", 1, run_serve },
	{ "tun", "NETNS1 DEV1 NETNS2 DEV2", 4, run_tun },
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (argc >= 2 + roles[i].least && !strcmp(argv[1], roles[i].name))
			return roles[i].run(argv + 2);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		fprintf(stderr, "usage: traffic %s %s\n", roles[i].name, roles[i].arguments);
	return 2;
}
