// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pcap-filter expressions on windows of packets' memory.
 *
 * What must match was found out with tcpdump 4.99.3 on these very frames, written to a file by a
 * program that shares nothing with src/: "tcpdump -r FILE EXPRESSION" printed those marked 1.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/pktfilter.h"

#define HEAD 0xffff888100000000ULL
#define JUNK 0xee
#define PAD 24 /* bytes of other memory before and behind the packet */

static const struct {
	const char *name, *hex;
} frames[] = {
	/* clang-format off */
	{ "echo", "02000000000202000000000108004500002400010000400162d60a0002010a0002020800659c"
	  "00cd00016162636465666768" },
	{ "reply", "02000000000102000000000208004500002400010000400162d60a0002020a00020100006d9c"
	  "00cd00016162636465666768" },
	{ "syn", "02000000000202000000000108004500002800010000400662cd0a0002010a0002029c4001bb"
	  "000003e8000000005002fffff5fc0000" },
	{ "dns", "0200000000020200000000010800460000340001000040115fb50a0002010a00020201010100"
	  "14e90035001c1de17878787878787878787878787878787878787878" },
	{ "frag2", "02000000000202000000000108004500002c000100b9401162050a0002010a00020279797979"
	  "7979797979797979797979797979797979797979" },
	{ "syn6", "02000000000202000000000186dd6000000000140640fd000000000000000000000000000001"
	  "fd0000000000000000000000000000029c410050000003e8000000005002ffff15650000" },
	{ "ns", "3333ff00000202000000000186dd6000000000183afffe800000000000000000000000000001"
	  "ff0200000000000000000001ff00000287007f2100000000fd00000000000000000000000000"
	  "0002" },
	{ "arp", "ffffffffffff020000000001080600010800060400010200000000010a000201000000000000"
	  "0a000202" },
	{ "vlan", "0200000000020200000000018100000508004500002400010000400162d60a0002010a000202"
	  "0800659b00ce00016162636465666768" },
	/* clang-format on */
};

enum { ECHO, REPLY, SYN, DNS, FRAG2, SYN6, NS, ARP, VLAN };

/* Frames in order; the second is without the first 14 bytes (DLT_RAW), of the first seven. */
static const struct {
	const char *expr, *ether, *raw; /* NULL: tcpdump refuses it for this link type */
} facts[] = {
	/* clang-format off */
	{ "icmp", "110000000", "1100000" },
	{ "ip", "111110000", "1111100" },
	{ "ip6", "000001100", "0000011" },
	{ "arp", "000000010", NULL },
	{ "tcp", "001001000", "0010010" },
	{ "udp", "000110000", "0001100" },
	{ "host 10.0.2.2", "111110010", "1111100" },
	{ "src host 10.0.2.2", "010000000", "0100000" },
	{ "dst net 10.0.2.0/24", "111110010", "1111100" },
	{ "port 53", "000100000", "0001000" },
	{ "tcp dst port 443", "001000000", "0010000" },
	{ "icmp[icmptype] == icmp-echo", "100000000", "1000000" },
	{ "icmp6", "000000100", "0000001" },
	{ "ip6 host fd00::2", "000001000", "0000010" },
	{ "not icmp", "001111111", "0011111" },
	{ "len > 60", "000101100", "0000001" },
	{ "less 50", "110000010", "1110100" },
	{ "greater 63", "000101100", "0000001" },
	{ "ip[6:2] & 0x1fff != 0", "000010000", "0000100" },
	{ "tcp[tcpflags] & tcp-syn != 0", "001000000", "0010000" },
	{ "ether host 02:00:00:00:00:02", "111111001", NULL },
	{ "ether broadcast", "000000010", NULL },
	{ "vlan 5", "000000001", NULL },
	{ "vlan and icmp", "000000001", NULL },
	{ "arp or icmp", "110000010", "1100000" },
	{ "portrange 50-60", "000100000", "0001000" },
	{ "ip proto 17", "000110000", "0001100" },
	{ "ether src 02:00:00:00:00:01 and icmp", "100000000", NULL },
	{ "not ether host 02:00:00:00:00:02", "000000110", NULL },
	{ "net fd00::/8", "000001000", "0000010" },
	{ "ip multicast or ip6 multicast", "000000100", "0000001" },
	{ "udp[8] == 0x78", "000100000", "0001000" },
	{ "icmp[4:2] = 205", "110000000", "1100000" },
	{ "not arp", "111111101", "1111111" },
	{ "arp[6:2] == 1", "000000010", NULL },
	{ "arp host 10.0.2.2", "000000010", NULL },
	/* clang-format on */
};

struct memory {
	u8 bytes[256];
	u32 len; /* of the packet */
};

