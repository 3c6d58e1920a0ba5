/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_md.h"

#include "common/crc32.h"
#include "common/mem.h"
#include "common/text.h"

#include <string.h>
#include <zlib.h>

static char out[80];
static struct text_buffer buffer;

static struct text *fresh(void)
{
	text_buffer_init(&buffer, out, sizeof(out));
	return &buffer.text;
}

static void numbers(void **state)
{
	static const struct {
		uint64_t n;
		const char *decimal, *hex;
		unsigned digits;
	} rows[] = {
		{0, "0", "0", 0},
		{9, "9", "0009", 4},
		{10, "10", "a", 1},
		{4294967296u, "4294967296", "100000000", 4},
		{18446744073709551615u, "18446744073709551615", "ffffffffffffffff", 1},
		{10000000000000000000u, "10000000000000000000", "8ac7230489e80000", 16},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_u64(fresh(), rows[i].n);
		assert_string_equal(out, rows[i].decimal);
		text_hex(fresh(), rows[i].n, rows[i].digits);
		assert_string_equal(out, rows[i].hex);
	}
}

static void sizes(void **state)
{
	static const struct {
		uint64_t s512;
		const char *text;
	} rows[] = {
		{0, "0 KiB"},
		{1, "0.5 KiB"},
		{2047, "1023.5 KiB"},
		{2048, "1 MiB"},
		{98304, "48 MiB"},
		{98176, "47.9 MiB"},
		{1953525168, "931.5 GiB"},
		{7814037168, "3.6 TiB"},
		{UINT64_MAX, "8388607.9 PiB"},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_size(fresh(), rows[i].s512);
		assert_string_equal(out, rows[i].text);
	}
}

static void columns(void **state)
{
	struct text *t = fresh();

	text_str(t, "ab");
	text_tab(t, 5);
	text_char(t, 'c');
	text_tab(t, 3); /* already behind it: one blank all the same */
	text_str(t, "d\n");
	assert_string_equal(out, "ab   c d\n");
	assert_int_equal(t->column, 0);
}

static void a_full_buffer_cuts(void **state)
{
	char small[4];

	memset(small, 'x', sizeof(small));
	text_buffer_init(&buffer, small, sizeof(small));
	text_str(&buffer.text, "abcdef");
	assert_string_equal(small, "abc");
}

static void strings_of_a_length(void **state)
{
	assert_true(mem_is_str("abc", 3, "abc"));
	assert_false(mem_is_str("abc", 2, "abc"));
	assert_false(mem_is_str("abcd", 4, "abc"));
	assert_false(mem_is_str("abx", 3, "abc"));
	assert_true(mem_is_str("", 0, ""));
	assert_true(mem_is_zero("\0\0\0", 3));
	assert_false(mem_is_zero("\0\0\1", 3));
}

static void crc_is_zlibs(void **state)
{
	uint8_t data[1000];

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + (i >> 3));
	assert_int_equal(crc32_update(0, "123456789", 9), 0xcbf43926);
	for (unsigned n = 0; n <= sizeof(data); n += 37) {
		assert_int_equal(crc32_update(0, data, n), crc32(0, data, n));
		/* in two pieces */
		assert_int_equal(
			crc32_update(crc32_update(0, data, n / 2), data + n / 2, n - n / 2),
			crc32(0, data, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(sizes),
		cmocka_unit_test(columns),
		cmocka_unit_test(a_full_buffer_cuts),
		cmocka_unit_test(strings_of_a_length),
		cmocka_unit_test(crc_is_zlibs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
