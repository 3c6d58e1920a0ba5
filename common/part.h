/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The partitions of a disk, from whichever table it has. One list for MBR and
 * GPT, so that nobody after this room asks which it was.
 */
#ifndef COMMON_PART_H
#define COMMON_PART_H

#include "common/disk.h"
#include "common/guid.h"

#include <stdbool.h>
#include <stdint.h>

#define PART_MAX 128

enum part_table {
	PART_TABLE_NONE, /* no table: perhaps a whole-disk member */
	PART_TABLE_MBR,
	PART_TABLE_GPT,        /* the primary header and its entries are good */
	PART_TABLE_GPT_BACKUP, /* the primary is damaged; this came from the backup */
};

/* What a partition is for, where that matters to us. */
enum part_kind {
	PART_OTHER,
	PART_ESP,       /* EFI system partition */
	PART_BIOS_BOOT, /* GRUB's core.img */
	PART_EXTENDED,  /* MBR container of logical partitions: never a member itself */
};

struct part {
	uint64_t start_lba;
	uint64_t sectors;
	uint16_t number;  /* as Linux numbers them: sda1 is 1, the first logical one 5 */
	uint8_t kind;     /* enum part_kind */
	uint8_t mbr_type; /* MBR only */
	bool active;      /* MBR only */
	struct guid type; /* GPT only */
	struct guid uuid; /* GPT only */
};

struct part_list {
	uint8_t table; /* enum part_table */
	bool full;     /* there were more than PART_MAX */
	uint16_t count;
	uint64_t first_usable_lba; /* GPT: from the header; MBR: 1 */
	uint64_t end_usable_lba;   /* one past the last usable LBA */
	struct part part[PART_MAX];
};

/*
 * Read the partition table: GPT (primary, then backup) where the MBR is
 * protective or where a GPT header is found, else MBR with its extended
 * partitions. Entries that leave the disk or are empty are left out.
 *
 * ST_OK      with table NONE, MBR or GPT...
 * ST_IO      the sector that decides could not be read
 * ST_CORRUPT a protective MBR, and neither GPT can be trusted
 *
 * buf is scratch room of one sector (DISK_SECTOR_BYTES).
 */
enum status part_read(const struct disk *d, struct part_list *list, void *buf);

#endif
