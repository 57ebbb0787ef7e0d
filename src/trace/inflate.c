// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One compressed block in, plain bytes appended to a buffer; never more than the caller allows.
 */
#include "trace/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

struct inflater {
	enum datfile_compression how;
	ZSTD_DCtx *zstd;
};

struct inflater *inflater_new(enum datfile_compression how)
{
	struct inflater *inf;

	if (how != DATFILE_ZSTD && how != DATFILE_ZLIB)
		return NULL;
	inf = calloc(1, sizeof(*inf));
	if (!inf)
		return NULL;
	inf->how = how;
	if (how == DATFILE_ZSTD) {
		inf->zstd = ZSTD_createDCtx();
		if (!inf->zstd) {
			free(inf);
			return NULL;
		}
	}
	return inf;
}

void inflater_free(struct inflater *inf)
{
	if (!inf)
		return;
	ZSTD_freeDCtx(inf->zstd);
	free(inf);
}

static int run_zstd(struct inflater *inf, const u8 *data, size_t len, size_t max,
		    struct strbuf *out)
{
	ZSTD_inBuffer in = { data, len, 0 };
	size_t start = out->len, left = 1;

	ZSTD_DCtx_reset(inf->zstd, ZSTD_reset_session_only);
	while (left) {
		ZSTD_outBuffer room;

		if (!strbuf_reserve(out, ZSTD_DStreamOutSize()))
			return -ENOMEM;
		room = (ZSTD_outBuffer){ out->data + out->len, out->cap - out->len, 0 };
		left = ZSTD_decompressStream(inf->zstd, &room, &in);
		if (ZSTD_isError(left))
			return -EBADMSG;
		out->len += room.pos;
		if (out->len - start > max)
			return -EFBIG;
		if (left && in.pos == in.size && room.pos < room.size)
			return -EBADMSG;
	}
	return 0;
}

static int run_zlib(const u8 *data, size_t len, size_t max, struct strbuf *out)
{
	size_t start = out->len;
	z_stream z = { 0 };
	int ret = -ENOMEM;

	if (len > UINT32_MAX || inflateInit(&z) != Z_OK)
		return -ENOMEM;
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	for (;;) {
		size_t room;

		if (!strbuf_reserve(out, 65536))
			break;
		room = out->cap - out->len;
		if (room > UINT32_MAX)
			room = UINT32_MAX;
		z.next_out = (Bytef *)out->data + out->len;
		z.avail_out = (uInt)room;
		ret = inflate(&z, Z_NO_FLUSH);
		out->len += room - z.avail_out;
		if (ret == Z_STREAM_END) {
			ret = 0;
			break;
		}
		if (out->len - start > max) {
			ret = -EFBIG;
			break;
		}
		if (ret != Z_OK || (!z.avail_in && z.avail_out)) {
			ret = -EBADMSG;
			break;
		}
	}
	inflateEnd(&z);
	return ret;
}

int inflater_run(struct inflater *inf, const u8 *data, size_t len, size_t hint, size_t max,
		 struct strbuf *out)
{
	size_t got;

	if (hint > max)
		return -EFBIG;
	if (inf->how == DATFILE_ZLIB)
		return run_zlib(data, len, max, out);
	if (!hint)
		return run_zstd(inf, data, len, max, out);
	/* The usual case, twice as fast as streaming: the whole frame into a buffer of its size. */
	if (!strbuf_reserve(out, hint))
		return -ENOMEM;
	got = ZSTD_decompressDCtx(inf->zstd, out->data + out->len, hint, data, len);
	if (ZSTD_isError(got))
		return run_zstd(inf, data, len, max, out);
	out->len += got;
	return 0;
}
