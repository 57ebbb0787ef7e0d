// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calibration's solver against simulated memory: structures whose members are anywhere, between words that
 * are left over, and others that are nearly right.
 *
 * The image is made here from a layout drawn by lot; the solver sees windows of it only. A finding has to be
 * the member's place, or none.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/calibrate_solve.h"

#define SHUFFLES 1000
#define PACKETS 16
#define REGIONS_MAX 256
#define ALL_HOOKS ((1U << CAL_HOOKS) - 1)
#define NETNS 2
#define DEVICES 4
#define SOCKETS 12
#define CHAINS 8
#define PROTO_V4 0x0008 /* big-endian, as in memory of a little-endian machine; only compared */
#define PROTO_V6 0xdd86

/* ---- lots */

static u64 seed;

static u32 draw(u32 from, u32 to)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return from + (u32)(seed >> 16) % (to - from + 1);
}

static bool chance(u32 percent)
{
	return draw(1, 100) <= percent;
}

/* ---- memory */

struct region {
	u64 base;
	u32 size;
	u8 *bytes;
};

enum structure { SKB, DEV, NET, DST, SOCK, STATE, ENTRIES, PKT, CHAIN, TABLE, XT, STRUCTURES };

static const struct {
	const char *name;
	u32 size; /* in which members lie */
} structures[STRUCTURES] = {
	[SKB] = { "sk_buff", 240 },
	[DEV] = { "net_device", 2048 },
	[NET] = { "net", 3072 },
	[DST] = { "dst_entry", 112 },
	[SOCK] = { "sock", 400 },
	[STATE] = { "nf_hook_state", 48 },
	[ENTRIES] = { "nf_hook_entries", 64 },
	[PKT] = { "nft_pktinfo", 56 },
	[CHAIN] = { "nft_chain", 144 },
	[TABLE] = { "nft_table", 480 },
	[XT] = { "xt_table", 112 },
};

struct world {
	struct cal *cal;
	struct region regions[REGIONS_MAX];
	size_t nr_regions;
	struct member_place at[MEMBER_COUNT];
	u8 used[STRUCTURES][4096];
	/* bytes of what no member covers: the same in all objects of a structure, to begin with */
	u64 devices[DEVICES], nets[NETNS], sockets[SOCKETS], routes[DEVICES], chains[CHAINS];
	u64 tables[CHAINS], xt[2], function;
	struct cal_device device[DEVICES];
	struct cal_socket socket[SOCKETS];
	struct cal_chain chain[CHAINS];
	u32 inum[NETNS];
	bool old_xt;
	bool vlan_word;
	u8 stale[CAL_WINDOW_MAX]; /* what a read that faults leaves */
	enum member doubled;	  /* has a perfect copy elsewhere; MEMBER_COUNT none */
	u32 copy_at;
	u32 wrong;
};

static enum structure structure_of(enum member m)
{
	if (m <= SKB_VLAN_PRESENT)
		return SKB;
	if (m <= DEV_NET)
		return DEV;
	if (m == NET_INUM)
		return NET;
	if (m == DST_DEV)
		return DST;
	if (m <= SOCK_COOKIE)
		return SOCK;
	if (m <= NFSTATE_NET)
		return STATE;
	if (m == NFENTRIES_HOOKS)
		return ENTRIES;
	if (m == XT_TABLE_NAME)
		return XT;
	if (m <= NFT_PKT_STATE)
		return PKT;
	return m == NFT_TABLE_NAME ? TABLE : CHAIN;
}

static u32 size_of(enum member m)
{
	switch (m) {
	case SKB_LEN:
	case SKB_DATA_LEN:
	case SKB_MARK:
	case SKB_TAIL:
	case DEV_IFINDEX:
	case NET_INUM:
	case SOCK_DADDR:
	case SOCK_RCV_SADDR:
		return 4;
	case SKB_PROTOCOL:
	case SKB_TRANSPORT:
	case SKB_NETWORK:
	case SKB_MAC:
	case SKB_VLAN_TCI:
	case SKB_VLAN_PROTO:
	case SOCK_FAMILY:
	case SOCK_DPORT:
	case SOCK_NUM:
		return 2;
	case SKB_VLAN_PRESENT:
	case SOCK_STATE:
	case NFSTATE_PF:
	case NFSTATE_HOOK:
		return 1;
	case DEV_NAME:
	case SOCK_V6_DADDR:
	case SOCK_V6_RCV_SADDR:
	case NFENTRIES_HOOKS:
		return 16;
	case XT_TABLE_NAME:
		return 32;
	default:
		return 8;
	}
}

