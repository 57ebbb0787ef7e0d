// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Expressions on sockets: see sockfilter.h. libpcap compiles them for bare IP. When one is prepared its program is
 * gone through with what is known of any socket's packets, to see that it loads nothing else.
 */
#include "decode/sockfilter.h"

#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "capture/bpf_insn.h"
#include "decode/pktfilter.h"

#define PACKET_BYTES 60
#define IP4_BYTES 20
#define IP6_BYTES 40

struct sockfilter {
	struct bpf_program program;
};

/* A value in the course of a program. */
struct value {
	bool known;
	u32 number;
};

struct state {
	bool reached;
	struct value a, x;
};

/* Going through a program for the packets of one family and protocol. */
struct reading {
	const struct bpf_insn *insn;
	u32 nr;
	struct state *at; /* before each instruction */
	u8 packet[PACKET_BYTES];
	u8 family;
	bool foreign; /* it loads what is not known of a socket */
	bool accepts; /* for some addresses and ports */
};

/* The packet that a socket would send: @reverse: or receive. */
static void make_packet(u8 *packet, u8 family, u8 proto, const struct sock_addrs *a, bool reverse)
{
	const u8 *src = reverse ? a->remote : a->local, *dst = reverse ? a->local : a->remote;
	u16 sport = reverse ? a->rport : a->lport, dport = reverse ? a->lport : a->rport;
	u8 *ports = packet + (family == 4 ? IP4_BYTES : IP6_BYTES);

	memset(packet, 0, PACKET_BYTES);
	if (family == 4) {
		packet[0] = 0x45;
		packet[9] = proto;
		memcpy(packet + 12, src + 12, 4);
		memcpy(packet + 16, dst + 12, 4);
	} else {
		packet[0] = 0x60;
		packet[6] = proto;
		memcpy(packet + 8, src, 16);
		memcpy(packet + 24, dst, 16);
	}
	ports[0] = (u8)(sport >> 8);
	ports[1] = (u8)sport;
	ports[2] = (u8)(dport >> 8);
	ports[3] = (u8)dport;
}

/* Bytes that are the same in all packets of the family and protocol. The offset: no fragment, as a whole packet. */
static bool is_same(const struct reading *r, u32 at, u32 size)
{
	if (!at && size == 1)
		return true;
	if (r->family == 6)
		return at == 6 && size == 1;
	return (at == 9 && size == 1) || (at >= 6 && at + size <= 8);
}

/* Addresses and ports. */
static bool is_told(const struct reading *r, u32 at, u32 size)
{
	return r->family == 6 ? at >= 8 && at + size <= IP6_BYTES + 4 :
				at >= 12 && at + size <= IP4_BYTES + 4;
}

static struct value load(struct reading *r, u32 at, u32 size)
{
	struct value v = { 0 };
	u32 i;

	if (at < PACKET_BYTES && is_same(r, at, size)) {
		v.known = true;
		for (i = 0; i < size; i++)
			v.number = v.number << 8 | r->packet[at + i];
	} else if (at >= PACKET_BYTES || !is_told(r, at, size)) {
		r->foreign = true;
	}
	return v;
}

static struct value number(u32 n)
{
	return (struct value){ true, n };
}

static struct value loaded(struct reading *r, const struct bpf_insn *insn, const struct state *s)
{
	struct value v = { 0 };

	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		return number(insn->k);
	case BPF_ABS:
		return load(r, insn->k, bpf_load_size(insn->code));
	case BPF_IND:
		if (s->x.known)
			return load(r, insn->k + s->x.number, bpf_load_size(insn->code));
		break;
	case BPF_MSH:
		v = load(r, insn->k, 1);
		return v.known ? number(4 * (v.number & 15)) : v;
	case BPF_MEM:
		return v;
	default: /* BPF_LEN */
		break;
	}
	r->foreign = true;
	return v;
}

static struct value arithmetic(const struct bpf_insn *insn, struct value a, struct value b)
{
	struct value v = { 0 };

	v.known = a.known && b.known &&
		  bpf_calculate(BPF_OP(insn->code), a.number, b.number, &v.number);
	return v;
}

static void execute(struct reading *r, const struct bpf_insn *insn, struct state *s)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		s->a = loaded(r, insn, s);
		break;
	case BPF_LDX:
		s->x = loaded(r, insn, s);
		break;
	case BPF_ALU:
		s->a = arithmetic(insn, s->a,
				  BPF_SRC(insn->code) == BPF_X ? s->x : number(insn->k));
		break;
	case BPF_MISC:
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			s->x = s->a;
		else
			s->a = s->x;
		break;
	default: /* stores: what is loaded from memory is not known */
		break;
	}
}

static struct value common(struct value a, struct value b)
{
	return a.known && b.known && a.number == b.number ? a : (struct value){ 0 };
}

/* @to is reached with @s, too. */
static void reach(struct reading *r, u32 to, const struct state *s)
{
	struct state *at = &r->at[to];

	if (to >= r->nr) {
		r->foreign = true;
	} else if (at->reached) {
		at->a = common(at->a, s->a);
		at->x = common(at->x, s->x);
	} else {
		*at = *s;
	}
}

