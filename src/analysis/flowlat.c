// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See flowlat.h: what is joined with what, and why that is certain.
 */
#include "analysis/flowlat.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/flows_internal.h"
#include "analysis/flows_packet.h"
#include "capture/flowprobes_table.h"

#define WAYS 4U
#define MAX_CPUS 8192U
/* Of one call; what takes more is not measured. 1 MiB of skbs of 16 KiB each. */
#define COPIES 64U

/* Order of the events of one reception; another with no higher one is another reception, but for another RECEIVE. */
static u8 stage_of(u8 kind)
{
	return kind >= EVENT_RX_ENTRY && kind <= EVENT_RECEIVE ? (u8)(kind - EVENT_RX_ENTRY + 1) :
								 0;
}

#define LAST_STAGE (EVENT_RECEIVE - EVENT_RX_ENTRY + 1)

/* A packet that a device has received. */
struct lat_skb {
	u64 skb; /* 0: a free place */
	u64 rx_ns;
	u32 len_bytes;	   /* as the event says, from the network header on; 0 not known */
	u32 payload_bytes; /* with ->has_tuple */
	u8 src[16], dst[16];
	u16 sport, dport;
	u8 proto;
	u8 stage;
	bool has_tuple;
	bool read; /* in part at least */
};

/* Part of a call: an skb whose bytes were copied to the process. */
struct lat_copy {
	u64 skb, rx_ns; /* rx_ns 0: nobody knows when it was received */
	u32 len_bytes;
	u16 sport, dport; /* 0: not known */
	bool rest;	  /* some of it had been read before */
};

struct lat_task {
	s32 tid; /* 0: a free place */
	u64 used_ns;
	/* the send call that it is in */
	u64 send_sk; /* 0: none */
	u64 send_ns, device_ns;
	u64 headers_skb; /* what it gave to a device is told by two events: this one had headers and was the socket's */
	u8 send_layer;
	/* what it has copied since the last call; the newest is copy[(nr_copies - 1) % COPIES] */
	u32 nr_copies;
	struct lat_copy copy[COPIES];
	struct lat_skb freed; /* the last one; or a datagram that it has taken, freed or not */
	u64 taken_sk;	      /* ->freed is one of this socket; 0: it is the last one */
};

struct lat_cpu {
	u64 skb; /* that a protocol took last; 0: none that could be in a queue */
	s32 pid;
	bool in_interrupt;
};

struct lat_socket {
	u64 number;
	u32 interval; /* 0: a free place */
	bool told;
	struct flow_latency latency;
};

struct flowlat {
	struct flowlat_options o;
	struct lat_skb *skb;
	struct lat_task *task;
	struct lat_socket *socket;
	struct lat_cpu *cpu;
	u32 interval;
	struct flowlat_stats stats;
};

int flowlat_new(struct flowlat **out, const struct flowlat_options *options, struct error *err)
{
	struct flowlat *lat = calloc(1, sizeof(*lat));

	*out = lat;
	if (!lat)
		return error_errno(err, ENOMEM, "cannot measure sockets");
	lat->o = *options;
	if (!lat->o.max_skbs)
		lat->o.max_skbs = 65536;
	if (!lat->o.max_tasks)
		lat->o.max_tasks = 4096;
	if (!lat->o.max_sockets)
		lat->o.max_sockets = 65536;
	lat->interval = 1;
	lat->skb = calloc(lat->o.max_skbs, sizeof(*lat->skb));
	lat->task = calloc(lat->o.max_tasks, sizeof(*lat->task));
	lat->socket = calloc(lat->o.max_sockets, sizeof(*lat->socket));
	lat->cpu = calloc(MAX_CPUS, sizeof(*lat->cpu));
	if (lat->skb && lat->task && lat->socket && lat->cpu)
		return 0;
	flowlat_free(lat);
	*out = NULL;
	return error_errno(err, ENOMEM, "cannot measure sockets");
}

void flowlat_free(struct flowlat *lat)
{
	if (!lat)
		return;
	free(lat->skb);
	free(lat->task);
	free(lat->socket);
	free(lat->cpu);
	free(lat);
}

/* ---- tables */

static u32 first_way(const struct flowlat *lat, u64 key, u32 max)
{
	return (u32)flows_mix(key ^ lat->o.seed) & (max - 1) & ~(WAYS - 1);
}

