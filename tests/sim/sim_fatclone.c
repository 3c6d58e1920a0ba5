/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A power cut at any moment of a clone from one FAT file system to another: every file of the
 * target is the old or the new one, whole; the loader never vanishes; what decides the boot
 * is new only when what it needs is; nothing goes before all that is new is there; the manifest
 * says no more than what is so; and the clone, run again, gets there.
 *
 * Then the same with each flush left out, one at a time: something of that must be found wrong.
 *
 * SIM_FSCK=N: fsck.fat looks at every Nth state, as it is and after the run again (default: 1000,
 * 0: never).
 */
#include "tests/sim/crashcount.h"
#include "tests/sim/crashdisk.h"
#include "tests/sim/crashfat.h"
#include "tests/sim/crashfatclone.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define LONG_NAME                                                                                  \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"01234567890123456789012345678901234567890123456789.long"

static const struct item many_items[] = {
	{"\\EFI\\BOOT\\BOOTX64.EFI", 9000, 1, 9500, 2, true},
	{"\\EFI\\BOOT\\grub.cfg", 300, 3, 310, 4, true},
	{"\\EFI\\debian\\shimx64.efi", 5000, 5, 5000, 6, false},
	{"\\EFI\\debian\\grubx64.efi", 4100, 7, 4100, 7, false},
	{"\\vmlinuz-1", 6000, 8, NONE, 0, false},
	{"\\initrd of version 1.img", 7000, 9, NONE, 0, false},
	{"\\vmlinuz-2", NONE, 0, 6100, 10, false},
	{"\\initrd of version 2.img", NONE, 0, 7100, 11, false},
	{"\\EFI\\new folder\\deeper\\file in it", NONE, 0, 513, 12, false},
	{"\\EFI\\new folder\\empty", NONE, 0, 0, 0, false},
	{"\\old folder\\inside\\a file with a long name of more than one slot", 600, 13, NONE, 0,
	 false},
	{"\\becomes empty", 700, 14, 0, 0, false},
	{"\\was empty", 0, 0, 700, 15, false},
	{"\\" LONG_NAME, NONE, 0, 20, 16, false},
	{"\\EFI\\" LONG_NAME, 21, 17, NONE, 0, false},
	{"\\kind", 800, 18, NONE, 0, false},
	{"\\kind\\file", NONE, 0, 801, 19, false},
	{"\\dnik\\file", 802, 20, NONE, 0, false},
	{"\\dnik", NONE, 0, 803, 21, false},
	/* names until their folder grows */
	{"\\grows\\the first file with a name of some length", 1, 22, 1, 22, false},
	{"\\grows\\the second file with a name of some length", 2, 23, 2, 24, false},
	{"\\grows\\the third file with a name of some length", NONE, 0, 3, 25, false},
	{"\\grows\\the fourth file with a name of some length", NONE, 0, 4, 26, false},
	{"\\grows\\the fifth file with a name of some length", NONE, 0, 5, 27, false},
};

/* Room for one of the two large files at a time: batches. */
static const struct item tight_items[] = {
	{"\\EFI\\BOOT\\BOOTX64.EFI", 9000, 1, 9500, 2, true},
	{"\\large 1", 40000, 3, 41000, 4, false},
	{"\\large 2", 40000, 5, 41000, 6, false},
	{"\\large 3", 40000, 7, 39000, 8, false},
	{"\\loader\\loader.conf", 30, 9, 31, 10, true},
	{"\\gone", 1000, 11, NONE, 0, false},
};

/* Changed, added, gone, with a loader and what it reads. */
static const struct item few_items[] = {
	{"\\EFI\\BOOT\\BOOTX64.EFI", 3000, 1, 3500, 2, true},
	{"\\loader\\loader.conf", 30, 3, 31, 4, true},
	{"\\vmlinuz of version 1", 2000, 5, NONE, 0, false},
	{"\\vmlinuz of version 2", NONE, 0, 2100, 6, false},
	{"\\EFI\\debian\\grubx64.efi", 1000, 7, 1000, 8, false},
	{"\\EFI\\new\\file", NONE, 0, 10, 9, false},
	{"\\EFI\\old\\file", 10, 10, NONE, 0, false},
	{"\\same", 10, 11, 10, 11, false},
};

