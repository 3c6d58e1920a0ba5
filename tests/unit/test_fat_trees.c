/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Clones of FAT trees that are drawn, one over the other, against a list of what should be there;
 * and the FAT itself, read here without the code under test: both copies, the counts, the chains.
 */
#include "tests/unit/help_md.h"

#include "common/fat_format.h"
#include "common/fat_write.h"

#include <stdlib.h>
#include <string.h>

#define FILES      16
#define BYTES_MAX  9000
#define WORK_BYTES (1u << 20)

static const char *const paths[FILES] = {
	"\\A.TXT",
	"\\a long name in the root",
	"\\EFI\\BOOT\\BOOTX64.EFI",
	"\\EFI\\BOOT\\grub.cfg",
	"\\EFI\\debian\\shimx64.efi",
	"\\EFI\\debian\\a file whose name takes more than two slots of the folder",
	"\\EFI\\debian\\fw\\one",
	"\\EFI\\debian\\fw\\two",
	"\\EFI\\debian\\fw\\three",
	"\\loader\\entries\\an entry with a long name 1.conf",
	"\\loader\\entries\\an entry with a long name 2.conf",
	"\\loader\\entries\\an entry with a long name 3.conf",
	"\\loader\\entries\\an entry with a long name 4.conf",
	"\\loader\\entries\\an entry with a long name 5.conf",
	"\\loader\\loader.conf",
	"\\deep\\in\\here\\x",
};

/* What a file should be; bytes -1: not there. */
struct want {
	int bytes;
	unsigned seed;
};

struct side {
	uint8_t *image;
	uint32_t sectors;
	struct disk disk;
	struct want want[FILES];
	unsigned writes, flushes;
	bool read_only;
};

static struct side from, to;
static struct fat fat_from, fat_to;
static struct fat_plan plan;
static uint8_t work[WORK_BYTES], wanted[BYTES_MAX], got[BYTES_MAX + 8192];
static uint32_t random_state;

static unsigned any(unsigned below)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 16) % below;
}

static enum status do_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	const struct side *s = d->ctx;

	assert_true(lba + n <= s->sectors);
	memcpy(buf, s->image + lba * 512, (size_t)n * 512);
	return ST_OK;
}

static enum status do_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	struct side *s = d->ctx;

	assert_false(s->read_only);
	assert_true(lba + n <= s->sectors);
	memcpy(s->image + lba * 512, buf, (size_t)n * 512);
	s->writes++;
	return ST_OK;
}

static enum status do_flush(const struct disk *d)
{
	((struct side *)d->ctx)->flushes++;
	return ST_OK;
}

static void make_side(struct side *s, unsigned type, uint32_t sectors, uint32_t cluster_bytes)
{
	static uint8_t buf[65536];
	struct fat_format how = {.sectors = sectors,
				 .serial = 7,
				 .type = (uint8_t)type,
				 .cluster_bytes = cluster_bytes};

	free(s->image);
	*s = (struct side){.sectors = sectors, .image = malloc((size_t)sectors * 512)};
	assert_non_null(s->image);
	memset(s->image, 0x5a, (size_t)sectors * 512);
	s->disk = (struct disk){do_read, do_write, do_flush, s, sectors, 9};
	assert_int_equal(fat_format(&s->disk, &how, buf, sizeof(buf)), ST_OK);
	for (unsigned i = 0; i < FILES; i++)
		s->want[i].bytes = -1;
}

static int release(void **state)
{
	free(from.image);
	free(to.image);
	from.image = to.image = NULL;
	return 0;
}

/* ---- the FAT, read here ---- */

static uint32_t num(const struct side *s, size_t at, unsigned bytes)
{
	uint32_t n = 0;

	while (bytes--)
		n = n << 8 | s->image[at + bytes];
	return n;
}

