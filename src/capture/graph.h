/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of function_graph a capture uses: which functions, whose, and where.
 *
 * In:  what is wanted, the kernel's features, its list of functions that can be traced.
 * Out: struct graph, from which plan_graph.c makes steps without looking at the kernel again.
 *
 * It has all that the socket's system calls call, but noisy helpers, by set_graph_function, which is one for
 * the whole machine even where the tracer runs in a private instance.
 *
 * Where the kernel runs function_graph at the top level only, what is there is read into ->saved first, and
 * set back at the end; foreign.h tells who else uses it.
 */
#ifndef SKBTRAIL_CAPTURE_GRAPH_H
#define SKBTRAIL_CAPTURE_GRAPH_H

#include "base/error.h"
#include "base/types.h"
#include "kernel/features.h"

#define GRAPH_DEPTH_DEFAULT \
	12 /* below the system call; tcp_connect() is the 6th, the device the 15th */
#define GRAPH_DEPTH_MAX 49 /* the kernel has no more frames to remember */

struct graph_request {
	u32 max_depth; /* 0: the default */
	s32 pid;       /* this process with its threads; 0: the command's, told by plan_set_pid() */
};

/* A file of the top level and what is written to it at the end. */
struct graph_setting {
	char *file;  /* below the tracing directory */
	char *value; /* NULL: the file is emptied */
};

struct graph {
	bool on;
	bool top; /* the top-level instance is what is recorded */
	u32 max_depth;
	/* Functions as the kernel's filter files take them, separated by blanks; "" for none */
	char *roots;			  /* begin of a graph */
	char *noise;			  /* not traced */
	bool fork;			  /* children and new threads are followed */
	bool irqs, args, retval, retaddr; /* the tracer has these options */
	bool depth;			  /* max_graph_depth is there */
	char *pids;			  /* threads, separated by blanks; NULL: of the command */
	struct graph_setting *saved;	  /* in the order in which they are written */
	size_t nr_saved;
};

/**
 * graph_prepare - find out what a capture with function_graph will write
 * @g: filled in; to be released with graph_free() whatever is returned
 *
 * features_try_graph() must have been called. Reads only.
 *
 * Return: 0; -ENOTSUP: the kernel has no function_graph; -EBUSY: somebody else uses it; -ESRCH: no such
 * process; another -errno.
 */
int graph_prepare(struct graph *g, const struct graph_request *rq, const struct features *f,
		  struct error *err);
void graph_free(struct graph *g);

/**
 * graph_match - those of some patterns that match a function
 * @functions: text of available_filter_functions
 * @patterns: with * and [] in them
 *
 * Return: the patterns, separated by blanks, to be freed; NULL without memory.
 */
char *graph_match(const char *functions, const char *const *patterns, size_t count);

/**
 * graph_syscall - the name of the system call whose entry a function is
 * @function: "__x64_sys_connect", "__ia32_compat_sys_recvmsg", "__se_sys_read", ...
 *
 * Return: the part of @function that is the name ("connect"), NULL when it is none.
 */
const char *graph_syscall(const char *function);

/** graph_begins - whether a function is where work for a task's system call begins: also in threads of io_uring */
bool graph_begins(const char *function);

#endif
