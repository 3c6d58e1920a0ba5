/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A power cut at any moment while a FAT file system is made over another one: what is there is
 * the old one with its file, none, or the new one, whole and empty. Then the same with each flush
 * left out: something must be found wrong.
 */
#include "tests/sim/crashcount.h"
#include "tests/sim/crashdisk.h"
#include "tests/sim/crashfat.h"
#include "common/fat_format.h"
#include "common/fat_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECTORS    4400u
#define WORK_BYTES (1u << 18)
#define FILE_PATH  "\\a file of before"
#define FILE_BYTES 1000000 /* most of the FAT */

struct scene {
	unsigned states, old, none, new;
	bool ended;
	uint8_t type; /* what is made */
};

static uint8_t work[WORK_BYTES], content[FILE_BYTES];
static struct fat fat;
static struct fat_plan plan;

static bool old_file_is_there(void)
{
	static uint8_t got[1u << 20];
	static struct fat_entry e;
	struct fat_file file;
	uint32_t n = 0;

	return fat_find(&fat, FILE_PATH, strlen(FILE_PATH), &e) == ST_OK &&
	       fat_file_open(&fat, &e, &file) == ST_OK &&
	       fat_file_read(&fat, &file, got, sizeof(got), &n) == ST_OK && n == FILE_BYTES &&
	       !memcmp(got, content, n);
}

static const char *judge(struct scene *s, const uint8_t *image)
{
	struct fat_arena arena = {.base = work, .high = sizeof(work)};
	struct disk d = crashfat_disk((uint8_t *)image, SECTORS);
	enum status st = fat_open(&fat, &d, 0, SECTORS);
	static struct fat_walk w;
	struct fat_tree t;

	if (st == ST_ABSENT) {
		s->none++;
		return s->ended ? "it has ended, and none is there" : NULL;
	}
	if (st != ST_OK)
		return "neither a file system nor none";
	if (fat_check(&t, &fat, 0, &arena, &w) != ST_OK || t.lost)
		return "one that is damaged";
	if (t.count > 1) {
		s->old++;
		if (s->ended)
			return "it has ended, and the old one is there";
		return old_file_is_there() ? NULL : "the old one, without its file";
	}
	s->new ++;
	return t.bad_count ? "the new one, with a wrong count" : NULL;
}

/* What a cut has left is no reason not to begin anew. */
static void format_again(const struct scene *s, const uint8_t *cut, const char *what)
{
	static uint8_t image[SECTORS * 512], buf[16384];
	struct fat_format how = {.sectors = SECTORS, .serial = 7, .type = s->type};
	struct disk d = crashfat_disk(memcpy(image, cut, sizeof(image)), SECTORS);
	struct scene end = {.ended = true};
	const char *wrong;

	crashcount_rerun();
	assert_int_equal(fat_format(&d, &how, buf, sizeof(buf)), ST_OK);
	wrong = judge(&end, image);
	if (wrong)
		fail_msg("%s, run again: %s", what, wrong);
}

static void check_cut(uint8_t *image, const char *what, void *ctx)
{
	struct scene *s = ctx;
	const char *wrong = judge(s, image);

	s->states++;
	if (wrong)
		fail_msg("%s: %s", what, wrong);
	if (s->states % 10 == 0)
		format_again(s, image, what);
}

static bool is_wrong(uint8_t *image, const char *what, void *ctx)
{
	return judge(ctx, image);
}

static void play(unsigned from, unsigned to)
{
	static uint8_t image[SECTORS * 512], buf[16384];
	static struct crashdisk c;
	struct fat_format how = {.sectors = SECTORS, .serial = 7, .type = (uint8_t)to};
	struct disk d = crashfat_disk(image, SECTORS);
	unsigned flushes = 0, missed = 0;
	struct scene s = {.type = (uint8_t)to};

	memset(image, 0, sizeof(image));
	crashfat_format(&d, from, 0);
	crashfat_content(content, FILE_BYTES, 5);
	assert_int_equal(fat_open(&fat, &d, 0, SECTORS), ST_OK);
	assert_int_equal(fat_plan_put(&plan, &fat, FILE_PATH, content, FILE_BYTES, 0x58210000, NULL,
				      work, WORK_BYTES),
			 ST_OK);
	assert_int_equal(fat_write_apply(&plan), ST_OK);
	crashdisk_init(&c, image, SECTORS);
	d = crashdisk_disk(&c);
	assert_int_equal(fat_format(&d, &how, buf, sizeof(buf)), ST_OK);
	assert_int_equal(c.op[c.op_count - 1].n, 0);
	crashcount_scene("a FAT file system made (esp clone --create, --format)", 2);
	crashdisk_each_cut(&c, check_cut, &s);
	assert_true(s.old && s.none && s.new);
	printf("  FAT%u over FAT%u: %u operations, %u states (old %u, none %u, new %u)\n", to, from,
	       c.op_count, s.states, s.old, s.none, s.new);
	for (unsigned i = 0; i < c.op_count; i++) {
		if (c.op[i].n)
			continue;
		flushes++;
		s.ended = i == c.op_count - 1;
		if (crashdisk_without_flush(&c, i, is_wrong, &s))
			continue;
		printf("  without the flush that is operation %u, all is well\n", i);
		missed++;
	}
	printf("  each of %u flushes left out, %u missed\n", flushes, missed);
	assert_int_equal(missed, 0);
	crashdisk_free(&c);
}

static void over_fat12(void **state)
{
	play(12, 16);
}

static void over_fat16(void **state)
{
	play(16, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* The one with few states first: the other makes up for it. */
		cmocka_unit_test(over_fat16),
		cmocka_unit_test(over_fat12),
	};

	return crashcount_end(cmocka_run_group_tests(tests, NULL, NULL));
}
