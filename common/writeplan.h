/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Which mirrors of a set may be written, and how a write on its way is recorded in
 * them. A mirror is write-protected unless everything about it is known: a write that
 * its own driver could not repair after a cut does more harm than one that is refused.
 */
#ifndef COMMON_WRITEPLAN_H
#define COMMON_WRITEPLAN_H

#include "common/survey.h"
#include "common/text.h"
#include "common/vdisk.h"

/* Why a mirror is write-protected. */
enum writeplan_why {
	WRITEPLAN_WRITABLE,
	WRITEPLAN_UNUSABLE,   /* no leg is read */
	WRITEPLAN_CHOSEN,     /* a person chose a leg that others are not in sync with */
	WRITEPLAN_SPLIT,      /* legs ran alone, or one is a copy of another */
	WRITEPLAN_REBUILDING, /* a leg is being rebuilt, or replaced */
	WRITEPLAN_GENERATION, /* legs are one generation apart, or the newest is not read */
	WRITEPLAN_FORMAT,     /* the format can't record a write on its way */
	WRITEPLAN_BITMAP,     /* a bitmap that we do not know, or can't read */
	WRITEPLAN_ROOM,       /* more legs, mirrors or roles than we keep, or larger sectors */
	WRITEPLAN_DISK,       /* a disk that can't be written */
	WRITEPLAN_CONFIG,     /* writes = no */
	WRITEPLAN_COUNT,
};

/*
 * Once all views are built: fill in set->mirror and set->scratch. writes is enum
 * config_writes; scratch has VDISK_SCRATCH_SECTORS sectors of 1 << scratch_shift bytes.
 * Reads the bitmaps' headers, by way of scratch.
 */
void writeplan_make(struct vdisk_set *set, const struct survey *s, uint8_t writes, uint8_t *scratch,
		    unsigned scratch_shift);

/* Can it be written? Not any more once a write has failed on all its legs. */
bool writeplan_open(const struct vdisk_set *set, unsigned mirror);

/* Why this mirror of a finished set is write-protected (enum writeplan_why). */
uint8_t writeplan_why(const struct vdisk_set *set, const struct survey *s, unsigned mirror,
		      uint8_t writes);

/* A line for each mirror that is shown and can't be written: which, and why. */
void writeplan_report(const struct vdisk_set *set, const struct survey *s, uint8_t writes,
		      struct text *out);

/*
 * May this mirror be written, as far as its legs say (enum writeplan_why)? The bitmap
 * and the room in a set are only seen by writeplan_make().
 */
uint8_t writeplan_judge(const struct survey *s, unsigned mirror, uint8_t writes);

/* "a leg is being rebuilt" */
const char *writeplan_text(uint8_t why);

#endif