static struct lat_skb *find_skb(const struct flowlat *lat, u64 skb)
{
	struct lat_skb *way = lat->skb + first_way(lat, skb, lat->o.max_skbs);
	u32 i;

	for (i = 0; skb && i < WAYS; i++)
		if (way[i].skb == skb)
			return &way[i];
	return NULL;
}

static struct lat_skb *make_skb(struct flowlat *lat, u64 skb)
{
	struct lat_skb *way = lat->skb + first_way(lat, skb, lat->o.max_skbs), *oldest = way;
	u32 i;

	for (i = 0; i < WAYS; i++) {
		if (way[i].skb == skb || !way[i].skb) {
			oldest = &way[i];
			break;
		}
		if (way[i].rx_ns < oldest->rx_ns)
			oldest = &way[i];
	}
	/* one of this address may be behind a free place */
	for (; i < WAYS; i++)
		if (way[i].skb == skb)
			oldest = &way[i];
	memset(oldest, 0, sizeof(*oldest));
	oldest->skb = skb;
	return oldest;
}

static struct lat_task *find_task(const struct flowlat *lat, s32 tid)
{
	struct lat_task *way = lat->task + first_way(lat, (u32)tid, lat->o.max_tasks);
	u32 i;

	for (i = 0; tid > 0 && i < WAYS; i++)
		if (way[i].tid == tid)
			return &way[i];
	return NULL;
}

/* NULL: nobody can tell which task it is. */
static struct lat_task *get_task(struct flowlat *lat, s32 tid, u64 now_ns)
{
	struct lat_task *task = find_task(lat, tid), *way;
	u32 i;

	if (tid <= 0)
		return NULL;
	if (!task) {
		task = way = lat->task + first_way(lat, (u32)tid, lat->o.max_tasks);
		for (i = 1; i < WAYS; i++)
			if (!way[i].tid || (task->tid && way[i].used_ns < task->used_ns))
				task = &way[i];
		memset(task, 0, sizeof(*task));
		task->tid = tid;
	}
	task->used_ns = now_ns;
	return task;
}

static struct flow_latency *get_latency(struct flowlat *lat, u64 number)
{
	struct lat_socket *way = lat->socket + first_way(lat, number, lat->o.max_sockets);
	struct lat_socket *room = NULL;
	u32 i;

	for (i = 0; i < WAYS; i++) {
		if (way[i].interval != lat->interval)
			room = &way[i];
		else if (way[i].number == number)
			return &way[i].latency;
	}
	if (!room) {
		lat->stats.no_room++;
		return NULL;
	}
	memset(room, 0, sizeof(*room));
	room->number = number;
	room->interval = lat->interval;
	return &room->latency;
}

static struct lat_socket *find_socket(const struct flowlat *lat, u64 number)
{
	struct lat_socket *way = lat->socket + first_way(lat, number, lat->o.max_sockets);
	u32 i;

	for (i = 0; i < WAYS; i++)
		if (way[i].interval == lat->interval && way[i].number == number)
			return &way[i];
	return NULL;
}

const struct flow_latency *flowlat_once(struct flowlat *lat, u64 number)
{
	struct lat_socket *s = find_socket(lat, number);

	if (!s || s->told)
		return NULL;
	s->told = true;
	return &s->latency;
}

bool flowlat_measured(const struct flowlat *lat, u64 number)
{
	const struct lat_socket *s = find_socket(lat, number);
	int i;

	for (i = 0; s && i < FLOWLAT_KINDS; i++)
		if (s->latency.hist[i].count)
			return true;
	return false;
}

void flowlat_next_interval(struct flowlat *lat)
{
	lat->interval++;
}

void flowlat_lost(struct flowlat *lat)
{
	memset(lat->skb, 0, lat->o.max_skbs * sizeof(*lat->skb));
	memset(lat->task, 0, lat->o.max_tasks * sizeof(*lat->task));
	memset(lat->cpu, 0, MAX_CPUS * sizeof(*lat->cpu));
}

void flowlat_stats(const struct flowlat *lat, struct flowlat_stats *stats)
{
	*stats = lat->stats;
}

/* ---- histograms */

