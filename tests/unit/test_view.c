/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Views: extents of real surveys over disks in memory, read through vdisk and
 * compared sector by sector with what each leg holds.
 */
#include "tests/unit/help_md.h"

#include "common/config.h"
#include "common/policy.h"
#include "common/vdisk.h"
#include "common/view.h"
#include "common/writeplan.h"

#include <string.h>

#define DISKS   4u
#define SECTORS 2048u
#define NONE    VDISK_NO_LEG

static struct memdisk mem[DISKS];
static struct disk disk[DISKS];
static struct survey s;
static struct vdisk_set set;
static struct vdisk_tables tables;
static unsigned v;
static uint8_t buf[4096];

/* Disk i holds sectors tagged 0xa0 + i, numbered by their s512 position. */
static void open_disks(unsigned n, unsigned shift)
{
	for (unsigned i = 0; i < n; i++) {
		memdisk_open(&mem[i], SECTORS >> (shift - 9), shift);
		memdisk_fill(&mem[i], 0, SECTORS, (uint8_t)(0xa0 + i), 0);
	}
}

static int setup(void **state)
{
	view_init(&set, &tables);
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < DISKS; i++)
		memdisk_close(&mem[i]);
	return 0;
}

static void run(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		disk[i] = mem[i].disk;
	survey_run(&s, disk, n);
}

/* Extents without gap, in order, adding up to the vdisk. */
static void assert_whole(unsigned which)
{
	const struct vdisk *vd = &set.vdisk[which];
	uint64_t lba = 0;

	assert_true(vd->extent_count > 0);
	for (unsigned i = 0; i < vd->extent_count; i++) {
		const struct vdisk_extent *e = &set.extent[vd->first_extent + i];

		assert_int_equal(e->lba, lba);
		assert_true(e->sectors > 0);
		lba += e->sectors;
		for (unsigned k = 0; k < VDISK_EXTENT_LEGS; k++)
			assert_true(e->leg[k] == NONE || e->leg[k] < set.leg_count);
	}
	assert_int_equal(lba, vd->sectors);
	assert_int_equal(vd->first_extent + vd->extent_count, set.extent_count);
}

static void add_disk(unsigned d)
{
	assert_int_equal(view_add_disk(&set, &s, d, &v), ST_OK);
	assert_whole(v);
	assert_int_equal(set.vdisk[v].sectors, disk[d].sectors);
	assert_int_equal(set.vdisk[v].shift, disk[d].shift);
	assert_int_equal(set.vdisk[v].base, d);
}

static void add_contents(unsigned d)
{
	assert_int_equal(view_add_contents(&set, &s, d, &v), ST_OK);
	assert_whole(v);
	assert_int_equal(set.vdisk[v].sectors, disk[d].sectors);
	assert_int_equal(set.vdisk[v].shift, disk[d].shift);
	assert_int_equal(set.vdisk[v].base, d);
	assert_int_equal(set.vdisk[v].mirror, NONE);
}

static void add_volume(unsigned mirror)
{
	assert_int_equal(view_add_volume(&set, &s, mirror, &v), ST_OK);
	assert_whole(v);
	assert_int_equal(set.vdisk[v].mirror, mirror);
	assert_int_equal(set.vdisk[v].base, NONE);
}

/* The bytes of s512 from..to on the vdisk are those of disk d from s512 position at on. */
static void bytes_are(uint64_t from, uint64_t to, unsigned d, uint64_t at)
{
	unsigned shift = set.vdisk[v].shift;

	for (uint64_t i = from; i < to; i++) {
		uint64_t lba = i >> (shift - 9), in = (i - (lba << (shift - 9))) * 512;

		assert_int_equal(vdisk_read(&set, v, disk, lba, 1, buf), ST_OK);
		if (memcmp(buf + in, mem[d].bytes + (at + i - from) * 512, 512) != 0)
			fail_msg("sector %u is not sector %u of disk %u", (unsigned)i,
				 (unsigned)(at + i - from), d);
	}
	assert_int_equal(set.failovers, 0);
}

/* Which disks serve this LBA, best first: "01" is disk 0, then 1. */
static void served_by(uint64_t lba, const char *disks)
{
	const struct vdisk *vd = &set.vdisk[v];
	char text[VDISK_EXTENT_LEGS + 1] = "";
	unsigned n = 0;

	for (unsigned i = 0; i < vd->extent_count; i++) {
		const struct vdisk_extent *e = &set.extent[vd->first_extent + i];

		if (lba < e->lba || lba - e->lba >= e->sectors)
			continue;
		while (n < VDISK_EXTENT_LEGS && e->leg[n] != NONE) {
			text[n] = (char)('0' + set.leg[e->leg[n]].disk);
			n++;
		}
	}
	assert_string_equal(text, disks);
}

/* A pair on partitions: disk 0's at LBA 100, disk 1's at start1, data_offset1. */
static void pair(uint32_t start1, uint64_t data_offset1, unsigned stale)
{
	open_disks(2, 9);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);
		uint32_t start = i ? start1 : 100;

		memset(mem[i].bytes, 0, 512);
		memdisk_mbr(&mem[i], 1, 0xfd, start, 800);
		if (i)
			spec.data_offset = data_offset1;
		if (stale < 2) {
			spec.events = i == stale ? 90 : 100;
			if (i != stale)
				spec.roles[stale] = ROLE_FAULTY;
		}
		md1_put(&mem[i], start, 800, &spec);
	}
	run(2);
	assert_int_equal(s.member_count, 2);
}

