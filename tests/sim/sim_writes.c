/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A power cut at any moment of a write to a mirror through the shim: no two legs that Linux takes
 * can ever be read as different bytes; our own judge finds a leg to boot from; each sector that is
 * read is the old or the new one; and nothing but data, superblock and bitmap was written.
 *
 * As on UEFI, where disks have a cache and a way to flush it; and as on BIOS, where INT 13h has
 * none, and a write that was answered is taken to be there.
 */
#include "tests/sim/crashcount.h"
#include "tests/sim/crashmd.h"
#include "common/config.h"
#include "common/view.h"
#include "common/writeplan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BYTES ((size_t)CRASHMD_SECTORS * 512)

struct scene {
	const char *name;
	unsigned here, of;
	bool bitmap, bios;
	unsigned fails_from; /* the last leg's writes fail, from this one on; 0: none does */
	struct crashgroup g;
	uint8_t *before[CRASHGROUP_DISKS];
	unsigned writes;
};

static struct survey survey;
static struct vdisk_set set;
static struct vdisk_tables tables;
static uint8_t scratch[VDISK_SCRATCH_SECTORS * 512];

/* The writes of a loader: within a chunk, over some, and over the first again. */
static const struct {
	unsigned lba, n;
	uint8_t seed;
} put[] = {{3, 2, 1}, {13, 30, 2}, {4, 1, 3}};
#define PUTS (sizeof(put) / sizeof(put[0]))

static void fill(uint8_t *to, unsigned i)
{
	for (unsigned k = 0; k < put[i].n * 512; k++)
		to[k] = (uint8_t)(k * 7 + k / 512 + put[i].seed * 31u);
}

/* ---- disks that fail, or that have no flush ---- */

static struct scene *now;
static struct disk real[CRASHGROUP_DISKS];

static enum status faulty_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	const struct crashgroup_disk *c = d->ctx;
	enum status st;

	if (now->fails_from && c->number == now->here - 1 && ++now->writes >= now->fails_from)
		return ST_IO;
	st = real[c->number].write(d, lba, n, buf);
	/* Of a BIOS disk: what it has answered is there. */
	if (st == ST_OK && now->bios)
		st = real[c->number].flush(d);
	return st;
}

static void open_set(struct scene *s, struct disk *disk, unsigned *v)
{
	now = s;
	s->writes = 0;
	for (unsigned i = 0; i < s->here; i++) {
		real[i] = disk[i] = crashgroup_disk(&s->g, i);
		disk[i].write = faulty_write;
		if (s->bios)
			disk[i].flush = NULL;
	}
	survey_run(&survey, disk, s->here);
	view_init(&set, &tables);
	assert_int_equal(view_add_volume(&set, &survey, 0, v), ST_OK);
	writeplan_make(&set, &survey, CONFIG_WRITES_AUTO, scratch, 9);
	assert_int_equal(set.mirror_count, 1);
}

/* ---- judging ---- */

static bool may_change(const struct scene *s, unsigned lba)
{
	if (lba == CRASHMD_SB_LBA || (s->bitmap && lba == CRASHMD_BITMAP_LBA))
		return true;
	for (unsigned i = 0; i < PUTS; i++)
		if (lba - CRASHMD_DATA_LBA - put[i].lba < put[i].n)
			return true;
	return false;
}

/* A sector of the mirror's data: as before, or as one of the writes has it. */
static bool is_known(const struct scene *s, unsigned lba, const uint8_t *bytes)
{
	static uint8_t data[64 * 512];

	if (!memcmp(s->before[0] + (size_t)(CRASHMD_DATA_LBA + lba) * 512, bytes, 512))
		return true;
	for (unsigned i = 0; i < PUTS; i++) {
		fill(data, i);
		if (lba - put[i].lba < put[i].n &&
		    !memcmp(data + (size_t)(lba - put[i].lba) * 512, bytes, 512))
			return true;
	}
	return false;
}

