// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trace.dat files of every kind that is read, and damaged ones: an error or fewer records, never a
 * crash, never an endless run.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "dat_builder.h"
#include "trace/stream.h"

/* A file without a name. */
struct memfile {
	int fd;
	char path[64];
};

static void memfile_make(struct memfile *m, const char *data, size_t len)
{
	m->fd = memfd_create("trace.dat", MFD_CLOEXEC);
	assert_true(m->fd >= 0);
	assert_int_equal(write(m->fd, data, len), len);
	snprintf(m->path, sizeof(m->path), "/proc/self/fd/%d", m->fd);
}

static struct datfile *open_spec(const struct dat_spec *spec, struct memfile *m)
{
	struct strbuf file = STRBUF_INIT;
	struct error err = { 0 };
	struct datfile *df;

	dat_build(spec, &file);
	memfile_make(m, file.data, file.len);
	strbuf_free(&file);
	if (datfile_open(&df, m->path, &err))
		fail_msg("%s", err.text);
	return df;
}

static void close_all(struct datfile *df, struct memfile *m)
{
	datfile_close(df);
	close(m->fd);
}

static int count_format(void *ctx, const char *system, const char *text, size_t len,
			struct error *err)
{
	u32 *count = ctx;

	(void)err;
	assert_true(!strcmp(system, "net") || !strcmp(system, "skb"));
	assert_true(len > 6 && !memcmp(text, "name: ", 6));
	++*count;
	return 0;
}

/* The tables that dat_builder puts into every file. */
static void expect_tables(struct datfile *df)
{
	struct strbuf text = STRBUF_INIT;
	u32 count = 0;

	assert_int_equal(datfile_each_format(df, count_format, &count, NULL), 0);
	assert_int_equal(count, DAT_FORMATS);
	assert_int_equal(datfile_read_kallsyms(df, &text, NULL), 0);
	assert_string_equal(strbuf_cstr(&text), DAT_KALLSYMS);
	text.len = 0;
	assert_int_equal(datfile_read_cmdlines(df, &text, NULL), 0);
	assert_non_null(strstr(strbuf_cstr(&text), DAT_CMDLINES));
	strbuf_free(&text);
	assert_string_equal(df->uname, "Linux test 6.18 x86_64");
	assert_string_equal(df->clock, "mono");
	assert_non_null(strstr(strbuf_cstr(&df->cpustats), "overrun: 3\n"));
}

static void expect_record(struct stream *s, u64 ts, u16 cpu, u16 id)
{
	const struct record *rec = stream_next(s, STREAM_NO_LIMIT);

	assert_non_null(rec);
	assert_int_equal(rec->ts_ns, ts);
	assert_int_equal(rec->cpu, cpu);
	assert_int_equal(rec->id, id);
	assert_int_equal(rec->len_bytes, 16);
}

/* Two CPUs (0 and 3) with five pages each, interleaved, records 10 ns apart. */
static void two_cpus(struct dat_spec *spec, u32 buffer)
{
	u32 i;

	spec->buffer[buffer].nr_cpus = 2;
	spec->buffer[buffer].cpu[1] = spec->version == 6 ? 1 : 3;
	for (i = 0; i < 5; i++) {
		dat_page(spec, buffer, 0, 1000 + i * 1000, (u16)(100 + i * 10), 7);
		dat_page(spec, buffer, 1, 1005 + i * 1000, (u16)(200 + i * 10), 7);
	}
}

static void expect_two_cpus(struct datfile *df, u32 buffer)
{
	struct stream *s;
	u32 i, k;

	assert_int_equal(stream_file(&s, df, &df->buffers[buffer], NULL), 0);
	for (i = 0; i < 5; i++)
		for (k = 0; k < 7; k++) {
			u64 ts = 1000 + i * 1000 + k * 10;

			expect_record(s, ts, 0, (u16)(100 + i * 10 + k));
			expect_record(s, ts + 5, (u16)df->buffers[buffer].cpus[1].cpu,
				      (u16)(200 + i * 10 + k));
		}
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	assert_int_equal(s->error, 0);
	assert_int_equal(s->stats.damaged + s->stats.lost + s->stats.lost_uncounted, 0);
	stream_close(s);
}

