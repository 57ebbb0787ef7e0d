/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which process a thread is of, and what it is called: by /proc, remembered.
 *
 * A thread that is gone before it is looked up stays a number. Names are looked up again after a while, as execve()
 * changes them and numbers are used again.
 */
#ifndef SKBTRAIL_KERNEL_TASKS_H
#define SKBTRAIL_KERNEL_TASKS_H

#include "base/types.h"

struct tasks;

struct task_name {
	s32 tid;
	s32 pid;       /* of its process; the thread's own when that is not known */
	s32 parent;    /* of its process; 0 not known, or none */
	char comm[16]; /* of the process' first thread, padded with 0; "" not known */
};

/** tasks_new - @root: "" or, for tests, a directory that stands for /. Return: NULL when memory ran out */
struct tasks *tasks_new(const char *root);
void tasks_free(struct tasks *tasks);

/**
 * tasks_find - @now_ns: the time, in whatever clock, as long as it is always the same
 *
 * Return: what is known, valid until the next call; never NULL.
 */
const struct task_name *tasks_find(struct tasks *tasks, s32 tid, u64 now_ns);

/**
 * task_look_up - look at /proc now
 * @root: as that of tasks_new()
 * @name: ->tid says of which thread; what is not told stays as it was
 *
 * Return: false when it is gone.
 */
bool task_look_up(const char *root, struct task_name *name);

#endif
