/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Which legs serve which sector: against a look at each sector by itself. */
#include "tests/unit/help_md.h"

#include "common/extents.h"

#include <string.h>

#define SECTORS 40

static struct survey s;
static struct disk disks[4];
static struct vdisk_set set;
static struct vdisk_tables tables;
static uint32_t state = 1;

static unsigned any(unsigned below)
{
	state = state * 1664525 + 1013904223;
	return (state >> 16) % below;
}

static void fresh_set(void)
{
	memset(&tables, 0, sizeof(tables));
	set = (struct vdisk_set){.leg = tables.leg, .extent = tables.extent};
}

static void make_mirror(unsigned legs, unsigned shift)
{
	struct mirror *m = &s.mirror[0];

	memset(&s, 0, sizeof(s));
	s.mirror_count = 1;
	s.disk = disks;
	m->leg_count = m->order_count = (uint8_t)legs;
	for (unsigned i = 0; i < legs; i++) {
		struct member *mem = &s.member[i];

		disks[i].shift = (uint8_t)shift;
		mem->disk = (uint8_t)i;
		mem->start_lba = 100 * (i + 1);
		m->leg[i].member = (uint8_t)i;
		m->order[i] = (uint8_t)(legs - 1 - i);
	}
}

/* Is sector k of the data in a hole of this member, or behind its limit? */
static bool is_bad(const struct member *m, unsigned k, unsigned per)
{
	uint64_t from = k * per, end = from + per;

	if ((m->flags & MEMBER_PARTIAL) && end > m->good_s512)
		return true;
	for (unsigned i = 0; i < m->hole_count; i++)
		if (m->hole[i].start_s512 < end &&
		    m->hole[i].start_s512 + m->hole[i].len_s512 > from)
			return true;
	return false;
}

static const struct vdisk_extent *extent_of(uint64_t lba)
{
	for (unsigned i = 0; i < set.extent_count; i++)
		if (lba >= set.extent[i].lba && lba < set.extent[i].lba + set.extent[i].sectors)
			return &set.extent[i];
	return NULL;
}

static void compare(unsigned legs, unsigned per)
{
	uint64_t next = 7;

	for (unsigned i = 0; i < set.extent_count; i++) { /* one behind the other, none empty */
		assert_int_equal(set.extent[i].lba, next);
		assert_true(set.extent[i].sectors > 0);
		next += set.extent[i].sectors;
	}
	assert_int_equal(next, 7 + SECTORS);
	for (unsigned k = 0; k < SECTORS; k++) {
		const struct vdisk_extent *e = extent_of(7 + k);
		unsigned n = 0;

		assert_non_null(e);
		assert_int_equal(e->offset + (7 + k - e->lba), k);
		for (unsigned i = legs; i-- > 0;) {
			if (is_bad(&s.member[i], k, per))
				continue;
			const struct vdisk_leg *l = &set.leg[e->leg[n++]];

			assert_int_equal(l->disk, i);
			assert_int_equal(l->start_lba, 100 * (i + 1));
			assert_int_equal(l->mirror, 0);
			assert_int_equal(l->leg, i);
		}
		for (; n < VDISK_EXTENT_LEGS; n++)
			assert_int_equal(e->leg[n], VDISK_NO_LEG);
	}
}

/* Sorted and apart, as md1.c keeps them. */
static void dig(struct member *m, unsigned s512)
{
	unsigned at = any(6);

	while (m->hole_count < 3 && at < s512) {
		struct hole *h = &m->hole[m->hole_count++];

		h->start_s512 = at;
		h->len_s512 = 1 + any(9);
		at += (unsigned)h->len_s512 + 1 + any(s512 / 2);
	}
	if (any(3) == 0) {
		m->flags |= MEMBER_PARTIAL;
		m->good_s512 = any(s512 + 1);
	}
}

static void each_sector(void **state_)
{
	for (unsigned turn = 0; turn < 3000; turn++) {
		unsigned shift = turn % 3 ? 9 : 12, per = 1u << (shift - 9), legs = 1 + any(3);
		struct extents b = {.set = &set, .s = &s, .shift = (uint8_t)shift, .lba = 7};

		make_mirror(legs, shift);
		fresh_set();
		for (unsigned i = 0; i < legs; i++)
			if (any(4))
				dig(&s.member[i], SECTORS * per);
		extents_data(&b, 0, SECTORS);
		assert_int_equal(b.st, ST_OK);
		assert_int_equal(b.lba, 7 + SECTORS);
		compare(legs, per);
	}
}

