// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A path as text: a header line, a line for each hop, an end line; or one line (--brief).
 *
 *	#1  IPv4  98 bytes  from ping[3302]  462.928225 s
 *	     0 ns    host  br0    →  net_dev_queue, xmit after 1.42 µs
 *	  8.02 µs    host  veth1  →  net_dev_queue, xmit after 980 ns
 *	  3.04 µs  ⇒ web   eth0   ←  netif_rx
 *	  7.11 µs    web   eth0   ←  netif_receive_skb
 *	  18.0 µs  delivered: used up in icmp_rcv+0x259      total 43.1 µs, 4 hops, complete
 *
 * On a wide terminal each hop has its CPU and length too; on a narrow one long names are cut.
 *
 * With probes the head line says what the packet is, functions of the stack that had it stand behind the
 * event at the same device, and what changed in it has a line of its own.
 *
 * A tilde marks headers that are not of a probe but of a packet socket's frame, joined by time (--tap): in
 * the head line, and behind each hop that has a frame of its own.
 *
 * An asterisk marks addresses that a tracepoint told, and nothing else is known of such a packet: in the head
 * line, which says them of the whole path, and behind the event that told them.
 *
 * Times are since the line above. Nothing is printed that no record says: a netns that could not be
 * placed is "?", records that belong together (entry and event, queue and xmit) share a line unless
 * the style is verbose.
 */
#include <stdio.h>

#include "analysis/changes.h"
#include "decode/packet_text.h"
#include "render/chain.h"
#include "render/fmt.h"
#include "render/text_internal.h"

/* Columns that a name of a netns may take before it is let run over. */
#define MAX_NETNS_COLUMN 24
/* What is left of names at least, where they have to be cut. */
#define MIN_NAME_COLUMN 5
/* Terminals from here on have room for a column with the CPU and one with the length. */
#define WIDE_COLUMNS 110
static bool is_receive(u8 kind)
{
	return kind >= EVENT_RX_ENTRY && kind <= EVENT_RECEIVE;
}

static bool is_station(u8 kind)
{
	return kind >= EVENT_QUEUE && kind <= EVENT_RECEIVE && kind != EVENT_XMIT;
}

/* Whether @hop is told by the line of the hop before it or after it. */
static bool folds(const struct path *path, u32 i)
{
	const struct hop *hop = &path->hops[i], *next = i + 1 < path->nr_hops ? hop + 1 : NULL;

	switch (hop->kind) {
	case EVENT_START_XMIT:
		return i && hop[-1].kind == EVENT_QUEUE && hop[-1].dev == hop->dev;
	case EVENT_RX_ENTRY:
		return next && next->kind == EVENT_RX && next->dev == hop->dev;
	case EVENT_RECEIVE_ENTRY:
		return next && next->kind == EVENT_RECEIVE && next->dev == hop->dev;
	case EVENT_XMIT:
		return hop->ret == 0;
	case EVENT_COPY:
	case EVENT_CONSUME:
	case EVENT_DROP:
		return true; /* the end line */
	case EVENT_HOOK:
	case EVENT_TABLE:
		return true; /* a verdict other than to go on is told at the end */
	default:
		return false;
	}
}

static const char *netns_name(struct text *t, const struct hop *hop)
{
	const struct netns *ns = t->names->topology ? topology_netns(t->names->topology, hop) :
						      NULL;

	if (ns || !hop->netns_inum)
		return ns ? ns->name : NULL;
	/* Younger than the snapshot. */
	snprintf(t->netns_text, sizeof(t->netns_text), "netns:%u", hop->netns_inum);
	return t->netns_text;
}

static void widen(int *width, int columns)
{
	if (columns > *width)
		*width = columns;
}

static int digits(u32 value)
{
	int n = 1;

	for (; value >= 10; value /= 10)
		n++;
	return n;
}

static void measure(struct text *t)
{
	const struct hop *hop, *before = NULL;
	const char *ns;
	u32 i;

	for (i = 0; i < t->path->nr_hops; i++) {
		hop = &t->path->hops[i];
		if (t->style->width >= WIDE_COLUMNS) {
			widen(&t->cpu_width, digits(hop->cpu));
			widen(&t->len_width, hop->has & EVENT_HAS_LEN ? digits(hop->len_bytes) : 1);
		}
		if ((!hop->dev && !hop->netns) ||
		    (before && before->dev == hop->dev && before->netns == hop->netns))
			continue;
		before = hop;
		if (hop->dev)
			widen(&t->dev_width,
			      text_columns(devnames_text(&t->names->schema->devs, hop->dev),
					   t->style->utf8));
		ns = netns_name(t, hop);
		if (ns)
			widen(&t->netns_widest, text_columns(ns, t->style->utf8));
	}
	t->netns_width = t->netns_widest < MAX_NETNS_COLUMN ? t->netns_widest : MAX_NETNS_COLUMN;
}

