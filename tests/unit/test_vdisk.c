/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Reading a vdisk: the right sector of the right leg, and failover. Sets are made by hand. */
#include "tests/unit/help_md.h"

#include "common/vdisk.h"

#include <string.h>

#define DISKS 4u
#define NONE  VDISK_NO_LEG

static struct memdisk mem[DISKS];
static struct disk disk[DISKS];
static struct vdisk_set set;
static struct vdisk_tables tables;
static uint8_t buf[64 * 4096];

/* Disk i holds sectors tagged 0xa0 + i; its leg starts at LBA 10 * (i + 1). */
static int setup(void **state)
{
	memset(&set, 0, sizeof(set));
	memset(&tables, 0, sizeof(tables));
	set.vdisk = tables.vdisk;
	set.leg = tables.leg;
	set.extent = tables.extent;
	set.mirror = tables.mirror;
	for (unsigned i = 0; i < DISKS; i++) {
		memdisk_open(&mem[i], 200, 9);
		memdisk_fill(&mem[i], 0, 200, (uint8_t)(0xa0 + i), 0);
		set.leg[i] = (struct vdisk_leg){.start_lba = 10 * (i + 1), .disk = (uint8_t)i};
		disk[i] = mem[i].disk;
	}
	set.leg_count = DISKS;
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < DISKS; i++)
		memdisk_close(&mem[i]);
	return 0;
}

/* Append an extent to the last vdisk. */
static void extent(uint64_t sectors, uint64_t offset, uint8_t a, uint8_t b)
{
	struct vdisk *vd = &set.vdisk[set.vdisk_count - 1];

	set.extent[set.extent_count++] = (struct vdisk_extent){.lba = vd->sectors,
							       .sectors = sectors,
							       .offset = offset,
							       .leg = {a, b, NONE, NONE}};
	vd->sectors += sectors;
	vd->extent_count++;
}

static void new_vdisk(void)
{
	set.vdisk[set.vdisk_count++] = (struct vdisk){.first_extent = set.extent_count, .shift = 9};
}

/* One vdisk of 100 sectors, legs 0 and 1. */
static void pair(void)
{
	new_vdisk();
	extent(100, 0, 0, 1);
}

static enum status read(uint64_t lba, uint32_t n)
{
	memset(buf, 0x55, sizeof(buf));
	return vdisk_read(&set, 0, disk, lba, n, buf);
}

/* Are buf's sectors first.. those of this leg from position pos of its data? */
static void got(unsigned first, unsigned n, unsigned leg, uint64_t pos)
{
	for (unsigned i = 0; i < n; i++)
		assert_true(sector_is(buf + (first + i) * 512, (uint8_t)(0xa0 + leg),
				      set.leg[leg].start_lba + pos + i));
}

static unsigned requests(unsigned i)
{
	unsigned n = mem[i].requests;

	mem[i].requests = 0;
	return n;
}

static void test_best_leg(void **state)
{
	pair();
	assert_int_equal(read(5, 8), ST_OK);
	got(0, 8, 0, 5);
	assert_int_equal(buf[8 * 512], 0x55); /* and no more than was asked for */
	assert_int_equal(requests(0), 1);
	assert_int_equal(requests(1), 0);
	assert_int_equal(read(99, 1), ST_OK);
	got(0, 1, 0, 99);
	assert_int_equal(set.failovers, 0);
}

static void test_extents(void **state)
{
	new_vdisk();
	extent(10, 0, 0, NONE);
	extent(10, (uint64_t)-5, 1, NONE); /* metadata before the leg's data */
	extent(10, 30, 2, NONE);
	assert_int_equal(read(8, 14), ST_OK);
	got(0, 2, 0, 8);
	got(2, 10, 1, (uint64_t)-5);
	got(12, 2, 2, 30);
	/* Each was asked for its own piece only: behind it may lie what it can't read. */
	assert_int_equal(mem[0].last_n, 2);
	assert_int_equal(mem[1].last_n, 10);
	assert_int_equal(mem[2].last_n, 2);
	assert_int_equal(requests(0), 1);
	assert_int_equal(requests(1), 1);
	assert_int_equal(requests(2), 1);
	/* the borders, one sector each */
	for (uint64_t lba = 0; lba < 30; lba++) {
		assert_int_equal(read(lba, 1), ST_OK);
		got(0, 1, (unsigned)(lba / 10),
		    lba < 10   ? lba
		    : lba < 20 ? lba - 10 - 5
			       : lba - 20 + 30);
	}
}

