// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of network namespaces and devices: look-ups, indexes, and building it up.
 *
 * In:  netns and devices, one by one, from netns_take.c or netns_json.c.
 * Out: look-ups by inode, cookie, ifindex and device name, each a binary search.
 *
 * After netns_snapshot_index(), ns[] is sorted by (inum, cookie), each devs[] by (ifindex, seen),
 * and both indexes hold places in these arrays, not pointers.
 */
#include "kernel/netns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/netns_build.h"

struct netns_snapshot *netns_snapshot_new(void)
{
	return calloc(1, sizeof(struct netns_snapshot));
}

void netns_snapshot_free(struct netns_snapshot *snap)
{
	size_t i;

	if (!snap)
		return;
	for (i = 0; i < snap->nr_ns; i++) {
		free(snap->ns[i].name);
		free(snap->ns[i].devs);
	}
	free(snap->ns);
	free(snap->incomplete);
	free(snap->by_name);
	free(snap->by_cookie);
	free(snap);
}

bool netdev_name_valid(const char *name)
{
	size_t len = strnlen(name, IFNAMSIZ);
	size_t i;

	if (len == 0 || len >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (i = 0; i < len; i++)
		if (name[i] == '/' || name[i] == ':' || strchr(" \t\n\v\f\r", name[i]))
			return false;
	return true;
}

/* Make room for one more element; the new place is not counted yet. */
static int array_grow(void **array, size_t nr, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap * 2 : 8;
	void *bigger;

	if (nr < *cap)
		return 0;
	bigger = reallocarray(*array, want, size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*cap = want;
	return 0;
}

int netns_snapshot_add(struct netns_snapshot *snap, const struct netns *ns)
{
	void *array = snap->ns;
	struct netns *added;
	char *name;

	if (snap->nr_ns >= NETNS_MAX) {
		snap->cut_ns++;
		return -ENOSPC;
	}
	name = strdup(ns->name);
	if (!name || array_grow(&array, snap->nr_ns, &snap->cap_ns, sizeof(*snap->ns))) {
		free(name);
		return -ENOMEM;
	}
	snap->ns = array;
	added = &snap->ns[snap->nr_ns];
	*added = (struct netns){
		.inum = ns->inum,
		.cookie = ns->cookie,
		.name = name,
		.read = ns->read,
	};
	return (int)snap->nr_ns++;
}

int netns_snapshot_add_dev(struct netns_snapshot *snap, u32 place, const struct netdev *dev)
{
	struct netns *ns = &snap->ns[place];
	void *array = ns->devs;

	if (snap->nr_devs >= NETNS_DEVS_MAX) {
		snap->cut_devs++;
		return -ENOSPC;
	}
	if (array_grow(&array, ns->nr_devs, &ns->cap_devs, sizeof(*ns->devs)))
		return -ENOMEM;
	ns->devs = array;
	ns->devs[ns->nr_devs++] = *dev;
	snap->nr_devs++;
	return 0;
}

static int compare_u64(u64 a, u64 b)
{
	return (a > b) - (a < b);
}

static int compare_ns(const void *a, const void *b)
{
	const struct netns *x = a;
	const struct netns *y = b;
	int diff = compare_u64(x->inum, y->inum);

	return diff ? diff : compare_u64(x->cookie, y->cookie);
}

static int compare_dev(const void *a, const void *b)
{
	const struct netdev *x = a;
	const struct netdev *y = b;
	int diff = compare_u64(x->ifindex, y->ifindex);

	if (!diff)
		diff = compare_u64(x->seen, y->seen);
	return diff ? diff : strcmp(x->name, y->name);
}

static int compare_name(const void *a, const void *b, void *arg)
{
	const struct netns_snapshot *snap = arg;
	const struct netdev_ref *x = a;
	const struct netdev_ref *y = b;
	int diff = strcmp(netdev_ref_dev(snap, *x)->name, netdev_ref_dev(snap, *y)->name);

	if (!diff)
		diff = compare_u64(x->ns, y->ns);
	return diff ? diff : compare_u64(x->dev, y->dev);
}

static int compare_cookie(const void *a, const void *b, void *arg)
{
	const struct netns_snapshot *snap = arg;
	const u32 *x = a;
	const u32 *y = b;
	int diff = compare_u64(snap->ns[*x].cookie, snap->ns[*y].cookie);

	return diff ? diff : compare_u64(*x, *y);
}

static void index_fill(struct netns_snapshot *snap, struct netdev_ref *by_name, u32 *by_cookie)
{
	size_t devs = 0;
	u32 i, j;

	for (i = 0; i < snap->nr_ns; i++) {
		struct netns *ns = &snap->ns[i];

		if (ns->cookie)
			by_cookie[snap->nr_by_cookie++] = i;
		if (ns->nr_devs)
			qsort(ns->devs, ns->nr_devs, sizeof(*ns->devs), compare_dev);
		for (j = 0; j < ns->nr_devs; j++)
			by_name[devs++] = (struct netdev_ref){ .ns = i, .dev = j };
	}
	qsort_r(by_name, devs, sizeof(*by_name), compare_name, snap);
	qsort_r(by_cookie, snap->nr_by_cookie, sizeof(*by_cookie), compare_cookie, snap);
}

int netns_snapshot_index(struct netns_snapshot *snap)
{
	struct netdev_ref *by_name = calloc(snap->nr_devs + 1, sizeof(*by_name));
	u32 *by_cookie = calloc(snap->nr_ns + 1, sizeof(*by_cookie));

	if (!by_name || !by_cookie) {
		free(by_name);
		free(by_cookie);
		return -ENOMEM;
	}
	if (snap->nr_ns)
		qsort(snap->ns, snap->nr_ns, sizeof(*snap->ns), compare_ns);
	snap->nr_by_cookie = 0;
	index_fill(snap, by_name, by_cookie);
	free(snap->by_name);
	free(snap->by_cookie);
	snap->by_name = by_name;
	snap->by_cookie = by_cookie;
	return 0;
}

const struct netns *netns_find(const struct netns_snapshot *snap, u64 inum)
{
	size_t low = 0;
	size_t high = snap->nr_ns;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (snap->ns[mid].inum < inum)
			low = mid + 1;
		else
			high = mid;
	}
	return low < snap->nr_ns && snap->ns[low].inum == inum ? &snap->ns[low] : NULL;
}

const struct netns *netns_find_cookie(const struct netns_snapshot *snap, u64 cookie)
{
	size_t low = 0;
	size_t high = snap->nr_by_cookie;

	if (!cookie)
		return NULL;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct netns *ns = &snap->ns[snap->by_cookie[mid]];

		if (ns->cookie == cookie)
			return ns;
		if (ns->cookie < cookie)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct netdev *netdev_find(const struct netns *ns, u32 ifindex)
{
	size_t low = 0;
	size_t high = ns->nr_devs;

	/* low: the first beyond ifindex, so that the last one with it is the one before */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ns->devs[mid].ifindex <= ifindex)
			low = mid + 1;
		else
			high = mid;
	}
	return low && ns->devs[low - 1].ifindex == ifindex ? &ns->devs[low - 1] : NULL;
}

