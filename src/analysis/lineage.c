// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Births, deaths, and the calls that make skbs; see lineage.h.
 */
#include "analysis/lineage.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/changes.h"
#include "analysis/paths_internal.h"

#define SLAB_ORIGINS 1024
#define ARP_OP_REPLY 2
/* netinet/ip_icmp.h has names for them, and takes ours. */
#define ICMP_TYPE_ECHO_REPLY 0
#define ICMP_TYPE_ECHO 8
#define ICMP6_TYPE_ECHO 128 /* errors are below */
#define ICMP6_TYPE_ECHO_REPLY 129
#define ICMP6_TYPE_NEIGHBOUR 136 /* advertisement */

/* ---- origins */

int lineage_init(struct lineage *l)
{
	memset(l, 0, sizeof(*l));
	l->signature = calloc(LINEAGE_SIGNATURES, sizeof(*l->signature));
	return l->signature ? addrmap_init(&l->map) : -ENOMEM;
}

void lineage_free(struct lineage *l)
{
	void **slab = l->slabs, **next;

	for (; slab; slab = next) {
		next = *slab;
		free(slab);
	}
	addrmap_free(&l->map);
	free(l->signature);
}

static struct origin *new_origin(struct lineage *l)
{
	struct origin *origin = l->free;
	void **slab;
	u32 i;

	if (!origin) {
		slab = malloc(2 * sizeof(void *) + SLAB_ORIGINS * sizeof(*origin));
		if (!slab)
			return NULL;
		*slab = l->slabs;
		l->slabs = slab;
		origin = (struct origin *)(slab + 2);
		for (i = 0; i < SLAB_ORIGINS; i++) {
			origin[i].next = l->free;
			l->free = &origin[i];
		}
		origin = l->free;
	}
	l->free = origin->next;
	memset(origin, 0, sizeof(*origin));
	return origin;
}

static void put_origin(struct lineage *l, struct origin *origin)
{
	origin->next = l->free;
	l->free = origin;
}

/* Deaths that were not seen leave origins behind. */
static void forget_all(struct lineage *l)
{
	u32 i;

	for (i = 0; i <= l->map.mask; i++) {
		if (!l->map.slot[i].skb)
			continue;
		put_origin(l, l->map.slot[i].value);
		l->map.slot[i].skb = 0;
		l->forgotten++;
	}
	l->map.nr = 0;
}

static struct path *parent_path(const struct origin *origin)
{
	return origin->parent && origin->parent->generation == origin->parent_generation ?
		       origin->parent :
		       NULL;
}

/* The clone that a packet waited for is gone. */
static void stop_waiting(struct paths *p, struct origin *origin)
{
	struct path *parent = origin->waited_for ? parent_path(origin) : NULL;

	origin->waited_for = false;
	if (!parent || !parent->copies_open)
		return;
	parent->copies_open--;
	if (!parent->copies_open && parent->list == LIST_SOCKET)
		path_finish(p, parent);
}

void lineage_gone(struct paths *p, u64 skb)
{
	struct origin *origin = addrmap_find(&p->lineage.map, skb);

	if (!origin)
		return;
	addrmap_remove(&p->lineage.map, skb);
	stop_waiting(p, origin);
	put_origin(&p->lineage, origin);
}

static struct origin *add_origin(struct paths *p, u64 skb, const struct event *ev)
{
	struct lineage *l = &p->lineage;
	struct origin *origin;

	if (l->map.nr >= LINEAGE_MAX)
		forget_all(l);
	origin = new_origin(l);
	if (!origin)
		return NULL;
	if (addrmap_set(&l->map, skb, origin)) {
		put_origin(l, origin);
		return NULL;
	}
	origin->birth_ns = ev->ts_ns;
	if (!(ev->context & (EVENT_IN_SOFTIRQ | EVENT_IN_HARDIRQ)))
		origin->pid = ev->pid;
	return origin;
}

/* An skb is new at this address: whatever was there before is gone. */
static struct origin *born(struct paths *p, u64 skb, const struct event *ev)
{
	path_reborn(p, skb);
	lineage_gone(p, skb);
	return add_origin(p, skb, ev);
}

/* ---- links */

