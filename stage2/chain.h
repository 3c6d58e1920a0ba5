/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* chain-load: the boot code that a disk had before us, and starting it. */
#ifndef STAGE2_CHAIN_H
#define STAGE2_CHAIN_H

#include "common/bootarea.h"
#include "common/config.h"
#include "common/disk.h"

#include <stdbool.h>

struct chain_code {
	bool found;
	bool is_volume; /* the boot sector of the active partition, not of the disk */
	struct mbr_sector sector;
};

/*
 * ST_OK: d has a boot area of ours, its header is *h, its place *area_lba. Boot areas
 * exist only on disks with 512-byte sectors: no BIOS starts others.
 */
enum status chain_open_area(const struct disk *d, struct bootarea_header *h, uint64_t *area_lba);

/*
 * What this disk would start without us: the code that was saved in its boot area,
 * or its own LBA 0 when that is not ours. found: it has such code.
 */
void chain_find(const struct disk *d, struct chain_code *c);

/* The config in the boot area of this disk. ST_CORRUPT: *err says which line; others: not read. */
enum status chain_read_config(const struct disk *d, struct config *c, struct config_error *err);

/* LBA 0 of d, when it is one that can be started. */
bool chain_read_boot_sector(const struct disk *d, struct mbr_sector *sector);

/*
 * Put code's boot code and lba0's partition table to 0000:7c00 and start them as the
 * firmware would: DL = drive. A volume's boot sector goes there whole, as it would be
 * started by the disk's: that one, table and all, moved to 0000:0600.
 */
void chain_start(const struct chain_code *code, const struct mbr_sector *lba0, uint8_t drive)
	__attribute__((noreturn));

#endif
