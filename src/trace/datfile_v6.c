// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trace.dat version 6: one table after the other, as trace-cmd.dat.v6(5) describes.
 *
 * Nothing is compressed; the sub-buffer size is the file's page size; a buffer other than the
 * top-level one is an option that points at its own "flyrecord" table.
 */
#include <errno.h>
#include <stdlib.h>

#include "trace/datfile_internal.h"

#define TAG_SIZE 10

static int skip_formats(struct dat_reader *r)
{
	u32 count = dat_u32(r);

	while (count-- && !r->failed)
		dat_skip(r, dat_u64(r));
	return r->failed;
}

static int skip_systems(struct dat_reader *r)
{
	u32 systems = dat_u32(r);

	while (systems-- && !r->failed) {
		free(dat_string(r, 4096));
		skip_formats(r);
	}
	return r->failed;
}

/* A table that is one length and one text. */
static void note_text(struct dat_reader *r, struct datfile_section *section, bool wide)
{
	u64 size;

	section->offset = r->pos;
	size = wide ? dat_u64(r) : dat_u32(r);
	dat_skip(r, size);
	section->size = size ? r->pos - section->offset : 0;
}

static void set_page_size(struct datfile *df)
{
	if (df->page_size > df->layout.data_offset && df->page_size <= (64u << 20))
		df->layout.size = df->page_size;
}

static int read_flyrecord(struct datfile *df, struct dat_reader *r, struct datfile_buffer *buffer)
{
	u64 offset, size;
	int ret = 0;
	u32 i;

	for (i = 0; i < buffer->nr_cpus && !r->failed && !ret; i++) {
		buffer->cpus[i].cpu = i;
		offset = dat_u64(r);
		size = dat_u64(r);
		if (!r->failed)
			ret = datfile_add_extent(df, &buffer->cpus[i], offset, size);
	}
	return r->failed ? r->failed : ret;
}

/* The option of a named buffer: where its table is, and its name. */
static int option_buffer(struct datfile *df, struct dat_reader *r, u32 size, u32 nr_cpus)
{
	u64 end = r->pos + size;
	struct dat_reader sub = *r;
	struct datfile_buffer *buffer;
	char *name;

	if (size < 9 || size > r->end - r->pos)
		return r->failed = -EBADMSG;
	sub.pos = dat_u64(r);
	r->end = end;
	name = dat_string(r, size - 8);
	r->end = sub.end;
	r->pos = end;
	if (!name)
		return r->failed;
	buffer = datfile_add_buffer(df, name, strdup(""), nr_cpus);
	if (!buffer)
		return r->failed = -EBADMSG;
	if (!dat_expect(&sub, "flyrecord", TAG_SIZE))
		return r->failed = -EBADMSG;
	return r->failed = read_flyrecord(df, &sub, buffer);
}

static int read_options(struct datfile *df, struct dat_reader *r, u32 *nr_cpus)
{
	u32 size;
	u16 id;

	for (;;) {
		id = dat_u16(r);
		if (r->failed || id == DAT_OPTION_DONE)
			return r->failed;
		size = dat_u32(r);
		if (id == DAT_OPTION_BUFFER) {
			option_buffer(df, r, size, *nr_cpus);
		} else if (id == DAT_OPTION_CPUCOUNT && size == 4) {
			*nr_cpus = dat_u32(r);
			if (*nr_cpus > DATFILE_MAX_CPUS)
				r->failed = -EBADMSG;
		} else {
			datfile_option(df, r, id, size);
		}
	}
}

int datfile_parse_v6(struct datfile *df, struct dat_reader *r, struct error *err)
{
	struct datfile_buffer *top;
	u8 tag[TAG_SIZE + 1] = { 0 };
	u32 nr_cpus, i;
	int ret;

	ret = datfile_header_info(df, r, err);
	if (ret)
		return ret;
	set_page_size(df);
	df->ftrace_formats.offset = r->pos;
	skip_formats(r);
	df->ftrace_formats.size = r->pos - df->ftrace_formats.offset;
	df->formats.offset = r->pos;
	skip_systems(r);
	df->formats.size = r->pos - df->formats.offset;
	note_text(r, &df->kallsyms, false);
	dat_skip(r, dat_u32(r)); /* printk formats */
	note_text(r, &df->cmdlines, true);
	nr_cpus = dat_u32(r);
	if (r->failed || nr_cpus > DATFILE_MAX_CPUS)
		return datfile_error(df, r, err, "tables");
	for (;;) {
		for (i = 0; i < TAG_SIZE; i++)
			tag[i] = dat_u8(r);
		if (r->failed)
			return datfile_error(df, r, err, "options");
		if (memcmp(tag, "options  ", TAG_SIZE))
			break;
		if (read_options(df, r, &nr_cpus))
			return datfile_error(df, r, err, "options");
	}
	if (!memcmp(tag, "latency  ", TAG_SIZE))
		return error_set(err, ENOTSUP, "%s: holds latency text, not ring-buffer records",
				 df->path);
	if (memcmp(tag, "flyrecord", TAG_SIZE))
		return datfile_error(df, r, err, "the table of ring-buffer data");
	top = datfile_add_buffer(df, strdup(""), strdup(df->clock ? df->clock : ""), nr_cpus);
	if (!top)
		return datfile_error(df, r, err, "the number of buffers and CPUs");
	if (read_flyrecord(df, r, top))
		return datfile_error(df, r, err, "the table of ring-buffer data");
	return 0;
}
