/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The disks of this machine, for commands that are given none; and what Linux calls their
 * partitions and the arrays over them. From sysfs: MIRRORBOOT_SYSFS of the environment, else /sys.
 */
#ifndef TOOLS_SYSDISKS_H
#define TOOLS_SYSDISKS_H

#include "tools/hostdisk.h"

/*
 * Paths of all that is hardware, can be read and has sectors, in the order of their names: no loop
 * devices, md, device-mapper, optical drives. *path and each of them are to be freed. Their number.
 */
unsigned sysdisks_find(char ***path);
void sysdisks_free(char **path, unsigned count);

/* "/dev/sda1" for partition 1 of a disk, 0: the whole; to be freed. NULL: the system has none. */
char *sysdisks_partition(const struct hostdisk *h, unsigned part);

/* "/dev/md0", the array that runs and has this partition; to be freed. NULL: there is none. */
char *sysdisks_array(const struct hostdisk *h, unsigned part);

#endif
