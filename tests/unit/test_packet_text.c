// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets in words.
 *
 * Each expected line was held against what tcpdump says of the same packet (packets.h); a test does
 * so again for addresses, ports, sequence numbers and ids.
 */
#include "unit.h"

#include <ctype.h>
#include <stdio.h>

#include "decode/packet_text.h"
#include "made_packet.h"

static const struct {
	const char *name, *line;
} rows[] = {
	{ "ping", "10.0.2.1 > 10.0.2.2 ICMP echo request id 205 seq 1 len 84" },
	{ "ping_reply", "10.0.2.2 > 10.0.2.1 ICMP echo reply id 205 seq 1 len 84" },
	{ "timestamp", "10.0.2.1 > 10.0.2.2 ICMP timestamp request id 3 seq 4 len 40" },
	{ "tcp_syn", "10.0.2.1:5000 > 10.0.2.2:80 TCP S seq 123 win 64240 len 60" },
	{ "tcp_synack", "10.0.2.2:80 > 10.0.2.1:5000 TCP S. seq 77 ack 124 win 65160 len 40" },
	{ "tcp_data", "10.0.2.1:5000 > 10.0.2.2:80 TCP P. seq 124 ack 78 win 64240 len 46" },
	{ "udp", "10.0.2.1:5000 > 10.0.2.2:9 UDP len 36" },
	{ "udp_options", "10.0.2.1:5000 > 10.0.2.2:9 UDP len 40" },
	{ "udplite", "10.0.2.1:5000 > 10.0.2.2:7 UDP-Lite len 32" },
	{ "dccp", "10.0.2.1:5000 > 10.0.2.2:7 DCCP len 40" },
	{ "sctp", "10.0.2.1:5000 > 10.0.2.2:7 SCTP chunk 1 len 52" },
	{ "igmp", "10.0.2.1 > 224.0.0.9 IGMP len 28" },
	{ "fragment_first",
	  "10.0.2.1:5000 > 10.0.2.2:9 UDP fragment id 15845 offset 0 more len 100" },
	{ "fragment_later", "10.0.2.1 > 10.0.2.2 UDP fragment id 15845 offset 80 more len 100" },
	{ "fragment_last", "10.0.2.1 > 10.0.2.2 UDP fragment id 15845 offset 160 len 68" },
	{ "vlan", "vlan 7 10.0.2.1 > 10.0.2.2 ICMP echo request id 205 seq 1 len 84" },
	{ "qinq", "vlan 100 vlan 200 10.0.2.1 > 10.0.2.2 ICMP echo request id 205 seq 1 len 84" },
	{ "arp_request", "ARP who-has 10.0.2.2 tell 10.0.2.1" },
	{ "arp_reply", "ARP 10.0.2.2 is-at 02:00:00:00:00:02" },
	{ "port_unreachable",
	  "10.0.2.2 > 10.0.2.1 ICMP port unreachable len 64 of { 10.0.2.1:5000 > 10.0.2.2:9 UDP len 36 }" },
	{ "cut_frag_needed",
	  "10.0.2.254 > 10.0.2.1 ICMP fragmentation needed mtu 1400 len 56 of { 10.0.2.1:5000 > 10.0.2.2:80 TCP header not in window len 60 }" },
	{ "ping6", "fd00::1 > fd00::2 ICMPv6 echo request id 205 seq 1 len 104" },
	{ "tcp6_syn", "[fd00::1]:5000 > [fd00::2]:80 TCP S seq 123 win 64240 len 80" },
	{ "udp6", "[fd00::1]:5000 > [fd00::2]:9 UDP len 56" },
	{ "ns", "IPv6 NS for fd00::2" },
	{ "na", "IPv6 NA for fd00::2" },
	{ "port_unreachable6",
	  "fd00::2 > fd00::1 ICMPv6 port unreachable len 104 of { [fd00::1]:5000 > [fd00::2]:9 UDP len 56 }" },
	{ "too_big6",
	  "fd00::fe > fd00::1 ICMPv6 packet too big mtu 1280 len 128 of { [fd00::1]:5000 > [fd00::2]:80 TCP S seq 123 win 64240 len 80 }" },
	{ "extensions6", "[fd00::1]:5000 > [fd00::2]:9 UDP len 120" },
	{ "fragment6_first",
	  "[fd00::1]:5000 > [fd00::2]:9 UDP fragment id 305419896 offset 0 more len 64" },
	{ "fragment6_later", "fd00::1 > fd00::2 UDP fragment id 305419896 offset 1232 len 148" },
	{ "ah4", "10.0.2.1:5000 > 10.0.2.2:9 UDP len 60" },
	{ "esp", "192.168.9.1 > 192.168.9.2 ESP spi 0xc0ffee01 len 88" },
	{ "gre",
	  "192.168.9.1 > 192.168.9.2 GRE { 10.9.0.1 > 10.9.0.2 ICMP echo request id 205 seq 1 len 84 }" },
	{ "gre_full",
	  "192.168.9.1 > 192.168.9.2 GRE key 99 { fd09::1 > fd09::2 ICMPv6 echo request id 5 seq 2 len 56 }" },
	{ "gretap",
	  "192.168.9.1 > 192.168.9.2 GRE key 5 { 10.9.0.1 > 10.9.0.2 ICMP echo request id 205 seq 1 len 84 }" },
	{ "vxlan",
	  "192.168.9.1 > 192.168.9.2 VXLAN id 7 { 10.9.0.1 > 10.9.0.2 ICMP echo request id 205 seq 1 len 84 }" },
	{ "vxlan_8472",
	  "192.168.9.1 > 192.168.9.2 VXLAN id 7 { fd09::1 > fd09::2 ICMPv6 echo request id 5 seq 2 len 56 }" },
	{ "vxlan_arp",
	  "192.168.9.1 > 192.168.9.2 VXLAN id 7 { ARP who-has 10.9.0.2 tell 10.9.0.1 }" },
	{ "geneve",
	  "192.168.9.1 > 192.168.9.2 Geneve id 8 { 10.9.0.1 > 10.9.0.2 ICMP echo request id 205 seq 1 len 84 }" },
	{ "ipip",
	  "192.168.9.1 > 192.168.9.2 IPIP { 10.9.0.1 > 10.9.0.2 ICMP echo request id 205 seq 1 len 84 }" },
	{ "sit",
	  "192.168.9.1 > 192.168.9.2 IPIP { fd09::1 > fd09::2 ICMPv6 echo request id 5 seq 2 len 56 }" },
	{ "ip4in6",
	  "fd00::1 > fd00::2 IPIP { 10.9.0.1 > 10.9.0.2 ICMP echo request id 205 seq 1 len 84 }" },
	{ "ip6in6",
	  "fd00::1 > fd00::2 IPIP { fd09::1 > fd09::2 ICMPv6 echo request id 5 seq 2 len 56 }" },
	{ "four_deep",
	  "192.168.9.1 > 192.168.9.2 IPIP { 192.168.9.1 > 192.168.9.2 IPIP { 192.168.9.1 > 192.168.9.2 IPIP { ... } } }" },
	{ "lldp", "02:00:00:00:00:01 > 02:00:00:00:00:02 ethertype 0x88cc" },
	{ "stp", "02:00:00:00:00:01 > 02:00:00:00:00:02 ethertype 0x4" },
	{ "bad_ihl", "IPv4 malformed header" },
	{ "bad_length", "IPv4 malformed header" },
	{ "bad_tcp_offset", "10.0.2.1:5000 > 10.0.2.2:80 TCP malformed header len 60" },
	{ "bad_tcp_short", "10.0.2.1:5000 > 10.0.2.2:80 TCP malformed header len 36" },
	{ "bad_udp_length", "10.0.2.1:5000 > 10.0.2.2:9 UDP malformed header len 36" },
	{ "bad_three_tags", "malformed header" },
	{ "bad_arp_hardware", "ARP malformed header" },
	{ "bad_gre_routing", "192.168.9.1 > 192.168.9.2 GRE malformed header len 112" },
};

