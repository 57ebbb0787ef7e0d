// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flowcost: what a call takes that sends or receives 16 bytes over a connection.
 *
 * Prints nanoseconds: of send() the fifth percentile and the median, of recv() the same, of 400 batches of 100 calls each. The
 * socket is corked while a batch is sent, so no packet leaves within it: the call alone is timed. One process on one CPU;
 * the fifth percentile of many batches is free of what else the machine does.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define BATCHES 400
#define CALLS 100
#define SIZE 16

static char buffer[SIZE];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return x < y ? -1 : x > y;
}

static void cork(int fd, int on)
{
	if (setsockopt(fd, SOL_TCP, TCP_CORK, &on, sizeof(on)))
		die("TCP_CORK");
}

static long long sends(int fd)
{
	long long begin;
	int i;

	cork(fd, 1);
	begin = now();
	for (i = 0; i < CALLS; i++)
		if (send(fd, buffer, SIZE, 0) != SIZE)
			die("send");
	begin = now() - begin;
	cork(fd, 0);
	return begin;
}

static long long receives(int fd)
{
	long long begin;
	int i;

	/* all of it is there before the first call */
	while (recv(fd, NULL, CALLS * SIZE, MSG_PEEK | MSG_TRUNC) != CALLS * SIZE)
		;
	begin = now();
	for (i = 0; i < CALLS; i++)
		if (recv(fd, buffer, SIZE, 0) != SIZE)
			die("recv");
	return now() - begin;
}

static void tell(long long *t)
{
	qsort(t, BATCHES, sizeof(*t), compare);
	printf(" %lld %lld", t[BATCHES / 20] / CALLS, t[BATCHES / 2] / CALLS);
}

int main(void)
{
	static long long sent[BATCHES], received[BATCHES];
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int l = socket(AF_INET, SOCK_STREAM, 0), a = socket(AF_INET, SOCK_STREAM, 0), b, i;
	socklen_t len = sizeof(at);
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
	if (bind(l, (struct sockaddr *)&at, len) || listen(l, 1) ||
	    getsockname(l, (struct sockaddr *)&at, &len) || connect(a, (struct sockaddr *)&at, len))
		die("connect");
	b = accept(l, NULL, NULL);
	if (b < 0)
		die("accept");
	for (i = 0; i < BATCHES; i++) {
		sent[i] = sends(a);
		received[i] = receives(b);
	}
	tell(sent);
	tell(received);
	putchar('\n');
	return 0;
}
