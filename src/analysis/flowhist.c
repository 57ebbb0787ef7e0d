// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See flowhist.h. An entry is a line of a hist file; it stays until the kernel's is cleared and all of it is given out.
 */
#include "analysis/flowhist.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/flowprobes.h"

#define MAX_ENTRIES 262144U
#define MAX_LINE 256

struct sums {
	u64 hits, bytes, cookies;
};

struct entry {
	u64 sk;
	u32 hash, ports; /* as they are in memory */
	u32 in_bucket;	 /* or, of a free one, the next free one */
	u32 in_keys;	 /* next one with that hash of the whole key */
	s32 tid;
	u8 which, half;
	bool cleared; /* the kernel has it no more: a line with the same key is another one */
	struct sums seen, given; /* by the kernel in all; of these given out */
	u64 since_ns;		 /* when the oldest that was not given out was read */
	u64 doubt_ns; /* given to a socket that ended, but read then; 0: see flowhist_is_unsure() */
	u32 waits;    /* next one with something to give, 0: the last */
	bool waiting;
};

struct flowhist {
	struct entry *entry; /* from 1 */
	u32 nr, max, used, free;
	u32 *bucket, *keys, mask; /* by address; by the whole key */
	u32 first_waiting;
	struct flowhist_table table[FLOWPROBES_HISTS][FLOWPROBES_HALVES];
	u64 dropped; /* from tables that were cleared */
	u64 read_ns;
	struct flowhist_stats stats;
};

int flowhist_new(struct flowhist **out, u32 max, struct error *err)
{
	struct flowhist *h = calloc(1, sizeof(*h));
	u32 buckets = 1;

	*out = h;
	if (!h)
		return error_errno(err, ENOMEM, "cannot keep sums of flows");
	h->max = max ? max : MAX_ENTRIES;
	while (buckets < h->max)
		buckets *= 2;
	h->mask = buckets - 1;
	/* pages of what is never used are never touched */
	h->entry = calloc((size_t)h->max + 1, sizeof(*h->entry));
	h->bucket = calloc(buckets, sizeof(*h->bucket));
	h->keys = calloc(buckets, sizeof(*h->keys));
	if (h->entry && h->bucket && h->keys)
		return 0;
	flowhist_free(h);
	*out = NULL;
	return error_errno(err, ENOMEM, "cannot keep sums of flows");
}

void flowhist_free(struct flowhist *h)
{
	if (!h)
		return;
	free(h->entry);
	free(h->bucket);
	free(h->keys);
	free(h);
}

/* By the address alone: all entries of a socket are in one chain. */
static u32 *bucket_of(const struct flowhist *h, u64 sk)
{
	return &h->bucket[((sk >> 4) * 0x9e3779b97f4a7c15ULL >> 32) & h->mask];
}

/* One address may have been that of thousands of sockets. */
static u32 *keys_of(const struct flowhist *h, const struct entry *e)
{
	u64 key = e->sk ^ (u64)e->hash << 32 ^ (u64)e->ports << 7 ^ (u64)(u32)e->tid << 40 ^
		  (u64)e->which << 1 ^ e->half;

	key = (key ^ key >> 29) * 0x9e3779b97f4a7c15ULL;
	return &h->keys[(key ^ key >> 33) & h->mask];
}

/* ---- the text */

/* The number behind "NAME: ", not within another word. Return: false when there is none. */
static bool find_number(const char *line, const char *name, u64 *value)
{
	size_t len = strlen(name);
	const char *at = line;
	char *end;

	while ((at = strstr(at, name)) && ((at > line && !strchr(" {,", at[-1])) || at[len] != ':'))
		at += len;
	if (!at)
		return false;
	for (at += len + 1; *at == ' '; at++)
		;
	if (!isdigit((unsigned char)*at))
		return false;
	errno = 0;
	*value = strtoull(at, &end, 0);
	return !errno && strchr(" ,}\t", *end);
}

