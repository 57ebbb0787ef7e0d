/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture from the first look at the kernel to the last undone write: what trace, record and demo
 * have in common.
 *
 * Whatever happens in between (an error, Ctrl-C, a closed pipe), capture_close() leaves tracefs as it
 * was found. SIGINT, SIGTERM, SIGHUP and SIGQUIT are taken as requests to stop, through a descriptor.
 */
#ifndef SKBTRAIL_CLI_CAPTURE_H
#define SKBTRAIL_CLI_CAPTURE_H

#include "capture/cost.h"
#include "capture/flowprobes.h"
#include "capture/graph.h"
#include "capture/plan.h"
#include "capture/probes.h"
#include "capture/session.h"
#include "capture/tap.h"
#include "capture/workload.h"
#include "cli/pipeline.h"
#include "cli/pushdown.h"
#include "kernel/features.h"
#include "kernel/optables.h"
#include "trace/live.h"

struct capture_options {
	struct output_options output;
	struct capture_request request;
	double duration_s; /* 0: no limit */
	bool dry_run;
	bool tap;	      /* packet sockets beside the tracepoints */
	bool keep_user;	      /* run the command as root even under sudo */
	bool push_down;	      /* give the kernel what it can do of the filter */
	const char *file;     /* record: -o */
	char *const *command; /* NULL: none */
	const char **events;  /* memory of request.events */
	struct probe_request probes;
	struct probe_asked *asked; /* memory of probes.asked */
	const char *structs;	   /* --structs FILE; NULL: none */
	bool hops_given;	   /* --hops: probes.hops is more than a default */
	u64 budget_ppm;		   /* --budget, in millionths of a CPU's time; 0: none */
	bool measure_cost;	   /* also when nothing is shown that says it */
	bool chains;		   /* paths begin with the calls that sent the packet */
	bool calls;		   /* --calls: also without a command or process to look at */
	bool no_calls;		   /* --no-calls */
	bool all_calls;		   /* all that system calls of sockets call, not only chains */
	s32 calls_pid;		   /* whose; 0: the command's */
	bool flows;		   /* events of sockets and their bytes, too */
	bool latency;	/* with ->flows: when calls begin, and when there is something to read */
	bool aggregate; /* their sums made by the kernel, where it can */
	bool must_aggregate; /* or else it is an error */
	u32 depth;	     /* below a system call; 0: the default */
};

/* Something whose end ends the capture, besides signals and time. */
struct capture_job {
	int fd;					    /* readable when it may have ended; -1: none */
	int (*start)(void *ctx, struct error *err); /* tracing is on; NULL: nothing to do */
	bool (*ended)(void *ctx);
	void *ctx;
};

struct capture {
	const struct capture_options *options;
	struct features features;
	struct layout layout;
	struct probe_request want; /* that of the options, which --budget may lower */
	struct probes probes;
	struct pushdown down;
	struct graph graph;	 /* ->scope is SCOPE_NONE: no function_graph */
	struct flowprobes flows; /* with options->flows; its probes are among ->probes */
	struct optables *tables; /* for the recording of calls; NULL: none */
	u32 sums_table;		 /* flowprobes_request.table_size, ->half_ticks */
	u64 sums_half_ticks;
	char no_sums[512];   /* why the kernel refused to sum up flows; "" otherwise */
	char no_probes[512]; /* why the kernel took none of them; "" otherwise */
	struct plan plan;
	struct session *session;
	struct live *live;
	struct tap *tap;		       /* NULL: none */
	const struct netns_take_options *held; /* netns that the tap would not find; NULL: none */
	struct workload *workload;
	struct capture_job job;
	bool keys; /* standard input is a terminal: what is typed there ends capture_wait(), its end the capture */
	struct cost_link *link; /* NULL: no cost is measured, or none can be */
	struct cost cost;
	u64 start_ns, stop_ns; /* of tracing, CLOCK_MONOTONIC */
	u64 own_cpu_ns;	       /* used by this process before that */
	u64 missed_before;     /* ->missed that was before tracing started */
	u64 missed;	       /* calls that probes missed, by the kernel's count */
	int pid_fd;	       /* of a process whose end is waited for; -1: none */
	int signal_fd;
	int signal;   /* the one that ended the capture, 0 if none */
	u64 end_ns;   /* CLOCK_MONOTONIC; 0: no limit */
	u64 grace_ns; /* the job has ended; packets on their way get until then */
};

/** capture_plan - look at the kernel and make the plan; changes nothing but what features_detect() may */
int capture_plan(struct capture *c, const struct capture_options *options, struct error *err);

/** capture_open - remove leftovers of dead captures, apply the plan, open the buffers */
int capture_open(struct capture *c, struct error *err);

/** capture_device - whether -i names a device that is there, in whatever netns, or holds * ? [ */
int capture_device(const struct capture *c, const struct netns_snapshot *snap, struct error *err);

/** capture_start - tracing on, then the command (if any) begins */
int capture_start(struct capture *c, struct error *err);

/**
 * capture_wait - sleep until there is something to do
 * @timeout_ms: at most so long
 *
 * Return: 1 to go on, 0 when the capture is over (time, job, signal, standard output closed), -errno.
 */
