/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The boot record: its form, what is believed of it, and what it makes of a mirror. */
#include "tests/unit/help_md.h"

#include "common/mem.h"
#include "common/policy.h"
#include "common/record.h"

#include <string.h>

static struct survey s;
static struct record r;
static struct record_seen seen;

static int setup(void **state)
{
	memset(&s, 0, sizeof(s));
	memset(&r, 0xee, sizeof(r));
	memset(&seen, 0, sizeof(seen));
	return 0;
}

/* A mirror whose UUID is all this byte; legs are bits: 1 is device 0 on disk 0, 2 device 1 on 1. */
static struct mirror *add_mirror(uint8_t uuid, uint64_t events, unsigned legs)
{
	for (unsigned dev = 0; dev < 2; dev++) {
		struct member m = make_member(dev, 2);

		if (!(legs & 1u << dev))
			continue;
		memset(&m.set_uuid, uuid, sizeof(m.set_uuid));
		m.events = events;
		survey_add(&s, &m, dev);
	}
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	return &s.mirror[s.mirror_count - 1];
}

static void made(unsigned boot, unsigned disk)
{
	record_make(&r, &seen, &s, boot);
	record_seal(&r, disk);
	assert_int_equal(record_check(&r), ST_OK);
}

/* What this and all earlier boots know, as the next one reads it. */
static void next_boot(void)
{
	memset(&s, 0, sizeof(s));
	memset(&seen, 0, sizeof(seen));
	record_merge(&seen, &r);
}

static uint32_t sum(void)
{
	const uint8_t *b = (const uint8_t *)&r;
	uint32_t total = 0;

	for (unsigned i = 0; i < 512; i += 4)
		total += get32(b + i);
	return total;
}

/* Bytes on disks outlive versions: places and numbers are pinned here. */
static void test_form(void **state)
{
	const uint8_t *b = (const uint8_t *)&r;

	add_mirror(0x41, 100, 3);
	made(0, 1);
	assert_memory_equal(b, "MIRRBREC\1\0\0\0", 12);
	assert_int_equal(sum(), 0);
	assert_memory_equal(b + 16, "\1\0\0\0\0\0\0\0\0\0\0\0\1\1\0\0", 16);
	assert_memory_equal(b + 32, "AAAAAAAAAAAAAAAA\x64\0\0\0\0\0\0\0\x64\0\0\0\0\0\0\0", 32);
	assert_memory_equal(b + 64, "\1\0\0\0\3\0\1\2\0\0\0\0", 12);
	assert_memory_equal(b + 76, "\0\0\1\1\0\1\0\0\0\0\0\0", 12);
	for (unsigned i = 88; i < 512; i++)
		assert_int_equal(b[i], 0);

	assert_int_equal(REASON_STALE, 7);
	assert_int_equal(REASON_MISSING, 15);
	assert_int_equal(REASON_SIZE_DIFFERS, 28);
	assert_int_equal(VERDICT_STALE, 1);
	assert_int_equal(VERDICT_UNSUPPORTED, 8);
	assert_int_equal(MIRROR_UNUSABLE, 3);
	assert_int_equal(FORMAT_MD_1_2, 3);
}

static void test_rejected(void **state)
{
	struct record good;

	add_mirror(1, 100, 3);
	made(0, 0);
	good = r;
	for (unsigned bit = 0; bit < 4096; bit++) { /* no single bit goes unnoticed */
		((uint8_t *)&r)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(record_check(&r), bit < 64 ? ST_ABSENT : ST_CORRUPT);
		r = good;
	}
	memset(&r, 0, sizeof(r));
	assert_int_equal(record_check(&r), ST_ABSENT);

	r = good;
	r.version = le32_of(2);
	assert_int_equal(record_check(&r), ST_CORRUPT);
	record_seal(&r, 0);
	assert_int_equal(record_check(&r), ST_UNSUPPORTED);

	r = good;
	r.count = RECORD_MIRRORS + 1;
	record_seal(&r, 0);
	assert_int_equal(record_check(&r), ST_CORRUPT);
	r.count = RECORD_MIRRORS;
	record_seal(&r, 0);
	assert_int_equal(record_check(&r), ST_OK);
}

