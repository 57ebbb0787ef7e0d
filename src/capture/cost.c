// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Timing packets on a loopback device of our own: see cost.h for what the numbers are.
 *
 * Nothing of it outlives the link: the namespace is held by the two sockets alone, and the thread that made
 * it is gone when cost_link_open() returns.
 */
#include "capture/cost.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "kernel/netns_enter.h"
#include "kernel/rtnl.h"

/* Packets: enough for the clock, few enough that some batches go undisturbed on a busy CPU. */
#define BATCH 16
#define BATCHES 100	 /* at most ... */
#define BATCHES_LEAST 10 /* ... and at least, however slow the machine is */
#define TIME_MAX_NS (60 * NSEC_PER_MSEC)
#define PAYLOAD_BYTES 64
#define TIMEOUT_S 1

struct cost_link {
	int tx, rx;
};

/* The receiver is bound to any port, the sender connected to it. */
static int open_sockets(struct cost_link *link, struct error *err)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	link->rx = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	link->tx = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (link->rx < 0 || link->tx < 0 || bind(link->rx, (struct sockaddr *)&addr, len) ||
	    getsockname(link->rx, (struct sockaddr *)&addr, &len) ||
	    setsockopt(link->rx, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ||
	    connect(link->tx, (struct sockaddr *)&addr, len))
		return error_errno(err, errno, "no sockets for timing packets");
	return 0;
}

static int make_link(void *arg, struct error *err)
{
	struct nl_sock *sock = NULL;
	int ret;

	if (unshare(CLONE_NEWNET))
		return error_errno(err, errno, "no network namespace for timing packets");
	ret = rtnl_open(&sock, err);
	if (!ret)
		ret = rtnl_lo_up(sock, err);
	nl_socket_free(sock);
	return ret ? ret : open_sockets(arg, err);
}

int cost_link_open(struct cost_link **out, struct error *err)
{
	struct cost_link *link = malloc(sizeof(*link));
	int ret;

	*out = NULL;
	if (!link)
		return error_errno(err, ENOMEM, "cannot time packets");
	link->tx = link->rx = -1;
	ret = netns_call(-1, make_link, link, err);
	if (ret) {
		cost_link_close(link);
		return ret;
	}
	*out = link;
	return 0;
}

void cost_link_close(struct cost_link *link)
{
	if (!link)
		return;
	if (link->tx >= 0)
		close(link->tx);
	if (link->rx >= 0)
		close(link->rx);
	free(link);
}

static int run_batch(const struct cost_link *link, u64 *took_ns)
{
	char payload[PAYLOAD_BYTES] = { 0 };
	u64 start = now_ns();
	int i;

	errno = 0; /* a short count sets none */
	for (i = 0; i < BATCH; i++)
		if (send(link->tx, payload, sizeof(payload), 0) != sizeof(payload) ||
		    recv(link->rx, payload, sizeof(payload), 0) != sizeof(payload))
			return errno ? -errno : -EIO;
	*took_ns = now_ns() - start;
	return 0;
}

/*
 * The least of several batches, and of the records that they left on @cpu when there is a @session. Each for
 * itself: other packets on this CPU add to both, never take away.
 */
static int run_batches(const struct cost_link *link, const struct session *session, u32 cpu,
		       u64 *least_ns, u32 *fewest)
{
	u64 start = now_ns(), took, before = 0, after = 0;
	int ret, i;

	*least_ns = UINT64_MAX;
	*fewest = UINT32_MAX;
	for (i = 0; i < BATCHES; i++) {
		if (i >= BATCHES_LEAST && now_ns() - start > TIME_MAX_NS)
			break;
		ret = session ? session_cpu_written(session, cpu, &before) : 0;
		if (!ret)
			ret = run_batch(link, &took);
		if (!ret && session)
			ret = session_cpu_written(session, cpu, &after);
		if (ret)
			return ret;
		if (took < *least_ns)
			*least_ns = took;
		if (after - before < *fewest)
			*fewest = (u32)(after - before);
	}
	return 0;
}

/* run_batches() on one CPU, the one that we are on. */
static int run_pinned(const struct cost_link *link, const struct session *session, u64 *least_ns,
		      u32 *fewest)
{
	cpu_set_t before, one;
	int cpu = sched_getcpu();
	int ret;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return -ENOSYS;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_getaffinity(0, sizeof(before), &before) ||
	    sched_setaffinity(0, sizeof(one), &one))
		return -errno;
	ret = run_batches(link, session, (u32)cpu, least_ns, fewest);
	sched_setaffinity(0, sizeof(before), &before);
	return ret;
}

int cost_time_off(struct cost_link *link, struct cost *cost, struct error *err)
{
	u32 none;
	int ret = run_pinned(link, NULL, &cost->off_ns, &none);

	cost->packets = ret ? 0 : BATCH;
	return ret ? error_errno(err, -ret, "cannot time packets") : 0;
}

int cost_time_on(struct cost_link *link, struct session *session, struct cost *cost,
		 struct error *err)
{
	int ret = session_clear(session), late;

	if (ret)
		return error_errno(err, -ret, "cannot empty the buffers");
	ret = session_start(session, err);
	if (ret)
		return ret;
	ret = run_pinned(link, session, &cost->on_ns, &cost->records);
	if (ret)
		error_errno(err, -ret, "cannot time packets with tracing on");
	late = session_stop(session, ret ? NULL : err);
	if (!ret)
		ret = late;
	late = session_clear(session);
	if (!ret && late)
		ret = error_errno(err, -late, "cannot empty the buffers");
	if (ret)
		cost->on_ns = 0;
	return ret;
}
