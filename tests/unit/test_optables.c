// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables of operations: which symbols are some, what a recording may claim; signatures of other kernels; and
 * definitions of probes made of what is known.
 */
#include "unit.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/probedef.h"
#include "kernel/optables.h"
#include "kernel/optables_priv.h"
#include "kernel/signatures.h"

static void tables_are_known_by_their_names(void **state)
{
	(void)state;
	assert_string_equal(optable_type("tcp_prot"), "proto");
	assert_string_equal(optable_type("inet6_stream_ops"), "proto_ops");
	assert_string_equal(optable_type("ipv4_specific"), "inet_connection_sock_af_ops");
	assert_string_equal(optable_type("socket_file_ops"), "file_operations");
	assert_null(optable_type("__ksymtab_tcp_prot"));
	assert_null(optable_type("tcp_sock_ipv4_specific"));
	assert_null(optable_type("raw_seq_ops"));
	assert_null(optable_type("_prot"));
}

static struct optables *parse(const char *text, int *ret)
{
	struct json_object *array = json_tokener_parse(text);
	struct optables *t = NULL;
	struct error err = { 0 };

	*ret = optables_from_json(array, &t, &err);
	json_object_put(array);
	return t;
}

static void tables_survive_a_recording(void **state)
{
	static const char text[] = "[{\"table\":\"tcp_prot\",\"type\":\"proto\",\"slots\":["
				   "{\"slot\":\"connect\",\"function\":\"tcp_v4_connect\"},"
				   "{\"slot\":104,\"function\":\"tcp_sendmsg\"}]}]";
	struct json_object *array;
	struct optables *t;
	int ret;

	(void)state;
	t = parse(text, &ret);
	assert_int_equal(ret, 0);
	assert_int_equal(t->nr, 1);
	assert_string_equal(t->table[0].slots[0].slot, "connect");
	assert_null(t->table[0].slots[1].slot);
	assert_int_equal(t->table[0].slots[1].offset, 104);
	array = optables_to_json(t);
	assert_string_equal(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN), text);
	json_object_put(array);
	optables_free(t);
}

static void strange_tables_are_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"[1]",
		"[null]",
		"[{\"table\":\"t\"}]",
		"[{\"table\":\"t\",\"slots\":{}}]",
		"[{\"table\":1,\"slots\":[]}]",
		"[{\"table\":\"a b\",\"slots\":[]}]",
		"[{\"table\":\"\\u001b[2J\",\"slots\":[]}]",
		"[{\"table\":\"t\",\"slots\":[null]}]",
		"[{\"table\":\"t\",\"slots\":[{\"slot\":\"x\"}]}]",
		"[{\"table\":\"t\",\"slots\":[{\"function\":\"x\"}]}]",
		"[{\"table\":\"t\",\"slots\":[{\"slot\":-1,\"function\":\"x\"}]}]",
		"[{\"table\":\"t\",\"slots\":[{\"slot\":99999999,\"function\":\"x\"}]}]",
		"[{\"table\":\"t\",\"slots\":[{\"slot\":{},\"function\":\"x\"}]}]",
	};
	size_t i;
	int ret;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_null(parse(bad[i], &ret));
		assert_int_equal(ret, -EBADMSG);
	}
}

static void words_of_a_record_are_read_only_when_whole(void **state)
{
	static const char text[] = "{0x1,0xffffffff81000000,0x0}";
	char cut[sizeof(text)];
	u64 words[4];
	size_t len;

	(void)state;
	assert_true(optables_parse_words(text, words, 3));
	assert_int_equal(words[1], 0xffffffff81000000ULL);
	assert_false(optables_parse_words(text, words, 2));
	assert_false(optables_parse_words(text, words, 4));
	for (len = 0; len < sizeof(text) - 1; len++) {
		memcpy(cut, text, len);
		cut[len] = '\0';
		assert_false(optables_parse_words(cut, words, 3));
	}
}

