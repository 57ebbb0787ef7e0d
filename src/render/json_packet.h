/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet is, as members of a JSON object.
 */
#ifndef SKBTRAIL_RENDER_JSON_PACKET_H
#define SKBTRAIL_RENDER_JSON_PACKET_H

#include <json-c/json.h>

#include "decode/packet.h"

/**
 * json_add_packet - add "tuple", "icmp", "tcp", "arp", "vlan", "tunnel", as far as they are known
 * @before: what the packet was when it was told last; NULL: this is the first time
 */
void json_add_packet(struct json_object *obj, const struct packet *packet,
		     const struct packet *before);

#endif
