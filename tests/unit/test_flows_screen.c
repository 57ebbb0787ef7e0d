// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The screen of flows: what each line says, and what keys do.
 */
#include "unit.h"

#include <locale.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/flows_screen.h"

#define MAX_ROWS 40
#define MAX_LINES 60

static struct flows_screen s;
static struct screen_line line[MAX_LINES];
static struct flow flow[MAX_ROWS];
static struct flow_row row[MAX_ROWS];
static size_t nr;

static void size(int columns, int lines)
{
	s.columns = columns;
	s.lines = lines;
}

static int setup(void **state)
{
	(void)state;
	memset(flow, 0, sizeof(flow));
	memset(row, 0, sizeof(row));
	nr = 0;
	s.sort = FLOWS_SORT_TOTAL;
	s.refresh_ns = NSEC_PER_SEC;
	s.utf8 = true;
	size(80, 24);
	return 0;
}

static int teardown(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < MAX_LINES; i++)
		strbuf_free(&line[i].text);
	memset(line, 0, sizeof(line));
	flows_screen_free(&s);
	return 0;
}

/* Of TCP: 10.0.0.1:@lport and 10.0.0.2:80. */
static struct flow_row *add(s32 pid, const char *comm, u16 lport, u64 rx, u64 tx)
{
	struct flow_row *r = &row[nr];
	struct flow *f = &flow[nr++];

	*f = (struct flow){
		.number = nr,
		.addrs = { .lport = lport, .rport = 80, .proto = IPPROTO_TCP, .family = 4 },
		.state = SOCK_ESTABLISHED
	};
	sock_addr_map(f->addrs.local, "\x0a\0\0\x01");
	sock_addr_map(f->addrs.remote, "\x0a\0\0\x02");
	*r = (struct flow_row){ .flow = f, .pid = pid };
	strncpy(r->comm, comm, sizeof(r->comm) - 1);
	r->recent.rx_bytes = r->sum.rx_bytes = rx;
	r->recent.tx_bytes = r->sum.tx_bytes = tx;
	return r;
}

static void set_ipv6(u8 *addr)
{
	u8 i;

	for (i = 0; i < 16; i++)
		addr[i] = (u8)(0x20 + i);
}

/* All that were added, as an interval of a second that ended at 10 s. */
static void interval(void)
{
	struct flow_row copy[MAX_ROWS];

	memcpy(copy, row, sizeof(copy));
	assert_int_equal(flows_screen_rows(&s, copy, nr, 10 * NSEC_PER_SEC, NSEC_PER_SEC), 0);
}

static const char *text(int i)
{
	return strbuf_cstr(&line[i].text);
}

static void draw(void)
{
	assert_int_equal(flows_screen_draw(&s, line), 0);
}

static void keys(const char *typed)
{
	for (; *typed; typed++)
		flows_screen_key(&s, (u8)*typed);
	draw();
}

static void key(int k)
{
	flows_screen_key(&s, k);
	draw();
}

static void assert_has(int i, const char *part)
{
	if (!strstr(text(i), part))
		fail_msg("line %d has no '%s': '%s'", i, part, text(i));
}

/* The names of the first rows on the screen, a letter each. */
static void assert_order(const char *names)
{
	size_t i;

	draw();
	for (i = 0; names[i]; i++)
		if (text(2 + (int)i)[8] != names[i])
			fail_msg("row %zu is not %c: '%s'", i, names[i], text(2 + (int)i));
}

