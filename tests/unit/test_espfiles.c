/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/espfiles.h"
#include "tests/unit/help_fat.h"

enum { EFI = 3, OURS, MANIFEST, A, B, SEED, LINUX };

static const struct guid set = {{7}}, partition = {{9}};
static struct fatimage image;
static struct fat fat;
static struct fat_walk walk;
static struct espfiles files;
static void *work;
static uint64_t need, to_read, progressed;

/*
 * \b.txt, \EFI\mirrorboot\manifest (as long as it is), \EFI\a.efi, \grubenv, in an order that is
 * not that of their names.
 */
static int setup(void **state)
{
	fatimage_open(&image, 16, 512, 4);
	fatimage_entry(&image, 0, 0, "B       TXT", FAT_ARCHIVE, B, 5);
	fatimage_chain(&image, B, B);
	memcpy(fatimage_cluster(&image, B), "bbbbb", 5);
	fatimage_folder(&image, 0, 1, "EFI        ", EFI);
	fatimage_folder(&image, EFI, 2, "MIRRORB~1  ", OURS);
	fatimage_long_entry(&image, EFI, 2, "mirrorboot", "MIRRORB~1  ", FAT_FOLDER, OURS, 0);
	fatimage_entry(&image, EFI, 4, "A       EFI", FAT_ARCHIVE, A, 600);
	fatimage_chain(&image, A, A);
	memset(fatimage_cluster(&image, A), 'a', 600);
	fatimage_entry(&image, 0, 2, "GRUBENV    ", FAT_ARCHIVE, SEED, 9);
	fatimage_chain(&image, SEED, SEED);
	return 0;
}

static int teardown(void **state)
{
	free(work);
	work = NULL;
	fatimage_close(&image);
	return 0;
}

static bool progress(void *ctx, uint64_t bytes)
{
	progressed += bytes;
	return ctx == NULL;
}

static enum status look_with(uint64_t bytes, void *ctx)
{
	free(work);
	work = malloc(bytes);
	progressed = 0;
	return espfiles_look(&files, &fat, work, bytes, &walk, progress, ctx);
}

static void look(void)
{
	assert_int_equal(fat_open(&fat, &image.m.disk, image.start_lba, image.sectors), ST_OK);
	need = espfiles_memory(&fat, &walk, &to_read);
	assert_int_equal(look_with(need, NULL), ST_OK);
	assert_int_equal(progressed, to_read);
}

static void put_manifest(enum manifest_state state)
{
	char *text = (char *)fatimage_cluster(&image, MANIFEST);
	struct manifest_writer w;

	manifest_begin(&w, text, 2048, &set, 4, state, &partition);
	for (unsigned i = 0; i < files.count && state == MANIFEST_COMPLETE; i++)
		manifest_add(&w, &files.file[i].f);
	assert_int_equal(manifest_end(&w), ST_OK);
	fatimage_entry(&image, OURS, 2, "MANIFEST   ", FAT_ARCHIVE, MANIFEST, (uint32_t)w.bytes);
	fatimage_chain(&image, MANIFEST, MANIFEST);
}

static void test_files(void **state)
{
	const struct espfiles_file *f;

	look();
	assert_int_equal(files.status, ST_ABSENT);
	assert_int_equal(files.count, 2); /* neither grubenv nor folders */
	assert_int_equal(files.bytes, 605);
	assert_string_equal(files.file[0].f.path, "\\B.TXT");
	assert_string_equal(files.sorted[1]->f.path, "\\EFI\\A.EFI");
	f = espfiles_find(&files, "\\efi\\a.efi", 10);
	assert_true(f && f->status == ST_OK && f->f.bytes == 600);
	assert_null(espfiles_find(&files, "\\efi\\a.ef", 9));
	assert_null(espfiles_find(&files, "\\grubenv", 8));
	assert_null(espfiles_damaged(&files));
	assert_int_equal(look_with(need - 8192, NULL), ST_FULL);
	assert_int_equal(look_with(64, NULL), ST_FULL);
	assert_int_equal(look_with(need, &image), ST_ABSENT); /* stopped */
}

static void test_manifest(void **state)
{
	look();
	put_manifest(MANIFEST_COMPLETE);
	look();
	assert_true(files.status == ST_OK && files.is_complete && files.same && !files.updated);
	assert_int_equal(files.old.generation, 4);
	assert_int_equal(files.verdicts[MANIFEST_SAME], 2);

	fatimage_cluster(&image, A)[599] ^= 1;
	look();
	assert_true(!files.same && files.updated && files.verdicts[MANIFEST_DAMAGED] == 1);
	assert_string_equal(espfiles_damaged(&files)->f.path, "\\EFI\\A.EFI");

	fatimage_entry(&image, EFI, 4, "A       EFI", FAT_ARCHIVE, A, 601);
	look();
	assert_true(!files.same && files.updated && files.verdicts[MANIFEST_CHANGED] == 1);
	assert_null(espfiles_damaged(&files));

	fatimage_entry(&image, EFI, 4, "C       EFI", FAT_ARCHIVE, A, 600);
	look();
	assert_true(files.missing == 1 && files.verdicts[MANIFEST_UNLISTED] == 1);

	put_manifest(MANIFEST_UPDATING);
	look();
	assert_true(files.status == ST_OK && !files.is_complete && !files.same && !files.missing);
	fatimage_cluster(&image, MANIFEST)[3] ^= 1;
	look();
	assert_int_equal(files.status, ST_CORRUPT);
}

/* mirrorboot's own: nobody else's doing. */
static void test_ours(void **state)
{
	look();
	put_manifest(MANIFEST_COMPLETE);
	fatimage_entry(&image, OURS, 3, "X       CFG", FAT_ARCHIVE, LINUX, 3);
	fatimage_chain(&image, LINUX, LINUX);
	look();
	assert_true(!files.same && !files.updated && files.verdicts[MANIFEST_UNLISTED] == 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_files), TEST(test_manifest), TEST(test_ours)};

	return cmocka_run_group_tests_name("espfiles", tests, NULL, NULL);
}
