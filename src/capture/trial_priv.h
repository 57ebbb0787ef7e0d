/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the trial share: records as text, and how they are judged. Pure, for tests.
 */
#ifndef SKBTRAIL_CAPTURE_TRIAL_PRIV_H
#define SKBTRAIL_CAPTURE_TRIAL_PRIV_H

#include "capture/trial_calls.h"

/* A line of a trace file: "   curl-123   [001] d..1.  12.345678: e3: (f+0x0/0x10) family=2 ..." */
struct trial_line {
	s32 tid;
	u64 ts_us;
	bool irq;	  /* hardirq or softirq */
	const char *name; /* of the event, @name_len bytes */
	size_t name_len;
	const char *text; /* what follows the event's name, to the end of the line */
	size_t len;
};

/** trial_next_line - take a record off a text; Return: false at its end */
bool trial_next_line(const char **text, struct trial_line *line);

/** trial_lost - records that did not fit into the buffer, by the head of a trace file's text */
u64 trial_lost(const char *text);

/**
 * trial_judge - hold the records of a trace against calls
 * @event: for each definition the number of its event, which is called "e" and this
 * @calls: sorted by trial_calls_sort()
 */
void trial_judge(const char *text, const struct trial_calls *calls, struct trial_def *defs,
		 const size_t *event, size_t nr, struct trial_result *result);

/** trial_calls_sort - by thread and time, as trial_judge() wants them */
void trial_calls_sort(struct trial_calls *calls);

/* Sockets of a process over time. */
struct trial_sample {
	int fd;
	u64 first_ns, last_ns; /* when it was seen so */
	struct trial_truth truth;
};

struct trial_samples {
	struct trial_sample *sample;
	size_t nr, cap;
};

/** trial_sample - look at all sockets of a process now; Return: 0, -ESRCH when it is gone, -ENOMEM */
int trial_sample(struct trial_samples *s, int pidfd, s32 pid);
void trial_samples_free(struct trial_samples *s);

/** trial_calls_from_text - system calls from their tracepoints' records, with truths from samples */
int trial_calls_from_text(const char *text, const struct trial_samples *samples,
			  struct trial_calls *calls);

#endif
