// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The merge: several CPUs' records in one order, and what is said of those that are missing.
 *
 * Records come from a feeder that hands out what a test put into it, one sub-buffer at a time, and
 * can run dry and be filled again, as live buffers do.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "subbuf_builder.h"
#include "trace/stream.h"

#define MAX_CPUS 64
#define MAX_PAGES 64

static const struct subbuf_format format = { 4096, 8, false };

struct fake_feeder {
	struct feeder base;
	u32 numbers[MAX_CPUS];
	u8 *page[MAX_CPUS][MAX_PAGES];
	u32 nr[MAX_CPUS], given[MAX_CPUS];
	int error[MAX_CPUS]; /* said when the pages have run out */
	int *freed;
};

static int fake_next(struct feeder *base, u32 index, const u8 **data, size_t *len)
{
	struct fake_feeder *f = (struct fake_feeder *)base;
	int error;

	if (f->given[index] == f->nr[index]) {
		error = f->error[index];
		f->error[index] = 0;
		return error;
	}
	/* What was handed out before is gone: the sanitizer sees who still looks at it. */
	if (f->given[index]) {
		free(f->page[index][f->given[index] - 1]);
		f->page[index][f->given[index] - 1] = NULL;
	}
	*data = f->page[index][f->given[index]++];
	*len = format.size;
	return 1;
}

static void fake_free(struct feeder *base)
{
	struct fake_feeder *f = (struct fake_feeder *)base;
	u32 i, k;

	for (i = 0; i < f->base.nr_cpus; i++)
		for (k = 0; k < f->nr[i]; k++)
			free(f->page[i][k]);
	if (f->freed)
		++*f->freed;
	free(f);
}

static struct fake_feeder *fake_new(u32 nr_cpus)
{
	struct fake_feeder *f = calloc(1, sizeof(*f));
	u32 i;

	assert_non_null(f);
	f->base = (struct feeder){ nr_cpus, f->numbers, fake_next, fake_free };
	for (i = 0; i < nr_cpus; i++)
		f->numbers[i] = i;
	return f;
}

static void fake_add(struct fake_feeder *f, u32 cpu, u8 *page)
{
	assert_true(f->nr[cpu] < MAX_PAGES);
	f->page[cpu][f->nr[cpu]++] = page;
}

/* A sub-buffer with records of these times (up to a 0), their ids counting from @id. */
static void fake_records(struct fake_feeder *f, u32 cpu, u16 id, const u64 *times)
{
	struct subbuf b;

	subbuf_begin(&b, &format, *times);
	for (; *times; times++)
		subbuf_record_at(&b, *times, id++, 8);
	fake_add(f, cpu, subbuf_end(&b, 0, 0));
}

#define RECORDS(f, cpu, id, ...) fake_records(f, cpu, id, (const u64[]){ __VA_ARGS__, 0 })

static struct stream *fake_stream(struct fake_feeder *f)
{
	struct subbuffer_layout layout = subbuf_layout(&format);
	struct stream *s;

	assert_int_equal(stream_open(&s, &f->base, &layout, NULL), 0);
	return s;
}

static const struct record *expect(struct stream *s, u64 limit, u64 ts, u16 cpu, u16 id)
{
	const struct record *rec = stream_next(s, limit);

	assert_non_null(rec);
	assert_int_equal(rec->ts_ns, ts);
	assert_int_equal(rec->cpu, cpu);
	assert_int_equal(rec->id, id);
	return rec;
}

static void records_of_all_cpus_come_in_time_order(void **state)
{
	struct fake_feeder *f = fake_new(3);
	struct stream *s;

	(void)state;
	RECORDS(f, 0, 10, 5, 6, 30);
	RECORDS(f, 1, 20, 1, 7, 8);
	RECORDS(f, 1, 23, 31);
	RECORDS(f, 2, 30, 2, 29);
	s = fake_stream(f);
	expect(s, STREAM_NO_LIMIT, 1, 1, 20);
	expect(s, STREAM_NO_LIMIT, 2, 2, 30);
	expect(s, STREAM_NO_LIMIT, 5, 0, 10);
	expect(s, STREAM_NO_LIMIT, 6, 0, 11);
	expect(s, STREAM_NO_LIMIT, 7, 1, 21);
	expect(s, STREAM_NO_LIMIT, 8, 1, 22);
	expect(s, STREAM_NO_LIMIT, 29, 2, 31);
	expect(s, STREAM_NO_LIMIT, 30, 0, 12);
	expect(s, STREAM_NO_LIMIT, 31, 1, 23);
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	assert_int_equal(s->stats.records, 9);
	assert_int_equal(s->stats.subbuffers, 4);
	assert_int_equal(s->stats.lost + s->stats.damaged + s->stats.backwards, 0);
	stream_close(s);
}

