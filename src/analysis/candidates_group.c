// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a call is about: operation, protocol and family of its socket.
 *
 * By the slots of operations tables that the call passed: a function that is in tcp_prot and tcpv6_prot says
 * TCP, one in inet6_stream_ops and inet6_dgram_ops says IPv6; what all agree on is it. Where tables are not
 * known, by how the functions in slots (of other kernels) are called, which is said.
 */
#include <stdio.h>
#include <string.h>

#include "analysis/candidates_priv.h"

#define FAMILY_BIT(f) (1U << (f))

static const struct {
	const char *syscall;
	u8 operation;
	bool maybe; /* of files, too */
} syscalls[] = {
	{ "connect", OPERATION_CONNECT, false }, { "accept", OPERATION_ACCEPT, false },
	{ "accept4", OPERATION_ACCEPT, false },	 { "send", OPERATION_SEND, false },
	{ "sendto", OPERATION_SEND, false },	 { "sendmsg", OPERATION_SEND, false },
	{ "sendmmsg", OPERATION_SEND, false },	 { "sendfile", OPERATION_SEND, true },
	{ "sendfile64", OPERATION_SEND, true },	 { "splice", OPERATION_SEND, true },
	{ "write", OPERATION_SEND, true },	 { "writev", OPERATION_SEND, true },
	{ "pwritev", OPERATION_SEND, true },	 { "pwritev2", OPERATION_SEND, true },
	{ "recv", OPERATION_RECEIVE, false },	 { "recvfrom", OPERATION_RECEIVE, false },
	{ "recvmsg", OPERATION_RECEIVE, false }, { "recvmmsg", OPERATION_RECEIVE, false },
	{ "read", OPERATION_RECEIVE, true },	 { "readv", OPERATION_RECEIVE, true },
	{ "preadv", OPERATION_RECEIVE, true },	 { "preadv2", OPERATION_RECEIVE, true },
	{ "socketcall", OPERATION_NONE, true },
};

static const struct {
	const char *slot;
	u8 operation;
} slot_names[] = {
	{ "connect", OPERATION_CONNECT },     { "accept", OPERATION_ACCEPT },
	{ "sendmsg", OPERATION_SEND },	      { "write_iter", OPERATION_SEND },
	{ "sendpage", OPERATION_SEND },	      { "splice_write", OPERATION_SEND },
	{ "recvmsg", OPERATION_RECEIVE },     { "read_iter", OPERATION_RECEIVE },
	{ "splice_read", OPERATION_RECEIVE },
};

u8 candidates_slot_operation(const char *slot)
{
	size_t i;

	for (i = 0; slot && i < ARRAY_SIZE(slot_names); i++)
		if (!strcmp(slot, slot_names[i].slot))
			return slot_names[i].operation;
	return OPERATION_NONE;
}

/* "recvmmsg_time32" is recvmmsg */
static int find_syscall(const char *name)
{
	size_t i, len;

	for (i = 0; name && i < ARRAY_SIZE(syscalls); i++) {
		len = strlen(syscalls[i].syscall);
		if (!strncmp(name, syscalls[i].syscall, len) &&
		    (!name[len] || !strncmp(name + len, "_time", 5)))
			return (int)i;
	}
	return -1;
}

enum operation operation_of_syscall(const char *syscall)
{
	int i = find_syscall(syscall);

	return i < 0 ? OPERATION_NONE : syscalls[i].operation;
}

/* ---- what a name says */

struct told {
	u32 families; /* bits of those that are possible; 0: nothing was said */
	char protocol[24];
	bool several; /* protocols: nothing agrees */
};

