/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * FAT file systems: walked through, checked as before a clone, and looked at as an EFI system
 * partition. The input is one byte of flags, then the start of the disk; the rest of it, up to
 * 64 MiB, reads as zeroes.
 */
#include "common/espfiles.h"
#include "common/fat_check.h"
#include "common/range.h"
#include "tests/fuzz/fuzz.h"

#define DISK_S512   (64 * 2048)
#define STEPS_MAX   2000
#define PIECES_MAX  8
#define PIECE_BYTES 8192
#define WORK_BYTES  (4u << 20)
#define LOOK_BYTES  (256u << 10) /* of files, then the look is stopped */

enum flag { SECTORS_4K = 1, DIRTY_OK = 2, FAIL_READS = 4 };

static const uint8_t *content;
static size_t content_bytes;
static unsigned reads, fail_every;
static _Alignas(8) uint8_t work[WORK_BYTES];

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
	say_status("file", (int)st);
	for (unsigned i = 0; st == ST_OK && got && i < PIECES_MAX; i++) {
		st = fat_file_read(f, &file, buf, PIECE_BYTES, &got);
		all += got;
		say_status("file", (int)st);
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

static enum status found(void *ctx, uint32_t sector, uint32_t slot_in_sector, bool behind_end)
{
	const struct fat *f = ctx;

	check(sector < f->sectors && slot_in_sector < 1u << (f->sector_shift - 5));
	return ST_OK;
}

/* The tree that plans are made of. */
static void check_tree(struct fat *f, struct fat_walk *w, unsigned flags)
{
	struct fat_arena a = {work, 0, sizeof(work)};
	static struct fat_tree t;
	uint32_t used = 0;
	enum status st = fat_check(&t, f, flags, &a, w);

	say_status("check", (int)st);
	check((st == ST_OK) == (t.why == FAT_FINE) && t.why < FAT_WHYS);
	if (st != ST_OK) {
		say(fat_why_text(t.why));
		check(st == ST_CORRUPT || st == ST_FULL || (st == ST_IO && fail_every));
		return;
	}
	for (uint32_t c = 0; c < f->clusters; c++)
		used += fat_map_get(t.used_map, c + 2);
	check(used == t.used && t.lost <= f->clusters);
	check(t.count > 0 && t.node[0].end == t.count);
	for (uint32_t i = 1; i < t.count; i++) {
		const struct fat_node *node = &t.node[i], *parent = &t.node[node->parent];

		check(node->parent < i && node->end > i && node->end <= parent->end);
		check(node->sector < f->sectors && node->name_bytes > 0);
		check(node->cluster == 0 || fat_cluster_ok(f, node->cluster));
	}
	if (!(flags & FAT_CHECK_TO_READ))
		check(fat_orphans(&t, found, f) == ST_OK || fail_every);
}

static bool enough(void *ctx, uint64_t bytes)
{
	uint64_t *left = ctx;

	if (bytes > *left)
		return false;
	*left -= bytes;
	return true;
}

static void check_files(struct fat *f, struct fat_walk *w)
{
	uint64_t bytes, left = LOOK_BYTES, need = espfiles_memory(f, w, &bytes);
	uint32_t verdicts = 0;
	struct espfiles e;
	uint8_t *memory;
	enum status st;

	if (need > WORK_BYTES)
		return;
	memory = malloc(need); /* of just this size */
	check(memory != NULL);
	st = espfiles_look(&e, f, memory, need, w, enough, &left);
	check(st == ST_OK || st == ST_ABSENT || (st == ST_FULL && fail_every));
	if (st == ST_OK) {
		say_status("manifest", (int)e.status);
		for (uint32_t i = 0; i < e.count; i++) {
			const struct espfiles_file *file = e.sorted[i];

			check(file >= e.file && file < e.file + e.count);
			check(manifest_path_ok(file->f.path, file->f.path_bytes) ||
			      file->status != ST_OK);
			check(espfiles_find(&e, file->f.path, file->f.path_bytes) != NULL);
		}
		for (unsigned i = 0; i <= MANIFEST_UNLISTED; i++)
			verdicts += e.verdicts[i];
		check(verdicts <= e.count);
		check(!e.same || (e.missing == 0 && e.verdicts[MANIFEST_DAMAGED] == 0));
		check(espfiles_manifest_bytes(&e) > 0);
		if (espfiles_damaged(&e))
			say("damaged");
	}
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct disk d = {.read = fuzz_read, .sectors = DISK_S512, .shift = 9};
	static struct fat_walk w;
	static struct fat f;
	enum status st;
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
	st = fat_open(&f, &d, 0, d.sectors);
	say_status("open", (int)st);
	if (st != ST_OK)
		return 0;
	check(range_ok(f.data_sector, 0, f.sectors) && f.clusters > 0);
	check(fat_cluster_sector(&f, f.clusters + 1) < f.sectors);
	fat_is_dirty(&f, &dirty);
	fat_walk_start(&f, &w);
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		st = fat_walk_next(&f, &w);
		say_status("walk", (int)st);
		if (st == ST_ABSENT)
			break;
		check(st == ST_OK || st == ST_CORRUPT || st == ST_FULL ||
		      (st == ST_IO && fail_every));
		if (st == ST_OK)
			check_entry(&f, &w);
	}
	check_tree(&f, &w, data[0] & DIRTY_OK ? FAT_CHECK_DIRTY_OK : 0);
	check_tree(&f, &w, FAT_CHECK_TO_READ | FAT_CHECK_DIRTY_OK);
	check_files(&f, &w);
	return 0;
}
