// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dropped packets, counted: see drops.h. A hash table of chains over an array that grows.
 */
#include "analysis/drops.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096U
#define ETHERTYPE_ARP 0x0806

struct drops {
	struct drop_group *group;
	u32 nr, cap;
	u32 bucket[BUCKETS]; /* 1 + index of the first of a chain; 0: empty */
	u32 source;
	u32 world; /* changes with a source that tells of other packets */
	u64 total, ungrouped;
};

int drops_new(struct drops **out, struct error *err)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : error_errno(err, ENOMEM, "cannot count drops");
}

static void words_free(struct drop_words *w)
{
	free(w->reason);
	free(w->location);
	free(w->function);
	free(w->table);
	free(w->chain);
	free(w->dev);
	free(w->netns);
	free(w->example);
}

void drops_free(struct drops *d)
{
	u32 i;

	if (!d)
		return;
	for (i = 0; i < d->nr; i++)
		words_free(&d->group[i].words);
	free(d->group);
	free(d);
}

void drops_next_source(struct drops *d, bool again)
{
	d->source++;
	d->world += !again;
}

static void flow_of_ports(struct drop_flow *flow, const struct packet_net *net, u16 *other)
{
	if (net->l4 != PART_OK || (!net->sport && !net->dport))
		return;
	flow->port_of = net->sport < net->dport ? DROP_PORT_SRC : DROP_PORT_DST;
	flow->port = flow->port_of == DROP_PORT_SRC ? net->sport : net->dport;
	*other = flow->port_of == DROP_PORT_SRC ? net->dport : net->sport;
}

static void flow_of_net(struct drop_flow *flow, const struct packet_net *net, u16 *other)
{
	memcpy(flow->src, net->src, sizeof(flow->src));
	memcpy(flow->dst, net->dst, sizeof(flow->dst));
	flow->version = net->version;
	flow->proto = net->proto;
	if (net->proto != IPPROTO_ICMP && net->proto != IPPROTO_ICMPV6) {
		flow_of_ports(flow, net, other);
	} else if (net->l4 == PART_OK) {
		flow->has_type = true;
		flow->type = net->icmp_type;
		flow->code = net->icmp_code;
	}
}

static void flow_of_arp(struct drop_flow *flow, const struct packet *packet)
{
	memcpy(flow->src, packet->arp_sip, 4);
	memcpy(flow->dst, packet->arp_tip, 4);
	flow->version = 4;
	flow->ethertype = ETHERTYPE_ARP;
	flow->has_type = true;
	flow->type = (u8)packet->arp_op;
}

static void flow_of(struct drop_flow *flow, const struct path *path, u16 *other)
{
	const struct packet *packet = path_packet(path);

	flow->ethertype = path->proto;
	if (!packet)
		return;
	if (packet->ethertype)
		flow->ethertype = packet->ethertype;
	if (packet->nr_nets && packet->net[0].part == PART_OK)
		flow_of_net(flow, &packet->net[0], other);
	else if (packet->arp == PART_OK)
		flow_of_arp(flow, packet);
}

const struct hop *drop_place(const struct path *path)
{
	u32 i;

	for (i = path->nr_hops; i-- > 0;)
		if (path->hops[i].dev)
			return &path->hops[i];
	return NULL;
}

static void key_of_filter(struct drop_key *key, const struct path *path)
{
	const struct hop_filter *filter = NULL;
	const struct hop *table = path_dropping_table(path);

	if (path->end_filter >= 0 && (u32)path->end_filter < path->nr_hops)
		filter = hop_filter_of(&path->hops[path->end_filter]);
	if (!filter)
		return;
	key->function = filter->function;
	key->table = table ? hop_filter_of(table)->table : 0;
	key->chain = table ? hop_filter_of(table)->chain : 0;
	key->hook = filter->hook;
	key->pf = filter->pf;
	key->has_hook = path->hops[path->end_filter].kind == EVENT_HOOK;
}

static void key_of(struct drop_key *key, const struct path *path, u16 *other)
{
	const struct hop *end = path->end_hop >= 0 ? &path->hops[path->end_hop] : NULL;
	const struct hop *place;

	memset(key, 0, sizeof(*key));
	if (end && end->has & EVENT_HAS_LOCATION)
		key->location = end->location;
	if (end && end->has & EVENT_HAS_REASON) {
		key->has_reason = true;
		key->reason = end->reason;
		key->type = end->type;
	}
	key_of_filter(key, path);
	flow_of(&key->flow, path, other);
	place = key->flow.version ? NULL : drop_place(path);
	if (place) {
		key->dev = place->dev;
		key->netns = place->netns;
	}
}

/* FNV-1a, a byte at a time: a few hundred nanoseconds a drop. */
static u32 hash(const struct drop_key *key)
{
	const u8 *byte = (const u8 *)key;
	u32 h = 2166136261U;
	size_t i;

	for (i = 0; i < sizeof(*key); i++)
		h = (h ^ byte[i]) * 16777619U;
	return (h ^ h >> 16) % BUCKETS;
}

