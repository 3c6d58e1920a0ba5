/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Writing a mirror: both legs alike, or a record that makes Linux make them alike.
 * Every write can fail, and the power can go after every sector; each state is held
 * against what Linux does with it (research with mdadm 4.2 and Linux 6.1: a clean
 * array is believed, a dirty one is copied where its bitmap says, or whole).
 */
#include "tests/unit/help_md.h"

#include "common/config.h"
#include "common/view.h"
#include "common/writeplan.h"

#include <stdlib.h>
#include <string.h>

#define LEGS       3u
#define SECTORS    640u
#define DATA_LBA   64u
#define DATA       512u
#define SB_LBA     8u
#define BITMAP_LBA 16u
#define CHUNK      8u /* sectors a bit */
#define LOG_MAX    4096u
#define CLEAN      UINT64_MAX

static struct memdisk mem[LEGS];
static struct disk disk[LEGS];
static uint8_t before[LEGS][SECTORS * 512], scratch[VDISK_SCRATCH_SECTORS * 512];
static struct survey s;
static struct vdisk_set set;
static struct vdisk_tables tables;
static unsigned legs, v;
static bool bitmap;

/* Every sector that was written, in order. */
static struct {
	unsigned disk;
	uint64_t lba;
	uint8_t bytes[512];
} log_of[LOG_MAX];
static unsigned logged, calls, fail_call; /* fail_call: the write call that fails; 0: none */
static unsigned fail_disk;                /* and from then on each on its disk */
static bool failing;

static enum status put(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	struct memdisk *m = d->ctx;
	unsigned i = (unsigned)(m - mem);
	uint32_t done = n;

	if (!(lba <= d->sectors && n <= d->sectors - lba))
		return ST_RANGE;
	if (++calls == fail_call) {
		failing = true;
		fail_disk = i;
		done = n / 2; /* some of it arrives */
	} else if (failing && fail_disk == i) {
		done = 0;
	}
	for (uint32_t k = 0; k < done; k++) {
		assert_true(logged < LOG_MAX);
		log_of[logged].disk = i;
		log_of[logged].lba = lba + k;
		memcpy(log_of[logged++].bytes, (const uint8_t *)buf + (size_t)k * 512, 512);
		memcpy(m->bytes + (lba + k) * 512, (const uint8_t *)buf + (size_t)k * 512, 512);
	}
	return done == n ? ST_OK : ST_IO;
}

static uint8_t *sb_of(unsigned i)
{
	return mem[i].bytes + SB_LBA * 512;
}

static uint64_t get64(const uint8_t *from)
{
	return get32(from) | (uint64_t)get32(from + 4) << 32;
}

/* An array of `of` devices of which the first `here` are attached, whole disks, in sync. */
static void array(unsigned here, unsigned of, bool with_bitmap)
{
	legs = here;
	bitmap = with_bitmap;
	for (unsigned i = 0; i < here; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);

		spec.raid_disks = of;
		for (unsigned k = 0; k < of; k++)
			spec.roles[k] = (uint16_t)k;
		spec.features = with_bitmap;
		md1_put(&mem[i], 0, SECTORS, &spec);
		if (with_bitmap) {
			uint8_t *b = mem[i].bytes + BITMAP_LBA * 512;

			put32(sb_of(i) + 96, BITMAP_LBA - SB_LBA);
			md1_resum(sb_of(i));
			put32(b, 0x6d746962);
			put32(b + 4, 4);
			memset(b + 8, spec.uuid, 16);
			put64(b + 24, spec.events);
			put32(b + 52, CHUNK * 512);
		}
		memdisk_fill(&mem[i], DATA_LBA, DATA, 0xda, 0); /* the same on each */
	}
}

static void open_with(uint8_t writes)
{
	survey_run(&s, disk, legs);
	view_init(&set, &tables);
	assert_int_equal(view_add_volume(&set, &s, 0, &v), ST_OK);
	writeplan_make(&set, &s, writes, scratch, 9);
	for (unsigned i = 0; i < legs; i++)
		memcpy(before[i], mem[i].bytes, sizeof(before[i]));
	logged = calls = 0;
	failing = false;
}

