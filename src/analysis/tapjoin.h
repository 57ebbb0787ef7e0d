/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which hop a frame of the tap belongs to.
 *
 * In:  events and EVENT_FRAMEs in the order of the stream; frames come later than their hops.
 * Out: the events, held back a little, in the same order; before one whose frame is known there is an
 *      EVENT_HEADERS with it. An event without one stays as it is: nothing is ever guessed.
 *
 * A frame tells device, direction, length and the time, and on which CPU (or on one of which CPUs).
 * The kernel's code says where its hop's event must be:
 *
 *	sent      xmit_one() in net/core/dev.c shows the packet to the sockets and then tells
 *	          net_dev_start_xmit, in one go on one CPU with softirqs off: it is the first such event
 *	          there after the frame, with nothing but the free of the sockets' clone in between
 *	received  __netif_receive_skb_core() tells netif_receive_skb and then shows the packet to the
 *	          sockets: it is the last such event there before the frame, with nothing in between
 *
 * A received frame may carry an earlier time: that at which the stack got the packet, when some
 * process wants time stamps of packets (ping does). Then its event is anywhere from there to the frame
 * that this CPU showed next. All events that the frame can belong to are collected, so the true one
 * is among them, and a frame is joined when only one is possible: because there is but one, because all
 * others belong to other frames, or because as many frames as events are left, which one CPU showed
 * in the order of its events. A frame near lost records is not joined.
 *
 * Kernels with PREEMPT_RT are outside of what the above says: capture/tap.c does not tap them.
 */
#ifndef SKBTRAIL_ANALYSIS_TAPJOIN_H
#define SKBTRAIL_ANALYSIS_TAPJOIN_H

#include "base/error.h"
#include "decode/event.h"

/* Events are held back until the tap marks that the frames of their time are written down. */
#define TAPJOIN_HOLD_MIN_NS (50 * NSEC_PER_MSEC)
#define TAPJOIN_HOLD_MAX_NS (2 * NSEC_PER_SEC)
/* ... and are looked at when so much has come together. */
#define TAPJOIN_BATCH_NS (50 * NSEC_PER_MSEC)
#define TAPJOIN_MAX_EVENTS (1u << 20)
#define TAPJOIN_MAX_FRAMES (1u << 16)

struct tapjoin_options {
	void (*event)(void *ctx, const struct event *ev);
	void (*lost)(void *ctx, u16 cpu, u64 from_ns, u64 to_ns, u64 count, bool uncounted);
	void *ctx;
	u32 max_events, max_frames; /* 0: TAPJOIN_MAX_* */
	/* The last records of a CPU may be missing, with nothing to tell of it: a recorder was killed. Then
	 * a frame is joined only when its CPU's events go on behind it. */
	bool cut_off;
};

struct tapjoin_stats {
	u64 frames;	  /* that came */
	u64 joined;	  /* frames whose hop is known */
	u64 ambiguous;	  /* more than one hop is possible, or records near it were lost */
	u64 alone;	  /* no hop fits: no event tells of it, or it was not recorded */
	u64 late;	  /* came after the events of its time had been let go */
	u64 refused;	  /* too many at once */
	u64 lost;	  /* times that the tap lost some, by its own word */
	u64 hops_joined;  /* events of sending and receiving whose frame is known */
	u64 hops_alone;	  /* ... is not known */
	u64 own_frees;	  /* frees of the tap's own clones, left out */
	u64 hurried;	  /* events let go early: too many at once */
	u64 max_delay_ns; /* from a frame to its record */
};

struct tapjoin;

/** tapjoin_new - Return: 0 or -ENOMEM */
int tapjoin_new(struct tapjoin **out, const struct tapjoin_options *options, struct error *err);
void tapjoin_free(struct tapjoin *tj);

/** tapjoin_event - take in the next event or frame; its time is not before the last one's */
void tapjoin_event(struct tapjoin *tj, const struct event *ev);

/** tapjoin_lost - as paths_lost(); told on in its turn */
void tapjoin_lost(struct tapjoin *tj, u16 cpu, u64 from_ns, u64 to_ns, u64 count, bool uncounted);

/** tapjoin_tick - nothing before @now_ns (trace time) will come any more */
void tapjoin_tick(struct tapjoin *tj, u64 now_ns);

/** tapjoin_gone - up to when events were let go */
u64 tapjoin_gone(const struct tapjoin *tj);

/** tapjoin_finish - the trace ends: let everything go */
void tapjoin_finish(struct tapjoin *tj);

const struct tapjoin_stats *tapjoin_stats(const struct tapjoin *tj);

#endif
