// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The solver's store of windows, its sets of places, and which windows it wants next.
 *
 * In:  cal_feed().
 * Out: objects put together from windows, for the files that compare them; cal_wants().
 *
 * A set only ever gets smaller. What was not compared is in no set.
 */
#include "kernel/calibrate_solve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/calibrate_priv.h"

#define ROUNDS_NEEDED 3 /* each goes one pointer farther */
#define ROUNDS_MAX 5	/* the rest with more packets, when something is not clear yet */
#define CHAIN_SPAN 192
#define PKT_SPAN 64
#define STATE_SPAN 48
#define ENTRIES_SPAN 64 /* what one with one hook takes; behind it may be another one */
#define XT_SPAN 128

struct cal *cal_new(u32 hooks)
{
	struct cal *c = calloc(1, sizeof(*c));
	int m;

	if (!c)
		return NULL;
	c->hooks = hooks;
	for (m = 0; m < MEMBER_COUNT; m++)
		c->findings[m].why = "calibration does not look for it";
	cal_round(c);
	return c;
}

void cal_free(struct cal *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->nr_taken; i++)
		free(c->taken[i].bytes);
	free(c->taken);
	free(c);
}

size_t cal_wants(const struct cal *c, const struct cal_want **wants)
{
	*wants = c->wants;
	return c->nr_wants;
}

const struct cal_finding *cal_finding(const struct cal *c, enum member m)
{
	return &c->findings[m];
}

bool cal_is_pointer(u64 word)
{
	/* the upper half on machines with 64 bits; the last page has error codes */
	return word >> 56 == 0xff && word < (u64)-4096;
}

/* ---- what is known */

#define ADD(array, nr, max, value)       \
	do {                             \
		if ((nr) >= (max))       \
			return -ENOMEM;  \
		(array)[(nr)] = (value); \
		return (int)(nr)++;      \
	} while (0)

int cal_add_netns(struct cal *c, u32 inum)
{
	ADD(c->inums, c->nr_inums, CAL_ITEMS_MAX, inum);
}

int cal_add_device(struct cal *c, const struct cal_device *device)
{
	ADD(c->devices, c->nr_devices, CAL_ITEMS_MAX, *device);
}

int cal_add_socket(struct cal *c, const struct cal_socket *socket)
{
	ADD(c->sockets, c->nr_sockets, CAL_ITEMS_MAX, *socket);
}

int cal_add_chain(struct cal *c, const struct cal_chain *chain)
{
	ADD(c->chains, c->nr_chains, CAL_ITEMS_MAX, *chain);
}

static int add_name(char (*names)[CAL_NAME_SIZE], size_t *nr, const char *name)
{
	if (*nr >= CAL_ITEMS_MAX || strlen(name) >= CAL_NAME_SIZE)
		return -ENOMEM;
	memset(names[*nr], 0, CAL_NAME_SIZE);
	memcpy(names[*nr], name, strlen(name));
	return (int)(*nr)++;
}

int cal_add_table(struct cal *c, const char *name)
{
	return add_name(c->tables, &c->nr_tables, name);
}

int cal_add_xt_table(struct cal *c, const char *name)
{
	return add_name(c->xt_tables, &c->nr_xt_tables, name);
}

int cal_add_function(struct cal *c, u64 address)
{
	size_t i;

	for (i = 0; i < c->nr_functions; i++)
		if (c->functions[i] == address)
			return (int)i;
	ADD(c->functions, c->nr_functions, CAL_ITEMS_MAX, address);
}

int cal_add_packet(struct cal *c, const struct cal_packet *packet)
{
	if (c->nr_packets < CAL_PACKETS_MAX)
		c->first_taken[c->nr_packets] = c->nr_taken;
	ADD(c->packets, c->nr_packets, CAL_PACKETS_MAX, *packet);
}

/* ---- windows */

static bool same_path(const struct cal_path *a, const struct cal_path *b)
{
	return a->hook == b->hook && a->arg == b->arg && a->depth == b->depth &&
	       a->at[0] == b->at[0] && a->at[1] == b->at[1];
}

static u16 total_wanted(const struct cal *c, const struct cal_path *path)
{
	u32 total = 0;
	size_t i;

	for (i = 0; i < c->nr_wants; i++)
		if (same_path(&c->wants[i].path, path) &&
		    (u32)c->wants[i].start + c->wants[i].len > total)
			total = (u32)c->wants[i].start + c->wants[i].len;
	return (u16)total;
}

