/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Building vdisks from a survey: which sector is served by which legs.
 */
#ifndef COMMON_VIEW_H
#define COMMON_VIEW_H

#include "common/survey.h"
#include "common/vdisk.h"

/* An empty set, to be built in these tables. They only grow: a copy of *set taken before takes
 * back. */
void view_init(struct vdisk_set *set, struct vdisk_tables *tables);

/*
 * Is this leg's range served by its mirror, or by nobody, and not by its disk as it is? So those
 * of mirrors that can be read, and what claims to be of a mirror and is not trusted.
 */
bool view_covers(const struct mirror *m, unsigned leg);

/*
 * disk view: the disk, whole, with every member range of a mirror that has a
 * chosen leg served by that mirror's legs. Metadata sectors stay visible: from
 * the chosen leg where it is laid out alike, else the disk's own.
 * *v is the new vdisk. ST_FULL: no room (nothing is added). ST_IO, ST_ABSENT: no such disk.
 */
enum status view_add_disk(struct vdisk_set *set, const struct survey *s, unsigned disk,
			  unsigned *v);

/*
 * The same, but each member range shows the mirror's data from its first sector on, as
 * if there were no metadata (members = contents): for loaders that know nothing of
 * mirrors. What is left of the range behind the data can't be read.
 */
enum status view_add_contents(struct vdisk_set *set, const struct survey *s, unsigned disk,
			      unsigned *v);

/*
 * volume view: the mirror's data as a disk of its own.
 * ST_ABSENT: the mirror has no leg that can be read. ST_FULL as above.
 */
enum status view_add_volume(struct vdisk_set *set, const struct survey *s, unsigned mirror,
			    unsigned *v);

/* A volume on a disk that we make up: from lba on. */
struct view_place {
	uint64_t lba;
	uint8_t mirror;
};

/*
 * Volumes as parts of one disk: each where it believes to be, in order and not
 * overlapping. What lies between them, a partition table at LBA 0 first of all, is served
 * by disk `table` as it is, which the caller puts into its array of disks.
 * The vdisk goes by the name of the first volume's mirror. ST_UNSUPPORTED: their sectors
 * differ in size; others as above.
 */
enum status view_add_volumes(struct vdisk_set *set, const struct survey *s, unsigned table,
			     const struct view_place *place, unsigned count, unsigned *v);

#endif
