/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Manifests: every character in every place, and texts in memory that is just as long as they are.
 */
#include "tests/unit/help_md.h"

#include "common/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET  "0fc63daf-8483-4772-8e79-3d69d8477de4"
#define HEAD "mirrorboot-manifest 1\nset " SET "\ngeneration 12\nstate complete\nsource " SET "\n"
#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct manifest m;
static char *own;

static int release(void **state)
{
	free(own);
	own = NULL;
	return 0;
}

/* A body with the end line that belongs to it. */
static enum status open_sealed(const char *body)
{
	uint8_t hash[SHA256_BYTES];
	struct sha256 s;
	size_t n = strlen(body);

	sha256_init(&s);
	sha256_add(&s, body, n);
	sha256_end(&s, hash);
	free(own);
	own = malloc(n + 4 + 64 + 2);
	memcpy(own, body, n);
	n += (size_t)sprintf(own + n, "end ");
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		n += (size_t)sprintf(own + n, "%02x", hash[i]);
	own[n++] = '\n';
	own = realloc(own, n);
	return manifest_open(&m, own, n);
}

static enum status open_file_line(const char *hash, const char *size, const char *time,
				  const char *path)
{
	char body[2048];

	snprintf(body, sizeof(body), HEAD "file %s %s %s %s\n", hash, size, time, path);
	return open_sealed(body);
}

/* The scalar value of the character at p, by its bits; -1: it is none. */
static long scalar(const uint8_t *p, size_t left, size_t *used)
{
	static const long least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80       ? 1
		   : p[0] >> 5 == 6  ? 2
		   : p[0] >> 4 == 14 ? 3
		   : p[0] >> 3 == 30 ? 4
				     : 0;
	long c;

	if (n == 0 || n > left)
		return -1;
	c = n == 1 ? p[0] : p[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return -1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	*used = n;
	return c;
}

/* Whether a name of these bytes may be, "." and ".." apart. */
static bool name_ok(const uint8_t *p, size_t n)
{
	size_t used;

	for (size_t i = 0; i < n; i += used) {
		long c = scalar(p + i, n - i, &used);

		if (c < ' ' || c == 0x7f || (c < 0x7f && strchr("\"*/:<>?|\\", (int)c)))
			return false;
	}
	return n > 0;
}

static void check_name(const uint8_t *p, size_t n)
{
	char *path = malloc(n + 1); /* just as long */

	path[0] = '\\';
	memcpy(path + 1, p, n);
	if (manifest_path_ok(path, n + 1) != name_ok(p, n))
		fail_msg("%02x %02x %02x %02x of %zu", p[0], p[1], p[2], p[3], n);
	free(path);
}

static void names(void **state)
{
	static const uint8_t second[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90,
					 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xff};

	for (unsigned a = 0; a < 256; a++) {
		if (a != '.')
			check_name((uint8_t[4]){(uint8_t)a}, 1);
		for (unsigned b = 0; b < 256; b++)
			if (a != '.' && b != '\\')
				check_name((uint8_t[4]){(uint8_t)a, (uint8_t)b}, 2);
	}
	for (unsigned a = 0xc0; a < 256; a++)
		for (unsigned b = 0; b < sizeof(second); b++)
			for (unsigned c = 0; c < sizeof(second); c++) {
				uint8_t p[4] = {(uint8_t)a, second[b], second[c], 0x80};

				check_name(p, 3);
				check_name(p, 4);
				p[3] = 0xc0;
				check_name(p, 4);
			}
}

static void paths(void **state)
{
	static const struct {
		const char *path;
		bool ok;
	} rows[] = {
		{"\\a", true},     {"a", false},         {"\\", false},         {"", false},
		{"\\a\\b", true},  {"\\a\\", false},     {"\\\\a", false},      {"\\a\\\\b", false},
		{"\\.", false},    {"\\..", false},      {"\\...", false},      {"\\.a", true},
		{"\\a.", true},    {"\\a\\.\\b", false}, {"\\a\\..\\b", false}, {"\\..a\\b", true},
		{"\\a\\.b", true}, {"\\.\\a", false},    {"\\a\\b\\c", true},   {"\\a..\\b", true},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].path);
		char *path = malloc(n + !n);

		memcpy(path, rows[i].path, n);
		assert_int_equal(manifest_path_ok(path, n), rows[i].ok);
		free(path);
	}
	char longest[MANIFEST_PATH_BYTES + 1] = "\\";

	memset(longest + 1, 'x', sizeof(longest) - 1);
	assert_true(manifest_path_ok(longest, MANIFEST_PATH_BYTES));
	assert_false(manifest_path_ok(longest, MANIFEST_PATH_BYTES + 1));
}