static void test_volume(void **state)
{
	pair(100, 64, 2);
	add_volume(0);
	assert_int_equal(set.vdisk[v].sectors, 512);
	assert_int_equal(set.vdisk[v].extent_count, 1);
	bytes_are(0, 512, 0, 164);
	served_by(0, "01");
	served_by(511, "01");
}

/* Legs that start elsewhere on their disk, and whose data start elsewhere in the member. */
static void test_volume_skewed(void **state)
{
	pair(300, 200, 0);
	add_volume(0);
	bytes_are(0, 512, 1, 500);
	served_by(0, "1");
}

static void test_disk_same_layout(void **state)
{
	pair(100, 64, 2);
	add_disk(0);
	served_by(0, "0");
	served_by(99, "0");
	served_by(100, "01"); /* metadata, from either */
	served_by(164, "01");
	served_by(675, "01");
	served_by(899, "01");
	served_by(900, "0");
	served_by(SECTORS - 1, "0");
	bytes_are(0, SECTORS, 0, 0);
	assert_int_equal(set.vdisk[v].extent_count, 3); /* before, the member, behind */
}

/* The stale leg's range shows the fresh leg: metadata too, so that a loader sees what fits. */
static void test_disk_of_the_stale_leg(void **state)
{
	pair(100, 64, 0);
	add_disk(0);
	bytes_are(0, 100, 0, 0);
	bytes_are(100, 900, 1, 100);
	bytes_are(900, SECTORS, 0, 900);
	served_by(100, "1");
	served_by(500, "1");
}

/* A stale leg at another place on its disk, laid out alike within. */
static void test_disk_skewed_start(void **state)
{
	pair(333, 64, 0);
	add_disk(0);
	bytes_are(0, 100, 0, 0);
	bytes_are(100, 900, 1, 333);
	bytes_are(900, SECTORS, 0, 900);
}

/* Laid out otherwise: the data come from the mirror, all else is the disk's own. */
static void test_disk_skewed_layout(void **state)
{
	pair(100, 128, 0);
	add_disk(0);
	bytes_are(0, 164, 0, 0);
	bytes_are(164, 676, 1, 228);
	bytes_are(676, SECTORS, 0, 676);
	served_by(110, "0");
	served_by(164, "1");
}

/* In sync but skewed: each can stand in for the other's data, not for its metadata. */
static void test_disk_skewed_both_in_sync(void **state)
{
	pair(300, 128, 2);
	add_disk(1);
	served_by(300 + 8, "1");
	served_by(300 + 128, "01");
	served_by(300 + 639, "01");
	served_by(300 + 640, "1");
	bytes_are(300 + 128, 300 + 640, 0, 164);
	bytes_are(300, 300 + 128, 1, 300);
}

/* Members of unequal size, laid out alike: behind the smaller one the disk's own. */
static void test_disk_longer_member(void **state)
{
	open_disks(2, 9);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);

		memset(mem[i].bytes, 0, 512);
		memdisk_mbr(&mem[i], 1, 0xfd, 100, i ? 700 : 900);
		md1_put(&mem[i], 100, i ? 700 : 900, &spec);
	}
	run(2);
	add_disk(0);
	served_by(100, "01");
	served_by(675, "01");
	served_by(676, "0"); /* up to the end of this one: the other does not have it all */
	add_disk(1);
	served_by(799, "01");
	served_by(800, "1");
}

static void test_no_mirror(void **state)
{
	open_disks(1, 9);
	run(1);
	add_disk(0);
	bytes_are(0, SECTORS, 0, 0);
	assert_int_equal(set.vdisk[v].extent_count, 1);
	assert_int_equal(set.leg[0].mirror, NONE);
}

/* No leg that can be used: the disk as it is, no volume. */
static void test_unusable_mirror(void **state)
{
	pair(100, 64, 2);
	for (unsigned i = 0; i < 2; i++)
		mem[i].bytes[108 * 512 + 200]++;
	run(2);
	assert_int_equal(s.mirror[0].chosen, NO_LEG);
	add_disk(0);
	bytes_are(0, SECTORS, 0, 0);
	assert_int_equal(view_add_volume(&set, &s, 0, &v), ST_ABSENT);
	assert_int_equal(view_add_volume(&set, &s, 1, &v), ST_ABSENT);
	assert_int_equal(view_add_volume(&set, &s, SURVEY_MIRRORS + 5, &v), ST_ABSENT);
	s.mirror[0].chosen = 0; /* the number is looked at before it is made 8 bits wide */
	assert_int_equal(view_add_volume(&set, &s, 256, &v), ST_ABSENT);
	s.mirror[0].chosen = NO_LEG;
	assert_int_equal(view_add_disk(&set, &s, 2, &v), ST_ABSENT);
	assert_int_equal(set.vdisk_count, 1);
}

/* A superblock that can't be trusted, where the chosen leg has its own: its range is the mirror's.
 */
