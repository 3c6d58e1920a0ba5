/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A fresh, empty FAT file system: FAT32 wherever 65525 clusters fit (edk2 and Windows refuse it
 * with fewer), FAT16 and FAT12 below that. Sectors are the disk's.
 */
#ifndef COMMON_FAT_FORMAT_H
#define COMMON_FAT_FORMAT_H

#include "common/disk.h"

struct fat_format {
	uint64_t start_lba, sectors; /* of the disk: the partition */
	uint32_t serial;
	const uint8_t *label; /* 11 bytes, padded with blanks; NULL: none */
	/* 0: what fits best */
	uint8_t type;           /* 12, 16, 32 */
	uint32_t cluster_bytes; /* a power of two */
};

/*
 * ST_RANGE: no FAT file system of that type, cluster size and size can be. buf: work space
 * of at least 2 * DISK_SECTOR_BYTES, more makes it faster. The boot sector is written last: a cut
 * leaves no file system rather than half of one. All is read back (ST_CORRUPT).
 */
enum status fat_format(const struct disk *d, const struct fat_format *how, void *buf,
		       uint32_t buf_bytes);

#endif
