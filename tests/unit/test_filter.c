// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Filters pushed down to the kernel keep whatever libpcap accepts.
 *
 * The judge of what is wanted is libpcap itself, on whole packets. The judge of what is kept is a model of
 * the kernel's filter (kernel/trace/trace_events_filter.c, predicate_parse() and parse_pred()) and of fetch
 * arguments (Documentation/trace/kprobetrace.rst), written from these and sharing nothing with src/.
 */
#include "unit.h"

#include <ctype.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/filter.h"

#define EXPRESSIONS 5000
#define PACKETS 12
#define BEFORE 128 /* bytes of memory before the frame */
#define DATA_AT 208
#define PROTOCOL_AT 180

/* ---- random numbers: the same ones in each run */

static u64 seed;

static u32 rnd(u32 n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(seed >> 33) % n;
}

#define PICK(array) ((array)[rnd(ARRAY_SIZE(array))])

/* ---- packets */

struct made {
	u8 memory[512]; /* the frame begins at BEFORE */
	u32 len;	/* of the frame */
	u32 net;	/* where in the frame the network header is */
	u32 l4;		/* where the transport header is; net when there is none */
	u16 type;	/* skb->protocol */
	bool unset;	/* but 0 is still there */
};

static const u8 hosts4[][4] = { { 10, 0, 2, 1 },
				{ 10, 0, 2, 2 },
				{ 192, 168, 9, 1 },
				{ 224, 0, 0, 1 },
				{ 255, 255, 255, 255 } };
static const u8 hosts6[][16] = { { 0xfd, 0, [15] = 1 },
				 { 0xfd, 0, [15] = 2 },
				 { 0xfe, 0x80, [15] = 0x11 },
				 { 0xff, 2, [15] = 1 } };
static const u16 ports[] = { 22, 53, 80, 443, 8080, 17664, 40000, 65535 };

static void put16(u8 *at, u32 v)
{
	at[0] = (u8)(v >> 8);
	at[1] = (u8)v;
}

static u32 make_l4(u8 *at, u8 proto)
{
	put16(at, PICK(ports));
	put16(at + 2, PICK(ports));
	if (proto == 6) {
		at[12] = (u8)(rnd(3) ? 0x50 : 0x80);
		at[13] = (u8)rnd(64);
		return 20;
	}
	if (proto == 1 || proto == 58) {
		at[0] = (u8)(rnd(2) ? rnd(20) : 128 + rnd(10));
		at[1] = (u8)rnd(3);
	}
	return 8;
}

static void make_ip4(struct made *m, u8 *ip)
{
	static const u8 protocols[] = { 1, 6, 17, 6, 17, 2, 4, 47, 50, 132 };
	u32 ihl = rnd(8) ? 5 : 5 + rnd(11);
	u8 proto = PICK(protocols);

	ip[0] = (u8)(0x40 | ihl);
	ip[1] = (u8)(rnd(4) ? 0 : rnd(256));
	put16(ip + 4, rnd(65536));
	if (!rnd(5))
		put16(ip + 6, rnd(2) ? 0x2000 : 1 + rnd(100));
	ip[8] = (u8)rnd(256);
	ip[9] = proto;
	memcpy(ip + 12, PICK(hosts4), 4);
	memcpy(ip + 16, PICK(hosts4), 4);
	m->l4 = m->net + ihl * 4;
	m->len = m->l4 + make_l4(ip + ihl * 4, proto) + rnd(60);
	put16(ip + 2, m->len - m->net);
}

static void make_ip6(struct made *m, u8 *ip)
{
	static const u8 protocols[] = { 6, 17, 58, 6, 17, 58, 41, 0, 44, 60 };
	u8 proto = PICK(protocols), next = proto;
	u32 header = 40;

	ip[0] = (u8)(0x60 | (rnd(4) ? 0 : rnd(16)));
	ip[7] = (u8)rnd(256);
	if (proto == 0 || proto == 44 || proto == 60) {
		next = rnd(2) ? 6 : 17;
		ip[40] = next;
		if (proto == 44)
			put16(ip + 42, rnd(2) ? 1 : 8 * rnd(100));
		header = 48;
	}
	ip[6] = proto;
	memcpy(ip + 8, PICK(hosts6), 16);
	memcpy(ip + 24, PICK(hosts6), 16);
	m->l4 = m->net + header;
	m->len = m->l4 + make_l4(ip + header, next) + rnd(60);
	put16(ip + 4, m->len - m->net - 40);
}