static void test_second_vdisk(void **state)
{
	pair();
	new_vdisk();
	extent(50, 0, 2, 3);
	assert_int_equal(vdisk_read(&set, 1, disk, 49, 1, buf), ST_OK);
	got(0, 1, 2, 49);
	assert_int_equal(vdisk_read(&set, 1, disk, 50, 1, buf), ST_RANGE);
}

static void test_failover_and_latch(void **state)
{
	pair();
	memdisk_fail(&mem[0], 10 + 40, 1);
	assert_int_equal(read(38, 8), ST_OK);
	got(0, 8, 1, 38);
	assert_int_equal(requests(0), 1);
	assert_int_equal(requests(1), 1);
	assert_int_equal(set.failovers, 1);
	assert_int_equal(set.leg[0].latched, 1);
	assert_int_equal(set.leg[1].latched, 0);
	/* not asked again, not even where it would answer */
	for (unsigned lba = 0; lba < 100; lba += 7) {
		assert_int_equal(read(lba, 1), ST_OK);
		got(0, 1, 1, lba);
	}
	assert_int_equal(requests(0), 0);
	assert_int_equal(requests(1), 15);
	assert_int_equal(set.failovers, 1);
}

/* The other leg's answer is the whole answer: none of its sectors come from the failing one. */
static void test_whole_request_again(void **state)
{
	new_vdisk();
	extent(10, 0, 0, 1);
	extent(10, 50, 0, 1);
	extent(10, 90, 0, 1);
	memdisk_fail(&mem[0], 10 + 52, 1); /* in the second */
	assert_int_equal(read(5, 20), ST_OK);
	got(0, 5, 1, 5);
	got(5, 10, 1, 50);
	got(15, 5, 1, 90);
	assert_int_equal(requests(0), 2);
	assert_int_equal(requests(1), 3);
	assert_int_equal(set.failovers, 1);
}

/* Two mirrors in one request: only the one that fails changes its leg. */
static void test_other_mirror_stays(void **state)
{
	new_vdisk();
	extent(10, 0, 0, 1);
	extent(10, 0, 2, 3);
	memdisk_fail(&mem[0], 10, 10);
	assert_int_equal(read(0, 20), ST_OK);
	got(0, 10, 1, 0);
	got(10, 10, 2, 0);
	assert_int_equal(set.leg[2].latched, 0);
	assert_int_equal(requests(3), 0);
}

/* Bad in different places: each place has one leg left, though it has failed elsewhere. */
static void test_last_resort(void **state)
{
	pair();
	memdisk_fail(&mem[0], 10 + 20, 1);
	memdisk_fail(&mem[1], 20 + 60, 1);
	for (unsigned turn = 0; turn < 3; turn++) {
		assert_int_equal(read(20, 1), ST_OK);
		got(0, 1, 1, 20);
		assert_int_equal(read(60, 1), ST_OK);
		got(0, 1, 0, 60);
	}
	assert_int_equal(set.failovers, 2); /* each leg once */
	/* no leg has both, and each sector has a leg */
	assert_int_equal(read(20, 41), ST_OK);
	got(0, 1, 1, 20);
	got(40, 1, 0, 60);
	assert_int_equal(read(30, 10), ST_OK);
	got(0, 10, 0, 30);
}

/* As before, and both for the first time, in one request, side by side; then one sector is on no
 * leg. */
static void test_by_sector(void **state)
{
	pair();
	memdisk_fail(&mem[0], 10 + 20, 1);
	memdisk_fail(&mem[1], 20 + 21, 1);
	assert_int_equal(read(16, 8), ST_OK);
	got(4, 1, 1, 20);
	got(5, 1, 0, 21);
	for (unsigned i = 0; i < 8; i++)
		assert_true(sector_is(buf + i * 512, 0xa0, 10 + 16 + i) ||
			    sector_is(buf + i * 512, 0xa1, 20 + 16 + i));
	assert_int_equal(set.failovers, 2);
	memdisk_fail(&mem[1], 20 + 20, 1);
	assert_int_equal(read(16, 8), ST_IO);
	assert_int_equal(read(16, 4), ST_OK);
}

/* One disk is dead, the other has a bad sector: the dead one is asked only where it may be needed.
 */
static void test_by_sector_dead(void **state)
{
	pair();
	mem[0].dead = true;
	memdisk_fail(&mem[1], 20 + 20, 1);
	requests(0);
	assert_int_equal(read(0, 40), ST_IO);
	assert_true(requests(0) <= 3);
}

