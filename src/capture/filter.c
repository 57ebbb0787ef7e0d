// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Filters for the kernel's events: see filter.h.
 *
 * Kernel facts: kernel/trace/trace_events_filter.c. A predicate compares one scalar field with a number, or
 * asks whether bits of it are set; && binds stronger than ||; the text is shorter than a page. Fields
 * are loaded in the machine's byte order, so numbers are given as the packet's bytes read that way.
 */
#include "capture/filter.h"

#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "capture/filter_terms.h"

#define FILTER_MAX 4000	    /* of a text; the kernel takes 4095 bytes */
#define DEFINITION_MAX 3900 /* of a definition */
#define FIELDS_MAX 60	    /* added to one event */
#define PLACES_MAX 6	    /* where a header may be */

/* Each says less than the one before, in fewer words. */
enum level {
	LEVEL_ALL,
	LEVEL_POSITIVE,	 /* without what must not be */
	LEVEL_ADDRESSES, /* protocols and addresses */
	LEVEL_PROTOCOLS,
	LEVELS,
};

struct push_filter {
	struct filter_terms terms[LEVELS][FILTER_FAMILIES];
};

/* ---- what is said at all */

struct weakening {
	const struct push_request *rq;
	enum filter_family family;
	enum level level;
};

static u8 stable_ip4(u32 off, bool nat)
{
	/* id, fragments and protocol */
	if (!off || (off >= 4 && off <= 7) || off == 9)
		return 0xff;
	if (off >= 12 && off < 24)
		return nat ? 0 : 0xff; /* addresses, ports */
	/* flags of TCP, without those that GRO takes over from other segments */
	return off == 33 && !nat ? 0xf6 : 0;
}

static u8 stable_ip6(u32 off, bool nat)
{
	if (!off)
		return 0xf0;
	if (off == 6)
		return 0xff;
	if (off >= 8 && off < 44)
		return nat ? 0 : 0xff;
	return off == 53 && !nat ? 0xf6 : 0;
}

/* The bits of a byte that stay the same on all of a packet's way. */
static u8 stable_bits(const struct weakening *w, u32 off)
{
	switch (w->family) {
	case FAMILY_IP4:
		return stable_ip4(off, w->rq->nat);
	case FAMILY_IP6:
		return stable_ip6(off, w->rq->nat);
	default:
		return 0xff;
	}
}

static bool keep_stable(struct filter_test *test, void *ctx)
{
	u32 stable = 0, i;

	for (i = 0; i < test->size; i++)
		stable = stable << 8 | stable_bits(ctx, test->off + i);
	if (!(test->mask & ~stable))
		return true;
	if (test->op != TEST_EQ)
		return false; /* with fewer bits it would say more, not less */
	test->mask &= stable;
	test->value &= stable;
	return test->mask != 0;
}

static bool within(const struct filter_test *test, u32 from, u32 to)
{
	return test->off >= from && test->off + test->size <= to;
}

static bool is_protocol(enum filter_family family, const struct filter_test *test)
{
	if (family == FAMILY_ARP)
		return within(test, 6, 8);
	return family == FAMILY_IP4 ? within(test, 9, 10) : within(test, 6, 7);
}

static bool is_address(enum filter_family family, const struct filter_test *test)
{
	if (family == FAMILY_ARP)
		return within(test, 14, 18) || within(test, 24, 28);
	return family == FAMILY_IP4 ? within(test, 12, 20) : within(test, 8, 40);
}

static bool keep_for_level(struct filter_test *test, void *ctx)
{
	const struct weakening *w = ctx;

	if (test->op == TEST_NE)
		return false;
	if (w->level == LEVEL_POSITIVE || is_protocol(w->family, test))
		return true;
	return w->level == LEVEL_ADDRESSES && is_address(w->family, test);
}

/* ---- tunnels */

/* Nothing in these is another packet that the kernel would take out with its skb. */
static const u8 plain_protocols[] = { IPPROTO_ICMP, IPPROTO_IGMP, IPPROTO_TCP, IPPROTO_ICMPV6,
				      IPPROTO_SCTP };

