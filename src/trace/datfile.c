// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trace.dat -> struct datfile: the file header, what versions 6 and 7 share, and the tables that
 * are read on demand. The versions themselves are in datfile_v6.c and datfile_v7.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/datfile_internal.h"
#include "trace/inflate.h"

static void dat_read(struct dat_reader *r, void *to, u64 size)
{
	u64 done = 0;
	ssize_t got;

	if (!size)
		return;
	memset(to, 0, size);
	if (r->failed)
		return;
	if (r->pos > r->end || size > r->end - r->pos) {
		r->failed = -EBADMSG;
		return;
	}
	if (r->mem) {
		memcpy(to, r->mem + r->pos, size);
		r->pos += size;
		return;
	}
	while (done < size) {
		got = pread(r->df->fd, (u8 *)to + done, size - done, (off_t)(r->pos + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			r->failed = got < 0 ? -errno : -EBADMSG;
			return;
		}
		done += (u64)got;
	}
	r->pos += size;
}

u8 dat_u8(struct dat_reader *r)
{
	u8 v;

	dat_read(r, &v, sizeof(v));
	return v;
}

u16 dat_u16(struct dat_reader *r)
{
	u8 v[2];

	dat_read(r, v, sizeof(v));
	return load_u16(v, r->df->swap);
}

u32 dat_u32(struct dat_reader *r)
{
	u8 v[4];

	dat_read(r, v, sizeof(v));
	return load_u32(v, r->df->swap);
}

u64 dat_u64(struct dat_reader *r)
{
	u8 v[8];

	dat_read(r, v, sizeof(v));
	return load_u64(v, r->df->swap);
}

void dat_bytes(struct dat_reader *r, u64 size, struct strbuf *sb)
{
	if (r->failed)
		return;
	if (r->pos > r->end || size > r->end - r->pos) {
		r->failed = -EBADMSG;
		return;
	}
	if (!strbuf_reserve(sb, size)) {
		r->failed = -ENOMEM;
		return;
	}
	dat_read(r, sb->data + sb->len, size);
	if (!r->failed)
		sb->len += size;
}

char *dat_string(struct dat_reader *r, size_t max)
{
	char *text = malloc(max + 1);
	u64 want = r->pos < r->end ? r->end - r->pos : 0;
	size_t len;

	if (!text || r->failed)
		goto fail;
	if (want > max)
		want = max;
	dat_read(r, text, want);
	len = strnlen(text, want);
	if (r->failed || len == want) {
		r->failed = r->failed ? r->failed : -EBADMSG;
		goto fail;
	}
	r->pos -= want - len - 1;
	return text;
fail:
	if (!r->failed)
		r->failed = -ENOMEM;
	free(text);
	return NULL;
}

void dat_skip(struct dat_reader *r, u64 size)
{
	if (!r->failed && (r->pos > r->end || size > r->end - r->pos))
		r->failed = -EBADMSG;
	if (!r->failed)
		r->pos += size;
}

bool dat_expect(struct dat_reader *r, const void *what, size_t size)
{
	u8 got[32];

	dat_read(r, got, size);
	return !r->failed && !memcmp(got, what, size);
}

int datfile_error(struct datfile *df, const struct dat_reader *r, struct error *err,
		  const char *what)
{
	if (r && r->failed && r->failed != -EBADMSG)
		return error_errno(err, -r->failed, "%s: cannot read %s", df->path, what);
	return error_set(err, EBADMSG, "%s: damaged or cut off: %s at byte %llu of %llu", df->path,
			 what, r ? (unsigned long long)r->pos : 0ULL,
			 (unsigned long long)df->size_bytes);
}

struct datfile_buffer *datfile_add_buffer(struct datfile *df, char *name, char *clock, u32 nr_cpus)
{
	struct datfile_buffer *all, *buffer;
	u32 sum = nr_cpus, i;

	if (df->nr_buffers >= DATFILE_MAX_BUFFERS || nr_cpus > DATFILE_MAX_CPUS || !name || !clock)
		goto fail;
	for (i = 0; i < df->nr_buffers; i++)
		sum += df->buffers[i].nr_cpus;
	if (sum > DATFILE_MAX_CPU_TABLES)
		goto fail;
	all = realloc(df->buffers, (df->nr_buffers + 1) * sizeof(*all));
	if (!all)
		goto fail;
	df->buffers = all;
	buffer = &all[df->nr_buffers];
	memset(buffer, 0, sizeof(*buffer));
	buffer->cpus = calloc(nr_cpus ? nr_cpus : 1, sizeof(*buffer->cpus));
	if (!buffer->cpus)
		goto fail;
	buffer->name = name;
	buffer->clock = clock;
	buffer->nr_cpus = nr_cpus;
	buffer->layout = df->layout;
	df->nr_buffers++;
	return buffer;
fail:
	free(name);
	free(clock);
	return NULL;
}

int datfile_add_extent(struct datfile *df, struct datfile_cpu *cpu, u64 offset, u64 size)
{
	struct datfile_extent *extents;

	if (!size)
		return 0;
	if (offset >= df->size_bytes || size > df->size_bytes - offset) {
		df->cut_off = true;
		if (offset >= df->size_bytes)
			return 0;
		size = df->size_bytes - offset;
	}
	if (size > df->size_bytes - df->data_bytes)
		return -EBADMSG;
	df->data_bytes += size;
	/* Grow in powers of two; a stream has many extents. */
	if (!(cpu->nr_extents & (cpu->nr_extents - 1))) {
		u32 room = cpu->nr_extents ? cpu->nr_extents * 2 : 1;

		extents = realloc(cpu->extents, room * sizeof(*extents));
		if (!extents)
			return -ENOMEM;
		cpu->extents = extents;
	}
	cpu->extents[cpu->nr_extents++] = (struct datfile_extent){ offset, size };
	return 0;
}

static void option_text(struct dat_reader *r, u32 size, char **to)
{
	struct strbuf sb = STRBUF_INIT;

	dat_bytes(r, size, &sb);
	if (!r->failed && !*to)
		*to = strdup(strbuf_cstr(&sb));
	strbuf_free(&sb);
}

/* Of the content of trace_clock, "local global [mono]", the one in brackets. */
static char *chosen_clock(const char *text)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	return close ? strndup(open + 1, (size_t)(close - open - 1)) : strdup(text);
}

