/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Configuration: each word, each character and each length where something changes. */
#include "tests/unit/help_md.h"

#include "common/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct config c;
static struct config_error err;

/* In memory as long as the text is, so that a byte too far is seen. */
static enum status parse_bytes(const char *text, size_t n)
{
	char *own = malloc(n + !n);
	enum status st;

	memcpy(own, text, n);
	config_default(&c);
	memset(&err, 0xee, sizeof(err));
	st = config_parse(&c, own, n, &err);
	free(own);
	return st;
}

static enum status parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void every_word(void **state)
{
	static const struct {
		const char *line;
		const uint8_t *at;
		uint8_t value;
	} rows[] = {
		{"boot-disk = disk", &c.boot_disk, CONFIG_DISK},
		{"boot-disk = volume", &c.boot_disk, CONFIG_VOLUME},
		{"members = raw", &c.members, CONFIG_RAW},
		{"members = contents", &c.members, CONFIG_CONTENTS},
		{"writes = auto", &c.writes, CONFIG_WRITES_AUTO},
		{"writes = no", &c.writes, CONFIG_WRITES_NO},
		{"writes = mirror", &c.writes, CONFIG_WRITES_MIRROR},
		{"split-brain = newest", &c.split_brain, CONFIG_NEWEST},
		{"split-brain = ask", &c.split_brain, CONFIG_ASK},
		{"split-brain = halt", &c.split_brain, CONFIG_HALT},
		{"console = vga", &c.console, CONFIG_VGA},
		{"console = serial", &c.console, CONFIG_SERIAL},
		{"console = both", &c.console, CONFIG_BOTH},
		{"verify = loader", &c.verify, CONFIG_VERIFY_LOADER},
		{"verify = all", &c.verify, CONFIG_VERIFY_ALL},
		{"verify = no", &c.verify, CONFIG_VERIFY_NO},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].line), ST_OK);
		assert_int_equal(*rows[i].at, rows[i].value);
	}
	assert_int_equal(parse("volumes = no"), ST_OK);
	assert_false(c.volumes);
	assert_int_equal(parse("hide-stale = yes"), ST_OK);
	assert_true(c.hide_stale);
	assert_int_equal(parse("verify = xno"), ST_CORRUPT);
	assert_int_equal(parse("verify = n"), ST_CORRUPT);
}

static void numbers(void **state)
{
	for (unsigned n = 0; n <= 1100; n++) {
		char text[32];

		snprintf(text, sizeof(text), "timeout = %u", n);
		assert_int_equal(parse(text), n <= 255 ? ST_OK : ST_CORRUPT);
		if (n <= 255)
			assert_int_equal(c.timeout_s, n);
	}
	for (int k = 1; k < 127; k++) {
		char text[] = "timeout = 1?";
		bool digit = k >= '0' && k <= '9', blank = k == ' ' || k == '\t' || k == '\r';

		text[11] = (char)k;
		assert_int_equal(parse(text), digit || blank || k == '\n' ? ST_OK : ST_CORRUPT);
		assert_int_equal(c.timeout_s, digit ? 10 + k - '0' : err.fault ? 0 : 1);
	}
	assert_int_equal(parse("timeout = 0001"), ST_CORRUPT);
	assert_int_equal(parse("timeout = 001"), ST_OK);
}

/* What goes to a console is printable; the text may be anybody's. */
static void words_in_errors(void **state)
{
	for (unsigned k = 1; k < 256; k++) {
		char text[] = "ab?d = 1";

		if (k == '\n' || k == '=' || k == ' ')
			continue;
		text[2] = (char)k;
		assert_int_equal(parse(text), ST_CORRUPT);
		assert_int_equal(err.word[2], k < ' ' || k > '~' ? '?' : (char)k);
		assert_int_equal(err.word[4], '\0');
	}
	assert_int_equal(parse("an-unknown-key-of-30-letters-x = 1"), ST_CORRUPT);
	assert_string_equal(err.word, "an-unknown-key-of-30-letters-x");
	assert_int_equal(parse("a b = 1"), ST_CORRUPT);
	assert_string_equal(err.word, "a b");
}

/* After a bad line the others count, and after one without "=", an unknown or a second one too. */
static void a_bad_line_is_left_out(void **state)
{
	assert_int_equal(parse("timeout\n= 9\nxtimeout = 8\ntimeout = 7\ntimeout = 6\nwrites = no"),
			 ST_CORRUPT);
	assert_int_equal(err.line, 1);
	assert_int_equal(c.timeout_s, 7);
	assert_int_equal(c.writes, CONFIG_WRITES_NO);
	assert_int_equal(parse("timeout = 300\ntimeout = 7"), ST_CORRUPT);
	assert_int_equal(err.fault, CONFIG_BAD_VALUE);
	assert_int_equal(parse("timeout = 7\nwrites = no\n\ntimeout = 8\ncolour = x"), ST_CORRUPT);
	assert_int_equal(err.fault, CONFIG_TWICE);
	assert_int_equal(err.line, 4);
	assert_int_equal(parse("mirror = a\nmirror = b"), ST_CORRUPT);
	assert_string_equal(c.mirror, "a");
}

