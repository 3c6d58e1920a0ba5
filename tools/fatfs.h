/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Files on a FAT file system inside a disk or image. Paths are written "EFI/BOOT/BOOTX64.EFI";
 * ASCII letters are alike in both cases. Each change is a plan of common/fat_plan, carried out: a
 * cut leaves the old or the new file, whole; a file system that is damaged is not written to.
 */
#ifndef TOOLS_FATFS_H
#define TOOLS_FATFS_H

#include "common/fat_plan.h"

#define FATFS_PATH_BYTES 128
#define FATFS_FILE_MAX   (64u << 20) /* of a file that is read as a whole */

struct fatfs {
	const struct disk *disk;
	uint64_t start_lba, sectors;
	struct fat fat;
	char error[520]; /* why the last call failed */
};

/*
 * The file system in these sectors. ST_ABSENT: there is none; ST_RANGE: it is larger; ST_IO,
 * ST_CORRUPT, ST_UNSUPPORTED: it can't be read, is damaged, of a kind that is not known.
 */
enum status fatfs_open(struct fatfs *f, const struct disk *d, uint64_t start_lba, uint64_t sectors);

enum fatfs_kind { FATFS_NONE, FATFS_FILE, FATFS_DIR };

/* What is at path; name: as the directory spells its last part (may be NULL). */
enum status fatfs_lookup(struct fatfs *f, const char *path, enum fatfs_kind *kind,
			 char name[FATFS_PATH_BYTES]);

/* Is this directory without entries of its own? Also when there is none. */
enum status fatfs_is_empty(struct fatfs *f, const char *path, bool *empty);

/*
 * The whole file, with a NUL behind it: *data is to be freed. ST_ABSENT: no such file. ST_FULL:
 * it is larger than FATFS_FILE_MAX.
 */
enum status fatfs_read(struct fatfs *f, const char *path, uint8_t **data, size_t *n_bytes);

/* The whole file, replacing one of that name; read back and compared. */
enum status fatfs_write(struct fatfs *f, const char *path, const void *data, size_t n_bytes);

enum status fatfs_mkdir(struct fatfs *f, const char *path);
/* A file, or a directory with all that is in it. */
enum status fatfs_delete(struct fatfs *f, const char *path);

/*
 * Is it whole, so that it would be written to? Nothing is written. *tidy: the next change would
 * put right what a cut has left behind: the dirty mark, lost clusters.
 */
enum status fatfs_may_write(struct fatfs *f, bool *tidy);

enum status fatfs_free_bytes(struct fatfs *f, uint64_t *free_bytes);

#endif
