// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which probe events a capture has, and their definitions: see probes.h for what they promise.
 *
 * In:  the rows of probes_table.c, capabilities, symbols, the layout.
 * Out: struct probes. A definition fetches only what the layout knows the place of, and only from
 *      arguments that are certain: a function whose arguments the compiler changed is passed over.
 */
#include "capture/probes.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "capture/probes_fetch.h"
#include "capture/probes_table.h"

#define RETURNS_AT_ONCE 64  /* how many calls of one function may be under way */
#define DEFINITION_MAX 4000 /* a line for the kernel is shorter than 4096 */

struct chooser {
	const struct probe_request *rq;
	const struct features *f;
	const struct kallsyms *symbols;
	const struct layout *l;
	struct probes *out;
	u8 tier;     /* what may be used */
	bool memory; /* false: it ran out */
};

static void miss(struct chooser *c, const char *name, const char *why, const char *substitute)
{
	struct probe_missing *grown;

	grown = reallocarray(c->out->missing, c->out->nr_missing + 1, sizeof(*grown));
	if (!grown) {
		c->memory = false;
		return;
	}
	c->out->missing = grown;
	grown += c->out->nr_missing++;
	snprintf(grown->name, sizeof(grown->name), "%s", name);
	snprintf(grown->why, sizeof(grown->why), "%s", why);
	snprintf(grown->substitute, sizeof(grown->substitute), "%s", substitute ? substitute : "");
}

static bool is_placed(const struct chooser *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->out->nr; i++)
		if (!strcmp(c->out->probe[i].name, name))
			return true;
	return false;
}

/*
 * Begin a definition: "TYPE:GROUP/NAME PLACE". @suffix is "_ret" at a return.
 */
static void line_begin(struct fetch_line *d, const struct chooser *c, const char *type,
		       const char *name, const char *suffix, const char *place)
{
	memset(d, 0, sizeof(*d));
	d->l = c->l;
	strbuf_printf(&d->text, "%s:skbtrail_%u/%s%s %s", type, c->rq->pid, name, suffix, place);
}

/* Add what the kernel shall let through of this event. @parent: the field that has the skb */
static char *push(struct fetch_line *d, const struct chooser *c, enum push_at at,
		  const char *parent)
{
	struct strbuf filter = STRBUF_INIT;

	if (!c->rq->push)
		return NULL;
	if (!push_filter_event(c->rq->push, at, c->l, d->skb, parent, &d->text, &filter))
		return NULL;
	strbuf_cstr(&filter);
	return filter.data;
}

/*
 * Take a finished definition; Return: its index + 1, 0 when it could not be taken.
 * @filter: taken, too
 */
static u32 line_end(struct fetch_line *d, struct chooser *c, const char *name, const char *suffix,
		    const char *function, enum tier tier, char *filter)
{
	struct probe *grown;

	if (d->text.failed || d->text.len > DEFINITION_MAX) {
		if (d->text.failed)
			c->memory = false;
		strbuf_free(&d->text);
		free(filter);
		return 0;
	}
	grown = reallocarray(c->out->probe, c->out->nr + 1, sizeof(*grown));
	if (!grown) {
		c->memory = false;
		strbuf_free(&d->text);
		free(filter);
		return 0;
	}
	c->out->probe = grown;
	grown += c->out->nr;
	memset(grown, 0, sizeof(*grown));
	snprintf(grown->name, sizeof(grown->name), "%s%s", name, suffix);
	snprintf(grown->function, sizeof(grown->function), "%s", function);
	grown->definition = strdup(strbuf_cstr(&d->text));
	grown->filter = filter;
	strbuf_free(&d->text);
	grown->tier = (u8)tier;
	if (!grown->definition) {
		free(filter);
		c->memory = false;
		return 0;
	}
	c->out->nr++;
	return (u32)c->out->nr;
}

/* Whether argument @arg is where the sources say, in a symbol that the compiler made. */
static bool arguments_kept(const char *bare, const char *symbol, int arg)
{
	const char *suffix = symbol + strlen(bare);

	if (strstr(suffix, ".isra.") || strstr(suffix, ".part."))
		return false;
	/* what is constant was left out, and those behind it moved up; an skb never is */
	return !strstr(suffix, ".constprop.") || arg <= 1;
}