static s64 add_wrapping(s64 sum, s64 value, u64 unit)
{
	return (s64)((u64)sum + (u64)value * unit);
}

int datfile_option(struct datfile *df, struct dat_reader *r, u16 id, u32 size)
{
	char *text = NULL;
	u64 start = r->pos;

	if (r->pos > r->end || size > r->end - r->pos) {
		r->failed = -EBADMSG;
		return r->failed;
	}
	switch (id) {
	case DAT_OPTION_CPUSTAT:
		dat_bytes(r, size, &df->cpustats);
		while (df->cpustats.len && !df->cpustats.data[df->cpustats.len - 1])
			df->cpustats.len--;
		strbuf_putc(&df->cpustats, '\n');
		break;
	case DAT_OPTION_TRACECLOCK:
		option_text(r, size, &text);
		if (text && !df->clock)
			df->clock = chosen_clock(text);
		free(text);
		break;
	case DAT_OPTION_UNAME:
		option_text(r, size, &df->uname);
		break;
	case DAT_OPTION_OFFSET:
		option_text(r, size, &text);
		if (text)
			df->ts_offset = add_wrapping(df->ts_offset, strtoll(text, NULL, 0), 1);
		free(text);
		break;
	case DAT_OPTION_DATE:
		option_text(r, size, &text);
		if (text)
			df->ts_offset =
				add_wrapping(df->ts_offset, strtoll(text, NULL, 0), NSEC_PER_USEC);
		free(text);
		break;
	case DAT_OPTION_TSC2NSEC:
		if (size < 16)
			break;
		df->tsc_mult = dat_u32(r);
		df->tsc_shift = dat_u32(r);
		df->tsc_offset = dat_u64(r);
		df->has_tsc2nsec = df->tsc_mult && df->tsc_shift < 64;
		break;
	default:
		break;
	}
	if (!r->failed)
		r->pos = start + size;
	return r->failed;
}

int datfile_header_info(struct datfile *df, struct dat_reader *r, struct error *err)
{
	struct strbuf page = STRBUF_INIT;
	int ret;

	if (!dat_expect(r, "header_page", 12))
		return datfile_error(df, r, err, "header_page");
	dat_bytes(r, dat_u64(r), &page);
	if (!dat_expect(r, "header_event", 13)) {
		strbuf_free(&page);
		return datfile_error(df, r, err, "header_event");
	}
	dat_skip(r, dat_u64(r));
	df->layout.big_endian = df->big_endian;
	df->layout.swap = df->swap;
	ret = subbuffer_layout_parse(&df->layout, strbuf_cstr(&page), page.len);
	strbuf_free(&page);
	if (ret || r->failed)
		return datfile_error(df, r, err, "the description of the ring buffer");
	return 0;
}

