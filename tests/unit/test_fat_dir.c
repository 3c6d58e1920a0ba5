/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: names, folders, the whole tree. */
#include "tests/unit/help_fat.h"

#include "common/fat.h"

#include <stdio.h>
#include <string.h>

static struct fatimage im;
static struct fat f;
static struct fat_entry e;
static struct fat_dir dir;
static struct fat_walk w;

static int open_16(void **state)
{
	fatimage_open(&im, 16, 512, 1);
	return 0;
}

static int open_32(void **state)
{
	fatimage_open(&im, 32, 512, 1);
	return 0;
}

static int close_image(void **state)
{
	fatimage_close(&im);
	return 0;
}

static void open_fat(void)
{
	assert_int_equal(fat_open(&f, &im.m.disk, im.start_lba, im.sectors), ST_OK);
	fat_root(&f, &dir);
}

static void expect(const char *name, const char *alias, unsigned slot, unsigned long_slots)
{
	assert_int_equal(fat_dir_next(&f, &dir, &e), ST_OK);
	assert_string_equal(e.name, name);
	assert_int_equal(e.name_bytes, strlen(name));
	assert_string_equal(e.alias, alias);
	assert_int_equal(e.slot, slot);
	assert_int_equal(e.long_slots, long_slots);
}

static void expect_end(void)
{
	assert_int_equal(fat_dir_next(&f, &dir, &e), ST_ABSENT);
	assert_int_equal(fat_dir_next(&f, &dir, &e), ST_ABSENT);
}

/* ---- names ---- */

static bool short_name(const char *name11, uint8_t lower_case, char out[37])
{
	struct fat_slot s = {.lower_case = lower_case};
	size_t bytes;
	bool ok;

	memcpy(s.name, name11, 11);
	memset(out, '#', 36);
	ok = fat_short_name(&s, out, &bytes);
	if (ok)
		assert_int_equal(strlen(out), bytes);
	return ok;
}

static void short_names(void **state)
{
	static const struct {
		const char *name11;
		uint8_t lower_case;
		const char *name; /* NULL: can't be */
	} rows[] = {
		{"GRUBX64 EFI", 0, "GRUBX64.EFI"},
		{"GRUBX64 EFI", 8, "grubx64.EFI"},
		{"GRUBX64 EFI", 16, "GRUBX64.efi"},
		{"GRUBX64 EFI", 24, "grubx64.efi"},
		{"GRUBX64 EFI", 0xe7, "GRUBX64.EFI"},
		{"A          ", 0, "A"},
		{"A        B ", 0, "A. B"},
		{"A B     C  ", 0, "A B.C"},
		{"ABCDEFGHIJK", 0, "ABCDEFGH.IJK"},
		{"lower   x  ", 0, "lower.x"},
		{"\x05"
		 "BC        ",
		 0,
		 "\xcf\x83"
		 "BC"},
		{"\x80\xff      \x9c  ", 24, "\xc3\x87\xc2\xa0.\xc2\xa3"},
		{"\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0", 0,
		 "\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96"
		 "\x91\xe2\x96\x91.\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91"},
		{"+,;=[]~1   ", 0, "+,;=[]~1"},
		{"           ", 0, NULL},
		{" A         ", 0, NULL},
		{"A\\B        ", 0, NULL},
		{"A/B        ", 0, NULL},
		{"A.B        ", 0, NULL},
		{"A       .  ", 0, NULL},
		{"..A        ", 0, NULL},
		{"A:         ", 0, NULL},
		{"A*      B  ", 0, NULL},
		{"A       ?  ", 0, NULL},
		{"A\x7f         ", 0, NULL},
		{"A\x1f         ", 0, NULL},
		{"A\n         ", 0, NULL},
		{"A\"         ", 0, NULL},
		{"A<>        ", 0, NULL},
		{"A|         ", 0, NULL},
		{"A\0         ", 0, NULL},
		{"\x04          ", 0, NULL},
	};
	char out[37];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool ok = short_name(rows[i].name11, rows[i].lower_case, out);

		if (ok != (rows[i].name != NULL) || (ok && strcmp(out, rows[i].name)))
			fail_msg("row %u: %.36s", i, ok ? out : "no name");
	}
}

