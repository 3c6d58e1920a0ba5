/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The boot record on UEFI: a variable of the firmware's. Read before it is decided,
 * written before the hand-over when it tells anything new, and again when a disk fails
 * while the next loader reads.
 *
 * docs/formats/bootarea.md has its name and form.
 */
#ifndef EFI_BOOTRECORD_H
#define EFI_BOOTRECORD_H

#include "common/record.h"
#include "common/vdisk.h"
#include "efi/efidisk.h"

struct bootrecord {
	const struct survey *survey;
	const struct vdisk_set *set;
	struct record_seen known; /* by the variable */
	struct record_seen seen;  /* by it, and by the records on disks that BIOS boots left */
	struct record there;      /* the variable as it was found, if known.any */
	struct record now;        /* of this boot */
	uint32_t failed;          /* disks that are noted as failed: bit i is disk i */
	uint16_t failovers;       /* that were seen by bootrecord_watch() */
	EFI_EVENT changed;        /* a leg has failed; NULL: nothing is to be noted */
};

/* Read it, and the records on disks, and let each mirror know what was seen of it before. */
void bootrecord_read(struct bootrecord *b, struct survey *s, const struct disk *disk);

/*
 * Write it, and note from now on which disks fail. set: has failed what it has failed so
 * far. A firmware that can't keep it is said on out, and is no reason to stop.
 */
void bootrecord_write(struct bootrecord *b, unsigned boot_mirror, const struct vdisk_set *set,
		      struct text *out);

/*
 * After each read and write of a vdisk: has a leg failed? It is written down when the
 * caller's caller is done, because the firmware may keep variables on a disk.
 */
void bootrecord_watch(const struct vdisk_set *set);

/* Nothing is noted any more. */
void bootrecord_close(struct bootrecord *b);

#endif
