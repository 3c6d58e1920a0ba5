/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
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

static enum status read_table(void)
{
	return mbrtab_read(&m.disk, &list, buf);
}

static bool plausible(void)
{
	return mbrtab_plausible((const struct mbr_sector *)m.bytes);
}

/* ---- is it a table? ---- */

static void an_empty_sector_is_none(void **state)
{
	assert_false(plausible());
	assert_int_equal(read_table(), ST_ABSENT);
	assert_int_equal(list.table, PART_TABLE_NONE);
	put16(m.bytes + 510, 0xaa55); /* a signature alone */
	assert_false(plausible());
	assert_int_equal(read_table(), ST_ABSENT);
}

static void the_signature_counts(void **state)
{
	memdisk_mbr(&m, 1, 0x83, 63, 100);
	assert_true(plausible());
	m.bytes[510] ^= 1;
	assert_false(plausible());
	m.bytes[510] ^= 1;
	m.bytes[511] ^= 1;
	assert_false(plausible());
}

/* Boot sectors of file systems have the signature too, and code or text where a table is. */
static void boot_sectors_are_none(void **state)
{
	memset(m.bytes, 0xcc, 510);
	put16(m.bytes + 510, 0xaa55);
	assert_false(plausible());

	/* FAT and NTFS: messages there */
	memset(m.bytes, 0, 512);
	memcpy(m.bytes + 430,
	       "Remove disks or other media.\xff\r\nDisk error\xff\r\nPress any key"
	       " to restart\r\n",
	       69);
	put16(m.bytes + 510, 0xaa55);
	assert_false(plausible());
	assert_int_equal(read_table(), ST_ABSENT);
}

static void status_bytes(void **state)
{
	for (unsigned status = 0; status < 256; status++) {
		memset(m.bytes, 0, 512);
		memdisk_mbr(&m, 2, 0x83, 63, 100);
		m.bytes[446] = (uint8_t)status; /* of an empty entry, too */
		assert_int_equal(plausible(), status == 0 || status == 0x80);
	}
}

/* Linux takes both: a table that it reads must not make a leg vanish. */
static void several_active_ones(void **state)
{
	memdisk_mbr(&m, 1, 0x83, 63, 100);
	memdisk_mbr(&m, 2, 0x83, 200, 100);
	m.bytes[446] = m.bytes[446 + 16] = 0x80;
	assert_true(plausible());
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, 2);
}

static void one_at_lba_0_is_left_out(void **state)
{
	memdisk_mbr(&m, 1, 0x83, 63, 100);
	memdisk_mbr(&m, 2, 0x83, 0, 100); /* isohybrid images have such */
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, 1);
	memdisk_mbr(&m, 1, 0x83, 0, 100);
	assert_false(plausible());
}

static void none_on_this_disk(void **state)
{
	memdisk_mbr(&m, 1, 0x83, SECTORS, 100);
	memdisk_mbr(&m, 2, 0x05, SECTORS + 5, 100);
	m.requests = 0;
	assert_int_equal(read_table(), ST_ABSENT);
	assert_int_equal(list.table, PART_TABLE_NONE);
	assert_int_equal(list.count, 0);
	assert_int_equal(m.requests, 1);
}

static void protective(void **state)
{
	const struct mbr_sector *s = (const struct mbr_sector *)m.bytes;

	memdisk_mbr(&m, 3, MBR_PROTECTIVE, 1, SECTORS - 1);
	assert_true(mbrtab_is_protective(s));
	m.bytes[510] ^= 1;
	assert_false(mbrtab_is_protective(s));
	m.bytes[510] ^= 1;
	m.bytes[446 + 32 + 4] = 0x83;
	assert_false(mbrtab_is_protective(s));
}

/* ---- primary partitions ---- */

