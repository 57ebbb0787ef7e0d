// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paths: what happened to each packet, from its first event to its end.
 *
 * In:  events in time order. Out: each packet once, when its end is known or awaited no longer.
 *
 * A path is on one of four lists, each sorted by when its packet was heard of last, so that what has
 * waited too long is always at a list's head. Memory is bounded by max_live and by the idle times.
 */
#include "analysis/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/identity.h"
#include "analysis/loss.h"
#include "analysis/paths_pool.h"
#include "analysis/rawcopy.h"
#include "analysis/xmit_stack.h"
#include "decode/devnames.h"

enum list {
	LIST_MOVING, /* on its way */
	LIST_COPIED, /* a process has read it; a free may follow */
	LIST_LATE,   /* ended, but a driver has still to return */
	LIST_RAW,    /* ended at ICMP; a raw socket's reader may follow */
	LISTS,
};

static const u64 list_wait_ns[LISTS] = { PATHS_IDLE_NS, PATHS_COPIED_NS, PATHS_LATE_NS,
					 PATHS_LATE_NS };

/* CPUs that share a place only make an answer go unnoticed. */
#define BIRTHS 256

struct birth {
	u64 ts_ns;
	u16 cpu;
};

struct paths {
	struct paths_options options;
	struct identity_table ids;
	struct paths_pool pool;
	struct xmit_stacks xmits;
	struct raw_copies copies;
	struct loss_log *loss;
	struct birth birth[BIRTHS]; /* by CPU: when a packet was first seen on it last */
	struct path list[LISTS];    /* heads of rings */
	u32 live;
	u64 next_check_ns;
	struct paths_stats stats;
	u8 name_shared[DEVNAMES_MAX + 1]; /* by device: 1 no, 2 yes, 0 not asked yet */
};

static void list_add(struct paths *p, struct path *path, enum list list)
{
	struct path *head = &p->list[list];

	path->list = (u8)list;
	path->prev = head->prev;
	path->next = head;
	head->prev->next = path;
	head->prev = path;
}

static void list_remove(struct path *path)
{
	path->prev->next = path->next;
	path->next->prev = path->prev;
}

static void list_move(struct paths *p, struct path *path, enum list list)
{
	list_remove(path);
	list_add(p, path, list);
}

/* The address may stand for another packet from now on. */
static void unmap(struct paths *p, struct path *path)
{
	if (path->mapped)
		identity_remove(&p->ids, path->skb);
	path->mapped = false;
}

/* Hand a path out and take its memory back. */
static void done(struct paths *p, struct path *path)
{
	u64 end = path->last_ns;

	unmap(p, path);
	list_remove(path);
	if (path->complete == PATH_UNKNOWN_END || path->complete == PATH_STILL_OPEN)
		end += PATHS_IDLE_NS; /* its end may be among what was lost */
	if (p->loss->nr &&
	    loss_between(p->loss, path->first_ns, end, &path->lost, &path->lost_uncounted))
		path->complete = PATH_GAP;
	p->stats.by_state[path->state]++;
	p->stats.by_complete[path->complete]++;
	p->options.path_done(p->options.ctx, path);
	pool_put(&p->pool, path);
	p->live--;
}

/* What can be said of a path that no event ended. */
static void end_unseen(struct path *path)
{
	if (path->stage == STAGE_COPIED) {
		path->state = PATH_DELIVERED;
		path->complete = PATH_COMPLETE;
		return;
	}
	path->state = PATH_UNKNOWN;
	path->complete = PATH_UNKNOWN_END;
}

/* What an event that ended a path says of it. */
static void end_seen(struct path *path, const struct event *ev)
{
	path->end_hop = (s32)path->nr_hops - 1;
	path->complete = PATH_COMPLETE;
	if (path->stage == STAGE_COPIED)
		path->state = PATH_DELIVERED;
	else if (ev->kind == EVENT_DROP)
		path->state = PATH_DROPPED;
	else if (path->stage == STAGE_STACK)
		path->state = PATH_DELIVERED;
	else if (path->stage == STAGE_TX &&
		 (path->tx_ok || (path->last_kind == EVENT_START_XMIT && !path->tx_done)))
		path->state = PATH_TRANSMITTED;
	else
		path->state = PATH_UNKNOWN;
}

