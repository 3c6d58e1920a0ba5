/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A file system as fat_open() leaves it, with any numbers in it (harness_fat_open.c has checked).
 */
#ifndef TESTS_PROVE_PROVE_FAT_H
#define TESTS_PROVE_PROVE_FAT_H

#include "common/fat.h"

#include "tests/prove/prove.h"

static inline void prove_fat(struct fat *f, const struct disk *d, unsigned sector_shift, bool fat32)
{
	ANY_BYTES(*f);
	f->disk = d;
	f->sector_shift = (uint8_t)sector_shift;
	f->cluster_shift = (uint8_t)(sector_shift + any_below(8));
	f->type = fat32 ? FAT_32 : any_bool() ? FAT_16 : FAT_12;
	f->clusters = Frama_C_unsigned_int_interval(1, 0x0ffffff5);
	f->few_for_fat32 = any_bool();
}

/* Sectors of the disk, of the file system: equal, or of 512 bytes on the disk. */
#define ON_EACH_FAT(function)                                                                      \
	do {                                                                                       \
		(function)(9, 9, false);                                                           \
		(function)(9, 9, true);                                                            \
		(function)(9, 12, false);                                                          \
		(function)(9, 12, true);                                                           \
		(function)(12, 12, false);                                                         \
		(function)(12, 12, true);                                                          \
	} while (0)

#endif
