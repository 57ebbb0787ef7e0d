// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows of flows as lines.
 */
#include "unit.h"

#include <json-c/json.h>
#include <netinet/in.h>
#include <string.h>

#include "render/flows.h"

static struct strbuf sb;
static struct flow flow;
static struct flow_row row;

static int setup(void **state)
{
	(void)state;
	memset(&flow, 0, sizeof(flow));
	memset(&row, 0, sizeof(row));
	flow = (struct flow){
		.number = 3,
		.addrs = { .lport = 4000, .rport = 80, .proto = IPPROTO_TCP, .family = 6 },
		.state = SOCK_ESTABLISHED,
		.flags = FLOW_BIRTH_SEEN,
		.first_ns = NSEC_PER_SEC,
		.rtt_us = 1500
	};
	sock_addr_map(flow.addrs.local, "\x0a\0\0\x01");
	flow.addrs.remote[0] = 0xfd;
	flow.addrs.remote[15] = 2;
	row = (struct flow_row){ .flow = &flow, .pid = 42, .comm = "server" };
	row.recent.rx_bytes = 999;
	row.recent.tx_bytes = 1000;
	row.sum.rx_bytes = 10 * 1024 * 1024;
	row.sum.tx_bytes = UINT64_MAX;
	row.sum.retransmits = 7;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	strbuf_free(&sb);
	return 0;
}

static const char *line(enum flows_by by, enum flows_format format)
{
	sb.len = 0;
	assert_int_equal(
		render_flows_row(&sb, &row, by, format, 3 * NSEC_PER_SEC, 2 * NSEC_PER_SEC), 0);
	return strbuf_cstr(&sb);
}

static void row_is_a_line_of_text(void **unused)
{
	(void)unused;
	assert_string_equal(
		line(FLOWS_BY_SOCKET, FLOWS_TEXT),
		"     42 server          tcp   10.0.0.1:4000         [fd00::2]:80         "
		"    999B   1.0kB    499B    500B    10MB    18EB     7     1.50 ESTABLISHED     2.0\n");
}

static void row_is_a_line_of_csv(void **unused)
{
	(void)unused;
	assert_string_equal(line(FLOWS_BY_SOCKET, FLOWS_CSV),
			    "42,server,tcp,10.0.0.1:4000,[fd00::2]:80,999,1000,499,500,10485760,"
			    "18446744073709551615,7,1500,ESTABLISHED,2.000,calls,0\n");
}

static void lower_bounds_are_marked(void **unused)
{
	(void)unused;
	assert_non_null(strstr(line(FLOWS_BY_SOCKET, FLOWS_JSON), "\"inexact\":false"));
	row.inexact = true;
	assert_string_equal(
		line(FLOWS_BY_SOCKET, FLOWS_TEXT),
		"     42 server          tcp   10.0.0.1:4000         [fd00::2]:80         "
		"   >999B  >1.0kB   >499B   >500B   >10MB   >18EB     7     1.50 ESTABLISHED     2.0\n");
	assert_non_null(strstr(line(FLOWS_BY_SOCKET, FLOWS_CSV), ",calls,1\n"));
	assert_non_null(strstr(line(FLOWS_BY_SOCKET, FLOWS_JSON), "\"inexact\":true"));
	row.inexact = false;
}

/* Nobody takes them for what calls returned. */
static void bytes_of_packets_are_marked(void **unused)
{
	(void)unused;
	row.from_packets = true;
	assert_string_equal(
		line(FLOWS_BY_SOCKET, FLOWS_TEXT),
		"     42 server          tcp   10.0.0.1:4000         [fd00::2]:80         "
		"   ~999B  ~1.0kB   ~499B   ~500B   ~10MB   ~18EB     7     1.50 ESTABLISHED     2.0\n");
	assert_non_null(strstr(line(FLOWS_BY_SOCKET, FLOWS_CSV), ",2.000,packets,0\n"));
	assert_non_null(strstr(line(FLOWS_BY_SOCKET, FLOWS_JSON), "\"bytes_from\":\"packets\""));
	row.from_packets = false;
	assert_null(strstr(line(FLOWS_BY_SOCKET, FLOWS_JSON), "bytes_from"));
}

/* What is not our own netns is named, and what no process has. */
static void others_sockets_are_named(void **unused)
{
	(void)unused;
	row.netns_name = "web\033";
	row.pid = 0;
	row.comm[0] = '\0';
	row.numbered = true;
	flow.flags |= FLOW_NO_OWNER;
	line(FLOWS_BY_SOCKET, FLOWS_TEXT);
	assert_non_null(strstr(strbuf_cstr(&sb), "      - (kernel)        tcp "));
	assert_non_null(strstr(strbuf_cstr(&sb), " #3 netns web\\"));
	assert_null(memchr(sb.data, '\033', sb.len));
	assert_non_null(strstr(line(FLOWS_BY_SOCKET, FLOWS_JSON), "\"kernel\":true"));
	/* as soon as a process uses it, it is that one's */
	row.pid = 42;
	line(FLOWS_BY_SOCKET, FLOWS_TEXT);
	assert_null(strstr(strbuf_cstr(&sb), "(kernel)"));
}

static void process_is_a_line_of_a_tree(void **unused)
{
	struct flowtree_node node = { .pid = 42, .depth = 2, .comm = "server" };

	(void)unused;
	node.recent.rx_bytes = 1;
	node.recent_all.rx_bytes = 999;
	node.sum_all.tx_bytes = 2048;
	sb.len = 0;
	assert_int_equal(render_flows_node(&sb, &node, FLOWS_TEXT, 0, NSEC_PER_SEC), 0);
	assert_string_equal(strbuf_cstr(&sb),
			    "    42 server                           "
			    "    999B       0    999B       0       0   2.0kB     0\n");
}

