/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions and orders to the kernel's networking over rtnetlink.
 *
 * In:  a message built with libnl's nlmsg_ and nla_ functions.
 * Out: the kernel's answers, and when it refuses, its errno and its own words.
 *
 * A socket speaks of the netns its maker's thread was in, for as long as it lives.
 */
#ifndef SKBTRAIL_KERNEL_RTNL_H
#define SKBTRAIL_KERNEL_RTNL_H

#include <netlink/msg.h>
#include <netlink/socket.h>

#include "base/error.h"
#include "base/types.h"

/**
 * rtnl_open - a socket in the calling thread's netns, to be freed with nl_socket_free()
 *
 * Return: 0 or -errno.
 */
int rtnl_open(struct nl_sock **out, struct error *err);

/** rtnl_open_netfilter - the same for nfnetlink, with which the functions below work, too */
int rtnl_open_netfilter(struct nl_sock **out, struct error *err);

/** rtnl_open_sock_diag - the same for the inventory of sockets */
int rtnl_open_sock_diag(struct nl_sock **out, struct error *err);

/** rtnl_message - an empty request with a family header; NULL when memory ran out */
struct nl_msg *rtnl_message(int type, int flags, const void *header, size_t len);

/** rtnl_answer - called with each answer; a negative return ends the request with it */
typedef int (*rtnl_answer)(struct nlmsghdr *answer, void *arg);

/**
 * rtnl_request - send a request and take its answers up to the acknowledgement
 * @msg: freed in any case; NULL (memory ran out while it was built) fails with -ENOMEM
 * @answer: NULL when the answers do not matter
 * @err: gets only what the kernel said, "File exists (EEXIST)": the caller prepends what it wanted
 *
 * With NLM_F_DUMP among the flags all parts are read; -EAGAIN says that the list changed
 * meanwhile, so that what was handed over may lack something.
 *
 * Return: 0 or -errno.
 */
int rtnl_request(struct nl_sock *sock, struct nl_msg *msg, rtnl_answer answer, void *arg,
		 struct error *err);

/** rtnl_lo_up - set the loopback device of the socket's netns up; Return: 0 or -errno, with @err in full */
int rtnl_lo_up(struct nl_sock *sock, struct error *err);

/** rtnl_u32 - an attribute's value; 0 when it is absent or too short */
static inline u32 rtnl_u32(const struct nlattr *attr)
{
	return attr && nla_len(attr) >= 4 ? nla_get_u32(attr) : 0;
}

#endif
