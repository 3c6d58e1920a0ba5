/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The files of an ESP, when there are some: sorted, found, hashed, and in just as much memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/espfiles.h"
#include "common/sha256.h"
#include "tests/unit/help_fat.h"

#define FILES_MAX 40

enum { EFI = 3, OURS, MANIFEST, FIRST = MANIFEST + 4 };

static const struct guid set = {{7}}, partition = {{9}};
static struct fatimage image;
static struct fat fat;
static struct fat_walk walk;
static struct espfiles files;
static uint8_t *work;
static unsigned made;

static int setup(void **state)
{
	fatimage_open(&image, 16, 512, 4);
	fatimage_folder(&image, 0, 0, "EFI        ", EFI);
	fatimage_folder(&image, EFI, 2, "MIRRORB~1  ", OURS);
	fatimage_long_entry(&image, EFI, 2, "mirrorboot", "MIRRORB~1  ", FAT_FOLDER, OURS, 0);
	made = 0;
	return 0;
}

static int teardown(void **state)
{
	free(work);
	work = NULL;
	fatimage_close(&image);
	return 0;
}

/* In \EFI, with content and size of its own. */
static void put(const char *name11)
{
	uint32_t cluster = FIRST + made;

	fatimage_entry(&image, EFI, 4 + made, name11, FAT_ARCHIVE, cluster, 1 + made);
	fatimage_chain(&image, cluster, cluster);
	memset(fatimage_cluster(&image, cluster), 'a' + (int)made, 1 + made);
	made++;
}

/* Names whose order is neither that of the folder nor its reverse, some each other's beginning. */
static void put_some(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char name[12] = "           ";
		unsigned k = i * 17 % 41;

		name[0] = (char)('A' + k % 7);
		if (k % 3)
			name[1] = (char)('0' + k / 7);
		if (k % 5 == 0)
			name[2] = 'Z';
		memcpy(name + 8, k % 2 ? "EFI" : "TXT", 3);
		name[4] = (char)('A' + i % 26);
		name[3] = (char)('A' + i / 26);
		for (unsigned c = 1; c < 3; c++)
			if (name[c] == ' ')
				name[c] = '_';
		put(name);
	}
}

static enum status look_with(uint64_t bytes)
{
	free(work);
	work = malloc(bytes);
	return espfiles_look(&files, &fat, work, bytes, &walk, NULL, NULL);
}

static uint64_t look(void)
{
	uint64_t to_read, need;

	assert_int_equal(fat_open(&fat, &image.m.disk, image.start_lba, image.sectors), ST_OK);
	need = espfiles_memory(&fat, &walk, &to_read);
	assert_int_equal(look_with(need), ST_OK);
	assert_int_equal(files.bytes, to_read);
	return need;
}

static int by_path(const void *a, const void *b)
{
	const struct espfiles_file *const *x = a, *const *y = b;

	return strcasecmp((*x)->f.path, (*y)->f.path);
}

static void sorted_and_found(void **state)
{
	for (unsigned n = 0; n <= FILES_MAX; n++) {
		struct espfiles_file *own[FILES_MAX + 1];

		teardown(NULL);
		setup(NULL);
		put_some(n);
		look();
		assert_int_equal(files.count, n);
		for (unsigned i = 0; i < n; i++)
			own[i] = &files.file[i];
		qsort(own, n, sizeof(own[0]), by_path);
		if (n)
			assert_memory_equal(own, files.sorted, n * sizeof(own[0]));
		for (unsigned i = 0; i < n; i++) {
			const struct manifest_file *f = &files.file[i].f;
			char path[64];
			unsigned k = 0;

			for (; f->path[k]; k++)
				path[k] = (char)(f->path[k] | (f->path[k] >= 'A' ? 0x20 : 0));
			assert_int_equal(k, f->path_bytes);
			assert_ptr_equal(espfiles_find(&files, f->path, k), &files.file[i]);
			path[0] = '\\';
			path[4] = '\\';
			assert_null(espfiles_find(&files, path, k - 1));
			path[k] = 'x';
			assert_null(espfiles_find(&files, path, k + 1));
		}
		assert_null(espfiles_find(&files, "\\", 1));
		assert_null(espfiles_find(&files, "\\zzz", 4));
	}
}