static void expire(struct paths *p, u64 now)
{
	struct path *path;
	int i;

	for (i = 0; i < LISTS; i++) {
		while ((path = p->list[i].next) != &p->list[i] &&
		       path->last_ns + list_wait_ns[i] < now) {
			if (i == LIST_MOVING || i == LIST_COPIED)
				end_unseen(path);
			done(p, path);
		}
	}
	p->next_check_ns = now + NSEC_PER_MSEC;
}

static void add_hop(struct paths *p, struct path *path, const struct event *ev)
{
	struct hop *hop = path->nr_hops < PATHS_MAX_HOPS ? pool_hop(&p->pool, path) : NULL;

	path->last_ns = ev->ts_ns;
	if (unlikely(!hop)) {
		path->cut_hops++;
		if (ev->kind < EVENT_COPY || ev->kind > EVENT_DROP)
			return;
		/* How it ended is told whatever else is cut. */
		hop = &path->hops[path->nr_hops - 1];
	}
	hop->ts_ns = ev->ts_ns;
	hop->location = ev->has & EVENT_HAS_LOCATION ? ev->location : ev->netns_cookie;
	hop->len_bytes = ev->len_bytes;
	hop->reason = ev->has & EVENT_HAS_RET	 ? (u32)ev->ret :
		      ev->has & EVENT_HAS_REASON ? ev->reason :
						   ev->ifindex;
	hop->pid = ev->pid;
	hop->type = ev->type;
	hop->dev = ev->dev;
	hop->proto = ev->proto;
	hop->cpu = ev->cpu;
	hop->netns = 0;
	hop->kind = ev->kind;
	hop->context = ev->context;
	hop->has = ev->has;
	if (ev->has & EVENT_HAS_PROTO && ev->proto)
		path->proto = ev->proto;
}

static struct path *new_path(struct paths *p, const struct event *ev)
{
	struct path *path;

	if (p->live >= p->options.max_live || !(path = pool_get(&p->pool))) {
		p->stats.refused++;
		return NULL;
	}
	path->skb = ev->skb;
	path->first_ns = path->last_ns = ev->ts_ns;
	if (identity_set(&p->ids, ev->skb, path)) {
		pool_put(&p->pool, path);
		p->stats.refused++;
		return NULL;
	}
	path->number = ++p->stats.packets;
	p->birth[ev->cpu % BIRTHS] = (struct birth){ ev->ts_ns, ev->cpu };
	path->mapped = true;
	p->live++;
	list_add(p, path, LIST_MOVING);
	return path;
}

/* Where the packet is after this event. */
static void move_on(struct paths *p, struct path *path, const struct event *ev)
{
	path->last_kind = ev->kind;
	switch (ev->kind) {
	case EVENT_QUEUE:
	case EVENT_START_XMIT:
		path->stage = STAGE_TX;
		path->tx_dev = ev->dev;
		path->tx_done = path->tx_ok = false;
		if (ev->kind == EVENT_START_XMIT)
			xmit_push(&p->xmits, ev->cpu, path, ev->dev);
		break;
	case EVENT_RX_ENTRY:
	case EVENT_RX:
		path->stage = STAGE_BACKLOG;
		path->rx_dev = ev->dev;
		break;
	case EVENT_GRO:
		path->stage = STAGE_DRIVER;
		path->rx_dev = ev->dev;
		break;
	case EVENT_RECEIVE_ENTRY:
	case EVENT_RECEIVE:
		path->stage = STAGE_STACK;
		path->rx_dev = ev->dev;
		path->stack_len = ev->has & EVENT_HAS_LEN ? ev->len_bytes : 0;
		break;
	default:
		break;
	}
}

