// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probe events that a capture would have on this kernel, and those that it would not.
 */
#include "cli/check_probes.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "capture/tap.h"
#include "kernel/features.h"

#define LINE_WIDTH 100

static void print_text(const char *text)
{
	struct strbuf safe = STRBUF_INIT;

	strbuf_put_escaped(&safe, text, strlen(text));
	fputs(strbuf_cstr(&safe), stdout);
	strbuf_free(&safe);
}

static void print_structs(const struct layout *l)
{
	int m;

	printf("\nstructures: %zu of %d members known, from %s", layout_known(l), MEMBER_COUNT,
	       structs_source_name(l->source));
	if (l->from[0]) {
		fputs(" (", stdout);
		print_text(l->from);
		putchar(')');
	}
	putchar('\n');
	if (!layout_known(l))
		puts("  not asked: a capture, and 'skbtrail structs --calibrate', can find them out by "
		     "sending packets\n  in a private network, which takes about a second and is kept");
	for (m = 0; m < MEMBER_COUNT && layout_known(l); m++)
		if (!layout_has(l, (enum member)m))
			printf("  unknown: %s\n", member_name((enum member)m));
}

/* Names, as many as fit on a line. */
static void print_placed(const struct probes *probes, u8 tier)
{
	int column = LINE_WIDTH;
	const char *name;
	size_t i;

	for (i = 0; i < probes->nr; i++) {
		if (probes->probe[i].tier != tier || probes->probe[i].instead_of)
			continue;
		name = probes->probe[i].name;
		if (column + 1 + (int)strlen(name) > LINE_WIDTH)
			column = printf("%s    %s", column < LINE_WIDTH ? "\n" : "", name);
		else
			column += printf(" %s", name);
	}
	if (column < LINE_WIDTH)
		putchar('\n');
}

static size_t count_tier(const struct probes *probes, u8 tier)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < probes->nr; i++)
		count += probes->probe[i].tier == tier && !probes->probe[i].instead_of;
	return count;
}

void check_print_probes(const struct layout *layout, const struct probes *probes)
{
	const struct probe_missing *m;
	size_t count, i;
	u8 tier;

	if (probes->nr)
		print_structs(layout);
	printf("\nprobe events of a capture:%s\n", probes->nr ? "" : " none");
	for (tier = TIER_T1; tier <= TIER_T3; tier++) {
		count = count_tier(probes, tier);
		if (!count)
			continue;
		printf("  %s (%s), %zu:\n", tier_describe((enum tier)tier)->name,
		       tier_describe((enum tier)tier)->needs, count);
		print_placed(probes, tier);
	}
	if (probes->nr_missing)
		puts("  not to be placed:");
	for (i = 0; i < probes->nr_missing; i++) {
		m = &probes->missing[i];
		printf("    %s: %s%s%s\n", m->name, m->why, m->substitute[0] ? "; instead: " : "",
		       m->substitute);
	}
}

/* Whether a capture has no headers by itself. */
static bool lacks_headers(const struct layout *layout, const struct probes *probes)
{
	return probes->tier <= TIER_T0 || !layout_has(layout, SKB_DATA);
}

void check_print_tap(const struct layout *layout, const struct probes *probes)
{
	struct error err = { 0 };

	if (!lacks_headers(layout, probes))
		return;
	if (tap_try(&err))
		printf("  packet headers: none, and no packet sockets: %s\n", err.text);
	else
		printf("  packet headers: by packet sockets, when trace, record or demo are told "
		       "%s--tap\n",
		       probes->tier > TIER_T0 ? "--tier T0 " : "");
}

static const char *ends_words(const struct flowprobes *flows)
{
	if (flows->tcp_ends && flows->udp_ends)
		return "told";
	return flows->tcp_ends ? "told of TCP only" : "of TCP when they close";
}

void check_print_flows(const struct flowprobes *flows)
{
	const struct probe_missing *m;
	size_t i;

	printf("\nsockets (skbtrail flows): %s%s\n", flow_source_words(flows->source),
	       flows->source == FLOW_SOURCE_STATES ? "; with --tap those of packets" : "");
	printf("  ends of sockets: %s; splice(2) from TCP sockets: %s\n", ends_words(flows),
	       flows->splices ? "told" : "not told");
	for (i = 0; i < flows->probes.nr_missing; i++) {
		m = &flows->probes.missing[i];
		printf("    %s: %s\n", m->name, m->why);
	}
}

