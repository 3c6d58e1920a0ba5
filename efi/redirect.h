/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Stale legs out of sight: the firmware's own Block I/O of each disk that holds
 * members answers from the disk's view, so that whichever handle a loader uses,
 * it reads the newest bytes. Writes inside members go to all legs of their mirrors,
 * or are refused; others, to the ESP say, go to the disk as before.
 */
#ifndef EFI_REDIRECT_H
#define EFI_REDIRECT_H

#include "efi/efidisk.h"
#include "common/vdisk.h"

/*
 * Have disk answer as vdisk v of the set. own_device: the handle that we were
 * started from, which must live on. False: the firmware kept a file system of
 * it open, and may show old bytes that it has read before.
 */
bool redirect_start(struct efidisks *disks, unsigned disk, const struct survey *s,
		    struct vdisk_set *set, unsigned v, EFI_HANDLE own_device);

/* Everything as it was. */
void redirect_stop(EFI_HANDLE own_device);

#endif
