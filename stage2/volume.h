/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Volumes of dynamic disks: one leg lies where the volume's boot sector believes to be,
 * behind a partition table that says so. Another may lie elsewhere, or on a disk whose
 * table does not know it. Then a disk is made up on which the volume is where it belongs.
 */
#ifndef STAGE2_VOLUME_H
#define STAGE2_VOLUME_H

#include "stage2/drives.h"

/*
 * 80h by the boot mirror's own boot sector: d->base, d->code, and where none of its disks
 * can be started as it is, a made-up disk as the first vdisk (d->table_made). False: nothing
 * of this is called for; the disk is started as any other.
 */
bool volume_plan(struct drives *d, struct text *out);

#endif
