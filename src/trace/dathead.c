// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * struct dathead -> the first part of a version 7 file, as trace-cmd.dat.v7(5) describes it.
 *
 * The single buffer is stored as the top-level one (name ""), so that trace-cmd report and
 * KernelShark show it without options. Nothing is compressed. Written in our own byte order.
 */
#include "trace/dathead.h"

#include <errno.h>
#include <stdlib.h>

static void put_u16(struct strbuf *sb, u16 v)
{
	strbuf_put(sb, (const char *)&v, sizeof(v));
}

static void put_u32(struct strbuf *sb, u32 v)
{
	strbuf_put(sb, (const char *)&v, sizeof(v));
}

static void put_u64(struct strbuf *sb, u64 v)
{
	strbuf_put(sb, (const char *)&v, sizeof(v));
}

static void put_text(struct strbuf *sb, const char *text)
{
	strbuf_put(sb, text, strlen(text) + 1);
}

static void put_all(struct strbuf *sb, const struct strbuf *from)
{
	if (from->len)
		strbuf_put(sb, from->data, from->len);
}

/* A section header; returns where the section's content begins. */
static size_t begin_section(struct strbuf *sb, u16 id)
{
	put_u16(sb, id);
	put_u16(sb, 0);
	put_u32(sb, 0);
	put_u64(sb, 0);
	return sb->len;
}

static void end_section(struct strbuf *sb, size_t begin)
{
	u64 size = sb->len - begin;

	if (!sb->failed)
		memcpy(sb->data + begin - 8, &size, sizeof(size));
}

static void put_option(struct strbuf *sb, u16 id, const void *data, u32 size)
{
	put_u16(sb, id);
	put_u32(sb, size);
	strbuf_put(sb, data, size);
}

/* The option that tells where a section is. */
static void put_place(struct strbuf *sb, u16 id, u64 offset)
{
	put_option(sb, id, &offset, sizeof(offset));
}

static void put_header_info(const struct dathead *head, struct strbuf *out)
{
	strbuf_put(out, "header_page", 12);
	put_u64(out, head->header_page.len);
	put_all(out, &head->header_page);
	strbuf_put(out, "header_event", 13);
	put_u64(out, head->header_event.len);
	put_all(out, &head->header_event);
}

struct places {
	u64 header_info, ftrace, formats, kallsyms, printk, cmdlines;
};

static u64 put_section(struct strbuf *out, u16 id, u32 count, bool wide, const struct strbuf *body)
{
	u64 at = out->len;
	size_t begin = begin_section(out, id);

	if (wide)
		put_u64(out, body->len);
	else
		put_u32(out, count);
	put_all(out, body);
	end_section(out, begin);
	return at;
}

static struct places put_sections(const struct dathead *head, struct strbuf *out)
{
	struct places at;
	size_t begin;

	at.header_info = out->len;
	begin = begin_section(out, DAT_OPTION_HEADER_INFO);
	put_header_info(head, out);
	end_section(out, begin);
	at.ftrace = put_section(out, DAT_OPTION_FTRACE_EVENTS, head->nr_ftrace_formats, false,
				&head->ftrace_formats);
	at.formats =
		put_section(out, DAT_OPTION_EVENT_FORMATS, head->nr_systems, false, &head->formats);
	at.kallsyms = put_section(out, DAT_OPTION_KALLSYMS, (u32)head->kallsyms.len, false,
				  &head->kallsyms);
	at.printk =
		put_section(out, DAT_OPTION_PRINTK, (u32)head->printk.len, false, &head->printk);
	at.cmdlines = put_section(out, DAT_OPTION_CMDLINES, 0, true, &head->cmdlines);
	return at;
}

static u64 align_up(u64 value, u64 to)
{
	return (value + to - 1) / to * to;
}

/* The BUFFER option; its offsets need to know where the options section will end. */
static void put_buffer_option(const struct dathead *head, struct dathead_cpu *cpus, u32 nr,
			      struct strbuf *out)
{
	u32 size = (u32)(8 + 1 + strlen(head->clock) + 1 + 4 + 4 + nr * 20);
	/* This option, DONE (14 bytes), then the section header (16 bytes) and padding. */
	u64 section = out->len + 6 + size + 14, data = align_up(section + 16, head->page_size);
	u32 i;

