// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Errors as values: the one line a person reads, and the code that travels with it.
 */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

static void message_and_negative_code_are_kept(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_set(&err, EINVAL, "no device '%s'", "eth9"), -EINVAL);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.text, "no device 'eth9'");
}

static void a_null_error_still_gives_the_code(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, ENOMEM, "no memory"), -ENOMEM);
	assert_int_equal(error_errno(NULL, EPERM, "cannot open x"), -EPERM);
	error_prepend(NULL, "nothing happens: ");
}

static void failed_call_names_the_errno(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_errno(&err, EPERM, "cannot write %s", "tracing_on"), -EPERM);
	assert_int_equal(err.code, EPERM);
	assert_string_equal(err.text, "cannot write tracing_on: Operation not permitted (EPERM)");
}

static void words_are_put_in_front(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_set(&err, ENOENT, "no such event");
	error_prepend(&err, "%s: ", "net:nothing");
	assert_string_equal(err.text, "net:nothing: no such event");
	assert_int_equal(err.code, ENOENT);
}

static void overlong_messages_are_cut_not_overflown(void **state)
{
	char longer[4096];
	struct error err = { 0 };

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';

	error_set(&err, EINVAL, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	error_errno(&err, EINVAL, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	error_set(&err, EINVAL, "short");
	error_prepend(&err, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	error_set(&err, EINVAL, "%.1020s", longer);
	error_prepend(&err, "before: ");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "before: xxx", 11);
}

static void errno_values_have_their_symbolic_names(void **state)
{
	(void)state;
	assert_string_equal(error_name(EPERM), "EPERM");
	assert_string_equal(error_name(ENOENT), "ENOENT");
	assert_string_equal(error_name(EBUSY), "EBUSY");
	assert_string_equal(error_name(EOPNOTSUPP), "EOPNOTSUPP");
	assert_string_equal(error_name(ENOSPC), "ENOSPC");
	assert_string_equal(error_name(EAGAIN), "EAGAIN");
	assert_string_equal(error_name(99999), "unknown errno");
	assert_string_equal(error_name(-1), "unknown errno");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_and_negative_code_are_kept),
		cmocka_unit_test(a_null_error_still_gives_the_code),
		cmocka_unit_test(failed_call_names_the_errno),
		cmocka_unit_test(words_are_put_in_front),
		cmocka_unit_test(overlong_messages_are_cut_not_overflown),
		cmocka_unit_test(errno_values_have_their_symbolic_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
