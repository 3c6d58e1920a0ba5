/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/ucs2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
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

/* ---- every character, and every pair of units that matters, against encoders of their own ---- */

static size_t utf8_of(uint32_t c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 + c / 64);
		to[1] = (char)(0x80 + c % 64);
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 + c / 4096);
		to[1] = (char)(0x80 + c / 64 % 64);
		to[2] = (char)(0x80 + c % 64);
		return 3;
	}
	to[0] = (char)(0xf0 + c / 262144);
	to[1] = (char)(0x80 + c / 4096 % 64);
	to[2] = (char)(0x80 + c / 64 % 64);
	to[3] = (char)(0x80 + c % 64);
	return 4;
}

static bool harms(uint32_t c)
{
	return c < 32 || (c >= 127 && c < 160) || c == 0x200e || c == 0x200f ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void check_text(const uint8_t *units, size_t n, const char *want)
{
	struct text_buffer b;
	uint8_t *own = malloc(2 * n); /* as long as it is */
	char text[32];

	memcpy(own, units, 2 * n);
	text_buffer_init(&b, text, sizeof(text));
	ucs2_text(own, n, &b.text);
	assert_string_equal(text, want);
	free(own);
}

static void every_character(void **state)
{
	for (uint32_t c = 1; c <= 0x10ffff; c++) {
		char utf8[8] = "";
		uint16_t unit[4] = {0}, wanted[2] = {(uint16_t)c};
		size_t bytes = utf8_of(c, utf8), units, wants = 1;
		bool half = c >= 0xd800 && c < 0xe000;
		char *own = malloc(bytes);

		if (c >= 0x10000) {
			wanted[0] = (uint16_t)(0xd800 + (c - 0x10000) / 1024);
			wanted[1] = (uint16_t)(0xdc00 + (c - 0x10000) % 1024);
			wants = 2;
		}
		memcpy(own, utf8, bytes);
		assert_int_equal(ucs2_from_utf8(own, bytes, unit, wants, &units), !half);
		if (!half) {
			assert_int_equal(units, wants);
			assert_memory_equal(unit, wanted, 2 * wants);
			assert_false(ucs2_from_utf8(own, bytes, unit, wants - 1, &units));
		}
		free(own);
		check_text((const uint8_t *)wanted, wants,
			   harms(c) ? "?"
			   : half   ? "\xef\xbf\xbd"
				    : utf8);
	}
}

static void pairs(void **state)
{
	static const uint16_t edge[] = {0x41,   0xd7ff, 0xd800, 0xdbff, 0xdc00,
					0xdfff, 0xe000, 0xdc01, 0xd801};

	for (unsigned x = 0; x < 9; x++)
		for (unsigned y = 0; y < 9; y++) {
			uint16_t unit[3] = {'<', edge[x], edge[y]};
			char want[32] = "<";
			size_t n = 1;

			for (unsigned i = 1; i < 3; i++) {
				uint32_t c = unit[i];

				if (i == 1 && c >= 0xd800 && c < 0xdc00 && unit[2] >= 0xdc00 &&
				    unit[2] < 0xe000)
					c = 0x10000 + (c - 0xd800) * 1024 + unit[++i] - 0xdc00;
				else if (c >= 0xd800 && c < 0xe000)
					c = 0xfffd;
				n += utf8_of(c, want + n);
			}
			check_text((const uint8_t *)unit, 3, want);
		}
}

/* Two bytes: only what is written so is read, and one alone is none. */
static void every_start(void **state)
{
	for (unsigned a = 0x80; a < 256; a++)
		for (unsigned b = 0; b < 256; b++) {
			const char text[] = {(char)a, (char)b};
			bool ok = a >= 0xc2 && a < 0xe0 && b >= 0x80 && b < 0xc0;
			uint16_t unit[8];
			char *own = malloc(2);
			size_t units;

			memcpy(own, text, 2);
			assert_int_equal(ucs2_from_utf8(own, 2, unit, 8, &units), ok);
			own = realloc(own, 1);
			assert_false(ucs2_from_utf8(own, 1, unit, 8, &units));
			free(own);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(no_utf8),
		cmocka_unit_test(harmless),       cmocka_unit_test(every_character),
		cmocka_unit_test(pairs),          cmocka_unit_test(every_start),
	};

	return cmocka_run_group_tests_name("ucs2", tests, NULL, NULL);
}
