/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets, and how many bytes which process got through them.
 *
 * In:  events of sockets in time order, calls whole (sockcalls.h); the kernel's inventory (kernel/sockdiag.h).
 * Out: for each interval, what each socket and process, or a group of them, has received and sent, and in all.
 *
 * A socket is known by its address from its birth to its end, by its cookie when the kernel has given it one,
 * and until its address was seen by its addresses. What contradicts any of these is another socket: one
 * whose beginning or end was not seen is marked so, and never takes over the bytes of another.
 *
 * Bytes are what calls returned, once: never what was asked for. Pure, O(1) for each event, and bounded: when the
 * room is used up, sockets that are over go first, then those that were silent longest, and are counted.
 */
#ifndef SKBTRAIL_ANALYSIS_FLOWS_H
#define SKBTRAIL_ANALYSIS_FLOWS_H

#include <sys/types.h>

#include "base/error.h"
#include "base/sockaddrs.h"
#include "base/types.h"
#include "decode/sockevent.h"

struct flows;
struct sockdiag_entry;
struct flow_latency;

enum flows_by {
	FLOWS_BY_SOCKET, /* a row for each process that used it */
	FLOWS_BY_PID,
	FLOWS_BY_COMM,
	FLOWS_BY_HOST, /* the remote address */
	FLOWS_BY_PORT, /* the service's: local where it was connected to, else remote */
	FLOWS_BY_NETNS,
};

struct flows_options {
	enum flows_by by;
	u32 max_sockets; /* 0: 1,000,000 */
	u32 max_groups;	 /* 0: 65,536; what is beyond is summed in one group that has no key */
	u64 seed;	 /* of the hash tables: strangers choose ports */
	/* SOCK_EVENT_DESTROY will not come, for TCP (tcp) or others: then a socket ends when it is closed, and one of
	 * UDP when another socket has its address. */
	bool no_destroy;
	s32 pid; /* groups are of what this process did; 0: of all */
	/* Which sockets are told of, by their addresses, as soon as these are known; NULL: all. It is asked when a
	 * socket's addresses change, not for each event. */
	bool (*wanted)(void *ctx, const struct sock_addrs *addrs);
	void *wanted_ctx;
};

struct flow_sums {
	u64 rx_bytes, tx_bytes;
	u64 rx_calls, tx_calls; /* that moved at least a byte */
	u32 retransmits;
};

/* Bits of flow.flags. */
enum {
	FLOW_BIRTH_SEEN = 1 << 0, /* ->first_ns is when it was opened */
	FLOW_EXISTED = 1 << 1,	  /* it was in an inventory before any event of it */
	FLOW_ACCEPTED = 1 << 2,	  /* by a listening socket; else it connected, or nobody knows */
	FLOW_CONNECTED = 1 << 3,  /* of itself */
	FLOW_WAS_UP = 1 << 4,	  /* it was established at some time */
	FLOW_OVER = 1 << 5,	  /* no more will come */
	FLOW_END_NOT_SEEN =
		1 << 6, /* its address had become another's, or it was in no inventory any more */
	FLOW_INEXACT = 1 << 7, /* a call of it may be missing: records were lost in between */
	FLOW_FROM_PACKETS =
		1 << 9, /* its bytes are what packets carried, not what calls returned */
	FLOW_NO_OWNER =
		1
		<< 8, /* when it was listed no process had it: it is the kernel's own, or being passed on */
};

struct flow {
	struct sock_addrs addrs;
	u64 number; /* of the socket, from 1: never used again */
	u64 sk;	    /* 0: only from the inventory so far, or over */
	u64 cookie; /* 0 not known */
	u64 first_ns, last_ns;
	u64 closed_ns; /* when its state became CLOSE, or its end was seen; 0: open */
	struct flow_sums sum;
	struct flow_sums recent; /* of this interval only when ->interval is this one's number */
	u32 interval;
	u32 netns;  /* inode number, 0 not known */
	u32 uid;    /* of its owner; UINT32_MAX not known */
	u32 inode;  /* of its file, 0 not known or none (kernel sockets) */
	u32 rtt_us; /* as of the last inventory, 0 not known */
	u16 flags;
	u8 state; /* SOCK_*; 0 not known */
};

/* What an event meant, for a log. */
enum flow_news {
	FLOW_NO_NEWS,
	FLOW_NEWS_LISTENS,
	FLOW_NEWS_CONNECTS,  /* a SYN is being sent */
	FLOW_NEWS_CONNECTED, /* it is up */
	FLOW_NEWS_ACCEPTED,  /* it is up, from a listening socket */
	FLOW_NEWS_FAILED,    /* it was never up, and will not be by this try */
	FLOW_NEWS_ENDED,     /* with all its sums */
};

