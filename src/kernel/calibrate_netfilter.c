// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Places in netfilter's structures: nf_hook_state, nf_hook_entries, nft_pktinfo, nft_chain, nft_table,
 * xt_table.
 *
 * In:  windows at CAL_NF, CAL_NFT and CAL_XT; addresses of devices and netns that are known already.
 * Out: findings.
 *
 * Calls with one packet come in the order of its hooks. When there are more or fewer than expected, only
 * the first and the last are certain.
 */
#include <string.h>

#include "base/bytes.h"
#include "kernel/calibrate_priv.h"

#define HOOK_LOCAL_OUT 3
#define HOOK_POST_ROUTING 4
#define HOOK_UNKNOWN 0xff
#define SAMPLES_MIN 2

/* ---- nf_hook_state, nf_hook_entries */

static size_t count_calls(const struct cal *c, struct cal_path path, size_t packet)
{
	struct cal_object object;
	size_t nr = 0;

	while (nr < CAL_CALLS_MAX && cal_object_get(c, path, packet, nr, &object))
		nr++;
	return nr;
}

static u8 hook_of(const struct cal_packet *p, size_t nth, size_t calls)
{
	if (calls == p->nr_hooks)
		return p->hooks[nth];
	if (!nth)
		return p->hooks[0];
	return nth + 1 == calls && p->comes_back ? p->hooks[p->nr_hooks - 1] : HOOK_UNKNOWN;
}

struct of_state {
	struct cal_set hook, hook_byte, pf, in, out, net;
};

static void match_state(const struct cal *c, const struct cal_packet *p, u8 hook,
			const struct cal_object *state, struct of_state *sets)
{
	u64 device = c->device_at[p->device];
	u64 net = c->net_at[c->devices[p->device].netns];
	bool leaves = hook == HOOK_LOCAL_OUT || hook == HOOK_POST_ROUTING;
	u32 hook_word = hook;
	u64 none = 0;

	cal_set_match(&sets->pf, state->bytes, state->len, &p->pf);
	if (net)
		cal_set_match(&sets->net, state->bytes, state->len, &net);
	if (hook == HOOK_UNKNOWN)
		return;
	cal_set_match(&sets->hook, state->bytes, state->len, &hook_word);
	cal_set_match(&sets->hook_byte, state->bytes, state->len, &hook);
	if (!device)
		return;
	/* of POST_ROUTING kernels may tell where from, too */
	if (hook != HOOK_POST_ROUTING)
		cal_set_match(&sets->in, state->bytes, state->len, leaves ? &none : &device);
	cal_set_match(&sets->out, state->bytes, state->len, leaves ? &device : &none);
}

/* A word of four bytes shows as a byte, too; the wider one that all calls agree with is it. */
static void conclude_hook(struct cal *c, const struct of_state *sets)
{
	u32 word = 0, byte = 0;

	if (cal_set_count(&sets->hook, &word) == 1 && sets->hook.varied &&
	    cal_set_count(&sets->hook_byte, &byte) == 1 && byte == word + (HOST_BIG_ENDIAN ? 3 : 0))
		cal_found(c, NFSTATE_HOOK, word, 4);
	else
		cal_conclude(c, NFSTATE_HOOK, &sets->hook_byte, 1);
}

static void solve_state(struct cal *c)
{
	const struct cal_path path = cal_path0(CAL_NF, 2);
	struct cal_object state;
	struct of_state sets;
	size_t i, nth, calls;

	cal_set_init(&sets.hook, 4, 4);
	cal_set_init(&sets.hook_byte, 1, 1);
	cal_set_init(&sets.pf, 1, 1);
	cal_set_init(&sets.in, 8, 8);
	cal_set_init(&sets.out, 8, 8);
	cal_set_init(&sets.net, 8, 8);
	for (i = 0; i < c->nr_packets; i++) {
		if (!c->packets[i].nr_hooks)
			continue;
		calls = count_calls(c, path, i);
		for (nth = 0; nth < calls; nth++)
			if (cal_object_get(c, path, i, nth, &state))
				match_state(c, &c->packets[i], hook_of(&c->packets[i], nth, calls),
					    &state, &sets);
	}
	conclude_hook(c, &sets);
	cal_conclude(c, NFSTATE_PF, &sets.pf, 1);
	cal_conclude(c, NFSTATE_IN, &sets.in, 8);
	cal_conclude(c, NFSTATE_OUT, &sets.out, 8);
	cal_conclude(c, NFSTATE_NET, &sets.net, 8);
	/* a pointer that was 0 or the same in all calls may be any */
	if (!sets.in.varied && sets.in.samples)
		cal_not_found(c, NFSTATE_IN, "all packets had the same value");
	if (!sets.out.varied && sets.out.samples)
		cal_not_found(c, NFSTATE_OUT, "all packets had the same value");
}