/* The first place in by_name whose name is not before @name, or, with @after, behind it. */
static size_t name_bound(const struct netns_snapshot *snap, const char *name, bool after)
{
	size_t low = 0;
	size_t high = snap->nr_devs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int diff = strcmp(netdev_ref_dev(snap, snap->by_name[mid])->name, name);

		if (diff < 0 || (after && diff == 0))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t netns_find_devices(const struct netns_snapshot *snap, const char *name,
			  const struct netdev_ref **refs)
{
	size_t first = name_bound(snap, name, false);

	*refs = snap->by_name ? snap->by_name + first : NULL;
	return name_bound(snap, name, true) - first;
}

bool netdev_is_pair(const struct netdev *dev)
{
	return !strcmp(dev->kind, "veth") || !strcmp(dev->kind, "netkit");
}

/* The netns that link_ifindex speaks of, NULL when there is no link or it is not known. */
static const struct netns *link_netns(const struct netns_snapshot *snap, const struct netns *ns,
				      const struct netdev *dev)
{
	if (!dev->link_ifindex)
		return NULL;
	if (dev->link == NETDEV_LINK_SAME)
		return ns;
	return dev->link == NETDEV_LINK_OTHER ? netns_find(snap, dev->link_netns_inum) : NULL;
}

/* Whether @peer says that its other end is @dev; an unknown netns does not contradict. */
static bool points_back(const struct netns *ns, const struct netdev *dev,
			const struct netns *peer_ns, const struct netdev *peer)
{
	if (peer->link_ifindex != dev->ifindex || strcmp(peer->kind, dev->kind))
		return false;
	switch (peer->link) {
	case NETDEV_LINK_SAME:
		return peer_ns->inum == ns->inum && peer != dev;
	case NETDEV_LINK_OTHER:
		return peer->link_netns_inum == ns->inum;
	case NETDEV_LINK_UNKNOWN:
		return peer_ns->inum != ns->inum;
	case NETDEV_LINK_NONE:
		break;
	}
	return false;
}

const struct netdev *netdev_peer(const struct netns_snapshot *snap, const struct netns *ns,
				 const struct netdev *dev, const struct netns **peer_ns)
{
	const struct netns *other = netdev_is_pair(dev) ? link_netns(snap, ns, dev) : NULL;
	const struct netdev *peer = other ? netdev_find(other, dev->link_ifindex) : NULL;

	/* a reused ifindex: the others with this number lie before the latest one */
	while (peer && !points_back(ns, dev, other, peer))
		peer = peer > other->devs && peer[-1].ifindex == dev->link_ifindex ? peer - 1 :
										     NULL;
	if (peer && peer_ns)
		*peer_ns = other;
	return peer;
}

const struct netdev *netdev_lower(const struct netns_snapshot *snap, const struct netns *ns,
				  const struct netdev *dev, const struct netns **lower_ns)
{
	const struct netns *other = netdev_is_pair(dev) ? NULL : link_netns(snap, ns, dev);
	const struct netdev *lower = other ? netdev_find(other, dev->link_ifindex) : NULL;

	if (lower && lower_ns)
		*lower_ns = other;
	return lower;
}

const struct netdev *netdev_master(const struct netns *ns, const struct netdev *dev)
{
	return dev->master_ifindex ? netdev_find(ns, dev->master_ifindex) : NULL;
}

int netns_snapshot_name(struct netns_snapshot *snap, u64 inum, const char *name)
{
	size_t place;
	char *copy;

	if (!name[0] || strlen(name) > NETNS_NAME_MAX)
		return -EINVAL;
	for (place = 0; place < snap->nr_ns && snap->ns[place].inum != inum; place++)
		;
	if (place == snap->nr_ns)
		return -ENOENT;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(snap->ns[place].name);
	snap->ns[place].name = copy;
	return 0;
}
