/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What instructions of classic BPF do, for those who go through libpcap's programs instead of running them.
 */
#ifndef SKBTRAIL_CAPTURE_BPF_INSN_H
#define SKBTRAIL_CAPTURE_BPF_INSN_H

#include <pcap/pcap.h>

#include "base/types.h"

/** bpf_load_size - bytes that a load takes */
static inline u32 bpf_load_size(u16 code)
{
	return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

/** bpf_decide - whether a conditional jump (BPF_OP) goes its true way */
static inline bool bpf_decide(u16 op, u32 a, u32 k)
{
	switch (op) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	default:
		return a & k;
	}
}

/** bpf_calculate - an operation of BPF_ALU; false when its result is not worked out here */
static inline bool bpf_calculate(u16 op, u32 a, u32 b, u32 *result)
{
	switch (op) {
	case BPF_ADD:
		*result = a + b;
		return true;
	case BPF_SUB:
		*result = a - b;
		return true;
	case BPF_MUL:
		*result = a * b;
		return true;
	case BPF_OR:
		*result = a | b;
		return true;
	case BPF_AND:
		*result = a & b;
		return true;
	case BPF_XOR:
		*result = a ^ b;
		return true;
	case BPF_LSH:
		*result = b < 32 ? a << b : 0;
		return true;
	case BPF_RSH:
		*result = b < 32 ? a >> b : 0;
		return true;
	default:
		return false;
	}
}

#endif
