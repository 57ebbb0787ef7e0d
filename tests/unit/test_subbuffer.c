// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The walk over a sub-buffer: every kind of record, both byte orders, and bytes that lie.
 *
 * Sub-buffers are malloc'd with their exact size, so that the address sanitizer sees a read beyond.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "subbuf_builder.h"

/* Little and big endian, 32 and 64 bits, the sizes that kernels use. */
static const struct subbuf_format formats[] = {
	{ 4096, 8, false }, { 4096, 4, false },	 { 4096, 8, true },
	{ 4096, 4, true },  { 16384, 8, false }, { 65536, 8, true },
};

struct walk {
	struct subbuffer_cursor cur;
	struct subbuffer_layout layout;
	struct record rec;
	int opened;
};

static void walk_open(struct walk *w, const struct subbuf_format *format, const u8 *page,
		      size_t avail)
{
	memset(w, 0, sizeof(*w));
	w->layout = subbuf_layout(format);
	w->opened = subbuffer_open(&w->cur, &w->layout, page, avail, w->layout.swap);
}

static int walk_next(struct walk *w)
{
	return subbuffer_next(&w->cur, &w->rec, w->layout.swap, w->layout.big_endian);
}

static void expect_record(struct walk *w, u64 ts, u16 id, u32 len, u64 lost)
{
	assert_int_equal(walk_next(w), 1);
	assert_int_equal(w->rec.ts_ns, ts);
	assert_int_equal(w->rec.id, id);
	assert_int_equal(w->rec.len_bytes, len);
	assert_int_equal(w->rec.lost, lost);
}

static void expect_end(struct walk *w)
{
	assert_int_equal(walk_next(w), 0);
	assert_int_equal(walk_next(w), 0);
}

static void every_record_comes_with_its_time_id_and_length(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		struct subbuf b;
		struct walk w;
		u8 *page;

		subbuf_begin(&b, &formats[i], 1000);
		subbuf_record(&b, 0, 7, 4);
		subbuf_record(&b, 5, 0xfedc, 20);
		subbuf_record(&b, (1u << 27) - 1, 9, 112);
		page = subbuf_end(&b, 0, 0);
		walk_open(&w, &formats[i], page, formats[i].size);
		assert_int_equal(w.opened, 0);
		expect_record(&w, 1000, 7, 4, 0);
		expect_record(&w, 1005, 0xfedc, 20, 0);
		assert_ptr_equal(w.rec.data, page + w.layout.data_offset + 8 + 4);
		expect_record(&w, 1004 + (1u << 27), 9, 112, 0);
		expect_end(&w);
		free(page);
	}
}

static void long_records_have_their_length_in_a_word(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		struct subbuf b;
		struct walk w;
		u8 *page;

		subbuf_begin(&b, &formats[i], 0);
		subbuf_record(&b, 1, 1, 116);
		subbuf_long_record(&b, 1, 2, 8);
		subbuf_long_record(&b, 1, 3, subbuf_room(&b) - 8);
		assert_int_equal(subbuf_room(&b), 0);
		page = subbuf_end(&b, 0, 0);
		walk_open(&w, &formats[i], page, formats[i].size);
		expect_record(&w, 1, 1, 116, 0);
		expect_record(&w, 2, 2, 8, 0);
		assert_int_equal(walk_next(&w), 1);
		assert_int_equal(w.rec.id, 3);
		expect_end(&w);
		free(page);
	}
}

static void long_pauses_are_counted_by_time_extends(void **state)
{
	const u64 pause = 3600 * NSEC_PER_SEC + 17;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		struct subbuf b;
		struct walk w;
		u8 *page;

		subbuf_begin(&b, &formats[i], 5);
		subbuf_record(&b, 0, 1, 8);
		subbuf_time_extend(&b, pause);
		subbuf_record(&b, 3, 2, 8);
		subbuf_time_extend(&b, pause);
		subbuf_time_extend(&b, pause);
		subbuf_record(&b, 0, 3, 8);
		page = subbuf_end(&b, 0, 0);
		walk_open(&w, &formats[i], page, formats[i].size);
		expect_record(&w, 5, 1, 8, 0);
		expect_record(&w, 5 + pause + 3, 2, 8, 0);
		expect_record(&w, 5 + 3 * pause + 3, 3, 8, 0);
		expect_end(&w);
		free(page);
	}
}

