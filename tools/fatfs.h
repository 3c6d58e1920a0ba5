/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Files on a FAT file system inside a disk or image, through mtools. Paths are
 * written "EFI/BOOT/BOOTX64.EFI"; FAT looks names up without regard to case.
 */
#ifndef TOOLS_FATFS_H
#define TOOLS_FATFS_H

#include "common/status.h"
#include "tools/hostdisk.h"

#include <stddef.h>

#define FATFS_PATH_BYTES 128

struct fatfs {
	const struct hostdisk *host;
	uint64_t offset_bytes;
	char error[520]; /* why the last call failed, in mtools' words */
};

/* ST_ABSENT: no FAT file system there. */
enum status fatfs_open(struct fatfs *f, const struct hostdisk *host, uint64_t offset_bytes);

enum fatfs_kind { FATFS_NONE, FATFS_FILE, FATFS_DIR };

/* What is at path; name: as the directory spells its last part (may be NULL). */
enum status fatfs_lookup(struct fatfs *f, const char *path, enum fatfs_kind *kind,
			 char name[FATFS_PATH_BYTES]);

/* Is this directory without entries of its own? */
enum status fatfs_is_empty(struct fatfs *f, const char *path, bool *empty);

/* The whole file: *data is to be freed. ST_ABSENT: no such file. */
enum status fatfs_read(struct fatfs *f, const char *path, uint8_t **data, size_t *n_bytes);

/* Write the whole file, replacing one of that name, then read it back and compare (ST_CORRUPT). */
enum status fatfs_write(struct fatfs *f, const char *path, const void *data, size_t n_bytes);

enum status fatfs_mkdir(struct fatfs *f, const char *path);
enum status fatfs_rmdir(struct fatfs *f, const char *path);
enum status fatfs_delete(struct fatfs *f, const char *path);
enum status fatfs_rename(struct fatfs *f, const char *path, const char *to);

enum status fatfs_free_bytes(struct fatfs *f, uint64_t *free_bytes);

#endif
