/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* policy: what is done about each state, as the config says, and a person's choice of a leg. */
#include "tests/unit/help_md.h"

#include "common/policy.h"

#include <string.h>

static struct survey s;
static struct config c;
static struct policy p;

static int setup(void **state)
{
	memset(&s, 0, sizeof(s));
	memset(&p, 0xee, sizeof(p));
	config_default(&c);
	return 0;
}

/* A mirror in this state, of two legs on disks 0 and 1. */
static void add_mirror(enum mirror_state state, const char *name, uint64_t start_lba)
{
	uint8_t uuid = (uint8_t)(s.mirror_count + 1);

	for (unsigned dev = 0; dev < 2; dev++) {
		struct member m = make_member(dev, 2);

		memset(&m.set_uuid, uuid, sizeof(m.set_uuid));
		memset(m.name, 0, sizeof(m.name));
		memcpy(m.name, name, strlen(name));
		m.start_lba = start_lba;
		if (state == MIRROR_UNUSABLE || (state == MIRROR_DEGRADED && dev == 0)) {
			m.status = ST_CORRUPT;
			m.why.code = REASON_CHECKSUM;
		}
		if (state == MIRROR_SPLIT_BRAIN) {
			m.roles[1 - dev] = ROLE_FAULTY;
			m.events -= dev;
		}
		survey_add(&s, &m, dev);
	}
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	assert_int_equal(s.mirror[s.mirror_count - 1].state, state);
}

static void decided(enum policy_action action, unsigned pause_s)
{
	policy_decide(&s, &c, &p);
	assert_int_equal(p.action, action);
	assert_int_equal(p.pause_s, pause_s);
}

static void test_no_mirror(void **state)
{
	decided(POLICY_NO_MIRROR, 0);
	assert_int_equal(p.mirror, SURVEY_MIRRORS);
	assert_false(p.named_absent);
	memcpy(c.mirror, "boot", 5);
	decided(POLICY_NO_MIRROR, 0);
	assert_true(p.named_absent);
}

/* A disk that can't be read may hold a newer leg: a person has to see that. */
static void test_unreadable_partner(void **state)
{
	struct member m = make_member(0, 2);

	s.disk_count = 2;
	survey_add(&s, &m, 0);
	s.found[1].io_error = true;
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	assert_int_equal(s.mirror[0].leg[1].verdict, VERDICT_UNREADABLE);
	decided(POLICY_PAUSE, POLICY_PAUSE_S);
	c.timeout_s = 2;
	decided(POLICY_PAUSE, 2);
	c.timeout_s = 0;
	s.full = true; /* nor one that there was no room for */
	s.found[1].io_error = false;
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	decided(POLICY_PAUSE, POLICY_PAUSE_S);
	s.full = false;
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	decided(POLICY_BOOT, 0);
}

/* Without a timeout only a split brain makes anybody wait; with one, every boot does. */
static void test_table(void **state)
{
	static const struct {
		enum mirror_state state;
		enum config_split split;
		uint8_t timeout_s;
		enum policy_action action;
		unsigned pause_s;
	} rows[] = {
		{MIRROR_HEALTHY, CONFIG_NEWEST, 0, POLICY_BOOT, 0},
		{MIRROR_HEALTHY, CONFIG_NEWEST, 9, POLICY_PAUSE, 9},
		{MIRROR_HEALTHY, CONFIG_HALT, 9, POLICY_PAUSE, 9},
		{MIRROR_DEGRADED, CONFIG_NEWEST, 0, POLICY_BOOT, 0},
		{MIRROR_DEGRADED, CONFIG_NEWEST, 9, POLICY_PAUSE, 9},
		{MIRROR_DEGRADED, CONFIG_HALT, 9, POLICY_PAUSE, 9},
		{MIRROR_SPLIT_BRAIN, CONFIG_NEWEST, 0, POLICY_PAUSE, POLICY_PAUSE_S},
		{MIRROR_SPLIT_BRAIN, CONFIG_NEWEST, 9, POLICY_PAUSE, 9},
		{MIRROR_SPLIT_BRAIN, CONFIG_ASK, 0, POLICY_ASK, 0},
		{MIRROR_SPLIT_BRAIN, CONFIG_ASK, 9, POLICY_ASK, 0},
		{MIRROR_SPLIT_BRAIN, CONFIG_HALT, 0, POLICY_HALT, 0},
		{MIRROR_SPLIT_BRAIN, CONFIG_HALT, 9, POLICY_HALT, 0},
		{MIRROR_UNUSABLE, CONFIG_NEWEST, 0, POLICY_UNUSABLE, 0},
		{MIRROR_UNUSABLE, CONFIG_HALT, 9, POLICY_UNUSABLE, 0},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setup(NULL);
		add_mirror(rows[i].state, "host:boot", 0);
		c.split_brain = (uint8_t)rows[i].split;
		c.timeout_s = rows[i].timeout_s;
		decided(rows[i].action, rows[i].pause_s);
		assert_int_equal(p.mirror, 0);
		assert_false(p.named_absent);
	}
}

