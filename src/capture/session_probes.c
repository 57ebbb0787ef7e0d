// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probe events of a session.
 *
 * In:  plan->probes.
 * Out: definitions in dynamic_events, and none of them afterwards; plan->events as they really are.
 *
 * The kernel takes the lines of one write in order and stops at the first that it does not like. How many
 * of ours are listed then tells which one that was, so that a write is needed only for each refusal.
 */
#include "capture/session_probes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/dynevents.h"
#include "kernel/tracedir.h"

int session_probes_init(struct session_probes *p, struct plan *plan)
{
	size_t nr = plan->probes ? plan->probes->nr : 0;

	p->plan = plan;
	p->placed = calloc(nr + 1, sizeof(*p->placed));
	p->refused = calloc(nr + 1, sizeof(*p->refused));
	p->unfiltered = calloc(nr + 1, sizeof(*p->unfiltered));
	p->nr_refused = p->nr_unfiltered = 0;
	return p->placed && p->refused && p->unfiltered ? 0 : -ENOMEM;
}

void session_probes_free(struct session_probes *p)
{
	free(p->placed);
	free(p->refused);
	free(p->unfiltered);
	memset(p, 0, sizeof(*p));
}

/* Switch a tracepoint on that a refused probe was to replace. */
static int use_tracepoint(struct session_probes *p, const char *event)
{
	char *path;
	int ret;

	if (asprintf(&path, "%s/events/%.*s/%s/enable", p->plan->instance_dir,
		     (int)strcspn(event, ":"), event, strchr(event, ':') + 1) < 0)
		return -ENOMEM;
	ret = tracedir_write(path, "1");
	free(path);
	return ret ? ret : plan_add_event(p->plan, event);
}

static int refuse(struct session_probes *p, size_t index, int code)
{
	const struct probe *probe = &p->plan->probes->probe[index];
	char name[128];

	p->refused[p->nr_refused].probe = probe;
	p->refused[p->nr_refused].code = code;
	p->nr_refused++;
	p->placed[index] = false;
	snprintf(name, sizeof(name), "%s:%s", p->plan->group, probe->name);
	plan_drop_event(p->plan, name);
	return probe->replaces ? use_tracepoint(p, probe->replaces) : 0;
}

static int join_definitions(const struct session_probes *p, const size_t *list, size_t nr,
			    struct strbuf *out)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (i)
			strbuf_putc(out, '\n');
		strbuf_puts(out, p->plan->probes->probe[list[i]].definition);
	}
	return out->failed ? -ENOMEM : 0;
}

/*
 * One write for a list of probes.
 * Return: how many were dealt with, the refused one that ended it included; -errno when nothing helps.
 */
static ssize_t define_some(struct session_probes *p, const char *path, const size_t *list,
			   size_t nr)
{
	struct strbuf lines = STRBUF_INIT;
	size_t before, after, taken, i;
	int ret, refusal;

	ret = dynevents_count(path, p->plan->group, &before);
	if (!ret)
		ret = join_definitions(p, list, nr, &lines);
	if (ret) {
		strbuf_free(&lines);
		return ret;
	}
	refusal = tracedir_append(path, strbuf_cstr(&lines));
	strbuf_free(&lines);
	taken = nr;
	if (refusal == -EPERM || refusal == -EACCES)
		return refusal;
	if (refusal) {
		ret = dynevents_count(path, p->plan->group, &after);
		if (ret || after < before || after - before >= nr)
			return ret ? ret : refusal;
		taken = after - before;
	}
	for (i = 0; i < taken; i++)
		p->placed[list[i]] = true;
	if (!refusal)
		return (ssize_t)nr;
	ret = refuse(p, list[taken], -refusal);
	return ret ? ret : (ssize_t)taken + 1;
}

static int define_list(struct session_probes *p, const char *path, const size_t *list, size_t nr)
{
	size_t done = 0;
	ssize_t some;

	while (done < nr) {
		some = define_some(p, path, list + done, nr - done);
		if (some < 0)
			return (int)some;
		done += (size_t)some;
	}
	return 0;
}