static bool is_function(const struct cal *c, u64 word)
{
	size_t i;

	for (i = 0; i < c->nr_functions; i++)
		if (c->functions[i] == word)
			return true;
	return false;
}

static void solve_entries(struct cal *c)
{
	bool gone[CAL_SPAN / 8] = { false };
	struct cal_object entries;
	u32 at, span = 0, nr = 0;
	size_t i, samples = 0;

	for (i = 0; i < c->nr_packets; i++) {
		if (!(c->packets[i].known & CAL_KNOW_ENTRIES) ||
		    !cal_object_get(c, cal_path0(CAL_NF, 3), i, 0, &entries))
			continue;
		/* without any of ours it is a call of somebody else's */
		for (at = 0; at + 8 <= entries.len; at += 8)
			if (is_function(c, cal_word(entries.bytes, at)))
				break;
		if (at + 8 > entries.len)
			continue;
		span = entries.len;
		samples++;
		for (at = 0; at + 8 <= span; at += 8)
			gone[at / 8] |= !is_function(c, cal_word(entries.bytes, at));
	}
	cal_not_found(c, NFENTRIES_HOOKS,
		      samples ? "no word was the address of netfilter's hook function" :
				"no packet showed it");
	for (at = 0; samples >= SAMPLES_MIN && at + 8 <= span; at += 8) {
		if (gone[at / 8])
			continue;
		if (!nr++)
			cal_found(c, NFENTRIES_HOOKS, at, 16);
		else if (nr == 2)
			cal_add_candidate(c, NFENTRIES_HOOKS,
					  c->findings[NFENTRIES_HOOKS].place.offset);
		if (nr > 1)
			cal_add_candidate(c, NFENTRIES_HOOKS, at);
	}
}

void cal_solve_netfilter(struct cal *c)
{
	static const char why[] =
		"neither nf_tables nor ip_tables is there, so nothing calls nf_hook_slow()";
	int m;

	if (c->hooks & 1U << CAL_NF) {
		if (c->round) {
			solve_state(c);
			solve_entries(c);
		}
		return;
	}
	for (m = NFSTATE_HOOK; m <= NFENTRIES_HOOKS; m++)
		cal_not_found(c, (enum member)m, why);
}

/* ---- nf_tables */

/* The calls that are of this packet: in its nft_pktinfo is its skb. */
struct nft_calls {
	size_t nr;
	size_t nth[CAL_CALLS_MAX];
	u64 skb;
};

static bool contains(const struct cal_object *o, u64 word)
{
	u32 at;

	for (at = 0; at + 8 <= o->len; at += 8)
		if (cal_word(o->bytes, at) == word)
			return true;
	return false;
}

/* Return: true when there is one call for each chain. */
static bool nft_calls_of(const struct cal *c, size_t packet, struct nft_calls *calls)
{
	struct cal_object o;
	size_t i;

	calls->nr = 0;
	if (!(c->packets[packet].known & CAL_KNOW_CHAINS) || !cal_tx(c, packet, &o, NULL))
		return false;
	calls->skb = o.args[0];
	for (i = 0; i < CAL_CALLS_MAX; i++)
		if (cal_object_get(c, cal_path0(CAL_NFT, 1), packet, i, &o) &&
		    contains(&o, calls->skb))
			calls->nth[calls->nr++] = i;
	return calls->nr == c->packets[packet].nr_chains;
}

static const struct cal_chain *chain_of(const struct cal *c, size_t packet, size_t call)
{
	return &c->chains[c->packets[packet].chains[call]];
}

static void solve_pktinfo(struct cal *c)
{
	struct cal_object pkt, state;
	struct cal_set skb, at_state;
	struct nft_calls calls;
	size_t i, j;

	cal_set_init(&skb, 8, 8);
	cal_set_init(&at_state, 8, 8);
	for (i = 0; i < c->nr_packets; i++) {
		if (!nft_calls_of(c, i, &calls))
			continue;
		for (j = 0; j < calls.nr; j++) {
			if (!cal_object_get(c, cal_path0(CAL_NFT, 1), i, calls.nth[j], &pkt))
				continue;
			cal_set_match(&skb, pkt.bytes, pkt.len, &calls.skb);
			if (count_calls(c, cal_path0(CAL_NF, 2), i) == calls.nr &&
			    cal_object_get(c, cal_path0(CAL_NF, 2), i, j, &state))
				cal_set_match(&at_state, pkt.bytes, pkt.len, &state.pointer);
		}
	}
	cal_conclude(c, NFT_PKT_SKB, &skb, 8);
	cal_conclude(c, NFT_PKT_STATE, &at_state, 8);
}

