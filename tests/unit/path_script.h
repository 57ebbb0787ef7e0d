/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets' stories as tables of events, played to the analysis; what it makes of them is kept.
 *
 *	static const struct step ping[] = {
 *		QUEUE(0, A, "br0", 98), START(1, A, "br0", 98), ...
 *	};
 *	scene_play(&scene, ping, ARRAY_SIZE(ping));
 *	assert_string_equal(scene_devices(&scene, 0), "br0>veth1>eth0");
 *
 * Times are microseconds. What a step does not say is as in task 100, on CPU 0.
 */
#ifndef SKBTRAIL_TESTS_PATH_SCRIPT_H
#define SKBTRAIL_TESTS_PATH_SCRIPT_H

#include "analysis/paths.h"
#include "decode/devnames.h"

/* Addresses. */
#define A 0xffff888100000100ULL
#define B 0xffff888100000200ULL
#define C 0xffff888100000300ULL
#define D 0xffff888100000400ULL
/* The code that frees what ICMP has no use for, and any other. */
#define ICMP_SITE 0xffffffff81111111ULL
#define DROP_SITE 0xffffffff82222222ULL
/* Where TCP's state machine frees what it is done with. */
#define TCP_SITE 0xffffffff83333333ULL
/* Where a packet's data is freed, and the packets that were hung into it. */
#define PART_SITE 0xffffffff84444444ULL

struct step {
	u64 us, skb, location, cookie, other;
	const struct skb_facts
		*facts; /* what a probe saw besides; of what it names nothing is copied */
	const char *dev;
	u32 len, reason;
	s32 ret, pid;
	u16 cpu, proto;
	u8 kind, layer;
	bool softirq, hardirq, has_ret;
};

#define STEP(k, t, s, d, l, ...)                                                          \
	{                                                                                 \
		.kind = (k), .us = (t), .skb = (s), .dev = (d), .len = (l), ##__VA_ARGS__ \
	}
#define QUEUE(t, s, d, l, ...) STEP(EVENT_QUEUE, t, s, d, l, ##__VA_ARGS__)
#define START(t, s, d, l, ...) STEP(EVENT_START_XMIT, t, s, d, l, ##__VA_ARGS__)
#define XMIT(t, s, d, l, ...) STEP(EVENT_XMIT, t, s, d, l, ##__VA_ARGS__)
#define RX_ENTRY(t, s, d, l, ...) STEP(EVENT_RX_ENTRY, t, s, d, l, ##__VA_ARGS__)
#define RX(t, s, d, l, ...) STEP(EVENT_RX, t, s, d, l, ##__VA_ARGS__)
#define GRO(t, s, d, l, ...) STEP(EVENT_GRO, t, s, d, l, ##__VA_ARGS__)
#define RECEIVE_ENTRY(t, s, d, l, ...) STEP(EVENT_RECEIVE_ENTRY, t, s, d, l, ##__VA_ARGS__)
#define RECEIVE(t, s, d, l, ...) STEP(EVENT_RECEIVE, t, s, d, l, ##__VA_ARGS__)
#define COPY(t, s, l, ...) STEP(EVENT_COPY, t, s, NULL, l, ##__VA_ARGS__)
#define CONSUME(t, s, ...) STEP(EVENT_CONSUME, t, s, NULL, 0, ##__VA_ARGS__)
#define DROP(t, s, where, ...) STEP(EVENT_DROP, t, s, NULL, 0, .location = (where), ##__VA_ARGS__)
#define NOTE(t, s, ...) STEP(EVENT_NOTE, t, s, NULL, 0, ##__VA_ARGS__)
/* From probes. */
#define BIRTH(t, s, ...) STEP(EVENT_BIRTH, t, s, NULL, 0, ##__VA_ARGS__)
#define DEATH(t, s, ...) STEP(EVENT_DEATH, t, s, NULL, 0, ##__VA_ARGS__)
#define CLONE(t, s, new, ...) \
	STEP(EVENT_CLONE, t, s, NULL, 0, .other = (new), .layer = LAYER_CLONE, ##__VA_ARGS__)
#define CALL(t, s, l, ...) STEP(EVENT_CALL, t, s, NULL, 0, .layer = (l), ##__VA_ARGS__)
#define RETURN(t, l, ...) STEP(EVENT_RETURN, t, 0, NULL, 0, .layer = (l), ##__VA_ARGS__)
#define MERGE(t, s, into, ...) STEP(EVENT_MERGE, t, s, NULL, 0, .other = (into), ##__VA_ARGS__)
#define MORPH(t, s, src, ...) STEP(EVENT_MORPH, t, s, NULL, 0, .other = (src), ##__VA_ARGS__)
#define LAYER(t, s, l, ...) STEP(EVENT_LAYER, t, s, NULL, 0, .layer = (l), ##__VA_ARGS__)
#define HOOK(t, s, f, ...) \
	STEP(EVENT_HOOK, t, s, NULL, 0, .layer = LAYER_HOOK, .facts = (f), ##__VA_ARGS__)
#define TABLE(t, s, f, ...) \
	STEP(EVENT_TABLE, t, s, NULL, 0, .layer = LAYER_TABLE, .facts = (f), ##__VA_ARGS__)
#define HEADERS(t, s, f, ...) \
	STEP(EVENT_HEADERS, t, s, NULL, 0, .layer = LAYER_OTHER, .facts = (f), ##__VA_ARGS__)
#define FACTS(f) .facts = (f)
#define RET(v) .ret = (v), .has_ret = true
#define SOFTIRQ .softirq = true
#define HARDIRQ .hardirq = true

struct scene {
	struct paths *paths;
	struct paths_options options;
	struct devnames devs;
	/* Copies, with their hops, views and filters, in the order they were handed out. */
	struct path *done;
	size_t nr, cap;
	const char *shared; /* a name that devices in several netns have */
	u32 asked_shared;
	char text[4096];
};

/* That of a test program, which has one. */
extern struct scene scene;

#define PLAY(steps) scene_play(&scene, steps, ARRAY_SIZE(steps))

/** scene_setup, scene_teardown - for cmocka, of ->scene with the options that it has */
int scene_setup(void **state);
int scene_teardown(void **state);

/** scene_begin - of ->options the members max_live, exact, headers and carriers are the caller's */
void scene_begin(struct scene *sc);
void scene_end(struct scene *sc);
void scene_event(struct scene *sc, const struct step *step);
void scene_play(struct scene *sc, const struct step *steps, size_t nr);
/** scene_finish - the trace ends */
void scene_finish(struct scene *sc);
/** scene_devices - "br0>veth1>eth0", the devices of a finished path one after another */
const char *scene_devices(struct scene *sc, size_t path);
/** scene_path - a finished path that began so many microseconds after the start, or NULL */
const struct path *scene_path(const struct scene *sc, u64 us);
/** path_views - how often a path's headers changed, and once more */
u32 path_views(const struct path *path);
/** scene_linked - how many links of that kind a path has to another's number, as child or as parent */
u32 scene_linked(const struct path *path, u8 kind, bool child, u64 packet);

/** facts_of - what a probe sees of the packet of that name in packets.h, its first @len bytes or all */
struct skb_facts facts_of(const char *packet, u32 len);

#endif
