// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ordering what was counted: the rule of candidates.h, fact by fact.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/candidates_priv.h"
#include "kernel/signatures.h"

#define SHARE_STEPS 10
#define LIST_MAX 200 /* candidates of a group that are handed out */

/* ---- words */

static const char *const question_names[QUESTION_COUNT] = {
	[QUESTION_LOCAL_ADDRESS] = "local-address",
	[QUESTION_REMOTE_ADDRESS] = "remote-address",
	[QUESTION_BYTES_SENT] = "bytes-sent",
	[QUESTION_BYTES_RECEIVED] = "bytes-received",
	[QUESTION_NEW_CONNECTIONS] = "new-connections",
	[QUESTION_ACCEPTED] = "accepted",
	[QUESTION_RETRANSMITS] = "retransmits",
	[QUESTION_DROPS] = "drops",
	[QUESTION_ARG] = "arg",
};

int question_parse(const char *text, enum question *question, const char **type)
{
	int i;

	*type = NULL;
	for (i = 0; i < QUESTION_ARG; i++) {
		if (strcmp(text, question_names[i]))
			continue;
		*question = (enum question)i;
		return 0;
	}
	if (strncmp(text, "arg:", 4) || !text[4] || strlen(text + 4) >= PROTOTYPE_TYPE)
		return -EINVAL;
	*question = QUESTION_ARG;
	*type = text + 4;
	return 0;
}

const char *question_name(enum question question)
{
	return question_names[question];
}

bool question_is_address(enum question question)
{
	return question == QUESTION_LOCAL_ADDRESS || question == QUESTION_REMOTE_ADDRESS ||
	       question == QUESTION_NEW_CONNECTIONS || question == QUESTION_ACCEPTED;
}

const char *operation_name(u8 operation)
{
	static const char *const names[OPERATION_COUNT] = {
		[OPERATION_CONNECT] = "connect", [OPERATION_ACCEPT] = "accept",
		[OPERATION_SEND] = "send",	 [OPERATION_RECEIVE] = "receive",
		[OPERATION_EVENT] = "event",
	};

	return operation < OPERATION_COUNT ? names[operation] : "other";
}

const char *family_name(u8 family)
{
	static const char *const names[] = {
		[FAMILY_UNKNOWN] = "?",		[FAMILY_IPV4] = "IPv4", [FAMILY_IPV6] = "IPv6",
		[FAMILY_INET] = "IPv4 or IPv6", [FAMILY_OTHER] = "",
	};

	return family < ARRAY_SIZE(names) ? names[family] : "?";
}

const char *evidence_name(u8 evidence)
{
	static const char *const names[] = {
		[EVIDENCE_NONE] = "nothing",
		[EVIDENCE_BTF] = "BTF",
		[EVIDENCE_POINTER] = "pointer identity",
		[EVIDENCE_TABLE] = "other kernels",
	};

	return evidence < ARRAY_SIZE(names) ? names[evidence] : "nothing";
}

/* ---- where the value is */

static int last_argument(const struct prototype *proto, u8 object)
{
	int i, found = 0;

	for (i = 0; i < proto->nr_args; i++)
		if (proto->arg[i].object == object)
			found = i + 1;
	return found;
}

/* A new socket is the last one among an accept's arguments, the first is the listener. */
static bool place_socket(const struct fn *fn, struct candidate *cand, u8 operation, u8 object)
{
	int arg = operation == OPERATION_ACCEPT ? last_argument(&fn->proto, object) :
						  prototype_argument(&fn->proto, object);

	if (!arg)
		return false;
	cand->place = PLACE_ARGUMENT;
	cand->arg = (u8)arg;
	cand->object = object;
	return true;
}

static bool place_return(const struct fn *fn, struct candidate *cand)
{
	if (fn->proto.ret.object != OBJECT_SOCK && fn->proto.ret.object != OBJECT_SOCKET)
		return false;
	cand->place = PLACE_RETURN;
	cand->arg = 0;
	cand->object = fn->proto.ret.object;
	return true;
}

static bool place_address(const struct fn *fn, struct candidate *cand, u8 operation)
{
	static const u8 order[] = { OBJECT_SOCK, OBJECT_SOCKET, OBJECT_SKB, OBJECT_FILE };
	size_t i;

	cand->returns_sock = fn->proto.ret.object == OBJECT_SOCK;
	if (operation == OPERATION_ACCEPT && place_return(fn, cand))
		return true;
	for (i = 0; i < ARRAY_SIZE(order); i++)
		if (place_socket(fn, cand, operation, order[i]))
			return true;
	return place_return(fn, cand);
}

