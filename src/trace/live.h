/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the ring buffers of a running instance: per_cpu/cpuN/trace_pipe_raw.
 *
 * A read() hands over one sub-buffer. What is read is gone from the kernel's buffer.
 */
#ifndef SKBTRAIL_TRACE_LIVE_H
#define SKBTRAIL_TRACE_LIVE_H

#include "base/error.h"
#include "trace/feeder.h"

struct live;

/**
 * live_open - open the buffers of every CPU of an instance, for reads that do not wait
 * @dir: the instance's directory
 *
 * The sub-buffer size is the instance's own (its events/header_page), not the top level's:
 * libtracefs 1.6 to 1.8 mixes them up.
 */
int live_open(struct live **out, const char *dir, struct error *err);

/** live_close - must come before the instance is removed: an open buffer keeps it busy */
void live_close(struct live *live);

const struct subbuffer_layout *live_layout(const struct live *live);
u32 live_cpus(const struct live *live);
/** live_cpu - the number of the CPU at @index */
u32 live_cpu(const struct live *live, u32 index);

/**
 * live_wait - wait until a buffer is as full as buffer_percent says, or something else happens
 * @extra: descriptors to wait for as well, @nr_extra of them; their revents are set
 * @timeout_ms: at most so long
 *
 * Return: 0, or -errno of poll(); -EINTR is no error.
 */
struct pollfd;
int live_wait(struct live *live, struct pollfd *extra, u32 nr_extra, int timeout_ms);

/**
 * live_read - take what is in one CPU's buffer
 * @to: room for @count sub-buffers
 *
 * Return: how many whole sub-buffers were read, 0 when the buffer is empty, -errno.
 */
int live_read(struct live *live, u32 index, u8 *to, u32 count);

/** live_feeder - a feeder that reads from @live, which must outlive it */
int live_feeder(struct feeder **out, struct live *live, struct error *err);

#endif
