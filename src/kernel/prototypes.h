/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prototypes of kernel functions: which argument is a socket, an skb, a file, and what is returned.
 *
 * In:  BTF of the running kernel and its modules; else a table of other kernels (signatures.h).
 * Out: for a function's name its arguments, and who says so. Slots of operations tables by offset.
 *
 * What BTF of this kernel says is exact. The table is of other kernels and says which: a signature that
 * differs between them is no evidence.
 */
#ifndef SKBTRAIL_KERNEL_PROTOTYPES_H
#define SKBTRAIL_KERNEL_PROTOTYPES_H

#include "base/error.h"
#include "base/types.h"

#define PROTOTYPE_ARGS 12
#define PROTOTYPE_TYPE 48

/* What an argument is, as far as a probe can make use of it. */
enum object {
	OBJECT_NONE,
	OBJECT_SOCK,   /* struct sock *, or a structure that begins with one: struct tcp_sock * */
	OBJECT_SOCKET, /* struct socket * */
	OBJECT_SKB,    /* struct sk_buff * */
	OBJECT_FILE,   /* struct file * */
	OBJECT_MSGHDR, /* struct msghdr * */
	OBJECT_BYTES,  /* size_t: how much to send, or the room to receive into */
	OBJECT_NUMBER, /* int, long, ssize_t: as a return value perhaps a count of bytes */
	OBJECT_COUNT
};

enum prototype_source {
	PROTOTYPE_UNKNOWN,
	PROTOTYPE_BTF,	 /* BTF of the running kernel */
	PROTOTYPE_TABLE, /* signatures of other kernels */
};

struct prototype_arg {
	u8 object; /* enum object */
	char type
		[PROTOTYPE_TYPE]; /* "sock" of a struct sock *; "" for what is no pointer to a structure */
};

struct prototype {
	u8 source;	      /* enum prototype_source */
	u8 nr_args;	      /* that are known: those beyond PROTOTYPE_ARGS are not */
	bool returns_nothing; /* void; by BTF only */
	struct prototype_arg arg[PROTOTYPE_ARGS];
	struct prototype_arg ret;
};

struct prototypes;

/**
 * prototypes_load - take in BTF of the running kernel
 * @root: "" or a directory that stands for /
 *
 * Some 50 ms. Return: 0, -ENODATA when there is no BTF, -ENOMEM.
 */
int prototypes_load(struct prototypes **out, const char *root);
void prototypes_free(struct prototypes *p);

/**
 * prototypes_find - the prototype of a function
 * @p: NULL: without BTF
 * @name: as in kallsyms. A name with an ending (.isra.0, .part.0) is not known: arguments may be missing
 * @out: filled in, ->source PROTOTYPE_UNKNOWN when not found, or when several functions of that
 *       name differ
 *
 * Return: whether it is known.
 */
bool prototypes_find(const struct prototypes *p, const char *name, struct prototype *out);

/**
 * prototype_argument - the first argument that is such an object
 *
 * Return: 1 for the first argument; 0 when none is.
 */
int prototype_argument(const struct prototype *proto, enum object object);

/** prototype_argument_type - the first argument that is a pointer to structure @type; 0 when none is */
int prototype_argument_type(const struct prototype *proto, const char *type);

/** object_name - "struct sock *" */
const char *object_name(u8 object);

/** prototypes_struct_size - bytes of a structure; 0 when not known */
u32 prototypes_struct_size(const struct prototypes *p, const char *name);

/**
 * prototypes_slot - the member of a structure at @offset that is a pointer to a function
 *
 * Return: "connect", as long as @p lives; NULL when there is none.
 */
const char *prototypes_slot(const struct prototypes *p, const char *name, u32 offset);

typedef void (*prototype_fn)(void *ctx, const char *name, const struct prototype *proto);

/** prototypes_each - all functions of the kernel and its modules by name, those that differ left out */
void prototypes_each(const struct prototypes *p, prototype_fn fn, void *ctx);

#endif