/* What the resident part does keeps the sum right, also when it goes around. */
static void test_failover(void **state)
{
	static const uint32_t sums[] = {0, 1, 0x7fffffff, 0xffffffff};

	for (unsigned i = 0; i < 4; i++) {
		setup(NULL);
		add_mirror(1, 100, 3);
		record_make(&r, &seen, &s, 0);
		record_seal(&r, 0);
		put32(r.reserved, get32((uint8_t *)&r.sum) - sums[i]);
		record_seal(&r, 0);
		assert_int_equal(get32((uint8_t *)&r.sum), sums[i]);

		assert_true(record_failover(&r, 1, 1));
		assert_int_equal(record_check(&r), ST_OK);
		assert_int_equal(le32_get(r.failovers), 1);
		assert_int_equal(le32_get(r.failed_disks), 2);
		assert_true(record_failover(&r, 1, 1)); /* another leg on the same disk */
		assert_true(record_failover(&r, 1, 31));
		assert_int_equal(record_check(&r), ST_OK);
		assert_int_equal(le32_get(r.failovers), 3);
		assert_int_equal(le32_get(r.failed_disks), 0x80000002);
	}
}

/* The loader may have overwritten the place, or another boot have been there. */
static void test_failover_of_another_boot(void **state)
{
	struct record before;

	add_mirror(1, 100, 3);
	made(0, 0);
	before = r;
	assert_false(record_failover(&r, 2, 0));
	assert_memory_equal(&r, &before, sizeof(r));
	memset(&r, 0, sizeof(r));
	assert_false(record_failover(&r, 0, 0));
}

/* The one thing that nothing else can tell: a leg alone, and older than what was seen. */
static void test_lone_stale_leg(void **state)
{
	static const struct {
		uint64_t events;
		bool behind;
	} rows[] = {{100, false}, {99, false}, {98, true}, {1, true}, {101, false}, {0, true}};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mirror *m;

		setup(NULL);
		add_mirror(1, 100, 3);
		made(0, 0);
		next_boot();
		m = add_mirror(1, rows[i].events, 1);
		record_judge(&s, &seen);
		assert_int_equal(m->seen, 100);
		assert_int_equal(m->behind, rows[i].behind);
		assert_int_equal(m->state, MIRROR_DEGRADED);
		assert_int_equal(m->leg[0].verdict, VERDICT_IN_SYNC); /* as the OS would say */
		assert_int_equal(m->chosen, 0);

		made(0, 0); /* and not forgotten */
		assert_int_equal(le64_get(r.mirror[0].seen),
				 rows[i].events > 100 ? rows[i].events : 100);
		assert_int_equal(le64_get(r.mirror[0].generation), rows[i].events);
		assert_int_equal(r.mirror[0].flags,
				 RECORD_BOOTED | (rows[i].behind ? RECORD_BEHIND : 0));
	}
}

/* One event back is what md does itself when an array becomes clean: at every size of number. */
static void test_margin_at_the_ends(void **state)
{
	static const struct {
		uint64_t seen, here;
		bool behind;
	} rows[] = {
		{0, 0, false},
		{1, 0, false},
		{2, 0, true},
		{UINT64_MAX, 0, true},
		{UINT64_MAX, UINT64_MAX - 1, false},
		{UINT64_MAX, UINT64_MAX - 2, true},
		{0, UINT64_MAX, false},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mirror *m;

		setup(NULL);
		m = add_mirror(1, rows[i].here, 3);
		record_make(&r, &seen, &s, 0);
		r.mirror[0].seen = le64_of(rows[i].seen);
		record_merge(&seen, &r);
		record_judge(&s, &seen);
		assert_int_equal(m->behind, rows[i].behind);
		/* whole as it is: but not healthy */
		assert_int_equal(m->state, rows[i].behind ? MIRROR_DEGRADED : MIRROR_HEALTHY);
	}
}

