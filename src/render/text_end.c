// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a path ended, in the words of its end line: what is known, from which record, and what is not.
 */
#include "analysis/changes.h"
#include "decode/packet_text.h"
#include "render/fmt.h"
#include "render/text_internal.h"

/* Of many packets of one relation so many are named. */
#define MAX_NUMBERS 12

void text_task(struct text *t, s32 pid)
{
	const char *comm = t->names->comms ? comms_find(t->names->comms, pid) : NULL;

	if (comm)
		put_name(t, comm);
	else
		strbuf_puts(t->sb, pid ? "pid" : "idle");
	strbuf_putc(t->sb, '[');
	strbuf_put_u64(t->sb, (u32)pid);
	strbuf_putc(t->sb, ']');
}

/* The device a packet was sent on last. */
static u16 last_tx_dev(const struct path *path)
{
	u32 i;

	for (i = path->nr_hops; i-- > 0;)
		if (path->hops[i].kind == EVENT_QUEUE || path->hops[i].kind == EVENT_START_XMIT)
			return path->hops[i].dev;
	return 0;
}

static void put_drop(struct text *t, const struct hop *hop)
{
	const char *reason = NULL;

	if (hop->has & EVENT_HAS_REASON) {
		reason = schema_reason(&t->names->schema->types[hop->type], hop->reason);
		strbuf_puts(t->sb, ": ");
		if (reason)
			put_name(t, reason);
		else
			strbuf_put_hex(t->sb, hop->reason);
	}
	if (hop->has & EVENT_HAS_LOCATION) {
		strbuf_puts(t->sb, " in ");
		render_location(t->sb, hop->location, t->names);
	}
}

/* The netfilter hook behind a drop. */
static void put_drop_hook(struct text *t)
{
	const struct hop *hook, *table;
	const char *word;

	if (t->path->end_filter < 0 || (u32)t->path->end_filter >= t->path->nr_hops)
		return;
	hook = &t->path->hops[t->path->end_filter];
	if (!hop_filter_of(hook))
		return;
	strbuf_puts(t->sb, ", netfilter ");
	word = render_hook_family(hop_filter_of(hook)->pf);
	if (word) {
		strbuf_puts(t->sb, word);
		strbuf_putc(t->sb, ' ');
	}
	word = render_hook(hop_filter_of(hook)->pf, hop_filter_of(hook)->hook);
	strbuf_puts(t->sb, word ? word : "hook");
	if (!word) {
		strbuf_putc(t->sb, ' ');
		strbuf_put_u64(t->sb, hop_filter_of(hook)->hook);
	}
	table = path_dropping_table(t->path);
	if (table && hop_filter_of(table)->table) {
		strbuf_puts(t->sb, ", ");
		text_filter(t, table);
	}
}

static void put_delivered(struct text *t, const struct hop *end)
{
	u32 i;

	if (t->path->raw_copy) {
		strbuf_puts(t->sb, ": a raw socket's copy read by ");
		text_task(t, t->path->raw_pid);
		if (!t->style->brief && !t->path->raw_exact)
			strbuf_puts(t->sb, ", matched by length and time");
		return;
	}
	for (i = t->path->nr_hops; i-- > 0;) {
		if (t->path->hops[i].kind != EVENT_COPY)
			continue;
		strbuf_puts(t->sb, ": read by ");
		text_task(t, t->path->hops[i].pid);
		return;
	}
	strbuf_puts(t->sb,
		    t->path->acted_on ? ": acted on by the kernel" : ": used up by the kernel");
	if (end && end->has & EVENT_HAS_LOCATION) {
		strbuf_puts(t->sb, " in ");
		render_location(t->sb, end->location, t->names);
	}
}

/* Why the end is not known: what a person would ask next. */
static void put_unknown(struct text *t, const struct hop *end)
{
	if (end && end->kind == EVENT_DROP && t->path->free_site == FREE_SITE_TCP) {
		strbuf_puts(t->sb, ": TCP was done with it, used or not");
		put_drop(t, end);
		return;
	}
	if (end && end->kind == EVENT_DROP) {
		strbuf_puts(t->sb, ": no ping socket took it, a raw socket may have");
		put_drop(t, end);
		return;
	}
	if (end) {
		strbuf_puts(t->sb, ": freed");
		put_drop(t, end);
		return;
	}
	switch (t->path->stage) {
	case STAGE_STACK:
		strbuf_puts(t->sb, ": received; its end has no event (usual for TCP)");
		break;
	case STAGE_TX:
		strbuf_puts(t->sb, ": sent; nothing was seen of it afterwards");
		break;
	default:
		strbuf_puts(t->sb, ": nothing was seen of it afterwards");
		break;
	}
}

