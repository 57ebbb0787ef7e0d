// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BTF of the running kernel -> places of members, and which argument of a function is an skb.
 *
 * In:  /sys/kernel/btf/vmlinux and that of modules, which stand on it.
 * Out: struct layout. A structure that is there several times counts when all of them agree.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/btf_read.h"
#include "kernel/structs_priv.h"

typedef bool (*type_fn)(const struct btf *btf, u32 id, const struct btf_type *t, void *ctx);

struct filler {
	struct layout *l;
	const char *module; /* NULL: the kernel */
	struct found first[MEMBER_COUNT];
	bool seen[MEMBER_COUNT];
	bool contradicted[MEMBER_COUNT];
};

/* Bytes of a type; of an array without a length, of one element; 0 when it has none. */
static u64 size_of(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_plain_type(btf, id);
	s64 size;

	if (t && btf_is_array(t) && !btf_array(t)->nelems)
		id = btf_array(t)->type;
	size = btf__resolve_size(btf, id);
	return size > 0 ? (u64)size : 0;
}

/* Whether bits are taken out of a type's middle: as bitfields, in the newer and the older encoding. */
static bool is_bitfield(const struct btf *btf, const struct btf_type *parent, u32 i)
{
	const struct btf_type *t = btf_plain_type(btf, btf_members(parent)[i].type);

	if (btf_member_bitfield_size(parent, i) || btf_member_bit_offset(parent, i) % 8)
		return true;
	return t && btf_is_int(t) && (btf_int_offset(t) || btf_int_bits(t) != t->size * 8);
}

/*
 * A member by its name, looked for in nameless structures and unions too, as C does. @bits: of a
 * bitfield, else 0.
 */
static bool find_member(const struct btf *btf, const struct btf_type *t, const char *name,
			size_t len, int depth, u64 *offset_bits, u32 *type, u32 *bits)
{
	const struct btf_member *member;
	const struct btf_type *inner;
	const char *own;
	u32 i;

	if (!t || !btf_is_composite(t) || depth > BTF_MAX_DEPTH)
		return false;
	member = btf_members(t);
	for (i = 0; i < btf_vlen(t); i++) {
		own = btf_name(btf, member[i].name_off);
		if (!strncmp(own, name, len) && !own[len]) {
			*offset_bits += btf_member_bit_offset(t, i);
			*type = member[i].type;
			*bits = btf_member_bitfield_size(t, i);
			return *bits || !is_bitfield(btf, t, i);
		}
		inner = own[0] ? NULL : btf_plain_type(btf, member[i].type);
		if (inner &&
		    find_member(btf, inner, name, len, depth + 1, offset_bits, type, bits)) {
			*offset_bits += btf_member_bit_offset(t, i);
			return true;
		}
	}
	return false;
}

/* "ns.inum" in a structure */
static bool find_path(const struct btf *btf, const struct btf_type *t, const char *path,
		      struct found *found)
{
	bool little_endian = btf__endianness(btf) == BTF_LITTLE_ENDIAN;
	u64 offset_bits = 0;
	u32 type = 0, bits = 0;
	size_t len;

	for (;;) {
		len = strcspn(path, ".");
		if (!find_member(btf, t, path, len, 0, &offset_bits, &type, &bits))
			return false;
		if (!path[len])
			break;
		if (bits)
			return false;
		path += len + 1;
		t = btf_plain_type(btf, type);
	}
	if (bits) {
		*found = found_bit(offset_bits, little_endian);
		return bits == 1;
	}
	*found = (struct found){ .offset = offset_bits / 8, .size = size_of(btf, type) };
	return true;
}

static bool differ(const struct found *a, const struct found *b)
{
	return a->offset != b->offset || a->size != b->size || a->is_bit != b->is_bit ||
	       a->bit != b->bit;
}

static void fill_member(struct filler *f, const struct btf *btf, const struct btf_type *t, int m)
{
	const struct member_def *def = &member_defs[m];
	struct found found;

	if (!find_path(btf, t, member_path(def->name), &found) &&
	    (!def->renamed || !find_path(btf, t, member_path(def->renamed), &found)))
		return;
	if (!f->seen[m]) {
		f->seen[m] = true;
		f->first[m] = found;
	} else if (differ(&f->first[m], &found)) {
		f->contradicted[m] = true;
	}
}

