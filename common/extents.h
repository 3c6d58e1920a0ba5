/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The extents of one vdisk, while view.c builds it. */
#ifndef COMMON_EXTENTS_H
#define COMMON_EXTENTS_H

#include "common/survey.h"
#include "common/vdisk.h"

/* What is being built: the set, the survey, and the position on the new vdisk. */
struct extents {
	struct vdisk_set *set;
	const struct survey *s;
	uint8_t shift;
	bool contents; /* members show their data only */
	bool coarse;   /* take all holes of a leg for one: when there is no room for each */
	uint64_t lba;  /* where the next extent goes */
	unsigned first_extent, first_leg; /* to take back from */
	enum status st;                   /* the first failure sticks */
};

/* The set's leg for this place, made when it is new. VDISK_NO_LEG when there is no room. */
uint8_t extents_leg(struct extents *b, const struct vdisk_leg *want);
uint8_t extents_mirror_leg(struct extents *b, unsigned mirror, unsigned leg);

/* Append an extent; one that continues the last is merged into it. */
void extents_add(struct extents *b, uint64_t sectors, uint64_t offset,
		 const uint8_t leg[VDISK_EXTENT_LEGS]);

/* Sectors of a disk as they are, up to (not including) end_lba. */
void extents_as_is(struct extents *b, unsigned disk, uint64_t end_lba, enum vdisk_own kind);

/* The mirror's data, whole, cut wherever the list of legs that can serve it changes. */
void extents_data(struct extents *b, unsigned mirror, uint64_t sectors);

const struct member *extents_member(const struct extents *b, const struct mirror *m, unsigned leg);

/* 512-byte units in sectors of the vdisk. Where a leg begins may be below 0: in pieces. */
uint64_t extents_down(const struct extents *b, uint64_t s512);

/*
 * A leg on a disk with other sectors than the vdisk's can't serve its requests. Where
 * no leg fits, a member's range is served by none: better an error than stale bytes.
 */
bool extents_fits(const struct extents *b, const struct member *m);

#endif
