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

/* In pages of its own: the firmware may keep it when we go. */
struct blockio {
	EFI_BLOCK_IO bio; /* first: the protocol's This is us */
	EFI_BLOCK_IO2_PROTOCOL bio2;
	EFI_BLOCK_IO_MEDIA media; /* one for both: the firmware's Disk I/O insists */
	EFI_HANDLE handle;
	struct blockio_path path;
	const struct vdisk_set *set;
	unsigned v;
};

struct blockios {
	unsigned count;
	struct blockio *volume[VDISK_MAX];
};

/* Does this device path lie in one of these? */
bool blockio_is_volume(const void *path);

/*
 * Present vdisk v of the set, a volume, and have the firmware look for partitions and
 * file systems on it. Between request_start() and request_stop().
 */
bool blockio_publish(struct blockios *all, const struct vdisk_set *set, unsigned v,
		     const struct mirror *m, const struct efidisks *disks);

/*
 * Take all back. One that somebody does not let go of stays, as a drive without a
 * medium: BLOCKIO_LEFT. BLOCKIO_STUCK: not even that can be done, and we must stay, too.
 */
enum blockio_gone { BLOCKIO_GONE, BLOCKIO_LEFT, BLOCKIO_STUCK };
enum blockio_gone blockio_unpublish(struct blockios *all);

#endif
