/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every unit test includes first: cmocka and the headers it wants before itself.
 *
 * A test's name is what the user is promised. The last line of main() is
 * "return cmocka_run_group_tests(tests, NULL, NULL);".
 */
#ifndef SKBTRAIL_TESTS_UNIT_H
#define SKBTRAIL_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four above. */
#include <cmocka.h>

#endif
