// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of tasks.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/comms.h"

static struct comms comms;

static int teardown(void **state)
{
	(void)state;
	comms_free(&comms);
	return 0;
}

static void load(const char *text, size_t len)
{
	char *exact = calloc(1, len ? len : 1);

	memcpy(exact, text, len);
	assert_int_equal(comms_add_text(&comms, exact, len), 0);
	free(exact);
}

#define LOAD(text) load(text, sizeof(text) - 1)

static void a_task_is_called_as_the_kernel_remembers(void **state)
{
	(void)state;
	LOAD("134 ping\n2 kthreadd\n4194304 with space\n77 last");
	assert_string_equal(comms_find(&comms, 134), "ping");
	assert_string_equal(comms_find(&comms, 4194304), "with space");
	assert_string_equal(comms_find(&comms, 77), "last");
	assert_null(comms_find(&comms, 3));
}

static void nobody_has_no_name(void **state)
{
	(void)state;
	assert_null(comms_find(&comms, 134));
	LOAD("0 <idle>\n-5 odd\n");
	assert_null(comms_find(&comms, 0));
	assert_null(comms_find(&comms, -5));
	assert_int_equal(comms_add(&comms, 5, "", 0), 0);
	assert_null(comms_find(&comms, 5));
}

static void a_forgotten_name_is_no_name(void **state)
{
	(void)state;
	LOAD("134 <...>\n134 ping\n");
	assert_string_equal(comms_find(&comms, 134), "ping");
}

static void the_first_name_of_a_task_stays(void **state)
{
	(void)state;
	LOAD("134 ping\n134 pong\n");
	comms_add(&comms, 134, "other", 5);
	assert_string_equal(comms_find(&comms, 134), "ping");
}

static void a_long_name_is_cut_as_the_kernel_does(void **state)
{
	(void)state;
	LOAD("1 0123456789abcdefghij\n");
	assert_string_equal(comms_find(&comms, 1), "0123456789abcde");
}

static void text_that_makes_no_sense_is_passed_over(void **state)
{
	static const char text[] = "\n \n12\n12 \n99999999999999999999 big\n1342177269 edge\n"
				   "x 5 y\n 5 y\n6\tz\n7 ok\n12 ";
	size_t cut;

	(void)state;
	LOAD(text);
	assert_string_equal(comms_find(&comms, 7), "ok");
	assert_null(comms_find(&comms, 12));
	assert_null(comms_find(&comms, 5));
	assert_null(comms_find(&comms, 6));
	assert_string_equal(comms_find(&comms, 1342177269), "edge");
	assert_int_equal(comms.nr, 2);
	for (cut = 0; cut < sizeof(text); cut++)
		load(text, cut);
}

static void many_tasks_are_all_found(void **state)
{
	char name[16];
	s32 pid;
	int len;

	(void)state;
	for (pid = 1; pid <= 100000; pid++) {
		len = snprintf(name, sizeof(name), "t%d", pid * 37);
		assert_int_equal(comms_add(&comms, pid * 37, name, (size_t)len), 0);
	}
	for (pid = 1; pid <= 100000; pid++) {
		snprintf(name, sizeof(name), "t%d", pid * 37);
		assert_string_equal(comms_find(&comms, pid * 37), name);
	}
	assert_int_equal(comms.nr, 100000);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_task_is_called_as_the_kernel_remembers),
		TEST(nobody_has_no_name),
		TEST(a_forgotten_name_is_no_name),
		TEST(the_first_name_of_a_task_stays),
		TEST(a_long_name_is_cut_as_the_kernel_does),
		TEST(text_that_makes_no_sense_is_passed_over),
		TEST(many_tasks_are_all_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
