// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace.dat buffer -> pieces of whole sub-buffers for each CPU, read and decompressed ahead of
 * the consumer by one thread.
 *
 * Each CPU has SLOTS pieces: ->filled counts those made ready, ->taken those handed out; the piece
 * handed out last stays untouched until the consumer asks again. Both are changed under the lock.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace/feeder.h"
#include "trace/inflate.h"

#define SLOTS 4
#define PIECE_BYTES (256u << 10)
#define ALL_PIECES_BYTES (24u << 20)

struct cpu_queue {
	struct strbuf slot[SLOTS];
	u64 filled, taken;
	const struct datfile_cpu *data;
	u32 extent;	 /* which of data->extents is being read */
	u64 at;		 /* how far, from its start */
	u32 chunks_left; /* compressed data only */
	bool started;	 /* the number of chunks was read */
	int end;	 /* 1: no more data; -errno: broken */
};

struct file_feeder {
	struct feeder base;
	struct datfile *df;
	const struct datfile_buffer *buffer;
	struct cpu_queue *queue;
	struct inflater *inflater;
	struct strbuf packed;
	u32 *numbers;
	size_t piece_bytes;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled, room;
	bool running, stop;
};

static int read_at(struct file_feeder *f, u64 offset, size_t size, struct strbuf *sb)
{
	size_t done = 0;
	ssize_t got;

	if (!strbuf_reserve(sb, size))
		return -ENOMEM;
	while (done < size) {
		got = pread(f->df->fd, sb->data + sb->len, size - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EBADMSG;
		sb->len += (size_t)got;
		done += (size_t)got;
	}
	return 0;
}

/* The next piece of uncompressed data: 0, 1 at the end, -errno. */
static int fill_plain(struct file_feeder *f, struct cpu_queue *q, struct strbuf *slot)
{
	const struct datfile_extent *extent;
	u64 size;
	int ret;

	while (q->extent < q->data->nr_extents && q->at >= q->data->extents[q->extent].size) {
		q->extent++;
		q->at = 0;
	}
	if (q->extent >= q->data->nr_extents)
		return 1;
	extent = &q->data->extents[q->extent];
	size = extent->size - q->at;
	if (size > f->piece_bytes)
		size = f->piece_bytes;
	ret = read_at(f, extent->offset + q->at, size, slot);
	q->at += size;
	return ret;
}

/*
 * The next chunk of compressed data: u32 compressed size, u32 plain size, bytes. The size that
 * trace-cmd records for the whole leaves out a few bytes at the end (3.1.6), so the count of chunks
 * says where it ends, and the file's size is the bound.
 */
static int fill_chunk(struct file_feeder *f, struct cpu_queue *q, struct strbuf *slot)
{
	const struct datfile_extent *extent = q->data->extents;
	u32 packed_size, plain_size;
	size_t before = slot->len;
	u64 limit;
	int ret;

	if (!q->data->nr_extents)
		return 1;
	limit = f->df->size_bytes - extent->offset;
	f->packed.len = 0;
	if (!q->started) {
		if (limit < 4)
			return -EBADMSG;
		ret = read_at(f, extent->offset, 4, &f->packed);
		if (ret)
			return ret;
		q->chunks_left = load_u32(f->packed.data, f->df->swap);
		q->started = true;
		q->at = 4;
		f->packed.len = 0;
	}
	if (!q->chunks_left)
		return 1;
	q->chunks_left--;
	if (limit - q->at < 8)
		return -EBADMSG;
	ret = read_at(f, extent->offset + q->at, 8, &f->packed);
	if (ret)
		return ret;
	packed_size = load_u32(f->packed.data, f->df->swap);
	plain_size = load_u32(f->packed.data + 4, f->df->swap);
	q->at += 8;
	if (packed_size > limit - q->at)
		return -EBADMSG;
	f->packed.len = 0;
	ret = read_at(f, extent->offset + q->at, packed_size, &f->packed);
	if (ret)
		return ret;
	q->at += packed_size;
	ret = inflater_run(f->inflater, (u8 *)f->packed.data, packed_size, plain_size,
			   (size_t)f->buffer->layout.size * INFLATE_CHUNK_SUBBUFFERS, slot);
	if (ret)
		slot->len = before; /* a chunk is whole or not there */
	return ret;
}

/* Several chunks at once: trace-cmd's are 40 KiB, and each hand-over costs two wake-ups. */
static int fill_chunks(struct file_feeder *f, struct cpu_queue *q, struct strbuf *slot)
{
	int ret;

	do {
		ret = fill_chunk(f, q, slot);
		if (ret > 0 && slot->len)
			return 0; /* the end; asked again, it says so again */
	} while (!ret && slot->len < f->piece_bytes);
	return ret;
}

/* Fill one free slot somewhere; false when there is none. Called and returns with the lock held. */
static bool fill_one(struct file_feeder *f, u32 *turn)
{
	struct cpu_queue *q;
	struct strbuf *slot;
	u32 i;
	int ret;

	for (i = 0; i < f->base.nr_cpus; i++) {
		*turn = *turn + 1 < f->base.nr_cpus ? *turn + 1 : 0;
		q = &f->queue[*turn];
		/* The piece handed out last is still in use. */
		if (q->end || q->filled - q->taken + 1 >= SLOTS)
			continue;
		slot = &q->slot[q->filled % SLOTS];
		pthread_mutex_unlock(&f->lock);
		slot->len = 0;
		ret = f->buffer->compressed ? fill_chunks(f, q, slot) : fill_plain(f, q, slot);
		pthread_mutex_lock(&f->lock);
		if (ret)
			q->end = ret;
		/* What was read before an error is whole. */
		if (slot->len)
			q->filled++;
		pthread_cond_signal(&f->filled);
		return true;
	}
	return false;
}

static void *read_ahead(void *arg)
{
	struct file_feeder *f = arg;
	u32 turn = 0;

	pthread_mutex_lock(&f->lock);
	while (!f->stop)
		if (!fill_one(f, &turn))
			pthread_cond_wait(&f->room, &f->lock);
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static int file_next(struct feeder *base, u32 index, const u8 **data, size_t *len)
{
	struct file_feeder *f = (struct file_feeder *)base;
	struct cpu_queue *q = &f->queue[index];
	struct strbuf *slot;
	int ret = 0;

	pthread_mutex_lock(&f->lock);
	do {
		while (q->filled == q->taken && !q->end)
			pthread_cond_wait(&f->filled, &f->lock);
		if (q->filled == q->taken) {
			ret = q->end < 0 ? q->end : 0;
			q->end = 1; /* report it once */
			pthread_mutex_unlock(&f->lock);
			return ret;
		}
		slot = &q->slot[q->taken++ % SLOTS];
		pthread_cond_signal(&f->room);
	} while (!slot->len);
	pthread_mutex_unlock(&f->lock);
	*data = (const u8 *)slot->data;
	*len = slot->len;
	return 1;
}

static void file_free(struct feeder *base)
{
	struct file_feeder *f = (struct file_feeder *)base;
	u32 i, k;

	if (f->running) {
		pthread_mutex_lock(&f->lock);
		f->stop = true;
		pthread_cond_signal(&f->room);
		pthread_mutex_unlock(&f->lock);
		pthread_join(f->thread, NULL);
	}
	for (i = 0; f->queue && i < f->base.nr_cpus; i++)
		for (k = 0; k < SLOTS; k++)
			strbuf_free(&f->queue[i].slot[k]);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->filled);
	pthread_cond_destroy(&f->room);
	inflater_free(f->inflater);
	strbuf_free(&f->packed);
	free(f->queue);
	free(f->numbers);
	free(f);
}

static size_t piece_size(const struct datfile_buffer *buffer)
{
	size_t piece = ALL_PIECES_BYTES / SLOTS / (buffer->nr_cpus ? buffer->nr_cpus : 1);

	if (piece > PIECE_BYTES)
		piece = PIECE_BYTES;
	piece -= piece % buffer->layout.size;
	return piece ? piece : buffer->layout.size;
}

int feeder_file(struct feeder **out, struct datfile *df, const struct datfile_buffer *buffer,
		struct error *err)
{
	struct file_feeder *f = calloc(1, sizeof(*f));
	int ret = ENOMEM;
	u32 i;

	if (!f)
		return error_errno(err, ENOMEM, "%s", df->path);
	f->base = (struct feeder){ buffer->nr_cpus, NULL, file_next, file_free };
	f->df = df;
	f->buffer = buffer;
	f->piece_bytes = piece_size(buffer);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->filled, NULL);
	pthread_cond_init(&f->room, NULL);
	f->queue = calloc(buffer->nr_cpus ? buffer->nr_cpus : 1, sizeof(*f->queue));
	f->numbers = calloc(buffer->nr_cpus ? buffer->nr_cpus : 1, sizeof(*f->numbers));
	if (buffer->compressed)
		f->inflater = inflater_new(df->compression);
	if (!f->queue || !f->numbers || (buffer->compressed && !f->inflater))
		goto fail;
	for (i = 0; i < buffer->nr_cpus; i++) {
		f->queue[i].data = &buffer->cpus[i];
		f->numbers[i] = buffer->cpus[i].cpu;
	}
	f->base.cpus = f->numbers;
	ret = pthread_create(&f->thread, NULL, read_ahead, f);
	if (ret)
		goto fail;
	f->running = true;
	*out = &f->base;
	return 0;
fail:
	file_free(&f->base);
	return error_errno(err, ret, "%s: cannot start reading", df->path);
}
