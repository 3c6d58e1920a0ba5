/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: a fresh file system. Numbers from Microsoft's FAT specification 1.03. */
#include "common/fat_format.h"

#include "common/fat_check.h"
#include "common/mem.h"
#include "common/range.h"

#define CLUSTERS_12_MAX 4084u
#define CLUSTERS_16_MAX 65524u
#define CLUSTERS_32_MAX 0x0ffffff5u
#define MARGIN          16u /* spec 3.5: others count them wrongly by a few */
#define RESERVED_32     32u
#define ROOT_ENTRIES    512u
#define CLUSTER_BYTES   4096u /* FAT32: what a page is */
#define MEDIA           0xf8u
#define PIECE_MAX       (1u << 20)

struct layout {
	uint8_t type, sector_shift, cluster_shift; /* of sectors in a cluster */
	uint32_t sectors, reserved, fat_sectors, root_sectors, clusters;
};

/* Bytes that one FAT takes for so many clusters. */
static uint64_t fat_bytes(const struct layout *l, uint64_t clusters)
{
	uint64_t n = clusters + 2;

	return l->type == FAT_32 ? n * 4 : l->type == FAT_16 ? n * 2 : n + (n + 1) / 2;
}

static bool clusters_fit_type(const struct layout *l)
{
	switch (l->type) {
	case FAT_32:
		return l->clusters >= CLUSTERS_16_MAX + 1 + MARGIN &&
		       l->clusters <= CLUSTERS_32_MAX;
	case FAT_16:
		return l->clusters >= CLUSTERS_12_MAX + 1 + MARGIN &&
		       l->clusters <= CLUSTERS_16_MAX - MARGIN;
	default: return l->clusters >= 1 && l->clusters <= CLUSTERS_12_MAX - MARGIN;
	}
}

/* The smallest FAT that has an entry for each cluster that is left beside two of it. */
static bool lay_out(struct layout *l)
{
	uint32_t fixed, mask = (1u << l->sector_shift) - 1;
	uint64_t most;

	l->reserved = l->type == FAT_32 ? RESERVED_32 : 1;
	l->root_sectors = l->type == FAT_32 ? 0 : (ROOT_ENTRIES * 32 + mask) >> l->sector_shift;
	fixed = l->reserved + l->root_sectors;
	if (l->sectors <= fixed)
		return false;
	/* From above: a FAT for all of it leaves fewer clusters, which need less. */
	most = (l->sectors - fixed) >> l->cluster_shift;
	l->fat_sectors = 0;
	for (unsigned round = 0; round < 64; round++) {
		uint64_t need = (fat_bytes(l, most) + mask) >> l->sector_shift;

		if (need * 2 >= l->sectors - fixed)
			return false;
		if (need == l->fat_sectors)
			break;
		/* It may go to and fro between two: the larger serves for both. */
		if (round > 8 && need < l->fat_sectors)
			break;
		l->fat_sectors = (uint32_t)need;
		most = (l->sectors - fixed - 2 * l->fat_sectors) >> l->cluster_shift;
	}
	l->clusters = (uint32_t)((l->sectors - fixed - 2 * l->fat_sectors) >> l->cluster_shift);
	if (fat_bytes(l, l->clusters) > (uint64_t)l->fat_sectors << l->sector_shift)
		return false;
	return clusters_fit_type(l) && (l->type == FAT_32 || l->fat_sectors <= UINT16_MAX);
}

