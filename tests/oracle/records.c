// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The records of a trace.dat, from our reader and from two that are not ours, side by side.
 *
 *	records [--ours] FILE
 *	records --made-up COUNT
 *
 * Each sub-buffer goes through our walker and through kbuffer of libtraceevent; then our merged
 * stream is compared with tracecmd_iterate_events() of libtracecmd, which opens the file by itself.
 * Time, CPU, event id, length, bytes and loss of every record must be the same. With --ours the
 * last part is left out, for layouts that only skbtrail reads.
 *
 * One difference is known and accounted for: kbuffer, and so libtracecmd, hides a loss when the
 * first record of a sub-buffer is a time extend or time stamp, or was discarded.
 *
 * With --made-up there is no file: COUNT sub-buffers with anything a kernel may write in them go
 * through both walkers.
 *
 * Prints for each CPU that has records: "cpu NUMBER records N lost N uncounted N hidden N
 * hidden-uncounted N buffer NAME". Exit status 0: all the same.
 */
#include <kbuffer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <trace-cmd.h>

#include "../unit/subbuf_builder.h"
#include "trace/stream.h"

#define SHOWN_DIFFERENCES 10

struct cpu_count {
	u64 records, lost, uncounted, hidden, hidden_uncounted;
	u64 hidden_places;
};

struct judge {
	const char *path;
	struct datfile *df;
	const struct datfile_buffer *buffer;
	struct cpu_count *cpu; /* by index */
	struct stream *stream;
	u64 records; /* of the stream */
	u64 hidden;  /* losses that libtracecmd did not tell */
	u64 differences;
};