/*
 * All legs are here and in sync, and something newer was seen: a copy was put back, or
 * the record lies. Said once; there is no disk left to look for.
 */
static void test_whole_mirror_forgets(void **state)
{
	struct mirror *m;

	add_mirror(1, 100, 3);
	made(0, 0);
	next_boot();
	m = add_mirror(1, 50, 3);
	record_judge(&s, &seen);
	assert_true(m->behind);
	assert_int_equal(m->state, MIRROR_DEGRADED);
	made(0, 0);
	assert_int_equal(le64_get(r.mirror[0].seen), 50);
	assert_int_equal(r.mirror[0].state, MIRROR_DEGRADED);
	next_boot();
	m = add_mirror(1, 50, 3);
	record_judge(&s, &seen);
	assert_false(m->behind);
	assert_int_equal(m->state, MIRROR_HEALTHY);
}

/* A record never makes a mirror usable or unusable, and never takes another leg. */
static void test_hints_only(void **state)
{
	struct mirror *m, before;

	add_mirror(1, UINT64_MAX, 3);
	made(0, 0);
	next_boot();
	m = add_mirror(1, 5, 2);
	m->newest = NO_LEG; /* no leg says anything */
	m->state = MIRROR_UNUSABLE;
	before = *m;
	record_judge(&s, &seen);
	assert_false(m->behind);
	before.seen = m->seen;
	assert_memory_equal(&before, m, sizeof(before));

	m->newest = 0;
	record_judge(&s, &seen);
	assert_true(m->behind);
	assert_int_equal(m->state, MIRROR_UNUSABLE);
	m->state = MIRROR_SPLIT_BRAIN;
	record_judge(&s, &seen);
	assert_int_equal(m->state, MIRROR_SPLIT_BRAIN);
}

/* An entry is a mirror's by UUID and format, both. */
static void test_other_mirrors_are_not_meant(void **state)
{
	struct mirror *m;

	add_mirror(1, 100, 3);
	made(0, 0);
	next_boot();
	m = add_mirror(2, 5, 1);
	record_judge(&s, &seen);
	assert_int_equal(m->seen, 0);
	assert_false(m->behind);

	next_boot();
	m = add_mirror(1, 5, 1);
	m->format = FORMAT_MD_1_0;
	record_judge(&s, &seen);
	assert_int_equal(m->seen, 0);
}

/* The highest of all records counts, the newest's details are kept, in whatever order they come. */
static void test_merge(void **state)
{
	struct record one, two;

	add_mirror(1, 100, 3);
	made(0, 0);
	one = r; /* boot 1, saw 100 */
	memset(&s, 0, sizeof(s));
	seen.any = true;
	seen.sequence = 7;
	add_mirror(1, 60, 2);
	made(0, 1);
	two = r; /* boot 8, another machine: saw 60 */
	for (unsigned order = 0; order < 2; order++) {
		memset(&seen, 0, sizeof(seen));
		record_merge(&seen, order ? &one : &two);
		record_merge(&seen, order ? &two : &one);
		assert_int_equal(seen.sequence, 8);
		assert_int_equal(seen.count, 1);
		assert_int_equal(le64_get(seen.mirror[0].seen), 100);
		assert_int_equal(le64_get(seen.mirror[0].generation), 60);
		assert_int_equal(le32_get(seen.mirror[0].sequence), 8);
	}
}

static void test_sequence_goes_around(void **state)
{
	assert_true(record_later(2, 1));
	assert_false(record_later(1, 2));
	assert_false(record_later(1, 1));
	assert_true(record_later(0, UINT32_MAX));
	assert_false(record_later(UINT32_MAX, 0));

	seen.any = true;
	seen.sequence = UINT32_MAX;
	add_mirror(1, 100, 3);
	made(0, 0);
	assert_int_equal(le32_get(r.sequence), 0);
	record_merge(&seen, &r);
	assert_int_equal(seen.sequence, 0);
}

