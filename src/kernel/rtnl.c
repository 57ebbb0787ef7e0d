// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnetlink requests over libnl: see rtnl.h.
 *
 * libnl folds errnos into fewer codes of its own, so the kernel's errno and its extended message
 * are taken from the raw error message.
 */
#include "kernel/rtnl.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/socket.h>

#define RECEIVE_BYTES 65536 /* the kernel fills at most 32 KiB per part of a dump */

struct exchange {
	rtnl_answer answer;
	void *arg;
	struct error *err;
	int ret; /* 1 while it goes on */
};

static int open_socket(struct nl_sock **out, int protocol, struct error *err)
{
	struct nl_sock *sock = nl_socket_alloc();
	int on = 1;
	int ret;

	if (!sock)
		return error_errno(err, ENOMEM, "cannot open a netlink socket");
	errno = 0;
	ret = nl_connect(sock, protocol);
	if (!ret)
		ret = nl_socket_set_msg_buf_size(sock, RECEIVE_BYTES);
	if (ret) {
		ret = errno ? errno : EIO;
		nl_socket_free(sock);
		return error_errno(err, ret, "cannot open a netlink socket");
	}
	nl_socket_disable_auto_ack(sock);
	/* the kernel's own words in errors, without a copy of the request; old ones have neither */
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	*out = sock;
	return 0;
}

int rtnl_open(struct nl_sock **out, struct error *err)
{
	return open_socket(out, NETLINK_ROUTE, err);
}

int rtnl_open_netfilter(struct nl_sock **out, struct error *err)
{
	return open_socket(out, NETLINK_NETFILTER, err);
}

int rtnl_open_sock_diag(struct nl_sock **out, struct error *err)
{
	return open_socket(out, NETLINK_SOCK_DIAG, err);
}

struct nl_msg *rtnl_message(int type, int flags, const void *header, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)header, len, NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* The extended message behind a struct nlmsgerr, NULL when there is none. */
static const char *error_words(struct nlmsgerr *nlerr)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)((char *)nlerr - NLMSG_HDRLEN);
	size_t skip = sizeof(*nlerr);
	struct nlattr *attr;

	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED))
		skip += nlerr->msg.nlmsg_len - NLMSG_HDRLEN;
	skip = NLMSG_ALIGN(skip);
	if (hdr->nlmsg_len < NLMSG_HDRLEN + skip)
		return NULL;
	attr = nla_find((struct nlattr *)((char *)nlerr + skip),
			(int)(hdr->nlmsg_len - NLMSG_HDRLEN - skip), NLMSGERR_ATTR_MSG);
	if (!attr || !memchr(nla_data(attr), '\0', (size_t)nla_len(attr)))
		return NULL;
	return nla_get_string(attr);
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *nlerr, void *arg)
{
	struct exchange *exchange = arg;
	const char *words = error_words(nlerr);

	(void)from;
	exchange->ret = nlerr->error < 0 ? nlerr->error : -EIO;
	error_set(exchange->err, -exchange->ret, "%s (%s)%s%s", strerror(-exchange->ret),
		  error_name(-exchange->ret), words ? ": the kernel says: " : "",
		  words ? words : "");
	return NL_STOP;
}

static int on_end(struct nl_msg *msg, void *arg)
{
	struct exchange *exchange = arg;

	(void)msg;
	if (exchange->ret > 0)
		exchange->ret = 0;
	return NL_STOP;
}

static int on_answer(struct nl_msg *msg, void *arg)
{
	struct exchange *exchange = arg;
	int ret;

	if (exchange->ret < 0 || !exchange->answer)
		return NL_OK;
	ret = exchange->answer(nlmsg_hdr(msg), exchange->arg);
	if (ret < 0) {
		exchange->ret = ret;
		error_set(exchange->err, -ret, "%s (%s)", strerror(-ret), error_name(-ret));
	}
	return NL_OK; /* read on to the end, so that nothing is left in the socket */
}

static int receive_all(struct nl_sock *sock, struct nl_cb *cb, struct exchange *exchange)
{
	int code = 0;

	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_answer, exchange);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, exchange);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, exchange);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, exchange);
	while (exchange->ret > 0 && code >= 0)
		code = nl_recvmsgs(sock, cb);
	if (code == -NLE_DUMP_INTR && exchange->ret >= 0)
		return error_errno(exchange->err, EAGAIN, "the list changed while it was read");
	if (exchange->ret > 0)
		return error_set(exchange->err, EIO, "rtnetlink: %s", nl_geterror(code));
	return exchange->ret;
}

int rtnl_request(struct nl_sock *sock, struct nl_msg *msg, rtnl_answer answer, void *arg,
		 struct error *err)
{
	struct exchange exchange = { .answer = answer, .arg = arg, .err = err, .ret = 1 };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!msg || !cb) {
		ret = error_errno(err, ENOMEM, "rtnetlink");
		goto out;
	}
	if ((nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_ACK;
	ret = nl_send_auto(sock, msg);
	ret = ret < 0 ? error_set(err, EIO, "rtnetlink: %s", nl_geterror(ret)) :
			receive_all(sock, cb, &exchange);
out:
	if (cb)
		nl_cb_put(cb);
	nlmsg_free(msg);
	return ret;
}

int rtnl_lo_up(struct nl_sock *sock, struct error *err)
{
	/* Each netns has it from the beginning, as its first. */
	struct ifinfomsg lo = { .ifi_index = 1, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	int ret =
		rtnl_request(sock, rtnl_message(RTM_NEWLINK, 0, &lo, sizeof(lo)), NULL, NULL, err);

	if (ret)
		error_prepend(err, "cannot set lo up: ");
	return ret;
}
