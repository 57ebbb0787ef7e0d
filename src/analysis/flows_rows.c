// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose bytes they are: processes of a socket, groups of sockets, and the rows of a table.
 *
 * What has no room is still counted, for the socket and in all, but as nobody's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/flows_internal.h"

static struct flow_use *use_at(const struct flows *fl, u32 place)
{
	return flow_pool_at(&fl->uses, place);
}

static struct flow_group *group_at(const struct flows *fl, u32 place)
{
	return flow_pool_at(&fl->groups, place);
}

static u32 *use_bucket(const struct flows *fl, u32 place, s32 pid)
{
	u64 key = (u64)place << 32 | (u32)pid;

	return &fl->by_use.bucket[flows_mix(key ^ fl->o.seed) & fl->by_use.mask];
}

static u32 find_use(const struct flows *fl, u32 place, s32 pid)
{
	const struct flow_use *use;
	u32 at;

	for (at = *use_bucket(fl, place, pid); at; at = use->by_key) {
		use = use_at(fl, at);
		if (use->flow == place && use->pid == pid)
			break;
	}
	return at;
}

static void link_use(struct flows *fl, u32 place, u32 at)
{
	struct flow_node *n = flows_node(fl, place);
	struct flow_use *use = use_at(fl, at);
	u32 *bucket = use_bucket(fl, place, use->pid);

	use->flow = place;
	use->by_key = *bucket;
	*bucket = at;
	use->next = n->first_use;
	n->first_use = at;
}

/* The list of the socket's uses is left as it was. */
static void unlink_use_key(struct flows *fl, u32 at)
{
	const struct flow_use *use = use_at(fl, at);
	u32 *link = use_bucket(fl, use->flow, use->pid);

	while (*link != at)
		link = &use_at(fl, *link)->by_key;
	*link = use->by_key;
}

u32 flows_use(struct flows *fl, u32 place, s32 pid, const char *comm)
{
	struct flow_use *use;
	u32 at = find_use(fl, place, pid);

	if (!at) {
		while (!(at = flow_pool_get(&fl->uses, &fl->memory)))
			if (!fl->memory || !flows_evict(fl, place))
				return 0;
		use_at(fl, at)->pid = pid;
		link_use(fl, place, at);
	}
	use = use_at(fl, at);
	/* a process may get another name (execve) */
	if (comm[0] && memcmp(use->comm, comm, sizeof(use->comm))) {
		memcpy(use->comm, comm, sizeof(use->comm));
		if (fl->o.by == FLOWS_BY_COMM)
			use->group = 0;
	}
	return at;
}

/* The port that says what it is about; 0 when neither does. */
static u16 service_port(const struct flow *f)
{
	if (f->flags & FLOW_ACCEPTED || f->state == SOCK_LISTEN || !f->addrs.rport)
		return f->addrs.lport;
	if (f->flags & FLOW_CONNECTED || !f->addrs.lport)
		return f->addrs.rport;
	return f->addrs.lport < f->addrs.rport ? f->addrs.lport : f->addrs.rport;
}

static void key_of(const struct flows *fl, const struct flow *f, const struct flow_use *use,
		   struct flow_row *key)
{
	memset(key, 0, sizeof(*key));
	switch (fl->o.by) {
	case FLOWS_BY_SOCKET:
		break;
	case FLOWS_BY_PID:
		key->pid = use ? use->pid : 0;
		break;
	case FLOWS_BY_COMM:
		if (use)
			memcpy(key->comm, use->comm, sizeof(key->comm));
		break;
	case FLOWS_BY_HOST:
		memcpy(key->host, f->addrs.remote, sizeof(key->host));
		break;
	case FLOWS_BY_PORT:
		key->port = service_port(f);
		key->proto = f->addrs.proto;
		break;
	case FLOWS_BY_NETNS:
		key->netns = f->netns;
		break;
	}
}

