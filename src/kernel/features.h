/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this kernel allows, found by trying.
 *
 * In:  tracefs, /proc and /sys of the running kernel (or a copy of such a tree, for tests).
 * Out: one struct capability per thing skbtrail could make use of, each "no" with the file, the
 *      errno and words; the list of events; the clocks.
 *
 * Never derived from a version number. Everything created for a try carries our pid in its name
 * (instance skbtrail-<pid>, probe group skbtrail_<pid>) and is gone when features_detect()
 * returns, signals included; the top-level instance is only ever read.
 */
#ifndef SKBTRAIL_KERNEL_FEATURES_H
#define SKBTRAIL_KERNEL_FEATURES_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/types.h"

enum feature {
	FEATURE_TRACEFS,   /* mounted and readable */
	FEATURE_INSTANCES, /* a private instance can be made and removed */
	FEATURE_EVENTS,	   /* an event can be enabled in it */
	FEATURE_TP_NET,	   /* tracepoint groups, in the order they are printed */
	FEATURE_TP_SKB,
	FEATURE_TP_SOCK,
	FEATURE_TP_TCP,
	FEATURE_TP_UDP,
	FEATURE_TP_ICMP,
	FEATURE_TP_NAPI,
	FEATURE_TP_QDISC,
	FEATURE_TP_NEIGH,
	FEATURE_TP_FIB,
	FEATURE_TP_BRIDGE,
	FEATURE_DROP_REASON, /* skb:kfree_skb says why */
	FEATURE_NET_COOKIE,  /* net:* say in which network namespace */
	FEATURE_KPROBE_EVENTS,
	FEATURE_EVENT_PROBES,
	FEATURE_FPROBE_EVENTS,
	FEATURE_BTF_ARGS, /* probe arguments by BTF name, "skb->len" */
	FEATURE_HIST_TRIGGERS,
	FEATURE_FGRAPH_TOP,	 /* function_graph in the top-level instance (never set there) */
	FEATURE_FGRAPH_INSTANCE, /* function_graph in a private instance */
	FEATURE_FGRAPH_SCOPE,	 /* set_graph_function: only what some functions call */
	FEATURE_FGRAPH_DEPTH,	 /* max_graph_depth */
	FEATURE_FGRAPH_IRQS,	 /* option funcgraph-irqs */
	FEATURE_FGRAPH_ARGS,	 /* option funcgraph-args */
	FEATURE_FGRAPH_RETVAL,	 /* option funcgraph-retval */
	FEATURE_FGRAPH_RETADDR,	 /* option funcgraph-retaddr */
	FEATURE_FUNCTION_FORK,	 /* option function-fork: children are followed */
	FEATURE_BTF_FILE,	 /* /sys/kernel/btf/vmlinux */
	FEATURE_LOCKDOWN,	 /* ok: lockdown does not stop tracing */
	FEATURE_SUBBUF_SIZE,	 /* buffer_subbuf_size_kb */
	FEATURE_BUFFER_PERCENT,
	FEATURE_CLOCK_MONO,
	FEATURE_KALLSYMS, /* addresses can be read */
	FEATURE_COUNT
};

/* What a capture stands on: see doc/architecture.md. */
enum tier {
	TIER_NONE,
	TIER_T0, /* tracepoints in a private instance */
	TIER_T1, /* + kprobe events */
	TIER_T2, /* + event probes */
	TIER_T3, /* + fprobe events */
	TIER_G,	 /* + function_graph; stands beside the others, not above them */
	TIER_COUNT
};

struct tier_info {
	const char *name;  /* "T1" */
	const char *needs; /* what of the kernel it stands on: "kprobe events" */
	const char *adds;  /* what it shows that the tier below does not */
};

struct capability {
	bool ok;
	int code;	  /* errno of the failed try; 0 when ok or when no call failed */
	char path[192];	  /* the file tried, "" when none */
	char detail[256]; /* ok: what was found; no: why not, in words */
};