static void test_corrupt_superblock(void **state)
{
	pair(100, 64, 2);
	mem[0].bytes[108 * 512 + 200]++;
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
	add_disk(0);
	bytes_are(0, 100, 0, 0);
	bytes_are(100, 900, 1, 100);
	bytes_are(900, SECTORS, 0, 900);
}

/* Sectors that nobody serves: an error, not old bytes. */
static void nobody_reads(uint64_t from, uint64_t to)
{
	for (uint64_t lba = from; lba < to; lba++)
		assert_int_equal(vdisk_read(&set, v, disk, lba, 1, buf), ST_IO);
}

/* One that is whole and not ours to use can't be stood in for: it is out of sight. */
static void test_unsupported_superblock(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

	pair(100, 64, 2);
	spec.features = 0x4000;
	md1_put(&mem[0], 100, 800, &spec);
	run(2);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_UNSUPPORTED);
	add_disk(0);
	bytes_are(0, 100, 0, 0);
	nobody_reads(100, 900);
	bytes_are(900, SECTORS, 0, 900);
	add_disk(1);
	bytes_are(0, SECTORS, 1, 0);
}

/* Stale, and in a partition too small for what the mirror has grown to since. */
static void test_stale_and_too_small(void **state)
{
	struct md1_spec old = md1_spec(FORMAT_MD_1_2, 0), new = md1_spec(FORMAT_MD_1_2, 1);

	open_disks(2, 9);
	memset(mem[0].bytes, 0, 512);
	memset(mem[1].bytes, 0, 512);
	memdisk_mbr(&mem[0], 1, 0xfd, 100, 800);
	memdisk_mbr(&mem[1], 1, 0xfd, 100, 900);
	new.size = new.data_size = 800;
	new.events = 200;
	new.roles[0] = ROLE_SPARE;
	md1_put(&mem[0], 100, 800, &old);
	md1_put(&mem[1], 100, 900, &new);
	run(2);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_STALE);
	add_disk(0);
	bytes_are(0, 100, 0, 0);
	nobody_reads(100, 900);
	bytes_are(900, SECTORS, 0, 900);
}

/* ---- holes and limits ---- */

/* Whole-disk legs; a hole is put into the survey after judging, as the log would have it. */
static void whole_disks(unsigned n, unsigned shift)
{
	open_disks(n, shift);
	for (unsigned i = 0; i < n; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);

		spec.raid_disks = n;
		for (unsigned r = 0; r < n; r++)
			spec.roles[r] = (uint16_t)r;
		md1_put(&mem[i], 0, SECTORS, &spec);
	}
	run(n);
	assert_int_equal(s.member_count, n);
}

static void hole(unsigned member, uint64_t start_s512, uint64_t len_s512)
{
	struct member *m = &s.member[member];

	m->hole[m->hole_count++] = (struct hole){start_s512, len_s512};
}

static void test_holes(void **state)
{
	whole_disks(2, 9);
	hole(0, 10, 5);
	hole(0, 100, 1);
	hole(1, 12, 10);
	add_volume(0);
	served_by(9, "01");
	served_by(10, "1");
	served_by(11, "1");
	served_by(12, ""); /* bad on both */
	served_by(14, "");
	served_by(15, "0");
	served_by(21, "0");
	served_by(22, "01");
	served_by(99, "01");
	served_by(100, "1");
	served_by(101, "01");
	assert_int_equal(vdisk_read(&set, v, disk, 13, 1, buf), ST_IO);
	assert_int_equal(vdisk_read(&set, v, disk, 10, 1, buf), ST_OK);
	assert_int_equal(set.failovers, 0); /* what is known beforehand is no failure */
	add_disk(0);
	served_by(64 + 10, "1");
	served_by(64 + 13, "");
	served_by(64 + 511, "01");
}

static void test_hole_at_the_ends(void **state)
{
	whole_disks(2, 9);
	hole(0, 0, 1);
	hole(0, 511, 1);
	add_volume(0);
	served_by(0, "1");
	served_by(1, "01");
	served_by(510, "01");
	served_by(511, "1");
}

/* In sectors of 4096 bytes a hole is rounded outwards, the limit of a rebuild downwards. */
static void test_large_sectors(void **state)
{
	whole_disks(2, 12);
	hole(0, 15, 2);
	s.member[1].flags |= MEMBER_PARTIAL;
	s.member[1].good_s512 = 63;
	add_volume(0);
	assert_int_equal(set.vdisk[v].sectors, 64);
	served_by(0, "01");
	served_by(1, "1");
	served_by(2, "1");
	served_by(3, "01");
	served_by(6, "01");
	served_by(7, "0");
	bytes_are(24, 512, 0, 64 + 24);
	bytes_are(8, 24, 1, 64 + 8);
}

static void test_rebuilding(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

	open_disks(2, 9);
	spec.features = 2;
	spec.recovery_offset = 200;
	md1_put(&mem[0], 0, SECTORS, &spec);
	spec = md1_spec(FORMAT_MD_1_2, 1);
	md1_put(&mem[1], 0, SECTORS, &spec);
	run(2);
	assert_int_equal(leg_on(&s, 0, 0)->verdict, VERDICT_REBUILDING);
	add_volume(0);
	served_by(0, "10");
	served_by(199, "10");
	served_by(200, "1");
	add_disk(0);
	served_by(8, "1"); /* the superblock of one that is being rebuilt is not shown */
	served_by(64 + 199, "10");
	served_by(64 + 200, "1");
	bytes_are(0, SECTORS, 1, 0);
}

