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
#include <netinet/in.h>
/* behind the above, or both define the same */
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/changes.h"
#include "analysis/identity.h"
#include "analysis/paths_internal.h"

/* RFC 4443, 4861, 3810 */
#define ICMP6_TYPE_ECHO 128 /* errors are below */
#define ICMP6_TYPE_LISTENER 130
#define ICMP6_TYPE_REDIRECT 137
#define ICMP6_TYPE_LISTENER_V2 143

static const u64 list_wait_ns[LISTS] = {
	[LIST_MOVING] = PATHS_IDLE_NS,	     [LIST_COPIED] = PATHS_COPIED_NS,
	[LIST_PARTS] = PATHS_PARTS_NS,	     [LIST_SPLIT] = PATHS_SPLIT_NS,
	[LIST_LATE] = PATHS_LATE_NS,	     [LIST_RAW] = PATHS_LATE_NS,
	[LIST_SOCKET] = PATHS_EXACT_IDLE_NS,
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

void path_move(struct paths *p, struct path *path, enum list list)
{
	list_remove(path);
	list_add(p, path, list);
}

/* The address may stand for another packet from now on. */
void path_unmap(struct paths *p, struct path *path)
{
	if (path->mapped)
		addrmap_remove(&p->ids, path->skb);
	path->mapped = false;
}

/* Hand a path out and take its memory back. */
void path_finish(struct paths *p, struct path *path)
{
	u64 end = path->last_ns;

	path_unmap(p, path);
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
	if (path->merging) {
		path->state = PATH_MERGED;
		path->complete = PATH_COMPLETE;
		return;
	}
	path->state = PATH_UNKNOWN;
	path->complete = PATH_UNKNOWN_END;
}

/* The skb was let go with no event that says why. */
static void end_silent(const struct paths *p, struct path *path)
{
	bool sent = path->tx_ok || (p->options.filtered && path->last_kind == EVENT_START_XMIT);

	path->complete = PATH_COMPLETE;
	if (path->stage == STAGE_COPIED)
		path->state = PATH_DELIVERED;
	else if (path->merging || path->layer == LAYER_DEFRAG)
		path->state = PATH_MERGED;
	else if (path->split)
		path->state = PATH_SPLIT;
	else if (path->stage == STAGE_STACK && path->at_l4)
		path->state = PATH_DELIVERED;
	else if (path->stage == STAGE_TX && sent)
		path->state = PATH_TRANSMITTED;
	else
		end_unseen(path);
}

/* What an event that ended a path says of it. */
static void end_seen(struct path *path, const struct event *ev)
{
	path->end_hop = (s32)path->nr_hops - 1;
	path->complete = PATH_COMPLETE;
	if (path->stage == STAGE_COPIED)
		path->state = PATH_DELIVERED;
	else if (path->merging || (path->layer == LAYER_DEFRAG && ev->kind == EVENT_CONSUME))
		path->state = PATH_MERGED;
	else if (ev->kind == EVENT_DROP)
		path->state = PATH_DROPPED;
	else if (path->split)
		path->state = PATH_SPLIT;
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
		       path->last_ns + p->wait_ns[i] < now) {
			if (i == LIST_MOVING || i == LIST_COPIED || path->merging)
				end_unseen(path);
			path_finish(p, path);
		}
	}
	p->next_check_ns = now + NSEC_PER_MSEC;
}

/* Whether the packet is another one than at the last look, or better known. */
static bool is_news(const struct packet_view *view, const struct skb_facts *facts)
{
	if (facts->told && view)
		return packet_changes(&view->packet, &facts->packet);
	if (!view || (facts->has_mark && (!view->has_mark || view->mark != facts->mark)))
		return true;
	if (packet_changes(&view->packet, &facts->packet) ||
	    view->packet.nr_nets < facts->packet.nr_nets)
		return true;
	if (!facts->packet.nr_nets || facts->packet.net[0].part != PART_OK)
		return false;
	/* GRO makes it longer. */
	return view->packet.net[0].part != PART_OK ||
	       view->packet.net[0].total_bytes != facts->packet.net[0].total_bytes ||
	       (view->packet.net[0].l4 == PART_CUT && facts->packet.net[0].l4 == PART_OK);
}

