/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* probe and assemble: what is found on disks, where, and what becomes of it. */
#include "tests/unit/help_md.h"

#include <string.h>

#define SECTORS 2048u
#define DISKS   40u

static struct memdisk mem[DISKS];
static struct disk disk[DISKS];
static struct survey s;

static void open_disks(unsigned n, uint64_t sectors, unsigned shift)
{
	for (unsigned i = 0; i < n; i++)
		memdisk_open(&mem[i], sectors, shift);
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < DISKS; i++)
		memdisk_close(&mem[i]);
	memset(mem, 0, sizeof(mem));
	return 0;
}

static void run(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		disk[i] = mem[i].disk;
	survey_run(&s, disk, n);
}

static void test_whole_disks(void **state)
{
	static const enum format_id all[] = {FORMAT_MD_1_0, FORMAT_MD_1_1, FORMAT_MD_1_2};

	for (unsigned f = 0; f < 3; f++) {
		open_disks(2, SECTORS, 9);
		for (unsigned i = 0; i < 2; i++) {
			struct md1_spec spec = md1_spec(all[f], i);

			md1_put(&mem[i], 0, SECTORS, &spec);
		}
		run(2);
		assert_false(s.full);
		assert_int_equal(s.member_count, 2);
		assert_int_equal(s.mirror_count, 1);
		assert_int_equal(s.mirror[0].format, all[f]);
		assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
		assert_int_equal(s.mirror[0].leg_count, 2);
		assert_int_equal(s.member[1].disk, 1);
		assert_int_equal(s.member[1].part, 0);
		assert_int_equal(s.member[1].start_lba, 0);
		assert_int_equal(s.member[1].sectors_lba, SECTORS);
		assert_in_range(s.found[0].requests, 1, 16);
		assert_int_equal(s.found[0].requests, mem[0].requests);
		assert_false(s.found[0].io_error);
		teardown(NULL);
	}
}

static void test_0_90(void **state)
{
	open_disks(2, SECTORS, 9);
	for (unsigned i = 0; i < 2; i++) {
		struct md0_spec spec = md0_spec(i);

		md0_put(&mem[i], 0, SECTORS, &spec);
	}
	run(2);
	assert_int_equal(s.member_count, 2);
	assert_int_equal(s.mirror_count, 1);
	assert_int_equal(s.mirror[0].format, FORMAT_MD_0_90);
	assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
	assert_string_equal(s.mirror[0].name, "md0");
}

static void test_partitions(void **state)
{
	open_disks(2, SECTORS, 9);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec boot = md1_spec(FORMAT_MD_1_2, i), root = boot;

		memdisk_mbr(&mem[i], 1, 0xfd, 63, 700);
		memdisk_mbr(&mem[i], 2, 0x83, 800, 700);
		memdisk_mbr(&mem[i], 3, 0x83, 1600, 100);
		md1_put(&mem[i], 63, 700, &boot);
		root.uuid = 0x77;
		root.name = "host:root";
		root.format = FORMAT_MD_1_0;
		root.data_offset = 0;
		md1_put(&mem[i], 800, 700, &root);
	}
	run(2);
	assert_int_equal(s.member_count, 4);
	assert_int_equal(s.mirror_count, 2);
	assert_int_equal(s.member[0].part, 1);
	assert_int_equal(s.member[0].start_lba, 63);
	assert_int_equal(s.member[0].sectors_lba, 700);
	assert_int_equal(s.member[1].part, 2);
	assert_int_equal(s.member[1].start_lba, 800);
	assert_int_equal(s.member[1].format, FORMAT_MD_1_0);
	assert_int_equal(s.member[3].disk, 1);
	assert_int_equal(s.found[0].table, PART_TABLE_MBR);
	assert_int_equal(s.found[0].status, ST_OK);
	assert_int_equal(s.found[0].other_parts, 1);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(s.mirror[i].state, MIRROR_HEALTHY);
}

