// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which symbol a function of the kernel has, in made-up /proc/kallsyms.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/kallsyms.h"
#include "tree.h"

static const char symbols[] = "0000000000000000 A fixed_percpu_data\n"
			      "ffffffff81000000 T ip_rcv\n"
			      "ffffffff81000010 t ip_rcv.cold\n"
			      "ffffffff81000020 t ip_rcv_finish_core.isra.0\n"
			      "ffffffff81000030 t __netif_receive_skb_core.constprop.0\n"
			      "ffffffff81000031 t __pfx___netif_receive_skb_core.constprop.0\n"
			      "ffffffff81000040 t both.constprop.0.isra.0\n"
			      "ffffffff81000041 t both.part.0\n"
			      "ffffffff81000050 t tcp_rcv.part.0.isra.0\n"
			      "ffffffff81000060 T bare_and_more\n"
			      "ffffffff81000070 t bare_and_more.part.0\n"
			      "ffffffff81000071 t bare_and_more.isra.0\n"
			      "ffffffff81000080 t twice\n"
			      "ffffffff81000090 t twice\n"
			      "ffffffff81000091 t two_copies.constprop.0\n"
			      "ffffffff81000092 t two_copies.constprop.1\n"
			      "ffffffff810000a0 D a_variable\n"
			      "ffffffff810000a1 b another_variable\n"
			      "ffffffff810000b0 W weak_one\n"
			      "ffffffff810000b1 w weak_two\n"
			      "ffffffff810000c0 t clang.llvm.1234567890123456789\n"
			      "ffffffff810000d0 t only_cold.cold\n"
			      "ffffffff810000d1 t odd.constprop.\n"
			      "ffffffff810000d2 t odd.constprop.0.cold\n"
			      "ffffffff810000d3 t odd.constpropx.0\n"
			      "ffffffff810000e0 T notify_die\n"
			      "ffffffffc0000000 t veth_xmit\t[veth]\n"
			      "ffffffffc0000010 t in_both\t[a_module]\n"
			      "ffffffff810000f0 t in_both\n"
			      "ffffffffc0000020 T last_line\t[veth]";

static const char *const names[] = {
	"ip_rcv",
	"ip_rcv_finish_core",
	"__netif_receive_skb_core",
	"both",
	"tcp_rcv",
	"bare_and_more",
	"twice",
	"two_copies",
	"a_variable",
	"another_variable",
	"weak_one",
	"weak_two",
	"clang",
	"only_cold",
	"odd",
	"notify_die",
	"veth_xmit",
	"in_both",
	"last_line",
	"not_there",
	"fixed_percpu_data",
	"ip_rcv", /* asked for twice */
};

struct fixture {
	char *root;
	struct kallsyms *k;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));

	fix->root = tree_new();
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	kallsyms_free(fix->k);
	tree_free(fix->root);
	free(fix);
	return 0;
}

static void read_symbols(struct fixture *fix, const char *text)
{
	tree_file(fix->root, "proc/kallsyms", text);
	assert_int_equal(kallsyms_read(&fix->k, fix->root, names, ARRAY_SIZE(names), &fix->err), 0);
}

static void expect(const struct fixture *fix, const char *name, enum kallsyms_verdict verdict,
		   const char *symbol)
{
	char got[128] = "not touched";

	assert_int_equal(kallsyms_function(fix->k, name, got, sizeof(got)), verdict);
	assert_string_equal(got, symbol);
}

static void function_is_found_under_its_bare_name(void **state)
{
	struct fixture *fix = *state;

	read_symbols(fix, symbols);
	expect(fix, "ip_rcv", KALLSYMS_OK, "ip_rcv");
	expect(fix, "bare_and_more", KALLSYMS_OK, "bare_and_more");
	expect(fix, "weak_one", KALLSYMS_OK, "weak_one");
	expect(fix, "weak_two", KALLSYMS_OK, "weak_two");
}

static void function_is_found_under_the_name_the_compiler_gave_it(void **state)
{
	struct fixture *fix = *state;

	read_symbols(fix, symbols);
	expect(fix, "__netif_receive_skb_core", KALLSYMS_OK,
	       "__netif_receive_skb_core.constprop.0");
	expect(fix, "ip_rcv_finish_core", KALLSYMS_OK, "ip_rcv_finish_core.isra.0");
	expect(fix, "both", KALLSYMS_OK, "both.constprop.0.isra.0");
	expect(fix, "tcp_rcv", KALLSYMS_OK, "tcp_rcv.part.0.isra.0");
	expect(fix, "clang", KALLSYMS_OK, "clang.llvm.1234567890123456789");
}

static void function_of_a_module_is_found(void **state)
{
	struct fixture *fix = *state;

	read_symbols(fix, symbols);
	expect(fix, "veth_xmit", KALLSYMS_OK, "veth_xmit");
	expect(fix, "last_line", KALLSYMS_OK, "last_line");
}

static void what_is_no_function_is_absent(void **state)
{
	struct fixture *fix = *state;

	read_symbols(fix, symbols);
	expect(fix, "not_there", KALLSYMS_ABSENT, "");
	expect(fix, "a_variable", KALLSYMS_ABSENT, "");
	expect(fix, "another_variable", KALLSYMS_ABSENT, "");
	expect(fix, "fixed_percpu_data", KALLSYMS_ABSENT, "");
	expect(fix, "only_cold", KALLSYMS_ABSENT, "");
	expect(fix, "odd", KALLSYMS_ABSENT, "");
	/* there, but nobody said that it would be asked for */
	expect(fix, "__pfx___netif_receive_skb_core", KALLSYMS_ABSENT, "");
}

