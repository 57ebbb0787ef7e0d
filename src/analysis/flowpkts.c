// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See flowpkts.h.
 */
#include "analysis/flowpkts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "analysis/flows_internal.h"
#include "analysis/flows_packet.h"

#define WAYS 4U
#define SWITCH_NS NSEC_PER_SEC

/* What a frame tells of a direction of an address pair. */
struct carried {
	struct sock_addrs addrs; /* of the socket's end */
	u32 netns, ifindex;
	u32 seq; /* of TCP: of the first byte */
	u32 payload_bytes;
	bool receives;
	bool begins, ends; /* SYN, FIN */
};

struct held {
	u64 ts_ns, order;
	bool is_frame;
	union {
		struct sock_event sock;
		struct carried frame;
	};
};

struct pair {
	u64 used_ns; /* 0: a free place */
	u64 hash;
	u64 owed_bytes; /* nobody was there for them yet */
	u32 next;	/* TCP: sequence number behind the highest */
	u32 ifindex;	/* UDP */
	bool begun;	/* its SYN was seen */
};

struct flowpkts {
	struct flowpkts_options o;
	struct held *held; /* a heap: the earliest first */
	size_t nr_held, room;
	u64 order;
	u64 mark_ns;
	struct pair *pair, *told; /* told: whose bytes flowpkts_next() told of last */
	u64 told_bytes;
	struct flowpkts_stats stats;
};

int flowpkts_new(struct flowpkts **out, const struct flowpkts_options *options, struct error *err)
{
	struct flowpkts *fp = calloc(1, sizeof(*fp));

	*out = fp;
	if (fp) {
		fp->o = *options;
		fp->o.max_pairs = fp->o.max_pairs ? fp->o.max_pairs : 1U << 18;
		fp->o.max_held = fp->o.max_held ? fp->o.max_held : 1U << 18;
		fp->pair = calloc(fp->o.max_pairs, sizeof(*fp->pair));
		if (fp->pair)
			return 0;
	}
	free(fp);
	*out = NULL;
	return error_errno(err, ENOMEM, "cannot count packets' bytes");
}

void flowpkts_free(struct flowpkts *fp)
{
	if (!fp)
		return;
	free(fp->held);
	free(fp->pair);
	free(fp);
}

void flowpkts_stats(const struct flowpkts *fp, struct flowpkts_stats *stats)
{
	*stats = fp->stats;
}

/* ---- the heap */

static bool is_before(const struct held *a, const struct held *b)
{
	return a->ts_ns != b->ts_ns ? a->ts_ns < b->ts_ns : a->order < b->order;
}

