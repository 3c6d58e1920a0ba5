/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Is what a boot entry starts on its partition, and is the partition where the entry says? */
#include "help_nv.h"
#include "tests/unit/help_fat.h"

#include <string.h>

static struct fatimage image;
static struct help_nv h;
static struct nvpart_room room;

static int open_image(void **state)
{
	fatimage_open(&image, 12, 512, 1);
	fatimage_entry(&image, 0, 0, "L          ", FAT_ARCHIVE, 0, 0);
	fatimage_folder(&image, 0, 1, "F          ", 5);
	help_nv_start(&h, 1);
	help_nv_entry(&h, 0, "file", 0, 'l', "");
	help_nv_entry(&h, 1, "none", 0, 'm', "");
	help_nv_entry(&h, 2, "folder", 0, 'f', "");
	help_nv_entry(&h, 3, "no file", -1, 0, "");
	h.part[0].disk = &image.m.disk;
	h.part[0].part.start_lba = image.start_lba;
	h.part[0].part.sectors = image.sectors;
	return 0;
}

static int close_image(void **state)
{
	fatimage_close(&image);
	return 0;
}

static enum status loader(unsigned i)
{
	return nvpart_loader(&h.part[0], &h.entry[i].e, &room);
}

static void loaders(void **state)
{
	assert_int_equal(loader(0), ST_OK);
	assert_int_equal(loader(1), ST_ABSENT);
	assert_int_equal(loader(2), ST_ABSENT);
	assert_int_equal(loader(3), ST_OK);
}

static void file_systems_that_are_none(void **state)
{
	h.part[0].part.sectors--; /* the partition ends before it does */
	assert_int_not_equal(loader(0), ST_OK);
	assert_int_not_equal(loader(0), ST_ABSENT);
	h.part[0].part.sectors++;
	memset(fatimage_at(&image, 0), 0, 512); /* not FAT: can't be told */
	assert_int_equal(loader(0), ST_UNSUPPORTED);
	assert_int_equal(loader(3), ST_OK);
	memdisk_fail(&image.m, image.start_lba, 1);
	assert_int_equal(loader(0), ST_IO);
}

static void places(void **state)
{
	struct nvpart *p = &h.part[0];
	struct bootentry_hd hd = nvpart_hd(p);
	struct bootentry e = {.hd = hd};

	assert_int_equal(hd.number, 1);
	assert_int_equal(hd.start_lba, image.start_lba);
	assert_int_equal(hd.sectors, image.sectors);
	assert_int_equal(hd.table, 2);
	assert_int_equal(hd.signature_type, 2);
	assert_memory_equal(&hd.guid, &p->part.uuid, sizeof(hd.guid));
	assert_false(nvpart_moved(p, &e));
	e.hd.number++;
	assert_true(nvpart_moved(p, &e));
	e.hd = hd;
	e.hd.start_lba++;
	assert_true(nvpart_moved(p, &e));
	e.hd = hd;
	e.hd.sectors++;
	assert_true(nvpart_moved(p, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_image, close_image)
		TEST(loaders),
		TEST(file_systems_that_are_none),
		TEST(places),
	};

	return cmocka_run_group_tests_name("nvpart", tests, NULL, NULL);
}