static uint32_t entry(const struct side *s, unsigned type, uint32_t n)
{
	size_t fat = (size_t)num(s, 14, 2) * 512;

	if (type == 32)
		return num(s, fat + 4 * (size_t)n, 4) & 0x0fffffff;
	if (type == 16)
		return num(s, fat + 2 * (size_t)n, 2);
	return num(s, fat + n + n / 2, 2) >> (n & 1 ? 4 : 0) & 0xfff;
}

static void check_fat(const struct side *s, unsigned type)
{
	uint32_t fat_sectors = type == 32 ? num(s, 36, 4) : num(s, 22, 2);
	uint32_t reserved = num(s, 14, 2), root = (num(s, 17, 2) * 32 + 511) / 512;
	uint32_t all = num(s, 19, 2) ? num(s, 19, 2) : num(s, 32, 4);
	uint32_t per = s->image[13];
	uint32_t clusters = (all - reserved - 2 * fat_sectors - root) / per, used = 0, lost;
	uint8_t *has = calloc(clusters + 2, 1);
	struct fat_arena arena = {.base = work, .high = sizeof(work)};
	static struct fat_walk w;
	struct fat_tree t;

	assert_int_equal(s->image[510], 0x55);
	assert_int_equal(s->image[511], 0xaa);
	assert_int_equal(all, s->sectors);
	assert_int_equal(s->image[16], 2);
	assert_memory_equal(s->image + reserved * 512, s->image + (reserved + fat_sectors) * 512,
			    (size_t)fat_sectors * 512);
	for (uint32_t c = 2; c < clusters + 2; c++) {
		uint32_t next = entry(s, type, c);

		used += next != 0;
		if (next >= 2 && next < clusters + 2) {
			assert_false(has[next]); /* of one chain only */
			has[next] = 1;
		}
	}
	/* Each chain ends, in as many clusters as are in use. */
	lost = used;
	for (uint32_t c = 2; c < clusters + 2; c++)
		for (uint32_t k = c; !has[c] && entry(s, type, c) != 0; k = entry(s, type, k)) {
			lost--;
			if (entry(s, type, k) >= clusters + 2)
				break;
		}
	assert_int_equal(lost, 0);
	free(has);
	if (type == 32) {
		size_t info = (size_t)num(s, 48, 2) * 512;

		assert_int_equal(num(s, info + 488, 4), clusters - used);
	}
	assert_true(type == 12 || entry(s, type, 1) >> (type == 32 ? 26 : 14) == 3); /* clean */
	assert_int_equal(fat_open(&fat_to, &s->disk, 0, s->sectors), ST_OK);
	assert_int_equal(fat_check(&t, &fat_to, 0, &arena, &w), ST_OK);
	assert_int_equal(t.used, used);
	assert_int_equal(t.lost + t.orphans + t.dirty + t.copies_differ + t.bad_count, 0);
}

/* ---- files ---- */

static void content(struct want w)
{
	uint32_t x = w.seed * 2654435761u + 1;

	for (int i = 0; i < w.bytes; i++) {
		x = x * 1664525u + 1013904223u;
		wanted[i] = (uint8_t)(x >> 24);
	}
}

static uint32_t time_of(struct want w)
{
	return 0x58210000u + w.seed;
}

static void check_files(struct side *s, unsigned type)
{
	static struct fat_entry e;
	static struct fat_walk w;
	unsigned there = 0, seen = 0;

	check_fat(s, type);
	for (unsigned i = 0; i < FILES; i++) {
		enum status st = fat_find(&fat_to, paths[i], strlen(paths[i]), &e);
		struct fat_file f;
		uint32_t n = 0;

		assert_int_equal(st, s->want[i].bytes < 0 ? ST_ABSENT : ST_OK);
		if (st != ST_OK)
			continue;
		there++;
		assert_int_equal(e.bytes, s->want[i].bytes);
		assert_int_equal(e.write_time, time_of(s->want[i]));
		content(s->want[i]);
		assert_int_equal(fat_file_open(&fat_to, &e, &f), ST_OK);
		assert_int_equal(fat_file_read(&fat_to, &f, got, (BYTES_MAX + 4095) & ~4095u, &n),
				 ST_OK);
		assert_int_equal(n, e.bytes);
		assert_memory_equal(got, wanted, n);
	}
	fat_walk_start(&fat_to, &w);
	while (fat_walk_next(&fat_to, &w) == ST_OK)
		seen += !fat_is_folder(&w.entry);
	assert_int_equal(seen, there);
}