static void both_versions_every_byte_order_and_size_and_packing_are_read(void **state)
{
	static const u32 sizes[] = { 4096, 16384, 65536 };
	u32 k;

	(void)state;
	for (k = 0; k < 2 * 2 * 2 * 3 * 3 * 2; k++) {
		struct dat_spec spec = {
			.version = k & 1 ? 7 : 6,
			.format = { sizes[k / 8 % 3], k & 2 ? 4 : 8, k & 4 },
			.packing = k / 24 % 3,
			.claim_zero = k >= 72,
			.chunk_pages = 2,
			.nr_buffers = 1,
			.buffer = { { .name = "", .clock = "mono" } },
		};
		struct memfile m;
		struct datfile *df;

		if (spec.version == 6 && (spec.packing || spec.claim_zero))
			continue;
		two_cpus(&spec, 0);
		df = open_spec(&spec, &m);
		assert_int_equal(df->version, spec.version);
		assert_int_equal(df->big_endian, spec.format.big_endian);
		assert_int_equal(df->nr_buffers, 1);
		assert_int_equal(df->buffers[0].layout.size, spec.format.size);
		assert_string_equal(df->buffers[0].clock, "mono");
		assert_false(df->cut_off);
		assert_false(df->unfinished);
		expect_tables(df);
		expect_two_cpus(df, 0);
		close_all(df, &m);
		dat_free(&spec);
	}
}

static void several_buffers_are_kept_apart(void **state)
{
	int version;

	(void)state;
	for (version = 6; version <= 7; version++) {
		struct dat_spec spec = {
			.version = version,
			.format = { 4096, 8, false },
			.nr_buffers = 3,
			.buffer = { { .name = "", .clock = "local" },
				    { .name = "first", .clock = "mono" },
				    { .name = "second", .clock = "mono" } },
		};
		struct memfile m;
		struct datfile *df;
		u32 i, named = 0;

		/* Version 7 knows the sub-buffer size of each. */
		if (version == 7)
			spec.buffer[2].page_size = 16384;
		for (i = 0; i < 3; i++)
			two_cpus(&spec, i);
		df = open_spec(&spec, &m);
		assert_int_equal(df->nr_buffers, 3);
		for (i = 0; i < 3; i++) {
			expect_two_cpus(df, i);
			named += !strcmp(df->buffers[i].name, "first") ||
				 !strcmp(df->buffers[i].name, "second");
		}
		assert_int_equal(named, 2);
		close_all(df, &m);
		dat_free(&spec);
	}
}

static void a_file_with_only_a_named_buffer_is_read(void **state)
{
	struct dat_spec spec = {
		.version = 7,
		.format = { 4096, 8, false },
		.packing = DAT_ZSTD,
		.nr_buffers = 1,
		.buffer = { { .name = "mine", .clock = "mono" } },
	};
	struct memfile m;
	struct datfile *df;

	(void)state;
	two_cpus(&spec, 0);
	df = open_spec(&spec, &m);
	assert_int_equal(df->nr_buffers, 1);
	assert_string_equal(df->buffers[0].name, "mine");
	expect_two_cpus(df, 0);
	close_all(df, &m);
	dat_free(&spec);
}

static struct dat_spec stream_spec(void)
{
	struct dat_spec spec = {
		.version = 7,
		.format = { 4096, 8, HOST_BIG_ENDIAN },
		.stream = true,
		.meta = "{}",
		.nr_buffers = 1,
		.buffer = { { .name = "", .clock = "mono" } },
	};

	two_cpus(&spec, 0);
	return spec;
}

