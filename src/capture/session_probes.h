/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe events of a session: defined, switched on where the kernel did not do it in one go, removed.
 * For session.c only.
 */
#ifndef SKBTRAIL_CAPTURE_SESSION_PROBES_H
#define SKBTRAIL_CAPTURE_SESSION_PROBES_H

#include "capture/session.h"

struct session_probes {
	struct plan *plan;
	bool *placed; /* by index into plan->probes->probe */
	struct session_refusal *refused;
	size_t nr_refused;
	struct session_refusal *unfiltered;
	size_t nr_unfiltered;
};

int session_probes_init(struct session_probes *p, struct plan *plan);
void session_probes_free(struct session_probes *p);

/**
 * session_probes_define - define all probes of the plan, in as few writes as the kernel lets us
 * @path: dynamic_events
 *
 * What the kernel refuses is left out, replaced by what is meant to stand in for it, and listed. plan->events
 * and plan->tier are corrected.
 *
 * Return: 0; -errno when it takes none at all.
 */
int session_probes_define(struct session_probes *p, const char *path, struct error *err);

/**
 * session_probes_filter - write the filter of a probe
 * @path: of its file
 *
 * Return: 0, also when the kernel refuses it, which is noted.
 */
int session_probes_filter(struct session_probes *p, const char *path, const char *filter);

/** session_probes_enable - switch on one by one what a write for the whole group did not */
int session_probes_enable(struct session_probes *p, struct error *err);

#endif
