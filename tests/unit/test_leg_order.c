/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Which leg is read first, and what is said of each, for all that legs can be at once. */
#include "tests/unit/help_md.h"

#include "common/leg.h"

#include <string.h>

#define LEGS 3

static struct survey s;

enum { SLOW = 1, REPLACES = 2, HOLES = 4, STATES = 8 };

static struct member leg(unsigned dev, unsigned state, bool dirty)
{
	struct member m = make_member(dev, LEGS);

	if (state & SLOW)
		m.flags |= MEMBER_WRITE_MOSTLY;
	if (state & REPLACES)
		m.flags |= MEMBER_REPLACEMENT;
	if (state & HOLES) {
		m.hole_count = 2;
		m.hole[0] = (struct hole){1, 1};
		m.hole[1] = (struct hole){9, 1};
	}
	if (dirty) {
		m.flags |= MEMBER_DIRTY;
		m.resync_s512 = 0;
	}
	return m;
}

static const struct mirror *judge(const struct member *m, unsigned count)
{
	memset(&s, 0, sizeof(s));
	for (unsigned i = 0; i < count; i++)
		survey_add(&s, &m[i], i);
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	return &s.mirror[0];
}

/* Is x read before y? What is slower, then what is to go, then what has holes comes later. */
static bool before(const unsigned *state, bool dirty, int rebuilding, unsigned x, unsigned y)
{
	bool a[4] = {(int)x == rebuilding, state[x] & SLOW, state[x] & REPLACES,
		     (state[x] & HOLES) && !dirty};
	bool b[4] = {(int)y == rebuilding, state[y] & SLOW, state[y] & REPLACES,
		     (state[y] & HOLES) && !dirty};

	for (unsigned i = 0; i < 4; i++)
		if (a[i] != b[i])
			return b[i];
	return x < y;
}

static void check(const unsigned *state, bool dirty, int rebuilding)
{
	struct member m[LEGS];
	const struct mirror *mirror;
	unsigned order[LEGS] = {0, 1, 2};

	for (unsigned i = 0; i < LEGS; i++)
		m[i] = leg(i, state[i], dirty);
	if (rebuilding >= 0) {
		m[rebuilding].flags |= MEMBER_PARTIAL;
		m[rebuilding].good_s512 = 100;
	}
	for (unsigned i = 1; i < LEGS; i++)
		for (unsigned k = i;
		     k > 0 && before(state, dirty, rebuilding, order[k], order[k - 1]); k--) {
			unsigned other = order[k];

			order[k] = order[k - 1];
			order[k - 1] = other;
		}
	mirror = judge(m, LEGS);
	assert_int_equal(mirror->order_count, LEGS);
	assert_int_equal(mirror->chosen, order[0]);
	assert_int_equal(mirror->state, rebuilding < 0 ? MIRROR_HEALTHY : MIRROR_DEGRADED);
	for (unsigned i = 0; i < LEGS; i++) {
		const struct leg *l = &mirror->leg[i];

		assert_int_equal(mirror->order[i], order[i]);
		assert_int_equal(l->role, i);
		if ((int)i == rebuilding) {
			assert_int_equal(l->why.code, REASON_REBUILDING);
			assert_int_equal(l->why.a, 100);
		} else if (dirty) {
			assert_int_equal(l->why.code,
					 i == order[0] ? REASON_DIRTY_LOWEST : REASON_DIRTY_OTHER);
		} else if (state[i] & HOLES) {
			assert_int_equal(l->why.code, REASON_BAD_BLOCKS);
			assert_int_equal(l->why.a, 2);
			assert_int_equal(l->why.b, 0);
		} else {
			assert_int_equal(l->why.code,
					 state[i] & SLOW ? REASON_WRITE_MOSTLY : REASON_IN_SYNC);
		}
	}
}

static void read_first(void **state_)
{
	for (unsigned n = 0; n < STATES * STATES * STATES; n++) {
		const unsigned state[LEGS] = {n % STATES, n / STATES % STATES, n / STATES / STATES};

		for (int rebuilding = -1; rebuilding < LEGS; rebuilding++) {
			check(state, false, rebuilding);
			check(state, true, rebuilding);
		}
	}
}