static void long_names(void **state)
{
	static const struct {
		uint16_t units[8];
		const char *name;
	} rows[] = {
		{{'a', ' ', '.', 'b'}, "a .b"},
		{{0x7ff, 0x800, 0xffff, 0x80}, "\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xc2\x80"},
		{{0xd83d, 0xdc27, 'x'}, "\xf0\x9f\x90\xa7x"},
		{{0xd800, 0xdc00, 0xdbff, 0xdfff}, "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
		{{'.', 'a'}, ".a"},
		{{'a', '.'}, "a."},
		{{0}, NULL},
		{{'.'}, NULL},
		{{'.', '.', '.'}, NULL},
		{{0xd800}, NULL},
		{{0xd800, 'a'}, NULL},
		{{0xd800, 0xd800, 0xdc00}, NULL},
		{{0xdc00, 'a'}, NULL},
		{{0xdfff}, NULL},
		{{'a', '\\', 'b'}, NULL},
		{{'a', '/', 'b'}, NULL},
		{{'a', '\n'}, NULL},
		{{'a', 0x7f}, NULL},
		{{'a', ':'}, NULL},
	};
	static uint16_t units[FAT_NAME_UNITS + 1];
	char name[FAT_NAME_BYTES];
	size_t bytes;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned n = 0;
		bool ok;

		while (rows[i].units[n])
			n++;
		ok = fat_long_name(rows[i].units, n, name, &bytes);
		if (ok != (rows[i].name != NULL) || (ok && strcmp(name, rows[i].name)))
			fail_msg("row %u: %s", i, ok ? name : "no name");
		if (ok)
			assert_int_equal(bytes, strlen(name));
	}
	units[0] = 0xd83d; /* its other half is behind the end */
	units[1] = 0xdc27;
	assert_false(fat_long_name(units, 1, name, &bytes));
	assert_true(fat_long_name(units, 2, name, &bytes));
	for (unsigned i = 0; i <= FAT_NAME_UNITS; i++)
		units[i] = 0x20ac;
	assert_true(fat_long_name(units, FAT_NAME_UNITS, name, &bytes));
	assert_int_equal(bytes, FAT_NAME_BYTES - 1);
	assert_false(fat_long_name(units, FAT_NAME_UNITS + 1, name, &bytes));
}

/* ---- folders ---- */

static void one_folder(void **state)
{
	unsigned n = 0;

	fatimage_entry(&im, 0, n++, "OUR LABEL  ", 0x08, 0, 0);
	fatimage_entry(&im, 0, n++, "SHORT   TXT", 0x21, 7, 123);
	fatimage_entry(&im, 0, n++,
		       "\xe5"
		       "ONE    TXT",
		       0x20, 0, 0);
	n = fatimage_long_entry(&im, 0, n, "a long name.conf", "ALONGN~1CON", 0x20, 9, 5);
	n = fatimage_long_entry(&im, 0, n, "thirteen.char", "THIRTE~1CHA", 0x10, 10, 77);
	open_fat();
	expect("SHORT.TXT", "SHORT.TXT", 1, 0);
	assert_int_equal(e.attributes, FAT_READ_ONLY | FAT_ARCHIVE);
	assert_int_equal(e.first_cluster, 7);
	assert_int_equal(e.bytes, 123);
	assert_int_equal(e.write_time, 0x5bb16000);
	assert_false(fat_is_folder(&e));
	assert_int_equal(fat_dir_open(&f, &e, &dir), ST_ABSENT);
	expect("a long name.conf", "ALONGN~1.CON", 5, 2);
	expect("thirteen.char", "THIRTE~1.CHA", 7, 1);
	assert_true(fat_is_folder(&e));
	assert_int_equal(e.bytes, 0);
	expect_end();
}