static struct filter_test protocol_test(enum filter_family family, u8 op, u32 protocol)
{
	return (struct filter_test){ op, 1, family == FAMILY_IP4 ? 9 : 6, 0xff, protocol };
}

static bool term_has(const struct filter_term *term, const struct filter_test *test)
{
	u32 i;

	for (i = 0; i < term->nr; i++)
		if (!memcmp(&term->test[i], test, sizeof(*test)))
			return true;
	return false;
}

static bool is_plain(enum filter_family family, const struct filter_term *term)
{
	struct filter_test test;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plain_protocols); i++) {
		test = protocol_test(family, TEST_EQ, plain_protocols[i]);
		if (term_has(term, &test))
			return true;
	}
	test = protocol_test(family, TEST_EQ, IPPROTO_FRAGMENT);
	return family == FAMILY_IP6 && term_has(term, &test);
}

/* Whether what is asked for may have another packet in it: then that one is wanted, too. */
static bool may_carry(const struct filter_terms *t, enum filter_family family)
{
	u32 i;

	for (i = 0; i < t->nr && !t->all; i++)
		if (!is_plain(family, &t->term[i]))
			return true;
	return t->all;
}

static void add_carriers_ip4(struct filter_terms *t)
{
	struct filter_term term = { 0 };
	struct filter_test test;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plain_protocols); i++) {
		test = protocol_test(FAMILY_IP4, TEST_NE, plain_protocols[i]);
		term_add(&term, &test);
	}
	terms_add(t, &term);
}

/*
 * The rest of them, and extension headers, make no header as put_header() knows one, so they pass. To say
 * what a protocol is not would hold for much that is no header at all: half a byte is all that tells one.
 */
static void add_carriers_ip6(struct filter_terms *t)
{
	static const u8 carriers[] = { IPPROTO_UDP, IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_GRE,
				       IPPROTO_ESP };
	struct filter_term term;
	struct filter_test test;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(carriers); i++) {
		term.nr = 0;
		test = protocol_test(FAMILY_IP6, TEST_EQ, carriers[i]);
		term_add(&term, &test);
		terms_add(t, &term);
	}
}

/* Return: false when nothing can be said. */
static bool allow_tunnels(struct filter_terms *t)
{
	if (may_carry(&t[FAMILY_IP4], FAMILY_IP4) || may_carry(&t[FAMILY_IP6], FAMILY_IP6))
		return false;
	add_carriers_ip4(&t[FAMILY_IP4]);
	add_carriers_ip6(&t[FAMILY_IP6]);
	return true;
}

/* ---- from programs to terms */

static void add_fragments(struct filter_terms *t)
{
	const struct filter_test test = protocol_test(FAMILY_IP6, TEST_EQ, IPPROTO_FRAGMENT);
	struct filter_term term = { 0 };

	term_add(&term, &test);
	terms_add(t, &term);
}

static void read_family(struct push_filter *f, const struct push_request *rq,
			enum filter_family family)
{
	struct filter_terms *t = &f->terms[LEVEL_ALL][family];
	struct weakening w = { rq, family, LEVEL_ALL };

	if (rq->ether->bf_insns)
		filter_read_program(rq->ether->bf_insns, rq->ether->bf_len, ETH_HLEN, family, t);
	if (rq->raw->bf_insns && family != FAMILY_ARP)
		filter_read_program(rq->raw->bf_insns, rq->raw->bf_len, 0, family, t);
	terms_weaken(t, keep_stable, &w);
	if (family == FAMILY_IP6)
		add_fragments(t);
	terms_simplify(t);
}

static int copy_terms(struct filter_terms *to, const struct filter_terms *from)
{
	*to = *from;
	to->term = calloc(from->nr + 1, sizeof(*to->term));
	if (!to->term)
		return -ENOMEM;
	memcpy(to->term, from->term, from->nr * sizeof(*to->term));
	return 0;
}

/* The same with fewer words, in case that the text gets too long somewhere. */
static int make_levels(struct push_filter *f, const struct push_request *rq)
{
	struct weakening w = { .rq = rq };
	u32 level, family;
	int ret;

	for (level = LEVEL_POSITIVE; level < LEVELS; level++) {
		for (family = 0; family < FILTER_FAMILIES; family++) {
			ret = copy_terms(&f->terms[level][family], &f->terms[level - 1][family]);
			if (ret)
				return ret;
			w.level = level;
			w.family = family;
			terms_weaken(&f->terms[level][family], keep_for_level, &w);
			terms_simplify(&f->terms[level][family]);
		}
	}
	return 0;
}

