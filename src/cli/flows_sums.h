/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables in which the kernel sums up calls, live: reading them, and emptying the one that rests before it is full.
 */
#ifndef SKBTRAIL_CLI_FLOWS_SUMS_H
#define SKBTRAIL_CLI_FLOWS_SUMS_H

#include "analysis/flowhist.h"
#include "base/strbuf.h"
#include "cli/capture.h"
#include "kernel/jiffies.h"

struct flows_sums {
	const struct capture *c;
	struct flowhist *hist; /* not owned */
	struct strbuf text;
	struct jiffies_clock clock;
	bool clock_known;
	bool clock_proved;    /* a table that rests by it did */
	u64 read_ns, took_ns; /* when the tables were read last, and how long that took */
	u32 doubts;	      /* times that one did not */
	u64 rest;	      /* in which tables were read last; 0: none */
	u64 late;	      /* times that a table was emptied when it may have been in use */
};

void flows_sums_init(struct flows_sums *sums, const struct capture *c, struct flowhist *hist);
void flows_sums_free(struct flows_sums *sums);

/**
 * flows_sums_read - read the tables into ->hist, unless that takes too much of the time
 * @now: in any case
 *
 * Return: 0 or -errno.
 */
int flows_sums_read(struct flows_sums *sums, bool now);

#endif