/* A count of bytes is an argument of type size_t, or what is returned. */
static bool place_bytes(const struct fn *fn, struct candidate *cand)
{
	u8 ret = fn->proto.ret.object;

	cand->bytes_arg = (u8)prototype_argument(&fn->proto, OBJECT_BYTES);
	if (!prototype_argument(&fn->proto, OBJECT_SOCK) &&
	    !prototype_argument(&fn->proto, OBJECT_SOCKET) &&
	    !prototype_argument(&fn->proto, OBJECT_MSGHDR))
		return false;
	if (ret == OBJECT_NUMBER || ret == OBJECT_BYTES) {
		cand->place = PLACE_RETURN;
		cand->object = ret;
		return true;
	}
	cand->place = PLACE_ARGUMENT;
	cand->arg = cand->bytes_arg;
	cand->object = OBJECT_BYTES;
	return cand->bytes_arg;
}

static bool place_event(const struct fn *fn, struct candidate *cand, bool skb_first)
{
	static const u8 skbs[] = { OBJECT_SKB, OBJECT_SOCK, OBJECT_SOCKET };
	static const u8 socks[] = { OBJECT_SOCK, OBJECT_SOCKET, OBJECT_SKB };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(skbs); i++)
		if (place_socket(fn, cand, OPERATION_EVENT, skb_first ? skbs[i] : socks[i]))
			return true;
	return false;
}

static bool place_type(const struct fn *fn, struct candidate *cand, const char *type)
{
	int arg = prototype_argument_type(&fn->proto, type);

	if (arg) {
		cand->place = PLACE_ARGUMENT;
		cand->arg = (u8)arg;
		cand->object = fn->proto.arg[arg - 1].object;
	} else if (!strcmp(fn->proto.ret.type, type)) {
		cand->place = PLACE_RETURN;
		cand->object = fn->proto.ret.object;
	} else {
		return false;
	}
	return true;
}

/* An argument that was a known socket each time; with one socket only a stale register may be as well. */
static bool place_by_pointer(const struct fn *fn, struct candidate *cand)
{
	u8 a;

	if (fn->proto.source == PROTOTYPE_BTF || !fn->pointer_calls)
		return false;
	for (a = 0; a < POINTER_ARGS; a++)
		if (fn->pointer_two[a] && fn->pointer_hits[a] == fn->pointer_calls)
			break;
	if (a == POINTER_ARGS)
		return false;
	cand->place = PLACE_ARGUMENT;
	cand->arg = (u8)(a + 1);
	cand->object = OBJECT_SOCK;
	cand->evidence = EVIDENCE_POINTER;
	return true;
}

static bool place(const struct candidates *c, const struct fn *fn, u8 operation,
		  struct candidate *cand)
{
	enum question q = c->options.question;
	bool placed;

	if (question_is_address(q) && place_by_pointer(fn, cand))
		return true;
	if (q == QUESTION_ARG)
		placed = place_type(fn, cand, c->options.type);
	else if (q == QUESTION_BYTES_SENT || q == QUESTION_BYTES_RECEIVED)
		placed = place_bytes(fn, cand);
	else if (q == QUESTION_RETRANSMITS || q == QUESTION_DROPS)
		placed = place_event(fn, cand, q == QUESTION_DROPS);
	else
		placed = place_address(fn, cand, operation);
	if (placed)
		cand->evidence = fn->proto.source == PROTOTYPE_BTF ? EVIDENCE_BTF : EVIDENCE_TABLE;
	return placed;
}

/* ---- facts */

static bool is_specific(const struct candidates *c, u32 index, u8 operation, bool *others)
{
	const struct group *g;
	bool specific = true;
	u32 i;

	*others = false;
	for (i = 0; i < c->nr_groups; i++) {
		g = &c->group[i];
		if (g->out.operation == operation || !g->out.calls)
			continue;
		*others = true;
		if (index < g->nr_stat && g->stat[index].calls)
			specific = false;
	}
	return specific;
}

static int make_slot_text(const struct fn_slot *slot, char **text)
{
	int len = slot->slot ? asprintf(text, "%s.%s", slot->table->name, slot->slot) :
			       asprintf(text, "%s", slot->table->name);

	if (len < 0)
		*text = NULL;
	return len < 0 ? -ENOMEM : 0;
}

