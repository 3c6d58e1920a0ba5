/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_md.h"

#include "common/gpt.h"
#include "common/mbrtab.h"

#include <string.h>
#include <zlib.h>

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
	return m.bytes + (lba << m.disk.shift);
}

static enum status read_parts(void)
{
	return part_read(&m.disk, &list, buf);
}

static void ebr_entry(uint64_t ebr, unsigned i, uint8_t type, uint32_t start, uint32_t sectors)
{
	uint8_t *e = at(ebr) + MBR_TABLE_OFF + 16 * i;

	e[4] = type;
	put32(e + 8, start);
	put32(e + 12, sectors);
	put16(at(ebr) + MBR_SIG_OFF, MBR_SIGNATURE);
}

/* ---- MBR ---- */

static void primaries(void **state)
{
	memdisk_mbr(&m, 1, 0xfd, 2048, 4000);
	memdisk_mbr(&m, 3, 0xef, 8000, 1000);
	at(0)[MBR_TABLE_OFF] = 0x80;
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.table, PART_TABLE_MBR);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.part[0].number, 1);
	assert_int_equal(list.part[0].start_lba, 2048);
	assert_int_equal(list.part[0].sectors, 4000);
	assert_true(list.part[0].active);
	assert_int_equal(list.part[1].number, 3);
	assert_int_equal(list.part[1].kind, PART_ESP);
}

static void what_leaves_the_disk(void **state)
{
	memdisk_mbr(&m, 1, 0xfd, 2048, 0xffffffff); /* cut: what is in it can be told */
	memdisk_mbr(&m, 2, 0xfd, SECTORS, 10);      /* left out */
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.part[0].sectors, SECTORS - 2048);
}

static void logical(void **state)
{
	memdisk_mbr(&m, 1, 0x83, 63, 1000);
	memdisk_mbr(&m, 2, 0x0f, 2000, 10000);
	ebr_entry(2000, 0, 0xfd, 48, 1000);
	ebr_entry(2000, 1, 0x05, 3000, 2000); /* from the extended partition's start */
	ebr_entry(5000, 0, 0x83, 16, 500);    /* from the EBR itself */
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.count, 4);
	assert_int_equal(list.part[1].kind, PART_EXTENDED);
	assert_int_equal(list.part[2].number, 5);
	assert_int_equal(list.part[2].start_lba, 2048);
	assert_int_equal(list.part[3].number, 6);
	assert_int_equal(list.part[3].start_lba, 5016);
	assert_int_equal(list.part[3].sectors, 500);
}

static void a_chain_that_loops_ends(void **state)
{
	memdisk_mbr(&m, 1, 0x05, 2000, 10000);
	ebr_entry(2000, 0, 0x83, 1, 10);
	ebr_entry(2000, 1, 0x05, 100, 100);
	ebr_entry(2100, 1, 0x05, 100, 100); /* to itself */
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.part[1].start_lba, 2001);
	assert_true(list.full);
	assert_true(m.requests <= MBR_CHAIN_LIMIT + 4);
}

static void an_unreadable_ebr_ends_its_chain_only(void **state)
{
	memdisk_mbr(&m, 1, 0x05, 2000, 1000);
	memdisk_mbr(&m, 2, 0x83, 4000, 1000);
	memdisk_fail(&m, 2000, 1);
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.count, 2);
}

static void no_table(void **state)
{
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.table, PART_TABLE_NONE);

	/* A boot sector of a file system has the signature too, and code where a table is. */
	memset(at(0), 0xcc, 510);
	put16(at(0) + MBR_SIG_OFF, MBR_SIGNATURE);
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.table, PART_TABLE_NONE);
	assert_int_equal(list.count, 0);
}

static void two_active_ones_are_no_table(void **state)
{
	memdisk_mbr(&m, 1, 0x83, 63, 100);
	memdisk_mbr(&m, 2, 0x83, 200, 100);
	at(0)[MBR_TABLE_OFF] = at(0)[MBR_TABLE_OFF + 16] = 0x80;
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.table, PART_TABLE_NONE);
}

