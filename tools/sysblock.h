/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What Linux knows of block devices: partitions, mounts, controllers (sysfs, libmount). */
#ifndef TOOLS_SYSBLOCK_H
#define TOOLS_SYSBLOCK_H

#include "tools/hostdisk.h"

#include <sys/stat.h>

/* Is dev a partition? Of which whole disk, and where it starts (in 512-byte units). */
bool sysblock_partition(dev_t dev, dev_t *whole, uint64_t *start_s512);

/* A loop device over a whole file: st becomes that file's. */
void sysblock_backing(struct stat *st);

/* Is dev a loop device over this file, or a part of it? */
bool sysblock_is_over(dev_t dev, const struct stat *file);

/*
 * Is a file system mounted that lies within these bytes of
 * the disk: its partitions, or loop devices over the image? *where: the mount
 * point, to be freed.
 */
bool sysblock_mounted(const struct hostdisk *h, uint64_t start_bytes, uint64_t len_bytes,
		      char **where);

/* The controller's address as sysfs has it ("0000:00:1f.2"), or false. */
bool sysblock_controller(const struct hostdisk *h, char *name, size_t size);

#endif
