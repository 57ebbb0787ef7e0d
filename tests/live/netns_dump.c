// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints what netns_snapshot_take() sees, after a round trip through JSON, for netns.sh.
 *
 * In:  optional: how many times to take it (for timing; the fastest in ms goes to stderr).
 * Out: the snapshot as JSON on stdout. Fails if the calling thread's netns is another afterwards.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "kernel/netns.h"

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static ino_t netns_here(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : st.st_ino;
}

static int take(struct netns_snapshot **snap, int times, struct error *err)
{
	double best = 1e9;
	int ret = 0;

	while (times-- > 0 && !ret) {
		double start = now_ms();

		netns_snapshot_free(*snap);
		*snap = NULL;
		ret = netns_snapshot_take(snap, err);
		if (now_ms() - start < best)
			best = now_ms() - start;
	}
	fprintf(stderr, "%.1f ms\n", best);
	return ret;
}

static int print(const struct netns_snapshot *snap, struct error *err)
{
	struct json_object *json = netns_snapshot_to_json(snap);
	struct json_object *parsed, *again;
	struct netns_snapshot *back;
	int ret = 1;

	parsed = json_tokener_parse(json_object_to_json_string(json));
	if (!netns_snapshot_from_json(parsed, &back, err)) {
		again = netns_snapshot_to_json(back);
		ret = !json_object_equal(json, again);
		if (ret)
			fprintf(stderr, "the JSON changed on a round trip\n");
		puts(json_object_to_json_string_ext(again, JSON_C_TO_STRING_PRETTY));
		json_object_put(again);
		netns_snapshot_free(back);
	}
	json_object_put(parsed);
	json_object_put(json);
	return ret;
}

int main(int argc, char **argv)
{
	struct netns_snapshot *snap = NULL;
	struct error err = { 0 };
	ino_t before = netns_here();
	int ret = 1;

	if (!take(&snap, argc > 1 ? atoi(argv[1]) : 1, &err))
		ret = print(snap, &err);
	netns_snapshot_free(snap);
	if (err.text[0])
		fprintf(stderr, "%s\n", err.text);
	if (netns_here() != before) {
		fprintf(stderr, "the caller is in another netns now\n");
		ret = 1;
	}
	return ret;
}
