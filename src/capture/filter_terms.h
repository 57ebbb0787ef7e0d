/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filter as a disjunction of conjunctions of tests on a packet's bytes, and how to weaken it. For
 * filter.c and filter_bpf.c only.
 *
 * Whatever is done here keeps a superset: a test is dropped, never added.
 */
#ifndef SKBTRAIL_CAPTURE_FILTER_TERMS_H
#define SKBTRAIL_CAPTURE_FILTER_TERMS_H

#include <pcap/pcap.h>

#include "base/types.h"

/* What a packet begins with: the tests of each are of their own. */
enum filter_family {
	FAMILY_IP4, /* without options: its first byte is 0x45 */
	FAMILY_IP6,
	FAMILY_ARP, /* for IPv4 on Ethernet */
	FILTER_FAMILIES,
};

enum test_op {
	TEST_EQ, /* (bytes & mask) == value */
	TEST_NE,
	TEST_GT, /* of all bits, as an unsigned number */
	TEST_LE,
};

/* Of @size bytes from @off on, counted from the network header, in network order. */
struct filter_test {
	u8 op;
	u8 size; /* 1, 2, 4 */
	u16 off;
	u32 mask;
	u32 value;
};

/* More tests than these are not kept: a term with fewer lets more through. */
#define TERM_TESTS 24
#define FILTER_TERMS 512

struct filter_term {
	u32 nr;
	struct filter_test test[TERM_TESTS];
};

struct filter_terms {
	bool all; /* everything matches: the terms do not count */
	u32 nr;
	struct filter_term *term; /* FILTER_TERMS of them; NULL: not allocated yet */
};

/** terms_init - no term: nothing matches. Return: 0 or -ENOMEM; to be freed with terms_free() */
int terms_init(struct filter_terms *t);
void terms_free(struct filter_terms *t);

/**
 * term_add - and one more test
 *
 * Return: false when the tests contradict each other, so that the term matches nothing.
 */
bool term_add(struct filter_term *term, const struct filter_test *test);

/** terms_add - or one more term; with too many of them everything matches */
void terms_add(struct filter_terms *t, const struct filter_term *term);

/** terms_weaken - drop each test for which @keep says no; it may change the test, too */
void terms_weaken(struct filter_terms *t, bool (*keep)(struct filter_test *test, void *ctx),
		  void *ctx);

/** terms_simplify - drop tests and terms that change nothing */
void terms_simplify(struct filter_terms *t);

/**
 * filter_read_program - what a classic BPF program accepts, as terms
 * @link_bytes: of the link header that its packets begin with: 14 or 0
 * @t: terms are added; ->all when the program is too complex
 *
 * Every way through the program that ends in acceptance is a term. What is no test of fixed bytes (a
 * packet's length, sums, scratch memory that is not known) is taken to go either way.
 */
void filter_read_program(const struct bpf_insn *insns, u32 nr, u32 link_bytes,
			 enum filter_family family, struct filter_terms *t);

#endif