static void absolute_time_stamps_keep_the_upper_five_bits(void **state)
{
	/* Wall-clock time in nanoseconds (clock tai) needs more than 59 bits. */
	const u64 start = 1700000000ULL * NSEC_PER_SEC, later = start + 40 * NSEC_PER_SEC;
	size_t i;

	(void)state;
	assert_true(start >> 59);
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		struct subbuf b;
		struct walk w;
		u8 *page;

		subbuf_begin(&b, &formats[i], start);
		subbuf_time_stamp(&b, start + 1);
		subbuf_record(&b, 0, 1, 8);
		subbuf_time_stamp(&b, later);
		subbuf_record(&b, 2, 2, 8);
		page = subbuf_end(&b, 0, 0);
		walk_open(&w, &formats[i], page, formats[i].size);
		expect_record(&w, start + 1, 1, 8, 0);
		expect_record(&w, later + 2, 2, 8, 0);
		expect_end(&w);
		free(page);
	}
}

static void discarded_records_are_skipped_and_their_time_counts(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		struct subbuf b;
		struct walk w;
		u8 *page;

		subbuf_begin(&b, &formats[i], 100);
		subbuf_discarded(&b, 1, 24);
		subbuf_record(&b, 10, 1, 8);
		subbuf_discarded(&b, 5, 0);
		subbuf_discarded(&b, 5, 400);
		subbuf_record(&b, 10, 2, 8);
		page = subbuf_end(&b, 0, 0);
		walk_open(&w, &formats[i], page, formats[i].size);
		expect_record(&w, 111, 1, 8, 0);
		expect_record(&w, 131, 2, 8, 0);
		expect_end(&w);
		free(page);
	}
}

static void nothing_is_read_behind_the_final_padding(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		struct subbuf b;
		struct walk w;
		u8 *page;

		subbuf_begin(&b, &formats[i], 100);
		subbuf_record(&b, 1, 1, 8);
		subbuf_padding(&b, 64);
		page = subbuf_end(&b, 0, 0);
		walk_open(&w, &formats[i], page, formats[i].size);
		expect_record(&w, 101, 1, 8, 0);
		expect_end(&w);
		free(page);
	}
}

static void bytes_behind_the_committed_ones_are_not_records(void **state)
{
	struct subbuf b;
	struct walk w;
	u8 *page;

	(void)state;
	subbuf_begin(&b, &formats[0], 100);
	subbuf_record(&b, 1, 1, 8);
	page = subbuf_end(&b, 0, 0);
	memset(page + 16 + 12, 0x42, formats[0].size - 16 - 12);
	walk_open(&w, &formats[0], page, formats[0].size);
	expect_record(&w, 101, 1, 8, 0);
	expect_end(&w);
	free(page);
}

static void an_empty_sub_buffer_has_no_records(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		u8 *page = calloc(1, formats[i].size);
		struct walk w;

		walk_open(&w, &formats[i], page, formats[i].size);
		assert_int_equal(w.opened, 0);
		expect_end(&w);
		free(page);
	}
}

/* One sub-buffer with lost records before it: told with the first record, and only with it. */
static void lost_before(const struct subbuf_format *format, u32 flags, u64 stored, u64 told,
			void (*first)(struct subbuf *b))
{
	struct subbuf b;
	struct walk w;
	u8 *page;

	subbuf_begin(&b, format, 100);
	if (first)
		first(&b);
	subbuf_record(&b, 1, 1, 8);
	subbuf_record(&b, 1, 2, 8);
	page = subbuf_end(&b, flags, stored);
	walk_open(&w, format, page, format->size);
	expect_record(&w, b.ts - 1, 1, 8, told);
	expect_record(&w, b.ts, 2, 8, 0);
	expect_end(&w);
	free(page);
}

static void lost_records_are_reported_with_their_count(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		lost_before(&formats[i], SUBBUFFER_MISSED | SUBBUFFER_MISSED_STORED, 42, 42, NULL);
		lost_before(&formats[i], SUBBUFFER_MISSED | SUBBUFFER_MISSED_STORED, 0x7fffffff,
			    0x7fffffff, NULL);
	}
}