static bool parse_line(const char *line, struct entry *e, struct sums *sums)
{
	u64 tid, pp;
	u32 half[2];

	if (!find_number(line, "common_pid", &tid) || !find_number(line, "sk", &e->sk) ||
	    !find_number(line, "pp", &pp) || !find_number(line, "hitcount", &sums->hits) ||
	    !find_number(line, "ret", &sums->bytes) || !find_number(line, "ck", &sums->cookies))
		return false;
	memcpy(half, &pp, sizeof(half));
	e->tid = (s32)tid;
	e->hash = half[0];
	e->ports = half[1];
	return tid <= INT32_MAX && e->sk && sums->bytes <= INT64_MAX;
}

static u32 new_place(struct flowhist *h)
{
	u32 at = h->free;

	if (at)
		h->free = h->entry[at].in_bucket;
	else if (h->used < h->max)
		at = ++h->used;
	h->nr += at != 0;
	return at;
}

static struct entry *get_entry(struct flowhist *h, const struct entry *key)
{
	u32 *bucket = bucket_of(h, key->sk), *keys = keys_of(h, key), at;
	struct entry *e;

	for (at = *keys; at; at = e->in_keys) {
		e = &h->entry[at];
		if (e->sk == key->sk && e->ports == key->ports && e->hash == key->hash &&
		    e->tid == key->tid && e->which == key->which && e->half == key->half &&
		    !e->cleared)
			return e;
	}
	at = new_place(h);
	if (!at)
		return NULL;
	e = &h->entry[at];
	*e = *key;
	e->in_bucket = *bucket;
	e->in_keys = *keys;
	*bucket = *keys = at;
	return e;
}

static void take_line(struct flowhist *h, size_t which, u8 half, const char *line, u64 now_ns)
{
	struct entry key = { .which = (u8)which, .half = half }, *e;
	struct sums sums;

	if (!parse_line(line, &key, &sums)) {
		h->stats.bad++;
		return;
	}
	e = get_entry(h, &key);
	if (!e) {
		h->stats.refused++;
		return;
	}
	if (sums.bytes < e->seen.bytes || sums.hits < e->seen.hits) {
		h->stats.bad++;
		return;
	}
	if (e->seen.bytes == e->given.bytes && sums.bytes > e->seen.bytes)
		e->since_ns = now_ns;
	e->seen = sums;
	if (e->waiting || sums.bytes == e->given.bytes)
		return;
	e->waiting = true;
	e->waits = h->first_waiting;
	h->first_waiting = (u32)(e - h->entry);
}

/* What is no entry: which table follows, and at its end what is in it. */
static void take_rest(struct flowhist_table *table, u8 *half, const char *line)
{
	u64 n;

	if (!strncmp(line, "# trigger info:", 15))
		*half = strstr(line, " if !(") != NULL;
	else if (find_number(line, "Hits", &n))
		table[*half].hits = n;
	else if (find_number(line, "Entries", &n))
		table[*half].entries = n;
	else if (find_number(line, "Dropped", &n) && n > table[*half].dropped)
		table[*half].dropped = n;
}

int flowhist_read(struct flowhist *h, size_t which, const char *text, size_t len, u64 now_ns)
{
	const char *end = text + len, *at, *after;
	char line[MAX_LINE];
	u8 half = 0;
	size_t n;

	h->read_ns = now_ns;
	for (at = text; at < end; at = after + 1) {
		after = memchr(at, '\n', (size_t)(end - at));
		after = after ? after : end;
		n = (size_t)(after - at);
		if (n >= sizeof(line)) {
			h->stats.bad++;
			continue;
		}
		memcpy(line, at, n);
		line[n] = '\0';
		if (line[0] == '{')
			take_line(h, which, half, line, now_ns);
		else
			take_rest(h->table[which], &half, line);
	}
	return 0;
}

const struct flowhist_table *flowhist_table(const struct flowhist *h, size_t which, u8 half)
{
	return &h->table[which][half];
}