static void hexadecimal(void **state)
{
	for (unsigned at = 0; at < 2; at++)
		for (int c = 0x21; c < 0x7f; c++) {
			char hash[] = HASH, time[] = "00000000";
			bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
			struct manifest_file f;
			size_t first;

			hash[62 + at] = (char)c;
			assert_int_equal(open_file_line(hash, "1", "0000001f", "\\a"),
					 ok ? ST_OK : ST_CORRUPT);
			if (ok) {
				char want[3] = {hash[62], hash[63], '\0'};

				first = m.first;
				assert_true(manifest_next(&m, &first, &f));
				assert_int_equal(f.sha256[31], strtoul(want, NULL, 16));
				assert_int_equal(f.fat_time, 0x1f);
			}
			time[6 + at] = (char)c;
			assert_int_equal(open_file_line(HASH, "1", time, "\\a"),
					 ok ? ST_OK : ST_CORRUPT);
		}
	assert_int_equal(open_file_line(HASH "0", "1", "00000000", "\\a"), ST_CORRUPT);
	assert_int_equal(open_file_line(HASH, "1", "000000000", "\\a"), ST_CORRUPT);
	assert_int_equal(open_file_line(HASH, "1", "0000000", "\\a"), ST_CORRUPT);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{"0", true},
		{"00", false},
		{"01", false},
		{"10", true},
		{"18446744073709551615", true},
		{"18446744073709551616", false},
		{"18446744073709551620", false},
		{"18446744073709551609", true},
		{"28446744073709551615", false},
		{"184467440737095516150", false},
		{"1/", false},
		{"1:", false},
		{"+1", false},
		{"-1", false},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct manifest_file f;
		size_t at;

		assert_int_equal(open_file_line(HASH, rows[i].text, "00000000", "\\a"),
				 rows[i].ok ? ST_OK : ST_CORRUPT);
		at = m.first;
		if (rows[i].ok) {
			assert_true(manifest_next(&m, &at, &f));
			assert_true(f.bytes == strtoull(rows[i].text, NULL, 10));
		}
	}
}

/* Cut anywhere, whatever is behind it; and the smallest texts that have an end line at all. */
static void cut(void **state)
{
	char body[512];
	size_t n;

	assert_int_equal(open_file_line(HASH, "1", "00000000", "\\a"), ST_OK);
	snprintf(body, sizeof(body), "%.*s", (int)(m.end + 69), own);
	n = strlen(body);
	for (size_t k = 0; k < n; k++) {
		char *text = malloc(k + !k);

		memcpy(text, body, k);
		assert_int_equal(manifest_open(&m, text, k), ST_CORRUPT);
		memcpy(text, body + n - k, k); /* its last bytes */
		assert_int_equal(manifest_open(&m, text, k), ST_CORRUPT);
		free(text);
	}
	assert_int_equal(open_sealed(""), ST_CORRUPT);
	assert_int_equal(open_sealed("\n"), ST_CORRUPT);
	assert_int_equal(open_sealed("mirrorboot-manifest 1"), ST_CORRUPT);
	assert_int_equal(open_sealed("mirrorboot-manifest 2\n"), ST_UNSUPPORTED);
}

static void heads(void **state)
{
	assert_int_equal(open_sealed(HEAD "file\n"), ST_CORRUPT);
	assert_int_equal(open_sealed(HEAD "file \n"), ST_CORRUPT);
	assert_int_equal(open_sealed(HEAD "filex y\n"), ST_OK); /* another key */
	assert_int_equal(m.files, 0);
	assert_int_equal(open_sealed(HEAD "fil\n"), ST_CORRUPT); /* no value */
	assert_int_equal(open_sealed(HEAD "xile " HASH " 1 00000000 \\a\n"), ST_OK);
	assert_int_equal(m.files, 0);
	assert_int_equal(open_sealed(HEAD "file " HASH " 1 00000000 \\a\nset " SET "\n"),
			 ST_CORRUPT); /* behind files there are files */
	assert_int_equal(open_sealed(HEAD "set " SET "\n"), ST_CORRUPT);
	assert_int_equal(open_sealed(HEAD "generation 12\n"), ST_CORRUPT);
	assert_int_equal(open_sealed(HEAD "source " SET "\n"), ST_CORRUPT);
	assert_int_equal(open_sealed(HEAD "state complete\n"), ST_CORRUPT);
	assert_int_equal(open_sealed(HEAD "sourc x\nsourcey x\n"), ST_OK);
}

static void found(void **state)
{
	struct manifest_file f;

	for (int c = 0x21; c < 0x7f; c++) {
		char path[] = "\\a?", other[] = "\\a?";
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		path[2] = (char)c;
		other[2] = (char)(c ^ 0x20);
		if (open_file_line(HASH, "1", "00000000", path) != ST_OK)
			continue;
		assert_true(manifest_find(&m, path, 3, &f));
		assert_int_equal(manifest_find(&m, other, 3, &f), letter);
		assert_false(manifest_find(&m, path, 2, &f));
		assert_false(manifest_find(&m, "\\a??", 4, &f));
		assert_false(manifest_find(&m, "", 0, &f));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, release)
		TEST(names), TEST(paths), TEST(hexadecimal), TEST(numbers),
		TEST(cut),   TEST(heads), TEST(found),
	};

	return cmocka_run_group_tests_name("manifest: characters", tests, NULL, NULL);
}
