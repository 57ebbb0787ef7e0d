// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Placing hops: candidates by device name, struck out from both ends of the path until nothing
 * changes. On a chain one pass each way is enough.
 */
#include "analysis/topology.h"

#include <errno.h>
#include <stdlib.h>

/* A run of hops on one device in one direction, and the devices it may have been. */
struct topology_station {
	u64 cookie;
	u32 first_hop, end_hop;
	u32 nr;
	u16 dev;
	u16 netns; /* that the cookie or a probe names, plus 1; 0 for none */
	u32 inum;  /* of the netns, as a probe read it; 0 not known */
	u8 kind;   /* of its last hop */
	bool has_cookie;
	bool anywhere; /* in no netns that is known, or in too many to try */
	struct netdev_ref at[TOPOLOGY_CANDIDATES];
};

int topology_init(struct topology *t, const struct netns_snapshot *snap,
		  const struct devnames *devs)
{
	t->snap = snap;
	t->devs = devs;
	t->unresolved = 0;
	t->stations = snap ? calloc(TOPOLOGY_STATIONS, sizeof(*t->stations)) : NULL;
	return snap && !t->stations ? -ENOMEM : 0;
}

void topology_free(struct topology *t)
{
	free(t->stations);
	t->stations = NULL;
}

bool topology_name_shared(const struct topology *t, u16 dev)
{
	const struct netdev_ref *refs;
	size_t n, i;

	n = t->snap ? netns_find_devices(t->snap, devnames_text(t->devs, dev), &refs) : 0;
	for (i = 1; i < n; i++)
		if (refs[i].ns != refs[0].ns)
			return true;
	return false;
}

static bool is_receive(u8 kind)
{
	return kind == EVENT_RX_ENTRY || kind == EVENT_RX || kind == EVENT_GRO ||
	       kind == EVENT_RECEIVE_ENTRY || kind == EVENT_RECEIVE;
}

static bool same_ref(struct netdev_ref a, struct netdev_ref b)
{
	return a.ns == b.ns && a.dev == b.dev;
}

/* Into one end of a pair, out of the other. */
static bool is_across(const struct netns_snapshot *snap, struct netdev_ref a, struct netdev_ref b)
{
	const struct netdev *dev_a = netdev_ref_dev(snap, a), *dev_b = netdev_ref_dev(snap, b);
	const struct netns *ns = NULL;
	const struct netdev *other;

	if (!netdev_is_pair(dev_a) || !netdev_is_pair(dev_b))
		return false;
	other = netdev_peer(snap, netdev_ref_ns(snap, a), dev_a, &ns);
	if (other)
		return other == dev_b;
	/* An end whose other end is known is not the one we look for. */
	return !same_ref(a, b) && !netdev_peer(snap, netdev_ref_ns(snap, b), dev_b, &ns);
}

/* Whether a packet seen on device @a can be seen next on device @b. */
static bool can_follow(const struct netns_snapshot *snap, u8 kind_a, struct netdev_ref a, u8 kind_b,
		       struct netdev_ref b)
{
	const struct netdev *dev_a = netdev_ref_dev(snap, a), *dev_b = netdev_ref_dev(snap, b);
	bool sent = !is_receive(kind_a), received = is_receive(kind_b);
	const struct netdev *below_a, *below_b;
	const struct netns *ns = NULL;

	if (sent && received && (netdev_is_pair(dev_a) || netdev_is_pair(dev_b)))
		return is_across(snap, a, b);
	if (a.ns == b.ns)
		return true;
	/* A stacked device may lie in another netns than the one below it. */
	below_a = netdev_lower(snap, netdev_ref_ns(snap, a), dev_a, &ns);
	below_b = netdev_lower(snap, netdev_ref_ns(snap, b), dev_b, &ns);
	if (sent && received)
		return below_a && below_a == below_b; /* from one macvlan to another */
	return sent ? below_a == dev_b : received && below_b == dev_a;
}

/* All devices that a station may be. */
static void collect(const struct topology *t, struct topology_station *st)
{
	const struct netns *ns, *named = NULL;
	const struct netdev_ref *refs;
	size_t n, i;

	if (st->has_cookie)
		named = netns_find_cookie(t->snap, st->cookie);
	if (st->inum)
		named = netns_find(t->snap, st->inum);
	st->netns = named ? (u16)(named - t->snap->ns + 1) : 0;
	st->nr = 0;
	n = netns_find_devices(t->snap, devnames_text(t->devs, st->dev), &refs);
	for (i = 0; i < n; i++) {
		ns = netdev_ref_ns(t->snap, refs[i]);
		if (named ? ns != named : st->inum || (st->has_cookie && ns->cookie))
			continue;
		if (st->nr == TOPOLOGY_CANDIDATES) {
			st->nr = 0;
			break;
		}
		st->at[st->nr++] = refs[i];
	}
	st->anywhere = !st->nr;
}

/* Keep the candidates of @st that some candidate of @other allows. */
static void strike_out(const struct netns_snapshot *snap, struct topology_station *st,
		       const struct topology_station *other, bool other_first)
{
	u32 i, k, kept = 0;

	if (st->anywhere || other->anywhere)
		return;
	for (i = 0; i < st->nr; i++) {
		for (k = 0; k < other->nr; k++) {
			if (other_first ? can_follow(snap, other->kind, other->at[k], st->kind,
						     st->at[i]) :
					  can_follow(snap, st->kind, st->at[i], other->kind,
						     other->at[k]))
				break;
		}
		if (k < other->nr)
			st->at[kept++] = st->at[i];
	}
	st->nr = kept;
}

