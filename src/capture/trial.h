/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Definitions of probes, tried out: does what they fetch agree with the truth?
 *
 * In:  definitions; a command to run, or a process that is there.
 * Out: for each definition how often it was right, wrong, or could not be judged.
 *
 * The truth is asked of the sockets themselves, by getsockname() and getpeername() through a copy of the
 * process' descriptor (pidfd_getfd(2)): of a command at the end of each of its system calls, for which
 * it is stopped (ptrace(2)), since a short-lived socket is gone later; of a process that is there from
 * samples taken meanwhile, since it shall not be disturbed. How many bytes were sent or received is what
 * the system call returned. A record is of the system call of its thread in whose time it falls.
 *
 * Everything is in an instance and a group of ours, and gone again on every way out.
 */
#ifndef SKBTRAIL_CAPTURE_TRIAL_H
#define SKBTRAIL_CAPTURE_TRIAL_H

#include "base/error.h"
#include "capture/probedef.h"

#define TRIAL_DEFS_MAX 256

/* The kinds of system calls that a definition is judged in; bits. */
enum {
	TRIAL_CONNECT = 1 << 0,
	TRIAL_ACCEPT = 1 << 1,
	TRIAL_SEND = 1 << 2,
	TRIAL_RECEIVE = 1 << 3,
};

struct trial_def {
	struct probedef def;
	u8 calls;     /* TRIAL_*: one of them */
	u16 family;   /* of the socket: AF_INET, AF_INET6; 0: both */
	int protocol; /* IPPROTO_TCP, ...; 0: any */
	u8 judge;     /* FETCH_*: what must be right */
	/* the outcome */
	int refused; /* errno of the kernel's refusal; 0: it was placed */
	u32 right, wrong;
	u32 unjudged;	/* in such a system call, but there is no truth to compare with */
	u32 elsewhere;	/* in other system calls, or interrupts */
	char got[96];	/* of the first wrong one: what it fetched ... */
	char truth[96]; /* ... and what was true */
};

struct trial_request {
	const char *tracing_dir;
	const struct layout *layout;
	char *const *command; /* NULL: ->pid */
	unsigned int workload_flags;
	s32 pid;
	double seconds; /* with ->pid: so long; with a command at most so long, 0 for no limit */
	int stop_fd;	/* readable: stop now; -1 none */
};

struct trial_result {
	u32 calls;	 /* system calls on sockets that were seen */
	u32 truths;	 /* ... with a truth */
	u32 records;	 /* of probes */
	u64 lost;	 /* records */
	bool cut;	 /* there were more system calls than are kept */
	char status[48]; /* how the command ended */
};

/**
 * trial_run - try definitions
 * @defs: @nr of them; those of one function, place and object share an event
 *
 * Return: 0; -ENOENT: this kernel has no kprobe events; -ENOTSUP: it refuses all definitions; -errno. Nothing
 * is left in tracefs.
 */
int trial_run(const struct trial_request *rq, struct trial_def *defs, size_t nr,
	      struct trial_result *result, struct error *err);

#endif