static void add_link(struct paths *p, struct path *path, u8 kind, bool child, u64 packet, u64 skb)
{
	struct path_link *link = pool_link(&p->pool, path);

	if (link)
		*link = (struct path_link){ packet, skb, kind, child };
}

static enum link_kind link_of(u16 layer)
{
	switch (layer) {
	case LAYER_CLONE:
		return LINK_CLONE;
	case LAYER_COPY:
		return LINK_COPY;
	case LAYER_SEGMENT:
		return LINK_SEGMENT;
	case LAYER_FRAGMENT:
		return LINK_FRAGMENT;
	case LAYER_ERROR:
		return LINK_ERROR;
	case LAYER_RESET:
		return LINK_RESET;
	case LAYER_ANSWER:
	case LAYER_NDISC:
		return LINK_ANSWER;
	default:
		return LINK_NONE;
	}
}

/* A call within which skbs are born that are made out of its own. */
static bool makes_skbs(u16 layer)
{
	return layer >= LAYER_COPY && layer <= LAYER_NDISC;
}

static bool is_hook(u16 layer)
{
	return layer == LAYER_HOOK;
}

static void set_parent(struct origin *origin, enum link_kind kind, u64 skb, struct path *path)
{
	origin->link = (u8)kind;
	origin->parent_skb = skb;
	if (!path)
		return;
	origin->parent = path;
	origin->parent_generation = path->generation;
	origin->parent_number = path->number;
	origin->parent_layer = path->layer;
}

/* What was made of an skb that is no packet itself was made of what that one was made of. */
static void take_grandparent(struct origin *origin, const struct origin *parent)
{
	if (!parent || !parent->link || !parent->parent_number)
		return;
	origin->parent = parent->parent;
	origin->parent_generation = parent->parent_generation;
	origin->parent_number = parent->parent_number;
	origin->parent_layer = parent->parent_layer;
}

static void take_birth(struct paths *p, const struct event *ev)
{
	const struct call *call = calls_inside(&p->calls, ev, makes_skbs);
	struct origin *origin, *known = addrmap_find(&p->lineage.map, ev->skb);
	struct path *path;

	/* build_skb() and what it calls tell of the same birth. */
	if (known && !addrmap_find(&p->ids, ev->skb) &&
	    known->birth_ns + NSEC_PER_MSEC > ev->ts_ns && !known->link)
		return;
	origin = born(p, ev->skb, ev);
	if (!origin || !call || call->skb == ev->skb)
		return;
	path = call->path && call->path->generation == call->generation ? call->path : NULL;
	/* What it was called for has ended, so it returned; kretprobes may miss that. */
	if (call->path && !path)
		return;
	set_parent(origin, link_of(call->layer), call->skb, path);
	if (path)
		path->split |= origin->link == LINK_SEGMENT || origin->link == LINK_FRAGMENT;
	else
		take_grandparent(origin, addrmap_find(&p->lineage.map, call->skb));
}

static void take_clone(struct paths *p, u64 skb, u64 clone, const struct event *ev)
{
	struct path *path = addrmap_find(&p->ids, skb);
	struct origin *origin, *parent;

	if (!clone || clone == skb)
		return;
	origin = born(p, clone, ev);
	if (!origin)
		return;
	set_parent(origin, ev->layer == LAYER_COPY ? LINK_COPY : LINK_CLONE, skb, path);
	parent = addrmap_find(&p->lineage.map, skb);
	/* What TCP keeps was made by the task that wrote to the socket. */
	if (!origin->pid && parent)
		origin->pid = parent->pid;
	/* A clone of a clone that is no packet itself belongs to the same packet. */
	if (!path)
		take_grandparent(origin, parent);
	if (path && path->local) {
		origin->waited_for = true;
		path->copies_open++;
	} else if (path && (path->stage != STAGE_STACK || path->layer != LAYER_NONE)) {
		/* Right after a device it is a packet socket's: tcpdump's, not a copy with more room. */
		path->heir = clone;
		path->heir_hops = path->nr_hops;
	}
}

/*
 * Without births: a packet seen for the first time while another is in such a call was made there. Segments
 * are sent after the call.
 */
