/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Removing one file or folder; making one folder. */
#include "tests/unit/help_md.h"

#include "common/fat_format.h"
#include "common/fat_write.h"
#include "common/range.h"

#include <string.h>

#define SECTORS    2000u
#define WORK_BYTES (1u << 20)
#define TIME       0x5a420000u

static uint8_t bytes[SECTORS * 512], work[WORK_BYTES], content[5000];
static unsigned writes;
static struct disk disk;
static struct fat fat;
static struct fat_plan plan;
static struct fat_walk walk;
static char tree[1000];

static enum status disk_read_here(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	memcpy(buf, bytes + lba * 512, (size_t)n * 512);
	return ST_OK;
}

static enum status disk_write_here(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	writes++;
	memcpy(bytes + lba * 512, buf, (size_t)n * 512);
	return ST_OK;
}

static enum status disk_flush_here(const struct disk *d)
{
	return ST_OK;
}

static void open_fat(void)
{
	assert_int_equal(fat_open(&fat, &disk, 0, SECTORS), ST_OK);
}

static void put(const char *path, uint32_t n)
{
	open_fat();
	assert_int_equal(fat_plan_put(&plan, &fat, path, content, n, TIME, NULL, work, WORK_BYTES),
			 ST_OK);
	assert_int_equal(fat_write_apply(&plan), ST_OK);
}

static enum status drop(const char *path)
{
	enum status st;

	open_fat();
	writes = 0;
	st = fat_plan_drop(&plan, &fat, path, NULL, work, WORK_BYTES);
	return st == ST_OK ? fat_write_apply(&plan) : st;
}

static enum status folder(const char *path)
{
	enum status st;

	open_fat();
	writes = 0;
	st = fat_plan_folder(&plan, &fat, path, TIME, NULL, work, WORK_BYTES);
	return st == ST_OK ? fat_write_apply(&plan) : st;
}

/* Every path, one after the other; and is it whole, with nothing lost? */
static const char *paths(void)
{
	enum status st;

	tree[0] = 0;
	open_fat();
	assert_int_equal(fat_plan_folder(&plan, &fat, "\\EFI", TIME, NULL, work, WORK_BYTES),
			 ST_OK);
	assert_false(plan.tidy);
	open_fat();
	fat_walk_start(&fat, &walk);
	while ((st = fat_walk_next(&fat, &walk)) != ST_ABSENT) {
		assert_int_equal(st, ST_OK);
		strcat(tree, walk.path);
	}
	return tree;
}

static int fresh(void **state)
{
	struct fat_format how = {.sectors = SECTORS, .cluster_bytes = 512};
	static uint8_t buf[8192];

	memset(bytes, 0xff, sizeof(bytes));
	disk = (struct disk){.read = disk_read_here,
			     .write = disk_write_here,
			     .flush = disk_flush_here,
			     .sectors = SECTORS,
			     .shift = 9};
	assert_int_equal(fat_format(&disk, &how, buf, sizeof(buf)), ST_OK);
	put("\\EFI\\BOOT\\BOOTX64.EFI", 5000);
	put("\\EFI\\BOOT\\BOOTX64.REPLACED.EFI", 4000);
	put("\\EFI\\only\\one", 700);
	put("\\top file", 600);
	return 0;
}

#define ALL                                                                                        \
	"\\EFI\\EFI\\BOOT\\EFI\\BOOT\\BOOTX64.EFI\\EFI\\BOOT\\BOOTX64.REPLACED.EFI"                \
	"\\EFI\\only\\EFI\\only\\one\\top file"

static void one_file(void **state)
{
	assert_string_equal(paths(), ALL);
	assert_int_equal(drop("\\efi\\boot\\bootx64.replaced.efi"), ST_OK);
	assert_int_equal(plan.count[FAT_REMOVE].files, 1);
	assert_int_equal(plan.count[FAT_REMOVE].folders, 0);
	assert_string_equal(paths(), "\\EFI\\EFI\\BOOT\\EFI\\BOOT\\BOOTX64.EFI"
				     "\\EFI\\only\\EFI\\only\\one\\top file");
	assert_int_equal(drop("\\TOP FILE"), ST_OK);
	assert_string_equal(paths(), "\\EFI\\EFI\\BOOT\\EFI\\BOOT\\BOOTX64.EFI"
				     "\\EFI\\only\\EFI\\only\\one");
}

/* The last of its folder: that stays. */
static void the_only_one(void **state)
{
	assert_int_equal(drop("\\EFI\\only\\one"), ST_OK);
	assert_string_equal(paths(), "\\EFI\\EFI\\BOOT\\EFI\\BOOT\\BOOTX64.EFI"
				     "\\EFI\\BOOT\\BOOTX64.REPLACED.EFI\\EFI\\only\\top file");
}

static void a_folder_and_what_it_holds(void **state)
{
	assert_int_equal(drop("\\EFI\\BOOT"), ST_OK);
	assert_int_equal(plan.count[FAT_REMOVE].files, 2);
	assert_int_equal(plan.count[FAT_REMOVE].folders, 1);
	assert_string_equal(paths(), "\\EFI\\EFI\\only\\EFI\\only\\one\\top file");
}

/* Not there, the root, the beginning of a name, found by its short name only. */
static void nothing(void **state)
{
	assert_int_equal(drop("\\EFI\\none"), ST_ABSENT);
	assert_int_equal(drop("\\none\\one"), ST_ABSENT);
	assert_int_equal(drop("\\EFI\\BOO"), ST_ABSENT);
	assert_int_equal(drop("\\"), ST_RANGE);
	assert_int_equal(drop(""), ST_RANGE);
	assert_int_equal(drop("\\TOPFIL~1"), ST_ABSENT);
	assert_int_equal(writes, 0);
	assert_string_equal(paths(), ALL);
}

static void one_more_folder(void **state)
{
	static struct fat_entry e;

	assert_int_equal(folder("\\EFI\\mirrorboot"), ST_OK);
	assert_true(writes > 0);
	assert_int_equal(fat_find(&fat, "\\EFI\\mirrorboot", 15, &e), ST_OK);
	assert_true(fat_is_folder(&e));
	assert_int_equal(folder("\\EFI\\mirrorboot"), ST_OK);
	assert_int_equal(writes, 0);
	assert_int_equal(folder("\\a\\b\\c"), ST_OK);
	assert_string_equal(
		paths(),
		"\\EFI\\EFI\\BOOT\\EFI\\BOOT\\BOOTX64.EFI"
		"\\EFI\\BOOT\\BOOTX64.REPLACED.EFI"
		"\\EFI\\only\\EFI\\only\\one\\EFI\\mirrorboot\\top file\\a\\a\\b\\a\\b\\c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_file, fresh),
		cmocka_unit_test_setup(the_only_one, fresh),
		cmocka_unit_test_setup(a_folder_and_what_it_holds, fresh),
		cmocka_unit_test_setup(nothing, fresh),
		cmocka_unit_test_setup(one_more_folder, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
