/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: folders, names, all of a tree. */
#include "tests/prove/prove_fat.h"

static void on_fat(unsigned disk_shift, unsigned sector_shift, bool fat32)
{
	struct disk d = prove_disk(disk_shift);
	struct fat_entry entry;
	struct fat_dir dir;
	struct fat f;

	prove_fat(&f, &d, sector_shift, fat32);
	ANY_BYTES(entry);
	fat_root(&f, &dir);
	while (fat_dir_next(&f, &dir, &entry) == ST_OK)
		if (any_bool())
			fat_dir_open(&f, &entry, &dir);
}

void prove_main(void)
{
	ON_EACH_FAT(on_fat);
}