static void several_functions_of_a_name_are_ambiguous(void **state)
{
	struct fixture *fix = *state;

	read_symbols(fix, symbols);
	expect(fix, "twice", KALLSYMS_AMBIGUOUS, "");
	expect(fix, "two_copies", KALLSYMS_AMBIGUOUS, "");
	expect(fix, "in_both", KALLSYMS_AMBIGUOUS, "");
}

static void hidden_addresses_do_not_hide_functions(void **state)
{
	struct fixture *fix = *state;

	read_symbols(fix, "0000000000000000 T ip_rcv\n0000000000000000 t veth_xmit\t[veth]\n");
	expect(fix, "ip_rcv", KALLSYMS_OK, "ip_rcv");
	expect(fix, "veth_xmit", KALLSYMS_OK, "veth_xmit");
}

static void blacklisted_function_is_said_to_be(void **state)
{
	struct fixture *fix = *state;

	tree_file(fix->root, "sys/kernel/debug/kprobes/blacklist",
		  "0xffffffff810000e0-0xffffffff810000f0\tnotify_die\n"
		  "0xffffffff81000020-0xffffffff81000030\tip_rcv_finish_core.isra.0\n"
		  "0xffffffff81000010-0xffffffff81000020\tip_rcv.cold\n"
		  "0xffffffff81000071-0xffffffff81000072\tbare_and_more.isra.0\n"
		  "no line of that file\n"
		  "0xffffffffc0000000-0xffffffffc0000010\tveth_xmit [veth]\n");
	read_symbols(fix, symbols);
	expect(fix, "notify_die", KALLSYMS_BLACKLISTED, "notify_die");
	expect(fix, "ip_rcv_finish_core", KALLSYMS_BLACKLISTED, "ip_rcv_finish_core.isra.0");
	expect(fix, "veth_xmit", KALLSYMS_BLACKLISTED, "veth_xmit");
	expect(fix, "ip_rcv", KALLSYMS_OK, "ip_rcv");
	expect(fix, "bare_and_more", KALLSYMS_OK, "bare_and_more");
}

static void symbol_that_does_not_fit_is_not_cut(void **state)
{
	struct fixture *fix = *state;
	char small[7] = "xxxxxx";

	read_symbols(fix, symbols);
	assert_int_equal(kallsyms_function(fix->k, "ip_rcv", small, 7), KALLSYMS_OK);
	assert_string_equal(small, "ip_rcv");
	assert_int_equal(kallsyms_function(fix->k, "ip_rcv", small, 6), KALLSYMS_ABSENT);
	assert_string_equal(small, "");
	assert_int_equal(kallsyms_function(fix->k, "ip_rcv", NULL, 0), KALLSYMS_ABSENT);
}

static void file_larger_than_a_read_is_taken_whole(void **state)
{
	struct fixture *fix = *state;
	struct strbuf text = STRBUF_INIT;
	int i;

	/* lines of several lengths, so that every way to cut one is met */
	for (i = 0; i < 60000; i++) {
		strbuf_printf(&text, "ffffffff81%06x t filler_%.*s%d\n", i, i % 37,
			      "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs", i);
		if (i == 30000)
			strbuf_puts(&text, "ffffffff81000020 t both.isra.1\n");
	}
	strbuf_puts(&text, "ffffffff81000000 T ip_rcv\n");
	assert_true(text.len > 1U << 20);
	read_symbols(fix, strbuf_cstr(&text));
	strbuf_free(&text);
	expect(fix, "ip_rcv", KALLSYMS_OK, "ip_rcv");
	expect(fix, "both", KALLSYMS_OK, "both.isra.1");
}

static void damaged_lines_are_passed_over(void **state)
{
	struct fixture *fix = *state;

	read_symbols(fix, "\n \n  \nT\nffffffff81000000\nffffffff81000000 T\nffffffff81000000 T \n"
			  "ffffffff81000000 Tip_rcv\nffffffff81000000 T .part.0\n"
			  "ffffffff81000000 T twice\n");
	expect(fix, "ip_rcv", KALLSYMS_ABSENT, "");
	expect(fix, "twice", KALLSYMS_OK, "twice");
}

static void endless_line_is_an_error(void **state)
{
	struct fixture *fix = *state;
	char *text = malloc(400001);

	memset(text, 'x', 400000);
	text[400000] = '\0';
	tree_file(fix->root, "proc/kallsyms", text);
	free(text);
	assert_int_equal(kallsyms_read(&fix->k, fix->root, names, ARRAY_SIZE(names), &fix->err),
			 -EFBIG);
	assert_null(fix->k);
	assert_non_null(strstr(fix->err.text, "/proc/kallsyms"));
}

static void missing_file_is_named(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(kallsyms_read(&fix->k, fix->root, names, ARRAY_SIZE(names), &fix->err),
			 -ENOENT);
	assert_null(fix->k);
	assert_non_null(strstr(fix->err.text, "/proc/kallsyms"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(function_is_found_under_its_bare_name),
		TEST(function_is_found_under_the_name_the_compiler_gave_it),
		TEST(function_of_a_module_is_found),
		TEST(what_is_no_function_is_absent),
		TEST(several_functions_of_a_name_are_ambiguous),
		TEST(hidden_addresses_do_not_hide_functions),
		TEST(blacklisted_function_is_said_to_be),
		TEST(symbol_that_does_not_fit_is_not_cut),
		TEST(file_larger_than_a_read_is_taken_whole),
		TEST(damaged_lines_are_passed_over),
		TEST(endless_line_is_an_error),
		TEST(missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