/* With the cluster size that is asked for, or the one that fits best. */
static bool try_type(struct layout *l, uint8_t type, uint32_t cluster_bytes)
{
	unsigned most = 16 - l->sector_shift; /* 64 KiB: spec 3.1 has 32, all read 64 */

	l->type = type;
	if (cluster_bytes) {
		if (cluster_bytes & (cluster_bytes - 1) || cluster_bytes < 1u << l->sector_shift ||
		    cluster_bytes > 65536)
			return false;
		for (l->cluster_shift = 0;
		     1u << (l->sector_shift + l->cluster_shift) < cluster_bytes;)
			l->cluster_shift++;
		return lay_out(l);
	}
	if (type != FAT_32) {
		for (l->cluster_shift = 0; l->cluster_shift <= most; l->cluster_shift++)
			if (lay_out(l))
				return true;
		return false;
	}
	/* Pages, or less where there would be too few clusters, or more where too many. */
	l->cluster_shift = l->sector_shift >= 12 ? 0 : (uint8_t)(12 - l->sector_shift);
	while (!lay_out(l)) {
		if (l->cluster_shift == 0 || l->clusters > CLUSTERS_16_MAX + MARGIN)
			break;
		l->cluster_shift--;
	}
	while (!lay_out(l))
		if (l->clusters <= CLUSTERS_32_MAX || ++l->cluster_shift > most)
			return false;
	return true;
}

static bool choose(struct layout *l, const struct fat_format *how)
{
	static const uint8_t types[] = {FAT_32, FAT_16, FAT_12};

	for (unsigned i = 0; i < 3; i++)
		if ((!how->type || how->type == types[i]) &&
		    try_type(l, types[i], how->cluster_bytes))
			return true;
	return false;
}

/* ---- writing ---- */

struct job {
	const struct disk *d;
	const struct fat_format *how;
	const struct layout *l;
	uint8_t *buf;
	uint32_t half_sectors; /* what half of buf holds */
};

static enum status put(const struct job *j, uint32_t sector, uint32_t n)
{
	uint64_t lba = j->how->start_lba + sector;
	uint8_t *back = j->buf + ((size_t)j->half_sectors << j->l->sector_shift);
	enum status st = j->d->write(j->d, lba, n, j->buf);

	if (st == ST_OK)
		st = disk_read(j->d, lba, n, back);
	if (st == ST_OK && memcmp(j->buf, back, (size_t)n << j->l->sector_shift))
		st = ST_CORRUPT;
	return st;
}

static enum status put_zeroes(const struct job *j, uint32_t sector, uint32_t n)
{
	enum status st = ST_OK;

	memset(j->buf, 0, (size_t)j->half_sectors << j->l->sector_shift);
	while (n && st == ST_OK) {
		uint32_t piece = n < j->half_sectors ? n : j->half_sectors;

		st = put(j, sector, piece);
		sector += piece;
		n -= piece;
	}
	return st;
}

static uint8_t *blank(const struct job *j)
{
	return memset(j->buf, 0, (size_t)1 << j->l->sector_shift);
}

static void set16(uint8_t *b, uint32_t x)
{
	b[0] = (uint8_t)x;
	b[1] = (uint8_t)(x >> 8);
}

static void set32(uint8_t *b, uint32_t x)
{
	set16(b, x);
	set16(b + 2, x >> 16);
}

static enum status put_boot_sector(const struct job *j, uint32_t sector)
{
	static const char *const names[] = {"FAT12   ", "FAT16   ", "FAT32   "};
	const struct layout *l = j->l;
	bool is_32 = l->type == FAT_32;
	uint8_t *b = blank(j), *tail = b + (is_32 ? 64 : 36);
	uint64_t hidden = disk_s512(j->d, j->how->start_lba) >> (l->sector_shift - 9);

	memcpy(b, is_32 ? "\xeb\x58\x90mkfs.mir" : "\xeb\x3c\x90mkfs.mir", 11);
	set16(b + 11, 1u << l->sector_shift);
	b[13] = (uint8_t)(1u << l->cluster_shift);
	set16(b + 14, l->reserved);
	b[16] = 2;
	set16(b + 17, is_32 ? 0 : ROOT_ENTRIES);
	if (!is_32 && l->sectors <= UINT16_MAX)
		set16(b + 19, l->sectors);
	else
		set32(b + 32, l->sectors);
	b[21] = MEDIA;
	set16(b + 24, 63);
	set16(b + 26, 255);
	set32(b + 28, hidden <= UINT32_MAX ? (uint32_t)hidden : 0);
	if (is_32) {
		set32(b + 36, l->fat_sectors);
		set32(b + 44, 2); /* the root */
		set16(b + 48, 1); /* FSInfo */
		set16(b + 50, 6); /* copy of this sector */
	} else {
		set16(b + 22, l->fat_sectors);
	}
	tail[0] = 0x80;
	tail[2] = 0x29;
	set32(tail + 3, j->how->serial);
	memcpy(tail + 7, j->how->label ? (const char *)j->how->label : "NO NAME    ", 11);
	memcpy(tail + 18, names[l->type == FAT_12 ? 0 : l->type == FAT_16 ? 1 : 2], 8);
	/* Started by a BIOS, it waits for another disk: int 18h, and a halt. */
	memcpy(tail + 26, "\xcd\x18\xf4\xeb\xfd", 5);
	b[510] = 0x55;
	b[511] = 0xaa;
	return put(j, sector, 1);
}

