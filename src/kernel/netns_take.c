// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A snapshot from the running kernel.
 *
 * In:  the netns that netns_targets.c found.
 * Out: each with its cookie and its devices, and where their links lead.
 *
 * All of it happens on one thread made for it, which goes from netns to netns and ends; the
 * caller's thread never moves. One netlink socket and two descriptors are open at a time.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "kernel/netns.h"
#include "kernel/netns_build.h"
#include "kernel/netns_enter.h"
#include "kernel/netns_peers.h"
#include "kernel/netns_targets.h"
#include "kernel/rtnl.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS (1 << 3)
#endif

#define DUMP_TRIES 5

struct take {
	const struct netns_take_options *options;
	pid_t caller;
	struct netns_targets targets;
	struct netns_snapshot *snap;
	struct netns_link *links;
	size_t nr_links;
	size_t cap_links;
	u64 here;  /* the netns the thread is in */
	u32 place; /* of the netns being read */
	u32 not_read;
	struct error first; /* why the first of them was not */
};

static int add_link(struct take *take, u32 ifindex, s32 nsid)
{
	size_t cap = take->cap_links ? take->cap_links * 2 : 64;
	struct netns_link *links = take->links;

	if (take->nr_links == take->cap_links) {
		links = reallocarray(links, cap, sizeof(*links));
		if (!links)
			return -ENOMEM;
		take->links = links;
		take->cap_links = cap;
	}
	links[take->nr_links++] = (struct netns_link){
		.inum = take->snap->ns[take->place].inum,
		.ifindex = ifindex,
		.nsid = nsid,
	};
	return 0;
}

static void copy_string(char *to, size_t size, const struct nlattr *attr)
{
	size_t len = attr ? strnlen(nla_data(attr), (size_t)nla_len(attr)) : 0;

	/* one that does not fit is left out: half a name would be another name */
	if (!len || len >= size)
		return;
	memcpy(to, nla_data(attr), len);
	to[len] = '\0';
}

static void parse_kind(struct netdev *dev, const struct ifinfomsg *info, struct nlattr *linkinfo)
{
	struct nlattr *attr = NULL;

	if (linkinfo)
		attr = nla_find(nla_data(linkinfo), nla_len(linkinfo), IFLA_INFO_KIND);
	copy_string(dev->kind, sizeof(dev->kind), attr);
	if (!dev->kind[0] && info->ifi_type == ARPHRD_LOOPBACK)
		strcpy(dev->kind, "lo");
}

/* One device of a dump. */
static int take_device(struct nlmsghdr *answer, void *arg)
{
	struct netdev dev = { .seen = NETDEV_SEEN_FIRST };
	struct nlattr *tb[IFLA_MAX + 1];
	struct ifinfomsg *info;
	struct take *take = arg;
	int ret;

	if (answer->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(answer, sizeof(*info), tb, IFLA_MAX, NULL))
		return 0;
	info = nlmsg_data(answer);
	dev.ifindex = (u32)info->ifi_index;
	dev.up = info->ifi_flags & IFF_UP;
	dev.running = info->ifi_flags & IFF_RUNNING;
	dev.master_ifindex = rtnl_u32(tb[IFLA_MASTER]);
	dev.link_ifindex = rtnl_u32(tb[IFLA_LINK]);
	copy_string(dev.name, sizeof(dev.name), tb[IFLA_IFNAME]);
	parse_kind(&dev, info, tb[IFLA_LINKINFO]);
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == sizeof(dev.mac))
		memcpy(dev.mac, nla_data(tb[IFLA_ADDRESS]), sizeof(dev.mac));
	if (!dev.name[0] || info->ifi_index <= 0)
		return 0;
	if (tb[IFLA_LINK_NETNSID] && nla_len(tb[IFLA_LINK_NETNSID]) >= 4)
		dev.link = NETDEV_LINK_UNKNOWN;
	else if (dev.link_ifindex && (dev.link_ifindex != dev.ifindex || netdev_is_pair(&dev)))
		dev.link = NETDEV_LINK_SAME;
	else
		dev.link_ifindex = 0;
	ret = netns_snapshot_add_dev(take->snap, take->place, &dev);
	if (!ret && dev.link == NETDEV_LINK_UNKNOWN)
		ret = add_link(take, dev.ifindex, nla_get_s32(tb[IFLA_LINK_NETNSID]));
	return ret == -ENOMEM ? ret : 0;
}

/* Forget what an interrupted dump has left. */
static void forget_devices(struct take *take)
{
	struct netns *ns = &take->snap->ns[take->place];

	while (take->nr_links && take->links[take->nr_links - 1].inum == ns->inum)
		take->nr_links--;
	take->snap->nr_devs -= ns->nr_devs;
	ns->nr_devs = 0;
}

static int dump_devices(struct take *take, struct nl_sock *sock, struct error *err)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	u32 cut_before = take->snap->cut_devs;
	int ret = -EAGAIN;
	int tries;

	for (tries = 0; ret == -EAGAIN && tries < DUMP_TRIES; tries++) {
		struct nl_msg *msg;

		if (tries) {
			take->snap->cut_devs = cut_before;
			forget_devices(take);
		}
		msg = rtnl_message(RTM_GETLINK, NLM_F_DUMP, &header, sizeof(header));
		if (msg && nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)) {
			nlmsg_free(msg);
			msg = NULL;
		}
		ret = rtnl_request(sock, msg, take_device, take, err);
	}
	if (ret)
		error_prepend(err, "cannot list its devices: ");
	return ret;
}

