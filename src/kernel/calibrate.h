/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Self-calibration: where members are in a kernel that says nothing of its types.
 *
 * In:  root, kprobe events, a private network.
 * Out: for each member its place, or why not. Nothing is guessed: a place is one that was the only one to
 *      agree with all packets of known contents.
 */
#ifndef SKBTRAIL_KERNEL_CALIBRATE_H
#define SKBTRAIL_KERNEL_CALIBRATE_H

#include "kernel/calibrate_solve.h"
#include "kernel/structs.h"

struct calibration {
	struct cal_finding of[MEMBER_COUNT];
	u32 rounds;
	u32 packets;
	u64 took_ns;
};

/* Called again and again while it goes on. */
typedef void (*calibrate_progress)(void *arg, u64 since_ns);

/**
 * calibrate - find out where members are in the running kernel
 * @out: filled in on success
 * @progress: NULL, or to be called from another thread
 *
 * Makes, and removes on all ways out, the instance skbtrail-<pid> and probe events of the group skbtrail_<pid>.
 * So no capture of this process may be open. SIGINT, SIGTERM, SIGHUP and SIGQUIT are held back
 * meanwhile, and end it soon. Takes about a second.
 *
 * Return: 0, also when little was found; -EINTR after a signal; -errno with @err saying what is missing.
 */
int calibrate(struct calibration *out, calibrate_progress progress, void *arg, struct error *err);

/**
 * calibrate_netfilter_now - which of netfilter's parts calibration would find members of now
 * @root: "" or a directory that stands for /
 *
 * They may come later, as modules.
 *
 * Return: bits of LAYOUT_TRIED_*.
 */
u8 calibrate_netfilter_now(const char *root);

#endif