int cal_feed(struct cal *c, size_t want, size_t packet, size_t nth, const u64 args[3],
	     const u64 *pointers, const u8 *bytes)
{
	struct cal_taken *taken;
	size_t cap, i;

	if (want >= c->nr_wants || packet + 1 != c->nr_packets)
		return -EINVAL;
	if (nth >= CAL_CALLS_MAX)
		return 0;
	/* what is behind a pointer that is none is left over from something else */
	for (i = 0; i < c->wants[want].path.depth; i++)
		if (!cal_is_pointer(pointers[i]))
			return 0;
	if (!i && !cal_is_pointer(args[c->wants[want].path.arg - 1]))
		return 0;
	if (c->nr_taken == c->cap_taken) {
		cap = c->cap_taken ? 2 * c->cap_taken : 1024;
		taken = reallocarray(c->taken, cap, sizeof(*taken));
		if (!taken)
			return -ENOMEM;
		c->taken = taken;
		c->cap_taken = cap;
	}
	taken = &c->taken[c->nr_taken];
	taken->bytes = malloc(c->wants[want].len);
	if (!taken->bytes)
		return -ENOMEM;
	memcpy(taken->bytes, bytes, c->wants[want].len);
	taken->want = c->wants[want];
	taken->packet = (u16)packet;
	taken->nth = (u16)nth;
	taken->total = total_wanted(c, &taken->want.path);
	memcpy(taken->args, args, sizeof(taken->args));
	taken->pointer = i ? pointers[i - 1] : args[taken->want.path.arg - 1];
	c->nr_taken++;
	return 0;
}

/* Windows of one call tell of one object: those of another are from a call in between. */
static bool fits(const struct cal_taken *taken, const struct cal_object *out)
{
	return !out->len || (taken->pointer == out->pointer &&
			     !memcmp(taken->args, out->args, sizeof(out->args)));
}

bool cal_object_get(const struct cal *c, struct cal_path path, size_t packet, size_t nth,
		    struct cal_object *out)
{
	size_t begin = c->first_taken[packet];
	size_t end = packet + 1 < c->nr_packets ? c->first_taken[packet + 1] : c->nr_taken;
	const struct cal_taken *taken;
	u32 total = 0;
	size_t i;

	out->len = 0;
	/* backwards, as of probes on one function those defined last are called first */
	for (i = end; i > begin; i--) {
		taken = &c->taken[i - 1];
		if (taken->nth != nth || !same_path(&taken->want.path, &path) ||
		    taken->want.start > out->len ||
		    (u32)taken->want.start + taken->want.len <= out->len ||
		    (u32)taken->want.start + taken->want.len > CAL_SPAN)
			continue;
		if (!fits(taken, out))
			return false;
		memcpy(out->bytes + taken->want.start, taken->bytes, taken->want.len);
		out->len = (u32)taken->want.start + taken->want.len;
		out->pointer = taken->pointer;
		memcpy(out->args, taken->args, sizeof(out->args));
		total = taken->total;
		if (out->len < total)
			i = end + 1; /* whatever the order is */
	}
	return out->len && out->len == total;
}

static bool has_mark(const struct cal *c, const struct cal_object *skb, u32 mark)
{
	u32 at;

	if (cal_has(c, SKB_MARK))
		return load_u32(skb->bytes + cal_at(c, SKB_MARK), false) == mark;
	for (at = 0; at + 4 <= skb->len; at += 4)
		if (load_u32(skb->bytes + at, false) == mark)
			return true;
	return false;
}

bool cal_tx(const struct cal *c, size_t packet, struct cal_object *out, size_t *nth)
{
	size_t i;

	for (i = 0; i < CAL_CALLS_MAX; i++) {
		if (!cal_object_get(c, cal_path0(CAL_TX, 1), packet, i, out) ||
		    !has_mark(c, out, c->packets[packet].mark))
			continue;
		if (nth)
			*nth = i;
		return true;
	}
	return false;
}

bool cal_last_call(const struct cal *c, enum cal_hook hook, size_t packet, struct cal_object *out)
{
	size_t nth;

	if (!cal_has(c, SKB_MARK))
		return false;
	for (nth = CAL_CALLS_MAX; nth; nth--)
		if (cal_object_get(c, cal_path0(hook, 1), packet, nth - 1, out) &&
		    load_u32(out->bytes + cal_at(c, SKB_MARK), false) == c->packets[packet].mark)
			return true;
	return false;
}

/* ---- sets */

