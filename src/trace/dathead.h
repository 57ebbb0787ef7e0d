/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything of a trace.dat but the ring-buffer data: collected from a running kernel, then written
 * out as the beginning of a file.
 */
#ifndef SKBTRAIL_TRACE_DATHEAD_H
#define SKBTRAIL_TRACE_DATHEAD_H

#include "base/error.h"
#include "base/strbuf.h"
#include "trace/datfile.h"

struct dathead {
	u32 page_size; /* bytes of a sub-buffer */
	u32 nr_cpus;   /* CPUs of the machine: highest number + 1 */
	struct strbuf header_page, header_event;
	struct strbuf ftrace_formats; /* u64 size + text, one after the other */
	u32 nr_ftrace_formats;
	struct strbuf formats; /* name\0, u32 count, {u64 size, text}* for each system */
	u32 nr_systems;
	struct strbuf kallsyms, printk, cmdlines;
	struct strbuf meta;	/* JSON of skbtrail */
	struct strbuf *cpustat; /* nr_cpustat texts, as in per_cpu/cpuN/stats */
	u32 nr_cpustat;
	char uname[512];
	char version[64]; /* who recorded */
	char clock[32];
	u64 trace_id;
};

/** One CPU's data, as it will lie in the file. */
struct dathead_cpu {
	u32 cpu;
	u64 size;   /* bytes, whole sub-buffers */
	u64 offset; /* in the file; filled in by dathead_build() */
};

/**
 * dathead_collect - read formats, symbols and the like from the kernel
 * @head: filled in; to be released with dathead_free() whatever is returned
 * @tracing_dir: mount point of tracefs
 * @instance_dir: the instance that is recorded
 * @events: "system:event" of those that are on, sorted; only their formats are stored
 *
 * An unreadable kallsyms is no error; addresses then stay numbers.
 */
int dathead_collect(struct dathead *head, const char *tracing_dir, const char *instance_dir,
		    char *const *events, size_t event_count, struct error *err);
void dathead_free(struct dathead *head);

/** dathead_name_tasks - take saved_cmdlines as it is now, and @extra ("PID NAME" lines) */
int dathead_name_tasks(struct dathead *head, const char *tracing_dir, const struct strbuf *extra);

/**
 * dathead_build - the bytes that come before the ring-buffer data
 * @cpus: @nr of them; NULL for the stream layout (datfile.h), where data follows as extents
 *
 * Return: 0 or -ENOMEM. The first CPU's data belongs at cpus[0].offset; @out ends there.
 */
int dathead_build(const struct dathead *head, struct dathead_cpu *cpus, u32 nr, struct strbuf *out);

#endif