static void at_80_columns_is_who_talks_to_whom_and_how_fast(void **unused)
{
	(void)unused;
	add(42, "server", 443, 2048, 999);
	add(4194304, "sixteen-letters", 65535, 20480, 0);
	interval();
	draw();
	assert_has(0, "flows by socket  every 1 s  sort RX+TX  RX 22kB/s TX 999B/s  2 rows ");
	assert_string_equal(
		text(1),
		"    PID COMM       PROTO LOCAL                REMOTE                 RX/s   TX/s");
	assert_string_equal(
		text(2),
		"4194304 sixteen-l… tcp   10.0.0.1:65535       10.0.0.2:80            20kB      0");
	assert_string_equal(
		text(3),
		"     42 server     tcp   10.0.0.1:443         10.0.0.2:80           2.0kB   999B");
	assert_string_equal(text(4), "");
	assert_has(23, "h help  q quit  space pause");
	assert_int_equal(line[0].look, SCREEN_TITLE);
	assert_int_equal(line[1].look, SCREEN_HEAD);
	assert_int_equal(line[2].look, SCREEN_PLAIN);
	/* sorted by both rates */
	assert_int_equal(line[1].mark, SCREEN_SORTED);
	assert_int_equal(line[1].mark_from, 67);
	assert_int_equal(line[1].mark_to, 80);
}

static void at_200_columns_everything_is_there_in_full(void **unused)
{
	struct flow_row *r = add(42, "sixteen-letters", 443, 2048, 1);

	(void)unused;
	set_ipv6(flow[0].addrs.local);
	set_ipv6(flow[0].addrs.remote);
	flow[0].addrs.rport = 65535;
	flow[0].rtt_us = 1500;
	flow[0].flags = FLOW_BIRTH_SEEN;
	flow[0].first_ns = 9 * NSEC_PER_SEC;
	flow[0].state = SOCK_SYN_SENT;
	r->sum.rx_bytes = 5 << 20;
	r->sum.tx_bytes = 7;
	r->sum.retransmits = 12;
	size(200, 50);
	interval();
	draw();
	assert_has(1, "RX     TX   RX/s   TX/s RX-SUM TX-SUM  RETR   RTT-ms STATE         AGE-s");
	assert_has(2, " 42 sixteen-letters tcp ");
	assert_has(2, " [2021:2223:2425:2627:2829:2a2b:2c2d:2e2f]:443 ");
	assert_has(2, " [2021:2223:2425:2627:2829:2a2b:2c2d:2e2f]:65535 ");
	assert_has(2,
		   " 2.0kB     1B  2.0kB     1B  5.2MB     7B    12     1.50 SYN_SENT        1.0");
}

static void long_address_is_cut_in_the_middle_and_keeps_its_port(void **unused)
{
	(void)unused;
	add(42, "server", 65535, 1, 1);
	set_ipv6(flow[0].addrs.local);
	interval();
	draw();
	assert_has(2, " tcp   [2021:2223…2f]:65535 10.0.0.2:80 ");
	s.utf8 = false;
	draw();
	assert_has(2, " tcp   [2021:2223~2f]:65535 10.0.0.2:80 ");
	/* the first room there is beyond the sums is for it */
	size(80 + 14 + 29, 24);
	draw();
	assert_has(1, " RX-SUM TX-SUM");
	assert_has(2, "[2021:2223:2425:2627:2829:2a2b:2c2d:2e2f]:65535 ");
}

/* Whatever the size: no line is wider, no text is lost but for a sign of it, nothing outside is marked. */
static void any_size_has_lines_that_fit(void **unused)
{
	static const enum flows_by by[] = { FLOWS_BY_SOCKET, FLOWS_BY_COMM };
	size_t b, i;
	int l;

	(void)unused;
	for (i = 0; i < 30; i++) {
		add((s32)i, i % 2 ? "odd" : "caf\xc3\xa9 with a name", (u16)i, i, i)
			->recent.retransmits = 1;
		if (i % 3)
			set_ipv6(flow[i].addrs.remote);
	}
	s.lost = 123456789;
	for (b = 0; b < ARRAY_SIZE(by); b++) {
		s.by = by[b];
		for (i = 0; b && i < nr; i++)
			row[i].flow = NULL;
		interval();
		s.has_selected = false;
		size(80, 24);
		key(SCREEN_KEY_DOWN);
		for (s.columns = 0; s.columns < 230; s.columns++)
			for (s.lines = 0; s.lines < 30; s.lines++) {
				s.has_selected = s.lines % 2;
				s.paused = s.lines % 3;
				draw();
				for (l = 0; l < s.lines; l++) {
					assert_true(screen_columns(line[l].text.data,
								   line[l].text.len) <= s.columns);
					assert_true(line[l].mark_to <= s.columns);
				}
				if (s.lines > 3 && s.columns >= 40)
					assert_has(1, " TX/s");
				if (s.lines > 3 && s.columns >= 30)
					assert_has(0, "123456789 LOST");
			}
		s.paused = false;
	}
}

