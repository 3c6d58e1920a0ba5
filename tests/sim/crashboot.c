/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashboot.h"
#include "tests/sim/crashcount.h"
#include "tests/sim/crashwrong.h"
#include "common/crc32.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* As grub-bios-setup leaves it: boot.img leads to LBA 1, which lists the others. */
static void put_grub(uint8_t *image, uint32_t sectors)
{
	memcpy(image + 0x180, "GRUB ", 5);
	*(le64 *)(image + 0x5c) = le64_of(1);
	for (size_t i = SECTOR; i < (size_t)(sectors + 1) * SECTOR; i++)
		image[i] = (uint8_t)(i * 11 + i / SECTOR + 1);
	memset(image + SECTOR + 0x80, 0, SECTOR - 0x80);
	*(le64 *)(image + SECTOR + 0x1f4) = le64_of(2);
	*(le16 *)(image + SECTOR + 0x1fc) = le16_of((uint16_t)(sectors - 1));
	*(le16 *)(image + SECTOR + 0x1fe) = le16_of(0x820);
}

static uint8_t *make_pristine(const struct crashboot *s)
{
	uint8_t *image = calloc(CRASHBOOT_SECTORS, SECTOR);
	struct mbr_sector *m = (void *)image;

	assert_non_null(image);
	for (unsigned i = 0; i < MBR_CODE_BYTES; i++)
		m->code[i] = (uint8_t)(i * 5 + 1);
	m->disk_signature = le32_of(0xdecade01);
	m->entry[0].status = 0x80;
	m->entry[0].type = 0xfd;
	m->entry[0].start_lba = le32_of(s->part_lba);
	m->entry[0].sectors = le32_of(CRASHBOOT_SECTORS - s->part_lba);
	m->signature = le16_of(MBR_SIGNATURE);
	for (size_t i = (size_t)s->part_lba * SECTOR; i < (size_t)CRASHBOOT_SECTORS * SECTOR; i++)
		image[i] = (uint8_t)(i * 7 + i / SECTOR);
	if (s->core_sectors)
		put_grub(image, s->core_sectors);
	return image;
}

/* What another build's install has left: other boot code, a stage2 of another size. */
static void put_older(const struct crashboot *s, uint8_t *image)
{
	static uint8_t data[BOOTAREA_STAGE2_MAX * SECTOR], lba0[SECTOR];
	const struct crashboot_older *o = s->older;
	struct variant v = {.what = "another build",
			    .families = VARIANT_MD,
			    .data = data,
			    .n_bytes = o->stage2_sectors * SECTOR - 9};
	char config[CONFIG_TEXT_BYTES + 1] = OLD_CONFIG;
	struct bootarea_patch *p = (void *)(image + BOOTAREA_PATCH_OFF);

	for (size_t i = 0; i < v.n_bytes; i++)
		data[i] = (uint8_t)(i * 13 + i / 251);
	memset(data + v.n_bytes, 0, sizeof(data) - v.n_bytes);
	memcpy(lba0, image, SECTOR);
	installed_build(image + (size_t)o->area_lba * SECTOR, o->area_lba, &v, lba0, config, NULL);
	installed_build_lba0(image, lba0, o->area_lba, &v);
	for (unsigned i = 100; i < 200; i++)
		image[i] ^= 0x55;
	if (o->first_magic)
		p->magic = le32_of(BOOTAREA_PATCH_MAGIC_1);
}

static void install(struct crashboot *s, const struct disk *d, const char *config, const char *what)
{
	static struct bootplan p;
	struct bootwrite_error err;
	char text[CONFIG_TEXT_BYTES + 1] = "";

	snprintf(text, sizeof(text), "%s", config);
	if (bootplan_make(d, text, VARIANT_MD, &p) != BOOTPLAN_FINE)
		CRASHWRONG(s, what, "no plan");
	if (bootwrite_install(d, &p, &err) != ST_OK)
		CRASHWRONG(s, what, "%s failed at LBA %u", err.doing, (unsigned)err.lba);
}

static void remove_all(struct crashboot *s, const struct disk *d, const char *what)
{
	static struct bootplan p;
	struct bootwrite_error err;

	if (bootplan_look(d, &p) != BOOTPLAN_FINE)
		CRASHWRONG(s, what, "can't look");
	/* As cmd_uninstall decides. */
	if (!p.old.ours && !bootplan_only_leftovers(d, &p)) {
		if (p.left_count)
			CRASHWRONG(s, what, "a boot area that uninstall refuses to remove");
		return;
	}
	if (bootwrite_remove(d, &p, &err) != ST_OK)
		CRASHWRONG(s, what, "%s failed at LBA %u", err.doing, (unsigned)err.lba);
}

/* Our LBA 0, of this build or another, must lead to an area of which every part is right. */
static void check_ours(struct crashboot *s, const struct disk *d, const char *what)
{
	static struct installed in;
	bool current;

	assert_int_equal(installed_read(d, &in), ST_OK);
	if (!in.ours)
		CRASHWRONG(s, what, "LBA 0 is neither the old boot code nor ours");
	if (in.area != ST_OK || !in.saved_good || !in.config_good || !in.stage2_good)
		CRASHWRONG(
			s, what,
			"LBA 0 leads to an area that is not whole (area %d, saved %d, config %d, "
			"stage2 %d)",
			in.area, in.saved_good, in.config_good, in.stage2_good);
	if (memcmp(in.saved, s->pristine, MBR_CODE_BYTES))
		CRASHWRONG(s, what, "the saved boot code is not what was replaced");
	current = variant_find(in.stage2_crc) && installed_code_is_current(in.lba0);
	if (!current && (!s->older || variant_find(in.stage2_crc)))
		CRASHWRONG(s, what, "the boot code of one build leads to the stage2 of another");
	if (strcmp(in.config, current && s->config ? s->config : OLD_CONFIG) &&
	    (!s->first || strcmp(in.config, OLD_CONFIG)))
		CRASHWRONG(s, what, "a config that nobody wrote there");
	*(current ? &s->saw_new : &s->saw_older) = true;
}