static int tell_slots(struct fn *fn, struct candidate *cand)
{
	const struct fn_slot *slot;
	u32 i;

	for (i = 0; i < fn->nr_slots && i < CANDIDATES_SLOTS; i++) {
		slot = &fn->slots[i];
		/* made once: a function may be a candidate of several operations */
		if (!fn->texts[i] && make_slot_text(slot, &fn->texts[i]))
			return -ENOMEM;
		cand->slots[i] = fn->texts[i];
	}
	cand->nr_slots = fn->nr_slots;
	if (fn->foreign && i < CANDIDATES_SLOTS) {
		cand->slots[i] = fn->foreign;
		cand->nr_slots++;
		cand->slots_elsewhere = true;
	}
	return 0;
}

static int fill(struct candidates *c, const struct group *g, u32 index, struct candidate *cand)
{
	const struct fn_stat *stat = &g->stat[index];
	struct fn *fn = &c->fn[index];
	u64 below = (stat->below + stat->hits) * 1000 / (g->nodes ? g->nodes : 1);
	u32 i;

	cand->name = fn->name;
	cand->proto = &fn->proto;
	cand->calls = stat->calls;
	cand->once = stat->once;
	cand->most = stat->most;
	cand->dominates = stat->calls == g->out.calls;
	cand->slot_match = fn->socket_slot && fn->slot_operation == g->out.operation;
	cand->specific = is_specific(c, index, g->out.operation, &cand->others);
	cand->share_permille = below > 1000 ? 1000 : (u32)below;
	cand->depth_tenths = (u32)(stat->depth * 10 / (stat->hits ? stat->hits : 1));
	cand->stable = signatures_stable(fn->name, cand->place == PLACE_RETURN ? 0 : cand->arg,
					 cand->object, &cand->known);
	for (i = 0; i < g->out.nr_syscalls; i++)
		cand->missed_by[i] = g->out.syscalls[i].calls - stat->by_syscall[i];
	return tell_slots(fn, cand);
}

/* ---- order */

static int prefer(bool a, bool b)
{
	return (int)b - (int)a;
}

static int coverage_class(const struct candidate *x, u32 calls)
{
	if (x->once == calls)
		return 0;
	return x->dominates ? 1 : 2;
}

static int object_class(const struct candidate *x)
{
	if (x->place == PLACE_RETURN)
		return 4;
	return x->object == OBJECT_SOCK ? 0 : x->object == OBJECT_SOCKET ? 1 : 2;
}

static int interface_class(const struct candidate *x)
{
	if (x->nr_slots || x->symbol.exported)
		return 0;
	return x->symbol.global ? 1 : 2;
}

/* Inside of the operation's own function first, and there the nearer to it. */
static int compare_depth(const struct candidate *a, const struct candidate *b, u32 slot)
{
	int order = prefer(a->depth_tenths > slot, b->depth_tenths > slot);

	if (!order)
		order = (a->depth_tenths > b->depth_tenths) - (a->depth_tenths < b->depth_tenths);
	return order;
}

static int share_class(const struct candidate *x)
{
	return (int)(x->share_permille * SHARE_STEPS / 1001);
}

/* All of the order but names. */
static int compare_facts(const struct candidate *a, const struct candidate *b,
			 const struct group *g)
{
	u32 calls = g->out.calls;
	bool first_a = a->slot_match && a->dominates, first_b = b->slot_match && b->dominates;
	int order = prefer(first_a, first_b);

	if (!order && first_a)
		order = (b->depth_tenths > a->depth_tenths) - (b->depth_tenths < a->depth_tenths);
	if (!order)
		order = coverage_class(a, calls) - coverage_class(b, calls);
	if (!order)
		order = (b->calls > a->calls) - (b->calls < a->calls);
	if (!order)
		order = prefer(a->specific, b->specific);
	if (!order)
		order = object_class(a) - object_class(b);
	if (!order)
		order = interface_class(a) - interface_class(b);
	if (!order)
		order = b->stable - a->stable;
	if (!order)
		order = compare_depth(a, b, g->slot_depth);
	if (!order)
		order = share_class(b) - share_class(a);
	return order;
}

static int compare(const void *x, const void *y, void *group)
{
	const struct candidate *a = x, *b = y;
	const struct group *g = group;
	int order = compare_facts(a, b, g);

	return order ? order : strcmp(a->name, b->name);
}

static void number(struct group *g)
{
	u32 i;

	for (i = 0; i < g->out.nr; i++)
		g->out.candidate[i].rank =
			i && !compare_facts(&g->out.candidate[i - 1], &g->out.candidate[i], g) ?
				g->out.candidate[i - 1].rank :
				i + 1;
}

/* ---- groups */