/* All holes of a leg taken for one: from the first's start to where the last of them ends. */
static void coarse(void **state_)
{
	struct extents b = {.set = &set, .s = &s, .shift = 9, .coarse = true};

	make_mirror(1, 9);
	fresh_set();
	s.member[0].hole_count = 3;
	s.member[0].hole[0] = (struct hole){4, 20};
	s.member[0].hole[1] = (struct hole){10, 2};
	s.member[0].hole[2] = (struct hole){14, 1};
	extents_data(&b, 0, SECTORS);
	assert_int_equal(set.extent_count, 3);
	assert_int_equal(set.extent[1].lba, 4);
	assert_int_equal(set.extent[1].sectors, 20);
	assert_int_equal(set.extent[1].leg[0], VDISK_NO_LEG);
}

static void a_disk_with_other_sectors_serves_nothing(void **state_)
{
	struct extents b = {.set = &set, .s = &s, .shift = 9};

	make_mirror(2, 9);
	disks[1].shift = 12;
	fresh_set();
	extents_data(&b, 0, SECTORS);
	assert_int_equal(set.extent_count, 1);
	assert_int_equal(set.leg[set.extent[0].leg[0]].disk, 0);
	assert_int_equal(set.extent[0].leg[1], VDISK_NO_LEG);
}

/* A place that is known is not made a second time; one that differs in anything is another. */
static void legs_are_kept_once(void **state_)
{
	struct extents b = {.set = &set, .s = &s, .shift = 9};
	struct vdisk_leg leg[5] = {{.disk = 1, .start_lba = 2, .mirror = 3, .leg = 4}};

	fresh_set();
	for (unsigned i = 1; i < 5; i++)
		leg[i] = leg[0];
	leg[1].disk++;
	leg[2].start_lba++;
	leg[3].mirror++;
	leg[4].leg++;
	for (unsigned turn = 0; turn < 2; turn++)
		for (unsigned i = 0; i < 5; i++)
			assert_int_equal(extents_leg(&b, &leg[i]), i);
	assert_int_equal(set.leg_count, 5);
	for (unsigned i = 5; i < VDISK_LEGS; i++) {
		struct vdisk_leg more = {.disk = 9, .start_lba = i};

		assert_int_equal(extents_leg(&b, &more), i);
	}
	assert_int_equal(b.st, ST_OK);
	assert_int_equal(extents_leg(&b, &leg[3]), 3);
	leg[0].disk = 77;
	assert_int_equal(extents_leg(&b, &leg[0]), VDISK_NO_LEG);
	assert_int_equal(b.st, ST_FULL);
	assert_int_equal(set.leg_count, VDISK_LEGS);
}

static void added(void **state_)
{
	struct extents b = {.set = &set, .s = &s, .shift = 9};
	uint8_t leg[2][VDISK_EXTENT_LEGS] = {{0}, {1}};

	fresh_set();
	extents_add(&b, 0, 0, leg[0]); /* of nothing there is no extent */
	assert_int_equal(set.extent_count, 0);
	extents_add(&b, 5, 10, leg[0]);
	extents_add(&b, 5, 15, leg[0]); /* goes on */
	extents_add(&b, 5, 21, leg[0]); /* does not */
	extents_add(&b, 5, 26, leg[1]); /* another leg */
	assert_int_equal(set.extent_count, 3);
	assert_int_equal(set.extent[0].sectors, 10);
	assert_int_equal(set.extent[1].lba, 10);
	assert_int_equal(set.extent[2].lba, 15);
	assert_int_equal(b.lba, 20);
	b.first_extent = 3; /* the next vdisk's are not those of the last one */
	extents_add(&b, 5, 31, leg[1]);
	assert_int_equal(set.extent_count, 4);
	while (set.extent_count < VDISK_EXTENTS)
		extents_add(&b, 1, set.extent_count % 2 ? 1000 : 2000, leg[0]);
	assert_int_equal(b.st, ST_OK);
	extents_add(&b, 1, 5000, leg[1]);
	assert_int_equal(b.st, ST_FULL);
	assert_int_equal(set.extent_count, VDISK_EXTENTS);
	set.extent_count--;
	extents_add(&b, 1, 6000, leg[1]); /* the first failure sticks */
	assert_int_equal(set.extent_count, VDISK_EXTENTS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sector),
		cmocka_unit_test(coarse),
		cmocka_unit_test(a_disk_with_other_sectors_serves_nothing),
		cmocka_unit_test(legs_are_kept_once),
		cmocka_unit_test(added),
	};

	return cmocka_run_group_tests_name("extents", tests, NULL, NULL);
}