static struct drop_group *new_group(struct drops *d, const struct drop_key *key, u32 *bucket)
{
	u32 cap = d->cap ? d->cap * 2 : 64;
	struct drop_group *group = d->group;

	if (d->nr == DROPS_MAX_GROUPS)
		return NULL;
	if (d->nr == d->cap) {
		group = reallocarray(group, cap, sizeof(*group));
		if (!group)
			return NULL;
		d->group = group;
		d->cap = cap;
	}
	group = &d->group[d->nr];
	*group = (struct drop_group){ .next = *bucket, .world = d->world };
	memcpy(&group->key, key, sizeof(*key));
	*bucket = ++d->nr;
	return group;
}

static u32 length_of(const struct path *path)
{
	u32 i;

	for (i = path->nr_hops; i-- > 0;)
		if (path->hops[i].has & EVENT_HAS_LEN)
			return path->hops[i].len_bytes;
	return 0;
}

static void group_add(struct drop_group *g, const struct path *path, u16 other)
{
	u64 when = path->end_hop >= 0 ? path->hops[path->end_hop].ts_ns : path->last_ns;

	if (!g->count++) {
		g->first_ns = g->last_ns = when;
		g->example = path->number;
		g->other_port = other;
	}
	if (when < g->first_ns)
		g->first_ns = when;
	if (when > g->last_ns)
		g->last_ns = when;
	g->other_ports |= other != g->other_port;
	g->bytes += length_of(path);
}

struct drop_group *drops_add(struct drops *d, const struct path *path, bool *fresh)
{
	struct drop_group *group = NULL;
	struct drop_key key;
	u32 *bucket, i;
	u16 other = 0;

	*fresh = false;
	if (path->state != PATH_DROPPED)
		return NULL;
	d->total++;
	key_of(&key, path, &other);
	key.source = d->source;
	bucket = &d->bucket[hash(&key)];
	for (i = *bucket; i && !group; i = d->group[i - 1].next)
		if (!memcmp(&d->group[i - 1].key, &key, sizeof(key)))
			group = &d->group[i - 1];
	if (!group) {
		group = new_group(d, &key, bucket);
		*fresh = group;
	}
	if (group)
		group_add(group, path, other);
	else
		d->ungrouped++;
	return group;
}

static int by_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

/* Equal for groups that say the same, whatever source they are of. */
static int by_words(const void *x, const void *y)
{
	const struct drop_group *a = x, *b = y;
	const struct drop_key *k = &a->key, *l = &b->key;
	int order = memcmp(&k->flow, &l->flow, sizeof(k->flow));

	if (!order)
		order = by_text(a->words.reason, b->words.reason);
	if (!order)
		order = by_text(a->words.location, b->words.location);
	if (!order)
		order = by_text(a->words.function, b->words.function);
	if (!order)
		order = by_text(a->words.table, b->words.table);
	if (!order)
		order = by_text(a->words.chain, b->words.chain);
	if (!order)
		order = (k->has_hook << 16 | k->pf << 8 | k->hook) -
			(l->has_hook << 16 | l->pf << 8 | l->hook);
	if (!order && !k->flow.version)
		order = by_text(a->words.dev, b->words.dev);
	if (!order && !k->flow.version)
		order = by_text(a->words.netns, b->words.netns);
	return order;
}

static int by_source(const void *x, const void *y)
{
	const struct drop_group *a = x, *b = y;
	int order = by_words(x, y);

	return order ? order : (a->key.source > b->key.source) - (a->key.source < b->key.source);
}

static int by_count(const void *x, const void *y)
{
	const struct drop_group *a = x, *b = y;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	if (a->key.source != b->key.source)
		return a->key.source > b->key.source ? 1 : -1;
	if (a->first_ns != b->first_ns)
		return a->first_ns > b->first_ns ? 1 : -1;
	return (a->example > b->example) - (a->example < b->example);
}

/* Times of different sources may be on different clocks: the first source's stay. */
static void join(struct drop_group *into, struct drop_group *from)
{
	into->count += from->count;
	into->bytes += from->bytes;
	into->other_ports |= from->other_ports || from->other_port != into->other_port;
	words_free(&from->words);
}

const struct drop_group *drops_sort(struct drops *d, size_t *nr)
{
	u32 i, kept = 0;

	if (d->nr)
		qsort(d->group, d->nr, sizeof(*d->group), by_source);
	for (i = 0; i < d->nr; i++) {
		if (kept && d->group[i].world != d->group[kept - 1].world &&
		    !by_words(&d->group[kept - 1], &d->group[i]))
			join(&d->group[kept - 1], &d->group[i]);
		else
			d->group[kept++] = d->group[i];
	}
	d->nr = kept;
	if (d->nr)
		qsort(d->group, d->nr, sizeof(*d->group), by_count);
	*nr = kept;
	return d->group;
}

u64 drops_total(const struct drops *d)
{
	return d->total;
}

u64 drops_ungrouped(const struct drops *d)
{
	return d->ungrouped;
}
