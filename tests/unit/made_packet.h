/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packets of packets.h as bytes: in memory of exactly their length, so that AddressSanitizer and
 * valgrind see each byte that is read too far.
 */
#ifndef SKBTRAIL_TESTS_MADE_PACKET_H
#define SKBTRAIL_TESTS_MADE_PACKET_H

#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "packets.h"

static inline u8 made_nibble(char c)
{
	return (u8)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/** made_bytes - @len bytes of what @hex says, in memory that the caller frees */
static inline u8 *made_bytes(const char *hex, size_t len)
{
	u8 *bytes = malloc(len ? len : 1);

	for (size_t i = 0; bytes && i < len; i++)
		bytes[i] = (u8)(made_nibble(hex[2 * i]) << 4 | made_nibble(hex[2 * i + 1]));
	return bytes;
}

/** made_packet - the packet of that name; the test fails when there is none */
static inline const struct made_packet *made_packet(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(made_packets); i++) {
		if (!strcmp(made_packets[i].name, name))
			return &made_packets[i];
	}
	fail_msg("there is no packet %s", name);
	return NULL;
}

static inline u32 made_len(const struct made_packet *m)
{
	return (u32)(strlen(m->hex) / 2);
}

#endif
