/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls of a workload on sockets, each with the truth about its socket.
 */
#ifndef SKBTRAIL_CAPTURE_TRIAL_CALLS_H
#define SKBTRAIL_CAPTURE_TRIAL_CALLS_H

#include <sys/socket.h>

#include "capture/trial.h"

#define TRIAL_CALLS_MAX 65536

struct workload;

/* An end of a socket, as getsockname() says it. */
struct trial_end {
	u16 family; /* 0: not known */
	u16 port;   /* host order */
	u8 addr[16];
};

/* What is true of a socket. */
struct trial_truth {
	u16 family; /* of the socket; 0: it is none, or nothing is known */
	int protocol;
	struct trial_end local, remote;
};

struct trial_call {
	s32 tid;
	u32 nr;		      /* of the system call */
	u8 kind;	      /* TRIAL_* */
	bool one_message;     /* ->ret is the number of bytes */
	u64 begin_ns, end_ns; /* CLOCK_MONOTONIC */
	s64 ret;
	s32 fd; /* the one that was given, of accept() the one that was made */
	struct trial_truth truth;
};

struct trial_calls {
	struct trial_call *call; /* by ->end_ns */
	size_t nr, cap;
	bool cut;
};

void trial_calls_free(struct trial_calls *calls);

/** trial_calls_add - Return: 0 or -ENOMEM; beyond TRIAL_CALLS_MAX it is only noted that there were more */
int trial_calls_add(struct trial_calls *calls, const struct trial_call *call);

/** trial_call_kind - TRIAL_* of a system call of this machine; 0: none of ours */
u8 trial_call_kind(u64 nr, bool *one_message);

/** trial_call_number - the number of a system call by name: "sendto"; -1: none of ours */
long trial_call_number(const char *name);

/** trial_ask - what is true of descriptor @fd of a process */
void trial_ask(int pidfd, int fd, struct trial_truth *truth);

/** trial_take_end - from what getsockname() and its like wrote */
void trial_take_end(const struct sockaddr_storage *from, socklen_t len, struct trial_end *end);

/**
 * trial_follow - run a command to its end, stopping at its system calls
 * @w: was started, not released; it is released here
 *
 * Follows children and threads. Return: 0 or -errno.
 */
int trial_follow(struct workload *w, const struct trial_request *rq, struct trial_calls *calls,
		 struct error *err);

#endif
