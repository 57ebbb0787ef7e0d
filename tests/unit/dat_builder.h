/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes small trace.dat files of any kind, after trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5) and
 * without the code that reads or writes them in src/trace.
 */
#ifndef SKBTRAIL_TESTS_DAT_BUILDER_H
#define SKBTRAIL_TESTS_DAT_BUILDER_H

#include "subbuf_builder.h"

#define DAT_MAX_CPUS 4
#define DAT_MAX_BUFFERS 4

enum dat_packing {
	DAT_PLAIN,
	DAT_ZSTD,
	DAT_ZLIB,
};

struct dat_buffer {
	const char *name, *clock;
	u32 page_size; /* 0: the file's */
	u32 nr_cpus;
	u32 cpu[DAT_MAX_CPUS];		  /* their numbers (version 6: 0, 1, 2, ...) */
	struct strbuf data[DAT_MAX_CPUS]; /* whole sub-buffers */
};

struct dat_spec {
	int version;
	struct subbuf_format format; /* as header_page says */
	enum dat_packing packing;    /* of sections and data, version 7 only */
	bool claim_zero;	     /* chunks say that they unpack to 0 bytes */
	u32 chunk_pages;	     /* sub-buffers in a chunk; 0: all in one */
	bool stream;		     /* skbtrail's layout while it records */
	bool no_end;		     /* ... and it was killed */
	const char *meta;	     /* skbtrail's own; NULL: none */
	u16 extra;		     /* the number of one more option */
	const char *extra_text;	     /* ... its text; NULL: none */
	u32 nr_buffers;
	struct dat_buffer buffer[DAT_MAX_BUFFERS];
};

/* What every file made here contains. */
#define DAT_FORMATS 3
#define DAT_KALLSYMS "ffffffff81000000 T _text\n"
#define DAT_CMDLINES "1 init\n42 ping\n"

/** dat_build - append the file to @out */
void dat_build(const struct dat_spec *spec, struct strbuf *out);
void dat_free(struct dat_spec *spec);

/** dat_page - append a sub-buffer to a CPU: @count records from @ts on, 10 ns apart, ids from @id */
void dat_page(struct dat_spec *spec, u32 buffer, u32 cpu_index, u64 ts, u16 id, u32 count);

#endif