static bool group_is_wanted(const struct candidates *c, const struct candidate_group *g)
{
	bool inet = g->family != FAMILY_OTHER;

	switch (c->options.question) {
	case QUESTION_BYTES_SENT:
		return g->operation == OPERATION_SEND;
	case QUESTION_BYTES_RECEIVED:
		return g->operation == OPERATION_RECEIVE;
	case QUESTION_NEW_CONNECTIONS:
		return inet && g->operation == OPERATION_CONNECT;
	case QUESTION_ACCEPTED:
		return inet && g->operation == OPERATION_ACCEPT;
	case QUESTION_LOCAL_ADDRESS:
	case QUESTION_REMOTE_ADDRESS:
		return inet && g->family != FAMILY_UNKNOWN;
	default:
		return true;
	}
}

static int fill_group(struct candidates *c, struct group *g)
{
	struct candidate cand;
	u32 i;
	int ret = 0;

	g->out.candidate = calloc(g->nr_stat ? g->nr_stat : 1, sizeof(*g->out.candidate));
	if (!g->out.candidate)
		return -ENOMEM;
	for (i = 0; i < g->nr_stat && i < c->nr_fn && !ret; i++) {
		/* fewer than half of the calls: not on the operation's way */
		if (g->stat[i].calls * 2 < g->out.calls || !g->stat[i].calls || !c->fn[i].name)
			continue;
		memset(&cand, 0, sizeof(cand));
		if (!place(c, &c->fn[i], g->out.operation, &cand)) {
			g->out.nr_untyped += c->fn[i].proto.source == PROTOTYPE_UNKNOWN;
			continue;
		}
		ret = fill(c, g, i, &cand);
		if (cand.slot_match && cand.dominates && cand.depth_tenths > g->slot_depth)
			g->slot_depth = cand.depth_tenths;
		g->out.candidate[g->out.nr++] = cand;
	}
	return ret;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of all candidates, sorted, none twice. */
static size_t collect_names(const struct candidates *c, const char **names)
{
	size_t nr = 0, kept = 0, i;
	u32 g, k;

	for (g = 0; g < c->nr_groups; g++)
		for (k = 0; k < c->group[g].out.nr; k++)
			names[nr++] = c->group[g].out.candidate[k].name;
	if (nr)
		qsort(names, nr, sizeof(*names), compare_names);
	for (i = 0; i < nr; i++)
		if (!kept || strcmp(names[kept - 1], names[i]))
			names[kept++] = names[i];
	return kept;
}

static int look_up_symbols(struct candidates *c, const char *kallsyms)
{
	const char **names, **name;
	struct symfact *facts;
	size_t nr = 0, kept;
	u32 g, k;

	for (g = 0; g < c->nr_groups; g++)
		nr += c->group[g].out.nr;
	names = calloc(nr ? nr : 1, sizeof(*names));
	facts = calloc(nr ? nr : 1, sizeof(*facts));
	if (!names || !facts) {
		free(names);
		free(facts);
		return -ENOMEM;
	}
	kept = collect_names(c, names);
	symfacts_read(kallsyms, names, kept, facts);
	for (g = 0; g < c->nr_groups; g++)
		for (k = 0; k < c->group[g].out.nr; k++) {
			name = bsearch(&c->group[g].out.candidate[k].name, names, kept,
				       sizeof(*names), compare_names);
			c->group[g].out.candidate[k].symbol = facts[name - names];
		}
	free(names);
	free(facts);
	return 0;
}

static int compare_groups(const void *x, const void *y)
{
	const struct candidate_group *a = x, *b = y;

	if (a->operation != b->operation)
		return a->operation - b->operation;
	return (b->calls > a->calls) - (b->calls < a->calls);
}

int candidates_rank(struct candidates *c, const char *kallsyms,
		    const struct candidate_group **groups, size_t *nr)
{
	struct group *g;
	int ret = 0;
	u32 i;

	*nr = 0;
	*groups = NULL;
	c->out = calloc(CANDIDATES_GROUPS, sizeof(*c->out));
	if (!c->out)
		return -ENOMEM;
	for (i = 0; i < c->nr_groups && !ret; i++)
		if (group_is_wanted(c, &c->group[i].out))
			ret = fill_group(c, &c->group[i]);
	if (!ret && kallsyms)
		ret = look_up_symbols(c, kallsyms);
	for (i = 0; i < c->nr_groups && !ret; i++) {
		g = &c->group[i];
		if (!group_is_wanted(c, &g->out))
			continue;
		qsort_r(g->out.candidate, g->out.nr, sizeof(*g->out.candidate), compare, g);
		number(g);
		if (g->out.nr > LIST_MAX)
			g->out.nr = LIST_MAX;
		c->out[(*nr)++] = g->out;
	}
	if (*nr)
		qsort(c->out, *nr, sizeof(*c->out), compare_groups);
	*groups = c->out;
	return ret;
}
