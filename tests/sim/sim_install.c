/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A power cut at any moment of install, upgrade and uninstall: LBA 0 is either the
 * old boot code or ours with an area that is whole, nothing else is touched, and
 * the same command, run again, gets there.
 */
#include "tests/sim/crashdisk.h"
#include "tools/bootwrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DISK_SECTORS 400u
#define OLD_CONFIG   "timeout = 3\n"
#define NEW_CONFIG   "timeout = 7\nvolumes = no\n"

struct scene {
	uint32_t part_lba;  /* where the partition starts */
	uint8_t *pristine;  /* before any install */
	const char *config; /* what the command under test installs; NULL: it removes */
	bool saw_old, saw_new;
	bool reruns;
	uint8_t backup[SECTOR]; /* LBA 0 that leads nowhere, put there before the command */
	bool has_backup;
	const char *name;
};

static uint8_t *make_pristine(uint32_t part_lba)
{
	uint8_t *image = calloc(DISK_SECTORS, SECTOR);
	struct mbr_sector *m = (void *)image;

	assert_non_null(image);
	for (unsigned i = 0; i < MBR_CODE_BYTES; i++)
		m->code[i] = (uint8_t)(i * 5 + 1);
	m->disk_signature = le32_of(0xdecade01);
	m->entry[0].status = 0x80;
	m->entry[0].type = 0xfd;
	m->entry[0].start_lba = le32_of(part_lba);
	m->entry[0].sectors = le32_of(DISK_SECTORS - part_lba);
	m->signature = le16_of(MBR_SIGNATURE);
	for (size_t i = (size_t)part_lba * SECTOR; i < (size_t)DISK_SECTORS * SECTOR; i++)
		image[i] = (uint8_t)(i * 7 + i / SECTOR);
	return image;
}

static void install(const struct disk *d, const char *config, const char *what)
{
	static struct bootplan p;
	struct bootwrite_error err;
	char text[CONFIG_TEXT_BYTES + 1] = "";

	snprintf(text, sizeof(text), "%s", config);
	if (bootplan_make(d, text, VARIANT_MD, &p) != BOOTPLAN_FINE)
		fail_msg("%s: no plan", what);
	if (bootwrite_install(d, &p, &err) != ST_OK)
		fail_msg("%s: %s failed at LBA %u", what, err.doing, (unsigned)err.lba);
}

static void remove_all(const struct disk *d, const char *what)
{
	static struct bootplan p;
	struct bootwrite_error err;

	if (bootplan_look(d, &p) != BOOTPLAN_FINE)
		fail_msg("%s: can't look", what);
	/* As cmd_uninstall decides. */
	if (!p.old.ours && !bootplan_only_leftovers(d, &p)) {
		if (p.left_count)
			fail_msg("%s: a boot area that uninstall refuses to remove", what);
		return;
	}
	if (bootwrite_remove(d, &p, &err) != ST_OK)
		fail_msg("%s: %s failed at LBA %u", what, err.doing, (unsigned)err.lba);
}

/* Our LBA 0 must lead to an area of which every part is right. */
static void check_ours(const struct disk *d, const struct scene *s, const char *what)
{
	static struct installed in;

	assert_int_equal(installed_read(d, &in), ST_OK);
	if (!in.ours)
		fail_msg("%s, %s: LBA 0 is neither the old boot code nor ours", s->name, what);
	if (in.area != ST_OK || !in.saved_good || !in.config_good || !in.stage2_good)
		fail_msg("%s, %s: LBA 0 leads to an area that is not whole (area %d, saved %d, "
			 "config %d, stage2 %d)",
			 s->name, what, in.area, in.saved_good, in.config_good, in.stage2_good);
	if (memcmp(in.saved, s->pristine, MBR_CODE_BYTES))
		fail_msg("%s, %s: the saved boot code is not what was replaced", s->name, what);
	if (strcmp(in.config, OLD_CONFIG) && strcmp(in.config, NEW_CONFIG))
		fail_msg("%s, %s: a config that nobody wrote", s->name, what);
}

static void check_untouched(const uint8_t *image, const struct scene *s, const char *what)
{
	size_t part = (size_t)s->part_lba * SECTOR;

	if (memcmp(image + MBR_CODE_BYTES, s->pristine + MBR_CODE_BYTES, SECTOR - MBR_CODE_BYTES))
		fail_msg("%s, %s: the partition table has changed", s->name, what);
	if (memcmp(image + part, s->pristine + part, (size_t)DISK_SECTORS * SECTOR - part))
		fail_msg("%s, %s: the partition has changed", s->name, what);
}

/* After the cut the machine comes up again and the command is run again. */
static void check_rerun(const uint8_t *image, const struct scene *s, const char *what)
{
	static struct crashdisk c;
	struct disk d;

	crashdisk_init(&c, image, DISK_SECTORS);
	d = crashdisk_disk(&c);
	if (s->config) {
		install(&d, s->config, what);
		check_ours(&d, s, what);
	}
	remove_all(&d, what);
	if (memcmp(c.now, s->pristine, (size_t)DISK_SECTORS * SECTOR))
		fail_msg("%s, %s: the disk is not as it was before install", s->name, what);
	crashdisk_free(&c);
}

