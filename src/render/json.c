// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A path as one line of JSON. What is not known is absent: never null, never 0. Documented in
 * skbtrail-json(5); later versions only add fields.
 */
#include <errno.h>

#include "analysis/changes.h"
#include "decode/packet_text.h"
#include "render/chain.h"
#include "render/json_packet.h"
#include "render/json_util.h"
#include "render/render.h"

static void add_proto(struct json_object *obj, u16 proto)
{
	const char *name = render_proto(proto);

	if (name)
		json_object_object_add(obj, "proto", json_object_new_string(name));
	else if (proto)
		json_add_hex(obj, "proto", proto);
}

static void add_task(struct json_object *obj, const struct hop *hop,
		     const struct render_names *names)
{
	const char *comm = names->comms ? comms_find(names->comms, hop->pid) : NULL;

	if (hop->pid <= 0 || !(hop->context & EVENT_CONTEXT_KNOWN) ||
	    hop->context & (EVENT_IN_SOFTIRQ | EVENT_IN_HARDIRQ))
		return;
	json_add_u64(obj, "pid", (u64)hop->pid);
	if (comm)
		json_add_text(obj, "comm", comm, strlen(comm));
}

static void add_reason(struct json_object *obj, const struct hop *hop,
		       const struct render_names *names)
{
	const char *reason;

	if (!(hop->has & EVENT_HAS_REASON))
		return;
	reason = schema_reason(&names->schema->types[hop->type], hop->reason);
	if (reason)
		json_add_text(obj, "reason", reason, strlen(reason));
	else
		json_add_hex(obj, "reason", hop->reason);
}

static void add_location(struct json_object *obj, const struct hop *hop,
			 const struct render_names *names)
{
	struct strbuf sb = STRBUF_INIT;

	if (!(hop->has & EVENT_HAS_LOCATION))
		return;
	render_location(&sb, hop->location, names);
	json_add_built(obj, "location", &sb);
}

static void add_dev(struct json_object *obj, const char *key, u16 number,
		    const struct render_names *names)
{
	const char *dev = devnames_text(&names->schema->devs, number);

	if (number)
		json_add_text(obj, key, dev, strlen(dev));
}

static void add_netns(struct json_object *obj, const struct hop *hop,
		      const struct render_names *names)
{
	const struct netns *ns = names->topology ? topology_netns(names->topology, hop) : NULL;
	const char *from = render_netns_from(hop->netns_from);

	if (ns) {
		json_add_text(obj, "netns", ns->name, strlen(ns->name));
		json_add_u64(obj, "netns_inum", ns->inum);
	} else if (hop->netns_inum) {
		json_add_u64(obj, "netns_inum", hop->netns_inum);
	}
	if (hop->has & EVENT_HAS_COOKIE && !(hop->has & EVENT_HAS_FACTS)) {
		json_add_u64(obj, "netns_cookie", hop->netns_cookie);
		from = "cookie";
	}
	if (hop->netns_inum && from)
		json_object_object_add(obj, "netns_from", json_object_new_string(from));
	else if (ns)
		json_object_object_add(obj, "netns_from",
				       json_object_new_string(from ? from : "topology"));
}

static void add_word(struct json_object *obj, const char *key, const char *word, s64 number)
{
	if (word)
		json_object_object_add(obj, key, json_object_new_string(word));
	else
		json_object_object_add(obj, key, json_object_new_int64(number));
}

/* What netfilter did, as members of the hop or of a verdict. */
static void add_filter(struct json_object *obj, const struct path *path, const struct hop *hop,
		       const struct render_names *names)
{
	const struct hop_filter *filter = hop_filter_of(hop);
	struct strbuf sb = STRBUF_INIT;
	const char *chain;

	if (hop->kind == EVENT_HOOK) {
		add_word(obj, "hook", render_hook(filter->pf, filter->hook), filter->hook);
		add_word(obj, "pf", render_hook_family(filter->pf), filter->pf);
		add_dev(obj, "in", filter->in, names);
		add_dev(obj, "out", filter->out, names);
	}
	add_dev(obj, "table", filter->table, names);
	chain = hop->kind == EVENT_TABLE ? render_chain(path, hop, &names->schema->devs) : NULL;
	if (chain)
		json_add_text(obj, "chain", chain, strlen(chain));
	if (filter->has_verdict)
		add_word(obj, "verdict", render_verdict(filter->verdict), filter->verdict);
	if (!filter->function)
		return;
	render_location(&sb, filter->function, names);
	json_add_built(obj, "first_hook", &sb);
}

/* The packet at a hop, where it is told for the first time or changed. */
static void add_view(struct json_object *obj, const struct packet_view *view,
		     const struct packet_view *last)
{
	json_add_packet(obj, &view->packet, last ? &last->packet : NULL);
	if (view->has_mark && (view->mark || (last && last->has_mark && last->mark)))
		json_add_u64(obj, "mark", view->mark);
}

