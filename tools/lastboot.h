/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What the boot records on the disks, and that of a UEFI firmware, tell of the last boots. */
#ifndef TOOLS_LASTBOOT_H
#define TOOLS_LASTBOOT_H

#include "common/record.h"
#include "tools/hostdisk.h"

#include <json-c/json.h>

/* Records are numbered as the disks that they are on; then comes that of the firmware. */
#define LASTBOOT_UEFI    SURVEY_DISKS
#define LASTBOOT_RECORDS (SURVEY_DISKS + 1)

struct lastboot {
	struct record_seen seen; /* for record_judge() */
	unsigned newest;         /* the record of the last boot; LASTBOOT_RECORDS: there is none */
	enum status status[LASTBOOT_RECORDS];
	struct record record[LASTBOOT_RECORDS]; /* where status is OK */
};

/*
 * set has been surveyed. The firmware's record is ABSENT, too, when it knows none of the
 * mirrors on these disks: they need not be this machine's.
 */
void lastboot_read(const struct hostset *set, struct lastboot *b);

/* Disks that failed reads in the last boot: bit i is the disk that was number i then. */
uint32_t lastboot_failed(const struct hostset *set, const struct lastboot *b);

/*
 * The disk of the set that had this number in the boot that a record tells of. -1: not one
 * of these, or it can't be known, as with the firmware's record.
 */
int lastboot_find(const struct hostset *set, const struct lastboot *b, unsigned record,
		  unsigned number);

/* What that boot called it: "80h"; on UEFI "disk 1 (leg 1 of boot)". */
void lastboot_put_number(const struct hostset *set, const struct lastboot *b, unsigned record,
			 unsigned number, struct text *out);

/* "Last boot (no. 3, recorded on a, b):" and what there was to say of it. */
void lastboot_text(const struct hostset *set, const struct lastboot *b, struct text *out);

/* One record; NULL when there is none. */
struct json_object *lastboot_json(const struct hostset *set, const struct lastboot *b,
				  unsigned record);

#endif
