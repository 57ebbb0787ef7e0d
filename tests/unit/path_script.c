// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See path_script.h.
 */
#include "path_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the kernel's format of an event of that kind has. */
static u8 has_of(const struct step *step)
{
	u8 has = step->len ? EVENT_HAS_LEN : 0;

	if (step->proto)
		has |= EVENT_HAS_PROTO;
	if (step->location)
		has |= EVENT_HAS_LOCATION;
	else if (step->cookie)
		has |= EVENT_HAS_COOKIE;
	if (step->kind == EVENT_XMIT)
		has |= EVENT_HAS_RET;
	else if (step->kind == EVENT_DROP && step->reason)
		has |= EVENT_HAS_REASON;
	return has;
}

static void keep(void *ctx, struct path *path)
{
	struct scene *scene = ctx;
	size_t size = path->nr_hops * sizeof(*path->hops);
	struct path *copy;

	if (scene->nr == scene->cap) {
		scene->cap = scene->cap ? scene->cap * 2 : 64;
		scene->done = realloc(scene->done, scene->cap * sizeof(*scene->done));
	}
	copy = &scene->done[scene->nr++];
	*copy = *path;
	copy->hops = malloc(size ? size : 1);
	memcpy(copy->hops, path->hops, size);
}

static enum free_site site(void *ctx, const struct event *ev)
{
	(void)ctx;
	return ev->location == ICMP_SITE ? FREE_SITE_ICMP : FREE_SITE_PLAIN;
}

static bool shared(void *ctx, u16 dev)
{
	struct scene *scene = ctx;

	scene->asked_shared++;
	return scene->shared && !strcmp(devnames_text(&scene->devs, dev), scene->shared);
}

void scene_begin(struct scene *scene)
{
	u32 max_live = scene->options.max_live;

	scene->options = (struct paths_options){
		.path_done = keep,
		.free_site = site,
		.name_shared = shared,
		.ctx = scene,
		.max_live = max_live,
	};
	if (paths_new(&scene->paths, &scene->options, NULL) || devnames_init(&scene->devs))
		abort();
}

void scene_end(struct scene *scene)
{
	size_t i;

	paths_free(scene->paths);
	devnames_free(&scene->devs);
	for (i = 0; i < scene->nr; i++)
		free(scene->done[i].hops);
	free(scene->done);
	memset(scene, 0, sizeof(*scene));
}

void scene_event(struct scene *scene, const struct step *step)
{
	struct event ev = {
		.ts_ns = step->us * NSEC_PER_USEC,
		.skb = step->skb,
		.location = step->location,
		.netns_cookie = step->cookie,
		.len_bytes = step->len,
		.reason = step->reason,
		.ret = step->ret,
		.pid = step->pid ? step->pid : 100,
		.type = 1,
		.proto = step->proto,
		.cpu = step->cpu,
		.kind = step->kind,
		.context = EVENT_CONTEXT_KNOWN,
		.has = has_of(step),
	};

	if (step->softirq)
		ev.context |= EVENT_IN_SOFTIRQ;
	if (step->dev)
		ev.dev = devnames_intern(&scene->devs, step->dev, strlen(step->dev));
	paths_event(scene->paths, &ev);
}

void scene_play(struct scene *scene, const struct step *steps, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		scene_event(scene, &steps[i]);
}

void scene_finish(struct scene *scene)
{
	paths_finish(scene->paths);
}

const char *scene_devices(struct scene *scene, size_t path)
{
	const struct path *p = path < scene->nr ? &scene->done[path] : NULL;
	size_t len = 0;
	u16 last = 0;
	u32 i;

	scene->text[0] = '\0';
	for (i = 0; p && i < p->nr_hops; i++) {
		if (!p->hops[i].dev || p->hops[i].dev == last || p->hops[i].kind == EVENT_XMIT)
			continue;
		last = p->hops[i].dev;
		len += (size_t)snprintf(scene->text + len, sizeof(scene->text) - len, "%s%s",
					len ? ">" : "", devnames_text(&scene->devs, last));
		if (len >= sizeof(scene->text))
			break;
	}
	return scene->text;
}

const struct path *scene_path(const struct scene *scene, u64 us)
{
	size_t i;

	for (i = 0; i < scene->nr; i++)
		if (scene->done[i].first_ns == us * NSEC_PER_USEC)
			return &scene->done[i];
	return NULL;
}