static void put(struct side *s, unsigned i)
{
	content(s->want[i]);
	assert_int_equal(fat_open(&fat_to, &s->disk, 0, s->sectors), ST_OK);
	assert_int_equal(fat_plan_put(&plan, &fat_to, paths[i], wanted, (uint32_t)s->want[i].bytes,
				      time_of(s->want[i]), NULL, work, WORK_BYTES),
			 ST_OK);
	assert_int_equal(fat_write_apply(&plan), ST_OK);
}

/* Some change, come and go. */
static void draw(struct side *s)
{
	for (unsigned i = 0; i < FILES; i++) {
		unsigned what = any(6);

		if (what == 0 && s->want[i].bytes >= 0) {
			assert_int_equal(fat_open(&fat_to, &s->disk, 0, s->sectors), ST_OK);
			assert_int_equal(
				fat_plan_drop(&plan, &fat_to, paths[i], NULL, work, WORK_BYTES),
				ST_OK);
			assert_int_equal(fat_write_apply(&plan), ST_OK);
			s->want[i].bytes = -1;
		} else if (what < 3) {
			s->want[i] = (struct want){(int)any(any(2) ? BYTES_MAX : 600), any(5000)};
			put(s, i);
		}
	}
}

static enum status clone(const struct fat_plan_options *o)
{
	enum status st;

	from.read_only = true;
	assert_int_equal(fat_open(&fat_from, &from.disk, 0, from.sectors), ST_OK);
	assert_int_equal(fat_open(&fat_to, &to.disk, 0, to.sectors), ST_OK);
	to.writes = to.flushes = 0;
	st = fat_plan_clone(&plan, &fat_from, &fat_to, o, work, WORK_BYTES);
	assert_int_equal(to.writes, 0); /* planning writes nothing */
	if (st == ST_OK)
		st = fat_write_apply(&plan);
	from.read_only = false;
	return st;
}

static void rounds(unsigned type, uint32_t sectors, uint32_t cluster_bytes, unsigned n)
{
	random_state = type;
	make_side(&from, 12, 2000, 512);
	make_side(&to, type, sectors, cluster_bytes);
	check_fat(&to, type);
	for (unsigned i = 0; i < n; i++) {
		bool same;

		draw(&from);
		check_files(&from, 12);
		if (i % 3 == 1)
			draw(&to);
		same = !memcmp(from.want, to.want, sizeof(to.want));
		assert_int_equal(clone(NULL), ST_OK);
		assert_int_equal(to.writes == 0, same);
		memcpy(to.want, from.want, sizeof(to.want));
		check_files(&to, type);
		assert_int_equal(clone(NULL), ST_OK); /* nothing is left to be done */
		assert_int_equal(to.writes + to.flushes, 0);
		assert_true(fat_plan_is_empty(&plan));
	}
}

static void fat12(void **state)
{
	rounds(12, 1500, 512, 8);
	rounds(12, 2000, 2048, 4);
}

static void fat16(void **state)
{
	rounds(16, 4600, 512, 8);
}

static void fat32(void **state)
{
	rounds(32, 67000, 512, 2);
}

/* ---- options ---- */

static enum fat_policy leave_debian(void *ctx, const char *path, size_t bytes, bool folder)
{
	return bytes == 11 && !memcmp(path, "\\EFI\\debian", 11) ? FAT_POLICY_LEAVE
								 : FAT_POLICY_CLONE;
}