static void open_auto(void)
{
	open_with(CONFIG_WRITES_AUTO);
	assert_int_equal(set.mirror_count, 1);
}

static enum status write(uint64_t lba, uint32_t n, uint8_t tag)
{
	static uint8_t buf[DATA * 512];

	for (uint32_t i = 0; i < n; i++) {
		memset(buf + i * 512, tag, 504);
		put64(buf + i * 512 + 504, lba + i);
	}
	return vdisk_write(&set, v, disk, lba, n, buf);
}

static bool has(unsigned leg, uint64_t lba, uint32_t n, uint8_t tag)
{
	for (uint32_t i = 0; i < n; i++)
		if (!sector_is(mem[leg].bytes + (DATA_LBA + lba + i) * 512, tag, lba + i))
			return false;
	return true;
}

static bool bit(unsigned leg, uint64_t chunk)
{
	return mem[leg].bytes[BITMAP_LBA * 512 + 256 + chunk / 8] >> (chunk & 7) & 1;
}

static unsigned role(unsigned leg, unsigned dev)
{
	return sb_of(leg)[256 + 2 * dev] | sb_of(leg)[257 + 2 * dev] << 8;
}

/* ---- what Linux does with what is on the disks ---- */

/*
 * Which legs md takes, as a mask; fails when two of them could be read as different
 * bytes for ever: that is the one thing that must not be.
 */
static unsigned linux_takes(unsigned attached)
{
	unsigned fresh = LEGS, takes = 0;

	for (unsigned i = 0; i < legs; i++) {
		uint8_t sb[4096];

		if (!(attached & 1u << i))
			continue;
		memcpy(sb, sb_of(i), sizeof(sb));
		md1_resum(sb);
		assert_memory_equal(sb, sb_of(i), sizeof(sb)); /* the checksum is right */
		if (fresh == LEGS || get64(sb + 200) > get64(sb_of(fresh) + 200))
			fresh = i;
	}
	for (unsigned i = 0; i < legs; i++)
		if ((attached & 1u << i) &&
		    get64(sb_of(i) + 200) + 1 >= get64(sb_of(fresh) + 200) &&
		    role(fresh, i) < 0xff00)
			takes |= 1u << i;
	assert_true(takes & 1u << fresh);

	for (unsigned i = 0; i < legs; i++) {
		bool clean = get64(sb_of(fresh) + 208) == CLEAN;

		if (!(takes & 1u << i))
			continue;
		for (unsigned lba = 0; lba < DATA; lba++) {
			if (memcmp(mem[i].bytes + (DATA_LBA + lba) * 512,
				   mem[fresh].bytes + (DATA_LBA + lba) * 512, 512) == 0)
				continue;
			assert_false(clean);
			if (bitmap)
				assert_true(bit(i, lba / CHUNK) && bit(fresh, lba / CHUNK));
		}
	}
	return takes;
}

/* The disks as they were after the first n sectors of the log. */
static void replay(unsigned n)
{
	for (unsigned i = 0; i < legs; i++)
		memcpy(mem[i].bytes, before[i], sizeof(before[i]));
	for (unsigned k = 0; k < n; k++)
		memcpy(mem[log_of[k].disk].bytes + log_of[k].lba * 512, log_of[k].bytes, 512);
}

/* Cut the power after every sector; with every choice of disks attached afterwards. */
static void cut_everywhere(void)
{
	unsigned all = logged;

	for (unsigned n = 0; n <= all; n++) {
		replay(n);
		for (unsigned attached = 1; attached < 1u << legs; attached++)
			linux_takes(attached);
	}
	replay(all);
}

/* ---- tests ---- */

static int setup(void **state)
{
	for (unsigned i = 0; i < LEGS; i++) {
		memdisk_open(&mem[i], SECTORS, 9);
		mem[i].disk.write = put;
		disk[i] = mem[i].disk;
	}
	fail_call = 0;
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < LEGS; i++)
		memdisk_close(&mem[i]);
	return 0;
}

