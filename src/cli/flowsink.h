/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From records to lines about sockets: the stages that live buffers and recordings share.
 *
 *	records -> events of sockets (decode/sockevent.h) -> whole calls (analysis/sockcalls.h) -> flows
 *	(analysis/flows.h), intervals by the records' time -> lines (render/flows.h)
 *
 * With ->o.latency also records -> events of packets (decode/schema.h), which analysis/flowlat.h joins with the calls.
 */
#ifndef SKBTRAIL_CLI_FLOWSINK_H
#define SKBTRAIL_CLI_FLOWSINK_H

#include "analysis/flowhist.h"
#include "analysis/flowlat.h"
#include "analysis/flowpkts.h"
#include "analysis/flows.h"
#include "analysis/sockcalls.h"
#include "base/strbuf.h"
#include "decode/comms.h"
#include "decode/schema.h"
#include "decode/sockevent.h"
#include "decode/sockfilter.h"
#include "decode/taskevent.h"
#include "kernel/netns.h"
#include "kernel/sockdiag.h"
#include "kernel/tasklist.h"
#include "kernel/tasks.h"
#include "kernel/waiting.h"
#include "render/flows.h"
#include "trace/stream.h"

struct flowsink;

struct flowsink_options {
	enum flows_by by;
	enum flows_format format;
	bool log, all, tree;
	bool no_bytes; /* the source tells of none: sockets that only opened or closed are rows, too */
	bool from_packets; /* with ->no_bytes: they are what frames of a tap carry */
	bool quiet, verbose;
	bool latency;	    /* what calls and packets take in this machine; FLOWS_BY_SOCKET */
	s32 pid;	    /* only what this process does; 0: all */
	u64 interval_ns;    /* 0: one for all there is */
	u64 count;	    /* intervals; 0: no limit */
	const char *filter; /* see decode/sockfilter.h; NULL: none */
	/* Before the rows of an interval are made: sockets may be asked for again. NULL: nothing. */
	int (*before_rows)(void *ctx, struct flowsink *sink);
	/* Takes the rows, sorted, which then are not written; NULL: they are. Return: 0 or -errno */
	int (*show)(void *ctx, struct flowsink *sink, const struct flow_row *row, size_t nr,
		    u64 end_ns, u64 interval_ns);
	/* Process and name of a thread; NULL: the sink's own list of tasks. */
	const struct task_name *(*find_task)(void *ctx, s32 tid, u64 ts_ns);
	void *ctx;
};

struct flowsink {
	struct flowsink_options o;
	struct sock_schema schema;
	struct task_schema task_schema;
	struct sockcalls *calls;
	struct flows *flows;
	struct sockfilter *filter;
	struct flowlat *latency; /* with ->o.latency, else NULL */
	struct flowpkts *bytes;	 /* with ->o.from_packets, else NULL */
	struct schema packets;	 /* with either */
	struct skb_facts facts;
	struct flowhist *hist;	/* the kernel's own sums; NULL: each call has a record */
	struct waiting waiting; /* calls that began before the records: of some nothing will come */
	size_t waiting_next;	/* first that is not decided on */
	u64 unseen, unseen_sockets; /* calls that will be missing; sockets marked for that */
	u32 sums_doubts; /* times that a table did not rest that should have: see cli/flows_sums.h */
	u64 late_sums; /* times that some of them may have been thrown away: see cli/flows_sums.h */
	struct tasklist
		tasks; /* of a recording, and those that records tell of; live with ->o.tree all that were seen */
	struct comms comms; /* of a recording: how threads with records were called last */
	struct netns_snapshot *netns; /* owned; NULL: not known */
	struct strbuf out;
	u64 begin_ns; /* of this interval */
	u64 intervals;
	bool headed;
};

/** flowsink_init - prepare; then come formats, flowsink_start(), the inventory, records. Return: 0 or -errno */
int flowsink_init(struct flowsink *sink, const struct flowsink_options *options, bool big_endian,
		  u8 long_size, struct error *err);
void flowsink_free(struct flowsink *sink);

/** flowsink_add_format - one format file, perhaps of an event of sockets. Return: 0 or -ENOMEM */
int flowsink_add_format(struct flowsink *sink, const char *system, const char *text, size_t len,
			struct error *err);

/** flowsink_start - all formats are known */
int flowsink_start(struct flowsink *sink, struct error *err);

/** flowsink_inventory - take in an inventory. Return: 0 or -ENOMEM */
int flowsink_inventory(struct flowsink *sink, const struct sockdiag *diag, u64 now_ns);

/** flowsink_netns - names of network namespaces; @snapshot becomes owned */
void flowsink_netns(struct flowsink *sink, struct netns_snapshot *snapshot);

/** flowsink_waiting - calls that wait as tracing begins, by the records' clock; @waiting becomes empty, and is owned */
void flowsink_waiting(struct flowsink *sink, struct waiting *waiting);

/**
 * flowsink_run - take in records up to a time
 *
 * Return: 0, 1 when ->o.count intervals are over, or -errno of the output (-EPIPE: the reader has gone).
 */
int flowsink_run(struct flowsink *sink, struct stream *s, u64 limit);

/**
 * flowsink_sums - what the kernel's sums were read to be (flowhist_read()) becomes the sockets'
 * @limit: all records from before are taken in; UINT64_MAX: all there are
 */
int flowsink_sums(struct flowsink *sink, u64 limit);

/** flowsink_tick - no record before @now_ns will come any more. Return: as flowsink_run() */
int flowsink_tick(struct flowsink *sink, u64 now_ns);

/**
 * flowsink_regroup - sum by something else from now on, and show what this interval, which goes on, has had so far
 *
 * Return: 0 or -errno.
 */
int flowsink_regroup(struct flowsink *sink, enum flows_by by, u64 now_ns);

/** flowsink_end - the last interval, which ends here */
int flowsink_end(struct flowsink *sink, u64 end_ns);

/** flowsink_flush - write out what was made of a log. Return: 0 or -EPIPE */
int flowsink_flush(struct flowsink *sink);

/**
 * flowsink_tell - lines on stderr about what was lost, and with ->o.verbose counters
 * @lost: records that the kernel's counters call lost
 * @missed: calls that probes missed
 */
void flowsink_tell(const struct flowsink *sink, const struct stream *s, u64 lost, u64 missed);

#endif