/* CPUs that had nothing have no extent; those that are numbered in between are empty. */
static void expect_stream_records(struct datfile *df)
{
	struct stream *s;
	u32 i, k;

	assert_int_equal(df->nr_buffers, 1);
	assert_int_equal(stream_file(&s, df, &df->buffers[0], NULL), 0);
	for (i = 0; i < 5; i++)
		for (k = 0; k < 7; k++) {
			u64 ts = 1000 + i * 1000 + k * 10;

			expect_record(s, ts, 0, (u16)(100 + i * 10 + k));
			expect_record(s, ts + 5, 3, (u16)(200 + i * 10 + k));
		}
	assert_null(stream_next(s, STREAM_NO_LIMIT));
	stream_close(s);
}

static void a_recording_from_a_pipe_is_whole_and_has_its_names(void **state)
{
	struct dat_spec spec = stream_spec();
	struct strbuf names = STRBUF_INIT;
	struct memfile m;
	struct datfile *df = open_spec(&spec, &m);

	(void)state;
	assert_false(df->unfinished);
	assert_false(df->cut_off);
	assert_string_equal(strbuf_cstr(&df->meta), "{}");
	expect_tables(df);
	assert_int_equal(datfile_read_cmdlines(df, &names, NULL), 0);
	assert_non_null(strstr(strbuf_cstr(&names), "77 late\n"));
	strbuf_free(&names);
	expect_stream_records(df);
	close_all(df, &m);
	dat_free(&spec);
}

static void a_recording_whose_recorder_was_killed_is_read(void **state)
{
	struct dat_spec spec = stream_spec();
	struct memfile m;
	struct datfile *df;

	(void)state;
	spec.no_end = true;
	df = open_spec(&spec, &m);
	assert_true(df->unfinished);
	assert_false(df->cut_off);
	expect_tables(df);
	expect_stream_records(df);
	close_all(df, &m);
	dat_free(&spec);
}

static volatile u32 touched;

/* What a damaged text says does not matter here, only that all of it is there. */
static int touch_format(void *ctx, const char *system, const char *text, size_t len,
			struct error *err)
{
	u32 *count = ctx;

	(void)err;
	*count += (u32)strlen(system);
	while (len--)
		*count += (u8)text[len];
	return 0;
}

/* Reads all of it; returns the number of records, or -1 with a message when it is refused. */
static long read_all(const struct memfile *m, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	const struct record *rec;
	struct datfile *df;
	struct stream *s;
	u32 i, count = 0;
	long records = 0;

	memset(err, 0, sizeof(*err));
	if (datfile_open(&df, m->path, err)) {
		assert_true(err->text[0]);
		return -1;
	}
	datfile_each_format(df, touch_format, &count, err);
	datfile_read_kallsyms(df, &text, err);
	datfile_read_cmdlines(df, &text, err);
	strbuf_free(&text);
	for (i = 0; i < df->nr_buffers; i++) {
		if (stream_file(&s, df, &df->buffers[i], err))
			continue;
		while ((rec = stream_next(s, STREAM_NO_LIMIT))) {
			/* Touch it, for the sanitizer. */
			count += rec->data[0] + rec->data[rec->len_bytes - 1];
			records++;
		}
		stream_close(s);
	}
	datfile_close(df);
	touched = count;
	return records;
}

static void a_stream_cut_off_anywhere_keeps_what_is_whole(void **state)
{
	struct dat_spec spec = stream_spec();
	struct strbuf file = STRBUF_INIT;
	size_t len, first;
	struct memfile m;
	struct error err;
	long last = 70, got;

	(void)state;
	dat_build(&spec, &file);
	memfile_make(&m, file.data, file.len);
	first = (size_t)((char *)memmem(file.data, file.len, "SKBXTENT", 8) - file.data);
	for (len = file.len; len >= first; len -= len % 4096 < 300 ? 1 : 61) {
		assert_int_equal(ftruncate(m.fd, (off_t)len), 0);
		got = read_all(&m, &err);
		if (got < 0)
			fail_msg("cut at %zu of %zu: %s", len, file.len, err.text);
		assert_true(got <= last);
		last = got;
	}
	assert_int_equal(last, 0);
	close(m.fd);
	strbuf_free(&file);
	dat_free(&spec);
}

