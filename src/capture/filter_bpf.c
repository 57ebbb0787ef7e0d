// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Classic BPF programs -> terms, by going every way through them with values instead of packets.
 *
 * In:  a program as libpcap makes it: jumps go forward only, so each way ends.
 * Out: the tests on each way that ends in acceptance.
 *
 * A value that is not a constant, nor bits of a packet, is unknown, and a jump that depends on it goes both
 * ways. A load beyond the packet's end rejects the packet; here it does not: that keeps more.
 */
#include "capture/filter_terms.h"

#include <net/ethernet.h>
#include <string.h>

#include "capture/bpf_insn.h"

#define STEPS_MAX 200000 /* instructions gone through, on all ways together */
#define DEPTH_MAX 1000	 /* jumps on one way: each takes about 2 KB of stack */

enum value_kind {
	VALUE_UNKNOWN,
	VALUE_CONST,
	VALUE_FIELD, /* (bytes & mask) >> shift */
};

struct value {
	u8 kind;
	u8 size, shift;
	u16 off;
	u32 mask;
	u32 number; /* VALUE_CONST */
};

struct state {
	struct value a, x;
	struct value memory[BPF_MEMWORDS];
	struct filter_term term;
};

struct reading {
	const struct bpf_insn *insns;
	u32 nr;
	u32 link_bytes;
	enum filter_family family;
	struct filter_terms *out;
	u32 steps;
	u32 depth;
};

static const struct value unknown = { VALUE_UNKNOWN, 0, 0, 0, 0, 0 };

static struct value number(u32 n)
{
	return (struct value){ .kind = VALUE_CONST, .number = n };
}

static u32 ethertype(enum filter_family family)
{
	static const u16 types[] = { [FAMILY_IP4] = ETHERTYPE_IP,
				     [FAMILY_IP6] = ETHERTYPE_IPV6,
				     [FAMILY_ARP] = ETHERTYPE_ARP };

	return types[family];
}

/* Bytes of the packet from @at on, counted as the program does. */
static struct value load(const struct reading *r, u32 at, u32 size)
{
	struct value v = { .kind = VALUE_FIELD, .size = (u8)size };

	if (r->link_bytes && at == r->link_bytes - 2 && size == 2)
		return number(ethertype(r->family));
	if (at < r->link_bytes || at - r->link_bytes > 1024)
		return unknown;
	v.off = (u16)(at - r->link_bytes);
	v.mask = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
	if (!v.off && size == 1 && r->family == FAMILY_IP4)
		return number(0x45);
	return v;
}

static struct value load_indirect(const struct reading *r, const struct state *s, u32 k, u32 size)
{
	return s->x.kind == VALUE_CONST ? load(r, s->x.number + k, size) : unknown;
}

/* X = 4 * (byte & 15), which is for the length of an IPv4 header. */
static struct value load_header_length(const struct reading *r, u32 k)
{
	struct value v = load(r, k, 1);

	return v.kind == VALUE_CONST ? number(4 * (v.number & 15)) : unknown;
}

static struct value arithmetic(const struct reading *r, u16 op, struct value a, struct value b)
{
	u32 result;

	if (op == BPF_NEG)
		return a.kind == VALUE_CONST ? number(0u - a.number) : unknown;
	if (b.kind != VALUE_CONST)
		return unknown;
	if (a.kind == VALUE_CONST)
		return bpf_calculate(op, a.number, b.number, &result) ? number(result) : unknown;
	if (a.kind != VALUE_FIELD)
		return unknown;
	if (op == BPF_AND) {
		a.mask &= a.shift ? b.number << a.shift : b.number;
		/* of IPv6 the first four bits are known */
		if (r->family == FAMILY_IP6 && !a.off && a.size == 1 && !(a.mask & 0x0f))
			return number((0x60 & a.mask) >> a.shift);
		return a;
	}
	if (op == BPF_RSH && b.number < 32u - a.shift) {
		a.shift = (u8)(a.shift + b.number);
		a.mask &= UINT32_MAX << a.shift;
		return a;
	}
	return unknown;
}

static void walk(struct reading *r, u32 pc, struct state *s);

/* One of a jump's ways, with what is then known of the packet. */
static void go(struct reading *r, u32 pc, const struct state *s, const struct filter_test *test)
{
	struct state next = *s;

	if (test && !term_add(&next.term, test))
		return;
	if (r->depth == DEPTH_MAX) {
		r->out->all = true;
		return;
	}
	r->depth++;
	walk(r, pc, &next);
	r->depth--;
}

