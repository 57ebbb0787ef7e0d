// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counting what the calls of an operation pass: see candidates.h.
 *
 * A function is looked up once by its address; each group of calls has an array of counters by the function's
 * index. Per node that is a hash lookup and some additions.
 */
#include "analysis/candidates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/candidates_priv.h"
#include "kernel/signatures.h"

#define HASH_BITS 15
#define HASH_SIZE (1U << HASH_BITS)
#define KNOWN_SOCKETS 4 /* of a call */

int candidates_new(struct candidates **out, const struct candidates_options *options)
{
	struct candidates *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return -ENOMEM;
	c->hash = calloc(HASH_SIZE, sizeof(*c->hash));
	/* never moved: ranked candidates point to names */
	c->fn = calloc(CANDIDATES_FUNCTIONS, sizeof(*c->fn));
	if (!c->hash || !c->fn) {
		candidates_free(c);
		return -ENOMEM;
	}
	c->options = *options;
	*out = c;
	return 0;
}

void candidates_free(struct candidates *c)
{
	u32 i, j;

	if (!c)
		return;
	for (i = 0; i < c->nr_fn; i++) {
		free(c->fn[i].name);
		free(c->fn[i].foreign);
		for (j = 0; j < CANDIDATES_SLOTS; j++)
			free(c->fn[i].texts[j]);
	}
	for (i = 0; i < c->nr_groups; i++) {
		free(c->group[i].stat);
		free(c->group[i].out.candidate);
	}
	free(c->out);
	free(c->fn);
	free(c->hash);
	free(c);
}

const struct candidates_stats *candidates_stats(const struct candidates *c)
{
	return &c->stats;
}

/* ---- functions */

static void add_slot(struct fn *fn, const struct optable *table, const struct optable_slot *slot)
{
	u8 operation = candidates_slot_operation(slot->slot);

	if (fn->nr_slots < CANDIDATES_SLOTS)
		fn->slots[fn->nr_slots] = (struct fn_slot){ table, slot->slot, operation };
	fn->nr_slots++;
	if (operation != OPERATION_NONE)
		fn->slot_operation = operation;
	fn->socket_slot = true;
}

/* Slots that are not named here may have a name on other kernels. */
static void find_slots(const struct candidates *c, struct fn *fn)
{
	const struct optables *tables = c->options.tables;
	const char *foreign;
	size_t i, j;

	fn->slot_operation = OPERATION_NONE;
	for (i = 0; tables && i < tables->nr; i++)
		for (j = 0; j < tables->table[i].nr_slots; j++)
			if (!strcmp(tables->table[i].slots[j].function, fn->name))
				add_slot(fn, &tables->table[i], &tables->table[i].slots[j]);
	if (tables && (tables->has_names || !fn->nr_slots))
		return;
	foreign = signatures_slot(fn->name);
	if (!foreign)
		return;
	fn->foreign = strdup(foreign);
	fn->socket_slot = true;
	fn->slot_operation = candidates_slot_operation(strchr(foreign, '.') + 1);
}

static int fill_fn(struct candidates *c, struct fn *fn)
{
	const char *name;
	size_t len;

	name = c->options.function_name(c->options.ctx, fn->addr, &len);
	if (!name)
		return 0;
	fn->name = strndup(name, len);
	if (!fn->name)
		return -ENOMEM;
	prototypes_find(c->options.prototypes, fn->name, &fn->proto);
	find_slots(c, fn);
	return 0;
}

struct fn *candidates_fn(struct candidates *c, u64 addr, int *ret)
{
	u32 at = (u32)((addr * 0x9e3779b97f4a7c15ULL) >> (64 - HASH_BITS));
	struct fn *fn;

	while (c->hash[at]) {
		fn = &c->fn[c->hash[at] - 1];
		if (fn->addr == addr)
			return fn;
		at = (at + 1) & (HASH_SIZE - 1);
	}
	if (c->nr_fn == CANDIDATES_FUNCTIONS) {
		c->stats.functions_refused++;
		return NULL;
	}
	fn = &c->fn[c->nr_fn++];
	c->hash[at] = c->nr_fn;
	fn->addr = addr;
	*ret = fill_fn(c, fn);
	return fn;
}

/* ---- groups */

