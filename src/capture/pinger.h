/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ping of our own: ICMP echo requests sent from inside a netns, one at a time.
 *
 * In:  a netns, an address, how many.
 * Out: how many were sent and answered, and the round-trip times.
 *
 * Runs on a thread of its own, named "demo-ping" (so traces show that name), which alone enters the
 * netns. Nothing is changed outside the thread: no sysctl, no signal disposition, no address.
 */
#ifndef SKBTRAIL_CAPTURE_PINGER_H
#define SKBTRAIL_CAPTURE_PINGER_H

#include "base/error.h"
#include "base/types.h"

#define PINGER_PAYLOAD 56U /* like ping(8): frames of 98 bytes over IPv4, 118 over IPv6 */

struct pinger_request {
	int netns_fd;	     /* where to send from; stays the caller's, must stay open */
	const char *address; /* numeric IPv4 or IPv6; decides the family; copied */
	u32 count;	     /* requests to send */
	u32 interval_ms;     /* pause after each reply; 0: none */
	u32 timeout_ms;	     /* for each reply; 0: 1000 */
};

struct pinger_result {
	u32 sent;
	u32 received;
	u64 rtt_min_ns; /* all three 0 when nothing was received */
	u64 rtt_avg_ns;
	u64 rtt_max_ns;
	u32 tid;	 /* the thread that sent, as common_pid in a trace */
	bool raw_socket; /* a raw socket was used because ping sockets were refused */
};

struct pinger;

/**
 * pinger_start - begin to ping and return at once
 *
 * Return: 0 or -errno (bad address, no thread); what goes wrong later is told by pinger_finish().
 */
int pinger_start(struct pinger **out, const struct pinger_request *request, struct error *err);

/** pinger_fd - a descriptor that poll() finds readable once pinging is over; owned by @pinger */
int pinger_fd(const struct pinger *pinger);

/** pinger_stop - send no more; pinger_finish() then returns at once. Signal-safe */
void pinger_stop(struct pinger *pinger);

/**
 * pinger_finish - wait for the end, take the result and free @pinger
 * @result: filled in on success and, as far as it got, on failure; may be NULL
 *
 * A lost reply is no error: compare sent and received.
 *
 * Return: 0 or -errno of entering the netns, making the socket or sending.
 */
int pinger_finish(struct pinger *pinger, struct pinger_result *result, struct error *err);

/** pinger_run - pinger_start() and pinger_finish() in one */
int pinger_run(const struct pinger_request *request, struct pinger_result *result,
	       struct error *err);

#endif