/* The test of bits that a jump makes; false: there is none that says the same. */
static bool test_of(u16 op, const struct value *a, u32 k, struct filter_test *test)
{
	u32 whole = a->size == 4 ? UINT32_MAX : (1u << 8 * a->size) - 1;

	*test = (struct filter_test){ TEST_EQ, a->size, a->off, a->mask, k << a->shift };
	switch (op) {
	case BPF_JEQ:
		/* bits that the shift pushed out, or that no value has, make it never equal */
		if (k << a->shift >> a->shift != k)
			return false;
		return true;
	case BPF_JSET:
		test->op = TEST_NE;
		test->mask &= k << a->shift;
		test->value = 0;
		return true;
	case BPF_JGT:
	case BPF_JGE:
		if (a->mask != whole || a->shift || (op == BPF_JGE && !k))
			return false;
		test->op = TEST_GT;
		test->value = op == BPF_JGT ? k : k - 1;
		return true;
	default:
		return false;
	}
}

/* The frame's part of a later fragment, which has no ports, goes the way of the first one's. */
static bool asks_for_fragment(const struct reading *r, const struct filter_test *test)
{
	return r->family == FAMILY_IP4 && test->op == TEST_NE && test->off == 6 &&
	       test->size == 2 && test->mask == 0x1fff && !test->value;
}

static void jump(struct reading *r, u32 pc, const struct bpf_insn *insn, const struct state *s)
{
	static const u8 opposite[] = {
		[TEST_EQ] = TEST_NE, [TEST_NE] = TEST_EQ, [TEST_GT] = TEST_LE, [TEST_LE] = TEST_GT
	};
	struct value k = BPF_SRC(insn->code) == BPF_X ? s->x : number(insn->k);
	u32 yes = pc + 1 + insn->jt, no = pc + 1 + insn->jf;
	u16 op = BPF_OP(insn->code);
	struct filter_test test;

	if (op == BPF_JA) {
		go(r, pc + 1 + insn->k, s, NULL);
	} else if (yes == no) {
		go(r, yes, s, NULL);
	} else if (s->a.kind == VALUE_CONST && k.kind == VALUE_CONST) {
		go(r, bpf_decide(op, s->a.number, k.number) ? yes : no, s, NULL);
	} else if (s->a.kind == VALUE_FIELD && k.kind == VALUE_CONST &&
		   test_of(op, &s->a, k.number, &test)) {
		if (asks_for_fragment(r, &test)) {
			/* also those that the program rejects now: what they are part of may match */
			struct state later = *s;

			if (term_add(&later.term, &test))
				terms_add(r->out, &later.term);
		}
		go(r, yes, s, &test);
		test.op = opposite[test.op];
		go(r, no, s, &test);
	} else {
		go(r, yes, s, NULL);
		go(r, no, s, NULL);
	}
}

static struct value loaded(const struct reading *r, const struct bpf_insn *insn,
			   const struct state *s)
{
	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		return number(insn->k);
	case BPF_ABS:
		return load(r, insn->k, bpf_load_size(insn->code));
	case BPF_IND:
		return load_indirect(r, s, insn->k, bpf_load_size(insn->code));
	case BPF_MEM:
		return insn->k < BPF_MEMWORDS ? s->memory[insn->k] : unknown;
	case BPF_MSH:
		return load_header_length(r, insn->k);
	default:
		return unknown; /* BPF_LEN */
	}
}

/* An instruction that is neither a jump nor a return. */
static void execute(const struct reading *r, const struct bpf_insn *insn, struct state *s)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		s->a = loaded(r, insn, s);
		break;
	case BPF_LDX:
		s->x = loaded(r, insn, s);
		break;
	case BPF_ST:
	case BPF_STX:
		if (insn->k < BPF_MEMWORDS)
			s->memory[insn->k] = BPF_CLASS(insn->code) == BPF_ST ? s->a : s->x;
		break;
	case BPF_ALU:
		s->a = arithmetic(r, BPF_OP(insn->code), s->a,
				  BPF_SRC(insn->code) == BPF_X ? s->x : number(insn->k));
		break;
	case BPF_MISC:
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			s->x = s->a;
		else
			s->a = s->x;
		break;
	default:
		break;
	}
}

static void walk(struct reading *r, u32 pc, struct state *s)
{
	const struct bpf_insn *insn;

	for (; pc < r->nr && !r->out->all; pc++) {
		insn = &r->insns[pc];
		if (++r->steps > STEPS_MAX) {
			r->out->all = true;
			return;
		}
		if (BPF_CLASS(insn->code) == BPF_RET) {
			if (BPF_RVAL(insn->code) == BPF_A || insn->k)
				terms_add(r->out, &s->term);
			return;
		}
		if (BPF_CLASS(insn->code) == BPF_JMP) {
			jump(r, pc, insn, s);
			return;
		}
		execute(r, insn, s);
	}
}

void filter_read_program(const struct bpf_insn *insns, u32 nr, u32 link_bytes,
			 enum filter_family family, struct filter_terms *t)
{
	struct reading r = { insns, nr, link_bytes, family, t, 0, 0 };
	struct state s = { 0 }; /* all unknown */

	walk(&r, 0, &s);
}
