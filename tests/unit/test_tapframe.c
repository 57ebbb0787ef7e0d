// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of the tap in a trace: what they say is read, what is not ours or not sound is passed over.
 */
#include "unit.h"

#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "capture/tap_record.h"
#include "decode/pktfilter.h"
#include "decode/schema.h"

#define ID 19
/* As kernels from 5.10 to 7.2 have it. */
static const char format[] =
	"name: raw_data\nID: 19\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:unsigned int id;\toffset:8;\tsize:4;\tsigned:0;\n"
	"\tfield:char buf[];\toffset:12;\tsize:0;\tsigned:0;\n\n"
	"print fmt: \"id:%04x %08x\", REC->id, (int)REC->buf[0]\n";

/* Ethernet, IPv4 10.0.2.1 > 10.0.2.2, ICMP echo request id 0x1234 seq 7. Written down from RFCs. */
static const u8 ping[] = {
	0x02, 0, 0, 0,	0,    2,    0x02, 0, 0,	 0, 0, 1, 0x08, 0x00, /* Ethernet */
	0x45, 0, 0, 84, 0xab, 0xcd, 0x40, 0, 64, 1, 0, 0, 10,	0,    2, 1, 10, 0, 2, 2, /* IPv4 */
	8,    0, 0, 0,	0x12, 0x34, 0,	  7,						 /* ICMP */
};

struct raw {
	u8 bytes[8 + sizeof(struct tap_record) + TAP_SNAP_BYTES];
	u32 len;
};

static struct tap_record plain_record(void)
{
	return (struct tap_record){ .id = TAP_RECORD_ID,
				    .version = TAP_RECORD_VERSION,
				    .snap_bytes = sizeof(ping),
				    .ts_ns = 123456789012345ULL,
				    .slack_ns = 33,
				    .seq = 5,
				    .netns_inum = 4026532840u,
				    .ifindex = 3,
				    .len_bytes = 98,
				    .link_bytes = 14,
				    .hatype = ARPHRD_ETHER,
				    .protocol = 0x0800,
				    .flags = TAP_OUTGOING,
				    .cpu = 1,
				    .nr_cpus = 4,
				    .dev = "veth1" };
}

static void make(struct raw *raw, const struct tap_record *r, const u8 *bytes, size_t len)
{
	memset(raw, 0, sizeof(*raw));
	raw->bytes[0] = ID;
	memcpy(raw->bytes + 8, r, sizeof(*r));
	memcpy(raw->bytes + 8 + sizeof(*r), bytes, len);
	/* The kernel fills up to a multiple of 4. */
	raw->len = (u32)(8 + sizeof(*r) + len + 3) & ~3u;
}

static void start(struct schema *s, bool tapped)
{
	assert_int_equal(schema_init(s, HOST_BIG_ENDIAN, 8, NULL), 0);
	s->tapped = tapped;
	assert_int_equal(schema_add_format(s, "ftrace", format, strlen(format), NULL), 0);
}

/* In memory of its own size, so that a sanitizer sees a read behind it. */
static bool decode(struct schema *s, const struct raw *raw, u32 len, struct event *ev,
		   struct skb_facts *facts)
{
	u8 *copy = malloc(len ? len : 1);
	bool ret;

	memcpy(copy, raw->bytes, len);
	ret = schema_decode(s, ID, copy, len, ev, facts);
	free(copy);
	return ret;
}

static bool decode_record(struct schema *s, const struct tap_record *r)
{
	struct skb_facts facts;
	struct event ev;
	struct raw raw;

	make(&raw, r, ping, sizeof(ping));
	return decode(s, &raw, raw.len, &ev, &facts);
}