static void lost_records_are_reported_when_the_kernel_did_not_count_them(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		lost_before(&formats[i], SUBBUFFER_MISSED, 0, LOST_UNKNOWN, NULL);
		/* A count of none with the flag that some are missing says nothing. */
		lost_before(&formats[i], SUBBUFFER_MISSED | SUBBUFFER_MISSED_STORED, 0,
			    LOST_UNKNOWN, NULL);
	}
}

static void extend_first(struct subbuf *b)
{
	subbuf_time_extend(b, 1ULL << 30);
}

static void stamp_first(struct subbuf *b)
{
	subbuf_time_stamp(b, 1ULL << 40);
}

static void discarded_first(struct subbuf *b)
{
	subbuf_discarded(b, 1, 16);
}

static void lost_records_are_reported_even_before_a_time_extend(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		const u32 counted = SUBBUFFER_MISSED | SUBBUFFER_MISSED_STORED;

		lost_before(&formats[i], counted, 42, 42, extend_first);
		lost_before(&formats[i], counted, 42, 42, stamp_first);
		lost_before(&formats[i], counted, 42, 42, discarded_first);
		lost_before(&formats[i], SUBBUFFER_MISSED, 0, LOST_UNKNOWN, extend_first);
	}
}

static void a_full_sub_buffer_has_no_room_for_the_count(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		struct subbuf b;
		struct walk w;
		u8 *page;

		subbuf_begin(&b, &formats[i], 0);
		subbuf_long_record(&b, 1, 3, subbuf_room(&b) - 8);
		page = subbuf_end(&b, SUBBUFFER_MISSED, 0);
		/* Even if the kernel claimed to have stored it. */
		subbuf_put(page + 8, b.at | SUBBUFFER_MISSED | SUBBUFFER_MISSED_STORED,
			   formats[i].long_size, formats[i].big_endian);
		walk_open(&w, &formats[i], page, formats[i].size);
		assert_int_equal(walk_next(&w), 1);
		assert_true(w.rec.lost == LOST_UNKNOWN);
		expect_end(&w);
		free(page);
	}
}

static void losses_of_a_sub_buffer_without_records_are_told_with_the_next_record(void **state)
{
	const u32 counted = SUBBUFFER_MISSED | SUBBUFFER_MISSED_STORED;
	struct subbuf b;
	struct walk w;
	u8 *first, *second;

	(void)state;
	subbuf_begin(&b, &formats[0], 0);
	subbuf_padding(&b, 0);
	first = subbuf_end(&b, counted, 40);
	subbuf_begin(&b, &formats[0], 50);
	subbuf_record(&b, 1, 1, 8);
	second = subbuf_end(&b, counted, 2);
	walk_open(&w, &formats[0], first, formats[0].size);
	assert_int_equal(walk_next(&w), 0);
	assert_int_equal(subbuffer_open(&w.cur, &w.layout, second, formats[0].size, w.layout.swap),
			 0);
	expect_record(&w, 51, 1, 8, 42);
	free(first);
	free(second);
}

/* Whatever is in there, all that is handed out lies inside and the walk ends. */
static void walk_hostile(const struct subbuf_format *format, const u8 *page, size_t avail)
{
	size_t records = 0;
	struct walk w;
	int ret;

	walk_open(&w, format, page, avail);
	while ((ret = walk_next(&w)) > 0) {
		u32 sum = 0, i;

		for (i = 0; i < w.rec.len_bytes; i++)
			sum += w.rec.data[i];
		assert_true(sum <= 255u * w.rec.len_bytes);
		assert_true(w.rec.data >= page && w.rec.data + w.rec.len_bytes <= page + avail);
		assert_true(w.rec.len_bytes >= 2);
		assert_true(++records <= avail / 4);
	}
	/* Damage is reported once; then there is nothing more. */
	assert_int_equal(walk_next(&w), 0);
}

static u32 random_state = 1;

static u32 random_u32(void)
{
	random_state = random_state * 1664525u + 1013904223u;
	return random_state >> 8 | random_state << 24;
}