/* Where it is no probe's: of packet sockets, or the event that told addresses. */
static void add_headers_from(struct json_object *obj, bool tapped, u16 told_by,
			     const struct render_names *names)
{
	const char *from = tapped ? "tap" : told_by ? names->schema->types[told_by].name : NULL;

	if (from)
		json_object_object_add(obj, "headers_from", json_object_new_string(from));
}

static struct json_object *hop_json(const struct path *path, u32 i, const struct packet_view **last,
				    const struct render_names *names)
{
	struct json_object *obj = json_object_new_object();
	const struct hop *hop = &path->hops[i];

	if (!obj)
		return NULL;
	json_add_u64(obj, "ts_ns", hop->ts_ns);
	json_add_u64(obj, "cpu", hop->cpu);
	json_object_object_add(obj, "event",
			       json_object_new_string(names->schema->types[hop->type].title));
	add_dev(obj, "dev", hop->dev, names);
	add_netns(obj, hop, names);
	json_add_hex(obj, "skb", path->skb);
	if (hop->has & EVENT_HAS_LEN)
		json_add_u64(obj, "len", hop->len_bytes);
	if (hop->has & EVENT_HAS_PROTO)
		add_proto(obj, hop->proto);
	if (hop->has & EVENT_HAS_RET)
		json_object_object_add(obj, "ret", json_object_new_int(hop->ret));
	add_reason(obj, hop, names);
	add_location(obj, hop, names);
	add_task(obj, hop, names);
	if (hop_filter_of(hop))
		add_filter(obj, path, hop, names);
	if (hop->view && hop->view != *last)
		add_view(obj, hop->view, *last);
	add_headers_from(obj, hop->tapped, hop->told ? hop->type : 0, names);
	if (hop->view)
		*last = hop->view;
	return obj;
}

static struct json_object *hops_json(const struct path *path, const struct render_names *names)
{
	struct json_object *hops = json_object_new_array();
	const struct packet_view *last = NULL;
	u32 i;

	for (i = 0; i < path->nr_hops; i++)
		json_object_array_add(hops, hop_json(path, i, &last, names));
	return hops;
}

static void add_verdicts(struct json_object *obj, const struct path *path,
			 const struct render_names *names)
{
	struct json_object *array, *verdict;
	u32 i;

	if (!path->filters)
		return;
	array = json_object_new_array();
	for (i = 0; i < path->nr_hops; i++) {
		if (!hop_filter_of(&path->hops[i]))
			continue;
		verdict = json_object_new_object();
		json_add_u64(verdict, "hop", i);
		add_filter(verdict, path, &path->hops[i], names);
		json_object_array_add(array, verdict);
	}
	json_object_object_add(obj, "verdicts", array);
}

static void add_endpoint(struct json_object *obj, const char *key, const struct packet *packet,
			 bool dst)
{
	struct strbuf sb = STRBUF_INIT;

	if (!packet->nr_nets || packet->net[0].part != PART_OK)
		return;
	packet_put_endpoint(&sb, &packet->net[0], dst);
	json_object_object_add(obj, key, json_object_new_string(strbuf_cstr(&sb)));
	strbuf_free(&sb);
}

static void add_change(struct json_object *array, u32 hop, u32 bit, const struct packet *from,
		       const struct packet *to)
{
	struct json_object *change = json_object_new_object();

	json_add_u64(change, "hop", hop);
	json_object_object_add(change, "kind", json_object_new_string(change_name(bit)));
	if (bit & (CHANGE_SOURCE | CHANGE_DESTINATION)) {
		add_endpoint(change, "from", from, bit == CHANGE_DESTINATION);
		add_endpoint(change, "to", to, bit == CHANGE_DESTINATION);
	}
	json_object_array_add(array, change);
}

static void add_changes(struct json_object *obj, const struct path *path)
{
	const struct packet_view *last = NULL, *view;
	struct json_object *array = NULL;
	u32 i, bits, kind;

	for (i = 0; i < path->nr_hops; i++) {
		view = path->hops[i].view;
		if (!view || view == last)
			continue;
		bits = last ? packet_changes(&last->packet, &view->packet) : 0;
		for (kind = 0; kind < CHANGE_KINDS; kind++) {
			if (!(bits & 1u << kind))
				continue;
			if (!array)
				array = json_object_new_array();
			add_change(array, i, 1u << kind, &last->packet, &view->packet);
		}
		last = view;
	}
	if (array)
		json_object_object_add(obj, "changes", array);
}

static const char *link_evidence(u8 kind)
{
	switch (kind) {
	case LINK_SIGNATURE:
		return "headers";
	case LINK_ERROR:
	case LINK_RESET:
	case LINK_ANSWER:
		return "birth+headers";
	case LINK_MERGE:
		return "call";
	default:
		return "birth";
	}
}

