// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trace.dat version 7: sections found through a chain of options sections, as
 * trace-cmd.dat.v7(5) describes; and the stream layout of a recording that was not finished.
 */
#include <errno.h>
#include <stdlib.h>

#include "trace/datfile_internal.h"

#define MAX_META_BYTES (64u << 20)

struct section_header {
	u64 size;
	u16 id;
	bool compressed;
};

static struct section_header read_section_header(struct dat_reader *r)
{
	struct section_header h;

	h.id = dat_u16(r);
	h.compressed = dat_u16(r) & DAT_SECTION_FLAG_COMPRESSED;
	dat_u32(r); /* which string describes it */
	h.size = dat_u64(r);
	return h;
}

/* An option that only says where a section is. */
static int note_section(struct datfile *df, u64 offset, u16 id, struct datfile_section *section)
{
	struct dat_reader r = { .df = df, .pos = offset, .end = df->size_bytes };
	struct section_header h = read_section_header(&r);

	if (r.failed || h.id != id || h.size > df->size_bytes - r.pos)
		return r.failed ? r.failed : -EBADMSG;
	*section = (struct datfile_section){ r.pos, h.size, h.compressed };
	return 0;
}

static int read_header_info(struct datfile *df, const struct datfile_section *info,
			    struct error *err)
{
	struct strbuf plain = STRBUF_INIT;
	struct dat_reader r;
	int ret;

	ret = datfile_section_open(df, info, &plain, &r, "header info", err);
	if (!ret)
		ret = datfile_header_info(df, &r, err);
	strbuf_free(&plain);
	return ret;
}

static int option_section(struct datfile *df, struct dat_reader *r, u16 id, struct error *err)
{
	struct datfile_section info;
	u64 offset = dat_u64(r);
	int ret;

	switch (id) {
	case DAT_OPTION_HEADER_INFO:
		ret = note_section(df, offset, id, &info);
		if (!ret)
			return read_header_info(df, &info, err);
		break;
	case DAT_OPTION_EVENT_FORMATS:
		ret = note_section(df, offset, id, &df->formats);
		break;
	case DAT_OPTION_FTRACE_EVENTS:
		ret = note_section(df, offset, id, &df->ftrace_formats);
		break;
	case DAT_OPTION_KALLSYMS:
		ret = note_section(df, offset, id, &df->kallsyms);
		break;
	case DAT_OPTION_CMDLINES:
		ret = note_section(df, offset, id, &df->cmdlines);
		break;
	default:
		return 0;
	}
	if (ret)
		return datfile_error(df, r, err, "the place of a section");
	return 0;
}

static int option_buffer(struct datfile *df, struct dat_reader *r)
{
	struct dat_reader section = { .df = df, .pos = dat_u64(r), .end = df->size_bytes };
	char *name = dat_string(r, 4096), *clock = name ? dat_string(r, 4096) : NULL;
	u32 page_size = dat_u32(r), nr_cpus = dat_u32(r), i;
	struct datfile_buffer *buffer;
	u64 offset, size;
	int ret = 0;

	if (!clock || r->failed || (u64)nr_cpus * 20 > r->end - r->pos) {
		free(name);
		free(clock);
		return r->failed ? r->failed : -EBADMSG;
	}
	buffer = datfile_add_buffer(df, name, clock, nr_cpus);
	if (!buffer)
		return -ENOMEM;
	if (page_size < 64 || page_size > (64u << 20))
		return -EBADMSG;
	buffer->layout.size = page_size;
	buffer->compressed = read_section_header(&section).compressed;
	for (i = 0; i < nr_cpus && !r->failed && !ret; i++) {
		buffer->cpus[i].cpu = dat_u32(r);
		offset = dat_u64(r);
		size = dat_u64(r);
		if (!r->failed)
			ret = datfile_add_extent(df, &buffer->cpus[i], offset, size);
	}
	return r->failed ? r->failed : ret;
}

static int read_option(struct datfile *df, struct dat_reader *r, u16 id, u32 size,
		       struct error *err)
{
	struct dat_reader option = *r;

	option.end = r->pos + size;
	switch (id) {
	case DAT_OPTION_BUFFER:
		if (option_buffer(df, &option))
			return datfile_error(df, &option, err, "option BUFFER");
		break;
	case DAT_OPTION_HEADER_INFO:
	case DAT_OPTION_FTRACE_EVENTS:
	case DAT_OPTION_EVENT_FORMATS:
	case DAT_OPTION_KALLSYMS:
	case DAT_OPTION_CMDLINES:
		if (size != 8)
			return datfile_error(df, r, err, "an option");
		return option_section(df, &option, id, err);
	default:
		if (datfile_option(df, &option, id, size))
			return datfile_error(df, &option, err, "an option");
		break;
	}
	return 0;
}

/* One options section. *next becomes the offset of the next one, 0 at the end. */
static int read_options(struct datfile *df, u64 at, u64 *next, u64 *end, struct error *err)
{
	struct dat_reader r = { .df = df, .pos = at, .end = df->size_bytes };
	struct section_header h = read_section_header(&r);
	u32 size;
	u16 id;
	int ret;

	if (r.failed || h.id != DAT_SECTION_OPTIONS || h.compressed ||
	    h.size > df->size_bytes - r.pos)
		return datfile_error(df, &r, err, "an options section");
	r.end = r.pos + h.size;
	*end = r.end;
	*next = 0;
	while (r.pos < r.end) {
		id = dat_u16(&r);
		size = dat_u32(&r);
		if (r.failed || size > r.end - r.pos)
			return datfile_error(df, &r, err, "an option");
		if (id == DAT_OPTION_DONE) {
			if (size == 8)
				*next = dat_u64(&r);
			return 0;
		}
		ret = read_option(df, &r, id, size, err);
		if (ret)
			return ret;
		r.pos += size;
	}
	return 0;
}