__attribute__((format(printf, 2, 3))) static void differ(struct judge *j, const char *fmt, ...)
{
	va_list ap;

	if (j->differences++ >= SHOWN_DIFFERENCES)
		return;
	fprintf(stderr, "%s: buffer '%s': ", j->path, j->buffer->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* Our loss count as the libraries write it: -1 when the kernel did not count. */
static long long their_way(u64 lost)
{
	return lost == LOST_UNKNOWN ? -1 : (long long)lost;
}

static void count_record(struct cpu_count *c, u64 lost, bool hidden)
{
	c->records++;
	if (!lost)
		return;
	c->hidden_places += hidden;
	if (lost == LOST_UNKNOWN) {
		c->uncounted++;
		c->hidden_uncounted += hidden;
	} else {
		c->lost += lost;
		c->hidden += hidden ? lost : 0;
	}
}

/* One sub-buffer: @page is a copy of it, of full size, because kbuffer takes no length. */
static void judge_page(struct judge *j, struct kbuffer *kbuf, u32 index, const u8 *data,
		       size_t avail, u8 *page)
{
	const struct subbuffer_layout *layout = &j->buffer->layout;
	struct subbuffer_cursor cur = { 0 };
	struct record rec = { 0 };
	unsigned long long ts = 0;
	bool first = true;
	void *theirs;
	int ret;

	memset(page, 0, layout->size);
	memcpy(page, data, avail);
	ret = subbuffer_open(&cur, layout, data, avail, layout->swap);
	if (ret || kbuffer_load_subbuffer(kbuf, page)) {
		differ(j, "CPU %u: a sub-buffer is damaged", j->buffer->cpus[index].cpu);
		return;
	}
	theirs = kbuffer_read_event(kbuf, &ts);
	while ((ret = subbuffer_next(&cur, &rec, layout->swap, layout->big_endian)) > 0) {
		/* The record's header, with its length word if it has one, is what stands there. */
		bool hidden = first && rec.data > data + layout->data_offset + 8;
		long long missed = theirs && first ? kbuffer_missed_events(kbuf) : 0;

		count_record(&j->cpu[index], rec.lost, rec.lost && hidden && !missed);
		if (!theirs || ts != rec.ts_ns || (u8 *)theirs - page != rec.data - data ||
		    (u32)kbuffer_event_size(kbuf) != rec.len_bytes ||
		    (missed != their_way(rec.lost) && !(hidden && !missed)))
			differ(j,
			       "CPU %u, record at byte %td: time %llu length %u lost %lld, kbuffer "
			       "has byte %td time %llu length %d lost %lld",
			       j->buffer->cpus[index].cpu, rec.data - data,
			       (unsigned long long)rec.ts_ns, rec.len_bytes, their_way(rec.lost),
			       theirs ? (u8 *)theirs - page : -1, ts,
			       theirs ? kbuffer_event_size(kbuf) : -1, missed);
		if (!theirs)
			return;
		first = false;
		theirs = kbuffer_next_event(kbuf, &ts);
	}
	if (ret || theirs)
		differ(j, "CPU %u: %s", j->buffer->cpus[index].cpu,
		       ret ? "a sub-buffer is damaged" : "kbuffer has one record more");
}

static struct kbuffer *new_kbuffer(const struct subbuffer_layout *layout)
{
	struct kbuffer *kbuf;

	kbuf = kbuffer_alloc(layout->commit_size == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4,
			     layout->big_endian ? KBUFFER_ENDIAN_BIG : KBUFFER_ENDIAN_LITTLE);
	if (!kbuf)
		abort();
	return kbuf;
}

static int judge_with_kbuffer(struct judge *j, struct error *err)
{
	const struct subbuffer_layout *layout = &j->buffer->layout;
	struct kbuffer *kbuf = new_kbuffer(layout);
	struct feeder *feeder;
	const u8 *data;
	size_t len, at, avail;
	u8 *page;
	u32 i;
	int ret;

	/* A count of lost records may stand at the very end. */
	page = malloc(layout->size + 8);
	if (!page)
		abort();
	ret = feeder_file(&feeder, j->df, j->buffer, err);
	for (i = 0; !ret && i < feeder->nr_cpus; i++)
		while ((ret = feeder->next(feeder, i, &data, &len)) > 0)
			for (at = 0; at < len; at += avail) {
				avail = len - at < layout->size ? len - at : layout->size;
				judge_page(j, kbuf, i, data + at, avail, page);
			}
	if (ret)
		differ(j, "cannot be read: %s", err->text[0] ? err->text : error_name(-ret));
	else
		feeder->free(feeder);
	kbuffer_free(kbuf);
	free(page);
	return ret;
}

/* Called by libtracecmd for each of its records, in time order. */
static int judge_record(struct tracecmd_input *handle, struct tep_record *theirs, int cpu,
			void *ctx)
{
	struct judge *j = ctx;
	const struct record *rec = stream_next(j->stream, STREAM_NO_LIMIT);
	bool hidden;

	(void)handle;
	if (!rec) {
		differ(j, "libtracecmd has more than our %llu records",
		       (unsigned long long)j->records);
		return 1;
	}
	j->records++;
	hidden = rec->lost && !theirs->missed_events;
	j->hidden += hidden;
	if (theirs->ts != rec->ts_ns || cpu != rec->cpu || theirs->size != (int)rec->len_bytes ||
	    memcmp(theirs->data, rec->data, rec->len_bytes) != 0 ||
	    load_u16(theirs->data, j->df->swap) != rec->id ||
	    (!hidden && theirs->missed_events != their_way(rec->lost)))
		differ(j,
		       "record %llu: time %llu CPU %u id %u length %u lost %lld; libtracecmd has "
		       "time %llu CPU %d id %u length %d lost %lld%s",
		       (unsigned long long)j->records, (unsigned long long)rec->ts_ns, rec->cpu,
		       rec->id, rec->len_bytes, their_way(rec->lost), theirs->ts, cpu,
		       load_u16(theirs->data, j->df->swap), theirs->size,
		       (long long)theirs->missed_events,
		       theirs->size == (int)rec->len_bytes &&
				       memcmp(theirs->data, rec->data, rec->len_bytes) != 0 ?
			       ", other bytes" :
			       "");
	return j->differences > SHOWN_DIFFERENCES;
}

static u64 hidden_places(const struct judge *j)
{
	u64 places = 0;
	u32 i;

	for (i = 0; i < j->buffer->nr_cpus; i++)
		places += j->cpu[i].hidden_places;
	return places;
}

static int judge_with_tracecmd(struct judge *j, struct tracecmd_input *handle, struct error *err)
{
	int ret = stream_file(&j->stream, j->df, j->buffer, err);

	if (ret)
		return ret;
	tracecmd_iterate_events(handle, NULL, 0, judge_record, j);
	if (!j->differences && stream_next(j->stream, STREAM_NO_LIMIT))
		differ(j, "libtracecmd has only %llu records", (unsigned long long)j->records);
	if (j->hidden != hidden_places(j))
		differ(j, "libtracecmd hides %llu losses, kbuffer %llu",
		       (unsigned long long)j->hidden, (unsigned long long)hidden_places(j));
	stream_close(j->stream);
	return 0;
}

/* Their handle of the buffer of that name. */
static struct tracecmd_input *find_handle(struct tracecmd_input *top, const char *name)
{
	int i;

	if (!*name)
		return top;
	for (i = 0; i < tracecmd_buffer_instances(top); i++)
		if (!strcmp(tracecmd_buffer_instance_name(top, i), name))
			return tracecmd_buffer_instance_handle(top, i);
	return NULL;
}

static void print_counts(const struct judge *j)
{
	u32 i;

	for (i = 0; i < j->buffer->nr_cpus; i++)
		if (j->cpu[i].records)
			printf("cpu %u records %llu lost %llu uncounted %llu hidden %llu "
			       "hidden-uncounted %llu buffer %s\n",
			       j->buffer->cpus[i].cpu, (unsigned long long)j->cpu[i].records,
			       (unsigned long long)j->cpu[i].lost,
			       (unsigned long long)j->cpu[i].uncounted,
			       (unsigned long long)j->cpu[i].hidden,
			       (unsigned long long)j->cpu[i].hidden_uncounted, j->buffer->name);
}

static u64 judge_buffer(struct datfile *df, u32 index, struct tracecmd_input *top,
			struct error *err)
{
	struct judge j = { .path = df->path, .df = df, .buffer = &df->buffers[index] };
	struct tracecmd_input *handle = top ? find_handle(top, j.buffer->name) : NULL;

	j.cpu = calloc(j.buffer->nr_cpus + 1, sizeof(*j.cpu));
	if (!j.cpu)
		abort();
	if (judge_with_kbuffer(&j, err))
		j.differences++;
	if (top && !handle)
		differ(&j, "libtracecmd does not know this buffer");
	if (handle && judge_with_tracecmd(&j, handle, err))
		differ(&j, "%s", err->text);
	if (handle && handle != top)
		tracecmd_close(handle);
	print_counts(&j);
	free(j.cpu);
	return j.differences;
}

static u32 random_below(u32 limit)
{
	static u64 seed = 1;

	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(seed >> 33) % limit;
}

/* One thing more in a sub-buffer, if there is room. */
static void add_anything(struct subbuf *b)
{
	u32 delta = random_below(4) ? random_below(5000) : random_below(1 << 27);

	if (subbuf_room(b) < 1100)
		return;
	switch (random_below(8)) {
	case 0:
		subbuf_time_extend(b, (u64)random_below(1 << 20) << 20 | delta);
		break;
	case 1:
		subbuf_time_stamp(b, b->ts + delta);
		break;
	case 2:
		subbuf_discarded(b, delta + 1 < 1 << 27 ? delta + 1 : delta, 4 * random_below(40));
		break;
	case 3:
		subbuf_long_record(b, delta, (u16)random_below(65536), 4 + random_below(1000));
		break;
	default:
		subbuf_record(b, delta, (u16)random_below(65536), 4 + random_below(109));
		break;
	}
}

static u8 *make_up(const struct subbuf_format *format)
{
	static const u32 losses[] = { 0, 0, SUBBUFFER_MISSED,
				      SUBBUFFER_MISSED | SUBBUFFER_MISSED_STORED };
	struct subbuf b;
	u32 i;

	/* A third of them at times whose upper five bits are not 0. */
	subbuf_begin(&b, format, random_below(3) ? random_below(1 << 30) : 1700000000ULL << 30);
	for (i = random_below(60); i; i--)
		add_anything(&b);
	if (!random_below(3))
		subbuf_padding(&b, 4 * random_below(20));
	return subbuf_end(&b, losses[random_below(4)], 1 + random_below(1000));
}

static int judge_made_up(u32 count)
{
	static const struct subbuf_format formats[] = {
		{ 4096, 8, false }, { 4096, 8, true },	 { 4096, 4, false },
		{ 4096, 4, true },  { 16384, 8, false }, { 65536, 8, true },
	};
	struct cpu_count cpu = { 0 };
	struct datfile_cpu number = { 0 };
	struct datfile_buffer buffer = { .name = "made up", .cpus = &number, .nr_cpus = 1 };
	struct judge j = { .path = "no file", .buffer = &buffer, .cpu = &cpu };
	struct kbuffer *kbuf;
	u8 *page, *copy;
	u32 i;

	for (i = 0; i < count; i++) {
		const struct subbuf_format *format = &formats[i % ARRAY_SIZE(formats)];

		buffer.layout = subbuf_layout(format);
		kbuf = new_kbuffer(&buffer.layout);
		page = make_up(format);
		copy = malloc(format->size + 8);
		if (!copy)
			abort();
		judge_page(&j, kbuf, 0, page, format->size, copy);
		kbuffer_free(kbuf);
		free(page);
		free(copy);
	}
	print_counts(&j);
	if (!cpu.hidden || !cpu.hidden_uncounted)
		differ(&j, "no loss stood before a time extend: this was no test");
	return j.differences != 0;
}

int main(int argc, char **argv)
{
	bool ours = argc > 2 && !strcmp(argv[1], "--ours");
	struct tracecmd_input *top = NULL;
	const char *path = argv[argc - 1];
	struct error err = { 0 };
	struct datfile *df;
	u64 differences = 0;
	u32 i;

	if (argc > 2 && !strcmp(argv[1], "--made-up"))
		return judge_made_up((u32)atoi(path));
	if (argc < 2 || datfile_open(&df, path, &err)) {
		fprintf(stderr, "%s\n", argc < 2 ? "Usage: records [--ours] FILE" : err.text);
		return 1;
	}
	if (!ours) {
		tracecmd_set_loglevel(TEP_LOG_CRITICAL);
		top = tracecmd_open(path, TRACECMD_FL_LOAD_NO_PLUGINS);
		if (!top) {
			fprintf(stderr, "%s: libtracecmd cannot open it\n", path);
			return 1;
		}
	}
	for (i = 0; i < df->nr_buffers; i++)
		differences += judge_buffer(df, i, top, &err);
	if (top)
		tracecmd_close(top);
	if (differences)
		fprintf(stderr, "%s: %llu differences\n", path, (unsigned long long)differences);
	datfile_close(df);
	return differences != 0;
}
