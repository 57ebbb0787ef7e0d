// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A snapshot as JSON, the form in which a recording carries it.
 *
 * In:  a snapshot, or JSON that may come from a stranger.
 * Out: the other one.
 *
 * Reading trusts nothing: each value has its type and range checked before it is used, and what
 * is written back from what was read is the same JSON. Integers stay below 2^63, because json-c
 * cuts larger ones to that.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/netns.h"
#include "kernel/netns_build.h"

#define FORMAT_VERSION 1
#define KEEP_KEY (JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY)

/* Where reading is, for the message when something is wrong there. */
struct reader {
	struct netns_snapshot *snap;
	struct error *err;
	char where[64];
};

/* Add @value, which is NULL when memory ran out, and give it up in any case. */
static bool put(struct json_object *object, const char *key, struct json_object *value)
{
	if (value && !json_object_object_add_ex(object, key, value, KEEP_KEY))
		return true;
	json_object_put(value);
	return false;
}

static bool put_number(struct json_object *object, const char *key, u64 value)
{
	return !value || value >= INT64_MAX || put(object, key, json_object_new_int64((s64)value));
}

static bool put_string(struct json_object *object, const char *key, const char *value)
{
	return !value || !value[0] || put(object, key, json_object_new_string(value));
}

static bool put_bool(struct json_object *object, const char *key, bool value)
{
	return !value || put(object, key, json_object_new_boolean(true));
}

static bool put_mac(struct json_object *object, const u8 *mac)
{
	static const u8 none[6];
	char text[18];

	if (!memcmp(mac, none, sizeof(none)))
		return true;
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return put_string(object, "mac", text);
}

static bool put_device(struct json_object *array, const struct netdev *dev)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return false;
	if (!put_number(object, "ifindex", dev->ifindex) ||
	    !put_string(object, "name", dev->name) || !put_string(object, "kind", dev->kind) ||
	    !put_number(object, "link", dev->link_ifindex) ||
	    !put_number(object, "link_netns", dev->link_netns_inum) ||
	    !put_bool(object, "link_unknown", dev->link == NETDEV_LINK_UNKNOWN) ||
	    !put_number(object, "master", dev->master_ifindex) || !put_mac(object, dev->mac) ||
	    !put_number(object, "seen", dev->seen) || !put_bool(object, "up", dev->up) ||
	    !put_bool(object, "running", dev->running) || json_object_array_add(array, object)) {
		json_object_put(object);
		return false;
	}
	return true;
}

static bool put_netns(struct json_object *array, const struct netns *ns)
{
	struct json_object *object = json_object_new_object();
	struct json_object *devices = json_object_new_array();
	bool ok = object && devices;
	size_t i;

	for (i = 0; i < ns->nr_devs && ok; i++)
		ok = put_device(devices, &ns->devs[i]);
	ok = ok && put_number(object, "inum", ns->inum) &&
	     put_number(object, "cookie", ns->cookie) && put_string(object, "name", ns->name) &&
	     put_bool(object, "unread", !ns->read) &&
	     put(object, "devices", json_object_get(devices));
	ok = ok && !json_object_array_add(array, json_object_get(object));
	json_object_put(devices);
	json_object_put(object);
	return ok;
}

struct json_object *netns_snapshot_to_json(const struct netns_snapshot *snap)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array();
	bool ok = object && array;
	size_t i;

	ok = ok && put_number(object, "version", FORMAT_VERSION) &&
	     put_number(object, "self", snap->self_inum) &&
	     put_string(object, "incomplete", snap->incomplete) &&
	     put_number(object, "cut_netns", snap->cut_ns) &&
	     put_number(object, "cut_devices", snap->cut_devs);
	for (i = 0; i < snap->nr_ns && ok; i++)
		ok = put_netns(array, &snap->ns[i]);
	ok = ok && put(object, "netns", json_object_get(array));
	json_object_put(array);
	if (ok)
		return object;
	json_object_put(object);
	return NULL;
}

static int bad(struct reader *reader, const char *key, const char *what)
{
	return error_set(reader->err, EINVAL, "list of network namespaces: %s: \"%s\" %s",
			 reader->where, key, what);
}

/* A number of 1..@max; one that is absent is 0, unless it is @needed. */
static int get_number(struct reader *reader, struct json_object *object, const char *key,
		      bool needed, u64 max, u64 *value)
{
	struct json_object *member;
	s64 number;

	*value = 0;
	if (!json_object_object_get_ex(object, key, &member))
		return needed ? bad(reader, key, "is missing") : 0;
	if (!json_object_is_type(member, json_type_int))
		return bad(reader, key, "is not an integer");
	number = json_object_get_int64(member);
	if (number < 1 || (u64)number > max || number == INT64_MAX)
		return bad(reader, key, "is out of range");
	*value = (u64)number;
	return 0;
}

