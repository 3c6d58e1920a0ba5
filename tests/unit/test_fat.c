/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: what is one, and chains, files, over images made here. Real ones: tests/cli/test_fat.py. */
#include "tests/unit/help_fat.h"

#include "common/fat.h"

#include <string.h>

static struct fatimage im;
static struct fat f;
static struct fat_entry e;
static struct fat_file file;

static const unsigned types[] = {12, 16, 32};

static enum status open_fat(void)
{
	return fat_open(&f, &im.m.disk, im.start_lba, im.sectors);
}

static int close_image(void **state)
{
	fatimage_close(&im);
	im.m.bytes = NULL;
	return 0;
}

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

static void all_types(void **state)
{
	static const unsigned sizes[] = {512, 1024, 4096};

	for (unsigned i = 0; i < 9; i++) {
		fatimage_open(&im, types[i / 3], sizes[i % 3], 1);
		assert_int_equal(open_fat(), ST_OK);
		assert_int_equal(f.type, types[i / 3]);
		assert_int_equal(1u << f.sector_shift, sizes[i % 3]);
		assert_int_equal(f.cluster_shift, f.sector_shift);
		assert_int_equal(f.clusters, im.clusters);
		assert_int_equal(f.sectors, im.sectors);
		assert_int_equal(f.serial, 0x1234abcd);
		assert_memory_equal(f.label, "OUR LABEL  ", 11);
		assert_int_equal(f.info_sector, f.type == 32 ? 1 : 0);
		assert_false(f.few_for_fat32);
		assert_true(fat_cluster_ok(&f, 2) && fat_cluster_ok(&f, im.clusters + 1));
		assert_false(fat_cluster_ok(&f, 0) || fat_cluster_ok(&f, 1));
		assert_false(fat_cluster_ok(&f, im.clusters + 2) || fat_cluster_ok(&f, ~0u));
		close_image(NULL);
	}
}

/* 4084 clusters are FAT12, 4085 FAT16; 65524 the most of FAT16, and FAT32 is by its form. */
static void type_by_clusters(void **state)
{
	static const struct {
		uint32_t clusters;
		uint16_t fat_sectors16;
		enum status st;
		unsigned type;
	} rows[] = {
		{1, 300, ST_OK, 12},     {4084, 300, ST_OK, 12},      {4085, 300, ST_OK, 16},
		{65524, 300, ST_OK, 16}, {65525, 300, ST_CORRUPT, 0}, {0, 300, ST_CORRUPT, 0},
		{65524, 0, ST_OK, 32},   {65525, 0, ST_OK, 32},       {100, 0, ST_OK, 32},
	};

	fatimage_open(&im, 32, 512, 1);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t fat = rows[i].fat_sectors16 ? rows[i].fat_sectors16 : im.fat_sectors;

		put16(fatimage_at(&im, 0) + 22, rows[i].fat_sectors16);
		put32(fatimage_at(&im, 0) + 32, im.reserved + 2 * fat + rows[i].clusters);
		assert_int_equal(open_fat(), rows[i].st);
		if (rows[i].st != ST_OK)
			continue;
		assert_int_equal(f.type, rows[i].type);
		assert_int_equal(f.clusters, rows[i].clusters);
		assert_int_equal(f.few_for_fat32, f.type == 32 && rows[i].clusters < 65525);
	}
}

struct edit {
	unsigned at, bytes;
	uint32_t value;
	enum status st;
};

static void try_edits(const struct edit *edits, unsigned count)
{
	uint8_t kept[512];

	memcpy(kept, fatimage_at(&im, 0), sizeof(kept));
	for (unsigned i = 0; i < count; i++) {
		uint8_t *b = fatimage_at(&im, 0);

		if (edits[i].bytes == 1)
			b[edits[i].at] = (uint8_t)edits[i].value;
		else if (edits[i].bytes == 2)
			put16(b + edits[i].at, (uint16_t)edits[i].value);
		else
			put32(b + edits[i].at, edits[i].value);
		if (open_fat() != edits[i].st)
			fail_msg("edit %u: at %u: %u", i, edits[i].at, edits[i].value);
		memcpy(b, kept, sizeof(kept));
	}
	assert_int_equal(open_fat(), ST_OK);
}