static bool in_interrupt(const struct hop *hop)
{
	return hop->context & (EVENT_IN_SOFTIRQ | EVENT_IN_HARDIRQ);
}

/* What the packet is, as it was first seen. False when nobody told. */
static bool put_packet(struct text *t)
{
	const struct packet *packet = path_packet(t->path);

	if (!packet)
		return false;
	if (t->path->told_by)
		strbuf_putc(t->sb, '*');
	else if (t->path->tapped)
		strbuf_putc(t->sb, '~');
	packet_describe(t->sb, packet);
	return true;
}

static void put_proto(struct text *t)
{
	const char *name = render_proto(t->path->proto);

	if (put_packet(t)) {
		return;
	} else if (name) {
		strbuf_puts(t->sb, name);
	} else if (t->path->proto) {
		strbuf_puts(t->sb, "protocol ");
		strbuf_put_hex(t->sb, t->path->proto);
	} else {
		strbuf_puts(t->sb, "packet");
	}
}

static void put_len(struct text *t, const char *unit)
{
	const struct packet *packet = path_packet(t->path);
	u32 i;

	if (packet && !packet->net[0].only_tuple)
		return; /* its own words say so */
	for (i = 0; i < t->path->nr_hops; i++) {
		if (!(t->path->hops[i].has & EVENT_HAS_LEN))
			continue;
		strbuf_puts(t->sb, "  ");
		strbuf_put_u64(t->sb, t->path->hops[i].len_bytes);
		strbuf_puts(t->sb, unit);
		return;
	}
}

/* Who sent it, as far as the first event tells. */
static void put_origin(struct text *t, const struct hop *first)
{
	if (is_receive(first->kind)) {
		strbuf_puts(t->sb, "  first seen received");
	} else if (!(first->context & EVENT_CONTEXT_KNOWN)) {
		return;
	} else if (in_interrupt(first) && t->path->birth_pid > 0) {
		strbuf_puts(t->sb, "  queued by ");
		text_task(t, t->path->birth_pid);
	} else if (in_interrupt(first)) {
		strbuf_puts(t->sb, "  sent in softirq");
	} else {
		strbuf_puts(t->sb, "  from ");
		text_task(t, first->pid);
	}
}

static void put_header(struct text *t)
{
	size_t from = t->sb->len;

	color(t, COLOR_BOLD);
	strbuf_putc(t->sb, '#');
	strbuf_put_u64(t->sb, t->path->number);
	strbuf_puts(t->sb, "  ");
	put_proto(t);
	color(t, COLOR_RESET);
	put_len(t, " bytes");
	put_origin(t, &t->path->hops[0]);
	strbuf_puts(t->sb, "  ");
	color(t, COLOR_DIM);
	fmt_seconds(t->sb, t->path->first_ns);
	if (t->style->verbose) {
		strbuf_puts(t->sb, "  skb ");
		strbuf_put_hex(t->sb, t->path->skb);
	}
	color(t, COLOR_RESET);
	if (t->style->width)
		text_wrap(t->sb, from, t->style->width, 4);
	strbuf_putc(t->sb, '\n');
	text_parents(t);
}

/* The first device that it was given to. */
static const struct hop *first_station(const struct path *path)
{
	u32 i;

	for (i = 0; i < path->nr_hops; i++)
		if (is_station(path->hops[i].kind) && path->hops[i].dev)
			return &path->hops[i];
	return NULL;
}

/* connect → inet_stream_connect → tcp_v4_connect → tcp_connect → … → net_dev_queue lo */
static void put_chain(struct text *t)
{
	const struct chain *chain = chains_get(t->names->chains, t->path->chain);
	struct chain_part part = render_chain_part(chain, t->names);
	const char *arrow = t->style->utf8 ? " → " : " -> ";
	const struct hop *hop = first_station(t->path);
	const struct event_type *type;
	size_t from = t->sb->len;

	if (part.begin == part.end)
		return;
	strbuf_pad(t->sb, TEXT_END_INDENT);
	if (render_chain_text(t->sb, chain, part, t->names, t->style->verbose, t->style->utf8)) {
		strbuf_puts(t->sb, arrow);
		strbuf_puts(t->sb, t->style->utf8 ? "…" : "...");
	}
	if (hop) {
		type = &t->names->schema->types[hop->type];
		strbuf_puts(t->sb, arrow);
		strbuf_put(t->sb, type->name, type->name_len);
		strbuf_putc(t->sb, ' ');
		put_name(t, devnames_text(&t->names->schema->devs, hop->dev));
	}
	text_end_below(t, from);
}