void cal_set_init(struct cal_set *set, u8 width, u8 align)
{
	memset(set, 0, sizeof(*set));
	set->width = width;
	set->align = align;
}

static bool is_gone(const struct cal_set *set, u32 at)
{
	return set->gone[at / 8] >> at % 8 & 1;
}

void cal_set_match(struct cal_set *set, const u8 *bytes, u32 len, const void *value)
{
	u64 hash = 0xcbf29ce484222325ULL;
	u32 at;

	for (at = 0; at < set->width; at++)
		hash = (hash ^ ((const u8 *)value)[at]) * 0x100000001b3ULL;
	if (!set->samples || len < set->span)
		set->span = len;
	if (!set->samples)
		set->first = hash;
	set->varied |= hash != set->first;
	set->samples++;
	for (at = 0; at + set->width <= set->span; at += set->align)
		if (memcmp(bytes + at, value, set->width))
			set->gone[at / 8] |= (u8)(1U << at % 8);
}

void cal_set_take_out(struct cal_set *set, u32 offset, u32 size)
{
	u32 at;

	for (at = 0; at + set->width <= set->span; at += set->align)
		if (at < offset + size && offset < at + set->width)
			set->gone[at / 8] |= (u8)(1U << at % 8);
}

u32 cal_set_count(const struct cal_set *set, u32 *first)
{
	u32 count = 0;
	u32 at;

	for (at = 0; set->samples && at + set->width <= set->span; at += set->align) {
		if (is_gone(set, at))
			continue;
		if (!count++ && first)
			*first = at;
	}
	return count;
}

/* ---- findings */

void cal_not_found(struct cal *c, enum member m, const char *why)
{
	c->findings[m] = (struct cal_finding){ .state = CAL_NONE, .why = why };
}

void cal_found(struct cal *c, enum member m, u32 offset, u32 size)
{
	c->findings[m] = (struct cal_finding){
		.state = CAL_FOUND,
		.place = { .offset = offset, .size = size, .source = STRUCTS_CALIBRATION },
	};
}

void cal_add_candidate(struct cal *c, enum member m, u32 offset)
{
	struct cal_finding *f = &c->findings[m];

	if (f->state != CAL_AMBIGUOUS)
		*f = (struct cal_finding){ .state = CAL_AMBIGUOUS,
					   .why = "several places agree with all packets" };
	if (f->nr < CAL_CANDIDATES_MAX)
		f->candidates[f->nr] = offset;
	f->nr++;
}

bool cal_conclude(struct cal *c, enum member m, const struct cal_set *set, u32 size)
{
	u32 first = 0;
	u32 count = cal_set_count(set, &first);
	u32 at;

	if (!set->samples) {
		cal_not_found(c, m, "no packet showed it");
	} else if (!count) {
		cal_not_found(c, m, "no place agrees with all packets");
	} else if (!set->varied && set->width < 8) {
		cal_not_found(c, m, "all packets had the same value");
	} else if (count > 1) {
		cal_not_found(c, m, "several places agree with all packets");
		for (at = first; at + set->width <= set->span; at += set->align)
			if (!is_gone(set, at))
				cal_add_candidate(c, m, at);
	} else {
		cal_found(c, m, first, size);
	}
	return cal_has(c, m);
}

/* ---- what to take next */

/* Windows for the first @span bytes behind a path. */
static void want(struct cal *c, struct cal_path path, u32 span)
{
	u32 start = 0;
	u32 len;

	if (!(c->hooks & 1U << path.hook))
		return;
	for (;;) {
		len = span - start < CAL_WINDOW_MAX ? span - start : CAL_WINDOW_MAX;
		if (c->nr_wants == CAL_WANTS_MAX)
			return;
		c->wants[c->nr_wants++] =
			(struct cal_want){ .path = path, .start = (u16)start, .len = (u16)len };
		if (start + len >= span)
			return;
		start += CAL_WINDOW_MAX - CAL_OVERLAP;
	}
}

/* Whether more packets could tell more of one of these members. */
static bool lacks(const struct cal *c, enum member from, enum member to)
{
	int m;

	/* what waits for the netns' address gets it from packets that are there already */
	for (m = from; m <= (int)to; m++)
		if (!cal_has(c, (enum member)m) &&
		    ((m != SOCK_NET && m != NFSTATE_NET) || cal_has(c, DEV_NET)))
			return true;
	return false;
}

