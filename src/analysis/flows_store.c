// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where sockets are kept, and how they are found again: see flows_internal.h.
 *
 * A socket is in the chain of its address (sk) from its first event to its end, in that of its cookie as soon as
 * it has one, and always in that of its addresses. Open ones are in the list fl->open, least lately used first,
 * those that are over in fl->over until the interval in which that happened has been told.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/flows_internal.h"

/* ---- chains and lists */

static u32 *bucket(const struct flows *fl, const struct flow_chains *c, u64 key)
{
	return &c->bucket[flows_mix(key ^ fl->o.seed) & c->mask];
}

static u64 addrs_key(const struct sock_addrs *a)
{
	u64 part[4];

	memcpy(part, a->local, 16);
	memcpy(part + 2, a->remote, 16);
	return flows_mix(flows_mix(part[0] ^ part[3]) ^ part[1]) ^
	       flows_mix(part[2] ^ (u64)a->lport << 48 ^ (u64)a->rport << 32 ^ (u64)a->proto << 16 ^
			 a->family);
}

/* @which: offset in the node of the link to the next of the chain */
static u32 *chain_link(const struct flows *fl, u32 place, size_t which)
{
	return (u32 *)((char *)flows_node(fl, place) + which);
}

static void chain_add(struct flows *fl, u32 *first, u32 place, size_t which)
{
	*chain_link(fl, place, which) = *first;
	*first = place;
}

static void chain_remove(struct flows *fl, u32 *first, u32 place, size_t which)
{
	u32 *link = first;

	while (*link != place)
		link = chain_link(fl, *link, which);
	*link = *chain_link(fl, place, which);
}

#define BY_SK offsetof(struct flow_node, by_sk)
#define BY_COOKIE offsetof(struct flow_node, by_cookie)
#define BY_ADDRS offsetof(struct flow_node, by_addrs)

void flows_link_sk(struct flows *fl, u32 place, u64 sk)
{
	flows_node(fl, place)->f.sk = sk;
	chain_add(fl, bucket(fl, &fl->by_sk, sk), place, BY_SK);
}

static void unlink_sk(struct flows *fl, u32 place)
{
	struct flow_node *n = flows_node(fl, place);

	if (n->f.sk)
		chain_remove(fl, bucket(fl, &fl->by_sk, n->f.sk), place, BY_SK);
	n->f.sk = 0;
}

void flows_link_cookie(struct flows *fl, u32 place, u64 cookie)
{
	flows_node(fl, place)->f.cookie = cookie;
	chain_add(fl, bucket(fl, &fl->by_cookie, cookie), place, BY_COOKIE);
}

static void unlink_cookie(struct flows *fl, u32 place)
{
	struct flow_node *n = flows_node(fl, place);

	if (n->f.cookie)
		chain_remove(fl, bucket(fl, &fl->by_cookie, n->f.cookie), place, BY_COOKIE);
}

static void unlink_addrs(struct flows *fl, u32 place)
{
	struct flow_node *n = flows_node(fl, place);

	if (n->in_addrs)
		chain_remove(fl, bucket(fl, &fl->by_addrs, addrs_key(&n->f.addrs)), place,
			     BY_ADDRS);
	n->in_addrs = false;
}

void flows_set_addrs(struct flows *fl, u32 place, const struct sock_addrs *addrs)
{
	struct flow_node *n = flows_node(fl, place);

	unlink_addrs(fl, place);
	n->f.addrs = *addrs;
	chain_add(fl, bucket(fl, &fl->by_addrs, addrs_key(addrs)), place, BY_ADDRS);
	n->in_addrs = true;
	n->group = 0;
	n->unwanted = fl->o.wanted && !fl->o.wanted(fl->o.wanted_ctx, addrs);
}

/* @which: offset of the link in the node */
static struct list_link *link_of(const struct flows *fl, u32 place, size_t which)
{
	return (struct list_link *)((char *)flows_node(fl, place) + which);
}

static void list_append(struct flows *fl, struct list_ends *ends, u32 place, size_t which)
{
	struct list_link *link = link_of(fl, place, which);

	link->before = ends->last;
	link->after = 0;
	if (ends->last)
		link_of(fl, ends->last, which)->after = place;
	else
		ends->first = place;
	ends->last = place;
}

static void list_remove(struct flows *fl, struct list_ends *ends, u32 place, size_t which)
{
	struct list_link *link = link_of(fl, place, which);

	if (link->before)
		link_of(fl, link->before, which)->after = link->after;
	else
		ends->first = link->after;
	if (link->after)
		link_of(fl, link->after, which)->before = link->before;
	else
		ends->last = link->before;
}

#define AGE offsetof(struct flow_node, age)
#define ACTIVE offsetof(struct flow_node, active)

/* ---- life and death of what is kept */

void flows_forget(struct flows *fl, u32 place)
{
	struct flow_node *n = flows_node(fl, place);

	sums_add(&fl->stats.gone, &n->f.sum);
	unlink_sk(fl, place);
	unlink_cookie(fl, place);
	unlink_addrs(fl, place);
	list_remove(fl, n->f.flags & FLOW_OVER ? &fl->over : &fl->open, place, AGE);
	if (n->in_active)
		list_remove(fl, &fl->active, place, ACTIVE);
	flows_forget_uses(fl, place);
	flow_pool_put(&fl->nodes, place);
}

bool flows_evict(struct flows *fl, u32 spare)
{
	u32 place = fl->over.first;

	if (place && place == spare)
		place = flows_node(fl, place)->age.after;
	if (place) {
		fl->stats.evicted_over++;
	} else {
		place = fl->open.first;
		if (place && place == spare)
			place = flows_node(fl, place)->age.after;
		if (!place)
			return false;
		fl->stats.evicted_live++;
	}
	flows_forget(fl, place);
	return true;
}