static u32 frame_bytes(size_t i, u8 *to)
{
	u32 len = (u32)strlen(frames[i].hex) / 2, k;
	unsigned int byte;

	for (k = 0; k < len; k++) {
		assert_int_equal(sscanf(frames[i].hex + 2 * k, "%2x", &byte), 1);
		to[k] = (u8)byte;
	}
	return len;
}

/* A frame in memory with strangers' bytes around it, and a window over all of that. */
static struct skb_window frame_window(struct memory *m, size_t i, bool link)
{
	struct skb_window w = { 0 };
	u8 frame[128];
	u32 skip;

	memset(m->bytes, JUNK, sizeof(m->bytes));
	m->len = frame_bytes(i, frame);
	skip = i == VLAN ? 18 : 14;
	w.protocol = (u16)(frame[skip - 2] << 8 | frame[skip - 1]);
	if (link)
		skip = 0;
	m->len -= skip;
	memcpy(m->bytes + PAD, frame + skip, m->len);
	w.bytes = m->bytes;
	w.len_bytes = m->len + 2 * PAD;
	w.before = PAD;
	w.head = HEAD;
	w.data = HEAD + PAD;
	w.mac = link ? PAD : 0xffff;
	w.network = (u16)(PAD + (!link ? 0 : i == VLAN ? 18 : 14));
	w.transport = 0xffff;
	w.skb_len = m->len;
	w.at = link ? AT_LINK : AT_NETWORK;
	return w;
}

static struct pktfilter *filter_of(const char *expr)
{
	struct pktfilter *f = NULL;
	struct error err = { 0 };

	if (pktfilter_compile(&f, expr, &err))
		print_error("%s\n", err.text);
	assert_non_null(f);
	return f;
}

static bool match_once(const char *expr, const struct skb_window *w)
{
	struct pktfilter *f = filter_of(expr);
	bool matched = pktfilter_match(f, w);

	pktfilter_free(f);
	return matched;
}

static void frames_match_as_tcpdump_says(void **state)
{
	struct skb_window w;
	struct memory m;
	size_t i, k;

	(void)state;
	for (k = 0; k < ARRAY_SIZE(facts); k++) {
		struct pktfilter *f = filter_of(facts[k].expr);

		assert_int_equal(strlen(facts[k].ether), ARRAY_SIZE(frames));
		for (i = 0; i < ARRAY_SIZE(frames); i++) {
			w = frame_window(&m, i, true);
			if (pktfilter_match(f, &w) != (facts[k].ether[i] == '1'))
				fail_msg("'%s' on %s", facts[k].expr, frames[i].name);
		}
		pktfilter_free(f);
	}
}

static void packets_without_a_frame_match_as_tcpdump_says(void **state)
{
	struct skb_window w;
	struct memory m;
	size_t i, k;

	(void)state;
	for (k = 0; k < ARRAY_SIZE(facts); k++) {
		struct pktfilter *f = filter_of(facts[k].expr);

		for (i = 0; i <= NS; i++) {
			w = frame_window(&m, i, false);
			if (pktfilter_match(f, &w) != (facts[k].raw && facts[k].raw[i] == '1'))
				fail_msg("'%s' on %s", facts[k].expr, frames[i].name);
		}
		pktfilter_free(f);
	}
}

/*
 * The frame with tag 5 in its bytes, and the same with the tag beside them: an expression with "vlan" makes no
 * difference between them, and the others see the bytes.
 */