static u64 number(struct json_object *obj, const char *in, const char *key)
{
	struct json_object *o = obj;

	if (in)
		assert_true(json_object_object_get_ex(obj, in, &o));
	assert_true(json_object_object_get_ex(o, key, &o));
	return json_object_get_uint64(o);
}

static void row_is_a_json_object(void **unused)
{
	struct json_object *obj = json_tokener_parse(line(FLOWS_BY_SOCKET, FLOWS_JSON)), *o;

	(void)unused;
	assert_non_null(obj);
	assert_int_equal(number(obj, NULL, "pid"), 42);
	assert_int_equal(number(obj, NULL, "socket"), 3);
	assert_int_equal(number(obj, "recent", "rx"), 999);
	assert_true(number(obj, "sum", "tx") == UINT64_MAX);
	assert_true(json_object_object_get_ex(obj, "remote", &o));
	assert_string_equal(json_object_get_string(o), "fd00::2");
	/* what is not known is not there */
	assert_false(json_object_object_get_ex(obj, "cookie", &o));
	json_object_put(obj);
}

/* A process chooses its own name. */
static void names_are_escaped(void **unused)
{
	struct json_object *obj;

	(void)unused;
	memcpy(row.comm, "\033[2J,=\"\xff\n\0\0\0\0\0\0", sizeof(row.comm));
	line(FLOWS_BY_SOCKET, FLOWS_TEXT);
	assert_null(memchr(sb.data, '\033', sb.len));
	assert_ptr_equal(memchr(sb.data, '\n', sb.len), sb.data + sb.len - 1);
	obj = json_tokener_parse(line(FLOWS_BY_SOCKET, FLOWS_JSON));
	assert_non_null(obj);
	json_object_put(obj);
	line(FLOWS_BY_SOCKET, FLOWS_CSV);
	assert_null(strchr(strbuf_cstr(&sb), '"'));
	assert_null(strchr(strbuf_cstr(&sb), '='));
	/* 16 bytes without an end */
	memset(row.comm, 'x', sizeof(row.comm));
	assert_non_null(strstr(line(FLOWS_BY_SOCKET, FLOWS_TEXT), "xxxxxxxxxxxxxxxx "));
}

static void unknown_is_told_as_such(void **unused)
{
	(void)unused;
	memset(&flow, 0, sizeof(flow));
	memset(&row, 0, sizeof(row));
	row.flow = &flow;
	assert_string_equal(
		line(FLOWS_BY_SOCKET, FLOWS_TEXT),
		"      - -               -     *:*                   *:*                  "
		"       0       0       0       0       0       0     0        - -                 -\n");
}

static void group_has_its_key(void **unused)
{
	(void)unused;
	row.flow = NULL;
	row.port = 443;
	row.proto = IPPROTO_UDP;
	assert_int_equal(strncmp(line(FLOWS_BY_PORT, FLOWS_TEXT), "udp/443 ", 8), 0);
	assert_int_equal(strncmp(line(FLOWS_BY_PID, FLOWS_CSV), "42 server,999,", 14), 0);
	row.others = true;
	assert_int_equal(strncmp(line(FLOWS_BY_PID, FLOWS_TEXT), "(others) ", 9), 0);
}

static void most_traffic_comes_first(void **unused)
{
	struct flow_row r[3] = { { .pid = 3 }, { .pid = 2 }, { .pid = 1 } };

	(void)unused;
	r[2].recent.rx_bytes = 5;
	r[1].recent.tx_bytes = 6;
	r[0].recent.rx_bytes = 5;
	flows_sort(r, 3);
	assert_int_equal(r[0].pid, 2);
	assert_int_equal(r[1].pid, 1);
	assert_int_equal(r[2].pid, 3);
	flows_sort(NULL, 0);
}

static void end_of_a_socket_tells_its_sums(void **unused)
{
	(void)unused;
	flow.closed_ns = flow.first_ns + NSEC_PER_MSEC * 1500;
	flow.sum.rx_bytes = 5;
	flow.sum.tx_bytes = 6;
	assert_int_equal(render_flows_news(&sb, &flow, FLOW_NEWS_ENDED, flow.closed_ns, 42,
					   "server", FLOWS_TEXT),
			 0);
	assert_string_equal(
		strbuf_cstr(&sb),
		"2.500000 close      tcp   10.0.0.1:4000         [fd00::2]:80          pid 42 "
		"server rx 5 B tx 6 B after 1.500 s\n");
	sb.len = 0;
	flow.flags |= FLOW_INEXACT;
	assert_int_equal(render_flows_news(&sb, &flow, FLOW_NEWS_ENDED, flow.closed_ns, 42,
					   "server", FLOWS_TEXT),
			 0);
	assert_non_null(strstr(strbuf_cstr(&sb), " rx >5 B tx >6 B after "));
	sb.len = 0;
	assert_int_equal(render_flows_news(&sb, &flow, FLOW_NO_NEWS, 0, 0, "", FLOWS_TEXT), 0);
	assert_int_equal(sb.len, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(row_is_a_line_of_text),    T(row_is_a_line_of_csv),
		T(lower_bounds_are_marked),  T(bytes_of_packets_are_marked),
		T(others_sockets_are_named), T(process_is_a_line_of_a_tree),
		T(row_is_a_json_object),     T(names_are_escaped),
		T(unknown_is_told_as_such),  T(group_has_its_key),
		T(most_traffic_comes_first), T(end_of_a_socket_tells_its_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