/* A mirror of one leg has nothing to be resynced with. */
static void alone_and_dirty(void **state_)
{
	struct member m = make_member(0, 1);

	m.flags = MEMBER_DIRTY;
	assert_int_equal(judge(&m, 1)->leg[0].why.code, REASON_IN_SYNC);
	m = make_member(0, 2);
	m.flags = MEMBER_DIRTY;
	assert_int_equal(judge(&m, 1)->leg[0].why.code, REASON_DIRTY_LOWEST);
}

/* Where there is no number to be said, none is said. */
static void reasons_without_numbers(void **state_)
{
	struct member m[2] = {make_member(0, 2), make_member(1, 2)};
	const struct mirror *mirror;

	m[0].roles[1] = ROLE_SPARE;
	m[1].role = ROLE_SPARE;
	m[1].roles[1] = ROLE_SPARE;
	mirror = judge(m, 2);
	for (unsigned i = 0; i < mirror->leg_count; i++)
		if (mirror->leg[i].verdict == VERDICT_SPARE) {
			assert_int_equal(mirror->leg[i].why.code, REASON_SPARE);
			assert_int_equal(mirror->leg[i].why.a, 0);
			assert_int_equal(mirror->leg[i].why.b, 0);
		} else if (mirror->leg[i].verdict == VERDICT_MISSING) {
			assert_int_equal(mirror->leg[i].why.a, 1);
			assert_int_equal(mirror->leg[i].why.b, 0);
		}
	m[1].role = ROLE_JOURNAL;
	mirror = judge(m, 2);
	for (unsigned i = 0; i < mirror->leg_count; i++)
		if (mirror->leg[i].verdict == VERDICT_UNSUPPORTED) {
			assert_int_equal(mirror->leg[i].why.code, REASON_JOURNAL);
			assert_int_equal(mirror->leg[i].why.a, 0);
			assert_int_equal(mirror->leg[i].why.b, 0);
		}
	m[0].role = m[1].role = ROLE_SPARE; /* none knows */
	mirror = judge(m, 2);
	assert_int_equal(mirror->state, MIRROR_UNUSABLE);
	assert_int_equal(mirror->newest, NO_LEG);
	assert_int_equal(mirror->chosen, NO_LEG);
	assert_int_equal(mirror->size_s512, 512); /* what they say themselves */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(mirror->leg[i].verdict, VERDICT_SPARE);
		assert_int_equal(mirror->leg[i].why.a, 0);
		assert_int_equal(mirror->leg[i].why.b, 0);
	}
	m[0].status = ST_CORRUPT; /* one that can't be read says nothing of the size */
	m[0].why.code = REASON_CHECKSUM;
	m[0].data_s512 = 7;
	assert_int_equal(judge(m, 2)->size_s512, 512);
}

/* A map as long as it is said to be, and the lists of two legs that are not as long as each other.
 */
static void short_maps(void **state_)
{
	struct member m[2] = {make_member(0, 2), make_member(1, 2)};

	m[0].role_count = 1; /* device 1 is behind its end: no place for it */
	m[0].events = 105;
	assert_int_equal(judge(m, 2)->leg[1].verdict, VERDICT_STALE);
	m[0].events = 100;
	m[0].role_count = 2;
	m[1].role_count = 2;
	assert_int_equal(judge(m, 2)->state, MIRROR_HEALTHY);
}

static void ends_of_the_margin(void **state_)
{
	for (uint64_t less = 0; less < 4; less++) {
		struct member m[2] = {make_member(0, 2), make_member(1, 2)};

		m[1].events -= less;
		assert_int_equal(leg_is_behind(&m[1], &m[0]), less > 1);
		assert_int_equal(judge(m, 2)->leg[1].verdict,
				 less > 1 ? VERDICT_STALE : VERDICT_IN_SYNC);
	}
	assert_true(leg_is_regular(ROLE_MAX - 1));
	assert_false(leg_is_regular(ROLE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_first),
		cmocka_unit_test(alone_and_dirty),
		cmocka_unit_test(reasons_without_numbers),
		cmocka_unit_test(short_maps),
		cmocka_unit_test(ends_of_the_margin),
	};

	return cmocka_run_group_tests_name("leg: order", tests, NULL, NULL);
}