/* Find the symbol to probe, or say why none. */
static bool find_symbol(struct chooser *c, const char *function, int arg, const char *substitute,
			char *symbol, size_t size)
{
	const char *why = NULL;

	switch (kallsyms_function(c->symbols, function, symbol, size)) {
	case KALLSYMS_OK:
		if (!arguments_kept(function, symbol, arg))
			why = "the compiler changed its arguments in this kernel";
		break;
	case KALLSYMS_ABSENT:
		why = "no such function in this kernel (another version, inlined, or a module that "
		      "is not loaded)";
		break;
	case KALLSYMS_BLACKLISTED:
		why = "this kernel refuses probes there";
		break;
	case KALLSYMS_AMBIGUOUS:
		why = "several functions have that name";
		break;
	}
	if (why)
		miss(c, function, why, substitute);
	return !why;
}

static void skb_fetch(char *text, size_t size, int arg, bool by_reference)
{
	snprintf(text, size, by_reference ? "+0($arg%d)" : "$arg%d", arg);
}

/* One row being turned into definitions. */
struct job {
	struct chooser *c;
	const struct probe_row *row;
	const char *symbol;
	char skb[32];
	int skb_arg;
};

/* Whether it stands for what happens to packets that wait for a reader, or no longer: UDP keeps its own things in
 * the place of skb->dev then. */
static bool is_behind_devices(const struct probe_row *row)
{
	return row->kind == ROW_QUEUED || (row->stands_for && strncmp(row->stands_for, "net:", 4));
}

static enum fetch_device device_at(const struct probe_row *row)
{
	if (is_behind_devices(row))
		return DEVICE_NOT;
	return row->kind == ROW_RECEIVED || row->kind == ROW_CARRIER ? DEVICE_SURE : DEVICE_MAYBE;
}

/* What the function's entry fetches, beyond the skb's address. */
static void put_entry(const struct job *j, struct fetch_line *d)
{
	if (j->row->kind == ROW_MERGE)
		strbuf_printf(&d->text, " into=$arg%d:x64", j->row->into);
	if (j->row->kind == ROW_HOOKS)
		fetch_hooks(d);
	if (j->row->kind == ROW_XTABLES)
		fetch_xtable(d, j->skb_arg);
	if (j->row->kind == ROW_NFTABLES)
		fetch_chain(d);
	if (j->row->kind <= ROW_CARRIER || j->row->kind == ROW_HOOKS)
		fetch_headers(d, false, device_at(j->row));
	if (j->row->kind == ROW_ROUTED || j->row->kind == ROW_HOOKS)
		fetch_route(d);
}

static const char *result_of(const struct probe_row *row)
{
	switch (row->kind) {
	case ROW_BIRTH:
	case ROW_COPY:
	case ROW_MAKES:
		return " new=$retval:x64";
	case ROW_CALL:
	case ROW_HOOKS:
	case ROW_XTABLES:
	case ROW_NFTABLES:
		return " ret=$retval:s32";
	default:
		return "";
	}
}

/* With filters only those at whose return an skb is known: others could not be told apart there. */
static bool has_return(const struct chooser *c, const struct probe_row *row)
{
	if (c->rq->push)
		return row->kind == ROW_COPY || row->kind == ROW_MAKES;
	return *result_of(row) || row->kind == ROW_VOID;
}

static void replace(struct chooser *c, const char *event)
{
	if (c->out->nr_replaced < ARRAY_SIZE(c->out->replaced))
		c->out->replaced[c->out->nr_replaced++] = event;
}

/* A function that stands for a tracepoint goes by its name. */
static const char *event_name(const struct chooser *c, const struct probe_row *row)
{
	if (c->rq->push && row->kind == ROW_CARRIER && row->stands_for)
		return strchr(row->stands_for, ':') + 1;
	return row->function;
}

