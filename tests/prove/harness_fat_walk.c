/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: all of a tree. Folders give any entries: harness_fat_dir.c has what fat_dir_next() does. */
#include "tests/prove/prove_fat.h"

/*
 * In place of fat_dir.c's: any entry that its contract allows. The name has an end, as
 * harness_fat_dir.c checks.
 */
enum status fat_dir_next(struct fat *f, struct fat_dir *dir, struct fat_entry *e)
{
	ANY_BYTES(*dir);
	ANY_BYTES(*e);
	e->name_bytes = any_below(FAT_NAME_BYTES);
	e->name[FAT_NAME_BYTES - 1] = '\0';
	return any_bool() ? ST_OK : any_failure();
}

enum status fat_dir_open(const struct fat *f, const struct fat_entry *folder, struct fat_dir *dir)
{
	ANY_BYTES(*dir);
	return any_bool() ? ST_OK : any_failure();
}

void fat_root(const struct fat *f, struct fat_dir *dir)
{
	ANY_BYTES(*dir);
}

static void on_fat(unsigned disk_shift, unsigned sector_shift, bool fat32)
{
	struct disk d = prove_disk(disk_shift);
	struct fat_walk walk;
	struct fat f;

	prove_fat(&f, &d, sector_shift, fat32);
	ANY_BYTES(walk);
	fat_walk_start(&f, &walk);
	//@ loop widen_hints "all", 32, 1024;
	while (fat_walk_next(&f, &walk) != ST_ABSENT)
		walk.descend = any_bool();
}

void prove_main(void)
{
	ON_EACH_FAT(on_fat);
}