struct flows_stats {
	u64 events;
	u64 sockets;	  /* ever seen */
	u32 live;	  /* in memory now */
	u64 evicted_over; /* sockets that were over and had not been told of */
	u64 evicted_live; /* sockets that were not: if they come again, as new ones */
	u64 superseded;	  /* sockets whose address turned out to be another's */
	u64 ambiguous;	  /* events that more than one socket of the inventory could be meant by */
	u64 owners_refused;    /* bytes of too many processes are counted, but not as theirs */
	u64 groups_refused;    /* events that went to the group without a key */
	struct flow_sums sum;  /* of everything, evicted or not */
	struct flow_sums gone; /* of sockets that are no more in memory; part of ->sum */
};

int flows_new(struct flows **out, const struct flows_options *options, struct error *err);
void flows_free(struct flows *flows);

/**
 * flows_take - take in an event
 * @ev: SOCK_EVENT_ENTER and RETURN are not for here. With ->from_packets its socket is the one of these addresses
 * @which: set to the socket it is of, valid until the next call of any function here; NULL when that is not
 *         wanted. May be NULL
 *
 * Return: an enum flow_news, or -ENOMEM.
 */
int flows_take(struct flows *flows, const struct sock_event *ev, const struct flow **which);

/** flows_may_be - whether the socket that has @ev's address now has its protocol and ports, too */
bool flows_may_be(const struct flows *flows, const struct sock_event *ev);

/** flows_confirm_cookie - @cookie when it is that of a socket of this protocol with these ports, else 0 */
u64 flows_confirm_cookie(const struct flows *flows, u64 cookie, const struct sock_addrs *addrs);

/** flows_inexact - a call on the socket that has this address now may not have been counted */
void flows_inexact(struct flows *flows, u64 sk);

/** flows_unsure - the same of the socket of a call, SOCK_EVENT_BYTES, which is not counted; 0 or -ENOMEM */
int flows_unsure(struct flows *flows, const struct sock_event *ev);

/**
 * flows_inexact_inodes - the same of sockets that an inventory told of, by their inode numbers
 * @inode: @nr of them, ascending
 *
 * O(sockets). Return: how many sockets there were.
 */
size_t flows_inexact_inodes(struct flows *flows, const u32 *inode, size_t nr);

/**
 * flows_inventory_begin / _entry / _end - take in an inventory of the kernel's
 * @complete: sockets that were known from an inventory alone and were not in this one are over
 *
 * The first one belongs before the first event: then each of its sockets has a cookie in all records.
 *
 * Return: 0 or -ENOMEM.
 */
void flows_inventory_begin(struct flows *flows);
int flows_inventory_entry(struct flows *flows, const struct sockdiag_entry *entry, u64 now_ns);
void flows_inventory_end(struct flows *flows, bool complete, u64 now_ns);

/* A line of a table. What does not apply is 0, NULL, or "". */
struct flow_row {
	const struct flow *flow; /* FLOWS_BY_SOCKET */
	s32 pid;		 /* FLOWS_BY_SOCKET, FLOWS_BY_PID; 0 not known */
	char comm[16];		 /* and FLOWS_BY_COMM */
	u8 host[16];		 /* FLOWS_BY_HOST */
	u16 port, proto;	 /* FLOWS_BY_PORT */
	u32 netns;		 /* FLOWS_BY_NETNS */
	const char *
		netns_name; /* of the socket or group, when it is not our own netns; for whoever shows the row */
	const struct flow_latency *
		latency; /* flowlat.h: of the socket, in the first of its rows; for whoever shows it */
	bool from_packets; /* for whoever shows the row: FLOW_FROM_PACKETS is what all bytes are */
	bool inexact;	   /* for whoever shows the row: calls of it may be missing */
	bool numbered;	   /* for whoever shows the row: with the number of the socket */
	bool others;	   /* the group of what has no room */
	struct flow_sums sum;
	struct flow_sums recent;
};

/**
 * flows_rows - what there was in this interval
 * @all: also what was silent
 * @rows: set to an array of them, to be freed by the caller; what they point to is valid until the next call of
 *        any function but this one
 *
 * O(what was active), or O(everything) with @all. In no order: the caller sorts.
 *
 * Return: how many, or -ENOMEM.
 */
ssize_t flows_rows(const struct flows *flows, bool all, struct flow_row **rows);

/**
 * flows_regroup - sum by something else from now on
 *
 * Groups begin with what the sockets in memory have had; the rest is in the group of what has no room. O(sockets).
 */
void flows_regroup(struct flows *flows, enum flows_by by);

/** flows_next_interval - a new interval begins; sockets that are over are forgotten */
void flows_next_interval(struct flows *flows);

void flows_stats(const struct flows *flows, struct flows_stats *stats);

/** flows_find_listed - the one socket that packets to these addresses are for, if only an inventory told of it so far; else NULL */
const struct flow *flows_find_listed(struct flows *flows, const struct sock_addrs *addrs);

/** flows_find - the socket that has this address now; NULL when it is not known */
const struct flow *flows_find(const struct flows *flows, u64 sk);

/** flows_seen - it is to be among the rows of this interval, whatever else is told of it. @flow: of one of the above */
void flows_seen(struct flows *flows, const struct flow *flow, u64 now_ns);

#endif
