/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A stage2 whose drives take no writes, for formats that can't record one on its way: linked
 * in place of common/vdisk_write.c, md1_mark.c and writeplan.c, which take 3 KiB.
 */
#include "common/writeplan.h"

enum status vdisk_write(struct vdisk_set *set, unsigned v, const struct disk *disk, uint64_t lba,
			uint32_t n, const void *buf)
{
	return ST_READONLY;
}

void writeplan_make(struct vdisk_set *set, const struct survey *s, uint8_t writes, uint8_t *scratch,
		    unsigned scratch_shift)
{
	set->mirror_count = 0;
	set->scratch = NULL;
}