static u64 allocate(struct world *w, u32 size)
{
	struct region *r = &w->regions[w->nr_regions];
	u32 i;

	assert_true(w->nr_regions < REGIONS_MAX);
	/* none begins close behind another one */
	r->base = 0xffff888000000000ULL + ((u64)w->nr_regions << 20) + draw(0, 1000) * 64ULL;
	r->size = size;
	r->bytes = malloc(size);
	assert_non_null(r->bytes);
	for (i = 0; i < size; i++)
		r->bytes[i] = chance(40) ? 0 : (u8)draw(0, 255);
	w->nr_regions++;
	return r->base;
}

static u8 *memory(const struct world *w, u64 address, u32 len)
{
	u64 i = (address - 0xffff888000000000ULL) >> 20;
	const struct region *r;

	if (address < 0xffff888000000000ULL || i >= w->nr_regions)
		return NULL;
	r = &w->regions[i];
	if (address < r->base || address + len > r->base + r->size)
		return NULL;
	return r->bytes + (address - r->base);
}

static void put(struct world *w, u64 object, enum member m, const void *value, u32 size)
{
	u8 *at = memory(w, object + w->at[m].offset, size);

	assert_non_null(at);
	memcpy(at, value, size);
	if (w->doubled == m)
		memcpy(memory(w, object + w->copy_at, size), value, size);
}

#define PUT(w, object, m, type, value_)                         \
	do {                                                    \
		type value = (type)(value_);                    \
		put((w), (object), (m), &value, sizeof(value)); \
	} while (0)

/* ---- a layout drawn by lot */

static u32 place(struct world *w, enum structure s, u32 size, u32 align)
{
	u32 at, i;

	for (;;) {
		at = draw(0, (structures[s].size - size) / align) * align;
		for (i = 0; i < size && !w->used[s][at + i]; i++)
			;
		if (i == size)
			break;
	}
	memset(w->used[s] + at, 1, size);
	return at;
}

static bool is_sought(enum member m)
{
	return m != SKB_IIF && m != SOCKET_SK && m != FILE_PRIVATE;
}

static void draw_layout(struct world *w)
{
	u32 size, align;
	int m;

	w->vlan_word = chance(50);
	for (m = 0; m < MEMBER_COUNT; m++) {
		if (!is_sought((enum member)m) || m == SKB_VLAN_TCI || m == SKB_VLAN_PROTO ||
		    m == SKB_VLAN_PRESENT)
			continue;
		size = m == NFSTATE_HOOK && chance(50) ? 4 : size_of((enum member)m);
		align = size > 8 ? (m == SOCK_V6_DADDR || m == SOCK_V6_RCV_SADDR ? 4 : 8) : size;
		w->at[m].offset = place(w, structure_of((enum member)m), size, align);
		w->at[m].size = size;
	}
	w->at[SKB_VLAN_TCI].offset = place(w, SKB, 4, 4);
	w->at[SKB_VLAN_PROTO].offset = w->at[SKB_VLAN_TCI].offset + 2;
	if (chance(50)) {
		w->at[SKB_VLAN_PROTO].offset -= 2;
		w->at[SKB_VLAN_TCI].offset += 2;
	}
	w->at[SKB_VLAN_TCI].size = w->at[SKB_VLAN_PROTO].size = 2;
	w->at[SKB_VLAN_PRESENT] = (struct member_place){
		.offset = w->vlan_word ? w->at[SKB_VLAN_TCI].offset & ~3U : place(w, SKB, 1, 1),
		.size = w->vlan_word ? 4 : 1,
		.is_bit = !w->vlan_word,
		.bit = w->vlan_word ? 0 : (u8)draw(0, 7),
	};
	w->doubled = MEMBER_COUNT;
	if (!chance(15))
		return;
	do
		m = (int)draw(0, MEMBER_COUNT - 1);
	while (!is_sought((enum member)m) || (m >= SKB_VLAN_TCI && m <= SKB_VLAN_PRESENT) ||
	       m == NFENTRIES_HOOKS || m == XT_TABLE_NAME);
	w->doubled = (enum member)m;
	w->copy_at = place(w, structure_of(w->doubled), w->at[m].size,
			   w->at[m].size > 8 ? 4 : w->at[m].size);
}

/* ---- what is there */

static void draw_bytes(void *bytes, size_t len)
{
	while (len--)
		((u8 *)bytes)[len] = (u8)draw(0, 255);
}

