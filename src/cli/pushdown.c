// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The user's filter for the kernel: see pushdown.h.
 */
#include "cli/pushdown.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/nat.h"
#include "kernel/netns.h"

/* The first is what all of netfilter's NAT needs; the others translate with no table that would tell. */
const char *const pushdown_symbols[] = { "nf_nat_packet", "ip_vs_nat_xmit", "ovs_ct_execute",
					 "tcf_ct_act", "nft_do_chain" };
#define NAT_SYMBOL 0
#define NFTABLES_SYMBOL 4
const size_t nr_pushdown_symbols = ARRAY_SIZE(pushdown_symbols);

/* Devices that leave a packet as it is, or that end its way. */
static const char *const plain_kinds[] = {
	"",	   "lo",     "veth",   "netkit", "bridge", "vlan", "macvlan",
	"macvtap", "ipvlan", "ipvtap", "dummy",	 "ifb",	   "bond", "team",
	"vrf",	   "tun",    "nlmon",  "hsr",	 "dsa",	   "vcan", "can",
};

static bool is_plain_kind(const char *kind)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plain_kinds); i++)
		if (!strcmp(kind, plain_kinds[i]))
			return true;
	return false;
}

static bool has_function(const struct kallsyms *symbols, size_t index)
{
	char symbol[128];

	return kallsyms_function(symbols, pushdown_symbols[index], symbol, sizeof(symbol)) !=
	       KALLSYMS_ABSENT;
}

static int find_nat(bool *found, const struct kallsyms *symbols, struct error *err)
{
	size_t i;

	*found = false;
	for (i = NAT_SYMBOL + 1; i < NFTABLES_SYMBOL && !*found; i++)
		*found = has_function(symbols, i);
	if (*found || !has_function(symbols, NAT_SYMBOL))
		return 0;
	return nat_in_use(has_function(symbols, NFTABLES_SYMBOL), found, err);
}

static int find_tunnels(bool *found, struct error *err)
{
	struct netns_snapshot *snap = NULL;
	const struct netdev *dev;
	size_t i, k;
	int ret;

	*found = false;
	ret = netns_snapshot_take(&snap, err);
	if (ret)
		return ret;
	for (i = 0; i < snap->nr_ns; i++) {
		*found |= !snap->ns[i].read; /* nobody knows what is in it */
		for (k = 0; k < snap->ns[i].nr_devs; k++) {
			dev = &snap->ns[i].devs[k];
			*found |= dev->up && !is_plain_kind(dev->kind);
		}
	}
	netns_snapshot_free(snap);
	return 0;
}

static void say_why_not(struct pushdown *down, const char *why)
{
	snprintf(down->why_not, sizeof(down->why_not), "%s", why);
}

static int make_filter(struct pushdown *down, const struct pktfilter *filter, struct error *err)
{
	struct push_request rq = { .nat = down->nat, .tunnels = down->tunnels };

	if (!pktfilter_programs(filter, &rq.ether, &rq.raw)) {
		say_why_not(down, "it asks for VLAN tags, which are not in a packet's bytes");
		return 0;
	}
	if (push_filter_new(&down->filter, &rq))
		return error_errno(err, ENOMEM, "cannot prepare the kernel's filters");
	if (!down->filter)
		say_why_not(down, down->tunnels ?
					  "there are tunnels, and what it asks for may be in them" :
				  down->nat ? "it asks only for what changes on a packet's way "
					      "(addresses and ports change where there is NAT)" :
					      "it asks only for what changes on a packet's way");
	return 0;
}

int pushdown_prepare(struct pushdown *down, const struct kallsyms *symbols,
		     const struct layout *layout, struct error *err)
{
	struct select select;
	int ret;

	/* --budget tries several hop sets, for which all of this is the same. */
	if (!down->wanted || down->filter || down->why_not[0])
		return 0;
	ret = select_init(&select, down->select, err);
	if (!ret && select.filter) {
		if (down->select->pid || down->select->comm) {
			say_why_not(down,
				    "which process sent a packet is known from its birth, when "
				    "it has no headers yet (--pid, --comm)");
		} else if (!symbols) {
			say_why_not(down, "its events carry no headers (tier T0)");
		} else if (!layout_has(layout, SKB_DATA) || !layout_has(layout, SKB_PROTOCOL)) {
			say_why_not(down,
				    "where headers are in this kernel's structures is not known");
		} else {
			ret = find_nat(&down->nat, symbols, err);
			if (!ret)
				ret = find_tunnels(&down->tunnels, err);
			if (!ret)
				ret = make_filter(down, select.filter, err);
		}
	}
	select_free(&select);
	return ret;
}

void pushdown_free(struct pushdown *down)
{
	push_filter_free(down->filter);
	down->filter = NULL;
}

static void tell_unfiltered(const struct probes *probes, const struct session *session)
{
	const struct session_refusal *refused = NULL;
	size_t i, count = 0;

	for (i = 0; i < probes->nr; i++)
		if (!probes->probe[i].filter)
			fprintf(stderr, "skbtrail: not filtered in the kernel: %s\n",
				probes->probe[i].name);
	if (session)
		refused = session_unfiltered(session, &count);
	for (i = 0; i < count; i++)
		fprintf(stderr, "skbtrail: the kernel refuses the filter of %s: %s\n",
			refused[i].probe->name, strerror(refused[i].code));
}

void pushdown_tell(const struct pushdown *down, const struct probes *probes,
		   const struct session *session)
{
	struct strbuf text = STRBUF_INIT;

	if (!down->filter && down->why_not[0])
		fprintf(stderr, "skbtrail: the kernel filters nothing: %s\n", down->why_not);
	if (!down->filter)
		return;
	push_filter_describe(down->filter, &text);
	fprintf(stderr, "skbtrail: the kernel lets through: %s\n", strbuf_cstr(&text));
	strbuf_free(&text);
	if (down->nat)
		fputs("skbtrail: addresses and ports are not filtered there, as there is NAT\n",
		      stderr);
	if (down->tunnels)
		fputs("skbtrail: what may carry other packets passes there, as there are tunnels\n",
		      stderr);
	tell_unfiltered(probes, session);
}
