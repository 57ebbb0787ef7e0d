// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trace.dat files made to order: see dat_builder.h.
 */
#include "dat_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

static const char *const event_names[DAT_FORMATS] = { "net_dev_queue", "netif_rx", "kfree_skb" };
static const char *const event_systems[] = { "net", "skb" };

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "dat_builder: %s\n", what);
	abort();
}

static void put_int(const struct dat_spec *spec, struct strbuf *sb, u64 value, u32 size)
{
	u8 bytes[8];

	subbuf_put(bytes, value, size, spec->format.big_endian);
	strbuf_put(sb, (char *)bytes, size);
}

static void put_int_at(const struct dat_spec *spec, struct strbuf *sb, size_t at, u64 value,
		       u32 size)
{
	subbuf_put(sb->data + at, value, size, spec->format.big_endian);
}

static void put_name(struct strbuf *sb, const char *text)
{
	strbuf_put(sb, text, strlen(text) + 1);
}

static void put_strbuf(struct strbuf *sb, const struct strbuf *from)
{
	if (from->len)
		strbuf_put(sb, from->data, from->len);
}

static void pad_to(struct strbuf *sb, u64 align)
{
	while (sb->len % align)
		strbuf_putc(sb, '\0');
}

/* One packed block: compressed size, plain size, bytes. */
static void put_packed(const struct dat_spec *spec, struct strbuf *out, const char *data,
		       size_t len)
{
	size_t room = ZSTD_compressBound(len) + compressBound(len), got;
	char *packed = malloc(room);
	uLongf zroom = room;

	must(packed != NULL, "no memory");
	if (spec->packing == DAT_ZSTD) {
		got = ZSTD_compress(packed, room, data, len, 3);
		must(!ZSTD_isError(got), "zstd");
	} else {
		must(compress((Bytef *)packed, &zroom, (const Bytef *)data, len) == Z_OK, "zlib");
		got = zroom;
	}
	put_int(spec, out, got, 4);
	put_int(spec, out, spec->claim_zero ? 0 : len, 4);
	strbuf_put(out, packed, got);
	free(packed);
}

/* -- the tables, the same in both versions --------------------------------------------------- */

static void put_header_info(const struct dat_spec *spec, struct strbuf *sb)
{
	static const char header_event[] = "# compressed entry header\n";
	struct strbuf page = STRBUF_INIT;

	subbuf_header_page(&spec->format, &page);
	put_name(sb, "header_page");
	put_int(spec, sb, page.len, 8);
	put_strbuf(sb, &page);
	strbuf_free(&page);
	put_name(sb, "header_event");
	put_int(spec, sb, sizeof(header_event) - 1, 8);
	strbuf_puts(sb, header_event);
}

static void put_format(const struct dat_spec *spec, struct strbuf *sb, u32 number)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_printf(&text,
		      "name: %s\nID: %u\nformat:\n\tfield:void * skbaddr;\toffset:8;\tsize:%u;\n",
		      event_names[number], number + 1, spec->format.long_size);
	put_int(spec, sb, text.len, 8);
	put_strbuf(sb, &text);
	strbuf_free(&text);
}

static void put_ftrace_formats(const struct dat_spec *spec, struct strbuf *sb)
{
	put_int(spec, sb, 1, 4);
	put_format(spec, sb, 0);
}

static void put_formats(const struct dat_spec *spec, struct strbuf *sb)
{
	put_int(spec, sb, 2, 4);
	put_name(sb, event_systems[0]);
	put_int(spec, sb, 2, 4);
	put_format(spec, sb, 0);
	put_format(spec, sb, 1);
	put_name(sb, event_systems[1]);
	put_int(spec, sb, 1, 4);
	put_format(spec, sb, 2);
}

static void put_text(const struct dat_spec *spec, struct strbuf *sb, const char *text, u32 size)
{
	put_int(spec, sb, strlen(text), size);
	strbuf_puts(sb, text);
}

static void put_option(const struct dat_spec *spec, struct strbuf *sb, u16 id, const char *data,
		       size_t len)
{
	put_int(spec, sb, id, 2);
	put_int(spec, sb, len, 4);
	strbuf_put(sb, data, len);
}

static void put_common_options(const struct dat_spec *spec, struct strbuf *sb)
{
	const char stats[] = "CPU: 0\noverrun: 3\n", uname[] = "Linux test 6.18 x86_64";

	put_option(spec, sb, 5, uname, sizeof(uname));
	put_option(spec, sb, 2, stats, sizeof(stats));
	if (spec->extra_text)
		put_option(spec, sb, spec->extra, spec->extra_text, strlen(spec->extra_text) + 1);
}

static void put_file_header(const struct dat_spec *spec, struct strbuf *sb)
{
	strbuf_put(sb, "\x17\x08\x44tracing", 10);
	put_name(sb, spec->version == 6 ? "6" : "7");
	strbuf_putc(sb, spec->format.big_endian);
	strbuf_putc(sb, (char)spec->format.long_size);
	put_int(spec, sb, spec->format.size, 4);
}

