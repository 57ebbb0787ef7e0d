/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calibration's probe events: windows of memory from probes on functions.
 *
 * In:  the windows that the solver wants, packets that are sent between begin and end.
 * Out: cal_feed() of each that was taken.
 *
 * All is in an instance skbtrail-<pid> and a group skbtrail_<pid> of its own: see tracedir.h.
 */
#ifndef SKBTRAIL_KERNEL_CALIBRATE_PROBES_H
#define SKBTRAIL_KERNEL_CALIBRATE_PROBES_H

#include "kernel/calibrate_solve.h"

struct calprobes;

/**
 * calprobes_open - make the instance
 * @symbols: for each enum cal_hook the function's name in this kernel, NULL when it has none
 */
int calprobes_open(struct calprobes **out, const char *tracing_dir,
		   const char *const symbols[CAL_HOOKS], struct error *err);

/** calprobes_close - remove everything; Return: 0 or -errno of the first thing that stays */
int calprobes_close(struct calprobes *p, struct error *err);

/**
 * calprobes_begin - define and switch on probes for all windows that @cal wants
 * @mark: of the round's packets, as in calnet_begin()
 *
 * What takes place in the sender's context is taken of the calling thread only.
 */
int calprobes_begin(struct calprobes *p, struct cal *cal, u32 mark, struct error *err);

/**
 * calprobes_take - feed what was taken since the packet @packet was added
 * @wait_rx: wait for a record of CAL_RX
 */
int calprobes_take(struct calprobes *p, struct cal *cal, size_t packet, bool wait_rx,
		   struct error *err);

/** calprobes_end - switch the round's probes off and remove them */
int calprobes_end(struct calprobes *p, struct error *err);

#endif
