/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records that speak of a socket -> struct sock_event.
 *
 * In:  formats of sock:inet_sock_set_state, tcp:tcp_retransmit_skb, tcp:tcp_destroy_sock, sock:sock_send_length,
 *      sock:sock_recv_length, and of the events that capture/flowprobes.h defines; then records.
 * Out: what happened to which socket. Calls are told by their entry and their return, which
 *      analysis/sockcalls.h puts together.
 *
 * Nothing about a layout is compiled in. What a record does not tell is 0, and never guessed.
 */
#ifndef SKBTRAIL_DECODE_SOCKEVENT_H
#define SKBTRAIL_DECODE_SOCKEVENT_H

#include "base/error.h"
#include "base/sockaddrs.h"
#include "base/types.h"
#include "capture/flowprobes_table.h"
#include "decode/format.h"

/* Numbers of the kernel's, include/net/tcp_states.h: part of its interface to user space. */
enum {
	SOCK_ESTABLISHED = 1,
	SOCK_SYN_SENT,
	SOCK_SYN_RECV,
	SOCK_FIN_WAIT1,
	SOCK_FIN_WAIT2,
	SOCK_TIME_WAIT,
	SOCK_CLOSE,
	SOCK_CLOSE_WAIT,
	SOCK_LAST_ACK,
	SOCK_LISTEN,
	SOCK_CLOSING,
	SOCK_NEW_SYN_RECV,
	SOCK_STATES
};

enum sock_event_kind {
	SOCK_EVENT_NONE,
	SOCK_EVENT_STATE,      /* ->old_state, ->new_state */
	SOCK_EVENT_BYTES,      /* a call that is over: ->ret, ->flags, ->receives */
	SOCK_EVENT_ENTER,      /* the call ->call began; of the return only ->ret is known */
	SOCK_EVENT_RETURN,     /* the call ->call of this task returned ->ret; no ->sk */
	SOCK_EVENT_RETRANSMIT, /* a segment was sent again */
	SOCK_EVENT_SEEN,       /* nothing happened, but it tells which socket has this address */
	SOCK_EVENT_BEGIN, /* the call ->call began; when it is over SOCK_EVENT_BYTES tells without a RETURN */
	SOCK_EVENT_TAKEN, /* the thread takes the datagram ->skb; of addresses only these are known */
	SOCK_EVENT_READABLE, /* who waits is told that there is something to read; of addresses only these are known */
	SOCK_EVENT_DESTROY, /* the end of the socket: its address may be another's from now on */
};

/* Of MSG_*, what makes a return value no bytes that were taken. */
#define SOCK_MSG_PEEK 0x2U
#define SOCK_MSG_ERRQUEUE 0x2000U

struct sock_event {
	u64 ts_ns;
	u64 sk;	    /* address; 0 with SOCK_EVENT_RETURN */
	u64 skb;    /* SOCK_EVENT_TAKEN */
	u64 cookie; /* 0: not told, or the kernel has not given it one yet */
	u64 calls;  /* that ->ret is the sum of; 0: it is one */
	s64 ret;    /* what the call returned: bytes, or below 0 an errno */
	u32 netns;  /* inode number; 0 not told */
	u32 flags;  /* MSG_* of the call, as far as told */
	s32 tid;    /* the thread that was running */
	s32 pid; /* its process; the decoder takes the thread for one, who knows better says so */
	u16 cpu;
	u8 kind; /* enum sock_event_kind */
	u8 call; /* enum sock_call; with SOCK_EVENT_BYTES from a tracepoint SOCK_CALL_NONE */
	u8 old_state, new_state;
	bool receives;
	bool in_interrupt; /* ->tid has nothing to do with it */
	bool from_packets; /* SOCK_EVENT_BYTES: no call, but what packets carried; no ->sk */
	bool foreign; /* SOCK_EVENT_ENTER: not of TCP or UDP, only there to be paired with its return */
	struct sock_addrs addrs;
	char comm[16]; /* of ->tid; "" not told */
};

struct sock_event_type {
	u8 kind;   /* enum sock_event_kind */
	u8 call;   /* enum sock_call */
	u16 proto; /* that all of its records are of; 0: ->protocol says */
	u16 id;
	u16 min_len;
	bool receives;
	struct format_place pid, flags, sk, skb, cookie, netns, ret, msg_flags, arg4, arg5,
		old_state, new_state;
	struct format_place family, protocol, sport, dport, saddr6,
		daddr6; /* as tracepoints have them */
	struct format_place be_dport, num, daddr, rcv_saddr, d0, d1, s0, s1; /* as our probes do */
};

#define SOCK_EVENT_TYPES 48

struct sock_schema {
	struct sock_event_type type[SOCK_EVENT_TYPES];
	u32 nr;	     /* [0] stands for none */
	u8 *type_of; /* 65,536 entries by event id */
	bool swap;
	bool has_destroy; /* SOCK_EVENT_DESTROY of TCP will come */
	u64 short_records;
};

/** sock_schema_init - @big_endian: byte order of the records. Return: 0 or -ENOMEM */
int sock_schema_init(struct sock_schema *s, bool big_endian, struct error *err);
void sock_schema_free(struct sock_schema *s);

/**
 * sock_schema_add_format - take in one format file
 * @system: "sock", "skbtrail_4711", ...
 * @text: may come from a stranger
 *
 * Return: whether its records speak of sockets; of others nothing is kept.
 */
bool sock_schema_add_format(struct sock_schema *s, const char *system, const char *text,
			    size_t len);

/**
 * sock_schema_decode - record bytes -> struct sock_event
 * @data: the record, @len bytes, of the event @id
 *
 * ts_ns and cpu are the caller's.
 *
 * Return: false when it does not speak of a socket of TCP or UDP; but see ->foreign.
 */
bool sock_schema_decode(struct sock_schema *s, u16 id, const u8 *data, u32 len,
			struct sock_event *ev);

#endif