/* Whether nothing of it is wanted any more. */
static bool is_done(const struct entry *e)
{
	return e->cleared && !e->waiting && e->seen.bytes == e->given.bytes;
}

/* Make room: take out what is done of a chain. */
static void sweep(struct flowhist *h, u32 *link)
{
	struct entry *e;
	u32 *key;
	u32 at;

	while ((at = *link)) {
		e = &h->entry[at];
		if (!is_done(e)) {
			link = &e->in_bucket;
			continue;
		}
		*link = e->in_bucket;
		for (key = keys_of(h, e); *key != at; key = &h->entry[*key].in_keys)
			;
		*key = e->in_keys;
		e->in_bucket = h->free;
		h->free = at;
		h->nr--;
	}
}

void flowhist_cleared(struct flowhist *h, size_t which, u8 half)
{
	struct flowhist_table *table = &h->table[which][half];
	u32 at;

	h->dropped += table->dropped;
	memset(table, 0, sizeof(*table));
	h->stats.cleared++;
	/* what was done before, first: of what ends now a doubt may still be asked for */
	for (at = 0; at <= h->mask; at++)
		sweep(h, &h->bucket[at]);
	for (at = 1; at <= h->used; at++)
		if (h->entry[at].which == which && h->entry[at].half == half)
			h->entry[at].cleared = true;
}

/* ---- events */

static void make_event(const struct entry *e, u64 ts_ns, struct sock_event *ev)
{
	const struct flowprobes_hist *hist = &flowprobes_hists[e->which];
	u8 word[4];

	memset(ev, 0, sizeof(*ev));
	memcpy(word, &e->ports, sizeof(word));
	ev->kind = SOCK_EVENT_BYTES;
	ev->ts_ns = ts_ns;
	ev->sk = e->sk;
	ev->tid = ev->pid = e->tid;
	ev->receives = hist->receives;
	ev->ret = (s64)(e->seen.bytes - e->given.bytes);
	ev->calls = e->seen.hits - e->given.hits;
	ev->addrs.proto = hist->proto;
	ev->addrs.rport = (u16)((u32)word[0] << 8 | word[1]);
	memcpy(&ev->addrs.lport, word + 2, sizeof(ev->addrs.lport));
}

static bool has_ports(const struct sock_event *ev)
{
	return ev->addrs.lport && (ev->addrs.rport || ev->addrs.proto != IPPROTO_TCP);
}

static int give(struct entry *e, u64 ts_ns, flowhist_take take, void *ctx)
{
	struct sock_event ev;

	if (e->seen.bytes == e->given.bytes)
		return 0;
	make_event(e, ts_ns, &ev);
	e->given = e->seen;
	return take(ctx, &ev);
}

static bool port_fits(u16 a, u16 b)
{
	return !a || !b || a == b;
}

enum fits { FITS_NOT, FITS_PERHAPS, FITS };

/*
 * Of a sum without local port: the kernel's hash of all four addresses and ports, which a closed socket keeps, may be known to be
 * that of a local port, or that of the socket that ends to be another.
 */
static enum fits fits_by_hash(const struct flowhist *h, const struct entry *e,
			      const struct sock_event *end)
{
	enum fits fits = FITS_PERHAPS;
	const struct entry *o;
	struct sock_event ev;
	u32 at;

	for (at = *bucket_of(h, e->sk); at; at = o->in_bucket) {
		o = &h->entry[at];
		if (o->sk != e->sk)
			continue;
		make_event(o, 0, &ev);
		if (!ev.addrs.lport || ev.addrs.proto != IPPROTO_TCP ||
		    ev.addrs.rport != end->addrs.rport)
			continue;
		if (o->hash == e->hash)
			return ev.addrs.lport == end->addrs.lport ? FITS : FITS_NOT;
		if (ev.addrs.lport == end->addrs.lport)
			fits = FITS_NOT;
	}
	return fits;
}

