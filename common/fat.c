/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: the boot sector, and the FAT itself. */
#include "common/fat.h"

#include "common/mem.h"
#include "common/range.h"

/* FAT specification 1.03, chapter 3: the BIOS parameter block. */
struct bpb {
	uint8_t jump[3], oem[8];
	le16 sector_bytes;
	uint8_t cluster_sectors;
	le16 reserved_sectors;
	uint8_t fats;
	le16 root_entries, sectors16;
	uint8_t media;
	le16 fat_sectors16, track_sectors, heads;
	le32 hidden, sectors32;
};
struct tail { /* after it on FAT12 and FAT16, and after FAT32's own part */
	uint8_t drive, state, signature;
	le32 serial;
	uint8_t label[11], type[8];
};
struct bpb32 {
	struct bpb b;
	le32 fat_sectors32;
	le16 flags, version;
	le32 root_cluster;
	le16 info_sector, backup_sector;
	uint8_t zero[12];
	struct tail t;
};
struct bpb16 {
	struct bpb b;
	struct tail t;
};
_Static_assert(sizeof(struct bpb) == 36, "BPB that all types have");
_Static_assert(offsetof(struct bpb32, t) == 64, "FAT32: BS_DrvNum");
_Static_assert(sizeof(struct bpb32) == 90, "FAT32's BPB");
_Static_assert(sizeof(struct bpb16) == 62, "FAT16's BPB");

#define CLUSTERS_12_MAX 4084u       /* spec 3.5 */
#define CLUSTERS_16_MAX 65524u      /* spec 3.5 */
#define CLUSTERS_32_MAX 0x0ffffff5u /* cluster numbers end below the mark of a bad one */

#define FLAG_ONE_FAT 0x80 /* BPB_ExtFlags: only the FAT in the low bits is kept */
#define STATE_DIRTY  0x01 /* Linux, and Windows NT, in a byte that is reserved otherwise */

static bool log2_of(uint32_t n, uint8_t *shift)
{
	if (n == 0 || n & (n - 1))
		return false;
	for (*shift = 0; n > 1; n >>= 1)
		++*shift;
	return true;
}

/* Is it FAT at all? Any other boot sector, or data, fails one of these. */
static bool is_fat(struct fat *f, const struct bpb *b)
{
	uint8_t cluster;

	if (!log2_of(le16_get(b->sector_bytes), &f->sector_shift) ||
	    f->sector_shift < DISK_SHIFT_MIN || f->sector_shift > DISK_SHIFT_MAX ||
	    !log2_of(b->cluster_sectors, &cluster))
		return false;
	f->cluster_shift = (uint8_t)(f->sector_shift + cluster);
	/* edk2 asks for the jump (49h too), Linux does not; both for the media byte. */
	if (b->jump[0] != 0xeb && b->jump[0] != 0xe9 && b->jump[0] != 0x49)
		return false;
	return (b->media == 0xf0 || b->media >= 0xf8) && b->fats && le16_get(b->reserved_sectors);
}

/* Entries that one FAT has room for. */
static uint64_t fat_room(const struct fat *f)
{
	uint64_t bytes = (uint64_t)f->fat_sectors << f->sector_shift;

	switch (f->type) {
	case FAT_12: return (uint32_t)bytes * 2 / 3; /* 16 bits of sectors */
	case FAT_16: return bytes >> 1;
	default: return bytes >> 2;
	}
}

/* Type by form (no 16-bit count: FAT32), then by clusters, as Linux and edk2 have it. */
static enum status find_type(struct fat *f, const struct bpb *b, uint32_t clusters)
{
	uint32_t max = CLUSTERS_32_MAX;

	if (!le16_get(b->fat_sectors16)) {
		f->type = FAT_32;
		f->few_for_fat32 = clusters <= CLUSTERS_16_MAX;
	} else {
		f->type = clusters > CLUSTERS_12_MAX ? FAT_16 : FAT_12;
		max = CLUSTERS_16_MAX;
	}
	if (clusters > max)
		return ST_CORRUPT;
	/* Linux uses no more than the FAT can tell of. */
	uint64_t room = fat_room(f);

