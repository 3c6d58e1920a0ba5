/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: writing sectors, and the FAT itself. */
#include "common/fat_out.h"

#include "common/mem.h"
#include "common/range.h"

void fat_out_init(struct fat_out *o, struct fat *f, uint32_t *map, uint32_t used, bool rehearse)
{
	o->f = f;
	o->map = map;
	o->free = f->clusters - used;
	o->next = 2;
	o->rehearse = rehearse;
	o->wrote = o->differs = o->dir_changed = false;
	o->fat_at = o->fat_n = o->fat_changed = o->fat_changed_end = 0;
	o->dir_at = UINT32_MAX;
	f->fat_cached = f->dir_cached = UINT32_MAX;
}

enum status fat_out_put(struct fat_out *o, uint32_t sector, uint32_t n, const void *buf)
{
	const struct disk *d = o->f->disk;
	unsigned shift = o->f->sector_shift - d->shift;

	if (o->rehearse)
		return ST_OK;
	if (!range_ok(sector, n, o->f->sectors) || n > UINT32_MAX >> shift)
		return ST_RANGE;
	if (!d->write || !d->flush)
		return ST_READONLY;
	o->wrote = true;
	return d->write(d, o->f->start_lba + ((uint64_t)sector << shift), n << shift, buf);
}

/* As many sectors as a window has at most. */
static enum status put_and_read_back(struct fat_out *o, uint32_t sector, uint32_t n,
				     const void *buf)
{
	enum status st = fat_out_put(o, sector, n, buf);

	if (st != ST_OK || o->rehearse)
		return st;
	st = fat_read_sectors(o->f, sector, n, o->back);
	if (st == ST_OK && memcmp(o->back, buf, (size_t)n << o->f->sector_shift)) {
		o->differs = true;
		st = ST_CORRUPT;
	}
	return st;
}

enum status fat_out_put_sector(struct fat_out *o, uint32_t sector, const void *buf)
{
	return put_and_read_back(o, sector, 1, buf);
}

/* A sector that is in the window. */
static uint8_t *window(struct fat_out *o, uint32_t sector)
{
	return o->fat_window + ((size_t)(sector - o->fat_at) << o->f->sector_shift);
}

static enum status sync_fat(struct fat_out *o)
{
	struct fat *f = o->f;
	uint32_t first = o->fat_changed, n = o->fat_changed_end - first;
	enum status st = ST_OK;

	if (!n)
		return ST_OK;
	for (unsigned i = 0; i < f->fats && st == ST_OK; i++)
		st = put_and_read_back(o, f->fat_sector + i * f->fat_sectors + first, n,
				       window(o, first));
	f->fat_cached = UINT32_MAX;
	if (st == ST_OK)
		o->fat_changed = o->fat_changed_end = 0;
	return st;
}

static enum status sync_dir(struct fat_out *o)
{
	enum status st = ST_OK;

	if (!o->dir_changed)
		return ST_OK;
	st = fat_out_put_sector(o, o->dir_at, o->dir_sector);
	o->f->dir_cached = UINT32_MAX;
	o->dir_changed = st != ST_OK;
	return st;
}

enum status fat_out_sync(struct fat_out *o)
{
	enum status st = sync_fat(o);

	return st == ST_OK ? sync_dir(o) : st;
}

enum status fat_out_flush(struct fat_out *o)
{
	enum status st = fat_out_sync(o);

	if (st != ST_OK || !o->wrote)
		return st;
	o->wrote = false;
	return o->f->disk->flush(o->f->disk);
}

/* ---- the FAT ---- */

uint32_t fat_out_end_mark(const struct fat_out *o)
{
	return o->f->type == FAT_12 ? 0xfffu : o->f->type == FAT_16 ? 0xffffu : 0x0fffffffu;
}

/* The window that has this sector. */
static enum status load(struct fat_out *o, uint32_t sector)
{
	uint32_t room = FAT_OUT_WINDOW >> o->f->sector_shift, at = sector & ~(room - 1);
	uint32_t n = (uint32_t)min_u64(room, o->f->fat_sectors - at);
	enum status st;

