/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * judge: the cases that Linux decides, over members without disks. Each scene is
 * judged in every order of its disks: the verdicts must be the same.
 */
#include "tests/unit/help_md.h"

#include <string.h>

#define SCENE_MAX 4

static struct member scene[SCENE_MAX]; /* member i lies on "its" disk, i */
static unsigned scene_count;
static bool silent; /* one more disk, that did not answer */
static struct survey s;
static unsigned on_disk[SCENE_MAX]; /* where member i is in this order */

static struct member *add(unsigned dev, unsigned raid_disks)
{
	assert_true(scene_count < SCENE_MAX);
	scene[scene_count] = make_member(dev, raid_disks);
	return &scene[scene_count++];
}

static int setup(void **state)
{
	scene_count = 0;
	silent = false;
	return 0;
}

static void judge_order(const unsigned *order)
{
	memset(&s, 0, sizeof(s));
	for (unsigned i = 0; i < scene_count; i++) {
		survey_add(&s, &scene[order[i]], i);
		on_disk[order[i]] = i;
	}
	if (silent)
		s.found[s.disk_count++].io_error = true;
	assert_int_equal(mirror_assemble(&s), ST_OK);
	assert_int_equal(s.mirror_count, 1);
	leg_judge(&s);
}

/* Is this what mirror 0 looks like, whatever disks its legs are on? */
static void assert_same(const struct mirror *a, const struct mirror *b)
{
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->dirty, b->dirty);
	assert_int_equal(a->newest, b->newest);
	assert_int_equal(a->chosen, b->chosen);
	assert_int_equal(a->expected, b->expected);
	assert_int_equal(a->size_s512, b->size_s512);
	assert_int_equal(a->leg_count, b->leg_count);
	assert_int_equal(a->order_count, b->order_count);
	assert_string_equal(a->name, b->name);
	for (unsigned i = 0; i < a->order_count; i++)
		assert_int_equal(a->order[i], b->order[i]);
	for (unsigned i = 0; i < a->leg_count; i++) {
		const struct leg *x = &a->leg[i], *y = &b->leg[i];

		assert_int_equal(x->verdict, y->verdict);
		assert_int_equal(x->role, y->role);
		assert_int_equal(x->generation, y->generation);
		assert_int_equal(x->why.code, y->why.code);
		assert_int_equal(x->why.a, y->why.a);
		assert_int_equal(x->why.b, y->why.b);
	}
}

/* Judge in every order (Heap's algorithm, as a loop); the first order is left in s. */
static void judge(void)
{
	unsigned order[SCENE_MAX] = {0, 1, 2, 3}, count[SCENE_MAX] = {0}, i = 1;
	struct mirror first;

	judge_order(order);
	first = s.mirror[0];
	while (i < scene_count) {
		if (count[i] == i) {
			count[i++] = 0;
			continue;
		}

		unsigned k = i % 2 ? count[i] : 0, swap = order[i];

		order[i] = order[k];
		order[k] = swap;
		judge_order(order);
		assert_same(&s.mirror[0], &first);
		count[i]++;
		i = 1;
	}
	for (i = 0; i < SCENE_MAX; i++)
		order[i] = i;
	judge_order(order);
}

static const struct leg *leg_of(unsigned member)
{
	return leg_on(&s, 0, on_disk[member]);
}

static void leg_is(unsigned member, enum verdict v, enum reason_code code)
{
	assert_int_equal(leg_of(member)->verdict, v);
	assert_int_equal(leg_of(member)->why.code, code);
}

static void why_is(unsigned member, uint64_t a, uint64_t b)
{
	assert_int_equal(leg_of(member)->why.a, a);
	assert_int_equal(leg_of(member)->why.b, b);
}