static struct json_object *flows_json(const struct flowprobes *flows)
{
	static const char *const sources[] = { [FLOW_SOURCE_STATES] = "states",
					       [FLOW_SOURCE_CALLS] = "calls",
					       [FLOW_SOURCE_RESULTS] = "results",
					       [FLOW_SOURCE_WHOLE] = "results_with_addresses" };
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "source", json_object_new_string(sources[flows->source]));
	if (flows->source == FLOW_SOURCE_STATES)
		json_object_object_add(obj, "bytes_with_tap", json_object_new_string("packets"));
	json_object_object_add(obj, "tcp_ends", json_object_new_boolean(flows->tcp_ends));
	json_object_object_add(obj, "udp_ends", json_object_new_boolean(flows->udp_ends));
	json_object_object_add(obj, "splices", json_object_new_boolean(flows->splices));
	json_object_object_add(obj, "probes", json_object_new_int64((s64)flows->probes.nr));
	return obj;
}

static struct json_object *tap_json(const struct layout *layout, const struct probes *probes)
{
	struct json_object *obj = json_object_new_object();
	struct error err = { 0 };
	bool possible = !tap_try(&err);

	json_object_object_add(obj, "possible", json_object_new_boolean(possible));
	json_object_object_add(obj, "recommended",
			       json_object_new_boolean(possible && lacks_headers(layout, probes)));
	if (!possible)
		json_object_object_add(obj, "why", json_object_new_string(err.text));
	return obj;
}

static struct json_object *structs_json(const struct layout *l)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *unknown = json_object_new_array();
	int m;

	json_object_object_add(obj, "source",
			       json_object_new_string(structs_source_name(l->source)));
	json_object_object_add(obj, "from", json_object_new_string(l->from));
	json_object_object_add(obj, "known", json_object_new_int64((int64_t)layout_known(l)));
	for (m = 0; m < MEMBER_COUNT; m++)
		if (!layout_has(l, (enum member)m))
			json_object_array_add(unknown,
					      json_object_new_string(member_name((enum member)m)));
	json_object_object_add(obj, "unknown", unknown);
	return obj;
}

static struct json_object *placed_json(const struct probe *p)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "event", json_object_new_string(p->name));
	json_object_object_add(obj, "on", json_object_new_string(p->function));
	json_object_object_add(obj, "tier",
			       json_object_new_string(tier_describe((enum tier)p->tier)->name));
	return obj;
}

static struct json_object *missing_json(const struct probe_missing *m)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "name", json_object_new_string(m->name));
	json_object_object_add(obj, "why", json_object_new_string(m->why));
	if (m->substitute[0])
		json_object_object_add(obj, "substitute", json_object_new_string(m->substitute));
	return obj;
}

static struct json_object *probes_json(const struct probes *probes)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *placed = json_object_new_array();
	struct json_object *missing = json_object_new_array();
	size_t i;

	json_object_object_add(
		obj, "tier", json_object_new_string(tier_describe((enum tier)probes->tier)->name));
	json_object_object_add(obj, "why_not_higher",
			       json_object_new_string(probes->why_not_higher));
	for (i = 0; i < probes->nr; i++)
		if (!probes->probe[i].instead_of)
			json_object_array_add(placed, placed_json(&probes->probe[i]));
	json_object_object_add(obj, "placed", placed);
	for (i = 0; i < probes->nr_missing; i++)
		json_object_array_add(missing, missing_json(&probes->missing[i]));
	json_object_object_add(obj, "missing", missing);
	return obj;
}

int check_add_json(struct strbuf *doc, const struct layout *layout, const struct probes *probes,
		   const struct flowprobes *flows)
{
	struct json_object *obj = json_tokener_parse(strbuf_cstr(doc));
	const char *text = NULL;

	if (obj) {
		json_object_object_add(obj, "structs", structs_json(layout));
		json_object_object_add(obj, "probes", probes_json(probes));
		json_object_object_add(obj, "tap", tap_json(layout, probes));
		json_object_object_add(obj, "flows", flows_json(flows));
		text = json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PRETTY |
								   JSON_C_TO_STRING_NOSLASHESCAPE);
	}
	doc->len = 0;
	if (text)
		strbuf_puts(doc, text);
	strbuf_putc(doc, '\n');
	json_object_put(obj);
	return text && !doc->failed ? 0 : -ENOMEM;
}