/* A path that is another's beginning comes first; of letters the case does not count. */
static void order_of_paths(void **state)
{
	static const char *const names[] = {"B          ", "A@      TXT", "A[      TXT",
					    "AZ      TXT", "AA      TXT", "A       TXT",
					    "A          ", "A_      TXT"};

	for (unsigned i = 0; i < 8; i++)
		put(names[i]);
	look();
	for (unsigned i = 0; i < 8; i++)
		assert_true(i == 0 ||
			    strcasecmp(files.sorted[i - 1]->f.path, files.sorted[i]->f.path) < 0);
	assert_string_equal(files.sorted[0]->f.path, "\\EFI\\A");
	assert_ptr_equal(espfiles_find(&files, "\\EFI\\aZ.txt", 11), &files.file[3]);
	assert_ptr_equal(espfiles_find(&files, "\\EFI\\A[.txt", 11), &files.file[2]);
	assert_null(espfiles_find(&files, "\\EFI\\A{.TXT", 11));
	assert_null(espfiles_find(&files, "\\EFI\\A`.TXT", 11));
}

static void content(void **state)
{
	uint64_t room = 4096;

	put_some(9);
	memset(&files, 0xee, sizeof(files));
	look();
	for (unsigned i = 0; i < 9; i++) {
		uint8_t bytes[16], sum[32];
		struct sha256 s;

		memset(bytes, 'a' + (int)i, sizeof(bytes));
		sha256_init(&s);
		sha256_add(&s, bytes, 1 + i);
		sha256_end(&s, sum);
		assert_memory_equal(sum, files.file[i].f.sha256, 32);
		assert_int_equal(files.file[i].status, ST_OK);
		assert_int_equal(files.file[i].f.bytes, 1 + i);
		assert_int_equal(files.file[i].f.fat_time, 0x5bb16000);
		assert_int_equal(files.file[i].verdict, 0);
		room += files.file[i].f.path_bytes;
	}
	assert_true(espfiles_manifest_bytes(&files) >= room + 9 * 64);
	assert_int_equal(files.status, ST_ABSENT);
	assert_false(files.is_complete);
}

/* A chain that ends too early, and one that can't be read. */
static void unreadable(void **state)
{
	put_some(3);
	fatimage_entry(&image, EFI, 5, "B_      TXT", FAT_ARCHIVE, 0, 77);
	look();
	assert_int_equal(files.count, 3);
	assert_ptr_equal(espfiles_damaged(&files), &files.file[1]);
	assert_int_not_equal(files.file[1].status, ST_OK);
	assert_int_equal(files.file[2].status, ST_OK);

	fatimage_entry(&image, EFI, 5, "B_      TXT", FAT_ARCHIVE, FIRST + 1, 2);
	look();
	assert_null(espfiles_damaged(&files));
	memdisk_fail(&image.m,
		     image.start_lba + (uint64_t)(fatimage_cluster(&image, FIRST + 2) -
						  fatimage_at(&image, 0)) /
					       512,
		     1);
	look();
	assert_ptr_equal(espfiles_damaged(&files), &files.file[2]);
	assert_int_equal(files.file[2].status, ST_IO);
	assert_int_equal(files.file[1].status, ST_OK);
}

static void put_manifest(unsigned leave_out)
{
	char *text = (char *)fatimage_cluster(&image, MANIFEST);
	struct manifest_writer w;

	manifest_begin(&w, text, 4 * 2048, &set, 4, MANIFEST_COMPLETE, &partition);
	for (unsigned i = 0; i < files.count; i++)
		if (i != leave_out)
			manifest_add(&w, &files.file[i].f);
	assert_int_equal(manifest_end(&w), ST_OK);
	fatimage_entry(&image, OURS, 2, "MANIFEST   ", FAT_ARCHIVE, MANIFEST, (uint32_t)w.bytes);
	fatimage_chain(&image, MANIFEST, MANIFEST + (uint32_t)(w.bytes - 1) / 2048);
}

