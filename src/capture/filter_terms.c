// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Terms of a filter: see filter_terms.h.
 */
#include "capture/filter_terms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int terms_init(struct filter_terms *t)
{
	memset(t, 0, sizeof(*t));
	t->term = calloc(FILTER_TERMS, sizeof(*t->term));
	return t->term ? 0 : -ENOMEM;
}

void terms_free(struct filter_terms *t)
{
	free(t->term);
	memset(t, 0, sizeof(*t));
}

static u32 all_bits(u8 size)
{
	return size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
}

static bool same_bits(const struct filter_test *a, const struct filter_test *b)
{
	return a->off == b->off && a->size == b->size && a->mask == b->mask;
}

static bool same_test(const struct filter_test *a, const struct filter_test *b)
{
	return a->op == b->op && same_bits(a, b) && a->value == b->value;
}

static bool opposite(const struct filter_test *a, const struct filter_test *b)
{
	static const u8 other[] = {
		[TEST_EQ] = TEST_NE, [TEST_NE] = TEST_EQ, [TEST_GT] = TEST_LE, [TEST_LE] = TEST_GT
	};

	return same_bits(a, b) && a->value == b->value && a->op == other[b->op];
}

enum known { KNOWN_FALSE, KNOWN_TRUE, NOT_KNOWN };

/* What a test of bits whose value is known comes to. */
static enum known evaluate(const struct filter_test *test, u32 value)
{
	value &= test->mask;
	switch (test->op) {
	case TEST_EQ:
		return value == test->value ? KNOWN_TRUE : KNOWN_FALSE;
	case TEST_NE:
		return value != test->value ? KNOWN_TRUE : KNOWN_FALSE;
	case TEST_GT:
		return value > test->value ? KNOWN_TRUE : KNOWN_FALSE;
	default:
		return value <= test->value ? KNOWN_TRUE : KNOWN_FALSE;
	}
}

/* Whether @old, which holds, decides @test. */
static enum known implied(const struct filter_test *old, const struct filter_test *test)
{
	if (same_test(old, test))
		return KNOWN_TRUE;
	if (opposite(old, test))
		return KNOWN_FALSE;
	if (old->op == TEST_EQ && old->off == test->off && old->size == test->size &&
	    !(test->mask & ~old->mask))
		return evaluate(test, old->value);
	if (test->op == TEST_EQ && old->op != TEST_EQ && same_bits(old, test) &&
	    evaluate(old, test->value) == KNOWN_FALSE)
		return KNOWN_FALSE;
	return NOT_KNOWN;
}

bool term_add(struct filter_term *term, const struct filter_test *test)
{
	enum known known;
	u32 i;

	if (test->value & ~test->mask && test->op <= TEST_NE)
		return test->op == TEST_NE;
	if (!test->mask || (test->op == TEST_LE && test->value >= all_bits(test->size)))
		return evaluate(test, 0) == KNOWN_TRUE;
	if (test->op == TEST_GT && test->value >= all_bits(test->size))
		return false;
	for (i = 0; i < term->nr; i++) {
		known = implied(&term->test[i], test);
		if (known != NOT_KNOWN)
			return known == KNOWN_TRUE;
	}
	if (term->nr < TERM_TESTS)
		term->test[term->nr++] = *test;
	return true;
}

void terms_add(struct filter_terms *t, const struct filter_term *term)
{
	if (!term->nr || t->nr == FILTER_TERMS)
		t->all = true;
	else if (!t->all)
		t->term[t->nr++] = *term;
}

static void drop_test(struct filter_term *term, u32 at)
{
	term->nr--;
	memmove(&term->test[at], &term->test[at + 1], (term->nr - at) * sizeof(term->test[0]));
}

static void drop_term(struct filter_terms *t, u32 at)
{
	t->nr--;
	if (at != t->nr)
		t->term[at] = t->term[t->nr];
}

/* Keep the tests of @term that @keep wants; each is added anew, as it may have been changed. */
static void weaken_term(struct filter_term *term, bool (*keep)(struct filter_test *, void *),
			void *ctx)
{
	struct filter_term old = *term;
	struct filter_test test;
	u32 i;

	term->nr = 0;
	for (i = 0; i < old.nr; i++) {
		test = old.test[i];
		if (keep(&test, ctx))
			/* what held together holds together with less */
			term_add(term, &test);
	}
}

void terms_weaken(struct filter_terms *t, bool (*keep)(struct filter_test *test, void *ctx),
		  void *ctx)
{
	u32 i;

	for (i = 0; i < t->nr && !t->all; i++) {
		weaken_term(&t->term[i], keep, ctx);
		t->all = !t->term[i].nr;
	}
}

/* Whether each test of @a but its @skip'th is one of @b. */
static bool covers(const struct filter_term *a, u32 skip, const struct filter_term *b)
{
	u32 i, k;

	for (i = 0; i < a->nr; i++) {
		if (i == skip)
			continue;
		for (k = 0; k < b->nr && implied(&b->test[k], &a->test[i]) != KNOWN_TRUE; k++)
			;
		if (k == b->nr)
			return false;
	}
	return true;
}

/* A packet that fails this test of @term, and passes the others, is matched by another term. */
static bool is_needless(const struct filter_terms *t, u32 term, u32 test)
{
	struct filter_term rest = t->term[term];
	u32 i, k;

	drop_test(&rest, test);
	for (i = 0; i < t->nr; i++)
		for (k = 0; i != term && k < t->term[i].nr; k++)
			if (opposite(&t->term[i].test[k], &t->term[term].test[test]) &&
			    covers(&t->term[i], k, &rest))
				return true;
	return false;
}

static bool drop_needless_tests(struct filter_terms *t)
{
	bool dropped = false;
	u32 i, k;

	for (i = 0; i < t->nr; i++)
		for (k = 0; k < t->term[i].nr;)
			if (is_needless(t, i, k)) {
				drop_test(&t->term[i], k);
				dropped = true;
			} else {
				k++;
			}
	return dropped;
}

static bool is_covered(const struct filter_terms *t, u32 at)
{
	u32 i;

	for (i = 0; i < t->nr; i++)
		if (i != at && covers(&t->term[i], UINT32_MAX, &t->term[at]))
			return true;
	return false;
}

void terms_simplify(struct filter_terms *t)
{
	u32 i;

	do {
		for (i = 0; i < t->nr && !t->all; i++)
			t->all = !t->term[i].nr;
		if (t->all)
			return;
		for (i = t->nr; i-- > 0;)
			if (is_covered(t, i))
				drop_term(t, i);
	} while (drop_needless_tests(t));
}
