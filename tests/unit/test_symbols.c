// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of kernel addresses from kallsyms.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/symbols.h"

static struct symbols symbols;
static char answer[320];

static int teardown(void **state)
{
	(void)state;
	symbols_free(&symbols);
	return 0;
}

static void load(const char *text, size_t len)
{
	symbols_free(&symbols);
	/* Memory of exactly that size, so that reading beyond it is seen by the sanitizer. */
	symbols.text.data = malloc(len ? len : 1);
	memcpy(symbols.text.data, text, len);
	symbols.text.len = symbols.text.cap = len;
}

/* "name+offset", or "" when there is none. */
static const char *name_of(u64 addr)
{
	size_t len = 0;
	u64 offset = 0;
	const char *name = symbols_find(&symbols, addr, &offset, &len);

	answer[0] = '\0';
	if (name)
		snprintf(answer, sizeof(answer), "%.*s+%llu", (int)len, name,
			 (unsigned long long)offset);
	return answer;
}

#define LOAD(text) load(text, sizeof(text) - 1)

static void an_address_is_named_by_the_function_before_it(void **state)
{
	(void)state;
	LOAD("ffffffff81000000 T icmp_rcv\n"
	     "ffffffff81000100 t ping_rcv\n"
	     "ffffffff81000180 D some_data\n"
	     "ffffffffc0000000 t veth_xmit\t[veth]\n");
	assert_string_equal(name_of(0xffffffff81000000), "icmp_rcv+0");
	assert_string_equal(name_of(0xffffffff810000ff), "icmp_rcv+255");
	assert_string_equal(name_of(0xffffffff810001a0), "ping_rcv+160");
	assert_string_equal(name_of(0xffffffffc0000010), "veth_xmit+16");
	assert_string_equal(name_of(0xffffffff80ffffff), "");
	assert_string_equal(name_of(0), "");
	/* Asked again, and asked for what is kept in the same place. */
	assert_string_equal(name_of(0xffffffff81000000), "icmp_rcv+0");
	assert_string_equal(name_of(0xffffffff810001a0), "ping_rcv+160");
}

static void an_address_far_behind_every_function_has_no_name(void **state)
{
	(void)state;
	LOAD("ffffffff81000000 T last\n");
	assert_string_equal(name_of(0xffffffff81100000), "last+1048576");
	assert_string_equal(name_of(0xffffffff81100001), "");
	assert_string_equal(name_of(UINT64_MAX), "");
}

static void of_several_names_the_best_is_shown(void **state)
{
	static const char *const lines[] = {
		"ffffffff81000000 t a_local\n",	 "ffffffff81000000 T global_longer\n",
		"ffffffff81000000 T global_b\n", "ffffffff81000000 T global_a\n",
		"ffffffff81000000 T dotted.0\n", "ffffffff81000000 W weak\n",
	};
	char text[512];
	size_t turn, i;

	(void)state;
	/* Whatever the order of the lines. */
	for (turn = 0; turn < ARRAY_SIZE(lines); turn++) {
		text[0] = '\0';
		for (i = 0; i < ARRAY_SIZE(lines); i++)
			strcat(text, lines[(i + turn) % ARRAY_SIZE(lines)]);
		load(text, strlen(text));
		assert_string_equal(name_of(0xffffffff81000004), "global_a+4");
	}
	LOAD("ffffffff81000000 t foo.part.0\nffffffff81000000 t foo_longer_name\n");
	assert_string_equal(name_of(0xffffffff81000000), "foo_longer_name+0");
}

static void the_order_of_the_lines_is_of_no_importance(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	char want[32];
	u32 i, n;

	(void)state;
	for (i = 0; i < 1000; i++) {
		/* Half in order, then modules below, between and above. */
		n = i < 500 ? i * 2 : (i * 7919 % 1000);
		strbuf_printf(&sb, "ffffffff81%05x%x t f%u\n", n, 0, n);
	}
	load(sb.data, sb.len);
	for (i = 0; i < 500; i++) {
		snprintf(want, sizeof(want), "f%u+3", i * 2);
		assert_string_equal(name_of(0xffffffff81000003 + i * 32), want);
	}
	strbuf_free(&sb);
}

static void a_kallsyms_of_zeroes_names_nothing(void **state)
{
	(void)state;
	LOAD("0000000000000000 T icmp_rcv\n0000000000000000 t ping_rcv\n");
	assert_string_equal(name_of(0), "");
	assert_string_equal(name_of(0x10), "");
	assert_string_equal(name_of(0xffffffff81000000), "");
	LOAD("");
	assert_string_equal(name_of(0xffffffff81000000), "");
}

static void lines_that_make_no_sense_are_passed_over(void **state)
{
	static const char text[] = "garbage\n\n\n   \nffffffff81000000\nffffffff81000000 \n"
				   "ffffffff81000000 T\nffffffff81000000 T \n"
				   "ffffffff81000000 T  x\nffffffff81000000  T bad\n"
				   "fffffffff81000000ffffffff81000000 T long\n"
				   "ffffffff82000000 T good\nffffffff83000000 t tail";
	size_t cut;

	(void)state;
	LOAD(text);
	assert_string_equal(name_of(0xffffffff82000001), "good+1");
	assert_string_equal(name_of(0xffffffff83000001), "tail+1");
	for (cut = 0; cut < sizeof(text); cut++) {
		load(text, cut);
		name_of(0xffffffff82000001);
	}
}

static void a_name_as_long_as_a_line_is_cut(void **state)
{
	char text[1200];
	int head = snprintf(text, sizeof(text), "ffffffff81000000 T ");

	(void)state;
	memset(text + head, 'x', sizeof(text) - (size_t)head);
	load(text, sizeof(text));
	assert_int_equal(strlen(name_of(0xffffffff81000000)), 255 + 2);
}

static void hostile_bytes_are_handed_on_as_they_are(void **state)
{
	(void)state;
	LOAD("ffffffff81000000 T a\033[2J\xff\0b\n");
	assert_string_equal(name_of(0xffffffff81000000), "a\033[2J\xff+0");
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_is_named_by_the_function_before_it),
		TEST(an_address_far_behind_every_function_has_no_name),
		TEST(of_several_names_the_best_is_shown),
		TEST(the_order_of_the_lines_is_of_no_importance),
		TEST(a_kallsyms_of_zeroes_names_nothing),
		TEST(lines_that_make_no_sense_are_passed_over),
		TEST(a_name_as_long_as_a_line_is_cut),
		TEST(hostile_bytes_are_handed_on_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