static void test_named(void **state)
{
	add_mirror(MIRROR_DEGRADED, "host:root", 0);
	add_mirror(MIRROR_HEALTHY, "host:boot", 1024);
	decided(POLICY_BOOT, 0);
	assert_int_equal(p.mirror, 0);
	memcpy(c.mirror, "boot", 5);
	decided(POLICY_BOOT, 0);
	assert_int_equal(p.mirror, 1);
	c.split_brain = CONFIG_HALT; /* the other one's state is of no matter */
	s.mirror[0].state = MIRROR_SPLIT_BRAIN;
	decided(POLICY_BOOT, 0);
	s.mirror[0].state = MIRROR_DEGRADED;

	/* not there: the first is taken, and that is said, with time to read it */
	c.timeout_s = 3;
	memcpy(c.mirror, "home", 5);
	decided(POLICY_PAUSE, 3);
	assert_int_equal(p.mirror, 0);
	assert_true(p.named_absent);
	c.timeout_s = 0;
	decided(POLICY_BOOT, 0);
	assert_true(p.named_absent);
}

static void test_named_absent_healthy(void **state)
{
	add_mirror(MIRROR_HEALTHY, "host:boot", 0);
	memcpy(c.mirror, "home", 5);
	c.timeout_s = 4;
	decided(POLICY_PAUSE, 4);
	assert_true(p.named_absent);
}

static void test_usable_before_unusable(void **state)
{
	add_mirror(MIRROR_UNUSABLE, "host:first", 0);
	add_mirror(MIRROR_HEALTHY, "host:second", 1024);
	decided(POLICY_BOOT, 0);
	assert_int_equal(p.mirror, 1);
}

/* ---- a person's choice ---- */

static void test_choose_split(void **state)
{
	struct mirror *m = &s.mirror[0];

	add_mirror(MIRROR_SPLIT_BRAIN, "host:boot", 0);
	assert_int_equal(m->chosen, 0);
	assert_true(policy_choose(&s, 0, 1, false));
	assert_int_equal(m->chosen, 1);
	assert_int_equal(m->order_count, 1);
	assert_int_equal(m->order[0], 1);
	assert_true(m->read_only);
	/* and back */
	assert_true(policy_choose(&s, 0, 0, false));
	assert_int_equal(m->chosen, 0);
	assert_int_equal(m->order_count, 1);
	assert_int_equal(m->order[0], 0);
}

/* One that ran alone is taken alone: the pair that it left must not be what it falls back on. */
static void test_choose_alone(void **state)
{
	struct mirror *m = &s.mirror[0];

	for (unsigned dev = 0; dev < 3; dev++) {
		struct member mem = make_member(dev, 3);

		if (dev == 0) {
			mem.events = 90;
			mem.roles[1] = mem.roles[2] = ROLE_FAULTY;
		} else {
			mem.roles[0] = ROLE_FAULTY;
		}
		survey_add(&s, &mem, dev);
	}
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	assert_int_equal(m->state, MIRROR_SPLIT_BRAIN);
	assert_int_equal(m->order_count, 2);
	assert_true(policy_choose(&s, 0, 0, false));
	assert_int_equal(m->chosen, 0);
	assert_int_equal(m->order_count, 1);
	assert_int_equal(m->order[0], 0);
}