static bool leads_to_area(const uint8_t *image)
{
	static struct crashdisk c;
	static struct installed in;
	struct disk d;

	crashdisk_init(&c, image, DISK_SECTORS);
	d = crashdisk_disk(&c);
	assert_int_equal(installed_read(&d, &in), ST_OK);
	crashdisk_free(&c);
	return in.area == ST_OK;
}

static void check_cut(uint8_t *image, const char *what, void *ctx)
{
	struct scene *s = ctx;
	static struct crashdisk c;
	struct disk d;

	check_untouched(image, s, what);
	if (!memcmp(image, s->pristine, MBR_CODE_BYTES)) {
		s->saw_old = true;
	} else if (s->has_backup && !memcmp(image, s->backup, SECTOR) && !leads_to_area(image)) {
		/* As bad as it was; what it replaced must still be found, says the rerun. */
	} else {
		crashdisk_init(&c, image, DISK_SECTORS);
		d = crashdisk_disk(&c);
		check_ours(&d, s, what);
		crashdisk_free(&c);
		s->saw_new = true;
	}
	if (s->reruns)
		check_rerun(image, s, what);
}

/* Run the command of the scene on what installing "first" (NULL: nothing) has left. */
static void play(struct scene *s, const char *first)
{
	static struct crashdisk c;
	struct disk d;
	unsigned cuts;

	s->pristine = make_pristine(s->part_lba);
	crashdisk_init(&c, s->pristine, DISK_SECTORS);
	d = crashdisk_disk(&c);
	if (first)
		install(&d, first, "first install");
	if (s->has_backup) {
		memcpy(s->backup, c.now, SECTOR);
		install(&d, NEW_CONFIG, "second install");
		memcpy(c.now, s->backup, SECTOR);
	}
	crashdisk_restart(&c);
	if (s->config)
		install(&d, s->config, s->name);
	else
		remove_all(&d, s->name);
	assert_true(c.op_count > 4);
	cuts = crashdisk_each_cut(&c, check_cut, s);
	printf("  %s: %u operations, %u cuts\n", s->name, c.op_count, cuts);
	assert_true(s->saw_new || !s->config);
	crashdisk_free(&c);
	free(s->pristine);
}

static void fresh_install(void **state)
{
	struct scene s = {.part_lba = 300, .config = NEW_CONFIG, .reruns = true, .name = "install"};

	play(&s, NULL);
	assert_true(s.saw_old);
}

/* There is room for two areas: the disk is never without us. */
static void upgrade_beside(void **state)
{
	struct scene s = {.part_lba = 300, .config = NEW_CONFIG, .reruns = true, .name = "upgrade"};

	play(&s, OLD_CONFIG);
	assert_false(s.saw_old);
}

/* There is room for one only: in between the disk boots as it did before us. */
static void upgrade_in_place(void **state)
{
	struct scene s = {.part_lba = installed_area_sectors(variant_get(0)) + 5,
			  .config = NEW_CONFIG,
			  .reruns = true,
			  .name = "upgrade in place"};

	play(&s, OLD_CONFIG);
	assert_true(s.saw_old);
}

static void uninstall(void **state)
{
	struct scene s = {.part_lba = 300, .reruns = true, .name = "uninstall"};

	play(&s, OLD_CONFIG);
	assert_true(s.saw_old);
}

/* LBA 0 was restored from a backup: the area that it leads to is gone, another is there. */
static void lba0_from_backup(void **state)
{
	struct scene s = {.part_lba = 300,
			  .config = NEW_CONFIG,
			  .reruns = true,
			  .has_backup = true,
			  .name = "install, LBA 0 from a backup"};
	struct scene r = {.part_lba = 300,
			  .reruns = true,
			  .has_backup = true,
			  .name = "uninstall, LBA 0 from a backup"};

	play(&s, OLD_CONFIG);
	assert_true(s.saw_old);
	play(&r, OLD_CONFIG);
	assert_true(r.saw_old);
}

/* A write or flush that fails: the error says truly whether LBA 0 has changed. */
static void failing_writes(void **state)
{
	static struct crashdisk c;
	static struct bootplan p;
	struct bootwrite_error err;
	uint8_t *pristine = make_pristine(300);
	enum status st;
	uint32_t at = 0;

	do {
		struct disk d;
		bool same;

		crashdisk_init(&c, pristine, DISK_SECTORS);
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
	uint8_t *pristine = make_pristine(300);
	struct disk d;

	crashdisk_init(&c, pristine, DISK_SECTORS);
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
		cmocka_unit_test(fresh_install),    cmocka_unit_test(upgrade_beside),
		cmocka_unit_test(upgrade_in_place), cmocka_unit_test(uninstall),
		cmocka_unit_test(lba0_from_backup), cmocka_unit_test(failing_writes),
		cmocka_unit_test(lying_disk),
	};

	return cmocka_run_group_tests_name("install under power cuts", tests, NULL, NULL);
}