static bool same_key(const struct flow_row *a, const struct flow_row *b, enum flows_by by)
{
	return a->pid == b->pid && a->port == b->port && a->proto == b->proto &&
	       a->netns == b->netns && !memcmp(a->host, b->host, sizeof(a->host)) &&
	       (by != FLOWS_BY_COMM || !memcmp(a->comm, b->comm, sizeof(a->comm)));
}

static u64 hash_key(const struct flows *fl, const struct flow_row *key)
{
	u64 part[4];

	memcpy(part, key->host, 16);
	if (fl->o.by == FLOWS_BY_COMM)
		memcpy(part + 2, key->comm, 16);
	else
		part[2] = part[3] = 0;
	return flows_mix(flows_mix(flows_mix(part[0] ^ fl->o.seed) ^ part[1] ^ part[2]) ^ part[3] ^
			 (u64)(u32)key->pid ^ (u64)key->netns << 32 ^ (u64)key->port << 16 ^
			 (u64)key->proto << 48);
}

static u32 find_group(struct flows *fl, const struct flow *f, const struct flow_use *use)
{
	struct flow_group *group;
	struct flow_row key;
	u32 *bucket, at;

	key_of(fl, f, use, &key);
	bucket = &fl->by_group.bucket[hash_key(fl, &key) & fl->by_group.mask];
	for (at = *bucket; at; at = group->by_key) {
		group = group_at(fl, at);
		if (same_key(&group->row, &key, fl->o.by))
			return at;
	}
	at = flow_pool_get(&fl->groups, &fl->memory);
	if (!at)
		return fl->no_group;
	group = group_at(fl, at);
	group->row = key;
	group->by_key = *bucket;
	*bucket = at;
	return at;
}

static void account_group(struct flows *fl, struct flow_node *n, struct flow_use *use,
			  const struct flow_sums *sum, const struct flow_sums *recent)
{
	bool by_user = fl->o.by == FLOWS_BY_PID || fl->o.by == FLOWS_BY_COMM;
	u32 *cached = by_user && use ? &use->group : &n->group;
	struct flow_group *group;
	u32 at = by_user && !use ? 0 : *cached;

	if (!at || at == fl->no_group)
		at = find_group(fl, &n->f, use);
	if (at == fl->no_group)
		fl->stats.groups_refused++;
	if (!by_user || use)
		*cached = at;
	group = group_at(fl, at);
	/* the newest name of a process */
	if (fl->o.by == FLOWS_BY_PID && use && use->comm[0])
		memcpy(group->row.comm, use->comm, sizeof(use->comm));
	sums_add(&group->row.sum, sum);
	if (!recent)
		return;
	if (group->interval != fl->interval) {
		memset(&group->row.recent, 0, sizeof(group->row.recent));
		group->interval = fl->interval;
	}
	sums_add(&group->row.recent, recent);
}

static bool is_nothing(const struct flow_sums *s)
{
	return !s->rx_bytes && !s->tx_bytes && !s->rx_calls && !s->tx_calls && !s->retransmits;
}

static void add_to_use(const struct flows *fl, struct flow_use *use, const struct flow_sums *sum,
		       const struct flow_sums *recent)
{
	if (use->interval != fl->interval) {
		memset(&use->recent, 0, sizeof(use->recent));
		use->interval = fl->interval;
	}
	sums_add(&use->sum, sum);
	sums_add(&use->recent, recent);
}

void flows_account(struct flows *fl, u32 place, const struct sock_event *ev,
		   const struct flow_sums *delta)
{
	struct flow_node *n = flows_node(fl, place);
	struct flow_use *use = NULL;
	u32 at = 0;

	/* what an interrupt did is nobody's; the idle task uses no sockets */
	if (!ev->in_interrupt && ev->pid)
		at = flows_use(fl, place, ev->pid, ev->comm);
	if (at) {
		use = use_at(fl, at);
		add_to_use(fl, use, delta, delta);
	} else if (!ev->in_interrupt && ev->pid) {
		fl->stats.owners_refused++;
	}
	if (fl->o.by != FLOWS_BY_SOCKET && !n->unwanted &&
	    (!fl->o.pid || (!ev->in_interrupt && ev->pid == fl->o.pid)))
		account_group(fl, n, use, delta, delta);
}

