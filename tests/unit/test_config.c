/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_md.h"

#include "common/config.h"

#include <string.h>

static struct config c;
static struct config_error err;

static enum status parse(const char *text)
{
	config_default(&c);
	return config_parse(&c, text, strlen(text), &err);
}

static void defaults(void **state)
{
	assert_int_equal(parse(""), ST_OK);
	assert_string_equal(c.mirror, "");
	assert_int_equal(c.boot_disk, CONFIG_VIEW_AUTO);
	assert_int_equal(c.members, CONFIG_RAW);
	assert_int_equal(c.writes, CONFIG_WRITES_AUTO);
	assert_int_equal(c.split_brain, CONFIG_NEWEST);
	assert_int_equal(c.timeout_s, 0);
	assert_true(c.hide_stale);
	assert_int_equal(c.console, CONFIG_BOTH);
	assert_int_equal(c.verify, CONFIG_VERIFY_LOADER);
}

static void every_key(void **state)
{
	assert_int_equal(parse("# all of them\n"
			       "mirror = host:boot\n"
			       "  next=\\EFI\\debian\\grubx64.efi  \r\n"
			       "\n"
			       "boot-disk = volume\n"
			       "members = contents\n"
			       "volumes = yes\n"
			       "writes = no\n"
			       "split-brain = ask\n"
			       "timeout = 255\n"
			       "hide-stale = no\n"
			       "console = serial\n"
			       "verify = all"),
			 ST_OK);
	assert_string_equal(c.mirror, "host:boot");
	assert_string_equal(c.next, "\\EFI\\debian\\grubx64.efi");
	assert_int_equal(c.boot_disk, CONFIG_VOLUME);
	assert_true(c.volumes);
	assert_int_equal(c.members, CONFIG_CONTENTS);
	assert_int_equal(c.writes, CONFIG_WRITES_NO);
	assert_int_equal(c.split_brain, CONFIG_ASK);
	assert_int_equal(c.timeout_s, 255);
	assert_false(c.hide_stale);
	assert_int_equal(c.console, CONFIG_SERIAL);
	assert_int_equal(c.verify, CONFIG_VERIFY_ALL);
}

static void faults(void **state)
{
	static const struct {
		const char *text;
		enum config_fault fault;
		unsigned line;
		const char *word;
	} rows[] = {
		{"colour = blue", CONFIG_UNKNOWN_KEY, 1, "colour"},
		{"Mirror = x", CONFIG_UNKNOWN_KEY, 1, "Mirror"},
		{"\n\ntimeout = 256", CONFIG_BAD_VALUE, 3, "256"},
		{"timeout = 4294967297", CONFIG_BAD_VALUE, 1, "4294967297"},
		{"timeout = -1", CONFIG_BAD_VALUE, 1, "-1"},
		{"timeout =", CONFIG_BAD_VALUE, 1, ""},
		{"volumes = maybe", CONFIG_BAD_VALUE, 1, "maybe"},
		{"volumes = ye", CONFIG_BAD_VALUE, 1, "ye"},
		{"mirror =", CONFIG_BAD_VALUE, 1, ""},
		{"mirror", CONFIG_NO_EQUALS, 1, "mirror"},
		{"timeout = 1\ntimeout = 2", CONFIG_TWICE, 2, "timeout"},
		{"members = all", CONFIG_BAD_VALUE, 1, "all"},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].text), ST_CORRUPT);
		assert_int_equal(err.fault, rows[i].fault);
		assert_int_equal(err.line, rows[i].line);
		assert_string_equal(err.word, rows[i].word);
	}
}

/* A bad line costs that line only; the first fault is the one that is told. */
static void the_rest_counts(void **state)
{
	assert_int_equal(parse("timeout = x\nvolumes = yes\ncolour = blue\nconsole = vga\n"),
			 ST_CORRUPT);
	assert_int_equal(err.line, 1);
	assert_int_equal(c.timeout_s, 0);
	assert_true(c.volumes);
	assert_int_equal(c.console, CONFIG_VGA);
}

