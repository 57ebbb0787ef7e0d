/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which function a probe should be put on: from trees of calls to functions with reasons.
 *
 * In:  calls (callgraph.h), prototypes, tables of operations, and what is wanted.
 * Out: per operation (connect, send, ...) and protocol the functions that are on the way, each with facts,
 *      in the order of a rule that can be told:
 *
 *	1. a slot of an operations table called as the operation is, that every call passes; of several the
 *	   one that is called last, as that is the protocol's own;
 *	2. what every call passes exactly once, then every call, then most;
 *	3. what no other operation passes;
 *	4. a socket as argument, then what leads to one, then a return value;
 *	5. slots of other tables and exported functions, then global ones, then static ones;
 *	6. the same argument on more of the kernels that we know;
 *	7. what is called inside of that slot's function, the nearer to it the earlier;
 *	8. how much of the operation lies below it, in tenths.
 *
 * Functions that are equal in all of these are a tie and share a place. Nothing is weighed against
 * anything, and nothing here knows a function by name.
 *
 * Only what a task did itself counts, not interrupts on top of it. Calls of which records were lost count
 * for nothing.
 */
#ifndef SKBTRAIL_ANALYSIS_CANDIDATES_H
#define SKBTRAIL_ANALYSIS_CANDIDATES_H

#include "analysis/callgraph.h"
#include "analysis/symfacts.h"
#include "kernel/optables.h"
#include "kernel/prototypes.h"

#define CANDIDATES_FUNCTIONS 16384 /* more than that are passed over, and counted */
#define CANDIDATES_GROUPS 48
#define CANDIDATES_SYSCALLS 16 /* kinds in a group */
#define CANDIDATES_SLOTS 4     /* of one function that are told */

enum question {
	QUESTION_LOCAL_ADDRESS,
	QUESTION_REMOTE_ADDRESS,
	QUESTION_BYTES_SENT,
	QUESTION_BYTES_RECEIVED,
	QUESTION_NEW_CONNECTIONS,
	QUESTION_ACCEPTED,
	QUESTION_RETRANSMITS,
	QUESTION_DROPS,
	QUESTION_ARG,
	QUESTION_COUNT
};

enum operation {
	OPERATION_CONNECT,
	OPERATION_ACCEPT,
	OPERATION_SEND,
	OPERATION_RECEIVE,
	OPERATION_EVENT, /* what led to an event: a drop, a retransmit */
	OPERATION_COUNT,
	OPERATION_NONE = OPERATION_COUNT
};

/* Who says what an argument is. */
enum evidence {
	EVIDENCE_NONE,
	EVIDENCE_BTF, /* this kernel's types */
	EVIDENCE_POINTER, /* its value was that of a known socket, of two sockets at least, in every call */
	EVIDENCE_TABLE, /* kernels that we know: kernel/signatures.h */
};

/* Where the value that is wanted is. */
enum place {
	PLACE_ARGUMENT, /* ->arg */
	PLACE_RETURN,	/* the return value */
};

enum family {
	FAMILY_UNKNOWN,
	FAMILY_IPV4,
	FAMILY_IPV6,
	FAMILY_INET, /* either of the two: nothing that was passed tells them apart */
	FAMILY_OTHER
};

struct candidate {
	const char *name;
	const struct prototype *proto;
	u32 rank;  /* from 1; the same for a tie */
	u8 object; /* enum object of what is to be read from */
	u8 place;
	u8 arg; /* PLACE_ARGUMENT: from 1 */
	u8 evidence;
	u8 bytes_arg;	      /* argument that is a count of bytes (size_t); 0 none */
	bool dominates;	      /* every call passes it */
	bool slot_match;      /* its slot is called as the operation is */
	bool specific;	      /* no other operation that was recorded passes it */
	bool others;	      /* there were other operations, so that ->specific says something */
	bool slots_elsewhere; /* ->slots are of other kernels */
	bool returns_sock;
	u32 calls;			    /* that pass it */
	u32 once;			    /* that pass it exactly once */
	u32 most;			    /* times, in one call */
	u32 missed_by[CANDIDATES_SYSCALLS]; /* calls of group->syscalls[i] that do not pass it */
	u32 share_permille;		    /* of the operation's functions that lie below it */
	u32 depth_tenths;		    /* below the system call, on average */
	int stable, known; /* kernels with the same argument, of those that have the function */
	const char
		*slots[CANDIDATES_SLOTS]; /* "tcp_prot.sendmsg", "proto.sendmsg" of other kernels */
	u32 nr_slots;			  /* that it is in; more than are told, perhaps */
	struct symfact symbol;		  /* exported, static, siblings */
};

struct candidate_group {
	u8 operation;
	u8 family;
	char protocol[24]; /* "TCP"; "" not known */
	bool by_names;	   /* protocol and family are from how functions are called */
	u32 calls;	   /* complete ones */
	u32 left_out;	   /* with lost records, or not finished */
	u32 nr_syscalls;
	struct {
		const char *name;
		u32 calls;
	} syscalls[CANDIDATES_SYSCALLS];
	struct candidate *candidate; /* by rank */
	u32 nr;
	u32 nr_untyped; /* passed by most calls, but nothing says what their arguments are */
};

struct candidates_options {
	enum question question;
	const char *type; /* QUESTION_ARG: "sock"; else NULL */
	/* The name of the function at an address, not NUL-terminated; NULL when it has none. */
	const char *(*function_name)(void *ctx, u64 func, size_t *len);
	/* Whether an event is what QUESTION_RETRANSMITS or QUESTION_DROPS is about. */
	bool (*is_wanted)(void *ctx, const struct call_note *note);
	void *ctx;
	const struct prototypes *prototypes; /* NULL: without BTF */
	const struct optables *tables;	     /* NULL: not known */
};

struct candidates_stats {
	u64 calls;     /* given */
	u64 no_socket; /* ... that have nothing to do with one: read() of a file */
	u64 unwanted;  /* ... of operations or families that the question is not about */
	u64 functions_refused;
	u64 groups_refused;
};

struct candidates;

int candidates_new(struct candidates **out, const struct candidates_options *options);
void candidates_free(struct candidates *c);

/** candidates_call - take in a finished call; Return: 0 or -ENOMEM */
int candidates_call(struct candidates *c, const struct graph_call *call);

/**
 * candidates_rank - order what was taken in; at most once
 * @kallsyms: its text, for what symbols tell of functions; NULL: not there
 * @groups: set to @nr of them, which live as long as @c: connect first, then by calls
 */
int candidates_rank(struct candidates *c, const char *kallsyms,
		    const struct candidate_group **groups, size_t *nr);

const struct candidates_stats *candidates_stats(const struct candidates *c);

/** question_parse - "local-address", "arg:sock"; Return: 0 or -EINVAL. @type: set to what follows "arg:" */
int question_parse(const char *text, enum question *question, const char **type);
/** question_name - "local-address" */
const char *question_name(enum question question);
/** question_is_address - whether the answer is addresses and ports of a socket */
bool question_is_address(enum question question);
/** operation_name - "connect", "send" */
const char *operation_name(u8 operation);
/** operation_of_syscall - OPERATION_NONE for "read" as long as nothing tells that it is of a socket, too:
 * @maybe is set then to what it is if so */
enum operation operation_of_syscall(const char *syscall);
/** family_name - "IPv4" */
const char *family_name(u8 family);
/** evidence_name - "BTF" */
const char *evidence_name(u8 evidence);

#endif
