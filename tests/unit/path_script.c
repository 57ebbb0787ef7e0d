// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See path_script.h.
 */
#include "unit.h"

#include "made_packet.h"
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
	if (step->facts)
		has |= EVENT_HAS_FACTS;
	if (step->kind == EVENT_XMIT || step->has_ret)
		has |= EVENT_HAS_RET;
	else if (step->kind == EVENT_DROP && step->reason)
		has |= EVENT_HAS_REASON;
	return has;
}

/* The path's own memory is used again. */
static void keep_views(struct path *copy)
{
	struct packet_view **at, *view;
	u32 i;

	for (at = &copy->views; *at; at = &(*at)->next) {
		view = malloc(sizeof(*view));
		*view = **at;
		for (i = 0; i < copy->nr_hops; i++)
			if (copy->hops[i].view == *at)
				copy->hops[i].view = view;
		*at = view;
	}
}

static void keep_filters(struct path *copy)
{
	struct hop_filter **at, *filter;
	u32 i;

	for (at = &copy->filters; *at; at = &(*at)->next) {
		filter = malloc(sizeof(*filter));
		*filter = **at;
		for (i = 0; i < copy->nr_hops; i++)
			if (hop_filter_of(&copy->hops[i]) == *at)
				copy->hops[i].filter = filter;
		*at = filter;
	}
}

static void drop_copy(struct path *copy)
{
	struct packet_view *view;
	struct hop_filter *filter;

	while ((view = copy->views)) {
		copy->views = view->next;
		free(view);
	}
	while ((filter = copy->filters)) {
		copy->filters = filter->next;
		free(filter);
	}
	free(copy->link);
	free(copy->hops);
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
	if (path->link) {
		size = (path->nr_links < PATH_LINKS ? path->nr_links : PATH_LINKS) *
		       sizeof(*path->link);
		copy->link = malloc(size ? size : 1);
		memcpy(copy->link, path->link, size);
	}
	keep_views(copy);
	keep_filters(copy);
}

static enum free_site site(void *ctx, const struct event *ev)
{
	(void)ctx;
	return ev->location == ICMP_SITE ? FREE_SITE_ICMP :
	       ev->location == TCP_SITE	 ? FREE_SITE_TCP :
					   FREE_SITE_PLAIN;
}

static bool shared(void *ctx, u16 dev)
{
	struct scene *scene = ctx;

	scene->asked_shared++;
	return scene->shared && !strcmp(devnames_text(&scene->devs, dev), scene->shared);
}

void scene_begin(struct scene *scene)
{
	scene->options.path_done = keep;
	scene->options.free_site = site;
	scene->options.name_shared = shared;
	scene->options.ctx = scene;
	if (paths_new(&scene->paths, &scene->options, NULL) || devnames_init(&scene->devs))
		abort();
}

void scene_end(struct scene *scene)
{
	size_t i;

	paths_free(scene->paths);
	devnames_free(&scene->devs);
	for (i = 0; i < scene->nr; i++)
		drop_copy(&scene->done[i]);
	free(scene->done);
	memset(scene, 0, sizeof(*scene));
}

void scene_event(struct scene *scene, const struct step *step)
{
	struct event ev = {
		.ts_ns = step->us * NSEC_PER_USEC,
		.skb = step->skb,
		.location = step->location ? step->location : step->other,
		.netns_cookie = step->cookie,
		.len_bytes = step->len,
		.reason = step->reason,
		.ret = step->ret,
		.pid = step->pid ? step->pid : 100,
		.type = 1,
		.proto = step->proto,
		.cpu = step->cpu,
		.kind = step->kind,
		.layer = step->layer,
		.context = EVENT_CONTEXT_KNOWN,
		.has = has_of(step),
	};

	if (step->softirq)
		ev.context |= EVENT_IN_SOFTIRQ;
	if (step->hardirq)
		ev.context |= EVENT_IN_HARDIRQ;
	if (step->facts)
		ev.facts = step->facts;
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

u32 scene_linked(const struct path *path, u8 kind, bool child, u64 packet)
{
	u32 i, nr = 0;

	for (i = 0; i < path->nr_links && i < PATH_LINKS; i++)
		nr += path->link[i].kind == kind && path->link[i].child == child &&
		      path->link[i].packet == packet;
	return nr;
}

struct skb_facts facts_of(const char *packet, u32 len)
{
	const struct made_packet *m = made_packet(packet);
	struct skb_facts facts = { 0 };
	u8 *bytes;

	if (!len || len > made_len(m))
		len = made_len(m);
	bytes = made_bytes(m->hex, len);
	facts.has_packet = packet_parse_bytes(&facts.packet, bytes, len, 0);
	free(bytes);
	return facts;
}
