// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which socket an event is of, and what becomes of it: see flows.h.
 */
#include "analysis/flows.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/flows_internal.h"
#include "kernel/sockdiag.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define MAX_SOCKETS 1000000U
#define MAX_GROUPS 65536U

int flows_new(struct flows **out, const struct flows_options *options, struct error *err)
{
	struct flows *fl = calloc(1, sizeof(*fl));
	u32 uses;

	*out = NULL;
	if (!fl)
		return error_errno(err, ENOMEM, "cannot count bytes of sockets");
	if (options)
		fl->o = *options;
	fl->o.max_sockets = fl->o.max_sockets ? fl->o.max_sockets : MAX_SOCKETS;
	fl->o.max_groups = fl->o.max_groups ? fl->o.max_groups : MAX_GROUPS;
	/* most sockets have one process; some have many */
	uses = fl->o.max_sockets + fl->o.max_sockets / 4 + 16;
	fl->interval = 1;
	fl->memory = true;
	if (flow_pool_init(&fl->nodes, sizeof(struct flow_node), fl->o.max_sockets) ||
	    flow_pool_init(&fl->uses, sizeof(struct flow_use), uses) ||
	    flow_pool_init(&fl->groups, sizeof(struct flow_group), fl->o.max_groups + 1) ||
	    flow_chains_init(&fl->by_sk, fl->o.max_sockets) ||
	    flow_chains_init(&fl->by_cookie, fl->o.max_sockets) ||
	    flow_chains_init(&fl->by_addrs, fl->o.max_sockets) ||
	    flow_chains_init(&fl->by_use, uses) ||
	    flow_chains_init(&fl->by_group, fl->o.max_groups)) {
		flows_free(fl);
		return error_errno(err, ENOMEM, "cannot count bytes of sockets");
	}
	fl->no_group = flow_pool_get(&fl->groups, &fl->memory);
	if (fl->no_group)
		((struct flow_group *)flow_pool_at(&fl->groups, fl->no_group))->row.others = true;
	*out = fl;
	return 0;
}

void flows_free(struct flows *fl)
{
	if (!fl)
		return;
	flow_pool_free(&fl->nodes);
	flow_pool_free(&fl->uses);
	flow_pool_free(&fl->groups);
	free(fl->by_sk.bucket);
	free(fl->by_cookie.bucket);
	free(fl->by_addrs.bucket);
	free(fl->by_use.bucket);
	free(fl->by_group.bucket);
	free(fl);
}

/* ---- which socket */

static bool is_tcp(u16 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_MPTCP;
}

static bool differ(u32 a, u32 b)
{
	return a && b && a != b;
}

static bool addr_differs(const u8 *a, const u8 *b)
{
	return memcmp(a, b, 16) && !sock_addr_is_any(a) && !sock_addr_is_any(b);
}

/* Whether the event cannot be of this socket, so that its address was given to another one. */
static bool contradicts(const struct flow *f, const struct sock_event *ev)
{
	const struct sock_addrs *a = &f->addrs, *b = &ev->addrs;

	if (f->cookie && ev->cookie)
		return f->cookie != ev->cookie;
	if (differ(a->proto, b->proto) || differ(a->family, b->family) ||
	    differ(f->netns, ev->netns) || differ(a->lport, b->lport))
		return true;
	/* one of UDP may be connected to one peer after the other */
	return is_tcp(a->proto) &&
	       (differ(a->rport, b->rport) || addr_differs(a->local, b->local) ||
		addr_differs(a->remote, b->remote));
}

/* Whether a new connection begins with this event, whatever was known of the socket. */
static bool begins(const struct sock_event *ev)
{
	if (ev->kind != SOCK_EVENT_STATE)
		return false;
	if (ev->old_state == SOCK_CLOSE)
		return ev->new_state == SOCK_SYN_SENT || ev->new_state == SOCK_LISTEN;
	/* a child is made as a copy of its listener, which is what the event shows */
	return ev->old_state == SOCK_LISTEN && ev->new_state == SOCK_SYN_RECV;
}

/* Whether nothing happened to it yet that belongs to an earlier connection. */
static bool is_fresh(const struct flow *f)
{
	return !f->state && !f->sum.rx_bytes && !f->sum.tx_bytes && !f->closed_ns;
}

