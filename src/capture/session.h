/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan applied to the kernel, and taken back again.
 *
 * In:  a plan.
 * Out: a configured private instance whose buffers can be read, until session_close().
 *
 * Either all of a plan is in force (but for optional steps) or nothing of it is left. While a session is open it holds an
 * exclusive flock on the instance's directory; the lock dies with the process however that ends,
 * which is how leftovers.c tells a dead owner from a live one.
 */
#ifndef SKBTRAIL_CAPTURE_SESSION_H
#define SKBTRAIL_CAPTURE_SESSION_H

#include "base/error.h"
#include "base/types.h"
#include "capture/plan.h"

struct session;

struct session_cpu_stats {
	u32 cpu;
	u64 entries; /* in the buffer now, not yet read */
	u64 overrun; /* overwritten before they were read */
	u64 commit_overrun;
	u64 bytes;
	u64 dropped; /* refused while overwriting was off */
	u64 read;    /* handed to readers so far */
};

struct session_stats {
	struct session_cpu_stats *cpus; /* by rising cpu number; CPUs without a buffer are absent */
	size_t count;
	u64 lost; /* sum of overrun, commit_overrun and dropped */
	/* Calls of probed functions that the kernel did not record because it was handling another probe
	 * on that CPU; from kprobe_profile, which has all events of that name, whosever they are. */
	u64 missed;
};

/* A probe event that the kernel did not take. */
struct session_refusal {
	const struct probe *probe;
	int code; /* errno */
};

/**
 * session_open - apply the set-up steps of a plan; tracing stays off
 * @plan: must live as long as the session; ->events and ->tier are corrected to what the kernel took
 * @out: the session, NULL on failure
 * @err: the file, the errno, and the kernel's own words from error_log when it has some
 *
 * A probe event that is refused is left out (session_refused()), but when all are, that is a failure.
 *
 * Return: 0, or -errno after everything already done was undone. -EEXIST: an instance of that
 * name exists. -ENOTSUP: the kernel takes no probe events at all; without them it may work.
 */
int session_open(struct plan *plan, struct session **out, struct error *err);

/** session_refused - probe events that the kernel refused, @count of them; owned by the session */
const struct session_refusal *session_refused(const struct session *session, size_t *count);

/** session_unfiltered - probe events of which the kernel refused the filter; all of theirs is recorded */
const struct session_refusal *session_unfiltered(const struct session *session, size_t *count);

/** session_left_out - -errno of the first optional step that the kernel refused, 0 if it took all */
int session_left_out(const struct session *session);

/** session_start - apply the start steps: tracing on. Return: 0 or -errno */
int session_start(struct session *session, struct error *err);

/**
 * session_stop - tracing off; buffers and their counters stay readable
 *
 * Return: 0 or -errno. Stopping twice is fine, and session_start() may follow.
 */
int session_stop(struct session *session, struct error *err);

/** session_dir - the instance's directory, absolute; lives as long as the session */
const char *session_dir(const struct session *session);

/**
 * session_stats - counters of every ring buffer, from per_cpu/cpuN/stats
 * @stats: filled in; to be released with session_stats_free() whatever is returned
 *
 * A counter this kernel does not print is 0.
 */
int session_stats(const struct session *session, struct session_stats *stats, struct error *err);
void session_stats_free(struct session_stats *stats);

/** session_cpu_stats_written - records that came so far, whatever became of them */
u64 session_cpu_stats_written(const struct session_cpu_stats *cpu);

/**
 * session_cpu_written - records that were put into one CPU's buffer since it was made or cleared
 *
 * Those that were read, overwritten or refused since then count, too. Return: 0 or -errno.
 */
int session_cpu_written(const struct session *session, u32 cpu, u64 *records);

/** session_clear - empty the buffers and set their counters back; Return: 0 or -errno */
int session_clear(const struct session *session);

/** session_plan - the plan that is in force */
const struct plan *session_plan(const struct session *session);

/**
 * session_close - tracing off, events off, probe events gone, instance gone, lock released
 * @session: set to NULL; a NULL session is fine, so closing twice is
 * @err: what is left and why; NULL is allowed
 *
 * Readers of the buffers have to be closed before: as long as one is open the kernel answers
 * EBUSY, which is retried for about a second.
 *
 * Return: 0, or -errno when something is left in tracefs.
 */
int session_close(struct session **session, struct error *err);

#endif