int datfile_section_open(struct datfile *df, const struct datfile_section *section,
			 struct strbuf *plain, struct dat_reader *r, const char *what,
			 struct error *err)
{
	struct strbuf packed = STRBUF_INIT;
	struct inflater *inf;
	u32 packed_size, plain_size;
	int ret;

	*r = (struct dat_reader){ .df = df,
				  .pos = section->offset,
				  .end = section->offset + section->size };
	if (!section->compressed)
		return 0;
	packed_size = dat_u32(r);
	plain_size = dat_u32(r);
	dat_bytes(r, packed_size, &packed);
	if (r->failed) {
		strbuf_free(&packed);
		return datfile_error(df, r, err, what);
	}
	inf = inflater_new(df->compression);
	ret = inf ? inflater_run(inf, (u8 *)packed.data, packed.len, plain_size,
				 INFLATE_SECTION_MAX, plain) :
		    -ENOMEM;
	inflater_free(inf);
	strbuf_free(&packed);
	if (ret)
		return datfile_error(df, NULL, err, what);
	*r = (struct dat_reader){ .df = df, .mem = (u8 *)plain->data, .end = plain->len };
	return 0;
}

static int each_event(struct dat_reader *r, const char *system, u32 count, datfile_format_fn fn,
		      void *ctx, struct strbuf *text, struct error *err)
{
	int ret = 0;

	while (count-- && !r->failed && !ret) {
		u64 size = dat_u64(r);

		if (r->mem && !r->failed && size <= r->end - r->pos) {
			ret = fn(ctx, system, (const char *)r->mem + r->pos, size, err);
			r->pos += size;
			continue;
		}
		text->len = 0;
		dat_bytes(r, size, text);
		if (!r->failed)
			ret = fn(ctx, system, text->data, text->len, err);
	}
	return ret;
}

int datfile_each_format(struct datfile *df, datfile_format_fn fn, void *ctx, struct error *err)
{
	struct strbuf plain = STRBUF_INIT, text = STRBUF_INIT;
	struct dat_reader r;
	u32 systems, events;
	char *system;
	int ret;

	if (!df->formats.size)
		return error_set(err, EBADMSG,
				 "%s: has no event formats, so nothing in it can be "
				 "understood",
				 df->path);
	ret = datfile_section_open(df, &df->formats, &plain, &r, "event formats", err);
	if (ret)
		goto out;
	systems = dat_u32(&r);
	while (systems-- && !r.failed && !ret) {
		system = dat_string(&r, 4096);
		if (!system)
			break;
		events = dat_u32(&r);
		ret = each_event(&r, system, events, fn, ctx, &text, err);
		free(system);
	}
	if (!ret && r.failed)
		ret = datfile_error(df, &r, err, "event formats");
out:
	strbuf_free(&plain);
	strbuf_free(&text);
	return ret;
}

int datfile_each_ftrace_format(struct datfile *df, datfile_format_fn fn, void *ctx,
			       struct error *err)
{
	struct strbuf plain = STRBUF_INIT, text = STRBUF_INIT;
	struct dat_reader r;
	int ret;

	if (!df->ftrace_formats.size)
		return 0;
	ret = datfile_section_open(df, &df->ftrace_formats, &plain, &r, "ftrace formats", err);
	if (!ret)
		ret = each_event(&r, "ftrace", dat_u32(&r), fn, ctx, &text, err);
	if (!ret && r.failed)
		ret = datfile_error(df, &r, err, "ftrace formats");
	strbuf_free(&plain);
	strbuf_free(&text);
	return ret;
}

/* A section that is one length and one text; the length has @size_bytes bytes. */
static int read_text(struct datfile *df, const struct datfile_section *section, int size_bytes,
		     struct strbuf *sb, const char *what, struct error *err)
{
	struct strbuf plain = STRBUF_INIT;
	struct dat_reader r;
	u64 size;
	int ret;

	if (!section->size)
		return 0;
	ret = datfile_section_open(df, section, &plain, &r, what, err);
	if (!ret) {
		size = size_bytes == 8 ? dat_u64(&r) : dat_u32(&r);
		if (r.mem && !sb->len && !r.failed && size <= r.end - r.pos) {
			/* Kernel symbols are megabytes: move them in place instead of copying. */
			memmove(plain.data, plain.data + r.pos, size);
			plain.len = size;
			strbuf_free(sb);
			*sb = plain;
			return 0;
		}
		dat_bytes(&r, size, sb);
		if (r.failed)
			ret = datfile_error(df, &r, err, what);
	}
	strbuf_free(&plain);
	return ret;
}