bool flows_first_owner(const struct flows *fl, u32 place, s32 *pid, char *comm)
{
	u32 at = flows_node(fl, place)->first_use;

	if (!at)
		return false;
	*pid = use_at(fl, at)->pid;
	memcpy(comm, use_at(fl, at)->comm, sizeof(use_at(fl, at)->comm));
	return true;
}

void flows_forget_uses(struct flows *fl, u32 place)
{
	struct flow_node *n = flows_node(fl, place);
	u32 at, next;

	for (at = n->first_use; at; at = next) {
		next = use_at(fl, at)->next;
		unlink_use_key(fl, at);
		flow_pool_put(&fl->uses, at);
	}
	n->first_use = 0;
}

void flows_take_over(struct flows *fl, u32 place, u32 other)
{
	struct flow_node *n = flows_node(fl, place), *o = flows_node(fl, other);
	struct flow_sums none = { 0 };
	struct flow_use *use;
	u32 at, next, same;

	sums_add(&n->f.sum, &o->f.sum);
	if (o->f.interval == fl->interval)
		sums_add(&n->f.recent, &o->f.recent);
	o->f.sum = none;
	for (at = o->first_use; at; at = next) {
		use = use_at(fl, at);
		next = use->next;
		unlink_use_key(fl, at);
		same = find_use(fl, place, use->pid);
		/* of several who have it only those that used it are told */
		if (!same && (!n->first_use || !is_nothing(&use->sum))) {
			use->group = 0;
			link_use(fl, place, at);
			continue;
		}
		if (same && !is_nothing(&use->sum))
			add_to_use(fl, use_at(fl, same), &use->sum,
				   use->interval == fl->interval ? &use->recent : &none);
		flow_pool_put(&fl->uses, at);
	}
	o->first_use = 0;
}

/* What is the socket's and none of its processes': retransmits, and what no owner had room for. */
static void take_off(struct flow_sums *from, const struct flow_sums *part)
{
	from->rx_bytes -= part->rx_bytes;
	from->tx_bytes -= part->tx_bytes;
	from->rx_calls -= part->rx_calls;
	from->tx_calls -= part->tx_calls;
	from->retransmits -= part->retransmits;
}

/* ---- other groups */

static void regroup_flow(struct flows *fl, u32 place)
{
	struct flow_node *n = flows_node(fl, place);
	bool now = n->f.interval == fl->interval;
	bool grouped = fl->o.by != FLOWS_BY_SOCKET && !n->unwanted;
	struct flow_sums sum = n->f.sum, recent = { 0 };
	struct flow_use *use;
	u32 at;

	n->group = 0;
	if (now)
		recent = n->f.recent;
	for (at = n->first_use; at; at = use->next) {
		use = use_at(fl, at);
		use->group = 0;
		/* one that an inventory told of, and nothing else */
		if (!grouped || is_nothing(&use->sum))
			continue;
		take_off(&sum, &use->sum);
		if (use->interval == fl->interval)
			take_off(&recent, &use->recent);
		if (!fl->o.pid || use->pid == fl->o.pid)
			account_group(fl, n, use, &use->sum,
				      use->interval == fl->interval ? &use->recent : NULL);
	}
	if (grouped && !fl->o.pid && !is_nothing(&sum))
		account_group(fl, n, NULL, &sum, is_nothing(&recent) ? NULL : &recent);
}

void flows_regroup(struct flows *fl, enum flows_by by)
{
	u32 lists[] = { fl->open.first, fl->over.first }, at;
	struct flow_group *others;
	size_t i;

	fl->o.by = by;
	memset(fl->by_group.bucket, 0, ((size_t)fl->by_group.mask + 1) * sizeof(u32));
	fl->groups.used = fl->groups.free = fl->groups.live = 0;
	fl->no_group = flow_pool_get(&fl->groups, &fl->memory);
	if (!fl->no_group) /* it was there before, so there is room for it */
		return;
	others = group_at(fl, fl->no_group);
	others->row.others = true;
	/* with a choice of sockets or processes nobody knows how much of this is meant */
	if (!fl->o.wanted && !fl->o.pid)
		others->row.sum = fl->stats.gone;
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		for (at = lists[i]; at; at = flows_node(fl, at)->age.after)
			regroup_flow(fl, at);
}

