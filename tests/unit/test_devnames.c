// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device names as numbers.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/devnames.h"

static struct devnames names;

static int setup(void **state)
{
	(void)state;
	return devnames_init(&names);
}

static int teardown(void **state)
{
	(void)state;
	devnames_free(&names);
	return 0;
}

/* Intern from memory of exactly that size. */
static u16 intern(const char *bytes, size_t len)
{
	char *exact = calloc(1, len ? len : 1);
	u16 dev;

	memcpy(exact, bytes, len);
	dev = devnames_intern(&names, exact, len);
	free(exact);
	return dev;
}

static void a_name_has_one_number_however_it_is_cut(void **state)
{
	u16 eth0 = intern("eth0", 4);

	(void)state;
	assert_int_equal(eth0, 1);
	assert_int_equal(intern("eth0", 5), eth0);
	assert_int_equal(intern("eth0\0", 6), eth0);
	assert_int_equal(intern("eth0\0\xff\xff\xff", 8), eth0);
	assert_int_equal(intern("eth0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16), eth0);
	assert_int_not_equal(intern("eth01", 5), eth0);
	assert_int_not_equal(intern("eth", 3), eth0);
	assert_string_equal(devnames_text(&names, eth0), "eth0");
}

static void names_of_every_length_come_back(void **state)
{
	static const char long_name[] = "abcdefghijklmnopqrstuvwxyz";
	char want[16];
	size_t len;
	u16 dev;

	(void)state;
	for (len = 1; len < sizeof(long_name); len++) {
		dev = intern(long_name, len);
		snprintf(want, sizeof(want), "%.*s", (int)(len < 15 ? len : 15), long_name);
		assert_string_equal(devnames_text(&names, dev), want);
		/* The kernel never has one that long: what is cut alike is the same. */
		assert_int_equal(dev, len < 15 ? len : 15);
	}
}

static void no_name_is_no_device(void **state)
{
	(void)state;
	assert_int_equal(intern("", 0), 0);
	assert_int_equal(intern("\0eth0", 5), 0);
	assert_int_equal(intern("\0eth0567890", 11), 0);
	assert_string_equal(devnames_text(&names, 0), "");
	assert_string_equal(devnames_text(&names, 9999), "");
	assert_int_equal(names.refused, 0);
}

static void any_bytes_are_a_name(void **state)
{
	char name[2] = "x";
	u16 all[256];
	int i;

	(void)state;
	for (i = 1; i < 256; i++) {
		name[0] = (char)i;
		all[i] = intern(name, 1);
		assert_int_equal(all[i], i);
	}
	for (i = 1; i < 256; i++)
		assert_int_equal((u8)devnames_text(&names, all[i])[0], i);
	/* Bytes around 0x80 and 0x01 are the corner cases of looking at eight at once. */
	assert_int_equal(intern("\x01\x80\x81\x7f\xff\x80\x01\0zzzz", 12),
			 intern("\x01\x80\x81\x7f\xff\x80\x01", 7));
}

static void too_many_names_are_counted_and_share_no_device(void **state)
{
	char name[16];
	u32 i;

	(void)state;
	for (i = 1; i <= DEVNAMES_MAX; i++) {
		snprintf(name, sizeof(name), "veth%x", i);
		assert_int_equal(devnames_intern(&names, name, sizeof(name)), i);
	}
	assert_int_equal(intern("onemore", 7), 0);
	assert_int_equal(names.refused, 1);
	assert_int_equal(intern("veth1", 5), 1);
	assert_int_equal(intern("veth7fff", 8), DEVNAMES_MAX);
	assert_string_equal(devnames_text(&names, DEVNAMES_MAX), "veth7fff");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_has_one_number_however_it_is_cut),
		TEST(names_of_every_length_come_back),
		TEST(no_name_is_no_device),
		TEST(any_bytes_are_a_name),
		TEST(too_many_names_are_counted_and_share_no_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