static void put_number(struct text *t, u64 packet)
{
	strbuf_puts(t->sb, " #");
	strbuf_put_u64(t->sb, packet);
}

/* " into 3 segments #5 #6 #7" */
static void put_parts(struct text *t)
{
	static const struct {
		u8 kind;
		const char *name;
	} parts[] = { { LINK_SEGMENT, " segment" }, { LINK_FRAGMENT, " fragment" } };
	u32 i, k, nr, shown;

	for (k = 0; k < ARRAY_SIZE(parts); k++) {
		for (i = nr = 0; i < t->path->nr_links && i < PATH_LINKS; i++)
			nr += !t->path->link[i].child && t->path->link[i].kind == parts[k].kind;
		if (!nr)
			continue;
		/* The links that were not kept are of the same kind nearly always. */
		if (t->path->nr_links > PATH_LINKS)
			nr += t->path->nr_links - PATH_LINKS;
		strbuf_puts(t->sb, " into ");
		strbuf_put_u64(t->sb, nr);
		strbuf_puts(t->sb, parts[k].name);
		if (nr != 1)
			strbuf_putc(t->sb, 's');
		for (i = shown = 0; i < t->path->nr_links && i < PATH_LINKS && shown < MAX_NUMBERS;
		     i++) {
			if (t->path->link[i].child || t->path->link[i].kind != parts[k].kind)
				continue;
			put_number(t, t->path->link[i].packet);
			shown++;
		}
		if (nr > shown)
			strbuf_puts(t->sb, " ...");
	}
}

static void put_whole(struct text *t)
{
	u32 i;

	for (i = 0; i < t->path->nr_links && i < PATH_LINKS; i++) {
		if (t->path->link[i].kind != LINK_MERGE || !t->path->link[i].child ||
		    !t->path->link[i].packet)
			continue;
		strbuf_puts(t->sb, " into");
		put_number(t, t->path->link[i].packet);
		return;
	}
	strbuf_puts(t->sb, " into another packet");
}

void text_filter(struct text *t, const struct hop *hop)
{
	const struct devnames *names = &t->names->schema->devs;
	const struct hop_filter *filter = hop_filter_of(hop);
	const char *word;

	if (hop->kind == EVENT_HOOK) {
		word = render_hook_family(filter->pf);
		strbuf_puts(t->sb, word ? word : "netfilter");
		strbuf_putc(t->sb, ' ');
		word = render_hook(filter->pf, filter->hook);
		if (word)
			strbuf_puts(t->sb, word);
		else
			strbuf_put_u64(t->sb, filter->hook);
	} else if (filter->table) {
		strbuf_puts(t->sb, "table ");
		put_name(t, devnames_text(names, filter->table));
		word = render_chain(t->path, hop, names);
		if (word) {
			strbuf_puts(t->sb, " chain ");
			put_name(t, word);
		}
	} else {
		strbuf_puts(t->sb, "rules");
	}
	if (!filter->has_verdict)
		return;
	strbuf_puts(t->sb, ": ");
	word = render_verdict(filter->verdict);
	if (word)
		strbuf_puts(t->sb, word);
	else
		strbuf_put_u64(t->sb, (u32)filter->verdict);
}

static void put_endpoints(struct text *t, const struct packet_net *before,
			  const struct packet_net *after, bool dst, const char *what)
{
	packet_put_endpoint(t->sb, before, dst);
	strbuf_puts(t->sb, t->style->utf8 ? " → " : " -> ");
	packet_put_endpoint(t->sb, after, dst);
	strbuf_puts(t->sb, what);
}

void text_change(struct text *t, u32 bit, const struct packet *before, const struct packet *after)
{
	color(t, COLOR_YELLOW);
	switch (bit) {
	case CHANGE_SOURCE:
		put_endpoints(t, &before->net[0], &after->net[0], false, "  SNAT");
		break;
	case CHANGE_DESTINATION:
		put_endpoints(t, &before->net[0], &after->net[0], true, "  DNAT");
		break;
	case CHANGE_ENCAP:
		strbuf_puts(t->sb, "encapsulated: ");
		packet_describe(t->sb, after);
		break;
	case CHANGE_DECAP:
		strbuf_puts(t->sb, "decapsulated: ");
		packet_describe(t->sb, after);
		break;
	case CHANGE_VLAN:
		strbuf_puts(t->sb, after->nr_vlans ? "VLAN " : "no VLAN tag");
		if (after->nr_vlans)
			strbuf_put_u64(t->sb, after->vlan[0] & 0xfff);
		break;
	default:
		strbuf_puts(t->sb, "now: ");
		packet_describe(t->sb, after);
		break;
	}
	color(t, COLOR_RESET);
}

