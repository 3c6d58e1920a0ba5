/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Reading FAT12, FAT16 and FAT32, as EFI system partitions have them: folders, long names,
 * files in pieces. Layout: Microsoft's FAT specification 1.03; where it leaves room, or is not
 * kept to in the world, as Linux' vfat and edk2's FatPkg read, and what only one of the
 * two accepts is said beside the check.
 *
 * Nothing on the disk is believed: each chain of clusters is bounded, a folder that holds itself
 * is found, a value that can't be is ST_CORRUPT. Nothing is allocated: struct fat has room for
 * one sector of the FAT and one of a folder, so it is too large for a small stack.
 *
 * Units: "sector" is the file system's own (1 << sector_shift bytes), counted from its first;
 * "lba" is the disk's. "Slot": the 32 bytes of a folder that hold an entry or a piece of a
 * long name.
 *
 * Status, everywhere here: ST_IO the disk did not answer; ST_CORRUPT what it answered can't be.
 */
#ifndef COMMON_FAT_H
#define COMMON_FAT_H

#include "common/disk.h"
#include "common/wire.h"

#include <stddef.h>

#define FAT_NAME_UNITS 255                      /* UTF-16, of a long name */
#define FAT_NAME_BYTES (FAT_NAME_UNITS * 3 + 1) /* in UTF-8, with the NUL */
#define FAT_PATH_BYTES 1025                     /* with the NUL; what a manifest can hold */
#define FAT_DEPTH      32                       /* folders within folders that a walk follows */
#define FAT_DIR_SLOTS  65536                    /* of one folder: spec 6.2, and so Linux */
#define FAT_WALK_SLOTS (1u << 20)               /* of all folders that one walk reads */

enum fat_type { FAT_12 = 12, FAT_16 = 16, FAT_32 = 32 };

enum fat_attribute {
	FAT_READ_ONLY = 0x01,
	FAT_HIDDEN = 0x02,
	FAT_SYSTEM = 0x04,
	FAT_VOLUME = 0x08,
	FAT_FOLDER = 0x10,
	FAT_ARCHIVE = 0x20,
};

struct fat {
	const struct disk *disk;
	uint64_t start_lba; /* of the file system, on the disk */
	uint32_t sectors;
	uint8_t type;          /* enum fat_type */
	uint8_t sector_shift;  /* 9 to 12, at least the disk's */
	uint8_t cluster_shift; /* log2 of the bytes of a cluster: 9 to 19 */
	uint8_t fats;          /* copies of the FAT; one is normal, more than two are possible */
	uint32_t fat_sector;   /* of the first FAT */
	uint32_t fat_sectors;  /* of one FAT */
	uint32_t root_sector;  /* FAT12, FAT16: the root folder's place */
	uint16_t root_entries; /* FAT12, FAT16: and its slots */
	uint32_t root_cluster; /* FAT32 */
	uint32_t info_sector;  /* FAT32's FSInfo; 0: none */
	uint32_t data_sector;  /* of cluster 2 */
	uint32_t clusters;     /* numbered from 2 to clusters + 1 */
	uint32_t serial;
	uint8_t label[11];  /* of the boot sector, padded with blanks */
	bool few_for_fat32; /* FAT32 by form, FAT16 by number of clusters: edk2 refuses it */
	/* the last sector read of the FAT, and of a folder; UINT32_MAX: none */
	uint32_t fat_cached, dir_cached;
	uint8_t fat_cache[DISK_SECTOR_BYTES], dir_cache[DISK_SECTOR_BYTES];
};

/*
 * The file system in sectors lba start_lba..start_lba+sectors of the disk: a partition.
 *
 * ST_ABSENT       no FAT file system: what is there is something else
 * ST_CORRUPT      its boot sector contradicts itself
 * ST_RANGE        it is larger than those sectors
 * ST_UNSUPPORTED  sectors smaller than the disk's (Linux refuses these too), a later version,
 *                 or a FAT other than the first is the one in use
 */
enum status fat_open(struct fat *f, const struct disk *d, uint64_t start_lba, uint64_t sectors);

/* Was it not unmounted, or did the system that had it mounted see errors? */
enum status fat_is_dirty(struct fat *f, bool *dirty);

static inline bool fat_cluster_ok(const struct fat *f, uint32_t cluster)
{
	return cluster >= 2 && cluster - 2 < f->clusters;
}

/* The first sector of a cluster, which must be fat_cluster_ok(). */
static inline uint32_t fat_cluster_sector(const struct fat *f, uint32_t cluster)
{
	return f->data_sector + ((cluster - 2) << (f->cluster_shift - f->sector_shift));
}

/* n sectors from this one on. ST_RANGE: they leave the file system. */
enum status fat_read_sectors(const struct fat *f, uint32_t sector, uint32_t n, void *buf);

/* The FAT's raw entry of a cluster; 0 and 1, which are flags, too. From another FAT on ST_IO. */
enum status fat_get(struct fat *f, uint32_t cluster, uint32_t *value);

/* The cluster after this one; *next is 0 where the chain ends. */
enum status fat_follow(struct fat *f, uint32_t cluster, uint32_t *next);

/* ---- names ---- */

struct fat_slot {
	uint8_t name[11];
	uint8_t attributes;
	uint8_t lower_case; /* FAT_LOWER_... */
	uint8_t created_tenths;
	le16 created_time, created_date;
	le16 read_date;
	le16 cluster_high;
	le16 write_time, write_date;
	le16 cluster_low;
	le32 bytes;
};
_Static_assert(sizeof(struct fat_slot) == 32, "a slot is 32 bytes");
_Static_assert(offsetof(struct fat_slot, write_time) == 22, "spec 6: DIR_WrtTime");

