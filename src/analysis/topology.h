/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which netns each hop of a path was in, without reading it from the skb (tier T0).
 *
 * An event names a device, and many netns may have an "eth0". The snapshot taken when the capture
 * began says who has which device and where the other end of each veth is; a path moves to another
 * netns only through such a pair or a stacked device. So of all ways to place the hops, those that
 * no packet can go are struck out, and a hop gets a netns when exactly one is left. Kernels from 7.2
 * on record the netns cookie, which settles it at once.
 */
#ifndef SKBTRAIL_ANALYSIS_TOPOLOGY_H
#define SKBTRAIL_ANALYSIS_TOPOLOGY_H

#include "analysis/path.h"
#include "decode/devnames.h"
#include "kernel/netns.h"

/* A device whose name is in more netns than this is not placed, except by a cookie. */
#define TOPOLOGY_CANDIDATES 256
/* A path over more devices than this is placed as far as here. */
#define TOPOLOGY_STATIONS 64

struct topology_station;

struct topology {
	const struct netns_snapshot *snap; /* not owned; NULL: nothing is known */
	const struct devnames *devs;	   /* not owned */
	struct topology_station *stations; /* working memory */
	u64 unresolved;			   /* devices on paths whose netns stayed open */
};

/** topology_init - Return: 0 or -ENOMEM */
int topology_init(struct topology *t, const struct netns_snapshot *snap,
		  const struct devnames *devs);
void topology_free(struct topology *t);

/** topology_name_shared - whether devices in several netns go by this name, O(log n) */
bool topology_name_shared(const struct topology *t, u16 dev);

/**
 * topology_resolve - set ->netns of every hop that has a device and can be placed
 */
void topology_resolve(struct topology *t, struct path *path);

/** topology_netns - the netns of a hop, or NULL */
static inline const struct netns *topology_netns(const struct topology *t, const struct hop *hop)
{
	return hop->netns && t->snap && hop->netns <= t->snap->nr_ns ?
		       &t->snap->ns[hop->netns - 1] :
		       NULL;
}

#endif
