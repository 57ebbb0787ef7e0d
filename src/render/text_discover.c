// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers of "discover" as text: see discover.h.
 *
 * Per operation the functions with their reasons, a line a kind of fact; then the definition that is offered, in the
 * words of several tools.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/signatures.h"
#include "render/discover.h"

#define INDENT "      "

u8 discover_fetch(enum question question)
{
	switch (question) {
	case QUESTION_LOCAL_ADDRESS:
		return FETCH_LOCAL;
	case QUESTION_REMOTE_ADDRESS:
		return FETCH_REMOTE;
	case QUESTION_BYTES_SENT:
	case QUESTION_BYTES_RECEIVED:
		return FETCH_BYTES;
	default:
		return FETCH_LOCAL | FETCH_REMOTE;
	}
}

static bool was_right(const struct trial_def *d)
{
	return !d->refused && d->right && !d->wrong;
}

size_t discover_best(const struct discover_view *v, size_t group)
{
	size_t i;

	for (i = 0; v->trial && i < v->nr_defs; i++)
		if (v->of[i].group == group && was_right(&v->defs[i]))
			return i;
	/* a socket that is being connected need have no address before: what is untried is not offered at entry */
	for (i = 0; !v->trial && i < v->nr_defs; i++)
		if (v->of[i].group == group && v->defs[i].def.at != AT_ENTRY &&
		    v->groups[group].operation <= OPERATION_ACCEPT)
			return i;
	/* one that was tried and not right is not offered; one that could not be judged may be */
	for (i = 0; i < v->nr_defs; i++)
		if (v->of[i].group == group && !v->defs[i].refused && !v->defs[i].wrong)
			return i;
	return DISCOVER_NONE;
}

/* ---- a function's facts */

static void put_calls(struct strbuf *out, const struct candidate_group *g,
		      const struct candidate *c)
{
	u32 i, missing = 0;

	if (c->calls == g->calls && c->once == g->calls)
		strbuf_printf(out, INDENT "every call passes it, exactly once (%u of %u)", c->calls,
			      g->calls);
	else
		strbuf_printf(out, INDENT "%u of %u calls pass it, %u exactly once", c->calls,
			      g->calls, c->once);
	if (c->most > 1)
		strbuf_printf(out, ", up to %u times in one", c->most);
	for (i = 0; i < g->nr_syscalls; i++) {
		if (!c->missed_by[i])
			continue;
		strbuf_printf(out, "%s%u of %u %s", missing++ ? ", " : "; not by ", c->missed_by[i],
			      g->syscalls[i].calls, g->syscalls[i].name);
	}
	strbuf_putc(out, '\n');
}

static void put_slots(struct strbuf *out, const struct candidate_group *g,
		      const struct candidate *c)
{
	u32 i;

	if (!c->nr_slots)
		return;
	strbuf_puts(out, INDENT "in ");
	for (i = 0; i < CANDIDATES_SLOTS && i < c->nr_slots && c->slots[i]; i++) {
		strbuf_printf(out, "%s", i ? ", " : "");
		strbuf_put_escaped(out, c->slots[i], strlen(c->slots[i]));
	}
	if (c->nr_slots > i)
		strbuf_printf(out, " and %u more", c->nr_slots - i);
	if (c->slots_elsewhere)
		strbuf_puts(out, " (of other kernels)");
	if (c->slot_match && c->dominates) {
		strbuf_printf(out, ": the slot of %s, %u", operation_name(g->operation),
			      c->depth_tenths / 10);
		if (c->depth_tenths % 10)
			strbuf_printf(out, ".%u", c->depth_tenths % 10);
		strbuf_puts(out, " calls below the system call");
	}
	strbuf_putc(out, '\n');
}

static void put_object(struct strbuf *out, const struct discover_view *v, const struct candidate *c)
{
	if (c->place == PLACE_RETURN)
		strbuf_printf(out, INDENT "returns %s", object_name(c->object));
	else if (v->type)
		strbuf_printf(out, INDENT "argument %u is a struct %s *", c->arg, v->type);
	else
		strbuf_printf(out, INDENT "argument %u is %s", c->arg, object_name(c->object));
	strbuf_printf(out, " (%s)", evidence_name(c->evidence));
	if (c->bytes_arg && c->place == PLACE_RETURN)
		strbuf_printf(out, ", argument %u is a size", c->bytes_arg);
	if (c->known && c->object)
		strbuf_printf(out, "; the same on %d of %d other kernels that have it", c->stable,
			      c->known);
	else if (c->object)
		strbuf_puts(out, "; not in the table of other kernels");
	strbuf_putc(out, '\n');
}

