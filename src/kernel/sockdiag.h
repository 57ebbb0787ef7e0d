/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets that there are: the kernel's inventory by sock_diag, and which process holds each.
 *
 * In:  netns, entered on threads of their own (netns_enter.h); NETLINK_SOCK_DIAG; /proc/PID/fd.
 * Out: struct sockdiag: TCP and UDP sockets, IPv4 and IPv6, of all netns.
 *
 * Asking has an effect: the kernel gives each socket that it lists a cookie, which later records then have.
 * A kernel that cannot list one kind (no udp_diag) lists the others; ->incomplete says what is missing and why.
 */
#ifndef SKBTRAIL_KERNEL_SOCKDIAG_H
#define SKBTRAIL_KERNEL_SOCKDIAG_H

#include "base/error.h"
#include "base/sockaddrs.h"
#include "base/types.h"

struct sockdiag_entry {
	struct sock_addrs addrs;
	u64 cookie;
	/* TCP, where the kernel tells: bytes since it was established. */
	u64 bytes_acked, bytes_received;
	u32 retransmits; /* TCP: segments, in all */
	u32 rtt_us;	 /* TCP; 0 not known */
	u32 netns;	 /* inode number */
	u32 inode;	 /* 0: no file has it: the kernel's own, or closed by its process */
	u32 uid;
	u32 ifindex; /* bound to a device, 0 none */
	s32 pid;     /* lowest process that has it open; 0 none found */
	char comm[16];
	u8 state;      /* TCP_* of include/net/tcp_states.h; TIME_WAIT, too */
	bool no_owner; /* all processes were looked at, and none has its file */
	bool has_info; /* bytes_acked, bytes_received, retransmits and rtt_us were told */
};

struct sockdiag {
	struct sockdiag_entry *entry;
	size_t nr, cap;
	size_t cut;	      /* sockets above the limit */
	u32 netns_read;	      /* netns that were read */
	u32 hidden;	      /* processes whose files may not be looked at */
	char incomplete[256]; /* what is missing and why; "" nothing */
};

struct sockdiag_options {
	size_t max;	     /* sockets; 0: 1,000,000 */
	bool owners;	     /* look for processes in /proc: costs a readlink for each open file */
	const int *netns_fd; /* these netns only; NULL: all of the machine */
	const u32 *netns_inum;
	size_t nr_netns;
	const char *
		root; /* for tests, a directory that stands for / when owners are looked for; NULL: none */
};

/**
 * sockdiag_take - list the sockets of this machine
 * @out: filled in; to be released with sockdiag_free() whatever is returned
 * @options: NULL: owners and all
 *
 * The caller's thread stays in its netns. Return: 0; -errno when nothing could be listed at all.
 */
int sockdiag_take(struct sockdiag *out, const struct sockdiag_options *options, struct error *err);
void sockdiag_free(struct sockdiag *diag);

/**
 * sockdiag_parse - one answer of the kernel
 * @answer: a whole netlink message, @len bytes, of which nothing is trusted
 * @proto: IPPROTO_* of the request: answers do not tell
 *
 * Return: 0 with @entry filled in, -EINVAL for what is no such answer.
 */
int sockdiag_parse(const void *answer, size_t len, u16 proto, struct sockdiag_entry *entry);

struct json_object;

/** sockdiag_to_json - for a recording's metadata; NULL when memory ran out */
struct json_object *sockdiag_to_json(const struct sockdiag *diag);

/**
 * sockdiag_from_json - may be a stranger's: sockets that make no sense are left out and counted as ->cut
 * @diag: filled in; to be released with sockdiag_free() whatever is returned
 *
 * Return: 0, -EBADMSG when it is no inventory, -ENOMEM.
 */
int sockdiag_from_json(struct sockdiag *diag, struct json_object *obj);

/** sockdiag_owners - find out who holds the sockets, by /proc below @root. Return: 0 or -ENOMEM */
int sockdiag_owners(struct sockdiag *diag, const char *root);

/**
 * sockdiag_socket_of - inode number of the socket that an open file is
 * @path: a link of /proc/PID/fd, below @dir (a descriptor, or AT_FDCWD) or absolute
 *
 * Return: 0 when it is none, or cannot be read.
 */
u32 sockdiag_socket_of(int dir, const char *path);

#endif
