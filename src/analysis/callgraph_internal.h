/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the halves of callgraph.h: what records make of a task's stack (callgraph.c), and tasks, their memory and
 * the handing out of what they called (callgraph_tasks.c).
 */
#ifndef SKBTRAIL_ANALYSIS_CALLGRAPH_INTERNAL_H
#define SKBTRAIL_ANALYSIS_CALLGRAPH_INTERNAL_H

#include "analysis/callgraph.h"
#include "analysis/callgraph_pool.h"

#define CALLGRAPH_LIMBO 16
#define CALLGRAPH_BUCKETS 8192
#define NO_NODE CALL_NO_NODE

struct frame {
	u64 func;
	u64 start_ns;
	u32 depth; /* as the record said */
	u32 node;  /* NO_NODE: there was no room for it */
	u16 cpu;
	bool lost; /* records were lost since */
};

struct task {
	s64 key; /* pid, or -1 - cpu for that CPU's idle task */
	struct task *next_in_bucket;
	struct task *older, *newer; /* by when they were seen last */
	u64 loss_seq;		    /* of its CPU, when it was seen last */
	struct graph_array nodes, args, notes;
	u32 nr_frames, nr_limbo;
	u32 lost_from;	    /* nodes from here on came after a loss */
	u32 roots;	    /* begun since something at the root went to limbo */
	bool short_of_room; /* nodes are missing */
	u16 cpu;
	struct frame limbo[CALLGRAPH_LIMBO];
	struct frame frame[CALLGRAPH_STACK]; /* depth rises strictly */
};

/* What is known of a function. */
struct func {
	u64 addr; /* 0: free slot */
	const char *root;
};

struct callgraph {
	struct callgraph_options options;
	struct callgraph_stats stats;
	struct graph_pool nodes, args, notes;
	struct task *bucket[CALLGRAPH_BUCKETS];
	struct task *oldest, *newest;
	u32 nr_tasks;
	struct task **on_cpu; /* the task that was seen last there */
	u64 *losses;	      /* of each CPU */
	u32 nr_cpus;
	struct func *func;
	u32 nr_funcs, func_mask;
};

static inline struct call_node *node_at(const struct task *t, u32 i)
{
	return (struct call_node *)t->nodes.at + i;
}

static inline struct call_note *note_at(const struct task *t, u32 i)
{
	return (struct call_note *)t->notes.at + i;
}

/** callgraph_root_name - the system call that a function is the entry of, or NULL */
const char *callgraph_root_name(struct callgraph *g, u64 addr);

/** callgraph_no_exit - a frame's exit will not come any more */
void callgraph_no_exit(struct callgraph *g, struct task *t, const struct frame *f);

/** callgraph_flush - what a task called is as it will stay, nothing is on its stack: hand it out */
void callgraph_flush(struct callgraph *g, struct task *t);

/** callgraph_close_open - all on a task's stack ends, and is marked with @flag */
void callgraph_close_open(struct callgraph *g, struct task *t, u16 flag);

/** callgraph_mark_lost - records of a task may have been lost: what is on its stack is to be believed less */
void callgraph_mark_lost(struct task *t);

/** callgraph_grow_cpus - make room for a CPU; Return: false without memory */
bool callgraph_grow_cpus(struct callgraph *g, u16 cpu);

/** callgraph_switch - another task is seen on a CPU, perhaps for the first time; Return: it, NULL without memory */
struct task *callgraph_switch(struct callgraph *g, s64 key, u16 cpu);

#endif