static void names_are_escaped_and_stay_in_their_column(void **unused)
{
	/* a wide character, one of no width, one that turns the direction of what follows */
	static const char *const odd[] = { "\033[2J",	      "\xe6\x97\xa5", "e\xcc\x81",
					   "\342\200\256abc", "a\nb",	      "\xff" };
	static const char *const shown[] = { "\\x1b[2J",	   "\\xe6\\x97\\xa5", "e\\xcc\\x81",
					     "\\xe2\\x80\\xaeabc", "a\\x0ab",	      "\\xff" };
	size_t i;

	(void)unused;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	size(200, 24);
	for (i = 0; i < ARRAY_SIZE(odd); i++)
		add(1, odd[i], (u16)(i + 1), 100 - i, 0);
	add(1, "caf\xc3\xa9", 7, 1, 0);
	interval();
	draw();
	for (i = 0; i < ARRAY_SIZE(odd); i++)
		assert_has(2 + (int)i, shown[i]);
	assert_has(8, " caf\xc3\xa9 ");
	s.utf8 = false;
	draw();
	assert_has(8, " caf\\xc3\\xa9 ");
	/* what is typed, and what others say, too */
	keys("/\x9b");
	assert_string_equal(text(23), "/\\x9b");
	key(SCREEN_KEY_ESCAPE);
	snprintf(s.message, sizeof(s.message), "bad \033 name");
	draw();
	assert_string_equal(text(23), "bad \\x1b name");
	assert_int_equal(line[23].look, SCREEN_WARNING);
}

static void keys_choose_what_rows_are_sorted_by(void **unused)
{
	(void)unused;
	/*  name    total  RX    TX   sums  local remote PID RTT age retransmits */
	add(30, "a", 1, 10, 0); /* 10     10    0    10    1 */
	add(10, "b", 3, 0, 30); /* 30     0     30   30    3 */
	add(20, "c", 2, 9, 9)->sum.rx_bytes = 100;
	flow[0].addrs.rport = 70;
	flow[1].addrs.remote[15] = 1;
	flow[1].rtt_us = 5;
	row[0].sum.retransmits = 3;
	row[2].sum.retransmits = 4;
	flow[0].flags = flow[1].flags = FLOW_BIRTH_SEEN;
	flow[0].first_ns = 5;
	flow[1].first_ns = 6;
	interval();
	assert_order("bca");
	keys("r");
	assert_order("acb");
	assert_has(0, " sort RX/s  ");
	assert_int_equal(line[1].mark_from, 67);
	assert_int_equal(line[1].mark_to, 73);
	keys("x");
	assert_order("bca");
	keys("s");
	assert_order("cba");
	keys("p");
	assert_order("bca");
	keys("c");
	assert_order("abc");
	keys("l");
	assert_order("acb");
	keys("m");
	assert_order("bac");
	keys("e");
	assert_order("cab");
	keys("a");
	assert_order("abc");
	keys("w");
	/* what is equal: the most traffic first */
	assert_order("bca");
	keys("R");
	assert_order("cab");
	assert_has(0, " sort RTT-ms reversed ");
	keys("t");
	assert_order("bca");
	assert_has(0, " sort RX+TX  ");
	/* sorts of groups are none of sockets */
	keys("k");
	assert_has(0, " sort RX+TX  ");
	key(SCREEN_KEY_LEFT);
	assert_has(0, " sort AGE-s  ");
	key(SCREEN_KEY_RIGHT);
	key(SCREEN_KEY_RIGHT);
	assert_has(0, " sort RX-SUM+TX-SUM  ");
	keys(">");
	assert_has(0, " sort PID  ");
}

