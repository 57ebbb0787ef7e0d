/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What will be written to tracefs, as a list, before anything is written.
 *
 * In:  what the user asked for and what the kernel has.
 * Out: ordered steps in three phases: set up, start, undo. session.c executes exactly these and
 *      --dry-run prints exactly these.
 *
 * Pure: reads no file, asks no kernel, so that it can be tested on descriptions of other kernels.
 * Every step is below instances/skbtrail-<pid>, but for probe events: these are defined in dynamic_events,
 * in the group skbtrail_<pid>. Nothing else is ever written, unless function_graph is asked for
 * (graph.h): then what else is written is saved before and restored.
 */
#ifndef SKBTRAIL_CAPTURE_PLAN_H
#define SKBTRAIL_CAPTURE_PLAN_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/types.h"
#include "capture/graph.h"
#include "capture/probes.h"
#include "kernel/features.h"

#define PLAN_BUFFER_KB_DEFAULT 4096 /* per CPU; less when that is over 1/8 of free memory */
#define PLAN_BUFFER_KB_FLOOR 1408   /* what the kernel itself gives a new instance */

struct capture_request {
	const char *const *events; /* each as the user wrote it: "sys:event", "sys/event",
					 * "sys", "event", or with * ? [] in it; in addition to
					 * the default events */
	size_t event_count;
	bool only_events;   /* without the default events */
	u64 buffer_kb;	    /* per CPU; 0: the default */
	const char *clock;  /* NULL: mono */
	int buffer_percent; /* fill level that wakes a blocked reader; -1: the kernel's */
	const char *dev;    /* -i DEV: ignored here, on purpose: a path that touched DEV
					 * is shown whole, so the kernel must not filter by it */
	unsigned int pid;   /* names the instance: skbtrail-<pid> */
	/* Probe events; NULL: none. They must live as long as the plan. */
	const struct probes *probes;
	/* function_graph; NULL or not ->on: none. Must live as long as the plan. */
	const struct graph *graph;
	bool stacks; /* stack traces of what sends packets, where the kernel can */
};

enum plan_phase {
	PLAN_SETUP,
	PLAN_START,
	PLAN_UNDO,
};

enum plan_op {
	PLAN_MKDIR,
	PLAN_WRITE,
	PLAN_RMDIR,
	PLAN_APPEND, /* definitions, or their removal: a line each, all in one write(2) */
	PLAN_FILTER, /* as PLAN_WRITE, but when it is refused the event goes unfiltered */
	PLAN_WORDS,  /* names of functions, appended to a list one by one */
	PLAN_PIDS,   /* as PLAN_WRITE; without a value: of the command, see plan_set_pid() */
	PLAN_SAVE, /* keep all that the undo writes outside of our instance in the file, see saved.h */
	PLAN_RESTORE, /* as PLAN_WRITE, but a failure is one of the whole undo */
	PLAN_CLEAR,   /* a list is emptied, which is what it was before */
	PLAN_FORGET,  /* all is restored: the file of PLAN_SAVE goes */
};

struct plan_step {
	enum plan_phase phase;
	enum plan_op op;
	char *path;    /* absolute */
	char *value;   /* without the last newline; of PLAN_MKDIR and PLAN_RMDIR NULL */
	bool optional; /* when it is refused, it and all optional steps behind it are done without */
};

struct plan {
	char *tracing_dir;
	char *owner_dir;    /* <tracing_dir>/instances/skbtrail-<pid>: its lock says whose all is */
	char *instance_dir; /* what is recorded: the same, or tracing_dir (function_graph) */
	const struct graph *graph; /* of the request; NULL: none */
	struct plan_step *steps;
	size_t step_count;
	/* "sys:event" that will be on, sorted; after session_open(): that are on. With them those whose
	 * format only is of use (probe.reads_format). */
	char **events;
	size_t event_count;
	const struct probes *probes; /* of the request */
	char group[32];		     /* of the probe events: "skbtrail_<pid>" */
	u8 tier;		     /* enum tier; after session_open() what is really in use */
	char **missing;		     /* default events that this kernel does not have */
	size_t missing_count;
	u64 buffer_kb; /* per CPU, as it will be asked for */
	char clock[32];
};

/**
 * plan_build - turn a request into tracefs writes
 * @rq: what is wanted
 * @f: what there is; plan_build() copies what it needs
 * @plan: filled in; to be released with plan_free() whatever is returned
 * @err: for an unknown event the nearest existing ones are named, for an unknown clock all clocks
 *
 * Return: 0, -EINVAL for a request that makes no sense on this kernel, -ENOMEM.
 */
int plan_build(const struct capture_request *rq, const struct features *f, struct plan *plan,
	       struct error *err);

void plan_free(struct plan *plan);

/**
 * plan_set_pid - the command whose function calls are recorded, once there is one
 *
 * Return: 0 or -ENOMEM.
 */
int plan_set_pid(struct plan *plan, s32 pid);

/** plan_add_event - take "sys:event" into plan->events; Return: 0 or -ENOMEM */
int plan_add_event(struct plan *plan, const char *event);
/** plan_drop_event - take it out again */
void plan_drop_event(struct plan *plan, const char *event);

/**
 * plan_print_shell - the same steps as shell lines that a person can paste as root
 *
 * Set up and start come first; the undo follows behind a comment. Any byte in a name survives a
 * POSIX shell. A PLAN_APPEND becomes a line for each definition, since a shell may break one large write
 * anywhere.
 */
void plan_print_shell(const struct plan *plan, struct strbuf *out);

#endif