static struct group *find_group(struct candidates *c, const struct call_kind *kind)
{
	struct candidate_group *out;
	u32 i;

	for (i = 0; i < c->nr_groups; i++) {
		out = &c->group[i].out;
		if (out->operation == kind->operation && out->family == kind->family &&
		    !strcmp(out->protocol, kind->protocol))
			return &c->group[i];
	}
	if (c->nr_groups == CANDIDATES_GROUPS) {
		c->stats.groups_refused++;
		return NULL;
	}
	out = &c->group[c->nr_groups++].out;
	out->operation = kind->operation;
	out->family = kind->family;
	out->by_names = kind->by_names;
	memcpy(out->protocol, kind->protocol, sizeof(out->protocol));
	return &c->group[c->nr_groups - 1];
}

/* Index of a kind of system call; the last one takes what does not fit. */
static u32 find_syscall(struct candidate_group *out, const char *name)
{
	u32 i;

	for (i = 0; i < out->nr_syscalls; i++)
		if (!strcmp(out->syscalls[i].name, name))
			return i;
	if (i == CANDIDATES_SYSCALLS)
		return i - 1;
	out->syscalls[i].name = name;
	out->nr_syscalls++;
	return i;
}

static struct fn_stat *find_stat(struct group *g, u32 index)
{
	struct fn_stat *more;
	u32 nr = g->nr_stat;

	if (index >= nr) {
		nr = nr ? nr : 512;
		while (nr <= index)
			nr *= 2;
		more = realloc(g->stat, nr * sizeof(*more));
		if (!more)
			return NULL;
		memset(more + g->nr_stat, 0, (nr - g->nr_stat) * sizeof(*more));
		g->stat = more;
		g->nr_stat = nr;
	}
	return &g->stat[index];
}

static void count_node(struct candidates *c, struct fn_stat *stat, const struct call_node *node,
		       u32 syscall)
{
	if (stat->last != c->call_number) {
		stat->last = c->call_number;
		stat->in_call = 0;
		stat->calls++;
		stat->once++;
		stat->by_syscall[syscall]++;
	}
	if (++stat->in_call == 2)
		stat->once--;
	if (stat->in_call > stat->most)
		stat->most = stat->in_call;
	stat->hits++;
	stat->below += node->nr_below;
	stat->depth += node->depth;
}

/* ---- sockets by their pointers */

static u32 known_sockets(struct candidates *c, const struct graph_call *call, u64 *socks)
{
	const struct call_node *node;
	struct fn *fn;
	int arg, ret = 0;
	u32 nr = 0, i, j;
	u64 value;

	for (i = 0; i < call->nr_nodes && nr < KNOWN_SOCKETS; i++) {
		node = &call->nodes[i];
		if (!node->nr_args || !candidates_is_own(node))
			continue;
		fn = candidates_fn(c, node->func, &ret);
		arg = fn ? prototype_argument(&fn->proto, OBJECT_SOCK) : 0;
		if (!arg || arg > node->nr_args || arg > POINTER_ARGS)
			continue;
		value = call->args[node->args + (u32)arg - 1];
		for (j = 0; j < nr && socks[j] != value; j++)
			;
		if (j == nr && value)
			socks[nr++] = value;
	}
	return nr;
}

/* Which arguments of functions of unknown types are a socket that is known in this call. */
static void compare_pointers(struct candidates *c, const struct graph_call *call)
{
	const struct call_node *node;
	u64 socks[KNOWN_SOCKETS];
	u32 nr, i, a, j;
	struct fn *fn;
	int ret = 0;

	if (!call->nr_args)
		return;
	nr = known_sockets(c, call, socks);
	for (i = 0; nr && i < call->nr_nodes; i++) {
		node = &call->nodes[i];
		if (!node->nr_args || !candidates_is_own(node))
			continue;
		fn = candidates_fn(c, node->func, &ret);
		if (!fn || fn->proto.source == PROTOTYPE_BTF)
			continue;
		fn->pointer_calls++;
		for (a = 0; a < node->nr_args && a < POINTER_ARGS; a++) {
			u64 value = call->args[node->args + a];

			for (j = 0; j < nr && socks[j] != value; j++)
				;
			if (j == nr)
				continue;
			if (fn->pointer_hits[a]++ && fn->pointer_first[a] != value)
				fn->pointer_two[a] = true;
			else if (fn->pointer_hits[a] == 1)
				fn->pointer_first[a] = value;
		}
	}
}

