/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A mirror: the members of one array, put together, and its legs with a verdict
 * each. assemble (mirror.c) groups; judge (leg.c) decides. Both are pure: plain
 * data in, plain data out, no I/O.
 */
#ifndef COMMON_MIRROR_H
#define COMMON_MIRROR_H

#include "common/member.h"

#define MIRROR_LEGS 32
#define NO_LEG      0xff
#define NO_MEMBER   0xff
#define NO_DISK     0xff

enum verdict {
	VERDICT_IN_SYNC,
	VERDICT_STALE,      /* missed writes */
	VERDICT_REBUILDING, /* good below an offset only */
	VERDICT_FAULTY,     /* failed, or its metadata can't be trusted */
	VERDICT_MISSING,    /* expected, and on no disk */
	VERDICT_UNREADABLE, /* a disk that did not answer, and may be the missing one */
	VERDICT_SPARE,
	VERDICT_CONFLICT,    /* split brain, or a copy of another leg */
	VERDICT_UNSUPPORTED, /* whole, and uses what we do not know */
	VERDICT_UNTRUSTED,   /* not one of those that the configuration names */
	VERDICT_COUNT,
};

enum mirror_state {
	MIRROR_HEALTHY,     /* every leg that should be there is in sync */
	MIRROR_DEGRADED,    /* at least one is in sync */
	MIRROR_SPLIT_BRAIN, /* legs ran alone, apart from each other; the newest is chosen */
	MIRROR_UNUSABLE,    /* no leg that the operating system would take */
	MIRROR_UNTRUSTED,   /* no member that the configuration names: never chosen */
	MIRROR_STATE_COUNT,
};

struct leg {
	uint8_t member;  /* index in the survey, NO_MEMBER when missing */
	uint8_t disk;    /* index in the survey, NO_DISK when not known */
	uint8_t verdict; /* enum verdict */
	struct reason why;
	uint16_t role; /* by the newest leg's map; ROLE_* when it has none */
	uint64_t generation;
};

struct mirror {
	uint8_t format; /* enum format_id */
	struct guid uuid;
	char name[NAME_BYTES];
	uint8_t state;     /* enum mirror_state */
	bool dirty;        /* not closed: legs may differ until the OS has resynced */
	uint8_t newest;    /* the leg whose map decides; NO_LEG when none is whole */
	uint8_t chosen;    /* the leg to read, NO_LEG when there is none */
	uint16_t expected; /* legs that a whole mirror has */
	uint64_t size_s512;
	uint64_t seen; /* the highest generation that a boot record knows of; 0: none does */
	bool behind;   /* the newest leg here is older than that */
	uint8_t leg_count;
	uint8_t order_count; /* legs that can be read, best first: failover goes down this list */
	uint8_t order[MIRROR_LEGS];
	bool read_only;              /* a person chose a leg that the others are not in sync with */
	struct leg leg[MIRROR_LEGS]; /* sorted by role, then by disk: independent of disk order */
};

const char *verdict_name(uint8_t verdict);    /* "in-sync" */
const char *mirror_state_name(uint8_t state); /* "split-brain" */

struct survey;

/*
 * assemble: group the survey's members into its mirrors, one leg a member. Arrays
 * that are not mirrors get none. ST_FULL: a capacity was used up.
 */
enum status mirror_assemble(struct survey *s);

/* judge: give each leg of each mirror its verdict, add missing legs, choose. */
void leg_judge(struct survey *s);

/* judge one mirror; mirror_assemble has filled leg[].member. */
void leg_judge_mirror(struct survey *s, struct mirror *m);

/* For formats that judge: say this of a leg; and how many roles have a leg in sync, once sorted. */
void leg_set(struct leg *l, enum verdict v, enum reason_code code, uint64_t a, uint64_t b);
unsigned leg_roles_in_sync(const struct mirror *m);

/* May this leg be read at all (in sync, or rebuilding and good below an offset)? */
bool leg_readable(const struct leg *l);

#endif
