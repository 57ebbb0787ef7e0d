// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The screen of flows: which rows are on it, in which order, and what keys do. See flows_screen.h.
 */
#include "render/flows_screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In the order in which the keys for left and right go through them. */
static const struct sort {
	u8 by;
	char key; /* 0: none */
	bool ascending;
	const char *name; /* NULL: that of the column */
} sorts[] = {
	{ FLOWS_SORT_TOTAL, 't', false, "RX+TX" },
	{ FLOWS_SORT_SUMS, 's', false, "RX-SUM+TX-SUM" },
	{ FLOWS_COL_KEY, 'k', true, NULL },
	{ FLOWS_COL_PID, 'p', true, NULL },
	{ FLOWS_COL_COMM, 'c', true, NULL },
	{ FLOWS_COL_PROTO, 0, true, NULL },
	{ FLOWS_COL_LOCAL, 'l', true, NULL },
	{ FLOWS_COL_REMOTE, 'm', true, NULL },
	{ FLOWS_COL_RX_RATE, 'r', false, NULL },
	{ FLOWS_COL_TX_RATE, 'x', false, NULL },
	{ FLOWS_COL_RX_SUM, 0, false, NULL },
	{ FLOWS_COL_TX_SUM, 0, false, NULL },
	{ FLOWS_COL_RETRANSMITS, 'e', false, NULL },
	{ FLOWS_COL_RTT, 'w', false, NULL },
	{ FLOWS_COL_STATE, 0, true, NULL },
	{ FLOWS_COL_AGE, 'a', false, NULL },
};

static size_t sort_place(const struct flows_screen *s)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sorts); i++)
		if (sorts[i].by == s->sort)
			return i;
	return 0;
}

const char *flows_screen_sort_name(const struct flows_screen *s)
{
	const struct sort *sort = &sorts[sort_place(s)];

	return sort->name ? sort->name : flows_column_name(sort->by, s->by);
}

static bool can_sort(const struct flows_screen *s, u8 by)
{
	return by >= FLOWS_COLUMNS || flows_column_of(by, s->by);
}

/* ---- order */

