/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Small FAT file systems on disks in memory, from the offsets in Microsoft's FAT
 * specification 1.03, without the code under test.
 */
#ifndef TESTS_UNIT_HELP_FAT_H
#define TESTS_UNIT_HELP_FAT_H

#include "tests/unit/help_md.h"

struct fatimage {
	struct memdisk m;
	uint64_t start_lba;
	/* the layout, in sectors of sector_bytes */
	unsigned type, sector_bytes, cluster_sectors, reserved, fats, fat_sectors, root_entries;
	uint32_t sectors, clusters, root_cluster;
};

/* 12, 16 or 32, with few clusters for the type. */
void fatimage_open(struct fatimage *f, unsigned type, unsigned sector_bytes,
		   unsigned cluster_sectors);
void fatimage_close(struct fatimage *f);

uint8_t *fatimage_at(struct fatimage *f, uint32_t sector);
uint8_t *fatimage_cluster(struct fatimage *f, uint32_t cluster);
/* In all copies of the FAT. */
void fatimage_link(struct fatimage *f, uint32_t cluster, uint32_t value);
/* "first..last" in a row, then the end of the chain. */
void fatimage_chain(struct fatimage *f, uint32_t first, uint32_t last);

/* Slot n of the root, or of the folder that has this cluster (not following its chain). */
uint8_t *fatimage_slot(struct fatimage *f, uint32_t folder, unsigned n);
void fatimage_entry(struct fatimage *f, uint32_t folder, unsigned n, const char *name11,
		    uint8_t attributes, uint32_t cluster, uint32_t bytes);
/* One slot of a long name: 13 units from this ASCII text, with its NUL and FFFFs. */
void fatimage_long(struct fatimage *f, uint32_t folder, unsigned n, uint8_t number,
		   const char *name11, const char *text);
/* A whole long name and its entry, from slot n on; the slot after it. */
unsigned fatimage_long_entry(struct fatimage *f, uint32_t folder, unsigned n, const char *text,
			     const char *name11, uint8_t attributes, uint32_t cluster,
			     uint32_t bytes);
/* A folder in one cluster, with "." and "..". */
void fatimage_folder(struct fatimage *f, uint32_t folder, unsigned n, const char *name11,
		     uint32_t cluster);

#endif