/* The order of disks changes neither the legs nor their order. */
static void test_order_of_disks(void **state)
{
	struct mirror first;

	open_disks(2, SECTORS, 9);
	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned i = 0; i < 2; i++) {
			unsigned dev = turn ? 1 - i : i;
			struct md1_spec spec = md1_spec(FORMAT_MD_1_2, dev);

			spec.events = dev ? 100 : 90;
			if (dev)
				spec.roles[0] = ROLE_FAULTY;
			md1_put(&mem[i], 0, SECTORS, &spec);
		}
		run(2);
		assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
		assert_int_equal(s.mirror[0].leg[0].disk, turn);
		assert_int_equal(s.mirror[0].leg[0].verdict, VERDICT_STALE);
		assert_int_equal(s.mirror[0].chosen, 1);
		if (turn == 0)
			first = s.mirror[0];
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(s.mirror[0].leg[i].role, first.leg[i].role);
		assert_int_equal(s.mirror[0].leg[i].verdict, first.leg[i].verdict);
		assert_int_equal(s.mirror[0].leg[i].why.code, first.leg[i].why.code);
	}
}

/* ---- one superblock, two places from which it can be seen ---- */

static void one_0_90(uint32_t size_kib)
{
	struct md0_spec spec = md0_spec(0);

	open_disks(1, SECTORS, 9);
	memdisk_mbr(&mem[0], 1, 0xfd, 128, SECTORS - 128);
	spec.size_kib = size_kib;
	md0_put(&mem[0], 0, SECTORS, &spec);
	/* the same sector seen from both: this is what the case is about */
	assert_int_equal(md0_at(SECTORS), 128 + md0_at(SECTORS - 128));
	run(1);
	assert_int_equal(s.member_count, 1);
}

static void test_0_90_of_the_last_partition(void **state)
{
	one_0_90(md0_at(SECTORS - 128) / 2);
	assert_int_equal(s.member[0].part, 1);
	assert_int_equal(s.member[0].start_lba, 128);
}

static void test_0_90_of_the_whole_disk(void **state)
{
	one_0_90(md0_at(SECTORS) / 2); /* larger than the partition that is inside it */
	assert_int_equal(s.member[0].part, 0);
	assert_int_equal(s.member[0].start_lba, 0);
	assert_int_equal(s.found[0].other_parts, 1);
}

/* 1.0 at the end of the last partition: it says where it belongs. */
static void test_1_0_of_the_last_partition(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_0, 0);

	open_disks(1, SECTORS, 9);
	memdisk_mbr(&mem[0], 1, 0xfd, 64, SECTORS - 64);
	md1_put(&mem[0], 64, SECTORS - 64, &spec);
	run(1);
	assert_int_equal(s.member_count, 1);
	assert_int_equal(s.member[0].part, 1);
}

/* A member that is the whole disk: what looks like a table inside is the array's. */
static void test_table_inside_a_member(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0), inside = spec;

	open_disks(1, SECTORS, 9);
	memdisk_mbr(&mem[0], 1, 0xfd, 1024, 800);
	inside.uuid = 0x33;
	md1_put(&mem[0], 1024, 800, &inside);
	md1_put(&mem[0], 0, SECTORS, &spec);
	run(1);
	assert_int_equal(s.member_count, 1);
	assert_int_equal(s.member[0].part, 0);
	assert_int_equal(s.member[0].set_uuid.b[0], 0xa5);
}

/* A damaged superblock does not hide a whole one of another version, nor the other way round. */
static void test_damaged_beside_whole(void **state)
{
	struct md1_spec damaged = md1_spec(FORMAT_MD_1_2, 0), whole = md1_spec(FORMAT_MD_1_0, 1);

	open_disks(1, SECTORS, 9);
	md1_put(&mem[0], 0, SECTORS, &damaged);
	md1_put(&mem[0], 0, SECTORS, &whole);
	mem[0].bytes[8 * 512 + 200]++;
	run(1);
	assert_int_equal(s.member_count, 1);
	assert_int_equal(s.member[0].format, FORMAT_MD_1_0);
	assert_int_equal(s.member[0].status, ST_OK);

	mem[0].bytes[8 * 512 + 200]--;
	mem[0].bytes[md1_at(FORMAT_MD_1_0, SECTORS) * 512 + 200]++;
	run(1);
	assert_int_equal(s.member[0].format, FORMAT_MD_1_2);
	assert_int_equal(s.member[0].status, ST_OK);

	/* both damaged: one is kept, to be told of */
	mem[0].bytes[8 * 512 + 200]++;
	run(1);
	assert_int_equal(s.member_count, 1);
	assert_int_equal(s.member[0].status, ST_CORRUPT);
	assert_int_equal(s.mirror[0].leg[0].verdict, VERDICT_FAULTY);
	assert_int_equal(s.mirror[0].leg[0].why.code, REASON_CHECKSUM);
	assert_int_equal(s.mirror[0].state, MIRROR_UNUSABLE);
}