static void add_entry(const struct job *j, u32 instead_of)
{
	const char *name = event_name(j->c, j->row);
	struct fetch_line d;
	char *filter;
	u32 index;

	line_begin(&d, j->c, "p", name, "", j->symbol);
	d.skb = j->skb;
	fetch_skbaddr(&d);
	put_entry(j, &d);
	filter = push(&d, j->c, j->row->at, "skbaddr");
	index = line_end(&d, j->c, name, "", j->symbol, TIER_T1, filter);
	if (!index)
		return;
	j->c->out->probe[index - 1].instead_of = instead_of;
	if (name != j->row->function) {
		j->c->out->probe[index - 1].replaces = j->row->stands_for;
		replace(j->c, j->row->stands_for);
	}
}

static void add_return(const struct job *j, u32 instead_of)
{
	const char *name = j->row->function;
	struct fetch_line d;
	char *filter;
	char type[8];
	u32 index;

	snprintf(type, sizeof(type), "r%d", RETURNS_AT_ONCE);
	line_begin(&d, j->c, type, name, "_ret", j->symbol);
	strbuf_puts(&d.text, result_of(j->row));
	d.skb = "$retval";
	filter = push(&d, j->c, j->row->at, "new");
	index = line_end(&d, j->c, name, "_ret", j->symbol, TIER_T1, filter);
	if (index)
		j->c->out->probe[index - 1].instead_of = instead_of;
}

/*
 * Entry arguments at the return, one event for both. Nothing is lost but when the call began. Only there are
 * fprobes worth it: defining and switching on one takes up to twenty times as long as for a kprobe.
 */
static u32 add_both_in_one(const struct job *j)
{
	const char *name = j->row->function;
	char place[96];
	struct fetch_line d;

	snprintf(place, sizeof(place), "%s%%return", j->symbol);
	/* newer kernels need, and take, no number of calls under way */
	line_begin(&d, j->c, "f", name, "_ret", place);
	d.skb = j->skb;
	fetch_skbaddr(&d);
	put_entry(j, &d);
	strbuf_puts(&d.text, result_of(j->row));
	return line_end(&d, j->c, name, "_ret", j->symbol, TIER_T3, NULL);
}

/* nft_do_chain() is not among them: newer kernels free a packet inside that a rule drops. */
static bool may_be_one(const struct job *j)
{
	u8 kind = j->row->kind;

	if (j->c->rq->push)
		return false; /* at the return its headers may be gone */
	return j->c->tier >= TIER_T3 && (kind == ROW_COPY || kind == ROW_XTABLES);
}

static bool is_there(const struct chooser *c, const char *function)
{
	char symbol[128];

	return kallsyms_function(c->symbols, function, symbol, sizeof(symbol)) == KALLSYMS_OK;
}

/*
 * Which argument of ipt_do_table() is the skb: other functions tell, or else BTF. The same for ip6t_ and
 * arpt_.
 */
static int find_xtables_arg(const struct chooser *c, const char *function)
{
	bool by_reference = false;
	int arg = 0;
	size_t i;

	for (i = 0; i < nr_probe_xtables_facts; i++) {
		if (is_there(c, probe_xtables_facts[i].hook))
			return 1;
		if (is_there(c, probe_xtables_facts[i].set_up))
			return 2;
	}
	if (c->rq->argument)
		arg = c->rq->argument(function, &by_reference);
	return (arg == 1 || arg == 2) && !by_reference ? arg : 0;
}

/* Where the skb is, for rows whose table cannot say. */
static bool find_skb(struct job *j)
{
	struct chooser *c = j->c;

	j->skb_arg = j->row->arg;
	if (j->row->kind == ROW_XTABLES) {
		j->skb_arg = find_xtables_arg(c, j->row->function);
		if (!j->skb_arg) {
			miss(c, j->row->function, "its arguments are not known in this kernel",
			     j->row->substitute);
			return false;
		}
	}
	if (j->row->kind == ROW_NFTABLES) {
		if (!layout_has(c->l, NFT_PKT_SKB)) {
			miss(c, j->row->function,
			     "where nft_pktinfo.skb is in this kernel is not known",
			     j->row->substitute);
			return false;
		}
		snprintf(j->skb, sizeof(j->skb), "+%u($arg1)", c->l->at[NFT_PKT_SKB].offset);
		return true;
	}
	skb_fetch(j->skb, sizeof(j->skb), j->skb_arg, j->row->by_reference);
	return true;
}

