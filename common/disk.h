/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A place to read sectors. A whole disk, a partition slice, a leg and a vdisk
 * are all disks, so that every reader works on each of them.
 */
#ifndef COMMON_DISK_H
#define COMMON_DISK_H

#include "common/status.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * read, write: n sectors at lba; the whole request or an error, and after an
 * error the buffer's content is unknown. Each checks the range itself and
 * answers ST_RANGE. Sectors are of (1 << shift) bytes, 9 to 12 for shift.
 */
struct disk {
	enum status (*read)(const struct disk *, uint64_t lba, uint32_t n, void *buf);
	enum status (*write)(const struct disk *, uint64_t lba, uint32_t n, const void *buf);
	enum status (*flush)(const struct disk *);
	void *ctx;
	uint64_t sectors;
	uint8_t shift;
};

#define DISK_SHIFT_MIN    9
#define DISK_SHIFT_MAX    12
#define DISK_SECTOR_BYTES 4096 /* room for one sector of any disk */

/* md, LDM and MBR count in 512-byte units (s512) whatever the disk's sector size. */
static inline uint64_t disk_s512(const struct disk *d, uint64_t lba)
{
	return lba << (d->shift - 9);
}

/* Sectors of the disk that hold n s512 units, rounded up. */
static inline uint64_t disk_from_s512_up(const struct disk *d, uint64_t s512)
{
	unsigned s = d->shift - 9u;

	return (s512 >> s) + ((s512 & ((1u << s) - 1)) != 0);
}

/* Is an s512 position on a sector boundary of this disk? */
static inline bool disk_s512_aligned(const struct disk *d, uint64_t s512)
{
	return (s512 & ((1u << (d->shift - 9)) - 1)) == 0;
}

/* Checked read: ST_RANGE when the request leaves the disk. */
enum status disk_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf);

/*
 * Read s512 units from..from+n into buf. Both must be on sector boundaries of
 * the disk (ST_RANGE otherwise): all metadata we know lies on 4 KiB boundaries.
 */
enum status disk_read_s512(const struct disk *d, uint64_t from_s512, uint32_t n_s512, void *buf);

#endif
