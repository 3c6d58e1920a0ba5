/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Block I/O and Block I/O 2 requests to a vdisk, from the check of their arguments to the
 * signal of their token: the same for volumes and for disks that answer in place.
 *
 * A token with an event is not waited for. What is wrong with its arguments is returned,
 * and the event stays quiet; what a disk does wrong goes into the token.
 */
#ifndef EFI_REQUEST_H
#define EFI_REQUEST_H

#include "efi/efidisk.h"

/* Between these two: the vdisks of this set can be read and written. */
void request_start(struct vdisk_set *set, const struct survey *s, const struct efidisks *disks);

/* False: a disk has not answered yet, and would do so to memory that is no longer ours. */
bool request_stop(void);

/*
 * In the order of EDK2's own drivers, which its Self Certification Tests expect: the media, that
 * there is something to do, the rest. EFI_SUCCESS with bytes == 0: there is not.
 */
EFI_STATUS request_check(const EFI_BLOCK_IO_MEDIA *media, bool write, UINT32 media_id, EFI_LBA lba,
			 UINTN bytes, const void *buf);

/*
 * Arguments are checked. token: NULL, or as it came. A write is refused as a whole, or
 * all of it is tried.
 */
EFI_STATUS request_read(unsigned v, EFI_LBA lba, UINTN bytes, void *buf,
			EFI_BLOCK_IO2_TOKEN *token);
EFI_STATUS request_write(unsigned v, EFI_LBA lba, UINTN bytes, const void *buf,
			 EFI_BLOCK_IO2_TOKEN *token);

/* Wait for what is queued. False: a disk does not answer. */
bool request_drain(void);

/* Each disk with a leg of this vdisk's mirror, and first what is queued. */
EFI_STATUS request_flush(unsigned v, EFI_BLOCK_IO2_TOKEN *token);

#endif
