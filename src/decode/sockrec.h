/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of sockets (systems sock and tcp) -> the socket's protocol and address family.
 *
 * They speak of no skb, or of other things beside it, so decode/schema.h passes over them or over these fields.
 */
#ifndef SKBTRAIL_DECODE_SOCKREC_H
#define SKBTRAIL_DECODE_SOCKREC_H

#include "decode/graphrec.h"

struct sock_record {
	s32 pid;
	u16 family;   /* AF_INET ... */
	u16 protocol; /* IPPROTO_TCP ... */
	u8 context;   /* GRAPH_IN_* */
};

struct sock_format {
	u16 id, min_len;
	u16 protocol_of_all; /* when the system tells it: of tcp; 0: ->protocol does */
	struct format_place family, protocol, pid, flags;
};

#define SOCK_FORMATS 64

struct sock_formats {
	struct sock_format format[SOCK_FORMATS];
	u32 nr;
	bool swap;
};

/** sock_formats_add - take in one format file; one without a family is passed over */
void sock_formats_add(struct sock_formats *s, const char *system, const char *text, size_t len);

/**
 * sock_decode - record bytes -> struct sock_record
 * @data: the record, @len bytes, starting with its id @id
 *
 * Return: false when it tells nothing of a socket, or is damaged.
 */
bool sock_decode(const struct sock_formats *s, u16 id, const u8 *data, u32 len,
		 struct sock_record *rec);

#endif
