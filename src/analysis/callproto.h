/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of which protocol and address family the socket of a call is.
 *
 * Told, in this order, by operations tables of the recorded kernel that its functions are in, by events of the
 * socket, by how functions are named. What the call met first, counted by depth, is the socket's own: what
 * is below may be a tunnel's. Contradictions and silence are "?"; nothing is guessed.
 */
#ifndef SKBTRAIL_ANALYSIS_CALLPROTO_H
#define SKBTRAIL_ANALYSIS_CALLPROTO_H

#include "analysis/calltree.h"

struct call_proto {
	u16 protocols; /* one CALL_* bit, or 0 */
	u8 families;
	u8 protocol_from, family_from; /* enum tree_from */
	bool of_sockets;	       /* the call is about a socket */
};

/**
 * callproto_judge - look at a call, or at the part of it below the node @root; O(its nodes)
 * @func: the number of each node's function
 */
void callproto_judge(struct call_proto *out, const struct callfuncs *funcs, const u32 *func,
		     const struct graph_call *call, u32 root);

#endif