static void put_symbol(struct strbuf *out, const struct candidate *c)
{
	const struct symfact *s = &c->symbol;

	strbuf_puts(out, INDENT);
	strbuf_printf(out, "%u %% of the calls lie below it; ", c->share_permille / 10);
	if (c->others)
		strbuf_puts(out, c->specific ? "no other operation passes it; " :
					       "other operations pass it, too; ");
	if (!s->known)
		strbuf_puts(out, "traced, but not in kallsyms by this name");
	else
		strbuf_puts(out, s->exported ? "exported" : s->global ? "global" : "static");
	if (s->copies > 1)
		strbuf_printf(out, "; %u functions have this name", s->copies);
	if (s->siblings) {
		strbuf_puts(out, "; partly inlined: there is ");
		strbuf_put_escaped(out, s->sibling, strlen(s->sibling));
	}
	strbuf_putc(out, '\n');
}

/* ---- its trial */

static void put_outcome(struct strbuf *out, const struct trial_def *d)
{
	u32 judged = d->right + d->wrong;

	strbuf_printf(out, "%s: ", probe_at_name(d->def.at));
	if (d->refused == ENODATA)
		strbuf_puts(out, "places of members not known");
	else if (d->refused)
		strbuf_printf(out, "refused by this kernel (%s)", error_name(d->refused));
	else if (judged)
		strbuf_printf(out, "%u of %u right", d->right, judged);
	else if (d->unjudged)
		strbuf_printf(out, "fired %u times, with no truth to compare with", d->unjudged);
	else
		strbuf_puts(out, "not fired");
	if (d->wrong) {
		strbuf_puts(out, " (read ");
		strbuf_put_escaped(out, d->got, strlen(d->got));
		strbuf_puts(out, ", true was ");
		strbuf_put_escaped(out, d->truth, strlen(d->truth));
		strbuf_putc(out, ')');
	}
}

static void put_trial(struct strbuf *out, const struct discover_view *v, size_t group,
		      size_t candidate)
{
	size_t i, nr = 0;

	if (!v->trial)
		return;
	for (i = 0; i < v->nr_defs; i++) {
		if (v->of[i].group != group || v->of[i].candidate != candidate)
			continue;
		strbuf_puts(out, nr++ ? "; " : INDENT "tried: ");
		put_outcome(out, &v->defs[i]);
	}
	strbuf_puts(out, nr ? "\n" : "");
}

static void put_candidate(struct strbuf *out, const struct discover_view *v, size_t group,
			  size_t candidate)
{
	const struct candidate_group *g = &v->groups[group];
	const struct candidate *c = &g->candidate[candidate];
	bool tie = (candidate && g->candidate[candidate - 1].rank == c->rank) ||
		   (candidate + 1 < g->nr && g->candidate[candidate + 1].rank == c->rank);

	strbuf_printf(out, "  %2u%s ", c->rank, tie ? "=" : " ");
	strbuf_put_escaped(out, c->name, strlen(c->name));
	strbuf_putc(out, '\n');
	put_calls(out, g, c);
	put_slots(out, g, c);
	put_object(out, v, c);
	put_symbol(out, c);
	put_trial(out, v, group, candidate);
}

/* ---- what is offered */

static void put_definitions(struct strbuf *out, const struct discover_view *v,
			    const struct probedef *d)
{
	struct strbuf line = STRBUF_INIT;

	strbuf_puts(out, INDENT "echo '");
	probedef_kprobe(out, d, v->layout, DISCOVER_GROUP);
	strbuf_printf(out, "' >> %s/kprobe_events\n",
		      v->tracing_dir[0] ? v->tracing_dir : "/sys/kernel/tracing");
	strbuf_puts(out, INDENT);
	probedef_trace_cmd(out, d, DISCOVER_GROUP);
	strbuf_puts(out, "   (with the line before)\n");
	if (probedef_perf(&line, d, v->layout, DISCOVER_GROUP, v->machine))
		strbuf_printf(out, INDENT "%s\n", strbuf_cstr(&line));
	line.len = 0;
	if (probedef_bpftrace(&line, d))
		strbuf_printf(out, INDENT "%s\n", strbuf_cstr(&line));
	strbuf_free(&line);
	if (d->object == OBJECT_SKB && d->at == AT_ENTRY)
		strbuf_printf(out, INDENT "skbtrail trace --probe %s:%u\n", d->function, d->arg);
}