	if (room <= 2 || clusters == 0)
		return ST_CORRUPT;
	f->clusters = (uint32_t)min_u64(clusters, room - 2);
	return ST_OK;
}

static enum status find_areas(struct fat *f, const struct bpb32 *b)
{
	uint32_t reserved = le16_get(b->b.reserved_sectors);
	uint32_t root_bytes = le16_get(b->b.root_entries) * 32u;
	uint64_t data;

	f->sectors = le16_get(b->b.sectors16);
	if (!f->sectors)
		f->sectors = le32_get(b->b.sectors32);
	f->fat_sectors = le16_get(b->b.fat_sectors16);
	if (!f->fat_sectors)
		f->fat_sectors = le32_get(b->fat_sectors32);
	/* The root folder fills whole sectors: Linux refuses it otherwise. */
	if (!f->fat_sectors || root_bytes & ((1u << f->sector_shift) - 1))
		return ST_CORRUPT;
	f->fats = b->b.fats;
	f->fat_sector = reserved;
	data = reserved + (uint64_t)f->fat_sectors * f->fats;
	if (!range_ok(data, root_bytes >> f->sector_shift, f->sectors))
		return ST_CORRUPT;
	f->root_sector = (uint32_t)data;
	f->root_entries = le16_get(b->b.root_entries);
	f->data_sector = f->root_sector + (root_bytes >> f->sector_shift);
	return find_type(f, &b->b,
			 (f->sectors - f->data_sector) >> (f->cluster_shift - f->sector_shift));
}

static enum status take_fat32(struct fat *f, const struct bpb32 *b)
{
	uint16_t flags = le16_get(b->flags), info = le16_get(b->info_sector);

	f->root_cluster = le32_get(b->root_cluster);
	f->info_sector = info < f->fat_sector ? info : 0;
	if (le16_get(b->version) || (flags & FLAG_ONE_FAT && flags & 15))
		return ST_UNSUPPORTED;
	return fat_cluster_ok(f, f->root_cluster) ? ST_OK : ST_CORRUPT;
}

enum status fat_open(struct fat *f, const struct disk *d, uint64_t start_lba, uint64_t sectors)
{
	const struct bpb32 *b = (const void *)f->dir_cache;
	const struct tail *t;
	enum status st;

	memset(f, 0, sizeof(*f));
	f->disk = d;
	f->start_lba = start_lba;
	f->fat_cached = f->dir_cached = UINT32_MAX;
	if (!range_ok(start_lba, sectors, d->sectors) || sectors == 0)
		return ST_RANGE;
	st = disk_read(d, start_lba, 1, f->dir_cache);
	if (st != ST_OK)
		return st;
	if (!is_fat(f, &b->b))
		return ST_ABSENT;
	if (f->sector_shift < d->shift)
		return ST_UNSUPPORTED;
	st = find_areas(f, b);
	if (st == ST_OK && f->sectors > sectors >> (f->sector_shift - d->shift))
		st = ST_RANGE;
	if (st == ST_OK && f->type == FAT_32)
		st = take_fat32(f, b);
	t = f->type == FAT_32 ? &b->t : &((const struct bpb16 *)(const void *)f->dir_cache)->t;
	f->serial = le32_get(t->serial);
	memcpy(f->label, t->label, sizeof(f->label));
	return st;
}

enum status fat_read_sectors(const struct fat *f, uint32_t sector, uint32_t n, void *buf)
{
	unsigned shift = f->sector_shift - f->disk->shift;

	/* The lba count of a request has 32 bits. */
	if (!range_ok(sector, n, f->sectors) || n > UINT32_MAX >> shift)
		return ST_RANGE;
	return disk_read(f->disk, f->start_lba + ((uint64_t)sector << shift), n << shift, buf);
}