static void every_column_can_be_sorted_by(void **unused)
{
	int i, order = 0;

	(void)unused;
	for (i = 0; i < 10; i++)
		add(i, "x", (u16)i, (u64)i, 0);
	interval();
	do {
		key(SCREEN_KEY_RIGHT);
		assert_int_equal(s.nr_shown, 10);
		order++;
	} while (s.sort != FLOWS_SORT_TOTAL);
	assert_int_equal(order,
			 FLOWS_SORTS - 3); /* all but KEY, and RX and TX, which are the rates */
}

static void filter_is_looked_for_in_names_pids_addresses_and_ports(void **unused)
{
	static const struct {
		const char *typed, *found;
	} cases[] = { { "ALPHA", "a" },	   { "4242", "b" },	  { ":5353", "c" },
		      { "10.0.0.9", "d" }, { "2021:2223", "b" },  { "listen", "d" },
		      { "tcp", "abcd" },   { "10.0.0.1:", "acd" } };
	size_t i;

	(void)unused;
	add(1, "alpha", 1, 40, 0);
	add(4242, "beta", 2, 30, 0);
	add(3, "cc", 5353, 20, 0);
	add(4, "dd", 4, 10, 0);
	set_ipv6(flow[1].addrs.local);
	flow[3].addrs.remote[15] = 9;
	flow[3].state = SOCK_LISTEN;
	interval();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		keys("/\x15");
		keys(cases[i].typed);
		assert_int_equal(flows_screen_cursor(&s), 1 + strlen(cases[i].typed));
		key(SCREEN_KEY_ENTER);
		assert_int_equal(flows_screen_cursor(&s), -1);
		assert_order(cases[i].found);
		assert_int_equal(s.nr_shown, strlen(cases[i].found));
		/* new rows, too */
		interval();
		assert_int_equal(s.nr_shown, strlen(cases[i].found));
	}
	assert_has(0, "  3/4 rows");
	assert_has(23, "/10.0.0.1:   h help");
	keys("/zzz");
	assert_has(2, "no row has this text");
	key(SCREEN_KEY_ESCAPE);
	assert_int_equal(s.nr_shown, 3);
	/* keys are text while a filter is typed */
	keys("/\x15q b");
	assert_string_equal(s.filter, "q b");
	key(SCREEN_KEY_BACKSPACE);
	keys("\xc3\xa9");
	key(SCREEN_KEY_BACKSPACE);
	assert_string_equal(s.filter, "q ");
	for (i = 0; i < 200; i++)
		keys("x");
	assert_int_equal(strlen(s.filter), sizeof(s.filter) - 1);
	for (i = 0; i < 200; i++)
		key(SCREEN_KEY_BACKSPACE);
	assert_string_equal(s.filter, "");
	assert_int_equal(s.nr_shown, 4);
}

static void pause_stands_still_and_can_be_searched(void **unused)
{
	(void)unused;
	add(1, "a", 1, 40, 0);
	add(2, "b", 2, 30, 0);
	interval();
	keys(" ");
	assert_has(0, " PAUSED");
	assert_int_equal(line[0].mark, SCREEN_WARNING);
	assert_int_equal(line[0].mark_from, 74);
	/* what it was made of is gone */
	memset(flow, 0xff, sizeof(flow));
	memset(row, 0xff, sizeof(row));
	interval();
	assert_order("ab");
	keys("R");
	assert_order("ba");
	keys("/10.0.0.1:1");
	key(SCREEN_KEY_ENTER);
	assert_order("a");
	nr = 0;
	add(3, "c", 1, 5, 0);
	keys(" ");
	assert_order("a"); /* until the next interval */
	interval();
	assert_order("c");
}

