// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See callproto.h. Evidence is kept by depth, as sets of what is still possible.
 */
#include "analysis/callproto.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define DEPTHS 32 /* below, nothing is said of the socket any more */

struct evidence {
	u16 at[DEPTHS]; /* what all at that depth agree on */
	bool has[DEPTHS];
};

static void evidence_add(struct evidence *e, u32 depth, u16 set)
{
	if (!set || depth >= DEPTHS)
		return;
	e->at[depth] = e->has[depth] ? e->at[depth] & set : set;
	e->has[depth] = true;
}

static bool is_one(u16 set)
{
	return set && !(set & (set - 1));
}

/* From the outermost inwards, until one is left; @possible is what others have left. 0: a contradiction. */
static u16 evidence_take(const struct evidence *e, u16 possible)
{
	u32 i;

	for (i = 0; i < DEPTHS && !is_one(possible); i++) {
		if (!e->has[i])
			continue;
		possible &= e->at[i];
		if (!possible)
			return 0;
	}
	return possible;
}

static u16 protocol_of(const struct call_note *note)
{
	switch (note->family) {
	case AF_UNIX:
		return CALL_UNIX;
	case AF_NETLINK:
		return CALL_NETLINK;
	case AF_PACKET:
		return CALL_PACKET;
	case AF_VSOCK:
		return CALL_VSOCK;
	case AF_INET:
	case AF_INET6:
		break;
	default:
		return 0;
	}
	switch (note->protocol) {
	case IPPROTO_TCP:
		return CALL_TCP;
	case IPPROTO_UDP:
		return CALL_UDP;
	case IPPROTO_UDPLITE:
		return CALL_UDPLITE;
	case IPPROTO_SCTP:
		return CALL_SCTP;
	case 262: /* IPPROTO_MPTCP */
		return CALL_MPTCP;
	default:
		return 0; /* a raw socket's may be any */
	}
}

static u16 family_of(const struct call_note *note)
{
	return note->family == AF_INET	? CALL_INET :
	       note->family == AF_INET6 ? CALL_INET6 :
	       protocol_of(note)	? CALL_LOCAL :
					  0;
}

struct judge {
	struct evidence table_protocols, table_families, name_protocols, name_families;
	u16 event_protocols, event_families;
	bool has_events;
};

static bool in_interrupt(const struct call_node *n)
{
	return n->flags & (CALL_NODE_HARDIRQ | CALL_NODE_SOFTIRQ);
}

/* Return: whether some function says that this is about a socket */
static bool look_at_functions(struct judge *j, const struct callfuncs *funcs, const u32 *func,
			      const struct graph_call *call, u32 root)
{
	u32 end = root + call->nodes[root].nr_below + 1, i = root, depth;
	const struct call_func *f;
	const struct call_node *n;
	bool found = false;

	while (i < end) {
		n = &call->nodes[i];
		f = callfuncs_at(funcs, func[i]);
		if (i > root && (in_interrupt(n) || f->class)) {
			i += n->nr_below + 1;
			continue;
		}
		depth = (u32)n->depth - call->nodes[root].depth;
		evidence_add(&j->table_protocols, depth, f->table_protocols);
		evidence_add(&j->table_families, depth, f->table_families);
		evidence_add(&j->name_protocols, depth, f->protocols);
		evidence_add(&j->name_families, depth, f->families);
		found |= f->of_sockets;
		i++;
	}
	return found;
}

static void look_at_events(struct judge *j, const struct graph_call *call, u32 root)
{
	u32 end = root + call->nodes[root].nr_below + 1, i;
	const struct call_note *note;

	for (i = 0; i < call->nr_notes; i++) {
		note = &call->notes[i];
		if (!note->family || note->context || note->node < root || note->node >= end)
			continue;
		if (!j->has_events)
			j->event_protocols = j->event_families = UINT16_MAX;
		j->has_events = true;
		j->event_protocols &= protocol_of(note);
		j->event_families &= family_of(note);
	}
}

/* Return: the one that is left, 0 when it cannot be told */
static u16 decide(const struct evidence *tables, u16 events, const struct evidence *names, u16 any,
		  u8 *from)
{
	u16 left = evidence_take(tables, any);

	*from = TREE_FROM_TABLES;
	if (left && !is_one(left) && is_one(events)) {
		*from = TREE_FROM_EVENTS;
		left &= events;
	}
	if (left && !is_one(left)) {
		*from = TREE_FROM_NAMES;
		left = evidence_take(names, left);
	}
	if (is_one(left))
		return left;
	*from = TREE_FROM_NONE;
	return 0;
}

void callproto_judge(struct call_proto *out, const struct callfuncs *funcs, const u32 *func,
		     const struct graph_call *call, u32 root)
{
	const struct call_func *f = callfuncs_at(funcs, func[root]);
	struct judge j;
	bool found;

	memset(&j, 0, sizeof(j));
	found = look_at_functions(&j, funcs, func, call, root);
	look_at_events(&j, call, root);
	out->protocols = decide(&j.table_protocols, j.event_protocols, &j.name_protocols,
				CALL_ANY_PROTOCOL, &out->protocol_from);
	out->families = (u8)decide(&j.table_families, j.event_families, &j.name_families,
				   CALL_ANY_FAMILY, &out->family_from);
	out->of_sockets = f->kind == CALL_SOCKET ||
			  (f->kind == CALL_FILE && (found || j.has_events));
}
