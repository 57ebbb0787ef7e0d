// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What two looks at a packet say of it: NAT, tunnels, tags, fragments; and what is no change. The
 * packets are those of packets.h.
 */
#include "unit.h"

#include <netinet/in.h>
#include <string.h>

#include "analysis/changes.h"
#include "made_packet.h"
#include "path_script.h"

static struct packet packet(const char *name)
{
	return facts_of(name, 0).packet;
}

/* What is inside of a packet's outermost header, as when that was taken off. */
static struct packet without_outer(struct packet p)
{
	memmove(&p.net[0], &p.net[1], sizeof(p.net) - sizeof(p.net[0]));
	memset(&p.net[PACKET_NETS - 1], 0, sizeof(p.net[0]));
	p.nr_nets--;
	return p;
}

static void a_packet_is_no_other_than_itself(void **state)
{
	struct packet p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(made_packets); i++) {
		p = packet(made_packets[i].name);
		if (packet_changes(&p, &p))
			fail_msg("%s has changed", made_packets[i].name);
	}
}

static void hops_lengths_and_marks_of_the_link_do_not_count(void **state)
{
	struct packet a = packet("tcp_syn"), b = a;

	(void)state;
	b.net[0].ttl--;
	b.net[0].tos = 0xb8;
	b.net[0].total_bytes += 100;
	b.net[0].tcp_window = 1;
	/* GRO joins them. */
	b.net[0].tcp_flags |= TCP_PSH;
	b.smac[5] = b.dmac[5] = 9;
	assert_int_equal(packet_changes(&a, &b), 0);
	assert_true(packet_same_header(&a.net[0], &b.net[0]));
}

static void what_one_look_does_not_tell_has_not_changed(void **state)
{
	struct packet whole = packet("tcp_syn"), cut = whole, none = { 0 }, linkless = whole;

	(void)state;
	cut.net[0].l4 = PART_CUT;
	cut.net[0].sport = cut.net[0].dport = 0;
	cut.net[0].tcp_seq = 0;
	cut.net[0].tcp_flags = 0;
	assert_int_equal(packet_changes(&whole, &cut), 0);
	assert_int_equal(packet_changes(&cut, &whole), 0);
	assert_int_equal(packet_changes(&whole, &none), 0);
	assert_int_equal(packet_changes(&none, &whole), 0);
	assert_int_equal(packet_changes(&none, &none), 0);
	cut.net[0].part = PART_CUT;
	memset(cut.net[0].src, 0xff, 16);
	assert_int_equal(packet_changes(&whole, &cut), 0);
	assert_int_equal(packet_changes(&cut, &whole), 0);
	/* A window without a link header says nothing of tags, unless the skb does. */
	linkless = packet("vlan");
	linkless.link = PART_NONE;
	linkless.nr_vlans = 0;
	linkless.vlans_known = false;
	cut = packet("vlan");
	assert_int_equal(packet_changes(&cut, &linkless), 0);
	assert_int_equal(packet_changes(&linkless, &cut), 0);
	linkless.vlans_known = true;
	assert_int_equal(packet_changes(&cut, &linkless), CHANGE_VLAN);
	assert_int_equal(packet_changes(&linkless, &cut), CHANGE_VLAN);
}

static void nat_is_told_by_side(void **state)
{
	struct packet a = packet("tcp_syn"), b;

	(void)state;
	b = a;
	b.net[0].src[3] = 99;
	assert_int_equal(packet_changes(&a, &b), CHANGE_SOURCE);
	b = a;
	b.net[0].sport = 40000;
	assert_int_equal(packet_changes(&a, &b), CHANGE_SOURCE);
	b = a;
	b.net[0].dport = 8080;
	assert_int_equal(packet_changes(&a, &b), CHANGE_DESTINATION);
	b.net[0].dst[0] = 192;
	assert_int_equal(packet_changes(&a, &b), CHANGE_DESTINATION);
	b.net[0].src[0] = 192;
	assert_int_equal(packet_changes(&a, &b), CHANGE_SOURCE | CHANGE_DESTINATION);
	/* ICMP has no ports; what stands in their place is of no meaning. */
	a = b = packet("ping");
	b.net[0].sport = 1;
	assert_int_equal(packet_changes(&a, &b), 0);
	b.net[0].src[3] = 99;
	b.net[0].icmp_id++;
	assert_int_equal(packet_changes(&a, &b), CHANGE_SOURCE);
	a = b = packet("tcp6_syn");
	b.net[0].src[15] ^= 1;
	assert_int_equal(packet_changes(&a, &b), CHANGE_SOURCE);
}

