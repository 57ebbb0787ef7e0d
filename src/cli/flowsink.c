// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See flowsink.h.
 */
#include "cli/flowsink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "cli/flowsink_internal.h"

int flowsink_init(struct flowsink *sink, const struct flowsink_options *options, bool big_endian,
		  u8 long_size, struct error *err)
{
	int ret;

	memset(sink, 0, sizeof(*sink));
	sink->o = *options;
	if (sink->o.tree)
		sink->o.by = FLOWS_BY_PID;
	sink->task_schema.swap = big_endian != HOST_BIG_ENDIAN;
	ret = sock_schema_init(&sink->schema, big_endian, err);
	if (!ret)
		ret = sockcalls_new(&sink->calls, 0, err);
	if (!ret && sink->o.filter)
		ret = sockfilter_compile(&sink->filter, sink->o.filter, err);
	if (!ret)
		ret = schema_init(&sink->packets, big_endian, long_size, err);
	return ret;
}

void flowsink_free(struct flowsink *sink)
{
	flows_free(sink->flows);
	flowlat_free(sink->latency);
	flowpkts_free(sink->bytes);
	schema_free(&sink->packets);
	flowhist_free(sink->hist);
	sockcalls_free(sink->calls);
	waiting_free(&sink->waiting);
	sock_schema_free(&sink->schema);
	sockfilter_free(sink->filter);
	tasklist_free(&sink->tasks);
	comms_free(&sink->comms);
	netns_snapshot_free(sink->netns);
	strbuf_free(&sink->out);
	memset(sink, 0, sizeof(*sink));
}

int flowsink_add_format(struct flowsink *sink, const char *system, const char *text, size_t len,
			struct error *err)
{
	bool of_sockets = sock_schema_add_format(&sink->schema, system, text, len);

	task_schema_add_format(&sink->task_schema, system, text, len);
	/* of those that tell of both packets and sockets, the latter matters here */
	if ((!sink->o.latency && !sink->o.from_packets) || of_sockets)
		return 0;
	sink->packets.tapped = sink->o.from_packets;
	return schema_add_format(&sink->packets, system, text, len, err);
}

static bool wanted(void *ctx, const struct sock_addrs *addrs)
{
	return sockfilter_match(ctx, addrs);
}

static int start_latency(struct flowsink *sink, u64 seed, struct error *err)
{
	struct flowlat_options o = { .seed = seed };

	if (!sink->o.latency)
		return 0;
	flowsink_tell_unmeasured(sink);
	return flowlat_new(&sink->latency, &o, err);
}

static int start_packets(struct flowsink *sink, u64 seed, struct error *err)
{
	struct flowpkts_options o = { .seed = seed };

	return sink->o.from_packets ? flowpkts_new(&sink->bytes, &o, err) : 0;
}

int flowsink_start(struct flowsink *sink, struct error *err)
{
	struct flows_options o = { .by = sink->o.by,
				   .pid = sink->o.pid,
				   .no_destroy = !sink->schema.has_destroy,
				   .wanted = sink->filter ? wanted : NULL,
				   .wanted_ctx = sink->filter };
	int ret;

	if (getrandom(&o.seed, sizeof(o.seed), GRND_NONBLOCK) != sizeof(o.seed))
		o.seed = now_ns();
	ret = flows_new(&sink->flows, &o, err);
	if (!ret)
		ret = start_latency(sink, o.seed, err);
	return ret ? ret : start_packets(sink, o.seed, err);
}

void flowsink_netns(struct flowsink *sink, struct netns_snapshot *snapshot)
{
	sink->netns = snapshot;
}

int flowsink_inventory(struct flowsink *sink, const struct sockdiag *diag, u64 now)
{
	size_t i;
	int ret = 0;

	flows_inventory_begin(sink->flows);
	for (i = 0; !ret && i < diag->nr; i++)
		ret = flows_inventory_entry(sink->flows, &diag->entry[i], now);
	if (!ret)
		flows_inventory_end(sink->flows, !diag->incomplete[0] && !diag->cut, now);
	return ret;
}

/* ---- records */

