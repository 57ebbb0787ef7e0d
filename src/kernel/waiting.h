/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that wait in the kernel, within functions of which the return is probed: of a call that began before the probe was there the
 * return is never seen.
 */
#ifndef SKBTRAIL_KERNEL_WAITING_H
#define SKBTRAIL_KERNEL_WAITING_H

#include <stddef.h>

#include "base/types.h"

struct json_object;

struct waiting_call {
	u64 at_ns; /* when it was seen, CLOCK_MONOTONIC */
	s32 tid;
	u32 inode; /* of the socket; 0: not known which one */
};

struct waiting {
	struct waiting_call *call; /* by ->at_ns */
	size_t nr, cap;
};

/**
 * waiting_scan - look at the stacks of all threads in /proc
 * @out: filled in; to be released with waiting_free() whatever is returned
 * @root: "" or, for tests, a directory that stands for /
 * @functions: names, @nr_functions of them, of which one is on the stack of each thread that is told
 *
 * Where the kernel shows no stacks, each call whose first argument is the descriptor of a socket is told. Of a thread
 * that runs meanwhile nothing is: its call ends soon, or has its own records.
 *
 * Return: 0 or -ENOMEM.
 */
int waiting_scan(struct waiting *out, const char *root, const char *const *functions,
		 size_t nr_functions);
void waiting_free(struct waiting *waiting);

/** waiting_to_json - NULL when memory ran out */
struct json_object *waiting_to_json(const struct waiting *waiting);

/** waiting_from_json - may be a stranger's: what makes no sense is passed over. Return: 0 or -ENOMEM */
int waiting_from_json(struct waiting *waiting, struct json_object *array);

#endif
