// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A row for each function: see flowprobes_table.h.
 *
 * What calls what for the same socket, from net/ of the sources: udpv6_sendmsg() calls udp_sendmsg() for a peer of
 * IPv4; udp_sendpage() (up to 6.4) calls udp_sendmsg() with no bytes first, and with all of them where pages cannot be
 * sent. tcp_sendpage() (up to 6.4) does not call tcp_sendmsg(), nor does TLS call either of the two. Since 6.5
 * sendfile() and splice() to a socket are calls of sendmsg(). tcp_splice_read() calls skb_splice_bits() for each
 * skb, and returns the sum of what that returned; UNIX sockets call it, too.
 */
#include "capture/flowprobes_table.h"

#include <netinet/in.h>

const struct sock_call_row sock_calls[SOCK_CALL_COUNT] = {
	[SOCK_CALL_TLS_SEND] = { .function = "tls_sw_sendmsg", .layer = 1, .proto = IPPROTO_TCP },
	[SOCK_CALL_TLS_DEVICE_SEND] = { .function = "tls_device_sendmsg",
					.layer = 1,
					.proto = IPPROTO_TCP },
	[SOCK_CALL_TLS_SENDPAGE] = { .function = "tls_sw_sendpage",
				     .layer = 1,
				     .proto = IPPROTO_TCP,
				     .splices = true },
	[SOCK_CALL_TLS_RECEIVE] = { .function = "tls_sw_recvmsg",
				    .layer = 1,
				    .proto = IPPROTO_TCP,
				    .receives = true,
				    .has_flags = true },
	[SOCK_CALL_TLS_SPLICE] = { .function = "tls_sw_splice_read",
				   .layer = 1,
				   .proto = IPPROTO_TCP,
				   .receives = true,
				   .by_socket = true,
				   .splices = true },
	[SOCK_CALL_TCP_SENDPAGE] = { .function = "tcp_sendpage",
				     .layer = 2,
				     .proto = IPPROTO_TCP,
				     .splices = true },
	[SOCK_CALL_UDP_SENDPAGE] = { .function = "udp_sendpage",
				     .layer = 2,
				     .proto = IPPROTO_UDP,
				     .splices = true },
	[SOCK_CALL_UDP6_SEND] = { .function = "udpv6_sendmsg", .layer = 3, .proto = IPPROTO_UDP },
	[SOCK_CALL_TCP_SEND] = { .function = "tcp_sendmsg", .layer = 4, .proto = IPPROTO_TCP },
	[SOCK_CALL_UDP_SEND] = { .function = "udp_sendmsg", .layer = 4, .proto = IPPROTO_UDP },
	[SOCK_CALL_TCP_RECEIVE] = { .function = "tcp_recvmsg",
				    .layer = 4,
				    .proto = IPPROTO_TCP,
				    .receives = true,
				    .has_flags = true },
	[SOCK_CALL_TCP_SPLICE] = { .function = "tcp_splice_read",
				   .layer = 4,
				   .proto = IPPROTO_TCP,
				   .receives = true,
				   .by_socket = true,
				   .splices = true },
	[SOCK_CALL_SKB_SPLICE] = { .function = "skb_splice_bits",
				   .layer = 5,
				   .proto = IPPROTO_TCP,
				   .receives = true,
				   .splices = true,
				   .stands_in = true },
	[SOCK_CALL_UDP_RECEIVE] = { .function = "udp_recvmsg",
				    .layer = 4,
				    .proto = IPPROTO_UDP,
				    .receives = true,
				    .has_flags = true },
	[SOCK_CALL_UDP6_RECEIVE] = { .function = "udpv6_recvmsg",
				     .layer = 4,
				     .proto = IPPROTO_UDP,
				     .receives = true,
				     .has_flags = true },
};
