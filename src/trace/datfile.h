/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading trace.dat: versions 6 and 7 (trace-cmd.dat.v6(5), trace-cmd.dat.v7(5)), and the layout
 * that skbtrail writes while it records.
 *
 * Opening reads only the small tables; format files, symbols and command names are fetched when
 * somebody asks, ring-buffer data goes through stream.h. Every size and offset is checked against
 * the file's own size: the file may come from a stranger.
 *
 * While recording, and when a recording is sent through a pipe, the file is a v7 file with no
 * BUFFER option, followed by extents up to its end ("stream layout"):
 *
 *	"SKBXTENT"  u32 cpu  u32 0  u64 size  <size bytes: whole sub-buffers>
 *	"SKBXNAME"  u32 0    u32 0  u64 size  <size bytes: saved_cmdlines>	once, at a regular end
 *
 * skbtrail's own metadata (JSON) stands between the file header and the first options section,
 * where no other reader looks:  "SKBTRAIL"  u64 size  <size bytes>.
 */
#ifndef SKBTRAIL_TRACE_DATFILE_H
#define SKBTRAIL_TRACE_DATFILE_H

#include "base/error.h"
#include "base/strbuf.h"
#include "trace/subbuffer.h"

#define DATFILE_MAGIC "\x17\x08\x44tracing"
#define DATFILE_EXTENT_MAGIC "SKBXTENT"
#define DATFILE_NAMES_MAGIC "SKBXNAME"
#define DATFILE_META_MAGIC "SKBTRAIL"

/* Sections and options of version 7, as trace-cmd numbers them. */
enum {
	DAT_OPTION_DONE = 0,
	DAT_OPTION_DATE = 1,
	DAT_OPTION_CPUSTAT = 2,
	DAT_OPTION_BUFFER = 3,
	DAT_OPTION_TRACECLOCK = 4,
	DAT_OPTION_UNAME = 5,
	DAT_OPTION_OFFSET = 7,
	DAT_OPTION_CPUCOUNT = 8,
	DAT_OPTION_VERSION = 9,
	DAT_OPTION_TRACEID = 11,
	DAT_OPTION_TSC2NSEC = 14,
	DAT_OPTION_HEADER_INFO = 16,
	DAT_OPTION_FTRACE_EVENTS = 17,
	DAT_OPTION_EVENT_FORMATS = 18,
	DAT_OPTION_KALLSYMS = 19,
	DAT_OPTION_PRINTK = 20,
	DAT_OPTION_CMDLINES = 21,
	DAT_SECTION_OPTIONS = 0,
	DAT_SECTION_FLAG_COMPRESSED = 1,
};

/* One run of ring-buffer data of one CPU. */
struct datfile_extent {
	u64 offset; /* in the file */
	u64 size;   /* bytes there; compressed bytes when the buffer is compressed */
};

struct datfile_cpu {
	u32 cpu;
	u32 nr_extents;
	struct datfile_extent *extents;
};

struct datfile_buffer {
	char *name;  /* "" for the top-level buffer */
	char *clock; /* "" when the file does not say */
	struct datfile_cpu *cpus;
	u32 nr_cpus;
	struct subbuffer_layout layout;
	bool compressed;
};

enum datfile_compression {
	DATFILE_NONE,
	DATFILE_ZSTD,
	DATFILE_ZLIB,
	DATFILE_UNKNOWN,
};

/* A table inside the file that is read when asked for. size 0: the file has none. */
struct datfile_section {
	u64 offset;
	u64 size;
	bool compressed;
};

struct datfile {
	char *path;
	int fd;
	u64 size_bytes;
	u64 data_bytes; /* of all extents together */
	int version;
	bool big_endian;
	bool swap;
	bool unfinished; /* stream layout without its end: the recorder was killed */
	bool cut_off;	 /* ring-buffer data ends early; what is whole is used */
	u8 long_size;
	u32 page_size;
	enum datfile_compression compression;
	char compression_name[32];
	struct subbuffer_layout layout;
	struct datfile_section formats, ftrace_formats, kallsyms, cmdlines;
	struct datfile_buffer *buffers;
	u32 nr_buffers;
	struct strbuf cpustats; /* text of all CPUSTAT options, one after the other */
	char *uname;
	char *clock;
	s64 ts_offset; /* added to every time stamp (options OFFSET and DATE) */
	bool has_tsc2nsec;
	u32 tsc_mult, tsc_shift;
	u64 tsc_offset;
	struct strbuf tasks; /* command names at the end of a stream; they go before cmdlines */
	struct strbuf meta;  /* skbtrail's metadata, JSON; empty when another program recorded */
};

/**
 * datfile_open - open a trace.dat and read its tables
 * @out: the file, to be closed with datfile_close()
 * @path: its name; "-" reads standard input to the end first, into an unnamed temporary file
 *
 * Return: 0; -EBADMSG when it is not a trace.dat or is damaged, -ENOTSUP when it is of a version or
 * compression we do not know, or the -errno of the system call that failed.
 */
int datfile_open(struct datfile **out, const char *path, struct error *err);
void datfile_close(struct datfile *df);

typedef int (*datfile_format_fn)(void *ctx, const char *system, const char *text, size_t len,
				 struct error *err);

/**
 * datfile_each_format - hand out the format file of every event
 * @fn: called with the system's name and the text (not NUL-terminated); non-zero stops and is returned
 */
int datfile_each_format(struct datfile *df, datfile_format_fn fn, void *ctx, struct error *err);

/** datfile_each_ftrace_format - the same for what is no event: system "ftrace", which has raw_data */
int datfile_each_ftrace_format(struct datfile *df, datfile_format_fn fn, void *ctx,
			       struct error *err);

/** datfile_read_kallsyms - append the recorded /proc/kallsyms to @sb (nothing when there is none) */
int datfile_read_kallsyms(struct datfile *df, struct strbuf *sb, struct error *err);

/** datfile_read_cmdlines - append the recorded saved_cmdlines ("PID NAME" lines) to @sb */
int datfile_read_cmdlines(struct datfile *df, struct strbuf *sb, struct error *err);

#endif
