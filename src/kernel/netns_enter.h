/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Do something inside another network namespace without ever leaving one's own.
 *
 * The netns is a property of a thread. What must happen elsewhere therefore runs on a thread made
 * for it, which ends with the call: there is nothing to change back and no way to forget it.
 */
#ifndef SKBTRAIL_KERNEL_NETNS_ENTER_H
#define SKBTRAIL_KERNEL_NETNS_ENTER_H

#include <pthread.h>

#include "base/error.h"
#include "base/types.h"

/**
 * netns_call - run a function on a thread of its own inside a netns, and wait for it
 * @netns_fd: the netns to enter first; -1: start in the caller's (@fn may setns() or unshare())
 * @fn: runs with all signals blocked, so that handlers keep running on the caller's threads
 *
 * Return: what @fn returned, or -errno when the thread or setns() failed.
 */
int netns_call(int netns_fd, int (*fn)(void *arg, struct error *err), void *arg, struct error *err);

/** netns_thread - start a thread with all signals blocked; Return: 0 or -errno, no message */
int netns_thread(pthread_t *thread, void *(*fn)(void *arg), void *arg);

/**
 * netns_enter - move the calling thread into a netns; only for threads made for it
 *
 * Return: 0 or -errno with what is missing (CAP_SYS_ADMIN, or not a netns at all).
 */
int netns_enter(int netns_fd, struct error *err);

#endif