static void add_chain(struct json_object *obj, const struct path *path,
		      const struct render_names *names)
{
	const struct chain *chain = chains_get(names->chains, path->chain);
	struct chain_part part = render_chain_part(chain, names);
	struct json_object *array;
	char name[128];
	u32 i;

	if (part.begin == part.end)
		return;
	array = json_object_new_array();
	for (i = part.begin; i < part.end; i++)
		json_object_array_add(array, json_object_new_string(render_function(
						     chain, i, names, name, sizeof(name))));
	json_object_object_add(obj, "calls", array);
}

static void add_links(struct json_object *obj, const struct path *path)
{
	struct json_object *array, *item;
	const struct path_link *link;
	u32 i;

	if (!path->nr_links)
		return;
	array = json_object_new_array();
	for (i = 0; i < path->nr_links && i < PATH_LINKS; i++) {
		link = &path->link[i];
		item = json_object_new_object();
		json_object_object_add(item, "kind",
				       json_object_new_string(render_link(link->kind)));
		json_object_object_add(item, "role",
				       json_object_new_string(link->child ? "child" : "parent"));
		if (link->packet)
			json_add_u64(item, "packet", link->packet);
		if (link->skb)
			json_add_hex(item, "skb", link->skb);
		json_object_object_add(item, "evidence",
				       json_object_new_string(link_evidence(link->kind)));
		json_object_array_add(array, item);
	}
	json_object_object_add(obj, "links", array);
	if (path->nr_links > PATH_LINKS)
		json_add_u64(obj, "cut_links", path->nr_links - PATH_LINKS);
}

/* The task that sent it, where that is known. */
static void add_process(struct json_object *obj, const struct path *path,
			const struct render_names *names)
{
	struct json_object *process;
	s32 pid = render_sender(path);
	const char *comm;

	if (pid <= 0)
		return;
	process = json_object_new_object();
	json_add_u64(process, "pid", (u64)pid);
	comm = names->comms ? comms_find(names->comms, pid) : NULL;
	if (comm)
		json_add_text(process, "comm", comm, strlen(comm));
	json_object_object_add(obj, "process", process);
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
		json_add_u64(obj, "ts_ns", hop->ts_ns);
	} else if (path->state == PATH_DELIVERED) {
		json_add_u64(obj, "ts_ns", path->last_ns); /* its death, which is no hop */
	}
	if (path->end_filter >= 0 && (u32)path->end_filter < path->nr_hops &&
	    hop_filter_of(&path->hops[path->end_filter])) {
		json_add_u64(obj, "hop", (u64)path->end_filter);
		add_filter(obj, path, &path->hops[path->end_filter], names);
	}
	if (path->acted_on)
		json_object_object_add(obj, "inferred_from",
				       json_object_new_string("sent_meanwhile"));
	if (path->raw_copy) {
		copy = json_object_new_object();
		json_add_hex(copy, "skb", path->raw_skb);
		json_add_u64(copy, "ts_ns", path->raw_ts_ns);
		if (path->raw_pid > 0)
			json_add_u64(copy, "pid", (u64)path->raw_pid);
		json_object_object_add(copy, "matched_by",
				       json_object_new_string(path->raw_exact ? "clone" :
										"length+time"));
		json_object_object_add(obj, "raw_socket_copy", copy);
	}
	return obj;
}

static void add_len(struct json_object *obj, const struct path *path)
{
	u32 i;

	for (i = 0; i < path->nr_hops; i++)
		if (path->hops[i].has & EVENT_HAS_LEN) {
			json_add_u64(obj, "len", path->hops[i].len_bytes);
			return;
		}
}

int render_json(struct strbuf *sb, const struct path *path, const struct render_names *names)
{
	struct json_object *obj = json_object_new_object();
	const struct packet_view *view = path->views;

	if (!obj)
		return -ENOMEM;
	json_add_u64(obj, "packet", path->number);
	json_add_u64(obj, "first_ns", path->first_ns);
	add_proto(obj, path->proto);
	add_len(obj, path);
	while (view && view->next)
		view = view->next;
	if (view)
		add_view(obj, view, NULL);
	add_headers_from(obj, path->tapped && !path->told_by, path->told_by, names);
	if (path->contradicted)
		json_object_object_add(obj, "headers_contradict", json_object_new_boolean(1));
	add_process(obj, path, names);
	json_object_object_add(obj, "hops", hops_json(path, names));
	if (path->cut_hops)
		json_add_u64(obj, "cut_hops", path->cut_hops);
	add_verdicts(obj, path, names);
	add_changes(obj, path);
	add_links(obj, path);
	add_chain(obj, path, names);
	json_object_object_add(obj, "end", end_json(path, names));
	json_object_object_add(obj, "complete",
			       json_object_new_string(render_completeness(path->complete)));
	if (path->lost)
		json_add_u64(obj, "lost", path->lost);
	if (path->lost_uncounted)
		json_object_object_add(obj, "lost_uncounted", json_object_new_boolean(1));
	return json_put_line(sb, obj);
}