/* Is this sector of the FAT (counted from its start) in the cache, from whichever copy? */
static enum status load(struct fat *f, uint32_t sector)
{
	enum status st = ST_IO;

	if (f->fat_cached == sector)
		return ST_OK;
	f->fat_cached = UINT32_MAX;
	for (unsigned i = 0; i < f->fats && st == ST_IO; i++)
		st = fat_read_sectors(f, f->fat_sector + i * f->fat_sectors + sector, 1,
				      f->fat_cache);
	if (st == ST_OK)
		f->fat_cached = sector;
	return st;
}

static enum status fat_byte(struct fat *f, uint32_t at, uint8_t *byte)
{
	enum status st = load(f, at >> f->sector_shift);

	*byte = f->fat_cache[at & ((1u << f->sector_shift) - 1)];
	return st;
}

/* 12 bits, which may lie across two sectors. */
static enum status get12(struct fat *f, uint32_t cluster, uint32_t *value)
{
	uint32_t at = cluster + cluster / 2;
	uint8_t low, high;
	enum status st = fat_byte(f, at, &low);

	if (st == ST_OK)
		st = fat_byte(f, at + 1, &high);
	if (st != ST_OK)
		return st;
	*value = cluster & 1 ? (uint32_t)low >> 4 | (uint32_t)high << 4 : low | (high & 15u) << 8;
	return ST_OK;
}

enum status fat_get(struct fat *f, uint32_t cluster, uint32_t *value)
{
	unsigned shift = f->type == FAT_32 ? 2 : 1;
	uint32_t in_sector;
	enum status st;

	if (cluster >= 2 && !fat_cluster_ok(f, cluster))
		return ST_RANGE;
	if (f->type == FAT_12)
		return get12(f, cluster, value);
	st = load(f, cluster >> (f->sector_shift - shift));
	if (st != ST_OK)
		return st;
	in_sector = cluster & ((1u << (f->sector_shift - shift)) - 1);
	if (f->type == FAT_16)
		*value = le16_get(((const le16 *)(const void *)f->fat_cache)[in_sector]);
	else /* the upper four bits are no part of it */
		*value = le32_get(((const le32 *)(const void *)f->fat_cache)[in_sector]) &
			 0x0fffffff;
	return ST_OK;
}

enum status fat_follow(struct fat *f, uint32_t cluster, uint32_t *next)
{
	/* FF8h, FFF8h, 0FFFFFF8h: it ends. */
	uint32_t end = (f->type == FAT_12 ? 0xfffu : f->type == FAT_16 ? 0xffffu : 0x0fffffffu) - 7;
	enum status st = fat_get(f, cluster, next);

	if (st != ST_OK)
		return st == ST_RANGE ? ST_CORRUPT : st;
	if (*next >= end)
		*next = 0;
	else if (!fat_cluster_ok(f, *next))
		return ST_CORRUPT; /* free, bad, or not there */
	return ST_OK;
}

/* In the boot sector (Linux), or in the second entry of the FAT (spec 4.2), which FAT12 has not. */
enum status fat_is_dirty(struct fat *f, bool *dirty)
{
	uint32_t flags, clean = f->type == FAT_32 ? 0x08000000 : 0x8000;
	uint32_t no_errors = clean >> 1;
	enum status st;
	uint8_t state;

	f->dir_cached = UINT32_MAX;
	st = fat_read_sectors(f, 0, 1, f->dir_cache);
	if (st != ST_OK)
		return st;
	state = f->type == FAT_32 ? ((const struct bpb32 *)(const void *)f->dir_cache)->t.state
				  : ((const struct bpb16 *)(const void *)f->dir_cache)->t.state;
	*dirty = state & STATE_DIRTY;
	if (f->type == FAT_12)
		return ST_OK;
	st = fat_get(f, 1, &flags);
	if (st == ST_OK && (!(flags & clean) || !(flags & no_errors)))
		*dirty = true;
	return st;
}