/* As the next boot sees it, with these disks attached: it has a leg, and reads known bytes. */
static void boot(struct scene *s, uint8_t *const *image, unsigned attached, const char *what)
{
	static uint8_t buf[CRASHMD_DATA * 512];
	static struct crashgroup g;
	struct disk disk[CRASHGROUP_DISKS];
	unsigned n = 0, v;

	g.count = s->here;
	for (unsigned i = 0; i < s->here; i++) {
		g.disk[i] = (struct crashgroup_disk){
			.group = &g, .number = i, .sectors = CRASHMD_SECTORS, .now = image[i]};
		if (attached & 1u << i)
			disk[n++] = crashgroup_disk(&g, i);
	}
	survey_run(&survey, disk, n);
	if (survey.mirror_count != 1 || survey.mirror[0].chosen == NO_LEG)
		fail_msg("%s, %s: no leg can be booted from", s->name, what);
	view_init(&set, &tables);
	assert_int_equal(view_add_volume(&set, &survey, 0, &v), ST_OK);
	assert_int_equal(vdisk_read(&set, v, disk, 0, CRASHMD_DATA, buf), ST_OK);
	for (unsigned i = 0; i < CRASHMD_DATA; i++)
		if (!is_known(s, i, buf + (size_t)i * 512))
			fail_msg("%s, %s: sector %u is read as what nobody wrote", s->name, what,
				 i);
}

static void check_cut(uint8_t *const *image, const char *what, void *ctx)
{
	struct scene *s = ctx;

	for (unsigned i = 0; i < s->here; i++)
		for (unsigned lba = 0; lba < CRASHMD_SECTORS; lba++)
			if (memcmp(image[i] + (size_t)lba * 512, s->before[i] + (size_t)lba * 512,
				   512) &&
			    !may_change(s, lba))
				fail_msg("%s, %s: LBA %u of disk %u was written", s->name, what,
					 lba, i);
	for (unsigned attached = 1; attached < 1u << s->here; attached++) {
		const char *wrong = crashmd_judge(image, s->here, attached, s->bitmap);

		if (wrong)
			fail_msg("%s, %s, disks %u attached: %s", s->name, what, attached, wrong);
		if (crashcount_is_picked(8))
			boot(s, image, attached, what);
	}
}

/* ---- */

static void play(struct scene *s)
{
	static uint8_t data[64 * 512];
	struct disk disk[CRASHGROUP_DISKS];
	unsigned v, cuts;

	crashmd_make(&s->g, s->here, s->of, s->bitmap);
	crashgroup_start(&s->g);
	for (unsigned i = 0; i < s->here; i++) {
		s->before[i] = malloc(BYTES);
		assert_non_null(s->before[i]);
		memcpy(s->before[i], s->g.disk[i].now, BYTES);
	}
	open_set(s, disk, &v);
	for (unsigned i = 0; i < PUTS; i++) {
		fill(data, i);
		assert_int_equal(vdisk_write(&set, v, disk, put[i].lba, put[i].n, data), ST_OK);
	}
	assert_int_equal(set.failovers, s->fails_from ? 1 : 0);
	crashcount_scene(s->bios ? "a loader's write to a mirror (BIOS)"
				 : "a loader's write to a mirror (UEFI)",
			 10);
	cuts = crashgroup_each_cut(&s->g, 8, check_cut, s);
	printf("  %s: %u operations, %u states\n", s->name, s->g.op_count, cuts);
	crashgroup_free(&s->g);
	for (unsigned i = 0; i < s->here; i++)
		free(s->before[i]);
}

static void play_all(bool bios)
{
	static const struct {
		const char *name;
		unsigned here, of, fails_from;
	} kind[] = {
		{"two legs", 2, 2, 0},
		{"three legs", 3, 3, 0},
		{"a leg is missing", 2, 3, 0},
		{"a leg fails the first mark", 2, 2, 1},
		{"a leg fails its data", 3, 3, 3},
	};

	for (unsigned k = 0; k < sizeof(kind) / sizeof(kind[0]); k++)
		for (unsigned bitmap = 0; bitmap < 2; bitmap++) {
			char name[80];
			struct scene s = {.name = name,
					  .here = kind[k].here,
					  .of = kind[k].of,
					  .fails_from = kind[k].fails_from,
					  .bitmap = bitmap,
					  .bios = bios};

			snprintf(name, sizeof(name), "%s, %s%s", bios ? "BIOS" : "UEFI",
				 kind[k].name, bitmap ? ", bitmap" : "");
			play(&s);
		}
}

static void on_uefi(void **state)
{
	play_all(false);
}

static void on_bios(void **state)
{
	play_all(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_uefi),
		cmocka_unit_test(on_bios),
	};

	return crashcount_end(cmocka_run_group_tests_name("writes to a mirror under power cuts",
							  tests, NULL, NULL));
}
