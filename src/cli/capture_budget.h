/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --budget: measure, choose a hop set, and see whether it keeps what was promised. See capture_budget().
 *
 * The other functions here are steps of a capture that it shares with capture.c.
 */
#ifndef SKBTRAIL_CLI_CAPTURE_BUDGET_H
#define SKBTRAIL_CLI_CAPTURE_BUDGET_H

#include "cli/capture.h"

/**
 * capture_budget - open the session with the largest hop set that the budget allows
 * @c: planned, signals taken, c->link and c->cost.off_ns there; c->session, c->plan and c->cost are set
 *
 * For a second the tracepoints alone are on, and the records of each CPU counted: the rate of packets, in
 * units of the packets that cost.h sends. Beside that the cost of a tracepoint's record is measured, and
 * with a handful of probes that of a probe's. From these the share of each hop set is estimated. The largest
 * that fits is armed and held against the traffic itself for a quarter of a second: records on the busiest CPU
 * times what they were measured to cost. One that takes more after all gives way to the next smaller.
 *
 * Return: 0 with the session open; -EDQUOT when nothing fits, -EINTR after a signal, or -errno.
 */
int capture_budget(struct capture *c, struct error *err);

/** capture_choose - c->probes and c->plan for what c->want says */
int capture_choose(struct capture *c, struct error *err);

/** capture_build_plan - a plan with these probes (NULL: none) for the capture's request */
int capture_build_plan(const struct capture *c, const struct probes *probes, struct plan *plan,
		       struct error *err);

/** capture_open_session - apply c->plan; where probe events are refused, one without them */
int capture_open_session(struct capture *c, struct error *err);

/** capture_take_signal - read from the descriptor for signals: sets c->signal */
void capture_take_signal(struct capture *c);

#endif
