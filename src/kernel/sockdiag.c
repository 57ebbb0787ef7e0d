// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The inventory of sockets by NETLINK_SOCK_DIAG: see sockdiag.h. Who holds them is in sockdiag_owners.c.
 *
 * All netns are gone through on one thread made for it, which ends with the call.
 */
#include "kernel/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "kernel/netns_enter.h"
#include "kernel/netns_targets.h"
#include "kernel/rtnl.h"

#define MAX_SOCKETS 1000000U
#define DUMP_TRIES 3
/* of include/net/tcp_states.h, which is not for user space */
#define STATE_SYN_RECV 3
#define STATE_TIME_WAIT 6
#define STATE_NEW_SYN_RECV 12
#define NO_SOCKETS (1U << STATE_SYN_RECV | 1U << STATE_TIME_WAIT | 1U << STATE_NEW_SYN_RECV)

struct take {
	struct sockdiag *out;
	const struct sockdiag_options *options;
	struct nl_sock *sock;
	size_t max;
	pid_t caller;
	u32 netns;
	u16 proto;
	bool listed; /* at least one request was answered */
};

static void note(struct sockdiag *out, const char *what, const struct error *err)
{
	if (!out->incomplete[0])
		snprintf(out->incomplete, sizeof(out->incomplete), "%s: %.200s", what, err->text);
}

/*
 * Places in struct tcp_info of <linux/tcp.h>, which is only ever added to. The header does not go together with
 * <netinet/tcp.h>, which libnl includes.
 */
enum {
	INFO_RTT = 68,
	INFO_TOTAL_RETRANS = 100,
	INFO_BYTES_ACKED = 120,
	INFO_BYTES_RECEIVED = 128,
	INFO_END = 136, /* older kernels have no more than before these */
};

static void parse_info(const struct nlattr *attr, struct sockdiag_entry *entry)
{
	const u8 *info = nla_data(attr);

	if (nla_len(attr) < INFO_END)
		return;
	entry->rtt_us = load_u32(info + INFO_RTT, false);
	entry->retransmits = load_u32(info + INFO_TOTAL_RETRANS, false);
	entry->bytes_acked = load_u64(info + INFO_BYTES_ACKED, false);
	entry->bytes_received = load_u64(info + INFO_BYTES_RECEIVED, false);
	entry->has_info = true;
}

static void parse_addrs(const struct inet_diag_sockid *id, u8 family, u16 proto,
			struct sock_addrs *addrs)
{
	addrs->proto = proto;
	addrs->lport = ntohs(id->idiag_sport);
	addrs->rport = ntohs(id->idiag_dport);
	addrs->family = family == AF_INET6 ? 6 : 4;
	if (family == AF_INET6) {
		memcpy(addrs->local, id->idiag_src, sizeof(addrs->local));
		memcpy(addrs->remote, id->idiag_dst, sizeof(addrs->remote));
	} else {
		sock_addr_map(addrs->local, id->idiag_src);
		sock_addr_map(addrs->remote, id->idiag_dst);
	}
}