static void fsck(struct scene *s, const uint8_t *image, bool cut, const char *what)
{
	s->fscks++;
	crashcount_asked("fsck.fat");
	if (!crashfat_fsck(image, s->sectors, cut))
		CRASHWRONG(s, what, "%sfsck.fat finds something", cut ? "" : "run again, ");
}

static bool is_sampled(const struct scene *s)
{
	const char *every = getenv("SIM_FSCK");
	unsigned n = every ? (unsigned)atoi(every) : 1000;

	return n && s->states % n == 0 && !s->looking;
}

static void check_cut(uint8_t *cut, const char *what, void *ctx)
{
	struct scene *s = ctx;
	uint8_t *image = memcpy(s->copy, cut, (size_t)s->sectors * 512);
	struct disk d = crashfat_disk(image, s->sectors);
	const char *old;
	bool dirty, begun;

	if (fat_open(&crashfatclone_target, &d, 0, d.sectors) != ST_OK)
		CRASHWRONG(s, what, "no FAT file system");
	crashfatclone_judge(s, what);
	if (fat_is_dirty(&crashfatclone_target, &dirty) != ST_OK)
		CRASHWRONG(s, what, "it can't be read");
	begun = crashfatclone_is_begun(s);
	if (is_sampled(s))
		fsck(s, image, true, what);
	if (!s->looking)
		crashcount_rerun();
	if (crashfatclone_run(s, &d, dirty, what)) {
		if (s->ended)
			CRASHWRONG(s, what, "it had ended, and there is something to be done");
		if (begun && !dirty && !s->manifests)
			CRASHWRONG(s, what, "begun, not done, and not dirty");
	} else if (dirty)
		CRASHWRONG(s, what, "dirty, and nothing to be done");
	crashfatclone_judge(s, "run again");
	if (crashfatclone_run(s, &d, false, what))
		CRASHWRONG(s, what, "run a third time, it still writes");
	old = crashfatclone_old(s);
	if (old)
		CRASHWRONG(s, what, "run again, %s is old", old);
	if (is_sampled(s))
		fsck(s, image, false, what);
	s->states++;
}

static bool is_wrong(uint8_t *image, const char *what, void *ctx)
{
	struct scene *s = ctx;

	s->looking = true;
	if (setjmp(s->found)) {
		s->looking = false;
		return true;
	}
	check_cut(image, what, s);
	s->looking = false;
	return false;
}

/* As if one flush had not been there: is that found? */
static void without_each_flush(struct scene *s, const struct crashdisk *c)
{
	unsigned flushes = 0, missed = 0, states = s->states;

	for (unsigned i = 0; i < c->op_count; i++) {
		if (c->op[i].n)
			continue;
		flushes++;
		s->ended = i == c->op_count - 1;
		if (!crashdisk_without_flush(c, i, is_wrong, s)) {
			printf("  %s: without the flush that is operation %u, all is well\n",
			       s->name, i);
			missed++;
		}
	}
	s->ended = false;
	printf("  %s: each of %u flushes left out (%u more states), %u missed\n", s->name, flushes,
	       s->states - states, missed);
	assert_int_equal(missed, s->spare);
}

/*
 * One write after the other comes out with a wrong bit, or not at all, and the disk says nothing:
 * either that is read back, and said, or it did not matter.
 */
