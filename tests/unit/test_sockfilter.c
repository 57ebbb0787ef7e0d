// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Expressions on sockets. What each means is pcap-filter(7)'s word; the answers here are by hand.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/sockfilter.h"

static void put_addr(u8 *to, const char *text)
{
	u8 ip[4];

	if (inet_pton(AF_INET, text, ip) == 1)
		sock_addr_map(to, ip);
	else
		assert_int_equal(inet_pton(AF_INET6, text, to), 1);
}

static struct sock_addrs sock(u8 family, u16 proto, const char *local, u16 lport,
			      const char *remote, u16 rport)
{
	struct sock_addrs a = { .family = family, .proto = proto, .lport = lport, .rport = rport };

	put_addr(a.local, local);
	put_addr(a.remote, remote);
	return a;
}

static bool holds(const char *expr, struct sock_addrs a)
{
	struct sockfilter *f;
	struct error err = { 0 };
	bool ret;

	if (sockfilter_compile(&f, expr, &err))
		fail_msg("%s", err.text);
	ret = sockfilter_match(f, &a);
	sockfilter_free(f);
	return ret;
}

static void refused(const char *expr, const char *why)
{
	struct sockfilter *f;
	struct error err = { 0 };

	assert_int_equal(sockfilter_compile(&f, expr, &err), -EINVAL);
	assert_null(f);
	if (!strstr(err.text, why))
		fail_msg("%s: %s", expr, err.text);
}

static void test_addresses(void **state)
{
	struct sock_addrs a = sock(4, IPPROTO_TCP, "10.0.0.5", 40000, "192.0.2.7", 443);

	(void)state;
	assert_true(holds("", a));
	assert_true(holds("host 10.0.0.5", a));
	assert_true(holds("host 192.0.2.7", a));
	assert_false(holds("host 10.0.0.6", a));
	assert_true(holds("net 192.0.2.0/24", a));
	assert_false(holds("net 192.0.3.0/24", a));
	assert_true(holds("not host 10.0.0.6", a));
	/* either direction may match */
	assert_true(holds("src host 10.0.0.5 and dst port 443", a));
	assert_true(holds("dst host 10.0.0.5 and src port 443", a));
	assert_false(holds("src host 10.0.0.5 and src port 443", a));
	assert_true(holds("ip host 10.0.0.5 and 192.0.2.7", a));
	assert_false(holds("ip6", a));
}

static void test_ports(void **state)
{
	struct sock_addrs tcp = sock(4, IPPROTO_TCP, "10.0.0.5", 40000, "192.0.2.7", 443);
	struct sock_addrs udp = sock(4, IPPROTO_UDP, "10.0.0.5", 5353, "0.0.0.0", 0);

	(void)state;
	assert_true(holds("tcp port 443", tcp));
	assert_true(holds("port 40000", tcp));
	assert_true(holds("portrange 400-500", tcp));
	assert_false(holds("portrange 500-600", tcp));
	assert_false(holds("udp port 443", tcp));
	assert_false(holds("port 80 or port 81", tcp));
	assert_true(holds("udp port 5353", udp));
	assert_false(holds("tcp", udp));
	assert_true(holds("udp and not port 53", udp));
}

static void test_ipv6(void **state)
{
	struct sock_addrs six = sock(6, IPPROTO_TCP, "fd00::1", 22, "fd00::2", 50000);
	struct sock_addrs mapped = sock(6, IPPROTO_UDP, "127.0.0.1", 9, "127.0.0.2", 10);
	struct sock_addrs any = sock(6, IPPROTO_TCP, "::", 80, "::", 0);

	(void)state;
	assert_true(holds("ip6", six));
	assert_false(holds("ip", six));
	assert_true(holds("host fd00::2", six));
	assert_true(holds("net fd00::/16 and tcp port 22", six));
	assert_false(holds("host fd00::3", six));
	/* what goes over the wire is IPv4 */
	assert_true(holds("ip and host 127.0.0.2", mapped));
	assert_false(holds("ip6", mapped));
	assert_true(holds("ip6 and port 80", any));
	assert_false(holds("host fd00::2", any));
}

static void test_other_protocols(void **state)
{
	(void)state;
	/* MPTCP's number does not fit into a header, which is TCP's */
	assert_true(holds("tcp port 80", sock(4, 262, "10.0.0.1", 1, "10.0.0.2", 80)));
	assert_true(holds("udp port 80", sock(4, IPPROTO_UDPLITE, "10.0.0.1", 1, "10.0.0.2", 80)));
}

static void test_what_no_socket_tells(void **state)
{
	static const char only[] = "only protocol, addresses and ports";

	(void)state;
	refused("tcp[tcpflags] & tcp-syn != 0", only);
	refused("greater 100", only);
	refused("ip[8] = 64", only);
	refused("ip[2:2] > 100", only);
	refused("udp[8] = 1", only);
	refused("ip6[7] = 64", only);
	refused("host 10.0.0.1 or tcp[13] = 2", only);
	refused("icmp", "no TCP or UDP socket");
	refused("arp", only);
	refused("ether host 02:00:00:00:00:01", only);
	refused("vlan 5", only);
	refused("no such thing", "pcap-filter(7)");
	/* parts of what is known are */
	assert_true(holds("ip[16] = 192", sock(4, IPPROTO_TCP, "10.0.0.5", 1, "192.0.2.7", 2)));
	assert_true(holds("tcp[0:2] = 7", sock(4, IPPROTO_TCP, "10.0.0.5", 7, "192.0.2.7", 2)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_what_no_socket_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
