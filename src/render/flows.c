// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of "skbtrail flows". Names of processes are strangers': they are escaped.
 */
#include "render/flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/flowlat.h"
#include "render/json_util.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static u64 traffic(const struct flow_row *row)
{
	return row->recent.rx_bytes + row->recent.tx_bytes;
}

static int compare_rows(const void *va, const void *vb)
{
	const struct flow_row *a = va, *b = vb;

	if (traffic(a) != traffic(b))
		return traffic(a) > traffic(b) ? -1 : 1;
	if (a->flow && b->flow && a->flow->number != b->flow->number)
		return a->flow->number < b->flow->number ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

void flows_sort(struct flow_row *row, size_t nr)
{
	if (nr)
		qsort(row, nr, sizeof(*row), compare_rows);
}

static const char *proto_name(u16 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_UDPLITE:
		return "udplite";
	case IPPROTO_MPTCP:
		return "mptcp";
	default:
		return "-";
	}
}

const char *render_flow_state(const struct flow *flow)
{
	static const char *const names[SOCK_STATES] = { "-",	     "ESTABLISHED", "SYN_SENT",
							"SYN_RECV",  "FIN_WAIT1",   "FIN_WAIT2",
							"TIME_WAIT", "CLOSE",	    "CLOSE_WAIT",
							"LAST_ACK",  "LISTEN",	    "CLOSING",
							"SYN_RECV" };

	if (flow->flags & FLOW_OVER)
		return "CLOSED";
	if (flow->addrs.proto == IPPROTO_UDP || flow->addrs.proto == IPPROTO_UDPLITE)
		return flow->addrs.rport ? "CONNECTED" : "-";
	return flow->state < SOCK_STATES ? names[flow->state] : "-";
}

/* "10.0.0.1", "fd00::1"; "*" for any, or one that is not known */
static void put_addr(char *to, size_t size, const u8 *addr)
{
	if (sock_addr_is_any(addr))
		snprintf(to, size, "*");
	else if (sock_addr_is_mapped(addr))
		inet_ntop(AF_INET, addr + 12, to, (socklen_t)size);
	else
		inet_ntop(AF_INET6, addr, to, (socklen_t)size);
}

static void put_end(char *to, size_t size, const u8 *addr, u16 port)
{
	char text[INET6_ADDRSTRLEN], number[8] = "*";
	bool brackets;

	put_addr(text, sizeof(text), addr);
	brackets = strchr(text, ':');
	if (port)
		snprintf(number, sizeof(number), "%u", port);
	snprintf(to, size, "%s%s%s:%s", brackets ? "[" : "", text, brackets ? "]" : "", number);
}

void render_flows_bytes(struct strbuf *sb, u64 bytes)
{
	static const char units[] = "kMGTPE";
	u64 whole = bytes, rest = 0;
	size_t unit;

	for (unit = 0; whole >= 1000; unit++) {
		rest = whole % 1000;
		whole /= 1000;
	}
	strbuf_put_u64(sb, whole);
	if (unit && whole < 10) {
		strbuf_putc(sb, '.');
		strbuf_put_u64(sb, rest / 100);
	}
	if (unit)
		strbuf_putc(sb, units[unit - 1]);
	if (bytes)
		strbuf_putc(sb, 'B');
}

u64 flows_per_second(u64 bytes, u64 interval_ns)
{
	return interval_ns ? (u64)((double)bytes * (double)NSEC_PER_SEC / (double)interval_ns) : 0;
}

u64 flows_age_ns(const struct flow *f, u64 now_ns)
{
	u64 end = f->closed_ns ? f->closed_ns : now_ns;

	return f->flags & FLOW_BIRTH_SEEN && end > f->first_ns ? end - f->first_ns : 0;
}

/* One that no process had when it was listed, and that none has used since. */
static bool is_kernels(const struct flow_row *row)
{
	return row->flow && !row->pid && row->flow->flags & FLOW_NO_OWNER;
}