static struct origin *origin_from_call(struct paths *p, const struct event *ev)
{
	const struct call *call;
	struct origin *origin;

	calls_drop_ended(&p->calls, ev);
	call = calls_inside(&p->calls, ev, makes_skbs);
	if (!call || !call->path || call->skb == ev->skb || call->layer <= LAYER_SEGMENT ||
	    call->path->generation != call->generation || !call->path->mapped)
		return NULL;
	origin = add_origin(p, ev->skb, ev);
	if (!origin)
		return NULL;
	set_parent(origin, link_of(call->layer), call->skb, call->path);
	call->path->split |= origin->link == LINK_FRAGMENT;
	return origin;
}

static void take_call(struct paths *p, const struct event *ev)
{
	struct path *path = addrmap_find(&p->ids, ev->skb);
	struct call call = { .skb = ev->skb, .layer = ev->layer, .type = ev->type };

	if (path) {
		call.path = path;
		call.generation = path->generation;
		call.number = path->number;
		/* A hop beyond the cap is none: what was kept last is another call. */
		call.hop = path->cut_hops ? UINT32_MAX : path->nr_hops - 1;
		path->handled |= ev->layer == LAYER_NDISC;
	}
	if (p->options.filtered)
		calls_drop_ended(&p->calls, ev);
	calls_push(&p->calls, ev, &call);
}

s32 table_verdict(s32 ret)
{
	s32 verdict = ret & 0xff;

	/* 7.2: a drop with an errno is told as stolen, since the reason was given to kfree_skb() */
	return verdict == 2 && ret >> 16 ? 0 : verdict;
}

/* nf_hook_slow(): 1 accepted, 0 stolen or queued, negative: dropped. A table: the verdict itself. */
static s32 verdict_of(const struct event *ev)
{
	if (ev->layer == LAYER_TABLE)
		return table_verdict(ev->ret);
	return ev->ret == 1 ? 1 : ev->ret < 0 ? 0 : 2;
}

static void note_segmented(struct paths *p, struct path *path, const struct event *ev)
{
	p->lineage.segmented[p->lineage.nr_segmented++ % LINEAGE_SEGMENTED] =
		(struct segmented){ path, ev->ts_ns, path->generation, ev->cpu };
	path->split = true;
}

static void take_return(struct paths *p, const struct event *ev)
{
	struct hop_filter *filter;
	struct path *path;
	struct call call;

	if (!calls_pop(&p->calls, ev, &call))
		return;
	if (call.layer == LAYER_CLONE) {
		take_clone(p, call.skb, ev->other, ev);
		return;
	}
	path = call.path && call.path->generation == call.generation ? call.path : NULL;
	if (path && p->options.filtered && call.layer == LAYER_SEGMENT && ev->other)
		note_segmented(p, path, ev);
	if (!path || call.hop >= path->nr_hops || !(ev->has & EVENT_HAS_RET))
		return;
	filter = (struct hop_filter *)hop_filter_of(&path->hops[call.hop]);
	if (!filter)
		return;
	filter->verdict = verdict_of(ev);
	filter->has_verdict = true;
}

/* GRO makes one packet of several. It may still refuse: then the packet goes on. */
static void take_merge(struct paths *p, const struct event *ev)
{
	struct path *path = addrmap_find(&p->ids, ev->skb);
	struct path *into = addrmap_find(&p->ids, ev->other);

	if (!path || path == into)
		return;
	path->merging = true;
	add_link(p, path, LINK_MERGE, true, into ? into->number : 0, ev->other);
	if (into)
		add_link(p, into, LINK_MERGE, false, path->number, path->skb);
	path_move(p, path, LIST_PARTS);
}

/* The link that was added last; one that was only counted is counted no more. */
static void take_back_link(struct path *path, u64 skb)
{
	struct path_link *link;

	if (path->nr_links && path->nr_links <= PATH_LINKS) {
		link = &path->link[path->nr_links - 1];
		if (link->kind != LINK_MERGE || link->skb != skb)
			return;
	}
	if (path->nr_links)
		path->nr_links--;
}

