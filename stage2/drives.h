/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* vdisk: which drive numbers there will be, and what answers behind each. */
#ifndef STAGE2_DRIVES_H
#define STAGE2_DRIVES_H

#include "common/policy.h"
#include "common/view.h"
#include "stage2/biosdisk.h"
#include "stage2/chain.h"
#include "stage2/int13.h"

/* All that is known when the numbers are given out. */
struct drives {
	const struct survey *survey;
	const struct config *config;
	struct biosdisks *disks;
	unsigned mirror;        /* the boot mirror */
	unsigned came_from;     /* the disk that stage2 was read from */
	unsigned base;          /* the disk that 80h stands for, or whose boot code starts it */
	struct chain_code code; /* what is started */
	struct int13 int13;     /* the result; disk indices in the set are the survey's */
	struct int13_drive drive[INT13_DRIVES];
	bool table_made; /* 80h is a disk that is made up (volume.c), with this table: */
	struct mbr_sector table;
	struct vdisk_tables tables;
	uint8_t scratch[INT13_SCRATCH_BYTES];
};

/*
 * Fill in base, code and int13, and say on out what is not as one would expect.
 * False, with the reason on out: there is nothing to start, or no room to present it.
 */
bool drives_plan(struct drives *d, struct text *out);

#endif