static void random_garbage_is_never_read_beyond_its_end(void **state)
{
	size_t i, k, len;
	int round;

	(void)state;
	for (round = 0; round < 4000; round++) {
		const struct subbuf_format *format = &formats[round % ARRAY_SIZE(formats)];
		u8 *page;

		len = round % 3 ? random_u32() % 300 : random_u32() % format->size;
		page = malloc(len ? len : 1);
		for (k = 0; k < len; k++)
			page[k] = (u8)random_u32();
		/* Mostly with a commit that lets the walk begin, and short lengths. */
		if (round % 4 && len >= 16)
			subbuf_put(page + 8, len - 8 - format->long_size, format->long_size,
				   format->big_endian);
		for (i = 16; round % 2 && i + 4 <= len; i += 4 * (1 + random_u32() % 8))
			subbuf_put(page + i, random_u32() & 0x1fff, 4, format->big_endian);
		walk_hostile(format, page, len);
		free(page);
	}
}

static u8 *mixed_page(const struct subbuf_format *format)
{
	struct subbuf b;

	subbuf_begin(&b, format, 12345);
	subbuf_time_extend(&b, 1ULL << 33);
	subbuf_record(&b, 1, 1, 8);
	subbuf_discarded(&b, 1, 16);
	subbuf_record(&b, 1, 2, 200);
	subbuf_time_stamp(&b, 1ULL << 41);
	subbuf_record(&b, 1, 3, 112);
	subbuf_padding(&b, 8);
	return subbuf_end(&b, SUBBUFFER_MISSED | SUBBUFFER_MISSED_STORED, 3);
}

static void a_sub_buffer_cut_off_anywhere_gives_only_whole_records(void **state)
{
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		u8 *page = mixed_page(&formats[i]);

		for (len = 0; len <= 512; len++) {
			u8 *cut = malloc(len ? len : 1);

			memcpy(cut, page, len);
			walk_hostile(&formats[i], cut, len);
			free(cut);
		}
		free(page);
	}
}

static void every_flipped_bit_of_a_sub_buffer_is_survived(void **state)
{
	size_t i, bit;

	(void)state;
	for (i = 0; i < 4; i++) {
		u8 *page = mixed_page(&formats[i]);

		for (bit = 0; bit < 512 * 8; bit++) {
			page[bit / 8] ^= (u8)(1 << bit % 8);
			walk_hostile(&formats[i], page, formats[i].size);
			page[bit / 8] ^= (u8)(1 << bit % 8);
		}
		free(page);
	}
}

static void a_header_that_claims_too_much_is_reported_and_cut(void **state)
{
	struct subbuf b;
	struct walk w;
	u8 *page;

	(void)state;
	subbuf_begin(&b, &formats[0], 9);
	subbuf_record(&b, 1, 1, 8);
	subbuf_padding(&b, 0);
	page = subbuf_end(&b, 0, 0);
	subbuf_put(page + 8, 1 << 20, 8, false);
	walk_open(&w, &formats[0], page, formats[0].size);
	assert_int_equal(w.opened, -1);
	expect_record(&w, 10, 1, 8, 0);
	expect_end(&w);
	free(page);
}

static void a_length_word_that_lies_stops_the_walk(void **state)
{
	static const u32 lies[] = { 0, 1, 3, 4, 5000, 0x7fffffff, 0xfffffffc, 0xffffffff };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		struct subbuf b;
		struct walk w;
		u8 *page;

		subbuf_begin(&b, &formats[0], 9);
		subbuf_record(&b, 1, 1, 8);
		subbuf_word(&b, 1 << 5);
		subbuf_word(&b, lies[i]);
		subbuf_record(&b, 1, 2, 8);
		page = subbuf_end(&b, 0, 0);
		walk_open(&w, &formats[0], page, formats[0].size);
		expect_record(&w, 10, 1, 8, 0);
		assert_int_equal(walk_next(&w), -1);
		assert_int_equal(walk_next(&w), 0);
		free(page);
	}
}