/* What was joined with its hops, or told, cannot be of one packet: which of it is right is not known. */
static void contradict(struct paths *p, struct path *path)
{
	u32 i;

	for (i = 0; i < path->nr_hops; i++) {
		path->hops[i].view = NULL;
		path->hops[i].tapped = path->hops[i].told = false;
	}
	path->contradicted = true;
	path->tapped = path->matched = false;
	path->told_by = 0;
	pool_put_views(&p->pool, path);
	p->stats.contradicted++;
}

/*
 * Whether a tuple can be of the packet that is known. Without numbers it says less than headers do: when
 * the headers are of the packet's last station, what differs in the source is no NAT, which works before.
 */
static bool may_be_told(const struct path *path, const struct skb_facts *facts)
{
	u32 i = path->nr_hops - 1; /* the last is being filled in */

	while (i > 0 && path->hops[i - 1].kind == EVENT_NOTE)
		i--;
	return !i || path->hops[i - 1].view != path->views ||
	       !(packet_changes(&path->views->packet, &facts->packet) & CHANGE_SOURCE);
}

/* Whether headers that were joined by time, or told, are to be believed. */
static bool is_credible(struct paths *p, struct path *path, const struct skb_facts *facts)
{
	if (path->contradicted)
		return false;
	/* A socket has what was received: so the address is another packet's now, whose begin was not seen. */
	if (facts->told == TOLD_RECEIVED && path->stage != STAGE_STACK)
		return false;
	if (path->views && (!packet_may_be_same(&path->views->packet, &facts->packet) ||
			    (facts->told && !may_be_told(path, facts)))) {
		contradict(p, path);
		return false;
	}
	return true;
}

/* What a probe, or the tap, saw of the packet at a hop, or the event itself tells. */
static void add_facts(struct paths *p, struct path *path, struct hop *hop,
		      const struct skb_facts *facts)
{
	bool first = !path->views;
	struct packet_view *view;

	if ((facts->tapped || facts->told) && facts->has_packet && !is_credible(p, path, facts))
		return;
	hop->netns_inum = facts->netns_inum;
	hop->netns_from = facts->netns_from;
	path->matched |= facts->matched;
	if (!facts->has_packet)
		return;
	hop->tapped = facts->tapped;
	hop->told = facts->told;
	path->tapped |= facts->tapped;
	if (first && facts->told)
		path->told_by = hop->type;
	if (is_news(path->views, facts)) {
		view = pool_view(&p->pool, path);
		if (!view)
			return;
		view->packet = facts->packet;
		view->mark = facts->mark;
		view->has_mark = facts->has_mark;
		if (first && !facts->told)
			lineage_check(p, path);
		if (!facts->told)
			lineage_sign(p, path, hop->ts_ns);
	}
	hop->view = path->views;
	hop->ttl = facts->packet.nr_nets && facts->packet.net[0].part == PART_OK ?
			   facts->packet.net[0].ttl :
			   0;
}

static void add_filter(struct paths *p, struct path *path, struct hop *hop, const struct event *ev)
{
	struct hop_filter *filter = pool_filter(&p->pool, path);

	if (!filter)
		return;
	filter->function = ev->facts->hook_function;
	filter->hook = ev->facts->hook;
	filter->pf = ev->facts->pf;
	filter->in = ev->facts->in;
	filter->out = ev->facts->out;
	filter->table = ev->facts->table;
	filter->chain = ev->facts->chain;
	if (ev->kind == EVENT_TABLE && ev->has & EVENT_HAS_RET) {
		filter->verdict = table_verdict(ev->ret);
		filter->has_verdict = true;
	}
	hop->filter = filter;
}

/* What a probe just before this event saw of its skb. */
static const struct skb_facts *facts_of(struct paths *p, const struct path *path,
					const struct event *ev)
{
	struct pending_headers *pending;

	if (ev->has & EVENT_HAS_FACTS)
		return ev->facts;
	if (!p->pending || ev->kind == EVENT_XMIT)
		return NULL;
	pending = &p->pending[ev->cpu % PENDING_CPUS];
	if (pending->skb != ev->skb)
		return NULL;
	pending->skb = 0;
	/* They were of the packet that had this address before. */
	if (pending->ts_ns < path->birth_ns)
		return NULL;
	return &pending->facts;
}

/* The calls that gave it to a device are those that sent it; those that gave it to the IP layer, if it got no further. */
static void add_chain(struct path *path, const struct event *ev)
{
	if (path->chain_queued)
		return;
	path->chain = ev->chain;
	path->chain_queued = ev->layer == LAYER_NONE;
}