/* What does not belong to the entry behind it is nobody's long name. */
static void orphans(void **state)
{
	static const char name[] = "GRUBX6~1EFI";
	unsigned n = 0, good;

	/* another's sum */
	fatimage_long(&im, 0, n++, 0x41, "OTHER   EFI", "other");
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	/* the first part is missing */
	fatimage_long(&im, 0, n++, 0x42, name, "second");
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	/* one missing in the middle */
	fatimage_long(&im, 0, n++, 0x43, name, "third");
	fatimage_long(&im, 0, n++, 0x01, name, "first12345678");
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	/* as many as there should be, but not those */
	fatimage_long(&im, 0, n++, 0x42, name, "second");
	fatimage_long(&im, 0, n++, 0x02, name, "second again1");
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	/* no mark of the last */
	fatimage_long(&im, 0, n++, 0x01, name, "first");
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	/* number 0, 21, with bit 7 */
	fatimage_long(&im, 0, n++, 0x40, name, "zero");
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	fatimage_long(&im, 0, n++, 0x40 + 21, name, "many");
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	fatimage_long(&im, 0, n++, 0xc1, name, "bit 7");
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	/* a deleted slot, a label between */
	fatimage_long(&im, 0, n++, 0x41, name, "before deleted");
	fatimage_entry(&im, 0, n++, "\xe5RUBX6~1EFI", 0x20, 0, 0);
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	fatimage_long(&im, 0, n++, 0x41, name, "before label");
	fatimage_entry(&im, 0, n++, "LABEL      ", 0x08, 0, 0);
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	/* a part with another sum */
	fatimage_long(&im, 0, n++, 0x42, name, "part 2");
	fatimage_long(&im, 0, n++, 0x01, "OTHER   EFI", "first12345678");
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	/* characters that no name has */
	fatimage_long(&im, 0, n++, 0x41, name, "a\\b");
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	fatimage_long(&im, 0, n++, 0x41, name, "");
	fatimage_entry(&im, 0, n++, name, 0x20, 0, 0);
	/* a new one begins before the old one ends: it counts */
	fatimage_long(&im, 0, n++, 0x42, "OTHER   EFI", "never ended");
	good = fatimage_long_entry(&im, 0, n, "counts", name, 0x20, 0, 0) - 1;
	open_fat();
	for (unsigned i = 0; i < 13; i++) {
		assert_int_equal(fat_dir_next(&f, &dir, &e), ST_OK);
		if (strcmp(e.name, "GRUBX6~1.EFI"))
			fail_msg("orphan %u: %s", i, e.name);
		assert_int_equal(e.long_slots, 0);
	}
	expect("counts", "GRUBX6~1.EFI", good, 1);
	expect_end();
}

/* All 20 slots; and units behind the NUL are nobody's business. */
static void longest_name(void **state)
{
	char text[261];

	for (unsigned i = 0; i < 260; i++)
		text[i] = (char)('a' + i % 26);
	text[255] = '\0';
	fatimage_long_entry(&im, 0, 0, text, "ABCDEF~1   ", 0x20, 0, 0);
	open_fat();
	expect(text, "ABCDEF~1", 20, 20);
	text[255] = 'v';
	text[260] = '\0';
	fatimage_long_entry(&im, 0, 0, text, "ABCDEF~1   ", 0x20, 0, 0);
	open_fat();
	expect("ABCDEF~1", "ABCDEF~1", 20, 0);
}

static void not_a_name(void **state)
{
	fatimage_entry(&im, 0, 0, "GOOD       ", 0x20, 0, 0);
	fatimage_entry(&im, 0, 1, "BA\x01         ", 0x20, 0, 0);
	open_fat();
	expect("GOOD", "GOOD", 0, 0);
	assert_int_equal(fat_dir_next(&f, &dir, &e), ST_CORRUPT);
}

/* A root with every slot in use; and FAT32's, which is a chain. */
static void full_root(void **state)
{
	char name[12];

	for (unsigned i = 0; i < 512; i++) {
		snprintf(name, sizeof(name), "FILE%04u   ", i);
		fatimage_entry(&im, 0, i, name, 0x20, 0, i);
	}
	fatimage_entry(&im, 2, 0, "BEHIND IT  ", 0x20, 0, 0);
	open_fat();
	for (unsigned i = 0; i < 512; i++) {
		assert_int_equal(fat_dir_next(&f, &dir, &e), ST_OK);
		assert_int_equal(e.bytes, i);
	}
	expect_end();
}

