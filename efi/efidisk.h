/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The firmware's whole disks as struct disk. Their functions are saved here before
 * redirect.c puts others in their place, so what we read and write is always the
 * disk itself.
 */
#ifndef EFI_EFIDISK_H
#define EFI_EFIDISK_H

#include "common/report.h"
#include "common/survey.h"
#include "common/vdisk.h"
#include "efi/uefi.h"

struct efidisk {
	EFI_HANDLE handle;
	EFI_DEVICE_PATH *path;
	EFI_BLOCK_IO *bio;
	EFI_BLOCK_IO2_PROTOCOL *bio2; /* NULL: the disk has none */
	EFI_BLOCK_READ read;          /* the firmware's own */
	EFI_BLOCK_WRITE write;
	EFI_BLOCK_FLUSH flush;
	EFI_BLOCK_READ_EX read_ex;
	EFI_BLOCK_WRITE_EX write_ex;
	uint32_t media_id;
	uint32_t align_mask; /* buffers must be at multiples of this, plus one */
	uint8_t *bounce;     /* for buffers that are not: the one of struct efidisks */
	bool removable;
};

/* One request to the firmware: some drivers mishandle transfers of 32 MiB and more. */
#define EFIDISK_CHUNK_BYTES  (8u * 1024 * 1024)
#define EFIDISK_BOUNCE_BYTES (128u * 1024)
#define EFIDISK_ALIGN_MAX    4096u /* what a page gives; nobody asks for more */

struct efidisks {
	_Alignas(EFIDISK_ALIGN_MAX) uint8_t bounce[EFIDISK_BOUNCE_BYTES];
	uint8_t scratch[VDISK_SCRATCH_SECTORS << DISK_SHIFT_MAX]; /* for writeplan_make() */
	unsigned count;
	bool full; /* there were more */
	struct efidisk efi[SURVEY_DISKS];
	struct disk disk[SURVEY_DISKS];
};

/* Have the firmware start its drivers for everything: it may have connected one boot disk only. */
void efidisk_connect_all(void);

/*
 * Find the disks: in the firmware's order, but the one that we were started from
 * first (device: its path, or NULL).
 */
void efidisk_find(struct efidisks *disks, const void *device);

/* "disk 0", and one line that says which is which: "disks: 0 = SATA 1 931.5 GiB, ...". */
void efidisk_name(const struct report_names *n, unsigned disk, struct text *out);
void efidisk_list(const struct efidisks *disks, struct text *out);

/* Block I/O may be called from event handlers; around what they share with us: */
EFI_TPL efidisk_lock(void); /* the level that it was called at */
void efidisk_unlock(EFI_TPL old);

#endif
