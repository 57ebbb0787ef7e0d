/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command whose packets are watched: "skbtrail trace -- COMMAND".
 *
 * In:  an argument vector.
 * Out: a child process that waits until tracing is on, then runs the command as the user who
 *      called sudo; its end as something to poll() for; its exit status in words.
 *
 * The child is always reaped, never outlives a parent that dies before the release, and inherits
 * no descriptor of ours beyond 0, 1 and 2.
 */
#ifndef SKBTRAIL_CAPTURE_WORKLOAD_H
#define SKBTRAIL_CAPTURE_WORKLOAD_H

#include <sys/types.h>

#include "base/error.h"
#include "base/types.h"

struct workload;

enum {
	WORKLOAD_KEEP_USER = 1 << 0,	    /* do not drop to SUDO_UID/SUDO_GID */
	WORKLOAD_STDOUT_TO_STDERR = 1 << 1, /* standard output is for our own use */
};

/**
 * workload_start - fork the child; it waits
 * @argv: NULL-terminated; argv[0] is looked up in PATH
 * @flags: WORKLOAD_*
 * @out: the workload, NULL on failure; to be released with workload_free()
 */
int workload_start(char *const argv[], unsigned int flags, struct workload **out,
		   struct error *err);

/**
 * workload_release - let the command begin
 *
 * Return: 0 when the command runs; -errno when it could not be executed ("command not found");
 * the child is then reaped already.
 */
int workload_release(struct workload *w, struct error *err);

/** workload_pid - the child's process id */
pid_t workload_pid(const struct workload *w);

/**
 * workload_fd - becomes readable (POLLIN) when the command may have ended
 *
 * A pidfd; on kernels or sandboxes without one a signalfd for SIGCHLD (which stays blocked until
 * workload_free()). Not to be read by the caller: ask workload_ended().
 */
int workload_fd(const struct workload *w);

/** workload_ended - reap the child if it has ended; Return: whether it has. Never blocks */
bool workload_ended(struct workload *w);

/** workload_wait - wait for the end and reap; Return: 0 or -errno */
int workload_wait(struct workload *w, struct error *err);

/** workload_ok - ended with exit status 0 */
bool workload_ok(const struct workload *w);

/**
 * workload_status_text - "exited with 3", "killed by SIGSEGV", "still running", "not started"
 *
 * Return: @buf.
 */
const char *workload_status_text(const struct workload *w, char *buf, size_t size);

/**
 * workload_kill - send a signal to the command if it has not been reaped yet
 *
 * For a SIGTERM or SIGHUP sent to us alone; a SIGINT from the terminal reaches the command anyway,
 * which stays in our process group.
 */
void workload_kill(struct workload *w, int sig);

/**
 * workload_free - release everything; NULL is fine
 *
 * A child that was never released ends without running the command. A command that still runs
 * gets SIGTERM, and SIGKILL after a second.
 */
void workload_free(struct workload *w);

#endif