/* A small file with two buffers, of each kind. */
static struct dat_spec small_spec(int kind)
{
	struct dat_spec spec = {
		.version = kind ? 7 : 6,
		.format = { 4096, 8, kind == 3 },
		.packing = kind == 2 ? DAT_ZSTD :
			   kind == 3 ? DAT_ZLIB :
				       DAT_PLAIN,
		.chunk_pages = 1,
		.stream = kind == 4,
		.meta = kind == 4 ? "{}" : NULL,
		.nr_buffers = kind == 4 ? 1 : 2,
		.buffer = { { .name = "", .clock = "mono" }, { .name = "b", .clock = "mono" } },
	};
	u32 i;

	for (i = 0; i < spec.nr_buffers; i++) {
		spec.buffer[i].nr_cpus = 2;
		spec.buffer[i].cpu[1] = 1;
		dat_page(&spec, i, 0, 1000, 1, 3);
		dat_page(&spec, i, 1, 1000, 1, 3);
	}
	return spec;
}

#define SMALL_KINDS 5

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Where the structure is: the head, and what stands between and behind the sub-buffers. */
static bool is_structure(const struct strbuf *file, size_t at)
{
	static const char filler[64];
	size_t begin = at & ~63ul;

	return begin + 64 > file->len || memcmp(file->data + begin, filler, 64) != 0;
}

static void a_file_cut_off_anywhere_gives_an_error_or_fewer_records(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < SMALL_KINDS; kind++) {
		struct dat_spec spec = small_spec(kind);
		struct strbuf file = STRBUF_INIT;
		long whole, got, refused = 0;
		struct memfile m;
		struct error err;
		size_t len;

		dat_build(&spec, &file);
		memfile_make(&m, file.data, file.len);
		whole = read_all(&m, &err);
		assert_int_equal(whole, spec.nr_buffers * 6);
		for (len = file.len; len--;) {
			if (!is_structure(&file, len) && len % 64)
				continue;
			assert_int_equal(ftruncate(m.fd, (off_t)len), 0);
			got = read_all(&m, &err);
			assert_true(got <= whole);
			refused += got < 0;
		}
		assert_true(refused > 0);
		close(m.fd);
		strbuf_free(&file);
		dat_free(&spec);
	}
}

static void put_at(const struct memfile *m, size_t at, const void *data, size_t len)
{
	assert_int_equal(pwrite(m->fd, data, len, (off_t)at), len);
}

static u64 peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (u64)usage.ru_maxrss;
}

static void every_flipped_byte_is_survived_quickly_and_in_little_memory(void **state)
{
	static const u8 flips[] = { 0xff, 0x01, 0x80, 0x7f };
	u64 before = peak_kib();
	int kind;

	(void)state;
	for (kind = 0; kind < SMALL_KINDS; kind++) {
		struct dat_spec spec = small_spec(kind);
		struct strbuf file = STRBUF_INIT;
		struct memfile m;
		struct error err;
		double start;
		size_t at;
		u8 byte;

		dat_build(&spec, &file);
		memfile_make(&m, file.data, file.len);
		for (at = 0; at < file.len; at += is_structure(&file, at) ? 1 : 64) {
			byte = (u8)file.data[at] ^ flips[(at ^ at / 4) % ARRAY_SIZE(flips)];
			put_at(&m, at, &byte, 1);
			start = now();
			read_all(&m, &err);
			assert_true(now() - start < 5);
			put_at(&m, at, file.data + at, 1);
		}
		close(m.fd);
		strbuf_free(&file);
		dat_free(&spec);
	}
	/* Sanitizers keep freed memory for a while. */
	assert_true(peak_kib() - before < (900u << 10));
}