/* In the manner of cmocka's assert_string_equal(), of a string buffer that it frees. */
#define assert_said(sb, text)                                  \
	do {                                                   \
		assert_string_equal(strbuf_cstr(&(sb)), text); \
		strbuf_free(&(sb));                            \
	} while (0)

static void describe_bytes(struct strbuf *sb, const char *name, u32 len)
{
	const struct made_packet *m = made_packet(name);
	u8 *bytes = made_bytes(m->hex, len);
	struct packet p;

	packet_parse_bytes(&p, bytes, len, 0);
	packet_describe(sb, &p);
	free(bytes);
}

static void every_packet_is_described(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	assert_int_equal(ARRAY_SIZE(rows), ARRAY_SIZE(made_packets));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		describe_bytes(&sb, rows[i].name, made_len(made_packet(rows[i].name)));
		assert_said(sb, rows[i].line);
	}
}

/* "10.0.2.1:5000" and "[fd00::1]:5000" with a dot before the port, as tcpdump has it. */
static void as_tcpdump(char *out, const char *word, size_t len)
{
	const char *colon = memchr(word, '.', len) ? memchr(word, ':', len) : NULL;

	if (word[0] == '[')
		sprintf(out, "%.*s.%.*s", (int)(strcspn(word, "]") - 1), word + 1,
			(int)(len - strcspn(word, "]") - 2), strchr(word, ']') + 2);
	else if (colon)
		sprintf(out, "%.*s.%.*s", (int)(colon - word), word, (int)(word + len - colon - 1),
			colon + 1);
	else
		sprintf(out, "%.*s", (int)len, word);
}

