// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Netlink orders for calibration's network: see calibrate_link.h.
 */
#include "kernel/calibrate_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "kernel/rtnl.h"

#define IPT_SO_GET_INFO 64 /* linux/netfilter_ipv4/ip_tables.h, which does not go with ours */
#define PRIORITY_FIRST (-2147483647) /* before all that others have at a hook */

/* rtnl_request() takes NULL for memory that ran out. */
static struct nl_msg *whole(struct nl_msg *msg, bool ok)
{
	if (ok)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

int calnet_add_dummy(struct nl_sock *nl, const char *name, u32 ifindex, struct error *err)
{
	struct ifinfomsg header = { .ifi_index = (int)ifindex,
				    .ifi_flags = IFF_UP,
				    .ifi_change = IFF_UP };
	struct nl_msg *msg =
		rtnl_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	struct nlattr *info = NULL;
	int ret;

	if (msg && !nla_put_string(msg, IFLA_IFNAME, name))
		info = nla_nest_start(msg, IFLA_LINKINFO);
	msg = whole(msg, info && !nla_put_string(msg, IFLA_INFO_KIND, "dummy"));
	if (msg)
		nla_nest_end(msg, info);
	ret = rtnl_request(nl, msg, NULL, NULL, err);
	if (ret)
		error_prepend(err, "cannot make a dummy device%s: ",
			      ret == -EOPNOTSUPP ? " (does this kernel have CONFIG_DUMMY?)" : "");
	return ret;
}

int calnet_add_address(struct nl_sock *nl, u32 ifindex, int family, const void *address,
		       u8 prefix_bits, struct error *err)
{
	int len = family == AF_INET6 ? 16 : 4;
	struct ifaddrmsg header = { .ifa_family = (u8)family,
				    .ifa_prefixlen = prefix_bits,
				    .ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0,
				    .ifa_index = ifindex };
	struct nl_msg *msg =
		rtnl_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	int ret;

	msg = whole(msg, msg && !nla_put(msg, IFA_LOCAL, len, address) &&
				 !nla_put(msg, IFA_ADDRESS, len, address));
	ret = rtnl_request(nl, msg, NULL, NULL, err);
	if (ret)
		error_prepend(err, "cannot give a dummy device an address: ");
	return ret;
}

/* ---- nf_tables: all orders of a batch go in one message */

/* A message of the batch, to be closed with put(); NULL when memory ran out. */
static struct nl_msg *nft_message(int type, int flags, u8 family, u16 resource)
{
	struct nfgenmsg header = { .nfgen_family = family, .res_id = htons(resource) };

	return rtnl_message(type, NLM_F_REQUEST | flags, &header, sizeof(header));
}

static bool put(struct strbuf *batch, struct nl_msg *msg, u32 seq)
{
	struct nlmsghdr *header;

	if (!msg)
		return false;
	header = nlmsg_hdr(msg);
	header->nlmsg_seq = seq;
	header->nlmsg_pid = 0;
	strbuf_put(batch, (const char *)header, header->nlmsg_len);
	while (batch->len % NLMSG_ALIGNTO)
		strbuf_putc(batch, '\0');
	nlmsg_free(msg);
	return !batch->failed;
}

static struct nl_msg *table_message(u8 family, const char *table)
{
	struct nl_msg *msg = nft_message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE,
					 NLM_F_CREATE | NLM_F_ACK, family, 0);

	return whole(msg, msg && !nla_put_string(msg, NFTA_TABLE_NAME, table));
}

static struct nl_msg *chain_message(u8 family, const char *table, const struct calnet_chain *chain)
{
	struct nl_msg *msg = nft_message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN,
					 NLM_F_CREATE | NLM_F_ACK, family, 0);
	struct nlattr *hook = NULL;

	if (msg && !nla_put_string(msg, NFTA_CHAIN_TABLE, table) &&
	    !nla_put_string(msg, NFTA_CHAIN_NAME, chain->name))
		hook = nla_nest_start(msg, NFTA_CHAIN_HOOK);
	if (!hook || nla_put_u32(msg, NFTA_HOOK_HOOKNUM, htonl(chain->hook)) ||
	    nla_put_u32(msg, NFTA_HOOK_PRIORITY, htonl((u32)PRIORITY_FIRST)))
		return whole(msg, false);
	nla_nest_end(msg, hook);
	return whole(msg, !nla_put_string(msg, NFTA_CHAIN_TYPE, "filter"));
}

/* Each order is answered before send() returns; the first refusal counts. */
static int take_answers(int fd, size_t expected)
{
	u8 bytes[8192];
	struct nlmsghdr *header = (struct nlmsghdr *)bytes;
	struct nlmsgerr *answer;
	size_t seen = 0;
	int left;

	while (seen < expected) {
		left = (int)recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (left < 0)
			return -errno;
		for (header = (struct nlmsghdr *)bytes; nlmsg_ok(header, left);
		     header = nlmsg_next(header, &left)) {
			answer = nlmsg_data(header);
			if (header->nlmsg_type != NLMSG_ERROR)
				continue;
			if (answer->error)
				return answer->error;
			seen++;
		}
	}
	return 0;
}

int calnet_add_chains(u8 family, const char *table, const struct calnet_chain *chains, size_t nr)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct strbuf batch = STRBUF_INIT;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	bool ok;
	size_t i;
	int ret;

	if (fd < 0)
		return -errno;
	ok = put(&batch, nft_message(NFNL_MSG_BATCH_BEGIN, 0, 0, NFNL_SUBSYS_NFTABLES), 0) &&
	     put(&batch, table_message(family, table), 1);
	for (i = 0; i < nr && ok; i++)
		ok = put(&batch, chain_message(family, table, &chains[i]), (u32)i + 2);
	ok = ok && put(&batch, nft_message(NFNL_MSG_BATCH_END, 0, 0, NFNL_SUBSYS_NFTABLES), 99);
	ret = ok ? 0 : -ENOMEM;
	if (!ret &&
	    sendto(fd, batch.data, batch.len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		ret = -errno;
	if (!ret)
		ret = take_answers(fd, nr + 1);
	strbuf_free(&batch);
	close(fd);
	return ret;
}

/* The kernel makes a table in a netns when it is asked about it the first time. */
int calnet_use_xt_table(const char *name)
{
	struct {
		char name[32];
		u32 numbers[13];
	} info = { 0 };
	socklen_t len = sizeof(info);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	int ret = 0;

	if (fd < 0)
		return -errno;
	snprintf(info.name, sizeof(info.name), "%s", name);
	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &len))
		ret = -errno;
	close(fd);
	return ret;
}
