/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which finished paths are shown: the options for it, and the question itself.
 *
 * In:  the user's words; then, once the netns are known, path after path.
 * Out: yes or no. All that the user asked for must hold, and each for the path as a whole: any hop
 *      of it on that device, in that netns, with headers that the filter matches.
 */
#ifndef SKBTRAIL_CLI_SELECT_H
#define SKBTRAIL_CLI_SELECT_H

#include "base/strbuf.h"
#include "decode/pktfilter.h"
#include "kernel/netns.h"
#include "render/render.h"

/* What the user asked for. Text is the caller's, but for ->words. */
struct select_options {
	const char *filter; /* pcap-filter(7); NULL: none */
	const char *dev;    /* name of a device, may be a glob; NULL: all */
	const char *netns;  /* name (may be a glob), inode number or "pid:N"; NULL: all */
	const char *comm;   /* name of a task, may be a glob; NULL: all */
	s32 pid;	    /* 0: all */
	bool dropped;
	u64 min_latency_ns;
	u64 from_ns,
		to_ns; /* only packets under way in between, of the trace's clock; 0: no limit */
	struct strbuf words; /* the filter as words that are no options */
};

#define SELECT_SHORT_OPTIONS "f:i:"
#define SELECT_LONG_OPTIONS                                                                     \
	{ "filter", required_argument, NULL, 'f' }, { "device", required_argument, NULL, 'i' }, \
		{ "netns", required_argument, NULL, OPT_NETNS },                                \
		{ "pid", required_argument, NULL, OPT_PID },                                    \
		{ "comm", required_argument, NULL, OPT_COMM },                                  \
		{ "dropped", no_argument, NULL, OPT_DROPPED },                                  \
	{                                                                                       \
		"min-latency", required_argument, NULL, OPT_MIN_LATENCY                         \
	}
#define SELECT_FILTER_HELP \
	"  -f, --filter FILTER only packets that match it at some hop, see pcap-filter(7)\n"
#define SELECT_OPTIONS_HELP                                                               \
	"  -i, --device DEV    only packets that touched a device of this name (* ?)\n"   \
	"      --netns NS      only packets that touched it: name, inode number, pid:N\n" \
	"      --pid N         only packets that this process sent or read\n"             \
	"      --comm NAME     only packets that such a process sent or read (* ?)\n"
#define SELECT_ENDS_HELP                                         \
	"      --dropped       only packets that were dropped\n" \
	"      --min-latency T only packets that were under way so long: 200us, 5ms, 1.5s\n"

/**
 * select_option - take one option of SELECT_*, or with @c 1 a word of the filter
 *
 * getopt_long() hands out words that are no options as 1 when its short options begin with "-".
 *
 * Return: 0, -ENOENT when it is none of these, -EINVAL when its value is bad, -ENOMEM.
 */
int select_option(struct select_options *o, int c, const char *arg);
void select_options_free(struct select_options *o);

struct select {
	const struct select_options *options;
	struct pktfilter *filter; /* for decoding, which sets path->matched; NULL: all match */
	u64 *netns;		  /* inode numbers that may be touched */
	u32 nr_netns;
	bool by_netns;
	bool by_comm;
	bool live; /* threads may be looked up in /proc */
	char comm[64];
};

/**
 * select_init - compile the filter
 * @options: stay in use
 *
 * Return: 0; -EINVAL for a filter that libpcap refuses or that was given twice, or -ENOMEM.
 */
int select_init(struct select *s, const struct select_options *options, struct error *err);

/** select_check - whether select_init() would succeed; before a capture is set up for nothing */
int select_check(const struct select_options *options, struct error *err);

/**
 * select_netns - learn which netns --netns means
 * @snap: NULL: none are known
 * @live: "pid:N" is a process of this machine, now; else one that gave a netns its name
 *
 * A name wins over an inode number. A name without * ? [ must exist, a number need not: a netns
 * that no file or process shows is in no snapshot.
 *
 * Return: 0, -ENOENT with the names that there are, -ESRCH, -EINVAL, -ENOMEM.
 */
int select_netns(struct select *s, const struct netns_snapshot *snap, bool live, struct error *err);

/**
 * select_path - whether a finished path is to be shown; its netns were resolved
 *
 * The sender is the task that the first hop found running, unless that was in an interrupt or the
 * packet was being received; the reader is the task that the data was copied to.
 */
bool select_path(const struct select *s, const struct path *path, const struct render_names *names);
void select_free(struct select *s);

/** select_any - whether the options ask for anything, so that not all packets are shown */
bool select_any(const struct select_options *o);

/** path_touches_device - whether a hop is on a device of this name (a glob) */
bool path_touches_device(const struct path *path, const struct devnames *devs, const char *glob);

/** path_touches_netns - whether a hop is in one of these netns, by inode number */
bool path_touches_netns(const struct path *path, const struct topology *topology, const u64 *inums,
			u32 nr);

/** select_time - "200us", "5ms", "1.5s" -> nanoseconds; a unit there must be. Return: 0 or -EINVAL */
int select_time(const char *text, u64 *ns);

#endif
