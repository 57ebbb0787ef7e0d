// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events of tasks. Formats are those of 6.1; 7.2's task_rename has no pid.
 */
#include "unit.h"

#include <string.h>

#include "decode/taskevent.h"

#define COMMON                                                                          \
	"format:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"          \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"  \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

static const char newtask[] = "name: task_newtask\nID: 205\n" COMMON
			      "\tfield:pid_t pid;\toffset:8;\tsize:4;\tsigned:1;\n"
			      "\tfield:char comm[16];\toffset:12;\tsize:16;\tsigned:0;\n"
			      "\tfield:unsigned long clone_flags;\toffset:32;\tsize:8;\tsigned:0;\n"
			      "\tfield:short oom_score_adj;\toffset:40;\tsize:2;\tsigned:1;\n";
static const char renamed[] = "name: task_rename\nID: 204\n" COMMON
			      "\tfield:pid_t pid;\toffset:8;\tsize:4;\tsigned:1;\n"
			      "\tfield:char oldcomm[16];\toffset:12;\tsize:16;\tsigned:0;\n"
			      "\tfield:char newcomm[16];\toffset:28;\tsize:16;\tsigned:0;\n";
static const char renamed_newer[] = "name: task_rename\nID: 204\n" COMMON
				    "\tfield:char oldcomm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
				    "\tfield:char newcomm[16];\toffset:24;\tsize:16;\tsigned:0;\n";

static struct task_schema schema;
static struct task_event ev;
static u8 data[64];

static int setup(void **state)
{
	(void)state;
	memset(&schema, 0, sizeof(schema));
	memset(data, 0, sizeof(data));
	return 0;
}

static void put(size_t at, const void *from, size_t size)
{
	memcpy(data + at, from, size);
}

static void clone_flags_tell_threads(void **unused)
{
	s32 current = 10, pid = 11;
	u64 flags = 0x50f00; /* pthread_create(): CLONE_THREAD and more */

	(void)unused;
	task_schema_add_format(&schema, "task", newtask, strlen(newtask));
	put(4, &current, 4);
	put(8, &pid, 4);
	put(12, "sixteen-letters-", 16);
	put(32, &flags, 8);
	assert_true(task_schema_decode(&schema, 205, data, 44, &ev));
	assert_int_equal(ev.tid, 11);
	assert_int_equal(ev.by, 10);
	assert_true(ev.begins && ev.thread && !ev.brother);
	assert_string_equal(ev.comm, "sixteen-letters");
	flags = 0x1200000;
	put(32, &flags, 8);
	assert_true(task_schema_decode(&schema, 205, data, 44, &ev));
	assert_false(ev.thread);
	/* cut off, another event, nobody */
	assert_false(task_schema_decode(&schema, 205, data, 39, &ev));
	assert_false(task_schema_decode(&schema, 206, data, 44, &ev));
	pid = 0;
	put(8, &pid, 4);
	assert_false(task_schema_decode(&schema, 205, data, 44, &ev));
}

static void new_name_is_the_running_task_s(void **unused)
{
	s32 current = 10;

	(void)unused;
	task_schema_add_format(&schema, "task", renamed, strlen(renamed));
	put(4, &current, 4);
	put(8, &current, 4);
	put(28, "curl", 5);
	assert_true(task_schema_decode(&schema, 204, data, 44, &ev));
	assert_int_equal(ev.tid, 10);
	assert_false(ev.begins);
	assert_string_equal(ev.comm, "curl");
	setup(NULL);
	task_schema_add_format(&schema, "task", renamed_newer, strlen(renamed_newer));
	put(4, &current, 4);
	put(24, "nc", 3);
	assert_true(task_schema_decode(&schema, 204, data, 40, &ev));
	assert_int_equal(ev.tid, 10);
	assert_string_equal(ev.comm, "nc");
}

static void other_formats_are_passed_over(void **unused)
{
	static const char no_flags[] = "name: task_newtask\nID: 205\n" COMMON
				       "\tfield:pid_t pid;\toffset:8;\tsize:4;\tsigned:1;\n"
				       "\tfield:char comm[16];\toffset:12;\tsize:16;\tsigned:0;\n";
	int i;

	(void)unused;
	task_schema_add_format(&schema, "sock", newtask, strlen(newtask));
	task_schema_add_format(&schema, "task", no_flags, strlen(no_flags));
	task_schema_add_format(&schema, "task", "name: x\nID: 5\n", 14);
	assert_int_equal(schema.nr, 0);
	for (i = 0; i < 5; i++)
		task_schema_add_format(&schema, "task", newtask, strlen(newtask));
	assert_int_equal(schema.nr, 2);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(clone_flags_tell_threads),
		T(new_name_is_the_running_task_s),
		T(other_formats_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
