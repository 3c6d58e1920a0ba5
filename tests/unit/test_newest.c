/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Which leg is the newest: an order of all that can be, whatever comes first. */
#include "tests/unit/help_md.h"

#include "common/leg.h"

#include <string.h>

static struct survey s;

static int sign(long x)
{
	return x < 0 ? -1 : x > 0;
}

/* By role, device number, identity, the events backwards, disk and place. */
static struct member with(unsigned field, unsigned value)
{
	struct member m = make_member(0, 4);

	m.role = m.dev_number = 2;
	m.events = 5;
	m.disk = 2;
	m.start_lba = 2;
	memset(&m.device_uuid, 2, sizeof(m.device_uuid));
	switch (field) {
	case 0: m.role = (uint16_t)value; break;
	case 1: m.dev_number = value; break;
	case 2: m.device_uuid.b[0] = (uint8_t)value; break;
	case 3: m.device_uuid.b[15] = (uint8_t)value; break;
	case 4: m.events = 7 - value; break;
	case 5: m.disk = (uint8_t)value; break;
	default: m.start_lba = value; break;
	}
	return m;
}

static void compared(void **state)
{
	for (unsigned field = 0; field < 7; field++)
		for (unsigned x = 1; x <= 3; x++)
			for (unsigned y = 1; y <= 3; y++) {
				struct member a = with(field, x), b = with(field, y);

				assert_int_equal(newest_compare(&a, &b), sign((long)x - (long)y));
				/* A later field does not count, an earlier one does. */
				if (field > 0 && x != y) {
					struct member c = with(field - 1, 1),
						      d = with(field - 1, 3);

					switch (field) {
					case 1:
						c.dev_number = x;
						d.dev_number = y;
						break;
					case 2:
						c.device_uuid = a.device_uuid;
						d.device_uuid = b.device_uuid;
						break;
					case 3:
						c.device_uuid.b[15] = (uint8_t)x;
						d.device_uuid.b[15] = (uint8_t)y;
						break;
					case 4:
						c.events = a.events;
						d.events = b.events;
						break;
					case 5:
						c.disk = a.disk;
						d.disk = b.disk;
						break;
					default:
						c.start_lba = x;
						d.start_lba = y;
						break;
					}
					assert_int_equal(newest_compare(&c, &d), -1);
					assert_int_equal(newest_compare(&d, &c), 1);
				}
			}
}

static const struct member *newest(const struct member *a, const struct member *b)
{
	struct mirror *m = &s.mirror[0];

	memset(&s, 0, sizeof(s));
	s.member[0] = *a;
	s.member[1] = *b;
	m->leg_count = 2;
	for (unsigned i = 0; i < 2; i++)
		m->leg[i].member = (uint8_t)i;
	return newest_find(&s, m);
}

static void chosen(const struct member *a, const struct member *b, int want)
{
	const struct member *n = newest(a, b);

	assert_ptr_equal(n, want < 0 ? NULL : &s.member[want]);
	n = newest(b, a);
	assert_ptr_equal(n, want < 0 ? NULL : &s.member[1 - want]);
}

/* Reasons for which a member can't be used, and is right all the same about the others. */
static void who_may_be_the_newest(void **state)
{
	static const enum reason_code whole[] = {
		REASON_TRUNCATED, REASON_FEATURE,    REASON_RESHAPE,        REASON_JOURNALED,
		REASON_CLUSTERED, REASON_MISALIGNED, REASON_LOG_UNREADABLE,
	};
	struct member a = make_member(0, 2), b = make_member(1, 2);

	b.events = 200;
	chosen(&a, &b, 1);
	for (unsigned i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		b.status = ST_UNSUPPORTED;
		b.why.code = whole[i];
		chosen(&a, &b, 1);
	}
	b.why.code = REASON_CHECKSUM;
	chosen(&a, &b, 0);
	b.status = ST_OK;
	b.why.code = REASON_NONE;
	b.role = ROLE_SPARE;
	chosen(&a, &b, 0);
	b.role = 1;
	a.status = b.status = ST_CORRUPT;
	a.why.code = b.why.code = REASON_CHECKSUM;
	chosen(&a, &b, -1);
}

