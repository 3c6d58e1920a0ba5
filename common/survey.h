/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A survey: the disks given, and all that was found on them. One struct goes
 * through the rooms: probe fills members, assemble mirrors, judge verdicts. No
 * pointers between its parts, so it can be copied, compared and fuzzed.
 */
#ifndef COMMON_SURVEY_H
#define COMMON_SURVEY_H

#include "common/disk.h"
#include "common/formats.h"
#include "common/ldm_probe.h"
#include "common/mirror.h"
#include "common/part.h"
#include "common/trust.h"

#define SURVEY_DISKS     32
#define SURVEY_MEMBERS   128
#define SURVEY_UNTRUSTED 64 /* of them, at most: the others have room, whatever is put in */
#define SURVEY_MIRRORS   24

enum survey_dynamic {
	SURVEY_BASIC,
	SURVEY_DYNAMIC,        /* a dynamic disk, by its own database */
	SURVEY_DYNAMIC_BROKEN, /* one whose database can't be read or trusted */
};

/* What probe learned of a disk. */
struct survey_disk {
	uint8_t status;      /* enum status of reading its partition table */
	uint8_t table;       /* enum part_table */
	bool io_error;       /* some read of a place where metadata could be failed */
	uint8_t other_parts; /* partitions that are neither members nor boot helpers (capped) */
	uint16_t requests;   /* reads that probing took (capped) */
	uint8_t dynamic;     /* enum survey_dynamic */
	bool answered;       /* at least one of them did not fail */
	/* of a dynamic disk's own database */
	struct guid group;
	uint64_t committed;
	uint64_t prepared; /* 0: no update was cut while it was being prepared */
	bool committing;   /* one was cut when it was committed, and not finished */
	bool trusted;      /* holds a member that the configuration names */
};

struct survey {
	const struct disk *disk;   /* the caller's array */
	const struct trust *trust; /* the caller's; NULL: all are trusted */
	uint8_t untrusted_count;   /* of member[] */
	uint8_t disk_count;
	uint8_t member_count;
	uint8_t mirror_count;
	bool full; /* something was left out because a capacity was used up */
	struct survey_disk found[SURVEY_DISKS];
	struct member member[SURVEY_MEMBERS];
	struct mirror mirror[SURVEY_MIRRORS];

	/* scratch for probe; nobody else's */
	struct part_list parts;
	struct ldm_probe ldm;
	uint8_t buf[FORMAT_BUF_BYTES];
	uint8_t head[FORMAT_BUF_BYTES];
};

/*
 * probe -> assemble -> judge over disk_count disks (more than SURVEY_DISKS are
 * left out, and s->full is set). Never fails: what could not be read is said in
 * s->found[] and in the verdicts.
 */
void survey_run(struct survey *s, const struct disk *disk, unsigned disk_count);

/* The first room alone: fill s->found and s->member. */
void survey_probe(struct survey *s, const struct disk *disk, unsigned disk_count);

/*
 * The same, by what the configuration trusts: members that it does not name are marked, and
 * their databases are not believed. t stays the caller's, and is asked again.
 */
void survey_probe_trusted(struct survey *s, const struct disk *disk, unsigned disk_count,
			  const struct trust *t);
void survey_run_trusted(struct survey *s, const struct disk *disk, unsigned disk_count,
			const struct trust *t);

/* For formats that probe: a member, found on this disk. False: there is no room, and s->full says
 * so. */
bool survey_add_member(struct survey *s, const struct member *m, unsigned disk, unsigned part,
		       uint64_t start_lba, uint64_t sectors);

/*
 * The mirror that a person named: by UUID, by full name ("host:boot") or by the
 * part after the colon. Empty text: the one whose member starts lowest on the
 * lowest disk, which is where a boot loader looks first. SURVEY_MIRRORS: none, or
 * more than one of that name.
 */
unsigned survey_find_mirror(const struct survey *s, const char *text);

/* Does this disk hold nothing but legs of mirrors (and boot helpers)? */
bool survey_only_legs(const struct survey *s, unsigned disk);

/* Could not one of its sectors be read? Loaders that try it wait for nothing, again and again. */
bool survey_dead(const struct survey *s, unsigned disk);

#endif
