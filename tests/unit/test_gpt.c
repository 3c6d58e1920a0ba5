/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_part.h"

#include <string.h>
#include <zlib.h>

#define SECTORS 20000

static struct memdisk m;
static struct part_list list;
static uint8_t buf[DISK_SECTOR_BYTES];

static int open_disk(void **state)
{
	memdisk_open(&m, SECTORS, 9);
	memset(&list, 0xff, sizeof(list)); /* what is not set is seen */
	memset(buf, 0, sizeof(buf));
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

static enum status read_table(void)
{
	return gpt_read(&m.disk, &list, buf);
}

static void check_gpt(enum part_table table)
{
	assert_int_equal(read_table(), ST_OK);
	check_put_gpt(&m, &list, table);
}

/* The primary alone, as spec says, with the entries that are on the disk. */
static enum status read_only_primary(const struct gpt_spec *s)
{
	memset(at(s->my), 0, 512);
	put_gpt_header(&m, s);
	m.requests = 0;
	return read_table();
}

static void primary(void **state)
{
	put_gpt(&m);
	check_gpt(PART_TABLE_GPT);
	assert_int_equal(m.requests, 1 + 4); /* the header, and 16 KiB in pieces of 4 */
	memdisk_fail(&m, SECTORS - 40, 40);  /* the backup is not needed */
	check_gpt(PART_TABLE_GPT);
}

static void sectors_of_4k(void **state)
{
	memdisk_close(&m);
	memdisk_open(&m, SECTORS, 12);
	put_gpt(&m);
	check_gpt(PART_TABLE_GPT);
	at(2)[40] ^= 1;
	check_gpt(PART_TABLE_GPT_BACKUP);
}

static void entry_sizes(void **state)
{
	for (uint32_t bytes = 128; bytes <= GPT_ENTRY_BYTES_MAX; bytes *= 2) {
		struct gpt_spec s = gpt_spec(&m, false);

		memset(m.bytes, 0, SECTORS * 512);
		s.bytes = bytes;
		put_gpt_entry(&m, &s, 0, &gpt_type_esp, 2048, 4095);
		put_gpt_entry(&m, &s, 2, &gpt_type_raid, 4096, 14335);
		put_gpt_entry(&m, &s, 127, &gpt_type_bios_boot, 34, 100);
		put_gpt_header(&m, &s);
		check_gpt(PART_TABLE_GPT);
	}
}

/* A table that ends inside a sector. */
static void few_entries(void **state)
{
	struct gpt_spec s = gpt_spec(&m, false);

	s.count = 5;
	put_gpt_entry(&m, &s, 4, &gpt_type_raid, 4096, 14335);
	put_gpt_entry(&m, &s, 5, &gpt_type_raid, 15000, 15001); /* behind its end */
	put_gpt_header(&m, &s);
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.part[0].number, 5);
	assert_int_equal(m.requests, 2);

	s.count = 0;
	assert_int_equal(read_only_primary(&s), ST_OK);
	assert_int_equal(list.count, 0);
}

static void header_longer_than_92(void **state)
{
	put_gpt(&m);
	put32(at(1) + 12, 512);
	gpt_resum(&m, 1);
	check_gpt(PART_TABLE_GPT);
	at(1)[500] ^= 1; /* all that it says to be is summed */
	check_gpt(PART_TABLE_GPT_BACKUP);
}

static void damaged_primary(void **state)
{
	for (unsigned fault = 0; fault < 6; fault++) {
		memset(m.bytes, 0, SECTORS * 512);
		m.bad_count = 0;
		put_gpt(&m);
		switch (fault) {
		case 0: at(1)[50] ^= 1; break;        /* header torn */
		case 1: at(2)[40] ^= 1; break;        /* entries torn */
		case 2: memset(at(1), 0, 512); break; /* header gone */
		case 3: memdisk_fail(&m, 1, 1); break;
		case 4: memdisk_fail(&m, 20, 1); break; /* entries unreadable */
		default:                                /* a whole header that belongs elsewhere */
			put64(at(1) + 24, 5);
			gpt_resum(&m, 1);
			break;
		}
		check_gpt(PART_TABLE_GPT_BACKUP);
	}
}