void flowlat_add(struct flow_hist *hist, u64 ns)
{
	u32 i = ns < 2 ? 0 : 63U - (u32)__builtin_clzll(ns);

	hist->bucket[i < FLOWLAT_BUCKETS ? i : FLOWLAT_BUCKETS - 1]++;
	if (!hist->count || ns < hist->min_ns)
		hist->min_ns = ns;
	if (ns > hist->max_ns)
		hist->max_ns = ns;
	hist->sum_ns += ns;
	hist->count++;
}

static void join(struct flowlat *lat, const struct flow *flow, enum flowlat_kind kind, u64 from_ns,
		 u64 to_ns)
{
	struct flow_latency *latency = get_latency(lat, flow->number);

	lat->stats.joined[kind]++;
	if (latency)
		flowlat_add(&latency->hist[kind], to_ns - from_ns);
}

static void cannot_join(struct flowlat *lat, const struct flow *flow, enum flowlat_kind kind)
{
	struct flow_latency *latency = get_latency(lat, flow->number);

	lat->stats.unjoined[kind]++;
	if (latency)
		latency->unjoined[kind]++;
}

/* ---- headers */

/* The headers that are a socket's; NULL: nobody knows. Only a whole transport header tells how much data there is. */
static const struct packet_net *net_of(const struct event *ev)
{
	const struct packet_net *net;

	if (!(ev->has & EVENT_HAS_FACTS) || !ev->facts->has_packet)
		return NULL;
	net = packet_inner(&ev->facts->packet);
	if (!net || net->only_tuple || net->l4 != PART_OK ||
	    (net->proto != IPPROTO_TCP && !is_udp(net->proto)))
		return NULL;
	return net;
}

static void take_tuple(struct lat_skb *e, const struct packet_net *net)
{
	flows_packet_addr(e->src, net, net->src);
	flows_packet_addr(e->dst, net, net->dst);
	e->sport = net->sport;
	e->dport = net->dport;
	e->proto = net->proto;
	e->payload_bytes = flows_packet_payload(net);
	e->has_tuple = true;
}

static bool addr_agrees(const u8 *known, const u8 *packet)
{
	return sock_addr_is_any(known) || !memcmp(known, packet, 16);
}

/* Whether the socket with these addresses can be whom the packet is for. A port of its own it must have. */
static bool is_for(const struct lat_skb *e, const struct sock_addrs *a)
{
	return a->proto == e->proto && a->lport && a->lport == e->dport &&
	       (!a->rport || a->rport == e->sport) && addr_agrees(a->local, e->dst) &&
	       addr_agrees(a->remote, e->src);
}

/* ---- packets */

static void take_received(struct flowlat *lat, const struct event *ev, u8 stage)
{
	struct lat_skb *e = find_skb(lat, ev->skb);

	if (!e || e->read ||
	    (stage <= e->stage && !(stage == LAST_STAGE && e->stage == LAST_STAGE))) {
		e = make_skb(lat, ev->skb);
		e->rx_ns = ev->ts_ns;
	}
	e->stage = stage;
	if (ev->has & EVENT_HAS_LEN && stage == LAST_STAGE)
		e->len_bytes = ev->len_bytes;
}

static bool is_in_interrupt(const struct event *ev)
{
	return ev->context & (EVENT_IN_HARDIRQ | EVENT_IN_SOFTIRQ);
}

/* The task in whose own context it is; 0: in none's. */
static s32 task_of(const struct event *ev)
{
	return is_in_interrupt(ev) ? 0 : ev->pid;
}

static void take_sent(struct flowlat *lat, const struct event *ev)
{
	struct lat_task *task = find_task(lat, task_of(ev));
	const struct packet_net *net = net_of(ev);
	bool its;

	if (!task || !task->send_sk || task->device_ns)
		return;
	its = net && ev->facts->sock == task->send_sk && flows_packet_payload(net);
	if (ev->kind == EVENT_HEADERS)
		task->headers_skb = its ? ev->skb : 0;
	else if (its || (!net && task->headers_skb == ev->skb))
		task->device_ns = ev->ts_ns;
}

static void take_copy(struct flowlat *lat, const struct event *ev)
{
	struct lat_task *task = get_task(lat, task_of(ev), ev->ts_ns);
	const struct lat_skb *e = find_skb(lat, ev->skb);
	struct lat_copy *copy;

	if (!task)
		return;
	copy = &task->copy[task->nr_copies++ % COPIES];
	*copy = (struct lat_copy){ .skb = ev->skb, .len_bytes = ev->len_bytes };
	if (e) {
		copy->rx_ns = e->rx_ns;
		copy->rest = e->read;
		copy->sport = e->has_tuple ? e->sport : 0;
		copy->dport = e->has_tuple ? e->dport : 0;
	}
}