static void both_kinds(void (*test)(unsigned here, unsigned of))
{
	static const struct {
		unsigned here, of;
	} kinds[] = {{2, 2}, {3, 3}, {2, 3}, {1, 2}};

	for (unsigned k = 0; k < 4; k++)
		for (unsigned b = 0; b < 2; b++) {
			array(kinds[k].here, kinds[k].of, b);
			test(kinds[k].here, kinds[k].of);
			teardown(NULL);
			setup(NULL);
		}
}

static void all_legs(unsigned here, unsigned of)
{
	open_auto();
	assert_int_equal(write(13, 40, 0x77), ST_OK);
	for (unsigned i = 0; i < here; i++) {
		assert_true(has(i, 0, 13, 0xda) && has(i, 13, 40, 0x77) && has(i, 53, 400, 0xda));
		assert_true(get64(sb_of(i) + 208) == CLEAN);
		/* Whole: not a byte of metadata has changed. */
		if (here == of)
			assert_memory_equal(mem[i].bytes, before[i], DATA_LBA * 512);
		assert_int_equal(linux_takes((1u << here) - 1), (1u << here) - 1);
	}
	assert_int_equal(set.failovers, 0);
	cut_everywhere();
}

static void test_all_legs(void **state)
{
	both_kinds(all_legs);
}

/* A device that is not here learns by it that it has missed something. */
static void test_missing_is_expelled(void **state)
{
	for (unsigned b = 0; b < 2; b++) {
		array(2, 2, b);
		legs = 1;
		open_auto();
		assert_int_equal(write(3, 1, 0x77), ST_OK);
		assert_int_equal(role(0, 1), 0xfffe);
		assert_true(get64(sb_of(0) + 200) == 102);
		if (b)
			assert_true(bit(0, 0)); /* stays, for the day that it comes back */
		legs = 2;                       /* it comes back */
		assert_int_equal(linux_takes(3), 1);
		/* the second write finds it done */
		legs = 1;
		assert_int_equal(write(3, 1, 0x78), ST_OK);
		assert_true(get64(sb_of(0) + 200) == 102);
	}
}

/* Any write call fails, and its disk from then on: the others have it, and say so. */
static void failing_leg(unsigned here, unsigned of)
{
	unsigned last;

	open_auto();
	assert_int_equal(write(13, 10, 0x77), ST_OK);
	last = calls;
	replay(0);
	for (unsigned f = 1; f <= last; f++) {
		enum status st;
		unsigned takes;

		replay(0);
		open_auto();
		fail_call = f;
		st = write(13, 10, 0x77);
		fail_call = 0;
		if (here == 1) {
			assert_int_equal(st, ST_IO);
			cut_everywhere();
			/* nothing more is written, and it can still be read */
			assert_int_equal(write(0, 1, 0x78), ST_READONLY);
			assert_int_equal(vdisk_read(&set, v, disk, 0, 1, scratch), ST_OK);
			continue;
		}
		assert_int_equal(st, ST_OK);
		takes = linux_takes((1u << here) - 1);
		assert_int_equal(takes, ((1u << here) - 1) & ~(1u << fail_disk));
		for (unsigned i = 0; i < here; i++)
			if (i != fail_disk)
				assert_true(has(i, 13, 10, 0x77));
		assert_int_equal(set.failovers, 1);
		assert_int_equal(set.failed_disk, fail_disk);
		/* what is read now is new, and no byte of it comes from the one that failed */
		mem[fail_disk].requests = 0;
		assert_int_equal(vdisk_read(&set, v, disk, 13, 1, scratch), ST_OK);
		assert_true(sector_is(scratch, 0x77, 13));
		assert_int_equal(mem[fail_disk].requests, 0);
		for (unsigned i = 0; i < here; i++)
			mem[i].dead = i != fail_disk;
		assert_int_equal(vdisk_read(&set, v, disk, 13, 1, scratch), ST_IO);
		for (unsigned i = 0; i < here; i++)
			mem[i].dead = false;
		/* and the next write goes to the others alone */
		assert_int_equal(write(30, 1, 0x79), ST_OK);
		cut_everywhere();
	}
}

