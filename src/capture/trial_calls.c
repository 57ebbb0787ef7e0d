// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kinds of system calls, and what is true of a socket: see trial_calls.h.
 */
#include "capture/trial_calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	long nr;
	u8 kind;
	bool one_message;
} kinds[] = {
#ifdef SYS_connect
	{ "connect", SYS_connect, TRIAL_CONNECT, false },
#endif
#ifdef SYS_accept
	{ "accept", SYS_accept, TRIAL_ACCEPT, false },
#endif
#ifdef SYS_accept4
	{ "accept4", SYS_accept4, TRIAL_ACCEPT, false },
#endif
#ifdef SYS_sendto
	{ "sendto", SYS_sendto, TRIAL_SEND, true },
#endif
#ifdef SYS_send
	{ "send", SYS_send, TRIAL_SEND, true },
#endif
	{ "sendmsg", SYS_sendmsg, TRIAL_SEND, true },
	{ "sendmmsg", SYS_sendmmsg, TRIAL_SEND, false },
	{ "sendfile", SYS_sendfile, TRIAL_SEND, true },
	{ "write", SYS_write, TRIAL_SEND, true },
	{ "writev", SYS_writev, TRIAL_SEND, true },
#ifdef SYS_recvfrom
	{ "recvfrom", SYS_recvfrom, TRIAL_RECEIVE, true },
#endif
#ifdef SYS_recv
	{ "recv", SYS_recv, TRIAL_RECEIVE, true },
#endif
	{ "recvmsg", SYS_recvmsg, TRIAL_RECEIVE, true },
	{ "recvmmsg", SYS_recvmmsg, TRIAL_RECEIVE, false },
	{ "read", SYS_read, TRIAL_RECEIVE, true },
	{ "readv", SYS_readv, TRIAL_RECEIVE, true },
};

u8 trial_call_kind(u64 nr, bool *one_message)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if ((u64)kinds[i].nr != nr)
			continue;
		*one_message = kinds[i].one_message;
		return kinds[i].kind;
	}
	return 0;
}

long trial_call_number(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].nr;
	return -1;
}

void trial_calls_free(struct trial_calls *calls)
{
	free(calls->call);
	memset(calls, 0, sizeof(*calls));
}

int trial_calls_add(struct trial_calls *calls, const struct trial_call *call)
{
	struct trial_call *more;
	size_t cap;

	if (calls->nr == TRIAL_CALLS_MAX) {
		calls->cut = true;
		return 0;
	}
	if (calls->nr == calls->cap) {
		cap = calls->cap ? calls->cap * 2 : 256;
		more = realloc(calls->call, cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		calls->call = more;
		calls->cap = cap;
	}
	calls->call[calls->nr++] = *call;
	return 0;
}

void trial_take_end(const struct sockaddr_storage *from, socklen_t len, struct trial_end *end)
{
	const struct sockaddr_in6 *six = (const void *)from;
	const struct sockaddr_in *four = (const void *)from;

	memset(end, 0, sizeof(*end));
	if (from->ss_family == AF_INET && len >= sizeof(*four)) {
		end->port = ntohs(four->sin_port);
		memcpy(end->addr, &four->sin_addr, 4);
	} else if (from->ss_family == AF_INET6 && len >= sizeof(*six) - sizeof(u32)) {
		end->port = ntohs(six->sin6_port);
		memcpy(end->addr, &six->sin6_addr, 16);
	} else {
		return;
	}
	end->family = from->ss_family;
}

static void ask_socket(int fd, struct trial_truth *truth)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(int);
	int domain;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len))
		return;
	truth->family = (u16)domain;
	len = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &truth->protocol, &len))
		truth->protocol = 0;
	len = sizeof(addr);
	if (!getsockname(fd, (struct sockaddr *)&addr, &len))
		trial_take_end(&addr, len, &truth->local);
	len = sizeof(addr);
	if (!getpeername(fd, (struct sockaddr *)&addr, &len))
		trial_take_end(&addr, len, &truth->remote);
}

void trial_ask(int pidfd, int fd, struct trial_truth *truth)
{
	int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	memset(truth, 0, sizeof(*truth));
	if (copy < 0)
		return;
	ask_socket(copy, truth);
	close(copy);
}