static void mirror_is(enum mirror_state state, int chosen_member)
{
	const struct mirror *m = &s.mirror[0];

	assert_int_equal(m->state, state);
	if (chosen_member < 0) {
		assert_int_equal(m->chosen, NO_LEG);
		assert_int_equal(m->order_count, 0);
		return;
	}
	assert_true(m->chosen < m->leg_count);
	assert_int_equal(m->leg[m->chosen].disk, on_disk[chosen_member]);
	assert_int_equal(m->order[0], m->chosen);
}

static void drop(struct member *m, unsigned dev)
{
	m->roles[dev] = ROLE_FAULTY;
}

static void test_healthy(void **state)
{
	add(0, 2);
	add(1, 2);
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
	leg_is(0, VERDICT_IN_SYNC, REASON_IN_SYNC);
	leg_is(1, VERDICT_IN_SYNC, REASON_IN_SYNC);
	assert_int_equal(s.mirror[0].order_count, 2);
	assert_int_equal(s.mirror[0].expected, 2);
	assert_int_equal(s.mirror[0].size_s512, 512);
	assert_int_equal(s.mirror[0].newest, 0);
	assert_false(s.mirror[0].dirty);
	assert_int_equal(leg_of(1)->generation, 100);
}

static void test_three_legs(void **state)
{
	for (unsigned i = 0; i < 3; i++)
		add(i, 3);
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
	assert_int_equal(s.mirror[0].order_count, 3);
}

/* Disk 0 failed, disk 1 went on: what GRUB alone gets wrong. */
static void test_stale(void **state)
{
	add(0, 2)->events = 19;
	add(1, 2)->events = 24;
	drop(&scene[1], 0);
	judge();
	mirror_is(MIRROR_DEGRADED, 1);
	leg_is(0, VERDICT_STALE, REASON_STALE);
	why_is(0, 19, 24);
	leg_is(1, VERDICT_IN_SYNC, REASON_IN_SYNC);
	assert_int_equal(s.mirror[0].order_count, 1);
	assert_int_equal(s.mirror[0].newest, 1);
}

/* Missed writes, though nobody has noted that it failed (power cut in between). */
static void test_stale_and_expected(void **state)
{
	add(0, 2)->events = 98;
	add(1, 2);
	judge();
	mirror_is(MIRROR_DEGRADED, 1);
	leg_is(0, VERDICT_STALE, REASON_STALE);
	why_is(0, 98, 100);
}

static void test_one_event_margin(void **state)
{
	add(0, 2)->events = 99;
	add(1, 2);
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
	leg_is(0, VERDICT_IN_SYNC, REASON_WITHIN_MARGIN);
	why_is(0, 99, 100);
	leg_is(1, VERDICT_IN_SYNC, REASON_IN_SYNC);
	/* the newest is the one that decides, though another is read */
	assert_int_equal(s.mirror[0].newest, 1);
}

static void test_margin_at_the_ends(void **state)
{
	add(0, 2)->events = 0;
	add(1, 2)->events = UINT64_MAX;
	judge();
	leg_is(0, VERDICT_STALE, REASON_STALE);
	scene[1].events = 1;
	judge();
	leg_is(0, VERDICT_IN_SYNC, REASON_WITHIN_MARGIN);
}

/* Within the margin, but the newest says that it failed: the crash came after that. */
static void test_failed_by_newest(void **state)
{
	add(0, 2)->events = 99;
	add(1, 2);
	drop(&scene[1], 0);
	judge();
	mirror_is(MIRROR_DEGRADED, 1);
	leg_is(0, VERDICT_FAULTY, REASON_FAILED_BY_NEWEST);
	why_is(0, 99, 100);
}

/* ---- split brain ---- */

static void test_split_brain(void **state)
{
	add(0, 2)->events = 130;
	add(1, 2)->events = 120;
	drop(&scene[0], 1);
	drop(&scene[1], 0);
	judge();
	mirror_is(MIRROR_SPLIT_BRAIN, 0);
	leg_is(0, VERDICT_IN_SYNC, REASON_IN_SYNC);
	leg_is(1, VERDICT_CONFLICT, REASON_SPLIT_BRAIN);
	why_is(1, 120, 130);
	assert_int_equal(s.mirror[0].order_count, 1); /* the other is never read */
}