	if (sector - o->fat_at < o->fat_n)
		return ST_OK;
	if (sector >= o->f->fat_sectors)
		return ST_RANGE;
	st = sync_fat(o);
	if (st != ST_OK)
		return st;
	o->fat_n = 0;
	st = fat_read_sectors(o->f, o->f->fat_sector + at, n, o->fat_window);
	if (st != ST_OK)
		return st;
	o->fat_at = at;
	o->fat_n = n;
	return ST_OK;
}

/* The bits of mask in the byte at this place of the FAT. */
static enum status set_bits(struct fat_out *o, uint32_t at, uint8_t mask, uint32_t bits)
{
	uint32_t sector = at >> o->f->sector_shift;
	enum status st = load(o, sector);
	uint8_t byte, *old;

	if (st != ST_OK)
		return st;
	old = window(o, sector) + (at & ((1u << o->f->sector_shift) - 1));
	byte = (uint8_t)((*old & ~mask) | (bits & mask));
	if (byte == *old)
		return ST_OK;
	*old = byte;
	if (o->fat_changed == o->fat_changed_end) {
		o->fat_changed = sector;
		o->fat_changed_end = sector + 1;
	}
	if (sector < o->fat_changed)
		o->fat_changed = sector;
	if (sector >= o->fat_changed_end)
		o->fat_changed_end = sector + 1;
	return ST_OK;
}

enum status fat_out_follow(struct fat_out *o, uint32_t cluster, uint32_t *next)
{
	enum status st = sync_fat(o);

	return st == ST_OK ? fat_follow(o->f, cluster, next) : st;
}

enum status fat_out_link(struct fat_out *o, uint32_t cluster, uint32_t value)
{
	enum status st = ST_OK;
	uint32_t at;

	if (o->rehearse)
		return ST_OK;
	if (o->f->type == FAT_12) {
		at = cluster + cluster / 2;
		if (cluster & 1) {
			st = set_bits(o, at, 0xf0, value << 4);
			return st == ST_OK ? set_bits(o, at + 1, 0xff, value >> 4) : st;
		}
		st = set_bits(o, at, 0xff, value);
		return st == ST_OK ? set_bits(o, at + 1, 0x0f, value >> 8) : st;
	}
	at = cluster << (o->f->type == FAT_32 ? 2 : 1);
	for (unsigned i = 0; i < (o->f->type == FAT_32 ? 4u : 2u) && st == ST_OK; i++)
		/* FAT32's upper four bits are no part of it. */
		st = set_bits(o, at + i, i == 3 ? 0x0f : 0xff, value >> 8 * i);
	return st;
}

/* FAT12: the entry is in two sectors. */
static bool is_split(const struct fat_out *o, uint32_t cluster)
{
	uint32_t mask = (1u << o->f->sector_shift) - 1;

	return o->f->type == FAT_12 && ((cluster + cluster / 2) & mask) == mask;
}

/* Then only one of its sectors may change: a cut between the two would link it to anywhere. */
static bool changes_one(uint32_t cluster, uint32_t old, uint32_t value)
{
	if (cluster & 1)
		return (old & 15) == (value & 15) || old >> 4 == value >> 4;
	return (old & 0xff) == (value & 0xff) || old >> 8 == value >> 8;
}

enum status fat_out_take(struct fat_out *o, bool for_folder, uint32_t from, uint32_t *cluster)
{
	uint32_t c = o->next, old = 0;

	if (!o->free)
		return ST_FULL;
	if (from && !is_split(o, from))
		from = 0;
	if (from) {
		enum status st = sync_fat(o);

		if (st == ST_OK)
			st = fat_get(o->f, from, &old);
		if (st != ST_OK)
			return st;
	}
	for (uint32_t i = 0; i < o->f->clusters; i++, c++) {
		if (c >= o->f->clusters + 2)
			c = 2;
		if (fat_map_get(o->map, c) || (for_folder && is_split(o, c)) ||
		    (from && !changes_one(from, old, c)))
			continue;
		fat_map_set(o->map, c);
		o->free--;
		if (!for_folder)
			o->next = c + 1;
		*cluster = c;
		return ST_OK;
	}
	return ST_FULL;
}

