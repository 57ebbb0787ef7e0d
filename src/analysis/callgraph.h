/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries and exits of functions in time order -> trees of calls, one for each system call.
 *
 * In:  records of function_graph of all CPUs, merged; events that name an skb; where records were lost.
 * Out: a finished call as soon as nothing can change it any more: its nodes in preorder.
 *
 * There is one stack per task, over all CPUs (a task migrates within a call), and one per CPU for the idle
 * tasks, which share pid 0. What an exit belongs to is told by function and depth; depth is never trusted
 * as absolute, since interrupts and other users of the graph leave holes. Parents are right as far as the
 * records tell; where records were lost, the nodes say so.
 *
 * A record costs O(1) and no allocation, but for arrays that grow to what the largest call needs. Memory is
 * bounded: tasks, nodes of a call and nodes at all; what did not fit is counted.
 *
 * All roots are built, for frames must match, but only system calls are handed out, unless asked.
 */
#ifndef SKBTRAIL_ANALYSIS_CALLGRAPH_H
#define SKBTRAIL_ANALYSIS_CALLGRAPH_H

#include "base/error.h"
#include "decode/graphrec.h"

#define CALL_NO_NODE UINT32_MAX

/* Frames of a stack; the kernel has 50 (SHADOW_STACK), a recording may claim anything. */
#define CALLGRAPH_STACK 128
#define CALLGRAPH_MAX_TASKS 4096
#define CALLGRAPH_MAX_NODES (1u << 17) /* of one call */
#define CALLGRAPH_MAX_TOTAL (1u << 18) /* of all calls that are under way */
#define CALLGRAPH_MAX_NOTES 4096       /* of one call */
/* After a loss: so far may the duration in an exit be off the time between two records, ns. */
#define CALLGRAPH_SLACK_NS 500000

/* Bits of struct call_node.flags */
enum {
	CALL_NODE_NOEXIT = 1 << 0,  /* no exit was seen: a frame below it ended */
	CALL_NODE_OPEN = 1 << 1,    /* was still running at the end of the trace */
	CALL_NODE_SYNTH = 1 << 2,   /* made from an exit alone, its entry was lost */
	CALL_NODE_HARDIRQ = 1 << 3, /* ran in an interrupt, or in what an interrupt called */
	CALL_NODE_SOFTIRQ = 1 << 4,
	CALL_NODE_AFTER_LOSS =
		1 << 5, /* records were lost while it ran: some of what it called is missing */
	CALL_NODE_LATE = 1 << 6,    /* its exit came after an interrupt at the same depth */
	CALL_NODE_RETVAL = 1 << 7,  /* ->retval is known */
	CALL_NODE_RETADDR = 1 << 8, /* ->retaddr is known */
	CALL_NODE_UNSURE =
		1 << 10, /* another function may have called it: records before it are missing */
	CALL_NODE_DUR = 1 << 9, /* ->dur_ns is known */
};

/* A function that was called. */
struct call_node {
	u64 func; /* its address */
	u64 start_ns; /* time stamp of the entry's record: order only. Of a synthesized node: of its exit - dur_ns */
	u64 dur_ns; /* from the exit's own two times; never compare it with ->start_ns */
	u64 retval;
	u64 retaddr;
	u32 parent;   /* index in the call's nodes, CALL_NO_NODE for the root */
	u32 nr_below; /* nodes of its subtree without itself: skip it with i += nr_below + 1 */
	u32 args;     /* its arguments are call->args[args] to [args + nr_args - 1] */
	u16 flags;
	u8 depth; /* below the root in this tree: 0 for the root */
	u8 nr_args;
};

/* An event that named an skb or a socket while a node was the innermost function. */
struct call_note {
	u64 ts_ns;
	u64 skb;	      /* its address; 0: the event is about a socket */
	u64 packet;	      /* its number as trace and report show it; 0 not known */
	u32 node;	      /* index in the call's nodes */
	u16 type;	      /* the event: index into schema.types */
	u16 dev;	      /* device name: index for devnames, 0 none */
	u16 family, protocol; /* of the socket: AF_INET, IPPROTO_TCP; 0 not known */
	u8 kind;	      /* enum event_kind */
	u8 context;	      /* EVENT_IN_* */
};

struct graph_call {
	const char *
		syscall; /* "connect", as options->root_name said; NULL: the root is no system call */
	s32 pid;	 /* thread */
	u16 cpu;	 /* where it ended */
	bool after_loss; /* records were lost while it ran, or its beginning was */
	bool open;	 /* had not returned at the end of the trace */
	bool truncated;	 /* had more nodes than CALLGRAPH_MAX_NODES: the last are missing */
	u64 start_ns;	 /* as nodes[0].start_ns */
	u32 nr_nodes, nr_args, nr_notes;
	const struct call_node *nodes; /* [0] is the root */
	const u64 *args;
	const struct call_note *notes; /* in time order */
};

struct callgraph_options {
	/* A finished call. All memory is the graph's and valid during the call. */
	void (*call_done)(void *ctx, const struct graph_call *call);
	/*
	 * The name of the system call that a function is the entry of, NULL when it is none. Asked once for
	 * each function; the name must live as long as the graph. Outermost matches win.
	 */
	const char *(*root_name)(void *ctx, u64 func);
	void *ctx;
	bool every_root;		     /* hand out roots that are no system calls, too */
	u32 max_tasks, max_nodes, max_total; /* 0: CALLGRAPH_MAX_* */
};

struct callgraph_stats {
	u64 entries, exits;
	u64 matched; /* exits that had their entry, the late ones included */
	u64 late;    /* ... after an interrupt at the same depth */
	u64 orphans; /* exits without: their entry was lost, or not recorded */
	u64 mismatched; /* ... of them, that only the duration told apart from a call before the loss */
	u64 adopted;	/* nodes that were put under an orphan */
	u64 no_exit;	/* entries whose exit is missing */
	u64 open;	/* entries that were open at the end */
	u64 migrated;	/* calls that ended on another CPU than they began */
	u64 depth_gaps; /* entries that were not one deeper than what called them */
	u64 losses;	/* told by callgraph_lost() */
	u64 calls;	/* handed out */
	u64 truncated;	/* nodes and notes beyond a cap: not in any tree */
	u64 evicted;	/* tasks forgotten since there were too many */
	u64 too_deep;	/* entries beyond CALLGRAPH_STACK frames */
};

struct callgraph;

/** callgraph_new - Return: 0 or -ENOMEM */
int callgraph_new(struct callgraph **out, const struct callgraph_options *options,
		  struct error *err);
void callgraph_free(struct callgraph *g);

/**
 * callgraph_record - take in an entry or an exit
 * @rec: its time is not before that of the one before
 *
 * Return: 0, or -ENOMEM.
 */
int callgraph_record(struct callgraph *g, const struct graph_record *rec);

/**
 * callgraph_note - something happened to an skb in a task, or in an interrupt on top of it
 * @note: ->node is filled in; an event outside of any call is passed over
 */
int callgraph_note(struct callgraph *g, s32 pid, u16 cpu, struct call_note *note);

/** callgraph_lost - records of a CPU are missing since the last one of it that was given */
void callgraph_lost(struct callgraph *g, u16 cpu);

/** callgraph_finish - the trace ends: hand out what is open; more records may follow */
int callgraph_finish(struct callgraph *g);

const struct callgraph_stats *callgraph_stats(const struct callgraph *g);

#endif