/* Of two of the same events, one that can be used; of two that can, the first in order. */
static void the_same_events(void **state)
{
	struct member a = make_member(0, 2), b = make_member(1, 2);

	chosen(&a, &b, 0);
	a.status = ST_UNSUPPORTED;
	a.why.code = REASON_RESHAPE;
	chosen(&a, &b, 1);
	b.status = ST_UNSUPPORTED;
	b.why.code = REASON_RESHAPE;
	chosen(&a, &b, 0);
	a.events = 101; /* newer, though it can't be used */
	b.status = ST_OK;
	b.why.code = REASON_NONE;
	chosen(&a, &b, 0);
}

/* LDM: one that went on alone before one that is clean, that before one that is not. */
static void doubts(void **state)
{
	static const uint8_t flags[] = {MEMBER_SURVIVOR, 0, MEMBER_DIRTY};

	for (unsigned x = 0; x < 3; x++)
		for (unsigned y = 0; y < 3; y++) {
			struct member a = make_member(0, 2), b = make_member(1, 2);

			a.format = b.format = FORMAT_LDM;
			a.flags = flags[x];
			b.flags = flags[y];
			chosen(&a, &b, y < x);
			a.flags |= MEMBER_DIRTY;
			if (x == 0)
				chosen(&a, &b, 0);
			a.status = ST_CORRUPT; /* worse than any doubt */
			a.why.code = REASON_FEATURE;
			chosen(&a, &b, 1);
			a.format = b.format = FORMAT_MD_1_2; /* md has no such doubts */
			a.status = ST_OK;
			a.why.code = REASON_NONE;
			a.flags = b.flags = 0;
			a.flags = flags[x] & MEMBER_DIRTY;
			chosen(&a, &b, 0);
		}
}

/* What is being rebuilt follows a leg that may not be here. */
static void rebuilding(void **state)
{
	struct member a = make_member(0, 2), b = make_member(1, 2);

	b.flags = MEMBER_PARTIAL;
	chosen(&a, &b, 0);
	b.events = 101; /* one step: a crash between two writes */
	chosen(&a, &b, 0);
	b.events = 110;
	chosen(&a, &b, 1);
	b.role = ROLE_SPARE;
	chosen(&a, &b, 0);
	b.role = 1;
	b.status = ST_CORRUPT;
	b.why.code = REASON_CHECKSUM;
	chosen(&a, &b, 0);
	b.why.code = REASON_RESHAPE;
	chosen(&a, &b, 1);
	a.flags = MEMBER_PARTIAL; /* no leg in sync: none is the newest */
	chosen(&a, &b, -1);
}

/* Of two that are rebuilt, the newer knows. */
static void the_newer_of_two_rebuilt(void **state)
{
	for (unsigned order = 0; order < 2; order++) {
		struct mirror *m = &s.mirror[0];

		memset(&s, 0, sizeof(s));
		m->leg_count = 3;
		for (unsigned i = 0; i < 3; i++) {
			s.member[i] = make_member(i, 3);
			m->leg[i].member = (uint8_t)i;
		}
		s.member[1].flags = s.member[2].flags = MEMBER_PARTIAL;
		s.member[1 + order].events = 120;
		s.member[2 - order].events = 110;
		assert_ptr_equal(newest_find(&s, m), &s.member[1 + order]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compared),        cmocka_unit_test(who_may_be_the_newest),
		cmocka_unit_test(the_same_events), cmocka_unit_test(doubts),
		cmocka_unit_test(rebuilding),      cmocka_unit_test(the_newer_of_two_rebuilt),
	};

	return cmocka_run_group_tests_name("newest", tests, NULL, NULL);
}