/* ---- GPT ---- */

struct gpt_spec {
	uint32_t count, bytes;
	uint64_t entries;
};

static void entry(uint64_t table, uint32_t bytes, unsigned i, const struct guid *type,
                  uint64_t first, uint64_t last)
{
	uint8_t *e = at(table) + i * bytes;

	memcpy(e, type, 16);
	memset(e + 16, 0x40 + (int)i, 16);
	put64(e + 32, first);
	put64(e + 40, last);
}

static void gpt_header(uint64_t my, uint64_t alternate, const struct gpt_spec *s)
{
	uint8_t *h = at(my);

	memset(h, 0, 92);
	memcpy(h, "EFI PART", 8);
	put32(h + 8, 0x10000);
	put32(h + 12, 92);
	put64(h + 24, my);
	put64(h + 32, alternate);
	put64(h + 40, 34);
	put64(h + 48, SECTORS - 34);
	put64(h + 72, s->entries);
	put32(h + 80, s->count);
	put32(h + 84, s->bytes);
	if (s->count <= 1024 && s->bytes <= 4096 && s->entries <= SECTORS - s->count * s->bytes / 512)
		put32(h + 88, (uint32_t)crc32(0, at(s->entries), s->count * s->bytes));
	put32(h + 16, (uint32_t)crc32(0, h, 92));
}

/* An ESP and a member; primary and backup, as sgdisk writes them. */
static void make_gpt(uint32_t bytes)
{
	uint64_t backup = SECTORS - 1 - 32 * (bytes / 128);

	memdisk_mbr(&m, 1, MBR_PROTECTIVE, 1, SECTORS - 1);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t table = i ? backup : 2;

		entry(table, bytes, 0, &gpt_type_esp, 2048, 4095);
		entry(table, bytes, 2, &gpt_type_raid, 4096, 14335);
		entry(table, bytes, 127, &gpt_type_bios_boot, 34, 100);
	}
	gpt_header(1, SECTORS - 1, &(struct gpt_spec){128, bytes, 2});
	gpt_header(SECTORS - 1, 1, &(struct gpt_spec){128, bytes, backup});
}

static void check_gpt(enum part_table table)
{
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.table, table);
	assert_int_equal(list.count, 3);
	assert_int_equal(list.part[0].kind, PART_ESP);
	assert_int_equal(list.part[0].number, 1);
	assert_int_equal(list.part[0].uuid.b[0], 0x40);
	assert_int_equal(list.part[1].number, 3);
	assert_int_equal(list.part[1].start_lba, 4096);
	assert_int_equal(list.part[1].sectors, 10240);
	assert_int_equal(list.part[2].number, 128);
	assert_int_equal(list.part[2].kind, PART_BIOS_BOOT);
	assert_int_equal(list.first_usable_lba, 34);
	assert_int_equal(list.end_usable_lba, SECTORS - 33);
}

static void gpt_primary(void **state)
{
	make_gpt(128);
	check_gpt(PART_TABLE_GPT);
	assert_true(m.requests <= 8);
	memdisk_fail(&m, SECTORS - 40, 40); /* the backup is not needed */
	check_gpt(PART_TABLE_GPT);
}

static void gpt_larger_entries(void **state)
{
	make_gpt(256);
	check_gpt(PART_TABLE_GPT);
}

static void gpt_backup(void **state)
{
	for (unsigned fault = 0; fault < 4; fault++) {
		memset(m.bytes, 0, SECTORS * 512);
		m.bad_count = 0;
		make_gpt(128);
		switch (fault) {
		case 0: at(1)[30] ^= 1; break;              /* header torn */
		case 1: at(2)[40] ^= 1; break;              /* entries torn */
		case 2: memset(at(1), 0, 512); break;       /* header gone */
		default: memdisk_fail(&m, 1, 1); break;     /* header unreadable */
		}
		check_gpt(PART_TABLE_GPT_BACKUP);
	}
}