static void records_of_equal_time_come_in_the_order_of_their_cpus(void **state)
{
	struct fake_feeder *f = fake_new(4);
	struct stream *s;
	u16 cpu;

	(void)state;
	f->numbers[2] = 7;
	f->numbers[3] = 9;
	RECORDS(f, 3, 1, 50, 50, 60);
	RECORDS(f, 2, 1, 50, 60, 60);
	RECORDS(f, 0, 1, 50, 50, 50);
	RECORDS(f, 1, 1, 40, 50, 60);
	s = fake_stream(f);
	expect(s, STREAM_NO_LIMIT, 40, 1, 1);
	for (cpu = 1; cpu <= 3; cpu++)
		expect(s, STREAM_NO_LIMIT, 50, 0, cpu);
	expect(s, STREAM_NO_LIMIT, 50, 1, 2);
	expect(s, STREAM_NO_LIMIT, 50, 7, 1);
	expect(s, STREAM_NO_LIMIT, 50, 9, 1);
	expect(s, STREAM_NO_LIMIT, 50, 9, 2);
	expect(s, STREAM_NO_LIMIT, 60, 1, 3);
	expect(s, STREAM_NO_LIMIT, 60, 7, 2);
	expect(s, STREAM_NO_LIMIT, 60, 7, 3);
	expect(s, STREAM_NO_LIMIT, 60, 9, 3);
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	stream_close(s);
}

/* What a plain sort by (time, CPU, sequence) gives, for many CPUs and few different times. */
static void any_mixture_is_sorted_by_time_cpu_and_sequence(void **state)
{
	u32 seed = 7, round, cpu, k;

	(void)state;
	for (round = 0; round < 200; round++) {
		u32 nr_cpus = 1 + round % 9, total = 0, seen = 0;
		struct fake_feeder *f = fake_new(nr_cpus);
		u64 last_ts = 0;
		u16 last_cpu = 0, last_id[16] = { 0 };
		const struct record *rec;
		struct stream *s;

		for (cpu = 0; cpu < nr_cpus; cpu++) {
			u64 ts = 1;
			u16 id = 1;

			for (k = 0; k < (seed >> 16) % 5; k++) {
				struct subbuf b;
				u32 n;

				subbuf_begin(&b, &format, ts);
				for (n = (seed >> 20) % 6; n; n--, total++) {
					seed = seed * 1664525u + 1013904223u;
					ts += (seed >> 24) % 3;
					subbuf_record_at(&b, ts, id++, 8);
				}
				seed = seed * 1664525u + 1013904223u;
				fake_add(f, cpu, subbuf_end(&b, 0, 0));
			}
			seed = seed * 1664525u + 1013904223u;
		}
		s = fake_stream(f);
		while ((rec = stream_next(s, STREAM_NO_LIMIT))) {
			assert_true(rec->ts_ns > last_ts ||
				    (rec->ts_ns == last_ts && rec->cpu >= last_cpu));
			assert_int_equal(rec->id, last_id[rec->cpu] + 1);
			last_ts = rec->ts_ns;
			last_cpu = rec->cpu;
			last_id[rec->cpu] = rec->id;
			seen++;
		}
		assert_int_equal(seen, total);
		stream_close(s);
	}
}

static void no_cpu_and_no_record_are_an_empty_stream(void **state)
{
	struct stream *s = fake_stream(fake_new(0));

	(void)state;
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	stream_resume(s);
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	stream_close(s);
	s = fake_stream(fake_new(3));
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	stream_close(s);
}

static void a_loss_is_told_with_the_time_of_the_record_before_it(void **state)
{
	struct fake_feeder *f = fake_new(2);
	const struct record *rec;
	struct stream *s;
	struct subbuf b;

	(void)state;
	subbuf_begin(&b, &format, 100);
	subbuf_record(&b, 0, 1, 8);
	fake_add(f, 0, subbuf_end(&b, SUBBUFFER_MISSED | SUBBUFFER_MISSED_STORED, 5));
	subbuf_begin(&b, &format, 200);
	subbuf_time_extend(&b, 1ULL << 30);
	subbuf_record(&b, 0, 2, 8);
	subbuf_record(&b, 1, 3, 8);
	fake_add(f, 0, subbuf_end(&b, SUBBUFFER_MISSED | SUBBUFFER_MISSED_STORED, 7));
	RECORDS(f, 1, 1, 150, 160);
	subbuf_begin(&b, &format, 170);
	subbuf_record(&b, 0, 3, 8);
	fake_add(f, 1, subbuf_end(&b, SUBBUFFER_MISSED, 0));
	s = fake_stream(f);
	rec = expect(s, STREAM_NO_LIMIT, 100, 0, 1);
	assert_int_equal(rec->lost, 5);
	assert_int_equal(rec->lost_since_ns, 0);
	assert_int_equal(expect(s, STREAM_NO_LIMIT, 150, 1, 1)->lost, 0);
	assert_int_equal(expect(s, STREAM_NO_LIMIT, 160, 1, 2)->lost, 0);
	rec = expect(s, STREAM_NO_LIMIT, 170, 1, 3);
	assert_true(rec->lost == LOST_UNKNOWN);
	assert_int_equal(rec->lost_since_ns, 160);
	rec = expect(s, STREAM_NO_LIMIT, 200 + (1ULL << 30), 0, 2);
	assert_int_equal(rec->lost, 7);
	assert_int_equal(rec->lost_since_ns, 100);
	assert_int_equal(expect(s, STREAM_NO_LIMIT, 201 + (1ULL << 30), 0, 3)->lost, 0);
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	assert_int_equal(s->stats.lost, 12);
	assert_int_equal(s->stats.lost_uncounted, 1);
	assert_int_equal(s->lost_on[0], 12);
	assert_int_equal(s->lost_on[1], 0);
	stream_close(s);
}