static void test_split_brain_equal_events(void **state)
{
	add(0, 2);
	add(1, 2);
	drop(&scene[0], 1);
	drop(&scene[1], 0);
	judge();
	mirror_is(MIRROR_SPLIT_BRAIN, 0);
	leg_is(1, VERDICT_CONFLICT, REASON_SPLIT_BRAIN);
}

/* One leg ran alone, the two others together. */
static void test_split_brain_one_to_two(void **state)
{
	for (unsigned i = 0; i < 3; i++)
		add(i, 3)->events = i ? 120 : 130;
	drop(&scene[0], 1);
	drop(&scene[0], 2);
	drop(&scene[1], 0);
	drop(&scene[2], 0);
	judge();
	mirror_is(MIRROR_SPLIT_BRAIN, 0);
	leg_is(1, VERDICT_CONFLICT, REASON_SPLIT_BRAIN);
	leg_is(2, VERDICT_CONFLICT, REASON_SPLIT_BRAIN);
	assert_int_equal(s.mirror[0].order_count, 1);

	/* the pair is the newest */
	scene[0].events = 110;
	judge();
	mirror_is(MIRROR_SPLIT_BRAIN, 1);
	leg_is(0, VERDICT_CONFLICT, REASON_SPLIT_BRAIN);
	leg_is(1, VERDICT_IN_SYNC, REASON_IN_SYNC);
	leg_is(2, VERDICT_IN_SYNC, REASON_IN_SYNC);
	assert_int_equal(s.mirror[0].order_count, 2);
}

static void test_split_brain_three_ways(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		add(i, 3)->events = 110 + 5 * i;
		for (unsigned k = 0; k < 3; k++)
			if (k != i)
				drop(&scene[i], k);
	}
	judge();
	mirror_is(MIRROR_SPLIT_BRAIN, 2);
	leg_is(0, VERDICT_CONFLICT, REASON_SPLIT_BRAIN);
	leg_is(1, VERDICT_CONFLICT, REASON_SPLIT_BRAIN);
}

/* mdadm's rule: one that the newest expects, and that takes the newest for failed. */
static void test_thinks_newest_failed(void **state)
{
	add(0, 2)->events = 99;
	add(1, 2);
	drop(&scene[0], 1);
	judge();
	mirror_is(MIRROR_SPLIT_BRAIN, 1);
	leg_is(0, VERDICT_CONFLICT, REASON_SPLIT_BRAIN);
}

/* Equal events, and only one takes the other for failed: nobody can say which is newer. */
static void test_one_sided_at_equal_events(void **state)
{
	add(0, 2);
	add(1, 2);
	drop(&scene[1], 0);
	judge();
	mirror_is(MIRROR_SPLIT_BRAIN, 0);
	leg_is(1, VERDICT_CONFLICT, REASON_SPLIT_BRAIN);
}

/*
 * Left behind, one after the other, is no split brain: 0 fails, then 1 fails; the
 * map of 1 has lost 0, but it never ran without 2.
 */
static void test_left_behind_in_turn(void **state)
{
	add(0, 3)->events = 100;
	add(1, 3)->events = 110;
	add(2, 3)->events = 120;
	drop(&scene[1], 0);
	drop(&scene[2], 0);
	drop(&scene[2], 1);
	judge();
	mirror_is(MIRROR_DEGRADED, 2);
	leg_is(0, VERDICT_STALE, REASON_STALE);
	leg_is(1, VERDICT_STALE, REASON_STALE);
}

/*
 * 0 is left behind with 1 in its map; 2 is then added in role 0, and 1 fails. The
 * newest is 2, which 0 has never heard of; its role in 0's map is 0's own.
 */
