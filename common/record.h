/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The boot record: one sector that each boot leaves on every disk that has a boot
 * area of ours; on UEFI, a variable of the firmware's instead. What was booted from, why the other
 * legs were not, which disks failed reads, and the highest generation ever seen of each mirror: by
 * that a stale leg is recognised when it is alone, which nothing in its own metadata can tell.
 *
 * A record is a hint and never more. It can make a mirror degraded and cause a
 * sentence and a pause; it never changes a leg, a verdict or what is booted.
 *
 * docs/formats/bootarea.md has the same as a table.
 */
#ifndef COMMON_RECORD_H
#define COMMON_RECORD_H

#include "common/survey.h"
#include "common/wire.h"

#include <stddef.h>

#define RECORD_MAGIC     "MIRRBREC"
#define RECORD_MAGIC_END 0x43455242u /* "BREC" */
#define RECORD_VERSION   1
#define RECORD_MIRRORS   8
#define RECORD_LEGS      4    /* of a mirror; of further legs only the number is kept */
#define RECORD_NONE      0xff /* no disk, no leg */
#define RECORD_MARGIN    1    /* md takes an event back when an array becomes clean again */

enum record_flag {
	RECORD_BOOTED = 1 << 0, /* the mirror that was booted from */
	RECORD_BEHIND = 1 << 1, /* newer data had been seen before, and was not there */
};

/* Disks are numbered as the firmware did in that boot: 0 is 80h. */
struct record_leg {
	uint8_t disk;    /* RECORD_NONE: on none */
	uint8_t verdict; /* enum verdict */
	uint8_t why;     /* enum reason_code */
};

struct record_mirror {
	struct guid uuid;
	le64 seen;       /* the highest generation seen, ever */
	le64 generation; /* of the leg that was read */
	le32 sequence;   /* of the boot that saw this mirror last; all else is of that boot */
	uint8_t format;  /* enum format_id */
	uint8_t state;   /* enum mirror_state */
	uint8_t flags;   /* enum record_flag */
	uint8_t leg_count;
	uint8_t chosen; /* the leg that was read; RECORD_NONE */
	uint8_t disk;   /* where it was */
	uint8_t pad[2];
	struct record_leg leg[RECORD_LEGS];
};
_Static_assert(sizeof(struct record_mirror) == 56, "56 bytes a mirror");

struct record {
	uint8_t magic[8];
	le32 version;
	le32 sum;      /* makes the sum of all 128 words of the sector 0 */
	le32 sequence; /* one more with each boot that writes */
	/*
	 * These two are written again by the resident part, while the loader runs: see
	 * record_failover(). They belong to the boot of this sequence number.
	 */
	le32 failovers;    /* times that a leg was given up after it failed a read */
	le32 failed_disks; /* bit i: disk i failed a read of its leg */
	uint8_t this_disk; /* the number of the disk that this sector is on; RECORD_NONE: a variable
			    */
	uint8_t count;     /* mirrors */
	uint8_t pad[2];
	struct record_mirror mirror[RECORD_MIRRORS];
	uint8_t reserved[32];
};
_Static_assert(sizeof(struct record) == 512, "one sector");

/* For code that has the sector in a segment and not as a struct. */
#define RECORD_SUM_OFF          12
#define RECORD_SEQUENCE_OFF     16
#define RECORD_FAILOVERS_OFF    20
#define RECORD_FAILED_DISKS_OFF 24
_Static_assert(offsetof(struct record, sum) == RECORD_SUM_OFF, "sum");
_Static_assert(offsetof(struct record, sequence) == RECORD_SEQUENCE_OFF, "sequence");
_Static_assert(offsetof(struct record, failovers) == RECORD_FAILOVERS_OFF, "failovers");
_Static_assert(offsetof(struct record, failed_disks) == RECORD_FAILED_DISKS_OFF, "failed disks");

/*
 * Note in a record that was read from its place that a leg on this disk (0 to 31) failed. The
 * sum's rule: what is added to a word is taken from the sum. False, and r is as it
 * was: it is not the record of that boot, so it must not be written.
 */
static inline bool record_failover(struct record *r, uint32_t sequence, unsigned disk)
{
	uint32_t failed = le32_get(r->failed_disks), add = (uint32_t)1 << (disk & 31);

	/* The resident part has no room for more: of the magic, its second half. */
	if (le32_get(*(const le32 *)&r->magic[4]) != RECORD_MAGIC_END ||
	    le32_get(r->sequence) != sequence)
		return false;
	add &= ~failed;
	r->failed_disks = le32_of(failed + add);
	r->failovers = le32_of(le32_get(r->failovers) + 1);
	r->sum = le32_of(le32_get(r->sum) - add - 1);
	return true;
}

/*
 * ST_ABSENT: no record, or one of another version's form. ST_CORRUPT: the sum is wrong
 * or a count impossible. Nothing else of a record has to be believed to be read.
 */
enum status record_check(const struct record *r);

/*
 * As a variable of the firmware's it has no more bytes than its mirrors need;
 * record_take() is back from n bytes, checked as a sector is.
 */
#define RECORD_BYTES_MIN offsetof(struct record, mirror)
uint32_t record_bytes(const struct record *r);
enum status record_take(struct record *r, const void *bytes, uint64_t n);

/* All records of all disks, put together: what has no room after many disks is not remembered. */
#define RECORD_SEEN 64

struct record_seen {
	bool any;
	uint32_t sequence; /* of the newest */
	uint8_t count;
	struct record_mirror mirror[RECORD_SEEN];
};

/* Add one that record_check() accepted; seen is zeroed before the first. */
void record_merge(struct record_seen *seen, const struct record *r);

/* Is sequence number a later than b? They go around at 2^32. */
bool record_later(uint32_t a, uint32_t b);

/*
 * On UEFI nothing is written to the records on disks: what they know of a mirror that has
 * all its legs here and in sync would be told again with each boot. So of such mirrors
 * what the firmware's record knows counts alone; known is that, and seen is all of them.
 */
void record_prefer(struct record_seen *seen, const struct record_seen *known,
		   const struct survey *s);

/*
 * After judge: fill seen and behind of each mirror. One that is behind is not
 * healthy; nothing else of it changes.
 */
void record_judge(struct survey *s, const struct record_seen *seen);

/*
 * The record of this boot: what is known now of the mirrors here, and what was known
 * of others, the least recently seen of them left out when there is no room. boot: the
 * mirror that is booted from.
 */
void record_make(struct record *r, const struct record_seen *seen, const struct survey *s,
		 unsigned boot);

/* Make it the record of this disk. */
void record_seal(struct record *r, unsigned disk);

/* Do both tell the same, if of two boots? Then the second need not be written. */
bool record_same_news(const struct record *a, const struct record *b);

/* Did one boot write both? They differ by disk and by what the resident part noted. */
bool record_same_boot(const struct record *a, const struct record *b);

#endif