void lineage_not_merged(struct paths *p, struct path *path)
{
	struct path *into;
	u64 skb, number;

	if (!path->nr_links || path->nr_links > PATH_LINKS) {
		take_back_link(path, 0);
		return;
	}
	skb = path->link[path->nr_links - 1].skb;
	number = path->link[path->nr_links - 1].packet;
	into = addrmap_find(&p->ids, skb);
	take_back_link(path, skb);
	if (into && into->number == number)
		take_back_link(into, path->skb);
}

static void take_morph(struct paths *p, const struct event *ev)
{
	struct path *path = addrmap_find(&p->ids, ev->skb);

	if (path)
		path->morphing = true;
}

void lineage_event(struct paths *p, const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_BIRTH:
		take_birth(p, ev);
		break;
	case EVENT_CLONE:
		take_clone(p, ev->skb, ev->other, ev);
		break;
	case EVENT_RETURN:
		take_return(p, ev);
		break;
	case EVENT_MERGE:
		take_merge(p, ev);
		break;
	case EVENT_MORPH:
		take_morph(p, ev);
		break;
	default:
		take_call(p, ev);
		break;
	}
}

/* Within such a call other skbs are made, too: the headers tell which. */
static bool needs_headers(u8 link)
{
	return link == LINK_FRAGMENT || (link >= LINK_ERROR && link <= LINK_ANSWER);
}

static void link_to_parent(struct paths *p, struct path *path, const struct origin *origin)
{
	struct path *parent = parent_path(origin);

	add_link(p, path, origin->link, true, origin->parent_number, origin->parent_skb);
	if (!parent || parent == path)
		return;
	add_link(p, parent, origin->link, false, path->number, path->skb);
	parent->answered |= origin->link == LINK_ANSWER;
}

void lineage_adopt(struct paths *p, struct path *path, const struct event *ev)
{
	struct origin *origin = addrmap_find(&p->lineage.map, ev->skb), *kept;

	if (!origin && p->options.filtered)
		origin = origin_from_call(p, ev);
	if (!origin)
		return;
	path->birth_ns = origin->birth_ns;
	path->birth_pid = origin->pid;
	stop_waiting(p, origin);
	if (!origin->link || needs_headers(origin->link))
		return;
	if (origin->parent_number) {
		link_to_parent(p, path, origin);
		return;
	}
	/* TCP keeps what it sends and sends clones: another one is a retransmission. */
	kept = origin->link == LINK_CLONE ? addrmap_find(&p->lineage.map, origin->parent_skb) :
					    NULL;
	if (!kept)
		return;
	if (kept->last_child)
		add_link(p, path, LINK_RETRANSMIT, true, kept->last_child, kept->last_child_skb);
	kept->last_child = path->number;
	kept->last_child_skb = path->skb;
}

/* What a call makes is not only the answer: it may ask for a neighbour's address first. */
static bool plausible(u8 kind, const struct packet *packet)
{
	const struct packet_net *net = packet_inner(packet), *outer = &packet->net[0];

	if (kind == LINK_FRAGMENT)
		return packet->nr_nets && outer->part == PART_OK &&
		       (outer->more_fragments || outer->frag_offset);
	if (kind == LINK_ANSWER && packet->arp == PART_OK)
		return packet->arp_op == ARP_OP_REPLY;
	if (!net || net->l4 != PART_OK)
		return false;
	switch (kind) {
	case LINK_ANSWER:
		return (net->proto == IPPROTO_ICMP && net->icmp_type == ICMP_TYPE_ECHO_REPLY) ||
		       (net->proto == IPPROTO_ICMPV6 && (net->icmp_type == ICMP6_TYPE_ECHO_REPLY ||
							 net->icmp_type == ICMP6_TYPE_NEIGHBOUR));
	case LINK_ERROR:
		return (net->proto == IPPROTO_ICMP && net->icmp_type != ICMP_TYPE_ECHO_REPLY &&
			net->icmp_type != ICMP_TYPE_ECHO) ||
		       (net->proto == IPPROTO_ICMPV6 && net->icmp_type < ICMP6_TYPE_ECHO);
	case LINK_RESET:
		return net->proto == IPPROTO_TCP && net->tcp_flags & TCP_RST;
	default:
		return net->proto == IPPROTO_TCP;
	}
}

