// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Joins a raw socket's reading with the packet whose copy it read; see rawcopy.h.
 */
#include "analysis/rawcopy.h"

#include "analysis/paths.h"

#define PROTO_IPV6 0x86dd
#define IPV6_HEADER_BYTES 40

/* A raw IPv4 socket reads the IP header too, a raw IPv6 socket does not. */
static bool same_length(const struct path *path, u32 len_bytes)
{
	if (!path->stack_len)
		return false;
	if (path->proto == PROTO_IPV6)
		return len_bytes + IPV6_HEADER_BYTES == path->stack_len;
	return len_bytes == path->stack_len;
}

static void mark(struct path *path, u64 ts_ns, u64 skb, s32 pid)
{
	path->state = PATH_DELIVERED;
	path->complete = PATH_COMPLETE;
	path->raw_copy = true;
	path->raw_ts_ns = ts_ns;
	path->raw_skb = skb;
	path->raw_pid = pid;
}

struct path *raw_copy_read(struct raw_copies *copies, struct path *waiting, const struct event *ev)
{
	struct path *path, *match = NULL;
	u32 seen = 0;

	for (path = waiting->next; path != waiting; path = path->next) {
		/* So many at once are ambiguous, and must not cost more than they are worth. */
		if (++seen > RAW_COPIES)
			return NULL;
		if (!same_length(path, ev->len_bytes))
			continue;
		if (match)
			return NULL; /* ambiguous: neither is claimed */
		match = path;
	}
	if (match) {
		mark(match, ev->ts_ns, ev->skb, ev->pid);
		return match;
	}
	copies->recent[copies->at++ % RAW_COPIES] =
		(struct raw_copy){ ev->ts_ns, ev->skb, ev->len_bytes, ev->pid };
	return NULL;
}

bool raw_copy_was_read(struct raw_copies *copies, struct path *path)
{
	struct raw_copy *match = NULL, *copy;
	u64 received = path->first_ns;
	u32 i;

	/* The clone is made between the last receive and the free. */
	for (i = 0; i < path->nr_hops; i++)
		if (path->hops[i].kind == EVENT_RECEIVE)
			received = path->hops[i].ts_ns;
	for (i = 0; i < RAW_COPIES; i++) {
		copy = &copies->recent[i];
		if (!copy->skb || copy->ts_ns < received || !same_length(path, copy->len_bytes))
			continue;
		if (match)
			return false;
		match = copy;
	}
	if (!match)
		return false;
	mark(path, match->ts_ns, match->skb, match->pid);
	match->skb = 0;
	return true;
}