static bool is_wanted(const struct chooser *c, const struct probe_row *row)
{
	static const u8 largest[] = {
		[HOPS_DEFAULT] = IN_DEFAULT, [HOPS_MINIMAL] = IN_MINIMAL, [HOPS_FULL] = IN_FULL
	};

	if (row->set > largest[c->rq->hops])
		return false;
	if (c->rq->push && row->kind == ROW_BIRTH)
		return false;
	if (row->kind == ROW_CARRIER && !c->rq->push && is_behind_devices(row))
		return false; /* without headers the tracepoint is as good */
	return row->kind != ROW_CARRIER || c->tier == TIER_T1;
}

static void choose_row(struct chooser *c, const struct probe_row *row)
{
	struct job j = { .c = c, .row = row };
	char symbol[80];
	u32 one;

	if (is_placed(c, row->function) ||
	    !find_symbol(c, row->function, row->arg, row->substitute, symbol, sizeof(symbol)) ||
	    !find_skb(&j))
		return;
	j.symbol = symbol;
	one = may_be_one(&j) ? add_both_in_one(&j) : 0;
	if (row->kind != ROW_BIRTH)
		add_entry(&j, one);
	if (has_return(c, row))
		add_return(&j, one);
}

/* Event probes are worth it when they add something to their tracepoint. */
static bool knows_headers(const struct layout *l)
{
	return layout_has(l, SKB_DATA) || layout_has(l, SKB_DEV);
}

/* What the tracepoint itself says: the device's name and the length, or why it was freed. */
static void put_tracepoint(struct fetch_line *d, const struct probe_tracepoint *row)
{
	if (!row->when_filtered) {
		strbuf_puts(&d->text, " len=$len:u32 name=$name:string");
		fetch_headers(d, true, DEVICE_SURE);
	} else if (!strcmp(row->event, "skb:kfree_skb")) {
		strbuf_puts(&d->text, " location=$location:x64 reason=$reason:u32");
	}
}

static void add_tracepoint(struct chooser *c, const struct probe_tracepoint *row)
{
	const char *name = strchr(row->event, ':') + 1;
	struct fetch_line d;
	char place[128];
	char *filter;
	u32 index;

	snprintf(place, sizeof(place), "%.*s.%s skbaddr=$skbaddr:x64",
		 (int)strcspn(row->event, ":"), row->event, name);
	line_begin(&d, c, "e", name, "", place);
	d.skb = "$skbaddr";
	put_tracepoint(&d, row);
	filter = push(&d, c, row->at, "skbaddr");
	index = line_end(&d, c, name, "", row->event, TIER_T2, filter);
	if (index) {
		c->out->probe[index - 1].replaces = row->event;
		c->out->probe[index - 1].reads_format = row->when_filtered;
	}
}

static void choose_tracepoint(struct chooser *c, const struct probe_tracepoint *row)
{
	const char *name = strchr(row->event, ':') + 1;
	char system[8];

	if (row->when_filtered && !c->rq->push)
		return;
	snprintf(system, sizeof(system), "%.*s", (int)strcspn(row->event, ":"), row->event);
	if (!features_has_event(c->f, system, name)) {
		if (!row->replaced_only)
			miss(c, name, "this kernel has no such tracepoint", "");
		return;
	}
	replace(c, row->event);
	if (!row->replaced_only)
		add_tracepoint(c, row);
}