/* Facts from those kernels' sources: net/ipv4/tcp.c, tcp_ipv4.c, inet_connection_sock.c. */
static void signatures_of_other_kernels_are_found(void **state)
{
	struct prototype proto;
	int have;

	(void)state;
	assert_int_equal(signatures_kernels(), 4);
	assert_string_equal(signatures_kernel(0), "5.10");
	assert_string_equal(signatures_kernel(3), "7.2");
	assert_true(signatures_prototype("tcp_sendmsg", &proto));
	assert_int_equal(proto.source, PROTOTYPE_TABLE);
	assert_int_equal(prototype_argument(&proto, OBJECT_SOCK), 1);
	assert_int_equal(prototype_argument(&proto, OBJECT_MSGHDR), 2);
	assert_int_equal(prototype_argument(&proto, OBJECT_BYTES), 3);
	assert_int_equal(signatures_stable("tcp_sendmsg", 1, OBJECT_SOCK, &have), 4);
	assert_int_equal(have, 4);
	assert_int_equal(signatures_stable("tcp_sendmsg", 2, OBJECT_SOCK, &have), 0);
	assert_true(signatures_prototype("inet_csk_accept", &proto));
	assert_int_equal(proto.ret.object, OBJECT_SOCK);
	assert_string_equal(signatures_slot("tcp_v6_connect"), "proto.connect");
	assert_false(signatures_prototype("no_such_function", &proto));
	assert_false(signatures_prototype("", &proto));
	assert_null(signatures_slot("tcp_connect"));
}

static struct layout make_layout(void)
{
	struct layout l = { 0 };

	l.at[SOCK_FAMILY] = (struct member_place){ 16, 2, STRUCTS_BTF, false, 0 };
	l.at[SOCK_NUM] = (struct member_place){ 14, 2, STRUCTS_BTF, false, 0 };
	l.at[SOCK_RCV_SADDR] = (struct member_place){ 4, 4, STRUCTS_BTF, false, 0 };
	l.at[SOCKET_SK] = (struct member_place){ 24, 8, STRUCTS_BTF, false, 0 };
	l.at[FILE_PRIVATE] = (struct member_place){ 200, 8, STRUCTS_BTF, false, 0 };
	return l;
}

static void expect_kprobe(const struct probedef *d, const char *text)
{
	struct layout l = make_layout();
	struct strbuf out = STRBUF_INIT;

	assert_true(probedef_possible(d, &l));
	probedef_kprobe(&out, d, &l, "trail");
	assert_string_equal(strbuf_cstr(&out), text);
	strbuf_free(&out);
}

/* The lines with these offsets were taken by kernels 5.10 to 7.2, the r: with $arg1 by 6.12 and 7.2. */
static void definitions_say_what_kprobe_events_wants(void **state)
{
	struct probedef d = { .function = "some_fn",
			      .at = AT_ENTRY,
			      .object = OBJECT_SOCK,
			      .arg = 1,
			      .fetch = FETCH_LOCAL };

	(void)state;
	expect_kprobe(&d, "p:trail/some_fn some_fn family=+16($arg1):u16 lport=+14($arg1):u16 "
			  "laddr=+4($arg1):u8[4]");
	d.at = AT_RETVAL;
	d.arg = 0;
	expect_kprobe(&d, "r:trail/some_fn_val some_fn family=+16($retval):u16 "
			  "lport=+14($retval):u16 laddr=+4($retval):u8[4]");
	d.at = AT_RETURN;
	d.arg = 2;
	d.object = OBJECT_FILE;
	expect_kprobe(&d, "r:trail/some_fn_ret some_fn family=+16(+24(+200($arg2))):u16 "
			  "lport=+14(+24(+200($arg2))):u16 laddr=+4(+24(+200($arg2))):u8[4]");
	d.fetch = FETCH_BYTES;
	d.at = AT_ENTRY;
	expect_kprobe(&d, "p:trail/some_fn some_fn bytes=$arg2:s64");
}

static void what_is_not_known_is_not_written(void **state)
{
	struct probedef d = { .function = "f",
			      .at = AT_ENTRY,
			      .object = OBJECT_SOCK,
			      .arg = 1,
			      .fetch = FETCH_REMOTE };
	struct layout l = make_layout();
	struct strbuf out = STRBUF_INIT;

	(void)state;
	assert_false(probedef_possible(&d, &l));
	d.fetch = FETCH_LOCAL;
	d.object = OBJECT_SKB; /* its sk is not known in that layout */
	assert_false(probedef_possible(&d, &l));
	d.object = OBJECT_MSGHDR;
	assert_false(probedef_possible(&d, &l));
	d.object = OBJECT_SOCK;
	assert_false(probedef_perf(&out, &d, &l, "trail", "pdp11"));
	assert_true(probedef_perf(&out, &d, &l, "trail", "x86_64"));
	assert_non_null(strstr(strbuf_cstr(&out), "lport=+14(%di):u16"));
	strbuf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_known_by_their_names),
		cmocka_unit_test(tables_survive_a_recording),
		cmocka_unit_test(strange_tables_are_refused),
		cmocka_unit_test(words_of_a_record_are_read_only_when_whole),
		cmocka_unit_test(signatures_of_other_kernels_are_found),
		cmocka_unit_test(definitions_say_what_kprobe_events_wants),
		cmocka_unit_test(what_is_not_known_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
