/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Where the boot area goes on a BIOS disk. Reads only; bootwrite.c does what the
 * plan says.
 *
 * MBR disks: the unallocated sectors before the first partition. GPT disks: the
 * tail of the BIOS boot partition, else the unallocated sectors before the first
 * partition. Always from the end downwards, clear of GRUB's core.img, and only
 * over sectors that are zero or an earlier area of ours.
 */
#ifndef TOOLS_BOOTPLAN_H
#define TOOLS_BOOTPLAN_H

#include "common/part.h"
#include "tools/installed.h"

#define BOOTPLAN_AREA_MAX (BOOTAREA_STAGE2 + BOOTAREA_STAGE2_MAX) /* sectors */
#define BOOTPLAN_LEFT_MAX 8

enum bootplan_fault {
	BOOTPLAN_FINE,
	BOOTPLAN_IO,
	BOOTPLAN_SECTOR_SIZE, /* not 512: this version has no BIOS boot from such disks */
	BOOTPLAN_NO_TABLE,
	BOOTPLAN_TABLE_DAMAGED,
	BOOTPLAN_NO_ROOM,  /* longest_sectors says what was found */
	BOOTPLAN_BUILD,    /* this program's own stage2 is larger than the MBR can load */
	BOOTPLAN_NEWER,    /* the area is of a version that this one can't read */
	BOOTPLAN_TOO_MANY, /* more partitions than are kept: where they all lie is not known */
};

enum bootplan_place { BOOTPLAN_GAP, BOOTPLAN_BIOS_BOOT };

struct bootplan_area {
	uint64_t lba;
	uint32_t sectors;
};

struct bootplan {
	struct installed old;
	bool unchanged; /* all of it is there already: nothing to write */
	/*
	 * No room beside the area in use, or LBA 0 leads to none: the replaced LBA 0 is put
	 * back first, so that a cut leaves a disk that boots as it did before us.
	 */
	bool in_place;
	bool saved_lost; /* LBA 0 is ours, and what it replaced can't be read any more */
	bool saved_left; /* it was found in an area that LBA 0 does not lead to */
	uint8_t place;   /* enum bootplan_place */
	uint16_t part;   /* BIOS_BOOT: its number */
	uint64_t area_lba;
	uint32_t area_sectors;
	uint32_t longest_sectors;      /* NO_ROOM: the longest run that is free */
	unsigned families;             /* that the stage2 must know (enum variant_family) */
	const struct variant *variant; /* the one that is installed; NO_ROOM: the smallest */
	/* the area in use; no sectors: none, or not where an area may be, so not ours to clear */
	struct bootplan_area current;
	/* areas that nothing points to: an earlier run was cut */
	unsigned left_count;
	struct bootplan_area left[BOOTPLAN_LEFT_MAX];
	/* what is going to be written */
	uint8_t area[BOOTPLAN_AREA_MAX * SECTOR];
	uint8_t lba0[SECTOR];
};

/*
 * Plan an install with this config text (CONFIG_TEXT_BYTES at most; NULL: keep the old), of a
 * stage2 that knows these families of formats: the one for all where there is room.
 */
enum bootplan_fault bootplan_make(const struct disk *d, const char *config, unsigned families,
				  struct bootplan *p);

/* What is there to be removed: fills old and left. Nothing is refused for want of room. */
enum bootplan_fault bootplan_look(const struct disk *d, struct bootplan *p);

/*
 * LBA 0 is not ours, and one area was about to be removed when a run was cut: it
 * holds the very code that LBA 0 has now, or it is marked as unfinished.
 */
bool bootplan_only_leftovers(const struct disk *d, const struct bootplan *p);

#endif
