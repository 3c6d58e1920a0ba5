/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The boot sector of a FAT: what holds of one that was accepted, prove_fat() takes for granted. */
#include "common/fat.h"

#include "tests/prove/prove.h"

static void on_disk(unsigned shift)
{
	struct disk d = prove_disk(shift);
	struct fat f;

	if (fat_open(&f, &d, any_u64(), any_u64()) != ST_OK)
		return;
	//@ check sector: shift <= f.sector_shift && 9 <= f.sector_shift <= 12;
	//@ check cluster: f.sector_shift <= f.cluster_shift <= f.sector_shift + 7;
	if (f.type != FAT_12 && f.type != FAT_16 && f.type != FAT_32) {
		//@ check type: \false;
	}
	if (f.clusters == 0 || f.clusters > 0x0ffffff5) {
		//@ check clusters: \false;
	}
}

void prove_main(void)
{
	ON_EACH_SHIFT(on_disk);
}