/* -- version 6 ------------------------------------------------------------------------------- */

/* "flyrecord", the table, the data. */
static void put_flyrecord(const struct dat_spec *spec, const struct dat_buffer *buffer,
			  struct strbuf *sb)
{
	size_t table;
	u32 i;

	strbuf_put(sb, "flyrecord", 10);
	table = sb->len;
	for (i = 0; i < buffer->nr_cpus; i++) {
		put_int(spec, sb, 0, 8);
		put_int(spec, sb, 0, 8);
	}
	for (i = 0; i < buffer->nr_cpus; i++) {
		pad_to(sb, spec->format.size);
		put_int_at(spec, sb, table + 16 * i, sb->len, 8);
		put_int_at(spec, sb, table + 16 * i + 8, buffer->data[i].len, 8);
		put_strbuf(sb, &buffer->data[i]);
	}
}

static void build_v6(const struct dat_spec *spec, struct strbuf *sb)
{
	size_t place[DAT_MAX_BUFFERS];
	u32 i;

	put_header_info(spec, sb);
	put_ftrace_formats(spec, sb);
	put_formats(spec, sb);
	put_text(spec, sb, DAT_KALLSYMS, 4);
	put_text(spec, sb, "", 4);
	put_text(spec, sb, DAT_CMDLINES, 8);
	put_int(spec, sb, spec->buffer[0].nr_cpus, 4);
	strbuf_put(sb, "options  ", 10);
	put_common_options(spec, sb);
	put_option(spec, sb, 4, "local [mono] tai", 17);
	for (i = 1; i < spec->nr_buffers; i++) {
		const char *name = spec->buffer[i].name;

		put_int(spec, sb, 3, 2);
		put_int(spec, sb, 8 + strlen(name) + 1, 4);
		place[i] = sb->len;
		put_int(spec, sb, 0, 8);
		put_name(sb, name);
	}
	put_int(spec, sb, 0, 2);
	put_flyrecord(spec, &spec->buffer[0], sb);
	for (i = 1; i < spec->nr_buffers; i++) {
		put_int_at(spec, sb, place[i], sb->len, 8);
		put_flyrecord(spec, &spec->buffer[i], sb);
	}
}

/* -- version 7 ------------------------------------------------------------------------------- */

static size_t begin_section(const struct dat_spec *spec, struct strbuf *sb, u16 id, bool packed)
{
	put_int(spec, sb, id, 2);
	put_int(spec, sb, packed, 2);
	put_int(spec, sb, 0, 4);
	put_int(spec, sb, 0, 8);
	return sb->len;
}

static void end_section(const struct dat_spec *spec, struct strbuf *sb, size_t begin)
{
	put_int_at(spec, sb, begin - 8, sb->len - begin, 8);
}

/* A section with @body, and the option that says where it is. */
static void put_section(const struct dat_spec *spec, struct strbuf *sb, struct strbuf *options,
			u16 id, struct strbuf *body)
{
	u64 at = sb->len;
	bool packed = spec->packing != DAT_PLAIN && id != 16;
	size_t begin = begin_section(spec, sb, id, packed);

	if (packed)
		put_packed(spec, sb, body->data, body->len);
	else
		put_strbuf(sb, body);
	end_section(spec, sb, begin);
	put_int(spec, options, id, 2);
	put_int(spec, options, 8, 4);
	put_int(spec, options, at, 8);
	strbuf_free(body);
}

static void put_tables(const struct dat_spec *spec, struct strbuf *sb, struct strbuf *options)
{
	struct strbuf body = STRBUF_INIT;

	put_header_info(spec, &body);
	put_section(spec, sb, options, 16, &body);
	put_ftrace_formats(spec, &body);
	put_section(spec, sb, options, 17, &body);
	put_formats(spec, &body);
	put_section(spec, sb, options, 18, &body);
	put_text(spec, &body, DAT_KALLSYMS, 4);
	put_section(spec, sb, options, 19, &body);
	put_text(spec, &body, "", 4);
	put_section(spec, sb, options, 20, &body);
	put_text(spec, &body, DAT_CMDLINES, 8);
	put_section(spec, sb, options, 21, &body);
}

static void put_cpu_data(const struct dat_spec *spec, const struct dat_buffer *buffer, u32 cpu,
			 struct strbuf *sb)
{
	const struct strbuf *data = &buffer->data[cpu];
	u32 page = buffer->page_size ? buffer->page_size : spec->format.size;
	size_t chunk = spec->chunk_pages ? (size_t)spec->chunk_pages * page : data->len;
	size_t at, count = 0, count_at = sb->len;

	if (spec->packing == DAT_PLAIN) {
		put_strbuf(sb, data);
		return;
	}
	put_int(spec, sb, 0, 4);
	for (at = 0; at < data->len; at += chunk, count++) {
		if (chunk > data->len - at)
			chunk = data->len - at;
		put_packed(spec, sb, data->data + at, chunk);
	}
	put_int_at(spec, sb, count_at, count, 4);
}