/* The table, the partition, and what the old boot code needs. */
static void check_untouched(struct crashboot *s, const uint8_t *image, const char *what)
{
	size_t part = (size_t)s->part_lba * SECTOR;

	if (memcmp(image + MBR_CODE_BYTES, s->pristine + MBR_CODE_BYTES, SECTOR - MBR_CODE_BYTES))
		CRASHWRONG(s, what, "the partition table has changed");
	if (memcmp(image + SECTOR, s->pristine + SECTOR, (size_t)s->core_sectors * SECTOR))
		CRASHWRONG(s, what, "GRUB's core.img has changed");
	if (memcmp(image + part, s->pristine + part, (size_t)CRASHBOOT_SECTORS * SECTOR - part))
		CRASHWRONG(s, what, "the partition has changed");
}

/* After the cut the machine comes up again and the command is run again. */
static void check_rerun(struct crashboot *s, const uint8_t *image, const char *what)
{
	static struct crashdisk c;
	struct disk d;

	crashdisk_free(&c);
	crashdisk_init(&c, image, CRASHBOOT_SECTORS);
	d = crashdisk_disk(&c);
	if (s->config) {
		install(s, &d, s->config, what);
		check_ours(s, &d, what);
	}
	remove_all(s, &d, what);
	if (memcmp(c.now, s->pristine, (size_t)CRASHBOOT_SECTORS * SECTOR))
		CRASHWRONG(s, what,
			   "run again, then removed: the disk is not as it was before install");
}

static bool leads_to_area(const struct disk *d)
{
	static struct installed in;

	assert_int_equal(installed_read(d, &in), ST_OK);
	return in.area == ST_OK;
}

static void check_cut(uint8_t *image, const char *what, void *ctx)
{
	struct crashboot *s = ctx;
	static struct crashdisk c;
	struct disk d;

	crashdisk_free(&c);
	crashdisk_init(&c, image, CRASHBOOT_SECTORS);
	d = crashdisk_disk(&c);
	check_untouched(s, image, what);
	if (!memcmp(image, s->pristine, MBR_CODE_BYTES))
		s->saw_old = true;
	else if (!s->has_backup || memcmp(image, s->backup, SECTOR) || leads_to_area(&d))
		check_ours(s, &d, what);
	/* Else as bad as it was; what it replaced must still be found, says the rerun. */
	if ((s->states++ % s->run_on == 0 && crashcount_is_picked(8)) || s->looking) {
		if (!s->looking)
			crashcount_rerun();
		check_rerun(s, image, what);
	}
}

static bool is_wrong(uint8_t *image, const char *what, void *ctx)
{
	struct crashboot *s = ctx;

	if (setjmp(s->found))
		return true;
	check_cut(image, what, s);
	return false;
}

static bool is_lba0(const struct crashop *op)
{
	return op->n && !op->lba;
}

/*
 * As if one flush had not been there: those around a write to LBA 0 must be missed. The last one is
 * for what the command says when it ends.
 */
static void without_each_flush(struct crashboot *s, const struct crashdisk *c)
{
	assert_int_equal(c->op[c->op_count - 1].n, 0);
	s->looking = true;
	for (unsigned i = 0; i + 1 < c->op_count; i++) {
		if (c->op[i].n)
			continue;
		s->flushes++;
		if (crashdisk_without_flush(c, i, is_wrong, s))
			s->needed++;
		else if ((i && is_lba0(&c->op[i - 1])) || is_lba0(&c->op[i + 1]))
			fail_msg("%s: nothing is found wrong without the flush that is operation "
				 "%u of %u",
				 s->name, i, c->op_count);
	}
	s->looking = false;
}

/* For which command: each has so many scenes in sim_install.c. */
static void count(const struct crashboot *s)
{
	if (!s->config)
		crashcount_scene("uninstall (boot area)", 4);
	else if (s->first || s->older)
		crashcount_scene("install over an older one (boot area)", 8);
	else
		crashcount_scene("install (boot area)", 2);
}

void crashboot_play(struct crashboot *s)
{
	static struct crashdisk c;
	struct disk d;
	unsigned cuts;

	if (!s->run_on)
		s->run_on = 3;
	s->pristine = make_pristine(s);
	crashdisk_init(&c, s->pristine, CRASHBOOT_SECTORS);
	d = crashdisk_disk(&c);
	if (s->older)
		put_older(s, c.now);
	if (s->first)
		install(s, &d, s->first, "first install");
	if (s->has_backup) {
		/* Of another build: not what is going to be written. */
		memcpy(s->backup, c.now, SECTOR);
		for (unsigned i = 100; i < 200; i++)
			s->backup[i] ^= 0x55;
		install(s, &d, NEW_CONFIG, "second install");
		memcpy(c.now, s->backup, SECTOR);
	}
	crashdisk_restart(&c);
	if (s->config)
		install(s, &d, s->config, s->name);
	else
		remove_all(s, &d, s->name);
	assert_true(c.op_count > 4);
	count(s);
	cuts = crashdisk_each_cut(&c, check_cut, s);
	assert_true(s->saw_new || !s->config);
	without_each_flush(s, &c);
	printf("  %s: %u operations, %u cuts, %u of %u flushes found missing\n", s->name,
	       c.op_count, cuts, s->needed, s->flushes);
	crashdisk_free(&c);
	free(s->pristine);
}