int capture_wait(struct capture *c, int timeout_ms, struct error *err);

/** capture_stop - tracing off; what is in the buffers can still be read */
int capture_stop(struct capture *c, struct error *err);

/** capture_time_ns - how long tracing was on */
u64 capture_time_ns(const struct capture *c);

/** capture_own_cpu_ns - what this process has used of the CPUs since tracing was on */
u64 capture_own_cpu_ns(const struct capture *c);

/** capture_lost - records that the kernel's counters call lost; also counts what probes missed */
u64 capture_lost(struct capture *c);

/** capture_tell_missed - after capture_lost(): a line about calls that probes missed, if there were any */
void capture_tell_missed(const struct capture *c);

/** capture_tell_tap - after capture_stop(): lines about frames that did not get into the trace */
void capture_tell_tap(const struct capture *c);

/** capture_close - undo everything; @err is filled in only if it holds nothing yet */
int capture_close(struct capture *c, struct error *err);

/** capture_announce - the line on stderr when tracing begins */
void capture_announce(const struct capture *c, const char *doing);

/** capture_announce_probes - lines on stderr: each probe that could not be placed, why, and what is used instead */
void capture_announce_probes(const struct capture *c);

/**
 * capture_run - a command's whole life: plan, then the session (or --dry-run), then everything undone
 * @session: opens the capture, runs it and returns 0 or -errno
 *
 * Return: CLI_OK or CLI_FAILURE.
 */
int capture_run(const struct capture_options *options,
		int (*session)(struct capture *c, struct error *err), struct error *err);

/* What a command's options are made of; cmd_trace() and cmd_record() add their own. */
enum {
	OPT_HOPS = 512,
	OPT_PROBE,
	OPT_STRUCTS,
	OPT_TAP,
	OPT_TIER,
	OPT_BUDGET,
	OPT_CALLS,
	OPT_NO_CALLS,
	OPT_DEPTH,
};

#define CAPTURE_SHORT_OPTIONS "e:b:d:"
#define CAPTURE_LONG_OPTIONS                                                                   \
	{ "event", required_argument, NULL, 'e' }, { "buffer", required_argument, NULL, 'b' }, \
		{ "duration", required_argument, NULL, 'd' },                                  \
		{ "clock", required_argument, NULL, OPT_CLOCK },                               \
		{ "hops", required_argument, NULL, OPT_HOPS },                                 \
		{ "budget", required_argument, NULL, OPT_BUDGET },                             \
		{ "probe", required_argument, NULL, OPT_PROBE },                               \
		{ "structs", required_argument, NULL, OPT_STRUCTS },                           \
		{ "tap", no_argument, NULL, OPT_TAP },                                         \
		{ "tier", required_argument, NULL, OPT_TIER },                                 \
		{ "dry-run", no_argument, NULL, OPT_DRY_RUN },                                 \
	{                                                                                      \
		"keep-user", no_argument, NULL, OPT_KEEP_USER                                  \
	}
#define CAPTURE_OPTIONS_HELP                                                                \
	"  -e, --event EVENT   record this event too: system:event, system, or with * ?\n"  \
	"  -d, --duration SEC  stop after so many seconds\n"                                \
	"  -b, --buffer SIZE   ring buffer per CPU: 512K, 4M, ... (default 4M)\n"           \
	"      --clock CLOCK   trace clock (default mono)\n"                                \
	"      --hops SET      minimal (devices), default, full (all known functions)\n"    \
	"      --budget PCT    largest hop set that takes at most PCT % of any CPU\n"       \
	"      --probe F[:ARG] show kernel function F too; its skb is argument ARG\n"       \
	"      --structs FILE  where members are in this kernel's structures\n"             \
	"      --tap           without probes: headers by packet sockets, joined by time\n" \
	"      --tier TIER     use no more than T0, T1, T2 or T3, see 'skbtrail check'\n"   \
	"      --keep-user     run COMMAND as root even under sudo\n"                       \
	"      --dry-run       print the writes to tracefs as shell lines, and do nothing\n"

/** capture_option - take one option of CAPTURE_*; Return: 0, or -EINVAL when it is none or bad */
int capture_option(struct capture_options *options, int c, const char *arg);

/** capture_calls_option - take 'p' or OPT_DEPTH; Return: 0 or -EINVAL */
int capture_calls_option(struct capture_options *options, int c, const char *arg);

/** capture_calls_check - whether what is asked about calls makes sense; Return: 0 or CLI_USAGE */
int capture_calls_check(const struct capture_options *options, const char *name, struct error *err);

/**
 * capture_bad_option - like options_bad(); recalls the dashes when words that may be a command came first
 */
int capture_bad_option(const struct capture_options *options, const char *name, char **argv, int c,
		       struct error *err);

/**
 * capture_command - what follows the options: nothing, or -- and a command
 *
 * Return: 0, or CLI_USAGE with @err filled in.
 */
int capture_command(struct capture_options *options, const char *name, int argc, char **argv,
		    struct error *err);
void capture_options_free(struct capture_options *options);

#endif
