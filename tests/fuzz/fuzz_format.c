/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Fresh FAT file systems, of the size and kind that 12 bytes of input name, on a disk that may
 * fail: what is made can be opened, is whole, and is what was asked for; what can't be is refused
 * before the first write; and after a write that failed there is no file system.
 */
#include "common/fat_format.h"
#include "common/fat_check.h"
#include "common/range.h"
#include "tests/fuzz/fuzz.h"

#define DISK_BYTES (48u << 20)
#define WORK_BYTES (2u << 20)

static uint8_t *content;
static size_t dirty_to;
static unsigned writes, fails_at, reads, read_fails_at;
static _Alignas(8) uint8_t work[WORK_BYTES];

static enum status fuzz_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	check(range_ok(lba, n, d->sectors));
	if (++reads == read_fails_at)
		return ST_IO;
	memcpy(buf, content + (lba << d->shift), (size_t)n << d->shift);
	return ST_OK;
}

static enum status fuzz_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	size_t end = (size_t)(lba + n) << d->shift;

	check(range_ok(lba, n, d->sectors));
	if (++writes == fails_at)
		return ST_IO;
	memcpy(content + (lba << d->shift), buf, (size_t)n << d->shift);
	if (end > dirty_to)
		dirty_to = end;
	return ST_OK;
}

static enum status fuzz_flush(const struct disk *d)
{
	return writes == fails_at ? ST_IO : ST_OK;
}

static void check_made(const struct disk *d, const struct fat_format *how)
{
	static struct fat fat;
	static struct fat_tree tree;
	static struct fat_walk walk;
	struct fat_arena a = {work, 0, WORK_BYTES};

	check(fat_open(&fat, d, how->start_lba, how->sectors) == ST_OK);
	say_number("type", fat.type);
	check(!how->type || fat.type == how->type);
	check(!how->cluster_bytes || 1u << fat.cluster_shift == how->cluster_bytes);
	check(!fat.few_for_fat32 && fat.serial == how->serial);
	check(fat_check(&tree, &fat, 0, &a, &walk) == ST_OK && tree.count == 1);
	check(!tree.dirty && !tree.copies_differ && !tree.bad_count && !tree.lost);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t types[] = {0, 12, 16, 32, 0, 12, 16, 13};
	static uint8_t buf[32768];
	struct input in = {data, n};
	uint8_t flags = take8(&in), cluster = take8(&in);
	struct disk d = {.read = fuzz_read, .write = fuzz_write, .flush = fuzz_flush};
	struct fat_format how = {.type = types[flags & 7], .serial = 0x1234};
	static struct fat fat;
	enum status st;

	if (!content)
		content = malloc(DISK_BYTES);
	check(content != NULL);
	d.shift = flags & 8 ? 12 : 9;
	d.sectors = DISK_BYTES >> d.shift;
	memset(content, 0x5a, dirty_to ? dirty_to : DISK_BYTES);
	dirty_to = 512;
	how.start_lba = take8(&in);
	how.sectors = (uint64_t)take16(&in) << (flags & 16 ? 1 : 0);
	if (flags & 32)
		how.sectors = d.sectors - how.start_lba;
	/* Ranges are the caller's to check. */
	if (how.sectors > d.sectors - how.start_lba)
		how.sectors = d.sectors - how.start_lba;
	if (cluster & 15)
		how.cluster_bytes = (cluster & 16 ? 3u : 1u) << (8 + (cluster & 15));
	how.label = cluster & 32 ? (const uint8_t *)"LABEL      " : NULL;
	writes = reads = 0;
	fails_at = take8(&in);
	read_fails_at = take8(&in);
	st = fat_format(&d, &how, buf, flags & 64 ? sizeof(buf) : 8192);
	say_status("format", (int)st);
	if (st == ST_OK) {
		fails_at = read_fails_at = 0;
		check_made(&d, &how);
		return 0;
	}
	check(st == ST_RANGE || st == ST_FULL || (st == ST_IO && (fails_at || read_fails_at)));
	if (st != ST_IO) {
		check(writes == 0);
		return 0;
	}
	/* The boot sector is the last: nobody takes this for a file system that was not read back.
	 */
	if (fails_at && writes == fails_at && !(read_fails_at && reads >= read_fails_at)) {
		read_fails_at = 0;
		check(fat_open(&fat, &d, how.start_lba, how.sectors) != ST_OK ||
		      how.start_lba == 0);
	}
	return 0;
}