static void make_arp(struct made *m, u8 *arp)
{
	static const u8 head[] = { 0, 1, 8, 0, 6, 4, 0 };

	memcpy(arp, head, sizeof(head));
	arp[7] = (u8)(1 + rnd(2));
	memcpy(arp + 14, PICK(hosts4), 4);
	memcpy(arp + 24, PICK(hosts4), 4);
	m->l4 = m->net;
	m->len = m->net + 28;
}

static void make_packet(struct made *m)
{
	static const u16 types[] = { 0x0800, 0x0800, 0x0800, 0x86dd, 0x86dd, 0x0806, 0x88cc };
	u8 *frame = m->memory + BEFORE;
	bool tagged = !rnd(12);
	u32 i;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < sizeof(m->memory); i++)
		m->memory[i] = (u8)rnd(256);
	memset(frame, 0, 200);
	for (i = 0; i < 12; i++)
		frame[i] = (u8)rnd(256);
	m->type = PICK(types);
	m->net = tagged ? 18 : 14;
	put16(frame + m->net - 2, m->type);
	m->len = 60;
	m->l4 = m->net;
	if (m->type == 0x0800)
		make_ip4(m, frame + m->net);
	else if (m->type == 0x86dd)
		make_ip6(m, frame + m->net);
	else if (m->type == 0x0806)
		make_arp(m, frame + m->net);
	if (tagged) {
		put16(frame + 12, 0x8100);
		put16(frame + 14, 5);
		m->type = 0x8100;
	}
}

/* ---- expressions */