static void primaries(void **state)
{
	memdisk_mbr(&m, 1, 0xfd, 2048, 4000);
	memdisk_mbr(&m, 3, 0xef, 8000, 1000);
	m.bytes[446] = 0x80;
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.table, PART_TABLE_MBR);
	assert_int_equal(list.count, 2);
	assert_false(list.full);
	assert_int_equal(list.part[0].number, 1);
	assert_int_equal(list.part[0].start_lba, 2048);
	assert_int_equal(list.part[0].sectors, 4000);
	assert_int_equal(list.part[0].mbr_type, 0xfd);
	assert_int_equal(list.part[0].kind, PART_OTHER);
	assert_true(list.part[0].active);
	assert_int_equal(list.part[1].number, 3);
	assert_int_equal(list.part[1].kind, PART_ESP);
	assert_false(list.part[1].active);
	assert_int_equal(list.first_usable_lba, 1);
	assert_int_equal(list.end_usable_lba, SECTORS);
}

static void empty_entries(void **state)
{
	memdisk_mbr(&m, 1, 0x83, 63, 100);
	memdisk_mbr(&m, 2, 0, 200, 100);  /* no type */
	memdisk_mbr(&m, 3, 0x83, 300, 0); /* no sectors */
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, 1);
}

static void what_leaves_the_disk(void **state)
{
	memdisk_mbr(&m, 1, 0xfd, 2048, 0xffffffff); /* cut: what is in it can be told */
	memdisk_mbr(&m, 2, 0xfd, SECTORS, 10);      /* left out */
	memdisk_mbr(&m, 3, 0xfd, SECTORS - 1, 10);
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.part[0].sectors, SECTORS - 2048);
	assert_int_equal(list.part[1].number, 3);
	assert_int_equal(list.part[1].sectors, 1);
}

static void unreadable(void **state)
{
	memdisk_mbr(&m, 1, 0x83, 63, 100);
	memdisk_fail(&m, 0, 1);
	assert_int_equal(read_table(), ST_IO);
	assert_int_equal(list.count, 0);
}

/* LBAs in the table count sectors of the disk, whatever their size. */
static void sectors_of_4k(void **state)
{
	memdisk_close(&m);
	memdisk_open(&m, 2000, 12);
	memdisk_mbr(&m, 1, 0xfd, 256, 500);
	memdisk_mbr(&m, 2, 0x05, 800, 100);
	put_ebr(&m, 800, 0, 0x83, 8, 20);
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, 3);
	assert_int_equal(list.part[0].start_lba, 256);
	assert_int_equal(list.part[0].sectors, 500);
	assert_int_equal(list.part[2].start_lba, 808);
}

/* ---- logical partitions ---- */

static void logical(void **state)
{
	memdisk_mbr(&m, 1, 0x83, 63, 1000);
	memdisk_mbr(&m, 2, 0x0f, 2000, 10000);
	put_ebr(&m, 2000, 0, 0xfd, 48, 1000);
	put_ebr(&m, 2000, 1, 0x05, 3000, 2000); /* from the extended partition's start */
	put_ebr(&m, 5000, 0, 0x83, 16, 500);    /* from the EBR itself */
	put_ebr(&m, 5000, 1, 0x05, 4000, 2000); /* not from the EBR before */
	put_ebr(&m, 6000, 0, 0x83, 10, 20);
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, 5);
	assert_int_equal(list.part[1].kind, PART_EXTENDED);
	assert_int_equal(list.part[2].number, 5);
	assert_int_equal(list.part[2].start_lba, 2048);
	assert_int_equal(list.part[3].number, 6);
	assert_int_equal(list.part[3].start_lba, 5016);
	assert_int_equal(list.part[3].sectors, 500);
	assert_int_equal(list.part[4].number, 7);
	assert_int_equal(list.part[4].start_lba, 6010);
}

static void every_extended_type(void **state)
{
	static const uint8_t types[] = {0x05, 0x0f, 0x85};

	for (unsigned i = 0; i < 3; i++) {
		memdisk_mbr(&m, 1, types[i], 2000, 1000);
		put_ebr(&m, 2000, 0, 0x83, 1, 10);
		assert_int_equal(read_table(), ST_OK);
		assert_int_equal(list.part[0].kind, PART_EXTENDED);
		assert_int_equal(list.count, 2);
	}
	memdisk_mbr(&m, 1, 0x15, 2000, 1000); /* hidden: nobody follows it */
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, 1);
}