/* Any function that the user named; an error when it cannot be done. */
static int choose_asked(struct chooser *c, const struct probe_asked *asked, struct error *err)
{
	struct probe_row row = { .function = asked->function,
				 .kind = ROW_LAYER,
				 .at = PUSH_ANYWHERE };
	struct job j = { .c = c, .row = &row, .skb_arg = asked->arg };
	size_t missing = c->out->nr_missing;
	bool by_reference = asked->by_reference;
	char symbol[80];

	if (is_placed(c, asked->function))
		return 0;
	if (c->tier < TIER_T1)
		return error_set(err, ENOTSUP, "no probe on %s: %s", asked->function,
				 c->out->why_not_higher[0] ? c->out->why_not_higher :
							     "tier T0 was asked for");
	if (!j.skb_arg)
		j.skb_arg = c->rq->argument ? c->rq->argument(asked->function, &by_reference) :
					      -ENODATA;
	if (j.skb_arg == 0)
		return error_set(err, EINVAL,
				 "no probe on %s: it has no argument that is a packet (an skb)",
				 asked->function);
	if (!find_symbol(c, asked->function, j.skb_arg < 0 ? 1 : j.skb_arg, NULL, symbol,
			 sizeof(symbol)))
		return error_set(err, ENOENT, "no probe on %s: %s", asked->function,
				 c->memory ? c->out->missing[missing].why : "out of memory");
	if (j.skb_arg < 0)
		return error_set(
			err, ENODATA,
			"no probe on %s: which of its arguments is the packet is not known "
			"here (no BTF of it); say so: --probe %s:1",
			asked->function, asked->function);
	j.symbol = symbol;
	skb_fetch(j.skb, sizeof(j.skb), j.skb_arg, by_reference);
	add_entry(&j, 0);
	return 0;
}

static void set_why(struct chooser *c, enum tier next, const char *what,
		    const struct capability *cap)
{
	if (c->rq->max_tier && c->rq->max_tier < next)
		snprintf(c->out->why_not_higher, sizeof(c->out->why_not_higher),
			 "not more than %s was asked for", tier_describe(c->rq->max_tier)->name);
	else
		snprintf(c->out->why_not_higher, sizeof(c->out->why_not_higher), "no %s: %.100s",
			 what, cap->detail);
}

/* The highest tier that is allowed, and what keeps us from the next. */
static void choose_tier(struct chooser *c)
{
	static const struct {
		u8 tier;
		u8 feature;
		const char *what;
	} steps[] = {
		{ TIER_T1, FEATURE_KPROBE_EVENTS, "kprobe events" },
		{ TIER_T2, FEATURE_EVENT_PROBES, "event probes" },
		{ TIER_T3, FEATURE_FPROBE_EVENTS, "fprobe events" },
	};
	size_t i;

	c->tier = TIER_T0;
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		if ((c->rq->max_tier && c->rq->max_tier < steps[i].tier) ||
		    !c->f->cap[steps[i].feature].ok) {
			set_why(c, steps[i].tier, steps[i].what, &c->f->cap[steps[i].feature]);
			return;
		}
		/* from 6.14 on they share a task's stack of returns, about which 7.2 has given a warning (fprobe_return) */
		if (steps[i].tier == TIER_T3 && c->rq->graph) {
			snprintf(c->out->why_not_higher, sizeof(c->out->why_not_higher),
				 "no fprobes beside function_graph");
			return;
		}
		c->tier = steps[i].tier;
	}
}

static void settle_tier(struct probes *out)
{
	size_t i;

	out->tier = TIER_T0;
	for (i = 0; i < out->nr; i++)
		if (out->probe[i].tier > out->tier && !out->probe[i].instead_of)
			out->tier = out->probe[i].tier;
}

/* Tracepoints that cannot be filtered by headers, and whose news others tell as well. */
static void replace_unfiltered(struct chooser *c)
{
	size_t i;

	/* its skb may be gone, so that nothing tells whose it is */
	replace(c, "net:net_dev_xmit");
	if (c->tier > TIER_T1)
		return;
	for (i = 0; i < nr_probe_tracepoints; i++)
		if (probe_tracepoints[i].replaced_only ||
		    !strncmp(probe_tracepoints[i].event, "net:napi_gro", 12))
			replace(c, probe_tracepoints[i].event);
}

int probes_choose(const struct probe_request *rq, const struct features *f,
		  const struct kallsyms *symbols, const struct layout *layout, struct probes *out,
		  struct error *err)
{
	struct chooser c = { rq, f, symbols, layout, out, TIER_T0, true };
	int ret = 0;
	size_t i;

