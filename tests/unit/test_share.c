/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Which legs share a read, how it is cut, and when that pays. Sets are made by hand. */
#include "tests/unit/help_md.h"

#include "common/share.h"

#include <string.h>

#define NONE VDISK_NO_LEG
#define LEGS 4u
#define DATA 10000u

static struct survey s;
static struct vdisk_set set;
static struct vdisk_tables tables;
static struct share sh;
static struct share_part part[VDISK_EXTENT_LEGS];

/*
 * One mirror of four legs in sync, leg i on disk i, data at LBA 100 * (i + 1); one vdisk
 * with metadata of 50 sectors before the data and 50 behind, in one extent.
 */
static int setup(void **state)
{
	struct mirror *m = &s.mirror[0];

	memset(&s, 0, sizeof(s));
	memset(&set, 0, sizeof(set));
	memset(&tables, 0, sizeof(tables));
	set.vdisk = tables.vdisk;
	set.leg = tables.leg;
	set.extent = tables.extent;
	s.mirror_count = 1;
	m->size_s512 = DATA;
	m->leg_count = LEGS;
	for (unsigned i = 0; i < LEGS; i++) {
		s.member[i].events = 7;
		m->leg[i] = (struct leg){.member = (uint8_t)i, .verdict = VERDICT_IN_SYNC};
		set.leg[i] = (struct vdisk_leg){
			.start_lba = 100 * (i + 1), .disk = (uint8_t)i, .leg = (uint8_t)i};
	}
	set.leg_count = LEGS;
	set.extent[0] = (struct vdisk_extent){
		.sectors = DATA + 100, .offset = (uint64_t)-50, .leg = {2, 0, NONE, NONE}};
	set.vdisk[0] = (struct vdisk){.sectors = DATA + 100, .extent_count = 1, .shift = 9};
	set.extent_count = 1;
	set.vdisk_count = 1;
	return 0;
}

static unsigned cut(uint64_t lba, uint32_t n)
{
	memset(part, 0x77, sizeof(part));
	return share_cut(&sh, 0, lba, n, 256, part);
}

/* Parts that are the request, whole, without gap or overlap. */
static void whole(unsigned count, uint64_t lba, uint32_t n)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(part[i].at, at);
		assert_true(part[i].n > 0);
		assert_int_equal(part[i].lba, set.leg[part[i].leg].start_lba + lba - 50 + at);
		at += part[i].n;
	}
	assert_int_equal(at, n);
}

static void test_two_legs(void **state)
{
	share_init(&sh, &set, &s);
	assert_int_equal(sh.mask, 0xf);
	assert_int_equal(cut(50, 256), 2);
	assert_int_equal(part[0].leg, 2);
	assert_int_equal(part[1].leg, 0);
	assert_int_equal(part[0].n, 128);
	whole(2, 50, 256);
	assert_int_equal(cut(1000, 1001), 2);
	assert_int_equal(part[0].n & 7, 0);
	whole(2, 1000, 1001);
	assert_int_equal(cut(50, 255), 0);
}

static void test_three_and_four_legs(void **state)
{
	memcpy(set.extent[0].leg, (uint8_t[]){2, 0, 3, NONE}, 4);
	share_init(&sh, &set, &s);
	assert_int_equal(cut(50, 1000), 3);
	whole(3, 50, 1000);
	memcpy(set.extent[0].leg, (uint8_t[]){2, 0, 3, 1}, 4);
	assert_int_equal(cut(77, DATA - 27), 4);
	whole(4, 77, DATA - 27);
	assert_int_equal(share_cut(&sh, 0, 50, 16, 1, part), 0); /* less than 4 KiB each */
}

/* Each leg has a superblock of its own: only one may answer for it. */
static void test_metadata(void **state)
{
	share_init(&sh, &set, &s);
	assert_int_equal(cut(50, DATA), 2);
	assert_int_equal(cut(49, DATA), 0);
	assert_int_equal(cut(50, DATA + 1), 0);
	assert_int_equal(cut(51, DATA), 0);
	assert_int_equal(cut(0, 300), 0);
	/* md counts in 512 bytes whatever the sector. */
	set.vdisk[0].shift = 12;
	assert_int_equal(cut(50, DATA / 8), 2);
	assert_int_equal(cut(50, DATA / 8 + 1), 0);
}