static void a_tag_beside_the_bytes_is_as_one_in_them(void **state)
{
	static const char *const with_vlan[] = {
		"vlan",
		"vlan 5",
		"vlan 6",
		"vlan and icmp",
		"vlan and tcp",
		"not vlan",
		"icmp or vlan 6",
		"vlan 5 and host 10.0.2.2",
		"vlan and vlan",
		"vlan and len = 54",
		"vlan and ether src 02:00:00:00:00:01",
		"vlan and ether src 02:00:00:00:00:09",
		"vlan 5 and greater 54",
		"vlan 5 and greater 55",
	};
	struct memory inside, beside;
	struct skb_window in = frame_window(&inside, VLAN, true), out;
	struct skb_window bare;
	struct memory without;
	size_t i;

	(void)state;
	/* the same frame without its tag, which tcpdump's expressions know as an echo request */
	out = frame_window(&beside, VLAN, true);
	memmove(beside.bytes + PAD + 12, beside.bytes + PAD + 16, beside.len - 16);
	out.len_bytes -= 4;
	out.skb_len -= 4;
	out.network = (u16)(out.network - 4);
	bare = out;
	out.tag_known = out.tagged = true;
	out.tag = 5;
	out.tag_type = 0x8100;
	for (i = 0; i < ARRAY_SIZE(with_vlan); i++)
		if (match_once(with_vlan[i], &in) != match_once(with_vlan[i], &out))
			fail_msg("'%s'", with_vlan[i]);
	assert_true(match_once("vlan 5", &out));
	assert_false(match_once("vlan 6", &out));
	assert_false(match_once("vlan", &bare));
	out.tag_type = 0x88a8;
	assert_true(match_once("vlan 5 and icmp", &out));
	for (i = 0; i < ARRAY_SIZE(facts); i++) {
		if (strstr(facts[i].expr, "vlan"))
			continue;
		if (match_once(facts[i].expr, &out) != match_once(facts[i].expr, &bare))
			fail_msg("'%s'", facts[i].expr);
	}
	assert_true(match_once("icmp", &out));
	/* one that was there before */
	out.tagged = false;
	assert_false(match_once("vlan", &out));
	/* without a frame its addresses are not known */
	out = frame_window(&without, ECHO, false);
	out.tag_known = out.tagged = true;
	out.tag = 5;
	assert_true(match_once("vlan 5 and icmp", &out));
	assert_false(match_once("vlan 6", &out));
	assert_false(match_once("vlan 5 and ether src 02:00:00:00:00:01", &out));
	out = frame_window(&without, SYN6, false);
	out.tag_known = out.tagged = true;
	assert_true(match_once("vlan and ip6", &out));
	out = frame_window(&without, ARP, false);
	out.tag_known = out.tagged = true;
	assert_true(match_once("vlan and arp", &out));
}

/* A receive hook: data is behind the link header, which lies in the window still. */
static void a_link_header_before_the_data_counts(void **state)
{
	struct memory m;
	struct skb_window w;
	size_t i, k;

	(void)state;
	for (k = 0; k < ARRAY_SIZE(facts); k++) {
		struct pktfilter *f = filter_of(facts[k].expr);

		for (i = 0; i < ARRAY_SIZE(frames); i++) {
			u32 link_bytes = i == VLAN ? 18 : 14;

			w = frame_window(&m, i, true);
			w.before += link_bytes;
			w.data += link_bytes;
			w.skb_len -= link_bytes;
			w.at = AT_NETWORK;
			if (pktfilter_match(f, &w) != (facts[k].ether[i] == '1'))
				fail_msg("'%s' on %s", facts[k].expr, frames[i].name);
		}
		pktfilter_free(f);
	}
}

static void arp_without_a_frame_is_found(void **state)
{
	struct memory m;
	struct skb_window w = frame_window(&m, ARP, false);

	(void)state;
	assert_true(match_once("arp", &w));
	assert_true(match_once("arp or icmp", &w));
	assert_true(match_once("arp host 10.0.2.2", &w));
	assert_true(match_once("arp[6:2] == 1", &w));
	assert_true(match_once("len = 42", &w));
	assert_false(match_once("arp[6:2] == 2", &w));
	assert_false(match_once("icmp", &w));
	assert_false(match_once("not arp", &w));
	/* whose frame it was in is not known: neither this nor its opposite */
	assert_false(match_once("ether src 02:00:00:00:00:01", &w));
	assert_false(match_once("not ether src 02:00:00:00:00:01", &w));
	assert_false(match_once("arp and ether broadcast", &w));
	w.len_bytes = PAD + 27;
	assert_false(match_once("arp", &w));
}

/* tcpdump says so of a record of the DNS packet with a capture length of so many bytes. */
static void what_is_not_in_the_window_neither_holds_nor_its_opposite(void **state)
{
	static const struct {
		u32 cut;
		const char *expr;
		bool matched;
	} cuts[] = {
		{ 14, "udp", false },	      { 14, "not udp", false },
		{ 14, "len = 66", true },     { 30, "udp", true },
		{ 30, "not udp", false },     { 30, "host 10.0.2.2", false },
		{ 30, "len = 66", true },     { 30, "not host 10.0.2.2", false },
		{ 36, "port 53", false },     { 36, "not port 53", false },
		{ 36, "udp", true },	      { 36, "host 10.0.2.2", true },
		{ 40, "port 53", false },     { 40, "not port 53", false },
		{ 40, "len = 66", true },     { 66, "port 53", true },
		{ 66, "not port 53", false },
	};
	struct memory m;
	struct skb_window w = frame_window(&m, DNS, true);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cuts); i++) {
		w.len_bytes = PAD + cuts[i].cut;
		if (match_once(cuts[i].expr, &w) != cuts[i].matched)
			fail_msg("'%s' at %u", cuts[i].expr, cuts[i].cut);
	}
}

