// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The string buffer: numbers as printf writes them, and foreign text that cannot move a cursor.
 */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/strbuf.h"

#define assert_text(sb, text)                                        \
	do {                                                         \
		assert_int_equal((sb)->len, strlen(text));           \
		assert_memory_equal((sb)->data, text, strlen(text)); \
	} while (0)

static void assert_escaped(const char *in, size_t len, const char *out)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_put_escaped(&sb, in, len);
	assert_string_equal(strbuf_cstr(&sb), out);
	strbuf_free(&sb);
}

#define ESCAPED(in, out) assert_escaped(in, sizeof(in) - 1, out)

static void empty_buffer_is_an_empty_string(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	assert_string_equal(strbuf_cstr(&sb), "");
	assert_int_equal(sb.len, 0);
	strbuf_free(&sb);
	assert_null(sb.data);
	assert_int_equal(sb.cap, 0);
}

static void pieces_follow_each_other_across_growth(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	char want[4001];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		strbuf_putc(&sb, 'a');
		strbuf_puts(&sb, "b");
		strbuf_put(&sb, "cd", 1);
		strbuf_printf(&sb, "%s", "d");
		memcpy(want + 4 * i, "abcd", 4);
	}
	want[4000] = '\0';
	assert_string_equal(strbuf_cstr(&sb), want);
	assert_false(sb.failed);
	strbuf_free(&sb);
}

static void terminator_is_not_part_of_the_text(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_puts(&sb, "one");
	assert_string_equal(strbuf_cstr(&sb), "one");
	strbuf_puts(&sb, " two");
	assert_string_equal(strbuf_cstr(&sb), "one two");
	assert_int_equal(sb.len, 7);
	strbuf_free(&sb);
}

static void padding_of_zero_or_less_adds_nothing(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_pad(&sb, -3);
	strbuf_pad(&sb, 0);
	assert_int_equal(sb.len, 0);
	strbuf_pad(&sb, 3);
	assert_text(&sb, "   ");
	strbuf_free(&sb);
}

static void assert_number(u64 value)
{
	struct strbuf sb = STRBUF_INIT;
	char want[32];

	snprintf(want, sizeof(want), "%" PRIu64, value);
	strbuf_put_u64(&sb, value);
	assert_text(&sb, want);
	sb.len = 0;
	snprintf(want, sizeof(want), "0x%" PRIx64, value);
	strbuf_put_hex(&sb, value);
	assert_text(&sb, want);
	strbuf_free(&sb);
}

static void numbers_read_as_printf_writes_them(void **state)
{
	u64 ten;
	int bit;

	(void)state;
	assert_number(0);
	assert_number(UINT64_MAX);
	for (bit = 0; bit < 64; bit++) {
		assert_number(1ULL << bit);
		assert_number((1ULL << bit) - 1);
	}
	for (ten = 10; ten < UINT64_MAX / 10; ten *= 10) {
		assert_number(ten - 1);
		assert_number(ten);
	}
}

static void impossible_sizes_fail_and_stay_failed(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_puts(&sb, "kept");
	assert_false(strbuf_grow(&sb, SIZE_MAX));
	assert_true(sb.failed);
	assert_false(strbuf_grow(&sb, 1));
	assert_text(&sb, "kept");
	strbuf_free(&sb);
	assert_false(sb.failed);
}

static void plain_and_utf8_names_are_left_alone(void **state)
{
	(void)state;
	ESCAPED("", "");
	ESCAPED("eth0", "eth0");
	ESCAPED("veth-1.5@if7 ~", "veth-1.5@if7 ~");
	ESCAPED("größe", "größe");
	ESCAPED("\xc2\xa0", "\xc2\xa0");
	ESCAPED("⇒ 网络", "⇒ 网络");
	ESCAPED("\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7");
}

static void hostile_names_cannot_reach_the_terminal(void **state)
{
	(void)state;
	ESCAPED("a\nb", "a\\x0ab");
	ESCAPED("\x1b[2J", "\\x1b[2J");
	ESCAPED("\x7f", "\\x7f");
	ESCAPED("a\0b", "a\\x00b");
	ESCAPED("\\x41", "\\x5cx41");
	/* C1 controls: alone, and as valid UTF-8. */
	ESCAPED("\2332J", "\\x9b2J");
	ESCAPED("\302\2332J", "\\xc2\\x9b2J");
	/* Direction overrides, zero-width marks, byte order mark. */
	ESCAPED("\342\200\2560hte", "\\xe2\\x80\\xae0hte");
	ESCAPED("\xe2\x80\x8b", "\\xe2\\x80\\x8b");
	ESCAPED("\xe2\x81\xa6", "\\xe2\\x81\\xa6");
	ESCAPED("\xef\xbb\xbf", "\\xef\\xbb\\xbf");
}

static void broken_utf8_is_escaped_byte_by_byte(void **state)
{
	(void)state;
	ESCAPED("\x80", "\\x80");
	ESCAPED("\xc3", "\\xc3");
	ESCAPED("\xc3(", "\\xc3(");
	ESCAPED("\xe2\x87", "\\xe2\\x87");
	ESCAPED("\xf0\x9f\x90", "\\xf0\\x9f\\x90");
	/* Overlong, surrogate, beyond the last code point. */
	ESCAPED("\xc0\xaf", "\\xc0\\xaf");
	ESCAPED("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	ESCAPED("\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf");
	ESCAPED("\xed\xa0\x80", "\\xed\\xa0\\x80");
	ESCAPED("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	ESCAPED("\xff\xfe", "\\xff\\xfe");
}

static void whole_file_is_appended_up_to_the_limit(void **state)
{
	char path[] = "/tmp/skbtrail-test-XXXXXX";
	struct strbuf sb = STRBUF_INIT;
	static char block[100000];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	memset(block, 'z', sizeof(block));
	assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	close(fd);

	strbuf_puts(&sb, "before ");
	assert_int_equal(strbuf_read_file(&sb, path, sizeof(block)), 0);
	assert_int_equal(sb.len, 7 + sizeof(block));
	assert_memory_equal(sb.data, "before z", 8);
	assert_memory_equal(sb.data + 7, block, sizeof(block));
	sb.len = 0;
	assert_int_equal(strbuf_read_file(&sb, path, sizeof(block) - 1), -EFBIG);
	unlink(path);
	assert_int_equal(strbuf_read_file(&sb, path, 10), -ENOENT);
	strbuf_free(&sb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_buffer_is_an_empty_string),
		cmocka_unit_test(pieces_follow_each_other_across_growth),
		cmocka_unit_test(terminator_is_not_part_of_the_text),
		cmocka_unit_test(padding_of_zero_or_less_adds_nothing),
		cmocka_unit_test(numbers_read_as_printf_writes_them),
		cmocka_unit_test(impossible_sizes_fail_and_stay_failed),
		cmocka_unit_test(plain_and_utf8_names_are_left_alone),
		cmocka_unit_test(hostile_names_cannot_reach_the_terminal),
		cmocka_unit_test(broken_utf8_is_escaped_byte_by_byte),
		cmocka_unit_test(whole_file_is_appended_up_to_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
