/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_md.h"

#include "common/manifest.h"

#include <stdio.h>
#include <string.h>

#define SET    "0fc63daf-8483-4772-8e79-3d69d8477de4"
#define SOURCE "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define ABC    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEAD                                                                                       \
	"mirrorboot-manifest 1\nset " SET "\ngeneration 12\nstate complete\nsource " SOURCE "\n"
#define GRUB  "file " ABC " 3 5bb16000 \\EFI\\debian\\grubx64.efi\n"
#define OTHER "file " EMPTY " 0 00000000 \\a b\n"
/* hashlib's: of HEAD GRUB OTHER */
#define GOOD                                                                                       \
	HEAD GRUB OTHER "end 07ce93f3e222d30e412e29ec3ea1e0b57d93530e3d53aed8dc63c4f3d224614d\n"

static struct manifest m;

static struct guid guid(const char *text)
{
	struct guid g;

	assert_true(guid_from_text_gpt(&g, text, strlen(text)));
	return g;
}

/* A body with the end line that belongs to it. */
static enum status open_sealed(const char *body)
{
	static char text[4096];
	uint8_t hash[SHA256_BYTES];
	struct sha256 s;
	size_t n = strlen(body);

	sha256_init(&s);
	sha256_add(&s, body, n);
	sha256_end(&s, hash);
	memcpy(text, body, n);
	n += (size_t)sprintf(text + n, "end ");
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		n += (size_t)sprintf(text + n, "%02x", hash[i]);
	text[n++] = '\n';
	return manifest_open(&m, text, n);
}

static void good(void **state)
{
	struct guid set = guid(SET), source = guid(SOURCE);
	struct manifest_file f;
	size_t at;

	assert_int_equal(manifest_open(&m, GOOD, strlen(GOOD)), ST_OK);
	assert_true(guid_equal(&m.set, &set) && guid_equal(&m.source, &source));
	assert_int_equal(m.generation, 12);
	assert_int_equal(m.state, MANIFEST_COMPLETE);
	assert_int_equal(m.files, 2);
	assert_int_equal(m.first, strlen(HEAD));
	assert_int_equal(m.end, strlen(HEAD GRUB OTHER));
	at = m.first;
	assert_true(manifest_next(&m, &at, &f));
	assert_int_equal(f.bytes, 3);
	assert_int_equal(f.fat_time, 0x5bb16000);
	assert_int_equal(f.path_bytes, strlen("\\EFI\\debian\\grubx64.efi"));
	assert_memory_equal(f.path, "\\EFI\\debian\\grubx64.efi", f.path_bytes);
	assert_int_equal(f.sha256[0], 0xba);
	assert_int_equal(f.sha256[31], 0xad);
	assert_true(manifest_next(&m, &at, &f));
	assert_int_equal(f.path_bytes, 4);
	assert_memory_equal(f.path, "\\a b", 4);
	assert_false(manifest_next(&m, &at, &f));
	assert_false(manifest_next(&m, &at, &f));
}

static void states(void **state)
{
	assert_int_equal(open_sealed(HEAD), ST_OK);
	assert_int_equal(m.files, 0);
	assert_int_equal(m.first, m.end);
	assert_int_equal(open_sealed("mirrorboot-manifest 1\nstate updating\nset " SET
				     "\nsource " SOURCE "\ngeneration 18446744073709551615\n"),
			 ST_OK);
	assert_int_equal(m.state, MANIFEST_UPDATING);
	assert_true(m.generation == UINT64_MAX);
}

/* Any one bit turned over, any byte missing at the end or too many: not a manifest any more. */
static void every_bit(void **state)
{
	static char text[sizeof(GOOD) + 1];
	size_t n = strlen(GOOD);

	for (size_t bit = 0; bit < n * 8; bit++) {
		memcpy(text, GOOD, sizeof(GOOD));
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		enum status st = manifest_open(&m, text, n);
		/* "1" of the version can become a larger digit. */
		assert_true(st == ST_CORRUPT || (st == ST_UNSUPPORTED && bit / 8 == 20));
	}
	for (size_t bytes = 0; bytes < n; bytes++)
		assert_int_equal(manifest_open(&m, GOOD, bytes), ST_CORRUPT);
	for (unsigned byte = 0; byte < 256; byte++) {
		memcpy(text, GOOD, sizeof(GOOD));
		text[n] = (char)byte;
		assert_int_equal(manifest_open(&m, text, n + 1), ST_CORRUPT);
	}
}

#define REST "set " SET "\ngeneration 1\nstate complete\nsource " SOURCE "\n"

