// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ICMP echo requests from inside a netns: see pinger.h.
 *
 * A ping socket (SOCK_DGRAM) is preferred: the kernel checks the sums and hands over only our own
 * replies. A raw socket sees every reply in the netns, so identifier and sequence are compared.
 */
#include "capture/pinger.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "kernel/netns_enter.h"

#define DEFAULT_TIMEOUT_MS 1000U
#define RAW_ICMP6_FILTER 1 /* ICMP6_FILTER: netinet/icmp6.h does not go with the kernel's */

/* The echo header is laid out the same in both families; it is all sent in network order. */
struct echo {
	u8 type;
	u8 code;
	u16 checksum;
	u16 id;
	u16 sequence;
	u8 payload[PINGER_PAYLOAD];
};

struct pinger {
	struct pinger_request request;
	char address[INET6_ADDRSTRLEN];
	struct sockaddr_storage to;
	socklen_t to_len;
	int sock;
	u16 id; /* of a raw socket; a ping socket gets its own from the kernel */
	int done_fd;
	int stop_fd;
	u64 rtt_sum_ns;
	struct pinger_result result;
	struct error err;
	int ret;
	pthread_t thread;
};

static bool is_ipv6(const struct pinger *pinger)
{
	return pinger->to.ss_family == AF_INET6;
}

/* The Internet checksum, which only a raw IPv4 socket leaves to us. */
static u16 checksum(const struct echo *echo)
{
	u16 words[sizeof(*echo) / 2];
	u32 sum = 0;
	size_t i;

	memcpy(words, echo, sizeof(words));
	for (i = 0; i < ARRAY_SIZE(words); i++)
		sum += words[i];
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (u16)~sum;
}

static int open_socket(struct pinger *pinger)
{
	int protocol = is_ipv6(pinger) ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int family = pinger->to.ss_family;

	pinger->sock = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (pinger->sock < 0) {
		/* ping_group_range does not let us, or the kernel has no ping sockets */
		pinger->result.raw_socket = true;
		pinger->sock = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	}
	if (pinger->sock < 0)
		return error_errno(&pinger->err, errno, "cannot open a socket to ping %s",
				   pinger->address);
	if (pinger->result.raw_socket && is_ipv6(pinger)) {
		struct icmp6_filter filter;

		/* a set bit blocks that type */
		memset(&filter, 0xff, sizeof(filter));
		filter.data[ICMPV6_ECHO_REPLY >> 5] &= ~(1U << (ICMPV6_ECHO_REPLY & 31));
		setsockopt(pinger->sock, IPPROTO_ICMPV6, RAW_ICMP6_FILTER, &filter, sizeof(filter));
	}
	if (connect(pinger->sock, (struct sockaddr *)&pinger->to, pinger->to_len))
		return error_errno(&pinger->err, errno, "cannot reach %s", pinger->address);
	return 0;
}

static int send_request(struct pinger *pinger, u16 sequence)
{
	struct echo echo = {
		.type = is_ipv6(pinger) ? ICMPV6_ECHO_REQUEST : ICMP_ECHO,
		.id = htons(pinger->id),
		.sequence = htons(sequence),
	};
	size_t i;

	for (i = 0; i < sizeof(echo.payload); i++)
		echo.payload[i] = (u8)i;
	if (pinger->result.raw_socket && !is_ipv6(pinger))
		echo.checksum = checksum(&echo);
	if (send(pinger->sock, &echo, sizeof(echo), MSG_NOSIGNAL) < 0)
		return error_errno(&pinger->err, errno, "cannot send a ping to %s",
				   pinger->address);
	pinger->result.sent++;
	return 0;
}

/* Whether what came in is the reply to this request. */
static bool is_reply(const struct pinger *pinger, const u8 *data, size_t len, u16 sequence)
{
	u8 type = is_ipv6(pinger) ? ICMPV6_ECHO_REPLY : ICMP_ECHOREPLY;
	struct echo echo;
	size_t skip = 0;

	/* only a raw IPv4 socket hands over the IP header */
	if (pinger->result.raw_socket && !is_ipv6(pinger) && len > 0)
		skip = (size_t)(data[0] & 15) * 4;
	if (len < skip + sizeof(echo))
		return false;
	memcpy(&echo, data + skip, sizeof(echo));
	return echo.type == type && ntohs(echo.sequence) == sequence &&
	       (!pinger->result.raw_socket || ntohs(echo.id) == pinger->id);
}

/*
 * Wait until @until_ns for something to read.
 *
 * Return: 1 when there is, 0 when the time is over, -ECANCELED when told to stop, or -errno.
 */
