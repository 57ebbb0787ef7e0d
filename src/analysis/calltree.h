/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finished calls -> merged trees: one for each system call, protocol and address family.
 *
 * The same functions called from the same place are one node, with how often and how long. Helpers (locking,
 * memory and so on) are one node for each kind, unless asked for. What interrupts and softirqs did
 * meanwhile is no part of the caller's tree: it has trees of its own beside it, and is in nobody's own time.
 *
 * Memory is bounded by the number of nodes; what does not fit is counted.
 */
#ifndef SKBTRAIL_ANALYSIS_CALLTREE_H
#define SKBTRAIL_ANALYSIS_CALLTREE_H

#include "analysis/callfuncs.h"
#include "analysis/callgraph.h"
#include "decode/event.h"

#define TREE_NO_NODE UINT32_MAX
#define TREE_MAX_NODES (1u << 17)
#define TREE_MAX_GROUPS 4096
#define TREE_MAX_SAMPLES (1u << 20) /* durations kept, of all nodes */
#define TREE_NODE_SAMPLES \
	1024		    /* ... and of one: with more calls the median is of a random choice */
#define TREE_NOTE_PACKETS 4 /* numbers of packets that are kept with a note */
#define TREE_PIDS 4

/* Whose work a tree is. */
enum tree_context {
	TREE_OWN,
	TREE_SOFTIRQ,
	TREE_HARDIRQ,
	TREE_CONTEXTS,
};

/* How it is known which protocol and family a call is of. */
enum tree_from {
	TREE_FROM_NONE,
	TREE_FROM_TABLES, /* functions of the kernel's operations tables */
	TREE_FROM_EVENTS, /* an event of the socket said so */
	TREE_FROM_NAMES,  /* the functions' names */
};

/* Events of one kind that happened in a function. */
struct tree_note {
	u64 count;
	u64 packet[TREE_NOTE_PACKETS]; /* numbers of the first, 0 not known */
	u64 skb;		       /* address in the first */
	u32 next;		       /* TREE_NO_NODE: none */
	u16 type, dev;
	u8 nr_packets;
};

struct tree_samples {
	u64 *ns;
	u32 nr, room;
};

struct tree_node {
	u32 func;    /* number in the table of functions; 0 with ->class */
	u8 class;    /* enum func_class: stands for helpers of this kind; else FUNC_PLAIN */
	u8 context;  /* enum tree_context */
	u8 depth;    /* 0: the root */
	bool pruned; /* a renderer's */
	u32 parent, first, last, next; /* TREE_NO_NODE: none */
	u32 next_in_bucket;
	u64 count;
	u64 nr_timed; /* ... of which it is known how long they took */
	u64 total_ns, self_ns, min_ns, max_ns;
	u64 irq_ns; /* interrupts and softirqs that began in it, not in what it called */
	u64 nr_irq;
	u64 no_exit;	 /* calls whose end was not seen */
	u64 unsure;	 /* ... that may have been made by another function */
	u64 synthesized; /* ... whose entry was lost */
	u64 retval;	 /* of the last call, with ->has_retval */
	bool has_retval;
	bool same_retval; /* all returned the same */
	struct tree_samples samples;
	u32 notes;	   /* TREE_NO_NODE: none */
	u32 args, nr_args; /* of the only call, in the call that was added last */
};

struct tree_group {
	const char *syscall; /* NULL with ->root_func */
	u32 root_func;	     /* --root: the function; 0 none */
	u16 protocols;	     /* one CALL_* bit; else not known */
	u8 families;
	u8 protocol_from, family_from; /* enum tree_from */
	u64 calls;
	u64 after_loss; /* of which records are missing */
	u64 open;	/* that had not returned at the end */
	u64 truncated;
	u64 total_ns;
	u64 first_ns;
	s32 pid[TREE_PIDS];	 /* the first tasks that made them */
	u32 nr_pids;		 /* may be more than TREE_PIDS */
	u32 root[TREE_CONTEXTS]; /* of the trees; those of interrupts are nodes without a function */
};

struct calltree_options {
	struct callfuncs
		*funcs; /* not owned; ->wanted in it says what the roots are when ->by_root */
	bool full;	/* show each helper */
	bool all;	/* calls that are not about sockets, too */
	bool by_root;	/* trees begin at the functions that are wanted */
	bool in_order;	/* only neighbours are merged: the order of calls is kept */
	bool keep_args; /* of calls that are not merged */
};

struct calltree_stats {
	u64 calls, shown; /* handed in; that are in some tree */
	u64 other_calls;  /* not about sockets */
	u64 refused;	  /* nodes and groups beyond a cap */
};

struct calltree;

int calltree_new(struct calltree **out, const struct calltree_options *options, struct error *err);
void calltree_free(struct calltree *t);

/** calltree_add - merge a call into the tree it belongs to; Return: 0, or -ENOMEM */
int calltree_add(struct calltree *t, const struct graph_call *call);

/** calltree_clear - begin again, with the memory there is */
void calltree_clear(struct calltree *t);

/** calltree_groups - the trees, those that took longest first */
const struct tree_group *calltree_groups(struct calltree *t, u32 *nr);
struct tree_node *calltree_node(const struct calltree *t, u32 i);
const struct tree_note *calltree_note(const struct calltree *t, u32 i);
const struct calltree_stats *calltree_stats(const struct calltree *t);

/**
 * calltree_median - the median duration of a node's calls
 * @exact: set to false when it is that of a random choice of them
 *
 * Return: nanoseconds; of an even number the lower of the two in the middle; 0 when none is known
 */
u64 calltree_median(struct tree_node *n, bool *exact);

#endif
