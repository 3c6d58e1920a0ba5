/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Which table of a disk counts; test_mbrtab.c and test_gpt.c have what is in them. */
#include "tests/unit/help_part.h"

#include <string.h>

#define SECTORS 20000

static struct memdisk m;
static struct part_list list;
static uint8_t buf[DISK_SECTOR_BYTES];

static int open_disk(void **state)
{
	memdisk_open(&m, SECTORS, 9);
	memset(&list, 0xff, sizeof(list));
	return 0;
}

static int close_disk(void **state)
{
	memdisk_close(&m);
	return 0;
}

static enum status read_parts(void)
{
	return part_read(&m.disk, &list, buf);
}

static void check_none(enum status st)
{
	assert_int_equal(read_parts(), st);
	assert_int_equal(list.table, PART_TABLE_NONE);
	assert_int_equal(list.count, 0);
	assert_false(list.full);
}

static void check_gpt(enum part_table table)
{
	assert_int_equal(read_parts(), ST_OK);
	check_put_gpt(&m, &list, table);
}

static void mbr(void **state)
{
	memdisk_mbr(&m, 1, 0x83, 5000, 100);
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.table, PART_TABLE_MBR);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.part[0].start_lba, 5000);
}

static void gpt(void **state)
{
	put_gpt(&m);
	check_gpt(PART_TABLE_GPT);
	memset(memdisk_at(&m, 1), 0, 512);
	check_gpt(PART_TABLE_GPT_BACKUP);
}

static void no_table(void **state)
{
	check_none(ST_OK);
	assert_int_equal(list.first_usable_lba, 1);
	assert_int_equal(list.end_usable_lba, SECTORS);
	memset(m.bytes, 0xcc, 510); /* the boot sector of a file system */
	put16(m.bytes + 510, 0xaa55);
	check_none(ST_OK);
}

/* A protective MBR beside other entries (hybrid): the GPT has them all. */
static void hybrid(void **state)
{
	put_gpt(&m);
	memdisk_mbr(&m, 2, 0x83, 4096, 10240);
	check_gpt(PART_TABLE_GPT);
}

static void the_protective_mbr_is_lost(void **state)
{
	put_gpt(&m);
	memset(m.bytes, 0, 512);
	check_gpt(PART_TABLE_GPT);
}

/* A disk partitioned anew with an MBR keeps the old GPT behind it: the MBR rules. */
static void an_mbr_with_partitions_rules(void **state)
{
	put_gpt(&m);
	memset(m.bytes, 0, 512);
	mbr(state);
}

static void an_mbr_without_any_on_this_disk_does_not(void **state)
{
	memdisk_mbr(&m, 1, 0x83, SECTORS, 100);
	check_none(ST_OK);
	put_gpt(&m);
	memset(m.bytes, 0, 512);
	memdisk_mbr(&m, 1, 0x83, SECTORS, 100);
	check_gpt(PART_TABLE_GPT);
}

/* A protective MBR promises a GPT; a damaged one is damaged whoever promised it. */
static void neither_gpt_is_good(void **state)
{
	put_gpt(&m);
	memset(memdisk_at(&m, 1), 0, 512);
	memset(memdisk_at(&m, SECTORS - 1), 0, 512);
	check_none(ST_CORRUPT);

	memset(m.bytes, 0, 512);
	check_none(ST_OK);
	put_gpt(&m);
	memset(m.bytes, 0, 512);
	memdisk_at(&m, 1)[50] ^= 1;
	memdisk_at(&m, SECTORS - 1)[50] ^= 1;
	check_none(ST_CORRUPT);
}

static void lba_0_unreadable(void **state)
{
	put_gpt(&m);
	memdisk_fail(&m, 0, 1);
	check_gpt(PART_TABLE_GPT);
	memdisk_at(&m, 2)[40] ^= 1;
	check_gpt(PART_TABLE_GPT_BACKUP);

	memset(m.bytes, 0, SECTORS * 512);
	check_none(ST_IO);
}

static void gpt_unreadable(void **state)
{
	memdisk_fail(&m, 1, 1); /* nothing promises a GPT, and there may be one */
	check_none(ST_IO);
	memdisk_mbr(&m, 1, MBR_PROTECTIVE, 1, SECTORS - 1);
	check_none(ST_IO);
	memdisk_mbr(&m, 1, 0x83, 63, 100); /* an MBR does not need it */
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.count, 1);
}

/* Reads of LBA 0 fail from this one on, and leave the buffer as it was. */
static unsigned lba_0_reads;
static enum status (*memdisk_read)(const struct disk *d, uint64_t lba, uint32_t n, void *to);

static enum status fail_lba_0(const struct disk *d, uint64_t lba, uint32_t n, void *to)
{
	if (lba == 0 && lba_0_reads-- == 0)
		return ST_IO;
	return memdisk_read(d, lba, n, to);
}

static void fail_lba_0_after(unsigned reads)
{
	memdisk_read = m.disk.read;
	m.disk.read = fail_lba_0;
	lba_0_reads = reads;
}

/* What the buffer holds after a failed read is not looked at: here a table of another disk. */
static void a_failed_read_says_nothing(void **state)
{
	memdisk_mbr(&m, 1, 0x83, 63, 100);
	memcpy(buf, m.bytes, 512);
	put_gpt(&m);
	fail_lba_0_after(0);
	check_gpt(PART_TABLE_GPT);
}

/* It is not known what LBA 0 said: an old GPT must not be believed in its place. */
static void lba_0_fails_when_read_again(void **state)
{
	put_gpt(&m);
	memset(m.bytes, 0, 512);
	memdisk_mbr(&m, 1, 0x83, 5000, 100);
	fail_lba_0_after(1);
	check_none(ST_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_disk, close_disk)
		TEST(mbr),
		TEST(gpt),
		TEST(no_table),
		TEST(hybrid),
		TEST(the_protective_mbr_is_lost),
		TEST(an_mbr_with_partitions_rules),
		TEST(an_mbr_without_any_on_this_disk_does_not),
		TEST(neither_gpt_is_good),
		TEST(lba_0_unreadable),
		TEST(gpt_unreadable),
		TEST(a_failed_read_says_nothing),
		TEST(lba_0_fails_when_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