static void lied_to(struct scene *s, const struct crashdisk *honest)
{
	static struct crashdisk c;
	unsigned noticed = 0, harmless = 0, ops = honest->op_count;

	for (unsigned i = 0; i < 2 * ops; i++) {
		enum fat_why why;
		struct disk d;

		crashdisk_init(&c, honest->before, s->sectors);
		c.lie_at = i / 2;
		c.lie_by_nothing = i & 1;
		d = crashdisk_disk(&c);
		why = crashfatclone_try(s, &d);
		if (why == FAT_READ_BACK) {
			noticed++;
		} else if (why != FAT_FINE) {
			fail_msg("%s, write %u is a lie: %s", s->name, i / 2, fat_why_text(why));
		} else {
			if (memcmp(c.now, honest->now, (size_t)s->sectors * 512) != 0)
				fail_msg("%s, write %u is a lie: nobody noticed", s->name, i / 2);
			harmless++;
		}
		crashdisk_free(&c);
	}
	printf("  %s: lied to %u times: read back as wrong %u times, no difference %u times\n",
	       s->name, 2 * ops, noticed, harmless);
	assert_true(noticed > ops);
}

static void play(struct scene *s)
{
	uint8_t *image = calloc(s->sectors, 512);
	static struct crashdisk c;
	struct disk d = crashfat_disk(image, s->sectors);

	s->source_image = calloc(s->source_sectors, 512);
	s->copy = calloc(s->sectors, 512);
	assert_non_null(s->copy);
	assert_non_null(image);
	assert_non_null(s->source_image);
	memset(image, 0x5a, (size_t)s->sectors * 512); /* of before */
	crashfatclone_make(s, &d);
	crashdisk_init(&c, image, s->sectors);
	d = crashdisk_disk(&c);
	assert_true(crashfatclone_run(s, &d, false, "not cut"));
	assert_int_equal(c.op[c.op_count - 1].n, 0); /* what it says is done is flushed */
	crashcount_scene(s->manifests ? "the tool's clone of an ESP"
				      : "a clone of a FAT file system (tool and firmware)",
			 s->manifests ? 2 : 4);
	crashdisk_each_cut(&c, check_cut, s);
	printf("  %s: %u operations, %u states; files old %u times, new %u times; fsck.fat %u "
	       "times\n",
	       s->name, c.op_count, s->states, s->old, s->new, s->fscks);
	without_each_flush(s, &c);
	lied_to(s, &c);
	fflush(stdout);
	crashdisk_free(&c);
	free(image);
	free(s->source_image);
	free(s->copy);
}

#define SCENE(n, i, t, size)                                                                       \
	{                                                                                          \
		.name = n, .item = i, .items = sizeof(i) / sizeof(i[0]), .type = t,                \
		.sectors = size, .source_sectors = 400                                             \
	}

/*
 * In these the second batch, of what decides the boot, takes no cluster that the first has given
 * back, so nothing needs the flush between them: little_room() does.
 */
static void fat12(void **state)
{
	struct scene s = SCENE("FAT12", many_items, 12, 300);

	s.spare = 1;
	play(&s);
}

static void fat16(void **state)
{
	struct scene s = SCENE("FAT16", many_items, 16, 4300);

	s.spare = 1;
	play(&s);
}

static void fat32(void **state)
{
	struct scene s = SCENE("FAT32", many_items, 32, 400);

	s.spare = 1;
	play(&s);
}

/* 129000 bytes of files are on it; there is room for one more of 41000. */
static void little_room(void **state)
{
	struct scene s = SCENE("FAT12, little room", tight_items, 12, 35 + 256 + 100);

	play(&s);
}

/* "updating", the files, "complete". */
static void with_manifests(void **state)
{
	static const unsigned types[] = {32, 12}; /* the one with fewer states first */

	for (unsigned i = 0; i < 2; i++) {
		struct scene s = SCENE("with manifests", few_items, types[i], 400);

		s.manifests = true;
		s.cluster_bytes = types[i] == 12 ? 2048 : 0;
		/* between the two batches; and each run's last but the last's */
		s.spare = 3;
		play(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fat12),          cmocka_unit_test(fat16),
		cmocka_unit_test(fat32),          cmocka_unit_test(little_room),
		cmocka_unit_test(with_manifests),
	};

	return crashcount_end(cmocka_run_group_tests(tests, NULL, NULL));
}