static void another_packet_is_other(void **state)
{
	struct packet a = packet("tcp_syn"), b = a;

	(void)state;
	b.net[0].tcp_seq++;
	assert_int_equal(packet_changes(&a, &b), CHANGE_OTHER);
	b = packet("udp");
	assert_int_equal(packet_changes(&a, &b), CHANGE_OTHER);
	b = packet("tcp6_syn");
	assert_int_equal(packet_changes(&a, &b), CHANGE_OTHER);
	a = b = packet("ping");
	b.net[0].icmp_seq++;
	assert_int_equal(packet_changes(&a, &b), CHANGE_OTHER);
	a = packet("arp_request");
	b = packet("arp_reply");
	assert_int_equal(packet_changes(&a, &b), CHANGE_OTHER);
	b = a;
	b.arp_tip[3]++;
	assert_int_equal(packet_changes(&a, &b), CHANGE_OTHER);
}

static void tunnels_are_put_on_and_taken_off(void **state)
{
	static const char *const names[] = { "vxlan",  "vxlan_8472", "geneve", "gre",	 "gre_full",
					     "gretap", "ipip",	     "sit",    "ip4in6", "ip6in6" };
	struct packet outer, inner, twice;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		outer = packet(names[i]);
		outer.nr_vlans = 0;
		assert_true(outer.nr_nets >= 2);
		inner = without_outer(outer);
		assert_int_equal(packet_changes(&inner, &outer), CHANGE_ENCAP);
		assert_int_equal(packet_changes(&outer, &inner), CHANGE_DECAP);
	}
	/* A tunnel in a tunnel, of other ends. */
	twice = packet("four_deep");
	twice.net[0].src[0] = twice.net[0].dst[0] = 172;
	twice.net[1].src[0] = twice.net[1].dst[0] = 10;
	inner = without_outer(twice);
	assert_int_equal(packet_changes(&inner, &twice), CHANGE_ENCAP);
	assert_int_equal(packet_changes(&twice, &inner), CHANGE_DECAP);
}

static void arp_in_a_tunnel_is_told_too(void **state)
{
	struct packet inner = packet("arp_request"), outer = packet("vxlan_arp");

	(void)state;
	assert_int_equal(packet_changes(&inner, &outer), CHANGE_ENCAP);
	assert_int_equal(packet_changes(&outer, &inner), CHANGE_DECAP);
}

static void a_tunnel_whose_inside_is_out_of_sight_is_one(void **state)
{
	struct packet outer = packet("vxlan"), inner = without_outer(outer);

	(void)state;
	outer.nr_nets = 1;
	assert_int_equal(outer.net[0].tunnel, TUNNEL_VXLAN);
	assert_int_equal(packet_changes(&inner, &outer), CHANGE_ENCAP);
	assert_int_equal(packet_changes(&outer, &inner), CHANGE_DECAP);
}

static void nat_of_a_tunnels_outside_is_no_tunnel(void **state)
{
	struct packet a = packet("vxlan"), b = a;

	(void)state;
	b.net[0].src[3] ^= 1;
	assert_int_equal(packet_changes(&a, &b), CHANGE_SOURCE);
	b.net[0].dst[3] ^= 1;
	assert_int_equal(packet_changes(&a, &b), CHANGE_SOURCE | CHANGE_DESTINATION);
}