static bool fill_struct(const struct btf *btf, u32 id, const struct btf_type *t, void *ctx)
{
	struct filler *f = ctx;
	const char *name;
	int m;

	(void)id;
	if (btf_kind(t) != BTF_KIND_STRUCT)
		return false;
	name = btf_name(btf, t->name_off);
	for (m = 0; m < MEMBER_COUNT; m++)
		if (member_struct_is(&member_defs[m], name) &&
		    (!f->module ||
		     (member_defs[m].module && !strcmp(f->module, member_defs[m].module))))
			fill_member(f, btf, t, m);
	if (!f->module && !strcmp(name, "sk_buff") && t->size <= STRUCTS_SKB_SIZE_MAX)
		f->l->skb_size = t->size;
	return false;
}

/* Call @fn for the types of @btf that are not of its base, until it says true. */
static bool for_each_type(const struct btf *btf, u32 first, type_fn fn, void *ctx)
{
	const struct btf_type *t;
	u32 id;

	for (id = first; (t = btf__type_by_id(btf, id)); id++)
		if (fn(btf, id, t, ctx))
			return true;
	return false;
}

static void fill(struct layout *l, const struct btf *btf, u32 first, const char *module)
{
	struct filler f = { .l = l, .module = module };
	int m;

	for_each_type(btf, first, fill_struct, &f);
	for (m = 0; m < MEMBER_COUNT; m++)
		if (f.seen[m] && !f.contradicted[m] && !layout_has(l, (enum member)m))
			layout_put(l, (enum member)m, &f.first[m], STRUCTS_BTF);
}

static void fill_from_modules(struct layout *l, const char *root, struct btf *base)
{
	static const char *const modules[] = { "x_tables", "nf_tables" };
	u32 first = btf_end_id(base);
	struct btf *btf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modules); i++) {
		btf = btf_open(root, modules[i], base);
		if (!btf)
			continue;
		fill(l, btf, first, modules[i]);
		btf__free(btf);
	}
}

int btf_load(struct layout *l, const char *root)
{
	struct btf *btf = btf_open(root, NULL, NULL);

	if (!btf)
		return -ENODATA;
	fill(l, btf, 1, NULL);
	fill_from_modules(l, root, btf);
	l->source = STRUCTS_BTF;
	l->little_endian = btf__endianness(btf) == BTF_LITTLE_ENDIAN;
	l->long_size = (u8)btf__pointer_size(btf);
	snprintf(l->from, sizeof(l->from), "/sys/kernel/btf/vmlinux");
	btf__free(btf);
	return layout_known(l) ? 0 : -ENODATA;
}

/* ---- arguments of functions */

struct argument_search {
	const char *function;
	int argument; /* -1: function not met */
	bool by_reference;
};

static bool is_skb(const struct btf *btf, const struct btf_type *t)
{
	return t && (btf_kind(t) == BTF_KIND_STRUCT || btf_kind(t) == BTF_KIND_FWD) &&
	       !strcmp(btf_name(btf, t->name_off), "sk_buff");
}

/* 1: struct sk_buff *, 2: struct sk_buff **, 0: neither */
static int skb_pointers(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_plain_type(btf, id);
	int pointers;

	for (pointers = 0; t && pointers <= 2; pointers++) {
		if (!btf_is_ptr(t))
			return is_skb(btf, t) ? pointers : 0;
		t = btf_plain_type(btf, t->type);
	}
	return 0;
}

static bool look_at_function(const struct btf *btf, u32 id, const struct btf_type *t, void *ctx)
{
	struct argument_search *search = ctx;
	const struct btf_type *proto;
	int pointers;
	u32 i;

	(void)id;
	if (btf_kind(t) != BTF_KIND_FUNC || strcmp(btf_name(btf, t->name_off), search->function))
		return false;
	proto = btf__type_by_id(btf, t->type);
	if (!proto || btf_kind(proto) != BTF_KIND_FUNC_PROTO)
		return false;
	search->argument = 0;
	for (i = 0; i < btf_vlen(proto); i++) {
		pointers = skb_pointers(btf, btf_params(proto)[i].type);
		if (!pointers)
			continue;
		search->argument = (int)i + 1;
		search->by_reference = pointers == 2;
		break;
	}
	return true;
}

static enum btf_verdict search_module(struct btf *btf, u32 first, void *ctx)
{
	return for_each_type(btf, first, look_at_function, ctx) ? BTF_STOP : BTF_NEXT;
}

int structs_skb_argument(const char *root, const char *function, bool *by_reference)
{
	struct argument_search search = { .function = function, .argument = -1 };
	struct btf *btf;

	*by_reference = false;
	root = root ? root : "";
	btf = btf_open(root, NULL, NULL);
	if (!btf)
		return -ENODATA;
	if (!for_each_type(btf, 1, look_at_function, &search))
		btf_each_module(root, btf, search_module, &search);
	btf__free(btf);
	*by_reference = search.by_reference;
	return search.argument < 0 ? -ENOENT : search.argument;
}
