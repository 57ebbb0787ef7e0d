// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prototypes of kernel functions from BTF: see prototypes.h.
 *
 * An index of all functions by name is made once; a prototype is taken apart when it is asked for.
 * What is a socket is found by structure: one whose first member is, at any depth, a struct sock.
 */
#include "kernel/prototypes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/btf_read.h"
#include "kernel/signatures.h"

#define MODULES_MAX 512

struct function {
	const char *name;
	const struct btf *btf;
	u32 proto; /* type id of the FUNC_PROTO */
};

struct prototypes {
	struct btf *base;
	struct btf *module[MODULES_MAX];
	size_t nr_modules;
	struct function *function;
	size_t nr, cap;
	bool failed;
};

static void add_function(struct prototypes *p, const struct btf *btf, const struct btf_type *t)
{
	struct function *more;

	if (p->nr == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 1 << 16;
		more = realloc(p->function, p->cap * sizeof(*more));
		if (!more) {
			p->failed = true;
			p->cap = p->nr;
			return;
		}
		p->function = more;
	}
	p->function[p->nr++] = (struct function){ btf_name(btf, t->name_off), btf, t->type };
}

static void add_functions(struct prototypes *p, const struct btf *btf, u32 first)
{
	const struct btf_type *t;
	u32 id;

	for (id = first; !p->failed && (t = btf__type_by_id(btf, id)); id++)
		if (btf_kind(t) == BTF_KIND_FUNC)
			add_function(p, btf, t);
}

static enum btf_verdict add_module(struct btf *btf, u32 first, void *ctx)
{
	struct prototypes *p = ctx;

	if (p->nr_modules == MODULES_MAX)
		return BTF_STOP;
	p->module[p->nr_modules++] = btf;
	add_functions(p, btf, first);
	return BTF_KEEP;
}

static int compare_functions(const void *a, const void *b)
{
	return strcmp(((const struct function *)a)->name, ((const struct function *)b)->name);
}

int prototypes_load(struct prototypes **out, const char *root)
{
	struct prototypes *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (!p)
		return -ENOMEM;
	p->base = btf_open(root, NULL, NULL);
	if (!p->base) {
		free(p);
		return -ENODATA;
	}
	add_functions(p, p->base, 1);
	btf_each_module(root, p->base, add_module, p);
	if (p->failed) {
		prototypes_free(p);
		return -ENOMEM;
	}
	if (p->nr)
		qsort(p->function, p->nr, sizeof(*p->function), compare_functions);
	*out = p;
	return 0;
}

void prototypes_free(struct prototypes *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->nr_modules; i++)
		btf__free(p->module[i]);
	btf__free(p->base);
	free(p->function);
	free(p);
}

/* ---- one prototype */

/* Whether a structure begins with a struct sock. */
static bool begins_with_sock(const struct btf *btf, const struct btf_type *t)
{
	int depth;

	for (depth = 0; t && btf_kind(t) == BTF_KIND_STRUCT && depth < BTF_MAX_DEPTH; depth++) {
		if (!strcmp(btf_name(btf, t->name_off), "sock"))
			return true;
		if (!btf_vlen(t) || btf_member_bit_offset(t, 0))
			return false;
		t = btf_plain_type(btf, btf_members(t)[0].type);
	}
	return false;
}

static u8 object_of_struct(const struct btf *btf, const struct btf_type *t, const char *name)
{
	static const struct {
		const char *name;
		u8 object;
	} objects[] = { { "sock", OBJECT_SOCK },
			{ "socket", OBJECT_SOCKET },
			{ "sk_buff", OBJECT_SKB },
			{ "file", OBJECT_FILE },
			{ "msghdr", OBJECT_MSGHDR } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(objects); i++)
		if (!strcmp(name, objects[i].name))
			return objects[i].object;
	return begins_with_sock(btf, t) ? OBJECT_SOCK : OBJECT_NONE;
}

/* A number; size_t is told from the others by its name. */
static u8 object_of_number(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	int depth;

	for (depth = 0; t && depth < BTF_MAX_DEPTH; depth++) {
		if (btf_kind(t) == BTF_KIND_TYPEDEF &&
		    !strcmp(btf_name(btf, t->name_off), "size_t"))
			return OBJECT_BYTES;
		if (btf_kind(t) == BTF_KIND_INT)
			return t->size >= 4 ? OBJECT_NUMBER : OBJECT_NONE;
		if (btf_kind(t) != BTF_KIND_TYPEDEF && btf_kind(t) != BTF_KIND_CONST)
			break;
		t = btf__type_by_id(btf, t->type);
	}
	return OBJECT_NONE;
}