/* One that is whole and not ours to use tells more than a damaged one. */
static void test_damaged_beside_unsupported(void **state)
{
	struct md1_spec unsupported = md1_spec(FORMAT_MD_1_2, 0),
			damaged = md1_spec(FORMAT_MD_1_0, 1);

	open_disks(1, SECTORS, 9);
	unsupported.features = 4;
	md1_put(&mem[0], 0, SECTORS, &unsupported);
	md1_put(&mem[0], 0, SECTORS, &damaged);
	mem[0].bytes[md1_at(FORMAT_MD_1_0, SECTORS) * 512 + 200]++;
	run(1);
	assert_int_equal(s.member_count, 1);
	assert_int_equal(s.member[0].format, FORMAT_MD_1_2);
	assert_int_equal(s.member[0].why.code, REASON_RESHAPE);
}

/* ---- disks that do not answer ---- */

static void put_pair(void)
{
	open_disks(2, SECTORS, 9);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);

		md1_put(&mem[i], 0, SECTORS, &spec);
	}
}

static void test_dead_disk(void **state)
{
	put_pair();
	mem[0].dead = true;
	run(2);
	assert_true(s.found[0].io_error);
	assert_false(s.found[1].io_error);
	assert_int_equal(s.found[0].status, ST_IO);
	assert_int_equal(s.member_count, 1);
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_UNREADABLE);
	assert_int_equal(leg_on(&s, 0, 0)->member, NO_MEMBER);
	assert_int_equal(leg_on(&s, 0, 1)->verdict, VERDICT_IN_SYNC);
	assert_in_range(mem[0].requests, 1, 16);
}

/* One bad sector at the start costs a request or two, not the member. */
/*
 * LBA 0 of the disk with the newest leg can't be read: its member is found where its
 * partner's is. A disk that answers nothing is asked a few times only.
 */
static void test_table_unreadable(void **state)
{
	struct md1_spec spec;

	open_disks(3, 4096, 9);
	for (unsigned i = 0; i < 2; i++) {
		memdisk_mbr(&mem[i], 1, 0xfd, 1000, SECTORS);
		spec = md1_spec(FORMAT_MD_1_2, i);
		spec.events += 10 * i;
		if (i == 1)
			spec.roles[0] = ROLE_SPARE;
		md1_put(&mem[i], 1000, SECTORS, &spec);
	}
	memdisk_fail(&mem[1], 0, 1);
	mem[2].dead = true;
	run(3);
	assert_int_equal(s.mirror_count, 1);
	assert_int_equal(s.mirror[0].leg[s.mirror[0].chosen].disk, 1);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_STALE);
	assert_int_equal(s.member[1].start_lba, 1000);
	assert_int_equal(s.member[1].part, 1);
	assert_false(survey_only_legs(&s, 1)); /* what else is on it is not known */
	assert_true(s.found[1].io_error && s.found[1].answered);
	assert_true(s.found[2].io_error && !s.found[2].answered);
	assert_false(survey_dead(&s, 0) || survey_dead(&s, 1));
	assert_true(survey_dead(&s, 2));
	assert_in_range(mem[2].requests, 1, 3);
}

/* Partition 1 of disk i: device i, as new as events says; the other devices' roles are kept. */
static void put_partition(unsigned i, uint64_t events)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);

	spec.raid_disks = 3;
	spec.roles[2] = 2;
	spec.events = events;
	memdisk_mbr(&mem[i], 1, 0xfd, 1000, SECTORS);
	md1_put(&mem[i], 1000, SECTORS, &spec);
}

static unsigned members_on(unsigned d)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s.member_count; i++)
		n += s.member[i].disk == d;
	return n;
}

/* One partner that can't be trusted must not keep the place of another from being looked at. */
static void test_table_unreadable_and_a_damaged_partner(void **state)
{
	open_disks(3, 4096, 9);
	for (unsigned i = 0; i < 3; i++)
		put_partition(i, 100 + 10 * (i == 2));
	mem[0].bytes[(1000 + 8) * 512 + 200] ^= 1;
	memdisk_fail(&mem[2], 0, 1);
	run(3);
	assert_int_equal(members_on(2), 1);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_FAULTY);
	assert_int_equal(leg_on(&s, 0, 1)->verdict, VERDICT_STALE);
	assert_int_equal(s.mirror[0].leg[s.mirror[0].chosen].disk, 2);
}

