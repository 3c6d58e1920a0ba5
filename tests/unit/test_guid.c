/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_md.h"

#include "common/gpt.h"
#include "common/guid.h"

#include <string.h>

static void gpt_form(void **state)
{
	char text[GUID_TEXT_BYTES];

	guid_text_gpt(&gpt_type_esp, text);
	assert_string_equal(text, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	guid_text_gpt(&gpt_type_bios_boot, text);
	assert_string_equal(text, "21686148-6449-6e6f-744e-656564454649");
	guid_text_gpt(&gpt_type_raid, text);
	assert_string_equal(text, "a19d880f-05fc-4d3b-a006-743f0f84911e");
}

static void from_gpt_form(void **state)
{
	static const char *const wrong[] = {
		"c12a7328-f81f-11d2-ba4b-00a0c93ec93",
		"c12a7328-f81f-11d2-ba4b-00a0c93ec93bb",
		"c12a7328f81f-11d2-ba4b--00a0c93ec93b",
		"c12a7328-f81f-11d2-ba4b-00a0c93ec93g",
		"g12a7328-f81f-11d2-ba4b-00a0c93ec93b",
		"c12a7328:f81f:11d2:ba4b:00a0c93ec93b",
		"",
	};
	struct guid g;

	assert_true(guid_from_text_gpt(&g, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", 36));
	assert_true(guid_equal(&g, &gpt_type_esp));
	assert_true(guid_from_text_gpt(&g, "21686148-6449-6E6F-744E-656564454649xx", 36));
	assert_true(guid_equal(&g, &gpt_type_bios_boot));
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(guid_from_text_gpt(&g, wrong[i], strlen(wrong[i])));
}

static void md_form(void **state)
{
	struct guid g;
	char text[GUID_TEXT_BYTES];

	for (unsigned i = 0; i < 16; i++)
		g.b[i] = (uint8_t)(i * 17);
	guid_text_md(&g, text);
	assert_string_equal(text, "00112233:44556677:8899aabb:ccddeeff");
}

static void what_a_person_types(void **state)
{
	static const struct {
		const char *text;
		bool match;
	} rows[] = {
		{"00112233:44556677:8899aabb:ccddeeff", true},
		{"00112233-4455-6677-8899-AABBCCDDEEFF", true}, /* plain order */
		{"33221100-5544-7766-8899-aabbccddeeff", true}, /* GPT order */
		{"00112233445566778899aabbccddeeff", true},
		{"00112233:44556677:8899aabb:ccddeef", false},
		{"00112233:44556677:8899aabb:ccddeeff0", false},
		{"00112233:44556677:8899aabb:ccddeefe", false},
		{"0011223x:44556677:8899aabb:ccddeeff", false},
		{"", false},
		{"::::", false},
	};
	struct guid g;

	for (unsigned i = 0; i < 16; i++)
		g.b[i] = (uint8_t)(i * 17);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(guid_matches_text(&g, rows[i].text), rows[i].match);
}

static void equal_and_zero(void **state)
{
	struct guid a = gpt_type_esp, zero = {{0}};

	assert_true(guid_equal(&a, &gpt_type_esp));
	a.b[15] ^= 1;
	assert_false(guid_equal(&a, &gpt_type_esp));
	assert_true(guid_is_zero(&zero));
	assert_false(guid_is_zero(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpt_form),       cmocka_unit_test(from_gpt_form),
		cmocka_unit_test(md_form),        cmocka_unit_test(what_a_person_types),
		cmocka_unit_test(equal_and_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