static int hold(struct flowpkts *fp, struct held *item)
{
	size_t at = fp->nr_held, up;

	if (at == fp->room) {
		size_t room = fp->room ? fp->room * 2 : 256;
		struct held *grown = reallocarray(fp->held, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		fp->held = grown;
		fp->room = room;
	}
	item->order = fp->order++;
	for (fp->nr_held++; at; at = up) {
		up = (at - 1) / 2;
		if (!is_before(item, &fp->held[up]))
			break;
		fp->held[at] = fp->held[up];
	}
	fp->held[at] = *item;
	return 0;
}

static void let_go(struct flowpkts *fp, struct held *item)
{
	const struct held *last = &fp->held[--fp->nr_held];
	size_t at = 0, down;

	*item = fp->held[0];
	while ((down = at * 2 + 1) < fp->nr_held) {
		if (down + 1 < fp->nr_held && is_before(&fp->held[down + 1], &fp->held[down]))
			down++;
		if (!is_before(&fp->held[down], last))
			break;
		fp->held[at] = fp->held[down];
		at = down;
	}
	fp->held[at] = *last;
}

int flowpkts_socket(struct flowpkts *fp, const struct sock_event *ev)
{
	struct held item = { .ts_ns = ev->ts_ns, .sock = *ev };

	return hold(fp, &item);
}

/* ---- frames */

static void read_frame(struct carried *c, const struct event *ev, const struct packet_net *net)
{
	struct sock_addrs *a = &c->addrs;
	const u8 *local, *remote;

	memset(c, 0, sizeof(*c));
	c->receives = !(ev->facts->frame.flags & FRAME_OUTGOING);
	local = c->receives ? net->dst : net->src;
	remote = c->receives ? net->src : net->dst;
	flows_packet_addr(a->local, net, local);
	flows_packet_addr(a->remote, net, remote);
	a->lport = c->receives ? net->dport : net->sport;
	a->rport = c->receives ? net->sport : net->dport;
	a->proto = net->proto;
	a->family = net->version;
	c->netns = ev->facts->netns_inum;
	c->ifindex = ev->ifindex;
	c->payload_bytes = flows_packet_payload(net);
	if (net->proto == IPPROTO_TCP) {
		c->begins = net->tcp_flags & TCP_SYN;
		c->ends = net->tcp_flags & TCP_FIN;
		/* a SYN is as a byte before the others */
		c->seq = net->tcp_seq + c->begins;
	}
}

int flowpkts_frame(struct flowpkts *fp, const struct event *ev)
{
	const struct frame_facts *frame = &ev->facts->frame;
	const struct packet_net *net = ev->facts->has_packet && ev->facts->packet.nr_nets ?
					       &ev->facts->packet.net[0] :
					       NULL;
	struct held item = { .ts_ns = frame->ts_ns, .is_frame = true };

	if (frame->flags & FRAME_LOST)
		fp->stats.lost++;
	if (frame->flags & FRAME_MARK) {
		if (frame->ts_ns > fp->mark_ns)
			fp->mark_ns = frame->ts_ns;
		return 0;
	}
	/* the outer one: what a tunnel carries comes again at its device */
	if (!net || net->part != PART_OK || (net->proto != IPPROTO_TCP && !is_udp(net->proto)) ||
	    net->l4 == PART_FRAGMENT)
		return 0;
	/* a reset's number may be anything */
	if (net->l4 != PART_OK || (net->proto == IPPROTO_TCP && net->tcp_flags & TCP_RST)) {
		fp->stats.unread += net->l4 != PART_OK;
		return 0;
	}
	fp->stats.frames++;
	read_frame(&item.frame, ev, net);
	return hold(fp, &item);
}

/* ---- bytes */

/* A forwarded segment of TCP is the same one in each netns. */
static u64 hash_of(const struct flowpkts *fp, const struct carried *c)
{
	u64 part[4], rest = (u64)c->addrs.lport << 48 | (u64)c->addrs.rport << 32 |
			    (u64)c->addrs.proto << 1 | c->receives;

	memcpy(part, c->addrs.local, 16);
	memcpy(part + 2, c->addrs.remote, 16);
	rest ^= is_udp(c->addrs.proto) ? (u64)c->netns << 9 : 0;
	return flows_mix(flows_mix(flows_mix(flows_mix(flows_mix(part[0] ^ fp->o.seed) ^ part[1]) ^
					     part[2]) ^
				   part[3]) ^
			 rest);
}

static struct pair *get_pair(struct flowpkts *fp, const struct carried *c, bool *is_new)
{
	u64 hash = hash_of(fp, c);
	struct pair *way = fp->pair + ((u32)hash & (fp->o.max_pairs - 1) & ~(WAYS - 1)), *p = way;
	u32 i;

	*is_new = false;
	for (i = 0; i < WAYS; i++) {
		if (way[i].used_ns && way[i].hash == hash)
			return &way[i];
		if (way[i].used_ns < p->used_ns)
			p = &way[i];
	}
	memset(p, 0, sizeof(*p));
	p->hash = hash;
	*is_new = true;
	return p;
}

static u64 tcp_bytes(struct flowpkts *fp, struct pair *p, const struct carried *c, bool is_new)
{
	u32 end = c->seq + c->payload_bytes;
	s32 further;

	/* addresses may be used again; what is sent again before any data says the same */
	if (is_new || (c->begins && c->seq != p->next)) {
		p->next = c->seq;
		p->begun = c->begins;
		p->owed_bytes = 0;
	}
	further = (s32)(end - p->next);
	if (further <= 0)
		fp->stats.repeated_bytes += c->payload_bytes;
	else
		p->next = end;
	/* a FIN is as a byte behind the others, in the numbers only */
	if (c->ends && (s32)(end + 1 - p->next) > 0)
		p->next = end + 1;
	return further > 0 ? (u32)further : 0;
}

static u64 udp_bytes(struct flowpkts *fp, struct pair *p, const struct carried *c, u64 now_ns)
{
	if (p->ifindex && p->ifindex != c->ifindex && now_ns < p->used_ns + SWITCH_NS) {
		fp->stats.elsewhere++;
		return 0;
	}
	p->ifindex = c->ifindex;
	return c->payload_bytes;
}

/* Return: whether there is anything to tell. */
static bool count_frame(struct flowpkts *fp, const struct held *item, struct sock_event *ev)
{
	const struct carried *c = &item->frame;
	bool is_new, udp = is_udp(c->addrs.proto);
	struct pair *p = get_pair(fp, c, &is_new);
	u64 bytes;

	bytes = udp ? udp_bytes(fp, p, c, item->ts_ns) : tcp_bytes(fp, p, c, is_new);
	if (!udp || p->ifindex == c->ifindex)
		p->used_ns = item->ts_ns ? item->ts_ns : 1;
	bytes += p->owed_bytes;
	p->owed_bytes = 0;
	fp->told = p;
	fp->told_bytes = bytes;
	*ev = (struct sock_event){ .ts_ns = item->ts_ns,
				   .kind = SOCK_EVENT_BYTES,
				   .from_packets = true,
				   .receives = c->receives,
				   .in_interrupt = true,
				   .ret = (s64)bytes,
				   .netns = c->netns,
				   .addrs = c->addrs };
	return bytes;
}

void flowpkts_unclaimed(struct flowpkts *fp)
{
	if (fp->told && fp->told->begun)
		fp->told->owed_bytes = fp->told_bytes;
	else
		fp->stats.nobodys_bytes += fp->told_bytes;
	fp->told = NULL;
}

u64 flowpkts_gone(const struct flowpkts *fp, u64 now_ns)
{
	u64 latest = now_ns > FLOWPKTS_HOLD_MAX_NS ? now_ns - FLOWPKTS_HOLD_MAX_NS : 0;

	if (now_ns == UINT64_MAX)
		return now_ns;
	return fp->mark_ns > latest ? fp->mark_ns : latest;
}

bool flowpkts_next(struct flowpkts *fp, u64 now_ns, struct sock_event *ev)
{
	u64 gone = flowpkts_gone(fp, now_ns);
	struct held item;

	while (fp->nr_held) {
		if (fp->held[0].ts_ns > gone) {
			if (fp->nr_held <= fp->o.max_held)
				return false;
			fp->stats.hurried++;
		}
		let_go(fp, &item);
		if (!item.is_frame) {
			*ev = item.sock;
			return true;
		}
		if (count_frame(fp, &item, ev))
			return true;
	}
	return false;
}