static bool says_something(const struct filter_terms *t)
{
	return !t[FAMILY_IP4].all || !t[FAMILY_IP6].all || !t[FAMILY_ARP].all;
}

int push_filter_new(struct push_filter **out, const struct push_request *rq)
{
	struct push_filter *f = calloc(1, sizeof(*f));
	bool useful = true;
	u32 family;
	int ret = 0;

	*out = NULL;
	if (!f)
		return -ENOMEM;
	for (family = 0; family < FILTER_FAMILIES && !ret; family++)
		ret = terms_init(&f->terms[LEVEL_ALL][family]);
	for (family = 0; family < FILTER_FAMILIES && !ret; family++)
		read_family(f, rq, family);
	if (!ret && rq->tunnels)
		useful = allow_tunnels(f->terms[LEVEL_ALL]);
	if (!ret && useful)
		useful = says_something(f->terms[LEVEL_ALL]);
	if (!ret && useful)
		ret = make_levels(f, rq);
	if (ret || !useful)
		push_filter_free(f);
	else
		*out = f;
	return ret;
}

void push_filter_free(struct push_filter *f)
{
	u32 level, family;

	for (level = 0; f && level < LEVELS; level++)
		for (family = 0; family < FILTER_FAMILIES; family++)
			terms_free(&f->terms[level][family]);
	free(f);
}

/* ---- the kernel's words */

struct field {
	int at; /* from skb->data */
	u8 size;
};

struct text {
	struct strbuf out;
	struct field field[FIELDS_MAX];
	u32 nr_fields;
	bool too_many;
};

/* "a23b": a byte 23 behind the data; "z11b": 11 before. h: two, w: four bytes. */
static void field_name(char *name, size_t size, const struct field *f)
{
	snprintf(name, size, "%c%d%c", f->at < 0 ? 'z' : 'a', abs(f->at),
		 f->size == 1 ? 'b' :
		 f->size == 2 ? 'h' :
				'w');
}

static void put_field(struct text *t, s32 at, u32 size)
{
	struct field f = { at, (u8)size };
	char name[16];
	u32 i;

	field_name(name, sizeof(name), &f);
	strbuf_puts(&t->out, name);
	for (i = 0; i < t->nr_fields; i++)
		if (t->field[i].at == f.at && t->field[i].size == f.size)
			return;
	if (t->nr_fields == FIELDS_MAX)
		t->too_many = true;
	else
		t->field[t->nr_fields++] = f;
}

/* What the machine sees when it loads these bytes of a packet. */
static u32 as_loaded(u32 value, u32 size)
{
	u8 bytes[4] = { 0 };
	u32 word = 0, i;
	u16 half;

	for (i = 0; i < size; i++)
		bytes[i] = (u8)(value >> 8 * (size - 1 - i));
	if (size == 1)
		return bytes[0];
	if (size == 2) {
		memcpy(&half, bytes, 2);
		return half;
	}
	memcpy(&word, bytes, 4);
	return word;
}

static void put_compare(struct text *t, s32 at, u32 size, const char *op, u32 value)
{
	put_field(t, at, size);
	strbuf_printf(&t->out, "%s0x%x", op, as_loaded(value, size));
}

static void put_and(struct text *t, bool *first)
{
	if (!*first)
		strbuf_puts(&t->out, "&&");
	*first = false;
}

/* A byte of which only some bits count: the kernel asks for bits that are set, any of a mask. */
static void put_bits(struct text *t, s32 at, u8 mask, u8 value, bool *first)
{
	u8 bit;

	for (bit = 0x80; bit; bit >>= 1) {
		if (!(mask & value & bit))
			continue;
		put_and(t, first);
		put_compare(t, at, 1, "&", bit);
	}
	if (!(mask & ~value))
		return;
	put_and(t, first);
	strbuf_puts(&t->out, "!(");
	put_compare(t, at, 1, "&", mask & (u8)~value);
	strbuf_putc(&t->out, ')');
}

