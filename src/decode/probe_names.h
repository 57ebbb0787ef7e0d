/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names that probe events have, what each means for a packet's path, and which header skb->data
 * points at there.
 *
 * A probe event is named like its tracepoint or function; the one at a function's return adds "_ret"
 * (src/capture/probes.h has the fields). Places are from the kernel's sources: what the function does
 * to skb->data before and after. Depends on base/ headers, packet.h and event.h only: plugins/ compiles it too.
 */
#ifndef SKBTRAIL_DECODE_PROBE_NAMES_H
#define SKBTRAIL_DECODE_PROBE_NAMES_H

#include "base/types.h"
#include "decode/event.h"
#include "decode/packet.h"

/* What the event at the function's return tells of. */
enum probe_return {
	RETURNS_NOTHING,
	RETURNS_SKB,	 /* new: an skb */
	RETURNS_HOOKS,	 /* ret: of nf_hook_slow(), 1 go on, 0 taken away, below 0 dropped */
	RETURNS_VERDICT, /* ret: NF_DROP, NF_ACCEPT, ... in its low byte */
};

struct probe_name {
	const char *name;
	u8 kind;  /* enum event_kind: what it means for a path; EVENT_BIRTH is that of the return */
	u8 layer; /* enum layer */
	u8 at;	  /* enum window_at */
	u8 returns; /* enum probe_return */
};

extern const struct probe_name probe_names[];
extern const size_t nr_probe_names;

/**
 * probe_name_find - the row of an event
 * @event: its name; with "_ret" it is that of a function's return
 * @is_return: set to whether it is; may be NULL
 *
 * Return: NULL for a name that is not in the table: then AT_UNKNOWN is what is known of it.
 */
const struct probe_name *probe_name_find(const char *event, bool *is_return);

/** probe_group_is_ours - whether an event group's name is skbtrail_<pid> */
bool probe_group_is_ours(const char *group);

#endif