void fat_out_give(struct fat_out *o, uint32_t cluster)
{
	if (!fat_map_get(o->map, cluster))
		return;
	fat_map_clear(o->map, cluster);
	o->free++;
}

/* ---- folders ---- */

enum status fat_out_dir(struct fat_out *o, uint32_t sector, uint8_t **bytes)
{
	enum status st = ST_OK;

	*bytes = o->dir_sector;
	if (o->dir_at != sector) {
		st = sync_dir(o);
		if (st != ST_OK)
			return st;
		o->dir_at = UINT32_MAX;
		st = fat_read_sectors(o->f, sector, 1, o->dir_sector);
		if (st != ST_OK)
			return st;
		o->dir_at = sector;
	}
	return ST_OK;
}

/* ---- the end of it ---- */

static enum status copies_alike(struct fat_out *o)
{
	struct fat *f = o->f;
	enum status st = ST_OK;

	for (uint32_t i = 0; i < f->fat_sectors && st == ST_OK; i++) {
		st = load(o, i);
		for (unsigned k = 1; k < f->fats && st == ST_OK; k++) {
			uint32_t sector = f->fat_sector + k * f->fat_sectors + i;

			st = fat_read_sectors(f, sector, 1, o->back);
			if (st == ST_OK &&
			    memcmp(o->back, window(o, i), (size_t)1 << f->sector_shift))
				st = fat_out_put_sector(o, sector, window(o, i));
		}
	}
	return st;
}

enum status fat_out_sweep(struct fat_out *o, bool copies_differ)
{
	struct fat *f = o->f;
	enum status st = fat_out_sync(o);

	f->fat_cached = UINT32_MAX;
	for (uint32_t c = 2; fat_cluster_ok(f, c) && st == ST_OK; c++) {
		uint32_t value;

		if (fat_map_get(o->map, c))
			continue;
		st = fat_get(f, c, &value);
		if (st == ST_OK && value)
			st = fat_out_link(o, c, 0);
	}
	if (st == ST_OK)
		st = fat_out_sync(o);
	return st == ST_OK && copies_differ ? copies_alike(o) : st;
}

enum status fat_out_count(struct fat_out *o)
{
	struct fat *f = o->f;
	le32 *word;
	enum status st;
	uint8_t *b;

	if (f->type != FAT_32 || !f->info_sector)
		return ST_OK;
	st = fat_read_sectors(f, f->info_sector, 1, o->dir_sector);
	o->dir_at = UINT32_MAX;
	b = o->dir_sector;
	word = (void *)b;
	if (st != ST_OK || le32_get(word[0]) != FAT_INFO_SIGN1 ||
	    le32_get(word[121]) != FAT_INFO_SIGN2 || le32_get(word[122]) == o->free)
		return st;
	word[122] = le32_of(o->free);
	word[123] = le32_of(fat_cluster_ok(f, o->next) ? o->next : 2);
	return fat_out_put_sector(o, f->info_sector, o->dir_sector);
}

enum status fat_out_dirty(struct fat_out *o, bool dirty)
{
	unsigned at = o->f->type == FAT_32 ? 65 : 37; /* spec 3.1: BS_Reserved1 */
	uint32_t marks, clean = o->f->type == FAT_32 ? 0x0c000000 : 0xc000;
	uint8_t state;
	enum status st;

	if (o->f->type != FAT_12 && !dirty) {
		st = fat_get(o->f, 1, &marks);
		if (st == ST_OK && (marks & clean) != clean)
			st = fat_out_link(o, 1, marks | clean);
		if (st == ST_OK)
			st = fat_out_sync(o);
		if (st != ST_OK)
			return st;
	}
	st = fat_read_sectors(o->f, 0, 1, o->dir_sector);
	o->dir_at = o->f->dir_cached = UINT32_MAX;
	if (st != ST_OK)
		return st;
	state = (uint8_t)((o->dir_sector[at] & ~1) | dirty);
	if (state == o->dir_sector[at])
		return ST_OK;
	o->dir_sector[at] = state;
	return fat_out_put_sector(o, 0, o->dir_sector);
}