/* What a torn primary listed must not be left in the list, nor that there was too much of it. */
static void nothing_is_left_of_the_primary(void **state)
{
	struct gpt_spec s = gpt_spec(&m, false);

	s.count = 256;
	s.entries = 200;
	put_gpt(&m);
	for (unsigned i = 0; i < PART_MAX + 5; i++)
		put_gpt_entry(&m, &s, i, &gpt_type_raid, 1000 + i, 1000 + i);
	put_gpt_header(&m, &s);
	at(200)[40] ^= 1;
	check_gpt(PART_TABLE_GPT_BACKUP);

	memset(at(SECTORS - 1), 0, 512);
	assert_int_equal(read_table(), ST_CORRUPT);
	assert_int_equal(list.count, 0);
	assert_int_equal(list.table, PART_TABLE_NONE);
}

static void backup_where_the_primary_says(void **state)
{
	struct gpt_spec s = gpt_spec(&m, true), p = gpt_spec(&m, false);

	put_gpt(&m);
	memset(at(SECTORS - 1), 0, 512); /* the disk has grown since */
	s.my = p.alternate = 15000;
	put_gpt_header(&m, &s);
	put_gpt_header(&m, &p);
	at(2)[0] ^= 1;
	check_gpt(PART_TABLE_GPT_BACKUP);

	at(1)[50] ^= 1; /* a header that can't be trusted is not followed */
	assert_int_equal(read_table(), ST_CORRUPT);
}

static void more_than_fit(void **state)
{
	struct gpt_spec s = gpt_spec(&m, false);

	s.count = 256;
	for (unsigned i = 0; i < PART_MAX + 1; i++)
		put_gpt_entry(&m, &s, i, &gpt_type_raid, 1000 + i, 1000 + i);
	put_gpt_header(&m, &s);
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, PART_MAX);
	assert_true(list.full);

	memset(at(2) + PART_MAX * 128, 0, 128); /* as many as there is room for */
	assert_int_equal(read_only_primary(&s), ST_OK);
	assert_int_equal(list.count, PART_MAX);
	assert_false(list.full);
}

/* ---- headers with right checksums, and impossible ---- */

static void bounds(void **state)
{
	static const struct {
		uint32_t count, bytes;
		uint64_t entries;
	} rows[] = {
		{0xffffffff, 128, 2},
		{GPT_ENTRIES_MAX + 1, 128, 2},
		{0x2000000, 128, 2}, /* 2^32 bytes: wraps to 0 */
		{128, 0, 2},
		{128, 64, 2}, /* a power of two, too small */
		{128, 129, 2},
		{128, 384, 2},
		{8, 2 * GPT_ENTRY_BYTES_MAX, 2},
		{128, 0x80000000, 2},
		{128, 128, UINT64_MAX},
		{128, 128, UINT64_MAX - 31},
		{128, 128, SECTORS - 31}, /* ends one sector behind the disk */
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gpt_spec s = gpt_spec(&m, false);

		s.count = rows[i].count;
		s.bytes = rows[i].bytes;
		s.entries = rows[i].entries;
		assert_int_equal(read_only_primary(&s), ST_CORRUPT);
		assert_int_equal(list.count, 0);
		assert_true(m.requests <= 2); /* nothing of it was followed */
	}
}

static void as_large_as_allowed(void **state)
{
	struct gpt_spec s = gpt_spec(&m, false);

	s.count = GPT_ENTRIES_MAX;
	s.bytes = GPT_ENTRY_BYTES_MAX;
	put_gpt_entry(&m, &s, GPT_ENTRIES_MAX - 1, &gpt_type_raid, 4096, 4097);
	assert_int_equal(read_only_primary(&s), ST_OK);
	assert_int_equal(list.part[0].number, GPT_ENTRIES_MAX);

	s = gpt_spec(&m, false);
	s.entries = SECTORS - 32; /* the last sectors of the disk */
	assert_int_equal(read_only_primary(&s), ST_OK);
}

static void header_sizes(void **state)
{
	static const uint32_t sizes[] = {0, 91, 513, 600, 4097, 0xffffffff};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct gpt_spec s = gpt_spec(&m, false);
		uint8_t room[8192] = {0};

		put_gpt_header(&m, &s);
		put32(at(1) + 12, sizes[i]);
		put32(at(1) + 16, 0);
		/* The checksum over so many bytes, were they read: zeroes follow in buf. */
		memcpy(room, at(1), 512);
		memset(buf, 0, sizeof(buf));
		if (sizes[i] <= sizeof(room))
			put32(at(1) + 16, (uint32_t)crc32(0, room, sizes[i]));
		assert_int_equal(read_table(), ST_CORRUPT);
	}
}