/* Whether making a node for it would only make one for something that was never used. */
static bool is_worth_a_node(const struct sock_event *ev)
{
	return ev->kind == SOCK_EVENT_BYTES || ev->kind == SOCK_EVENT_STATE ||
	       ev->kind == SOCK_EVENT_RETRANSMIT;
}

static u32 bind_inventory(struct flows *fl, const struct sock_event *ev)
{
	u32 at = 0;

	if (begins(ev))
		return 0;
	if (ev->cookie)
		at = flows_find_cookie(fl, ev->cookie);
	if (!at)
		at = flows_find_addrs(fl, &ev->addrs, ev->netns, FLOWS_LISTED);
	if (!at || flows_node(fl, at)->f.sk || contradicts(&flows_node(fl, at)->f, ev))
		return 0;
	flows_link_sk(fl, at, ev->sk);
	return at;
}

static u32 node_of(struct flows *fl, const struct sock_event *ev)
{
	u32 at = flows_find_sk(fl, ev->sk);
	struct flow_node *n;
	bool birth = begins(ev);

	if (at) {
		n = flows_node(fl, at);
		if (birth ? is_fresh(&n->f) : !contradicts(&n->f, ev))
			return at;
		if (!birth || !n->f.closed_ns)
			fl->stats.superseded++;
		flows_end_flow(fl, at, ev->ts_ns, n->f.closed_ns ? 0 : FLOW_END_NOT_SEEN);
	}
	at = bind_inventory(fl, ev);
	if (at || !is_worth_a_node(ev))
		return at;
	at = flows_new_node(fl, ev->ts_ns);
	if (at) {
		flows_link_sk(fl, at, ev->sk);
		flows_set_addrs(fl, at, &ev->addrs);
	}
	return at;
}

/* ---- what an event tells */

static bool merge_addr(u8 *to, const u8 *from, bool replace)
{
	if (!memcmp(to, from, 16) || sock_addr_is_any(from) || (!replace && !sock_addr_is_any(to)))
		return false;
	memcpy(to, from, 16);
	return true;
}

static bool merge_u16(u16 *to, u16 from, bool replace)
{
	if (!from || *to == from || (!replace && *to))
		return false;
	*to = from;
	return true;
}

/* @other, known from an inventory and its packets alone, turns out to be the same socket. */
static void absorb(struct flows *fl, u32 place, u32 other)
{
	struct flow_node *n = flows_node(fl, place), *o = flows_node(fl, other);

	/* rows with bytes go on under the number that they had */
	if (!n->f.sum.rx_bytes && !n->f.sum.tx_bytes)
		n->f.number = o->f.number;
	n->f.netns = n->f.netns ? n->f.netns : o->f.netns;
	n->f.state = n->f.state ? n->f.state : o->f.state;
	n->f.uid = o->f.uid;
	n->f.inode = o->f.inode;
	n->f.rtt_us = o->f.rtt_us;
	n->f.flags |= o->f.flags & (FLOW_INEXACT | FLOW_FROM_PACKETS | FLOW_NO_OWNER);
	if (!(n->f.flags & FLOW_BIRTH_SEEN)) {
		n->f.first_ns = o->f.first_ns;
		n->f.flags |= o->f.flags & (FLOW_EXISTED | FLOW_WAS_UP);
	}
	n->inventory = o->inventory;
	if (!n->f.cookie && o->f.cookie)
		flows_link_cookie(fl, place, o->f.cookie);
	flows_take_over(fl, place, other);
	flows_forget(fl, other);
	fl->stats.sockets--;
}

/*
 * Whether an inventory told of it before its address was known; only now is enough known of it to see that. An inventory
 * that is taken meanwhile may also be ahead of the records, and of the birth in them.
 */
static void look_in_inventory(struct flows *fl, u32 place, u64 cookie)
{
	struct flow_node *n = flows_node(fl, place), *o;
	u32 other = 0;

	if (n->inventory)
		return;
	if (cookie)
		other = flows_find_cookie(fl, cookie);
	if (!other)
		other = flows_find_addrs(fl, &n->f.addrs, n->f.netns, FLOWS_LISTED);
	if (!other || other == place)
		return;
	o = flows_node(fl, other);
	if (!o->f.sk && (!(n->f.flags & FLOW_BIRTH_SEEN) || o->f.first_ns >= n->f.first_ns))
		absorb(fl, place, other);
}