/* Something close to what is looked for, in a place that is none. */
static void near_misses(struct world *w, enum structure s, u64 object, const void *value, u32 size,
			u32 percent, u32 at)
{
	u32 i;

	for (i = 0; i < size; i++)
		if (w->used[s][at + i])
			return;
	if (chance(percent))
		memcpy(memory(w, object + at, size), value, size);
}

static u32 decoy(u32 salt, enum structure s, u32 size)
{
	return (salt * 2654435761U >> 8) % ((structures[s].size - size) / size) * size;
}

static void make_devices(struct world *w)
{
	u32 i, junk;

	for (i = 0; i < NETNS; i++) {
		w->inum[i] = 0xf0000000U + draw(0, 0xffff);
		w->nets[i] = allocate(w, 5000);
		PUT(w, w->nets[i], NET_INUM, u32, w->inum[i]);
		cal_add_netns(w->cal, w->inum[i]);
	}
	for (i = 0; i < DEVICES; i++) {
		struct cal_device *d = &w->device[i];

		d->netns = i / 2;
		if (i % 2)
			snprintf(d->name, sizeof(d->name), "cal%x", draw(0x1000, 0xffffff));
		else
			snprintf(d->name, sizeof(d->name), "lo");
		d->ifindex = i % 2 ? draw(100, 30000) : 1;
		w->devices[i] = allocate(w, 4096 + 64);
		/* pointers to a netns, not the right one in all devices */
		for (junk = 0; junk < 4096; junk += 8 * draw(1, 6))
			memcpy(memory(w, w->devices[i] + junk, 8), &w->nets[i ? draw(0, 1) : 1], 8);
		put(w, w->devices[i], DEV_NAME, d->name, 16);
		PUT(w, w->devices[i], DEV_IFINDEX, u32, d->ifindex);
		PUT(w, w->devices[i], DEV_NET, u64, w->nets[d->netns]);
		w->routes[i] = allocate(w, CAL_WINDOW_MAX);
		PUT(w, w->routes[i], DST_DEV, u64, w->devices[i]);
		cal_add_device(w->cal, d);
	}
}

static void make_socket(struct world *w, u32 i)
{
	struct cal_socket *s = &w->socket[i];
	u64 o = allocate(w, CAL_WINDOW_MAX);

	s->family = i % 3 == 2 ? 10 : 2;
	s->num = (u16)draw(2000, 65000);
	s->dport_net = i % 4 == 3 ? 0 : (u16)draw(2000, 65000);
	draw_bytes(s->daddr, s->family == 10 ? 16 : 4);
	draw_bytes(s->rcv_saddr, s->family == 10 ? 16 : 4);
	s->cookie = i + draw(1, 3) * 4096;
	s->netns = i % NETNS;
	w->sockets[i] = o;
	PUT(w, o, SOCK_FAMILY, u16, s->family);
	PUT(w, o, SOCK_NUM, u16, s->num);
	near_misses(w, SOCK, o, &s->num, 2, i ? 85 : 0, decoy(1, SOCK, 2));
	PUT(w, o, SOCK_DPORT, u16, s->dport_net);
	PUT(w, o, SOCK_COOKIE, u64, s->cookie);
	near_misses(w, SOCK, o, &s->cookie, 8, i ? 85 : 0, decoy(2, SOCK, 8));
	put(w, o, s->family == 10 ? SOCK_V6_DADDR : SOCK_DADDR, s->daddr, s->family == 10 ? 16 : 4);
	put(w, o, s->family == 10 ? SOCK_V6_RCV_SADDR : SOCK_RCV_SADDR, s->rcv_saddr,
	    s->family == 10 ? 16 : 4);
	PUT(w, o, SOCK_NET, u64, w->nets[s->netns]);
	cal_add_socket(w->cal, s);
}

static u64 make_name(struct world *w, const char *name)
{
	u64 o = allocate(w, CAL_NAME_SIZE);

	memcpy(memory(w, o, CAL_NAME_SIZE), name, strlen(name) + 1);
	return o;
}