/* ---- rows */

struct rows {
	struct flow_row *row;
	size_t nr, cap;
	bool memory;
};

static struct flow_row *add_row(struct rows *rows)
{
	size_t cap = rows->cap ? rows->cap * 2 : 64;
	struct flow_row *grown = rows->row;

	if (rows->nr == rows->cap) {
		grown = reallocarray(rows->row, cap, sizeof(*grown));
		if (!grown) {
			rows->memory = false;
			return NULL;
		}
		rows->row = grown;
		rows->cap = cap;
	}
	memset(&grown[rows->nr], 0, sizeof(*grown));
	return &grown[rows->nr++];
}

/* A row for each process with something to tell; retransmits, which are nobody's, in the last of them. */
static void rows_of_flow(const struct flows *fl, const struct flow_node *n, bool all,
			 struct rows *rows)
{
	struct flow_sums none = { 0 };
	struct flow_sums sum = n->f.sum;
	struct flow_sums recent = n->f.interval == fl->interval ? n->f.recent : none;
	const struct flow_use *use;
	struct flow_row *row = NULL, *one;
	bool now;
	u32 at;

	if (n->unwanted)
		return;
	for (at = n->first_use; at; at = use->next) {
		use = use_at(fl, at);
		now = use->interval == fl->interval;
		take_off(&sum, &use->sum);
		if (now)
			take_off(&recent, &use->recent);
		/* a socket that is told of without bytes has its owner, too */
		if (!now && !all && (use->next || row))
			continue;
		one = add_row(rows);
		if (!one)
			return;
		row = one;
		row->flow = &n->f;
		row->pid = use->pid;
		memcpy(row->comm, use->comm, sizeof(row->comm));
		row->sum = use->sum;
		row->recent = now ? use->recent : none;
	}
	if (is_nothing(&sum) && row)
		return;
	/* bytes that are no process' have a row of their own */
	if (!row || sum.rx_bytes || sum.tx_bytes)
		row = add_row(rows);
	if (!row)
		return;
	row->flow = &n->f;
	sums_add(&row->sum, &sum);
	sums_add(&row->recent, &recent);
}

static void rows_of_groups(const struct flows *fl, bool all, struct rows *rows)
{
	const struct flow_group *group;
	struct flow_row *row;
	u32 at;

	for (at = 1; at <= fl->groups.used; at++) {
		group = group_at(fl, at);
		if (group->interval != fl->interval && (!all || is_nothing(&group->row.sum)))
			continue;
		row = add_row(rows);
		if (!row)
			return;
		*row = group->row;
		if (group->interval != fl->interval)
			memset(&row->recent, 0, sizeof(row->recent));
	}
}

static void rows_of_list(const struct flows *fl, u32 at, struct rows *rows)
{
	for (; at; at = flows_node(fl, at)->age.after)
		rows_of_flow(fl, flows_node(fl, at), true, rows);
}

ssize_t flows_rows(const struct flows *fl, bool all, struct flow_row **out)
{
	struct rows rows = { .memory = true };
	u32 at;

	if (fl->o.by != FLOWS_BY_SOCKET) {
		rows_of_groups(fl, all, &rows);
	} else if (all) {
		rows_of_list(fl, fl->open.first, &rows);
		rows_of_list(fl, fl->over.first, &rows);
	} else {
		for (at = fl->active.first; at; at = flows_node(fl, at)->active.after)
			rows_of_flow(fl, flows_node(fl, at), false, &rows);
	}
	*out = rows.row;
	if (rows.memory)
		return (ssize_t)rows.nr;
	free(rows.row);
	*out = NULL;
	return -ENOMEM;
}
