/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Whole commands on two disks, cut at every write of theirs and of their libraries: install,
 * install --add, uninstall, esp clone, esp clone --create. At each moment each disk starts, on BIOS
 * and on UEFI, what it started before or what it is to start; its partition table is there;
 * nothing outside of what the command owns has changed; a disk that comes later, or is only read
 * from, is as it was; and the command, run again, gets there.
 */
#include "tests/sim/crashcmd.h"
#include "tests/sim/crashcount.h"
#include "tests/sim/crashfat.h"
#include "tests/sim/crashtools.h"
#include "tests/unit/help_part.h"
#include "tools/efiapp.h"
#include "tools/fatfs.h"
#include "tools/installed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTORS     6200u
#define ESP_LBA     64u
#define ESP_SECTORS 1000u
#define BIOS_LBA    1100u
#define BIOS_END    1300u
#define MEMBER_LBA  1300u
#define MEMBER_END  2000u
#define FREE_LBA    2048u /* where an ESP can be made, of a MiB */
#define FREE_END    4096u
#define FALLBACK    "EFI/BOOT/BOOTX64.EFI"
#define REPLACED    "EFI/BOOT/BOOTX64.REPLACED.EFI"
#define KERNEL      "vmlinuz"
#define APP_BYTES   2600u

struct scene {
	const char *name;
	const struct command *command;
	const char *const *words;
	const char *const *before; /* install is run so before, on the first so many disks */
	unsigned before_disks;
	bool no_esp;      /* the second disk has none */
	bool clone;       /* the second's ESP is to be as the first's */
	bool first_stays; /* the first disk is not written to */
	struct crashgroup g;
	unsigned states;
	bool saw_old, saw_new;
};

static uint8_t app[APP_BYTES], foreign[2][3000], kernel[2][5000];

/* As little of a PE image as passes for a mirrorboot: the real one has a hundred times as much. */
static void use_small_app(void)
{
	struct efiapp *a = (struct efiapp *)efiapp_get(EFIAPP_X64);

	crashfat_content(app, APP_BYTES, 1);
	memset(app, 0, 512);
	memcpy(app, "MZ", 2);
	app[0x3c] = 64;
	memcpy(app + 64, "PE\0\0\x64\x86", 6);
	memcpy(app + 64 + 24, "\x0b\x02", 2);
	memcpy(app + 512, "\nmirrorboot,1,a,b,0.1\n", 22);
	a->file = "made up";
	a->data = app;
	a->n_bytes = APP_BYTES;
}

static void make_esp(struct memdisk *m, unsigned which)
{
	struct disk part = crashfat_disk(m->bytes + ESP_LBA * 512, ESP_SECTORS);
	struct fatfs fs;

	crashfat_format(&part, 12, 0);
	assert_int_equal(fatfs_open(&fs, &part, 0, ESP_SECTORS), ST_OK);
	assert_int_equal(fatfs_mkdir(&fs, "EFI"), ST_OK);
	assert_int_equal(fatfs_mkdir(&fs, "EFI/BOOT"), ST_OK);
	assert_int_equal(fatfs_write(&fs, FALLBACK, foreign[which], sizeof(foreign[0])), ST_OK);
	assert_int_equal(fatfs_write(&fs, KERNEL, kernel[which], sizeof(kernel[0])), ST_OK);
}

static void make_disk(struct scene *s, unsigned which)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, which);
	unsigned n = crashgroup_add(&s->g, SECTORS);
	struct memdisk m;

	memdisk_open(&m, SECTORS, 9);
	memdisk_mbr(&m, 1, MBR_PROTECTIVE, 1, SECTORS - 1);
	memset(m.bytes, 0x90 + (int)which, 400);
	for (unsigned i = 0; i < 2; i++) {
		struct gpt_spec t = gpt_spec(&m, i == 1);

		if (!(s->no_esp && which))
			put_gpt_entry(&m, &t, 0, &gpt_type_esp, ESP_LBA, ESP_LBA + ESP_SECTORS - 1);
		put_gpt_entry(&m, &t, 1, &gpt_type_bios_boot, BIOS_LBA, BIOS_END - 1);
		put_gpt_entry(&m, &t, 2, &gpt_type_raid, MEMBER_LBA, MEMBER_END - 1);
		/* The disks' own GUIDs, and those of their partitions, differ. */
		for (unsigned k = 0; k < 3; k++)
			memdisk_at(&m, t.entries)[k * 128 + 17] ^= which ? 0x11 : 0;
		put_gpt_header(&m, &t);
		memset(memdisk_at(&m, t.my) + 56, 0x31 + (int)which, 16);
		gpt_resum(&m, t.my);
	}
	md1_put(&m, MEMBER_LBA, MEMBER_END - MEMBER_LBA, &spec);
	memdisk_fill(&m, MEMBER_LBA + 64, 500, 0xda, 0);
	if (!(s->no_esp && which))
		make_esp(&m, which && s->clone);
	memcpy(s->g.disk[n].now, m.bytes, SECTORS * 512);
	memdisk_close(&m);
}

