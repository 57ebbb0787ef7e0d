// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The inventory of sockets <-> JSON in a recording's metadata:
 *
 *	{"complete":true,"hidden":0,"sockets":[[protocol,family,"local",port,"remote",port,state,"cookie",netns,inode,
 *	 uid,pid,"name",rtt_us,no_owner],...]}
 *
 * Addresses are IPv6, IPv4 mapped; the cookie is hexadecimal, since not all readers of JSON have 64 bits.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/sockdiag.h"

/* What fits into a recording's metadata with room for the rest. */
#define MAX_STORED 250000U

enum {
	AT_PROTO,
	AT_FAMILY,
	AT_LOCAL,
	AT_LPORT,
	AT_REMOTE,
	AT_RPORT,
	AT_STATE,
	AT_COOKIE,
	AT_NETNS,
	AT_INODE,
	AT_UID,
	AT_PID,
	AT_COMM,
	AT_RTT,
	AT_NO_OWNER,
	AT_COUNT
};

static void add_number(struct json_object *item, u64 value)
{
	json_object_array_add(item, json_object_new_uint64(value));
}

static void add_addr(struct json_object *item, const u8 *addr)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(AF_INET6, addr, text, sizeof(text));
	json_object_array_add(item, json_object_new_string(text));
}

static struct json_object *entry_to_json(const struct sockdiag_entry *e)
{
	struct json_object *item = json_object_new_array();
	char cookie[20];

	if (!item)
		return NULL;
	snprintf(cookie, sizeof(cookie), "%llx", (unsigned long long)e->cookie);
	add_number(item, e->addrs.proto);
	add_number(item, e->addrs.family);
	add_addr(item, e->addrs.local);
	add_number(item, e->addrs.lport);
	add_addr(item, e->addrs.remote);
	add_number(item, e->addrs.rport);
	add_number(item, e->state);
	json_object_array_add(item, json_object_new_string(cookie));
	add_number(item, e->netns);
	add_number(item, e->inode);
	add_number(item, e->uid);
	add_number(item, (u64)e->pid);
	json_object_array_add(
		item, json_object_new_string_len(e->comm, (int)strnlen(e->comm, sizeof(e->comm))));
	add_number(item, e->rtt_us);
	add_number(item, e->no_owner);
	return item;
}

struct json_object *sockdiag_to_json(const struct sockdiag *diag)
{
	struct json_object *obj = json_object_new_object(), *list = json_object_new_array(), *item;
	bool complete = !diag->incomplete[0] && !diag->cut && diag->nr <= MAX_STORED;
	size_t i;

	if (!obj || !list)
		goto fail;
	for (i = 0; i < diag->nr && i < MAX_STORED; i++) {
		item = entry_to_json(&diag->entry[i]);
		if (!item || json_object_array_add(list, item)) {
			json_object_put(item);
			goto fail;
		}
	}
	json_object_object_add(obj, "complete", json_object_new_boolean(complete));
	json_object_object_add(obj, "hidden", json_object_new_int64(diag->hidden));
	json_object_object_add(obj, "sockets", list);
	return obj;
fail:
	json_object_put(list);
	json_object_put(obj);
	return NULL;
}

/* A number up to @max; others clear @good. */
static u64 number_at(struct json_object *item, size_t at, u64 max, bool *good)
{
	struct json_object *value = json_object_array_get_idx(item, at);

	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0 ||
	    json_object_get_uint64(value) > max) {
		*good = false;
		return 0;
	}
	return json_object_get_uint64(value);
}

static const char *text_at(struct json_object *item, size_t at, bool *good)
{
	struct json_object *value = json_object_array_get_idx(item, at);

	*good &= json_object_is_type(value, json_type_string);
	return *good ? json_object_get_string(value) : "";
}

static bool entry_from_json(struct json_object *item, struct sockdiag_entry *e)
{
	bool good = json_object_is_type(item, json_type_array) &&
		    json_object_array_length(item) >= AT_COUNT;
	const char *cookie, *comm;
	char *end;

	memset(e, 0, sizeof(*e));
	if (!good)
		return false;
	e->addrs.proto = (u16)number_at(item, AT_PROTO, UINT16_MAX, &good);
	e->addrs.family = (u8)number_at(item, AT_FAMILY, 6, &good);
	e->addrs.lport = (u16)number_at(item, AT_LPORT, UINT16_MAX, &good);
	e->addrs.rport = (u16)number_at(item, AT_RPORT, UINT16_MAX, &good);
	e->state = (u8)number_at(item, AT_STATE, UINT8_MAX, &good);
	e->netns = (u32)number_at(item, AT_NETNS, UINT32_MAX, &good);
	e->inode = (u32)number_at(item, AT_INODE, UINT32_MAX, &good);
	e->uid = (u32)number_at(item, AT_UID, UINT32_MAX, &good);
	e->pid = (s32)number_at(item, AT_PID, INT32_MAX, &good);
	e->rtt_us = (u32)number_at(item, AT_RTT, UINT32_MAX, &good);
	e->no_owner = number_at(item, AT_NO_OWNER, 1, &good);
	good &= inet_pton(AF_INET6, text_at(item, AT_LOCAL, &good), e->addrs.local) == 1;
	good &= inet_pton(AF_INET6, text_at(item, AT_REMOTE, &good), e->addrs.remote) == 1;
	cookie = text_at(item, AT_COOKIE, &good);
	e->cookie = strtoull(cookie, &end, 16);
	comm = text_at(item, AT_COMM, &good);
	memcpy(e->comm, comm, strnlen(comm, sizeof(e->comm) - 1));
	return good && !*end;
}

int sockdiag_from_json(struct sockdiag *diag, struct json_object *obj)
{
	struct json_object *list, *value;
	size_t nr, i;

	memset(diag, 0, sizeof(*diag));
	if (json_object_object_get_ex(obj, "hidden", &value) &&
	    json_object_is_type(value, json_type_int))
		diag->hidden = json_object_get_int64(value) != 0;
	if (!json_object_object_get_ex(obj, "complete", &value) || !json_object_get_boolean(value))
		snprintf(diag->incomplete, sizeof(diag->incomplete),
			 "it was not complete when it was recorded");
	if (!json_object_object_get_ex(obj, "sockets", &list) ||
	    !json_object_is_type(list, json_type_array))
		return -EBADMSG;
	nr = json_object_array_length(list);
	diag->entry = calloc(nr ? nr : 1, sizeof(*diag->entry));
	if (!diag->entry)
		return -ENOMEM;
	diag->cap = nr;
	for (i = 0; i < nr; i++)
		if (entry_from_json(json_object_array_get_idx(list, i), &diag->entry[diag->nr]))
			diag->nr++;
		else
			diag->cut++;
	return 0;
}
