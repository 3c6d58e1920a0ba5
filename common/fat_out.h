/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Sectors, clusters and FAT entries on their way to a target. Inside of fat_apply.c and its like;
 * others want fat_write.h.
 *
 * A window of the FAT and one sector of a folder are in memory, so that changes in a row are one
 * write; fat_out_sync() and fat_out_flush() write them out. Rehearsing, nothing is written, and all
 * else is the same.
 */
#ifndef COMMON_FAT_OUT_H
#define COMMON_FAT_OUT_H

#include "common/fat_check.h"

#define FAT_OUT_WINDOW 32768u /* bytes; a power of 2, and whole sectors */

struct fat_out {
	struct fat *f;
	uint32_t *map; /* clusters that can't be taken */
	uint32_t free; /* the others */
	uint32_t next; /* where the search goes on */
	bool rehearse;
	bool wrote;             /* since the last flush */
	bool differs;           /* an error is that of reading back */
	uint32_t fat_at, fat_n; /* the window's first sector, and how many */
	uint32_t fat_changed,
		fat_changed_end; /* from the first that was changed to behind the last */
	bool dir_changed;
	uint32_t dir_at; /* UINT32_MAX: none */
	uint8_t fat_window[FAT_OUT_WINDOW], dir_sector[DISK_SECTOR_BYTES];
	uint8_t back[FAT_OUT_WINDOW];
};

void fat_out_init(struct fat_out *o, struct fat *f, uint32_t *map, uint32_t used, bool rehearse);

/* Straight to the disk. put_sector reads it back: ST_CORRUPT. */
enum status fat_out_put(struct fat_out *o, uint32_t sector, uint32_t n, const void *buf);
enum status fat_out_put_sector(struct fat_out *o, uint32_t sector, const void *buf);

enum status fat_out_sync(struct fat_out *o);
enum status fat_out_flush(struct fat_out *o); /* if anything was written */

/*
 * A free cluster. for_folder: one whose FAT entry lies in one sector, so that it can be linked on
 * at once; from: one (or 0) that is in use, and will be linked to it by changing one sector.
 * ST_FULL.
 */
enum status fat_out_take(struct fat_out *o, bool for_folder, uint32_t from, uint32_t *cluster);
void fat_out_give(struct fat_out *o, uint32_t cluster);

/* fat_follow(), when links may have been changed that are not on the disk yet. */
enum status fat_out_follow(struct fat_out *o, uint32_t cluster, uint32_t *next);

/* In all copies of the FAT. */
enum status fat_out_link(struct fat_out *o, uint32_t cluster, uint32_t value);
uint32_t fat_out_end_mark(const struct fat_out *o);

/* A sector of a folder. Who changes it there sets dir_changed before the next call. */
enum status fat_out_dir(struct fat_out *o, uint32_t sector, uint8_t **bytes);

/* All clusters that nothing has are free ones, and the copies of the FAT are alike. */
enum status fat_out_sweep(struct fat_out *o, bool copies_differ);
/* The count of free clusters, where there is one. */
enum status fat_out_count(struct fat_out *o);
/* Of the boot sector; clean is for the FAT's own marks too. */
enum status fat_out_dirty(struct fat_out *o, bool dirty);

#endif
