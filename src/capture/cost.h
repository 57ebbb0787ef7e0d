/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tracing costs on this machine: measured, on packets of our own.
 *
 * In:  a session, not started; before that nothing.
 * Out: how long a packet takes without it and with it, and how many records it leaves.
 *
 * The packets are UDP datagrams over the loopback device of a network namespace made for them, one after
 * the other, sent and read on one CPU. Such a packet goes down the stack and up again in one go, so its time
 * is the kernel's time for it, and nobody else sees it. The same is timed twice: before anything is armed,
 * and with all events of the session on. The difference is what tracing costs, the records' making and the
 * probes' entering together. It is the least of many short batches: whatever disturbs a batch makes it longer.
 *
 * What that is not: the reader's time (getrusage(2) tells that), and the truth about other packets, whose
 * records come from other events and hold more or less. Taken per record it is an estimate for these.
 */
#ifndef SKBTRAIL_CAPTURE_COST_H
#define SKBTRAIL_CAPTURE_COST_H

#include "base/error.h"
#include "base/types.h"
#include "capture/session.h"

struct cost {
	u32 packets;   /* in a batch; 0: not measured */
	u32 records;   /* the fewest that a batch left */
	u64 off_ns;    /* the least time that a batch took without tracing */
	u64 on_ns;     /* and with it */
	char why[160]; /* why it was not measured; "" when it was */
};

/** cost_known - whether there is a cost per packet of the measured kind */
static inline bool cost_known(const struct cost *cost)
{
	return cost->packets && cost->on_ns;
}

/** cost_batch_ns - what tracing added to a batch; 0 when that is less than what disturbs the clock */
static inline u64 cost_batch_ns(const struct cost *cost)
{
	return cost->on_ns > cost->off_ns ? cost->on_ns - cost->off_ns : 0;
}

/** cost_record_ns - nanoseconds a record; 0 when no records were left, so that nobody knows */
static inline u64 cost_record_ns(const struct cost *cost)
{
	return cost->records ? (cost_batch_ns(cost) + cost->records / 2) / cost->records : 0;
}

struct cost_link;

/**
 * cost_link_open - a network namespace for the packets, with its loopback device up
 * @out: NULL on failure; the namespace lives until cost_link_close()
 *
 * Return: 0; -errno when there can be none (CAP_SYS_ADMIN is missing, no IPv4).
 */
int cost_link_open(struct cost_link **out, struct error *err);
void cost_link_close(struct cost_link *link);

/** cost_time_off - time packets while nothing of ours is armed; sets packets and off_ns */
int cost_time_off(struct cost_link *link, struct cost *cost, struct error *err);

/**
 * cost_time_on - time packets with a session's events on; sets on_ns and records
 * @session: open and not started; it is started for this, stopped, and emptied again
 *
 * Takes a tenth of a second; nothing else of the session changes.
 */
int cost_time_on(struct cost_link *link, struct session *session, struct cost *cost,
		 struct error *err);

#endif