/* What is said to be needed is enough, with a manifest there too, and but for a sector no more. */
static void memory(void **state)
{
	for (unsigned n = 0; n <= FILES_MAX; n += 5) {
		uint64_t need;

		teardown(NULL);
		setup(NULL);
		put_some(n);
		look();
		put_manifest(99);
		need = look();
		assert_int_equal(files.status, ST_OK);
		assert_true(files.same);
		assert_int_equal(look_with(need - DISK_SECTOR_BYTES), ST_OK);
		for (uint64_t less = 8; less < need; less += less < 20000 ? 8 : 131072)
			assert_int_equal(look_with(need - less),
					 less <= DISK_SECTOR_BYTES ? ST_OK : ST_FULL);
		assert_int_equal(look_with(0), ST_FULL);
	}
}

/* Bytes that are none: no machine has as many, and what they are rounded to would be. */
static void memory_that_can_not_be(void **state)
{
	put_some(1);
	look();
	assert_int_equal(espfiles_look(&files, &fat, work, UINT64_MAX, &walk, NULL, NULL), ST_FULL);
	assert_int_equal(
		espfiles_look(&files, &fat, work, (uint64_t)SIZE_MAX / 2 + 1, &walk, NULL, NULL),
		ST_FULL);
}

static bool stop_at(void *ctx, uint64_t bytes)
{
	unsigned *left = ctx;

	return (*left)-- > 0;
}

static void stopped(void **state)
{
	uint64_t to_read, need;

	put_some(5);
	assert_int_equal(fat_open(&fat, &image.m.disk, image.start_lba, image.sectors), ST_OK);
	need = espfiles_memory(&fat, &walk, &to_read);
	work = malloc(need);
	for (unsigned n = 0; n < 10;
	     n++) { /* asked after each piece, and when there are none left */
		unsigned left = n;

		assert_int_equal(espfiles_look(&files, &fat, work, need, &walk, stop_at, &left),
				 ST_ABSENT);
	}
}

/* A file in a folder that is left out is neither counted nor read, nor room made for it. */
static void what_is_not_covered(void **state)
{
	uint64_t before;

	put_some(3);
	before = look();
	fatimage_folder(&image, 0, 1, "SYSTEM~1   ", FIRST + 30);
	fatimage_long_entry(&image, 0, 1, "System Volume", "SYSTEM~1   ", FAT_FOLDER, FIRST + 30,
			    0);
	fatimage_entry(&image, 0, 4, "GRUBENV    ", FAT_ARCHIVE, 0, 0);
	fatimage_entry(&image, FIRST + 30, 2, "X       TXT", FAT_ARCHIVE, 0, 0);
	assert_true(look() >= before);
	assert_null(espfiles_find(&files, "\\grubenv", 8));
	fatimage_entry(&image, OURS, 2, "MANIFEST   ", FAT_ARCHIVE, 0, 0);
	look(); /* of no bytes */
	assert_int_equal(files.status, ST_CORRUPT);
	assert_false(files.is_complete);
	assert_null(espfiles_damaged(&files));
}

static void against_the_manifest(void **state)
{
	put_some(5);
	look();
	put_manifest(2);
	look();
	assert_true(files.is_complete && !files.same && files.updated);
	assert_int_equal(files.verdicts[MANIFEST_UNLISTED], 1);
	assert_int_equal(files.verdicts[MANIFEST_SAME], 4);
	assert_int_equal(files.file[2].verdict, MANIFEST_UNLISTED);
	assert_int_equal(files.missing, 0);

	put_manifest(99);
	put16(fatimage_slot(&image, EFI, 6) + 22, 0x6001); /* two seconds later */
	look();
	assert_false(files.same);
	assert_int_equal(files.file[2].f.fat_time, 0x5bb16001);
	assert_int_equal(files.verdicts[MANIFEST_SAME], 5);
	assert_false(files.updated);

	/* A folder of that name, and a file as long as no manifest is. */
	fatimage_entry(&image, OURS, 2, "MANIFEST   ", FAT_FOLDER, MANIFEST, 0);
	look();
	assert_int_not_equal(files.status, ST_OK);
	assert_int_equal(files.count, 5);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sorted_and_found),
		TEST(order_of_paths),
		TEST(content),
		TEST(unreadable),
		TEST(memory),
		TEST(against_the_manifest),
		TEST(memory_that_can_not_be),
		TEST(stopped),
		TEST(what_is_not_covered),
	};

	return cmocka_run_group_tests_name("espfiles: many", tests, NULL, NULL);
}