/* Nothing copied yet, as far as is known: it serves nothing, not even when the other fails. */
static void test_nothing_copied_yet(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 1);

	open_disks(2, 9);
	spec.roles[1] = ROLE_SPARE;
	md1_put(&mem[1], 0, SECTORS, &spec);
	spec = md1_spec(FORMAT_MD_1_2, 0);
	md1_put(&mem[0], 0, SECTORS, &spec);
	run(2);
	assert_int_equal(leg_on(&s, 0, 1)->verdict, VERDICT_REBUILDING);
	add_volume(0);
	served_by(0, "0");
	mem[0].dead = true;
	assert_int_equal(vdisk_read(&set, v, disk, 0, 1, buf), ST_IO);
}

static void test_more_legs_than_an_extent_has(void **state)
{
	struct member m;

	whole_disks(2, 9);
	memset(s.member, 0, sizeof(s.member));
	s.member_count = 0;
	for (unsigned i = 0; i < 6; i++) { /* six legs on two disks, side by side */
		m = make_member(i, 6);
		m.start_lba = 600 * (i / 2);
		m.sectors_lba = 600;
		survey_add(&s, &m, i % 2);
	}
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	assert_int_equal(s.mirror[0].order_count, 6);
	add_volume(0);
	served_by(0, "0101");
	assert_int_equal(set.leg_count, 4);
	/* where the best ones have holes the others step in */
	view_init(&set, &tables);
	hole(0, 0, 1);
	hole(1, 0, 1);
	hole(2, 0, 1);
	add_volume(0);
	served_by(0, "101");
	served_by(1, "0101");
}

/* ---- several mirrors, overlaps, sector sizes ---- */

static void test_two_mirrors_on_a_disk(void **state)
{
	open_disks(2, 9);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec a = md1_spec(FORMAT_MD_1_2, i), b = a;

		memset(mem[i].bytes, 0, 512);
		memdisk_mbr(&mem[i], 1, 0xfd, 100, 700);
		memdisk_mbr(&mem[i], 2, 0xfd, 900, 700);
		b.uuid = 0x44;
		a.events = i ? 100 : 90; /* the first is fresh on disk 1, the second on disk 0 */
		b.events = i ? 90 : 100;
		a.roles[0] = i ? ROLE_FAULTY : 0;
		b.roles[1] = i ? 1 : ROLE_FAULTY;
		md1_put(&mem[i], 100, 700, &a);
		md1_put(&mem[i], 900, 700, &b);
	}
	run(2);
	for (unsigned d = 0; d < 2; d++) {
		add_disk(d);
		bytes_are(0, 100, d, 0);
		bytes_are(100, 800, 1, 100);
		bytes_are(800, 900, d, 800);
		bytes_are(900, 1600, 0, 900);
		bytes_are(1600, SECTORS, d, 1600);
	}
	add_volume(0);
	bytes_are(0, 512, 1, 164);
	add_volume(1);
	bytes_are(0, 512, 0, 964);
	assert_int_equal(set.vdisk_count, 4);
}

/* A person took the leg that had lost a split brain: all of the range is its own, metadata too. */
static void test_chosen_after_split_brain(void **state)
{
	pair(100, 64, 2);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);

		spec.roles[1 - i] = ROLE_FAULTY;
		spec.events = 100 - 10 * i;
		md1_put(&mem[i], 100, 800, &spec);
	}
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_SPLIT_BRAIN);
	add_disk(1);
	bytes_are(100, 900, 0, 100);
	assert_true(policy_choose(&s, 0, 1, false));
	for (unsigned d = 0; d < 2; d++) {
		add_disk(d);
		bytes_are(0, 100, d, 0);
		bytes_are(100, 900, 1, 100);
		bytes_are(900, SECTORS, d, 900);
		served_by(108, "1");
		served_by(164, "1");
	}
}

/*
 * A person took an old leg, of an array that has grown since: its range is its own on
 * both disks, and the other mirror's range beside it is read from that one's best leg.
 */
static void test_chosen_stale(void **state)
{
	open_disks(2, 9);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec a = md1_spec(FORMAT_MD_1_2, i), b = a;

		memset(mem[i].bytes, 0, 512);
		memdisk_mbr(&mem[i], 1, 0xfd, 100, 700);
		memdisk_mbr(&mem[i], 2, 0xfd, 900, 700);
		b.uuid = 0x44;
		a.events = b.events = i ? 100 : 90;
		a.size = a.data_size = i ? 600 : 512;
		md1_put(&mem[i], 100, 700, &a);
		md1_put(&mem[i], 900, 700, &b);
	}
	run(2);
	assert_int_equal(s.mirror[0].chosen, 1);
	assert_int_equal(s.mirror[0].size_s512, 600);
	assert_true(policy_choose(&s, 0, 0, true));
	for (unsigned d = 0; d < 2; d++) {
		add_disk(d);
		bytes_are(0, 100, d, 0);
		bytes_are(100, 800, 0, 100);
		bytes_are(800, 900, d, 800);
		bytes_are(900, 1600, 1, 900);
		bytes_are(1600, SECTORS, d, 1600);
		served_by(108, "0");
		served_by(164, "0");
		served_by(964, "1");
	}
	add_volume(0);
	assert_int_equal(set.vdisk[v].sectors, 512);
	bytes_are(0, 512, 0, 164);
}