static bool name_shared(struct paths *p, u16 dev)
{
	u8 *known = &p->name_shared[dev];

	if (!p->options.name_shared || dev > DEVNAMES_MAX)
		return false;
	if (!*known)
		*known = p->options.name_shared(p->options.ctx, dev) ? 2 : 1;
	return *known == 2;
}

/* Whether a hop is one of the packet that its address stood for so far. */
static bool continues(struct paths *p, const struct path *path, const struct event *ev)
{
	return identity_continues(path, ev, false) ||
	       (name_shared(p, ev->dev) && identity_continues(path, ev, true));
}

/* Its address was taken by another packet, so it must have ended. */
static void forget(struct paths *p, struct path *path)
{
	p->stats.reused++;
	end_unseen(path);
	if (path->open_xmits) {
		unmap(p, path);
		list_move(p, path, LIST_LATE);
	} else {
		done(p, path);
	}
}

/* A hop of a packet on its way: of the known one, or the first of a new one. */
static void take_station(struct paths *p, const struct event *ev)
{
	struct path *path = identity_find(&p->ids, ev->skb);

	if (path && !continues(p, path, ev)) {
		forget(p, path);
		path = NULL;
	}
	if (!path)
		path = new_path(p, ev);
	if (!path)
		return;
	p->stats.events++;
	add_hop(p, path, ev);
	move_on(p, path, ev);
	list_move(p, path, LIST_MOVING);
}

/* A driver returned. */
static void take_xmit(struct paths *p, const struct event *ev)
{
	struct path *path;

	if (!xmit_pop(&p->xmits, ev->cpu, ev->skb, ev->dev, &path)) {
		/* The call was not recorded: it can only be the packet waiting on that device. */
		path = identity_find(&p->ids, ev->skb);
		if (path && (path->stage != STAGE_TX || path->tx_dev != ev->dev || path->tx_done ||
			     path->open_xmits))
			path = NULL;
	}
	if (!path) {
		p->stats.strays++;
		return;
	}
	p->stats.events++;
	add_hop(p, path, ev);
	if (path->stage == STAGE_TX && path->tx_dev == ev->dev) {
		path->tx_done = true;
		path->tx_ok = ev->ret == 0;
	}
	if (path->list == LIST_LATE && !path->open_xmits)
		done(p, path);
	else
		list_move(p, path, (enum list)path->list);
}

static void take_copy(struct paths *p, const struct event *ev)
{
	struct path *path = identity_find(&p->ids, ev->skb);

	if (!path) {
		p->stats.unseen_frees++;
		path = raw_copy_read(&p->copies, &p->list[LIST_RAW], ev);
		if (path)
			done(p, path);
		return;
	}
	p->stats.events++;
	add_hop(p, path, ev);
	path->end_hop = (s32)path->nr_hops - 1;
	path->stage = STAGE_COPIED;
	path->last_kind = ev->kind;
	list_move(p, path, LIST_COPIED);
}

/*
 * Whether the kernel sent something while it had this packet in hand: between the last receive and
 * the free, in a softirq on one CPU, nothing else can send. Kernels before 6.2 or so free every
 * ICMPv6 packet alike, used or not (net/ipv6/icmp.c), but only an echo request is answered.
 */
static bool was_answered(const struct paths *p, const struct path *path, const struct event *ev)
{
	const struct birth *birth = &p->birth[ev->cpu % BIRTHS];
	u32 i;

	if (!(ev->context & EVENT_IN_SOFTIRQ) || birth->cpu != ev->cpu)
		return false;
	for (i = path->nr_hops; i-- > 0;)
		if (path->hops[i].kind == EVENT_RECEIVE)
			return path->hops[i].cpu == ev->cpu && birth->ts_ns > path->hops[i].ts_ns;
	return false;
}

/*
 * ICMP freed a packet in a way that it has for used and unused ones alike. What became of it shows in
 * what the kernel or a process did: an answer, or the reading of a raw socket's copy, perhaps later.
 */
static bool judge_icmp(struct paths *p, struct path *path, const struct event *ev)
{
	if (was_answered(p, path, ev)) {
		path->state = PATH_DELIVERED;
		path->acted_on = true;
		return true;
	}
	if (raw_copy_was_read(&p->copies, path))
		return true;
	path->state = PATH_UNKNOWN;
	path->complete = PATH_UNKNOWN_END;
	return false;
}