static void put_host(char *to, size_t size, bool six)
{
	const u8 *a = six ? PICK(hosts6) : PICK(hosts4);

	if (six)
		snprintf(to, size, "%02x%02x::%x", a[0], a[1], a[15]);
	else
		snprintf(to, size, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
}

static void put_primitive(char *to, size_t size)
{
	static const char *const words[] = {
		"ip",
		"ip6",
		"arp",
		"tcp",
		"udp",
		"icmp",
		"icmp6",
		"igmp",
		"ip proto 47",
		"ip6 proto 17",
		"not arp",
		"ip multicast",
		"ip6 multicast",
		"ether proto 0x0800",
		"len > 70",
		"less 80",
		"tcp[tcpflags] & tcp-syn != 0",
		"tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
		"icmp[icmptype] == icmp-echo",
		"ip[6:2] & 0x1fff = 0",
		"ip[8] < 64",
		"ip[1] & 0xfc >> 2 = 8",
		"ip[0] & 0xf > 5",
		"udp[4:2] > 20",
		"tcp[12] >> 4 > 5",
		"arp[6:2] = 1",
		"ip[2:2] > 60",
		"ip6[6] = 44",
		"vlan",
		"sctp",
		"ip[12:4] & 0xff000000 = 0x0a000000",
		"ip[16] >= 192",
		"ether host 02:00:00:00:00:01",
		"ether broadcast",
		"ip[12:4] > 0x0a000201",
		"ip6[7] < 64",
		"ip6[4:2] > 20",
		"ip[16:4] >> 24 = 10",
		"ip[16] >> 1 = 5",
	};
	static const char *const dirs[] = { "", "src ", "dst ", "src or dst ", "src and dst " };
	static const char *const protos[] = { "", "tcp ", "udp ", "" };
	char host[64];

	switch (rnd(8)) {
	case 0:
	case 1:
		snprintf(to, size, "%s", PICK(words));
		break;
	case 2:
	case 3:
		put_host(host, sizeof(host), rnd(3) == 0);
		snprintf(to, size, "%shost %s", PICK(dirs), host);
		break;
	case 4:
		put_host(host, sizeof(host), false);
		snprintf(to, size, "%snet %s mask 255.255.255.255", PICK(dirs), host);
		break;
	case 5:
		snprintf(to, size, "%snet %s", PICK(dirs),
			 rnd(3) == 0 ? "fd00::/8" :
			 rnd(2)	     ? "10.0.0.0/9" :
				       "192.168.9.0/25");
		break;
	case 6:
		snprintf(to, size, "%s%sport %u", PICK(protos), PICK(dirs), PICK(ports));
		break;
	default:
		snprintf(to, size, "%s%sportrange %u-%u", PICK(protos), PICK(dirs), rnd(500),
			 500 + rnd(60000));
		break;
	}
}

static void put_expression(char *to, size_t size, u32 depth)
{
	char a[512], b[512];

	if (!depth || !rnd(3)) {
		put_primitive(to, size);
		return;
	}
	put_expression(a, sizeof(a), depth - 1);
	put_expression(b, sizeof(b), depth - 1);
	if (!rnd(5))
		snprintf(to, size, "not (%.400s)", a);
	else
		snprintf(to, size, "(%.400s) %s (%.400s)", a, rnd(3) ? "and" : "or", b);
}

/* ---- the kernel's side: fetch arguments and filters */

struct event_field {
	char name[40];
	u32 size;
	u32 value;
};

struct event_model {
	struct event_field field[160];
	u32 nr;
};

/* What a machine of this byte order loads. */
static u32 load_native(const u8 *at, u32 size)
{
	u16 half;
	u32 word;

	if (size == 1)
		return *at;
	if (size == 2) {
		memcpy(&half, at, 2);
		return half;
	}
	memcpy(&word, at, 4);
	return word;
}

/* " name=+OFF(+208($arg1)):uBITS" read from the packet's memory, with skb->data at @data. */
static void fetch(struct event_model *e, const char *args, const struct made *m, s32 data)
{
	struct event_field *f;
	char line[8192], *arg, *save = NULL, skb[32];
	int off, bits, used;
	u16 type;

	snprintf(line, sizeof(line), "%s", args);
	e->nr = 0;
	for (arg = strtok_r(line, " ", &save); arg; arg = strtok_r(NULL, " ", &save)) {
		f = &e->field[e->nr++];
		assert_in_range(e->nr, 1, 128);
		assert_int_equal(sscanf(arg, "%39[a-z0-9]=%n", f->name, &used), 1);
		assert_in_range(strlen(f->name), 1, 32);
		assert_in_range(strlen(arg + used), 1, 63);
		if (!strcmp(f->name, "skbaddr")) {
			f->size = 4; /* 8, but never compared with more than 0 */
			f->value = 1;
		} else if (sscanf(arg + used, "+180(%31[^)]):u16", skb) == 1) {
			u16 p = m->unset ? 0 : m->type;
			u8 bytes[2] = { (u8)(p >> 8), (u8)p };

			memcpy(&type, bytes, 2);
			f->size = 2;
			f->value = type;
		} else {
			assert_int_equal(
				sscanf(arg + used, "%d(+208(%31[^)])):u%d", &off, skb, &bits), 3);
			f->size = (u32)bits / 8;
			assert_in_range(data + off, 0, (s32)sizeof(m->memory) - 4);
			f->value = load_native(m->memory + data + off, f->size);
		}
		assert_string_equal(strcmp(f->name, "skbaddr") ? skb : "$arg1", "$arg1");
	}
}

static bool parse_or(const struct event_model *e, const char **at);

static void skip_spaces(const char **at)
{
	while (**at == ' ')
		++*at;
}

static const struct event_field *find_field(const struct event_model *e, const char **at)
{
	size_t len = 0;
	u32 i;

	while (isalnum((u8)(*at)[len]) || (*at)[len] == '_')
		len++;
	for (i = 0; i < e->nr; i++)
		if (strlen(e->field[i].name) == len && !memcmp(e->field[i].name, *at, len)) {
			*at += len;
			return &e->field[i];
		}
	fail_msg("no such field: %.20s", *at);
	return NULL;
}

static bool parse_pred(const struct event_model *e, const char **at)
{
	static const char *const ops[] = { "==", "!=", "<=", ">=", "<", ">", "&" };
	const struct event_field *f = find_field(e, at);
	unsigned long value;
	char *end;
	u32 op;

	skip_spaces(at);
	for (op = 0; op < ARRAY_SIZE(ops) && strncmp(*at, ops[op], strlen(ops[op])); op++)
		;
	assert_in_range(op, 0, ARRAY_SIZE(ops) - 1);
	*at += strlen(ops[op]);
	skip_spaces(at);
	assert_true(isdigit((u8) * *at));
	value = strtoul(*at, &end, 0);
	*at = end;
	/* the kernel compares as many bits as the field has */
	assert_true(f->size == 4 ? value <= UINT32_MAX : value < 1ul << 8 * f->size);
	switch (op) {
	case 0:
		return f->value == value;
	case 1:
		return f->value != value;
	case 2:
		return f->value <= value;
	case 3:
		return f->value >= value;
	case 4:
		return f->value < value;
	case 5:
		return f->value > value;
	default:
		return f->value & value;
	}
}

static bool parse_not(const struct event_model *e, const char **at)
{
	bool invert = false, value;

	skip_spaces(at);
	while (**at == '!') {
		invert = !invert;
		++*at;
		assert_int_equal(**at, '(');
	}
	if (**at == '(') {
		++*at;
		value = parse_or(e, at);
		skip_spaces(at);
		assert_int_equal(**at, ')');
		++*at;
	} else {
		value = parse_pred(e, at);
	}
	skip_spaces(at);
	return value != invert;
}

/* && binds stronger than || */
static bool parse_and(const struct event_model *e, const char **at)
{
	bool value = parse_not(e, at);

	while (!strncmp(*at, "&&", 2)) {
		*at += 2;
		value = parse_not(e, at) && value;
	}
	return value;
}

static bool parse_or(const struct event_model *e, const char **at)
{
	bool value = parse_and(e, at);

	while (!strncmp(*at, "||", 2)) {
		*at += 2;
		value = parse_and(e, at) || value;
	}
	return value;
}

static bool model_accepts(const struct event_model *e, const char *filter)
{
	const char *at = filter;
	bool value = parse_or(e, &at);

	assert_int_equal(*at, '\0');
	return value;
}

/* ---- both together */

struct compiled {
	struct bpf_program ether, raw;
};

static bool compile(struct compiled *c, const char *expr)
{
	pcap_t *ether = pcap_open_dead(DLT_EN10MB, 65535), *raw = pcap_open_dead(DLT_RAW, 65535);
	bool ok;

	memset(c, 0, sizeof(*c));
	ok = !pcap_compile(ether, &c->ether, expr, 1, PCAP_NETMASK_UNKNOWN);
	if (!ok)
		memset(&c->ether, 0, sizeof(c->ether));
	if (!pcap_compile(raw, &c->raw, expr, 1, PCAP_NETMASK_UNKNOWN))
		ok = true;
	else
		memset(&c->raw, 0, sizeof(c->raw));
	pcap_close(ether);
	pcap_close(raw);
	return ok;
}

static void release(struct compiled *c)
{
	pcap_freecode(&c->ether);
	pcap_freecode(&c->raw);
}

static bool run(const struct bpf_program *program, const u8 *bytes, u32 len)
{
	struct pcap_pkthdr header = { .caplen = len, .len = len };

	return program->bf_insns && pcap_offline_filter(program, &header, bytes);
}

/* Whether libpcap wants the packet, with its link header or without. */
static bool wanted(const struct compiled *c, const struct made *m)
{
	const u8 *frame = m->memory + BEFORE;

	if (run(&c->ether, frame, m->len))
		return true;
	return (m->type == 0x0800 || m->type == 0x86dd) &&
	       run(&c->raw, frame + m->net, m->len - m->net);
}

static const struct layout places = { .at = { [SKB_DATA] = { .offset = DATA_AT, .size = 8 },
					      [SKB_PROTOCOL] = { .offset = PROTOCOL_AT,
								 .size = 2 } } };

struct pushed {
	struct strbuf definition[4], filter[4];
	bool there[4];
};

static void push(struct pushed *p, const struct push_filter *f)
{
	u32 at;

	memset(p, 0, sizeof(*p));
	for (at = 0; f && at <= PUSH_ANYWHERE; at++) {
		strbuf_puts(&p->definition[at], "skbaddr=$arg1:x64");
		p->there[at] = push_filter_event(f, (enum push_at)at, &places, "$arg1", "skbaddr",
						 &p->definition[at], &p->filter[at]);
		assert_in_range(p->definition[at].len, 1, 4000);
		assert_in_range(p->filter[at].len, 0, 4095);
	}
}

static void pushed_free(struct pushed *p)
{
	u32 at;

	for (at = 0; at <= PUSH_ANYWHERE; at++) {
		strbuf_free(&p->definition[at]);
		strbuf_free(&p->filter[at]);
	}
}

static s32 data_at(enum push_at at, const struct made *m)
{
	u32 tcp = m->type == 0x0800 ? 20 : 0;

	switch (at) {
	case PUSH_LINK:
		return BEFORE;
	case PUSH_NETWORK:
		return BEFORE + (s32)m->net;
	case PUSH_TRANSPORT:
		return BEFORE + (s32)m->l4;
	default:
		/* any of them, or behind a header of UDP or TCP */
		return BEFORE + (s32)(rnd(2) ? m->net :
				      rnd(2) ? m->l4 :
					       m->l4 + (rnd(2) ? 8 : tcp));
	}
}

/*
 * Whether the network header is at one of the places that filter.h and filter.c promise to look at. Elsewhere
 * it is as good as certain that the record is kept, but other bytes may look like a header.
 */
static bool is_at_place(enum push_at at, const struct made *m, s32 data)
{
	static const s32 places4[] = { 14, 0, -20, -28, -40, -52 };
	static const s32 places6[] = { 14, 0, -40, -48, -60, -72 };
	s32 net = BEFORE + (s32)m->net - data;
	bool six = m->type == 0x86dd;
	size_t i;

	if (m->type == 0x0800 && m->memory[BEFORE + m->net] != 0x45)
		return false;
	if (at == PUSH_TRANSPORT)
		return net == (six ? -40 : -20);
	for (i = 0; i < ARRAY_SIZE(places4); i++)
		if (net == (six ? places6[i] : places4[i]))
			return true;
	return false;
}

static bool kept(const struct pushed *p, enum push_at at, const struct made *m, s32 data)
{
	struct event_model e;

	if (!p->there[at])
		return true;
	fetch(&e, strbuf_cstr((struct strbuf *)&p->definition[at]), m, data);
	return model_accepts(&e, strbuf_cstr((struct strbuf *)&p->filter[at]));
}

/* What may become of a packet on its way. */
static void change(struct made *m, bool nat)
{
	u8 *ip = m->memory + BEFORE + m->net;
	bool six = m->type == 0x86dd;
	u32 i;

	if (m->type == 0x0800) {
		ip[1] = (u8)rnd(256);
		ip[8] = (u8)rnd(256);
		put16(ip + 10, rnd(65536));
		put16(ip + 2, rnd(65536));
	} else if (six) {
		ip[7] = (u8)rnd(256);
	}
	if (!nat || (!six && m->type != 0x0800))
		return;
	for (i = six ? 8 : 12; i < (six ? 40u : 20u); i++)
		ip[i] = (u8)rnd(256);
	if (ip[six ? 6 : 9] == 6 || ip[six ? 6 : 9] == 17)
		for (i = 0; i < 4; i++)
			m->memory[BEFORE + m->l4 + i] = (u8)rnd(256);
}

static u32 anywhere, lost_anywhere;

static void check_places(const char *expr, const struct pushed *p, const struct made *m)
{
	enum push_at at;
	s32 data;

	/* what is freed without a protocol was no packet */
	for (at = PUSH_NETWORK; at <= (m->unset ? PUSH_TRANSPORT : PUSH_ANYWHERE); at++) {
		data = data_at(at, m);
		if (at >= PUSH_TRANSPORT && !is_at_place(at, m, data)) {
			anywhere++;
			lost_anywhere += !kept(p, at, m, data);
			continue;
		}
		if (!kept(p, at, m, data))
			fail_msg(
				"'%s' lost a packet of type %04x, first byte %02x, at place %u: %s",
				expr, m->type, m->memory[BEFORE + m->net], at,
				strbuf_cstr((struct strbuf *)&p->filter[at]));
	}
}

static void check_packet(const char *expr, const struct pushed *p, const struct made *m)
{
	struct made early = *m;

	check_places(expr, p, m);
	if (m->type != 0x0800 && m->type != 0x86dd)
		return;
	/* IP's output functions have it before the protocol is set */
	early.unset = true;
	check_places(expr, p, &early);
}

static u32 check_expression(const char *expr, bool nat)
{
	struct push_request rq = { .nat = nat };
	struct push_filter *f = NULL;
	struct compiled c;
	struct pushed p;
	struct made m;
	u32 i, matches = 0;

	if (!compile(&c, expr))
		return 0;
	rq.ether = &c.ether;
	rq.raw = &c.raw;
	assert_int_equal(push_filter_new(&f, &rq), 0);
	push(&p, f);
	for (i = 0; i < PACKETS; i++) {
		make_packet(&m);
		if (!wanted(&c, &m))
			continue;
		matches++;
		check_packet(expr, &p, &m);
		change(&m, nat);
		check_packet(expr, &p, &m);
	}
	pushed_free(&p);
	push_filter_free(f);
	release(&c);
	return matches;
}

static void no_random_expression_loses_a_packet(void **state)
{
	u32 i, matches = 0;
	char expr[1024];

	(void)state;
	seed = 4;
	for (i = 0; i < EXPRESSIONS; i++) {
		put_expression(expr, sizeof(expr), 3);
		matches += check_expression(expr, i % 4 == 0);
	}
	/* many of them were about something */
	assert_in_range(matches, EXPRESSIONS, UINT32_MAX);
	assert_in_range(anywhere, EXPRESSIONS, UINT32_MAX);
	assert_in_range(lost_anywhere, 0, anywhere / 500);
}

/* Of what libpcap rejects, so many percent at least are dropped by the kernel, too. */
static const struct {
	const char *expr;
	u32 percent; /* at each place */
	bool nat;
} common[] = {
	{ "icmp", 60, false },
	{ "tcp", 60, false },
	{ "host 10.0.2.2", 60, false },
	{ "host 10.0.2.2 and tcp port 80", 60, false },
	{ "net 10.0.0.0/9 and udp", 60, false },
	{ "tcp portrange 8000-9000", 60, false },
	{ "ip6 host fd00::2", 60, false },
	{ "tcp[tcpflags] & tcp-syn != 0", 60, false },
	{ "not tcp port 22", 25, false },
	{ "arp", 60, false },
	{ "host 10.0.2.2 and tcp port 80", 50, true },
};

static void common_expressions_drop_most_of_the_rest(void **state)
{
	u32 i, k, at, dropped[4], others;
	struct push_filter *f = NULL;
	struct compiled c;
	struct pushed p;
	struct made m;

	(void)state;
	seed = 5;
	for (i = 0; i < ARRAY_SIZE(common); i++) {
		struct push_request rq = { &c.ether, &c.raw, common[i].nat, false };

		assert_true(compile(&c, common[i].expr));
		assert_int_equal(push_filter_new(&f, &rq), 0);
		push(&p, f);
		memset(dropped, 0, sizeof(dropped));
		others = 0;
		for (k = 0; k < 400; k++) {
			make_packet(&m);
			if (wanted(&c, &m) || m.type == 0x8100 || m.type == 0x88cc)
				continue;
			others++;
			for (at = 0; at <= PUSH_ANYWHERE; at++)
				dropped[at] += !kept(&p, (enum push_at)at, &m,
						     data_at((enum push_at)at, &m));
		}
		for (at = 0; at <= PUSH_ANYWHERE; at++)
			if (100 * dropped[at] < common[i].percent * others)
				fail_msg("'%s' drops only %u of %u at place %u", common[i].expr,
					 dropped[at], others, at);
		pushed_free(&p);
		push_filter_free(f);
		release(&c);
	}
}

static struct push_filter *filter_of(struct compiled *c, const char *expr, bool nat, bool tunnels)
{
	struct push_request rq = { &c->ether, &c->raw, nat, tunnels };
	struct push_filter *f = NULL;

	assert_true(compile(c, expr));
	assert_int_equal(push_filter_new(&f, &rq), 0);
	return f;
}

static void nothing_is_pushed_when_there_is_nothing_to_say(void **state)
{
	static const char *const exprs[] = { "", "len > 100", "ip[8] < 5",
					     "ether host 02:00:00:00:00:01" };
	struct compiled c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(exprs); i++) {
		struct push_filter *f = filter_of(&c, exprs[i], false, false);
		struct strbuf sb = STRBUF_INIT;

		/* ARP or IP may still be told apart */
		if (f)
			push_filter_describe(f, &sb);
		if (f && !strstr(strbuf_cstr(&sb), "all ip;"))
			fail_msg("'%s': %s", exprs[i], strbuf_cstr(&sb));
		strbuf_free(&sb);
		push_filter_free(f);
		release(&c);
	}
}