static void what_a_damaged_sub_buffer_hides_counts_as_lost(void **state)
{
	struct fake_feeder *f = fake_new(1);
	const struct record *rec;
	struct stream *s;
	struct subbuf b;

	(void)state;
	subbuf_begin(&b, &format, 100);
	subbuf_record(&b, 0, 1, 8);
	subbuf_word(&b, 0);
	subbuf_word(&b, 0xffffffff);
	fake_add(f, 0, subbuf_end(&b, 0, 0));
	RECORDS(f, 0, 2, 200, 201);
	s = fake_stream(f);
	expect(s, STREAM_NO_LIMIT, 100, 0, 1);
	rec = expect(s, STREAM_NO_LIMIT, 200, 0, 2);
	assert_true(rec->lost == LOST_UNKNOWN);
	assert_int_equal(rec->lost_since_ns, 100);
	assert_int_equal(expect(s, STREAM_NO_LIMIT, 201, 0, 3)->lost, 0);
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	assert_int_equal(s->stats.damaged, 1);
	stream_close(s);
}

static void live_records_wait_until_no_cpu_can_have_an_earlier_one(void **state)
{
	struct fake_feeder *f = fake_new(2);
	struct stream *s = fake_stream(f);
	u64 limit;

	(void)state;
	/* Nothing yet. */
	assert_null(stream_next(s, s->newest));
	/* The first round only looks. */
	limit = s->newest;
	RECORDS(f, 0, 1, 100, 110, 120);
	stream_resume(s);
	assert_null(stream_next(s, limit));
	assert_int_equal(s->newest, 100);
	/* The second: CPU 1, which had nothing, comes with an earlier record. */
	limit = s->newest;
	RECORDS(f, 1, 1, 90, 105, 130);
	stream_resume(s);
	expect(s, limit, 90, 1, 1);
	expect(s, limit, 100, 0, 1);
	assert_null(stream_next(s, limit));
	/* The third: nothing new, but time went on. */
	limit = s->newest;
	assert_true(limit >= 105);
	stream_resume(s);
	expect(s, limit, 105, 1, 2);
	assert_null(stream_next(s, limit < 110 ? limit : 109));
	/* CPU 0 runs dry; CPU 1 waits with a record that is too new. */
	limit = 125;
	stream_resume(s);
	expect(s, limit, 110, 0, 2);
	expect(s, limit, 120, 0, 3);
	assert_null(stream_next(s, limit));
	stream_close(s);
}

static void a_cpu_that_ran_dry_is_asked_again_in_the_next_round(void **state)
{
	struct fake_feeder *f = fake_new(2);
	struct stream *s = fake_stream(f);

	(void)state;
	RECORDS(f, 0, 1, 10, 20);
	stream_resume(s);
	expect(s, 20, 10, 0, 1);
	expect(s, 20, 20, 0, 2);
	assert_null(stream_next(s, 20));
	RECORDS(f, 0, 3, 40);
	RECORDS(f, 1, 1, 30, 50);
	assert_null(stream_next(s, 60));
	stream_resume(s);
	expect(s, 60, 30, 1, 1);
	expect(s, 60, 40, 0, 3);
	expect(s, 60, 50, 1, 2);
	assert_null(stream_next(s, 60));
	/* The last record handed out is taken back when the round begins, not handed out twice. */
	RECORDS(f, 1, 3, 55);
	stream_resume(s);
	stream_resume(s);
	expect(s, 60, 55, 1, 3);
	stream_resume(s);
	assert_null(stream_next(s, 60));
	assert_int_equal(s->stats.records, 6);
	stream_close(s);
}