static void a_frame_says_what_it_is_and_where_it_was_seen(void **state)
{
	struct tap_record r = plain_record();
	struct skb_facts facts;
	struct schema s;
	struct event ev;
	struct raw raw;

	(void)state;
	start(&s, true);
	assert_true(s.has_taps);
	assert_true(s.has_headers);
	make(&raw, &r, ping, sizeof(ping));
	assert_true(decode(&s, &raw, raw.len, &ev, &facts));
	assert_int_equal(ev.kind, EVENT_FRAME);
	assert_int_equal(ev.len_bytes, 98);
	assert_string_equal(devnames_text(&s.devs, ev.dev), "veth1");
	assert_ptr_equal(ev.facts, &facts);
	assert_int_equal(facts.frame.ts_ns, 123456789012345ULL);
	assert_int_equal(facts.frame.slack_ns, 33);
	assert_int_equal(facts.frame.cpu, 1);
	assert_int_equal(facts.frame.nr_cpus, 4);
	assert_int_equal(facts.frame.flags, FRAME_OUTGOING);
	assert_int_equal(facts.frame.link_bytes, 14);
	assert_int_equal(facts.netns_inum, 4026532840u);
	assert_true(facts.tapped);
	assert_true(facts.has_packet);
	assert_int_equal(facts.packet.nr_nets, 1);
	assert_int_equal(facts.packet.net[0].id, 0xabcd);
	assert_int_equal(facts.packet.net[0].icmp_type, 8);
	assert_int_equal(facts.packet.net[0].icmp_id, 0x1234);
	assert_int_equal(facts.packet.net[0].icmp_seq, 7);
	schema_free(&s);
}

static void a_frame_without_a_link_header_is_read_too(void **state)
{
	struct tap_record r = plain_record();
	struct skb_facts facts;
	struct schema s;
	struct event ev;
	struct raw raw;

	(void)state;
	start(&s, true);
	r.link_bytes = 0;
	r.hatype = ARPHRD_NONE;
	r.len_bytes = 84;
	r.snap_bytes = sizeof(ping) - 14;
	r.flags = TAP_STAMPED_EARLIER | TAP_TAGGED | TAP_LOST | TAP_NO_HOP;
	make(&raw, &r, ping + 14, sizeof(ping) - 14);
	assert_true(decode(&s, &raw, raw.len, &ev, &facts));
	assert_true(facts.has_packet);
	assert_int_equal(facts.packet.link, PART_NONE);
	assert_int_equal(facts.packet.net[0].icmp_seq, 7);
	assert_int_equal(facts.frame.flags,
			 FRAME_STAMPED_EARLIER | FRAME_TAGGED | FRAME_LOST | FRAME_NO_HOP);
	r.flags = TAP_MARK;
	r.snap_bytes = 0;
	make(&raw, &r, ping + 14, 0);
	assert_true(decode(&s, &raw, raw.len, &ev, &facts));
	assert_int_equal(facts.frame.flags, FRAME_MARK);
	assert_false(facts.has_packet);
	schema_free(&s);
}

static void filters_see_frames(void **state)
{
	struct tap_record r = plain_record();
	struct pktfilter *yes, *no;
	struct skb_facts facts;
	struct schema s;
	struct event ev;
	struct raw raw;

	(void)state;
	assert_int_equal(pktfilter_compile(&yes, "icmp and dst host 10.0.2.2", NULL), 0);
	assert_int_equal(pktfilter_compile(&no, "tcp", NULL), 0);
	start(&s, true);
	make(&raw, &r, ping, sizeof(ping));
	s.filter = yes;
	assert_true(decode(&s, &raw, raw.len, &ev, &facts));
	assert_true(facts.matched);
	s.filter = no;
	assert_true(decode(&s, &raw, raw.len, &ev, &facts));
	assert_false(facts.matched);
	schema_free(&s);
	pktfilter_free(yes);
	pktfilter_free(no);
}

static void nothing_is_read_where_no_tap_was(void **state)
{
	struct tap_record r = plain_record();
	struct schema s;

	(void)state;
	start(&s, false);
	assert_false(s.has_taps);
	assert_false(decode_record(&s, &r));
	schema_free(&s);
}

static void what_others_write_there_is_not_taken_for_a_frame(void **state)
{
	struct tap_record r;
	struct schema s;

	(void)state;
	start(&s, true);
	r = plain_record();
	assert_true(decode_record(&s, &r));
	r.id++;
	assert_false(decode_record(&s, &r));
	r = plain_record();
	r.version++;
	assert_false(decode_record(&s, &r));
	schema_free(&s);
}

static void records_that_contradict_themselves_are_passed_over(void **state)
{
	struct tap_record r;
	struct schema s;

	(void)state;
	start(&s, true);
	r = plain_record();
	r.snap_bytes = sizeof(ping) + 64; /* more than there is */
	assert_false(decode_record(&s, &r));
	r = plain_record();
	r.len_bytes = sizeof(ping) - 1; /* less than there is */
	assert_false(decode_record(&s, &r));
	r = plain_record();
	r.link_bytes = 99; /* longer than the frame */
	assert_false(decode_record(&s, &r));
	r = plain_record();
	r.nr_cpus = 0;
	assert_false(decode_record(&s, &r));
	r = plain_record();
	r.cpu = 4;
	assert_false(decode_record(&s, &r));
	r = plain_record();
	r.ts_ns = 0;
	assert_false(decode_record(&s, &r));
	schema_free(&s);
}