/* Whether the sum is of the socket that ends; a closed one of TCP has given back its local port already, never
 * its peer's; a listener that had the address before has no peer. */
static enum fits is_of(const struct flowhist *h, const struct entry *e,
		       const struct sock_event *end)
{
	struct sock_event ev;

	make_event(e, 0, &ev);
	if (end->addrs.proto ? ev.addrs.proto != end->addrs.proto : ev.addrs.proto == IPPROTO_TCP)
		return FITS_NOT;
	if (!port_fits(ev.addrs.lport, end->addrs.lport) ||
	    (ev.addrs.proto == IPPROTO_TCP && ev.addrs.rport != end->addrs.rport))
		return FITS_NOT;
	if (has_ports(&ev) || ev.addrs.proto != IPPROTO_TCP || !end->addrs.lport)
		return has_ports(&ev) ? FITS : FITS_PERHAPS;
	return fits_by_hash(h, e, end);
}

int flowhist_settle(struct flowhist *h, const struct sock_event *end, flowhist_take take, void *ctx)
{
	struct entry *e;
	enum fits fits;
	u32 at;
	int ret = 0;

	for (at = *bucket_of(h, end->sk); at && !ret; at = e->in_bucket) {
		e = &h->entry[at];
		if (e->sk != end->sk || e->seen.bytes == e->given.bytes)
			continue;
		fits = is_of(h, e, end);
		if (fits == FITS_NOT)
			continue;
		e->doubt_ns = fits == FITS ? 0 : h->read_ns;
		ret = give(e, end->ts_ns, take, ctx);
	}
	return ret;
}

bool flowhist_is_unsure(struct flowhist *h, const struct sock_event *birth)
{
	bool unsure = false;
	struct entry *e;
	u32 at;

	for (at = *bucket_of(h, birth->sk); at; at = e->in_bucket) {
		e = &h->entry[at];
		if (e->sk != birth->sk || !e->doubt_ns)
			continue;
		unsure |= birth->ts_ns < e->doubt_ns;
		e->doubt_ns = 0;
	}
	h->stats.unsure += unsure;
	return unsure;
}

/* The one cookie that the calls' sockets had, if it was one, and a socket has it that can be meant. */
static u64 cookie_of(const struct entry *e, const struct flows *flows, const struct sock_event *ev)
{
	u64 cookies = e->seen.cookies - e->given.cookies;

	if (!ev->calls || cookies % ev->calls)
		return 0;
	return flows_confirm_cookie(flows, cookies / ev->calls, &ev->addrs);
}

int flowhist_flush(struct flowhist *h, const struct flows *flows, u64 limit_ns, u64 ts_ns,
		   flowhist_take take, void *ctx)
{
	u32 *link = &h->first_waiting;
	struct sock_event ev;
	struct entry *e;
	bool known;
	int ret = 0;

	while (*link && !ret) {
		e = &h->entry[*link];
		make_event(e, ts_ns, &ev);
		/* an older socket at that address may be there still, of which not all ports are known */
		known = ev.ret && has_ports(&ev) && flows_may_be(flows, &ev);
		if (ev.ret && !known)
			ev.cookie = cookie_of(e, flows, &ev);
		if (ev.ret && !known && !ev.cookie && e->since_ns >= limit_ns) {
			link = &e->waits;
			continue;
		}
		*link = e->waits;
		e->waiting = false;
		e->given = e->seen;
		if (ev.ret)
			ret = take(ctx, &ev);
	}
	return ret;
}

void flowhist_stats(const struct flowhist *h, struct flowhist_stats *stats)
{
	size_t i, half;

	*stats = h->stats;
	stats->entries = h->nr;
	stats->dropped = h->dropped;
	for (i = 0; i < FLOWPROBES_HISTS; i++)
		for (half = 0; half < FLOWPROBES_HALVES; half++)
			stats->dropped += h->table[i][half].dropped;
}