static void put_netns(char *to, size_t size, const struct flow_row *row)
{
	struct strbuf name = STRBUF_INIT;

	strbuf_put_escaped(&name, row->netns_name, strlen(row->netns_name));
	snprintf(to, size, "%s", strbuf_cstr(&name));
	strbuf_free(&name);
}

static void key_text(const struct flow_row *row, enum flows_by by, char *to, size_t size)
{
	struct strbuf comm = STRBUF_INIT;

	strbuf_put_escaped(&comm, row->comm, strnlen(row->comm, sizeof(row->comm)));
	if (row->others)
		snprintf(to, size, "(others)");
	else if (by == FLOWS_BY_HOST)
		put_addr(to, size, row->host);
	else if (by == FLOWS_BY_PORT)
		snprintf(to, size, "%s/%u", proto_name(row->proto), row->port);
	else if (by == FLOWS_BY_NETNS && row->netns_name)
		put_netns(to, size, row);
	else if (by == FLOWS_BY_NETNS)
		snprintf(to, size, "%u", row->netns);
	else if (by == FLOWS_BY_PID)
		snprintf(to, size, "%d %s", (int)row->pid, strbuf_cstr(&comm));
	else if (row->comm[0])
		snprintf(to, size, "%s", strbuf_cstr(&comm));
	else
		snprintf(to, size, "%s", is_kernels(row) ? "(kernel)" : "-");
	strbuf_free(&comm);
}

const struct flows_column_info flows_column_info[FLOWS_COLUMNS] = {
	[FLOWS_COL_KEY] = { "", 24, true, false, true },
	[FLOWS_COL_PID] = { "PID", 7, false, true, false },
	[FLOWS_COL_COMM] = { "COMM", 15, true, true, false },
	[FLOWS_COL_PROTO] = { "PROTO", 5, true, true, false },
	[FLOWS_COL_LOCAL] = { "LOCAL", 21, true, true, false },
	[FLOWS_COL_REMOTE] = { "REMOTE", 21, true, true, false },
	[FLOWS_COL_RX] = { "RX", 7, false, true, true },
	[FLOWS_COL_TX] = { "TX", 7, false, true, true },
	[FLOWS_COL_RX_RATE] = { "RX/s", 7, false, true, true },
	[FLOWS_COL_TX_RATE] = { "TX/s", 7, false, true, true },
	[FLOWS_COL_RX_SUM] = { "RX-SUM", 7, false, true, true },
	[FLOWS_COL_TX_SUM] = { "TX-SUM", 7, false, true, true },
	[FLOWS_COL_RETRANSMITS] = { "RETR", 5, false, true, true },
	[FLOWS_COL_RTT] = { "RTT-ms", 8, false, true, false },
	[FLOWS_COL_STATE] = { "STATE", 11, true, true, false },
	[FLOWS_COL_AGE] = { "AGE-s", 7, false, true, false },
};

const char *flows_by_name(enum flows_by by)
{
	static const char *const names[] = { "socket", "pid", "comm", "host", "port", "netns" };

	return names[by];
}

const char *flows_column_name(enum flows_column column, enum flows_by by)
{
	static const char *const names[] = { "SOCKET", "PID", "COMM", "HOST", "PORT", "NETNS" };

	return column == FLOWS_COL_KEY ? names[by] : flows_column_info[column].name;
}

static void put_cell(struct strbuf *sb, const char *text, enum flows_column column)
{
	const struct flows_column_info *info = &flows_column_info[column];

	strbuf_printf(sb, info->left ? "%-*s" : "%*s", info->width, text);
}

/* Between the cells of a line that begins at @from. */
static void begin_cell(struct strbuf *sb, size_t from)
{
	if (sb->len > from)
		strbuf_putc(sb, ' ');
}

static void put_text_head(struct strbuf *sb, enum flows_by by)
{
	enum flows_column column;
	size_t from = sb->len;

	for (column = 0; column < FLOWS_COLUMNS; column++) {
		if (!flows_column_of(column, by))
			continue;
		begin_cell(sb, from);
		put_cell(sb, flows_column_name(column, by), column);
	}
	strbuf_putc(sb, '\n');
}