/* ---- calls */

static bool is_wanted(const struct candidates *c, const struct call_kind *kind)
{
	switch (c->options.question) {
	case QUESTION_BYTES_SENT:
		return kind->operation == OPERATION_SEND;
	case QUESTION_BYTES_RECEIVED:
		return kind->operation == OPERATION_RECEIVE;
	case QUESTION_NEW_CONNECTIONS:
		return kind->operation == OPERATION_CONNECT && kind->family != FAMILY_OTHER;
	case QUESTION_ACCEPTED:
		return kind->operation == OPERATION_ACCEPT && kind->family != FAMILY_OTHER;
	case QUESTION_LOCAL_ADDRESS:
	case QUESTION_REMOTE_ADDRESS:
		return kind->family != FAMILY_OTHER;
	case QUESTION_RETRANSMITS:
	case QUESTION_DROPS:
		return false;
	default:
		return true;
	}
}

static int count_call(struct candidates *c, struct group *g, const struct graph_call *call)
{
	u32 syscall = find_syscall(&g->out, call->syscall), i;
	struct fn_stat *stat;
	struct fn *fn;
	int ret = 0;

	g->out.calls++;
	g->out.syscalls[syscall].calls++;
	c->call_number++;
	/* as in ->below: with what interrupts did on top */
	g->nodes += call->nr_nodes;
	for (i = 0; i < call->nr_nodes && !ret; i++) {
		if (!candidates_is_own(&call->nodes[i]))
			continue;
		fn = candidates_fn(c, call->nodes[i].func, &ret);
		if (!fn)
			continue;
		stat = find_stat(g, (u32)(fn - c->fn));
		if (!stat)
			return -ENOMEM;
		count_node(c, stat, &call->nodes[i], syscall);
	}
	return ret;
}

/* The functions that an event was inside of, as a call of their own: innermost first. */
static int count_event(struct candidates *c, const struct graph_call *call,
		       const struct call_note *note)
{
	struct call_kind kind = { .operation = OPERATION_EVENT };
	struct group *g = find_group(c, &kind);
	u32 at = note->node, steps = 0, syscall;
	struct fn_stat *stat;
	struct fn *fn;
	int ret = 0;

	if (!g)
		return 0;
	syscall = find_syscall(&g->out, call->syscall ? call->syscall : "(no system call)");
	g->out.calls++;
	g->out.syscalls[syscall].calls++;
	c->call_number++;
	while (at < call->nr_nodes && steps++ < call->nr_nodes && !ret) {
		fn = candidates_fn(c, call->nodes[at].func, &ret);
		stat = fn ? find_stat(g, (u32)(fn - c->fn)) : NULL;
		if (fn && !stat)
			return -ENOMEM;
		if (stat)
			count_node(c, stat, &call->nodes[at], syscall);
		g->nodes++;
		at = call->nodes[at].parent;
	}
	return ret;
}

static int count_events(struct candidates *c, const struct graph_call *call)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < call->nr_notes && !ret; i++)
		if (c->options.is_wanted && c->options.is_wanted(c->options.ctx, &call->notes[i]))
			ret = count_event(c, call, &call->notes[i]);
	return ret;
}

int candidates_call(struct candidates *c, const struct graph_call *call)
{
	struct call_kind kind;
	struct group *g;
	int ret;

	c->stats.calls++;
	if (c->options.question == QUESTION_RETRANSMITS || c->options.question == QUESTION_DROPS)
		return count_events(c, call);
	ret = candidates_kind(c, call, &kind);
	if (ret)
		return ret;
	if (kind.operation == OPERATION_NONE) {
		c->stats.no_socket++;
		return 0;
	}
	if (!is_wanted(c, &kind))
		c->stats.unwanted++;
	/* what is not wanted still tells what is special about the rest */
	g = find_group(c, &kind);
	if (!g)
		return 0;
	if (call->after_loss || call->open || call->truncated) {
		g->out.left_out++;
		return 0;
	}
	compare_pointers(c, call);
	return count_call(c, g, call);
}
