/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Building vdisks from a survey: which sector is served by which legs.
 */
#ifndef COMMON_VIEW_H
#define COMMON_VIEW_H

#include "common/survey.h"
#include "common/vdisk.h"

void view_init(struct vdisk_set *set);

/*
 * disk view: the disk, whole, with every member range of a mirror that has a
 * chosen leg served by that mirror's legs. Metadata sectors stay visible: from
 * the chosen leg where it is laid out alike, else the disk's own.
 * *v is the new vdisk. ST_FULL: no room (nothing is added). ST_IO, ST_ABSENT: no such disk.
 */
enum status view_add_disk(struct vdisk_set *set, const struct survey *s, unsigned disk,
			  unsigned *v);

/*
 * volume view: the mirror's data as a disk of its own.
 * ST_ABSENT: the mirror has no leg that can be read. ST_FULL as above.
 */
enum status view_add_volume(struct vdisk_set *set, const struct survey *s, unsigned mirror,
			    unsigned *v);

#endif
