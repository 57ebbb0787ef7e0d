// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A path as one line of JSON. What is not known is absent: never null, never 0. Documented in
 * skbtrail-json(5); later versions only add fields.
 */
#include <errno.h>
#include <json-c/json.h>

#include "render/render.h"

static void add_u64(struct json_object *obj, const char *key, u64 value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

/* Text that may hold any byte: JSON wants valid UTF-8, so what is not is escaped as on screen. */
static void add_text(struct json_object *obj, const char *key, const char *text, size_t len)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_put_escaped(&sb, text, len);
	json_object_object_add(obj, key, json_object_new_string(strbuf_cstr(&sb)));
	strbuf_free(&sb);
}

static void add_hex(struct json_object *obj, const char *key, u64 value)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_put_hex(&sb, value);
	json_object_object_add(obj, key, json_object_new_string(strbuf_cstr(&sb)));
	strbuf_free(&sb);
}

static void add_proto(struct json_object *obj, u16 proto)
{
	const char *name = render_proto(proto);

	if (name)
		json_object_object_add(obj, "proto", json_object_new_string(name));
	else if (proto)
		add_hex(obj, "proto", proto);
}

static void add_task(struct json_object *obj, const struct hop *hop,
		     const struct render_names *names)
{
	const char *comm = names->comms ? comms_find(names->comms, hop->pid) : NULL;

	if (hop->pid <= 0 || !(hop->context & EVENT_CONTEXT_KNOWN) ||
	    hop->context & (EVENT_IN_SOFTIRQ | EVENT_IN_HARDIRQ))
		return;
	add_u64(obj, "pid", (u64)hop->pid);
	if (comm)
		add_text(obj, "comm", comm, strlen(comm));
}

static void add_reason(struct json_object *obj, const struct hop *hop,
		       const struct render_names *names)
{
	const char *reason;

	if (!(hop->has & EVENT_HAS_REASON))
		return;
	reason = schema_reason(&names->schema->types[hop->type], hop->reason);
	if (reason)
		add_text(obj, "reason", reason, strlen(reason));
	else
		add_hex(obj, "reason", hop->reason);
}

static void add_location(struct json_object *obj, const struct hop *hop,
			 const struct render_names *names)
{
	struct strbuf sb = STRBUF_INIT;

	if (!(hop->has & EVENT_HAS_LOCATION))
		return;
	render_location(&sb, hop->location, names);
	json_object_object_add(obj, "location", json_object_new_string(strbuf_cstr(&sb)));
	strbuf_free(&sb);
}

static struct json_object *hop_json(const struct path *path, const struct hop *hop,
				    const struct render_names *names)
{
	struct json_object *obj = json_object_new_object();
	const struct netns *ns;
	const char *dev;

	if (!obj)
		return NULL;
	add_u64(obj, "ts_ns", hop->ts_ns);
	add_u64(obj, "cpu", hop->cpu);
	json_object_object_add(obj, "event",
			       json_object_new_string(names->schema->types[hop->type].title));
	if (hop->dev) {
		dev = devnames_text(&names->schema->devs, hop->dev);
		add_text(obj, "dev", dev, strlen(dev));
	}
	ns = names->topology ? topology_netns(names->topology, hop) : NULL;
	if (ns) {
		add_text(obj, "netns", ns->name, strlen(ns->name));
		add_u64(obj, "netns_inum", ns->inum);
	}
	if (hop->has & EVENT_HAS_COOKIE)
		add_u64(obj, "netns_cookie", hop->netns_cookie);
	add_hex(obj, "skb", path->skb);
	if (hop->has & EVENT_HAS_LEN)
		add_u64(obj, "len", hop->len_bytes);
	if (hop->has & EVENT_HAS_PROTO)
		add_proto(obj, hop->proto);
	if (hop->has & EVENT_HAS_RET)
		json_object_object_add(obj, "ret", json_object_new_int(hop->ret));
	add_reason(obj, hop, names);
	add_location(obj, hop, names);
	add_task(obj, hop, names);
	return obj;
}

static struct json_object *end_json(const struct path *path, const struct render_names *names)
{
	struct json_object *obj = json_object_new_object(), *copy;
	const struct hop *hop;

	if (!obj)
		return NULL;
	json_object_object_add(obj, "state", json_object_new_string(render_state(path->state)));
	if (path->end_hop >= 0) {
		hop = &path->hops[path->end_hop];
		add_reason(obj, hop, names);
		add_location(obj, hop, names);
		add_u64(obj, "ts_ns", hop->ts_ns);
	}
	if (path->acted_on)
		json_object_object_add(obj, "inferred_from",
				       json_object_new_string("sent_meanwhile"));
	if (path->raw_copy) {
		copy = json_object_new_object();
		add_hex(copy, "skb", path->raw_skb);
		add_u64(copy, "ts_ns", path->raw_ts_ns);
		if (path->raw_pid > 0)
			add_u64(copy, "pid", (u64)path->raw_pid);
		json_object_object_add(copy, "matched_by", json_object_new_string("length+time"));
		json_object_object_add(obj, "raw_socket_copy", copy);
	}
	return obj;
}

static void add_len(struct json_object *obj, const struct path *path)
{
	u32 i;

	for (i = 0; i < path->nr_hops; i++)
		if (path->hops[i].has & EVENT_HAS_LEN) {
			add_u64(obj, "len", path->hops[i].len_bytes);
			return;
		}
}

int render_json(struct strbuf *sb, const struct path *path, const struct render_names *names)
{
	struct json_object *obj = json_object_new_object(), *hops;
	const char *text;
	size_t len;
	u32 i;

	if (!obj)
		return -ENOMEM;
	add_u64(obj, "packet", path->number);
	add_u64(obj, "first_ns", path->first_ns);
	add_proto(obj, path->proto);
	add_len(obj, path);
	hops = json_object_new_array();
	for (i = 0; i < path->nr_hops; i++)
		json_object_array_add(hops, hop_json(path, &path->hops[i], names));
	json_object_object_add(obj, "hops", hops);
	if (path->cut_hops)
		add_u64(obj, "cut_hops", path->cut_hops);
	json_object_object_add(obj, "end", end_json(path, names));
	json_object_object_add(obj, "complete",
			       json_object_new_string(render_completeness(path->complete)));
	if (path->lost)
		add_u64(obj, "lost", path->lost);
	if (path->lost_uncounted)
		json_object_object_add(obj, "lost_uncounted", json_object_new_boolean(1));
	text = json_object_to_json_string_length(
		obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	if (text) {
		strbuf_put(sb, text, len);
		strbuf_putc(sb, '\n');
	}
	json_object_put(obj);
	return text && !sb->failed ? 0 : -ENOMEM;
}