void render_flows_head(struct strbuf *sb, enum flows_by by, enum flows_format format)
{
	if (format == FLOWS_JSON)
		return;
	if (format == FLOWS_TEXT) {
		put_text_head(sb, by);
		return;
	}
	strbuf_puts(sb, by == FLOWS_BY_SOCKET ? "pid,comm,protocol,local,remote," : "group,");
	strbuf_puts(sb, "rx,tx,rx_per_s,tx_per_s,rx_sum,tx_sum,retransmits");
	strbuf_puts(sb, by == FLOWS_BY_SOCKET ? ",rtt_us,state,age_s" : "");
	strbuf_puts(sb, ",bytes_from,inexact\n");
}

/* What only a row of a socket has. */
static void put_socket_cell(struct strbuf *sb, const struct flow_row *row, enum flows_column column,
			    u64 now_ns)
{
	const struct flow *f = row->flow;
	u64 age = flows_age_ns(f, now_ns);
	char text[96] = "-";

	if (column == FLOWS_COL_PID && row->pid)
		snprintf(text, sizeof(text), "%d", (int)row->pid);
	else if (column == FLOWS_COL_COMM)
		key_text(row, FLOWS_BY_COMM, text, sizeof(text));
	else if (column == FLOWS_COL_PROTO)
		snprintf(text, sizeof(text), "%s", proto_name(f->addrs.proto));
	else if (column == FLOWS_COL_LOCAL)
		put_end(text, sizeof(text), f->addrs.local, f->addrs.lport);
	else if (column == FLOWS_COL_REMOTE)
		put_end(text, sizeof(text), f->addrs.remote, f->addrs.rport);
	else if (column == FLOWS_COL_RTT && f->rtt_us)
		snprintf(text, sizeof(text), "%.2f", f->rtt_us / 1000.0);
	else if (column == FLOWS_COL_STATE)
		snprintf(text, sizeof(text), "%s", render_flow_state(f));
	else if (column == FLOWS_COL_AGE && age)
		snprintf(text, sizeof(text), "%.1f", (double)age / (double)NSEC_PER_SEC);
	strbuf_puts(sb, text);
}

void render_flows_cell(struct strbuf *sb, const struct flow_row *row, enum flows_column column,
		       enum flows_by by, u64 now_ns, u64 interval_ns)
{
	char key[96];

	/* bytes on the wire are not those of calls; and at least so many */
	if (column >= FLOWS_COL_RX && column <= FLOWS_COL_TX_SUM) {
		if (row->inexact)
			strbuf_putc(sb, '>');
		if (row->from_packets)
			strbuf_putc(sb, '~');
	}
	switch (column) {
	case FLOWS_COL_KEY:
		key_text(row, by, key, sizeof(key));
		strbuf_puts(sb, key);
		break;
	case FLOWS_COL_RX:
		render_flows_bytes(sb, row->recent.rx_bytes);
		break;
	case FLOWS_COL_TX:
		render_flows_bytes(sb, row->recent.tx_bytes);
		break;
	case FLOWS_COL_RX_RATE:
		render_flows_bytes(sb, flows_per_second(row->recent.rx_bytes, interval_ns));
		break;
	case FLOWS_COL_TX_RATE:
		render_flows_bytes(sb, flows_per_second(row->recent.tx_bytes, interval_ns));
		break;
	case FLOWS_COL_RX_SUM:
		render_flows_bytes(sb, row->sum.rx_bytes);
		break;
	case FLOWS_COL_TX_SUM:
		render_flows_bytes(sb, row->sum.tx_bytes);
		break;
	case FLOWS_COL_RETRANSMITS:
		strbuf_put_u64(sb, row->sum.retransmits);
		break;
	default:
		put_socket_cell(sb, row, column, now_ns);
	}
}

/* The columns from @column on, of a line that begins at @from. */
static void put_cells(struct strbuf *sb, size_t from, const struct flow_row *row,
		      enum flows_column column, enum flows_by by, u64 now_ns, u64 interval_ns)
{
	struct strbuf cell = STRBUF_INIT;

