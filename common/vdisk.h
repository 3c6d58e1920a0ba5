/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The disks that we present, and reading them with failover.
 *
 * A vdisk is a sorted list of extents without gaps; each extent names the legs
 * that can serve it, best first. Holes, rebuilding limits and skewed legs are
 * all compiled into extents (view.c), so reading is a look-up. The whole set is
 * plain data without pointers: stage2 builds it in protected mode and hands it
 * to the resident part, which runs this same file in real mode.
 *
 * A leg that fails a read is latched off: it is read again only where no other
 * leg is left. The whole request is then read again without it, so that what a
 * failing disk gave before it failed is not kept. Only when no legs can give the
 * whole request is each piece taken from whichever can.
 */
#ifndef COMMON_VDISK_H
#define COMMON_VDISK_H

#include "common/disk.h"

#define VDISK_MAX         16
#define VDISK_EXTENTS     40
#define VDISK_LEGS        32 /* one bit each in a uint32_t */
#define VDISK_EXTENT_LEGS 4
#define VDISK_NO_LEG      0xff

/* A place that can serve extents: a leg of a mirror, or a disk as it is. */
struct vdisk_leg {
	uint64_t start_lba; /* of the leg's data on its disk */
	uint8_t disk;       /* index into the array of disks */
	uint8_t mirror;     /* index in the survey; VDISK_NO_LEG: a disk as it is */
	uint8_t leg;        /* index in the mirror */
	uint8_t latched;    /* has failed a read in this boot */
};

struct vdisk_extent {
	uint64_t lba; /* on the vdisk */
	uint64_t sectors;
	/*
	 * Where in the leg: the sector read is leg.start_lba + offset + (lba - extent.lba),
	 * modulo 2^64, because metadata may lie before the data.
	 */
	uint64_t offset;
	uint8_t leg[VDISK_EXTENT_LEGS]; /* best first, then VDISK_NO_LEG */
};

struct vdisk {
	uint64_t sectors;
	uint16_t first_extent;
	uint16_t extent_count;
	uint8_t shift;  /* log2 of the sector size */
	uint8_t base;   /* disk view: the disk that it stands for; volume view: VDISK_NO_LEG */
	uint8_t mirror; /* volume view: the survey's mirror; else VDISK_NO_LEG */
};

struct vdisk_set {
	uint8_t vdisk_count;
	uint8_t leg_count;
	uint16_t extent_count;
	uint16_t failovers; /* legs latched off so far */
	struct vdisk vdisk[VDISK_MAX];
	struct vdisk_leg leg[VDISK_LEGS];
	struct vdisk_extent extent[VDISK_EXTENTS];
};

/*
 * Read n sectors at lba of vdisk v. disk[] is the array that leg.disk indexes.
 * buf is only handed on (and advanced): the resident part passes addresses that
 * it can't itself dereference.
 *   ST_RANGE  the request leaves the vdisk    ST_IO  no leg could serve it
 */
enum status vdisk_read(struct vdisk_set *set, unsigned v, const struct disk *disk, uint64_t lba,
		       uint32_t n, void *buf);

/* Writes are answered ST_READONLY, after the same range check. */
enum status vdisk_write(struct vdisk_set *set, unsigned v, const struct disk *disk, uint64_t lba,
			uint32_t n, const void *buf);

/* A vdisk as a struct disk: ctx is the handle, which must outlive it. */
struct vdisk_handle {
	struct vdisk_set *set;
	unsigned v;
	const struct disk *disk;
};
struct disk vdisk_as_disk(struct vdisk_handle *h);

#endif