static u8 byte_of(u32 number, u32 size, u32 index)
{
	return (u8)(number >> 8 * (size - 1 - index));
}

/* (bytes & mask) == value: whole words where all bits count, else byte by byte. */
static void put_equal(struct text *t, s32 at, u32 size, u32 mask, u32 value)
{
	bool first = true;
	u32 i, run;
	u8 bits;

	for (i = 0; i < size; i += run) {
		bits = byte_of(mask, size, i);
		run = 1;
		if (bits && bits != 0xff)
			put_bits(t, at + (s32)i, bits, byte_of(value, size, i), &first);
		if (bits != 0xff)
			continue;
		while (i + run < size && byte_of(mask, size, i + run) == 0xff)
			run++;
		run = run == 3 ? 2 : run;
		put_and(t, &first);
		put_compare(t, at + (s32)i, run, "==",
			    (u32)((u64)value >> 8 * (size - i - run)) &
				    (run == 4 ? UINT32_MAX : (1u << 8 * run) - 1));
	}
}

/* More than a number of several bytes, the first of which weighs most. */
static void put_greater(struct text *t, s32 at, u32 size, u32 value)
{
	u32 i, open = 0;

	for (i = 0; i + 1 < size; i++) {
		if (byte_of(value, size, i) != 0xff) {
			put_compare(t, at + (s32)i, 1, ">", byte_of(value, size, i));
			strbuf_puts(&t->out, "||");
		}
		strbuf_putc(&t->out, '(');
		open++;
		put_compare(t, at + (s32)i, 1, "==", byte_of(value, size, i));
		strbuf_puts(&t->out, "&&(");
		open++;
	}
	put_compare(t, at + (s32)i, 1, ">", byte_of(value, size, i));
	while (open--)
		strbuf_putc(&t->out, ')');
}

static void put_test(struct text *t, s32 net, const struct filter_test *test)
{
	u32 whole = test->size == 4 ? UINT32_MAX : (1u << 8 * test->size) - 1;
	s32 at = net + test->off;

	switch (test->op) {
	case TEST_EQ:
		put_equal(t, at, test->size, test->mask, test->value);
		break;
	case TEST_NE:
		if (test->mask == whole) {
			put_compare(t, at, test->size, "!=", test->value);
			break;
		}
		strbuf_puts(&t->out, "!(");
		put_equal(t, at, test->size, test->mask, test->value);
		strbuf_putc(&t->out, ')');
		break;
	default:
		strbuf_puts(&t->out, test->op == TEST_LE ? "!(" : "(");
		put_greater(t, at, test->size, test->value);
		strbuf_putc(&t->out, ')');
		break;
	}
}

static void put_terms(struct text *t, s32 net, const struct filter_terms *terms)
{
	u32 i, k;

	for (i = 0; i < terms->nr; i++) {
		strbuf_puts(&t->out, i ? "||(" : "(");
		for (k = 0; k < terms->term[i].nr; k++) {
			if (k)
				strbuf_puts(&t->out, "&&");
			put_test(t, net, &terms->term[i].test[k]);
		}
		strbuf_putc(&t->out, ')');
	}
}

/* ---- where the header may be */

struct places {
	u32 nr;
	int at[PLACES_MAX]; /* from skb->data */
};

static const struct places places[][FILTER_FAMILIES] = {
	[PUSH_NETWORK] = { { 1, { 0 } }, { 1, { 0 } }, { 1, { 0 } } },
	[PUSH_LINK] = { { 2, { ETH_HLEN, 0 } }, { 2, { ETH_HLEN, 0 } }, { 2, { ETH_HLEN, 0 } } },
	[PUSH_TRANSPORT] = { { 1, { -20 } }, { 1, { -40 } }, { 1, { 0 } } },
	/* also behind UDP's header, and TCP's without options and with time stamps */
	[PUSH_ANYWHERE] = { { 6, { ETH_HLEN, 0, -20, -28, -40, -52 } },
			    { 6, { ETH_HLEN, 0, -40, -48, -60, -72 } },
			    { 2, { ETH_HLEN, 0 } } },
};

