/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions whose calls are probed for the bytes of sockets, and what must be known to count a call once.
 */
#ifndef SKBTRAIL_CAPTURE_FLOWPROBES_TABLE_H
#define SKBTRAIL_CAPTURE_FLOWPROBES_TABLE_H

#include "base/types.h"

/*
 * Functions that carry a user's bytes. Where one calls another for the same socket, the outer one has the smaller
 * layer, and it is the one that counts.
 */
enum sock_call {
	SOCK_CALL_NONE,
	SOCK_CALL_TLS_SEND,
	SOCK_CALL_TLS_DEVICE_SEND,
	SOCK_CALL_TLS_SENDPAGE,
	SOCK_CALL_TLS_RECEIVE,
	SOCK_CALL_TLS_SPLICE,
	SOCK_CALL_TCP_SENDPAGE,
	SOCK_CALL_UDP_SENDPAGE,
	SOCK_CALL_UDP6_SEND,
	SOCK_CALL_TCP_SEND,
	SOCK_CALL_UDP_SEND,
	SOCK_CALL_TCP_RECEIVE,
	SOCK_CALL_TCP_SPLICE,
	SOCK_CALL_SKB_SPLICE,
	SOCK_CALL_UDP_RECEIVE,
	SOCK_CALL_UDP6_RECEIVE,
	SOCK_CALL_COUNT
};

/* Tells who waits for a socket that there is something to read, but where a module has put its own in its place. */
#define SOCK_READABLE_FUNCTION "sock_def_readable"

/* A process takes a datagram; its skb may be freed later, on another CPU. */
#define SOCK_TAKES_FUNCTION "skb_consume_udp"

struct sock_call_row {
	const char *function;
	u8 layer; /* of calls within each other, the one with the smaller layer is outside */
	u8 proto; /* IPPROTO_* */
	bool receives;
	bool by_socket; /* its first argument is a struct socket, not a struct sock */
	bool stands_in; /* for tcp_splice_read(), where socket.sk is not known; the sock is its second argument */
	bool has_flags; /* its fourth argument has MSG_*, or its fifth: sock_call_flags() */
	bool splices;	/* it is not told of by sock:sock_send_length and sock:sock_recv_length */
};

extern const struct sock_call_row sock_calls[SOCK_CALL_COUNT];

/**
 * sock_call_flags - MSG_* of a recvmsg() function from its fourth and fifth argument
 *
 * Up to 5.18 the fourth is noblock (0 or MSG_DONTWAIT) and the fifth the flags, since 5.19 (ec095263a965 "net: remove
 * noblock parameter from recvmsg() entities") the fourth is the flags and the fifth int *addr_len, which is
 * an address on the caller's stack. An int, whether it was extended with its sign or with zeros, is no such address.
 */
static inline u32 sock_call_flags(u64 arg4, u64 arg5)
{
	bool is_pointer = arg5 > UINT32_MAX && arg5 < 0xffffffff80000000ULL;

	return (u32)(is_pointer ? arg4 : arg5);
}

#endif