static int get_u32(struct reader *reader, struct json_object *object, const char *key, bool needed,
		   u32 max, u32 *value)
{
	u64 number;
	int ret = get_number(reader, object, key, needed, max, &number);

	*value = (u32)number;
	return ret;
}

/* A string of 1..@max bytes without NUL, owned by @object; one that is absent is "". */
static int get_string(struct reader *reader, struct json_object *object, const char *key,
		      bool needed, size_t max, const char **value)
{
	struct json_object *member;
	size_t len;

	*value = "";
	if (!json_object_object_get_ex(object, key, &member))
		return needed ? bad(reader, key, "is missing") : 0;
	if (!json_object_is_type(member, json_type_string))
		return bad(reader, key, "is not a string");
	*value = json_object_get_string(member);
	len = (size_t)json_object_get_string_len(member);
	if (len < 1 || len > max)
		return bad(reader, key, "has a bad length");
	return memchr(*value, '\0', len) ? bad(reader, key, "has a NUL in it") : 0;
}

static int get_bool(struct reader *reader, struct json_object *object, const char *key, bool *value)
{
	struct json_object *member;

	*value = false;
	if (!json_object_object_get_ex(object, key, &member))
		return 0;
	if (!json_object_is_type(member, json_type_boolean))
		return bad(reader, key, "is not a boolean");
	*value = json_object_get_boolean(member);
	return 0;
}

/* An array of at most @max objects, owned by @object. */
static int get_array(struct reader *reader, struct json_object *object, const char *key, size_t max,
		     struct json_object **array)
{
	if (!json_object_object_get_ex(object, key, array))
		return bad(reader, key, "is missing");
	if (!json_object_is_type(*array, json_type_array))
		return bad(reader, key, "is not an array");
	return json_object_array_length(*array) > max ? bad(reader, key, "is too long") : 0;
}

static int get_mac(struct reader *reader, struct json_object *object, u8 *mac)
{
	unsigned int byte[6];
	const char *text;
	int used = 0;
	int ret = get_string(reader, object, "mac", false, 17, &text);
	int i;

	if (ret || !text[0])
		return ret;
	if (strlen(text) != 17 || strspn(text, "0123456789abcdef:") != 17 ||
	    sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3],
		   &byte[4], &byte[5], &used) != 6 ||
	    used != 17)
		return bad(reader, "mac", "is not a MAC address");
	for (i = 0; i < 6; i++)
		mac[i] = (u8)byte[i];
	return 0;
}

/* The link's parts must agree with each other. */
static int get_link(struct reader *reader, struct json_object *object, struct netdev *dev)
{
	bool unknown;
	int ret = get_u32(reader, object, "link", false, INT32_MAX, &dev->link_ifindex);

	if (!ret)
		ret = get_number(reader, object, "link_netns", false, INT64_MAX,
				 &dev->link_netns_inum);
	if (!ret)
		ret = get_bool(reader, object, "link_unknown", &unknown);
	if (ret)
		return ret;
	if (unknown && dev->link_netns_inum)
		return bad(reader, "link_unknown", "contradicts \"link_netns\"");
	if (unknown)
		dev->link = NETDEV_LINK_UNKNOWN;
	else if (dev->link_netns_inum)
		dev->link = NETDEV_LINK_OTHER;
	else
		dev->link = dev->link_ifindex ? NETDEV_LINK_SAME : NETDEV_LINK_NONE;
	return 0;
}

static int read_device(struct reader *reader, struct json_object *object, u32 place)
{
	struct netdev dev = { 0 };
	const char *name, *kind;
	u32 seen;
	int ret;

	if (!json_object_is_type(object, json_type_object))
		return bad(reader, "devices", "has something else than an object in it");
	ret = get_u32(reader, object, "ifindex", true, INT32_MAX, &dev.ifindex);
	if (!ret)
		ret = get_string(reader, object, "name", true, sizeof(dev.name) - 1, &name);
	if (!ret)
		ret = get_string(reader, object, "kind", false, sizeof(dev.kind) - 1, &kind);
	if (!ret)
		ret = get_link(reader, object, &dev);
	if (!ret)
		ret = get_u32(reader, object, "master", false, INT32_MAX, &dev.master_ifindex);
	if (!ret)
		ret = get_mac(reader, object, dev.mac);
	if (!ret)
		ret = get_u32(reader, object, "seen", true, NETDEV_SEEN_FIRST | NETDEV_SEEN_LATER,
			      &seen);
	if (!ret)
		ret = get_bool(reader, object, "up", &dev.up);
	if (!ret)
		ret = get_bool(reader, object, "running", &dev.running);
	if (ret)
		return ret;
	if (!netdev_name_valid(name))
		return bad(reader, "name", "is no device name");
	strcpy(dev.name, name);
	strcpy(dev.kind, kind);
	dev.seen = (u8)seen;
	ret = netns_snapshot_add_dev(reader->snap, place, &dev);
	return ret == -ENOSPC ? bad(reader, "devices", "has too many in all") : ret;
}