static void usable_ranges(void **state)
{
	struct gpt_spec s = gpt_spec(&m, false);

	s.first_usable = s.last_usable + 1;
	assert_int_equal(read_only_primary(&s), ST_CORRUPT);
	s.first_usable = s.last_usable;
	assert_int_equal(read_only_primary(&s), ST_OK);
	s.last_usable = UINT64_MAX; /* one past it would be 0 */
	assert_int_equal(read_only_primary(&s), ST_CORRUPT);
	s.last_usable = SECTORS + 1000; /* the disk was larger */
	assert_int_equal(read_only_primary(&s), ST_OK);
	assert_int_equal(list.end_usable_lba, SECTORS);
}

static void entries_that_lie(void **state)
{
	static const struct guid none;
	struct gpt_spec s = gpt_spec(&m, false);

	put_gpt_entry(&m, &s, 0, &gpt_type_raid, 200, 100);              /* ends before it starts */
	put_gpt_entry(&m, &s, 1, &gpt_type_raid, SECTORS, SECTORS + 10); /* outside */
	put_gpt_entry(&m, &s, 2, &gpt_type_raid, UINT64_MAX, UINT64_MAX);
	put_gpt_entry(&m, &s, 3, &gpt_type_raid, 0, UINT64_MAX);     /* its size wraps to 0 */
	put_gpt_entry(&m, &s, 4, &gpt_type_raid, 100, SECTORS + 10); /* cut */
	put_gpt_entry(&m, &s, 5, &none, 100, 200);                   /* unused */
	put_gpt_entry(&m, &s, 6, &gpt_type_raid, SECTORS - 1, SECTORS - 1);
	put_gpt_header(&m, &s);
	assert_int_equal(read_table(), ST_OK);
	assert_int_equal(list.count, 3);
	assert_int_equal(list.part[0].sectors, SECTORS);
	assert_int_equal(list.part[1].sectors, SECTORS - 100);
	assert_int_equal(list.part[2].sectors, 1);
}

/* ---- neither is good: the answer that says most ---- */

enum place { GOOD, GONE, TORN, UNREADABLE };

static void spoil(uint64_t lba, enum place how)
{
	switch (how) {
	case GONE: memset(at(lba), 0, 512); break;
	case TORN: at(lba)[50] ^= 1; break;
	case UNREADABLE: memdisk_fail(&m, lba, 1); break;
	default: break;
	}
}

static void neither(void **state)
{
	static const struct {
		enum place primary, backup;
		enum status st;
	} rows[] = {
		{GONE, GONE, ST_ABSENT},         {GONE, TORN, ST_CORRUPT},
		{GONE, UNREADABLE, ST_IO},       {TORN, GONE, ST_CORRUPT},
		{TORN, TORN, ST_CORRUPT},        {TORN, UNREADABLE, ST_CORRUPT},
		{UNREADABLE, GONE, ST_IO},       {UNREADABLE, TORN, ST_CORRUPT},
		{UNREADABLE, UNREADABLE, ST_IO},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(m.bytes, 0, SECTORS * 512);
		m.bad_count = 0;
		put_gpt(&m);
		spoil(1, rows[i].primary);
		spoil(SECTORS - 1, rows[i].backup);
		assert_int_equal(read_table(), rows[i].st);
		assert_int_equal(list.count, 0);
		assert_int_equal(list.table, PART_TABLE_NONE);
	}
}

static void the_entries_of_both_are_torn(void **state)
{
	struct gpt_spec backup = gpt_spec(&m, true);

	put_gpt(&m);
	at(2)[40] ^= 1;
	at(backup.entries)[40] ^= 1;
	assert_int_equal(read_table(), ST_CORRUPT);
	assert_int_equal(list.count, 0);
}

static void disks_without_room_for_one(void **state)
{
	for (uint64_t sectors = 1; sectors <= 2; sectors++) {
		struct gpt_spec s = {.my = 0, .first_usable = 1, .last_usable = 1, .bytes = 128};

		memdisk_close(&m);
		memdisk_open(&m, sectors, 9);
		put_gpt_header(&m, &s); /* in the last sector of the first disk */
		assert_int_equal(read_table(), ST_ABSENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_disk, close_disk)
		TEST(primary),
		TEST(sectors_of_4k),
		TEST(entry_sizes),
		TEST(few_entries),
		TEST(header_longer_than_92),
		TEST(damaged_primary),
		TEST(nothing_is_left_of_the_primary),
		TEST(backup_where_the_primary_says),
		TEST(more_than_fit),
		TEST(bounds),
		TEST(as_large_as_allowed),
		TEST(header_sizes),
		TEST(usable_ranges),
		TEST(entries_that_lie),
		TEST(neither),
		TEST(the_entries_of_both_are_torn),
		TEST(disks_without_room_for_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