static bool is_address(const char *word, size_t len)
{
	return (memchr(word, '.', len) || memchr(word, ':', len)) &&
	       (isxdigit((unsigned char)word[0]) || word[0] == '[');
}

static void addresses_and_numbers_are_those_that_tcpdump_prints(void **state)
{
	const char *word, *before, *said;
	unsigned int checked = 0;
	char want[200];
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		said = made_packet(rows[i].name)->tcpdump;
		/* Not printed by it: an unknown protocol's ports, what an ICMPv6 error quotes, ids of
		 * IPv6 fragments in decimal, ports and addresses in one word behind extensions. */
		if (strchr(rows[i].name, '6') || !strncmp(rows[i].name, "udplite", 7) ||
		    !strcmp(rows[i].name, "ah4") || strstr(said, "bad-"))
			continue;
		before = "";
		for (word = rows[i].line; *word; word += len + !!word[len]) {
			len = strcspn(word, " ");
			as_tcpdump(want, word, len);
			if (is_address(word, len) || !strncmp(before, "seq ", 4) ||
			    !strncmp(before, "ack ", 4) || !strncmp(before, "win ", 4) ||
			    !strncmp(before, "id ", 3) || !strncmp(before, "mtu ", 4)) {
				checked++;
				if (!strstr(said, want))
					fail_msg("%s: tcpdump has no %s", rows[i].name, want);
			}
			before = word;
		}
	}
	assert_true(checked > 100);
}