static void test_left_behind_by_strangers(void **state)
{
	struct member *old = add(0, 2), *last;

	old->events = 100;
	last = add(2, 2);
	last->events = 150;
	last->role = 0;
	last->roles[0] = ROLE_FAULTY;
	last->roles[1] = ROLE_FAULTY;
	last->roles[2] = 0;
	judge();
	mirror_is(MIRROR_DEGRADED, 1);
	leg_is(0, VERDICT_STALE, REASON_REPLACED);
}

/* ... and one that was grown to a third role, so that the role is unknown to it too. */
static void test_left_behind_then_grown(void **state)
{
	struct member *last;

	add(0, 2)->events = 100;
	add(1, 3)->events = 150;
	drop(&scene[1], 0);
	last = add(2, 3);
	last->events = 160;
	drop(last, 0);
	judge();
	mirror_is(MIRROR_DEGRADED, 2);
	leg_is(0, VERDICT_STALE, REASON_STALE);
	leg_is(1, VERDICT_STALE, REASON_STALE);
	assert_int_equal(s.mirror[0].expected, 3);
}

/* ---- replaced, returned, added ---- */

/* Device 0 failed, device 2 took role 0; then the old disk is put back. */
static void test_replaced(void **state)
{
	add(0, 2)->events = 50;
	for (unsigned i = 1; i < 3; i++) {
		struct member *m = add(i, 2);

		m->roles[0] = ROLE_FAULTY;
		m->roles[2] = 0;
		m->role = i == 2 ? 0 : 1;
	}
	judge();
	mirror_is(MIRROR_HEALTHY, 2);
	leg_is(0, VERDICT_STALE, REASON_REPLACED);
	why_is(0, 50, 100);
	leg_is(1, VERDICT_IN_SYNC, REASON_IN_SYNC);
	leg_is(2, VERDICT_IN_SYNC, REASON_IN_SYNC);
	assert_int_equal(leg_of(2)->role, 0);
	assert_int_equal(s.mirror[0].leg_count, 3);
	/* the one that is read is leg 0, the replaced one behind it */
	assert_int_equal(s.mirror[0].leg[0].disk, on_disk[2]);
	assert_int_equal(s.mirror[0].leg[1].disk, on_disk[0]);
}

static void test_rebuilding(void **state)
{
	add(0, 2)->flags = MEMBER_PARTIAL;
	scene[0].good_s512 = 200;
	add(1, 2);
	judge();
	mirror_is(MIRROR_DEGRADED, 1);
	leg_is(0, VERDICT_REBUILDING, REASON_REBUILDING);
	why_is(0, 200, 512);
	/* good below the limit: it is there to fall back on, behind the other */
	assert_int_equal(s.mirror[0].order_count, 2);
	assert_int_equal(s.mirror[0].order[1], 0);

	/* its events may run ahead: it is not the newest for that */
	scene[0].events = 101;
	judge();
	mirror_is(MIRROR_DEGRADED, 1);
	leg_is(0, VERDICT_REBUILDING, REASON_REBUILDING);
	scene[0].events = 98;
	judge();
	leg_is(0, VERDICT_STALE, REASON_STALE);
}

/* Linux does not start a mirror from half a leg. */
static void test_rebuilding_alone(void **state)
{
	add(0, 2)->flags = MEMBER_PARTIAL;
	scene[0].good_s512 = 511;
	judge();
	mirror_is(MIRROR_UNUSABLE, -1);
	leg_is(0, VERDICT_REBUILDING, REASON_REBUILDING);
	assert_int_equal(s.mirror[0].newest, NO_LEG);
	assert_int_equal(s.mirror[0].size_s512, 512);
}