int datfile_read_kallsyms(struct datfile *df, struct strbuf *sb, struct error *err)
{
	return read_text(df, &df->kallsyms, 4, sb, "kernel symbols", err);
}

int datfile_read_cmdlines(struct datfile *df, struct strbuf *sb, struct error *err)
{
	if (df->tasks.len)
		strbuf_put(sb, df->tasks.data, df->tasks.len);
	return read_text(df, &df->cmdlines, 8, sb, "command names", err);
}

/* Standard input to its end, into a file that vanishes with us. */
static int spool_stdin(struct error *err)
{
	const char *dir = getenv("TMPDIR");
	char path[4096], data[65536];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/skbtrail.XXXXXX", dir && *dir ? dir : "/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno,
				   "cannot make a temporary file %s (set TMPDIR to a "
				   "directory with room)",
				   path);
	unlink(path);
	while ((got = read(STDIN_FILENO, data, sizeof(data))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || write(fd, data, (size_t)got) != got) {
			int code = errno ? errno : ENOSPC;

			close(fd);
			return error_errno(err, code,
					   "cannot copy standard input to a temporary "
					   "file in %s",
					   dir && *dir ? dir : "/tmp");
		}
	}
	return fd;
}

static int open_input(struct datfile *df, const char *path, struct error *err)
{
	struct stat st;

	if (!strcmp(path, "-")) {
		free(df->path);
		df->path = strdup("standard input");
		df->fd = spool_stdin(err);
	} else {
		df->fd = open(path, O_RDONLY | O_CLOEXEC);
		if (df->fd < 0)
			return error_errno(err, errno, "cannot open %s", path);
	}
	if (df->fd < 0)
		return df->fd;
	if (fstat(df->fd, &st))
		return error_errno(err, errno, "cannot stat %s", df->path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(err, EINVAL, "%s: not a regular file (a pipe is read as '-')",
				 df->path);
	df->size_bytes = (u64)st.st_size;
	return 0;
}

static int parse_header(struct datfile *df, struct error *err)
{
	struct dat_reader r = { .df = df, .end = df->size_bytes };
	char *version;

	if (!dat_expect(&r, DATFILE_MAGIC, 10))
		return error_set(err, EBADMSG, "%s: not a trace.dat file (%s)", df->path,
				 df->size_bytes < 10 ? "too short" : "wrong first bytes");
	version = dat_string(&r, 16);
	df->version = version ? atoi(version) : 0;
	free(version);
	df->big_endian = dat_u8(&r) != 0;
	df->swap = df->big_endian != HOST_BIG_ENDIAN;
	df->long_size = dat_u8(&r);
	df->page_size = dat_u32(&r);
	if (r.failed)
		return datfile_error(df, &r, err, "file header");
	if (df->version == 6)
		return datfile_parse_v6(df, &r, err);
	if (df->version == 7)
		return datfile_parse_v7(df, &r, err);
	return error_set(err, ENOTSUP,
			 "%s: trace.dat version %d; this skbtrail reads versions 6 "
			 "and 7",
			 df->path, df->version);
}

int datfile_open(struct datfile **out, const char *path, struct error *err)
{
	struct datfile *df = calloc(1, sizeof(*df));
	int ret;

	if (!df)
		return error_errno(err, ENOMEM, "cannot open %s", path);
	df->fd = -1;
	df->path = strdup(path);
	ret = df->path ? open_input(df, path, err) :
			 error_errno(err, ENOMEM, "cannot open %s", path);
	if (!ret)
		ret = parse_header(df, err);
	if (ret) {
		datfile_close(df);
		return ret;
	}
	*out = df;
	return 0;
}

void datfile_close(struct datfile *df)
{
	u32 b, c;

	if (!df)
		return;
	for (b = 0; b < df->nr_buffers; b++) {
		for (c = 0; c < df->buffers[b].nr_cpus; c++)
			free(df->buffers[b].cpus[c].extents);
		free(df->buffers[b].cpus);
		free(df->buffers[b].name);
		free(df->buffers[b].clock);
	}
	free(df->buffers);
	strbuf_free(&df->cpustats);
	strbuf_free(&df->meta);
	strbuf_free(&df->tasks);
	free(df->uname);
	free(df->clock);
	if (df->fd >= 0)
		close(df->fd);
	free(df->path);
	free(df);
}
