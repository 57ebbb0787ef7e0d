// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Contents of operations tables: from /proc/kcore, or by a probe event that fetches memory.
 *
 * kcore is an ELF file whose segments say which of its bytes are which addresses. A probe event's
 * argument "@0xADDR:x64[N]" reads N words there when the function is called that it sits on; that
 * is a system call nobody minds, called by ourselves.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/optables_priv.h"
#include "kernel/scratch.h"

#define SEGMENTS_MAX 4096
#define ARRAY_MAX 64 /* the kernel's limit for an array (MAX_ARRAY_LEN) */

/* ---- kcore */

static int read_segments(int fd, Elf64_Phdr **out, u32 *nr)
{
	Elf64_Ehdr head;
	size_t size;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
		return -EIO;
	if (memcmp(head.e_ident, ELFMAG, SELFMAG) || head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_phentsize != sizeof(**out) || !head.e_phnum || head.e_phnum > SEGMENTS_MAX)
		return -EBADMSG;
	size = head.e_phnum * sizeof(**out);
	*out = malloc(size);
	if (!*out)
		return -ENOMEM;
	if (pread(fd, *out, size, (off_t)head.e_phoff) != (ssize_t)size) {
		free(*out);
		return -EIO;
	}
	*nr = head.e_phnum;
	return 0;
}

static int read_words(int fd, const Elf64_Phdr *segments, u32 nr, struct raw_table *table)
{
	u64 len = table->nr_words * sizeof(u64), into;
	u32 i;

	for (i = 0; i < nr; i++) {
		if (segments[i].p_type != PT_LOAD || table->addr < segments[i].p_vaddr)
			continue;
		into = table->addr - segments[i].p_vaddr;
		if (into >= segments[i].p_memsz || segments[i].p_memsz - into < len)
			continue;
		if (pread(fd, table->words, len, (off_t)(segments[i].p_offset + into)) ==
		    (ssize_t)len)
			return 0;
		memset(table->words, 0, sizeof(table->words));
		return -EIO;
	}
	return -EFAULT;
}