/* ---- what must hold at each moment ---- */

struct look {
	struct scene *s;
	unsigned which;
	const char *what;
	const uint8_t *image, *before, *pristine;
	struct disk disk;
};

#define WRONG(l, ...)                                                                              \
	do {                                                                                       \
		char why[300];                                                                     \
		snprintf(why, sizeof(why), __VA_ARGS__);                                           \
		fail_msg("%s, %s, disk %u: %s", (l)->s->name, (l)->what, (l)->which, why);         \
	} while (0)

/* What BIOS starts: the boot code from before, or ours with all of its area. */
static void check_bios(struct look *l)
{
	static struct installed in;

	if (!memcmp(l->image, l->pristine, MBR_CODE_BYTES)) {
		l->s->saw_old = true;
		return;
	}
	assert_int_equal(installed_read(&l->disk, &in), ST_OK);
	if (!in.ours || in.area != ST_OK || !in.saved_good || !in.config_good || !in.stage2_good)
		WRONG(l, "LBA 0 is neither the old boot code nor ours with a whole area");
	if (memcmp(in.saved, l->pristine, MBR_CODE_BYTES))
		WRONG(l, "the saved boot code is not what was replaced");
	l->s->saw_new = true;
}

/* By content: -1: not there; 0 and 1: a disk's from before; 2: ours. */
static int file_is(struct look *l, struct fatfs *fs, const char *path, const uint8_t *a,
		   const uint8_t *b, size_t bytes)
{
	int is = -2;
	uint8_t *data;
	size_t n;
	enum status st = fatfs_read(fs, path, &data, &n);

	if (st == ST_ABSENT)
		return -1;
	if (st != ST_OK)
		WRONG(l, "%s can't be read", path);
	if (n == bytes && !memcmp(data, a, n))
		is = 0;
	else if (n == bytes && !memcmp(data, b, n))
		is = 1;
	else if (n == APP_BYTES && !memcmp(data, app, n))
		is = 2;
	free(data);
	if (is == -2)
		WRONG(l, "%s is neither old nor new", path);
	return is;
}

static void check_esp(struct look *l, uint64_t lba, uint64_t sectors, bool is_new)
{
	struct fatfs fs;
	int fallback, its_kernel;

	if (fatfs_open(&fs, &l->disk, lba, sectors) != ST_OK) {
		/* One that is being made has nothing to lose. */
		if (!is_new)
			WRONG(l, "its ESP has no FAT file system");
		return;
	}
	fallback = file_is(l, &fs, FALLBACK, foreign[0], foreign[1], sizeof(foreign[0]));
	its_kernel = file_is(l, &fs, KERNEL, kernel[0], kernel[1], sizeof(kernel[0]));
	if (is_new) {
		/* What decides the boot comes when all else is there. */
		if (fallback != -1 && its_kernel == -1)
			WRONG(l, "a loader is there, and not what it loads");
		return;
	}
	if (fallback == -1 || its_kernel == -1)
		WRONG(l, "a file of its ESP is gone");
	if (fallback == 2 && !l->s->clone &&
	    file_is(l, &fs, REPLACED, foreign[0], foreign[1], sizeof(foreign[0])) < 0)
		WRONG(l, "the fallback is ours, and what it replaced is not there");
	if (l->s->clone && l->which && fallback != 1 && its_kernel == 1)
		WRONG(l, "the loader is new before the kernel is");
}

