/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adding steps to a plan; shared by the files that together make plan.h.
 */
#ifndef SKBTRAIL_CAPTURE_PLAN_STEPS_H
#define SKBTRAIL_CAPTURE_PLAN_STEPS_H

#include "capture/plan.h"

/**
 * plan_add_step - add one at the end
 * @dir: with @file the path; @file may be "" for @dir itself
 * @value: copied; NULL for what needs none
 *
 * Return: 0 or -ENOMEM.
 */
int plan_add_step(struct plan *plan, enum plan_phase phase, enum plan_op op, const char *dir,
		  const char *file, const char *value);

/** plan_stacks - a stack trace with each event that sends a packet, or the end of that */
int plan_stacks(struct plan *plan, enum plan_phase phase);

/** plan_triggers - those of probes that are summed, which have no records; or their end */
int plan_triggers(struct plan *plan, enum plan_phase phase);

/** plan_graph_save - the step that keeps what is to be restored, if anything is */
int plan_graph_save(struct plan *plan);
/** plan_graph_arm - function_graph on; the last of the set-up, since it makes the machine slower */
int plan_graph_arm(struct plan *plan);
/** plan_graph_off - the first of the undo but tracing_on: the machine is fast again */
int plan_graph_off(struct plan *plan);
/** plan_graph_restore - all that is not in our own instance */
int plan_graph_restore(struct plan *plan);

#endif
