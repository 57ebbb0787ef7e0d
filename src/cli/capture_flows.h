/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The events of sockets in a capture: choosing them takes symbols and features of the running kernel.
 */
#ifndef SKBTRAIL_CLI_CAPTURE_FLOWS_H
#define SKBTRAIL_CLI_CAPTURE_FLOWS_H

#include "cli/capture.h"
#include "kernel/waiting.h"

/**
 * capture_flows_choose - what the running kernel has
 * @rq: ->pid is set here
 * @out: to be released with flowprobes_free() whatever is returned
 */
int capture_flows_choose(const struct features *f, const struct layout *layout,
			 struct flowprobes_request *rq, struct flowprobes *out, struct error *err);

/** capture_flows - choose c->flows, and add their probes to c->probes. Return: 0 or -errno */
int capture_flows(struct capture *c, u8 max_tier, struct error *err);

/**
 * capture_flows_waiting - calls that wait now, of which the return will not be told if their entry was not
 * @out: to be released with waiting_free() whatever is returned
 *
 * Tracing is on already: no call may begin between the two unseen.
 */
int capture_flows_waiting(const struct capture *c, struct waiting *out, struct error *err);

/** capture_flows_announce - lines on stderr: what is not told here, and with -v where bytes come from */
void capture_flows_announce(const struct capture *c);

#endif
