/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From windows of memory to places of members: the part of calibration that thinks.
 *
 * In:  packets of which all is known (struct cal_packet), and for each of them windows of memory that
 *      probes on functions took while those had the packet in hand.
 * Out: which windows to take next; in the end for each member the one place that agrees with all packets, or
 *      those that do, or that there is none.
 *
 * No I/O. Nothing is assumed about the order of members. What a window holds may be anything, also left over
 * from something else, so a window counts only when the pointer that led to it is a kernel's, and
 * packets differ in all that is looked for. A member is found when exactly one place is left.
 */
#ifndef SKBTRAIL_KERNEL_CALIBRATE_SOLVE_H
#define SKBTRAIL_KERNEL_CALIBRATE_SOLVE_H

#include "kernel/structs.h"

#define CAL_TAG_SIZE 16
#define CAL_NAME_SIZE 32
#define CAL_SKB_SPAN 256     /* bytes looked at of an sk_buff: more would be its neighbour's */
#define CAL_WINDOW_MAX 512   /* what one fetch argument can take */
#define CAL_CALLS_MAX 12     /* calls of one function with one packet */
#define CAL_CANDIDATES_MAX 6 /* that are named when there are several */

/* Functions that have the packet in hand. */
enum cal_hook {
	CAL_TX,	 /* dev_hard_start_xmit(skb, ...) in the sender's context */
	CAL_TAP, /* packet_rcv(skb, ...) of a packet that came in */
	CAL_RX,	 /* ip_rcv(skb, ...) */
	CAL_NF,	 /* nf_hook_slow(skb, state, entries, ...) */
	CAL_NFT, /* nft_do_chain(pkt, chain) in the sender's context */
	CAL_XT,	 /* ipt_do_table(skb, state, table), or (table, skb, state) since 5.16 */
	CAL_HOOKS
};

/* A way to memory: an argument of the function, then pointers read at these places. */
struct cal_path {
	u8 hook;
	u8 arg;	  /* from 1 */
	u8 depth; /* how many of at[] */
	u16 at[2];
};

struct cal_want {
	struct cal_path path;
	u16 start; /* the window's first byte, from where the path leads */
	u16 len;   /* a multiple of 8, at most CAL_WINDOW_MAX */
};

struct cal_device {
	char name[16]; /* padded with zeros */
	u32 ifindex;
	u8 netns; /* index of calibration's network namespaces */
};

struct cal_socket {
	u16 family;
	u16 num;
	u16 dport_net;
	u8 daddr[16], rcv_saddr[16]; /* IPv4: the first four */
	u64 cookie;
	u8 netns;
};

struct cal_chain {
	char name[CAL_NAME_SIZE];
	u8 table; /* index */
};

/* What is known of a packet, by bits of ->known. */
enum {
	CAL_KNOW_LEN = 1 << 0,	    /* ->len, ->data_len */
	CAL_KNOW_TAG = 1 << 1,	    /* ->tag is at ->tag_at from where skb->data leads at CAL_TX */
	CAL_KNOW_L4 = 1 << 2,	    /* ->l3_len */
	CAL_KNOW_SOCKET = 1 << 3,   /* ->socket, ->state */
	CAL_KNOW_PROTOCOL = 1 << 4, /* ->protocol_net */
	CAL_KNOW_VLAN = 1 << 5,	    /* whether tagged at CAL_TAP; never at CAL_RX */
	CAL_KNOW_ROUTE = 1 << 6,    /* has a route over ->device at CAL_TX */
	CAL_KNOW_CHAINS = 1 << 7,   /* ->chains, each called with it at CAL_NFT */
	CAL_KNOW_TABLES = 1 << 8,   /* iptables' tables see it, CAL_XT */
	CAL_KNOW_ENTRIES = 1 << 9,  /* one nft chain or iptables table only is at the first hook */
	CAL_KNOW_DEVICE = 1 << 10,  /* ->device */
};

struct cal_packet {
	u32 known;
	u32 mark; /* another one for each packet, never 0 */
	u32 len, data_len;
	u16 protocol_net;
	u16 l3_len;
	u16 tag_at;
	u8 tag[CAL_TAG_SIZE];
	u8 device, socket, state;
	bool tagged;
	u16 vlan_tci, vlan_proto_net;
	/* Hooks it meets, of protocol family ->pf, in order; 0: netfilter is not watched. Its first one is
	 * LOCAL_OUT; its last one LOCAL_IN when ->comes_back. Others in between may be missing. */
	u8 pf;
	u8 nr_hooks;
	u8 hooks[4];
	bool comes_back; /* over a loopback device: it is seen at CAL_RX, too */
	u8 nr_chains;
	u8 chains[4];
};

/* How sure a member's place is. */
enum cal_state {
	CAL_NONE,      /* no place agrees, or nothing was seen of it */
	CAL_FOUND,     /* exactly one */
	CAL_AMBIGUOUS, /* several */
};

struct cal_finding {
	u8 state;
	struct member_place place; /* when found */
	u32 nr;			   /* candidates when ambiguous */
	u32 candidates[CAL_CANDIDATES_MAX];
	const char *why; /* in words, when not found; static */
};

struct cal;

/**
 * cal_new - begin
 * @hooks: bits 1 << enum cal_hook of the functions that can be probed
 *
 * Return: NULL when memory ran out.
 */
struct cal *cal_new(u32 hooks);
void cal_free(struct cal *c);

/** cal_wants - windows for the next round; Return: how many, 0 when all is said */
size_t cal_wants(const struct cal *c, const struct cal_want **wants);

/* Return: the index, or -ENOMEM */
int cal_add_netns(struct cal *c, u32 inum);
int cal_add_device(struct cal *c, const struct cal_device *device);
int cal_add_socket(struct cal *c, const struct cal_socket *socket);
int cal_add_chain(struct cal *c, const struct cal_chain *chain);
int cal_add_table(struct cal *c, const char *name);    /* of nft */
int cal_add_xt_table(struct cal *c, const char *name); /* of iptables */
int cal_add_packet(struct cal *c, const struct cal_packet *packet);

/** cal_add_function - an address that netfilter calls for one of calibration's chains or tables */
int cal_add_function(struct cal *c, u64 address);

/**
 * cal_feed - a window that was taken; packet by packet, in the order in which these were added
 * @want: index of this round's cal_wants()
 * @packet: while which it was taken
 * @nth: of the calls of that function while this packet was under way, from 0. May be another's packet.
 * @args: the function's first three arguments
 * @pointers: those that were followed, one for each step of the path; the last one, or
 *            the argument, is what the window lies behind
 * @bytes: want->len of them
 */
int cal_feed(struct cal *c, size_t want, size_t packet, size_t nth, const u64 args[3],
	     const u64 *pointers, const u8 *bytes);

/** cal_round - draw conclusions from all that was fed; then cal_wants() has what to take next */
void cal_round(struct cal *c);

/** cal_finding - what is known about a member now */
const struct cal_finding *cal_finding(const struct cal *c, enum member m);

#endif
