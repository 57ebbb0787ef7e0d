// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intervals and their rows: see flowsink.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/flowtree.h"
#include "cli/flowsink.h"
#include "cli/flowsink_internal.h"
#include "render/flowlat.h"

int flowsink_flush(struct flowsink *sink)
{
	size_t done = sink->out.len ? fwrite(sink->out.data, 1, sink->out.len, stdout) : 0;
	int ret = done == sink->out.len && !fflush(stdout) ? 0 : -EPIPE;

	sink->out.len = 0;
	return ret;
}

/*
 * Sockets that only opened or closed have no place in a table of bytes, but where there is nothing else. What is read in the
 * next interval may have come in this one: its time in the queue is of this one.
 */
static bool is_shown(const struct flowsink *sink, const struct flow_row *row)
{
	const struct flow_sums *s = &row->recent;

	if (sink->o.pid && row->flow && row->pid != sink->o.pid)
		return false;
	return sink->o.all || s->rx_bytes || s->tx_bytes || s->retransmits ||
	       (sink->o.no_bytes && !sink->o.from_packets) ||
	       (sink->latency && row->flow && flowlat_measured(sink->latency, row->flow->number));
}

/* Names of other network namespaces than our own. */
static void name_netns(const struct flowsink *sink, struct flow_row *row)
{
	u32 inum = row->flow ? row->flow->netns : row->netns;
	const struct netns *ns;

	if (!inum || !sink->netns || inum == sink->netns->self_inum)
		return;
	ns = netns_find(sink->netns, inum);
	row->netns_name = ns ? ns->name : NULL;
}

/* Whether calls of any socket may be missing in sums that the kernel made. */
static bool sums_lack_calls(const struct flowsink *sink)
{
	struct flowhist_stats h;

	if (!sink->hist)
		return false;
	flowhist_stats(sink->hist, &h);
	return h.dropped || h.refused || h.bad || sink->late_sums;
}

static size_t drop_hidden(const struct flowsink *sink, struct flow_row *row, size_t nr)
{
	bool lacking = sums_lack_calls(sink);
	size_t i, kept = 0;

	for (i = 0; i < nr; i++)
		if (is_shown(sink, &row[i]))
			row[kept++] = row[i];
	for (i = 0; i < kept; i++) {
		name_netns(sink, &row[i]);
		row[i].numbered = sink->o.verbose;
		row[i].from_packets = sink->o.from_packets;
		row[i].inexact = lacking || (row[i].flow && row[i].flow->flags & FLOW_INEXACT);
	}
	return kept;
}

const struct tasklist_entry *flowsink_parent(void *ctx, s32 pid)
{
	struct flowsink *sink = ctx;
	const struct tasklist_entry *known = tasklist_find(&sink->tasks, pid);
	struct tasklist_entry entry = { .tid = pid };
	const struct task_name *task;

	if (known || !sink->o.find_task)
		return known;
	task = sink->o.find_task(sink->o.ctx, pid, sink->begin_ns);
	entry.pid = task->pid;
	entry.parent = task->parent;
	memcpy(entry.comm, task->comm, sizeof(entry.comm));
	return tasklist_put(&sink->tasks, &entry) ? NULL : tasklist_find(&sink->tasks, pid);
}

static int write_tree(struct flowsink *sink, const struct flow_row *row, size_t nr, u64 end_ns,
		      u64 interval_ns)
{
	struct flowtree tree;
	size_t i;
	int ret = flowtree_build(&tree, row, nr, flowsink_parent, sink);

	for (i = 0; i < tree.nr; i++)
		tree.node[i].from_packets = sink->o.from_packets;
	for (i = 0; i < tree.nr && !ret; i++)
		ret = render_flows_node(&sink->out, &tree.node[i], sink->o.format, end_ns,
					interval_ns);
	flowtree_free(&tree);
	return ret;
}

/* A socket may have several rows, one below the other or not. */
static int write_latency(struct flowsink *sink, const struct flow_row *row, size_t nr)
{
	size_t i;
	int ret = 0;

	if (sink->o.format != FLOWS_TEXT)
		return 0;
	for (i = 0; i < nr && !ret; i++)
		if (row[i].latency)
			ret = render_flow_latency(&sink->out, &row[i]);
	return ret;
}

static int write_rows(struct flowsink *sink, struct flow_row *row, size_t nr, u64 end_ns,
		      u64 interval_ns)
{
	size_t i;
	int ret = 0;

	/* in the first row of each socket */
	for (i = 0; i < nr && sink->latency; i++)
		if (row[i].flow)
			row[i].latency = flowlat_once(sink->latency, row[i].flow->number);
	if (sink->o.show)
		return sink->o.show(sink->o.ctx, sink, row, nr, end_ns, interval_ns);
	if (sink->o.tree)
		render_flows_tree_head(&sink->out, sink->o.format);
	else if (!sink->headed || sink->o.format == FLOWS_TEXT)
		render_flows_head(&sink->out, sink->o.by, sink->o.format);
	sink->headed = true;
	if (sink->o.tree)
		ret = write_tree(sink, row, nr, end_ns, interval_ns);
	for (i = 0; i < nr && !ret && !sink->o.tree; i++)
		ret = render_flows_row(&sink->out, &row[i], sink->o.by, sink->o.format, end_ns,
				       interval_ns);
	if (!ret)
		ret = write_latency(sink, row, nr);
	return ret ? ret : flowsink_flush(sink);
}

static int show_interval(struct flowsink *sink, u64 end_ns)
{
	struct flow_row *row;
	ssize_t nr;
	int ret;

	ret = sink->o.before_rows ? sink->o.before_rows(sink->o.ctx, sink) : 0;
	if (ret)
		return ret;
	nr = flows_rows(sink->flows, sink->o.all, &row);
	if (nr < 0)
		return (int)nr;
	nr = (ssize_t)drop_hidden(sink, row, (size_t)nr);
	flows_sort(row, (size_t)nr);
	ret = write_rows(sink, row, (size_t)nr, end_ns, end_ns - sink->begin_ns);
	free(row);
	return ret;
}

int flowsink_regroup(struct flowsink *sink, enum flows_by by, u64 now)
{
	sink->o.by = by;
	flows_regroup(sink->flows, by);
	return show_interval(sink, now);
}

int flowsink_end_interval(struct flowsink *sink, u64 end_ns)
{
	int ret = sink->o.log ? flowsink_flush(sink) : show_interval(sink, end_ns);

	flows_next_interval(sink->flows);
	if (sink->latency)
		flowlat_next_interval(sink->latency);
	sink->begin_ns = end_ns;
	sink->intervals++;
	return ret;
}

int flowsink_end_intervals(struct flowsink *sink, u64 now)
{
	u64 interval_ns = sink->o.interval_ns;
	int ret = 0;

	while (!ret && interval_ns && now >= sink->begin_ns + interval_ns) {
		ret = flowsink_end_interval(sink, sink->begin_ns + interval_ns);
		if (!ret && sink->o.count && sink->intervals >= sink->o.count)
			return 1;
	}
	return ret;
}