static enum status put_info(const struct job *j, uint32_t sector)
{
	uint8_t *b = blank(j);

	set32(b, FAT_INFO_SIGN1);
	set32(b + 484, FAT_INFO_SIGN2);
	set32(b + 488, j->l->clusters - 1);
	set32(b + 492, 2);
	b[510] = 0x55;
	b[511] = 0xaa;
	return put(j, sector, 1);
}

static enum status put_fat(const struct job *j, uint32_t sector)
{
	enum status st = put_zeroes(j, sector + 1, j->l->fat_sectors - 1);
	uint8_t *b = blank(j);

	switch (j->l->type) {
	case FAT_32:
		set32(b, 0x0fffff00 | MEDIA);
		set32(b + 4, 0x0fffffff);
		set32(b + 8, 0x0fffffff); /* the root */
		break;
	case FAT_16:
		set16(b, 0xff00 | MEDIA);
		set16(b + 2, 0xffff);
		break;
	default:
		set16(b, 0xff00 | MEDIA);
		b[2] = 0xff;
		break;
	}
	return st == ST_OK ? put(j, sector, 1) : st;
}

/* FAT32: the first cluster, else the sectors before it. */
static enum status put_root(const struct job *j)
{
	const struct layout *l = j->l;
	uint32_t first = l->reserved + 2 * l->fat_sectors;
	enum status st;
	uint8_t *b;

	st = put_zeroes(j, first, l->root_sectors ? l->root_sectors : 1u << l->cluster_shift);
	if (st != ST_OK || !j->how->label)
		return st;
	b = blank(j);
	memcpy(b, j->how->label, 11);
	b[11] = FAT_VOLUME;
	set16(b + 24, 1 << 5 | 1); /* 1980-01-01: the first day there is */
	return put(j, first, 1);
}

static enum status put_all(const struct job *j)
{
	const struct layout *l = j->l;
	enum status st = put_zeroes(j, 0, l->reserved);

	if (st == ST_OK)
		st = j->d->flush(j->d);
	for (unsigned i = 0; i < 2 && st == ST_OK; i++)
		st = put_fat(j, l->reserved + i * l->fat_sectors);
	if (st == ST_OK)
		st = put_root(j);
	if (st == ST_OK && l->type == FAT_32) {
		st = put_info(j, 1);
		if (st == ST_OK)
			st = put_boot_sector(j, 6);
		if (st == ST_OK)
			st = put_info(j, 7);
	}
	if (st == ST_OK)
		st = j->d->flush(j->d);
	if (st == ST_OK)
		st = put_boot_sector(j, 0);
	return st == ST_OK ? j->d->flush(j->d) : st;
}

enum status fat_format(const struct disk *d, const struct fat_format *how, void *buf,
		       uint32_t buf_bytes)
{
	struct layout l = {.sector_shift = d->shift,
			   .sectors = (uint32_t)min_u64(how->sectors, UINT32_MAX)};
	struct job j = {.d = d, .how = how, .l = &l, .buf = buf};

	if (!range_ok(how->start_lba, how->sectors, d->sectors))
		return ST_RANGE;
	if (!d->write || !d->flush)
		return ST_READONLY;
	if (buf_bytes > PIECE_MAX)
		buf_bytes = PIECE_MAX;
	j.half_sectors = buf_bytes >> (d->shift + 1);
	if (!j.half_sectors || !choose(&l, how))
		return ST_RANGE;
	return put_all(&j);
}