static void hostile_numbers_anywhere_are_survived(void **state)
{
	static const u64 hostile[] = { 0,	   0x7fffffff,	       0xffffffff,
				       UINT64_MAX, 1ULL << 63,	       0xfffffffffffff000ULL,
				       0x10000,	   (1ULL << 63) - 4096 };
	int kind;
	size_t h;

	(void)state;
	for (kind = 0; kind < SMALL_KINDS; kind++) {
		struct dat_spec spec = small_spec(kind);
		struct strbuf file = STRBUF_INIT;
		struct memfile m;
		struct error err;
		size_t at;
		u8 number[8];

		dat_build(&spec, &file);
		memfile_make(&m, file.data, file.len);
		for (at = 0; at + 8 <= file.len; at += is_structure(&file, at) ? 3 : 64)
			for (h = at % 4; h < ARRAY_SIZE(hostile); h += 4) {
				u32 width = hostile[h] >> 32 ? 8 : 4;

				subbuf_put(number, hostile[h], width, spec.format.big_endian);
				put_at(&m, at, number, width);
				read_all(&m, &err);
				put_at(&m, at, file.data + at, width);
			}
		close(m.fd);
		strbuf_free(&file);
		dat_free(&spec);
	}
}

static void expect_refused(const struct strbuf *file, int code, const char *says)
{
	struct error err = { 0 };
	struct memfile m;
	struct datfile *df;

	memfile_make(&m, file->data, file->len);
	assert_int_equal(datfile_open(&df, m.path, &err), -code);
	if (!strstr(err.text, says))
		fail_msg("'%s' does not say '%s'", err.text, says);
	assert_null(strchr(err.text, '\n'));
	close(m.fd);
}

static void a_chain_of_options_that_loops_is_refused(void **state)
{
	struct dat_spec spec = small_spec(1);
	struct strbuf file = STRBUF_INIT;
	size_t first_at = 10 + 2 + 2 + 4 + 5 + 1;
	u64 first, size;

	(void)state;
	dat_build(&spec, &file);
	memcpy(&first, file.data + first_at, 8);
	memcpy(&size, file.data + first + 8, 8);
	/* The place of the next section is the last thing in one. */
	memcpy(file.data + first + 16 + size - 8, &first, 8);
	expect_refused(&file, EBADMSG, "chain of options");
	first += 16;
	memcpy(file.data + first + size - 8, &first, 8);
	expect_refused(&file, EBADMSG, "damaged");
	strbuf_free(&file);
	dat_free(&spec);
}

static void what_is_no_trace_or_from_the_future_is_named_as_such(void **state)
{
	struct dat_spec spec = small_spec(1);
	struct strbuf file = STRBUF_INIT;

	(void)state;
	expect_refused(&file, EBADMSG, "too short");
	strbuf_puts(&file, "#!/bin/sh\necho not a trace\n");
	expect_refused(&file, EBADMSG, "not a trace.dat");
	file.len = 0;
	dat_build(&spec, &file);
	file.data[10] = '8';
	expect_refused(&file, ENOTSUP, "version 8");
	file.data[10] = '7';
	memcpy(file.data + 18, "lz\x1b]", 4);
	expect_refused(&file, ENOTSUP, "'lz\\x1b]'");
	strbuf_free(&file);
	dat_free(&spec);
}

static void a_latency_trace_is_named_as_such(void **state)
{
	struct dat_spec spec = small_spec(0);
	struct strbuf file = STRBUF_INIT;

	(void)state;
	dat_build(&spec, &file);
	memcpy(memmem(file.data, file.len, "flyrecord", 10), "latency  ", 10);
	expect_refused(&file, ENOTSUP, "latency");
	strbuf_free(&file);
	dat_free(&spec);
}

static void extents_that_overlap_are_refused(void **state)
{
	struct dat_spec spec = small_spec(1);
	struct strbuf file = STRBUF_INIT;
	u8 name[] = { 'm', 'o', 'n', 'o', 0, 0, 16, 0, 0, 2, 0, 0, 0 };
	u64 all[4];
	char *table;

	(void)state;
	dat_build(&spec, &file);
	table = memmem(file.data, file.len, name, sizeof(name));
	assert_non_null(table);
	all[0] = 0;
	all[1] = file.len;
	memcpy(table + sizeof(name) + 4, all, 16);
	memcpy(table + sizeof(name) + 24, all, 16);
	expect_refused(&file, EBADMSG, "damaged");
	strbuf_free(&file);
	dat_free(&spec);
}

