/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which packets were sent by which calls: chains put to events.
 *
 * In:  all records of a stream in time order, and the events that are made of some.
 * Out: events with ->chain; EVENT_STACK where a stack trace tells of the event before it.
 *
 * Only what a task itself does: what is sent in an interrupt has no calls that sent it.
 */
#ifndef SKBTRAIL_ANALYSIS_CHAINMARK_H
#define SKBTRAIL_ANALYSIS_CHAINMARK_H

#include "analysis/chains.h"
#include "base/error.h"
#include "decode/ahead.h"
#include "decode/event.h"
#include "trace/stream.h"

struct chainmark;

/** chainmark_new - arguments as of graph_formats_init(); Return: 0 or -ENOMEM */
int chainmark_new(struct chainmark **out, bool big_endian, u8 long_size, struct error *err);
void chainmark_free(struct chainmark *m);

/** chainmark_format - one format file of system "ftrace"; may come from a stranger */
void chainmark_format(struct chainmark *m, const char *text, size_t len);

/** chainmark_record - a record that is no event; @ev is filled in when AHEAD_EVENT is returned */
enum ahead_found chainmark_record(struct chainmark *m, const struct record *rec, struct event *ev);

/** chainmark_event - an event, with ->ts_ns and ->cpu: it gets the chain that its task is in */
void chainmark_event(struct chainmark *m, struct event *ev);

/** chainmark_lost - records are missing: nothing is known of any task */
void chainmark_lost(struct chainmark *m);

/** chainmark_chains - what the numbers in events mean; belongs to @m */
const struct chains *chainmark_chains(const struct chainmark *m);

#endif
