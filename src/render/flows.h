/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of flows -> lines of text, CSV or JSON.
 */
#ifndef SKBTRAIL_RENDER_FLOWS_H
#define SKBTRAIL_RENDER_FLOWS_H

#include "analysis/flows.h"
#include "analysis/flowtree.h"
#include "base/strbuf.h"

enum flows_format {
	FLOWS_TEXT,
	FLOWS_CSV,
	FLOWS_JSON,
};

/* Columns of a table, in the order in which they are shown. */
enum flows_column {
	FLOWS_COL_KEY, /* of a group; not FLOWS_BY_SOCKET */
	FLOWS_COL_PID, /* this to REMOTE, and RTT to AGE: FLOWS_BY_SOCKET */
	FLOWS_COL_COMM,
	FLOWS_COL_PROTO,
	FLOWS_COL_LOCAL,
	FLOWS_COL_REMOTE,
	FLOWS_COL_RX, /* bytes of this interval */
	FLOWS_COL_TX,
	FLOWS_COL_RX_RATE, /* ... a second */
	FLOWS_COL_TX_RATE,
	FLOWS_COL_RX_SUM,
	FLOWS_COL_TX_SUM,
	FLOWS_COL_RETRANSMITS,
	FLOWS_COL_RTT,
	FLOWS_COL_STATE,
	FLOWS_COL_AGE,
	FLOWS_COLUMNS
};

struct flows_column_info {
	const char *name;
	int width; /* in lines of text; more where it does not fit */
	bool left; /* aligned so, being text */
	bool of_sockets, of_groups;
};

extern const struct flows_column_info flows_column_info[FLOWS_COLUMNS];

/** flows_column_of - whether a table by @by has that column */
static inline bool flows_column_of(enum flows_column column, enum flows_by by)
{
	const struct flows_column_info *info = &flows_column_info[column];

	return by == FLOWS_BY_SOCKET ? info->of_sockets : info->of_groups;
}

/** flows_by_name - "socket", "pid", ...: as for --by */
const char *flows_by_name(enum flows_by by);

/** flows_column_name - the heading of a column */
const char *flows_column_name(enum flows_column column, enum flows_by by);

/** flows_sort - the most traffic of this interval first; of equal ones the older socket, the lower pid */
void flows_sort(struct flow_row *row, size_t nr);

/** render_flows_head - names of the columns; nothing for JSON */
void render_flows_head(struct strbuf *sb, enum flows_by by, enum flows_format format);

/**
 * render_flows_row - a line
 * @now_ns: time of the end of the interval, in the trace's clock
 * @interval_ns: how long it was
 *
 * Return: 0 or -ENOMEM.
 */
int render_flows_row(struct strbuf *sb, const struct flow_row *row, enum flows_by by,
		     enum flows_format format, u64 now_ns, u64 interval_ns);

/** render_flows_tree_head - names of the columns of a tree; nothing for JSON */
void render_flows_tree_head(struct strbuf *sb, enum flows_format format);

/** render_flows_node - a line of a tree of processes; sums are with all below it. Not FLOWS_CSV. As render_flows_row() */
int render_flows_node(struct strbuf *sb, const struct flowtree_node *node, enum flows_format format,
		      u64 now_ns, u64 interval_ns);

/** render_flows_cell - what stands in a column of a row, foreign text escaped; the rest as for render_flows_row() */
void render_flows_cell(struct strbuf *sb, const struct flow_row *row, enum flows_column column,
		       enum flows_by by, u64 now_ns, u64 interval_ns);

/** flows_per_second - bytes of an interval, each second */
u64 flows_per_second(u64 bytes, u64 interval_ns);

/** flows_age_ns - how old it is, or was at its end; 0 when its beginning was not seen */
u64 flows_age_ns(const struct flow *f, u64 now_ns);

/** render_flows_bytes - "0", "999B", "9.8kB", "120MB", powers of 1,000: at most 5 columns; digits are cut, not rounded */
void render_flows_bytes(struct strbuf *sb, u64 bytes);

/** render_flows_news - a line about a socket that opened or closed. @ts_ns: when. Return: 0 or -ENOMEM */
int render_flows_news(struct strbuf *sb, const struct flow *flow, enum flow_news news, u64 ts_ns,
		      s32 pid, const char *comm, enum flows_format format);

/** render_flow_state - "ESTABLISHED"; "-" when it is not known */
const char *render_flow_state(const struct flow *flow);

#endif
