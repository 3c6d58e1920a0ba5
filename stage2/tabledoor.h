/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A partition table that no disk has: behind it, volumes lie where their boot sectors
 * believe to be. It is LBA 0 of a drive of its own, which nobody but us knows.
 */
#ifndef STAGE2_TABLEDOOR_H
#define STAGE2_TABLEDOOR_H

#include "common/disk.h"
#include "common/mbrtab.h"

#define TABLEDOOR_DRIVE 0xfd /* its number, which no BIOS gives to a disk */

/* That drive: its first sector is *table, which must stay; zeros behind. */
struct disk tabledoor_disk(const struct mbr_sector *table, uint64_t sectors);

/* Let INT 13h answer for it, before present_install(). ST_FULL: no base memory is left. */
enum status tabledoor_install(const struct mbr_sector *table);

#endif