	for (; column < FLOWS_COLUMNS; column++) {
		if (!flows_column_of(column, by))
			continue;
		cell.len = 0;
		render_flows_cell(&cell, row, column, by, now_ns, interval_ns);
		begin_cell(sb, from);
		put_cell(sb, strbuf_cstr(&cell), column);
	}
	sb->failed |= cell.failed;
	strbuf_free(&cell);
}

static void put_text(struct strbuf *sb, const struct flow_row *row, enum flows_by by, u64 now_ns,
		     u64 interval_ns)
{
	char netns[96];

	put_cells(sb, sb->len, row, 0, by, now_ns, interval_ns);
	if (row->flow && row->numbered)
		strbuf_printf(sb, " #%llu", (unsigned long long)row->flow->number);
	if (row->flow && row->netns_name) {
		put_netns(netns, sizeof(netns), row);
		strbuf_printf(sb, " netns %s", netns);
	}
	strbuf_putc(sb, '\n');
}

static void put_csv(struct strbuf *sb, const struct flow_row *row, enum flows_by by, u64 now_ns,
		    u64 interval_ns)
{
	const struct flow *f = row->flow;
	char local[64], remote[64], key[96];
	size_t i;

	key_text(row, f ? FLOWS_BY_COMM : by, key, sizeof(key));
	/* what a spreadsheet would take for the end of a field, or for a formula */
	for (i = 0; key[i]; i++)
		if (strchr(",\"\n=+@", key[i]))
			key[i] = '_';
	if (f) {
		put_end(local, sizeof(local), f->addrs.local, f->addrs.lport);
		put_end(remote, sizeof(remote), f->addrs.remote, f->addrs.rport);
		strbuf_printf(sb, "%d,%s,%s,%s,%s", (int)row->pid, key, proto_name(f->addrs.proto),
			      local, remote);
	} else {
		strbuf_puts(sb, key);
	}
	strbuf_printf(sb, ",%llu,%llu,%llu,%llu,%llu,%llu,%u",
		      (unsigned long long)row->recent.rx_bytes,
		      (unsigned long long)row->recent.tx_bytes,
		      (unsigned long long)flows_per_second(row->recent.rx_bytes, interval_ns),
		      (unsigned long long)flows_per_second(row->recent.tx_bytes, interval_ns),
		      (unsigned long long)row->sum.rx_bytes, (unsigned long long)row->sum.tx_bytes,
		      row->sum.retransmits);
	if (f)
		strbuf_printf(sb, ",%u,%s,%.3f", f->rtt_us, render_flow_state(f),
			      (double)flows_age_ns(f, now_ns) / (double)NSEC_PER_SEC);
	strbuf_printf(sb, ",%s,%d\n", row->from_packets ? "packets" : "calls", row->inexact);
}

static void add_sums(struct json_object *obj, const char *key, const struct flow_sums *sums)
{
	struct json_object *o = json_object_new_object();

	json_add_u64(o, "rx", sums->rx_bytes);
	json_add_u64(o, "tx", sums->tx_bytes);
	json_add_u64(o, "rx_calls", sums->rx_calls);
	json_add_u64(o, "tx_calls", sums->tx_calls);
	json_add_u64(o, "retransmits", sums->retransmits);
	json_object_object_add(obj, key, o);
}

static void add_flow(struct json_object *obj, const struct flow *f, u64 now_ns)
{
	char addr[INET6_ADDRSTRLEN];

	json_add_u64(obj, "socket", f->number);
	json_add_word(obj, "protocol", proto_name(f->addrs.proto));
	if (f->addrs.family)
		json_add_u64(obj, "family", f->addrs.family);
	put_addr(addr, sizeof(addr), f->addrs.local);
	json_add_word(obj, "local", addr);
	json_add_u64(obj, "local_port", f->addrs.lport);
	put_addr(addr, sizeof(addr), f->addrs.remote);
	json_add_word(obj, "remote", addr);
	json_add_u64(obj, "remote_port", f->addrs.rport);
	json_add_word(obj, "state", render_flow_state(f));
	if (f->cookie)
		json_add_u64(obj, "cookie", f->cookie);
	if (f->netns)
		json_add_u64(obj, "netns", f->netns);
	if (f->inode)
		json_add_u64(obj, "inode", f->inode);
	if (f->rtt_us)
		json_add_u64(obj, "rtt_us", f->rtt_us);
	if (f->flags & FLOW_BIRTH_SEEN)
		json_add_u64(obj, "age_ns", flows_age_ns(f, now_ns));
	json_object_object_add(obj, "existed", json_object_new_boolean(f->flags & FLOW_EXISTED));
}