static void where_there_are_tunnels_what_may_carry_packets_passes(void **state)
{
	struct compiled c;
	struct strbuf sb = STRBUF_INIT;
	struct push_filter *f;

	(void)state;
	/* what is asked for may carry packets itself: then these are wanted */
	assert_null(filter_of(&c, "host 10.0.2.2", false, true));
	release(&c);
	assert_null(filter_of(&c, "udp port 4789", false, true));
	release(&c);
	f = filter_of(&c, "icmp", false, true);
	assert_non_null(f);
	push_filter_describe(f, &sb);
	assert_non_null(strstr(strbuf_cstr(&sb), "ip[9]!=0x6"));
	assert_null(strstr(strbuf_cstr(&sb), "ip[9]!=0x11"));
	strbuf_free(&sb);
	push_filter_free(f);
	release(&c);
}

/* Whatever may have another packet in it, and a packet that is none of these is not let through for it. */
static void carriers_pass_and_others_do_not(void **state)
{
	struct push_filter *f;
	struct compiled c;
	struct pushed p;
	struct made m;
	u32 i, carriers = 0, others = 0, dropped = 0;
	const u8 *ip = m.memory + BEFORE + 14;
	u8 proto;

	(void)state;
	f = filter_of(&c, "icmp", false, true);
	push(&p, f);
	seed = 8;
	for (i = 0; i < 3000; i++) {
		make_packet(&m);
		if (m.type != 0x0800 && m.type != 0x86dd)
			continue;
		proto = m.type == 0x0800 ? ip[9] : ip[6];
		if (proto != 1 && proto != 2 && proto != 6 && proto != 58 && proto != 132) {
			carriers++;
			check_packet("carrier", &p, &m);
		} else if (proto == 6) {
			others++;
			dropped += !kept(&p, PUSH_LINK, &m, BEFORE);
		}
	}
	assert_in_range(carriers, 300, 3000);
	assert_in_range(100 * dropped, 60 * others, 100 * others);
	pushed_free(&p);
	push_filter_free(f);
	release(&c);
}

