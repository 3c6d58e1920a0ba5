/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The boot records of all BIOS disks: read before it is decided, written before the hand-over. */
#ifndef STAGE2_BOOTRECORD_H
#define STAGE2_BOOTRECORD_H

#include "common/record.h"
#include "common/vdisk.h"
#include "stage2/biosdisk.h"

#define BOOTRECORD_PLACES 2

/* Where the record of this boot is, for record_failover(). */
struct bootrecord_place {
	uint64_t lba;
	uint8_t drive; /* the BIOS's number */
};

struct bootrecord_places {
	uint32_t sequence;
	uint8_t count; /* 0: none was written */
	struct bootrecord_place place[BOOTRECORD_PLACES];
};

/* Read them, and let each mirror of the survey know what was seen of it before. */
void bootrecord_read(struct survey *s, const struct biosdisks *disks);

/*
 * Write the record of this boot to every disk that has a boot area of ours and no read
 * error. set: has failed what it has failed so far. A disk that can't be written is
 * said on out, and is no reason to stop.
 */
void bootrecord_write(const struct survey *s, const struct biosdisks *disks, unsigned boot_mirror,
		      const struct vdisk_set *set, struct bootrecord_places *places,
		      struct text *out);

#endif