/* Sixteen thousand CPUs in each of thousands of buffers, from one small table. */
static void many_buffers_of_many_cpus_are_refused_before_memory_runs_out(void **state)
{
	struct dat_spec spec = small_spec(0);
	struct strbuf file = STRBUF_INIT, copy = STRBUF_INIT;
	u64 before = peak_kib(), table;
	char *options;
	size_t head;
	u32 i;

	(void)state;
	dat_build(&spec, &file);
	options = (char *)memmem(file.data, file.len, "options  ", 10) + 10;
	head = (size_t)(options - file.data);
	strbuf_put(&copy, file.data, head);
	table = head + 10 + 4000 * 16 + 2;
	strbuf_put(&copy, "\x08\0\x04\0\0\0\0\x40\0\0", 10);
	for (i = 0; i < 4000; i++) {
		strbuf_put(&copy, "\x03\0\x0a\0\0\0", 6);
		strbuf_put(&copy, (char *)&table, 8);
		strbuf_put(&copy, "b\0", 2);
	}
	strbuf_put(&copy, "\0\0", 2);
	strbuf_put(&copy, "flyrecord", 10);
	for (i = 0; i < 16384 * 16; i++)
		strbuf_putc(&copy, '\0');
	expect_refused(&copy, EBADMSG, "damaged");
	assert_true(peak_kib() - before < (200u << 10));
	strbuf_free(&file);
	strbuf_free(&copy);
	dat_free(&spec);
}

static void the_times_of_all_records_are_moved_by_a_recorded_offset(void **state)
{
	static const struct {
		u16 id;
		const char *text;
		u64 moved;
	} cases[] = {
		{ 7, "5000", 5000 },
		{ 7, "-500", (u64)-500 },
		{ 1, "0x10", 16000 },
	};
	size_t c;
	int kind;

	(void)state;
	for (kind = 0; kind < 2; kind++)
		for (c = 0; c < ARRAY_SIZE(cases); c++) {
			struct dat_spec spec = small_spec(kind);
			struct memfile m;
			struct datfile *df;
			struct stream *s;
			u16 i;

			spec.extra = cases[c].id;
			spec.extra_text = cases[c].text;
			df = open_spec(&spec, &m);
			assert_int_equal(stream_file(&s, df, &df->buffers[0], NULL), 0);
			for (i = 0; i < 3; i++) {
				expect_record(s, 1000 + i * 10 + cases[c].moved, 0, (u16)(1 + i));
				expect_record(s, 1000 + i * 10 + cases[c].moved, 1, (u16)(1 + i));
			}
			assert_int_equal(s->stats.backwards, 0);
			stream_close(s);
			close_all(df, &m);
			dat_free(&spec);
		}
}

static void cycles_of_the_processor_become_nanoseconds(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < 2; kind++) {
		struct dat_spec spec = small_spec(kind);
		struct strbuf file = STRBUF_INIT;
		struct memfile m;
		struct datfile *df;
		struct stream *s;
		char *clock;
		u16 i;

		spec.extra = 14;
		/* mult 2, shift 2, offset, in place of text with the same length. */
		spec.extra_text = "123456789abcdef";
		spec.buffer[0].clock = "x86-tsc";
		dat_build(&spec, &file);
		memcpy(memmem(file.data, file.len, "123456789abcdef", 16),
		       "\x02\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0", 16);
		if (!kind) {
			clock = memmem(file.data, file.len, "[mono] tai", 11);
			memcpy(clock, "[x86-tsc]", 10);
		}
		memfile_make(&m, file.data, file.len);
		assert_int_equal(datfile_open(&df, m.path, NULL), 0);
		i = (u16)(kind ? 0 : df->nr_buffers - 1);
		assert_string_equal(df->buffers[i].clock, "x86-tsc");
		assert_int_equal(stream_file(&s, df, &df->buffers[i], NULL), 0);
		for (i = 0; i < 3; i++) {
			expect_record(s, (1000 + i * 10) / 2, 0, (u16)(1 + i));
			expect_record(s, (1000 + i * 10) / 2, 1, (u16)(1 + i));
		}
		stream_close(s);
		close_all(df, &m);
		strbuf_free(&file);
		dat_free(&spec);
	}
}

