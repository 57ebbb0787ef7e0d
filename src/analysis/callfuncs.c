// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hash table of functions by address, filled in as they are met.
 */
#include "analysis/callfuncs.h"

#include <errno.h>
#include <stdlib.h>

#include "analysis/callfuncs_names.h"
#include "base/strbuf.h"

#define NAME_BYTES 256 /* the kernel's KSYM_NAME_LEN is 512; what is cut off says no more */
#define MAX_TABLED 65536

/* A function of an operations table. */
struct tabled {
	char *function;
	u16 protocols;
	u8 families;
};

struct callfuncs {
	struct callfuncs_options options;
	struct call_func *all; /* [0] stands for "not known" */
	u32 nr, room;
	u32 *slot; /* hash table of numbers; 0: free */
	u32 mask;
	struct tabled *tabled; /* sorted when ->tables_sorted */
	u32 nr_tabled;
	bool tables_sorted;
};

int callfuncs_new(struct callfuncs **out, const struct callfuncs_options *options,
		  struct error *err)
{
	struct callfuncs *f = calloc(1, sizeof(*f));

	*out = f;
	if (f) {
		f->options = *options;
		f->room = 1024;
		f->nr = 1;
		f->mask = 2047;
		f->all = calloc(f->room, sizeof(*f->all));
		f->slot = calloc(f->mask + 1, sizeof(*f->slot));
	}
	if (!f || !f->all || !f->slot) {
		callfuncs_free(f);
		*out = NULL;
		return error_errno(err, ENOMEM, "cannot prepare the table of functions");
	}
	return 0;
}

void callfuncs_free(struct callfuncs *f)
{
	u32 i;

	if (!f)
		return;
	for (i = 0; f->all && i < f->nr; i++)
		free((char *)f->all[i].syscall);
	for (i = 0; i < f->nr_tabled; i++)
		free(f->tabled[i].function);
	free(f->tabled);
	free(f->all);
	free(f->slot);
	free(f);
}

int callfuncs_add_table(struct callfuncs *f, const char *table, const char *function)
{
	struct tabled *all, t = { 0 };

	if (f->nr_tabled >= MAX_TABLED || !callfuncs_judge_table(table, &t.protocols, &t.families))
		return 0;
	all = reallocarray(f->tabled, f->nr_tabled + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	f->tabled = all;
	t.function = strdup(function);
	if (!t.function)
		return -ENOMEM;
	all[f->nr_tabled++] = t;
	f->tables_sorted = false;
	return 0;
}

static int compare_tabled(const void *a, const void *b)
{
	const struct tabled *x = a, *y = b;

	return strcmp(x->function, y->function);
}

/* All tables that a function is in. */
static void judge_tables(struct callfuncs *f, struct call_func *func, const char *name)
{
	struct tabled key = { .function = (char *)name }, *at;

	if (!f->tables_sorted && f->nr_tabled)
		qsort(f->tabled, f->nr_tabled, sizeof(*f->tabled), compare_tabled);
	f->tables_sorted = true;
	at = f->nr_tabled ? bsearch(&key, f->tabled, f->nr_tabled, sizeof(*at), compare_tabled) :
			    NULL;
	if (!at)
		return;
	while (at > f->tabled && !compare_tabled(at - 1, &key))
		at--;
	for (; at < f->tabled + f->nr_tabled && !compare_tabled(at, &key); at++) {
		func->table_protocols |= at->protocols;
		func->table_families |= at->families;
	}
	func->of_sockets = true;
}

/* "connect", or "connect (ia32)" of a program of another word size. */
static char *syscall_name(const char *name, size_t len, const char *abi)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_put_escaped(&sb, name, len);
	if (abi)
		strbuf_printf(&sb, " (%s)", abi);
	strbuf_cstr(&sb);
	if (sb.failed) {
		strbuf_free(&sb);
		return NULL;
	}
	return sb.data;
}

static void judge(struct callfuncs *f, struct call_func *func)
{
	char text[NAME_BYTES];
	const char *name, *abi, *dot;
	size_t len;

	name = f->options.name(f->options.ctx, func->addr, &len);
	if (!name || !len)
		return;
	func->name = name;
	func->name_len = (u32)len;
	len = len < sizeof(text) ? len : sizeof(text) - 1;
	memcpy(text, name, len);
	text[len] = 0;
	func->wanted = f->options.wanted && callfuncs_fits(f->options.wanted, text);
	judge_tables(f, func, text);
	name = callfuncs_syscall(text, len, &len, &abi);
	if (len) {
		func->syscall = syscall_name(name, len, abi);
		func->kind = (u8)callfuncs_kind(name, len);
	}
	dot = strchr(text + 1, '.');
	if (*text && dot)
		text[dot - text] = 0;
	callfuncs_judge_name(func, text);
	func->of_sockets |= func->table_protocols;
}

static u32 hash_of(u64 addr)
{
	return (u32)((addr * 0x9e3779b97f4a7c15ULL) >> 32);
}

static bool grow(struct callfuncs *f)
{
	u32 mask = f->mask * 2 + 1, room = f->room * 2, i, k;
	struct call_func *all = reallocarray(f->all, room, sizeof(*all));
	u32 *slot;

	if (!all)
		return false;
	f->all = all;
	slot = calloc(mask + 1, sizeof(*slot));
	if (!slot)
		return false;
	for (i = 1; i < f->nr; i++) {
		for (k = hash_of(all[i].addr) & mask; slot[k]; k = (k + 1) & mask)
			;
		slot[k] = i;
	}
	free(f->slot);
	f->slot = slot;
	f->mask = mask;
	f->room = room;
	return true;
}

u32 callfuncs_find(struct callfuncs *f, u64 addr)
{
	struct call_func func = { .addr = addr };
	u32 k;

	for (k = hash_of(addr) & f->mask; f->slot[k]; k = (k + 1) & f->mask)
		if (f->all[f->slot[k]].addr == addr)
			return f->slot[k];
	if (f->nr == f->room) {
		if (!grow(f))
			return 0;
		for (k = hash_of(addr) & f->mask; f->slot[k]; k = (k + 1) & f->mask)
			;
	}
	judge(f, &func);
	f->all[f->nr] = func;
	f->slot[k] = f->nr;
	return f->nr++;
}

const char *callfuncs_root(struct callfuncs *f, u64 addr)
{
	const char *name, *abi;
	size_t len;

	name = f->options.name(f->options.ctx, addr, &len);
	if (!name)
		return NULL;
	callfuncs_syscall(name, len, &len, &abi);
	return len ? f->all[callfuncs_find(f, addr)].syscall : NULL;
}

const struct call_func *callfuncs_at(const struct callfuncs *f, u32 number)
{
	return &f->all[number];
}