/* A long name across clusters that do not follow each other; then the folder fills its chain. */
static void folder_in_clusters(void **state)
{
	fatimage_link(&im, 2, 9);
	fatimage_link(&im, 9, 5);
	fatimage_link(&im, 5, 0x0fffffff);
	for (unsigned i = 0; i < 15; i++)
		fatimage_entry(&im, 2, i, "\xe5          ", 0x20, 0, 0);
	fatimage_long(&im, 2, 15, 0x42, "LONG~1     ", "acter");
	fatimage_long(&im, 9, 0, 0x01, "LONG~1     ", "by every char");
	fatimage_entry(&im, 9, 1, "LONG~1     ", 0x20, 0, 0);
	for (unsigned i = 2; i < 16; i++)
		fatimage_entry(&im, 9, i, "\xe5          ", 0x20, 0, 0);
	for (unsigned i = 0; i < 16; i++)
		fatimage_entry(&im, 5, i, "X          ", 0x20, 0, 0);
	open_fat();
	expect("by every character", "LONG~1", 17, 2);
	for (unsigned i = 0; i < 16; i++)
		expect("X", "X", 32 + i, 0);
	expect_end();
	/* It ends in the first slot of its next cluster: asked again it still ends there. */
	fatimage_entry(&im, 5, 0, "\0          ", 0, 0, 0);
	open_fat();
	expect("by every character", "LONG~1", 17, 2);
	expect_end();
	expect_end();
}

/* Round and round: the most that a folder can have, and no more. */
static void folder_chain_loops(void **state)
{
	unsigned count = 0;
	enum status st;

	for (unsigned i = 0; i < 16; i++)
		fatimage_entry(&im, 2, i, "X          ", 0x20, 0, 0);
	fatimage_link(&im, 2, 2);
	open_fat();
	while ((st = fat_dir_next(&f, &dir, &e)) == ST_OK)
		count++;
	assert_int_equal(st, ST_CORRUPT);
	assert_int_equal(count, FAT_DIR_SLOTS);
	fatimage_link(&im, 2, 0);
	open_fat();
	for (unsigned i = 0; i < 16; i++)
		expect("X", "X", i, 0);
	assert_int_equal(fat_dir_next(&f, &dir, &e), ST_CORRUPT);
}

static void find(void **state)
{
	static const struct {
		const char *path;
		enum status st;
		uint32_t bytes;
	} rows[] = {
		{"\\EFI\\debian\\grubx64.efi", ST_OK, 3},
		{"/efi/DEBIAN/GrubX64.EFI", ST_OK, 3},
		{"efi\\debian\\GRUBX6~1.EFI", ST_OK, 3},
		{"\\EFI\\debian\\grubx64.ef", ST_ABSENT, 0},
		{"\\EFI\\debian\\grubx64.efix", ST_ABSENT, 0},
		{"\\EFI\\debia\\grubx64.efi", ST_ABSENT, 0},
		{"\\EFI\\debian\\grubx64.efi\\x", ST_ABSENT, 0},
		{"\\EFI\\.\\debian", ST_ABSENT, 0},
		{"\\EFI\\debian\\", ST_OK, 0},
		{"\\EFI\\debian\\empty", ST_OK, 0},
		{"\\EFI\\nowhere\\x", ST_CORRUPT, 0},
		{"\\", ST_ABSENT, 0},
		{"", ST_ABSENT, 0},
	};

	fatimage_folder(&im, 0, 0, "EFI        ", 10);
	fatimage_folder(&im, 10, 2, "DEBIAN     ", 11);
	fatimage_entry(&im, 10, 3, "NOWHERE    ", 0x10, 0, 0);
	fatimage_entry(&im, 11, 2, "EMPTY      ", 0x20, 0, 0);
	fatimage_long_entry(&im, 11, 3, "grubx64.efi", "GRUBX6~1EFI", 0x20, 12, 3);
	open_fat();
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum status st = fat_find(&f, rows[i].path, strlen(rows[i].path), &e);

		if (st != rows[i].st || (st == ST_OK && e.bytes != rows[i].bytes))
			fail_msg("row %u: %s", i, rows[i].path);
	}
	assert_int_equal(fat_find(&f, "\\EFI\0\\debian", 12, &e), ST_ABSENT);
}

