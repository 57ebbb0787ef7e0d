/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tap: packet sockets beside a capture that has no probes, so that its packets get their headers.
 *
 * In:  frames of every device of every network namespace, as packet sockets see them.
 * Out: a tap_record.h record for each in the capture's own buffers, through trace_marker_raw. So live
 *      tracing and a recording are one stream; analysis/tapjoin.c says which hop each belongs to.
 *
 * In each netns there is a socket for each CPU, which tells on which CPU a frame was seen: between
 * that and the hop's own event nothing else can happen on that CPU. The kernel clones each packet that
 * is sent while a packet socket is open, as for tcpdump. All of it vanishes with the process.
 */
#ifndef SKBTRAIL_CAPTURE_TAP_H
#define SKBTRAIL_CAPTURE_TAP_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/types.h"
#include "kernel/netns.h"

struct tap;

struct tap_stats {
	u64 frames;	/* written into the trace */
	u64 lost;	/* times that a ring was full, so that frames were lost */
	u64 refused;	/* frames that the trace did not take */
	int refused_by; /* errno of the first of these */
};

/**
 * tap_open - open packet sockets in every netns there is now
 * @options: netns that the caller holds, with ->only_held no others; NULL: none
 * @problems: a line is appended for each netns that cannot be tapped; the others are
 *
 * Return: 0 or -errno, when no netns can be tapped at all: -EPERM without CAP_NET_RAW.
 */
int tap_open(struct tap **out, const struct netns_take_options *options, struct strbuf *problems,
	     struct error *err);

/** tap_try - whether this process may open such a socket, in its own netns. Return: 0 or -errno */
int tap_try(struct error *err);

/**
 * tap_start - write frames from now on
 * @instance_dir: of the capture, which must be tracing already, with the clock "mono"
 */
int tap_start(struct tap *tap, const char *instance_dir, struct error *err);

/** tap_stop - write what was seen until now, and no more; before tracing is switched off */
void tap_stop(struct tap *tap);

/** tap_size - how many netns are tapped, and with how many sockets each */
void tap_size(const struct tap *tap, u32 *nr_netns, u32 *sockets_each);

/** tap_stats - after tap_stop() */
void tap_stats(const struct tap *tap, struct tap_stats *stats);

/** tap_close - must come before the instance is removed; NULL is allowed */
void tap_close(struct tap *tap);

#endif