/* The boot mirror comes first and always has a place; those not here stay while there is room. */
static void test_room(void **state)
{
	struct record_seen old;

	for (uint8_t i = 1; i <= 10; i++) { /* one more mirror a boot, each alone */
		memset(&s, 0, sizeof(s));
		add_mirror(i, i, 3);
		made(0, 0);
		record_merge(&seen, &r);
		assert_int_equal(r.count, i < RECORD_MIRRORS ? i : RECORD_MIRRORS);
		for (unsigned k = 0; k < r.count; k++) /* the last seen first */
			assert_int_equal(r.mirror[k].uuid.b[0], i - k);
		assert_int_equal(le32_get(r.mirror[0].sequence), i);
	}

	/* 3 comes back, and then 99: what counts is when a mirror was seen last. */
	for (uint8_t i = 3; i <= 99; i += 96) {
		memset(&s, 0, sizeof(s));
		add_mirror(i, i, 3);
		made(0, 0);
		record_merge(&seen, &r);
	}
	for (unsigned k = 0; k < RECORD_MIRRORS; k++)
		assert_int_equal(r.mirror[k].uuid.b[0], k == 0 ? 99 : k == 1 ? 3 : 12 - k);

	old = seen;
	memset(&s, 0, sizeof(s));
	for (uint8_t i = 31; i < 43; i++)
		add_mirror(i, 100, 3);
	made(11, 0);
	assert_int_equal(r.count, RECORD_MIRRORS);
	assert_int_equal(r.mirror[0].uuid.b[0], 42);
	assert_int_equal(r.mirror[0].flags, RECORD_BOOTED);
	for (unsigned k = 1; k < RECORD_MIRRORS; k++) {
		assert_int_equal(r.mirror[k].uuid.b[0], 30 + k);
		assert_int_equal(r.mirror[k].flags, 0);
	}
	assert_memory_equal(&old, &seen, sizeof(seen));
}

/* More than can be kept: what was there stays as it is, and goes on being updated. */
static void test_merge_is_full(void **state)
{
	struct record_seen before;

	memset(&r, 0, sizeof(r));
	for (unsigned disk = 0; disk < 10; disk++) {
		if (disk == 8)
			before = seen;
		r.count = RECORD_MIRRORS;
		r.sequence = le32_of(disk);
		for (unsigned i = 0; i < RECORD_MIRRORS; i++) {
			r.mirror[i].uuid.b[0] = (uint8_t)(disk * RECORD_MIRRORS + i);
			r.mirror[i].sequence = r.sequence;
		}
		record_merge(&seen, &r);
	}
	assert_int_equal(seen.count, RECORD_SEEN);
	assert_memory_equal(before.mirror, seen.mirror, sizeof(seen.mirror));
	r.mirror[0].uuid.b[0] = 5;
	r.mirror[0].seen = le64_of(77);
	record_merge(&seen, &r);
	assert_int_equal(le64_get(seen.mirror[5].seen), 77);
	r.count = 255; /* record_check() was not asked */
	record_merge(&seen, &r);
}

/* A mirror that can't be used says nothing of itself: what was known is kept. */
static void test_unusable_keeps_what_was_known(void **state)
{
	struct mirror *m;

	add_mirror(1, 100, 3);
	made(0, 0);
	next_boot();
	m = add_mirror(1, 100, 1);
	m->newest = m->chosen = NO_LEG;
	m->state = MIRROR_UNUSABLE;
	made(SURVEY_MIRRORS, 0);
	assert_int_equal(r.count, 1);
	assert_int_equal(le64_get(r.mirror[0].seen), 100);
	assert_int_equal(le32_get(r.mirror[0].sequence), 1);
	assert_int_equal(le32_get(r.sequence), 2);
}

