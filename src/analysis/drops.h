/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dropped packets, counted by why, where and whose.
 *
 * In:  finished paths, of one or of several sources of records one after another.
 * Out: groups of equal reason, place in the kernel's code, netfilter rule set and flow.
 *
 * Memory is bounded by DROPS_MAX_GROUPS; what would need one more is counted as such. Numbers in a key
 * (reason, location, table) mean something within one source only: whoever adds paths gives a new
 * group its words, and by these groups of several sources become one.
 *
 * A flow is two addresses, a protocol and the lower of two ports, for that is the service's, and a
 * client takes another port each time. The other port is kept as long as it is always the same.
 */
#ifndef SKBTRAIL_ANALYSIS_DROPS_H
#define SKBTRAIL_ANALYSIS_DROPS_H

#include "analysis/path.h"
#include "base/error.h"

#define DROPS_MAX_GROUPS 8192U

/* Which of a flow's ports counts. */
enum drop_port {
	DROP_PORT_NONE, /* it has none */
	DROP_PORT_SRC,
	DROP_PORT_DST,
};

struct drop_flow {
	u8 src[16], dst[16]; /* as in struct packet_net; of ARP the protocol addresses */
	u16 ethertype;	     /* 0 not known */
	u16 port;	     /* the lower one, with ->port_of */
	u8 version;	     /* 4, 6; 0: no addresses are known */
	u8 proto;	     /* IPPROTO_*, with a version of 4 or 6 and no ARP */
	u8 port_of;	     /* enum drop_port */
	u8 type, code;	     /* ICMP and ICMPv6; ARP: the operation is ->type */
	bool has_type;
};

/* Without holes of random content: compared byte by byte. */
struct drop_key {
	u64 location; /* 0 not known */
	u64 function; /* first hook; 0 not known */
	u32 source;   /* number of the source */
	u32 reason;   /* with ->has_reason */
	u16 type;     /* of the event that told, index into schema.types */
	u16 table, chain;
	u16 dev;   /* only when the flow has no addresses */
	u16 netns; /* the same */
	u8 hook, pf;
	bool has_hook, has_reason;
	struct drop_flow flow;
};

/* Words for the numbers above: all owned by the group, NULL when not known. */
struct drop_words {
	char *reason;	/* "NETFILTER_DROP" */
	char *location; /* "nft_do_chain+0x4c3" */
	char *function; /* the hook's */
	char *table, *chain;
	char *dev, *netns; /* where the first of them was seen last */
	char *example;	   /* the path of the first of them, rendered */
};

struct drop_group {
	struct drop_key key;
	struct drop_words words;
	u64 count;
	u64 bytes; /* by the lengths that were told last of each */
	u64 first_ns, last_ns;
	u64 example;	  /* number of the first path */
	u16 other_port;	  /* with ->key.flow.port_of */
	bool other_ports; /* there were several */
	u32 next, world;  /* working state of drops.c */
};

struct drops;

/** drop_place - the last hop of a path that has a device; NULL when none has */
const struct hop *drop_place(const struct path *path);

int drops_new(struct drops **out, struct error *err);
void drops_free(struct drops *d);

/**
 * drops_next_source - paths from now on are of another source: their numbers mean other things
 * @again: it may tell of the same packets as the one before, as two buffers of a recording do: their
 *         groups are never joined
 */
void drops_next_source(struct drops *d, bool again);

/**
 * drops_add - count a path if it ended in a drop
 * @fresh: set when the group is new; ->words is to be filled in then
 *
 * Return: its group, valid until the next call; NULL when it was no drop or there is no room for
 * another group (counted).
 */
struct drop_group *drops_add(struct drops *d, const struct path *path, bool *fresh);

/**
 * drops_sort - no more paths come: join the groups of several sources, most packets first
 * @nr: set to their number
 *
 * Return: the groups, owned by @d. drops_add() must not be called any more.
 */
const struct drop_group *drops_sort(struct drops *d, size_t *nr);

/** drops_total - dropped packets that were counted, in groups or not */
u64 drops_total(const struct drops *d);

/** drops_ungrouped - of these, the ones that found no room */
u64 drops_ungrouped(const struct drops *d);

#endif