/* All partitions of before, as they were; gives the ESP that was made. */
static void check_table(struct look *l, uint64_t *lba, uint64_t *sectors)
{
	static struct part_list was, is;
	struct disk before = crashfat_disk((uint8_t *)l->before, SECTORS);
	uint8_t buf[DISK_SECTOR_BYTES];
	unsigned kept = 0;

	*lba = 0;
	assert_int_equal(part_read(&before, &was, buf), ST_OK);
	/* While it is written, one of its two copies is whole. */
	if (part_read(&l->disk, &is, buf) != ST_OK ||
	    (is.table != was.table && !(l->s->no_esp && is.table == PART_TABLE_GPT_BACKUP)))
		WRONG(l, "its partition table can't be read");
	for (unsigned i = 0; i < is.count; i++) {
		const struct part *p = &is.part[i];
		bool known = false;

		for (unsigned k = 0; k < was.count; k++)
			known |= was.part[k].start_lba == p->start_lba &&
				 was.part[k].sectors == p->sectors &&
				 was.part[k].number == p->number &&
				 guid_equal(&was.part[k].uuid, &p->uuid);
		kept += known;
		if (known)
			continue;
		if (!l->s->no_esp || p->kind != PART_ESP || p->start_lba != FREE_LBA)
			WRONG(l, "a partition that was not there before, at LBA %llu",
			      (unsigned long long)p->start_lba);
		*lba = p->start_lba;
		*sectors = p->sectors;
	}
	if (kept != was.count)
		WRONG(l, "%u of its %u partitions are left", kept, was.count);
}

/* Outside of what the command owns. */
static void check_others(struct look *l)
{
	for (uint64_t lba = 0; lba < SECTORS; lba++) {
		bool esp = lba - ESP_LBA < ESP_SECTORS, bios = lba - BIOS_LBA < BIOS_END - BIOS_LBA;
		bool table = lba < 34 || lba >= SECTORS - 33;
		bool fresh = lba - FREE_LBA < FREE_END - FREE_LBA;
		size_t at = (size_t)lba * 512, from = lba ? 0 : MBR_CODE_BYTES;

		if (esp && !(l->s->no_esp && l->which))
			continue;
		if ((bios && !l->s->clone) || (l->s->no_esp && l->which && (table || fresh)))
			continue;
		if (memcmp(l->image + at + from, l->before + at + from, 512 - from))
			WRONG(l, "LBA %llu was written", (unsigned long long)lba);
	}
}

static void check_disk(struct look *l)
{
	uint64_t lba, sectors = 0;

	check_table(l, &lba, &sectors);
	check_bios(l);
	if (!(l->s->no_esp && l->which))
		check_esp(l, ESP_LBA, ESP_SECTORS, false);
	else if (lba)
		check_esp(l, lba, sectors, true);
	check_others(l);
}

static uint8_t *pristine[2];

static void check_group(struct scene *s, uint8_t *const *image, const char *what)
{
	for (unsigned i = 0; i < 2; i++) {
		struct look l = {.s = s,
				 .which = i,
				 .what = what,
				 .image = image[i],
				 .before = s->g.disk[i].before,
				 .pristine = pristine[i],
				 .disk = crashfat_disk(image[i], SECTORS)};

		check_disk(&l);
	}
	if (s->first_stays && memcmp(image[0], s->g.disk[0].before, SECTORS * 512))
		fail_msg("%s, %s: the first disk was written to", s->name, what);
}

/* As it begins with the first disk and ends with the second: they are never both under way. */
static void check_order(struct scene *s, uint8_t *const *image, const char *what)
{
	if (memcmp(image[1], s->g.disk[1].before, SECTORS * 512) &&
	    memcmp(image[0], s->g.disk[0].now, SECTORS * 512))
		fail_msg("%s, %s: the second disk is begun before the first is done", s->name,
			 what);
}

static void rerun(struct scene *s, uint8_t *const *image, const char *what)
{
	static struct crashgroup g;
	uint8_t *after[2];

	crashcount_rerun();
	crashgroup_init(&g);
	for (unsigned i = 0; i < 2; i++) {
		struct crashgroup_disk was = {.sectors = SECTORS, .now = image[i]};

		crashgroup_add_copy(&g, &was);
		after[i] = g.disk[i].now;
	}
	if (s->command == &cmd_uninstall) {
		/* Where all is removed already that is said, and is no success. */
		crashcmd_run(&g, s->command, s->words);
		crashcmd_run(&g, s->command, s->words);
	} else if (crashcmd_run(&g, s->command, s->words) != EXIT_DONE ||
		   crashcmd_run(&g, s->command, s->words) != EXIT_DONE) {
		fail_msg("%s, %s: run again, it fails", s->name, what);
	}
	if (crashcmd_operations())
		fail_msg("%s, %s: run a third time, it still writes", s->name, what);
	check_group(s, after, "run again");
	if (s->command == &cmd_uninstall)
		for (unsigned i = 0; i < 2; i++)
			if (memcmp(after[i], pristine[i], MBR_CODE_BYTES) ||
			    memcmp(after[i] + BIOS_LBA * 512, pristine[i] + BIOS_LBA * 512,
				   (BIOS_END - BIOS_LBA) * 512))
				fail_msg("%s, %s, run again: something is left on disk %u", s->name,
					 what, i);
	crashgroup_free(&g);
}

