// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Applying a plan to tracefs and taking it back.
 *
 * In:  struct plan.
 * Out: a private instance in the state the plan describes; afterwards none.
 *
 * Nothing is written that is not a step of the plan, so that --dry-run tells the truth. The
 * owner's lock is taken by the mkdir step and let go only after the rmdir step.
 */
#include "capture/session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <tracefs.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "capture/saved.h"
#include "capture/session_probes.h"
#include "kernel/dynevents.h"
#include "kernel/tracedir.h"

struct session {
	const struct plan *plan;
	struct session_probes probes;
	int owner;    /* holds the flock; -1 before the instance exists */
	int saved;    /* holds that of SAVED_FILE; -1 while nothing is to be restored */
	int left_out; /* -errno of the first optional step that was refused; 0: none */
};

/* The step that switches all of our probe events on. */
static bool enables_probes(const struct plan *plan, const struct plan_step *step)
{
	size_t len = strlen(step->path);
	char tail[64];
	size_t skip;

	snprintf(tail, sizeof(tail), "/events/%s/enable", plan->group);
	skip = strlen(tail);
	return plan->probes && len > skip && !strcmp(step->path + len - skip, tail);
}

/* What the kernel itself said about the last thing it refused in this instance, if anything. */
static void append_kernel_words(const struct plan *plan, struct error *err)
{
	/* NULL is the top level */
	const char *name = strcmp(plan->instance_dir, plan->tracing_dir) ?
				   strrchr(plan->instance_dir, '/') + 1 :
				   NULL;
	struct tracefs_instance *instance;
	struct error before;
	char *log = NULL;
	char *words;

	instance = err ? tracefs_instance_alloc(plan->tracing_dir, name) : NULL;
	if (instance)
		log = tracefs_error_last(instance);
	words = log ? strstr(log, "error: ") : NULL;
	if (words) {
		words[strcspn(words, "\n")] = '\0';
		before = *err;
		error_set(err, before.code, "%.700s; the kernel says: %.300s", before.text,
			  words + strlen("error: "));
	}
	free(log);
	tracefs_instance_free(instance);
}

static int do_write(const struct plan_step *step)
{
	switch (step->op) {
	case PLAN_CLEAR:
		return tracedir_clear(step->path);
	case PLAN_WORDS:
		return tracedir_write_words(step->path, step->value);
	case PLAN_PIDS:
		return step->value ? tracedir_write(step->path, step->value) : -ESRCH;
	default:
		return tracedir_write(step->path, step->value);
	}
}

static int run_write(struct session *session, const struct plan_step *step, struct error *err)
{
	int ret = do_write(step);

	if (!ret)
		return 0;
	if (enables_probes(session->plan, step))
		return session_probes_enable(&session->probes, err) ? -ENOTSUP : 0;
	error_errno(err, -ret, "cannot write '%.200s' to %s%s", step->value ? step->value : "",
		    step->path,
		    ret == -EPERM || ret == -EACCES ?
			    " (locked down? 'skbtrail check' tells more)" :
			    "");
	append_kernel_words(session->plan, err);
	return ret;
}

static int run_append(struct session *session, const struct plan_step *step, struct error *err)
{
	if (step->phase == PLAN_UNDO)
		return dynevents_remove(step->path, session->plan->group, err);
	return session_probes_define(&session->probes, step->path, err) ? -ENOTSUP : 0;
}

/* Whether a step changes something that is not ours, but saved. */
static bool is_elsewhere(const struct plan *plan, const struct plan_step *step)
{
	size_t len = strlen(plan->owner_dir);

	return step->op != PLAN_APPEND &&
	       (strncmp(step->path, plan->owner_dir, len) || !strchr("/", step->path[len]));
}

static int run_save(struct session *session, const struct plan_step *save, struct error *err)
{
	const struct plan *plan = session->plan;
	struct strbuf text = STRBUF_INIT;
	const struct plan_step *step;
	size_t i;
	int fd;

	for (i = 0; i < plan->step_count; i++) {
		step = &plan->steps[i];
		if (step->phase == PLAN_UNDO && step->op != PLAN_FORGET && is_elsewhere(plan, step))
			saved_put(&text, step->path, step->value);
	}
	fd = saved_create(save->path, &text, err);
	strbuf_free(&text);
	session->saved = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
}

static int run_step(struct session *session, const struct plan_step *step, struct error *err)
{
	int ret = 0;

	switch (step->op) {
	case PLAN_MKDIR:
		ret = instance_create(session->plan->tracing_dir, step->path, err);
		if (ret >= 0) {
			session->owner = ret;
			ret = 0;
		}
		break;
	case PLAN_WRITE:
	case PLAN_WORDS:
	case PLAN_PIDS:
	case PLAN_RESTORE:
	case PLAN_CLEAR:
		ret = run_write(session, step, err);
		break;
	case PLAN_SAVE:
		ret = run_save(session, step, err);
		break;
	case PLAN_FORGET:
		saved_remove(step->path, session->saved);
		session->saved = -1;
		break;
	case PLAN_APPEND:
		ret = run_append(session, step, err);
		break;
	case PLAN_FILTER:
		ret = session_probes_filter(&session->probes, step->path, step->value);
		break;
	case PLAN_RMDIR:
		ret = instance_remove(step->path);
		if (ret)
			error_errno(err, -ret, "cannot remove %s%s", step->path,
				    ret == -EBUSY ? " (some process still has a file in it open)" :
						    "");
		break;
	}
	return ret;
}

