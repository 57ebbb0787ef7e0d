/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BTF files of the kernel, and types in them: what all who ask BTF have in common.
 *
 * libbpf only reads the files; nothing is loaded into the kernel.
 */
#ifndef SKBTRAIL_KERNEL_BTF_READ_H
#define SKBTRAIL_KERNEL_BTF_READ_H

#include <bpf/btf.h>

#include "base/types.h"

/* BTF_KIND_TYPE_TAG; not in the headers of Linux 5.15 */
#define KIND_TYPE_TAG 18
#define BTF_MAX_DEPTH 32

/**
 * btf_open - the kernel's BTF below @root, or that of a module, which stands on the kernel's
 * @module: NULL for the kernel
 *
 * Return: to be freed with btf__free(), or NULL.
 */
struct btf *btf_open(const char *root, const char *module, struct btf *base);

/** btf_end_id - the first id behind all types; btf__type_cnt() is not there before libbpf 0.6 */
u32 btf_end_id(const struct btf *btf);

/** btf_name - a name; "" when there is none */
const char *btf_name(const struct btf *btf, u32 offset);

/** btf_plain_type - what is behind typedefs, const and their like; NULL when that has no end */
const struct btf_type *btf_plain_type(const struct btf *btf, u32 id);

/* What becomes of a module's BTF that was looked at. */
enum btf_verdict {
	BTF_NEXT, /* free it, go on */
	BTF_STOP, /* free it, no more of them */
	BTF_KEEP, /* it is the callee's now, who frees it before its base; go on */
};

typedef enum btf_verdict (*btf_module_fn)(struct btf *btf, u32 first, void *ctx);

/**
 * btf_each_module - call @fn with the BTF of each module that is loaded, in no order
 * @fn: types from @first on are the module's own
 */
void btf_each_module(const char *root, struct btf *base, btf_module_fn fn, void *ctx);

#endif
