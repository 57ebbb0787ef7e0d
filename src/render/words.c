// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Words that text and JSON share.
 */
#include "render/render.h"

#include <linux/netfilter.h>

static const struct {
	u16 proto;
	const char *name;
} protos[] = {
	/* EtherTypes, include/uapi/linux/if_ether.h */
	{ 0x0800, "IPv4" },    { 0x86dd, "IPv6" },  { 0x0806, "ARP" },	  { 0x8100, "802.1Q" },
	{ 0x88a8, "802.1ad" }, { 0x8847, "MPLS" },  { 0x88cc, "LLDP" },	  { 0x8863, "PPPoE-D" },
	{ 0x8864, "PPPoE" },   { 0x888e, "EAPOL" }, { 0x88e5, "MACsec" }, { 0x8035, "RARP" },
	{ 0x0004, "802.2" },
};

const char *render_proto(u16 proto)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protos); i++)
		if (protos[i].proto == proto)
			return protos[i].name;
	return NULL;
}

void render_location(struct strbuf *sb, u64 addr, const struct render_names *names)
{
	const char *name = NULL;
	size_t len, i;
	u64 offset;

	if (names->symbols)
		name = symbols_find(names->symbols, addr, &offset, &len);
	if (!name) {
		strbuf_put_hex(sb, addr);
		return;
	}
	/* By bytes: no symbol has a letter beyond ASCII. */
	for (i = 0; i < len; i++)
		strbuf_put_escaped(sb, name + i, 1);
	strbuf_putc(sb, '+');
	strbuf_put_hex(sb, offset);
}

const char *render_state(u8 state)
{
	static const char *const words[] = {
		[PATH_OPEN] = "open",
		[PATH_DELIVERED] = "delivered",
		[PATH_TRANSMITTED] = "transmitted",
		[PATH_DROPPED] = "dropped",
		[PATH_UNKNOWN] = "unknown",
		[PATH_SPLIT] = "split",
		[PATH_MERGED] = "merged",
	};

	return words[state];
}

const char *render_completeness(u8 complete)
{
	static const char *const words[] = {
		[PATH_COMPLETE] = "complete",
		[PATH_STILL_OPEN] = "open",
		[PATH_GAP] = "gap",
		[PATH_UNKNOWN_END] = "unknown_end",
	};

	return words[complete];
}

const char *render_link(u8 kind)
{
	static const char *const words[LINK_KINDS] = {
		[LINK_NONE] = "none",		[LINK_CLONE] = "clone",
		[LINK_COPY] = "copy",		[LINK_SEGMENT] = "segment",
		[LINK_FRAGMENT] = "fragment",	[LINK_MERGE] = "merge",
		[LINK_ERROR] = "error",		[LINK_RESET] = "reset",
		[LINK_ANSWER] = "answer",	[LINK_RETRANSMIT] = "retransmit",
		[LINK_SIGNATURE] = "signature",
	};

	return words[kind < LINK_KINDS ? kind : LINK_NONE];
}

const char *render_tunnel(u8 tunnel)
{
	static const char *const words[] = {
		[TUNNEL_NONE] = "none", [TUNNEL_VXLAN] = "vxlan", [TUNNEL_GENEVE] = "geneve",
		[TUNNEL_GRE] = "gre",	[TUNNEL_IPIP] = "ipip",	  [TUNNEL_ESP] = "esp",
	};

	return words[tunnel < ARRAY_SIZE(words) ? tunnel : TUNNEL_NONE];
}

/* include/uapi/linux/netfilter.h, netfilter_arp.h: arptables numbers its hooks anew. */
const char *render_hook(u8 pf, u8 hook)
{
	static const char *const inet[] = { "PREROUTING", "INPUT",	 "FORWARD",
					    "OUTPUT",	  "POSTROUTING", "INGRESS" };
	static const char *const arp[] = { "INPUT", "OUTPUT", "FORWARD" };
	static const char *const netdev[] = { "INGRESS", "EGRESS" };

	if (pf == NFPROTO_ARP)
		return hook < ARRAY_SIZE(arp) ? arp[hook] : NULL;
	if (pf == NFPROTO_NETDEV)
		return hook < ARRAY_SIZE(netdev) ? netdev[hook] : NULL;
	return hook < ARRAY_SIZE(inet) ? inet[hook] : NULL;
}

const char *render_hook_family(u8 pf)
{
	switch (pf) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ipv4";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_NETDEV:
		return "netdev";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_IPV6:
		return "ipv6";
	default:
		return NULL;
	}
}

const char *render_chain(const struct path *path, const struct hop *hop,
			 const struct devnames *names)
{
	const struct hop_filter *filter = hop_filter_of(hop);

	if (!filter || !filter->table)
		return NULL;
	if (filter->chain)
		return devnames_text(names, filter->chain);
	/* xtables has a chain for each hook, of its name. */
	while (hop-- > path->hops)
		if (hop->kind == EVENT_HOOK)
			return hop->filter ? render_hook(hop->filter->pf, hop->filter->hook) : NULL;
	return NULL;
}

const char *render_verdict(s32 verdict)
{
	static const char *const words[] = { "DROP", "ACCEPT", "STOLEN", "QUEUE", "REPEAT" };

	return verdict >= 0 && verdict < (s32)ARRAY_SIZE(words) ? words[verdict] : NULL;
}

const char *render_netns_from(u8 from)
{
	static const char *const words[] = {
		[NETNS_FROM_NONE] = NULL,   [NETNS_FROM_HOOK] = "hook", [NETNS_FROM_DEV] = "dev",
		[NETNS_FROM_SOCK] = "sock", [NETNS_FROM_DST] = "dst",	[NETNS_FROM_TAP] = "tap",
	};

	return from < ARRAY_SIZE(words) ? words[from] : NULL;
}

s32 render_sender(const struct path *path)
{
	const struct hop *first = &path->hops[0];

	if (path->birth_pid > 0)
		return path->birth_pid;
	if (!path->nr_hops || (first->kind >= EVENT_RX_ENTRY && first->kind <= EVENT_RECEIVE) ||
	    !(first->context & EVENT_CONTEXT_KNOWN) ||
	    first->context & (EVENT_IN_SOFTIRQ | EVENT_IN_HARDIRQ))
		return 0;
	return first->pid;
}