/* They have no ports, so libpcap does not match them; but what they are part of may match. */
static void fragments_of_what_may_match_pass(void **state)
{
	struct push_filter *f;
	struct compiled c;
	struct pushed p;
	struct made m;
	u32 i, four = 0, six = 0;
	const u8 *ip = m.memory + BEFORE + 14;

	(void)state;
	f = filter_of(&c, "tcp port 80", false, false);
	push(&p, f);
	seed = 7;
	for (i = 0; i < 3000; i++) {
		make_packet(&m);
		if (m.type == 0x0800 && ip[9] == 6 && (ip[6] & 0x1f || ip[7])) {
			four++;
			check_packet("fragment", &p, &m);
		} else if (m.type == 0x86dd && ip[6] == 44) {
			six++;
			check_packet("fragment", &p, &m);
		}
	}
	assert_in_range(four, 10, 3000);
	assert_in_range(six, 10, 3000);
	pushed_free(&p);
	push_filter_free(f);
	release(&c);
}

static void a_long_expression_is_weakened_and_still_fits(void **state)
{
	struct strbuf expr = STRBUF_INIT;
	struct push_filter *f;
	struct compiled c;
	struct pushed p;
	struct made m;
	u32 i;

	(void)state;
	for (i = 0; i < 150; i++)
		strbuf_printf(&expr, "%s(host 10.0.2.%u and tcp port %u)", i ? " or " : "", i,
			      1000 + i);
	f = filter_of(&c, strbuf_cstr(&expr), false, false);
	push(&p, f);
	assert_non_null(f);
	assert_true(p.there[PUSH_LINK] && p.there[PUSH_ANYWHERE]);
	seed = 6;
	for (i = 0; i < 1000; i++) {
		make_packet(&m);
		if (wanted(&c, &m))
			check_packet("150 hosts", &p, &m);
	}
	pushed_free(&p);
	push_filter_free(f);
	release(&c);
	strbuf_free(&expr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_random_expression_loses_a_packet),
		cmocka_unit_test(common_expressions_drop_most_of_the_rest),
		cmocka_unit_test(nothing_is_pushed_when_there_is_nothing_to_say),
		cmocka_unit_test(where_there_are_tunnels_what_may_carry_packets_passes),
		cmocka_unit_test(fragments_of_what_may_match_pass),
		cmocka_unit_test(carriers_pass_and_others_do_not),
		cmocka_unit_test(a_long_expression_is_weakened_and_still_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
