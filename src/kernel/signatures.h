/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What functions took on kernels that we know: evidence from other kernels, for where this one has no BTF,
 * and for how stable an argument is.
 *
 * In:  signatures.inc, made by build-aux/make-signatures from what those kernels say of themselves.
 * Out: per function and kernel the arguments that are of use; slots of operations tables it was in.
 */
#ifndef SKBTRAIL_KERNEL_SIGNATURES_H
#define SKBTRAIL_KERNEL_SIGNATURES_H

#include "base/strbuf.h"
#include "kernel/optables.h"
#include "kernel/prototypes.h"

/** signatures_kernels - how many kernels the table knows; their versions with signatures_kernel() */
int signatures_kernels(void);
/** signatures_kernel - "5.10" */
const char *signatures_kernel(int i);

/**
 * signatures_prototype - a prototype as the newest of these kernels that have the function has it
 * @out: ->source is PROTOTYPE_TABLE; arguments that are no object are empty
 *
 * Not when kernels differ in the arguments that are objects. Return: whether it is known.
 */
bool signatures_prototype(const char *name, struct prototype *out);

/**
 * signatures_stable - on how many of these kernels argument @arg is such an object
 * @arg: 1 for the first; 0: the return value
 * @have: set to the number of kernels that have the function
 */
int signatures_stable(const char *name, int arg, u8 object, int *have);

/**
 * signatures_slot - the slot of an operations table that the function was in, on each kernel that has it in one
 *
 * Return: "proto.sendmsg", valid until the next call; NULL when it was in none or kernels differ.
 */
const char *signatures_slot(const char *name);

/** signatures_write - what this kernel says of itself, in the format that build-aux/make-signatures reads */
int signatures_write(struct strbuf *out, const struct prototypes *p, const struct optables *tables);

#endif