/* The chain at each call of all packets, one after the other; Return: false when there are no more. */
struct chain_walk {
	size_t packet, call;
	struct nft_calls calls;
};

static bool next_chain(const struct cal *c, struct chain_walk *w, struct cal_object *chain,
		       const struct cal_chain **truth, size_t *packet, size_t *nth)
{
	for (; w->packet < c->nr_packets; w->packet++, w->call = 0) {
		if (!w->call && !nft_calls_of(c, w->packet, &w->calls))
			continue;
		while (w->call < w->calls.nr) {
			*nth = w->calls.nth[w->call];
			*truth = chain_of(c, w->packet, w->call++);
			*packet = w->packet;
			if (cal_object_get(c, cal_path0(CAL_NFT, 2), *packet, *nth, chain))
				return true;
		}
	}
	return false;
}

/* What a word does in objects of several kinds: chains by name, chains by table, tables. */
struct word_seen {
	u64 by_kind[CAL_ITEMS_MAX];
	bool differs; /* within a kind */
	bool no_pointer;
	bool away; /* not to the same place of the object itself, as in empty lists */
	u64 distance;
	size_t samples;
};

static void see_word(struct word_seen *seen, size_t kind, const struct cal_object *o, u32 at)
{
	u64 word = at + 8 <= o->len ? cal_word(o->bytes, at) : 0;

	seen->no_pointer |= !cal_is_pointer(word);
	if (!seen->samples)
		seen->distance = word - o->pointer;
	seen->away |= word - o->pointer != seen->distance;
	seen->differs |= seen->by_kind[kind] && seen->by_kind[kind] != word;
	seen->by_kind[kind] = word;
	seen->samples++;
}

/* Whether it leads elsewhere, the same way in each kind and in each another one. */
static bool tells_kinds(const struct word_seen *seen)
{
	size_t i, j, kinds = 0;

	if (seen->differs || seen->no_pointer || !seen->away)
		return false;
	for (i = 0; i < CAL_ITEMS_MAX; i++) {
		kinds += seen->by_kind[i] != 0;
		for (j = 0; j < i; j++)
			if (seen->by_kind[i] && seen->by_kind[i] == seen->by_kind[j])
				return false;
	}
	return kinds > 1;
}

static void find_chain_pointers(struct cal *c)
{
	const struct cal_chain *truth;
	struct word_seen name, table;
	struct chain_walk walk;
	struct cal_object chain;
	size_t packet, nth;
	u32 at;

	c->nr_chain_pointers = 0;
	for (at = 0; at + 8 <= CAL_WINDOW_MAX && c->nr_chain_pointers < CAL_POINTERS_MAX; at += 8) {
		memset(&name, 0, sizeof(name));
		memset(&table, 0, sizeof(table));
		memset(&walk, 0, sizeof(walk));
		while (next_chain(c, &walk, &chain, &truth, &packet, &nth)) {
			see_word(&name, (size_t)(truth - c->chains), &chain, at);
			see_word(&table, truth->table, &chain, at);
		}
		if (!tells_kinds(&name) && !tells_kinds(&table))
			continue;
		c->like_table[c->nr_chain_pointers] = tells_kinds(&table);
		c->chain_pointers[c->nr_chain_pointers++] = (u16)at;
	}
}

/* Whether at the end of a path there is in all calls the name of the chain, or of its table. */
static bool leads_to_name(const struct cal *c, struct cal_path path, bool of_table)
{
	const struct cal_chain *truth;
	struct chain_walk walk = { 0 };
	struct cal_object chain, name;
	size_t packet, nth, samples = 0;
	const char *expected;

	while (next_chain(c, &walk, &chain, &truth, &packet, &nth)) {
		if (!cal_object_get(c, path, packet, nth, &name))
			continue;
		expected = of_table ? c->tables[truth->table] : truth->name;
		if (name.len < CAL_NAME_SIZE || memcmp(name.bytes, expected, strlen(expected) + 1))
			return false;
		samples++;
	}
	return samples >= SAMPLES_MIN;
}

static void find_table_pointers(struct cal *c, u8 index)
{
	const struct cal_path path = cal_path1(CAL_NFT, 2, c->chain_pointers[index]);
	const struct cal_chain *truth;
	struct cal_object chain, table;
	struct chain_walk walk;
	struct word_seen seen;
	size_t packet, nth;
	u32 at;

	for (at = 0;
	     at + 8 <= 2 * CAL_WINDOW_MAX && c->table_pointers[index].nr < 2 * CAL_POINTERS_MAX;
	     at += 8) {
		memset(&seen, 0, sizeof(seen));
		memset(&walk, 0, sizeof(walk));
		while (next_chain(c, &walk, &chain, &truth, &packet, &nth))
			if (cal_object_get(c, path, packet, nth, &table) && at + 8 <= table.len)
				see_word(&seen, truth->table, &table, at);
		if (tells_kinds(&seen))
			c->table_pointers[index].at[c->table_pointers[index].nr++] = (u16)at;
	}
}