/* The hash is right in all of these; what it is over decides. */
static void lines(void **state)
{
	static const struct {
		const char *body;
		enum status st;
	} rows[] = {
		{"mirrorboot-manifest 1\n" REST, ST_OK},
		{"mirrorboot-manifest 1\n" REST "later a b c\n" GRUB, ST_OK},
		{"mirrorboot-manifest 1\nfile-count 7\n" REST GRUB, ST_OK},
		{"mirrorboot-manifest 2\n" REST, ST_UNSUPPORTED},
		{"mirrorboot-manifest 10\nnothing we know\n", ST_UNSUPPORTED},
		{"mirrorboot-manifest 0\n" REST, ST_CORRUPT},
		{"mirrorboot-manifest 01\n" REST, ST_CORRUPT},
		{"mirrorboot-manifest\n" REST, ST_CORRUPT},
		{"mirrorboot-manifest 1 \n" REST, ST_CORRUPT},
		{"mirrorboot-manifest 1\r\n" REST, ST_CORRUPT},
		{"mirrorboot-manifes 1\n" REST, ST_CORRUPT},
		{"mirrorboot-manifest 18446744073709551616\n" REST, ST_CORRUPT},
		{"mirrorboot-manifest 99999999999999999999\n" REST, ST_CORRUPT},
		{"mirrorboot-manifest 1\n" REST GRUB "later x\n", ST_CORRUPT}, /* behind a file */
		{"mirrorboot-manifest 1\n" REST "later\n", ST_CORRUPT},
		{"mirrorboot-manifest 1\n" REST "later \n", ST_CORRUPT},
		{"mirrorboot-manifest 1\n" REST " later x\n", ST_CORRUPT},
		{"mirrorboot-manifest 1\n" REST "\n", ST_CORRUPT},
		{"mirrorboot-manifest 1\n" REST "state complete\n", ST_CORRUPT}, /* twice */
		{"mirrorboot-manifest 1\n" REST "set " SET "\n", ST_CORRUPT},
		{"mirrorboot-manifest 1\nset " SET "\ngeneration 1\nstate complete\n", ST_CORRUPT},
		{"mirrorboot-manifest 1\nset " SET "\ngeneration 1\nsource " SOURCE "\n",
		 ST_CORRUPT},
		{"mirrorboot-manifest 1\nset " SET "\nstate complete\nsource " SOURCE "\n",
		 ST_CORRUPT},
		{"mirrorboot-manifest 1\ngeneration 1\nstate complete\nsource " SOURCE "\n",
		 ST_CORRUPT},
		{"mirrorboot-manifest 1\n", ST_CORRUPT},
		{"", ST_CORRUPT},
		{HEAD "file " ABC " 3 5bb16000\n", ST_CORRUPT},
		{HEAD "file " ABC " 3 5bb16000 \n", ST_CORRUPT},
		{HEAD "file " ABC " 3 5bb1600 \\a\n", ST_CORRUPT},
		{HEAD "file " ABC " 3 5BB16000 \\a\n", ST_CORRUPT},
		{HEAD "file " ABC " 3 5bb160000 \\a\n", ST_CORRUPT},
		{HEAD "file " ABC " 03 5bb16000 \\a\n", ST_CORRUPT},
		{HEAD "file " ABC " -3 5bb16000 \\a\n", ST_CORRUPT},
		{HEAD "file " ABC "  5bb16000 \\a\n", ST_CORRUPT},
		{HEAD "file " ABC "0 3 5bb16000 \\a\n", ST_CORRUPT},
		{HEAD "file Ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad 3 "
		      "5bb16000 \\a\n",
		 ST_CORRUPT},
		{HEAD "file " ABC " 18446744073709551615 5bb16000 \\a\n", ST_OK},
		{HEAD "file " ABC " 18446744073709551616 5bb16000 \\a\n", ST_CORRUPT},
		{HEAD "file " ABC " 18446744073709551620 5bb16000 \\a\n", ST_CORRUPT},
		{HEAD "file " ABC " 3 5bb16000 a\n", ST_CORRUPT},
		{HEAD "file " ABC " 3 5bb16000  \\a\n", ST_CORRUPT},
		{"mirrorboot-manifest 1\nset 0fc63daf-8483-4772-8e79-3d69d8477de\ngeneration 1\n"
		 "state complete\nsource " SOURCE "\n",
		 ST_CORRUPT},
		{"mirrorboot-manifest 1\nset " SET "\ngeneration 1\nstate Complete\nsource " SOURCE
		 "\n",
		 ST_CORRUPT},
		{"mirrorboot-manifest 1\nset " SET "\ngeneration 1\nstate complete\nsource " SOURCE
		 "x\n",
		 ST_CORRUPT},
		{"mirrorboot-manifest 1\nset " SET "\ngeneration 1x\nstate complete\nsource " SOURCE
		 "\n",
		 ST_CORRUPT},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (open_sealed(rows[i].body) != rows[i].st)
			fail_msg("row %u: %s", i, rows[i].body);
	/* A body that does not end its last line: the end line is not a line of its own. */
	assert_int_equal(open_sealed("mirrorboot-manifest 1\n" REST "later x"), ST_CORRUPT);
}

static void end_line(void **state)
{
	char text[sizeof(GOOD)];
	size_t n = strlen(GOOD);

	memcpy(text, GOOD, sizeof(GOOD));
	text[n - 1] = ' ';
	assert_int_equal(manifest_open(&m, text, n), ST_CORRUPT);
	memcpy(text, GOOD, sizeof(GOOD));
	memcpy(text + m.end, "END", 3);
	assert_int_equal(manifest_open(&m, text, n), ST_CORRUPT);
}

static void length_limit(void **state)
{
	static char text[MANIFEST_BYTES_MAX + 100];
	static const char body[] = "mirrorboot-manifest 1\n" REST "later ";
	struct sha256 s;
	uint8_t hash[SHA256_BYTES];

	for (unsigned more = 0; more < 2; more++) {
		size_t n = MANIFEST_BYTES_MAX + more, end = n - 69;

		memset(text, 'x', sizeof(text));
		memcpy(text, body, strlen(body));
		text[end - 1] = '\n';
		sha256_init(&s);
		sha256_add(&s, text, end);
		sha256_end(&s, hash);
		memcpy(text + end, "end ", 4);
		for (unsigned i = 0; i < SHA256_BYTES; i++)
			sprintf(text + end + 4 + 2 * i, "%02x", hash[i]);
		text[n - 1] = '\n';
		assert_int_equal(manifest_open(&m, text, n), more ? ST_CORRUPT : ST_OK);
	}
}

static void paths(void **state)
{
	static const struct {
		const char *path;
		bool ok;
	} rows[] = {
		{"\\a", true},
		{"\\EFI\\BOOT\\BOOTX64.EFI", true},
		{"\\a.b c+,;=[]~'!#$%&()-@^_`{}", true},
		{"\\\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7", true},
		{"\\.a", true},
		{"\\..a\\a..", true},
		{"", false},
		{"\\", false},
		{"a", false},
		{"/a", false},
		{"\\a\\", false},
		{"\\\\a", false},
		{"\\a\\\\b", false},
		{"\\.", false},
		{"\\..", false},
		{"\\a\\..\\b", false},
		{"\\.\\b", false},
		{"\\a/b", false},
		{"\\a:b", false},
		{"\\a*", false},
		{"\\a?", false},
		{"\\\"a", false},
		{"\\a<", false},
		{"\\a>", false},
		{"\\a|", false},
		{"\\a\n", false},
		{"\\a\x1f", false},
		{"\\a\x7f", false},
		/* not UTF-8: a lone byte, too long a form, a surrogate, beyond U+10FFFF, cut */
		{"\\\x80", false},
		{"\\\xff", false},
		{"\\\xc0\xaf", false},
		{"\\\xc1\xbf", false},
		{"\\\xe0\x9f\xbf", false},
		{"\\\xed\xa0\x80", false},
		{"\\\xf0\x8f\xbf\xbf", false},
		{"\\\xf4\x90\x80\x80", false},
		{"\\\xf5\x80\x80\x80", false},
		{"\\\xe2\x82", false},
		{"\\\xe2\x82x", false},
		{"\\\xc3\\", false},
		{"\\\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xe0\xa0\x80\xf0\x90\x80\x80", true},
	};
	char path[MANIFEST_PATH_BYTES + 2];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (manifest_path_ok(rows[i].path, strlen(rows[i].path)) != rows[i].ok)
			fail_msg("row %u: %s", i, rows[i].path);
	assert_false(manifest_path_ok("\\a\0b", 4));
	memset(path, 'a', sizeof(path));
	path[0] = '\\';
	assert_true(manifest_path_ok(path, MANIFEST_PATH_BYTES));
	assert_false(manifest_path_ok(path, MANIFEST_PATH_BYTES + 1));
}

static void find(void **state)
{
	struct manifest_file f;

	assert_int_equal(manifest_open(&m, GOOD, strlen(GOOD)), ST_OK);
	assert_true(manifest_find(&m, "\\efi\\DEBIAN\\GrubX64.EFI", 23, &f));
	assert_int_equal(f.bytes, 3);
	assert_true(manifest_find(&m, "\\A B", 4, &f));
	assert_int_equal(f.bytes, 0);
	assert_false(manifest_find(&m, "\\a", 2, &f));
	assert_false(manifest_find(&m, "\\a b ", 5, &f));
	/* Only letters have two cases. */
	assert_int_equal(open_sealed(HEAD "file " EMPTY " 0 00000000 \\@[\n"), ST_OK);
	assert_true(manifest_find(&m, "\\@[", 3, &f));
	assert_false(manifest_find(&m, "\\`[", 3, &f));
	assert_false(manifest_find(&m, "\\@{", 3, &f));
}

static void judge(void **state)
{
	struct manifest_file f = {.bytes = 3, .fat_time = 7, .sha256 = {1, 2, 3}};
	uint8_t same[SHA256_BYTES] = {1, 2, 3}, other[SHA256_BYTES] = {1, 2, 3, [31] = 1};

	assert_int_equal(manifest_judge(&f, 3, 7, same), MANIFEST_SAME);
	assert_int_equal(manifest_judge(&f, 3, 8, same), MANIFEST_SAME); /* written again */
	assert_int_equal(manifest_judge(&f, 3, 7, other), MANIFEST_DAMAGED);
	assert_int_equal(manifest_judge(&f, 3, 8, other), MANIFEST_CHANGED);
	assert_int_equal(manifest_judge(&f, 4, 7, other), MANIFEST_CHANGED);
	assert_int_equal(manifest_judge(&f, 4, 7, same), MANIFEST_CHANGED);
	assert_int_equal(manifest_judge(&f, 3 + (1ull << 32), 7, same), MANIFEST_CHANGED);
}

static enum status write_good(struct manifest_writer *w, char *text, size_t room)
{
	struct guid set = guid(SET), source = guid(SOURCE);
	struct manifest_file f;
	struct manifest from;
	size_t at;

	assert_int_equal(manifest_open(&from, GOOD, strlen(GOOD)), ST_OK);
	manifest_begin(w, text, room, &set, 12, MANIFEST_COMPLETE, &source);
	for (at = from.first; manifest_next(&from, &at, &f);)
		manifest_add(w, &f);
	return manifest_end(w);
}

static void writing(void **state)
{
	char text[sizeof(GOOD) + 16];
	struct manifest_writer w;
	size_t n = strlen(GOOD);

	assert_int_equal(write_good(&w, text, sizeof(text)), ST_OK);
	assert_int_equal(w.bytes, n);
	assert_memory_equal(text, GOOD, n);
	for (size_t room = 0; room < n; room++) {
		memset(text, '#', sizeof(text));
		assert_int_equal(write_good(&w, text, room), ST_FULL);
		assert_int_equal(text[room], '#');
	}
	assert_int_equal(write_good(&w, text, n), ST_OK);
}

static void writing_updating(void **state)
{
	struct guid set = guid(SET), source = guid(SOURCE);
	struct manifest_writer w;
	char text[1000];

	manifest_begin(&w, text, sizeof(text), &set, 0, MANIFEST_UPDATING, &source);
	assert_int_equal(manifest_end(&w), ST_OK);
	assert_int_equal(manifest_open(&m, text, w.bytes), ST_OK);
	assert_int_equal(m.state, MANIFEST_UPDATING);
	assert_int_equal(m.generation, 0);
	assert_int_equal(m.files, 0);
}

/* A name that would break the lines, as a hostile directory has it. */
static void writing_a_bad_path(void **state)
{
	struct manifest_file f = {.path = "\\a\nend", .path_bytes = 6};
	struct guid set = guid(SET), source = guid(SOURCE);
	struct manifest_writer w;
	char text[1000];

	manifest_begin(&w, text, sizeof(text), &set, 0, MANIFEST_COMPLETE, &source);
	manifest_add(&w, &f);
	assert_int_equal(manifest_end(&w), ST_UNSUPPORTED);
}

static void writing_too_much(void **state)
{
	static char text[MANIFEST_BYTES_MAX + 4096];
	static char path[1000];
	struct manifest_file f = {.path = path, .path_bytes = sizeof(path)};
	struct guid set = guid(SET), source = guid(SOURCE);
	struct manifest_writer w;

	memset(path, 'a', sizeof(path));
	path[0] = '\\';
	manifest_begin(&w, text, sizeof(text), &set, 0, MANIFEST_COMPLETE, &source);
	for (unsigned i = 0; i < MANIFEST_BYTES_MAX / 1000; i++)
		manifest_add(&w, &f);
	assert_int_equal(manifest_end(&w), ST_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(states),
		cmocka_unit_test(every_bit),
		cmocka_unit_test(lines),
		cmocka_unit_test(end_line),
		cmocka_unit_test(length_limit),
		cmocka_unit_test(paths),
		cmocka_unit_test(find),
		cmocka_unit_test(judge),
		cmocka_unit_test(writing),
		cmocka_unit_test(writing_updating),
		cmocka_unit_test(writing_a_bad_path),
		cmocka_unit_test(writing_too_much),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
