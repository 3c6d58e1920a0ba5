/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The disks that we present: reading them with failover, writing them to all legs.
 *
 * A vdisk is a sorted list of extents without gaps; each extent names the legs
 * that can serve it, best first. Holes, rebuilding limits and skewed legs are
 * all compiled into extents (view.c), so reading is a look-up. The tables are plain
 * data: stage2 builds them in protected mode and copies as much of them as is used
 * into the resident part, which runs this same file in real mode.
 *
 * A leg that fails a read is latched off, and with it all legs on its disk: they are
 * read again only where no other leg is left. The whole request is then read again
 * without it, so that what a failing disk gave before it failed is not kept. Only when
 * no legs can give the whole request is each sector taken from whichever can.
 */
#ifndef COMMON_VDISK_H
#define COMMON_VDISK_H

#include "common/disk.h"

#define VDISK_MAX         24
#define VDISK_EXTENTS     128
#define VDISK_LEGS        32 /* one bit each in a uint32_t */
#define VDISK_EXTENT_LEGS 4
#define VDISK_MIRRORS     8 /* that can be written */
#define VDISK_NO_LEG      0xff

/* A place that can serve extents: a leg of a mirror, or a disk as it is. */
struct vdisk_leg {
	uint64_t start_lba; /* of the leg's data on its disk */
	uint8_t disk;       /* index into the array of disks */
	uint8_t mirror;     /* index in the survey; VDISK_NO_LEG: a disk as it is */
	uint8_t leg;        /* index in the mirror; a disk as it is: enum vdisk_own */
	uint8_t latched;    /* enum vdisk_latch */
	bool steady;        /* its mirror was not closed: only its own failure latches it */
};

enum vdisk_own {
	VDISK_OWN,       /* what is on no mirror's leg: may be written */
	VDISK_OWN_FIXED, /* a member that we do not present: never written */
};

enum vdisk_latch {
	VDISK_GOOD,
	VDISK_LATCHED,  /* it, or its disk, has failed a read: read when no other is left */
	VDISK_EXPELLED, /* it has missed a write: never read again */
};

struct vdisk_extent {
	uint64_t lba; /* on the vdisk */
	uint64_t sectors;
	/*
	 * Where in the leg: the sector read is leg.start_lba + offset + (lba - extent.lba),
	 * modulo 2^64, because metadata may lie before the data.
	 */
	uint64_t offset;
	uint8_t leg[VDISK_EXTENT_LEGS]; /* best first, then VDISK_NO_LEG */
};

struct vdisk {
	uint64_t sectors;
	uint16_t first_extent;
	uint16_t extent_count;
	uint8_t shift;  /* log2 of the sector size */
	uint8_t base;   /* disk view: the disk that it stands for; volume view: VDISK_NO_LEG */
	uint8_t mirror; /* volume view: the survey's mirror; else VDISK_NO_LEG */
};

/* How a mirror says that a write is on its way, so that a cut leaves nothing unseen. */
enum vdisk_marks {
	VDISK_MARK_NONE,   /* it can't: written because the config says so */
	VDISK_MARK_MD1,    /* superblock: resync_offset */
	VDISK_MARK_BITMAP, /* that, and a bit for each chunk */
};

/* A mirror that can be written (writeplan.c); sectors are those of its vdisks. */
struct vdisk_mirror {
	uint64_t sectors;     /* of its data; extents show metadata before and behind */
	uint64_t resync_s512; /* the superblock's resync_offset when no write is on its way */
	uint32_t bitmap;      /* sectors from superblock to bitmap, modulo 2^32 (signed) */
	uint8_t chunk_shift;  /* log2 of the sectors that a bit stands for */
	uint8_t marks;        /* enum vdisk_marks */
	uint8_t mirror;       /* index in the survey */
	uint8_t whole;        /* legs by which a bit may be taken back: all there are; 0: never */
	uint8_t served;       /* legs that an extent without holes names */
	uint8_t leg_count;    /* that are written; 0: a write has failed on all of them */
	uint16_t dev_number[VDISK_EXTENT_LEGS];
	struct vdisk_mirror_leg {
		uint64_t sb_lba;
		uint32_t leg; /* index in the set */
	} leg[VDISK_EXTENT_LEGS];
};

