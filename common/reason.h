/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Why: every verdict and every member that is not used carries a reason, a code
 * with up to two numbers. One table (reason.c) turns it into a sentence, the same
 * on the boot screen and in the tool; docs/failures.md explains each.
 *
 * The codes are also kept in the boot record, on disks: new ones go to the end.
 */
#ifndef COMMON_REASON_H
#define COMMON_REASON_H

#include "common/text.h"

#include <stdint.h>

enum reason_code {
	REASON_NONE,
	/* a leg that can be used */
	REASON_IN_SYNC,       /* as new as the newest: a = generation */
	REASON_WITHIN_MARGIN, /* one event behind, as Linux allows: a = its events, b = newest */
	REASON_WRITE_MOSTLY,  /* in sync, read last because it is marked write-mostly */
	REASON_BAD_BLOCKS,    /* in sync but for a = number of bad ranges, which are not read */
	REASON_DIRTY_LOWEST,  /* the array was not closed: the lowest role is what Linux reads */
	REASON_DIRTY_OTHER,   /* the array was not closed: may differ from the lowest role */
	/* a leg that can not */
	REASON_STALE,    /* missed writes: a = its generation, b = the newest */
	REASON_REPLACED, /* another disk has taken its place: a = its generation, b = newest */
	REASON_FAILED_BY_NEWEST, /* the newest leg says that this one failed */
	REASON_SPARE,
	REASON_JOURNAL,
	REASON_REBUILDING,  /* copied up to a of b s512 only */
	REASON_SPLIT_BRAIN, /* ran alone, as the newest did: a = its generation, b = newest */
	REASON_DUPLICATE,   /* a second disk with the same device identity */
	REASON_MISSING,     /* expected by the newest leg, on no disk: a = role */
	REASON_MISSING_UNREADABLE, /* as MISSING; this disk could not be read and may be it */
	REASON_CHECKSUM,           /* the superblock's checksum is wrong */
	REASON_BAD_FIELDS,         /* a field of the superblock is impossible */
	REASON_TRUNCATED, /* the disk ends before the data does: a = s512 there, b = wanted */
	REASON_FEATURE,   /* unknown feature bits: a = the feature map */
	REASON_RESHAPE,
	REASON_JOURNALED,
	REASON_CLUSTERED,
	REASON_DEV_NUMBER,     /* device number a is beyond what we keep */
	REASON_NOT_A_MIRROR,   /* the array's level is a, not 1 */
	REASON_MISALIGNED,     /* the data do not start on a sector boundary of this disk */
	REASON_LOG_UNREADABLE, /* its list of bad blocks could not be read */
	REASON_SIZE_DIFFERS,   /* its idea of the array differs from the newest leg's */
	/* of a dynamic disk's database */
	REASON_COMPONENT_STATE,  /* the copy is not active, or to be recovered */
	REASON_PARTITION_STATE,  /* a piece of it is to be recovered, or detached */
	REASON_DISK_STATE,       /* its disk failed, or is not one of the group's any more */
	REASON_VOLUME_STATE,     /* the volume as a whole is not active */
	REASON_STRIPED,          /* the copy is striped */
	REASON_DATABASE,         /* this disk's copy of the database can't be trusted */
	REASON_DATABASES_DIFFER, /* as new as the newest, and it says something else */
	REASON_RECORDS,  /* the volume's records don't fit together, or hold more than we know */
	REASON_LOG_OPEN, /* in sync, and the log says that something may not be */
	REASON_PIECE,    /* in sync: a part of a leg, from a s512 on, of b s512 */
	REASON_PIECE_MISSING, /* a part of a leg, of which there is only a s512 of b */
	REASON_NOT_TRUSTED,   /* the configuration names members, and not this one */
	REASON_COUNT,
};

struct reason {
	uint8_t code; /* enum reason_code */
	uint64_t a, b;
};

/* Texts of reasons that only these formats give, by code; NULL where it is another's. */
extern const char *const reason_md[REASON_COUNT], *const reason_ldm[REASON_COUNT];

/* Write the sentence, without a full stop, to out. */
void reason_text(const struct reason *r, struct text *out);

/* The code's stable name for JSON and for docs/failures.md, as "missed-writes". */
const char *reason_name(uint8_t code);

#endif
