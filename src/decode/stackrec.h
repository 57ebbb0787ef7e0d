/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stack traces in a stream of records (kernel_stack) -> struct stack_record.
 *
 * They are no events: their format stands among those of system "ftrace". A trigger "stacktrace" writes one right
 * behind the event's own record, on the same CPU, of what the task was doing (kernel/trace/trace_events_trigger.c). With
 * an interrupt on top of the task, the task's functions are behind those of the interrupt.
 *
 *	kernel_stack	size: how many there are; caller[]: return addresses, the innermost first. The format says
 *			[8], but there are as many as size says.
 */
#ifndef SKBTRAIL_DECODE_STACKREC_H
#define SKBTRAIL_DECODE_STACKREC_H

#include "base/types.h"
#include "decode/graphrec.h"

#define STACK_FUNCS 32 /* the outermost; more are not read */

struct stack_record {
	s32 pid;
	u8 context; /* GRAPH_IN_HARDIRQ, GRAPH_IN_SOFTIRQ */
	u8 nr;
	u64 func[STACK_FUNCS]; /* return addresses, the outermost first */
};

struct stack_format {
	struct format_place size, pid, flags;
	u16 id;	     /* of its records */
	u16 callers; /* where the addresses begin; 0: there is no such format */
	u8 long_size;
	bool swap;
};

/** stack_format_init - without a format, so that no record is one; arguments as of graph_formats_init() */
void stack_format_init(struct stack_format *s, bool big_endian, u8 long_size);

/**
 * stack_format_add - take in one format file; any other than kernel_stack is passed over
 * @text: may come from a stranger, @len bytes
 */
void stack_format_add(struct stack_format *s, const char *system, const char *text, size_t len);

/**
 * stack_decode - record bytes -> struct stack_record
 * @data: the record, @len bytes, with the id @id
 *
 * Return: false when it is no stack trace, or damaged.
 */
bool stack_decode(const struct stack_format *s, u16 id, const u8 *data, u32 len,
		  struct stack_record *rec);

#endif
