// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trace_pipe_raw of each CPU -> whole sub-buffers.
 */
#include "trace/live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE_BYTES (256u << 10)
#define ALL_PIECES_BYTES (32u << 20)

struct live {
	struct subbuffer_layout layout;
	struct pollfd *poll; /* one for each CPU, then room for the caller's */
	u32 *cpus;
	u32 nr;
	u32 poll_room;
};

struct live_feed {
	struct feeder base;
	struct live *live;
	u8 **piece; /* a buffer for each CPU, made when it is first needed */
	u32 count;  /* sub-buffers that fit in one */
};

static int read_layout(struct live *live, const char *dir, struct error *err)
{
	struct strbuf page = STRBUF_INIT;
	char path[4096];
	int ret;

	snprintf(path, sizeof(path), "%s/events/header_page", dir);
	ret = strbuf_read_file(&page, path, 65536);
	if (ret == -ENOENT) {
		/* Older kernels have it at the top level only. */
		snprintf(path, sizeof(path), "%s/../../events/header_page", dir);
		ret = strbuf_read_file(&page, path, 65536);
	}
	if (ret) {
		error_errno(err, -ret, "cannot read %s", path);
	} else {
		live->layout.big_endian = HOST_BIG_ENDIAN;
		ret = subbuffer_layout_parse(&live->layout, strbuf_cstr(&page), page.len);
		if (ret)
			error_set(err, EINVAL,
				  "%s: not a description of a ring buffer that this "
				  "skbtrail understands",
				  path);
	}
	strbuf_free(&page);
	return ret;
}