static int order_u64(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

static int order_end(const u8 *a, u16 a_port, const u8 *b, u16 b_port)
{
	int order = memcmp(a, b, 16);

	return order ? order : order_u64(a_port, b_port);
}

static int order_key(const struct flow_row *a, const struct flow_row *b)
{
	int order = order_u64(a->others, b->others);

	if (!order)
		order = order_u64((u64)a->pid, (u64)b->pid);
	if (!order)
		order = memcmp(a->comm, b->comm, sizeof(a->comm));
	if (!order)
		order = order_u64(a->netns, b->netns);
	if (!order)
		order = order_u64(a->proto, b->proto);
	return order ? order : order_end(a->host, a->port, b->host, b->port);
}

/* By a column that only sockets have. */
static int order_sockets(const struct flow_row *a, const struct flow_row *b, u8 by, u64 now_ns)
{
	const struct sock_addrs *x = &a->flow->addrs, *y = &b->flow->addrs;

	switch (by) {
	case FLOWS_COL_PID:
		return order_u64((u64)a->pid, (u64)b->pid);
	case FLOWS_COL_COMM:
		return memcmp(a->comm, b->comm, sizeof(a->comm));
	case FLOWS_COL_PROTO:
		return order_u64(x->proto, y->proto);
	case FLOWS_COL_LOCAL:
		return order_end(x->local, x->lport, y->local, y->lport);
	case FLOWS_COL_REMOTE:
		return order_end(x->remote, x->rport, y->remote, y->rport);
	case FLOWS_COL_RTT:
		return order_u64(a->flow->rtt_us, b->flow->rtt_us);
	case FLOWS_COL_STATE:
		return strcmp(render_flow_state(a->flow), render_flow_state(b->flow));
	case FLOWS_COL_AGE:
		return order_u64(flows_age_ns(a->flow, now_ns), flows_age_ns(b->flow, now_ns));
	}
	return 0;
}

static int order_rows(const struct flow_row *a, const struct flow_row *b, u8 by, u64 now_ns)
{
	switch (by) {
	case FLOWS_COL_RX:
	case FLOWS_COL_RX_RATE:
		return order_u64(a->recent.rx_bytes, b->recent.rx_bytes);
	case FLOWS_COL_TX:
	case FLOWS_COL_TX_RATE:
		return order_u64(a->recent.tx_bytes, b->recent.tx_bytes);
	case FLOWS_COL_RX_SUM:
		return order_u64(a->sum.rx_bytes, b->sum.rx_bytes);
	case FLOWS_COL_TX_SUM:
		return order_u64(a->sum.tx_bytes, b->sum.tx_bytes);
	case FLOWS_COL_RETRANSMITS:
		return order_u64(a->sum.retransmits, b->sum.retransmits);
	case FLOWS_COL_KEY:
		return order_key(a, b);
	case FLOWS_SORT_TOTAL:
		return order_u64(a->recent.rx_bytes + a->recent.tx_bytes,
				 b->recent.rx_bytes + b->recent.tx_bytes);
	case FLOWS_SORT_SUMS:
		return order_u64(a->sum.rx_bytes + a->sum.tx_bytes,
				 b->sum.rx_bytes + b->sum.tx_bytes);
	default:
		return order_sockets(a, b, by, now_ns);
	}
}

/* What is equal stays in an order of its own, so that rows do not change places for nothing. */
static int compare(const void *va, const void *vb, void *ctx)
{
	const struct flows_screen *s = ctx;
	const struct flow_row *a = va, *b = vb;
	bool ascending = sorts[sort_place(s)].ascending != s->reverse;
	int order = order_rows(a, b, s->sort, s->now_ns);

	if (order)
		return ascending ? order : -order;
	if (s->sort != FLOWS_SORT_TOTAL)
		order = order_rows(b, a, FLOWS_SORT_TOTAL, s->now_ns);
	if (!order && a->flow && b->flow)
		order = order_u64(a->flow->number, b->flow->number);
	return order ? order : order_key(a, b);
}

static int compare_shown(const void *va, const void *vb, void *ctx)
{
	const struct flows_screen *s = ctx;

	return compare(&s->row[*(const u32 *)va].row, &s->row[*(const u32 *)vb].row, ctx);
}

/* ---- which rows */

static bool matches(const struct flows_screen *s, const struct flow_row *row, struct strbuf *cell)
{
	static const u8 searched[] = { FLOWS_COL_KEY,	FLOWS_COL_PID,	 FLOWS_COL_COMM,
				       FLOWS_COL_PROTO, FLOWS_COL_LOCAL, FLOWS_COL_REMOTE,
				       FLOWS_COL_STATE };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(searched); i++) {
		if (!flows_column_of(searched[i], s->by))
			continue;
		cell->len = 0;
		flows_cell(cell, row, searched[i], s->by, s->now_ns, s->interval_ns, s->utf8);
		if (strcasestr(strbuf_cstr(cell), s->filter))
			return true;
	}
	return false;
}

static void arrange(struct flows_screen *s)
{
	struct strbuf cell = STRBUF_INIT;
	size_t i;

	s->nr_shown = 0;
	for (i = 0; i < s->nr; i++)
		if (!s->filter[0] || matches(s, &s->row[i].row, &cell))
			s->shown[s->nr_shown++] = (u32)i;
	strbuf_free(&cell);
	if (s->nr_shown)
		qsort_r(s->shown, s->nr_shown, sizeof(*s->shown), compare_shown, s);
}

static void keep_row(struct flows_screen_row *to, const struct flow_row *from)
{
	to->row = *from;
	if (!from->flow)
		return;
	if (from->flow != &to->flow)
		to->flow = *from->flow;
	to->row.flow = &to->flow;
}

static bool same_row(const struct flow_row *a, const struct flow_row *b, enum flows_by by)
{
	if (a->flow && b->flow)
		return a->flow->number == b->flow->number && a->pid == b->pid;
	return a->others == b->others && a->pid == b->pid && a->netns == b->netns &&
	       a->port == b->port && a->proto == b->proto &&
	       !memcmp(a->host, b->host, sizeof(a->host)) &&
	       (by != FLOWS_BY_COMM || !memcmp(a->comm, b->comm, sizeof(a->comm)));
}