int sockdiag_parse(const void *answer, size_t len, u16 proto, struct sockdiag_entry *entry)
{
	struct nlattr *tb[INET_DIAG_MAX + 1];
	const struct nlmsghdr *hdr = answer;
	struct inet_diag_msg msg;

	memset(entry, 0, sizeof(*entry));
	if (len < sizeof(*hdr) || hdr->nlmsg_len > len ||
	    hdr->nlmsg_len < NLMSG_LENGTH(sizeof(msg)) || hdr->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -EINVAL;
	memcpy(&msg, NLMSG_DATA(hdr), sizeof(msg));
	if (msg.idiag_family != AF_INET && msg.idiag_family != AF_INET6)
		return -EINVAL;
	if (nlmsg_parse((struct nlmsghdr *)hdr, sizeof(msg), tb, INET_DIAG_MAX, NULL))
		return -EINVAL;
	parse_addrs(&msg.id, msg.idiag_family, proto, &entry->addrs);
	entry->cookie = (u64)msg.id.idiag_cookie[1] << 32 | msg.id.idiag_cookie[0];
	entry->ifindex = msg.id.idiag_if;
	entry->inode = msg.idiag_inode;
	entry->uid = msg.idiag_uid;
	entry->state = msg.idiag_state;
	if (tb[INET_DIAG_INFO] && proto == IPPROTO_TCP)
		parse_info(tb[INET_DIAG_INFO], entry);
	return 0;
}

static int add_entry(struct take *take, const struct sockdiag_entry *entry)
{
	struct sockdiag *out = take->out;
	size_t cap = out->cap ? out->cap * 2 : 256;
	struct sockdiag_entry *grown;

	if (out->nr >= take->max) {
		out->cut++;
		return 0;
	}
	if (out->nr == out->cap) {
		grown = reallocarray(out->entry, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		out->entry = grown;
		out->cap = cap;
	}
	out->entry[out->nr] = *entry;
	out->entry[out->nr++].netns = take->netns;
	return 0;
}

static int take_answer(struct nlmsghdr *answer, void *arg)
{
	struct sockdiag_entry entry;
	struct take *take = arg;

	if (sockdiag_parse(answer, answer->nlmsg_len, take->proto, &entry))
		return 0;
	return add_entry(take, &entry);
}

/* One protocol and family of the netns that the socket is of. */
static int dump(struct take *take, u8 family, u16 proto, struct error *err)
{
	struct inet_diag_req_v2 request = {
		.sdiag_family = family,
		.sdiag_protocol = (u8)proto,
		.idiag_ext = 1U << (INET_DIAG_INFO - 1),
		.idiag_states = proto == IPPROTO_TCP ? ~NO_SOCKETS : ~0U,
	};
	size_t before = take->out->nr;
	int ret, tries = 0;

	take->proto = proto;
	do {
		take->out->nr = before;
		ret = rtnl_request(take->sock,
				   rtnl_message(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP,
						&request, sizeof(request)),
				   take_answer, take, err);
	} while (ret == -EAGAIN && ++tries < DUMP_TRIES);
	return ret;
}

static int take_netns(struct take *take, struct error *err)
{
	static const struct {
		u8 family;
		u16 proto;
		const char *what;
	} kinds[] = {
		{ AF_INET, IPPROTO_TCP, "TCP over IPv4" },
		{ AF_INET6, IPPROTO_TCP, "TCP over IPv6" },
		{ AF_INET, IPPROTO_UDP, "UDP over IPv4" },
		{ AF_INET6, IPPROTO_UDP, "UDP over IPv6" },
	};
	struct error why = { 0 };
	size_t i;
	int ret = rtnl_open_sock_diag(&take->sock, &why);

	if (ret)
		note(take->out, "sockets of a network namespace", &why);
	for (i = 0; !ret && i < ARRAY_SIZE(kinds); i++) {
		ret = dump(take, kinds[i].family, kinds[i].proto, &why);
		if (ret == -ENOMEM)
			break;
		if (ret)
			note(take->out, kinds[i].what, &why);
		else
			take->listed = true;
		ret = 0;
	}
	nl_socket_free(take->sock);
	take->sock = NULL;
	if (ret == -ENOMEM)
		return error_errno(err, ENOMEM, "cannot list the sockets");
	take->out->netns_read++;
	return 0;
}

/* The thread goes there and stays. */
static int take_at(struct take *take, int fd, u32 inum, struct error *err)
{
	struct error why = { 0 };
	int ret = netns_enter(fd, &why);

	take->netns = inum;
	if (!ret)
		return take_netns(take, err);
	note(take->out, "a network namespace", &why);
	return 0;
}

static int take_given(struct take *take, struct error *err)
{
	const struct sockdiag_options *o = take->options;
	size_t i;
	int ret = 0;

	for (i = 0; i < o->nr_netns && !ret; i++)
		ret = take_at(take, o->netns_fd[i], o->netns_inum ? o->netns_inum[i] : 0, err);
	return ret;
}

static int take_all(void *arg, struct error *err)
{
	struct netns_targets targets = { 0 };
	struct error why = { 0 };
	struct take *take = arg;
	size_t i;
	int fd, ret;

	if (take->options->netns_fd)
		return take_given(take, err);
	ret = netns_targets_find(&targets, take->caller, NULL, err);
	for (i = 0; i < targets.nr && !ret; i++) {
		fd = netns_targets_open(&targets, targets.list[i].inum);
		if (fd < 0) {
			/* one that has gone has no sockets */
			if (fd != -ENOENT) {
				error_errno(&why, -fd, "cannot open it");
				note(take->out, "a network namespace", &why);
			}
			continue;
		}
		ret = take_at(take, fd, (u32)targets.list[i].inum, err);
		close(fd);
	}
	netns_targets_free(&targets);
	return ret;
}

int sockdiag_take(struct sockdiag *out, const struct sockdiag_options *options, struct error *err)
{
	static const struct sockdiag_options defaults = { .owners = true };
	struct take take = { .out = out, .options = options ? options : &defaults };
	int ret;

	memset(out, 0, sizeof(*out));
	take.max = take.options->max ? take.options->max : MAX_SOCKETS;
	take.caller = gettid();
	ret = netns_call(-1, take_all, &take, err);
	if (!ret && !take.listed)
		ret = error_set(err, EIO, "the kernel does not list its sockets: %s",
				out->incomplete[0] ? out->incomplete : "no network namespace");
	if (!ret && take.options->owners) {
		ret = sockdiag_owners(out, take.options->root ? take.options->root : "");
		if (ret)
			error_errno(err, -ret, "cannot look for the owners of sockets");
	}
	return ret;
}

void sockdiag_free(struct sockdiag *diag)
{
	free(diag->entry);
	memset(diag, 0, sizeof(*diag));
}