static void test_choose_in_sync(void **state)
{
	struct mirror *m = &s.mirror[0];

	for (unsigned dev = 0; dev < 4; dev++) {
		struct member mem = make_member(dev, 4);

		survey_add(&s, &mem, dev);
	}
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	assert_true(policy_choose(&s, 0, 2, false));
	assert_int_equal(m->chosen, 2);
	assert_int_equal(m->order_count, 4); /* the others stay to fall back on, as they were */
	assert_int_equal(m->order[0], 2);
	assert_int_equal(m->order[1], 0);
	assert_int_equal(m->order[2], 1);
	assert_int_equal(m->order[3], 3);
	assert_false(m->read_only);
}

static void test_choose_refused(void **state)
{
	struct mirror before;

	add_mirror(MIRROR_DEGRADED, "host:boot", 0);
	before = s.mirror[0];
	assert_int_equal(before.chosen, 1);
	assert_false(policy_choose(&s, 0, 0, false)); /* its checksum is wrong */
	assert_false(policy_choose(&s, 0, 2, false));
	assert_false(policy_choose(&s, 1, 0, false));
	assert_false(policy_choose(&s, SURVEY_MIRRORS, 0, false));
	assert_memory_equal(&s.mirror[0], &before, sizeof(before));
}

/* Stale, replaced, half-copied, a copy, a spare, missing: none of them is a choice. */
static void test_choose_only_what_boots(void **state)
{
	static const enum verdict never[] = {
		VERDICT_STALE,       VERDICT_REBUILDING, VERDICT_FAULTY,    VERDICT_SPARE,
		VERDICT_UNSUPPORTED, VERDICT_MISSING,    VERDICT_UNREADABLE};

	add_mirror(MIRROR_HEALTHY, "host:boot", 0);
	for (unsigned i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		s.mirror[0].leg[1].verdict = (uint8_t)never[i];
		assert_false(policy_choose(&s, 0, 1, false));
	}
	s.mirror[0].leg[1].verdict = VERDICT_CONFLICT;
	s.mirror[0].leg[1].why.code = REASON_DUPLICATE;
	assert_false(policy_choose(&s, 0, 1, false));
	s.mirror[0].leg[1].verdict = VERDICT_IN_SYNC;
	assert_true(policy_choose(&s, 0, 1, false));
	s.mirror[0].leg[0].member = NO_MEMBER;
	assert_false(policy_choose(&s, 0, 0, false));
	assert_int_equal(s.mirror[0].chosen, 1);
	assert_false(s.mirror[0].read_only);
}

/* Two legs of which the first is two events behind. */
static void add_stale(const struct member *stale)
{
	struct member newest = make_member(1, 2);

	newest.events += 2;
	newest.data_s512 = 600;
	survey_add(&s, stale, 0);
	survey_add(&s, &newest, 1);
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	assert_int_equal(s.mirror[0].chosen, 1);
	assert_int_equal(s.mirror[0].leg[0].verdict, VERDICT_STALE);
}

/* An old leg: only for one who knows it, alone, as long as it was itself, and not to be written. */
static void test_choose_stale(void **state)
{
	struct member old = make_member(0, 2);
	struct mirror *m = &s.mirror[0], before;

	add_stale(&old);
	before = *m;
	assert_int_equal(policy_leg(&s, 0, 0), POLICY_LEG_CONFIRMED);
	assert_int_equal(policy_leg(&s, 0, 1), POLICY_LEG_FREELY);
	assert_false(policy_choose(&s, 0, 0, false));
	assert_memory_equal(m, &before, sizeof(before));
	assert_true(policy_choose(&s, 0, 0, true));
	assert_int_equal(m->chosen, 0);
	assert_int_equal(m->order_count, 1);
	assert_int_equal(m->order[0], 0);
	assert_true(m->read_only);
	assert_int_equal(m->size_s512, 512);
	/* Back to the newest: the other is still out of sight, and nothing unlocks writes. */
	assert_true(policy_choose(&s, 0, 1, false));
	assert_int_equal(m->order_count, 1);
	assert_int_equal(m->size_s512, 600);
	assert_true(m->read_only);
}