/* Two legs of one mirror side by side: the data twice, not one range that runs on. */
static void test_two_legs_on_a_disk(void **state)
{
	open_disks(1, 9);
	memset(mem[0].bytes, 0, 512);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);

		memdisk_mbr(&mem[0], i + 1, 0xfd, 100 + 700 * i, 700);
		spec.events = i ? 100 : 90;
		spec.roles[0] = i ? ROLE_FAULTY : 0;
		md1_put(&mem[0], 100 + 700 * i, 700, &spec);
	}
	run(1);
	add_disk(0);
	bytes_are(0, 100, 0, 0);
	bytes_are(100, 800, 0, 800);
	bytes_are(800, SECTORS, 0, 800);
}

/* A hostile table: members over each other. The disk stays whole, each sector from one place. */
static void test_overlap(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

	open_disks(1, 9);
	memset(mem[0].bytes, 0, 512);
	memdisk_mbr(&mem[0], 1, 0xfd, 100, 700);
	memdisk_mbr(&mem[0], 2, 0xfd, 140, 700);
	memdisk_mbr(&mem[0], 3, 0xfd, 100, 900); /* the same start again */
	md1_put(&mem[0], 100, 700, &spec);
	spec.uuid = 0x44;
	md1_put(&mem[0], 140, 700, &spec);
	run(1);
	assert_int_equal(s.member_count, 3);
	add_disk(0);
	bytes_are(0, SECTORS, 0, 0);
}

static void test_other_sector_size(void **state)
{
	open_disks(1, 9);
	memdisk_open(&mem[1], SECTORS / 8, 12);
	memdisk_fill(&mem[1], 0, SECTORS, 0xa1, 0);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);

		md1_put(&mem[i], 0, SECTORS, &spec);
	}
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
	add_volume(0); /* of the chosen leg's sectors; the other can't serve those */
	assert_int_equal(set.vdisk[v].shift, 9);
	served_by(0, "0");
	add_disk(0);
	served_by(64, "0");
	add_disk(1); /* no leg that fits the chosen one: as it is */
	served_by(8, "1");
	bytes_are(0, SECTORS, 1, 0);
}

/* ---- members = contents ---- */

/* The data where the member starts; behind them nothing, not even the end of the other leg. */
static void test_contents(void **state)
{
	pair(100, 64, 2);
	add_contents(0);
	bytes_are(0, 100, 0, 0);
	bytes_are(100, 612, 0, 164);
	nobody_reads(612, 900);
	bytes_are(900, SECTORS, 0, 900);
	served_by(99, "0");
	served_by(100, "01");
	served_by(611, "01");
	served_by(612, "");
	served_by(899, "");
	served_by(900, "0");
	mem[0].dead = true; /* it fails over as ever */
	assert_int_equal(vdisk_read(&set, v, disk, 100, 1, buf), ST_OK);
	assert_true(sector_is(buf, 0xa1, 164));
	assert_int_equal(set.failovers, 1);
}

/* On the stale leg's disk, and on one where the member and its data start elsewhere. */
static void test_contents_skewed(void **state)
{
	pair(300, 200, 0);
	add_contents(0);
	bytes_are(0, 100, 0, 0);
	bytes_are(100, 612, 1, 500);
	nobody_reads(612, 900);
	bytes_are(900, SECTORS, 0, 900);
	add_contents(1);
	bytes_are(0, 300, 1, 0);
	bytes_are(300, 812, 1, 500);
	nobody_reads(812, 1100);
	bytes_are(1100, SECTORS, 1, 1100);
	add_disk(1); /* beside it, as it is */
	bytes_are(0, SECTORS, 1, 0);
	assert_int_equal(set.vdisk_count, 3);
}

static void test_contents_other_members(void **state)
{
	open_disks(2, 9);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec a = md1_spec(FORMAT_MD_1_2, i), b = a, c = a;

		memset(mem[i].bytes, 0, 512);
		memdisk_mbr(&mem[i], 1, 0xfd, 100, 600);
		memdisk_mbr(&mem[i], 2, 0xfd, 700, 600); /* right behind the first */
		memdisk_mbr(&mem[i], 3, 0xfd, 1400, 600);
		b.uuid = 0x44;
		c.uuid = 0x55;
		c.features = 2; /* on both: no leg that can be used */
		c.recovery_offset = 100;
		a.events = i ? 100 : 90; /* fresh on disk 1, */
		b.events = i ? 90 : 100; /* fresh on disk 0 */
		md1_put(&mem[i], 100, 600, &a);
		md1_put(&mem[i], 700, 600, &b);
		md1_put(&mem[i], 1400, 600, &c);
	}
	run(2);
	assert_int_equal(s.member_count, 6);
	for (unsigned d = 0; d < 2; d++) {
		add_contents(d);
		bytes_are(0, 100, d, 0);
		bytes_are(100, 612, 1, 164);
		nobody_reads(612, 700);
		bytes_are(700, 1212, 0, 764);
		nobody_reads(1212, 1300);
		bytes_are(1300, SECTORS, d, 1300); /* unusable, and as it is */
		served_by(1399, d ? "1" : "0");
	}
}

