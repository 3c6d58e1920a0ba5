/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* GPT partitions, which boot entries name by their GUIDs. */
#ifndef COMMON_NVPART_H
#define COMMON_NVPART_H

#include "common/bootentry.h"
#include "common/fat.h"
#include "common/part.h"

struct nvpart {
	const char *disk_name; /* for people */
	const struct disk *disk;
	struct part part;
};

/* Where partitions are looked up, and looked into. */
struct nvparts {
	/* NULL: not found. *twice: another partition says that it is the same one. */
	const struct nvpart *(*find)(const struct nvparts *p, const struct guid *guid, bool *twice);
	/* Is what the entry starts there? ST_ABSENT: no. Another: can't be told. */
	enum status (*loader)(const struct nvparts *p, const struct nvpart *part,
			      const struct bootentry *e);
	bool given; /* all disks that count are known: what is not on them is nowhere */
};

/* HD() as it has to be. */
struct bootentry_hd nvpart_hd(const struct nvpart *p);

/* Does what an entry says of its partition differ from what is so? */
bool nvpart_moved(const struct nvpart *p, const struct bootentry *e);

/* Room for loader(), too large for a stack. */
struct nvpart_room {
	struct fat fat;
	struct fat_entry entry;
	char path[FAT_PATH_BYTES];
};

/* For loader(): by reading the FAT. ST_OK also where the entry names no file. */
enum status nvpart_loader(const struct nvpart *p, const struct bootentry *e,
			  struct nvpart_room *room);

#endif
