// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * load FROM_NETNS FROM_ADDRESS TO_NETNS TO_ADDRESS PORT PACKETS: what a packet takes, on one CPU.
 *
 * In:  two network namespaces of ip-netns(8) that reach each other.
 * Out: nanoseconds a packet, of the batch that took the least time.
 *
 * UDP datagrams, one after the other: sent in one namespace, read in the other, by one thread. The least of many
 * short batches is what a packet takes when nothing comes in between.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 20
#define PAYLOAD 200
#define WARM_UP 5 /* batches that do not count */

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int socket_in(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		die("socket");
	return fd;
}

static struct sockaddr_in address(const char *text, int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons((unsigned short)port) };

	if (inet_pton(AF_INET, text, &addr.sin_addr) != 1)
		die(text);
	return addr;
}

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static long long run_batch(int tx, int rx)
{
	char payload[PAYLOAD] = { 0 };
	long long start = now_ns();
	int i;

	for (i = 0; i < BATCH; i++)
		if (send(tx, payload, sizeof(payload), 0) != PAYLOAD ||
		    recv(rx, payload, sizeof(payload), 0) != PAYLOAD)
			die("a packet is lost");
	return now_ns() - start;
}

int main(int argc, char **argv)
{
	struct timeval timeout = { .tv_sec = 5 };
	struct sockaddr_in from, to;
	long long took, least = -1;
	cpu_set_t cpu;
	int tx, rx, batches, i;

	if (argc != 7) {
		fputs("usage: load FROM_NETNS FROM_ADDRESS TO_NETNS TO_ADDRESS PORT PACKETS\n",
		      stderr);
		return 2;
	}
	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	from = address(argv[2], 0);
	to = address(argv[4], atoi(argv[5]));
	batches = atoi(argv[6]) / BATCH;
	tx = socket_in(argv[1]);
	rx = socket_in(argv[3]);
	if (bind(tx, (void *)&from, sizeof(from)) || bind(rx, (void *)&to, sizeof(to)) ||
	    connect(tx, (void *)&to, sizeof(to)) ||
	    setsockopt(rx, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		die("sockets");
	for (i = 0; i < batches + WARM_UP; i++) {
		took = run_batch(tx, rx);
		if (i >= WARM_UP && (least < 0 || took < least))
			least = took;
	}
	printf("%lld\n", least / BATCH);
	return 0;
}