static void put_pointer(struct cal *c, enum member m, u32 *nr, u32 at)
{
	u32 before = c->findings[m].place.offset;

	if (!(*nr)++) {
		cal_found(c, m, at, 8);
	} else if (*nr == 2) {
		cal_add_candidate(c, m, before);
		cal_add_candidate(c, m, at);
	} else {
		cal_add_candidate(c, m, at);
	}
}

static void solve_names(struct cal *c)
{
	u32 names = 0, tables = 0, table_names = 0;
	u16 chain_at, name_at;
	u8 i, j;

	cal_not_found(c, NFT_CHAIN_NAME, "no pointer leads to the chain's name");
	cal_not_found(c, NFT_CHAIN_TABLE, "no pointer leads to one to the table's name");
	cal_not_found(c, NFT_TABLE_NAME, "no pointer leads to the table's name");
	for (i = 0; i < c->nr_chain_pointers; i++) {
		chain_at = c->chain_pointers[i];
		if (leads_to_name(c, cal_path1(CAL_NFT, 2, chain_at), false))
			put_pointer(c, NFT_CHAIN_NAME, &names, chain_at);
		if (!c->like_table[i])
			continue;
		for (j = 0; j < c->table_pointers[i].nr; j++) {
			name_at = c->table_pointers[i].at[j];
			if (!leads_to_name(c, cal_path2(CAL_NFT, 2, chain_at, name_at), true))
				continue;
			put_pointer(c, NFT_CHAIN_TABLE, &tables, chain_at);
			put_pointer(c, NFT_TABLE_NAME, &table_names, name_at);
		}
	}
}

void cal_solve_nft(struct cal *c)
{
	int m;
	u8 i;

	if (!(c->hooks & 1U << CAL_NFT)) {
		for (m = NFT_PKT_SKB; m <= NFT_TABLE_NAME; m++)
			cal_not_found(c, (enum member)m, "nf_tables is not there");
		return;
	}
	if (c->round)
		solve_pktinfo(c);
	solve_names(c);
	find_chain_pointers(c);
	for (i = 0; i < c->nr_chain_pointers; i++) {
		c->table_pointers[i].nr = 0;
		if (c->like_table[i])
			find_table_pointers(c, i);
	}
}

/* ---- iptables */

static bool is_xt_name(const struct cal *c, const u8 *bytes)
{
	size_t i;

	for (i = 0; i < c->nr_xt_tables; i++)
		if (!memcmp(bytes, c->xt_tables[i], CAL_NAME_SIZE))
			return true;
	return false;
}

void cal_solve_xt(struct cal *c)
{
	bool gone[CAL_SPAN] = { false };
	struct cal_object o, table;
	size_t i, nth, samples = 0;
	u32 at, span = 0, nr = 0;
	u64 skb;
	u8 arg;

	if (!(c->hooks & 1U << CAL_XT)) {
		cal_not_found(c, XT_TABLE_NAME, "ip_tables is not there");
		return;
	}
	for (i = 0; i < c->nr_packets; i++) {
		if (!(c->packets[i].known & CAL_KNOW_TABLES) || !cal_tx(c, i, &o, NULL))
			continue;
		skb = o.args[0];
		for (nth = 0; nth < CAL_CALLS_MAX; nth++) {
			/* the table is the last argument when the skb is the first one */
			for (arg = 1; arg <= 3; arg = (u8)(arg + 2))
				if (cal_object_get(c, cal_path0(CAL_XT, arg), i, nth, &table) &&
				    table.args[arg == 1 ? 1 : 0] == skb)
					break;
			if (arg > 3)
				continue;
			span = table.len;
			samples++;
			for (at = 0; at + CAL_NAME_SIZE <= span; at++)
				gone[at] |= !is_xt_name(c, table.bytes + at);
		}
	}
	cal_not_found(c, XT_TABLE_NAME,
		      samples ? "no place has the table's name" : "no packet showed it");
	for (at = 0; samples >= SAMPLES_MIN && at + CAL_NAME_SIZE <= span; at++) {
		if (gone[at])
			continue;
		put_pointer(c, XT_TABLE_NAME, &nr, at);
		c->findings[XT_TABLE_NAME].place.size = CAL_NAME_SIZE;
	}
}
