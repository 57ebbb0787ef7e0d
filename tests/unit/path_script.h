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
/* The code that frees what ICMP has no use for, and any other. */
#define ICMP_SITE 0xffffffff81111111ULL
#define DROP_SITE 0xffffffff82222222ULL

struct step {
	u64 us, skb, location, cookie;
	const char *dev;
	u32 len, reason;
	s32 ret, pid;
	u16 cpu, proto;
	u8 kind;
	bool softirq;
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
#define SOFTIRQ .softirq = true

struct scene {
	struct paths *paths;
	struct paths_options options;
	struct devnames devs;
	struct path *done; /* copies, with their hops, in the order they were handed out */
	size_t nr, cap;
	const char *shared; /* a name that devices in several netns have */
	u32 asked_shared;
	char text[4096];
};

void scene_begin(struct scene *scene);
void scene_end(struct scene *scene);
void scene_event(struct scene *scene, const struct step *step);
void scene_play(struct scene *scene, const struct step *steps, size_t nr);
/** scene_finish - the trace ends */
void scene_finish(struct scene *scene);
/** scene_devices - "br0>veth1>eth0", the devices of a finished path one after another */
const char *scene_devices(struct scene *scene, size_t path);
/** scene_path - a finished path that began so many microseconds after the start, or NULL */
const struct path *scene_path(const struct scene *scene, u64 us);

#endif