static void test_failing_leg(void **state)
{
	both_kinds(failing_leg);
}

/* A superblock that can't be read, or is damaged by now: as a write that fails. */
static void test_unreadable_superblock(void **state)
{
	array(2, 2, true);
	open_auto();
	memdisk_fail(&mem[1], SB_LBA, 1);
	assert_int_equal(write(0, 1, 0x77), ST_OK);
	assert_int_equal(linux_takes(3), 1);
	teardown(NULL);
	setup(NULL);
	array(2, 2, true);
	open_auto();
	sb_of(0)[40] ^= 1;
	assert_int_equal(write(0, 1, 0x77), ST_OK);
	assert_int_equal(role(1, 0), 0xfffe);
	assert_false(has(0, 0, 1, 0x77));
	assert_true(has(1, 0, 1, 0x77));
}

/* Where one leg has a bad range the legs would differ after a write. */
static void test_hole(void **state)
{
	array(2, 2, false);
	survey_run(&s, disk, 2);
	for (unsigned i = 0; i < s.member_count; i++)
		if (s.member[i].disk == 1) {
			s.member[i].hole_count = 1;
			s.member[i].hole[0] = (struct hole){20, 4};
		}
	view_init(&set, &tables);
	assert_int_equal(view_add_volume(&set, &s, 0, &v), ST_OK);
	writeplan_make(&set, &s, CONFIG_WRITES_AUTO, scratch, 9);
	logged = 0;
	assert_int_equal(write(20, 1, 0x77), ST_READONLY);
	assert_int_equal(write(10, 30, 0x77), ST_READONLY);
	assert_int_equal(logged, 0);
	assert_int_equal(write(10, 10, 0x77), ST_OK);
	assert_int_equal(write(24, 10, 0x77), ST_OK);
}

/* An array that was not closed stays so: what md was to copy is still to be copied. */
static void test_dirty_stays_dirty(void **state)
{
	array(2, 2, true);
	for (unsigned i = 0; i < 2; i++) {
		put64(sb_of(i) + 208, 0);
		md1_resum(sb_of(i));
	}
	for (unsigned i = 0; i < 2; i++) /* a write was cut: its bit is set, legs differ */
		mem[i].bytes[BITMAP_LBA * 512 + 256] |= 1;
	memset(mem[0].bytes + (DATA_LBA + 3) * 512, 0x33, 512);
	open_auto();
	assert_int_equal(write(0, 1, 0x77), ST_OK);
	assert_true(get64(sb_of(0) + 208) == 0 && get64(sb_of(1) + 208) == 0);
	assert_true(bit(0, 0) && bit(1, 0));
	assert_int_equal(linux_takes(3), 3);
	cut_everywhere();
}

