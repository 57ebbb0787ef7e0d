/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finished paths -> text or JSON, appended to a string buffer. No I/O here.
 */
#ifndef SKBTRAIL_RENDER_RENDER_H
#define SKBTRAIL_RENDER_RENDER_H

#include "analysis/chains.h"
#include "analysis/path.h"
#include "analysis/topology.h"
#include "base/strbuf.h"
#include "decode/comms.h"
#include "decode/schema.h"
#include "decode/symbols.h"

/* Where the names behind a path's numbers are. Nothing is owned; all but schema may be NULL. */
struct render_names {
	const struct schema *schema;
	struct symbols *symbols;
	const struct comms *comms;
	const struct topology *topology;
	const struct chains *chains;
};

struct text_style {
	bool color;   /* ANSI colours */
	bool utf8;    /* arrows and µ; else ASCII */
	bool verbose; /* a line for every record */
	bool brief;   /* a line for every packet */
	int width;    /* columns; 0: no terminal, laid out as for 80 with nothing cut */
};

/** render_text - a packet's path for a person */
void render_text(struct strbuf *sb, const struct path *path, const struct render_names *names,
		 const struct text_style *style);

/**
 * render_json - a packet's path as one line of JSON, as skbtrail-json(5) describes it
 *
 * Return: 0 or -ENOMEM.
 */
int render_json(struct strbuf *sb, const struct path *path, const struct render_names *names);

/** render_proto - name of an EtherType; NULL when it has none here */
const char *render_proto(u16 proto);

/** render_location - append "icmp_rcv+0x259", or the address when there is no symbol */
void render_location(struct strbuf *sb, u64 addr, const struct render_names *names);

/**
 * render_sender - the task that sent it: in which its skb was made, else the first event happened
 *
 * Return: 0 when it was made in an interrupt, or came from outside.
 */
s32 render_sender(const struct path *path);

/* Words for enum path_state and enum path_completeness, as JSON has them. */
const char *render_state(u8 state);
const char *render_completeness(u8 complete);

/** render_link - word for enum link_kind */
const char *render_link(u8 kind);
/** render_tunnel - word for enum packet_tunnel */
const char *render_tunnel(u8 tunnel);
/** render_hook - "PREROUTING" of NFPROTO_* and NF_INET_*; NULL when it has no name here */
const char *render_hook(u8 pf, u8 hook);
/** render_hook_family - "ipv4" of NFPROTO_*; NULL when it has no name here */
const char *render_hook_family(u8 pf);
/**
 * render_chain - the chain of an EVENT_TABLE: its name, or for xtables that of the hook it is run from
 *
 * Return: NULL when neither is known.
 */
const char *render_chain(const struct path *path, const struct hop *hop,
			 const struct devnames *names);
/** render_verdict - "ACCEPT" of NF_*; NULL for another number */
const char *render_verdict(s32 verdict);
/** render_netns_from - word for enum netns_from; NULL for none */
const char *render_netns_from(u8 from);

#endif
