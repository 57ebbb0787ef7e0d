// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/kallsyms in one pass -> for each bare name asked for, which symbols there are.
 *
 * A line is "ffffffff81000000 T ip_rcv" or, in a module, "... t veth_xmit\t[veth]". There are 100,000
 * and more of them, so a line costs a hash of its name's bare part and nothing is allocated for it.
 */
#include "kernel/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES (256U << 10)
/* KSYM_NAME_LEN is 128, since Linux 6.1 512; we ask for names of C functions. */
#define NAME_MAX_BYTES 512
#define ENDING_MAX_BYTES 64

/* What stands after a bare name; the better one first. */
enum ending {
	ENDING_NONE,
	ENDING_WHOLE, /* .constprop.0, .isra.0, .llvm.123: all of the function's code */
	ENDING_PART,  /* .part.0 somewhere in it */
	ENDING_COUNT,
	ENDING_OTHER = ENDING_COUNT, /* .cold: not entered by a call */
};

struct function {
	char *name; /* bare; NULL: a free slot */
	u32 len;
	u32 hash;
	u32 count[ENDING_COUNT];
	char text[ENDING_COUNT][ENDING_MAX_BYTES]; /* the first ending met of each kind */
	bool blacklisted;			   /* the symbol that wins */
};

struct kallsyms {
	struct function *slot;
	size_t mask; /* number of slots - 1, a power of two */
};

typedef void (*line_fn)(struct kallsyms *k, const char *line, const char *end);

static const u32 hash_start = 2166136261U;

static inline u32 hash_add(u32 hash, char c)
{
	return (hash ^ (u8)c) * 16777619U;
}

static u32 hash_name(const char *name, size_t *len)
{
	u32 hash = hash_start;

	for (*len = 0; name[*len]; ++*len)
		hash = hash_add(hash, name[*len]);
	return hash;
}

static struct function *find(const struct kallsyms *k, const char *name, size_t len, u32 hash)
{
	size_t at = hash & k->mask;

	for (; k->slot[at].name; at = (at + 1) & k->mask)
		if (k->slot[at].hash == hash && k->slot[at].len == len &&
		    !memcmp(k->slot[at].name, name, len))
			break;
	return &k->slot[at];
}

/* Digits after a dot: the end of them, or @at when there are none. */
static const char *skip_number(const char *at, const char *end)
{
	const char *digit = at;

	if (digit == end || *digit++ != '.')
		return at;
	for (; digit < end && *digit >= '0' && *digit <= '9'; digit++)
		;
	return digit - at > 1 ? digit : at;
}

static enum ending classify(const char *at, const char *end)
{
	static const struct {
		const char *word;
		enum ending kind;
	} words[] = {
		{ ".constprop", ENDING_WHOLE },
		{ ".isra", ENDING_WHOLE },
		{ ".llvm", ENDING_WHOLE },
		{ ".part", ENDING_PART },
	};
	enum ending kind = ENDING_NONE;
	const char *number;
	size_t i, len;

	if (end - at >= ENDING_MAX_BYTES)
		return ENDING_OTHER;
	while (at < end) {
		for (i = 0; i < ARRAY_SIZE(words); i++) {
			len = strlen(words[i].word);
			if ((size_t)(end - at) > len && !memcmp(at, words[i].word, len))
				break;
		}
		if (i == ARRAY_SIZE(words))
			return ENDING_OTHER;
		number = at + len;
		at = skip_number(number, end);
		if (at == number)
			return ENDING_OTHER;
		if (words[i].kind > kind)
			kind = words[i].kind;
	}
	return kind;
}

/* The function that a symbol belongs to; NULL when nobody asked. @ending and @end: what follows. */
static struct function *find_symbol(const struct kallsyms *k, const char *name,
				    const char *line_end, const char **ending, const char **end)
{
	struct function *f;
	u32 hash = hash_start;
	const char *at;

	for (at = name; at < line_end && *at != '.' && *at != '\t' && *at != ' '; at++)
		hash = hash_add(hash, *at);
	f = find(k, name, (size_t)(at - name), hash);
	if (!f->name)
		return NULL;
	*ending = at;
	for (; at < line_end && *at != '\t' && *at != ' '; at++)
		;
	*end = at;
	return f;
}

static void take_symbol(struct kallsyms *k, const char *line, const char *line_end)
{
	const char *at = memchr(line, ' ', (size_t)(line_end - line));
	const char *ending, *end;
	struct function *f;
	enum ending kind;

	if (!at || line_end - at < 4 || at[2] != ' ' || !memchr("tTwW", at[1], 4))
		return;
	f = find_symbol(k, at + 3, line_end, &ending, &end);
	if (!f)
		return;
	kind = classify(ending, end);
	if (kind == ENDING_OTHER)
		return;
	if (!f->count[kind]) {
		memcpy(f->text[kind], ending, (size_t)(end - ending));
		f->text[kind][end - ending] = '\0';
	}
	f->count[kind]++;
}

static enum ending best_ending(const struct function *f)
{
	enum ending kind = ENDING_NONE;

	while (kind < ENDING_COUNT && !f->count[kind])
		kind++;
	return kind;
}