/*
 * Whether the bytes look like a header of the family, as its terms take it. @unsure: what is at that place may as
 * well be something else, so two more bytes have to look right.
 */
static void put_header(struct text *t, enum filter_family family, s32 net, bool unsure)
{
	switch (family) {
	case FAMILY_IP4:
		put_compare(t, net, 1, "==", 0x45);
		if (!unsure)
			break;
		/* no fragment, which may be forbidden */
		strbuf_puts(&t->out, "&&(");
		put_compare(t, net + 6, 2, "==", 0);
		strbuf_puts(&t->out, "||");
		put_compare(t, net + 6, 2, "==", 0x4000);
		strbuf_putc(&t->out, ')');
		break;
	case FAMILY_IP6:
		put_compare(t, net, 1, ">=", 0x60);
		strbuf_puts(&t->out, "&&");
		put_compare(t, net, 1, "<=", 0x6f);
		if (!unsure)
			break;
		strbuf_puts(&t->out, "&&(");
		put_compare(t, net + 6, 1, "==", IPPROTO_TCP);
		strbuf_puts(&t->out, "||");
		put_compare(t, net + 6, 1, "==", IPPROTO_UDP);
		strbuf_puts(&t->out, "||");
		put_compare(t, net + 6, 1, "==", IPPROTO_ICMPV6);
		strbuf_putc(&t->out, ')');
		break;
	default: /* Ethernet, IPv4 */
		put_compare(t, net, 4, "==", 0x00010800);
		break;
	}
}

/* Where no header is, or one that the terms are not about. */
static void put_no_header(struct text *t, enum filter_family family, enum push_at at)
{
	const struct places *p = &places[at][family];
	u32 i;

	strbuf_puts(&t->out, "!(");
	for (i = 0; i < p->nr; i++) {
		strbuf_puts(&t->out, i ? "||(" : "(");
		put_header(t, family, p->at[i], at != PUSH_NETWORK || family == FAMILY_IP6);
		strbuf_putc(&t->out, ')');
	}
	strbuf_putc(&t->out, ')');
	/* Behind Ethernet's header there is one with options; what looked like one is an address. */
	if (family == FAMILY_IP4 && at == PUSH_LINK) {
		strbuf_puts(&t->out, "||(");
		put_compare(t, p->at[0], 1, ">", 0x45);
		strbuf_puts(&t->out, "&&");
		put_compare(t, p->at[0], 1, "<", 0x50);
		strbuf_putc(&t->out, ')');
	}
}

static void put_family(struct text *t, enum filter_family family, const struct filter_terms *terms,
		       enum push_at at)
{
	static const u16 types[] = { [FAMILY_IP4] = ETHERTYPE_IP,
				     [FAMILY_IP6] = ETHERTYPE_IPV6,
				     [FAMILY_ARP] = ETHERTYPE_ARP };
	const struct places *p = &places[at][family];
	u32 i;

	/* IPv4's own output functions set it a little later. */
	strbuf_printf(&t->out,
		      family == FAMILY_IP4 && at <= PUSH_LINK ? "((p==0x%x||p==0)" : "(p==0x%x",
		      as_loaded(types[family], 2));
	if (!terms->all) {
		strbuf_puts(&t->out, "&&(");
		for (i = 0; i < p->nr && terms->nr; i++) {
			strbuf_putc(&t->out, '(');
			put_header(t, family, p->at[i], false);
			strbuf_puts(&t->out, "&&(");
			put_terms(t, p->at[i], terms);
			strbuf_puts(&t->out, "))||");
		}
		put_no_header(t, family, at);
		strbuf_putc(&t->out, ')');
	}
	strbuf_puts(&t->out, ")||");
}

static void put_filter(struct text *t, enum push_at at, const char *parent,
		       const struct filter_terms *terms)
{
	u32 family;

	strbuf_printf(&t->out, "%s!=0&&(", parent);
	for (family = 0; family < FILTER_FAMILIES; family++)
		put_family(t, family, &terms[family], at);
	/*
	 * All else passes: tags in the bytes, labels, ... An skb that was freed without a protocol was no
	 * packet; where it may be not set yet, see put_family().
	 */
	strbuf_printf(&t->out, "(p!=0x%x&&p!=0x%x&&p!=0x%x%s))", as_loaded(ETHERTYPE_IP, 2),
		      as_loaded(ETHERTYPE_IPV6, 2), as_loaded(ETHERTYPE_ARP, 2),
		      at == PUSH_TRANSPORT ? "" : "&&p!=0");
}