static void take_end(struct flowlat *lat, const struct event *ev)
{
	struct lat_skb *e = find_skb(lat, ev->skb);
	struct lat_task *task;

	if (!e)
		return;
	task = get_task(lat, task_of(ev), ev->ts_ns);
	if (task && !task->taken_sk)
		task->freed = *e;
	memset(e, 0, sizeof(*e));
}

static void take_protocol(struct flowlat *lat, const struct event *ev)
{
	if (ev->cpu < MAX_CPUS)
		lat->cpu[ev->cpu] = (struct lat_cpu){ .skb = ev->skb,
						      .pid = ev->pid,
						      .in_interrupt = is_in_interrupt(ev) };
}

void flowlat_packet(struct flowlat *lat, const struct event *ev)
{
	const struct packet_net *net;
	u8 stage = stage_of(ev->kind);
	struct lat_skb *e;

	if (!ev->skb)
		return;
	if (stage)
		take_received(lat, ev, stage);
	if (ev->kind == EVENT_QUEUE || ev->kind == EVENT_HEADERS)
		take_sent(lat, ev);
	if (ev->kind == EVENT_COPY)
		take_copy(lat, ev);
	net = net_of(ev);
	e = net ? find_skb(lat, ev->skb) : NULL;
	if (e)
		take_tuple(e, net);
	if (ev->kind == EVENT_LAYER && ev->layer == LAYER_L4_IN)
		take_protocol(lat, ev);
	if (ev->kind == EVENT_CONSUME || ev->kind == EVENT_DROP || ev->kind == EVENT_DEATH)
		take_end(lat, ev);
	/* at a device again: what it received before has left */
	if (ev->kind == EVENT_QUEUE && (e = find_skb(lat, ev->skb)))
		memset(e, 0, sizeof(*e));
}

/* ---- sockets */

void flowlat_begin(struct flowlat *lat, const struct sock_event *ev)
{
	struct lat_task *task;
	u8 layer = sock_calls[ev->call].layer;

	if (ev->receives || ev->in_interrupt)
		return;
	task = get_task(lat, ev->tid, ev->ts_ns);
	/* what it calls in turn for the same socket is part of it */
	if (!task || (task->send_sk == ev->sk && layer > task->send_layer))
		return;
	task->send_sk = ev->foreign ? 0 : ev->sk;
	task->send_layer = layer;
	task->send_ns = ev->ts_ns;
	task->device_ns = task->headers_skb = 0;
}

void flowlat_taken(struct flowlat *lat, const struct sock_event *ev)
{
	struct lat_task *task = ev->in_interrupt ? NULL : get_task(lat, ev->tid, ev->ts_ns);
	const struct lat_skb *e = find_skb(lat, ev->skb);

	if (!task)
		return;
	task->taken_sk = ev->sk;
	task->freed = e ? *e : (struct lat_skb){ 0 };
}

static void sent(struct flowlat *lat, const struct flow *flow, const struct sock_event *ev,
		 struct lat_task *task)
{
	bool known = task && task->send_sk == ev->sk;

	if (flow && ev->ret > 0) {
		if (known && task->device_ns)
			join(lat, flow, FLOWLAT_SEND, task->send_ns, task->device_ns);
		else
			cannot_join(lat, flow, FLOWLAT_SEND);
	}
	if (task)
		task->send_sk = task->device_ns = 0;
}

/* What was read of these skbs is not there for another call. */
static void mark_read(struct flowlat *lat, const struct lat_copy *copy)
{
	struct lat_skb *e = find_skb(lat, copy->skb);

	if (e && e->rx_ns == copy->rx_ns)
		e->read = true;
}

/* The first of the copies that make up what the call returned; NULL when they do not. */
static const struct lat_copy *first_copy(struct flowlat *lat, struct lat_task *task, u64 bytes)
{
	const struct lat_copy *copy = NULL;
	u32 i;

	for (i = 0; bytes && i < task->nr_copies && i < COPIES; i++) {
		copy = &task->copy[(task->nr_copies - 1 - i) % COPIES];
		if (copy->len_bytes > bytes)
			return NULL;
		bytes -= copy->len_bytes;
		mark_read(lat, copy);
	}
	return bytes ? NULL : copy;
}

