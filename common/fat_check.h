/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Is a FAT file system whole? Before anything is cloned from it or to it, every chain of every
 * file and folder is followed, and each cluster may belong to one of them only.
 *
 * The tree is taken into memory on the way: plans are made from that.
 */
#ifndef COMMON_FAT_CHECK_H
#define COMMON_FAT_CHECK_H

#include "common/fat.h"

/* Why a file system is refused, or a plan can't be; the place is told beside it. */
enum fat_why {
	FAT_FINE,
	FAT_UNREADABLE,    /* the disk did not answer */
	FAT_DIRTY,         /* not unmounted, or errors were seen by who had it mounted */
	FAT_BAD_FOLDER,    /* one that can't be read, holds itself, or has names that can't be */
	FAT_BAD_CHAIN,     /* out of range, round, or of another length than the file */
	FAT_CROSSED,       /* two have one cluster */
	FAT_COPIES_DIFFER, /* of the FAT, for clusters in use */
	FAT_SAME_NAME,     /* two of one folder, but for upper and lower case */
	FAT_TOO_DEEP,      /* folders within folders, or a path too long, or too many slots */
	FAT_NO_MEMORY,     /* the memory given does not suffice */
	/* of plans */
	FAT_NO_ROOM,     /* the target is too small, or too full */
	FAT_NO_SLOTS,    /* a folder of the target can't take more names */
	FAT_NAME_TAKEN,  /* a short name of the source is another file's on the target */
	FAT_KEPT_INSIDE, /* a file should be where a folder is that has something to be left */
	/* of writing */
	FAT_READ_BACK, /* what is read back is not what was written, or the source changed */
	FAT_UNWRITABLE,
	FAT_STOPPED, /* by the caller, at a moment when that is safe */
	FAT_WHYS,
};

const char *fat_why_text(enum fat_why why);

#define FAT_NO_NODE    UINT32_MAX
#define FAT_INFO_SIGN1 0x41615252u /* FSInfo: at 0, 484; the count of free clusters is at 488 */
#define FAT_INFO_SIGN2 0x61417272u

/* A file or folder; the root is node 0, its children follow as fat_walk() has them. */
struct fat_node {
	uint32_t parent;
	uint32_t end;     /* the first node that is not in this folder, or behind this file */
	uint32_t match;   /* the same in the other tree, or FAT_NO_NODE */
	uint32_t cluster; /* 0: none, and the root of FAT12 and FAT16 */
	uint32_t slot;    /* in its folder, of the entry itself */
	uint32_t sector;  /* that the slot lies in */
	uint32_t name;    /* offset in names */
	uint16_t name_bytes;
	uint8_t long_slots;
	uint8_t action; /* enum fat_action */
	uint8_t flags;  /* enum fat_node_flag, of fat_apply.h */
	struct fat_slot raw;
	const void *data; /* content that is in memory; NULL: in the file system */
	/* what is placed on the target: fat_apply.h */
	uint32_t new_cluster;
	uint32_t put_cluster, put_slot;     /* of a folder: where its next name goes */
	uint32_t skip_cluster, skip_slot;   /* slots from here to its place are left free */
	uint32_t place_cluster, place_slot; /* the first slot of its name */
	uint32_t grow_from, grow_to;        /* what its folder grows by */
};

struct fat_tree {
	struct fat *fat;
	struct fat_node *node;
	uint32_t count;
	const char *names;  /* not terminated */
	uint32_t *used_map; /* a bit for each cluster, from 2 on; bad ones are in use */
	uint32_t used;      /* bits that are set */
	/* what can be put right: */
	uint32_t lost;    /* clusters in use by the FAT, that nothing has */
	uint32_t orphans; /* slots that are no part of any name, or behind a folder's end */
	bool dirty;
	bool copies_differ; /* of the FAT */
	bool bad_count;     /* FSInfo's, of free clusters */
	/* what is wrong */
	enum fat_why why;
};

/* Memory of the caller's: nodes from below, names from above. */
struct fat_arena {
	uint8_t *base;
	size_t low, high; /* what is between them is left */
};

enum fat_check_flag {
	FAT_CHECK_DIRTY_OK = 1, /* and so is what a cut run of ours can leave */
	FAT_CHECK_TO_READ = 2,  /* a source: what is only untidy does not matter */
};

/*
 * ST_OK, or why t->why is set: ST_CORRUPT, ST_IO, ST_FULL (FAT_TOO_DEEP, FAT_NO_MEMORY). w is work
 * space; its path is where it was found, if anywhere.
 */
enum status fat_check(struct fat_tree *t, struct fat *f, unsigned flags, struct fat_arena *a,
		      struct fat_walk *w);

/* n bytes of the caller's memory, at multiples of 8; NULL: there are none left. */
void *fat_arena_take(struct fat_arena *a, size_t n);

/* Each slot that is no part of any name, and each that is in use behind its folder's end. */
typedef enum status fat_orphan_found(void *ctx, uint32_t sector, uint32_t slot_in_sector,
				     bool behind_end);
enum status fat_orphans(const struct fat_tree *t, fat_orphan_found *found, void *ctx);

static inline bool fat_map_get(const uint32_t *map, uint32_t cluster)
{
	return map[(cluster - 2) >> 5] >> ((cluster - 2) & 31) & 1;
}

static inline void fat_map_set(uint32_t *map, uint32_t cluster)
{
	map[(cluster - 2) >> 5] |= 1u << ((cluster - 2) & 31);
}

static inline void fat_map_clear(uint32_t *map, uint32_t cluster)
{
	map[(cluster - 2) >> 5] &= ~(1u << ((cluster - 2) & 31));
}

/* The sector of a slot; cluster, the one that holds it, is 0 in the root of FAT12 and FAT16. */
static inline uint32_t fat_slot_sector(const struct fat *f, uint32_t cluster, uint32_t slot)
{
	uint32_t at = slot >> (f->sector_shift - 5);

	if (!cluster)
		return f->root_sector + at;
	return fat_cluster_sector(f, cluster) +
	       (at & ((1u << (f->cluster_shift - f->sector_shift)) - 1));
}

/* Does this slot begin a cluster? None does in a root without clusters. */
static inline bool fat_slot_begins(const struct fat *f, uint32_t cluster, uint32_t slot)
{
	return cluster && !(slot & ((1u << (f->cluster_shift - 5)) - 1));
}

#endif
