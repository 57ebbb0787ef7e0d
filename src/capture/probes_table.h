/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The repertoire of probe events: functions and tracepoints that speak of an skb, and which of their
 * arguments it is. For probes.c only; adding a hop is adding a row.
 */
#ifndef SKBTRAIL_CAPTURE_PROBES_TABLE_H
#define SKBTRAIL_CAPTURE_PROBES_TABLE_H

#include "base/types.h"
#include "capture/filter.h"

/* What an event at a function fetches, and whether there is one at its return. */
enum row_kind {
	ROW_LAYER,    /* entry: the skb and its headers */
	ROW_RECEIVED, /* the same, of what a device has received, which is in skb->dev */
	ROW_ROUTED,   /* the same, where skb->dev may be unset: the route's device, too */
	ROW_QUEUED,   /* the same, where something else may be in skb->dev: no device at all */
	ROW_CARRIER,  /* the same, only where event probes are not to be had */
	ROW_BIRTH,    /* return: new */
	ROW_COPY,     /* entry: the skb; return: new. One event at the return where entry arguments
		      * can be had there */
	ROW_MAKES, /* entry: the skb; return: new. Always both: what is born between belongs to it */
	ROW_CALL,  /* entry: the skb; return: ret */
	ROW_VOID,  /* entry: the skb; return: nothing */
	ROW_DEATH,   /* entry: the skb, nothing of what is in it */
	ROW_MERGE,   /* entry: skb and into */
	ROW_HOOKS,   /* nf_hook_slow() */
	ROW_XTABLES, /* ipt_do_table() and its like: arguments differ between kernels */
	ROW_NFTABLES,
};

/* The smallest set of hops that a row is in. */
enum row_set {
	IN_MINIMAL,
	IN_DEFAULT,
	IN_FULL,
};

struct probe_row {
	const char *function; /* bare name, without a suffix of the compiler's */
	u8 kind;	      /* enum row_kind */
	u8 set;		      /* enum row_set */
	u8 arg;		      /* which argument is the skb, from 1 */
	u8 into;	      /* ROW_MERGE: which is the other skb */
	u8 at;		      /* enum push_at: where skb->data is, for filters */
	bool by_reference;    /* the argument is a struct sk_buff ** */
	const char
		*stands_for; /* ROW_CARRIER: tracepoint that it is as good as when it is filtered */
	const char *substitute; /* what still tells when it cannot be placed; NULL: nothing */
};

extern const struct probe_row probe_rows[];
extern const size_t nr_probe_rows;

/* Tracepoints that an event probe carries instead, with headers. */
struct probe_tracepoint {
	const char *event;  /* "net:net_dev_queue" */
	bool replaced_only; /* no event probe: left out by default as the others tell as much */
	bool when_filtered; /* event probe only when filters are pushed down: else it is no better */
	u8 at;		    /* enum push_at */
};

extern const struct probe_tracepoint probe_tracepoints[];
extern const size_t nr_probe_tracepoints;

/*
 * Names that tell how ipt_do_table() and its like are called. Up to 5.15 each table has a hook
 * function of its own that calls ipt_do_table(skb, state, table). Since then (8844e01062dd "netfilter:
 * iptables: allow use of ipt_do_table as hookfn") it is called as (table, skb, state), and these hook
 * functions are gone, though the functions that set the table up stay.
 */
struct probe_xtables_fact {
	const char *set_up; /* the table is there */
	const char *hook;   /* and this is its own hook: the old way */
};

extern const struct probe_xtables_fact probe_xtables_facts[];
extern const size_t nr_probe_xtables_facts;

#endif