static void a_chain_that_loops_ends(void **state)
{
	memdisk_mbr(&m, 1, 0x05, 2000, 10000);
	put_ebr(&m, 2000, 0, 0x83, 1, 10);
	put_ebr(&m, 2000, 1, 0x05, 100, 100);
	put_ebr(&m, 2100, 1, 0x05, 100, 100); /* to itself */
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.part[1].start_lba, 2001);
	assert_true(list.full);
	assert_true(m.requests <= MBR_CHAIN_LIMIT + 1);
}

static void what_ends_a_chain(void **state)
{
	for (unsigned end = 0; end < 4; end++) {
		memset(m.bytes, 0, SECTORS * 512);
		m.bad_count = 0;
		memdisk_mbr(&m, 1, 0x05, 2000, 5000);
		memdisk_mbr(&m, 2, 0x83, 10000, 1000);
		put_ebr(&m, 2000, 0, 0x83, 1, 10);
		put_ebr(&m, 2000, 1, 0x05, 100, 100);
		put_ebr(&m, 2100, 0, 0x83, 1, 10);
		switch (end) {
		case 0: memdisk_fail(&m, 2100, 1); break;
		case 1: m.bytes[2100 * 512 + 510] = 0; break;            /* no signature */
		case 2: put_ebr(&m, 2000, 1, 0x83, 100, 100); break;     /* the link is none */
		default: put_ebr(&m, 2000, 1, 0x05, SECTORS, 10); break; /* leads off the disk */
		}
		assert_int_equal(read_table(), ST_OK);
		assert_int_equal(list.count, 3);
		assert_int_equal(list.part[1].number, 2);
		assert_int_equal(list.part[2].number, 5);
		assert_false(list.full);
	}
}

/* Numbers are those of Linux: a logical partition that is left out keeps its own. */
static void numbers_are_kept(void **state)
{
	memdisk_mbr(&m, 1, 0x05, 2000, 5000);
	put_ebr(&m, 2000, 0, 0x83, SECTORS, 10);
	put_ebr(&m, 2000, 1, 0x05, 100, 100);
	put_ebr(&m, 2100, 0, 0x83, 1, 10);
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.part[1].number, 6);
}

static void more_than_fit(void **state)
{
	const unsigned logicals = PART_MAX - 4 + 1;

	for (unsigned i = 1; i <= 3; i++)
		memdisk_mbr(&m, i, 0x83, 100 * i, 10);
	memdisk_mbr(&m, 4, 0x05, 1000, 15000);
	for (unsigned i = 0; i < logicals; i++) {
		put_ebr(&m, 1000 + 20 * i, 0, 0x83, 1, 10);
		if (i + 1 < logicals)
			put_ebr(&m, 1000 + 20 * i, 1, 0x05, 20 * (i + 1), 20);
	}
	assert_true(logicals < MBR_CHAIN_LIMIT);
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, PART_MAX);
	assert_true(list.full);
	assert_int_equal(list.part[PART_MAX - 1].number, 5 + PART_MAX - 4 - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_disk, close_disk)
		TEST(an_empty_sector_is_none),
		TEST(the_signature_counts),
		TEST(boot_sectors_are_none),
		TEST(status_bytes),
		TEST(several_active_ones),
		TEST(one_at_lba_0_is_left_out),
		TEST(none_on_this_disk),
		TEST(protective),
		TEST(primaries),
		TEST(empty_entries),
		TEST(what_leaves_the_disk),
		TEST(unreadable),
		TEST(sectors_of_4k),
		TEST(logical),
		TEST(every_extended_type),
		TEST(a_chain_that_loops_ends),
		TEST(what_ends_a_chain),
		TEST(numbers_are_kept),
		TEST(more_than_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