/* Two partners at one place: what is there is found once. Nor is what can't be trusted taken. */
static void test_table_unreadable_and_two_partners(void **state)
{
	open_disks(3, 4096, 9);
	for (unsigned i = 0; i < 3; i++)
		put_partition(i, 100);
	memdisk_fail(&mem[2], 0, 1);
	run(3);
	assert_int_equal(members_on(2), 1);
	assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);

	mem[2].bytes[(1000 + 8) * 512 + 200] ^= 1;
	run(3);
	assert_int_equal(members_on(2), 0);
}

/* LBAs of a disk with other sectors are other places. */
static void test_table_unreadable_and_a_partner_of_4k(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

	memdisk_open(&mem[0], 4096, 12);
	memdisk_open(&mem[1], 4096, 9);
	memdisk_mbr(&mem[0], 1, 0xfd, 1000, 1000);
	md1_put(&mem[0], 8000, 8000, &spec);
	spec = md1_spec(FORMAT_MD_1_2, 1);
	md1_put(&mem[1], 1000, 1000, &spec);
	memdisk_fail(&mem[1], 0, 1);
	run(2);
	assert_int_equal(members_on(0), 1);
	assert_int_equal(members_on(1), 0);
}

static void test_bad_sector_beside_superblock(void **state)
{
	put_pair();
	memdisk_fail(&mem[0], 2, 1);
	run(2);
	assert_true(s.found[0].io_error);
	assert_int_equal(s.member_count, 2);
	assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
}

static void test_bad_superblock_sector(void **state)
{
	put_pair();
	memdisk_fail(&mem[0], 9, 1);
	run(2);
	assert_int_equal(s.member_count, 1);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_UNREADABLE);
	assert_int_equal(leg_on(&s, 0, 0)->why.code, REASON_MISSING_UNREADABLE);
	assert_int_equal(s.mirror[0].chosen, 1);
}

static void test_odd_disks(void **state)
{
	put_pair();
	for (unsigned i = 2; i < 6; i++)
		memdisk_open(&mem[i], i == 2 ? 0 : i - 2, 9); /* of 0, 1, 2, 3 sectors */
	memdisk_open(&mem[6], 64, 9);
	mem[6].disk.shift = 8; /* sector sizes that do not exist */
	memdisk_open(&mem[7], 64, 9);
	mem[7].disk.shift = 13;
	run(8);
	assert_int_equal(s.member_count, 2);
	assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
	assert_int_equal(s.found[2].status, ST_ABSENT);
	assert_int_equal(mem[2].requests, 0);
	assert_int_equal(mem[6].requests, 0);
	assert_int_equal(mem[7].requests, 0);
	for (unsigned i = 2; i < 8; i++)
		assert_false(survey_only_legs(&s, i));
}

static void test_nothing(void **state)
{
	run(0);
	assert_int_equal(s.member_count + s.mirror_count + s.disk_count, 0);
	assert_int_equal(survey_find_mirror(&s, ""), SURVEY_MIRRORS);
	assert_false(survey_only_legs(&s, 0));
}

static void test_truncated(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

	put_pair();
	spec.size = spec.data_size = SECTORS; /* 64 more than there are */
	md1_put(&mem[0], 0, SECTORS, &spec);
	run(2);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_FAULTY);
	assert_int_equal(leg_on(&s, 0, 0)->why.code, REASON_TRUNCATED);
	assert_int_equal(s.mirror[0].chosen, 1);
}

/* ---- the log of bad blocks, and 4096-byte sectors ---- */

static struct md1_spec put_log(struct memdisk *m, unsigned shift, uint64_t start_s512)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

	memdisk_open(m, SECTORS >> (shift - 9), shift);
	spec.features = 8;
	spec.bblog_offset = 16;
	spec.bblog_size = 8;
	md1_put(m, 0, SECTORS, &spec);
	memset(m->bytes + 24 * 512, 0xff, 4096);
	put64(m->bytes + 24 * 512, (64 + start_s512) << 10 | 3);
	return spec;
}

