/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel functions by address: their names, and what the names say.
 *
 * A name says three things here, by patterns: that a function is the entry of a system call; that it is a
 * helper, of no interest for how a socket works; of which protocol and address family it is. Operations
 * tables, where a recording has them, tell the last better.
 */
#ifndef SKBTRAIL_ANALYSIS_CALLFUNCS_H
#define SKBTRAIL_ANALYSIS_CALLFUNCS_H

#include "base/error.h"

/* What a helper helps with. */
enum func_class {
	FUNC_PLAIN,
	FUNC_LOCKING,
	FUNC_RCU,
	FUNC_MEMORY,
	FUNC_AUDIT,
	FUNC_LSM,
	FUNC_SCHED,
	FUNC_TIME,
	FUNC_TRACING,
	FUNC_SOFTIRQ, /* runs, or ends in, what softirqs do */
	FUNC_HARDIRQ,
	FUNC_CLASSES,
};

/* Bits of sets of protocols. */
enum {
	CALL_TCP = 1 << 0,
	CALL_UDP = 1 << 1,
	CALL_UDPLITE = 1 << 2,
	CALL_RAW = 1 << 3,
	CALL_PING = 1 << 4,
	CALL_SCTP = 1 << 5,
	CALL_MPTCP = 1 << 6,
	CALL_UNIX = 1 << 7,
	CALL_NETLINK = 1 << 8,
	CALL_PACKET = 1 << 9,
	CALL_VSOCK = 1 << 10,
	CALL_XDP = 1 << 11,
	CALL_ANY_PROTOCOL = (1 << 12) - 1,
};

/* ... and of address families; where it is the same word as the protocol, that has said it. */
enum {
	CALL_INET = 1 << 0,
	CALL_INET6 = 1 << 1,
	CALL_LOCAL = 1 << 2, /* UNIX, netlink, packet, vsock: the protocol says which */
	CALL_ANY_FAMILY = (1 << 3) - 1,
};

/* What kind of system call one is. */
enum call_kind {
	CALL_OTHER,
	CALL_SOCKET, /* is about a socket always */
	CALL_FILE,   /* may be about a socket or any other file */
};

struct call_func {
	u64 addr;	  /* 0: free slot */
	const char *name; /* not NUL-terminated, not escaped; NULL: not known */
	u32 name_len;
	const char *syscall; /* "connect", escaped; NULL: it is no system call's entry */
	u16 protocols;	     /* it may be of, by its name; 0: says nothing */
	u16 table_protocols; /* ... by the operations tables it is in */
	u8 families, table_families;
	u8 class;	 /* enum func_class */
	u8 kind;	 /* enum call_kind, with ->syscall */
	bool of_sockets; /* only sockets call it */
	bool wanted;	 /* matches the pattern that was asked for */
};

struct callfuncs;

struct callfuncs_options {
	/* The name of the function at an address: not NUL-terminated, to stay as long as the table; or NULL. */
	const char *(*name)(void *ctx, u64 func, size_t *len);
	void *ctx;
	const char *wanted; /* pattern of shells for struct call_func.wanted; NULL: none */
};

int callfuncs_new(struct callfuncs **out, const struct callfuncs_options *options,
		  struct error *err);
void callfuncs_free(struct callfuncs *f);

/**
 * callfuncs_add_table - a function is in an operations table of the recorded kernel
 * @table: "tcp_prot", "inet6_stream_ops"; one of which nothing is known is passed over
 *
 * To be called before the first callfuncs_find().
 */
int callfuncs_add_table(struct callfuncs *f, const char *table, const char *function);

/**
 * callfuncs_find - what is known of a function
 *
 * O(1); a name is looked at when its function is met first.
 *
 * Return: a number that stands for it from then on; 0, of which nothing is known, without memory
 */
u32 callfuncs_find(struct callfuncs *f, u64 addr);

/**
 * callfuncs_root - the system call that a function is the entry of
 *
 * Of most functions nobody asks more: these do not get a number.
 *
 * Return: its name, owned by the table; NULL for none
 */
const char *callfuncs_root(struct callfuncs *f, u64 addr);

/** callfuncs_at - what callfuncs_find() gave a number to */
const struct call_func *callfuncs_at(const struct callfuncs *f, u32 number);

/** callfuncs_class_name - "locking"; what a line that stands for several helpers says */
const char *callfuncs_class_name(u8 class);
/** callfuncs_protocol_name - "TCP" of one CALL_* bit, "?" of none or several */
const char *callfuncs_protocol_name(u16 protocols);
/** callfuncs_family_name - "IPv4", "IPv6", "" for CALL_LOCAL, "?" of none or several */
const char *callfuncs_family_name(u8 families);

/**
 * callfuncs_syscall - the name of the system call that a function is the entry of
 * @symbol: "__x64_sys_connect", @len bytes
 *
 * Wrappers of all architectures (SYSCALL_DEFINEx in include/linux/syscalls.h, arch/.../syscall_wrapper.h), and
 * the function that io_uring runs its requests by in threads of its own.
 *
 * Return: where in @symbol the name begins, "" of length 0 for none; @abi set to "ia32" or "compat" for
 * programs of another word size, else NULL.
 */
const char *callfuncs_syscall(const char *symbol, size_t len, size_t *name_len, const char **abi);

/** callfuncs_kind - what kind of system call "connect" is */
enum call_kind callfuncs_kind(const char *name, size_t len);

#endif
