/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Histograms of a socket's latencies -> text, JSON.
 */
#ifndef SKBTRAIL_RENDER_FLOWLAT_H
#define SKBTRAIL_RENDER_FLOWLAT_H

#include "analysis/flowlat.h"
#include "base/strbuf.h"

struct json_object;

/**
 * render_flow_latency - lines of text: the socket of @row, and a histogram of each kind that there is
 *
 * Return: 0 or -ENOMEM.
 */
int render_flow_latency(struct strbuf *sb, const struct flow_row *row);

/** render_flow_latency_json - the same as an object; NULL: out of memory */
struct json_object *render_flow_latency_json(const struct flow_latency *latency);

#endif