static void test_log(void **state)
{
	for (unsigned shift = 9; shift <= 12; shift += 3) {
		put_log(&mem[0], shift, 100);
		run(1);
		assert_int_equal(s.member_count, 1);
		assert_int_equal(s.member[0].status, ST_OK);
		assert_int_equal(s.member[0].hole_count, 1);
		assert_int_equal(s.member[0].hole[0].start_s512, 100);
		assert_int_equal(s.member[0].hole[0].len_s512, 3);
		memdisk_close(&mem[0]);
	}
}

static void test_log_unreadable(void **state)
{
	put_log(&mem[0], 9, 100);
	memdisk_fail(&mem[0], 31, 1);
	run(1);
	assert_int_equal(s.member[0].status, ST_CORRUPT);
	assert_int_equal(s.mirror[0].leg[0].verdict, VERDICT_FAULTY);
	assert_int_equal(s.mirror[0].leg[0].why.code, REASON_LOG_UNREADABLE);
	assert_int_equal(s.mirror[0].chosen, NO_LEG);
}

/* The newest leg's map puts the other in a role that the array does not have: Linux takes a spare.
 */
static void test_role_beyond(void **state)
{
	struct md1_spec a = md1_spec(FORMAT_MD_1_2, 0), b = md1_spec(FORMAT_MD_1_2, 1);

	open_disks(2, SECTORS, 9);
	a.events = 105;
	b.events = 104;
	a.roles[1] = 5;
	md1_put(&mem[0], 0, SECTORS, &a);
	md1_put(&mem[1], 0, SECTORS, &b);
	run(2);
	assert_int_equal(s.mirror_count, 1);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_IN_SYNC);
	assert_int_not_equal(leg_on(&s, 0, 1)->verdict, VERDICT_IN_SYNC);
	assert_int_equal(s.mirror[0].order_count, 1);
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
}

static void test_misaligned(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

	memdisk_open(&mem[0], SECTORS / 8, 12);
	md1_put(&mem[0], 0, SECTORS, &spec);
	run(1);
	assert_int_equal(s.member[0].status, ST_OK);
	assert_int_equal(s.member[0].sectors_lba, SECTORS / 8);
	spec.data_offset = 68;
	md1_put(&mem[0], 0, SECTORS, &spec);
	run(1);
	assert_int_equal(s.member[0].status, ST_UNSUPPORTED);
	assert_int_equal(s.member[0].why.code, REASON_MISALIGNED);
	assert_int_equal(s.member[0].why.a, 68);
	assert_int_equal(s.mirror[0].leg[0].verdict, VERDICT_UNSUPPORTED);
}

/* ---- capacities ---- */

static void test_too_many_disks(void **state)
{
	open_disks(SURVEY_DISKS + 1, 64, 9);
	run(SURVEY_DISKS);
	assert_false(s.full);
	run(SURVEY_DISKS + 1);
	assert_true(s.full);
	assert_int_equal(s.disk_count, SURVEY_DISKS);
	assert_int_equal(mem[SURVEY_DISKS].requests, 0);
}

static void test_too_many_members(void **state)
{
	enum { N = SURVEY_DISKS }; /* of four partitions each */
	struct md0_spec whole = md0_spec(0);

	open_disks(N, SECTORS, 9);
	for (unsigned i = 0; i < N; i++)
		for (unsigned p = 0; p < 4; p++) {
			struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i % 2);

			spec.uuid = (uint8_t)(i / 2);
			spec.size = spec.data_size = 64;
			memdisk_mbr(&mem[i], p + 1, 0xfd, 64 + 300 * p, 300);
			md1_put(&mem[i], 64 + 300 * p, 300, &spec);
		}
	run(N);
	assert_false(s.full);
	assert_int_equal(s.member_count, SURVEY_MEMBERS);
	/* one more, at the end of a disk as a whole */
	md0_put(&mem[N - 1], 0, SECTORS, &whole);
	run(N);
	assert_true(s.full);
	assert_int_equal(s.member_count, SURVEY_MEMBERS);
	assert_int_equal(s.member[SURVEY_MEMBERS - 1].part, 4);
}

static void test_too_many_mirrors(void **state)
{
	open_disks(SURVEY_MIRRORS + 1, SECTORS, 9);
	for (unsigned i = 0; i <= SURVEY_MIRRORS; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

		spec.uuid = (uint8_t)(i + 1);
		md1_put(&mem[i], 0, SECTORS, &spec);
	}
	run(SURVEY_MIRRORS);
	assert_false(s.full);
	run(SURVEY_MIRRORS + 1);
	assert_true(s.full);
	assert_int_equal(s.mirror_count, SURVEY_MIRRORS);
	assert_int_equal(s.member_count, SURVEY_MIRRORS + 1);
}

