/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of the tap (capture/tap_record.h) -> EVENT_FRAME.
 *
 * The kernel calls them raw_data, as it does what anybody writes into trace_marker_raw; ours have our
 * id and version. Nothing else of them is believed before it was checked.
 */
#ifndef SKBTRAIL_DECODE_TAPFRAME_H
#define SKBTRAIL_DECODE_TAPFRAME_H

#include "decode/schema.h"

struct format;

#define TAPFRAME_EVENT "raw_data"

/** tapframe_is_format - whether a format is that of the records the tap makes */
bool tapframe_is_format(const char *system, const struct format *f);

/** tapframe_fill_type - where the record's id is; ->kind stays EVENT_NONE without one. Return: 0 */
int tapframe_fill_type(struct event_type *type, const struct format *f);

#endif
