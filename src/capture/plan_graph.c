// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The steps of a capture with function_graph.
 *
 * In:  struct graph. Out: steps. Pure, as plan.c.
 *
 * The functions are chosen before the tracer is set, or the kernel would patch all of them first. Options of
 * the tracer exist in an instance only once it runs there. Some kernels have one set of these options for
 * all instances, so those of the top level are restored even if they were set in ours.
 */
#include "capture/plan_steps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/saved.h"

static int add(struct plan *plan, enum plan_op op, const char *dir, const char *file,
	       const char *value)
{
	return plan_add_step(plan, PLAN_SETUP, op, dir, file, value);
}

int plan_graph_save(struct plan *plan)
{
	if (!plan->graph || !plan->graph->nr_saved)
		return 0;
	return plan_add_step(plan, PLAN_SETUP, PLAN_SAVE, SAVED_FILE, "", NULL);
}

static int add_scope(struct plan *plan)
{
	const struct graph *g = plan->graph;
	char depth[16];
	int ret = 0;

	if (g->roots && g->roots[0])
		ret = add(plan, PLAN_WORDS, plan->tracing_dir, "set_graph_function", g->roots);
	snprintf(depth, sizeof(depth), "%u", g->max_depth);
	if (!ret && g->depth)
		ret = add(plan, PLAN_WRITE, plan->tracing_dir, "max_graph_depth", depth);
	if (!ret && g->noise && g->noise[0])
		ret = add(plan, PLAN_WORDS, plan->instance_dir, "set_ftrace_notrace", g->noise);
	return ret;
}

static int add_tasks(struct plan *plan)
{
	const struct graph *g = plan->graph;
	int ret;

	ret = add(plan, PLAN_PIDS, plan->instance_dir, "set_ftrace_pid", g->pids);
	if (!ret && g->fork)
		ret = add(plan, PLAN_WRITE, plan->instance_dir, "options/function-fork", "1");
	return ret;
}

static int add_options(struct plan *plan)
{
	const struct graph *g = plan->graph;
	const struct {
		bool there;
		const char *file, *value;
	} options[] = {
		{ g->irqs, "options/funcgraph-irqs", "0" },
		{ g->args, "options/funcgraph-args", "1" },
		{ g->retval, "options/funcgraph-retval", "1" },
		{ g->retaddr, "options/funcgraph-retaddr", "1" },
	};
	size_t i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(options) && !ret; i++)
		if (options[i].there)
			ret = add(plan, PLAN_WRITE, plan->instance_dir, options[i].file,
				  options[i].value);
	return ret;
}

int plan_graph_arm(struct plan *plan)
{
	int ret;

	if (!plan->graph)
		return 0;
	ret = add_tasks(plan);
	if (!ret)
		ret = add_scope(plan);
	if (!ret)
		ret = add(plan, PLAN_WRITE, plan->instance_dir, "current_tracer", "function_graph");
	return ret ? ret : add_options(plan);
}

int plan_graph_off(struct plan *plan)
{
	if (!plan->graph || plan->graph->top)
		return 0;
	return plan_add_step(plan, PLAN_UNDO, PLAN_WRITE, plan->instance_dir, "current_tracer",
			     "nop");
}

int plan_graph_restore(struct plan *plan)
{
	const struct graph *g = plan->graph;
	size_t i;
	int ret = 0;

	for (i = 0; g && i < g->nr_saved && !ret; i++)
		ret = plan_add_step(plan, PLAN_UNDO, g->saved[i].value ? PLAN_RESTORE : PLAN_CLEAR,
				    plan->tracing_dir, g->saved[i].file, g->saved[i].value);
	if (!ret && g && g->nr_saved)
		ret = plan_add_step(plan, PLAN_UNDO, PLAN_FORGET, SAVED_FILE, "", NULL);
	return ret;
}

int plan_set_pid(struct plan *plan, s32 pid)
{
	char text[16];
	size_t i;

	snprintf(text, sizeof(text), "%d", pid);
	for (i = 0; i < plan->step_count; i++) {
		if (plan->steps[i].op != PLAN_PIDS || plan->steps[i].value)
			continue;
		plan->steps[i].value = strdup(text);
		if (!plan->steps[i].value)
			return -ENOMEM;
	}
	return 0;
}