static void lengths(void **state)
{
	char text[CONFIG_TEXT_BYTES + 1];

	memset(text, 'x', sizeof(text));
	memcpy(text, "mirror = ", 9);
	text[9 + CONFIG_VALUE_BYTES - 1] = '\n';
	text[9 + CONFIG_VALUE_BYTES] = '\0';
	assert_int_equal(parse(text), ST_OK);
	assert_int_equal(strlen(c.mirror), CONFIG_VALUE_BYTES - 1);
	text[9 + CONFIG_VALUE_BYTES - 1] = 'x';
	assert_int_equal(parse(text), ST_CORRUPT);
	assert_int_equal(err.fault, CONFIG_TOO_LONG);
	assert_string_equal(c.mirror, "");

	memset(text, '\n', sizeof(text));
	config_default(&c);
	assert_int_equal(config_parse(&c, text, CONFIG_TEXT_BYTES, &err), ST_OK);
	assert_int_equal(config_parse(&c, text, sizeof(text), &err), ST_CORRUPT);
	assert_int_equal(err.fault, CONFIG_TOO_LONG);
}

static void comments(void **state)
{
	assert_int_equal(parse("timeout = 4 # text\nnext = a#b\t#c\n# all\nmirror =x #\n"), ST_OK);
	assert_int_equal(c.timeout_s, 4);
	assert_string_equal(c.next, "a#b");
	assert_string_equal(c.mirror, "x");
	assert_int_equal(parse("mirror = # nothing\n"), ST_CORRUPT);
	assert_int_equal(err.fault, CONFIG_BAD_VALUE);
}

static void a_nul_ends_it(void **state)
{
	static const char text[] = "timeout = 3\0colour = blue\n";

	config_default(&c);
	assert_int_equal(config_parse(&c, text, sizeof(text), &err), ST_OK);
	assert_int_equal(c.timeout_s, 3);
}

static void blanks_and_tabs(void **state)
{
	assert_int_equal(parse("\t timeout\t=\t7\t\r\n\t# a comment\n \t \n"), ST_OK);
	assert_int_equal(c.timeout_s, 7);
	assert_int_equal(parse("mirror = a name = with blanks \n"), ST_OK);
	assert_string_equal(c.mirror, "a name = with blanks");
}

static void a_long_word_is_cut(void **state)
{
	assert_int_equal(parse("a-key-that-is-exactly-31-letters = 1"), ST_CORRUPT);
	assert_string_equal(err.word, "a-key-that-is-exactly-31-letter");
	assert_int_equal(strlen(err.word), sizeof(err.word) - 1);
}

/* What is behind the end of the room is not there: half a value must not count for a whole one. */
static void a_line_that_is_cut_does_not_count(void **state)
{
	char text[CONFIG_TEXT_BYTES + 10];

	memset(text, '\n', sizeof(text));
	memcpy(text, "volumes = yes", 13);
	memcpy(text + CONFIG_TEXT_BYTES - 12, "timeout = 255", 13); /* "25" is inside */
	config_default(&c);
	assert_int_equal(config_parse(&c, text, sizeof(text), &err), ST_CORRUPT);
	assert_int_equal(err.fault, CONFIG_TOO_LONG);
	assert_true(c.volumes);
	assert_int_equal(c.timeout_s, 0);

	memset(text, 'x', sizeof(text)); /* one endless line */
	config_default(&c);
	assert_int_equal(config_parse(&c, text, sizeof(text), &err), ST_CORRUPT);
	assert_int_equal(err.fault, CONFIG_TOO_LONG);
}

/* Each fault has words of its own: a person has to mend it. */
static void fault_texts(void **state)
{
	for (unsigned i = 0; i <= CONFIG_TWICE; i++) {
		assert_true(strlen(config_fault_text((uint8_t)i)) > 3);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(config_fault_text((uint8_t)i),
						config_fault_text((uint8_t)k));
	}
	assert_string_equal(config_fault_text(200), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_key),
		cmocka_unit_test(faults),
		cmocka_unit_test(the_rest_counts),
		cmocka_unit_test(lengths),
		cmocka_unit_test(a_nul_ends_it),
		cmocka_unit_test(comments),
		cmocka_unit_test(blanks_and_tabs),
		cmocka_unit_test(a_long_word_is_cut),
		cmocka_unit_test(a_line_that_is_cut_does_not_count),
		cmocka_unit_test(fault_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