static void make_chains(struct world *w)
{
	char name[CAL_NAME_SIZE];
	u32 i, junk;

	for (i = 0; i < CHAINS; i++) {
		if (i % 2 == 0) {
			snprintf(name, sizeof(name), "table%08x", draw(0, 0x7fffffff));
			cal_add_table(w->cal, name);
			w->tables[i / 2] = allocate(w, 2 * CAL_WINDOW_MAX);
			for (junk = 0; junk + 8 < 480; junk += 40)
				memcpy(memory(w, w->tables[i / 2] + junk, 8), &w->devices[0], 8);
			PUT(w, w->tables[i / 2], NFT_TABLE_NAME, u64, make_name(w, name));
		}
		w->chain[i].table = i / 2;
		snprintf(w->chain[i].name, CAL_NAME_SIZE, "chain%08x", draw(0, 0x7fffffff));
		w->chains[i] = allocate(w, 256);
		PUT(w, w->chains[i], NFT_CHAIN_NAME, u64, make_name(w, w->chain[i].name));
		PUT(w, w->chains[i], NFT_CHAIN_TABLE, u64, w->tables[i / 2]);
		cal_add_chain(w->cal, &w->chain[i]);
	}
	for (i = 0; i < 2; i++) {
		memset(name, 0, sizeof(name));
		snprintf(name, sizeof(name), i ? "mangle" : "filter");
		w->xt[i] = allocate(w, 128);
		put(w, w->xt[i], XT_TABLE_NAME, name, CAL_NAME_SIZE);
		cal_add_xt_table(w->cal, name);
	}
	w->function = 0xffffffff81000000ULL + draw(0, 0xffffff);
	cal_add_function(w->cal, w->function);
	w->old_xt = chance(50);
}

/* ---- a packet on its way */

struct travel {
	struct cal_packet p;
	u64 skb, data, head, state, entries, pkt;
	size_t index;
};

static void describe(struct world *w, struct cal_packet *p, u32 n)
{
	memset(p, 0, sizeof(*p));
	p->socket = (u8)(n % SOCKETS);
	p->mark = 0x5a000000U + (draw(0, 0xffff) << 8) + n;
	p->device = (u8)(2 * w->socket[p->socket].netns + (n / 2 % 3 != 0));
	p->comes_back = p->device % 2 == 0;
	p->state = n % 4 == 3 ? 7 : n % 5 == 1 ? 2 : 1;
	p->l3_len = w->socket[p->socket].family == 10 ? 40 : n % 4 ? 20 : 28;
	p->data_len = n % 3 ? 0 : draw(40, 400);
	p->len = 14U + p->l3_len + 8 + draw(40, 400) + p->data_len;
	p->protocol_net = p->l3_len == 40 ? PROTO_V6 : PROTO_V4;
	draw_bytes(p->tag, sizeof(p->tag));
	p->tag_at = (u16)(14 + p->l3_len + 8);
	p->known = CAL_KNOW_LEN | CAL_KNOW_TAG | CAL_KNOW_L4 | CAL_KNOW_SOCKET | CAL_KNOW_PROTOCOL |
		   CAL_KNOW_DEVICE | CAL_KNOW_VLAN | CAL_KNOW_TABLES | CAL_KNOW_ENTRIES;
	if (p->comes_back)
		p->known |= CAL_KNOW_ROUTE;
	else
		p->known |= CAL_KNOW_CHAINS;
	p->tagged = n % 2;
	p->vlan_tci = (u16)draw(1, 0xffff);
	p->vlan_proto_net = n % 4 == 1 ? 0x0081 : 0xa888;
	p->pf = p->l3_len == 40 ? 10 : 2;
	p->nr_hooks = p->comes_back ? 4 : 2;
	memcpy(p->hooks, "\3\4\0\1", 4);
	p->nr_chains = 2;
	p->chains[0] = (u8)(2 * (n % 4));
	p->chains[1] = (u8)(p->chains[0] + 1);
}

