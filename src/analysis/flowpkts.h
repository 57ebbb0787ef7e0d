/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of sockets from packets, where the kernel tells of no calls.
 *
 * In:  frames of the tap (EVENT_FRAME) and events of sockets, in the order of the stream.
 * Out: these events in the order of their times, and SOCK_EVENT_BYTES with ->from_packets for what frames carried.
 *
 * A frame is written down some time after it was seen, when its socket may be over already. So all is held back
 * until the tap marks that the frames of that time have come.
 *
 * TCP:  how far the highest sequence number of an address pair went, in each direction. So what is sent again, or seen
 *       on several devices, counts once, and what the tap lost counts with the next segment.
 * UDP:  the datagrams' payload, of each address pair and direction on the device where it was seen first, or, when nothing
 *       came there for a second, on another. Of fragments the first tells the length of all.
 *
 * These are bytes on the wire: with TLS encrypted ones, and what nobody has read or acknowledged is among them. Pure, bounded;
 * O(log held) for each event. What gives way when there is no room is counted from the next segment on.
 */
#ifndef SKBTRAIL_ANALYSIS_FLOWPKTS_H
#define SKBTRAIL_ANALYSIS_FLOWPKTS_H

#include "base/error.h"
#include "decode/event.h"
#include "decode/sockevent.h"

#define FLOWPKTS_HOLD_MAX_NS (2 * NSEC_PER_SEC)

struct flowpkts_options {
	u32 max_pairs; /* directions of address pairs; a power of two; 0: 262,144 */
	u32 max_held;  /* 0: 262,144 */
	u64 seed;
};

struct flowpkts_stats {
	u64 frames;	    /* of TCP and UDP */
	u64 repeated_bytes; /* of TCP: sent again, or seen on another device */
	u64 elsewhere;	    /* datagrams seen on another device */
	u64 nobodys_bytes; /* of no socket that is known: forwarded, or of one that is not in the inventory */
	u64 unread;  /* frames without a whole transport header */
	u64 lost;    /* times that the tap lost some */
	u64 hurried; /* let go early: too many at once */
};

struct flowpkts;

int flowpkts_new(struct flowpkts **out, const struct flowpkts_options *options, struct error *err);
void flowpkts_free(struct flowpkts *fp);

/** flowpkts_socket - hold an event of a socket. Return: 0 or -ENOMEM */
int flowpkts_socket(struct flowpkts *fp, const struct sock_event *ev);

/** flowpkts_frame - take in an EVENT_FRAME; marks are such, too. Return: 0 or -ENOMEM */
int flowpkts_frame(struct flowpkts *fp, const struct event *ev);

/**
 * flowpkts_next - the next event whose turn has come
 * @now_ns: no record before will come any more; UINT64_MAX: none at all
 *
 * Return: whether there is one, in @ev.
 */
bool flowpkts_next(struct flowpkts *fp, u64 now_ns, struct sock_event *ev);

/** flowpkts_gone - up to when events were let go, if @now_ns was told to flowpkts_next() */
u64 flowpkts_gone(const struct flowpkts *fp, u64 now_ns);

/**
 * flowpkts_unclaimed - no socket is known for the bytes that flowpkts_next() told of last
 *
 * The segment that completes a handshake may carry the first of them, and comes before the socket. They are told again with
 * the next segment of a connection whose beginning was seen.
 */
void flowpkts_unclaimed(struct flowpkts *fp);

void flowpkts_stats(const struct flowpkts *fp, struct flowpkts_stats *stats);

#endif