static void test_bounds(void **state)
{
	share_init(&sh, &set, &s);
	assert_int_equal(cut(DATA + 99, 256), 0);
	assert_int_equal(cut(UINT64_MAX - 10, 256), 0);
	assert_int_equal(share_cut(&sh, 1, 50, 512, 256, part), 0);
	/* Two extents: each would have other legs. */
	set.extent[0].sectors = 1000;
	set.extent[1] = (struct vdisk_extent){
		.lba = 1000, .sectors = DATA - 900, .offset = 950, .leg = {0, 2, NONE, NONE}};
	set.vdisk[0].extent_count = 2;
	assert_int_equal(cut(800, 200), 0);
	assert_int_equal(cut(700, 300), 2);
	assert_int_equal(cut(701, 300), 0);
	assert_int_equal(cut(1000, 300), 2);
	assert_int_equal(part[0].leg, 0);
	whole(2, 1000, 300);
}

static unsigned refused_by(void)
{
	share_init(&sh, &set, &s);
	return cut(50, 512) == 0;
}

static void test_who_may(void **state)
{
	static const uint8_t flags[] = {MEMBER_WRITE_MOSTLY, MEMBER_FAILFAST, MEMBER_REPLACEMENT,
					MEMBER_PARTIAL};

	/* The best leg, or the other: with either out, one reads alone. */
	for (unsigned leg = 0; leg <= 2; leg += 2) {
		for (unsigned i = 0; i < sizeof(flags); i++) {
			s.member[leg].flags = flags[i];
			assert_true(refused_by());
			s.member[leg].flags = 0;
		}
		s.mirror[0].leg[leg].verdict = VERDICT_REBUILDING;
		assert_true(refused_by());
		s.mirror[0].leg[leg].verdict = VERDICT_IN_SYNC;
		set.leg[leg].steady = true;
		assert_true(refused_by());
		set.leg[leg].steady = false;
		set.leg[leg].latched = VDISK_LATCHED;
		assert_true(refused_by());
		set.leg[leg].latched = VDISK_EXPELLED;
		assert_true(refused_by());
		set.leg[leg].latched = VDISK_GOOD;
		assert_false(refused_by());
	}
	s.member[2].events = 6; /* the chosen leg is leg 0 of the mirror */
	assert_true(refused_by());
	s.member[2].events = 7;
	s.mirror[0].dirty = true;
	assert_true(refused_by());
	s.mirror[0].dirty = false;
	set.leg[2].mirror = VDISK_NO_LEG;
	assert_true(refused_by());
	set.leg[2].mirror = 0;
	set.leg[2].disk = 0; /* one disk: nothing is gained */
	assert_true(refused_by());
	set.leg[2].disk = 2;
	s.mirror[0].chosen = NO_LEG;
	assert_true(refused_by());
}

/* Latched while it goes on: vdisk_read()'s next leg comes first, alone when it may not share. */
static void test_latched_meanwhile(void **state)
{
	struct vdisk_place p;
	uint8_t leg[VDISK_EXTENT_LEGS];

	memcpy(set.extent[0].leg, (uint8_t[]){2, 0, 3, NONE}, 4);
	s.member[0].flags = MEMBER_WRITE_MOSTLY;
	share_init(&sh, &set, &s);
	assert_true(vdisk_locate(&set, &set.vdisk[0], 100, 8, &p));
	assert_int_equal(share_legs(&sh, 0, &p, leg), 2);
	assert_int_equal(leg[0], 2);
	assert_int_equal(leg[1], 3);
	set.leg[2].latched = VDISK_LATCHED;
	assert_int_equal(share_legs(&sh, 0, &p, leg), 1);
	assert_int_equal(leg[0], 0);
	set.leg[0].latched = set.leg[3].latched = VDISK_LATCHED;
	assert_int_equal(share_legs(&sh, 0, &p, leg), 0);
}