/* A packet of a device has a protocol to its end; an skb without one is of AF_UNIX or the like. */
static bool is_no_packet(const struct path *path, const struct event *ev)
{
	return path->proto && ev->has & EVENT_HAS_PROTO && !ev->proto;
}

static void take_free(struct paths *p, const struct event *ev)
{
	struct path *path = identity_find(&p->ids, ev->skb);

	if (path && is_no_packet(path, ev)) {
		forget(p, path);
		path = NULL;
	}
	if (!path) {
		p->stats.unseen_frees++;
		return;
	}
	p->stats.events++;
	add_hop(p, path, ev);
	end_seen(path, ev);
	unmap(p, path);
	if (path->state == PATH_DROPPED && path->stage == STAGE_STACK && p->options.free_site &&
	    p->options.free_site(p->options.ctx, ev) == FREE_SITE_ICMP &&
	    !judge_icmp(p, path, ev)) {
		list_move(p, path, LIST_RAW);
		return;
	}
	if (path->open_xmits)
		list_move(p, path, LIST_LATE);
	else
		done(p, path);
}

static void take_note(struct paths *p, const struct event *ev)
{
	struct path *path = identity_find(&p->ids, ev->skb);

	if (!path) {
		p->stats.strays++;
		return;
	}
	p->stats.events++;
	add_hop(p, path, ev);
	list_move(p, path, (enum list)path->list);
}

void paths_event(struct paths *p, const struct event *ev)
{
	if (unlikely(ev->ts_ns >= p->next_check_ns))
		expire(p, ev->ts_ns);
	switch (ev->kind) {
	case EVENT_XMIT:
		take_xmit(p, ev);
		break;
	case EVENT_COPY:
		take_copy(p, ev);
		break;
	case EVENT_CONSUME:
	case EVENT_DROP:
		take_free(p, ev);
		break;
	case EVENT_NOTE:
		take_note(p, ev);
		break;
	default:
		take_station(p, ev);
		break;
	}
}

void paths_lost(struct paths *p, u16 cpu, u64 from_ns, u64 to_ns, u64 count, bool uncounted)
{
	loss_add(p->loss, from_ns, to_ns, count, uncounted);
	xmit_forget(&p->xmits, cpu);
}

void paths_tick(struct paths *p, u64 now_ns)
{
	if (now_ns >= p->next_check_ns)
		expire(p, now_ns);
}

void paths_finish(struct paths *p)
{
	struct path *path;
	int i;

	for (i = 0; i < LISTS; i++) {
		while ((path = p->list[i].next) != &p->list[i]) {
			if (i == LIST_COPIED) {
				end_unseen(path);
			} else if (i == LIST_MOVING) {
				path->state = PATH_OPEN;
				path->complete = PATH_STILL_OPEN;
			}
			done(p, path);
		}
	}
}

const struct paths_stats *paths_stats(const struct paths *p)
{
	return &p->stats;
}

int paths_new(struct paths **out, const struct paths_options *options, struct error *err)
{
	struct paths *p = calloc(1, sizeof(*p));
	int i;

	if (!p)
		return error_errno(err, ENOMEM, "cannot follow packets");
	p->options = *options;
	if (!p->options.max_live)
		p->options.max_live = PATHS_MAX_LIVE;
	p->loss = calloc(1, sizeof(*p->loss));
	if (!p->loss || identity_init(&p->ids)) {
		free(p->loss);
		free(p);
		return error_errno(err, ENOMEM, "cannot follow packets");
	}
	for (i = 0; i < LISTS; i++)
		p->list[i].prev = p->list[i].next = &p->list[i];
	*out = p;
	return 0;
}

void paths_free(struct paths *p)
{
	if (!p)
		return;
	identity_free(&p->ids);
	xmit_stacks_free(&p->xmits);
	pool_free(&p->pool);
	free(p->loss);
	free(p);
}