/* Those that are to be tried when others were refused. */
static size_t list_stand_ins(const struct session_probes *p, size_t *list)
{
	const struct probes *probes = p->plan->probes;
	size_t nr = 0;
	size_t i, j;

	for (i = 0; i < probes->nr; i++)
		for (j = 0; j < p->nr_refused; j++)
			if (probes->probe[i].instead_of &&
			    p->refused[j].probe == &probes->probe[probes->probe[i].instead_of - 1])
				list[nr++] = i;
	return nr;
}

static int add_stand_ins(struct session_probes *p, const char *path, size_t *list)
{
	size_t nr = list_stand_ins(p, list);
	char name[128];
	int ret = 0;
	size_t i;

	for (i = 0; i < nr && !ret; i++) {
		snprintf(name, sizeof(name), "%s:%s", p->plan->group,
			 p->plan->probes->probe[list[i]].name);
		ret = plan_add_event(p->plan, name);
	}
	return ret ? ret : define_list(p, path, list, nr);
}

static size_t settle_tier(struct session_probes *p)
{
	const struct probes *probes = p->plan->probes;
	size_t placed = 0;
	size_t i;

	p->plan->tier = TIER_T0;
	for (i = 0; i < probes->nr; i++) {
		if (!p->placed[i])
			continue;
		placed++;
		if (probes->probe[i].tier > p->plan->tier)
			p->plan->tier = probes->probe[i].tier;
	}
	return placed;
}

int session_probes_define(struct session_probes *p, const char *path, struct error *err)
{
	const struct probes *probes = p->plan->probes;
	size_t *list = calloc(probes->nr + 1, sizeof(*list));
	size_t nr = 0;
	size_t i;
	int ret;

	if (!list)
		return error_errno(err, ENOMEM, "cannot define the probe events");
	for (i = 0; i < probes->nr; i++)
		if (!probes->probe[i].instead_of)
			list[nr++] = i;
	ret = define_list(p, path, list, nr);
	if (!ret && p->nr_refused)
		ret = add_stand_ins(p, path, list);
	free(list);
	if (!settle_tier(p) && !ret)
		ret = -p->refused[0].code;
	return ret ? error_errno(err, -ret, "cannot define the probe events in %s", path) : 0;
}

/* The probe that events/<group>/<name>/filter belongs to. */
static size_t probe_of_file(const struct session_probes *p, const char *path)
{
	const struct probes *probes = p->plan->probes;
	const char *end = strrchr(path, '/'), *name = end;
	size_t i;

	while (name > path && name[-1] != '/')
		name--;
	for (i = 0; i < probes->nr; i++)
		if (strlen(probes->probe[i].name) == (size_t)(end - name) &&
		    !memcmp(probes->probe[i].name, name, (size_t)(end - name)))
			break;
	return i;
}

int session_probes_filter(struct session_probes *p, const char *path, const char *filter)
{
	size_t index = probe_of_file(p, path);
	int ret;

	/* the kernel may not have taken the probe */
	if (index == p->plan->probes->nr || !p->placed[index])
		return 0;
	ret = tracedir_write(path, filter);
	if (!ret)
		return 0;
	p->unfiltered[p->nr_unfiltered].probe = &p->plan->probes->probe[index];
	p->unfiltered[p->nr_unfiltered].code = -ret;
	p->nr_unfiltered++;
	return 0;
}

/* Whether the file of the event says that it is on; as good as on when it cannot be read. */
static bool is_on(const char *path)
{
	struct strbuf text = STRBUF_INIT;
	bool off;

	off = !strbuf_read_file(&text, path, 64) && strbuf_cstr(&text)[0] == '0';
	strbuf_free(&text);
	return !off;
}

int session_probes_enable(struct session_probes *p, struct error *err)
{
	const struct probes *probes = p->plan->probes;
	char *path;
	size_t i;
	int ret = 0;

	for (i = 0; i < probes->nr && !ret; i++) {
		if (!p->placed[i])
			continue;
		if (asprintf(&path, "%s/events/%s/%s/enable", p->plan->instance_dir, p->plan->group,
			     probes->probe[i].name) < 0)
			return error_errno(err, ENOMEM, "cannot switch the probe events on");
		if (!is_on(path)) {
			ret = tracedir_write(path, "1");
			ret = ret ? refuse(p, i, -ret) : 0;
		}
		free(path);
	}
	if (!settle_tier(p) && !ret)
		ret = -p->refused[0].code;
	return ret ? error_errno(err, -ret, "cannot switch the probe events on") : 0;
}
