// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of sockets: see sockevent.h. What an event means is told by its name; where its fields are by its format.
 */
#include "decode/sockevent.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "decode/graphrec.h"
#include "decode/probe_names.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* Events that are no calls, the kernel's own and ours of the same name. */
static const struct {
	const char *system; /* NULL: one of ours */
	const char *name;
	u8 kind;
	u16 proto;
	bool receives;
} plain[] = {
	{ "sock", "inet_sock_set_state", SOCK_EVENT_STATE, 0, false },
	{ "sock", "sock_send_length", SOCK_EVENT_BYTES, 0, false },
	{ "sock", "sock_recv_length", SOCK_EVENT_BYTES, 0, true },
	{ "tcp", "tcp_retransmit_skb", SOCK_EVENT_RETRANSMIT, IPPROTO_TCP, false },
	{ "tcp", "tcp_rcv_space_adjust", SOCK_EVENT_SEEN, IPPROTO_TCP, true },
	{ "tcp", "tcp_destroy_sock", SOCK_EVENT_DESTROY, IPPROTO_TCP, false },
	{ NULL, "sock_send_length", SOCK_EVENT_BYTES, 0, false },
	{ NULL, "sock_recv_length", SOCK_EVENT_BYTES, 0, true },
	{ NULL, SOCK_TAKES_FUNCTION "_begin", SOCK_EVENT_TAKEN, IPPROTO_UDP, true },
	{ NULL, SOCK_READABLE_FUNCTION, SOCK_EVENT_READABLE, 0, true },
	{ NULL, "sk_common_release", SOCK_EVENT_DESTROY, 0, false },
};

int sock_schema_init(struct sock_schema *s, bool big_endian, struct error *err)
{
	memset(s, 0, sizeof(*s));
	s->nr = 1;
	s->swap = big_endian != HOST_BIG_ENDIAN;
	s->type_of = calloc(65536, sizeof(*s->type_of));
	return s->type_of ? 0 : error_errno(err, ENOMEM, "cannot read events of sockets");
}

void sock_schema_free(struct sock_schema *s)
{
	free(s->type_of);
	memset(s, 0, sizeof(*s));
}

static bool is_named(struct format_text text, const char *name)
{
	return text.len == strlen(name) && !memcmp(text.at, name, text.len);
}

/* The call that one of our events is of; at its return its name has "_ret"; "_begin" where something else tells the end. */
static bool find_call(struct sock_event_type *type, struct format_text name)
{
	size_t len, i;

	for (i = 1; i < SOCK_CALL_COUNT; i++) {
		len = strlen(sock_calls[i].function);
		if (name.len < len || memcmp(name.at, sock_calls[i].function, len))
			continue;
		if (name.len == len)
			type->kind = SOCK_EVENT_ENTER;
		else if (name.len == len + 4 && !memcmp(name.at + len, "_ret", 4))
			type->kind = SOCK_EVENT_RETURN;
		else if (name.len == len + 6 && !memcmp(name.at + len, "_begin", 6))
			type->kind = SOCK_EVENT_BEGIN;
		else
			continue;
		type->call = (u8)i;
		type->receives = sock_calls[i].receives;
		type->proto = sock_calls[i].proto;
		return true;
	}
	return false;
}

static bool find_meaning(struct sock_event_type *type, const char *system, struct format_text name)
{
	bool ours = probe_group_is_ours(system);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		if (plain[i].system ? strcmp(plain[i].system, system) != 0 : !ours)
			continue;
		if (!is_named(name, plain[i].name))
			continue;
		type->kind = plain[i].kind;
		type->proto = plain[i].proto;
		type->receives = plain[i].receives;
		return true;
	}
	return ours && find_call(type, name);
}

/* @size: that it must have; 0: that of an integer */
static struct format_place place_of(struct sock_event_type *type, const struct format *f,
				    const char *name, u32 size)
{
	return size ? format_place_sized(f, name, size, &type->min_len) :
		      format_place(f, name, &type->min_len);
}