static void put_fetches(struct strbuf *out, const struct text *t, const struct layout *l,
			const char *skb)
{
	const struct field *f;
	char name[16];
	u32 i;

	for (i = 0; i < t->nr_fields; i++) {
		f = &t->field[i];
		field_name(name, sizeof(name), f);
		strbuf_printf(out, " %s=%+d(+%u(%s)):u%u", name, f->at, l->at[SKB_DATA].offset, skb,
			      8u * f->size);
	}
}

/* Return: whether it is short enough. */
static bool try_level(const struct filter_terms *terms, enum push_at at, const struct layout *l,
		      const char *skb, const char *parent, struct strbuf *definition,
		      struct strbuf *filter)
{
	struct strbuf fetches = STRBUF_INIT;
	struct text t = { .out = STRBUF_INIT };
	bool fits;

	put_filter(&t, at, parent, terms);
	if (!strstr(strbuf_cstr(definition), " p="))
		strbuf_printf(&fetches, " p=+%u(%s):u16", l->at[SKB_PROTOCOL].offset, skb);
	put_fetches(&fetches, &t, l, skb);
	fits = !t.too_many && !t.out.failed && !fetches.failed && t.out.len < FILTER_MAX &&
	       definition->len + fetches.len < DEFINITION_MAX;
	if (fits) {
		strbuf_puts(definition, strbuf_cstr(&fetches));
		strbuf_puts(filter, strbuf_cstr(&t.out));
	}
	strbuf_free(&t.out);
	strbuf_free(&fetches);
	return fits;
}

bool push_filter_event(const struct push_filter *f, enum push_at at, const struct layout *l,
		       const char *skb, const char *parent, struct strbuf *definition,
		       struct strbuf *filter)
{
	u32 level;

	if (at == PUSH_NOT || !layout_has(l, SKB_DATA) || !layout_has(l, SKB_PROTOCOL))
		return false;
	for (level = 0; level < LEVELS && says_something(f->terms[level]); level++)
		if (try_level(f->terms[level], at, l, skb, parent, definition, filter))
			return true;
	return false;
}

/* ---- for people */

static void describe_test(struct strbuf *out, const char *proto, const struct filter_test *test)
{
	static const char *const ops[] = {
		[TEST_EQ] = "=", [TEST_NE] = "!=", [TEST_GT] = ">", [TEST_LE] = "<="
	};
	u32 whole = test->size == 4 ? UINT32_MAX : (1u << 8 * test->size) - 1;

	strbuf_printf(out, "%s[%u%s]", proto, test->off,
		      test->size == 1 ? "" :
		      test->size == 2 ? ":2" :
					":4");
	if (test->mask != whole)
		strbuf_printf(out, "&0x%x", test->mask);
	strbuf_printf(out, "%s0x%x", ops[test->op], test->value);
}

static void describe_family(struct strbuf *out, const char *proto, const struct filter_terms *t)
{
	u32 i, k;

	if (t->all || !t->nr) {
		strbuf_printf(out, "%s %s", t->all ? "all" : "no", proto);
		return;
	}
	for (i = 0; i < t->nr; i++) {
		if (i)
			strbuf_puts(out, " or ");
		for (k = 0; k < t->term[i].nr; k++) {
			if (k)
				strbuf_puts(out, " and ");
			describe_test(out, proto, &t->term[i].test[k]);
		}
	}
}

void push_filter_describe(const struct push_filter *f, struct strbuf *out)
{
	describe_family(out, "ip", &f->terms[LEVEL_ALL][FAMILY_IP4]);
	strbuf_puts(out, "; ");
	describe_family(out, "ip6", &f->terms[LEVEL_ALL][FAMILY_IP6]);
	strbuf_puts(out, "; ");
	describe_family(out, "arp", &f->terms[LEVEL_ALL][FAMILY_ARP]);
}