	memset(out, 0, sizeof(*out));
	out->pushed = rq->push;
	out->faults_are_misses = !f->cap[FEATURE_EVENT_PROBES].ok;
	choose_tier(&c);
	if (c.tier >= TIER_T1 && !symbols) {
		snprintf(out->why_not_higher, sizeof(out->why_not_higher),
			 "the kernel's symbols cannot be read");
		c.tier = TIER_T0;
	}
	if (c.tier >= TIER_T2 && !knows_headers(layout))
		snprintf(
			out->why_not_higher, sizeof(out->why_not_higher),
			"event probes would add nothing: where members of struct sk_buff are is not "
			"known");
	else if (c.tier >= TIER_T2)
		for (i = 0; i < nr_probe_tracepoints; i++)
			choose_tracepoint(&c, &probe_tracepoints[i]);
	for (i = 0; i < nr_probe_rows && c.tier >= TIER_T1; i++)
		if (is_wanted(&c, &probe_rows[i]))
			choose_row(&c, &probe_rows[i]);
	for (i = 0; i < rq->nr_asked && !ret; i++)
		ret = choose_asked(&c, &rq->asked[i], err);
	if (rq->push && c.tier >= TIER_T1)
		replace_unfiltered(&c);
	settle_tier(out);
	if (!c.memory)
		return error_errno(err, ENOMEM, "cannot choose the probes");
	return ret;
}

size_t probes_symbols(const struct probe_request *rq, const char ***names)
{
	size_t most = nr_probe_rows + 2 * nr_probe_xtables_facts + rq->nr_asked;
	const char **list = calloc(most, sizeof(*list));
	size_t n = 0;
	size_t i;

	*names = list;
	if (!list)
		return 0;
	for (i = 0; i < nr_probe_rows; i++)
		list[n++] = probe_rows[i].function;
	for (i = 0; i < nr_probe_xtables_facts; i++) {
		list[n++] = probe_xtables_facts[i].set_up;
		list[n++] = probe_xtables_facts[i].hook;
	}
	for (i = 0; i < rq->nr_asked; i++)
		list[n++] = rq->asked[i].function;
	return n;
}

int probe_parse_asked(struct probe_asked *asked, const char *text)
{
	size_t len = strcspn(text, ":");
	const char *arg = text + len;
	size_t i;

	memset(asked, 0, sizeof(*asked));
	/* with "_ret" it has to be a name that the kernel takes for an event */
	if (!len || len + strlen("_ret") >= sizeof(asked->function) || isdigit((u8)text[0]))
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (!isalnum((u8)text[i]) && text[i] != '_')
			return -EINVAL;
	memcpy(asked->function, text, len);
	if (!*arg)
		return 0;
	arg++;
	asked->by_reference = *arg == '*';
	arg += asked->by_reference;
	if (arg[0] < '1' || arg[0] > '6' || arg[1])
		return -EINVAL;
	asked->arg = arg[0] - '0';
	return 0;
}

void probes_free(struct probes *p)
{
	size_t i;

	for (i = 0; i < p->nr; i++) {
		free(p->probe[i].definition);
		free(p->probe[i].filter);
	}
	free(p->probe);
	free(p->missing);
	memset(p, 0, sizeof(*p));
}

int probes_append(struct probes *to, struct probes *from)
{
	struct probe *probe = reallocarray(to->probe, to->nr + from->nr + 1, sizeof(*probe));
	struct probe_missing *missing;

	if (!probe)
		return -ENOMEM;
	to->probe = probe;
	missing =
		reallocarray(to->missing, to->nr_missing + from->nr_missing + 1, sizeof(*missing));
	if (!missing)
		return -ENOMEM;
	to->missing = missing;
	if (from->nr)
		memcpy(probe + to->nr, from->probe, from->nr * sizeof(*probe));
	if (from->nr_missing)
		memcpy(missing + to->nr_missing, from->missing,
		       from->nr_missing * sizeof(*missing));
	to->nr += from->nr;
	to->nr_missing += from->nr_missing;
	to->faults_are_misses |= from->faults_are_misses;
	if (from->tier > to->tier)
		to->tier = from->tier;
	/* the definitions are the other's now */
	from->nr = 0;
	probes_free(from);
	return 0;
}
