/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live buffers -> a trace.dat.
 *
 * While recording, the file is in stream layout (datfile.h): readable by skbtrail at any moment,
 * also after a SIGKILL or a power cut. recorder_finish() makes a plain version 7 file of it, beside
 * it, and renames that over it. Created 0600: it holds kernel addresses.
 */
#ifndef SKBTRAIL_TRACE_RECORDER_H
#define SKBTRAIL_TRACE_RECORDER_H

#include "base/error.h"
#include "trace/dathead.h"
#include "trace/live.h"

struct recorder;

/**
 * recorder_open - create the file and write its head
 * @path: file name; "-" writes the stream layout to standard output
 * @head: must stay until recorder_free(); may be changed until recorder_finish()
 */
int recorder_open(struct recorder **out, const char *path, const struct dathead *head,
		  struct live *live, struct error *err);

/**
 * recorder_drain - move what is in the buffers into the file
 *
 * Return: the number of bytes moved, or -errno; after that the file ends with what is whole.
 */
s64 recorder_drain(struct recorder *r, struct error *err);

/** recorder_bytes - ring-buffer data written so far */
u64 recorder_bytes(const struct recorder *r);

/**
 * recorder_finish - turn the recording into a plain trace.dat
 *
 * A stream only gets its end mark, the names of tasks. Return: 0, or -errno: the file stays as it is.
 */
int recorder_finish(struct recorder *r, struct error *err);
void recorder_free(struct recorder *r);

#endif