/* Take over what was not known; of UDP also what has changed. */
static void learn(struct flows *fl, u32 place, const struct sock_event *ev)
{
	struct flow_node *n = flows_node(fl, place);
	struct sock_addrs a = n->f.addrs;
	bool replace = !is_tcp(a.proto), changed;

	changed = merge_u16(&a.proto, ev->addrs.proto, false);
	changed |= merge_u16(&a.lport, ev->addrs.lport, replace);
	changed |= merge_u16(&a.rport, ev->addrs.rport, replace);
	changed |= merge_addr(a.local, ev->addrs.local, replace);
	changed |= merge_addr(a.remote, ev->addrs.remote, replace);
	if (!a.family && ev->addrs.family) {
		a.family = ev->addrs.family;
		changed = true;
	}
	if (changed)
		flows_set_addrs(fl, place, &a);
	if (ev->netns && !n->f.netns) {
		n->f.netns = ev->netns;
		n->group = 0;
	}
	if (!n->f.cookie && (ev->cookie || changed))
		look_in_inventory(fl, place, ev->cookie);
	if (ev->cookie && !n->f.cookie)
		flows_link_cookie(fl, place, ev->cookie);
}

static enum flow_news take_state(struct flows *fl, u32 place, const struct sock_event *ev)
{
	struct flow_node *n = flows_node(fl, place);
	bool was_up = n->f.flags & FLOW_WAS_UP;

	if (begins(ev) ||
	    (ev->old_state == SOCK_SYN_RECV && ev->new_state == SOCK_ESTABLISHED && !n->f.state))
		n->f.flags |= FLOW_BIRTH_SEEN;
	n->f.state = ev->new_state;
	n->group = 0;
	switch (ev->new_state) {
	case SOCK_LISTEN:
		return FLOW_NEWS_LISTENS;
	case SOCK_SYN_SENT:
		n->f.flags |= FLOW_CONNECTED;
		return FLOW_NEWS_CONNECTS;
	case SOCK_SYN_RECV:
		if (ev->old_state == SOCK_LISTEN)
			n->f.flags |= FLOW_ACCEPTED;
		return FLOW_NO_NEWS;
	case SOCK_ESTABLISHED:
		n->f.flags |= FLOW_WAS_UP;
		if (ev->old_state == SOCK_SYN_RECV && !(n->f.flags & FLOW_CONNECTED))
			n->f.flags |= FLOW_ACCEPTED;
		return n->f.flags & FLOW_ACCEPTED ? FLOW_NEWS_ACCEPTED : FLOW_NEWS_CONNECTED;
	case SOCK_CLOSE:
		n->f.closed_ns = ev->ts_ns;
		if (fl->o.no_destroy) {
			flows_end_flow(fl, place, ev->ts_ns, 0);
			return was_up || ev->old_state != SOCK_SYN_SENT ? FLOW_NEWS_ENDED :
									  FLOW_NEWS_FAILED;
		}
		return ev->old_state == SOCK_SYN_SENT ? FLOW_NEWS_FAILED : FLOW_NO_NEWS;
	default:
		return FLOW_NO_NEWS;
	}
}

/* Whether the call moved bytes from or to the process. */
static bool counts(const struct sock_event *ev)
{
	return ev->ret > 0 && !(ev->receives && ev->flags & (SOCK_MSG_PEEK | SOCK_MSG_ERRQUEUE));
}

