// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From event names as users write them to events that exist.
 *
 * In:  the default set, -e arguments, the sorted list of a kernel's events.
 * Out: the sorted list of events to switch on, each once; what the kernel lacks of the defaults.
 *
 * A default event may be missing (kernels differ); an event the user asked for may not.
 */
#include "capture/plan_events.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "capture/plan_steps.h"

#define NAME_MAX_LEN 128
#define NEAREST 3

/* What tier T0 listens to. Globs take what there is; plain names are missed when absent. */
static const char *const default_events[] = {
	"net:net_dev_queue", "net:net_dev_start_xmit", "net:net_dev_xmit",
	"net:netif_rx",	     "net:netif_receive_skb",  "net:*",
	"skb:kfree_skb",     "skb:consume_skb",	       "skb:skb_copy_datagram_iovec",
	"qdisc:qdisc_drop",  "tcp:tcp_retransmit_skb",
};

/* Caught by "net:*", but of no use for a path: they name no packet. */
static const char *const not_by_default[] = { "net:*_exit", "net:net_dev_xmit_timeout" };

struct selection {
	const struct features *f;
	const struct probes *probes; /* NULL: none */
	bool *chosen;		     /* by index into f->events */
};

static bool is_glob(const char *name)
{
	return name[strcspn(name, "*?[")] != '\0';
}

static bool matches(const char *pattern, const char *text)
{
	return is_glob(pattern) ? !fnmatch(pattern, text, FNM_NOESCAPE) : !strcmp(pattern, text);
}

static bool matches_system(const char *pattern, const char *event)
{
	char system[NAME_MAX_LEN];

	snprintf(system, sizeof(system), "%.*s", (int)strcspn(event, ":"), event);
	return matches(pattern, system);
}

static const char *name_of(const char *event)
{
	const char *colon = strchr(event, ':');

	return colon ? colon + 1 : event;
}

/* Whether a probe event tells all that this tracepoint does. */
static bool replaced(const struct selection *sel, const char *event)
{
	size_t i;

	for (i = 0; sel->probes && i < sel->probes->nr_replaced; i++)
		if (!strcmp(sel->probes->replaced[i], event))
			return true;
	return false;
}

bool plan_event_doubled(const struct probes *probes, const char *event)
{
	size_t i;

	for (i = 0; probes && i < probes->nr; i++)
		if (probes->probe[i].replaces && !strcmp(probes->probe[i].replaces, event))
			return true;
	return false;
}

static bool left_out(const char *event)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(not_by_default); i++)
		if (matches(not_by_default[i], event))
			return true;
	return false;
}

/* With the calls of sockets: what they tell of a call's protocol and family. Missing ones are not told. */
static const char *const events_of_calls[] = { "sock:*", "tcp:tcp_destroy_sock" };

enum compared { WHOLE, SYSTEM, NAME };

static size_t choose(struct selection *sel, const char *pattern, enum compared what, bool defaults)
{
	const char *event;
	size_t count = 0;
	bool hit;
	size_t i;

	for (i = 0; i < sel->f->event_count; i++) {
		event = sel->f->events[i];
		if (what == WHOLE)
			hit = matches(pattern, event);
		else if (what == SYSTEM)
			hit = matches_system(pattern, event);
		else
			hit = matches(pattern, name_of(event));
		if (!hit || (defaults && left_out(event)))
			continue;
		if (defaults && replaced(sel, event)) {
			count++;
			continue;
		}
		sel->chosen[i] = true;
		count++;
	}
	return count;
}

/* Edit distance, cut off at NAME_MAX_LEN characters of either string. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[NAME_MAX_LEN + 1];
	size_t len_b = strnlen(b, NAME_MAX_LEN);
	unsigned int corner;
	unsigned int above;
	unsigned int cost;
	size_t i;
	size_t j;

	for (j = 0; j <= len_b; j++)
		row[j] = (unsigned int)j;
	for (i = 1; a[i - 1] && i <= NAME_MAX_LEN; i++) {
		corner = row[0];
		row[0] = (unsigned int)i;
		for (j = 1; j <= len_b; j++) {
			above = row[j];
			cost = corner + (a[i - 1] != b[j - 1]);
			if (above + 1 < cost)
				cost = above + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
			corner = above;
		}
	}
	return row[len_b];
}

/* How unlike an event is to what was typed; a part of its name counts as close. */
static unsigned int unlikeness(const char *typed, const char *event)
{
	const char *compared = strchr(typed, ':') ? event : name_of(event);
	unsigned int d = distance(typed, compared);

	if (strlen(typed) >= 4 && strstr(compared, typed) && d > 2)
		return 2;
	return d;
}

