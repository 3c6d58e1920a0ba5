/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* GPT: what is read and what is not, to the sector. */
#include "tests/unit/help_part.h"

#include <string.h>

#define SECTORS 20000

static struct memdisk m;
static struct part_list list;
static uint8_t buf[DISK_SECTOR_BYTES];

static int open_disk(void **state)
{
	memdisk_open(&m, SECTORS, 9);
	return 0;
}

static int close_disk(void **state)
{
	memdisk_close(&m);
	return 0;
}

static uint8_t *at(uint64_t lba)
{
	return memdisk_at(&m, lba);
}

static void another_revision(void **state)
{
	put_gpt(&m);
	put32(at(1) + 8, 0x00010001);
	gpt_resum(&m, 1);
	assert_int_equal(gpt_read(&m.disk, &list, buf), ST_OK);
	assert_int_equal(list.table, PART_TABLE_GPT);
}

/* Not torn: unknown. */
static void unreadable_entries(void **state)
{
	put_gpt(&m);
	memset(at(SECTORS - 1), 0, 512);
	memdisk_fail(&m, 10, 1);
	assert_int_equal(gpt_read(&m.disk, &list, buf), ST_IO);
}

/* The backup in the last sector is good: the one that the primary names isn't looked at. */
static void only_one_backup(void **state)
{
	struct gpt_spec p = gpt_spec(&m, false);

	put_gpt(&m);
	p.alternate = 15000;
	put_gpt_header(&m, &p);
	at(2)[40] ^= 1;
	memdisk_fail(&m, 15000, 1);
	assert_int_equal(gpt_read(&m.disk, &list, buf), ST_OK);
	assert_int_equal(list.table, PART_TABLE_GPT_BACKUP);
}

/* The first sector behind the primary is the first that a backup can have. */
static void backup_in_sector_2(void **state)
{
	struct gpt_spec p = gpt_spec(&m, false), b = gpt_spec(&m, true);

	p.entries = 100;
	p.alternate = 2;
	b.my = 2;
	put_gpt_header(&m, &p);
	put_gpt_entry(&m, &b, 0, &gpt_type_raid, 4096, 4097);
	put_gpt_header(&m, &b);
	at(100)[40] ^= 1;
	memset(at(SECTORS - 1), 0, 512);
	assert_int_equal(gpt_read(&m.disk, &list, buf), ST_OK);
	assert_int_equal(list.table, PART_TABLE_GPT_BACKUP);
	assert_int_equal(list.count, 1);
}

/* Its own place is not read again as the backup's: a disk may take seconds to say no. */
static void primary_is_read_once(void **state)
{
	struct gpt_spec p = gpt_spec(&m, false);

	p.alternate = 1;
	put_gpt_entry(&m, &p, 0, &gpt_type_raid, 4096, 4097);
	put_gpt_header(&m, &p);
	at(2)[40] ^= 1;
	assert_int_equal(gpt_read(&m.disk, &list, buf), ST_CORRUPT);
	assert_int_equal(m.requests, 1 + 4 + 1); /* header, entries, the last sector */
}

static void smallest_disks(void **state)
{
	for (uint64_t sectors = 2; sectors <= 3; sectors++) {
		struct gpt_spec s = {
			.my = sectors - 1, .first_usable = 1, .last_usable = 1, .bytes = 128};

		memdisk_close(&m);
		memdisk_open(&m, sectors, 9);
		if (sectors == 3)
			put_gpt_header(&m, &s); /* a backup, of no entries */
		assert_int_equal(gpt_read(&m.disk, &list, buf), sectors == 3 ? ST_OK : ST_ABSENT);
		assert_int_equal(m.requests, sectors - 1);
	}
	assert_int_equal(list.table, PART_TABLE_GPT_BACKUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_disk, close_disk)
		TEST(another_revision),   TEST(unreadable_entries),   TEST(only_one_backup),
		TEST(backup_in_sector_2), TEST(primary_is_read_once), TEST(smallest_disks),
	};

	return cmocka_run_group_tests_name("gpt: edges", tests, NULL, NULL);
}
