/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* disk.c, and what everything on it is counted and checked with: range.h and wire.h. */
#include "tests/unit/help_md.h"

#include "common/range.h"
#include "common/wire.h"

#include <string.h>

static struct memdisk m;
static uint8_t buf[4 * DISK_SECTOR_BYTES];

static void ranges(void **state)
{
	static const struct {
		uint64_t off, len, max;
		bool ok;
	} rows[] = {
		{0, 0, 0, true},
		{0, 1, 0, false},
		{0, 10, 10, true},
		{10, 0, 10, true},
		{11, 0, 10, false},
		{9, 1, 10, true},
		{9, 2, 10, false},
		{UINT64_MAX, 1, 10, false},
		{1, UINT64_MAX, 10, false},
		{UINT64_MAX, UINT64_MAX, 10, false}, /* sums that wrap */
		{2, UINT64_MAX - 1, UINT64_MAX, false},
		{1, UINT64_MAX - 1, UINT64_MAX, true},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(range_ok(rows[i].off, rows[i].len, rows[i].max), rows[i].ok);
	assert_int_equal(min_u64(3, UINT64_MAX), 3);
	assert_int_equal(min_u64(UINT64_MAX, 1ull << 32), 1ull << 32);
}

static void wire(void **state)
{
	static const uint8_t bytes[8] = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0xf1};
	le16 a;
	le32 b;
	le64 c;

	memcpy(&a, bytes, 2);
	memcpy(&b, bytes, 4);
	memcpy(&c, bytes, 8);
	assert_int_equal(le16_get(a), 0x7788);
	assert_int_equal(le32_get(b), 0x55667788);
	assert_true(le64_get(c) == 0xf122334455667788);
	a = le16_of(0x7788);
	b = le32_of(0x55667788);
	c = le64_of(0xf122334455667788);
	assert_memory_equal(&a, bytes, 2);
	assert_memory_equal(&b, bytes, 4);
	assert_memory_equal(&c, bytes, 8);
	/* nothing of a sign, whichever the top bit */
	b = le32_of(0xffffffff);
	assert_true((uint64_t)le32_get(b) == 0xffffffff);
	a = le16_of(0xffff);
	assert_true((uint64_t)le16_get(a) == 0xffff);
}

static void units(void **state)
{
	struct disk d = {.shift = 12}, small = {.shift = 9};

	assert_int_equal(disk_s512(&d, 5), 40);
	assert_int_equal(disk_s512(&small, 5), 5);
	assert_int_equal(disk_from_s512_up(&d, 0), 0);
	assert_int_equal(disk_from_s512_up(&d, 1), 1);
	assert_int_equal(disk_from_s512_up(&d, 8), 1);
	assert_int_equal(disk_from_s512_up(&d, 9), 2);
	assert_true(disk_from_s512_up(&d, UINT64_MAX) == (UINT64_MAX >> 3) + 1);
	assert_int_equal(disk_from_s512_up(&small, 9), 9);
	assert_true(disk_s512_aligned(&d, 16));
	assert_false(disk_s512_aligned(&d, 12));
	assert_true(disk_s512_aligned(&small, 13));
}

static void reads_stay_on_the_disk(void **state)
{
	memdisk_open(&m, 100, 9);
	memdisk_fill(&m, 0, 100, 'd', 0);
	assert_int_equal(disk_read(&m.disk, 98, 2, buf), ST_OK);
	assert_true(sector_is(buf, 'd', 98) && sector_is(buf + 512, 'd', 99));
	assert_int_equal(m.requests, 1);
	/* The disk itself is not even asked. */
	assert_int_equal(disk_read(&m.disk, 99, 2, buf), ST_RANGE);
	assert_int_equal(disk_read(&m.disk, 101, 0, buf), ST_RANGE);
	assert_int_equal(disk_read(&m.disk, UINT64_MAX, 2, buf), ST_RANGE);
	assert_int_equal(m.requests, 1);
	memdisk_fail(&m, 50, 1);
	assert_int_equal(disk_read(&m.disk, 49, 3, buf), ST_IO);
	memdisk_close(&m);
}

static void s512_on_large_sectors(void **state)
{
	memdisk_open(&m, 20, 12);
	memdisk_fill(&m, 0, 160, 'd', 0);
	assert_int_equal(disk_read_s512(&m.disk, 16, 8, buf), ST_OK);
	assert_int_equal(m.last_lba, 2);
	assert_int_equal(m.last_n, 1);
	assert_true(sector_is(buf, 'd', 16) && sector_is(buf + 7 * 512, 'd', 23));
	/* Not on a boundary, at either end: never a part of what was asked for. */
	assert_int_equal(disk_read_s512(&m.disk, 12, 8, buf), ST_RANGE);
	assert_int_equal(disk_read_s512(&m.disk, 16, 4, buf), ST_RANGE);
	assert_int_equal(disk_read_s512(&m.disk, 160, 8, buf), ST_RANGE);
	assert_int_equal(disk_read_s512(&m.disk, UINT64_MAX - 7, 8, buf), ST_RANGE);
	assert_int_equal(m.requests, 1);
	memdisk_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(wire),
		cmocka_unit_test(units),
		cmocka_unit_test(reads_stay_on_the_disk),
		cmocka_unit_test(s512_on_large_sectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