/* "0xffffffff81000000-0xffffffff81000010\tname", in a module "name [module]" */
static void take_blacklisted(struct kallsyms *k, const char *line, const char *line_end)
{
	const char *at = memchr(line, '\t', (size_t)(line_end - line));
	const char *ending, *end;
	struct function *f;
	enum ending kind;

	if (!at)
		return;
	f = find_symbol(k, at + 1, line_end, &ending, &end);
	if (!f)
		return;
	kind = best_ending(f);
	if (kind != ENDING_COUNT && strlen(f->text[kind]) == (size_t)(end - ending) &&
	    !memcmp(f->text[kind], ending, (size_t)(end - ending)))
		f->blacklisted = true;
}

/* Hand over all whole lines of @len bytes; Return: how many bytes those are. */
static size_t take_lines(struct kallsyms *k, const char *text, size_t len, line_fn take)
{
	const char *at = text, *nl;

	while ((nl = memchr(at, '\n', len - (size_t)(at - text)))) {
		take(k, at, nl);
		at = nl + 1;
	}
	return (size_t)(at - text);
}

static int read_lines(struct kallsyms *k, int fd, char *chunk, line_fn take)
{
	size_t len = 0, used;
	ssize_t got;

	while ((got = read(fd, chunk + len, CHUNK_BYTES - len)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		len += (size_t)got;
		used = take_lines(k, chunk, len, take);
		if (!used && len == CHUNK_BYTES)
			return -EFBIG; /* no text file: a line of this length */
		len -= used;
		memmove(chunk, chunk + used, len);
	}
	if (len)
		take(k, chunk, chunk + len);
	return 0;
}

static int read_file(struct kallsyms *k, const char *path, line_fn take)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *chunk;
	int ret;

	if (fd < 0)
		return -errno;
	chunk = malloc(CHUNK_BYTES);
	ret = chunk ? read_lines(k, fd, chunk, take) : -ENOMEM;
	free(chunk);
	close(fd);
	return ret;
}

static int add_name(struct kallsyms *k, const char *name)
{
	struct function *f;
	size_t len;
	u32 hash = hash_name(name, &len);

	if (!len || len >= NAME_MAX_BYTES)
		return -EINVAL;
	f = find(k, name, len, hash);
	if (f->name)
		return 0;
	f->name = strdup(name);
	if (!f->name)
		return -ENOMEM;
	f->len = (u32)len;
	f->hash = hash;
	return 0;
}

static int add_names(struct kallsyms *k, const char *const *names, size_t nr, struct error *err)
{
	size_t slots = 16;
	size_t i;
	int ret;

	while (slots < nr * 4)
		slots *= 2;
	k->slot = calloc(slots, sizeof(*k->slot));
	k->mask = slots - 1;
	if (!k->slot)
		return error_errno(err, ENOMEM, "cannot look for functions");
	for (i = 0; i < nr; i++) {
		ret = add_name(k, names[i]);
		if (ret)
			return error_errno(err, -ret, "cannot look for a function '%.100s'",
					   names[i]);
	}
	return 0;
}

int kallsyms_read(struct kallsyms **out, const char *root, const char *const *names, size_t nr,
		  struct error *err)
{
	struct kallsyms *k = calloc(1, sizeof(*k));
	char path[PATH_MAX];
	int ret;

	*out = NULL;
	if (!k)
		return error_errno(err, ENOMEM, "cannot look for functions");
	ret = add_names(k, names, nr, err);
	if (ret)
		goto out;
	snprintf(path, sizeof(path), "%s/proc/kallsyms", root ? root : "");
	ret = read_file(k, path, take_symbol);
	if (ret) {
		error_errno(err, -ret, "cannot read %s", path);
		goto out;
	}
	snprintf(path, sizeof(path), "%s/sys/kernel/debug/kprobes/blacklist", root ? root : "");
	read_file(k, path, take_blacklisted);
	*out = k;
	return 0;
out:
	kallsyms_free(k);
	return ret;
}

void kallsyms_free(struct kallsyms *k)
{
	size_t i;

	if (!k)
		return;
	for (i = 0; k->slot && i <= k->mask; i++)
		free(k->slot[i].name);
	free(k->slot);
	free(k);
}

enum kallsyms_verdict kallsyms_function(const struct kallsyms *k, const char *name, char *symbol,
					size_t size)
{
	const struct function *f;
	enum ending kind;
	size_t len;
	u32 hash = hash_name(name, &len);
	int used;

	if (size)
		symbol[0] = '\0';
	f = find(k, name, len, hash);
	kind = f->name ? best_ending(f) : ENDING_COUNT;
	if (kind == ENDING_COUNT)
		return KALLSYMS_ABSENT;
	if (f->count[kind] > 1)
		return KALLSYMS_AMBIGUOUS;
	used = snprintf(symbol, size, "%s%s", f->name, f->text[kind]);
	if (used < 0 || (size_t)used >= size) {
		if (size)
			symbol[0] = '\0';
		return KALLSYMS_ABSENT;
	}
	return f->blacklisted ? KALLSYMS_BLACKLISTED : KALLSYMS_OK;
}