/* "tcpv6_prot": TCP and IPv6; "inet6_stream_ops": IPv6; "unix_stream_ops": UNIX. */
static void told_by_word(const char *name, struct told *told)
{
	size_t len = strcspn(name, "_"), i;

	memset(told, 0, sizeof(*told));
	if (!strncmp(name, "inet", 4)) {
		told->families = FAMILY_BIT(name[4] == '6' ? FAMILY_IPV6 : FAMILY_IPV4);
		return;
	}
	told->families = FAMILY_BIT(FAMILY_OTHER);
	if (len > 2 && !strncmp(name + len - 2, "v6", 2)) {
		told->families = FAMILY_BIT(FAMILY_IPV6);
		len -= 2;
	}
	for (i = 0; i < len && i + 1 < sizeof(told->protocol); i++)
		told->protocol[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A') :
								       name[i];
}

/* Whether a protocol's socket is an internet one: its tables of type proto come with and without v6. */
static bool is_inet_protocol(const char *protocol)
{
	static const char *const inet[] = { "TCP",  "UDP",  "UDPLITE", "RAW", "PING",
					    "SCTP", "DCCP", "MPTCP",   "L2TP" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(inet); i++)
		if (!strcmp(protocol, inet[i]))
			return true;
	return false;
}

static void told_by_table(const struct optable *table, struct told *told)
{
	told_by_word(table->name, told);
	if (told->families == FAMILY_BIT(FAMILY_OTHER) && is_inet_protocol(told->protocol))
		told->families = FAMILY_BIT(FAMILY_IPV4);
	if (told->families == FAMILY_BIT(FAMILY_IPV4) && strstr(table->name, "_v6_"))
		told->families = FAMILY_BIT(FAMILY_IPV6);
	if (!strcmp(table->type, "file_operations"))
		memset(told, 0, sizeof(*told));
}

/* By a function's own name: it begins with a protocol, and has v4, v6 or inet6 in it. */
static void told_by_function(const char *name, struct told *told)
{
	const char *slot = strrchr(name, '_');

	memset(told, 0, sizeof(*told));
	told_by_word(name, told);
	if (strstr(name, "_v6_"))
		told->families = FAMILY_BIT(FAMILY_IPV6);
	else if (strstr(name, "_v4_"))
		told->families = FAMILY_BIT(FAMILY_IPV4);
	else if (told->families == FAMILY_BIT(FAMILY_OTHER) && is_inet_protocol(told->protocol))
		told->families = FAMILY_BIT(FAMILY_IPV4) | FAMILY_BIT(FAMILY_IPV6);
	else if (told->families == FAMILY_BIT(FAMILY_IPV4) &&
		 (!slot || (strcmp(slot, "_sendmsg") && strcmp(slot, "_recvmsg"))))
		told->families |= FAMILY_BIT(FAMILY_IPV6); /* both have it in their tables */
	else if (!strncmp(name, "sock_", 5))
		memset(told, 0, sizeof(*told));
}

/* ---- what all say */

/* Whether one name begins with the other. */
static bool is_variant(const char *a, const char *b)
{
	size_t len_a = strlen(a), len_b = strlen(b);

	return len_a && len_b && !strncmp(a, b, len_a < len_b ? len_a : len_b);
}

static void add_told(struct told *sum, const struct told *one)
{
	if (!one->families)
		return;
	/*
	 * One that is also in a table of no protocol's own says nothing about the protocol; but of a protocol and its
	 * variant (UDP, UDPLITE) it is the protocol.
	 */
	if (!sum->families)
		memcpy(sum->protocol, one->protocol, sizeof(sum->protocol));
	else if (!is_variant(sum->protocol, one->protocol))
		sum->several = true;
	else if (strlen(one->protocol) < strlen(sum->protocol))
		memcpy(sum->protocol, one->protocol, sizeof(sum->protocol));
	sum->families |= one->families;
	if (sum->several)
		sum->protocol[0] = '\0';
}

/* Raw sockets share functions with the others; what they are is said by their protocol's own table. */
static bool is_for_raw(const struct optable *table)
{
	return strstr(table->name, "sockraw");
}

static void told_by_fn(const struct candidates *c, const struct fn *fn, u8 operation,
		       struct told *told)
{
	struct told one;
	size_t i, j;

	memset(told, 0, sizeof(*told));
	if (!c->options.tables) {
		if (fn->foreign)
			told_by_function(fn->name, told);
		return;
	}
	for (i = 0; i < c->options.tables->nr; i++) {
		const struct optable *table = &c->options.tables->table[i];

		for (j = 0; j < table->nr_slots; j++) {
			if (strcmp(table->slots[j].function, fn->name))
				continue;
			if (is_for_raw(table) ||
			    (table->slots[j].slot &&
			     candidates_slot_operation(table->slots[j].slot) != operation))
				continue;
			told_by_table(table, &one);
			add_told(told, &one);
		}
	}
}

/* Those that are outside come first, so when two contradict each other it is the socket's own. */
static void intersect(struct told *sum, const struct told *one)
{
	if (one->families && (!sum->families || (sum->families & one->families)))
		sum->families = sum->families ? sum->families & one->families : one->families;
	if (one->protocol[0] && !one->several && !sum->protocol[0])
		memcpy(sum->protocol, one->protocol, sizeof(sum->protocol));
}

static u8 family_of(u32 families)
{
	u8 f;

	if (families == (FAMILY_BIT(FAMILY_IPV4) | FAMILY_BIT(FAMILY_IPV6)))
		return FAMILY_INET;
	for (f = FAMILY_IPV4; f <= FAMILY_OTHER; f++)
		if (families == FAMILY_BIT(f))
			return f;
	return FAMILY_UNKNOWN;
}

int candidates_kind(struct candidates *c, const struct graph_call *call, struct call_kind *kind)
{
	int sys = find_syscall(call->syscall), ret = 0;
	struct told sum = { 0 }, one;
	bool socket = false;
	struct fn *fn;
	u32 i;

	memset(kind, 0, sizeof(*kind));
	kind->operation = sys < 0 ? OPERATION_NONE : syscalls[sys].operation;
	for (i = 0; sys >= 0 && i < call->nr_nodes && !ret; i++) {
		if (!candidates_is_own(&call->nodes[i]))
			continue;
		fn = candidates_fn(c, call->nodes[i].func, &ret);
		if (!fn || !fn->name)
			continue;
		if (kind->operation == OPERATION_NONE && fn->slot_operation != OPERATION_NONE)
			kind->operation = fn->slot_operation;
		if (!fn->socket_slot || fn->slot_operation != kind->operation)
			continue;
		socket = true;
		told_by_fn(c, fn, kind->operation, &one);
		intersect(&sum, &one);
	}
	if (sys < 0 || (syscalls[sys].maybe && !socket))
		kind->operation = OPERATION_NONE;
	kind->family = family_of(sum.families);
	kind->by_names = !c->options.tables;
	memcpy(kind->protocol, sum.protocol, sizeof(kind->protocol));
	return ret;
}
