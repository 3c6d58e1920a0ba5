/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A power cut at any moment of install, upgrade and uninstall: LBA 0 is either the
 * old boot code or ours, of this build or the one before, with an area that is whole; nothing
 * else is touched, and the same command, run again, gets there.
 *
 * Then the same with each flush left out, one at a time: that must be found wrong.
 */
#include "tests/sim/crashboot.h"
#include "tests/sim/crashcount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void fresh_install(void **state)
{
	struct crashboot s = {
		.name = "install", .part_lba = 300, .config = NEW_CONFIG, .run_on = 1};

	crashboot_play(&s);
	assert_true(s.saw_old);
}

/* What the old boot code needs is there in every state that starts it. */
static void beside_grub(void **state)
{
	struct crashboot s = {.name = "install beside GRUB",
			      .part_lba = 300,
			      .core_sectors = 60,
			      .config = NEW_CONFIG};
	struct crashboot r = {.name = "uninstall beside GRUB",
			      .part_lba = 300,
			      .core_sectors = 60,
			      .first = OLD_CONFIG};

	crashboot_play(&s);
	assert_true(s.saw_old);
	crashboot_play(&r);
	assert_true(r.saw_old);
}

/* There is room for two areas: the disk is never without us. */
static void upgrade_beside(void **state)
{
	struct crashboot s = {
		.name = "upgrade", .part_lba = 300, .first = OLD_CONFIG, .config = NEW_CONFIG};

	crashboot_play(&s);
	assert_false(s.saw_old);
}

/* There is room for one only: in between the disk boots as it did before us. */
static void upgrade_in_place(void **state)
{
	struct crashboot s = {.name = "upgrade in place",
			      .part_lba = installed_area_sectors(variant_get(0)) + 5,
			      .first = OLD_CONFIG,
			      .config = NEW_CONFIG};

	crashboot_play(&s);
	assert_true(s.saw_old);
}

/* Over another build's: a stage2 that is smaller or larger, and lies elsewhere. */
static void upgrade_from_older(void **state)
{
	static const struct crashboot_older small = {.stage2_sectors = 20, .area_lba = 300 - 27},
					    large = {.stage2_sectors = 80, .area_lba = 300 - 87},
					    low = {.stage2_sectors = 50, .area_lba = 70},
					    first = {.stage2_sectors = 40,
						     .area_lba = 300 - 47,
						     .first_magic = true};
	const struct crashboot_older *const older[] = {&small, &large, &low, &first};
	static const char *const name[] = {"upgrade, smaller", "upgrade, larger",
					   "upgrade, elsewhere", "upgrade, of the first version"};

	for (unsigned i = 0; i < 4; i++) {
		struct crashboot s = {.name = name[i],
				      .part_lba = 300,
				      .core_sectors = 60,
				      .older = older[i],
				      .config = NEW_CONFIG};

		crashboot_play(&s);
		assert_false(s.saw_old);
		assert_true(s.saw_older);
	}
}

/* The same where there is room for one only. */
static void older_in_place(void **state)
{
	uint32_t n = installed_area_sectors(variant_get(0)) + 5;
	const struct crashboot_older older = {.stage2_sectors = 30, .area_lba = n - 40};
	struct crashboot s = {.name = "upgrade in place, smaller",
			      .part_lba = n,
			      .older = &older,
			      .config = NEW_CONFIG};

	crashboot_play(&s);
	assert_true(s.saw_old);
	assert_true(s.saw_older);
}

static void uninstall(void **state)
{
	static const struct crashboot_older older = {.stage2_sectors = 30, .area_lba = 200};
	struct crashboot s = {
		.name = "uninstall", .part_lba = 300, .first = OLD_CONFIG, .run_on = 1};
	struct crashboot o = {
		.name = "uninstall of an older one", .part_lba = 300, .older = &older};

	crashboot_play(&s);
	assert_true(s.saw_old);
	crashboot_play(&o);
	assert_true(o.saw_old);
}

/* LBA 0 was restored from a backup: the area that it leads to is gone, another is there. */
static void lba0_from_backup(void **state)
{
	struct crashboot s = {.name = "install, LBA 0 from a backup",
			      .part_lba = 300,
			      .first = OLD_CONFIG,
			      .config = NEW_CONFIG,
			      .has_backup = true};
	struct crashboot r = {.name = "uninstall, LBA 0 from a backup",
			      .part_lba = 300,
			      .first = OLD_CONFIG,
			      .has_backup = true};

	crashboot_play(&s);
	assert_true(s.saw_old);
	crashboot_play(&r);
	assert_true(r.saw_old);
}

static uint8_t *make_pristine(void)
{
	uint8_t *image = calloc(CRASHBOOT_SECTORS, SECTOR);
	struct mbr_sector *m = (void *)image;

	assert_non_null(image);
	memset(m->code, 0x90, sizeof(m->code));
	m->entry[0].type = 0xfd;
	m->entry[0].start_lba = le32_of(300);
	m->entry[0].sectors = le32_of(CRASHBOOT_SECTORS - 300);
	m->signature = le16_of(MBR_SIGNATURE);
	return image;
}

/* A write or flush that fails: the error says truly whether LBA 0 has changed. */
static void failing_writes(void **state)
{
	static struct crashdisk c;
	static struct bootplan p;
	struct bootwrite_error err;
	uint8_t *pristine = make_pristine();
	enum status st;
	uint32_t at = 0;

	do {
		struct disk d;
		bool same;

		crashdisk_init(&c, pristine, CRASHBOOT_SECTORS);
		d = crashdisk_disk(&c);
		assert_int_equal(bootplan_make(&d, NEW_CONFIG, VARIANT_MD, &p), BOOTPLAN_FINE);
		c.fail_at = at++;
		st = bootwrite_install(&d, &p, &err);
		same = !memcmp(c.now, pristine, SECTOR);
		if (st != ST_OK && err.lba0_old)
			assert_true(same);
		crashdisk_free(&c);
	} while (st != ST_OK);
	assert_true(at > 8);
	free(pristine);
}

/* A disk that says "written" and writes nothing never gets our LBA 0 believed. */
static void lying_disk(void **state)
{
	static struct crashdisk c;
	static struct bootplan p;
	struct bootwrite_error err;
	uint8_t *pristine = make_pristine();
	struct disk d;

	crashdisk_init(&c, pristine, CRASHBOOT_SECTORS);
	d = crashdisk_disk(&c);
	assert_int_equal(bootplan_make(&d, NEW_CONFIG, VARIANT_MD, &p), BOOTPLAN_FINE);
	c.drop_writes = true;
	assert_int_equal(bootwrite_install(&d, &p, &err), ST_IO);
	assert_true(err.mismatch);
	assert_true(err.lba0_old);
	crashdisk_free(&c);
	free(pristine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_install),      cmocka_unit_test(beside_grub),
		cmocka_unit_test(upgrade_beside),     cmocka_unit_test(upgrade_in_place),
		cmocka_unit_test(upgrade_from_older), cmocka_unit_test(older_in_place),
		cmocka_unit_test(uninstall),          cmocka_unit_test(lba0_from_backup),
		cmocka_unit_test(failing_writes),     cmocka_unit_test(lying_disk),
	};

	return crashcount_end(
		cmocka_run_group_tests_name("install under power cuts", tests, NULL, NULL));
}
