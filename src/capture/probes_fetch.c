// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a probe event fetches, in the kernel's syntax: " name=+OFFSET(ARGUMENT):TYPE" and so on.
 *
 * In:  the layout, and the argument that gives the skb.
 * Out: text behind a definition. Only what the layout knows the place of, and nothing through a word that may
 *      be no pointer. The names are the contract in probes.h.
 */
#include "capture/probes_fetch.h"

#include <stdio.h>

#define WINDOW_BEFORE 64 /* bytes of the window before skb->data */
#define WINDOW_WORDS 26	 /* of 8 bytes; the kernel takes at most 64 */

static u32 at(const struct fetch_line *d, enum member m)
{
	return d->l->at[m].offset;
}

static bool has(const struct fetch_line *d, enum member m)
{
	return layout_has(d->l, m);
}

/* " NAME=+OFFSET(SKB):TYPE", if the member's place is known. */
static void put_member(struct fetch_line *d, const char *name, enum member m, const char *type)
{
	if (has(d, m))
		strbuf_printf(&d->text, " %s=+%u(%s):%s", name, at(d, m), d->skb, type);
}

static void put_sized(struct fetch_line *d, const char *name, enum member m)
{
	if (has(d, m))
		strbuf_printf(&d->text, " %s=+%u(%s):u%u", name, at(d, m), d->skb,
			      8 * d->l->at[m].size);
}

/* The number of the netns that the pointer at @net_at of the structure that @from gives leads to. */
static void put_netns(struct fetch_line *d, const char *name, enum member net, const char *from)
{
	if (has(d, net) && has(d, NET_INUM))
		strbuf_printf(&d->text, " %s=+%u(+%u(%s)):u32", name, at(d, NET_INUM), at(d, net),
			      from);
}

void fetch_skbaddr(struct fetch_line *d)
{
	strbuf_printf(&d->text, " skbaddr=%s:x64", d->skb);
}

/* skb->dev and what it leads to; a tracepoint has the name itself. */
static void put_device(struct fetch_line *d, bool with_name)
{
	char dev[48];

	if (!has(d, SKB_DEV))
		return;
	put_member(d, "dv", SKB_DEV, "x64");
	snprintf(dev, sizeof(dev), "+%u(%s)", at(d, SKB_DEV), d->skb);
	if (with_name && has(d, DEV_NAME))
		strbuf_printf(&d->text, " name=+%u(%s):string", at(d, DEV_NAME), dev);
	if (has(d, DEV_IFINDEX))
		strbuf_printf(&d->text, " ifi=+%u(%s):u32", at(d, DEV_IFINDEX), dev);
	put_netns(d, "ns", DEV_NET, dev);
}

/* The tag that is kept beside the bytes; without the word that there is one it would say nothing. */
static void put_tag(struct fetch_line *d)
{
	const struct member_place *present = &d->l->at[SKB_VLAN_PRESENT];

	if (!has(d, SKB_VLAN_TCI) || !has(d, SKB_VLAN_PRESENT))
		return;
	put_member(d, "vt", SKB_VLAN_TCI, "u16");
	put_member(d, "vp", SKB_VLAN_PROTO, "u16");
	if (present->is_bit)
		strbuf_printf(&d->text, " vb=+%u(%s):b1@%u/8", present->offset, d->skb,
			      present->bit);
	else
		put_sized(d, "vb", SKB_VLAN_PRESENT);
}