static void boot_sector_16(void **state)
{
	static const struct edit edits[] = {
		{0, 1, 0x00, ST_ABSENT},
		{0, 1, 0xe9, ST_OK},
		{0, 1, 0x49, ST_OK},
		{11, 2, 0, ST_ABSENT},
		{11, 2, 256, ST_ABSENT},
		{11, 2, 513, ST_ABSENT},
		{11, 2, 8192, ST_ABSENT},
		{11, 2, 0xffff, ST_ABSENT},
		{13, 1, 0, ST_ABSENT},
		{13, 1, 3, ST_ABSENT},
		{13, 1, 255, ST_ABSENT},
		{14, 2, 0, ST_ABSENT},
		{16, 1, 0, ST_ABSENT},
		{21, 1, 0xf0, ST_OK},
		{21, 1, 0xf1, ST_ABSENT},
		{21, 1, 0, ST_ABSENT},
		{16, 1, 255, ST_OK /* as Linux */},
		{14, 2, 0xffff, ST_CORRUPT},
		{17, 2, 513, ST_CORRUPT},
		{17, 2, 0xfff0, ST_OK},
		{19, 2, 1, ST_CORRUPT},
		{19, 2, 0, ST_CORRUPT},
		{19, 2, 0xffff, ST_RANGE},
		{22, 2, 0, ST_CORRUPT},
		{22, 2, 0xffff, ST_CORRUPT},
		{510, 2, 0, ST_OK /* as Linux */},
		{11, 2, 1024, ST_RANGE},
		{13, 1, 2, ST_OK /* FAT12 then */},
	};

	try_edits(edits, sizeof(edits) / sizeof(edits[0]));
}

static void boot_sector_32(void **state)
{
	static const struct edit edits[] = {
		{36, 4, 0, ST_CORRUPT},
		{36, 4, 0xffffffff, ST_CORRUPT},
		{36, 4, 0x80000000, ST_CORRUPT},
		{44, 4, 0, ST_CORRUPT},
		{44, 4, 1, ST_CORRUPT},
		{44, 4, 65526, ST_OK},
		{44, 4, 65527, ST_CORRUPT},
		{42, 2, 1, ST_UNSUPPORTED},
		{40, 2, 0x80, ST_OK},
		{40, 2, 0x81, ST_UNSUPPORTED},
		{40, 2, 0x01, ST_OK},
		{32, 4, 0xffffffff, ST_CORRUPT},
		{32, 4, 0x0fffffff, ST_RANGE},
		{32, 4, 0, ST_CORRUPT},
	};

	try_edits(edits, sizeof(edits) / sizeof(edits[0]));
}

static void where_it_is(void **state)
{
	uint64_t all = im.m.disk.sectors;

	assert_int_equal(fat_open(&f, &im.m.disk, im.start_lba, im.sectors - 1), ST_RANGE);
	assert_int_equal(fat_open(&f, &im.m.disk, im.start_lba, all), ST_RANGE);
	assert_int_equal(fat_open(&f, &im.m.disk, all, 1), ST_RANGE);
	assert_int_equal(fat_open(&f, &im.m.disk, UINT64_MAX, 2), ST_RANGE);
	assert_int_equal(fat_open(&f, &im.m.disk, 0, 3), ST_ABSENT);
	assert_int_equal(fat_open(&f, &im.m.disk, im.start_lba, 0), ST_RANGE);
	memdisk_fail(&im.m, im.start_lba, 1);
	assert_int_equal(open_fat(), ST_IO);
}

