/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * LDM: the database of Windows dynamic disks. Each disk of a group keeps a copy of all of it:
 *
 *   PRIVHEAD -> TOCBLOCK -> VMDB -> VBLKs (records: disks, volumes, components, partitions)
 *                        -> KLOG
 *
 * Volume: what Windows shows as C:. Component: one copy of it, so a mirror's leg.
 * Partition: a range of one disk, a component's or a piece of it.
 *
 * Microsoft documents none of this. Sources: the LDM documentation of the Linux-NTFS
 * project (0.3.1), and 38 disks and images that Windows Server 2003 R2 and 2008 R2
 * wrote, on which every field named here was seen. docs/formats/ldm.md has the tables.
 *
 * Integers are big-endian. In PRIVHEAD and TOCBLOCK sectors are the disk's (_lba); in
 * records they are of 512 bytes (_s512).
 */
#ifndef COMMON_LDM_H
#define COMMON_LDM_H

#include "common/disk.h"
#include "common/guid.h"
#include "common/part.h"

#define LDM_NAME_BYTES 33 /* printable ASCII, always terminated */
#define LDM_TEXT_BYTES 16 /* the same; a longer text is cut */
#define LDM_MBR_TYPE   0x42

/* PRIVHEAD, and what the TOCBLOCK adds. */
struct ldm_head {
	struct guid disk; /* in the byte order of its text */
	struct guid group;
	char group_name[LDM_NAME_BYTES];
	uint64_t sequence;
	uint64_t public_lba;
	uint64_t public_sectors;
	uint64_t private_lba;
	uint64_t private_sectors;
	uint64_t second_lba; /* the backup copy, of the disk */
	uint64_t toc_lba[2]; /* from private_lba */
	uint64_t config_lba; /* of the disk */
	uint64_t config_sectors;
	uint64_t log_lba; /* of the disk */
	uint64_t log_sectors;
	uint8_t copies;     /* PRIVHEADs that were good */
	uint8_t copies_bad; /* that were not, or could not be read */
};

enum ldm_layout { LDM_STRIPED = 1, LDM_CONCATENATED = 2, LDM_RAID5 = 3 };

enum ldm_volume_flag {
	LDM_VOLUME_CRASHED = 0x4,
	LDM_VOLUME_KDETACH = 0x400,
	LDM_VOLUME_APPRECOVER = 0x1000,
	LDM_VOLUME_PENDING = 0x2000,
	LDM_VOLUME_BOOT = 0x200000,
	LDM_VOLUME_SYSTEM = 0x400000,
	LDM_VOLUME_RETAIN = 0x800000,
};
enum ldm_component_flag {
	LDM_COMPONENT_RECOVER = 0x2,
	LDM_COMPONENT_IOFAIL = 0x4,
	LDM_COMPONENT_PENDING = 0x8,
};
enum ldm_partition_flag {
	LDM_PARTITION_RECOVER = 0x8,
	LDM_PARTITION_KDETACH = 0x10,
	LDM_PARTITION_RELOCATE = 0x20,
};
enum ldm_disk_flag {
	LDM_DISK_FAILING = 0x4,
	LDM_DISK_MERGE = 0x10,
	LDM_DISK_REMOVED = 0x100,
	LDM_DISK_DETACHED = 0x200,
};

enum ldm_type { LDM_VOLUME = 1, LDM_COMPONENT, LDM_PARTITION, LDM_DISK, LDM_GROUP, LDM_TYPES };

/*
 * Every record begins alike. odd: it holds more than we know, so that what the other
 * fields say may not be all.
 */
struct ldm_object {
	uint32_t id;
	bool odd;
	char name[LDM_NAME_BYTES]; /* "Volume1", "Volume1-01", "Disk1-01", "Disk1" */
};

struct ldm_volume {
	uint32_t id;
	bool odd;
	char name[LDM_NAME_BYTES];
	char type[LDM_TEXT_BYTES];  /* "gen" or "raid5" */
	char state[LDM_TEXT_BYTES]; /* "ACTIVE" is healthy; no other text was ever seen */
	char hint[LDM_TEXT_BYTES];  /* the drive letter, as "E:", or "" */
	uint8_t read_policy;        /* 1 round, 2 prefer, 3 select, 4 RAID */
	uint8_t part_type;          /* as of an MBR: 07 for NTFS */
	uint32_t flags;             /* enum ldm_volume_flag, and more */
	uint32_t components;
	uint64_t size_s512;
	struct guid guid; /* in the byte order of its text */
};

struct ldm_component {
	uint32_t id;
	bool odd;
	char name[LDM_NAME_BYTES];
	char state[LDM_TEXT_BYTES]; /* as of volumes */
	uint8_t layout;             /* enum ldm_layout */
	uint32_t volume;
	uint32_t flags; /* enum ldm_component_flag, and more */
	uint32_t partitions;
	uint32_t columns;     /* 0: none */
	uint64_t stripe_s512; /* 0: none */
};

struct ldm_partition {
	uint32_t id;
	bool odd;
	char name[LDM_NAME_BYTES];
	uint32_t component;
	uint32_t disk;
	uint32_t flags; /* enum ldm_partition_flag, and more */
	uint32_t column;
	uint64_t start_s512;  /* from the start of its disk's public region */
	uint64_t offset_s512; /* in its component (in the column, when there are some) */
	uint64_t size_s512;
};

struct ldm_disk {
	uint32_t id;
	bool odd;
	char name[LDM_NAME_BYTES];
	char device[LDM_NAME_BYTES]; /* the device's name when it was last seen; mostly "" */
	uint32_t flags;              /* enum ldm_disk_flag, and more */
	struct guid guid;            /* as in its PRIVHEAD */
};

struct ldm_record {
	uint8_t status; /* 0 active, 1 active and to go, 2 not yet active */
	uint8_t type;   /* enum ldm_type */
	uint32_t bytes; /* that it takes of the data */
	union {
		struct ldm_object object;
		struct {
			uint32_t id;
			bool odd;
			char name[LDM_NAME_BYTES];
		};
		struct ldm_volume volume;
		struct ldm_component component;
		struct ldm_partition partition;
		struct ldm_disk disk;
	};
};

/*
 * Find the disk's PRIVHEAD and TOCBLOCK, wherever copies are. list: its partitions.
 *   ST_ABSENT   not a dynamic disk
 *   ST_CORRUPT  it is one by its partition table, and no copy is good
 *   ST_IO       and some could not be read
 * buf: DISK_SECTOR_BYTES of scratch.
 */
#define LDM_HEAD_READS_MAX 7 /* three PRIVHEADs, four TOCBLOCKs; 4 or 5 when all is well */

enum status ldm_head_read(const struct disk *d, const struct part_list *list, struct ldm_head *h,
			  uint8_t *buf);

/*
 * Take one record apart: the payloads of its VBLKs, put together.
 *   ST_OK          all of it was read, or it is odd
 *   ST_ABSENT      of a type, or of a revision of it, that we don't know
 *   ST_CORRUPT     it does not hold what its type must
 */
enum status ldm_record_parse(struct ldm_record *r, const uint8_t *data, uint32_t bytes);

/* Is this the state of what is healthy? Any other text, one that we don't know too, is not. */
bool ldm_is_active(const char *state);

#endif