static int run_phase(struct session *session, enum plan_phase phase, struct error *err)
{
	const struct plan *plan = session->plan;
	size_t i;
	int ret;

	for (i = 0; i < plan->step_count; i++) {
		if (plan->steps[i].phase != phase || (plan->steps[i].optional && session->left_out))
			continue;
		ret = run_step(session, &plan->steps[i], plan->steps[i].optional ? NULL : err);
		if (ret && plan->steps[i].optional)
			session->left_out = ret;
		else if (ret)
			return ret;
	}
	return 0;
}

/*
 * All of the undo, whatever fails on the way: what counts is whether instance and probes are gone.
 *
 * Between the end of the instance and that of the probe events nobody must take these for leftovers.
 */
static int run_undo(struct session *session, struct error *err)
{
	const struct plan *plan = session->plan;
	int lock = -1;
	int last = 0;
	size_t i;
	int ret;

	if (plan->probes)
		lock = instances_lock(plan->tracing_dir, LOCK_SH, NULL);
	for (i = 0; i < plan->step_count; i++) {
		if (plan->steps[i].phase != PLAN_UNDO)
			continue;
		/* what was not saved is somebody else's, and what is not restored stays saved */
		if (is_elsewhere(plan, &plan->steps[i]) && session->saved < 0)
			continue;
		if (plan->steps[i].op == PLAN_FORGET && last)
			continue;
		if (plan->steps[i].op == PLAN_WRITE)
			ret = tracedir_write(plan->steps[i].path, plan->steps[i].value);
		else
			ret = run_step(session, &plan->steps[i], last ? NULL : err);
		if (plan->steps[i].op != PLAN_WRITE && ret && !last)
			last = ret;
	}
	if (lock >= 0)
		close(lock);
	return last;
}

static void session_free(struct session *session)
{
	if (session->owner >= 0)
		close(session->owner);
	if (session->saved >= 0)
		close(session->saved);
	session_probes_free(&session->probes);
	free(session);
}

int session_open(struct plan *plan, struct session **out, struct error *err)
{
	struct session *session = calloc(1, sizeof(*session));
	int ret;

	*out = NULL;
	if (!session)
		return error_errno(err, ENOMEM, "cannot set up a capture");
	session->plan = plan;
	session->owner = -1;
	session->saved = -1;
	ret = session_probes_init(&session->probes, plan);
	ret = ret ? error_errno(err, -ret, "cannot set up a capture") :
		    run_phase(session, PLAN_SETUP, err);
	if (!ret) {
		*out = session;
		return 0;
	}
	/* before the mkdir succeeded nothing is ours to undo */
	if (session->owner >= 0 && run_undo(session, NULL))
		error_prepend(err, "(%s is left; run: skbtrail clean) ", plan->owner_dir);
	session_free(session);
	return ret;
}

const struct session_refusal *session_refused(const struct session *session, size_t *count)
{
	*count = session->probes.nr_refused;
	return session->probes.refused;
}

const struct session_refusal *session_unfiltered(const struct session *session, size_t *count)
{
	*count = session->probes.nr_unfiltered;
	return session->probes.unfiltered;
}

int session_left_out(const struct session *session)
{
	return session->left_out;
}

int session_start(struct session *session, struct error *err)
{
	return run_phase(session, PLAN_START, err);
}

int session_stop(struct session *session, struct error *err)
{
	const struct plan *plan = session->plan;
	size_t i;

	/* the first of the undo steps, alone */
	for (i = 0; i < plan->step_count; i++)
		if (plan->steps[i].phase == PLAN_UNDO && plan->steps[i].op == PLAN_WRITE)
			return run_step(session, &plan->steps[i], err);
	return 0;
}

int session_clear(const struct session *session)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/trace", session_dir(session)) >= PATH_MAX)
		return -ENAMETOOLONG;
	/* the kernel takes the truncation for the order, not what is written */
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return close(fd) ? -errno : 0;
}

const struct plan *session_plan(const struct session *session)
{
	return session->plan;
}

const char *session_dir(const struct session *session)
{
	return session->plan->instance_dir;
}

int session_close(struct session **session, struct error *err)
{
	struct session *closing = *session;
	int ret;

	if (!closing)
		return 0;
	*session = NULL;
	ret = run_undo(closing, err);
	if (ret && err)
		error_prepend(err, "the capture is not completely undone (run: skbtrail clean): ");
	session_free(closing);
	return ret;
}