struct fat_long_slot {
	uint8_t number; /* from 1, the last part has FAT_LONG_LAST and comes first */
	le16 units1[5];
	uint8_t attributes; /* FAT_LONG */
	uint8_t type;
	uint8_t sum; /* of the short name that it belongs to */
	le16 units2[6];
	le16 zero;
	le16 units3[2];
};
_Static_assert(sizeof(struct fat_long_slot) == 32, "a slot is 32 bytes");

#define FAT_FREE       0xe5 /* first byte of a slot that is not in use */
#define FAT_END        0x00 /* and of the first one that never was: the folder ends */
#define FAT_IS_E5      0x05 /* stands for an E5 that belongs to the name */
#define FAT_LOWER_NAME 0x08 /* Windows NT's bits: the name before the dot, after it */
#define FAT_LOWER_EXT  0x10
#define FAT_LONG       0x0f
#define FAT_LONG_MASK  0x3f
#define FAT_LONG_LAST  0x40
#define FAT_LONG_UNITS 13
#define FAT_LONG_SLOTS 20

uint8_t fat_short_sum(const uint8_t name[11]);

/*
 * "GRUBX64.EFI" from the 11 bytes (code page 437, as Linux takes it unless told otherwise), at
 * most 36 bytes and the NUL. False: no name can be so.
 */
bool fat_short_name(const struct fat_slot *s, char *name, size_t *bytes);

/* UTF-8 from UTF-16. False: half a surrogate pair, or characters that no name may have. */
bool fat_long_name(const uint16_t *units, unsigned n, char name[FAT_NAME_BYTES], size_t *bytes);

/* ---- folders ---- */

struct fat_entry {
	char name[FAT_NAME_BYTES]; /* the long name, or the short one where there is none */
	size_t name_bytes;
	char alias[37];      /* the short name, as fat_short_name() has it */
	struct fat_slot raw; /* the rest of it: created, read */
	uint32_t slot;       /* of its folder; the slots of the long name are right before it */
	uint8_t long_slots;  /* 0: it has no long name, or one that is not to be believed */
	uint8_t attributes;
	uint32_t first_cluster; /* not checked; 0: none */
	uint32_t bytes;         /* 0 for folders */
	uint32_t write_time;    /* the date in the upper 16 bits, local time */
};

static inline bool fat_is_folder(const struct fat_entry *e)
{
	return e->attributes & FAT_FOLDER;
}

/* A place in a folder. Copy it to remember where you were. */
struct fat_dir {
	uint32_t first_cluster; /* 0: the root of FAT12 and FAT16 */
	uint32_t cluster;       /* that the slot lies in */
	uint32_t slot;          /* the next one */
};

void fat_root(const struct fat *f, struct fat_dir *dir);

/* ST_ABSENT: it is no folder. */
enum status fat_dir_open(const struct fat *f, const struct fat_entry *folder, struct fat_dir *dir);

/*
 * The next file or folder, but for "." and "..". ST_ABSENT: no more. ST_CORRUPT: also a name that
 * can't be. After any but ST_OK the folder has no more to give.
 */
enum status fat_dir_next(struct fat *f, struct fat_dir *dir, struct fat_entry *e);

/*
 * Look a path up, from the root; "\" and "/" are alike, and so are ASCII letters in
 * both cases; other characters must be the same. Short names are found too.
 * ST_ABSENT: not there. The root itself ("\") has no entry, and is ST_ABSENT.
 */
enum status fat_find(struct fat *f, const char *path, size_t path_bytes, struct fat_entry *e);

/* ---- the whole tree ---- */

/*
 * In the order of the folders: a folder, then what it holds, then what follows it. A folder that
 * can't be read, is too deep, or holds itself is an error at its place: path names it, and
 * the walk goes on behind it.
 */
struct fat_walk {
	struct fat_entry entry;
	char path[FAT_PATH_BYTES]; /* "\EFI\BOOT\BOOTX64.EFI" */
	size_t path_bytes;
	/* how it goes on */
	bool descend; /* into the entry, which is a folder; clear it to leave that out */
	unsigned depth;
	struct {
		struct fat_dir dir;
		uint16_t path_bytes;
	} at[FAT_DEPTH];
	uint32_t slots; /* left to be read */
};

void fat_walk_start(const struct fat *f, struct fat_walk *w);

/*
 * ST_ABSENT: that was all. ST_FULL: a folder is too deep, a path too long; or the slots are used
 * up, after which there is no more. ST_CORRUPT, ST_IO: a folder is damaged, unreadable.
 */
enum status fat_walk_next(struct fat *f, struct fat_walk *w);

/* ---- files ---- */

struct fat_file {
	uint32_t bytes, at; /* the file's, and how many of them were read */
	uint32_t cluster;   /* that holds the next one, or whose end it is at */
};

/* ST_ABSENT: a folder. */
enum status fat_file_open(const struct fat *f, const struct fat_entry *e, struct fat_file *file);

/*
 * The next piece: all of room, or what is left. room: a multiple of DISK_SECTOR_BYTES; what of it
 * lies behind the end of the file may be overwritten. *got is 0 at the end. Clusters in a row are
 * one request.
 */
enum status fat_file_read(struct fat *f, struct fat_file *file, void *buf, uint32_t room,
			  uint32_t *got);

#endif