static void test_refused(void **state)
{
	array(2, 2, false);
	open_with(CONFIG_WRITES_NO);
	assert_int_equal(write(0, 1, 0x77), ST_READONLY);
	assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_NO), WRITEPLAN_CONFIG);
	assert_int_equal(write(DATA, 1, 0x77), ST_RANGE);
	assert_int_equal(write(DATA - 1, 2, 0x77), ST_RANGE);

	s.mirror[0].read_only = true;
	assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_CHOSEN);
	s.mirror[0].read_only = false;
	assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_WRITABLE);

	put64(sb_of(1) + 200, 99); /* as md allows after a crash: which map counts is not settled */
	md1_resum(sb_of(1));
	open_with(CONFIG_WRITES_AUTO);
	assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_GENERATION);
	assert_int_equal(write(0, 1, 0x77), ST_READONLY);

	array(2, 2, false);
	put32(sb_of(1) + 8, 2); /* rebuilding */
	put64(sb_of(1) + 152, 256);
	md1_resum(sb_of(1));
	open_with(CONFIG_WRITES_AUTO);
	assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_REBUILDING);
	assert_int_equal(write(0, 1, 0x77), ST_READONLY);

	array(2, 2, false); /* the newest is whole, and more than we know */
	put32(sb_of(0) + 8, 0x8000);
	put64(sb_of(0) + 200, 101);
	md1_resum(sb_of(0));
	open_with(CONFIG_WRITES_AUTO);
	assert_int_equal(s.mirror[0].order_count, 1);
	assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_GENERATION);

	array(2, 2, false);
	open_with(CONFIG_WRITES_AUTO);
	s.mirror[0].order_count = 1;
	assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_CHOSEN);

	array(2, 2, false);
	disk[1].write = NULL;
	open_with(CONFIG_WRITES_AUTO);
	assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_DISK);
	disk[1].write = put;

	array(2, 2, false); /* more roles than the superblock's first sector holds */
	for (unsigned i = 0; i < 2; i++) {
		put32(sb_of(i) + 220, 384);
		memset(sb_of(i) + 512, 0xff, 512);
		md1_resum(sb_of(i));
	}
	open_with(CONFIG_WRITES_AUTO);
	assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_ROOM);
	assert_int_equal(logged, 0);
}

/* A copy of a leg would be taken for it: its device number is the same. */
static void test_copy_of_a_leg(void **state)
{
	array(2, 2, false);
	memcpy(mem[2].bytes, mem[1].bytes, SECTORS * 512);
	legs = 3;
	open_with(CONFIG_WRITES_AUTO);
	assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_SPLIT);
	assert_int_equal(write(0, 1, 0x77), ST_READONLY);
}

static void spoil_bitmap(unsigned off, uint32_t value)
{
	array(2, 2, true);
	put32(mem[1].bytes + BITMAP_LBA * 512 + off, value);
	open_with(CONFIG_WRITES_AUTO);
	assert_int_equal(set.mirror_count, 0);
	assert_int_equal(write(0, 1, 0x77), ST_READONLY);
}

static void test_bitmaps_we_do_not_know(void **state)
{
	spoil_bitmap(0, 0);             /* magic */
	spoil_bitmap(4, 5);             /* clustered */
	spoil_bitmap(4, 6);             /* a byte a chunk */
	spoil_bitmap(8, 0x12345678);    /* another array's */
	spoil_bitmap(52, 0);            /* chunk size */
	spoil_bitmap(52, 12288);        /* no power of two */
	spoil_bitmap(52, CHUNK * 1024); /* not the other leg's */
	for (int k = 0; k < 4; k++) {   /* over the data, over the superblock, beyond the disk */
		static const int32_t at[] = {DATA_LBA - SB_LBA, 0, 1000000, 1};

		array(2, 2, true);
		for (unsigned i = 0; i < 2; i++) {
			uint64_t to = SB_LBA + (uint64_t)at[k];

			put32(sb_of(i) + 96, (uint32_t)at[k]);
			md1_resum(sb_of(i));
			if (k == 0 || k == 3)
				memmove(mem[i].bytes + to * 512, mem[i].bytes + BITMAP_LBA * 512,
					512);
		}
		open_with(CONFIG_WRITES_AUTO);
		assert_int_equal(set.mirror_count, 0);
	}
	array(2, 2, true);
	memdisk_fail(&mem[0], BITMAP_LBA, 1);
	open_with(CONFIG_WRITES_AUTO);
	assert_int_equal(set.mirror_count, 0);
}