static void put_best(struct strbuf *out, const struct discover_view *v, size_t group)
{
	size_t best = discover_best(v, group);
	const struct trial_def *d;

	if (best == DISCOVER_NONE) {
		strbuf_puts(out,
			    v->nr_defs && v->trial ?
				    "  No definition was right when tried.\n" :
				    "  No definition can be written: places of members in this "
				    "kernel's structures are not known.\n");
		return;
	}
	d = &v->defs[best];
	strbuf_printf(out, "  Offered first: %s at its %s", d->def.function,
		      probe_at_name(d->def.at));
	if (!v->trial)
		strbuf_puts(out, d->def.at == AT_RETURN ?
					 ", not tried: old kernels do not take arguments there" :
					 ", not tried");
	else if (was_right(d))
		strbuf_printf(out, ", right in %u of %u", d->right, d->right);
	else
		strbuf_puts(out, ", tried, but there was nothing to judge it by");
	strbuf_putc(out, '\n');
	put_definitions(out, v, &d->def);
}

/* ---- the whole */

static void put_title(struct strbuf *out, const struct candidate_group *g)
{
	u32 i;

	strbuf_puts(out, operation_name(g->operation));
	if (g->operation != OPERATION_EVENT) {
		strbuf_printf(out, ", %s", g->protocol[0] ? g->protocol : "protocol ?");
		if (*family_name(g->family))
			strbuf_printf(out, " %s", family_name(g->family));
		if (g->by_names)
			strbuf_puts(out, " (by names)");
	}
	strbuf_puts(out, ": ");
	for (i = 0; i < g->nr_syscalls; i++)
		strbuf_printf(out, "%s%u %s", i ? ", " : "", g->syscalls[i].calls,
			      g->syscalls[i].name);
	if (g->left_out)
		strbuf_printf(out, "%s%u left out (not finished, or records lost)",
			      g->nr_syscalls ? "; " : "", g->left_out);
	strbuf_putc(out, '\n');
}

static void put_group(struct strbuf *out, const struct discover_view *v, size_t group)
{
	const struct candidate_group *g = &v->groups[group];
	size_t i, best = discover_best(v, group), shown = v->most < g->nr ? v->most : g->nr;

	put_title(out, g);
	for (i = 0; i < shown; i++)
		put_candidate(out, v, group, i);
	if (best != DISCOVER_NONE && v->of[best].candidate >= shown)
		put_candidate(out, v, group, v->of[best].candidate);
	if (g->nr > shown)
		strbuf_printf(out, "  %zu more on the way\n", g->nr - shown);
	if (!g->nr)
		strbuf_puts(out, "  nothing on the way is known to have what is asked for\n");
	else if (discover_fetch(v->question) && v->question != QUESTION_ARG)
		put_best(out, v, group);
	strbuf_putc(out, '\n');
}

static void put_sources(struct strbuf *out, const struct discover_view *v)
{
	int i;

	strbuf_printf(out, "Types: %s", v->has_btf ? "BTF of this kernel" : "table of kernels ");
	for (i = 0; !v->has_btf && i < signatures_kernels(); i++)
		strbuf_printf(out, "%s%s", i ? ", " : "", signatures_kernel(i));
	strbuf_puts(out, v->has_btf ? "" : ", not of this one");
	strbuf_printf(out, ". Operations tables: %s.\n",
		      v->tables_from ? v->tables_from : "not known, slots as on other kernels");
	if (v->trial)
		strbuf_printf(out,
			      "Tried: %zu definitions, %u records, %u calls on sockets%s%s%s.\n",
			      v->nr_defs, v->trial->records, v->trial->calls,
			      v->trial->status[0] ? "; the command " : "", v->trial->status,
			      v->trial->lost ? "; records were lost" : "");
	else
		strbuf_printf(out, "Not tried: %s.\n", v->why_not_tried);
	if (v->lost)
		strbuf_printf(out, "Records were lost (%llu): calls around them do not count.\n",
			      (unsigned long long)v->lost);
}

int render_discover_text(struct strbuf *out, const struct discover_view *v)
{
	size_t i;

	strbuf_printf(out, "%s%s%s", question_name(v->question), v->type ? ":" : "",
		      v->type ? v->type : "");
	strbuf_puts(out, v->release[0] ? ", kernel " : "");
	strbuf_put_escaped(out, v->release, strlen(v->release));
	strbuf_puts(out, "\n\n");
	for (i = 0; i < v->nr_groups; i++)
		put_group(out, v, i);
	if (!v->nr_groups)
		strbuf_puts(out, "No call that has to do with it was recorded.\n\n");
	put_sources(out, v);
	return out->failed ? -ENOMEM : 0;
}