static void a_damaged_chunk_keeps_what_came_before_it(void **state)
{
	struct dat_spec spec = small_spec(2);
	struct strbuf file = STRBUF_INIT;
	struct memfile m;
	struct datfile *df;
	struct stream *s;
	long records = 0;
	u32 i;
	u64 at;

	(void)state;
	for (i = 1; i < 5; i++)
		dat_page(&spec, 0, 0, 1000 + i * 1000, 1, 3);
	spec.nr_buffers = 1;
	dat_build(&spec, &file);
	memfile_make(&m, file.data, file.len);
	assert_int_equal(datfile_open(&df, m.path, NULL), 0);
	at = df->buffers[0].cpus[0].extents[0].offset + 4;
	for (i = 0; i < 3; i++)
		at += 8 + load_u32(file.data + at, df->swap);
	datfile_close(df);
	/* The magic of the fourth frame. */
	assert_int_equal(pwrite(m.fd, "XXXX", 4, (off_t)at + 8), 4);
	assert_int_equal(datfile_open(&df, m.path, NULL), 0);
	assert_int_equal(stream_file(&s, df, &df->buffers[0], NULL), 0);
	while (stream_next(s, STREAM_NO_LIMIT))
		records++;
	assert_int_equal(s->error, -EBADMSG);
	assert_int_equal(records, 3 * 3 + 3);
	stream_close(s);
	close_all(df, &m);
	strbuf_free(&file);
	dat_free(&spec);
}

static void a_reader_that_stops_early_leaves_nothing_running(void **state)
{
	struct dat_spec spec = small_spec(2);
	struct memfile m;
	struct datfile *df = open_spec(&spec, &m);
	struct stream *s;
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		assert_int_equal(stream_file(&s, df, &df->buffers[0], NULL), 0);
		if (i % 2)
			stream_next(s, STREAM_NO_LIMIT);
		stream_close(s);
	}
	close_all(df, &m);
	dat_free(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_versions_every_byte_order_and_size_and_packing_are_read),
		cmocka_unit_test(several_buffers_are_kept_apart),
		cmocka_unit_test(a_file_with_only_a_named_buffer_is_read),
		cmocka_unit_test(a_recording_from_a_pipe_is_whole_and_has_its_names),
		cmocka_unit_test(a_recording_whose_recorder_was_killed_is_read),
		cmocka_unit_test(a_stream_cut_off_anywhere_keeps_what_is_whole),
		cmocka_unit_test(a_file_cut_off_anywhere_gives_an_error_or_fewer_records),
		cmocka_unit_test(every_flipped_byte_is_survived_quickly_and_in_little_memory),
		cmocka_unit_test(hostile_numbers_anywhere_are_survived),
		cmocka_unit_test(a_chain_of_options_that_loops_is_refused),
		cmocka_unit_test(what_is_no_trace_or_from_the_future_is_named_as_such),
		cmocka_unit_test(a_latency_trace_is_named_as_such),
		cmocka_unit_test(extents_that_overlap_are_refused),
		cmocka_unit_test(many_buffers_of_many_cpus_are_refused_before_memory_runs_out),
		cmocka_unit_test(the_times_of_all_records_are_moved_by_a_recorded_offset),
		cmocka_unit_test(cycles_of_the_processor_become_nanoseconds),
		cmocka_unit_test(a_damaged_chunk_keeps_what_came_before_it),
		cmocka_unit_test(a_reader_that_stops_early_leaves_nothing_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