/* After a failure a leg that is the only one for a part of the request can't serve that part. */
/* No leg can give the whole request: each sector comes from one that can, the first time too. */
static void test_bad_in_different_pieces(void **state)
{
	for (unsigned turn = 0; turn < 2; turn++) {
		if (turn == 0) {
			new_vdisk();
			extent(10, 0, 0, 1);
			extent(10, 10, 0, NONE); /* a hole of leg 1 */
			memdisk_fail(&mem[0], 10 + 5, 1);
		}
		assert_int_equal(read(0, 20), ST_OK);
		got(0, 10, 1, 0);
		got(10, 10, 0, 10);
		assert_int_equal(set.failovers, 1);
	}
	/* as well when the good leg of the first piece has failed elsewhere before */
	set.leg[1].latched = 1;
	assert_int_equal(read(0, 20), ST_OK);
	got(0, 5, 0, 0);
	got(5, 5, 1, 5);
	got(10, 10, 0, 10);
	/* and no leg at all for one of them */
	memdisk_fail(&mem[0], 10 + 15, 1);
	assert_int_equal(read(0, 20), ST_IO);
}

/* Legs of other mirrors on the disk that failed: they go too, but for one that was not closed. */
static void test_disk_is_latched(void **state)
{
	new_vdisk();
	extent(10, 0, 0, 1);
	extent(10, 40, 2, 1);
	extent(10, 50, 3, 1);
	set.leg[2] = (struct vdisk_leg){.start_lba = 10, .disk = 0, .mirror = 1};
	set.leg[3] = (struct vdisk_leg){.start_lba = 10, .disk = 0, .mirror = 2, .steady = true};
	memdisk_fail(&mem[0], 10, 1);
	assert_int_equal(read(0, 1), ST_OK);
	assert_int_equal(set.failovers, 1);
	assert_int_equal(set.failed_disk, 0);
	requests(0);
	requests(1);
	assert_int_equal(read(10, 1), ST_OK); /* of leg 2: not asked any more */
	assert_int_equal(requests(0), 0);
	assert_int_equal(read(20, 1), ST_OK); /* of leg 3: still */
	assert_int_equal(requests(0), 1);
	assert_true(sector_is(buf, 0xa0, 60));
}

/* What has missed a write is not read, not even where nobody else is left. */
static void test_expelled(void **state)
{
	pair();
	set.leg[0].latched = VDISK_EXPELLED;
	assert_int_equal(read(0, 1), ST_OK);
	got(0, 1, 1, 0);
	mem[1].dead = true;
	assert_int_equal(read(0, 1), ST_IO);
	assert_int_equal(requests(0), 0);
}

static void test_both_dead(void **state)
{
	pair();
	mem[0].dead = mem[1].dead = true;
	assert_int_equal(read(0, 1), ST_IO);
	assert_int_equal(set.failovers, 2);
	assert_int_equal(requests(0), 1);
	assert_int_equal(requests(1), 1);
	/* still each once a request, and counted once */
	assert_int_equal(read(1, 1), ST_IO);
	assert_int_equal(requests(0), 1);
	assert_int_equal(requests(1), 1);
	assert_int_equal(set.failovers, 2);
	/* one comes back */
	mem[1].dead = false;
	assert_int_equal(read(2, 1), ST_OK);
	got(0, 1, 1, 2);
}

static void test_four_legs(void **state)
{
	new_vdisk();
	extent(100, 0, 0, 1);
	set.extent[0].leg[2] = 2;
	set.extent[0].leg[3] = 3;
	mem[0].dead = mem[1].dead = mem[2].dead = true;
	assert_int_equal(read(7, 3), ST_OK);
	got(0, 3, 3, 7);
	assert_int_equal(set.failovers, 3);
	mem[3].dead = true;
	assert_int_equal(read(7, 3), ST_IO);
	assert_int_equal(set.failovers, 4);
}

static void test_no_leg(void **state)
{
	new_vdisk();
	extent(10, 0, 0, NONE);
	extent(10, 0, NONE, NONE);
	assert_int_equal(read(10, 1), ST_IO);
	assert_int_equal(read(5, 10), ST_IO);
	assert_int_equal(set.failovers, 0);
	assert_int_equal(read(5, 5), ST_OK);
}

/* A leg number that the set has not: the list ends there, nothing is read past it. */
static void test_leg_out_of_range(void **state)
{
	new_vdisk();
	extent(10, 0, DISKS, 0);
	assert_int_equal(read(0, 1), ST_IO);
	for (unsigned i = 0; i < DISKS; i++)
		assert_int_equal(requests(i), 0);
}

/* A disk as it is has no other: it is not latched, and asked again. */
static void test_own_disk(void **state)
{
	new_vdisk();
	extent(100, 0, 0, NONE);
	set.leg[0].mirror = VDISK_NO_LEG;
	memdisk_fail(&mem[0], 10 + 3, 1);
	assert_int_equal(read(3, 1), ST_IO);
	assert_int_equal(set.failovers, 0);
	assert_int_equal(set.leg[0].latched, 0);
	assert_int_equal(read(4, 1), ST_OK);
	got(0, 1, 0, 4);
	assert_int_equal(requests(0), 2);
}