/* md 1.0 and 0.90 have their data in front: what goes is the superblock behind them. */
static void test_contents_end_superblock(void **state)
{
	open_disks(2, 9);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec a = md1_spec(FORMAT_MD_1_0, i);
		struct md0_spec b = md0_spec(i);

		memset(mem[i].bytes, 0, 512);
		memdisk_mbr(&mem[i], 1, 0xfd, 100, 800);
		memdisk_mbr(&mem[i], 2, 0xfd, 1000, 800);
		md1_put(&mem[i], 100, 800, &a);
		md0_put(&mem[i], 1000, 800, &b);
	}
	run(2);
	assert_int_equal(s.mirror_count, 2);
	add_disk(0);
	bytes_are(0, SECTORS, 0, 0);
	add_contents(0);
	bytes_are(0, 612, 0, 0);
	nobody_reads(612, 900);
	bytes_are(900, 1512, 0, 900);
	nobody_reads(1512, 1800);
	bytes_are(1800, SECTORS, 0, 1800);
}

/* A superblock that is damaged, or of a kind that we do not know: the data need none. */
static void test_contents_broken_superblock(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

	for (unsigned turn = 0; turn < 2; turn++) {
		pair(100, 64, 2);
		if (turn) {
			spec.features = 0x4000;
			md1_put(&mem[0], 100, 800, &spec);
		} else {
			mem[0].bytes[108 * 512 + 200]++;
		}
		run(2);
		assert_int_equal(s.mirror[0].chosen, 1);
		add_contents(0);
		bytes_are(0, 100, 0, 0);
		bytes_are(100, 612, 1, 164);
		nobody_reads(612, 900);
		bytes_are(900, SECTORS, 0, 900);
		for (unsigned i = 0; i < 2; i++)
			memdisk_close(&mem[i]);
	}
}

/* A partition too small for what the mirror has grown to since: nothing, rather than a part. */
static void test_contents_too_small(void **state)
{
	struct md1_spec old = md1_spec(FORMAT_MD_1_2, 0), new = md1_spec(FORMAT_MD_1_2, 1);

	open_disks(2, 9);
	memset(mem[0].bytes, 0, 512);
	memset(mem[1].bytes, 0, 512);
	memdisk_mbr(&mem[0], 1, 0xfd, 100, 800);
	memdisk_mbr(&mem[1], 1, 0xfd, 100, 900);
	new.size = new.data_size = 820;
	new.events = 200;
	md1_put(&mem[0], 100, 800, &old);
	md1_put(&mem[1], 100, 900, &new);
	run(2);
	add_contents(0);
	bytes_are(0, 100, 0, 0);
	nobody_reads(100, 900);
	bytes_are(900, SECTORS, 0, 900);
	add_contents(1);
	bytes_are(100, 920, 1, 164);
	nobody_reads(920, 1000);
}

/*
 * 0.90 in a last partition: the same superblock fits the whole disk. Damaged, it is
 * found at both places; the partition's data must not come up at LBA 0.
 */
static void test_contents_whole_and_partition(void **state)
{
	open_disks(2, 9);
	for (unsigned i = 0; i < 2; i++) {
		struct md0_spec spec = md0_spec(i);

		memset(mem[i].bytes, 0, 512);
		memdisk_mbr(&mem[i], 1, 0xfd, 128, SECTORS - 128);
		md0_put(&mem[i], 128, SECTORS - 128, &spec);
	}
	mem[0].bytes[(128 + md0_at(SECTORS - 128)) * 512 + 3000]++;
	run(2);
	assert_int_equal(s.member_count, 3);
	assert_int_equal(s.member[1].part, 0);
	assert_int_equal(s.mirror[0].leg[0].member == NO_MEMBER, 0);
	assert_int_equal(s.member[s.mirror[0].leg[s.mirror[0].chosen].member].disk, 1);
	for (unsigned d = 0; d < 2; d++) {
		add_contents(d);
		bytes_are(0, 128, d, 0);
		bytes_are(128, 640, 1, 128);
		nobody_reads(640, SECTORS);
	}
}

/* An array of whole disks with a table and members inside it: what is left is its own end. */
static void test_contents_members_inside(void **state)
{
	open_disks(2, 9);
	for (unsigned i = 0; i < 2; i++) {
		struct md0_spec whole = md0_spec(i);
		struct md1_spec inside = md1_spec(FORMAT_MD_1_2, i);

		memset(mem[i].bytes, 0, 512);
		memdisk_mbr(&mem[i], 1, 0xfd, 20, 200); /* before where the outer's data end */
		inside.size = inside.data_size = 100;
		md1_put(&mem[i], 20, 200, &inside);
		whole.events = i ? 100 : 90;
		md0_put(&mem[i], 0, SECTORS, &whole);
	}
	run(2);
	assert_int_equal(s.mirror_count, 2);
	add_contents(0);
	bytes_are(0, 512, 1, 0);
	nobody_reads(512, SECTORS);
}

