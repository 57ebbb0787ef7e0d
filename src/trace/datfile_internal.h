/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by datfile.c, datfile_v6.c and datfile_v7.c only: a bounded reader and the few steps that
 * both versions take.
 */
#ifndef SKBTRAIL_TRACE_DATFILE_INTERNAL_H
#define SKBTRAIL_TRACE_DATFILE_INTERNAL_H

#include "trace/datfile.h"

/* More CPUs or buffers than any machine has means a damaged or hostile file. */
#define DATFILE_MAX_CPUS 16384
#define DATFILE_MAX_BUFFERS 4096
/* CPUs of all buffers together: each costs memory that a few bytes of the file ask for. */
#define DATFILE_MAX_CPU_TABLES (1u << 18)

/* A position in the file, or in a section that was decompressed into memory. */
struct dat_reader {
	struct datfile *df;
	const u8 *mem; /* NULL: read from the file */
	u64 pos;
	u64 end;    /* nothing at or beyond this may be read */
	int failed; /* -errno of the first read that did not work; later reads return 0 */
};

u8 dat_u8(struct dat_reader *r);
u16 dat_u16(struct dat_reader *r);
u32 dat_u32(struct dat_reader *r);
u64 dat_u64(struct dat_reader *r);
/** dat_string - a NUL-terminated string of at most @max bytes; Return: malloc'd, NULL on failure */
char *dat_string(struct dat_reader *r, size_t max);
/** dat_bytes - append @size bytes to @sb */
void dat_bytes(struct dat_reader *r, u64 size, struct strbuf *sb);
void dat_skip(struct dat_reader *r, u64 size);
/** dat_expect - true when the next @size bytes are @what */
bool dat_expect(struct dat_reader *r, const void *what, size_t size);

/** datfile_error - -EBADMSG (or what the reader met) with the file's name in front */
int datfile_error(struct datfile *df, const struct dat_reader *r, struct error *err,
		  const char *what);

/** datfile_add_buffer - Return: a new empty buffer, or NULL */
struct datfile_buffer *datfile_add_buffer(struct datfile *df, char *name, char *clock, u32 nr_cpus);
/**
 * datfile_add_extent - append a run of data, cut to what the file holds
 *
 * Return: 0, -ENOMEM, or -EBADMSG when runs overlap: together they are longer than the file.
 */
int datfile_add_extent(struct datfile *df, struct datfile_cpu *cpu, u64 offset, u64 size);
/** datfile_option - what both versions do with an option of @id whose data @r stands at */
int datfile_option(struct datfile *df, struct dat_reader *r, u16 id, u32 size);
/**
 * datfile_section_open - set @r to read a table, decompressed into @plain when it has to be
 * @what: names the table in error messages
 */
int datfile_section_open(struct datfile *df, const struct datfile_section *section,
			 struct strbuf *plain, struct dat_reader *r, const char *what,
			 struct error *err);
/** datfile_header_info - header_page and header_event -> df->layout */
int datfile_header_info(struct datfile *df, struct dat_reader *r, struct error *err);

int datfile_parse_v6(struct datfile *df, struct dat_reader *r, struct error *err);
int datfile_parse_v7(struct datfile *df, struct dat_reader *r, struct error *err);

#endif
