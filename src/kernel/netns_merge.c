// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two snapshots of one machine, taken at different times, become one.
 *
 * In:  an earlier and a later snapshot.
 * Out: the earlier one holding the union, each device marked with when it was seen.
 *
 * The union is built aside and swapped in last, so a failure leaves the earlier one as it was.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/netns.h"
#include "kernel/netns_build.h"

/* Whether both are the same netns: an inode number is reused, a cookie is not. */
static bool same_netns(const struct netns *a, const struct netns *b)
{
	return a->inum == b->inum && (!a->cookie || !b->cookie || a->cookie == b->cookie);
}

static bool same_device(const struct netdev *a, const struct netdev *b)
{
	return a->ifindex == b->ifindex && !strcmp(a->name, b->name) && !strcmp(a->kind, b->kind);
}

static int copy_netns(struct netns_snapshot *to, const struct netns *ns, u8 seen)
{
	int place = netns_snapshot_add(to, ns);
	size_t i;
	int ret;

	if (place == -ENOSPC)
		return 0;
	for (i = 0; place >= 0 && i < ns->nr_devs; i++) {
		struct netdev dev = ns->devs[i];

		if (seen)
			dev.seen = seen;
		ret = netns_snapshot_add_dev(to, (u32)place, &dev);
		if (ret == -ENOMEM)
			return ret;
	}
	return place < 0 ? place : 0;
}

/* The device as it was later, but with a link that was known before. */
static void update_device(struct netdev *dev, const struct netdev *later)
{
	struct netdev before = *dev;

	*dev = *later;
	dev->seen = before.seen | NETDEV_SEEN_LATER;
	if (later->link != NETDEV_LINK_UNKNOWN || before.link_ifindex != later->link_ifindex)
		return;
	dev->link = before.link;
	dev->link_netns_inum = before.link_netns_inum;
}

/* Add to the netns at @place, whose first @nr_sorted devices are sorted, what @later has. */
static int merge_netns(struct netns_snapshot *to, u32 place, const struct netns *later)
{
	size_t nr_sorted = to->ns[place].nr_devs;
	size_t i, known = 0;
	int ret = 0;

	if (!to->ns[place].cookie)
		to->ns[place].cookie = later->cookie;
	to->ns[place].read |= later->read;
	for (i = 0; i < later->nr_devs && ret != -ENOMEM; i++) {
		struct netdev *devs = to->ns[place].devs;
		struct netdev dev = later->devs[i];
		size_t j;

		/* both sides are sorted by ifindex: walk them side by side */
		while (known < nr_sorted && devs[known].ifindex < dev.ifindex)
			known++;
		for (j = known; j < nr_sorted && devs[j].ifindex == dev.ifindex; j++)
			if (same_device(&devs[j], &dev))
				break;
		if (j < nr_sorted && devs[j].ifindex == dev.ifindex) {
			update_device(&devs[j], &dev);
			continue;
		}
		dev.seen = NETDEV_SEEN_LATER;
		ret = netns_snapshot_add_dev(to, place, &dev);
	}
	return ret == -ENOMEM ? ret : 0;
}

/* Both reasons, or when they do not fit into one line, the first. */
static int merge_incomplete(struct netns_snapshot *to, const char *first, const char *later)
{
	char both[NETNS_INCOMPLETE_MAX + 1];
	const char *text = first ? first : later;
	int len;

	if (!text)
		return 0;
	if (first && later && !strstr(first, later)) {
		len = snprintf(both, sizeof(both), "%s; later: %s", first, later);
		if (len > 0 && (size_t)len < sizeof(both))
			text = both;
	}
	to->incomplete = strdup(text);
	return to->incomplete ? 0 : -ENOMEM;
}

static int merge_all(struct netns_snapshot *to, const struct netns_snapshot *first,
		     const struct netns_snapshot *later)
{
	int ret = merge_incomplete(to, first->incomplete, later->incomplete);
	size_t i;
	u32 j;

	to->self_inum = first->self_inum ? first->self_inum : later->self_inum;
	for (i = 0; i < first->nr_ns && !ret; i++)
		ret = copy_netns(to, &first->ns[i], 0);
	for (i = 0; i < later->nr_ns && !ret; i++) {
		const struct netns *ns = &later->ns[i];

		for (j = 0; j < first->nr_ns && !same_netns(&first->ns[j], ns); j++)
			;
		ret = j < first->nr_ns ? merge_netns(to, j, ns) :
					 copy_netns(to, ns, NETDEV_SEEN_LATER);
	}
	to->cut_ns += first->cut_ns > later->cut_ns ? first->cut_ns : later->cut_ns;
	to->cut_devs += first->cut_devs > later->cut_devs ? first->cut_devs : later->cut_devs;
	return ret ? ret : netns_snapshot_index(to);
}

int netns_snapshot_merge(struct netns_snapshot *into, const struct netns_snapshot *from,
			 struct error *err)
{
	struct netns_snapshot *merged = netns_snapshot_new();
	struct netns_snapshot old;

	if (!merged || merge_all(merged, into, from)) {
		netns_snapshot_free(merged);
		return error_errno(err, ENOMEM, "cannot merge the lists of network namespaces");
	}
	old = *into;
	*into = *merged;
	*merged = old;
	netns_snapshot_free(merged);
	return 0;
}