/* The same, where only the outer superblock of one disk is damaged: the inner one is served. */
static void test_contents_of_a_remnant(void **state)
{
	test_contents_members_inside(state);
	mem[0].bytes[md0_at(SECTORS) * 512 + 3000]++;
	run(2);
	view_init(&set, &tables);
	add_contents(0);
	bytes_are(0, 512, 1, 0); /* the outer, laid out as on the other disk */
	nobody_reads(512, SECTORS);
}

static void test_contents_of_whole_disks(void **state)
{
	whole_disks(2, 12);
	hole(0, 16, 8);
	add_contents(0);
	bytes_are(0, 16, 0, 64);
	bytes_are(16, 24, 1, 64 + 16);
	bytes_are(24, 512, 0, 64 + 24);
	nobody_reads(64, SECTORS / 8);
	served_by(0, "01");
	served_by(2, "1");
	served_by(63, "01");
	served_by(64, "");
	assert_int_equal(view_add_contents(&set, &s, 2, &v), ST_ABSENT);
}

/* A disk that gives its bytes to be changed. */
static enum status put(const struct disk *d, uint64_t lba, uint32_t n, const void *from)
{
	struct memdisk *m = d->ctx;

	assert_true(lba <= d->sectors && n <= d->sectors - lba);
	memcpy(m->bytes + (lba << d->shift), from, (size_t)n << d->shift);
	return ST_OK;
}

/* A write goes to the data of each leg, wherever those lie; nothing else changes but the marks. */
static void test_contents_written(void **state)
{
	static uint8_t scratch[VDISK_SCRATCH_SECTORS * 512], out[8 * 512];
	uint8_t *before[2];

	pair(300, 200, 2);
	for (unsigned i = 0; i < 2; i++) {
		disk[i].write = put;
		before[i] = test_malloc(SECTORS * 512);
		memcpy(before[i], mem[i].bytes, SECTORS * 512);
	}
	view_init(&set, &tables);
	add_contents(0);
	writeplan_make(&set, &s, CONFIG_WRITES_AUTO, scratch, 9);
	memset(out, 0x77, sizeof(out));

	/* what nobody reads, nobody writes; nor a part of such a request */
	assert_int_equal(vdisk_write(&set, v, disk, 612, 1, out), ST_READONLY);
	assert_int_equal(vdisk_write(&set, v, disk, 899, 1, out), ST_READONLY);
	assert_int_equal(vdisk_write(&set, v, disk, 611, 2, out), ST_READONLY);
	for (unsigned i = 0; i < 2; i++)
		assert_memory_equal(mem[i].bytes, before[i], SECTORS * 512);

	assert_int_equal(vdisk_write(&set, v, disk, 100, 3, out), ST_OK); /* its first sectors */
	assert_int_equal(vdisk_write(&set, v, disk, 611, 1, out), ST_OK); /* and its last */
	assert_int_equal(vdisk_write(&set, v, disk, 98, 4, out), ST_OK);  /* with two in front */
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *at = before[i] + (i ? 500 : 164) * 512;

		memcpy(at, out, 3 * 512);
		memcpy(at + 511 * 512, out, 512);
		if (i == 0)
			memcpy(before[i] + 98 * 512, out, 2 * 512);
		assert_memory_equal(mem[i].bytes, before[i], SECTORS * 512);
		test_free(before[i]);
	}
}

/* Too many holes, and then no room at all: as for any view. */
static void test_contents_full(void **state)
{
	struct vdisk_set old;

	whole_disks(4, 9);
	for (unsigned d = 0; d < 3; d++)
		for (unsigned i = 0; i < MEMBER_HOLES; i++)
			hole(d, 20 + 12 * i + 4 * d, 2);
	set.extent_count = VDISK_EXTENTS - 40;
	assert_int_equal(view_add_contents(&set, &s, 0, &v), ST_OK);
	assert_true(set.vdisk[v].extent_count < 16);
	served_by(0, "0123");
	served_by(20, "123");
	served_by(22, "123"); /* good, and given up */
	served_by(512, "");

	set.extent_count = VDISK_EXTENTS - 1;
	old = set;
	assert_int_equal(view_add_contents(&set, &s, 0, &v), ST_FULL);
	assert_memory_equal(&set, &old, sizeof(set));
}

/* ---- capacities ---- */

/* Too many holes for the extents: those of a leg are taken for one; nothing bad is ever served. */
static void test_coarse(void **state)
{
	whole_disks(4, 9);
	for (unsigned d = 0; d < 3; d++)
		for (unsigned i = 0; i < MEMBER_HOLES; i++)
			hole(d, 20 + 12 * i + 4 * d, 2);
	/* leave too little room for all of them */
	set.extent_count = VDISK_EXTENTS - 40;
	assert_int_equal(view_add_volume(&set, &s, 0, &v), ST_OK);
	assert_true(set.vdisk[v].extent_count < 16);
	served_by(0, "0123");
	served_by(20, "123");
	served_by(22, "123");               /* good, and given up */
	served_by(20 + 12 * 15 + 8, "013"); /* behind the last hole of 0 and 1 */
	served_by(20 + 12 * 15 + 10, "0123");
	for (unsigned d = 0; d < 3; d++)
		for (unsigned i = 0; i < MEMBER_HOLES; i++)
			for (unsigned k = 0; k < 2; k++) {
				assert_int_equal(
					vdisk_read(&set, v, disk, 20 + 12 * i + 4 * d + k, 1, buf),
					ST_OK);
				assert_int_not_equal(buf[0], 0xa0 + d);
			}
	assert_int_equal(set.failovers, 0);
}