/* ---- the tree ---- */

static void walk_is(const char *expected)
{
	char all[4096] = "";
	unsigned steps = 0;
	enum status st;

	open_fat();
	fat_walk_start(&f, &w);
	while ((st = fat_walk_next(&f, &w)) != ST_ABSENT) {
		static const char *const mark[] = {"", "", "!", "?", "io", "", "full", ""};

		assert_true(++steps < 2000);
		strcat(all, w.path_bytes ? w.path : "\\");
		assert_int_equal(w.path_bytes, strlen(w.path));
		strcat(all, mark[st]);
		strcat(all, " ");
		if (strstr(w.path, "LEAVE"))
			w.descend = false;
	}
	assert_string_equal(all, expected);
	assert_int_equal(fat_walk_next(&f, &w), ST_ABSENT);
}

static void walk(void **state)
{
	walk_is("");
	fatimage_entry(&im, 0, 0, "A          ", 0x20, 0, 0);
	fatimage_folder(&im, 0, 1, "B          ", 10);
	fatimage_folder(&im, 0, 2, "LEAVE      ", 11);
	fatimage_folder(&im, 0, 3, "D          ", 12);
	fatimage_entry(&im, 0, 4, "E          ", 0x20, 0, 0);
	fatimage_entry(&im, 10, 2, "X          ", 0x20, 0, 0);
	fatimage_folder(&im, 10, 3, "Y          ", 13);
	fatimage_entry(&im, 10, 4, "Z          ", 0x20, 0, 0);
	fatimage_entry(&im, 11, 2, "NOT        ", 0x20, 0, 0);
	fatimage_entry(&im, 13, 2, "IN         ", 0x20, 0, 0);
	walk_is("\\A \\B \\B\\X \\B\\Y \\B\\Y\\IN \\B\\Z \\LEAVE \\D \\E ");
	/* One that can't be read, one that is garbage: the rest is there all the same. */
	memdisk_fail(&im.m, im.start_lba + fat_cluster_sector(&f, 13), 1);
	fatimage_entry(&im, 12, 2, "\x01          ", 0x20, 0, 0);
	walk_is("\\A \\B \\B\\X \\B\\Y \\B\\Yio \\B\\Z \\LEAVE \\D \\D! \\E ");
}

static void walk_of_loops(void **state)
{
	fatimage_folder(&im, 0, 0, "A          ", 10);
	fatimage_folder(&im, 10, 2, "B          ", 11);
	fatimage_entry(&im, 11, 2, "UP         ", 0x10, 10, 0);
	fatimage_entry(&im, 11, 3, "SELF       ", 0x10, 11, 0);
	fatimage_entry(&im, 11, 4, "ROOT       ", 0x10, im.root_cluster, 0);
	fatimage_entry(&im, 11, 5, "OUT        ", 0x10, im.clusters + 2, 0);
	walk_is("\\A \\A\\B \\A\\B\\UP \\A\\B\\UP! \\A\\B\\SELF \\A\\B\\SELF! \\A\\B\\ROOT "
		"\\A\\B\\ROOT! \\A\\B\\OUT \\A\\B\\OUT! ");
}

/* Folders that share what they hold: 2^30 paths, if nobody counted. */
static void walk_of_shared_folders(void **state)
{
	unsigned steps = 0;
	enum status st;

	fatimage_folder(&im, 0, 0, "A          ", 10);
	for (unsigned i = 0; i < 30; i++) {
		fatimage_folder(&im, 10 + i, 2, "A          ", 11 + i);
		fatimage_entry(&im, 10 + i, 3, "B          ", 0x10, 11 + i, 0);
	}
	open_fat();
	fat_walk_start(&f, &w);
	while ((st = fat_walk_next(&f, &w)) == ST_OK)
		steps++;
	assert_int_equal(st, ST_FULL);
	assert_true(steps <= f.clusters * 17 + 514);
	assert_int_equal(fat_walk_next(&f, &w), ST_ABSENT);
}