static void add_flag(struct json_object *obj, const char *name, bool value)
{
	json_object_object_add(obj, name, json_object_new_boolean(value));
}

static void add_owner(struct json_object *obj, s32 pid, const char *comm, size_t size)
{
	if (pid)
		json_add_u64(obj, "pid", (u64)pid);
	if (comm[0])
		json_add_text(obj, "comm", comm, strnlen(comm, size));
}

static int put_json(struct strbuf *sb, const struct flow_row *row, enum flows_by by, u64 now_ns,
		    u64 interval_ns)
{
	struct json_object *obj = json_object_new_object();
	char key[96];

	if (!obj)
		return -ENOMEM;
	json_add_u64(obj, "time_ns", now_ns);
	json_add_u64(obj, "interval_ns", interval_ns);
	if (row->flow) {
		add_owner(obj, row->pid, row->comm, sizeof(row->comm));
		add_flow(obj, row->flow, now_ns);
		if (is_kernels(row))
			json_object_object_add(obj, "kernel", json_object_new_boolean(true));
	} else {
		key_text(row, by, key, sizeof(key));
		json_add_text(obj, "group", key, strlen(key));
	}
	/* of a group only what is known of all sockets */
	if (row->flow || row->inexact)
		add_flag(obj, "inexact", row->inexact);
	if (row->netns_name)
		json_add_text(obj, "netns_name", row->netns_name, strlen(row->netns_name));
	add_sums(obj, "recent", &row->recent);
	add_sums(obj, "sum", &row->sum);
	if (row->from_packets)
		json_add_word(obj, "bytes_from", "packets");
	if (row->latency)
		json_object_object_add(obj, "latency", render_flow_latency_json(row->latency));
	return json_put_line(sb, obj);
}

static int put_node_json(struct strbuf *sb, const struct flowtree_node *node, u64 now_ns,
			 u64 interval_ns)
{
	struct json_object *obj = json_object_new_object();

	if (!obj)
		return -ENOMEM;
	json_add_u64(obj, "time_ns", now_ns);
	json_add_u64(obj, "interval_ns", interval_ns);
	add_owner(obj, node->pid, node->comm, sizeof(node->comm));
	if (node->parent)
		json_add_u64(obj, "parent", (u64)node->parent);
	json_add_u64(obj, "depth", node->depth);
	add_sums(obj, "recent", &node->recent);
	add_sums(obj, "sum", &node->sum);
	add_sums(obj, "recent_all", &node->recent_all);
	add_sums(obj, "sum_all", &node->sum_all);
	if (node->from_packets)
		json_add_word(obj, "bytes_from", "packets");
	return json_put_line(sb, obj);
}

void render_flows_tree_head(struct strbuf *sb, enum flows_format format)
{
	if (format == FLOWS_TEXT)
		strbuf_printf(sb, "%-40s %7s %7s %7s %7s %7s %7s %5s\n", "PROCESS", "RX", "TX",
			      "RX/s", "TX/s", "RX-SUM", "TX-SUM", "RETR");
}

