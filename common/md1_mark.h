/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What a write leaves in an md 1.x superblock. Runs in the resident part: it sees
 * one sector, the superblock's first.
 *
 * Each was tried with Linux 6.1 and mdadm 4.2 on both legs:
 *  - resync_offset 0 with a bit in the bitmap, or without a bitmap: after a cut, md
 *    copies the chunk, or all, from its lowest leg. One without the other is not seen.
 *  - a device that misses a write becomes faulty in the others' map, with events two
 *    further on: md leaves it out. The bitmap's own event count stays behind, by which
 *    md knows that bits are missing, and copies all when the device comes back.
 */
#ifndef COMMON_MD1_MARK_H
#define COMMON_MD1_MARK_H

#include "common/vdisk.h"

/* Entries of the role map that a sector has room for. */
#define MD1_ROLES_IN(sector_bytes) (((sector_bytes)-256u) / 2)

/*
 * In a superblock whose first sector (of 1 << shift bytes) this is: say that a write is
 * on its way (open), or that none is, and make every active device that is not among
 * m's legs faulty. False: not a whole superblock of which all is in this sector.
 */
bool md1_mark(uint8_t *sb, unsigned shift, bool open, const struct vdisk_mirror *m);

#endif