/* Sectors of the file system that are larger, smaller than the disk's. */
static void other_sectors(void **state)
{
	struct disk d;

	fatimage_open(&im, 16, 4096, 1);
	d = im.m.disk;
	im.m.disk.shift = 9;
	im.m.disk.sectors *= 8;
	assert_int_equal(fat_open(&f, &im.m.disk, im.start_lba * 8, im.sectors * 8), ST_OK);
	fatimage_entry(&im, 0, 0, "A          ", 0, 5, 4096);
	fatimage_chain(&im, 5, 5);
	memset(fatimage_cluster(&im, 5), 'x', 4096);
	assert_int_equal(fat_find(&f, "a", 1, &e), ST_OK);
	im.m.disk = d;
	close_image(NULL);

	fatimage_open(&im, 16, 512, 1);
	im.m.disk.shift = 12;
	assert_int_equal(fat_open(&f, &im.m.disk, 0, 1), ST_ABSENT);
	memmove(im.m.bytes, fatimage_at(&im, 0), 512);
	assert_int_equal(fat_open(&f, &im.m.disk, 0, im.m.disk.sectors), ST_UNSUPPORTED);
	im.m.disk.shift = 9;
	close_image(NULL);
}

static void follow(void **state)
{
	static const uint32_t bad[] = {0, 1, 0xff7, 0xfff7, 0x0ffffff7};
	uint32_t next;

	for (unsigned t = 0; t < 3; t++) {
		uint32_t last;
		unsigned sector;

		fatimage_open(&im, types[t], 512, 1);
		last = im.clusters + 1;
		assert_int_equal(open_fat(), ST_OK);
		fatimage_chain(&im, 3, last);
		for (uint32_t c = 3; c < last; c++) {
			assert_int_equal(fat_follow(&f, c, &next), ST_OK);
			assert_int_equal(next, c + 1);
		}
		assert_int_equal(fat_follow(&f, last, &next), ST_OK);
		assert_int_equal(next, 0);
		assert_int_equal(fat_follow(&f, last + 1, &next), ST_CORRUPT);
		for (unsigned i = 0; i < 5; i++) {
			fatimage_link(&im, 40, bad[i]);
			f.fat_cached = UINT32_MAX;
			if (bad[i] < last && bad[i] > 1)
				continue;
			assert_int_equal(fat_follow(&f, 40, &next), ST_CORRUPT);
		}
		fatimage_link(&im, 40, last + 1);
		f.fat_cached = UINT32_MAX;
		assert_int_equal(fat_follow(&f, 40, &next), ST_CORRUPT);
		fatimage_link(&im, 40,
			      (types[t] == 12   ? 0xff8
			       : types[t] == 16 ? 0xfff8
						: 0x0ffffff8));
		f.fat_cached = UINT32_MAX;
		assert_int_equal(fat_follow(&f, 40, &next), ST_OK);
		assert_int_equal(next, 0);

		/* One FAT can't be read: the other can. */
		sector = 50 * types[t] / 8 / 512;
		memdisk_fail(&im.m, im.start_lba + im.reserved + sector, 1);
		f.fat_cached = UINT32_MAX;
		assert_int_equal(fat_follow(&f, 50, &next), ST_OK);
		assert_int_equal(next, 51);
		memdisk_fail(&im.m, im.start_lba + im.reserved + im.fat_sectors + sector, 1);
		f.fat_cached = UINT32_MAX;
		assert_int_equal(fat_follow(&f, 50, &next), ST_IO);
		close_image(NULL);
	}
}

/* Linux uses no more clusters than the FAT has entries for. */
static void short_fat(void **state)
{
	uint32_t next;

	put16(fatimage_at(&im, 0) + 22, 8); /* of 16: entries for 2048 clusters */
	assert_int_equal(open_fat(), ST_OK);
	assert_int_equal(f.type, 16);
	assert_int_equal(f.clusters, 8 * 256 - 2);
	assert_int_equal(fat_follow(&f, 8 * 256, &next), ST_CORRUPT);
}