static void values_replace_each_other(void **state)
{
	char text[] = "next = \\a";

	config_default(&c);
	memset(c.next, 'x', sizeof(c.next));
	assert_int_equal(config_parse(&c, text, strlen(text), &err), ST_OK);
	assert_string_equal(c.next, "\\a"); /* whatever was there */
}

static void comments_and_blanks(void **state)
{
	assert_int_equal(parse("mirror =#x"), ST_CORRUPT);
	assert_int_equal(err.fault, CONFIG_BAD_VALUE);
	assert_int_equal(parse("mirror = a#"), ST_OK);
	assert_string_equal(c.mirror, "a#");
	assert_int_equal(parse("mirror = a #"), ST_OK);
	assert_string_equal(c.mirror, "a");
	assert_int_equal(parse("#"), ST_OK);
	assert_int_equal(parse(" "), ST_OK);
	assert_int_equal(parse("\t"), ST_OK);
	assert_int_equal(parse("\r"), ST_OK);
	assert_int_equal(parse("=\t"), ST_CORRUPT);
	assert_int_equal(err.fault, CONFIG_UNKNOWN_KEY);
	assert_int_equal(parse("\n\n\nx"), ST_CORRUPT);
	assert_int_equal(err.line, 4);
	assert_int_equal(parse("timeout = 5\n"), ST_OK);
	assert_int_equal(c.timeout_s, 5);
	assert_int_equal(parse("timeout = 5"), ST_OK);
	assert_int_equal(c.timeout_s, 5);
}

/* Too long by a byte: the line that crosses the end is left out, the one before it counts. */
static void too_long_by_one(void **state)
{
	char text[CONFIG_TEXT_BYTES + 1];

	memset(text, ' ', sizeof(text));
	memcpy(text + sizeof(text) - 14, "\nvolumes = yes", 14);
	memcpy(text, "timeout = 9\n", 12);
	assert_int_equal(parse_bytes(text, sizeof(text)), ST_CORRUPT);
	assert_int_equal(err.fault, CONFIG_TOO_LONG);
	assert_int_equal(err.line, 1);
	assert_string_equal(err.word, "");
	assert_int_equal(c.timeout_s, 9);
	assert_false(c.volumes);
	memcpy(text + sizeof(text) - 16, "\nvolumes = yes\n", 15); /* just whole */
	assert_int_equal(parse_bytes(text, sizeof(text)), ST_CORRUPT);
	assert_true(c.volumes);
	memset(text, 'x', sizeof(text)); /* one line: nothing of it counts */
	memcpy(text, "timeout = 9", 11);
	assert_int_equal(parse_bytes(text, sizeof(text)), ST_CORRUPT);
	assert_int_equal(c.timeout_s, 0);
	text[0] = '\n'; /* only an empty first line does */
	text[1] = 'x';
	assert_int_equal(parse_bytes(text, sizeof(text)), ST_CORRUPT);
	assert_int_equal(err.line, 1);
	assert_int_equal(err.fault, CONFIG_TOO_LONG);
}

/* Members that are trusted are named by their UUIDs; then none that is not is shown. */
static void trusted_members(void **state)
{
	assert_int_equal(parse("trust = 01020304-0506-0708-090a-0b0c0d0e0f10\nhide-stale = no"),
			 ST_OK);
	assert_true(c.trust.pinned);
	assert_true(c.hide_stale);
	assert_int_equal(parse("trust = nonsense"), ST_CORRUPT);
	assert_int_equal(err.fault, CONFIG_BAD_VALUE);
	assert_int_equal(parse("trust = 01020304-0506-0708-090a-0b0c0d0e0f10\n"
			       "trust = 11020304-0506-0708-090a-0b0c0d0e0f10"),
			 ST_OK); /* on several lines */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word),
		cmocka_unit_test(numbers),
		cmocka_unit_test(words_in_errors),
		cmocka_unit_test(a_bad_line_is_left_out),
		cmocka_unit_test(values_replace_each_other),
		cmocka_unit_test(comments_and_blanks),
		cmocka_unit_test(too_long_by_one),
		cmocka_unit_test(trusted_members),
	};

	return cmocka_run_group_tests_name("config: edges", tests, NULL, NULL);
}
