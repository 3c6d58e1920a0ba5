/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * FAT file systems. The input is one byte of flags, then the start of the disk; the rest of
 * it, up to 64 MiB, reads as zeroes.
 */
#include "common/fat.h"
#include "common/manifest.h"
#include "common/range.h"

#include <stdlib.h>
#include <string.h>

#define DISK_S512   (64 * 2048)
#define STEPS_MAX   2000
#define PIECES_MAX  8
#define PIECE_BYTES 8192

enum flag { SECTORS_4K = 1, FAIL_READS = 4 };

static const uint8_t *content;
static size_t content_bytes;
static unsigned reads, fail_every;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(int ok)
{
	if (!ok)
		abort();
}

static enum status fuzz_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	uint64_t at = lba << d->shift, bytes = (uint64_t)n << d->shift;

	check(range_ok(lba, n, d->sectors)); /* these readers check before they ask */
	if (fail_every && ++reads % fail_every == 0)
		return ST_IO;
	memset(buf, 0, bytes);
	if (at < content_bytes)
		memcpy(buf, content + at, min_u64(bytes, content_bytes - at));
	return ST_OK;
}

static void read_some(struct fat *f, const struct fat_entry *e)
{
	uint8_t *buf = malloc(PIECE_BYTES);
	struct fat_file file;
	uint32_t got = 1, all = 0;
	enum status st = fat_file_open(f, e, &file);

	check(st == ST_OK || st == ST_CORRUPT);
	for (unsigned i = 0; st == ST_OK && got && i < PIECES_MAX; i++) {
		st = fat_file_read(f, &file, buf, PIECE_BYTES, &got);
		all += got;
		check(got <= PIECE_BYTES && all <= e->bytes);
	}
	free(buf);
}

static void check_entry(struct fat *f, const struct fat_walk *w)
{
	static struct fat_entry found;
	const struct fat_entry *e = &w->entry;

	check(w->path_bytes == strlen(w->path) && w->path_bytes < FAT_PATH_BYTES);
	check(e->name_bytes == strlen(e->name) && e->name_bytes > 0);
	check(manifest_path_ok(w->path, w->path_bytes));
	check(w->depth >= 1 && w->depth <= FAT_DEPTH);
	/* Another of the same name may come before it, and be a file where this is a folder. */
	if (fat_find(f, w->path, w->path_bytes, &found) == ST_OK)
		check(found.name_bytes > 0);
	if (!fat_is_folder(e))
		read_some(f, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct disk d = {.read = fuzz_read, .sectors = DISK_S512, .shift = 9};
	static struct fat_walk w;
	static struct fat f;
	bool dirty;

	if (n < 2)
		return 0;
	if (data[0] & SECTORS_4K) {
		d.shift = 12;
		d.sectors >>= 3;
	}
	reads = 0;
	fail_every = data[0] & FAIL_READS ? 2 + (data[0] >> 3) : 0;
	content = data + 1;
	content_bytes = n - 1;
	if (fat_open(&f, &d, 0, d.sectors) != ST_OK)
		return 0;
	check(range_ok(f.data_sector, 0, f.sectors) && f.clusters > 0);
	check(fat_cluster_sector(&f, f.clusters + 1) < f.sectors);
	fat_is_dirty(&f, &dirty);
	fat_walk_start(&f, &w);
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		enum status st = fat_walk_next(&f, &w);

		if (st == ST_ABSENT)
			break;
		check(st == ST_OK || st == ST_CORRUPT || st == ST_FULL ||
		      (st == ST_IO && fail_every));
		if (st == ST_OK)
			check_entry(&f, &w);
	}
	return 0;
}