static void selected_row_is_followed_and_told_in_full(void **unused)
{
	(void)unused;
	add(1, "a", 1, 40, 0);
	add(2, "b", 2, 30, 0);
	set_ipv6(flow[1].addrs.remote);
	flow[1].netns = 4026531840U;
	interval();
	key(SCREEN_KEY_DOWN);
	key(SCREEN_KEY_DOWN);
	assert_int_equal(line[3].look, SCREEN_SELECTED);
	assert_int_equal(screen_columns(text(3), strlen(text(3))), 80);
	assert_has(21, "local  10.0.0.1:2  tcp  pid 2 b  netns 4026531840");
	assert_has(22, "remote [2021:2223:2425:2627:2829:2a2b:2c2d:2e2f]:80  ESTABLISHED");
	row[1].recent.tx_bytes = 100;
	row[1].netns_name = "w\033b";
	interval();
	draw();
	assert_has(21, "pid 2 b  netns w\\x1bb");
	row[1].netns_name = NULL;
	interval();
	draw();
	assert_int_equal(line[2].look, SCREEN_SELECTED);
	assert_int_equal(line[3].look, SCREEN_PLAIN);
	/* silent, and back */
	nr = 1;
	interval();
	draw();
	assert_has(21, "10.0.0.1:2  tcp  pid 2 b  netns 4026531840  (not in this interval)");
	assert_int_equal(line[2].look, SCREEN_PLAIN);
	nr = 2;
	interval();
	draw();
	assert_int_equal(line[2].look, SCREEN_SELECTED);
	key(SCREEN_KEY_ESCAPE);
	assert_int_equal(line[2].look, SCREEN_PLAIN);
	assert_string_equal(text(21), "");
}

static void rows_scroll_within_what_there_is(void **unused)
{
	char name[2] = "";
	int i;

	(void)unused;
	for (i = 0; i < 26; i++) {
		name[0] = (char)('a' + i);
		add(i, name, (u16)i, 1000 - (u64)i, 0);
	}
	size(80, 13);
	interval();
	assert_order("abcdefghij");
	key(SCREEN_KEY_PAGE_DOWN);
	assert_order("klmnopqrst");
	key(SCREEN_KEY_PAGE_DOWN);
	assert_order("qrstuvwxyz");
	key(SCREEN_KEY_PAGE_DOWN);
	key(SCREEN_KEY_PAGE_UP);
	assert_order("ghijklmnop");
	key(SCREEN_KEY_HOME);
	assert_order("abc");
	key(SCREEN_KEY_END);
	assert_order("qrstuvwxyz");
	/* a selected row stays on the screen, with two lines less */
	key(SCREEN_KEY_DOWN);
	assert_order("qrstuvwx");
	key(SCREEN_KEY_PAGE_DOWN);
	assert_order("rstuvwxy");
	assert_int_equal(line[9].look, SCREEN_SELECTED);
	key(SCREEN_KEY_END);
	assert_order("stuvwxyz");
	assert_int_equal(line[9].look, SCREEN_SELECTED);
	key(SCREEN_KEY_UP);
	assert_int_equal(line[8].look, SCREEN_SELECTED);
	size(80, 10);
	draw();
	assert_order("uvwxy");
	/* fewer rows than before */
	nr = 3;
	interval();
	assert_order("abc");
}