static int wait_readable(struct pinger *pinger, bool want_reply, u64 until_ns)
{
	struct pollfd fds[] = {
		{ .fd = pinger->stop_fd, .events = POLLIN },
		{ .fd = want_reply ? pinger->sock : -1, .events = POLLIN },
	};
	u64 now = now_ns();
	u64 left_ns = until_ns > now ? until_ns - now : 0;
	struct timespec left = {
		.tv_sec = (time_t)(left_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(left_ns % NSEC_PER_SEC),
	};

	if (ppoll(fds, ARRAY_SIZE(fds), &left, NULL) < 0)
		return error_errno(&pinger->err, errno, "cannot wait for a reply");
	if (fds[0].revents)
		return -ECANCELED;
	return fds[1].revents ? 1 : 0;
}

static void count_reply(struct pinger *pinger, u64 rtt_ns)
{
	struct pinger_result *result = &pinger->result;

	if (!result->received || rtt_ns < result->rtt_min_ns)
		result->rtt_min_ns = rtt_ns;
	if (rtt_ns > result->rtt_max_ns)
		result->rtt_max_ns = rtt_ns;
	result->received++;
	pinger->rtt_sum_ns += rtt_ns;
	result->rtt_avg_ns = pinger->rtt_sum_ns / result->received;
}

/* Wait for the reply; that none comes, or an ICMP error instead, is no failure. */
static int await_reply(struct pinger *pinger, u16 sequence, u64 sent_ns)
{
	u64 until = sent_ns + pinger->request.timeout_ms * NSEC_PER_MSEC;
	u8 data[256];
	ssize_t len;
	int ret;

	while ((ret = wait_readable(pinger, true, until)) > 0) {
		len = recv(pinger->sock, data, sizeof(data), 0);
		if (len < 0 && errno != EAGAIN && errno != EINTR)
			return 0;
		if (len > 0 && is_reply(pinger, data, (size_t)len, sequence)) {
			count_reply(pinger, now_ns() - sent_ns);
			return 0;
		}
	}
	return ret;
}

static int ping_all(struct pinger *pinger)
{
	u32 i;
	int ret = 0;

	for (i = 0; i < pinger->request.count && !ret; i++) {
		u64 interval = pinger->request.interval_ms * NSEC_PER_MSEC;
		u64 start = now_ns();

		if (wait_readable(pinger, false, start) == -ECANCELED)
			return -ECANCELED;
		ret = send_request(pinger, (u16)(i + 1));
		if (!ret)
			ret = await_reply(pinger, (u16)(i + 1), start);
		if (!ret && interval && i + 1 < pinger->request.count)
			ret = wait_readable(pinger, false, now_ns() + interval);
	}
	return ret;
}

static void *pinger_thread(void *arg)
{
	struct pinger *pinger = arg;
	int ret;

	pthread_setname_np(pthread_self(), "demo-ping");
	pinger->result.tid = (u32)gettid();
	pinger->id = (u16)gettid();
	ret = netns_enter(pinger->request.netns_fd, &pinger->err);
	if (!ret)
		ret = open_socket(pinger);
	if (!ret)
		ret = ping_all(pinger);
	if (pinger->sock >= 0)
		close(pinger->sock);
	pinger->ret = ret == -ECANCELED ? 0 : ret;
	eventfd_write(pinger->done_fd, 1);
	return NULL;
}

static int set_address(struct pinger *pinger, const char *address, struct error *err)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&pinger->to;
	struct sockaddr_in *four = (struct sockaddr_in *)&pinger->to;

	snprintf(pinger->address, sizeof(pinger->address), "%s", address);
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		pinger->to_len = sizeof(*four);
	} else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		pinger->to_len = sizeof(*six);
	} else {
		return error_set(err, EINVAL, "'%s' is no IP address", address);
	}
	return 0;
}

static void pinger_free(struct pinger *pinger)
{
	if (pinger->done_fd >= 0)
		close(pinger->done_fd);
	if (pinger->stop_fd >= 0)
		close(pinger->stop_fd);
	free(pinger);
}

int pinger_start(struct pinger **out, const struct pinger_request *request, struct error *err)
{
	struct pinger *pinger = calloc(1, sizeof(*pinger));
	int ret;

	if (!pinger)
		return error_errno(err, ENOMEM, "cannot ping");
	pinger->request = *request;
	pinger->request.address = pinger->address;
	if (!pinger->request.timeout_ms)
		pinger->request.timeout_ms = DEFAULT_TIMEOUT_MS;
	pinger->sock = -1;
	pinger->done_fd = eventfd(0, EFD_CLOEXEC);
	pinger->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pinger->done_fd < 0 || pinger->stop_fd < 0)
		ret = error_errno(err, errno, "cannot ping");
	else
		ret = set_address(pinger, request->address, err);
	if (!ret) {
		ret = netns_thread(&pinger->thread, pinger_thread, pinger);
		if (ret)
			error_errno(err, -ret, "cannot start a thread");
	}
	if (ret)
		pinger_free(pinger);
	else
		*out = pinger;
	return ret;
}

int pinger_fd(const struct pinger *pinger)
{
	return pinger->done_fd;
}

void pinger_stop(struct pinger *pinger)
{
	int saved = errno;

	eventfd_write(pinger->stop_fd, 1);
	errno = saved;
}

int pinger_finish(struct pinger *pinger, struct pinger_result *result, struct error *err)
{
	int ret;

	pthread_join(pinger->thread, NULL);
	ret = pinger->ret;
	if (result)
		*result = pinger->result;
	if (ret && err)
		*err = pinger->err;
	pinger_free(pinger);
	return ret;
}

int pinger_run(const struct pinger_request *request, struct pinger_result *result,
	       struct error *err)
{
	struct pinger *pinger;
	int ret = pinger_start(&pinger, request, err);

	return ret ? ret : pinger_finish(pinger, result, err);
}
