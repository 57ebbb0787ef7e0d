/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot of the machine's network namespaces and the devices in each of them.
 *
 * In:  the running kernel (netns_snapshot_take) or a recording (netns_snapshot_from_json).
 * Out: a read-only table for the analysis: which device is where, and what its other end is.
 *
 * A fact that could not be found out is marked so and never guessed: a link into a netns that is
 * not known is NETDEV_LINK_UNKNOWN, a netns that could not be entered has ->read false, and a
 * snapshot that lacks anything says why in ->incomplete. Pointers into a snapshot stay valid until
 * it is merged into or freed. The look-ups allocate nothing and are safe from several threads.
 */
#ifndef SKBTRAIL_KERNEL_NETNS_H
#define SKBTRAIL_KERNEL_NETNS_H

#include <net/if.h>

#include "base/error.h"
#include "base/types.h"

struct json_object;

#define NETNS_MAX 4096U		   /* netns in one snapshot; what is above is counted, not kept */
#define NETNS_DEVS_MAX 65536U	   /* devices in one snapshot, all netns together */
#define NETNS_NAME_MAX 255U	   /* bytes of a netns name, without NUL */
#define NETNS_INCOMPLETE_MAX 1023U /* bytes of ->incomplete, without NUL */
#define NETDEV_KIND_SIZE 32U

/* Where the device lives that link_ifindex speaks of. */
enum netdev_link {
	NETDEV_LINK_NONE,    /* stands alone: link_ifindex is 0 */
	NETDEV_LINK_SAME,    /* in the device's own netns */
	NETDEV_LINK_OTHER,   /* in the netns link_netns_inum */
	NETDEV_LINK_UNKNOWN, /* in another netns, but which one was not found out */
};

/* When a device was there, for a snapshot merged from two. */
enum netdev_seen {
	NETDEV_SEEN_FIRST = 1, /* in the snapshot merged into (before the capture) */
	NETDEV_SEEN_LATER = 2, /* in the snapshot merged from (after the capture) */
};

struct netdev {
	u64 link_netns_inum; /* only with NETDEV_LINK_OTHER, else 0 */
	u32 ifindex;	     /* never 0; twice in one netns only when it was reused or renamed */
	u32 link_ifindex;    /* veth: its peer; vlan, macvlan, ...: the device below; else 0 */
	u32 master_ifindex;  /* the bridge, bond or VRF it is a port of, in the same netns; or 0 */
	enum netdev_link link;
	char name[IFNAMSIZ];	     /* raw bytes as the kernel has them: escape before showing */
	char kind[NETDEV_KIND_SIZE]; /* "veth", "bridge", ..., "lo"; "" hardware or not said */
	u8 mac[6];		     /* all 0 when the device has none of this length */
	u8 seen;		     /* NETDEV_SEEN_* */
	bool up;		     /* administratively up */
	bool running;		     /* up and with carrier */
};

struct netns {
	u64 inum;	     /* inode number of the nsfs file, as in /proc/PID/ns/net */
	u64 cookie;	     /* SO_NETNS_COOKIE, as net_cookie in tracepoints; 0 not known */
	char *name;	     /* never NULL; raw bytes: escape before showing */
	struct netdev *devs; /* sorted by ifindex */
	size_t nr_devs;
	size_t cap_devs;
	bool read; /* it was entered and its devices were listed */
};

/* A device by its place in the arrays: snap->ns[ns].devs[dev]. */
struct netdev_ref {
	u32 ns;
	u32 dev;
};

struct netns_snapshot {
	struct netns *ns; /* sorted by inum */
	size_t nr_ns;
	size_t cap_ns;
	size_t nr_devs;	  /* devices of all netns together */
	u64 self_inum;	  /* the netns skbtrail ran in; 0 not known */
	u32 cut_ns;	  /* netns left out because of NETNS_MAX */
	u32 cut_devs;	  /* devices left out because of NETNS_DEVS_MAX */
	char *incomplete; /* why something is missing; NULL when nothing is; escape it too */
	struct netdev_ref *by_name; /* index: all nr_devs, sorted by name, then place */
	u32 *by_cookie;		    /* index: places in ns[] of those with a cookie, sorted by it */
	size_t nr_by_cookie;
};

/* A netns that the caller holds by a file descriptor and no process or file may show. */
struct netns_held {
	int fd;
	const char *name; /* its display name; NULL: named like any other */
};

struct netns_take_options {
	const struct netns_held *held;
	size_t nr_held;
	bool only_held;	  /* leave out the machine's own netns */
	const char *root; /* for tests, a directory that stands for / ; NULL: none */
};

/**
 * netns_snapshot_take - list the netns of this machine and the devices in them
 * @out: the snapshot, to be freed with netns_snapshot_free()
 *
 * Looks at the caller's netns, /run/netns, /var/run/netns, /run/docker/netns, /proc/PID/ns/net and
 * at what container runtimes wrote about their containers (netns_containers.h). Not found: a netns in
 * which only a thread that is not its process's leader lives, and one held only by a mount
 * elsewhere or a file descriptor (see netns_snapshot_take_with()).
 *
 * Names, first that applies: "host" for the netns of pid 1 (in a container that is the container's
 * first process), a name that a person gave under /run/netns, that of a container or a pod
 * ("namespace/pod"), a made-up file name under /run/netns ("cni-UUID"), "pid:1234(comm)" of the lowest
 * process in it, "docker:FILE", "netns:4026532215".
 *
 * The calling thread never changes its netns: the work is done on a thread that ends before the
 * return. Missing rights are no error: what can be seen is listed and ->incomplete says the rest.
 *
 * Return: 0, or -errno when not even the caller's own netns can be listed or memory ran out.
 */