ssize_t flows_screen_at(const struct flows_screen *s)
{
	size_t i;

	for (i = 0; s->has_selected && i < s->nr_shown; i++)
		if (same_row(&s->row[s->shown[i]].row, &s->selected.row, s->by))
			return (ssize_t)i;
	return -1;
}

static int make_room(struct flows_screen *s, size_t nr)
{
	if (nr <= s->room)
		return 0;
	free(s->row);
	free(s->shown);
	s->room = s->nr = s->nr_shown = 0;
	s->row = reallocarray(NULL, nr, sizeof(*s->row));
	s->shown = reallocarray(NULL, nr, sizeof(*s->shown));
	if (!s->row || !s->shown)
		return -ENOMEM;
	s->room = nr;
	return 0;
}

/* Of more rows than there is room for those that come first. */
static int keep_first(struct flows_screen *s, const struct flow_row *row, size_t nr, size_t keep)
{
	struct flow_row *sorted = reallocarray(NULL, nr, sizeof(*sorted));
	size_t i;

	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, row, nr * sizeof(*sorted));
	qsort_r(sorted, nr, sizeof(*sorted), compare, s);
	for (i = 0; i < keep; i++)
		keep_row(&s->row[i], &sorted[i]);
	free(sorted);
	return 0;
}

int flows_screen_rows(struct flows_screen *s, const struct flow_row *row, size_t nr, u64 now_ns,
		      u64 interval_ns)
{
	size_t keep = nr < FLOWS_SCREEN_ROWS ? nr : FLOWS_SCREEN_ROWS, i;
	ssize_t at;

	if (s->paused)
		return 0;
	if (make_room(s, keep))
		return -ENOMEM;
	s->any = true;
	s->given = nr;
	s->now_ns = now_ns;
	s->interval_ns = interval_ns;
	memset(&s->recent, 0, sizeof(s->recent));
	for (i = 0; i < nr; i++) {
		s->recent.rx_bytes += row[i].recent.rx_bytes;
		s->recent.tx_bytes += row[i].recent.tx_bytes;
	}
	if (keep < nr && keep_first(s, row, nr, keep))
		return -ENOMEM;
	for (i = 0; keep == nr && i < keep; i++)
		keep_row(&s->row[i], &row[i]);
	s->nr = keep;
	arrange(s);
	at = flows_screen_at(s);
	if (at >= 0)
		keep_row(&s->selected, &s->row[s->shown[at]].row);
	return 0;
}

void flows_screen_free(struct flows_screen *s)
{
	free(s->row);
	free(s->shown);
	memset(s, 0, sizeof(*s));
}

/* ---- where on the screen */

size_t flows_screen_body(const struct flows_screen *s)
{
	int others = 3 + (s->has_selected && s->lines >= 10 ? 2 : 0);

	return s->lines > others ? (size_t)(s->lines - others) : 0;
}

void flows_screen_scroll(struct flows_screen *s)
{
	size_t body = flows_screen_body(s);
	size_t last = s->nr_shown > body ? s->nr_shown - body : 0;
	ssize_t at = flows_screen_at(s);

	if (at >= 0 && (size_t)at < s->top)
		s->top = (size_t)at;
	if (at >= 0 && body && (size_t)at >= s->top + body)
		s->top = (size_t)at - body + 1;
	if (s->top > last)
		s->top = last;
}

/* Without a selected row up and down select one, and pages only scroll. */
static void move(struct flows_screen *s, ssize_t by, bool page)
{
	ssize_t at = flows_screen_at(s), last = (ssize_t)s->nr_shown - 1;
	ssize_t to = at < 0 ? (ssize_t)s->top : at + by;

	if (last < 0)
		return;
	if (page && !s->has_selected) {
		to = (ssize_t)s->top + by;
		s->top = to < 0 ? 0 : (size_t)to;
	} else {
		to = to < 0 ? 0 : to > last ? last : to;
		keep_row(&s->selected, &s->row[s->shown[to]].row);
		s->has_selected = true;
	}
	flows_screen_scroll(s);
}

/* ---- keys */

