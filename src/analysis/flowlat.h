/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long what a socket sends and receives takes inside of the machine.
 *
 * In:  events of packets and of sockets, in time order.
 * Out: for each socket and interval three histograms, and how many cases could not be measured.
 *
 *  send	a send call's entry -> the first packet with data of that socket at a device (net_dev_queue)
 *  queue	a packet at the device that received it last -> in the queue of its socket, which is told of it
 *  read	a packet at the device that received it last -> the return of the call that read its first byte
 *
 * What is joined is certain, by its kind:
 *  send	the packet is queued by the thread that is in the call, and its skb->sk is the socket
 *  queue	the socket is told in the same context on the same CPU in which the protocol took the packet (LAYER_L4_IN),
 *		and the packet's addresses are the socket's
 *  read	TCP: the skbs that the thread copied since are as long as what the call returned; the first of them counts,
 *		if nothing of it was read before. UDP: the skb that the thread took (skb_consume_udp), or where that is not
 *		told freed last, of the datagram's length.
 *		Where headers are known, addresses must be the socket's
 * All else is counted in ->unjoined.
 *
 * Pure, O(1) for each event, and bounded: of each table four places are looked at, the oldest gives way.
 */
#ifndef SKBTRAIL_ANALYSIS_FLOWLAT_H
#define SKBTRAIL_ANALYSIS_FLOWLAT_H

#include "analysis/flows.h"
#include "base/error.h"
#include "decode/event.h"
#include "decode/sockevent.h"

enum flowlat_kind { FLOWLAT_SEND, FLOWLAT_QUEUE, FLOWLAT_READ, FLOWLAT_KINDS };

/* [0]: 0 and 1 ns; [i]: 2^i to 2^(i+1) - 1 ns; the last also what is longer (9 minutes). */
#define FLOWLAT_BUCKETS 40

struct flow_hist {
	u64 count, sum_ns, min_ns, max_ns;
	u32 bucket[FLOWLAT_BUCKETS];
};

/* Of a socket in this interval. */
struct flow_latency {
	struct flow_hist hist[FLOWLAT_KINDS];
	u32 unjoined[FLOWLAT_KINDS]; /* calls, or for FLOWLAT_QUEUE times that it was told */
};

struct flowlat_options {
	u32 max_skbs, max_tasks, max_sockets; /* 0: 65,536, 4,096, 65,536; powers of two */
	u64 seed;			      /* of the hash tables */
};

struct flowlat_stats {
	u64 joined[FLOWLAT_KINDS], unjoined[FLOWLAT_KINDS];
	u64 no_room; /* measured, but of more sockets in an interval than there is room for */
};

struct flowlat;

int flowlat_new(struct flowlat **out, const struct flowlat_options *options, struct error *err);
void flowlat_free(struct flowlat *lat);

/** flowlat_packet - an event of a packet */
void flowlat_packet(struct flowlat *lat, const struct event *ev);

/** flowlat_begin - a call begins: SOCK_EVENT_ENTER or SOCK_EVENT_BEGIN */
void flowlat_begin(struct flowlat *lat, const struct sock_event *ev);

/** flowlat_taken - a thread takes a datagram: SOCK_EVENT_TAKEN */
void flowlat_taken(struct flowlat *lat, const struct sock_event *ev);

/**
 * flowlat_bytes - a call is over: SOCK_EVENT_BYTES
 * @flow: the socket; NULL: one that nobody wants to know of
 */
void flowlat_bytes(struct flowlat *lat, const struct flow *flow, const struct sock_event *ev);

/**
 * flowlat_readable_addrs - whom the packet is for, of which SOCK_EVENT_READABLE tells, where the socket is not known by its address yet
 * @addrs: as the socket of the packet would have them
 *
 * Return: false when it is not known which packet it is.
 */
bool flowlat_readable_addrs(const struct flowlat *lat, const struct sock_event *ev,
			    struct sock_addrs *addrs);

/**
 * flowlat_readable - a socket is told that there is something to read: SOCK_EVENT_READABLE
 * @flow: as above
 *
 * Return: whether a time was measured, maybe in an interval in which no call moves bytes of that socket.
 */
bool flowlat_readable(struct flowlat *lat, const struct flow *flow, const struct sock_event *ev);

/** flowlat_lost - records are missing here: nothing is joined across */
void flowlat_lost(struct flowlat *lat);

/** flowlat_once - what there was of a socket in this interval; NULL: nothing, or it was asked for before */
const struct flow_latency *flowlat_once(struct flowlat *lat, u64 flow_number);

/** flowlat_measured - whether there is a time of a socket in this interval */
bool flowlat_measured(const struct flowlat *lat, u64 flow_number);

/** flowlat_next_interval - forget all histograms */
void flowlat_next_interval(struct flowlat *lat);

void flowlat_stats(const struct flowlat *lat, struct flowlat_stats *stats);

/** flowlat_add - count a time in a histogram */
void flowlat_add(struct flow_hist *hist, u64 ns);

#endif
