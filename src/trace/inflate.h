/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decompression of trace.dat sections and chunks: zstd and zlib, into a buffer that grows as
 * needed, because trace-cmd on s390x writes chunks that claim an uncompressed size of 0.
 */
#ifndef SKBTRAIL_TRACE_INFLATE_H
#define SKBTRAIL_TRACE_INFLATE_H

#include "base/strbuf.h"
#include "trace/datfile.h"

/* A hostile chunk may claim or contain anything; trace-cmd makes chunks of ten sub-buffers. */
#define INFLATE_CHUNK_SUBBUFFERS 256
#define INFLATE_SECTION_MAX (512u << 20)

struct inflater;

/** inflater_new - Return: a decompressor, or NULL when @how is not supported or memory ran out */
struct inflater *inflater_new(enum datfile_compression how);
void inflater_free(struct inflater *inf);

/**
 * inflater_run - decompress one zstd frame or zlib stream
 * @out: the plain bytes are appended
 * @hint: how many bytes to expect, 0 when not known
 * @max: give up with -EFBIG beyond that many
 *
 * Return: 0, -EBADMSG when the data is damaged, -EFBIG, -ENOMEM.
 */
int inflater_run(struct inflater *inf, const u8 *data, size_t len, size_t hint, size_t max,
		 struct strbuf *out);

#endif