static void fill_skb(struct world *w, struct travel *t)
{
	const struct cal_packet *p = &t->p;
	u32 room = chance(30) ? 306 : draw(1, 60) * 2;
	u32 near = t->index % PACKETS ? 85 : 0; /* percent; a word that is always right is right */
	u64 o = t->skb = allocate(w, 256);

	t->head = allocate(w, 2048);
	t->data = t->head + room;
	memcpy(memory(w, t->data + p->tag_at, CAL_TAG_SIZE), p->tag, CAL_TAG_SIZE);
	PUT(w, o, SKB_DEV, u64, w->devices[p->device]);
	PUT(w, o, SKB_SK, u64, w->sockets[p->socket]);
	PUT(w, o, SKB_REFDST, u64, p->comes_back ? w->routes[p->device] : 0);
	PUT(w, o, SKB_LEN, u32, p->len);
	near_misses(w, SKB, o, &p->len, 4, near, decoy(3, SKB, 4));
	PUT(w, o, SKB_DATA_LEN, u32, p->data_len);
	PUT(w, o, SKB_MARK, u32, p->mark);
	near_misses(w, SKB, o, &p->mark, 4, near, decoy(4, SKB, 4));
	PUT(w, o, SKB_PROTOCOL, u16, p->protocol_net);
	PUT(w, o, SKB_TRANSPORT, u16, room + 14 + p->l3_len);
	PUT(w, o, SKB_NETWORK, u16, room + 14);
	PUT(w, o, SKB_MAC, u16, room);
	PUT(w, o, SKB_TAIL, u32, room + p->len - p->data_len);
	PUT(w, o, SKB_HEAD, u64, t->head);
	PUT(w, o, SKB_DATA, u64, t->data);
	/* a pointer into the same buffer, and one to the same device at times */
	near_misses(w, SKB, o, &t->head, 8, near, decoy(5, SKB, 8));
	near_misses(w, SKB, o, &w->devices[p->device], 8, near, decoy(6, SKB, 8));
	/* a word that is no pointer would be one sometimes, if it had that value */
	memcpy(memory(w, w->sockets[p->socket] + w->at[SOCK_STATE].offset, 1), &p->state, 1);
	if (w->doubled == SOCK_STATE)
		memcpy(memory(w, w->sockets[p->socket] + w->copy_at, 1), &p->state, 1);
}

static void set_tag(struct world *w, const struct travel *t, bool taken_off)
{
	u8 *byte = memory(w, t->skb + w->at[SKB_VLAN_PRESENT].offset, 1);
	bool there = t->p.tagged && !taken_off;

	PUT(w, t->skb, SKB_VLAN_TCI, u16,
	    there || (t->p.tagged && !w->vlan_word) ? t->p.vlan_tci : 0);
	PUT(w, t->skb, SKB_VLAN_PROTO, u16,
	    there || (t->p.tagged && !w->vlan_word) ? t->p.vlan_proto_net : 0);
	if (w->vlan_word)
		return;
	*byte = (u8)(*byte & ~(1U << w->at[SKB_VLAN_PRESENT].bit));
	*byte = (u8)(*byte | (there ? 1U << w->at[SKB_VLAN_PRESENT].bit : 0));
}

static void set_hook(struct world *w, struct travel *t, u8 hook)
{
	u64 device = w->devices[t->p.device];
	bool leaves = hook >= 3;

	t->state = allocate(w, 64);
	if (w->at[NFSTATE_HOOK].size == 4)
		PUT(w, t->state, NFSTATE_HOOK, u32, hook);
	else
		PUT(w, t->state, NFSTATE_HOOK, u8, hook);
	PUT(w, t->state, NFSTATE_PF, u8, t->p.pf);
	PUT(w, t->state, NFSTATE_IN, u64, leaves ? 0 : device);
	PUT(w, t->state, NFSTATE_OUT, u64, leaves ? device : 0);
	PUT(w, t->state, NFSTATE_NET, u64, w->nets[w->device[t->p.device].netns]);
	t->entries = allocate(w, 136);
	PUT(w, t->entries, NFENTRIES_HOOKS, u64, w->function);
	t->pkt = allocate(w, 64);
	PUT(w, t->pkt, NFT_PKT_SKB, u64, t->skb);
	PUT(w, t->pkt, NFT_PKT_STATE, u64, t->state);
}

/* Like a fetch argument: what cannot be read keeps what was there before. */
static void take(struct world *w, const struct cal_want *want, size_t index, const struct travel *t,
		 size_t nth, const u64 args[3])
{
	u64 pointers[2] = { 0 }, at = args[want->path.arg - 1];
	const u8 *bytes;
	u8 i;

	for (i = 0; i < want->path.depth; i++) {
		bytes = memory(w, at + want->path.at[i], 8);
		if (bytes)
			memcpy(&at, bytes, 8);
		else
			memcpy(&at, w->stale + i * 8, 8);
		pointers[i] = at;
	}
	bytes = memory(w, at + want->start, want->len);
	if (bytes)
		memcpy(w->stale, bytes, want->len);
	assert_true(cal_feed(w->cal, index, t->index, nth, args, pointers, w->stale) >= 0);
}

static void call(struct world *w, enum cal_hook hook, const struct travel *t, size_t nth, u64 a,
		 u64 b, u64 c)
{
	const struct cal_want *wants;
	size_t nr = cal_wants(w->cal, &wants), i;
	const u64 args[3] = { a, b, c };

	for (i = nr; i; i--)
		if (wants[i - 1].path.hook == hook)
			take(w, &wants[i - 1], i - 1, t, nth, args);
}