/* A thread has its process, and that its parent, which only its maker knows once it is gone. */
static int take_task(struct flowsink *sink, const struct task_event *ev)
{
	const struct tasklist_entry *known =
		tasklist_find(&sink->tasks, ev->begins ? ev->by : ev->tid);
	struct tasklist_entry e = { .tid = ev->tid, .pid = ev->tid };
	const struct task_name *by;

	if (!ev->begins) {
		/* of a thread that is not the first the name does not count */
		if (!known || known->pid != known->tid)
			return 0;
		e = *known;
		memset(e.comm, 0, sizeof(e.comm));
	} else if (known) {
		e.pid = ev->thread ? known->pid : ev->tid;
		e.parent = ev->thread || ev->brother ? known->parent : known->pid;
	} else if (sink->o.find_task) {
		by = sink->o.find_task(sink->o.ctx, ev->by, sink->begin_ns);
		e.pid = ev->thread ? by->pid : ev->tid;
		e.parent = ev->thread || ev->brother ? by->parent : by->pid;
	} else {
		e.pid = ev->thread ? ev->by : ev->tid;
		e.parent = ev->thread || ev->brother ? 0 : ev->by;
	}
	memcpy(e.comm, ev->comm, sizeof(e.comm));
	e.told = true;
	return tasklist_put(&sink->tasks, &e);
}

/* What the list knows: with the name of the process' first thread. Return: false when it is not in it. */
static bool name_listed(struct flowsink *sink, struct sock_event *ev)
{
	const struct tasklist_entry *known = tasklist_find(&sink->tasks, ev->tid), *first;

	if (!known)
		return false;
	first = tasklist_find(&sink->tasks, known->pid);
	ev->pid = known->pid;
	memcpy(ev->comm, first ? first->comm : known->comm, sizeof(ev->comm));
	return first && first->told;
}

/*
 * Of a recording. /proc may have been looked at before execve(), the kernel's own list names those that have records as
 * they were called last.
 */
static void name_recorded(struct flowsink *sink, struct sock_event *ev)
{
	const char *comm = comms_find(&sink->comms, ev->tid);

	if (name_listed(sink, ev) || !comm || ev->pid != ev->tid)
		return;
	memset(ev->comm, 0, sizeof(ev->comm));
	memcpy(ev->comm, comm, strnlen(comm, sizeof(ev->comm) - 1));
}

static void name_task(struct flowsink *sink, struct sock_event *ev)
{
	const struct task_name *task;

	if (!sink->o.find_task) {
		name_recorded(sink, ev);
		return;
	}
	if (name_listed(sink, ev))
		return;
	task = sink->o.find_task(sink->o.ctx, ev->tid, ev->ts_ns);
	if (ev->pid == ev->tid)
		ev->pid = task->pid;
	if (!ev->comm[0] || task->comm[0])
		memcpy(ev->comm, task->comm, sizeof(ev->comm));
	/* a process may be gone when the tree is made */
	if (sink->o.tree && !tasklist_find(&sink->tasks, ev->pid))
		flowsink_parent(sink, ev->pid);
}

/* A socket that was listed has an address from its first call on; until then its packets tell. */
static void take_readable(struct flowsink *sink, const struct sock_event *ev)
{
	const struct flow *flow = flows_find(sink->flows, ev->sk);
	struct sock_addrs addrs;

	if (!flow && flowlat_readable_addrs(sink->latency, ev, &addrs))
		flow = flows_find_listed(sink->flows, &addrs);
	if (flowlat_readable(sink->latency, flow, ev))
		flows_seen(sink->flows, flow, ev->ts_ns);
}

/* Return: whether it is of no other use. */
static bool take_for_latency(struct flowsink *sink, const struct sock_event *ev)
{
	bool only = ev->kind == SOCK_EVENT_BEGIN || ev->kind == SOCK_EVENT_READABLE ||
		    ev->kind == SOCK_EVENT_TAKEN;

	if (!sink->latency)
		return only;
	if (ev->kind == SOCK_EVENT_READABLE)
		take_readable(sink, ev);
	else if (ev->kind == SOCK_EVENT_TAKEN)
		flowlat_taken(sink->latency, ev);
	else if (ev->kind == SOCK_EVENT_ENTER || ev->kind == SOCK_EVENT_BEGIN)
		flowlat_begin(sink->latency, ev);
	return only;
}

static int take_packet(struct flowsink *sink, const struct record *rec)
{
	struct event ev;

	if (!schema_decode(&sink->packets, rec->id, rec->data, rec->len_bytes, &ev, &sink->facts))
		return 0;
	ev.ts_ns = rec->ts_ns;
	ev.cpu = rec->cpu;
	if (ev.kind == EVENT_FRAME)
		return sink->bytes ? flowpkts_frame(sink->bytes, &ev) : 0;
	if (sink->latency)
		flowlat_packet(sink->latency, &ev);
	return 0;
}

static void take_losses(struct flowsink *sink, struct stream *s)
{
	if (s->nr_losses) {
		sockcalls_lost(sink->calls);
		if (sink->latency)
			flowlat_lost(sink->latency);
	}
	s->nr_losses = 0;
}