struct features {
	char root[192];	       /* "" or, for tests, a directory that stands for / */
	char tracing_dir[256]; /* "" when there is none */
	bool mounted_now;      /* tracefs was not mounted and features_detect() mounted it */
	char release[96];      /* uname -r, for people only: nothing is decided by it */
	char machine[32];
	u32 cpus;	      /* possible CPUs = ring buffers per instance */
	u64 mem_available_kb; /* 0 when unknown */
	struct capability cap[FEATURE_COUNT];
	char **events; /* "system:event", sorted, of every system that can be enabled */
	size_t event_count;
	char **clocks; /* names that trace_clock accepts, in the kernel's order */
	size_t clock_count;
	char clock[32]; /* clock of a new instance, "" when unknown */
};

/**
 * features_try_graph - what of function_graph a capture could use, after features_read()
 *
 * Makes a private instance, sets the tracer for one function there, and removes it again; reads the rest.
 * Fills in FEATURE_FGRAPH_* and FEATURE_FUNCTION_FORK. Signals that end us are held back meanwhile.
 */
void features_try_graph(struct features *f);

/**
 * features_detect - find out what the running kernel allows
 * @f: filled in; to be released with features_free() whatever is returned
 * @err: filled in on failure
 *
 * As root, tracefs is mounted at /sys/kernel/tracing when it is mounted nowhere, which
 * @f->mounted_now tells. Takes well under a second. SIGINT, SIGTERM, SIGHUP and SIGPIPE are held
 * back meanwhile. Must not run while a capture of the same process is open (it uses the name
 * skbtrail-<pid> for its probe instance).
 *
 * Return: 0 also when nothing at all is allowed (ask features_require_t0()); -ENOMEM otherwise.
 */
int features_detect(struct features *f, struct error *err);

/**
 * features_read - the part of features_detect() that a capture needs, by reading alone
 * @f: as there; what was not looked at is "no" with "not tried"
 *
 * Nothing is made for a try, so that the start of a capture disturbs nobody: whether an instance
 * can be made, and which probe events are taken, shows when session_open() makes the real ones. tracefs is
 * mounted as there.
 */
int features_read(struct features *f, struct error *err);

/**
 * features_detect_at - features_detect() in a copy of a system, for tests
 * @root: directory that stands for /, "" for the real one. Below another one nothing is mounted,
 *        and <root>/sys/kernel/tracing is taken for tracefs when it is a directory
 */
int features_detect_at(struct features *f, const char *root, struct error *err);

/** features_read_at - features_read() below @root, for tests */
int features_read_at(struct features *f, const char *root, struct error *err);

void features_free(struct features *f);

/**
 * features_require_t0 - an error when no capture is possible at all
 *
 * Return: 0, or -errno with @err saying which file refused what and what to do about it (for
 * tracefs that is not mounted and a user who is not root: the line to run).
 */
int features_require_t0(const struct features *f, struct error *err);

/** features_allow - whether this kernel allows @tier; each of T1 to T3 needs those below it */
bool features_allow(const struct features *f, enum tier tier);

/** features_tier - the highest of T0 to T3 that this kernel allows; TIER_NONE when not even T0 */
enum tier features_tier(const struct features *f);

/** tier_describe - words for a tier other than TIER_NONE */
const struct tier_info *tier_describe(enum tier tier);

/**
 * features_find_tracefs - where tracefs is mounted, without mounting it and without any try
 * @dir: the mount point, at most @size bytes
 *
 * Return: 0; -ENOENT when it is mounted nowhere.
 */
int features_find_tracefs(char *dir, size_t size, struct error *err);

/** features_has_event - whether @system:@event exists */
bool features_has_event(const struct features *f, const char *system, const char *event);

/** feature_key - a stable name for machines: "kprobe_events" */
const char *feature_key(enum feature id);
/** feature_label - a name for people: "kprobe events" */
const char *feature_label(enum feature id);
/** feature_need - what would make a missing one available; NULL when nothing sensible can be said */
const char *feature_need(enum feature id, int code);

/**
 * features_to_json - everything in @f as one JSON object, the document of "check --json"
 *
 * Return: 0 or -ENOMEM. features_from_json() of the text gives the same struct features.
 */
int features_to_json(const struct features *f, struct strbuf *out);

/**
 * features_from_json - a kernel as it was described by features_to_json()
 * @f: filled in; to be released with features_free() whatever is returned
 * @text: the document, @len bytes; unknown keys are ignored, absent capabilities are "no"
 *
 * Return: 0, -EINVAL for text that is not such a document, -ENOMEM.
 */
int features_from_json(struct features *f, const char *text, size_t len, struct error *err);

#endif