/* In the disk view: metadata are never written, what is not a member is written as it is. */
static void test_disk_view(void **state)
{
	static uint8_t buf[64 * 512];

	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);

		memdisk_mbr(&mem[i], 1, 0xfd, 40, 600);
		md1_put(&mem[i], 40, 600, &spec);
	}
	legs = 2;
	survey_run(&s, disk, 2);
	view_init(&set, &tables);
	assert_int_equal(view_add_disk(&set, &s, 0, &v), ST_OK);
	writeplan_make(&set, &s, CONFIG_WRITES_AUTO, scratch, 9);
	logged = 0;
	memset(buf, 0x55, sizeof(buf));

	assert_int_equal(vdisk_write(&set, v, disk, 5, 2, buf), ST_OK);
	assert_int_equal(logged, 2);
	assert_int_equal(log_of[0].disk, 0);
	for (uint64_t lba = 40; lba < 40 + 64; lba++)
		assert_int_equal(vdisk_write(&set, v, disk, lba, 1, buf), ST_READONLY);
	assert_int_equal(vdisk_write(&set, v, disk, 40 + 63, 2, buf), ST_READONLY);
	assert_int_equal(vdisk_write(&set, v, disk, 39, 2, buf), ST_READONLY);
	assert_int_equal(vdisk_write(&set, v, disk, 40 + 64 + 511, 2, buf), ST_READONLY);
	assert_int_equal(logged, 2);
	assert_int_equal(vdisk_write(&set, v, disk, 40 + 64, 2, buf), ST_OK);
	for (unsigned i = 0; i < 2; i++)
		assert_memory_equal(mem[i].bytes + (40 + 64) * 512, buf, 1024);
}

/* Legs that start elsewhere on their disks, and whose data start elsewhere: each in its place. */
static void test_disk_view_skewed(void **state)
{
	static const uint32_t start[2] = {20, 50}, offset[2] = {64, 72};
	static uint8_t want[2][SECTORS * 512], buf[8 * 512];

	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);

		spec.data_offset = offset[i];
		memdisk_mbr(&mem[i], 1, 0xfd, start[i], SECTORS - start[i]);
		md1_put(&mem[i], start[i], SECTORS - start[i], &spec);
		memcpy(want[i], mem[i].bytes, sizeof(want[i]));
	}
	legs = 2;
	survey_run(&s, disk, 2);
	view_init(&set, &tables);
	memset(buf, 0x55, sizeof(buf));
	for (unsigned view = 0; view < 2; view++) {
		uint32_t data_lba = start[view] + offset[view];

		assert_int_equal(view_add_disk(&set, &s, view, &v), ST_OK);
		writeplan_make(&set, &s, CONFIG_WRITES_AUTO, scratch, 9);
		buf[0] = (uint8_t)view;
		assert_int_equal(vdisk_write(&set, v, disk, data_lba - 1, 2, buf), ST_READONLY);
		assert_int_equal(vdisk_write(&set, v, disk, data_lba + DATA - 1, 2, buf),
				 ST_READONLY);
		assert_int_equal(vdisk_write(&set, v, disk, data_lba + 100 * view, 8, buf), ST_OK);
		assert_int_equal(vdisk_write(&set, v, disk, data_lba + DATA - 1 - view, 1, buf),
				 ST_OK);
		for (unsigned i = 0; i < 2; i++) {
			uint8_t *at = want[i] + (start[i] + offset[i]) * 512;

			memcpy(at + 100 * view * 512, buf, sizeof(buf));
			memcpy(at + (DATA - 1 - view) * 512, buf, 512);
			assert_memory_equal(mem[i].bytes, want[i], sizeof(want[i]));
		}
	}
}

/* A member that is shown as it is because no leg can be read: not ours to change. */
static void test_unusable_is_fixed(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);
	static uint8_t buf[512];

	memdisk_mbr(&mem[0], 1, 0xfd, 40, 600);
	spec.features = 2;
	spec.recovery_offset = 100;
	md1_put(&mem[0], 40, 600, &spec);
	survey_run(&s, disk, 1);
	assert_int_equal(s.mirror[0].state, MIRROR_UNUSABLE);
	view_init(&set, &tables);
	assert_int_equal(view_add_disk(&set, &s, 0, &v), ST_OK);
	writeplan_make(&set, &s, CONFIG_WRITES_MIRROR, scratch, 9);
	assert_int_equal(vdisk_write(&set, v, disk, 39, 1, buf), ST_OK);
	assert_int_equal(vdisk_write(&set, v, disk, 40, 1, buf), ST_READONLY);
	assert_int_equal(vdisk_write(&set, v, disk, 300, 1, buf), ST_READONLY);
	assert_int_equal(vdisk_write(&set, v, disk, 639, 1, buf), ST_READONLY);
}

