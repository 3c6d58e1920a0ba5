/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Clones from and to hostile FAT file systems. The input is as that of fuzz_fat.c: a byte
 * of flags, then the start of the disk. It is the source of one clone, to a fresh file system, and
 * the target of another, from a good one. What is refused is not written to; what is not refused is
 * written without fault, and a second plan has nothing to do. So it is with single files that are
 * put on it, and taken away. Last, a file system is made of a size and kind that the input's end
 * names.
 */
#include "common/fat_format.h"
#include "common/fat_write.h"
#include "common/range.h"
#include "tests/fuzz/fuzz.h"

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
	say_status("clone", (int)st);
	if (st != ST_OK) {
		say(fat_why_text(plan.why));
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

/* A plan of one item was made, or refused for a reason: carry it out. */
static bool done(struct fuzzdisk *d, unsigned before, enum status st, const char *what)
{
	say_status(what, (int)st);
	check(d->writes == before);
	if (st != ST_OK) {
		/* It is not there, or no path, or can't be looked for: else a plan says why. */
		check(st == ST_ABSENT || st == ST_RANGE || what[0] == 'd' ||
		      (plan.why != FAT_FINE && plan.why < FAT_WHYS));
		say(fat_why_text(plan.why));
		return false;
	}
	st = fat_write_apply(&plan);
	check(st == ST_OK || fail_every);
	return st == ST_OK;
}

static void check_content(const char *path, const uint8_t *content, uint32_t bytes)
{
	static uint8_t buf[16384];
	static struct fat_entry e;
	struct fat_file file;
	uint32_t got;

	check(fat_find(&target_fat, path, strlen(path), &e) == ST_OK && e.bytes == bytes);
	check(fat_file_open(&target_fat, &e, &file) == ST_OK);
	check(fat_file_read(&target_fat, &file, buf, sizeof(buf), &got) == ST_OK && got == bytes);
	check(memcmp(buf, content, bytes) == 0);
}

/* Single files and folders, one after the other, on the same file system. */
static void put_and_drop(struct fuzzdisk *d, const struct fat_plan_options *o, unsigned seed)
{
	static const char *const paths[] = {
		"\\EFI\\mirrorboot\\manifest",         "\\EFI",   "\\A", "\\A\\B",
		"\\a long name of a file that is put", "\\..\\x", "",    "\\"};
	static uint8_t content[9008];

	for (unsigned i = 0; i < 6; i++, seed >>= 2) {
		const char *path = paths[(seed + i) % (sizeof(paths) / sizeof(paths[0]))];
		uint32_t bytes = (seed & 8 ? 9000 : 700) + i;
		unsigned before = d->writes;
		bool was_done;

		if (fat_open(&target_fat, &d->disk, 0, d->disk.sectors) != ST_OK)
			return;
		memset(content, (int)i + 1, sizeof(content));
		switch (seed % 4) {
		case 0:
		case 1:
			was_done = done(d, before,
					fat_plan_put(&plan, &target_fat, path, content, bytes,
						     0x5a420000, o, work, WORK_BYTES),
					"put");
			if (was_done && !fail_every)
				check_content(path, content, bytes);
			break;
		case 2:
			done(d, before,
			     fat_plan_folder(&plan, &target_fat, path, 0x5a420000, o, work,
					     WORK_BYTES),
			     "folder");
			break;
		default:
			was_done =
				done(d, before,
				     fat_plan_drop(&plan, &target_fat, path, o, work, WORK_BYTES),
				     "drop");
			if (was_done && !fail_every) {
				static struct fat_entry e;

				check(fat_find(&target_fat, path, strlen(path), &e) == ST_ABSENT);
			}
		}
	}
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
	set_up(&hostile, DISK_BYTES, k ? 12 : 9, data + 1, n - 1);
	put_and_drop(&hostile, &o, data[0] * 0x01010101u ^ data[n - 1] * 0x00010201u);
	return 0;
}
