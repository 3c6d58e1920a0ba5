/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Writing FAT: what fsck.fat, mtools (tests/oracle/test_fatclone.py) and cuts of power
 * (tests/sim/sim_fatclone.c) do not ask for.
 */
#include "tests/unit/help_md.h"

#include "common/fat_format.h"
#include "common/fat_write.h"
#include "common/range.h"

#include <stdlib.h>
#include <string.h>

#define SECTORS    2000u
#define WORK_BYTES (1u << 20)
#define TIME       0x5a420000u

struct image {
	struct disk disk;
	uint8_t bytes[SECTORS * 512];
	unsigned writes, flushes, fail_at; /* 0: none fails */
	bool drop;
};

static struct image a, b;
static struct fat source, target;
static struct fat_plan plan;
static uint8_t work[WORK_BYTES], content[100000];

static enum status image_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	const struct image *im = d->ctx;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	memcpy(buf, im->bytes + lba * 512, (size_t)n * 512);
	return ST_OK;
}

static enum status image_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	struct image *im = d->ctx;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	if (++im->writes == im->fail_at)
		return ST_IO;
	if (!im->drop)
		memcpy(im->bytes + lba * 512, buf, (size_t)n * 512);
	return ST_OK;
}

static enum status image_flush(const struct disk *d)
{
	((struct image *)d->ctx)->flushes++;
	return ST_OK;
}

static void fresh(struct image *im)
{
	struct fat_format how = {.sectors = SECTORS, .cluster_bytes = 512};
	static uint8_t buf[8192];

	memset(im, 0, sizeof(*im));
	memset(im->bytes, 0xff, sizeof(im->bytes));
	im->disk = (struct disk){.read = image_read,
				 .write = image_write,
				 .flush = image_flush,
				 .ctx = im,
				 .sectors = SECTORS,
				 .shift = 9};
	im->fail_at = 0;
	im->drop = false;
	assert_int_equal(fat_format(&im->disk, &how, buf, sizeof(buf)), ST_OK);
	im->writes = im->flushes = 0;
}

static int two_fresh(void **state)
{
	fresh(&a);
	fresh(&b);
	for (unsigned i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i * 7 + i / 256);
	return 0;
}

static enum status put(struct image *im, const char *path, uint32_t bytes)
{
	enum status st;

	assert_int_equal(fat_open(&target, &im->disk, 0, SECTORS), ST_OK);
	st = fat_plan_put(&plan, &target, path, content, bytes, TIME, NULL, work, WORK_BYTES);
	return st == ST_OK ? fat_write_apply(&plan) : st;
}

static enum status make_plan(const struct fat_plan_options *o)
{
	assert_int_equal(fat_open(&source, &a.disk, 0, SECTORS), ST_OK);
	assert_int_equal(fat_open(&target, &b.disk, 0, SECTORS), ST_OK);
	return fat_plan_clone(&plan, &source, &target, o, work, WORK_BYTES);
}

static enum status clone(const struct fat_plan_options *o)
{
	enum status st = make_plan(o);

	return st == ST_OK ? fat_write_apply(&plan) : st;
}

static void make_source(void)
{
	assert_int_equal(put(&a, "\\EFI\\BOOT\\BOOTX64.EFI", 9000), ST_OK);
	assert_int_equal(put(&a, "\\EFI\\a folder\\a file with a long name", 700), ST_OK);
	assert_int_equal(put(&a, "\\empty", 0), ST_OK);
}

/* Each write that fails: an error, and the same clone goes on where it was. */
static void writes_fail(void **state)
{
	struct fat_plan_options o = {.target_dirty_ok = true};
	unsigned all;

	make_source();
	assert_int_equal(clone(NULL), ST_OK);
	all = b.writes;
	assert_true(all > 10);
	for (unsigned i = 1; i <= all; i++) {
		fresh(&b);
		b.fail_at = i;
		assert_int_equal(clone(NULL), ST_IO);
		assert_int_equal(plan.why, FAT_UNWRITABLE);
		assert_int_equal(clone(&o), ST_OK);
		assert_int_equal(make_plan(NULL), ST_OK);
		assert_true(fat_plan_is_empty(&plan));
	}
}

/* A disk that says yes and does nothing. */
static void writes_are_lost(void **state)
{
	make_source();
	b.drop = true;
	assert_int_equal(clone(NULL), ST_CORRUPT);
	assert_int_equal(plan.why, FAT_READ_BACK);
}