static int read_devices(struct reader *reader, struct json_object *object, u32 place)
{
	struct json_object *array;
	int ret = get_array(reader, object, "devices", NETNS_DEVS_MAX, &array);
	char netns[sizeof(reader->where)];
	size_t i;

	memcpy(netns, reader->where, sizeof(netns));
	for (i = 0; !ret && i < json_object_array_length(array); i++) {
		snprintf(reader->where, sizeof(reader->where), "%.32s device %zu", netns, i);
		ret = read_device(reader, json_object_array_get_idx(array, i), place);
	}
	memcpy(reader->where, netns, sizeof(netns));
	return ret;
}

static int read_netns(struct reader *reader, struct json_object *object)
{
	struct netns ns = { 0 };
	const char *name;
	bool unread;
	int ret;

	if (!json_object_is_type(object, json_type_object))
		return bad(reader, "netns", "has something else than an object in it");
	ret = get_number(reader, object, "inum", true, INT64_MAX, &ns.inum);
	if (!ret)
		ret = get_number(reader, object, "cookie", false, INT64_MAX, &ns.cookie);
	if (!ret)
		ret = get_string(reader, object, "name", true, NETNS_NAME_MAX, &name);
	if (!ret)
		ret = get_bool(reader, object, "unread", &unread);
	if (ret)
		return ret;
	ns.name = (char *)name;
	ns.read = !unread;
	ret = netns_snapshot_add(reader->snap, &ns);
	return ret < 0 ? ret : read_devices(reader, object, (u32)ret);
}

static int check_unique(struct reader *reader)
{
	const struct netns *ns = reader->snap->ns;
	size_t i;

	for (i = 1; i < reader->snap->nr_ns; i++)
		if (ns[i].inum == ns[i - 1].inum && ns[i].cookie == ns[i - 1].cookie)
			return bad(reader, "inum", "is there twice");
	return 0;
}

static int read_header(struct reader *reader, struct json_object *json)
{
	struct netns_snapshot *snap = reader->snap;
	const char *incomplete;
	u32 version;
	int ret;

	if (!json_object_is_type(json, json_type_object))
		return bad(reader, "", "is not an object");
	ret = get_u32(reader, json, "version", true, INT32_MAX, &version);
	if (!ret && version > FORMAT_VERSION)
		ret = bad(reader, "version", "is newer than this program understands");
	if (!ret)
		ret = get_number(reader, json, "self", false, INT64_MAX, &snap->self_inum);
	if (!ret)
		ret = get_string(reader, json, "incomplete", false, NETNS_INCOMPLETE_MAX,
				 &incomplete);
	if (!ret)
		ret = get_u32(reader, json, "cut_netns", false, INT32_MAX, &snap->cut_ns);
	if (!ret)
		ret = get_u32(reader, json, "cut_devices", false, INT32_MAX, &snap->cut_devs);
	if (ret || !incomplete[0])
		return ret;
	snap->incomplete = strdup(incomplete);
	return snap->incomplete ? 0 : -ENOMEM;
}

int netns_snapshot_from_json(struct json_object *json, struct netns_snapshot **out,
			     struct error *err)
{
	struct reader reader = { .snap = netns_snapshot_new(), .err = err, .where = "top" };
	struct json_object *array;
	size_t i;
	int ret = reader.snap ? read_header(&reader, json) : -ENOMEM;

	if (!ret)
		ret = get_array(&reader, json, "netns", NETNS_MAX, &array);
	for (i = 0; !ret && i < json_object_array_length(array); i++) {
		snprintf(reader.where, sizeof(reader.where), "netns %zu", i);
		ret = read_netns(&reader, json_object_array_get_idx(array, i));
	}
	if (!ret)
		ret = netns_snapshot_index(reader.snap);
	if (!ret)
		ret = check_unique(&reader);
	if (ret) {
		netns_snapshot_free(reader.snap);
		return ret == -ENOMEM ? error_errno(err, ENOMEM, "list of network namespaces") :
					ret;
	}
	*out = reader.snap;
	return 0;
}
