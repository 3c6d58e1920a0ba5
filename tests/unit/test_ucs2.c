/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/ucs2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void there_and_back(void **state)
{
	static const char text[] = "d\xc3\xa9"
				   "bian \xe4\xba\x8c \xf0\x9f\x98\x80";
	uint16_t unit[16];
	struct text_buffer b;
	char back[64];
	size_t n;

	assert_true(ucs2_from_utf8(text, sizeof(text) - 1, unit, 16, &n));
	assert_int_equal(n, 11);
	text_buffer_init(&b, back, sizeof(back));
	ucs2_text((const uint8_t *)unit, n, &b.text);
	assert_string_equal(back, text);
	for (size_t room = 0; room < 11; room++)
		assert_false(ucs2_from_utf8(text, sizeof(text) - 1, unit, room, &n));
	/* Each cut through a character is seen. */
	assert_false(ucs2_from_utf8(text, 2, unit, 16, &n));
	assert_false(ucs2_from_utf8(text, sizeof(text) - 2, unit, 16, &n));
}

static void no_utf8(void **state)
{
	/* Too long, surrogates, too high, alone, a NUL. */
	static const char *const wrong[] = {"\xc0\xaf",
					    "\xe0\x80\xaf",
					    "\xf0\x80\x80\xaf",
					    "\xed\xa0\x80",
					    "\xf4\x90\x80\x80",
					    "\xf5\x80\x80\x80",
					    "\x80",
					    "\xc3(",
					    "\xff"};
	uint16_t unit[8];
	size_t n;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(ucs2_from_utf8(wrong[i], strlen(wrong[i]), unit, 8, &n));
	assert_false(ucs2_from_utf8("", 1, unit, 8, &n));
	assert_true(ucs2_from_utf8("", 0, unit, 8, &n));
	assert_int_equal(n, 0);
}

static void harmless(void **state)
{
	static const uint16_t unit[] = {'a', 0x1b, 0x7f, 0x9b, 0x202e, 0xd800, 'b', 0xdc00};
	struct text_buffer b;
	char text[64];

	text_buffer_init(&b, text, sizeof(text));
	ucs2_text((const uint8_t *)unit, 8, &b.text);
	assert_string_equal(text, "a????\xef\xbf\xbd"
				  "b\xef\xbf\xbd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(no_utf8),
		cmocka_unit_test(harmless),
	};

	return cmocka_run_group_tests_name("ucs2", tests, NULL, NULL);
}