/* Everything but skbaddr, and but what a tracepoint says itself. */
void fetch_headers(struct fetch_line *d, bool tracepoint, enum fetch_device device)
{
	char sk[48];

	put_member(d, "h", SKB_HEAD, "x64");
	put_member(d, "d", SKB_DATA, "x64");
	put_member(d, "nh", SKB_NETWORK, "u16");
	put_member(d, "mh", SKB_MAC, "u16");
	put_member(d, "th", SKB_TRANSPORT, "u16");
	if (!tracepoint)
		put_member(d, "len", SKB_LEN, "u32");
	put_member(d, "p", SKB_PROTOCOL, "u16");
	put_member(d, "m", SKB_MARK, "u32");
	put_tag(d);
	if (has(d, SKB_DATA) && has(d, SKB_HEAD))
		strbuf_printf(&d->text, " w%d=-%d(+%u(%s)):x64[%d]", WINDOW_BEFORE, WINDOW_BEFORE,
			      at(d, SKB_DATA), d->skb, WINDOW_WORDS);
	if (device != DEVICE_NOT)
		put_device(d, !tracepoint);
	if (!has(d, SKB_SK))
		return;
	put_member(d, "sk", SKB_SK, "x64");
	if (d->netns_told || (device == DEVICE_SURE && has(d, SKB_DEV) && has(d, DEV_NET)))
		return;
	snprintf(sk, sizeof(sk), "+%u(%s)", at(d, SKB_SK), d->skb);
	put_netns(d, "sns", SOCK_NET, sk);
}

/*
 * The device of the route: bit 0 of _skb_refdst is no part of the pointer, so both readings. The one that
 * is wrong is not an address, so nothing is fetched from there: up to 5.10 at least, and with processors whose
 * addresses are wider than the kernel uses them, a read there is refused with a warning in the kernel's log.
 */
void fetch_route(struct fetch_line *d)
{
	if (!has(d, SKB_REFDST) || !has(d, DST_DEV))
		return;
	put_member(d, "rd", SKB_REFDST, "x64");
	strbuf_printf(&d->text, " dd0=+%u(+%u(%s)):x64 dd1=%+lld(+%u(%s)):x64", at(d, DST_DEV),
		      at(d, SKB_REFDST), d->skb, (long long)at(d, DST_DEV) - 1, at(d, SKB_REFDST),
		      d->skb);
}

/* nf_hook_slow(skb, state, entries, index) */
void fetch_hooks(struct fetch_line *d)
{
	struct fetch_line state = *d;

	state.skb = "$arg2";
	put_sized(&state, "hook", NFSTATE_HOOK);
	put_sized(&state, "pf", NFSTATE_PF);
	put_member(&state, "nn", NFSTATE_NET, "x64");
	d->netns_told = has(d, NFSTATE_NET) && has(d, NET_INUM);
	if (d->netns_told)
		strbuf_printf(&state.text, " nns=+%u(+%u($arg2)):u32", at(d, NET_INUM),
			      at(d, NFSTATE_NET));
	put_member(&state, "ind", NFSTATE_IN, "x64");
	if (has(d, NFSTATE_IN) && has(d, DEV_NAME))
		strbuf_printf(&state.text, " in=+%u(+%u($arg2)):string", at(d, DEV_NAME),
			      at(d, NFSTATE_IN));
	put_member(&state, "outd", NFSTATE_OUT, "x64");
	if (has(d, NFSTATE_OUT) && has(d, DEV_NAME))
		strbuf_printf(&state.text, " out=+%u(+%u($arg2)):string", at(d, DEV_NAME),
			      at(d, NFSTATE_OUT));
	state.skb = "$arg3";
	put_member(&state, "hf", NFENTRIES_HOOKS, "x64");
	d->text = state.text;
}

void fetch_xtable(struct fetch_line *d, int skb_arg)
{
	int table = skb_arg == 1 ? 3 : 1;

	if (has(d, XT_TABLE_NAME))
		strbuf_printf(&d->text, " tb=$arg%d:x64 table=+%u($arg%d):string", table,
			      at(d, XT_TABLE_NAME), table);
}

/* nft_do_chain(pkt, chain): names are pointers there */
void fetch_chain(struct fetch_line *d)
{
	if (has(d, NFT_CHAIN_TABLE) && has(d, NFT_TABLE_NAME))
		strbuf_printf(&d->text, " tb=+%u($arg2):x64 table=+0(+%u(+%u($arg2))):string",
			      at(d, NFT_CHAIN_TABLE), at(d, NFT_TABLE_NAME),
			      at(d, NFT_CHAIN_TABLE));
	if (has(d, NFT_CHAIN_NAME))
		strbuf_printf(&d->text, " cb=$arg2:x64 chain=+0(+%u($arg2)):string",
			      at(d, NFT_CHAIN_NAME));
}