static void unchanged_costs_nothing(void **state)
{
	make_source();
	assert_int_equal(clone(NULL), ST_OK);
	assert_int_equal(plan.count[FAT_CREATE].files, 3);
	assert_int_equal(plan.count[FAT_CREATE].folders, 3);
	assert_int_equal(plan.write_bytes, 9700);
	b.writes = b.flushes = 0;
	assert_int_equal(clone(NULL), ST_OK);
	assert_int_equal(plan.count[FAT_KEEP].files, 3);
	assert_int_equal(b.writes + b.flushes, 0);
}

/* The short name that the source has is another's on the target: it gets the next. */
static enum fat_policy leave_other(void *ctx, const char *path, size_t bytes, bool folder)
{
	return strcmp(path, "\\longname other") ? FAT_POLICY_CLONE : FAT_POLICY_LEAVE;
}

static void short_name_of_another(void **state)
{
	struct fat_plan_options o = {.policy = leave_other};
	static struct fat_entry e;

	assert_int_equal(put(&a, "\\longname of source", 100), ST_OK);
	assert_int_equal(put(&b, "\\longname other", 200), ST_OK);
	assert_int_equal(clone(&o), ST_OK);
	assert_int_equal(plan.count[FAT_LEAVE].files, 1);
	assert_int_equal(fat_find(&target, "\\longname of source", 19, &e), ST_OK);
	assert_string_equal(e.alias, "LONGNA~2");
	assert_int_equal(fat_find(&target, "\\longname other", 15, &e), ST_OK);
	assert_string_equal(e.alias, "LONGNA~1");
	assert_int_equal(make_plan(&o), ST_OK);
	assert_true(fat_plan_is_empty(&plan));
}

/* The source has a file by that very name. */
static void name_is_anothers_short_name(void **state)
{
	struct fat_plan_options o = {.policy = leave_other};

	assert_int_equal(put(&a, "\\LONGNA~1", 100), ST_OK);
	assert_int_equal(put(&b, "\\longname other", 200), ST_OK);
	b.writes = 0;
	assert_int_equal(clone(&o), ST_CORRUPT);
	assert_int_equal(plan.why, FAT_NAME_TAKEN);
	assert_string_equal(plan.path, "\\LONGNA~1");
	assert_int_equal(b.writes, 0);
}

static enum fat_policy leave_kept(void *ctx, const char *path, size_t bytes, bool folder)
{
	return strcmp(path, "\\thing\\kept") ? FAT_POLICY_CLONE : FAT_POLICY_LEAVE;
}

static void kept_inside(void **state)
{
	struct fat_plan_options o = {.policy = leave_kept};

	assert_int_equal(put(&a, "\\thing", 10), ST_OK);
	assert_int_equal(put(&b, "\\thing\\kept", 10), ST_OK);
	assert_int_equal(put(&b, "\\thing\\other", 10), ST_OK);
	assert_int_equal(clone(&o), ST_CORRUPT);
	assert_int_equal(plan.why, FAT_KEPT_INSIDE);
	assert_int_equal(clone(NULL), ST_OK);
	assert_int_equal(make_plan(NULL), ST_OK);
	assert_true(fat_plan_is_empty(&plan));
}

static bool stop_at(void *ctx, enum fat_phase phase, uint64_t done, uint64_t of)
{
	return phase == FAT_COMPARING || (*(unsigned *)ctx)-- > 0;
}

static void stopped(void **state)
{
	unsigned left = 1;
	struct fat_plan_options o = {.progress = stop_at, .ctx = &left};

	make_source();
	assert_int_equal(clone(&o), ST_READONLY);
	assert_int_equal(plan.why, FAT_STOPPED);
	o = (struct fat_plan_options){.target_dirty_ok = true};
	assert_int_equal(clone(NULL), ST_CORRUPT); /* it is dirty */
	assert_int_equal(plan.why, FAT_DIRTY);
	assert_int_equal(clone(&o), ST_OK);
}

/* ---- FAT12: an entry in two sectors of the FAT ---- */

#define SPLIT                                                                                      \
	341u /* 341 * 1.5 is 511: the last byte of the first sector, the first of the next         \
	      */

static uint8_t *fat12_at(struct image *im, uint32_t cluster)
{
	return im->bytes + 512 + cluster + cluster / 2;
}

static void set12(struct image *im, uint32_t cluster, uint32_t value)
{
	uint32_t per_fat = im->bytes[22];

	for (unsigned i = 0; i < 2; i++) {
		uint8_t *p = fat12_at(im, cluster) + (size_t)i * per_fat * 512;

		p[0] = (uint8_t)(cluster & 1 ? (p[0] & 15) | value << 4 : value);
		p[1] = (uint8_t)(cluster & 1 ? value >> 4 : (p[1] & 0xf0) | value >> 8);
	}
}

static uint32_t get12(struct image *im, uint32_t cluster)
{
	const uint8_t *p = fat12_at(im, cluster);
	uint32_t both = p[0] | (uint32_t)p[1] << 8;

	return cluster & 1 ? both >> 4 : both & 0xfff;
}