/* The newest's map has it, its own superblock says spare: nothing of it is known to be copied. */
static void test_added_and_not_yet_written(void **state)
{
	add(0, 2);
	add(1, 2)->role = ROLE_SPARE;
	scene[1].roles[1] = ROLE_SPARE;
	judge();
	mirror_is(MIRROR_DEGRADED, 0);
	leg_is(1, VERDICT_REBUILDING, REASON_REBUILDING);
	why_is(1, 0, 512);
	assert_int_equal(s.mirror[0].order_count, 1); /* no sector of it can be read */
}

static void test_spare(void **state)
{
	struct member *m;

	add(0, 2);
	add(1, 2);
	m = add(2, 2);
	m->role = ROLE_SPARE;
	m->events = 500; /* md lets spares run ahead */
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
	leg_is(2, VERDICT_SPARE, REASON_SPARE);
	assert_int_equal(s.mirror[0].order_count, 2);
	m->role = ROLE_FAULTY;
	judge();
	leg_is(2, VERDICT_SPARE, REASON_SPARE);
	m->role = ROLE_JOURNAL;
	judge();
	leg_is(2, VERDICT_UNSUPPORTED, REASON_JOURNAL);
}

static void test_spare_alone(void **state)
{
	add(2, 2)->role = ROLE_SPARE;
	judge();
	mirror_is(MIRROR_UNUSABLE, -1);
	leg_is(0, VERDICT_SPARE, REASON_SPARE);
}

/* --replace: two devices in one role, one of them marked. */
static void test_replacement(void **state)
{
	struct member *m;

	add(0, 2);
	add(1, 2);
	m = add(2, 2);
	m->role = 0;
	for (unsigned i = 0; i < 3; i++)
		scene[i].roles[2] = 0;
	m->flags = MEMBER_REPLACEMENT | MEMBER_PARTIAL;
	m->good_s512 = 100;
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
	leg_is(2, VERDICT_REBUILDING, REASON_REBUILDING);
	assert_int_equal(s.mirror[0].order_count, 3);
	assert_int_equal(s.mirror[0].leg[s.mirror[0].order[2]].disk, on_disk[2]);

	/* done with copying: both are in sync, and count for one */
	m->flags = MEMBER_REPLACEMENT;
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
	leg_is(2, VERDICT_IN_SYNC, REASON_IN_SYNC);
	scene[1].status = ST_CORRUPT;
	judge();
	mirror_is(MIRROR_DEGRADED, 0);
}

/* ---- copies ---- */

static void test_duplicate(void **state)
{
	add(0, 2);
	add(1, 2);
	add(1, 2); /* all of it the same: a dd of disk 1 */
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
	leg_is(1, VERDICT_IN_SYNC, REASON_IN_SYNC);
	leg_is(2, VERDICT_CONFLICT, REASON_DUPLICATE);
	why_is(2, 1, 0);
	assert_int_equal(s.mirror[0].order_count, 2);
}

/* Of a disk and its copy the one with more events stays, whichever is seen first. */
static void test_duplicate_behind(void **state)
{
	add(0, 2);
	add(1, 2)->events = 99;
	add(1, 2);
	judge();
	leg_is(1, VERDICT_CONFLICT, REASON_DUPLICATE);
	leg_is(2, VERDICT_IN_SYNC, REASON_IN_SYNC);
}

/* The reason names the leg by its number in the end, missing legs counted. */
static void test_duplicate_of_which(void **state)
{
	const struct mirror *m = &s.mirror[0];

	add(2, 3);
	add(2, 3);
	judge();
	leg_is(1, VERDICT_CONFLICT, REASON_DUPLICATE);
	assert_int_equal(m->leg_count, 4);
	assert_int_equal(m->chosen, 2);
	why_is(1, 2, 0);
}

/* A copy of a replacement is a copy, though the two may share a role with a third. */
static void test_duplicate_of_a_replacement(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		struct member *m = add(i ? 1 : 0, 1);

		m->role = 0;
		m->roles[0] = m->roles[1] = 0;
		m->flags = i ? MEMBER_REPLACEMENT : 0;
	}
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
	leg_is(1, VERDICT_IN_SYNC, REASON_IN_SYNC);
	leg_is(2, VERDICT_CONFLICT, REASON_DUPLICATE);
	why_is(2, 1, 0);
}