static void read_arg(const struct btf *btf, u32 id, struct prototype_arg *arg)
{
	const struct btf_type *t = btf_plain_type(btf, id);
	const char *name;

	memset(arg, 0, sizeof(*arg));
	if (!t)
		return;
	if (!btf_is_ptr(t)) {
		arg->object = object_of_number(btf, id);
		return;
	}
	t = btf_plain_type(btf, t->type);
	if (!t || (btf_kind(t) != BTF_KIND_STRUCT && btf_kind(t) != BTF_KIND_FWD))
		return;
	name = btf_name(btf, t->name_off);
	snprintf(arg->type, sizeof(arg->type), "%s", name);
	arg->object = object_of_struct(btf, t, name);
}

static bool read_prototype(const struct function *f, struct prototype *out)
{
	const struct btf_type *t = btf__type_by_id(f->btf, f->proto);
	u32 i;

	memset(out, 0, sizeof(*out));
	if (!t || btf_kind(t) != BTF_KIND_FUNC_PROTO)
		return false;
	for (i = 0; i < btf_vlen(t) && i < PROTOTYPE_ARGS; i++)
		read_arg(f->btf, btf_params(t)[i].type, &out->arg[i]);
	out->nr_args = (u8)i;
	out->returns_nothing = !t->type;
	if (t->type)
		read_arg(f->btf, t->type, &out->ret);
	out->source = PROTOTYPE_BTF;
	return true;
}

/* All functions of the name of the one at @i have one prototype. @end: behind the last of them. */
static bool read_same(const struct prototypes *p, size_t i, struct prototype *out, size_t *end)
{
	bool known = read_prototype(&p->function[i], out);
	struct prototype other;
	size_t j;

	for (j = i + 1; j < p->nr && !strcmp(p->function[j].name, p->function[i].name); j++)
		if (known && (!read_prototype(&p->function[j], &other) ||
			      memcmp(out, &other, sizeof(other))))
			known = false;
	*end = j;
	return known;
}

bool prototypes_find(const struct prototypes *p, const char *name, struct prototype *out)
{
	size_t low = 0, high = p ? p->nr : 0, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(p->function[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (p && low < p->nr && !strcmp(p->function[low].name, name)) {
		if (read_same(p, low, out, &high))
			return true;
	} else if (!p && signatures_prototype(name, out)) {
		return true;
	}
	memset(out, 0, sizeof(*out));
	return false;
}

void prototypes_each(const struct prototypes *p, prototype_fn fn, void *ctx)
{
	struct prototype proto;
	size_t i, end;

	for (i = 0; i < p->nr; i = end)
		if (read_same(p, i, &proto, &end))
			fn(ctx, p->function[i].name, &proto);
}

int prototype_argument(const struct prototype *proto, enum object object)
{
	int i;

	for (i = 0; i < proto->nr_args; i++)
		if (proto->arg[i].object == object)
			return i + 1;
	return 0;
}

int prototype_argument_type(const struct prototype *proto, const char *type)
{
	int i;

	for (i = 0; i < proto->nr_args; i++)
		if (!strcmp(proto->arg[i].type, type))
			return i + 1;
	return 0;
}

const char *object_name(u8 object)
{
	static const char *const names[OBJECT_COUNT] = {
		[OBJECT_NONE] = "nothing known",     [OBJECT_SOCK] = "struct sock *",
		[OBJECT_SOCKET] = "struct socket *", [OBJECT_SKB] = "struct sk_buff *",
		[OBJECT_FILE] = "struct file *",     [OBJECT_MSGHDR] = "struct msghdr *",
		[OBJECT_BYTES] = "size_t",	     [OBJECT_NUMBER] = "a number",
	};

	return object < OBJECT_COUNT ? names[object] : names[OBJECT_NONE];
}

/* ---- operations tables */

static const struct btf_type *find_struct(const struct prototypes *p, const char *name)
{
	s32 id = p ? btf__find_by_name_kind(p->base, name, BTF_KIND_STRUCT) : -1;

	return id > 0 ? btf__type_by_id(p->base, (u32)id) : NULL;
}

u32 prototypes_struct_size(const struct prototypes *p, const char *name)
{
	const struct btf_type *t = find_struct(p, name);

	return t ? t->size : 0;
}

const char *prototypes_slot(const struct prototypes *p, const char *name, u32 offset)
{
	const struct btf_type *t = find_struct(p, name), *to;
	u32 i;

	for (i = 0; t && i < btf_vlen(t); i++) {
		if (btf_member_bit_offset(t, i) != offset * 8)
			continue;
		to = btf_plain_type(p->base, btf_members(t)[i].type);
		to = to && btf_is_ptr(to) ? btf_plain_type(p->base, to->type) : NULL;
		if (to && btf_kind(to) == BTF_KIND_FUNC_PROTO)
			return btf_name(p->base, btf_members(t)[i].name_off);
	}
	return NULL;
}