static int compare_u32(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* The numbers in per_cpu/, sorted. CPUs may be missing in between. */
static int list_cpus(struct live *live, const char *dir, struct error *err)
{
	char path[4096], *end;
	struct dirent *entry;
	unsigned long cpu;
	u32 *cpus;
	DIR *d;

	snprintf(path, sizeof(path), "%s/per_cpu", dir);
	d = opendir(path);
	if (!d)
		return error_errno(err, errno, "cannot open %s", path);
	while ((entry = readdir(d))) {
		if (strncmp(entry->d_name, "cpu", 3))
			continue;
		cpu = strtoul(entry->d_name + 3, &end, 10);
		if (*end || end == entry->d_name + 3 || cpu > 65535)
			continue;
		cpus = realloc(live->cpus, (live->nr + 1) * sizeof(*cpus));
		if (!cpus) {
			closedir(d);
			return error_errno(err, ENOMEM, "cannot open the buffers");
		}
		live->cpus = cpus;
		cpus[live->nr++] = (u32)cpu;
	}
	closedir(d);
	if (!live->nr)
		return error_set(err, ENOENT, "%s lists no CPU", path);
	qsort(live->cpus, live->nr, sizeof(*live->cpus), compare_u32);
	return 0;
}

static int open_buffers(struct live *live, const char *dir, struct error *err)
{
	char path[4096];
	u32 i;

	live->poll_room = live->nr + 8;
	live->poll = calloc(live->poll_room, sizeof(*live->poll));
	if (!live->poll)
		return error_errno(err, ENOMEM, "cannot open the buffers");
	for (i = 0; i < live->nr; i++)
		live->poll[i].fd = -1;
	for (i = 0; i < live->nr; i++) {
		snprintf(path, sizeof(path), "%s/per_cpu/cpu%u/trace_pipe_raw", dir, live->cpus[i]);
		live->poll[i].fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		live->poll[i].events = POLLIN;
		if (live->poll[i].fd < 0)
			return error_errno(err, errno, "cannot open %s", path);
	}
	return 0;
}

int live_open(struct live **out, const char *dir, struct error *err)
{
	struct live *live = calloc(1, sizeof(*live));
	int ret;

	if (!live)
		return error_errno(err, ENOMEM, "cannot open the buffers");
	ret = read_layout(live, dir, err);
	if (!ret)
		ret = list_cpus(live, dir, err);
	if (!ret)
		ret = open_buffers(live, dir, err);
	if (ret) {
		live_close(live);
		return ret;
	}
	*out = live;
	return 0;
}

void live_close(struct live *live)
{
	u32 i;

	if (!live)
		return;
	for (i = 0; live->poll && i < live->nr; i++)
		if (live->poll[i].fd >= 0)
			close(live->poll[i].fd);
	free(live->poll);
	free(live->cpus);
	free(live);
}

const struct subbuffer_layout *live_layout(const struct live *live)
{
	return &live->layout;
}

u32 live_cpus(const struct live *live)
{
	return live->nr;
}

u32 live_cpu(const struct live *live, u32 index)
{
	return live->cpus[index];
}

int live_wait(struct live *live, struct pollfd *extra, u32 nr_extra, int timeout_ms)
{
	u32 i;

	if (live->nr + nr_extra > live->poll_room)
		return -E2BIG;
	for (i = 0; i < nr_extra; i++)
		live->poll[live->nr + i] = extra[i];
	if (poll(live->poll, live->nr + nr_extra, timeout_ms) < 0) {
		if (errno != EINTR)
			return -errno;
		for (i = 0; i < nr_extra; i++)
			extra[i].revents = 0;
		return 0;
	}
	for (i = 0; i < nr_extra; i++)
		extra[i].revents = live->poll[live->nr + i].revents;
	return 0;
}

/* A CPU that has never been on has no buffer; poll() would call that an event for ever. */
static void forget_cpu(struct live *live, u32 index)
{
	close(live->poll[index].fd);
	live->poll[index].fd = -1;
}

int live_read(struct live *live, u32 index, u8 *to, u32 count)
{
	u32 size = live->layout.size, n;
	ssize_t got;

	if (live->poll[index].fd < 0)
		return 0;
	for (n = 0; n < count; n++, to += size) {
		do {
			got = read(live->poll[index].fd, to, size);
		} while (got < 0 && errno == EINTR);
		if (got <= 0) {
			if (got < 0 && errno == ENODEV)
				forget_cpu(live, index);
			else if (got < 0 && errno != EAGAIN && !n)
				return -errno; /* after records: those first */
			break;
		}
		if ((size_t)got < size)
			memset(to + got, 0, size - (size_t)got);
	}
	return (int)n;
}

static int feed_next(struct feeder *base, u32 index, const u8 **data, size_t *len)
{
	struct live_feed *f = (struct live_feed *)base;
	u32 size = f->live->layout.size;
	int n;

	if (!f->piece[index]) {
		f->piece[index] = malloc((size_t)f->count * size);
		if (!f->piece[index])
			return -ENOMEM;
	}
	n = live_read(f->live, index, f->piece[index], f->count);
	if (n <= 0)
		return n;
	*data = f->piece[index];
	*len = (size_t)n * size;
	return 1;
}

static void feed_free(struct feeder *base)
{
	struct live_feed *f = (struct live_feed *)base;
	u32 i;

	for (i = 0; f->piece && i < f->base.nr_cpus; i++)
		free(f->piece[i]);
	free(f->piece);
	free(f);
}

int live_feeder(struct feeder **out, struct live *live, struct error *err)
{
	struct live_feed *f = calloc(1, sizeof(*f));
	size_t piece = ALL_PIECES_BYTES / live->nr;

	if (!f || !(f->piece = calloc(live->nr, sizeof(*f->piece)))) {
		free(f);
		return error_errno(err, ENOMEM, "cannot read the buffers");
	}
	if (piece > PIECE_BYTES)
		piece = PIECE_BYTES;
	f->base = (struct feeder){ live->nr, live->cpus, feed_next, feed_free };
	f->live = live;
	f->count = (u32)(piece / live->layout.size);
	if (!f->count)
		f->count = 1;
	*out = &f->base;
	return 0;
}
