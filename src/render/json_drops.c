// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Groups of dropped packets as lines of JSON. What is not known is absent; documented in
 * skbtrail-json(5), later versions only add fields.
 */
#include <errno.h>
#include <stdio.h>

#include "decode/packet_text.h"
#include "render/drops.h"
#include "render/json_util.h"

static void add_text(struct json_object *obj, const char *key, const char *text)
{
	if (text)
		json_add_text(obj, key, text, strlen(text));
}

static void add_addr(struct json_object *obj, const char *key, const u8 *addr, u8 version)
{
	struct strbuf sb = STRBUF_INIT;

	packet_put_addr(&sb, addr, version);
	add_text(obj, key, strbuf_cstr(&sb));
	strbuf_free(&sb);
}

static void add_ports(struct json_object *obj, const struct drop_group *g)
{
	bool src = g->key.flow.port_of == DROP_PORT_SRC;

	if (!g->key.flow.port_of)
		return;
	json_add_u64(obj, src ? "sport" : "dport", g->key.flow.port);
	if (!g->other_ports)
		json_add_u64(obj, src ? "dport" : "sport", g->other_port);
}

static struct json_object *flow_json(const struct drop_group *g)
{
	const struct drop_flow *f = &g->key.flow;
	struct json_object *obj = json_object_new_object();
	char number[16];

	snprintf(number, sizeof(number), "0x%04x", f->ethertype);
	if (f->ethertype)
		add_text(obj, "proto",
			 render_proto(f->ethertype) ? render_proto(f->ethertype) : number);
	if (f->version && f->ethertype != 0x0806) {
		snprintf(number, sizeof(number), "%u", f->proto);
		add_text(obj, "l4",
			 packet_proto_name(f->proto) ? packet_proto_name(f->proto) : number);
	}
	if (f->version) {
		add_addr(obj, "src", f->src, f->version);
		add_addr(obj, "dst", f->dst, f->version);
	}
	add_ports(obj, g);
	if (f->has_type && f->ethertype == 0x0806) {
		json_add_u64(obj, "arp_op", f->type);
	} else if (f->has_type) {
		json_add_u64(obj, "type", f->type);
		json_add_u64(obj, "code", f->code);
	}
	return obj;
}

int render_drop_json(struct strbuf *sb, const struct drop_group *g)
{
	struct json_object *obj = json_object_new_object();

	if (!obj)
		return -ENOMEM;
	json_add_u64(obj, "count", g->count);
	json_add_u64(obj, "bytes", g->bytes);
	json_add_u64(obj, "first_ns", g->first_ns);
	json_add_u64(obj, "last_ns", g->last_ns);
	add_text(obj, "reason", g->words.reason);
	add_text(obj, "location", g->words.location);
	if (g->key.has_hook) {
		add_text(obj, "hook", render_hook(g->key.pf, g->key.hook));
		add_text(obj, "pf", render_hook_family(g->key.pf));
	}
	add_text(obj, "function", g->words.function);
	add_text(obj, "table", g->words.table);
	add_text(obj, "chain", g->words.chain);
	json_object_object_add(obj, "flow", flow_json(g));
	add_text(obj, "dev", g->words.dev);
	add_text(obj, "netns", g->words.netns);
	json_add_u64(obj, "example", g->example);
	return json_put_line(sb, obj);
}

void render_drops_rest(struct strbuf *sb, u64 ungrouped, bool json)
{
	if (!ungrouped)
		return;
	if (json)
		strbuf_printf(sb, "{\"ungrouped\":%llu}\n", (unsigned long long)ungrouped);
	else
		strbuf_printf(sb, "%8llu  more, of more flows than are counted apart\n\n",
			      (unsigned long long)ungrouped);
}