/* Clocks of CPUs may be a little apart. */
static u64 since(u64 from_ns, u64 to_ns)
{
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

/* Time since the line above. */
static void put_delta(struct text *t, u64 ts_ns)
{
	strbuf_puts(t->sb, "  ");
	color(t, COLOR_DIM);
	fmt_duration(t->sb, since(t->last_ns, ts_ns), t->style->utf8, true);
	color(t, COLOR_RESET);
	t->last_ns = ts_ns;
}

static void put_wide(struct text *t, const struct hop *hop)
{
	if (!t->cpu_width)
		return;
	strbuf_puts(t->sb, "  cpu ");
	strbuf_put_u64(t->sb, hop->cpu);
	strbuf_pad(t->sb, t->cpu_width - digits(hop->cpu) + 2);
	if (!(hop->has & EVENT_HAS_LEN)) {
		strbuf_pad(t->sb, t->len_width + 2);
		return;
	}
	strbuf_pad(t->sb, t->len_width - digits(hop->len_bytes));
	strbuf_put_u64(t->sb, hop->len_bytes);
	strbuf_puts(t->sb, " B");
}

static void put_netns(struct text *t, const struct hop *hop)
{
	const char *ns = netns_name(t, hop);
	bool crossed = hop->netns && t->last_netns && hop->netns != t->last_netns;
	int columns = 0;

	if (crossed) {
		color(t, COLOR_CYAN);
		strbuf_puts(t->sb, t->style->utf8 ? " ⇒ " : " > ");
		color(t, COLOR_RESET);
	} else {
		strbuf_puts(t->sb, "   ");
	}
	if (hop->netns)
		t->last_netns = hop->netns;
	if (!t->netns_width)
		return;
	if (ns || hop->dev)
		columns =
			text_put(t->sb, ns ? ns : "?", t->style->utf8, t->cut ? t->netns_width : 0);
	strbuf_pad(t->sb, t->netns_width - columns + 2);
}

static void put_device(struct text *t, const struct hop *hop)
{
	const char *arrow = "   ";
	int columns = 0;

	if (hop->dev)
		columns = text_put(t->sb, devnames_text(&t->names->schema->devs, hop->dev),
				   t->style->utf8, t->cut ? t->dev_width : 0);
	strbuf_pad(t->sb, t->dev_width - columns + 2);
	if (hop->dev && hop->kind < EVENT_NOTE)
		arrow = is_receive(hop->kind) ? t->style->utf8 ? "←  " : "<- " :
			t->style->utf8	      ? "→  " :
						"-> ";
	strbuf_puts(t->sb, arrow);
}

/* What else the event says; with -v everything that has no column. */
static void put_details(struct text *t, u32 i)
{
	const struct hop *hop = &t->path->hops[i];
	bool tapped = hop->tapped;

	if (hop->kind == EVENT_XMIT && hop->ret) {
		strbuf_puts(t->sb, ", returned ");
		if (hop->ret < 0)
			strbuf_putc(t->sb, '-');
		strbuf_put_u64(t->sb, (u64)(hop->ret < 0 ? -(s64)hop->ret : hop->ret));
		if (hop->ret == 16)
			strbuf_puts(t->sb, " (device busy)");
	}
	if (!t->style->verbose && hop->kind == EVENT_QUEUE && i + 1 < t->path->nr_hops &&
	    folds(t->path, i + 1) && hop[1].kind == EVENT_START_XMIT) {
		strbuf_puts(t->sb, ", xmit after ");
		fmt_duration(t->sb, since(hop->ts_ns, hop[1].ts_ns), t->style->utf8, false);
		tapped |= hop[1].tapped;
	}
	if (tapped)
		strbuf_puts(t->sb, "  ~");
	else if (hop->told)
		strbuf_puts(t->sb, "  *");
	if (!t->style->verbose)
		return;
	if (hop->has & EVENT_HAS_LEN && !t->cpu_width) {
		strbuf_puts(t->sb, "  len ");
		strbuf_put_u64(t->sb, hop->len_bytes);
	}
	if (hop->has & EVENT_HAS_COOKIE) {
		strbuf_puts(t->sb, "  net_cookie ");
		strbuf_put_u64(t->sb, hop->netns_cookie);
	}
	if (!t->cpu_width) {
		strbuf_puts(t->sb, "  cpu ");
		strbuf_put_u64(t->sb, hop->cpu);
	}
}

static void put_filter(struct text *t, const struct hop *hop)
{
	const struct hop_filter *filter = hop_filter_of(hop);

	if (!filter)
		return;
	strbuf_puts(t->sb, "  ");
	text_filter(t, hop);
	if (filter->in) {
		strbuf_puts(t->sb, ", in ");
		put_name(t, devnames_text(&t->names->schema->devs, filter->in));
	}
	if (filter->out) {
		strbuf_puts(t->sb, ", out ");
		put_name(t, devnames_text(&t->names->schema->devs, filter->out));
	}
	if (filter->function) {
		strbuf_puts(t->sb, ", first hook ");
		render_location(t->sb, filter->function, t->names);
	}
}

static void end_line(struct text *t)
{
	struct strbuf before;

	if (!t->line_open)
		return;
	if (t->chained && t->style->width) {
		/* What follows a break stands below the first function's name. */
		before = *t->sb;
		before.len = t->name_from;
		text_wrap(t->sb, t->line_from, t->style->width, text_widest(&before, t->line_from));
	}
	strbuf_putc(t->sb, '\n');
	t->line_open = t->chained = false;
}

static void put_hop(struct text *t, u32 i)
{
	const struct hop *hop = &t->path->hops[i];
	const struct event_type *type = &t->names->schema->types[hop->type];

	end_line(t);
	t->line_open = true;
	t->line_from = t->sb->len;
	t->line_hop = hop;
	put_delta(t, hop->ts_ns);
	put_wide(t, hop);
	put_netns(t, hop);
	put_device(t, hop);
	t->name_from = t->sb->len;
	if (hop->kind == EVENT_NOTE)
		strbuf_put(t->sb, type->title, type->title_len);
	else
		strbuf_put(t->sb, type->name, type->name_len);
	put_details(t, i);
	if (t->style->verbose)
		put_filter(t, hop);
	t->lines += is_station(hop->kind);
}

/* A function of the stack that had the packet at the device of the line. */
static bool continues_line(const struct text *t, const struct hop *hop)
{
	return !t->style->verbose && hop->kind == EVENT_LAYER && t->line_open &&
	       (!hop->dev || hop->dev == t->line_hop->dev || !t->line_hop->dev) &&
	       (!hop->netns || !t->line_hop->netns || hop->netns == t->line_hop->netns);
}

static void put_function(struct text *t, const struct hop *hop)
{
	const struct event_type *type = &t->names->schema->types[hop->type];

	strbuf_puts(t->sb, ", ");
	strbuf_put(t->sb, type->name, type->name_len);
	t->chained = true;
}

/* A line of its own for what became of the packet: below the hop where it was seen first. */
static void put_changes(struct text *t, const struct packet_view *before,
			const struct packet_view *after)
{
	u32 bits = packet_changes(&before->packet, &after->packet), kind;
	bool mark = before->has_mark && after->has_mark && before->mark != after->mark;
	size_t from;

	for (kind = 0; kind < CHANGE_KINDS; kind++) {
		if (!(bits & 1u << kind))
			continue;
		end_line(t);
		from = t->sb->len;
		strbuf_pad(t->sb, TEXT_END_INDENT);
		text_change(t, 1u << kind, &before->packet, &after->packet);
		text_end_below(t, from);
	}
	if (!mark)
		return;
	end_line(t);
	strbuf_pad(t->sb, TEXT_END_INDENT);
	strbuf_puts(t->sb, "mark ");
	strbuf_put_hex(t->sb, after->mark);
	strbuf_putc(t->sb, '\n');
}

static void put_hops(struct text *t)
{
	const struct packet_view *view = NULL;
	const struct hop *hop;
	u32 i;

	t->last_ns = t->path->first_ns;
	t->last_netns = 0;
	t->lines = 0;
	for (i = 0; i < t->path->nr_hops; i++) {
		hop = &t->path->hops[i];
		if (view && hop->view && hop->view != view)
			put_changes(t, view, hop->view);
		if (hop->view)
			view = hop->view;
		if (t->style->verbose ? hop->kind == EVENT_DROP : folds(t->path, i))
			continue;
		if (continues_line(t, hop))
			put_function(t, hop);
		else
			put_hop(t, i);
	}
	end_line(t);
}

/* Make the columns of names so much narrower, the wider one first. */
static void narrow(struct text *t, int excess)
{
	if (!t->cut && t->netns_widest > t->netns_width)
		excess -= t->netns_widest - t->netns_width;
	t->cut = true;
	for (; excess > 0; excess--) {
		if (t->netns_width > MIN_NAME_COLUMN && t->netns_width >= t->dev_width)
			t->netns_width--;
		else if (t->dev_width > MIN_NAME_COLUMN)
			t->dev_width--;
		else
			return;
	}
}

/* Long names are cut where a line would not fit; the usual path is written once. */
static void fit_hops(struct text *t)
{
	size_t from = t->sb->len;
	int tries, excess;

	put_hops(t);
	for (tries = 0; t->style->width && tries < 3; tries++) {
		excess = text_widest(t->sb, from) - t->style->width;
		if (excess <= 0)
			return;
		narrow(t, excess);
		t->sb->len = from;
		put_hops(t);
	}
}

/* From the first event to the end. */
static u64 total_ns(const struct text *t)
{
	if (t->path->end_hop >= 0)
		return since(t->path->first_ns, t->path->hops[t->path->end_hop].ts_ns);
	return since(t->path->first_ns, t->path->last_ns);
}

static void put_end(struct text *t)
{
	const struct hop *end = t->path->end_hop >= 0 ? &t->path->hops[t->path->end_hop] : NULL;
	size_t from = t->sb->len;

	if (end || t->path->state == PATH_DELIVERED) {
		/* Of one that only its death tells of, that is the last thing known. */
		put_delta(t, end ? end->ts_ns : t->path->last_ns);
		strbuf_puts(t->sb, "   ");
	} else {
		strbuf_pad(t->sb, TEXT_END_INDENT);
	}
	text_state(t, end);
	text_gap(t);
	if (t->style->width)
		text_wrap(t->sb, from, t->style->width, TEXT_END_INDENT);
	strbuf_putc(t->sb, '\n');
	strbuf_pad(t->sb, TEXT_END_INDENT);
	color(t, COLOR_DIM);
	strbuf_puts(t->sb, "total ");
	fmt_duration(t->sb, total_ns(t), t->style->utf8, false);
	strbuf_puts(t->sb, ", ");
	strbuf_put_u64(t->sb, t->lines);
	strbuf_puts(t->sb, t->lines == 1 ? " hop" : " hops");
	if (t->path->cut_hops) {
		strbuf_puts(t->sb, " and ");
		strbuf_put_u64(t->sb, t->path->cut_hops);
		strbuf_puts(t->sb, " more events not kept");
	}
	if (t->path->complete == PATH_COMPLETE)
		strbuf_puts(t->sb, ", complete");
	color(t, COLOR_RESET);
	strbuf_putc(t->sb, '\n');
	text_children(t);
	strbuf_putc(t->sb, '\n');
}

/* host:br0 → host:veth1 ⇒ web:eth0, every device once. */
static void put_brief_stations(struct text *t)
{
	const struct hop *hop, *before = NULL;
	const char *ns;
	u32 i;

	for (i = 0; i < t->path->nr_hops; i++) {
		hop = &t->path->hops[i];
		if (!is_station(hop->kind) || !hop->dev ||
		    (before && before->dev == hop->dev && before->netns == hop->netns))
			continue;
		if (!before)
			strbuf_puts(t->sb, "  ");
		else if (before->netns && hop->netns && before->netns != hop->netns)
			strbuf_puts(t->sb, t->style->utf8 ? " ⇒ " : " => ");
		else
			strbuf_puts(t->sb, t->style->utf8 ? " → " : " -> ");
		ns = netns_name(t, hop);
		if (ns) {
			put_name(t, ns);
			strbuf_putc(t->sb, ':');
		}
		put_name(t, devnames_text(&t->names->schema->devs, hop->dev));
		before = hop;
	}
}

static void put_brief(struct text *t)
{
	const struct hop *end = t->path->end_hop >= 0 ? &t->path->hops[t->path->end_hop] : NULL;

	strbuf_putc(t->sb, '#');
	strbuf_put_u64(t->sb, t->path->number);
	strbuf_putc(t->sb, ' ');
	put_proto(t);
	put_len(t, " B");
	put_brief_stations(t);
	strbuf_puts(t->sb, "  ");
	text_state(t, end);
	strbuf_puts(t->sb, "  ");
	fmt_duration(t->sb, total_ns(t), t->style->utf8, false);
	text_gap(t);
	strbuf_putc(t->sb, '\n');
}

void render_text(struct strbuf *sb, const struct path *path, const struct render_names *names,
		 const struct text_style *style)
{
	struct text t = { .sb = sb, .path = path, .names = names, .style = style };

	if (!path->nr_hops)
		return;
	if (style->brief) {
		put_brief(&t);
		return;
	}
	measure(&t);
	put_header(&t);
	put_chain(&t);
	fit_hops(&t);
	put_end(&t);
}