static u64 tcp_received_ns(struct flowlat *lat, const struct flow *flow, struct lat_task *task,
			   u64 bytes)
{
	const struct lat_copy *copy = first_copy(lat, task, bytes);
	bool other;

	if (!copy || copy->rest)
		return 0;
	other = copy->dport &&
		(copy->dport != flow->addrs.lport || copy->sport != flow->addrs.rport);
	return other ? 0 : copy->rx_ns;
}

/* Headers of IPv4 without options, or of IPv6 without extensions, and of UDP. */
static bool is_as_long(const struct lat_skb *e, u64 bytes)
{
	return e->len_bytes == bytes + 28 || e->len_bytes == bytes + 48;
}

static u64 udp_received_ns(const struct flow *flow, const struct lat_task *task, u64 sk, u64 bytes)
{
	const struct lat_skb *e = &task->freed;

	if (!e->skb || (task->taken_sk && task->taken_sk != sk))
		return 0;
	if (e->has_tuple)
		return is_for(e, &flow->addrs) && e->payload_bytes == bytes ? e->rx_ns : 0;
	return is_as_long(e, bytes) ? e->rx_ns : 0;
}

static void received(struct flowlat *lat, const struct flow *flow, const struct sock_event *ev,
		     struct lat_task *task)
{
	bool looks = ev->flags & (SOCK_MSG_PEEK | SOCK_MSG_ERRQUEUE);
	u64 rx_ns = 0;

	if (flow && ev->ret > 0 && !looks) {
		if (task && flow->addrs.proto == IPPROTO_TCP)
			rx_ns = tcp_received_ns(lat, flow, task, (u64)ev->ret);
		else if (task)
			rx_ns = udp_received_ns(flow, task, ev->sk, (u64)ev->ret);
		if (rx_ns)
			join(lat, flow, FLOWLAT_READ, rx_ns, ev->ts_ns);
		else
			cannot_join(lat, flow, FLOWLAT_READ);
	}
	if (task) {
		task->nr_copies = 0;
		task->freed.skb = task->taken_sk = 0;
	}
}

void flowlat_bytes(struct flowlat *lat, const struct flow *flow, const struct sock_event *ev)
{
	struct lat_task *task = ev->in_interrupt ? NULL : find_task(lat, ev->tid);

	if (ev->receives)
		received(lat, flow, ev, task);
	else
		sent(lat, flow, ev, task);
}

/* The packet that the event is about; NULL: nobody knows. */
static const struct lat_skb *readable_skb(const struct flowlat *lat, const struct sock_event *ev)
{
	const struct lat_cpu *cpu = ev->cpu < MAX_CPUS ? &lat->cpu[ev->cpu] : NULL;
	const struct lat_skb *e = NULL;

	if (cpu && cpu->pid == ev->tid && cpu->in_interrupt == ev->in_interrupt)
		e = find_skb(lat, cpu->skb);
	return e && e->has_tuple ? e : NULL;
}

bool flowlat_readable_addrs(const struct flowlat *lat, const struct sock_event *ev,
			    struct sock_addrs *addrs)
{
	const struct lat_skb *e = readable_skb(lat, ev);

	memset(addrs, 0, sizeof(*addrs));
	if (!e)
		return false;
	memcpy(addrs->local, e->dst, sizeof(addrs->local));
	memcpy(addrs->remote, e->src, sizeof(addrs->remote));
	addrs->lport = e->dport;
	addrs->rport = e->sport;
	addrs->proto = e->proto;
	addrs->family = sock_addr_is_mapped(e->dst) ? 4 : 6;
	return true;
}

bool flowlat_readable(struct flowlat *lat, const struct flow *flow, const struct sock_event *ev)
{
	const struct lat_skb *e = readable_skb(lat, ev);
	bool data;

	if (!flow)
		return false;
	if (!e || !is_for(e, &flow->addrs)) {
		cannot_join(lat, flow, FLOWLAT_QUEUE);
		return false;
	}
	data = e->payload_bytes || e->proto != IPPROTO_TCP;
	if (data)
		join(lat, flow, FLOWLAT_QUEUE, e->rx_ns, ev->ts_ns);
	/* a datagram may be for several sockets */
	if (e->proto == IPPROTO_TCP)
		lat->cpu[ev->cpu].skb = 0;
	return data;
}