/* Two devices in one role, neither marked as a replacement. */
static void test_two_in_one_role(void **state)
{
	add(0, 2);
	add(1, 2);
	add(2, 2)->role = 1;
	for (unsigned i = 0; i < 3; i++)
		scene[i].roles[2] = 1;
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
	leg_is(1, VERDICT_IN_SYNC, REASON_IN_SYNC);
	leg_is(2, VERDICT_CONFLICT, REASON_DUPLICATE);
}

/* ---- missing, unreadable, refused ---- */

static void test_lone_leg(void **state)
{
	const struct leg *l;

	add(1, 2);
	judge();
	mirror_is(MIRROR_DEGRADED, 0);
	assert_int_equal(s.mirror[0].leg_count, 2);
	l = &s.mirror[0].leg[0];
	assert_int_equal(l->member, NO_MEMBER);
	assert_int_equal(l->disk, NO_DISK);
	assert_int_equal(l->role, 0);
	assert_int_equal(l->verdict, VERDICT_MISSING);
	assert_int_equal(l->why.code, REASON_MISSING);
	assert_int_equal(l->why.a, 0);
	assert_int_equal(s.mirror[0].chosen, 1);
	assert_int_equal(s.mirror[0].newest, 1);
}

static void test_mirror_of_one(void **state)
{
	add(0, 1);
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
	assert_int_equal(s.mirror[0].leg_count, 1);
}

static void test_unreadable_disk(void **state)
{
	add(1, 3);
	silent = true;
	judge();
	mirror_is(MIRROR_DEGRADED, 0);
	assert_int_equal(s.mirror[0].leg_count, 3);
	/* one silent disk accounts for one missing leg */
	assert_int_equal(s.mirror[0].leg[0].verdict, VERDICT_UNREADABLE);
	assert_int_equal(s.mirror[0].leg[0].why.code, REASON_MISSING_UNREADABLE);
	assert_int_equal(s.mirror[0].leg[0].disk, 1);
	assert_int_equal(s.mirror[0].leg[2].verdict, VERDICT_MISSING);
	assert_int_equal(s.mirror[0].leg[2].disk, NO_DISK);
}

/* A disk with a bad sector that has a leg of this mirror is not the missing one. */
static void test_bad_sector_elsewhere(void **state)
{
	static const unsigned order[] = {0};

	add(1, 2);
	memset(&s, 0, sizeof(s));
	survey_add(&s, &scene[order[0]], 0);
	s.found[0].io_error = true;
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	assert_int_equal(s.mirror[0].leg[0].verdict, VERDICT_MISSING);
}

static void test_no_room_for_missing(void **state)
{
	add(0, 100);
	judge();
	mirror_is(MIRROR_DEGRADED, 0);
	assert_int_equal(s.mirror[0].leg_count, MIRROR_LEGS);
	assert_int_equal(s.mirror[0].expected, 100);
}

static void test_refused_members(void **state)
{
	add(0, 2)->status = ST_CORRUPT;
	scene[0].why = (struct reason){REASON_CHECKSUM, 0, 0};
	scene[0].events = 1000; /* not to be trusted */
	add(1, 2);
	judge();
	mirror_is(MIRROR_DEGRADED, 1);
	leg_is(0, VERDICT_FAULTY, REASON_CHECKSUM);

	scene[0].status = ST_UNSUPPORTED;
	scene[0].why = (struct reason){REASON_FEATURE, 0x2000, 0};
	scene[0].events = 100;
	judge();
	mirror_is(MIRROR_DEGRADED, 1);
	leg_is(0, VERDICT_UNSUPPORTED, REASON_FEATURE);
	why_is(0, 0x2000, 0);
	assert_int_equal(s.mirror[0].newest, 1); /* of two as new, the one that can be used */

	scene[1].status = ST_CORRUPT;
	scene[1].why = (struct reason){REASON_CHECKSUM, 0, 0};
	judge();
	mirror_is(MIRROR_UNUSABLE, -1);
	assert_int_equal(s.mirror[0].newest, 0); /* beyond us, and whole */
	assert_int_equal(s.mirror[0].leg_count, 2);
}

