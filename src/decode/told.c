// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses from tracepoints; see told.h.
 */
#include "decode/told.h"

#include <netinet/in.h>

#include "decode/format.h"

/* As the kernel stores them on each architecture, whatever the reader's libc has. */
#define KERNEL_AF_INET 2
#define KERNEL_AF_INET6 10
#define SOCKADDR_BYTES 28 /* struct sockaddr_in6; a sockaddr_in is shorter */
#define UDP_HEADER_BYTES 8

/* An array of exactly so many bytes in the fixed part of the record. */
static struct field_place bytes_at(struct event_type *type, const struct format *f,
				   const char *name, u32 size)
{
	const struct format_field *field = format_find(f, name);

	if (!field || !field->array || field->data_loc || field->rel_loc || field->size != size ||
	    field->offset > SCHEMA_MAX_OFFSET)
		return (struct field_place){ 0, 0 };
	return schema_reach(type, field->offset, field->size);
}

static void find_tcp_probe(struct event_type *type, const struct format *f)
{
	/* The socket's side is where the packet goes to. */
	type->told_src = bytes_at(type, f, "daddr", SOCKADDR_BYTES);
	type->told_dst = bytes_at(type, f, "saddr", SOCKADDR_BYTES);
	if (type->told_src.size && type->told_dst.size)
		type->told = TOLD_RECEIVED;
}

static void find_icmp_send(struct event_type *type, const struct format *f)
{
	type->told_src = bytes_at(type, f, "saddr", 4);
	type->told_dst = bytes_at(type, f, "daddr", 4);
	type->told_sport = schema_place(type, f, "sport");
	type->told_dport = schema_place(type, f, "dport");
	type->told_len = schema_place(type, f, "ulen");
	if (type->told_src.size && type->told_dst.size && type->told_sport.size == 2 &&
	    type->told_dport.size == 2 && type->told_len.size == 2)
		type->told = TOLD_IN_HAND;
}

void told_find(struct event_type *type, const struct format *f, const char *system)
{
	if (!strcmp(system, "tcp") && !strcmp(type->name, "tcp_probe"))
		find_tcp_probe(type, f);
	else if (!strcmp(system, "icmp") && !strcmp(type->name, "icmp_send"))
		find_icmp_send(type, f);
}

/* An address and a port of a socket. */
struct endpoint {
	u8 addr[16];
	u8 version;
	u16 port;
};

/* An IPv6 socket may carry IPv4: such packets are IPv4. */
static void unmap(struct endpoint *e)
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(e->addr, mapped, sizeof(mapped)) != 0)
		return;
	memmove(e->addr, e->addr + 12, 4);
	memset(e->addr + 4, 0, 12);
	e->version = 4;
}

/* A struct sockaddr_in or sockaddr_in6; the family is in the kernel's byte order, the rest as on the wire. */
static bool read_sockaddr(struct endpoint *e, const u8 *at, bool swap)
{
	u16 family = load_u16(at, swap);

	memset(e, 0, sizeof(*e));
	e->port = (u16)(at[2] << 8 | at[3]);
	if (family == KERNEL_AF_INET) {
		memcpy(e->addr, at + 4, 4);
		e->version = 4;
	} else if (family == KERNEL_AF_INET6) {
		memcpy(e->addr, at + 8, 16);
		e->version = 6;
		unmap(e);
	} else {
		return false;
	}
	return e->port != 0;
}

static void set_packet(struct skb_facts *facts, const struct endpoint *src,
		       const struct endpoint *dst, u8 proto)
{
	struct packet_net *net = &facts->packet.net[0];

	facts->has_packet = true;
	facts->packet.nr_nets = 1;
	net->part = PART_OK;
	net->only_tuple = true;
	net->version = src->version;
	net->proto = proto;
	memcpy(net->src, src->addr, sizeof(net->src));
	memcpy(net->dst, dst->addr, sizeof(net->dst));
	net->sport = src->port;
	net->dport = dst->port;
}

bool told_decode(const struct event_type *type, const u8 *data, bool swap, struct skb_facts *facts)
{
	struct endpoint src = { .version = 4 }, dst = { .version = 4 };
	const u8 *src_at = data + type->told_src.offset, *dst_at = data + type->told_dst.offset;

	if (type->told == TOLD_RECEIVED) {
		if (!read_sockaddr(&src, src_at, swap) || !read_sockaddr(&dst, dst_at, swap) ||
		    src.version != dst.version)
			return false;
	} else {
		/* The kernel writes 0 for all that is not UDP, or where it is not whole. */
		if (schema_load(data, type->told_len, swap) < UDP_HEADER_BYTES)
			return false;
		memcpy(src.addr, src_at, 4);
		memcpy(dst.addr, dst_at, 4);
		src.port = (u16)schema_load(data, type->told_sport, swap);
		dst.port = (u16)schema_load(data, type->told_dport, swap);
	}
	memset(facts, 0, sizeof(*facts));
	facts->told = type->told;
	set_packet(facts, &src, &dst, type->told == TOLD_RECEIVED ? IPPROTO_TCP : IPPROTO_UDP);
	return true;
}
