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
 * With sockets "flows" is there: {"taken_ns":...,"pid":...,"no_bytes":false,"inventory":{...}}, the latter as in
 * kernel/sockdiag_json.c; and "tasks", as in kernel/tasklist.h.
 */
#ifndef SKBTRAIL_CLI_METADATA_H
#define SKBTRAIL_CLI_METADATA_H

#include "capture/cost.h"
#include "cli/capture.h"
#include "kernel/netns.h"
#include "kernel/sockdiag.h"
#include "kernel/tasklist.h"
#include "kernel/waiting.h"

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

/* What record --flows stores of sockets and tasks. */
struct metadata_flows {
	bool has_inventory;
	bool no_bytes; /* the events tell only of sockets that open and close */
	s32 pid;       /* the process that is of interest; 0: all */
	u64 taken_ns;  /* when the inventory was taken, CLOCK_MONOTONIC */
	struct sockdiag inventory;
	struct waiting
		waiting; /* calls that were under way when tracing began, and some that had just begun */
	struct tasklist tasks;
};

/**
 * metadata_put_flows - add to JSON of metadata_write(); what was added by an earlier call is left out then
 * @out: replaced
 * @base: the JSON without
 *
 * Return: 0 or -ENOMEM.
 */
int metadata_put_flows(struct strbuf *out, const struct strbuf *base,
		       const struct metadata_flows *flows);

/** metadata_read_flows - the same again, which may come from a stranger. Return: 0, -EBADMSG or -ENOMEM */
int metadata_read_flows(struct metadata_flows *flows, const char *text, struct error *err);
void metadata_flows_free(struct metadata_flows *flows);

#endif
