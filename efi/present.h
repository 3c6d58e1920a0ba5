/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What loaders get to see: first all views are planned, and which mirrors may be written;
 * only then do volumes appear and disks answer from their views, because the firmware
 * reads, and may write, what it is shown at once.
 */
#ifndef EFI_PRESENT_H
#define EFI_PRESENT_H

#include "common/config.h"
#include "common/policy.h"
#include "common/view.h"
#include "efi/blockio.h"

struct present {
	const struct survey *survey;
	const struct config *config;
	struct efidisks *disks;
	EFI_HANDLE own_device; /* that we were started from: it must live on */
	struct text *out;
	bool warned; /* something could not be presented */

	struct vdisk_set set;
	struct vdisk_tables tables;
	struct blockios volumes;
	uint8_t volume_view[SURVEY_MIRRORS]; /* by mirror; VDISK_NO_LEG: none */
	uint8_t disk_view[SURVEY_DISKS];
};

/* boot_mirror: its volume comes first. The first five members are the caller's. */
void present_start(struct present *p, unsigned boot_mirror);

/* Take all back. False: a disk or a driver still holds memory of ours, and we must stay. */
bool present_stop(struct present *p);

#endif