static enum datfile_compression compression_of(const char *name)
{
	if (!strcmp(name, "none"))
		return DATFILE_NONE;
	if (!strcmp(name, "zstd"))
		return DATFILE_ZSTD;
	if (!strcmp(name, "zlib"))
		return DATFILE_ZLIB;
	return DATFILE_UNKNOWN;
}

static int read_compression(struct datfile *df, struct dat_reader *r, struct error *err)
{
	char *name = dat_string(r, 64), *version = name ? dat_string(r, 64) : NULL;

	if (version) {
		strncpy(df->compression_name, name, sizeof(df->compression_name) - 1);
		df->compression = compression_of(name);
	}
	free(name);
	free(version);
	if (!version)
		return datfile_error(df, r, err, "file header");
	if (df->compression == DATFILE_UNKNOWN) {
		struct strbuf safe = STRBUF_INIT;

		strbuf_put_escaped(&safe, df->compression_name, strlen(df->compression_name));
		error_set(err, ENOTSUP,
			  "%s: compressed with '%s'; this skbtrail knows zstd and "
			  "zlib",
			  df->path, strbuf_cstr(&safe));
		strbuf_free(&safe);
		return -ENOTSUP;
	}
	return 0;
}

/* Our own block between the file header and the first options section, if there is one. */
static void read_meta(struct datfile *df, u64 at, u64 end)
{
	struct dat_reader r = { .df = df, .pos = at, .end = end };
	u64 size;

	if (at >= end || !dat_expect(&r, DATFILE_META_MAGIC, 8))
		return;
	size = dat_u64(&r);
	if (!r.failed && size <= MAX_META_BYTES)
		dat_bytes(&r, size, &df->meta);
}

static struct datfile_cpu *stream_cpu(struct datfile_buffer *buffer, u32 cpu)
{
	struct datfile_cpu *cpus;

	if (cpu >= DATFILE_MAX_CPUS)
		return NULL;
	if (cpu >= buffer->nr_cpus) {
		cpus = realloc(buffer->cpus, (cpu + 1) * sizeof(*cpus));
		if (!cpus)
			return NULL;
		memset(cpus + buffer->nr_cpus, 0, (cpu + 1 - buffer->nr_cpus) * sizeof(*cpus));
		buffer->cpus = cpus;
		for (; buffer->nr_cpus <= cpu; buffer->nr_cpus++)
			cpus[buffer->nr_cpus].cpu = buffer->nr_cpus;
	}
	return &buffer->cpus[cpu];
}

static int read_extent(struct datfile *df, struct dat_reader *r, struct datfile_buffer *buffer,
		       bool names, u32 number, u64 size)
{
	struct datfile_cpu *cpu;
	int ret;

	if (names) {
		df->unfinished = size > r->end - r->pos;
		dat_bytes(r, df->unfinished ? r->end - r->pos : size, &df->tasks);
		return r->failed;
	}
	cpu = stream_cpu(buffer, number);
	if (r->failed || !cpu)
		return -EBADMSG;
	ret = datfile_add_extent(df, cpu, r->pos, size);
	if (ret)
		return ret;
	r->pos += size < r->end - r->pos ? size : r->end - r->pos;
	return 0;
}

/* The extents of a stream; what ends in the middle is cut to whole sub-buffers by the reader. */
static int read_extents(struct datfile *df, u64 at, struct error *err)
{
	struct dat_reader r = { .df = df, .pos = at, .end = df->size_bytes };
	struct datfile_buffer *buffer;
	struct strbuf magic = STRBUF_INIT;
	bool names, good = true;
	u32 number;
	u64 size;

	buffer = datfile_add_buffer(df, strdup(""), strdup(df->clock ? df->clock : ""), 0);
	if (!buffer)
		return error_errno(err, ENOMEM, "%s", df->path);
	df->unfinished = true;
	while (good && r.end - r.pos >= 24) {
		magic.len = 0;
		dat_bytes(&r, 8, &magic);
		number = dat_u32(&r);
		dat_u32(&r);
		size = dat_u64(&r);
		if (r.failed)
			break;
		names = !memcmp(magic.data, DATFILE_NAMES_MAGIC, 8);
		good = (names || !memcmp(magic.data, DATFILE_EXTENT_MAGIC, 8)) &&
		       !read_extent(df, &r, buffer, names, number, size);
	}
	strbuf_free(&magic);
	if (!good || r.failed)
		return datfile_error(df, &r, err, "an extent of ring-buffer data");
	if (r.pos != r.end)
		df->cut_off = true;
	return 0;
}

int datfile_parse_v7(struct datfile *df, struct dat_reader *r, struct error *err)
{
	u64 next, first, end = 0;
	u32 size, i;
	int ret;

	ret = read_compression(df, r, err);
	if (ret)
		return ret;
	first = next = dat_u64(r);
	if (r->failed || !first)
		return datfile_error(df, r, err, "file header");
	read_meta(df, r->pos, first);
	while (next) {
		ret = read_options(df, next, &next, &end, err);
		if (ret)
			return ret;
		/* Writers append, so a chain that goes back is a loop (or a waste of time). */
		if (next && next < end)
			return datfile_error(df, r, err, "the chain of options sections");
	}
	if (!df->layout.size)
		return datfile_error(df, r, err, "the description of the ring buffer (missing)");
	for (i = 0; i < df->nr_buffers; i++) {
		size = df->buffers[i].layout.size;
		df->buffers[i].layout = df->layout;
		df->buffers[i].layout.size = size;
	}
	if (!df->nr_buffers && df->meta.len)
		return read_extents(df, end, err);
	return 0;
}
