/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Disks that are made up: volumes where they believe to be, and what lies between them. */
#include "tests/unit/help_md.h"

#include "common/vdisk.h"
#include "common/view.h"

#include <string.h>

#define DISKS   4u
#define TABLE   4u /* the index of the table's disk */
#define SECTORS 2048u

static struct memdisk mem[DISKS + 1];
static struct disk disk[DISKS + 1];
static struct survey s;
static struct vdisk_set set;
static struct vdisk_tables tables;
static unsigned v;
static uint8_t buf[512];

/* Two mirrors: 512 sectors each, from 164 on disks 0 and 1, from 264 on disks 2 and 3. */
static int setup(void **state)
{
	for (unsigned i = 0; i <= DISKS; i++) {
		memdisk_open(&mem[i], SECTORS, 9);
		memdisk_fill(&mem[i], 0, SECTORS, (uint8_t)(0xa0 + i), 0);
	}
	for (unsigned i = 0; i < DISKS; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i % 2);

		spec.uuid = (uint8_t)(1 + i / 2);
		memset(mem[i].bytes, 0, 512);
		memdisk_mbr(&mem[i], 1, 0xfd, 100 + i / 2 * 100, 800);
		md1_put(&mem[i], 100 + i / 2 * 100, 800, &spec);
	}
	for (unsigned i = 0; i <= DISKS; i++)
		disk[i] = mem[i].disk;
	survey_run(&s, disk, DISKS);
	assert_int_equal(s.mirror_count, 2);
	view_init(&set, &tables);
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i <= DISKS; i++)
		memdisk_close(&mem[i]);
	return 0;
}

static unsigned mirror_on(unsigned d)
{
	return s.mirror[0].leg[0].disk == d ? 0 : 1;
}

/* Sectors from..to of the vdisk are those of disk d from `at` on. */
static void is_of(uint64_t from, uint64_t to, unsigned d, uint64_t at)
{
	for (uint64_t i = from; i < to; i++) {
		assert_int_equal(vdisk_read(&set, v, disk, i, 1, buf), ST_OK);
		if (memcmp(buf, mem[d].bytes + (at + i - from) * 512, 512) != 0)
			fail_msg("sector %u is not sector %u of disk %u", (unsigned)i,
				 (unsigned)(at + i - from), d);
	}
}

static void test_one(void **state)
{
	struct view_place place = {.lba = 63, .mirror = (uint8_t)mirror_on(0)};

	assert_int_equal(view_add_volumes(&set, &s, TABLE, &place, 1, &v), ST_OK);
	assert_int_equal(set.vdisk[v].sectors, 63 + 512);
	assert_int_equal(set.vdisk[v].base, VDISK_NO_LEG);
	assert_int_equal(set.vdisk[v].mirror, place.mirror);
	is_of(0, 63, TABLE, 0);
	is_of(63, 63 + 512, 0, 164);
	assert_int_equal(vdisk_read(&set, v, disk, 63 + 512, 1, buf), ST_RANGE);
}

/* A request across the border, and across a leg that fails. */
static void test_failover(void **state)
{
	struct view_place place = {.lba = 63, .mirror = (uint8_t)mirror_on(0)};
	uint8_t many[4 * 512];

	assert_int_equal(view_add_volumes(&set, &s, TABLE, &place, 1, &v), ST_OK);
	memdisk_fail(&mem[0], 165, 1);
	assert_int_equal(vdisk_read(&set, v, disk, 61, 4, many), ST_OK);
	assert_memory_equal(many, mem[TABLE].bytes + 61 * 512, 1024);
	assert_memory_equal(many + 1024, mem[1].bytes + 164 * 512, 1024);
	assert_int_equal(set.failovers, 1);
}

static void test_two_with_a_gap(void **state)
{
	struct view_place place[] = {{.lba = 100, .mirror = (uint8_t)mirror_on(2)},
				     {.lba = 700, .mirror = (uint8_t)mirror_on(0)}};

	assert_int_equal(view_add_volumes(&set, &s, TABLE, place, 2, &v), ST_OK);
	assert_int_equal(set.vdisk[v].sectors, 700 + 512);
	is_of(0, 100, TABLE, 0);
	is_of(100, 612, 2, 264);
	is_of(612, 700, TABLE, 612);
	is_of(700, 1212, 0, 164);
}

/* Nothing of what lies between may be written: it is no disk's. */
static void test_read_only_between(void **state)
{
	struct view_place place = {.lba = 63, .mirror = (uint8_t)mirror_on(0)};

	assert_int_equal(view_add_volumes(&set, &s, TABLE, &place, 1, &v), ST_OK);
	assert_int_equal(vdisk_write(&set, v, disk, 5, 1, buf), ST_READONLY);
}

static void test_unusable(void **state)
{
	struct view_place place[] = {{.lba = 100, .mirror = (uint8_t)mirror_on(2)},
				     {.lba = 700, .mirror = (uint8_t)mirror_on(0)}};
	struct vdisk_set before = set;

	s.mirror[place[1].mirror].chosen = NO_LEG;
	assert_int_equal(view_add_volumes(&set, &s, TABLE, place, 2, &v), ST_ABSENT);
	place[1].mirror = 2;
	assert_int_equal(view_add_volumes(&set, &s, TABLE, place, 2, &v), ST_ABSENT);
	assert_memory_equal(&set, &before, sizeof(set));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one),
		TEST(test_failover),
		TEST(test_two_with_a_gap),
		TEST(test_read_only_between),
		TEST(test_unusable),
	};

	return cmocka_run_group_tests_name("view_volumes", tests, NULL, NULL);
}