u32 flows_new_node(struct flows *fl, u64 now_ns)
{
	u32 place = flow_pool_get(&fl->nodes, &fl->memory);
	struct flow_node *n;

	if (!place && fl->memory && flows_evict(fl, 0))
		place = flow_pool_get(&fl->nodes, &fl->memory);
	if (!place)
		return 0;
	n = flows_node(fl, place);
	n->f.number = ++fl->last_number;
	n->f.first_ns = n->f.last_ns = now_ns;
	n->f.uid = UINT32_MAX;
	n->unwanted = fl->o.wanted;
	fl->stats.sockets++;
	list_append(fl, &fl->open, place, AGE);
	return place;
}

void flows_touch(struct flows *fl, u32 place, u64 now_ns)
{
	struct flow_node *n = flows_node(fl, place);

	n->f.last_ns = now_ns;
	if (n->f.interval == fl->interval)
		return;
	n->f.interval = fl->interval;
	memset(&n->f.recent, 0, sizeof(n->f.recent));
	if (!n->in_active)
		list_append(fl, &fl->active, place, ACTIVE);
	n->in_active = true;
	if (!(n->f.flags & FLOW_OVER)) {
		list_remove(fl, &fl->open, place, AGE);
		list_append(fl, &fl->open, place, AGE);
	}
}

void flows_seen(struct flows *fl, const struct flow *flow, u64 now_ns)
{
	u32 at;

	if (flow->interval == fl->interval)
		return;
	for (at = *bucket(fl, &fl->by_addrs, addrs_key(&flow->addrs)); at;
	     at = flows_node(fl, at)->by_addrs)
		if (&flows_node(fl, at)->f == flow) {
			flows_touch(fl, at, now_ns);
			return;
		}
}

void flows_end_flow(struct flows *fl, u32 place, u64 now_ns, u16 flags)
{
	struct flow_node *n = flows_node(fl, place);

	if (n->f.flags & FLOW_OVER)
		return;
	flows_touch(fl, place, now_ns);
	unlink_sk(fl, place);
	list_remove(fl, &fl->open, place, AGE);
	list_append(fl, &fl->over, place, AGE);
	n->f.flags |= FLOW_OVER | flags;
	if (!n->f.closed_ns)
		n->f.closed_ns = now_ns;
}

u32 flows_find_sk(const struct flows *fl, u64 sk)
{
	u32 at;

	for (at = *bucket(fl, &fl->by_sk, sk); at; at = flows_node(fl, at)->by_sk)
		if (flows_node(fl, at)->f.sk == sk)
			return at;
	return 0;
}

u32 flows_find_cookie(const struct flows *fl, u64 cookie)
{
	u32 at;

	for (at = *bucket(fl, &fl->by_cookie, cookie); at; at = flows_node(fl, at)->by_cookie)
		if (flows_node(fl, at)->f.cookie == cookie &&
		    !(flows_node(fl, at)->f.flags & FLOW_OVER))
			return at;
	return 0;
}

u32 flows_find_addrs(struct flows *fl, const struct sock_addrs *addrs, u32 netns,
		     enum flows_which which)
{
	const struct flow *f;
	u32 at, found = 0;

	if (!addrs->lport || !addrs->proto)
		return 0;
	for (at = *bucket(fl, &fl->by_addrs, addrs_key(addrs)); at;
	     at = flows_node(fl, at)->by_addrs) {
		f = &flows_node(fl, at)->f;
		if (f->flags & FLOW_OVER || !same_addrs(&f->addrs, addrs) ||
		    (netns && f->netns && netns != f->netns) || (which == FLOWS_LISTED && f->sk) ||
		    (which == FLOWS_UNLISTED && (!f->sk || f->cookie)))
			continue;
		if (found) {
			fl->stats.ambiguous++;
			return 0;
		}
		found = at;
	}
	return found;
}

/* An IPv6 socket may have peers of IPv4. */
static u32 find_of_family(struct flows *fl, const struct sock_addrs *addrs, u32 netns)
{
	struct sock_addrs a = *addrs;
	u32 at;

	at = flows_find_addrs(fl, &a, netns, FLOWS_ALL);
	if (at || !sock_addr_is_mapped(addrs->local))
		return at;
	a.family = 6;
	return flows_find_addrs(fl, &a, netns, FLOWS_ALL);
}

/* With an address that is any, as sockets of that family have it. */
static u32 find_with_any(struct flows *fl, const struct sock_addrs *addrs, u32 netns, bool local)
{
	static const u8 any4[4];
	struct sock_addrs a = *addrs;
	u32 at = 0;

	a.rport = 0;
	if (sock_addr_is_mapped(addrs->local)) {
		a.family = 4;
		sock_addr_map(a.remote, any4);
		if (local)
			sock_addr_map(a.local, any4);
		at = flows_find_addrs(fl, &a, netns, FLOWS_ALL);
	}
	if (at)
		return at;
	a.family = 6;
	memset(a.remote, 0, sizeof(a.remote));
	if (local)
		memset(a.local, 0, sizeof(a.local));
	return flows_find_addrs(fl, &a, netns, FLOWS_ALL);
}

u32 flows_find_packets(struct flows *fl, const struct sock_addrs *addrs, u32 netns)
{
	u32 at = find_of_family(fl, addrs, netns);

	/* as the kernel looks for them */
	if (!at && addrs->proto != IPPROTO_TCP)
		at = find_with_any(fl, addrs, netns, false);
	if (!at && addrs->proto != IPPROTO_TCP)
		at = find_with_any(fl, addrs, netns, true);
	return at;
}