static void test_reasons_of_legs(void **state)
{
	struct member a = make_member(0, 2), b = make_member(1, 2);

	b.roles[0] = ROLE_SPARE;
	b.events += 5;
	survey_add(&s, &a, 3);
	survey_add(&s, &b, 2);
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	made(0, 0);
	assert_int_equal(r.mirror[0].chosen, 1);
	assert_int_equal(r.mirror[0].disk, 2);
	assert_int_equal(r.mirror[0].state, MIRROR_DEGRADED);
	assert_int_equal(r.mirror[0].leg[0].disk, 3);
	assert_int_equal(r.mirror[0].leg[0].verdict, VERDICT_STALE);
	assert_int_equal(r.mirror[0].leg[0].why, REASON_STALE);
	assert_int_equal(le64_get(r.mirror[0].seen), 105);

	/* more legs than are kept */
	setup(NULL);
	for (unsigned dev = 0; dev < 6; dev++) {
		struct member m = make_member(dev, 6);

		survey_add(&s, &m, dev);
	}
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	s.mirror[0].chosen = 5;
	made(0, 0);
	assert_int_equal(r.mirror[0].leg_count, 6);
	assert_int_equal(r.mirror[0].disk, 5);
	assert_true(mem_is_zero(&r.mirror[1], sizeof(r.mirror[1]) * (RECORD_MIRRORS - 1)));
}

static void test_same_boot(void **state)
{
	struct record a, b;

	add_mirror(1, 100, 3);
	made(0, 0);
	a = r;
	made(0, 1);
	b = r;
	assert_true(record_same_boot(&a, &b));
	assert_true(record_failover(&b, 1, 0));
	assert_true(record_same_boot(&a, &b));
	b.mirror[0].chosen = 1; /* as many boots later, and not the same */
	record_seal(&b, 1);
	assert_false(record_same_boot(&a, &b));
}

/* Time to read it, whatever the config says; for any mirror; and never more than time. */
static void test_policy(void **state)
{
	struct config c;
	struct policy p;

	config_default(&c);
	add_mirror(1, 100, 3);
	add_mirror(2, 100, 3);
	policy_decide(&s, &c, &p);
	assert_int_equal(p.action, POLICY_BOOT);
	s.mirror[1].behind = true;
	policy_decide(&s, &c, &p);
	assert_int_equal(p.action, POLICY_PAUSE);
	assert_int_equal(p.pause_s, POLICY_PAUSE_S);
	c.timeout_s = 1;
	policy_decide(&s, &c, &p);
	assert_int_equal(p.pause_s, POLICY_PAUSE_S);
	s.mirror[0].state = MIRROR_DEGRADED;
	c.timeout_s = 60;
	c.split_brain = CONFIG_HALT;
	policy_decide(&s, &c, &p);
	assert_int_equal(p.action, POLICY_PAUSE);
	assert_int_equal(p.pause_s, 60);
}

/* A variable's bytes are anybody's: all lengths, and counts beyond them. */
static void test_as_a_variable(void **state)
{
	uint8_t bytes[600] = {0};
	struct record back;
	unsigned n;

	add_mirror(1, 100, 3);
	add_mirror(2, 50, 3);
	made(1, RECORD_NONE);
	n = record_bytes(&r);
	assert_int_equal(n, 32 + 2 * 56);
	memcpy(bytes, &r, n);
	assert_int_equal(record_take(&back, bytes, n), ST_OK);
	assert_memory_equal(&back, &r, sizeof(r));
	assert_int_equal(record_take(&back, bytes, 512), ST_OK); /* padded by somebody */
	assert_memory_equal(&back, &r, sizeof(r));
	for (unsigned cut = 0; cut <= sizeof(bytes); cut++)
		if (cut < n || cut > 512)
			assert_int_equal(record_take(&back, bytes, cut), ST_CORRUPT);
	for (unsigned bit = 0; bit < 8 * n; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(record_take(&back, bytes, n), ST_OK);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}

	r.count = 3; /* the sum is right, the third mirror is not there */
	record_seal(&r, RECORD_NONE);
	assert_int_equal(record_take(&back, &r, n), ST_CORRUPT);
	r.count = 0;
	memset(r.mirror, 0, sizeof(r.mirror));
	record_seal(&r, RECORD_NONE);
	assert_int_equal(record_bytes(&r), 32);
	assert_int_equal(record_take(&back, &r, 32), ST_OK);
}

