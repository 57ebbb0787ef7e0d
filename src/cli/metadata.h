/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What skbtrail stores of its own in a recording: JSON that other readers never look at.
 *
 *	{"skbtrail":"0.1.0","tier":"T0","clock":"mono","device":"eth0","filter":"icmp","missing":[...],
 *	 "netns":{...},"cost":{"packets":16,"records":176,"off_ns":62500,"on_ns":110000}}
 *
 * "filter" is there when the kernel recorded only what may match it; "stacks":true when stack traces are among the
 * records; "graph" with function_graph: {"place":"top","depth":12,...}, and "optables" then has the operations tables, see
 * kernel/optables.h.
 */
#ifndef SKBTRAIL_CLI_METADATA_H
#define SKBTRAIL_CLI_METADATA_H

#include "capture/cost.h"
#include "cli/capture.h"
#include "kernel/netns.h"

struct metadata {
	struct netns_snapshot *netns; /* NULL: not recorded */
	char device[64];	      /* show only packets on this device; "" all */
	struct cost cost;	      /* of the capture; ->packets is 0 when it is not recorded */
	char filter
		[512]; /* other packets are missing, or not whole; "" none. Cut; not to be compiled */
	bool stacks;   /* there are stack traces among the records */
	bool tap;      /* there are frames of packet sockets among the records */
};

/** metadata_write - append the JSON of a capture to @out; @netns NULL: not known. Return: 0 or -ENOMEM */
int metadata_write(struct strbuf *out, const struct capture *c, const struct netns_snapshot *netns);

/**
 * metadata_read - the JSON of a recording, which may come from a stranger
 * @meta: filled in; the caller frees ->netns
 *
 * Return: 0, -EBADMSG for text that is not such JSON, -EINVAL or -ENOMEM.
 */
int metadata_read(struct metadata *meta, const char *text, struct error *err);

/**
 * metadata_tables - the operations tables in it
 * @out: to be released with optables_free(); NULL when there are none
 *
 * Return: 0, -EBADMSG for tables that are none, -ENOMEM.
 */
int metadata_tables(const char *text, struct optables **out, struct error *err);

#endif
