// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sub-buffers are appended as extents, each of one CPU; at the end the extents of each CPU are
 * copied one after the other into the final file.
 */
#include "trace/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXTENT_BYTES (1u << 20)
#define EXTENT_HEADER 24

struct extent {
	u64 offset, size;
};

struct cpu_extents {
	struct extent *extent;
	u32 nr, cap;
	u64 size;
};

struct recorder {
	const struct dathead *head;
	struct live *live;
	char *path;
	char *target; /* where a link leads, so that finishing replaces the file and not the link */
	int fd;
	bool stream; /* cannot be finished: a pipe, or standard output */
	bool full;   /* a write failed: nothing more is written */
	u64 at;	     /* where the next extent goes */
	u64 bytes;
	u8 *buffer; /* an extent with its header */
	u32 count;  /* sub-buffers that fit in one */
	struct cpu_extents *cpu;
};

static int write_all(int fd, const void *data, size_t size)
{
	size_t done = 0;
	ssize_t put;

	while (done < size) {
		put = write(fd, (const u8 *)data + done, size - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -ENOSPC;
		done += (size_t)put;
	}
	return 0;
}

static int open_output(struct recorder *r, const char *path, struct error *err)
{
	struct stat st;

	if (!strcmp(path, "-")) {
		if (isatty(STDOUT_FILENO))
			return error_set(err, EINVAL,
					 "standard output is a terminal; pipe it into "
					 "'skbtrail report -' or give a file name with -o");
		r->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		r->stream = true;
		return r->fd < 0 ? error_errno(err, errno, "cannot use standard output") : 0;
	}
	/* Who may also read from a pipe never learns that its reader has gone. */
	r->stream = !stat(path, &st) && !S_ISREG(st.st_mode);
	r->fd = open(path, (r->stream ? O_WRONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0600);
	if (r->fd < 0)
		return error_errno(err, errno, "cannot create %s", path);
	if (r->stream)
		return 0;
	/* An existing file may have been readable by others. */
	if (fchmod(r->fd, 0600) || ftruncate(r->fd, 0))
		return error_errno(err, errno, "cannot overwrite %s", path);
	r->target = realpath(path, NULL);
	return r->target ? 0 : error_errno(err, errno, "cannot find %s again", path);
}

static int write_head(struct recorder *r, struct error *err)
{
	struct strbuf head = STRBUF_INIT;
	int ret;

	ret = dathead_build(r->head, NULL, 0, &head);
	if (!ret)
		ret = write_all(r->fd, head.data, head.len);
	r->at = head.len;
	strbuf_free(&head);
	return ret ? error_errno(err, -ret, "cannot write %s", r->path) : 0;
}

int recorder_open(struct recorder **out, const char *path, const struct dathead *head,
		  struct live *live, struct error *err)
{
	struct recorder *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return error_errno(err, ENOMEM, "cannot record");
	r->fd = -1;
	r->head = head;
	r->live = live;
	r->path = strdup(strcmp(path, "-") ? path : "standard output");
	r->cpu = calloc(live_cpus(live), sizeof(*r->cpu));
	r->count = EXTENT_BYTES / live_layout(live)->size;
	if (!r->count)
		r->count = 1;
	r->buffer = malloc(EXTENT_HEADER + (size_t)r->count * live_layout(live)->size);
	if (!r->path || !r->cpu || !r->buffer)
		ret = error_errno(err, ENOMEM, "cannot record");
	else
		ret = open_output(r, path, err);
	if (!ret)
		ret = write_head(r, err);
	if (ret) {
		recorder_free(r);
		return ret;
	}
	*out = r;
	return 0;
}

static int note_extent(struct recorder *r, u32 index, u64 size)
{
	struct cpu_extents *cpu = &r->cpu[index];
	struct extent *all;
	u32 cap;

	if (cpu->nr == cpu->cap) {
		cap = cpu->cap ? cpu->cap * 2 : 64;
		all = realloc(cpu->extent, cap * sizeof(*all));
		if (!all)
			return -ENOMEM;
		cpu->extent = all;
		cpu->cap = cap;
	}
	cpu->extent[cpu->nr++] = (struct extent){ r->at + EXTENT_HEADER, size };
	cpu->size += size;
	return 0;
}

static void put_extent_header(u8 *to, const char *magic, u32 cpu, u64 size)
{
	memset(to, 0, EXTENT_HEADER);
	memcpy(to, magic, 8);
	memcpy(to + 8, &cpu, 4);
	memcpy(to + 16, &size, 8);
}

/* Write the extent in r->buffer. On failure the file ends before it. */
static int put_extent(struct recorder *r, u32 index, u64 size, struct error *err)
{
	int ret;

	put_extent_header(r->buffer, DATFILE_EXTENT_MAGIC, live_cpu(r->live, index), size);
	ret = write_all(r->fd, r->buffer, EXTENT_HEADER + size);
	if (!ret)
		ret = note_extent(r, index, size);
	if (ret) {
		r->full = true;
		if (!r->stream &&
		    (ftruncate(r->fd, (off_t)r->at) || lseek(r->fd, (off_t)r->at, SEEK_SET) < 0))
			return error_errno(err, errno, "cannot write %s, nor cut it back", r->path);
		return error_errno(err, -ret,
				   "cannot write %s; %llu bytes of records are whole and "
				   "kept",
				   r->path, (unsigned long long)r->bytes);
	}
	r->at += EXTENT_HEADER + size;
	r->bytes += size;
	return 0;
}

s64 recorder_drain(struct recorder *r, struct error *err)
{
	u32 i, size = live_layout(r->live)->size;
	s64 moved = 0;
	int n, ret;

	for (i = 0; i < live_cpus(r->live) && !r->full; i++) {
		do {
			n = live_read(r->live, i, r->buffer + EXTENT_HEADER, r->count);
			if (n < 0)
				return error_errno(err, -n, "cannot read the buffer of CPU %u",
						   live_cpu(r->live, i));
			if (!n)
				break;
			ret = put_extent(r, i, (u64)n * size, err);
			if (ret)
				return ret;
			moved += (s64)n * size;
		} while ((u32)n == r->count);
	}
	return moved;
}

u64 recorder_bytes(const struct recorder *r)
{
	return r->bytes;
}

static int copy_extent(struct recorder *r, int to, const struct extent *extent)
{
	u64 done = 0;
	ssize_t got;
	int ret;

	while (done < extent->size) {
		u64 want = extent->size - done;

		got = pread(r->fd, r->buffer, want < EXTENT_BYTES ? want : EXTENT_BYTES,
			    (off_t)(extent->offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		ret = write_all(to, r->buffer, (size_t)got);
		if (ret)
			return ret;
		done += (u64)got;
	}
	return 0;
}

static int write_final(struct recorder *r, int to)
{
	u32 nr = live_cpus(r->live), i, k;
	struct dathead_cpu *cpus = calloc(nr, sizeof(*cpus));
	struct strbuf head = STRBUF_INIT;
	int ret = cpus ? 0 : -ENOMEM;

	for (i = 0; !ret && i < nr; i++)
		cpus[i] = (struct dathead_cpu){ live_cpu(r->live, i), r->cpu[i].size, 0 };
	if (!ret)
		ret = dathead_build(r->head, cpus, nr, &head);
	if (!ret)
		ret = write_all(to, head.data, head.len);
	for (i = 0; !ret && i < nr; i++)
		for (k = 0; !ret && k < r->cpu[i].nr; k++)
			ret = copy_extent(r, to, &r->cpu[i].extent[k]);
	strbuf_free(&head);
	free(cpus);
	return ret;
}

/* A stream ends with the names of tasks, which only its end knows. */
static int end_stream(struct recorder *r, struct error *err)
{
	u8 header[EXTENT_HEADER];
	int ret;

	if (r->full)
		return 0;
	put_extent_header(header, DATFILE_NAMES_MAGIC, 0, r->head->cmdlines.len);
	ret = write_all(r->fd, header, sizeof(header));
	if (!ret)
		ret = write_all(r->fd, r->head->cmdlines.data, r->head->cmdlines.len);
	return ret ? error_errno(err, -ret, "cannot write %s", r->path) : 0;
}

int recorder_finish(struct recorder *r, struct error *err)
{
	char tmp[4096];
	int to, ret;

	if (r->stream)
		return end_stream(r, err);
	if (snprintf(tmp, sizeof(tmp), "%s.XXXXXX", r->target) >= (int)sizeof(tmp))
		return error_errno(err, ENAMETOOLONG, "cannot finish %s", r->path);
	to = mkostemp(tmp, O_CLOEXEC);
	if (to < 0)
		return error_errno(err, errno, "cannot create %s", tmp);
	ret = write_final(r, to);
	if (!ret && rename(tmp, r->target))
		ret = -errno;
	if (close(to) && !ret)
		ret = -errno;
	if (!ret)
		return 0;
	unlink(tmp);
	return error_errno(err, -ret,
			   "cannot finish %s; it keeps all %llu bytes of records in a "
			   "form that 'skbtrail report' reads and trace-cmd does not",
			   r->path, (unsigned long long)r->bytes);
}

void recorder_free(struct recorder *r)
{
	u32 i;

	if (!r)
		return;
	for (i = 0; r->cpu && i < live_cpus(r->live); i++)
		free(r->cpu[i].extent);
	free(r->cpu);
	free(r->buffer);
	if (r->fd >= 0)
		close(r->fd);
	free(r->path);
	free(r->target);
	free(r);
}
