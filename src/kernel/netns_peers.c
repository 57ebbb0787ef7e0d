// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which netns a device's link leads into: see netns_peers.h.
 *
 * On a host with many containers one request per container is enough. Worst are many pairs of
 * netns joined by devices of equal ifindex: quadratic, hence the limit. Measured: 100 such pairs
 * take 10,000 requests of some 11 us, opening the netns included.
 */
#include "kernel/netns_peers.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <unistd.h>

#include "kernel/netns_enter.h"
#include "kernel/rtnl.h"

#define MAX_REQUESTS 20000U /* about 0.2 s */

/* What is being asked, in the netns that is asked. */
struct asking {
	struct netns_peers *peers;
	const struct netns *ns;
	struct nl_sock *sock; /* made when the first question comes up */
	bool failed;	      /* the netns could not be entered */
	u32 *requests;
};

static int compare_link(const void *a, const void *b)
{
	const struct netns_link *x = a;
	const struct netns_link *y = b;

	if (x->inum != y->inum)
		return x->inum < y->inum ? -1 : 1;
	if (x->nsid != y->nsid)
		return x->nsid < y->nsid ? -1 : 1;
	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static int take_nsid(struct nlmsghdr *answer, void *arg)
{
	struct nlattr *attr = nlmsg_find_attr(answer, sizeof(struct rtgenmsg), NETNSA_NSID);
	s32 *nsid = arg;

	if (attr && nla_len(attr) >= 4)
		*nsid = nla_get_s32(attr);
	return 0;
}

/* The id that the asked netns has for the netns @inum, NETNSA_NSID_NOT_ASSIGNED when none. */
static s32 ask_nsid(struct asking *asking, u64 inum)
{
	struct rtgenmsg header = { .rtgen_family = AF_UNSPEC };
	s32 nsid = NETNSA_NSID_NOT_ASSIGNED;
	struct nl_msg *msg;
	int fd;

	fd = asking->peers->open_netns(asking->peers->arg, inum);
	if (fd < 0)
		return nsid;
	msg = rtnl_message(RTM_GETNSID, 0, &header, sizeof(header));
	if (msg && nla_put_u32(msg, NETNSA_FD, (u32)fd)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	rtnl_request(asking->sock, msg, take_nsid, &nsid, NULL);
	close(fd);
	return nsid;
}

static bool asking_ready(struct asking *asking)
{
	int fd;

	if (asking->sock)
		return true;
	if (asking->failed)
		return false;
	asking->failed = true;
	fd = asking->peers->open_netns(asking->peers->arg, asking->ns->inum);
	if (fd < 0)
		return false;
	if (!netns_enter(fd, NULL) && !rtnl_open(&asking->sock, NULL))
		asking->failed = false;
	close(fd);
	return !asking->failed;
}

/* Whether the netns @other has what @dev's link speaks of; *known: proven by the other end. */
static bool could_lead_to(const struct asking *asking, const struct netdev *dev,
			  const struct netns *other, bool *known)
{
	const struct netdev *there;

	*known = false;
	if (other == asking->ns)
		return false;
	if (!dev->link_ifindex)
		return true;
	there = netdev_find(other, dev->link_ifindex);
	if (!there || !netdev_is_pair(dev))
		return there != NULL;
	if (!netdev_is_pair(there) || there->link_ifindex != dev->ifindex)
		return false;
	*known = there->link == NETDEV_LINK_OTHER && there->link_netns_inum == asking->ns->inum;
	return *known || there->link == NETDEV_LINK_UNKNOWN;
}

/* The netns that @dev's link leads into, 0 when that cannot be found out. */
static u64 find_target(struct asking *asking, const struct netdev *dev, s32 nsid)
{
	const struct netns_snapshot *snap = asking->peers->snap;
	bool known;
	size_t i;

	for (i = 0; i < snap->nr_ns; i++)
		if (could_lead_to(asking, dev, &snap->ns[i], &known) && known)
			return snap->ns[i].inum;
	for (i = 0; i < snap->nr_ns; i++) {
		if (!could_lead_to(asking, dev, &snap->ns[i], &known))
			continue;
		if (*asking->requests >= MAX_REQUESTS || !asking_ready(asking))
			return 0;
		++*asking->requests;
		if (ask_nsid(asking, snap->ns[i].inum) == nsid)
			return snap->ns[i].inum;
	}
	return 0;
}

/* The device of a group that fits the fewest netns: one of a pair, else any. */
static const struct netdev *best_witness(const struct netns *ns, const struct netns_link *links,
					 size_t nr)
{
	const struct netdev *best = NULL;
	size_t i;

	for (i = 0; i < nr; i++) {
		const struct netdev *dev = netdev_find(ns, links[i].ifindex);

		if (dev && netdev_is_pair(dev))
			return dev;
		if (dev && (!best || (!best->link_ifindex && dev->link_ifindex)))
			best = dev;
	}
	return best;
}

/* All links of one netns with one id lead into the same netns. */
static void resolve_group(struct asking *asking, const struct netns_link *links, size_t nr)
{
	const struct netdev *witness = best_witness(asking->ns, links, nr);
	u64 target = witness && links->nsid >= 0 ? find_target(asking, witness, links->nsid) : 0;
	size_t i;

	if (!target)
		asking->peers->unresolved += (u32)nr;
	for (i = 0; target && i < nr; i++) {
		struct netdev *dev = (struct netdev *)netdev_find(asking->ns, links[i].ifindex);

		if (!dev)
			continue;
		dev->link = NETDEV_LINK_OTHER;
		dev->link_netns_inum = target;
	}
}

void netns_peers_resolve(struct netns_peers *peers)
{
	struct asking asking = { .peers = peers };
	size_t first, next;
	u32 requests = 0;

	if (peers->nr_links)
		qsort(peers->links, peers->nr_links, sizeof(*peers->links), compare_link);
	for (first = 0; first < peers->nr_links; first = next) {
		const struct netns_link *link = &peers->links[first];
		const struct netns *ns = netns_find(peers->snap, link->inum);

		for (next = first + 1; next < peers->nr_links; next++)
			if (peers->links[next].inum != link->inum ||
			    peers->links[next].nsid != link->nsid)
				break;
		if (!ns)
			continue;
		if (ns != asking.ns) {
			nl_socket_free(asking.sock);
			asking = (struct asking){ .peers = peers, .ns = ns, .requests = &requests };
		}
		resolve_group(&asking, link, next - first);
	}
	nl_socket_free(asking.sock);
}