static void walk_too_deep(void **state)
{
	unsigned full = 0, deepest = 0;
	enum status st;

	for (unsigned i = 0; i < FAT_DEPTH + 3; i++)
		fatimage_folder(&im, i ? 9 + i : 0, i ? 2 : 0, "D          ", 10 + i);
	fatimage_entry(&im, 0, 1, "LAST       ", 0x20, 0, 0);
	open_fat();
	fat_walk_start(&f, &w);
	while ((st = fat_walk_next(&f, &w)) != ST_ABSENT) {
		full += st == ST_FULL;
		if (w.depth > deepest)
			deepest = w.depth;
		assert_true(st == ST_OK || st == ST_FULL);
	}
	assert_int_equal(full, 1);
	assert_int_equal(deepest, FAT_DEPTH);
	assert_string_equal(w.path, "");
	assert_string_equal(w.entry.name, "LAST");
}

/* Three folders of 255 characters, one of so many, and a file "Y" in it; up to the fourth. */
static void put_long_path(unsigned last)
{
	char text[256];
	uint32_t at = 0;

	open_16(NULL);
	memset(text, 'x', sizeof(text));
	text[255] = '\0';
	for (unsigned i = 0; i < 4; i++) {
		uint32_t c = 20 + 4 * i;

		if (i == 3)
			text[last] = '\0';
		fatimage_long_entry(&im, at, at ? 2 : 0, text, "XXXXXX~1   ", 0x10, c, 0);
		fatimage_folder(&im, c, 0, ".          ", c);
		fatimage_chain(&im, c, c + 1);
		at = c;
	}
	fatimage_entry(&im, at, 2, "Y          ", 0x20, 0, 0);
	open_fat();
	fat_walk_start(&f, &w);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(fat_walk_next(&f, &w), ST_OK);
	assert_int_equal(w.path_bytes, 3 * 256 + 1 + last);
	assert_int_equal(strlen(w.path), w.path_bytes);
}

/* The file's path is one byte too long; the folder's just fits; the file's just fits. */
static void walk_long_paths(void **state)
{
	for (unsigned last = 253; last <= 255; last++) {
		put_long_path(last);
		assert_int_equal(fat_walk_next(&f, &w), last > 253 ? ST_FULL : ST_OK);
		assert_int_equal(w.path_bytes, last > 253 ? 769 + last : FAT_PATH_BYTES - 1);
		assert_int_equal(strlen(w.path), w.path_bytes);
		assert_int_equal(fat_walk_next(&f, &w), ST_ABSENT);
		close_image(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_names),
		cmocka_unit_test(long_names),
		cmocka_unit_test_setup_teardown(one_folder, open_16, close_image),
		cmocka_unit_test_setup_teardown(orphans, open_16, close_image),
		cmocka_unit_test_setup_teardown(longest_name, open_16, close_image),
		cmocka_unit_test_setup_teardown(not_a_name, open_16, close_image),
		cmocka_unit_test_setup_teardown(full_root, open_16, close_image),
		cmocka_unit_test_setup_teardown(folder_in_clusters, open_32, close_image),
		cmocka_unit_test_setup_teardown(folder_chain_loops, open_32, close_image),
		cmocka_unit_test_setup_teardown(find, open_16, close_image),
		cmocka_unit_test_setup_teardown(walk, open_16, close_image),
		cmocka_unit_test_setup_teardown(walk_of_loops, open_32, close_image),
		cmocka_unit_test_setup_teardown(walk_of_shared_folders, open_16, close_image),
		cmocka_unit_test_setup_teardown(walk_too_deep, open_16, close_image),
		cmocka_unit_test(walk_long_paths),
	};

	return cmocka_run_group_tests_name("fat_dir", tests, NULL, NULL);
}
