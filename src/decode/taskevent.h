/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of tasks that begin or get another name -> struct task_event.
 *
 * task:task_newtask comes before the first record of the new task and tells by clone_flags whether it is a thread of the
 * process or a new one; task:task_rename comes at execve() and prctl(). include/trace/events/task.h
 */
#ifndef SKBTRAIL_DECODE_TASKEVENT_H
#define SKBTRAIL_DECODE_TASKEVENT_H

#include "decode/format.h"

struct task_event {
	s32 tid;       /* of whom it speaks */
	s32 by;	       /* task_newtask: the thread that made it */
	bool begins;   /* task_newtask; else it has another name */
	bool thread;   /* of the process of ->by */
	bool brother;  /* its parent is that of ->by (CLONE_PARENT) */
	char comm[16]; /* its name from now on, padded with 0 */
};

struct task_event_type {
	u16 id, min_len;
	bool begins;
	struct format_place current, pid, comm, flags;
};

struct task_schema {
	struct task_event_type type[2];
	u32 nr;
	bool swap;
};

/** task_schema_add_format - take in one format file, which may be a stranger's; others are passed over */
void task_schema_add_format(struct task_schema *s, const char *system, const char *text,
			    size_t len);

/** task_schema_decode - Return: false for records of other events, and damaged ones */
bool task_schema_decode(const struct task_schema *s, u16 id, const u8 *data, u32 len,
			struct task_event *ev);

#endif