/* Whether one's bytes are among the other's: of TCP by sequence numbers, of UDP by the numbers that GSO gives. */
static bool is_segment_of(const struct path *path, const struct path *whole)
{
	const struct packet_net *a, *b;

	a = path->views ? packet_inner(&path->views->packet) : NULL;
	b = whole->views ? packet_inner(&whole->views->packet) : NULL;
	if (!a || !b || a->version != b->version || a->proto != b->proto || a->l4 != PART_OK ||
	    b->l4 != PART_OK || a->sport != b->sport || a->dport != b->dport ||
	    memcmp(a->src, b->src, sizeof(a->src)) || memcmp(a->dst, b->dst, sizeof(a->dst)))
		return false;
	if (a->proto == IPPROTO_TCP)
		return b->total_bytes > (u32)b->header_bytes + b->l4_bytes &&
		       a->tcp_seq - b->tcp_seq < b->total_bytes - b->header_bytes - b->l4_bytes;
	return a->proto == IPPROTO_UDP && a->has_id && b->has_id && (u16)(a->id - b->id) < 64;
}

/* Segments are sent right after they were cut, by the CPU that did it. */
static void link_segment(struct paths *p, struct path *path)
{
	const struct segmented *s;
	u32 i;

	for (i = 0; i < LINEAGE_SEGMENTED; i++) {
		s = &p->lineage.segmented[i];
		if (!s->path || s->path == path || s->path->generation != s->generation ||
		    s->cpu != path->hops[0].cpu ||
		    s->ts_ns + LINEAGE_SEGMENTED_NS < path->first_ns ||
		    !is_segment_of(path, s->path))
			continue;
		add_link(p, path, LINK_SEGMENT, true, s->path->number, s->path->skb);
		add_link(p, s->path, LINK_SEGMENT, false, path->number, path->skb);
		return;
	}
}

void lineage_check(struct paths *p, struct path *path)
{
	const struct origin *origin = addrmap_find(&p->lineage.map, path->skb);

	if (p->options.filtered && !path->nr_links && path->nr_hops)
		link_segment(p, path);
	if (origin && origin->parent_number && needs_headers(origin->link)) {
		if (plausible(origin->link, &path->views->packet))
			link_to_parent(p, path, origin);
	} else if (path->nr_links == 1 && path->link[0].kind == LINK_RETRANSMIT &&
		   !plausible(LINK_RETRANSMIT, &path->views->packet)) {
		/* Others, too, send clones of what they keep. */
		path->nr_links = 0;
	}
}

/* ---- the same headers in another skb */

/* A header that no other packet has within a second; 0 when there may be others. */
static u64 signature_of(const struct packet *packet)
{
	const struct packet_net *net = packet_inner(packet);
	u64 hash = 0xcbf29ce484222325ULL;
	u32 words[14] = { 0 };
	size_t i;

	if (!net || net->l4 != PART_OK)
		return 0;
	if (net->proto == IPPROTO_TCP)
		words[8] = net->tcp_seq, words[9] = net->tcp_ack, words[10] = net->tcp_flags;
	else if ((net->proto == IPPROTO_ICMP || net->proto == IPPROTO_ICMPV6) && net->icmp_has_id)
		words[8] = (u32)net->icmp_id << 16 | net->icmp_seq, words[9] = net->icmp_type;
	else if (!net->has_id || !net->id)
		return 0;
	memcpy(words, net->src, 16);
	memcpy(words + 4, net->dst, 16);
	words[11] = (u32)net->sport << 16 | net->dport;
	words[12] = net->has_id ? net->id : 0;
	words[13] = (u32)net->proto << 24 | net->total_bytes;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		hash = (hash ^ words[i]) * 0x100000001b3ULL;
	return hash ? hash : 1;
}

void lineage_sign(struct paths *p, struct path *path, u64 ts_ns)
{
	u64 hash = signature_of(&path->views->packet);
	struct signature *known;

	if (!hash || !p->lineage.signature)
		return;
	known = &p->lineage.signature[(hash >> 32) % LINEAGE_SIGNATURES];
	if (known->hash == hash && known->ts_ns + NSEC_PER_SEC > ts_ns && !path->nr_links &&
	    known->number != path->number)
		add_link(p, path, LINK_SIGNATURE, true, known->number, known->skb);
	*known = (struct signature){ hash, ts_ns, path->number, path->skb };
}