/*
 * Leg 0 was failed out long ago, 2 took its place and was being copied from 1, and 1 is
 * gone: what is left in sync is the old leg 0, and it is not to be booted.
 */
static void test_rebuilding_leg_knows_better(void **state)
{
	add(0, 2);
	add(2, 2)->events = 200;
	scene[1].roles[0] = ROLE_SPARE;
	scene[1].roles[1] = 1;
	scene[1].roles[2] = 0;
	scene[1].role = 0;
	scene[1].flags |= MEMBER_PARTIAL;
	scene[1].good_s512 = 100;
	judge();
	mirror_is(MIRROR_UNUSABLE, -1);
	/* with the source of the copy all is well */
	add(1, 2)->events = 200;
	scene[2].roles[0] = ROLE_SPARE;
	scene[2].roles[2] = 0;
	judge();
	mirror_is(MIRROR_DEGRADED, 2);
	leg_is(0, VERDICT_STALE, REASON_REPLACED);
	leg_is(1, VERDICT_REBUILDING, REASON_REBUILDING);
}

/* It can't be used, and it knows that the other is stale: better none than the old one. */
static void test_newest_can_not_be_used(void **state)
{
	static const uint8_t whole[] = {REASON_TRUNCATED,     REASON_FEATURE,   REASON_RESHAPE,
					REASON_JOURNALED,     REASON_CLUSTERED, REASON_MISALIGNED,
					REASON_LOG_UNREADABLE};

	add(0, 2);
	add(1, 2)->events = 110;
	scene[1].roles[0] = ROLE_SPARE;
	for (unsigned i = 0; i < sizeof(whole); i++) {
		scene[1].status = ST_CORRUPT;
		scene[1].why = (struct reason){whole[i], 0, 0};
		judge();
		mirror_is(MIRROR_UNUSABLE, -1);
		leg_is(0, VERDICT_STALE, REASON_STALE);
		assert_int_equal(s.mirror[0].newest, 1);
	}
	/* One whose checksum is wrong knows nothing. */
	scene[1].why = (struct reason){REASON_CHECKSUM, 0, 0};
	judge();
	mirror_is(MIRROR_DEGRADED, 0);
}

static void test_size_differs(void **state)
{
	add(0, 2)->data_s512 = 256;
	scene[0].events = 99; /* so that 1 is the newest */
	add(1, 2);
	judge();
	mirror_is(MIRROR_DEGRADED, 1);
	leg_is(0, VERDICT_FAULTY, REASON_SIZE_DIFFERS);
	why_is(0, 256, 512);
	assert_int_equal(s.mirror[0].size_s512, 512);
}

static void test_renamed(void **state)
{
	add(0, 2)->events = 99;
	add(1, 2);
	memcpy(scene[1].name, "host:newer", 11);
	judge();
	assert_string_equal(s.mirror[0].name, "host:newer");
}

/* ---- which to read first ---- */

static void test_write_mostly(void **state)
{
	add(0, 2)->flags = MEMBER_WRITE_MOSTLY;
	add(1, 2);
	judge();
	mirror_is(MIRROR_HEALTHY, 1);
	leg_is(0, VERDICT_IN_SYNC, REASON_WRITE_MOSTLY);
	assert_int_equal(s.mirror[0].order_count, 2);
	assert_int_equal(s.mirror[0].order[1], 0);
	/* alone it is read all the same */
	scene[1].status = ST_CORRUPT;
	judge();
	mirror_is(MIRROR_DEGRADED, 0);
}