static void set_sort(struct flows_screen *s, u8 by)
{
	s->reverse = false;
	s->sort = by;
	arrange(s);
}

static void next_sort(struct flows_screen *s, size_t step)
{
	size_t i = sort_place(s);

	do {
		i = (i + step) % ARRAY_SIZE(sorts);
	} while (!can_sort(s, sorts[i].by));
	set_sort(s, sorts[i].by);
}

static enum screen_action next_by(struct flows_screen *s)
{
	s->by = s->by == FLOWS_BY_NETNS ? FLOWS_BY_SOCKET : s->by + 1;
	if (!can_sort(s, s->sort))
		s->sort = FLOWS_SORT_TOTAL;
	/* rows of a pause are of another kind */
	s->paused = s->has_selected = s->any = false;
	s->nr = s->nr_shown = s->given = s->top = 0;
	return SCREEN_REGROUP;
}

static enum screen_action letter(struct flows_screen *s, int key)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sorts); i++)
		if (sorts[i].key == key && key && can_sort(s, sorts[i].by)) {
			set_sort(s, sorts[i].by);
			return SCREEN_REDRAW;
		}
	return SCREEN_NOTHING;
}

static enum screen_action edit(struct flows_screen *s, int key)
{
	size_t len = strlen(s->filter);

	if (key == SCREEN_KEY_ENTER) {
		s->editing = false;
	} else if (key == SCREEN_KEY_ESCAPE) {
		memcpy(s->filter, s->filter_before, sizeof(s->filter));
		s->editing = false;
	} else if (key == SCREEN_KEY_BACKSPACE) {
		while (len && ((u8)s->filter[--len] & 0xc0) == 0x80)
			;
		s->filter[len] = '\0';
	} else if (key == 'U' - '@') {
		s->filter[0] = '\0';
	} else if (key >= ' ' && key < 0x100 && key != 0x7f && len + 1 < sizeof(s->filter)) {
		s->filter[len] = (char)key;
		s->filter[len + 1] = '\0';
	} else {
		return SCREEN_NOTHING;
	}
	arrange(s);
	return SCREEN_REDRAW;
}

static enum screen_action command(struct flows_screen *s, int key)
{
	switch (key) {
	case 'q':
		return SCREEN_QUIT;
	case 'b':
		return next_by(s);
	case 'h':
	case '?':
		s->help = true;
		break;
	case ' ':
		s->paused = !s->paused;
		break;
	case '/':
		memcpy(s->filter_before, s->filter, sizeof(s->filter));
		s->editing = true;
		break;
	case 'R':
		s->reverse = !s->reverse;
		arrange(s);
		break;
	case SCREEN_KEY_LEFT:
	case '<':
		next_sort(s, ARRAY_SIZE(sorts) - 1);
		break;
	case SCREEN_KEY_RIGHT:
	case '>':
		next_sort(s, 1);
		break;
	case SCREEN_KEY_ESCAPE:
		s->has_selected = false;
		break;
	default:
		return letter(s, key);
	}
	return SCREEN_REDRAW;
}

enum screen_action flows_screen_key(struct flows_screen *s, int key)
{
	ssize_t page = (ssize_t)flows_screen_body(s), all = (ssize_t)s->nr_shown;

	s->message[0] = '\0';
	if (s->editing)
		return edit(s, key);
	if (s->help && key != 'q') {
		s->help = false;
		return SCREEN_REDRAW;
	}
	switch (key) {
	case SCREEN_KEY_UP:
		move(s, -1, false);
		return SCREEN_REDRAW;
	case SCREEN_KEY_DOWN:
		move(s, 1, false);
		return SCREEN_REDRAW;
	case SCREEN_KEY_PAGE_UP:
		move(s, -page, true);
		return SCREEN_REDRAW;
	case SCREEN_KEY_PAGE_DOWN:
		move(s, page, true);
		return SCREEN_REDRAW;
	case SCREEN_KEY_HOME:
		move(s, -all, true);
		return SCREEN_REDRAW;
	case SCREEN_KEY_END:
		move(s, all, true);
		return SCREEN_REDRAW;
	default:
		return command(s, key);
	}
}