static const char *relation(const struct path_link *link)
{
	switch (link->kind) {
	case LINK_CLONE:
		return link->child ? "clone of" : "cloned as";
	case LINK_COPY:
		return link->child ? "copy of" : "copied as";
	case LINK_SEGMENT:
		return link->child ? "segment of" : NULL;
	case LINK_FRAGMENT:
		return link->child ? "fragment of" : NULL;
	case LINK_MERGE:
		return link->child ? NULL : "took in";
	case LINK_ERROR:
		return link->child ? "error about" : "answered by the error";
	case LINK_RESET:
		return link->child ? "reset because of" : "answered by the reset";
	case LINK_ANSWER:
		return link->child ? "answer to" : "answered by";
	case LINK_RETRANSMIT:
		return link->child ? "retransmission of" : NULL;
	case LINK_SIGNATURE:
		return link->child ? "same headers as" : NULL;
	default:
		return NULL;
	}
}

void text_end_below(struct text *t, size_t from)
{
	if (t->style->width)
		text_wrap(t->sb, from, t->style->width, TEXT_END_INDENT + 2);
	strbuf_putc(t->sb, '\n');
}

/* Packets of one relation share a line. */
static void put_links(struct text *t, bool child)
{
	const struct path *path = t->path;
	const char *word, *last = NULL;
	size_t from = t->sb->len;
	u32 i, shown = 0, nr = path->nr_links < PATH_LINKS ? path->nr_links : PATH_LINKS;

	for (i = 0; i < nr; i++) {
		word = relation(&path->link[i]);
		if (path->link[i].child != child || !word || !path->link[i].packet)
			continue;
		if (word != last) {
			if (last)
				text_end_below(t, from);
			from = t->sb->len;
			strbuf_pad(t->sb, TEXT_END_INDENT);
			strbuf_puts(t->sb, word);
			last = word;
			shown = 0;
		}
		if (shown++ < MAX_NUMBERS)
			put_number(t, path->link[i].packet);
		else if (shown == MAX_NUMBERS + 1)
			strbuf_puts(t->sb, " ...");
	}
	if (last)
		text_end_below(t, from);
}

void text_parents(struct text *t)
{
	put_links(t, true);
}

void text_children(struct text *t)
{
	put_links(t, false);
}

void text_state(struct text *t, const struct hop *end)
{
	u16 dev;

	switch (t->path->state) {
	case PATH_DELIVERED:
		color(t, COLOR_GREEN);
		strbuf_puts(t->sb, "delivered");
		color(t, COLOR_RESET);
		put_delivered(t, end);
		break;
	case PATH_DROPPED:
		color(t, COLOR_RED);
		strbuf_puts(t->sb, "DROPPED");
		color(t, COLOR_RESET);
		put_drop(t, end);
		put_drop_hook(t);
		break;
	case PATH_SPLIT:
		strbuf_puts(t->sb, "split");
		put_parts(t);
		break;
	case PATH_MERGED:
		strbuf_puts(t->sb, "merged");
		put_whole(t);
		break;
	case PATH_TRANSMITTED:
		color(t, COLOR_GREEN);
		strbuf_puts(t->sb, "transmitted");
		color(t, COLOR_RESET);
		dev = last_tx_dev(t->path);
		if (dev) {
			strbuf_puts(t->sb, " on ");
			put_name(t, devnames_text(&t->names->schema->devs, dev));
		}
		break;
	case PATH_OPEN:
		color(t, COLOR_YELLOW);
		strbuf_puts(t->sb, "open");
		color(t, COLOR_RESET);
		strbuf_puts(t->sb, ": the trace ended first");
		break;
	default:
		color(t, COLOR_YELLOW);
		strbuf_puts(t->sb, "end unknown");
		color(t, COLOR_RESET);
		put_unknown(t, end);
		break;
	}
}

void text_gap(struct text *t)
{
	if (t->path->complete != PATH_GAP)
		return;
	color(t, COLOR_YELLOW);
	strbuf_puts(t->sb, "  GAP: ");
	if (t->path->lost || !t->path->lost_uncounted)
		strbuf_put_u64(t->sb, t->path->lost);
	if (t->path->lost_uncounted)
		strbuf_puts(t->sb, t->path->lost ? " and uncounted" : "uncounted");
	strbuf_puts(t->sb, " records lost meanwhile");
	color(t, COLOR_RESET);
}