static void check_cut(uint8_t *const *image, const char *what, void *ctx)
{
	struct scene *s = ctx;

	check_group(s, image, what);
	check_order(s, image, what);
	s->states++;
	if (s->states % (crashcount_is_whole() ? 20 : 60) == 1)
		rerun(s, image, what);
	for (unsigned i = 0; i < 2; i++) {
		struct crashtools of = {.name = s->name,
					.sectors = SECTORS,
					.partitions = s->no_esp && i ? 2 : 3,
					.member_lba = MEMBER_LBA,
					.member_sectors = MEMBER_END - MEMBER_LBA,
					.esp_lba = ESP_LBA,
					.esp_sectors = s->no_esp && i ? 0 : ESP_SECTORS};

		crashtools_ask(&of, image[i], s->states, what);
	}
}

/* ---- */

static void play(struct scene *s, unsigned scenes)
{
	unsigned cuts;

	crashgroup_init(&s->g);
	for (unsigned i = 0; i < 2; i++) {
		make_disk(s, i);
		pristine[i] = malloc(SECTORS * 512);
		assert_non_null(pristine[i]);
		memcpy(pristine[i], s->g.disk[i].now, SECTORS * 512);
	}
	if (s->before) {
		/* The other disk is there, and is not a member of what is installed on. */
		unsigned all = s->g.count;

		s->g.count = s->before_disks;
		assert_int_equal(crashcmd_run(&s->g, &cmd_install, s->before), EXIT_DONE);
		s->g.count = all;
	}
	crashgroup_start(&s->g);
	if (crashcmd_run(&s->g, s->command, s->words) != EXIT_DONE)
		fail_msg("%s fails", s->name);
	s->g.logging = false;
	for (unsigned i = 0; getenv("SIM_TALK") && i < s->g.op_count; i++)
		printf("    operation %u: disk %u, LBA %llu, %u sectors%s\n", i, s->g.op[i].disk,
		       (unsigned long long)s->g.op[i].lba, s->g.op[i].n,
		       s->g.op[i].n ? "" : " (flush)");
	crashcount_scene(s->name, scenes);
	cuts = crashgroup_each_cut(&s->g, 4, check_cut, s);
	printf("  %s: %u operations, %u states\n", s->name, s->g.op_count, cuts);
	for (unsigned i = 0; i < 2; i++)
		free(pristine[i]);
	crashgroup_free(&s->g);
}

static const char *const yes[] = {"--yes", NULL};
static const char *const add[] = {"--yes", "--add", NULL};
static const char *const create[] = {"--yes", "--create", "--size", "1M", NULL};

static void install(void **state)
{
	struct scene s = {.name = "install (two disks)", .command = &cmd_install, .words = yes};

	play(&s, 1);
	assert_true(s.saw_old && s.saw_new);
}

static void install_add(void **state)
{
	struct scene s = {.name = "install --add",
			  .command = &cmd_install,
			  .words = add,
			  .before = yes,
			  .before_disks = 1,
			  .first_stays = true};

	play(&s, 1);
	assert_true(s.saw_old && s.saw_new);
}

static void uninstall(void **state)
{
	struct scene s = {.name = "uninstall (two disks)",
			  .command = &cmd_uninstall,
			  .words = yes,
			  .before = yes,
			  .before_disks = 2};

	play(&s, 1);
	assert_true(s.saw_old && s.saw_new);
}

static void esp_clone(void **state)
{
	struct scene s = {
		.name = "esp clone", .command = &cmd_esp_clone, .words = yes, .clone = true};

	play(&s, 1);
}

static void esp_create(void **state)
{
	struct scene s = {.name = "esp clone --create",
			  .command = &cmd_esp_clone,
			  .words = create,
			  .no_esp = true,
			  .clone = true};

	play(&s, 1);
}

static int make_data(void **state)
{
	use_small_app();
	for (int i = 0; i < 2; i++) {
		crashfat_content(foreign[i], sizeof(foreign[0]), 10 + i);
		crashfat_content(kernel[i], sizeof(kernel[0]), 20 + i);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(esp_clone),   cmocka_unit_test(esp_create),
		cmocka_unit_test(install),     cmocka_unit_test(uninstall),
		cmocka_unit_test(install_add),
	};

	return crashcount_end(
		cmocka_run_group_tests_name("commands under power cuts", tests, make_data, NULL));
}
