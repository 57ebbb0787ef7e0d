/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which events tell of sockets and their bytes, by what the kernel allows.
 *
 * In:  features, symbols, where members of struct sock are.
 * Out: definitions as those of probes.h, and tracepoints to be switched on.
 *
 * Pure. The contract with decode/sockevent.h: group skbtrail_<pid>; an event is named like the function or tracepoint,
 * with "_ret" at the return, and "_begin" at the entry of a function whose return nobody probes. Fields, each there only when its place is known:
 *
 *	sk	x64	the struct sock
 *	family	u16	as in it: AF_*
 *	protocol u16	of a tracepoint: IPPROTO_*; a function is of one
 *	da sa	x32	IPv4 addresses as they are in memory; with family AF_INET only
 *	d0 d1 s0 s1 x64	IPv6 addresses, a half each, as they are in memory; with AF_INET6 only
 *	dp	x16	remote port as it is in memory: big-endian
 *	np	u16	local port
 *	ck	x64	cookie; 0: the kernel has given it none yet
 *	ns	u32	inode number of its netns
 *	ret	s32, s64
 *	flags	u32	MSG_* of a tracepoint
 *	dg	x64	the skb of a datagram that a process takes
 *	a4 a5	x64	arguments of a recvmsg() function, one of which is MSG_*
 *
 * All is read through pointers that the kernel itself follows there, so nothing can be stale.
 */
#ifndef SKBTRAIL_CAPTURE_FLOWPROBES_H
#define SKBTRAIL_CAPTURE_FLOWPROBES_H

#include "capture/probes.h"

/* Where bytes come from. */
enum flow_source {
	FLOW_SOURCE_STATES,  /* nowhere: sockets open and close, their bytes are not told */
	FLOW_SOURCE_CALLS,   /* probes at entry and return of functions that send and receive */
	FLOW_SOURCE_RESULTS, /* sock:sock_send_length and _recv_length; addresses from elsewhere */
	FLOW_SOURCE_WHOLE,   /* the same with addresses, by event probes */
};

struct flowprobes_request {
	unsigned int pid; /* names the group */
	u8 max_tier;	  /* enum tier; TIER_NONE: no limit */
	bool latency;	  /* also when send calls begin, and when a socket has something to read */
	bool aggregate;	  /* sums of TCP and UDP in the kernel, where it can */
	u32 table_size;	  /* entries of each table of sums; 0: FLOWPROBES_TABLE */
	u64 half_ticks; /* a power of two: a table counts for so many ticks of the kernel's, then the other one;
			   * 0: there is one */
};

#define FLOWPROBES_EVENTS 8
#define FLOWPROBES_HISTS 4
#define FLOWPROBES_HALVES 2
#define FLOWPROBES_TABLE 16384U

struct flowprobes {
	struct probes probes;
	enum flow_source source;
	const char *events[FLOWPROBES_EVENTS]; /* tracepoints, "sock:inet_sock_set_state" */
	size_t nr_events;
	bool tcp_ends;		    /* each TCP socket's end is told */
	bool udp_ends;		    /* and of the others */
	bool begins;		    /* the entry of send calls is told */
	bool readable;		    /* that a socket has something to read is told */
	bool splices;		    /* what splice() and sendfile() move is told */
	bool aggregated;	    /* events of flowprobes_hists[] have sums, and no records */
	const char *not_aggregated; /* why not, where it was asked for; NULL else */
};

/*
 * Events whose hist triggers sum calls: keys common_pid, sk, pp (the kernel's hash of addresses and ports, remote and local port, as
 * they are in memory); values ret (the bytes) and ck (the cookie, times hitcount as long as it is the same). There are two tables of each:
 * the first counts while the bit half_ticks of the kernel's jiffies is set, the other one while it is not. Each call is in one of
 * them, and the one that rests can be read and cleared.
 */
struct flowprobes_hist {
	const char *name; /* of the event */
	const char *tracepoint;
	u16 proto;
	bool receives;
};

extern const struct flowprobes_hist flowprobes_hists[FLOWPROBES_HISTS];

/** flowprobes_symbols - names that flowprobes_choose() will ask for; as probes_symbols() */
size_t flowprobes_symbols(const char ***names);

/**
 * flowprobes_choose - decide on the events
 * @symbols: NULL: no functions can be probed
 * @out: filled in; to be released with flowprobes_free() whatever is returned
 *
 * Return: 0 or -ENOMEM. What cannot be had is told in out->probes.missing.
 */
int flowprobes_choose(const struct flowprobes_request *rq, const struct features *f,
		      const struct kallsyms *symbols, const struct layout *layout,
		      struct flowprobes *out, struct error *err);
void flowprobes_free(struct flowprobes *p);

/** flow_source_words - what it is, for people */
const char *flow_source_words(enum flow_source source);

#endif
