/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A power cut while the boot record is written, on BIOS, to every disk: each disk has its old
 * record, the new one, or one whose sum is wrong and which nobody believes; the boot area that it
 * lies in is whole; no leg is chosen otherwise because of it; and the next boot writes it again.
 */
#include "tests/sim/crashcount.h"
#include "tests/sim/crashgroup.h"
#include "tests/unit/help_md.h"
#include "stage2/bootrecord.h"
#include "stage2/chain.h"
#include "tools/bootwrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTORS  1200u
#define PART_LBA 500u
#define PART     640u

/* stage2/chain.c starts boot code: nothing for this machine. What it looks for is the same. */
enum status chain_open_area(const struct disk *d, struct bootarea_header *h, uint64_t *area_lba)
{
	uint8_t sector[DISK_SECTOR_BYTES];

	return bootarea_open(d, sector, h, area_lba);
}

void biosdisk_name(const struct report_names *n, unsigned disk, struct text *out)
{
}

static struct biosdisks disks;
static struct survey survey;
static struct vdisk_set set;
static uint64_t record_lba[2];
static unsigned old_records, new_records, torn_records;

static void make(struct crashgroup *g)
{
	static struct bootplan p;
	struct bootwrite_error err;
	char config[CONFIG_TEXT_BYTES + 1] = "timeout = 3\n";

	crashgroup_init(g);
	for (unsigned i = 0; i < 2; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);
		unsigned n = crashgroup_add(g, SECTORS);
		struct disk d = crashgroup_disk(g, n);
		static struct installed in;
		struct memdisk m;

		memdisk_open(&m, SECTORS, 9);
		memdisk_mbr(&m, 1, 0xfd, PART_LBA, PART);
		memset(m.bytes, 0x90, 400);
		md1_put(&m, PART_LBA, PART, &spec);
		memcpy(g->disk[n].now, m.bytes, SECTORS * 512);
		memdisk_close(&m);
		assert_int_equal(bootplan_make(&d, config, VARIANT_MD, &p), BOOTPLAN_FINE);
		assert_int_equal(bootwrite_install(&d, &p, &err), ST_OK);
		assert_int_equal(installed_read(&d, &in), ST_OK);
		record_lba[i] = in.area_lba + BOOTAREA_RECORD;
	}
}

static void unsaid(struct text *t, char c)
{
}

/* What stage2 does between its survey and the hand-over. */
static void boot(struct crashgroup *g)
{
	struct bootrecord_places places = {0};
	struct text out = {.put = unsaid};

	disks.count = g->count;
	for (unsigned i = 0; i < g->count; i++)
		disks.disk[i] = crashgroup_disk(g, i);
	survey_run(&survey, disks.disk, disks.count);
	assert_int_equal(survey.mirror_count, 1);
	bootrecord_read(&survey, &disks);
	bootrecord_write(&survey, &disks, 0, &set, &places, &out);
	assert_int_equal(places.count, g->count);
}

static void check_cut(uint8_t *const *image, const char *what, void *ctx)
{
	const struct crashgroup *of = ctx;
	static struct crashgroup g;

	crashgroup_init(&g);
	for (unsigned i = 0; i < 2; i++) {
		struct crashgroup_disk was = {.sectors = SECTORS, .now = image[i]};
		const struct record *r = (const void *)(image[i] + record_lba[i] * 512);
		static struct installed in;
		struct disk d;

		crashgroup_add_copy(&g, &was);
		for (unsigned lba = 0; lba < SECTORS; lba++)
			if (lba != record_lba[i] &&
			    memcmp(image[i] + (size_t)lba * 512,
				   of->disk[i].before + (size_t)lba * 512, 512))
				fail_msg("%s: LBA %u of disk %u was written", what, lba, i);
		d = crashgroup_disk(&g, i);
		assert_int_equal(installed_read(&d, &in), ST_OK);
		if (!in.ours || in.area != ST_OK || !in.config_good || !in.stage2_good)
			fail_msg("%s: the boot area of disk %u is not whole", what, i);
		if (record_check(r) == ST_CORRUPT)
			torn_records++;
		else if (!memcmp(r, of->disk[i].before + record_lba[i] * 512, 512))
			old_records++;
		else if (!memcmp(r, of->disk[i].now + record_lba[i] * 512, 512))
			new_records++;
		else
			fail_msg("%s: a record on disk %u that nobody wrote", what, i);
	}
	boot(&g);
	crashcount_rerun();
	if (survey.mirror[0].chosen == NO_LEG || survey.mirror[0].state != MIRROR_HEALTHY)
		fail_msg("%s: the mirror is not whole any more", what);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(record_check((const void *)(g.disk[i].now + record_lba[i] * 512)),
				 ST_OK);
	crashgroup_free(&g);
}

/* The first record of all, and one over another. */
static void play(unsigned boots)
{
	struct crashgroup g;
	unsigned cuts;

	make(&g);
	for (unsigned i = 0; i < boots; i++)
		boot(&g);
	crashgroup_start(&g);
	g.halves = true;
	boot(&g);
	crashcount_scene("the boot record (BIOS)", 2);
	cuts = crashgroup_each_cut(&g, 0, check_cut, &g);
	printf("  after %u boots: %u operations, %u states\n", boots, g.op_count, cuts);
	crashgroup_free(&g);
}

static void first_record(void **state)
{
	play(0);
}

static void another_record(void **state)
{
	play(2);
	assert_true(old_records && new_records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_record),
		cmocka_unit_test(another_record),
	};

	return crashcount_end(
		cmocka_run_group_tests_name("the boot record under power cuts", tests, NULL, NULL));
}
