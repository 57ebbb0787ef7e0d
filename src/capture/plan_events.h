/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which events a capture switches on; for plan.c only.
 */
#ifndef SKBTRAIL_CAPTURE_PLAN_EVENTS_H
#define SKBTRAIL_CAPTURE_PLAN_EVENTS_H

#include "capture/plan.h"

/**
 * plan_choose_events - fill @plan->events and @plan->missing
 *
 * Return: 0, -EINVAL for an event that does not exist (@err names the nearest ones), -ENOMEM.
 */
int plan_choose_events(const struct capture_request *rq, const struct features *f,
		       struct plan *plan, struct error *err);

/** plan_event_doubled - whether a probe stands in its place, so that both would tell everything twice */
bool plan_event_doubled(const struct probes *probes, const char *event);

#endif
