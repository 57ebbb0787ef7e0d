/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where sub-buffers come from: a file or live buffers. A stream asks its feeder for the next piece
 * of one CPU's data whenever it has used up the one before.
 */
#ifndef SKBTRAIL_TRACE_FEEDER_H
#define SKBTRAIL_TRACE_FEEDER_H

#include "base/error.h"
#include "trace/datfile.h"

struct feeder {
	u32 nr_cpus;
	const u32 *cpus; /* the number of each CPU */
	/*
	 * The next whole sub-buffers of the CPU at @index, valid until the next call for that index.
	 * Returns 1 with data, 0 when there is nothing (now, or any more), -errno.
	 */
	int (*next)(struct feeder *feeder, u32 index, const u8 **data, size_t *len);
	void (*free)(struct feeder *feeder);
};

/**
 * feeder_file - the data of one buffer of a trace.dat
 * @df: must outlive the feeder
 *
 * A thread reads and decompresses ahead, a few pieces for each CPU, so memory does not depend on
 * the size of the file.
 */
int feeder_file(struct feeder **out, struct datfile *df, const struct datfile_buffer *buffer,
		struct error *err);

#endif