static void account(struct flows *fl, u32 place, const struct sock_event *ev)
{
	struct flow_node *n = flows_node(fl, place);
	struct flow_sums delta = { 0 };

	if (ev->from_packets)
		n->f.flags |= FLOW_FROM_PACKETS;
	if (ev->kind == SOCK_EVENT_RETRANSMIT) {
		delta.retransmits = 1;
	} else if (ev->receives) {
		delta.rx_bytes = (u64)ev->ret;
		delta.rx_calls = ev->from_packets ? 0 : ev->calls ? ev->calls : 1;
	} else {
		delta.tx_bytes = (u64)ev->ret;
		delta.tx_calls = ev->from_packets ? 0 : ev->calls ? ev->calls : 1;
	}
	sums_add(&n->f.sum, &delta);
	sums_add(&n->f.recent, &delta);
	sums_add(&fl->stats.sum, &delta);
	if (ev->kind == SOCK_EVENT_RETRANSMIT && fl->o.by == FLOWS_BY_SOCKET)
		return;
	flows_account(fl, place, ev, &delta);
}

/* Whose they are only the inventory tells, if one process has the socket. */
static int take_packets(struct flows *fl, const struct sock_event *ev, const struct flow **which)
{
	u32 place = flows_find_packets(fl, &ev->addrs, ev->netns);
	struct sock_event owned = *ev;

	if (!place)
		return FLOW_NO_NEWS;
	if (flows_first_owner(fl, place, &owned.pid, owned.comm))
		owned.in_interrupt = false;
	flows_touch(fl, place, ev->ts_ns);
	account(fl, place, &owned);
	if (which)
		*which = &flows_node(fl, place)->f;
	return fl->memory ? FLOW_NO_NEWS : -ENOMEM;
}

int flows_take(struct flows *fl, const struct sock_event *ev, const struct flow **which)
{
	enum flow_news news = FLOW_NO_NEWS;
	u32 place;

	if (which)
		*which = NULL;
	fl->stats.events++;
	if (ev->ts_ns > fl->now_ns)
		fl->now_ns = ev->ts_ns;
	if (ev->from_packets)
		return take_packets(fl, ev, which);
	if (!ev->sk || (ev->kind == SOCK_EVENT_BYTES && !counts(ev)))
		return FLOW_NO_NEWS;
	place = node_of(fl, ev);
	if (!place)
		return fl->memory ? FLOW_NO_NEWS : -ENOMEM;
	flows_touch(fl, place, ev->ts_ns);
	learn(fl, place, ev);
	if (ev->kind == SOCK_EVENT_STATE) {
		news = take_state(fl, place, ev);
	} else if (ev->kind == SOCK_EVENT_DESTROY) {
		flows_end_flow(fl, place, ev->ts_ns, 0);
		news = FLOW_NEWS_ENDED;
	} else if (ev->kind != SOCK_EVENT_SEEN) {
		account(fl, place, ev);
	}
	if (which && !flows_node(fl, place)->unwanted)
		*which = &flows_node(fl, place)->f;
	return fl->memory ? (int)news : -ENOMEM;
}

bool flows_may_be(const struct flows *fl, const struct sock_event *ev)
{
	u32 at = flows_find_sk(fl, ev->sk);
	const struct sock_addrs *a = at ? &flows_node(fl, at)->f.addrs : NULL;

	return at && a->proto == ev->addrs.proto && a->lport == ev->addrs.lport &&
	       (!is_tcp(a->proto) || a->rport == ev->addrs.rport);
}

u64 flows_confirm_cookie(const struct flows *fl, u64 cookie, const struct sock_addrs *addrs)
{
	u32 at = cookie ? flows_find_cookie(fl, cookie) : 0;
	const struct sock_addrs *known;

	if (!at)
		return 0;
	known = &flows_node(fl, at)->f.addrs;
	return known->proto == addrs->proto && known->lport == addrs->lport &&
			       known->rport == addrs->rport ?
		       cookie :
		       0;
}

void flows_inexact(struct flows *fl, u64 sk)
{
	u32 at = sk ? flows_find_sk(fl, sk) : 0;

	if (at)
		flows_node(fl, at)->f.flags |= FLOW_INEXACT;
}

int flows_unsure(struct flows *fl, const struct sock_event *ev)
{
	u32 place = ev->sk ? node_of(fl, ev) : 0;

	if (place) {
		flows_touch(fl, place, ev->ts_ns);
		learn(fl, place, ev);
		flows_node(fl, place)->f.flags |= FLOW_INEXACT;
	}
	return fl->memory ? 0 : -ENOMEM;
}