static int enter_target(struct take *take, const struct netns_target *target, struct error *err)
{
	int fd, ret;

	if (target->inum == take->here)
		return 0; /* needs no rights */
	fd = netns_targets_open(&take->targets, target->inum);
	if (fd < 0)
		return error_errno(err, -fd, "cannot open %s", target->path);
	ret = netns_enter(fd, err);
	close(fd);
	if (!ret)
		take->here = target->inum;
	return ret;
}

static int read_devices(struct take *take, const struct netns_target *target, struct error *err)
{
	struct netns *ns = &take->snap->ns[take->place];
	socklen_t len = sizeof(ns->cookie);
	struct nl_sock *sock;
	int ret = enter_target(take, target, err);

	if (ret)
		return ret;
	ret = rtnl_open(&sock, err);
	if (ret)
		return ret;
	/* kernels before 5.14 have no cookie to tell */
	if (getsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_NETNS_COOKIE, &ns->cookie, &len))
		ns->cookie = 0;
	ret = dump_devices(take, sock, err);
	nl_socket_free(sock);
	ns->read = !ret;
	return ret;
}

/* Read one netns; that it cannot be read is noted, only missing memory is an error. */
static int take_netns(struct take *take, const struct netns_target *target)
{
	struct error err = { 0 };
	char number[32];
	struct netns ns = { .inum = target->inum, .name = target->name };
	int place;

	snprintf(number, sizeof(number), "netns:%llu", (unsigned long long)target->inum);
	if (!ns.name)
		ns.name = number;
	place = netns_snapshot_add(take->snap, &ns);
	if (place < 0)
		return place == -ENOSPC ? 0 : place;
	take->place = (u32)place;
	if (!read_devices(take, target, &err))
		return 0;
	if (!take->not_read++) {
		take->first = err;
		error_prepend(&take->first, "the first, %s: ", ns.name);
	}
	return err.code == ENOMEM ? -ENOMEM : 0;
}

/*
 * The caller's netns comes first, for which no rights are needed as long as the thread is still
 * there; then those that must not be cut.
 */
static int take_all(struct take *take)
{
	const struct netns_targets *targets = &take->targets;
	int rank, ret = 0;
	size_t i;

	for (rank = 0; rank < 3; rank++) {
		for (i = 0; i < targets->nr && !ret; i++) {
			const struct netns_target *target = &targets->list[i];
			int its = target->inum == targets->self_inum ? 0 : target->first ? 1 : 2;

			if (its == rank)
				ret = take_netns(take, target);
		}
	}
	return ret ? ret : netns_snapshot_index(take->snap);
}

/* "what: count (detail)", behind what was said before. */
static void say(struct strbuf *why, const char *what, u32 count, const char *detail)
{
	if (!count)
		return;
	strbuf_printf(why, "%s%s: %u", why->len ? "; " : "", what, count);
	if (detail)
		strbuf_printf(why, " (%s)", detail);
}

static int explain(struct take *take, u32 unresolved)
{
	struct netns_snapshot *snap = take->snap;
	struct strbuf why = STRBUF_INIT;
	int ret = 0;

	say(&why, "processes that may not be looked at", take->targets.hidden,
	    "needs CAP_SYS_PTRACE");
	say(&why, "network namespaces that could not be read", take->not_read, take->first.text);
	say(&why, "network namespaces left out because there are too many", snap->cut_ns, NULL);
	say(&why, "devices left out because there are too many", snap->cut_devs, NULL);
	say(&why, "devices whose other end is in a network namespace that was not found",
	    unresolved, NULL);
	if (why.len) {
		snap->incomplete = strndup(strbuf_cstr(&why), NETNS_INCOMPLETE_MAX);
		ret = snap->incomplete ? 0 : -ENOMEM;
	}
	strbuf_free(&why);
	return ret;
}

static int open_by_inum(void *arg, u64 inum)
{
	return netns_targets_open(arg, inum);
}

static int take_run(void *arg, struct error *err)
{
	struct netns_peers peers = { .open_netns = open_by_inum };
	struct take *take = arg;
	int ret = netns_targets_find(&take->targets, take->caller, take->options, err);

	if (ret)
		return ret;
	take->here = take->targets.self_inum;
	take->snap->self_inum = take->targets.self_inum;
	ret = take_all(take);
	if (!ret) {
		peers.snap = take->snap;
		peers.links = take->links;
		peers.nr_links = take->nr_links;
		peers.arg = &take->targets;
		netns_peers_resolve(&peers);
		ret = explain(take, peers.unresolved);
	}
	if (ret)
		return error_errno(err, -ret, "cannot list the network namespaces");
	if (take->not_read == take->snap->nr_ns && take->snap->nr_ns) {
		return error_set(err, take->first.code, "cannot list any network namespace (%s)",
				 take->first.text);
	}
	return 0;
}

int netns_snapshot_take_with(struct netns_snapshot **out, const struct netns_take_options *options,
			     struct error *err)
{
	struct take take = { .options = options, .caller = gettid(), .snap = netns_snapshot_new() };
	struct error ignored;
	int ret;

	if (!take.snap)
		return error_errno(err, ENOMEM, "cannot list the network namespaces");
	ret = netns_call(-1, take_run, &take, err ? err : &ignored);
	netns_targets_free(&take.targets);
	free(take.links);
	if (ret)
		netns_snapshot_free(take.snap);
	else
		*out = take.snap;
	return ret;
}

int netns_snapshot_take(struct netns_snapshot **out, struct error *err)
{
	return netns_snapshot_take_with(out, NULL, err);
}
