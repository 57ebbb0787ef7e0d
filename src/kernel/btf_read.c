// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BTF files and their types: see btf_read.h.
 */
#include "kernel/btf_read.h"

#include <bpf/libbpf.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static int be_silent(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

struct btf *btf_open(const char *root, const char *module, struct btf *base)
{
	libbpf_print_fn_t print = libbpf_set_print(be_silent);
	char path[PATH_MAX];
	struct btf *btf;

	snprintf(path, sizeof(path), "%s/sys/kernel/btf/%s", root, module ? module : "vmlinux");
	btf = base ? btf__parse_raw_split(path, base) : btf__parse_raw(path);
	libbpf_set_print(print);
	return libbpf_get_error(btf) ? NULL : btf;
}

u32 btf_end_id(const struct btf *btf)
{
	u32 low = 1, high = 1, middle;

	while (high < 1U << 30 && btf__type_by_id(btf, high))
		high *= 2;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (btf__type_by_id(btf, middle))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *btf_name(const struct btf *btf, u32 offset)
{
	const char *name = btf__name_by_offset(btf, offset);

	return name ? name : "";
}

const struct btf_type *btf_plain_type(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	int depth;

	for (depth = 0; t && depth < BTF_MAX_DEPTH; depth++) {
		switch (btf_kind(t)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case KIND_TYPE_TAG:
			t = btf__type_by_id(btf, t->type);
			break;
		default:
			return t;
		}
	}
	return NULL;
}

void btf_each_module(const char *root, struct btf *base, btf_module_fn fn, void *ctx)
{
	u32 first = btf_end_id(base);
	char path[PATH_MAX];
	enum btf_verdict verdict = BTF_NEXT;
	struct dirent *entry;
	struct btf *btf;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/kernel/btf", root);
	dir = opendir(path);
	if (!dir)
		return;
	while (verdict != BTF_STOP && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "vmlinux"))
			continue;
		btf = btf_open(root, entry->d_name, base);
		if (!btf)
			continue;
		verdict = fn(btf, first, ctx);
		if (verdict != BTF_KEEP)
			btf__free(btf);
	}
	closedir(dir);
}
