/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Which legs can read parts of a request at once. Only legs that hold the same bytes
 * for certain: of a mirror that was closed, in sync, of one generation, and such as md
 * itself reads from freely; and only data, because each leg has metadata of its own.
 */
#ifndef COMMON_SHARE_H
#define COMMON_SHARE_H

#include "common/survey.h"
#include "common/vdisk.h"

/* A part of a request: read by one leg. */
struct share_part {
	unsigned leg; /* index in the set */
	uint64_t lba; /* on the leg's disk */
	uint32_t n;
	uint32_t at; /* sectors from the start of the request */
};

/* Of a finished set. */
struct share {
	struct vdisk_set *set;
	const struct survey *survey;
	uint32_t mask; /* legs that may share reads: a bit each */
};

void share_init(struct share *sh, struct vdisk_set *set, const struct survey *s);

/*
 * Legs that can read this request, which lies in one extent: the one that vdisk_read()
 * would take first, and others that may share with it, each on a disk of its own.
 * The number of them.
 */
unsigned share_legs(const struct share *sh, unsigned v, const struct vdisk_place *p,
		    uint8_t leg[VDISK_EXTENT_LEGS]);

/*
 * Cut a request in as many parts as there are legs to read it. 0: it is not to be cut,
 * because it is shorter than min sectors, lies in more than one extent, or has one leg.
 */
unsigned share_cut(const struct share *sh, unsigned v, uint64_t lba, uint32_t n, uint32_t min,
		   struct share_part part[VDISK_EXTENT_LEGS]);

/*
 * Does it pay? Firmware looks after requests that nobody waits in a driver for by a timer, and
 * some serve two disks of a controller one after the other: only a try can tell. So
 * reads are timed, in any unit, and from what length on they are cut is learnt.
 */
struct share_pace {
	uint64_t plain_ticks; /* of plain reads, the older ones halved now and then */
	uint64_t plain_units;
	uint64_t min_units;   /* to be cut, a request has at least this */
	uint64_t floor_units; /* and never again less than this */
};

#define SHARE_UNIT_BYTES (64u * 1024)

void share_pace_init(struct share_pace *p);

/* A plain read was done: whole units of it, and the time it took. */
void share_plain(struct share_pace *p, uint64_t units, uint64_t ticks);

/* Is a request of this length to be cut? */
bool share_pays(const struct share_pace *p, uint64_t units);

/* One was. */
void share_learn(struct share_pace *p, uint64_t units, uint64_t ticks);

#endif