static void test_choose_failed(void **state)
{
	struct member old = make_member(0, 3), newest = make_member(1, 3);

	newest.events++;
	newest.roles[0] = ROLE_FAULTY;
	survey_add(&s, &old, 0);
	survey_add(&s, &newest, 1);
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	for (unsigned i = 0; i < s.mirror[0].leg_count; i++) {
		const struct leg *l = &s.mirror[0].leg[i];

		if (l->disk != 0 || l->member == NO_MEMBER)
			continue;
		assert_int_equal(l->why.code, REASON_FAILED_BY_NEWEST);
		assert_false(policy_choose(&s, 0, i, false));
		assert_true(policy_choose(&s, 0, i, true));
		return;
	}
	fail();
}

/* A mirror that the OS would not start at all: its old leg can be had, by one who knows. */
static void test_choose_at_unusable(void **state)
{
	struct member old = make_member(0, 2), newest = make_member(1, 2);
	struct mirror *m = &s.mirror[0];

	newest.events += 9;
	newest.status = ST_UNSUPPORTED;
	newest.why.code = REASON_RESHAPE;
	survey_add(&s, &old, 0);
	survey_add(&s, &newest, 1);
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	assert_int_equal(m->state, MIRROR_UNUSABLE);
	assert_int_equal(policy_leg(&s, 0, 1), POLICY_LEG_NEVER);
	assert_true(policy_choose(&s, 0, 0, true));
	assert_int_equal(m->chosen, 0);
	assert_int_equal(m->order_count, 1);
}

/* Half a leg, a spare, or what is not a whole superblock stay out of reach, whoever asks. */
static void test_choose_stale_never(void **state)
{
	struct member old = make_member(0, 2);
	struct leg *l = &s.mirror[0].leg[0];

	add_stale(&old);
	assert_int_equal(policy_leg(&s, 0, 0), POLICY_LEG_CONFIRMED);
	s.member[l->member].flags |= MEMBER_PARTIAL;
	assert_false(policy_choose(&s, 0, 0, true));
	s.member[l->member].flags = 0;
	s.member[l->member].role = ROLE_SPARE;
	assert_false(policy_choose(&s, 0, 0, true));
	s.member[l->member].role = 0;
	s.member[l->member].status = ST_CORRUPT;
	assert_false(policy_choose(&s, 0, 0, true));
	s.member[l->member].status = ST_OK;
	for (unsigned v = 0; v < VERDICT_COUNT; v++) {
		l->verdict = (uint8_t)v;
		l->why.code = REASON_SIZE_DIFFERS;
		if (v != VERDICT_IN_SYNC && v != VERDICT_STALE)
			assert_false(policy_choose(&s, 0, 0, true));
	}
	l->verdict = VERDICT_CONFLICT;
	l->why.code = REASON_SPLIT_BRAIN;
	s.member[l->member].flags = MEMBER_PARTIAL;
	assert_false(policy_choose(&s, 0, 0, true));
	assert_int_equal(s.mirror[0].chosen, 1);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_mirror),
		TEST(test_unreadable_partner),
		TEST(test_table),
		TEST(test_named),
		TEST(test_named_absent_healthy),
		TEST(test_usable_before_unusable),
		TEST(test_choose_split),
		TEST(test_choose_alone),
		TEST(test_choose_in_sync),
		TEST(test_choose_refused),
		TEST(test_choose_only_what_boots),
		TEST(test_choose_stale),
		TEST(test_choose_failed),
		TEST(test_choose_at_unusable),
		TEST(test_choose_stale_never),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
