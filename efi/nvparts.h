/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The GPT partitions of the firmware's disks; and which of them are clones of each other. */
#ifndef EFI_NVPARTS_H
#define EFI_NVPARTS_H

#include "common/nvtwin.h"
#include "efi/efidisk.h"

#define NVPARTS_MAX  512
#define NVPARTS_ESPS 32
#define NVPARTS_NAME 12 /* "disk 15" */

struct nvparts_efi {
	struct nvparts parts; /* first: what plans are given */
	struct efidisks disks;
	char name[SURVEY_DISKS][NVPARTS_NAME];
	struct nvpart part[NVPARTS_MAX];
	unsigned count;
	bool full;
	struct nvtwin_esp esp[NVPARTS_ESPS]; /* with a manifest */
	unsigned esps;
	struct nvpart_room room;
	struct part_list list; /* scratch */
	uint8_t sector[DISK_SECTOR_BYTES];
};

/* Of all disks. What of a table can't be read is said. */
void nvparts_find(struct nvparts_efi *n, struct text *out);

/* Read the manifests of its EFI system partitions. */
void nvparts_manifests(struct nvparts_efi *n);

/* A partition by "DISK:NUMBER", as "1:2" for partition 2 of disk 1. False: there is none. */
bool nvparts_named(const struct nvparts_efi *n, const char *word, struct guid *guid);

#endif