static void test_too_many_legs(void **state)
{
	open_disks(MIRROR_LEGS + 1, SECTORS, 9);
	for (unsigned i = 0; i <= MIRROR_LEGS; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);

		spec.raid_disks = MIRROR_LEGS + 1;
		for (unsigned r = 0; r <= MIRROR_LEGS; r++)
			spec.roles[r] = (uint16_t)r;
		md1_put(&mem[i], 0, SECTORS, &spec);
	}
	run(MIRROR_LEGS);
	assert_false(s.full);
	assert_int_equal(s.mirror[0].leg_count, MIRROR_LEGS);
	run(MIRROR_LEGS + 1);
	assert_true(s.full);
	assert_int_equal(s.mirror_count, 1);
	assert_int_equal(s.mirror[0].leg_count, MIRROR_LEGS);
	assert_int_not_equal(s.mirror[0].chosen, NO_LEG);
}

/* ---- assemble ---- */

static void test_assemble_groups(void **state)
{
	struct member m = make_member(0, 2);

	memset(&s, 0, sizeof(s));
	survey_add(&s, &m, 0);
	m.format = FORMAT_MD_1_0; /* the same UUID in another version is another array */
	survey_add(&s, &m, 1);
	m.format = FORMAT_MD_1_2;
	m.level = 5;
	survey_add(&s, &m, 2);
	m.level = 1;
	m.set_uuid.b[15] ^= 1;
	survey_add(&s, &m, 3);
	assert_int_equal(mirror_assemble(&s), ST_OK);
	assert_int_equal(s.mirror_count, 3);
	assert_int_equal(s.mirror[0].leg_count, 1);
	assert_int_equal(s.mirror[2].leg[0].member, 3);
	assert_int_equal(s.mirror[2].leg[0].disk, 3);
}

static void test_names(void **state)
{
	assert_string_equal(verdict_name(VERDICT_IN_SYNC), "in-sync");
	assert_string_equal(verdict_name(VERDICT_UNSUPPORTED), "unsupported");
	assert_string_equal(verdict_name(VERDICT_COUNT), "?");
	assert_string_equal(mirror_state_name(MIRROR_SPLIT_BRAIN), "split-brain");
	assert_string_equal(mirror_state_name(MIRROR_STATE_COUNT), "?");
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		assert_non_null(verdict_name((uint8_t)i));
	for (unsigned i = 0; i < MIRROR_STATE_COUNT; i++)
		assert_non_null(mirror_state_name((uint8_t)i));
}

/* ---- finding a mirror ---- */

/* Mirror i: UUID of bytes i + 1, this name, its only leg on this disk at this LBA. */
static void add_named(const char *name, unsigned on_disk, uint64_t start_lba)
{
	struct member m = make_member(0, 1);

	memset(&m.set_uuid, s.member_count + 1, sizeof(m.set_uuid));
	memset(m.name, 0, sizeof(m.name));
	memcpy(m.name, name, strlen(name));
	m.start_lba = start_lba;
	survey_add(&s, &m, on_disk);
}

static void assemble_and_judge(void)
{
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
}

static void test_find_by_name(void **state)
{
	memset(&s, 0, sizeof(s));
	add_named("host:boot", 0, 500);
	add_named("host:root", 0, 100);
	add_named("other:root", 0, 300);
	add_named("plain", 0, 400);
	assemble_and_judge();
	assert_int_equal(survey_find_mirror(&s, "host:boot"), 0);
	assert_int_equal(survey_find_mirror(&s, "boot"), 0);
	assert_int_equal(survey_find_mirror(&s, "other:root"), 2);
	assert_int_equal(survey_find_mirror(&s, "root"), SURVEY_MIRRORS); /* two of them */
	assert_int_equal(survey_find_mirror(&s, "plain"), 3);
	assert_int_equal(survey_find_mirror(&s, "host"), SURVEY_MIRRORS);
	assert_int_equal(survey_find_mirror(&s, "boo"), SURVEY_MIRRORS);
	assert_int_equal(survey_find_mirror(&s, "boots"), SURVEY_MIRRORS);
	assert_int_equal(survey_find_mirror(&s, ":boot"), SURVEY_MIRRORS);
	assert_int_equal(survey_find_mirror(&s, "02020202:02020202:02020202:02020202"), 1);
	assert_int_equal(survey_find_mirror(&s, "02020202-0202-0202-0202-020202020202"), 1);
	assert_int_equal(survey_find_mirror(&s, "02020202:02020202:02020202"), SURVEY_MIRRORS);
}

