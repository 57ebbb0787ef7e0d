/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Process ids -> command names, from saved_cmdlines ("PID NAME" lines) and from whoever else knows.
 */
#ifndef SKBTRAIL_DECODE_COMMS_H
#define SKBTRAIL_DECODE_COMMS_H

#include "base/types.h"

#define COMM_SIZE 16 /* TASK_COMM_LEN of the kernel, NUL included */

struct comm {
	s32 pid;
	char name[COMM_SIZE];
};

struct comms {
	struct comm *slot; /* hash table; pid 0 (the idle task) marks a free slot */
	u32 nr, mask;
};

void comms_free(struct comms *c);

/** comms_add - remember a name; the first one for a pid stays. Return: 0 or -ENOMEM */
int comms_add(struct comms *c, s32 pid, const char *name, size_t len);

/** comms_add_text - take in saved_cmdlines; lines that make no sense are passed over */
int comms_add_text(struct comms *c, const char *text, size_t len);

/** comms_find - Return: the name, or NULL when it is not known */
const char *comms_find(const struct comms *c, s32 pid);

#endif