#define VDISK_SCRATCH_SECTORS (2 * VDISK_EXTENT_LEGS)

struct vdisk_set {
	uint8_t vdisk_count;
	uint8_t leg_count;
	uint8_t mirror_count;
	uint16_t extent_count;
	uint16_t failovers;  /* legs latched off or expelled so far */
	uint8_t failed_disk; /* of the last of them */
	struct vdisk *vdisk;
	struct vdisk_leg *leg;
	struct vdisk_extent *extent;
	struct vdisk_mirror *mirror;
	/*
	 * For writes: VDISK_SCRATCH_SECTORS sectors. NULL: nothing can be written. The same
	 * memory as disks take it in buf, which in the resident part is another address.
	 */
	uint8_t *scratch;
	void *scratch_buf;
};

/* Where a set that is being built lies. */
struct vdisk_tables {
	struct vdisk vdisk[VDISK_MAX];
	struct vdisk_leg leg[VDISK_LEGS];
	struct vdisk_extent extent[VDISK_EXTENTS];
	struct vdisk_mirror mirror[VDISK_MIRRORS];
};

/*
 * Read n sectors at lba of vdisk v. disk[] is the array that leg.disk indexes.
 * buf is only handed on (and advanced): the resident part passes addresses that
 * it can't itself dereference.
 *   ST_RANGE  the request leaves the vdisk    ST_IO  no leg could serve it
 */
enum status vdisk_read(struct vdisk_set *set, unsigned v, const struct disk *disk, uint64_t lba,
		       uint32_t n, void *buf);

/*
 * Write n sectors: to every leg that is in sync, or to none (vdisk_write.c has the
 * order of things). A leg that fails is expelled on the others' superblocks.
 *   ST_READONLY  some of it can't be written, and nothing was
 *   ST_IO        no leg took it: the mirror is not written any more
 */
enum status vdisk_write(struct vdisk_set *set, unsigned v, const struct disk *disk, uint64_t lba,
			uint32_t n, const void *buf);

/*
 * A leg has failed a read. It is latched: a disk whose every read takes 32 s must cost one
 * wait a boot, not one a request, nor one a mirror. A disk as it is has no other to
 * turn to. Legs of a mirror that was not closed may differ, and Linux reads one of
 * them: another mirror's trouble is no reason to leave it.
 */
static inline void vdisk_latch(struct vdisk_set *set, const struct vdisk_leg *failed)
{
	if (failed->mirror == VDISK_NO_LEG)
		return;
	if (failed->latched == VDISK_GOOD)
		set->failovers++;
	set->failed_disk = failed->disk;
	for (unsigned i = 0; i < set->leg_count; i++) {
		struct vdisk_leg *l = &set->leg[i];

		if (l->latched == VDISK_GOOD && l->mirror != VDISK_NO_LEG &&
		    (l == failed || (l->disk == failed->disk && !l->steady)))
			l->latched = VDISK_LATCHED;
	}
}

/* Where a request begins: in which extent, where in its legs, and how much of it lies there. */
struct vdisk_place {
	const struct vdisk_extent *e;
	uint64_t pos; /* from the legs' start */
	uint32_t n;
};

/* False: in no extent, which a request that is in range never is. */
bool vdisk_locate(const struct vdisk_set *set, const struct vdisk *vd, uint64_t lba, uint32_t n,
		  struct vdisk_place *p);

/* A vdisk as a struct disk: ctx is the handle, which must outlive it. */
struct vdisk_handle {
	struct vdisk_set *set;
	unsigned v;
	const struct disk *disk;
};
struct disk vdisk_as_disk(struct vdisk_handle *h);

#endif