	put_u16(out, DAT_OPTION_BUFFER);
	put_u32(out, size);
	put_u64(out, section);
	put_text(out, "");
	put_text(out, head->clock);
	put_u32(out, head->page_size);
	put_u32(out, nr);
	for (i = 0; i < nr; i++) {
		cpus[i].offset = data;
		put_u32(out, cpus[i].cpu);
		put_u64(out, data);
		put_u64(out, cpus[i].size);
		data += cpus[i].size;
	}
}

static void put_options(const struct dathead *head, const struct places *at,
			struct dathead_cpu *cpus, u32 nr, struct strbuf *out)
{
	size_t begin = begin_section(out, DAT_SECTION_OPTIONS);
	struct strbuf clock = STRBUF_INIT;
	u64 none = 0;
	u32 i;

	put_place(out, DAT_OPTION_HEADER_INFO, at->header_info);
	put_place(out, DAT_OPTION_FTRACE_EVENTS, at->ftrace);
	put_place(out, DAT_OPTION_EVENT_FORMATS, at->formats);
	put_place(out, DAT_OPTION_KALLSYMS, at->kallsyms);
	put_place(out, DAT_OPTION_PRINTK, at->printk);
	put_place(out, DAT_OPTION_CMDLINES, at->cmdlines);
	put_option(out, DAT_OPTION_UNAME, head->uname, (u32)strlen(head->uname) + 1);
	put_option(out, DAT_OPTION_VERSION, head->version, (u32)strlen(head->version) + 1);
	strbuf_printf(&clock, "[%s]", head->clock);
	put_option(out, DAT_OPTION_TRACECLOCK, strbuf_cstr(&clock), (u32)clock.len + 1);
	strbuf_free(&clock);
	put_option(out, DAT_OPTION_CPUCOUNT, &head->nr_cpus, sizeof(head->nr_cpus));
	put_option(out, DAT_OPTION_TRACEID, &head->trace_id, sizeof(head->trace_id));
	for (i = 0; i < head->nr_cpustat; i++) {
		strbuf_cstr(&head->cpustat[i]);
		put_option(out, DAT_OPTION_CPUSTAT, head->cpustat[i].data,
			   (u32)head->cpustat[i].len + 1);
	}
	if (cpus)
		put_buffer_option(head, cpus, nr, out);
	put_option(out, DAT_OPTION_DONE, &none, sizeof(none));
	end_section(out, begin);
}

int dathead_build(const struct dathead *head, struct dathead_cpu *cpus, u32 nr, struct strbuf *out)
{
	struct places at;
	size_t begin, first;
	u64 end, options;
	u32 i;

	strbuf_put(out, DATFILE_MAGIC, 10);
	put_text(out, "7");
	strbuf_putc(out, HOST_BIG_ENDIAN);
	strbuf_putc(out, sizeof(long));
	put_u32(out, head->page_size);
	put_text(out, "none");
	put_text(out, "");
	first = out->len;
	put_u64(out, 0);
	strbuf_put(out, DATFILE_META_MAGIC, 8);
	put_u64(out, head->meta.len);
	put_all(out, &head->meta);
	at = put_sections(head, out);
	options = out->len;
	put_options(head, &at, cpus, nr, out);
	if (cpus) {
		begin = begin_section(out, DAT_OPTION_BUFFER);
		end = align_up(out->len, head->page_size);
		while (out->len < end && !out->failed)
			strbuf_putc(out, 0);
		end_section(out, begin);
		if (!out->failed) {
			u64 size = out->len - begin;

			for (i = 0; i < nr; i++)
				size += cpus[i].size;
			memcpy(out->data + begin - 8, &size, sizeof(size));
		}
	}
	if (out->failed)
		return -ENOMEM;
	memcpy(out->data + first, &options, sizeof(options));
	return 0;
}

void dathead_free(struct dathead *head)
{
	u32 i;

	strbuf_free(&head->header_page);
	strbuf_free(&head->header_event);
	strbuf_free(&head->ftrace_formats);
	strbuf_free(&head->formats);
	strbuf_free(&head->kallsyms);
	strbuf_free(&head->printk);
	strbuf_free(&head->cmdlines);
	strbuf_free(&head->meta);
	for (i = 0; i < head->nr_cpustat; i++)
		strbuf_free(&head->cpustat[i]);
	free(head->cpustat);
	memset(head, 0, sizeof(*head));
}