static void dirty(void **state)
{
	static const struct {
		unsigned type;
		uint32_t flags;
		uint8_t state;
		bool dirty;
	} rows[] = {
		{12, 0xfff, 0, false},      {12, 0xfff, 1, true},       {16, 0xffff, 0, false},
		{16, 0x7fff, 0, true},      {16, 0xbfff, 0, true},      {16, 0xffff, 1, true},
		{32, 0x0fffffff, 0, false}, {32, 0x07ffffff, 0, true},  {32, 0x0bffffff, 0, true},
		{32, 0x0fffffff, 1, true},  {32, 0x0fffffff, 2, false},
	};
	bool is;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fatimage_open(&im, rows[i].type, 512, 1);
		fatimage_link(&im, 1, rows[i].flags);
		fatimage_at(&im, 0)[rows[i].type == 32 ? 65 : 37] = rows[i].state;
		assert_int_equal(open_fat(), ST_OK);
		assert_int_equal(fat_is_dirty(&f, &is), ST_OK);
		assert_int_equal(is, rows[i].dirty);
		close_image(NULL);
	}
}

/* ---- files ---- */

/* A file of this many bytes, whose clusters (of 1024 bytes) lie backwards, two by two. */
static void put_fragmented(uint32_t bytes)
{
	uint32_t clusters = (bytes + 1023) / 1024, c = 2000;

	for (uint32_t i = 0; i < clusters; i++) {
		uint32_t next = i % 2 ? c - 3 : c + 1, at = i * 1024;

		for (uint32_t k = 0; k < 1024 && at + k < bytes; k++)
			fatimage_cluster(&im, c)[k] = (uint8_t)((at + k) * 7 + (at + k) / 256);
		fatimage_link(&im, c, i + 1 == clusters ? 0xffff : next);
		c = next;
	}
	fatimage_entry(&im, 0, 0, "FILE    BIN", 0x20, bytes ? 2000 : 0, bytes);
}

static void check_file(uint32_t bytes, uint32_t room)
{
	static uint8_t buf[65536 + 16];
	uint32_t at = 0, got;

	assert_int_equal(fat_find(&f, "\\file.bin", 9, &e), ST_OK);
	assert_int_equal(fat_file_open(&f, &e, &file), ST_OK);
	do {
		memset(buf, 0xa5, sizeof(buf));
		assert_int_equal(fat_file_read(&f, &file, buf, room, &got), ST_OK);
		assert_int_equal(got, bytes - at < room ? bytes - at : room);
		for (uint32_t k = 0; k < got; k++)
			assert_int_equal(buf[k], (uint8_t)((at + k) * 7 + (at + k) / 256));
		assert_int_equal(buf[room], 0xa5);
		at += got;
	} while (got);
	assert_int_equal(at, bytes);
}

static void files(void **state)
{
	static const uint32_t sizes[] = {0,    1,    511,  512,  513,   1023,  1024,  1025,
					 2048, 4095, 4096, 4097, 20000, 61440, 65535, 65536};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (uint32_t room = 4096; room <= 65536; room *= 4) {
			fatimage_open(&im, 16, 512, 2);
			put_fragmented(sizes[i]);
			assert_int_equal(open_fat(), ST_OK);
			check_file(sizes[i], room);
			close_image(NULL);
		}
}

/* Clusters in a row are one request, whatever their number. */
static void requests(void **state)
{
	static uint8_t buf[65536];
	uint32_t got;

	fatimage_entry(&im, 0, 0, "FILE    BIN", 0x20, 10, 65536);
	fatimage_chain(&im, 10, 10 + 127);
	assert_int_equal(open_fat(), ST_OK);
	assert_int_equal(fat_find(&f, "FILE.BIN", 8, &e), ST_OK);
	assert_int_equal(fat_file_open(&f, &e, &file), ST_OK);
	im.m.requests = 0;
	assert_int_equal(fat_file_read(&f, &file, buf, sizeof(buf), &got), ST_OK);
	assert_int_equal(got, sizeof(buf));
	assert_int_equal(im.m.requests, 2); /* one sector of the FAT, and the file */
	assert_int_equal(im.m.last_n, 128);
}

static enum status read_all(void)
{
	static uint8_t buf[4096];
	enum status st = fat_find(&f, "FILE.BIN", 8, &e);
	uint32_t got = 1;

	assert_int_equal(st, ST_OK);
	st = fat_file_open(&f, &e, &file);
	while (st == ST_OK && got)
		st = fat_file_read(&f, &file, buf, sizeof(buf), &got);
	return st;
}

