/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The BIOS's hard disks, 80h and up, as struct disk. */
#ifndef STAGE2_BIOSDISK_H
#define STAGE2_BIOSDISK_H

#include "common/disk.h"
#include "common/report.h"
#include "common/survey.h"

#define BIOSDISK_FIRST 0x80

/* What loaders see of a disk's geometry; 0 where the BIOS gives none. */
struct biosdisk_chs {
	uint16_t heads;
	uint16_t cylinders;
	uint8_t track_sectors;
};

/* How a disk is reached, learned from what it answers. */
struct biosdisk_way {
	bool chs;          /* by AH=02h and 03h: no EDD, or one that does not work */
	uint8_t count_max; /* sectors a request */
	uint8_t works;     /* the largest request by EDD that it has served */
	uint8_t strikes;   /* how often it let us wait; BIOSDISK_LOST: not asked again */
};
#define BIOSDISK_LOST 2

struct biosdisks {
	unsigned count;
	struct disk disk[SURVEY_DISKS]; /* disk[i] is 80h + i; no sectors: can't be read */
	struct biosdisk_chs chs[SURVEY_DISKS];
	struct biosdisk_way way[SURVEY_DISKS];
};

/*
 * Find the disks. boot_drive is one that surely exists: we were read from it.
 * More than SURVEY_DISKS are left to the BIOS. disks must stay: what is learned
 * about a disk is kept there.
 */
void biosdisk_find(struct biosdisks *disks, uint8_t boot_drive);

/* "81h": the number as the BIOS counts, before we change it. */
void biosdisk_name(const struct report_names *n, unsigned disk, struct text *out);

#endif