static int unknown_event(const struct features *f, const char *asked, const char *typed,
			 struct error *err)
{
	unsigned int limit = (unsigned int)strlen(typed) / 3 + 1;
	struct strbuf names = STRBUF_INIT;
	unsigned int found = 0;
	unsigned int d;
	size_t i;

	for (d = 1; d <= limit && found < NEAREST; d++)
		for (i = 0; i < f->event_count && found < NEAREST; i++)
			if (unlikeness(typed, f->events[i]) == d)
				strbuf_printf(&names, "%s %s",
					      found++ ? "," : "; nearest:", f->events[i]);
	if (!found)
		strbuf_printf(&names, "; all are listed in %s/available_events", f->tracing_dir);
	error_set(err, EINVAL, "this kernel has no event '%s'%s", asked, strbuf_cstr(&names));
	strbuf_free(&names);
	return -EINVAL;
}

static int choose_asked(struct selection *sel, const char *asked, struct error *err)
{
	char typed[NAME_MAX_LEN];
	size_t count;
	char *slash;

	if (!asked[0] || strlen(asked) >= sizeof(typed))
		return error_set(err, EINVAL, "'%.64s' cannot be the name of an event", asked);
	snprintf(typed, sizeof(typed), "%s", asked);
	slash = strchr(typed, '/');
	if (slash && !strchr(typed, ':'))
		*slash = ':';
	if (strchr(typed, ':')) {
		count = choose(sel, typed, WHOLE, false);
	} else {
		count = choose(sel, typed, SYSTEM, false);
		if (!count)
			count = choose(sel, typed, NAME, false);
	}
	return count ? 0 : unknown_event(sel->f, asked, typed, err);
}

