/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Long reads, by all legs at once: parts of a request go to legs whose disks have
 * Block I/O 2, and are waited for. common/share.c says which parts and which legs.
 */
#ifndef EFI_SPREAD_H
#define EFI_SPREAD_H

#include "common/share.h"
#include "efi/efidisk.h"

/* Between these two. Without the first, every read is plain. */
void spread_start(const struct share *sh, const struct efidisks *disks);
void spread_stop(void);

/*
 * As vdisk_read() of the share's set. The caller holds efidisk_lock(); at_once: it was called at
 * a level that lets the timers of drivers run.
 */
enum status spread_read(unsigned v, uint64_t lba, uint32_t n, void *buf, bool at_once);

#endif
