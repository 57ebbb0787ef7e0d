// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a request and a kernel's features to the ordered list of tracefs writes.
 *
 * In:  struct capture_request, struct features.
 * Out: struct plan. Pure: the same input gives the same list, on any machine.
 *
 * The order matters: tracing is off before anything else, the clock comes before the events since
 * changing it empties the buffer, and tracing goes on in one last write. Definitions come after the instance
 * whose lock says that they have an owner. They go after it, too: as long as there is an instance in which an
 * event was once on, its removal makes the kernel empty buffers and wait for readers, several times for each
 * (70 ms an event instead of 20).
 *
 * What cannot be undone: older kernels (5.10, 6.1) allocate the top-level buffers (1.4 MiB per CPU)
 * when the first event since boot is switched on, in whichever instance.
 */
#include "capture/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/plan_events.h"
#include "capture/plan_steps.h"

#define DEFAULT_CLOCK "mono"
#define BUFFER_KB_MAX (1ULL << 30)
#define MEMORY_SHARE 8 /* the default buffers take at most 1/8 of what is free */

int plan_add_step(struct plan *plan, enum plan_phase phase, enum plan_op op, const char *dir,
		  const char *file, const char *value)
{
	struct plan_step *steps;
	struct plan_step *step;

	steps = reallocarray(plan->steps, plan->step_count + 1, sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	plan->steps = steps;
	step = &steps[plan->step_count];
	step->optional = false;
	step->phase = phase;
	step->op = op;
	step->value = value ? strdup(value) : NULL;
	if (asprintf(&step->path, "%s%s%s", dir, file[0] ? "/" : "", file) < 0)
		step->path = NULL;
	plan->step_count++;
	return step->path && (step->value || !value) ? 0 : -ENOMEM;
}

static int add_step(struct plan *plan, enum plan_phase phase, enum plan_op op, const char *file,
		    const char *value)
{
	return plan_add_step(plan, phase, op, plan->instance_dir, file, value);
}

static int add_number(struct plan *plan, const char *file, u64 number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return add_step(plan, PLAN_SETUP, PLAN_WRITE, file, text);
}

static bool has_clock(const struct features *f, const char *clock)
{
	size_t i;

	for (i = 0; i < f->clock_count; i++)
		if (!strcmp(f->clocks[i], clock))
			return true;
	return !f->clock_count; /* unknown: the kernel will tell */
}

static int choose_clock(const struct capture_request *rq, const struct features *f,
			struct plan *plan, struct error *err)
{
	const char *clock = rq->clock ? rq->clock : DEFAULT_CLOCK;
	struct strbuf names = STRBUF_INIT;
	size_t i;

	if (has_clock(f, clock) && clock[0] && strlen(clock) < sizeof(plan->clock)) {
		snprintf(plan->clock, sizeof(plan->clock), "%s", clock);
		return 0;
	}
	for (i = 0; i < f->clock_count; i++)
		strbuf_printf(&names, " %s", f->clocks[i]);
	error_set(err, EINVAL, "this kernel has no trace clock '%s'; it has:%s%s", clock,
		  strbuf_cstr(&names), rq->clock ? "" : " (choose one with --clock)");
	strbuf_free(&names);
	return -EINVAL;
}

static int choose_buffer(const struct capture_request *rq, const struct features *f,
			 struct plan *plan, struct error *err)
{
	u64 cpus = f->cpus ? f->cpus : 1;
	u64 share = f->mem_available_kb / MEMORY_SHARE / cpus;

	plan->buffer_kb = rq->buffer_kb;
	if (!rq->buffer_kb) {
		plan->buffer_kb = PLAN_BUFFER_KB_DEFAULT;
		if (f->mem_available_kb && share < plan->buffer_kb)
			plan->buffer_kb = share;
		if (plan->buffer_kb < PLAN_BUFFER_KB_FLOOR)
			plan->buffer_kb = PLAN_BUFFER_KB_FLOOR;
		return 0;
	}
	if (rq->buffer_kb > BUFFER_KB_MAX)
		return error_set(err, EINVAL, "a buffer of %llu KiB per CPU is too large",
				 (unsigned long long)rq->buffer_kb);
	if (f->mem_available_kb && rq->buffer_kb * cpus > f->mem_available_kb)
		return error_set(err, EINVAL,
				 "a buffer of %llu KiB for each of %llu CPUs is more than "
				 "the %llu KiB of memory that are free",
				 (unsigned long long)rq->buffer_kb, (unsigned long long)cpus,
				 (unsigned long long)f->mem_available_kb);
	return 0;
}

/* One line for each probe that is meant to be placed at first: its definition, or its removal. */
static int add_probe_lines(struct plan *plan, enum plan_phase phase)
{
	const struct probes *probes = plan->probes;
	struct strbuf lines = STRBUF_INIT;
	size_t i;
	int ret;

	for (i = 0; i < probes->nr; i++) {
		if (probes->probe[i].instead_of)
			continue;
		if (lines.len)
			strbuf_putc(&lines, '\n');
		if (phase == PLAN_UNDO)
			strbuf_printf(&lines, "-:%s/%s", plan->group, probes->probe[i].name);
		else
			strbuf_puts(&lines, probes->probe[i].definition);
	}
	ret = lines.failed ? -ENOMEM :
			     plan_add_step(plan, phase, PLAN_APPEND, plan->tracing_dir,
					   "dynamic_events", strbuf_cstr(&lines));
	strbuf_free(&lines);
	return ret;
}

/* The group of our probe events is switched on in one go, all others one by one. */
static bool is_ours(const struct plan *plan, const char *event)
{
	size_t len = strlen(plan->group);

	return !strncmp(event, plan->group, len) && event[len] == ':';
}

static int add_events(struct plan *plan)
{
	char file[512];
	size_t at;
	size_t i;
	int ret = 0;

	for (i = 0; i < plan->event_count && !ret; i++) {
		if (is_ours(plan, plan->events[i]) ||
		    plan_event_doubled(plan->probes, plan->events[i]))
			continue;
		at = strcspn(plan->events[i], ":");
		snprintf(file, sizeof(file), "events/%.*s/%s/enable", (int)at, plan->events[i],
			 plan->events[i] + at + 1);
		ret = add_step(plan, PLAN_SETUP, PLAN_WRITE, file, "1");
	}
	if (!ret && plan->probes) {
		snprintf(file, sizeof(file), "events/%s/enable", plan->group);
		ret = add_step(plan, PLAN_SETUP, PLAN_WRITE, file, "1");
	}
	return ret;
}

static int add_filters(struct plan *plan)
{
	const struct probe *probe;
	char file[256];
	size_t i;
	int ret = 0;

	for (i = 0; i < plan->probes->nr && !ret; i++) {
		probe = &plan->probes->probe[i];
		if (!probe->filter)
			continue;
		snprintf(file, sizeof(file), "events/%s/%s/filter", plan->group, probe->name);
		ret = add_step(plan, PLAN_SETUP, PLAN_FILTER, file, probe->filter);
	}
	return ret;
}

static int add_setup(const struct capture_request *rq, const struct features *f, struct plan *plan)
{
	int ret;

	ret = plan_add_step(plan, PLAN_SETUP, PLAN_MKDIR, plan->owner_dir, "", NULL);
	if (!ret)
		ret = plan_graph_save(plan);
	if (!ret)
		ret = add_step(plan, PLAN_SETUP, PLAN_WRITE, "tracing_on", "0");
	if (!ret)
		ret = add_step(plan, PLAN_SETUP, PLAN_WRITE, "trace_clock", plan->clock);
	if (!ret)
		ret = add_number(plan, "buffer_size_kb", plan->buffer_kb);
	if (!ret && rq->buffer_percent >= 0 && f->cap[FEATURE_BUFFER_PERCENT].ok)
		ret = add_number(plan, "buffer_percent", (u64)rq->buffer_percent);
	if (!ret && plan->probes)
		ret = add_probe_lines(plan, PLAN_SETUP);
	if (!ret && plan->probes)
		ret = add_filters(plan);
	if (!ret)
		ret = add_events(plan);
	if (!ret)
		ret = plan_triggers(plan, PLAN_SETUP);
	if (!ret && rq->stacks)
		ret = plan_stacks(plan, PLAN_SETUP);
	return ret ? ret : plan_graph_arm(plan);
}

static int add_start_and_undo(const struct capture_request *rq, struct plan *plan)
{
	int ret;

	ret = add_step(plan, PLAN_START, PLAN_WRITE, "tracing_on", "1");
	if (!ret)
		ret = add_step(plan, PLAN_UNDO, PLAN_WRITE, "tracing_on", "0");
	if (!ret)
		ret = plan_graph_off(plan);
	/* an event with a trigger is in use, and a probe event then cannot be removed */
	if (!ret && rq->stacks)
		ret = plan_stacks(plan, PLAN_UNDO);
	if (!ret)
		ret = plan_triggers(plan, PLAN_UNDO);
	if (!ret)
		ret = add_step(plan, PLAN_UNDO, PLAN_WRITE, "events/enable", "0");
	if (!ret)
		ret = plan_graph_restore(plan);
	if (!ret)
		ret = plan_add_step(plan, PLAN_UNDO, PLAN_RMDIR, plan->owner_dir, "", NULL);
	if (!ret && plan->probes)
		ret = add_probe_lines(plan, PLAN_UNDO);
	return ret;
}

int plan_build(const struct capture_request *rq, const struct features *f, struct plan *plan,
	       struct error *err)
{
	int ret;

	memset(plan, 0, sizeof(*plan));
	if (rq->buffer_percent > 100)
		return error_set(err, EINVAL, "a buffer cannot be filled to %d %%",
				 rq->buffer_percent);
	plan->graph = rq->graph && rq->graph->on ? rq->graph : NULL;
	plan->tracing_dir = strdup(f->tracing_dir);
	if (asprintf(&plan->owner_dir, "%s/instances/skbtrail-%u", f->tracing_dir, rq->pid) < 0)
		plan->owner_dir = NULL;
	if (plan->owner_dir)
		plan->instance_dir =
			strdup(plan->graph && plan->graph->top ? f->tracing_dir : plan->owner_dir);
	if (!plan->tracing_dir || !plan->instance_dir)
		return error_errno(err, ENOMEM, "cannot plan the capture");
	plan->probes = rq->probes && rq->probes->nr ? rq->probes : NULL;
	plan->tier = plan->probes ? plan->probes->tier : TIER_T0;
	snprintf(plan->group, sizeof(plan->group), "skbtrail_%u", rq->pid);
	ret = choose_clock(rq, f, plan, err);
	if (!ret)
		ret = choose_buffer(rq, f, plan, err);
	if (!ret)
		ret = plan_choose_events(rq, f, plan, err);
	if (ret)
		return ret;
	ret = add_setup(rq, f, plan);
	if (!ret)
		ret = add_start_and_undo(rq, plan);
	return ret ? error_errno(err, -ret, "cannot plan the capture") : 0;
}

static void free_strings(char **strings, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

void plan_free(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->step_count; i++) {
		free(plan->steps[i].path);
		free(plan->steps[i].value);
	}
	free(plan->steps);
	free_strings(plan->events, plan->event_count);
	free_strings(plan->missing, plan->missing_count);
	free(plan->tracing_dir);
	free(plan->instance_dir);
	free(plan->owner_dir);
	memset(plan, 0, sizeof(*plan));
}

/* One shell word, whatever its bytes are. */
static void put_word(struct strbuf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./:,+@%=";

	if (word[0] && !word[strspn(word, plain)]) {
		strbuf_puts(out, word);
		return;
	}
	strbuf_putc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_puts(out, "'\\''");
		else
			strbuf_putc(out, *word);
	}
	strbuf_putc(out, '\'');
}

