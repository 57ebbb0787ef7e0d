// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flowblocked READY GO: threads wait for bytes before anybody counts, and get them afterwards.
 *
 * Opens pairs of sockets, has a thread wait within a call for each, makes the file READY, and waits for the file GO. Then
 * sends what ends these calls, and what later ones read. Prints a line for each socket, "PROTOCOL LOCAL-PORT REMOTE-PORT
 * RECEIVED SENT WAITED NAME": WAITED of the bytes received, or sent, are those of the call that had waited.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST = 1000, SECOND = 234, MUCH = 8 << 20 };

struct reader {
	const char *name;
	int family, type, flags;
	bool sends; /* waits for room */
	bool polls; /* waits in select(), which is no call of the socket */
	int a, b;
	pthread_t thread;
	ssize_t waited, later;
};

static struct reader readers[] = {
	{ .name = "blocked-tcp", .family = AF_INET, .type = SOCK_STREAM },
	{ .name = "blocked-tcp6", .family = AF_INET6, .type = SOCK_STREAM },
	{ .name = "blocked-all", .family = AF_INET, .type = SOCK_STREAM, .flags = MSG_WAITALL },
	{ .name = "blocked-udp", .family = AF_INET, .type = SOCK_DGRAM },
	{ .name = "blocked-udp6", .family = AF_INET6, .type = SOCK_DGRAM },
	{ .name = "blocked-send", .family = AF_INET, .type = SOCK_STREAM, .sends = true },
	{ .name = "selecting", .family = AF_INET, .type = SOCK_STREAM, .polls = true },
};

#define NR (sizeof(readers) / sizeof(readers[0]))

static void die(const char *what)
{
	fprintf(stderr, "flowblocked: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint16_t port_of(int fd, bool peer)
{
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);

	if (peer ? getpeername(fd, (struct sockaddr *)&a, &len) :
		   getsockname(fd, (struct sockaddr *)&a, &len))
		return 0;
	/* at the same place for both families */
	return ntohs(((const struct sockaddr_in *)(const void *)&a)->sin_port);
}

static int bound(const struct reader *r, struct sockaddr_storage *a, socklen_t *len)
{
	struct sockaddr_in6 *in6 = (void *)a;
	struct sockaddr_in *in = (void *)a;
	int fd = socket(r->family, r->type | SOCK_CLOEXEC, 0);

	memset(a, 0, sizeof(*a));
	a->ss_family = (sa_family_t)r->family;
	if (r->family == AF_INET)
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		in6->sin6_addr = in6addr_loopback;
	*len = r->family == AF_INET ? sizeof(*in) : sizeof(*in6);
	if (fd < 0 || bind(fd, (struct sockaddr *)a, *len) ||
	    getsockname(fd, (struct sockaddr *)a, len))
		die(r->name);
	return fd;
}

static void open_pair(struct reader *r)
{
	struct sockaddr_storage a, b;
	socklen_t len;
	int l = bound(r, &a, &len);

	if (r->type == SOCK_STREAM) {
		r->a = socket(r->family, r->type | SOCK_CLOEXEC, 0);
		if (listen(l, 1) || connect(r->a, (struct sockaddr *)&a, len))
			die(r->name);
		r->b = accept(l, NULL, NULL);
		close(l);
	} else {
		r->b = l;
		r->a = bound(r, &b, &len);
		if (connect(r->a, (struct sockaddr *)&a, len) ||
		    connect(r->b, (struct sockaddr *)&b, len))
			die(r->name);
	}
	if (r->a < 0 || r->b < 0)
		die(r->name);
}

static void *wait_for_bytes(void *arg)
{
	static char much[MUCH];
	struct reader *r = arg;
	char to[FIRST];
	fd_set set;

	if (r->sends) {
		r->waited = send(r->a, much, sizeof(much), 0);
		r->later = send(r->a, much, SECOND, 0);
		return NULL;
	}
	if (r->polls) {
		/* the first argument is the number of a socket, but no call of it */
		FD_ZERO(&set);
		FD_SET(r->b, &set);
		select(r->b + 1, &set, NULL, NULL, NULL);
	}
	r->waited = recv(r->b, to, sizeof(to), r->flags);
	r->later = recv(r->b, to, SECOND, MSG_WAITALL);
	return NULL;
}

/* All that the thread sends. */
static void drain(struct reader *r)
{
	static char to[65536];
	ssize_t n, all = 0;

	while (all < MUCH + SECOND) {
		n = recv(r->b, to, sizeof(to), 0);
		if (n <= 0)
			die(r->name);
		all += n;
	}
	pthread_join(r->thread, NULL);
	if (r->waited + r->later != all)
		die("send");
}

static void tell(const struct reader *r)
{
	const char *protocol = r->type == SOCK_STREAM ? "tcp" : "udp";
	ssize_t all = r->waited + r->later, waited = r->polls ? 0 : r->waited;

	printf("%s %u %u %zd 0 %zd %s\n", protocol, port_of(r->b, false), port_of(r->b, true), all,
	       r->sends ? 0 : waited, r->name);
	printf("%s %u %u 0 %zd %zd %s-sender\n", protocol, port_of(r->a, false),
	       port_of(r->a, true), all, r->sends ? waited : 0, r->name);
}

int main(int argc, char **argv)
{
	static char bytes[FIRST];
	struct stat st;
	FILE *ready;
	size_t i;

	if (argc != 3)
		return 2;
	for (i = 0; i < NR; i++)
		open_pair(&readers[i]);
	for (i = 0; i < NR; i++)
		if (pthread_create(&readers[i].thread, NULL, wait_for_bytes, &readers[i]))
			die("pthread_create");
	usleep(300000);
	ready = fopen(argv[1], "w");
	if (!ready || fclose(ready))
		die(argv[1]);
	while (stat(argv[2], &st))
		usleep(10000);
	for (i = 0; i < NR; i++) {
		if (readers[i].sends) {
			drain(&readers[i]);
		} else if (readers[i].flags & MSG_WAITALL) {
			/* wakes the call, which goes on waiting */
			if (send(readers[i].a, bytes, FIRST / 2, 0) != FIRST / 2)
				die("send");
			usleep(50000);
			if (send(readers[i].a, bytes, FIRST / 2, 0) != FIRST / 2)
				die("send");
		} else if (send(readers[i].a, bytes, FIRST, 0) != FIRST) {
			die("send");
		}
	}
	usleep(200000);
	for (i = 0; i < NR; i++)
		if (!readers[i].sends && send(readers[i].a, bytes, SECOND, 0) != SECOND)
			die("send");
	for (i = 0; i < NR; i++) {
		if (!readers[i].sends)
			pthread_join(readers[i].thread, NULL);
		tell(&readers[i]);
	}
	return 0;
}