/* ---- does it pay? ---- */

/*
 * A disk that takes 10 ticks a unit, and a firmware with a fixed cost for requests that are
 * not waited for. Read this until nothing is learnt any more: is it cut?
 */
static bool settles_on_cutting(struct share_pace *p, uint64_t units, uint64_t fixed)
{
	for (unsigned i = 0; i < 40; i++) {
		if (share_pays(p, units))
			share_learn(p, units, fixed + units * 10 / 2);
		else
			share_plain(p, units, units * 10);
	}
	return share_pays(p, units);
}

static void test_pace(void **state)
{
	struct share_pace p;

	/* Nothing is known of plain reads yet. */
	share_pace_init(&p);
	assert_false(share_pays(&p, 1000));
	share_plain(&p, 4, 40);
	assert_true(share_pays(&p, 16));
	assert_false(share_pays(&p, 15));

	/* No cost at all: short ones are cut, too; a single unit never. */
	assert_true(settles_on_cutting(&p, 64, 0));
	assert_true(settles_on_cutting(&p, 32, 0));
	assert_true(share_pays(&p, 2));
	assert_false(share_pays(&p, 1));

	/* A cost of 1000 ticks, what 100 units take: worth it from some 400 units on. */
	share_pace_init(&p);
	assert_false(settles_on_cutting(&p, 16, 1000));
	assert_false(settles_on_cutting(&p, 100, 1000));
	assert_false(settles_on_cutting(&p, 200, 1000));
	assert_true(settles_on_cutting(&p, 1000, 1000));
	/* One try is enough: 1240 ticks twice over are half of what 496 units take. */
	share_pace_init(&p);
	share_plain(&p, 16, 160);
	share_learn(&p, 16, 1240 + 80);
	assert_int_equal(p.min_units, 512);
	assert_true(settles_on_cutting(&p, 1000, 0)); /* however well longer ones go */
	assert_false(share_pays(&p, 511));
	assert_true(share_pays(&p, 512));
	/* And what it has learnt of shorter ones stays. */
	assert_false(settles_on_cutting(&p, 200, 1000));
}

/* One disk after the other: never worth it, and a handful of tries says so. */
static void test_pace_in_turns(void **state)
{
	struct share_pace p;
	unsigned tries = 0;

	share_pace_init(&p);
	for (unsigned i = 0; i < 1000; i++) {
		if (share_pays(&p, 256)) {
			tries++;
			share_learn(&p, 256, 256 * 10);
		} else {
			share_plain(&p, 256, 256 * 10);
		}
	}
	assert_int_equal(tries, 1);
}

/* Clocks that jump, and sizes that nobody has: ignored. */
static void test_pace_nonsense(void **state)
{
	struct share_pace p, before;

	share_pace_init(&p);
	share_plain(&p, 16, 160);
	before = p;
	share_plain(&p, 0, 5);
	share_plain(&p, 16, UINT64_MAX);
	share_plain(&p, UINT64_MAX, 5);
	share_learn(&p, 0, 5);
	share_learn(&p, 16, UINT64_MAX);
	share_learn(&p, UINT64_MAX, 5);
	assert_memory_equal(&p, &before, sizeof(p));
	assert_false(share_pays(&p, UINT64_MAX));
	/* Older reads fade. */
	for (unsigned i = 0; i < 100; i++) {
		share_plain(&p, 512, 512 * 1000);
		assert_true(p.plain_units <= 1024 && p.plain_units >= 512);
	}
	assert_true(p.plain_ticks > p.plain_units * 900);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_two_legs),      TEST(test_three_and_four_legs),
		TEST(test_metadata),      TEST(test_bounds),
		TEST(test_who_may),       TEST(test_latched_meanwhile),
		TEST(test_pace),          TEST(test_pace_in_turns),
		TEST(test_pace_nonsense),
	};

	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
