/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Volumes, presented: the data of each mirror as a Block I/O disk of its own, on
 * a new handle with the device path VenMedia(ours, mirror's UUID). A media node
 * at the root sorts before every hardware path, so GRUB looks here first.
 */
#ifndef EFI_BLOCKIO_H
#define EFI_BLOCKIO_H

#include "efi/efidisk.h"
#include "common/vdisk.h"

struct blockio_path {
	uint8_t type, subtype, bytes[2];
	EFI_GUID vendor;
	struct guid mirror;
	uint8_t end[4];
};

struct blockio {
	EFI_BLOCK_IO bio; /* first: the protocol's This is us */
	EFI_BLOCK_IO2_PROTOCOL bio2;
	EFI_BLOCK_IO_MEDIA media; /* one for both: the firmware's Disk I/O insists */
	EFI_HANDLE handle;
	struct blockio_path path;
	struct vdisk_set *set;
	const struct disk *disk;
	unsigned v;
};

struct blockios {
	unsigned count;
	struct blockio volume[VDISK_MAX];
};

/* Present vdisk v of the set, and have the firmware look for partitions and file systems on it. */
bool blockio_publish(struct blockios *all, struct vdisk_set *set, unsigned v,
		     const struct mirror *m, const struct efidisks *disks);

/* Take all back. False: the firmware still holds one, and we must not go away under it. */
bool blockio_unpublish(struct blockios *all);

/*
 * The rest of a Block I/O 2 request whose work was done at once: status goes into
 * the token and the event is signalled, when there is one.
 */
EFI_STATUS blockio_finish(EFI_BLOCK_IO2_TOKEN *token, EFI_STATUS status);

/*
 * What the specification has a driver check before it reads (UEFI 2.10, 13.9), but
 * for the buffer's alignment. EFI_SUCCESS with bytes == 0: there is nothing to do.
 */
EFI_STATUS blockio_check(const EFI_BLOCK_IO_MEDIA *media, UINT32 media_id, EFI_LBA lba, UINTN bytes,
			 const void *buf);

/* Read from a vdisk; the arguments are checked, and bytes are whole sectors. */
EFI_STATUS blockio_read(struct vdisk_set *set, unsigned v, const struct disk *disk, EFI_LBA lba,
			UINTN bytes, void *buf);

#endif