static void put_write(struct strbuf *out, const char *value, const char *to, const char *path)
{
	/* echo of some shells reads options and backslashes */
	if (value[0] == '-' || strchr(value, '\\'))
		strbuf_puts(out, "printf '%s\\n' ");
	else
		strbuf_puts(out, "echo ");
	put_word(out, value);
	strbuf_puts(out, to);
	put_word(out, path);
	strbuf_putc(out, '\n');
}

static void put_appends(struct strbuf *out, const struct plan_step *step)
{
	struct strbuf line = STRBUF_INIT;
	const char *at = step->value;
	size_t len;

	do {
		len = strcspn(at, "\n");
		line.len = 0;
		strbuf_put(&line, at, len);
		put_write(out, strbuf_cstr(&line), " >> ", step->path);
		at += len;
	} while (*at++);
	strbuf_free(&line);
}

/* The command's process is known only once it is there; a shell that will become it knows. */
static void put_pids(struct strbuf *out, const struct plan_step *step)
{
	if (step->value) {
		put_write(out, step->value, " > ", step->path);
		return;
	}
	strbuf_puts(out, "echo $$ > ");
	put_word(out, step->path);
	strbuf_puts(out, " # and run the command with exec\n");
}

/* A shell's > would truncate the file, which removes the triggers that are there. */
static bool is_trigger(const struct plan_step *step)
{
	const char *name = strrchr(step->path, '/');

	return name && !strcmp(name, "/trigger");
}