static void bytes_behind_the_packet_are_not_read(void **state)
{
	struct memory m;
	struct skb_window w = frame_window(&m, ECHO, true);

	(void)state;
	/* 50 bytes of packet, then junk that lies in the window */
	assert_true(match_once("ether[49] = 0x68", &w));
	assert_false(match_once("ether[50] = 0xee", &w));
	/* without skb->len the packet's own header says where it ends */
	w.skb_len = 0;
	assert_true(match_once("ether[49] = 0x68", &w));
	assert_true(match_once("len = 50", &w));
	assert_false(match_once("ether[50] = 0xee", &w));
	w = frame_window(&m, ECHO, false);
	w.skb_len = 0;
	assert_true(match_once("len = 36", &w));
	assert_false(match_once("ip[36] = 0xee", &w));
	w = frame_window(&m, SYN6, false);
	w.skb_len = 0;
	assert_true(match_once("len = 60", &w));
}

static void odd_windows_match_nothing(void **state)
{
	struct pktfilter *f = filter_of("");
	struct memory m;
	struct skb_window w = frame_window(&m, ECHO, true);

	(void)state;
	assert_true(pktfilter_match(f, &w));
	w.len_bytes = 0;
	assert_false(pktfilter_match(f, &w));
	w = frame_window(&m, ECHO, true);
	w.before = UINT32_MAX;
	assert_false(pktfilter_match(f, &w));
	w = frame_window(&m, ECHO, false);
	w.at = AT_UNKNOWN;
	w.network = w.mac = 0xffff;
	assert_false(pktfilter_match(f, &w));
	pktfilter_free(f);
}

/* Every place of the window and every length that a hostile recording may claim. */
static void damaged_windows_are_never_read_beyond(void **state)
{
	struct pktfilter *f = filter_of("icmp or port 53 or arp or vlan or ip6 proto 58");
	u32 random = 7, matched = 0;
	int i;

	(void)state;
	for (i = 0; i < 50000; i++) {
		struct memory m;
		struct skb_window w = frame_window(&m, (size_t)i % ARRAY_SIZE(frames), i & 16);
		u8 *exact;
		u32 *const fields[] = { &w.len_bytes, &w.before, &w.skb_len };

		random = random * 1664525 + 1013904223;
		if (i % 3)
			*fields[(random >> 28) % 3] = (random >> 4) % (w.len_bytes + 1);
		if (i % 5 == 0)
			w.network = (u16)(random >> 8);
		if (i % 7 == 0)
			w.mac = (u16)(random >> 12);
		/* memory of exactly that size, so that the sanitizer sees reading beyond it */
		exact = malloc(w.len_bytes ? w.len_bytes : 1);
		memcpy(exact, m.bytes, w.len_bytes);
		w.bytes = exact;
		matched += pktfilter_match(f, &w);
		free(exact);
	}
	pktfilter_free(f);
	assert_in_range(matched, 1000, 49000);
}

static void a_bad_expression_is_refused_in_the_words_of_libpcap(void **state)
{
	static const struct {
		const char *expr, *why;
	} bad[] = {
		{ "icmpp", "syntax error" },
		{ "icmp and", "syntax error" },
		{ "port", "syntax error" },
		{ "port 70000", "port" },
		{ "net 10.0.0.0/33", "mask length" },
		{ "tcp and udp", "expression rejects all packets" },
		{ "ip broadcast", "netmask" },
		{ "inbound", "direction" },
		{ "icmp and ifindex 2", "ifindex" },
	};
	struct pktfilter *f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = { 0 };

		assert_int_equal(pktfilter_compile(&f, bad[i].expr, &err), -EINVAL);
		assert_null(f);
		if (!strstr(err.text, bad[i].why) || !strstr(err.text, "pcap-filter(7)"))
			fail_msg("%s", err.text);
	}
}

/* "ether host" has no meaning without frames: not an error, and none is left behind. */
static void an_expression_for_frames_only_is_no_error(void **state)
{
	struct error err = { 0 };
	struct pktfilter *f;

	(void)state;
	assert_int_equal(pktfilter_compile(&f, "ether host 02:00:00:00:00:01", &err), 0);
	assert_string_equal(err.text, "");
	pktfilter_free(f);
	pktfilter_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_match_as_tcpdump_says),
		cmocka_unit_test(packets_without_a_frame_match_as_tcpdump_says),
		cmocka_unit_test(a_link_header_before_the_data_counts),
		cmocka_unit_test(a_tag_beside_the_bytes_is_as_one_in_them),
		cmocka_unit_test(arp_without_a_frame_is_found),
		cmocka_unit_test(what_is_not_in_the_window_neither_holds_nor_its_opposite),
		cmocka_unit_test(bytes_behind_the_packet_are_not_read),
		cmocka_unit_test(odd_windows_match_nothing),
		cmocka_unit_test(damaged_windows_are_never_read_beyond),
		cmocka_unit_test(a_bad_expression_is_refused_in_the_words_of_libpcap),
		cmocka_unit_test(an_expression_for_frames_only_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