int netns_snapshot_take(struct netns_snapshot **out, struct error *err);

/**
 * netns_snapshot_take_with - the same, with netns that the caller holds open
 * @options: the extra netns; their names win over any other. NULL: as netns_snapshot_take()
 */
int netns_snapshot_take_with(struct netns_snapshot **out, const struct netns_take_options *options,
			     struct error *err);

/** netns_snapshot_free - free a snapshot and all it owns; NULL is allowed */
void netns_snapshot_free(struct netns_snapshot *snap);

/**
 * netns_snapshot_name - give a netns another display name
 *
 * Return: 0, -ENOENT when @snap has no such netns, -EINVAL for an empty name or one longer than
 * NETNS_NAME_MAX, -ENOMEM.
 */
int netns_snapshot_name(struct netns_snapshot *snap, u64 inum, const char *name);

/**
 * netns_snapshot_merge - add what a later snapshot of the same machine has
 * @into: the earlier one; holds the union afterwards
 * @from: the later one; not changed
 *
 * A netns is the same when inode and cookie are (an unknown cookie matches any); its name stays.
 * A device is the same when netns, ifindex, name and kind are; the later state of its flags,
 * master and link wins, except that a known link is not replaced by an unknown one. A renamed
 * device or a reused ifindex stays twice, told apart by ->seen. On failure @into is as before.
 *
 * Return: 0 or -ENOMEM.
 */
int netns_snapshot_merge(struct netns_snapshot *into, const struct netns_snapshot *from,
			 struct error *err);

/**
 * netns_find - a netns by its inode number, O(log n)
 *
 * Return: NULL when not known; the one with the lower cookie when the number was reused between two
 * merged snapshots.
 */
const struct netns *netns_find(const struct netns_snapshot *snap, u64 inum);

/** netns_find_cookie - a netns by its cookie, O(log n); NULL when not known or @cookie is 0 */
const struct netns *netns_find_cookie(const struct netns_snapshot *snap, u64 cookie);

/** netdev_find - a device by ifindex, O(log n); the latest seen when the number was reused */
const struct netdev *netdev_find(const struct netns *ns, u32 ifindex);

/**
 * netns_find_devices - every device of a name, in all netns, O(log n)
 * @refs: set to the first of the matches, which lie one after another
 *
 *	n = netns_find_devices(snap, "eth0", &refs);
 *	for (i = 0; i < n; i++)
 *		use(netdev_ref_ns(snap, refs[i]), netdev_ref_dev(snap, refs[i]));
 *
 * Return: the number of matches.
 */
size_t netns_find_devices(const struct netns_snapshot *snap, const char *name,
			  const struct netdev_ref **refs);

static inline const struct netns *netdev_ref_ns(const struct netns_snapshot *snap,
						struct netdev_ref ref)
{
	return &snap->ns[ref.ns];
}

static inline const struct netdev *netdev_ref_dev(const struct netns_snapshot *snap,
						  struct netdev_ref ref)
{
	return &snap->ns[ref.ns].devs[ref.dev];
}

/**
 * netdev_peer - the other end of a veth (or netkit) pair
 * @ns: the netns @dev is in
 * @peer_ns: set to the peer's netns when there is one; may be NULL
 *
 * Only a peer that is of the same kind and points back at @dev is returned.
 *
 * Return: NULL when @dev is no pair device or its peer is not in the snapshot.
 */
const struct netdev *netdev_peer(const struct netns_snapshot *snap, const struct netns *ns,
				 const struct netdev *dev, const struct netns **peer_ns);

/**
 * netdev_lower - the device that @dev is stacked on (of a vlan, macvlan, ipvlan, ...)
 *
 * Return: NULL when there is none, it is not known, or @dev is a pair device.
 */
const struct netdev *netdev_lower(const struct netns_snapshot *snap, const struct netns *ns,
				  const struct netdev *dev, const struct netns **lower_ns);

/** netdev_master - the bridge, bond or VRF that @dev is a port of; NULL when none */
const struct netdev *netdev_master(const struct netns *ns, const struct netdev *dev);

/** netdev_is_pair - what is sent into it comes out of its peer: veth and netkit */
bool netdev_is_pair(const struct netdev *dev);

/**
 * netns_snapshot_to_json - what a recording stores
 *
 * Return: a new object, owned by the caller, or NULL when memory ran out.
 */
struct json_object *netns_snapshot_to_json(const struct netns_snapshot *snap);

/**
 * netns_snapshot_from_json - read back what netns_snapshot_to_json() made
 * @json: may come from a stranger: every type, length, range and count is checked; unknown keys
 *        are ignored so that later versions can add some
 *
 * Return: 0, -EINVAL with what is wrong and where, or -ENOMEM.
 */
int netns_snapshot_from_json(struct json_object *json, struct netns_snapshot **out,
			     struct error *err);

#endif