/* ---- IP reassembly */

static bool same_datagram(const struct path *a, const struct path *b)
{
	const struct packet_net *x, *y;

	x = a->views ? packet_inner(&a->views->packet) : NULL;
	y = b->views ? packet_inner(&b->views->packet) : NULL;
	return x && y && x->has_id && y->has_id && x->id == y->id && x->version == y->version &&
	       !memcmp(x->src, y->src, sizeof(x->src)) && !memcmp(x->dst, y->dst, sizeof(x->dst));
}

void lineage_await_fragments(struct paths *p, struct path *path)
{
	p->lineage.fragment[p->lineage.nr_fragments++ % LINEAGE_FRAGMENTS] =
		(struct waiting_fragment){ path, path->generation };
}

void lineage_reassembled(struct paths *p, struct path *path)
{
	struct waiting_fragment *waiting;
	u32 i;

	for (i = 0; i < LINEAGE_FRAGMENTS; i++) {
		waiting = &p->lineage.fragment[i];
		if (!waiting->path)
			continue;
		if (waiting->path->generation != waiting->generation || waiting->path == path) {
			waiting->path = NULL;
		} else if (same_datagram(path, waiting->path)) {
			add_link(p, waiting->path, LINK_MERGE, true, path->number, path->skb);
			add_link(p, path, LINK_MERGE, false, waiting->path->number,
				 waiting->path->skb);
			waiting->path->merging = true;
			if (waiting->path->list == LIST_PARTS)
				path_finish(p, waiting->path);
			waiting->path = NULL;
		}
	}
}

void lineage_read(struct paths *p, const struct event *ev)
{
	struct origin *origin = addrmap_find(&p->lineage.map, ev->skb);
	struct path *parent = origin && origin->link == LINK_CLONE ? parent_path(origin) : NULL;

	/* A clone for a packet socket, as that of tcpdump, is made before the packet is delivered. */
	if (!parent || !origin->waited_for)
		return;
	parent->raw_copy = parent->raw_exact = true;
	parent->raw_ts_ns = ev->ts_ns;
	parent->raw_skb = ev->skb;
	parent->raw_pid = ev->pid;
	if (parent->list == LIST_SOCKET) {
		origin->waited_for = false;
		parent->copies_open--;
		parent->state = PATH_DELIVERED;
		parent->complete = PATH_COMPLETE;
		path_finish(p, parent);
	}
}

bool lineage_inherit(struct paths *p, struct path *path)
{
	struct origin *heir = path->heir ? addrmap_find(&p->lineage.map, path->heir) : NULL;

	if (!heir || path->heir_hops != path->nr_hops || heir->link != LINK_CLONE ||
	    heir->parent_skb != path->skb || parent_path(heir) != path ||
	    addrmap_find(&p->ids, path->heir) || path->split || path->merging)
		return false;
	path_unmap(p, path);
	path->skb = path->heir;
	path->heir = 0;
	heir->link = LINK_NONE;
	heir->parent = NULL;
	if (addrmap_set(&p->ids, path->skb, path))
		return false;
	path->mapped = true;
	return true;
}

bool lineage_is_for_socket(const struct paths *p, const struct event *ev)
{
	const struct origin *origin;

	if (!p->exact || (ev->layer != LAYER_L4_IN && ev->layer != LAYER_OTHER))
		return false;
	origin = addrmap_find(&p->lineage.map, ev->skb);
	return origin && origin->waited_for;
}

s32 lineage_filter(const struct paths *p, const struct path *path, const struct event *ev)
{
	const struct call *call = calls_inside(&p->calls, ev, is_hook);
	u32 i;

	if (!call || call->path != path || call->generation != path->generation)
		return -1;
	/* A hook may hand the packet on itself, as br_netfilter does: then it was dropped elsewhere. */
	for (i = call->hop + 1; i < path->nr_hops; i++)
		if (path->hops[i].kind != EVENT_TABLE && path->hops[i].kind != EVENT_DROP)
			return -1;
	return (s32)call->hop;
}
