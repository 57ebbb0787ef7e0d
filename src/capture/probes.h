/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probe events of a capture: which functions and tracepoints, and what each fetches.
 *
 * In:  the hop set asked for, what the kernel allows, its symbols, where its structure members are.
 * Out: definitions for dynamic_events (or kprobe_events), and what could not be placed, with the reason.
 *
 * Pure but for symbol look-ups that the caller hands in. Definitions obey the kernel's limits: an
 * argument has at most 63 characters, an array at most 64 elements, an event under 3 KB, a line under
 * 4 KB.
 *
 * The contract with decode/schema.c. Group: skbtrail_<pid>. An event is named like the tracepoint it sits on
 * (net_dev_queue) or like the function, without a suffix of the compiler's (__netif_receive_skb_core);
 * the one at a function's return adds "_ret". Fields, each there only when its place is known:
 *
 *	skbaddr   x64  the skb; not in an event at a return that only has ret or new
 *	h d       x64  skb->head, skb->data
 *	nh mh th  u16  network, mac and transport header, from head
 *	len       u32  skb->len; of a tracepoint its own field of that name
 *	p         u16  skb->protocol as it is in memory: big-endian
 *	m         u32  skb->mark
 *	vt        u16  skb->vlan_tci, a tag beside the packet's bytes: counts only when vb is not 0
 *	vp        u16  skb->vlan_proto, its type as it is in memory: big-endian
 *	vb        u32  skb->vlan_all; u8 on kernels before 6.2: the bit skb->vlan_present
 *	w64       x64[] memory from data - 64 on; the number in the name is how many bytes before data
 *	dv        x64  skb->dev: when 0, name, ifi and ns are stale bytes
 *	name      string  its name; ifi u32 its ifindex; ns u32 its netns' inode number
 *	sk        x64  skb->sk: when 0, sns is stale
 *	sns       u32  its netns
 *	rd        x64  skb->_skb_refdst; bit 0 set: dd1 counts, else dd0; the other is no address
 *	dd0 dd1   x64  the route's device, as in dv of other records; when rd is 0, stale
 *	hook pf   u8 (hook: u32 on old kernels)   of struct nf_hook_state
 *	nn        x64  its net: when 0, nns is stale
 *	nns       u32  the netns of it
 *	ind outd  x64  its devices: when 0, in and out are stale
 *	in out    string  their names
 *	hf        x64  the first hook's function
 *	tb        x64  xt_table or nft_table: when 0, table is stale; table string
 *	cb        x64  nft_chain: when 0, chain is stale; chain string
 *	into      x64  skb_gro_receive: the skb that it is merged into; skb_morph: the skb it becomes
 *	ret       s32  at a return
 *	new       x64  at a return: the skb made, 0 when memory ran out
 *	location  x64  of a freed skb, as in skb:kfree_skb; reason u32
 *	a23b z4h  u8, u16, u32  for filters only: 23 bytes behind data, 4 before it; b, h, w: 1, 2, 4 bytes
 *
 * "Stale": a fetch argument whose dereference faults keeps what was in the ring buffer before.
 */
#ifndef SKBTRAIL_CAPTURE_PROBES_H
#define SKBTRAIL_CAPTURE_PROBES_H

#include "base/error.h"
#include "base/types.h"
#include "capture/filter.h"
#include "kernel/features.h"
#include "kernel/kallsyms.h"
#include "kernel/structs.h"

enum hop_set {
	HOPS_DEFAULT,
	HOPS_MINIMAL, /* devices only, with headers; births and deaths */
	HOPS_FULL,    /* whatever is known to take an skb */
};

/* A function that the user named: --probe FUNC[:ARG] */
struct probe_asked {
	char function[64];
	int arg;	   /* 1 for the first; 0: to be found from BTF */
	bool by_reference; /* --probe FUNC:*ARG: the argument is a struct sk_buff ** */
};

/** See structs_skb_argument() */
typedef int (*probe_argument_fn)(const char *function, bool *by_reference);

struct probe_request {
	enum hop_set hops;
	const struct probe_asked *asked;
	size_t nr_asked;
	unsigned int pid;	    /* names the group: skbtrail_<pid> */
	u8 max_tier;		    /* enum tier; TIER_NONE: no limit */
	bool graph;		    /* function_graph is on, too */
	probe_argument_fn argument; /* NULL: nobody knows */
	/*
	 * What the kernel shall let through; NULL: all. Then there are no births, which have no headers
	 * yet, and no events at a return that tell no skb; functions stand for tracepoints that have none.
	 */
	const struct push_filter *push;
};

#define PROBE_TRIGGERS 2

struct probe {
	char name[64];	   /* of the event, without the group */
	char *definition;  /* the line for dynamic_events */
	char *filter;	   /* for its filter file; NULL: none */
	char function[80]; /* symbol or tracepoint it sits on, as the kernel has it; for messages */
	u8 tier;	   /* enum tier that it needs */
	/* Only when the kernel refuses that other one is this one placed: its index + 1; else 0. */
	u32 instead_of;
	const char
		*replaces; /* tracepoint to switch on when it is refused: "net:netif_rx"; or NULL */
	/* The kernel itself sums what its records would tell: these are for its trigger file, and there are no records. */
	char trigger[PROBE_TRIGGERS][112]; /* "": none */
	bool reads_format; /* of that tracepoint: it has names for what is a number here */
};

/* What could not be placed, and what is used in its place. */
struct probe_missing {
	char name[64];
	char why[160];	     /* "no such function in this kernel (inlined, or not built in)" */
	char substitute[64]; /* "" when there is none */
};

struct probes {
	struct probe *probe;
	size_t nr;
	struct probe_missing *missing;
	size_t nr_missing;
	u8 tier; /* the highest tier that is in use: TIER_T0 when there are no probes */
	char why_not_higher[160]; /* in words; "" when nothing is missing for T3 */
	/* The kernel counts a dereference that faults as a miss, too: before 5.14, kprobe_fault_handler() in
	 * arch/<arch>/kernel/kprobes.c. Taken as such where event probes (5.15) are missing. */
	bool faults_are_misses;
	/* Tracepoints whose records an event probe carries already: not to be switched on themselves.
	 * "net:net_dev_queue" */
	const char *replaced[24];
	size_t nr_replaced;
	bool pushed; /* filters are pushed down */
};

/**
 * probes_symbols - names that probes_choose() will ask kallsyms for
 * @names: set to an array of them, to be freed by the caller (the strings are not)
 *
 * Return: how many; 0 with @names NULL when memory ran out.
 */
size_t probes_symbols(const struct probe_request *rq, const char ***names);

/**
 * probe_parse_asked - the argument of --probe: FUNC, FUNC:ARG, or FUNC:*ARG for a struct sk_buff **
 *
 * Return: 0, or -EINVAL.
 */
int probe_parse_asked(struct probe_asked *asked, const char *text);

/**
 * probes_choose - decide on the probe events of a capture
 * @symbols: of the running kernel; NULL: no probe can be placed
 * @layout: where members are; what it lacks is left out of the definitions
 * @out: filled in; to be released with probes_free() whatever is returned
 *
 * Nothing that cannot be placed is an error, but a function the user named is.
 */
int probes_choose(const struct probe_request *rq, const struct features *f,
		  const struct kallsyms *symbols, const struct layout *layout, struct probes *out,
		  struct error *err);
void probes_free(struct probes *p);

/** probes_append - add all of @from, which is empty then, to @to. Return: 0 or -ENOMEM */
int probes_append(struct probes *to, struct probes *from);

#endif