/* Rounds of any size give the same order as all at once. */
static void rounds_and_one_go_give_the_same(void **state)
{
	u32 round;

	(void)state;
	for (round = 1; round < 12; round++) {
		struct fake_feeder *f = fake_new(3), *g = fake_new(3);
		struct stream *all, *rounds = NULL;
		const struct record *a, *b;
		u32 i, left = 0;
		u64 ts;

		for (i = 0; i < 120; i++) {
			u32 cpu = (i * 7 + i / 5) % 3;

			ts = 1000 + i * 10 + (i % 4);
			RECORDS(f, cpu, (u16)i, ts);
		}
		all = fake_stream(f);
		rounds = fake_stream(g);
		for (i = 0; i < 120; i++) {
			u32 cpu = (i * 7 + i / 5) % 3;
			u64 limit = rounds->newest;

			ts = 1000 + i * 10 + (i % 4);
			RECORDS(g, cpu, (u16)i, ts);
			if (i % round)
				continue;
			stream_resume(rounds);
			while ((b = stream_next(rounds, limit))) {
				a = stream_next(all, STREAM_NO_LIMIT);
				assert_non_null(a);
				assert_int_equal(a->ts_ns, b->ts_ns);
				assert_int_equal(a->id, b->id);
				left++;
			}
		}
		stream_resume(rounds);
		while ((b = stream_next(rounds, STREAM_NO_LIMIT))) {
			a = stream_next(all, STREAM_NO_LIMIT);
			assert_non_null(a);
			assert_int_equal(a->id, b->id);
			left++;
		}
		assert_null(stream_next(all, STREAM_NO_LIMIT));
		assert_int_equal(left, 120);
		stream_close(all);
		stream_close(rounds);
	}
}

static void a_clock_that_runs_backwards_is_counted(void **state)
{
	struct fake_feeder *f = fake_new(1);
	struct stream *s;

	(void)state;
	RECORDS(f, 0, 1, 100, 200);
	RECORDS(f, 0, 3, 150, 300);
	s = fake_stream(f);
	expect(s, STREAM_NO_LIMIT, 100, 0, 1);
	expect(s, STREAM_NO_LIMIT, 200, 0, 2);
	/* Still in the order they were written. */
	expect(s, STREAM_NO_LIMIT, 150, 0, 3);
	expect(s, STREAM_NO_LIMIT, 300, 0, 4);
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	assert_int_equal(s->stats.backwards, 1);
	stream_close(s);
}

static void the_largest_time_there_is_is_still_a_record(void **state)
{
	struct fake_feeder *f = fake_new(1);
	const struct record *rec;
	struct stream *s;

	(void)state;
	RECORDS(f, 0, 1, UINT64_MAX);
	s = fake_stream(f);
	rec = stream_next(s, STREAM_NO_LIMIT);
	assert_non_null(rec);
	assert_int_equal(rec->id, 1);
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	stream_close(s);
}

static void a_read_error_ends_one_cpu_and_is_kept(void **state)
{
	struct fake_feeder *f = fake_new(2);
	struct stream *s;

	(void)state;
	RECORDS(f, 0, 1, 10, 20);
	f->error[0] = -EIO;
	RECORDS(f, 1, 1, 15, 30);
	f->error[1] = -ENOMEM;
	s = fake_stream(f);
	assert_int_equal(s->error, 0);
	expect(s, STREAM_NO_LIMIT, 10, 0, 1);
	expect(s, STREAM_NO_LIMIT, 15, 1, 1);
	expect(s, STREAM_NO_LIMIT, 20, 0, 2);
	expect(s, STREAM_NO_LIMIT, 30, 1, 2);
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	assert_int_equal(s->error, -EIO);
	stream_close(s);
}

static void the_feeder_is_freed_once_with_the_stream(void **state)
{
	struct fake_feeder *f = fake_new(1);
	int freed = 0;

	(void)state;
	f->freed = &freed;
	stream_close(fake_stream(f));
	assert_int_equal(freed, 1);
	stream_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_all_cpus_come_in_time_order),
		cmocka_unit_test(records_of_equal_time_come_in_the_order_of_their_cpus),
		cmocka_unit_test(any_mixture_is_sorted_by_time_cpu_and_sequence),
		cmocka_unit_test(no_cpu_and_no_record_are_an_empty_stream),
		cmocka_unit_test(a_loss_is_told_with_the_time_of_the_record_before_it),
		cmocka_unit_test(what_a_damaged_sub_buffer_hides_counts_as_lost),
		cmocka_unit_test(live_records_wait_until_no_cpu_can_have_an_earlier_one),
		cmocka_unit_test(a_cpu_that_ran_dry_is_asked_again_in_the_next_round),
		cmocka_unit_test(rounds_and_one_go_give_the_same),
		cmocka_unit_test(a_clock_that_runs_backwards_is_counted),
		cmocka_unit_test(the_largest_time_there_is_is_still_a_record),
		cmocka_unit_test(a_read_error_ends_one_cpu_and_is_kept),
		cmocka_unit_test(the_feeder_is_freed_once_with_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