static void damaged_files(void **state)
{
	static uint8_t buf[4096];
	uint32_t got;

	fatimage_chain(&im, 10, 19);
	assert_int_equal(open_fat(), ST_OK);
	fatimage_entry(&im, 0, 0, "FILE    BIN", 0x20, 10, 5120);
	assert_int_equal(read_all(), ST_OK);
	fatimage_entry(&im, 0, 0, "FILE    BIN", 0x20, 10, 5121); /* the chain is shorter */
	f.dir_cached = UINT32_MAX;
	assert_int_equal(read_all(), ST_CORRUPT);
	fatimage_entry(&im, 0, 0, "FILE    BIN", 0x20, 0, 1);
	f.dir_cached = UINT32_MAX;
	assert_int_equal(read_all(), ST_CORRUPT);
	fatimage_entry(&im, 0, 0, "FILE    BIN", 0x20, im.clusters + 2, 1);
	f.dir_cached = UINT32_MAX;
	assert_int_equal(read_all(), ST_CORRUPT);
	/* The upper half of a number that only FAT32 has is not looked at. */
	fatimage_entry(&im, 0, 0, "FILE    BIN", 0x20, 0xabcd0000 + 10, 512);
	f.dir_cached = UINT32_MAX;
	assert_int_equal(read_all(), ST_OK);
	/* A chain that goes round, and a size that the disk has no room for. */
	fatimage_link(&im, 19, 10);
	fatimage_entry(&im, 0, 0, "FILE    BIN", 0x20, 10, 0xffffffff);
	f.dir_cached = f.fat_cached = UINT32_MAX;
	assert_int_equal(read_all(), ST_CORRUPT);
	im.m.requests = 0;
	fatimage_entry(&im, 0, 0, "FILE    BIN", 0x20, 10, im.clusters * 512);
	f.dir_cached = UINT32_MAX;
	assert_int_equal(read_all(), ST_OK); /* what it says it has, read round and round */
	assert_true(im.m.requests < 2000);

	fatimage_folder(&im, 0, 1, "DIR        ", 30);
	f.dir_cached = f.fat_cached = UINT32_MAX;
	assert_int_equal(fat_find(&f, "dir", 3, &e), ST_OK);
	assert_int_equal(fat_file_open(&f, &e, &file), ST_ABSENT);
	assert_int_equal(fat_file_read(&f, &file, buf, 0, &got), ST_RANGE);
	assert_int_equal(fat_file_read(&f, &file, buf, 512, &got), ST_RANGE);
}

static void unreadable_file(void **state)
{
	fatimage_chain(&im, 10, 19);
	fatimage_entry(&im, 0, 0, "FILE    BIN", 0x20, 10, 5120);
	assert_int_equal(open_fat(), ST_OK);
	memdisk_fail(&im.m, im.start_lba + fat_cluster_sector(&f, 19), 1);
	assert_int_equal(read_all(), ST_IO);
	fatimage_entry(&im, 0, 0, "FILE    BIN", 0x20, 10, 9 * 512);
	f.dir_cached = UINT32_MAX;
	assert_int_equal(read_all(), ST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_types),
		cmocka_unit_test_setup_teardown(type_by_clusters, NULL, close_image),
		cmocka_unit_test_setup_teardown(boot_sector_16, open_16, close_image),
		cmocka_unit_test_setup_teardown(boot_sector_32, open_32, close_image),
		cmocka_unit_test_setup_teardown(where_it_is, open_16, close_image),
		cmocka_unit_test(other_sectors),
		cmocka_unit_test(follow),
		cmocka_unit_test_setup_teardown(short_fat, open_16, close_image),
		cmocka_unit_test(dirty),
		cmocka_unit_test(files),
		cmocka_unit_test_setup_teardown(requests, open_16, close_image),
		cmocka_unit_test_setup_teardown(damaged_files, open_16, close_image),
		cmocka_unit_test_setup_teardown(unreadable_file, open_16, close_image),
	};

	return cmocka_run_group_tests_name("fat", tests, NULL, NULL);
}