int optables_read_kcore(struct optables_raw *raw, const char *root)
{
	Elf64_Phdr *segments;
	size_t done = 0, i;
	char path[512];
	int fd, ret;
	u32 nr;

	if (sizeof(long) != 8)
		return -ENOTSUP;
	snprintf(path, sizeof(path), "%s/proc/kcore", root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = read_segments(fd, &segments, &nr);
	if (!ret) {
		for (i = 0; i < raw->nr; i++)
			done += !read_words(fd, segments, nr, &raw->table[i]);
		free(segments);
		ret = done ? 0 : -EIO;
	}
	close(fd);
	return ret;
}

/* ---- a probe event */

/* The kernel's name for the function of a system call that we can call at no cost. */
static bool find_own_syscall(const char *text, char *name, size_t size)
{
	static const char *const endings[] = { "_sys_getppid ", "_sys_getppid\n" };
	const char *at, *begin, *best = NULL;
	size_t i, len, best_len = 0;

	for (i = 0; i < ARRAY_SIZE(endings); i++) {
		for (at = text; (at = strstr(at, endings[i])); at++) {
			begin = at;
			while (begin > text && begin[-1] != ' ' && begin[-1] != '\n')
				begin--;
			len = (size_t)(at - begin) + strlen(endings[i]) - 1;
			/* not the 32-bit entry, not what stands in front of a function */
			if (begin - text < 3 || !strchr("tT", begin[-2]) ||
			    !strncmp(begin, "__ia32", 6) || !strncmp(begin, "__pfx_", 6))
				continue;
			if (!best || len < best_len) {
				best = begin;
				best_len = len;
			}
		}
	}
	if (!best || best_len >= size)
		return false;
	memcpy(name, best, best_len);
	name[best_len] = '\0';
	return true;
}

static void put_definition(struct strbuf *lines, const struct scratch *s, size_t i,
			   const char *function, const struct raw_table *table)
{
	u32 at, nr;

	strbuf_printf(lines, "p:%s/t%zu %s", s->group, i, function);
	for (at = 0; at < table->nr_words; at += nr) {
		nr = table->nr_words - at < ARRAY_MAX ? table->nr_words - at : ARRAY_MAX;
		strbuf_printf(lines, " w%u=@0x%llx:x64[%u]", at,
			      (unsigned long long)(table->addr + at * 8ULL), nr);
	}
	strbuf_putc(lines, '\n');
}

bool optables_parse_words(const char *text, u64 *words, u32 nr)
{
	char *end;
	u32 i;

	if (*text != '{')
		return false;
	for (i = 0; i < nr; i++) {
		words[i] = strtoull(text + 1, &end, 16);
		if (end == text + 1 || *end != (i + 1 < nr ? ',' : '}'))
			return false;
		text = end;
	}
	return true;
}

/* A record "t12: (function+0x4/0x10) w0={0x1,0x2}". */
static bool take_record(struct raw_table *table, const char *line)
{
	const char *end = strchr(line, '\n'), *at;
	char key[32];
	u32 first, nr;

	for (first = 0; first < table->nr_words; first += nr) {
		nr = table->nr_words - first < ARRAY_MAX ? table->nr_words - first : ARRAY_MAX;
		snprintf(key, sizeof(key), " w%u=", first);
		at = strstr(line, key);
		if (!at || (end && at > end) ||
		    !optables_parse_words(at + strlen(key), table->words + first, nr)) {
			memset(table->words, 0, sizeof(table->words));
			return false;
		}
	}
	return table->nr_words != 0;
}

static size_t take_records(struct optables_raw *raw, const char *text)
{
	size_t taken = 0;
	const char *line;
	char *end;
	u64 index;

	for (line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		line += strspn(line, " ");
		if (*line != 't')
			continue;
		index = strtoull(line + 1, &end, 10);
		if (end > line + 1 && *end == ':' && index < raw->nr)
			taken += take_record(&raw->table[index], end);
	}
	return taken;
}

static int fetch(struct optables_raw *raw, const struct scratch *s, const char *function,
		 struct error *err)
{
	struct strbuf lines = STRBUF_INIT, text = STRBUF_INIT;
	int ret;
	size_t i;

	for (i = 0; i < raw->nr; i++)
		put_definition(&lines, s, i, function, &raw->table[i]);
	ret = lines.failed ? -ENOMEM : scratch_define(s, strbuf_cstr(&lines));
	if (!ret)
		ret = scratch_write(s, "options/context-info", "0");
	if (!ret)
		ret = scratch_switch(s, true);
	if (!ret) {
		getppid();
		ret = scratch_switch(s, false);
	}
	if (!ret)
		ret = scratch_read(s, &text);
	if (ret)
		error_errno(err, -ret, "cannot read tables of the kernel with a probe on %s",
			    function);
	else if (!take_records(raw, strbuf_cstr(&text)))
		ret = error_set(err, ENODATA, "a probe on %s recorded nothing", function);
	strbuf_free(&lines);
	strbuf_free(&text);
	return ret;
}

int optables_read_probe(struct optables_raw *raw, const char *tracing_dir, const char *kallsyms,
			struct error *err)
{
	sigset_t stop, before;
	struct scratch s;
	char function[96];
	int ret, closed;

	if (!find_own_syscall(kallsyms, function, sizeof(function)))
		return error_set(err, ENODATA, "no function of getppid() in /proc/kallsyms");
	/* it takes no time; then whoever asks us to stop is heard */
	sigfillset(&stop);
	sigprocmask(SIG_BLOCK, &stop, &before);
	ret = scratch_open(&s, tracing_dir, err);
	if (!ret) {
		ret = fetch(raw, &s, function, err);
		closed = scratch_close(&s, ret ? NULL : err);
		ret = ret ? ret : closed;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}