static void groups_have_their_own_columns(void **unused)
{
	(void)unused;
	add(1, "a", 1, 40, 0);
	interval();
	keys("w");
	key(SCREEN_KEY_DOWN);
	keys(" ");
	assert_int_equal(flows_screen_key(&s, 'b'), SCREEN_REGROUP);
	draw();
	assert_int_equal(s.by, FLOWS_BY_PID);
	assert_has(0, "flows by pid  every 1 s  sort RX+TX");
	assert_has(1, "PID                          RX     TX   RX/s   TX/s RX-SUM TX-SUM  RETR");
	assert_has(2, "waiting for");
	nr = 0;
	add(42, "server", 1, 2048, 1)->flow = NULL;
	add(41, "client", 1, 1024, 0)->flow = NULL;
	interval();
	draw();
	assert_string_equal(text(2),
			    "42 server                 2.0kB     1B  2.0kB     1B  2.0kB     1B"
			    "     0");
	keys("k");
	assert_has(2, "41 client");
	key(SCREEN_KEY_DOWN);
	assert_has(21, "PID  41 client");
	assert_has(22, "rx 1024 tx 0 bytes");
	/* all of them, and round again */
	keys("bbbbb");
	assert_int_equal(s.by, FLOWS_BY_SOCKET);
	nr = 0;
	add(1, "a", 1, 40, 0);
	interval();
	draw();
	assert_has(1, "    PID COMM ");
}

static void states_of_the_screen_are_said(void **unused)
{
	(void)unused;
	draw();
	assert_has(2, "waiting for the end of the first interval");
	interval();
	draw();
	assert_has(2, "nothing was received or sent in this interval");
	add(1, "a", 1, 40, 0)->recent.retransmits = 1;
	flow[0].flags = FLOW_OVER;
	s.lost = 7;
	size(120, 24);
	interval();
	draw();
	assert_has(0, " 7 LOST");
	assert_int_equal(line[2].look, SCREEN_OVER);
	assert_int_equal(line[2].mark, SCREEN_WARNING);
	keys("h");
	assert_has(1, "KEYS");
	assert_has(2, "t  s          sort by");
	assert_has(17, "q  Ctrl-C     quit");
	keys("x"); /* any key ends it, and nothing else */
	assert_has(1, "    PID COMM ");
	assert_has(0, " sort RX+TX  ");
	assert_int_equal(flows_screen_key(&s, 'q'), SCREEN_QUIT);
	keys("?");
	assert_int_equal(flows_screen_key(&s, 'q'), SCREEN_QUIT);
}

static void too_many_rows_are_cut_after_sorting(void **unused)
{
	struct flow_row *many = calloc(FLOWS_SCREEN_ROWS + 100, sizeof(*many));
	size_t i;

	(void)unused;
	assert_non_null(many);
	for (i = 0; i < FLOWS_SCREEN_ROWS + 100; i++) {
		many[i].pid = (s32)i + 1;
		many[i].recent.rx_bytes = i;
	}
	s.by = FLOWS_BY_PID;
	size(120, 24);
	assert_int_equal(flows_screen_rows(&s, many, FLOWS_SCREEN_ROWS + 100, NSEC_PER_SEC,
					   NSEC_PER_SEC),
			 0);
	free(many);
	draw();
	assert_has(0, " 65536 rows (of 65636)");
	assert_has(2, "65636 ");
	key(SCREEN_KEY_END);
	assert_has(22, "101 ");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(at_80_columns_is_who_talks_to_whom_and_how_fast),
		T(at_200_columns_everything_is_there_in_full),
		T(long_address_is_cut_in_the_middle_and_keeps_its_port),
		T(any_size_has_lines_that_fit),
		T(names_are_escaped_and_stay_in_their_column),
		T(keys_choose_what_rows_are_sorted_by),
		T(every_column_can_be_sorted_by),
		T(filter_is_looked_for_in_names_pids_addresses_and_ports),
		T(pause_stands_still_and_can_be_searched),
		T(selected_row_is_followed_and_told_in_full),
		T(rows_scroll_within_what_there_is),
		T(groups_have_their_own_columns),
		T(states_of_the_screen_are_said),
		T(too_many_rows_are_cut_after_sorting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
