// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking for NAT: see nat.h.
 *
 * Kernel facts: net/netfilter/nf_tables_api.c (a base chain has a type), net/netfilter/x_tables.c
 * (/proc/net/ip_tables_names has the tables that were ever used in that netns).
 */
#include "kernel/nat.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "kernel/netns_enter.h"
#include "kernel/netns_targets.h"
#include "kernel/rtnl.h"

#define NAMES_MAX 4096

struct look {
	bool nftables;
	bool found;
};

static int take_chain(struct nlmsghdr *answer, void *arg)
{
	struct look *look = arg;
	struct nlattr *type;

	if (answer->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN))
		return 0;
	type = nlmsg_find_attr(answer, sizeof(struct nfgenmsg), NFTA_CHAIN_TYPE);
	if (type && nla_len(type) >= 4 && !memcmp(nla_data(type), "nat", 4))
		look->found = true;
	return 0;
}

static int look_at_chains(struct look *look, struct error *err)
{
	const struct nfgenmsg header = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };
	struct nl_sock *sock;
	int ret;

	ret = rtnl_open_netfilter(&sock, err);
	if (ret)
		return ret;
	ret = rtnl_request(sock,
			   rtnl_message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
					NLM_F_REQUEST | NLM_F_DUMP, &header, sizeof(header)),
			   take_chain, look, err);
	nl_socket_free(sock);
	return ret;
}

static bool has_nat_table(const char *path)
{
	struct strbuf names = STRBUF_INIT;
	const char *line;
	bool found = false;
	int ret;

	ret = strbuf_read_file(&names, path, NAMES_MAX);
	for (line = strbuf_cstr(&names); !ret && *line && !found; line += *line == '\n') {
		found = !strncmp(line, "nat\n", 4);
		line += strcspn(line, "\n");
	}
	strbuf_free(&names);
	return found || (ret && ret != -ENOENT);
}

/* On a thread of its own, in the netns. */
static int look_here(void *arg, struct error *err)
{
	struct look *look = arg;

	look->found |= has_nat_table("/proc/thread-self/net/ip_tables_names") ||
		       has_nat_table("/proc/thread-self/net/ip6_tables_names");
	return look->nftables && !look->found ? look_at_chains(look, err) : 0;
}

int nat_in_use(bool nftables, bool *used, struct error *err)
{
	struct look look = { .nftables = nftables };
	struct netns_targets targets = { 0 };
	struct error ignored = { 0 };
	size_t i;
	int fd;
	int ret;

	ret = netns_targets_find(&targets, gettid(), NULL, err);
	if (ret)
		return ret;
	look.found = targets.hidden;
	for (i = 0; i < targets.nr && !look.found; i++) {
		fd = netns_targets_open(&targets, targets.list[i].inum);
		if (fd == -ENOENT)
			continue;
		if (fd < 0 || netns_call(fd, look_here, &look, &ignored))
			look.found = true;
		if (fd >= 0)
			close(fd);
	}
	netns_targets_free(&targets);
	*used = look.found;
	return 0;
}