/* The data of a buffer, and the option that says where it is. */
static void put_buffer(const struct dat_spec *spec, const struct dat_buffer *buffer,
		       struct strbuf *sb, struct strbuf *options)
{
	size_t begin, length_at, option_at, at;
	u64 section = sb->len;
	u32 i;

	begin = begin_section(spec, sb, 3, spec->packing != DAT_PLAIN);
	put_int(spec, options, 3, 2);
	length_at = options->len;
	put_int(spec, options, 0, 4);
	option_at = options->len;
	put_int(spec, options, section, 8);
	put_name(options, buffer->name);
	put_name(options, buffer->clock);
	put_int(spec, options, buffer->page_size ? buffer->page_size : spec->format.size, 4);
	put_int(spec, options, buffer->nr_cpus, 4);
	for (i = 0; i < buffer->nr_cpus; i++) {
		if (spec->packing == DAT_PLAIN)
			pad_to(sb, spec->format.size);
		at = sb->len;
		put_cpu_data(spec, buffer, i, sb);
		put_int(spec, options, buffer->cpu[i], 4);
		put_int(spec, options, at, 8);
		put_int(spec, options, sb->len - at, 8);
	}
	put_int_at(spec, options, length_at, options->len - option_at, 4);
	end_section(spec, sb, begin);
}

static void put_extents(const struct dat_spec *spec, struct strbuf *sb)
{
	const struct dat_buffer *buffer = &spec->buffer[0];
	u32 i, page = spec->format.size;
	size_t at;
	bool more = true;

	/* A page of each CPU in turn, as live buffers give them. */
	for (at = 0; more; at += page) {
		more = false;
		for (i = 0; i < buffer->nr_cpus; i++) {
			if (at >= buffer->data[i].len)
				continue;
			more = true;
			strbuf_puts(sb, "SKBXTENT");
			put_int(spec, sb, buffer->cpu[i], 4);
			put_int(spec, sb, 0, 4);
			put_int(spec, sb, page, 8);
			strbuf_put(sb, buffer->data[i].data + at, page);
		}
	}
	if (spec->no_end)
		return;
	strbuf_puts(sb, "SKBXNAME");
	put_int(spec, sb, 0, 8);
	put_text(spec, sb, "77 late\n", 8);
}

/* An options section that ends with the place of the next one (0: none). Returns where that is. */
static size_t put_options(const struct dat_spec *spec, struct strbuf *sb,
			  const struct strbuf *options)
{
	size_t begin = begin_section(spec, sb, 0, false), next;

	put_strbuf(sb, options);
	put_int(spec, sb, 0, 2);
	put_int(spec, sb, 8, 4);
	next = sb->len;
	put_int(spec, sb, 0, 8);
	end_section(spec, sb, begin);
	return next;
}

static void build_v7(const struct dat_spec *spec, struct strbuf *sb)
{
	static const char *const names[] = { "none", "zstd", "zlib" };
	struct strbuf options = STRBUF_INIT;
	size_t first, next;
	u32 i;

	put_name(sb, names[spec->packing]);
	put_name(sb, spec->packing ? "1.0" : "");
	first = sb->len;
	put_int(spec, sb, 0, 8);
	if (spec->meta) {
		strbuf_puts(sb, "SKBTRAIL");
		put_text(spec, sb, spec->meta, 8);
	}
	put_tables(spec, sb, &options);
	put_common_options(spec, &options);
	put_option(spec, &options, 4, "[mono]", 7);
	put_int_at(spec, sb, first, sb->len, 8);
	next = put_options(spec, sb, &options);
	options.len = 0;
	if (spec->stream) {
		put_extents(spec, sb);
	} else {
		/* As trace-cmd does: buffers, then the options section that speaks of them. */
		for (i = 0; i < spec->nr_buffers; i++)
			put_buffer(spec, &spec->buffer[i], sb, &options);
		put_int_at(spec, sb, next, sb->len, 8);
		put_options(spec, sb, &options);
	}
	strbuf_free(&options);
}

void dat_build(const struct dat_spec *spec, struct strbuf *out)
{
	must(out->len == 0, "not empty");
	put_file_header(spec, out);
	if (spec->version == 6)
		build_v6(spec, out);
	else
		build_v7(spec, out);
	must(!out->failed, "no memory");
}

void dat_free(struct dat_spec *spec)
{
	u32 i, k;

	for (i = 0; i < DAT_MAX_BUFFERS; i++)
		for (k = 0; k < DAT_MAX_CPUS; k++)
			strbuf_free(&spec->buffer[i].data[k]);
}

void dat_page(struct dat_spec *spec, u32 buffer, u32 cpu_index, u64 ts, u16 id, u32 count)
{
	struct subbuf_format format = spec->format;
	struct subbuf b;
	u32 i;

	if (spec->buffer[buffer].page_size)
		format.size = spec->buffer[buffer].page_size;
	subbuf_begin(&b, &format, ts);
	for (i = 0; i < count; i++)
		subbuf_record(&b, i ? 10 : 0, (u16)(id + i), 16);
	subbuf_append(&b, &spec->buffer[buffer].data[cpu_index]);
}