static void gpt_backup_where_the_primary_says(void **state)
{
	make_gpt(128);
	memset(at(SECTORS - 1), 0, 512); /* the disk has grown since */
	gpt_header(15000, 1, &(struct gpt_spec){128, 128, SECTORS - 33});
	gpt_header(1, 15000, &(struct gpt_spec){128, 128, 2});
	at(2)[0] ^= 1;
	check_gpt(PART_TABLE_GPT_BACKUP);
}

static void gpt_both_bad(void **state)
{
	make_gpt(128);
	at(1)[30] ^= 1;
	at(SECTORS - 1)[30] ^= 1;
	assert_int_equal(read_parts(), ST_CORRUPT);
	assert_int_equal(list.count, 0);

	memset(at(1), 0, 512);
	memset(at(SECTORS - 1), 0, 512);
	assert_int_equal(read_parts(), ST_CORRUPT); /* a protective MBR promises one */
}

static void gpt_bounds(void **state)
{
	static const struct gpt_spec rows[] = {
		{0xffffffff, 128, 2}, {128, 0, 2},       {128, 129, 2},
		{128, 64, 2},         {128, 0x80000000, 2}, {0x2000000, 128, 2},
		{128, 128, UINT64_MAX}, {128, 128, SECTORS - 3},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(m.bytes, 0, SECTORS * 512);
		memdisk_mbr(&m, 1, MBR_PROTECTIVE, 1, SECTORS - 1);
		gpt_header(1, SECTORS - 1, &rows[i]);
		m.requests = 0;
		assert_int_equal(read_parts(), ST_CORRUPT);
		assert_true(m.requests < 8);
	}
}

static void gpt_entries_that_lie(void **state)
{
	memdisk_mbr(&m, 1, MBR_PROTECTIVE, 1, SECTORS - 1);
	entry(2, 128, 0, &gpt_type_raid, 200, 100);               /* ends before it starts */
	entry(2, 128, 1, &gpt_type_raid, SECTORS, SECTORS + 10);  /* outside */
	entry(2, 128, 2, &gpt_type_raid, UINT64_MAX, UINT64_MAX); /* outside, wrapping */
	entry(2, 128, 3, &gpt_type_raid, 0, UINT64_MAX);          /* size wraps to 0 */
	entry(2, 128, 4, &gpt_type_raid, 100, SECTORS + 10);      /* cut */
	gpt_header(1, SECTORS - 1, &(struct gpt_spec){128, 128, 2});
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.part[0].sectors, SECTORS);
	assert_int_equal(list.part[1].sectors, SECTORS - 100);
}

/* A disk partitioned anew with an MBR keeps the old GPT behind it: the MBR rules. */
static void an_mbr_with_partitions_rules(void **state)
{
	make_gpt(128);
	memset(at(0), 0, 512);
	memdisk_mbr(&m, 1, 0x83, 5000, 100);
	assert_int_equal(read_parts(), ST_OK);
	assert_int_equal(list.table, PART_TABLE_MBR);
	assert_int_equal(list.count, 1);
}

static void lba_0_lost(void **state)
{
	make_gpt(128);
	memdisk_fail(&m, 0, 1);
	check_gpt(PART_TABLE_GPT);

	memset(m.bytes, 0, SECTORS * 512);
	assert_int_equal(read_parts(), ST_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_disk, close_disk)
		TEST(primaries),
		TEST(what_leaves_the_disk),
		TEST(logical),
		TEST(a_chain_that_loops_ends),
		TEST(an_unreadable_ebr_ends_its_chain_only),
		TEST(no_table),
		TEST(two_active_ones_are_no_table),
		TEST(gpt_primary),
		TEST(gpt_larger_entries),
		TEST(gpt_backup),
		TEST(gpt_backup_where_the_primary_says),
		TEST(gpt_both_bad),
		TEST(gpt_bounds),
		TEST(gpt_entries_that_lie),
		TEST(an_mbr_with_partitions_rules),
		TEST(lba_0_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