static int take_sum(void *ctx, struct sock_event *ev)
{
	struct flowsink *sink = ctx;
	int news;

	if (ev->tid)
		name_task(sink, ev);
	news = flows_take(sink->flows, ev, NULL);
	return news < 0 ? news : 0;
}

int flowsink_sums(struct flowsink *sink, u64 limit)
{
	return flowhist_flush(sink->hist, sink->flows, limit,
			      limit == UINT64_MAX ? sink->begin_ns : limit, take_sum, sink);
}

static int take_event(struct flowsink *sink, struct sock_event *ev)
{
	const struct flow *flow;
	int news;

	/* at the entry, as the process may be gone at the return */
	if (ev->kind == SOCK_EVENT_ENTER && ev->tid)
		name_task(sink, ev);
	if (take_for_latency(sink, ev))
		return 0;
	switch (sockcalls_take(sink->calls, ev)) {
	case SOCKCALLS_UNSURE:
		return flows_unsure(sink->flows, ev);
	case SOCKCALLS_HELD:
		return 0;
	case SOCKCALLS_PASS:
		break;
	}
	if (ev->tid && !ev->comm[0] && !ev->in_interrupt)
		name_task(sink, ev);
	if (sink->hist && ev->kind == SOCK_EVENT_DESTROY) {
		news = flowhist_settle(sink->hist, ev, take_sum, sink);
		if (news)
			return news;
	}
	news = flows_take(sink->flows, ev, &flow);
	if (sink->latency && ev->kind == SOCK_EVENT_BYTES && !ev->from_packets && news >= 0)
		flowlat_bytes(sink->latency, flow, ev);
	if (ev->from_packets && !flow && news >= 0)
		flowpkts_unclaimed(sink->bytes);
	if (sink->hist && ev->kind == SOCK_EVENT_STATE && flowhist_is_unsure(sink->hist, ev))
		flows_inexact(sink->flows, ev->sk);
	if (news <= 0 || !sink->o.log || !flow)
		return news < 0 ? news : 0;
	return render_flows_news(&sink->out, flow, (enum flow_news)news, ev->ts_ns,
				 ev->in_interrupt ? 0 : ev->pid, ev->in_interrupt ? "" : ev->comm,
				 sink->o.format);
}

/* Let go what was held back, up to what time that is possible. */
static int take_held(struct flowsink *sink, u64 now)
{
	struct sock_event ev;
	int ret = 0;

	while (!ret && flowpkts_next(sink->bytes, now, &ev)) {
		ret = flowsink_end_intervals(sink, ev.ts_ns);
		if (!ret)
			ret = take_event(sink, &ev);
	}
	return ret;
}

int flowsink_tick(struct flowsink *sink, u64 now)
{
	int ret = sink->bytes ? take_held(sink, now) : 0;

	flowsink_take_waiting(sink, now);
	return ret ? ret :
		     flowsink_end_intervals(sink,
					    sink->bytes ? flowpkts_gone(sink->bytes, now) : now);
}

int flowsink_end(struct flowsink *sink, u64 end_ns)
{
	int ret = sink->bytes ? take_held(sink, UINT64_MAX) : 0;

	flowsink_take_waiting(sink, UINT64_MAX);
	return ret ? ret : flowsink_end_interval(sink, end_ns);
}

static int take_record(struct flowsink *sink, const struct record *rec)
{
	struct task_event task;
	struct sock_event ev;
	int ret = 0;

	if (task_schema_decode(&sink->task_schema, rec->id, rec->data, rec->len_bytes, &task))
		ret = take_task(sink, &task);
	if (!ret && (sink->latency || sink->bytes))
		ret = take_packet(sink, rec);
	if (ret || !sock_schema_decode(&sink->schema, rec->id, rec->data, rec->len_bytes, &ev))
		return ret;
	ev.ts_ns = rec->ts_ns;
	ev.cpu = rec->cpu;
	return sink->bytes ? flowpkts_socket(sink->bytes, &ev) : take_event(sink, &ev);
}

int flowsink_run(struct flowsink *sink, struct stream *s, u64 limit)
{
	const struct record *rec;
	int ret = 0;

	stream_resume(s);
	while (!ret && (rec = stream_next(s, limit))) {
		take_losses(sink, s);
		if (!sink->begin_ns)
			sink->begin_ns = rec->ts_ns;
		ret = flowsink_tick(sink, rec->ts_ns);
		if (!ret)
			ret = take_record(sink, rec);
	}
	return ret;
}