static void put_step(struct strbuf *out, const struct plan_step *step)
{
	switch (step->op) {
	case PLAN_WRITE:
	case PLAN_FILTER:
	case PLAN_RESTORE:
		put_write(out, step->value, is_trigger(step) ? " >> " : " > ", step->path);
		break;
	case PLAN_APPEND:
		put_appends(out, step);
		break;
	case PLAN_WORDS:
		put_write(out, step->value, " >> ", step->path);
		break;
	case PLAN_PIDS:
		put_pids(out, step);
		break;
	case PLAN_CLEAR:
		strbuf_puts(out, "echo > ");
		put_word(out, step->path);
		strbuf_putc(out, '\n');
		break;
	case PLAN_SAVE:
		strbuf_printf(out, "# (the undo below is first written to %s)\n", step->path);
		break;
	case PLAN_FORGET:
		break;
	case PLAN_MKDIR:
	case PLAN_RMDIR:
		strbuf_puts(out, step->op == PLAN_MKDIR ? "mkdir " : "rmdir ");
		put_word(out, step->path);
		strbuf_putc(out, '\n');
		break;
	}
}

static void put_phase(struct strbuf *out, const struct plan *plan, enum plan_phase phase,
		      const char *comment)
{
	size_t i;

	strbuf_printf(out, "# %s\n", comment);
	for (i = 0; i < plan->step_count; i++)
		if (plan->steps[i].phase == phase)
			put_step(out, &plan->steps[i]);
}

void plan_print_shell(const struct plan *plan, struct strbuf *out)
{
	put_phase(out, plan, PLAN_SETUP, "set up (as root)");
	put_phase(out, plan, PLAN_START, "start");
	put_phase(out, plan, PLAN_UNDO, "undo (or: skbtrail clean)");
}
