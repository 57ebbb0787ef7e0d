// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flowwait READY GO: send, let the bytes wait for their reader, and say what that took by our own clock.
 *
 * Over loopback, TCP and UDP, IPv4 and IPv6. Makes the file READY, waits for the file GO. Prints a line for each pair,
 * "PROTOCOL SENDER-PORT RECEIVER-PORT TIMES SEND-NS LEAST-NS MOST-NS": how long the send calls took, and between which
 * bounds the bytes waited: from the return of the send call to the beginning of the receive call they did for sure, from
 * the beginning of the one to the return of the other at most. All are sums.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TIMES 8
#define BYTES 1000

struct pair {
	const char *protocol;
	int from, to;
	uint64_t send_ns, least_ns, most_ns;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* A socket bound to any port of loopback. */
static int bound(int family, int type, struct sockaddr_storage *a, socklen_t *len)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	memset(a, 0, sizeof(*a));
	a->ss_family = (sa_family_t)family;
	*len = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	if (family == AF_INET6)
		((struct sockaddr_in6 *)(void *)a)->sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)(void *)a)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)a, *len) ||
	    getsockname(fd, (struct sockaddr *)a, len))
		die("bind");
	return fd;
}

static struct pair make_pair(int family, int type)
{
	struct pair p = { .protocol = type == SOCK_STREAM ? "tcp" : "udp" };
	struct sockaddr_storage a, own;
	socklen_t len, own_len;
	int fd = bound(family, type, &a, &len);

	p.from = bound(family, type, &own, &own_len);
	if (type == SOCK_STREAM && listen(fd, 1))
		die("listen");
	if (connect(p.from, (struct sockaddr *)&a, len))
		die("connect");
	p.to = type == SOCK_STREAM ? accept(fd, NULL, NULL) : fd;
	if (p.to < 0)
		die("accept");
	return p;
}

static void wait_once(struct pair *p, useconds_t us)
{
	static char buffer[BYTES];
	uint64_t sends = now_ns(), sent, reads, read_at;

	if (send(p->from, buffer, sizeof(buffer), 0) != BYTES)
		die("send");
	sent = now_ns();
	usleep(us);
	reads = now_ns();
	if (recv(p->to, buffer, sizeof(buffer), MSG_WAITALL) != BYTES)
		die("recv");
	read_at = now_ns();
	p->send_ns += sent - sends;
	p->least_ns += reads - sent;
	p->most_ns += read_at - sends;
}

static unsigned int port_of(int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len))
		die("getsockname");
	/* at the same place for both families */
	return ntohs(((struct sockaddr_in *)(void *)&a)->sin_port);
}

int main(int argc, char **argv)
{
	struct pair pairs[4];
	struct stat st;
	size_t i, k;
	int fd;

	if (argc < 3)
		return 2;
	pairs[0] = make_pair(AF_INET, SOCK_STREAM);
	pairs[1] = make_pair(AF_INET6, SOCK_STREAM);
	pairs[2] = make_pair(AF_INET, SOCK_DGRAM);
	pairs[3] = make_pair(AF_INET6, SOCK_DGRAM);
	fd = open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die(argv[1]);
	while (stat(argv[2], &st))
		usleep(10000);
	for (i = 0; i < TIMES; i++)
		for (k = 0; k < 4; k++)
			wait_once(&pairs[k], 100000);
	for (k = 0; k < 4; k++)
		printf("%s %u %u %d %llu %llu %llu\n", pairs[k].protocol, port_of(pairs[k].from),
		       port_of(pairs[k].to), TIMES, (unsigned long long)pairs[k].send_ns,
		       (unsigned long long)pairs[k].least_ns, (unsigned long long)pairs[k].most_ns);
	return 0;
}
