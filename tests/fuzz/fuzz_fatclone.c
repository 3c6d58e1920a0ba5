/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Clones from and to hostile FAT file systems. The input is as that of fuzz_fat.c: a byte
 * of flags, then the start of the disk. It is the source of one clone, to a fresh file system, and
 * the target of another, from a good one. What is refused is not written to; what is not refused is
 * written without fault, and a second plan has nothing to do.
 */
#include "common/fat_format.h"
#include "common/fat_write.h"
#include "common/range.h"

#include <stdlib.h>
#include <string.h>

#define DISK_BYTES (4u << 20)
#define WORK_BYTES (1u << 20)
#define GOOD_BYTES (1u << 20)

enum flag { SECTORS_4K = 1, DIRTY_OK = 2, FAIL_READS = 4 };

struct fuzzdisk {
	struct disk disk;
	uint8_t *bytes;
	size_t end; /* of what is not zero */
	unsigned writes;
};

static unsigned reads, fail_every;
static struct fat source_fat, target_fat;
static struct fat_plan plan;
static uint8_t work[WORK_BYTES];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(int ok)
{
	if (!ok)
		abort();
}

static enum status fuzz_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	struct fuzzdisk *f = d->ctx;

	check(range_ok(lba, n, d->sectors));
	if (fail_every && ++reads % fail_every == 0)
		return ST_IO;
	memcpy(buf, f->bytes + (lba << d->shift), (size_t)n << d->shift);
	return ST_OK;
}

static enum status fuzz_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	struct fuzzdisk *f = d->ctx;
	size_t end = (size_t)(lba + n) << d->shift;

	check(range_ok(lba, n, d->sectors));
	memcpy(f->bytes + (lba << d->shift), buf, (size_t)n << d->shift);
	if (f->end < end)
		f->end = end;
	f->writes++;
	return ST_OK;
}

static enum status fuzz_flush(const struct disk *d)
{
	return ST_OK;
}

static void set_up(struct fuzzdisk *f, size_t bytes, unsigned shift, const void *data, size_t n)
{
	if (!f->bytes)
		f->bytes = calloc(1, bytes);
	check(f->bytes && n <= bytes);
	memset(f->bytes, 0, f->end);
	if (n)
		memcpy(f->bytes, data, n);
	f->end = n;
	f->disk = (struct disk){.read = fuzz_read,
				.write = fuzz_write,
				.flush = fuzz_flush,
				.ctx = f,
				.sectors = bytes >> shift,
				.shift = (uint8_t)shift};
	f->writes = 0;
}

static void make_good(struct fuzzdisk *f, unsigned shift, bool filled)
{
	static const char *const paths[] = {"\\EFI\\BOOT\\BOOTX64.EFI", "\\EFI\\debian\\grub.cfg",
					    "\\SHORT.TXT",
					    "\\a folder\\with a file that has a long name"};
	struct fat_format how = {.sectors = GOOD_BYTES >> shift};
	static uint8_t buf[8192], content[5000];

	set_up(f, GOOD_BYTES, shift, NULL, 0);
	check(fat_format(&f->disk, &how, buf, sizeof(buf)) == ST_OK);
	check(fat_open(&source_fat, &f->disk, 0, f->disk.sectors) == ST_OK);
	for (unsigned i = 0; filled && i < sizeof(paths) / sizeof(paths[0]); i++) {
		check(fat_plan_put(&plan, &source_fat, paths[i], content, 5000 / (i + 1),
				   0x5a420000, NULL, work, WORK_BYTES) == ST_OK);
		check(fat_write_apply(&plan) == ST_OK);
	}
}

static void clone(struct fuzzdisk *from, struct fuzzdisk *to, struct fat_plan_options *o)
{
	unsigned before = to->writes;
	enum status st;

	if (fat_open(&source_fat, &from->disk, 0, from->disk.sectors) != ST_OK ||
	    fat_open(&target_fat, &to->disk, 0, to->disk.sectors) != ST_OK)
		return;
	st = fat_plan_clone(&plan, &source_fat, &target_fat, o, work, WORK_BYTES);
	check(to->writes == before);
	if (st != ST_OK) {
		check(plan.why != FAT_FINE && plan.why < FAT_WHYS);
		return;
	}
	st = fat_write_apply(&plan);
	if (fail_every)
		return;
	check(st == ST_OK);
	st = fat_plan_clone(&plan, &source_fat, &target_fat, NULL, work, WORK_BYTES);
	if (st == ST_OK)
		check(fat_plan_is_empty(&plan));
	else
		check(plan.why_source &&
		      plan.why == FAT_DIRTY); /* that it is may have been let pass */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct fuzzdisk hostile, good[2][2];
	static uint8_t *kept[2][2];
	struct fat_plan_options o;
	unsigned k;

	if (n < 2 || n > DISK_BYTES)
		return 0;
	k = data[0] & SECTORS_4K;
	o = (struct fat_plan_options){.target_dirty_ok = data[0] & DIRTY_OK,
				      .source_dirty_ok = data[0] & DIRTY_OK};
	for (unsigned filled = 0; filled < 2; filled++) {
		struct fuzzdisk *g = &good[k][filled];

		fail_every = 0;
		if (!kept[k][filled]) {
			make_good(g, k ? 12 : 9, filled);
			kept[k][filled] = malloc(GOOD_BYTES);
			check(kept[k][filled] != NULL);
			memcpy(kept[k][filled], g->bytes, GOOD_BYTES);
		} else if (g->writes) {
			set_up(g, GOOD_BYTES, k ? 12 : 9, kept[k][filled], GOOD_BYTES);
		}
		g->writes = 0;
		set_up(&hostile, DISK_BYTES, k ? 12 : 9, data + 1, n - 1);
		reads = 0;
		fail_every = data[0] & FAIL_READS ? 2 + (data[0] >> 3) * 8u : 0;
		if (filled)
			clone(g, &hostile, &o);
		else
			clone(&hostile, g, &o);
	}
	return 0;
}