static void jump(struct reading *r, u32 pc, const struct state *s)
{
	const struct bpf_insn *insn = &r->insn[pc];
	struct value k = BPF_SRC(insn->code) == BPF_X ? s->x : number(insn->k);
	u16 op = BPF_OP(insn->code);
	bool both = !s->a.known || !k.known, yes = !both && bpf_decide(op, s->a.number, k.number);

	if (op == BPF_JA) {
		/* backwards ("protochain"): not for us */
		if (insn->k >= r->nr - pc)
			r->foreign = true;
		else
			reach(r, pc + 1 + insn->k, s);
		return;
	}
	if (both || yes)
		reach(r, pc + 1 + insn->jt, s);
	if (both || !yes)
		reach(r, pc + 1 + insn->jf, s);
}

/* Jumps go forward only, so that each instruction is reached from above. */
static void read_program(struct reading *r)
{
	const struct bpf_insn *insn;
	struct state s;
	u32 pc;

	r->at[0].reached = true;
	for (pc = 0; pc < r->nr && !r->foreign; pc++) {
		s = r->at[pc];
		insn = &r->insn[pc];
		if (!s.reached)
			continue;
		if (BPF_CLASS(insn->code) == BPF_RET) {
			r->accepts |= BPF_RVAL(insn->code) == BPF_A || insn->k;
		} else if (BPF_CLASS(insn->code) == BPF_JMP) {
			jump(r, pc, &s);
		} else {
			execute(r, insn, &s);
			reach(r, pc + 1, &s);
		}
	}
}

static int refuse(const char *expr, struct error *err)
{
	return error_set(
		err, EINVAL,
		"filter '%.400s': of a socket only protocol, addresses and ports can be asked: "
		"ip, ip6, tcp, udp, host, net, port, portrange, src, dst",
		expr);
}

/* libpcap's own words are about link types where the expression is one for frames ("ether host"). */
static int compile(struct bpf_program *program, const char *expr, struct error *err)
{
	int ret = pktfilter_compile_for(program, DLT_RAW, expr, err);
	struct bpf_program frames;
	struct error none = { 0 };

	if (ret != -EINVAL || pktfilter_compile_for(&frames, DLT_EN10MB, expr, &none))
		return ret;
	pcap_freecode(&frames);
	return refuse(expr, err);
}

static int check(const struct bpf_program *program, const char *expr, struct error *err)
{
	static const u8 protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	static const struct sock_addrs none;
	struct reading r = { .insn = program->bf_insns, .nr = program->bf_len };
	size_t i;

	r.at = calloc(r.nr ? r.nr : 1, sizeof(*r.at));
	if (!r.at)
		return error_errno(err, ENOMEM, "cannot compile the filter");
	for (i = 0; i < 2 * ARRAY_SIZE(protos); i++) {
		memset(r.at, 0, r.nr * sizeof(*r.at));
		r.family = i & 1 ? 6 : 4;
		make_packet(r.packet, r.family, protos[i / 2], &none, false);
		read_program(&r);
	}
	free(r.at);
	if (r.foreign)
		return refuse(expr, err);
	if (!r.accepts)
		return error_set(err, EINVAL, "filter '%.400s': no TCP or UDP socket can match it",
				 expr);
	return 0;
}

int sockfilter_compile(struct sockfilter **out, const char *expr, struct error *err)
{
	struct sockfilter *f = calloc(1, sizeof(*f));
	int ret;

	*out = NULL;
	if (!f)
		return error_errno(err, ENOMEM, "cannot compile the filter");
	ret = compile(&f->program, expr, err);
	if (!ret)
		ret = check(&f->program, expr, err);
	if (ret)
		sockfilter_free(f);
	else
		*out = f;
	return ret;
}

void sockfilter_free(struct sockfilter *f)
{
	if (!f)
		return;
	pcap_freecode(&f->program);
	free(f);
}

/* What the socket's packets are of. */
static u8 family_of(const struct sock_addrs *a)
{
	if (sock_addr_is_mapped(a->local) || sock_addr_is_mapped(a->remote))
		return 4;
	if (!sock_addr_is_any(a->local) || !sock_addr_is_any(a->remote))
		return 6;
	return a->family == 6 ? 6 : 4;
}

bool sockfilter_match(const struct sockfilter *f, const struct sock_addrs *addrs)
{
	bool udp = addrs->proto == IPPROTO_UDP || addrs->proto == IPPROTO_UDPLITE;
	struct pcap_pkthdr header = { .caplen = PACKET_BYTES, .len = PACKET_BYTES };
	u8 packet[PACKET_BYTES], family = family_of(addrs);
	int way;

	for (way = 0; way < 2; way++) {
		make_packet(packet, family, udp ? IPPROTO_UDP : IPPROTO_TCP, addrs, way);
		if (pcap_offline_filter(&f->program, &header, packet))
			return true;
	}
	return false;
}
