/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Reads that a caller does not wait for: handed to a leg's disk, when that has Block
 * I/O 2, and finished when it says so. A leg that fails is latched, and the request read
 * again with failover before its caller learns of it.
 */
#ifndef EFI_QUEUE_H
#define EFI_QUEUE_H

#include "common/share.h"
#include "efi/efidisk.h"

#define QUEUE_SLOTS 32 /* requests under way; a further one is done at once */

/* Between these two. */
void queue_start(const struct share *sh, const struct efidisks *disks);

/* False: a disk has not answered yet, and would do so to memory that is no longer ours. */
bool queue_stop(void);

/*
 * Begin a read of n sectors; its token, which has an event, gets the result later. False:
 * there is no room or no way, and it is to be read now.
 */
bool queue_read(unsigned v, uint64_t lba, uint32_t n, void *buf, EFI_BLOCK_IO2_TOKEN *token);

/* Wait until nothing is under way. False: a disk does not answer. */
bool queue_drain(void);

/* Give a token its result. */
void queue_finish(EFI_BLOCK_IO2_TOKEN *token, EFI_STATUS status);

#endif