/* A folder in cluster 341, full but for one slot. */
static void put_split_folder(struct image *im)
{
	uint32_t data = 1 + 2u * im->bytes[22] + 32;
	uint8_t *root = im->bytes + (size_t)(1 + 2u * im->bytes[22]) * 512;
	uint8_t *at = im->bytes + (size_t)(data + SPLIT - 2) * 512;

	assert_int_equal(fat_open(&target, &im->disk, 0, SECTORS), ST_OK);
	assert_int_equal(target.type, FAT_12);
	assert_int_equal(target.data_sector, data);
	memset(at, 0, 512);
	memcpy(root, "D          \x10", 12);
	put16(root + 26, SPLIT);
	memcpy(at, ".          \x10", 12);
	put16(at + 26, SPLIT);
	memcpy(at + 32, "..         \x10", 12);
	for (unsigned i = 2; i < 15; i++) {
		memcpy(at + i * 32, "X          \x20", 12);
		at[i * 32 + 1] = (uint8_t)('A' + i);
	}
	set12(im, SPLIT, 0xfff);
}

static void grows_by_one_sector(void **state)
{
	static struct fat_entry e;

	put_split_folder(&b);
	assert_int_equal(put(&b, "\\D\\a long name of some slots", 5), ST_OK);
	assert_true(get12(&b, SPLIT) < 0xff0);
	assert_int_equal(get12(&b, SPLIT) & 15, 15); /* the first sector's half is as it was */
	assert_int_equal(fat_find(&target, "\\D\\a long name of some slots", 28, &e), ST_OK);
	assert_int_equal(make_plan(&(struct fat_plan_options){.keep_extra = true}), ST_OK);
	assert_true(fat_plan_is_empty(&plan));
}

/* No cluster has such a number: refused in the plan. */
static void can_not_grow_by_one_sector(void **state)
{
	put_split_folder(&b);
	for (uint32_t c = 2; c < target.clusters + 2; c++)
		if ((c & 15) == 15 && c != SPLIT)
			set12(&b, c, 0xff7);
	b.writes = 0;
	assert_int_equal(put(&b, "\\D\\a long name of some slots", 5), ST_FULL);
	assert_int_equal(plan.why, FAT_NO_ROOM);
	assert_int_equal(b.writes, 0);
	assert_int_equal(put(&b, "\\D\\FITS", 5), ST_OK);
}

/* A root without clusters has so many slots, and no more. */
static void root_is_full(void **state)
{
	uint8_t *root = b.bytes + (size_t)(1 + 2u * b.bytes[22]) * 512;

	for (unsigned i = 0; i < 511; i++) {
		memcpy(root + i * 32, "X          \x20", 12);
		root[i * 32 + 1] = (uint8_t)('A' + i / 26);
		root[i * 32 + 2] = (uint8_t)('A' + i % 26);
	}
	b.writes = 0;
	assert_int_equal(put(&b, "\\a name of some slots", 5), ST_FULL);
	assert_int_equal(plan.why, FAT_NO_SLOTS);
	assert_int_equal(b.writes, 0);
	assert_int_equal(put(&b, "\\SHORT", 5), ST_OK);
	assert_int_equal(put(&b, "\\OTHER", 5), ST_FULL);
}

static void paths_that_can_not_be(void **state)
{
	static const char *const paths[] = {"",      "\\",   "x",    "\\a\\",  "\\a\\\\b",  "\\a:b",
					    "\\a/b", "\\a.", "\\a ", "\\\x7f", "\\\xc3\xa4"};

	for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(put(&b, paths[i], 1), ST_RANGE);
}

static void each_why_has_a_text(void **state)
{
	for (unsigned i = 0; i < FAT_WHYS; i++)
		assert_non_null(fat_why_text((enum fat_why)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(writes_fail, two_fresh),
		cmocka_unit_test_setup(writes_are_lost, two_fresh),
		cmocka_unit_test_setup(unchanged_costs_nothing, two_fresh),
		cmocka_unit_test_setup(short_name_of_another, two_fresh),
		cmocka_unit_test_setup(name_is_anothers_short_name, two_fresh),
		cmocka_unit_test_setup(kept_inside, two_fresh),
		cmocka_unit_test_setup(stopped, two_fresh),
		cmocka_unit_test_setup(grows_by_one_sector, two_fresh),
		cmocka_unit_test_setup(can_not_grow_by_one_sector, two_fresh),
		cmocka_unit_test_setup(root_is_full, two_fresh),
		cmocka_unit_test_setup(paths_that_can_not_be, two_fresh),
		cmocka_unit_test(each_why_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
