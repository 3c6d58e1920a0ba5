/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: its entries, and files in pieces. */
#include "tests/prove/prove_fat.h"

#define ROOM (2 * DISK_SECTOR_BYTES)

static void on_fat(unsigned disk_shift, unsigned sector_shift, bool fat32)
{
	struct disk d = prove_disk(disk_shift);
	uint8_t room[ROOM];
	struct fat_entry entry;
	struct fat_file file;
	uint32_t value, got;
	struct fat f;
	bool dirty;

	prove_fat(&f, &d, sector_shift, fat32);
	fat_is_dirty(&f, &dirty);
	fat_get(&f, any_u32(), &value);
	fat_follow(&f, any_u32(), &value);
	ANY_BYTES(entry);
	if (fat_file_open(&f, &entry, &file) == ST_OK)
		while (fat_file_read(&f, &file, room, sizeof(room), &got) == ST_OK && got)
			;
}

void prove_main(void)
{
	ON_EACH_FAT(on_fat);
}
