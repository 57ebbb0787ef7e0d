/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pcap-filter expression pushed down: filters for the kernel's own events.
 *
 * In:  the programs that libpcap made of the expression, and what may change packets on their way.
 * Out: for each probe event the fields it has to fetch besides, and a filter on them, in the words of
 *      Documentation/trace/events.rst ("Event filtering").
 *
 * A filter keeps a superset: whatever the expression holds for passes, at that event and at all others of the
 * same packet. What is not known, not fixed, or too long to say passes. The rules are:
 *
 * - Where the network header is cannot be computed there, so each event has places where it may be. A place
 *   counts when the bytes look like a header without options; when none does, the record passes.
 * - A packet is wanted with all of its hops, so what changes on the way says nothing: time to live,
 *   type of service, checksums, length (GRO and segments), and where there is NAT addresses and ports.
 *   Where there are tunnels, all that may carry another packet passes.
 * - A fragment has no ports: it passes by what else is asked for.
 */
#ifndef SKBTRAIL_CAPTURE_FILTER_H
#define SKBTRAIL_CAPTURE_FILTER_H

#include <pcap/pcap.h>

#include "base/strbuf.h"
#include "base/types.h"
#include "kernel/structs.h"

/* Where skb->data is at an event. */
enum push_at {
	PUSH_NETWORK,	/* at the network header */
	PUSH_LINK,	/* at the link header, which is Ethernet's or none */
	PUSH_TRANSPORT, /* behind the network header */
	PUSH_ANYWHERE,	/* at any header, or behind all */
	PUSH_NOT,	/* nobody knows: every record passes */
};

struct push_request {
	/* of the same expression; no instructions: there is none for that link type */
	const struct bpf_program *ether, *raw;
	bool nat;     /* addresses and ports may change on a packet's way */
	bool tunnels; /* packets may be put into others, and taken out */
};

struct push_filter;

/**
 * push_filter_new - what of an expression can be pushed
 *
 * Return: 0 with @out set, NULL when nothing can be; -ENOMEM.
 */
int push_filter_new(struct push_filter **out, const struct push_request *rq);
void push_filter_free(struct push_filter *f);

/**
 * push_filter_event - the filter of one event
 * @skb: the fetch argument that gives the skb
 * @parent: name of the field that has it, which is 0 when there is none
 * @definition: of the event; fetch arguments are appended
 * @filter: set to the text
 *
 * Return: false when there can be none (nothing known about the layout, or too long even when weakened):
 * @definition is unchanged then, and every record of the event passes.
 */
bool push_filter_event(const struct push_filter *f, enum push_at at, const struct layout *l,
		       const char *skb, const char *parent, struct strbuf *definition,
		       struct strbuf *filter);

/** push_filter_describe - what passes, in words like those of pcap-filter(7), for people */
void push_filter_describe(const struct push_filter *f, struct strbuf *out);

#endif