static int add_name(char ***list, size_t *count, const char *name)
{
	char **grown = reallocarray(*list, *count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*list = grown;
	grown[*count] = strdup(name);
	if (!grown[*count])
		return -ENOMEM;
	(*count)++;
	return 0;
}

static void sort_events(struct plan *plan)
{
	if (plan->event_count)
		qsort(plan->events, plan->event_count, sizeof(*plan->events), compare_strings);
}

int plan_add_event(struct plan *plan, const char *event)
{
	size_t i;
	int ret;

	for (i = 0; i < plan->event_count; i++)
		if (!strcmp(plan->events[i], event))
			return 0;
	ret = add_name(&plan->events, &plan->event_count, event);
	if (!ret)
		sort_events(plan);
	return ret;
}

void plan_drop_event(struct plan *plan, const char *event)
{
	size_t i;

	for (i = 0; i < plan->event_count && strcmp(plan->events[i], event); i++)
		;
	if (i == plan->event_count)
		return;
	free(plan->events[i]);
	plan->event_count--;
	memmove(&plan->events[i], &plan->events[i + 1],
		(plan->event_count - i) * sizeof(*plan->events));
}

static int add_probe_events(struct plan *plan)
{
	const struct probes *probes = plan->probes;
	char name[128];
	size_t i;
	int ret = 0;

	for (i = 0; probes && i < probes->nr && !ret; i++) {
		if (probes->probe[i].instead_of)
			continue;
		snprintf(name, sizeof(name), "%s:%s", plan->group, probes->probe[i].name);
		ret = add_name(&plan->events, &plan->event_count, name);
		if (!ret && probes->probe[i].reads_format)
			ret = add_name(&plan->events, &plan->event_count,
				       probes->probe[i].replaces);
	}
	sort_events(plan);
	return ret;
}

static int choose_defaults(struct selection *sel, struct plan *plan)
{
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(default_events); i++) {
		if (choose(sel, default_events[i], WHOLE, true) || is_glob(default_events[i]))
			continue;
		ret = add_name(&plan->missing, &plan->missing_count, default_events[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* TRACE_FLAG_HARDIRQ, TRACE_FLAG_SOFTIRQ: what is done in an interrupt is no task's. */
#define OF_A_TASK "!(common_flags & 24)"

/* Where a task gives a packet to a device, and where netfilter may drop it before that. */
static const struct {
	const char *event, *field, *condition;
} sends[] = {
	{ "net_dev_queue", NULL, "" },
	{ "nf_hook_slow", " hook=", " && hook == 3" }, /* NF_INET_LOCAL_OUT */
};

static const struct probe *probe_of(const struct plan *plan, const char *event)
{
	size_t len = strlen(plan->group), i;

	for (i = 0; plan->probes && i < plan->probes->nr; i++)
		if (!strncmp(event, plan->group, len) && event[len] == ':' &&
		    !strcmp(event + len + 1, plan->probes->probe[i].name))
			return &plan->probes->probe[i];
	return NULL;
}

static int add_stack(struct plan *plan, enum plan_phase phase, const char *event, size_t row)
{
	const struct probe *probe = probe_of(plan, event);
	/* what the event's own filter drops would have a stack trace nevertheless */
	const char *filter = probe ? probe->filter : NULL;
	size_t colon = strcspn(event, ":");
	char file[256], *value = NULL;
	int ret;

	if (sends[row].field && !(probe && strstr(probe->definition, sends[row].field)))
		return 0;
	snprintf(file, sizeof(file), "events/%.*s/%s/trigger", (int)colon, event,
		 event + colon + 1);
	if (phase == PLAN_UNDO)
		value = strdup("!stacktrace");
	else if (asprintf(&value, "stacktrace if " OF_A_TASK "%s%s%s%s", sends[row].condition,
			  filter ? " && (" : "", filter ? filter : "", filter ? ")" : "") < 0)
		value = NULL;
	if (!value)
		return -ENOMEM;
	ret = plan_add_step(plan, phase, PLAN_WRITE, plan->instance_dir, file, value);
	if (!ret)
		plan->steps[plan->step_count - 1].optional = phase == PLAN_SETUP;
	free(value);
	return ret;
}

int plan_stacks(struct plan *plan, enum plan_phase phase)
{
	size_t i, row;
	int ret = 0;

	for (i = 0; i < plan->event_count && !ret; i++)
		for (row = 0; row < ARRAY_SIZE(sends) && !ret; row++)
			if (!strcmp(name_of(plan->events[i]), sends[row].event) &&
			    !plan_event_doubled(plan->probes, plan->events[i]))
				ret = add_stack(plan, phase, plan->events[i], row);
	return ret;
}

static int add_triggers(struct plan *plan, enum plan_phase phase, const struct probe *probe)
{
	char file[256], value[256];
	size_t i;
	int ret = 0;

	snprintf(file, sizeof(file), "events/%s/%s/trigger", plan->group, probe->name);
	for (i = 0; i < PROBE_TRIGGERS && probe->trigger[i][0] && !ret; i++) {
		snprintf(value, sizeof(value), "%s%s", phase == PLAN_UNDO ? "!" : "",
			 probe->trigger[i]);
		ret = plan_add_step(plan, phase, PLAN_WRITE, plan->instance_dir, file, value);
	}
	return ret;
}

int plan_triggers(struct plan *plan, enum plan_phase phase)
{
	const struct probe *probe;
	char file[256];
	size_t i;
	int ret = 0;

	for (i = 0; plan->probes && i < plan->probes->nr && !ret; i++) {
		probe = &plan->probes->probe[i];
		if (!probe->trigger[0][0])
			continue;
		ret = add_triggers(plan, phase, probe);
		/* it was switched on with its group */
		snprintf(file, sizeof(file), "events/%s/%s/enable", plan->group, probe->name);
		if (!ret && phase == PLAN_SETUP)
			ret = plan_add_step(plan, phase, PLAN_WRITE, plan->instance_dir, file, "0");
	}
	return ret;
}

int plan_choose_events(const struct capture_request *rq, const struct features *f,
		       struct plan *plan, struct error *err)
{
	struct selection sel = { f, plan->probes, calloc(f->event_count + 1, sizeof(bool)) };
	bool memory = sel.chosen;
	int ret = 0;
	size_t i;

	if (memory && !rq->only_events)
		memory = !choose_defaults(&sel, plan);
	for (i = 0; plan->graph && i < ARRAY_SIZE(events_of_calls); i++)
		choose(&sel, events_of_calls[i], WHOLE, false);
	for (i = 0; i < rq->event_count && memory && !ret; i++)
		ret = choose_asked(&sel, rq->events[i], err);
	for (i = 0; i < f->event_count && memory && !ret; i++)
		if (sel.chosen[i] && !plan_event_doubled(plan->probes, f->events[i]))
			memory = !add_name(&plan->events, &plan->event_count, f->events[i]);
	if (memory && !ret)
		memory = !add_probe_events(plan);
	free(sel.chosen);
	if (!memory)
		return error_errno(err, ENOMEM, "cannot choose the events");
	if (!ret && !plan->event_count)
		return error_set(err, EINVAL,
				 "this kernel has none of the events that show packets");
	return ret;
}