/* Which boot it was is no news; all else is, and so is that a mirror was not there. */
static void test_same_news(void **state)
{
	struct record before;

	add_mirror(1, 100, 3);
	add_mirror(2, 50, 3);
	made(0, RECORD_NONE);
	before = r;
	next_boot();
	add_mirror(1, 100, 3);
	add_mirror(2, 50, 3);
	record_judge(&s, &seen);
	made(0, RECORD_NONE);
	assert_int_equal(le32_get(r.sequence), 2);
	assert_true(record_same_news(&before, &r));

	for (unsigned i = 20; i < 32 + 2 * 56; i++) {
		struct record other = r;

		if ((i >= 64 && i < 68) || (i >= 120 && i < 124))
			continue; /* the mirrors' boots */
		((uint8_t *)&other)[i] ^= 1;
		assert_false(record_same_news(&before, &other));
		assert_false(record_same_news(&other, &before));
	}

	next_boot();
	add_mirror(1, 100, 3);
	made(0, RECORD_NONE);
	assert_int_equal(r.count, 2);
	assert_false(record_same_news(&before, &r));
	before = r;
	next_boot();
	add_mirror(1, 100, 3);
	made(0, RECORD_NONE);
	assert_true(record_same_news(&before, &r)); /* absent as before */
}

/*
 * What disks remember and nobody can write down there: forgotten for a mirror that is
 * whole, once the firmware's own record knows better; and for no other.
 */
static void test_prefer(void **state)
{
	for (unsigned legs = 1; legs <= 3; legs += 2) {
		for (unsigned in_firmware = 0; in_firmware < 2; in_firmware++) {
			struct record_seen known = {0};
			struct mirror *m;

			setup(NULL);
			add_mirror(1, 100, 3);
			made(0, 0);
			record_merge(&seen, &r); /* a disk's */
			memset(&s, 0, sizeof(s));
			add_mirror(1, 50, 3);
			made(0, RECORD_NONE);
			if (in_firmware) {
				record_merge(&known, &r);
				record_merge(&seen, &r);
			}
			memset(&s, 0, sizeof(s));
			m = add_mirror(1, 50, legs);
			record_prefer(&seen, &known, &s);
			record_judge(&s, &seen);
			assert_int_equal(m->behind, !(in_firmware && legs == 3));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_form, setup),
		cmocka_unit_test_setup(test_rejected, setup),
		cmocka_unit_test_setup(test_failover, setup),
		cmocka_unit_test_setup(test_failover_of_another_boot, setup),
		cmocka_unit_test_setup(test_lone_stale_leg, setup),
		cmocka_unit_test_setup(test_margin_at_the_ends, setup),
		cmocka_unit_test_setup(test_whole_mirror_forgets, setup),
		cmocka_unit_test_setup(test_hints_only, setup),
		cmocka_unit_test_setup(test_other_mirrors_are_not_meant, setup),
		cmocka_unit_test_setup(test_merge, setup),
		cmocka_unit_test_setup(test_sequence_goes_around, setup),
		cmocka_unit_test_setup(test_room, setup),
		cmocka_unit_test_setup(test_merge_is_full, setup),
		cmocka_unit_test_setup(test_as_a_variable, setup),
		cmocka_unit_test_setup(test_same_news, setup),
		cmocka_unit_test_setup(test_prefer, setup),
		cmocka_unit_test_setup(test_unusable_keeps_what_was_known, setup),
		cmocka_unit_test_setup(test_reasons_of_legs, setup),
		cmocka_unit_test_setup(test_same_boot, setup),
		cmocka_unit_test_setup(test_policy, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
