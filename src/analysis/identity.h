/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which packet an skb address stands for, without births (tier T0).
 *
 * The kernel reuses an address as soon as it is freed, often for the very next packet, and TCP frees
 * most of its skbs with no tracepoint. So an address names a packet until a death event, or until an
 * event comes that the known packet cannot be in: then it is a new packet, and the old one's end
 * stays unknown. The rules are in identity_continues().
 */
#ifndef SKBTRAIL_ANALYSIS_IDENTITY_H
#define SKBTRAIL_ANALYSIS_IDENTITY_H

#include "analysis/path.h"

/**
 * identity_continues - whether an event can be the next one of a packet
 * @path: the packet that the event's address stood for so far
 * @shared: devices of several netns go by the name of the event's device
 *
 * Return: false when it cannot, so that the address must have been reused.
 */
bool identity_continues(const struct path *path, const struct event *ev, bool shared);

/**
 * identity_other_packet - whether headers say that an event is not of this packet
 *
 * What no router, no NAT and no tunnel changes in the innermost headers is another: for captures in which an end may
 * be missing. What is not in both says nothing.
 */
bool identity_other_packet(const struct path *path, const struct event *ev);

#endif
