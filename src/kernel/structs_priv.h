/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sources of struct layout share: which members are wanted, and how one that was found is taken.
 *
 * A source fills in members that are not known yet and never changes one that is, except that two
 * different places for one member make it unknown.
 */
#ifndef SKBTRAIL_KERNEL_STRUCTS_PRIV_H
#define SKBTRAIL_KERNEL_STRUCTS_PRIV_H

#include "kernel/structs.h"

#define STRUCTS_OFFSET_MAX 65535U
#define STRUCTS_SIZE_MAX 4096U
#define STRUCTS_SKB_SIZE_MAX 4096U

struct member_def {
	const char *name;    /* structure.member, members of members with dots */
	const char *renamed; /* what it is called in newer kernels; NULL */
	const char *module;  /* whose BTF has it when it is not built in; NULL */
};

extern const struct member_def member_defs[MEMBER_COUNT];

/** member_struct_is - whether @name is the structure of @def: "net" for "net.ns.inum" */
bool member_struct_is(const struct member_def *def, const char *name);
/** member_path - what follows the structure: "ns.inum" */
const char *member_path(const char *name);

/* A member as a type source tells it. */
struct found {
	u64 offset; /* bytes */
	u64 size;
	bool is_bit; /* as in struct member_place */
	u8 bit;
};

/**
 * found_bit - a bitfield of one bit
 * @offset_bits: from the structure's beginning as BTF and DWARF 4 count: in a byte from the lowest bit
 *               on little-endian machines, from the highest on big-endian ones
 */
struct found found_bit(u64 offset_bits, bool little_endian);

/** layout_put - take a member if its numbers can be right, a bit of a flag only; Return: false else */
bool layout_put(struct layout *l, enum member m, const struct found *found, u8 source);

/** btf_load - fill in what BTF below @root knows; Return: 0, -ENODATA when there is none */
int btf_load(struct layout *l, const char *root);

/** dwarf_load - fill in what the debug info of a file knows, its build id and kernel release too */
int dwarf_load(struct layout *l, const char *path, struct error *err);

/** build_id_read - of the running kernel, from /sys/kernel/notes; "" when it cannot be known */
void build_id_read(char *hex, size_t size, const char *root);
/** build_id_from_notes - the GNU build id in ELF notes, in hex; Return: false when there is none */
bool build_id_from_notes(const void *notes, size_t len, char *hex, size_t size);

/**
 * cache_read - take in what was kept for the kernel of that build id
 * @l: written only on success
 *
 * Return: 0; -errno when there is nothing, or nothing to be trusted: not ours, writable by others, damaged,
 * of another build.
 */
int cache_read(struct layout *l, const char *root, const char *build_id);
/** cache_write - keep it for l->build_id; failing to is of no importance */
int cache_write(const struct layout *l, const char *root);

#endif