static void find_fields(struct sock_event_type *type, const struct format *f)
{
	const struct {
		struct format_place *place;
		const char *name;
		u32 size;
	} fields[] = {
		{ &type->pid, "common_pid", 4 },
		{ &type->flags, "common_flags", 1 },
		{ &type->sk, "skaddr", 8 },
		{ &type->skb, "dg", 8 },
		{ &type->cookie, "sock_cookie", 8 },
		{ &type->ret, "ret", 0 },
		{ &type->msg_flags, "flags", 4 },
		{ &type->old_state, "oldstate", 4 },
		{ &type->new_state, "newstate", 4 },
		{ &type->family, "family", 2 },
		{ &type->protocol, "protocol", 2 },
		{ &type->sport, "sport", 2 },
		{ &type->dport, "dport", 2 },
		{ &type->saddr6, "saddr_v6", 16 },
		{ &type->daddr6, "daddr_v6", 16 },
		{ &type->netns, "ns", 4 },
		{ &type->arg4, "a4", 8 },
		{ &type->arg5, "a5", 8 },
		{ &type->be_dport, "dp", 2 },
		{ &type->num, "np", 2 },
		{ &type->daddr, "da", 4 },
		{ &type->rcv_saddr, "sa", 4 },
		{ &type->d0, "d0", 8 },
		{ &type->d1, "d1", 8 },
		{ &type->s0, "s0", 8 },
		{ &type->s1, "s1", 8 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		*fields[i].place = place_of(type, f, fields[i].name, fields[i].size);
	if (!type->sk.size)
		type->sk = place_of(type, f, "sk", 8);
	if (!type->cookie.size)
		type->cookie = place_of(type, f, "ck", 8);
}

/* Whether what the event is about is in its records. */
static bool is_complete(const struct sock_event_type *type)
{
	bool calls = type->kind == SOCK_EVENT_BYTES || type->kind == SOCK_EVENT_RETURN;

	if (type->kind != SOCK_EVENT_RETURN && !type->sk.size)
		return false;
	if (calls && !type->ret.size)
		return false;
	return type->kind != SOCK_EVENT_STATE || (type->old_state.size && type->new_state.size);
}

bool sock_schema_add_format(struct sock_schema *s, const char *system, const char *text, size_t len)
{
	struct sock_event_type type = { 0 };
	struct format f;

	if (s->nr == SOCK_EVENT_TYPES || !format_parse(&f, text, len) ||
	    !find_meaning(&type, system, f.name))
		return false;
	find_fields(&type, &f);
	if (!is_complete(&type))
		return false;
	type.id = (u16)f.id;
	s->has_destroy |= type.kind == SOCK_EVENT_DESTROY && type.proto == IPPROTO_TCP;
	s->type[s->nr] = type;
	s->type_of[type.id] = (u8)s->nr++;
	return true;
}

static s64 load_signed(const u8 *data, struct format_place place, bool swap)
{
	u64 value = format_load(data, place, swap);

	return place.size == 4 ? (s64)(s32)(u32)value : (s64)value;
}

static u16 load_be16(const u8 *data, struct format_place place)
{
	const u8 *at = data + place.offset;

	if (!place.size)
		return 0;
	return (u16)((u32)at[0] << 8 | at[1]);
}

static void copy_addr(u8 *addr, const u8 *data, struct format_place first,
		      struct format_place second)
{
	if (first.size == 16) {
		memcpy(addr, data + first.offset, 16);
	} else if (first.size == 8 && second.size == 8) {
		/* words as they are in memory */
		memcpy(addr, data + first.offset, 8);
		memcpy(addr + 8, data + second.offset, 8);
	}
}

/* Return: false when it is no socket of IPv4 or IPv6. */
static bool decode_addrs(const struct sock_event_type *type, const u8 *data, bool swap,
			 struct sock_addrs *a)
{
	u64 family = format_load(data, type->family, swap);

	if (type->family.size && family != AF_INET && family != AF_INET6)
		return false;
	a->family = family == AF_INET6 ? 6 : family == AF_INET ? 4 : 0;
	a->proto = type->proto ? type->proto : (u16)format_load(data, type->protocol, swap);
	a->lport = (u16)format_load(data, type->sport.size ? type->sport : type->num, swap);
	a->rport = type->dport.size ? (u16)format_load(data, type->dport, swap) :
				      load_be16(data, type->be_dport);
	if (type->saddr6.size) {
		copy_addr(a->local, data, type->saddr6, type->saddr6);
		copy_addr(a->remote, data, type->daddr6, type->daddr6);
	} else if (a->family == 6) {
		copy_addr(a->local, data, type->s0, type->s1);
		copy_addr(a->remote, data, type->d0, type->d1);
	} else if (a->family == 4) {
		if (type->rcv_saddr.size)
			sock_addr_map(a->local, data + type->rcv_saddr.offset);
		if (type->daddr.size)
			sock_addr_map(a->remote, data + type->daddr.offset);
	}
	return true;
}

static bool is_counted(u16 proto)
{
	return !proto || proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ||
	       proto == IPPROTO_MPTCP;
}

bool sock_schema_decode(struct sock_schema *s, u16 id, const u8 *data, u32 len,
			struct sock_event *ev)
{
	const struct sock_event_type *type = &s->type[s->type_of[id]];
	bool swap = s->swap;
	u64 flags;

	if (!type->kind)
		return false;
	if (len < type->min_len) {
		s->short_records++;
		return false;
	}
	memset(ev, 0, sizeof(*ev));
	ev->kind = type->kind;
	ev->call = type->call;
	ev->receives = type->receives;
	ev->tid = ev->pid = (s32)format_load(data, type->pid, swap);
	flags = format_load(data, type->flags, swap);
	ev->in_interrupt = flags & (GRAPH_IN_HARDIRQ | GRAPH_IN_SOFTIRQ);
	ev->ret = load_signed(data, type->ret, swap);
	if (type->kind == SOCK_EVENT_RETURN)
		return true;
	ev->sk = format_load(data, type->sk, swap);
	ev->skb = format_load(data, type->skb, swap);
	ev->cookie = format_load(data, type->cookie, swap);
	ev->netns = (u32)format_load(data, type->netns, swap);
	ev->flags = type->arg5.size ? sock_call_flags(format_load(data, type->arg4, swap),
						      format_load(data, type->arg5, swap)) :
				      (u32)format_load(data, type->msg_flags, swap);
	ev->old_state = (u8)format_load(data, type->old_state, swap);
	ev->new_state = (u8)format_load(data, type->new_state, swap);
	if (ev->sk && decode_addrs(type, data, swap, &ev->addrs) && is_counted(ev->addrs.proto))
		return true;
	ev->foreign = true;
	return ev->kind == SOCK_EVENT_ENTER;
}
