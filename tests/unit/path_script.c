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
	struct scene *sc = ctx;
	size_t size = path->nr_hops * sizeof(*path->hops);
	struct path *copy;

	if (sc->nr == sc->cap) {
		sc->cap = sc->cap ? sc->cap * 2 : 64;
		sc->done = realloc(sc->done, sc->cap * sizeof(*sc->done));
	}
	copy = &sc->done[sc->nr++];
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
	       ev->location == PART_SITE ? FREE_SITE_PART :
					   FREE_SITE_PLAIN;
}

static bool shared(void *ctx, u16 dev)
{
	struct scene *sc = ctx;

	sc->asked_shared++;
	return sc->shared && !strcmp(devnames_text(&sc->devs, dev), sc->shared);
}

struct scene scene;

void scene_begin(struct scene *sc)
{
	sc->options.path_done = keep;
	sc->options.free_site = site;
	sc->options.name_shared = shared;
	sc->options.ctx = sc;
	if (paths_new(&sc->paths, &sc->options, NULL) || devnames_init(&sc->devs))
		abort();
}

void scene_end(struct scene *sc)
{
	size_t i;

	paths_free(sc->paths);
	devnames_free(&sc->devs);
	for (i = 0; i < sc->nr; i++)
		drop_copy(&sc->done[i]);
	free(sc->done);
	memset(sc, 0, sizeof(*sc));
}

void scene_event(struct scene *sc, const struct step *step)
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
		ev.dev = devnames_intern(&sc->devs, step->dev, strlen(step->dev));
	paths_event(sc->paths, &ev);
}

void scene_play(struct scene *sc, const struct step *steps, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		scene_event(sc, &steps[i]);
}

void scene_finish(struct scene *sc)
{
	paths_finish(sc->paths);
}

const char *scene_devices(struct scene *sc, size_t path)
{
	const struct path *p = path < sc->nr ? &sc->done[path] : NULL;
	size_t len = 0;
	u16 last = 0;
	u32 i;

	sc->text[0] = '\0';
	for (i = 0; p && i < p->nr_hops; i++) {
		if (!p->hops[i].dev || p->hops[i].dev == last || p->hops[i].kind == EVENT_XMIT)
			continue;
		last = p->hops[i].dev;
		len += (size_t)snprintf(sc->text + len, sizeof(sc->text) - len, "%s%s",
					len ? ">" : "", devnames_text(&sc->devs, last));
		if (len >= sizeof(sc->text))
			break;
	}
	return sc->text;
}

const struct path *scene_path(const struct scene *sc, u64 us)
{
	size_t i;

	for (i = 0; i < sc->nr; i++)
		if (sc->done[i].first_ns == us * NSEC_PER_USEC)
			return &sc->done[i];
	return NULL;
}

u32 path_views(const struct path *path)
{
	const struct packet_view *view;
	u32 nr = 0;

	for (view = path->views; view; view = view->next)
		nr++;
	return nr;
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

int scene_setup(void **state)
{
	(void)state;
	scene_begin(&scene);
	return 0;
}

int scene_teardown(void **state)
{
	(void)state;
	scene_end(&scene);
	return 0;
}