static int compare_inodes(const void *va, const void *vb)
{
	u32 a = *(const u32 *)va, b = *(const u32 *)vb;

	return a < b ? -1 : a > b;
}

size_t flows_inexact_inodes(struct flows *fl, const u32 *inode, size_t nr)
{
	u32 lists[] = { fl->open.first, fl->over.first }, at;
	struct flow_node *n;
	size_t i, found = 0;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		for (at = nr ? lists[i] : 0; at; at = n->age.after) {
			n = flows_node(fl, at);
			if (!n->f.inode ||
			    !bsearch(&n->f.inode, inode, nr, sizeof(*inode), compare_inodes))
				continue;
			n->f.flags |= FLOW_INEXACT;
			found++;
		}
	return found;
}

/* ---- the kernel's inventory */

void flows_inventory_begin(struct flows *fl)
{
	fl->inventory++;
}

/* What only an inventory tells. */
static void learn_entry(struct flows *fl, u32 place, const struct sockdiag_entry *entry)
{
	struct flow_node *n = flows_node(fl, place);

	if (!n->f.cookie && entry->cookie)
		flows_link_cookie(fl, place, entry->cookie);
	if (!same_addrs(&n->f.addrs, &entry->addrs))
		flows_set_addrs(fl, place, &entry->addrs);
	n->f.netns = entry->netns ? entry->netns : n->f.netns;
	n->f.uid = entry->uid;
	n->f.inode = entry->inode;
	if (entry->rtt_us)
		n->f.rtt_us = entry->rtt_us;
	if (!n->f.sk)
		n->f.state = entry->state;
	n->inventory = fl->inventory;
	if (entry->no_owner)
		n->f.flags |= FLOW_NO_OWNER;
	if (entry->pid && !n->first_use)
		flows_use(fl, place, entry->pid, entry->comm);
}

int flows_inventory_entry(struct flows *fl, const struct sockdiag_entry *entry, u64 now_ns)
{
	struct flow_node *n;
	u32 at = 0;

	if (entry->cookie)
		at = flows_find_cookie(fl, entry->cookie);
	if (!at)
		at = flows_find_addrs(fl, &entry->addrs, entry->netns, FLOWS_UNLISTED);
	if (!at) {
		at = flows_new_node(fl, now_ns);
		if (!at)
			return fl->memory ? 0 : -ENOMEM;
		n = flows_node(fl, at);
		n->f.flags |= FLOW_EXISTED;
		if (entry->state != SOCK_LISTEN && entry->state != SOCK_SYN_SENT &&
		    is_tcp(entry->addrs.proto))
			n->f.flags |= FLOW_WAS_UP;
	}
	learn_entry(fl, at, entry);
	return fl->memory ? 0 : -ENOMEM;
}

void flows_inventory_end(struct flows *fl, bool complete, u64 now_ns)
{
	struct flow_node *n;
	u32 at, after;

	for (at = complete ? fl->open.first : 0; at; at = after) {
		n = flows_node(fl, at);
		after = n->age.after;
		/* of those whose address is known their end is told */
		if (!n->f.sk && n->inventory != fl->inventory)
			flows_end_flow(fl, at, now_ns, FLOW_END_NOT_SEEN);
	}
}

void flows_next_interval(struct flows *fl)
{
	u32 at;

	while (fl->over.first)
		flows_forget(fl, fl->over.first);
	for (at = fl->active.first; at; at = flows_node(fl, at)->active.after)
		flows_node(fl, at)->in_active = false;
	fl->active = (struct list_ends){ 0, 0 };
	fl->interval++;
}

void flows_stats(const struct flows *fl, struct flows_stats *stats)
{
	*stats = fl->stats;
	stats->live = fl->nodes.live;
}

const struct flow *flows_find(const struct flows *fl, u64 sk)
{
	u32 at = flows_find_sk(fl, sk);

	return at ? &flows_node(fl, at)->f : NULL;
}

const struct flow *flows_find_listed(struct flows *fl, const struct sock_addrs *addrs)
{
	u32 at = flows_find_packets(fl, addrs, 0);

	return at && !flows_node(fl, at)->f.sk ? &flows_node(fl, at)->f : NULL;
}