/* Holes that overlap, the first one the longest: its end counts, not the last one's. */
static void test_coarse_overlapping_holes(void **state)
{
	whole_disks(4, 9);
	hole(0, 0, 500);
	for (unsigned i = 1; i < MEMBER_HOLES; i++)
		hole(0, 12 * i, 2);
	for (unsigned d = 1; d < 3; d++)
		for (unsigned i = 0; i < MEMBER_HOLES; i++)
			hole(d, 20 + 29 * i + 4 * d, 2);
	/* leave too little room for all of them */
	set.extent_count = VDISK_EXTENTS - 12;
	assert_int_equal(view_add_volume(&set, &s, 0, &v), ST_OK);
	assert_true(set.vdisk[v].extent_count <= 12);
	for (uint64_t lba = 0; lba < 500; lba++) {
		assert_int_equal(vdisk_read(&set, v, disk, lba, 1, buf), ST_OK);
		assert_int_not_equal(buf[0], 0xa0);
	}
}

/* No room at all: nothing is added, and what was there stays. */
static void test_full(void **state)
{
	struct vdisk_set before;
	struct vdisk_tables tables_before;

	pair(100, 64, 0);
	add_disk(0);
	set.extent_count = VDISK_EXTENTS - 2;
	before = set;
	tables_before = tables;
	assert_int_equal(view_add_disk(&set, &s, 1, &v), ST_FULL);
	assert_int_equal(set.vdisk_count, before.vdisk_count);
	assert_int_equal(set.extent_count, before.extent_count);
	assert_int_equal(set.leg_count, before.leg_count);
	assert_memory_equal(tables.vdisk, tables_before.vdisk, sizeof(tables.vdisk));
	assert_memory_equal(tables.extent, tables_before.extent,
			    sizeof(tables.extent[0]) * (VDISK_EXTENTS - 2));
	/* a smaller one still fits */
	assert_int_equal(view_add_volume(&set, &s, 0, &v), ST_OK);
	assert_int_equal(set.extent_count, VDISK_EXTENTS - 1);
}

static void test_full_of_legs(void **state)
{
	unsigned legs;

	pair(100, 64, 2);
	set.leg_count = VDISK_LEGS - 1; /* of disk 0, LBA 0: none of ours */
	for (unsigned i = 0; i < set.leg_count; i++)
		set.leg[i].mirror = 7;
	legs = set.leg_count;
	assert_int_equal(view_add_volume(&set, &s, 0, &v), ST_FULL);
	assert_int_equal(set.leg_count, legs);
	assert_int_equal(set.extent_count, 0);
	assert_int_equal(set.vdisk_count, 0);
}

static void test_full_of_vdisks(void **state)
{
	whole_disks(2, 9);
	for (unsigned i = 0; i < VDISK_MAX; i++) {
		assert_int_equal(view_add_volume(&set, &s, 0, &v), ST_OK);
		assert_int_equal(v, i);
	}
	assert_int_equal(set.leg_count, 2); /* each is there once */
	assert_int_equal(view_add_volume(&set, &s, 0, &v), ST_FULL);
	assert_int_equal(set.vdisk_count, VDISK_MAX);
	assert_int_equal(set.extent_count, VDISK_MAX);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_volume),
		TEST(test_volume_skewed),
		TEST(test_disk_same_layout),
		TEST(test_disk_of_the_stale_leg),
		TEST(test_disk_skewed_start),
		TEST(test_disk_skewed_layout),
		TEST(test_disk_skewed_both_in_sync),
		TEST(test_disk_longer_member),
		TEST(test_no_mirror),
		TEST(test_unusable_mirror),
		TEST(test_corrupt_superblock),
		TEST(test_unsupported_superblock),
		TEST(test_stale_and_too_small),
		TEST(test_holes),
		TEST(test_hole_at_the_ends),
		TEST(test_large_sectors),
		TEST(test_rebuilding),
		TEST(test_nothing_copied_yet),
		TEST(test_more_legs_than_an_extent_has),
		TEST(test_two_mirrors_on_a_disk),
		TEST(test_chosen_after_split_brain),
		TEST(test_chosen_stale),
		TEST(test_two_legs_on_a_disk),
		TEST(test_overlap),
		TEST(test_other_sector_size),
		TEST(test_contents),
		TEST(test_contents_skewed),
		TEST(test_contents_other_members),
		TEST(test_contents_end_superblock),
		TEST(test_contents_broken_superblock),
		TEST(test_contents_too_small),
		TEST(test_contents_whole_and_partition),
		TEST(test_contents_members_inside),
		TEST(test_contents_of_a_remnant),
		TEST(test_contents_of_whole_disks),
		TEST(test_contents_written),
		TEST(test_contents_full),
		TEST(test_coarse),
		TEST(test_coarse_overlapping_holes),
		TEST(test_full),
		TEST(test_full_of_legs),
		TEST(test_full_of_vdisks),
	};

	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