static void add_hop(struct paths *p, struct path *path, const struct event *ev)
{
	const struct skb_facts *facts = facts_of(p, path, ev);
	struct hop *hop = path->nr_hops < PATHS_MAX_HOPS ? pool_hop(&p->pool, path) : NULL;

	path->last_ns = ev->ts_ns;
	path->losses = p->losses;
	if (unlikely(!hop)) {
		path->cut_hops++;
		if (ev->kind < EVENT_COPY || ev->kind > EVENT_DROP)
			return;
		/* How it ended is told whatever else is cut. */
		hop = &path->hops[path->nr_hops - 1];
	}
	hop->ts_ns = ev->ts_ns;
	hop->location = ev->has & EVENT_HAS_LOCATION ? ev->location :
			ev->has & EVENT_HAS_FACTS    ? 0 :
						       ev->netns_cookie;
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
	hop->layer = ev->layer;
	hop->view = NULL;
	hop->netns_inum = 0;
	hop->netns_from = hop->ttl = 0;
	hop->tapped = hop->told = false;
	if (ev->has & EVENT_HAS_PROTO && ev->proto)
		path->proto = ev->proto;
	if (unlikely(facts != NULL))
		add_facts(p, path, hop, facts);
	if (unlikely(ev->context & EVENT_HAS_CHAIN))
		add_chain(path, ev);
	if (unlikely(ev->kind == EVENT_HOOK || ev->kind == EVENT_TABLE)) {
		hop->filter = NULL;
		if (ev->has & EVENT_HAS_FACTS)
			add_filter(p, path, hop, ev);
	}
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
	if (addrmap_set(&p->ids, ev->skb, path)) {
		pool_put(&p->pool, path);
		p->stats.refused++;
		return NULL;
	}
	path->number = ++p->stats.packets;
	p->birth[ev->cpu % BIRTHS] = (struct birth){ ev->ts_ns, ev->cpu };
	path->mapped = true;
	p->live++;
	list_add(p, path, LIST_MOVING);
	if (p->exact)
		lineage_adopt(p, path, ev);
	return path;
}