static void want_skb(struct cal *c)
{
	bool first = c->round <= 1;
	bool objects = first || !cal_has(c, SKB_DATA) || !cal_has(c, SKB_SK) ||
		       !cal_has(c, SKB_REFDST) || lacks(c, DST_DEV, SOCK_COOKIE);
	bool devices = first || lacks(c, DEV_NAME, DEV_IFINDEX) || !c->nr_nets;
	u8 i;

	want(c, cal_path0(CAL_TX, 1), CAL_SKB_SPAN);
	for (i = 0; i < c->nr_pointers; i++)
		if (c->like_device[i] && devices)
			want(c, cal_path1(CAL_TX, 1, c->pointers[i]), CAL_SPAN);
		else if (objects)
			want(c, cal_path1(CAL_TX, 1, c->pointers[i]), CAL_WINDOW_MAX);
	for (i = 0; i < c->nr_nets && lacks(c, DEV_NET, NET_INUM); i++)
		want(c, cal_path2(CAL_TX, 1, cal_at(c, SKB_DEV), c->nets[i]), CAL_SPAN);
	if (c->round &&
	    (first || !cal_has(c, SKB_LEN) || lacks(c, SKB_VLAN_TCI, SKB_VLAN_PRESENT))) {
		want(c, cal_path0(CAL_TAP, 1), CAL_SKB_SPAN);
		want(c, cal_path0(CAL_RX, 1), CAL_SKB_SPAN);
	}
}

static void want_netfilter(struct cal *c)
{
	bool first = c->round <= 1;
	u8 i, j;

	if (c->round &&
	    (first || lacks(c, NFSTATE_HOOK, NFENTRIES_HOOKS) || !cal_has(c, NFT_PKT_STATE))) {
		want(c, cal_path0(CAL_NF, 2), STATE_SPAN);
		want(c, cal_path0(CAL_NF, 3), ENTRIES_SPAN);
	}
	if (c->round && (first || !cal_has(c, XT_TABLE_NAME))) {
		want(c, cal_path0(CAL_XT, 1), XT_SPAN);
		want(c, cal_path0(CAL_XT, 3), XT_SPAN);
	}
	if (!first && !lacks(c, NFT_PKT_SKB, NFT_TABLE_NAME))
		return;
	want(c, cal_path0(CAL_NFT, 1), PKT_SPAN);
	want(c, cal_path0(CAL_NFT, 2), CHAIN_SPAN);
	for (i = 0; i < c->nr_chain_pointers; i++) {
		want(c, cal_path1(CAL_NFT, 2, c->chain_pointers[i]),
		     c->like_table[i] ? 2 * CAL_WINDOW_MAX : CAL_NAME_SIZE);
		for (j = 0; j < c->table_pointers[i].nr; j++)
			want(c,
			     cal_path2(CAL_NFT, 2, c->chain_pointers[i],
				       c->table_pointers[i].at[j]),
			     CAL_NAME_SIZE);
	}
}

/* Whether more packets could tell more of a member. */
static bool is_sought(const struct cal *c, enum member m)
{
	if (m == SKB_IIF || m == SOCKET_SK || m == FILE_PRIVATE)
		return false;
	if (m >= SKB_VLAN_TCI && m <= SKB_VLAN_PRESENT)
		return c->hooks & 1U << CAL_TAP && c->hooks & 1U << CAL_RX;
	if (m >= NFSTATE_HOOK && m <= NFENTRIES_HOOKS)
		return c->hooks & 1U << CAL_NF;
	if (m == XT_TABLE_NAME)
		return c->hooks & 1U << CAL_XT;
	return m < NFT_PKT_SKB || c->hooks & 1U << CAL_NFT;
}

static bool is_over(const struct cal *c)
{
	int m;

	/* without these nothing more can be seen */
	if ((c->round && !c->nr_pointers) || (c->round > 1 && !cal_has(c, SKB_MARK)))
		return true;
	if (c->round < ROUNDS_NEEDED || c->round == ROUNDS_MAX)
		return c->round == ROUNDS_MAX;
	for (m = 0; m < MEMBER_COUNT; m++)
		if (!cal_has(c, (enum member)m) && is_sought(c, (enum member)m))
			return false;
	return true;
}

void cal_round(struct cal *c)
{
	if (c->nr_wants) {
		cal_solve_skb(c);
		cal_solve_vlan(c);
		cal_solve_netfilter(c);
		cal_solve_nft(c);
		cal_solve_xt(c);
		c->round++;
	}
	c->nr_wants = 0;
	if (is_over(c))
		return;
	want_skb(c);
	want_netfilter(c);
}
