/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a probe event fetches. For probes.c only.
 */
#ifndef SKBTRAIL_CAPTURE_PROBES_FETCH_H
#define SKBTRAIL_CAPTURE_PROBES_FETCH_H

#include "base/strbuf.h"
#include "kernel/structs.h"

/* A definition in the making. */
struct fetch_line {
	struct strbuf text;
	const struct layout *l;
	const char *skb; /* fetch argument that gives the skb: "$arg1", "+0($arg1)", "$skbaddr" */
	bool netns_told; /* by what was fetched already */
};

void fetch_skbaddr(struct fetch_line *d);

/* What is in skb->dev where an event is. */
enum fetch_device {
	DEVICE_MAYBE, /* a device or NULL */
	DEVICE_SURE,  /* a device: the kernel itself follows the pointer there */
	DEVICE_NOT,   /* maybe something else */
};

/**
 * fetch_headers - everything about the skb but its address
 * @tracepoint: len and the device's name are the tracepoint's own, and there already
 *
 * Each member behind a pointer that is NULL costs a page fault, several times what the rest of the record does.
 * So the netns of the socket, which a received packet has none of, is fetched only where neither the device nor
 * netfilter's state is sure to tell it.
 */
void fetch_headers(struct fetch_line *d, bool tracepoint, enum fetch_device device);

/** fetch_route - the device of skb->_skb_refdst */
void fetch_route(struct fetch_line *d);
/** fetch_hooks - of nf_hook_slow(): hook, protocol family, devices, netns */
void fetch_hooks(struct fetch_line *d);
/** fetch_xtable - of ipt_do_table() and its like, whose argument @skb_arg is the skb: the table */
void fetch_xtable(struct fetch_line *d, int skb_arg);
/** fetch_chain - of nft_do_chain(): table and chain */
void fetch_chain(struct fetch_line *d);

#endif