static void the_kernels_own_description_gives_the_layout(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		struct subbuffer_layout layout = { 0 }, want = subbuf_layout(&formats[i]);
		struct strbuf text = STRBUF_INIT;

		subbuf_header_page(&formats[i], &text);
		assert_int_equal(subbuffer_layout_parse(&layout, text.data, text.len), 0);
		assert_int_equal(layout.size, want.size);
		assert_int_equal(layout.data_offset, want.data_offset);
		assert_int_equal(layout.commit_offset, want.commit_offset);
		assert_int_equal(layout.commit_size, want.commit_size);
		strbuf_free(&text);
	}
}

static void a_description_that_makes_no_sense_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\n\n;;;\n",
		"field: u64 timestamp;",
		"field: u64 timestamp;\toffset:0;\tsize:8;\n",
		/* No room for a commit; a data size of nothing, of too much; an odd long. */
		"field: u64 timestamp;\toffset:0;\tsize:8;\nfield: local_t commit;\toffset:8;\t"
		"size:8;\nfield: char data;\toffset:12;\tsize:4080;\n",
		"field: u64 timestamp;\toffset:0;\tsize:8;\nfield: local_t commit;\toffset:8;\t"
		"size:8;\nfield: char data;\toffset:16;\tsize:0;\n",
		"field: u64 timestamp;\toffset:0;\tsize:8;\nfield: local_t commit;\toffset:8;\t"
		"size:8;\nfield: char data;\toffset:16;\tsize:4294967295;\n",
		"field: u64 timestamp;\toffset:0;\tsize:8;\nfield: local_t commit;\toffset:8;\t"
		"size:2;\nfield: char data;\toffset:16;\tsize:4080;\n",
		"field: u64 timestamp;\toffset:0;\tsize:8;\nfield: local_t commit;\toffset:"
		"4294967292;\tsize:8;\nfield: char data;\toffset:16;\tsize:4080;\n",
		"field: u64 timestamp;\toffset:0;\tsize:8;\nfield: local_t commit;\toffset:8;\t"
		"size:8;\nfield: char data;\toffset:99999;\tsize:4080;\n",
	};
	struct strbuf text = STRBUF_INIT;
	struct subbuffer_layout layout;
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&layout, 0, sizeof(layout));
		assert_int_equal(subbuffer_layout_parse(&layout, bad[i], strlen(bad[i])), -EINVAL);
	}
	/* Cut off anywhere before the last number. */
	subbuf_header_page(&formats[0], &text);
	for (len = 0; len + 24 < text.len; len++) {
		char *cut = malloc(len ? len : 1);

		memcpy(cut, text.data, len);
		assert_int_equal(subbuffer_layout_parse(&layout, cut, len), -EINVAL);
		free(cut);
	}
	strbuf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_comes_with_its_time_id_and_length),
		cmocka_unit_test(long_records_have_their_length_in_a_word),
		cmocka_unit_test(long_pauses_are_counted_by_time_extends),
		cmocka_unit_test(absolute_time_stamps_keep_the_upper_five_bits),
		cmocka_unit_test(discarded_records_are_skipped_and_their_time_counts),
		cmocka_unit_test(nothing_is_read_behind_the_final_padding),
		cmocka_unit_test(bytes_behind_the_committed_ones_are_not_records),
		cmocka_unit_test(an_empty_sub_buffer_has_no_records),
		cmocka_unit_test(lost_records_are_reported_with_their_count),
		cmocka_unit_test(lost_records_are_reported_when_the_kernel_did_not_count_them),
		cmocka_unit_test(lost_records_are_reported_even_before_a_time_extend),
		cmocka_unit_test(a_full_sub_buffer_has_no_room_for_the_count),
		cmocka_unit_test(
			losses_of_a_sub_buffer_without_records_are_told_with_the_next_record),
		cmocka_unit_test(random_garbage_is_never_read_beyond_its_end),
		cmocka_unit_test(a_sub_buffer_cut_off_anywhere_gives_only_whole_records),
		cmocka_unit_test(every_flipped_bit_of_a_sub_buffer_is_survived),
		cmocka_unit_test(a_header_that_claims_too_much_is_reported_and_cut),
		cmocka_unit_test(a_length_word_that_lies_stops_the_walk),
		cmocka_unit_test(the_kernels_own_description_gives_the_layout),
		cmocka_unit_test(a_description_that_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
