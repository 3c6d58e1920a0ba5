/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/cloneargs.h"

static struct cmdline line;

static void split(const char *text)
{
	assert_true(cmdline_split(&line, text, strlen(text)));
}

static void test_words(void **state)
{
	split("  fs0:\\a.efi\tclone  \"two words\" x\"y z\"\r\n");
	assert_int_equal(line.count, 4);
	assert_string_equal(line.word[0], "fs0:\\a.efi");
	assert_string_equal(line.word[1], "clone");
	assert_string_equal(line.word[2], "two words");
	assert_string_equal(line.word[3], "xy z");
	split("");
	assert_int_equal(line.count, 0);
	split("\"\"");
	assert_int_equal(line.count, 1);
	assert_string_equal(line.word[0], "");
	assert_true(cmdline_split(&line, "clone\0junk", 10));
	assert_int_equal(line.count, 1);
	assert_true(cmdline_split(&line, "clone", 3)); /* not terminated */
	assert_string_equal(line.word[0], "clo");
}

static void test_room(void **state)
{
	char text[2 * CMDLINE_CHARS];

	memset(text, 'x', sizeof(text));
	memset(&line, 0xee, sizeof(line));
	assert_true(cmdline_split(&line, text, CMDLINE_CHARS - 1));
	assert_int_equal(line.text[CMDLINE_CHARS], (char)0xee);
	assert_int_equal(strlen(line.word[0]), CMDLINE_CHARS - 1);
	assert_false(cmdline_split(&line, text, CMDLINE_CHARS));
	assert_false(cmdline_split(&line, text, CMDLINE_CHARS + 1));
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = ' ';
	assert_true(cmdline_split(&line, text, 2 * CMDLINE_WORDS));
	assert_int_equal(line.count, CMDLINE_WORDS);
	assert_false(cmdline_split(&line, text, 2 * CMDLINE_WORDS + 1));
}

static void first(const char *text, const char *program, const char *word)
{
	unsigned i;

	split(text);
	i = cmdline_first(&line, program);
	if (!word)
		assert_int_equal(i, line.count);
	else
		assert_string_equal(line.word[i], word);
}

/* A boot entry has the command alone; shells put the program in front, as it was typed. */
static void test_first(void **state)
{
	first("mirrorboo clone", "mirrorboot.efi", "mirrorboo");
	first("mirrorboos clone", "mirrorboot.efi", "mirrorboos");
	first("dir/mirrorboot clone", "mirrorboot.efi", "clone");
	first("a.efi clone", "mirrorboot.efi", "clone");
	first("x.efi/clone now", "mirrorboot.efi", "x.efi/clone");
	first("\"\" clone", "mirrorboot.efi", "");
	first("clone --yes", "mirrorboot.efi", "clone");
	first("mirrorboot.efi clone", "mirrorboot.efi", "clone");
	first("FS0:\\EFI\\MIRRORBOOT\\MIRRORBOOT.EFI clone", "", "clone");
	first("other.Efi clone", "mirrorboot.efi", "clone");
	first("mirrorboot clone", "mirrorboot.efi", "clone");
	first(".\\Mirrorboot clone", "mirrorboot.efi", "clone");
	first("fs1:mirrorboot status", "mirrorboot.efi", "status");
	first("mirrorboot clone", "", "mirrorboot"); /* not known to be ours */
	first("mirrorbootx clone", "mirrorboot.efi", "mirrorbootx");
	first(".efi clone", "", ".efi");
	first("root=/dev/sda1 clone", "mirrorboot.efi", "root=/dev/sda1");
	first("mirrorboot.efi", "mirrorboot.efi", NULL);
	first("", "mirrorboot.efi", NULL);
}

static void test_number(void **state)
{
	unsigned n;

	assert_true(cmdline_number("0", 9, &n) && n == 0);
	assert_true(cmdline_number("16", 16, &n) && n == 16);
	assert_false(cmdline_number("17", 16, &n));
	assert_false(cmdline_number("", 16, &n));
	assert_false(cmdline_number("+1", 16, &n));
	assert_false(cmdline_number("1x", 16, &n));
	assert_false(cmdline_number("99999999999999999999", UINT32_MAX, &n));
}

static void test_digits(void **state)
{
	for (int c = 1; c < 128; c++) {
		char text[] = {'1', (char)c, '\0'};
		unsigned n = 0;
		bool digit = c >= '0' && c <= '9';

		assert_int_equal(cmdline_number(text, 99, &n), digit);
		if (digit)
			assert_int_equal(n, 10 + c - '0');
	}
	unsigned n;

	assert_true(cmdline_number("123456789", UINT32_MAX, &n) && n == 123456789);
	assert_false(cmdline_number("1234567890", UINT32_MAX, &n)); /* ten could be too much */
}

static void test_same(void **state)
{
	for (int c = 1; c < 128; c++) {
		const char a[] = {'x', (char)c, '\0'}, b[] = {'x', (char)(c ^ 0x20), '\0'};
		bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');

		assert_true(cmdline_same(a, a));
		assert_int_equal(cmdline_same(a, b), letter);
	}
	assert_true(cmdline_same("", ""));
	assert_false(cmdline_same("xa", "ya"));
	assert_false(cmdline_same("clone", "clones"));
	assert_false(cmdline_same("clones", "clone"));
	assert_false(cmdline_same("", "x"));
}

static bool parse(const char *text, struct cloneargs *a)
{
	split(text);
	return cloneargs_parse(a, line.word, line.count);
}

static void test_clone(void **state)
{
	struct cloneargs a;

	assert_true(parse("", &a));
	assert_true(!a.yes && !a.force && !a.keep_extra && !a.count);
	assert_true(parse("1 --YES 2 -y 6d697272-6f72-4b00-8001-000000000001", &a));
	assert_true(a.yes && !a.force && a.count == 3);
	assert_string_equal(a.esp[0], "1");
	assert_string_equal(a.esp[2], "6d697272-6f72-4b00-8001-000000000001");
	assert_true(parse("--force --keep-extra", &a));
	assert_true(a.force && a.keep_extra && !a.yes);
	assert_false(parse("--yse", &a));
	assert_false(parse("1 2 -", &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words), cmocka_unit_test(test_room),
		cmocka_unit_test(test_first), cmocka_unit_test(test_number),
		cmocka_unit_test(test_clone), cmocka_unit_test(test_digits),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