/* Where the packet is after this event. */
static void move_on(struct paths *p, struct path *path, const struct event *ev)
{
	path->last_kind = ev->kind;
	path->layer = LAYER_NONE;
	path->local = false;
	switch (ev->kind) {
	case EVENT_QUEUE:
	case EVENT_START_XMIT:
		path->stage = STAGE_TX;
		path->tx_dev = ev->dev;
		path->tx_done = path->tx_ok = false;
		if (ev->kind == EVENT_START_XMIT && !p->options.filtered)
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

/* Whether the skb may have been freed in silence before this event, and be another packet's now. */
static bool may_be_reused(const struct path *path, const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_START_XMIT:
		return path->last_kind != EVENT_QUEUE || path->tx_dev != ev->dev;
	case EVENT_RX_ENTRY:
	case EVENT_RX:
		/* From within the driver's function; or the second event of one call. */
		return (path->stage != STAGE_TX || path->tx_done) &&
		       path->last_kind != EVENT_RX_ENTRY;
	case EVENT_RECEIVE_ENTRY:
	case EVENT_RECEIVE:
		return (path->stage != STAGE_BACKLOG || path->rx_dev != ev->dev) &&
		       path->last_kind != EVENT_RECEIVE_ENTRY;
	default:
		return true;
	}
}

/* Whether a frame was joined with this event that cannot be of the packet known so far. */
static bool is_told_apart(const struct paths *p, const struct path *path, const struct event *ev)
{
	const struct pending_headers *pending;

	if (!p->pending || !path->views || path->contradicted || !may_be_reused(path, ev))
		return false;
	pending = &p->pending[ev->cpu % PENDING_CPUS];
	return pending->skb == ev->skb && pending->ts_ns == ev->ts_ns && pending->facts.tapped &&
	       pending->facts.has_packet &&
	       !packet_may_be_same(&path->views->packet, &pending->facts.packet);
}

/*
 * Whether probes missed a death and a birth, as while an interrupt came in the middle of another probe: what is
 * sent where the address came in, as answers are, cannot be the same packet.
 */
static bool is_unborn(const struct paths *p, const struct path *path, const struct event *ev)
{
	return p->exact && ev->kind == EVENT_QUEUE && ev->has & EVENT_HAS_FACTS &&
	       ev->facts->has_packet && path->views &&
	       (path->stage == STAGE_STACK || path->stage == STAGE_BACKLOG) &&
	       path->rx_dev == ev->dev &&
	       !packet_may_be_same(&path->views->packet, &ev->facts->packet);
}

/* Whether a hop is one of the packet that its address stood for so far. */
static bool continues(struct paths *p, const struct path *path, const struct event *ev)
{
	/* Of what the kernel let through, a death may be missing. */
	if (p->options.filtered && identity_other_packet(path, ev))
		return false;
	/* With births recorded, an address stands for a packet until the next one. */
	if (p->exact && path->losses == p->losses)
		return true;
	return identity_continues(path, ev, false) ||
	       (name_shared(p, ev->dev) && identity_continues(path, ev, true));
}

/* Its address was taken by another packet, so it must have ended. */
static void forget(struct paths *p, struct path *path)
{
	p->stats.reused++;
	end_unseen(path);
	if (path->open_xmits) {
		path_unmap(p, path);
		path_move(p, path, LIST_LATE);
	} else {
		path_finish(p, path);
	}
}

/* It goes on, so it was not merged, or it is what the others were merged into. */
static void leave_reassembly(struct paths *p, struct path *path)
{
	if (path->layer == LAYER_DEFRAG && p->exact)
		lineage_reassembled(p, path);
	if (path->layer == LAYER_DEFRAG)
		path->layer = LAYER_NONE;
	if (path->merging)
		lineage_not_merged(p, path);
	path->merging = false;
}

/* A hop of a packet on its way: of the known one, or the first of a new one. */
static void take_station(struct paths *p, const struct event *ev)
{
	struct path *path = addrmap_find(&p->ids, ev->skb);

	if (path && !continues(p, path, ev)) {
		forget(p, path);
		path = NULL;
	} else if (path && (is_told_apart(p, path, ev) || is_unborn(p, path, ev))) {
		p->stats.told_apart++;
		forget(p, path);
		path = NULL;
	}
	if (!path)
		path = new_path(p, ev);
	if (!path)
		return;
	p->stats.events++;
	leave_reassembly(p, path);
	add_hop(p, path, ev);
	move_on(p, path, ev);
	path_move(p, path, LIST_MOVING);
}

/* A driver returned. */
static void take_xmit(struct paths *p, const struct event *ev)
{
	struct path *path;

	if (!xmit_pop(&p->xmits, ev->cpu, ev->skb, ev->dev, &path)) {
		/* The call was not recorded: it can only be the packet waiting on that device. */
		path = addrmap_find(&p->ids, ev->skb);
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
		path_finish(p, path);
	else
		path_move(p, path, (enum list)path->list);
}

static void take_copy(struct paths *p, const struct event *ev)
{
	struct path *path = addrmap_find(&p->ids, ev->skb);

	if (!path) {
		p->stats.unseen_frees++;
		if (p->exact) {
			lineage_read(p, ev);
			return;
		}
		path = raw_copy_read(&p->copies, &p->list[LIST_RAW], ev);
		if (path)
			path_finish(p, path);
		return;
	}
	p->stats.events++;
	add_hop(p, path, ev);
	path->end_hop = (s32)path->nr_hops - 1;
	path->stage = STAGE_COPIED;
	path->last_kind = ev->kind;
	path_move(p, path, LIST_COPIED);
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

/* The header that is nearest to a transport's business; NULL when the transport's own was not seen. */
static const struct packet_net *l4_seen(const struct path *path)
{
	const struct packet_net *net = path->views ? packet_inner(&path->views->packet) : NULL;

	return net && net->l4 == PART_OK ? net : NULL;
}

/*
 * ICMP freed a packet in a way that it has for used and unused ones alike. What became of it shows in
 * what the kernel or a process did: an answer, or the reading of a raw socket's copy, perhaps later.
 */
/*
 * ICMPv6 that the kernel itself is for: errors, neighbour discovery, multicast listeners. Before 6.2 or so
 * icmpv6_rcv() frees what its handlers have used as if it were dropped; what is wrong with a packet has
 * other reasons or places.
 */
static bool is_icmpv6_used(const struct path *path)
{
	const struct packet_net *net = l4_seen(path);

	return net && net->proto == IPPROTO_ICMPV6 &&
	       (net->icmp_type < ICMP6_TYPE_ECHO ||
		(net->icmp_type >= ICMP6_TYPE_LISTENER && net->icmp_type <= ICMP6_TYPE_REDIRECT) ||
		net->icmp_type == ICMP6_TYPE_LISTENER_V2);
}

static bool judge_icmp(struct paths *p, struct path *path, const struct event *ev)
{
	if (path->raw_copy || path->handled || path->answered) {
		path->state = PATH_DELIVERED;
		return true;
	}
	if (was_answered(p, path, ev)) {
		path->state = PATH_DELIVERED;
		path->acted_on = true;
		return true;
	}
	if (!p->exact && raw_copy_was_read(&p->copies, path))
		return true;
	if (is_icmpv6_used(path)) {
		path->state = PATH_DELIVERED;
		return true;
	}
	/*
	 * Every clone for a socket is known: where there was none, nobody wanted it. But not when ICMP's
	 * own function was not seen either: then the kernel missed probes, and clones may be among them.
	 */
	if (p->exact && path->at_l4 && !path->copies_open && l4_seen(path))
		return true;
	path->state = PATH_UNKNOWN;
	path->complete = PATH_UNKNOWN_END;
	return false;
}

/* A segment that carries nothing but its header is good for no more than TCP has taken from it. */
static bool is_pure_ack(const struct packet_net *net)
{
	return !(net->tcp_flags & (TCP_SYN | TCP_RST)) && net->tcp_flags & TCP_ACK &&
	       net->total_bytes == (u32)net->header_bytes + net->l4_bytes;
}

/* TCP's state machine had no more use for it: was it a loss? */
static void judge_tcp(struct path *path)
{
	const struct packet_net *net = l4_seen(path);

	if (net && net->proto == IPPROTO_TCP && net->total_bytes) {
		path->state = is_pure_ack(net) ? PATH_DELIVERED : PATH_DROPPED;
		return;
	}
	path->state = PATH_UNKNOWN;
	path->complete = PATH_UNKNOWN_END;
}

/* A packet of a device has a protocol to its end; an skb without one is of AF_UNIX or the like. */
static bool is_no_packet(const struct path *path, const struct event *ev)
{
	return path->proto && ev->has & EVENT_HAS_PROTO && !ev->proto;
}

/* Whether a drop is one, as far as it can be told now; false: not yet. */
static bool judge(struct paths *p, struct path *path, const struct event *ev)
{
	enum free_site site = p->options.free_site ? p->options.free_site(p->options.ctx, ev) :
						     FREE_SITE_PLAIN;

	/*
	 * GRO may have hung it into another packet before the stack had it. What a queueing discipline drops
	 * is freed as a list, too.
	 */
	if (path->stage != STAGE_STACK && (path->stage != STAGE_DRIVER || site != FREE_SITE_PART))
		return true;
	path->free_site = (u8)site;
	switch (site) {
	case FREE_SITE_ICMP:
		return judge_icmp(p, path, ev);
	case FREE_SITE_TCP:
		judge_tcp(path);
		return true;
	case FREE_SITE_PART:
		path->state = PATH_MERGED;
		return true;
	default:
		return true;
	}
}

static void set_drop(struct hop *hop)
{
	struct hop_filter *filter = (struct hop_filter *)hop_filter_of(hop);

	if (!filter || filter->has_verdict)
		return;
	filter->verdict = NF_DROP;
	filter->has_verdict = true;
}

/* The kernel frees a packet inside of nf_hook_slow() for one verdict only. */
static void end_in_filter(struct path *path, s32 hop)
{
	/* With more hops than are kept it may be overwritten. */
	if (hop < 0 || !hop_filter_of(&path->hops[hop]))
		return;
	path->end_filter = hop;
	set_drop(&path->hops[hop]);
	/* Newer kernels free it while the rules that said so are still being gone through. */
	if (path->nr_hops >= 2 && path->hops[path->nr_hops - 2].kind == EVENT_TABLE)
		set_drop(&path->hops[path->nr_hops - 2]);
}

/* The hook that dropped it, where returns are not recorded: what freed it tells, and nothing came after. */
static s32 filter_by_site(const struct paths *p, const struct path *path, const struct event *ev)
{
	u32 i;

	if (!p->options.free_site || p->options.free_site(p->options.ctx, ev) != FREE_SITE_FILTER)
		return -1;
	for (i = path->nr_hops; i-- > 0;) {
		if (path->hops[i].kind == EVENT_HOOK)
			return (s32)i;
		if (path->hops[i].kind != EVENT_TABLE && path->hops[i].kind != EVENT_DROP)
			return -1;
	}
	return -1;
}

/* A driver may have to return; what it became part of, or its parts, may be seen only later. */
static void end_or_wait(struct paths *p, struct path *path)
{
	if (path->state == PATH_SPLIT)
		path_move(p, path, LIST_SPLIT);
	else if (path->state == PATH_MERGED)
		path_move(p, path, LIST_PARTS);
	else if (path->open_xmits)
		path_move(p, path, LIST_LATE);
	else
		path_finish(p, path);
}

static void take_free(struct paths *p, const struct event *ev)
{
	struct path *path = addrmap_find(&p->ids, ev->skb);

	if (path && is_no_packet(path, ev)) {
		forget(p, path);
		path = NULL;
	}
	if (!path) {
		p->stats.unseen_frees++;
		return;
	}
	p->stats.events++;
	if (p->exact && ev->kind == EVENT_CONSUME && lineage_inherit(p, path))
		return;
	add_hop(p, path, ev);
	end_seen(path, ev);
	path_unmap(p, path);
	if (p->exact && path->state == PATH_DROPPED)
		end_in_filter(path, p->options.filtered ? filter_by_site(p, path, ev) :
							  lineage_filter(p, path, ev));
	if (path->state == PATH_DROPPED && !judge(p, path, ev)) {
		path_move(p, path, path->copies_open ? LIST_SOCKET : LIST_RAW);
		return;
	}
	end_or_wait(p, path);
}

/* The skb's last user let it go; most of the time another event has told why before. */
static void take_death(struct paths *p, const struct event *ev)
{
	struct path *path = addrmap_find(&p->ids, ev->skb);

	if (path && path->morphing) {
		path->morphing = false;
		return;
	}
	if (path && lineage_inherit(p, path))
		path = NULL;
	if (path) {
		p->stats.events++;
		path->last_ns = ev->ts_ns;
		end_silent(p, path);
		path_unmap(p, path);
		end_or_wait(p, path);
	}
	lineage_gone(p, ev->skb);
}

void path_reborn(struct paths *p, u64 skb)
{
	struct path *path = addrmap_find(&p->ids, skb);

	if (path)
		forget(p, path);
}

/* Conntrack shows every IPv6 packet to reassembly, which takes fragments only. */
static bool may_be_fragment(const struct path *path)
{
	const struct packet_net *net = path->views ? &path->views->packet.net[0] : NULL;

	if (!net || !path->views->packet.nr_nets || net->part != PART_OK)
		return true;
	return net->version == 6 ? net->has_id : net->more_fragments || net->frag_offset;
}

/* Where the packet is after a function of the stack, or netfilter, got it. */
static void move_in_stack(struct paths *p, struct path *path, const struct event *ev)
{
	bool outwards = ev->layer == LAYER_IP_OUT || ev->layer == LAYER_TUNNEL_OUT;

	if (ev->kind == EVENT_HOOK && ev->facts && ev->has & EVENT_HAS_FACTS)
		outwards = ev->facts->hook == NF_INET_LOCAL_OUT ||
			   ev->facts->hook == NF_INET_POST_ROUTING;
	if (ev->kind == EVENT_HOOK && ev->has & EVENT_HAS_FACTS && ev->facts->pf != NFPROTO_BRIDGE)
		path->local |= ev->facts->hook == NF_INET_LOCAL_IN;
	if (path->stage == STAGE_NONE)
		path->stage = outwards ? STAGE_OUT : STAGE_STACK;
	if (ev->kind != EVENT_HOOK && ev->kind != EVENT_TABLE) {
		path->layer = ev->layer;
		path->at_l4 |= ev->layer == LAYER_L4_IN;
		path->local |= ev->layer == LAYER_L4_IN || ev->layer == LAYER_LOCAL_IN;
		if (ev->layer == LAYER_DEFRAG && may_be_fragment(path))
			lineage_await_fragments(p, path);
		else if (ev->layer == LAYER_DEFRAG)
			path->layer = LAYER_OTHER;
	} else if (path->layer != LAYER_DEFRAG) {
		path->layer = ev->layer;
	}
	path->last_kind = ev->kind;
}

/* A function of the stack or netfilter has the packet. */
static void take_layer(struct paths *p, const struct event *ev)
{
	struct path *path = addrmap_find(&p->ids, ev->skb);

	if (path && p->exact && path->losses != p->losses && path->stage == STAGE_COPIED) {
		forget(p, path);
		path = NULL;
	}
	if (path && p->options.filtered && identity_other_packet(path, ev)) {
		forget(p, path);
		path = NULL;
	}
	/* Rules look at packets only that a hook has shown; a socket's clone is no packet. */
	if (!path && ev->kind != EVENT_TABLE && !lineage_is_for_socket(p, ev))
		path = new_path(p, ev);
	if (!path)
		return;
	p->stats.events++;
	if (ev->layer != LAYER_DEFRAG && ev->kind == EVENT_LAYER)
		leave_reassembly(p, path);
	add_hop(p, path, ev);
	move_in_stack(p, path, ev);
	path_move(p, path, LIST_MOVING);
	if (p->options.filtered)
		return; /* no return will come */
	if (ev->kind == EVENT_HOOK || (ev->kind == EVENT_TABLE && !(ev->has & EVENT_HAS_RET)))
		lineage_event(p, ev);
}

static void take_headers(struct paths *p, const struct event *ev)
{
	struct pending_headers *pending;

	if (!p->options.carriers) {
		take_layer(p, ev);
		return;
	}
	if (!p->pending || !(ev->has & EVENT_HAS_FACTS))
		return;
	pending = &p->pending[ev->cpu % PENDING_CPUS];
	pending->skb = ev->skb;
	pending->ts_ns = ev->ts_ns;
	pending->facts = *ev->facts;
}

static void take_note(struct paths *p, const struct event *ev)
{
	struct path *path = addrmap_find(&p->ids, ev->skb);

	if (!path) {
		p->stats.strays++;
		return;
	}
	p->stats.events++;
	add_hop(p, path, ev);
	path_move(p, path, (enum list)path->list);
}

static void take_stack(struct paths *p, const struct event *ev)
{
	struct path *path = addrmap_find(&p->ids, ev->skb);

	if (path)
		add_chain(path, ev);
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
	case EVENT_LAYER:
	case EVENT_HOOK:
	case EVENT_TABLE:
		take_layer(p, ev);
		break;
	case EVENT_HEADERS:
		take_headers(p, ev);
		break;
	case EVENT_DEATH:
		take_death(p, ev);
		break;
	case EVENT_STACK:
		take_stack(p, ev);
		break;
	case EVENT_BIRTH:
	case EVENT_CLONE:
	case EVENT_MERGE:
	case EVENT_MORPH:
	case EVENT_CALL:
	case EVENT_RETURN:
		lineage_event(p, ev);
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
	calls_forget(&p->calls);
	p->losses++;
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
			if (i == LIST_COPIED || path->merging) {
				end_unseen(path);
			} else if (i == LIST_MOVING) {
				path->state = PATH_OPEN;
				path->complete = PATH_STILL_OPEN;
			}
			path_finish(p, path);
		}
	}
}

u64 paths_number(const struct paths *p, u64 skb)
{
	const struct path *path = skb ? addrmap_find(&p->ids, skb) : NULL;

	return path ? path->number : 0;
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
	p->exact = options->exact;
	memcpy(p->wait_ns, list_wait_ns, sizeof(p->wait_ns));
	if (p->exact)
		p->wait_ns[LIST_MOVING] = PATHS_EXACT_IDLE_NS;
	if (options->headers)
		p->pending = calloc(PENDING_CPUS, sizeof(*p->pending));
	for (i = 0; i < LISTS; i++)
		p->list[i].prev = p->list[i].next = &p->list[i];
	if (!p->loss || addrmap_init(&p->ids) || calls_init(&p->calls) ||
	    lineage_init(&p->lineage) || (options->headers && !p->pending)) {
		paths_free(p);
		return error_errno(err, ENOMEM, "cannot follow packets");
	}
	*out = p;
	return 0;
}

void paths_free(struct paths *p)
{
	if (!p)
		return;
	addrmap_free(&p->ids);
	calls_free(&p->calls);
	lineage_free(&p->lineage);
	free(p->pending);
	xmit_stacks_free(&p->xmits);
	pool_free(&p->pool);
	free(p->loss);
	free(p);
}
