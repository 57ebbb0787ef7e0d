// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of addresses: what was put in is found, whatever was taken out, and nothing else is.
 */
#include "unit.h"

#include <stdlib.h>

#include "analysis/addrmap.h"
#include "base/types.h"

/* An address as the kernel has them. */
#define A 0xffff888100000100ULL

#define SEED 20240611u

static u32 seed;

static u32 random_below(u32 limit)
{
	seed = seed * 1664525u + 1013904223u;
	return (u32)((u64)(seed >> 8) * limit >> 24);
}

static void the_table_finds_what_was_put_in_whatever_was_taken_out(void **state)
{
	static u32 paths[4096];
	struct addrmap table;
	bool in[ARRAY_SIZE(paths)] = { false };
	u32 round, i, nr = 0;
	u64 stride;

	(void)state;
	seed = SEED;
	print_message("seed %u\n", seed);
	assert_int_equal(addrmap_init(&table), 0);
	for (round = 0; round < 200000; round++) {
		i = random_below(ARRAY_SIZE(paths));
		/* Neighbours collide most. */
		stride = i % 2 ? 256 : 64;
		if (in[i])
			addrmap_remove(&table, A + i * stride * 2 + i % 2);
		else
			assert_int_equal(addrmap_set(&table, A + i * stride * 2 + i % 2, &paths[i]),
					 0);
		in[i] = !in[i];
		nr += in[i] ? 1 : UINT32_MAX;
		i = random_below(ARRAY_SIZE(paths));
		stride = i % 2 ? 256 : 64;
		assert_ptr_equal(addrmap_find(&table, A + i * stride * 2 + i % 2),
				 in[i] ? &paths[i] : NULL);
	}
	assert_int_equal(table.nr, nr);
	addrmap_remove(&table, 12345);
	assert_int_equal(table.nr, nr);
	addrmap_free(&table);
}

/* Addresses that all want the slot of the first: found by trying. */
static void collisions(const struct addrmap *table, u64 *skb, u32 nr)
{
	struct addrmap probe;
	u32 found = 1, at, want = 0;
	u64 next = A;

	assert_int_equal(addrmap_init(&probe), 0);
	assert_int_equal(probe.mask, table->mask);
	skb[0] = A;
	for (; found < nr; next += 64) {
		addrmap_set(&probe, next, &probe);
		for (at = 0; !probe.slot[at].skb; at++)
			;
		addrmap_remove(&probe, next);
		if (next == A)
			want = at;
		else if (at == want)
			skb[found++] = next;
	}
	addrmap_free(&probe);
}

static void addresses_of_one_slot_do_not_hide_each_other(void **state)
{
	enum { NR = 6 };
	struct addrmap table;
	u32 out, i, k, order[NR] = { 0 };
	u64 skb[NR];

	(void)state;
	assert_int_equal(addrmap_init(&table), 0);
	collisions(&table, skb, NR);
	/* Whichever is taken out, all others are still there; then it is put back, at the end. */
	for (i = 0; i < NR; i++)
		assert_int_equal(addrmap_set(&table, skb[i], &order[i]), 0);
	for (out = 0; out < NR * NR; out++) {
		k = out * 5 % NR;
		addrmap_remove(&table, skb[k]);
		for (i = 0; i < NR; i++)
			assert_ptr_equal(addrmap_find(&table, skb[i]), i == k ? NULL : &order[i]);
		assert_int_equal(table.nr, NR - 1);
		assert_int_equal(addrmap_set(&table, skb[k], &order[k]), 0);
	}
	addrmap_free(&table);
}

static void a_gap_is_closed_over_the_end_of_the_table(void **state)
{
	struct addrmap table;
	u32 nr = 0, at, last = 0;
	u64 skb = A, in[3];

	(void)state;
	assert_int_equal(addrmap_init(&table), 0);
	/* Three that want the last slot: two of them go on at the table's beginning. */
	for (; nr < 3; skb += 64) {
		addrmap_set(&table, skb, &table);
		for (at = 0; at <= table.mask && table.slot[at].skb != skb; at++)
			;
		last = at == table.mask ? 1 : last;
		if (at == table.mask || (last && at == nr - 1 && nr))
			in[nr++] = skb;
		else
			addrmap_remove(&table, skb);
	}
	assert_int_equal(table.slot[table.mask].skb, in[0]);
	assert_int_equal(table.slot[0].skb, in[1]);
	addrmap_remove(&table, in[0]);
	assert_null(addrmap_find(&table, in[0]));
	assert_ptr_equal(addrmap_find(&table, in[1]), &table);
	assert_ptr_equal(addrmap_find(&table, in[2]), &table);
	assert_int_equal(table.nr, 2);
	addrmap_free(&table);
}

static void what_is_set_again_is_replaced(void **state)
{
	struct addrmap table;
	u32 one = 1, two = 2;

	(void)state;
	assert_int_equal(addrmap_init(&table), 0);
	assert_null(addrmap_find(&table, A));
	assert_int_equal(addrmap_set(&table, A, &one), 0);
	assert_int_equal(addrmap_set(&table, A, &two), 0);
	assert_int_equal(table.nr, 1);
	assert_ptr_equal(addrmap_find(&table, A), &two);
	addrmap_remove(&table, A);
	assert_null(addrmap_find(&table, A));
	assert_int_equal(table.nr, 0);
	addrmap_free(&table);
}

static void it_grows_and_keeps_all(void **state)
{
	static u32 value[20000];
	struct addrmap table;
	u32 i, begin;

	(void)state;
	assert_int_equal(addrmap_init(&table), 0);
	begin = table.mask;
	for (i = 0; i < ARRAY_SIZE(value); i++)
		assert_int_equal(addrmap_set(&table, A + i * 256ULL, &value[i]), 0);
	assert_int_equal(table.nr, ARRAY_SIZE(value));
	assert_true(table.mask > begin && table.mask >= 2 * table.nr - 1);
	assert_int_equal(table.mask & (table.mask + 1), 0);
	for (i = 0; i < ARRAY_SIZE(value); i++)
		assert_ptr_equal(addrmap_find(&table, A + i * 256ULL), &value[i]);
	assert_null(addrmap_find(&table, A + 128));
	addrmap_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_finds_what_was_put_in_whatever_was_taken_out),
		cmocka_unit_test(addresses_of_one_slot_do_not_hide_each_other),
		cmocka_unit_test(a_gap_is_closed_over_the_end_of_the_table),
		cmocka_unit_test(what_is_set_again_is_replaced),
		cmocka_unit_test(it_grows_and_keeps_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