int render_flows_node(struct strbuf *sb, const struct flowtree_node *node, enum flows_format format,
		      u64 now_ns, u64 interval_ns)
{
	struct strbuf key = STRBUF_INIT;
	struct flow_row row = { .recent = node->recent_all,
				.sum = node->sum_all,
				.from_packets = node->from_packets };
	size_t from = sb->len;
	int ret = 0;

	if (format == FLOWS_JSON)
		return put_node_json(sb, node, now_ns, interval_ns);
	strbuf_printf(&key, "%*s", (int)(2 * node->depth), "");
	if (node->pid)
		strbuf_printf(&key, "%d ", (int)node->pid);
	if (node->comm[0])
		strbuf_put_escaped(&key, node->comm, strnlen(node->comm, sizeof(node->comm)));
	else
		strbuf_puts(&key, "-");
	strbuf_printf(sb, "%-40s", strbuf_cstr(&key));
	put_cells(sb, from, &row, FLOWS_COL_RX, FLOWS_BY_PID, now_ns, interval_ns);
	strbuf_putc(sb, '\n');
	ret = sb->failed || key.failed ? -ENOMEM : 0;
	strbuf_free(&key);
	return ret;
}

int render_flows_row(struct strbuf *sb, const struct flow_row *row, enum flows_by by,
		     enum flows_format format, u64 now_ns, u64 interval_ns)
{
	if (format == FLOWS_JSON)
		return put_json(sb, row, by, now_ns, interval_ns);
	if (format == FLOWS_CSV)
		put_csv(sb, row, by, now_ns, interval_ns);
	else
		put_text(sb, row, by, now_ns, interval_ns);
	return sb->failed ? -ENOMEM : 0;
}

static const char *news_word(enum flow_news news)
{
	switch (news) {
	case FLOW_NEWS_LISTENS:
		return "listen";
	case FLOW_NEWS_CONNECTS:
		return "connecting";
	case FLOW_NEWS_CONNECTED:
		return "connect";
	case FLOW_NEWS_ACCEPTED:
		return "accept";
	case FLOW_NEWS_FAILED:
		return "failed";
	case FLOW_NEWS_ENDED:
		return "close";
	case FLOW_NO_NEWS:
		break;
	}
	return NULL;
}

int render_flows_news(struct strbuf *sb, const struct flow *f, enum flow_news news, u64 ts_ns,
		      s32 pid, const char *comm, enum flows_format format)
{
	const char *word = news_word(news), *mark;
	char local[64], remote[64];
	struct json_object *obj;

	if (!word)
		return 0;
	if (format == FLOWS_JSON) {
		obj = json_object_new_object();
		if (!obj)
			return -ENOMEM;
		json_add_word(obj, "event", word);
		json_add_u64(obj, "time_ns", ts_ns);
		add_owner(obj, pid, comm, 16);
		add_flow(obj, f, ts_ns);
		add_flag(obj, "inexact", f->flags & FLOW_INEXACT);
		add_sums(obj, "sum", &f->sum);
		if (f->flags & FLOW_FROM_PACKETS)
			json_add_word(obj, "bytes_from", "packets");
		return json_put_line(sb, obj);
	}
	put_end(local, sizeof(local), f->addrs.local, f->addrs.lport);
	put_end(remote, sizeof(remote), f->addrs.remote, f->addrs.rport);
	strbuf_printf(sb, "%llu.%06u %-10s %-5s %-21s %-21s",
		      (unsigned long long)(ts_ns / NSEC_PER_SEC),
		      (unsigned)(ts_ns % NSEC_PER_SEC / NSEC_PER_USEC), word,
		      proto_name(f->addrs.proto), local, remote);
	if (pid)
		strbuf_printf(sb, " pid %d", (int)pid);
	if (comm[0]) {
		strbuf_putc(sb, ' ');
		strbuf_put_escaped(sb, comm, strnlen(comm, 16));
	}
	if (news == FLOW_NEWS_ENDED) {
		mark = f->flags & FLOW_INEXACT ? ">" : f->flags & FLOW_FROM_PACKETS ? "~" : "";
		strbuf_printf(sb, " rx %s%llu B tx %s%llu B", mark,
			      (unsigned long long)f->sum.rx_bytes, mark,
			      (unsigned long long)f->sum.tx_bytes);
		if (flows_age_ns(f, ts_ns))
			strbuf_printf(sb, " after %.3f s",
				      (double)flows_age_ns(f, ts_ns) / (double)NSEC_PER_SEC);
	}
	strbuf_putc(sb, '\n');
	return sb->failed ? -ENOMEM : 0;
}