static void test_bad_blocks(void **state)
{
	add(0, 2)->hole_count = 2;
	add(1, 2);
	judge();
	mirror_is(MIRROR_HEALTHY, 1);
	leg_is(0, VERDICT_IN_SYNC, REASON_BAD_BLOCKS);
	why_is(0, 2, 0);
	/* both have some: role order again */
	scene[1].hole_count = 1;
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
}

static void test_dirty(void **state)
{
	add(0, 2);
	add(1, 2);
	scene[0].flags = scene[1].flags = MEMBER_DIRTY;
	scene[0].hole_count = 1; /* md reads around its holes, and from nowhere else */
	judge();
	mirror_is(MIRROR_HEALTHY, 0);
	assert_true(s.mirror[0].dirty);
	leg_is(0, VERDICT_IN_SYNC, REASON_DIRTY_LOWEST);
	leg_is(1, VERDICT_IN_SYNC, REASON_DIRTY_OTHER);
}

static void test_dirty_write_mostly(void **state)
{
	add(0, 2)->flags = MEMBER_DIRTY | MEMBER_WRITE_MOSTLY;
	add(1, 2)->flags = MEMBER_DIRTY;
	judge();
	mirror_is(MIRROR_HEALTHY, 1);
	leg_is(1, VERDICT_IN_SYNC, REASON_DIRTY_LOWEST);
	leg_is(0, VERDICT_IN_SYNC, REASON_DIRTY_OTHER);
}

/* The newest says whether it was closed; an older one does not know. */
static void test_dirty_by_newest(void **state)
{
	add(0, 2)->events = 99;
	scene[0].flags = MEMBER_DIRTY;
	add(1, 2);
	judge();
	assert_false(s.mirror[0].dirty);
	leg_is(0, VERDICT_IN_SYNC, REASON_WITHIN_MARGIN);
	scene[0].flags = 0;
	scene[1].flags = MEMBER_DIRTY;
	judge();
	assert_true(s.mirror[0].dirty);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_healthy),
		TEST(test_three_legs),
		TEST(test_stale),
		TEST(test_stale_and_expected),
		TEST(test_one_event_margin),
		TEST(test_margin_at_the_ends),
		TEST(test_failed_by_newest),
		TEST(test_split_brain),
		TEST(test_split_brain_equal_events),
		TEST(test_split_brain_one_to_two),
		TEST(test_split_brain_three_ways),
		TEST(test_thinks_newest_failed),
		TEST(test_one_sided_at_equal_events),
		TEST(test_left_behind_in_turn),
		TEST(test_left_behind_by_strangers),
		TEST(test_left_behind_then_grown),
		TEST(test_replaced),
		TEST(test_rebuilding),
		TEST(test_rebuilding_alone),
		TEST(test_added_and_not_yet_written),
		TEST(test_spare),
		TEST(test_spare_alone),
		TEST(test_replacement),
		TEST(test_duplicate),
		TEST(test_duplicate_behind),
		TEST(test_duplicate_of_which),
		TEST(test_duplicate_of_a_replacement),
		TEST(test_two_in_one_role),
		TEST(test_lone_leg),
		TEST(test_mirror_of_one),
		TEST(test_unreadable_disk),
		TEST(test_bad_sector_elsewhere),
		TEST(test_no_room_for_missing),
		TEST(test_refused_members),
		TEST(test_newest_can_not_be_used),
		TEST(test_rebuilding_leg_knows_better),
		TEST(test_size_differs),
		TEST(test_renamed),
		TEST(test_write_mostly),
		TEST(test_bad_blocks),
		TEST(test_dirty),
		TEST(test_dirty_write_mostly),
		TEST(test_dirty_by_newest),
	};

	return cmocka_run_group_tests_name("leg", tests, NULL, NULL);
}
