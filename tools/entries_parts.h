/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* GPT partitions by their GUID: of the disks that were given, or as libblkid finds them. */
#ifndef TOOLS_ENTRIES_PARTS_H
#define TOOLS_ENTRIES_PARTS_H

#include "common/nvpart.h"
#include "tools/hostdisk.h"

struct entries_parts {
	struct nvparts parts; /* where disks were given, no others are looked for */
	unsigned count;
	struct nvpart **part; /* each stays where it is when others are found */
	unsigned found_count; /* disks that libblkid found */
	struct hostset **found;
};

/* False: a table could not be read, which was said. Free with entries_parts_free(). */
bool entries_parts_open(struct entries_parts *parts, struct hostset *given);
void entries_parts_free(struct entries_parts *parts);

#endif