static void a_name_that_does_not_end_is_cut(void **state)
{
	struct tap_record r = plain_record();
	struct skb_facts facts;
	struct schema s;
	struct event ev;
	struct raw raw;

	(void)state;
	start(&s, true);
	memset(r.dev, 'x', sizeof(r.dev));
	make(&raw, &r, ping, sizeof(ping));
	assert_true(decode(&s, &raw, raw.len, &ev, &facts));
	assert_string_equal(devnames_text(&s.devs, ev.dev), "xxxxxxxxxxxxxxx");
	schema_free(&s);
}

static void a_record_cut_off_anywhere_is_harmless(void **state)
{
	struct tap_record r = plain_record();
	struct skb_facts facts;
	struct schema s;
	struct event ev;
	struct raw raw;
	u32 len;

	(void)state;
	start(&s, true);
	make(&raw, &r, ping, sizeof(ping));
	for (len = 0; len < raw.len - 3; len++)
		if (decode(&s, &raw, len, &ev, &facts))
			assert_true(len >= 8 + sizeof(r) + sizeof(ping));
	schema_free(&s);
}

static void random_bytes_are_harmless(void **state)
{
	struct tap_record r = plain_record();
	struct skb_facts facts;
	u32 round, at, i, taken = 0;
	struct schema s;
	struct event ev;
	struct raw raw;

	(void)state;
	start(&s, true);
	srand(7);
	for (round = 0; round < 100000; round++) {
		make(&raw, &r, ping, sizeof(ping));
		for (i = 0; i < 4; i++) {
			at = 14 + (u32)rand() % (raw.len - 14);
			raw.bytes[at] = (u8)rand();
		}
		taken += decode(&s, &raw, raw.len, &ev, &facts);
	}
	/* Most of these bytes are the packet's own. */
	assert_true(taken > 1000 && taken < 100000);
	schema_free(&s);
}

static void swap_all(u8 *at, size_t size)
{
	u8 byte;
	size_t i;

	for (i = 0; i < size / 2; i++) {
		byte = at[i];
		at[i] = at[size - 1 - i];
		at[size - 1 - i] = byte;
	}
}

static void a_machine_of_the_other_byte_order_is_understood(void **state)
{
	static const u8 sizes[] = { 4, 2, 2, 8, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2 };
	struct tap_record r = plain_record();
	struct skb_facts facts;
	struct schema s;
	struct event ev;
	struct raw raw;
	size_t i, at = 8;

	(void)state;
	assert_int_equal(schema_init(&s, !HOST_BIG_ENDIAN, 8, NULL), 0);
	s.tapped = true;
	assert_int_equal(schema_add_format(&s, "ftrace", format, strlen(format), NULL), 0);
	make(&raw, &r, ping, sizeof(ping));
	for (i = 0; i < ARRAY_SIZE(sizes); at += sizes[i++])
		swap_all(raw.bytes + at, sizes[i]);
	assert_int_equal(at, 8 + offsetof(struct tap_record, dev));
	assert_true(decode(&s, &raw, raw.len, &ev, &facts));
	assert_int_equal(facts.frame.ts_ns, r.ts_ns);
	assert_int_equal(facts.netns_inum, r.netns_inum);
	assert_int_equal(facts.frame.nr_cpus, 4);
	assert_int_equal(ev.len_bytes, 98);
	assert_int_equal(facts.packet.net[0].icmp_seq, 7);
	schema_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_says_what_it_is_and_where_it_was_seen),
		cmocka_unit_test(a_frame_without_a_link_header_is_read_too),
		cmocka_unit_test(filters_see_frames),
		cmocka_unit_test(nothing_is_read_where_no_tap_was),
		cmocka_unit_test(what_others_write_there_is_not_taken_for_a_frame),
		cmocka_unit_test(records_that_contradict_themselves_are_passed_over),
		cmocka_unit_test(a_name_that_does_not_end_is_cut),
		cmocka_unit_test(a_record_cut_off_anywhere_is_harmless),
		cmocka_unit_test(random_bytes_are_harmless),
		cmocka_unit_test(a_machine_of_the_other_byte_order_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
