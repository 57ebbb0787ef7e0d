// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kallsyms text -> samples of its sorted part, array of the rest -> name of an address.
 *
 * A line is "ffffffff81000000 T _stext" or, in a module, "... t veth_xmit\t[veth]".
 */
#include "decode/symbols.h"

#include <stdlib.h>

/* A return address this far behind a function's start is in no function we know. */
#define MAX_FUNCTION_BYTES (1u << 20)
/* A sample every so many bytes of text; a text shorter than the other number is taken apart. */
#define SAMPLE_BYTES 1024
#define MIN_SAMPLED_BYTES (64u << 10)

void symbols_free(struct symbols *s)
{
	strbuf_free(&s->text);
	free(s->sample);
	free(s->all);
	memset(s, 0, sizeof(*s));
}

static const u8 hex_value[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static bool is_function(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

/* Parse one line, [at, end); false when it names no function. */
static bool parse_line(const struct strbuf *text, size_t at, size_t end, struct symbol *sym)
{
	const char *line = text->data;
	size_t name;

	sym->addr = 0;
	for (; at < end && hex_value[(u8)line[at]]; at++)
		sym->addr = sym->addr << 4 | (u64)(hex_value[(u8)line[at]] - 1);
	if (end - at < 4 || line[at] != ' ' || line[at + 2] != ' ' || !sym->addr)
		return false;
	sym->type = line[at + 1];
	if (!is_function(sym->type) || at + 3 > UINT32_MAX)
		return false;
	name = at + 3;
	sym->name = (u32)name;
	for (at = name; at < end && at - name < 255 && line[at] != ' ' && line[at] != '\t'; at++)
		;
	sym->name_len = (u8)(at - name);
	return sym->name_len > 0;
}

static bool has_dot(const struct symbols *s, const struct symbol *sym)
{
	return memchr(s->text.data + sym->name, '.', sym->name_len) != NULL;
}

/* Whether @a is the better name of an address than @b. */
static bool better(const struct symbols *s, const struct symbol *a, const struct symbol *b)
{
	size_t len = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order;

	if ((a->type == 'T') != (b->type == 'T'))
		return a->type == 'T';
	if (has_dot(s, a) != has_dot(s, b))
		return has_dot(s, b);
	if (a->name_len != b->name_len)
		return a->name_len < b->name_len;
	order = memcmp(s->text.data + a->name, s->text.data + b->name, len);
	return order < 0;
}

static int compare_symbols(const void *a, const void *b, void *ctx)
{
	const struct symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (better(ctx, x, y))
		return -1;
	return better(ctx, y, x) ? 1 : 0;
}

static bool add_symbol(struct symbols *s, size_t *cap, const struct symbol *sym)
{
	struct symbol *all;

	if (s->nr == *cap) {
		*cap = *cap ? *cap * 2 : 65536;
		all = realloc(s->all, *cap * sizeof(*all));
		if (!all)
			return false;
		s->all = all;
	}
	s->all[s->nr++] = *sym;
	return true;
}

/* One name for each address, by rising address. */
static void sort_symbols(struct symbols *s)
{
	size_t i, kept = 0;

	qsort_r(s->all, s->nr, sizeof(*s->all), compare_symbols, s);
	for (i = 0; i < s->nr; i++)
		if (!kept || s->all[i].addr != s->all[kept - 1].addr)
			s->all[kept++] = s->all[i];
	s->nr = kept;
}

static size_t line_end(const struct symbols *s, size_t at)
{
	const char *nl = memchr(s->text.data + at, '\n', s->text.len - at);

	return nl ? (size_t)(nl - s->text.data) : s->text.len;
}

/* Take apart every line from @at on. */
static void list_symbols(struct symbols *s, size_t at)
{
	struct symbol sym;
	size_t cap = 0, end;

	for (; at < s->text.len; at = end + 1) {
		end = line_end(s, at);
		if (parse_line(&s->text, at, end, &sym) && !add_symbol(s, &cap, &sym))
			break;
	}
	if (s->nr)
		sort_symbols(s);
}

static u64 line_addr(const struct symbols *s, size_t at)
{
	u64 addr = 0;

	for (; at < s->text.len && hex_value[(u8)s->text.data[at]]; at++)
		addr = addr << 4 | (u64)(hex_value[(u8)s->text.data[at]] - 1);
	return addr;
}

/* Sample the lines before @end. False when they are not in order, or too few to be worth it. */
static bool sample_symbols(struct symbols *s, size_t end)
{
	size_t at, line, room = end / SAMPLE_BYTES + 1;

	if (end < MIN_SAMPLED_BYTES)
		return false;
	s->sample = calloc(room, sizeof(*s->sample));
	if (!s->sample)
		return false;
	for (at = 0; at < end && s->nr_samples < room; at += SAMPLE_BYTES) {
		line = at ? line_end(s, at - 1) + 1 : 0;
		if (line >= end)
			break;
		s->sample[s->nr_samples] = (struct symbol_sample){ line_addr(s, line), line };
		if (s->nr_samples &&
		    s->sample[s->nr_samples].addr < s->sample[s->nr_samples - 1].addr)
			return false;
		s->nr_samples++;
	}
	s->sampled_end = end;
	return true;
}

/* Only lines of modules have a tab, and they come last. */
static void build_index(struct symbols *s)
{
	const char *tab = s->text.len ? memchr(s->text.data, '\t', s->text.len) : NULL;
	size_t end = tab ? (size_t)(tab - s->text.data) : s->text.len;

	s->indexed = true;
	while (tab && end && s->text.data[end - 1] != '\n')
		end--;
	list_symbols(s, sample_symbols(s, end) ? end : 0);
}

/* The function at or below @addr among the lines of [@at, @end); false when there is none. */
static bool scan_lines(const struct symbols *s, size_t at, size_t end, u64 addr,
		       struct symbol *best)
{
	struct symbol sym;
	bool found = false;
	size_t stop;

	for (; at < end; at = stop + 1) {
		stop = line_end(s, at);
		if (!parse_line(&s->text, at, stop, &sym))
			continue;
		if (sym.addr > addr)
			break;
		if (!found || sym.addr > best->addr || better(s, &sym, best))
			*best = sym;
		found = true;
	}
	return found;
}

static bool find_sampled(const struct symbols *s, u64 addr, struct symbol *sym)
{
	size_t low = 0, high = s->nr_samples, mid, from, end = s->sampled_end;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (s->sample[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < s->nr_samples)
		end = s->sample[low].at;
	/* One sample more than needed: names of the same address may lie on both sides of it. */
	for (; low; low--) {
		from = low > 1 ? low - 2 : 0;
		if (scan_lines(s, s->sample[from].at, end, addr, sym))
			return true;
		if (addr - s->sample[from].addr > MAX_FUNCTION_BYTES)
			return false;
	}
	return false;
}

static bool find_listed(const struct symbols *s, u64 addr, struct symbol *sym)
{
	size_t low = 0, high = s->nr, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (s->all[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low)
		*sym = s->all[low - 1];
	return low > 0;
}

const char *symbols_find(struct symbols *s, u64 addr, u64 *offset, size_t *len)
{
	size_t at = (addr ^ addr >> 8) % ARRAY_SIZE(s->cache);
	struct symbol sym = { 0 }, other;
	bool found;

	if (!s->indexed)
		build_index(s);
	if (!s->cache[at].name || s->cache[at].addr != addr) {
		found = find_sampled(s, addr, &sym);
		if (find_listed(s, addr, &other) && (!found || other.addr > sym.addr)) {
			sym = other;
			found = true;
		}
		if (!found || addr - sym.addr > MAX_FUNCTION_BYTES)
			return NULL;
		s->cache[at].addr = addr;
		s->cache[at].offset = addr - sym.addr;
		s->cache[at].len = sym.name_len;
		s->cache[at].name = s->text.data + sym.name;
	}
	*offset = s->cache[at].offset;
	*len = s->cache[at].len;
	return s->cache[at].name;
}
