/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * trust: dynamic disks. What is pinned is the disk's GUID; a database is a disk's word about all
 * of its group, so that of a disk that is not named must count for nothing.
 */
#include "tests/unit/help_ldm.h"

#include "common/policy.h"
#include "common/survey.h"

#include <string.h>

#define DISKS 3u

static struct ldmt_group g;
static struct memdisk mem[DISKS];
static struct disk disk[DISKS];
static struct survey s;
static struct config c;
static struct policy p;

static int setup(void **state)
{
	config_default(&c);
	ldmt_mirror(&g);
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < DISKS; i++)
		memdisk_close(&mem[i]);
	memset(mem, 0, sizeof(mem));
	return 0;
}

/* Disk i of the group: 0 and 1 have its legs. */
static void put_disk(unsigned i)
{
	ldmt_make(&g);
	ldmt_disk_open(&mem[i], &g.db, (uint8_t)(0x11 + i), false, 9);
}

static void set_transaction(unsigned i, uint64_t committed)
{
	struct ldmt_place at = ldmt_place(&mem[i], false);
	uint8_t *config = mem[i].bytes + (at.private_lba + at.config) * 512;

	ldmt_be(config + 0x75, committed, 8);
	ldmt_be(config + 0x7d, committed, 8);
}

static void trust_disk_of(unsigned i)
{
	c.trust.pinned = true;
	memset(&c.trust.device[c.trust.count++], (int)(0x11 + i), sizeof(struct guid));
}

static void run(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		disk[i] = mem[i].disk;
	survey_run_trusted(&s, disk, n, &c.trust);
	policy_decide(&s, &c, &p);
}

static void test_both(void **state)
{
	put_disk(0);
	put_disk(1);
	trust_disk_of(0);
	trust_disk_of(1);
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
	assert_int_equal(s.mirror[0].order_count, 2);
}

/* A later transaction on it makes the other's leg out of date, where it is believed. */
static void test_later_transaction(void **state)
{
	put_disk(0);
	put_disk(1);
	set_transaction(1, 1000000);
	run(2);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_STALE);
	assert_int_equal(s.mirror[0].leg[s.mirror[0].chosen].disk, 1);

	trust_disk_of(0);
	run(2);
	assert_int_equal(s.mirror[0].leg[s.mirror[0].chosen].disk, 0);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_IN_SYNC);
	assert_int_equal(leg_on(&s, 0, 1)->verdict, VERDICT_UNTRUSTED);
	assert_int_equal(leg_on(&s, 0, 1)->why.code, REASON_NOT_TRUSTED);
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
	assert_int_equal(p.action, POLICY_BOOT);
}

/* A disk of the group without any leg may say so as well: the mirror went on without ours. */
static void test_later_transaction_without_a_leg(void **state)
{
	g.disk[2] = g.disk[1];
	g.disk[2].id = 13;
	strcpy(g.disk[2].name, "Disk3");
	memset(&g.disk[2].guid, 0x13, sizeof(struct guid));
	g.disks = 3;
	put_disk(0);
	put_disk(2);
	mem[1] = mem[2];
	memset(&mem[2], 0, sizeof(mem[2]));
	mem[1].disk.ctx = &mem[1];
	set_transaction(1, 1000000);
	run(2);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_STALE);
	assert_int_equal(s.mirror[0].chosen, NO_LEG);

	trust_disk_of(0);
	run(2);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_IN_SYNC);
	assert_false(trust_disk(&s, 1));
	/* Named, it is believed again. */
	trust_disk_of(2);
	run(2);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_STALE);
	assert_true(trust_disk(&s, 1));
}

/* As new, and it says something else: nobody could tell which is right. */
static void test_databases_that_differ(void **state)
{
	put_disk(0);
	g.partition[1].start_s512 += 8;
	put_disk(1);
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_SPLIT_BRAIN);
	trust_disk_of(0);
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
	assert_int_equal(s.mirror[0].leg[s.mirror[0].chosen].disk, 0);
}

static void test_none(void **state)
{
	put_disk(0);
	put_disk(1);
	c.trust.pinned = true;
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_UNTRUSTED);
	assert_int_equal(p.action, POLICY_UNTRUSTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_both),
		TEST(test_later_transaction),
		TEST(test_later_transaction_without_a_leg),
		TEST(test_databases_that_differ),
		TEST(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