/* The netns that all that is left of a station is in, plus 1; 0 when there is not just one. */
static u16 settled(const struct topology_station *st)
{
	u32 i;

	if (st->netns)
		return st->netns;
	if (!st->nr)
		return 0;
	for (i = 1; i < st->nr; i++)
		if (st->at[i].ns != st->at[0].ns)
			return 0;
	return (u16)(st->at[0].ns + 1);
}

static bool has_place(const struct hop *hop)
{
	return hop->dev && hop->kind != EVENT_XMIT && hop->kind < EVENT_NOTE;
}

/* The netns of a hop's device, as a probe read it. The sender's is not always the device's. */
static u32 place_inum(const struct hop *hop)
{
	return hop->netns_from == NETNS_FROM_DEV || hop->netns_from == NETNS_FROM_HOOK ||
			       hop->netns_from == NETNS_FROM_TAP ?
		       hop->netns_inum :
		       0;
}

/* Whether a hop is on the same device, in the same direction, as those of a station. */
static bool at_station(const struct topology_station *st, const struct hop *hop)
{
	if (st->dev != hop->dev || is_receive(st->kind) != is_receive(hop->kind))
		return false;
	if (st->has_cookie && hop->has & EVENT_HAS_COOKIE && st->cookie != hop->netns_cookie)
		return false;
	if (st->inum && place_inum(hop) && st->inum != hop->netns_inum)
		return false;
	/* A macvlan's driver hands it to the device below, which may have the same name. */
	return hop->kind != EVENT_QUEUE || st->kind != EVENT_START_XMIT;
}

/* Group the hops of a path into stations. Returns how many there are. */
static u32 find_stations(const struct topology *t, const struct path *path)
{
	struct topology_station *st = NULL;
	const struct hop *hop;
	u32 nr = 0, i;

	for (i = 0; i < path->nr_hops; i++) {
		hop = &path->hops[i];
		if (!has_place(hop))
			continue;
		if (!st || !at_station(st, hop)) {
			if (nr == TOPOLOGY_STATIONS)
				break;
			st = &t->stations[nr++];
			st->first_hop = i;
			st->dev = hop->dev;
			st->has_cookie = false;
			st->inum = 0;
		}
		st->kind = hop->kind;
		st->end_hop = i + 1;
		if (place_inum(hop))
			st->inum = place_inum(hop);
		if (hop->has & EVENT_HAS_COOKIE) {
			st->has_cookie = true;
			st->cookie = hop->netns_cookie;
		}
	}
	return nr;
}

/* The driver's return is in the netns in which it was called. */
static void place_returns(struct path *path)
{
	u32 i, k;

	for (i = 0; i < path->nr_hops; i++) {
		if (path->hops[i].kind != EVENT_XMIT)
			continue;
		for (k = i; k-- > 0;) {
			if (path->hops[k].dev != path->hops[i].dev ||
			    (path->hops[k].kind != EVENT_START_XMIT &&
			     path->hops[k].kind != EVENT_QUEUE))
				continue;
			path->hops[i].netns = path->hops[k].netns;
			break;
		}
	}
}

/* Keep what can be told of each station; false when the path fits nowhere. */
static bool narrow(const struct topology *t, u32 nr)
{
	struct topology_station *st = t->stations;
	bool fits = true;
	u32 i;

	for (i = 0; i < nr; i++)
		collect(t, &st[i]);
	for (i = 1; i < nr; i++)
		strike_out(t->snap, &st[i], &st[i - 1], true);
	for (i = nr; i-- > 1;)
		strike_out(t->snap, &st[i - 1], &st[i], false);
	for (i = 0; i < nr; i++)
		fits &= st[i].nr > 0 || st[i].anywhere;
	return fits;
}

/* What a probe read of a hop needs no topology; of one without a device it is all there is. */
static void place_by_inum(const struct topology *t, struct path *path)
{
	const struct netns *ns;
	struct hop *hop;
	u32 i, last = 0;
	u16 place = 0;

	for (i = 0; i < path->nr_hops; i++) {
		hop = &path->hops[i];
		if (hop->netns || !hop->netns_inum)
			continue;
		if (hop->netns_inum != last) {
			last = hop->netns_inum;
			ns = netns_find(t->snap, last);
			place = ns ? (u16)(ns - t->snap->ns + 1) : 0;
		}
		hop->netns = place;
	}
}

void topology_resolve(struct topology *t, struct path *path)
{
	struct topology_station *st;
	u32 nr, i, hop;
	bool fits;
	u16 netns;

	if (!t->snap)
		return;
	nr = find_stations(t, path);
	fits = narrow(t, nr);
	for (i = 0; i < nr; i++) {
		st = &t->stations[i];
		/* A path that fits nowhere (the network changed): only names that are unique. */
		if (!fits)
			collect(t, st);
		netns = settled(st);
		if (!netns)
			t->unresolved++;
		for (hop = st->first_hop; hop < st->end_hop; hop++)
			if (has_place(&path->hops[hop]))
				path->hops[hop].netns = netns;
	}
	place_by_inum(t, path);
	place_returns(path);
}