static void options(void **state)
{
	struct fat_plan_options o = {.keep_extra = true};

	make_side(&from, 12, 2000, 512);
	make_side(&to, 12, 1500, 512);
	random_state = 5;
	draw(&from);
	draw(&to);
	assert_int_equal(clone(&o), ST_OK);
	for (unsigned i = 0; i < FILES; i++)
		if (from.want[i].bytes >= 0)
			to.want[i] = from.want[i];
	check_files(&to, 12);
	o = (struct fat_plan_options){.policy = leave_debian};
	draw(&from);
	draw(&to);
	assert_int_equal(clone(&o), ST_OK);
	for (unsigned i = 0; i < FILES; i++)
		if (strncmp(paths[i], "\\EFI\\debian\\", 12) != 0)
			to.want[i] = from.want[i];
	check_files(&to, 12);

	/* The same size and time: the content is looked at, unless the times are trusted. */
	to.want[0] = (struct want){100, 7};
	put(&to, 0);
	from.want[0] = (struct want){100, 7};
	put(&from, 0);
	assert_int_equal(clone(NULL), ST_OK);
	memcpy(to.want, from.want, sizeof(to.want));
	check_files(&to, 12);
	for (uint32_t at = 0; at + 100 < to.sectors * 512u; at += 512) {
		content(to.want[0]);
		if (!memcmp(to.image + at, wanted, 100))
			to.image[at + 99] ^= 1;
	}
	o = (struct fat_plan_options){.trust_times = true};
	assert_int_equal(clone(&o), ST_OK);
	assert_int_equal(to.writes, 0);
	assert_int_equal(clone(NULL), ST_OK);
	assert_int_equal(plan.count[FAT_REPLACE].files, 1);
	check_files(&to, 12);
}

/* Too little room: said before anything is written; with just enough it is done. */
static void room(void **state)
{
	bool full = false, fine = false;

	make_side(&from, 12, 2000, 512);
	random_state = 9;
	draw(&from);
	draw(&from);
	for (uint32_t sectors = 60; sectors < 260; sectors += 3) {
		enum status st;

		make_side(&to, 12, sectors, 512);
		st = clone(NULL);
		if (st == ST_OK) {
			memcpy(to.want, from.want, sizeof(to.want));
			fine = true;
		} else {
			assert_int_equal(st, ST_FULL);
			assert_int_equal(plan.why, FAT_NO_ROOM);
			assert_int_equal(to.writes, 0);
			assert_true(plan.missing_bytes > 0);
			assert_false(fine);
			full = true;
		}
		check_files(&to, 12);
	}
	assert_true(full && fine);
}

static void memory(void **state)
{
	unsigned refused = 0;

	make_side(&from, 12, 2000, 512);
	make_side(&to, 12, 1500, 512);
	random_state = 11;
	draw(&from);
	assert_int_equal(fat_open(&fat_from, &from.disk, 0, from.sectors), ST_OK);
	to.writes = 0;
	for (size_t bytes = 0; bytes < 60000; bytes += 96) {
		uint8_t *own = malloc(bytes + !bytes); /* just as much */
		enum status st;

		assert_int_equal(fat_open(&fat_to, &to.disk, 0, to.sectors), ST_OK);
		st = fat_plan_clone(&plan, &fat_from, &fat_to, NULL, own, bytes);
		if (st == ST_OK) {
			assert_int_equal(fat_write_apply(&plan), ST_OK);
			memcpy(to.want, from.want, sizeof(to.want));
			free(own);
			break;
		}
		assert_int_equal(st, ST_FULL);
		assert_int_equal(plan.why, FAT_NO_MEMORY);
		assert_int_equal(to.writes, 0);
		refused++;
		free(own);
	}
	assert_true(refused > 3);
	check_files(&to, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, release)
		TEST(fat12), TEST(fat16), TEST(fat32), TEST(options), TEST(room), TEST(memory),
	};

	return cmocka_run_group_tests_name("fat: trees", tests, NULL, NULL);
}