/* The line on the boot screen, and that it is as the plan is. */
static const char *report(uint8_t writes)
{
	static char text[200];
	struct text_buffer b;

	text_buffer_init(&b, text, sizeof(text));
	writeplan_report(&set, &s, writes, &b.text);
	return text;
}

static void test_report(void **state)
{
	array(2, 2, true);
	open_auto();
	assert_true(writeplan_open(&set, 0));
	assert_false(writeplan_open(&set, 1));
	assert_string_equal(report(CONFIG_WRITES_AUTO), "");
	set.mirror[0].leg_count = 0; /* a write has failed on all legs */
	assert_false(writeplan_open(&set, 0));

	open_with(CONFIG_WRITES_NO);
	assert_false(writeplan_open(&set, 0));
	assert_int_equal(writeplan_why(&set, &s, 0, CONFIG_WRITES_NO), WRITEPLAN_CONFIG);
	assert_non_null(strstr(report(CONFIG_WRITES_NO),
			       " is write-protected: the configuration says writes = no.\n"));
	s.mirror[0].read_only = true; /* the menu has said it */
	assert_string_equal(report(CONFIG_WRITES_NO), "");
	s.mirror[0].read_only = false;
	s.mirror[0].chosen = NO_LEG; /* not shown at all */
	assert_string_equal(report(CONFIG_WRITES_NO), "");

	/* What only the plan sees: a bitmap of another kind; legs in no view. */
	array(2, 2, true);
	put32(mem[1].bytes + BITMAP_LBA * 512 + 4, 5);
	open_with(CONFIG_WRITES_AUTO);
	assert_int_equal(writeplan_why(&set, &s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_BITMAP);
	assert_non_null(strstr(report(CONFIG_WRITES_AUTO), "protected: its bitmap can't be read"));
	array(2, 2, true);
	open_auto();
	view_init(&set, &tables);
	writeplan_make(&set, &s, CONFIG_WRITES_AUTO, scratch, 9);
	assert_int_equal(writeplan_why(&set, &s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_ROOM);
}

/* 0.90 can't record it: only when the config says so, and only while it is whole. */
static void test_md0(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct md0_spec spec = md0_spec(i);

		md0_put(&mem[i], 0, SECTORS, &spec);
	}
	legs = 2;
	open_with(CONFIG_WRITES_AUTO);
	assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_AUTO), WRITEPLAN_FORMAT);
	assert_int_equal(write(7, 3, 0x77), ST_READONLY);
	open_with(CONFIG_WRITES_MIRROR);
	assert_int_equal(write(7, 3, 0x77), ST_OK);
	assert_int_equal(logged, 6);
	for (unsigned i = 0; i < 2; i++)
		assert_true(sector_is(mem[i].bytes + 7 * 512, 0x77, 7));
	legs = 1;
	open_with(CONFIG_WRITES_MIRROR);
	assert_int_equal(write(7, 3, 0x78), ST_READONLY);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_legs),
		TEST(test_missing_is_expelled),
		TEST(test_failing_leg),
		TEST(test_unreadable_superblock),
		TEST(test_hole),
		TEST(test_dirty_stays_dirty),
		TEST(test_refused),
		TEST(test_copy_of_a_leg),
		TEST(test_bitmaps_we_do_not_know),
		TEST(test_disk_view),
		TEST(test_disk_view_skewed),
		TEST(test_unusable_is_fixed),
		TEST(test_report),
		TEST(test_md0),
	};

	return cmocka_run_group_tests_name("vdisk_write", tests, NULL, NULL);
}