/* A disk that is shorter than its metadata say: its answer is a failure as any. */
static void test_short_disk(void **state)
{
	pair();
	mem[0].disk.sectors = disk[0].sectors = 60;
	assert_int_equal(read(45, 10), ST_OK);
	got(0, 10, 1, 45);
	assert_int_equal(set.failovers, 1);
}

static void test_range(void **state)
{
	pair();
	assert_int_equal(read(100, 1), ST_RANGE);
	assert_int_equal(read(99, 2), ST_RANGE);
	assert_int_equal(read(0, 101), ST_RANGE);
	assert_int_equal(read(UINT64_MAX, 1), ST_RANGE);
	assert_int_equal(read(UINT64_MAX, 2), ST_RANGE);
	assert_int_equal(read(1, UINT32_MAX), ST_RANGE);
	assert_int_equal(vdisk_read(&set, 1, disk, 0, 1, buf), ST_RANGE);
	assert_int_equal(vdisk_read(&set, 255, disk, 0, 1, buf), ST_RANGE);
	assert_int_equal(read(100, 0), ST_OK);
	assert_int_equal(read(101, 0), ST_RANGE);
	assert_int_equal(requests(0), 0);
	assert_int_equal(requests(1), 0);
	assert_int_equal(read(0, 100), ST_OK);
	assert_int_equal(set.failovers, 0);
}

static void test_write(void **state)
{
	pair();
	assert_int_equal(vdisk_write(&set, 0, disk, 0, 1, buf), ST_READONLY);
	assert_int_equal(vdisk_write(&set, 0, disk, 99, 1, buf), ST_READONLY);
	assert_int_equal(vdisk_write(&set, 0, disk, 99, 2, buf), ST_RANGE);
	assert_int_equal(vdisk_write(&set, 1, disk, 0, 1, buf), ST_RANGE);
	assert_int_equal(requests(0), 0);
	assert_true(sector_is(mem[0].bytes + 10 * 512, 0xa0, 10));
}

static void test_large_sectors(void **state)
{
	struct memdisk large[2];
	struct disk two[2];

	for (unsigned i = 0; i < 2; i++) {
		memdisk_open(&large[i], 40, 12);
		memdisk_fill(&large[i], 0, 320, (uint8_t)(0xa0 + i), 0);
		two[i] = large[i].disk;
		set.leg[i].start_lba = 2;
	}
	new_vdisk();
	set.vdisk[0].shift = 12;
	extent(10, 0, 0, NONE);
	extent(10, 10, 1, NONE);
	assert_int_equal(vdisk_read(&set, 0, two, 9, 2, buf), ST_OK);
	for (unsigned i = 0; i < 8; i++) {
		assert_true(sector_is(buf + i * 512, 0xa0, (2 + 9) * 8 + i));
		assert_true(sector_is(buf + 4096 + i * 512, 0xa1, (2 + 10) * 8 + i));
	}
	for (unsigned i = 0; i < 2; i++)
		memdisk_close(&large[i]);
}

static void test_as_disk(void **state)
{
	struct vdisk_handle h = {.set = &set, .v = 0, .disk = disk};
	struct disk d;

	pair();
	d = vdisk_as_disk(&h);
	assert_int_equal(d.sectors, 100);
	assert_int_equal(d.shift, 9);
	assert_null(d.write);
	mem[0].dead = true;
	assert_int_equal(disk_read(&d, 9, 2, buf), ST_OK);
	got(0, 2, 1, 9);
	assert_int_equal(disk_read(&d, 99, 2, buf), ST_RANGE);
	assert_int_equal(d.read(&d, 99, 2, buf), ST_RANGE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_best_leg),
		TEST(test_extents),
		TEST(test_second_vdisk),
		TEST(test_failover_and_latch),
		TEST(test_whole_request_again),
		TEST(test_other_mirror_stays),
		TEST(test_last_resort),
		TEST(test_bad_in_different_pieces),
		TEST(test_disk_is_latched),
		TEST(test_expelled),
		TEST(test_by_sector),
		TEST(test_by_sector_dead),
		TEST(test_both_dead),
		TEST(test_four_legs),
		TEST(test_no_leg),
		TEST(test_leg_out_of_range),
		TEST(test_own_disk),
		TEST(test_short_disk),
		TEST(test_range),
		TEST(test_write),
		TEST(test_large_sectors),
		TEST(test_as_disk),
	};

	return cmocka_run_group_tests_name("vdisk", tests, NULL, NULL);
}