static void send_packet(struct world *w, u32 n)
{
	size_t before = w->nr_regions, i;
	struct travel t;
	u64 noise;
	u32 len;

	describe(w, &t.p, n);
	t.index = (size_t)cal_add_packet(w->cal, &t.p);
	fill_skb(w, &t);
	set_tag(w, &t, true);
	noise = allocate(w, 256);
	/* another's packet on the same processor */
	if (chance(20))
		call(w, CAL_TX, &t, 0, noise, 0, 0);
	call(w, CAL_TX, &t, chance(20), t.skb, w->devices[0], 0);
	for (i = 0; i < t.p.nr_hooks; i++) {
		set_hook(w, &t, t.p.hooks[i]);
		call(w, CAL_NF, &t, i, t.skb, t.state, t.entries);
		if (i < 2)
			call(w, CAL_NFT, &t, i, t.pkt, w->chains[t.p.chains[i]], 0);
		if (w->old_xt)
			call(w, CAL_XT, &t, i, t.skb, t.state, w->xt[i % 2]);
		else
			call(w, CAL_XT, &t, i, w->xt[i % 2], t.skb, t.state);
	}
	set_tag(w, &t, false);
	call(w, CAL_TAP, &t, 0, t.skb, 0, 0);
	set_tag(w, &t, true);
	len = t.p.len - 14;
	PUT(w, t.skb, SKB_LEN, u32, len);
	call(w, CAL_RX, &t, 0, t.skb, 0, 0);
	while (w->nr_regions > before)
		free(w->regions[--w->nr_regions].bytes);
}

static struct world *world_new(u64 with_seed, u32 hooks)
{
	struct world *w = calloc(1, sizeof(*w));
	u32 i;

	assert_non_null(w);
	seed = with_seed * 0x9e3779b97f4a7c15ULL + 1;
	for (i = 0; i < 20; i++)
		draw(0, 1);
	w->cal = cal_new(hooks);
	assert_non_null(w->cal);
	draw_layout(w);
	make_devices(w);
	for (i = 0; i < SOCKETS; i++)
		make_socket(w, i);
	make_chains(w);
	return w;
}

static void world_free(struct world *w)
{
	while (w->nr_regions)
		free(w->regions[--w->nr_regions].bytes);
	cal_free(w->cal);
	free(w);
}

static void calibrate_world(struct world *w)
{
	const struct cal_want *wants;
	u32 n;

	while (cal_wants(w->cal, &wants)) {
		for (n = 0; n < PACKETS; n++)
			send_packet(w, n);
		cal_round(w->cal);
	}
}

/* Return: how many were found; fails when one is not where it is. */
static u32 judge(const struct world *w, u64 which)
{
	const struct cal_finding *f;
	u32 found = 0;
	int m;

	for (m = 0; m < MEMBER_COUNT; m++) {
		f = cal_finding(w->cal, (enum member)m);
		if (f->state != CAL_FOUND) {
			assert_non_null(f->why);
			continue;
		}
		found++;
		if (f->place.offset != w->at[m].offset || f->place.size != w->at[m].size ||
		    f->place.is_bit != w->at[m].is_bit || f->place.bit != w->at[m].bit)
			fail_msg("shuffle %llu: %s is at %u (%u), said to be at %u (%u)",
				 (unsigned long long)which, member_name((enum member)m),
				 w->at[m].offset, w->at[m].size, f->place.offset, f->place.size);
		if (w->doubled == (enum member)m)
			fail_msg("shuffle %llu: %s is at %u and %u, and said to be found",
				 (unsigned long long)which, member_name((enum member)m),
				 w->at[m].offset, w->copy_at);
	}
	return found;
}

static void shuffled_structures_are_found_or_refused(void **state)
{
	const u32 all = MEMBER_COUNT - 3;
	u32 complete = 0, without_copies = 0;
	struct world *w;
	u64 i;

	(void)state;
	for (i = 0; i < SHUFFLES; i++) {
		w = world_new(i, ALL_HOOKS);
		calibrate_world(w);
		without_copies += w->doubled == MEMBER_COUNT;
		complete += judge(w, i) == all;
		world_free(w);
	}
	printf("%d shuffles: %u without a perfect copy, %u complete\n", SHUFFLES, without_copies,
	       complete);
	assert_true(complete >= without_copies * 9 / 10);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(shuffled_structures_are_found_or_refused),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