static void tags_and_fragments_are_told(void **state)
{
	struct packet tagged = packet("vlan"), plain = packet("ping"), b, whole, part;

	(void)state;
	assert_int_equal(packet_changes(&tagged, &plain), CHANGE_VLAN);
	assert_int_equal(packet_changes(&plain, &tagged), CHANGE_VLAN);
	b = tagged;
	b.vlan[0] = (u16)((tagged.vlan[0] & 0xf000) | 8);
	assert_int_equal(packet_changes(&tagged, &b), CHANGE_VLAN);
	/* Priority is none of the tag's identity. */
	b = tagged;
	b.vlan[0] ^= 0x2000;
	assert_int_equal(packet_changes(&tagged, &b), 0);
	part = packet("fragment_first");
	whole = part;
	whole.net[0].more_fragments = false;
	assert_int_equal(packet_changes(&part, &whole), CHANGE_FRAGMENT);
	assert_int_equal(packet_changes(&whole, &part), CHANGE_FRAGMENT);
	part = packet("fragment_last");
	assert_int_equal(packet_changes(&whole, &part), CHANGE_FRAGMENT);
}

static void nat_and_tunnels_leave_the_senders_numbers(void **state)
{
	struct packet syn = packet("tcp_syn"), data = packet("tcp_data"), ping = packet("ping");
	struct packet reply = packet("ping_reply"), udp = packet("udp"), b;

	(void)state;
	assert_true(packet_may_be_same(&syn, &syn));
	b = syn;
	b.net[0].src[3] = 99;
	b.net[0].dst[0] = 99;
	b.net[0].sport = 1;
	assert_true(packet_may_be_same(&syn, &b));
	b.net[0].tcp_seq++;
	assert_false(packet_may_be_same(&syn, &b));
	b = syn;
	b.net[0].id++;
	assert_false(packet_may_be_same(&syn, &b));
	b = data;
	b.net[0].tcp_ack++;
	assert_false(packet_may_be_same(&data, &b));
	/* The same flow, another packet; also where both say id 0. */
	assert_false(packet_may_be_same(&syn, &data));
	b = data;
	b.net[0].id = syn.net[0].id = 0;
	assert_false(packet_may_be_same(&syn, &b));
	/* An answer is no NAT of both ends. */
	assert_false(packet_may_be_same(&ping, &reply));
	b = udp;
	memcpy(b.net[0].src, udp.net[0].dst, 16);
	memcpy(b.net[0].dst, udp.net[0].src, 16);
	assert_false(packet_may_be_same(&udp, &b));
	b = packet("vxlan");
	assert_true(packet_may_be_same(&b, &b));
	udp = without_outer(b);
	assert_true(packet_may_be_same(&b, &udp));
	assert_true(packet_may_be_same(&udp, &b));
	/* Another packet than what is in the tunnel. */
	assert_false(packet_may_be_same(&b, &data));
	assert_false(packet_may_be_same(&data, &b));
	memset(&b, 0, sizeof(b));
	assert_true(packet_may_be_same(&ping, &b));
}

static void every_change_has_a_name_of_its_own(void **state)
{
	u32 i, k;

	(void)state;
	for (i = 0; i < CHANGE_KINDS; i++)
		for (k = 0; k < i; k++)
			assert_string_not_equal(change_name(1u << i), change_name(1u << k));
	assert_string_equal(change_name(CHANGE_SOURCE), "snat");
	assert_string_equal(change_name(CHANGE_DECAP), "decap");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_is_no_other_than_itself),
		cmocka_unit_test(hops_lengths_and_marks_of_the_link_do_not_count),
		cmocka_unit_test(what_one_look_does_not_tell_has_not_changed),
		cmocka_unit_test(nat_is_told_by_side),
		cmocka_unit_test(another_packet_is_other),
		cmocka_unit_test(tunnels_are_put_on_and_taken_off),
		cmocka_unit_test(arp_in_a_tunnel_is_told_too),
		cmocka_unit_test(a_tunnel_whose_inside_is_out_of_sight_is_one),
		cmocka_unit_test(nat_of_a_tunnels_outside_is_no_tunnel),
		cmocka_unit_test(tags_and_fragments_are_told),
		cmocka_unit_test(nat_and_tunnels_leave_the_senders_numbers),
		cmocka_unit_test(every_change_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
