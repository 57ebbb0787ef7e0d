// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a path ended, in the words of its end line: what is known, from which record, and what is not.
 */
#include "render/text_internal.h"

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

static void put_delivered(struct text *t, const struct hop *end)
{
	u32 i;

	if (t->path->raw_copy) {
		strbuf_puts(t->sb, ": a raw socket's copy read by ");
		text_task(t, t->path->raw_pid);
		if (!t->style->brief)
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
