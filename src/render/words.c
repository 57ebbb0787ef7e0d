// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Words that text and JSON share.
 */
#include "render/render.h"

static const struct {
	u16 proto;
	const char *name;
} protos[] = {
	/* EtherTypes, include/uapi/linux/if_ether.h */
	{ 0x0800, "IPv4" },    { 0x86dd, "IPv6" },  { 0x0806, "ARP" },	  { 0x8100, "802.1Q" },
	{ 0x88a8, "802.1ad" }, { 0x8847, "MPLS" },  { 0x88cc, "LLDP" },	  { 0x8863, "PPPoE-D" },
	{ 0x8864, "PPPoE" },   { 0x888e, "EAPOL" }, { 0x88e5, "MACsec" }, { 0x8035, "RARP" },
	{ 0x0004, "802.2" },
};

const char *render_proto(u16 proto)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protos); i++)
		if (protos[i].proto == proto)
			return protos[i].name;
	return NULL;
}

void render_location(struct strbuf *sb, u64 addr, const struct render_names *names)
{
	const char *name = NULL;
	size_t len, i;
	u64 offset;

	if (names->symbols)
		name = symbols_find(names->symbols, addr, &offset, &len);
	if (!name) {
		strbuf_put_hex(sb, addr);
		return;
	}
	/* By bytes: no symbol has a letter beyond ASCII. */
	for (i = 0; i < len; i++)
		strbuf_put_escaped(sb, name + i, 1);
	strbuf_putc(sb, '+');
	strbuf_put_hex(sb, offset);
}

const char *render_state(u8 state)
{
	static const char *const words[] = {
		[PATH_OPEN] = "open",
		[PATH_DELIVERED] = "delivered",
		[PATH_TRANSMITTED] = "transmitted",
		[PATH_DROPPED] = "dropped",
		[PATH_UNKNOWN] = "unknown",
	};

	return words[state];
}

const char *render_completeness(u8 complete)
{
	static const char *const words[] = {
		[PATH_COMPLETE] = "complete",
		[PATH_STILL_OPEN] = "open",
		[PATH_GAP] = "gap",
		[PATH_UNKNOWN_END] = "unknown_end",
	};

	return words[complete];
}