static void what_is_not_in_the_window_is_not_described(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	describe_bytes(&sb, "ping", 10);
	assert_said(sb, "header not in window");
	describe_bytes(&sb, "ping", 20);
	assert_said(sb, "IPv4 header not in window");
	describe_bytes(&sb, "ping", 38);
	assert_said(sb, "10.0.2.1 > 10.0.2.2 ICMP header not in window len 84");
	describe_bytes(&sb, "tcp6_syn", 60);
	assert_said(sb, "[fd00::1]:5000 > [fd00::2]:80 TCP header not in window len 80");
	describe_bytes(&sb, "extensions6", 60);
	assert_said(sb, "fd00::1 > fd00::2 hop-by-hop options header not in window len 120");
	describe_bytes(&sb, "vxlan", 44);
	assert_said(sb, "192.168.9.1 > 192.168.9.2 VXLAN { header not in window }");
	describe_bytes(&sb, "vxlan", 70);
	assert_said(sb, "192.168.9.1 > 192.168.9.2 VXLAN id 7 { IPv4 header not in window }");
	describe_bytes(&sb, "arp_request", 30);
	assert_said(sb, "ARP header not in window");
	describe_bytes(&sb, "port_unreachable", 50);
	assert_said(sb, "10.0.2.2 > 10.0.2.1 ICMP port unreachable len 64 of { IPv4 header not in "
			"window }");
}

static void nothing_known_says_so(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	struct packet p = { 0 };

	(void)state;
	packet_describe(&sb, &p);
	assert_said(sb, "header not in window");
}

static void pieces_are_named(void **state)
{
	static const u8 flags[] = { 0,	     TCP_SYN,		TCP_SYN | TCP_ACK,
				    TCP_ACK, TCP_PSH | TCP_ACK, TCP_RST | TCP_ACK,
				    0xff };
	static const char *const letters[] = { "none", "S", "S.", ".", "P.", "R.", "FSRP.UEW" };
	static const u8 v6[16] = { 0xfd, [15] = 1 }, v4[4] = { 192, 168, 0, 255 };
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		packet_put_tcp_flags(&sb, flags[i]);
		assert_said(sb, letters[i]);
	}
	packet_put_addr(&sb, v6, 6);
	assert_said(sb, "fd00::1");
	packet_put_addr(&sb, v4, 4);
	assert_said(sb, "192.168.0.255");
	packet_put_addr(&sb, v4, 0);
	assert_said(sb, "?");
	assert_string_equal(packet_proto_name(1), "ICMP");
	assert_string_equal(packet_proto_name(58), "ICMPv6");
	assert_string_equal(packet_proto_name(132), "SCTP");
	assert_null(packet_proto_name(254));
	assert_string_equal(packet_icmp_name(4, 8, 0), "echo request");
	assert_string_equal(packet_icmp_name(4, 3, 3), "port unreachable");
	assert_string_equal(packet_icmp_name(4, 3, 200), "unreachable");
	assert_string_equal(packet_icmp_name(6, 1, 4), "port unreachable");
	assert_string_equal(packet_icmp_name(6, 129, 0), "echo reply");
	assert_null(packet_icmp_name(4, 200, 0));
	assert_null(packet_icmp_name(6, 200, 0));
}

static void endpoints_have_ports_when_there_are_any(void **state)
{
	struct packet_net n = { .version = 6,
				.part = PART_OK,
				.proto = 6,
				.l4 = PART_OK,
				.src = { 0xfd, [15] = 1 },
				.dst = { 0xfd, [15] = 2 },
				.sport = 5000,
				.dport = 80 };
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	packet_put_endpoint(&sb, &n, false);
	assert_said(sb, "[fd00::1]:5000");
	packet_put_endpoint(&sb, &n, true);
	assert_said(sb, "[fd00::2]:80");
	n.proto = 58;
	packet_put_endpoint(&sb, &n, true);
	assert_said(sb, "fd00::2");
	n.proto = 17;
	n.l4 = PART_FRAGMENT;
	n.sport = n.dport = 0;
	packet_put_endpoint(&sb, &n, true);
	assert_said(sb, "fd00::2");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packet_is_described),
		cmocka_unit_test(addresses_and_numbers_are_those_that_tcpdump_prints),
		cmocka_unit_test(what_is_not_in_the_window_is_not_described),
		cmocka_unit_test(nothing_known_says_so),
		cmocka_unit_test(pieces_are_named),
		cmocka_unit_test(endpoints_have_ports_when_there_are_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
