// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A socket's both ends, for guest-discover.sh: a server that echoes, and clients that say which addresses
 * their sockets have, as getsockname() and getpeername() tell them.
 *
 *	peer serve PORT			TCP and UDP, IPv4 and IPv6, until killed; prints "ready"
 *	peer talk 4|6 tcp|udp PORT N	N sockets: connect, send, receive
 *	peer hold 4|6 PORT SECONDS	one TCP connection: a message each 100 ms; prints "open" when it is
 *	peer accept 4|6 PORT N		listens, connects to itself from a child N times, accepts
 *	peer all PORT			talks over TCP and UDP, accepts at PORT + 1; three sockets of each
 *
 * A line for each socket: "truth LOCAL PORT REMOTE PORT".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static socklen_t loopback(struct sockaddr_storage *addr, int family, int port)
{
	struct sockaddr_in6 *six = (void *)addr;
	struct sockaddr_in *four = (void *)addr;

	memset(addr, 0, sizeof(*addr));
	addr->ss_family = (sa_family_t)family;
	if (family == AF_INET6) {
		six->sin6_port = htons((uint16_t)port);
		six->sin6_addr = in6addr_loopback;
		return sizeof(*six);
	}
	four->sin_port = htons((uint16_t)port);
	four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*four);
}

static int open_socket(int family, int type, int port, int listening)
{
	int fd = socket(family, type, 0), one = 1;
	struct sockaddr_storage addr;
	socklen_t len = loopback(&addr, family, port);

	if (fd < 0)
		die("socket");
	if (!listening) {
		if (connect(fd, (struct sockaddr *)&addr, len))
			die("connect");
		return fd;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, len))
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 64))
		die("listen");
	return fd;
}

static void print_end(const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *six = (const void *)addr;
	const struct sockaddr_in *four = (const void *)addr;
	char text[INET6_ADDRSTRLEN];

	if (addr->ss_family == AF_INET6)
		printf(" %s %d", inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text)),
		       ntohs(six->sin6_port));
	else
		printf(" %s %d", inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text)),
		       ntohs(four->sin_port));
}

static void tell(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	printf("truth");
	getsockname(fd, (struct sockaddr *)&addr, &len);
	print_end(&addr);
	len = sizeof(addr);
	getpeername(fd, (struct sockaddr *)&addr, &len);
	print_end(&addr);
	printf("\n");
	fflush(stdout);
}

static void exchange(int fd)
{
	char buf[64];

	if (send(fd, "hello peer", 10, 0) != 10)
		die("send");
	if (recv(fd, buf, sizeof(buf), 0) <= 0)
		die("recv");
}

static void echo(int fd)
{
	char buf[256];
	ssize_t got;

	while ((got = recv(fd, buf, sizeof(buf), 0)) > 0)
		if (send(fd, buf, (size_t)got, 0) < 0)
			break;
}

static void serve_datagrams(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char buf[256];
	ssize_t got = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

	if (got > 0)
		sendto(fd, buf, (size_t)got, 0, (struct sockaddr *)&from, len);
}

static void serve_stream(int fd)
{
	int conn = accept(fd, NULL, NULL);

	if (conn < 0)
		return;
	if (!fork()) {
		echo(conn);
		exit(0);
	}
	close(conn);
}

static void serve(int port)
{
	struct pollfd fds[4];
	int i;

	signal(SIGCHLD, SIG_IGN);
	for (i = 0; i < 4; i++) {
		fds[i].fd = open_socket(i & 1 ? AF_INET6 : AF_INET,
					i & 2 ? SOCK_DGRAM : SOCK_STREAM, port, 1);
		fds[i].events = POLLIN;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(fds, 4, -1) < 0)
			continue;
		for (i = 0; i < 4; i++)
			if (fds[i].revents && (i & 2))
				serve_datagrams(fds[i].fd);
			else if (fds[i].revents)
				serve_stream(fds[i].fd);
	}
}

static int talk(int family, int type, int port, int count)
{
	int fd;

	while (count--) {
		fd = open_socket(family, type, port, 0);
		exchange(fd);
		tell(fd);
		close(fd);
	}
	return 0;
}

static int hold(int family, int port, int seconds)
{
	int fd = open_socket(family, SOCK_STREAM, port, 0), turns = seconds * 10;

	tell(fd);
	puts("open");
	fflush(stdout);
	while (turns--) {
		exchange(fd);
		usleep(100000);
	}
	return 0;
}

static int take(int family, int port, int count)
{
	int listener = open_socket(family, SOCK_STREAM, port, 1), fd, i;

	for (i = 0; i < count; i++) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			fd = open_socket(family, SOCK_STREAM, port, 0);
			exchange(fd);
			exit(0);
		}
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			die("accept");
		tell(fd);
		echo(fd);
		close(fd);
		wait(NULL);
	}
	return 0;
}

static int all(int port)
{
	talk(AF_INET, SOCK_STREAM, port, 3);
	talk(AF_INET6, SOCK_STREAM, port, 3);
	talk(AF_INET, SOCK_DGRAM, port, 3);
	talk(AF_INET6, SOCK_DGRAM, port, 3);
	return take(AF_INET, port + 1, 3);
}

int main(int argc, char **argv)
{
	int family = argc > 2 && !strcmp(argv[2], "6") ? AF_INET6 : AF_INET;

	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(atoi(argv[2]));
	if (argc == 6 && !strcmp(argv[1], "talk"))
		return talk(family, strcmp(argv[3], "udp") ? SOCK_STREAM : SOCK_DGRAM,
			    atoi(argv[4]), atoi(argv[5]));
	if (argc == 5 && !strcmp(argv[1], "hold"))
		return hold(family, atoi(argv[3]), atoi(argv[4]));
	if (argc == 5 && !strcmp(argv[1], "accept"))
		return take(family, atoi(argv[3]), atoi(argv[4]));
	if (argc == 3 && !strcmp(argv[1], "all"))
		return all(atoi(argv[2]));
	fprintf(stderr, "usage: see the source\n");
	return 2;
}
