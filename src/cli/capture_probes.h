/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe events of a capture: everything that choosing them takes, learned from the running kernel.
 */
#ifndef SKBTRAIL_CLI_CAPTURE_PROBES_H
#define SKBTRAIL_CLI_CAPTURE_PROBES_H

#include "capture/probes.h"
#include "cli/pushdown.h"
#include "kernel/features.h"
#include "kernel/structs.h"

/**
 * capture_probes - choose the probe events for the running kernel
 * @rq: ->pid and ->argument are filled in here
 * @structs: file of --structs; NULL: none
 * @layout: filled in
 * @down: what is to be pushed down, prepared here; NULL: nothing
 * @out: filled in; to be released with probes_free() whatever is returned
 *
 * Return: 0 also when there can be none; -errno for what the user asked for and cannot be had.
 */
int capture_probes(const struct probe_request *rq, const struct features *f, const char *structs,
		   struct layout *layout, struct pushdown *down, struct probes *out,
		   struct error *err);

#endif
