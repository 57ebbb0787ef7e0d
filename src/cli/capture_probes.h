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
 * capture_layout - learn where members are, if probes are asked for and possible
 * @structs: file of --structs; NULL: none
 * @calibrate: find out when nothing else tells (see kernel/calibrate.h)
 *
 * Return: 0 also when nothing is known; -errno for a file that the user named and that cannot be used.
 */
int capture_layout(const struct probe_request *rq, const struct features *f, const char *structs,
		   bool calibrate, struct layout *layout, struct error *err);

/**
 * capture_probes - choose the probe events for the running kernel
 * @rq: ->pid, ->argument and ->push are filled in here
 * @down: what is to be pushed down, prepared here; NULL: nothing
 * @out: filled in; to be released with probes_free() whatever is returned
 *
 * Return: 0 also when there can be none; -errno for what the user asked for and cannot be had.
 */
int capture_probes(const struct probe_request *rq, const struct features *f,
		   const struct layout *layout, struct pushdown *down, struct probes *out,
		   struct error *err);

/** capture_calibrating - structs_options' ->progress: tells a person after two seconds */
void capture_calibrating(void *arg, u64 since_ns);

#endif