static void test_find_first(void **state)
{
	memset(&s, 0, sizeof(s));
	add_named("a", 1, 10);
	add_named("b", 0, 500);
	add_named("c", 0, 100);
	add_named("d", 2, 0);
	assemble_and_judge();
	assert_int_equal(survey_find_mirror(&s, ""), 2);

	/* one that can't be read goes behind, wherever it lies */
	s.member[2].status = ST_CORRUPT;
	assemble_and_judge();
	assert_int_equal(survey_find_mirror(&s, ""), 1);
	s.member[1].status = s.member[0].status = ST_CORRUPT;
	assemble_and_judge();
	assert_int_equal(survey_find_mirror(&s, ""), 3);
	s.member[3].status = ST_CORRUPT; /* all alike again: the first is named */
	assemble_and_judge();
	assert_int_equal(survey_find_mirror(&s, ""), 2);
}

/* A mirror lies where the first of its legs does, not where leg 0 does. */
static void test_find_first_of_several_legs(void **state)
{
	struct member m = make_member(0, 2);

	memset(&s, 0, sizeof(s));
	add_named("late", 1, 50);
	m.start_lba = 700;
	survey_add(&s, &m, 2); /* role 0 */
	m = make_member(1, 2);
	m.start_lba = 900;
	survey_add(&s, &m, 0);
	assemble_and_judge();
	assert_int_equal(survey_find_mirror(&s, ""), 1);
}

static void test_only_legs(void **state)
{
	memset(&s, 0, sizeof(s));
	add_named("a", 0, 0);
	add_named("b", 0, 600);
	add_named("c", 1, 0);
	s.disk_count = 3;
	assemble_and_judge();
	assert_true(survey_only_legs(&s, 0));
	assert_true(survey_only_legs(&s, 1));
	assert_false(survey_only_legs(&s, 2)); /* holds nothing at all */
	assert_false(survey_only_legs(&s, 3));
	s.found[1].other_parts = 1;
	assert_false(survey_only_legs(&s, 1));
	s.found[1].other_parts = 0;
	s.member[2].level = 5; /* a member of what is no mirror */
	assemble_and_judge();
	assert_false(survey_only_legs(&s, 1));
	s.member[2].level = 1;
	s.member[1].status = ST_CORRUPT; /* of a mirror that has no other leg */
	assemble_and_judge();
	assert_false(survey_only_legs(&s, 0));
	assert_true(survey_only_legs(&s, 1));
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole_disks),
		TEST(test_0_90),
		TEST(test_partitions),
		TEST(test_order_of_disks),
		TEST(test_0_90_of_the_last_partition),
		TEST(test_0_90_of_the_whole_disk),
		TEST(test_1_0_of_the_last_partition),
		TEST(test_table_inside_a_member),
		TEST(test_damaged_beside_whole),
		TEST(test_damaged_beside_unsupported),
		TEST(test_dead_disk),
		TEST(test_table_unreadable),
		TEST(test_table_unreadable_and_a_damaged_partner),
		TEST(test_table_unreadable_and_two_partners),
		TEST(test_table_unreadable_and_a_partner_of_4k),
		TEST(test_bad_sector_beside_superblock),
		TEST(test_bad_superblock_sector),
		TEST(test_odd_disks),
		TEST(test_nothing),
		TEST(test_truncated),
		TEST(test_log),
		TEST(test_log_unreadable),
		TEST(test_misaligned),
		TEST(test_role_beyond),
		TEST(test_too_many_disks),
		TEST(test_too_many_members),
		TEST(test_too_many_mirrors),
		TEST(test_too_many_legs),
		TEST(test_assemble_groups),
		TEST(test_names),
		TEST(test_find_by_name),
		TEST(test_find_first),
		TEST(test_find_first_of_several_legs),
		TEST(test_only_legs),
	};

	return cmocka_run_group_tests_name("survey", tests, NULL, NULL);
}
